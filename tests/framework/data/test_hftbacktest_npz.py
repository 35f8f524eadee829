from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.data.checks import check_market
from framework.data.columns import (
    ADD,
    BEST,
    CLEAR,
    DELETE,
    LAST,
    LEVEL,
    MODIFY,
    SNAPSHOT,
    TRADE,
    UNKNOWN_SIDE,
    Columns,
    Market,
)
from framework.data.formats import FORMATS
from framework.data.hftbacktest_npz import EVENT_DTYPE, export_hftbacktest
from framework.errors import ConfigError, DataError
from framework.protocol import BUY, SELL
from tests.framework.data.markets import START_NS, make_market, make_spec

FORMAT = FORMATS["hftbacktest"]
OPTIONS = {"symbol": "BTC/USD", "venue": "testing", "tick_size": "0.1", "lot_size": "0.00000001"}

EXCH, LOCAL, BID, ASK = 1 << 31, 1 << 30, 1 << 29, 1 << 28
BOTH = EXCH | LOCAL


def read(file: Path, **options: str) -> Market:
    (imported,) = FORMAT.read(file, OPTIONS | options)
    return imported.market


def save(folder: Path, events: list[tuple[Any, ...]]) -> Path:
    file = folder / "events.npz"
    np.savez(file, data=np.array([(*event, 0, 0.0) for event in events], dtype=EVENT_DTYPE))
    return file


def rows_of(market: Market) -> list[tuple[int, ...]]:
    c = market.columns
    ids = c.order_id if len(c.order_id) else np.zeros(len(c), dtype=np.int64)
    return list(zip(*(x.tolist() for x in (c.kind, c.side, c.price_ticks, c.qty_lots, ids, c.flags)), strict=True))


PRICES = st.integers(min_value=1, max_value=2**31)
LOTS = st.integers(min_value=1, max_value=2**48)


@st.composite
def level_markets(draw: Any) -> Market:
    row = st.one_of(
        st.tuples(st.just(LEVEL), st.sampled_from([BUY, SELL]), PRICES, LOTS | st.just(0)),
        st.tuples(st.just(TRADE), st.sampled_from([BUY, SELL, UNKNOWN_SIDE]), PRICES, LOTS),
        st.just((CLEAR, BUY, 0, 0)),
    )
    return make_market(draw(st.lists(row, min_size=1, max_size=20)), has_trades=True)


@settings(max_examples=40, deadline=None)
@given(market=level_markets())
def test_a_level_2_market_survives_the_way_there_and_back(
    tmp_path_factory: pytest.TempPathFactory, market: Market
) -> None:
    file = tmp_path_factory.mktemp("npz") / "market.npz"
    export_hftbacktest(market, file)
    back = read(file)
    assert rows_of(back) == rows_of(market)
    assert back.columns.ts_event_ns.tolist() == market.columns.ts_event_ns.tolist()
    assert back.columns.ts_recv_ns.tolist() == market.columns.ts_recv_ns.tolist()
    assert back.spec == market.spec


def test_a_level_3_market_survives_the_way_there_and_back(tmp_path: Path) -> None:
    rows = [
        (ADD, BUY, 100, 5, 1),
        (ADD, SELL, 102, 7, 2),
        (TRADE, BUY, 102, 3, 2),
        (MODIFY, SELL, 102, 4, 2),
        (MODIFY, BUY, 99, 6, 1),
        (DELETE, BUY, 99, 6, 1),
    ]
    market = make_market(rows, "L3")
    export_hftbacktest(market, tmp_path / "market.npz")
    back = read(tmp_path / "market.npz")
    assert (back.depth, back.has_trades) == ("L3", True)
    assert rows_of(back) == rows_of(market)
    check_market(back, "back")


def test_a_snapshot_is_one_message_and_stays_a_snapshot(tmp_path: Path) -> None:
    rows = [
        (CLEAR, BUY, 0, 0, 0, 0, SNAPSHOT),
        (LEVEL, BUY, 100, 5, 0, 0, SNAPSHOT),
        (LEVEL, SELL, 101, 5, 0, 0, SNAPSHOT | LAST),
        (LEVEL, BUY, 100, 4, 0, 1000, LAST),
    ]
    export_hftbacktest(make_market(rows), tmp_path / "market.npz")
    flags = read(tmp_path / "market.npz").columns.flags.tolist()
    assert flags == [SNAPSHOT, SNAPSHOT, SNAPSHOT | LAST, LAST]


