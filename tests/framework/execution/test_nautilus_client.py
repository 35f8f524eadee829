"""The shell between NautilusTrader's real engine and the desk: every command arrives, every conclusion is applied."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce, TrailingOffsetType
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.objects import Quantity

from framework.messages import ExecType, OrderState
from framework.protocol import BUY, SELL, OrderType, RejectReason
from framework.protocol import TimeInForce as OurTimeInForce
from tests.framework.execution.desk_rig import REST_POLLED, accepted, execution, rejected, snapshot, status, trade
from tests.framework.execution.nautilus_rig import NautilusRig


@pytest.fixture
def stage() -> Iterator[NautilusRig]:
    stage = NautilusRig()
    yield stage
    stage.dispose()


def _tell(stage: NautilusRig, order: Any, *reports: Any) -> None:
    stage.rig.tell("ws2", *reports)
    assert order.client_order_id.value in stage.rig.desk.orders


def _open(stage: NautilusRig, **options: Any) -> Any:
    order = stage.strategy.buy(stage.btc, 10, 1_000, **options)
    request_id = stage.rig.last("ws2").request_id
    stage.rig.tell("ws2", accepted(request_id, 1, "O1"))
    return order


def _id(order: Any) -> str:
    value: str = order.client_order_id.value
    return value


# ------------------------------------------------------------------------------------------------- new orders


def test_a_limit_order_is_sent_in_ticks_and_lots(stage: NautilusRig) -> None:
    stage.strategy.buy(stage.btc, 10, 1_000, post_only=True)
    command = stage.rig.last("ws2")
    assert (command.symbol, command.side, command.order_type) == ("BTC/USD", BUY, OrderType.LIMIT)
    assert (command.limit_ticks, command.qty_lots, command.is_post_only) == (1_000, 10, True)


def test_a_market_order_has_no_price(stage: NautilusRig) -> None:
    stage.strategy.sell(stage.btc, 10)
    command = stage.rig.last("ws2")
    assert (command.side, command.order_type, command.limit_ticks) == (SELL, OrderType.MARKET, None)


def test_a_link_can_be_named_with_the_order(stage: NautilusRig) -> None:
    stage.strategy.buy(stage.btc, 10, 1_000, via="rest")
    assert stage.rig.sent("rest") == ["AddOrder"]


def test_a_stop_limit_order_has_trigger_and_limit(stage: NautilusRig) -> None:
    bridge, factory = stage.bridge_, stage.strategy.order_factory
    order = factory.stop_limit(stage.btc, OrderSide.SELL, bridge.qty(10), bridge.price(990), bridge.price(995))
    stage.strategy.submit_order(order)
    command = stage.rig.last("ws2")
    assert command.order_type is OrderType.STOP_LOSS_LIMIT
    assert (command.limit_ticks, command.trigger_ticks) == (990, 995)


def test_a_shown_quantity_makes_an_iceberg(stage: NautilusRig) -> None:
    bridge, factory = stage.bridge_, stage.strategy.order_factory
    order = factory.limit(stage.btc, OrderSide.BUY, bridge.qty(10), bridge.price(1_000), display_qty=bridge.qty(2))
    stage.strategy.submit_order(order)
    assert (stage.rig.last("ws2").order_type, stage.rig.last("ws2").display_lots) == (OrderType.ICEBERG, 2)


def test_a_trailing_stop_limit_has_offsets_in_ticks_signed_by_side(stage: NautilusRig) -> None:
    bridge, factory = stage.bridge_, stage.strategy.order_factory
    order = factory.trailing_stop_limit(
        stage.btc,
        OrderSide.SELL,
        bridge.qty(10),
        limit_offset=Decimal("0.5"),
        trailing_offset=Decimal("2.0"),
        trailing_offset_type=TrailingOffsetType.PRICE,
    )
    stage.strategy.submit_order(order)
    command = stage.rig.last("ws2")
    assert command.order_type is OrderType.TRAILING_STOP_LIMIT
    assert (command.trail_offset_ticks, command.limit_offset_ticks, command.limit_ticks) == (20, -5, None)


def test_a_quote_quantity_is_an_amount_of_quote_currency(stage: NautilusRig) -> None:
    order = stage.strategy.order_factory.market(
        stage.btc, OrderSide.BUY, Quantity.from_str("100.0000"), quote_quantity=True
    )
    stage.strategy.submit_order(order)
    assert (stage.rig.last("ws2").quote_qty, stage.rig.last("ws2").qty_lots) == (Decimal("100.0000"), 0)


def test_a_good_till_date_order_has_its_end(stage: NautilusRig) -> None:
    import pandas as pd

    bridge, factory = stage.bridge_, stage.strategy.order_factory
    end = pd.Timestamp("2026-01-06", tz="UTC")
    order = factory.limit(
        stage.btc, OrderSide.BUY, bridge.qty(10), bridge.price(1_000), time_in_force=TimeInForce.GTD, expire_time=end
    )
    stage.strategy.submit_order(order)
    command = stage.rig.last("ws2")
    assert (command.time_in_force, command.expire_ns) == (OurTimeInForce.GTD, end.value)


def test_an_order_that_the_venue_does_not_have_is_denied_and_not_sent(stage: NautilusRig) -> None:
    bridge, factory = stage.bridge_, stage.strategy.order_factory
    order = factory.limit(stage.btc, OrderSide.BUY, bridge.qty(10), bridge.price(1_000), time_in_force=TimeInForce.DAY)
    stage.strategy.submit_order(order)
    assert order.status == OrderStatus.DENIED
    assert stage.rig.sent("ws2") == []


def test_a_list_of_contingent_orders_is_denied_since_nothing_would_keep_the_contingency(stage: NautilusRig) -> None:
    bridge, factory = stage.bridge_, stage.strategy.order_factory
    bracket = factory.bracket(
        stage.btc,
        OrderSide.BUY,
        bridge.qty(10),
        entry_price=bridge.price(1_000),
        sl_trigger_price=bridge.price(900),
        tp_price=bridge.price(1_100),
    )
    stage.strategy.submit_order_list(bracket)
    assert {order.status for order in bracket.orders} == {OrderStatus.DENIED}
    assert stage.rig.sent("ws2") == []


def test_a_list_of_free_orders_is_a_batch(stage: NautilusRig) -> None:
    bridge, factory = stage.bridge_, stage.strategy.order_factory
    orders = [factory.limit(stage.btc, OrderSide.BUY, bridge.qty(10), bridge.price(p)) for p in (990, 991)]
    stage.strategy.submit_order_list(factory.create_list(orders))
    assert stage.rig.sent("ws2") == ["AddBatch"]


def test_an_id_that_nautilus_made_is_replaced_by_one_that_a_venue_takes(stage: NautilusRig) -> None:
    bridge, factory = stage.bridge_, stage.strategy.order_factory
    long = ClientOrderId("O-20260105-120000-001-000-1")
    order = factory.limit(stage.btc, OrderSide.BUY, bridge.qty(10), bridge.price(1_000), client_order_id=long)
    stage.strategy.submit_order(order)
    sent_id = stage.rig.last("ws2").cl_ord_id
    assert sent_id == "x00000000000000001"
    stage.rig.tell("ws2", accepted(1, 1, "O1"))
    assert order.status == OrderStatus.ACCEPTED
    stage.strategy.cancel_order(order)
    assert stage.rig.last("ws2").cl_ord_id == sent_id


# ------------------------------------------------------------------------------------------------- events


def test_a_life_is_told_in_the_order_in_which_it_was_learned(stage: NautilusRig) -> None:
    order = _open(stage)
    name = _id(order)
    _tell(stage, order, trade(2, "T1", 4, 4, cl_ord_id=name))
    stage.strategy.cancel_order(order)
    _tell(stage, order, execution(ExecType.CANCELED, 3, cum_lots=4, cl_ord_id=name))
    assert stage.strategy.names == [
        "OrderInitialized",
        "OrderSubmitted",
        "OrderAccepted",
        "OrderFilled",
        "OrderPendingCancel",
        "OrderCanceled",
    ]
    assert order.status == OrderStatus.CANCELED
    assert order.filled_qty == Quantity.from_str("0.0004")


def test_an_order_filled_by_its_parts_is_filled(stage: NautilusRig) -> None:
    order = _open(stage)
    name = _id(order)
    _tell(stage, order, trade(2, "T1", 4, 4, cl_ord_id=name), trade(2, "T2", 6, 10, cl_ord_id=name))
    assert order.status == OrderStatus.FILLED
    assert str(order.commissions()[0]) == "0.02000000 USD"


def test_a_rejection_has_the_venues_text_and_says_if_it_was_for_post_only(stage: NautilusRig) -> None:
    order = stage.strategy.buy(stage.btc, 10, 1_000, post_only=True)
    stage.rig.tell("ws2", rejected(1, 1, RejectReason.POST_ONLY))
    event = stage.strategy.heard[-1]
    assert (event.reason, event.due_post_only) == ("EOrder:Post only order", True)
    assert order.status == OrderStatus.REJECTED


def test_an_edit_is_an_update_with_a_new_venue_id(stage: NautilusRig) -> None:
    order = _open(stage)
    stage.strategy.move(order, price_ticks=1_005, edit=True)
    new = {"order_id": "O2", "cl_ord_id": "", "limit_ticks": 1_005}
    name = _id(order)
    _tell(stage, order, execution(ExecType.CANCELED, 2, cl_ord_id=name), execution(ExecType.NEW, 2, **new))
    _tell(stage, order, accepted(2, 2, "O2"))
    assert order.status == OrderStatus.ACCEPTED
    assert (order.venue_order_id.value, str(order.price)) == ("O2", "100.5")
    _tell(stage, order, trade(3, "T1", 10, 10, **new))
    assert order.status == OrderStatus.FILLED


def test_an_amend_is_an_update(stage: NautilusRig) -> None:
    order = _open(stage)
    stage.strategy.move(order, price_ticks=1_005, qty_lots=12)
    command = stage.rig.last("ws2")
    assert (command.limit_ticks, command.qty_lots) == (1_005, 12)
    _tell(stage, order, accepted(2, 2, "O1"))
    assert (str(order.price), str(order.quantity), order.status) == ("100.5", "0.0012", OrderStatus.ACCEPTED)


def test_a_refused_amend_takes_the_order_back_from_pending(stage: NautilusRig) -> None:
    order = _open(stage)
    stage.strategy.move(order, price_ticks=1_005)
    _tell(stage, order, rejected(2, 2, RejectReason.RATE_LIMIT))
    assert stage.strategy.names[-1] == "OrderModifyRejected"
    assert order.status == OrderStatus.ACCEPTED


def test_an_amend_to_the_filled_quantity_ends_as_canceled(stage: NautilusRig) -> None:
    order = _open(stage)
    name = _id(order)
    _tell(stage, order, trade(2, "T1", 4, 4, cl_ord_id=name))
    stage.strategy.move(order, qty_lots=4)
    _tell(stage, order, accepted(2, 3, "O1"))
    _tell(stage, order, execution(ExecType.CANCELED, 3, qty_lots=4, cum_lots=4, cl_ord_id=name))
    assert order.status == OrderStatus.CANCELED


def test_a_refused_cancel_leaves_the_order_open_so_that_it_can_be_canceled_again(stage: NautilusRig) -> None:
    order = _open(stage)
    stage.strategy.cancel_order(order)
    _tell(stage, order, rejected(2, 2, RejectReason.RATE_LIMIT))
    assert order.status == OrderStatus.ACCEPTED
    stage.strategy.cancel_order(order)
    assert stage.rig.sent("ws2")[-2:] == ["CancelOrder", "CancelOrder"]


def test_a_cancel_that_overtook_its_order_is_told_refused_after_the_acceptance(stage: NautilusRig) -> None:
    order = stage.strategy.buy(stage.btc, 10, 1_000)
    stage.strategy.cancel_order(order)
    _tell(stage, order, rejected(2, 1))
    assert stage.strategy.names[-1] == "OrderPendingCancel"
    _tell(stage, order, accepted(1, 2, "O1"))
    assert stage.strategy.names[-2:] == ["OrderAccepted", "OrderCancelRejected"]
    assert order.status == OrderStatus.ACCEPTED
    stage.strategy.cancel_order(order)
    assert stage.rig.sent("ws2") == ["AddOrder", "CancelOrder", "CancelOrder"]


def test_a_cancel_refused_for_an_order_that_is_then_rejected_is_not_told(stage: NautilusRig) -> None:
    order = stage.strategy.buy(stage.btc, 10, 1_000)
    stage.strategy.cancel_order(order)
    _tell(stage, order, rejected(2, 1), rejected(1, 2, RejectReason.INSUFFICIENT_FUNDS))
    assert stage.strategy.names[-1] == "OrderRejected"
    assert "OrderCancelRejected" not in stage.strategy.names


def test_a_refused_cancel_of_a_triggered_order_leaves_it_open_so_that_it_can_be_canceled_again(
    stage: NautilusRig,
) -> None:
    bridge, factory = stage.bridge_, stage.strategy.order_factory
    order = factory.stop_limit(stage.btc, OrderSide.SELL, bridge.qty(10), bridge.price(990), bridge.price(995))
    stage.strategy.submit_order(order)
    fired = execution(ExecType.TRIGGERED, 2, cl_ord_id=_id(order), limit_ticks=990, trigger_ticks=995)
    _tell(stage, order, accepted(1, 1, "O1"), fired)
    assert order.status == OrderStatus.TRIGGERED
    stage.strategy.cancel_order(order)
    _tell(stage, order, rejected(2, 3, RejectReason.RATE_LIMIT))
    assert stage.strategy.names[-1] == "OrderCancelRejected"
    stage.strategy.cancel_order(order)
    assert stage.rig.sent("ws2")[-2:] == ["CancelOrder", "CancelOrder"]


def test_a_stop_market_order_is_filled_without_being_told_as_triggered(stage: NautilusRig) -> None:
    bridge, factory = stage.bridge_, stage.strategy.order_factory
    order = factory.stop_market(stage.btc, OrderSide.SELL, bridge.qty(10), bridge.price(995))
    stage.strategy.submit_order(order)
    own = {"cl_ord_id": _id(order), "limit_ticks": None, "trigger_ticks": 995}
    _tell(stage, order, accepted(1, 1, "O1"), execution(ExecType.TRIGGERED, 2, **own))
    _tell(stage, order, trade(2, "T1", 10, 10, **own))
    assert "OrderTriggered" not in stage.strategy.names
    assert order.status == OrderStatus.FILLED


def test_a_quote_quantity_order_becomes_one_in_base_currency_as_it_is_filled(stage: NautilusRig) -> None:
    order = stage.strategy.order_factory.market(
        stage.btc, OrderSide.BUY, Quantity.from_str("0.0300"), quote_quantity=True
    )
    stage.strategy.submit_order(order)
    own = {"cl_ord_id": _id(order), "limit_ticks": None}
    _tell(stage, order, accepted(1, 1, "O1"))
    _tell(stage, order, trade(1, "T1", 400, 400, qty_lots=400, state=OrderState.PARTIALLY_FILLED, **own))
    assert (order.status, order.is_quote_quantity) == (OrderStatus.PARTIALLY_FILLED, False)
    _tell(stage, order, trade(1, "T2", 300, 700, qty_lots=700, **own))
    assert (order.status, str(order.quantity)) == (OrderStatus.FILLED, "0.0700")


def test_an_amend_off_the_grid_is_refused_and_not_sent(stage: NautilusRig) -> None:
    from nautilus_trader.model.objects import Price

    order = _open(stage)
    stage.strategy.modify_order(order, price=Price.from_str("100.55"))
    assert stage.strategy.names[-1] == "OrderModifyRejected"
    assert stage.rig.sent("ws2") == ["AddOrder"]


def test_an_order_denied_for_the_budget_is_denied(stage: NautilusRig) -> None:
    stage.rig.drop("ws2")
    order = stage.strategy.buy(stage.btc, 10, 1_000)
    assert order.status == OrderStatus.DENIED


# ------------------------------------------------------------------------------------------------- all, and account


def test_cancel_all_orders_of_a_strategy_is_a_batch_of_its_own_orders(stage: NautilusRig) -> None:
    _open(stage)
    second = stage.strategy.buy(stage.btc, 10, 999)
    stage.strategy.cancel_all_orders(stage.btc)
    command = stage.rig.last("ws2")
    assert type(command).__name__ == "CancelBatch"
    assert _id(second) in command.cl_ord_ids


def test_cancel_all_orders_of_the_account_is_the_venues_own_request(stage: NautilusRig) -> None:
    _open(stage)
    stage.strategy.cancel_all_orders(stage.btc, params={"account": True})
    assert stage.rig.sent("ws2")[-1] == "CancelAll"


def test_the_id_that_stands_for_a_long_one_is_let_go_of_with_its_order(stage: NautilusRig) -> None:
    long_id = ClientOrderId("O-20260105-120000-001-000-1")
    bridge = stage.strategy.bridge(stage.btc)
    factory = stage.strategy.order_factory
    terms = (stage.btc, OrderSide.BUY, bridge.qty(10), bridge.price(1_000))
    stage.strategy.submit_order(factory.limit(*terms, client_order_id=long_id))
    short = stage.rig.last("ws2").cl_ord_id
    assert len(short) <= 18
    stage.rig.tell("ws2", rejected(stage.rig.last("ws2").request_id, 1))
    order = stage.client.forget(short)
    assert order is not None
    assert order.client_order_id == long_id
    assert stage.client._short_ids == {}


def test_a_fill_changes_the_balances_by_price_quantity_and_fee(stage: NautilusRig) -> None:
    order = _open(stage)
    _tell(stage, order, trade(2, "T1", 10, 10, cl_ord_id=_id(order)))
    assert stage.balance_calls == 1
    stage.client.send_balances()
    account = stage.kernel.cache.account_for_venue(stage.client.venue)
    totals = {currency.code: money.as_decimal() for currency, money in account.balances_total().items()}
    # 0.0010 BTC at 100.0 USD, and a fee of 0.01 USD.
    assert totals == {"USD": Decimal("99999.89"), "BTC": Decimal("10.001")}


def test_on_a_polled_road_all_is_told_at_the_poll(stage: NautilusRig) -> None:
    rig = stage.play(REST_POLLED)
    order = stage.strategy.buy(stage.btc, 10, 1_000)
    rig.tell("rest", accepted(1, 1, "O1"))
    rig.run(2_001)
    own = {"cl_ord_id": _id(order)}
    gone = status(OrderState.CANCELED, cum_lots=4, **own)
    rig.tell("rest", snapshot(3, gone, request_id=2, trades=[trade(2, "T1", 4, 4, **own)]))
    assert stage.strategy.names[-2:] == ["OrderFilled", "OrderCanceled"]
    assert order.status == OrderStatus.CANCELED
