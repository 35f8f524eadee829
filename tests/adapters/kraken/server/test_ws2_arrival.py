"""Changes and cancels of WebSocket v2 are judged when they reach the engine, of the orders that are there then
(websocket-v2: amend_order, edit_order, cancel_order, batch_cancel; ``success`` says whether the engine processed it).
"""

from __future__ import annotations

from typing import Any

import pytest

from framework.messages import CancelOrder
from framework.protocol import SELL, LatencySpec
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec
from tests.adapters.kraken.server.ws2_rig import Socket, Ws2
from tests.framework.venue.served.served_rig import START, Client, order

WAY_NS = 4_000_000
LIMIT: dict[str, Any] = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 1, "limit_price": 100}


class Slow:
    """A connection with four milliseconds to the engine and four back."""

    def __init__(self) -> None:
        latency = compile_latency(LatencySpec(kind="constant", median_us=WAY_NS / 1_000))
        self.ws2 = Ws2(roads={"ws2": RoadSpec(command=latency, response=latency)})
        self.token = self.ws2.token()
        self.socket = self.ws2.socket()
        self.rest = Client(self.ws2.host, "rest")
        self.other = Client(self.ws2.host, "rest", "a1")

    def send(self, method: str, socket: Socket | None = None, **params: Any) -> None:
        """Send, and have no answer yet."""
        assert (socket or self.socket).send(method, token=self.token, **params) == []

    def wait(self, ways: int) -> list[Any]:
        """What has come after so many ways."""
        self.ws2.host.run_until(self.ws2.host.now_ns + ways * WAY_NS)
        return self.socket.taken()

    def added(self, **more: Any) -> str:
        """An order that is there, and its answer taken."""
        self.send("add_order", **{**LIMIT, **more})
        return str(self.wait(2)[0]["result"]["order_id"])

    def end(self, order_id: str) -> None:
        """The order is canceled by its owner, by a way that takes no time."""
        self.ws2.host.submit(self.rest.line_id, CancelOrder(request_id=900, order_id=order_id))

    def fill(self, qty_lots: int) -> None:
        """The other account sells so much at 100.0."""
        self.ws2.host.submit(self.other.line_id, order(self.ws2.host, SELL, 1000, qty_lots))


CHANGES = [
    ("amend_order", {"limit_price": 99}),
    ("edit_order", {"limit_price": 99, "symbol": "BTC/USD"}),
]


@pytest.mark.parametrize(("method", "change"), CHANGES)
def test_a_change_of_an_order_that_ends_on_the_way_gets_the_engines_answer(method: str, change: dict[str, Any]) -> None:
    slow = Slow()
    order_id = slow.added()
    slow.send(method, order_id=order_id, **change)
    slow.end(order_id)
    assert slow.wait(1) == []
    (answer,) = slow.wait(1)
    assert (answer["method"], answer["success"]) == (method, False)
    assert answer["error"] == "EOrder:Invalid order"


def test_a_cancel_of_an_order_that_ends_on_the_way_gets_the_engines_answer() -> None:
    slow = Slow()
    order_id = slow.added()
    slow.send("cancel_order", order_id=[order_id])
    slow.end(order_id)
    (answer,) = slow.wait(2)
    assert (answer["success"], answer["error"], answer["order_id"]) == (False, "EOrder:Invalid order", order_id)


def test_an_amend_of_an_order_that_is_filled_on_the_way_gets_the_engines_answer() -> None:
    slow = Slow()
    order_id = slow.added(limit_price=100.1)
    slow.send("amend_order", order_id=order_id, limit_price=99)
    slow.fill(10_000)
    (answer,) = slow.wait(2)
    assert (answer["success"], answer["error"]) == (False, "EOrder:Invalid order")


def test_an_amend_below_what_was_filled_on_the_way_cancels_the_rest() -> None:
    """guides/spot-amends: the quantity becomes what was filled, the remainder is canceled."""
    slow = Slow()
    order_id = slow.added(limit_price=100.1)
    slow.send("amend_order", order_id=order_id, order_qty=0.4)
    slow.fill(5_000)
    (answer,) = slow.wait(2)
    assert answer["success"]
    ended = slow.ws2.host.records.order("a0", order_id)
    assert ended is not None
    assert (ended.qty_lots, ended.cum_lots, ended.is_open) == (5_000, 5_000, False)


