"""A strategy on NautilusTrader's real kernel, a desk below it, and links that a test plays by hand.

Prices are in ticks of 0.1, quantities in lots of 0.0001.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from nautilus_trader.common import Environment
from nautilus_trader.config import DataEngineConfig, ExecEngineConfig, LoggingConfig, RiskEngineConfig
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.system.config import NautilusKernelConfig
from nautilus_trader.system.kernel import NautilusKernel

from framework.book import BookView
from framework.execution.events import RoadEvent
from framework.execution.instruments import InstrumentBridge
from framework.execution.nautilus_client import DeskExecutionClient
from framework.execution.policy import DeskPolicy
from framework.messages import AddOrder
from framework.protocol import InstrumentSpec
from framework.strategy import Strategy, StrategyConfig
from tests.framework.execution.desk_rig import START_NS, WS2_ROAD, Rig

SPEC = InstrumentSpec(
    symbol="BTC/USD", venue="synthetic", tick_size="0.1", lot_size="0.0001", min_qty_lots=1, cost_decimals=5
)


class Recorder(Strategy):
    """A strategy that remembers the events it hears; ``names`` are those of its orders."""

    def __init__(self, tag: str = "000") -> None:
        super().__init__(StrategyConfig(order_id_tag=tag))
        self.heard: list[Any] = []
        self.road: list[RoadEvent] = []

    def on_start(self) -> None:
        """Nothing to subscribe to."""

    def on_stop(self) -> None:
        """Nothing to undo."""

    def on_event(self, event: Any) -> None:
        self.heard.append(event)

    def handle_road_event(self, event: RoadEvent) -> None:
        self.road.append(event)
        super().handle_road_event(event)

    @property
    def names(self) -> list[str]:
        """The types of the order events heard, in order."""
        return [name for event in self.heard if (name := type(event).__name__).startswith("Order")]


class NautilusRig:
    """The kernel with one strategy, which is its own port; ``play`` gives it a desk over fresh links.

    client: the shell under test. strategy: started. rig: the desk and its links.
    """

    def __init__(self, strategy: Recorder | None = None) -> None:
        config = NautilusKernelConfig(
            environment=Environment.BACKTEST,
            trader_id="TIDEGATE-001",
            logging=LoggingConfig(bypass_logging=True),
            data_engine=DataEngineConfig(),
            risk_engine=RiskEngineConfig(bypass=True),
            exec_engine=ExecEngineConfig(),
        )
        self.kernel = NautilusKernel("tests", config)
        self.bridge_ = InstrumentBridge(SPEC, "TEST")
        self.kernel.cache.add_instrument(self.bridge_.instrument)
        self.balance_calls = 0
        self.client = DeskExecutionClient(
            "TEST",
            {SPEC.symbol: self.bridge_},
            {"USD": Decimal(100_000), "BTC": Decimal(10)},
            self.kernel.msgbus,
            self.kernel.cache,
            self.kernel.clock,
            self._on_road_event,
            self._schedule_balance,
        )
        self.kernel.exec_engine.register_client(self.client)
        self.strategy = Recorder() if strategy is None else strategy
        self.strategy.attach(self)
        self.kernel.trader.add_strategy(self.strategy)
        for clock in (self.kernel.clock, self.strategy.clock):
            clock.set_time(START_NS)
        for component in (self.kernel.data_engine, self.kernel.risk_engine, self.kernel.exec_engine):
            component.start()
        self.client.send_balances()
        self.strategy.start()
        self.play()

    def play(self, policy: DeskPolicy = WS2_ROAD) -> Rig:
        """A fresh desk over fresh links, all up."""
        self.rig = Rig(policy, listener=self.client)
        self.client.desk = self.rig.desk
        self.strategy.heard.clear()
        self.strategy.road.clear()
        return self.rig

    def dispose(self) -> None:
        """Let go of the kernel."""
        self.kernel.dispose()

    def _on_road_event(self, event: RoadEvent) -> None:
        self.strategy.handle_road_event(event)

    def _schedule_balance(self) -> None:
        self.balance_calls += 1

    # ------------------------------------------------------------------------------------------------- strategy port

    @property
    def btc(self) -> InstrumentId:
        """The instrument."""
        return self.bridge_.instrument_id

    def bridge(self, instrument_id: InstrumentId) -> InstrumentBridge:
        return self.bridge_

    def bridges(self) -> Sequence[InstrumentBridge]:
        return [self.bridge_]

    def book(self, instrument_id: InstrumentId) -> BookView:
        raise AssertionError("no book here")

    def subscribe_book(self, strategy: Strategy, instrument_id: InstrumentId, on: str, interval_ms: int) -> None:
        raise AssertionError("no book here")

    def reach(self, cl_ord_id: str) -> tuple[str, ...]:
        return self.rig.desk.orders[cl_ord_id].reach

    def rate_budget_used(self, symbol: str) -> float:
        return self.rig.desk.budget.used_share(symbol, self.rig.clock.now_ns)

    def watch_rate_budget(self, share: float) -> None:
        self.rig.desk.budget.watch(share)

    def arm_cancel_all_after(self, timeout_s: int, via: str | None) -> None:
        self.rig.desk.cancel_all_after(timeout_s, via)

    def validate(self, order: AddOrder, via: str | None) -> None:
        self.rig.desk.validate(order, via)
