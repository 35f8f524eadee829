"""Fees in the base currency (rest-api/add-order, oflags fcib; websocket-v2/add_order, fee_preference)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from framework.messages import EditOrder, OrderState
from framework.protocol import BUY, SELL, OrderType
from tests.framework.venue.venue_rig import Rig, touch

# A lot is 0.0001 BTC and a tick 0.1 USD: 100 lots at 1001 are 0.01 BTC for 1.001 USD. The taker pays 0.4 %, the maker
# 0.25 %, and a fee in base keeps the decimals of a lot.


def filled(rig: Rig) -> list[tuple[Decimal | None, str | None]]:
    """Fee and its asset of every fill of account a."""
    return [(trade.fee, trade.fee_asset) for trade in rig.venue.accounts["a"].trades]


def test_a_buy_pays_the_fee_of_what_it_gets() -> None:
    rig = Rig(touch())
    rig.add(order_type=OrderType.MARKET, qty_lots=500, is_fee_in_base=True)
    assert filled(rig) == [(Decimal("0.0002"), "BTC")]
    assert rig.total("BTC") == Decimal("10.0498")
    assert rig.total("USD") == Decimal(10_000) - Decimal("100.1") * Decimal("0.05")


def test_a_sell_pays_the_fee_beside_what_it_sells_and_gets_all_of_the_price() -> None:
    rig = Rig(touch())
    rig.add(side=SELL, order_type=OrderType.MARKET, qty_lots=500, is_fee_in_base=True)
    assert filled(rig) == [(Decimal("0.0002"), "BTC")]
    assert rig.total("BTC") == Decimal("10") - Decimal("0.05") - Decimal("0.0002")
    assert rig.total("USD") == Decimal(10_000) + Decimal("99.9") * Decimal("0.05")


def test_a_resting_buy_holds_its_cost_alone_and_a_resting_sell_its_fee_too() -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=990, qty_lots=500, is_fee_in_base=True)
    rig.add(side=SELL, limit_ticks=1010, qty_lots=500, is_fee_in_base=True)
    assert rig.held("USD") == Decimal("99.0") * Decimal("0.05")
    assert rig.held("BTC") == Decimal("0.0502")


def test_a_buy_may_spend_all_that_there_is() -> None:
    rig = Rig(touch(), balances={"USD": "5.005", "BTC": "0"})
    assert rig.refused_add(limit_ticks=1001, qty_lots=500) == "EOrder:Insufficient funds"
    order = rig.add(limit_ticks=1001, qty_lots=500, is_fee_in_base=True)
    assert order.state is OrderState.FILLED
    assert rig.total("USD") == 0


def test_a_market_buy_for_an_amount_spends_it_all_on_quantity() -> None:
    rig = Rig(touch(), balances={"USD": "5.005", "BTC": "0"})
    rig.add(order_type=OrderType.MARKET, qty_lots=0, quote_qty=Decimal("5.005"), is_fee_in_base=True)
    assert (rig.total("USD"), rig.total("BTC")) == (0, Decimal("0.0498"))


def test_a_sell_that_cannot_pay_the_fee_in_base_is_refused() -> None:
    rig = Rig(touch(), balances={"USD": "0", "BTC": "0.05"})
    for order_type, price in ((OrderType.LIMIT, 1010), (OrderType.MARKET, None)):
        wanted: dict[str, Any] = {"side": SELL, "order_type": order_type, "limit_ticks": price, "qty_lots": 500}
        assert rig.refused_add(**wanted, is_fee_in_base=True) == "EOrder:Insufficient funds"
    rig.add(side=SELL, limit_ticks=1010, qty_lots=498, is_fee_in_base=True)
    rig.hit(BUY, 2000, 1010)
    assert rig.total("BTC") >= 0


def test_fees_of_several_fills_are_rounded_together() -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=1000, qty_lots=400, is_fee_in_base=True)
    for _ in range(4):
        rig.hit(SELL, 100, 1000)
    assert sum(fee or 0 for fee, _ in filled(rig)) == Decimal("0.0001")


@pytest.mark.parametrize(("reading", "asset"), [("quote", "USD"), ("base", "BTC")])
def test_the_currency_of_a_sell_that_does_not_say_is_a_switch(reading: str, asset: str) -> None:
    """rest-api/add-order says base; the example of websocket-v2/executions has quote."""
    rig = Rig(touch(), switches={"sell_fee_currency": reading})
    rig.add(side=SELL, order_type=OrderType.MARKET, qty_lots=200)
    rig.add(side=SELL, order_type=OrderType.MARKET, qty_lots=200, is_fee_in_base=False)
    rig.add(order_type=OrderType.MARKET, qty_lots=200)
    assert [name for _, name in filled(rig)] == [asset, "USD", "USD"]


def test_an_edit_keeps_the_currency_unless_it_names_another() -> None:
    rig = Rig(touch())
    for wanted, kept in ((None, True), (False, False)):
        order = rig.add(limit_ticks=990, is_fee_in_base=True)
        edit = EditOrder(request_id=rig.next_id(), order_id=order.order_id, limit_ticks=991, is_fee_in_base=wanted)
        rig.send("rest", edit)
        new = list(rig.venue.accounts["a"].order_by_id.values())[-1]
        assert new.is_fee_in_base is kept
