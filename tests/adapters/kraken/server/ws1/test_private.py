"""Private channels of WebSocket v1 (websocket-v1: owntrades, openorders)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kraken.server.keys import PERMISSIONS
from framework.data.columns import ADD
from framework.protocol import BUY, SELL, LatencySpec
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec
from tests.adapters.kraken.server.ws1.rig import Socket, Ws1, private_rows
from tests.framework.venue.served.served_rig import SECOND, START, TRADING

NOW = f"{START // SECOND}.000000"


def heard(socket: Socket, channel: str = "openOrders") -> list[Any]:
    """The rows of a channel that have come, taken."""
    return [row for _, row in private_rows(socket.taken(), channel)]


# ----------------------------------------------------------------------------------------------------------- both


@pytest.mark.parametrize(
    ("name", "shown"),
    [("ownTrades", {"name": "ownTrades"}), ("openOrders", {"maxratecount": 180, "name": "openOrders"})],
)
def test_a_subscription_is_acknowledged_and_begins_with_its_first_frame(name: str, shown: dict[str, Any]) -> None:
    answer, snapshot = Ws1().socket().subscribe_private(name)
    assert answer == {
        "channelName": name, "event": "subscriptionStatus", "reqid": 7, "status": "subscribed", "subscription": shown,
    }  # fmt: skip
    assert snapshot == [[], name, {"sequence": 1}]


def test_each_channel_counts_its_own_frames() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    frames = socket.subscribe_private("ownTrades") + socket.subscribe_private("openOrders")
    socket.add(price=None, volume="0.001")
    socket.add(price=None, volume="0.001")
    frames += socket.taken()
    for name in ("ownTrades", "openOrders"):
        numbers = [frame[2]["sequence"] for frame in frames if isinstance(frame, list) and frame[1] == name]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > 2


def test_a_subscription_is_there_once_and_ends_with_unsubscribe() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    socket.subscribe_private("openOrders")
    assert socket.subscribe_private("openOrders")[0]["errorMessage"] == "Already subscribed"
    request = {"subscription": {"name": "openOrders", "token": ws1.token()}}
    assert socket.send("unsubscribe", **request) == [
        {"channelName": "openOrders", "event": "subscriptionStatus", "reqid": 7, "status": "unsubscribed",
         "subscription": {"name": "openOrders"}},
    ]  # fmt: skip
    assert socket.send("unsubscribe", **request)[0]["errorMessage"] == "Subscription Not Found"
    socket.add()
    assert heard(socket) == []
    assert socket.subscribe_private("openOrders")[1][2] == {"sequence": 1}


def test_a_channel_needs_its_permission() -> None:
    for name, needed in (("openOrders", "query-open-trades"), ("ownTrades", "query-closed-trades")):
        socket = Ws1(permissions=tuple(each for each in PERMISSIONS if each != needed)).socket()
        (answer,) = socket.subscribe_private(name)
        assert (answer["status"], answer["errorMessage"]) == ("error", "EGeneral:Permission denied")


def test_orders_of_other_connections_and_protocols_are_told_and_those_of_other_accounts_are_not() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    socket.subscribe_private("openOrders")
    ws1.socket().add(cl_ord_id="beside")
    ws1.socket().add(account=1, cl_ord_id="other")
    assert {row.get("cl_ord_id") for row in heard(socket)} == {"beside"}


def test_one_connection_may_follow_two_accounts() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    socket.subscribe_private("openOrders")
    socket.subscribe_private("openOrders", 1)
    ws1.socket().add(account=1, cl_ord_id="other")
    assert {row.get("cl_ord_id") for row in heard(socket)} == {"other"}


# ------------------------------------------------------------------------------------------------------- openOrders


def test_an_order_is_told_in_full_as_it_is_entered() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    socket.subscribe_private("openOrders")
    order_id = socket.add(price="99", userref="5", oflags="post", expiretm="+60")
    (first, entered), (second, live) = private_rows(socket.taken(), "openOrders")
    assert first == second == order_id
    assert entered == {
        "avg_price": "0.00000", "cost": "0.00000", "expiretm": f"{START // SECOND + 60}.000000", "fee": "0.00000",
        "descr": {
            "close": None, "leverage": None, "order": "buy 1.00000000 XBT/USD @ limit 99.00000", "ordertype": "limit",
            "pair": "XBT/USD", "price": "99.00000", "price2": "0.00000", "type": "buy",
        },
        "limitprice": "0.00000", "margin": False, "misc": "", "oflags": "post", "opentm": NOW, "refid": None,
        "starttm": None, "status": "pending", "stopprice": "0.00000", "timeinforce": "GTD", "userref": 5,
        "vol": "1.00000000", "vol_exec": "0.00000000",
    }  # fmt: skip
    assert live == {"status": "open", "userref": 5}


def test_the_snapshot_has_the_open_orders_as_they_are() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    ids = [socket.add(price="100.1", volume="1"), socket.add(price="98", cl_ord_id="mine")]
    socket.add("sell", "100.1", "0.4", account=1)
    rows = private_rows(socket.subscribe_private("openOrders"), "openOrders")
    assert [order_id for order_id, _ in rows] == ids
    first, second = (row for _, row in rows)
    assert (first["status"], first["vol_exec"], first["cost"], first["avg_price"]) == (
        "open", "0.40000000", "40.04000", "100.10000",
    )  # fmt: skip
    assert (second["cl_ord_id"], second["vol_exec"], second["descr"]["price"]) == ("mine", "0.00000000", "98.00000")


def test_fills_are_told_as_what_they_changed_and_the_last_one_as_the_end_too() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    socket.add(price="100.1", cl_ord_id="mine")
    socket.taken()
    socket.subscribe_private("openOrders")
    socket.add("sell", "100.1", "0.4", account=1)
    socket.add("sell", "100.1", "0.6", account=1)
    fee = [Decimal(text) for text in ("0.10010", "0.25025")]
    part = {"cl_ord_id": "mine", "userref": 0, "vol_exec": "0.40000000", "cost": "40.04000", "avg_price": "100.10000"}
    whole = {**part, "vol_exec": "1.00000000", "cost": "100.10000"}
    rows = heard(socket)
    assert [Decimal(row.pop("fee")) for row in rows] == [fee[0], fee[1], fee[1]]
    assert rows == [part, whole, {**whole, "status": "closed", "lastupdated": NOW}]


def test_a_cancel_tells_its_reason_and_an_expiry_has_none() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    first = socket.add()
    socket.add(expiretm="+10")
    socket.subscribe_private("openOrders")
    socket.answers("cancelOrder", txid=[first])
    (canceled,) = heard(socket)
    assert (canceled["status"], canceled["cancel_reason"], canceled["vol_exec"]) == (
        "canceled", "User requested", "0.00000000",
    )  # fmt: skip
    ws1.host.run_until(START + 10 * SECOND)
    (expired,) = heard(socket)
    assert (expired["status"], "cancel_reason" in expired) == ("expired", False)
    assert expired["lastupdated"] == f"{START // SECOND + 10}.000000"


def test_an_amend_is_told_with_the_new_terms() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    order_id = socket.add(price="99")
    socket.subscribe_private("openOrders")
    socket.answer("amendOrder", txid=order_id, limit_price="98.5", volume="0.5")
    (row,) = heard(socket)
    assert (row["amended"], row["amend_reason"], row["vol"]) == (True, "User requested", "0.50000000")
    assert (row["descr"]["price"], row["descr"]["order"]) == ("98.50000", "buy 0.50000000 XBT/USD @ limit 98.50000")
    assert "status" not in row


def test_an_edit_is_the_end_of_one_order_and_the_beginning_of_another() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    old = socket.add(price="99")
    socket.subscribe_private("openOrders")
    new = socket.answer("editOrder", orderid=old, pair="XBT/USD", price="98")["txid"]
    told = [(order_id, row.get("status")) for order_id, row in private_rows(socket.taken(), "openOrders")]
    assert told == [(old, "canceled"), (new, "pending"), (new, "open")]


def test_a_stop_tells_its_trigger_and_that_it_fired() -> None:
    ws1 = Ws1(TRADING)
    socket = ws1.socket()
    socket.subscribe_private("openOrders")
    socket.add("sell", "99.9", ordertype="stop-loss-limit", price2="99.5", volume="0.5")
    entered, _ = heard(socket)
    assert (entered["stopprice"], entered["limitprice"], entered["descr"]["price2"]) == (
        "99.90000", "0.00000", "99.50000",
    )  # fmt: skip
    ws1.host.run_until(START + 3 * SECOND)
    fired = heard(socket)[0]
    assert (fired["misc"], fired["stopprice"], fired["limitprice"]) == ("stopped", "99.90000", "99.50000")


def test_the_rate_counter_is_told_where_it_was_asked_for() -> None:
    ws1 = Ws1()
    with_counter, without = ws1.socket(), ws1.socket()
    with_counter.subscribe_private("openOrders", ratecounter="true")
    without.subscribe_private("openOrders")
    ws1.socket().add()
    assert [row["ratecount"] for row in heard(with_counter)] == ["1.00", "1.00"]
    assert all("ratecount" not in row for row in heard(without))


# ---------------------------------------------------------------------------------------------------------- ownTrades

# Two asks that one order takes at once, at prices of their own.
TWO_ASKS: list[tuple[float, int, int, int, int, int]] = [
    (0.5, ADD, SELL, 1003, 100, 3),
    (3600, ADD, BUY, 900, 1, 4),
]


def test_what_is_taken_at_once_is_told_as_one_trade() -> None:
    ws1 = Ws1(TWO_ASKS)
    ws1.host.run_until(START + SECOND)
    socket = ws1.socket()
    socket.subscribe_private("ownTrades")
    order_id = socket.add(price="100.3", volume="0.015", userref="7")
    ((trade_id, row),) = private_rows(socket.taken(), "ownTrades")
    assert trade_id.startswith("T")
    assert row == {
        "cost": "1.50350", "fee": "0.00601", "margin": "0.00000", "margin_borrow": False, "ordertxid": order_id,
        "ordertype": "limit", "pair": "XBT/USD", "postxid": "TKH2SE-M7IF5-CFI7LT", "price": "100.23333",
        "time": f"{START // SECOND + 1}.000000", "type": "buy", "userref": 7, "vol": "0.01500000",
    }  # fmt: skip


def test_each_fill_is_told_where_that_is_asked_for() -> None:
    ws1 = Ws1(TWO_ASKS)
    ws1.host.run_until(START + SECOND)
    socket = ws1.socket()
    socket.subscribe_private("ownTrades", consolidate_taker=False)
    socket.add(price="100.3", volume="0.015", cl_ord_id="mine")
    rows = heard(socket, "ownTrades")
    assert [(row["price"], row["vol"], row["cl_ord_id"]) for row in rows] == [
        ("100.20000", "0.01000000", "mine"), ("100.30000", "0.00500000", "mine"),
    ]  # fmt: skip


def test_two_takings_of_one_order_at_one_instant_are_both_told() -> None:
    ws1 = Ws1(TWO_ASKS)
    ws1.host.run_until(START + SECOND)
    socket = ws1.socket()
    socket.subscribe_private("ownTrades")
    order_id = socket.add(price="100.2", volume="0.015")
    socket.answer("amendOrder", txid=order_id, limit_price="100.3")
    rows = heard(socket, "ownTrades")
    assert [(row["price"], row["vol"]) for row in rows] == [("100.20000", "0.01000000"), ("100.30000", "0.00500000")]


def test_the_snapshot_has_the_last_fifty_trades_and_no_references() -> None:
    ws1 = Ws1()
    socket = ws1.socket()
    for number in range(60):
        socket.add(price="100.1", volume="0.1", userref=str(number))
        socket.add("sell", "100.1", "0.1", account=1)
    rows = private_rows(socket.subscribe_private("ownTrades"), "ownTrades")
    ids = [trade.trade_id for trade in ws1.host.records.trades("a0")]
    assert [trade_id for trade_id, _ in rows] == ids[-50:]
    assert all("userref" not in row for _, row in rows)
    assert socket.subscribe_private("ownTrades", 1, snapshot=False)[1:] == []


@pytest.mark.parametrize("is_consolidated", [True, False])
def test_trades_are_told_where_the_venue_remembers_few_of_them(is_consolidated: bool) -> None:
    ws1 = Ws1(history_max=4)
    socket = ws1.socket()
    socket.subscribe_private("ownTrades", consolidate_taker=is_consolidated)
    socket.subscribe_private("openOrders")
    socket.add(price="100.1", volume="3")
    for _ in range(30):
        ws1.host.run_until(ws1.host.now_ns + SECOND)
        socket.add("sell", "100.1", "0.1", account=1)
    frames = socket.taken()
    assert [row["vol"] for _, row in private_rows(frames, "ownTrades")] == ["0.10000000"] * 30
    assert private_rows(frames, "openOrders")[-1][1]["status"] == "closed"


@pytest.mark.parametrize(("is_consolidated", "count"), [(True, 1), (False, 2)])
def test_the_snapshot_tells_trades_as_the_updates_do(is_consolidated: bool, count: int) -> None:
    ws1 = Ws1(TWO_ASKS)
    ws1.host.run_until(START + SECOND)
    socket = ws1.socket()
    socket.add(price="100.3", volume="0.015")
    frames = socket.subscribe_private("ownTrades", consolidate_taker=is_consolidated)
    assert len(private_rows(frames, "ownTrades")) == count


# ---------------------------------------------------------------------------------------- nothing missed, nothing twice


class Follower:
    """Keeps orders and trades from the channels alone."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.trades: dict[str, Decimal] = {}
        self.sequences: dict[str, int] = {}

    def apply(self, frame: Any) -> None:
        rows, channel, detail = frame
        assert detail["sequence"] == self.sequences.get(channel, 0) + 1
        self.sequences[channel] = detail["sequence"]
        for order_id, row in (item for each in rows for item in each.items()):
            if channel == "ownTrades":
                assert order_id not in self.trades
                self.trades[order_id] = Decimal(row["vol"])
                continue
            known = self.orders.setdefault(order_id, {})
            assert known or "descr" in row, "an order is told in full first"
            assert Decimal(row.get("vol_exec", "1000")) >= Decimal(known.get("vol_exec", "0"))
            known.update(row)
            volume, cost, average = (Decimal(known[name]) for name in ("vol_exec", "cost", "avg_price"))
            assert abs(volume * average - cost) <= (volume + 1) * Decimal("0.00001"), "all is told as of one time"
            if known["status"] in ("closed", "canceled", "expired"):
                del self.orders[order_id]


