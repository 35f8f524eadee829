"""What a line's end does to orders: dropped, logged out or timed out, with every setting that changes it.

Sources: fix-api/logon-fix (cancel on disconnect, tag 8674), fix-api/logout-fix, guides/general/order-lifecycle,
rest-api/cancel-all-orders-after, websocket-v2/cancel_after.
"""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kraken.profile import PROFILE
from framework.backtest.config import FaultSection, RoadSection
from framework.backtest.runner import Backtest
from tests.simulation.stage import BID, BTC, Script, fixed_latency, rows, run, still_market

FAST = fixed_latency(PROFILE, 1.0)


def _place(script: Script) -> None:
    script.orders["a"] = script.buy(script.btc, BTC // 100, BID - 10)


def _place_by_rest(script: Script) -> None:
    script.orders["b"] = script.buy(script.btc, BTC // 100, BID - 11, via="rest")


def _log_out(link: str) -> Any:
    return lambda script: script._port.desk.links[link].close()


def _arm(timeout_s: int, via: str | None = None) -> Any:
    return lambda script: script.arm_cancel_all_after(timeout_s, via)


def _fix(**changes: Any) -> RoadSection:
    given = {
        "name": "fix",
        "cancel": ("fix", "rest"),
        "query": "rest",
        "is_resumed_on_reconnect": False,
        "is_cancel_on_disconnect": True,
        "reconnect_delay_ms": 100,
    }
    return RoadSection(**(given | changes))


def _ends(backtest: Backtest) -> list[tuple[float, str]]:
    """Seconds and reasons of all orders that ended at the venue."""
    first_ns = backtest._first_ns
    return [((row["ts_venue_ns"] - first_ns) / 1e9, row["text"]) for row in rows(backtest, name="OrderEnded")]


DROP = FaultSection(kind="drop", link="fix", at_s=10.0, for_s=2.0)

# ------------------------------------------------------------------------------------------------- drop


def test_a_dropped_fix_line_cancels_at_the_moment_of_the_drop() -> None:
    backtest = run(Script([(5.0, _place)]), profile=FAST, road=_fix(), faults=[DROP])
    assert _ends(backtest) == [(10.0, "cancel_on_disconnect")]


def test_the_venue_cancels_only_when_it_sees_the_drop() -> None:
    drop = FaultSection(kind="drop", link="fix", at_s=10.0, for_s=2.0, detect_ms=500)
    backtest = run(Script([(5.0, _place)]), profile=FAST, road=_fix(), faults=[drop])
    assert _ends(backtest) == [(10.5, "cancel_on_disconnect")]


def test_an_order_that_the_session_did_not_enter_is_left_alone_by_its_drop() -> None:
    script = Script([(5.0, _place), (5.0, _place_by_rest)])
    run(script, profile=FAST, road=_fix(), faults=[DROP])
    assert [script.orders[name].status_string() for name in "ab"] == ["CANCELED", "ACCEPTED"]


def test_an_order_entered_on_the_new_session_outlives_the_drop_of_the_old_one() -> None:
    script = Script([(15.0, _place)])
    run(script, profile=FAST, road=_fix(), faults=[DROP])
    assert script.orders["a"].status_string() == "ACCEPTED"


def test_an_order_sent_just_before_the_drop_never_existed() -> None:
    """Sent at 9.9995 with 1 ms to go: the line is gone when it would have arrived."""
    script = Script([(9.9995, _place)])
    backtest = run(script, profile=FAST, road=_fix(), faults=[DROP])
    assert rows(backtest, name="OrderRested") == []
    assert script.orders["a"].status_string() != "ACCEPTED"


@pytest.mark.parametrize(("is_on", "state"), [(True, "CANCELED"), (False, "ACCEPTED")])
def test_a_resumed_session_finds_its_orders_only_if_cancel_on_disconnect_was_off(is_on: bool, state: str) -> None:
    script = Script([(5.0, _place)])
    road = _fix(is_resumed_on_reconnect=True, is_cancel_on_disconnect=is_on)
    run(script, profile=FAST, road=road, faults=[DROP])
    assert len(script.events("SessionResumed")) == 1
    assert script.orders["a"].status_string() == state


def test_what_a_drop_canceled_is_told_by_the_replay() -> None:
    """The line is back after a second, before the desk's poll by REST would tell."""
    script = Script([(5.0, _place)])
    drop = FaultSection(kind="drop", link="fix", at_s=10.0, for_s=1.0)
    run(script, profile=FAST, road=_fix(is_resumed_on_reconnect=True), faults=[drop])
    told = script.names("SessionClosed", "SessionResumed", "SequenceGap", "OrderCanceled", "ReplayCompleted")
    assert told == ["SessionClosed", "SessionResumed", "SequenceGap", "OrderCanceled", "ReplayCompleted"]


def test_the_protocols_default_is_cancel_on_disconnect() -> None:
    backtest = run(Script([(5.0, _place)]), profile=FAST, road=_fix(is_cancel_on_disconnect=None), faults=[DROP])
    assert _ends(backtest) == [(10.0, "cancel_on_disconnect")]


# ------------------------------------------------------------------------------------------------- logout


@pytest.mark.parametrize("is_on", [True, False])
def test_a_logout_leaves_orders_alone_whether_or_not_cancel_on_disconnect_is_on(is_on: bool) -> None:
    script = Script([(5.0, _place), (10.0, _log_out("fix"))])
    backtest = run(script, profile=FAST, road=_fix(is_cancel_on_disconnect=is_on, reconnect_delay_ms=-1))
    ((at_s, closed),) = [event for event in script.events("SessionClosed") if event[1].link == "fix"]
    assert (at_s, closed.reason) == (10.002, "logout")
    assert _ends(backtest) == []


@pytest.mark.parametrize(("is_on", "ends"), [(True, [(10.001, "cancel_on_disconnect")]), (False, [])])
def test_where_a_logout_counts_as_a_disconnect_it_cancels_if_that_is_on(
    is_on: bool, ends: list[tuple[float, str]]
) -> None:
    script = Script([(5.0, _place), (10.0, _log_out("fix"))])
    road = _fix(is_cancel_on_disconnect=is_on, reconnect_delay_ms=-1)
    backtest = run(script, profile=FAST, road=road, switches={"cancel_on_logout": "yes"})
    assert _ends(backtest) == ends


@pytest.mark.parametrize("link", ["ws2", "rest"])
def test_a_drop_of_another_protocol_cancels_nothing(link: str) -> None:
    script = Script([(5.0, _place)])
    road = RoadSection(name="ws2", submit=link, is_cancel_on_disconnect=True)
    drop = FaultSection(kind="drop", link=link, at_s=10.0, for_s=2.0)
    backtest = run(script, profile=FAST, road=road, faults=[drop])
    assert _ends(backtest) == []


# ------------------------------------------------------------------------------------------------- dead man's switch


def test_an_armed_switch_fires_its_time_after_it_reached_the_venue() -> None:
    backtest = run(Script([(5.0, _place), (6.0, _arm(10))]), profile=FAST, road="ws2")
    assert _ends(backtest) == [(16.001, "cancel_after_expired")]


def test_it_fires_once_and_orders_placed_afterwards_live() -> None:
    script = Script([(6.0, _arm(10)), (20.0, _place)])
    backtest = run(script, profile=FAST, road="ws2")
    assert _ends(backtest) == []
    assert script.orders["a"].status_string() == "ACCEPTED"


def test_it_takes_orders_that_were_placed_after_it_was_armed() -> None:
    backtest = run(Script([(6.0, _arm(10)), (15.0, _place)]), profile=FAST, road="ws2")
    assert _ends(backtest) == [(16.001, "cancel_after_expired")]


def test_a_refresh_counts_from_the_refresh_and_may_shorten() -> None:
    backtest = run(Script([(5.0, _place), (6.0, _arm(30)), (8.0, _arm(4))]), profile=FAST, road="ws2")
    assert _ends(backtest) == [(12.001, "cancel_after_expired")]


def test_a_refresh_that_is_late_by_a_moment_is_too_late() -> None:
    script = Script([(5.0, _place), (6.0, _arm(10)), (16.0005, _arm(10))])
    backtest = run(script, profile=FAST, road="ws2")
    assert _ends(backtest) == [(16.001, "cancel_after_expired")]


def test_it_takes_the_orders_of_every_protocol_with_it() -> None:
    script = Script([(5.0, _place), (5.0, _place_by_rest), (6.0, _arm(10, "rest"))])
    backtest = run(script, profile=FAST, road=_fix(is_cancel_on_disconnect=False))
    assert _ends(backtest) == [(16.001, "cancel_after_expired")] * 2
    assert [script.orders[name].status_string() for name in "ab"] == ["CANCELED", "CANCELED"]


def test_it_needs_no_line_to_fire_and_that_is_its_use() -> None:
    """The line drops for good at 8 s; the strategy cannot cancel, the venue does it."""
    drop = FaultSection(kind="drop", link="all", at_s=8.0, for_s=100.0)
    backtest = run(Script([(5.0, _place), (6.0, _arm(10))]), profile=FAST, road="ws2", faults=[drop])
    assert _ends(backtest) == [(16.001, "cancel_after_expired")]


def test_two_links_arm_one_switch() -> None:
    script = Script([(5.0, _place), (6.0, _arm(10, "rest")), (7.0, _arm(0, "ws2"))])
    backtest = run(script, profile=FAST, road="ws2")
    assert _ends(backtest) == []


def test_a_time_above_the_documented_maximum_is_refused_and_arms_nothing() -> None:
    script = Script([(5.0, _place), (6.0, _arm(86_400))])
    backtest = run(script, profile=FAST, road="ws2")
    (command,) = rows(backtest, kind="command", name="CancelAllAfter")
    assert (command["outcome"], command["reject_reason"]) == ("rejected", "timeout_above_max")
    assert _ends(backtest) == []


def test_it_fires_at_the_end_of_a_maintenance_that_it_fell_into() -> None:
    script = Script([(5.0, _place), (6.0, _arm(10))])
    mode = FaultSection(kind="mode", mode="maintenance", at_s=12.0, for_s=10.0)
    backtest = run(script, profile=FAST, road="ws2", faults=[mode], market=still_market())
    assert _ends(backtest) == [(22.0, "cancel_after_expired")]
