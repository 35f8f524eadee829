"""Turns a recording's events into rows of a level 3 market.

What the recording does not tell plainly, and what is done:

- **Orders that come in marketable** are announced as created, with their crossing price, before the changes that fill
  them. Such an order is kept out of the book until its last fill has been announced, and joins with what is left then.
- **A trade** stands before the reduction of the resting order that it is joined to (``matches``), at that event's time.
- **Orders older than the recording.** If the recording names one later (it is deleted or filled), it is put into the
  first book with its own quantity. A level of an order book snapshot that is larger than all known orders explain, by
  the same quantity in most of the snapshots that show it, holds orders that nobody names until the end: they are put
  into the first book as one synthetic order, in front, because they are older than all others of the level.
- **Time.** The exchange's own time has a resolution of one second, so ``ts_event_ns`` is the time of receipt of the
  order's event; a trade's ``ts_recv_ns`` is the receipt of the trade's own message (up to 82 ms later in the capture),
  or of the reduction where that came after it.
- **Messages that overtake.** An order whose deletion was received before its creation never rests; each is counted.
- **A book that would be crossed.** An order that is not joined to a trade and would lock or cross the book waits
  outside until it no longer would, is filled or is cancelled; each such order is counted.

The market starts at the first order book snapshot; what happened before is in that book.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from adapters.bitstamp.events import BookSeen, Changed, Created, Deleted, Event, Traded
from adapters.bitstamp.matches import Match, join_trades
from framework.data.columns import ADD, CLEAR, DELETE, EXECUTED, LAST, MODIFY, SNAPSHOT, TRADE, UNKNOWN_SIDE, Columns
from framework.data.imports import RowBuilder
from framework.errors import DataError
from framework.protocol import BUY, SELL

__all__ = ["Rebuilt", "rebuild"]

# A surplus is believed if it stands in so many snapshots, and in more than half of those that show the level.
_SIGHTINGS_MIN = 3

_WARM_UP_NS = 3_600_000_000_000


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """The rows, and what was counted on the way."""

    columns: Columns
    counts: dict[str, int]


class _Order(msgspec.Struct):
    side: int
    price_ticks: int
    qty_lots: int
    is_resting: bool = False


class _Book:
    """Quantities by price, enough to know the touch and to compare with snapshots."""

    def __init__(self) -> None:
        self.lots: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._ticks: tuple[list[int], list[int]] = ([], [])

    def change(self, side: int, price_ticks: int, by_lots: int) -> None:
        lots, ticks = self.lots[side], self._ticks[side]
        before = lots.get(price_ticks, 0)
        if not before:
            insort(ticks, price_ticks)
        if before + by_lots:
            lots[price_ticks] = before + by_lots
        else:
            lots.pop(price_ticks, None)
            del ticks[bisect_left(ticks, price_ticks)]

    def best(self, side: int) -> int | None:
        ticks = self._ticks[side]
        if not ticks:
            return None
        return ticks[-1] if side == BUY else ticks[0]

    def would_cross(self, side: int, price_ticks: int) -> bool:
        opposite = self.best(1 - side)
        return opposite is not None and (price_ticks >= opposite if side == BUY else price_ticks <= opposite)


def rebuild(events: Sequence[Event], place: str) -> Rebuilt:
    """The rows of a recording; ``place`` names it in errors. Raises DataError if it has no order book snapshot."""
    first = next((event for event in events if isinstance(event, BookSeen)), None)
    if first is None:
        raise DataError(f"{place}: no order_book event; the book at the start is unknown, record that channel too")
    matches = join_trades(events)
    older = _older_orders(events, matches)
    silent = _Walk(events, matches, older, {}, first).run().surplus
    walk = _Walk(events, matches, older, silent, first).run()
    return Rebuilt(columns=walk.rows.columns(), counts=dict(walk.counts))


def _older_orders(events: Sequence[Event], matches: Sequence[Match]) -> dict[int, _Order]:
    """Orders that were never created in the recording but are named in it, as they stood before their first event."""
    traded: Counter[int] = Counter()
    for match in matches:
        for reduced in (match.maker, match.taker):
            if reduced is not None:
                traded[reduced.line] += match.trade.qty_lots
    known = {event.order for event in events if isinstance(event, Created)}
    older: dict[int, _Order] = {}
    for event in events:
        if isinstance(event, Changed | Deleted) and event.order not in known:
            known.add(event.order)
            qty_lots = event.qty_lots + traded[event.line]
            if qty_lots:
                older[event.order] = _Order(event.side, event.price_ticks, qty_lots)
    return older


class _Walk:
    """One pass over the events; ``run`` is its one use.

    silent: quantity of orders older than the recording that it never names, by (side, price).
    After the run, ``rows`` and ``counts`` are the result and ``surplus`` what the snapshots show beyond the book.
    """

    def __init__(
        self,
        events: Sequence[Event],
        matches: Sequence[Match],
        older: dict[int, _Order],
        silent: dict[tuple[int, int], int],
        first: BookSeen,
    ) -> None:
        self._events = events
        self._first = first
        self._silent = silent
        self._orders = {order: _Order(o.side, o.price_ticks, o.qty_lots, is_resting=True) for order, o in older.items()}
        self._older_count = len(older)
        self._by_maker: dict[int, list[Match]] = defaultdict(list)
        self._by_trade: dict[int, Match] = {}
        self._joins_after: dict[int, int] = {}
        for match in matches:
            if match.maker is None:
                self._by_trade[match.trade.line] = match
            else:
                self._by_maker[match.maker.line].append(match)
            if match.taker is not None:
                settled = max(event.line for event in (match.maker, match.taker) if event is not None)
                self._joins_after[match.taker.order] = max(self._joins_after.get(match.taker.order, 0), settled)
        self._settles: dict[int, list[int]] = defaultdict(list)
        for order, line in self._joins_after.items():
            self._settles[line].append(order)
        self._waiting: list[int] = []
        self._gone_early: set[int] = set()
        self._ids: dict[int, int] = {}
        self._book = _Book()
        self._seen: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
        self.rows = RowBuilder()
        self.counts: Counter[str] = Counter()

    @property
    def surplus(self) -> dict[tuple[int, int], int]:
        """Quantity by which snapshots steadily exceed the book, by (side, price)."""
        found: dict[tuple[int, int], int] = {}
        for key, sightings in self._seen.items():
            qty_lots, count = max(sightings.items(), key=lambda item: (item[1], item[0]))
            if qty_lots > 0 and count >= _SIGHTINGS_MIN and 2 * count > sightings.total():
                found[key] = qty_lots
        return found

    def run(self) -> _Walk:
        """Walks all events."""
        self.counts.update(trades=0, trades_joined=0, trades_before_start=0, executed_reductions=0)
        self.counts.update(older_orders_named=self._older_count, older_levels_silent=len(self._silent))
        self.counts.update(orders_that_would_cross=0, orders_never_resting=0, deletions_before_creation=0)
        self.counts.update(touch_compared=0, touch_equal=0)
        is_started = False
        for event in self._events:
            if event is self._first:
                self._open(event)
                is_started = True
            elif isinstance(event, BookSeen):
                self._compare(event)
            elif isinstance(event, Traded):
                self._unmade_trade(event, is_started)
            elif isinstance(event, Created):
                self._create(event, is_started)
            elif isinstance(event, Changed | Deleted):
                self._reduce(event, is_started)
            for order in self._settles.get(event.line, ()):
                self._join(order, event, is_started)
            self._try_waiting(event, is_started)
        self.counts["orders_never_resting"] += len(self._waiting)
        return self

    def _open(self, first: Event) -> None:
        """The first book: silent levels in front, then orders by their age (their number)."""
        ts = first.ts_recv_ns
        self.rows.add(ts, ts, CLEAR, BUY, 0, 0, 0, SNAPSHOT)
        # The book of known orders was followed from the first line on; now it is written down.
        for (side, price_ticks), qty_lots in sorted(self._silent.items()):
            self._ids[-len(self._ids) - 1] = len(self._ids) + 1
            self.rows.add(ts, ts, ADD, side, price_ticks, qty_lots, len(self._ids), SNAPSHOT)
            self._book.change(side, price_ticks, qty_lots)
        for number, order in sorted(self._orders.items()):
            if order.is_resting:
                self._book.change(order.side, order.price_ticks, order.qty_lots)
                self.rows.add(ts, ts, ADD, order.side, order.price_ticks, order.qty_lots, self._id(number), SNAPSHOT)
        self.rows.end_message()

    def _id(self, number: int) -> int:
        return self._ids.setdefault(number, len(self._ids) + 1)

    def _create(self, event: Created, is_started: bool) -> None:
        if event.order in self._gone_early:
            self.counts["deletions_before_creation"] += 1
            return
        order = self._orders[event.order] = _Order(event.side, event.price_ticks, event.qty_lots)
        if event.order in self._joins_after:
            return
        if is_started and self._book.would_cross(order.side, order.price_ticks):
            self.counts["orders_that_would_cross"] += 1
            self._waiting.append(event.order)
            return
        self._rest(event.order, event, is_started)

    def _rest(self, number: int, event: Event, is_started: bool) -> None:
        order = self._orders[number]
        order.is_resting = True
        if is_started:
            self._book.change(order.side, order.price_ticks, order.qty_lots)
            self._row(event, ADD, order, self._id(number), LAST)

    def _join(self, number: int, event: Event, is_started: bool) -> None:
        """A marketable order has had its last fill: what is left of it rests."""
        order = self._orders.get(number)
        if order is None or order.is_resting:
            return
        if is_started and self._book.would_cross(order.side, order.price_ticks):
            self.counts["orders_that_would_cross"] += 1
            self._waiting.append(number)
        else:
            self._rest(number, event, is_started)

    def _try_waiting(self, event: Event, is_started: bool) -> None:
        for number in tuple(self._waiting):
            order = self._orders.get(number)
            if order is None:
                self._waiting.remove(number)
                self.counts["orders_never_resting"] += 1
            elif not self._book.would_cross(order.side, order.price_ticks):
                self._waiting.remove(number)
                self._rest(number, event, is_started)

    def _reduce(self, event: Changed | Deleted, is_started: bool) -> None:
        matches = self._by_maker.get(event.line, ())
        for match in matches:
            self._trade(match, event, is_started)
        order = self._orders.get(event.order)
        if order is None:
            if isinstance(event, Deleted):
                self._gone_early.add(event.order)
            return
        flags = LAST | (EXECUTED if matches else 0)
        gone = isinstance(event, Deleted) or event.qty_lots == 0
        if order.is_resting and is_started:
            self._book.change(order.side, order.price_ticks, -order.qty_lots)
            if gone:
                self._row(event, DELETE, order, self._id(event.order), flags)
        if gone:
            del self._orders[event.order]
        else:
            order.price_ticks, order.qty_lots = event.price_ticks, event.qty_lots
            if order.is_resting and is_started:
                self._book.change(order.side, order.price_ticks, order.qty_lots)
                self._row(event, MODIFY, order, self._id(event.order), flags)
        if matches and is_started:
            self.counts["executed_reductions"] += order.is_resting

    def _row(self, event: Event, kind: int, order: _Order, order_id: int, flags: int) -> None:
        ts = event.ts_recv_ns
        self.rows.add(ts, ts, kind, order.side, order.price_ticks, order.qty_lots, order_id, flags)

    def _trade(self, match: Match, event: Event, is_started: bool) -> None:
        if not is_started:
            self.counts["trades_before_start"] += 1
            return
        trade, maker = match.trade, match.maker
        side, order_id = UNKNOWN_SIDE, 0
        if maker is not None:
            side = 1 - maker.side
            order = self._orders.get(maker.order)
            order_id = self._id(maker.order) if order is not None and order.is_resting else 0
            self.counts["trades_joined"] += order_id > 0
        elif match.taker is not None:
            side = match.taker.side
        self.counts["trades"] += 1
        ts_recv_ns = max(trade.ts_recv_ns, event.ts_recv_ns)
        # The rows of its makers follow, so the message ends with them.
        flags = 0 if order_id else LAST
        self.rows.add(event.ts_recv_ns, ts_recv_ns, TRADE, side, trade.price_ticks, trade.qty_lots, order_id, flags)

    def _unmade_trade(self, event: Traded, is_started: bool) -> None:
        match = self._by_trade.get(event.line)
        if match is not None:
            self._trade(match, event, is_started)

    def _compare(self, seen: BookSeen) -> None:
        """Holds the book against a snapshot: the touch, and what the snapshot has more, by level."""
        if seen.ts_recv_ns >= self._events[0].ts_recv_ns + _WARM_UP_NS:
            for side, levels in ((BUY, seen.bids), (SELL, seen.asks)):
                self.counts["touch_compared"] += 1
                self.counts["touch_equal"] += bool(levels) and levels[0][0] == self._book.best(side)
        for side, price_ticks, qty_lots in _levels(seen):
            self._seen[side, price_ticks][qty_lots - self._book.lots[side].get(price_ticks, 0)] += 1


def _levels(seen: BookSeen) -> Iterator[tuple[int, int, int]]:
    for side, levels in ((BUY, seen.bids), (SELL, seen.asks)):
        for price_ticks, qty_lots in levels:
            yield side, price_ticks, qty_lots
