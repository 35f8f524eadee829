"""python-kraken-sdk over REST against the served venue, with nothing changed in it but the address."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control

spot = pytest.importorskip("kraken.spot")
errors = pytest.importorskip("kraken.exceptions")


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--accounts", "5") as ready:
        yield ready


class Client:
    """The client's three parts for one account."""

    def __init__(self, venue: dict[str, Any], account: int, **changes: str) -> None:
        key = venue["accounts"][account]
        given = {"key": key["api_key"], "secret": key["api_secret"], "url": venue["rest"], **changes}
        self.market = spot.Market(url=venue["rest"])
        self.user = spot.User(**given)
        self.trade = spot.Trade(**given)

    def add(self, **more: str) -> str:
        """Add an order, one that rests if nothing else is said; its id."""
        order = {"ordertype": "limit", "side": "buy", "pair": "XBTUSD", "price": "50000", "volume": "0.01", **more}
        (txid,) = self.trade.create_order(**order)["txid"]
        return str(txid)

    def order(self, txid: str) -> Any:
        return self.user.get_orders_info(txid=txid)[txid]


@pytest.fixture
def client(venue: dict[str, Any]) -> Client:
    return Client(venue, 0)


def test_connects(client: Client) -> None:
    assert client.market.get_system_status()["status"] == "online"
    assert client.user.get_account_balance()["ZUSD"] == "1000000.0000"


def test_reads_market_data(client: Client) -> None:
    assert client.market.get_asset_pairs(pair="XBTUSD")["XXBTZUSD"]["wsname"] == "XBT/USD"
    book = client.market.get_order_book(pair="XBTUSD", count=10)["XXBTZUSD"]
    assert len(book["bids"]) == len(book["asks"]) == 10
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])
    assert float(client.market.get_ticker(pair="ETHUSD")["XETHZUSD"]["c"][0]) > 0
    assert len(client.market.get_ohlc(pair="XBTUSD")["XXBTZUSD"][0]) == 8
    assert len(client.market.get_recent_trades(pair="XBTUSD")["XXBTZUSD"][0]) == 7


def test_adds_an_order(client: Client) -> None:
    txid = client.add(userref="12")
    assert client.user.get_open_orders(userref=12)["open"][txid]["status"] == "open"
    assert client.order(txid)["vol"] == "0.01000000"


def test_amends_an_order(client: Client) -> None:
    txid = client.add()
    assert client.trade.amend_order(txid=txid, order_qty="0.005", limit_price="49000")["amend_id"]
    found = client.order(txid)
    assert (found["status"], found["vol"], found["descr"]["price"]) == ("open", "0.00500000", "49000.0")
    assert client.user.get_order_amends(order_id=txid)["count"] == 2


def test_cancels_an_order(client: Client) -> None:
    txid = client.add()
    assert client.trade.cancel_order(txid=txid)["count"] == 1
    assert client.order(txid)["status"] == "canceled"


def test_learns_of_its_fills(venue: dict[str, Any]) -> None:
    client = Client(venue, 1)
    found = client.order(client.add(ordertype="market", side="sell"))
    assert (found["status"], found["vol_exec"]) == ("closed", "0.01000000")
    assert client.user.get_account_balance()["XXBT"] == "999999.9900000000"


def test_reads_its_history(venue: dict[str, Any]) -> None:
    client = Client(venue, 2)
    txid = client.add(ordertype="market")
    trades = client.user.get_trades_history()["trades"]
    assert {trade["ordertxid"] for trade in trades.values()} == {txid}
    assert list(client.user.get_closed_orders()["closed"]) == [txid]
    assert {entry["refid"] for entry in client.user.get_ledgers_info()["ledger"].values()} == set(trades)


def test_is_told_of_a_bad_signature(venue: dict[str, Any]) -> None:
    with pytest.raises(errors.KrakenInvalidSignatureError):
        Client(venue, 0, secret=venue["accounts"][1]["api_secret"]).user.get_account_balance()


def test_is_told_of_a_bad_nonce(client: Client) -> None:
    client.user.get_account_balance()
    client.user.get_nonce = lambda: "5"
    with pytest.raises(errors.KrakenInvalidNonceError):
        client.user.get_account_balance()


def test_is_told_of_an_unknown_order(client: Client) -> None:
    with pytest.raises(errors.KrakenUnknownOrderError):
        client.trade.cancel_order(txid="OAAAAA-AAAAA-AAAAAA")


def test_is_told_of_insufficient_funds(client: Client) -> None:
    with pytest.raises(errors.KrakenInsufficientFundsError):
        client.add(price="90000", volume="100000")


def test_is_told_of_a_rate_limit(venue: dict[str, Any]) -> None:
    client = Client(venue, 3)
    calls = (client.user.get_trades_history() for _ in range(40))
    with pytest.raises(errors.KrakenApiLimitExceededError):
        list(calls)


def test_reconnects(venue: dict[str, Any]) -> None:
    client = Client(venue, 4)
    txid = client.add()
    control(venue, "/faults", kind="drop", link="rest", for_s=1)
    with pytest.raises(OSError, match=r"aborted|refused|reset"):  # of requests, which the client passes on
        client.user.get_open_orders()
    time.sleep(1.2)
    assert list(client.user.get_open_orders()["open"]) == [txid]
