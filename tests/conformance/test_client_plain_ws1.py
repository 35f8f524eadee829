"""A client of WebSocket v1 that is aiohttp and what the pages of websocket-v1 say, against the served venue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.adapters.kraken.server.ws1.rig import BookClient
from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control
from tests.conformance.test_served_sockets import private, trusting

WAIT_S = 30


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--accounts", "5") as ready:
        yield ready


class Line:
    """A connection that reads until something has come; ``read`` are all messages so far."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.read: list[Any] = []

    async def send(self, event: str, **fields: Any) -> None:
        await self.socket.send_json({"event": event, **fields})

    async def until(self, condition: Callable[[Any], bool]) -> Any:
        """The next message of which something holds."""
        while True:
            message = await self.socket.receive_json(timeout=WAIT_S)
            self.read.append(message)
            if condition(message):
                return message

    async def answer(self, event: str, **fields: Any) -> Any:
        """The status of an event, which must be ok."""
        await self.send(event, **fields)
        status = await self.until(lambda message: is_event(message, f"{event}Status"))
        assert status["status"] == "ok", status
        return status

    def rows(self, channel: str) -> list[Any]:
        """The rows of a private channel so far."""
        frames = [message for message in self.read if is_of(message, channel)]
        return [row for frame in frames for item in frame[0] for row in item.values()]


def is_event(message: Any, name: str) -> bool:
    return isinstance(message, dict) and message["event"] == name


def is_of(message: Any, channel: str) -> bool:
    return isinstance(message, list) and message[-2] == channel


def run(ready: dict[str, Any], act: Callable[[Line], Awaitable[None]]) -> None:
    """Connect, act, and close."""

    async def whole() -> None:
        context = trusting(ready)
        async with (
            asyncio.timeout(WAIT_S),
            aiohttp.ClientSession() as session,
            session.ws_connect(ready["ws_v1"], ssl=True if context is None else context) as socket,
        ):
            await act(Line(socket))

    asyncio.run(whole())


async def follow_own(line: Line, ready: dict[str, Any], account: int) -> str:
    """Subscribe to an account's orders and trades; its token."""
    token = str(await asyncio.to_thread(lambda: private(ready, "GetWebSocketsToken", account)["token"]))
    for name in ("ownTrades", "openOrders"):
        await line.send("subscribe", subscription={"name": name, "token": token})
        await line.until(lambda message, name=name: is_of(message, name))  # type: ignore[misc]
    return token


async def add(line: Line, token: str, **more: str) -> str:
    """Add an order, one that rests if nothing else is said; its id."""
    order = {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "price": "50000.0", "volume": "0.01", **more}
    return str((await line.answer("addOrder", token=token, **order))["txid"])


async def error(line: Line, event: str, **fields: Any) -> str:
    """Why an event is refused."""
    await line.send(event, **fields)
    status = await line.until(lambda message: is_event(message, f"{event}Status"))
    assert status["status"] == "error", status
    return str(status["errorMessage"])


async def status_of(line: Line, txid: str, status: str) -> None:
    """Read until an order is said to have come to a status."""

    def is_told(message: Any) -> bool:
        rows = [item for item in message[0] if txid in item] if is_of(message, "openOrders") else []
        return any(item[txid].get("status") == status for item in rows)

    if not any(map(is_told, line.read)):
        await line.until(is_told)


def test_connects(venue: dict[str, Any]) -> None:
    async def act(line: Line) -> None:
        status = await line.until(lambda message: True)
        assert (status["event"], status["status"]) == ("systemStatus", "online")
        await line.send("ping", reqid=42)
        assert (await line.until(lambda message: is_event(message, "pong")))["reqid"] == 42

    run(venue, act)


def test_reads_market_data(venue: dict[str, Any]) -> None:
    async def act(line: Line) -> None:
        for name in ("ticker", "trade", "spread", "ohlc"):
            await line.send("subscribe", pair=["XBT/USD"], subscription={"name": name})
            status = await line.until(lambda message: is_event(message, "subscriptionStatus"))
            assert status["status"] == "subscribed"
            channel = "ohlc-1" if name == "ohlc" else name
            told = await line.until(lambda message, channel=channel: is_of(message, channel))  # type: ignore[misc]
            assert told[-1] == "XBT/USD"

    run(venue, act)


