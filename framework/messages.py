"""What crosses a link: commands towards the venue, reports from it.

A message never changes after it was made. Commands carry ``request_id``, a number that is unique in the run, so that an
answer can be joined to its question whatever road it takes. Prices are ticks, quantities lots, times nanoseconds since
the epoch; fees and costs are exact decimals of the named asset.

``None`` means "not given" in a command and "not known on this road" in a report.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from framework.protocol import (
    MassCancelScope,
    OrderType,
    RejectReason,
    StpMode,
    TimeInForce,
    TriggerReference,
    VenueMode,
)

__all__ = [
    "AddBatch",
    "AddOrder",
    "AmendOrder",
    "CancelAll",
    "CancelAllAfter",
    "CancelBatch",
    "CancelOrder",
    "Command",
    "CommandAccepted",
    "CommandRejected",
    "EditOrder",
    "ExecType",
    "ExecutionReport",
    "Logon",
    "Logout",
    "MassCancel",
    "MassCancelScope",
    "OrderState",
    "OrderStatus",
    "OrderTerms",
    "OrdersSnapshot",
    "PollPart",
    "QueryOrders",
    "RateCount",
    "Report",
    "SecondaryOrder",
    "SessionClosed",
    "SessionOpened",
    "VenueMode",
    "VenueStatus",
]


# ---------------------------------------------------------------------------------------------------------- commands


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Base of all commands.

    request_id: number of this request, unique in the run.
    deadline_ns: the engine refuses the command if it arrives later; None for no deadline.
    """

    request_id: int
    deadline_ns: int | None = None


class SecondaryOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue makes an order of for each fill of another one: of the filled quantity, on the opposite side.

    limit_ticks, trigger_ticks: prices, or their signed distances from the price of the fill (``..._offset_ticks``, or
        ``..._offset_ppm`` as a share of it). Of a trailing-stop-limit, the limit's distance is from its trigger.
    trail_offset_ticks, trail_offset_ppm: distance of a trailing stop from its best price, one of them.
    attachment: of the new order.
    """

    order_type: OrderType
    limit_ticks: int | None = None
    limit_offset_ticks: int | None = None
    limit_offset_ppm: int | None = None
    trigger_ticks: int | None = None
    trigger_offset_ticks: int | None = None
    trigger_offset_ppm: int | None = None
    trail_offset_ticks: int | None = None
    trail_offset_ppm: int | None = None
    attachment: bytes = b""


class AddOrder(Command, frozen=True, kw_only=True):
    """A new order.

    qty_lots: base quantity; 0 when ``quote_qty`` is given.
    quote_qty: for market buys, the amount of quote currency to spend.
    limit_ticks: limit price of priced types.
    trigger_ticks: trigger price of stop and take-profit types.
    trail_offset_ticks, trail_offset_ppm: distance of a trailing stop from its best price, one of them.
    limit_offset_ticks, limit_offset_ppm: distance of a trailing-stop-limit's limit from its trigger, signed, one of
        them; or neither, and a limit price.
    display_lots: visible slice of an iceberg.
    expire_ns: end of a GTD order; start_ns: when the order becomes live, None for at once.
    is_validate_only: check, answer, do nothing.
    is_fee_in_base: fees are charged in the base currency, and not in the quote currency; None for the venue's default.
    attachment: what a gateway wants kept with the order; the venue does not read it.
    secondary: what each fill of the order makes another one of; None for nothing.
    leverage: the order is on margin: how many times what it uses of the collateral it may be worth; 0 for a cash order.
        A quantity of 0 then stands for all that it closes.
    """

    cl_ord_id: str
    symbol: str
    side: int
    order_type: OrderType
    qty_lots: int
    quote_qty: Decimal | None = None
    limit_ticks: int | None = None
    trigger_ticks: int | None = None
    trigger_reference: TriggerReference = TriggerReference.LAST
    trail_offset_ticks: int | None = None
    trail_offset_ppm: int | None = None
    limit_offset_ticks: int | None = None
    limit_offset_ppm: int | None = None
    display_lots: int | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_ns: int | None = None
    start_ns: int | None = None
    stp_mode: StpMode = StpMode.CANCEL_NEWEST
    is_post_only: bool = False
    is_reduce_only: bool = False
    is_validate_only: bool = False
    is_fee_in_base: bool | None = None
    attachment: bytes = b""
    secondary: SecondaryOrder | None = None
    leverage: int = 0


class AddBatch(Command, frozen=True, kw_only=True):
    """Several new orders of one symbol in one request."""

    orders: tuple[AddOrder, ...]
    is_validate_only: bool = False


class AmendOrder(Command, frozen=True, kw_only=True):
    """Change an order in place. ``qty_lots`` is the new total quantity. One of the two ids names the order.

    trail_offset_ticks, trail_offset_ppm, limit_offset_ticks, limit_offset_ppm: of a trailing order that waits, as in
        AddOrder; its best price so far stays.
    """

    cl_ord_id: str | None = None
    order_id: str | None = None
    qty_lots: int | None = None
    limit_ticks: int | None = None
    trigger_ticks: int | None = None
    display_lots: int | None = None
    is_post_only: bool = False
    trail_offset_ticks: int | None = None
    trail_offset_ppm: int | None = None
    limit_offset_ticks: int | None = None
    limit_offset_ppm: int | None = None


class EditOrder(Command, frozen=True, kw_only=True):
    """Cancel an order and add a changed one in its stead: new order id, fills and queue place stay behind.

    qty_lots: the new total; the new order is for what the old one has not filled of it. is_fee_in_base: of the new
        order, None for that of the old one. attachment: of the new order.
    is_reduce_only: the new order may only reduce a position, as an old one may that says so.
    trail_offset_ticks, trail_offset_ppm, limit_offset_ticks, limit_offset_ppm: of a trailing order, as in AddOrder.
    """

    order_id: str
    qty_lots: int | None = None
    limit_ticks: int | None = None
    trigger_ticks: int | None = None
    trail_offset_ticks: int | None = None
    trail_offset_ppm: int | None = None
    limit_offset_ticks: int | None = None
    limit_offset_ppm: int | None = None
    display_lots: int | None = None
    is_post_only: bool = False
    is_validate_only: bool = False
    is_fee_in_base: bool | None = None
    attachment: bytes = b""
    is_reduce_only: bool = False


class CancelOrder(Command, frozen=True, kw_only=True):
    """Cancel one order, named by one of the two ids."""

    cl_ord_id: str | None = None
    order_id: str | None = None


class CancelBatch(Command, frozen=True, kw_only=True):
    """Cancel several orders in one request."""

    cl_ord_ids: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()


class CancelAll(Command, frozen=True, kw_only=True):
    """Cancel every open order of the account."""


class MassCancel(Command, frozen=True, kw_only=True):
    """Cancel by scope; ``symbol`` is needed with ``MassCancelScope.SYMBOL``."""

    scope: MassCancelScope
    symbol: str | None = None


class CancelAllAfter(Command, frozen=True, kw_only=True):
    """Arm the account's dead man's switch; 0 disarms it."""

    timeout_s: int


class PollPart(enum.IntEnum):
    """What of a poll is asked for, where one is several calls.

    WHOLE: all of it at once. OPEN: the open orders, with what tells whether there is more to ask for. ENDED: orders
    that have ended. TRADES: fills.
    """

    WHOLE = 0
    OPEN = 1
    ENDED = 2
    TRADES = 3


class QueryOrders(Command, frozen=True, kw_only=True):
    """Ask for the account's open orders, and for orders ended and trades made since ``since_ns`` (venue time).

    order_ids: orders to be told of by themselves, with all their trades, where they are not open; whenever they ended.
    """

    since_ns: int = 0
    part: PollPart = PollPart.WHOLE
    order_ids: tuple[str, ...] = ()


class Logon(Command, frozen=True, kw_only=True):
    """Open a session.

    is_reset: start the sequence numbers anew: a new session, which owns none of the orders of the one before. False
        resumes the session, with replay of what was missed, where the protocol can.
    is_cancel_on_disconnect: None leaves the protocol's default.
    next_expected_seq: for a resumption, the number of the first message that has not been received; None where the
        client does not count: then what the venue made while the line was down is replayed.
    """

    is_reset: bool = False
    is_cancel_on_disconnect: bool | None = None
    next_expected_seq: int | None = None


class Logout(Command, frozen=True, kw_only=True):
    """End a session in good order."""


# ----------------------------------------------------------------------------------------------------------- reports


class OrderState(enum.IntEnum):
    """State of an order at the venue."""

    PENDING_NEW = 0
    NEW = 1
    PARTIALLY_FILLED = 2
    FILLED = 3
    CANCELED = 4
    EXPIRED = 5


class ExecType(enum.IntEnum):
    """What an execution report tells."""

    PENDING_NEW = 0
    NEW = 1
    TRADE = 2
    CANCELED = 3
    EXPIRED = 4
    AMENDED = 5
    RESTATED = 6
    TRIGGERED = 7
    ICEBERG_REFILL = 8
    # The order has done what it was for: its trades were told of by themselves, or it had none and settled a position.
    FILLED = 9


class Report(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all reports. The frequent ones are left out of garbage collection: they hold no containers but tuples.

    ts_venue_ns: when the venue did what the report tells.
    """

    ts_venue_ns: int


