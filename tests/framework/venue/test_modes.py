"""Modes of the venue and of a pair. Pages: rest-api/get-system-status, rest-api/get-tradable-asset-pairs (status),
guides/general/order-lifecycle."""

from __future__ import annotations

import pytest

from framework.errors import ConfigError
from framework.messages import CancelAllAfter, CancelOrder, OrderState, VenueStatus
from framework.protocol import SELL, OrderType, RejectReason, TimeInForce, VenueMode
from tests.framework.venue.venue_rig import BTC_USD, SECOND, START_NS, SYMBOL, Rig, touch

ETH_USD = BTC_USD.__class__(symbol="ETH/USD", venue="synthetic", tick_size="0.1", lot_size="0.0001")


def _set(rig: Rig, mode: VenueMode, symbol: str | None = None) -> None:
    rig.sent = []
    rig.venue.set_mode(mode, symbol, rig.now_ns)
    rig._settle()


@pytest.mark.parametrize(
    ("mode", "fields", "error"),
    [
        (VenueMode.CANCEL_ONLY, {}, "EService:Market in cancel_only mode"),
        (VenueMode.CANCEL_ONLY, {"is_post_only": True}, "EService:Market in cancel_only mode"),
        (VenueMode.POST_ONLY, {}, "EService:Market in post_only mode"),
        (VenueMode.POST_ONLY, {"order_type": OrderType.MARKET}, "EService:Market in post_only mode"),
        (VenueMode.LIMIT_ONLY, {"order_type": OrderType.MARKET}, "EService:Market in limit_only mode"),
        (VenueMode.REDUCE_ONLY, {}, "EService:Market in reduce_only mode"),
        (VenueMode.MAINTENANCE, {}, "EService:Unavailable"),
    ],
)
@pytest.mark.parametrize("symbol", [None, SYMBOL])
def test_a_mode_refuses_the_new_orders_that_it_does_not_take(
    symbol: str | None, mode: VenueMode, fields: dict[str, object], error: str
) -> None:
    rig = Rig(touch())
    _set(rig, mode, symbol)
    assert rig.refused_add(**fields) == error


@pytest.mark.parametrize(
    ("mode", "fields"),
    [
        (VenueMode.ONLINE, {"order_type": OrderType.MARKET}),
        (VenueMode.POST_ONLY, {"is_post_only": True}),
        (VenueMode.LIMIT_ONLY, {}),
    ],
)
def test_a_mode_lets_in_the_new_orders_that_it_takes(mode: VenueMode, fields: dict[str, object]) -> None:
    rig = Rig(touch())
    _set(rig, mode)
    rig.add(**fields)


def test_the_mode_of_a_pair_leaves_other_pairs_alone() -> None:
    rig = Rig(specs=(BTC_USD, ETH_USD))
    _set(rig, VenueMode.CANCEL_ONLY, "ETH/USD")
    assert rig.add().is_open
    assert rig.refused_add(symbol="ETH/USD") == "EService:Market in cancel_only mode"


@pytest.mark.parametrize("mode", [VenueMode.CANCEL_ONLY, VenueMode.POST_ONLY, VenueMode.LIMIT_ONLY])
def test_a_mode_that_takes_cancels_cancels(mode: VenueMode) -> None:
    rig = Rig(touch())
    order = rig.add()
    _set(rig, mode)
    rig.cancel(order)
    assert not order.is_open


def test_maintenance_takes_no_cancels_and_leaves_the_order_alive() -> None:
    rig = Rig(touch())
    order = rig.add()
    _set(rig, VenueMode.MAINTENANCE)
    assert rig.refused("rest", CancelOrder(request_id=1, order_id=order.order_id)) == "EService:Unavailable"
    assert order.is_open


def test_cancel_only_takes_no_amends() -> None:
    rig = Rig(touch())
    order = rig.add()
    _set(rig, VenueMode.CANCEL_ONLY)
    assert rig.refused_amend(order, qty_lots=60) == "EService:Market in cancel_only mode"


def test_every_line_is_told_of_a_mode() -> None:
    rig = Rig(touch())
    _set(rig, VenueMode.POST_ONLY, SYMBOL)
    for line in ("ws2", "fix"):
        (status,) = rig.reports(line)
        assert isinstance(status, VenueStatus)
        assert (status.mode, status.symbol) == (VenueMode.POST_ONLY, SYMBOL)


def test_an_unknown_pair_is_named() -> None:
    rig = Rig(touch())
    with pytest.raises(ConfigError, match="no pair 'X/Y'"):
        rig.venue.set_mode(VenueMode.ONLINE, "X/Y", rig.now_ns)


