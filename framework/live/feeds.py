"""Live market data on its way to the strategy: as ``framework.backtest.feeds`` tells a simulated market.

Books and trades come from the adapter's market; who subscribed is told within the call that brought the message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
from nautilus_trader.data.engine import DataEngine
from nautilus_trader.model.identifiers import InstrumentId

from framework.adapter import LiveMarket
from framework.book import BookView
from framework.data.live_rows import MarketRow, Quote
from framework.errors import ConfigError
from framework.execution.instruments import InstrumentBridge
from framework.live.clock import LiveClock
from framework.live.touch_samples import TouchSamples
from framework.nautilus.market_objects import book_as_deltas, quote_tick, rows_as_deltas, trade_tick
from framework.strategy import Strategy

__all__ = ["LiveFeeds"]

_MS = 1_000_000
_ON = ("touch", "price", "change", "interval", "trade")


class _Asked:
    """One subscription of a strategy. told_ns: when it was told last. is_due: a call at the interval's end is due."""

    __slots__ = ("interval_ns", "is_due", "on", "strategy", "told_ns")

    def __init__(self, strategy: Strategy, on: str, interval_ns: int) -> None:
        self.strategy = strategy
        self.on = on
        self.interval_ns = interval_ns
        self.told_ns = 0
        self.is_due = False


class _Pair:
    """What is told of one instrument. touch: as it was told last."""

    __slots__ = ("asked", "book", "bridge", "is_delta_snapshot_due", "message_count", "nautilus", "touch")

    def __init__(self, bridge: InstrumentBridge, book: BookView) -> None:
        self.bridge = bridge
        self.book = book
        self.asked: list[_Asked] = []
        self.nautilus: set[str] = set()
        self.touch = (0, 0, 0, 0)
        self.is_delta_snapshot_due = False
        self.message_count = 0


