"""Private requests: keys, account data and orders (rest-api, Account Data and Trading; guides/spot-rest-auth)."""

from __future__ import annotations

import msgspec
import pytest

from framework.protocol import LatencySpec
from framework.venue.latency import compile_latency
from framework.venue.served.host import RoadSpec
from tests.adapters.kraken.server.rest_rig import Rest, envelope
from tests.framework.venue.served.served_rig import SECOND, START

# ---------------------------------------------------------------------------------------------------- keys and limits


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"API-Key": "nobody"}, "EAPI:Invalid key"),
        ({"API-Key": ""}, "EAPI:Invalid key"),
        ({"API-Sign": ""}, "EAPI:Invalid key"),
        ({"API-Sign": "AAAA"}, "EAPI:Invalid signature"),
        ({"API-Sign": "\u00e9"}, "EAPI:Invalid signature"),
    ],
)
def test_a_request_that_is_not_signed_by_its_key_is_refused(headers: dict[str, str], error: str) -> None:
    rest = Rest()
    request = rest.request("Balance", {})
    forged = msgspec.structs.replace(request, headers={**request.headers, **headers})
    (answer,) = rest.send(forged)
    assert envelope(answer) == {"error": [error]}


def test_a_nonce_is_taken_once_and_never_goes_back() -> None:
    rest = Rest()
    request = rest.request("Balance", {})
    assert envelope(rest.send(request)[0])["error"] == []
    assert envelope(rest.send(request)[0]) == {"error": ["EAPI:Invalid nonce"]}
    rest.nonce -= 5
    assert rest.error("Balance") == "EAPI:Invalid nonce"


def test_a_request_of_another_account_does_not_see_this_one() -> None:
    rest = Rest()
    txid = rest.add()
    assert rest.result("OpenOrders", account=1) == {"open": {}}
    assert rest.error("CancelOrder", account=1, txid=txid) == "EOrder:Unknown order"
    assert rest.error("QueryOrders", account=1, txid=txid) == "EOrder:Invalid order"


@pytest.mark.parametrize(
    ("name", "permission"),
    [
        ("Balance", "query-funds"),
        ("OpenOrders", "query-open-trades"),
        ("Ledgers", "query-ledger"),
        ("AddOrder", "modify-trades"),
        ("GetWebSocketsToken", "create-ws-token"),
        ("Withdraw", "withdraw-funds"),
    ],
)
def test_a_key_without_the_permission_is_refused(name: str, permission: str) -> None:
    from adapters.kraken.server.keys import PERMISSIONS

    rest = Rest(permissions=tuple(each for each in PERMISSIONS if each != permission))
    assert rest.error(name) == "EGeneral:Permission denied"


def test_calls_are_counted_against_the_key_and_the_counter_falls_with_time() -> None:
    rest = Rest()
    errors = [rest.private("Ledgers")["error"] for _ in range(12)]
    assert errors[:10] == [[]] * 10  # 2 points each of 20
    assert errors[10:] == [["EAPI:Rate limit exceeded"]] * 2
    rest.host.run_until(START + 30 * SECOND)
    assert rest.private("Ledgers")["error"] == []


