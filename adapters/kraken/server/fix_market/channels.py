"""What market data sessions subscribe to, each encoded once for all of them.

A frame is the type of a message and its fields after Symbol and MDReqID, which are each subscriber's own.

What the pages leave open, assumptions: the time (273) of a level is that of the message that tells of it; of an order
it is when it joined its queue, or when it was changed or deleted. The checksum of a book of orders is made as that of
the channel ``level3`` is, order by order (guides/spot-ws-l3-v2). A trade's id (278) is its number on REST.

Sources: fix-api/mdsfr-fix, mdir-fix; guides/fix-checksums.
"""

from __future__ import annotations

from collections.abc import Iterable

from adapters.fix.times import utc_timestamp
from adapters.kraken.server.channels import PairChannel
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.pairs import LOT_DECIMALS, ServedPair
from adapters.kraken.wire.digits import book_checksum, digits, rfc3339_ns
from framework.protocol import BUY, SELL
from framework.venue.served.book import DepthUpdate, Level
from framework.venue.served.order_book import OrderEventKind, OrderUpdate, RestingOrder
from framework.venue.served.tape import TapeTrade

__all__ = ["LevelChannel", "OrderChannel", "TradeChannel"]

_LABEL = "fix"
_CHECKED_LEVELS = 10
_LEVELS_MAX = 1000
_NEW, _CHANGE, _DELETE = (0, 1, 2)
_ACTIONS = {
    OrderEventKind.DELETE: _DELETE,
    OrderEventKind.LEAVE: _DELETE,
    OrderEventKind.MODIFY: _CHANGE,
    OrderEventKind.ADD: _NEW,
}
# MDEntryType, and the letter that begins the id of a level.
_TYPES = {BUY: 0, SELL: 1}
_LETTERS = {BUY: "B", SELL: "O"}


class _Channel(PairChannel):
    def __init__(self, context: ServerContext, pair: ServedPair) -> None:
        super().__init__(_LABEL, context, pair)

    def _snapshot(self, entries: list[str]) -> bytes:
        return f"W268={len(entries)}\x01{''.join(entries)}".encode()

    def _checksum(self, asks: Iterable[Level], bids: Iterable[Level]) -> int:
        price_units, qty_units = self._pair.price_units, self._pair.qty_units
        units = ([(price * price_units, lots * qty_units) for price, lots in side] for side in (asks, bids))
        return book_checksum(*units)


class LevelChannel(_Channel):
    """The levels of a book; depth: of each side, 0 for as many as there are of it."""

    def __init__(self, context: ServerContext, pair: ServedPair, depth: int) -> None:
        super().__init__(context, pair)
        self._depth = depth or _LEVELS_MAX
        self._stream = self._book.listen(self._depth, self._on_update)
        self._known = {BUY: self._stream.bids, SELL: self._stream.asks}

    def snapshot(self) -> bytes:
        now_ns = self._host.now_ns
        return self._snapshot(
            [self._entry(side, *level, now_ns) for side in (SELL, BUY) for level in self._known[side]]
        )

    def close(self) -> None:
        self._book.unlisten(self._depth, self._on_update)

    def _on_update(self, update: DepthUpdate) -> None:
        stream = self._stream
        entries = self._changes(SELL, stream.asks, update.asks, update.ts_ns)
        entries += self._changes(BUY, stream.bids, update.bids, update.ts_ns)
        self._known = {BUY: stream.bids, SELL: stream.asks}
        asks, bids = stream.asks, stream.bids
        if self._depth < _CHECKED_LEVELS:
            asks, bids = (self._book.levels(side, _CHECKED_LEVELS) for side in (SELL, BUY))
        checksum = self._checksum(asks[:_CHECKED_LEVELS], bids[:_CHECKED_LEVELS])
        self._publish(f"X268={len(entries)}\x01{''.join(entries)}5041={checksum}\x01".encode())

    def _changes(self, side: int, now: list[Level], changes: list[Level], ts_ns: int) -> list[str]:
        """What became of the levels of a side: first what is gone, and what has left the window with its quantity."""
        if now == self._known[side]:
            return []
        before = dict(self._known[side])
        left = before.keys() - dict(now).keys() - {price for price, lots in changes if not lots}
        told: list[tuple[int, int, int]] = [(_DELETE, price, 0) for price, lots in changes if not lots]
        told += [(_DELETE, price, before[price]) for price in sorted(left, reverse=side == BUY)]
        told += [(_CHANGE, price, lots) for price, lots in changes if lots and price in before]
        told += [(_NEW, price, lots) for price, lots in changes if lots and price not in before]
        return [f"279={action}\x01{self._entry(side, price, lots, ts_ns)}" for action, price, lots in told]

    def _entry(self, side: int, price_ticks: int, lots: int, ts_ns: int) -> str:
        price = self._pair.price(price_ticks)
        return _entry(_TYPES[side], f"{_LETTERS[side]}{price}", price, _size(lots, self._pair), ts_ns)


