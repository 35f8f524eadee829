"""Every order type and flag through NautilusTrader's strategy API: sent, worked and told, end to end.

Sources: rest-api/add-order, fix-api/nos-fix, guides/spot-amends (iceberg). The still book: 5 BTC each at 99.9 and 100.0
bid, 100.1 and 100.2 ask; last price as the test's trades make it. Latency is 1 ms each way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, TimeInForce, TrailingOffsetType
from nautilus_trader.model.objects import Price, Quantity

from adapters.kraken.profile import PROFILE
from framework.protocol import BUY, SELL
from tests.simulation.stage import (
    ASK,
    BID,
    BTC,
    LEVEL_LOTS,
    START_NS,
    Script,
    fixed_latency,
    level,
    rows,
    run,
    still_market,
    trade,
)

FAST = fixed_latency(PROFILE, 1.0)
ROADS = ["rest+ws", "ws2", "fix"]

# Trades for trailing stops: (seconds, aggressor, ticks).
RISE_AND_FALL = ((4.0, BUY, 1_002), (10.0, BUY, 1_010), (15.0, SELL, 1_006), (20.0, SELL, 1_005))


def _qty(btc: str) -> Quantity:
    return Quantity.from_str(f"{Decimal(btc):.8f}")


def _price(price: str) -> Price:
    return Price.from_str(price)


def _submit(make: Callable[[Any, Script], Any], at_s: float = 5.0) -> tuple[float, Callable[[Script], None]]:
    """A step that makes an order with the strategy's factory and submits it as order "a"."""

    def step(script: Script) -> None:
        order = script.orders["a"] = make(script.order_factory, script)
        script.submit_order(order)

    return (at_s, step)


def _play(
    make: Callable[[Any, Script], Any], market_rows: Sequence[Any] = (), road: str = "ws2", **options: Any
) -> Script:
    script = Script([_submit(make)])
    run(script, profile=FAST, road=road, market=still_market(market_rows), **options)
    return script


def _fills(script: Script) -> list[tuple[float, float, float]]:
    """(seconds, price, quantity) of each fill heard."""
    return [(at_s, float(e.last_px), float(e.last_qty)) for at_s, e in script.events("OrderFilled")]


# ------------------------------------------------------------------------------------------------- market


@pytest.mark.parametrize("road", ROADS)
def test_a_market_order_sweeps_the_levels_best_first(road: str) -> None:
    script = _play(lambda f, s: f.market(s.btc, OrderSide.BUY, _qty("7")), road=road)
    assert _fills(script) == [(5.002, 100.1, 5.0), (5.002, 100.2, 2.0)]
    assert script.orders["a"].status_string() == "FILLED"
    assert float(script.orders["a"].avg_px) == pytest.approx((5 * 100.1 + 2 * 100.2) / 7)


def test_a_market_order_beyond_the_book_takes_what_there_is_and_the_rest_is_canceled() -> None:
    script = _play(lambda f, s: f.market(s.btc, OrderSide.SELL, _qty("20")))
    assert sum(qty for _, _, qty in _fills(script)) == 11.0  # 5 + 5, and 1 BTC far below
    assert script.orders["a"].status_string() == "CANCELED"


@pytest.mark.parametrize("road", ROADS)
def test_a_market_buy_in_quote_currency_spends_at_most_that(road: str) -> None:
    """1,001 USD buy 10 BTC at 100.1 but only 5 are there; 500.5 of it go, then 500.5 buy 4.99500998 at 100.2."""
    script = _play(
        lambda f, s: f.market(s.btc, OrderSide.BUY, Quantity.from_str("1001.00000000"), quote_quantity=True), road=road
    )
    assert _fills(script) == [(5.002, 100.1, 5.0), (5.002, 100.2, 4.99500998)]
    assert script.orders["a"].status_string() == "FILLED"


# ------------------------------------------------------------------------------------------------- limit


@pytest.mark.parametrize("road", ROADS)
def test_a_limit_order_takes_up_to_its_price_and_rests_with_what_is_left(road: str) -> None:
    script = _play(lambda f, s: f.limit(s.btc, OrderSide.BUY, _qty("6"), _price("100.1")), road=road)
    assert _fills(script) == [(5.002, 100.1, 5.0)]
    assert script.orders["a"].status_string() == "PARTIALLY_FILLED"
    assert script.names("OrderAccepted", "OrderFilled") == ["OrderAccepted", "OrderFilled"]