def test_the_counter_of_orders_is_that_of_the_engine_for_each_pair() -> None:
    rest = Rest()
    answers = [rest.private("AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="99", volume="0.001")
               for _ in range(185)]  # fmt: skip
    assert answers[179]["error"] == []
    assert answers[184]["error"] == ["EOrder:Rate limit exceeded"]


# -------------------------------------------------------------------------------------------------------------- orders


def test_an_order_is_described_and_gets_an_id() -> None:
    rest = Rest()
    result = rest.result("AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="100.1", volume="0.5")
    assert result["descr"] == {"order": "buy 0.50000000 XBTUSD @ limit 100.1"}
    (txid,) = result["txid"]
    shown = rest.result("OpenOrders")["open"][txid]
    assert (shown["status"], shown["vol"], shown["vol_exec"], shown["userref"]) == (
        "open",
        "0.50000000",
        "0.00000000",
        0,
    )
    assert shown["descr"]["price"] == "100.1"
    assert shown["opentm"] == 1_800_000_000.0


def test_an_order_in_json_is_the_same_digit_for_digit() -> None:
    rest = Rest()
    result = rest.result(
        "AddOrder", is_json=True, pair="XBTUSD", type="buy", ordertype="limit", price=100.1, volume=0.1, userref=7
    )
    shown = rest.result("QueryOrders", txid=result["txid"][0])[result["txid"][0]]
    assert (shown["descr"]["price"], shown["vol"], shown["userref"]) == ("100.1", "0.10000000", 7)


def test_validate_only_leaves_nothing() -> None:
    rest = Rest()
    result = rest.result(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="100.1", volume="0.5", validate="true"
    )
    assert "txid" not in result
    assert rest.result("OpenOrders")["open"] == {}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
        ({"ordertype": "wish"}, "EGeneral:Invalid arguments:ordertype"),
        ({"volume": "-1"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "1e3"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "0.00001"}, "EGeneral:Invalid arguments:volume"),
        ({"price": "100.15"}, "EOrder:Tick size check failed"),
        ({"price": ""}, "EGeneral:Invalid arguments:price"),
        ({"price": "0"}, "EOrder:Invalid price"),
        ({"volume": "5000"}, "EOrder:Insufficient funds"),
        ({"oflags": "post,nonsense"}, "EGeneral:Invalid arguments:oflags"),
        ({"userref": "1", "cl_ord_id": "x"}, "EGeneral:Invalid arguments:userref"),
        ({"timeinforce": "XYZ"}, "EGeneral:Invalid arguments:timeinforce"),
        ({"expiretm": "soon"}, "EGeneral:Invalid arguments:expiretm"),
        ({"deadline": "2020-01-01T00:00:00Z"}, "EService:Deadline elapsed"),
        ({"deadline": "2030-01-01T00:00:00Z"}, "EGeneral:Invalid arguments:deadline"),
        ({"leverage": "6"}, "EGeneral:Invalid arguments:leverage"),
    ],
)
def test_an_order_that_makes_no_sense_gets_its_error(change: dict[str, str], error: str) -> None:
    good = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "100.1", "volume": "0.5"}
    assert Rest().error("AddOrder", **{**good, **change}) == error


@pytest.mark.parametrize(("price", "ticks"), [("-1", "99.2"), ("-1%", "99.2"), ("#0.5", "99.7"), ("+0.1", "100.3")])
def test_a_relative_price_is_from_the_last_trade(price: str, ticks: str) -> None:
    rest = Rest()
    rest.add(price=None, volume="0.001")  # at 100.2
    txid = rest.add(price=price, volume="0.01", oflags="post" if price != "+0.1" else "")
    assert rest.result("QueryOrders", txid=txid)[txid]["descr"]["price"] == ticks


def test_a_market_buy_may_be_told_in_money() -> None:
    rest = Rest()
    txid = rest.add(price=None, volume="0.5", oflags="viqc")
    shown = rest.result("QueryOrders", txid=txid)[txid]
    assert (shown["status"], shown["oflags"], shown["vol_exec"]) == ("closed", "viqc", "0.00490000")


def test_a_batch_tells_each_orders_fate() -> None:
    rest = Rest()
    item = {"ordertype": "limit", "type": "buy", "price": "100.0", "volume": "0.1"}
    result = rest.result(
        "AddOrderBatch", is_json=True, pair="XBTUSD", orders=[item, {**item, "volume": "5000"}, {**item, "price": "99"}]
    )
    assert [sorted(each) for each in result["orders"]] == [["descr", "txid"], ["error"], ["descr", "txid"]]
    assert result["orders"][1] == {"error": "EOrder:Insufficient funds"}
    assert len(rest.result("OpenOrders")["open"]) == 2


