"""A book kept from the wire, level by level, with the checksum that the venue takes of it.

A level's quantity replaces the one before, 0 removes it; after an update the book is cut to the depth that was
subscribed; the checksum is over the ten best levels of each side, digit for digit. Source: guides/spot-ws-book-v2.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from decimal import Decimal

from adapters.kraken.client.instruments import Instrument
from adapters.kraken.wire.digits import book_checksum
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.ws2.market import Level
from framework.protocol import BUY, SELL

__all__ = ["LiveBook", "printed_digits"]

_CHECKED_LEVELS = 10


class _Side:
    """One side. keys: its prices in order from the best, a bid's as its negative."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        # By price in ticks: quantity in lots, and price and quantity as their digits on the wire.
        self.levels: dict[int, tuple[int, int, int]] = {}

    def clear(self) -> None:
        self.keys.clear()
        self.levels.clear()

    def set(self, ticks: int, lots: int, price_digits: int, qty_digits: int) -> None:
        if lots:
            if ticks not in self.levels:
                insort(self.keys, self.sign * ticks)
            self.levels[ticks] = (lots, price_digits, qty_digits)
        elif self.levels.pop(ticks, None) is not None:
            del self.keys[bisect_left(self.keys, self.sign * ticks)]

    def cut(self, depth: int) -> list[int]:
        """Leave so many levels; the prices of those that go."""
        gone = [self.sign * key for key in self.keys[depth:]]
        del self.keys[depth:]
        for ticks in gone:
            del self.levels[ticks]
        return gone

    def best(self, count: int) -> list[tuple[int, int]]:
        return [(ticks, self.levels[ticks][0]) for ticks in (self.sign * key for key in self.keys[:count])]

    def digits(self) -> Iterable[tuple[int, int]]:
        for key in self.keys[:_CHECKED_LEVELS]:
            _, price_digits, qty_digits = self.levels[self.sign * key]
            yield price_digits, qty_digits


class LiveBook:
    """The book of one pair as it has been told; a ``framework.book.BookView``.

    ts_event_ns: the venue's time of the newest message. Both sides are empty while the book is not known.
    """

    def __init__(self, instrument: Instrument) -> None:
        self.spec = instrument.spec
        self.ts_event_ns = 0
        self._instrument = instrument
        self._sides = {BUY: _Side(-1), SELL: _Side(1)}
        self._last: tuple[int, int, int] | None = None

    # ------------------------------------------------------------------------------------------------- changing

    def clear(self) -> None:
        """Nothing is known."""
        for side in self._sides.values():
            side.clear()

    def apply(self, side: int, levels: Iterable[Level]) -> list[tuple[int, int]]:
        """Levels of a message in their order; what they are in ticks and lots. Raises WireError off the grid."""
        instrument, applied = self._instrument, self._sides[side]
        changes = []
        for level in levels:
            ticks, lots = instrument.ticks(level.price), instrument.lots(level.qty)
            applied.set(ticks, lots, printed_digits(level.price), printed_digits(level.qty))
            changes.append((ticks, lots))
        return changes

    def cut(self, depth: int) -> list[tuple[int, int]]:
        """Leave so many levels of each side; (side, price) of those that go."""
        return [(side, ticks) for side in (BUY, SELL) for ticks in self._sides[side].cut(depth)]

    def checksum(self) -> int:
        """What the venue's checksum must be."""
        return book_checksum(self._sides[SELL].digits(), self._sides[BUY].digits())

    def traded(self, price_ticks: int, qty_lots: int, side: int) -> None:
        """A trade was made; side: the aggressor's."""
        self._last = (price_ticks, qty_lots, side)

    # ------------------------------------------------------------------------------------------------- seeing

    def touch(self) -> tuple[int, int, int, int]:
        """Bid price, bid quantity, ask price, ask quantity in ticks and lots; quantity 0: an empty side."""
        bid, ask = self._sides[BUY].best(1), self._sides[SELL].best(1)
        return *(bid[0] if bid else (0, 0)), *(ask[0] if ask else (0, 0))

    @property
    def bid_ticks(self) -> int | None:
        """Best bid; None while there is none."""
        best = self._sides[BUY].best(1)
        return best[0][0] if best else None

    @property
    def ask_ticks(self) -> int | None:
        """Best ask; None while there is none."""
        best = self._sides[SELL].best(1)
        return best[0][0] if best else None

    @property
    def bid_lots(self) -> int:
        """Quantity at the best bid."""
        return self.touch()[1]

    @property
    def ask_lots(self) -> int:
        """Quantity at the best ask."""
        return self.touch()[3]

    @property
    def last_ticks(self) -> int | None:
        """Price of the last trade told; None before the first."""
        return None if self._last is None else self._last[0]

    @property
    def last_lots(self) -> int:
        """Quantity of the last trade told."""
        return 0 if self._last is None else self._last[1]

    @property
    def last_side(self) -> int | None:
        """Aggressor of the last trade told."""
        return None if self._last is None else self._last[2]

    def levels(self, side: int, count: int) -> list[tuple[int, int]]:
        """The best ``count`` levels of a side as (price_ticks, qty_lots), best first."""
        return self._sides[side].best(count)

    def price(self, price_ticks: int) -> Decimal:
        """The exact price of a number of ticks."""
        return self.spec.price(price_ticks)

    def qty(self, qty_lots: int) -> Decimal:
        """The exact quantity of a number of lots."""
        return self.spec.qty(qty_lots)


def printed_digits(number: Number) -> int:
    """What a printed number adds to a checksum: its digits, without point and leading zeros."""
    return int(number.text.replace(".", ""))
