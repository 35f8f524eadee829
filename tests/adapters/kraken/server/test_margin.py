"""Margin trading on the wire of each protocol, on a served venue in virtual time.

The book has 0.01 BTC at 100.0 and at 100.2; price and money as in ``served_rig``. Pages are named by each test.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from framework.data.columns import ADD, TRADE
from framework.protocol import BUY, SELL
from tests.adapters.kraken.server.fix_rig import Fix
from tests.adapters.kraken.server.on_the_wire import as_ws1, as_ws2
from tests.adapters.kraken.server.rest_rig import Rest
from tests.adapters.kraken.server.ws1.rig import Ws1, private_rows
from tests.adapters.kraken.server.ws2_rig import Ws2
from tests.framework.venue.served.served_rig import SECOND, START

FOUR_HOURS = 4 * 3600
FALL_S = 600
# A deep book, and a market that falls to 85.
ROWS = [
    (1, ADD, BUY, 999, 1_000_000, 3),
    (1, ADD, SELL, 1003, 1_000_000, 4),
    (FALL_S, TRADE, SELL, 850, 10, 0),
]


def rest() -> Rest:
    made = Rest(ROWS)
    made.host.run_until(START + 2 * SECOND)
    return made


def buy(client: Rest, volume: str = "1", **more: Any) -> str:
    return client.add("buy", None, volume, leverage="5", **more)


def sell(client: Rest, volume: str = "1", **more: Any) -> str:
    return client.add("sell", None, volume, leverage="5", **more)


# --------------------------------------------------------------------------------------------------------------- REST


def test_pairs_and_assets_say_what_margin_there_is() -> None:
    """rest-api/get-tradable-asset-pairs, get-asset-info."""
    client = rest()
    row = client.public("AssetPairs")["result"]["XXBTZUSD"]
    assert (row["leverage_buy"], row["leverage_sell"]) == ([2, 3, 4, 5], [2, 3, 4, 5])
    assert (row["long_position_limit"], row["short_position_limit"]) == (250, 200)
    assert (row["margin_call"], row["margin_stop"]) == (80, 40)
    assert client.public("AssetPairs", info="leverage")["result"]["XXBTZUSD"] == {
        "leverage_buy": [2, 3, 4, 5],
        "leverage_sell": [2, 3, 4, 5],
    }
    assert client.public("Assets")["result"]["ZUSD"]["collateral_value"] == 1.0


def test_an_order_on_margin_says_so() -> None:
    """rest-api/add-order, get-open-orders."""
    client = rest()
    params = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "99", "volume": "1", "leverage": "3"}
    answer = client.result("AddOrder", **params)
    line = "buy 1.00000000 XBTUSD @ limit 99.0 with 3:1 leverage"
    assert answer["descr"] == {"order": line}
    (order,) = client.result("OpenOrders")["open"].values()
    assert (order["descr"]["leverage"], order["descr"]["order"], order["margin"]) == ("3:1", line, True)
    assert client.result("BalanceEx")["ZUSD"]["hold_trade"] == "0.0000"  # rest-api/get-extended-balance


def test_an_open_position_is_told_by_the_id_of_its_trade() -> None:
    """rest-api/get-open-positions; terms and rollovertm as observed."""
    client = rest()
    order_id = buy(client, "0.01")
    (name,) = client.result("TradesHistory")["trades"]
    position = client.result("OpenPositions")[name]
    assert position == {
        "ordertxid": order_id,
        "posstatus": "open",
        "pair": "XXBTZUSD",
        "time": START / SECOND + 2,
        "type": "buy",
        "ordertype": "market",
        "cost": "1.00200",
        "fee": "0.00426",
        "vol": "0.01000000",
        "vol_closed": "0.00000000",
        "margin": "0.20040",
        "terms": "0.0250% per 4 hours",
        "rollovertm": str(START // SECOND + 2 + FOUR_HOURS),
        "misc": "",
        "oflags": "fciq",
    }


def test_value_and_profit_come_where_they_are_asked_for() -> None:
    """rest-api/get-open-positions, docalcs; 100.2 paid, 100.1 the middle of the book while nothing has traded."""
    client = rest()
    buy(client, "0.01")
    assert "net" not in next(iter(client.result("OpenPositions").values()))
    shown = next(iter(client.result("OpenPositions", docalcs="true").values()))
    assert set(shown) >= {"value", "net"}
    client.host.run_until(START + (FALL_S + 2) * SECOND)
    shown = next(iter(client.result("OpenPositions", docalcs="true").values()))
    assert (shown["value"], shown["net"]) == ("0.8", "-0.1520")


def test_positions_can_be_chosen_and_put_together_by_market() -> None:
    """rest-api/get-open-positions, txid and consolidation."""
    client = rest()
    buy(client, "0.005")
    buy(client, "0.02")
    names = list(client.result("OpenPositions"))
    assert list(client.result("OpenPositions", txid=names[1])) == [names[1]]
    (row,) = client.result("OpenPositions", consolidation="market", docalcs="true")
    assert (row["pair"], row["type"], row["positions"], row["vol"]) == (
        "XXBTZUSD",
        "buy",
        str(len(names)),
        "0.02500000",
    )
    assert client.error("OpenPositions", consolidation="day") == "EGeneral:Invalid arguments:consolidation"


def test_a_trade_that_opened_a_position_says_what_became_of_it() -> None:
    """rest-api/get-trade-history: posstatus, cprice, ccost, cfee, cvol, cmargin, net, trades; postxid, misc."""
    client = rest()
    buy(client, "0.01")
    sell(client, "0.01")
    trades = client.result("TradesHistory", trades="true")["trades"]
    (closing_id, closing), (name, opening) = trades.items()
    assert (closing["misc"], closing["postxid"], closing["leverage"]) == ("closing", name, "5")
    assert "posstatus" not in closing
    assert opening["posstatus"] == "closed"
    assert (opening["cprice"], opening["ccost"], opening["cvol"]) == (100.0, 1.0, 0.01)
    assert (opening["cfee"], opening["cmargin"], opening["net"]) == (0.004, 0.2004, -0.002)
    assert (opening["trades"], opening["margin"], opening["misc"]) == ([closing_id], "0.20040", "")
    assert client.result("QueryTrades", txid=name)[name]["posstatus"] == "closed"
    assert client.result("OpenPositions") == {}


@pytest.mark.parametrize(
    ("kind", "count"),
    [("all", 4), ("no position", 1), ("any position", 3), ("closing position", 1), ("closed position", 1)],
)
def test_trades_are_chosen_by_what_they_did_to_positions(kind: str, count: int) -> None:
    """rest-api/get-trade-history, type."""
    client = rest()
    buy(client, "0.01")
    sell(client, "0.01")
    buy(client, "0.02")
    client.add("buy", None, "0.01")
    assert client.result("TradesHistory", type=kind)["count"] == count


def test_the_trade_balance_is_that_of_the_account() -> None:
    """rest-api/get-trade-balance; 100,000 USD and 100 BTC at 100.2, where the tape began."""
    client = rest()
    idle = client.result("TradeBalance", asset="ZUSD")
    assert "ml" not in idle
    assert (idle["m"], idle["c"], idle["v"], idle["n"], idle["uv"]) == ("0.0000",) * 5
    buy(client, "0.01")
    client.host.run_until(START + (FALL_S + 2) * SECOND)
    shown = {name: Decimal(text) for name, text in client.result("TradeBalance").items()}
    assert shown["tb"] == shown["eb"]
    assert (shown["m"], shown["c"], shown["v"], shown["n"]) == tuple(
        map(Decimal, ("0.2004", "1.002", "0.85", "-0.152"))
    )
    assert shown["e"] == shown["tb"] + shown["n"]
    assert shown["mf"] == shown["e"] - shown["m"]
    assert abs(shown["ml"] - shown["e"] / shown["m"] * 100) < Decimal("0.1")


def test_what_open_orders_would_cost_is_unexecuted_and_not_free() -> None:
    """rest-api/get-trade-balance, uv; mfo as observed."""
    client = rest()
    client.add("buy", "90", "10")
    client.add("buy", "90", "10", leverage="5")
    shown = {name: Decimal(text) for name, text in client.result("TradeBalance").items()}
    assert shown["uv"] == 1800
    assert shown["mf"] - shown["mfo"] == Decimal("903.6") + 180


def test_fills_on_margin_have_an_entry_each_for_profit_and_fees_and_loans_one_of_their_own() -> None:
    """rest-api/get-ledgers, types margin, rollover, settled; support/115000302707: the refid is the position's."""
    client = rest()
    buy(client, "0.01")
    (name,) = client.result("OpenPositions")
    client.host.run_until(START + (FOUR_HOURS + 10) * SECOND)
    sell(client, "0.005")
    client.result("AddOrder", pair="XBTUSD", type="sell", ordertype="settle-position", volume="0")
    entries = list(reversed(client.result("Ledgers")["ledger"].values()))
    told = [(each["type"], each["asset"], each["amount"], each["fee"]) for each in entries]
    assert told == [
        ("margin", "ZUSD", "0.0000", "0.0042"),
        ("rollover", "ZUSD", "0.0000", "0.0002"),
        ("margin", "ZUSD", "-0.0010", "0.0020"),
        ("settled", "ZUSD", "-0.5010", "0.0000"),
        ("settled", "XXBT", "0.0050000000", "0.0000000000"),
    ]
    assert [each["refid"] == name for each in entries] == [True, True, False, True, True]
    assert entries[3]["balance"] == client.result("Balance")["ZUSD"]
    assert client.result("Ledgers", type="rollover")["count"] == 1


