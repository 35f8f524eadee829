"""Reports of the venue as execution reports and rejects. Sources: fix-api/er-fix, bmr-fix; guides/fix-intro."""

from __future__ import annotations

import re
from decimal import Decimal

from adapters.fix.codec import Fields
from adapters.fix.times import utc_timestamp
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.orders import Attachment, OrderWords, attachment_of
from adapters.kraken.server.pairs import ServedPair, fixed
from adapters.kraken.words import TYPE_WORDS
from framework.messages import ExecType, ExecutionReport, OrderState
from framework.protocol import BUY, OrderType, RejectReason, TimeInForce
from framework.venue.orders import Order
from framework.venue.served.records import TradeRecord

__all__ = ["business_reject", "execution_body", "with_exec_id"]

_EXEC = {
    ExecType.PENDING_NEW: "A",
    ExecType.NEW: "0",
    ExecType.TRADE: "F",
    ExecType.CANCELED: "4",
    ExecType.EXPIRED: "C",
    ExecType.AMENDED: "5",
    ExecType.RESTATED: "D",
    ExecType.TRIGGERED: "D",
    ExecType.ICEBERG_REFILL: "D",
}
_STATES = {
    OrderState.PENDING_NEW: "A",
    OrderState.NEW: "0",
    OrderState.PARTIALLY_FILLED: "1",
    OrderState.FILLED: "2",
    OrderState.CANCELED: "4",
    OrderState.EXPIRED: "C",
}
_TYPES = {
    OrderType.MARKET: "1",
    OrderType.LIMIT: "2",
    OrderType.ICEBERG: "2",
    OrderType.STOP_LOSS: "3",
    OrderType.STOP_LOSS_LIMIT: "4",
    OrderType.TAKE_PROFIT: "R",
    OrderType.TAKE_PROFIT_LIMIT: "T",
    OrderType.TRAILING_STOP: "U",
    OrderType.TRAILING_STOP_LIMIT: "V",
}
_TIMES = {TimeInForce.GTC: "1", TimeInForce.IOC: "3", TimeInForce.FOK: "4", TimeInForce.GTD: "6"}
# BusinessRejectReason (380) of what has one of its own; all else is 0, other.
_REJECTS = {
    RejectReason.UNKNOWN_ORDER: b"101",
    RejectReason.ORDER_NOT_OPEN: b"101",
    RejectReason.UNKNOWN_SYMBOL: b"2",
    RejectReason.NOT_SUPPORTED: b"3",
    RejectReason.PERMISSION_DENIED: b"6",
}
_STATUS = "I"
# Of an order that no client has sent, such as one that takes a position back; FIX has this word for it.
_NO_CL_ORD_ID = "NONE"
# Only the ClOrdID and quantities stand before it.
_EXEC_ID = re.compile(rb"(\x0117=)[^\x01]*")


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


def execution_body(
    context: ServerContext,
    order: Order,
    report: ExecutionReport | None,
    cl_ord_id: str,
    orig_cl_ord_id: str | None,
    exec_id: str,
) -> bytes:
    """The fields of an ExecutionReport as they stand in a message, in ascending order.

    report: what happened; None for the answer to a status request. exec_id: unique on the session.
    """
    pair = context.pairs.by_symbol[order.pair.symbol]
    records = context.host.records
    note = attachment_of(order)
    trade, average = None, "0"
    # What the fill is told with, between the fields that every report has: from tag 31, 118, 381 and 5050 on.
    fill_31 = fill_118 = fill_381 = fill_5050 = ""
    if report is not None and report.exec_type is ExecType.TRADE and report.exec_id is not None:
        trade = records.trade(order.account.name, report.exec_id)
    if trade is not None and report is not None:
        cost = sum((each.cost for each in _trades_until(context, trade)), Decimal(0))
        average = fixed(cost / (pair.lot * report.cum_lots), pair.pair_decimals)
        fill_31 = f"31={pair.price(trade.price_ticks)}\x0132={pair.qty(trade.qty_lots)}\x01"
        fill_118 = (
            f"118={fixed(trade.cost, pair.cost_decimals)}\x01136=1\x01137={_fee(context, trade, note)}\x01"
            f"138={trade.fee_asset}\x01139=4\x01891=2\x01"
        )
        fill_381 = f"381={fixed(cost, pair.cost_decimals)}\x01527={trade.number}\x011003={trade.trade_id}\x01"
        fill_5050 = f"5050={0 if trade.is_maker else 1}\x01"
    # What is told is the order at the time of the report, which may have gone on since.
    told = order if report is None else report
    exec_type = _STATUS if report is None else _EXEC[report.exec_type]
    state = _STATES[told.state]
    text = report.reason if report is not None and report.reason else _description(order, pair, note)
    ts_ns = order.aged_ns if report is None else report.ts_venue_ns
    limit, trigger = told.limit_ticks, told.trigger_ticks
    trigger_text = None if trigger is None else pair.price(trigger)
    is_triggered = report is not None and report.exec_type is ExecType.TRIGGERED
    return (
        f"6={average}\x0111={cl_ord_id or _NO_CL_ORD_ID}\x0114={pair.qty(told.cum_lots)}\x0117={exec_id}\x01"
        f"{_field(18, note.exec_inst or None)}{fill_31}37={order.order_id}\x0138={pair.qty(told.qty_lots)}\x01"
        f"39={'5' if exec_type == '5' and state == '0' else state}\x0140={_executed_type(order)}\x01"
        f"{_field(41, orig_cl_ord_id)}{_field(44, None if limit is None else pair.price(limit))}"
        f"54={'1' if order.side == BUY else '2'}\x0155={pair.spec.symbol}\x0158={text}\x01"
        f"59={_TIMES[order.time_in_force]}\x0160={utc_timestamp(ts_ns).decode()}\x01{_field(99, trigger_text)}"
        f"{fill_118}150={exec_type}\x01151={pair.qty(told.leaves_lots)}\x01{fill_381}"
        f"{_field(1102, trigger_text if is_triggered else None)}"
        f"{_field(1138, None if order.display_lots is None else pair.qty(order.display_lots))}{fill_5050}"
    ).encode()


def with_exec_id(body: bytes, exec_id: str) -> bytes:
    """The fields of an ExecutionReport with another ExecID, such as of a message that got its number later."""
    return _EXEC_ID.sub(b"\\g<1>%b" % exec_id.encode(), body, 1)


def _field(tag: int, value: str | None) -> str:
    return "" if value is None else f"{tag}={value}\x01"


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


def _executed_type(order: Order) -> str:
    """A triggered order is a market or a limit order."""
    if not order.is_triggered or TYPE_WORDS[order.order_type] in ("market", "limit", "iceberg"):
        return _TYPES[order.order_type]
    return "1" if order.is_market else "2"


def _description(order: Order, pair: ServedPair, note: Attachment) -> str:
    price, price2 = OrderWords.shown_prices(order, pair)
    volume = OrderWords.volume(order, pair, note).rstrip("0").removesuffix(".")
    return OrderWords.line(order, pair, volume, price, price2, pair.spec.symbol, leverage=order.leverage)
