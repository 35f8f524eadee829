"""Orders and private channels of WebSocket v2 (websocket-v2: add_order and its neighbours, executions, balances)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapters.kraken.server.keys import PERMISSIONS
from framework.protocol import LatencySpec
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec
from tests.adapters.kraken.server.ws2_rig import Ws2
from tests.framework.venue.served.served_rig import SECOND, START, TRADING


def rows(frames: list[Any], channel: str = "executions") -> list[Any]:
    return [row for frame in frames if frame.get("channel") == channel for row in frame["data"]]


def test_an_order_is_answered_with_its_id_and_what_it_was_called() -> None:
    socket = Ws2().socket()
    result = socket.result(
        "add_order", symbol="BTC/USD", side="buy", order_type="limit", order_qty=1, limit_price=100, cl_ord_id="mine"
    )
    assert (result["cl_ord_id"], result["order_id"][:1]) == ("mine", "O")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"symbol": "XBT/USD"}, "Currency pair not supported XBT/USD"),
        ({"order_qty": "1"}, "Order_qty field must be a number_float"),
        ({"limit_price": Decimal("100.15")}, "EOrder:Tick size check failed"),
        ({"order_qty": 100_000}, "EOrder:Insufficient funds"),
        ({"side": "hold"}, "EGeneral:Invalid arguments:type"),
        ({"leverage": 5}, "Unsupported field: 'leverage' for the given msg type: add order"),
        ({"deadline": "2027-01-15T08:05:00Z"}, "EGeneral:Invalid arguments:deadline"),
        ({"deadline": "2027-01-15T07:59:00Z"}, "EService:Deadline elapsed"),
        ({"post_only": 1}, "EGeneral:Invalid arguments:post_only"),
    ],
)
def test_an_order_that_makes_no_sense_gets_its_error(change: dict[str, Any], error: str) -> None:
    good = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 1, "limit_price": 100}
    assert Ws2().socket().error("add_order", **{**good, **change}) == error


def test_an_order_without_a_price_and_one_without_a_symbol_say_what_is_missing() -> None:
    socket = Ws2().socket()
    assert socket.error("add_order", symbol="BTC/USD", side="buy", order_type="limit", order_qty=1) == (
        "Limit_price(s) not found"
    )
    assert socket.error("add_order", side="buy", order_type="market", order_qty=1) == "Symbol(s) not found"


def test_validate_gives_an_empty_id_and_leaves_nothing() -> None:
    ws2 = Ws2()
    assert ws2.socket().add(validate=True) == ""
    assert ws2.host.records.orders_open("a0") == []


def test_a_trailing_stop_takes_its_distance_as_a_share() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.add(price=None, qty="0.001")
    order_id = socket.result(
        "add_order", symbol="BTC/USD", side="sell", order_type="trailing-stop", order_qty=1,
        triggers={"reference": "last", "price": 2, "price_type": "pct"},
    )["order_id"]  # fmt: skip
    order = ws2.host.records.order("a0", order_id)
    assert order is not None
    assert (order.trail_offset_ppm, order.is_triggered) == (20_000, False)


def test_the_fields_that_triggers_has_replaced_mean_the_same_and_are_warned_of() -> None:
    """websocket-v2/add_order: stop_price, trigger, no_mpp, warnings; the words of those are an assumption."""
    ws2 = Ws2()
    old: dict[str, Any] = {"symbol": "BTC/USD", "side": "sell", "order_type": "stop-loss", "order_qty": 1}
    result = ws2.socket().result("add_order", **old, stop_price=95, trigger="last", no_mpp=True)
    (order,) = ws2.host.records.orders_open("a0")
    assert order.trigger_ticks == 950
    assert result["warnings"] == [
        "stop_price is deprecated, use triggers", "trigger is deprecated, use triggers", "no_mpp is deprecated",
    ]  # fmt: skip


@pytest.mark.parametrize("triggers", ["last", {"price": 95}])
def test_triggers_are_an_object_and_for_orders_that_wait_for_one(triggers: Any) -> None:
    limit: dict[str, Any] = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_qty": 1}
    error = Ws2().socket().error("add_order", **limit, limit_price=99, triggers=triggers)
    assert error == "EGeneral:Invalid arguments:triggers"


def test_an_edit_that_may_only_reduce_a_position_finds_none() -> None:
    """websocket-v2/edit_order, reduce_only: there are no positions without margin."""
    socket = Ws2().socket()
    order_id = socket.add()
    error = socket.error("edit_order", order_id=order_id, symbol="BTC/USD", limit_price=99, reduce_only=True)
    assert error == "EOrder:Reduce only:No position exists"


def test_executions_tell_when_a_trigger_has_fired() -> None:
    """websocket-v2/executions, triggers: status and timestamp."""
    ws2 = Ws2(TRADING)
    socket = ws2.socket()
    socket.send("subscribe", channel="executions", token=ws2.token())
    socket.add(price=None, qty="0.001")
    stop: dict[str, Any] = {"symbol": "BTC/USD", "side": "sell", "order_type": "stop-loss-limit", "order_qty": 1}
    socket.result("add_order", **stop, triggers={"price": 100}, limit_price=150)
    socket.taken()
    ws2.host.run_until(START + SECOND)
    (row,) = [row for row in rows(socket.taken()) if row["exec_type"] == "status"]
    assert row["triggers"] == {
        "reference": "last",
        "price": Decimal("100.0"),
        "price_type": "static",
        "actual_price": Decimal("100.0"),
        "status": "triggered",
        "timestamp": "2027-01-15T08:00:01.000000Z",
    }


def test_amend_edit_and_cancel_name_the_order() -> None:
    socket = Ws2().socket()
    order_id = socket.add(qty="0.5")
    amended = socket.result("amend_order", order_id=order_id, order_qty=Decimal("0.4"))
    assert (amended["order_id"], amended["amend_id"][:2]) == (order_id, "TA")
    edited = socket.result("edit_order", order_id=order_id, symbol="BTC/USD", limit_price=99)
    assert edited["original_order_id"] == order_id
    assert socket.result("cancel_order", order_id=[edited["order_id"]]) == {"order_id": edited["order_id"]}


def test_each_cancel_of_a_list_is_answered_by_itself() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    order_id = socket.add()
    socket.taken()
    frames = socket.send("cancel_order", token=ws2.token(), order_id=[order_id, "O00000-00000-999999"])
    assert [(frame["success"], frame.get("order_id") or frame["result"]["order_id"]) for frame in frames] == [
        (True, order_id),
        (False, "O00000-00000-999999"),
    ]
    assert frames[1]["error"] == "EOrder:Unknown order"


def test_a_batch_tells_each_orders_fate() -> None:
    item = {"order_type": "limit", "side": "buy", "limit_price": 100, "order_qty": 1}
    result = Ws2().socket().result("batch_add", symbol="BTC/USD", orders=[item, {**item, "order_qty": 100_000}])
    assert [sorted(row) for row in result] == [["order_id"], ["error"]]


def test_all_orders_of_the_account_are_canceled_whatever_they_came_by() -> None:
    ws2 = Ws2()
    for _ in range(3):
        ws2.socket().add(qty="0.01")
    assert ws2.socket().result("cancel_all") == {"count": 3}


def test_the_dead_mans_switch_outlives_the_connection() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.add()
    assert socket.result("cancel_all_orders_after", timeout=10)["triggerTime"] == "2027-01-15T08:00:10Z"
    socket.connection.closed()
    ws2.host.run_until(START + 11 * SECOND)
    assert ws2.host.records.orders_open("a0") == []


def test_orders_stay_when_the_connection_is_gone() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.add()
    socket.connection.closed()
    ws2.host.run_until(START + 60 * SECOND)
    assert len(ws2.host.records.orders_open("a0")) == 1


def test_a_key_without_the_permission_is_refused() -> None:
    ws2 = Ws2(permissions=tuple(each for each in PERMISSIONS if each not in ("modify-trades", "query-funds")))
    socket = ws2.socket()
    assert socket.error("add_order", symbol="BTC/USD", side="buy", order_type="market", order_qty=1) == (
        "EGeneral:Permission denied"
    )
    assert socket.error("subscribe", channel="balances") == "EGeneral:Permission denied"


def test_a_token_is_taken_for_fifteen_minutes_and_for_good_once_it_was_used() -> None:
    ws2 = Ws2()
    used, unused = ws2.token(), ws2.token()
    socket = ws2.socket()
    socket.send("cancel_all", token=used)
    ws2.host.run_until(START + 901 * SECOND)
    socket.taken()
    assert socket.send("cancel_all", token=used)[0]["success"]
    assert socket.send("cancel_all", token=unused)[0]["error"] == "ESession:Invalid session"


# ---------------------------------------------------------------------------------------------------------- executions


def test_executions_begin_with_open_orders_and_go_on_in_sequence() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    resting = socket.add(cl_ord_id="old")
    socket.taken()
    answer, snapshot = socket.send("subscribe", channel="executions", token=ws2.token())
    assert answer["result"]["maxratecount"] == 180
    assert [(row["order_id"], row["order_status"]) for row in snapshot["data"]] == [(resting, "new")]
    socket.add(cl_ord_id="new")
    frames = [frame for frame in socket.taken() if frame.get("channel") == "executions"]
    assert [frame["sequence"] for frame in [snapshot, *frames]] == [1, 2, 3]
    assert [frame["data"][0]["exec_type"] for frame in frames] == ["pending_new", "new"]


def test_a_fill_is_a_trade_row_and_the_last_one_a_filled_row_too() -> None:
    ws2 = Ws2()
    socket, other = ws2.socket(), ws2.socket()
    socket.send("subscribe", channel="executions", token=ws2.token())
    socket.add(price="100.1", qty="0.5", cl_ord_id="mine")
    socket.taken()
    other.result(
        "add_order", 1, symbol="BTC/USD", side="sell", order_type="limit", order_qty=Decimal("0.2"), limit_price=100
    )
    (trade,) = rows(socket.taken())
    assert (trade["exec_type"], trade["order_status"], trade["liquidity_ind"]) == ("trade", "partially_filled", "m")
    assert (trade["last_qty"], trade["last_price"], trade["cum_qty"]) == (
        Decimal("0.20000000"), Decimal("100.1"), Decimal("0.20000000"),
    )  # fmt: skip
    assert trade["fees"] == [{"asset": "USD", "qty": Decimal("0.05005")}]
    other.result(
        "add_order", 1, symbol="BTC/USD", side="sell", order_type="limit", order_qty=Decimal("0.3"), limit_price=100
    )
    last, filled = rows(socket.taken())
    assert (last["order_status"], filled["exec_type"], filled["order_status"]) == (
        "partially_filled",
        "filled",
        "filled",
    )
    assert (filled["avg_price"], filled["cum_cost"], filled["cl_ord_id"]) == (
        Decimal("100.1"),
        Decimal("50.05000"),
        "mine",
    )


def test_each_row_of_an_order_that_is_filled_at_once_tells_how_much_was_filled_by_then() -> None:
    ws2 = Ws2()
    socket, other = ws2.socket(), ws2.socket()
    for price, qty in ((100, "0.2"), (101, "0.3")):
        other.result(
            "add_order", 1, symbol="BTC/USD", side="sell", order_type="limit", order_qty=Decimal(qty), limit_price=price
        )
    socket.send("subscribe", channel="executions", token=ws2.token())
    socket.add(price="101", qty="0.5")
    pending, new, *trades, filled = rows(socket.taken())
    assert len(trades) > 1
    assert (pending["cum_qty"], pending["cum_cost"], new["exec_type"]) == (0, 0, "new")
    qty = cost = Decimal(0)
    for trade in trades:
        qty, cost = qty + trade["last_qty"], cost + trade["cost"]
        assert (trade["cum_qty"], trade["cum_cost"]) == (qty, cost)
    assert (filled["cum_qty"], filled["cum_cost"]) == (qty, cost) == (Decimal("0.5"), cost)


def test_a_cancel_an_amend_and_an_expiry_are_told_with_their_reason() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.send("subscribe", channel="executions", token=ws2.token())
    first = socket.add(qty="0.5")
    socket.taken()
    socket.result("amend_order", order_id=first, order_qty=Decimal("0.4"))
    (amended,) = rows(socket.taken())
    assert (amended["exec_type"], amended["amended"], amended["order_qty"]) == ("amended", True, Decimal("0.40000000"))
    socket.result("cancel_order", order_id=[first])
    (canceled,) = rows(socket.taken())
    assert (canceled["exec_type"], canceled["reason"]) == ("canceled", "User requested")
    socket.add(time_in_force="gtd", expire_time="2027-01-15T08:00:10Z")
    socket.taken()
    ws2.host.run_until(START + 10 * SECOND)
    assert [row["exec_type"] for row in rows(socket.taken())] == ["expired"]


def test_only_the_main_transitions_are_told_where_that_is_asked_for_and_the_counter_where_that_is() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.send("subscribe", channel="executions", token=ws2.token(), order_status=False, ratecounter=True)
    socket.add()
    (row,) = rows(socket.taken())
    assert (row["exec_type"], row["ratecount"]) == ("new", Decimal("1.00"))


def test_the_last_trades_are_in_the_snapshot_where_asked_for() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.add(price=None, qty="0.005")
    socket.taken()
    _, snapshot = socket.send("subscribe", channel="executions", token=ws2.token(), snap_trades=True)
    assert [(row["exec_type"], row["order_status"]) for row in snapshot["data"]] == [("trade", "filled")]


def test_orders_of_other_protocols_and_of_other_connections_are_told_and_those_of_other_accounts_are_not() -> None:
    ws2 = Ws2()
    socket = ws2.socket()
    socket.send("subscribe", channel="executions", token=ws2.token())
    ws2.socket().add(cl_ord_id="beside")
    ws2.socket().result("add_order", 1, symbol="BTC/USD", side="buy", order_type="limit", order_qty=1, limit_price=99)
    assert {row.get("cl_ord_id") for row in rows(socket.taken())} == {"beside"}


def test_news_and_answers_take_the_latency_of_the_protocol() -> None:
    latency = compile_latency(LatencySpec(kind="constant", median_us=4_000.0))
    ws2 = Ws2(roads={"ws2": RoadSpec(command=latency, response=latency, feed=latency)})
    socket = ws2.socket()
    socket.send("subscribe", channel="book", symbol=["BTC/USD"], snapshot=False)
    token = ws2.token()
    socket.send(
        "add_order",
        token=token,
        symbol="BTC/USD",
        side="buy",
        order_type="limit",
        order_qty=1,
        limit_price=Decimal("100.1"),
    )
    ws2.host.run_until(START + 7_999_999)
    assert socket.taken() == []
    ws2.host.run_until(START + 8_000_000)
    frames = socket.taken()
    assert [frame.get("method") or frame["channel"] for frame in frames] == ["add_order", "book"]
    assert (frames[0]["time_in"], frames[0]["time_out"]) == (
        "2027-01-15T08:00:00.000000Z", "2027-01-15T08:00:00.008000Z",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ balances


def test_balances_begin_with_a_snapshot_and_tell_both_sides_of_a_fill() -> None:
    ws2 = Ws2(TRADING)
    socket = ws2.socket()
    _, snapshot = socket.send("subscribe", channel="balances", token=ws2.token())
    assert {row["asset"]: row["balance"] for row in snapshot["data"]} == {"USD": Decimal(100_000), "BTC": Decimal(100)}
    socket.add(price=None, qty="0.005")
    frames = [frame for frame in socket.taken() if frame.get("channel") == "balances"]
    assert [frame["sequence"] for frame in frames] == [2, 3]
    base, quote = rows(frames, "balances")
    assert (base["asset"], base["amount"], quote["asset"]) == ("BTC", Decimal("0.0050000000"), "USD")
    assert base["ref_id"] == quote["ref_id"]
    assert quote["fee"] > 0
    socket.send("unsubscribe", channel="balances", token=ws2.token())
    socket.add(price=None, qty="0.001")
    assert rows(socket.taken(), "balances") == []
