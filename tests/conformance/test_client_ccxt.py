"""ccxt over REST against the served venue, with nothing changed in it but the address."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control

ccxt = pytest.importorskip("ccxt")


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--accounts", "6") as ready:
        yield ready


@pytest.fixture
def exchange(venue: dict[str, Any]) -> Any:
    return connected(venue, 0)


def connected(venue: dict[str, Any], account: int, **changes: str) -> Any:
    key = venue["accounts"][account]
    client = ccxt.kraken({"apiKey": key["api_key"], "secret": key["api_secret"], "enableRateLimit": False, **changes})
    client.urls["api"].update(public=venue["rest"], private=venue["rest"])
    return client


def rest_bid(exchange: Any) -> float:
    """A price that rests in the book, far from the market."""
    return float(exchange.fetch_order_book("BTC/USD", 1)["bids"][0][0]) - 500


def test_connects(exchange: Any) -> None:
    assert exchange.fetch_status()["status"] == "ok"
    assert abs(exchange.fetch_time() / 1000 - time.time()) < 600
    assert exchange.fetch_balance()["USD"]["total"] > 0


def test_reads_market_data(exchange: Any) -> None:
    markets = exchange.load_markets()
    assert markets["BTC/USD"]["precision"] == {"amount": 1e-8, "price": 0.1}
    assert markets["BTC/USD"]["limits"]["amount"]["min"] == 5e-5
    book = exchange.fetch_order_book("BTC/USD", 10)
    assert len(book["bids"]) == len(book["asks"]) == 10
    assert book["bids"][0][0] < book["asks"][0][0]
    ticker = exchange.fetch_ticker("ETH/USD")
    assert ticker["low"] <= ticker["last"] <= ticker["high"]
    trades = exchange.fetch_trades("BTC/USD")
    assert [trade["timestamp"] for trade in trades] == sorted(trade["timestamp"] for trade in trades)
    candles = exchange.fetch_ohlcv("BTC/USD", "1m")
    assert all(low <= opened <= high for _, opened, high, low, _, _ in candles)


def test_adds_an_order(exchange: Any) -> None:
    price = rest_bid(exchange)
    created = exchange.create_order("BTC/USD", "limit", "buy", 0.01, price, {"clientOrderId": "mine-1"})
    opened = exchange.fetch_order(created["id"], "BTC/USD")
    assert (opened["status"], opened["amount"], opened["price"]) == ("open", 0.01, price)
    assert opened["id"] in {order["id"] for order in exchange.fetch_open_orders("BTC/USD")}


def test_amends_an_order(exchange: Any) -> None:
    price = rest_bid(exchange)
    created = exchange.create_order("BTC/USD", "limit", "buy", 0.01, price)
    exchange.edit_order(created["id"], "BTC/USD", "limit", "buy", 0.02, price - 100)
    amended = exchange.fetch_order(created["id"], "BTC/USD")
    assert (amended["status"], amended["amount"], amended["price"]) == ("open", 0.02, price - 100)


def test_cancels_an_order(exchange: Any) -> None:
    created = exchange.create_order("BTC/USD", "limit", "buy", 0.01, rest_bid(exchange))
    exchange.cancel_order(created["id"], "BTC/USD")
    assert exchange.fetch_order(created["id"], "BTC/USD")["status"] == "canceled"


def test_learns_of_its_fills(venue: dict[str, Any]) -> None:
    exchange = connected(venue, 1)
    created = exchange.create_order("BTC/USD", "market", "buy", 0.02)
    order = exchange.fetch_order(created["id"], "BTC/USD")
    assert (order["status"], order["filled"]) == ("closed", 0.02)
    mine = [trade for trade in exchange.fetch_my_trades("BTC/USD") if trade["order"] == created["id"]]
    assert sum(trade["amount"] for trade in mine) == pytest.approx(0.02)
    assert exchange.fetch_balance()["BTC"]["total"] == pytest.approx(1_000_000.02)


def test_reads_its_history(venue: dict[str, Any]) -> None:
    exchange = connected(venue, 2)
    bought = exchange.create_order("BTC/USD", "market", "buy", 0.02)["id"]
    canceled = exchange.create_order("BTC/USD", "limit", "buy", 0.01, rest_bid(exchange))["id"]
    exchange.cancel_order(canceled, "BTC/USD")
    assert {order["id"] for order in exchange.fetch_closed_orders("BTC/USD")} == {bought, canceled}
    assert sum(entry["amount"] for entry in exchange.fetch_ledger("BTC")) == pytest.approx(0.02)
    assert {trade["order"] for trade in exchange.fetch_my_trades("BTC/USD")} == {bought}


def test_is_told_of_a_bad_signature(venue: dict[str, Any]) -> None:
    with pytest.raises(ccxt.BaseError, match="EAPI:Invalid signature"):
        connected(venue, 3, secret=venue["accounts"][4]["api_secret"]).fetch_balance()


def test_is_told_of_a_bad_nonce(venue: dict[str, Any]) -> None:
    exchange = connected(venue, 3)
    exchange.fetch_balance()
    exchange.incrementing_nonce = lambda: 5
    with pytest.raises(ccxt.InvalidNonce):
        exchange.private_post_balance()


def test_is_told_of_an_unknown_order(exchange: Any) -> None:
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order("O00000-00000-999999", "BTC/USD")


def test_is_told_of_insufficient_funds(exchange: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order("BTC/USD", "limit", "buy", 1_000, 80_000)


def test_is_told_of_a_rate_limit(venue: dict[str, Any]) -> None:
    exchange = connected(venue, 4)
    calls = (exchange.fetch_my_trades("BTC/USD") for _ in range(40))
    with pytest.raises(ccxt.DDoSProtection, match="EAPI:Rate limit exceeded"):
        list(calls)


def test_reconnects(venue: dict[str, Any]) -> None:
    exchange = connected(venue, 5)
    before = exchange.create_order("BTC/USD", "limit", "buy", 0.01, rest_bid(exchange))["id"]
    control(venue, "/faults", kind="drop", link="rest", for_s=1)
    with pytest.raises(ccxt.NetworkError):
        exchange.fetch_open_orders("BTC/USD")
    time.sleep(1.2)
    assert [order["id"] for order in exchange.fetch_open_orders("BTC/USD")] == [before]


def test_other_refusals_are_told_in_words(exchange: Any) -> None:
    with pytest.raises(ccxt.InvalidOrder, match="Order minimum not met"):
        exchange.private_post_addorder(
            {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "80000", "volume": "0.00001"}
        )


def test_places_and_cancels_many_at_once_and_arms_the_dead_mans_switch(venue: dict[str, Any]) -> None:
    exchange = connected(venue, 3)
    bid = exchange.fetch_order_book("BTC/USD", 1)["bids"][0][0]
    item = {"symbol": "BTC/USD", "type": "limit", "side": "buy", "amount": 0.01}
    exchange.create_orders([{**item, "price": bid - 100 * number} for number in (5, 6, 7)])
    stop = exchange.create_order("BTC/USD", "stop-loss", "sell", 0.01, None, {"stopLossPrice": bid - 3_000})
    assert len(exchange.fetch_open_orders("BTC/USD")) == 4
    assert exchange.cancel_all_orders_after(60_000)["result"]["triggerTime"] != "0"
    exchange.cancel_orders([stop["id"]])
    exchange.cancel_all_orders()
    assert exchange.fetch_open_orders("BTC/USD") == []


def test_trades_on_margin_and_reads_its_positions(venue: dict[str, Any]) -> None:
    """Leverage in, an open position out, closed by an opposite order, and what the trade says of it then."""
    exchange = connected(venue, 5)
    market = exchange.load_markets()["BTC/USD"]
    assert market["margin"]
    assert market["limits"]["leverage"]["max"] == 5
    exchange.create_order("BTC/USD", "market", "buy", 0.01, None, {"leverage": 5})
    positions = exchange.fetch_positions()
    assert {position["symbol"] for position in positions} == {"BTC/USD"}
    rows = [position["info"] for position in positions]
    assert sum(float(row["vol"]) for row in rows) == pytest.approx(0.01)
    assert {row["leverage"] for row in rows} == {"5.00000"}
    exchange.create_order("BTC/USD", "market", "sell", 0.01, None, {"leverage": 5, "reduceOnly": True})
    assert exchange.fetch_positions() == []
    closing, opening = (trade["info"] for trade in reversed(exchange.fetch_my_trades("BTC/USD")[-2:]))
    assert (opening["posstatus"], closing["misc"]) == ("closed", "closing")
    with pytest.raises(ccxt.ExchangeError, match="leverage"):
        exchange.create_order("BTC/USD", "market", "buy", 0.01, None, {"leverage": 50})
