"""The private channels: what happens to an account's orders (executions) and money (balances), in sequence.

Every fill row is ``partially_filled``, and a ``filled`` row of its own ends an order: observed. Sources:
websocket-v2/executions, websocket-v2/balances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.orders import Attachment, attachment_of, fee_flag
from adapters.kraken.server.pairs import ServedPair, fixed
from adapters.kraken.server.ws2.frames import Frame, number, stream_frame
from adapters.kraken.wire.digits import digits, rfc3339_us
from adapters.kraken.words import SIDE_WORDS, TYPE_WORDS
from framework.messages import ExecType, ExecutionReport, OrderState, SecondaryOrder
from framework.protocol import OrderType, TimeInForce
from framework.venue.margin.positions import MarginFill
from framework.venue.orders import NO_SLOT, Order
from framework.venue.served.records import LedgerEntry, TradeRecord

__all__ = ["Balances", "Executions", "ExecutionsOptions"]

_SNAPSHOT_TRADES = 50
_EXEC_WORDS = {
    ExecType.PENDING_NEW: "pending_new",
    ExecType.NEW: "new",
    ExecType.TRADE: "trade",
    ExecType.CANCELED: "canceled",
    ExecType.EXPIRED: "expired",
    ExecType.AMENDED: "amended",
    ExecType.RESTATED: "restated",
    ExecType.TRIGGERED: "status",
    ExecType.ICEBERG_REFILL: "iceberg_refill",
    ExecType.FILLED: "filled",
}
_STATE_WORDS = {
    OrderState.PENDING_NEW: "pending_new",
    OrderState.NEW: "new",
    OrderState.PARTIALLY_FILLED: "partially_filled",
    OrderState.FILLED: "filled",
    OrderState.CANCELED: "canceled",
    OrderState.EXPIRED: "expired",
}
# What is told where only the main transitions are asked for.
_MAIN = frozenset({"new", "trade", "filled", "canceled", "expired"})


class ExecutionsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a subscription asked for."""

    snap_orders: bool = True
    snap_trades: bool = False
    order_status: bool = True
    ratecounter: bool = False


