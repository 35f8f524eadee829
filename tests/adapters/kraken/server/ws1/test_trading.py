"""Trading events of WebSocket v1 (websocket-v1: addorder, editorder, amendorder, cancelorder, cancelall,
cancelallordersafter)."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kraken.server.keys import PERMISSIONS
from framework.protocol import LatencySpec, OrderType, StpMode, TimeInForce, VenueMode
from framework.venue.latency import compile_latency
from framework.venue.orders import Order
from framework.venue.served.host import RoadSpec
from tests.adapters.kraken.server.ws1.rig import Ws1, events
from tests.framework.venue.served.served_rig import SECOND, START

GOOD = {"pair": "XBT/USD", "ordertype": "limit", "type": "buy", "price": "100", "volume": "1"}
UNKNOWN = "O00000-00000-999999"


def open_orders(ws1: Ws1, account: str = "a0") -> list[Order]:
    return list(ws1.host.records.orders_open(account))


# ------------------------------------------------------------------------------------------------------------ addOrder


def test_an_order_is_answered_with_its_id_and_its_description() -> None:
    answer = Ws1().socket().answer("addOrder", **GOOD)
    txid = answer.pop("txid")
    assert txid.startswith("O")
    assert answer == {
        "descr": "buy 1.00000000 XBTUSD @ limit 100.0", "event": "addOrderStatus", "reqid": 7, "status": "ok",
    }  # fmt: skip


def test_the_answer_repeats_the_clients_own_id() -> None:
    assert Ws1().socket().answer("addOrder", **GOOD, cl_ord_id="mine")["cl_ord_id"] == "mine"


def test_an_order_is_refused_without_an_id() -> None:
    (answer,) = Ws1().socket().answers("addOrder", **{**GOOD, "volume": "100000"})
    assert answer == {
        "errorMessage": "EOrder:Insufficient funds", "event": "addOrderStatus", "reqid": 7, "status": "error",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"pair": "BTC/USD"}, "Currency pair not supported BTC/USD"),
        ({"pair": "XBTUSD"}, "Currency pair not in ISO 4217-A3 format XBTUSD"),
        ({"pair": None}, "EGeneral:Invalid arguments:pair"),
        ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
        ({"ordertype": "iceberg", "display_volume": "0.1"}, "EGeneral:Invalid arguments:ordertype"),
        ({"ordertype": "nothing"}, "EGeneral:Invalid arguments:ordertype"),
        ({"timeinforce": "FOK"}, "EGeneral:Invalid arguments:timeinforce"),
        ({"timeinforce": "NOW"}, "EGeneral:Invalid arguments:timeinforce"),
        ({"stp_type": "cancel_all"}, "EGeneral:Invalid arguments:stp_type"),
        ({"price": "100.15"}, "EOrder:Tick size check failed"),
        ({"price": [100]}, "EGeneral:Invalid arguments:price"),
        ({"volume": "many"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "0"}, "EOrder:Order minimum not met"),
        ({"deadline": "2027-01-15T08:05:00Z"}, "EGeneral:Invalid arguments:deadline"),
        ({"deadline": "2027-01-15T08:00:00.4Z"}, "EGeneral:Invalid arguments:deadline"),
        ({"deadline": "2027-01-15T07:59:00Z"}, "EService:Deadline elapsed"),
        ({"cl_ord_id": "mine", "userref": "5"}, "EGeneral:Invalid arguments:userref"),
        ({"leverage": "6"}, "EGeneral:Invalid arguments:leverage"),
        ({"margin": True, "volume": "100000"}, "EOrder:Margin position size exceeded"),
        ({"validate": "perhaps"}, "EGeneral:Invalid arguments:validate"),
    ],
)
def test_an_order_that_makes_no_sense_gets_its_error(change: dict[str, Any], text: str) -> None:
    ws1 = Ws1()
    assert ws1.socket().error("addOrder", **{**GOOD, **change}) == text
    assert open_orders(ws1) == []


def test_an_order_is_made_of_all_that_it_says() -> None:
    ws1 = Ws1()
    ws1.socket().answer(
        "addOrder", **{**GOOD, "oflags": "post,fciq"}, userref="-5", expiretm="+60", stp_type="cancel_oldest",
        deadline="2027-01-15T08:00:05Z", reduce_only=False,
    )  # fmt: skip
    (order,) = open_orders(ws1)
    assert (order.is_post_only, order.time_in_force, order.stp_mode) == (True, TimeInForce.GTD, StpMode.CANCEL_OLDEST)
    assert (order.limit_ticks, order.qty_lots, order.expire_ns) == (1000, 10_000, START + 60 * SECOND)


def test_prices_may_be_relative_to_the_last_trade() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    socket.add(price=None, volume="0.001")
    socket.answer("addOrder", **{**GOOD, "price": "-5%"})
    socket.answer("addOrder", pair="XBT/USD", type="sell", ordertype="trailing-stop", volume="1", price="+2%")
    limit, trailing = open_orders(ws1)
    assert limit.limit_ticks == 952
    assert (trailing.order_type, trailing.trail_offset_ppm) == (OrderType.TRAILING_STOP, 20_000)


@pytest.mark.parametrize("validate", ["true", True])
def test_validate_checks_and_leaves_nothing(validate: Any) -> None:
    ws1 = Ws1()
    answer = ws1.socket().answer("addOrder", **GOOD, validate=validate)
    assert (answer["descr"], "txid" in answer) == ("buy 1.00000000 XBTUSD @ limit 100.0", False)
    assert ws1.socket().error("addOrder", **{**GOOD, "volume": "100000"}, validate=validate) == (
        "EOrder:Insufficient funds"
    )
    assert open_orders(ws1) == []


# ----------------------------------------------------------------------------------------------- editOrder, amendOrder


def test_an_edit_makes_a_new_order_in_place_of_the_old_one() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    old = socket.add(price="99", userref="3")
    answer = socket.answer("editOrder", orderid=old, pair="XBT/USD", price="98.5", oflags="", newuserref="666")
    (order,) = open_orders(ws1)
    assert answer == {
        "descr": "order edited price = 98.50000000", "event": "editOrderStatus", "originaltxid": old, "reqid": 7,
        "status": "ok", "txid": order.order_id,
    }  # fmt: skip
    assert (order.order_id != old, order.limit_ticks, order.qty_lots) == (True, 985, 10_000)
    socket.answer("editOrder", orderid="666", pair="XBT/USD", volume="0.5", price="98")
    assert [(order.limit_ticks, order.qty_lots) for order in open_orders(ws1)] == [(980, 5_000)]


def test_an_edit_that_is_only_validated_leaves_the_order() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    old = socket.add(price="99")
    answer = socket.answer("editOrder", orderid=old, pair="XBT/USD", price="98.5", validate=True)
    assert (answer["originaltxid"], "txid" in answer) == (old, False)
    assert [order.order_id for order in open_orders(ws1)] == [old]


def test_an_edit_of_what_cannot_be_edited_says_so() -> None:
    socket = Ws1().socket()
    named = socket.add(cl_ord_id="mine")
    assert socket.error("editOrder", orderid=named, pair="XBT/USD", price="99") == "EGeneral:Invalid arguments:edit"
    assert socket.error("editOrder", orderid=UNKNOWN, pair="XBT/USD", price="99") == "EOrder:Unknown order"
    assert socket.error("editOrder", pair="XBT/USD", price="99") == "EGeneral:Invalid arguments:orderid"
    assert socket.error("editOrder", orderid=named, price="99") == "EGeneral:Invalid arguments:pair"


def test_an_amend_changes_an_order_in_place_and_names_it_as_the_request_did() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    first, second = socket.add(price="99"), socket.add(price="98", cl_ord_id="mine")
    by_txid = socket.answer("amendOrder", txid=first, volume="0.5")
    by_name = socket.answer("amendOrder", cl_ord_id="mine", limit_price="97.5", post_only=True)
    assert (by_txid["txid"], "cl_ord_id" in by_txid, by_txid["amend_id"][:2]) == (first, False, "TA")
    assert (by_name["cl_ord_id"], "txid" in by_name) == ("mine", False)
    assert [(order.order_id, order.qty_lots, order.limit_ticks) for order in open_orders(ws1)] == [
        (first, 5_000, 990),
        (second, 10_000, 975),
    ]


def test_an_amend_that_makes_no_sense_says_why() -> None:
    socket = Ws1().socket()
    order_id = socket.add()
    assert socket.error("amendOrder", volume="0.5") == "EGeneral:Invalid arguments:txid"
    assert socket.error("amendOrder", txid=UNKNOWN, volume="0.5") == "EOrder:Unknown order"
    assert socket.error("amendOrder", txid=order_id, volume="-1") == "EGeneral:Invalid arguments:volume"


# ------------------------------------------------------------------------------------------------------------- cancels


def test_each_cancel_of_a_list_is_answered_by_itself() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    ids = [socket.add(price="99"), socket.add(price="98", cl_ord_id="mine")]
    answers = socket.answers("cancelOrder", txid=[ids[0], UNKNOWN], cl_ord_id=["mine"])
    assert answers == [
        {"event": "cancelOrderStatus", "reqid": 7, "status": "ok"},
        {"errorMessage": "EOrder:Unknown order", "event": "cancelOrderStatus", "reqid": 7, "status": "error"},
        {"event": "cancelOrderStatus", "reqid": 7, "status": "ok"},
    ]
    assert open_orders(ws1) == []


def test_a_cancel_by_userref_is_answered_for_each_order_that_has_it() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    for price in ("99", "98", "97"):
        socket.add(price=price, userref="42" if price != "97" else "43")
    assert [answer["status"] for answer in socket.answers("cancelOrder", txid=["42"])] == ["ok", "ok"]
    assert len(open_orders(ws1)) == 1
    assert socket.error("cancelOrder", txid=["42"]) == "EOrder:Unknown order"


@pytest.mark.parametrize("fields", [{}, {"txid": []}, {"txid": ["O"] * 51}])
def test_a_cancel_of_nothing_or_of_too_much_is_refused(fields: dict[str, Any]) -> None:
    assert Ws1().socket().error("cancelOrder", **fields) == "EGeneral:Invalid arguments:txid"


def test_all_orders_of_the_account_are_canceled_and_counted() -> None:
    ws1 = Ws1()
    for _ in range(3):
        ws1.socket().add(volume="0.01")
    ws1.socket().add(account=1)
    answer = ws1.socket().answer("cancelAll")
    assert answer == {"count": 3, "event": "cancelAllStatus", "reqid": 7, "status": "ok"}
    assert len(open_orders(ws1, "a1")) == 1


def test_the_dead_mans_switch_outlives_the_connection_and_can_be_disarmed() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    socket.add()
    assert socket.answer("cancelAllOrdersAfter", timeout=60) == {
        "currentTime": "2027-01-15T08:00:00Z", "event": "cancelAllOrdersAfterStatus", "reqid": 7, "status": "ok",
        "triggerTime": "2027-01-15T08:01:00Z",
    }  # fmt: skip
    assert socket.answer("cancelAllOrdersAfter", timeout=0)["triggerTime"] == "0"
    socket.answer("cancelAllOrdersAfter", timeout=10)
    socket.connection.closed()
    ws1.host.run_until(START + 9 * SECOND)
    assert len(open_orders(ws1)) == 1
    ws1.host.run_until(START + 11 * SECOND)
    assert open_orders(ws1) == []


@pytest.mark.parametrize("timeout", [None, -1, "soon", 1.5])
def test_a_switch_without_whole_seconds_is_refused(timeout: Any) -> None:
    assert Ws1().socket().error("cancelAllOrdersAfter", timeout=timeout) == "EGeneral:Invalid arguments:timeout"


def test_orders_stay_when_the_connection_is_gone() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    socket.add()
    socket.connection.closed()
    ws1.host.run_until(START + 60 * SECOND)
    assert len(open_orders(ws1)) == 1


# ----------------------------------------------------------------------------------------------------------------- who


@pytest.mark.parametrize("token", ["", "old", None, 5, ["x"]])
def test_a_request_without_a_good_token_is_refused(token: Any) -> None:
    (frame,) = Ws1().socket().send("addOrder", **GOOD, token=token)
    assert (frame["event"], frame["errorMessage"]) == ("addOrderStatus", "ESession:Invalid session")


def test_a_token_is_taken_for_fifteen_minutes_and_for_good_once_it_was_used() -> None:
    ws1 = Ws1()
    used, unused = ws1.token(), ws1.token()
    socket = ws1.socket()
    socket.send("cancelAll", token=used)
    ws1.host.run_until(START + 901 * SECOND)
    socket.taken()
    assert socket.send("cancelAll", token=used)[0]["status"] == "ok"
    assert socket.send("cancelAll", token=unused)[0]["errorMessage"] == "ESession:Invalid session"


@pytest.mark.parametrize(
    ("missing", "refused", "allowed"),
    [
        (("modify-trades",), ["addOrder", "editOrder"], ["amendOrder", "cancelOrder", "cancelAll"]),
        (("close-trades",), ["editOrder"], ["addOrder", "amendOrder", "cancelOrder", "cancelAll"]),
        (
            ("modify-trades", "close-trades"),
            ["addOrder", "editOrder", "amendOrder", "cancelOrder", "cancelAll", "cancelAllOrdersAfter"],
            [],
        ),
    ],
)
def test_a_key_may_do_what_it_is_allowed(missing: tuple[str, ...], refused: list[str], allowed: list[str]) -> None:
    ws1 = Ws1(permissions=tuple(each for each in PERMISSIONS if each not in missing))
    socket = ws1.socket()
    for event in refused:
        assert socket.error(event, **GOOD) == "EGeneral:Permission denied"
    for event in allowed:
        (answer,) = socket.answers(event, **GOOD)
        assert answer.get("errorMessage") != "EGeneral:Permission denied"


def test_an_engine_that_only_cancels_says_so() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    order_id = socket.add()
    ws1.host.set_mode(VenueMode.CANCEL_ONLY, None)
    socket.taken()
    assert socket.error("addOrder", **GOOD) == "EService:Market in cancel_only mode"
    assert socket.answers("cancelOrder", txid=[order_id])[0]["status"] == "ok"


def test_many_requests_use_up_the_trading_counter() -> None:
    socket = Ws1(tier="starter").socket()
    answers: list[dict[str, Any]] = []
    for number in range(70):
        (order,) = socket.answers("addOrder", **{**GOOD, "volume": "0.001"}, cl_ord_id=f"n{number}")
        (gone,) = socket.answers("cancelOrder", cl_ord_id=[f"n{number}"])
        answers += [order, gone]
    assert "EOrder:Rate limit exceeded" in [answer.get("errorMessage") for answer in answers]


# ------------------------------------------------------------------------------------------------------------- arrival

HALF = RoadSpec(
    command=compile_latency(LatencySpec(kind="constant", median_us=300_000.0)),
    response=compile_latency(LatencySpec(kind="constant", median_us=200_000.0)),
)


def test_answers_take_the_latency_of_the_protocol() -> None:
    ws1 = Ws1(roads={"ws1": HALF})
    socket = ws1.socket()
    assert socket.send("addOrder", **GOOD, token=ws1.token()) == []
    assert socket.send("addOrder", **{**GOOD, "type": "hold"}, token=ws1.token()) == []
    ws1.host.run_until(START + SECOND // 2 - 1)
    assert (socket.taken(), len(open_orders(ws1))) == ([], 1)
    ws1.host.run_until(START + SECOND // 2)
    assert [frame["status"] for frame in events(socket.taken(), "addOrderStatus")] == ["ok", "error"]


def test_what_a_change_or_a_cancel_is_about_is_looked_for_when_it_arrives() -> None:
    ws1 = Ws1(roads={"ws1": HALF})
    socket, token = ws1.socket(), ws1.token()
    socket.send("addOrder", **GOOD, userref="9", token=token)
    socket.send("cancelOrder", txid=["9"], token=token)
    socket.send("addOrder", **GOOD, cl_ord_id="mine", token=token)
    socket.send("amendOrder", cl_ord_id="mine", volume="0.5", token=token)
    ws1.host.run_until(START + SECOND)
    statuses = [(frame["event"], frame["status"]) for frame in socket.taken()]
    assert statuses == [
        ("addOrderStatus", "ok"), ("cancelOrderStatus", "ok"), ("addOrderStatus", "ok"), ("amendOrderStatus", "ok"),
    ]  # fmt: skip
    assert [order.qty_lots for order in open_orders(ws1)] == [5_000]


def test_a_deadline_is_counted_from_the_sending_and_judged_at_the_engine() -> None:
    ws1 = Ws1(roads={"ws1": HALF})
    socket, token = ws1.socket(), ws1.token()
    socket.send("addOrder", **GOOD, deadline="2027-01-15T08:00:00.6Z", token=token)
    ws1.host.run_until(START + SECOND)
    assert socket.taken()[0]["status"] == "ok"
    slow = RoadSpec(command=compile_latency(LatencySpec(kind="constant", median_us=5_100_000.0)))
    ws1 = Ws1(roads={"ws1": slow})
    socket, token = ws1.socket(), ws1.token()
    socket.send("addOrder", **GOOD, deadline="2027-01-15T08:00:04Z", token=token)
    socket.send("addOrder", **GOOD, token=token)
    ws1.host.run_until(START + 6 * SECOND)
    assert [frame["errorMessage"] for frame in events(socket.taken(), "addOrderStatus")] == [
        "EService:Deadline elapsed", "EService:Deadline elapsed",
    ]  # fmt: skip


def test_what_a_client_sent_before_it_left_is_carried_out() -> None:
    ws1 = Ws1(roads={"ws1": HALF})
    socket = ws1.socket()
    socket.send("addOrder", **GOOD, token=ws1.token())
    socket.connection.closed()
    ws1.host.run_until(START + SECOND)
    assert (len(open_orders(ws1)), socket.taken()) == (1, [])
