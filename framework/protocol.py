"""The vocabulary of protocols, venues and instruments.

Everything here is a value: what an exchange can do, how far its cancels reach, in which order its messages arrive, what
it counts against whom. Generic code reads these values and never asks for a protocol by name; an adapter states them
(``adapters/<exchange>/profile.py``). This module imports nothing of ours.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

__all__ = [
    "BUY",
    "POINT",
    "SELL",
    "AmendPriority",
    "CallCosts",
    "CancelReach",
    "Capabilities",
    "FeeTier",
    "InstrumentSpec",
    "LatencySpec",
    "LatencyTier",
    "LinkLatency",
    "MassCancelScope",
    "ModeRule",
    "NewOrders",
    "News",
    "OnDisconnect",
    "OrderType",
    "Ordering",
    "PostOnlyViolation",
    "Protocol",
    "ProtocolProfile",
    "RateCheck",
    "RateSchedule",
    "RejectReason",
    "ResponseStyle",
    "Road",
    "SessionScope",
    "StpMode",
    "Switch",
    "Tier",
    "TimeInForce",
    "TriggerReference",
    "VenueLimits",
    "VenueMode",
    "VenueProfile",
]

# Sides are small integers so that the compiled kernel indexes arrays with them. A bid is BUY, an ask is SELL.
BUY = 0
SELL = 1

# Rate counters are integers in units of 1e-11 point: a decay of 2.34 points per second is then exactly 234 units per
# nanosecond, so that a counter's value at any instant is exact.
POINT = 10**11


class OrderType(enum.IntEnum):
    """Order types of the venue model; FIX names in ``adapters``."""

    LIMIT = 0
    MARKET = 1
    STOP_LOSS = 2
    STOP_LOSS_LIMIT = 3
    TAKE_PROFIT = 4
    TAKE_PROFIT_LIMIT = 5
    TRAILING_STOP = 6
    TRAILING_STOP_LIMIT = 7
    ICEBERG = 8


class TimeInForce(enum.IntEnum):
    """How long an order works."""

    GTC = 0
    GTD = 1
    IOC = 2
    FOK = 3


class StpMode(enum.IntEnum):
    """Which order self-trade prevention cancels; the mode of the incoming order decides."""

    CANCEL_NEWEST = 0
    CANCEL_OLDEST = 1
    CANCEL_BOTH = 2


class TriggerReference(enum.IntEnum):
    """The price that a trigger watches."""

    LAST = 0
    INDEX = 1


class InstrumentSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What one tradable pair is: its grid, its minimums.

    symbol: the pair's canonical name, base and quote separated by a slash ("BTC/USD").
    venue: the exchange that the market was recorded on, lower case ("kraken", "bitstamp", "synthetic").
    tick_size, lot_size: the price and quantity of one tick and one lot, exact decimals as text ("0.1", "0.00000001").
    min_qty_lots: smallest order quantity, in lots.
    min_cost: smallest order cost in quote currency, exact decimal as text ("0.5"); "0" if none.
    cost_decimals: decimals to which costs and fees are kept in the quote currency.
    """

    symbol: str
    venue: str
    tick_size: str
    lot_size: str
    min_qty_lots: int = 1
    min_cost: str = "0"
    cost_decimals: int = 5

    @property
    def base(self) -> str:
        """The asset that is bought and sold."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The asset that prices are in."""
        return self.symbol.partition("/")[2]

    def price(self, price_ticks: int) -> Decimal:
        """The exact price of a number of ticks."""
        return Decimal(self.tick_size) * price_ticks

    def qty(self, qty_lots: int) -> Decimal:
        """The exact quantity of a number of lots."""
        return Decimal(self.lot_size) * qty_lots

    def ticks(self, price: Decimal | str) -> int:
        """The number of ticks of a price; raises ValueError for a price off the grid."""
        return _on_grid(Decimal(price), Decimal(self.tick_size), "price", self.symbol)

    def lots(self, qty: Decimal | str) -> int:
        """The number of lots of a quantity; raises ValueError for a quantity off the grid."""
        return _on_grid(Decimal(qty), Decimal(self.lot_size), "quantity", self.symbol)


