"""Orders of a run before: what the journal knew of them holds, what it did not know waits for the venue's word."""

from __future__ import annotations

from typing import Any

from framework.execution.orders import Knowledge, OrderRecord
from framework.messages import ExecType, OrderState
from tests.framework.execution.desk_rig import (
    START_NS,
    Rig,
    accepted,
    add_order,
    at,
    execution,
    snapshot,
    status,
    trade,
)


def _adopting(*, is_known: bool, deadline_ms: float | None = 5_000, **fields: Any) -> tuple[Rig, OrderRecord]:
    """A desk that has adopted order "a", sent ten seconds ago by a session that has ended, and is up now."""
    rig = Rig(is_started=False)
    order = add_order(
        "a", request_id=7, deadline_ns=None if deadline_ms is None else at(deadline_ms - 10_000), **fields
    )
    rig.desk.count_on(7)
    record = rig.desk.adopt(order, "ws2", "ws2#before", START_NS - 10_000_000_000)
    if is_known:
        rig.desk.know(record, "O1", 7)
    rig.desk.start()
    for name in rig.links:
        rig.up(name)
    return rig, record


def _poll(rig: Rig, ms: float, *orders: Any, **fields: Any) -> None:
    rig.tell("rest", snapshot(ms, *orders, request_id=rig.last("rest").request_id, **fields))


def test_the_venue_is_asked_as_soon_as_a_link_is_up() -> None:
    rig, _ = _adopting(is_known=True)
    assert rig.sent("rest") == ["QueryOrders"]
    assert rig.last("rest").since_ns <= START_NS - 10_000_000_000


def test_requests_are_numbered_after_those_of_the_run_before() -> None:
    rig, _ = _adopting(is_known=True)
    assert rig.last("rest").request_id > 7


def test_a_known_order_can_be_canceled_and_is_by_who_reaches_it() -> None:
    rig, record = _adopting(is_known=True)
    assert record.knowledge is Knowledge.OPEN
    assert record.reach == ("rest", "ws2") or set(record.reach) == {"rest", "ws2"}
    rig.desk.cancel("a")
    rig.tell("ws2", execution(ExecType.CANCELED, 5))
    assert not rig.desk.open_orders
    assert rig.heard == [("canceled", "a")]


def test_what_happened_in_between_is_told_by_the_first_answer() -> None:
    rig, _ = _adopting(is_known=True)
    _poll(rig, 5, status(OrderState.CANCELED, cum_lots=4), trades=(trade(-3_000, "T1", 4, 4),))
    assert rig.heard[0][:2] == ("filled", "a")
    assert rig.heard[-1] == ("canceled", "a")
    assert not rig.desk.open_orders


def test_a_fill_that_was_known_before_is_not_told_again() -> None:
    rig, record = _adopting(is_known=True)
    record.exec_ids, record.cum_lots, record.venue_cum_lots = ("T1",), 4, 4
    _poll(rig, 5, status(OrderState.PARTIALLY_FILLED, cum_lots=4), trades=(trade(-3_000, "T1", 4, 4),))
    assert rig.heard == []
    assert record.cum_lots == 4


def test_an_order_whose_answer_had_not_come_is_unknown_until_the_venue_shows_it() -> None:
    rig, record = _adopting(is_known=False)
    assert record.knowledge is Knowledge.UNKNOWN
    _poll(rig, 5, status())
    assert record.knowledge is Knowledge.OPEN
    assert not rig.desk.in_flight
    assert rig.heard == [("accepted", "a", "O1")]


def test_or_until_its_deadline_has_passed_and_the_venue_does_not_show_it() -> None:
    rig, _ = _adopting(is_known=False)
    _poll(rig, 5)
    assert rig.heard == [("rejected", "a", "never arrived: its deadline has passed, and the venue does not show it")]
    assert not rig.desk.open_orders
    assert not rig.desk.in_flight


def test_without_a_deadline_nothing_proves_that_it_never_was() -> None:
    rig, record = _adopting(is_known=False, deadline_ms=None)
    _poll(rig, 5)
    assert record.knowledge is Knowledge.UNKNOWN
    assert rig.heard == []


def test_new_orders_go_on_beside_it() -> None:
    rig, _ = _adopting(is_known=True)
    rig.desk.submit(add_order("b"))
    rig.tell("ws2", accepted(rig.last("ws2").request_id, 5, "O2"))
    assert list(rig.desk.open_orders) == ["a", "b"]


def test_orders_of_one_request_are_settled_one_by_one() -> None:
    rig = Rig(is_started=False)
    rig.desk.count_on(7)
    for name in "abc":
        order = add_order(name, request_id=7, deadline_ns=at(-5_000))
        record = rig.desk.adopt(order, "ws2", "ws2#before", START_NS - 10_000_000_000)
        if name == "a":
            rig.desk.know(record, "Oa", 7)
    rig.desk.start()
    for name in rig.links:
        rig.up(name)
    _poll(
        rig,
        10,
        status(OrderState.NEW, cl_ord_id="a", order_id="Oa"),
        status(OrderState.NEW, cl_ord_id="b", order_id="Ob"),
    )
    assert list(rig.desk.open_orders) == ["a", "b"]
    assert [heard[:2] for heard in rig.heard] == [("accepted", "b"), ("rejected", "c")]
    assert not rig.desk.in_flight
