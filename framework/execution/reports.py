"""Reading reports: what a report proves about an order, and nothing beyond it.

News of one fill or one change can come by several roads (an answer, a stream, a replay, a poll), in any order; each
is told once, and what is older than what is known changes nothing. Here reports are joined to orders and requests;
what they mean is concluded by the ledger, and what becomes of requests without an answer by the evidence.
"""

from __future__ import annotations

from framework.execution.edits import Edits
from framework.execution.events import OrderValidated, RequestRejected, VenueStatusChanged
from framework.execution.evidence import Evidence
from framework.execution.ledger import Ledger
from framework.execution.link import Clock
from framework.execution.orders import InFlight, Knowledge, OrderRecord, RequestKind
from framework.execution.polls import Polls
from framework.execution.requests import Requests
from framework.messages import (
    AddOrder,
    AmendOrder,
    CancelBatch,
    CommandAccepted,
    CommandRejected,
    ExecType,
    ExecutionReport,
    OrdersSnapshot,
    OrderState,
    OrderStatus,
    Report,
    VenueStatus,
)
from framework.protocol import RejectReason, VenueMode

__all__ = ["ReportReader"]

_TRADE = ExecType.TRADE
_BEGINNINGS = (ExecType.NEW, ExecType.PENDING_NEW)
_ENDS = {
    ExecType.FILLED: OrderState.FILLED,
    ExecType.CANCELED: OrderState.CANCELED,
    ExecType.EXPIRED: OrderState.EXPIRED,
}
_CHANGES = (ExecType.AMENDED, ExecType.RESTATED, ExecType.TRIGGERED)
_NOT_FOUND = (RejectReason.UNKNOWN_ORDER, RejectReason.ORDER_NOT_OPEN)


