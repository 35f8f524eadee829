from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adapters.kraken.captures import FORMATS
from framework.data.checks import check_market
from framework.data.columns import ADD, DELETE, EXECUTED, LAST, LEVEL, MODIFY, TRADE, UNKNOWN_SIDE
from framework.data.imports import ImportedMarket
from framework.errors import ConfigError, DataError
from framework.protocol import BUY, SELL
from tests.captures import require_capture

TRADES, BOOKS, TICKS = FORMATS["kraken-trades"], FORMATS["kraken-l2-csv"], FORMATS["kraken-l3-csv"]

TICKS_HEADER = "side,ts_event,ts_recv,price,size,action,order_id,symbol"
TRADES_HEADER = "ts_event,symbol,price,qty,side,ord_type,trade_id"


def rows_of(imported: ImportedMarket) -> list[tuple[int, ...]]:
    c = imported.market.columns
    ids = c.order_id if len(c.order_id) else np.zeros(len(c), dtype=np.int64)
    arrays = (c.kind, c.side, c.price_ticks, c.qty_lots, ids, c.flags)
    return list(zip(*(each.tolist() for each in arrays), strict=True))


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("XBTUSD.csv", "BTC/USD"),
        ("XDGUSDT.csv", "DOGE/USDT"),
        ("BCHEUR.csv", "BCH/EUR"),
        ("ETHXBT.csv", "ETH/BTC"),
        ("BCHEUR_Q2.csv", "BCH/EUR"),
    ],
)
def test_the_pair_of_a_trade_history_is_told_by_its_file(tmp_path: Path, name: str, symbol: str) -> None:
    (tmp_path / name).write_text("1672620536,90.070000,1.10000000\n")
    (imported,) = TRADES.read(tmp_path / name)
    assert (imported.market.spec.symbol, imported.market.spec.venue) == (symbol, "kraken")
    assert rows_of(imported) == [(TRADE, UNKNOWN_SIDE, 9007, 11, 0, LAST)]


def test_a_folder_of_trade_histories_gives_a_market_for_each_file(tmp_path: Path) -> None:
    for name in ("XBTUSD.csv", "ETHUSD.csv"):
        (tmp_path / name).write_text("1672620536,90.07,1.1\n")
    assert [each.market.spec.symbol for each in TRADES.read(tmp_path)] == ["ETH/USD", "BTC/USD"]
    with pytest.raises(ConfigError, match="symbol is given for 2 files"):
        TRADES.read(tmp_path, {"symbol": "BTC/USD"})


