"""A book kept from the wire, level by level, with the checksum that the venue takes of it.

A level's quantity replaces the one before, 0 removes it; after an update the book is cut to the depth that was
subscribed; the checksum is over the ten best levels of each side, digit for digit. Source: guides/spot-ws-book-v2.
"""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from zlib import crc32

from adapters.kraken.client.instruments import Instrument
from adapters.kraken.wire.ws2.book import PrintedBook, number_text
from framework.protocol import BUY, SELL

__all__ = ["LiveBook"]

_CHECKED_LEVELS = 10
# So many prices are known by their text at a time.
_KNOWN_MAX = 10_000
# Longer numbers go the slow way, which has a limit.
_USUAL_DIGITS = 40


class _Side:
    """One side. Its levels in order from the best, column by column.

    keys: prices, a bid's as its negative. lots: quantities. printed: what each level adds to the checksum.
    """

    __slots__ = ("keys", "known", "lots", "printed", "side", "sign")

    def __init__(self, side: int, sign: int) -> None:
        self.side = side
        self.sign = sign
        self.keys: list[int] = []
        self.lots: list[int] = []
        self.printed: list[str] = []
        # Prices that were read before, by their text: key, ticks, and the digits for the checksum.
        self.known: dict[str, tuple[int, int, str]] = {}

    def clear(self) -> None:
        self.keys.clear()
        self.lots.clear()
        self.printed.clear()

    def cut(self, depth: int) -> list[int]:
        """Leave so many levels; the prices of those that go."""
        gone = [self.sign * key for key in self.keys[depth:]]
        del self.keys[depth:], self.lots[depth:], self.printed[depth:]
        return gone

    def best(self, count: int) -> list[tuple[int, int]]:
        return [(self.sign * key, lots) for key, lots in zip(self.keys[:count], self.lots[:count], strict=True)]


class LiveBook:
    """The book of one pair as it has been told; a ``framework.book.BookView``.

    ts_event_ns: the venue's time of the newest message. Both sides are empty while the book is not known.
    """

    def __init__(self, instrument: Instrument) -> None:
        self.spec = instrument.spec
        self.ts_event_ns = 0
        self._instrument = instrument
        self._bids, self._asks = _Side(BUY, -1), _Side(SELL, 1)
        self._sides = {BUY: self._bids, SELL: self._asks}
        self._last: tuple[int, int, int] | None = None

    # ------------------------------------------------------------------------------------------------- changing

    def clear(self) -> None:
        """Nothing is known."""
        for side in self._sides.values():
            side.clear()

    def apply(self, told: PrintedBook) -> list[tuple[int, int, int]]:
        """Levels of a message in their order; what they are as (side, ticks, lots). Raises WireError off the grid."""
        instrument, changes = self._instrument, []
        decimals = instrument.lot_decimals
        for book, levels in ((self._bids, told.bids), (self._asks, told.asks)):
            keys, known, side = book.keys, book.known, book.side
            for level in levels:
                price, qty = level.price, level.qty
                try:
                    key, ticks, price_digits = known[price]
                except (KeyError, TypeError):
                    key, ticks, price_digits = self._learn(book, price)
                # Read here as nearly all are printed; all else is for the instrument to read, or to refuse.
                whole, _, fraction = qty.partition(".") if type(qty) is str else ("", "", "")
                digits = whole + fraction
                if len(fraction) == decimals and len(digits) < _USUAL_DIGITS and digits.isdecimal():
                    lots, qty_digits = int(digits), digits.lstrip("0")
                else:
                    lots, qty_digits = instrument.printed_qty(number_text(qty))
                at = bisect_left(keys, key)
                if at < len(keys) and keys[at] == key:
                    if lots:
                        book.lots[at] = lots
                        book.printed[at] = price_digits + qty_digits
                    else:
                        del keys[at], book.lots[at], book.printed[at]
                elif lots:
                    keys.insert(at, key)
                    book.lots.insert(at, lots)
                    book.printed.insert(at, price_digits + qty_digits)
                changes.append((side, ticks, lots))
        return changes

    def _learn(self, side: _Side, told: object) -> tuple[int, int, str]:
        """Read a price that is not among the known ones."""
        price = number_text(told)
        ticks, price_digits = self._instrument.printed_price(price)
        if len(side.known) >= _KNOWN_MAX:
            side.known.clear()
        read = side.known[price] = (side.sign * ticks, ticks, price_digits)
        return read

    def cut(self, depth: int) -> list[tuple[int, int]]:
        """Leave so many levels of each side; (side, price) of those that go."""
        bids, asks = self._bids, self._asks
        if len(bids.keys) <= depth and len(asks.keys) <= depth:
            return []
        return [(book.side, ticks) for book in (bids, asks) for ticks in book.cut(depth)]

    def checksum(self) -> int:
        """What the venue's checksum must be."""
        best = self._asks.printed[:_CHECKED_LEVELS] + self._bids.printed[:_CHECKED_LEVELS]
        return crc32("".join(best).encode())

    def traded(self, price_ticks: int, qty_lots: int, side: int) -> None:
        """A trade was made; side: the aggressor's."""
        self._last = (price_ticks, qty_lots, side)

    # ------------------------------------------------------------------------------------------------- seeing

    def touch(self) -> tuple[int, int, int, int]:
        """Bid price, bid quantity, ask price, ask quantity in ticks and lots; quantity 0: an empty side."""
        bids, asks = self._bids, self._asks
        bid_ticks, bid_lots = (-bids.keys[0], bids.lots[0]) if bids.keys else (0, 0)
        return (bid_ticks, bid_lots, asks.keys[0], asks.lots[0]) if asks.keys else (bid_ticks, bid_lots, 0, 0)

    @property
    def bid_ticks(self) -> int | None:
        """Best bid; None while there is none."""
        keys = self._bids.keys
        return -keys[0] if keys else None

    @property
    def ask_ticks(self) -> int | None:
        """Best ask; None while there is none."""
        keys = self._asks.keys
        return keys[0] if keys else None

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
