"""What a strategy is given of runs before when it starts: orders that had not ended, and what it holds.

Once ``on_start`` is over it hears each adopted order's events from the first on, fills included. So who counts fills
begins with what is held without them, ``Adopted.position_lots``.
"""

from __future__ import annotations

from typing import NamedTuple

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import Order

from framework.strategy import Strategy

__all__ = ["Adopted", "adopted"]


class Adopted(NamedTuple):
    """Of one instrument. orders: those that had not ended, oldest first; it may not be known yet whether one of them
    is there at all. position_lots: what is held but for the fills that are still told; short is below 0.
    """

    orders: list[Order]
    position_lots: int


def adopted(strategy: Strategy, instrument_id: InstrumentId) -> Adopted:
    """What a strategy has been given, asked for in its ``on_start``; nothing where it begins anew."""
    bridge = strategy.bridge(instrument_id)
    orders = strategy.cache.orders(instrument_id=instrument_id, strategy_id=strategy.id)
    net = strategy.portfolio.net_position(instrument_id)
    position_lots = bridge.spec.lots(abs(net)) * (1 if net > 0 else -1)
    for order in orders:
        filled_lots = bridge.lots(order.filled_qty)
        position_lots -= filled_lots if order.side == OrderSide.BUY else -filled_lots
    orders.sort(key=lambda order: (order.ts_init, order.client_order_id.value))
    return Adopted([order for order in orders if not order.is_closed], position_lots)
