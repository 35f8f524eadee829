"""Loading a store of 2,000,000 rows with all checks: how long it takes, and no object for each row."""

from __future__ import annotations

import gc
import statistics
import time
from pathlib import Path

import numpy as np
import pytest

from framework.data.columns import LAST, LEVEL, Columns, Market
from framework.data.imports import ImportedMarket
from framework.data.info import describe
from framework.data.store import Store, write_store
from framework.protocol import BUY, InstrumentSpec

pytestmark = pytest.mark.benchmark

ROWS = 2_000_000
REPEATS = 9


@pytest.fixture(scope="module")
def store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(1)
    side = random.integers(0, 2, ROWS).astype(np.uint8)
    distance = random.integers(1, 500, ROWS)
    ts = 1_700_000_000_000_000_000 + np.cumsum(random.integers(0, 1_000_000, ROWS))
    columns = Columns(
        ts_event_ns=ts,
        ts_recv_ns=ts + 1_000_000,
        kind=np.full(ROWS, LEVEL, dtype=np.uint8),
        side=side,
        price_ticks=np.where(side == BUY, 50_000 - distance, 50_000 + distance),
        qty_lots=random.integers(0, 5, ROWS),
        order_id=np.empty(0, dtype=np.int64),
        flags=np.full(ROWS, LAST, dtype=np.uint8),
    )
    spec = InstrumentSpec(symbol="BTC/USD", venue="testing", tick_size="0.1", lot_size="0.00000001")
    path = tmp_path_factory.mktemp("benchmark") / "store"
    market = Market(spec=spec, columns=columns, depth="L2", has_trades=False)
    write_store(path, [ImportedMarket(market=market, source="made")])
    return path


def test_loading_two_million_rows(store_path: Path) -> None:
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        market = Store.open(store_path).market("BTC/USD")
        seconds.append(time.perf_counter() - start)
        assert len(market.columns) == ROWS
    median = statistics.median(seconds)
    print(f"\nload {ROWS:,} rows with checks: median {median * 1000:.1f} ms (target 200 ms)")


def test_a_load_makes_no_object_for_each_row(store_path: Path) -> None:
    Store.open(store_path).market("BTC/USD")
    gc.collect()
    before = len(gc.get_objects())
    market = Store.open(store_path).market("BTC/USD")
    assert len(gc.get_objects()) - before < 1000
    assert not market.columns.price_ticks.flags.owndata


def test_the_figures_of_two_million_rows(store_path: Path) -> None:
    market = Store.open(store_path).market("BTC/USD")
    describe(market)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        describe(market)
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(f"\ndescribe {ROWS:,} rows: median {median * 1000:.0f} ms (target 2,000 ms)")