class Executions:
    """One subscription to an account's executions."""

    def __init__(
        self, context: ServerContext, account: str, options: ExecutionsOptions, send: Callable[[Frame], object]
    ) -> None:
        self._context = context
        self._records = context.host.records
        self._account = account
        self._options = options
        self._send = send
        self._sequence = 0

    def begin(self) -> None:
        """Send the snapshot."""
        rows: list[dict[str, Any]] = []
        if self._options.snap_orders:
            rows += [self._full_row(order) for order in self._records.orders_open(self._account)]
        if self._options.snap_trades:
            trades = self._records.trades(self._account)[-_SNAPSHOT_TRADES:]
            rows += [{**self._trade_row(trade), "order_status": "filled"} for trade in trades]
        self._tell("snapshot", rows)

    def on_report(self, report: ExecutionReport) -> None:
        """Something happened to an order of the account."""
        order = self._records.order(self._account, report.order_id)
        if order is None:
            return
        pair = self._context.pairs.by_symbol[report.symbol]
        for row in self._rows(report, order, pair):
            if not self._options.order_status and row["exec_type"] not in _MAIN:
                continue
            if self._options.ratecounter:
                row["ratecount"] = number(fixed(self._context.rate_count(order), 2))
            self._tell("update", [row])

    def _tell(self, kind: str, rows: Sequence[dict[str, Any]]) -> None:
        self._sequence += 1
        self._send(stream_frame("executions", kind, rows, sequence=self._sequence))

    # ------------------------------------------------------------------------------------------------- rows

    def _rows(self, report: ExecutionReport, order: Order, pair: ServedPair) -> list[dict[str, Any]]:
        word = _EXEC_WORDS[report.exec_type]
        moment = rfc3339_us(report.ts_venue_ns)
        if report.exec_type is ExecType.TRADE:
            assert report.exec_id is not None
            trade = self._records.trade(self._account, report.exec_id)
            if trade is None:
                return []
            rows = [self._trade_row(trade)]
            if report.state is OrderState.FILLED:
                rows.append(
                    {
                        "timestamp": moment,
                        "order_status": "filled",
                        "exec_type": "filled",
                        **self._progress(order, pair, report.cum_lots),
                        **_ids(order),
                    }
                )
            return rows
        if report.exec_type is ExecType.PENDING_NEW:
            row = {**self._full_row(order), **self._progress(order, pair, report.cum_lots)}
            return [{**row, "exec_type": word, "order_status": word, "timestamp": moment}]
        row = {"timestamp": moment, "order_status": _STATE_WORDS[report.state], "exec_type": word}
        if report.exec_type is ExecType.NEW:
            return [{**row, **_ids(order)}]
        row |= self._progress(order, pair, report.cum_lots)
        if report.exec_type is ExecType.AMENDED:
            row |= {"amended": True, "reason": "User requested", "order_qty": number(pair.qty(report.qty_lots))}
            row |= _limit_of(order, pair)
        elif report.exec_type is ExecType.TRIGGERED and report.trigger_ticks is not None:
            triggers = self._triggers(order, report.trigger_ticks, attachment_of(order), pair)
            row["triggers"] = {**triggers, "timestamp": moment}
        elif report.reason:
            row |= {"cancel_reason": report.reason, "reason": report.reason}
        return [{**row, **_ids(order)}]

    def _full_row(self, order: Order) -> dict[str, Any]:
        """An order with all that it was given."""
        pair = self._context.pairs.by_symbol[order.pair.symbol]
        note = attachment_of(order)
        row: dict[str, Any] = {
            **_ids(order),
            "symbol": pair.spec.symbol,
            "order_qty": number(pair.qty(order.qty_lots)),
            **self._progress(order, pair, order.cum_lots),
            "time_in_force": TimeInForce(order.time_in_force).name,
            "exec_type": "pending_new" if order.state is OrderState.PENDING_NEW else "new",
            "side": SIDE_WORDS[order.side],
            "order_type": TYPE_WORDS[order.order_type],
            "order_userref": note.userref,
            **_limit_of(order, pair),
            "stop_price": number("0.0"),
            "order_status": _STATE_WORDS[order.state],
            "fee_ccy_pref": fee_flag(order),
            "timestamp": rfc3339_us(order.aged_ns),
        }
        if order.is_post_only:
            row["post_only"] = True
        if order.is_margin:
            row["margin"] = True
        if order.is_liquidation:
            row["liquidated"] = True
        if order.is_reduce_only:
            row["reduce_only"] = True
        if order.order_type is OrderType.ICEBERG and order.display_lots is not None:
            row["display_qty"] = number(pair.qty(order.display_lots))
        if order.trigger_ticks is not None:
            row["triggers"] = self._triggers(order, order.trigger_ticks, note, pair)
        if order.secondary is not None:
            row["contingent"] = _contingent(order.secondary, pair)
        if order.primary_id:
            row["ord_ref_id"] = order.primary_id
        if order.expire_ns is not None:
            row["expire_time"] = rfc3339_us(order.expire_ns)
        if order.start_ns is not None:
            row["effective_time"] = rfc3339_us(order.start_ns)
        return row

    def _triggers(self, order: Order, trigger_ticks: int, note: Attachment, pair: ServedPair) -> dict[str, Any]:
        """Price and unit as they were given, and the price that they come to; of a trailing order, its peak too."""
        kernel = self._context.host.kernel
        shown: dict[str, Any] = {"reference": "last"}
        if order.is_trailing:
            shown |= _distance("price", order.trail_offset_ticks, order.trail_offset_ppm, pair)
            if order.watch != NO_SLOT:
                trigger_ticks = kernel.trigger_ticks(order.watch)
                shown["peak_price"] = number(pair.price(kernel.peak_ticks(order.watch)))
        elif note.price[:1] in ("+", "-") and self._records.amendments.of(order)[0].trigger_ticks == trigger_ticks:
            unit = "pct" if note.price.endswith("%") else "quote"
            shown |= {"price": number(f"{Decimal(note.price.removesuffix('%')):f}"), "price_type": unit}
        else:
            shown |= {"price": number(pair.price(trigger_ticks)), "price_type": "static"}
        shown["actual_price"] = number(pair.price(trigger_ticks))
        shown["status"] = "triggered" if order.is_triggered else "untriggered"
        return shown

    def _trade_row(self, trade: TradeRecord) -> dict[str, Any]:
        order = trade.order
        pair = self._context.pairs.by_symbol[order.pair.symbol]
        row: dict[str, Any] = {
            **_ids(order),
            "exec_id": trade.trade_id,
            "exec_type": "trade",
            "trade_id": trade.number,
            "symbol": pair.spec.symbol,
            "side": SIDE_WORDS[order.side],
            "last_qty": number(pair.qty(trade.qty_lots)),
            "last_price": number(pair.price(trade.price_ticks)),
            "liquidity_ind": "m" if trade.is_maker else "t",
            "cost": number(fixed(trade.cost, pair.cost_decimals)),
            "order_userref": attachment_of(order).userref,
            "order_status": "partially_filled",
            "order_type": TYPE_WORDS[order.order_type],
            **self._progress(order, pair, self._filled_with(trade)),
            "timestamp": rfc3339_us(trade.ts_ns),
            "fees": [{"asset": trade.fee_asset, "qty": number(self._charged(trade, pair))}],
        }
        if trade.margin is not None:
            row |= {"margin": True, "margin_borrow": True, "position_status": _position_status(trade.margin)}
        return row

    def _charged(self, trade: TradeRecord, pair: ServedPair) -> str:
        if trade.fee_asset == pair.spec.quote:
            return fixed(trade.charged, pair.cost_decimals)
        return fixed(trade.charged, self._context.pairs.asset_decimals(trade.fee_asset))

    def _filled_with(self, trade: TradeRecord) -> int:
        """How much of its order was filled after a trade."""
        trades = self._records.trades_of(self._account, trade.order.order_id)
        return sum(each.qty_lots for each in trades if each.number <= trade.number)

    def _progress(self, order: Order, pair: ServedPair, cum_lots: int) -> dict[str, Any]:
        """What was filled of an order when so much was; more may have been by now."""
        cost = fee = Decimal(0)
        lots = 0
        for trade in self._records.trades_of(self._account, order.order_id):
            if lots >= cum_lots:
                break
            lots += trade.qty_lots
            cost += trade.cost
            fee += trade.fee
        average = cost / (pair.lot * cum_lots) if cum_lots else Decimal(0)
        return {
            "cum_qty": number(pair.qty(cum_lots)),
            "cum_cost": number(fixed(cost, pair.cost_decimals)),
            "avg_price": number(fixed(average, pair.pair_decimals)),
            "fee_usd_equiv": number(fixed(fee, pair.cost_decimals)),
        }


