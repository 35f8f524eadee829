"""A market store of a recording: rows in order of time, an empty book in gaps, nothing twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from framework.data.columns import ADD, CLEAR, DELETE, EXECUTED, LAST, LEVEL, SNAPSHOT, TRADE
from framework.data.imports import RowBuilder
from framework.data.info import describe
from framework.data.info_text import format_info
from framework.data.live_rows import MarketRow
from framework.data.recorder import RecordedInstrument, Recorder, part_paths
from framework.data.recording import finish_recording, import_recording
from framework.data.store import Store
from framework.data.synthetic import synthetic_l2, synthetic_market
from framework.errors import DataError
from framework.protocol import BUY, SELL
from tests.framework.command import tidegate
from tests.framework.data.markets import START_NS, make_spec

NS = 10**9


def row(kind: int, side: int, ticks: int, lots: int, after_ns: int, flags: int = LAST, trade_id: int = 0) -> MarketRow:
    ts = START_NS + after_ns
    return MarketRow(ts, ts + 5, kind, side, ticks, lots, flags, trade_id)


def snapshot(after_ns: int, bid: int, ask: int) -> list[MarketRow]:
    return [
        row(CLEAR, BUY, 0, 0, after_ns, SNAPSHOT),
        row(LEVEL, BUY, bid, 5, after_ns, SNAPSHOT),
        row(LEVEL, SELL, ask, 5, after_ns, SNAPSHOT | LAST),
    ]


def writer(folder: Path, depth: str = "L2") -> Recorder:
    return Recorder(folder / "recording", (RecordedInstrument(spec=make_spec(), depth=depth),), START_NS)


def test_a_recorded_market_is_the_market_that_was_told(tmp_path: Path) -> None:
    market = synthetic_l2(synthetic_market(1, 20))
    recorder = Recorder(tmp_path / "r", (RecordedInstrument(spec=market.spec, depth="L2"),), START_NS)
    columns = market.columns
    ends = np.flatnonzero(columns.flags & LAST) + 1
    first = 0
    for number, end in enumerate(ends.tolist()):
        rows = [
            MarketRow(*values)
            for values in zip(
                *(
                    getattr(columns, name)[first:end].tolist()
                    for name in ("ts_event_ns", "ts_recv_ns", "kind", "side", "price_ticks", "qty_lots", "flags")
                ),
                strict=True,
            )
        ]
        recorder.add_rows(market.spec.symbol, rows)
        if number % 100 == 0:
            recorder.flush(START_NS)
        first = end
    recorder.close(START_NS)
    finish_recording(tmp_path / "r", tmp_path / "store")
    found = Store.open(tmp_path / "store").market(market.spec.symbol)
    told, kept = describe(market), describe(found)
    assert (told.rows, told.trades, told.rows_by_kind) == (kept.rows, kept.trades, kept.rows_by_kind)
    book = columns.kind != TRADE
    kept_book = found.columns.kind != TRADE
    for name in ("ts_event_ns", "kind", "side", "price_ticks", "qty_lots", "flags"):
        assert np.array_equal(getattr(columns, name)[book], getattr(found.columns, name)[kept_book]), name


def test_trades_stand_before_the_changes_of_their_time_and_in_order_of_theirs(tmp_path: Path) -> None:
    recorder = writer(tmp_path)
    recorder.add_rows("BTC/USD", snapshot(0, 10, 12))
    recorder.add_rows("BTC/USD", [row(LEVEL, SELL, 12, 3, 10)])
    recorder.add_rows("BTC/USD", [row(LEVEL, SELL, 12, 1, 20)])
    recorder.add_rows("BTC/USD", [row(TRADE, BUY, 12, 2, 10, 0, 1), row(TRADE, BUY, 12, 2, 20, LAST, 2)])
    recorder.close(START_NS)
    columns = finish_recording(tmp_path / "recording", tmp_path / "store")[0].market.columns
    assert columns.kind.tolist() == [CLEAR, LEVEL, LEVEL, TRADE, LEVEL, TRADE, LEVEL]
    assert (columns.ts_event_ns - START_NS).tolist() == [0, 0, 0, 10, 10, 20, 20]
    assert columns.flags[columns.kind == TRADE].tolist() == [LAST, LAST]


def test_a_book_change_whose_time_goes_back_keeps_its_place(tmp_path: Path) -> None:
    recorder = writer(tmp_path)
    recorder.add_rows("BTC/USD", snapshot(100, 10, 12))
    recorder.add_rows("BTC/USD", [row(LEVEL, SELL, 12, 3, 90)])
    recorder.add_rows("BTC/USD", [row(LEVEL, SELL, 12, 4, 110)])
    recorder.close(START_NS)
    columns = finish_recording(tmp_path / "recording", tmp_path / "store")[0].market.columns
    assert columns.qty_lots.tolist() == [0, 5, 5, 3, 4]
    assert (columns.ts_event_ns - START_NS).tolist() == [100, 100, 100, 100, 110]


def test_after_a_gap_the_book_is_empty_until_the_snapshot_and_the_store_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = writer(tmp_path)
    recorder.add_rows("BTC/USD", snapshot(0, 10, 12))
    recorder.add_gap("BTC/USD", START_NS + 2 * NS, "line dropped")
    recorder.add_rows("BTC/USD", snapshot(60 * NS, 20, 22))
    recorder.close(START_NS)
    columns = finish_recording(tmp_path / "recording", tmp_path / "store")[0].market.columns
    assert columns.kind.tolist() == [CLEAR, LEVEL, LEVEL, CLEAR, CLEAR, LEVEL, LEVEL]
    assert (columns.ts_event_ns - START_NS).tolist() == [0, 0, 0, 0, 60 * NS, 60 * NS, 60 * NS]
    note = "gap from 2023-11-14 22:13:22 to 2023-11-14 22:14:20: line dropped"
    assert Store.open(tmp_path / "store").entry("BTC/USD").notes == (note,)
    assert note in tidegate(capsys, "data", "info", tmp_path / "store").out


def test_a_gap_that_nothing_follows_lasts_to_the_end(tmp_path: Path) -> None:
    recorder = writer(tmp_path)
    recorder.add_rows("BTC/USD", snapshot(0, 10, 12))
    recorder.add_gap("BTC/USD", START_NS, "line dropped")
    recorder.close(START_NS)
    (imported,) = import_recording(tmp_path / "recording", {})
    assert imported.notes == ("gap from 2023-11-14 22:13:20 to the end: line dropped",)
    assert imported.market.columns.kind.tolist() == [CLEAR, LEVEL, LEVEL, CLEAR]


def test_trades_that_were_missed_leave_the_book_as_it_is(tmp_path: Path) -> None:
    recorder = writer(tmp_path)
    recorder.add_rows("BTC/USD", snapshot(0, 10, 12))
    recorder.add_gap("BTC/USD", START_NS, "2 trades were not told", is_book_lost=False)
    recorder.add_rows("BTC/USD", [row(LEVEL, SELL, 12, 3, 10)])
    recorder.close(START_NS)
    (imported,) = import_recording(tmp_path / "recording", {})
    assert imported.market.columns.kind.tolist() == [CLEAR, LEVEL, LEVEL, LEVEL]
    assert imported.notes[0].startswith("gap of trades from ")


def test_trades_that_were_told_twice_are_had_once_and_missing_numbers_are_told(tmp_path: Path) -> None:
    recorder = writer(tmp_path, "trades")
    recorder.add_rows("BTC/USD", [row(TRADE, BUY, 12, each, each, LAST, each) for each in (1, 2, 3)])
    recorder.add_rows("BTC/USD", [row(TRADE, BUY, 12, each, each, LAST, each) for each in (2, 3, 6)])
    recorder.close(START_NS)
    (imported,) = import_recording(tmp_path / "recording", {})
    assert imported.market.columns.qty_lots.tolist() == [1, 2, 3, 6]
    assert (imported.statistics["trades_repeated"], imported.statistics["trades_missing"]) == (2, 2)
    assert imported.notes[0].startswith("gap: trades 4 to 5 are missing")


def test_orders_of_level_3_are_numbered_and_deletions_completed(tmp_path: Path) -> None:
    recorder = writer(tmp_path, "L3")
    rows = RowBuilder()
    rows.add(START_NS, START_NS, ADD, BUY, 10, 5, 7_000_000_000_000)
    rows.add(START_NS, START_NS, ADD, SELL, 12, 6, 55, LAST)
    rows.add(START_NS + 9, START_NS, DELETE, BUY, 10, 0, 7_000_000_000_000, LAST)
    recorder.add_rows("BTC/USD", rows.columns())
    recorder.close(START_NS)
    columns = finish_recording(tmp_path / "recording", tmp_path / "store")[0].market.columns
    assert columns.order_id.tolist() == [1, 2, 1]
    assert columns.qty_lots.tolist() == [5, 6, 5]


def test_what_a_trade_took_is_flagged(tmp_path: Path) -> None:
    recorder = writer(tmp_path)
    recorder.add_rows("BTC/USD", snapshot(0, 10, 12))
    recorder.add_rows("BTC/USD", [row(LEVEL, BUY, 10, 7, 5_000), row(LEVEL, SELL, 12, 3, 5_900)])
    recorder.add_rows("BTC/USD", [row(TRADE, BUY, 12, 2, 5_000, LAST, 1)])
    recorder.add_rows("BTC/USD", [row(LEVEL, SELL, 12, 1, 6_100)])
    recorder.close(START_NS)
    (imported,) = import_recording(tmp_path / "recording", {})
    columns = imported.market.columns
    assert columns.qty_lots[(columns.flags & EXECUTED) > 0].tolist() == [3]
    assert imported.statistics["executed_changes"] == 1


def test_a_recording_is_imported_by_the_command_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = writer(tmp_path)
    recorder.add_rows("BTC/USD", snapshot(0, 10, 12))
    recorder.close(START_NS)
    said = tidegate(capsys, "data", "import", "recording", tmp_path / "recording", "--out", tmp_path / "store")
    assert said.code == 0, said.err
    assert "LEVEL 2" in said.out
    assert format_info(describe(Store.open(tmp_path / "store").market("BTC/USD"))).splitlines()[0] in said.out


def test_a_folder_without_a_recording_and_one_without_rows_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no recording"):
        import_recording(tmp_path, {})
    writer(tmp_path)
    with pytest.raises(DataError, match="nothing was recorded"):
        import_recording(tmp_path / "recording", {})


def test_a_part_that_is_damaged_before_its_end_is_an_error_that_names_it(tmp_path: Path) -> None:
    recorder = writer(tmp_path)
    for after in range(3):
        recorder.add_rows("BTC/USD", snapshot(after, 10, 12))
        recorder.flush(START_NS)
    recorder.close(START_NS)
    (part,) = part_paths(tmp_path / "recording")
    data = bytearray(part.read_bytes())
    data[-400] ^= 1
    part.write_bytes(data)
    with pytest.raises(DataError, match=r"part-00001.rec: the file is damaged at byte \d+"):
        import_recording(tmp_path / "recording", {})
