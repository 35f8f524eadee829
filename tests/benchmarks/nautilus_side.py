"""The market maker on NautilusTrader's backtest engine."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model.enums import BookType, OrderSide, TimeInForce
from nautilus_trader.model.objects import Price
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from framework.data.columns import Market
from framework.execution.instruments import InstrumentBridge
from tests.benchmarks.quoting import INTERVAL_NS, Rules, targets
from tests.conformance.nautilus_rows import VENUE

__all__ = ["Maker"]


class Maker(Strategy):
    """Looks at the cached book; counts what it does.

    form: "interval" looks at a timer, "touch" at each batch of deltas that changed a best price or the quantity at it.
    """

    def __init__(self, market: Market, rules: Rules, form: str = "interval") -> None:
        super().__init__(StrategyConfig(log_events=False, log_commands=False))
        self._bridge = InstrumentBridge(market.spec, VENUE)
        self._rules = rules
        self._form = form
        self._touch: tuple[int, ...] = ()
        self._identifier = self._bridge.instrument_id
        self._qty = self._bridge.qty(rules.qty_lots)
        self._tick_raw = self._bridge.price(1).raw
        self._lot_raw = self._bridge.qty(1).raw
        self._own: list[tuple[Any, int] | None] = [None, None]
        self._position_lots = 0
        self.submits = self.cancels = self.fills = self.wakes = 0

    def on_start(self) -> None:
        self.subscribe_order_book_deltas(self._identifier, BookType.L2_MBP)
        self._book: Any = None
        if self._form == "touch":
            return
        first = (self.clock.timestamp_ns() // INTERVAL_NS + 1) * INTERVAL_NS
        self.clock.set_time_alert_ns("first", first, self._first)

    def _first(self, event: Any) -> None:
        import pandas as pd

        self.clock.set_timer("look", pd.Timedelta(INTERVAL_NS, "ns"), callback=self._look)

    def on_order_book_deltas(self, deltas: Any) -> None:
        if self._form != "touch":
            return
        if self._book is None:
            self._book = self.cache.order_book(self._identifier)
        book = self._book
        values = (book.best_bid_price(), book.best_bid_size(), book.best_ask_price(), book.best_ask_size())
        touch = tuple(0 if value is None else value.raw for value in values)
        if touch != self._touch:
            self._touch = touch
            self._look(None)

    def _look(self, event: Any) -> None:
        if self._book is None:
            self._book = self.cache.order_book(self._identifier)
            if self._book is None:
                return
        self.wakes += 1
        best_bid: Price | None = self._book.best_bid_price()
        best_ask: Price | None = self._book.best_ask_price()
        if best_bid is None or best_ask is None:
            return
        own = self._own
        for side in (0, 1):
            kept = own[side]
            if kept is not None and kept[0].is_closed:
                own[side] = None
        prices = [None if kept is None else kept[1] for kept in own]
        tick = self._tick_raw
        wanted = targets(
            best_bid.raw // tick, best_ask.raw // tick, prices[0], prices[1], self._position_lots, self._rules
        )
        for side in (0, 1):
            target = wanted[side]
            if target == prices[side]:
                continue
            kept = own[side]
            if kept is not None:
                self.cancel_order(kept[0])
                self.cancels += 1
                own[side] = None
            if target is not None:
                order = self.order_factory.limit(
                    self._identifier,
                    OrderSide.SELL if side else OrderSide.BUY,
                    self._qty,
                    self._bridge.price(target),
                    time_in_force=TimeInForce.GTC,
                    post_only=True,
                )
                self.submit_order(order)
                self.submits += 1
                own[side] = (order, target)

    def on_order_filled(self, event: Any) -> None:
        self.fills += 1
        lots = event.last_qty.raw // self._lot_raw
        self._position_lots += lots if event.order_side == OrderSide.BUY else -lots
