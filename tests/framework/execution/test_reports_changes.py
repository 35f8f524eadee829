"""Amends, edits and snapshots: the newest terms are known, and nothing older takes them back."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from framework.execution.events import OrderReachChanged
from framework.execution.orders import Knowledge, OrderRecord
from framework.execution.policy import DeskPolicy
from framework.messages import CancelBatch, ExecType, ExecutionReport, OrderState
from framework.protocol import Protocol, RejectReason
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

# ------------------------------------------------------------------------------------------------- amends


def test_an_amend_is_told_once_when_its_answer_comes_before_its_news() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005)
    rig.tell("ws2", accepted(2, 2, "O1"), execution(ExecType.AMENDED, 2, limit_ticks=1_005))
    assert rig.heard == [("updated", "a", 10, 1_005)]


def test_an_amend_is_told_once_when_its_news_comes_before_its_answer() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005)
    rig.tell("ws2", execution(ExecType.AMENDED, 2, limit_ticks=1_005), accepted(2, 2, "O1"))
    assert rig.heard == [("updated", "a", 10, 1_005)]


def test_the_late_answer_to_an_earlier_amend_does_not_take_back_a_later_one() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005)
    rig.desk.amend("a", limit_ticks=1_009)
    rig.tell("ws2", accepted(3, 3, "O1"), accepted(2, 2, "O1"))
    assert rig.heard == [("updated", "a", 10, 1_009)]
    assert record.limit_ticks == 1_009


def test_answers_in_order_are_both_told() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005)
    rig.desk.amend("a", limit_ticks=1_009)
    rig.tell("ws2", accepted(2, 2, "O1"), accepted(3, 3, "O1"))
    assert rig.heard == [("updated", "a", 10, 1_005), ("updated", "a", 10, 1_009)]


def test_a_refused_amend_leaves_the_order_as_it_was() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005)
    rig.tell("ws2", rejected(2, 2, RejectReason.POST_ONLY))
    assert rig.heard == [("amend rejected", "a", "EOrder:Post only order")]
    assert record.limit_ticks == 1_000


def test_a_refused_amend_of_an_order_that_has_ended_is_not_told() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005)
    rig.tell("ws2", execution(ExecType.CANCELED, 2), rejected(2, 3, RejectReason.ORDER_NOT_OPEN))
    assert rig.heard == [("canceled", "a")]


def test_an_amend_to_the_filled_quantity_ends_the_order_as_canceled() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.tell("ws2", trade(2, "T1", 4, 4))
    rig.desk.amend("a", qty_lots=4)
    amended = execution(ExecType.AMENDED, 3, qty_lots=4, cum_lots=4)
    ended = execution(ExecType.CANCELED, 3, qty_lots=4, cum_lots=4)
    rig.tell("ws2", accepted(2, 3, "O1"), amended, ended)
    assert rig.heard == [("filled", "a", "T1", 4), ("updated", "a", 4, 1_000), ("canceled", "a")]
    assert record.knowledge is Knowledge.CLOSED


def test_a_fill_that_shows_a_larger_quantity_tells_that_before_it_is_told() -> None:
    rig = Rig(REST_POLLED)
    rig.open_order()
    rig.desk.amend("a", qty_lots=20)
    rig.tell("rest", snapshot(4, trades=[trade(3, "T1", 12, 12, qty_lots=20)]))
    assert rig.heard == [("updated", "a", 20, 1_000), ("filled", "a", "T1", 12)]


def test_a_last_fill_of_a_reduced_order_tells_the_reduction_before_it_is_told() -> None:
    rig = Rig(REST_POLLED)
    record = rig.open_order()
    rig.desk.amend("a", qty_lots=6)
    rig.tell("rest", snapshot(4, trades=[trade(3, "T1", 6, 6, qty_lots=6)]))
    assert rig.heard == [("updated", "a", 6, 1_000), ("filled", "a", "T1", 6)]
    assert record.knowledge is Knowledge.CLOSED


def test_fills_that_an_amend_to_less_has_overtaken_do_not_end_the_order_before_the_last_of_them() -> None:
    """The venue cancels an order that is amended to less than is filled; its answer can come before these fills."""
    rig = Rig(REST_POLLED)
    record = rig.open_order()
    rig.desk.amend("a", qty_lots=2)
    rig.tell("rest", accepted(rig.last("rest").request_id, 3, "O1"))
    ended = status(OrderState.CANCELED, qty_lots=8, cum_lots=8)
    fills = [trade(2, "T1", 3, 3, qty_lots=8), trade(2.5, "T2", 5, 8, qty_lots=8, state=OrderState.PARTIALLY_FILLED)]
    rig.tell("rest", snapshot(4, ended, trades=fills))
    assert rig.heard == [
        ("updated", "a", 2, 1_000),
        ("updated", "a", 4, 1_000),
        ("filled", "a", "T1", 3),
        ("updated", "a", 9, 1_000),
        ("filled", "a", "T2", 5),
        ("canceled", "a"),
    ]
    assert record.knowledge is Knowledge.CLOSED


def test_a_fill_that_makes_up_what_was_asked_for_does_not_end_the_order_while_its_venue_says_there_was_more() -> None:
    rig = Rig(REST_POLLED)
    record = rig.open_order()
    rig.desk.amend("a", qty_lots=3)
    rig.tell("rest", accepted(rig.last("rest").request_id, 3, "O1"))
    fills = [trade(2, "T1", 3, 3, qty_lots=5), trade(2.5, "T2", 2, 5, qty_lots=5, state=OrderState.PARTIALLY_FILLED)]
    rig.tell("rest", snapshot(4, status(OrderState.CANCELED, qty_lots=5, cum_lots=5), trades=fills))
    assert [row[2] for row in rig.heard if row[0] == "filled"] == ["T1", "T2"]
    assert record.knowledge is Knowledge.CLOSED


def test_an_old_fill_that_is_learned_late_does_not_take_back_an_amend() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.tell("ws2", execution(ExecType.AMENDED, 3, qty_lots=20, limit_ticks=1_005))
    rig.tell("rest", snapshot(4, trades=[trade(2, "T1", 4, 4)]))
    assert (record.qty_lots, record.limit_ticks) == (20, 1_005)


# ------------------------------------------------------------------------------------------------- snapshots


def test_a_snapshot_that_left_before_an_amend_does_not_take_it_back() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.tell("ws2", execution(ExecType.AMENDED, 5, limit_ticks=1_005))
    rig.tell("rest", snapshot(4, status(limit_ticks=1_000)))
    assert rig.heard == [("updated", "a", 10, 1_005)]
    assert record.limit_ticks == 1_005


def test_a_snapshot_that_is_newer_than_all_news_tells_the_terms() -> None:
    rig = Rig()
    rig.open_order()
    rig.tell("ws2", snapshot(6, status(limit_ticks=1_007)))
    assert rig.heard == [("updated", "a", 10, 1_007)]


def test_the_answer_to_an_amend_that_a_newer_snapshot_has_shown_is_not_told_again() -> None:
    rig = Rig(REST_POLLED)
    rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005)
    rig.tell("rest", snapshot(6, status(limit_ticks=1_005)), accepted(2, 5, "O1"))
    assert rig.heard == [("updated", "a", 10, 1_005)]


# ------------------------------------------------------------------------------------------------- edits


def _edit(rig: Rig, **terms: int) -> OrderRecord:
    record = rig.open_order()
    rig.desk.amend("a", is_edit=True, **terms)
    return record


def _replaced(ms: float = 2, cum_lots: int = 0) -> list[ExecutionReport]:
    """News of an edit at 1005: the end of the old order, and the new one, which has no client id."""
    new: dict[str, Any] = {"order_id": "O2", "cl_ord_id": "", "qty_lots": 10 - cum_lots, "limit_ticks": 1_005}
    return [
        execution(ExecType.CANCELED, ms, cum_lots=cum_lots),
        execution(ExecType.PENDING_NEW, ms, **new),
        execution(ExecType.NEW, ms, **new),
    ]


def test_an_edit_whose_news_comes_first_does_not_end_the_order() -> None:
    rig = Rig()
    record = _edit(rig, limit_ticks=1_005)
    rig.tell("ws2", *_replaced(), accepted(2, 2, "O2"))
    assert rig.heard == [("updated", "a", 10, 1_005)]
    assert record.order_id == "O2"
    assert record.is_live


def test_an_edit_whose_answer_comes_first_does_not_end_the_order() -> None:
    rig = Rig()
    record = _edit(rig, limit_ticks=1_005)
    rig.tell("ws2", accepted(2, 2, "O2"), *_replaced())
    assert rig.heard == [("updated", "a", 10, 1_005)]
    assert record.order_id == "O2"
    assert record.is_live


def test_a_new_venue_id_is_told_even_if_the_terms_are_known_already() -> None:
    rig = Rig()
    record = _edit(rig, limit_ticks=1_000)
    rig.tell("ws2", accepted(2, 2, "O2"))
    assert rig.heard == [("updated", "a", 10, 1_000)]
    assert record.order_id == "O2"


def test_fills_of_the_new_order_that_come_before_the_edits_answer_are_told_after_it() -> None:
    rig = Rig()
    record = _edit(rig, limit_ticks=1_005)
    rig.tell("ws2", *_replaced(), trade(2, "T1", 10, 10, order_id="O2", cl_ord_id="", limit_ticks=1_005))
    assert rig.heard == []
    rig.tell("ws2", accepted(2, 2, "O2"))
    assert rig.heard == [("updated", "a", 10, 1_005), ("filled", "a", "T1", 10)]
    assert record.knowledge is Knowledge.CLOSED


def test_what_was_filled_before_an_edit_stays_with_the_order() -> None:
    rig = Rig()
    record = _edit(rig, limit_ticks=1_005)
    rig.tell("ws2", trade(1.5, "T1", 4, 4), *_replaced(cum_lots=4), accepted(2, 2, "O2"))
    assert (record.cum_lots, record.qty_lots) == (4, 10)
    rig.tell("ws2", trade(3, "T2", 6, 6, qty_lots=6, order_id="O2", cl_ord_id="", limit_ticks=1_005))
    assert record.cum_lots == 10
    assert record.knowledge is Knowledge.CLOSED
    assert rig.heard[-1] == ("filled", "a", "T2", 6)


def test_an_amend_after_an_edit_asks_for_the_quantity_that_the_new_order_is_to_have() -> None:
    rig = Rig()
    _edit(rig, limit_ticks=1_005)
    rig.tell("ws2", trade(1.5, "T1", 4, 4), *_replaced(cum_lots=4), accepted(2, 2, "O2"))
    rig.desk.amend("a", qty_lots=20)
    command = rig.last("ws2")
    assert (command.order_id, command.cl_ord_id, command.qty_lots) == ("O2", None, 16)


def test_after_an_edit_a_cancel_names_the_new_venue_id_since_the_client_id_is_gone() -> None:
    rig = Rig()
    _edit(rig, limit_ticks=1_005)
    rig.tell("ws2", accepted(2, 2, "O2"), *_replaced())
    rig.desk.cancel("a")
    assert (rig.last("ws2").order_id, rig.last("ws2").cl_ord_id) == ("O2", None)


def test_what_an_edit_made_is_canceled_over_a_link_that_reaches_the_session_that_edited() -> None:
    rig = Rig(DeskPolicy(submit="fix", amend="rest", cancel=("fix", "rest"), news="fix", query="rest"))
    record = rig.open_order()
    rig.desk.amend("a", is_edit=True, limit_ticks=1_005)
    rig.tell("rest", accepted(2, 2, "O2"))
    (moved,) = [event for event in rig.listener.road if isinstance(event, OrderReachChanged)]
    assert (moved.previous, moved.reach, record.owner_link) == (("rest", "fix"), ("rest",), "rest")
    rig.desk.cancel("a")
    assert rig.last("rest").order_id == "O2"


def test_without_an_edit_a_cancel_names_the_client_id() -> None:
    rig = Rig()
    rig.open_order()
    rig.desk.cancel("a")
    assert (rig.last("ws2").order_id, rig.last("ws2").cl_ord_id) == (None, "a")


def test_a_batch_of_cancels_names_each_order_by_the_id_that_the_venue_knows() -> None:
    rig = Rig()
    _edit(rig, limit_ticks=1_005)
    rig.tell("ws2", accepted(2, 2, "O2"), *_replaced())
    rig.open_order("b", "O3")
    rig.desk.cancel_batch(["a", "b"])
    command = rig.last("ws2")
    assert isinstance(command, CancelBatch)
    assert (command.order_ids, command.cl_ord_ids) == (("O2",), ("b",))


def test_the_end_of_the_old_order_ends_ours_when_the_edit_was_refused() -> None:
    rig = Rig()
    record = _edit(rig, limit_ticks=1_005)
    rig.tell("ws2", execution(ExecType.CANCELED, 2))
    assert rig.heard == []
    rig.tell("ws2", rejected(2, 3, RejectReason.ORDER_NOT_OPEN))
    assert rig.heard == [("canceled", "a")]
    assert record.knowledge is Knowledge.CLOSED


def test_a_refused_edit_of_an_open_order_is_told_and_the_order_goes_on() -> None:
    rig = Rig()
    record = _edit(rig, limit_ticks=1_005)
    rig.tell("ws2", rejected(2, 3, RejectReason.POST_ONLY))
    assert rig.heard == [("amend rejected", "a", "EOrder:Post only order")]
    assert record.is_live
    rig.tell("ws2", execution(ExecType.CANCELED, 4))
    assert rig.heard[-1] == ("canceled", "a")


def test_the_end_of_the_new_order_is_the_end_of_ours() -> None:
    rig = Rig()
    record = _edit(rig, limit_ticks=1_005)
    rig.tell("ws2", *_replaced(), accepted(2, 2, "O2"))
    rig.tell("ws2", execution(ExecType.CANCELED, 3, order_id="O2", cl_ord_id="", limit_ticks=1_005))
    assert rig.heard[-1] == ("canceled", "a")
    assert record.knowledge is Knowledge.CLOSED


def test_a_poll_that_shows_the_replaced_order_ended_does_not_end_ours() -> None:
    rig = Rig()
    record = _edit(rig, limit_ticks=1_005)
    rig.tell("ws2", accepted(2, 2, "O2"))
    rig.tell("rest", snapshot(5, status(OrderState.CANCELED)))
    assert rig.heard == [("updated", "a", 10, 1_005)]
    assert record.is_live


def test_another_change_while_an_edit_is_in_flight_is_refused_here() -> None:
    rig = Rig()
    _edit(rig, limit_ticks=1_005)
    rig.desk.amend("a", limit_ticks=1_006)
    assert rig.sent("ws2") == ["AddOrder", "EditOrder"]
    assert rig.heard[0][:2] == ("amend rejected", "a")


def test_an_edit_before_the_venues_id_is_known_is_refused_here() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    rig.desk.amend("a", limit_ticks=1_005, is_edit=True)
    assert rig.sent("ws2") == ["AddOrder"]
    assert rig.heard[-1][:2] == ("amend rejected", "a")


def test_a_lost_edit_is_resolved_by_a_poll_that_shows_the_order_it_made() -> None:
    rig = Rig(REST_POLLED)
    record = _edit(rig, limit_ticks=1_005)
    rig.run(10_001)
    poll = _next_poll(rig)
    made = status(order_id="O2", cl_ord_id="", limit_ticks=1_005)
    rig.tell("rest", snapshot(9_000, status(OrderState.CANCELED), made, request_id=poll))
    assert rig.heard == [("updated", "a", 10, 1_005)]
    assert record.order_id == "O2"
    assert [event.command for event in rig.road("OutcomeResolved")] == ["EditOrder"]


def test_a_lost_edit_is_not_taken_for_a_strangers_order_in_other_terms() -> None:
    rig = Rig(REST_POLLED)
    record = _edit(rig, limit_ticks=1_005)
    rig.run(10_001)
    poll = _next_poll(rig)
    other = status(order_id="O2", cl_ord_id="", limit_ticks=1_006)
    rig.tell("rest", snapshot(9_000, status(OrderState.CANCELED), other, request_id=poll))
    assert rig.heard == [("canceled", "a")]
    assert record.knowledge is Knowledge.CLOSED


def test_a_lost_edit_whose_order_is_open_as_it_was_is_refused_once_its_deadline_has_passed() -> None:
    rig = Rig(REST_POLLED)
    _edit(rig, limit_ticks=1_005)
    rig.run(10_001)
    rig.tell("rest", snapshot(4_999, status(), request_id=_next_poll(rig)))
    assert rig.heard == []
    rig.tell("rest", snapshot(5_001, status(), request_id=_next_poll(rig)))
    assert [what[:2] for what in rig.heard] == [("amend rejected", "a")]


def test_a_lost_edit_whose_order_was_told_to_have_ended_is_resolved_by_a_poll_that_looks_back_to_before_it() -> None:
    rig = Rig(replace(WS2_ROAD, answer_timeout_ms=1_000))
    record = rig.open_order()
    rig.run(4_000)
    rig.desk.amend("a", limit_ticks=1_005, is_edit=True)
    rig.tell("ws2", execution(ExecType.CANCELED, 4_001))
    rig.run(5_001)
    rig.tell("rest", snapshot(60_000, request_id=rig.last("rest").request_id))
    assert record.is_live
    rig.run(8_002)
    assert rig.last("rest").since_ns <= at(4_000)
    rig.tell("rest", snapshot(60_001, status(OrderState.CANCELED), request_id=rig.last("rest").request_id))
    assert rig.heard == [("canceled", "a")]
    assert rig.desk.in_flight == {}


def test_after_an_edit_the_next_poll_looks_back_to_before_it() -> None:
    rig = Rig(REST_POLLED)
    _edit(rig, limit_ticks=1_005)
    rig.run(2_001)
    # The poll sees the order that the edit made filled and gone, but nobody knows it yet.
    gone = status(OrderState.FILLED, order_id="O2", cl_ord_id="", limit_ticks=1_005, cum_lots=10)
    fill = trade(1_500, "T1", 10, 10, order_id="O2", cl_ord_id="", limit_ticks=1_005)
    rig.tell("rest", snapshot(1_900, gone, request_id=rig.last("rest").request_id, trades=[fill]))
    rig.tell("rest", accepted(2, 1_400, "O2"))
    rig.run(4_001)
    assert rig.last("rest").since_ns <= fill.ts_venue_ns
    rig.tell("rest", snapshot(4_000, gone, request_id=rig.last("rest").request_id, trades=[fill]))
    assert rig.heard == [("updated", "a", 10, 1_005), ("filled", "a", "T1", 10)]


def _next_poll(rig: Rig) -> int:
    """Let the poll that is awaited be forgotten, if any, and ask anew; returns its number."""
    count = len(rig.links["rest"].sent)
    while rig.sent("rest")[count:] != ["QueryOrders"]:
        rig.clock.run_next()
    request_id: int = rig.last("rest").request_id
    return request_id


# ------------------------------------------------------------------------------------------------- no edits


@pytest.mark.parametrize("link", ["rest", "ws2", "fix"])
def test_where_orders_with_client_ids_are_not_edited_they_are_changed_in_place(link: str) -> None:
    """rest-api/edit-order, websocket-v2/edit_order, caveats; FIX has no edit at all."""
    policy = DeskPolicy(submit=link, amend=link, cancel=(link,), news=link)
    label = {"rest": Protocol.REST, "ws2": Protocol.WS2, "fix": Protocol.FIX}[link]
    rig = Rig(policy, profiles={link: PROFILE.protocols[label]})
    rig.open_order()
    rig.desk.amend("a", limit_ticks=1_005, is_edit=True)
    assert rig.sent(link) == ["AddOrder", "AmendOrder"]
    assert rig.last(link).cl_ord_id == "a"


# ------------------------------------------------------------------------------------------------- fills of two roads


def test_a_last_fill_that_a_page_of_trades_told_first_ends_the_order_when_news_says_that_it_was_the_last() -> None:
    """The page was read after the order was amended to more and filled, the order's own page before."""
    rig = Rig()
    record = rig.open_order()
    shown = status(qty_lots=10)
    poll = snapshot(2, shown, trades=[trade(2.6, "T1", 20, 0, qty_lots=10, state=OrderState.PARTIALLY_FILLED)])
    rig.tell("rest", poll)
    assert rig.heard[-1] == ("filled", "a", "T1", 20)
    assert record.is_live
    rig.heard.clear()
    rig.tell("ws2", execution(ExecType.AMENDED, 2.5, qty_lots=20), trade(2.5, "T1", 20, 20, qty_lots=20))
    assert not record.is_live
    assert not rig.desk.open_orders
    assert [each[:2] for each in rig.heard] == [("updated", "a"), ("canceled", "a")]
    assert record.cum_lots == 20


