"""Reading reports: what a report proves about an order, and nothing beyond it.

News of one fill or one change can come by several roads (an answer, a stream, a replay, a poll); each is told once. An
order is closed only when a report says so whose fills are known to be complete: the execution reports of one stream are
in order, so a terminal one closes; the bare answer to a cancel on a polled road does not, the next poll does. Unknown
outcomes are resolved by evidence: a report, a replay that has been completed, or a snapshot that is newer than the last
moment at which the engine could have accepted the request.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from framework.execution.events import (
    OutcomeResolved,
    ReplayCompleted,
    SequenceGap,
    VenueStatusChanged,
)
from framework.execution.link import Clock, DeskListener, Journal, Link
from framework.execution.orders import InFlight, Knowledge, OrderRecord, RequestKind
from framework.messages import (
    AmendOrder,
    CommandAccepted,
    CommandRejected,
    EditOrder,
    ExecType,
    ExecutionReport,
    OrdersSnapshot,
    OrderState,
    OrderStatus,
    Report,
    SessionOpened,
    VenueStatus,
)
from framework.protocol import News, RejectReason

if TYPE_CHECKING:
    from framework.execution.desk import ExecutionDesk

__all__ = ["ReportReader"]

_TERMINAL = (OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED)


class ReportReader:
    """Applies reports to the desk's records and tells the listener what they prove.

    ts_snapshot_ns: venue time of the newest snapshot read; the next query asks for what ended since.
    """

    def __init__(
        self,
        desk: ExecutionDesk,
        clock: Clock,
        listener: DeskListener,
        journal: Journal,
    ) -> None:
        self.ts_snapshot_ns = 0
        self._desk = desk
        self._clock = clock
        self._listener = listener
        self._journal = journal
        self._by_order_id: dict[str, OrderRecord] = {}

    def read(self, link: Link, report: Report) -> None:
        """Take one report that came by a link."""
        if isinstance(report, ExecutionReport):
            self._on_execution(report, link)
        elif isinstance(report, CommandAccepted):
            self._on_accepted(report, link)
        elif isinstance(report, CommandRejected):
            self._on_rejected(report)
        elif isinstance(report, OrdersSnapshot):
            self._on_snapshot(report, link)
        elif isinstance(report, VenueStatus):
            self._journal.learned(link.name, report, self._clock.now_ns)
            self._desk.road_event(
                VenueStatusChanged(
                    ts_ns=self._clock.now_ns, mode=report.mode, symbol=report.symbol
                )
            )

    def on_session_opened(self, link: Link, report: SessionOpened) -> None:
        """A session is up; if it resumed, its replay has been or will be read in order before anything newer."""
        if not report.is_resumed:
            return
        if report.replayed_count:
            now_ns = self._clock.now_ns
            self._desk.road_event(
                SequenceGap(
                    ts_ns=now_ns, link=link.name, missed_count=report.replayed_count
                )
            )
            self._desk.road_event(
                ReplayCompleted(
                    ts_ns=now_ns, link=link.name, replayed_count=report.replayed_count
                )
            )
        # The stream of a session is complete and in order: a request of it that the replay did not answer, sent
        # before the drop, never arrived.
        for flight in [
            f
            for f in self._desk.in_flight.values()
            if f.link == link.name and f.is_unknown
        ]:
            self._prove_lost(
                flight, "the session resumed and its replay does not answer the request"
            )

    # ------------------------------------------------------------------------------------------------- answers

    def _on_accepted(self, report: CommandAccepted, link: Link) -> None:
        flight = self._take_flight(report.request_id, "accepted", None, None)
        if flight is None:
            return
        if flight.kind is RequestKind.ADD:
            ids = iter(report.order_ids)
            errors = report.errors or (None,) * len(flight.records)
            for record, error in zip(flight.records, errors, strict=True):
                if error is not None:
                    self._reject(record, error, report.ts_venue_ns)
                else:
                    order_id = next(ids, None)
                    self._accept(record, order_id, report.ts_venue_ns)
        elif flight.kind is RequestKind.AMEND:
            self._amended_by_answer(flight, report.ts_venue_ns)
        elif flight.kind is RequestKind.EDIT:
            self._edited(flight, report)
        elif flight.kind in (RequestKind.CANCEL, RequestKind.MASS_CANCEL):
            self._cancel_answered(flight, link)

    def _on_rejected(self, report: CommandRejected) -> None:
        flight = self._take_flight(
            report.request_id, "rejected", report.reason, report.error
        )
        if flight is None:
            return
        if flight.kind is RequestKind.QUERY:
            self._desk.settled_query()
        for record in flight.records:
            if flight.kind is RequestKind.ADD:
                self._reject(
                    record,
                    report.error,
                    report.ts_venue_ns,
                    report.reason == RejectReason.POST_ONLY,
                )
            elif flight.kind in (RequestKind.AMEND, RequestKind.EDIT):
                record.amends_in_flight -= 1
                if record.is_open:
                    self._listener.amend_rejected(
                        record, report.error, report.ts_venue_ns
                    )
            elif record.is_open:
                record.cancels_in_flight -= 1
                self._listener.cancel_rejected(record, report.error, report.ts_venue_ns)
        if flight.kind in (
            RequestKind.CANCEL,
            RequestKind.AMEND,
            RequestKind.EDIT,
        ) and report.reason in (
            RejectReason.UNKNOWN_ORDER,
            RejectReason.ORDER_NOT_OPEN,
        ):
            # The venue does not find it: it may have ended without our having heard. Ask, do not conclude.
            self._desk.query()

    def _cancel_answered(self, flight: InFlight, link: Link) -> None:
        """The venue canceled. On a pushed road the execution report closes the order; on a polled one a poll does."""
        for record in flight.records:
            record.cancels_in_flight -= 1
            if record.is_open and self._news_of(link).profile.news is News.NONE:
                record.closing_reason = "canceled"

    def _amended_by_answer(self, flight: InFlight, ts_venue_ns: int) -> None:
        command = flight.command
        assert isinstance(command, AmendOrder)
        for record in flight.records:
            record.amends_in_flight -= 1
            if record.is_open:
                self._update(
                    record,
                    record.qty_lots
                    if command.qty_lots is None
                    else max(command.qty_lots, record.cum_lots),
                    record.limit_ticks
                    if command.limit_ticks is None
                    else command.limit_ticks,
                    record.trigger_ticks
                    if command.trigger_ticks is None
                    else command.trigger_ticks,
                    ts_venue_ns,
                )

    def _edited(self, flight: InFlight, report: CommandAccepted) -> None:
        """An edit succeeded: the order goes on under a new venue id, with nothing filled on that one yet."""
        command = flight.command
        assert isinstance(command, EditOrder)
        (record,) = flight.records
        record.amends_in_flight -= 1
        if not record.is_open or not report.order_ids:
            return
        if record.order_id != report.order_ids[0]:
            record.order_id = report.order_ids[0]
            self._by_order_id[record.order_id] = record
        qty_lots = record.qty_lots if command.qty_lots is None else command.qty_lots
        limit_ticks = (
            record.limit_ticks if command.limit_ticks is None else command.limit_ticks
        )
        trigger_ticks = (
            record.trigger_ticks
            if command.trigger_ticks is None
            else command.trigger_ticks
        )
        self._update(record, qty_lots, limit_ticks, trigger_ticks, report.ts_venue_ns)

    # ------------------------------------------------------------------------------------------------- news

    def _on_execution(self, report: ExecutionReport, link: Link) -> None:
        record = self._record(report.cl_ord_id, report.order_id)
        if record is None:
            return
        if report.request_id is not None and report.exec_type is not ExecType.TRADE:
            flight = self._take_flight(report.request_id, "accepted", None, None)
            if flight is not None:
                for concerned in flight.records:
                    if flight.kind in (RequestKind.AMEND, RequestKind.EDIT):
                        concerned.amends_in_flight -= 1
                    elif flight.kind in (RequestKind.CANCEL, RequestKind.MASS_CANCEL):
                        concerned.cancels_in_flight -= 1
        exec_type = report.exec_type
        if exec_type is not ExecType.TRADE:
            self._journal.learned(link.name, report, self._clock.now_ns)
        if exec_type in (ExecType.NEW, ExecType.PENDING_NEW):
            self._accept(record, report.order_id, report.ts_venue_ns)
        elif exec_type is ExecType.TRADE:
            self._fill(record, report, link)
        elif not record.is_open:
            return
        elif exec_type is ExecType.CANCELED:
            self._ensure_accepted(record, report)
            if record.order_id == report.order_id or record.order_id is None:
                self._close(
                    record, report.reason or "", report.ts_venue_ns, is_expired=False
                )
        elif exec_type is ExecType.EXPIRED:
            self._ensure_accepted(record, report)
            self._close(record, "expired", report.ts_venue_ns, is_expired=True)
        elif exec_type in (ExecType.AMENDED, ExecType.RESTATED):
            self._update(
                record,
                report.qty_lots,
                report.limit_ticks,
                report.trigger_ticks,
                report.ts_venue_ns,
            )
        elif exec_type is ExecType.TRIGGERED:
            self._listener.order_triggered(record, report.ts_venue_ns)

    def _on_snapshot(self, report: OrdersSnapshot, link: Link) -> None:
        if (
            report.request_id is not None
            and self._take_flight(report.request_id, "accepted", None, None) is not None
        ):
            self._desk.settled_query()
        self.ts_snapshot_ns = max(self.ts_snapshot_ns, report.ts_venue_ns)
        for trade in report.trades:
            record = self._record(trade.cl_ord_id, trade.order_id)
            if record is not None:
                self._fill(record, trade, link)
        seen = set()
        for status in report.orders:
            record = self._record(status.cl_ord_id, status.order_id)
            if record is not None:
                seen.add(record.cl_ord_id)
                self._apply_status(record, status, report.ts_venue_ns)
        self._judge_unknown(report, seen)
        if any(flight.is_unknown for flight in self._desk.in_flight.values()):
            self._desk.query_later()

    def _apply_status(
        self, record: OrderRecord, status: OrderStatus, ts_venue_ns: int
    ) -> None:
        if not record.is_open:
            return
        self._accept(record, status.order_id, ts_venue_ns)
        if record.order_id != status.order_id:
            return  # an older venue order of this record, left behind by an edit
        if status.state in _TERMINAL:
            if (
                record.cum_lots >= status.cum_lots
            ):  # else a fill is still to be told: not settled
                is_expired = status.state is OrderState.EXPIRED
                self._close(
                    record,
                    status.reason or record.closing_reason or "",
                    ts_venue_ns,
                    is_expired=is_expired,
                )
            return
        if record.amends_in_flight == 0:
            self._update(
                record,
                status.qty_lots,
                status.limit_ticks,
                status.trigger_ticks,
                ts_venue_ns,
            )

    def _judge_unknown(self, report: OrdersSnapshot, seen: set[str]) -> None:
        """What a snapshot proves about requests of unknown outcome.

        An order that is neither open nor recently ended, at a venue time after the request's deadline, was never made.
        A cancel that was lost with its line is proven lost by its order being open after that.
        """
        for flight in [
            flight for flight in self._desk.in_flight.values() if flight.is_unknown
        ]:
            if flight.kind is RequestKind.ADD:
                self._judge_unknown_add(flight, report, seen)
            elif all(not record.is_open for record in flight.records):
                self._resolve(
                    flight, "the venue's snapshot shows that the order has ended"
                )
            else:
                is_too_late = (
                    report.ts_venue_ns > flight.ts_expiry_ns
                    or not self._desk.links[flight.link].is_up
                )
                if is_too_late and all(
                    record.cl_ord_id in seen
                    for record in flight.records
                    if record.is_open
                ):
                    self._prove_lost(
                        flight,
                        "the venue's snapshot shows the order open and unchanged",
                    )

    def _judge_unknown_add(
        self, flight: InFlight, report: OrdersSnapshot, seen: set[str]
    ) -> None:
        if all(record.knowledge is not Knowledge.UNKNOWN for record in flight.records):
            self._resolve(flight, "the venue's snapshot shows the order")
            return
        deadline_ns = flight.command.deadline_ns
        has_passed = deadline_ns is not None and report.ts_venue_ns > deadline_ns
        if has_passed and not any(
            record.cl_ord_id in seen for record in flight.records
        ):
            self._prove_lost(
                flight,
                "the deadline has passed and the venue's snapshot does not show it",
            )

    # ------------------------------------------------------------------------------------------------- conclusions

    def _accept(
        self, record: OrderRecord, order_id: str | None, ts_venue_ns: int
    ) -> None:
        if order_id is not None and record.order_id is None:
            record.order_id = order_id
            self._by_order_id[order_id] = record
        if record.knowledge in (Knowledge.SENT, Knowledge.UNKNOWN):
            was_unknown = record.knowledge is Knowledge.UNKNOWN
            record.knowledge = Knowledge.OPEN
            record.ts_aged_ns = ts_venue_ns
            if was_unknown:
                self._tell_resolved(
                    record, "AddOrder", record.owner_link, "the venue knows the order"
                )
            self._listener.order_accepted(record, ts_venue_ns)

    def _ensure_accepted(self, record: OrderRecord, report: ExecutionReport) -> None:
        """Terminal news can overtake the acknowledgement; an order that ends had been accepted."""
        self._accept(record, report.order_id, report.ts_venue_ns)

    def _fill(self, record: OrderRecord, report: ExecutionReport, link: Link) -> None:
        assert report.exec_id is not None
        if not record.note_exec(report.exec_id):
            return
        self._journal.learned(link.name, report, self._clock.now_ns)
        self._accept(record, report.order_id, report.ts_venue_ns)
        record.cum_lots += report.last_lots
        if (
            record.qty_lots < record.cum_lots
        ):  # quantity was given in quote currency, or an amend is still to be told
            record.qty_lots = max(report.qty_lots, record.cum_lots)
        self._listener.order_filled(
            record,
            report.exec_id,
            report.last_lots,
            report.last_ticks,
            bool(report.is_maker),
            report.fee if report.fee is not None else Decimal(0),
            report.fee_asset or "",
            report.ts_venue_ns,
        )
        if report.state is OrderState.FILLED or report.leaves_lots == 0:
            self._end(record)

    def _update(
        self,
        record: OrderRecord,
        qty_lots: int,
        limit_ticks: int | None,
        trigger_ticks: int | None,
        ts_venue_ns: int,
    ) -> None:
        limit_ticks = record.limit_ticks if limit_ticks is None else limit_ticks
        trigger_ticks = record.trigger_ticks if trigger_ticks is None else trigger_ticks
        if (qty_lots, limit_ticks, trigger_ticks) == (
            record.qty_lots,
            record.limit_ticks,
            record.trigger_ticks,
        ):
            return  # told already by another road
        record.qty_lots, record.limit_ticks, record.trigger_ticks = (
            qty_lots,
            limit_ticks,
            trigger_ticks,
        )
        record.ts_aged_ns = ts_venue_ns
        self._listener.order_updated(record, ts_venue_ns)

    def _reject(
        self,
        record: OrderRecord,
        error: str,
        ts_venue_ns: int,
        is_post_only: bool = False,
    ) -> None:
        if record.knowledge is Knowledge.CLOSED:
            return
        self._end(record)
        self._listener.order_rejected(record, error, is_post_only, ts_venue_ns)

    def _close(
        self, record: OrderRecord, reason: str, ts_venue_ns: int, *, is_expired: bool
    ) -> None:
        self._end(record)
        if is_expired:
            self._listener.order_expired(record, ts_venue_ns)
        elif record.cum_lots < record.qty_lots or record.qty_lots == 0:
            self._listener.order_canceled(record, reason, ts_venue_ns)

    def _end(self, record: OrderRecord) -> None:
        record.knowledge = Knowledge.CLOSED
        self._desk.open_orders.pop(record.cl_ord_id, None)

    def _prove_lost(self, flight: InFlight, evidence: str) -> None:
        self._resolve(flight, evidence)
        now_ns = self._clock.now_ns
        for record in flight.records:
            if flight.kind is RequestKind.ADD:
                self._reject(record, f"never arrived: {evidence}", now_ns)
            elif not record.is_open:
                continue
            elif flight.kind in (RequestKind.AMEND, RequestKind.EDIT):
                record.amends_in_flight -= 1
                self._listener.amend_rejected(
                    record, f"never arrived: {evidence}", now_ns
                )
            else:
                record.cancels_in_flight -= 1
                self._listener.cancel_rejected(
                    record, f"never arrived: {evidence}", now_ns
                )

    def _resolve(self, flight: InFlight, evidence: str) -> None:
        self._desk.in_flight.pop(flight.command.request_id, None)
        for record in flight.records:
            self._tell_resolved(
                record, type(flight.command).__name__, flight.link, evidence
            )

    def _tell_resolved(
        self, record: OrderRecord, command: str, link: str, evidence: str
    ) -> None:
        self._desk.road_event(
            OutcomeResolved(
                ts_ns=self._clock.now_ns,
                cl_ord_id=record.cl_ord_id,
                command=command,
                link=link,
                evidence=evidence,
            )
        )

    # ------------------------------------------------------------------------------------------------- finding

    def _record(self, cl_ord_id: str, order_id: str) -> OrderRecord | None:
        record = self._desk.orders.get(cl_ord_id)
        return record if record is not None else self._by_order_id.get(order_id)

    def _news_of(self, link: Link) -> Link:
        """The link on which news of own orders is heard."""
        return self._desk.links[self._desk.policy.news]

    def _take_flight(
        self, request_id: int, outcome: str, reason: str | None, text: str | None
    ) -> InFlight | None:
        flight = self._desk.in_flight.pop(request_id, None)
        if flight is None:
            return None
        if flight.is_unknown:
            for record in flight.records:
                self._tell_resolved(
                    record,
                    type(flight.command).__name__,
                    flight.link,
                    "its answer came late",
                )
        self._journal.answered(request_id, self._clock.now_ns, outcome, reason, text)
        return flight
