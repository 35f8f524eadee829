from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from framework.protocol import BUY, SELL
from strategies.momentum import Momentum, MomentumConfig, move_ppm, target_units
from tests.simulation.stage import BTC, START_NS, Row, fixed_latency, level, run, still_market

FAST = fixed_latency(PROFILE, 1.0)

# The stage's book is at 1000.5; one tick is about 1000 ppm of it.
CONFIG = MomentumConfig(qty="0.01", lookback_ms=2_000, sample_ms=100, enter_ppm=5_000, leave_ppm=1_000, slip_ppm=2_000)


def play(rows: list[Row], config: MomentumConfig = CONFIG) -> tuple[Momentum, list[Any]]:
    """Run the taker on the stage; returns it and its orders as (seconds, side, price, quantity, outcome)."""
    taker = Momentum(config)
    backtest = run(taker, market=still_market(rows, duration_s=30.0), profile=FAST)  # type: ignore[arg-type]
    orders = [
        (round((row["ts_sent_ns"] - START_NS) / 1e9, 3), row["side"], row["price_ticks"], row["qty_lots"])
        for row in backtest.events().to_pylist()
        if row["kind"] == "command" and row["name"] == "AddOrder"
    ]
    return taker, orders


def up(at_s: float) -> list[Row]:
    """The book moves from 1000 / 1001 to 1010 / 1011."""
    return [
        level(at_s, SELL, 1011, 5 * BTC),
        level(at_s, SELL, 1001, 0),
        level(at_s, SELL, 1002, 0),
        level(at_s, BUY, 1010, 5 * BTC),
    ]


# ------------------------------------------------------------------------------------------------- what to hold


def test_a_move_is_told_in_millionths_and_rounded_towards_zero() -> None:
    assert move_ppm(2_020, 2_000) == 10_000
    assert move_ppm(1_980, 2_000) == -10_000
    assert move_ppm(3_000_001, 3_000_000) == 0
    assert move_ppm(2_999_999, 3_000_000) == 0


@pytest.mark.parametrize("held", [-1, 0, 1])
def test_a_large_move_is_gone_with_whatever_is_held(held: int) -> None:
    assert target_units(held, 100, 100, 20) == 1
    assert target_units(held, -100, 100, 20) == -1


def test_a_small_move_is_not_entered() -> None:
    assert target_units(0, 99, 100, 20) == 0
    assert target_units(0, -99, 100, 20) == 0


def test_a_position_is_held_while_enough_of_its_move_is_left() -> None:
    assert target_units(1, 20, 100, 20) == 1
    assert target_units(-1, -20, 100, 20) == -1


def test_a_position_is_left_when_too_little_of_its_move_is_left_or_the_move_has_turned() -> None:
    assert target_units(1, 19, 100, 20) == 0
    assert target_units(1, -50, 100, 20) == 0
    assert target_units(-1, -19, 100, 20) == 0
    assert target_units(-1, 50, 100, 20) == 0


@given(held=st.integers(-1, 1), move=st.integers(-500, 500))
def test_what_to_hold_is_the_mirror_image_for_the_mirrored_move(held: int, move: int) -> None:
    assert target_units(-held, -move, 100, 20) == -target_units(held, move, 100, 20)


# ------------------------------------------------------------------------------------------------- getting there


def test_a_still_market_is_not_traded() -> None:
    assert play([])[1] == []


def test_a_move_up_is_bought_a_little_beyond_the_ask_and_sold_when_it_is_old() -> None:
    taker, orders = play(up(10.0))
    # Middle 1010.5: 2000 ppm of it are 2.02 ticks.
    (entry, leaving) = orders
    assert entry[1:] == (BUY, 1013, BTC // 100)
    assert 10.0 <= entry[0] < 10.3
    assert leaving[1:] == (SELL, 1008, BTC // 100)
    assert 12.0 <= leaving[0] < 12.3
    assert taker._pairs["BTC/USD"].position_lots == 0


def test_a_move_down_is_sold() -> None:
    down = [
        level(10.0, BUY, 990, 5 * BTC),
        level(10.0, BUY, 1000, 0),
        level(10.0, BUY, 999, 0),
        level(10.0, SELL, 991, 5 * BTC),
    ]
    _, orders = play(down)
    assert orders[0][1:] == (SELL, 989, BTC // 100)


def test_a_move_below_the_threshold_is_not_traded() -> None:
    assert play(up(10.0), replace(CONFIG, enter_ppm=11_000))[1] == []


def test_nothing_is_done_before_the_lookback_is_filled() -> None:
    # The move is there from 1 s on, but there is no price from two seconds before to compare with until 2 s.
    _, orders = play(up(1.0))
    assert orders[0][0] >= 2.0


def test_no_second_order_is_sent_while_the_first_one_is_on_its_way() -> None:
    # With 400 ms each way the first order is under way for eight samples, all of which say the same.
    slow = fixed_latency(PROFILE, 400.0)
    taker = Momentum(CONFIG)
    backtest = run(taker, market=still_market(up(10.0), duration_s=30.0), profile=slow)  # type: ignore[arg-type]
    sent = [row for row in backtest.events().to_pylist() if row["name"] == "AddOrder"]
    assert [row["side"] for row in sent] == [BUY, SELL]
