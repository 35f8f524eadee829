"""Requests whose answer did not come: when their fate is unknown, and what proves it."""

from __future__ import annotations

from msgspec.structs import replace

from framework.execution.orders import Knowledge
from framework.messages import ExecType, OrderState
from framework.protocol import RejectReason
from tests.framework.execution.desk_rig import (
    FIX_ROAD,
    REST_POLLED,
    Rig,
    accepted,
    add_order,
    at,
    execution,
    rejected,
    snapshot,
    status,
    trade,
)

# ------------------------------------------------------------------------------------------------- lost requests


def test_an_order_in_flight_when_its_line_drops_is_unknown_and_not_ended() -> None:
    rig = Rig(FIX_ROAD)
    record = rig.desk.submit(add_order())
    rig.drop("fix")
    assert record.knowledge is Knowledge.UNKNOWN
    (event,) = rig.road("OutcomeUnknown")
    assert (event.cl_ord_id, event.command, event.link) == ("a", "AddOrder", "fix")
    assert rig.heard == [("submitted", "a")]
    assert rig.notes.answers == [(1, at(0), "lost")]


def test_a_cancel_in_flight_when_its_line_drops_is_unknown_and_the_order_is_open() -> None:
    rig = Rig(FIX_ROAD)
    record = rig.open_order()
    rig.desk.cancel("a")
    rig.drop("fix")
    assert [event.command for event in rig.road("OutcomeUnknown")] == ["CancelOrder"]
    assert record.knowledge is Knowledge.OPEN


def test_a_request_by_another_link_is_not_lost_with_the_line() -> None:
    rig = Rig(FIX_ROAD)
    rig.desk.submit(add_order(), via="rest")
    rig.drop("fix")
    assert rig.road("OutcomeUnknown") == []


def test_an_order_that_news_has_shown_is_not_unknown_when_its_answer_is_lost() -> None:
    rig = Rig()
    record = rig.desk.submit(add_order())
    rig.tell("ws2", execution(ExecType.NEW, 1))
    rig.drop("ws2")
    assert record.knowledge is Knowledge.OPEN
    assert rig.road("OutcomeUnknown") == []
    assert rig.desk.in_flight == {} or all(f.kind.name == "QUERY" for f in rig.desk.in_flight.values())


def test_an_answer_that_is_overdue_makes_the_outcome_unknown_and_no_sooner() -> None:
    rig = Rig()
    record = rig.desk.submit(add_order())
    rig.run(9_999)
    assert record.knowledge is Knowledge.SENT
    rig.run(10_001)
    assert record.knowledge is Knowledge.UNKNOWN
    (event,) = rig.road("OutcomeUnknown")
    assert event.evidence == "no answer within 10000 ms"


def test_each_request_has_the_whole_patience_though_one_timer_serves_all() -> None:
    rig = Rig()
    rig.desk.submit(add_order("a"))
    rig.run(4_000)
    later = rig.desk.submit(add_order("b"))
    rig.run(13_999)
    assert later.knowledge is Knowledge.SENT
    rig.run(14_001)
    assert later.knowledge is Knowledge.UNKNOWN


def test_a_late_answer_resolves_an_unknown_order_once() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    rig.run(10_001)
    rig.tell("ws2", accepted(1, 1, "O1"), execution(ExecType.NEW, 1))
    assert rig.heard == [("submitted", "a"), ("accepted", "a", "O1")]
    assert [event.command for event in rig.road("OutcomeResolved")] == ["AddOrder"]


def test_late_news_and_then_a_late_answer_resolve_an_unknown_order_once() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    rig.run(10_001)
    rig.tell("ws2", execution(ExecType.NEW, 1), accepted(1, 1, "O1"))
    assert rig.heard == [("submitted", "a"), ("accepted", "a", "O1")]
    assert len(rig.road("OutcomeResolved")) == 1


def test_a_late_refusal_resolves_an_unknown_order() -> None:
    rig = Rig()
    record = rig.desk.submit(add_order())
    rig.run(10_001)
    rig.tell("ws2", rejected(1, 1, RejectReason.INSUFFICIENT_FUNDS))
    assert rig.heard[-1] == ("rejected", "a", "EOrder:Insufficient funds")
    assert len(rig.road("OutcomeResolved")) == 1
    assert record.knowledge is Knowledge.CLOSED


def test_a_late_refusal_of_a_cancel_is_told_and_resolves_it() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.cancel("a")
    rig.run(10_001)
    rig.tell("ws2", rejected(2, 2, RejectReason.RATE_LIMIT))
    assert rig.heard == [("cancel rejected", "a", "EOrder:Rate limit exceeded")]
    assert [event.command for event in rig.road("OutcomeResolved")] == ["CancelOrder"]