def test_an_amend_keeps_the_id_and_an_edit_does_not() -> None:
    rest = Rest()
    txid = rest.add(volume="0.5", userref="3")
    assert rest.result("AmendOrder", txid=txid, order_qty="0.4")["amend_id"].startswith("TA")
    assert rest.result("OpenOrders")["open"][txid]["vol"] == "0.40000000"
    edited = rest.result("EditOrder", txid=txid, pair="XBTUSD", volume="0.3", price="99")
    assert (edited["originaltxid"], edited["volume"], edited["olduserref"]) == (txid, "0.30000000", "3")
    assert list(rest.result("OpenOrders")["open"]) == [edited["txid"]]


def test_an_amend_of_nothing_and_of_nobody_are_refused() -> None:
    rest = Rest()
    txid = rest.add()
    assert rest.error("AmendOrder", txid=txid) == "EOrder:No amendable parameters specified"
    assert rest.error("AmendOrder", txid="O00000-00000-999999", order_qty="1") == "EOrder:Unknown order"


def test_cancels_by_id_by_client_id_and_by_reference() -> None:
    rest = Rest()
    first, _, third, fourth = (rest.add(volume="0.01", **more) for more in (
        {}, {"cl_ord_id": "mine"}, {"userref": "9"}, {"userref": "9"}))  # fmt: skip
    assert rest.result("CancelOrder", txid=first) == {"count": 1}
    assert rest.result("CancelOrder", cl_ord_id="mine") == {"count": 1}
    assert sorted(rest.result("OpenOrders", userref="9")["open"]) == sorted([third, fourth])
    assert rest.result("CancelOrder", txid="9") == {"count": 2}
    assert rest.error("CancelOrder", txid=first) == "EOrder:Invalid order"
    assert rest.error("CancelOrder", txid="77") == "EOrder:Unknown order"


def test_many_cancels_in_one_request_and_all_of_them() -> None:
    rest = Rest()
    ids = [rest.add(volume="0.01", cl_ord_id=f"c{number}") for number in range(5)]
    assert rest.result("CancelOrderBatch", is_json=True, orders=ids[:2]) == {"count": 2}
    assert rest.result("CancelOrderBatch", is_json=True, cl_ord_ids=[{"cl_ord_id": "c2"}]) == {"count": 1}
    assert rest.result("CancelAll") == {"count": 2}


def test_the_dead_mans_switch_tells_its_times_and_fires() -> None:
    rest = Rest()
    rest.add()
    assert rest.result("CancelAllOrdersAfter", timeout="60") == {
        "currentTime": "2027-01-15T08:00:00Z",
        "triggerTime": "2027-01-15T08:01:00Z",
    }
    rest.host.run_until(START + 61 * SECOND)
    assert rest.result("OpenOrders")["open"] == {}
    assert rest.result("CancelAllOrdersAfter", timeout="0")["triggerTime"] == "0"


def test_an_answer_comes_after_both_ways_and_meanwhile_nothing_is_told() -> None:
    latency = compile_latency(LatencySpec(kind="constant", median_us=5_000.0))
    rest = Rest(roads={"rest": RoadSpec(command=latency, response=latency)})
    answers = rest.send(
        rest.request("AddOrder", {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "99", "volume": "1"})
    )
    rest.host.run_until(START + 9_999_999)
    assert answers == []
    rest.host.run_until(START + 10_000_000)
    assert envelope(answers[0])["error"] == []


# ------------------------------------------------------------------------------------------------------- account data


def test_balances_hold_what_open_orders_need() -> None:
    rest = Rest()
    rest.add("sell", "100.5", "2")
    assert rest.result("Balance") == {"XXBT": "100.0000000000", "ZUSD": "100000.0000"}
    assert rest.result("BalanceEx")["XXBT"] == {"balance": "100.0000000000", "hold_trade": "2.0000000000"}


