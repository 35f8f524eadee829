"""A cancel that is refused over the rate limit: the order lives on, the strategy knows, and it can still fill.

Source: guides/spot-ratelimits. Starter: threshold 60 points, decay 1 point per second; an add costs 1, a cancel of an
order younger than 5 s costs 8; requests are refused while the counter stands at the threshold or above.

Nine orders at 5.0 s put the counter at 9. A second later it is at 8, and the cancels of all nine, sent at once,
make it 16, 24, ... 64 with the seventh, which crosses the threshold and passes. The last two are refused.
"""

from __future__ import annotations

import pytest

from adapters.kraken.profile import PROFILE
from framework.backtest.config import RoadSection
from framework.protocol import POINT, SELL
from tests.simulation.stage import BID, BTC, Script, fixed_latency, rows, run, still_market, trade

FAST = fixed_latency(PROFILE, 1.0)
ROADS = ["ws2", "rest+ws", "fix"]


def _place_nine(script: Script) -> None:
    for number in range(9):
        script.orders[str(number)] = script.buy(script.btc, BTC // 100, BID - 10 - number)


def _cancel_nine(script: Script) -> None:
    for order in list(script.orders.values()):
        script.cancel_order(order)


def _script() -> Script:
    return Script([(5.0, _place_nine), (6.0, _cancel_nine)])


def _road(name: str) -> RoadSection:
    return RoadSection(name=name, cancel_reserve_points=0)


@pytest.mark.parametrize("road", ROADS)
def test_the_last_two_of_nine_cancels_are_refused_in_the_venues_words_and_their_orders_stay(road: str) -> None:
    script = _script()
    run(script, profile=FAST, road=_road(road), tier="starter")
    rejected = [event for _, event in script.events("OrderCancelRejected")]
    assert [event.client_order_id for event in rejected] == [script.orders[n].client_order_id for n in ("7", "8")]
    assert ["EOrder:Rate limit exceeded" in event.reason for event in rejected] == [True, True]
    states = [order.status_string() for order in script.orders.values()]
    assert states == ["CANCELED"] * 7 + ["ACCEPTED"] * 2


@pytest.mark.parametrize("road", ROADS)
def test_an_order_whose_cancel_was_refused_can_fill_afterwards(road: str) -> None:
    script = _script()
    market = still_market([trade(10.0, SELL, BID - 30, BTC)])
    run(script, profile=FAST, road=_road(road), tier="starter", market=market)
    assert [script.orders[n].status_string() for n in ("6", "7", "8")] == ["CANCELED", "FILLED", "FILLED"]
    assert [at_s for at_s, _ in script.events("OrderFilled")] == [10.001, 10.001]


def test_the_counter_at_the_engine_is_what_the_schedule_says() -> None:
    script = _script()
    backtest = run(script, profile=FAST, road=_road("ws2"), tier="starter")
    cancels = rows(backtest, kind="command", name="CancelOrder")
    assert [row["counter"] / POINT for row in cancels] == [16, 24, 32, 40, 48, 56, 64, 64, 64]
    assert [row["outcome"] for row in cancels] == ["accepted"] * 7 + ["rejected"] * 2
    assert {row["counter_threshold"] for row in cancels} == {60 * POINT}


def test_the_refused_cancel_passes_once_the_counter_has_fallen_below_the_threshold() -> None:
    """64 points at 6.001 s are below 60 after 10.001 s."""

    def cancel_again(script: Script) -> None:
        script.cancel_order(script.orders["8"])

    script = Script([(5.0, _place_nine), (6.0, _cancel_nine), (10.0, cancel_again), (10.1, cancel_again)])
    run(script, profile=FAST, road=_road("ws2"), tier="starter")
    assert [at_s for at_s, _ in script.events("OrderCancelRejected")] == [6.002, 6.002, 10.002]
    assert script.orders["8"].status_string() == "CANCELED"


def test_where_cancels_are_accepted_over_the_limit_all_nine_pass() -> None:
    script = _script()
    run(script, profile=FAST, road=_road("ws2"), tier="starter", switches={"cancel_over_limit": "accepted"})
    assert script.events("OrderCancelRejected") == []
    assert {order.status_string() for order in script.orders.values()} == {"CANCELED"}


def test_a_batch_of_cancels_is_not_refused_over_the_limit() -> None:
    def cancel_batch(script: Script) -> None:
        script.cancel_orders([script.orders["7"], script.orders["8"]])

    script = Script([(5.0, _place_nine), (6.0, _cancel_nine), (7.0, cancel_batch)])
    run(script, profile=FAST, road=_road("ws2"), tier="starter")
    assert [script.orders[n].status_string() for n in ("7", "8")] == ["CANCELED", "CANCELED"]


def test_with_a_threshold_that_is_not_reached_no_cancel_is_refused() -> None:
    script = _script()
    run(script, profile=FAST, road=_road("ws2"), tier="intermediate")
    assert script.events("OrderCancelRejected") == []
    assert {order.status_string() for order in script.orders.values()} == {"CANCELED"}


def test_the_cancels_reserve_is_kept_from_new_orders_and_left_to_cancels() -> None:
    """A reserve of 52 of 60 points leaves 8 for new orders; the ninth is denied without being sent."""
    script = _script()
    backtest = run(script, profile=FAST, road=RoadSection(name="ws2", cancel_reserve_points=52), tier="starter")
    ((at_s, denied),) = script.events("OrderDenied")
    assert at_s == 5.0
    assert denied.client_order_id == script.orders["8"].client_order_id
    assert len(rows(backtest, kind="command", name="AddOrder")) == 8
    assert [order.status_string() for order in script.orders.values()] == ["CANCELED"] * 7 + ["ACCEPTED", "DENIED"]