def test_a_lost_arming_of_the_dead_mans_switch_is_told_as_unknown() -> None:
    rig = Rig()
    rig.desk.cancel_all_after(60)
    rig.drop("rest")
    (event,) = rig.road("OutcomeUnknown")
    assert (event.cl_ord_id, event.command) == ("", "CancelAllAfter")
    assert rig.desk.in_flight == {}


# ------------------------------------------------------------------------------------------------- evidence


def _lost_order(rig: Rig) -> None:
    rig.desk.submit(add_order())
    rig.run(10_001)
    assert rig.desk.orders["a"].knowledge is Knowledge.UNKNOWN


def test_a_poll_that_does_not_show_an_unknown_order_before_its_deadline_proves_nothing() -> None:
    rig = Rig()
    _lost_order(rig)
    rig.tell("rest", snapshot(5_000, request_id=rig.last("rest").request_id))
    assert rig.desk.orders["a"].knowledge is Knowledge.UNKNOWN


def test_a_poll_that_does_not_show_an_unknown_order_after_its_deadline_proves_that_it_never_was() -> None:
    rig = Rig()
    _lost_order(rig)
    rig.tell("rest", snapshot(5_001, request_id=rig.last("rest").request_id))
    assert rig.heard[-1][:2] == ("rejected", "a")
    assert rig.heard[-1][2].startswith("never arrived")
    assert len(rig.road("OutcomeResolved")) == 1
    assert rig.desk.in_flight == {}


def test_a_subscriptions_snapshot_that_does_not_show_an_unknown_order_proves_nothing_since_it_may_have_ended() -> None:
    rig = Rig()
    _lost_order(rig)
    rig.tell("ws2", snapshot(20_000))
    assert rig.desk.orders["a"].knowledge is Knowledge.UNKNOWN


def test_a_poll_that_shows_an_unknown_order_proves_that_it_is_open() -> None:
    rig = Rig()
    _lost_order(rig)
    rig.tell("rest", snapshot(9_000, status(), request_id=rig.last("rest").request_id))
    assert rig.heard[-1] == ("accepted", "a", "O1")
    assert len(rig.road("OutcomeResolved")) == 1
    assert rig.desk.in_flight == {}


def test_an_unknown_order_that_was_filled_meanwhile_is_told_so() -> None:
    rig = Rig()
    _lost_order(rig)
    filled = status(OrderState.FILLED, cum_lots=10)
    poll = rig.last("rest").request_id
    rig.tell("rest", snapshot(9_000, filled, request_id=poll, trades=[trade(20, "T1", 10, 10)]))
    assert rig.heard[1:] == [("accepted", "a", "O1"), ("filled", "a", "T1", 10)]


def test_an_unknown_order_without_a_deadline_stays_unknown_until_something_shows_it() -> None:
    rig = Rig(replace(REST_POLLED, deadline_ms=None))
    rig.desk.submit(add_order())
    rig.run(30_001)
    rig.tell("rest", snapshot(30_000, request_id=rig.last("rest").request_id))
    assert rig.desk.orders["a"].knowledge is Knowledge.UNKNOWN


def test_of_a_lost_batch_only_the_orders_that_a_poll_does_not_show_are_proven_lost() -> None:
    rig = Rig()
    rig.desk.submit_batch([add_order("a"), add_order("b")])
    rig.run(10_001)
    shown = status(cl_ord_id="b", order_id="O2")
    rig.tell("rest", snapshot(9_000, shown, request_id=rig.last("rest").request_id))
    assert [what[:2] for what in rig.heard[2:]] == [("accepted", "b"), ("rejected", "a")]


def test_a_lost_cancel_is_refused_when_a_poll_asked_for_later_shows_the_order_open() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.cancel("a")
    rig.run(10_001)
    rig.tell("rest", snapshot(10_500, status(), request_id=rig.last("rest").request_id))
    assert [what[:2] for what in rig.heard] == [("cancel rejected", "a")]
    assert [event.command for event in rig.road("OutcomeResolved")] == ["CancelOrder"]


def test_a_poll_asked_for_before_a_cancel_was_lost_proves_nothing_about_it() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.desk.query()
    poll = rig.last("rest").request_id
    rig.desk.cancel("a")
    rig.drop("fix")
    rig.tell("rest", snapshot(1, status(), request_id=poll))
    assert rig.heard == []
    assert rig.road("OutcomeResolved") == []


def test_a_lost_cancel_of_an_order_that_a_poll_shows_ended_is_resolved_by_that() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.cancel("a")
    rig.run(10_001)
    rig.tell("rest", snapshot(10_500, status(OrderState.CANCELED), request_id=rig.last("rest").request_id))
    assert rig.heard == [("canceled", "a")]
    assert [event.command for event in rig.road("OutcomeResolved")] == ["CancelOrder"]


