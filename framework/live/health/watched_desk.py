"""Stands between the desk and its journal: counts what passes, notes latencies, and hands everything on.

What is sent is counted once the journal has it. Latencies of answers and fills are differences of times that the desk
has read anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from framework.execution.events import (
    CancelRerouted,
    KillSwitchPulled,
    OrderReachChanged,
    OutcomeResolved,
    OutcomeUnknown,
    ReplayCompleted,
    RoadEvent,
    SequenceGap,
    SessionClosed,
    SessionOpened,
    SessionResumed,
)
from framework.execution.link import DeskListener, DeskTee, Link
from framework.execution.orders import InFlight, OrderRecord
from framework.live.health.log import EventLog, Level
from framework.live.health.log_lines import snake
from framework.live.health.tally import Tally, command_name
from framework.messages import (
    AddBatch,
    AddOrder,
    CancelBatch,
    CancelOrder,
    Command,
    ExecType,
    ExecutionReport,
    Report,
)
from framework.protocol import BUY, InstrumentSpec

__all__ = ["WatchedDesk"]

_TRADE = ExecType.TRADE
_DEBUG, _INFO, _WARNING, _ERROR = Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR
_SIDES = {True: "buy", False: "sell"}
_LEVELS: dict[type[RoadEvent], Level] = {
    SessionClosed: _WARNING,
    OutcomeUnknown: _WARNING,
    SequenceGap: _WARNING,
    CancelRerouted: _WARNING,
    KillSwitchPulled: _ERROR,
}


class WatchedDesk(DeskTee, DeskListener):
    """A ``DeskTee`` that hands on to another one.

    is_timed: bytes leave within ``Link.send``, so that it can be told how long that took. now_ns, in_flight, specs: the
    run's time and what is the desk's, once they are there.
    """

    def __init__(self, journal: DeskTee, tally: Tally, log: EventLog, *, is_timed: bool) -> None:
        self.now_ns: Callable[[], int] = lambda: 0
        self.in_flight: Mapping[int, InFlight] = {}
        self.specs: Mapping[str, InstrumentSpec] = {}
        self._journal = journal
        self._listener: DeskListener = self
        self._tally = tally
        self._stages = tally.stages
        self._log = log
        self._is_timed = is_timed

    def listen(self, listener: DeskListener) -> DeskListener:
        self._listener = self._journal.listen(listener)
        return self

    def left(self, link: Link, command: Command, asked_ns: int) -> None:
        """A command is on its link, asked for at a time."""
        if self._is_timed:
            stages, now_ns = self._stages, self.now_ns()
            stages.write.note(now_ns - stages.written_ns)
            stages.journal.note(stages.written_ns - asked_ns)
            if stages.in_ns:
                stages.strategy.note(asked_ns - stages.told_ns)
                stages.tick_to_order.note(now_ns - stages.in_ns)
        if self._log.is_debug:
            fields = {"road": link.name, "command": command_name(command), "request_id": command.request_id}
            cl_ord_id = getattr(command, "cl_ord_id", None)
            self._log.put(_DEBUG, "command_sent", fields | ({"cl_ord_id": cl_ord_id} if cl_ord_id else {}))

    # ------------------------------------------------------------------------------------------------- desk's journal

    def sent(self, link: str, command: Command, ts_sent_ns: int) -> None:
        self._journal.sent(link, command, ts_sent_ns)
        if self._is_timed:
            self._stages.written_ns = self.now_ns()
        road, name = self._tally.roads[link], command_name(command)
        road.sent[name] += 1
        if isinstance(command, AddOrder):
            road.orders += name == "add"
        elif isinstance(command, CancelOrder):
            road.cancels += 1
        elif isinstance(command, AddBatch):
            road.orders += len(command.orders)
        elif isinstance(command, CancelBatch):
            road.cancels += len(command.cl_ord_ids) + len(command.order_ids)

    def answered(self, request_id: int, ts_learned_ns: int, outcome: str, reason: str | None, text: str | None) -> None:
        flight = self.in_flight.get(request_id)
        if flight is not None:
            road, name = self._tally.roads[flight.link], command_name(flight.command)
            if outcome == "lost":
                road.lost[name] += 1
            else:
                road.acknowledged[name].note(ts_learned_ns - flight.ts_sent_ns)
                if outcome == "rejected":
                    road.rejected[name] += 1
            is_well = outcome == "accepted"
            if not is_well or self._log.is_debug:
                fields = {"command": name, "outcome": outcome, "road": flight.link, "request_id": request_id}
                why = {} if is_well else {"why": text, "reason": reason}
                self._log.put(_DEBUG if is_well else _WARNING, "command_answered", fields | why)
        self._journal.answered(request_id, ts_learned_ns, outcome, reason, text)

    def resolved(self, request_id: int, resolution: str) -> None:
        self._log.put(_INFO, "command_resolved", {"request_id": request_id, "resolution": resolution})
        self._journal.resolved(request_id, resolution)

    def item_refused(self, request_id: int, cl_ord_id: str, text: str) -> None:
        self._journal.item_refused(request_id, cl_ord_id, text)  # the order's rejection tells of it

    def learned(self, link: str, report: Report, ts_learned_ns: int) -> None:
        if isinstance(report, ExecutionReport) and report.exec_type is _TRADE:
            road = self._tally.roads[link]
            road.fills += 1
            road.fill_learned.note(ts_learned_ns - report.ts_venue_ns)
        self._journal.learned(link, report, ts_learned_ns)

    def concluded(self, event: RoadEvent) -> None:
        self._count(event)
        level, text = _LEVELS.get(type(event), _INFO), None
        if isinstance(event, OrderReachChanged):
            level = _INFO if event.reach else _WARNING
            text = None if event.reach else f"nobody can cancel order {event.cl_ord_id}: {event.reason}"
        elif isinstance(event, OutcomeUnknown):
            text = f"unknown: {event.command} {event.cl_ord_id} by {event.link}: {event.evidence}"
        self._log.put(level, snake(type(event).__name__), event, text)
        self._journal.concluded(event)

    def denied(self, record: OrderRecord, ts_ns: int, reason: str) -> None:
        self._tally.denied += 1
        fields = {"cl_ord_id": record.cl_ord_id, "symbol": record.symbol, "why": reason}
        self._log.put(_WARNING, "order_denied", fields)
        self._journal.denied(record, ts_ns, reason)

    def _count(self, event: RoadEvent) -> None:
        tally = self._tally
        if isinstance(event, OutcomeUnknown):
            tally.unknown += 1
        elif isinstance(event, OutcomeResolved):
            tally.resolved += 1
        elif isinstance(event, CancelRerouted):
            tally.rerouted += 1
        elif isinstance(event, SessionOpened):
            road = tally.roads[event.link]
            if road.is_open:
                road.resyncs += 1
            else:
                road.opened += 1
            road.is_open = True
        elif isinstance(event, SessionResumed):
            road = tally.roads[event.link]
            road.resumed += 1
            road.is_open = True
        elif isinstance(event, SessionClosed):
            road = tally.roads[event.link]
            road.closed += 1
            road.is_open = False
        elif isinstance(event, SequenceGap):
            tally.roads[event.link].gaps += 1
            tally.roads[event.link].missed += event.missed_count
        elif isinstance(event, ReplayCompleted):
            tally.roads[event.link].replayed += event.replayed_count

    # ------------------------------------------------------------------------------------------------- desk's listener

    def order_submitted(self, record: OrderRecord) -> None:
        self._listener.order_submitted(record)

    def order_denied(self, record: OrderRecord, reason: str) -> None:
        self._listener.order_denied(record, reason)

    def order_accepted(self, record: OrderRecord, ts_venue_ns: int) -> None:
        if self._log.is_debug:
            fields = {"cl_ord_id": record.cl_ord_id, "order_id": record.order_id, "road": record.owner_link}
            self._log.put(_DEBUG, "order_accepted", fields)
        self._listener.order_accepted(record, ts_venue_ns)

    def order_rejected(self, record: OrderRecord, reason: str, is_post_only: bool, ts_venue_ns: int) -> None:
        self._tally.roads[record.owner_link].order_rejects += 1
        fields = {"cl_ord_id": record.cl_ord_id, "road": record.owner_link, "symbol": record.symbol, "why": reason}
        self._log.put(_WARNING, "order_rejected", fields, f"order {record.cl_ord_id} is rejected: {reason}")
        self._listener.order_rejected(record, reason, is_post_only, ts_venue_ns)

    def order_updated(self, record: OrderRecord, ts_venue_ns: int) -> None:
        if self._log.is_debug:
            fields = {"cl_ord_id": record.cl_ord_id, "qty": self._qty(record.symbol, record.qty_lots)}
            if record.limit_ticks is not None:
                fields["limit_price"] = self._price(record.symbol, record.limit_ticks)
            self._log.put(_DEBUG, "order_updated", fields)
        self._listener.order_updated(record, ts_venue_ns)

    def order_triggered(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self._log.put(_DEBUG, "order_triggered", {"cl_ord_id": record.cl_ord_id})
        self._listener.order_triggered(record, ts_venue_ns)

    def order_canceled(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        self._log.put(_DEBUG, "order_canceled", {"cl_ord_id": record.cl_ord_id, "why": reason})
        self._listener.order_canceled(record, reason, ts_venue_ns)

    def order_expired(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self._log.put(_DEBUG, "order_expired", {"cl_ord_id": record.cl_ord_id})
        self._listener.order_expired(record, ts_venue_ns)

    def order_filled(
        self,
        record: OrderRecord,
        exec_id: str,
        last_lots: int,
        last_ticks: int,
        is_maker: bool,
        fee: Decimal,
        fee_asset: str,
        ts_venue_ns: int,
    ) -> None:
        symbol, is_buy = record.symbol, record.side == BUY
        instrument, fees = self._tally.instruments[symbol], self._tally.fees
        instrument.fills += 1
        instrument.profit.fill(last_lots if is_buy else -last_lots, last_ticks)
        if fee:
            fees[fee_asset] = fees.get(fee_asset, Decimal(0)) + fee
        fields = {
            "side": _SIDES[is_buy],
            "qty": self._qty(symbol, last_lots),
            "symbol": symbol,
            "price": self._price(symbol, last_ticks),
            "is_maker": is_maker,
            "fee": fee,
            "fee_asset": fee_asset,
            "cl_ord_id": record.cl_ord_id,
            "exec_id": exec_id,
        }
        self._log.put(_INFO, "order_filled", fields)
        self._listener.order_filled(record, exec_id, last_lots, last_ticks, is_maker, fee, fee_asset, ts_venue_ns)

    def cancel_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        self._tally.cancel_rejects += 1
        fields = {"cl_ord_id": record.cl_ord_id, "why": reason}
        self._log.put(_WARNING, "cancel_rejected", fields)
        self._listener.cancel_rejected(record, reason, ts_venue_ns)

    def amend_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        self._tally.amend_rejects += 1
        self._log.put(_WARNING, "amend_rejected", {"cl_ord_id": record.cl_ord_id, "why": reason})
        self._listener.amend_rejected(record, reason, ts_venue_ns)

    def road_event(self, event: RoadEvent) -> None:
        self._listener.road_event(event)

    # ------------------------------------------------------------------------------------------------- within

    def _qty(self, symbol: str, lots: int) -> Decimal | int:
        spec = self.specs.get(symbol)
        return lots if spec is None else spec.qty(lots)

    def _price(self, symbol: str, ticks: int) -> Decimal | int:
        spec = self.specs.get(symbol)
        return ticks if spec is None else spec.price(ticks)
