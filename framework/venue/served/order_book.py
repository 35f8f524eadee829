"""The public book of one pair order by order: the market's orders and those of clients, by price and queue.

Every order has an id that no other has at this venue, and the time at which it joined the queue of its price:

- a client's order has the venue's id of it;
- a recorded order has an id made of the pass over the market, the pair and its number in the recording; one that a
  snapshot brought has the time of the pass's first row, for its own is not known;
- where the market is known by levels only, each of its levels is one order, with an id made of pair, side and price and
  the time at which the venue began. It stands before the clients' orders of its price, wherever those are in the
  kernel's estimate of the queue.

Of an iceberg only what it shows is there; what was taken of an order is missing. By price the orders add up to the
levels of ``PublicBook``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from framework.data.columns import EXECUTED, TRADE
from framework.protocol import BUY, SELL
from framework.venue.book import Pair
from framework.venue.kernel import MatchingKernel
from framework.venue.orders import Order, order_id_of

__all__ = ["OrderEvent", "OrderEventKind", "OrderStream", "OrderUpdate", "PublicOrders", "RestingOrder"]

_ALL_LEVELS = 2**31
_PASS_SHIFT = 32
_NUMBERS = 2**_PASS_SHIFT - 1
_PRICE_OFFSET = 2**41

type _Rows = npt.NDArray[np.int64]
"""Price in ticks, lots, who, and the time of joining the queue. who: the number of a recorded order with that of the
pass above ``_PASS_SHIFT`` bits, 0 for a level, the venue's number of a client's order negated.
"""
type _Row = tuple[int, int, int, int]


class RestingOrder(NamedTuple):
    """One order in the book. qty_lots: what it shows. queued_ns: when it joined the queue of its price."""

    order_id: str
    price_ticks: int
    qty_lots: int
    queued_ns: int


class OrderEventKind(enum.Enum):
    """ADD: the order is now last in the queue of its price. MODIFY: it shows another quantity and keeps its place.
    DELETE: it is gone. LEAVE: it is in the book, but better levels have pushed its level out of the window.
    """

    ADD = "add"
    MODIFY = "modify"
    DELETE = "delete"
    LEAVE = "leave"


class OrderEvent(NamedTuple):
    """What happened to an order. Where it went, ``order`` is as it was; but of one that is gone the quantity is what of
    it was withdrawn, 0 where it was executed.
    """

    kind: OrderEventKind
    order: RestingOrder


class OrderUpdate(msgspec.Struct, frozen=True, gc=False):
    """What changed in the best levels, in an order in which it can be applied: who takes away, changes and appends as
    told has the new book. An order that loses its place is deleted and added again.
    """

    ts_ns: int
    bids: list[OrderEvent]
    asks: list[OrderEvent]


class OrderStream:
    """The orders of the best levels, as those who listen know them; depth: levels of a side, 0 for all."""

    def __init__(self, book: PublicOrders, depth: int, bids: _Rows, asks: _Rows) -> None:
        self.depth = depth
        self.listeners: list[Callable[[OrderUpdate], None]] = []
        self._book = book
        self._rows = (bids, asks)

    def orders(self, side: int) -> list[RestingOrder]:
        """By price from the best on, then by queue."""
        return self._book.named(side, _tuples(self._rows[side]))

    def quantities(self, side: int, most: int) -> list[tuple[int, int]]:
        """Price in ticks and lots of each order of up to ``most`` best levels, without ids."""
        rows = self._rows[side]
        return [(price, lots) for price, lots, _, _ in rows[: _count_of(rows, most)].tolist()]

    def publish(self, bids: _Rows, asks: _Rows, ts_ns: int) -> None:
        """The orders are these now; tell what changed, if anything did."""
        bid_events = self._events(BUY, bids)
        ask_events = self._events(SELL, asks)
        self._rows = (bids, asks)
        if bid_events or ask_events:
            update = OrderUpdate(ts_ns, bid_events, ask_events)
            for callback in tuple(self.listeners):
                callback(update)

    def _events(self, side: int, after: _Rows) -> list[OrderEvent]:
        before = self._rows[side]
        if before.shape == after.shape and np.array_equal(before, after):
            return []
        events: dict[OrderEventKind, list[_Row]] = {kind: [] for kind in OrderEventKind}
        # Behind the last level of a full window nothing is known any more.
        stayed = _within(before, after, self.depth, side)
        known = _within(after, before, self.depth, side)
        _compare(before[:stayed], after[:known], events)
        events[OrderEventKind.ADD] += _tuples(after[known:])
        events[OrderEventKind.LEAVE] += _tuples(before[stayed:])
        queues = {row[2] for row in events[OrderEventKind.ADD]}
        events[OrderEventKind.DELETE] = [
            row if row[2] in queues else (row[0], self._book.withdrawn(row), row[2], row[3])
            for row in events[OrderEventKind.DELETE]
        ]
        told = (OrderEventKind.DELETE, OrderEventKind.MODIFY, OrderEventKind.ADD, OrderEventKind.LEAVE)
        return [OrderEvent(kind, order) for kind in told for order in self._book.named(side, events[kind])]


class PublicOrders:
    """The book of one pair by orders.

    find: the client's order in a slot of the kernel. pass_counts: how often each market was begun, kept by its owner.
    """

    def __init__(
        self, kernel: MatchingKernel, pair: Pair, find: Callable[[int], Order], pass_counts: Sequence[int]
    ) -> None:
        self._kernel = kernel
        self._pair = pair
        self._find = find
        self._pass_counts = pass_counts
        self._columns = kernel.markets[pair.index].columns
        self._times = self._columns.ts_event_ns
        self._began_ns = int(self._times[0])
        self._is_by_order = kernel.markets[pair.index].depth == "L3"
        self._streams: dict[int, OrderStream] = {}
        # Clients' orders that were seen, by their numbers, and the market's rows since the last publication.
        self._own: dict[int, Order] = {}
        self._published = self._played = 0

    @property
    def is_listened_to(self) -> bool:
        """Whether anybody wants updates."""
        return bool(self._streams)

    def orders(self, side: int, most: int = 0) -> list[RestingOrder]:
        """The orders of up to so many best levels of a side, or (0) of all, by price and queue."""
        rows = self._rows(side, most or _ALL_LEVELS)
        if not self._streams:
            self._own.clear()
        return self.named(side, _tuples(rows))

    def quantities(self, side: int, most: int) -> list[tuple[int, int]]:
        """Price in ticks and lots of each order of up to ``most`` best levels, without ids."""
        return [(price, lots) for price, lots, _, _ in _tuples(self._kernel.orders(self._pair.index, side, most))]

    def counts(self, side: int, most: int) -> list[tuple[int, int, int]]:
        """Price in ticks, lots, and number of orders of each of up to so many best levels."""
        counts = []
        for price, level in groupby(self.quantities(side, most), lambda row: row[0]):
            lots = [row[1] for row in level]
            counts.append((price, sum(lots), len(lots)))
        return counts

    def listen(self, depth: int, callback: Callable[[OrderUpdate], None]) -> OrderStream:
        """Have changes of the best levels (0: of all) told from now on; they start from the stream's orders."""
        stream = self._streams.get(depth)
        if stream is None:
            if not self._streams:
                self._played = self._kernel.engine_row(self._pair.index)
            most = depth or _ALL_LEVELS
            stream = OrderStream(self, depth, self._rows(BUY, most), self._rows(SELL, most))
            self._streams[depth] = stream
        stream.listeners.append(callback)
        return stream

    def unlisten(self, depth: int, callback: Callable[[OrderUpdate], None]) -> None:
        """Have no more told."""
        stream = self._streams[depth]
        stream.listeners.remove(callback)
        if not stream.listeners:
            del self._streams[depth]

    def publish(self, ts_ns: int) -> None:
        """Something may have changed: tell those who listen."""
        most = max(depth or _ALL_LEVELS for depth in self._streams)
        self._published, self._played = self._played, self._kernel.engine_row(self._pair.index)
        bids, asks = self._rows(BUY, most), self._rows(SELL, most)
        for depth, stream in tuple(self._streams.items()):
            levels = depth or _ALL_LEVELS
            stream.publish(bids[: _count_of(bids, levels)], asks[: _count_of(asks, levels)], ts_ns)
        self._own = {seq: order for seq, order in self._own.items() if order.is_open}

    def _rows(self, side: int, most: int) -> _Rows:
        rows = self._kernel.orders(self._pair.index, side, most)
        who, since = rows[:, 2], rows[:, 3]
        is_own = who < 0
        # A row after the first has the time of the row in which its order joined; one of a snapshot, of the first row.
        times = self._times[np.maximum(since, 1) - 1]
        for row in np.flatnonzero(is_own).tolist():
            order = self._find(-1 - int(who[row]))
            who[row] = -order.seq
            self._own[order.seq] = order
            # Later than it was queued where the kernel has put it to the back: an iceberg's slice, or a new pass.
            times[row] = max(order.queued_ns, int(times[row]))
        if self._is_by_order:
            # Between its last row and its first one the market is still that of the pass before.
            is_begun = self._kernel.engine_row(self._pair.index) > 0
            who[~is_own] += (self._pass_counts[self._pair.index] - (not is_begun)) << _PASS_SHIFT
        else:
            times[~is_own] = self._began_ns
        rows[:, 3] = times
        return rows

    def withdrawn(self, row: _Row) -> int:
        """How much of an order that is gone was withdrawn: not what others took of it."""
        _, lots, who, _ = row
        if who < 0:
            order = self._own[-who]
            return min(lots, order.qty_lots - order.cum_lots)
        if not who or who >> _PASS_SHIFT != self._pass_counts[self._pair.index]:
            return lots
        number = who & _NUMBERS
        if self._kernel.is_recorded(self._pair.index, number):
            return 0  # clients took all of it
        columns = self._columns
        rows = slice(self._published if self._published <= self._played else 0, self._played)
        is_book = (columns.order_id[rows] == number) & (columns.kind[rows] != TRADE)
        flags = columns.flags[rows][is_book]
        return 0 if len(flags) and flags[-1] & EXECUTED else lots

    def named(self, side: int, rows: list[_Row]) -> list[RestingOrder]:
        """Rows as orders, with their ids."""
        return [RestingOrder(self._id(side, price, who), price, lots, queued) for price, lots, who, queued in rows]

    def _id(self, side: int, price_ticks: int, who: int) -> str:
        if who < 0:
            return order_id_of(-who)
        index = self._pair.index
        if who:
            text = f"{((who >> _PASS_SHIFT) << 44) + (index << 32) + (who & _NUMBERS):015X}"
            return f"OM{text[:4]}-{text[4:9]}-{text[9:]}"
        text = f"{(index << 44) + (side << 43) + price_ticks + _PRICE_OFFSET:015X}"
        return f"OL{text[:4]}-{text[4:9]}-{text[9:]}"