class LiveFeeds:
    """Tells subscribers what the market has told; a ``framework.adapter.MarketListener``.

    say: is given what an operator should know.
    """

    def __init__(
        self,
        market: LiveMarket,
        bridges: Sequence[InstrumentBridge],
        data_engine: DataEngine,
        clock: LiveClock,
        say: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._data_engine = data_engine
        self._say = say
        self._pairs = {bridge.spec.symbol: _Pair(bridge, market.book(bridge.spec.symbol)) for bridge in bridges}
        self._by_id: Mapping[InstrumentId, _Pair] = {pair.bridge.instrument_id: pair for pair in self._pairs.values()}
        self._trade_count = 0
        self._samples = {symbol: TouchSamples(symbol) for symbol in self._pairs}

    @property
    def is_known(self) -> bool:
        """Whether every book has two sides."""
        return all(pair.book.bid_ticks is not None and pair.book.ask_ticks is not None for pair in self._pairs.values())

    def message_count(self, symbol: str) -> int:
        """How many messages of a pair have come."""
        return self._pairs[symbol].message_count

    # ------------------------------------------------------------------------------------------------- subscriptions

    def book(self, instrument_id: InstrumentId) -> BookView:
        """The book of an instrument as it has been told."""
        return self._by_id[instrument_id].book

    def subscribe_book(self, strategy: Strategy, instrument_id: InstrumentId, on: str, interval_ms: int) -> None:
        """Have a strategy's ``on_book`` called. Raises ConfigError for an unknown mode or a missing interval."""
        if on not in _ON:
            raise ConfigError(f"subscribe_book(on={on!r}): it must be one of {', '.join(_ON)}")
        if on == "interval" and interval_ms <= 0:
            raise ConfigError("subscribe_book(on='interval') needs interval_ms above 0")
        self._by_id[instrument_id].asked.append(_Asked(strategy, on, interval_ms * _MS))

    def subscribe_nautilus(self, instrument_id: InstrumentId, what: str) -> None:
        """Serve NautilusTrader's data engine: "quotes", "trades" or "deltas"."""
        self._by_id[instrument_id].nautilus.add(what)

    def subscribe_deltas(self, instrument_id: InstrumentId, is_by_order: bool) -> None:
        """Serve it with a book's changes by level, the whole book first."""
        self._by_id[instrument_id].is_delta_snapshot_due = True
        self.subscribe_nautilus(instrument_id, "deltas")

    def unsubscribe_nautilus(self, instrument_id: InstrumentId, what: str) -> None:
        """Stop serving it."""
        self._by_id[instrument_id].nautilus.discard(what)

    # ------------------------------------------------------------------------------------------------- told

    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        """A book has changed."""
        self._clock.enter(self._book_changed, self._pairs[symbol], rows)

    def traded(self, symbol: str, rows: list[MarketRow]) -> None:
        """Trades were made."""
        self._clock.enter(self._traded, self._pairs[symbol], rows)

    def quoted(self, symbol: str, quote: Quote) -> None:
        """Best prices; books tell them sooner."""

    def trades_missed(self, symbol: str, count: int, ts_recv_ns: int) -> None:
        """So many trades are not told."""
        self._say(f"{symbol}: {count} trades were missed")

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        """A book is empty until a snapshot follows: the strategy sees it."""
        self._say(f"{symbol}: market data lost: {reason}")
        if symbol in self._pairs:
            self._clock.enter(self._book_changed, self._pairs[symbol], [])

    def _book_changed(self, pair: _Pair, rows: list[MarketRow]) -> None:
        pair.message_count += 1
        touch, before = pair.book.touch(), pair.touch
        pair.touch = touch
        is_touch = touch != before
        is_price = (touch[0], touch[2]) != (before[0], before[2]) or bool(touch[1]) != bool(before[1])
        if pair.nautilus:
            self._tell_nautilus(pair, rows, is_touch=is_touch)
        now_ns = self._clock.now_ns
        told: list[Strategy] = []
        for asked in pair.asked:
            on = asked.on
            if on == "interval":
                self._at_interval(pair, asked, now_ns)
            elif (on == "change" or (on == "touch" and is_touch) or (on == "price" and is_price)) and (
                asked.strategy not in told
            ):
                told.append(asked.strategy)  # once for a message, however many of its subscriptions want it
                asked.strategy.handle_book(pair.book)

    def _at_interval(self, pair: _Pair, asked: _Asked, now_ns: int) -> None:
        if asked.is_due:
            return
        if now_ns - asked.told_ns >= asked.interval_ns:
            asked.told_ns = now_ns
            asked.strategy.handle_book(pair.book)
        else:
            asked.is_due = True
            self._clock.at(asked.told_ns + asked.interval_ns, self._interval_over, pair, asked)

    def _interval_over(self, pair: _Pair, asked: _Asked) -> None:
        asked.is_due = False
        asked.told_ns = self._clock.now_ns
        asked.strategy.handle_book(pair.book)

    def _traded(self, pair: _Pair, rows: list[MarketRow]) -> None:
        pair.message_count += 1
        bridge = pair.bridge
        if "trades" in pair.nautilus:
            for row in rows:
                self._trade_count += 1
                trade_id = row.trade_id or self._trade_count
                self._data_engine.process(trade_tick(bridge, row, trade_id, self._clock.now_ns))
        for strategy in dict.fromkeys(asked.strategy for asked in pair.asked if asked.on == "trade"):
            strategy.handle_book(pair.book)

    # ------------------------------------------------------------------------------------------------- nautilus

    def _tell_nautilus(self, pair: _Pair, rows: list[MarketRow], *, is_touch: bool) -> None:
        bridge, book, now_ns = pair.bridge, pair.book, self._clock.now_ns
        if "deltas" in pair.nautilus:
            if pair.is_delta_snapshot_due:
                pair.is_delta_snapshot_due = False
                deltas = book_as_deltas(bridge, book, now_ns)
            else:
                deltas = rows_as_deltas(bridge, rows, book.ts_event_ns, now_ns)
            if deltas is not None:
                self._data_engine.process(deltas)
        if "quotes" in pair.nautilus and is_touch:
            quote = quote_tick(bridge, pair.touch, book.ts_event_ns, now_ns)
            if quote is not None:
                self._data_engine.process(quote)

    # ------------------------------------------------------------------------------------------------- samples

    def sample(self) -> None:
        """Write down the best prices as they have been told."""
        now_ns = self._clock.now_ns
        for symbol, pair in self._pairs.items():
            self._samples[symbol].add(now_ns, pair.book)

    def touch_at(self, symbol: str, ts_ns: int) -> tuple[int | None, int | None]:
        """Best bid and ask as of the last sample by a time; None, None before the first."""
        return self._samples[symbol].at(ts_ns)

    def touch_table(self) -> pa.Table:
        """The samples, as ``TOUCH_SCHEMA``."""
        return pa.concat_tables([samples.table() for samples in self._samples.values()])
