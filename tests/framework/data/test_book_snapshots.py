from __future__ import annotations

import numpy as np

from framework.data.book_snapshots import changes_between
from framework.data.columns import CLEAR, LAST, LEVEL, SNAPSHOT
from framework.protocol import BUY, SELL


def test_only_what_changed_between_two_snapshots_becomes_rows() -> None:
    ts = np.array([10, 20, 30])
    bids = (np.array([[100, 99], [100, 99], [101, 100]]), np.array([[5, 6], [5, 6], [1, 4]]))
    asks = (np.array([[102, 103], [102, 103], [103, 104]]), np.array([[7, 0], [7, 0], [8, 9]]))
    columns = changes_between(ts, ts, bids, asks)
    rows = list(
        zip(
            columns.ts_event_ns.tolist(),
            columns.kind.tolist(),
            columns.side.tolist(),
            columns.price_ticks.tolist(),
            columns.qty_lots.tolist(),
            columns.flags.tolist(),
            strict=True,
        )
    )
    assert rows == [
        (10, CLEAR, BUY, 0, 0, SNAPSHOT),
        (10, LEVEL, BUY, 100, 5, SNAPSHOT),
        (10, LEVEL, BUY, 99, 6, SNAPSHOT),
        (10, LEVEL, SELL, 102, 7, SNAPSHOT | LAST),
        # Nothing at 20: the second snapshot says the same.
        (30, LEVEL, BUY, 99, 0, 0),
        (30, LEVEL, SELL, 102, 0, 0),
        (30, LEVEL, BUY, 101, 1, 0),
        (30, LEVEL, BUY, 100, 4, 0),
        (30, LEVEL, SELL, 103, 8, 0),
        (30, LEVEL, SELL, 104, 9, LAST),
    ]
