"""A poll in virtual time is several questions, each on its way there and back, where a protocol charges it so.

guides/spot-rest-ratelimits; rest-api/get-open-orders, get-closed-orders, get-trade-history.
"""

from __future__ import annotations

from framework.backtest.sim_poll import SimPolls
from framework.messages import CommandAccepted, OrdersSnapshot, OrderState, PollPart, QueryOrders
from tests.framework.execution.desk_rig import add_order, at, snapshot, status

QUERY = QueryOrders(request_id=7)


def answered(polls: SimPolls, *reports: OrdersSnapshot) -> list[QueryOrders | OrdersSnapshot]:
    return [polls.answer(report) for report in reports]


def test_where_nothing_has_changed_one_question_is_all() -> None:
    polls = SimPolls()
    assert polls.begin(QUERY).part is PollPart.OPEN
    first = snapshot(10, status(), request_id=7)
    assert polls.answer(first) == first


def test_what_has_ended_and_what_was_filled_is_asked_for_one_after_the_other() -> None:
    """The answer is of the time of the first question; what has ended since then has ended."""
    polls = SimPolls()
    polls.begin(QUERY)
    gone = status(state=OrderState.CANCELED, order_id="O2", cl_ord_id="b")
    ended, told, whole = answered(
        polls,
        snapshot(10, status(), gone, request_id=7),
        snapshot(14, status(state=OrderState.CANCELED), gone, request_id=7),
        snapshot(18, request_id=7),
    )
    assert isinstance(ended, QueryOrders)
    assert isinstance(told, QueryOrders)
    assert (ended.part, told.part) == (PollPart.ENDED, PollPart.TRADES)
    assert isinstance(whole, OrdersSnapshot)
    assert whole.ts_venue_ns == at(10)
    assert [each.state for each in whole.orders] == [OrderState.CANCELED, OrderState.CANCELED]


def test_what_was_told_once_is_no_change() -> None:
    polls = SimPolls()
    gone = snapshot(10, status(state=OrderState.CANCELED), request_id=7)
    polls.begin(QUERY)
    answered(polls, gone, gone, snapshot(18, request_id=7))
    polls.begin(QUERY)
    assert isinstance(polls.answer(gone), OrdersSnapshot)


def test_a_new_order_that_is_not_shown_is_a_change_until_it_was_answered() -> None:
    polls = SimPolls()
    polls.note_sent(add_order("a"))
    polls.begin(QUERY)
    assert isinstance(polls.answer(snapshot(10, request_id=7)), QueryOrders)
    polls = SimPolls()
    polls.note_sent(add_order("a"))
    polls.note_heard(CommandAccepted(ts_venue_ns=at(9), request_id=0))
    polls.begin(QUERY)
    assert isinstance(polls.answer(snapshot(10, request_id=7)), OrdersSnapshot)


def test_a_poll_that_looks_back_asks_for_the_past_in_any_case() -> None:
    polls = SimPolls()
    polls.begin(QueryOrders(request_id=7, since_ns=at(1)))
    assert isinstance(polls.answer(snapshot(10, status(), request_id=7)), QueryOrders)


def test_a_snapshot_that_was_not_asked_for_is_told_as_it_is() -> None:
    polls = SimPolls()
    pushed = snapshot(10, status(), request_id=None)
    assert polls.answer(pushed) is pushed


def test_each_question_of_a_poll_names_the_orders_that_it_asks_for_by_id() -> None:
    polls = SimPolls()
    query = QueryOrders(request_id=7, order_ids=("O2",))
    assert polls.begin(query).order_ids == ("O2",)
    gone = status(state=OrderState.CANCELED, order_id="O2", cl_ord_id="b")
    ended, told = answered(polls, snapshot(10, gone, request_id=7), snapshot(14, gone, request_id=7))
    assert isinstance(ended, QueryOrders)
    assert isinstance(told, QueryOrders)
    assert (ended.order_ids, told.order_ids) == (("O2",), ("O2",))
