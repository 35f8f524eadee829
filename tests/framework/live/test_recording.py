"""Recording of live markets: what is told is written, what is lost is a gap, and a disk without room is waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from framework.adapter import MarketListener
from framework.data.append_file import AppendFile
from framework.data.columns import CLEAR, LAST, LEVEL, SNAPSHOT, TRADE
from framework.data.live_rows import MarketRow
from framework.data.recorder import RecordedInstrument, Recorder
from framework.data.recording import import_recording
from framework.errors import OutputError
from framework.live import recording
from framework.live.recording import record_markets
from framework.protocol import BUY, SELL
from tests.framework.data.markets import START_NS, make_spec


class Clock:
    """Real time."""

    @property
    def now_ns(self) -> int:
        return time.time_ns()

    def call_at(self, ts_ns: int, callback: Callable[[], None]) -> None:
        raise AssertionError


class Market:
    """A market that tells what a test has it tell, once it is open."""

    def __init__(self, *says: Callable[[MarketListener], None]) -> None:
        self.says = list(says)
        self.subscribed: list[tuple[Any, ...]] = []
        self.is_closed = False

    def attach(self, listener: MarketListener) -> None:
        self.listener = listener

    def subscribe(self, *what: Any) -> None:
        self.subscribed.append(what)

    def open(self) -> None:
        asyncio.get_running_loop().create_task(self.tell())

    async def tell(self) -> None:
        for say in self.says:
            say(self.listener)
            await asyncio.sleep(0.02)

    def close(self) -> None:
        self.is_closed = True


def snapshot(after: int) -> list[MarketRow]:
    ts = START_NS + after
    return [
        MarketRow(ts, ts, CLEAR, 0, 0, 0, SNAPSHOT),
        MarketRow(ts, ts, LEVEL, BUY, 10, 5, SNAPSHOT),
        MarketRow(ts, ts, LEVEL, SELL, 12, 5, SNAPSHOT | LAST),
    ]


def trade(number: int) -> list[MarketRow]:
    return [MarketRow(START_NS + number, START_NS + number, TRADE, BUY, 12, number, LAST, number)]


def run(folder: Path, market: Market, for_s: float = 0.3) -> list[str]:
    """Record for a while; what was told in words."""
    told: list[str] = []

    async def record() -> None:
        stopped = asyncio.Event()
        asyncio.get_running_loop().call_later(for_s, stopped.set)
        recorder = Recorder(folder / "r", (RecordedInstrument(spec=make_spec(), depth="L2"),), START_NS)
        venue: Any = SimpleNamespace(market=market, orders=None)
        await record_markets(venue, recorder, ["BTC/USD"], 25, Clock(), stopped, told.append, lambda gaps: None)

    asyncio.run(record())
    return told


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_FLUSH_S", 0.01)
    monkeypatch.setattr(recording, "_RETRY_S", 0.01)


def test_book_and_trades_of_each_pair_are_asked_for_and_written(tmp_path: Path) -> None:
    market = Market(
        lambda listener: listener.book_changed("BTC/USD", snapshot(0)),
        lambda listener: listener.traded("BTC/USD", trade(7)),
    )
    assert run(tmp_path, market) == []
    assert market.subscribed == [("BTC/USD", "trade"), ("BTC/USD", "book", 25)]
    assert market.is_closed
    (imported,) = import_recording(tmp_path / "r", {})
    assert imported.market.columns.kind.tolist() == [CLEAR, LEVEL, LEVEL, TRADE]


def test_what_is_lost_is_told_and_is_a_gap_in_the_recording(tmp_path: Path) -> None:
    market = Market(
        lambda listener: listener.book_changed("BTC/USD", snapshot(0)),
        lambda listener: listener.market_lost("BTC/USD", "line dropped", START_NS + 10),
        lambda listener: listener.book_changed("BTC/USD", snapshot(20)),
        lambda listener: listener.trades_missed("BTC/USD", 3, START_NS + 30),
    )
    assert run(tmp_path, market) == ["BTC/USD: line dropped", "BTC/USD: 3 trades not told"]
    (imported,) = import_recording(tmp_path / "r", {})
    assert imported.statistics["gaps"] == 2
    assert [note.partition(" from ")[0] for note in imported.notes] == ["gap", "gap of trades"]


def test_a_refusal_that_names_no_pair_is_told(tmp_path: Path) -> None:
    market = Market(
        lambda listener: listener.market_lost("", "the subscription was refused: no", START_NS),
        lambda listener: listener.book_changed("BTC/USD", snapshot(0)),
    )
    assert run(tmp_path, market) == [": the subscription was refused: no"]


def full(path: Path) -> Callable[[AppendFile, bytes], None]:
    def append(self: AppendFile, payload: bytes) -> None:
        raise OutputError(f"{path.name}: No space left on device")

    return append


def test_a_disk_without_room_is_told_once_and_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = AppendFile.append
    market = Market(
        lambda listener: listener.book_changed("BTC/USD", snapshot(0)),
        lambda listener: monkeypatch.setattr(AppendFile, "append", full(tmp_path)),
        lambda listener: listener.traded("BTC/USD", trade(7)),
        lambda listener: None,
        lambda listener: monkeypatch.setattr(AppendFile, "append", real),
    )
    told = run(tmp_path, market)
    assert len(told) == 2
    assert "No space left on device; 1 rows wait in memory" in told[0]
    assert told[1].startswith("there is room again")
    (imported,) = import_recording(tmp_path / "r", {})
    assert imported.market.columns.kind.tolist() == [CLEAR, LEVEL, LEVEL, TRADE]


def test_a_disk_that_stays_full_ends_the_recording_before_the_machine_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_PENDING_BYTES_MAX", 100)
    market = Market(
        lambda listener: monkeypatch.setattr(AppendFile, "append", full(tmp_path)),
        lambda listener: listener.book_changed("BTC/USD", snapshot(0)),
    )
    with pytest.raises(OutputError, match="No space left on device"):
        run(tmp_path, market, 5)
    assert market.is_closed