def test_a_filled_order_is_closed_with_its_trades_cost_and_fee() -> None:
    rest = Rest()
    txid = rest.add(price=None, volume="0.005")
    shown = rest.result("ClosedOrders", trades="true")["closed"][txid]
    assert (shown["status"], shown["reason"], shown["price"], shown["cost"]) == ("closed", None, "100.2", "0.50100")
    (trade_id,) = shown["trades"]
    trade = rest.result("QueryTrades", txid=trade_id)[trade_id]
    assert (trade["ordertxid"], trade["pair"], trade["maker"]) == (txid, "XXBTZUSD", False)
    assert (trade["price"], trade["vol"], trade["cost"]) == ("100.20000", "0.00500000", "0.50100")
    entries = rest.result("Ledgers")["ledger"]
    assert {entry["refid"] for entry in entries.values()} == {trade_id}
    assert sorted(entry["amount"] for entry in entries.values()) == ["-0.5010", "0.0050000000"]


def test_a_canceled_order_says_why() -> None:
    rest = Rest()
    txid = rest.add()
    rest.result("CancelOrder", txid=txid)
    shown = rest.result("ClosedOrders")["closed"][txid]
    assert (shown["status"], shown["reason"]) == ("canceled", "User requested")


def test_history_comes_in_pages_of_fifty_newest_first_with_a_count_of_all() -> None:
    rest = Rest()
    ids = []
    for number in range(60):
        rest.host.run_until(START + (number + 1) * 10 * SECOND)
        ids.append(rest.add(volume="0.01"))
        rest.result("CancelOrder", txid=ids[-1])
    first = rest.result("ClosedOrders")
    assert (list(first["closed"]), first["count"]) == (ids[:9:-1], 60)
    assert list(rest.result("ClosedOrders", ofs="50")["closed"]) == ids[9::-1]
    assert "count" not in rest.result("ClosedOrders", without_count="true")
    later = rest.result("ClosedOrders", start=str(1_800_000_000 + 590))
    assert list(later["closed"]) == [ids[59]]  # start is exclusive
    until = rest.result("ClosedOrders", end=str(1_800_000_000 + 20))
    assert list(until["closed"]) == [ids[1], ids[0]]  # end is inclusive
    assert list(rest.result("ClosedOrders", start=ids[57])["closed"]) == [ids[59], ids[58]]


def test_ids_that_nobody_knows_are_refused_and_too_many_are_too() -> None:
    rest = Rest()
    assert rest.error("QueryTrades", txid="TAAAAA-AAAAA-AAAAAA") == "EQuery:Unknown trade"
    assert rest.error("QueryLedgers", id="LAAAAA-AAAAA-AAAAAA") == "EQuery:Unknown ledger"
    assert rest.error("QueryTrades", txid=",".join(["T"] * 21)) == "EGeneral:Invalid arguments:txid"


def test_fees_follow_the_volume() -> None:
    result = Rest().result("TradeVolume", pair="XBTUSD")
    assert (result["currency"], result["volume"]) == ("ZUSD", "0.0000")
    assert result["fees"]["XXBTZUSD"]["fee"] == "0.4000"
    assert result["fees_maker"]["XXBTZUSD"]["next_volume"] == "10000.0000"


def test_a_key_tells_of_itself_but_not_its_secret() -> None:
    rest = Rest()
    info = rest.result("GetApiKeyInfo")
    assert info["nonce"] == str(rest.nonce)
    assert rest.keys[0].secret.reveal() not in str(info)


def test_a_token_is_for_fifteen_minutes() -> None:
    rest = Rest()
    token = rest.result("GetWebSocketsToken")
    assert token["expires"] == 900
    assert rest.context.keys.key_of_token(token["token"], START + 900 * SECOND) is rest.keys[0]
    assert rest.context.keys.key_of_token(token["token"], START + 900 * SECOND + 1) is None
