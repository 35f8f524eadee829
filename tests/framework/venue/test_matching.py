"""Self-trade prevention, and own orders of two accounts as liquidity for each other.

Pages: rest-api/add-order (``stptype``); the venue's support articles on self-trade prevention.
"""

from __future__ import annotations

import pytest

from framework.messages import ExecType, OrderState
from framework.protocol import BUY, SELL, OrderType, RejectReason, StpMode, TimeInForce
from framework.venue.orders import Order
from tests.framework.venue.venue_rig import Rig, book, touch

# ----------------------------------------------------------------------------- self-trade prevention


def _meeting(stp_mode: StpMode) -> tuple[Rig, Order, Order]:
    """An own sell at 1000 in front of the market's 1001, and an own buy that would take both."""
    rig = Rig(touch())
    resting = rig.add(side=SELL, qty_lots=100, limit_ticks=1000)
    incoming = rig.add("ws2", qty_lots=300, limit_ticks=1001, stp_mode=stp_mode)
    return rig, resting, incoming


def test_cancel_newest_ends_the_incoming_order_where_it_meets_the_own_one() -> None:
    rig, resting, incoming = _meeting(StpMode.CANCEL_NEWEST)
    assert (incoming.state, incoming.end_reason) == (OrderState.CANCELED, RejectReason.SELF_TRADE)
    assert resting.is_open
    assert rig.trades() == []
    assert rig.executions()[-1].reason == "Cannot trade with self"


def test_cancel_oldest_ends_the_resting_order_and_the_incoming_one_goes_on() -> None:
    rig, resting, incoming = _meeting(StpMode.CANCEL_OLDEST)
    assert (resting.state, resting.end_reason) == (OrderState.CANCELED, RejectReason.SELF_TRADE)
    assert incoming.state is OrderState.FILLED
    assert rig.trades() == [(1001, 300)]


def test_cancel_both_ends_both() -> None:
    rig, resting, incoming = _meeting(StpMode.CANCEL_BOTH)
    assert (resting.state, incoming.state) == (OrderState.CANCELED, OrderState.CANCELED)
    assert rig.trades() == []
    assert rig.held("USD") == rig.held("BTC") == 0


def test_the_mode_of_the_incoming_order_decides_and_not_that_of_the_resting_one() -> None:
    rig = Rig(touch())
    resting = rig.add(side=SELL, limit_ticks=1000, stp_mode=StpMode.CANCEL_OLDEST)
    incoming = rig.add(limit_ticks=1000, stp_mode=StpMode.CANCEL_NEWEST)
    assert resting.is_open
    assert not incoming.is_open


def test_the_incoming_order_trades_with_others_before_it_meets_the_own_one() -> None:
    # Market quantity stands in front of the own order at its price; only the residual meets it.
    rig = Rig(book((SELL, 1001, 50)))
    resting = rig.add(side=SELL, qty_lots=100, limit_ticks=1001)
    incoming = rig.add(qty_lots=200, limit_ticks=1001)
    assert rig.trades() == [(1001, 50)]
    assert (incoming.state, incoming.cum_lots) == (OrderState.CANCELED, 50)
    assert resting.is_open


def test_market_quantity_behind_the_own_order_is_not_reached() -> None:
    rig = Rig(book())
    resting = rig.add(side=SELL, qty_lots=100, limit_ticks=1001)
    rig.market.add(SELL, 1001, 500)
    rig.add(qty_lots=60, limit_ticks=1001)
    assert rig.trades() == []
    assert resting.is_open


def test_an_order_that_is_filled_before_it_meets_the_own_one_is_not_prevented() -> None:
    rig = Rig(book((SELL, 1001, 50)))
    resting = rig.add(side=SELL, qty_lots=100, limit_ticks=1001)
    assert rig.add(qty_lots=50, limit_ticks=1001).state is OrderState.FILLED
    assert resting.is_open


def test_an_order_that_does_not_reach_the_own_price_is_not_prevented() -> None:
    rig = Rig(touch())
    resting = rig.add(side=SELL, limit_ticks=1002)
    assert rig.add(limit_ticks=1001).state is OrderState.FILLED
    assert resting.is_open


def test_a_market_order_is_prevented_too() -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=1000)
    order = rig.add(order_type=OrderType.MARKET, side=SELL)
    assert order.end_reason is RejectReason.SELF_TRADE


def test_own_orders_are_no_liquidity_for_a_fok_order() -> None:
    rig = Rig(touch())
    rig.add(side=SELL, qty_lots=100, limit_ticks=1000)
    order = rig.add(qty_lots=600, limit_ticks=1001, time_in_force=TimeInForce.FOK)
    assert order.end_reason is RejectReason.FOK_UNFILLED


# ----------------------------------------------------------------------------- two accounts


