"""The shipped strategies go on with what a killed run has left: orders that stay or go, and a position.

In virtual time, the live run on the served venue's wire: the process ends at once, and another one begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from framework.backtest.loading import resolve_road
from framework.data.columns import TRADE
from framework.live.config import LeftOpen
from framework.protocol import BUY, SELL
from framework.strategy import Strategy, StrategyConfig
from strategies.market_maker import MarketMaker, MarketMakerConfig
from strategies.momentum import Momentum, MomentumConfig
from tests.simulation.stage import BID, BTC, Row, level
from tests.simulation.wire.node_end import NodeEnd, live_config
from tests.simulation.wire.world import Setting, World

LOTS = BTC // 100  # of a quote, 0.01 BTC
# 0.5 % off 1000.5 is 5.0025 ticks, so 995 and 1006.
WIDE = MarketMakerConfig(
    qty="0.01", position_max="0.03", edge_ppm=5_000, skew_ppm=0, requote_ppm=500, order_age_min_ms=1_000
)
LOOKS = [level(i / 2, BUY, BID, (4 + i % 2) * BTC) for i in range(1, 60)]


class Leaver(Strategy):
    """Does one thing, and leaves it."""

    def __init__(self, act: Callable[[Any], None]) -> None:
        super().__init__(StrategyConfig())
        self.act = act

    def on_start(self) -> None:
        self.pair = self.instrument_ids[0]
        self.clock.set_time_alert_ns("act", self.clock.timestamp_ns() + 10**9, lambda event: self.act(self))


class Lives:
    """One strategy after another, the second after a kill; most: open orders at the venue at once, by side, of the
    second one's life.
    """

    def __init__(self, first: Strategy, second: Strategy, rows: list[Row] | None = None, road: str = "ws2") -> None:
        first_name, second_name = type(first).__name__, type(second).__name__
        if first_name != second_name:  # orders are adopted by a strategy of the same name only
            first.__class__ = type(second_name, (type(first),), {})
        self.strategies = [first, second]
        config = live_config(road, dead_man_s=0, balances_s=0, left_open=LeftOpen.ADOPT)
        _, policy = resolve_road(PROFILE, config.road)
        setting = Setting(policy=policy, tier="pro", pool_count=8, is_cancel_on_disconnect=False)
        # A still network: what is tested is not its weather.
        self.world = World(
            3, setting, [*LOOKS, *(rows or [])],
            make_end=lambda world, number: NodeEnd(world, number, config, lambda: self.strategies[number]),
        )  # fmt: skip
        self.world.http_faults.share = self.world.http_faults.last_share = 0.0
        self.most = {BUY: 0, SELL: 0}
        self.world.machine.enter(self.world.end.begin)
        self.world.run(8)
        self.left = dict(self.open)
        self.left_ids = [order.order_id for order in self.left.values()]
        self.world.crash("by the test")
        self.world.checks.append(self._count)
        self.world.run(20)
        assert isinstance(self.world.end, NodeEnd)
        assert self.world.end.node.failure is None
        assert self.strategies[1].is_running

    @property
    def open(self) -> dict[str, Any]:
        """The account's open orders at the venue."""
        return self.world.host.venue.accounts["a0"].open_orders

    @property
    def prices(self) -> list[tuple[int, int]]:
        """Their sides and prices."""
        return sorted((order.side, order.limit_ticks) for order in self.open.values())

    @property
    def bought_lots(self) -> int:
        """What the venue has bought for the account, less what it has sold."""
        trades = self.world.host.venue.accounts["a0"].trades
        return sum(trade.last_lots if trade.side == BUY else -trade.last_lots for trade in trades)

    def _count(self) -> None:
        for side in self.most:
            self.most[side] = max(self.most[side], sum(order.side == side for order in self.open.values()))


def maker_of(lives: Lives) -> Any:
    strategy = lives.strategies[1]
    assert isinstance(strategy, MarketMaker)
    return strategy._pairs["BTC/USD"]


@pytest.mark.parametrize("road", ["ws2", "fix", "rest"])
def test_the_maker_keeps_quotes_that_stand_where_they_belong(road: str) -> None:
    lives = Lives(MarketMaker(WIDE), MarketMaker(WIDE), road=road)
    assert len(lives.left) == 2
    assert lives.open.keys() == lives.left.keys()
    assert lives.prices == sorted([(BUY, 995), (SELL, 1006)])


