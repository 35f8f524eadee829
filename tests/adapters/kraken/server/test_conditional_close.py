"""Conditional close by REST and WebSocket, and how it is told (rest-api: add-order, get-open-orders;
websocket-v2: add_order, executions).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.adapters.kraken.server.rest_rig import Rest
from tests.adapters.kraken.server.ws1.rig import Ws1
from tests.adapters.kraken.server.ws2_rig import Ws2

STOP = {"close[ordertype]": "stop-loss-limit", "close[price]": "98", "close[price2]": "97.5"}


def filled(rest: Rest, **close: str) -> tuple[str, dict[str, Any]]:
    """An order of 0.005 with a close that the market fills at once; its id, and the closes that are open then."""
    txid = rest.add(price="100.2", volume="0.005", **close)
    return txid, rest.result("OpenOrders")["open"]


def test_a_fill_makes_the_close_as_an_order_of_its_own_that_refers_to_the_one_it_closes() -> None:
    rest = Rest()
    txid, found = filled(rest, **STOP)
    ((close_id, row),) = found.items()
    assert close_id != txid
    assert (row["refid"], row["vol"], row["status"]) == (txid, "0.00500000", "open")
    assert row["descr"]["order"] == "sell 0.00500000 XBTUSD @ stop loss 98.0 -> limit 97.5"
    assert row["descr"]["close"] == ""
    assert rest.result("QueryOrders", txid=close_id)[close_id]["refid"] == txid
    assert rest.result("QueryOrders", txid=txid)[txid]["refid"] is None
    assert rest.result("CancelOrder", txid=close_id) == {"count": 1}


@pytest.mark.parametrize(
    ("close", "line"),
    [
        (STOP, "stop loss 98.0 -> limit 97.5"),
        ({"close[ordertype]": "limit", "close[price]": "101"}, "limit 101.0"),
        ({"close[ordertype]": "limit", "close[price]": "+5%"}, "limit +5.0000%"),
        ({"close[ordertype]": "take-profit", "close[price]": "#2"}, "take profit +2.0"),
        ({"close[ordertype]": "stop-loss", "close[price]": "#2"}, "stop loss -2.0"),
        ({"close[ordertype]": "trailing-stop", "close[price]": "+1.5%"}, "trailing stop +1.5000%"),
        (
            {"close[ordertype]": "trailing-stop-limit", "close[price]": "+3", "close[price2]": "-0.5"},
            "trailing stop +3.0 -> limit -0.5",
        ),
    ],
)
def test_the_close_is_told_with_its_order_in_one_line(close: dict[str, str], line: str) -> None:
    rest = Rest()
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "99", "volume": "0.5"}
    result = rest.result("AddOrder", **order, **close)
    assert result["descr"]["close"] == f"close position @ {line}"
    (row,) = rest.result("OpenOrders")["open"].values()
    assert row["descr"]["close"] == f"close position @ {line}"


def test_a_relative_close_is_relative_to_each_fill() -> None:
    rest = Rest()
    _, found = filled(rest, **{"close[ordertype]": "limit", "close[price]": "+10%"})
    (row,) = found.values()
    assert row["descr"]["price"] == "110.2"


def test_json_gives_the_close_as_an_object_and_a_batch_one_with_each_order() -> None:
    rest = Rest()
    order = {"type": "buy", "ordertype": "limit", "price": "99", "volume": "0.5"}
    close = {"ordertype": "stop-loss", "price": "90"}
    one = rest.result("AddOrder", is_json=True, pair="XBTUSD", **order, close=close)
    assert one["descr"]["close"] == "close position @ stop loss 90.0"
    batch = rest.result("AddOrderBatch", is_json=True, pair="XBTUSD", orders=[{**order, "close": close}, order])
    assert [each["descr"].get("close") for each in batch["orders"]] == ["close position @ stop loss 90.0", None]


def test_the_close_is_found_by_the_userref_of_the_order_that_it_closes() -> None:
    rest = Rest()
    _, found = filled(rest, userref="7", **STOP)
    assert [row["userref"] for row in found.values()] == [7]
    assert rest.result("CancelOrder", txid="7") == {"count": 1}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"close[ordertype]": "market"}, "EGeneral:Invalid arguments:close[ordertype]"),
        ({"close[ordertype]": "iceberg"}, "EGeneral:Invalid arguments:close[ordertype]"),
        ({"close[ordertype]": "stop"}, "EGeneral:Invalid arguments:close[ordertype]"),
        ({"close[ordertype]": ""}, "EGeneral:Invalid arguments:close[ordertype]"),
        ({"close[price]": ""}, "EGeneral:Invalid arguments:close[price]"),
        ({"close[price]": "98.05"}, "EOrder:Tick size check failed"),
        ({"close[price2]": ""}, "EGeneral:Invalid arguments:close[price2]"),
        ({"close[ordertype]": "trailing-stop"}, "EGeneral:Invalid arguments:close[price]"),
        ({"cl_ord_id": "mine"}, "EGeneral:Invalid arguments:close"),
        ({"close[price]": "0"}, "EOrder:Invalid price"),
    ],
)
def test_a_close_that_makes_no_sense_gets_its_error_and_nothing_is_entered(change: dict[str, str], error: str) -> None:
    rest = Rest()
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "99", "volume": "0.5"}
    assert rest.error("AddOrder", **{**order, **STOP, **change}) == error
    assert rest.result("OpenOrders")["open"] == {}


def test_an_order_with_a_close_is_neither_amended_nor_edited() -> None:
    """guides/spot-amends, Caveats; rest-api/edit-order."""
    rest = Rest()
    txid = rest.add(price="99", **STOP)
    assert rest.error("AmendOrder", txid=txid, limit_price="98.5") == "EGeneral:Invalid arguments"
    assert rest.error("EditOrder", txid=txid, pair="XBTUSD", price="98.5").startswith("E")
    assert list(rest.result("OpenOrders")["open"]) == [txid]


# ------------------------------------------------------------------------------------------------------- WebSocket v2

ORDER: dict[str, Any] = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 1, "limit_price": 99}


def contingent(conditional: dict[str, Any]) -> Any:
    """How executions tell of an order's conditional close."""
    ws2 = Ws2()
    socket = ws2.socket()
    socket.result("add_order", **ORDER, conditional=conditional)
    _, snapshot = socket.send("subscribe", channel="executions", token=ws2.token())
    (row,) = snapshot["data"]
    return row["contingent"]