@pytest.mark.parametrize("road", ROADS)
def test_an_ioc_takes_and_the_remainder_is_canceled_at_once(road: str) -> None:
    script = _play(
        lambda f, s: f.limit(s.btc, OrderSide.BUY, _qty("6"), _price("100.1"), time_in_force=TimeInForce.IOC), road=road
    )
    assert _fills(script) == [(5.002, 100.1, 5.0)]
    ((at_s, _),) = script.events("OrderCanceled")
    assert at_s == 5.002


@pytest.mark.parametrize(("qty", "fills"), [("5", [(5.002, 100.1, 5.0)]), ("5.1", [])])
def test_a_fok_is_filled_in_full_or_not_at_all(qty: str, fills: list[tuple[float, float, float]]) -> None:
    script = _play(
        lambda f, s: f.limit(s.btc, OrderSide.BUY, _qty(qty), _price("100.1"), time_in_force=TimeInForce.FOK)
    )
    assert _fills(script) == fills
    assert script.orders["a"].status_string() == ("FILLED" if fills else "CANCELED")


@pytest.mark.parametrize("road", ROADS)
def test_a_gtd_expires_at_its_time(road: str) -> None:
    end = dt.datetime.fromtimestamp(START_NS / 1e9, tz=dt.UTC) + dt.timedelta(seconds=20)
    script = _play(
        lambda f, s: f.limit(
            s.btc, OrderSide.BUY, _qty("1"), _price("99.0"), time_in_force=TimeInForce.GTD, expire_time=end
        ),
        road=road,
    )
    ((at_s, _),) = script.events("OrderExpired")
    assert at_s == 20.001
    assert script.orders["a"].status_string() == "EXPIRED"


@pytest.mark.parametrize("road", ROADS)
def test_a_post_only_order_that_would_take_gets_an_id_and_is_canceled(road: str) -> None:
    script = _play(lambda f, s: f.limit(s.btc, OrderSide.BUY, _qty("1"), _price("100.1"), post_only=True), road=road)
    assert script.names("OrderAccepted", "OrderCanceled", "OrderFilled") == ["OrderAccepted", "OrderCanceled"]


def test_where_the_venue_refuses_such_a_request_it_is_rejected_and_said_to_be_for_post_only() -> None:
    script = _play(
        lambda f, s: f.limit(s.btc, OrderSide.BUY, _qty("1"), _price("100.1"), post_only=True),
        switches={"post_only_violation": "reject"},
    )
    ((_, rejected),) = script.events("OrderRejected")
    assert rejected.due_post_only
    assert "EOrder:Post only order" in rejected.reason


def test_a_post_only_order_that_rests_is_a_maker_when_it_is_hit() -> None:
    script = _play(
        lambda f, s: f.limit(s.btc, OrderSide.BUY, _qty("1"), _price("99.5"), post_only=True),
        [trade(10.0, SELL, BID - 20, BTC)],
    )
    ((_, fill),) = script.events("OrderFilled")
    assert fill.liquidity_side.name == "MAKER"
    assert Decimal(str(fill.commission).split()[0]) == Decimal("99.5") * Decimal("0.0025")


# ------------------------------------------------------------------------------------------------- stops


@pytest.mark.parametrize("road", ROADS)
def test_a_stop_loss_sell_waits_for_the_price_to_fall_and_then_sells_at_market(road: str) -> None:
    script = _play(
        lambda f, s: f.stop_market(s.btc, OrderSide.SELL, _qty("1"), _price("99.5")),
        [trade(10.0, SELL, 996, BTC), trade(20.0, SELL, 995, BTC)],
        road=road,
    )
    assert _fills(script) == [(20.001, 100.0, 1.0)]


def test_a_stop_limit_is_triggered_and_rests_at_its_limit() -> None:
    script = _play(
        lambda f, s: f.stop_limit(s.btc, OrderSide.SELL, _qty("1"), _price("100.5"), _price("99.5")),
        [trade(20.0, SELL, 995, BTC), trade(30.0, BUY, 1_006, BTC)],
    )
    assert script.names("OrderAccepted", "OrderTriggered", "OrderFilled") == [
        "OrderAccepted",
        "OrderTriggered",
        "OrderFilled",
    ]
    assert _fills(script) == [(30.001, 100.5, 1.0)]


