"""The shipped strategies go on with what a killed run has left: orders that stay or go, and a position.

In virtual time, the live run on the served venue's wire: the process ends at once, and another one begins.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from framework.data.columns import TRADE
from framework.protocol import BUY, SELL
from strategies.market_maker import MarketMaker, MarketMakerConfig
from strategies.momentum import Momentum, MomentumConfig
from tests.simulation.stage import BID, BTC, level
from tests.simulation.wire.lives import Leaver, Lives

LOTS = BTC // 100  # of a quote, 0.01 BTC
# 0.5 % off 1000.5 is 5.0025 ticks, so 995 and 1006.
WIDE = MarketMakerConfig(
    qty="0.01", position_max="0.03", edge_ppm=5_000, skew_ppm=0, requote_ppm=500, order_age_min_ms=1_000
)


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
