"""Clients by others against the served venue, over REST on a real socket: ccxt, python-kraken-sdk and krakenex.

Each goes through market data, entry, amend, cancel, fills, history and errors, with nothing changed in it but the
address. krakenex comes as source only and is skipped where it is not installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.served_venue import served_venue

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


# ---------------------------------------------------------------------------------------------------------------- ccxt


def test_ccxt_reads_markets_prices_and_history(exchange: Any) -> None:
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
    assert exchange.fetch_status()["status"] == "ok"


def test_ccxt_adds_amends_and_cancels_an_order(exchange: Any) -> None:
    bid = exchange.fetch_order_book("BTC/USD", 1)["bids"][0][0]
    created = exchange.create_order("BTC/USD", "limit", "buy", 0.01, bid - 500, {"clientOrderId": "mine-1"})
    (opened,) = exchange.fetch_open_orders("BTC/USD")
    assert (opened["id"], opened["amount"], opened["price"]) == (created["id"], 0.01, bid - 500)
    exchange.edit_order(created["id"], "BTC/USD", "limit", "buy", 0.02, bid - 600)
    (amended,) = exchange.fetch_open_orders("BTC/USD")
    assert (amended["id"], amended["amount"], amended["price"]) == (created["id"], 0.02, bid - 600)
    exchange.cancel_order(created["id"], "BTC/USD")
    assert exchange.fetch_order(created["id"], "BTC/USD")["status"] == "canceled"


def test_ccxt_finds_its_fills_in_history_ledger_and_balance(venue: dict[str, Any]) -> None:
    exchange = connected(venue, 1)
    created = exchange.create_order("BTC/USD", "market", "buy", 0.02)
    order = exchange.fetch_order(created["id"], "BTC/USD")
    trades = exchange.fetch_my_trades("BTC/USD")
    assert (order["status"], order["filled"]) == ("closed", 0.02)
    assert sum(trade["amount"] for trade in trades) == pytest.approx(0.02)
    entries = exchange.fetch_ledger("BTC")
    assert sum(entry["amount"] for entry in entries) == pytest.approx(0.02)
    assert exchange.fetch_balance()["BTC"]["total"] == pytest.approx(1_000_000.02)


def test_ccxt_places_and_cancels_many_at_once_and_arms_the_dead_mans_switch(venue: dict[str, Any]) -> None:
    exchange = connected(venue, 2)
    bid = exchange.fetch_order_book("BTC/USD", 1)["bids"][0][0]
    item = {"symbol": "BTC/USD", "type": "limit", "side": "buy", "amount": 0.01}
    exchange.create_orders([{**item, "price": bid - 100 * number} for number in (5, 6, 7)])
    stop = exchange.create_order("BTC/USD", "stop-loss", "sell", 0.01, None, {"stopLossPrice": bid - 3_000})
    assert len(exchange.fetch_open_orders("BTC/USD")) == 4
    assert exchange.cancel_all_orders_after(60_000)["result"]["triggerTime"] != "0"
    exchange.cancel_orders([stop["id"]])
    exchange.cancel_all_orders()
    assert exchange.fetch_open_orders("BTC/USD") == []


def test_ccxt_reads_each_error_as_what_it_is(venue: dict[str, Any]) -> None:
    exchange = connected(venue, 3)
    exchange.load_markets()
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order("BTC/USD", "limit", "buy", 1_000, 80_000)
    with pytest.raises(ccxt.InvalidOrder, match="Order minimum not met"):
        exchange.private_post_addorder(
            {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "80000", "volume": "0.00001"}
        )
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order("O00000-00000-999999", "BTC/USD")
    with pytest.raises(ccxt.BaseError, match="EAPI:Invalid signature"):
        connected(venue, 3, secret=venue["accounts"][4]["api_secret"]).fetch_balance()
    exchange.fetch_balance()
    exchange.incrementing_nonce = lambda: 5
    with pytest.raises(ccxt.InvalidNonce):
        exchange.private_post_balance()


def test_ccxt_is_told_when_it_calls_too_often(venue: dict[str, Any]) -> None:
    exchange = connected(venue, 4)
    calls = (exchange.fetch_my_trades("BTC/USD") for _ in range(40))
    with pytest.raises(ccxt.DDoSProtection, match="EAPI:Rate limit exceeded"):
        list(calls)


# --------------------------------------------------------------------------------------------------- python-kraken-sdk


def test_python_kraken_sdk_trades_and_reads(venue: dict[str, Any]) -> None:
    spot = pytest.importorskip("kraken.spot")
    key = venue["accounts"][5]
    given = {"key": key["api_key"], "secret": key["api_secret"], "url": venue["rest"]}
    market, user, trade = spot.Market(url=venue["rest"]), spot.User(**given), spot.Trade(**given)
    assert market.get_asset_pairs(pair="XBTUSD")["XXBTZUSD"]["wsname"] == "XBT/USD"
    bid = float(market.get_order_book(pair="XBTUSD", count=1)["XXBTZUSD"]["bids"][0][0])
    added = trade.create_order(
        ordertype="limit", side="buy", pair="XBTUSD", price=str(round(bid - 500, 1)), volume="0.01", userref=12
    )
    (txid,) = added["txid"]
    assert user.get_open_orders(userref=12)["open"][txid]["status"] == "open"
    assert trade.amend_order(txid=txid, order_qty="0.005")["amend_id"]
    assert trade.cancel_order(txid=txid)["count"] == 1
    trade.create_order(ordertype="market", side="sell", pair="XBTUSD", volume="0.01")
    assert user.get_trades_history()["count"] >= 1
    assert user.get_account_balance()["XXBT"] == "999999.9900000000"
    with pytest.raises(Exception, match="Insufficient funds"):
        trade.create_order(ordertype="limit", side="buy", pair="XBTUSD", price="90000", volume="100000")


# ------------------------------------------------------------------------------------------------------------ krakenex


def test_krakenex_trades_and_reads(venue: dict[str, Any]) -> None:
    krakenex = pytest.importorskip("krakenex")
    key = venue["accounts"][0]
    client = krakenex.API(key=key["api_key"], secret=key["api_secret"])
    client.uri = venue["rest"]
    assert client.query_public("Time")["error"] == []
    answer = client.query_private(
        "AddOrder", {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "50000", "volume": "0.01"}
    )
    (txid,) = answer["result"]["txid"]
    assert client.query_private("CancelOrder", {"txid": txid})["result"] == {"count": 1}
    assert client.query_private("CancelOrder", {"txid": txid})["error"] == ["EOrder:Invalid order"]
