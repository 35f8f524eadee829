"""Market data as NautilusTrader's objects: its own book, fed with them, is the book that was told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.enums import AggressorSide, BookType, OrderSide

from framework.data.columns import ADD, CLEAR, DELETE, LEVEL, MODIFY, TRADE
from framework.data.live_rows import MarketRow
from framework.execution.instruments import InstrumentBridge
from framework.nautilus.market_objects import book_as_deltas, book_as_depth, quote_tick, rows_as_deltas, trade_tick
from framework.protocol import BUY, SELL, InstrumentSpec

SPEC = InstrumentSpec(symbol="BTC/USD", venue="kraken", tick_size="0.1", lot_size="0.00000001")
BRIDGE = InstrumentBridge(SPEC, "KRAKEN")
BTC = 10**8


def row(kind: int, side: int = 0, price_ticks: int = 0, qty_lots: int = 0, order_id: int = 0) -> MarketRow:
    return MarketRow(1, 2, kind, side, price_ticks, qty_lots, 0, 0, order_id)


class Book:
    """A view of levels."""

    ts_event_ns = 5

    def __init__(self, levels: dict[int, dict[int, int]]) -> None:
        self._levels = levels

    def levels(self, side: int, count: int) -> list[tuple[int, int]]:
        return sorted(self._levels[side].items(), reverse=side == BUY)[:count]


def levels_of(book: OrderBook) -> dict[int, dict[Decimal, Decimal]]:
    return {
        side: {level.price.as_decimal(): Decimal(str(level.size())) for level in levels}
        for side, levels in ((BUY, book.bids()), (SELL, book.asks()))
    }


@given(
    st.lists(st.tuples(st.sampled_from((BUY, SELL)), st.integers(1, 12), st.integers(0, 3)), min_size=1, max_size=30)
)
def test_nautilus_book_by_level_is_the_book_that_was_told(changes: list[tuple[int, int, int]]) -> None:
    told = OrderBook(BRIDGE.instrument_id, BookType.L2_MBP)
    kept: dict[int, dict[int, int]] = {BUY: {100: BTC}, SELL: {120: BTC}}
    first = [row(CLEAR), row(LEVEL, BUY, 100, BTC), row(LEVEL, SELL, 120, BTC)]
    told.apply_deltas(rows_as_deltas(BRIDGE, first, 1, 2))
    for side, distance, quantity in changes:
        ticks = 100 - distance if side == BUY else 120 + distance
        if not quantity and ticks not in kept[side]:
            continue
        kept[side].pop(ticks, None)
        if quantity:
            kept[side][ticks] = quantity * BTC
        told.apply_deltas(rows_as_deltas(BRIDGE, [row(LEVEL, side, ticks, quantity * BTC)], 1, 2))
    expected = {
        side: {SPEC.price(ticks): SPEC.qty(lots) for ticks, lots in levels.items()} for side, levels in kept.items()
    }
    assert levels_of(told) == expected
    whole = OrderBook(BRIDGE.instrument_id, BookType.L2_MBP)
    view: Any = Book(kept)
    whole.apply_deltas(book_as_deltas(BRIDGE, view, 2))
    assert levels_of(whole) == expected


def test_nautilus_book_by_order_keeps_each_order() -> None:
    book = OrderBook(BRIDGE.instrument_id, BookType.L3_MBO)
    rows = [row(CLEAR), row(ADD, BUY, 100, BTC, 7), row(ADD, BUY, 100, 2 * BTC, 8), row(ADD, SELL, 101, BTC, 9)]
    book.apply_deltas(rows_as_deltas(BRIDGE, rows, 1, 2))
    (level,) = book.bids()
    assert [order.size.as_decimal() for order in level.orders()] == [1, 2]
    book.apply_deltas(rows_as_deltas(BRIDGE, [row(MODIFY, BUY, 100, BTC // 2, 7), row(DELETE, BUY, 100, 0, 8)], 1, 2))
    (level,) = book.bids()
    assert [order.size.as_decimal() for order in level.orders()] == [Decimal("0.5")]


def test_a_book_that_is_lost_is_cleared() -> None:
    book = OrderBook(BRIDGE.instrument_id, BookType.L2_MBP)
    book.apply_deltas(rows_as_deltas(BRIDGE, [row(CLEAR), row(LEVEL, BUY, 100, BTC)], 1, 2))
    cleared = rows_as_deltas(BRIDGE, [], 1, 2)
    assert cleared is not None
    book.apply_deltas(cleared)
    assert book.best_bid_price() is None
    assert cleared.is_snapshot


def test_what_changes_no_book_is_no_object() -> None:
    assert rows_as_deltas(BRIDGE, [row(TRADE, BUY, 100, BTC)], 1, 2) is None


def test_depth_is_filled_up_with_levels_of_nothing() -> None:
    view: Any = Book({BUY: {100: BTC, 99: 2 * BTC}, SELL: {101: BTC}})
    depth = book_as_depth(BRIDGE, view, 2)
    assert [order.size.as_decimal() for order in depth.bids[:3]] == [1, 2, 0]
    assert [order.side for order in depth.asks[:2]] == [OrderSide.SELL, OrderSide.NO_ORDER_SIDE]
    assert (depth.bid_counts[:3], depth.ask_counts[:2]) == ([1, 1, 0], [1, 0])
    assert (len(depth.bids), len(depth.asks)) == (10, 10)


def test_a_quote_needs_two_sides() -> None:
    assert quote_tick(BRIDGE, (100, BTC, 0, 0), 1, 2) is None
    quote = quote_tick(BRIDGE, (100, BTC, 101, 2 * BTC), 1, 2)
    assert quote is not None
    assert (quote.bid_price.as_decimal(), quote.ask_size.as_decimal()) == (Decimal("10.0"), Decimal(2))
    assert (quote.ts_event, quote.ts_init) == (1, 2)


@pytest.mark.parametrize(
    ("side", "aggressor"), [(BUY, AggressorSide.BUYER), (SELL, AggressorSide.SELLER), (-1, AggressorSide.NO_AGGRESSOR)]
)
def test_a_trade_has_its_number_and_aggressor(side: int, aggressor: AggressorSide) -> None:
    tick = trade_tick(BRIDGE, row(TRADE, side, 100, BTC), 42, 2)
    assert (tick.trade_id.value, tick.aggressor_side, tick.price.as_decimal()) == ("42", aggressor, Decimal("10.0"))
