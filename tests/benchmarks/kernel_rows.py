"""Rows for measuring the kernel: a book that moves like a market, made at once with numpy."""

from __future__ import annotations

import numpy as np

from framework.data.columns import ADD, DELETE, EXECUTED, LAST, LEVEL, MODIFY, TRADE, Columns, Market
from framework.protocol import InstrumentSpec

SPEC = InstrumentSpec(symbol="BTC/USD", venue="synthetic", tick_size="0.1", lot_size="0.00000001")
START_NS = 1_700_000_000_000_000_000


def _times(rng: np.random.Generator, rows: int, mean_ns: int) -> np.ndarray:
    return START_NS + np.cumsum(rng.exponential(mean_ns, rows).astype(np.int64))


def l2_market(rows: int, seed: int = 1) -> Market:
    """LEVEL rows around a random walk, one message of one to three rows each, a trade in every 20th message."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum(rng.integers(1, 4, rows))
    ends = ends[ends < rows]
    starts = np.concatenate(([0], ends))
    message = np.zeros(rows, np.int64)
    message[ends] = 1
    message = np.cumsum(message)
    mid = (500_000 + np.cumsum(rng.choice([-1, 0, 0, 0, 0, 0, 0, 0, 0, 1], len(starts))))[message]
    side = rng.integers(0, 2, rows).astype(np.uint8)
    distance = 1 + np.minimum(rng.exponential(12, rows).astype(np.int64), 400)
    qty = rng.integers(1, 500_000_000, rows)
    qty[rng.random(rows) < 0.35] = 0
    kind = np.full(rows, LEVEL, np.uint8)
    flags = np.zeros(rows, np.uint8)
    flags[np.concatenate((ends - 1, [rows - 1]))] = LAST
    trades = starts[rng.random(len(starts)) < 0.05]
    trades = trades[flags[trades] & LAST == 0]
    kind[trades] = TRADE
    distance[trades] = 1
    qty[trades] = rng.integers(1, 50_000_000, len(trades))
    price = mid + np.where(side == 0, -distance, distance)
    side[trades] = 1 - side[trades]
    ts = _times(rng, len(starts), 20_000_000)[message]
    columns = Columns(
        ts_event_ns=ts,
        ts_recv_ns=ts,
        kind=kind,
        side=side,
        price_ticks=price,
        qty_lots=qty,
        order_id=np.zeros(0, np.int64),
        flags=flags,
    )
    return Market(spec=SPEC, columns=columns, depth="L2", has_trades=True)


def l3_market(rows: int, seed: int = 1) -> Market:
    """Orders that join around a random walk, shrink now and then, are hit or go away after a while."""
    rng = np.random.default_rng(seed)
    count = rows // 2 + 1000
    life = 1 + rng.exponential(4000, count).astype(np.int64)
    born = np.arange(count) * 2
    fate = rng.random(count)
    # Each order has two rows or three: ADD, perhaps MODIFY, DELETE; ordered by a time of their own.
    side = rng.integers(0, 2, count).astype(np.uint8)
    mid = 500_000 + np.cumsum(rng.choice([-1, 0, 0, 0, 1], count))
    distance = 1 + np.minimum(rng.exponential(15, count).astype(np.int64), 400)
    price = mid + np.where(side == 0, -distance, distance)
    qty = rng.integers(2, 500_000_000, count)
    modified = np.flatnonzero(fate < 0.15)
    when = np.concatenate((born, (born + life // 2)[modified], born + life))
    number = np.concatenate((np.arange(count), modified, np.arange(count)))
    what = np.concatenate(
        (np.full(count, ADD, np.uint8), np.full(len(modified), MODIFY, np.uint8), np.full(count, DELETE, np.uint8))
    )
    row_qty = np.concatenate((qty, qty[modified] // 2, np.where(fate < 0.15, qty // 2, qty)))
    order = np.lexsort((what, when))[:rows]
    number, what, row_qty = number[order], what[order], row_qty[order]
    flags = np.full(rows, LAST, np.uint8)
    # Some of the orders that go away were hit: a TRADE row stands in place of the row before.
    hit = np.flatnonzero((what == DELETE) & (rng.random(rows) < 0.04))
    hit = hit[(hit > 0) & (what[hit - 1] == ADD)]
    flags[hit] |= EXECUTED
    row_price, row_side = price[number], side[number].copy()
    ts = _times(rng, rows, 5_000_000)
    columns = Columns(
        ts_event_ns=ts,
        ts_recv_ns=ts,
        kind=what,
        side=row_side,
        price_ticks=row_price,
        qty_lots=row_qty,
        order_id=number.astype(np.int64) + 1,
        flags=flags,
    )
    return Market(spec=SPEC, columns=columns, depth="L3", has_trades=True)
