"""python-kraken-sdk over WebSocket v2 against the served venue, with nothing changed in it but the addresses.

Its client of the book verifies the checksums of level 2 itself; those of level 3 are verified here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control
from tests.conformance.test_served_market_data import Book, checksum

spot = pytest.importorskip("kraken.spot")
errors = pytest.importorskip("kraken.exceptions")
websockets = pytest.importorskip("websockets")

pytestmark = pytest.mark.slow

WAIT_S = 60
UPDATES = 100


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--accounts", "6") as ready:
        yield ready


class Client(spot.SpotWSClient):  # type: ignore[misc]
    """Keeps what it is sent."""

    def __init__(self, venue: dict[str, Any], account: int, address: str = "ws_v2", **changes: str) -> None:
        key = venue["accounts"][account]
        base = venue[address].removesuffix("/v2")
        given = {"key": key["api_key"], "secret": key["api_secret"], **changes}
        super().__init__(rest_url=venue["rest"], ws_url=base, auth_ws_url=base, **given)
        self.heard: list[dict[str, Any]] = []
        self.request_count = 0

    async def on_message(self, message: dict[str, Any]) -> None:
        self.heard.append(message)

    async def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message of which something holds."""
        while True:
            for message in self.heard:
                if condition(message):
                    return message
            await asyncio.sleep(0.02)

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request; its answer."""
        self.request_count += 1
        number = 1_000 + self.request_count
        await self.send_message({"method": method, "params": params, "req_id": number})
        return await self.until(lambda message: message.get("req_id") == number)

    async def add(self, **more: Any) -> dict[str, Any]:
        """Add an order, one that rests if nothing else is said; the answer."""
        order = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "limit_price": 50000, "order_qty": 0.01}
        if more.get("order_type") == "market":
            del order["limit_price"]
        return await self.ask("add_order", **order | more)

    async def events(self, order_id: str, exec_type: str) -> dict[str, Any]:
        """An event of an order."""

        def rows(message: dict[str, Any]) -> list[dict[str, Any]]:
            return message["data"] if message.get("channel") == "executions" else []

        def is_event(row: dict[str, Any]) -> bool:
            return (row["order_id"], row["exec_type"]) == (order_id, exec_type)

        message = await self.until(lambda told: any(map(is_event, rows(told))))
        return next(filter(is_event, rows(message)))


@asynccontextmanager
async def started(client: Any) -> AsyncIterator[Any]:
    await client.start()
    try:
        yield client
    finally:
        await closed(client)


async def closed(client: Any) -> None:
    """Close it. It looks whether it is to end when something has come, and each ten seconds: pongs come at once."""
    closing = asyncio.create_task(client.close())
    while not closing.done():
        for connection in (client._pub_conn, client._priv_conn):
            if getattr(connection, "socket", None) is not None:
                with suppress(websockets.ConnectionClosed):
                    await connection.send_ping()
        await asyncio.wait((closing,), timeout=0.05)
    await closing


def run(venue: dict[str, Any], account: int, act: Callable[[Client], Awaitable[None]]) -> None:
    """Connect to an account, follow its orders, act, and close."""

    async def whole() -> None:
        async with asyncio.timeout(WAIT_S), started(Client(venue, account)) as client:
            await client.subscribe(params={"channel": "executions"})
            await client.until(lambda told: told.get("channel") == "executions" and told["type"] == "snapshot")
            await act(client)

    asyncio.run(whole())


def test_connects(venue: dict[str, Any]) -> None:
    async def act(client: Client) -> None:
        status = await client.until(lambda told: told.get("channel") == "status")
        assert status["data"][0]["system"] == "online"
        assert (await client.ask("ping"))["method"] == "pong"

    run(venue, 0, act)


def test_reads_market_data(venue: dict[str, Any]) -> None:
    async def act(client: Client) -> None:
        for channel in ("ticker", "trade", "book", "ohlc"):
            await client.subscribe(params={"channel": channel, "symbol": ["BTC/USD"]})
            told = await client.until(lambda message: message.get("channel") == channel)  # noqa: B023
            assert told["data"][0]["symbol"] == "BTC/USD"
        await client.subscribe(params={"channel": "instrument"})
        pairs = (await client.until(lambda message: message.get("channel") == "instrument"))["data"]["pairs"]
        assert "BTC/USD" in {pair["symbol"] for pair in pairs}

    run(venue, 0, act)


def test_every_checksum_of_the_book_is_right(venue: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client of the book takes no addresses; they stand in its classes."""
    base = venue["ws_v2"].removesuffix("/v2")
    monkeypatch.setattr(spot.SpotOrderBookClient, "WS_URL", base)
    monkeypatch.setattr(spot.Market, "URL", venue["rest"])
    updates: list[dict[str, Any]] = []

    async def whole() -> None:
        book = spot.SpotOrderBookClient(callback=lambda pair, message: updates.append(message))
        async with asyncio.timeout(WAIT_S), started(book):
            await book.add_book(pairs=["BTC/USD"])
            while len(updates) < UPDATES:
                await asyncio.sleep(0.05)
            assert book.get("BTC/USD")["valid"]

    asyncio.run(whole())
    assert [update for update in updates if "error" in update] == []


