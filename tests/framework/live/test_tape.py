"""The market of a live run is written down as it was told, and the run folder holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.backtest.results import EVENT_SCHEMA, MARKET_FOLDER, TOUCH_SCHEMA
from framework.backtest.run_writer import RunTables, session_table, write_run
from framework.data.columns import LAST, LEVEL, TRADE
from framework.data.live_rows import MarketRow, Quote
from framework.data.recorder import RecordedInstrument
from framework.data.recording import import_recording
from framework.live.tape import MarketTape, tape_path
from framework.protocol import BUY, SELL, InstrumentSpec

SPEC = InstrumentSpec(symbol="BTC/USD", venue="kraken", tick_size="0.1", lot_size="0.00000001", cost_decimals=5)
S = 1_000_000_000


class Listener:
    """Who trades: what it was told, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        self.told.append("book")

    def traded(self, symbol: str, rows: list[MarketRow]) -> None:
        self.told.append("trade")

    def quoted(self, symbol: str, quote: Quote) -> None:
        self.told.append("quote")

    def trades_missed(self, symbol: str, count: int, ts_recv_ns: int) -> None:
        self.told.append("missed")

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        self.told.append("lost")


def level(ts_ns: int, side: int, price_ticks: int, qty_lots: int, late_ns: int = 7) -> MarketRow:
    return MarketRow(ts_ns, ts_ns + late_ns, LEVEL, side, price_ticks, qty_lots, LAST)


def taped(folder: Path, listener: Listener, said: list[str]) -> MarketTape:
    return MarketTape(folder, [RecordedInstrument(spec=SPEC, depth="L2")], listener, S, said.append)


def test_what_is_told_reaches_who_trades_and_the_recording_with_both_times(tmp_path: Path) -> None:
    listener, said = Listener(), list[str]()
    tape = taped(tmp_path / "market", listener, said)
    tape.book_changed("BTC/USD", [level(2 * S, BUY, 100, 5)])
    tape.traded("BTC/USD", [MarketRow(3 * S, 3 * S + 9, TRADE, SELL, 100, 2, LAST, 41)])
    tape.book_changed("BTC/USD", [])
    tape.close(4 * S)
    (imported,) = import_recording(tmp_path / "market", {})
    columns = imported.market.columns
    assert listener.told == ["book", "trade", "book"]
    assert (columns.ts_recv_ns - columns.ts_event_ns).tolist() == [7, 9]
    assert imported.market.spec == SPEC
    assert not said


def test_what_was_lost_is_a_gap_of_the_recording(tmp_path: Path) -> None:
    listener = Listener()
    tape = taped(tmp_path / "market", listener, [])
    tape.book_changed("BTC/USD", [level(2 * S, BUY, 100, 5)])
    tape.market_lost("BTC/USD", "the line dropped", 3 * S)
    tape.trades_missed("BTC/USD", 2, 3 * S)
    tape.market_lost("ETH/USD", "not of this run", 3 * S)
    tape.close(4 * S)
    (imported,) = import_recording(tmp_path / "market", {})
    assert imported.statistics["gaps"] == 2
    assert listener.told == ["book", "lost", "missed", "lost"]


def test_a_disk_without_room_ends_the_recording_and_not_the_trading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from framework.data.append_file import AppendFile
    from framework.errors import OutputError

    listener, said = Listener(), list[str]()
    tape = taped(tmp_path / "market", listener, said)

    def full(self: AppendFile, payload: bytes) -> None:
        raise OutputError("no space left on device")

    monkeypatch.setattr(AppendFile, "append", full)
    tape.book_changed("BTC/USD", [level(2 * S, BUY, 100, 5)])
    tape.flush(3 * S)
    tape.book_changed("BTC/USD", [level(3 * S, BUY, 100, 6)])
    tape.flush(4 * S)
    tape.close(5 * S)
    assert listener.told == ["book", "book"]
    assert not tape.is_whole
    assert said == ["the market is not written down any more, the run cannot be replayed: no space left on device"]


def test_a_run_folder_takes_the_recording_and_a_new_run_replaces_it(tmp_path: Path) -> None:
    out = tmp_path / "run"
    inputs = {
        "config": {"strategy": {"path": "none.py"}},
        "markets": [{"symbol": "BTC/USD", "venue": "kraken", "tick_size": "0.1", "lot_size": "0.01"}],
        "session": session_table("live", "cancel", S, None, 2 * S),
    }
    inputs["markets"][0] |= {"cost_decimals": 5, "first_ts_ns": S, "last_ts_ns": 2 * S}  # type: ignore[index]
    tables = RunTables(EVENT_SCHEMA.empty_table(), TOUCH_SCHEMA.empty_table(), ())
    for price_ticks in (100, 200):
        tape = taped(tape_path(out), Listener(), [])
        tape.book_changed("BTC/USD", [level(2 * S, BUY, price_ticks, 5)])
        tape.close(3 * S)
        write_run(out, inputs, tables, market=tape.folder)
        (imported,) = import_recording(out / MARKET_FOLDER, {})
        assert imported.market.columns.price_ticks.tolist() == [price_ticks]
        assert not tape.folder.exists()
    write_run(out, inputs, tables)
    assert not (out / MARKET_FOLDER).exists()


def test_the_table_of_a_session_has_no_key_for_what_never_was() -> None:
    assert "closing_ns" not in session_table("live", "leave", S, None, 2 * S)
