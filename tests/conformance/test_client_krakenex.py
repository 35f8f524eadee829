"""krakenex over REST against the served venue, with nothing changed in it but the address.

It comes as source only and is skipped where it is not installed (``make conformance`` installs it).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control

krakenex = pytest.importorskip("krakenex")


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--accounts", "5") as ready:
        yield ready


@pytest.fixture
def client(venue: dict[str, Any]) -> Any:
    return connected(venue, 0)


def connected(venue: dict[str, Any], account: int, **changes: str) -> Any:
    key = venue["accounts"][account]
    made = krakenex.API(**{"key": key["api_key"], "secret": key["api_secret"], **changes})
    made.uri = venue["rest"]
    return made


def done(answer: Any) -> Any:
    """The result of a request that is carried out."""
    time.sleep(0.002)  # its nonces are milliseconds
    assert answer["error"] == []
    return answer["result"]


def add(client: Any, **more: str) -> str:
    """Add an order, one that rests if nothing else is said; its id."""
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "50000", "volume": "0.01", **more}
    (txid,) = done(client.query_private("AddOrder", order))["txid"]
    return str(txid)


def order(client: Any, txid: str) -> Any:
    return done(client.query_private("QueryOrders", {"txid": txid}))[txid]


def test_connects(client: Any) -> None:
    assert done(client.query_public("SystemStatus"))["status"] == "online"
    assert done(client.query_private("Balance"))["ZUSD"] == "1000000.0000"


def test_reads_market_data(client: Any) -> None:
    book = done(client.query_public("Depth", {"pair": "XBTUSD", "count": 10}))["XXBTZUSD"]
    assert len(book["bids"]) == len(book["asks"]) == 10
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])
    assert done(client.query_public("AssetPairs", {"pair": "XBTUSD"}))["XXBTZUSD"]["wsname"] == "XBT/USD"
    assert len(done(client.query_public("Trades", {"pair": "XBTUSD"}))["XXBTZUSD"][0]) == 7
    assert len(done(client.query_public("OHLC", {"pair": "XBTUSD"}))["XXBTZUSD"][0]) == 8


def test_adds_an_order(client: Any) -> None:
    txid = add(client, cl_ord_id="mine-1")
    found = order(client, txid)
    assert (found["status"], found["vol"], found["cl_ord_id"]) == ("open", "0.01000000", "mine-1")


def test_amends_an_order(client: Any) -> None:
    txid = add(client)
    changed = {"txid": txid, "limit_price": "49000", "order_qty": "0.005"}
    assert done(client.query_private("AmendOrder", changed))["amend_id"]
    found = order(client, txid)
    assert (found["status"], found["vol"], found["descr"]["price"]) == ("open", "0.00500000", "49000.0")


def test_cancels_an_order(client: Any) -> None:
    txid = add(client)
    assert done(client.query_private("CancelOrder", {"txid": txid})) == {"count": 1}
    assert order(client, txid)["status"] == "canceled"


def test_learns_of_its_fills(venue: dict[str, Any]) -> None:
    client = connected(venue, 1)
    txid = add(client, ordertype="market")
    found = order(client, txid)
    assert (found["status"], found["vol_exec"]) == ("closed", "0.01000000")
    assert done(client.query_private("Balance"))["XXBT"] == "1000000.0100000000"


def test_reads_its_history(venue: dict[str, Any]) -> None:
    client = connected(venue, 2)
    txid = add(client, ordertype="market", type="sell")
    trades = done(client.query_private("TradesHistory"))["trades"]
    assert {trade["ordertxid"] for trade in trades.values()} == {txid}
    assert list(done(client.query_private("ClosedOrders"))["closed"]) == [txid]
    entries = done(client.query_private("Ledgers"))["ledger"].values()
    assert {entry["asset"] for entry in entries} == {"XXBT", "ZUSD"}


def test_is_told_of_a_bad_signature(venue: dict[str, Any]) -> None:
    stranger = connected(venue, 0, secret=venue["accounts"][1]["api_secret"])
    assert stranger.query_private("Balance")["error"] == ["EAPI:Invalid signature"]


def test_is_told_of_a_bad_nonce(client: Any) -> None:
    done(client.query_private("Balance"))
    client._nonce = lambda: 5
    assert client.query_private("Balance")["error"] == ["EAPI:Invalid nonce"]


def test_is_told_of_an_unknown_order(client: Any) -> None:
    unknown = client.query_private("CancelOrder", {"txid": "OAAAAA-AAAAA-AAAAAA"})
    assert unknown["error"] == ["EOrder:Unknown order"]


def test_is_told_of_insufficient_funds(client: Any) -> None:
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "50000", "volume": "1000"}
    assert client.query_private("AddOrder", order)["error"] == ["EOrder:Insufficient funds"]


def test_is_told_of_a_rate_limit(venue: dict[str, Any]) -> None:
    client = connected(venue, 3)
    errors = [client.query_private("TradesHistory")["error"] for _ in range(40)]
    assert errors[0] == []
    assert ["EAPI:Rate limit exceeded"] in errors


def test_reconnects(venue: dict[str, Any]) -> None:
    client = connected(venue, 4)
    txid = add(client)
    control(venue, "/faults", kind="drop", link="rest", for_s=1)
    with pytest.raises(OSError, match=r"aborted|refused|reset"):  # of requests, which krakenex passes on
        client.query_private("OpenOrders")
    time.sleep(1.2)
    assert list(done(client.query_private("OpenOrders"))["open"]) == [txid]