def test_every_checksum_of_level_3_is_right(venue: dict[str, Any]) -> None:
    book = Book()

    def apply(data: Any) -> None:
        for side, name in enumerate(("bids", "asks")):
            for row in data[name]:
                if row.get("event") == "delete":
                    del book.sides[side][row["order_id"]]
                else:
                    # The client reads numbers as floats, whose shortest form is what was sent, up to zeros at the end.
                    book.sides[side][row["order_id"]] = (repr(row["limit_price"]), repr(row["order_qty"]))
        book.cut(10)
        assert data["checksum"] == checksum(book.rows(1), book.rows(0))

    async def whole() -> None:
        async with asyncio.timeout(WAIT_S), started(Client(venue, 0, "ws_l3")) as client:
            await client.subscribe(params={"channel": "level3", "symbol": ["BTC/USD"]})
            seen = 0
            while seen < UPDATES:
                while not client.heard:
                    await asyncio.sleep(0.01)
                message = client.heard.pop(0)
                if message.get("channel") == "level3":
                    apply(message["data"][0])
                    seen += 1

    asyncio.run(whole())


def test_adds_an_order(venue: dict[str, Any]) -> None:
    async def act(client: Client) -> None:
        answer = await client.add(cl_ord_id="mine-1")
        assert answer["success"]
        event = await client.events(answer["result"]["order_id"], "new")
        assert (event["order_status"], event["cl_ord_id"]) == ("new", "mine-1")

    run(venue, 1, act)


def test_amends_an_order(venue: dict[str, Any]) -> None:
    async def act(client: Client) -> None:
        order_id = (await client.add())["result"]["order_id"]
        answer = await client.ask("amend_order", order_id=order_id, order_qty=0.005, limit_price=49000)
        assert answer["success"]
        event = await client.events(order_id, "amended")
        assert (event["order_qty"], event["limit_price"]) == (0.005, 49000)

    run(venue, 1, act)


def test_cancels_an_order(venue: dict[str, Any]) -> None:
    async def act(client: Client) -> None:
        order_id = (await client.add())["result"]["order_id"]
        assert (await client.ask("cancel_order", order_id=[order_id]))["success"]
        assert (await client.events(order_id, "canceled"))["order_status"] == "canceled"

    run(venue, 1, act)


def test_learns_of_its_fills(venue: dict[str, Any]) -> None:
    async def act(client: Client) -> None:
        order_id = (await client.add(order_type="market"))["result"]["order_id"]

        def trades() -> list[dict[str, Any]]:
            told = (
                row for message in client.heard if message.get("channel") == "executions" for row in message["data"]
            )
            return [row for row in told if (row["order_id"], row["exec_type"]) == (order_id, "trade")]

        # In parts, where the best price has less.
        await client.until(lambda _: sum(row["last_qty"] for row in trades()) == pytest.approx(0.01))
        assert {row["liquidity_ind"] for row in trades()} == {"t"}

    run(venue, 2, act)


