"""The public book of one pair: the engine's book of the market with what clients have resting in it.

What clients took of the market is missing until the market replaces it; of an iceberg only what it shows is there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from framework.protocol import BUY, SELL
from framework.venue.book import Pair
from framework.venue.kernel import MatchingKernel

__all__ = ["DepthStream", "DepthUpdate", "Level", "PublicBook"]

_SPREADS_MAX = 200

type Level = tuple[int, int]
"""Price in ticks and quantity in lots."""


class DepthUpdate(msgspec.Struct, frozen=True, gc=False):
    """What changed in the best levels of a book: new quantities by price, 0 where a level is gone.

    A level that only left the window because better ones came is not told: who keeps the window drops it himself.
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

    spreads: the best bid and ask, in ticks, at each time at which one of them changed, newest last.
    """

    def __init__(self, kernel: MatchingKernel, pair: Pair) -> None:
        self._kernel = kernel
        self._pair = pair
        self._streams: dict[int, DepthStream] = {}
        self.spreads: deque[tuple[int, int, int]] = deque(maxlen=_SPREADS_MAX)

    @property
    def is_listened_to(self) -> bool:
        """Whether anybody wants updates."""
        return bool(self._streams)

    def levels(self, side: int, most: int) -> list[Level]:
        """Up to so many best levels of a side."""
        kernel = self._kernel
        market = kernel.levels(self._pair.index, side, most)
        resting = self._pair.resting[side]
        if not resting:
            return market
        merged = dict(market)
        for _, _, order in resting:
            price_ticks = order.limit_ticks
            assert price_ticks is not None
            merged[price_ticks] = merged.get(price_ticks, 0) + kernel.visible(order.slot)
        return sorted(merged.items(), reverse=side == BUY)[:most]

    def best(self, side: int) -> Level | None:
        """The best level of a side; None if it is empty."""
        levels = self.levels(side, 1)
        return levels[0] if levels else None

    def listen(self, depth: int, callback: Callable[[DepthUpdate], None]) -> DepthStream:
        """Have changes of the best levels told from now on; the stream's levels are where they start from."""
        stream = self._streams.get(depth)
        if stream is None:
            stream = DepthStream(depth, self.levels(BUY, depth), self.levels(SELL, depth))
            self._streams[depth] = stream
        stream.listeners.append(callback)
        return stream

    def unlisten(self, depth: int, callback: Callable[[DepthUpdate], None]) -> None:
        """Have no more told."""
        stream = self._streams[depth]
        stream.listeners.remove(callback)
        if not stream.listeners:
            del self._streams[depth]

    def publish(self, ts_ns: int) -> None:
        """Something may have changed: tell those who listen."""
        most = max(self._streams, default=1)
        bids, asks = self.levels(BUY, most), self.levels(SELL, most)
        if bids and asks:
            best = (bids[0][0], asks[0][0])
            if not self.spreads or self.spreads[-1][1:] != best:
                self.spreads.append((ts_ns, *best))
        for depth, stream in tuple(self._streams.items()):
            stream.publish(bids[:depth], asks[:depth], ts_ns)


def _changes(old: list[Level], new: list[Level], depth: int, side: int) -> list[Level]:
    if old == new:
        return []
    before, after = dict(old), dict(new)
    changes = [level for level in new if before.get(level[0]) != level[1]]
    gone = [price for price in before if price not in after]
    if gone:
        # Behind the last level of a full window nothing is known any more, so nothing is said of it.
        last = new[-1][0] if len(new) == depth else None
        changes += [(price, 0) for price in gone if last is None or (price > last if side == BUY else price < last)]
    return changes
