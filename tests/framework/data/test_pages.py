"""Pages of a mapped store are let go and read again; memory of our own is left alone."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from framework.data import pages
from framework.data.columns import COLUMN_TYPES, Market
from framework.data.imports import ImportedMarket
from framework.data.pages import give_back
from framework.data.store import Store, write_store
from framework.data.synthetic import synthetic_l2_rows

ROWS = 20_000


@pytest.fixture
def made() -> Market:
    return synthetic_l2_rows(1, ROWS)


@pytest.fixture
def mapped(made: Market, tmp_path: Path) -> Market:
    write_store(tmp_path / "store", [ImportedMarket(market=made, source="made")])
    store = Store.open(tmp_path / "store")
    return store.market(store.symbols[0])


def differing(one: Market, other: Market) -> list[str]:
    return [
        name for name in COLUMN_TYPES if not np.array_equal(getattr(one.columns, name), getattr(other.columns, name))
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="pages are let go on Linux only")
def test_of_a_mapped_market_most_pages_are_let_go_and_no_value_is_lost(made: Market, mapped: Market) -> None:
    size = sum(getattr(mapped.columns, name).nbytes for name in COLUMN_TYPES)
    assert 0.8 * size < give_back(mapped.columns, 0, ROWS) <= size
    assert differing(made, mapped) == []


@pytest.mark.parametrize(("first", "last"), [(0, 0), (5, 6), (100, 5_000), (ROWS - 1, ROWS), (0, 10 * ROWS)])
def test_any_rows_may_be_let_go(made: Market, mapped: Market, first: int, last: int) -> None:
    give_back(mapped.columns, first, last)
    assert differing(made, mapped) == []


def test_memory_of_our_own_is_left_alone(made: Market, mapped: Market) -> None:
    assert give_back(made.columns, 0, ROWS) == 0
    moved = np.array(mapped.columns.ts_event_ns) + 5
    mixed = msgspec.structs.replace(
        mapped, columns=msgspec.structs.replace(mapped.columns, ts_event_ns=moved, ts_recv_ns=moved)
    )
    give_back(mixed.columns, 0, ROWS)
    assert differing(made, mixed) == ["ts_event_ns", "ts_recv_ns"]
    assert np.array_equal(mixed.columns.ts_event_ns, made.columns.ts_event_ns + 5)


def test_a_mapping_that_is_gone_is_forgotten(made: Market, tmp_path: Path) -> None:
    known = len(pages._mapped)
    write_store(tmp_path / "store", [ImportedMarket(market=made, source="made")])
    store = Store.open(tmp_path / "store")
    market = store.market(store.symbols[0])
    assert len(pages._mapped) > known
    del market
    gc.collect()
    assert len(pages._mapped) == known
