"""The public book of one pair: the engine's book of the market with what clients have resting in it.

What clients took of the market is missing until the market replaces it; of an iceberg only what it shows is there.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import msgspec

from framework.protocol import BUY, SELL
from framework.venue.book import Pair
from framework.venue.kernel import FeedMode, MatchingKernel
from framework.venue.orders import NO_SLOT, Order
from framework.venue.served.order_book import OrderStream, OrderUpdate, PublicOrders

__all__ = ["DepthStream", "DepthUpdate", "Level", "PublicBook"]

_SPREADS_MAX = 200
# What is looked at even if nobody listens: trades for the tape, best prices for the list of spreads.
_QUIET = FeedMode.TRADES | FeedMode.TOUCH_PRICE

type Level = tuple[int, int]
"""Price in ticks and quantity in lots."""


class DepthUpdate(msgspec.Struct, frozen=True, gc=False):
    """What changed in the best levels of a book: new quantities by price, 0 where a level is gone.

    A level that only left the window because better ones came is not told: who keeps the window drops it himself.
    Levels that are gone come first, so that one who drops what is too many at each level keeps the same window.
    """

    ts_ns: int
    bids: list[Level]
    asks: list[Level]


class DepthStream:
    """The best levels of a book, as those who listen know them. bids, asks: best first."""

    def __init__(self, depth: int, bids: list[Level], asks: list[Level]) -> None:
        self.depth = depth
        self.bids = bids
        self.asks = asks
        self.listeners: list[Callable[[DepthUpdate], None]] = []

    def publish(self, bids: list[Level], asks: list[Level], ts_ns: int) -> None:
        """The levels are these now; tell what changed, if anything did."""
        bid_changes = _changes(self.bids, bids, self.depth, BUY)
        ask_changes = _changes(self.asks, asks, self.depth, SELL)
        self.bids, self.asks = bids, asks
        if bid_changes or ask_changes:
            update = DepthUpdate(ts_ns, bid_changes, ask_changes)
            for callback in tuple(self.listeners):
                callback(update)


class PublicBook:
    """The book of one pair, which lists the client orders that rest.

    orders: the same book order by order. spreads: the best bid and ask, in ticks, at each time at which one of them
    changed, newest last.
    """

    def __init__(
        self, kernel: MatchingKernel, pair: Pair, find: Callable[[int], Order], pass_counts: Sequence[int]
    ) -> None:
        """find, pass_counts: as of ``PublicOrders``."""
        self.orders = PublicOrders(kernel, pair, find, pass_counts)
        self._kernel = kernel
        self._pair = pair
        self._own = (_OwnSide(), _OwnSide())
        self._streams: dict[int, DepthStream] = {}
        self.spreads: deque[tuple[int, int, int]] = deque(maxlen=_SPREADS_MAX)
        self._feed_mode = _QUIET
        kernel.subscribe_feed(pair.index, _QUIET)

    @property
    def is_listened_to(self) -> bool:
        """Whether anybody wants updates."""
        return bool(self._streams) or self.orders.is_listened_to

    def levels(self, side: int, most: int) -> list[Level]:
        """Up to so many best levels of a side."""
        market = self._kernel.levels(self._pair.index, side, most)
        own = self._own[side]
        if not own.refresh(self._kernel):
            return market
        worst = market[-1][0] if len(market) == most else None
        merged = dict(market)
        for price_ticks, lots in own.best(side, worst):
            merged[price_ticks] = merged.get(price_ticks, 0) + lots
        return sorted(merged.items(), reverse=side == BUY)[:most]

    def order_changed(self, order: Order) -> None:
        """A client order of the pair has come into the book, changed in it, or left it."""
        self._own[order.side].changed[order.seq] = order

    def best(self, side: int) -> Level | None:
        """The best level of a side; None if it is empty."""
        market = self._kernel.best(self._pair.index, side)
        own = self._own[side]
        if not own.refresh(self._kernel):
            return market
        mine = own.best_of(side)
        if market is None or (mine[0] > market[0] if side == BUY else mine[0] < market[0]):
            return mine
        return market if mine[0] != market[0] else (market[0], market[1] + mine[1])

    def listen(self, depth: int, callback: Callable[[DepthUpdate], None]) -> DepthStream:
        """Have changes of the best levels told from now on; the stream's levels are where they start from."""
        stream = self._streams.get(depth)
        if stream is None:
            stream = DepthStream(depth, self.levels(BUY, depth), self.levels(SELL, depth))
            self._streams[depth] = stream
        stream.listeners.append(callback)
        self._choose_feed()
        return stream

    def unlisten(self, depth: int, callback: Callable[[DepthUpdate], None]) -> None:
        """Have no more told."""
        stream = self._streams[depth]
        stream.listeners.remove(callback)
        if not stream.listeners:
            del self._streams[depth]
        self._choose_feed()

    def listen_orders(self, depth: int, callback: Callable[[OrderUpdate], None]) -> OrderStream:
        """Have each change of the orders in the best levels told from now on; see ``PublicOrders.listen``."""
        stream = self.orders.listen(depth, callback)
        self._choose_feed()
        return stream

    def unlisten_orders(self, depth: int, callback: Callable[[OrderUpdate], None]) -> None:
        """Have no more told."""
        self.orders.unlisten(depth, callback)
        self._choose_feed()

    def _choose_feed(self) -> None:
        """While somebody listens, the pair is published at each message of its market."""
        mode = _QUIET | FeedMode.EVERY if self.is_listened_to else _QUIET
        if mode != self._feed_mode:
            self._feed_mode = mode
            self._kernel.subscribe_feed(self._pair.index, mode)

    def publish(self, ts_ns: int) -> None:
        """Something may have changed: tell those who listen."""
        if self.orders.is_listened_to:
            self.orders.publish(ts_ns)
        if not self._streams:
            self._note_spread(self.best(BUY), self.best(SELL), ts_ns)
            return
        most = max(self._streams)
        bids, asks = self.levels(BUY, most), self.levels(SELL, most)
        self._note_spread(bids[0] if bids else None, asks[0] if asks else None, ts_ns)
        for depth, stream in tuple(self._streams.items()):
            stream.publish(bids[:depth], asks[:depth], ts_ns)

    def _note_spread(self, bid: Level | None, ask: Level | None, ts_ns: int) -> None:
        if bid is not None and ask is not None:
            spreads = self.spreads
            if not spreads or spreads[-1][1] != bid[0] or spreads[-1][2] != ask[0]:
                spreads.append((ts_ns, bid[0], ask[0]))


