"""Who can cancel an order after its line has dropped, and what the strategy is told of it.

Sources: guides/fix/introduction (cancel scope of 35=F and 35=q), fix-api/logon-fix (cancel on disconnect, tag 8674),
fix-api/logout-fix, guides/general/api-comparison.
"""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kraken.profile import PROFILE
from framework.backtest.config import FaultSection, RoadSection
from framework.protocol import SELL
from tests.simulation.stage import ASK, BID, BTC, Script, fixed_latency, run, still_market, trade

FAST = fixed_latency(PROFILE, 1.0)


def _place(script: Script) -> None:
    script.orders["a"] = script.buy(script.btc, BTC // 100, BID - 10)


def _cancel(script: Script) -> None:
    script.cancel_order(script.orders["a"])


def _fix(**changes: Any) -> RoadSection:
    given = {
        "name": "fix",
        "cancel": ("fix",),
        "query": "rest",
        "is_resumed_on_reconnect": False,
        "is_cancel_on_disconnect": False,
        "reconnect_delay_ms": 100,
    }
    return RoadSection(**(given | changes))


def _drop(at_s: float = 10.0, for_s: float = 2.0, link: str = "fix") -> FaultSection:
    return FaultSection(kind="drop", link=link, at_s=at_s, for_s=for_s)


def test_a_fix_cancel_for_an_order_of_an_earlier_session_is_rejected_and_the_order_stays() -> None:
    script = Script([(5.0, _place), (20.0, _cancel)])
    run(script, profile=FAST, road=_fix(), faults=[_drop()])
    ((_, rejected),) = script.events("OrderCancelRejected")
    assert "Unknown order" in rejected.reason
    assert script.orders["a"].is_open


def test_the_strategy_is_told_on_reconnect_that_its_order_has_moved_out_of_reach() -> None:
    script = Script([(5.0, _place)])
    run(script, profile=FAST, road=_fix(), faults=[_drop()])
    order_id = script.orders["a"].client_order_id.value
    opened = [event for at_s, event in script.events("SessionOpened") if at_s > 10 and event.link == "fix"]
    assert [event.cl_ord_ids for event in opened] == [(order_id,)]
    assert "fix" not in script.reach(script.orders["a"])


def test_an_order_out_of_reach_can_still_fill() -> None:
    script = Script([(5.0, _place)])
    market = still_market([trade(30.0, SELL, BID - 20, BTC)])
    run(script, profile=FAST, road=_fix(), faults=[_drop()], market=market)
    assert script.orders["a"].is_closed
    assert script.orders["a"].filled_qty == script.orders["a"].quantity


def test_with_fallback_to_rest_the_cancel_of_an_order_out_of_reach_goes_there_and_the_log_says_so() -> None:
    script = Script([(5.0, _place), (20.0, _cancel)])
    run(script, profile=FAST, road=_fix(cancel=("fix", "rest")), faults=[_drop()])
    ((_, rerouted),) = script.events("CancelRerouted")
    assert (rerouted.asked, rerouted.used) == ("fix", "rest")
    assert script.orders["a"].status_string() == "CANCELED"


def test_with_fallback_to_mass_cancel_by_fix_the_order_of_the_earlier_session_is_reached() -> None:
    script = Script([(5.0, _place), (20.0, _cancel)])
    run(script, profile=FAST, road=_fix(cancel=("fix", "fix:mass")), faults=[_drop()])
    ((_, rerouted),) = script.events("CancelRerouted")
    assert rerouted.used == "fix:mass"
    assert script.orders["a"].status_string() == "CANCELED"


def test_a_fix_cancel_for_an_order_of_the_same_session_reaches_it() -> None:
    script = Script([(5.0, _place), (20.0, _cancel)])
    run(script, profile=FAST, road=_fix())
    assert script.orders["a"].status_string() == "CANCELED"
    assert script.events("CancelRerouted") == []


def test_a_resumed_fix_session_still_reaches_its_orders() -> None:
    script = Script([(5.0, _place), (20.0, _cancel)])
    run(script, profile=FAST, road=_fix(is_resumed_on_reconnect=True), faults=[_drop()])
    assert [event.link for _, event in script.events("SessionResumed")] == ["fix"]
    assert script.orders["a"].status_string() == "CANCELED"


def test_a_fill_while_the_fix_line_is_down_is_replayed_to_the_resumed_session() -> None:
    script = Script([(5.0, _place)])
    market = still_market([trade(11.0, SELL, BID - 20, BTC)])
    run(script, profile=FAST, road=_fix(is_resumed_on_reconnect=True), faults=[_drop()], market=market)
    ((at_s, fill),) = script.events("OrderFilled")
    assert at_s > 12.0
    assert fill.ts_event < script.clock.timestamp_ns()
    assert script.events("ReplayCompleted") != []


@pytest.mark.parametrize(("road", "link"), [("rest", "rest"), ("ws2", "ws2")])
def test_over_rest_and_websocket_a_cancel_reaches_the_order_after_the_line_was_down(road: str, link: str) -> None:
    script = Script([(5.0, _place), (20.0, _cancel)])
    section = RoadSection(name=road, cancel=(link,), reconnect_delay_ms=100)
    run(script, profile=FAST, road=section, faults=[_drop(link=link)])
    assert script.orders["a"].status_string() == "CANCELED"


def test_cancel_on_disconnect_ends_the_orders_of_the_dropped_fix_session() -> None:
    script = Script([(5.0, _place)])
    backtest = run(script, profile=FAST, road=_fix(is_cancel_on_disconnect=True), faults=[_drop()])
    ended = [row for row in backtest.events().to_pylist() if row["name"] == "OrderEnded"]
    assert [row["text"] for row in ended] == ["cancel_on_disconnect"]
    assert script.orders["a"].status_string() == "CANCELED"


def test_without_cancel_on_disconnect_the_orders_of_the_dropped_fix_session_stay() -> None:
    script = Script([(5.0, _place)])
    run(script, profile=FAST, road=_fix(is_cancel_on_disconnect=False), faults=[_drop()])
    assert script.orders["a"].is_open


def test_a_dropped_websocket_line_cancels_nothing() -> None:
    script = Script([(5.0, _place)])
    run(script, profile=FAST, road=RoadSection(name="ws2"), faults=[_drop(link="ws2")])
    assert script.orders["a"].is_open


def test_cancel_all_after_expires_and_cancels_every_order_of_the_account() -> None:
    script = Script([(5.0, _place), (6.0, lambda s: s.arm_cancel_all_after(10))])
    backtest = run(script, profile=FAST, road="ws2")
    ended = [row for row in backtest.events().to_pylist() if row["name"] == "OrderEnded"]
    assert [row["text"] for row in ended] == ["cancel_after_expired"]
    assert script.orders["a"].status_string() == "CANCELED"


def test_cancel_all_after_that_is_refreshed_does_not_fire() -> None:
    arm = [(t, lambda s: s.arm_cancel_all_after(10)) for t in (6.0, 14.0, 22.0, 30.0, 38.0, 46.0, 54.0)]
    script = Script([(5.0, _place), *arm])
    run(script, profile=FAST, road="ws2")
    assert script.orders["a"].is_open


def test_cancel_all_after_that_is_disarmed_does_not_fire() -> None:
    script = Script(
        [(5.0, _place), (6.0, lambda s: s.arm_cancel_all_after(10)), (8.0, lambda s: s.arm_cancel_all_after(0))]
    )
    run(script, profile=FAST, road="ws2")
    assert script.orders["a"].is_open


def test_ask_side_of_the_stage_is_where_the_tests_think_it_is() -> None:
    script = Script([(5.0, lambda s: s.orders.update(a=s.buy(s.btc, BTC // 100, ASK)))])
    run(script, profile=FAST)
    assert script.orders["a"].filled_qty == script.orders["a"].quantity