@pytest.mark.parametrize("road", ROADS)
def test_a_take_profit_sell_waits_for_the_price_to_rise(road: str) -> None:
    script = _play(
        lambda f, s: f.market_if_touched(s.btc, OrderSide.SELL, _qty("1"), _price("100.5")),
        [trade(10.0, BUY, 1_004, BTC), trade(20.0, BUY, 1_005, BTC)],
        road=road,
    )
    assert _fills(script) == [(20.001, 100.0, 1.0)]


def test_a_take_profit_limit_is_triggered_and_works_at_its_limit() -> None:
    script = _play(
        lambda f, s: f.limit_if_touched(s.btc, OrderSide.SELL, _qty("1"), _price("100.8"), _price("100.5")),
        [trade(20.0, BUY, 1_005, BTC), trade(30.0, BUY, 1_009, BTC)],
    )
    assert _fills(script) == [(30.001, 100.8, 1.0)]


@pytest.mark.parametrize("road", ROADS)
def test_a_trailing_stop_follows_the_price_up_and_fires_when_it_falls_by_the_offset(road: str) -> None:
    """From 100.2 up to 101.0 the stop goes from 99.7 to 100.5: 100.6 does not reach it, 100.5 does."""
    script = _play(
        lambda f, s: f.trailing_stop_market(
            s.btc, OrderSide.SELL, _qty("1"), Decimal("0.5"), trailing_offset_type=TrailingOffsetType.PRICE
        ),
        [trade(at_s, side, ticks, BTC) for at_s, side, ticks in RISE_AND_FALL],
        road=road,
    )
    assert _fills(script) == [(20.001, 100.0, 1.0)]


def test_a_trailing_stop_limit_fires_and_works_at_its_limit() -> None:
    script = _play(
        lambda f, s: f.trailing_stop_limit(
            s.btc,
            OrderSide.SELL,
            _qty("1"),
            limit_offset=Decimal("0.2"),
            trailing_offset=Decimal("0.5"),
            price=None,
            trailing_offset_type=TrailingOffsetType.PRICE,
        ),
        [*(trade(at_s, side, ticks, BTC) for at_s, side, ticks in RISE_AND_FALL), trade(30.0, BUY, 1_004, BTC)],
    )
    assert _fills(script) == [(30.001, 100.3, 1.0)]


def test_a_stop_whose_condition_holds_already_is_canceled_in_the_venues_words() -> None:
    script = _play(
        lambda f, s: f.stop_market(s.btc, OrderSide.SELL, _qty("1"), _price("99.5")), [trade(4.0, SELL, 995, BTC)]
    )
    assert _fills(script) == []
    assert script.orders["a"].status_string() == "CANCELED"


# ------------------------------------------------------------------------------------------------- iceberg and flags