STEPS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(-6, 6), st.integers(1, 40), st.integers(0, 60)),
    min_size=1,
    max_size=25,
)


@given(STEPS, st.integers(0, 24), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_who_follows_the_channels_knows_orders_and_trades_whenever_he_begins(
    steps: list[tuple[int, int, int, int, int]], begin: int, is_consolidated: bool, is_reordered: bool
) -> None:
    spread = compile_latency(LatencySpec(kind="lognormal", median_us=20_000.0, sigma=0.7))
    road = RoadSpec(command=spread, response=spread, feed=spread, is_reordered=is_reordered)
    ws1 = Ws1(TRADING, roads={"ws1": road})
    reader, trader = ws1.socket(), ws1.socket()
    reader.subscribe_private("ownTrades")  # news are on their way on this line before the others begin
    reader.send("unsubscribe", subscription={"name": "ownTrades", "token": ws1.token()})
    tokens = [ws1.token(0), ws1.token(1)]
    for number, (account, action, away, lots, wait_ms) in enumerate(steps):
        if number == min(begin, len(steps) - 1):
            reader.taken()
            reader.subscribe_private("openOrders")
            reader.subscribe_private("ownTrades", consolidate_taker=is_consolidated)
        order = {"pair": "XBT/USD", "ordertype": "limit", "price": f"{100 + away / 10:.1f}", "volume": f"{lots / 1000}"}
        if action == 2:
            trader.send("cancelAll", token=tokens[account])
        else:
            trader.send("addOrder", **order, type=["buy", "sell"][action], token=tokens[account])
        ws1.host.run_until(ws1.host.now_ns + wait_ms * SECOND // 1000)
    ws1.host.run_until(ws1.host.now_ns + SECOND)
    follower = Follower()
    for frame in reader.taken():
        if isinstance(frame, list):
            follower.apply(frame)
    truth = {order.order_id: order for order in ws1.host.records.orders_open("a0")}
    assert follower.orders.keys() == truth.keys()
    for order_id, row in follower.orders.items():
        assert row["status"] == "open"
        assert Decimal(row["vol_exec"]) == truth[order_id].cum_lots * Decimal("0.0001")
    traded = sum(trade.qty_lots for trade in ws1.host.records.trades("a0")) * Decimal("0.0001")
    assert sum(follower.trades.values(), Decimal(0)) == traded