def _on_grid(value: Decimal, step: Decimal, what: str, symbol: str) -> int:
    count, rest = divmod(value, step)
    if rest:
        raise ValueError(f"{what} {value} is not a multiple of {step} of {symbol}; round it to the grid first")
    return int(count)


# --------------------------------------------------------------------------------------------------------- semantics


class Protocol(enum.StrEnum):
    """Labels of the protocols of a venue. They are keys of data; no rule may depend on one."""

    REST = "rest"
    WS1 = "ws1"
    WS2 = "ws2"
    FIX = "fix"


class CancelReach(enum.IntEnum):
    """How far a cancel reaches, each value containing the ones below it."""

    NONE = 0
    SESSION = 1
    COMP_ID = 2
    ACCOUNT = 3


class Ordering(enum.IntEnum):
    """What is known of the order in which messages of one connection arrive.

    NONE: each message takes its own path; nothing is known.
    BALANCED: a message takes one of several paths; order holds within a path only.
    FIFO: first in, first out.
    """

    NONE = 0
    BALANCED = 1
    FIFO = 2


class News(enum.IntEnum):
    """How a link tells of the account's own orders.

    NONE: it does not; ask.
    PUSHED_ACCOUNT: every subscribed connection of the account hears of all its orders; nothing is replayed.
    PUSHED_SESSION: a session hears of the orders that it owns; what it missed is replayed when it resumes.
    """

    NONE = 0
    PUSHED_ACCOUNT = 1
    PUSHED_SESSION = 2


class ResponseStyle(enum.IntEnum):
    """How a request that succeeded is answered. One that failed is answered in every style.

    RESPONSE: by a response, and by nothing else on this link.
    REPORTS: by execution reports in the stream of news, and by no response.
    BOTH: by a response, and by news on its own path; either may arrive first.
    """

    RESPONSE = 0
    REPORTS = 1
    BOTH = 2


class OnDisconnect(enum.IntEnum):
    """What the venue does with a session's open orders when the session ends."""

    NOTHING = 0
    CANCEL_SESSION_ORDERS = 1


class SessionScope(enum.IntEnum):
    """What "the same session" is where ownership of orders is concerned.

    CONNECTION: one connection from logon to its end.
    UNTIL_RESET: the comp id pair until the sequence numbers start anew (logon with reset, daily rollover).
    """

    CONNECTION = 0
    UNTIL_RESET = 1


class PostOnlyViolation(enum.IntEnum):
    """What becomes of a post-only order that would take: it gets an id and is canceled, or the request is refused."""

    ACCEPT_THEN_CANCEL = 0
    REJECT = 1


class MassCancelScope(enum.IntEnum):
    """Which orders a mass cancel asks for; what it reaches is the profile's to say."""

    SYMBOL = 0
    SESSION = 1
    ACCOUNT = 2


class VenueMode(enum.IntEnum):
    """What the engine accepts and whether it matches."""

    ONLINE = 0
    CANCEL_ONLY = 1
    POST_ONLY = 2
    LIMIT_ONLY = 3
    REDUCE_ONLY = 4
    MAINTENANCE = 5


class NewOrders(enum.IntEnum):
    """Which new orders a mode lets in."""

    NONE = 0
    POST_ONLY = 1
    LIMIT_ONLY = 2
    REDUCE_ONLY = 3
    ALL = 4


