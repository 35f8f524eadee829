"""Stop-loss, take-profit, trailing orders. Pages: rest-api/add-order (ordertype), websocket-v2/add_order (triggers)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework.messages import ExecType, OrderState
from framework.protocol import BUY, SELL, OrderType, RejectReason, TriggerReference
from tests.framework.venue.venue_rig import SECOND, START_NS, Rig, book, touch

# The market stands at 999 to 1001, the last trade was at 1000.


@pytest.mark.parametrize(
    ("order_type", "side", "trigger_ticks", "short_ticks", "price_ticks"),
    [
        (OrderType.STOP_LOSS, BUY, 1010, 1009, 1001),
        (OrderType.STOP_LOSS, SELL, 990, 991, 999),
        (OrderType.TAKE_PROFIT, BUY, 990, 991, 1001),
        (OrderType.TAKE_PROFIT, SELL, 1010, 1009, 999),
    ],
)
def test_a_triggered_market_order_fires_at_its_trigger_and_not_a_tick_before(
    order_type: OrderType, side: int, trigger_ticks: int, short_ticks: int, price_ticks: int
) -> None:
    rig = Rig(touch())
    order = rig.add(order_type=order_type, side=side, trigger_ticks=trigger_ticks)
    rig.print(short_ticks)
    assert (order.state, rig.trades()) == (OrderState.NEW, [])
    rig.print(trigger_ticks)
    assert order.state is OrderState.FILLED
    assert rig.trades() == [(price_ticks, 100)]
    assert rig.exec_types() == [ExecType.TRIGGERED, ExecType.TRADE]


@pytest.mark.parametrize(
    ("order_type", "side", "trigger_ticks"),
    [
        (OrderType.STOP_LOSS, BUY, 1000),
        (OrderType.STOP_LOSS, SELL, 1000),
        (OrderType.TAKE_PROFIT, BUY, 1000),
        (OrderType.TAKE_PROFIT, SELL, 1000),
    ],
)
def test_an_order_whose_condition_holds_already_is_accepted_and_canceled(
    order_type: OrderType, side: int, trigger_ticks: int
) -> None:
    rig = Rig(touch())
    order = rig.add("ws2", order_type=order_type, side=side, trigger_ticks=trigger_ticks)
    assert order.end_reason is RejectReason.WOULD_TRIGGER
    assert rig.executions()[-1].reason == "Order would trigger immediately"
    assert rig.held("USD") == rig.held("BTC") == 0


def test_a_stop_loss_limit_rests_at_its_limit_after_its_trigger() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.STOP_LOSS_LIMIT, side=SELL, trigger_ticks=990, limit_ticks=1005)
    rig.print(990)
    assert order.state is OrderState.NEW
    assert rig.exec_types() == [ExecType.TRIGGERED]
    rig.hit(BUY, 1100, 1005)
    assert rig.trades() == [(1005, 100)]


def test_a_take_profit_limit_takes_at_its_limit_after_its_trigger() -> None:
    rig = Rig(touch())
    rig.add(order_type=OrderType.TAKE_PROFIT_LIMIT, side=SELL, trigger_ticks=1010, limit_ticks=999)
    rig.print(1010)
    assert rig.trades() == [(999, 100)]


def test_an_untriggered_order_is_not_in_the_book() -> None:
    rig = Rig(touch())
    rig.add(order_type=OrderType.STOP_LOSS_LIMIT, side=SELL, trigger_ticks=990, limit_ticks=995)
    rig.hit(BUY, 500, 1001)
    assert rig.trades() == []


def test_a_canceled_order_does_not_trigger() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.STOP_LOSS, side=SELL, trigger_ticks=990)
    rig.cancel(order)
    rig.print(990)
    assert (order.state, rig.trades(), rig.market.watches) == (OrderState.CANCELED, [], {})


def test_a_triggered_buy_releases_its_hold_and_pays_what_it_costs() -> None:
    rig = Rig(touch())
    rig.add(order_type=OrderType.STOP_LOSS, trigger_ticks=1010)
    assert rig.held("USD") == Decimal("1.01404")
    rig.print(1010)
    assert rig.held("USD") == 0
    assert rig.total("USD") == Decimal("10000") - Decimal("1.001") - Decimal("0.004")


def test_a_trailing_sell_follows_the_price_up_and_fires_on_the_way_back() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.TRAILING_STOP, side=SELL, trail_offset_ticks=10)
    assert order.trigger_ticks == 990
    rig.print(1020)
    rig.print(1011)
    assert order.is_open
    rig.print(1010)
    assert order.state is OrderState.FILLED
    assert order.trigger_ticks == 1010


def test_a_trailing_buy_follows_the_price_down_and_fires_on_the_way_back() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.TRAILING_STOP, trail_offset_ticks=10)
    rig.print(980)
    rig.print(989)
    assert order.is_open
    rig.print(990)
    assert order.state is OrderState.FILLED


def test_a_trailing_distance_in_parts_per_million_is_of_the_best_price() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.TRAILING_STOP, side=SELL, trail_offset_ppm=10_000)
    rig.print(2000)
    rig.print(1981)
    assert order.is_open
    rig.print(1980)
    assert order.state is OrderState.FILLED


def test_a_trailing_stop_limit_gets_its_limit_from_the_price_that_triggered() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.TRAILING_STOP_LIMIT, side=SELL, trail_offset_ticks=10, limit_offset_ticks=5)
    assert order.limit_ticks is None
    rig.print(1020)
    rig.print(1010)
    assert (order.state, order.limit_ticks) == (OrderState.NEW, 1015)


@pytest.mark.parametrize(("offset_ppm", "limit"), [(10_000, 1020), (-10_000, 1000), (4_500, 1015), (4_400, 1014)])
def test_a_trailing_limits_distance_as_a_share_is_of_the_trigger_to_the_nearest_tick(
    offset_ppm: int, limit: int
) -> None:
    """rest-api/add-order, price2: an offset from the trigger price, a percentage with ``%``."""
    rig = Rig(touch())
    order = rig.add(
        order_type=OrderType.TRAILING_STOP_LIMIT, side=SELL, trail_offset_ticks=10, limit_offset_ppm=offset_ppm
    )
    assert order.limit_ticks is None
    rig.print(1020)
    rig.print(1010)
    assert order.limit_ticks == limit


def test_a_trailing_limit_may_be_a_price_of_its_own() -> None:
    """websocket-v2/add_order, limit_price_type: static."""
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.TRAILING_STOP_LIMIT, side=SELL, trail_offset_ticks=10, limit_ticks=1100)
    rig.print(1020)
    rig.print(1010)
    assert (order.state, order.limit_ticks) == (OrderState.NEW, 1100)


@pytest.mark.parametrize(
    ("change", "limit"),
    [({"limit_offset_ticks": -3}, 1007), ({"limit_offset_ppm": 20_000}, 1030), ({"limit_ticks": 1050}, 1050)],
)
def test_the_limit_of_a_waiting_trailing_order_is_amended_by_its_distance_or_as_a_price(
    change: dict[str, int], limit: int
) -> None:
    """websocket-v2/amend_order, limit_price_type."""
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.TRAILING_STOP_LIMIT, side=SELL, trail_offset_ticks=10, limit_offset_ticks=5)
    rig.amend(order, **change)
    rig.print(1020)
    rig.print(1010)
    assert order.limit_ticks == limit


@pytest.mark.parametrize(
    ("side", "first", "change", "fires"),
    [
        (SELL, 1020, {"trail_offset_ticks": 5}, 1015),
        (SELL, 1020, {"trail_offset_ppm": 10_000}, 1009),
        (BUY, 980, {"trail_offset_ticks": 5}, 985),
        (BUY, 980, {"trail_offset_ppm": 10_000}, 990),
    ],
)
def test_the_distance_of_a_waiting_trailing_stop_is_amended_and_its_best_price_stays(
    side: int, first: int, change: dict[str, int], fires: int
) -> None:
    """rest-api/amend-order, trigger_price, of orders that wait for a trigger; that a trailing stop's is its distance is
    an assumption.
    """
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.TRAILING_STOP, side=side, trail_offset_ticks=30)
    rig.print(first)
    away = 1 if side == SELL else -1
    rig.print(fires + away)
    assert order.trigger_ticks == (970 if side == SELL else 1030)
    rig.amend(order, **change)
    assert order.trigger_ticks == fires
    assert order.is_open
    rig.print(fires)
    assert order.state is OrderState.FILLED


def test_a_distance_that_the_price_has_come_back_by_already_is_refused() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.TRAILING_STOP, side=SELL, trail_offset_ticks=30)
    rig.print(1020)
    rig.print(1010)
    assert rig.refused_amend(order, trail_offset_ticks=10) == "Order would trigger immediately"
    assert (order.trail_offset_ticks, order.is_open) == (30, True)


@pytest.mark.parametrize(
    "change",
    [{"trail_offset_ticks": 5, "trail_offset_ppm": 5}, {"trail_offset_ticks": 0}, {"trail_offset_ppm": 20_000_000}],
)
def test_a_distance_that_is_none_is_refused(change: dict[str, int]) -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.TRAILING_STOP, side=SELL, trail_offset_ticks=30)
    assert rig.refused_amend(order, **change) in ("EGeneral:Invalid arguments", "EOrder:Invalid price")


def test_a_bought_trailing_stop_holds_by_its_new_distance() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.TRAILING_STOP, trail_offset_ticks=10)
    before = order.hold_units
    rig.amend(order, trail_offset_ticks=100)
    assert order.hold_units > before
    assert rig.refused_amend(order, trail_offset_ppm=9_999_999, qty_lots=10**7) == "EOrder:Insufficient funds"


def test_a_scheduled_trailing_stop_takes_its_new_distance_at_its_start() -> None:
    rig = Rig(touch())
    order = rig.add(
        order_type=OrderType.TRAILING_STOP, side=SELL, trail_offset_ticks=30, start_ns=START_NS + 10 * SECOND
    )
    rig.amend(order, trail_offset_ticks=5)
    rig.at(10)
    rig.print(995)
    assert order.state is OrderState.FILLED


def test_a_distance_is_no_limit_for_an_order_that_does_not_trail_or_has_fired() -> None:
    rig = Rig(touch())
    limit = rig.add(limit_ticks=999)
    fired = rig.add(order_type=OrderType.TRAILING_STOP_LIMIT, side=SELL, trail_offset_ticks=10, limit_offset_ticks=50)
    rig.print(1020)
    rig.print(1010)
    assert fired.is_triggered
    for order in (limit, fired):
        assert rig.refused_amend(order, limit_offset_ticks=5) == "EGeneral:Invalid arguments"


def test_a_trailing_stop_without_a_market_is_refused() -> None:
    rig = Rig(book())
    refusal = rig.refused_add(order_type=OrderType.TRAILING_STOP, side=SELL, trail_offset_ticks=10)
    assert refusal == "EOrder:Invalid price"


def test_a_scheduled_stop_is_watched_only_from_its_start() -> None:
    rig = Rig(touch())
    order = rig.add(order_type=OrderType.STOP_LOSS, side=SELL, trigger_ticks=990, start_ns=START_NS + 10 * SECOND)
    rig.print(985)
    assert order.state is OrderState.PENDING_NEW
    rig.print(1000)
    rig.at(10)
    rig.print(990)
    assert order.state is OrderState.FILLED


@pytest.mark.parametrize(
    "fields",
    [
        {"order_type": OrderType.STOP_LOSS},
        {"order_type": OrderType.LIMIT, "limit_ticks": 1000, "limit_offset_ppm": 5},
        {"order_type": OrderType.TRAILING_STOP_LIMIT, "trail_offset_ticks": 5},
        {"order_type": OrderType.TRAILING_STOP_LIMIT, "trail_offset_ticks": 5, "limit_offset_ppm": -1_000_000},
        {
            "order_type": OrderType.TRAILING_STOP_LIMIT,
            "trail_offset_ticks": 5,
            "limit_offset_ppm": 5,
            "limit_offset_ticks": 5,
        },
        {"order_type": OrderType.STOP_LOSS_LIMIT, "limit_ticks": 1000},
        {"order_type": OrderType.STOP_LOSS_LIMIT, "limit_ticks": None, "trigger_ticks": 1010},
        {"order_type": OrderType.STOP_LOSS, "trigger_ticks": 0},
        {"order_type": OrderType.TRAILING_STOP},
        {"order_type": OrderType.TRAILING_STOP, "trail_offset_ticks": 10, "trail_offset_ppm": 10},
        {"order_type": OrderType.TRAILING_STOP_LIMIT, "trail_offset_ticks": 10},
        {"order_type": OrderType.MARKET, "limit_ticks": 1000},
        {"order_type": OrderType.LIMIT, "trigger_ticks": 1000},
    ],
)
def test_prices_that_a_type_does_not_take_or_lacks_are_refused(fields: dict[str, int]) -> None:
    rig = Rig(touch())
    assert rig.refused_add(**fields) == "EOrder:Invalid price"


def test_the_index_is_not_there_to_trigger_on() -> None:
    rig = Rig(touch())
    refusal = rig.refused_add(
        order_type=OrderType.STOP_LOSS, trigger_ticks=1010, trigger_reference=TriggerReference.INDEX
    )
    assert refusal == "EGeneral:Invalid arguments:Index unavailable"