@pytest.mark.parametrize("requote", ["cancel", "amend", "wait"])
def test_the_maker_brings_kept_quotes_to_where_the_market_has_gone(requote: str) -> None:
    """The book moves by 20 ticks while nobody is there; quotes belong at 1015 and 1026 then."""
    at_s = 9.0
    up = [level(at_s, SELL, 1021, 5 * BTC), level(at_s, SELL, 1001, 0), level(at_s, SELL, 1002, 0)]
    looks = [level(at_s + i / 2, BUY, 1020, (4 + i % 2) * BTC) for i in range(1, 38)]
    config = replace(WIDE, requote=requote)
    lives = Lives(MarketMaker(config), MarketMaker(config), [*up, *looks])
    assert lives.prices == sorted([(BUY, 1015), (SELL, 1026)])


def leave_many(strategy: Any) -> None:
    """Three bids, of which one stands where it belongs; an ask that is too large; and a position of half a quote."""
    for price_ticks in (990, 995, 900):
        strategy.buy(strategy.pair, LOTS, price_ticks)
    strategy.sell(strategy.pair, 4 * LOTS, 1006)
    strategy.buy(strategy.pair, LOTS // 2)


def test_the_maker_keeps_one_order_of_a_side_and_withdraws_the_others() -> None:
    lives = Lives(Leaver(leave_many), MarketMaker(WIDE))
    (kept,) = (order for order in lives.open.values() if order.side == BUY)
    assert kept.order_id in lives.left_ids
    assert kept.limit_ticks == 995
    (ask,) = (order for order in lives.open.values() if order.side == SELL)
    assert ask.order_id not in lives.left_ids  # what was left there was larger than a quote may be
    assert lives.prices == sorted([(BUY, 995), (SELL, 1006)])


def test_the_maker_sends_nothing_beside_orders_that_it_withdraws() -> None:
    lives = Lives(Leaver(leave_many), MarketMaker(WIDE))
    assert lives.most == {BUY: 3, SELL: 1}


def test_the_maker_withdraws_a_side_that_the_position_taken_over_has_no_room_for() -> None:
    def leave(strategy: Any) -> None:
        strategy.buy(strategy.pair, 3 * LOTS)
        strategy.buy(strategy.pair, LOTS, 995)

    lives = Lives(Leaver(leave), MarketMaker(WIDE))
    assert lives.prices == [(SELL, 1006)]
    assert maker_of(lives).position_lots == lives.bought_lots == 3 * LOTS


def test_the_maker_counts_fills_of_orders_taken_over_once() -> None:
    """A bid is filled in part before the kill and while nobody is there; something is filled after it."""

    def leave(strategy: Any) -> None:
        strategy.buy(strategy.pair, LOTS, 990)
        strategy.sell(strategy.pair, 2 * LOTS)

    bids = [(BID, 0), (BID - 1, 0), (BID - 50, 0), (980, 5 * BTC)]
    down = [level(5.0, BUY, ticks, lots) for ticks, lots in bids]
    lives = Lives(
        Leaver(leave),
        MarketMaker(replace(WIDE, position_max="0.05")),
        [*down, *((at_s, TRADE, SELL, 990, LOTS // 4) for at_s in (6.0, 8.06)), (20.0, TRADE, SELL, 985, LOTS // 8)],
    )
    trades = lives.world.host.venue.accounts["a0"].trades
    assert [trade.last_lots for trade in trades] == [2 * LOTS, LOTS // 4, LOTS // 4, LOTS // 8]
    assert maker_of(lives).position_lots == lives.bought_lots


def test_momentum_cancels_what_was_left_and_closes_the_position_taken_over() -> None:
    def leave(strategy: Any) -> None:
        strategy.buy(strategy.pair, LOTS)
        strategy.buy(strategy.pair, LOTS, 990)

    lives = Lives(Leaver(leave), Momentum(MomentumConfig(qty="0.01")))
    assert len(lives.left) == 1
    assert not lives.open
    assert lives.bought_lots == 0  # the market stands still, so nothing is to be held
