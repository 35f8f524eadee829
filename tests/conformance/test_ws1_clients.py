"""Clients against the served venue, over WebSocket v1 on a real socket: cryptofeed, which verifies checksums itself,
and one of our own, which does all that the pages say (websocket-v1).

cryptofeed takes no connection without TLS. It is built from source and is skipped where it is not installed.
"""

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
from tests.conformance.test_served_sockets import private, trusting

WAIT_S = 30


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with served_venue(tmp_path_factory.mktemp("venue"), "--accounts", "3") as ready:
        yield ready


@pytest.fixture(scope="module")
def secure_venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("secure")
    with served_venue(folder, "--tls", "--state", str(folder / "state")) as ready:
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


# ------------------------------------------------------------------------------------------------------- our own client


def test_a_client_is_greeted_and_finds_every_checksum_right(venue: dict[str, Any]) -> None:
    books = {10: BookClient(10), 1000: BookClient(1000)}

    async def act(line: Line) -> None:
        assert (await line.until(lambda message: True))["event"] == "systemStatus"
        for depth in books:
            await line.send("subscribe", pair=["XBT/USD"], subscription={"name": "book", "depth": depth})
        while any(book.checked < 50 for book in books.values()):
            frame = await line.until(lambda message: isinstance(message, list))
            books[int(frame[-2].removeprefix("book-"))].apply(frame)
        assert [book.snapshots for book in books.values()] == [1, 1]

    run(venue, act)


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
            (trade,) = line.rows("ownTrades")
            assert (trade["type"], trade["vol"]) == ("sell", "0.01000000")
            assert Decimal(trade["cost"]) > 0
            told = [row["status"] for row in line.rows("openOrders") if "status" in row]
            assert told == ["pending", "open", "canceled", "pending", "open", "canceled", "pending", "open", "closed"]
            assert (await line.answer("cancelAll", token=token))["count"] == 0
            assert (await line.answer("cancelAllOrdersAfter", timeout=0, token=token))["triggerTime"] == "0"

        run(ready, act)
        assert private(ready, "OpenOrders")["open"] == {}


# ----------------------------------------------------------------------------------------------------------- cryptofeed


@pytest.mark.parametrize("depth", [10, 100, 1000])
def test_cryptofeed_follows_the_book_with_every_checksum_right(secure_venue: dict[str, Any], depth: int) -> None:
    defines = pytest.importorskip("cryptofeed.defines")
    seen: list[Any] = []

    async def on_book(book: Any, receipt: float) -> None:
        seen.append(book.checksum)
        bids, asks = book.book.bids, book.book.asks
        assert bids.index(0)[0] < asks.index(0)[0]

    follow(secure_venue, [defines.L2_BOOK], {defines.L2_BOOK: on_book}, lambda: len(seen) > 150, max_depth=depth)
    assert sum(checksum is not None for checksum in seen) > 100


def test_cryptofeed_follows_trades_tickers_and_candles(secure_venue: dict[str, Any]) -> None:
    defines = pytest.importorskip("cryptofeed.defines")
    names = [defines.TRADES, defines.TICKER, defines.CANDLES]
    seen: dict[str, list[Any]] = {name: [] for name in names}

    def keep(name: str) -> Callable[[Any, float], Awaitable[None]]:
        async def on_message(message: Any, receipt: float) -> None:
            seen[name].append(message)

        return on_message

    follow(secure_venue, names, {name: keep(name) for name in names}, lambda: min(map(len, seen.values())) > 3)
    trade, ticker, candle = (messages[-1] for messages in seen.values())
    assert (trade.symbol, trade.side in ("buy", "sell"), trade.price > 0) == ("BTC-USD", True, True)
    assert ticker.bid < ticker.ask
    assert candle.low <= candle.open <= candle.high
    assert candle.stop - candle.start == 60


def follow(
    ready: dict[str, Any], channels: list[str], callbacks: dict[str, Any], is_done: Callable[[], bool], **options: Any
) -> None:
    """Run cryptofeed against the venue until something holds; an error in it ends the test."""
    exchanges = pytest.importorskip("cryptofeed.exchanges")
    connection = pytest.importorskip("cryptofeed.connection")
    feedhandler = pytest.importorskip("cryptofeed").FeedHandler

    addresses = {
        "websocket_endpoints": [connection.WebsocketEndpoint(ready["ws_v1"], options={"ssl": trusting(ready)})],
        "rest_endpoints": [connection.RestEndpoint(ready["rest"], routes=connection.Routes("/0/public/AssetPairs"))],
    }
    kraken = type("Kraken", (exchanges.Kraken,), addresses)

    async def whole() -> None:
        failures: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context))
        handler = feedhandler(config={"log": {"disabled": True}, "uvloop": False})
        feed = kraken(
            symbols=["BTC-USD"], channels=channels, callbacks=callbacks, checksum_validation=True, retries=0, **options
        )
        handler.add_feed(feed)
        handler.run(start_loop=False, install_signal_handlers=False)
        async with asyncio.timeout(WAIT_S):
            while not is_done():
                await asyncio.sleep(0.05)
                assert not failures, failures
        await feed.shutdown()

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REQUESTS_CA_BUNDLE", ready["ca_certificate"])
        asyncio.run(whole())