class OrderChannel(_Channel):
    """The orders of a book; depth: levels of each side, 0 for all."""

    def __init__(self, context: ServerContext, pair: ServedPair, depth: int) -> None:
        super().__init__(context, pair)
        self._depth = depth
        self._stream = self._book.listen_orders(depth, self._on_update)

    def snapshot(self) -> bytes:
        now_ns = self._host.now_ns
        return self._snapshot(
            [
                self._entry(side, order, order.qty_lots, order.queued_ns, now_ns)
                for side in (SELL, BUY)
                for order in self._stream.orders(side)
            ]
        )

    def close(self) -> None:
        self._book.unlisten_orders(self._depth, self._on_update)

    def _on_update(self, update: OrderUpdate) -> None:
        entries = []
        for side, events in ((SELL, update.asks), (BUY, update.bids)):
            for kind, order in events:
                lots = 0 if kind is OrderEventKind.DELETE else order.qty_lots
                at_ns = order.queued_ns if kind is OrderEventKind.ADD else update.ts_ns
                entries.append(f"279={_ACTIONS[kind]}\x01{self._entry(side, order, lots, at_ns, update.ts_ns)}")
        # Of one level only the sum would be of less than it is of; it is always of ten.
        known = self._stream if self._depth == 0 or self._depth >= _CHECKED_LEVELS else self._book.orders
        checksum = self._checksum(*(known.quantities(side, _CHECKED_LEVELS) for side in (SELL, BUY)))
        self._publish(f"X268={len(entries)}\x01{''.join(entries)}5041={checksum}\x01".encode())

    def _entry(self, side: int, order: RestingOrder, lots: int, at_ns: int, ts_ns: int) -> str:
        price = self._pair.price(order.price_ticks)
        return (
            f"{_entry(_TYPES[side], order.order_id, price, _size(lots, self._pair), at_ns)}"
            f"5060={rfc3339_ns(ts_ns)}\x015273={rfc3339_ns(order.queued_ns)}\x01"
        )


class TradeChannel(_Channel):
    """The trades of a pair; there are none in a snapshot."""

    def __init__(self, context: ServerContext, pair: ServedPair) -> None:
        super().__init__(context, pair)
        self._tape = self._host.tapes[self._symbol]
        self._tape.listen(self._on_trade)

    def snapshot(self) -> bytes:
        return self._snapshot([])

    def close(self) -> None:
        self._tape.unlisten(self._on_trade)

    def _on_trade(self, trade: TapeTrade) -> None:
        price, size = self._pair.price(trade.price_ticks), _size(trade.qty_lots, self._pair)
        self._publish(
            f"X268=1\x01279=0\x01{_entry(2, str(trade.trade_id), price, size, trade.ts_ns)}"
            f"40={1 if trade.is_market else 2}\x012446={1 if trade.side == BUY else 2}\x01".encode()
        )


def _entry(entry_type: int, entry_id: str, price: str, size: str, ts_ns: int) -> str:
    time = utc_timestamp(ts_ns)[9:].decode()
    return f"269={entry_type}\x01278={entry_id}\x01270={price}\x01271={size}\x01273={time}\x01"


def _size(lots: int, pair: ServedPair) -> str:
    """A quantity without the zeros at its end, one decimal at least, as the samples have it."""
    text = digits(lots * pair.qty_units, LOT_DECIMALS).rstrip("0")
    return f"{text}0" if text.endswith(".") else text