def test_a_trade_names_the_ledger_entries_that_it_made() -> None:
    client = rest()
    sell(client, "0.01")
    (trade,) = client.result("TradesHistory", ledgers="true")["trades"].values()
    entries = client.result("QueryLedgers", id=",".join(trade["ledgers"]))
    assert {entry["asset"] for entry in entries.values()} == {"XXBT", "ZUSD"}


def test_a_settlement_is_an_order_that_is_closed_without_a_trade() -> None:
    """rest-api/add-order, settle-position; support/218741078."""
    client = rest()
    buy(client, "0.01")
    result = client.result(
        "AddOrder", pair="XBTUSD", type="sell", ordertype="settle-position", volume="0.01", leverage="2"
    )
    assert result["descr"] == {"order": "sell 0.01000000 XBTUSD @ settle position with 2:1 leverage"}
    order = client.result("QueryOrders", txid=result["txid"][0], trades="true")[result["txid"][0]]
    assert (order["status"], order["vol_exec"], order["fee"], "trades" in order) == (
        "closed",
        "0.01000000",
        "0.00000",
        False,
    )


def test_money_that_positions_rest_on_cannot_be_withdrawn() -> None:
    """support/204585998."""
    client = rest()
    buy(client, "90")
    balance = Decimal(client.result("TradeBalance")["mfo"])
    error = client.error("Withdraw", asset="USD", key="simulated", amount=str(int(balance) + 1))
    assert error == "EFunding:Insufficient funds" or error.startswith("EFunding") or "funds" in error


