"""NautilusTrader's components for one simulation, put together without what grows with a run's history.

The components are NautilusTrader's own; two of them are replaced by subclasses that answer the same and do less:

- its cache pickles every closed position three times, to keep a copy; here the closed position itself is kept, which
  nobody changes any more, and the copy is made when somebody asks for it;
- its portfolio unpickles each of those at once, and its analyzer concatenates a Series at every closed position; here
  the first happens when a realized P&L is asked for, and the second not at all: the figures of a run are computed from
  the run folder.
"""

from __future__ import annotations

import pickle

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common import Environment
from nautilus_trader.common.component import remove_instance_component_clocks
from nautilus_trader.config import DataEngineConfig, ExecEngineConfig, RiskEngineConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.data.engine import DataEngine
from nautilus_trader.execution.emulator import OrderEmulator
from nautilus_trader.execution.engine import ExecutionEngine
from nautilus_trader.model.events import PositionEvent
from nautilus_trader.model.identifiers import AccountId, InstrumentId, PositionId, TraderId
from nautilus_trader.model.position import Position
from nautilus_trader.portfolio.portfolio import Portfolio
from nautilus_trader.risk.engine import RiskEngine
from nautilus_trader.trading.trader import Trader

from framework.backtest.clock import RunClock
from framework.backtest.run_bus import RunBus

__all__ = ["NautilusParts"]


class _PositionCache(Cache):
    """A cache that keeps closed positions as they are; their copies have the position's own id, without a suffix.

    is_hiding: say for now that there are none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_hiding = False
        self._closed: dict[PositionId, list[Position]] = {}
        self._copies: dict[PositionId, list[bytes]] = {}

    def snapshot_position(self, position: Position) -> None:
        self._closed.setdefault(position.id, []).append(position)

    def position_snapshot_bytes(self, position_id: PositionId) -> list[bytes]:
        copies = self._copies.setdefault(position_id, [])
        copies += [pickle.dumps(position) for position in self._closed.get(position_id, [])[len(copies) :]]
        return copies

    def position_snapshot_ids(
        self, instrument_id: InstrumentId | None = None, account_id: AccountId | None = None
    ) -> set[PositionId]:
        if self.is_hiding:
            return set()
        return {
            position_id
            for position_id, positions in self._closed.items()
            if instrument_id in (None, positions[0].instrument_id) and account_id in (None, positions[0].account_id)
        }

    def position_snapshots(
        self, position_id: PositionId | None = None, account_id: AccountId | None = None
    ) -> list[Position]:
        wanted = [position_id] if position_id is not None else list(self._closed)
        copies = [pickle.loads(each) for known in wanted for each in self.position_snapshot_bytes(known)]  # noqa: S301
        return [copy for copy in copies if account_id in (None, copy.account_id)]


class _Portfolio(Portfolio):
    """A portfolio that looks at closed positions when it is asked, not when they close."""

    def __init__(self, msgbus: RunBus, cache: _PositionCache, clock: RunClock) -> None:
        self._closed_positions = cache
        super().__init__(msgbus, cache, clock)
        self.analyzer.record_trade = _record_nothing

    def update_position(self, event: PositionEvent) -> None:
        self._closed_positions.is_hiding = True
        try:
            super().update_position(event)
        finally:
            self._closed_positions.is_hiding = False


class NautilusParts:
    """The components of NautilusTrader that a strategy runs on, with test clocks and without logging."""

    def __init__(self, trader_id: str) -> None:
        identifier = TraderId(trader_id)
        self._instance_id = UUID4()
        self.clock = RunClock()
        self.msgbus = RunBus(trader_id=identifier, clock=self.clock)
        self.cache = _PositionCache()
        self.portfolio = _Portfolio(self.msgbus, self.cache, self.clock)
        parts = {"msgbus": self.msgbus, "cache": self.cache, "clock": self.clock}
        self.data_engine = DataEngine(**parts, config=DataEngineConfig())
        risk = RiskEngineConfig(bypass=True)
        self.risk_engine = RiskEngine(portfolio=self.portfolio, **parts, config=risk)
        self.exec_engine = ExecutionEngine(**parts, config=ExecEngineConfig())
        self.emulator = OrderEmulator(portfolio=self.portfolio, **parts)
        for topic in ("events.order.*", "events.position.*"):  # it would only count them
            self.msgbus.unsubscribe(topic, self.risk_engine._handle_event)
        account_topic = "events.account.*"
        self.msgbus.passes_on = {
            self.portfolio.on_order_event: account_topic,
            self.portfolio.on_position_event: account_topic,
        }
        self.trader = Trader(
            trader_id=identifier,
            instance_id=self._instance_id,
            msgbus=self.msgbus,
            cache=self.cache,
            portfolio=self.portfolio,
            data_engine=self.data_engine,
            risk_engine=self.risk_engine,
            exec_engine=self.exec_engine,
            clock=self.clock,
            environment=Environment.BACKTEST,
        )

    def start(self) -> None:
        """Start the engines; strategies are started by whoever runs them."""
        for component in (self.data_engine, self.risk_engine, self.exec_engine, self.emulator):
            component.start()

    def let_go(self) -> None:
        """After a run: give up timers and subscriptions, so that nothing keeps the run's memory once it is let go of.

        NautilusTrader's clocks and message bus hold callbacks where Python's collector cannot see them, and a table of
        the process holds the clocks.
        """
        for clock in (self.clock, *(strategy.clock for strategy in self.trader.strategies())):
            clock.cancel_timers()
            clock.cancel_default_handler()
            clock.cancel_callbacks()
        remove_instance_component_clocks(self._instance_id)
        self.msgbus.dispose()


def _record_nothing(*args: object) -> None:
    """Stands in for NautilusTrader's analyzer of closed positions."""
