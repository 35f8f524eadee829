"""The figures that a run has, as values; how each is computed stands in ``framework.backtest.metrics``."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from framework.backtest.road_figures import CounterUse, Latency, QueuePlace, Refusals

__all__ = [
    "Amends",
    "CancelRaces",
    "DoubleExposure",
    "EquityCurve",
    "LateFills",
    "Markout",
    "OrphanOrder",
    "Orphans",
    "ProfitAndLoss",
    "RunMetrics",
]


class ProfitAndLoss(msgspec.Struct, frozen=True, kw_only=True):
    """Money, in the quote currency. net = spread_at_fill + inventory - fees, exactly; fees = fees_maker + fees_taker.

    A fill that is not known as maker counts as taker. unmarked_fills: fills without a mid of their moment.
    """

    net: Decimal
    spread_at_fill: Decimal
    inventory: Decimal
    fees: Decimal
    fees_maker: Decimal
    fees_taker: Decimal
    turnover: Decimal
    fills: int
    unmarked_fills: int


class Markout(msgspec.Struct, frozen=True, kw_only=True):
    """What the mid did after the fills. fills_left_out: fills whose horizon is past the market's end."""

    horizon_s: int
    value: Decimal
    per_fill: float | None
    fills: int
    fills_left_out: int


class LateFills(msgspec.Struct, frozen=True, kw_only=True):
    """Fills that came after a cancel of their order had been sent; markout over the fills that have one."""

    count: int
    qty: Decimal
    markout_10s: Decimal
    markout_left_out: int


class DoubleExposure(msgspec.Struct, frozen=True, kw_only=True):
    """Times in which an order and the one that was to replace it were both alive."""

    count: int
    seconds: float
    seconds_max: float
    qty_max: Decimal
    qty_seconds: float


class CancelRaces(msgspec.Struct, frozen=True, kw_only=True):
    """Cancels and the new orders sent after them. pairs: of which both arrived; share = inverted / pairs."""

    pairs: int
    inverted: int
    share: float | None
    pairs_unarrived: int
    after_inversion: DoubleExposure
    after_failed_cancel: DoubleExposure


class Amends(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of orders. kept, lost: the queue place, of amends of resting orders; edits always lose it."""

    sent: int
    kept: int
    lost: int
    edits_done: int


class OrphanOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of an order's life with nobody able to cancel it, and what was filled in it."""

    cl_ord_id: str
    symbol: str | None
    side: int | None
    from_ns: int
    until_ns: int
    qty_max: Decimal
    fills: int
    filled_qty: Decimal


class Orphans(msgspec.Struct, frozen=True, kw_only=True):
    """Orders alive with nobody able to cancel them.

    seconds: summed over orders; seconds_any: time in which there was at least one. net: what the fills in those times
    came to, at the last mid and after fees. listed: the longest stretches, at most 100.
    """

    orders: int
    seconds: float
    seconds_any: float
    seconds_max: float
    qty_max: Decimal
    qty_seconds: float
    fills: int
    filled_qty: Decimal
    markout_10s: Decimal
    markout_left_out: int
    net: Decimal
    listed: tuple[OrphanOrder, ...]


class EquityCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Equity thinned out to some 240 points: the last value of each of as many stretches of equally many points."""

    ts_ns: tuple[int, ...]
    equity: tuple[Decimal, ...]


class RunMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of one run; the definitions stand in the docstrings of this module and of those that it names."""

    road: str
    road_title: str
    strategy: str
    seed: int
    currency: str
    first_ns: int
    last_ns: int
    pnl: ProfitAndLoss
    by_symbol: dict[str, ProfitAndLoss]
    markouts: tuple[Markout, ...]
    drawdown_max: Decimal
    position_worth_max: Decimal
    position_worth_mean: float
    orders: int
    orders_filled: int
    orders_denied: int
    ordered_qty: Decimal
    filled_qty: Decimal
    fill_ratio_qty: float | None
    fill_ratio_orders: float | None
    maker_share: float | None
    fills_unlearned: int
    commands: dict[str, int]
    commands_lost: dict[str, int]
    late_fills: LateFills
    races: CancelRaces
    refusals: Refusals
    amends: Amends
    latencies: tuple[Latency, ...]
    orphans: Orphans
    counter: CounterUse
    queue_at_placement: QueuePlace
    queue_at_fill: QueuePlace
    equity: EquityCurve