class RejectReason(enum.StrEnum):
    """Why the venue refused a request or ended an order; ``VenueProfile.errors`` has the venue's own text for each."""

    # The request names something that is not there, or not so.
    UNKNOWN_ORDER = "unknown_order"
    ORDER_NOT_OPEN = "order_not_open"
    UNKNOWN_SYMBOL = "unknown_symbol"
    NOT_SUPPORTED = "not_supported"
    INVALID_ARGUMENTS = "invalid_arguments"
    NO_AMENDABLE = "no_amendable"
    NOT_EDITABLE = "not_editable"
    DUPLICATE_CL_ORD_ID = "duplicate_cl_ord_id"
    # The order breaks a rule of the instrument.
    ORDER_MINIMUM = "order_minimum"
    COST_MINIMUM = "cost_minimum"
    TICK_SIZE = "tick_size"
    INVALID_PRICE = "invalid_price"
    INVALID_DISPLAY_QTY = "invalid_display_qty"
    INDEX_UNAVAILABLE = "index_unavailable"
    # The account may not.
    INSUFFICIENT_FUNDS = "insufficient_funds"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    PERMISSION_DENIED = "permission_denied"
    REDUCE_ONLY_NO_POSITION = "reduce_only_no_position"
    REDUCE_ONLY_CLOSED = "reduce_only_closed"
    # A limit is reached.
    RATE_LIMIT = "rate_limit"
    CALL_LIMIT = "call_limit"
    ORDERS_LIMIT = "orders_limit"
    SCHEDULED_ORDERS_LIMIT = "scheduled_orders_limit"
    TIMEOUT_ABOVE_MAX = "timeout_above_max"
    # Time and state of the venue.
    DEADLINE = "deadline"
    INVALID_DEADLINE = "invalid_deadline"
    MODE_CANCEL_ONLY = "mode_cancel_only"
    MODE_POST_ONLY = "mode_post_only"
    MODE_LIMIT_ONLY = "mode_limit_only"
    MODE_REDUCE_ONLY = "mode_reduce_only"
    MODE_MAINTENANCE = "mode_maintenance"
    NO_SESSION = "no_session"
    INTERNAL = "internal"
    # Why an order that had been accepted ended.
    USER_REQUESTED = "user_requested"
    POST_ONLY = "post_only"
    SELF_TRADE = "self_trade"
    WOULD_TRIGGER = "would_trigger"
    IOC_REMAINDER = "ioc_remainder"
    FOK_UNFILLED = "fok_unfilled"
    MARKET_REMAINDER = "market_remainder"
    AMENDED_TO_FILLED = "amended_to_filled"
    EDITED = "edited"
    CANCEL_ON_DISCONNECT = "cancel_on_disconnect"
    CANCEL_AFTER_EXPIRED = "cancel_after_expired"
    EXPIRED = "expired"


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked over a protocol.

    batch_add_min, batch_add_max: orders in one AddBatch, 0 and 0 where there is none.
    batch_cancel_max: orders in one CancelBatch, 0 where there is none.
    mass_cancel_scopes: scopes of MassCancel; CancelAll is ``has_cancel_all``.
    deadline_min_ns, deadline_max_ns: how far ahead a command's deadline may lie; both 0 where there is none.
    deadline_default_ns: the deadline of a command that states none; None for no deadline.
    has_order_query: the open orders can be asked for (or come as a snapshot with a subscription, ``has_snapshot``).
    has_replay: what was missed while away is sent again on resumption.
    cancels_by_order_id, cancels_by_cl_ord_id: ids by which CancelOrder may name an order.
    """

    order_types: tuple[OrderType, ...]
    times_in_force: tuple[TimeInForce, ...]
    stp_modes: tuple[StpMode, ...]
    trigger_references: tuple[TriggerReference, ...]
    mass_cancel_scopes: tuple[MassCancelScope, ...]
    batch_add_min: int
    batch_add_max: int
    batch_cancel_max: int
    deadline_min_ns: int
    deadline_max_ns: int
    deadline_default_ns: int | None
    has_amend: bool
    has_edit: bool
    has_cancel_all: bool
    has_cancel_all_after: bool
    has_validate_only: bool
    has_order_query: bool
    has_snapshot: bool
    has_replay: bool
    has_quote_qty: bool
    has_post_only: bool
    has_reduce_only: bool
    has_start_time: bool
    cancels_by_order_id: bool
    cancels_by_cl_ord_id: bool


class RateCheck(enum.IntEnum):
    """When a counter is held against its threshold.

    BEFORE: a request is refused while the counter stands at the threshold or above; one that crosses it passes.
    AFTER: a request is refused if the counter with its cost would stand above the threshold.
    """

    BEFORE = 0
    AFTER = 1


class CallCosts(msgspec.Struct, frozen=True, kw_only=True):
    """What requests cost on the call counter of a key, in POINT units; apart from the engine's counter.

    trading: adds and cancels; trading_other: amends, edits, batches, cancel-all, cancel-all-after.
    open_orders: the account's open orders; orders: orders by id, open or ended; history: ended orders, trades by time.
    other: any other private request.
    check: when the counter is held against its maximum.
    is_refused_charged: a request refused over the maximum is charged all the same.
    """

    trading: int
    trading_other: int
    open_orders: int
    orders: int
    history: int
    other: int
    check: RateCheck
    is_refused_charged: bool


class ProtocolProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How one protocol of a venue behaves.

    ordering_command: order in which commands reach the engine; ordering_response: order in which responses come back;
        ordering_news: order in which pushed news comes.
    balanced_paths: number of paths of a connection where an ordering is BALANCED; 1 elsewhere.
    is_one_stream: responses, rejects and news share one ordered stream.
    single_cancel_reach, amend_reach: which orders a single cancel, an amend or edit can name.
    mass_cancel_reach: which orders each scope of MassCancel reaches; empty where there is no MassCancel.
    cancel_all_reach: which orders CancelAll, and an expired CancelAllAfter, reach.
    is_pending_new_sent: a PENDING_NEW report precedes NEW for an order that goes live at once.
    has_session: the connection is a session that owns the orders entered on it.
    on_disconnect: what a dropped line does unless logon chose otherwise (``is_on_disconnect_chosen_at_logon``);
        on_logout: what an orderly logout does where on_disconnect would cancel.
    is_resumable: a session survives its connection; session_scope: until when.
    rollover_utc_s: seconds after midnight UTC at which sessions end daily; None for never; rollover_ns: its length.
    heartbeat_ns: interval of the keep-alive; idle_close_ns: the venue closes a connection silent for so long, None if
        it does not.
    call_costs: requests of this protocol are charged to a call counter; None if there is none.
    poll_calls, poll_calls_on_change: fields of ``call_costs`` that one poll of the account's orders is charged, always
        and in addition when orders ended or were filled since the poll before.
    """

    label: Protocol
    title: str
    capabilities: Capabilities
    ordering_command: Ordering
    ordering_response: Ordering
    ordering_news: Ordering
    balanced_paths: int
    is_one_stream: bool
    single_cancel_reach: CancelReach
    amend_reach: CancelReach
    mass_cancel_reach: Mapping[MassCancelScope, CancelReach]
    cancel_all_reach: CancelReach
    news: News
    response_style: ResponseStyle
    post_only_violation: PostOnlyViolation
    is_pending_new_sent: bool
    has_session: bool
    on_disconnect: OnDisconnect
    is_on_disconnect_chosen_at_logon: bool
    on_logout: OnDisconnect
    is_resumable: bool
    session_scope: SessionScope
    rollover_utc_s: int | None
    rollover_ns: int
    heartbeat_ns: int
    idle_close_ns: int | None
    call_costs: CallCosts | None
    poll_calls: tuple[str, ...]
    poll_calls_on_change: tuple[str, ...]


