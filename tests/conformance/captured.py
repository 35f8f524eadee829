"""Recorded markets as all engines can play them, and orders about their touch that move nothing."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from framework.data.columns import Market
from framework.data.touch import walk_touch
from framework.protocol import BUY, SELL
from tests.conformance.scripts import Action, cancel, limit, market_order

__all__ = ["as_at_the_venue", "quotes", "takers"]

_GAP_NS = 1_000  # actions come in the middle of a pause of the market at least this long


def as_at_the_venue(market: Market) -> Market:
    """The market received as it happens, with no least quantity or cost, so that no order is refused for its size."""
    columns = replace(market.columns, ts_recv_ns=market.columns.ts_event_ns)
    return replace(market, spec=replace(market.spec, min_qty_lots=1, min_cost="0"), columns=columns)


def _pause_after(ts: np.ndarray, row: int) -> int:
    """The first row from here on that a pause follows; the last row if none does."""
    while row + 1 < len(ts) and ts[row + 1] - ts[row] < _GAP_NS:
        row += 1
    return row


def takers(market: Market, seed: int, count: int) -> list[Action]:
    """Market orders that walk several levels; each is meant to be played alone."""
    rng = np.random.default_rng([seed, 6])
    columns = market.columns
    qty = 3 * int(np.median(columns.qty_lots[columns.qty_lots > 0]))
    first = int(np.flatnonzero(columns.ts_event_ns > columns.ts_event_ns[0])[0])
    script = []
    while len(script) < count:
        row = _pause_after(columns.ts_event_ns, int(rng.integers(first, len(columns) - 2)))
        if row < len(columns) - 1:
            script.append(market_order(int(columns.ts_event_ns[row]) + _GAP_NS // 2, 1, int(rng.integers(0, 2)), qty))
    return script


def quotes(market: Market, seed: int, qty_lots: int, pause_rows: int, life_rows: int) -> list[Action]:
    """Small post-only orders at the best price or a few ticks behind, one at a time on each side."""
    rng = np.random.default_rng([seed, 7])
    ts = market.columns.ts_event_ns
    touch = walk_touch(market.columns)
    script: list[Action] = []
    for side in (BUY, SELL):
        row = 1_000
        while True:
            row = _pause_after(ts, row + int(rng.integers(1, pause_rows)))
            if row >= len(ts) - 2 * life_rows:
                break
            best = int(touch.bid_ticks[row] if side == BUY else touch.ask_ticks[row])
            away = int(rng.integers(0, 8)) if rng.random() < 0.6 else 0
            key = 2 * len(script) + side
            price = best - away if side == BUY else best + away
            script.append(limit(int(ts[row]) + _GAP_NS // 2, key, side, price, qty_lots, is_post_only=True))
            row = _pause_after(ts, row + int(rng.integers(20, life_rows)))
            script.append(cancel(int(ts[row]) + _GAP_NS // 2, key))
    return sorted(script, key=lambda action: action.at_ns)
