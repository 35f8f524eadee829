"""Amend in place and edit. Pages: guides/spot-amends ("Queue Priority", "Amending Below Fill Quantity", "Iceberg Order
Types"), rest-api/amend-order, rest-api/edit-order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.kraken.profile import PROFILE
from framework.messages import AmendOrder, EditOrder, ExecType, OrderState
from framework.protocol import BUY, SELL, OrderType, RejectReason, TimeInForce
from framework.venue.observer import VenueObserver
from framework.venue.orders import Order
from tests.framework.venue.venue_rig import SECOND, START_NS, Rig, book, touch


class Places(VenueObserver):
    """Notes for each amend of a resting order whether its place was kept."""

    def __init__(self) -> None:
        self.kept: list[bool] = []

    def on_amend(self, cl_ord_id: str, order_id: str, is_queue_kept: bool, now_ns: int) -> None:
        self.kept.append(is_queue_kept)


def _resting(**fields: object) -> tuple[Rig, Order, Places]:
    """A buy of 100 lots at 1000, with 300 market lots that came after it."""
    places = Places()
    rig = Rig(touch(), observer=places)
    order = rig.add(**fields)
    rig.market.add(BUY, 1000, 300)
    return rig, order, places


# ----------------------------------------------------------------------------- queue place


def test_less_quantity_keeps_the_place() -> None:
    rig, order, places = _resting()
    rig.amend(order, qty_lots=60)
    assert (rig.market.ahead(order.slot), rig.market.leaves(order.slot), places.kept) == (0, 60, [True])


def test_more_quantity_goes_to_the_back() -> None:
    rig, order, places = _resting()
    rig.amend(order, qty_lots=140)
    assert (rig.market.ahead(order.slot), rig.market.leaves(order.slot), places.kept) == (300, 140, [False])


def test_another_price_goes_to_the_back_of_that_price() -> None:
    rig, order, places = _resting()
    rig.amend(order, limit_ticks=999)
    assert (rig.market.ahead(order.slot), places.kept) == (500, [False])


def test_less_quantity_at_another_price_goes_to_the_back() -> None:
    rig, order, places = _resting()
    rig.amend(order, qty_lots=60, limit_ticks=999)
    assert (rig.market.ahead(order.slot), places.kept) == (500, [False])


def test_a_smaller_display_quantity_keeps_the_place() -> None:
    rig, order, places = _resting(order_type=OrderType.ICEBERG, display_lots=50)
    rig.amend(order, display_lots=20)
    assert (rig.market.ahead(order.slot), places.kept) == (0, [True])


def test_a_larger_display_quantity_keeps_the_place_and_shows_from_the_next_slice() -> None:
    rig, order, places = _resting(order_type=OrderType.ICEBERG, display_lots=20)
    rig.amend(order, display_lots=50)
    assert (rig.market.ahead(order.slot), places.kept) == (0, [True])
    assert rig.market.queues[0][BUY][1000][0].lots == 20
    rig.hit(SELL, 20, 1000)
    assert rig.market.queues[0][BUY][1000][-1].lots == 50


def test_an_amended_order_keeps_its_ids_and_its_fills() -> None:
    rig, order, _ = _resting()
    rig.hit(SELL, 30, 1000)
    order_id = order.order_id
    rig.amend(order, "ws2", limit_ticks=999)
    (report,) = rig.executions()
    assert (report.exec_type, report.order_id, report.cum_lots, report.leaves_lots) == (
        ExecType.AMENDED,
        order_id,
        30,
        70,
    )


def test_an_own_order_that_loses_its_place_goes_behind_the_own_order_of_its_price() -> None:
    rig = Rig(touch())
    first = rig.add(qty_lots=100)
    second = rig.add(qty_lots=100)
    rig.amend(first, qty_lots=120)
    rig.hit(SELL, 100, 1000)
    assert (first.cum_lots, second.cum_lots) == (0, 100)


# ----------------------------------------------------------------------------- crossing


def test_an_amend_into_the_market_trades() -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.amend(order, "ws2", limit_ticks=1001)
    assert rig.exec_types() == [ExecType.AMENDED, ExecType.TRADE]
    assert order.state is OrderState.FILLED


def test_a_post_only_amend_into_the_market_is_refused_and_the_order_is_untouched() -> None:
    rig, order, places = _resting()
    assert rig.refused_amend(order, limit_ticks=1001, is_post_only=True) == "EOrder:Post only order"
    assert (order.limit_ticks, rig.market.ahead(order.slot), places.kept) == (1000, 0, [])


def test_a_post_only_amend_that_stays_out_of_the_market_passes() -> None:
    rig, order, _ = _resting()
    rig.amend(order, limit_ticks=999, is_post_only=True)
    assert order.limit_ticks == 999


def test_a_post_only_order_that_is_amended_into_the_market_without_post_only_trades() -> None:
    # guides/spot-amends, "Post Only": the flag is an addition to one transaction, a condition on that change only.
    rig = Rig(touch())
    order = rig.add(is_post_only=True)
    rig.amend(order, limit_ticks=1001)
    assert (order.state, rig.trades()) == (OrderState.FILLED, [(1001, 100)])


def test_an_amend_that_meets_an_own_order_is_a_matter_of_self_trade_prevention() -> None:
    rig = Rig(touch())
    order = rig.add()
    other = rig.add(side=SELL, limit_ticks=1001)
    rig.market.clear(SELL, 1001)
    rig.amend(order, limit_ticks=1001)
    assert (order.end_reason, other.is_open) == (RejectReason.SELF_TRADE, True)


# ----------------------------------------------------------------------------- below what is filled


def test_a_quantity_below_what_is_filled_is_accepted_and_cancels_the_rest() -> None:
    rig, order, _ = _resting()
    rig.hit(SELL, 60, 1000)
    rig.amend(order, "ws2", qty_lots=50)
    assert (order.state, order.qty_lots, order.cum_lots) == (OrderState.CANCELED, 60, 60)
    assert rig.exec_types() == [ExecType.AMENDED, ExecType.CANCELED]
    assert rig.held("USD") == 0


def test_a_quantity_equal_to_what_is_filled_cancels_the_rest_too() -> None:
    rig, order, _ = _resting()
    rig.hit(SELL, 60, 1000)
    rig.amend(order, qty_lots=60)
    assert order.state is OrderState.CANCELED


def test_an_amend_that_cancels_is_charged_a_cancels_penalty() -> None:
    # guides/spot-ratelimits: add 1, then amend 1 and a cancel younger than five seconds 8.
    rig, order, _ = _resting()
    rig.hit(SELL, 60, 1000)
    rig.amend(order, qty_lots=60)
    assert rig.counter() == 1 + 1 + 8


def test_a_quantity_above_what_is_filled_leaves_the_order_open() -> None:
    rig, order, _ = _resting()
    rig.hit(SELL, 60, 1000)
    rig.amend(order, qty_lots=70)
    assert (order.is_open, rig.market.leaves(order.slot)) == (True, 10)
    assert rig.counter() == 1 + 1 + 3


# ----------------------------------------------------------------------------- refusals


def test_an_amend_that_changes_nothing_is_refused() -> None:
    rig, order, _ = _resting()
    assert rig.refused_amend(order, limit_ticks=1000) == "EOrder:No amendable parameters specified"


def test_an_amend_without_parameters_is_refused() -> None:
    rig, order, _ = _resting()
    assert rig.refused_amend(order) == "EOrder:No amendable parameters specified"


def test_an_amend_of_an_unknown_order_is_refused() -> None:
    rig = Rig(touch())
    command = AmendOrder(request_id=rig.next_id(), cl_ord_id="nobody", qty_lots=50)
    assert rig.refused("rest", command) == "EOrder:Unknown order"


def test_an_amend_of_an_ended_order_is_refused() -> None:
    rig, order, _ = _resting()
    rig.cancel(order)
    assert rig.refused_amend(order, qty_lots=50) == "EOrder:Invalid order"


def test_an_amend_by_client_id_finds_the_order() -> None:
    rig, order, _ = _resting()
    rig.send("rest", AmendOrder(request_id=rig.next_id(), cl_ord_id=order.cl_ord_id, qty_lots=50))
    assert order.qty_lots == 50


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"qty_lots": 9}, "EOrder:Order minimum not met"),
        ({"qty_lots": 49}, "EOrder:Cost minimum not met"),
        ({"limit_ticks": 0}, "EOrder:Invalid price"),
        ({"display_lots": 10}, "EGeneral:Invalid arguments"),
        ({"trigger_ticks": 990}, "EGeneral:Invalid arguments"),
    ],
)
def test_an_amend_to_what_the_order_cannot_be_is_refused_and_changes_nothing(
    fields: dict[str, int], error: str
) -> None:
    rig, order, _ = _resting()
    assert rig.refused_amend(order, **fields) == error
    assert (order.qty_lots, order.limit_ticks) == (100, 1000)


def test_an_amend_that_the_money_does_not_pay_for_is_refused_and_changes_nothing() -> None:
    rig = Rig(touch(), balances={"USD": "1.5"})
    order = rig.add()
    assert rig.refused_amend(order, qty_lots=150) == "EOrder:Insufficient funds"
    assert rig.held("USD") == Decimal("1.004")


def test_an_amend_upwards_holds_more() -> None:
    rig = Rig(touch(), balances={"USD": "1.506"})
    rig.amend(rig.add(), qty_lots=150)
    assert rig.held("USD") == Decimal("1.506")


def test_an_iceberg_cannot_be_amended_to_show_less_than_a_fifteenth_of_what_remains() -> None:
    rig, order, _ = _resting(order_type=OrderType.ICEBERG, qty_lots=150, display_lots=10)
    assert rig.refused_amend(order, qty_lots=151) == "EGeneral:Invalid arguments:displayvol"
    assert rig.refused_amend(order, display_lots=9) == "EGeneral:Invalid arguments:displayvol"


def test_an_iceberg_may_show_less_once_less_remains() -> None:
    rig, order, _ = _resting(order_type=OrderType.ICEBERG, qty_lots=150, display_lots=50)
    rig.hit(SELL, 50, 1000)
    rig.amend(order, display_lots=7)
    assert order.display_lots == 7


# ----------------------------------------------------------------------------- untriggered orders


def test_an_amended_trigger_price_is_the_one_that_fires() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.STOP_LOSS, side=SELL, trigger_ticks=990)
    rig.amend(order, trigger_ticks=980)
    rig.print(990)
    assert order.is_open
    rig.print(980)
    assert order.state is OrderState.FILLED


def test_an_amended_trigger_price_that_holds_already_is_refused_and_changes_nothing() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.STOP_LOSS, side=SELL, trigger_ticks=990)
    assert rig.refused_amend(order, trigger_ticks=1000) == "Order would trigger immediately"
    rig.print(990)
    assert order.state is OrderState.FILLED


def test_the_quantity_of_an_untriggered_order_can_be_amended() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.STOP_LOSS, trigger_ticks=1010)
    rig.amend(order, qty_lots=200)
    assert rig.held("USD") == Decimal("2.02808")
    rig.print(1010)
    assert rig.trades() == [(1001, 200)]


def test_the_limit_of_a_triggered_order_can_be_amended() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.STOP_LOSS_LIMIT, side=SELL, trigger_ticks=990, limit_ticks=1005)
    rig.print(990)
    rig.amend(order, limit_ticks=999)
    assert order.state is OrderState.FILLED


def test_the_trigger_of_a_triggered_order_cannot_be_amended() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.STOP_LOSS_LIMIT, side=SELL, trigger_ticks=990, limit_ticks=1005)
    rig.print(990)
    assert rig.refused_amend(order, trigger_ticks=980) == "EGeneral:Invalid arguments"


# ----------------------------------------------------------------------------- edit


def _edit(rig: Rig, order: Order, **fields: object) -> EditOrder:
    return EditOrder(request_id=rig.next_id(), order_id=order.order_id, **fields)


def test_an_edit_makes_a_new_order_at_the_back_of_the_queue() -> None:
    rig, order, _ = _resting()
    rig.send("ws2", _edit(rig, order, qty_lots=60))
    (new_id,) = rig.accepted("ws2").order_ids
    new = rig.venue.accounts["a"].order_by_id[new_id]
    assert (order.state, order.end_reason) == (OrderState.CANCELED, RejectReason.EDITED)
    assert (new.qty_lots, rig.market.ahead(new.slot), new.cl_ord_id) == (60, 300, "")
    assert new_id != order.order_id


def test_an_edit_leaves_the_fills_with_the_old_order_and_is_for_the_rest_of_the_total() -> None:
    rig, order, _ = _resting()
    rig.hit(SELL, 40, 1000)
    rig.send("rest", _edit(rig, order, qty_lots=100, limit_ticks=999))
    (new,) = rig.venue.accounts["a"].open_orders.values()
    assert (order.cum_lots, new.cum_lots, new.qty_lots) == (40, 0, 60)


def test_an_edit_to_less_than_what_is_filled_is_refused_and_changes_nothing() -> None:
    rig, order, _ = _resting()
    rig.hit(SELL, 60, 1000)
    assert rig.refused("rest", _edit(rig, order, qty_lots=50)) == "EGeneral:Invalid arguments:edit"
    assert order.is_open


def test_an_edit_of_a_triggered_order_is_refused() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.STOP_LOSS_LIMIT, side=SELL, trigger_ticks=990, limit_ticks=1005)
    rig.print(990)
    assert rig.refused("rest", _edit(rig, order, limit_ticks=1004)) == "EGeneral:Invalid arguments:edit"


def test_an_edit_of_an_untriggered_order_passes() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.STOP_LOSS_LIMIT, side=SELL, trigger_ticks=990, limit_ticks=1005)
    rig.send("rest", _edit(rig, order, trigger_ticks=985))
    rig.print(990)
    (new,) = rig.venue.accounts["a"].open_orders.values()
    assert (new.is_triggered, new.trigger_ticks) == (False, 985)


def test_an_edit_takes_post_only_from_the_request_and_not_from_the_old_order() -> None:
    rig, order, _ = _resting(is_post_only=True)
    rig.send("rest", _edit(rig, order, limit_ticks=1001))
    assert rig.trades() == [(1001, 100)]


def test_an_edit_uses_the_money_that_the_old_order_held() -> None:
    rig = Rig(touch(), balances={"USD": "1.1"})
    order = rig.add()
    rig.send("rest", _edit(rig, order, limit_ticks=999))
    assert rig.held("USD") == Decimal("1.003")


def test_an_edit_that_the_money_does_not_pay_for_is_refused_and_changes_nothing() -> None:
    rig = Rig(touch(), balances={"USD": "1.1"})
    order = rig.add()
    assert rig.refused("rest", _edit(rig, order, qty_lots=200)) == "EOrder:Insufficient funds"
    assert (order.is_open, rig.held("USD")) == (True, Decimal("1.004"))


def test_an_edit_over_a_protocol_without_it_is_refused() -> None:
    rig = Rig(touch())
    order = rig.add("fix")
    assert rig.refused("fix", _edit(rig, order, qty_lots=60)) == "EGeneral:Unknown method"


def test_a_validated_edit_changes_nothing_and_costs_nothing() -> None:
    rig, order, _ = _resting()
    rig.send("rest", _edit(rig, order, qty_lots=60, is_validate_only=True))
    assert not rig.rejects()
    assert (order.is_open, order.qty_lots, rig.counter()) == (True, 100, 1)


def test_an_edit_keeps_the_end_time_even_if_it_has_come_near() -> None:

    rig = Rig(book())
    order = rig.add(time_in_force=TimeInForce.GTD, expire_ns=START_NS + 60 * SECOND)
    rig.at(58)
    rig.send("rest", _edit(rig, order, limit_ticks=999))
    (new,) = rig.venue.accounts["a"].open_orders.values()
    rig.at(60)
    assert new.state is OrderState.EXPIRED


# ------------------------------------------------------------------------------------------------- client ids


def test_an_order_that_carries_a_client_id_is_not_edited() -> None:
    """rest-api/edit-order, caveats: cl_ord_id is not supported."""
    rig = Rig(touch(), profile=PROFILE)
    order = rig.add()
    assert order.cl_ord_id
    edit = _edit(rig, order, limit_ticks=991)
    assert rig.refused("rest", edit) == PROFILE.errors[RejectReason.NOT_EDITABLE]
    assert order.is_open
    assert order.limit_ticks != 991


def test_an_order_without_a_client_id_is_edited() -> None:
    rig = Rig(touch(), profile=PROFILE)
    rig.send("rest", rig.order(cl_ord_id=""))
    (order,) = rig.venue.accounts["a"].open_orders.values()
    rig.send("rest", _edit(rig, order, limit_ticks=991))
    (new,) = rig.venue.accounts["a"].open_orders.values()
    assert (new.limit_ticks, new.order_id != order.order_id) == (991, True)