def test_a_last_fill_that_a_page_of_trades_told_first_ends_the_order_when_news_says_that_it_is_filled() -> None:
    rig = Rig()
    record = rig.open_order()
    fill = trade(2.6, "T1", 20, 0, qty_lots=10, state=OrderState.PARTIALLY_FILLED)
    rig.tell("rest", snapshot(2, status(qty_lots=10), trades=[fill]))
    assert record.is_live
    again = trade(2.5, "T1", 20, 20, qty_lots=20, state=OrderState.PARTIALLY_FILLED)
    rig.tell("ws2", again, execution(ExecType.FILLED, 2.5, qty_lots=20, cum_lots=20))
    assert not record.is_open
    assert record.cum_lots == 20


# ------------------------------------------------------------------------------------------------- times of two roads


def test_a_change_that_is_told_in_milliseconds_is_not_older_than_a_poll_asked_within_that_millisecond() -> None:
    """fix-api/er-fix, tag 60. It was made after the poll was asked, and before the poll was read."""
    rig = Rig(FIX_ROAD)
    record = rig.open_order()
    rig.tell("rest", snapshot(2.3, status(limit_ticks=1_002)))
    rig.tell("fix", execution(ExecType.AMENDED, 2, qty_lots=20, limit_ticks=1_005))
    assert (record.qty_lots, record.limit_ticks) == (20, 1_005)


