"""The order book that the synthetic market is made on: every order in its queue, and when it is to be withdrawn.

Invariants: the best bid is below the best ask; within a price orders stand in order of arrival; every resting order is
once in the heap of withdrawals, whose root is the order that is due first (the lower id first among equals).
Prices are held as indices into a window of ``WINDOW`` ticks that starts at the tick ``state[ORIGIN]``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from framework.data.synthetic_compiled import inner
from framework.protocol import BUY

__all__ = ["SLOTS", "WINDOW", "Book", "book", "join", "leave", "renumber", "reschedule", "resting", "resting_on"]

# Prices that the book can hold, and orders that can rest at once. An order beyond either is not placed.
WINDOW = 1 << 18
SLOTS = 1 << 15


# One resting order: its fields, its neighbours in the queue (-1: none), when it is withdrawn, whether a new order
# follows its withdrawal at once. ``heap`` and ``free`` are two lists of slots that happen to be as long.
_ORDER = np.dtype(
    [
        ("due_ns", np.int64),
        ("order_id", np.int64),
        ("qty", np.int64),
        ("price", np.int64),
        ("side", np.int64),
        ("before", np.int64),
        ("after", np.int64),
        ("heap_place", np.int64),
        ("replaces", np.int64),
        ("heap", np.int64),
        ("free", np.int64),
    ],
    align=True,
)


# Where ``tops`` has the number of orders resting by side, and of slots free.
_RESTING, _FREE = 2, 4


class Book(NamedTuple):
    """The book's arrays; few, because compiling takes time for each array that a function is given.

    orders: by slot, ``_ORDER``. heap: the slots in ``orders.heap[: resting]``, earliest withdrawal first.
    ends: [side, price, 0 or 1] the slots of the first and the last order in a queue, -1 if it is empty.
    tops: the best bid (-1: none), the best ask (``WINDOW``: none), orders resting by side, slots free.
    """

    orders: npt.NDArray[np.void]
    ends: npt.NDArray[np.int64]
    tops: npt.NDArray[np.int64]


def book() -> Book:
    """An empty book."""
    orders = np.zeros(SLOTS, dtype=_ORDER)
    orders["free"] = np.arange(SLOTS - 1, -1, -1)
    ends = np.full((2, WINDOW, 2), -1, dtype=np.int64)
    return Book(orders, ends, np.array([-1, WINDOW, 0, 0, SLOTS], dtype=np.int64))


@inner
def resting(b: Book) -> int:
    """How many orders rest on both sides together."""
    return int(b.tops[_RESTING] + b.tops[_RESTING + 1])


@inner
def resting_on(b: Book, side: int) -> int:
    """How many orders rest on a side."""
    return int(b.tops[_RESTING + side])


@inner
def join(b: Book, order_id: int, side: int, price: int, qty: int, due_ns: int) -> int:
    """Puts an order at the back of its queue; returns its slot, or -1 if there is no room for it."""
    if b.tops[_FREE] == 0 or price < 0 or price >= WINDOW:
        return -1
    b.tops[_FREE] -= 1
    slot = b.orders[b.tops[_FREE]].free
    b.orders[slot].order_id = order_id
    b.orders[slot].price = price
    b.orders[slot].qty = qty
    b.orders[slot].side = side
    b.orders[slot].due_ns = due_ns
    b.orders[slot].replaces = 0
    b.orders[slot].after = -1
    last = b.ends[side, price, 1]
    b.orders[slot].before = last
    if last < 0:
        b.ends[side, price, 0] = slot
    else:
        b.orders[last].after = slot
    b.ends[side, price, 1] = slot
    if side == BUY:
        b.tops[side] = max(b.tops[side], price)
    else:
        b.tops[side] = min(b.tops[side], price)
    place = resting(b)
    b.tops[_RESTING + side] += 1
    b.orders[place].heap = slot
    b.orders[slot].heap_place = place
    _rise(b, place)
    return int(slot)


@inner
def leave(b: Book, slot: int) -> None:
    """Takes an order out of its queue and out of the heap."""
    side, price = b.orders[slot].side, b.orders[slot].price
    earlier, later = b.orders[slot].before, b.orders[slot].after
    if earlier < 0:
        b.ends[side, price, 0] = later
    else:
        b.orders[earlier].after = later
    if later < 0:
        b.ends[side, price, 1] = earlier
    else:
        b.orders[later].before = earlier
    if b.ends[side, price, 0] < 0 and b.tops[side] == price:
        step = -1 if side == BUY else 1
        while 0 <= price < WINDOW and b.ends[side, price, 0] < 0:
            price += step
        b.tops[side] = price
    b.tops[_RESTING + side] -= 1
    place, last = b.orders[slot].heap_place, resting(b)
    if place != last:
        _swap(b, place, last)
        _rise(b, place)
        _sink(b, place)
    b.orders[slot].heap_place = -1
    b.orders[b.tops[_FREE]].free = slot
    b.tops[_FREE] += 1


@inner
def reschedule(b: Book, slot: int, due_ns: int) -> None:
    """Changes when an order is to be withdrawn."""
    b.orders[slot].due_ns = due_ns
    _rise(b, b.orders[slot].heap_place)
    _sink(b, b.orders[slot].heap_place)


@inner
def renumber(b: Book) -> None:
    """Puts the heap in order again after ``order_id`` was rewritten, which decides between equal times."""
    for place in range(resting(b)):
        _rise(b, place)


@inner
def _is_earlier(b: Book, one: int, other: int) -> bool:
    if b.orders[one].due_ns != b.orders[other].due_ns:
        return bool(b.orders[one].due_ns < b.orders[other].due_ns)
    return bool(b.orders[one].order_id < b.orders[other].order_id)


@inner
def _swap(b: Book, place: int, other: int) -> None:
    one, two = b.orders[place].heap, b.orders[other].heap
    b.orders[place].heap, b.orders[other].heap = two, one
    b.orders[two].heap_place, b.orders[one].heap_place = place, other


@inner
def _rise(b: Book, place: int) -> None:
    while place > 0:
        parent = (place - 1) >> 1
        if not _is_earlier(b, b.orders[place].heap, b.orders[parent].heap):
            return
        _swap(b, place, parent)
        place = parent


@inner
def _sink(b: Book, place: int) -> None:
    size = resting(b)
    while True:
        child = 2 * place + 1
        if child >= size:
            return
        if child + 1 < size and _is_earlier(b, b.orders[child + 1].heap, b.orders[child].heap):
            child += 1
        if not _is_earlier(b, b.orders[child].heap, b.orders[place].heap):
            return
        _swap(b, place, child)
        place = child
