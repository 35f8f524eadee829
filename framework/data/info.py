"""What a market looks like: the figures of ``tidegate data info``, to which the synthetic market is held too.

All figures are measured, none is fitted. Times between rows weigh figures of the book (a spread that stood for a minute
counts sixty times one that stood for a second); rows before both sides of the book are there are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from framework.data.checks import KIND_NAMES
from framework.data.columns import (
    ADD,
    CLEAR,
    DELETE,
    EXECUTED,
    LAST,
    LEVEL,
    SNAPSHOT,
    TRADE,
    UNKNOWN_SIDE,
    Columns,
    Market,
)
from framework.data.imports import Statistic
from framework.data.info_text import format_info
from framework.data.touch import TouchPath, walk_touch
from framework.protocol import BUY, InstrumentSpec

__all__ = [
    "DEPTH_BANDS",
    "DISTANCES",
    "BookInfo",
    "Gap",
    "MarketInfo",
    "OrderInfo",
    "Percentiles",
    "TradeInfo",
    "describe",
    "format_info",
]

# Depth is told within so many ticks of each side's best price.
DEPTH_BANDS = (0, 10, 100, 1000)

# Lower edges of the distance from the touch, in ticks, by which arrivals are counted; below 0 is inside the spread.
DISTANCES = (0, 1, 3, 10, 30, 100, 300, 1000, 3000)

_NS_PER_S = 1e9
_GAPS_TOLD = 3
_DEPTH_SAMPLES = 1000
_BURST_NS = 10_000_000


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Values below which 5, 25, 50, 75, 95 and 99 percent lie, and the mean."""

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float
    p99: float
    mean: float


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A pause: nothing happened between ``row`` - 1 and ``row``."""

    row: int
    from_ts_ns: int
    length_ns: int


class BookInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The book between messages.

    crossed, locked: messages after which the best bid was above, or equal to, the best ask; first_bad_row: the first.
    two_sided_s: time in which both sides were there.
    spread_ticks: by time. touch_lots: quantity at the best prices, both sides together, by time.
    depth_lots: median quantity within each of ``DEPTH_BANDS`` ticks, (bid, ask).
    touch_changes_per_s: changes of a best price; touch_updates_per_s: of a best price or of the quantity there.
    arrivals_per_s: additions (L3) or level changes (L2) per second by distance from their side's best price before
        them: inside the spread first, then from each of ``DISTANCES`` on.
    """

    crossed: int
    locked: int
    first_bad_row: int | None
    two_sided_s: float
    spread_ticks: Percentiles | None
    touch_lots: Percentiles | None
    depth_lots: tuple[tuple[float, float], ...]
    touch_changes_per_s: float
    touch_updates_per_s: float
    arrivals_per_s: tuple[float, ...]


class TradeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The trades.

    buy_share: of those whose aggressor is known, None if none is.
    gap_variation: standard deviation of the times between trades over their mean; 1 for a Poisson stream, more in
        bursts. burst_share: trades that follow another within 10 ms.
    """

    count: int
    volume_lots: int
    qty_lots: Percentiles
    unknown_side: int
    buy_share: float | None
    trades_per_s: float
    gap_variation: float | None
    burst_share: float


class OrderInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Resting orders of a level 3 market that were added in it; those of snapshots are left out.

    ended: those that are gone at the end; executed: those of them that a trade had reduced.
    lifetime_s: of the ended ones. cancels_per_order_s: ends without execution per order and second in the book.
    """

    added: int
    ended: int
    executed: int
    qty_lots: Percentiles
    lifetime_s: Percentiles | None
    cancels_per_order_s: float


