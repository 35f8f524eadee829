"""NautilusTrader's orders as ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.model.enums import ContingencyType, OrderSide, TrailingOffsetType
from nautilus_trader.model.enums import OrderType as NautilusOrderType
from nautilus_trader.model.enums import TimeInForce as NautilusTimeInForce
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.objects import Quantity
from nautilus_trader.model.orders import Order

from framework.execution.instruments import InstrumentBridge
from framework.messages import AddOrder
from framework.protocol import BUY, SELL, OrderType, TimeInForce

__all__ = ["PLAIN_TIMES_IN_FORCE", "TRIGGERABLE_TYPES", "add_order", "nautilus_order"]

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
_TIMES_BACK = {ours: theirs for theirs, ours in _TIMES_IN_FORCE.items()}

# The types with a limit, as NautilusTrader takes it.
_PRICED = frozenset(
    (OrderType.LIMIT, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT, OrderType.TRAILING_STOP_LIMIT)
)


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


def nautilus_order(factory: OrderFactory, add: AddOrder, bridge: InstrumentBridge) -> Order:
    """The NautilusTrader order that a new order of ours stands for, under the id that it has at the venue: the way back
    from ``add_order``, for orders whose own are gone. Raises ValueError for a type that NautilusTrader does not have.
    """
    kind = OrderType.LIMIT if add.order_type is OrderType.ICEBERG else add.order_type
    make = _makers(factory).get(kind)
    if make is None:
        raise ValueError(f"order type {add.order_type.name} has no counterpart in NautilusTrader")
    terms: dict[str, Any] = {}
    if kind in _PRICED:
        terms["post_only"] = add.is_post_only
        terms["display_qty"] = None if add.display_lots is None else bridge.qty(add.display_lots)
        if add.limit_ticks is not None:
            terms["price"] = bridge.price(add.limit_ticks)
    if add.trigger_ticks is not None:
        terms["trigger_price"] = bridge.price(add.trigger_ticks)
    if kind in _TRAILING_TYPES:
        terms |= _trailing_terms(add, bridge)
    if add.expire_ns is not None:
        terms["expire_time"] = pd.Timestamp(add.expire_ns, tz="UTC")
    return make(
        bridge.instrument_id,
        OrderSide.BUY if add.side == BUY else OrderSide.SELL,
        bridge.qty(add.qty_lots) if add.quote_qty is None else Quantity.from_str(f"{add.quote_qty:f}"),
        time_in_force=_TIMES_BACK[add.time_in_force],
        reduce_only=add.is_reduce_only,
        quote_quantity=add.quote_qty is not None,
        client_order_id=ClientOrderId(add.cl_ord_id),
        **terms,
    )


def _makers(factory: OrderFactory) -> dict[OrderType, Any]:
    return {
        OrderType.LIMIT: factory.limit,
        OrderType.MARKET: factory.market,
        OrderType.STOP_LOSS: factory.stop_market,
        OrderType.STOP_LOSS_LIMIT: factory.stop_limit,
        OrderType.TAKE_PROFIT: factory.market_if_touched,
        OrderType.TAKE_PROFIT_LIMIT: factory.limit_if_touched,
        OrderType.TRAILING_STOP: factory.trailing_stop_market,
        OrderType.TRAILING_STOP_LIMIT: factory.trailing_stop_limit,
    }


def _trailing_terms(add: AddOrder, bridge: InstrumentBridge) -> dict[str, Any]:
    """Offsets as NautilusTrader has them: unsigned, all in prices or all in basis points."""
    terms: dict[str, Any] = {}
    if add.trail_offset_ppm is not None:
        terms["trailing_offset"] = Decimal(abs(add.trail_offset_ppm)) / 100
        terms["trailing_offset_type"] = TrailingOffsetType.BASIS_POINTS
    else:
        terms["trailing_offset"] = bridge.spec.price(abs(add.trail_offset_ticks or 0))
        terms["trailing_offset_type"] = TrailingOffsetType.PRICE
    if add.order_type is OrderType.TRAILING_STOP_LIMIT:
        terms["limit_offset"] = bridge.spec.price(abs(add.limit_offset_ticks or 0))
    return terms


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