def test_an_order_that_took_a_position_back_says_that_it_was_liquidated() -> None:
    """rest-api/get-closed-orders, misc."""
    client = rest()
    for asset, left in (("BTC", "0"), ("USD", "225")):
        total, _ = client.host.records.balances("a0")[asset]
        client.host.adjust_balance("a0", asset, Decimal(left) - total, "withdrawal", f"W{asset}")
    buy(client, "10")
    client.host.run_until(START + (FALL_S + 10) * SECOND)
    closed = client.result("ClosedOrders")["closed"]
    assert [order["misc"] for order in closed.values()].count("liquidated") == 2
    assert client.result("OpenPositions") == {}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"leverage": "6"}, "EGeneral:Invalid arguments:leverage"),
        ({"leverage": "two"}, "EGeneral:Invalid arguments:leverage"),
        ({"leverage": "-2"}, "EGeneral:Invalid arguments:leverage"),
        ({"leverage": "5", "volume": "10000"}, "EOrder:Margin position size exceeded"),
        ({"leverage": "5", "volume": "0"}, "EOrder:Unknown position"),
        ({"leverage": "5", "reduce_only": "true"}, "EOrder:Reduce only:No position exists"),
        ({"leverage": "5", "ordertype": "market", "price": "", "oflags": "viqc"}, "EGeneral:Invalid arguments"),
        ({"ordertype": "settle-position"}, "EOrder:Unknown position"),
    ],
)
def test_what_cannot_be_on_margin_is_refused_in_the_documented_words(change: dict[str, str], error: str) -> None:
    """guides/spot-errors; rest-api/add-order."""
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "99", "volume": "1", **change}
    assert rest().error("AddOrder", **order) == error