def test_every_checksum_of_the_book_is_right(venue: dict[str, Any]) -> None:
    books = {10: BookClient(10), 1000: BookClient(1000)}

    async def act(line: Line) -> None:
        for depth in books:
            await line.send("subscribe", pair=["XBT/USD"], subscription={"name": "book", "depth": depth})
        while any(book.checked < 50 for book in books.values()):
            frame = await line.until(lambda message: isinstance(message, list))
            books[int(frame[-2].removeprefix("book-"))].apply(frame)
        assert [book.snapshots for book in books.values()] == [1, 1]

    run(venue, act)


def test_adds_an_order(venue: dict[str, Any]) -> None:
    async def act(line: Line) -> None:
        token = await follow_own(line, venue, 0)
        await status_of(line, await add(line, token), "open")

    run(venue, act)


def test_amends_an_order(venue: dict[str, Any]) -> None:
    """amendOrder keeps the order; editOrder puts another one in its place."""

    async def act(line: Line) -> None:
        token = await follow_own(line, venue, 0)
        txid = await add(line, token)
        await line.answer("amendOrder", txid=txid, volume="0.02", token=token)
        edited = await line.answer("editOrder", orderid=txid, pair="XBT/USD", price="49000", token=token)
        await status_of(line, txid, "canceled")
        await status_of(line, edited["txid"], "open")
        shown = (await asyncio.to_thread(private, venue, "QueryOrders", txid=edited["txid"]))[edited["txid"]]
        assert (shown["vol"], shown["descr"]["price"]) == ("0.02000000", "49000.0")

    run(venue, act)


def test_cancels_an_order(venue: dict[str, Any]) -> None:
    async def act(line: Line) -> None:
        token = await follow_own(line, venue, 0)
        txid = await add(line, token)
        await line.answer("cancelOrder", txid=[txid], token=token)
        await status_of(line, txid, "canceled")

    run(venue, act)


def test_learns_of_its_fills(venue: dict[str, Any]) -> None:
    async def act(line: Line) -> None:
        token = await follow_own(line, venue, 1)
        txid = await add(line, token, ordertype="market")
        await status_of(line, txid, "closed")
        trades = line.rows("ownTrades")  # several, where the best price had less
        assert {trade["ordertxid"] for trade in trades} == {txid}
        assert sum(Decimal(trade["vol"]) for trade in trades) == Decimal("0.01")
        assert all(Decimal(trade["cost"]) > 0 for trade in trades)

    run(venue, act)


def test_reads_its_history(venue: dict[str, Any]) -> None:
    """A new subscription begins with the last trades and the open orders."""
    made: dict[str, str] = {}

    async def trade(line: Line) -> None:
        token = await follow_own(line, venue, 2)
        made["filled"] = await add(line, token, ordertype="market")
        made["open"] = await add(line, token)
        await status_of(line, made["open"], "open")

    async def read(line: Line) -> None:
        await follow_own(line, venue, 2)
        assert {row["ordertxid"] for row in line.rows("ownTrades")} == {made["filled"]}
        await status_of(line, made["open"], "open")

    run(venue, trade)
    run(venue, read)


def test_is_told_of_a_bad_signature(venue: dict[str, Any]) -> None:
    """The token stands for it: one that is none."""

    async def act(line: Line) -> None:
        order = {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "price": "50000.0", "volume": "0.01"}
        assert await error(line, "addOrder", token="none", **order) == "ESession:Invalid session"
        await line.send("subscribe", subscription={"name": "ownTrades", "token": "none"})
        status = await line.until(lambda message: is_event(message, "subscriptionStatus"))
        assert (status["status"], status["errorMessage"]) == ("error", "ESession:Invalid session")

    run(venue, act)


