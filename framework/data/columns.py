"""The columns of a market: one row is one change of a book, or one trade.

Every importer writes these columns and the compiled kernel walks them; nothing in between makes an object per row.
Within one instrument rows are in the order in which they are applied, and ``ts_event_ns`` never goes back.

Row kinds and what ``side``, ``price_ticks``, ``qty_lots`` and ``order_id`` mean in each:

========  ==============================================================================================================
CLEAR     both sides of the book are emptied (a snapshot follows, its rows flagged SNAPSHOT); other columns are 0.
BEST      L1: the best price of ``side`` is now ``price_ticks`` with ``qty_lots``; qty 0 means that the side is empty.
LEVEL     L2: the quantity resting at ``price_ticks`` on ``side`` is now ``qty_lots``; 0 removes the level.
ADD       L3: order ``order_id`` joins the back of the queue at ``price_ticks`` on ``side`` with ``qty_lots``.
MODIFY    L3: order ``order_id`` now has ``qty_lots`` left at ``price_ticks``; it keeps its queue place if the price is
          unchanged and the quantity did not grow, else it goes to the back of the queue at ``price_ticks``.
DELETE    L3: order ``order_id`` is gone; ``price_ticks`` repeats its price, ``qty_lots`` what rested of it until then
          (also where a trade took it: the row tells what leaves the book).
TRADE     a trade at ``price_ticks`` for ``qty_lots``; ``side`` is the aggressor's (BUY lifted an ask), UNKNOWN_SIDE if
          the source does not tell; ``order_id`` is the resting order's if known, else 0.
========  ==============================================================================================================

In books of level 3, ``order_id`` is dense: 1, 2, 3, ... in order of first appearance; 0 means none.
Where a trade and the book changes that it caused stand in the source, the TRADE row comes first and the LEVEL, MODIFY
and DELETE rows that it caused follow, flagged EXECUTED.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from framework.protocol import InstrumentSpec

__all__ = [
    "ADD",
    "BEST",
    "CLEAR",
    "COLUMN_TYPES",
    "DELETE",
    "EXECUTED",
    "LAST",
    "LEVEL",
    "MODIFY",
    "SNAPSHOT",
    "TRADE",
    "UNKNOWN_SIDE",
    "Columns",
    "Market",
]

# Kinds of a row.
CLEAR = 0
BEST = 1
LEVEL = 2
ADD = 3
MODIFY = 4
DELETE = 5
TRADE = 6

# The aggressor of a trade when the source does not tell; book rows always have BUY or SELL.
UNKNOWN_SIDE = 2

# Flags of a row (bits).
LAST = 1  # the message ends here: the book is consistent after this row
SNAPSHOT = 2  # the row restates the book, it is not a change that happened now
EXECUTED = 4  # the reduction was caused by a trade (the TRADE row stands before it)

COLUMN_TYPES: dict[str, type[np.generic]] = {
    "ts_event_ns": np.int64,
    "ts_recv_ns": np.int64,
    "kind": np.uint8,
    "side": np.uint8,
    "price_ticks": np.int64,
    "qty_lots": np.int64,
    "order_id": np.int64,
    "flags": np.uint8,
}


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one instrument as equally long numpy arrays (dtypes: ``COLUMN_TYPES``).

    ts_event_ns: when the engine did it, nanoseconds since the epoch, never decreasing.
    ts_recv_ns: when the recorder received it; equal to ``ts_event_ns`` where the source has one time only. It is
        the recorder's clock, so it may go back (rows of two channels) and lie before ``ts_event_ns`` (two clocks).
    order_id may be an array of length 0 where no row carries an order id (L1, L2, most trades).
    The arrays may be read-only views of a memory-mapped file.
    """

    ts_event_ns: npt.NDArray[np.int64]
    ts_recv_ns: npt.NDArray[np.int64]
    kind: npt.NDArray[np.uint8]
    side: npt.NDArray[np.uint8]
    price_ticks: npt.NDArray[np.int64]
    qty_lots: npt.NDArray[np.int64]
    order_id: npt.NDArray[np.int64]
    flags: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.ts_event_ns)


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's recorded market.

    depth: what the book rows tell: "L1", "L2", "L3", or "trades" where there is no book at all.
    has_trades: whether TRADE rows are present.
    """

    spec: InstrumentSpec
    columns: Columns
    depth: str
    has_trades: bool
