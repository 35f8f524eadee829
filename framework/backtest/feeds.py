"""Market data on its way to the strategy: the kernel says what has been delivered, and those who subscribed are told.

``on_book`` subscribers get the compiled view. NautilusTrader's own subscriptions (quotes, trades, book deltas, and the
bars and indicators that its data engine makes of them) are served too; objects are made for what is subscribed, and for
nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import Clock as NautilusClock
from nautilus_trader.common.component import MessageBus
from nautilus_trader.data.client import MarketDataClient
from nautilus_trader.data.engine import DataEngine
from nautilus_trader.data.messages import (
    RequestInstrument,
    RequestInstruments,
    SubscribeInstrument,
    SubscribeInstruments,
    SubscribeOrderBook,
    SubscribeQuoteTicks,
    SubscribeTradeTicks,
    UnsubscribeInstrument,
    UnsubscribeInstruments,
    UnsubscribeOrderBook,
    UnsubscribeQuoteTicks,
    UnsubscribeTradeTicks,
)
from nautilus_trader.model.data import OrderBookDeltas, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, BookType
from nautilus_trader.model.identifiers import ClientId, InstrumentId, TradeId, Venue

from framework.backtest.book_deltas import BookDeltas
from framework.backtest.books import KernelBook, TradesBook
from framework.errors import ConfigError
from framework.execution.instruments import InstrumentBridge
from framework.protocol import BUY, SELL
from framework.strategy import Strategy
from framework.venue.kernel import FeedBook, FeedMode, MatchingKernel

__all__ = ["Feeds", "RunDataClient"]

_MS = 1_000_000

_MODES = {
    "touch": FeedMode.TOUCH,
    "price": FeedMode.TOUCH_PRICE,
    "change": FeedMode.EVERY,
    "interval": FeedMode.INTERVAL,
    "trade": FeedMode.TRADES,
}
_NAUTILUS_MODES = {"quotes": FeedMode.TOUCH, "trades": FeedMode.TRADES, "deltas": FeedMode.EVERY}

_AGGRESSORS = {BUY: AggressorSide.BUYER, SELL: AggressorSide.SELLER}


class Feeds:
    """Tells subscribers what the kernel has delivered.

    bridges: the instruments, in the kernel's order. trades_spread_ticks: see ``TradesBook``.
    """

    def __init__(
        self,
        kernel: MatchingKernel,
        bridges: Sequence[InstrumentBridge],
        data_engine: DataEngine,
        trades_spread_ticks: int = 1,
    ) -> None:
        self._kernel = kernel
        self._bridges = list(bridges)
        self._index = {bridge.instrument_id: index for index, bridge in enumerate(bridges)}
        self._data_engine = data_engine
        self.books = [
            TradesBook(view, bridge.spec, trades_spread_ticks)
            if market.depth == "trades"
            else KernelBook(view, bridge.spec)
            for market, view, bridge in zip(kernel.markets, kernel.books, bridges, strict=True)
        ]
        # By instrument: strategies and all modes that they asked for, and what NautilusTrader's data engine asked for.
        self._strategies: list[list[tuple[int, Strategy]]] = [[] for _ in bridges]
        self._modes = [FeedMode.NONE] * len(self._bridges)
        self._interval_ns = [0] * len(self._bridges)
        self._nautilus: list[set[str]] = [set() for _ in bridges]
        self._deltas: dict[int, BookDeltas] = {}
        self._trade_count = 0

    def book(self, instrument_id: InstrumentId) -> KernelBook:
        """The delivered book of an instrument."""
        return self.books[self._index[instrument_id]]

    def subscribe_book(self, strategy: Strategy, instrument_id: InstrumentId, on: str, interval_ms: int) -> None:
        """Have a strategy's ``on_book`` called, once for a message however many of its subscriptions want it.

        Raises ConfigError for an unknown mode or a missing interval.
        """
        if on not in _MODES:
            raise ConfigError(f"subscribe_book(on={on!r}): it must be one of {', '.join(_MODES)}")
        if on == "interval" and interval_ms <= 0:
            raise ConfigError("subscribe_book(on='interval') needs interval_ms above 0")
        index = self._index[instrument_id]
        mode = _MODES[on]
        if mode is not FeedMode.INTERVAL and self._kernel.markets[index].depth == "trades":
            mode = FeedMode.TRADES  # nothing else is ever told
        if on == "interval":
            known_ns = self._interval_ns[index]
            if known_ns not in (0, interval_ms * _MS):
                raise ConfigError(f"{instrument_id}: subscribed with intervals {known_ns // _MS} and {interval_ms} ms")
            self._interval_ns[index] = interval_ms * _MS
        asked = self._strategies[index]
        for number, (modes, known) in enumerate(asked):
            if known is strategy:
                asked[number] = (modes | int(mode), strategy)
                break
        else:
            asked.append((int(mode), strategy))
        self._ask(index, mode)

    def subscribe_nautilus(self, instrument_id: InstrumentId, what: str) -> None:
        """Serve NautilusTrader's data engine: "quotes", "trades" or "deltas"."""
        index = self._index[instrument_id]
        self._nautilus[index].add(what)
        self._ask(index, _NAUTILUS_MODES[what])

    def subscribe_deltas(self, instrument_id: InstrumentId, is_by_order: bool) -> None:
        """Serve NautilusTrader's data engine with a book's changes, the whole book first; by order where the market
        tells orders, else by level.
        """
        index = self._index[instrument_id]
        depth = self._kernel.markets[index].depth
        if depth == "trades":
            raise ConfigError(f"{instrument_id}: a market of trades has no book to subscribe to; use the trades")
        bridge, view = self._bridges[index], self._kernel.books[index]
        self._deltas[index] = BookDeltas(bridge, view, depth, is_by_order)
        self.subscribe_nautilus(instrument_id, "deltas")

    def unsubscribe_nautilus(self, instrument_id: InstrumentId, what: str) -> None:
        """Stop serving it."""
        self._nautilus[self._index[instrument_id]].discard(what)

    def deliver(self) -> None:
        """The kernel stopped because a message that somebody wants has been delivered."""
        index, modes = self._kernel.feed_stop_bits
        wanted = self._nautilus[index]
        if wanted:
            self._deliver_nautilus(index, modes, wanted)
        book = self.books[index]
        for mode, strategy in self._strategies[index]:
            if mode & modes:
                strategy.handle_book(book)

    def _ask(self, index: int, mode: FeedMode) -> None:
        self._modes[index] |= mode
        self._kernel.subscribe_feed(index, self._modes[index], self._interval_ns[index])

    # ------------------------------------------------------------------------------------------------- nautilus

    def _deliver_nautilus(self, index: int, modes: int, wanted: set[str]) -> None:
        bridge = self._bridges[index]
        view = self._kernel.books[index]
        process = self._data_engine.process
        now_ns = self._kernel.now_ns
        if "deltas" in wanted and modes & FeedMode.EVERY:
            deltas = self._deltas[index].take(now_ns)
            if deltas:
                process(OrderBookDeltas(bridge.instrument_id, deltas))
        if "quotes" in wanted and modes & FeedMode.TOUCH:
            bid_ticks, bid_lots, ask_ticks, ask_lots = view.touch()
            if bid_lots and ask_lots:
                bid, ask = bridge.price(bid_ticks), bridge.price(ask_ticks)
                sizes = bridge.qty(bid_lots), bridge.qty(ask_lots)
                process(QuoteTick(bridge.instrument_id, bid, ask, *sizes, view.ts_event_ns, now_ns))
        if "trades" in wanted and modes & FeedMode.TRADES:
            for tick in self._trades(view, bridge, now_ns):
                process(tick)

    def _trades(self, view: FeedBook, bridge: InstrumentBridge, now_ns: int) -> list[TradeTick]:
        columns = view.columns
        ticks = []
        for row in view.trade_rows().tolist():
            self._trade_count += 1
            ticks.append(
                TradeTick(
                    bridge.instrument_id,
                    bridge.price(int(columns.price_ticks[row])),
                    bridge.qty(int(columns.qty_lots[row])),
                    _AGGRESSORS.get(int(columns.side[row]), AggressorSide.NO_AGGRESSOR),
                    TradeId(str(self._trade_count)),
                    int(columns.ts_event_ns[row]),
                    now_ns,
                )
            )
        return ticks