def _other(rig: Rig, **fields: object) -> Order:
    """An order of account b."""
    if "other" not in rig.venue._gateway.lines:
        rig.venue.connect("other", "b", "rest", rig.now_ns)
    command = rig.order(**fields)
    rig.send("other", command)
    assert not rig.rejects()
    return rig.find(command.cl_ord_id, "b")


def test_two_accounts_trade_with_each_other_at_the_resting_price() -> None:
    rig = Rig(touch())
    resting = _other(rig, side=SELL, qty_lots=100, limit_ticks=1000)
    taker = rig.add(qty_lots=60, limit_ticks=1001)
    assert (taker.state, resting.cum_lots) == (OrderState.FILLED, 60)
    assert rig.trades("a") == rig.trades("b") == [(1000, 60)]
    assert [trade.is_maker for trade in rig.venue.accounts["b"].trades] == [True]
    assert rig.market.leaves(resting.slot) == 40


def test_the_better_price_of_the_market_comes_before_the_other_account() -> None:
    rig = Rig(touch())
    _other(rig, side=SELL, qty_lots=100, limit_ticks=1002)
    rig.add(qty_lots=550, limit_ticks=1002)
    # The market's 500 at 1002 were there first.
    assert rig.trades("a") == [(1001, 500), (1002, 50)]
    assert rig.trades("b") == []


def test_the_other_account_is_reached_behind_what_is_ahead_of_it_and_before_what_is_behind() -> None:
    rig = Rig(book((SELL, 1001, 30)))
    _other(rig, side=SELL, qty_lots=100, limit_ticks=1001)
    rig.market.add(SELL, 1001, 1000)
    rig.add(qty_lots=150, limit_ticks=1001)
    assert rig.trades("a") == [(1001, 30), (1001, 100), (1001, 20)]
    assert rig.trades("b") == [(1001, 100)]


def test_orders_of_another_account_are_liquidity_for_a_fok_order() -> None:
    rig = Rig(touch())
    _other(rig, side=SELL, qty_lots=100, limit_ticks=1000)
    assert rig.add(qty_lots=600, limit_ticks=1001, time_in_force=TimeInForce.FOK).state is OrderState.FILLED


def test_an_older_order_of_the_other_account_comes_first_at_one_price() -> None:
    rig = Rig(book())
    first = _other(rig, side=SELL, qty_lots=100, limit_ticks=1001)
    second = _other(rig, side=SELL, qty_lots=100, limit_ticks=1001)
    rig.add(qty_lots=150, limit_ticks=1001)
    assert (first.cum_lots, second.cum_lots) == (100, 50)


def test_the_other_account_hears_of_the_trade_and_not_of_the_takers_order() -> None:
    rig = Rig(touch())
    rig.venue.connect("other ws", "b", "ws2", rig.now_ns, is_news_subscribed=True)
    _other(rig, side=SELL, qty_lots=100, limit_ticks=1000)
    rig.add(qty_lots=60, limit_ticks=1000)
    assert rig.exec_types("other ws") == [ExecType.TRADE]
    assert rig.exec_types("ws2") == [ExecType.PENDING_NEW, ExecType.NEW, ExecType.TRADE]


def test_a_market_buy_from_another_account_stops_where_the_money_ends() -> None:
    rig = Rig(book(), balances={"USD": "2", "BTC": "1"})
    _other(rig, side=SELL, qty_lots=199, limit_ticks=1000)
    order = rig.add(order_type=OrderType.MARKET, qty_lots=199)
    # 199 lots cost 1.99796 with the fee.
    assert order.state is OrderState.FILLED
    _other(rig, side=SELL, qty_lots=100, limit_ticks=1000)
    assert rig.add(order_type=OrderType.MARKET, qty_lots=100).end_reason is RejectReason.INSUFFICIENT_FUNDS


@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_best_price_of_own_orders_comes_first(side: int) -> None:
    rig = Rig(book())
    better, worse = (1000, 1001) if side == BUY else (1001, 1000)
    far = _other(rig, side=1 - side, qty_lots=100, limit_ticks=worse)
    near = _other(rig, side=1 - side, qty_lots=100, limit_ticks=better)
    rig.add(side=side, qty_lots=100, limit_ticks=worse)
    assert (near.state, far.state) == (OrderState.FILLED, OrderState.NEW)


def test_an_order_of_another_account_at_the_very_limit_counts_for_a_fok_order() -> None:
    rig = Rig(touch())
    _other(rig, side=SELL, qty_lots=100, limit_ticks=1001)
    assert rig.add(qty_lots=600, limit_ticks=1001, time_in_force=TimeInForce.FOK).state is OrderState.FILLED


def test_an_order_of_another_account_beyond_the_limit_does_not_count_for_a_fok_order() -> None:
    rig = Rig(touch())
    _other(rig, side=SELL, qty_lots=100, limit_ticks=1002)
    order = rig.add(qty_lots=600, limit_ticks=1001, time_in_force=TimeInForce.FOK)
    assert order.end_reason is RejectReason.FOK_UNFILLED
