from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from framework.data.columns import TRADE, UNKNOWN_SIDE
from framework.data.formats import FORMATS
from framework.data.imports import ImportedMarket
from framework.errors import ConfigError, DataError
from framework.protocol import BUY, SELL
from tests.captures import require_capture

FORMAT = FORMATS["trade-csv"]


def read(folder: Path, text: str, **options: str) -> ImportedMarket:
    file = folder / "trades.csv"
    file.write_text(text)
    (imported,) = FORMAT.read(file, {"symbol": "BCH/EUR"} | options)
    return imported


def test_time_price_volume_without_header_is_read_with_an_inferred_grid(tmp_path: Path) -> None:
    market = read(tmp_path, "1672620536,90.070000,1.10000000\n1672621569.25,90.000000,0.05000000\n").market
    assert (market.spec.tick_size, market.spec.lot_size, market.depth) == ("0.01", "0.01", "trades")
    columns = market.columns
    assert columns.ts_event_ns.tolist() == [1672620536_000000000, 1672621569_250000000]
    assert columns.price_ticks.tolist() == [9007, 9000]
    assert columns.qty_lots.tolist() == [110, 5]
    assert columns.side.tolist() == [UNKNOWN_SIDE, UNKNOWN_SIDE]
    assert columns.kind.tolist() == [TRADE, TRADE]


def test_columns_can_stand_anywhere_and_be_named_by_the_header(tmp_path: Path) -> None:
    text = "id;taker;amount;price;at\n7;BUY;0.5;1.25;1570752011620\n8;sell;1.5;1.20;1570752017964\n"
    options = {"time": "at", "qty": "amount", "price": "price", "side": "taker", "delimiter": ";", "header": "yes"}
    market = read(tmp_path, text, **options).market
    assert market.columns.ts_event_ns.tolist() == [1570752011620_000000, 1570752017964_000000]
    assert market.columns.price_ticks.tolist() == [125, 120]
    assert market.columns.qty_lots.tolist() == [5, 15]
    assert market.columns.side.tolist() == [BUY, SELL]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("1700000000.5", "s"),
        ("1700000000500", "ms"),
        ("1700000000500000", "us"),
        ("1700000000500000000", "ns"),
        ("2023-11-14T22:13:20.5Z", "iso"),
    ],
)
def test_each_time_unit_is_read_and_recognised(tmp_path: Path, text: str, unit: str) -> None:
    for given in (unit, "auto"):
        columns = read(tmp_path, f"{text},1,1\n", time_unit=given).market.columns
        assert columns.ts_event_ns.tolist() == [1700000000_500000000]


def test_a_header_is_recognised_by_what_it_holds(tmp_path: Path) -> None:
    assert len(read(tmp_path, "time,price,volume\n1700000000,1,1\n").market.columns) == 1
    assert len(read(tmp_path, "1700000000,1,1\n").market.columns) == 1


def test_a_given_grid_is_kept(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "1700000000,1.5,1\n",
        tick_size="0.5",
        lot_size="0.001",
        min_qty="0.02",
        min_cost="5",
        cost_decimals="2",
    ).market.spec
    assert (spec.tick_size, spec.lot_size, spec.min_qty_lots, spec.min_cost, spec.cost_decimals) == (
        "0.5",
        "0.001",
        20,
        "5",
        2,
    )


def test_a_compressed_file_is_read_as_a_plain_one(tmp_path: Path) -> None:
    file = tmp_path / "trades.csv.gz"
    file.write_bytes(gzip.compress(b"1700000000,1,1\n"))
    (imported,) = FORMAT.read(file, {"symbol": "BCH/EUR"})
    assert len(imported.market.columns) == 1


def test_unsorted_rows_can_be_sorted_and_keep_the_order_of_equal_times(tmp_path: Path) -> None:
    text = "1700000002,3,1\n1700000001,1,1\n1700000001,2,1\n"
    assert read(tmp_path, text, sort="yes").market.columns.price_ticks.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "1700000002,1,1\n1700000001,1,1\n",
            {},
            "{file}, line 2: the time goes back from 1700000002 to 1700000001; sort the file or import with sort=yes",
        ),
        (
            "time,price,volume\n1700000001,1,1\n1700000002,one,1\n",
            {},
            "{file}, line 3: 'one' is not a number of at most 0 decimals; check the price column and its step",
        ),
        (
            "1700000001,1.5,1\n1700000002,1.25,1\n",
            {"tick_size": "0.5"},
            "{file}, line 2: 1.25 is not a multiple of 0.5; check the price column and its step",
        ),
        (
            "1700000001,1,1\nyesterday,1,1\n",
            {},
            (
                "{file}, line 2: 'yesterday' is not a number of at most 9 decimals; "
                "check the time column and its unit (time_unit=auto)"
            ),
        ),
        ("time,price,volume\n", {}, "{file}: there is no row of trades; check the file"),
    ],
)
def test_a_bad_file_is_refused_with_line_and_remedy(
    tmp_path: Path, text: str, options: dict[str, str], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, text, **options)
    assert str(caught.value) == message.format(file=tmp_path / "trades.csv")


def test_lines_of_different_lengths_are_not_csv(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not CSV .*check the delimiter"):
        read(tmp_path, "1700000001,1,1\n1700000002,1\n")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="give a readable file of trades"):
        FORMAT.read(tmp_path / "none.csv", {"symbol": "BCH/EUR"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"symbol": ""},
            "trade CSV: symbol is not given; a file of trades does not name its pair, give symbol=BASE/QUOTE",
        ),
        ({"header": "maybe"}, "trade CSV: header is 'maybe'; use yes or no or auto"),
        ({"time_unit": "min"}, "trade CSV: time_unit is 'min'; use s, ms, us, ns, iso or auto"),
        ({"side": "taker"}, "trade CSV: {file} has no column 'taker' for the side; it has 1, 2, 3"),
        (
            {"colour": "red"},
            (
                "format trade-csv has no option 'colour'; its options are: buy, cost_decimals, delimiter, header, "
                "lot_size, min_cost, min_qty, price, qty, side, sort, symbol, tick_size, time, time_unit, venue"
            ),
        ),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(tmp_path: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "1700000000,1,1\n", **options)
    assert str(caught.value) == message.format(file=tmp_path / "trades.csv")


def test_forty_hours_of_another_exchange_are_read_in_full() -> None:
    file = require_capture("binance-xrpeth-trades-2019-10") / "trades.csv.gz"
    options = {"symbol": "XRP/ETH", "venue": "binance", "time": "timestamp_ms", "qty": "amount", "price": "price"}
    (imported,) = FORMAT.read(file, options | {"side": "side", "header": "yes"})
    columns = imported.market.columns
    assert len(columns) == 8488
    assert (imported.market.spec.tick_size, imported.market.spec.lot_size) == ("0.00000001", "1")
    assert columns.price_ticks[:2].tolist() == [141342, 141266]
    assert columns.side[:1].tolist() == [SELL]
    assert imported.statistics == {"trades": 8488, "trades_of_unknown_side": 0}
