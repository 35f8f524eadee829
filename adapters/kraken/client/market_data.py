"""Market data over WebSocket v2: books that are checked at every message, trades without gaps, tickers.

A book whose checksum does not come out, or a message that cannot be read, is told as lost, and its subscription begins
anew. So does everything when the connection is lost, which is made again after a pause. Trades are numbered pair by
pair, so those that were missed can be told.
Sources: websocket-v2/book, trade, ticker, heartbeat; guides/spot-ws-book-v2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from msgspec import UNSET

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.feed import Feed, FeedSubscription
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.live_book import LiveBook
from adapters.kraken.client.streams import Connect
from adapters.kraken.client.times import moment_ns
from adapters.kraken.errors import SymbolError
from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.ws2.book import PrintedBookFrame
from adapters.kraken.wire.ws2.market import Ticker, TickerFrame, TradeFrame
from adapters.kraken.wire.ws2.messages import decode_market
from adapters.kraken.words import SIDES
from framework.data.columns import CLEAR, LAST, LEVEL, SNAPSHOT, TRADE
from framework.data.live_rows import MarketRow, Quote
from framework.errors import ConfigError
from framework.execution.link import Clock

__all__ = ["BOOK_UPDATE", "DEPTHS", "MarketData"]

_CHANNELS = ("book", "trade", "ticker")
BOOK_UPDATE = b'{"channel":"book","type":"update","data":[{"symbol":"'
"""How an update of a book begins, up to the name of its pair."""
DEPTHS = (10, 25, 100, 500, 1000)


class MarketData(Feed):
    """One connection of market data; a ``framework.adapter.LiveMarket``."""

    def __init__(self, instruments: Instruments, clock: Clock, connect: Connect, backoff: BackOff) -> None:
        """connect: to the host of public messages; its streams carry whole messages."""
        super().__init__(instruments, clock, connect, backoff)
        self._books: dict[str, LiveBook] = {}
        # A book is compiled code, which a new installation makes at its first one: here, and not when a run has begun.
        for symbol in islice(instruments, 1):
            LiveBook(instruments[symbol])

    # ------------------------------------------------------------------------------------------------- wanted

    def subscribe(self, symbol: str, channel: str, depth: int = 10) -> None:
        """Have a channel of a pair told: "book" (of this depth), "trade" or "ticker"; nothing changes where it is.

        Raises ConfigError for a channel or a depth that there is not, SymbolError for a pair.
        """
        if channel not in _CHANNELS:
            raise ConfigError(f"channel {channel!r}: it must be one of {', '.join(_CHANNELS)}")
        if channel == "book" and depth not in DEPTHS:
            raise ConfigError(f"depth {depth}: it must be one of {', '.join(map(str, DEPTHS))}")
        book = self.book(symbol)
        if channel == "book" and ("book", symbol) not in self._wanted:
            book.depth = depth
        self._want(symbol, channel, depth)

    def unsubscribe(self, symbol: str, channel: str) -> None:
        """Have no more of it told."""
        wanted = self._wanted.pop((channel, symbol), None)
        if wanted is not None and self._is_open:
            self._part(wanted)
        if channel == "book" and symbol in self._books:
            self._books[symbol].clear()

    def book(self, symbol: str) -> LiveBook:
        """The book of a pair as it has been told; raises SymbolError for a pair that there is not."""
        book = self._books.get(symbol)
        if book is None:
            book = self._books[symbol] = LiveBook(self._instruments[symbol])
        return book

    # ------------------------------------------------------------------------------------------------- channels

    def _channel_handlers(self) -> Mapping[type, Callable[[Any], None]]:
        return {PrintedBookFrame: self._on_book, TradeFrame: self._on_trades, TickerFrame: self._on_ticker}

    def _read(self, data: bytes) -> object:
        return decode_market(data)

    def _forget(self, wanted: FeedSubscription) -> None:
        self._books[wanted.symbol].clear()

    def received(self, data: bytes) -> None:
        if not (data.startswith(BOOK_UPDATE) and self._has_taken(data)):
            super().received(data)

    def _has_taken(self, data: bytes) -> bool:
        """Take an update of a known book from its bytes; False where the message has to be read as a whole."""
        name_ends = data.find(b'"', len(BOOK_UPDATE))
        wanted = self._wanted.get(("book", str(data[len(BOOK_UPDATE) : name_ends], "ascii", "replace")))
        if wanted is None or wanted.is_leaving or not wanted.is_known:
            return False
        book = self._books[wanted.symbol]
        if not book.read(data, name_ends):
            return False
        self._heard_ns = self._clock.now_ns
        self._on_changed(wanted, book, book.told_checksum, book.told_ns, [])
        return True

    def _on_book(self, frame: PrintedBookFrame) -> None:
        is_snapshot = frame.type == "snapshot"
        for told in frame.data:
            wanted = self._wanted.get(("book", told.symbol))
            if wanted is None or wanted.is_leaving or not (wanted.is_known or is_snapshot):
                continue
            book, recv_ns, rows = self._books[told.symbol], self._heard_ns, []
            try:
                ts_ns = recv_ns if told.timestamp is UNSET else moment_ns(told.timestamp)
                if is_snapshot:
                    book.clear()
                    rows.append(MarketRow(ts_ns, recv_ns, CLEAR, 0, 0, 0, SNAPSHOT))
                book.apply(told)
            except (WireError, SymbolError) as error:
                self._leave(wanted, f"the book cannot be read: {error}")
                continue
            self._on_changed(wanted, book, told.checksum, ts_ns, rows)

    def _on_changed(
        self, wanted: FeedSubscription, book: LiveBook, checksum: int, ts_ns: int, rows: list[MarketRow]
    ) -> None:
        """A message has been applied; rows: those before its changes, which are there for a snapshot."""
        recv_ns = self._heard_ns
        if book.checksum != checksum:
            self._leave(wanted, f"the checksum of the book is {book.checksum}, not {checksum}")
            return
        book.ts_event_ns = max(book.ts_event_ns, ts_ns)
        if rows:
            wanted.is_known = True
            wanted.backoff.opened(recv_ns)
        if self._listener is not None:
            flags, changes = SNAPSHOT if rows else 0, book.changes()
            if changes:
                rows += [MarketRow(ts_ns, recv_ns, LEVEL, *change, flags) for change in changes]
                rows[-1] = MarketRow(ts_ns, recv_ns, LEVEL, *changes[-1], flags | LAST)
            if rows:
                self._listener.book_changed(wanted.symbol, rows if changes else _ended(rows))

    def _on_trades(self, frame: TradeFrame) -> None:
        rows: dict[str, list[MarketRow]] = {}
        for trade in frame.data:
            wanted = self._wanted.get(("trade", trade.symbol))
            if wanted is None or trade.trade_id <= wanted.last_trade_id:
                continue
            missed = trade.trade_id - wanted.last_trade_id - 1
            if wanted.last_trade_id and missed and self._listener is not None:
                self._listener.trades_missed(trade.symbol, missed, self._heard_ns)
            wanted.last_trade_id = trade.trade_id
            instrument = self._instruments[trade.symbol]
            try:
                ticks, lots, ts_ns = (
                    instrument.ticks(trade.price),
                    instrument.lots(trade.qty),
                    moment_ns(trade.timestamp),
                )
            except WireError as error:
                self._tell_lost(wanted, f"a trade cannot be read: {error}")
                continue
            side = SIDES[trade.side]
            self._books[trade.symbol].traded(ticks, lots, side)
            row = MarketRow(ts_ns, self._heard_ns, TRADE, side, ticks, lots, 0, trade.trade_id)
            rows.setdefault(trade.symbol, []).append(row)
        for symbol, made in rows.items():
            if self._listener is not None:
                self._listener.traded(symbol, _ended(made))

    def _on_ticker(self, frame: TickerFrame) -> None:
        for told in frame.data:
            if ("ticker", told.symbol) in self._wanted and self._listener is not None:
                try:
                    quote = self._quote(told)
                except WireError:
                    continue  # the next one tells the same
                self._listener.quoted(told.symbol, quote)

    def _quote(self, told: Ticker) -> Quote:
        instrument = self._instruments[told.symbol]

        def ticks(price: Number) -> int | None:
            return instrument.ticks(price) or None

        return Quote(
            ts_event_ns=_moment(told.timestamp, self._heard_ns),
            ts_recv_ns=self._heard_ns,
            bid_ticks=ticks(told.bid),
            bid_lots=instrument.lots(told.bid_qty),
            ask_ticks=ticks(told.ask),
            ask_lots=instrument.lots(told.ask_qty),
            last_ticks=ticks(told.last),
            high_ticks=ticks(told.high),
            low_ticks=ticks(told.low),
            volume_lots=instrument.lots(told.volume),
            vwap=told.vwap.decimal,
        )


def _ended(rows: list[MarketRow]) -> list[MarketRow]:
    """The last row of a message is flagged so."""
    if rows:
        rows[-1] = rows[-1]._replace(flags=rows[-1].flags | LAST)
    return rows


def _moment(text: Maybe[str], default_ns: int) -> int:
    return default_ns if text is UNSET else moment_ns(text)
