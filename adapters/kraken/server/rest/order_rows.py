"""Orders, trades and ledger entries as the account endpoints show them.

Sources: rest-api/get-open-orders, get-closed-orders, get-trade-history, get-ledgers, get-order-amends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.orders import OrderWords, amend_id, attachment_of, close_line, distance, flags_of
from adapters.kraken.server.pairs import ServedPair, fixed
from adapters.kraken.server.rest.position_rows import PositionRows, closed_position, used_margin
from adapters.kraken.symbols import rest_asset
from adapters.kraken.words import SIDE_WORDS, TYPE_WORDS
from framework.protocol import OrderType, TimeInForce
from framework.venue.orders import TRIGGER_TYPES, Order
from framework.venue.served.amendments import Amendment
from framework.venue.served.records import LedgerEntry, TradeRecord

__all__ = ["NO_POSITION", "Execution", "OrderRows", "executions", "has_triggered_limit", "is_one_taking", "misc_of"]

_NS = 10**9
NO_POSITION = "TKH2SE-M7IF5-CFI7LT"
_TOUCHED = frozenset({OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})
_TRIGGERED_LIMITS = frozenset({OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT, OrderType.TRAILING_STOP_LIMIT})
_NO_PRICE = "0.00000"


class Execution(msgspec.Struct, frozen=True):
    """A trade as an account is told of it: one fill, or those of one taking, told as one under the first one's id."""

    first: TradeRecord
    fills: tuple[TradeRecord, ...]


def is_one_taking(earlier: TradeRecord, later: TradeRecord) -> bool:
    """Whether two fills, one right after the other, are of one taking: an order took both at one instant."""
    is_taken = not (earlier.is_maker or later.is_maker)
    return is_taken and earlier.order is later.order and earlier.ts_ns == later.ts_ns


def executions(trades: Iterable[TradeRecord], *, is_consolidated: bool) -> list[Execution]:
    """Trades as they are told, oldest first. is_consolidated: what an order took at one instant is one trade."""
    groups: list[list[TradeRecord]] = []
    for trade in trades:
        if is_consolidated and groups and is_one_taking(groups[-1][-1], trade):
            groups[-1].append(trade)
        else:
            groups.append([trade])
    return [Execution(group[0], tuple(group)) for group in groups]


