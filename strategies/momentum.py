"""A momentum taker: goes with a move of the middle of the book, holds while it lasts, and gets out.

What to hold is ``target_units``, a pure function of the move and of what is held. The rest is one order at a time: an
immediate-or-cancel limit order a little beyond the other side's best price, so that a late arrival costs at most that
little, or nothing happens. The road decides how old the price is that the order was sent for, and how long it takes
until the strategy knows what it holds; until then it does nothing. So it is with orders that a run before has left:
they are cancelled, and it goes on with what is held once they are gone.
"""

from __future__ import annotations

from collections import deque

from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import Order

from framework.adopted import adopted
from framework.book import BookView
from framework.strategy import Strategy, StrategyConfig

__all__ = ["Momentum", "MomentumConfig", "move_ppm", "target_units"]

_PPM = 1_000_000
_NS_PER_MS = 1_000_000
# Orders that a run before has left are cancelled again after so long, should a cancel be refused.
_CANCEL_AGAIN_NS = 5_000 * _NS_PER_MS


def move_ppm(sum_ticks: int, sum_before_ticks: int) -> int:
    """How far the middle of the book has moved, in millionths, rounded towards zero.

    sum_ticks, sum_before_ticks: best bid and best ask together, now and before.
    """
    move = (abs(sum_ticks - sum_before_ticks) * _PPM) // sum_before_ticks
    return move if sum_ticks >= sum_before_ticks else -move


def target_units(held: int, move: int, enter_ppm: int, leave_ppm: int) -> int:
    """What to hold: 1 long, -1 short, 0 nothing.

    Enter, or turn around, when the move is ``enter_ppm`` or more; stay until less than ``leave_ppm`` of it is left.
    held: what is held now, 1, 0 or -1. move: see ``move_ppm``.
    """
    if abs(move) >= enter_ppm:
        return 1 if move > 0 else -1
    if held * move >= leave_ppm:
        return held
    return 0


class MomentumConfig(StrategyConfig, frozen=True, kw_only=True):
    """Parameters of ``Momentum``; relative prices in millionths (100 ppm are one basis point).

    qty: size of the position, in units of the base asset, an exact decimal as text.
    lookback_ms: time over which the move is measured. sample_ms: how often it is measured.
    enter_ppm, leave_ppm: see ``target_units``.
    slip_ppm: how far beyond the other side's best price an order may trade.
    """

    qty: str = "0.01"
    lookback_ms: int = 2_000
    sample_ms: int = 100
    enter_ppm: int = 250
    leave_ppm: int = 50
    slip_ppm: int = 20


class _Pair:
    """What the strategy knows of one instrument."""

    __slots__ = ("canceled_ns", "instrument_id", "left", "order", "position_lots", "qty_lots", "seen")

    def __init__(self, instrument_id: InstrumentId, qty_lots: int) -> None:
        self.instrument_id = instrument_id
        self.qty_lots = qty_lots
        self.position_lots = 0
        self.order: Order | None = None
        # By a run before; and when they were cancelled last.
        self.left: list[Order] = []
        self.canceled_ns = 0
        # (time, best bid and best ask together), oldest first; the first is the newest that is old enough.
        self.seen: deque[tuple[int, int]] = deque()

    @property
    def held(self) -> int:
        """The sign of the position."""
        return (self.position_lots > 0) - (self.position_lots < 0)


class Momentum(Strategy):
    """Trades every instrument of the run; what it does and why stands at the top of the file."""

    def __init__(self, config: MomentumConfig | None = None) -> None:
        super().__init__(config or MomentumConfig())
        self._pairs: dict[str, _Pair] = {}

    def on_start(self) -> None:
        for instrument_id in self.instrument_ids:
            spec = self.bridge(instrument_id).spec
            pair = self._pairs[spec.symbol] = _Pair(instrument_id, self.lots(instrument_id, self.config.qty))
            pair.left, pair.position_lots = adopted(self, instrument_id)
            self._cancel_left(pair)
            self.subscribe_book(instrument_id, on="interval", interval_ms=self.config.sample_ms)

    def on_book(self, book: BookView) -> None:
        bid_ticks, ask_ticks = book.bid_ticks, book.ask_ticks
        if bid_ticks is None or ask_ticks is None or bid_ticks >= ask_ticks:
            return
        pair = self._pairs[book.spec.symbol]
        sum_ticks = bid_ticks + ask_ticks
        since_ns = book.ts_event_ns - self.config.lookback_ms * _NS_PER_MS
        pair.seen.append((book.ts_event_ns, sum_ticks))
        while len(pair.seen) > 1 and pair.seen[1][0] <= since_ns:
            pair.seen.popleft()
        if pair.seen[0][0] > since_ns or (pair.order is not None and not pair.order.is_closed):
            return
        if pair.left:
            self._cancel_left(pair)
            return
        move = move_ppm(sum_ticks, pair.seen[0][1])
        units = target_units(pair.held, move, self.config.enter_ppm, self.config.leave_ppm)
        self._trade(pair, units * pair.qty_lots - pair.position_lots, bid_ticks, ask_ticks)

    def _cancel_left(self, pair: _Pair) -> None:
        """Forget orders of a run before that are gone; cancel the others, now and then."""
        pair.left = [order for order in pair.left if not order.is_closed]
        now_ns = self.clock.timestamp_ns()
        if now_ns - pair.canceled_ns >= _CANCEL_AGAIN_NS:
            pair.canceled_ns = now_ns
            for order in pair.left:
                if not order.is_pending_cancel:
                    self.cancel_order(order)

    def _trade(self, pair: _Pair, lots: int, bid_ticks: int, ask_ticks: int) -> None:
        """Buy (sell, if negative) so many lots now or not at all."""
        if abs(lots) < self.bridge(pair.instrument_id).spec.min_qty_lots:
            return
        slip_ticks = (bid_ticks + ask_ticks) * self.config.slip_ppm // (2 * _PPM)
        if lots > 0:
            send, price_ticks = self.buy, ask_ticks + slip_ticks
        else:
            send, price_ticks = self.sell, bid_ticks - slip_ticks
        pair.order = send(pair.instrument_id, abs(lots), price_ticks, time_in_force=TimeInForce.IOC)

    def on_order_filled(self, event: OrderFilled) -> None:
        pair = self._pairs[event.instrument_id.symbol.value]
        lots = self.bridge(event.instrument_id).lots(event.last_qty)
        pair.position_lots += lots if event.order_side == OrderSide.BUY else -lots
