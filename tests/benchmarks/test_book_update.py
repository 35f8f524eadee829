"""What a book update of three levels costs: decoded, applied, its checksum verified; and told to a listener.

Each update is another one. Medians are of the least of several rounds, the mean is of the processor's time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.live_book import LiveBook
from adapters.kraken.client.market_data import BOOK_UPDATE, MarketData
from adapters.kraken.client.streams import Stream, StreamHandler
from adapters.kraken.symbols import SymbolTable
from adapters.kraken.wire.ws2.book import PrintedBookFrame
from adapters.kraken.wire.ws2.messages import decode_market
from framework.protocol import InstrumentSpec
from tests.benchmarks.book_updates import SYMBOL, book_messages

pytestmark = pytest.mark.benchmark

COUNT, ROUNDS = 5_000, 5


@pytest.fixture(scope="module")
def instruments() -> Instruments:
    spec = InstrumentSpec(symbol=SYMBOL, venue="kraken", tick_size="0.1", lot_size="0.00000001")
    names = {"wsname": "XBT/USD", "altname": "XBTUSD"}
    return Instruments([spec], SymbolTable.from_asset_pairs({"XXBTZUSD": names}))


@pytest.fixture(scope="module")
def messages() -> list[bytes]:
    return list(book_messages(COUNT))


def figures(messages: list[bytes], make: Callable[[], Callable[[bytes], Any]]) -> str:
    """Of a call: median, p99 and mean, the least of several rounds. make: gives what takes the messages of a round."""
    clock = time.perf_counter_ns
    medians, highs, means = [], [], []
    for _ in range(ROUNDS):
        take = make()
        take(messages[0])
        times = []
        for message in messages[1:]:
            began_ns = clock()
            take(message)
            times.append(clock() - began_ns)
        times.sort()
        medians.append(times[len(times) // 2] / 1e3)
        highs.append(times[len(times) * 99 // 100] / 1e3)
        take = make()
        take(messages[0])
        began_s = time.process_time()
        for message in messages[1:]:
            take(message)
        means.append((time.process_time() - began_s) / (len(messages) - 1) * 1e6)
    return f"median {min(medians):.2f} us, p99 {min(highs):.2f} us, processor {min(means):.2f} us"


def test_decode_apply_and_verify(instruments: Instruments, messages: list[bytes]) -> None:
    def make() -> Callable[[bytes], None]:
        book = LiveBook(instruments[SYMBOL])
        snapshot = decode_market(messages[0])
        assert type(snapshot) is PrintedBookFrame

        def take(message: bytes) -> None:
            if message is messages[0]:
                book.apply(snapshot.data[0])
                return
            assert message.startswith(BOOK_UPDATE)
            assert book.read(message, message.find(b'"', len(BOOK_UPDATE)))
            assert book.checksum == book.told_checksum

        return take

    print(f"\nbook update of three levels, decoded, applied, verified: {figures(messages, make)} (must 4, aim 2)")


def test_told_to_a_listener(instruments: Instruments, messages: list[bytes]) -> None:
    def make() -> Callable[[bytes], None]:
        ears = _Ears()
        market = MarketData(instruments, _Clock(), _unconnected, BackOff(1))
        market.attach(ears)
        market.subscribe(SYMBOL, "book", 10)
        return market.received

    print(f"\nthe same through the feed, as rows to its listener: {figures(messages, make)}")


def _unconnected(handler: StreamHandler) -> Stream:
    raise AssertionError("nothing is connected here")


class _Clock:
    now_ns = 1_785_585_600_000_000_000

    def call_at(self, ts_ns: int, callback: Callable[[], None]) -> None:
        """Nothing is late here."""


class _Ears:
    def book_changed(self, symbol: str, rows: list[Any]) -> None: ...

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        raise AssertionError(reason)
