"""One order's life as reports tell it: what each proves, in whatever order they come."""

from __future__ import annotations

import pytest

from framework.execution.orders import Knowledge
from framework.messages import ExecType, OrderState
from framework.protocol import OrderType, RejectReason
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


def test_an_order_is_accepted_once_though_answer_and_news_both_tell() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    rig.tell("ws2", accepted(1, 1, "O1"), execution(ExecType.PENDING_NEW, 1), execution(ExecType.NEW, 1))
    assert rig.heard == [("submitted", "a"), ("accepted", "a", "O1")]


def test_an_order_is_accepted_once_though_news_comes_before_the_answer() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    rig.tell("ws2", execution(ExecType.NEW, 1), accepted(1, 1, "O1"))
    assert rig.heard == [("submitted", "a"), ("accepted", "a", "O1")]


def test_a_rejected_order_is_closed_with_the_venues_text() -> None:
    rig = Rig()
    record = rig.desk.submit(add_order())
    rig.tell("ws2", rejected(1, 1, RejectReason.INSUFFICIENT_FUNDS))
    assert rig.heard[-1] == ("rejected", "a", "EOrder:Insufficient funds")
    assert record.knowledge is Knowledge.CLOSED
    assert rig.desk.open_orders == {}


def test_a_refusal_of_an_order_that_news_has_shown_to_be_open_ends_nothing() -> None:
    rig = Rig()
    record = rig.desk.submit(add_order())
    rig.tell("ws2", execution(ExecType.NEW, 1), rejected(1, 2, RejectReason.INTERNAL))
    assert rig.heard == [("submitted", "a"), ("accepted", "a", "O1")]
    assert record.is_live


def test_news_of_an_order_of_another_trader_of_the_account_is_ignored() -> None:
    rig = Rig()
    rig.open_order()
    rig.tell("ws2", execution(ExecType.NEW, 2, cl_ord_id="z", order_id="O9"))
    rig.tell("ws2", trade(3, "T9", 10, 10, cl_ord_id="z", order_id="O9"))
    assert rig.heard == []


def test_another_traders_order_that_uses_our_client_id_again_is_not_ours() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.tell("ws2", execution(ExecType.CANCELED, 2))
    rig.tell("ws2", execution(ExecType.NEW, 3, order_id="O9"), trade(4, "T9", 10, 10, order_id="O9"))
    assert rig.heard == [("canceled", "a")]
    assert record.cum_lots == 0


def test_a_fill_is_told_once_though_it_comes_by_two_roads() -> None:
    rig = Rig()
    record = rig.open_order()
    fill = trade(2, "T1", 4, 4)
    rig.tell("ws2", fill)
    rig.tell("rest", snapshot(3, status(cum_lots=4), trades=[fill]))
    assert rig.heard == [("filled", "a", "T1", 4)]
    assert record.cum_lots == 4


def test_two_fills_of_the_same_size_are_both_told() -> None:
    rig = Rig()
    rig.open_order()
    rig.tell("ws2", trade(2, "T1", 4, 4), trade(2, "T2", 4, 8))
    assert rig.heard == [("filled", "a", "T1", 4), ("filled", "a", "T2", 4)]


def test_a_fill_that_overtakes_the_acknowledgement_is_told_after_the_acceptance() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    rig.tell("ws2", trade(1, "T1", 10, 10), execution(ExecType.NEW, 1), accepted(1, 1, "O1"))
    assert rig.heard == [("submitted", "a"), ("accepted", "a", "O1"), ("filled", "a", "T1", 10)]


def test_an_end_that_overtakes_the_acknowledgement_is_told_after_the_acceptance() -> None:
    rig = Rig()
    record = rig.desk.submit(add_order())
    rig.tell("ws2", execution(ExecType.CANCELED, 2), execution(ExecType.NEW, 1), accepted(1, 1, "O1"))
    assert rig.heard == [("submitted", "a"), ("accepted", "a", "O1"), ("canceled", "a")]
    assert record.knowledge is Knowledge.CLOSED


def test_a_filled_order_is_closed_without_another_event() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.tell("ws2", trade(2, "T1", 10, 10))
    assert rig.heard == [("filled", "a", "T1", 10)]
    assert record.knowledge is Knowledge.CLOSED


def test_an_order_is_already_closed_when_its_last_fill_is_told() -> None:
    rig = Rig()
    rig.open_order()
    seen = []
    rig.listener.order_filled = lambda record, *_: seen.append(record.is_open)  # type: ignore[method-assign]
    rig.tell("ws2", trade(2, "T1", 4, 4), trade(3, "T2", 6, 10))
    assert seen == [True, False]


