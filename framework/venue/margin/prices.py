"""What assets are worth in each other, by the last trades of the venue's pairs; exact.

Where nothing has traded yet, the middle of the book stands in. Two assets without a pair of their own are compared over
the fewest others; assumption: no page says how.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from framework.protocol import BUY, SELL
from framework.venue.book import Pair

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel

__all__ = ["Prices"]


class Prices:
    """The present prices of pairs and rates of assets."""

    def __init__(self, kernel: MatchingKernel, pairs: Sequence[Pair]) -> None:
        self._kernel = kernel
        self._pairs = pairs
        self._paths: dict[tuple[int, int], tuple[tuple[Pair, bool], ...] | None] = {}

    def price_ticks(self, pair: Pair) -> Fraction | None:
        """A pair's price in ticks; None if there is no market."""
        last = self._kernel.last_trade(pair.index)
        if last is not None:
            return Fraction(last[0])
        bid, ask = self._kernel.best(pair.index, BUY), self._kernel.best(pair.index, SELL)
        prices = [best[0] for best in (bid, ask) if best is not None]
        return Fraction(sum(prices), len(prices)) if prices else None

    def rate(self, asset: int, into: int) -> Fraction | None:
        """Units of one asset that a unit of another is worth; None if no pairs tell."""
        if asset == into:
            return Fraction(1)
        key = (asset, into)
        if key not in self._paths:
            self._paths[key] = self._path(asset, into)
        path = self._paths[key]
        if path is None:
            return None
        rate = Fraction(1)
        for pair, is_base_first in path:
            price = self.price_ticks(pair)
            if not price:
                return None
            step = price * pair.cost_units / pair.lot_units
            rate = rate * step if is_base_first else rate / step
        return rate

    def value(self, asset: int, units: int | Fraction, into: int) -> Fraction:
        """What so many units of an asset are worth in another; nothing where no pairs tell."""
        rate = self.rate(asset, into) if units else None
        return Fraction(0) if rate is None else units * rate

    def _path(self, asset: int, into: int) -> tuple[tuple[Pair, bool], ...] | None:
        """The pairs over which one asset becomes another, each with whether its base is what is given."""
        seen = {asset}
        waiting: deque[tuple[int, tuple[tuple[Pair, bool], ...]]] = deque([(asset, ())])
        while waiting:
            at, path = waiting.popleft()
            for pair in self._pairs:
                if at not in (pair.base, pair.quote):
                    continue
                other = pair.quote if at == pair.base else pair.base
                step = (*path, (pair, at == pair.base))
                if other == into:
                    return step
                if other not in seen:
                    seen.add(other)
                    waiting.append((other, step))
        return None
