from __future__ import annotations

import numpy as np
import pytest

from framework.data.columns import (
    ADD,
    CLEAR,
    DELETE,
    EXECUTED,
    LAST,
    LEVEL,
    MODIFY,
    SNAPSHOT,
    TRADE,
    Columns,
    Market,
)
from framework.data.synthetic import synthetic_l2
from framework.protocol import BUY, SELL, InstrumentSpec

_SPEC = InstrumentSpec(symbol="BTC/USD", venue="synthetic", tick_size="0.1", lot_size="0.00000001")


def _market(*rows: tuple[int, int, int, int, int, int], depth: str = "L3") -> Market:
    """Rows of kind, side, price, quantity, order, flags; one nanosecond apart."""
    table = np.array(rows, dtype=np.int64).reshape(-1, 6)
    ts_ns = np.arange(len(rows), dtype=np.int64)
    columns = Columns(
        ts_event_ns=ts_ns,
        ts_recv_ns=ts_ns + 5,
        kind=table[:, 0].astype(np.uint8),
        side=table[:, 1].astype(np.uint8),
        price_ticks=table[:, 2].copy(),
        qty_lots=table[:, 3].copy(),
        order_id=table[:, 4].copy(),
        flags=table[:, 5].astype(np.uint8),
    )
    return Market(spec=_SPEC, columns=columns, depth=depth, has_trades=True)


def _rows(market: Market) -> list[tuple[int, ...]]:
    c = market.columns
    return [
        tuple(int(x) for x in row)
        for row in zip(c.ts_event_ns, c.kind, c.side, c.price_ticks, c.qty_lots, c.flags, strict=True)
    ]


def test_each_change_of_an_order_tells_the_total_of_its_price() -> None:
    told = synthetic_l2(
        _market(
            (CLEAR, 0, 0, 0, 0, SNAPSHOT),
            (ADD, BUY, 100, 5, 1, SNAPSHOT | LAST),
            (ADD, BUY, 100, 7, 2, LAST),
            (ADD, SELL, 101, 4, 3, LAST),
            (MODIFY, BUY, 100, 3, 1, LAST),
            (DELETE, BUY, 100, 7, 2, LAST),
        )
    )
    assert told.depth == "L2"
    assert len(told.columns.order_id) == 0
    assert told.columns.ts_recv_ns.tolist() == [5, 6, 7, 8, 9, 10]
    assert _rows(told) == [
        (0, CLEAR, 0, 0, 0, SNAPSHOT),
        (1, LEVEL, BUY, 100, 5, SNAPSHOT | LAST),
        (2, LEVEL, BUY, 100, 12, LAST),
        (3, LEVEL, SELL, 101, 4, LAST),
        (4, LEVEL, BUY, 100, 10, LAST),
        (5, LEVEL, BUY, 100, 3, LAST),
    ]


def test_a_trade_stays_and_what_it_took_is_gone_from_the_level() -> None:
    told = synthetic_l2(
        _market(
            (ADD, SELL, 101, 4, 1, LAST),
            (ADD, SELL, 101, 6, 2, LAST),
            (TRADE, BUY, 101, 4, 1, 0),
            (DELETE, SELL, 101, 0, 1, EXECUTED),
            (TRADE, BUY, 101, 1, 2, 0),
            (MODIFY, SELL, 101, 5, 2, EXECUTED | LAST),
        )
    )
    assert _rows(told)[2:] == [
        (2, TRADE, BUY, 101, 4, 0),
        (3, LEVEL, SELL, 101, 6, EXECUTED),
        (4, TRADE, BUY, 101, 1, 0),
        (5, LEVEL, SELL, 101, 5, EXECUTED | LAST),
    ]


def test_an_order_that_moves_leaves_one_level_and_joins_another_in_one_message() -> None:
    told = synthetic_l2(
        _market((ADD, BUY, 100, 5, 1, LAST), (ADD, BUY, 100, 2, 2, LAST), (MODIFY, BUY, 98, 4, 1, LAST))
    )
    assert _rows(told)[2:] == [(2, LEVEL, BUY, 100, 2, 0), (2, LEVEL, BUY, 98, 4, LAST)]


def test_a_cleared_book_starts_from_nothing() -> None:
    told = synthetic_l2(
        _market((ADD, BUY, 100, 5, 1, LAST), (CLEAR, 0, 0, 0, 0, SNAPSHOT), (ADD, BUY, 100, 2, 2, SNAPSHOT | LAST))
    )
    assert _rows(told)[2] == (2, LEVEL, BUY, 100, 2, SNAPSHOT | LAST)


def test_a_change_of_an_order_that_is_not_in_the_book_is_refused_with_its_row() -> None:
    with pytest.raises(ValueError, match="row 1 changes order 2, which is not in the book"):
        synthetic_l2(_market((ADD, BUY, 100, 5, 1, LAST), (DELETE, BUY, 100, 5, 2, LAST)))


def test_a_market_of_another_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="from level 3 only"):
        synthetic_l2(_market((LEVEL, BUY, 100, 5, 0, LAST), depth="L2"))
