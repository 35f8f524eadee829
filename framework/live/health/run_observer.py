"""Watches one run: what its desk sends and hears, what its market tells, and when bytes have left."""

from __future__ import annotations

from collections.abc import Callable

from framework.adapter import MarketListener
from framework.data.columns import CLEAR
from framework.data.live_rows import MarketRow, Quote
from framework.execution.link import DeskTee
from framework.live.health.log import EventLog, Level
from framework.live.health.tally import Tally
from framework.live.health.watched_desk import WatchedDesk
from framework.live.observer import Observer
from framework.trader.trader import Trader

__all__ = ["RunObserver", "WatchedMarket"]


class WatchedMarket(MarketListener):
    """A listener of the market that hands on to another one.

    Rows have the times of the run's clock at which their bytes had come. now_ns: that clock, once it is there.
    """

    def __init__(self, listener: MarketListener, tally: Tally, log: EventLog) -> None:
        self.now_ns: Callable[[], int] = lambda: 0
        self._listener = listener
        self._book_changed = listener.book_changed
        self._tally = tally
        self._stages = tally.stages
        self._log = log

    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        instrument, stages = self._tally.instruments[symbol], self._stages
        now_ns = self.now_ns()
        instrument.messages += 1
        instrument.heard_ns = now_ns
        if instrument.is_lost and rows and rows[0].kind == CLEAR:
            instrument.is_lost = False
            instrument.resyncs += 1
            self._log.put(Level.INFO, "market_resynced", {"symbol": symbol})
        in_ns = rows[0].ts_recv_ns if rows else now_ns
        stages.decode.note(now_ns - in_ns)
        stages.in_ns = in_ns
        stages.told_ns = now_ns
        try:
            self._book_changed(symbol, rows)
        finally:
            stages.in_ns = 0

    def traded(self, symbol: str, rows: list[MarketRow]) -> None:
        instrument, stages = self._tally.instruments[symbol], self._stages
        instrument.messages += 1
        instrument.heard_ns = stages.told_ns = self.now_ns()
        stages.in_ns = rows[0].ts_recv_ns
        try:
            self._listener.traded(symbol, rows)
        finally:
            stages.in_ns = 0

    def quoted(self, symbol: str, quote: Quote) -> None:
        self._listener.quoted(symbol, quote)

    def trades_missed(self, symbol: str, count: int, ts_recv_ns: int) -> None:
        self._tally.instruments[symbol].trades_missed += count
        self._log.put(Level.WARNING, "trades_missed", {"symbol": symbol, "count": count})
        self._listener.trades_missed(symbol, count, ts_recv_ns)

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        instrument = self._tally.instruments[symbol]
        instrument.losses += 1
        instrument.is_lost = True
        self._log.put(Level.WARNING, "market_lost", {"symbol": symbol, "why": reason})
        self._listener.market_lost(symbol, reason, ts_recv_ns)


class RunObserver(Observer):
    """Counts and logs what happens in one run. trader: the run's, once it is connected; None before.

    is_timed: time passes within a call, as it does live; in a simulation it does not, and stages have no length.
    """

    def __init__(self, log: EventLog, *, is_timed: bool) -> None:
        self.tally = Tally()
        self.trader: Trader | None = None
        self.is_timed = is_timed
        self._log = log
        self._desk: WatchedDesk | None = None
        self._market: WatchedMarket | None = None

    def desk(self, journal: DeskTee) -> DeskTee:
        self._desk = WatchedDesk(journal, self.tally, self._log, is_timed=self.is_timed)
        return self._desk

    def market(self, listener: MarketListener) -> MarketListener:
        self._market = WatchedMarket(listener, self.tally, self._log)
        return self._market

    def attend(self, trader: Trader, now_ns: Callable[[], int]) -> None:
        assert self._desk is not None
        self._log.now_ns = self._desk.now_ns = now_ns
        if self._market is not None:
            self._market.now_ns = now_ns
        self.trader = trader
        self._desk.in_flight = trader.desk.in_flight
        self._desk.specs = {bridge.spec.symbol: bridge.spec for bridge in trader.bridges()}
        for name in trader.desk.links:
            self.tally.roads[name]
        for symbol in self._desk.specs:
            self.tally.instruments[symbol]
        trader.desk.listen_sends(self._desk.left)

    def carry(self, symbol: str, lots: int, entry_ticks: int | None) -> None:
        instrument = self.tally.instruments[symbol]
        if entry_ticks is None:
            instrument.carried_lots = lots
        else:
            instrument.profit.fill(lots, entry_ticks)
        self._log.put(Level.INFO, "position_carried", {"symbol": symbol, "lots": lots, "entry_ticks": entry_ticks})
