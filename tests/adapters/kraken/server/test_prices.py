"""Relative prices and the distances of trailing orders, by every protocol that has them (rest-api/add-order, price and
price2; rest-api/amend-order; websocket-v2: add_order, amend_order, executions).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kraken.server.pairs import ServedPair
from adapters.kraken.server.prices import price_ticks
from framework.data.columns import ADD, TRADE
from framework.protocol import BUY, OrderType
from framework.venue.orders import Order
from tests.adapters.kraken.server.fix_rig import Fix
from tests.adapters.kraken.server.rest_rig import Rest
from tests.adapters.kraken.server.ws2_rig import Ws2
from tests.framework.venue.served.served_rig import SECOND, SPEC, START

PAIR = ServedPair(SPEC)


def terms(order: Order) -> tuple[int | None, int | None, int | None, int | None, int | None]:
    """Trail in ticks and ppm; limit, its distance in ticks and in ppm."""
    return (
        order.trail_offset_ticks,
        order.trail_offset_ppm,
        order.limit_ticks,
        order.limit_offset_ticks,
        order.limit_offset_ppm,
    )


def traded() -> Rest:
    """A venue whose last trade was at 100.2."""
    rest = Rest()
    rest.add(price=None, volume="0.001")
    return rest


def only(venue: Any) -> Order:
    """The one open order."""
    (order,) = venue.host.records.orders_open("a0")
    assert isinstance(order, Order)
    return order


# ------------------------------------------------------------------------------------------------------------ relative


@pytest.mark.parametrize(
    ("side", "kind", "up"),
    [
        ("buy", "stop-loss", True), ("sell", "stop-loss", False),
        ("buy", "take-profit", False), ("sell", "take-profit", True),
        ("buy", "limit", False), ("sell", "limit", True),
    ],
)  # fmt: skip
def test_a_hash_adds_or_subtracts_as_side_and_type_ask(side: str, kind: str, up: bool) -> None:
    rest = traded()
    rest.result("AddOrder", pair="XBTUSD", type=side, ordertype=kind, volume="0.01", price="#5%")
    order = only(rest)
    price = order.limit_ticks if kind == "limit" else order.trigger_ticks
    assert price == (1052 if up else 952)


def test_both_prices_of_a_stop_limit_may_be_relative_to_the_last_trade() -> None:
    rest = traded()
    rest.result(
        "AddOrder", pair="XBTUSD", type="sell", ordertype="stop-loss-limit", volume="0.01", price="-1%", price2="-1.5"
    )
    assert (only(rest).trigger_ticks, only(rest).limit_ticks) == (992, 987)


@given(st.integers(1, 10**9), st.decimals(0, 90, places=6))
def test_a_share_of_the_last_trade_is_taken_to_the_nearest_tick(last_ticks: int, percent: Decimal) -> None:
    exact = last_ticks * percent / 100
    for sign in ("+", "-"):
        got = price_ticks(f"{sign}{percent:f}%", PAIR, "price", last_ticks, BUY, OrderType.LIMIT)
        assert abs(abs(got - last_ticks) - exact) <= Decimal("0.5")


def test_without_a_trade_there_is_nothing_to_be_relative_to() -> None:
    error = Rest().error("AddOrder", pair="XBTUSD", type="buy", ordertype="limit", volume="0.01", price="-1%")
    assert error == "EOrder:Invalid price"


def test_an_amend_is_relative_to_the_last_trade_too() -> None:
    rest = traded()
    txid = rest.add(price="90", volume="0.01")
    rest.result("AmendOrder", txid=txid, limit_price="-5%")
    assert only(rest).limit_ticks == 952
    stop = rest.result("AddOrder", pair="XBTUSD", type="sell", ordertype="stop-loss", volume="0.01", price="90")
    rest.result("CancelOrder", txid=txid)
    rest.result("AmendOrder", txid=stop["txid"][0], trigger_price="-10")
    assert only(rest).trigger_ticks == 902


@pytest.mark.parametrize(
    ("triggers", "ticks"),
    [
        ({"price": 95, "price_type": "static"}, 950),
        ({"price": Decimal("-2.0"), "price_type": "pct"}, 982),
        ({"price": Decimal("-1.5"), "price_type": "quote"}, 987),
    ],
)
def test_websocket_gives_a_trigger_as_a_price_a_share_or_an_amount(triggers: dict[str, Any], ticks: int) -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.add(price=None, qty="0.001")
    order: dict[str, Any] = {"symbol": "BTC/USD", "side": "sell", "order_type": "stop-loss", "order_qty": 1}
    socket.result("add_order", **order, triggers=triggers)
    assert only(ws2).trigger_ticks == ticks
    amend = {"trigger_price": -3, "trigger_price_type": "pct"}
    socket.result("amend_order", order_id=only(ws2).order_id, **amend)
    assert only(ws2).trigger_ticks == 972


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"triggers": {"price": 5, "price_type": "percent"}}, "EGeneral:Invalid arguments:price_type"),
        ({"triggers": {"price": -5}}, "EGeneral:Invalid arguments:price"),
        ({"limit_price": 90, "limit_price_type": "pct"}, "EGeneral:Invalid arguments:limit_price_type"),
    ],
)
def test_a_unit_that_there_is_not_is_refused(change: dict[str, Any], error: str) -> None:
    order: dict[str, Any] = {
        "symbol": "BTC/USD", "side": "sell", "order_type": "stop-loss", "order_qty": 1, "triggers": {"price": 95},
    }  # fmt: skip
    if "limit_price" in change:
        order["order_type"] = "stop-loss-limit"
    assert Ws2().socket().error("add_order", **{**order, **change}) == error


# ------------------------------------------------------------------------------------------------------------ trailing


@pytest.mark.parametrize(
    ("price", "price2", "kept", "shown"),
    [
        ("+1.5%", "+0", (None, 15_000, None, 0, None), ("+1.5000%", "+0.0")),
        ("+0.0001%", "-2%", (None, 1, None, None, -20_000), ("+0.0001%", "-2.0000%")),
        ("+5", "-0.1", (50, None, None, -1, None), ("+5.0", "-0.1")),
        ("+5", "+0.25%", (50, None, None, None, 2_500), ("+5.0", "+0.2500%")),
    ],
)
def test_the_distances_of_a_trailing_stop_limit_are_kept_exactly_and_shown(
    price: str, price2: str, kept: tuple[int | None, ...], shown: tuple[str, str]
) -> None:
    rest = traded()
    result = rest.result(
        "AddOrder", pair="XBTUSD", type="sell", ordertype="trailing-stop-limit", volume="0.01",
        price=price, price2=price2,
    )  # fmt: skip
    assert terms(only(rest)) == kept
    line = f"sell 0.01000000 XBTUSD @ trailing stop {shown[0]} -> limit {shown[1]}"
    assert result["descr"]["order"] == line
    (row,) = rest.result("OpenOrders")["open"].values()
    assert (row["descr"]["price"], row["descr"]["price2"]) == shown


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"price": "5%"}, "EGeneral:Invalid arguments:price"),
        ({"price": "-5%"}, "EGeneral:Invalid arguments:price"),
        ({"price": "+0.00001%"}, "EGeneral:Invalid arguments:price"),
        ({"price": "+0.05"}, "EOrder:Tick size check failed"),
        ({"price2": "100"}, "EGeneral:Invalid arguments:price2"),
        ({"price2": "#1"}, "EGeneral:Invalid arguments:price2"),
        ({"price2": "-100%"}, "EOrder:Invalid price"),
        ({"price": "+0"}, "EOrder:Invalid price"),
    ],
)
def test_a_distance_that_makes_no_sense_gets_its_error(change: dict[str, str], error: str) -> None:
    order = {"pair": "XBTUSD", "type": "sell", "ordertype": "trailing-stop-limit", "volume": "0.01"}
    assert traded().error("AddOrder", **{**order, "price": "+1%", "price2": "-1", **change}) == error


TRAILING: dict[str, Any] = {"symbol": "BTC/USD", "side": "sell", "order_type": "trailing-stop-limit", "order_qty": 1}


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        ({"limit_price": -1}, (None, 20_000, None, -10, None)),
        ({"limit_price": 0, "limit_price_type": "quote"}, (None, 20_000, None, 0, None)),
        ({"limit_price": Decimal("-0.5"), "limit_price_type": "pct"}, (None, 20_000, None, None, -5_000)),
        ({"limit_price": 99, "limit_price_type": "static"}, (None, 20_000, 990, None, None)),
    ],
)
def test_websocket_gives_a_trailing_limit_by_its_unit(limit: dict[str, Any], kept: tuple[int | None, ...]) -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.add(price=None, qty="0.001")
    socket.result("add_order", **TRAILING, triggers={"price": 2, "price_type": "pct"}, **limit)
    assert terms(only(ws2)) == kept


def test_websocket_amends_a_trailing_limit_by_its_unit() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.add(price=None, qty="0.001")
    order_id = socket.result(
        "add_order", **TRAILING, triggers={"price": 2, "price_type": "quote"}, limit_price=-1
    )["order_id"]  # fmt: skip
    for change, kept in (
        ({"limit_price": Decimal("-0.5"), "limit_price_type": "pct"}, (20, None, None, None, -5_000)),
        ({"limit_price": -3}, (20, None, None, -30, None)),
        ({"limit_price": 98, "limit_price_type": "static"}, (20, None, 980, None, None)),
    ):
        socket.result("amend_order", order_id=order_id, **change)
        assert terms(only(ws2)) == kept


def test_the_distance_of_a_trailing_stop_is_amended_by_rest_and_websocket_and_told() -> None:
    """rest-api/amend-order and websocket-v2/amend_order, trigger_price and its type; rest-api/get-order-amends."""
    rest = traded()
    rest.result("AddOrder", pair="XBTUSD", type="sell", ordertype="trailing-stop", volume="0.01", price="+5")
    rest.result("AmendOrder", txid=only(rest).order_id, trigger_price="+2%")
    assert terms(only(rest))[:2] == (None, 20_000)
    assert rest.error("AmendOrder", txid=only(rest).order_id, trigger_price="95") == (
        "EGeneral:Invalid arguments:trigger_price"
    )
    amends = rest.result("OrderAmends", order_id=only(rest).order_id)["amends"]
    assert [amend["trigger_price"] for amend in amends] == ["+5.0", "+2.0000%"]
    ws2 = Ws2()
    socket = ws2.socket()
    socket.add(price=None, qty="0.001")
    order = {**TRAILING, "order_type": "trailing-stop"}
    order_id = socket.result("add_order", **order, triggers={"price": 2, "price_type": "pct"})["order_id"]
    for kind, kept in (("quote", (30, None)), ("pct", (None, 30_000)), ("static", (30, None))):
        socket.result("amend_order", order_id=order_id, trigger_price=3, trigger_price_type=kind)
        assert terms(only(ws2))[:2] == kept


def test_a_trailing_stop_by_fix_has_its_distance_in_the_quote_currency() -> None:
    """fix-api/nos-fix, StopPx; that it is a distance for trailing types is an assumption."""
    fix = Fix()
    desk = fix.desk().open()
    desk.send(b"D", t38="1", t40="U", t54="2", t55="BTC/USD", t59="1", t99="1.5")
    assert terms(only(fix))[:2] == (15, None)


def test_the_amends_of_a_trailing_limit_are_told_by_its_distance() -> None:
    """rest-api/get-order-amends, limit_price."""
    rest = traded()
    rest.result(
        "AddOrder", pair="XBTUSD", type="sell", ordertype="trailing-stop-limit", volume="0.01", price="+5", price2="-1"
    )
    rest.result("AmendOrder", txid=only(rest).order_id, limit_price="-2%")
    amends = rest.result("OrderAmends", order_id=only(rest).order_id)["amends"]
    assert [amend["limit_price"] for amend in amends] == ["-1.0", "-2.0000%"]


# ---------------------------------------------------------------------------------------------------------------- edits


def edit_of(rest: Rest, **change: str) -> dict[str, Any]:
    """What the edit of a trailing order answers, whose distances are +1.5 % and -0.5 USD."""
    rest.result(
        "AddOrder", pair="XBTUSD", type="sell", ordertype="trailing-stop-limit", volume="0.01",
        price="+1.5%", price2="-0.5",
    )  # fmt: skip
    return dict(rest.result("EditOrder", pair="XBTUSD", txid=only(rest).order_id, **change))


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"volume": "0.02"}, (None, 15_000, None, -5, None)),
        ({"price": "+3"}, (30, None, None, -5, None)),
        ({"price2": "+0.25%"}, (None, 15_000, None, None, 2_500)),
        ({"price": "+2%", "price2": "-1"}, (None, 20_000, None, -10, None)),
    ],
)
def test_an_edit_of_a_trailing_order_has_the_grammar_of_its_entry(
    change: dict[str, str], kept: tuple[int | None, ...]
) -> None:
    """rest-api/edit-order, price and price2."""
    rest = traded()
    shown = edit_of(rest, **change)
    assert terms(only(rest)) == kept
    (row,) = rest.result("OpenOrders")["open"].values()
    assert (shown["price"], shown["price2"]) == (row["descr"]["price"], row["descr"]["price2"])
    assert shown["descr"]["order"] == row["descr"]["order"]


def test_an_edit_of_a_stop_limit_may_be_relative_to_the_last_trade() -> None:
    rest = traded()
    rest.result(
        "AddOrder", pair="XBTUSD", type="sell", ordertype="stop-loss-limit", volume="0.01", price="90", price2="89"
    )
    rest.result("EditOrder", pair="XBTUSD", txid=only(rest).order_id, price="-1%", price2="-2%")
    assert (only(rest).trigger_ticks, only(rest).limit_ticks) == (992, 982)


def test_websocket_edits_a_trailing_order_by_its_distances() -> None:
    """websocket-v2/edit_order, triggers and limit_price."""
    ws2 = Ws2()
    socket = ws2.socket()
    socket.add(price=None, qty="0.001")
    socket.result("add_order", **TRAILING, triggers={"price": 2, "price_type": "pct"}, limit_price=-1)
    edit: dict[str, Any] = {"symbol": "BTC/USD", "triggers": {"price": 3, "price_type": "quote"}, "limit_price": -2}
    socket.result("edit_order", order_id=only(ws2).order_id, **edit)
    assert terms(only(ws2)) == (30, None, None, -20, None)


def test_an_edit_gives_no_trigger_to_an_order_without_one() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    order_id = socket.add()
    error = socket.error("edit_order", order_id=order_id, symbol="BTC/USD", triggers={"price": 95})
    assert error == "EGeneral:Invalid arguments:triggers"


# ---------------------------------------------------------------------------------------------------------- executions


def row_of(ws2: Ws2) -> Any:
    """The one open order in the snapshot of executions."""
    socket = ws2.socket()
    _, snapshot = socket.send("subscribe", channel="executions", token=ws2.token())
    (row,) = snapshot["data"]
    return row


def test_executions_tell_a_trailing_order_by_its_distances_its_peak_and_the_price_that_they_come_to() -> None:
    ws2 = Ws2([(1, TRADE, BUY, 1010, 5, 0), (3600, ADD, BUY, 900, 1, 3)])
    socket = ws2.socket()
    socket.add(price=None, qty="0.001")
    socket.result("add_order", **TRAILING, triggers={"price": 2, "price_type": "pct"}, limit_price=-1)
    ws2.host.run_until(START + 2 * SECOND)
    row = row_of(ws2)
    assert (row["limit_price"], row["limit_price_type"]) == (Decimal("-1.0"), "quote")
    assert row["triggers"] == {
        "reference": "last",
        "price": Decimal("2.0000"),
        "price_type": "pct",
        "peak_price": Decimal("101.0"),
        "actual_price": Decimal("98.9"),
        "status": "untriggered",
    }


def test_executions_tell_a_relative_trigger_as_it_was_given_until_it_is_amended() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.add(price=None, qty="0.001")
    order: dict[str, Any] = {"symbol": "BTC/USD", "side": "sell", "order_type": "stop-loss", "order_qty": 1}
    socket.result("add_order", **order, triggers={"price": Decimal("-2.5"), "price_type": "pct"})
    triggers = row_of(ws2)["triggers"]
    assert (triggers["price"], triggers["price_type"], triggers["actual_price"]) == (
        Decimal("-2.5"),
        "pct",
        Decimal("97.7"),
    )
    socket.result("amend_order", order_id=only(ws2).order_id, trigger_price=95)
    triggers = row_of(ws2)["triggers"]
    assert (triggers["price"], triggers["price_type"]) == (Decimal("95.0"), "static")
