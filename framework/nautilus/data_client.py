"""NautilusTrader's live data client over a venue's market data: what is subscribed is told as it comes, exactly.

Quotes, deltas and depth of a pair come from one book, whose checksum the adapter verifies at each message: a book that
was lost is told as cleared, and whole again when it is. Bars by LAST-EXTERNAL are the venue's candles; INTERNAL ones
NautilusTrader makes of quotes and trades.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.core.datetime import dt_to_unix_nanos
from nautilus_trader.data.messages import (
    RequestBars,
    RequestInstrument,
    RequestInstruments,
    RequestTradeTicks,
    SubscribeBars,
    SubscribeInstrument,
    SubscribeInstruments,
    SubscribeInstrumentStatus,
    SubscribeOrderBook,
    SubscribeQuoteTicks,
    SubscribeTradeTicks,
    UnsubscribeBars,
    UnsubscribeInstrument,
    UnsubscribeInstruments,
    UnsubscribeInstrumentStatus,
    UnsubscribeOrderBook,
    UnsubscribeQuoteTicks,
    UnsubscribeTradeTicks,
)
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import BarType, InstrumentStatus, OrderBookDepth10
from nautilus_trader.model.enums import BookType, MarketStatusAction
from nautilus_trader.model.identifiers import ClientId, InstrumentId, Venue

from framework.adapter import LiveVenue
from framework.data.live_rows import Candle, MarketRow, Quote
from framework.errors import ConfigError
from framework.execution.instruments import InstrumentBridge
from framework.nautilus.bars import CandleCloser, bar, interval_min
from framework.nautilus.connection import VenueConnection
from framework.nautilus.market_objects import (
    Touch,
    book_as_deltas,
    book_as_depth,
    quote_tick,
    rows_as_deltas,
    trade_tick,
)
from framework.nautilus.provider import VenueInstrumentProvider
from framework.protocol import VenueMode

__all__ = ["VenueDataClient"]

_NS = 10**9
# Trades of the past that are told where the request names no limit.
_PAST_TRADES = 1_000
_NO_TOUCH: Touch = (0, 0, 0, 0)
_ACTIONS = {
    VenueMode.ONLINE: MarketStatusAction.TRADING,
    VenueMode.LIMIT_ONLY: MarketStatusAction.TRADING,
    VenueMode.REDUCE_ONLY: MarketStatusAction.TRADING,
    VenueMode.POST_ONLY: MarketStatusAction.QUOTING,
    VenueMode.CANCEL_ONLY: MarketStatusAction.PAUSE,
    VenueMode.MAINTENANCE: MarketStatusAction.HALT,
}


class _Pair:
    """What is told of one instrument. touch: as it was told last. depth: of its book; 0 while none is subscribed."""

    __slots__ = ("bridge", "depth", "touch", "wants")

    def __init__(self, bridge: InstrumentBridge) -> None:
        self.bridge = bridge
        self.wants: set[str] = set()
        self.touch = _NO_TOUCH
        self.depth = 0


class VenueDataClient(LiveMarketDataClient):
    """The client of one venue; a ``framework.adapter.MarketListener`` and a ``FiguresListener``.

    name: of the client; its venue is the adapter's, in upper case. book_depths: how many levels a book may have,
    ascending; the first is that of quotes. order_depths: how many prices a book by order may have.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        name: str,
        connection: VenueConnection,
        provider: VenueInstrumentProvider,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
        book_depths: Sequence[int],
        order_depths: Sequence[int],
    ) -> None:
        super().__init__(
            loop=loop,
            client_id=ClientId(name),
            venue=Venue(connection.venue_name),
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=provider,
        )
        self._connection = connection
        self._provider = provider
        self._book_depths = tuple(book_depths)
        self._order_depths = tuple(order_depths)
        self._venue: LiveVenue | None = None
        self._pairs: dict[str, _Pair] = {}
        self._bars: dict[tuple[str, int], BarType] = {}
        self._closers: dict[tuple[str, int], CandleCloser] = {}
        # When the open candle of each is looked at next.
        self._ends_ns: dict[tuple[str, int], int] = {}
        self._is_figures_open = self._is_orders_open = False

    # ------------------------------------------------------------------------------------------------- life

    async def _connect(self) -> None:
        self._venue = venue = await self._connection.open()
        await self._provider.initialize()
        for instrument in self._provider.list_all():
            self._handle_data(instrument)
        venue.market.attach(self)
        venue.figures.attach_figures(self)
        if venue.orders is not None:
            venue.orders.attach(_Orders(self))
        venue.market.open()

    async def _disconnect(self) -> None:
        if self._venue is not None:
            self._venue.market.close()
            self._venue.figures.close()
            if self._venue.orders is not None:
                self._venue.orders.close()
            self._venue = None
            self._is_figures_open = self._is_orders_open = False
            await self._connection.close()

    # ------------------------------------------------------------------------------------------------- books

    async def _subscribe_quote_ticks(self, command: SubscribeQuoteTicks) -> None:
        pair = self._pair(command.instrument_id)
        pair.touch = _NO_TOUCH
        self._want_book(pair, "quotes", 0)
        self._tell_quote(pair, self._now_ns)

    async def _unsubscribe_quote_ticks(self, command: UnsubscribeQuoteTicks) -> None:
        self._leave_book(command.instrument_id, "quotes")

    async def _subscribe_order_book_deltas(self, command: SubscribeOrderBook) -> None:
        pair = self._pair(command.instrument_id)
        if command.book_type == BookType.L3_MBO:
            self._want_orders(pair, command.depth or 0)
            return
        if command.book_type != BookType.L2_MBP:
            raise ConfigError(f"{command.instrument_id}: books are L2_MBP or L3_MBO; best prices are quotes")
        is_known = self._want_book(pair, "deltas", command.depth or 0)
        if is_known:  # else its snapshot comes
            deltas = book_as_deltas(pair.bridge, self._connected.market.book(pair.bridge.spec.symbol), self._now_ns)
            if deltas is not None:
                self._handle_data(deltas)

    async def _unsubscribe_order_book_deltas(self, command: UnsubscribeOrderBook) -> None:
        pair = self._pair(command.instrument_id)
        if "orders" in pair.wants:
            pair.wants.discard("orders")
            if self._connected.orders is not None:
                self._connected.orders.unsubscribe(pair.bridge.spec.symbol)
        self._leave_book(command.instrument_id, "deltas")

    async def _subscribe_order_book_depth(self, command: SubscribeOrderBook) -> None:
        pair = self._pair(command.instrument_id)
        if command.book_type == BookType.L3_MBO:
            raise ConfigError(f"{command.instrument_id}: depth is of levels; subscribe to deltas for single orders")
        self._want_book(pair, "depth", command.depth or 0)

    async def _unsubscribe_order_book_depth(self, command: UnsubscribeOrderBook) -> None:
        self._leave_book(command.instrument_id, "depth")

    def _want_book(self, pair: _Pair, what: str, depth: int) -> bool:
        """Have a book of so many levels at least told; whether it is there already."""
        market, symbol = self._connected.market, pair.bridge.spec.symbol
        pair.wants.add(what)
        needed = next((each for each in self._book_depths if each >= depth), self._book_depths[-1])
        if depth > needed:
            self._log.warning(f"{symbol}: there is no book of {depth} levels, but one of {needed}")
        if needed > pair.depth:
            if pair.depth:
                market.unsubscribe(symbol, "book")
            pair.depth = needed
            market.subscribe(symbol, "book", needed)
        return market.book(symbol).touch() != _NO_TOUCH

    def _leave_book(self, instrument_id: InstrumentId, what: str) -> None:
        pair = self._pair(instrument_id)
        pair.wants.discard(what)
        if pair.depth and not pair.wants & {"quotes", "deltas", "depth"}:
            pair.depth = 0
            self._connected.market.unsubscribe(pair.bridge.spec.symbol, "book")

    def _want_orders(self, pair: _Pair, depth: int) -> None:
        orders = self._connected.orders
        if orders is None:
            raise ConfigError(f"{pair.bridge.instrument_id}: single orders need an API key; give 'credentials'")
        needed = next((each for each in self._order_depths if each >= depth), self._order_depths[-1])
        pair.wants.add("orders")
        orders.subscribe(pair.bridge.spec.symbol, needed)
        if not self._is_orders_open:
            self._is_orders_open = True
            orders.open()

    # ------------------------------------------------------------------------------------------------- trades, bars

    async def _subscribe_trade_ticks(self, command: SubscribeTradeTicks) -> None:
        pair = self._pair(command.instrument_id)
        pair.wants.add("trades")
        self._connected.market.subscribe(pair.bridge.spec.symbol, "trade")

    async def _unsubscribe_trade_ticks(self, command: UnsubscribeTradeTicks) -> None:
        pair = self._pair(command.instrument_id)
        pair.wants.discard("trades")
        self._connected.market.unsubscribe(pair.bridge.spec.symbol, "trade")

    async def _subscribe_bars(self, command: SubscribeBars) -> None:
        bar_type = command.bar_type
        pair, minutes = self._pair(bar_type.instrument_id), interval_min(bar_type)
        key = pair.bridge.spec.symbol, minutes
        self._open_figures().subscribe_candles(*key)
        self._bars[key] = bar_type
        self._closers[key] = CandleCloser()

    async def _unsubscribe_bars(self, command: UnsubscribeBars) -> None:
        key = self._pair(command.bar_type.instrument_id).bridge.spec.symbol, interval_min(command.bar_type)
        if self._bars.pop(key, None) is not None:
            del self._closers[key]
            self._ends_ns.pop(key, None)
            self._connected.figures.unsubscribe_candles(*key)

    def _open_figures(self) -> Any:
        figures = self._connected.figures
        if not self._is_figures_open:
            self._is_figures_open = True
            figures.open()
        return figures

    # ------------------------------------------------------------------------------------------------- instruments

    async def _subscribe_instrument_status(self, command: SubscribeInstrumentStatus) -> None:
        pair = self._pair(command.instrument_id)
        self._open_figures().subscribe_state(pair.bridge.spec.symbol)

    async def _unsubscribe_instrument_status(self, command: UnsubscribeInstrumentStatus) -> None:
        self._connected.figures.unsubscribe_state(self._pair(command.instrument_id).bridge.spec.symbol)

    async def _subscribe_instruments(self, command: SubscribeInstruments) -> None:
        for instrument in self._provider.list_all():
            self._handle_data(instrument)

    async def _subscribe_instrument(self, command: SubscribeInstrument) -> None:
        self._handle_data(self._pair(command.instrument_id).bridge.instrument)

    async def _unsubscribe_instruments(self, command: UnsubscribeInstruments) -> None:
        """They do not change while a node runs."""

    async def _unsubscribe_instrument(self, command: UnsubscribeInstrument) -> None:
        """It does not change while a node runs."""

    async def _request_instrument(self, request: RequestInstrument) -> None:
        await self._provider.load_async(request.instrument_id)
        instrument = self._provider.find(request.instrument_id)
        if instrument is not None:
            self._handle_instrument(instrument, request.id, request.start, request.end, request.params)

    async def _request_instruments(self, request: RequestInstruments) -> None:
        instruments = self._provider.list_all()
        self._handle_instruments(self.venue, instruments, request.id, request.start, request.end, request.params)

    async def _request_trade_ticks(self, request: RequestTradeTicks) -> None:
        bridge = self._pair(request.instrument_id).bridge
        since_ns = 0 if request.start is None else dt_to_unix_nanos(request.start)
        rows = await self._connected.past_trades(bridge.spec.symbol, since_ns, request.limit or _PAST_TRADES)
        if request.end is not None:
            end_ns = dt_to_unix_nanos(request.end)
            rows = [row for row in rows if row.ts_event_ns <= end_ns]
        ticks = [trade_tick(bridge, row, row.trade_id, self._now_ns) for row in rows]
        self._handle_trade_ticks(request.instrument_id, ticks, request.id, request.start, request.end, request.params)

    async def _request_bars(self, request: RequestBars) -> None:
        bar_type = request.bar_type
        bridge, minutes = self._pair(bar_type.instrument_id).bridge, interval_min(bar_type)
        since_ns = 0 if request.start is None else dt_to_unix_nanos(request.start)
        candles = await self._connected.past_candles(bridge.spec.symbol, minutes, since_ns)
        now_ns = self._now_ns
        if candles and candles[-1].end_ns > now_ns:
            candles = candles[:-1]  # the last one is open still
        if request.end is not None:
            end_ns = dt_to_unix_nanos(request.end)
            candles = [candle for candle in candles if candle.end_ns <= end_ns]
        bars = [bar(bar_type, candle, bridge, now_ns) for candle in candles]
        if request.limit:
            bars = bars[-request.limit :]
        self._handle_bars(bar_type, bars, request.id, request.start, request.end, request.params)

    # ------------------------------------------------------------------------------------------------- told

    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        """A book by level has changed; no rows: it is not known any more."""
        pair, now_ns = self._pairs[symbol], self._now_ns
        book = self._connected.market.book(symbol)
        if "deltas" in pair.wants:
            deltas = rows_as_deltas(pair.bridge, rows, book.ts_event_ns, now_ns)
            if deltas is not None:
                self._handle_data(deltas)
        if "depth" in pair.wants and rows:
            depth: OrderBookDepth10 = book_as_depth(pair.bridge, book, now_ns)
            self._handle_data(depth)
        self._tell_quote(pair, now_ns)

    def traded(self, symbol: str, rows: list[MarketRow]) -> None:
        """Trades were made."""
        pair = self._pairs[symbol]
        for row in rows:
            self._handle_data(trade_tick(pair.bridge, row, row.trade_id, self._now_ns))

    def quoted(self, symbol: str, quote: Quote) -> None:
        """Best prices; books tell them sooner."""

    def trades_missed(self, symbol: str, count: int, ts_recv_ns: int) -> None:
        """So many trades are not told."""
        self._log.warning(f"{symbol}: {count} trades were missed")

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        """A book is empty until a snapshot follows: who keeps it by deltas is told."""
        self._log.warning(f"{symbol}: market data lost: {reason}")
        if symbol in self._pairs:
            self.book_changed(symbol, [])

    def orders_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        """A book by order has changed; no rows: it is not known any more."""
        pair, now_ns = self._pairs[symbol], self._now_ns
        if "orders" in pair.wants:
            deltas = rows_as_deltas(pair.bridge, rows, rows[-1].ts_event_ns if rows else now_ns, now_ns)
            if deltas is not None:
                self._handle_data(deltas)

    def candles_changed(self, symbol: str, interval_min: int, candles: Sequence[Candle], *, is_snapshot: bool) -> None:
        """Candles as they are now."""
        key = symbol, interval_min
        closer = self._closers.get(key)
        if closer is not None:
            self._tell_bars(key, closer.add(candles, self._now_ns, is_snapshot=is_snapshot))
            self._await_end(key, closer)

    def pair_state(self, symbol: str, mode: VenueMode | None, words: str, ts_recv_ns: int) -> None:
        """What a pair is open to."""
        action = MarketStatusAction.NOT_AVAILABLE_FOR_TRADING if mode is None else _ACTIONS[mode]
        is_trading = action == MarketStatusAction.TRADING
        is_quoting = is_trading or action == MarketStatusAction.QUOTING
        self._handle_data(
            InstrumentStatus(
                self._pairs[symbol].bridge.instrument_id,
                action,
                ts_recv_ns,
                self._now_ns,
                reason=words,
                is_trading=is_trading,
                is_quoting=is_quoting,
            )
        )

    def figures_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        """Candles or states have a gap, or cannot be had."""
        self._log.warning(f"{symbol or 'instruments'}: {reason}")

    # ------------------------------------------------------------------------------------------------- within

    @property
    def _now_ns(self) -> int:
        now_ns: int = self._clock.timestamp_ns()
        return now_ns

    @property
    def _connected(self) -> LiveVenue:
        if self._venue is None:
            raise ConfigError(f"{self.id}: not connected")
        return self._venue

    def _pair(self, instrument_id: InstrumentId) -> _Pair:
        """What is told of an instrument. Raises ConfigError for one that has not been loaded."""
        bridge = self._provider.bridges.get(instrument_id)
        if bridge is None:
            raise ConfigError(f"{instrument_id} is not loaded; name it in the instrument provider's load_ids")
        return self._pairs.setdefault(bridge.spec.symbol, _Pair(bridge))

    def _tell_quote(self, pair: _Pair, now_ns: int) -> None:
        if "quotes" not in pair.wants:
            return
        book = self._connected.market.book(pair.bridge.spec.symbol)
        touch = book.touch()
        if touch != pair.touch:
            pair.touch = touch
            quote = quote_tick(pair.bridge, touch, book.ts_event_ns, now_ns)
            if quote is not None:
                self._handle_data(quote)

    def _tell_bars(self, key: tuple[str, int], over: Sequence[Candle]) -> None:
        bar_type, bridge = self._bars[key], self._pairs[key[0]].bridge
        for candle in over:
            self._handle_data(bar(bar_type, candle, bridge, self._now_ns))

    def _await_end(self, key: tuple[str, int], closer: CandleCloser) -> None:
        """See to it that a candle's end is told though no trade follows."""
        due_ns = closer.due_ns
        if due_ns is None or self._ends_ns.get(key) == due_ns:
            return
        self._ends_ns[key] = due_ns

        def end() -> None:
            if self._closers.get(key) is closer:
                self._tell_bars(key, closer.due(self._now_ns))

        self._loop.call_later(max(0, due_ns - self._now_ns) / _NS + 0.001, end)


class _Orders:
    """Hears of books by order; what they have in common with books by level is told the same way."""

    def __init__(self, client: VenueDataClient) -> None:
        self.book_changed: Callable[[str, list[MarketRow]], None] = client.orders_changed
        self._client = client

    def traded(self, symbol: str, rows: list[MarketRow]) -> None:
        """Never told of orders."""

    def quoted(self, symbol: str, quote: Quote) -> None:
        """Never told of orders."""

    def trades_missed(self, symbol: str, count: int, ts_recv_ns: int) -> None:
        """Never told of orders."""

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        """A book is empty until a snapshot follows."""
        self._client.figures_lost(symbol, f"the orders of the book are lost: {reason}", ts_recv_ns)
        self._client.orders_changed(symbol, [])
