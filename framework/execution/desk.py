"""The execution desk: commands go out by the road that reaches, and nothing is concluded that was not told.

The desk owns the records of own orders and the requests in flight. It chooses the link of each command by its policy
(or by the command's own ``via``), keeps every order's reach as sessions come and go, sends a cancel down a road that
reaches, spends one rate budget with a reserve for cancels, and hands reports to ``ReportReader``. It neither reads a
clock of its own nor knows what carries its links.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from framework.errors import ConfigError
from framework.execution.budget import RateBudget
from framework.execution.events import (
    CancelRerouted,
    OrderReachChanged,
    OutcomeUnknown,
    RoadEvent,
    SessionClosed,
    SessionOpened,
    SessionResumed,
)
from framework.execution.link import Clock, DeskListener, Journal, Link
from framework.execution.orders import InFlight, Knowledge, OrderRecord, RequestKind
from framework.execution.policy import MASS_SUFFIX, DeskPolicy
from framework.execution.reach import links_that_reach, reaches
from framework.execution.reports import ReportReader
from framework.messages import (
    AddBatch,
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelBatch,
    CancelOrder,
    Command,
    EditOrder,
    MassCancel,
    MassCancelScope,
    QueryOrders,
    Report,
)
from framework.messages import SessionOpened as SessionOpenedReport
from framework.protocol import CancelReach, News
from framework.venue.rates import (
    Charge,
    add_charge,
    amend_charge,
    batch_add_charge,
    batch_cancel_charge,
    cancel_charge,
    edit_charge,
)

__all__ = ["ExecutionDesk"]

_MS = 1_000_000


class ExecutionDesk:
    """One account's orders over several links.

    links: the account's links by name; the order of the mapping is the order in which reach is listed.
    Raises ConfigError if the policy names a link that is not there.
    """

    def __init__(
        self,
        links: Mapping[str, Link],
        policy: DeskPolicy,
        clock: Clock,
        listener: DeskListener,
        journal: Journal,
        budget: RateBudget,
    ) -> None:
        for name in policy.link_names():
            if name not in links:
                raise ConfigError(
                    f"the policy routes by link '{name}', which is not there; links: {', '.join(links)}"
                )
        self.links = dict(links)
        self.policy = policy
        self.budget = budget
        self.orders: dict[str, OrderRecord] = {}
        self.open_orders: dict[str, OrderRecord] = {}
        self.in_flight: dict[int, InFlight] = {}
        self._clock = clock
        self._listener = listener
        self._journal = journal
        self._request_id = 0
        self._reader = ReportReader(self, clock, listener, journal)
        self._news_is_polled = self.links[policy.news].profile.news is News.NONE
        self._query_link = policy.query or self._first_link_that_queries()
        self._is_query_in_flight = False
        self._is_timeout_check_scheduled = False
        self._is_started = False

    # ------------------------------------------------------------------------------------------------- life

    def start(self) -> None:
        """Open all links; start polling where news is polled."""
        self._is_started = True
        for link in self.links.values():
            link.open(is_reset=True)
        if self._news_is_polled:
            self._schedule_poll()

    def stop(self) -> None:
        """Send nothing more on its own accord."""
        self._is_started = False

    # ------------------------------------------------------------------------------------------------- commands

    def submit(self, order: AddOrder, via: str | None = None) -> OrderRecord:
        """Send a new order; ``request_id`` and ``deadline_ns`` of the given command are the desk's to set.

        Denied, and not sent, where the link is down or where it would spend the cancels' reserve.
        """
        link = self._link(via or self.policy.submit)
        now_ns = self._clock.now_ns
        command = replace(
            order,
            request_id=self._next_request_id(),
            deadline_ns=self._deadline_ns(link, now_ns),
        )
        record = OrderRecord(command, link.name, link.session_id, now_ns)
        self.orders[record.cl_ord_id] = record
        charge = add_charge(self.budget.schedule)
        denial = self._denial(link, record.symbol, charge, now_ns)
        if denial is not None:
            self._deny(record, denial, now_ns)
            return record
        self.open_orders[record.cl_ord_id] = record
        record.reach = links_that_reach(self.links, record)
        self.budget.spend(record.symbol, charge, now_ns)
        self._listener.order_submitted(record)
        self._send(RequestKind.ADD, link, command, (record,), now_ns)
        return record

    def submit_batch(
        self, orders: Sequence[AddOrder], via: str | None = None
    ) -> list[OrderRecord]:
        """Send several new orders of one symbol in one request, or one by one where the protocol has no batches."""
        link = self._link(via or self.policy.submit)
        if len(orders) < 2 or len(orders) > link.profile.capabilities.batch_add_max:
            return [self.submit(order, via) for order in orders]
        now_ns = self._clock.now_ns
        request_id = self._next_request_id()
        commands = tuple(
            replace(order, request_id=request_id, deadline_ns=None) for order in orders
        )
        records = tuple(
            OrderRecord(command, link.name, link.session_id, now_ns)
            for command in commands
        )
        charge = batch_add_charge(self.budget.schedule, len(records))
        denial = self._denial(link, records[0].symbol, charge, now_ns)
        for record in records:
            self.orders[record.cl_ord_id] = record
            if denial is not None:
                self._deny(record, denial, now_ns)
                continue
            self.open_orders[record.cl_ord_id] = record
            record.reach = links_that_reach(self.links, record)
            self._listener.order_submitted(record)
        if denial is None:
            self.budget.spend(records[0].symbol, charge, now_ns)
            batch = AddBatch(
                request_id=request_id,
                deadline_ns=self._deadline_ns(link, now_ns),
                orders=commands,
            )
            self._send(RequestKind.ADD, link, batch, records, now_ns)
        return list(records)

    def amend(
        self,
        cl_ord_id: str,
        *,
        qty_lots: int | None = None,
        limit_ticks: int | None = None,
        trigger_ticks: int | None = None,
        display_lots: int | None = None,
        is_post_only: bool = False,
        is_edit: bool = False,
        via: str | None = None,
    ) -> None:
        """Change an order in place, or (``is_edit``) by the venue's cancel-and-new, which loses the queue place."""
        record = self.orders[cl_ord_id]
        link = self._link(via or self.policy.amend)
        now_ns = self._clock.now_ns
        age_ns = max(0, now_ns - record.ts_aged_ns)
        charge = (edit_charge if is_edit else amend_charge)(
            self.budget.schedule, age_ns
        )
        denial = self._denial(link, record.symbol, charge, now_ns)
        if denial is None and is_edit and record.order_id is None:
            denial = (
                "the venue's id of the order is not known yet, and an edit needs it"
            )
        if denial is not None:
            self._listener.amend_rejected(record, denial, now_ns)
            return
        command: AmendOrder | EditOrder
        if is_edit:
            assert record.order_id is not None
            command = EditOrder(
                request_id=self._next_request_id(),
                deadline_ns=self._deadline_ns(link, now_ns),
                order_id=record.order_id,
                qty_lots=qty_lots,
                limit_ticks=limit_ticks,
                trigger_ticks=trigger_ticks,
                display_lots=display_lots,
                is_post_only=is_post_only,
            )
        else:
            command = AmendOrder(
                request_id=self._next_request_id(),
                deadline_ns=self._deadline_ns(link, now_ns),
                cl_ord_id=cl_ord_id,
                qty_lots=qty_lots,
                limit_ticks=limit_ticks,
                trigger_ticks=trigger_ticks,
                display_lots=display_lots,
                is_post_only=is_post_only,
            )
        self.budget.spend(record.symbol, charge, now_ns)
        record.amends_in_flight += 1
        self._send(
            RequestKind.EDIT if is_edit else RequestKind.AMEND,
            link,
            command,
            (record,),
            now_ns,
        )

    def cancel(self, cl_ord_id: str, via: str | None = None) -> None:
        """Cancel one order by the first road that reaches it.

        via: the road asked for, used as it is, whether or not it reaches. Without it the policy's route is walked; if no
        step reaches, the first link that is up is asked all the same, for the venue is the judge; if none is up, the
        cancel is refused here and the order stays.
        """
        record = self.orders[cl_ord_id]
        now_ns = self._clock.now_ns
        step = via or self._cancel_step(record)
        if step is None:
            self._listener.cancel_rejected(
                record, "no link is up that could carry the cancel", now_ns
            )
            return
        asked = self.policy.cancel[0]
        if via is None and step != asked:
            why = "is down" if not self._link(asked).is_up else "does not reach it"
            self._conclude(
                CancelRerouted(
                    ts_ns=now_ns,
                    cl_ord_id=cl_ord_id,
                    asked=asked,
                    used=step,
                    reason=f"'{asked}' {why}",
                )
            )
        link = self._link(step)
        if not link.is_up:
            self._listener.cancel_rejected(
                record, f"link '{link.name}' is down", now_ns
            )
            return
        record.cancels_in_flight += 1
        if step.endswith(MASS_SUFFIX):
            mass = MassCancel(
                request_id=self._next_request_id(), scope=MassCancelScope.ACCOUNT
            )
            self._send(RequestKind.MASS_CANCEL, link, mass, (record,), now_ns)
            return
        age_ns = max(0, now_ns - record.ts_aged_ns)
        self.budget.spend(
            record.symbol, cancel_charge(self.budget.schedule, age_ns), now_ns
        )
        command = CancelOrder(request_id=self._next_request_id(), cl_ord_id=cl_ord_id)
        self._send(RequestKind.CANCEL, link, command, (record,), now_ns)

    def cancel_batch(self, cl_ord_ids: Sequence[str], via: str | None = None) -> None:
        """Cancel several orders, in one request where the road has batches, else one by one."""
        link = self._link(via or self.policy.cancel[0])
        ids = [cl_ord_id for cl_ord_id in cl_ord_ids if self.orders[cl_ord_id].is_open]
        records = tuple(self.orders[cl_ord_id] for cl_ord_id in ids)
        is_one_request = 2 <= len(ids) <= link.profile.capabilities.batch_cancel_max
        if not is_one_request or not all(reaches(link, record) for record in records):
            for cl_ord_id in ids:
                self.cancel(cl_ord_id, via)
            return
        now_ns = self._clock.now_ns
        for record in records:
            record.cancels_in_flight += 1
            age_ns = max(0, now_ns - record.ts_aged_ns)
            self.budget.spend(
                record.symbol,
                batch_cancel_charge(self.budget.schedule, (age_ns,)),
                now_ns,
            )
        command = CancelBatch(request_id=self._next_request_id(), cl_ord_ids=tuple(ids))
        self._send(RequestKind.CANCEL, link, command, records, now_ns)

    def cancel_all(self, via: str | None = None) -> None:
        """Cancel every open order of the account, by the venue's own request for that."""
        link = self._link(via or self.policy.cancel[0])
        now_ns = self._clock.now_ns
        records = tuple(self.open_orders.values())
        if not link.is_up:
            for record in records:
                self._listener.cancel_rejected(
                    record, f"link '{link.name}' is down", now_ns
                )
            return
        for record in records:
            record.cancels_in_flight += 1
        request_id = self._next_request_id()
        command: Command = (
            CancelAll(request_id=request_id)
            if link.profile.capabilities.has_cancel_all
            else MassCancel(request_id=request_id, scope=MassCancelScope.ACCOUNT)
        )
        self._send(RequestKind.MASS_CANCEL, link, command, records, now_ns)

    def cancel_all_after(self, timeout_s: int, via: str | None = None) -> None:
        """Arm the account's dead man's switch, on a link that has it; 0 disarms it."""
        link = self._link(
            via or self._first_link("cancel_all_after", "has_cancel_all_after")
        )
        command = CancelAllAfter(
            request_id=self._next_request_id(), timeout_s=timeout_s
        )
        self._send(RequestKind.CANCEL_AFTER, link, command, (), self._clock.now_ns)

    def query(self) -> None:
        """Ask the venue for open and recently ended orders, unless an answer is awaited or no road can ask."""
        if (
            self._query_link is None
            or self._is_query_in_flight
            or not self.links[self._query_link].is_up
        ):
            return
        self._is_query_in_flight = True
        command = QueryOrders(
            request_id=self._next_request_id(), since_ns=self._reader.ts_snapshot_ns
        )
        self._send(
            RequestKind.QUERY,
            self.links[self._query_link],
            command,
            (),
            self._clock.now_ns,
        )

    def query_later(self) -> None:
        """Ask again after a poll's interval; where news is polled, the next poll does it."""
        if not self._news_is_polled:
            self._clock.call_at(
                self._clock.now_ns + self.policy.poll_interval_ms * _MS, self.query
            )

    # ------------------------------------------------------------------------------------------------- from links

    def on_report(self, link_name: str, report: Report) -> None:
        """A report came by a link."""
        if isinstance(report, SessionOpenedReport):
            self._on_session_opened(self.links[link_name], report)
        else:
            self._reader.read(self.links[link_name], report)

    def on_session_closed(self, link_name: str, reason: str) -> None:
        """A link's session dropped or ended; what was in flight on it is unknown now."""
        link = self.links[link_name]
        now_ns = self._clock.now_ns
        owned = tuple(
            r.cl_ord_id
            for r in self.open_orders.values()
            if r.owner_session == link.session_id
        )
        self._conclude(
            SessionClosed(
                ts_ns=now_ns,
                link=link_name,
                session_id=link.session_id,
                reason=reason,
                cl_ord_ids=owned,
            )
        )
        if link_name == self._query_link:
            self._is_query_in_flight = False
        for flight in [
            flight for flight in self.in_flight.values() if flight.link == link_name
        ]:
            self._mark_unknown(
                flight, f"the line dropped before an answer came ({reason})"
            )
        self._refresh_reach(f"session of '{link_name}' closed: {reason}")
        if self._is_started and self.policy.reconnect_delay_ms is not None:
            ts_ns = now_ns + self.policy.reconnect_delay_ms * _MS
            self._clock.call_at(ts_ns, lambda: self._reopen(link))

    def settled_query(self) -> None:
        """The awaited answer to a query came, or never will."""
        self._is_query_in_flight = False

    def road_event(self, event: RoadEvent) -> None:
        """Tell strategy and journal of an event."""
        self._conclude(event)

    # ------------------------------------------------------------------------------------------------- within

    def _on_session_opened(self, link: Link, report: SessionOpenedReport) -> None:
        now_ns = self._clock.now_ns
        own = tuple(
            r.cl_ord_id
            for r in self.open_orders.values()
            if r.owner_session == report.session_id
        )
        others = tuple(
            r.cl_ord_id
            for r in self.open_orders.values()
            if r.owner_link == link.name and r.owner_session != report.session_id
        )
        event: RoadEvent
        if report.is_resumed:
            event = SessionResumed(
                ts_ns=now_ns,
                link=link.name,
                session_id=report.session_id,
                cl_ord_ids=own,
            )
        else:
            event = SessionOpened(
                ts_ns=now_ns,
                link=link.name,
                session_id=report.session_id,
                cl_ord_ids=others,
            )
        self._conclude(event)
        self._refresh_reach(
            f"session of '{link.name}' "
            + ("resumed" if report.is_resumed else "is new")
        )
        self._reader.on_session_opened(link, report)
        if (
            any(flight.is_unknown for flight in self.in_flight.values())
            or self.open_orders
        ):
            self.query()

    def _reopen(self, link: Link) -> None:
        if self._is_started and not link.is_up:
            can_resume = (
                link.profile.is_resumable and self.policy.is_resumed_on_reconnect
            )
            link.open(is_reset=not can_resume)

    def _cancel_step(self, record: OrderRecord) -> str | None:
        for step in self.policy.cancel:
            link = self._link(step)
            if step.endswith(MASS_SUFFIX):
                if link.is_up and _mass_reach(link) is CancelReach.ACCOUNT:
                    return step
            elif reaches(link, record):
                return step
        return next(
            (step for step in self.policy.cancel if self._link(step).is_up), None
        )

    def _refresh_reach(self, reason: str) -> None:
        for record in list(self.open_orders.values()):
            reach = links_that_reach(self.links, record)
            if reach != record.reach:
                previous, record.reach = record.reach, reach
                self._conclude(
                    OrderReachChanged(
                        ts_ns=self._clock.now_ns,
                        cl_ord_id=record.cl_ord_id,
                        reach=reach,
                        previous=previous,
                        reason=reason,
                    )
                )

    def _send(
        self,
        kind: RequestKind,
        link: Link,
        command: Command,
        records: tuple[OrderRecord, ...],
        now_ns: int,
    ) -> None:
        expiry_ns = now_ns + self.policy.answer_timeout_ms * _MS
        self.in_flight[command.request_id] = InFlight(
            kind, command, link.name, records, expiry_ns
        )
        if not self._is_timeout_check_scheduled:
            self._is_timeout_check_scheduled = True
            self._clock.call_at(expiry_ns, self._check_timeouts)
        self._journal.sent(link.name, command, now_ns)
        link.send(command)

    def _check_timeouts(self) -> None:
        """Mark overdue requests; one timer serves all, since patience is the same for each."""
        self._is_timeout_check_scheduled = False
        now_ns = self._clock.now_ns
        overdue = []
        next_ns = None
        for flight in self.in_flight.values():
            if flight.is_unknown:
                continue
            if flight.ts_expiry_ns > now_ns:
                next_ns = flight.ts_expiry_ns
                break
            overdue.append(flight)
        for flight in overdue:
            self._mark_unknown(
                flight, f"no answer within {self.policy.answer_timeout_ms} ms"
            )
        if next_ns is not None:
            self._is_timeout_check_scheduled = True
            self._clock.call_at(next_ns, self._check_timeouts)
        if overdue:
            self.query()

    def _mark_unknown(self, flight: InFlight, evidence: str) -> None:
        if flight.kind is RequestKind.QUERY:
            self.in_flight.pop(flight.command.request_id, None)
            self._is_query_in_flight = False
            return
        if flight.is_unknown:
            return
        flight.is_unknown = True
        now_ns = self._clock.now_ns
        self._journal.answered(
            flight.command.request_id, now_ns, "lost", None, evidence
        )
        for record in flight.records:
            if record.knowledge is Knowledge.SENT and flight.kind is RequestKind.ADD:
                record.knowledge = Knowledge.UNKNOWN
            if record.is_open:
                self._conclude(
                    OutcomeUnknown(
                        ts_ns=now_ns,
                        cl_ord_id=record.cl_ord_id,
                        command=type(flight.command).__name__,
                        link=flight.link,
                        evidence=evidence,
                    )
                )

    def _schedule_poll(self) -> None:
        self._clock.call_at(
            self._clock.now_ns + self.policy.poll_interval_ms * _MS, self._poll
        )

    def _poll(self) -> None:
        if self._is_started:
            self.query()
            self._schedule_poll()

    def _denial(
        self, link: Link, symbol: str, charge: Charge, now_ns: int
    ) -> str | None:
        if not link.is_up:
            return f"link '{link.name}' is down"
        return self.budget.denial(symbol, charge, now_ns)

    def _deny(self, record: OrderRecord, reason: str, now_ns: int) -> None:
        record.knowledge = Knowledge.CLOSED
        self._journal.denied(record, now_ns, reason)
        self._listener.order_denied(record, reason)

    def _conclude(self, event: RoadEvent) -> None:
        self._journal.concluded(event)
        self._listener.road_event(event)

    def _deadline_ns(self, link: Link, now_ns: int) -> int | None:
        capabilities = link.profile.capabilities
        if self.policy.deadline_ms is None or capabilities.deadline_max_ns == 0:
            return None
        wait_ns = self.policy.deadline_ms * _MS
        return now_ns + min(
            max(wait_ns, capabilities.deadline_min_ns), capabilities.deadline_max_ns
        )

    def _next_request_id(self) -> int:
        self._request_id += 1
        return self._request_id

    def _link(self, step: str) -> Link:
        name = step.removesuffix(MASS_SUFFIX)
        link = self.links.get(name)
        if link is None:
            raise ConfigError(
                f"there is no link '{name}'; links: {', '.join(self.links)}"
            )
        return link

    def _first_link_that_queries(self) -> str | None:
        return next(
            (
                n
                for n, link in self.links.items()
                if link.profile.capabilities.has_order_query
            ),
            None,
        )

    def _first_link(self, what: str, capability: str) -> str:
        for name, link in self.links.items():
            if getattr(link.profile.capabilities, capability):
                return name
        raise ConfigError(
            f"no link of this desk has {what}; add one that does, such as a request/response link"
        )


def _mass_reach(link: Link) -> CancelReach:
    return link.profile.mass_cancel_reach.get(MassCancelScope.ACCOUNT, CancelReach.NONE)
