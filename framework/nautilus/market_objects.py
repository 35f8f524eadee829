"""Market data as NautilusTrader's objects: quotes, trades, books by level and by order, depth, candles.

Each is made of rows and views in ticks and lots, exactly; a message of the venue becomes one object or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nautilus_trader.model.data import (
    BookOrder,
    OrderBookDelta,
    OrderBookDeltas,
    OrderBookDepth10,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import AggressorSide, BookAction, OrderSide
from nautilus_trader.model.identifiers import TradeId

from framework.book import BookView
from framework.data.columns import ADD, CLEAR, DELETE, LEVEL, MODIFY
from framework.data.live_rows import MarketRow
from framework.execution.instruments import InstrumentBridge
from framework.protocol import BUY, SELL

__all__ = ["Touch", "book_as_deltas", "book_as_depth", "quote_tick", "rows_as_deltas", "trade_tick"]

type Touch = tuple[int, int, int, int]
"""Bid price, bid quantity, ask price, ask quantity in ticks and lots; quantity 0: an empty side."""

# NautilusTrader's record flags.
_F_LAST = 128
_F_SNAPSHOT = 32
_SNAPSHOT_LEVELS = 1_000
_DEPTH = 10
_AGGRESSORS = {BUY: AggressorSide.BUYER, SELL: AggressorSide.SELLER}
_SIDES = {BUY: OrderSide.BUY, SELL: OrderSide.SELL}
_ACTIONS = {ADD: BookAction.ADD, MODIFY: BookAction.UPDATE, DELETE: BookAction.DELETE}

# A change of a book: action, side, price in ticks, quantity in lots, id.
type _Change = tuple[BookAction, int, int, int, int]


def quote_tick(bridge: InstrumentBridge, touch: Touch, ts_event_ns: int, ts_init_ns: int) -> QuoteTick | None:
    """The best prices; None while a side is empty."""
    bid_ticks, bid_lots, ask_ticks, ask_lots = touch
    if not bid_lots or not ask_lots:
        return None
    prices = bridge.price(bid_ticks), bridge.price(ask_ticks)
    sizes = bridge.qty(bid_lots), bridge.qty(ask_lots)
    return QuoteTick(bridge.instrument_id, *prices, *sizes, ts_event_ns, ts_init_ns)


def trade_tick(bridge: InstrumentBridge, row: MarketRow, trade_id: int, ts_init_ns: int) -> TradeTick:
    """A trade."""
    return TradeTick(
        bridge.instrument_id,
        bridge.price(row.price_ticks),
        bridge.qty(row.qty_lots),
        _AGGRESSORS.get(row.side, AggressorSide.NO_AGGRESSOR),
        TradeId(str(trade_id)),
        row.ts_event_ns,
        ts_init_ns,
    )


def rows_as_deltas(
    bridge: InstrumentBridge, rows: Sequence[MarketRow], ts_event_ns: int, ts_init_ns: int
) -> OrderBookDeltas | None:
    """The rows of a message about a book, by level or by order; None if it changes nothing.

    Those that begin with a CLEAR, and no rows, are the whole book.
    """
    is_snapshot = not rows or rows[0].kind == CLEAR
    changes = [_change(row, is_snapshot=is_snapshot) for row in rows if row.kind in (LEVEL, ADD, MODIFY, DELETE)]
    return _deltas(bridge, changes, ts_event_ns, ts_init_ns, is_snapshot=is_snapshot)


def book_as_deltas(bridge: InstrumentBridge, book: BookView, ts_init_ns: int) -> OrderBookDeltas | None:
    """The whole book by level."""
    changes: Iterable[_Change] = (
        (BookAction.ADD, side, price_ticks, qty_lots, price_ticks)
        for side in (BUY, SELL)
        for price_ticks, qty_lots in book.levels(side, _SNAPSHOT_LEVELS)
    )
    return _deltas(bridge, list(changes), book.ts_event_ns, ts_init_ns, is_snapshot=True)


def book_as_depth(bridge: InstrumentBridge, book: BookView, ts_init_ns: int) -> OrderBookDepth10:
    """The ten best levels of each side; a shorter side ends with levels of nothing."""
    sides = []
    for side in (BUY, SELL):
        levels = [
            BookOrder(_SIDES[side], bridge.price(price_ticks), bridge.qty(qty_lots), price_ticks)
            for price_ticks, qty_lots in book.levels(side, _DEPTH)
        ]
        nothing = BookOrder(OrderSide.NO_ORDER_SIDE, bridge.price(0), bridge.qty(0), 0)
        sides.append((levels + [nothing] * (_DEPTH - len(levels)), [1] * len(levels) + [0] * (_DEPTH - len(levels))))
    (bids, bid_counts), (asks, ask_counts) = sides
    times = book.ts_event_ns, ts_init_ns
    return OrderBookDepth10(bridge.instrument_id, bids, asks, bid_counts, ask_counts, _F_SNAPSHOT, 0, *times)


def _change(row: MarketRow, *, is_snapshot: bool) -> _Change:
    if row.kind != LEVEL:
        return _ACTIONS[row.kind], row.side, row.price_ticks, row.qty_lots, row.order_id
    if not row.qty_lots:
        action = BookAction.DELETE
    else:
        action = BookAction.ADD if is_snapshot else BookAction.UPDATE
    return action, row.side, row.price_ticks, row.qty_lots, row.price_ticks


def _deltas(
    bridge: InstrumentBridge, changes: Sequence[_Change], ts_event_ns: int, ts_init_ns: int, *, is_snapshot: bool
) -> OrderBookDeltas | None:
    instrument_id, flags = bridge.instrument_id, _F_SNAPSHOT if is_snapshot else 0
    deltas = []
    if is_snapshot:
        flag = flags | (0 if changes else _F_LAST)
        deltas.append(OrderBookDelta(instrument_id, BookAction.CLEAR, None, flag, 0, ts_event_ns, ts_init_ns))
    for number, (action, side, price_ticks, qty_lots, book_id) in enumerate(changes, start=1):
        order = BookOrder(_SIDES[side], bridge.price(price_ticks), bridge.qty(qty_lots), book_id)
        flag = flags | (_F_LAST if number == len(changes) else 0)
        deltas.append(OrderBookDelta(instrument_id, action, order, flag, 0, ts_event_ns, ts_init_ns))
    return OrderBookDeltas(instrument_id, deltas) if deltas else None
