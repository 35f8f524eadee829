"""Triggers: what a waiting order waits for, and having the kernel watch for it.

A stop-loss fires when the last price reaches its trigger against the position that it protects (a buy: at or above, a
sell: at or below), a take-profit when it does so in its favour. A trailing stop follows the best last price since it
went live at a fixed distance and fires when the price comes back to it. The reference is the last trade of the market.

Simplification: where nothing has traded yet, a trailing stop's first trigger price, which its hold is counted from, is
taken from the best price that it would be executed against, and a trigger condition counts as not met. The trigger
price of a trailing order that is reported is that first one until it fires, then the one that fired.

Sources: rest-api/add-order (ordertype), websocket-v2/add_order (triggers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from framework.protocol import BUY, OrderType
from framework.venue.fees import PPM
from framework.venue.kernel import TriggerKind
from framework.venue.lifecycle import Lifecycle
from framework.venue.orders import NO_SLOT, Order

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel

__all__ = ["Triggers"]

_STOPS = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT})


class Triggers:
    """Watches for the triggers of waiting orders."""

    def __init__(self, kernel: MatchingKernel, lifecycle: Lifecycle) -> None:
        self._kernel = kernel
        self._lifecycle = lifecycle

    def watch(self, order: Order, best_ticks: int | None = None) -> None:
        """Have the kernel watch for an order's trigger. best_ticks: what a trailing one has seen; None for the last
        trade.
        """
        if order.is_trailing:
            kind, offset = _trailing_watch(order)
            trigger_ticks = best_ticks
        else:
            assert order.trigger_ticks is not None
            kind = TriggerKind.AT_OR_ABOVE if _waits_above(order) else TriggerKind.AT_OR_BELOW
            trigger_ticks, offset = order.trigger_ticks, 0
        order.watch = self._kernel.watch(order.pair.index, kind, trigger_ticks, offset)
        self._lifecycle.by_watch[order.watch] = order

    def rewatch(self, order: Order) -> None:
        """Watch for an order's changed trigger instead of the one before; a trailing one keeps its best price."""
        best_ticks = self._kernel.peak_ticks(order.watch) if order.is_trailing else None
        self._lifecycle.unrest(order)
        self.watch(order, best_ticks)

    def is_met(self, order: Order) -> bool:
        """Whether an order's trigger condition holds already; never for a trailing one, which starts from here."""
        return not order.is_trailing and order.trigger_ticks is not None and self.is_met_at(order, order.trigger_ticks)

    def is_met_at(self, order: Order, trigger_ticks: int) -> bool:
        """Whether an order's condition would hold already at another trigger price."""
        last = self._kernel.last_trade(order.pair.index)
        if last is None:
            return False
        return last[0] >= trigger_ticks if _waits_above(order) else last[0] <= trigger_ticks

    def first_trailing_ticks(self, order: Order) -> int | None:
        """The trigger price that a trailing stop starts with, at least 1; None if there is no market to follow."""
        return self.trailing_ticks(order, order.trail_offset_ticks, order.trail_offset_ppm)

    def trailing_ticks(self, order: Order, offset_ticks: int | None, offset_ppm: int | None) -> int | None:
        """The trigger price that a trailing stop has now at a distance, at least 1; None if there is no market yet."""
        if order.watch != NO_SLOT and self._kernel.last_trade(order.pair.index) is not None:
            price_ticks = self._kernel.peak_ticks(order.watch)
        else:
            start = self._kernel.last_trade(order.pair.index) or self._kernel.best(order.pair.index, 1 - order.side)
            if start is None:
                return None
            price_ticks = start[0]
        is_buy = order.side == BUY
        if offset_ticks is not None:
            first_ticks = price_ticks + offset_ticks if is_buy else price_ticks - offset_ticks
        elif is_buy:
            first_ticks = -(-price_ticks * (PPM + (offset_ppm or 0)) // PPM)
        else:
            first_ticks = price_ticks * (PPM - (offset_ppm or 0)) // PPM
        return max(1, first_ticks)


def _waits_above(order: Order) -> bool:
    """A stop-loss buy and a take-profit sell wait for the price to rise, the other two for it to fall; a trailing stop
    is a stop.
    """
    return (order.order_type in _STOPS or order.is_trailing) == (order.side == BUY)


def _trailing_watch(order: Order) -> tuple[TriggerKind, int]:
    is_buy = order.side == BUY
    if order.trail_offset_ticks is not None:
        return (TriggerKind.TRAIL_RISE_TICKS if is_buy else TriggerKind.TRAIL_FALL_TICKS), order.trail_offset_ticks
    assert order.trail_offset_ppm is not None
    return (TriggerKind.TRAIL_RISE_PPM if is_buy else TriggerKind.TRAIL_FALL_PPM), order.trail_offset_ppm
