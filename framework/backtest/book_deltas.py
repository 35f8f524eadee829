"""Rows of a market as NautilusTrader's order book deltas, by order or by level, whatever the market is in.

Who subscribes gets the whole book first, flagged as a snapshot, and changes from then on. A book by level of a market
by order (NautilusTrader's default asks for that) is summed up here, in Python: it costs about a microsecond a row from
the market's first row on, and nothing where nobody asks for it.

Simplification: an order that grows at its price keeps its place in NautilusTrader's book, which has no word for losing
it.
"""

from __future__ import annotations

from collections.abc import Callable

from nautilus_trader.model.data import BookOrder, OrderBookDelta
from nautilus_trader.model.enums import BookAction, OrderSide

from framework.data.columns import ADD, BEST, CLEAR, DELETE, LEVEL, MODIFY
from framework.execution.instruments import InstrumentBridge
from framework.protocol import BUY, SELL
from framework.venue.kernel import FeedBook

__all__ = ["BookDeltas"]

# NautilusTrader's record flags.
_F_LAST = 128
_F_SNAPSHOT = 32

_SIDES = {BUY: OrderSide.BUY, SELL: OrderSide.SELL}

# One entry of a book: (side, price_ticks, id); the id is the order's, or the price where the book is by level.
_Key = tuple[int, int, int]


class BookDeltas:
    """The deltas of one instrument for one subscription.

    depth: of the market, "L1", "L2" or "L3". is_by_order: give orders where the market has them, else levels.
    """

    def __init__(self, bridge: InstrumentBridge, view: FeedBook, depth: str, is_by_order: bool) -> None:
        self._bridge = bridge
        self._view = view
        self._is_by_order = is_by_order and depth == "L3"
        # Orders of an L3 market by id: (side, price_ticks, qty_lots).
        self._orders: dict[int, tuple[int, int, int]] = {}
        self._lots: dict[_Key, int] = {}
        self._is_snapshot_due = True
        self._apply: Callable[[int], list[_Key]] = {
            "L1": self._apply_best,
            "L2": self._apply_level,
            "L3": self._apply_order,
        }[depth]

    def take(self, now_ns: int) -> list[OrderBookDelta]:
        """What the last stop of the feed brought, as deltas; the whole book at the first call, [] for nothing."""
        first, end = self._view.rows()
        if self._is_snapshot_due:
            self._is_snapshot_due = False
            if self._view.first_row:  # walked rows of a market by levels have been let go of
                for side in (BUY, SELL):
                    prices, quantities = self._view.levels(side)
                    for ticks, lots in zip(prices.tolist(), quantities.tolist(), strict=True):
                        self._lots[side, ticks, ticks] = lots
            else:
                for row in range(end):
                    self._apply(row)
            return self._deltas(list(self._lots), True, True, now_ns)
        kind = self._view.columns.kind
        is_cleared = False
        changed: dict[_Key, None] = {}
        for row in range(first, end):
            if kind[row] == CLEAR:
                is_cleared = True
                changed.clear()
            for key in self._apply(row):
                changed[key] = None
        return self._deltas(list(changed), is_cleared, False, now_ns)

    # ------------------------------------------------------------------------------------------------- upkeep

    def _apply_level(self, row: int) -> list[_Key]:
        columns = self._view.columns
        kind = columns.kind[row]
        if kind == LEVEL:
            price_ticks = int(columns.price_ticks[row])
            return self._set((int(columns.side[row]), price_ticks, price_ticks), int(columns.qty_lots[row]))
        if kind == CLEAR:
            self._lots.clear()
        return []

    def _apply_best(self, row: int) -> list[_Key]:
        columns = self._view.columns
        kind = columns.kind[row]
        if kind == CLEAR:
            self._lots.clear()
        if kind != BEST:
            return []
        side, price_ticks = int(columns.side[row]), int(columns.price_ticks[row])
        changed = []
        for key in [key for key in self._lots if key[0] == side and key[1] != price_ticks]:
            changed += self._set(key, 0)
        return changed + self._set((side, price_ticks, price_ticks), int(columns.qty_lots[row]))

    def _apply_order(self, row: int) -> list[_Key]:
        columns = self._view.columns
        kind = columns.kind[row]
        if kind == CLEAR:
            self._orders.clear()
            self._lots.clear()
        if kind not in (ADD, MODIFY, DELETE):
            return []
        order_id = int(columns.order_id[row])
        side, price_ticks = int(columns.side[row]), int(columns.price_ticks[row])
        qty_lots = 0 if kind == DELETE else int(columns.qty_lots[row])
        old = self._orders.get(order_id)
        if old is not None and old[:2] == (side, price_ticks) and 0 < qty_lots <= old[2]:
            self._orders[order_id] = (side, price_ticks, qty_lots)
            return self._shift(side, price_ticks, order_id, qty_lots - old[2])
        changed: list[_Key] = []
        if old is not None:
            del self._orders[order_id]
            changed += self._shift(old[0], old[1], order_id, -old[2])
        if qty_lots:
            self._orders[order_id] = (side, price_ticks, qty_lots)
            changed += self._shift(side, price_ticks, order_id, qty_lots)
        return changed

    def _shift(self, side: int, price_ticks: int, order_id: int, lots: int) -> list[_Key]:
        key = (side, price_ticks, order_id if self._is_by_order else price_ticks)
        return self._set(key, self._lots.get(key, 0) + lots)

    def _set(self, key: _Key, lots: int) -> list[_Key]:
        if lots:
            self._lots[key] = lots
        else:
            self._lots.pop(key, None)
        return [key]

    # ------------------------------------------------------------------------------------------------- making

    def _deltas(self, keys: list[_Key], is_cleared: bool, is_snapshot: bool, now_ns: int) -> list[OrderBookDelta]:
        instrument_id, ts_event_ns = self._bridge.instrument_id, self._view.ts_event_ns
        deltas = [OrderBookDelta.clear(instrument_id, 0, ts_event_ns, now_ns)] if is_cleared else []
        # What is gone goes first, so that no book is crossed on the way.
        keys.sort(key=lambda key: self._lots.get(key, 0) > 0)
        for number, key in enumerate(keys, start=1):
            side, price_ticks, book_id = key
            lots = self._lots.get(key, 0)
            order = BookOrder(_SIDES[side], self._bridge.price(price_ticks), self._bridge.qty(lots), book_id)
            action = BookAction.UPDATE if lots else BookAction.DELETE
            flags = (_F_SNAPSHOT if is_snapshot else 0) | (_F_LAST if number == len(keys) else 0)
            if is_snapshot:
                action = BookAction.ADD
            deltas.append(OrderBookDelta(instrument_id, action, order, flags, 0, ts_event_ns, now_ns))
        return deltas
