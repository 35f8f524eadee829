from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.bitstamp import ADAPTER
from framework.data.checks import check_market
from framework.data.columns import ADD, EXECUTED, SNAPSHOT, TRADE, UNKNOWN_SIDE
from framework.data.imports import ImportedMarket
from framework.errors import DataError
from tests.captures import require_capture

FORMAT = ADAPTER.formats["bitstamp-l3"]


@pytest.fixture(scope="module")
def capture() -> ImportedMarket:
    (imported,) = FORMAT.read(require_capture("bitstamp-l3-2015-05-01"))
    return imported


def test_no_book_of_the_capture_is_crossed_and_no_order_is_kept_out(capture: ImportedMarket) -> None:
    check_market(capture.market, "capture")
    assert capture.statistics["orders_that_would_cross"] == 0
    assert capture.statistics["orders_never_resting"] == 0


def test_every_trade_of_the_capture_is_joined_to_the_order_that_it_hit(capture: ImportedMarket) -> None:
    columns = capture.market.columns
    trades = np.flatnonzero(columns.kind == TRADE)
    assert len(trades) == capture.statistics["trades"] == capture.statistics["trades_joined"] == 447
    assert (columns.side[trades] != UNKNOWN_SIDE).all()
    # The row after a trade is the reduction of its order, on the other side, at the same price and time.
    hit = trades + 1
    assert (columns.flags[hit] & EXECUTED != 0).all()
    assert (columns.order_id[hit] == columns.order_id[trades]).all()
    assert (columns.side[hit] == 1 - columns.side[trades]).all()
    assert (columns.price_ticks[hit] == columns.price_ticks[trades]).all()
    assert (columns.ts_event_ns[hit] == columns.ts_event_ns[trades]).all()


def test_the_touch_of_the_capture_equals_that_of_the_snapshots(capture: ImportedMarket) -> None:
    # After the first hour; a rebuild without the orders older than the capture has 4,584 of 5,024.
    assert (capture.statistics["touch_equal"], capture.statistics["touch_compared"]) == (5021, 5024)


def test_the_orders_older_than_the_capture_are_in_its_first_book(capture: ImportedMarket) -> None:
    assert capture.statistics["older_orders_named"] == 166
    assert capture.statistics["older_levels_silent"] == 23
    columns = capture.market.columns
    # And one that came before the first snapshot; three of the named ones were gone by then.
    assert np.count_nonzero((columns.kind == ADD) & (columns.flags & SNAPSHOT != 0)) == 187


def test_a_folder_without_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        FORMAT.read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no events.log.xz or events.log; give the file of an order by order recording"
    )


def test_the_adapter_reads_recordings_only() -> None:
    assert (ADAPTER.name, ADAPTER.profile, list(ADAPTER.formats)) == ("bitstamp", None, ["bitstamp-l3"])