def test_an_amend_finds_an_order_that_was_on_its_way_when_it_was_sent() -> None:
    slow = Slow()
    slow.send("add_order", **LIMIT, cl_ord_id="mine")
    slow.send("amend_order", cl_ord_id="mine", limit_price=99)
    added, amended = slow.wait(2)
    assert (added["success"], amended["success"], amended["result"]["cl_ord_id"]) == (True, True, "mine")


def test_an_edit_finds_an_order_with_a_userref_that_was_on_its_way_when_it_was_sent() -> None:
    slow = Slow()
    slow.send("add_order", **LIMIT, order_userref=5)
    slow.send("edit_order", order_id="5", symbol="BTC/USD", limit_price=99, order_userref=6)
    assert [answer["success"] for answer in slow.wait(2)] == [True, True]
    (order,) = slow.ws2.host.records.orders_open("a0")
    assert order.limit_ticks == 990


def test_a_userref_means_the_orders_that_have_it_when_the_cancel_arrives() -> None:
    slow = Slow()
    for _ in range(2):
        slow.send("add_order", **LIMIT, order_userref=5)
    slow.send("cancel_order", order_userref=[5])
    answers = slow.wait(2)
    assert [(each["method"], each["success"]) for each in answers] == [("add_order", True)] * 2 + [
        ("cancel_order", True)
    ] * 2
    assert answers[2]["result"] == {"order_userref": 5}


def test_a_userref_that_no_order_has_spoils_no_other_cancel() -> None:
    slow = Slow()
    order_id = slow.added()
    slow.send("cancel_order", order_id=[order_id], order_userref=[8])
    found, missed = slow.wait(2)
    assert found["result"] == {"order_id": order_id}
    assert (missed["success"], missed["error"], missed["order_userref"]) == (False, "EOrder:Unknown order", 8)


def test_a_batch_cancel_means_the_orders_that_are_there_when_it_arrives() -> None:
    slow = Slow()
    for userref in (5, -7):
        slow.send("add_order", **LIMIT, order_userref=userref)
    slow.send("batch_cancel", orders=["5", "-7"])
    assert slow.wait(2)[-1]["result"] == {"count": 2}


def test_what_makes_no_sense_is_told_by_the_engine_too() -> None:
    slow = Slow()
    slow.send("add_order", **{**LIMIT, "side": "hold"})
    assert slow.wait(1) == []
    (answer,) = slow.wait(1)
    assert answer["error"] == "EGeneral:Invalid arguments:type"
    assert (answer["time_in"], answer["time_out"]) == ("2027-01-15T08:00:00.000000Z", "2027-01-15T08:00:00.008000Z")


def test_a_deadline_is_counted_from_when_the_request_was_sent() -> None:
    """websocket-v2/add_order, deadline: five seconds where none is given; the engine prevents what comes after it."""
    latency = compile_latency(LatencySpec(kind="constant", median_us=5_000_001.0))
    ws2 = Ws2(roads={"ws2": RoadSpec(command=latency)})
    token, socket = ws2.token(), ws2.socket()
    assert socket.send("add_order", token=token, **LIMIT) == []
    ws2.host.run_until(START + 5_000_001_000)
    (answer,) = socket.taken()
    assert answer["error"] == "EService:Deadline elapsed"


def test_an_edit_keeps_flags_and_gives_the_new_order_its_own_userref() -> None:
    """websocket-v2/edit_order: order_userref is placed on the new order."""
    ws2 = Ws2()
    socket = ws2.socket()
    order_id = socket.add(order_userref=3, fee_preference="quote")
    edited = socket.result("edit_order", order_id=order_id, symbol="BTC/USD", limit_price=99, order_userref=4)
    _, snapshot = socket.send("subscribe", channel="executions", token=ws2.token())[-2:]
    (row,) = snapshot["data"]
    assert (row["order_id"], row["order_userref"]) == (edited["order_id"], 4)