def test_an_order_on_margin_can_be_validated_and_come_in_a_batch() -> None:
    """rest-api/add-order, validate; rest-api/add-order-batch."""
    client = rest()
    order = {"ordertype": "limit", "type": "buy", "price": "99", "volume": "1", "leverage": "2"}
    assert "txid" not in client.result("AddOrder", pair="XBTUSD", validate="true", **order)
    too_much = {**order, "volume": "240", "leverage": "2", "price": "999"}
    result = client.result("AddOrderBatch", is_json=True, pair="XBTUSD", orders=[order, too_much])
    first, second = result["orders"]
    assert first["descr"]["order"].endswith("with 2:1 leverage")
    assert second == {"error": "EOrder:Insufficient initial margin"}


# -------------------------------------------------------------------------------------------------------- WebSocket v2


def test_websocket_v2_trades_with_the_highest_leverage_and_tells_of_positions() -> None:
    """websocket-v2/add_order, margin; websocket-v2/executions: margin, margin_borrow, position_status."""
    ws2 = Ws2(ROWS)
    ws2.host.run_until(START + 2 * SECOND)
    socket = ws2.socket()
    socket.send("subscribe", channel="executions", token=ws2.token())
    socket.send("subscribe", channel="balances", token=ws2.token())
    socket.taken()
    rows, kinds = [], []
    for side, qty in (("buy", "0.01"), ("sell", "0.004"), ("sell", "0.006")):
        socket.add(side, None, qty, margin=True)
        for frame in socket.taken():
            if frame.get("channel") == "executions":
                rows += frame["data"]
            elif frame.get("channel") == "balances":
                kinds += [(row["type"], row["category"]) for row in frame["data"]]
    assert all(row["margin"] for row in rows if row["exec_type"] == "pending_new")
    trades = [row for row in rows if row["exec_type"] == "trade"]
    assert [row["position_status"] for row in trades] == ["opened", "closing", "closed"]
    assert all(row["margin_borrow"] for row in trades)
    assert set(kinds) == {("margin", "margin-trade")}
    (order,) = [order for order in ws2.host.records.orders_ended("a0") if order.side == BUY]
    assert order.leverage == 5
    for frame in socket.raw:
        as_ws2(frame)


def test_websocket_v2_settles_and_reduces() -> None:
    """websocket-v2/add_order, settle-position and reduce_only."""
    ws2 = Ws2(ROWS)
    ws2.host.run_until(START + 2 * SECOND)
    socket = ws2.socket()
    socket.send("subscribe", channel="executions", token=ws2.token())
    wanted = {"symbol": "BTC/USD", "side": "sell", "order_qty": Decimal("0.01")}
    reduce = {**wanted, "order_type": "limit", "limit_price": 200, "margin": True, "reduce_only": True}
    assert socket.error("add_order", **reduce) == "EOrder:Reduce only:No position exists"
    socket.add("buy", None, "0.02", margin=True)
    socket.taken()
    resting = socket.result("add_order", **reduce)["order_id"]
    rows = [row for frame in socket.taken() if frame.get("channel") == "executions" for row in frame["data"]]
    assert rows[0]["reduce_only"] is True
    assert socket.result("edit_order", order_id=resting, symbol="BTC/USD", limit_price=201, reduce_only=True)
    socket.taken()
    socket.result("add_order", **{**wanted, "order_qty": 0, "order_type": "settle-position"})
    rows = [row for frame in socket.taken() if frame.get("channel") == "executions" for row in frame["data"]]
    assert [row["exec_type"] for row in rows] == ["pending_new", "new", "filled", "canceled"]
    assert rows[-1]["reason"] == "EOrder:Reduce only:Position is closed"
    for frame in socket.raw:
        as_ws2(frame)


