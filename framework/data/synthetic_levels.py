"""A market of level 3 told as level 2: every change of an order becomes the new total of its price.

Row by row: ADD, MODIFY and DELETE become one LEVEL row with the quantity that rests at the price afterwards (a MODIFY
that changes the price becomes two), TRADE and CLEAR stay, times and flags stay. What is lost is what level 2 loses: who
stands where in a queue.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from framework.data.columns import ADD, CLEAR, DELETE, LAST, LEVEL, MODIFY, TRADE, Columns, Market
from framework.data.synthetic_compiled import outer

__all__ = ["level_market"]

_Ints = npt.NDArray[np.int64]
_Bytes = npt.NDArray[np.uint8]


def level_market(market: Market) -> Market:
    """The same market with LEVEL rows instead of orders; ``order_id`` is empty.

    Raises ValueError if ``market`` is not of level 3, or names an order that it did not add.
    """
    if market.depth != "L3":
        raise ValueError(f"level 2 can be made from level 3 only; the market of {market.spec.symbol} is {market.depth}")
    c = market.columns
    prices, rank = np.unique(c.price_ticks, return_inverse=True)
    moves = int(np.count_nonzero(c.kind == MODIFY))
    source, level, qty, is_last = _levels(c.kind, c.side, rank, c.qty_lots, c.order_id, len(prices), moves)
    if len(source) and source[-1] < 0:
        raise ValueError(f"row {-source[-1] - 1} changes order {c.order_id[-source[-1] - 1]}, which is not in the book")
    kind = c.kind[source]
    kind[(kind != TRADE) & (kind != CLEAR)] = LEVEL
    flags = np.where(is_last, c.flags[source], c.flags[source] & ~np.uint8(LAST)).astype(np.uint8)
    ts_event_ns = c.ts_event_ns[source]
    columns = Columns(
        ts_event_ns=ts_event_ns,
        ts_recv_ns=ts_event_ns if c.ts_recv_ns is c.ts_event_ns else c.ts_recv_ns[source],
        kind=kind,
        side=c.side[source],
        price_ticks=prices[level],
        qty_lots=qty,
        order_id=np.empty(0, dtype=np.int64),
        flags=flags,
    )
    return Market(spec=market.spec, columns=columns, depth="L2", has_trades=market.has_trades)


@outer
def _levels(
    kind: _Bytes, side: _Bytes, rank: _Ints, qty: _Ints, order_id: _Ints, levels: int, moves: int
) -> tuple[_Ints, _Ints, _Ints, npt.NDArray[np.bool_]]:
    """For each row to be: the row it comes from (at the end -1 - row if that is wrong), its price's rank, its quantity.

    The last array tells whether it is the last one of its source row.
    """
    total = np.zeros((2, levels), dtype=np.int64)
    orders = order_id.max() + 1 if len(order_id) else 1
    order_level = np.full(orders, -1, dtype=np.int64)
    order_qty = np.zeros(orders, dtype=np.int64)
    source = np.empty(len(kind) + moves, dtype=np.int64)
    out_level = np.empty(len(source), dtype=np.int64)
    out_qty = np.empty(len(source), dtype=np.int64)
    is_last = np.ones(len(source), dtype=np.bool_)
    count = 0
    for row in range(len(kind)):
        source[count] = row
        out_level[count] = rank[row]
        out_qty[count] = qty[row]
        what, which, where = kind[row], order_id[row], rank[row]
        if what == CLEAR:
            total[:] = 0
            order_level[:] = -1
        elif what in (MODIFY, DELETE):
            before = order_level[which]
            if before < 0:
                source[count] = -1 - row
                return source[: count + 1], out_level[: count + 1], out_qty[: count + 1], is_last[: count + 1]
            total[side[row], before] -= order_qty[which]
            order_level[which] = -1
            if what == MODIFY and before != where:
                out_level[count] = before
                out_qty[count] = total[side[row], before]
                is_last[count] = False
                count += 1
                source[count] = row
                out_level[count] = where
        if what in (ADD, MODIFY):
            order_level[which] = where
            order_qty[which] = qty[row]
            total[side[row], where] += qty[row]
        if what in (ADD, MODIFY, DELETE):
            out_qty[count] = total[side[row], where]
        count += 1
    return source[:count], out_level[:count], out_qty[:count], is_last[:count]
