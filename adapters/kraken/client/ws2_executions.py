"""Frames of the channel ``executions`` as reports: a snapshot of open orders, then news in sequence.

News is sparse: what a row does not say of its order is looked up in the memory of the account. A last fill is told like
the others, and that the order is filled by a row of its own (observed), which is told as such: whoever does not know
the order's quantity as the venue does learns its end by nothing else. Of an order in quote currency, whose quantity
nobody knows before, a fill is held until the next row of the order says whether it was the last.
Source: websocket-v2/executions.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import UNSET
from msgspec.structs import replace

from adapters.kraken.client.instruments import Instrument
from adapters.kraken.client.link_base import AccountParts
from adapters.kraken.client.order_memory import KnownOrder
from adapters.kraken.client.times import moment_ns
from adapters.kraken.errors import reject_reason
from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.ws2.account import Execution, ExecutionsFrame
from adapters.kraken.words import ORDER_TYPES, SIDES, TIMES
from framework.messages import ExecType, ExecutionReport, OrderState, OrderStatus, RateCount
from framework.protocol import POINT

__all__ = ["SequenceError", "Ws2Executions"]

_STATES = {
    "pending_new": OrderState.PENDING_NEW,
    "new": OrderState.NEW,
    "partially_filled": OrderState.PARTIALLY_FILLED,
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELED,
    "expired": OrderState.EXPIRED,
}
_CHANGES = {
    "pending_new": ExecType.PENDING_NEW,
    "new": ExecType.NEW,
    "filled": ExecType.FILLED,
    "canceled": ExecType.CANCELED,
    "expired": ExecType.EXPIRED,
    "amended": ExecType.AMENDED,
    "restated": ExecType.RESTATED,
    "iceberg_refill": ExecType.ICEBERG_REFILL,
}
_ENDS = {
    OrderState.FILLED: ExecType.FILLED,
    OrderState.CANCELED: ExecType.CANCELED,
    OrderState.EXPIRED: ExecType.EXPIRED,
}


class SequenceError(Exception):
    """Frames are missing, or came twice: what is known of the orders is not complete."""


class Ws2Executions:
    """One subscription, from its snapshot on."""

    def __init__(self, parts: AccountParts) -> None:
        self._parts = parts
        self._sequence: int | None = None
        self._held: dict[str, ExecutionReport] = {}

    @property
    def is_begun(self) -> bool:
        """Whether the snapshot has come, without which news means nothing."""
        return self._sequence is not None

    def reset(self) -> None:
        """A new subscription begins."""
        self._sequence = None
        self._held.clear()

    def snapshot(self, frame: ExecutionsFrame) -> tuple[OrderStatus, ...]:
        """The open orders that the subscription begins with."""
        self._sequence = 1 if frame.sequence is UNSET else frame.sequence
        statuses = (self._status(row) for row in frame.data if row.exec_type != "trade")
        return tuple(status for status in statuses if status is not None)

    def update(self, frame: ExecutionsFrame) -> list[ExecutionReport]:
        """News, in order. Raises SequenceError for a frame that is not the next one."""
        if self._sequence is None:
            return []  # of a subscription that has ended
        if frame.sequence is not UNSET:
            if frame.sequence != self._sequence + 1:
                raise SequenceError(f"executions: frame {frame.sequence} came after frame {self._sequence}")
            self._sequence = frame.sequence
        return [report for row in frame.data for report in self._reports(row)]

    def counts(self, frame: ExecutionsFrame, now_ns: int) -> list[RateCount]:
        """What the rows say of the trading counter of their order's pair."""
        counts = []
        for row in frame.data:
            known = None if row.ratecount is UNSET else self._parts.memory.find(row.order_id, None)
            if known is not None:
                assert row.ratecount is not UNSET
                ts_ns = now_ns if row.timestamp is UNSET else moment_ns(row.timestamp)
                points = int(row.ratecount.decimal * POINT)
                counts.append(RateCount(ts_venue_ns=ts_ns, symbol=known.symbol, points=points))
        return counts

    def release(self) -> list[ExecutionReport]:
        """Fills that were held for a next row which has not come for a while."""
        held, self._held = list(self._held.values()), {}
        return held

    # ------------------------------------------------------------------------------------------------- rows

    def _reports(self, row: Execution) -> list[ExecutionReport]:
        known = self._known(row)
        if known is None:
            return []
        instrument = self._parts.instruments[known.symbol]
        held = self._held.pop(row.order_id, None)
        reports = [] if held is None else [held]
        is_trade = row.exec_type == "trade"
        report = (self._trade if is_trade else self._change)(row, known, instrument)
        if is_trade and known.is_quote_qty:
            self._held[row.order_id] = report
            return reports
        if held is not None and report.exec_type is ExecType.FILLED:
            reports = [replace(held, state=OrderState.FILLED)]
        return [*reports, report]

    def _known(self, row: Execution) -> KnownOrder | None:
        """The order of a row, its new terms noted; None for one that nothing is known of and the row does not tell."""
        cl_ord_id = "" if row.cl_ord_id is UNSET else self._parts.ids.on_desk(row.cl_ord_id)
        known = self._parts.memory.find(row.order_id, cl_ord_id)
        if known is None:
            if row.symbol is UNSET or row.side is UNSET or row.order_type is UNSET:
                return None
            if row.symbol not in self._parts.instruments:
                return None
            known = self._parts.memory.found(
                row.order_id, cl_ord_id, row.symbol, SIDES[row.side], ORDER_TYPES[row.order_type]
            )
        instrument = self._parts.instruments[known.symbol]
        known.is_quote_qty = known.is_quote_qty or row.cash_order_qty is not UNSET
        if _has_terms(row) and known.takes_terms(0 if row.timestamp is UNSET else moment_ns(row.timestamp)):
            self._note_terms(row, known, instrument)
        if row.time_in_force is not UNSET:
            known.time_in_force = TIMES[row.time_in_force.lower()]
        return known

    def _note_terms(self, row: Execution, known: KnownOrder, instrument: Instrument) -> None:
        known.qty_lots = _lots(row.order_qty, instrument, known.qty_lots)
        if row.limit_price is not UNSET and row.limit_price_type in (UNSET, "static"):
            known.limit_ticks = instrument.ticks(row.limit_price)
        if row.display_qty is not UNSET:
            known.display_lots = instrument.lots(row.display_qty)
        if row.triggers is not UNSET:
            price = row.triggers.actual_price
            if price is UNSET and row.triggers.price_type in (UNSET, "static"):
                price = row.triggers.price
            known.trigger_ticks = known.trigger_ticks if price is UNSET else instrument.ticks(price)

    def _trade(self, row: Execution, known: KnownOrder, instrument: Instrument) -> ExecutionReport:
        last_lots = _lots(row.last_qty, instrument, None)
        cum_lots = _lots(row.cum_qty, instrument, known.cum_lots + last_lots)
        self._parts.memory.told(known, last_lots, cum_lots)
        fees = [] if row.fees is UNSET else row.fees
        if row.last_price is UNSET or row.exec_id is UNSET:
            raise WireError("a trade has no price or no id")
        qty_lots = max(known.qty_lots, cum_lots)
        is_last = row.order_status == "filled" and not known.is_quote_qty
        return replace(
            self._report(row, known, ExecType.TRADE),
            state=OrderState.FILLED if is_last else OrderState.PARTIALLY_FILLED,
            qty_lots=qty_lots,
            cum_lots=cum_lots,
            leaves_lots=qty_lots - cum_lots,
            last_lots=last_lots,
            last_ticks=instrument.ticks(row.last_price),
            exec_id=row.exec_id,
            is_maker=None if row.liquidity_ind is UNSET else row.liquidity_ind == "m",
            fee=sum((fee.qty.decimal for fee in fees), Decimal(0)) if fees else None,
            fee_asset=fees[0].asset if fees else None,
        )

    def _change(self, row: Execution, known: KnownOrder, instrument: Instrument) -> ExecutionReport:
        exec_type = _CHANGES.get("" if row.exec_type is UNSET else row.exec_type)
        if exec_type is None:  # "status": of the documented ones, only a trigger that has fired changes nothing else
            is_triggered = known.trigger_ticks is not None
            exec_type = ExecType.TRIGGERED if is_triggered else ExecType.RESTATED
        report = self._report(row, known, exec_type)
        exec_type = _ENDS.get(report.state, exec_type)  # an order that is over is over, whatever else is told of it
        is_over = exec_type in _ENDS.values()
        is_filled = exec_type is ExecType.FILLED
        cum_lots = _lots(row.cum_qty, instrument, known.qty_lots if is_filled else known.cum_lots)
        if is_over:
            self._parts.memory.over(known, cum_lots)
        reason = None if row.reason is UNSET else row.reason
        return replace(
            report,
            exec_type=exec_type,
            cum_lots=cum_lots,
            leaves_lots=0 if is_over else max(0, known.qty_lots - cum_lots),
            reason=reason,
            cause=None if reason is None else reject_reason(reason),
        )

    def _report(self, row: Execution, known: KnownOrder, exec_type: ExecType) -> ExecutionReport:
        if row.timestamp is UNSET or row.order_status is UNSET:
            raise WireError("a row of executions has no time or no status")
        return ExecutionReport(
            ts_venue_ns=moment_ns(row.timestamp),
            exec_type=exec_type,
            state=_STATES[row.order_status],
            order_id=row.order_id,
            cl_ord_id=known.cl_ord_id,
            symbol=known.symbol,
            side=known.side,
            order_type=known.order_type,
            qty_lots=known.qty_lots,
            leaves_lots=0,
            cum_lots=0,
            limit_ticks=known.limit_ticks,
            trigger_ticks=known.trigger_ticks,
            display_lots=known.display_lots,
        )

    def _status(self, row: Execution) -> OrderStatus | None:
        """An order of the snapshot; None for one of others that cannot be read, as of a pair that is not known."""
        is_own = self._parts.memory.find(row.order_id, None) is not None
        try:
            known = self._known(row)
        except WireError:
            if is_own:
                raise
            return None
        if known is None or row.order_status is UNSET:
            return None
        cum_lots = _lots(row.cum_qty, self._parts.instruments[known.symbol], 0)
        return OrderStatus(
            state=_STATES[row.order_status],
            order_id=row.order_id,
            cl_ord_id=known.cl_ord_id,
            symbol=known.symbol,
            side=known.side,
            order_type=known.order_type,
            qty_lots=known.qty_lots,
            cum_lots=cum_lots,
            limit_ticks=known.limit_ticks,
            trigger_ticks=known.trigger_ticks,
            display_lots=known.display_lots,
        )


def _has_terms(row: Execution) -> bool:
    return not row.order_qty is row.limit_price is row.display_qty is row.triggers is UNSET


def _lots(qty: Maybe[Number], instrument: Instrument, default: int | None) -> int:
    if qty is UNSET:
        if default is None:
            raise WireError("a trade has no quantity")
        return default
    return instrument.lots(qty)
