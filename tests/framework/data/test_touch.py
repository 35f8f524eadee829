from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.data import touch
from framework.data.columns import ADD, BEST, CLEAR, DELETE, LEVEL, MODIFY, TRADE
from framework.data.touch import ADDED_TWICE, CHANGED_UNKNOWN, ID_NOT_DENSE, OTHER_SIDE, walk_touch
from framework.protocol import BUY, SELL
from tests.framework.data.markets import make_columns

BANDS = (0, 2, 5)
Touch = tuple[int, int, int, int]


class ObviousBook:
    """The book as dicts: the specification of the compiled walk."""

    def __init__(self) -> None:
        self.levels: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.orders: dict[int, tuple[int, int, int]] = {}

    def apply(self, row: tuple[int, ...]) -> None:
        kind, side, price, qty, *rest = row
        order = rest[0] if rest else 0
        if kind == CLEAR:
            self.levels, self.orders = ({}, {}), {}
        elif kind == BEST:
            self.levels[side].clear()
            self._add(side, price, qty)
        elif kind == LEVEL:
            self.levels[side].pop(price, None)
            self._add(side, price, qty)
        elif kind in (MODIFY, DELETE):
            old_side, old_price, old_qty = self.orders.pop(order)
            self._add(old_side, old_price, -old_qty)
        if kind in (ADD, MODIFY):
            self.orders[order] = (side, price, qty)
            self._add(side, price, qty)

    def _add(self, side: int, price: int, qty: int) -> None:
        total = self.levels[side].get(price, 0) + qty
        self.levels[side].pop(price, None)
        if total:
            self.levels[side][price] = total

    def touch(self) -> Touch:
        bids, asks = self.levels
        bid, ask = max(bids, default=0), min(asks, default=0)
        return bid, bids.get(bid, 0), ask, asks.get(ask, 0)

    def depth(self) -> list[list[int]]:
        bids, asks = self.levels
        bid, ask = max(bids, default=0), min(asks, default=0)
        return [
            [sum(q for p, q in bids.items() if bid - p <= n), sum(q for p, q in asks.items() if p - ask <= n)]
            for n in BANDS
        ]


PRICES = st.integers(min_value=1, max_value=12)
SIDES = st.sampled_from([BUY, SELL])


@st.composite
def level_rows(draw: Any) -> list[tuple[int, ...]]:
    kinds = st.sampled_from([LEVEL] * 12 + [CLEAR, TRADE])
    rows: list[tuple[int, ...]] = []
    for _ in range(draw(st.integers(min_value=1, max_value=60))):
        kind = draw(kinds)
        qty = draw(st.integers(min_value=0 if kind == LEVEL else 1, max_value=4))
        rows.append((CLEAR, 0, 0, 0) if kind == CLEAR else (kind, draw(SIDES), draw(PRICES), qty))
    return rows


@st.composite
def order_rows(draw: Any) -> list[tuple[int, ...]]:
    rows: list[tuple[int, ...]] = []
    live: dict[int, tuple[int, int, int]] = {}
    seen = 0
    for _ in range(draw(st.integers(min_value=1, max_value=60))):
        kind = draw(st.sampled_from([ADD, ADD, ADD, MODIFY, DELETE, DELETE, CLEAR]))
        if kind == CLEAR and draw(st.booleans()):
            rows.append((CLEAR, 0, 0, 0))
            live.clear()
        elif kind == ADD or not live:
            seen += 1
            live[seen] = (draw(SIDES), draw(PRICES), draw(st.integers(min_value=1, max_value=4)))
            rows.append((ADD, *live[seen], seen))
        else:
            order = draw(st.sampled_from(sorted(live)))
            side, price, qty = live.pop(order)
            if kind == MODIFY:
                price, qty = draw(PRICES), draw(st.integers(min_value=1, max_value=4))
                live[order] = (side, price, qty)
            rows.append((MODIFY if kind == MODIFY else DELETE, side, price, qty, order))
    return rows


def assert_walks_like_the_obvious_book(rows: list[tuple[int, ...]]) -> None:
    path = walk_touch(make_columns(rows), BANDS, 1)
    book = ObviousBook()
    assert path.error == 0
    for i, row in enumerate(rows):
        book.apply(row)
        found = (path.bid_ticks[i], path.bid_lots[i], path.ask_ticks[i], path.ask_lots[i])
        assert found == book.touch()
        assert path.depth_lots[i].tolist() == book.depth()


@settings(max_examples=150, deadline=None)
@given(level_rows())
def test_a_level_2_walk_agrees_with_the_obvious_book(rows: list[tuple[int, ...]]) -> None:
    assert_walks_like_the_obvious_book(rows)


@settings(max_examples=150, deadline=None)
@given(order_rows())
def test_a_level_3_walk_agrees_with_the_obvious_book(rows: list[tuple[int, ...]]) -> None:
    assert_walks_like_the_obvious_book(rows)


@settings(max_examples=50, deadline=None)
@given(level_rows())
def test_a_walk_over_ranks_agrees_with_one_over_prices(rows: list[tuple[int, ...]]) -> None:
    # A far-away bid, far below all others, makes the range of prices too wide for an array.
    far = [(LEVEL, BUY, 1, 0), *((k, s, p + 50_000_000 if k != CLEAR else 0, q) for k, s, p, q in rows)]
    path, near = walk_touch(make_columns(far), BANDS, 1), walk_touch(make_columns(rows), BANDS, 1)
    for name in ("bid_ticks", "ask_ticks"):
        shifted = getattr(path, name)[1:]
        assert np.where(shifted > 0, shifted - 50_000_000, 0).tolist() == getattr(near, name).tolist()
    assert path.depth_lots[1:].tolist() == near.depth_lots.tolist()


def test_memory_follows_the_rows_and_not_a_far_away_price() -> None:
    rows = [(LEVEL, BUY, 1, 5), (LEVEL, SELL, 1 << 60, 5)]
    path = walk_touch(make_columns(rows))
    assert (path.bid_ticks[1], path.ask_ticks[1]) == (1, 1 << 60)
    assert touch._SPARE_LEVELS < (1 << 60)


def test_level_1_rows_replace_their_side() -> None:
    rows = [(BEST, BUY, 100, 5), (BEST, SELL, 103, 2), (BEST, BUY, 99, 4), (BEST, SELL, 0, 0)]
    path = walk_touch(make_columns(rows))
    assert path.bid_ticks.tolist() == [100, 100, 99, 99]
    assert path.bid_lots.tolist() == [5, 5, 4, 4]
    assert path.ask_ticks.tolist() == [0, 103, 103, 0]


def test_the_first_row_that_cannot_be_applied_is_told_with_its_reason() -> None:
    first = (ADD, BUY, 100, 5, 1)
    for rows, error in (
        ([first, (ADD, BUY, 99, 5, 1)], ADDED_TWICE),
        ([first, (MODIFY, BUY, 99, 5, 2)], CHANGED_UNKNOWN),
        ([first, (DELETE, SELL, 100, 5, 1)], OTHER_SIDE),
        ([first, (ADD, BUY, 99, 5, 3)], ID_NOT_DENSE),
        ([first, (TRADE, SELL, 100, 5, 2), (DELETE, BUY, 1, 1, 9)], CHANGED_UNKNOWN),
    ):
        path = walk_touch(make_columns(rows))
        assert (path.error, path.error_row) == (error, 1)
