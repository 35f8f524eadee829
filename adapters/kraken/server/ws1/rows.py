"""Orders and trades as the private channels of WebSocket v1 tell of them.

An order is told in full when it is entered and where a subscription begins; after that, what has changed of it. A
report tells how things were when it was made; an order may have changed again since, so what a report knows is taken
from it. Sources: websocket-v1/owntrades, websocket-v1/openorders; which fields a change names is observed.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.orders import OrderWords, Terms, attachment_of, close_line, flags_of
from adapters.kraken.server.pairs import ServedPair, fixed
from adapters.kraken.server.rest.order_rows import NO_POSITION, has_triggered_limit, misc_of
from adapters.kraken.server.rest.position_rows import closed_position, used_margin
from adapters.kraken.wire.digits import epoch_us
from adapters.kraken.words import SIDE_WORDS, TYPE_WORDS
from framework.messages import ExecutionReport, OrderState
from framework.protocol import OrderType, TimeInForce
from framework.venue.orders import NO_SLOT, Order
from framework.venue.served.records import TradeRecord

__all__ = ["Row", "Ws1Rows", "references"]

type Row = dict[str, Any]

_ENDS = {OrderState.FILLED: "closed", OrderState.CANCELED: "canceled", OrderState.EXPIRED: "expired"}


class Ws1Rows:
    """Makes the rows, each without the id that it goes under."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._host = context.host
        self._records = context.host.records

    # ------------------------------------------------------------------------------------------------- orders

    def standing(self, order: Order) -> Row:
        """An open order as it is."""
        pair = self._pair(order)
        limit_ticks = order.limit_ticks if has_triggered_limit(order) else None
        return {
            **self._given(order, order, pair),
            **self._filled(order, order.cum_lots, pair),
            "status": OrderWords.status(order),
            "stopprice": _price(self._context.stop_ticks(order), pair),
            "limitprice": _price(limit_ticks, pair),
            "misc": misc_of(order),
        }

    def entered(self, order: Order, report: ExecutionReport) -> Row:
        """An order as it came in, not live yet."""
        pair = self._pair(order)
        return {
            **self._given(order, report, pair),
            **self._filled(order, report.cum_lots, pair),
            "status": "pending",
            "stopprice": _price(report.trigger_ticks, pair),
            "limitprice": _price(None, pair),
            "misc": "",
        }

    def live(self, order: Order) -> Row:
        """An order that has gone live."""
        return {"status": "open", **references(order)}

    def filled(self, order: Order, report: ExecutionReport) -> Row:
        """An order of which something was filled."""
        return {**self._filled(order, report.cum_lots, self._pair(order)), **references(order)}

    def ended(self, order: Order, report: ExecutionReport) -> Row:
        """An order that is over."""
        status = _ENDS[report.state]
        row = {
            "status": status,
            "lastupdated": epoch_us(report.ts_venue_ns),
            **self._filled(order, report.cum_lots, self._pair(order)),
            **references(order),
        }
        return {**row, "cancel_reason": report.reason or ""} if status == "canceled" else row

    def amended(self, order: Order, report: ExecutionReport) -> Row:
        """An order with new terms."""
        pair = self._pair(order)
        return {
            **self._terms(order, report, pair),
            **references(order),
            "lastupdated": epoch_us(report.ts_venue_ns),
            "stopprice": _price(report.trigger_ticks, pair),
            "amended": True,
            "amend_reason": report.reason or "User requested",
        }

    def triggered(self, order: Order, report: ExecutionReport) -> Row:
        """An order whose trigger has fired."""
        pair = self._pair(order)
        limit_ticks = report.limit_ticks if has_triggered_limit(order) else None
        return {
            **references(order),
            "lastupdated": epoch_us(report.ts_venue_ns),
            "stopprice": _price(report.trigger_ticks, pair),
            "limitprice": _price(limit_ticks, pair),
            "misc": misc_of(order),
        }

    def _pair(self, order: Order) -> ServedPair:
        return self._context.pairs.by_symbol[order.pair.symbol]

    def _given(self, order: Order, terms: Terms, pair: ServedPair) -> Row:
        """What an order was given, and is for at some time."""
        return {
            **self._terms(order, terms, pair),
            **references(order),
            "refid": order.primary_id or None,
            "opentm": epoch_us(order.opened_ns),
            "starttm": None if order.start_ns is None else epoch_us(order.start_ns),
            "expiretm": None if order.expire_ns is None else epoch_us(order.expire_ns),
            "timeinforce": TimeInForce(order.time_in_force).name,
            "oflags": flags_of(order),
            "margin": order.is_margin,
        }

    def _terms(self, order: Order, terms: Terms, pair: ServedPair) -> Row:
        """What an amend may change."""
        note = attachment_of(order)
        price, price2 = OrderWords.shown_prices(order, pair, terms, pair.ws1_decimals)
        volume = OrderWords.volume(terms, pair, note)
        row: Row = {
            "vol": volume,
            "descr": {
                "pair": pair.names.ws1,
                "type": SIDE_WORDS[order.side],
                "ordertype": TYPE_WORDS[order.order_type],
                "price": price,
                "price2": price2,
                "leverage": f"{order.leverage}:1" if order.leverage else None,
                "close": close_line(order.secondary, pair) or None,
                "order": OrderWords.line(terms, pair, volume, price, price2, pair.names.ws1, leverage=order.leverage),
            },
        }
        if order.order_type is OrderType.ICEBERG and terms.display_lots is not None:
            shown = order.slot != NO_SLOT
            row["display_volume"] = pair.qty(terms.display_lots)
            row["display_volume_remain"] = pair.qty(self._host.kernel.visible(order.slot) if shown else 0)
        return row

    def _filled(self, order: Order, cum_lots: int, pair: ServedPair) -> Row:
        """What was filled of an order when so much was; more may have been by now."""
        cost = fee = Decimal(0)
        lots = ticks_lots = 0
        for trade in self._records.trades_of(order.account.name, order.order_id):
            if lots >= cum_lots:
                break
            lots += trade.qty_lots
            ticks_lots += trade.price_ticks * trade.qty_lots
            cost += trade.cost
            fee += trade.fee
        return {
            "vol_exec": pair.qty(cum_lots),
            "cost": fixed(cost, pair.cost_decimals),
            "fee": fixed(fee, pair.cost_decimals),
            "avg_price": pair.average(ticks_lots, lots, pair.ws1_decimals),
        }

    # ------------------------------------------------------------------------------------------------- trades

    def trade(self, fills: Sequence[TradeRecord]) -> Row:
        """Fills of one order, told as one trade."""
        first = fills[0]
        order = first.order
        pair = self._pair(order)
        lots = sum(fill.qty_lots for fill in fills)
        ticks_lots = sum(fill.price_ticks * fill.qty_lots for fill in fills)
        return {
            "ordertxid": order.order_id,
            "postxid": closed_position(fills) or NO_POSITION,
            "pair": pair.names.ws1,
            "time": epoch_us(first.ts_ns),
            "type": SIDE_WORDS[order.side],
            "ordertype": TYPE_WORDS[order.order_type],
            "price": pair.average(ticks_lots, lots, pair.ws1_decimals),
            "cost": fixed(sum((fill.cost for fill in fills), Decimal(0)), pair.cost_decimals),
            "fee": fixed(sum((fill.fee for fill in fills), Decimal(0)), pair.cost_decimals),
            "vol": pair.qty(lots),
            "margin": fixed(used_margin(fills) if order.leverage else Decimal(0), pair.cost_decimals),
        }


def references(order: Order) -> Row:
    """What its owner calls an order."""
    row: Row = {"userref": attachment_of(order).userref}
    if order.cl_ord_id:
        row["cl_ord_id"] = order.cl_ord_id
    return row


def _price(ticks: int | None, pair: ServedPair) -> str:
    return pair.price(ticks or 0, pair.ws1_decimals)