def test_a_canceled_order_with_all_its_fills_known_is_closed() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.tell("ws2", trade(2, "T1", 4, 4), execution(ExecType.CANCELED, 3, cum_lots=4))
    assert rig.heard == [("filled", "a", "T1", 4), ("canceled", "a")]
    assert record.knowledge is Knowledge.CLOSED


def test_a_canceled_order_is_not_settled_until_its_fills_are() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.tell("ws2", execution(ExecType.CANCELED, 3, cum_lots=4))
    assert rig.heard == []
    assert record.is_open
    assert not record.is_live
    rig.tell("ws2", trade(2, "T1", 4, 4))
    assert rig.heard == [("filled", "a", "T1", 4), ("canceled", "a")]
    assert record.knowledge is Knowledge.CLOSED


def test_an_order_whose_last_fill_comes_before_an_earlier_one_is_closed_by_the_earlier_one() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.tell("ws2", trade(3, "T2", 6, 10))
    assert record.is_open
    rig.tell("ws2", trade(2, "T1", 4, 4))
    assert rig.heard == [("filled", "a", "T2", 6), ("filled", "a", "T1", 4)]
    assert record.knowledge is Knowledge.CLOSED


def test_news_that_an_order_is_filled_after_its_last_fill_tells_nothing_new() -> None:
    rig = Rig()
    rig.open_order()
    rig.tell("ws2", trade(2, "T1", 10, 10), execution(ExecType.FILLED, 2, cum_lots=10))
    assert rig.heard == [("filled", "a", "T1", 10)]


def test_news_that_an_order_is_filled_ends_one_of_which_more_was_believed_to_be_open() -> None:
    """Its fills do not say which is the last, and that it was amended to less has not been told, or not as newer."""
    rig = Rig()
    record = rig.open_order()
    fill = trade(2, "T1", 4, 4, state=OrderState.PARTIALLY_FILLED)
    rig.tell("ws2", fill, execution(ExecType.FILLED, 2, cum_lots=4))
    assert rig.heard == [("filled", "a", "T1", 4), ("canceled", "a")]
    assert record.knowledge is Knowledge.CLOSED


def test_news_that_an_order_is_filled_waits_for_a_last_fill_that_it_has_overtaken() -> None:
    rig = Rig()
    record = rig.open_order()
    rig.tell("ws2", execution(ExecType.FILLED, 2, cum_lots=10))
    assert record.is_open
    rig.tell("ws2", trade(2, "T1", 10, 10))
    assert rig.heard == [("filled", "a", "T1", 10)]
    assert record.knowledge is Knowledge.CLOSED
    rig.run(60_000)
    assert rig.sent("rest") == []


def test_an_order_that_settles_a_position_ends_without_a_fill() -> None:
    """support/218741078: nothing is traded."""
    rig = Rig()
    record = rig.open_order(order_type=OrderType.SETTLE_POSITION, limit_ticks=None)
    rig.tell("ws2", execution(ExecType.FILLED, 2, cum_lots=10, order_type=OrderType.SETTLE_POSITION))
    assert record.knowledge is Knowledge.CLOSED


def test_an_expired_order_is_told_as_expired() -> None:
    rig = Rig()
    rig.open_order()
    rig.tell("ws2", execution(ExecType.EXPIRED, 2))
    assert rig.heard == [("expired", "a")]


def test_a_market_order_that_is_partly_filled_and_then_canceled_is_canceled() -> None:
    rig = Rig()
    rig.desk.submit(add_order(limit_ticks=None, order_type=OrderType.MARKET))
    rig.tell("ws2", execution(ExecType.NEW, 1, limit_ticks=None), trade(1, "T1", 4, 4, limit_ticks=None))
    rig.tell("ws2", execution(ExecType.CANCELED, 1, cum_lots=4, limit_ticks=None), accepted(1, 1, "O1"))
    assert rig.heard[1:] == [("accepted", "a", "O1"), ("filled", "a", "T1", 4), ("canceled", "a")]


@pytest.mark.parametrize("late", [execution(ExecType.NEW, 9), execution(ExecType.AMENDED, 9, qty_lots=20)])
def test_an_order_that_has_ended_stays_ended_whatever_comes_late(late: object) -> None:
    rig = Rig()
    record = rig.open_order()
    rig.tell("ws2", execution(ExecType.CANCELED, 2))
    rig.tell("ws2", late)  # type: ignore[arg-type]
    rig.tell("rest", snapshot(9, status()))
    assert rig.heard == [("canceled", "a")]
    assert record.knowledge is Knowledge.CLOSED


