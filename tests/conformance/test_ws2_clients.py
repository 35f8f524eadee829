"""Clients by others against the served venue, over WebSocket v2 on a real socket: ccxt.pro and python-kraken-sdk.

ccxt.pro verifies the checksum of every book message itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.conformance.served_venue import served_venue

ccxt_pro = pytest.importorskip("ccxt.pro")

WAIT_S = 30


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--accounts", "4") as ready:
        yield ready


def run(venue: dict[str, Any], account: int, act: Callable[[Any], Awaitable[None]]) -> None:
    """Connect ccxt.pro to an account, act, and close it."""

    async def whole() -> None:
        key = venue["accounts"][account]
        client = ccxt_pro.kraken(
            {
                "apiKey": key["api_key"],
                "secret": key["api_secret"],
                "enableRateLimit": False,
                "options": {"checksum": True},
            }
        )
        client.urls["api"].update(public=venue["rest"], private=venue["rest"])
        client.urls["api"]["ws"] = dict.fromkeys(client.urls["api"]["ws"], venue["ws_v2"])
        try:
            async with asyncio.timeout(WAIT_S):
                await act(client)
        finally:
            await client.close()

    asyncio.run(whole())


def test_ccxt_pro_follows_the_book_with_every_checksum_right(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        for _ in range(100):
            book = await client.watch_order_book("BTC/USD", 10)
            assert book["bids"][0][0] < book["asks"][0][0]
        rest = await client.fetch_order_book("BTC/USD", 10)
        assert len(rest["bids"]) == len(book["bids"]) == 10

    run(venue, 0, act)


def test_ccxt_pro_follows_trades_tickers_and_candles(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        ticker = await client.watch_ticker("BTC/USD")
        assert ticker["bid"] < ticker["ask"]
        trades = await client.watch_trades("BTC/USD")
        assert trades[0]["side"] in ("buy", "sell")
        candles = await client.watch_ohlcv("BTC/USD", "1m")
        assert candles[-1][2] >= candles[-1][3]

    run(venue, 0, act)


def test_ccxt_pro_adds_amends_and_cancels_and_hears_of_it(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        book = await client.fetch_order_book("BTC/USD", 1)
        price = book["bids"][0][0] - 500
        orders = asyncio.create_task(client.watch_orders("BTC/USD"))
        await asyncio.sleep(0.5)
        created = await client.create_order_ws("BTC/USD", "limit", "buy", 0.01, price)
        heard = await orders
        assert {order["id"] for order in heard} == {created["id"]}
        await client.edit_order_ws(created["id"], "BTC/USD", "limit", "buy", 0.02, price - 100)
        (opened,) = await client.fetch_open_orders("BTC/USD")
        assert (opened["amount"], opened["price"]) == (0.02, price - 100)
        await client.cancel_order_ws(created["id"])
        assert await client.fetch_open_orders("BTC/USD") == []

    run(venue, 1, act)


def test_ccxt_pro_hears_of_its_fills(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        trades = asyncio.create_task(client.watch_my_trades("BTC/USD"))
        await asyncio.sleep(0.5)
        created = await client.create_order_ws("BTC/USD", "market", "sell", 0.01)
        heard = await trades
        assert {trade["order"] for trade in heard} == {created["id"]}

    run(venue, 2, act)


def test_ccxt_pro_is_told_why_an_order_was_refused(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        with pytest.raises(ccxt_pro.ExchangeError, match="EOrder:Insufficient funds"):
            await client.create_order_ws("BTC/USD", "limit", "buy", 10_000, 80_000)

    run(venue, 2, act)


def test_python_kraken_sdk_subscribes_and_trades(venue: dict[str, Any]) -> None:
    spot = pytest.importorskip("kraken.spot")
    key = venue["accounts"][3]
    heard: list[dict[str, Any]] = []

    class Client(spot.SpotWSClient):  # type: ignore[misc]
        async def on_message(self, message: dict[str, Any]) -> None:
            heard.append(message)

    async def until(condition: Callable[[dict[str, Any]], bool]) -> None:
        while not any(condition(message) for message in heard):
            await asyncio.sleep(0.05)

    async def act() -> None:
        base = venue["ws_v2"].removesuffix("/v2")
        client = Client(
            key=key["api_key"], secret=key["api_secret"], rest_url=venue["rest"], ws_url=base, auth_ws_url=base
        )
        await client.start()
        await client.subscribe(params={"channel": "book", "symbol": ["BTC/USD"]})
        await client.subscribe(params={"channel": "executions"})
        await until(lambda message: message.get("channel") == "book" and message["type"] == "update")
        await until(lambda message: message.get("channel") == "executions" and message["type"] == "snapshot")
        await client.send_message(
            {
                "method": "add_order",
                "params": {"order_type": "market", "side": "buy", "order_qty": 0.01, "symbol": "BTC/USD"},
            }
        )
        await until(lambda message: message.get("method") == "add_order" and message["success"])
        await until(lambda message: message.get("channel") == "executions" and message["type"] == "update")
        await client.close()

    asyncio.run(asyncio.wait_for(act(), WAIT_S))


def test_python_kraken_sdk_follows_the_orders_of_the_book(venue: dict[str, Any]) -> None:
    """Its client for level 3 is one that points at the address of level 3."""
    spot = pytest.importorskip("kraken.spot")
    key = venue["accounts"][3]
    heard: list[dict[str, Any]] = []

    class Client(spot.SpotWSClient):  # type: ignore[misc]
        async def on_message(self, message: dict[str, Any]) -> None:
            heard.append(message)

    async def act() -> None:
        client = Client(
            key=key["api_key"],
            secret=key["api_secret"],
            rest_url=venue["rest"],
            ws_url=venue["ws_v2"].removesuffix("/v2"),
            auth_ws_url=venue["ws_l3"].removesuffix("/v2"),
        )
        await client.start()
        await client.subscribe(params={"channel": "level3", "symbol": ["BTC/USD"]})
        while sum(message.get("channel") == "level3" for message in heard) < 20:
            await asyncio.sleep(0.05)
        await client.close()

    asyncio.run(asyncio.wait_for(act(), WAIT_S))
    snapshot, *updates = (message for message in heard if message.get("channel") == "level3")
    assert (snapshot["type"], {message["type"] for message in updates}) == ("snapshot", {"update"})