class NautilusFeed(Protocol):
    """What serves NautilusTrader's data engine with what it has subscribed to, as ``Feeds`` does."""

    def subscribe_nautilus(self, instrument_id: InstrumentId, what: str) -> None: ...
    def subscribe_deltas(self, instrument_id: InstrumentId, is_by_order: bool) -> None: ...
    def unsubscribe_nautilus(self, instrument_id: InstrumentId, what: str) -> None: ...


class RunDataClient(MarketDataClient):
    """NautilusTrader's market data client: passes its subscriptions on."""

    def __init__(
        self,
        venue: str,
        bridges: Mapping[InstrumentId, InstrumentBridge],
        feeds: NautilusFeed,
        msgbus: MessageBus,
        cache: Cache,
        clock: NautilusClock,
    ) -> None:
        super().__init__(client_id=ClientId(venue), venue=Venue(venue), msgbus=msgbus, cache=cache, clock=clock)
        self._bridges = dict(bridges)
        self._feeds = feeds

    def subscribe_instrument(self, command: SubscribeInstrument) -> None:
        self._handle_data(self._bridges[command.instrument_id].instrument)

    def subscribe_instruments(self, command: SubscribeInstruments) -> None:
        for bridge in self._bridges.values():
            self._handle_data(bridge.instrument)

    def unsubscribe_instrument(self, command: UnsubscribeInstrument) -> None:
        """Instruments do not change in a run."""

    def unsubscribe_instruments(self, command: UnsubscribeInstruments) -> None:
        """Instruments do not change in a run."""

    def subscribe_quote_ticks(self, command: SubscribeQuoteTicks) -> None:
        self._feeds.subscribe_nautilus(command.instrument_id, "quotes")

    def unsubscribe_quote_ticks(self, command: UnsubscribeQuoteTicks) -> None:
        self._feeds.unsubscribe_nautilus(command.instrument_id, "quotes")

    def subscribe_trade_ticks(self, command: SubscribeTradeTicks) -> None:
        self._feeds.subscribe_nautilus(command.instrument_id, "trades")

    def unsubscribe_trade_ticks(self, command: UnsubscribeTradeTicks) -> None:
        self._feeds.unsubscribe_nautilus(command.instrument_id, "trades")

    def subscribe_order_book_deltas(self, command: SubscribeOrderBook) -> None:
        self._feeds.subscribe_deltas(command.instrument_id, command.book_type == BookType.L3_MBO)

    def unsubscribe_order_book_deltas(self, command: UnsubscribeOrderBook) -> None:
        self._feeds.unsubscribe_nautilus(command.instrument_id, "deltas")

    def request_instrument(self, request: RequestInstrument) -> None:
        bridge = self._bridges[request.instrument_id]
        self._handle_instrument(bridge.instrument, request.id, request.start, request.end, request.params or {})

    def request_instruments(self, request: RequestInstruments) -> None:
        instruments = [bridge.instrument for bridge in self._bridges.values()]
        self._handle_instruments(
            request.venue, instruments, request.id, request.start, request.end, request.params or {}
        )
