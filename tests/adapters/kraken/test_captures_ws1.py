from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.kraken.captures import FORMATS
from adapters.kraken.wire.checksum import printed_checksum
from framework.data.checks import check_market
from framework.data.columns import CLEAR, EXECUTED, LAST, LEVEL, SNAPSHOT, TRADE
from framework.data.imports import ImportedMarket
from framework.data.touch import walk_touch
from framework.errors import ConfigError, DataError
from framework.protocol import BUY, SELL
from tests.captures import require_capture

FORMAT = FORMATS["kraken-ws1"]
T = 1618678133
NS = 1_000_000_000

ASK_DIGITS = [("64000.1", "0.50000000"), ("64000.2", "1.25000000"), ("64001.0", "0.00310000")]
BID_DIGITS = [("64000.0", "2.00000000"), ("63999.9", "0.04200000"), ("63998.5", "10.00000000")]


def test_the_checksum_of_the_documentations_worked_example() -> None:
    """Kraken, "Book checksum (v1)": ten asks from 0.05005 up, ten bids from 0.05000 down without 0.04985."""
    asks = [(f"0.0{5005 + 5 * i}", "0.00000500") for i in range(10)]
    bids = [(f"0.0{n}", "0.00000500") for n in (5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950)]
    assert printed_checksum(asks, bids) == 974947235
    # Levels after the tenth are not counted.
    assert printed_checksum([*asks, ("0.06", "1")], [*bids, ("0.04", "1")]) == 974947235


@pytest.mark.parametrize(
    ("asks", "bids", "checksum"),
    [
        (ASK_DIGITS, BID_DIGITS, 4172005628),
        ([("0.50010", "10.00000000"), ("0.50020", "0.00500000")], [("0.50000", "7.25000000")], 229081813),
        ([("0.5001", "10.00000000"), ("0.5002", "0.00500000")], [("0.5000", "7.25000000")], 919396288),
        ([], [("0.5000", "7.25000000")], 3203739701),
        ([], [], 0),
    ],
)
def test_the_checksum_is_taken_over_the_digits_of_the_wire(
    asks: list[tuple[str, str]], bids: list[tuple[str, str]], checksum: int
) -> None:
    assert printed_checksum(asks, bids) == checksum


def at(ms: int) -> str:
    return f"{T + ms / 1000:.6f}"


def snapshot(asks: list[tuple[str, str]], bids: list[tuple[str, str]], ms: int = 0) -> dict[str, Any]:
    return {"as": [[*level, at(ms)] for level in asks], "bs": [[*level, at(ms)] for level in bids]}


class Recording:
    """A recording that is written line by line, every line 30 ms after its message's newest time."""

    def __init__(self, folder: Path, pair: str = "XBT/USD", depth: int = 10) -> None:
        self._folder = folder
        self._pair = pair
        self._channel = f"book-{depth}"
        self.book_lines: list[str] = []
        self.trade_lines: list[str] = []

    def book(self, payload: dict[str, Any], received_ms: int) -> None:
        self.book_lines.append(f"{at(received_ms)}\t{json.dumps([464, payload, self._channel, self._pair])}")

    def update(self, ms: int, received_ms: int | None = None, c: str | None = None, **sides: list[list[str]]) -> None:
        payload = {side: [[*level, at(ms)] for level in levels] for side, levels in sides.items()}
        extra = {} if c is None else {"c": c}
        self.book(payload | extra, ms + 30 if received_ms is None else received_ms)

    def trade(self, ms: int, price: str, volume: str, side: str) -> None:
        message = [465, [[price, volume, at(ms), side, "l", ""]], "trade", self._pair]
        self.trade_lines.append(f"{at(ms + 20)}\t{json.dumps(message)}")

    def read(self, **options: str) -> ImportedMarket:
        (self._folder / "book.tsv").write_text("\n".join(self.book_lines) + "\n")
        if self.trade_lines:
            (self._folder / "trade.tsv").write_text("\n".join(self.trade_lines) + "\n")
        (imported,) = FORMAT.read(self._folder, options)
        return imported


