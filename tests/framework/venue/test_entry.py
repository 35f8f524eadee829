"""Order types, times in force, post-only, start times. Pages: rest-api/add-order, guides/general/order-lifecycle."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework.messages import ExecType, OrderState
from framework.protocol import BUY, SELL, OrderType, RejectReason, TimeInForce
from tests.framework.venue.venue_rig import SECOND, START_NS, Rig, book, touch

# ----------------------------------------------------------------------------- limit and market


def test_a_limit_order_below_the_ask_rests_and_trades_nothing() -> None:
    rig = Rig(touch())
    order = rig.add(limit_ticks=1000)
    assert order.state is OrderState.NEW
    assert rig.trades() == []


def test_a_limit_order_at_the_ask_takes_it() -> None:
    rig = Rig(touch())
    assert rig.add(limit_ticks=1001).state is OrderState.FILLED
    assert rig.trades() == [(1001, 100)]


def test_a_limit_order_takes_level_by_level_and_rests_with_what_is_left() -> None:
    rig = Rig(touch())
    order = rig.add(qty_lots=1200, limit_ticks=1002)
    assert rig.trades() == [(1001, 500), (1002, 500)]
    assert (order.state, order.cum_lots, rig.market.leaves(order.slot)) == (OrderState.PARTIALLY_FILLED, 1000, 200)


def test_a_sell_limit_order_takes_bids_down_to_its_limit_only() -> None:
    rig = Rig(touch())
    rig.add(side=SELL, qty_lots=1200, limit_ticks=999)
    assert rig.trades() == [(999, 500)]


def test_what_was_taken_is_not_there_for_the_next_order() -> None:
    rig = Rig(touch())
    rig.add(qty_lots=500, limit_ticks=1001)
    assert rig.add(qty_lots=100, limit_ticks=1001).state is OrderState.NEW


def test_a_resting_order_is_filled_as_a_maker_at_its_own_price() -> None:
    rig = Rig(touch())
    order = rig.add(limit_ticks=1000)
    rig.hit(SELL, 40, 998)
    (report,) = rig.executions()
    assert (report.last_ticks, report.last_lots, report.is_maker) == (1000, 40, True)
    assert (report.state, report.leaves_lots, report.cum_lots) == (OrderState.PARTIALLY_FILLED, 60, 40)
    assert order.is_open


def test_a_market_order_takes_at_any_price() -> None:
    rig = Rig(touch())
    assert rig.add(order_type=OrderType.MARKET, qty_lots=1000).state is OrderState.FILLED
    assert rig.trades() == [(1001, 500), (1002, 500)]


def test_a_market_order_never_rests() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.MARKET, side=SELL, qty_lots=1500)
    assert rig.trades() == [(999, 500), (998, 500)]
    assert (order.state, order.end_reason) == (OrderState.CANCELED, RejectReason.MARKET_REMAINDER)


def test_a_market_order_without_a_market_ends_unfilled() -> None:
    rig = Rig(book())
    order = rig.add(order_type=OrderType.MARKET)
    assert (order.state, order.cum_lots) == (OrderState.CANCELED, 0)


# ----------------------------------------------------------------------------- quote quantity


def test_a_market_buy_in_quote_quantity_spends_that_much_without_the_fee() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.MARKET, qty_lots=0, quote_qty=Decimal("5.005"))
    # 5.005 USD at 100.1 are 0.05 BTC.
    assert (order.state, order.qty_lots, order.cum_lots) == (OrderState.FILLED, 500, 500)
    assert rig.total("USD") == Decimal("10000") - Decimal("5.005") - Decimal("0.02002")


def test_a_market_buy_in_quote_quantity_leaves_less_than_one_lot_unspent() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.MARKET, qty_lots=0, quote_qty=Decimal("1.0109"))
    # One lot at 100.1 costs 0.01001: 100 lots are 1.001, 0.0099 are left.
    assert (order.state, order.cum_lots) == (OrderState.FILLED, 100)


def test_a_market_buy_in_quote_quantity_walks_the_levels() -> None:
    rig = Rig(touch())
    rig.add(order_type=OrderType.MARKET, qty_lots=0, quote_qty=Decimal("6.007"))
    assert rig.trades() == [(1001, 500), (1002, 100)]


def test_a_market_buy_in_quote_quantity_needs_the_fee_on_top() -> None:
    rig = Rig(touch(), balances={"USD": "5.005"})
    refusal = rig.refused_add(order_type=OrderType.MARKET, qty_lots=0, quote_qty=Decimal("5.005"))
    assert refusal == "EOrder:Insufficient funds"


@pytest.mark.parametrize(
    "fields",
    [
        {"side": SELL, "order_type": OrderType.MARKET, "qty_lots": 0},
        {"order_type": OrderType.LIMIT, "qty_lots": 0},
        {"order_type": OrderType.MARKET, "qty_lots": 100},
    ],
)
def test_quote_quantity_is_for_market_buys_without_a_base_quantity(fields: dict[str, int]) -> None:
    rig = Rig(touch())
    assert rig.refused_add(quote_qty=Decimal(5), **fields) == "EGeneral:Invalid arguments"


# ----------------------------------------------------------------------------- immediate or cancel, fill or kill


def test_an_ioc_order_takes_what_is_there_and_cancels_the_rest() -> None:
    rig = Rig(touch())
    order = rig.add("ws2", qty_lots=700, limit_ticks=1001, time_in_force=TimeInForce.IOC)
    assert (order.state, order.cum_lots, order.end_reason) == (OrderState.CANCELED, 500, RejectReason.IOC_REMAINDER)
    assert rig.exec_types() == [ExecType.PENDING_NEW, ExecType.NEW, ExecType.TRADE, ExecType.CANCELED]
    assert rig.held("USD") == 0


def test_an_ioc_order_that_is_filled_is_not_canceled() -> None:
    rig = Rig(touch())
    assert rig.add(qty_lots=500, limit_ticks=1001, time_in_force=TimeInForce.IOC).state is OrderState.FILLED


def test_a_fok_order_that_cannot_be_filled_in_full_trades_nothing() -> None:
    rig = Rig(touch())
    order = rig.add(qty_lots=1001, limit_ticks=1002, time_in_force=TimeInForce.FOK)
    assert (order.state, order.end_reason) == (OrderState.CANCELED, RejectReason.FOK_UNFILLED)
    assert rig.trades() == []


def test_a_fok_order_that_can_be_filled_in_full_is() -> None:
    rig = Rig(touch())
    assert rig.add(qty_lots=1000, limit_ticks=1002, time_in_force=TimeInForce.FOK).state is OrderState.FILLED


def test_a_fok_market_order_is_refused() -> None:
    rig = Rig(touch())
    assert rig.refused_add(order_type=OrderType.MARKET, time_in_force=TimeInForce.FOK) == "EGeneral:Invalid arguments"


# ----------------------------------------------------------------------------- post-only


def test_a_post_only_order_that_would_take_gets_an_id_and_is_canceled() -> None:
    rig = Rig(touch())
    order = rig.add("ws2", limit_ticks=1001, is_post_only=True)
    assert rig.accepted("ws2").order_ids == (order.order_id,)
    assert rig.executions()[-1].reason == "EOrder:Post only order"
    assert rig.trades() == []


def test_a_post_only_order_that_would_take_is_refused_under_the_other_reading() -> None:
    rig = Rig(touch(), switches={"post_only_violation": "reject"})
    assert rig.refused_add(limit_ticks=1001, is_post_only=True) == "EOrder:Post only order"


def test_a_post_only_order_that_does_not_take_rests() -> None:
    rig = Rig(touch())
    assert rig.add(limit_ticks=1000, is_post_only=True).state is OrderState.NEW


def test_a_post_only_order_that_meets_an_own_order_is_canceled_and_the_own_order_stays() -> None:
    rig = Rig(touch())
    resting = rig.add(side=SELL, limit_ticks=1000)
    assert rig.add(limit_ticks=1000, is_post_only=True).end_reason is RejectReason.POST_ONLY
    assert resting.is_open


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_a_post_only_order_cannot_be_for_at_once(time_in_force: TimeInForce) -> None:
    rig = Rig(touch())
    assert rig.refused_add(is_post_only=True, time_in_force=time_in_force) == "EGeneral:Invalid arguments"


# ----------------------------------------------------------------------------- reduce-only, validate-only


def test_reduce_only_without_a_position_is_refused_in_the_documented_words() -> None:
    rig = Rig(touch())
    assert rig.refused_add(is_reduce_only=True) == "EOrder:Reduce only:No position exists"


def test_validation_answers_and_leaves_no_trace() -> None:
    rig = Rig(touch())
    rig.send("ws2", rig.order(limit_ticks=1001, is_validate_only=True))
    assert rig.accepted("ws2").order_ids == ()
    assert rig.executions() == []
    assert rig.venue.accounts["a"].order_by_id == {}
    assert rig.counter() == 0


def test_validation_refuses_what_the_order_itself_would_be_refused_for() -> None:
    rig = Rig(touch(), balances={"USD": "1"})
    assert rig.refused_add(is_validate_only=True) == "EOrder:Insufficient funds"


def test_validation_over_a_protocol_without_it_is_refused_and_no_order_made() -> None:
    rig = Rig(touch())
    assert rig.refused_add("fix", is_validate_only=True) == "EGeneral:Unknown method"
    assert rig.venue.accounts["a"].open_orders == {}


# ----------------------------------------------------------------------------- start and end times


def test_a_scheduled_order_is_pending_until_its_start() -> None:
    rig = Rig(touch())
    order = rig.add("fix", limit_ticks=1001, start_ns=START_NS + 10 * SECOND)
    assert rig.exec_types("fix") == [ExecType.PENDING_NEW]
    assert rig.held("USD") == Decimal("1.001") + Decimal("0.00401")
    rig.at(9.9)
    assert (order.state, rig.trades()) == (OrderState.PENDING_NEW, [])
    rig.at(10)
    assert rig.exec_types("fix") == [ExecType.NEW, ExecType.TRADE]
    assert order.state is OrderState.FILLED


def test_a_scheduled_order_that_was_canceled_does_not_start() -> None:
    rig = Rig(touch())
    order = rig.add("fix", limit_ticks=1001, start_ns=START_NS + 10 * SECOND)
    rig.cancel(order, "fix")
    rig.at(11)
    assert (order.state, rig.trades(), rig.executions("fix")) == (OrderState.CANCELED, [], [])


def test_a_gtd_order_expires_at_its_end() -> None:
    rig = Rig(touch())
    order = rig.add(time_in_force=TimeInForce.GTD, expire_ns=START_NS + 60 * SECOND)
    rig.at(59.999)
    assert order.is_open
    rig.at(60)
    assert order.state is OrderState.EXPIRED
    assert rig.exec_types() == [ExecType.EXPIRED]
    assert rig.held("USD") == 0


def test_a_gtd_order_that_was_filled_does_not_expire() -> None:
    rig = Rig(touch())
    order = rig.add(time_in_force=TimeInForce.GTD, expire_ns=START_NS + 60 * SECOND)
    rig.hit(SELL, 100, 1000)
    assert rig.at(61).executions() == []
    assert order.state is OrderState.FILLED


@pytest.mark.parametrize("seconds", [4, 32 * 86_400])
def test_a_gtd_order_ends_between_five_seconds_and_a_month_ahead(seconds: int) -> None:
    rig = Rig(touch())
    refusal = rig.refused_add(time_in_force=TimeInForce.GTD, expire_ns=START_NS + seconds * SECOND)
    assert refusal == "EGeneral:Invalid arguments"


def test_an_end_time_without_gtd_is_refused() -> None:
    rig = Rig(touch())
    assert rig.refused_add(expire_ns=START_NS + 60 * SECOND) == "EGeneral:Invalid arguments"


# ----------------------------------------------------------------------------- deadlines


def test_a_request_after_its_deadline_is_refused() -> None:
    rig = Rig(touch()).at(10)
    assert rig.refused_add(deadline_ns=START_NS + 10 * SECOND - 1) == "EService:Deadline elapsed"


def test_a_request_at_its_deadline_passes() -> None:
    rig = Rig(touch()).at(10)
    assert rig.add(deadline_ns=START_NS + 10 * SECOND).is_open


def test_a_deadline_further_ahead_than_a_minute_is_refused() -> None:
    rig = Rig(touch())
    assert rig.refused_add(deadline_ns=START_NS + 61 * SECOND) == "EGeneral:Invalid arguments:deadline"


# ----------------------------------------------------------------------------- icebergs


def test_an_iceberg_shows_its_display_quantity_only() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.ICEBERG, qty_lots=150, display_lots=10)
    assert rig.market.queues[0][BUY][1000][0].lots == 10
    assert rig.market.leaves(order.slot) == 150


def test_an_iceberg_may_show_a_fifteenth_of_its_quantity_and_no_less() -> None:
    # guides/spot-amends, "Iceberg Order Types".
    rig = Rig(touch())
    refusal = rig.refused_add(order_type=OrderType.ICEBERG, qty_lots=151, display_lots=10)
    assert refusal == "EGeneral:Invalid arguments:displayvol"


def test_an_iceberg_that_crosses_takes_with_its_whole_quantity() -> None:
    rig = Rig(touch())
    rig.add(order_type=OrderType.ICEBERG, qty_lots=500, display_lots=100, limit_ticks=1001)
    assert rig.trades() == [(1001, 500)]


def test_an_iceberg_without_a_display_quantity_is_refused() -> None:
    rig = Rig(touch())
    assert rig.refused_add(order_type=OrderType.ICEBERG) == "EGeneral:Invalid arguments"


# ----------------------------------------------------------------------------- client ids, number of orders


def test_a_client_id_of_an_open_order_cannot_be_used_again() -> None:
    # guides/spot-clordid: unique over open orders.
    rig = Rig(touch())
    rig.add(cl_ord_id="x")
    assert rig.refused_add(cl_ord_id="x") == "EGeneral:Invalid arguments:cl_ord_id"


def test_a_client_id_of_an_ended_order_can_be_used_again() -> None:
    rig = Rig(touch())
    first = rig.add(cl_ord_id="x")
    rig.cancel(first)
    second = rig.add(cl_ord_id="x")
    assert second.is_open
    assert second.order_id != first.order_id


def test_a_client_id_of_another_account_can_be_used() -> None:
    rig = Rig(touch())
    rig.add(cl_ord_id="x")
    rig.venue.connect("other", "b", "rest", rig.now_ns)
    rig.send("other", rig.order(cl_ord_id="x"))
    assert rig.find("x", "b").is_open


def test_the_open_orders_of_a_pair_are_limited_by_tier() -> None:
    # guides/spot-ratelimits, "Open Order Limits": 60 for a starter. Two seconds apart, so that the counter allows it.
    rig = Rig(touch(), tier="starter")
    orders = [rig.at(2 * number).add() for number in range(60)]
    assert rig.at(200).refused_add() == "EOrder:Orders limit exceeded"
    rig.cancel(orders[0])
    assert rig.at(300).add().is_open


# ----------------------------------------------------------------------------- minimums


def test_less_than_the_order_minimum_is_refused() -> None:
    rig = Rig(touch())
    assert rig.refused_add(qty_lots=9) == "EOrder:Order minimum not met"


def test_the_order_minimum_itself_passes() -> None:
    rig = Rig(touch())
    assert rig.add(qty_lots=10, limit_ticks=5000, order_type=OrderType.LIMIT).qty_lots == 10


def test_less_than_the_cost_minimum_is_refused() -> None:
    # 10 lots at 499.9 are 0.4999 USD.
    rig = Rig(touch())
    assert rig.refused_add(side=SELL, qty_lots=10, limit_ticks=4999) == "EOrder:Cost minimum not met"


def test_the_cost_minimum_itself_passes() -> None:
    rig = Rig(touch())
    assert rig.add(side=SELL, qty_lots=10, limit_ticks=5000).is_open


@pytest.mark.parametrize("limit_ticks", [None, 0, -1])
def test_a_limit_order_needs_a_positive_price(limit_ticks: int | None) -> None:
    rig = Rig(touch())
    assert rig.refused_add(limit_ticks=limit_ticks) == "EOrder:Invalid price"


def test_an_unknown_pair_is_refused() -> None:
    rig = Rig(touch())
    assert rig.refused_add(symbol="XBT/USD") == "EQuery:Unknown asset pair"
