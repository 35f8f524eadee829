"""Markets made for comparing engines: rows by hand, and random ones in which engines have no reason to differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from framework.data.columns import COLUMN_TYPES, EXECUTED, LAST, LEVEL, TRADE, Columns, Market
from framework.protocol import BUY, SELL, InstrumentSpec

__all__ = ["LOTS", "SPEC", "START_NS", "STEP_NS", "Row", "books", "flow", "hand_market", "level", "quiet_flow", "trade"]

START_NS = 1_700_000_000_000_000_000
STEP_NS = 1_000_000_000  # time between messages
LOTS = 1_000_000  # one unit of quantity in the markets here: 0.01 BTC
SPEC = InstrumentSpec(
    symbol="BTC/USD",
    venue="synthetic",
    tick_size="0.1",
    lot_size="0.00000001",
    min_qty_lots=5_000,
    min_cost="0",
    cost_decimals=5,
)

type Row = tuple[int, int, int, float, int]
"""Kind, side, price in ticks, quantity in units (whole lots of them), flags besides LAST."""


def level(side: int, price_ticks: int, units: float, flags: int = 0) -> Row:
    """The quantity at a price is now this much."""
    return (LEVEL, side, price_ticks, units, flags)


def trade(aggressor: int, price_ticks: int, units: float) -> Row:
    """A trade."""
    return (TRADE, aggressor, price_ticks, units, 0)


def hand_market(messages: Sequence[Sequence[Row]], *, has_trades: bool = True, feed_ns: int = 0) -> Market:
    """One message a second, the first at START_NS; received ``feed_ns`` later."""
    rows = [
        (number, position == len(message) - 1, *row)
        for number, message in enumerate(messages)
        for position, row in enumerate(message)
    ]
    columns = {name: np.zeros(len(rows), dtype) for name, dtype in COLUMN_TYPES.items()}
    for at, (number, is_last, kind, side, price, units, flags) in enumerate(rows):
        columns["ts_event_ns"][at] = START_NS + number * STEP_NS
        columns["ts_recv_ns"][at] = START_NS + number * STEP_NS + feed_ns
        columns["kind"][at], columns["side"][at] = kind, side
        columns["price_ticks"][at], columns["qty_lots"][at] = price, round(units * LOTS)
        columns["flags"][at] = flags | (LAST if is_last else 0)
    columns["order_id"] = np.zeros(0, np.int64)
    return Market(spec=SPEC, columns=Columns(**columns), depth="L2", has_trades=has_trades)


def books(seed: int, count: int, period: int = 10) -> Market:
    """A new book every ``period`` seconds, still in between: each time every level goes away and others come."""
    rng = np.random.default_rng(seed)
    messages: list[list[Row]] = []
    shown: list[tuple[int, int]] = []
    for _ in range(count):
        message = [level(side, price, 0) for side, price in shown]
        middle = int(rng.integers(1_000, 1_030))
        shown = []
        for side in (BUY, SELL):
            sign = -1 if side == BUY else 1
            for distance in sorted(rng.choice(np.arange(1, 15), size=8, replace=False).tolist()):
                shown.append((side, middle + sign * distance))
        message += [level(side, price, int(rng.integers(1, 10))) for side, price in shown]
        messages.append(message)
        # Time passes: a level far from everything changes.
        messages += [[level(BUY, 500, 1 + n % 2)] for n in range(period - 1)]
    return hand_market(messages)


def flow(seed: int, count: int) -> Market:
    """Levels grow, come, go as a whole, or are traded, best first; no level shrinks but by trades."""
    rng = np.random.default_rng(seed)
    book: list[dict[int, int]] = [{}, {}]
    first = []
    for side in (BUY, SELL):
        for distance in range(1, 9):
            price = 1_000 - distance if side == BUY else 1_000 + distance
            book[side][price] = int(rng.integers(1, 10))
            first.append(level(side, price, book[side][price]))
    messages: list[list[Row]] = [first]
    while len(messages) < count:
        side = int(rng.integers(0, 2))
        levels, others = book[side], book[1 - side]
        best = max(levels) if side == BUY else min(levels)
        away = -1 if side == BUY else 1
        what = rng.random()
        if what < 0.35:
            price = int(rng.choice(list(levels)))
            levels[price] += int(rng.integers(1, 6))
            messages.append([level(side, price, levels[price])])
        elif what < 0.55:
            # A level that was not there: within the spread, in a gap or behind.
            touch = min(others) if side == BUY else max(others)
            price = best + away * int(rng.integers(-2, 9))
            if price not in levels and (price < touch if side == BUY else price > touch):
                levels[price] = int(rng.integers(1, 10))
                messages.append([level(side, price, levels[price])])
        elif what < 0.65:
            if len(levels) > 4:
                price = int(rng.choice(list(levels)))
                del levels[price]
                messages.append([level(side, price, 0)])
        elif sum(levels.values()) > 30:
            left = int(rng.integers(1, 15))
            message: list[Row] = []
            while left > 0:
                price = max(levels) if side == BUY else min(levels)
                part = min(left, levels[price])
                left -= part
                levels[price] -= part
                message.append(trade(1 - side, price, part))
                message.append(level(side, price, levels[price], EXECUTED))
                if levels[price] == 0:
                    del levels[price]
            messages.append(message)
    return hand_market(messages)


def quiet_flow(seed: int, count: int) -> Market:
    """Bids at 1000 and below, asks at 1001 and above, always; levels grow, shrink, come, go and are traded.

    So own orders on their side of that line are never crossed. Quantities are tenths of a unit; a trade is for one unit
    at least at each price, so that one which passes an order of less than a unit could have filled it.
    """
    rng = np.random.default_rng([seed, 3])
    book: list[dict[int, int]] = [{}, {}]  # tenths of a unit
    first = []
    for side in (BUY, SELL):
        for distance in range(4):
            price = 1_000 - distance if side == BUY else 1_001 + distance
            book[side][price] = int(rng.integers(50, 300))
            first.append(level(side, price, book[side][price] / 10))
    messages: list[list[Row]] = [first]
    while len(messages) < count:
        side = int(rng.integers(0, 2))
        levels = book[side]
        what = rng.random()
        if what < 0.8:
            price = 1_000 - int(rng.integers(0, 4)) if side == BUY else 1_001 + int(rng.integers(0, 4))
            old = levels.get(price, 0)
            levels[price] = 0 if what < 0.02 else max(0, old + int(rng.integers(-80, 85)))
            messages.append([level(side, price, levels[price] / 10)])
            if levels[price] == 0:
                del levels[price]
        elif sum(levels.values()) > 300:
            left = int(rng.integers(10, 120))
            message: list[Row] = []
            while left > 0:
                price = max(levels) if side == BUY else min(levels)
                part = min(left, levels[price])
                if part < 10:
                    break
                left -= part
                levels[price] -= part
                message.append(trade(1 - side, price, part / 10))
                message.append(level(side, price, levels[price] / 10, EXECUTED))
                if levels[price] == 0:
                    del levels[price]
            if message:
                messages.append(message)
    return hand_market(messages)
