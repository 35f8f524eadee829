"""Books order by order over WebSocket v2, checked at every message; they need an API key.

Each subscription has a fresh token, which is asked for when it is to be used. All else is as with other market data.
Sources: websocket-v2/level3; guides/spot-ws-l3-v2, guides/spot-ws-auth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.feed import Feed, FeedSubscription
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.live_orders import LiveOrders, OrderChange
from adapters.kraken.client.streams import Connect
from adapters.kraken.client.times import moment_ns
from adapters.kraken.client.tokens import Tokens
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.ws2 import requests as wire
from adapters.kraken.wire.ws2.market import Level3, Level3Frame
from framework.data.columns import CLEAR, LAST, SNAPSHOT
from framework.data.live_rows import MarketRow
from framework.errors import ConfigError
from framework.execution.link import Clock
from framework.protocol import BUY, SELL

__all__ = ["DEPTHS", "OrderData"]

_CHANNEL = "level3"
DEPTHS = (10, 100, 1000)


class OrderData(Feed):
    """One connection of order books; a ``framework.adapter.LiveOrderBooks``."""

    def __init__(
        self, instruments: Instruments, clock: Clock, connect: Connect, backoff: BackOff, tokens: Tokens
    ) -> None:
        """connect: to the host of level 3; its streams carry whole messages."""
        super().__init__(instruments, clock, connect, backoff)
        self._tokens = tokens
        self._books: dict[str, LiveOrders] = {}
        # What each pair was joined with, which also parts from it.
        self._token_of: dict[str, Token] = {}

    def subscribe(self, symbol: str, depth: int = 100) -> None:
        """Have the orders of a pair told, of so many prices of each side.

        Raises ConfigError for a depth that there is not, SymbolError for a pair.
        """
        if depth not in DEPTHS:
            raise ConfigError(f"depth {depth}: of orders it must be one of {', '.join(map(str, DEPTHS))}")
        self._books.setdefault(symbol, LiveOrders(self._instruments[symbol]))
        self._want(symbol, _CHANNEL, depth)

    def unsubscribe(self, symbol: str) -> None:
        """Have no more of them told."""
        wanted = self._wanted.pop((_CHANNEL, symbol), None)
        if wanted is None:
            return
        if self._is_open and symbol in self._token_of:
            self._part(wanted)
        self._books[symbol].clear()

    def orders(self, symbol: str) -> LiveOrders:
        """The orders of a pair as they have been told; raises KeyError for one that was not subscribed."""
        return self._books[symbol]

    # ------------------------------------------------------------------------------------------------- channel

    def _channel_handlers(self) -> Mapping[type, Callable[[Any], None]]:
        return {Level3Frame: self._on_orders}

    def _forget(self, wanted: FeedSubscription) -> None:
        self._books[wanted.symbol].clear()

    def _join(self, wanted: FeedSubscription) -> None:
        attempt = self._attempt

        def join(token: Token) -> None:
            if attempt == self._attempt and self._is_open:
                self._token_of[wanted.symbol] = token
                self._write(wire.Subscribe(msgspec.structs.replace(wanted.params(), token=token)))

        def failed(reason: str) -> None:
            if attempt == self._attempt and self._is_open:
                self._tell_lost(wanted, reason)
                self._lost(reason)

        self._tokens.ask(join, failed)

    def _part(self, wanted: FeedSubscription) -> None:
        token = self._token_of[wanted.symbol]
        self._write(wire.Unsubscribe(msgspec.structs.replace(wanted.params(), token=token)))

    def _on_orders(self, frame: Level3Frame) -> None:
        is_snapshot = frame.type == "snapshot"
        for told in frame.data:
            wanted = self._wanted.get((_CHANNEL, told.symbol))
            if wanted is None or wanted.is_leaving or not (wanted.is_known or is_snapshot):
                continue
            book, recv_ns = self._books[told.symbol], self._heard_ns
            try:
                ts_ns = recv_ns if told.timestamp is UNSET else moment_ns(told.timestamp)
                changes = self._changes(book, told, wanted.depth, is_snapshot=is_snapshot)
            except WireError as error:
                self._leave(wanted, f"the orders cannot be read: {error}")
                continue
            if book.checksum() != told.checksum:
                self._leave(wanted, f"the checksum of the orders is {book.checksum()}, not {told.checksum}")
                continue
            if is_snapshot:
                wanted.is_known = True
                wanted.backoff.opened(recv_ns)
            if (changes or is_snapshot) and self._listener is not None:
                rows = _rows(changes, ts_ns, recv_ns, is_snapshot=is_snapshot)
                self._listener.book_changed(told.symbol, rows)

    @staticmethod
    def _changes(book: LiveOrders, told: Level3, depth: int, *, is_snapshot: bool) -> list[OrderChange]:
        if is_snapshot:
            book.clear()
        changes = [*book.apply(BUY, told.bids), *book.apply(SELL, told.asks)]
        return changes + book.cut(depth)


def _rows(changes: Sequence[OrderChange], ts_ns: int, recv_ns: int, *, is_snapshot: bool) -> list[MarketRow]:
    """Rows of one message; the last one is flagged LAST."""
    flags = SNAPSHOT if is_snapshot else 0
    rows = [MarketRow(ts_ns, recv_ns, CLEAR, 0, 0, 0, flags)] if is_snapshot else []
    rows += [
        MarketRow(ts_ns, recv_ns, each.kind, each.side, each.price_ticks, each.qty_lots, flags, 0, each.order_id)
        for each in changes
    ]
    rows[-1] = rows[-1]._replace(flags=flags | LAST)
    return rows
