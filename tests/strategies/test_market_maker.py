from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from framework.backtest.config import FaultSection, RoadSection
from framework.errors import ConfigError
from framework.protocol import BUY, SELL
from strategies.market_maker import MarketMaker, MarketMakerConfig, QuoteRule, quotes
from tests.simulation.stage import ASK, BID, BTC, START_NS, Row, fixed_latency, level, run, still_market, trade

FAST = fixed_latency(PROFILE, 1.0)

# Edge of 1 %, moved by 0.5 % at a full position of four quotes.
RULE = QuoteRule(edge_ppm=10_000, skew_ppm=5_000, qty_lots=10, position_max_lots=40)

# On the stage's book of 1000 and 1001 ticks: 0.5 % off 1000.5 is 5.0025 ticks, so 995 and 1006.
WIDE = MarketMakerConfig(
    qty="0.01", position_max="0.03", edge_ppm=5_000, skew_ppm=0, requote_ppm=500, order_age_min_ms=1_000
)
UP_1 = [level(10.0, SELL, ASK, 0)]  # the best ask goes to 1002: middle 1001, quotes 995 and 1007


def up_20(at_s: float) -> list[Row]:
    """The book moves up by 20 ticks, ask first, so that the quotes belong at 1015 and 1026 in the end."""
    asks = [level(at_s, SELL, 1021, 5 * BTC), level(at_s, SELL, 1001, 0), level(at_s, SELL, 1002, 0)]
    return [*asks, level(at_s, BUY, 1020, 5 * BTC)]


def play(config: MarketMakerConfig, rows: list[Row] | None = None, **options: Any) -> tuple[MarketMaker, list[Any]]:
    """Run the maker on the stage; returns it and its commands as (seconds, name, side, price).

    The quantity at the best bid changes twice a second, so that the maker looks at the book.
    """
    maker = MarketMaker(config)
    looks = [level(i / 2, BUY, BID, (4 + i % 2) * BTC) for i in range(1, 60)]
    options.setdefault("profile", FAST)
    backtest = run(maker, market=still_market([*(rows or []), *looks], duration_s=30.0), **options)
    told = [row for row in backtest.events().to_pylist() if row["kind"] == "command" and row["cl_ord_id"]]
    sides = {row["cl_ord_id"]: row["side"] for row in told if row["name"] == "AddOrder"}
    commands = [
        (round((row["ts_sent_ns"] - START_NS) / 1e9, 3), row["name"], sides[row["cl_ord_id"]], row["price_ticks"])
        for row in told
    ]
    return maker, commands


def during(commands: list[Any], from_s: float, to_s: float = 29.9) -> list[Any]:
    """Commands sent from one time to another, without the time."""
    return [command[1:] for command in commands if from_s <= command[0] <= to_s]


# ------------------------------------------------------------------------------------------------- what to quote


def test_quotes_stand_at_the_edge_on_both_sides_of_the_middle() -> None:
    # Middle 2000, 1 % of it is 20.
    assert quotes(1_990, 2_010, 0, RULE) == (1_980, 2_020)


def test_quotes_are_rounded_away_from_the_middle() -> None:
    # Middle 2000.5, edge 20.005: 1980.495 and 2020.505.
    assert quotes(2_000, 2_001, 0, RULE) == (1_980, 2_021)


def test_a_long_position_moves_both_quotes_down_and_a_short_one_up() -> None:
    # Half of the position limit: half of 0.5 % of 2000 is 5 ticks.
    assert quotes(1_990, 2_010, 20, RULE) == (1_975, 2_015)
    assert quotes(1_990, 2_010, -20, RULE) == (1_985, 2_025)


def test_a_side_without_room_in_the_position_is_not_quoted() -> None:
    assert quotes(1_990, 2_010, 31, RULE)[0] is None
    assert quotes(1_990, 2_010, 30, RULE)[0] is not None
    assert quotes(1_990, 2_010, -31, RULE)[1] is None
    assert quotes(1_990, 2_010, -30, RULE)[1] is not None


