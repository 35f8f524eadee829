"""NautilusTrader's components for one run, put together without what grows with a run's history."""

from __future__ import annotations

from nautilus_trader.common import Environment
from nautilus_trader.common.component import remove_instance_component_clocks
from nautilus_trader.config import DataEngineConfig, ExecEngineConfig, RiskEngineConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.data.engine import DataEngine
from nautilus_trader.execution.emulator import OrderEmulator
from nautilus_trader.execution.engine import ExecutionEngine
from nautilus_trader.model.identifiers import TraderId
from nautilus_trader.risk.engine import RiskEngine
from nautilus_trader.trading.trader import Trader

from framework.trader.clock import RunClock
from framework.trader.positions import PositionCache, RunPortfolio
from framework.trader.run_bus import RunBus

__all__ = ["NautilusParts"]


class NautilusParts:
    """The components of NautilusTrader that a strategy runs on, with test clocks and without logging."""

    def __init__(self, trader_id: str) -> None:
        identifier = TraderId(trader_id)
        self._instance_id = UUID4()
        self.clock = RunClock()
        self.msgbus = RunBus(trader_id=identifier, clock=self.clock)
        self.cache = PositionCache()
        self.portfolio = RunPortfolio(self.msgbus, self.cache, self.clock)
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