class MarketInfo(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of one market; parts are None where the market has no such rows.

    statistics, notes: what the importer counted and said.
    """

    spec: InstrumentSpec
    depth: str
    rows: int
    rows_by_kind: Mapping[str, int]
    messages: int
    first_ts_ns: int
    last_ts_ns: int
    gaps: tuple[Gap, ...]
    recv_delay_ms: Percentiles | None
    book: BookInfo | None
    trades: TradeInfo | None
    orders: OrderInfo | None
    statistics: Mapping[str, Statistic]
    notes: tuple[str, ...]

    @property
    def span_s(self) -> float:
        """From the first row to the last."""
        return (self.last_ts_ns - self.first_ts_ns) / _NS_PER_S


def describe(
    market: Market, statistics: Mapping[str, Statistic] | None = None, notes: tuple[str, ...] = ()
) -> MarketInfo:
    """Measures a market. statistics, notes: what the store's entry says of its import."""
    columns = market.columns
    ts = columns.ts_event_ns
    kinds = np.bincount(columns.kind, minlength=len(KIND_NAMES))
    delay_ns = columns.ts_recv_ns - ts
    book = None
    if market.depth != "trades":
        messages = max(1, int(np.count_nonzero(columns.flags & LAST)))
        path = walk_touch(columns, DEPTH_BANDS, max(1, messages // _DEPTH_SAMPLES))
        book = _book(columns, path)
    return MarketInfo(
        spec=market.spec,
        depth=market.depth,
        rows=len(columns),
        rows_by_kind={name: int(count) for name, count in zip(KIND_NAMES, kinds, strict=False) if count},
        messages=int(np.count_nonzero(columns.flags & LAST)),
        first_ts_ns=int(ts[0]),
        last_ts_ns=int(ts[-1]),
        gaps=_gaps(ts),
        recv_delay_ms=_percentiles(delay_ns / 1e6) if delay_ns.any() else None,
        book=book,
        trades=_trades(columns) if kinds[TRADE] else None,
        orders=_orders(columns) if market.depth == "L3" else None,
        statistics=dict(statistics or {}),
        notes=notes,
    )


def _gaps(ts: npt.NDArray[np.int64]) -> tuple[Gap, ...]:
    pauses = np.diff(ts)
    count = min(_GAPS_TOLD, len(pauses))
    largest = np.argpartition(pauses, len(pauses) - count)[len(pauses) - count :] if count else np.empty(0, dtype=int)
    largest = largest[np.argsort(-pauses[largest], kind="stable")]
    return tuple(
        Gap(row=int(row) + 1, from_ts_ns=int(ts[row]), length_ns=int(pauses[row])) for row in largest if pauses[row] > 0
    )


def _percentiles(
    values: npt.NDArray[np.float64] | npt.NDArray[np.int64], weights: npt.NDArray[np.int64] | None = None
) -> Percentiles | None:
    """Percentiles, each value counted by its weight; None where there is no weight."""
    if not len(values) or (weights is not None and weights.sum() <= 0):
        return None
    shares = (5, 25, 50, 75, 95, 99)
    if weights is None:
        found = np.percentile(values, shares, method="inverted_cdf")
        mean = float(np.mean(values))
    else:
        order = np.argsort(values, kind="stable")
        upto = np.cumsum(weights[order])
        found = values[order][np.searchsorted(upto, np.array(shares) / 100 * upto[-1])]
        mean = float(np.average(values, weights=weights))
    p5, p25, p50, p75, p95, p99 = (float(value) for value in found)
    return Percentiles(p5=p5, p25=p25, p50=p50, p75=p75, p95=p95, p99=p99, mean=mean)


def _book(columns: Columns, path: TouchPath) -> BookInfo:
    ends = np.flatnonzero(columns.flags & LAST)
    bid, ask = path.bid_ticks[ends], path.ask_ticks[ends]
    is_two_sided = (bid > 0) & (ask > 0)
    crossed, locked = is_two_sided & (bid > ask), is_two_sided & (bid == ask)
    bad = np.flatnonzero(crossed | locked)
    # How long the state after each message stood; that of the last one is not known.
    stood_ns = np.append(np.diff(columns.ts_event_ns[ends]), 0)
    sound = np.flatnonzero(is_two_sided & (bid < ask))
    two_sided_s = float(stood_ns[sound].sum()) / _NS_PER_S
    touch_lots = path.bid_lots[ends] + path.ask_lots[ends]
    is_next_two_sided = is_two_sided[1:] & is_two_sided[:-1]
    is_price_change = is_next_two_sided & ((np.diff(bid) != 0) | (np.diff(ask) != 0))
    bid_lots, ask_lots = path.bid_lots[ends], path.ask_lots[ends]
    is_update = is_price_change | (is_next_two_sided & ((np.diff(bid_lots) != 0) | (np.diff(ask_lots) != 0)))
    per_s = 1 / two_sided_s if two_sided_s > 0 else 0.0
    depth = np.median(path.depth_lots, axis=0) if len(path.depth_lots) else np.zeros((len(DEPTH_BANDS), 2))
    return BookInfo(
        crossed=int(np.count_nonzero(crossed)),
        locked=int(np.count_nonzero(locked)),
        first_bad_row=int(ends[bad[0]]) if len(bad) else None,
        two_sided_s=two_sided_s,
        spread_ticks=_percentiles((ask - bid)[sound], stood_ns[sound]),
        touch_lots=_percentiles(touch_lots[sound], stood_ns[sound]),
        depth_lots=tuple((float(bids), float(asks)) for bids, asks in depth),
        touch_changes_per_s=float(np.count_nonzero(is_price_change)) * per_s,
        touch_updates_per_s=float(np.count_nonzero(is_update)) * per_s,
        arrivals_per_s=tuple(float(count) * per_s for count in _arrivals(columns, path)),
    )


def _arrivals(columns: Columns, path: TouchPath) -> npt.NDArray[np.int64]:
    """Additions or level changes by distance from their side's best price before them."""
    kind = columns.kind
    rows = np.flatnonzero(((kind == ADD) | (kind == LEVEL)) & (columns.flags & SNAPSHOT == 0))
    rows = rows[rows > 0]
    is_bid = columns.side[rows] == BUY
    best = np.where(is_bid, path.bid_ticks[rows - 1], path.ask_ticks[rows - 1])
    distance = np.where(is_bid, best - columns.price_ticks[rows], columns.price_ticks[rows] - best)[best > 0]
    places = np.searchsorted(np.array(DISTANCES), distance, side="right")
    return np.bincount(places, minlength=len(DISTANCES) + 1)


def _trades(columns: Columns) -> TradeInfo:
    rows = np.flatnonzero(columns.kind == TRADE)
    ts, qty, side = columns.ts_event_ns[rows], columns.qty_lots[rows], columns.side[rows]
    known = int(np.count_nonzero(side != UNKNOWN_SIDE))
    span_s = float(columns.ts_event_ns[-1] - columns.ts_event_ns[0]) / _NS_PER_S
    pauses = np.diff(ts)
    sizes = _percentiles(qty)
    assert sizes is not None
    return TradeInfo(
        count=len(rows),
        volume_lots=int(qty.sum()),
        qty_lots=sizes,
        unknown_side=len(rows) - known,
        buy_share=float(np.count_nonzero(side == BUY)) / known if known else None,
        trades_per_s=len(rows) / span_s if span_s > 0 else 0.0,
        gap_variation=float(pauses.std() / pauses.mean()) if len(pauses) and pauses.any() else None,
        burst_share=float(np.count_nonzero(pauses <= _BURST_NS)) / len(rows),
    )


def _orders(columns: Columns) -> OrderInfo | None:
    kind, ids, ts = columns.kind, columns.order_id, columns.ts_event_ns
    adds = np.flatnonzero((kind == ADD) & (columns.flags & SNAPSHOT == 0))
    if not len(adds):
        return None
    count = int(ids.max()) + 1
    # An id that joins the book again (it had left the feed's depth) counts from its last joining.
    born = np.full(count, -1, dtype=np.int64)
    born[ids[adds]] = ts[adds]
    died = np.full(count, -1, dtype=np.int64)
    deletions = np.flatnonzero(kind == DELETE)
    died[ids[deletions]] = ts[deletions]
    clears = ts[kind == CLEAR]
    is_executed = np.zeros(count, dtype=np.bool_)
    is_executed[ids[(columns.flags & EXECUTED != 0) & (kind != TRADE)]] = True
    here = born >= 0
    ended = here & (died >= born)
    lifetime_ns = np.where(ended, died, ts[-1]) - born
    # A book that is emptied ends the time of its orders, though it does not tell how they ended.
    if len(clears):
        place = np.searchsorted(clears, born, side="right")
        next_clear = np.append(clears, ts[-1])[place]
        lifetime_ns = np.minimum(lifetime_ns, np.maximum(next_clear - born, 0))
    alive_s = float(lifetime_ns[here].sum()) / _NS_PER_S
    sizes = _percentiles(columns.qty_lots[adds])
    assert sizes is not None
    cancelled = int(np.count_nonzero(ended & ~is_executed))
    return OrderInfo(
        added=int(np.count_nonzero(here)),
        ended=int(np.count_nonzero(ended)),
        executed=int(np.count_nonzero(ended & is_executed)),
        qty_lots=sizes,
        lifetime_s=_percentiles(lifetime_ns[ended] / _NS_PER_S),
        cancels_per_order_s=cancelled / alive_s if alive_s > 0 else 0.0,
    )
