"""A book kept from the wire, level by level, with the checksum that the venue takes of it.

A level's quantity replaces the one before, 0 removes it; after an update the book is cut to the depth that was
subscribed; the checksum is over the ten best levels of each side, digit for digit. Source: guides/spot-ws-book-v2.
"""

from __future__ import annotations

from decimal import Decimal

from adapters.kraken.client.book_kernel import GOOD, BookMemory, read_update, settle
from adapters.kraken.client.instruments import Instrument
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.ws2.book import PrintedBook, PrintedLevel, number_text
from framework.protocol import BUY, SELL

__all__ = ["LiveBook"]

_DEPTH = 10


class LiveBook:
    """The book of one pair as it has been told; a ``framework.book.BookView``.

    ts_event_ns: the venue's time of the newest message. Both sides are empty while the book is not known.
    """

    def __init__(self, instrument: Instrument, depth: int = _DEPTH) -> None:
        """depth: so many levels of a side are kept."""
        self.spec = instrument.spec
        self.ts_event_ns = 0
        self._instrument = instrument
        self._memory = BookMemory(depth, instrument.tick_grid, instrument.lot_grid)
        self._last: tuple[int, int, int] | None = None
        settle(self._memory.address, 0)  # compiled code is there before the first message
        read_update(b"", 0, self._memory.address)

    # ------------------------------------------------------------------------------------------------- changing

    @property
    def depth(self) -> int:
        """So many levels of a side are kept; a book of another depth begins anew."""
        return self._memory.depth

    @depth.setter
    def depth(self, levels: int) -> None:
        self._memory.depth = levels

    def clear(self) -> None:
        """Nothing is known."""
        self._memory.clear()

    def apply(self, told: PrintedBook) -> None:
        """Levels of a message in their order, then the cut. Raises WireError off the grid, and nothing is changed."""
        rows = [self._row(BUY, level) for level in told.bids] + [self._row(SELL, level) for level in told.asks]
        try:
            self._memory.tell(rows)
        except OverflowError:
            raise WireError(f"a price or a quantity of {self.spec.symbol} has more than 64 bits") from None
        settle(self._memory.address, len(rows))

    def read(self, message: bytes, at: int) -> bool:
        """Apply an update from its bytes, whose pair's name ends at ``at``; whether it could be read so.

        One that could not has changed nothing, and is for ``apply``; ``told_checksum`` and ``told_ns`` are its own.
        """
        return read_update(message, at, self._memory.address) == GOOD

    def _row(self, side: int, level: PrintedLevel) -> tuple[int, int, int, int, int]:
        ticks, price_digits = self._instrument.printed_price(number_text(level.price))
        lots, qty_digits = self._instrument.printed_qty(number_text(level.qty))
        return side, ticks, lots, int(price_digits), int(qty_digits)

    def changes(self) -> list[tuple[int, int, int]]:
        """What the newest message has changed, then what it has pushed out, with quantity 0: (side, ticks, lots)."""
        return self._memory.changes()

    @property
    def checksum(self) -> int:
        """What the venue's checksum must be after the newest message."""
        return self._memory.checksum

    @property
    def told_checksum(self) -> int:
        """What it is by the newest message that was ``read``."""
        return self._memory.told_checksum

    @property
    def told_ns(self) -> int:
        """The time of the newest message that was ``read``."""
        return self._memory.ts_ns

    def traded(self, price_ticks: int, qty_lots: int, side: int) -> None:
        """A trade was made; side: the aggressor's."""
        self._last = (price_ticks, qty_lots, side)

    # ------------------------------------------------------------------------------------------------- seeing

    def touch(self) -> tuple[int, int, int, int]:
        """Bid price, bid quantity, ask price, ask quantity in ticks and lots; quantity 0: an empty side."""
        return self._memory.touch()

    @property
    def bid_ticks(self) -> int | None:
        """Best bid; None while there is none."""
        ticks, lots, _, _ = self._memory.touch()
        return ticks if lots else None

    @property
    def ask_ticks(self) -> int | None:
        """Best ask; None while there is none."""
        _, _, ticks, lots = self._memory.touch()
        return ticks if lots else None

    @property
    def bid_lots(self) -> int:
        """Quantity at the best bid."""
        return self._memory.touch()[1]

    @property
    def ask_lots(self) -> int:
        """Quantity at the best ask."""
        return self._memory.touch()[3]

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
        return self._memory.best(side, count)

    def price(self, price_ticks: int) -> Decimal:
        """The exact price of a number of ticks."""
        return self.spec.price(price_ticks)

    def qty(self, qty_lots: int) -> Decimal:
        """The exact quantity of a number of lots."""
        return self.spec.qty(qty_lots)