@pytest.mark.parametrize("mode", [VenueMode.CANCEL_ONLY, VenueMode.POST_ONLY, VenueMode.MAINTENANCE])
def test_nothing_is_filled_while_a_mode_does_not_match(mode: VenueMode) -> None:
    rig = Rig(touch())
    order = rig.add()
    _set(rig, mode)
    rig.hit(SELL, 400, 999)
    assert (order.is_open, rig.trades()) == (True, [])


def test_an_order_is_filled_again_once_matching_goes_on() -> None:
    rig = Rig(touch())
    order = rig.add()
    _set(rig, VenueMode.CANCEL_ONLY)
    _set(rig, VenueMode.ONLINE)
    rig.hit(SELL, 100, 1000)
    assert order.state is OrderState.FILLED


def test_orders_come_back_in_their_order_of_time() -> None:
    rig = Rig(touch())
    first, second = rig.add(), rig.add()
    _set(rig, VenueMode.CANCEL_ONLY)
    _set(rig, VenueMode.ONLINE)
    rig.hit(SELL, 100, 1000)
    assert (first.cum_lots, second.cum_lots) == (100, 0)


def test_an_order_that_the_market_moved_through_trades_when_matching_goes_on() -> None:
    rig = Rig(touch())
    order = rig.add()
    _set(rig, VenueMode.CANCEL_ONLY)
    rig.market.add(SELL, 999, 100)
    _set(rig, VenueMode.ONLINE)
    assert (order.state, rig.trades()) == (OrderState.FILLED, [(999, 100)])


def test_an_order_canceled_meanwhile_does_not_come_back() -> None:
    rig = Rig(touch())
    order = rig.add()
    _set(rig, VenueMode.CANCEL_ONLY)
    rig.cancel(order)
    _set(rig, VenueMode.ONLINE)
    assert rig.market.slots == {}


def test_a_post_only_order_entered_while_nothing_matches_rests_later() -> None:
    rig = Rig(touch())
    _set(rig, VenueMode.POST_ONLY)
    order = rig.add(is_post_only=True)
    _set(rig, VenueMode.ONLINE)
    rig.hit(SELL, 100, 1000)
    assert order.state is OrderState.FILLED


def test_a_trigger_that_fires_while_nothing_matches_takes_effect_later() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.STOP_LOSS, side=SELL, trigger_ticks=990)
    _set(rig, VenueMode.CANCEL_ONLY)
    rig.print(990)
    assert order.state is OrderState.NEW
    _set(rig, VenueMode.ONLINE)
    assert order.state is OrderState.FILLED


def test_a_scheduled_market_order_that_is_due_while_nothing_matches_is_executed_later() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.MARKET, side=SELL, start_ns=START_NS + 10 * SECOND)
    _set(rig, VenueMode.CANCEL_ONLY)
    rig.at(10)
    assert order.is_open
    _set(rig, VenueMode.ONLINE)
    assert order.state is OrderState.FILLED


def test_the_armed_switch_waits_for_the_end_of_maintenance_and_fires_then() -> None:
    # rest-api/cancel-all-orders-after: if armed, all orders are cancelled when the engine returns.
    rig = Rig(touch())
    order = rig.add()
    rig.send("rest", CancelAllAfter(request_id=1, timeout_s=60))
    _set(rig, VenueMode.MAINTENANCE)
    rig.at(100)
    assert order.is_open
    _set(rig, VenueMode.ONLINE)
    assert order.end_reason is RejectReason.CANCEL_AFTER_EXPIRED


def test_an_order_whose_time_ends_during_maintenance_expires_after_it() -> None:
    rig = Rig(touch())
    order = rig.add(time_in_force=TimeInForce.GTD, expire_ns=START_NS + 60 * SECOND)
    _set(rig, VenueMode.MAINTENANCE)
    rig.at(100)
    assert order.is_open
    _set(rig, VenueMode.ONLINE)
    assert order.state is OrderState.EXPIRED


def test_an_order_whose_time_ended_during_maintenance_does_not_trade_on_its_way_out() -> None:
    rig = Rig(touch())
    order = rig.add(time_in_force=TimeInForce.GTD, expire_ns=START_NS + 60 * SECOND)
    _set(rig, VenueMode.MAINTENANCE)
    rig.market.add(SELL, 999, 100)
    rig.at(100)
    _set(rig, VenueMode.ONLINE)
    assert (order.state, rig.trades()) == (OrderState.EXPIRED, [])