# ------------------------------------------------------------------------------------------- counters, fees, latency


class RateSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """What transactions cost on the engine's counter of an account and symbol, in POINT units.

    *_fixed: charged on receipt, even if the request then fails.
    *_steps: charged in addition by the order's age, ``(age_below_ns, points)``, youngest first; beyond the last
        nothing. Age counts from when the order was entered or last amended.
    batch_add_per_order: cost of each order of an AddBatch, in place of ``add_fixed``.
    batch_cancel: each order is charged by its own age from ``cancel_steps``.
    cancel_all_per_symbol: cost of CancelAll, MassCancel and an expired CancelAllAfter for each symbol that lost orders.
    is_refused_charged: a request refused over the limit still pays its fixed cost.
    is_cancel_refused: single cancels are refused over the limit; is_batch_cancel_refused: batches of them are.
    """

    add_fixed: int
    amend_fixed: int
    edit_fixed: int
    cancel_fixed: int
    batch_add_per_order: int
    amend_steps: tuple[tuple[int, int], ...]
    edit_steps: tuple[tuple[int, int], ...]
    cancel_steps: tuple[tuple[int, int], ...]
    cancel_all_per_symbol: int
    check: RateCheck
    is_refused_charged: bool
    is_cancel_refused: bool
    is_batch_cancel_refused: bool


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of an account tier. Counters are in POINT units, decays in POINT units per nanosecond (234 is 2.34 per s).

    threshold, decay_per_ns: the engine's counter of an account and symbol; open_orders_max: open orders per symbol.
    call_max, call_decay_per_ns: the call counter of a key.
    """

    name: str
    threshold: int
    decay_per_ns: int
    open_orders_max: int
    call_max: int
    call_decay_per_ns: int


class FeeTier(msgspec.Struct, frozen=True, kw_only=True):
    """Fees from a 30-day volume upwards, in parts per million of the cost.

    volume_30d: in whole units of the profile's ``fee_volume_currency``.
    """

    volume_30d: int
    maker_ppm: int
    taker_ppm: int


class LatencySpec(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution of one-way latencies, as data; ``framework/venue/latency.py`` compiles it.

    kind: "constant" (``median_us``), "lognormal" (``median_us``, ``sigma`` of the logarithm) or "empirical" (``file``:
        one latency in microseconds a line).
    floor_us: no latency is below it.
    spike_rate_per_min, spike_ms, spike_length_ms: bursts that begin at this rate, last ``spike_length_ms``, and add
        ``spike_ms`` to each message sent meanwhile.
    """

    kind: str = "constant"
    median_us: float = 0.0
    sigma: float = 0.0
    floor_us: float = 0.0
    spike_rate_per_min: float = 0.0
    spike_ms: float = 0.0
    spike_length_ms: float = 0.0
    file: str | None = None