class ReportReader:
    """Reads all reports but those of sessions."""

    def __init__(
        self, clock: Clock, ledger: Ledger, requests: Requests, polls: Polls, edits: Edits, evidence: Evidence
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._requests = requests
        self._polls = polls
        self._edits = edits
        self._evidence = evidence
        self._modes: dict[str | None, tuple[int, VenueMode]] = {}

    def read(self, link_name: str, report: Report) -> None:
        """Take one report that came by a link."""
        if isinstance(report, CommandAccepted):
            self._read_accepted(report)
        elif isinstance(report, ExecutionReport):
            self.read_execution(report, link_name)
        elif isinstance(report, CommandRejected):
            self._read_rejected(report)
        elif isinstance(report, OrdersSnapshot):
            self._read_snapshot(report, link_name)
        elif isinstance(report, VenueStatus):
            self._read_status(report, link_name)

    # ------------------------------------------------------------------------------------------------- answers

    def _read_accepted(self, report: CommandAccepted) -> None:
        flight = self._requests.take(report.request_id, "accepted", None, None)
        if flight is None:
            return
        ts_venue_ns = report.ts_venue_ns
        if flight.kind is RequestKind.ADD:
            ids = iter(report.order_ids)
            errors = report.errors or (None,) * len(flight.records)
            for record, error in zip(flight.records, errors, strict=True):
                if error is not None:
                    self._ledger.journal.item_refused(report.request_id, record.cl_ord_id, error)
                    self._ledger.reject(record, error, ts_venue_ns)
                else:
                    self._ledger.accept(record, next(ids, None), ts_venue_ns)
        elif flight.kind is RequestKind.AMEND:
            self._amended(flight, ts_venue_ns)
        elif flight.kind is RequestKind.VALIDATE:
            self._validated(flight, None)
        elif flight.kind is RequestKind.EDIT:
            self._edits.accepted(flight.records[0], flight, next(iter(report.order_ids), None), ts_venue_ns)
        else:
            if flight.kind is RequestKind.MASS_CANCEL or isinstance(flight.command, CancelBatch):
                self._note_missed(flight.records)
            # The answer to a cancel closes nothing: it does not tell of the fills before it. News or a poll does.
            self._polls.await_ends(flight.records)

    def _validated(self, flight: InFlight, error: str | None) -> None:
        command = flight.command
        assert isinstance(command, AddOrder)
        now_ns = self._clock.now_ns
        self._ledger.tell(OrderValidated(ts_ns=now_ns, cl_ord_id=command.cl_ord_id, link=flight.link, error=error))

    def _amended(self, flight: InFlight, ts_venue_ns: int) -> None:
        command = flight.command
        assert isinstance(command, AmendOrder)
        record = flight.records[0]
        if not record.is_live or not self._ledger.is_newer(record, ts_venue_ns):
            return  # news, or the answer to a later amend, has told of it
        if command.display_lots is not None:
            record.display_lots = command.display_lots
        qty_lots = record.qty_lots
        if command.qty_lots is not None:
            qty_lots = max(record.prior_lots + command.qty_lots, record.cum_lots)
        self._ledger.restate(record, qty_lots, command.limit_ticks, command.trigger_ticks, ts_venue_ns)

    def _read_rejected(self, report: CommandRejected) -> None:
        error, ts_venue_ns = report.error, report.ts_venue_ns
        flight = self._requests.take(report.request_id, "rejected", report.reason, error)
        if flight is None:
            return
        kind = flight.kind
        if kind is RequestKind.QUERY:
            is_over_limit = report.reason is RejectReason.CALL_LIMIT
            self._polls.refused(report.request_id, is_over_limit=is_over_limit)
        if kind is RequestKind.VALIDATE:
            self._validated(flight, error)
        elif not flight.records and kind is not RequestKind.QUERY:
            self._ledger.tell(
                RequestRejected(
                    ts_ns=self._clock.now_ns, command=type(flight.command).__name__, link=flight.link, reason=error
                )
            )
        listener = self._ledger.listener
        for record in flight.records:
            if kind is RequestKind.ADD:
                self._ledger.reject(record, error, ts_venue_ns, report.reason is RejectReason.POST_ONLY)
            elif kind is RequestKind.EDIT:
                self._edits.refused(record, error, ts_venue_ns)
            elif record.is_live:
                if kind is RequestKind.AMEND:
                    listener.amend_rejected(record, error, ts_venue_ns)
                else:
                    listener.cancel_rejected(record, error, ts_venue_ns)
        if report.reason in _NOT_FOUND:
            self._polls.doubt_orders(flight.records)

    def _note_missed(self, records: tuple[OrderRecord, ...]) -> None:
        """A cancel of several was carried out on those that there were: one on its way then may have come after it.

        A poll that is asked from now on shows it, and that the cancel has not taken it is told then.
        """
        for record in records:
            if record.knowledge in (Knowledge.SENT, Knowledge.UNKNOWN):
                record.missed_cancel_id = self._requests.last_id
                self._polls.ensure()

    # ------------------------------------------------------------------------------------------------- news

    def read_execution(self, report: ExecutionReport, link_name: str) -> None:
        """Take one execution report."""
        exec_type = report.exec_type
        if report.request_id is not None and exec_type is not _TRADE:
            self._answered_by_news(report)
        record = self._ledger.find(report.cl_ord_id, report.order_id)
        if record is None:
            self._edits.keep(report, link_name)
        elif exec_type is _TRADE:
            is_news = self._ledger.fill(record, report, link_name)
            is_last = report.state is OrderState.FILLED and report.order_id == record.order_id
            if is_last and not is_news and record.is_live:
                # It came before by a road that did not tell so much: a page of trades says nothing of their orders.
                self._conclude_end(record, OrderState.FILLED, "", report.ts_venue_ns, report.cum_lots)
            if record.has_missing_fills:
                self._polls.ensure()
        elif exec_type in _BEGINNINGS:
            if record.knowledge in (Knowledge.SENT, Knowledge.UNKNOWN):
                self._ledger.journal.learned(link_name, report, self._clock.now_ns)
            self._ledger.accept(record, report.order_id, report.ts_venue_ns)
            if record.has_only_order_id and report.order_id == record.order_id:
                self._succeeded(record, report)
        elif record.is_live and record.order_id in (report.order_id, None):
            if exec_type in _ENDS:
                self._ended(record, report, link_name)
            elif exec_type in _CHANGES and not self._ledger.is_older(record, report.ts_venue_ns):
                self._changed(record, report, link_name)

    def _answered_by_news(self, report: ExecutionReport) -> None:
        """A report that names its request answers it, where the protocol answers so."""
        assert report.request_id is not None
        flight = self._requests.in_flight.get(report.request_id)
        if flight is None:
            return
        if flight.kind is not RequestKind.EDIT:
            self._requests.take(report.request_id, "accepted", None, None)
            if flight.kind is RequestKind.MASS_CANCEL:
                self._note_missed(flight.records)
                self._polls.await_ends(flight.records)
        elif report.exec_type in _BEGINNINGS:  # the end of the old order comes first, and answers nothing yet
            self._requests.take(report.request_id, "accepted", None, None)
            self._edits.accepted(flight.records[0], flight, report.order_id, report.ts_venue_ns)

    def _succeeded(self, record: OrderRecord, report: ExecutionReport) -> None:
        """News of what an edit made: its terms show how much the venue took as filled on the order before."""
        if record.is_live and not self._ledger.is_older(record, report.ts_venue_ns):
            self._ledger.restate_by(record, report, report.ts_venue_ns)

    def _ended(self, record: OrderRecord, report: ExecutionReport, link_name: str) -> None:
        self._ledger.journal.learned(link_name, report, self._clock.now_ns)
        self._ledger.accept(record, report.order_id, report.ts_venue_ns)  # an end may overtake the acknowledgement
        self._conclude_end(record, _ENDS[report.exec_type], report.reason or "", report.ts_venue_ns, report.cum_lots)

    def _conclude_end(
        self, record: OrderRecord, state: OrderState, reason: str, ts_venue_ns: int, cum_lots: int
    ) -> None:
        if not self._edits.holds_end(record, state, reason, ts_venue_ns, cum_lots):
            self._ledger.end(record, state, reason, ts_venue_ns, cum_lots)
        if record.has_missing_fills:
            self._polls.ensure()

    def _changed(self, record: OrderRecord, report: ExecutionReport, link_name: str) -> None:
        is_trigger = report.exec_type is ExecType.TRIGGERED
        if report.ts_venue_ns > record.ts_state_ns or (is_trigger and not record.is_triggered):
            self._ledger.journal.learned(link_name, report, self._clock.now_ns)  # else an answer has told of it
        self._ledger.accept(record, report.order_id, report.ts_venue_ns)
        self._ledger.restate_by(record, report, report.ts_venue_ns)
        if is_trigger:
            self._ledger.trigger(record, report.ts_venue_ns)

    # ------------------------------------------------------------------------------------------------- snapshots

    def _read_snapshot(self, report: OrdersSnapshot, link_name: str) -> None:
        """A poll's answer shows what is open, and what ended or was filled since the one before; a subscription's
        snapshot shows what is open only, and so proves nothing by what is not in it.
        """
        request_id = report.request_id
        poll = None
        if request_id is not None:
            poll = self._requests.take(request_id, "accepted", None, None)
            self._polls.answered(report)
        for trade in report.trades:
            record = self._ledger.find(trade.cl_ord_id, trade.order_id)
            if record is not None:
                self._ledger.fill(record, trade, link_name, report.ts_venue_ns)
        seen: set[str] = set()
        strangers: list[OrderStatus] = []
        for status in report.orders:
            record = self._ledger.find(status.cl_ord_id, status.order_id)
            if record is None:
                strangers.append(status)
            else:
                seen.add(record.cl_ord_id)
                self._apply_status(record, status, report)
        if request_id is not None:
            self._evidence.judge_poll(report, seen, strangers)
        if poll is not None:
            self._doubt_unshown(poll, {status.order_id for status in report.orders})

    def _doubt_unshown(self, poll: InFlight, shown: set[str]) -> None:
        """Orders believed open that a poll does not show, or leaves fills of untold: they ended before its span, and
        that was missed, or they came to be after it was asked. The next poll asks for them by their ids.
        """
        self._polls.doubt_orders(
            record
            for record in self._ledger.open_orders.values()
            if record.ts_sent_ns < poll.ts_sent_ns
            and record.order_id is not None
            and (record.order_id not in shown or record.has_missing_fills)
        )

    def _apply_status(self, record: OrderRecord, status: OrderStatus, report: OrdersSnapshot) -> None:
        if not record.is_live:
            return
        self._ledger.accept(record, status.order_id, report.ts_venue_ns)
        if record.order_id != status.order_id:
            return  # an earlier venue order of this record, which an edit has replaced
        if status.state > OrderState.PARTIALLY_FILLED:
            self._conclude_end(record, status.state, status.reason or "", report.ts_venue_ns, status.cum_lots)
            return
        record.venue_cum_lots = max(record.venue_cum_lots, record.prior_lots + status.cum_lots)
        if record.has_missing_fills:
            self._polls.ensure()
        doubt_request_id = record.doubt_request_id
        if doubt_request_id is not None and report.request_id is not None and report.request_id > doubt_request_id:
            record.doubt_request_id = None
        if self._ledger.is_newer(record, report.ts_venue_ns):
            self._ledger.restate_by(record, status, report.ts_venue_ns)
        missed_cancel_id = record.missed_cancel_id
        if missed_cancel_id is not None and report.request_id is not None and report.request_id > missed_cancel_id:
            record.missed_cancel_id = None
            reason = "the cancel was carried out before the order had come to the venue"
            self._ledger.listener.cancel_rejected(record, reason, report.ts_venue_ns)

    # ------------------------------------------------------------------------------------------------- venue

    def _read_status(self, report: VenueStatus, link_name: str) -> None:
        """A change of mode, told once though every link tells of it."""
        ts_venue_ns, mode = self._modes.get(report.symbol, (-1, None))
        if report.ts_venue_ns <= ts_venue_ns:
            return
        self._modes[report.symbol] = (report.ts_venue_ns, report.mode)
        if report.mode is mode:
            return
        self._ledger.journal.learned(link_name, report, self._clock.now_ns)
        self._ledger.tell(VenueStatusChanged(ts_ns=self._clock.now_ns, mode=report.mode, symbol=report.symbol))