def test_reads_its_history(venue: dict[str, Any]) -> None:
    """A new subscription begins with the last trades, if it is asked to, and with the open orders."""
    kept: dict[str, str] = {}

    async def trade(client: Client) -> None:
        kept["open"] = (await client.add())["result"]["order_id"]
        kept["filled"] = (await client.add(order_type="market"))["result"]["order_id"]
        await client.events(kept["filled"], "trade")

    async def read() -> None:
        async with asyncio.timeout(WAIT_S), started(Client(venue, 3)) as client:
            await client.subscribe(params={"channel": "executions", "snap_trades": True, "snap_orders": True})
            told = await client.until(lambda message: message.get("channel") == "executions")
            assert told["type"] == "snapshot"
            assert {row["order_id"] for row in told["data"]} == set(kept.values())

    run(venue, 3, trade)
    asyncio.run(read())


def test_is_told_of_a_bad_signature(venue: dict[str, Any]) -> None:
    """By the request for its token, which goes over REST."""

    async def ask() -> None:
        client = Client(venue, 0, secret=venue["accounts"][1]["api_secret"])
        try:
            await client.get_ws_token()
        finally:
            await closed(client)

    with pytest.raises(errors.KrakenInvalidSignatureError):
        asyncio.run(ask())


def test_is_told_of_a_bad_nonce(venue: dict[str, Any]) -> None:
    """By the request for its token, which goes over REST."""

    async def ask() -> None:
        client = Client(venue, 0)
        try:
            await client.get_ws_token()
            client.get_nonce = lambda: "5"
            await client.get_ws_token()
        finally:
            await closed(client)

    with pytest.raises(errors.KrakenInvalidNonceError):
        asyncio.run(ask())


def test_is_told_of_an_unknown_order(venue: dict[str, Any]) -> None:
    async def act(client: Client) -> None:
        answer = await client.ask("cancel_order", order_id=["OAAAAA-AAAAA-AAAAAA"])
        assert (answer["success"], answer["error"]) == (False, "EOrder:Unknown order")

    run(venue, 0, act)


def test_is_told_of_insufficient_funds(venue: dict[str, Any]) -> None:
    async def act(client: Client) -> None:
        answer = await client.add(order_qty=10_000)
        assert (answer["success"], answer["error"]) == (False, "EOrder:Insufficient funds")

    run(venue, 0, act)


def test_is_told_of_a_rate_limit(venue: dict[str, Any]) -> None:
    async def act(client: Client) -> None:
        answers = []
        for _ in range(80):
            answers.append(await client.add())
            if not answers[-1]["success"]:
                break
            await client.ask("cancel_order", order_id=[answers[-1]["result"]["order_id"]])
        assert answers[0]["success"]
        assert answers[-1]["error"] == "EOrder:Rate limit exceeded"

    run(venue, 4, act)


def test_reconnects(venue: dict[str, Any]) -> None:
    """By itself: it subscribes to what it had, and goes on trading."""

    async def act(client: Client) -> None:
        await client.subscribe(params={"channel": "book", "symbol": ["BTC/USD"]})
        await client.until(lambda told: told.get("channel") == "book")
        before = (await client.add())["result"]["order_id"]
        client.heard.clear()
        await asyncio.to_thread(control, venue, "/sessions/drop", kind="ws_v2", how="abort")
        await client.until(lambda told: told.get("channel") == "book" and told["type"] == "snapshot")
        told = await client.until(lambda told: told.get("channel") == "executions" and told["type"] == "snapshot")
        assert before in {row["order_id"] for row in told["data"]}
        assert (await client.ask("cancel_order", order_id=[before]))["success"]

    run(venue, 5, act)