class OrderRows:
    """Makes the rows."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._host = context.host
        self._records = context.host.records
        self._pairs = context.pairs
        self._positions = PositionRows(context)

    def order(self, order: Order, *, has_trades: bool, is_consolidated: bool = True) -> dict[str, Any]:
        """An order. has_trades: name its trades; is_consolidated: as in ``executions``."""
        pair = self._pairs.by_symbol[order.pair.symbol]
        note = attachment_of(order)
        account = order.account.name
        cost, fee = self._records.cost_of(account, order.order_id)
        price, price2 = OrderWords.shown_prices(order, pair)
        volume = OrderWords.volume(order, pair, note)
        average = cost / (pair.lot * order.cum_lots) if order.cum_lots else Decimal(0)
        shown: dict[str, Any] = {
            "refid": order.primary_id or None,
            "userref": note.userref,
            "cl_ord_id": order.cl_ord_id or None,
            "status": OrderWords.status(order),
            "opentm": order.opened_ns / _NS,
            "starttm": (order.start_ns or 0) // _NS,
            "expiretm": (order.expire_ns or 0) // _NS,
            "descr": {
                "pair": pair.names.rest,
                "aclass": "forex",
                "type": SIDE_WORDS[order.side],
                "ordertype": TYPE_WORDS[order.order_type],
                "price": price,
                "price2": price2,
                "leverage": f"{order.leverage}:1" if order.leverage else "none",
                "order": OrderWords.line(order, pair, volume, price, price2, leverage=order.leverage),
                "close": close_line(order.secondary, pair),
            },
            "vol": volume,
            "vol_exec": pair.qty(order.cum_lots),
            "cost": fixed(cost, pair.cost_decimals),
            "fee": fixed(fee, pair.cost_decimals),
            "price": fixed(average, pair.pair_decimals),
            "stopprice": self._stop_price(order, pair),
            "limitprice": _triggered_limit(order, pair),
            "trigger": "last",
            "margin": order.is_margin,
            "misc": misc_of(order),
            "oflags": flags_of(order),
            "time_in_force": TimeInForce(order.time_in_force).name.lower(),
            "sender_sub_id": None,
        }
        if not order.is_open:
            shown["closetm"] = order.ended_ns / _NS
            shown["reason"] = None if order.end_reason is None else self._host.refusal_text(order.end_reason) or None
        trades = self._records.trades_of(account, order.order_id) if has_trades else ()
        if trades:
            told = executions(trades, is_consolidated=is_consolidated)
            shown["trades"] = [execution.first.trade_id for execution in told]
        return shown

    def _stop_price(self, order: Order, pair: ServedPair) -> str:
        ticks = self._context.stop_ticks(order)
        return _NO_PRICE if ticks is None else pair.price(ticks, 5)

    def amend(self, order: Order, amendment: Amendment) -> dict[str, Any]:
        """The terms of an order from a time on; what the order does not have is left out."""
        pair = self._pairs.by_symbol[order.pair.symbol]
        is_original = amendment.request_id is None
        shown: dict[str, Any] = {
            "amend_id": amend_id(order.seq) if amendment.request_id is None else amend_id(amendment.request_id),
            "amend_type": "original" if is_original else "user",
            "order_qty": pair.qty(amendment.qty_lots),
            "remaining_qty": pair.qty(amendment.remaining_lots),
        }
        if amendment.display_lots is not None:
            shown["display_qty"] = pair.qty(amendment.display_lots)
        if amendment.limit_ticks is not None:
            shown["limit_price"] = pair.price(amendment.limit_ticks)
        elif amendment.limit_offset_ticks is not None or amendment.limit_offset_ppm is not None:
            shown["limit_price"] = distance(amendment.limit_offset_ticks, amendment.limit_offset_ppm, pair)
        if amendment.trigger_ticks is not None:
            shown["trigger_price"] = pair.price(amendment.trigger_ticks)
        if amendment.trail_offset_ticks is not None or amendment.trail_offset_ppm is not None:
            shown["trigger_price"] = distance(amendment.trail_offset_ticks, amendment.trail_offset_ppm, pair)
        if not is_original:
            shown["reason"] = "User requested"
        return {**shown, "post_only": amendment.is_post_only, "timestamp": amendment.ts_ns}

    def trade(self, execution: Execution, *, has_ledgers: bool = False, has_closings: bool = False) -> dict[str, Any]:
        """A trade; the price of several fills is their average. has_closings: of a position, name what closed it."""
        first, fills = execution.first, execution.fills
        order = first.order
        pair = self._pairs.by_symbol[order.pair.symbol]
        lots = sum(fill.qty_lots for fill in fills)
        average = pair.tick * sum(fill.price_ticks * fill.qty_lots for fill in fills) / lots
        shown: dict[str, Any] = {
            "ordertxid": order.order_id,
            "postxid": closed_position(fills) or NO_POSITION,
            "pair": pair.names.rest_id,
            "aclass": "forex",
            "time": first.ts_ns / _NS,
            "type": SIDE_WORDS[order.side],
            "ordertype": TYPE_WORDS[order.order_type],
            "price": fixed(average, 5),
            "cost": fixed(_sum(fill.cost for fill in fills), pair.cost_decimals),
            "fee": fixed(_sum(fill.fee for fill in fills), pair.cost_decimals),
            "vol": pair.qty(lots),
            "margin": fixed(used_margin(fills), pair.cost_decimals) if order.leverage else _NO_PRICE,
            "leverage": str(order.leverage),
            "misc": "closing" if closed_position(fills) else "",
            "trade_id": first.number,
            "maker": first.is_maker,
        }
        opened = [fill.margin.opened for fill in fills if fill.margin is not None and fill.margin.opened is not None]
        if opened:
            shown |= self._positions.of_trade(opened, has_closings=has_closings)
        if has_ledgers:
            shown["ledgers"] = [ledger_id for fill in fills for ledger_id in fill.ledger_ids]
        return shown

    def entry(self, entry: LedgerEntry) -> dict[str, Any]:
        """A ledger entry."""
        decimals = self._pairs.asset_decimals(entry.asset)
        return {
            "refid": entry.ref_id,
            "time": entry.ts_ns / _NS,
            "type": entry.kind,
            "subtype": "",
            "aclass": "currency",
            "asset": rest_asset(entry.asset),
            "amount": fixed(entry.amount, decimals),
            "fee": fixed(entry.fee, decimals),
            "balance": fixed(entry.balance, decimals),
        }


def has_triggered_limit(order: Order) -> bool:
    """Whether an order has a limit price since its trigger fired."""
    return order.order_type in _TRIGGERED_LIMITS and order.is_triggered and order.limit_ticks is not None


def _triggered_limit(order: Order, pair: ServedPair) -> str:
    return pair.price(order.limit_ticks or 0, 5) if has_triggered_limit(order) else _NO_PRICE


def misc_of(order: Order) -> str:
    """What is to be said of an order beside, a comma list: ``stopped``, ``touched``, ``liquidated``, ``amended``,
    ``partial``.
    """
    words = []
    if order.is_triggered and order.order_type in TRIGGER_TYPES:
        words.append("touched" if order.order_type in _TOUCHED else "stopped")
    if order.is_liquidation:
        words.append("liquidated")
    if order.opened_ns != order.aged_ns:
        words.append("amended")
    if not order.is_open and 0 < order.cum_lots < order.qty_lots:
        words.append("partial")
    return ",".join(words)


def _sum(amounts: Iterable[Decimal] | Sequence[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