def test_a_lost_amend_that_a_poll_shows_carried_out_is_told_as_an_update() -> None:
    rig = Rig(REST_POLLED)
    rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005)
    rig.run(10_001)
    rig.desk.query()
    rig.run(12_001)
    rig.tell("rest", snapshot(12_000, status(limit_ticks=1_005), request_id=rig.last("rest").request_id))
    assert rig.heard == [("updated", "a", 10, 1_005)]
    assert [event.evidence for event in rig.road("OutcomeResolved")] == ["a poll shows the change"]


def test_a_lost_amend_is_refused_only_by_a_poll_after_its_deadline() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005)
    rig.run(10_001)
    rig.tell("rest", snapshot(4_000, status(), request_id=rig.last("rest").request_id))
    assert rig.heard == []
    rig.run(12_002)
    rig.tell("rest", snapshot(12_000, status(), request_id=rig.last("rest").request_id))
    assert [what[:2] for what in rig.heard] == [("amend rejected", "a")]


# ------------------------------------------------------------------------------------------------- replays


def test_a_replay_is_read_before_anything_is_concluded_from_what_it_does_not_answer() -> None:
    rig = Rig(FIX_ROAD)
    rig.desk.submit(add_order())
    rig.drop("fix")
    rig.up("fix", "fix#1", is_resumed=True, replayed=1)
    assert rig.desk.orders["a"].knowledge is Knowledge.UNKNOWN
    assert [event.missed_count for event in rig.road("SequenceGap")] == [1]
    assert rig.road("ReplayCompleted") == []
    rig.tell("fix", execution(ExecType.NEW, 1, request_id=1, is_poss_dup=True))
    assert rig.heard == [("submitted", "a"), ("accepted", "a", "O1")]
    assert [event.replayed_count for event in rig.road("ReplayCompleted")] == [1]


def test_what_a_complete_replay_does_not_answer_never_arrived() -> None:
    rig = Rig(FIX_ROAD)
    rig.desk.submit(add_order("a"))
    rig.desk.submit(add_order("b"))
    rig.drop("fix")
    rig.up("fix", "fix#1", is_resumed=True, replayed=1)
    rig.tell("fix", execution(ExecType.NEW, 1, request_id=1))
    assert [what[:2] for what in rig.heard[2:]] == [("accepted", "a"), ("rejected", "b")]


def test_a_cancel_that_a_complete_replay_does_not_answer_is_refused_and_the_order_stays() -> None:
    rig = Rig(FIX_ROAD)
    record = rig.open_order()
    rig.desk.cancel("a")
    rig.drop("fix")
    rig.up("fix", "fix#1", is_resumed=True)
    assert [what[:2] for what in rig.heard] == [("cancel rejected", "a")]
    assert record.is_live


def test_a_line_that_drops_again_within_a_replay_proves_nothing() -> None:
    rig = Rig(FIX_ROAD)
    rig.desk.submit(add_order())
    rig.drop("fix")
    rig.up("fix", "fix#1", is_resumed=True, replayed=2)
    rig.tell("fix", execution(ExecType.NEW, 1, cl_ord_id="z", order_id="O9"))
    rig.drop("fix")
    assert rig.desk.orders["a"].knowledge is Knowledge.UNKNOWN
    assert rig.road("ReplayCompleted") == []


def test_a_session_resumed_after_a_new_one_says_nothing_of_requests_of_the_one_before() -> None:
    rig = Rig(FIX_ROAD)
    rig.desk.submit(add_order())
    rig.drop("fix")
    rig.up("fix", "fix#2")
    rig.drop("fix")
    rig.up("fix", "fix#2", is_resumed=True)
    assert rig.desk.orders["a"].knowledge is Knowledge.UNKNOWN


def test_a_new_session_proves_nothing_about_requests_in_flight() -> None:
    rig = Rig(FIX_ROAD)
    rig.desk.submit(add_order())
    rig.drop("fix")
    rig.up("fix", "fix#2")
    assert rig.desk.orders["a"].knowledge is Knowledge.UNKNOWN


def test_replayed_fills_that_had_been_told_are_not_told_again() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.tell("fix", trade(2, "T1", 4, 4))
    rig.drop("fix")
    rig.up("fix", "fix#1", is_resumed=True, replayed=2)
    rig.tell("fix", trade(2, "T1", 4, 4, is_poss_dup=True), trade(3, "T2", 6, 10, is_poss_dup=True))
    assert rig.heard == [("filled", "a", "T1", 4), ("filled", "a", "T2", 6)]


def test_a_replay_that_was_broken_off_is_not_completed_by_the_reports_of_a_new_session() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.drop("fix")
    rig.up("fix", "fix#1", is_resumed=True, replayed=2)
    rig.drop("fix")
    rig.up("fix", "fix#2")
    rig.tell("fix", *(execution(ExecType.NEW, 1, cl_ord_id="z", order_id="O9") for _ in range(3)))
    assert rig.road("ReplayCompleted") == []
