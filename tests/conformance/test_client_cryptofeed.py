"""cryptofeed over WebSocket v1 against the served venue, with nothing changed in it but the addresses.

It verifies the checksum of every book message itself, and takes no connection without TLS. It is built from source and
is skipped where it is not installed (``make conformance`` installs it, up to Python 3.12).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control
from tests.conformance.test_served_sockets import trusting

defines = pytest.importorskip("cryptofeed.defines")
exchanges = pytest.importorskip("cryptofeed.exchanges")
connection = pytest.importorskip("cryptofeed.connection")
feedhandler = pytest.importorskip("cryptofeed")

WAIT_S = 60


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("venue")
    with served_venue(folder, "--tls", "--state", str(folder / "state")) as ready:
        yield ready


def follow(
    ready: dict[str, Any],
    channels: list[str],
    callbacks: dict[str, Any],
    is_done: Callable[[], bool],
    meanwhile: Callable[[], Any] | None = None,
    **options: Any,
) -> None:
    """Run cryptofeed against the venue until something holds; an error in it ends the test.

    meanwhile: is done once, when the first messages have come.
    """
    addresses = {
        "websocket_endpoints": [connection.WebsocketEndpoint(ready["ws_v1"], options={"ssl": trusting(ready)})],
        "rest_endpoints": [connection.RestEndpoint(ready["rest"], routes=connection.Routes("/0/public/AssetPairs"))],
    }
    kraken = type("Kraken", (exchanges.Kraken,), addresses)
    given = {"retries": 0, "checksum_validation": True, **options}

    async def whole() -> None:
        failures: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context))
        handler = feedhandler.FeedHandler(config={"log": {"disabled": True}, "uvloop": False})
        feed = kraken(symbols=["BTC-USD"], channels=channels, callbacks=callbacks, **given)
        handler.add_feed(feed)
        handler.run(start_loop=False, install_signal_handlers=False)
        async with asyncio.timeout(WAIT_S):
            if meanwhile is not None:
                await asyncio.to_thread(meanwhile)
            while not is_done():
                await asyncio.sleep(0.05)
                assert not failures, failures
        await feed.shutdown()

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REQUESTS_CA_BUNDLE", ready["ca_certificate"])
        asyncio.run(whole())


def test_connects(venue: dict[str, Any]) -> None:
    """It reads the pairs over REST, connects and subscribes."""
    seen: list[Any] = []

    async def on_ticker(ticker: Any, receipt: float) -> None:
        seen.append(ticker)

    follow(venue, [defines.TICKER], {defines.TICKER: on_ticker}, lambda: bool(seen))
    assert seen[0].symbol == "BTC-USD"


def test_reads_market_data(venue: dict[str, Any]) -> None:
    names = [defines.TRADES, defines.TICKER, defines.CANDLES]
    seen: dict[str, list[Any]] = {name: [] for name in names}

    def keep(name: str) -> Callable[[Any, float], Awaitable[None]]:
        async def on_message(message: Any, receipt: float) -> None:
            seen[name].append(message)

        return on_message

    follow(venue, names, {name: keep(name) for name in names}, lambda: min(map(len, seen.values())) > 3)
    trade, ticker, candle = (messages[-1] for messages in seen.values())
    assert (trade.symbol, trade.side in ("buy", "sell"), trade.price > 0) == ("BTC-USD", True, True)
    assert ticker.bid < ticker.ask
    assert candle.low <= candle.open <= candle.high
    assert candle.stop - candle.start == 60


@pytest.mark.parametrize("depth", [10, 100, 1000])
def test_every_checksum_of_the_book_is_right(venue: dict[str, Any], depth: int) -> None:
    seen: list[Any] = []

    async def on_book(book: Any, receipt: float) -> None:
        seen.append(book.checksum)
        bids, asks = book.book.bids, book.book.asks
        assert bids.index(0)[0] < asks.index(0)[0]

    follow(venue, [defines.L2_BOOK], {defines.L2_BOOK: on_book}, lambda: len(seen) > 150, max_depth=depth)
    assert sum(checksum is not None for checksum in seen) > 100


def test_reconnects(venue: dict[str, Any]) -> None:
    """By itself: a new snapshot, and updates whose checksums are right."""
    books: list[bool] = []

    async def on_book(book: Any, receipt: float) -> None:
        books.append(book.delta is None)

    def drop() -> None:
        while not books:
            continue
        assert control(venue, "/sessions/drop", kind="ws_v1", how="abort")["dropped"]

    def is_done() -> bool:
        return sum(books) == 2 and len(books) - books.index(True, 1) > 50

    follow(venue, [defines.L2_BOOK], {defines.L2_BOOK: on_book}, is_done, drop, max_depth=10, retries=3)