def test_is_told_of_an_unknown_order(venue: dict[str, Any]) -> None:
    async def act(line: Line) -> None:
        token = await follow_own(line, venue, 0)
        unknown = await error(line, "cancelOrder", txid=["OAAAAA-AAAAA-AAAAAA"], token=token)
        assert unknown == "EOrder:Unknown order"

    run(venue, act)


def test_is_told_of_insufficient_funds(venue: dict[str, Any]) -> None:
    async def act(line: Line) -> None:
        token = await follow_own(line, venue, 0)
        order = {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "price": "50000.0", "volume": "1000"}
        assert await error(line, "addOrder", token=token, **order) == "EOrder:Insufficient funds"

    run(venue, act)


def test_is_told_of_a_rate_limit(venue: dict[str, Any]) -> None:
    async def act(line: Line) -> None:
        token = await follow_own(line, venue, 3)
        order = {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "price": "50000.0", "volume": "0.01"}
        for _ in range(80):
            await line.send("addOrder", token=token, **order)
            added = await line.until(lambda message: is_event(message, "addOrderStatus"))
            if added["status"] == "error":
                break
            await line.send("cancelOrder", token=token, txid=[added["txid"]])
        assert added["errorMessage"] == "EOrder:Rate limit exceeded"

    run(venue, act)


def test_reconnects(venue: dict[str, Any]) -> None:
    """A line that was cut leaves the orders open; a new one begins with them, and with the book."""
    made: list[str] = []

    async def trade(line: Line) -> None:
        token = await follow_own(line, venue, 4)
        made.append(await add(line, token))
        await asyncio.to_thread(control, venue, "/sessions/drop", kind="ws_v1", how="abort")
        while not line.socket.closed:
            await line.socket.receive(timeout=WAIT_S)

    async def go_on(line: Line) -> None:
        token = await follow_own(line, venue, 4)
        await status_of(line, made[0], "open")
        await line.send("subscribe", pair=["XBT/USD"], subscription={"name": "book"})
        book = BookClient(10)
        while not book.checked:
            book.apply(await line.until(lambda message: is_of(message, "book-10")))
        await line.answer("cancelOrder", txid=made, token=token)
        await status_of(line, made[0], "canceled")

    run(venue, trade)
    run(venue, go_on)


@pytest.mark.parametrize("options", [[], ["--tls"]], ids=["plain", "tls"])
def test_a_client_trades_and_hears_of_it(tmp_path: Path, options: list[str]) -> None:
    with served_venue(tmp_path, *options, "--state", str(tmp_path / "state")) as ready:
        token = private(ready, "GetWebSocketsToken")["token"]

        async def act(line: Line) -> None:
            for name in ("ownTrades", "openOrders"):
                await line.send("subscribe", subscription={"name": name, "token": token})
                await line.until(lambda message, name=name: is_of(message, name))  # type: ignore[misc]
            order = {"pair": "XBT/USD", "token": token, "volume": "0.01"}
            limit = await line.answer("addOrder", **order, type="buy", ordertype="limit", price="50000.0")
            assert limit["txid"] in private(ready, "OpenOrders")["open"]
            edited = await line.answer("editOrder", orderid=limit["txid"], pair="XBT/USD", price="49000", token=token)
            await line.answer("amendOrder", txid=edited["txid"], volume="0.02", token=token)
            await line.answer("cancelOrder", txid=[edited["txid"]], token=token)
            await line.answer("addOrder", **order, type="sell", ordertype="market")
            await line.until(lambda message: is_of(message, "openOrders") and "closed" in str(message))
            trades = line.rows("ownTrades")
            assert {trade["type"] for trade in trades} == {"sell"}
            assert sum(Decimal(trade["vol"]) for trade in trades) == Decimal("0.01")
            told = [row["status"] for row in line.rows("openOrders") if "status" in row]
            assert told == ["pending", "open", "canceled", "pending", "open", "canceled", "pending", "open", "closed"]
            assert (await line.answer("cancelAll", token=token))["count"] == 0
            assert (await line.answer("cancelAllOrdersAfter", timeout=0, token=token))["triggerTime"] == "0"

        run(ready, act)
        assert private(ready, "OpenOrders")["open"] == {}
