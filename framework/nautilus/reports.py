"""NautilusTrader's reports of orders, fills and positions, from what a venue tells of an account's history.

An order that nobody gave a client id has the venue's id in its place, so that it is the same one at every start.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import FillReport, OrderStatusReport, PositionStatusReport
from nautilus_trader.model.enums import (
    LiquiditySide,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, TradeId, VenueOrderId

from framework import messages
from framework.execution.instruments import InstrumentBridge
from framework.messages import ExecutionReport, OrderState, OrderTerms
from framework.protocol import BUY
from framework.protocol import OrderType as OurOrderType
from framework.protocol import TimeInForce as OurTimeInForce

__all__ = ["balance_report", "fill_report", "order_report", "report_id"]

_NS = 10**9
_TYPES = {
    OurOrderType.LIMIT: OrderType.LIMIT,
    OurOrderType.ICEBERG: OrderType.LIMIT,
    OurOrderType.MARKET: OrderType.MARKET,
    OurOrderType.STOP_LOSS: OrderType.STOP_MARKET,
    OurOrderType.STOP_LOSS_LIMIT: OrderType.STOP_LIMIT,
    OurOrderType.TAKE_PROFIT: OrderType.MARKET_IF_TOUCHED,
    OurOrderType.TAKE_PROFIT_LIMIT: OrderType.LIMIT_IF_TOUCHED,
    OurOrderType.TRAILING_STOP: OrderType.TRAILING_STOP_MARKET,
    OurOrderType.TRAILING_STOP_LIMIT: OrderType.TRAILING_STOP_LIMIT,
}
_PRICED = frozenset((OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED, OrderType.TRAILING_STOP_LIMIT))
_TRAILING = frozenset((OrderType.TRAILING_STOP_MARKET, OrderType.TRAILING_STOP_LIMIT))
_TIMES = {
    OurTimeInForce.GTC: TimeInForce.GTC,
    OurTimeInForce.IOC: TimeInForce.IOC,
    OurTimeInForce.FOK: TimeInForce.FOK,
    OurTimeInForce.GTD: TimeInForce.GTD,
}
_STATES = {
    OrderState.PENDING_NEW: OrderStatus.ACCEPTED,
    OrderState.NEW: OrderStatus.ACCEPTED,
    OrderState.PARTIALLY_FILLED: OrderStatus.PARTIALLY_FILLED,
    OrderState.FILLED: OrderStatus.FILLED,
    OrderState.CANCELED: OrderStatus.CANCELED,
    OrderState.EXPIRED: OrderStatus.EXPIRED,
}


def report_id(cl_ord_id: str, order_id: str) -> ClientOrderId:
    """The client order id that a report has."""
    return ClientOrderId(cl_ord_id or order_id)


def order_report(
    status: messages.OrderStatus, bridge: InstrumentBridge, account_id: AccountId, ts_last_ns: int, ts_init_ns: int
) -> OrderStatusReport:
    """An order as it stands. ts_last_ns: of its newest fill; 0 for none.

    Raises ValueError for one that NautilusTrader has no word for: of no quantity (one in quote currency that nothing
    was filled of), or a trailing one whose distance is not known.
    """
    terms = status.terms
    assert terms is not None, "reports are made of a history"
    order_type = _TYPES[status.order_type]
    if not status.qty_lots:
        raise ValueError("its quantity is not known")
    return OrderStatusReport(
        account_id=account_id,
        instrument_id=bridge.instrument_id,
        venue_order_id=VenueOrderId(status.order_id),
        client_order_id=report_id(status.cl_ord_id, status.order_id),
        order_side=OrderSide.BUY if status.side == BUY else OrderSide.SELL,
        order_type=order_type,
        time_in_force=_TIMES[terms.time_in_force],
        order_status=_STATES[status.state],
        quantity=bridge.qty(status.qty_lots),
        filled_qty=bridge.qty(status.cum_lots),
        avg_px=terms.avg_price,
        post_only=terms.is_post_only,
        display_qty=None if status.display_lots is None else bridge.qty(status.display_lots),
        expire_time=None if terms.expire_ns is None else dt.datetime.fromtimestamp(terms.expire_ns / _NS, dt.UTC),
        cancel_reason=status.reason,
        report_id=UUID4(),
        ts_accepted=terms.ts_opened_ns,
        ts_last=max(terms.ts_opened_ns, ts_last_ns, terms.ts_ended_ns or 0),
        ts_init=ts_init_ns,
        **_prices(status, terms, order_type, bridge),
    )


def fill_report(trade: ExecutionReport, bridge: InstrumentBridge, account_id: AccountId, ts_init_ns: int) -> FillReport:
    """A fill."""
    assert trade.exec_id is not None, "a trade has an id"
    fee = trade.fee if trade.fee is not None else Decimal(0)
    return FillReport(
        account_id=account_id,
        instrument_id=bridge.instrument_id,
        venue_order_id=VenueOrderId(trade.order_id),
        client_order_id=report_id(trade.cl_ord_id, trade.order_id),
        trade_id=TradeId(trade.exec_id),
        order_side=OrderSide.BUY if trade.side == BUY else OrderSide.SELL,
        last_qty=bridge.qty(trade.last_lots),
        last_px=bridge.price(trade.last_ticks),
        commission=bridge.money(fee, trade.fee_asset or bridge.quote_asset),
        liquidity_side=LiquiditySide.MAKER if trade.is_maker else LiquiditySide.TAKER,
        report_id=UUID4(),
        ts_event=trade.ts_venue_ns,
        ts_init=ts_init_ns,
    )


def balance_report(
    bridge: InstrumentBridge, balances: Mapping[str, Decimal], account_id: AccountId, ts_ns: int
) -> PositionStatusReport:
    """What is there of an instrument's base asset, as a position; what is less than a lot of it is left out."""
    lots = int(max(Decimal(0), balances.get(bridge.base_asset, Decimal(0))) // bridge.spec.qty(1))
    return PositionStatusReport(
        account_id=account_id,
        instrument_id=bridge.instrument_id,
        position_side=PositionSide.LONG if lots else PositionSide.FLAT,
        quantity=bridge.qty(lots),
        report_id=UUID4(),
        ts_last=ts_ns,
        ts_init=ts_ns,
    )


def _prices(
    status: messages.OrderStatus, terms: OrderTerms, order_type: OrderType, bridge: InstrumentBridge
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if order_type in _PRICED and status.limit_ticks is not None:
        fields["price"] = bridge.price(status.limit_ticks)
    if order_type not in (OrderType.LIMIT, OrderType.MARKET):
        fields["trigger_type"] = TriggerType.LAST_PRICE
        if status.trigger_ticks is not None:
            fields["trigger_price"] = bridge.price(status.trigger_ticks)
    if order_type in _TRAILING:
        fields |= _trailing(terms, order_type)
    return fields


def _trailing(terms: OrderTerms, order_type: OrderType) -> dict[str, Any]:
    """The distances: in ticks, or in basis points where the venue has them in shares of the price."""
    if terms.trail_offset_ticks is not None:
        kind, trail = TrailingOffsetType.TICKS, Decimal(terms.trail_offset_ticks)
        limit = terms.limit_offset_ticks
    elif terms.trail_offset_ppm is not None:
        kind, trail = TrailingOffsetType.BASIS_POINTS, Decimal(terms.trail_offset_ppm) / 100
        limit = terms.limit_offset_ppm
    else:
        raise ValueError("its distance is not known")
    fields: dict[str, Any] = {"trailing_offset": trail, "trailing_offset_type": kind}
    if order_type == OrderType.TRAILING_STOP_LIMIT:
        if limit is None:
            raise ValueError("the distance of its limit is not known")
        scale = 1 if kind == TrailingOffsetType.TICKS else 100
        fields["limit_offset"] = abs(Decimal(limit) / scale)
    return fields
