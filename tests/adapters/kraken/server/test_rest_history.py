"""Orders, trades and ledgers of an account over REST (rest-api, Account Data)."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kraken.server.keys import PERMISSIONS
from framework.data.columns import ADD, TRADE
from framework.protocol import BUY, SELL
from tests.adapters.kraken.server.rest_rig import Rest
from tests.framework.venue.served.served_rig import SECOND, START

# Three levels to take from: 1002, 1003 and 1004, of 100 lots each; bitcoin in lots of 0.0001.
DEEP = [(0.0, ADD, SELL, 1003, 100, 3), (0.0, ADD, SELL, 1004, 100, 4), (3600.0, ADD, BUY, 900, 1, 5)]
STOPPED = [
    (1.0, TRADE, SELL, 1000, 10, 1),
    (2.0, TRADE, SELL, 1000, 10, 1),
    (3600.0, ADD, BUY, 900, 1, 5),
]


def only(mapping: dict[str, Any]) -> tuple[str, Any]:
    ((name, value),) = mapping.items()
    return name, value


# -------------------------------------------------------------------------------------------------------------- orders


def test_an_order_is_asked_for_with_the_permission_for_its_state() -> None:
    rest = Rest(permissions=tuple(each for each in PERMISSIONS if each != "query-open-trades"))
    txid = rest.add(price="99")
    assert rest.error("QueryOrders", txid=txid) == "EGeneral:Permission denied"
    assert rest.error("OrderAmends", order_id=txid) == "EGeneral:Permission denied"
    rest.result("CancelOrder", txid=txid)
    assert rest.result("QueryOrders", txid=txid)[txid]["status"] == "canceled"
    assert rest.result("OrderAmends", order_id=txid)["count"] == 1


def test_orders_are_found_by_reference_and_by_client_id() -> None:
    rest = Rest()
    one, two, three = rest.add(price="99", userref="7"), rest.add(price="98"), rest.add(price="97", cl_ord_id="mine")
    assert list(rest.result("QueryOrders", txid=f"{one},{two}", userref="7")) == [one]
    assert list(rest.result("OpenOrders", cl_ord_id="mine")["open"]) == [three]
    rest.result("CancelAll")
    assert list(rest.result("ClosedOrders", userref="7")["closed"]) == [one]
    assert rest.result("ClosedOrders", cl_ord_id="mine")["count"] == 1


@pytest.mark.parametrize(("closetime", "found"), [("open", 0), ("close", 1), ("both", 1)])
def test_closed_orders_are_chosen_by_their_opening_or_their_end(closetime: str, found: int) -> None:
    rest = Rest()
    txid = rest.add(price="99")
    rest.host.run_until(START + 10 * SECOND)
    rest.result("CancelOrder", txid=txid)
    result = rest.result("ClosedOrders", start=str(START // SECOND + 5), closetime=closetime)
    assert result["count"] == found


@pytest.mark.parametrize(
    ("name", "params", "error"),
    [
        ("ClosedOrders", {"closetime": "never"}, "EGeneral:Invalid arguments:closetime"),
        ("ClosedOrders", {"start": "yesterday"}, "EGeneral:Invalid arguments:start"),
        ("ClosedOrders", {"ofs": "-1"}, "EGeneral:Invalid arguments:ofs"),
        ("ClosedOrders", {"trades": "perhaps"}, "EGeneral:Invalid arguments:trades"),
        ("OpenOrders", {"userref": "x"}, "EGeneral:Invalid arguments:userref"),
        ("QueryOrders", {}, "EGeneral:Invalid arguments:txid"),
        ("QueryOrders", {"txid": ",".join(["O"] * 51)}, "EGeneral:Invalid arguments:txid"),
        ("QueryOrders", {"txid": "OAAAAA-AAAAA-AAAAAA"}, "EOrder:Invalid order"),
        ("OrderAmends", {}, "EGeneral:Invalid arguments:order_id"),
        ("OrderAmends", {"order_id": "OAAAAA-AAAAA-AAAAAA"}, "EOrder:Invalid order"),
        ("TradesHistory", {"type": "odd"}, "EGeneral:Invalid arguments:type"),
        ("TradesHistory", {"end": "TAAAAA-AAAAA-AAAAAA"}, "EGeneral:Invalid arguments:end"),
        ("Ledgers", {"type": "odd"}, "EGeneral:Invalid arguments:type"),
        ("Ledgers", {"asset": "XBT,NOPE"}, "EQuery:Unknown asset"),
        ("TradeBalance", {"asset": "NOPE"}, "EQuery:Unknown asset"),
        ("TradeVolume", {"pair": "NOPE"}, "EQuery:Unknown asset pair"),
    ],
)
def test_what_may_not_be_asked(name: str, params: dict[str, str], error: str) -> None:
    assert Rest().error(name, **params) == error


def test_amends_are_listed_from_the_order_as_it_was_entered() -> None:
    rest = Rest()
    txid = rest.add(price="99", volume="0.5")
    rest.host.run_until(START + SECOND)
    amend_id = rest.result("AmendOrder", txid=txid, limit_price="98.5", post_only="true")["amend_id"]
    result = rest.result("OrderAmends", order_id=txid)
    original, amend = result["amends"]
    assert result["count"] == 2
    assert (original["amend_type"], original["limit_price"], original["timestamp"]) == ("original", "99.0", START)
    assert "reason" not in original
    del original["amend_id"]
    assert amend == {
        "amend_id": amend_id,
        "amend_type": "user",
        "order_qty": "0.50000000",
        "remaining_qty": "0.50000000",
        "limit_price": "98.5",
        "reason": "User requested",
        "post_only": True,
        "timestamp": START + SECOND,
    }
    assert rest.result("OpenOrders")["open"][txid]["misc"] == "amended"


def test_a_stop_that_fired_says_so_and_a_take_profit_was_touched() -> None:
    rest = Rest(STOPPED)
    stop = rest.add("sell", price="100.0", volume="0.001", ordertype="stop-loss")
    limit = rest.add("sell", price="100.0", volume="0.001", ordertype="stop-loss-limit", price2="105.5")
    profit = rest.add("sell", price="100.5", volume="0.001", ordertype="take-profit-limit", price2="106")
    shown = rest.result("OpenOrders")["open"]
    assert (shown[stop]["misc"], shown[limit]["stopprice"], shown[limit]["limitprice"]) == ("", "100.00000", "0.00000")
    rest.host.run_until(START + 2 * SECOND)
    shown = rest.result("QueryOrders", txid=f"{stop},{limit},{profit}")
    assert (shown[stop]["status"], shown[stop]["misc"]) == ("closed", "stopped")
    assert (shown[limit]["status"], shown[limit]["misc"], shown[limit]["limitprice"]) == (
        "open",
        "stopped",
        "105.50000",
    )
    assert (shown[profit]["misc"], shown[profit]["limitprice"]) == ("", "0.00000")


def test_a_trailing_stop_shows_where_its_trigger_has_come_to() -> None:
    rest = Rest(STOPPED)
    rest.host.run_until(START + SECOND)
    txid = rest.add("sell", price="+0.5", volume="0.001", ordertype="trailing-stop")
    shown = rest.result("OpenOrders")["open"][txid]
    assert (shown["stopprice"], shown["descr"]["price"]) == ("99.50000", "+0.5")


# -------------------------------------------------------------------------------------------------------------- trades


def test_what_an_order_took_at_once_is_told_as_one_trade() -> None:
    rest = Rest(DEEP)
    txid = rest.add(price=None, volume="0.025")  # 100 lots at 100.2, 100 at 100.3, 50 at 100.4
    result = rest.result("TradesHistory", ledgers="true")
    trade_id, trade = only(result["trades"])
    assert result["count"] == 1
    assert (trade["vol"], trade["price"], trade["cost"]) == ("0.02500000", "100.28000", "2.50700")
    assert len(trade["ledgers"]) == 6
    assert rest.result("ClosedOrders", trades="true")["closed"][txid]["trades"] == [trade_id]


def test_each_fill_is_told_where_trades_are_not_to_be_put_together() -> None:
    rest = Rest(DEEP)
    txid = rest.add(price=None, volume="0.025")
    result = rest.result("TradesHistory", consolidate_taker="false")
    prices = [trade["price"] for trade in result["trades"].values()]
    assert (prices, result["count"]) == (["100.40000", "100.30000", "100.20000"], 3)
    closed = rest.result("ClosedOrders", trades="true", consolidate_taker="false")["closed"][txid]
    assert sorted(closed["trades"]) == sorted(result["trades"])


def test_trades_after_a_trade_are_those_made_after_it_even_at_the_same_instant() -> None:
    rest = Rest(DEEP)
    rest.add(price=None, volume="0.025")
    third, second, first = rest.result("TradesHistory", consolidate_taker="false")["trades"]
    after = rest.result("TradesHistory", consolidate_taker="false", start=first)["trades"]
    assert list(after) == [third, second]
    until = rest.result("TradesHistory", consolidate_taker="false", end=second)["trades"]
    assert list(until) == [second, first]


def test_both_sides_of_a_trade_between_two_accounts_have_it_in_their_history() -> None:
    rest = Rest()
    rest.add("sell", "100.1", "0.01", account=1)
    rest.add("buy", "100.1", "0.01")
    (_, bought), (_, sold) = (only(rest.result("TradesHistory", account=number)["trades"]) for number in (0, 1))
    assert (bought["maker"], sold["maker"], bought["type"], sold["type"]) == (False, True, "buy", "sell")
    assert bought["price"] == sold["price"] == "100.10000"


def test_there_are_no_trades_of_positions() -> None:
    rest = Rest()
    rest.add(price=None, volume="0.001")
    assert rest.result("TradesHistory", type="closed position") == {"trades": {}, "count": 0}
    assert rest.result("TradesHistory", type="no position")["count"] == 1
    assert rest.result("OpenPositions") == {}


# -------------------------------------------------------------------------------------------------------------- ledger


def test_a_fill_moves_both_assets_and_the_fee_is_on_the_quote_currency() -> None:
    rest = Rest()
    rest.add(price=None, volume="0.005")
    entries = {entry["asset"]: entry for entry in rest.result("Ledgers")["ledger"].values()}
    assert (entries["XXBT"]["amount"], entries["XXBT"]["fee"]) == ("0.0050000000", "0.0000000000")
    assert (entries["ZUSD"]["amount"], entries["ZUSD"]["fee"]) == ("-0.5010", "0.0020")
    assert entries["ZUSD"]["balance"] == rest.result("Balance")["ZUSD"]
    assert {entry["type"] for entry in entries.values()} == {"trade"}


def test_ledgers_are_chosen_by_asset_kind_and_entry() -> None:
    rest = Rest()
    for _ in range(2):
        rest.add(price=None, volume="0.001")
    assert rest.result("Ledgers")["count"] == 4
    assert rest.result("Ledgers", asset="XBT")["count"] == 2
    assert rest.result("Ledgers", type="deposit")["count"] == 0
    newest, *_, oldest = rest.result("Ledgers")["ledger"]
    assert rest.result("Ledgers", start=oldest)["count"] == 3
    assert list(rest.result("Ledgers", end=oldest)["ledger"]) == [oldest]
    assert list(rest.result("QueryLedgers", id=f"{oldest},{newest}")) == [oldest, newest]


# ---------------------------------------------------------------------------------------------------------------- fees


def test_pairs_may_be_named_by_objects() -> None:
    result = Rest().result("TradeVolume", is_json=True, pair=[{"asset": "BTC/USD", "aclass": "currency"}])
    assert list(result["fees"]) == ["XXBTZUSD"]


def test_without_pairs_there_are_no_fees() -> None:
    assert sorted(Rest().result("TradeVolume")) == ["currency", "volume"]
