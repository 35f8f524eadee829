"""NautilusTrader's orders as ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import ContingencyType, OrderSide, TrailingOffsetType
from nautilus_trader.model.enums import OrderType as NautilusOrderType
from nautilus_trader.model.enums import TimeInForce as NautilusTimeInForce
from nautilus_trader.model.orders import Order

from framework.execution.instruments import InstrumentBridge
from framework.messages import AddOrder
from framework.protocol import BUY, SELL, OrderType, TimeInForce

__all__ = ["PLAIN_TIMES_IN_FORCE", "TRIGGERABLE_TYPES", "add_order"]

_TYPES = {
    NautilusOrderType.LIMIT: OrderType.LIMIT,
    NautilusOrderType.MARKET: OrderType.MARKET,
    NautilusOrderType.STOP_MARKET: OrderType.STOP_LOSS,
    NautilusOrderType.STOP_LIMIT: OrderType.STOP_LOSS_LIMIT,
    NautilusOrderType.MARKET_IF_TOUCHED: OrderType.TAKE_PROFIT,
    NautilusOrderType.LIMIT_IF_TOUCHED: OrderType.TAKE_PROFIT_LIMIT,
    NautilusOrderType.TRAILING_STOP_MARKET: OrderType.TRAILING_STOP,
    NautilusOrderType.TRAILING_STOP_LIMIT: OrderType.TRAILING_STOP_LIMIT,
}

# The types that NautilusTrader lets be triggered; the others go from accepted to filled.
TRIGGERABLE_TYPES = frozenset((OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT, OrderType.TRAILING_STOP_LIMIT))

_TRAILING_TYPES = (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)

# Those that need no other term.
PLAIN_TIMES_IN_FORCE = {
    NautilusTimeInForce.GTC: TimeInForce.GTC,
    NautilusTimeInForce.IOC: TimeInForce.IOC,
    NautilusTimeInForce.FOK: TimeInForce.FOK,
}
_TIMES_IN_FORCE = {**PLAIN_TIMES_IN_FORCE, NautilusTimeInForce.GTD: TimeInForce.GTD}


def add_order(order: Order, cl_ord_id: str, bridge: InstrumentBridge) -> AddOrder:
    """The new order that a NautilusTrader order asks for, under this client id; its request is the desk's to number.

    Raises ValueError for what the venue model does not have: an order type, a time in force, a contingency between
    orders, a price or quantity off the grid.
    """
    order_type = _TYPES.get(order.order_type)
    if order_type is None:
        raise ValueError(f"order type {order.type_string()} has no counterpart at the venue")
    time_in_force = _TIMES_IN_FORCE.get(order.time_in_force)
    if time_in_force is None:
        raise ValueError(f"time in force {order.tif_string()} has no counterpart at the venue")
    if order.contingency_type != ContingencyType.NO_CONTINGENCY:
        raise ValueError("a contingency between orders has no counterpart at the venue; send them on their own")
    display = order.display_qty if order.has_price else None
    if display is not None and order_type is OrderType.LIMIT:
        order_type = OrderType.ICEBERG
    fields: dict[str, Any] = {}
    if order.has_price:
        fields["limit_ticks"] = bridge.ticks(order.price)
    if order_type in _TRAILING_TYPES:
        fields |= _trailing(order, order_type, bridge)
    elif order.has_trigger_price:
        fields["trigger_ticks"] = bridge.ticks(order.trigger_price)
    if time_in_force is TimeInForce.GTD:
        fields["expire_ns"] = order.expire_time_ns
    if order.is_quote_quantity:
        fields["quote_qty"] = order.quantity.as_decimal()
    return AddOrder(
        request_id=0,
        cl_ord_id=cl_ord_id,
        symbol=bridge.spec.symbol,
        side=BUY if order.side == OrderSide.BUY else SELL,
        order_type=order_type,
        qty_lots=0 if order.is_quote_quantity else bridge.lots(order.quantity),
        display_lots=None if display is None else bridge.lots(display),
        time_in_force=time_in_force,
        is_post_only=order.is_post_only if order.has_price else False,
        is_reduce_only=order.is_reduce_only,
        **fields,
    )


def _trailing(order: Order, order_type: OrderType, bridge: InstrumentBridge) -> dict[str, Any]:
    """Offsets of a trailing stop. NautilusTrader gives them as price, basis points or ticks, all unsigned."""
    kind = order.trailing_offset_type
    fields: dict[str, Any]
    if kind == TrailingOffsetType.PRICE:
        fields = {"trail_offset_ticks": bridge.spec.ticks(order.trailing_offset)}
    elif kind == TrailingOffsetType.TICKS:
        fields = {"trail_offset_ticks": _whole(order.trailing_offset, "trailing offset")}
    elif kind == TrailingOffsetType.BASIS_POINTS:
        fields = {"trail_offset_ppm": _whole(order.trailing_offset * 100, "trailing offset in parts per million")}
    else:
        raise ValueError(f"a trailing offset in {kind.name} has no counterpart at the venue")
    if order_type is OrderType.TRAILING_STOP_LIMIT:
        if kind == TrailingOffsetType.PRICE:
            offset_ticks = bridge.spec.ticks(order.limit_offset)
        elif kind == TrailingOffsetType.TICKS:
            offset_ticks = _whole(order.limit_offset, "limit offset")
        else:
            raise ValueError("a limit offset in basis points has no counterpart at the venue; give it as a price")
        fields["limit_offset_ticks"] = -offset_ticks if order.side == OrderSide.SELL else offset_ticks
        fields["limit_ticks"] = None
    return fields


def _whole(value: Decimal, what: str) -> int:
    if value != int(value):
        raise ValueError(f"{what} {value} is not a whole number")
    return int(value)
