"""Lines that drop, sessions that resume or begin anew, answers that are lost: the desk says the same by either kind of
link, and in the end knows the truth.

Pages: fix-api/logon-fix (cancel on disconnect, replay), fix-api/ocr-fix (reach of a cancel), guides/fix-intro
(rollover), websocket-v2/executions (snapshot), guides/general/api-comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from framework.execution.policy import DeskPolicy
from framework.protocol import SELL
from tests.adapters.kraken.client.stage import Desk, SimDesk, WireDesk

REST = DeskPolicy(submit="rest", amend="rest", cancel=("rest",), news="rest", answer_timeout_ms=3_000)
WS1 = DeskPolicy(submit="ws1", amend="ws1", cancel=("ws1", "rest"), news="ws1", query="rest", answer_timeout_ms=3_000)
WS2 = DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2", "rest"), news="ws2", query="rest", answer_timeout_ms=3_000)
FIX = DeskPolicy(submit="fix", amend="fix", cancel=("fix", "rest"), news="fix", query="rest", answer_timeout_ms=3_000)
NEW_SESSIONS = msgspec.structs.replace(FIX, is_resumed_on_reconnect=False)


def both(policy: DeskPolicy, scenario: Callable[[Desk], None], **options: Any) -> tuple[Desk, Desk]:
    """The scenario by both kinds of link; what was said is the same."""
    simulated, over_the_wire = SimDesk(policy, **options), WireDesk(policy, **options)
    for desk in (simulated, over_the_wire):
        scenario(desk)
        desk.host.venue.check_invariants()
    assert over_the_wire.heard == simulated.heard
    assert over_the_wire.road == simulated.road
    return simulated, over_the_wire


def names(desk: Desk, *wanted: str) -> list[str]:
    return [each[0] for each in desk.road if not wanted or each[0] in wanted]


# ------------------------------------------------------------------------------------------------- FIX


def test_orders_of_a_dropped_fix_session_are_canceled_where_its_logon_asked_for_that() -> None:
    def scenario(desk: Desk) -> None:
        desk.add("1")
        desk.add("2", 1, 985)
        desk.cut("fix")
        desk.run(6_000)

    desk, _ = both(FIX, scenario, cod=True)
    assert {each[:2] for each in desk.heard if each[0] == "canceled"} == {("canceled", "1"), ("canceled", "2")}
    assert names(desk, "SessionClosed", "SessionResumed", "SequenceGap", "ReplayCompleted") == [
        "SessionClosed",
        "SessionResumed",
        "SequenceGap",
        "ReplayCompleted",
    ]


def test_a_resumed_fix_session_replays_fills_and_ends_that_were_missed_and_owns_its_orders() -> None:
    def scenario(desk: Desk) -> None:
        desk.add("1", 10, 1_000)
        desk.add("2", 1, 985)
        desk.cut("fix")
        desk.run(20)
        desk.trade_against(SELL, 1_000, 8)
        desk.desk.cancel("2", via="rest")
        desk.run(6_000)
        desk.desk.cancel("1")
        desk.run(1_000)

    desk, _ = both(FIX, scenario, cod=False)
    assert desk.heard[-1] == ("canceled", "1")
    assert "filled" in [each[0] for each in desk.heard]
    assert "CancelRerouted" not in names(desk)


def test_a_session_that_begins_anew_does_not_reach_orders_of_the_one_before_and_rest_does() -> None:
    def scenario(desk: Desk) -> None:
        desk.add("1")
        desk.cut("fix")
        desk.run(6_000)
        desk.desk.cancel("1", via="fix")
        desk.run(1_000)
        desk.desk.cancel("1")
        desk.run(6_000)

    desk, _ = both(NEW_SESSIONS, scenario, cod=False)
    assert [each[0] for each in desk.heard] == ["submitted", "accepted", "cancel rejected", "canceled"]
    assert "CancelRerouted" in names(desk)


def test_a_mass_cancel_reaches_orders_of_every_session() -> None:
    policy = msgspec.structs.replace(NEW_SESSIONS, cancel=("fix:mass",))

    def scenario(desk: Desk) -> None:
        desk.add("1")
        desk.add("2", 1, 985, via="rest")
        desk.cut("fix")
        desk.run(6_000)
        desk.desk.cancel_all(via="fix:mass")
        desk.run(6_000)

    both(policy, scenario, cod=False)


def test_at_the_rollover_the_session_ends_and_a_new_one_begins_when_it_is_over() -> None:
    def scenario(desk: Desk) -> None:
        desk.add("1")
        rollover_ns = desk.host.now_ns // (86_400 * 10**9) * 86_400 * 10**9 + 22 * 3_600 * 10**9
        desk.run((rollover_ns - desk.host.now_ns) / 1_000_000 - 5_000)
        desk.clear()
        desk.run(5_000)
        for _ in range(45):
            desk.run(1_000)
        desk.add("2", 1, 985)
        desk.run(2_000)

    desk, over_the_wire = both(FIX, scenario)
    assert names(desk, "SessionClosed", "SessionOpened", "SessionResumed") == ["SessionClosed", "SessionOpened"]
    assert over_the_wire.links["fix"].session_id == "fix#2"


def test_orders_that_did_not_arrive_before_the_line_dropped_are_not_sent_again_by_a_resumed_session() -> None:
    desk = WireDesk(FIX, cod=False)
    desk.add("1")
    desk.lines.current.drop_commands = True
    desk.add("2", 1, 985)
    desk.cut("fix")
    desk.run(6_000)
    assert [order.cl_ord_id for order in desk.host.records.orders_open("a0")] == [desk.parts.ids.on_wire("1", 0)]
    assert ("rejected", "2") in [each[:2] for each in desk.heard]
    assert names(desk, "OutcomeUnknown", "OutcomeResolved") == ["OutcomeUnknown", "OutcomeResolved"]


# ------------------------------------------------------------------------------------------------- lost answers


@pytest.mark.parametrize("policy", [REST, WS1, WS2], ids=["rest", "ws1", "ws2"])
def test_an_order_whose_answer_is_lost_is_unknown_until_a_poll_shows_it(policy: DeskPolicy) -> None:
    def scenario(desk: Desk) -> None:
        desk.lose_answers(policy.submit, is_lost=True)
        desk.add("1")
        desk.run(4_000)
        desk.lose_answers(policy.submit, is_lost=False)
        desk.run(20_000)

    simulated, over_the_wire = SimDesk(policy), WireDesk(policy)
    for desk in (simulated, over_the_wire):
        scenario(desk)
        assert desk.heard == [("submitted", "1"), ("accepted", "1", "O00000-00000-000001")]
        assert names(desk, "OutcomeUnknown", "OutcomeResolved") == ["OutcomeUnknown", "OutcomeResolved"]


@pytest.mark.parametrize("policy", [REST, WS1, WS2], ids=["rest", "ws1", "ws2"])
def test_an_order_that_was_filled_while_its_answer_was_lost_is_filled_in_the_end(policy: DeskPolicy) -> None:
    for desk in (SimDesk(policy), WireDesk(policy)):
        desk.lose_answers(policy.submit, is_lost=True)
        desk.add("1", 1, 1_005)
        desk.run(4_000)
        desk.lose_answers(policy.submit, is_lost=False)
        desk.run(20_000)
        assert [each[0] for each in desk.heard] == ["submitted", "accepted", "filled"]
        assert not desk.desk.open_orders
        assert not desk.desk.in_flight


def test_an_order_that_never_arrived_is_rejected_once_its_deadline_has_passed_and_a_poll_does_not_show_it() -> None:
    desk = WireDesk(WS2)
    desk.sockets.current.drop_commands = True
    desk.add("1")
    desk.run(30_000)
    assert [each[0] for each in desk.heard] == ["submitted", "rejected"]
    assert "never arrived" in desk.heard[-1][2]
    assert list(desk.parts.memory.live()) == []


def test_requests_of_a_lost_answer_are_not_made_again() -> None:
    desk = WireDesk(REST)
    desk.lose_answers("rest", is_lost=True)
    desk.add("1")
    desk.run(30_000)
    assert desk.http.requests.count("/0/private/AddOrder") == 1


# ------------------------------------------------------------------------------------------------- WebSocket


def test_what_ended_while_the_websocket_was_down_is_learned_when_it_is_back() -> None:
    def scenario(desk: Desk) -> None:
        desk.add("1", 10, 1_000)
        desk.add("2", 1, 985)
        desk.cut("ws2")
        desk.run(20)
        desk.trade_against(SELL, 1_000, 30)
        desk.desk.cancel("2", via="rest")
        desk.run(8_000)

    desk, _ = both(WS2, scenario)
    assert [each[0] for each in desk.heard].count("filled") == 1
    assert not desk.desk.open_orders


def test_commands_are_written_before_polls_that_wait() -> None:
    desk = WireDesk(REST)
    calls: list[tuple[str, bool]] = []
    call = desk.http.call
    desk.http.call = lambda each: (calls.append((each.make().target, each.is_urgent)), call(each))[1]  # type: ignore[method-assign]
    desk.add("1")
    desk.desk.amend("1", limit_ticks=991)
    desk.desk.cancel_all()
    desk.desk.query()
    urgent = {target.rpartition("/")[2]: is_urgent for target, is_urgent in calls}
    assert urgent == {"AddOrder": True, "AmendOrder": True, "CancelAll": True, "OpenOrders": False}