def test_a_quote_that_would_take_stops_one_tick_short_of_the_other_side() -> None:
    eager = RULE._replace(edge_ppm=0, skew_ppm=50_000)
    assert quotes(1_990, 2_010, -30, eager) == (2_009, 2_075)
    assert quotes(1_990, 2_010, 30, eager) == (1_925, 1_991)


@given(
    bid=st.integers(1, 10**7),
    spread=st.integers(1, 10**4),
    position=st.integers(-40, 40),
    edge=st.integers(0, 10**5),
    skew=st.integers(0, 10**5),
)
def test_quotes_never_take_and_never_cross_each_other(
    bid: int, spread: int, position: int, edge: int, skew: int
) -> None:
    ask = bid + spread
    buy, sell = quotes(bid, ask, position, QuoteRule(edge, skew, 10, 40))
    assert buy is None or buy < ask
    assert sell is None or sell > bid
    assert buy is None or sell is None or buy <= sell


# ------------------------------------------------------------------------------------------------- bringing it there


def test_the_maker_starts_with_one_bid_and_one_ask() -> None:
    _, commands = play(WIDE)
    assert during(commands, 0) == [("AddOrder", BUY, 995), ("AddOrder", SELL, 1006)]


def test_cancel_mode_replaces_a_quote_in_one_instant_and_leaves_the_other() -> None:
    _, commands = play(WIDE, UP_1)
    (cancel, add) = [command for command in commands if command[0] >= 10 and command[0] < 29.9]
    assert cancel[1:3] == ("CancelOrder", SELL)
    assert add[1:] == ("AddOrder", SELL, 1007)
    assert cancel[0] == add[0]


def test_amend_mode_moves_the_order_and_cancels_nothing() -> None:
    _, commands = play(replace(WIDE, requote="amend"), UP_1)
    assert during(commands, 10) == [("AmendOrder", SELL, 1007)]


def test_wait_mode_sends_the_new_order_only_when_the_old_one_is_known_to_be_gone() -> None:
    _, commands = play(replace(WIDE, requote="wait"), UP_1)
    (cancel, add) = [command for command in commands if 10 <= command[0] < 29.9]
    assert (cancel[1:3], add[1:]) == (("CancelOrder", SELL), ("AddOrder", SELL, 1007))
    # The cancel is confirmed 2 ms after it was sent; the next look at the book is at 10.5 s.
    assert (cancel[0], add[0]) == (10.0, 10.5)


def test_a_quote_that_is_nearly_right_stays() -> None:
    # Half a tick of the middle is 500 ppm; the ask should move by one tick, which is 999.
    _, commands = play(replace(WIDE, requote_ppm=1_100), UP_1)
    assert during(commands, 10) == []


def test_a_young_quote_stays_until_it_has_the_age() -> None:
    _, commands = play(replace(WIDE, order_age_min_ms=15_000), UP_1)
    placed_s = commands[1][0]
    (cancel, _) = [command for command in commands if 10 <= command[0] < 29.9]
    assert cancel[1] == "CancelOrder"
    assert placed_s + 15 <= cancel[0] < placed_s + 15.6


def test_a_quote_in_danger_goes_at_once_however_young() -> None:
    # The book moves up by 20 ticks: the ask at 1006 is far better than it should be, the bid only too far away.
    _, commands = play(replace(WIDE, order_age_min_ms=15_000), up_20(10.0))
    sides = {command[1] for command in during(commands, 10, 11) if command[0] == "CancelOrder"}
    assert sides == {SELL}


