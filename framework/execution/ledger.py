"""Own orders, and what has been concluded of each.

Conclusions only go forward: a fill is told once, terms are replaced by newer ones only, and an order that has ended
stays ended. It is closed when the venue has said that it ended and all that the venue says to be filled has been
told, so a canceled order is not settled until its fills are. Whoever listens may send commands from within: state is
changed first.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from framework.execution.events import OutcomeResolved, RoadEvent
from framework.execution.guard import Guard
from framework.execution.link import Clock, DeskListener, Journal
from framework.execution.orders import Knowledge, OrderRecord
from framework.messages import ExecutionReport, OrderState, OrderStatus
from framework.protocol import OrderType

__all__ = ["Ledger"]

_CLOSED = Knowledge.CLOSED
_OPEN = Knowledge.OPEN


class Ledger:
    """Keeps the records and tells the listener what is concluded.

    orders: every record by client id. open_orders: those not closed, oldest first. guard: hears of fills.
    time_step_ns: how coarsely its links tell times of the venue at most; of two that differ by less, none is the later.
    """

    def __init__(
        self,
        clock: Clock,
        listener: DeskListener,
        journal: Journal,
        guard: Guard | None = None,
        time_step_ns: int = 1,
    ) -> None:
        self.orders: dict[str, OrderRecord] = {}
        self.open_orders: dict[str, OrderRecord] = {}
        self.listener = listener
        self.journal = journal
        self.guard = guard
        self._time_step_ns = time_step_ns
        self._clock = clock
        self.forgotten_count = 0
        self._by_order_id: dict[str, OrderRecord] = {}
        # Ids that an order had before an edit, and when each order closed, oldest first.
        self._earlier_ids: dict[str, list[str]] = {}
        self._closed: deque[tuple[int, OrderRecord]] = deque()

    def tell(self, event: RoadEvent) -> None:
        """Tell strategy and journal of an event of the road."""
        self.journal.concluded(event)
        self.listener.road_event(event)

    def find(self, cl_ord_id: str, order_id: str) -> OrderRecord | None:
        """The record of a venue order; None for one that is not ours.

        A client id alone names a record only until its venue id is known: ids of ended orders may be used again by
        others of the account.
        """
        record = self._by_order_id.get(order_id)
        if record is None:
            record = self.orders.get(cl_ord_id)
            if record is not None and record.order_id is not None:
                return None
        return record

    def name(self, record: OrderRecord, order_id: str) -> None:
        """Say by which id the venue knows an order."""
        if record.order_id is not None and record.order_id != order_id:
            self._earlier_ids.setdefault(record.cl_ord_id, []).append(record.order_id)
        record.order_id = order_id
        self._by_order_id[order_id] = record

    def forget(self, before_ns: int) -> list[str]:
        """Let go of the orders that closed before a time; their client ids."""
        gone = []
        while self._closed and self._closed[0][0] < before_ns:
            _, record = self._closed.popleft()
            if self.orders.pop(record.cl_ord_id, None) is None:
                continue  # it closed twice: a fill came after its end
            for order_id in (record.order_id, *self._earlier_ids.pop(record.cl_ord_id, ())):
                if order_id is not None:
                    self._by_order_id.pop(order_id, None)
            gone.append(record.cl_ord_id)
        self.forgotten_count += len(gone)
        return gone

    # ------------------------------------------------------------------------------------------------- beginnings

    def deny(self, record: OrderRecord, reason: str) -> None:
        """The order was not sent."""
        record.knowledge = _CLOSED
        self._closed.append((self._clock.now_ns, record))
        self.journal.denied(record, self._clock.now_ns, reason)
        self.listener.order_denied(record, reason)

    def accept(self, record: OrderRecord, order_id: str | None, ts_venue_ns: int) -> bool:
        """The venue knows the order; returns whether that is news."""
        is_id_new = record.order_id is None and order_id is not None
        if is_id_new:
            assert order_id is not None
            self.name(record, order_id)
        knowledge = record.knowledge
        if knowledge is _OPEN and is_id_new:
            self.listener.order_updated(record, ts_venue_ns)  # it had been accepted by an answer that named no id
        if knowledge is _OPEN or knowledge is _CLOSED:
            return False
        record.knowledge = _OPEN
        record.ts_aged_ns = ts_venue_ns
        if knowledge is Knowledge.UNKNOWN:
            self._tell_add_resolved(record, "the venue knows the order")
        self.listener.order_accepted(record, ts_venue_ns)
        return True

    def reject(self, record: OrderRecord, error: str, ts_venue_ns: int, is_post_only: bool = False) -> None:
        """The order never came to be; says nothing of one that is known to the venue."""
        knowledge = record.knowledge
        if knowledge is _OPEN or knowledge is _CLOSED:
            return
        self._retire(record)
        if knowledge is Knowledge.UNKNOWN:
            self._tell_add_resolved(record, error)
        self.listener.order_rejected(record, error, is_post_only, ts_venue_ns)

    def _tell_add_resolved(self, record: OrderRecord, evidence: str) -> None:
        self.tell(
            OutcomeResolved(
                ts_ns=self._clock.now_ns,
                cl_ord_id=record.cl_ord_id,
                command="AddOrder",
                link=record.owner_link,
                evidence=evidence,
            )
        )

    # ------------------------------------------------------------------------------------------------- changes

    def is_newer(self, record: OrderRecord, ts_venue_ns: int) -> bool:
        """Whether a venue time is surely after that of an order's newest terms."""
        return ts_venue_ns - record.ts_state_ns >= self._time_step_ns

    def is_older(self, record: OrderRecord, ts_venue_ns: int) -> bool:
        """Whether a venue time is surely before that of an order's newest terms."""
        return record.ts_state_ns - ts_venue_ns >= self._time_step_ns

    def fill(
        self, record: OrderRecord, report: ExecutionReport, link_name: str, ts_shown_ns: int | None = None
    ) -> bool:
        """A fill, told once whatever the number of roads that it comes by; returns whether it is news.

        Its quantity is told first where that is news: NautilusTrader refuses a fill above the quantity that it knows,
        and an order is filled for it when both agree. ts_shown_ns: of a fill in a snapshot, the snapshot's time: what
        the fill says of the order's terms is not of later.
        """
        assert report.exec_id is not None
        if not record.note_exec(report.exec_id):
            return False
        self.journal.learned(link_name, report, self._clock.now_ns)
        if self.guard is not None:
            self.guard.note_fill(report)
        self.accept(record, report.order_id, report.ts_venue_ns)
        last_lots = report.last_lots
        cum_lots = record.cum_lots + last_lots
        if report.order_id != record.order_id:  # of a venue order that an edit has replaced
            record.prior_told_lots += last_lots
            record.prior_lots = max(record.prior_lots, record.prior_told_lots)
        elif record.knowledge is _OPEN:
            ts_terms_ns = report.ts_venue_ns if ts_shown_ns is None else min(report.ts_venue_ns, ts_shown_ns)
            self._restate_by_fill(record, report, cum_lots, ts_terms_ns)
        record.cum_lots = cum_lots
        if cum_lots >= record.qty_lots:
            self._retire(record)
        self.listener.order_filled(
            record,
            report.exec_id,
            last_lots,
            report.last_ticks,
            bool(report.is_maker),
            report.fee if report.fee is not None else Decimal(0),
            report.fee_asset or "",
            report.ts_venue_ns,
        )
        if record.ended is not None and record.knowledge is _OPEN:
            self._settle(record)
        return True

    def _restate_by_fill(self, record: OrderRecord, report: ExecutionReport, cum_lots: int, ts_terms_ns: int) -> None:
        """Take over what a fill of the current venue order says of the order's terms and progress."""
        venue_cum_lots = record.prior_lots + report.cum_lots
        record.venue_cum_lots = max(record.venue_cum_lots, venue_cum_lots)
        qty_lots, limit_ticks, trigger_ticks = record.qty_lots, record.limit_ticks, record.trigger_ticks
        is_newer, ts_state_ns = self.is_newer(record, ts_terms_ns), record.ts_state_ns
        if report.state is OrderState.FILLED:
            qty_lots = venue_cum_lots
            if record.ended is None:
                record.ended = (OrderState.FILLED, "", report.ts_venue_ns)
        elif record.is_quote_qty:
            qty_lots = max(qty_lots, cum_lots + 1)
        elif is_newer:
            qty_lots = record.prior_lots + report.qty_lots
        told_lots = record.prior_lots + report.qty_lots
        if qty_lots <= cum_lots and report.state is OrderState.PARTIALLY_FILLED and max(told_lots, cum_lots) > qty_lots:
            # An amend to less than was filled by then, whose answer has overtaken the fills: more will come.
            qty_lots = cum_lots + 1
        if is_newer:
            limit_ticks, trigger_ticks = report.limit_ticks, report.trigger_ticks
            ts_state_ns = ts_terms_ns
        self.restate(record, max(qty_lots, cum_lots), limit_ticks, trigger_ticks, ts_state_ns)

    def restate_by(self, record: OrderRecord, source: ExecutionReport | OrderStatus, ts_venue_ns: int) -> bool:
        """Take over the terms that news or a snapshot shows; returns whether they are news."""
        qty_lots = record.qty_lots
        if source.display_lots is not None:
            record.display_lots = source.display_lots
        if not record.is_quote_qty:
            qty_lots = max(record.prior_lots + source.qty_lots, record.cum_lots)
        return self.restate(record, qty_lots, source.limit_ticks, source.trigger_ticks, ts_venue_ns)

    def restate(
        self, record: OrderRecord, qty_lots: int, limit_ticks: int | None, trigger_ticks: int | None, ts_venue_ns: int
    ) -> bool:
        """New terms as of a venue time; prices that are None are left as they are. Returns whether they differ.

        The caller has seen to it that nothing newer is known.
        """
        if limit_ticks is None:
            limit_ticks = record.limit_ticks
        if trigger_ticks is None:
            trigger_ticks = record.trigger_ticks
        record.ts_state_ns = max(record.ts_state_ns, ts_venue_ns)  # one as new may be told as an earlier one
        if qty_lots == record.qty_lots and limit_ticks == record.limit_ticks and trigger_ticks == record.trigger_ticks:
            return False
        record.qty_lots = qty_lots
        record.limit_ticks = limit_ticks
        record.trigger_ticks = trigger_ticks
        record.ts_aged_ns = ts_venue_ns
        self.listener.order_updated(record, ts_venue_ns)
        return True

    def rename(
        self,
        record: OrderRecord,
        order_id: str,
        qty_lots: int,
        command_ticks: tuple[int | None, int | None],
        ts_venue_ns: int,
    ) -> None:
        """An edit has replaced the venue's order: new id, nothing filled on it yet; told even if nothing else
        differs.
        """
        record.prior_told_lots = record.cum_lots
        record.prior_lots = record.venue_cum_lots = max(record.venue_cum_lots, record.cum_lots)
        self.name(record, order_id)
        record.has_only_order_id = True
        limit_ticks, trigger_ticks = command_ticks
        if not self.restate(record, max(qty_lots, record.cum_lots), limit_ticks, trigger_ticks, ts_venue_ns):
            record.ts_aged_ns = ts_venue_ns
            self.listener.order_updated(record, ts_venue_ns)

    def trigger(self, record: OrderRecord, ts_venue_ns: int) -> None:
        """A stop's trigger has fired; told once."""
        if not record.is_triggered:
            record.is_triggered = True
            self.listener.order_triggered(record, ts_venue_ns)

    # ------------------------------------------------------------------------------------------------- ends

    def end(self, record: OrderRecord, state: OrderState, reason: str, ts_venue_ns: int, cum_lots: int) -> None:
        """The venue says that the order ended, with so much filled under its current venue id."""
        if record.ended is None:
            record.ended = (state, reason, ts_venue_ns)
        if record.order_type is not OrderType.SETTLE_POSITION:  # which is filled without any trade
            record.venue_cum_lots = max(record.venue_cum_lots, record.prior_lots + cum_lots)
        self._settle(record)

    def _settle(self, record: OrderRecord) -> None:
        if record.venue_cum_lots > record.cum_lots:
            return
        assert record.ended is not None
        state, reason, ts_venue_ns = record.ended
        self._retire(record)
        if state is OrderState.EXPIRED:
            self.listener.order_expired(record, ts_venue_ns)
        else:
            self.listener.order_canceled(record, reason, ts_venue_ns)

    def _retire(self, record: OrderRecord) -> None:
        record.knowledge = _CLOSED
        self._closed.append((self._clock.now_ns, record))
        self.open_orders.pop(record.cl_ord_id, None)