def test_a_trade_history_takes_its_grid_from_asset_pairs(tmp_path: Path) -> None:
    pair = {"wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8, "ordermin": "0.0001", "cost_decimals": 5}
    (tmp_path / "pairs.json").write_text(json.dumps({"XXBTZUSD": pair}))
    (tmp_path / "XBTUSD.csv").write_text("1672620536,90.10000,1.00000000\n")
    (imported,) = TRADES.read(tmp_path / "XBTUSD.csv", {"asset_pairs": str(tmp_path / "pairs.json")})
    assert rows_of(imported) == [(TRADE, UNKNOWN_SIDE, 901, 100_000_000, 0, LAST)]
    assert imported.market.spec.min_qty_lots == 10_000


def test_a_file_whose_name_tells_no_pair_is_refused(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("1672620536,90.07,1.1\n")
    with pytest.raises(DataError) as caught:
        TRADES.read(tmp_path / "history.csv")
    assert str(caught.value) == (
        f"{tmp_path / 'history.csv'}: the name does not tell a pair; "
        "rename the file to the pair's altname or give symbol=BASE/QUOTE"
    )


def test_the_trade_history_capture_is_read_in_full() -> None:
    (imported,) = TRADES.read(require_capture("kraken-trades-bcheur-csv") / "BCHEUR.csv")
    columns = imported.market.columns
    assert len(columns) == 486
    assert columns.ts_event_ns[0] == 1672620536 * 10**9
    assert (columns.price_ticks[0], columns.qty_lots[0]) == (9007, 110_000_000)
    check_market(imported.market, "capture")


def write_ticks(folder: Path, ticks: list[str], trades: list[str] | None = None) -> Path:
    file = folder / "rec.L3_ticks.csv"
    file.write_text("\n".join([TICKS_HEADER, *ticks]) + "\n")
    if trades is not None:
        (folder / "rec.trades.csv").write_text("\n".join([TRADES_HEADER, *trades]) + "\n")
    return file


def tick(side: str, second: str, price: str, size: str, action: str, order: str) -> str:
    return f"{side},2024-11-12T06:50:{second}Z,2024-11-11 23:50:45.5,{price},{size},{action},{order},BTC/USD"


def test_ticks_become_orders_and_unknown_ones_are_counted(tmp_path: Path) -> None:
    ticks = [
        tick("b", "10.000000001", "100.1", "0.5", "add", "OA"),
        tick("a", "10.2", "100.3", "0.5", "delete", "OLD"),
        tick("a", "10.1", "100.3", "0.7", "add", "OB"),
        tick("b", "10.3", "100.1", "0.2", "modify", "OA"),
        tick("b", "10.3", "100.1", "0.2", "modify", "OLDER"),
        tick("b", "10.4", "100.1", "0.2", "delete", "OA"),
    ]
    (imported,) = TICKS.read(write_ticks(tmp_path, ticks), {"recorder_utc_offset_h": "-7"})
    assert rows_of(imported) == [
        (ADD, BUY, 1001, 5, 1, LAST),
        (ADD, SELL, 1003, 7, 2, LAST),
        (MODIFY, BUY, 1001, 2, 1, LAST),
        (DELETE, BUY, 1001, 2, 1, LAST),
    ]
    statistics = imported.statistics
    assert (statistics["changes_of_unknown_orders"], statistics["deletions_of_unknown_orders"]) == (1, 1)
    assert statistics["orders_at_the_end"] == 1
    assert imported.notes == (
        "The book is partial: no snapshot was recorded, so orders older than the recording are missing.",
    )
    columns = imported.market.columns
    # The third line is dated by the newest time so far; its order is older.
    assert (columns.ts_event_ns - columns.ts_event_ns[0]).tolist() == [0, 199_999_999, 299_999_999, 399_999_999]
    # 23:50:45.5 of the day before, seven hours behind UTC.
    assert columns.ts_recv_ns[0] - columns.ts_event_ns[0] == 35_500_000_000 - 1
    check_market(imported.market, "here")


def test_an_order_that_would_be_crossed_is_one_that_ended_unseen(tmp_path: Path) -> None:
    ticks = [
        tick("b", "10.1", "100.5", "0.5", "add", "STALE"),
        tick("b", "10.2", "100.1", "0.5", "add", "OA"),
        tick("a", "10.3", "100.3", "0.7", "add", "OB"),
        tick("b", "10.4", "100.5", "0.5", "delete", "STALE"),
    ]
    (imported,) = TICKS.read(write_ticks(tmp_path, ticks))
    assert rows_of(imported) == [
        (ADD, BUY, 1005, 5, 1, LAST),
        (ADD, BUY, 1001, 5, 2, LAST),
        (DELETE, BUY, 1005, 5, 1, 0),
        (ADD, SELL, 1003, 7, 3, LAST),
    ]
    assert imported.statistics["stale_orders_removed"] == 1
    assert imported.statistics["deletions_of_unknown_orders"] == 1
    check_market(imported.market, "here")


def test_trades_of_the_same_recording_are_merged_within_the_span_of_the_book(tmp_path: Path) -> None:
    ticks = [tick("b", f"{second}.0", "100.1", "0.5", "add", f"O{second}") for second in (10, 20)]
    trades = [
        "2024-11-12T06:50:09.9Z,BTC/USD,100.1,0.1,sell,market,1",
        "2024-11-12T06:50:15.0Z,BTC/USD,100.1,0.1,sell,market,2",
        "2024-11-12T06:50:15.0Z,ETH/USD,3000.1,0.1,sell,market,3",
        "2024-11-12T06:50:20.1Z,BTC/USD,100.1,0.1,buy,market,4",
    ]
    (imported,) = TICKS.read(write_ticks(tmp_path, ticks, trades))
    assert [row[:4] for row in rows_of(imported)] == [(ADD, BUY, 1001, 5), (TRADE, SELL, 1001, 1), (ADD, BUY, 1001, 5)]
    assert (imported.statistics["trades"], imported.statistics["trades_outside_book"]) == (1, 2)


def test_a_tick_with_an_unknown_action_is_refused_with_its_line(tmp_path: Path) -> None:
    file = write_ticks(
        tmp_path, [tick("b", "10.1", "100.5", "0.5", "add", "OA"), tick("b", "10.2", "1", "1", "eat", "OA")]
    )
    with pytest.raises(DataError) as caught:
        TICKS.read(file)
    assert str(caught.value) == (
        f"{file}, line 3: side 'b', action 'eat'; sides are a and b, actions add, modify and delete"
    )


def test_two_recordings_are_not_imported_as_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.L3_ticks.csv").write_text(TICKS_HEADER + "\n")
    with pytest.raises(DataError) as caught:
        TICKS.read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: one .L3_ticks.csv is imported at a time, found a.L3_ticks.csv, b.L3_ticks.csv; give the file"
    )


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    file = tmp_path / "rec.L3_ticks.csv"
    file.write_text("side,price,symbol\nb,1,BTC/USD\n")
    with pytest.raises(DataError, match=r"column size is missing; it has side, price, symbol$"):
        TICKS.read(file)


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("ex_multifeed_out", {"ETH/USD": (1799, 1, 13, 0), "BTC/USD": (1088, 0, 26, 2)}),
        ("ex_out", {"BTC/USD": (104, 4, 10, 0)}),
    ],
)
def test_the_tick_captures_are_read_in_full(name: str, figures: dict[str, tuple[int, ...]]) -> None:
    file = require_capture("kraken-l3-l2-2024-11") / f"{name}.L3_ticks.csv"
    imports = TICKS.read(file, {"recorder_utc_offset_h": "-7"})
    keys = ("ticks", "changes_of_unknown_orders", "deletions_of_unknown_orders", "stale_orders_removed")
    assert {i.market.spec.symbol: tuple(i.statistics[key] for key in keys) for i in imports} == figures
    for each in imports:
        check_market(each.market, "capture")