class _OwnSide:
    """What clients show on one side, by price; changed: orders to look at again, by their number."""

    def __init__(self) -> None:
        self.changed: dict[int, Order] = {}
        self._orders: dict[int, tuple[int, int]] = {}
        self._lots: dict[int, int] = {}
        self._prices: list[int] = []  # ascending

    def refresh(self, kernel: MatchingKernel) -> bool:
        """Look at what has changed; returns whether there is anything."""
        if self.changed:
            for seq, order in self.changed.items():
                known = self._orders.pop(seq, None)
                if known is not None:
                    self._add(known[0], -known[1])
                if order.slot != NO_SLOT:
                    assert order.limit_ticks is not None
                    shown = (order.limit_ticks, kernel.visible(order.slot))
                    self._orders[seq] = shown
                    self._add(*shown)
            self.changed.clear()
        return bool(self._prices)

    def best_of(self, side: int) -> Level:
        """The best level; there must be one."""
        price = self._prices[-1 if side == BUY else 0]
        return price, self._lots[price]

    def best(self, side: int, worst: int | None) -> Iterator[Level]:
        """Levels from the best price on, up to one that is given."""
        for price in reversed(self._prices) if side == BUY else self._prices:
            if worst is not None and (price < worst if side == BUY else price > worst):
                return
            yield price, self._lots[price]

    def _add(self, price: int, lots: int) -> None:
        total = self._lots.get(price, 0) + lots
        if total:
            if price not in self._lots:
                insort(self._prices, price)
            self._lots[price] = total
        elif self._lots.pop(price, None) is not None:
            del self._prices[bisect_left(self._prices, price)]


def _changes(old: list[Level], new: list[Level], depth: int, side: int) -> list[Level]:
    if old == new:
        return []
    before, after = dict(old), dict(new)
    changes = [level for level in new if before.get(level[0]) != level[1]]
    gone = [price for price in before if price not in after]
    if not gone:
        return changes
    # Behind the last level of a full window nothing is known any more, so nothing is said of it.
    last = new[-1][0] if len(new) == depth else None
    left = [(price, 0) for price in gone if last is None or (price > last if side == BUY else price < last)]
    return left + changes
