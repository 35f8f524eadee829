"""A book kept from the wire order by order, with the checksum that the venue takes of it.

The orders of a price stand in the order in which they were told; a change keeps an order's place, unless it has another
price. After an update the book is cut to so many prices; those that are cut off are not told of any more, and are told
anew when their price comes back. The checksum is over all orders of the ten best prices of each side.
Sources: websocket-v2/level3, guides/spot-ws-l3-v2.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple
from zlib import crc32

from msgspec import UNSET

from adapters.kraken.client.instruments import Instrument
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.ws2.market import Level3Order
from framework.data.columns import ADD, DELETE, MODIFY
from framework.protocol import BUY, SELL

__all__ = ["LiveOrders", "OrderChange", "order_number"]

_CHECKED_PRICES = 10


class OrderChange(NamedTuple):
    """What happened to an order: a kind of row (ADD, MODIFY, DELETE), and the row's values."""

    kind: int
    side: int
    price_ticks: int
    qty_lots: int
    order_id: int


class _Order(NamedTuple):
    price_ticks: int
    qty_lots: int
    printed: str


def order_number(order_id: str) -> int:
    """A number from 1 up that only this order has, as far as anybody will see: 63 bits of a hash."""
    digest = blake2b(order_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1 or 1


class _Side:
    """One side. keys: its prices in order from the best, a bid's as its negative."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.levels: dict[int, dict[str, _Order]] = {}
        self.price_of: dict[str, int] = {}

    def put(self, order_id: str, order: _Order) -> None:
        """Add an order, or change one: it keeps its place if it keeps its price."""
        before = self.price_of.get(order_id)
        if before is not None and before != order.price_ticks:
            self.take(order_id)
        level = self.levels.get(order.price_ticks)
        if level is None:
            level = self.levels[order.price_ticks] = {}
            insort(self.keys, self.sign * order.price_ticks)
        level[order_id] = order
        self.price_of[order_id] = order.price_ticks

    def take(self, order_id: str) -> _Order | None:
        """Remove an order; None if there is none."""
        ticks = self.price_of.pop(order_id, None)
        if ticks is None:
            return None
        level = self.levels[ticks]
        order = level.pop(order_id)
        if not level:
            del self.levels[ticks]
            del self.keys[bisect_left(self.keys, self.sign * ticks)]
        return order

    def cut(self, depth: int) -> list[tuple[str, _Order]]:
        """Leave so many prices; the orders of those that go."""
        gone = []
        for key in self.keys[depth:]:
            for order_id, order in self.levels.pop(self.sign * key).items():
                del self.price_of[order_id]
                gone.append((order_id, order))
        del self.keys[depth:]
        return gone

    def checked(self) -> Iterator[str]:
        for key in self.keys[:_CHECKED_PRICES]:
            for order in self.levels[self.sign * key].values():
                yield order.printed


class LiveOrders:
    """The book of one pair, order by order, as it has been told."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._sides = {BUY: _Side(-1), SELL: _Side(1)}

    def clear(self) -> None:
        """Nothing is known."""
        self._sides = {BUY: _Side(-1), SELL: _Side(1)}

    def apply(self, side: int, orders: Iterable[Level3Order]) -> list[OrderChange]:
        """Orders of a message in their order; what they changed. Raises WireError for what is off the grid."""
        changes = []
        book = self._sides[side]
        for told in orders:
            event = "add" if told.event is UNSET else told.event
            number = order_number(told.order_id)
            if event == "delete":
                gone = book.take(told.order_id)
                if gone is not None:
                    changes.append(OrderChange(DELETE, side, gone.price_ticks, gone.qty_lots, number))
                continue
            if event not in ("add", "modify"):
                raise WireError(f"{event} is no event of an order")
            is_known = told.order_id in book.price_of
            if event == "modify" and not is_known:
                continue  # of a price that was cut off; the checksum tells if it was not
            order = self._read(told)
            if event == "add" and is_known:
                gone = book.take(told.order_id)
                assert gone is not None
                changes.append(OrderChange(DELETE, side, gone.price_ticks, gone.qty_lots, number))
            book.put(told.order_id, order)
            kind = MODIFY if event == "modify" else ADD
            changes.append(OrderChange(kind, side, order.price_ticks, order.qty_lots, number))
        return changes

    def cut(self, depth: int) -> list[OrderChange]:
        """Leave so many prices of each side; the orders that go."""
        return [
            OrderChange(DELETE, side, order.price_ticks, order.qty_lots, order_number(order_id))
            for side, book in self._sides.items()
            for order_id, order in book.cut(depth)
        ]

    def checksum(self) -> int:
        """What the venue's checksum must be."""
        return crc32("".join([*self._sides[SELL].checked(), *self._sides[BUY].checked()]).encode())

    def orders(self, side: int) -> list[tuple[int, int, str]]:
        """(price_ticks, qty_lots, order id) of a side, best price first, those of one price in queue order."""
        book = self._sides[side]
        return [
            (order.price_ticks, order.qty_lots, order_id)
            for key in book.keys
            for order_id, order in book.levels[book.sign * key].items()
        ]

    def _read(self, told: Level3Order) -> _Order:
        ticks, price_digits = self._instrument.printed_price(told.limit_price.text)
        lots, qty_digits = self._instrument.printed_qty(told.order_qty.text)
        return _Order(ticks, lots, price_digits + qty_digits)