def test_fills_count_and_a_full_position_stops_the_quote() -> None:
    # Three quotes of 0.01 are the limit of 0.03; each is hit by a trade below it.
    hits = [trade(at_s, SELL, 990, BTC // 100) for at_s in (5.0, 10.0, 15.0, 20.0)]
    maker, commands = play(WIDE, hits)
    assert maker._pairs["BTC/USD"].position_lots == 3 * BTC // 100
    bids = [command for command in during(commands, 0) if command[:2] == ("AddOrder", BUY)]
    assert len(bids) == 3


def test_a_stop_withdraws_both_quotes() -> None:
    _, commands = play(WIDE)
    assert [command[1:3] for command in commands if command[0] >= 29.9] == [("CancelOrder", BUY), ("CancelOrder", SELL)]


def test_nothing_is_placed_while_the_rate_counter_is_used_beyond_the_share() -> None:
    # The first order leaves something on the counter, so the second one waits for a later look at the book.
    # One point falls off in less than half a second, at 2.34 points a second.
    _, commands = play(replace(WIDE, budget_share_max=0.0))
    (bid, ask) = [command for command in commands if command[0] < 29.9]
    assert (bid[1:], ask[1:]) == (("AddOrder", BUY, 995), ("AddOrder", SELL, 1006))
    assert ask[0] == bid[0] + 0.5


def test_an_order_out_of_reach_is_left_alone_and_nothing_is_quoted_beside_it() -> None:
    road = RoadSection(
        name="fix",
        cancel=("fix",),
        query="fix",
        is_resumed_on_reconnect=False,
        is_cancel_on_disconnect=False,
        reconnect_delay_ms=100,
    )
    drop = FaultSection(kind="drop", link="fix", at_s=5.0, for_s=2.0)
    _, commands = play(WIDE, up_20(15.0), road=road, faults=[drop])
    assert during(commands, 8) == []


def test_an_order_within_reach_after_a_drop_is_replaced() -> None:
    drop = FaultSection(kind="drop", link="ws2", at_s=5.0, for_s=2.0)
    _, commands = play(WIDE, up_20(15.0), road="ws2", faults=[drop])
    assert ("CancelOrder", SELL, None) in during(commands, 8)


@pytest.mark.parametrize(("leaving_max", "placed_s"), [(1, 12.5), (2, 11.0)])
def test_no_order_is_sent_beside_more_unconfirmed_cancels_than_allowed(leaving_max: int, placed_s: float) -> None:
    # One second each way: the cancel of 10 s is confirmed at 12 s. At 11 s the ask must move again.
    moves = [*UP_1, level(10.0, SELL, 1030, 5 * BTC), level(11.0, SELL, ASK + 1, 0)]
    slow = fixed_latency(PROFILE, 1_000.0)
    _, commands = play(replace(WIDE, leaving_max=leaving_max, order_age_min_ms=900), moves, profile=slow)
    asks = [command for command in commands if 10 <= command[0] < 29.9 and command[2] == SELL]
    assert [command[1] for command in asks] == ["CancelOrder", "AddOrder", "CancelOrder", "AddOrder"]
    assert [command[0] for command in asks] == [10.0, 10.0, 11.0, placed_s]


def test_an_unknown_way_to_requote_is_refused() -> None:
    with pytest.raises(ConfigError, match="requote = 'often'; it must be one of cancel, amend, wait"):
        MarketMaker(MarketMakerConfig(requote="often"))


def test_a_refused_cancel_is_sent_again_at_once_and_then_only_after_a_while() -> None:
    """The venue takes nothing from 9.5 s to 14 s; the ask is to be moved at 10 s."""
    closed = FaultSection(kind="mode", mode="maintenance", at_s=9.5, for_s=4.5)
    config = replace(WIDE, cancel_again_ms=5_000)
    _, commands = play(config, UP_1, faults=[closed])
    cancels = [at_s for at_s, name, side, _ in commands if name == "CancelOrder" and side == SELL and at_s >= 10.0]
    assert cancels[0] == 10.0
    assert cancels[1] == 10.002
    assert cancels[2] >= 15.0