class LinkLatency(msgspec.Struct, frozen=True, kw_only=True):
    """One-way latencies of a link: commands to the engine, responses and own news back, market data to the strategy."""

    command: LatencySpec
    response: LatencySpec
    feed: LatencySpec


class LatencyTier(msgspec.Struct, frozen=True, kw_only=True):
    """Where the trader sits; ``links`` has only the protocols that can be reached from there."""

    name: str
    title: str
    links: Mapping[Protocol, LinkLatency]


# ------------------------------------------------------------------------------------------------------------- venue


class Road(msgspec.Struct, frozen=True, kw_only=True):
    """A way to trade: which link carries what.

    cancel: links for cancels in order of preference, the later ones fallbacks when the earlier do not reach.
    news: the link that tells of own orders; polled every ``poll_interval_ns`` where it does not push (else None).
    query: the link that is asked for the state of orders when news cannot tell.
    latency_tier: name of the venue's latency tier.
    """

    name: str
    title: str
    submit: Protocol
    amend: Protocol
    cancel: tuple[Protocol, ...]
    news: Protocol
    query: Protocol
    poll_interval_ns: int | None
    latency_tier: str


class AmendPriority(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an order keeps its queue place when it is amended; where several change, all must keep it."""

    qty_down: bool
    qty_up: bool
    display_qty: bool
    limit_price: bool
    trigger_price: bool


class ModeRule(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine does in a mode. reason: why a new order that the mode does not let in is refused."""

    new_orders: NewOrders
    is_cancel_accepted: bool
    is_matching: bool
    reason: RejectReason | None


class VenueLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on single requests.

    iceberg_slices_max: an iceberg's display quantity is at least its quantity divided by this.
    expire_min_ns, expire_max_ns: how far ahead the end of a GTD order may lie.
    cancel_all_after_max_s: longest time of the dead man's switch.
    """

    iceberg_slices_max: int
    expire_min_ns: int
    expire_max_ns: int
    cancel_all_after_max_s: int


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """A point on which a venue's documents are silent or disagree, and what each reading means.

    question: what is not clear, in one sentence.
    values: for each reading the fields of the profile that it sets, by dotted path (``rates.check``,
        ``protocols.fix.mass_cancel_reach.account``).
    default: the reading that the profile states.
    source: pages that disagree, and why the default was taken.
    """

    name: str
    question: str
    values: Mapping[str, Mapping[str, Any]]
    default: str
    source: str


class VenueProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A venue as data. Generic code reads this and nothing else about an exchange.

    fee_volume_currency: currency of ``FeeTier.volume_30d``.
    errors: the venue's own text for each reason.
    sources: for a dotted path of fields the page that states them; a page covers all fields below its path unless a
        longer path names another. What no page states says "assumption: " and why.
    """

    name: str
    title: str
    protocols: Mapping[Protocol, ProtocolProfile]
    rates: RateSchedule
    tiers: tuple[Tier, ...]
    fees: tuple[FeeTier, ...]
    fee_volume_currency: str
    errors: Mapping[RejectReason, str]
    modes: Mapping[VenueMode, ModeRule]
    amend_priority: AmendPriority
    limits: VenueLimits
    latency_tiers: tuple[LatencyTier, ...]
    roads: tuple[Road, ...]
    switches: tuple[Switch, ...]
    sources: Mapping[str, str]

    def tier(self, name: str) -> Tier:
        """The account tier of this name; raises KeyError naming those that exist."""
        return _named(self.tiers, name, "tier")

    def road(self, name: str) -> Road:
        """The road of this name; raises KeyError naming those that exist."""
        return _named(self.roads, name, "road")

    def latency_tier(self, name: str) -> LatencyTier:
        """The latency tier of this name; raises KeyError naming those that exist."""
        return _named(self.latency_tiers, name, "latency tier")

    def fee_tier(self, volume_30d: int) -> FeeTier:
        """The fees at a 30-day volume in whole units of ``fee_volume_currency``; raises ValueError below the lowest."""
        if volume_30d < self.fees[0].volume_30d:
            raise ValueError(f"30-day volume {volume_30d} is below the lowest fee tier {self.fees[0].volume_30d}")
        return [fee for fee in self.fees if fee.volume_30d <= volume_30d][-1]

    def with_switches(self, settings: Mapping[str, str]) -> VenueProfile:
        """The profile under other readings; raises KeyError for an unknown switch or reading."""
        profile = self
        for name, value in settings.items():
            switch = _named(self.switches, name, "switch")
            if value not in switch.values:
                raise KeyError(f"switch {name!r} has no value {value!r}; it has {', '.join(switch.values)}")
            for path, leaf in switch.values[value].items():
                profile = _replaced(profile, path.split("."), leaf)
        return profile

    def leaves(self) -> Iterator[tuple[str, Any]]:
        """Every value of the profile with its dotted path; names, sources and switches themselves are left out."""
        for field in self.__struct_fields__:
            if field not in ("name", "title", "switches", "sources"):
                yield from _leaves(field, getattr(self, field))

    def value(self, path: str) -> Any:
        """The value at a dotted path as ``leaves`` writes it; raises KeyError if there is none."""
        value: Any = self
        for key in path.split("."):
            value = _child(value, key)
        return value

    def source(self, path: str) -> str:
        """The page that states the value at a dotted path; raises KeyError if none does."""
        parts = path.split(".")
        for length in range(len(parts), 0, -1):
            page = self.sources.get(".".join(parts[:length]))
            if page is not None:
                return page
        raise KeyError(f"no source is stated for {path}")


def _named[T: (Tier, Road, LatencyTier, Switch)](items: tuple[T, ...], name: str, what: str) -> T:
    for item in items:
        if item.name == name:
            return item
    raise KeyError(f"no {what} {name!r}; there is {', '.join(item.name for item in items)}")


def _key(key: Any) -> str:
    return key.name.lower() if isinstance(key, enum.IntEnum) else str(key)


def _children(value: Any) -> list[tuple[str, Any]] | None:
    """The named parts of a value, or None for a leaf. Tuples of structs have parts, other tuples are leaves."""
    if isinstance(value, msgspec.Struct):
        return [(field, getattr(value, field)) for field in value.__struct_fields__]
    if isinstance(value, Mapping):
        return [(_key(key), item) for key, item in value.items()]
    if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        return [(str(getattr(item, "name", index)), item) for index, item in enumerate(value)]
    return None


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    children = _children(value)
    if not children:
        yield path, value
        return
    for key, item in children:
        if key not in ("name", "title", "label"):
            yield from _leaves(f"{path}.{key}", item)


def _child(value: Any, key: str) -> Any:
    for name, item in _children(value) or []:
        if name == key:
            return item
    raise KeyError(f"no field {key!r} in {type(value).__name__}")


def _replaced(value: Any, parts: list[str], leaf: Any) -> Any:
    if not parts:
        return leaf
    key, rest = parts[0], parts[1:]
    part = _replaced(_child(value, key), rest, leaf)
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **{key: part})
    if isinstance(value, Mapping):
        return {name: part if _key(name) == key else item for name, item in value.items()}
    return tuple(part if name == key else item for name, item in _children(value) or [])
