"""The same market, strategy and latencies, by messages and by bytes on the wire: the same fills, the same events.

By messages it is the simulation of a backtest; on the wire the live run (``framework.live.node``) on the links to the
served venue, market data included, in virtual time. The strategy begins at the same instant in both, when what a live
run has to ask for before it trades has been answered.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from nautilus_trader.model.events import OrderEvent
from nautilus_trader.model.orders import Order

from adapters.kraken.profile import PROFILE
from framework.backtest.config import MarketSection, RoadSection, RunConfig, StrategySection
from framework.backtest.loading import load_markets, resolve_road
from framework.backtest.simulation import Simulation
from framework.protocol import LatencySpec
from framework.strategy import Strategy, StrategyConfig
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec
from framework.venue.served.market import market_from
from tests.simulation.stage import fixed_latency
from tests.simulation.wire.network import MS, SECOND
from tests.simulation.wire.node_end import NodeEnd, live_config
from tests.simulation.wire.trader_end import LABELS
from tests.simulation.wire.watch import Watch
from tests.simulation.wire.world import Setting, World

START_S, END_S, ROUND_S = 10, 60, 5
LATENCY_MS = 2


class Rounds(Strategy):
    """Quotes both sides at the touch in rounds, moves one quote, takes now and then, and withdraws all before the next.

    What it decides by is the book at the beginning of a round. Then no order of its own is in it: the venue's feed
    shows own orders too, the recorded market of a backtest does not. It acts at quarters of a second, and polls are at
    whole ones: which of two things of one instant comes first is not the same in both.
    """

    def __init__(self, chance: random.Random, first_ns: int) -> None:
        super().__init__(StrategyConfig())
        self.first_ns = first_ns
        self.heard: list[tuple[Any, ...]] = []
        self._chance = chance
        self._orders: list[Order] = []

    def on_start(self) -> None:
        self.pair = self.instrument_ids[0]
        self.subscribe_book(self.pair, on="touch")
        for number in range(START_S, END_S, ROUND_S):
            for after_s, step in ((0.25, self._quote), (1.75, self._move), (3.75, self._withdraw)):
                at_ns = self.first_ns + round((number + after_s) * SECOND)
                self.clock.set_time_alert_ns(f"{number} {after_s}", at_ns, lambda event, step=step: step())

    def on_event(self, event: Any) -> None:
        if isinstance(event, OrderEvent):
            fields = [getattr(event, name, None) for name in ("price", "last_px", "last_qty", "quantity", "reason")]
            told = [str(field) for field in fields if field is not None]
            at_ms = (self.clock.timestamp_ns() - self.first_ns) / MS
            self.heard.append((round(at_ms, 3), type(event).__name__, event.client_order_id.value, *told))

    def _quote(self) -> None:
        book, chance = self.book(self.pair), self._chance
        bid_ticks, ask_ticks, qty_lots = book.bid_ticks, book.ask_ticks, chance.choice([200_000, 1_000_000, 7_000_000])
        if chance.random() < 0.25:
            self.buy(self.pair, qty_lots=qty_lots, price_ticks=ask_ticks + 30)
        away = chance.choice([0, 0, 1, 5])
        self._orders = [
            self.buy(self.pair, qty_lots=qty_lots, price_ticks=bid_ticks - away, post_only=True),
            self.sell(self.pair, qty_lots=qty_lots, price_ticks=ask_ticks + away, post_only=chance.random() < 0.5),
        ]

    def _move(self) -> None:
        order = self._chance.choice(self._orders)
        if not order.is_closed:
            ticks = self.bridge(self.pair).ticks(order.price)
            self.move(order, price_ticks=ticks + self._chance.choice([-3, -1, 1, 3]))

    def _withdraw(self) -> None:
        for order in self._orders:
            if not order.is_closed:
                self.cancel_order(order)


class ExactWorld(World):
    """Bytes take no time, and the road to the engine and back a constant one, as by messages."""

    def _roads(self) -> dict[str, RoadSpec]:
        table = compile_latency(LatencySpec(kind="constant", median_us=LATENCY_MS * 1_000))
        return {str(label): RoadSpec(command=table, response=table) for label in LABELS.values()}

    def _make_services(self) -> None:
        super()._make_services()
        self.http_faults.share = self.http_faults.last_share = 0.0
        for service in self.services.values():
            service.weather.fastest_ns = service.weather.slowest_ns = 0
            service.weather.is_fragmented = False


def by_messages(market: Any, road: str, seed: int) -> Rounds:
    own = market_from(market, int(market.columns.ts_event_ns[0]))
    strategy = Rounds(random.Random(seed), int(own.columns.ts_event_ns[0]))
    config = RunConfig(strategy=StrategySection(path="strategy.py"), road=RoadSection(name=road))
    simulation = Simulation(config, markets=[own], strategy=strategy, profile=fixed_latency(PROFILE, LATENCY_MS))
    simulation.begin()
    simulation.run_until(strategy.first_ns + (END_S + 20) * SECOND)
    simulation.end()
    return strategy


def on_the_wire(market: Any, road: str, seed: int) -> Rounds:
    config = live_config(road, dead_man_s=0, balances_s=0, orders_s=0, depth=100)
    _, policy = resolve_road(PROFILE, config.road)
    first_ns = int(market.columns.ts_event_ns[0])
    setting = Setting(policy=policy, start_ns=first_ns, tier="pro", pool_count=8)
    made: list[Rounds] = []

    def make() -> Rounds:
        made.append(Rounds(random.Random(seed), first_ns))
        return made[-1]

    world = ExactWorld(
        1, setting, markets=[market], make_end=lambda world, number: NodeEnd(world, number, config, make)
    )
    Watch(world)
    world.machine.enter(world.end.begin)
    world.run(END_S + 20)
    assert isinstance(world.end, NodeEnd)
    assert world.end.node.failure is None
    return made[0]


@pytest.mark.parametrize(
    ("road", "seed"),
    [
        *(("ws2", 1), ("fix", 1), ("rest", 1), ("rest+ws", 1)),
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in (("ws2", 2), ("fix", 3), ("rest", 2), ("rest", 3), ("rest+ws", 2))
        ),
    ],
)
def test_the_same_fills_and_the_same_events(road: str, seed: int) -> None:
    (market,) = load_markets(MarketSection(seed=seed, duration_s=END_S + 60))
    simulated, wired = by_messages(market, road, seed).heard, on_the_wire(market, road, seed).heard
    kinds = {event[1] for event in simulated}
    assert {"OrderFilled", "OrderUpdated", "OrderCanceled"} <= kinds
    assert wired == simulated
