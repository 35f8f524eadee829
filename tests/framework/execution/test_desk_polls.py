"""When the venue is asked: on a beat where nothing is pushed, else only where pushed news cannot tell."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from framework.messages import ExecType, OrderState
from framework.protocol import RejectReason
from tests.framework.execution.desk_rig import (
    FIX_ROAD,
    REST_POLLED,
    WS2_ROAD,
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


def _answer(rig: Rig, ms: float, *orders: object) -> None:
    rig.tell("rest", snapshot(ms, *orders, request_id=rig.last("rest").request_id))  # type: ignore[arg-type]


def test_a_polled_road_polls_on_its_beat() -> None:
    rig = Rig(REST_POLLED)
    rig.run(1_999)
    assert rig.sent("rest") == []
    rig.run(2_001)
    assert rig.sent("rest") == ["QueryOrders"]
    _answer(rig, 2_000)
    rig.run(4_001)
    assert rig.sent("rest") == ["QueryOrders", "QueryOrders"]


def test_a_poll_is_not_sent_while_the_one_before_is_awaited() -> None:
    rig = Rig(REST_POLLED)
    rig.run(9_001)
    assert rig.sent("rest") == ["QueryOrders"]


def test_a_poll_whose_answer_is_overdue_is_given_up_and_sent_anew() -> None:
    rig = Rig(REST_POLLED)
    rig.run(14_001)
    assert rig.sent("rest") == ["QueryOrders", "QueryOrders"]


def test_a_poll_that_was_refused_over_the_limit_of_calls_waits_until_there_must_be_room() -> None:
    # Intermediate: 20 points, 0.5 a second. After a refusal the counter is taken to be a poll (4) over 20; a poll wants
    # room for itself and a margin of 1, so 9 points have to go: 18 s, and the first beat after that is at 22 s.
    rig = Rig(REST_POLLED)
    rig.run(2_001)
    rig.tell("rest", rejected(1, 2_001, RejectReason.CALL_LIMIT))
    rig.run(20_001)
    assert rig.sent("rest") == ["QueryOrders"]
    rig.run(22_001)
    assert rig.sent("rest") == ["QueryOrders", "QueryOrders"]


def test_polls_that_are_refused_again_and_again_leave_the_counter_time_to_fall_to_nothing() -> None:
    # As above, but after the second the counter is taken to be 8 over 20 (26 s), and from the third on 15 (40 s).
    rig = Rig(REST_POLLED)
    rig.run(2_001)
    for at_ms, next_ms in ((2_001, 22_001), (22_001, 50_001), (50_001, 92_001), (92_001, 134_001)):
        rig.tell("rest", rejected(rig.last("rest").request_id, at_ms, RejectReason.CALL_LIMIT))
        count = len(rig.sent("rest"))
        rig.run(next_ms - 2)
        assert len(rig.sent("rest")) == count
        rig.run(next_ms)
        assert len(rig.sent("rest")) == count + 1
    _answer(rig, 134_001)
    rig.run(160_000)
    count = len(rig.sent("rest"))
    rig.tell("rest", rejected(rig.last("rest").request_id, 160_000, RejectReason.CALL_LIMIT))
    rig.run(182_001)
    assert len(rig.sent("rest")) == count + 1


def test_a_poll_for_what_was_missed_while_a_line_was_down_is_still_due_after_a_refusal() -> None:
    rig = Rig()
    rig.open_order()
    rig.drop("ws2")
    rig.up("ws2", "ws2#2")
    assert rig.sent("rest") == ["QueryOrders"]
    rig.tell("rest", rejected(rig.last("rest").request_id, 10, RejectReason.CALL_LIMIT))
    rig.run(24_000)
    assert rig.sent("rest") == ["QueryOrders", "QueryOrders"]


def test_a_poll_that_was_refused_for_another_reason_is_sent_anew_on_the_next_beat() -> None:
    rig = Rig(REST_POLLED)
    rig.run(2_001)
    rig.tell("rest", rejected(1, 2_001, RejectReason.INTERNAL))
    rig.run(4_001)
    assert rig.sent("rest") == ["QueryOrders", "QueryOrders"]


def test_a_desk_that_has_stopped_polls_no_more() -> None:
    rig = Rig(REST_POLLED)
    rig.desk.stop()
    rig.run(60_000)
    assert rig.sent("rest") == []


def test_a_poll_asks_for_what_happened_since_the_one_before() -> None:
    rig = Rig(REST_POLLED)
    rig.run(2_001)
    _answer(rig, 1_999)
    rig.run(4_001)
    assert rig.last("rest").since_ns == at(1_999)


def test_a_subscriptions_snapshot_is_no_poll_for_it_shows_nothing_that_has_ended() -> None:
    rig = Rig()
    rig.open_order()
    rig.tell("ws2", snapshot(50_000, status()))
    rig.desk.query()
    assert rig.last("rest").since_ns == at(-10_000)  # the oldest order's time, less the margin for two clocks


def test_pushed_news_is_not_polled() -> None:
    rig = Rig()
    rig.open_order()
    rig.run(60_000)
    assert rig.sent("rest") == []


def test_orders_are_polled_while_the_link_of_news_is_down() -> None:
    rig = Rig()
    rig.open_order()
    rig.drop("ws2")
    rig.run(2_001)
    assert rig.sent("rest") == ["QueryOrders"]


def test_polling_ends_when_the_link_of_news_is_up_again() -> None:
    rig = Rig()
    rig.open_order()
    rig.drop("ws2")
    rig.up("ws2", "ws2#2")
    assert rig.sent("rest") == ["QueryOrders"]  # what was missed
    _answer(rig, 2, status())
    rig.run(60_000)
    assert rig.sent("rest") == ["QueryOrders"]


def test_what_was_missed_is_asked_for_as_soon_as_a_link_that_can_ask_is_up() -> None:
    rig = Rig()
    rig.open_order()
    rig.drop("rest")
    rig.drop("ws2")
    rig.up("ws2", "ws2#2")
    assert rig.sent("rest") == []
    rig.up("rest", "rest#2")
    assert rig.sent("rest") == ["QueryOrders"]


def test_an_order_of_an_earlier_session_is_polled_since_no_news_tells_of_it_any_more() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.drop("fix")
    rig.up("fix", "fix#2")
    _answer(rig, 2, status())
    rig.run(2_001)
    assert rig.sent("rest") == ["QueryOrders", "QueryOrders"]
    rig.tell("rest", snapshot(3, request_id=rig.last("rest").request_id, trades=[trade(2.5, "T1", 10, 10)]))
    assert rig.heard == [("filled", "a", "T1", 10)]
    rig.run(60_000)
    assert rig.sent("rest") == ["QueryOrders", "QueryOrders"]


def test_an_order_of_a_session_that_resumed_is_not_polled() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order()
    rig.drop("fix")
    rig.up("fix", "fix#1", is_resumed=True)
    _answer(rig, 2, status())
    rig.run(60_000)
    assert rig.sent("rest") == ["QueryOrders"]


def test_an_order_entered_by_another_link_is_polled_where_a_session_hears_of_its_own_orders_only() -> None:
    rig = Rig(FIX_ROAD)
    rig.desk.submit(add_order(), via="rest")
    rig.tell("rest", accepted(1, 1, "O1"))
    rig.run(2_001)
    assert rig.sent("rest") == ["AddOrder", "QueryOrders"]


def test_an_order_entered_by_another_link_is_not_polled_where_news_is_of_the_whole_account() -> None:
    rig = Rig()
    rig.desk.submit(add_order(), via="rest")
    rig.tell("rest", accepted(1, 1, "O1"))
    rig.run(60_000)
    assert rig.sent("rest") == ["AddOrder"]


@pytest.mark.parametrize("reason", [RejectReason.UNKNOWN_ORDER, RejectReason.ORDER_NOT_OPEN])
def test_an_order_that_the_venue_does_not_find_is_polled_if_no_news_of_its_end_comes(reason: RejectReason) -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.cancel("a")
    rig.tell("ws2", rejected(2, 2, reason))
    rig.run(2_001)
    assert rig.sent("rest") == ["QueryOrders"]
    _answer(rig, 2_000, status())
    rig.run(60_000)
    assert rig.sent("rest") == ["QueryOrders"]


def test_an_order_believed_open_that_a_poll_does_not_show_is_asked_for_by_its_id_until_its_fate_is_known() -> None:
    """It has ended before what the poll tells of, and nobody has said so."""
    rig = Rig()
    record = rig.open_order()
    rig.run(1_000)
    rig.desk.query()
    assert rig.last("rest").order_ids == ()
    _answer(rig, 1_000)
    assert record.is_open
    rig.run(3_001)
    assert rig.last("rest").order_ids == ("O1",)
    _answer(rig, 3_000)  # as where the venue could not tell
    rig.run(5_002)
    assert rig.last("rest").order_ids == ("O1",)
    _answer(rig, 5_000, status(OrderState.CANCELED))
    assert not record.is_open
    rig.run(60_000)
    assert len(rig.sent("rest")) == 3


@pytest.mark.parametrize("how", ["one", "several", "all"])
def test_an_order_whose_cancel_was_taken_is_asked_for_by_its_id_if_its_end_is_not_told(how: str) -> None:
    """The message that told it is lost, and no later one shows that by its number."""
    rig = Rig()
    records = [rig.open_order(name, order_id=f"O{number}") for number, name in enumerate("ab", 1)]
    if how == "one":
        for name in "ab":
            rig.desk.cancel(name)
            rig.tell("ws2", accepted(rig.last("ws2").request_id, 10))
    else:
        rig.desk.cancel_batch("ab") if how == "several" else rig.desk.cancel_all()
        rig.tell("ws2", accepted(rig.last("ws2").request_id, 10))
    rig.tell("ws2", execution(ExecType.CANCELED, 11, cl_ord_id="b", order_id="O2"))
    rig.run(9_999)
    assert rig.sent("rest") == []
    rig.run(12_001)
    assert rig.last("rest").order_ids == ("O1",)
    _answer(rig, 12_000, status(OrderState.CANCELED))
    assert not any(record.is_open for record in records)


def test_an_order_whose_cancel_was_taken_and_whose_end_is_told_is_not_asked_for() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.cancel("a")
    rig.tell("ws2", accepted(rig.last("ws2").request_id, 10))
    rig.run(9_000)
    rig.tell("ws2", execution(ExecType.CANCELED, 9_000))
    rig.run(60_000)
    assert rig.sent("rest") == []


def test_a_policy_may_have_open_orders_asked_for_now_and_then_though_their_news_is_heard() -> None:
    rig = Rig(replace(WS2_ROAD, check_interval_ms=60_000))
    rig.run(90_000)
    assert rig.sent("rest") == []  # nothing is open
    record = rig.open_order()
    rig.run(120_001)
    assert rig.sent("rest") == ["QueryOrders"]
    _answer(rig, 120_000, status())
    rig.run(179_999)
    assert rig.sent("rest") == ["QueryOrders"]
    rig.run(180_001)
    _answer(rig, 180_000, status(OrderState.CANCELED))  # news has lost it
    assert not record.is_open
    rig.run(400_000)
    assert len(rig.sent("rest")) == 2


def test_an_order_that_a_poll_shows_again_is_not_asked_for_any_more() -> None:
    rig = Rig()
    rig.open_order()
    rig.run(1_000)
    rig.desk.query()
    _answer(rig, 1_000)
    rig.run(3_001)
    _answer(rig, 3_000, status())
    rig.run(60_000)
    rig.desk.query()
    assert rig.last("rest").order_ids == ()
    assert len(rig.sent("rest")) == 3


def test_an_order_sent_after_a_poll_was_asked_is_not_doubted_where_that_does_not_show_it() -> None:
    rig = Rig()
    rig.desk.query()
    rig.open_order()
    rig.tell("rest", snapshot(2, request_id=1))
    rig.run(60_000)
    assert rig.sent("rest") == ["QueryOrders"]


def test_an_order_of_which_a_poll_leaves_fills_untold_is_asked_for_by_its_id() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.run(1_000)
    rig.desk.query()
    _answer(rig, 1_000, status(OrderState.CANCELED, cum_lots=4))
    rig.run(3_001)
    assert rig.last("rest").order_ids == ("O1",)
    poll = rig.last("rest").request_id
    rig.tell("rest", snapshot(3_000, request_id=poll, trades=[trade(500, "T1", 4, 4)]))
    assert not record.is_open


def test_an_order_with_an_edit_in_flight_is_not_asked_for_by_the_id_that_it_may_have_lost() -> None:
    rig = Rig()
    rig.open_order()
    rig.run(1_000)
    rig.desk.amend("a", limit_ticks=1_005, is_edit=True)
    rig.desk.query()
    _answer(rig, 1_000)
    rig.run(3_001)
    assert rig.last("rest").order_ids == ()


def test_no_poll_is_spent_on_an_order_whose_end_is_told_after_its_cancel_was_refused() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.cancel("a")
    rig.tell("ws2", rejected(2, 2, RejectReason.ORDER_NOT_OPEN), trade(1.5, "T1", 10, 10))
    rig.run(60_000)
    assert rig.sent("rest") == []


def test_a_cancel_that_overtook_its_order_raises_no_doubt() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    rig.desk.cancel("a")
    rig.tell("ws2", rejected(2, 1), accepted(1, 2, "O1"), execution(ExecType.NEW, 2))
    rig.run(9_000)
    assert rig.sent("rest") == []


def test_fills_that_are_missing_are_asked_for() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.tell("ws2", execution(ExecType.CANCELED, 3, cum_lots=4))
    rig.run(2_001)
    assert rig.sent("rest") == ["QueryOrders"]
    gone = status(OrderState.CANCELED, cum_lots=4)
    rig.tell("rest", snapshot(5, gone, request_id=rig.last("rest").request_id, trades=[trade(2, "T1", 4, 4)]))
    assert rig.heard == [("filled", "a", "T1", 4), ("canceled", "a")]
    assert not record.is_open


def test_a_fill_that_shows_that_one_before_it_was_missed_has_that_one_asked_for() -> None:
    rig = Rig()
    rig.open_order()
    rig.tell("ws2", trade(3, "T2", 3, 7))
    rig.run(2_001)
    assert rig.sent("rest") == ["QueryOrders"]
    poll = rig.last("rest").request_id
    rig.tell("rest", snapshot(5, status(cum_lots=7), request_id=poll, trades=[trade(2, "T1", 4, 4)]))
    rig.run(60_000)
    assert rig.sent("rest") == ["QueryOrders"]
    assert rig.heard == [("filled", "a", "T2", 3), ("filled", "a", "T1", 4)]


def test_after_an_edit_that_a_poll_may_have_seen_one_more_poll_is_made_even_where_news_is_pushed() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005, is_edit=True)
    rig.desk.query()
    _answer(rig, 5)
    rig.tell("ws2", accepted(2, 4, "O2"))
    rig.run(2_001)
    _answer(rig, 2_000, status(order_id="O2", cl_ord_id="", limit_ticks=1_005))
    rig.run(60_000)
    assert rig.sent("rest") == ["QueryOrders", "QueryOrders"]


def test_after_an_edit_that_no_poll_can_have_seen_none_is_made_where_news_is_pushed() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005, is_edit=True)
    rig.tell("ws2", accepted(2, 4, "O2"))
    rig.run(60_000)
    assert rig.sent("rest") == []


def test_an_unknown_outcome_is_asked_after_at_once_and_then_on_the_beat_until_it_is_resolved() -> None:
    rig = Rig(replace(FIX_ROAD, deadline_ms=30_000))
    rig.desk.submit(add_order())
    rig.run(10_001)
    assert rig.sent("rest") == ["QueryOrders"]
    _answer(rig, 10_000)
    rig.run(12_001)
    assert rig.sent("rest") == ["QueryOrders", "QueryOrders"]
    _answer(rig, 12_000, status())
    rig.run(60_000)
    assert rig.sent("rest") == ["QueryOrders", "QueryOrders"]


# ------------------------------------------------------------------------------------------------- the budget of calls


def test_polls_wait_while_the_call_counter_has_no_room_for_all_that_one_may_cost() -> None:
    # Intermediate: 20 points, 0.5 a second. A poll costs 1, and 3 more where something has changed, so with a
    # margin of 1 it is sent up to a counter of 15: the 16th at one instant still is, the 17th waits 2 s for one point.
    rig = Rig()
    for _ in range(18):
        rig.desk.query()
        if rig.sent("rest"):
            _answer(rig, 1)
    assert len(rig.sent("rest")) == 16
    rig.run(1_999)
    rig.desk.query()
    assert len(rig.sent("rest")) == 16
    rig.run(2_000)
    rig.desk.query()
    assert len(rig.sent("rest")) == 17


def test_a_poll_that_shows_a_change_costs_more() -> None:
    rig = Rig()
    for _ in range(6):
        rig.desk.query()
        _answer(rig, 1, status(OrderState.CANCELED, cl_ord_id="z", order_id="O9"))
    # 4 points each: 4, 8, 12, 16; the fifth would leave no margin.
    assert len(rig.sent("rest")) == 4
