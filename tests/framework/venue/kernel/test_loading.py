"""Rows are checked before compiled code, which checks nothing, walks them."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from framework.data.columns import BEST, LAST
from framework.errors import DataError
from framework.protocol import BUY, SELL
from framework.venue.kernel import MatchingKernel
from tests.framework.venue.kernel.row_streams import Row, market
from tests.framework.venue.kernel.tape import add, best, level, trade

GOOD = [level(1, BUY, 100, 5), level(2, SELL, 105, 5), trade(3, SELL, 100, 1)]


@pytest.mark.parametrize(
    ("row", "depth", "complaint"),
    [
        (level(0, BUY, 100, 5), "L2", "row 3 .*before the row before it"),
        (best(4, BUY, 100, 5), "L2", "row 3 .*does not belong into a market of this depth"),
        ((4, 9, BUY, 100, 5, 0, LAST), "L2", "row 3 .*does not belong"),
        (level(4, 2, 100, 5), "L2", "row 3 .*neither BUY nor SELL"),
        (trade(4, 3, 100, 5), "L2", "row 3 .*neither BUY nor SELL"),
        (level(4, BUY, 2**40 + 1, 5), "L2", "row 3 .*ticks"),
        (level(4, BUY, 100, -1), "L2", "row 3 .*negative"),
    ],
)
def test_a_wrong_row_is_named(row: Row, depth: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        MatchingKernel([market([*GOOD, row], depth)])


@pytest.mark.parametrize("order", [0, -1, 7])
def test_an_order_number_that_is_not_dense_is_named(order: int) -> None:
    with pytest.raises(DataError, match=r"row 1 .*order_id"):
        MatchingKernel([market([add(1, 1, BUY, 100, 5), add(2, order, BUY, 100, 5)], "L3")])


def test_an_unknown_depth_is_refused() -> None:
    with pytest.raises(DataError, match="'L4' is none of"):
        MatchingKernel([market(GOOD, "L4")])


def test_a_column_of_another_type_is_refused() -> None:
    good = market(GOOD, "L2")
    columns = msgspec.structs.replace(good.columns, qty_lots=good.columns.qty_lots.astype(np.int32))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="column qty_lots"):
        MatchingKernel([msgspec.structs.replace(good, columns=columns)])


def test_a_column_that_is_too_short_is_refused() -> None:
    good = market(GOOD, "L2")
    columns = msgspec.structs.replace(good.columns, flags=good.columns.flags[:2])
    with pytest.raises(DataError, match="column flags has 2 rows"):
        MatchingKernel([msgspec.structs.replace(good, columns=columns)])


def test_books_without_order_ids_and_read_only_columns_are_read_in_place() -> None:
    good = market(GOOD, "L2")
    columns = msgspec.structs.replace(good.columns, order_id=np.zeros(0, np.int64))
    for name in columns.__struct_fields__:
        getattr(columns, name).flags.writeable = False
    kernel = MatchingKernel([msgspec.structs.replace(good, columns=columns)])
    kernel.advance(3)
    assert kernel.best(0, BUY) == (100, 4)  # a trade of one has been told


def test_an_empty_market_ends_at_once() -> None:
    kernel = MatchingKernel([market([], "L2")])
    assert kernel.advance(100).name == "END"
    assert kernel.best(0, BUY) is None


def test_prices_far_apart_and_below_zero_find_each_other() -> None:
    prices = [-(2**40), -64, -1, 0, 63, 64, 10**6, 2**40]
    rows = [level(i, BUY, price, 1 + i) for i, price in enumerate(prices)]
    kernel = MatchingKernel([market(rows, "L2")])
    kernel.advance(100)
    assert kernel.levels(0, BUY, 99) == [(price, 1 + i) for i, price in reversed(list(enumerate(prices)))]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_hundreds_of_thousands_of_pages_are_searched_right(side: int) -> None:
    # One price in every fourth page: more than 4096 pages, so all rows of the bitmaps are used.
    prices = list(range(0, 20_000 * 256, 256))
    rows = [(i, 2, side, price, 1, 0, LAST) for i, price in enumerate(prices)]
    rows += [(20_000 + i, 2, side, price, 0, 0, LAST) for i, price in enumerate(prices[10:-10])]
    kernel = MatchingKernel([market(rows, "L2")])
    kernel.advance(19_999)
    assert kernel.available(0, 1 - side) == 20_000
    kernel.advance(10**6)
    left = prices[:10] + prices[-10:]
    assert [price for price, _ in kernel.levels(0, side, 99)] == sorted(left, reverse=side == BUY)


def test_kinds_are_those_of_the_depth() -> None:
    rows = [(1, BEST, BUY, 100, 5, 0, LAST)]
    MatchingKernel([market(rows, "L1")])
    with pytest.raises(DataError, match="kind 1"):
        MatchingKernel([market(rows, "trades")])