# ------------------------------------------------------------------------------------------------- differences


def _tuples(rows: _Rows) -> list[_Row]:
    return list(zip(*rows.T.tolist(), strict=True)) if len(rows) else []


def _count_of(rows: _Rows, most: int) -> int:
    """How many rows the best ``most`` levels have."""
    if len(rows) <= most:
        return len(rows)
    begins = np.flatnonzero(np.diff(rows[:, 0])) + 1
    return len(rows) if len(begins) < most else int(begins[most - 1])


def _within(rows: _Rows, other: _Rows, depth: int, side: int) -> int:
    """How many rows have prices that the other window, if it is full, reaches to."""
    if not depth or not len(other) or len(np.flatnonzero(np.diff(other[:, 0]))) + 1 < depth:
        return len(rows)
    prices, worst = rows[:, 0], other[-1, 0]
    return int(np.count_nonzero(prices >= worst if side == BUY else prices <= worst))


def _compare(before: _Rows, after: _Rows, events: dict[OrderEventKind, list[_Row]]) -> None:
    """What happened between two states of the same levels."""
    least = min(len(before), len(after))
    same = (before[:least] == after[:least]).all(axis=1)
    head = least if same.all() else int(same.argmin())
    before, after = before[head:], after[head:]
    least = min(len(before), len(after))
    same = (before[len(before) - least :] == after[len(after) - least :]).all(axis=1)[::-1]
    tail = least if same.all() else int(same.argmin())
    old, new = _tuples(before), _tuples(after)
    # What comes last must begin with a level: who joins a level comes behind all that is in it.
    while tail and any(len(rows) > tail and rows[-tail - 1][0] == rows[-tail][0] for rows in (old, new)):
        tail -= 1
    levels = dict(_by_level(old[: len(old) - tail]))
    for price, level in _by_level(new[: len(new) - tail]):
        _compare_level(levels.pop(price, []), level, events)
    for level in levels.values():
        events[OrderEventKind.DELETE] += level


def _by_level(rows: list[_Row]) -> Iterator[tuple[int, list[_Row]]]:
    for price, level in groupby(rows, lambda row: row[0]):
        yield price, list(level)


def _compare_level(old: list[_Row], new: list[_Row], events: dict[OrderEventKind, list[_Row]]) -> None:
    """One level: orders keep their places as far as the old queue, shortened, is how the new one begins."""
    at = 0
    for number, row in enumerate(new):
        found = next((index for index in range(at, len(old)) if old[index][2:] == row[2:]), None)
        if found is None:
            events[OrderEventKind.ADD] += new[number:]
            break
        events[OrderEventKind.DELETE] += old[at:found]
        if old[found][1] != row[1]:
            events[OrderEventKind.MODIFY].append(row)
        at = found + 1
    events[OrderEventKind.DELETE] += old[at:]
