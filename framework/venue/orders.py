"""One order as the engine knows it.

A plain slotted object, because it changes with every fill and lives in hot paths. What may happen to it is decided
elsewhere; here stands only what it is. Quantities are lots, prices ticks, times nanoseconds, money units of the
account's assets (``framework.venue.account``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from framework.messages import AddOrder, OrderState
from framework.protocol import OrderType, RejectReason, StpMode, TimeInForce

if TYPE_CHECKING:
    from framework.venue.account import Account
    from framework.venue.book import Pair
    from framework.venue.sessions import Session

__all__ = ["MARKET_TYPES", "NO_SLOT", "TRAILING_TYPES", "TRIGGER_TYPES", "Order", "order_id_of"]

NO_SLOT = -1
_SETTLE_POSITION = OrderType.SETTLE_POSITION

# Types that wait for a trigger; the executed form is a market order for the first set, a limit order for the rest.
TRIGGER_TYPES = frozenset(
    {
        OrderType.STOP_LOSS,
        OrderType.STOP_LOSS_LIMIT,
        OrderType.TAKE_PROFIT,
        OrderType.TAKE_PROFIT_LIMIT,
        OrderType.TRAILING_STOP,
        OrderType.TRAILING_STOP_LIMIT,
    }
)
TRAILING_TYPES = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})
MARKET_TYPES = frozenset({OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP})


def order_id_of(number: int) -> str:
    """The venue's id of its order of a number."""
    return f"O{number // 10**11:05d}-{number // 10**6 % 10**5:05d}-{number % 10**6:06d}"


class Order:
    """One order, from acceptance to its end and after.

    seq: number of acceptance at the venue, which is also its time priority among own orders of one price.
    session: the session that entered it; ownership for single cancels and pushed news.
    slot: its place in the kernel while it rests in the book, NO_SLOT otherwise; watch: its trigger there, NO_SLOT if
        none.
    is_live: it has passed its start time; is_triggered: its trigger has fired (always true for plain types);
    is_working: it is a market order that has begun to take, and holds nothing any more.
    opened_ns: when it was entered; aged_ns: when it was entered or last amended, from which its age is counted;
        queued_ns: when it last went to the back of a queue in the book, 0 before that (an iceberg's next slice is
        queued by the kernel, which is not told here).
    attachment: what came with it and is not read.
    secondary: what each of its fills makes an order of; None for nothing. primary_id: of the order whose fill made it,
        "" if none did. request_id: of the request that entered it, None if none did.
    hold_units, hold_asset: money held for it, and of which asset (index); hold_ppm: the fee rate in that hold.
    quote_units: for an order in quote quantity, what is still to be spent; -1 otherwise.
    leverage: it is on margin, 0 for a cash order; is_margin: it is, or it settles a position (``is_settlement``), so it
        holds no money; is_liquidation: the venue made it to take a position back.
    is_fee_in_base: its fees are charged in the base asset, and not in the quote asset.
    fee_exact: fees so far times a million, before rounding; fee_units: what was charged.
    """

    __slots__ = (
        "account",
        "aged_ns",
        "attachment",
        "book_key",
        "cl_ord_id",
        "cum_lots",
        "display_lots",
        "end_reason",
        "ended_ns",
        "expire_ns",
        "fee_exact",
        "fee_units",
        "hold_asset",
        "hold_ppm",
        "hold_units",
        "is_fee_in_base",
        "is_liquidation",
        "is_live",
        "is_margin",
        "is_market",
        "is_post_only",
        "is_reduce_only",
        "is_trailing",
        "is_triggered",
        "is_working",
        "leverage",
        "limit_offset_ppm",
        "limit_offset_ticks",
        "limit_ticks",
        "opened_ns",
        "order_id",
        "order_type",
        "pair",
        "primary_id",
        "qty_lots",
        "queued_ns",
        "quote_units",
        "request_id",
        "secondary",
        "seq",
        "session",
        "side",
        "slot",
        "start_ns",
        "state",
        "stp_mode",
        "time_in_force",
        "trail_offset_ppm",
        "trail_offset_ticks",
        "trigger_ticks",
        "watch",
    )

    def __init__(
        self,
        command: AddOrder,
        account: Account,
        pair: Pair,
        session: Session,
        order_id: str,
        seq: int,
        request_id: int | None,
        now_ns: int,
    ) -> None:
        self.account = account
        self.pair = pair
        self.session = session
        self.order_id = order_id
        self.seq = seq
        self.request_id = request_id
        self.cl_ord_id = command.cl_ord_id
        self.side = command.side
        order_type = command.order_type
        self.order_type: OrderType = order_type
        self.qty_lots = command.qty_lots
        self.limit_ticks = command.limit_ticks
        self.trigger_ticks = command.trigger_ticks
        self.trail_offset_ticks = command.trail_offset_ticks
        self.trail_offset_ppm = command.trail_offset_ppm
        self.limit_offset_ticks = command.limit_offset_ticks
        self.limit_offset_ppm = command.limit_offset_ppm
        self.display_lots = command.display_lots
        self.time_in_force: TimeInForce = command.time_in_force
        self.expire_ns = command.expire_ns
        self.start_ns = command.start_ns
        self.stp_mode: StpMode = command.stp_mode
        self.is_post_only = command.is_post_only
        self.is_fee_in_base = bool(command.is_fee_in_base)
        self.leverage = leverage = command.leverage
        self.is_reduce_only = command.is_reduce_only
        self.is_margin = leverage > 0 or order_type is _SETTLE_POSITION
        self.is_liquidation = False
        self.state = OrderState.NEW
        self.end_reason: RejectReason | None = None
        self.ended_ns = 0
        self.opened_ns = self.aged_ns = now_ns
        self.queued_ns = 0
        self.attachment = command.attachment
        self.secondary = command.secondary
        self.primary_id = ""
        self.cum_lots = 0
        self.slot = NO_SLOT
        self.watch = NO_SLOT
        self.book_key = 0
        self.is_live = True
        self.is_triggered = order_type not in TRIGGER_TYPES
        self.is_working = False
        self.is_trailing = order_type in TRAILING_TYPES
        self.is_market = order_type in MARKET_TYPES
        self.hold_units = 0
        self.hold_asset = 0
        self.hold_ppm = 0
        self.quote_units = -1
        self.fee_exact = 0
        self.fee_units = 0

    @property
    def is_settlement(self) -> bool:
        """Whether it is no order for the book, but settles a position."""
        return self.order_type is _SETTLE_POSITION

    @property
    def leaves_lots(self) -> int:
        """Lots still working; zero once the order has ended."""
        return self.qty_lots - self.cum_lots if self.state <= OrderState.PARTIALLY_FILLED else 0

    @property
    def is_open(self) -> bool:
        """Whether the order can still be filled, now or later."""
        return self.state <= OrderState.PARTIALLY_FILLED

    def __repr__(self) -> str:
        done = f"{self.cum_lots}/{self.qty_lots} at {self.limit_ticks}"
        return f"Order({self.order_id} {self.cl_ord_id} {self.state.name} {done})"
