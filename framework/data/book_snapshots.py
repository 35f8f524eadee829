"""Turns a series of whole top-of-book snapshots into the level changes between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from framework.data.columns import CLEAR, LEVEL, SNAPSHOT, Columns
from framework.data.imports import RowBuilder
from framework.protocol import BUY, SELL

__all__ = ["changes_between"]

Ints = npt.NDArray[np.int64]


def changes_between(ts_event_ns: Ints, ts_recv_ns: Ints, bids: tuple[Ints, Ints], asks: tuple[Ints, Ints]) -> Columns:
    """LEVEL rows that lead from each snapshot to the next; the first one is a CLEAR and its levels.

    ts_event_ns, ts_recv_ns: shape (snapshots,), event times not decreasing.
    bids, asks: price_ticks and qty_lots, shape (snapshots, levels) each; a level of quantity 0 is not there.
    A level that leaves the snapshot because better ones push it out is removed, as one that is cancelled: a snapshot
    does not tell them apart. Removals come before additions, so that no step between two sound books is crossed.
    """
    rows = RowBuilder()
    before: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for i in range(len(ts_event_ns)):
        ts, ts_recv = int(ts_event_ns[i]), int(ts_recv_ns[i])
        flags = 0
        rows_before = len(rows)
        if i == 0:
            flags = SNAPSHOT
            rows.add(ts, ts_recv, CLEAR, BUY, 0, 0, 0, SNAPSHOT)
        now = tuple(
            {int(p): int(q) for p, q in zip(prices[i].tolist(), lots[i].tolist(), strict=True) if q}
            for prices, lots in (bids, asks)
        )
        for side in (BUY, SELL):
            for price in before[side]:
                if price not in now[side]:
                    rows.add(ts, ts_recv, LEVEL, side, price, 0)
        for side in (BUY, SELL):
            for price, lots_now in now[side].items():
                if before[side].get(price) != lots_now:
                    rows.add(ts, ts_recv, LEVEL, side, price, lots_now, 0, flags)
        if len(rows) > rows_before:
            rows.end_message()
        before = (now[0], now[1])
    return rows.columns()