def test_websocket_v2_names_what_is_lent_and_traded_on_margin() -> None:
    """websocket-v2/instrument."""
    socket = Ws2().socket()
    _, snapshot = socket.send("subscribe", channel="instrument")
    (pair,) = snapshot["data"]["pairs"]
    assert (pair["marginable"], pair["margin_initial"], pair["position_limit_long"]) == (True, Decimal("0.20"), 250)
    usd = next(asset for asset in snapshot["data"]["assets"] if asset["id"] == "USD")
    assert (usd["borrowable"], usd["collateral_value"], usd["margin_rate"]) == (True, 1, Decimal("0.025"))


# -------------------------------------------------------------------------------------------------------- WebSocket v1


def test_websocket_v1_takes_a_leverage_or_the_highest_and_tells_of_it() -> None:
    """websocket-v1/addorder, leverage and margin; websocket-v1/openorders, owntrades."""
    ws1 = Ws1(ROWS)
    ws1.host.run_until(START + 2 * SECOND)
    socket = ws1.socket()
    for name in ("openOrders", "ownTrades"):
        socket.subscribe_private(name)
    socket.add("buy", "99", "0.01", leverage="3")
    rows = [row for _, row in private_rows(socket.taken(), "openOrders")]
    assert (rows[0]["descr"]["leverage"], rows[0]["margin"]) == ("3:1", True)
    assert rows[0]["descr"]["order"].endswith("with 3:1 leverage")
    socket.add("buy", None, "0.01", margin=True)
    ((trade_id, opened),) = private_rows(socket.taken(), "ownTrades")
    assert (opened["margin"], opened["margin_borrow"]) == ("0.20040", True)
    socket.add("sell", None, "0.01", leverage="2")
    ((_, closed),) = private_rows(socket.taken(), "ownTrades")
    assert closed["postxid"] == trade_id
    for frame in socket.raw:
        as_ws1(frame)


def test_websocket_v1_settles() -> None:
    """websocket-v1/addorder, settle-position."""
    ws1 = Ws1(ROWS)
    ws1.host.run_until(START + 2 * SECOND)
    socket = ws1.socket()
    socket.add("buy", None, "0.01", leverage="5")
    socket.subscribe_private("openOrders")
    socket.taken()
    socket.answer("addOrder", pair="XBT/USD", type="sell", ordertype="settle-position", volume="0.01")
    rows = [row for _, row in private_rows(socket.taken(), "openOrders")]
    assert [row.get("status") for row in rows] == ["pending", "open", "closed"]


# ---------------------------------------------------------------------------------------------------------------- FIX


def test_fix_orders_are_on_margin_with_the_highest_leverage() -> None:
    """fix-api/nos-fix, tag 5001."""
    fix = Fix(ROWS)
    desk = fix.desk().open()
    desk.add("1", "100.2", "0.01", t5001="1")
    account = fix.host.venue.accounts["a0"]
    assert account.margin is not None
    (position,) = account.margin.positions.values()
    assert (position.leverage, position.side) == (5, BUY)


def test_fix_hears_when_its_position_is_taken_back() -> None:
    """fix-api/er-fix, tag 11; that the venue's own order has the word NONE there is an assumption."""
    fix = Fix([(1, ADD, SELL, 1003, 1_000_000, 4), (5, TRADE, SELL, 500, 10, 0), (6, ADD, BUY, 499, 1_000_000, 5)])
    desk = fix.desk().open()
    for asset, left in (("BTC", "0"), ("USD", "0.55")):
        total, _ = fix.host.records.balances("a0")[asset]
        fix.host.adjust_balance("a0", asset, Decimal(left) - total, "withdrawal", f"W{asset}")
    desk.add("1", "100.2", "0.01", t5001="1")
    desk.taken()
    fix.host.run_until(START + 10 * SECOND)
    desk.flush()
    (trade,) = [report for report in desk.reports if report.text(150) == "F"]
    assert (trade.text(54), trade.text(32), trade.get(11)) == ("2", "0.01000000", b"NONE")
    assert trade.text(58).endswith("with 5:1 leverage")
