"""ccxt.pro over WebSocket v2 against the served venue, with nothing changed in it but the addresses.

It verifies the checksum of every book message itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control

ccxt_pro = pytest.importorskip("ccxt.pro")

WAIT_S = 60


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--accounts", "6") as ready:
        yield ready


def run(venue: dict[str, Any], account: int, act: Callable[[Any], Awaitable[None]], **changes: str) -> None:
    """Connect ccxt.pro to an account, act, and close it."""

    async def whole() -> None:
        key = venue["accounts"][account]
        client = ccxt_pro.kraken(
            {
                "apiKey": key["api_key"],
                "secret": key["api_secret"],
                "enableRateLimit": False,
                "options": {"checksum": True},
                **changes,
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


async def rest_bid(client: Any) -> float:
    """A price that rests in the book, far from the market."""
    return float((await client.fetch_order_book("BTC/USD", 1))["bids"][0][0]) - 500


async def add(client: Any) -> str:
    """Add an order that rests; its id."""
    created = await client.create_order_ws("BTC/USD", "limit", "buy", 0.01, await rest_bid(client))
    return str(created["id"])


def test_connects(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        assert await client.authenticate()
        assert (await client.watch_ticker("BTC/USD"))["last"] > 0

    run(venue, 0, act)


def test_reads_market_data(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        ticker = await client.watch_ticker("BTC/USD")
        assert ticker["bid"] < ticker["ask"]
        trades = await client.watch_trades("BTC/USD")
        assert trades[0]["side"] in ("buy", "sell")
        candles = await client.watch_ohlcv("BTC/USD", "1m")
        assert candles[-1][2] >= candles[-1][3]

    run(venue, 0, act)


def test_every_checksum_of_the_book_is_right(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        for _ in range(100):
            book = await client.watch_order_book("BTC/USD", 10)
            assert book["bids"][0][0] < book["asks"][0][0]
        rest = await client.fetch_order_book("BTC/USD", 10)
        assert len(rest["bids"]) == len(book["bids"]) == 10

    run(venue, 0, act)


def test_adds_an_order(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        orders = asyncio.create_task(client.watch_orders("BTC/USD"))
        await asyncio.sleep(0.5)
        order_id = await add(client)
        assert {order["id"] for order in await orders} == {order_id}
        assert [order["id"] for order in await client.fetch_open_orders("BTC/USD")] == [order_id]

    run(venue, 1, act)


def test_amends_an_order(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        order_id = await add(client)
        price = await rest_bid(client) - 100
        await client.edit_order_ws(order_id, "BTC/USD", "limit", "buy", 0.02, price)
        amended = await client.fetch_order(order_id, "BTC/USD")
        assert (amended["status"], amended["amount"], amended["price"]) == ("open", 0.02, price)

    run(venue, 2, act)


def test_cancels_an_order(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        order_id = await add(client)
        await client.cancel_order_ws(order_id)
        assert (await client.fetch_order(order_id, "BTC/USD"))["status"] == "canceled"

    run(venue, 2, act)


def test_learns_of_its_fills(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        trades = asyncio.create_task(client.watch_my_trades("BTC/USD"))
        await asyncio.sleep(0.5)
        created = await client.create_order_ws("BTC/USD", "market", "sell", 0.01)
        assert {trade["order"] for trade in await trades} == {created["id"]}

    run(venue, 3, act)


def test_reads_its_history(venue: dict[str, Any]) -> None:
    """The trades before the subscription come with it."""
    made: list[str] = []

    async def trade(client: Any) -> None:
        made.append((await client.create_order_ws("BTC/USD", "market", "buy", 0.01))["id"])

    async def read(client: Any) -> None:
        assert {trade["order"] for trade in await client.watch_my_trades("BTC/USD")} >= set(made)

    run(venue, 4, trade)
    run(venue, 4, read)


def test_is_told_of_a_bad_signature(venue: dict[str, Any]) -> None:
    """By the request for its token, which goes over REST."""

    async def act(client: Any) -> None:
        with pytest.raises(ccxt_pro.BaseError, match="EAPI:Invalid signature"):
            await client.watch_orders("BTC/USD")

    run(venue, 0, act, secret=venue["accounts"][1]["api_secret"])


def test_is_told_of_a_bad_nonce(venue: dict[str, Any]) -> None:
    """By the request for its token, which goes over REST."""

    async def act(client: Any) -> None:
        await client.fetch_balance()
        client.incrementing_nonce = lambda: 5
        with pytest.raises(ccxt_pro.InvalidNonce):
            await client.watch_orders("BTC/USD")

    run(venue, 0, act)


def test_is_told_of_an_unknown_order(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        with pytest.raises(ccxt_pro.OrderNotFound):
            await client.cancel_order_ws("OAAAAA-AAAAA-AAAAAA")

    run(venue, 0, act)


def test_is_told_of_insufficient_funds(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        with pytest.raises(ccxt_pro.ExchangeError, match="EOrder:Insufficient funds"):
            await client.create_order_ws("BTC/USD", "limit", "buy", 10_000, 80_000)

    run(venue, 0, act)


def test_is_told_of_a_rate_limit(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        price = await rest_bid(client)

        async def hurry() -> None:
            for _ in range(80):
                created = await client.create_order_ws("BTC/USD", "limit", "buy", 0.01, price)
                await client.cancel_order_ws(created["id"])

        with pytest.raises(ccxt_pro.RateLimitExceeded, match="EOrder:Rate limit exceeded"):
            await hurry()

    run(venue, 5, act)


def test_reconnects(venue: dict[str, Any]) -> None:
    async def act(client: Any) -> None:
        await client.watch_order_book("BTC/USD", 10)
        order_id = await add(client)
        dropped = await asyncio.to_thread(control, venue, "/sessions/drop", kind="ws_v2", how="abort")
        updates = 0
        while updates < 20:
            with contextlib.suppress(ccxt_pro.NetworkError):  # told once, if a call waits while the line is cut
                book = await client.watch_order_book("BTC/USD", 10)
                updates += 1
        assert len(book["bids"]) == 10
        (now,) = (await asyncio.to_thread(control, venue, "/sessions"))["connections"]
        assert now["number"] not in dropped["dropped"]
        await client.cancel_order_ws(order_id)
        assert (await client.fetch_order(order_id, "BTC/USD"))["status"] == "canceled"

    run(venue, 2, act)
