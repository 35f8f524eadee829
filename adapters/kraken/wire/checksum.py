"""Checksums of books as they were printed, for who keeps a book from the wire.

The sum is CRC-32 over the digits of prices and quantities, without points and leading zeros: the asks from the lowest
price, then the bids from the highest. All three books are summed by ``digits.book_checksum``, which the venue's end
calls with whole units; printed numbers have the same digits. Sources: guides/spot-ws-book-v1, guides/spot-ws-book-v2,
guides/spot-ws-l3-v2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from adapters.kraken.wire.digits import book_checksum

__all__ = ["level3_checksum", "printed_checksum"]

_CHECKED_LEVELS = 10


def printed_checksum(asks: Sequence[tuple[str, str]], bids: Sequence[tuple[str, str]]) -> int:
    """The checksum of a book of levels (WebSocket v1 and v2): its ten best of each side.

    asks, bids: (price, quantity) with the digits of the wire, best first; levels after the tenth are not counted.
    """
    return book_checksum(_units(islice(asks, _CHECKED_LEVELS)), _units(islice(bids, _CHECKED_LEVELS)))


def level3_checksum(asks: Iterable[tuple[str, str]], bids: Iterable[tuple[str, str]]) -> int:
    """The checksum of a book of orders (channel ``level3``): all orders of the ten best prices of each side.

    asks, bids: (price, quantity) with the digits of the wire, best price first, those of one price in queue order.
    """
    return book_checksum(_units(_best_prices(asks)), _units(_best_prices(bids)))


def _best_prices(orders: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    count, last = 0, None
    for order in orders:
        if order[0] != last:
            count, last = count + 1, order[0]
            if count > _CHECKED_LEVELS:
                return
        yield order


def _units(levels: Iterable[tuple[str, str]]) -> list[tuple[int, int]]:
    """Whole units of the last decimals: a whole number prints neither a point nor leading zeros."""
    return [(int(price.replace(".", "")), int(qty.replace(".", ""))) for price, qty in levels]
