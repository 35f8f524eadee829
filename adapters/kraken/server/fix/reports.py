"""Reports of the venue as execution reports and rejects. Sources: fix-api/er-fix, bmr-fix; guides/fix-intro."""

from __future__ import annotations

from decimal import Decimal

from adapters.fix.codec import Fields
from adapters.fix.times import utc_timestamp
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.orders import Attachment, OrderWords, attachment_of
from adapters.kraken.server.pairs import LOT_DECIMALS, ServedPair, fixed
from adapters.kraken.words import TYPE_WORDS
from framework.messages import ExecType, ExecutionReport, OrderState
from framework.protocol import BUY, OrderType, RejectReason, TimeInForce
from framework.venue.orders import Order
from framework.venue.served.records import TradeRecord

__all__ = ["business_reject", "execution_fields"]

_EXEC = {
    ExecType.PENDING_NEW: b"A",
    ExecType.NEW: b"0",
    ExecType.TRADE: b"F",
    ExecType.CANCELED: b"4",
    ExecType.EXPIRED: b"C",
    ExecType.AMENDED: b"5",
    ExecType.RESTATED: b"D",
    ExecType.TRIGGERED: b"D",
    ExecType.ICEBERG_REFILL: b"D",
}
_STATES = {
    OrderState.PENDING_NEW: b"A",
    OrderState.NEW: b"0",
    OrderState.PARTIALLY_FILLED: b"1",
    OrderState.FILLED: b"2",
    OrderState.CANCELED: b"4",
    OrderState.EXPIRED: b"C",
}
_TYPES = {
    OrderType.MARKET: b"1",
    OrderType.LIMIT: b"2",
    OrderType.ICEBERG: b"2",
    OrderType.STOP_LOSS: b"3",
    OrderType.STOP_LOSS_LIMIT: b"4",
    OrderType.TAKE_PROFIT: b"R",
    OrderType.TAKE_PROFIT_LIMIT: b"T",
    OrderType.TRAILING_STOP: b"U",
    OrderType.TRAILING_STOP_LIMIT: b"V",
}
_TIMES = {TimeInForce.GTC: b"1", TimeInForce.IOC: b"3", TimeInForce.FOK: b"4", TimeInForce.GTD: b"6"}
# BusinessRejectReason (380) of what has one of its own; all else is 0, other.
_REJECTS = {
    RejectReason.UNKNOWN_ORDER: b"101",
    RejectReason.ORDER_NOT_OPEN: b"101",
    RejectReason.UNKNOWN_SYMBOL: b"2",
    RejectReason.NOT_SUPPORTED: b"3",
    RejectReason.PERMISSION_DENIED: b"6",
}
_STATUS = b"I"


def business_reject(ref_type: bytes, cl_ord_id: str, text: str, reason: RejectReason | None) -> Fields:
    """The fields of a BusinessMessageReject; RefSeqNum is 0 as in all samples: correlate by the ClOrdID.

    cl_ord_id: of the message; "" if it has none.
    """
    if reason is None and text == "EQuery:Unknown asset pair":
        reason = RejectReason.UNKNOWN_SYMBOL
    code = b"0" if reason is None else _REJECTS.get(reason, b"0")
    return (
        (45, b"0"),
        (58, text.encode()),
        (372, ref_type),
        *(((379, cl_ord_id.encode()),) if cl_ord_id else ()),
        (380, code),
    )