def test_a_quote_quantity_order_shows_more_than_is_filled_until_it_is_done() -> None:
    rig = Rig()
    rig.desk.submit(add_order(qty_lots=0, quote_qty=100, limit_ticks=None, order_type=OrderType.MARKET))
    rig.tell("ws2", accepted(1, 1, "O1"))
    rig.heard.clear()
    first = trade(1, "T1", 4, 4, qty_lots=4, limit_ticks=None, state=OrderState.PARTIALLY_FILLED)
    last = trade(1, "T2", 3, 7, qty_lots=7, limit_ticks=None)
    rig.tell("ws2", first, last)
    assert rig.heard == [
        ("updated", "a", 5, None),
        ("filled", "a", "T1", 4),
        ("updated", "a", 7, None),
        ("filled", "a", "T2", 3),
    ]
    assert rig.desk.orders["a"].knowledge is Knowledge.CLOSED


def test_a_stop_is_triggered_once_though_two_roads_tell() -> None:
    rig = Rig(FIX_ROAD)
    rig.open_order(order_type=OrderType.STOP_LOSS_LIMIT, trigger_ticks=990)
    fired = execution(ExecType.TRIGGERED, 2, order_type=OrderType.STOP_LOSS_LIMIT, trigger_ticks=990)
    rig.tell("fix", fired)
    rig.tell("fix", fired)
    assert rig.heard == [("triggered", "a")]


def test_on_a_polled_road_the_answer_to_a_cancel_closes_nothing_and_the_next_poll_does() -> None:
    rig = Rig(REST_POLLED)
    record = rig.open_order()
    rig.desk.cancel("a")
    rig.tell("rest", accepted(rig.last("rest").request_id, 2, "O1"))
    assert record.is_open
    assert rig.heard == []
    rig.run(2_001)
    poll = rig.last("rest").request_id
    rig.tell(
        "rest", snapshot(3, status(OrderState.CANCELED, cum_lots=4), request_id=poll, trades=[trade(1.5, "T1", 4, 4)])
    )
    assert rig.heard == [("filled", "a", "T1", 4), ("canceled", "a")]


def test_a_poll_that_shows_an_end_with_a_fill_missing_leaves_the_order_unsettled() -> None:
    rig = Rig(REST_POLLED)
    record = rig.open_order()
    rig.tell("rest", snapshot(3, status(OrderState.CANCELED, cum_lots=4)))
    assert rig.heard == []
    assert record.is_open


def test_a_poll_that_left_before_the_order_was_accepted_proves_nothing() -> None:
    rig = Rig(REST_POLLED)
    record = rig.open_order()
    rig.tell("rest", snapshot(0.5))
    assert rig.heard == []
    assert record.knowledge is Knowledge.OPEN


def test_what_is_learned_is_written_down_once() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    news = [execution(ExecType.NEW, 1), trade(2, "T1", 4, 4), execution(ExecType.CANCELED, 3, cum_lots=4)]
    rig.tell("ws2", *news, *news)
    assert [report for _, report, _ in rig.notes.reports] == news


def test_the_answer_to_a_request_is_written_down_with_the_time_at_which_it_was_learned() -> None:
    rig = Rig()
    rig.desk.submit(add_order())
    rig.run(7)
    rig.tell("ws2", accepted(1, 1, "O1"))
    assert rig.notes.answers == [(1, at(7), "accepted")]


def test_an_order_that_closed_before_a_time_is_forgotten_and_what_is_said_of_it_later_is_not_its_own() -> None:
    rig = Rig()
    rig.open_order()
    rig.run(1_000)
    rig.tell("ws2", execution(ExecType.CANCELED, 1_000, state=OrderState.CANCELED))
    assert rig.desk.forget(at(1_000)) == []
    assert rig.desk.forget(at(1_001)) == ["a"]
    assert (dict(rig.desk.orders), rig.desk.order_count) == ({}, 1)
    heard = list(rig.heard)
    rig.tell("ws2", trade(3, "T9", 10, 10))
    rig.desk.cancel("a")
    rig.desk.cancel_batch(["a"])
    rig.desk.amend("a", qty_lots=1)
    assert rig.heard == heard


def test_an_order_that_is_open_or_unsettled_is_never_forgotten() -> None:
    rig = Rig()
    rig.open_order()
    # Canceled, but a fill that the venue counts has not been told.
    rig.tell("ws2", execution(ExecType.CANCELED, 2, state=OrderState.CANCELED, cum_lots=10))
    assert rig.desk.forget(at(10**9)) == []
    assert list(rig.desk.orders) == ["a"]


def test_an_order_with_a_fill_after_its_end_is_forgotten_once() -> None:
    rig = Rig()
    rig.open_order()
    rig.tell("ws2", execution(ExecType.CANCELED, 2, state=OrderState.CANCELED))
    rig.tell("ws2", trade(3, "T1", 10, 10))
    assert rig.desk.forget(at(10**6)) == ["a"]
    assert rig.desk.order_count == 1