def test_hftbacktest_itself_accepts_the_export_and_builds_our_book(tmp_path: Path) -> None:
    hft = pytest.importorskip("hftbacktest")
    validation = pytest.importorskip("hftbacktest.data.validation")
    rows = [(LEVEL, BUY, 1000, 500), (LEVEL, SELL, 1002, 700), (LEVEL, BUY, 1001, 200), (LEVEL, SELL, 1002, 300)]
    file = tmp_path / "market.npz"
    export_hftbacktest(make_market(rows), file)
    events = np.load(file)["data"]
    assert events.dtype == hft.types.event_dtype
    validation.validate_event_order(events)
    asset = (
        hft.BacktestAsset()
        .data([str(file)])
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(0.1)
        .lot_size(0.00000001)
    )
    backtest = hft.HashMapMarketDepthBacktest([asset])
    backtest.elapse(10_000_000)
    depth = backtest.depth(0)
    assert (depth.best_bid_tick, depth.best_ask_tick) == (1001, 1002)
    assert (round(depth.best_bid_qty * 1e8), round(depth.best_ask_qty * 1e8)) == (200, 300)
    backtest.close()


def test_a_clear_of_one_side_removes_its_levels_up_to_the_price(tmp_path: Path) -> None:
    ts = START_NS
    events = [
        (1 | BID | BOTH, ts, ts, 10.0, 1e-8, 0),
        (1 | BID | BOTH, ts, ts, 9.9, 1e-8, 0),
        (1 | BID | BOTH, ts, ts, 9.8, 1e-8, 0),
        (1 | ASK | BOTH, ts, ts, 10.1, 1e-8, 0),
        (3 | BID | BOTH, ts + 1, ts + 1, 9.9, 0.0, 0),
        (4 | BID | BOTH, ts + 1, ts + 1, 9.9, 2e-8, 0),
    ]
    market = read(save(tmp_path, events))
    assert [row[:4] for row in rows_of(market)[4:]] == [(LEVEL, BUY, 99, 0), (LEVEL, BUY, 100, 0), (LEVEL, BUY, 99, 2)]


def test_book_events_of_the_same_two_times_are_one_message(tmp_path: Path) -> None:
    ts = START_NS
    events = [
        (1 | BID | BOTH, ts, ts + 5, 10.0, 1e-8, 0),
        (1 | ASK | BOTH, ts, ts + 5, 10.1, 1e-8, 0),
        (1 | ASK | BOTH, ts, ts + 6, 10.2, 1e-8, 0),
        (2 | BID | BOTH, ts + 1, ts + 6, 10.1, 1e-8, 0),
        (2 | BID | BOTH, ts + 1, ts + 6, 10.2, 1e-8, 0),
        (1 | ASK | BOTH, ts + 1, ts + 6, 10.1, 0.0, 0),
    ]
    assert read(save(tmp_path, events)).columns.flags.tolist() == [0, LAST, LAST, LAST, LAST, LAST]


