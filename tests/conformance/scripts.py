"""Scripts of orders that several engines can play on one market, and what they filled.

An action happens at its own time, when all rows of the market up to then have happened; commands take no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from nautilus_trader.model.enums import LiquiditySide, OrderSide, TimeInForce
from nautilus_trader.trading.config import StrategyConfig as NautilusStrategyConfig
from nautilus_trader.trading.strategy import Strategy as NautilusStrategy

from adapters.kraken.profile import PROFILE
from framework.backtest.config import (
    AccountSection,
    MarketSection,
    RoadSection,
    RunConfig,
    RunSection,
    StrategySection,
    VenueSection,
)
from framework.backtest.runner import Backtest
from framework.data.columns import Market
from framework.execution.instruments import InstrumentBridge
from framework.protocol import BUY, LatencySpec
from framework.strategy import Strategy, StrategyConfig
from tests.benchmarks.tidegate_side import profile_with
from tests.conformance.nautilus_rows import VENUE, nautilus_data, nautilus_engine

__all__ = [
    "Action",
    "Done",
    "cancel",
    "limit",
    "market_order",
    "merged",
    "play_here",
    "play_here_with",
    "play_on_nautilus",
    "reduce",
]


class Action(NamedTuple):
    """kind: "limit", "market", "cancel" or "reduce" (to ``qty_lots`` in all); key: the script's name of the order."""

    at_ns: int
    kind: str
    key: int
    side: int = BUY
    price_ticks: int = 0
    qty_lots: int = 0
    is_ioc: bool = False
    is_post_only: bool = False


class Done(NamedTuple):
    """A fill as the venue made it; at_ns is the venue's time, even where the strategy learns of it later."""

    key: int
    at_ns: int
    price_ticks: int
    qty_lots: int
    is_maker: bool


def limit(at_ns: int, key: int, side: int, price_ticks: int, qty_lots: int, **options: bool) -> Action:
    """A limit order, good till canceled unless ``is_ioc``."""
    return Action(at_ns, "limit", key, side, price_ticks, qty_lots, **options)


def market_order(at_ns: int, key: int, side: int, qty_lots: int) -> Action:
    """A market order."""
    return Action(at_ns, "market", key, side, 0, qty_lots)


def cancel(at_ns: int, key: int) -> Action:
    """A cancel of an earlier order of the script."""
    return Action(at_ns, "cancel", key)


def reduce(at_ns: int, key: int, qty_lots: int) -> Action:
    """An earlier order of the script is amended to a smaller quantity."""
    return Action(at_ns, "reduce", key, qty_lots=qty_lots)


def merged(fills: Sequence[Done]) -> list[Done]:
    """Fills of one order at one time, price and role as one, by time and order, else as they came."""
    sums: dict[tuple[int, int, int, bool], int] = {}
    for fill in fills:
        at = (fill.at_ns, fill.key, fill.price_ticks, fill.is_maker)
        sums[at] = sums.get(at, 0) + fill.qty_lots
    return [
        Done(key, at_ns, price, lots, maker)
        for (at_ns, key, price, maker), lots in sorted(sums.items(), key=lambda item: item[0][:2])
    ]


