"""What a strategy knows when its orders are polled: nothing before the next poll, and each poll is paid for.

Sources: guides/general/api-comparison (REST pushes no news), guides/spot-rest-ratelimits (call counter).
"""

from __future__ import annotations

from adapters.kraken.profile import PROFILE
from framework.backtest.config import RoadSection
from framework.protocol import SELL
from tests.simulation.stage import BID, BTC, Script, fixed_latency, run, still_market, trade

FAST = fixed_latency(PROFILE, 1.0)


def _place(script: Script) -> None:
    script.orders["a"] = script.buy(script.btc, BTC // 100, BID - 10)


def test_a_rest_only_strategy_learns_of_a_fill_at_its_next_poll_and_not_before() -> None:
    script = Script([(5.0, _place)])
    market = still_market([trade(10.5, SELL, BID - 20, BTC)])
    backtest = run(script, profile=FAST, road=RoadSection(name="rest", poll_interval_ms=3_000), market=market)
    ((learned_s, _),) = script.events("OrderFilled")
    polls = [
        (row["ts_sent_ns"], row["ts_learned_ns"])
        for row in backtest.events().to_pylist()
        if row["name"] == "QueryOrders" and row["outcome"] == "accepted"
    ]
    (fill,) = [row for row in backtest.events().to_pylist() if row["kind"] == "fill"]
    first_after = min(learned for sent, learned in polls if sent + 1_000_000 >= fill["ts_venue_ns"])
    assert fill["ts_learned_ns"] == first_after
    assert learned_s > 10.5


def test_the_same_fill_is_learned_at_once_where_news_is_pushed() -> None:
    script = Script([(5.0, _place)])
    market = still_market([trade(10.5, SELL, BID - 20, BTC)])
    run(script, profile=FAST, road="rest+ws", market=market)
    ((learned_s, _),) = script.events("OrderFilled")
    assert learned_s == 10.501


def test_polls_that_are_due_too_often_wait_until_the_call_counter_has_room_and_none_is_refused() -> None:
    script = Script([(5.0, _place)])
    backtest = run(script, profile=FAST, road=RoadSection(name="rest", poll_interval_ms=200))
    polls = [row for row in backtest.events().to_pylist() if row["name"] == "QueryOrders"]
    assert [row for row in polls if row["reject_reason"] == "call_limit"] == []
    # 300 are due in 60 s. An Intermediate key has 20 points and gets 30 back in that time; a poll is one point, and is
    # sent while there is room for the four that it costs where something has changed.
    assert 45 <= len(polls) <= 50


def test_polls_at_a_pace_that_the_tier_sustains_are_never_refused() -> None:
    script = Script([(5.0, _place)])
    backtest = run(script, profile=FAST, road=RoadSection(name="rest", poll_interval_ms=3_000))
    polls = [row for row in backtest.events().to_pylist() if row["name"] == "QueryOrders"]
    assert len(polls) >= 19
    assert [row for row in polls if row["outcome"] == "rejected"] == []


def test_a_cancel_on_a_polled_road_is_settled_by_a_poll_and_a_fill_before_it_is_not_lost() -> None:
    script = Script([(5.0, _place), (10.4999, lambda s: s.cancel_order(s.orders["a"]))])
    market = still_market([trade(10.5, SELL, BID - 20, BTC // 200)])
    run(script, profile=FAST, road=RoadSection(name="rest", poll_interval_ms=3_000), market=market)
    order = script.orders["a"]
    assert float(order.filled_qty) == 0.005
    assert order.status_string() == "CANCELED"
    assert [type(e).__name__ for _, e in script.heard if type(e).__name__ in ("OrderFilled", "OrderCanceled")] == [
        "OrderFilled",
        "OrderCanceled",
    ]