def rows_of(imported: ImportedMarket) -> list[tuple[int, ...]]:
    c = imported.market.columns
    arrays = ((c.ts_event_ns - T * NS) // 1_000_000, c.kind, c.side, c.price_ticks, c.qty_lots, c.flags)
    return list(zip(*(each.tolist() for each in arrays), strict=True))


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    made = Recording(tmp_path)
    made.book(snapshot(ASK_DIGITS, BID_DIGITS), 40)
    return made


def test_a_snapshot_clears_the_book_and_an_update_changes_levels(recording: Recording) -> None:
    recording.update(100, a=[["64000.1", "0.00000000"], ["64000.9", "0.70000000"]], b=[["63999.9", "0.05000000"]])
    imported = recording.read()
    spec = imported.market.spec
    assert (spec.symbol, spec.venue, spec.tick_size, spec.lot_size) == ("BTC/USD", "kraken", "0.1", "0.0001")
    rows = rows_of(imported)
    assert rows[0] == (10, CLEAR, BUY, 0, 0, SNAPSHOT)
    assert rows[1] == (10, LEVEL, SELL, 640001, 5000, SNAPSHOT)
    assert rows[6] == (10, LEVEL, BUY, 639985, 100000, SNAPSHOT | LAST)
    assert rows[7:] == [
        (100, LEVEL, SELL, 640001, 0, 0),
        (100, LEVEL, SELL, 640009, 7000, 0),
        (100, LEVEL, BUY, 639999, 500, LAST),
    ]
    check_market(imported.market, "here")


def test_a_snapshot_is_dated_by_its_receipt_less_the_shortest_delay(recording: Recording) -> None:
    # Levels of time 0, received at 40 ms; updates need 30 ms at least.
    recording.update(100, b=[["63999.9", "0.05000000"]])
    recording.update(200, received_ms=270, b=[["63999.9", "0.06000000"]])
    assert rows_of(recording.read())[0][0] == 40 - 30


def test_a_snapshot_without_updates_is_dated_by_its_newest_level(recording: Recording) -> None:
    assert rows_of(recording.read())[0][0] == 0


def test_a_right_checksum_is_counted(recording: Recording) -> None:
    recording.update(
        100, c="1947556377", a=[["64000.1", "0.00000000"], ["64000.9", "0.70000000"]], b=[["63999.9", "0.05000000"]]
    )
    statistics = recording.read().statistics
    assert (statistics["checksums_verified"], statistics["checksums_failed"]) == (1, 0)


def test_a_wrong_checksum_names_line_and_remedy(recording: Recording, tmp_path: Path) -> None:
    recording.update(
        100, c="1947556378", a=[["64000.1", "0.00000000"], ["64000.9", "0.70000000"]], b=[["63999.9", "0.05000000"]]
    )
    with pytest.raises(DataError) as caught:
        recording.read()
    assert str(caught.value) == (
        f"{tmp_path / 'book.tsv'}, line 2: the book of XBT/USD has checksum 1947556377, the message says 1947556378; "
        "a message before it is missing, cut the recording here or import with on_mismatch=count"
    )


def test_wrong_checksums_can_be_counted_instead(recording: Recording) -> None:
    recording.update(100, c="1", b=[["63999.9", "0.05000000"]])
    recording.update(200, b=[["63999.9", "0.06000000"]])
    imported = recording.read(on_mismatch="count")
    assert (imported.statistics["checksums_verified"], imported.statistics["checksums_failed"]) == (0, 1)
    assert rows_of(imported)[-1][:5] == (200, LEVEL, BUY, 639999, 600)


def test_levels_pushed_out_of_the_depth_are_removed(tmp_path: Path) -> None:
    recording = Recording(tmp_path, depth=3)
    recording.book(snapshot(ASK_DIGITS, BID_DIGITS), 40)
    recording.update(
        100, a=[["64000.0", "1.00000000"]], b=[["64000.0", "0.00000000"], ["63999.0", "1.0"], ["63998.0", "1.0"]]
    )
    imported = recording.read()
    assert rows_of(imported)[7:] == [
        (100, LEVEL, SELL, 640000, 10000, 0),
        (100, LEVEL, BUY, 640000, 0, 0),
        (100, LEVEL, BUY, 639990, 10000, 0),
        (100, LEVEL, BUY, 639980, 10000, 0),
        # Four levels a side by now: the worst of each goes.
        (100, LEVEL, SELL, 640010, 0, 0),
        (100, LEVEL, BUY, 639980, 0, LAST),
    ]
    assert imported.statistics["levels_pushed_out"] == 2


def test_a_level_that_re_enters_with_an_old_time_does_not_turn_time_back(recording: Recording) -> None:
    recording.update(100, b=[["63999.9", "0.05000000"]])
    recording.update(50, received_ms=140, b=[["63998.0", "1.00000000"]])
    imported = recording.read()
    assert rows_of(imported)[-1][:5] == (100, LEVEL, BUY, 639980, 10000)
    check_market(imported.market, "here")


def test_a_removal_of_a_level_that_is_not_there_makes_no_row(recording: Recording) -> None:
    recording.update(100, b=[["1.0", "0.00000000"]])
    assert len(rows_of(recording.read())) == 7


def test_a_trade_comes_before_the_level_that_it_reduced_and_the_level_is_flagged(recording: Recording) -> None:
    recording.update(100, a=[["64000.1", "0.20000000"]])
    recording.trade(100, "64000.1", "0.30000000", "b")
    imported = recording.read()
    assert rows_of(imported)[-2:] == [
        (100, TRADE, BUY, 640001, 3000, LAST),
        (100, LEVEL, SELL, 640001, 2000, LAST | EXECUTED),
    ]
    assert imported.statistics["executed_levels"] == 1
    assert imported.market.has_trades


@pytest.mark.parametrize(("ms", "price", "side"), [(99, "64000.1", "b"), (100, "64000.2", "b"), (100, "64000.1", "s")])
def test_a_level_that_changes_beside_a_trade_is_not_flagged(
    recording: Recording, ms: int, price: str, side: str
) -> None:
    recording.update(100, a=[["64000.1", "0.20000000"]])
    recording.trade(ms, price, "0.30000000", side)
    assert recording.read().statistics["executed_levels"] == 0


def test_asset_pairs_beside_the_recording_give_grid_and_minimums(recording: Recording, tmp_path: Path) -> None:
    pair = {"wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8, "ordermin": "0.0001", "costmin": "0.5"}
    (tmp_path / "AssetPairs.json").write_text(json.dumps({"error": [], "result": {"XXBTZUSD": pair}}))
    spec = recording.read().market.spec
    assert (spec.tick_size, spec.lot_size, spec.min_qty_lots, spec.min_cost) == ("0.1", "0.00000001", 10_000, "0.5")


def test_a_price_off_the_pairs_grid_is_refused(recording: Recording, tmp_path: Path) -> None:
    pair = {"wsname": "XBT/USD", "pair_decimals": 0, "lot_decimals": 8}
    (tmp_path / "AssetPairs.json").write_text(json.dumps({"XXBTZUSD": pair}))
    with pytest.raises(DataError) as caught:
        recording.read()
    assert str(caught.value) == (
        f"{tmp_path / 'book.tsv'}, line 1: 64000.1 is not a multiple of 1; the message is not of WebSocket v1 "
        "or not on the pair's grid, check the recording and its AssetPairs"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("no tab", "line 2: not a receive time, a tab and a JSON message (no tab); the line is damaged"),
        ('1618678133.2\t[464,{"b":[["1"', "line 2: not a receive time, a tab and a JSON message ("),
        (
            'soon\t{"event":"heartbeat"}',
            "line 2: not a receive time, a tab and a JSON message ('soon' is not a number)",
        ),
        ('1618678133.2\t[464,{"b":[["1.0","1.0"]]},"book-10","XBT/USD"]', "line 2: list index out of range;"),
        ('1618678133.2\t[464,{"b":[["1.0","1.0","x"]]},"book-10","XBT/USD"]', "line 2: time 'x' is not in seconds;"),
    ],
)
def test_a_damaged_line_is_named(recording: Recording, tmp_path: Path, line: str, message: str) -> None:
    recording.book_lines.append(line)
    with pytest.raises(DataError) as caught:
        recording.read()
    assert str(caught.value).startswith(f"{tmp_path / 'book.tsv'}, {message}")


def test_an_update_before_the_snapshot_is_refused(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.update(0, b=[["1.0", "1.0"]])
    with pytest.raises(DataError) as caught:
        recording.read()
    assert str(caught.value) == (
        f"{tmp_path / 'book.tsv'}, line 1: update of XBT/USD before its snapshot; cut the lines before the snapshot"
    )


def test_a_folder_without_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.tsv file"):
        FORMAT.read(tmp_path)
    (tmp_path / "book.tsv").write_text('1618678133.2\t{"event":"heartbeat"}\n')
    with pytest.raises(DataError, match="no book or trade message"):
        FORMAT.read(tmp_path)


def test_an_option_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="on_mismatch is 'ignore'; use error or count"):
        FORMAT.read(tmp_path, {"on_mismatch": "ignore"})


def test_every_checksum_of_the_capture_is_right() -> None:
    imports = FORMAT.read(require_capture("kraken-spot-ws1-2021-04"))
    verified = {each.market.spec.symbol: int(each.statistics["checksums_verified"]) for each in imports}
    assert verified == {
        "BTC/CHF": 289,
        "OMG/USD": 573,
        "ETH/CHF": 317,
        "SC/EUR": 818,
        "GRT/ETH": 20,
        "KSM/BTC": 335,
        "WAVES/EUR": 576,
    }
    assert sum(verified.values()) == 2928
    assert all(each.statistics["checksums_failed"] == 0 for each in imports)


def test_every_trade_of_the_capture_stands_before_the_level_that_it_took() -> None:
    imports = {each.market.spec.symbol: each for each in FORMAT.read(require_capture("kraken-spot-ws1-2021-04"))}
    siacoin = imports["SC/EUR"]
    columns = siacoin.market.columns
    trades = np.flatnonzero(columns.kind == TRADE)
    executed = np.flatnonzero(columns.flags & EXECUTED)
    assert (len(trades), len(executed)) == (6, 6)
    for trade in trades.tolist():
        same = executed[(columns.price_ticks[executed] == columns.price_ticks[trade]) & (executed > trade)]
        assert len(same) == 1
        assert columns.side[same[0]] == 1 - columns.side[trade]
    assert siacoin.market.spec.min_qty_lots == 1500 * 10**8


def test_no_book_of_the_capture_is_ever_crossed() -> None:
    for each in FORMAT.read(require_capture("kraken-spot-ws1-2021-04")):
        check_market(each.market, each.market.spec.symbol)
        path = walk_touch(each.market.columns)
        assert path.bid_ticks[-1] > 0
        assert path.ask_ticks[-1] > path.bid_ticks[-1]