class Balances:
    """One subscription to an account's balances: each movement is a frame of its own."""

    def __init__(self, context: ServerContext, account: str, send: Callable[[Frame], object]) -> None:
        self._context = context
        self._records = context.host.records
        self._account = account
        self._send = send
        self._sequence = 0

    def begin(self, *, has_snapshot: bool) -> None:
        """Send the snapshot, and all that comes after it."""
        if has_snapshot:
            rows = [
                {
                    "asset": asset,
                    "asset_class": "currency",
                    "balance": self._amount(asset, total),
                    "wallets": [{"type": "spot", "id": "main", "balance": self._amount(asset, total)}],
                }
                for asset, (total, _) in self._records.balances(self._account).items()
                if total
            ]
            self._tell("snapshot", rows)
        self._records.listen(self._account, self._on_entry)

    def end(self) -> None:
        """No more."""
        self._records.unlisten(self._account, self._on_entry)

    def _on_entry(self, entry: LedgerEntry) -> None:
        row = {
            "ledger_id": entry.ledger_id,
            "ref_id": entry.ref_id,
            "timestamp": rfc3339_us(entry.ts_ns),
            "type": entry.kind,
            "asset": entry.asset,
            "asset_class": "currency",
            "category": entry.category,
            "wallet_type": "spot",
            "wallet_id": "main",
            "amount": self._amount(entry.asset, entry.amount),
            "fee": self._amount(entry.asset, entry.fee),
            "balance": self._amount(entry.asset, entry.balance),
        }
        self._tell("update", [row])

    def _amount(self, asset: str, amount: Decimal) -> msgspec.Raw:
        return number(fixed(amount, self._context.pairs.asset_decimals(asset)))

    def _tell(self, kind: str, rows: Sequence[dict[str, Any]]) -> None:
        self._sequence += 1
        self._send(stream_frame("balances", kind, rows, sequence=self._sequence))


def _position_status(margin: MarginFill) -> str:
    """What a fill did to positions: opened one, closed some of one, or closed all that it met."""
    if margin.opened is not None:
        return "opened"
    return "closed" if all(not closing.position.is_open for closing in margin.closings) else "closing"


def _ids(order: Order) -> dict[str, str]:
    return {"order_id": order.order_id, **({"cl_ord_id": order.cl_ord_id} if order.cl_ord_id else {})}


def _contingent(template: SecondaryOrder, pair: ServedPair) -> dict[str, Any]:
    """What each fill makes an order of."""
    shown: dict[str, Any] = {"order_type": TYPE_WORDS[template.order_type]}
    trails = template.trail_offset_ticks, template.trail_offset_ppm
    for name, ticks, offset_ticks, offset_ppm in (
        ("trigger_price", None, *trails),
        ("trigger_price", template.trigger_ticks, template.trigger_offset_ticks, template.trigger_offset_ppm),
        ("limit_price", template.limit_ticks, template.limit_offset_ticks, template.limit_offset_ppm),
    ):
        if ticks is not None:
            shown |= {name: number(pair.price(ticks)), f"{name}_type": "static"}
        elif offset_ticks is not None or offset_ppm is not None:
            shown |= _distance(name, offset_ticks, offset_ppm, pair)
    return shown


def _limit_of(order: Order, pair: ServedPair) -> dict[str, Any]:
    """A limit as it stands: of a trailing order that waits, its distance from the trigger."""
    if order.limit_ticks is None and order.order_type is OrderType.TRAILING_STOP_LIMIT:
        return _distance("limit_price", order.limit_offset_ticks, order.limit_offset_ppm, pair)
    return _limit(order.limit_ticks, pair)


def _distance(name: str, ticks: int | None, ppm: int | None, pair: ServedPair) -> dict[str, Any]:
    """A distance with its unit, ``pct`` or ``quote``."""
    unit, text = ("quote", pair.price(ticks or 0)) if ppm is None else ("pct", digits(ppm, 4))
    return {name: number(text), f"{name}_type": unit}


def _limit(limit_ticks: int | None, pair: ServedPair) -> dict[str, Any]:
    if limit_ticks is None:
        return {}
    return {"limit_price_type": "static", "limit_price": number(pair.price(limit_ticks))}