def test_events_of_the_local_view_and_fills_are_left_out_and_counted(tmp_path: Path) -> None:
    ts = START_NS
    events = [
        (10 | BID | BOTH, ts, ts, 10.0, 5e-8, 77),
        (13 | BID | BOTH, ts + 1, ts + 1, 10.0, 2e-8, 77),
        (12 | BID | EXCH, ts + 2, ts + 2, 10.0, 3e-8, 77),
        (12 | BID | LOCAL, ts + 2, ts + 3, 10.0, 3e-8, 77),
    ]
    (imported,) = FORMAT.read(save(tmp_path, events), OPTIONS)
    assert [row[:5] for row in rows_of(imported.market)] == [(ADD, BUY, 100, 5, 1), (MODIFY, BUY, 100, 3, 1)]
    assert imported.statistics == {"events": 4, "events_of_local_view_only": 1, "fills_left_out": 1}


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (
            [(1 | BID | BOTH, START_NS, START_NS, 10.05, 1e-8, 0)],
            "{file}, row 0: price 10.05 is not a multiple of 0.1; give the right step",
        ),
        (
            [(1 | BID | BOTH, START_NS, START_NS, 10.0, 1.5e-8, 0)],
            "{file}, row 0: quantity 1.5e-08 is not a multiple of 0.00000001; give the right step",
        ),
        (
            [(1 | BID | BOTH, START_NS, START_NS, float("nan"), 1e-8, 0)],
            "{file}, row 0: price nan is not a multiple of 0.1; give the right step",
        ),
        (
            [(99 | BID | BOTH, START_NS, START_NS, 10.0, 1e-8, 0)],
            "{file}, row 0: event 99 has no meaning in a market; remove it before importing",
        ),
        (
            [(10 | BID | BOTH, START_NS, START_NS, 10.0, 1e-8, 7), (1 | BID | BOTH, START_NS, START_NS, 9.0, 1e-8, 0)],
            "{file}, row 1: depth events among order events; import the two into two stores",
        ),
    ],
)
def test_a_bad_event_is_refused_with_its_row(tmp_path: Path, events: list[tuple[Any, ...]], message: str) -> None:
    file = save(tmp_path, events)
    with pytest.raises(DataError) as caught:
        read(file)
    assert str(caught.value) == message.format(file=file)


def test_a_file_that_is_no_event_array_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "events.npz"
    file.write_bytes(b"time,price\n")
    with pytest.raises(DataError, match=r"not an \.npz file of events"):
        read(file)
    np.savez(file, events=np.zeros(1))
    with pytest.raises(DataError, match="no array named data, only events; save it as data=events"):
        read(file)
    np.savez(file, data=np.zeros(1))
    with pytest.raises(DataError, match="events are float64, not hftbacktest's version 2; convert the file first"):
        read(file)


def test_the_grid_must_be_given(tmp_path: Path) -> None:
    file = save(tmp_path, [(1 | BID | BOTH, START_NS, START_NS, 10.0, 1e-8, 0)])
    with pytest.raises(ConfigError, match="hftbacktest: tick_size is not given; the file does not hold it"):
        read(file, tick_size="")


def with_receive_times(market: Market, times: list[int]) -> Market:
    columns = {name: getattr(market.columns, name) for name in Columns.__struct_fields__}
    return msgspec.structs.replace(market, columns=Columns(**columns | {"ts_recv_ns": np.array(times, dtype=np.int64)}))


def test_a_market_that_hftbacktest_could_not_run_is_not_exported(tmp_path: Path) -> None:
    market = make_market([(LEVEL, BUY, 100, 5), (LEVEL, BUY, 99, 5)])
    for bad, message in (
        (with_receive_times(market, [START_NS - 1, START_NS + 1000]), "row 0: received 1 ns before it happened"),
        (make_market([(BEST, BUY, 100, 5)], "L1"), "no rows of level 1"),
    ):
        with pytest.raises(DataError, match=message):
            export_hftbacktest(bad, tmp_path / "market.npz")
    assert not (tmp_path / "market.npz").exists()


def test_receive_times_that_go_back_are_raised_on_export(tmp_path: Path) -> None:
    market = with_receive_times(
        make_market([(LEVEL, BUY, 100, 5), (LEVEL, BUY, 99, 5)]), [START_NS + 5000, START_NS + 1000]
    )
    export_hftbacktest(market, tmp_path / "market.npz")
    assert read(tmp_path / "market.npz").columns.ts_recv_ns.tolist() == [START_NS + 5000, START_NS + 5000]


def test_a_grid_that_is_no_power_of_ten_survives(tmp_path: Path) -> None:
    market = make_market([(LEVEL, BUY, 3, 7)], spec=make_spec(tick_size="0.05", lot_size="0.25"))
    export_hftbacktest(market, tmp_path / "market.npz")
    assert np.load(tmp_path / "market.npz")["data"]["px"].tolist() == [0.15]
    assert rows_of(read(tmp_path / "market.npz", tick_size="0.05", lot_size="0.25")) == rows_of(market)