@pytest.mark.parametrize("road", ROADS)
def test_an_iceberg_shows_a_slice_and_each_next_slice_joins_the_back_of_the_queue(road: str) -> None:
    """Nobody else is at 99.5; then 5 BTC join behind. 0.6 fill the first slice of 0.5, the next is behind the 5."""
    script = _play(
        lambda f, s: f.limit(s.btc, OrderSide.BUY, _qty("1"), _price("99.5"), display_qty=_qty("0.5")),
        [
            level(8.0, BUY, 995, LEVEL_LOTS),
            trade(10.0, SELL, 995, 6 * BTC // 10),
            level(10.0, BUY, 995, LEVEL_LOTS - BTC // 10),
            trade(20.0, SELL, 995, LEVEL_LOTS - BTC // 10),
            level(20.0, BUY, 995, 0),
            trade(30.0, SELL, 995, BTC),
        ],
        road=road,
    )
    assert _fills(script) == [(10.001, 99.5, 0.5), (30.001, 99.5, 0.5)]


def test_an_iceberg_slice_below_a_fifteenth_of_the_order_is_refused() -> None:
    script = _play(lambda f, s: f.limit(s.btc, OrderSide.BUY, _qty("1.6"), _price("99.5"), display_qty=_qty("0.1")))
    assert script.orders["a"].status_string() == "REJECTED"


def test_reduce_only_is_refused_where_there_is_no_position_to_reduce() -> None:
    script = _play(lambda f, s: f.limit(s.btc, OrderSide.SELL, _qty("1"), _price("101.0"), reduce_only=True))
    ((_, rejected),) = script.events("OrderRejected")
    assert "EOrder:Reduce only:No position exists" in rejected.reason


def test_orders_below_the_minimums_are_rejected_with_the_venues_texts() -> None:
    below_qty = _play(lambda f, s: f.limit(s.btc, OrderSide.BUY, _qty("0.00004999"), _price("99.5")))
    below_cost = _play(lambda f, s: f.limit(s.btc, OrderSide.BUY, _qty("0.00005"), _price("99.5")))
    ((_, qty_rejected),) = below_qty.events("OrderRejected")
    ((_, cost_rejected),) = below_cost.events("OrderRejected")
    assert "EOrder:Order minimum not met" in qty_rejected.reason
    assert "EOrder:Cost minimum not met" in cost_rejected.reason


def test_an_order_beyond_the_balance_is_rejected() -> None:
    script = _play(lambda f, s: f.limit(s.btc, OrderSide.SELL, _qty("1000000001"), _price("101.0")))
    ((_, rejected),) = script.events("OrderRejected")
    assert "EOrder:Insufficient funds" in rejected.reason


def test_an_order_list_is_one_request_where_the_protocol_has_batches_and_single_ones_where_it_has_not() -> None:
    def submit_list(script: Script) -> None:
        factory = script.order_factory
        orders = [factory.limit(script.btc, OrderSide.BUY, _qty("1"), _price(p)) for p in ("99.5", "99.4", "99.3")]
        script.submit_order_list(factory.create_list(orders))

    requests = {}
    for road in ("ws2", "fix"):
        script = Script([(5.0, submit_list)])
        backtest = run(script, profile=FAST, road=road)
        adds = rows(backtest, kind="command", name="AddOrder")
        assert [row["outcome"] for row in adds] == ["accepted"] * 3
        requests[road] = len({row["request_id"] for row in adds})
        assert len(script.events("OrderAccepted")) == 3
    assert requests == {"ws2": 1, "fix": 3}


def test_the_market_ahead_of_an_own_order_is_traded_with_before_it() -> None:
    """Our bid of 1 is behind 5 BTC at 100.0, so our own sell of 1 meets those."""
    steps = [
        (5.0, lambda s: s.orders.update(a=s.buy(s.btc, BTC, BID))),
        (10.0, lambda s: s.orders.update(b=s.sell(s.btc, BTC, BID))),
    ]
    script = Script(steps)
    backtest = run(script, profile=FAST, road="ws2")
    assert [script.orders[name].status_string() for name in "ab"] == ["ACCEPTED", "FILLED"]
    assert rows(backtest, name="OrderEnded", text="self_trade") == []


def test_an_own_order_at_the_best_price_is_never_traded_with_and_the_incoming_one_is_canceled() -> None:
    market = still_market([level(4.0, SELL, ASK, 0), level(4.0, SELL, ASK + 1, 0), level(4.0, SELL, ASK + 9, BTC)])
    steps = [
        (5.0, lambda s: s.orders.update(a=s.buy(s.btc, BTC, BID + 2))),
        (10.0, lambda s: s.orders.update(b=s.sell(s.btc, BTC, BID + 2))),
    ]
    script = Script(steps)
    backtest = run(script, profile=FAST, road="ws2", market=market)
    assert rows(backtest, kind="fill") == []
    assert [row["cl_ord_id"] for row in rows(backtest, name="OrderEnded", text="self_trade")] == [
        script.orders["b"].client_order_id.value
    ]
    assert [script.orders[name].status_string() for name in "ab"] == ["ACCEPTED", "CANCELED"]


def test_an_order_type_without_a_counterpart_is_denied_before_it_is_sent() -> None:
    script = Script([_submit(lambda f, s: f.market_to_limit(s.btc, OrderSide.BUY, _qty("1")))])
    backtest = run(script, profile=FAST, road="ws2")
    assert script.orders["a"].status_string() == "DENIED"
    assert rows(backtest, kind="command", name="AddOrder") == []
