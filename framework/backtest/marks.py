"""The market's best prices at chosen times, after a run: for markouts and for the sampled touch.

A second kernel without orders walks the same rows once; so marks are the market as recorded, without what own orders
took from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from framework.backtest.history import MarketHistory
from framework.backtest.results import TOUCH_SCHEMA
from framework.data.columns import Market
from framework.messages import ExecutionReport
from framework.protocol import BUY, SELL
from framework.venue.kernel import MatchingKernel

__all__ = ["HORIZONS_S", "fill_marks", "touch_table"]

HORIZONS_S = (1, 10, 60)

_NS = 1_000_000_000

# (bid_ticks, bid_lots, ask_ticks, ask_lots, last_ticks), None where there is none
_Touch = tuple[int | None, int | None, int | None, int | None, int | None]


def fill_marks(markets: Sequence[MarketHistory], fills: Sequence[ExecutionReport]) -> dict[str, list[int | None]]:
    """Best bid and ask just before each fill and at the horizons after it, as columns of ``EVENT_SCHEMA``.

    A side is None where the book had none, and where the horizon lies past the market's end.
    """
    names = ["bid_ticks", "ask_ticks"]
    for horizon_s in HORIZONS_S:
        names += [f"bid_{horizon_s}s_ticks", f"ask_{horizon_s}s_ticks"]
    columns: dict[str, list[int | None]] = {name: [None] * len(fills) for name in names}
    offsets_ns = [-1] + [horizon_s * _NS for horizon_s in HORIZONS_S]
    for market in markets:
        wanted = [
            (fill.ts_venue_ns + offset_ns, index, place)
            for index, fill in enumerate(fills)
            if fill.symbol == market.spec.symbol
            for place, offset_ns in enumerate(offsets_ns)
        ]
        wanted.sort()
        touches = _touches(market.passes(), [ts_ns for ts_ns, _, _ in wanted])
        last_ns = market.last_ns
        for (ts_ns, index, place), touch in zip(wanted, touches, strict=True):
            if ts_ns <= last_ns:
                columns[names[2 * place]][index] = touch[0]
                columns[names[2 * place + 1]][index] = touch[2]
    return columns


def touch_table(markets: Sequence[MarketHistory], sample_ms: int) -> pa.Table:
    """The best prices every ``sample_ms`` from each market's first row to its last, as ``TOUCH_SCHEMA``."""
    tables = []
    for market in markets:
        first_ns, last_ns = market.first_ns, market.last_ns
        times = [*range(first_ns, last_ns, sample_ms * 1_000_000), last_ns]
        touches = _touches(market.passes(), times)
        names = ("bid_ticks", "bid_lots", "ask_ticks", "ask_lots", "last_ticks")
        columns = {name: pa.array([touch[i] for touch in touches], pa.int64()) for i, name in enumerate(names)}
        columns["symbol"] = pa.array([market.spec.symbol] * len(times), pa.string())
        columns["ts_ns"] = pa.array(np.asarray(times, dtype=np.int64))
        tables.append(pa.table([columns[field.name] for field in TOUCH_SCHEMA], schema=TOUCH_SCHEMA))
    return pa.concat_tables(tables)


def _touches(passes: Iterable[Market], times_ns: Sequence[int]) -> list[_Touch]:
    """The touch at each of some ascending times."""
    remaining = iter(passes)
    kernel = MatchingKernel([next(remaining)])
    following = next(remaining, None)
    touches: list[_Touch] = []
    for ts_ns in times_ns:
        while following is not None and int(following.columns.ts_event_ns[0]) <= ts_ns:
            kernel, following = MatchingKernel([following]), next(remaining, None)
        if ts_ns > kernel.now_ns:
            kernel.advance(ts_ns)
        bid, ask, last = kernel.best(0, BUY), kernel.best(0, SELL), kernel.last_trade(0)
        touches.append(
            (
                None if bid is None else bid[0],
                None if bid is None else bid[1],
                None if ask is None else ask[0],
                None if ask is None else ask[1],
                None if last is None else last[0],
            )
        )
    return touches
