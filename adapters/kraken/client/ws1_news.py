"""Frames of the channels ``ownTrades`` and ``openOrders`` as reports: open orders first, then news of each in sequence.

Fills are told by ``ownTrades``, all else by ``openOrders``, whose rows say how much of an order is filled in all. A
fill does not say whether it was made as maker, nor how much is filled after it: that is counted here, from the snapshot
on. An order in quote currency, whose quantity nobody knows before, has its newest fill held until it is known to be the
last or not. Sources: websocket-v1/owntrades, openorders.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import UNSET
from msgspec.structs import replace

from adapters.kraken.client.link_base import AccountParts
from adapters.kraken.client.order_memory import KnownOrder
from adapters.kraken.client.shown_prices import shown_prices
from adapters.kraken.client.times import epoch_ns
from adapters.kraken.errors import SymbolError, reject_reason
from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.ws1.account import OpenOrder, OwnTrade
from adapters.kraken.wire.ws1.messages import OpenOrdersFrame, OwnTradesFrame
from adapters.kraken.words import ORDER_TYPES, SIDES, TIMES
from framework.messages import ExecType, ExecutionReport, OrderState, OrderStatus, RateCount, Report
from framework.protocol import POINT

__all__ = ["SequenceError", "Ws1News"]

_STATES = {
    "pending": OrderState.PENDING_NEW,
    "open": OrderState.NEW,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELED,
    "expired": OrderState.EXPIRED,
}
_ENDS = {"closed": ExecType.FILLED, "canceled": ExecType.CANCELED, "expired": ExecType.EXPIRED}
_BY_THE_OWNER = "User requested"


class SequenceError(Exception):
    """Frames are missing, or came twice: what is known of the orders is not complete."""


class Ws1News:
    """One pair of subscriptions, from the snapshot on."""

    def __init__(self, parts: AccountParts) -> None:
        self._parts = parts
        self._sequences: dict[str, int] = {}
        # Lots told of each order that has not ended.
        self._told_lots: dict[str, int] = {}
        self._held: dict[str, ExecutionReport] = {}

    def reset(self) -> None:
        """New subscriptions begin."""
        self._sequences.clear()
        self._told_lots.clear()
        self._held.clear()

    def is_first(self, frame: OpenOrdersFrame | OwnTradesFrame) -> bool:
        """Count a frame: whether it is the first of its channel. Raises SequenceError for one that is not the next."""
        before = self._sequences.get(frame.channel, 0)
        if frame.sequence != before + 1:
            raise SequenceError(f"{frame.channel}: frame {frame.sequence} came after frame {before}")
        self._sequences[frame.channel] = frame.sequence
        return before == 0

    def snapshot(self, frame: OpenOrdersFrame, ts_venue_ns: int) -> tuple[OrderStatus, ...]:
        """The open orders that the subscription begins with, as they were at a time of the venue or later."""
        statuses = (
            self._status(order_id, row, ts_venue_ns) for rows in frame.payload for order_id, row in rows.items()
        )
        return tuple(status for status in statuses if status is not None)

    def orders(self, frame: OpenOrdersFrame, now_ns: int) -> list[Report]:
        """News of orders."""
        reports: list[Report] = []
        for rows in frame.payload:
            for order_id, row in rows.items():
                ts_ns = _moment(row, now_ns)
                known = self._known(order_id, row, ts_ns)
                if known is None:
                    continue
                reports += self._changes(order_id, row, known, ts_ns)
                if row.ratecount is not UNSET:
                    points = int(Decimal(row.ratecount) * POINT)
                    reports.append(RateCount(ts_venue_ns=now_ns, symbol=known.symbol, points=points))
        return reports

    def trades(self, frame: OwnTradesFrame) -> list[Report]:
        """Fills, in order."""
        reports: list[Report] = []
        for rows in frame.payload:
            for trade_id, row in rows.items():
                reports += self._trade(trade_id, row)
        return reports

    def release(self) -> list[ExecutionReport]:
        """Fills that were held for news that has not come for a while."""
        held, self._held = list(self._held.values()), {}
        return held

    # ------------------------------------------------------------------------------------------------- rows

    def _trade(self, trade_id: str, row: OwnTrade) -> list[Report]:
        order_id = _text(row.ordertxid)
        instrument = self._parts.instruments.named(_text(row.pair))
        cl_ord_id = "" if row.cl_ord_id is UNSET else self._parts.ids.on_desk(row.cl_ord_id)
        kind, side = ORDER_TYPES[_text(row.ordertype)], SIDES[_text(row.type)]
        known = self._parts.memory.found(order_id, cl_ord_id, instrument.spec.symbol, side, kind)
        last_lots = instrument.lots(_text(row.vol))
        cum_lots = self._told_lots.get(order_id, 0) + last_lots
        self._told_lots[order_id] = cum_lots
        self._parts.memory.told(known, last_lots, cum_lots)
        qty_lots = max(known.qty_lots, cum_lots)
        is_last = cum_lots == known.qty_lots and not known.is_quote_qty
        ts_ns = epoch_ns(_text(row.time))
        report = replace(
            self._report(order_id, known, ExecType.TRADE, OrderState.PARTIALLY_FILLED, ts_ns, cum_lots),
            state=OrderState.FILLED if is_last else OrderState.PARTIALLY_FILLED,
            qty_lots=qty_lots,
            leaves_lots=qty_lots - cum_lots,
            last_lots=last_lots,
            last_ticks=instrument.ticks(_text(row.price)),
            exec_id=trade_id,
            fee=Decimal(_text(row.fee)),
            fee_asset=instrument.spec.quote,
        )
        held = self._held.pop(order_id, None)
        if known.is_quote_qty:
            self._held[order_id] = report
            return [] if held is None else [held]
        return [report]

    def _changes(self, order_id: str, row: OpenOrder, known: KnownOrder, ts_ns: int) -> list[Report]:
        instrument = self._parts.instruments[known.symbol]
        cum_lots = known.cum_lots if row.vol_exec is UNSET else instrument.lots(row.vol_exec)
        if row.status is not UNSET:
            return self._with_status(order_id, row, known, row.status, ts_ns, cum_lots)
        is_amended = row.amended is True
        if not is_amended and row.stopprice is UNSET:
            return []  # how much is filled: ownTrades tells of that
        word = ExecType.TRIGGERED
        if is_amended:
            is_by_owner = row.amend_reason in (UNSET, _BY_THE_OWNER)
            word = ExecType.AMENDED if is_by_owner else ExecType.RESTATED
        state = OrderState.PARTIALLY_FILLED if cum_lots else OrderState.NEW
        report = self._report(order_id, known, word, state, ts_ns, cum_lots)
        reason = row.amend_reason if is_amended and word is ExecType.RESTATED else UNSET
        return [report if reason is UNSET else replace(report, reason=reason)]

    def _with_status(
        self, order_id: str, row: OpenOrder, known: KnownOrder, word: str, ts_ns: int, cum_lots: int
    ) -> list[Report]:
        state = _STATES[word]
        if word == "pending":
            self._told_lots.setdefault(order_id, 0)
            return [self._report(order_id, known, ExecType.PENDING_NEW, state, ts_ns, cum_lots)]
        if word == "open":
            return [self._report(order_id, known, ExecType.NEW, state, ts_ns, cum_lots)]
        held = self._held.pop(order_id, None)
        reports: list[Report] = []
        if held is not None:
            reports.append(replace(held, state=OrderState.FILLED, qty_lots=held.cum_lots, leaves_lots=0))
            if word != "closed":
                reports = [held]
        self._parts.memory.over(known, cum_lots)
        if self._told_lots.get(order_id, 0) >= cum_lots:
            self._told_lots.pop(order_id, None)
        reason = _text(row.cancel_reason, "") or None
        report = self._report(order_id, known, _ENDS[word], state, ts_ns, cum_lots)
        reports.append(replace(report, reason=reason, cause=None if reason is None else reject_reason(reason)))
        return reports

    def _report(
        self, order_id: str, known: KnownOrder, exec_type: ExecType, state: OrderState, ts_ns: int, cum_lots: int
    ) -> ExecutionReport:
        is_over = state > OrderState.PARTIALLY_FILLED
        return ExecutionReport(
            ts_venue_ns=ts_ns,
            exec_type=exec_type,
            state=state,
            order_id=order_id,
            cl_ord_id=known.cl_ord_id,
            symbol=known.symbol,
            side=known.side,
            order_type=known.order_type,
            qty_lots=known.qty_lots,
            leaves_lots=0 if is_over else max(0, known.qty_lots - cum_lots),
            cum_lots=cum_lots,
            limit_ticks=known.limit_ticks,
            trigger_ticks=known.trigger_ticks,
            display_lots=known.display_lots,
        )

    def _status(self, order_id: str, row: OpenOrder, ts_venue_ns: int) -> OrderStatus | None:
        """An order of the snapshot; None for one of others that cannot be read, as of a pair that is not known."""
        is_own = self._parts.memory.find(order_id, None) is not None
        try:
            known = self._known(order_id, row, ts_venue_ns)
        except (WireError, SymbolError):
            if is_own:
                raise
            return None
        if known is None or row.status is UNSET:
            return None
        cum_lots = self._parts.instruments[known.symbol].lots(_text(row.vol_exec, "0"))
        self._told_lots[order_id] = cum_lots
        state = _STATES[row.status]
        return OrderStatus(
            state=OrderState.PARTIALLY_FILLED if state is OrderState.NEW and cum_lots else state,
            order_id=order_id,
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

    def _known(self, order_id: str, row: OpenOrder, ts_venue_ns: int) -> KnownOrder | None:
        """The order of a row, its new terms noted; None for one that nothing is known of and the row does not tell."""
        cl_ord_id = "" if row.cl_ord_id is UNSET else self._parts.ids.on_desk(row.cl_ord_id)
        known = self._parts.memory.find(order_id, cl_ord_id)
        descr = row.descr
        if descr is UNSET:
            if known is not None and row.stopprice is not UNSET:
                known.trigger_ticks = self._parts.instruments[known.symbol].ticks(row.stopprice) or known.trigger_ticks
            return known
        if known is None:
            instrument = self._parts.instruments.named(_text(descr.pair))
            kind, side = ORDER_TYPES[_text(descr.ordertype)], SIDES[_text(descr.type)]
            known = self._parts.memory.found(order_id, cl_ord_id, instrument.spec.symbol, side, kind)
        instrument = self._parts.instruments[known.symbol]
        known.is_quote_qty = known.is_quote_qty or "viqc" in _text(row.oflags, "").split(",")
        if known.takes_terms(ts_venue_ns):
            if row.vol is not UNSET and not known.is_quote_qty:
                known.qty_lots = instrument.lots(row.vol)
            known.limit_ticks, known.trigger_ticks = shown_prices(row, descr, known.order_type, instrument)
            if row.display_volume is not UNSET:
                known.display_lots = instrument.lots(row.display_volume)
        if row.timeinforce is not UNSET:
            known.time_in_force = TIMES[row.timeinforce.lower()]
        return known


def _moment(row: OpenOrder, now_ns: int) -> int:
    """When the venue did what a row tells: one of a new order has the time at which it was entered only, one that tells
    no terms may have none. The trader's clock is not to date terms: it may be ahead of the venue's.
    """
    told = next((each for each in (row.lastupdated, row.opentm) if each is not UNSET), None)
    return now_ns if told is None else epoch_ns(told)


def _text(value: Maybe[str | None], default: str | None = None) -> str:
    if isinstance(value, str):
        return value
    if default is None:
        raise WireError("a member of an order or a trade is missing")
    return default
