"""Orders that fills make (rest-api/add-order, close; websocket-v2/add_order, conditional)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from framework.messages import AddBatch, EditOrder, ExecType, OrderState, SecondaryOrder
from framework.protocol import BUY, SELL, OrderType, StpMode, VenueMode
from framework.venue.orders import Order
from tests.framework.venue.venue_rig import START_NS, Rig, book, touch


def made(rig: Rig, account: str = "a") -> list[Order]:
    """The orders that fills have made, oldest first."""
    return [order for order in rig.venue.accounts[account].order_by_id.values() if order.primary_id]


def close(order_type: OrderType = OrderType.LIMIT, **terms: Any) -> SecondaryOrder:
    return SecondaryOrder(order_type=order_type, **terms)


def test_each_fill_makes_an_order_of_its_quantity_on_the_other_side() -> None:
    rig = Rig(touch())
    primary = rig.add(limit_ticks=1000, secondary=close(limit_ticks=1020))
    assert made(rig) == []
    rig.hit(SELL, 30, 1000)
    rig.hit(SELL, 70, 1000)
    assert primary.state is OrderState.FILLED
    assert [(each.side, each.qty_lots, each.limit_ticks, each.state) for each in made(rig)] == [
        (SELL, 30, 1020, OrderState.NEW), (SELL, 70, 1020, OrderState.NEW),
    ]  # fmt: skip
    assert {each.primary_id for each in made(rig)} == {primary.order_id}
    assert len({each.order_id for each in made(rig)} - {primary.order_id}) == 2


def test_an_order_that_takes_several_levels_makes_one_for_each_fill() -> None:
    rig = Rig(touch())
    rig.add(order_type=OrderType.MARKET, qty_lots=600, secondary=close(OrderType.STOP_LOSS, trigger_ticks=900))
    assert [each.qty_lots for each in made(rig)] == [500, 100]


def test_it_is_an_order_like_any_other_and_is_told_of_by_its_own_id() -> None:
    rig = Rig(touch())
    primary = rig.add(limit_ticks=1000, secondary=close(limit_ticks=1020, attachment=b"mine"))
    rig.hit(SELL, 100, 1000)
    (order,) = made(rig)
    told = [(report.order_id, report.exec_type) for report in rig.executions()]
    assert told == [
        (primary.order_id, ExecType.TRADE),
        (order.order_id, ExecType.PENDING_NEW),
        (order.order_id, ExecType.NEW),
    ]
    assert (order.attachment, order.cl_ord_id, order.secondary) == (b"mine", "", None)
    assert rig.held("BTC") == Decimal("0.01")
    rig.amend(order, limit_ticks=1030)
    rig.hit(BUY, 2000, 1030)
    assert order.state is OrderState.FILLED
    assert made(rig) == [order]


@pytest.mark.parametrize(
    ("template", "limit", "trigger"),
    [
        (close(limit_offset_ticks=25), 1025, None),
        (close(limit_offset_ppm=50_000), 1050, None),
        (close(OrderType.STOP_LOSS, trigger_offset_ppm=-20_000), None, 980),
        (close(OrderType.STOP_LOSS_LIMIT, trigger_offset_ticks=-10, limit_offset_ticks=-15), 985, 990),
        (close(OrderType.TAKE_PROFIT_LIMIT, trigger_ticks=1100, limit_offset_ppm=90_500), 1091, 1100),
    ],
)
def test_a_relative_price_is_relative_to_the_fill(
    template: SecondaryOrder, limit: int | None, trigger: int | None
) -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=1000, secondary=template)
    rig.hit(SELL, 100, 1000)
    (order,) = made(rig)
    assert (order.limit_ticks, order.trigger_ticks) == (limit, trigger)


def test_a_trailing_one_follows_the_market_from_the_fill_on() -> None:
    rig = Rig(touch())
    rig.add(
        limit_ticks=1000,
        secondary=close(OrderType.TRAILING_STOP_LIMIT, trail_offset_ppm=10_000, limit_offset_ticks=-5),
    )
    rig.hit(SELL, 100, 1000)
    rig.print(1100)
    rig.print(1089)
    (order,) = made(rig)
    assert (order.is_triggered, order.limit_ticks) == (True, 1084)


def test_it_has_the_self_trade_prevention_of_the_one_that_was_filled() -> None:
    """The rest of the primary order is in its way: the newest of the two ends, as the mode says."""
    for mode, states in (
        (StpMode.CANCEL_NEWEST, (OrderState.PARTIALLY_FILLED, OrderState.CANCELED)),
        (StpMode.CANCEL_OLDEST, (OrderState.CANCELED, OrderState.NEW)),
    ):
        rig = Rig(book((SELL, 1001, 500)))
        primary = rig.add(limit_ticks=1000, stp_mode=mode, secondary=close(limit_ticks=1000))
        rig.hit(SELL, 30, 1000)
        assert (primary.state, made(rig)[0].state) == states


def test_it_is_charged_to_no_counter_and_held_to_no_minimum() -> None:
    rig = Rig(touch())
    primary = rig.add(limit_ticks=1000, qty_lots=100, secondary=close(OrderType.STOP_LOSS, trigger_ticks=900))
    rig.hit(SELL, 1, 1000)
    assert primary.pair.min_qty_lots > 1
    assert [(each.qty_lots, each.state) for each in made(rig)] == [(1, OrderState.NEW)]
    assert rig.counter() == 1


def test_one_that_there_is_no_money_for_is_made_and_ends_at_once() -> None:
    rig = Rig(touch(), balances={"USD": "0", "BTC": "1"})
    rig.add(side=SELL, limit_ticks=1001, secondary=close(limit_ticks=1001))
    rig.hit(BUY, 600, 1001)  # the proceeds do not pay for the same again and its fee
    (order,) = made(rig)
    assert (order.state, order.hold_units) == (OrderState.CANCELED, 0)
    assert [report.exec_type for report in rig.executions() if report.order_id == order.order_id] == [
        ExecType.PENDING_NEW, ExecType.CANCELED,
    ]  # fmt: skip
    assert rig.executions()[-1].reason == "EOrder:Insufficient funds"


def test_one_whose_trigger_is_met_already_ends_as_any_stop_would() -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=1000, secondary=close(OrderType.STOP_LOSS, trigger_ticks=1005))
    rig.hit(SELL, 100, 1000)
    assert made(rig)[0].state is OrderState.CANCELED


def test_it_waits_for_matching_as_any_order_does() -> None:
    rig = Rig(touch())
    primary = rig.add(order_type=OrderType.STOP_LOSS, trigger_ticks=1010, secondary=close(limit_ticks=1050))
    rig.venue.set_mode(VenueMode.POST_ONLY, None, rig.now_ns)
    rig.print(1010)
    assert made(rig) == []
    rig.venue.set_mode(VenueMode.ONLINE, None, rig.now_ns)
    assert primary.state is OrderState.FILLED
    assert [each.state for each in made(rig)] == [OrderState.NEW]


def test_the_end_of_the_primary_order_leaves_those_that_were_made() -> None:
    rig = Rig(touch())
    primary = rig.add(limit_ticks=1000, secondary=close(limit_ticks=1050))
    rig.hit(SELL, 30, 1000)
    rig.cancel(primary)
    assert [(each.qty_lots, each.is_open) for each in made(rig)] == [(30, True)]


def test_an_order_with_a_template_is_neither_amended_nor_edited() -> None:
    """guides/spot-amends, Caveats; rest-api/edit-order."""
    rig = Rig(touch())
    order = rig.add(limit_ticks=990, secondary=close(limit_ticks=1050))
    assert rig.refused_amend(order, limit_ticks=991) == "EGeneral:Invalid arguments"
    edit = EditOrder(request_id=rig.next_id(), order_id=order.order_id, limit_ticks=991)
    rig.refused("rest", edit)
    assert (order.is_open, order.limit_ticks) == (True, 990)


@pytest.mark.parametrize(
    "template",
    [
        close(OrderType.MARKET),
        close(OrderType.ICEBERG, limit_ticks=1000),
        close(OrderType.LIMIT),
        close(OrderType.LIMIT, limit_ticks=1000, trigger_ticks=1000),
        close(OrderType.STOP_LOSS_LIMIT, trigger_ticks=1000),
        close(OrderType.TRAILING_STOP, trigger_ticks=1000),
        close(OrderType.LIMIT, limit_ticks=-5),
    ],
)
def test_a_template_that_makes_no_order_is_refused(template: SecondaryOrder) -> None:
    rig = Rig(touch())
    assert rig.refused_add(secondary=template) in ("EGeneral:Invalid arguments", "EOrder:Invalid price")


def test_fix_has_no_such_orders() -> None:
    """fix-api/nos-fix: no such tag."""
    rig = Rig(touch())
    rig.refused_add("fix", secondary=close(limit_ticks=1050))


def test_a_batch_and_a_scheduled_order_may_have_templates_too() -> None:
    rig = Rig(touch())
    orders = tuple(rig.order(limit_ticks=price, secondary=close(limit_ticks=1050)) for price in (1000, 1000))
    rig.send("rest", AddBatch(request_id=rig.next_id(), orders=orders))
    rig.add(limit_ticks=1002, start_ns=START_NS + 5 * 10**9, secondary=close(limit_ticks=1060))
    rig.at(5)
    assert [each.limit_ticks for each in made(rig)] == [1060]
    rig.hit(SELL, 200, 1000)
    assert [each.limit_ticks for each in made(rig)] == [1060, 1050, 1050]