def test_a_poll_that_was_asked_within_the_millisecond_of_a_change_does_not_take_it_back() -> None:
    rig = Rig(FIX_ROAD)
    record = rig.open_order()
    rig.tell("fix", execution(ExecType.AMENDED, 2, qty_lots=20))
    rig.tell("rest", snapshot(2.3, status(qty_lots=10)))
    assert record.qty_lots == 20
    rig.tell("rest", snapshot(3, status(qty_lots=15)))
    assert record.qty_lots == 15


def test_where_all_roads_tell_microseconds_a_millisecond_tells_older_from_newer() -> None:
    policy = DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2",), news="ws2")
    rig = Rig(policy)
    record = rig.open_order()
    rig.tell("ws2", execution(ExecType.AMENDED, 2.003, limit_ticks=1_005))
    rig.tell("ws2", execution(ExecType.AMENDED, 2.001, limit_ticks=1_002))
    assert record.limit_ticks == 1_005


def test_what_a_poll_tells_a_fill_with_is_of_the_time_of_the_poll_not_of_the_fill() -> None:
    """The present was asked for before the order was amended, its trades after it was filled."""
    rig = Rig()
    record = rig.open_order()
    fill = trade(2.9, "T1", 4, 4, state=OrderState.PARTIALLY_FILLED)
    rig.tell("ws2", execution(ExecType.AMENDED, 2.5, qty_lots=20, limit_ticks=1_005))
    rig.tell("rest", snapshot(2, status(), trades=[fill]))
    assert (record.qty_lots, record.limit_ticks) == (20, 1_005)