def execution_fields(
    context: ServerContext,
    order: Order,
    report: ExecutionReport | None,
    cl_ord_id: str,
    orig_cl_ord_id: str | None,
    exec_id: str,
) -> Fields:
    """The fields of an ExecutionReport, in ascending order.

    report: what happened; None for the answer to a status request. exec_id: unique on the session.
    """
    pair = context.pairs.by_symbol[order.pair.symbol]
    records = context.host.records
    trade, average, cost, note = None, b"0", Decimal(0), attachment_of(order)
    if report is not None and report.exec_type is ExecType.TRADE and report.exec_id is not None:
        trade = records.trade(order.account.name, report.exec_id)
    if trade is not None and report is not None:
        cost = sum((each.cost for each in _trades_until(context, trade)), Decimal(0))
        average = _text(fixed(cost / (pair.lot * report.cum_lots), pair.pair_decimals))
    # What is told is the order at the time of the report, which may have gone on since.
    cum_lots = order.cum_lots if report is None else report.cum_lots
    leaves_lots = order.leaves_lots if report is None else report.leaves_lots
    qty = order.qty_lots if report is None else report.qty_lots
    exec_type = _STATUS if report is None else _EXEC[report.exec_type]
    state = _STATES[order.state if report is None else report.state]
    fields: list[tuple[int, bytes]] = [
        (6, average),
        (11, cl_ord_id.encode()),
        (14, _qty(pair, cum_lots)),
        (17, exec_id.encode()),
    ]
    if note.exec_inst:
        fields.append((18, note.exec_inst.encode()))
    if trade is not None:
        fields += [(31, _text(pair.price(trade.price_ticks))), (32, _qty(pair, trade.qty_lots))]
    fields += [
        (37, order.order_id.encode()),
        (38, _qty(pair, qty)),
        (39, b"5" if exec_type == b"5" and state == b"0" else state),
        (40, _executed_type(order)),
    ]
    if orig_cl_ord_id is not None:
        fields.append((41, orig_cl_ord_id.encode()))
    limit = order.limit_ticks if report is None else report.limit_ticks
    if limit is not None:
        fields.append((44, _text(pair.price(limit))))
    fields += [(54, b"1" if order.side == BUY else b"2"), (55, pair.spec.symbol.encode())]
    text = report.reason if report is not None and report.reason else _description(order, pair)
    fields += [
        (58, text.encode()),
        (59, _TIMES[TimeInForce(order.time_in_force)]),
        (60, utc_timestamp(order.aged_ns if report is None else report.ts_venue_ns)),
    ]
    trigger = order.trigger_ticks if report is None else report.trigger_ticks
    if trigger is not None:
        fields.append((99, _text(pair.price(trigger))))
    if trade is not None:
        fields += [
            (118, _text(fixed(trade.cost, pair.cost_decimals))),
            (136, b"1"),
            (137, _text(_fee(context, trade, note))),
            (138, trade.fee_asset.encode()),
            (139, b"4"),
            (891, b"2"),
        ]
    fields += [(150, exec_type), (151, _qty(pair, leaves_lots))]
    if trade is not None:
        fields += [
            (381, _text(fixed(cost, pair.cost_decimals))),
            (527, b"%d" % trade.number),
            (1003, trade.trade_id.encode()),
        ]
    if report is not None and report.exec_type is ExecType.TRIGGERED and trigger is not None:
        fields.append((1102, _text(pair.price(trigger))))
    if order.display_lots is not None:
        fields.append((1138, _qty(pair, order.display_lots)))
    if trade is not None:
        fields.append((5050, b"0" if trade.is_maker else b"1"))
    return fields


def _fee(context: ServerContext, trade: TradeRecord, note: Attachment) -> str:
    """The fees of all trades of an order so far, or of this one where 18=s asked for that."""
    order = trade.order
    is_single = "s" in note.exec_inst.split()
    fee = sum((each.charged for each in ([trade] if is_single else _trades_until(context, trade))), Decimal(0))
    pair = context.pairs.by_symbol[order.pair.symbol]
    is_in_quote = trade.fee_asset == pair.spec.quote
    return fixed(fee, pair.cost_decimals if is_in_quote else context.pairs.asset_decimals(trade.fee_asset))


def _trades_until(context: ServerContext, trade: TradeRecord) -> list[TradeRecord]:
    """The trades of an order up to one; there may have been more since."""
    trades = context.host.records.trades_of(trade.order.account.name, trade.order.order_id)
    return [each for each in trades if each.number <= trade.number]


def _text(value: str) -> bytes:
    return value.encode()


def _qty(pair: ServedPair, lots: int) -> bytes:
    return pair.qty(lots, LOT_DECIMALS).encode()


def _executed_type(order: Order) -> bytes:
    """A triggered order is a market or a limit order."""
    if not order.is_triggered or TYPE_WORDS[order.order_type] in ("market", "limit", "iceberg"):
        return _TYPES[order.order_type]
    return b"1" if order.is_market else b"2"


def _description(order: Order, pair: ServedPair) -> str:
    note = attachment_of(order)
    price, price2 = OrderWords.shown_prices(order, pair)
    volume = OrderWords.volume(order, pair, note).rstrip("0").removesuffix(".")
    return OrderWords.line(order, pair, volume, price, price2).replace(pair.names.rest, pair.spec.symbol)