@pytest.mark.parametrize(
    ("conditional", "told"),
    [
        (
            {"order_type": "stop-loss-limit", "trigger_price": 95, "limit_price": 94},
            {"trigger_price": 95, "trigger_price_type": "static", "limit_price": 94, "limit_price_type": "static"},
        ),
        (
            {"order_type": "take-profit", "trigger_price": 5, "trigger_price_type": "pct"},
            {"trigger_price": 5, "trigger_price_type": "pct"},
        ),
        (
            {"order_type": "trailing-stop-limit", "trigger_price": 3, "limit_price": -1},
            {"trigger_price": 3, "trigger_price_type": "quote", "limit_price": -1, "limit_price_type": "quote"},
        ),
        ({"order_type": "stop-loss", "stop_price": 95}, {"trigger_price": 95, "trigger_price_type": "static"}),
        ({"order_type": "limit", "limit_price": 110}, {"limit_price": 110, "limit_price_type": "static"}),
    ],
)
def test_executions_tell_of_the_close_with_its_order(conditional: dict[str, Any], told: dict[str, Any]) -> None:
    assert contingent(conditional) == {"order_type": conditional["order_type"], **told}


def test_executions_tell_of_the_close_when_a_fill_makes_it() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.send("subscribe", channel="executions", token=ws2.token())
    conditional = {"order_type": "stop-loss", "trigger_price": -2, "trigger_price_type": "pct"}
    primary = socket.add(price="100.2", qty="0.005", conditional=conditional)
    rows = [row for frame in socket.taken() if frame.get("channel") == "executions" for row in frame["data"]]
    pending, new = rows[-2:]
    assert (pending["exec_type"], pending["ord_ref_id"], new["exec_type"]) == ("pending_new", primary, "new")
    assert (pending["side"], pending["order_qty"]) == ("sell", Decimal("0.005"))
    assert pending["triggers"]["actual_price"] == Decimal("98.2")
    assert pending["order_id"] == new["order_id"] != primary


@pytest.mark.parametrize(
    ("conditional", "error"),
    [
        ("stop-loss", "EGeneral:Invalid arguments:conditional"),
        ({"order_type": "stop-loss", "price": 95}, "Unsupported field: 'price' for the given msg type: add order"),
        ({"trigger_price": 95}, "EGeneral:Invalid arguments:order_type"),
        ({"order_type": "stop-loss"}, "EGeneral:Invalid arguments:close[price]"),
    ],
)
def test_a_conditional_that_makes_no_sense_gets_its_error(conditional: Any, error: str) -> None:
    assert Ws2().socket().error("add_order", **ORDER, conditional=conditional) == error


# ------------------------------------------------------------------------------------------------------- WebSocket v1


def test_websocket_v1_has_the_same_close_and_tells_of_it_in_open_orders() -> None:
    """websocket-v1/addorder, close[ordertype]; websocket-v1/openorders, refid and descr.close."""
    ws1 = Ws1()
    socket = ws1.socket()
    socket.subscribe_private("openOrders")
    (answer,) = socket.answers(
        "addOrder", pair="XBT/USD", type="buy", ordertype="limit", price="100.2", volume="0.005", **STOP
    )
    rows = [row for frame in socket.taken() if isinstance(frame, list) for each in frame[0] for row in each.items()]
    full = {order_id: row for order_id, row in rows if "descr" in row}
    primary, close_id = answer["txid"], next(each for each in full if each != answer["txid"])
    assert full[primary]["descr"]["close"] == "close position @ stop loss 98.0 -> limit 97.5"
    assert (full[close_id]["refid"], full[close_id]["descr"]["close"]) == (primary, None)
    assert (full[close_id]["descr"]["type"], full[close_id]["vol"]) == ("sell", "0.00500000")