def test_the_top_ten_captures_equal_their_snapshots_after_every_message() -> None:
    folder = require_capture("kraken-l3-l2-2024-11")
    imports = BOOKS.read(folder)
    assert [(i.market.spec.symbol, i.statistics["snapshots"]) for i in imports] == [("BTC/USD", 776), ("ETH/USD", 1349)]
    for each in imports:
        check_market(each.market, "capture")
        lines = (folder / f"L2_{each.market.spec.symbol.replace('/', '_')}_orderbook.csv").read_text().splitlines()[1:]
        expected = {line.split(",")[0]: line.split(",") for line in lines}
        spec, columns = each.market.spec, each.market.columns
        levels: tuple[dict[int, int], dict[int, int]] = ({}, {})
        last_by_time: dict[int, tuple[list[tuple[int, int]], list[tuple[int, int]]]] = {}
        rows = zip(columns.ts_event_ns.tolist(), rows_of(each), strict=True)
        for ts, (kind, side, price, qty, _, flags) in rows:
            if kind == LEVEL:
                levels[side].pop(price, None)
                if qty:
                    levels[side][price] = qty
            if flags & LAST:
                last_by_time[ts] = (sorted(levels[BUY].items(), reverse=True), sorted(levels[SELL].items()))
        compared = 0
        for text, fields in expected.items():
            ts = int(np.datetime64(text[:-1], "ns").astype(np.int64))
            if ts in last_by_time:
                bids, asks = last_by_time[ts]
                assert asks == [(spec.ticks(fields[4 * i + 1]), spec.lots(fields[4 * i + 2])) for i in range(10)]
                assert bids == [(spec.ticks(fields[4 * i + 3]), spec.lots(fields[4 * i + 4])) for i in range(10)]
                compared += 1
        assert compared > 700


def test_a_top_ten_level_taken_by_a_trade_is_flagged() -> None:
    imports = BOOKS.read(require_capture("kraken-l3-l2-2024-11"))
    for each in imports:
        columns = each.market.columns
        (row,) = np.flatnonzero(columns.flags & EXECUTED).tolist()
        trades = np.flatnonzero((columns.kind == TRADE) & (columns.ts_event_ns == columns.ts_event_ns[row]))
        assert columns.price_ticks[row] in columns.price_ticks[trades]
        assert trades.max() < row


def test_a_folder_without_top_ten_books_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no L2_BASE_QUOTE_orderbook\.csv"):
        BOOKS.read(tmp_path)
    (tmp_path / "L2_BTC_USD_orderbook.csv").write_text("timestamp,ap0,av0\n2024-11-12T06:50:10Z,1,1\n")
    with pytest.raises(DataError, match=r"column ap1 is missing; the file must hold ten levels a side"):
        BOOKS.read(tmp_path)
