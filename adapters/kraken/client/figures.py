"""Candles and the state of pairs over WebSocket v2, on a connection of their own.

The engine's mode is told on every connection, and goes before that of a pair where it is not open to everything.
Sources: websocket-v2/ohlc, instrument, status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.feed import Feed, FeedSubscription
from adapters.kraken.client.instruments import Instrument, Instruments
from adapters.kraken.client.streams import Connect
from adapters.kraken.client.times import epoch_ns, moment_ns
from adapters.kraken.errors import SymbolError
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.rest import public
from adapters.kraken.wire.ws2 import requests as wire
from adapters.kraken.wire.ws2.market import Candle as WireCandle
from adapters.kraken.wire.ws2.market import InstrumentFrame, OhlcFrame, StatusFrame
from adapters.kraken.words import MODES
from framework.adapter import FiguresListener
from framework.data.columns import LAST, TRADE
from framework.data.live_rows import Candle, MarketRow
from framework.errors import ConfigError
from framework.execution.link import Clock
from framework.protocol import BUY, SELL, VenueMode

__all__ = ["INTERVALS_MIN", "Figures", "past_candle", "past_trade"]

INTERVALS_MIN = (1, 5, 15, 30, 60, 240, 1_440, 10_080, 21_600)
_MINUTE_NS = 60 * 10**9
_STATE = "instrument"


class _Candles(FeedSubscription):
    """The candles of one pair at one interval."""

    def __init__(self, symbol: str, interval_min: int, seed: int) -> None:
        super().__init__(symbol, "ohlc", 0, seed)
        self.interval_min = interval_min

    def params(self) -> wire.Subscription:
        return wire.Subscription(self.channel, symbol=[self.symbol], interval=self.interval_min)


class _States(FeedSubscription):
    """The state of all pairs."""

    def __init__(self, seed: int) -> None:
        super().__init__("", _STATE, 0, seed)

    def params(self) -> wire.Subscription:
        return wire.Subscription(self.channel)


class Figures(Feed):
    """One connection of candles and states; a ``framework.adapter.LiveFigures``."""

    def __init__(self, instruments: Instruments, clock: Clock, connect: Connect, backoff: BackOff) -> None:
        """connect: to the host of public messages; its streams carry whole messages."""
        super().__init__(instruments, clock, connect, backoff)
        self._hearer: FiguresListener | None = None
        self._engine = "online"
        # The venue's word for each pair, as told last, of all of them; and those that are asked for.
        self._words: dict[str, str] = {}
        self._asked: set[str] = set()

    def attach_figures(self, listener: FiguresListener) -> None:
        """Say who hears."""
        self._hearer = listener

    # ------------------------------------------------------------------------------------------------- wanted

    def subscribe_candles(self, symbol: str, interval_min: int) -> None:
        """Have the candles of a pair told. Raises ConfigError for an interval, SymbolError for a pair there is not."""
        if interval_min not in INTERVALS_MIN:
            known = ", ".join(map(str, INTERVALS_MIN))
            raise ConfigError(f"candles of {interval_min} minutes: there are those of {known}")
        symbol = self._instruments[symbol].spec.symbol
        self._add(_key(interval_min), symbol, _Candles(symbol, interval_min, len(self._wanted)))

    def unsubscribe_candles(self, symbol: str, interval_min: int) -> None:
        """Have no more of them told."""
        self._drop(_key(interval_min), symbol)

    def subscribe_state(self, symbol: str) -> None:
        """Have it told what a pair is open to. Raises SymbolError for a pair that there is not."""
        self._asked.add(self._instruments[symbol].spec.symbol)
        self._add(_STATE, "", _States(len(self._wanted)))
        if symbol in self._words:
            self._tell_state(symbol)

    def unsubscribe_state(self, symbol: str) -> None:
        """Have no more of it told."""
        self._asked.discard(symbol)
        if not self._asked:
            self._drop(_STATE, "")
            self._words.clear()

    def _add(self, channel: str, symbol: str, wanted: FeedSubscription) -> None:
        if (channel, symbol) not in self._wanted:
            self._wanted[channel, symbol] = wanted
            if self._is_open:
                self._ask(wanted)

    def _drop(self, channel: str, symbol: str) -> None:
        wanted = self._wanted.pop((channel, symbol), None)
        if wanted is not None and self._is_open:
            self._part(wanted)

    # ------------------------------------------------------------------------------------------------- channels

    def _channel_handlers(self) -> Mapping[type, Callable[[Any], None]]:
        return {OhlcFrame: self._on_candles, InstrumentFrame: self._on_states, StatusFrame: self._on_engine}

    def _forget(self, wanted: FeedSubscription) -> None:
        """Nothing is kept of candles; states stay as they were told last."""

    def _on_candles(self, frame: OhlcFrame) -> None:
        told: dict[tuple[str, int], list[Candle]] = {}
        for row in frame.data:
            if (_key(row.interval), row.symbol) not in self._wanted or self._hearer is None:
                continue
            try:
                candle = _candle(row, self._instruments[row.symbol])
            except (WireError, SymbolError) as error:
                self._hearer.figures_lost(row.symbol, f"a candle cannot be read: {error}", self._heard_ns)
                continue
            told.setdefault((row.symbol, row.interval), []).append(candle)
        for (symbol, interval_min), candles in told.items():
            assert self._hearer is not None
            self._hearer.candles_changed(symbol, interval_min, candles, is_snapshot=frame.type == "snapshot")

    def _on_states(self, frame: InstrumentFrame) -> None:
        for pair in frame.data.pairs:
            if self._words.get(pair.symbol) != pair.status:
                self._words[pair.symbol] = pair.status
                self._tell_state(pair.symbol)

    def _on_engine(self, frame: StatusFrame) -> None:
        for status in frame.data:
            if isinstance(status.system, str) and status.system != self._engine:
                self._engine = status.system
                for symbol in self._words:
                    self._tell_state(symbol)

    def _tell_state(self, symbol: str) -> None:
        if self._hearer is None or symbol not in self._asked:
            return
        words = self._words[symbol] if self._engine == "online" else self._engine
        mode: VenueMode | None = MODES.get(words)
        self._hearer.pair_state(symbol, mode, words, self._heard_ns)

    def _tell_reason(self, symbol: str, reason: str) -> None:
        if self._hearer is not None:
            self._hearer.figures_lost(symbol, reason, self._heard_ns)


def past_candle(row: public.Candle, interval_min: int, instrument: Instrument) -> Candle:
    """A candle of REST. Raises WireError for prices or quantities off the grid."""
    begin_ns = row.time * 10**9
    return Candle(
        begin_ns=begin_ns,
        end_ns=begin_ns + interval_min * _MINUTE_NS,
        open_ticks=instrument.ticks(row.open),
        high_ticks=instrument.ticks(row.high),
        low_ticks=instrument.ticks(row.low),
        close_ticks=instrument.ticks(row.close),
        volume_lots=instrument.lots(row.volume),
        trade_count=row.count,
    )


def past_trade(row: public.Trade, instrument: Instrument, recv_ns: int) -> MarketRow:
    """A trade of REST. Raises WireError for a price or a quantity off the grid."""
    side = BUY if row.side == "b" else SELL
    ticks, lots = instrument.ticks(row.price), instrument.lots(row.volume)
    return MarketRow(epoch_ns(row.time), recv_ns, TRADE, side, ticks, lots, LAST, row.trade_id)


def _key(interval_min: int) -> str:
    """Under which the candles of an interval are wanted; a channel has one subscription for each."""
    return f"ohlc-{interval_min}"


def _candle(row: WireCandle, instrument: Instrument) -> Candle:
    begin_ns = moment_ns(row.interval_begin)
    return Candle(
        begin_ns=begin_ns,
        end_ns=begin_ns + row.interval * _MINUTE_NS,
        open_ticks=instrument.ticks(row.open),
        high_ticks=instrument.ticks(row.high),
        low_ticks=instrument.ticks(row.low),
        close_ticks=instrument.ticks(row.close),
        volume_lots=instrument.lots(row.volume),
        trade_count=int(row.trades.decimal),
    )
