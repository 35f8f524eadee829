"""Numbers orders 1, 2, 3, ... in order of first appearance, and completes the rows that take them out of the book."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
from numba import njit

from framework.data.columns import ADD, DELETE, MODIFY

__all__ = ["NumberedOrders", "number_orders"]

Ints = npt.NDArray[np.int64]


class NumberedOrders(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of order rows with dense ids; DELETE rows repeat the order's price and what was left of it."""

    order_id: Ints
    price_ticks: Ints
    qty_lots: Ints


@njit(cache=True)
def _complete(kind, order_id, price, qty, order_count):  # type: ignore[no-untyped-def]  # pragma: no cover
    at = np.zeros(order_count + 1, np.int64)
    left = np.zeros(order_count + 1, np.int64)
    for row in range(len(kind)):
        o = order_id[row]
        if kind[row] in (ADD, MODIFY):
            at[o] = price[row]
            left[o] = qty[row]
        elif kind[row] == DELETE and left[o] > 0:
            price[row] = at[o]
            qty[row] = left[o]
            left[o] = 0


def number_orders(kind: npt.NDArray[np.uint8], source_id: Ints, price_ticks: Ints, qty_lots: Ints) -> NumberedOrders:
    """Replaces the source's ids by dense ones.

    kind, source_id, price_ticks, qty_lots: equally long; ids of rows other than ADD, MODIFY and DELETE are ignored and
    become 0, except that a TRADE keeps its order where the source names one that appeared before.
    """
    is_order = (kind == ADD) | (kind == MODIFY) | (kind == DELETE)
    ids, first_row = np.unique(source_id[is_order], return_index=True)
    number_of = np.empty(len(ids), dtype=np.int64)
    number_of[np.argsort(first_row, kind="stable")] = np.arange(1, len(ids) + 1)
    order_id = np.zeros(len(kind), dtype=np.int64)
    if len(ids):
        order_id[is_order] = number_of[np.searchsorted(ids, source_id[is_order])]
        first_seen = np.flatnonzero(is_order)[first_row]
        others = np.flatnonzero(~is_order & (source_id > 0))
        place = np.minimum(np.searchsorted(ids, source_id[others]), len(ids) - 1)
        is_known = (ids[place] == source_id[others]) & (first_seen[place] < others)
        order_id[others[is_known]] = number_of[place[is_known]]
    price, qty = price_ticks.astype(np.int64, copy=True), qty_lots.astype(np.int64, copy=True)
    _complete(np.array(kind), order_id, price, qty, len(ids))
    return NumberedOrders(order_id=order_id, price_ticks=price, qty_lots=qty)