class CommandAccepted(Report, frozen=True, kw_only=True, gc=False):
    """The answer to a request that was carried out.

    order_ids: venue order ids in the order of the request (one for an add, one for each accepted order of a batch; the
        new id for an edit).
    errors: for a batch, the error text of each item, None where it was accepted.
    count: number of orders that a cancel ended.
    trigger_ns: when an armed dead man's switch will fire, None when disarmed.
    """

    request_id: int
    order_ids: tuple[str, ...] = ()
    errors: tuple[str | None, ...] = ()
    count: int | None = None
    trigger_ns: int | None = None


class CommandRejected(Report, frozen=True, kw_only=True, gc=False):
    """The answer to a request that was refused; ``error`` is the venue's own text, untouched, ``reason`` its
    meaning.
    """

    request_id: int
    error: str
    reason: RejectReason | None = None


class ExecutionReport(Report, frozen=True, kw_only=True, gc=False):
    """News of one order.

    qty_lots, leaves_lots, cum_lots: total, still working, filled so far.
    last_lots, last_ticks, exec_id, is_maker, fee, fee_asset: the fill, for ``ExecType.TRADE``.
    request_id: the request that caused it, where the protocol echoes it.
    reason: the venue's own text for cancels and restatements; ``cause``, its meaning.
    """

    exec_type: ExecType
    state: OrderState
    order_id: str
    cl_ord_id: str
    symbol: str
    side: int
    order_type: OrderType
    qty_lots: int
    leaves_lots: int
    cum_lots: int
    limit_ticks: int | None = None
    trigger_ticks: int | None = None
    display_lots: int | None = None
    last_lots: int = 0
    last_ticks: int = 0
    exec_id: str | None = None
    is_maker: bool | None = None
    fee: Decimal | None = None
    fee_asset: str | None = None
    reason: str | None = None
    cause: RejectReason | None = None
    request_id: int | None = None
    is_poss_dup: bool = False


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What an order was given, and when, as only the venue's own history of it tells.

    avg_price: of its fills; None before the first. expire_ns: end of a GTD order. ts_opened_ns, ts_ended_ns: the latter
    None while it is open. trail_offset_ticks, trail_offset_ppm, limit_offset_ticks, limit_offset_ppm: as in AddOrder.
    """

    time_in_force: TimeInForce
    is_post_only: bool
    avg_price: Decimal | None
    ts_opened_ns: int
    ts_ended_ns: int | None
    expire_ns: int | None = None
    trail_offset_ticks: int | None = None
    trail_offset_ppm: int | None = None
    limit_offset_ticks: int | None = None
    limit_offset_ppm: int | None = None


class OrderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One order as a poll or a snapshot shows it. terms: where a history was asked for."""

    state: OrderState
    order_id: str
    cl_ord_id: str
    symbol: str
    side: int
    order_type: OrderType
    qty_lots: int
    cum_lots: int
    limit_ticks: int | None = None
    trigger_ticks: int | None = None
    display_lots: int | None = None
    reason: str | None = None
    terms: OrderTerms | None = None


class OrdersSnapshot(Report, frozen=True, kw_only=True):
    """The answer to a poll, or what a news subscription starts with.

    orders: open orders, and for a poll those ended since; trades: fills since, oldest first, as TRADE reports.
    """

    request_id: int | None
    orders: tuple[OrderStatus, ...]
    trades: tuple[ExecutionReport, ...] = ()


class RateCount(Report, frozen=True, kw_only=True, gc=False):
    """The venue's own rate counter of a pair, where it is published. points: in POINT units."""

    symbol: str
    points: int


class SessionOpened(Report, frozen=True, kw_only=True):
    """A session is up. is_resumed: it continues the one before, and what was missed is being replayed."""

    request_id: int | None
    session_id: str
    is_resumed: bool
    replayed_count: int = 0


class SessionClosed(Report, frozen=True, kw_only=True):
    """A session ended at the venue's end; ``reason`` in words."""

    session_id: str
    reason: str


class VenueStatus(Report, frozen=True, kw_only=True):
    """The engine's mode changed."""

    mode: VenueMode
    symbol: str | None = None