class _Actor:
    """What both strategies have in common: both are NautilusTrader strategies."""

    def __init__(self, script: Sequence[Action], bridge: InstrumentBridge | None) -> None:
        self.script = script
        self.bridge_used = bridge
        self.orders: dict[int, Any] = {}
        self.keys: dict[str, int] = {}
        self.fills: list[Done] = []
        self.learned: list[tuple[int, int]] = []  # order and when the strategy heard of each fill

    def start(self, strategy: Any) -> None:
        for index, action in enumerate(self.script):
            strategy.clock.set_time_alert_ns(
                f"action-{index}", action.at_ns, lambda _, action=action: self.act(strategy, action)
            )

    def act(self, strategy: Any, action: Action) -> None:
        bridge = self.bridge_used
        assert bridge is not None
        if action.kind == "cancel":
            order = self.orders[action.key]
            if not order.is_closed:
                strategy.cancel_order(order)
            return
        qty = bridge.qty(action.qty_lots)
        if action.kind == "reduce":
            strategy.modify_order(self.orders[action.key], quantity=qty)
            return
        side = OrderSide.BUY if action.side == BUY else OrderSide.SELL
        if action.kind == "market":
            order = strategy.order_factory.market(bridge.instrument_id, side, qty)
        else:
            order = strategy.order_factory.limit(
                bridge.instrument_id,
                side,
                qty,
                bridge.price(action.price_ticks),
                time_in_force=TimeInForce.IOC if action.is_ioc else TimeInForce.GTC,
                post_only=action.is_post_only,
            )
        self.orders[action.key] = order
        self.keys[order.client_order_id.value] = action.key
        strategy.submit_order(order)

    def filled(self, event: Any, now_ns: int) -> None:
        assert self.bridge_used is not None
        self.learned.append((self.keys[event.client_order_id.value], now_ns))
        self.fills.append(
            Done(
                self.keys[event.client_order_id.value],
                event.ts_event,
                self.bridge_used.ticks(event.last_px),
                self.bridge_used.lots(event.last_qty),
                event.liquidity_side == LiquiditySide.MAKER,
            )
        )


class _Here(Strategy):
    def __init__(self, actor: _Actor) -> None:
        super().__init__(StrategyConfig())
        self._actor = actor

    def on_start(self) -> None:
        self._actor.bridge_used = self.bridge(self.instrument_ids[0])
        self._actor.start(self)

    def on_order_filled(self, event: Any) -> None:
        self._actor.filled(event, self.clock.timestamp_ns())


class _There(NautilusStrategy):
    def __init__(self, actor: _Actor) -> None:
        super().__init__(NautilusStrategyConfig(log_events=False, log_commands=False))
        self._actor = actor

    def on_start(self) -> None:
        self._actor.start(self)

    def on_order_filled(self, event: Any) -> None:
        self._actor.filled(event, self.clock.timestamp_ns())


def play_here(market: Market, script: Sequence[Action]) -> list[Done]:
    """The fills of a script on this framework's whole stack, without latency."""
    return play_here_with(market, script)[0]


def play_here_with(
    market: Market,
    script: Sequence[Action],
    *,
    latency_us: float = 0.0,
    queue_model: str = "risk-averse",
    queue_parameter: float = 1.0,
) -> tuple[list[Done], list[tuple[int, int]]]:
    """The fills of a script on the whole stack, and when the strategy learned of each: (order, time).

    latency_us: of each command and of each response.
    """
    actor = _Actor(script, None)
    config = RunConfig(
        strategy=StrategySection(path="scripts.py"),
        run=RunSection(seed=1, queue_sample_ms=0),
        market=MarketSection(queue_model=queue_model, queue_parameter=queue_parameter),
        venue=VenueSection(tier="pro"),
        account=AccountSection(balances={market.spec.base: "1000000000", market.spec.quote: "1000000000"}),
        road=RoadSection(name="ws2"),
    )
    profile = profile_with(PROFILE, LatencySpec(kind="constant", median_us=latency_us))
    backtest = Backtest(config, markets=[market], strategy=_Here(actor), profile=profile)
    backtest.run()
    backtest.venue.check_invariants()
    return merged(actor.fills), actor.learned


def play_on_nautilus(market: Market, script: Sequence[Action]) -> list[Done]:
    """The fills of a script on NautilusTrader's engine, its queue positions and liquidity consumption on."""
    actor = _Actor(script, InstrumentBridge(market.spec, VENUE))
    engine = nautilus_engine(market, nautilus_data(market))
    engine.add_strategy(_There(actor))
    engine.run()
    engine.dispose()
    return merged(actor.fills)
