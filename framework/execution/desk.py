"""The execution desk: commands go out by the road that reaches, and nothing is concluded that was not told.

The desk chooses the link of each command by its policy (or by the command's own ``via``), sends a cancel down a road
that reaches, and spends one rate budget with a reserve for cancels. Its parts keep the rest: the ledger what is known
of each order, the requests what is in flight, the sessions who reaches what, the reader what reports prove, the polls
what has to be asked for. None of them reads a clock of its own or knows what carries the links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from framework.errors import ConfigError, SimulationError
from framework.execution.budget import RateBudget
from framework.execution.cancels import Cancels
from framework.execution.edits import Edits
from framework.execution.events import OrderValidated, RoadEvent
from framework.execution.evidence import Evidence
from framework.execution.guard import Guard
from framework.execution.ledger import Ledger
from framework.execution.link import Clock, DeskListener, Journal, Link
from framework.execution.orders import Knowledge, OrderRecord, RequestKind
from framework.execution.policy import DeskPolicy
from framework.execution.polls import Polls
from framework.execution.reach import CancelRoute
from framework.execution.reports import ReportReader
from framework.execution.requests import Requests
from framework.execution.router import Router
from framework.execution.sessions import Sessions
from framework.messages import (
    AddBatch,
    AddOrder,
    AmendOrder,
    Command,
    EditOrder,
    ExecutionReport,
    OrdersSnapshot,
    OrderStatus,
    RateCount,
    Report,
)
from framework.messages import SessionOpened as SessionOpenedReport
from framework.venue.rates import (
    Charge,
    add_charge,
    amend_charge,
    batch_add_charge,
    edit_charge,
)

__all__ = ["ExecutionDesk"]

_MS = 1_000_000


class ExecutionDesk:
    """One account's orders over several links.

    links: the account's links by name; the order of the mapping is the order in which reach is listed.
    guard: holds new orders and changes against limits; None for no limits.
    orders, open_orders: records by client id, all of them and those not closed. in_flight: requests without an answer.
    Raises ConfigError if the policy names a link that is not there, or asks of one what it cannot do.
    """

    def __init__(
        self,
        links: Mapping[str, Link],
        policy: DeskPolicy,
        clock: Clock,
        listener: DeskListener,
        journal: Journal,
        budget: RateBudget,
        guard: Guard | None = None,
    ) -> None:
        for name in policy.link_names():
            if name not in links:
                raise ConfigError(f"the policy routes by link '{name}', which is not there; links: {', '.join(links)}")
        self.links = dict(links)
        self.policy = policy
        self.budget = budget
        self._clock = clock
        self._listener = listener
        time_step_ns = max((link.profile.time_step_ns for link in links.values()), default=1)
        self._ledger = ledger = Ledger(clock, listener, journal, guard, time_step_ns)
        self._requests = requests = Requests(clock, ledger, budget, policy.answer_timeout_ms * _MS, self._on_lost)
        self._polls = polls = Polls(self.links, policy, clock, ledger, requests, budget)
        self._edits = edits = Edits(ledger, requests.in_flight, self._read_again, polls.look_back)
        evidence = Evidence(clock, ledger, requests, edits)
        self._reader = ReportReader(clock, ledger, requests, polls, edits, evidence)
        self._sessions = Sessions(self.links, policy, clock, ledger, requests, polls, evidence)
        edits.on_moved = self._sessions.moved
        route = CancelRoute(self.links, policy.cancel)
        self._cancels = Cancels(self.links, route, clock, ledger, requests, budget)
        self._submits = Router(self.links, "submit", policy.submit, policy.spread, requests.load)
        self._changes = Router(self.links, "amend", policy.amend, policy.spread, requests.load)
        self._add_charge = add_charge(budget.schedule)
        self._guard = guard
        self._halt: str | None = None
        self._snapshot_listeners: list[Callable[[OrdersSnapshot], None]] = []
        self.orders = ledger.orders
        self.open_orders = ledger.open_orders
        self.in_flight = requests.in_flight

    # ------------------------------------------------------------------------------------------------- life

    def start(self, *, is_resumed: bool = False) -> None:
        """Open all links; start polling where news is polled. is_resumed: a run before has left sessions that may
        stand yet; they are resumed with replay where a protocol can, unless the policy wants new ones.
        """
        self._sessions.start(is_resumed=is_resumed)
        self._polls.start()

    def stop(self) -> None:
        """Neither poll nor reconnect any more."""
        self._sessions.stop()
        self._polls.stop()

    def halt(self, reason: str) -> None:
        """Deny new orders and changes from now on, with this reason; cancels and questions go on."""
        self._halt = reason

    @contextmanager
    def unlimited(self) -> Iterator[None]:
        """Neither halt nor limits hold within: for orders that bring a position down to nothing at the end."""
        halt, guard = self._halt, self._guard
        self._halt = self._guard = None
        try:
            yield
        finally:
            self._halt, self._guard = halt, guard

    def resume(self) -> None:
        """Deny them no more."""
        self._halt = None

    @property
    def halted(self) -> str | None:
        """Why new orders are denied; None if they are not."""
        return self._halt

    # ------------------------------------------------------------------------------------------------- new orders

    def submit(self, order: AddOrder, via: str | None = None) -> OrderRecord:
        """Send a new order; ``request_id`` and ``deadline_ns`` of the given command are the desk's to set.

        Denied, and not sent, where the link is down or where it would spend the cancels' reserve. Raises
        SimulationError for a client id that was used before, and ConfigError for a link that is not there.
        """
        link = self._submits.link_for_new() if via is None else self._link(via)
        now_ns = self._clock.now_ns
        deadline_ns = self._deadline_ns(link, now_ns)
        command = replace(order, request_id=self._requests.next_id(), deadline_ns=deadline_ns)
        record = self._new_record(command, link, now_ns)
        charge = self._add_charge
        denial = self._denial(link, record.symbol, charge, now_ns)
        if denial is None and self._guard is not None:
            denial = self._guard.order_denial((command,), self.open_orders)
        if denial is not None:
            self._ledger.deny(record, denial)
            return record
        self._begin(record)
        self.budget.spend(record.symbol, charge, now_ns)
        try:
            self._requests.send(RequestKind.ADD, link, command, (record,), now_ns)
        finally:  # it is in flight even where it could not be written down
            self._tell_submitted(record)
        return record

    def submit_batch(self, orders: Sequence[AddOrder], via: str | None = None) -> list[OrderRecord]:
        """Send several new orders in one request where the protocol can, else one by one."""
        link = self._submits.link_for_new() if via is None else self._link(via)
        capabilities = link.profile.capabilities
        count = len(orders)
        if not max(2, capabilities.batch_add_min) <= count <= capabilities.batch_add_max or any(
            order.symbol != orders[0].symbol for order in orders
        ):
            return [self.submit(order, via) for order in orders]
        now_ns = self._clock.now_ns
        request_id = self._requests.next_id()
        commands = tuple(replace(order, request_id=request_id, deadline_ns=None) for order in orders)
        records = tuple(self._new_record(command, link, now_ns) for command in commands)
        charge = batch_add_charge(self.budget.schedule, count)
        denial = self._denial(link, records[0].symbol, charge, now_ns)
        if denial is None and self._guard is not None:
            denial = self._guard.order_denial(commands, self.open_orders)
        if denial is not None:
            for record in records:
                self._ledger.deny(record, denial)
            return list(records)
        for record in records:
            self._begin(record)
        self.budget.spend(records[0].symbol, charge, now_ns)
        deadline_ns = self._deadline_ns(link, now_ns)
        batch = AddBatch(request_id=request_id, deadline_ns=deadline_ns, orders=commands)
        try:
            self._requests.send(RequestKind.ADD, link, batch, records, now_ns)
        finally:
            for record in records:
                self._tell_submitted(record)
        return list(records)

    def validate(self, order: AddOrder, via: str | None = None) -> None:
        """Have the venue check a new order without making it; ``OrderValidated`` tells what it says.

        The order is not the desk's afterwards: it may be submitted under the same id. Not sent, and told so, where the
        link is down or its protocol cannot only validate. Raises ConfigError for a link that is not there.
        """
        link = self._submits.link_for_new() if via is None else self._link(via)
        now_ns = self._clock.now_ns
        refusal = None if link.is_up else f"link '{link.name}' is down"
        if not link.profile.capabilities.has_validate_only:
            refusal = f"link '{link.name}' cannot only validate; name another with 'via'"
        if refusal is not None:
            self.tell(OrderValidated(ts_ns=now_ns, cl_ord_id=order.cl_ord_id, link=link.name, error=refusal))
            return
        deadline_ns = self._deadline_ns(link, now_ns)
        request_id = self._requests.next_id()
        command = replace(order, request_id=request_id, deadline_ns=deadline_ns, is_validate_only=True)
        self._requests.send(RequestKind.VALIDATE, link, command, (), now_ns)

    def _new_record(self, command: AddOrder, link: Link, now_ns: int) -> OrderRecord:
        cl_ord_id = command.cl_ord_id
        if cl_ord_id in self.orders:
            raise SimulationError(f"client order id '{cl_ord_id}' was used before; each order needs its own")
        record = self.orders[cl_ord_id] = OrderRecord(command, link.name, link.session_id, now_ns)
        return record

    def _begin(self, record: OrderRecord) -> None:
        self.open_orders[record.cl_ord_id] = record
        record.reach = self._sessions.reach(record)

    def _tell_submitted(self, record: OrderRecord) -> None:
        """Once it has been sent: nothing that is told holds its bytes up, and no answer comes from within sending."""
        self._listener.order_submitted(record)
        if not self._polls.is_heard(record):
            self._polls.ensure()

    def adopt(self, order: AddOrder, link_name: str, session_id: str, ts_sent_ns: int) -> OrderRecord:
        """Take over an order that another run, or somebody else, has sent, by the command that asked for it.

        It is unknown until the caller says more of its record (``know``), or the venue does. After the start, the desk
        sees to it that it is asked for where news does not tell of it.
        """
        record = self.orders[order.cl_ord_id] = OrderRecord(order, link_name, session_id, ts_sent_ns)
        self.open_orders[order.cl_ord_id] = record
        record.knowledge = Knowledge.UNKNOWN
        record.reach = self._sessions.reach(record)
        self._requests.adopt(order, link_name, record, ts_sent_ns)
        if not self._polls.is_heard(record):
            self._polls.ensure()
        return record

    def know(self, record: OrderRecord, order_id: str | None, request_id: int) -> None:
        """An order that was adopted, and sent by this request, is one that the venue had told of, by this id."""
        self._requests.forget(record, request_id)
        record.knowledge = Knowledge.OPEN
        if order_id is not None:
            self._ledger.name(record, order_id)

    def count_on(self, last_request_id: int) -> None:
        """Number requests after those of a run before."""
        self._requests.last_id = max(self._requests.last_id, last_request_id)

    # ------------------------------------------------------------------------------------------------- changes

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
        """Change an order in place, or (``is_edit``) by the venue's cancel-and-new, which loses the queue place.

        Orders carry client ids; where the venue does not edit those, the order is changed in place all the same.
        qty_lots: new total quantity, what is filled included. Nothing happens to an order that has ended.
        """
        record = self.orders.get(cl_ord_id)
        if record is None or not record.is_live:
            return
        link = self._changes.link_for_change(record) if via is None else self._link(via)
        now_ns = self._clock.now_ns
        schedule, age_ns = self.budget.schedule, record.age_ns(now_ns)
        is_end = qty_lots is not None and qty_lots <= record.cum_lots
        is_edit = is_edit and (record.has_only_order_id or link.profile.capabilities.edits_cl_ord_ids)
        charge = edit_charge(schedule, age_ns) if is_edit else amend_charge(schedule, age_ns, ends_order=is_end)
        denial = self._denial(link, record.symbol, charge, now_ns)
        if denial is None and record.edit is not None:
            denial = "an edit of the order is in flight, and will give it a new id; wait for its answer"
        if denial is None and is_edit and record.order_id is None:
            denial = "the venue's id of the order is not known yet, and an edit needs it"
        if denial is None and self._guard is not None:
            terms = (qty_lots, limit_ticks, trigger_ticks)
            denial = self._guard.amend_denial(record, self.open_orders, *terms)
        if denial is not None:
            self._listener.amend_rejected(record, denial, now_ns)
            return
        self.budget.spend(record.symbol, charge, now_ns)
        request_id, deadline_ns = self._requests.next_id(), self._deadline_ns(link, now_ns)
        venue_qty_lots = None if qty_lots is None else max(0, qty_lots - record.prior_lots)
        if is_edit:
            assert record.order_id is not None
            edit = EditOrder(
                request_id=request_id,
                deadline_ns=deadline_ns,
                order_id=record.order_id,
                qty_lots=venue_qty_lots,
                limit_ticks=limit_ticks,
                trigger_ticks=trigger_ticks,
                display_lots=display_lots,
                is_post_only=is_post_only,
            )
            try:
                self._requests.send(RequestKind.EDIT, link, edit, (record,), now_ns)
            finally:  # it is in flight, and its fate not known, where it cannot be written down too
                record.edit = self._requests.in_flight.get(request_id)
            return
        amend = AmendOrder(
            request_id=request_id,
            deadline_ns=deadline_ns,
            cl_ord_id=None if record.has_only_order_id else cl_ord_id,
            order_id=record.order_id if record.has_only_order_id else None,
            qty_lots=venue_qty_lots,
            limit_ticks=limit_ticks,
            trigger_ticks=trigger_ticks,
            display_lots=display_lots,
            is_post_only=is_post_only,
        )
        self._requests.send(RequestKind.AMEND, link, amend, (record,), now_ns)

    # ------------------------------------------------------------------------------------------------- the past

    def forget(self, before_ns: int) -> list[str]:
        """Let go of the orders that closed before a time, and return their client ids.

        What is said of one of them later is taken for news of an order of others.
        """
        return self._ledger.forget(before_ns)

    @property
    def order_count(self) -> int:
        """So many orders there have been."""
        return len(self.orders) + self._ledger.forgotten_count

    # ------------------------------------------------------------------------------------------------- cancels

    def cancel(self, cl_ord_id: str, via: str | None = None) -> None:
        """Cancel one order by the first road that reaches it; nothing happens to an order that has ended.

        via: the road asked for, used as it is, whether or not it reaches. Without it the policy's route is walked; if
        no step reaches, the first link that is up is asked all the same, for the venue is the judge; if none is up,
        the cancel is refused here and the order stays.
        """
        record = self.orders.get(cl_ord_id)
        if record is not None:
            self._cancels.cancel(record, via)

    def cancel_batch(self, cl_ord_ids: Sequence[str], via: str | None = None) -> None:
        """Cancel several orders, in as few requests as there can be where the road has batches and reaches them all,
        else one by one.
        """
        records = [record for record in map(self.orders.get, cl_ord_ids) if record is not None]
        self._cancels.cancel_batch(records, via)

    def has_batch_cancels(self, via: str | None = None) -> bool:
        """Whether a road, by default the first of the cancel route, takes several cancels in one request."""
        return self._cancels.has_batches(via)

    def cancel_all(self, via: str | None = None) -> None:
        """Cancel every open order of the account, ours or not, by the venue's own request for that.

        Without ``via`` the first step of the cancel route is used that is up and can.
        """
        self._cancels.cancel_all(via)

    def cancel_all_after(self, timeout_s: int, via: str | None = None) -> None:
        """Arm the account's dead man's switch, on a link that has it; 0 disarms it.

        Raises ConfigError if no link has it.
        """
        self._cancels.cancel_all_after(timeout_s, via)

    # ------------------------------------------------------------------------------------------------- questions

    def query(self) -> None:
        """Ask the venue for open and recently ended orders, unless an answer is awaited or no road can ask now."""
        self._polls.ask()

    def note_read(self) -> None:
        """The account's orders were asked for beside the desk: its budget has less for polls."""
        self._polls.note_read()

    @property
    def last_request_id(self) -> int:
        """Number of the newest request: what is asked later has a greater one."""
        return self._requests.last_id

    @property
    def can_query(self) -> bool:
        """Whether any of its links can be asked for orders."""
        return self._polls.can_ask

    def listen_snapshots(self, callback: Callable[[OrdersSnapshot], None]) -> None:
        """Have each answer to a question told, once it is read."""
        self._snapshot_listeners.append(callback)

    def unlisten_snapshots(self, callback: Callable[[OrdersSnapshot], None]) -> None:
        """Have no more told."""
        self._snapshot_listeners.remove(callback)

    def listen_sends(self, callback: Callable[[Link, Command, int], None]) -> None:
        """Have each command told once it is on its link, with the time at which it was asked for."""
        self._requests.on_left.append(callback)

    @property
    def unknown_count(self) -> int:
        """How many requests are of unknown fate."""
        return self._requests.unknown_count

    @property
    def is_settled(self) -> bool:
        """Whether all fills have been learned, as far as one can tell."""
        return all(link.is_up for link in self.links.values()) and not any(
            record.has_missing_fills or record.ended is not None for record in self.open_orders.values()
        )

    def knows(self, status: OrderStatus) -> bool:
        """Whether an order of a snapshot is one of its own."""
        return self.find(status.cl_ord_id, status.order_id) is not None

    def find(self, cl_ord_id: str, order_id: str) -> OrderRecord | None:
        """What it knows of a venue's order; None for one that is not its own."""
        return self._ledger.find(cl_ord_id, order_id)

    def tell(self, event: RoadEvent) -> None:
        """Tell strategy and journal of an event of the road, such as the budget's."""
        self._ledger.tell(event)

    # ------------------------------------------------------------------------------------------------- from links

    def on_report(self, link_name: str, report: Report) -> None:
        """A report came by a link."""
        if type(report) is ExecutionReport:
            self._reader.read_execution(report, link_name)
        elif isinstance(report, SessionOpenedReport):
            self._sessions.opened(self.links[link_name], report)
            return
        elif isinstance(report, RateCount):
            self.budget.note_venue(report, self._clock.now_ns)
            return
        else:
            self._reader.read(link_name, report)
            if isinstance(report, OrdersSnapshot):
                for callback in tuple(self._snapshot_listeners):
                    callback(report)
        if self._sessions.replaying:
            self._sessions.count_replayed(link_name)

    def on_session_closed(self, link_name: str, reason: str) -> None:
        """A link's session dropped or ended, or could not be opened; what was in flight on it is unknown now."""
        self._sessions.closed(self.links[link_name], reason)

    # ------------------------------------------------------------------------------------------------- within

    def _on_lost(self) -> None:
        self._polls.lost()
        self._polls.doubt()

    def _read_again(self, report: ExecutionReport, link_name: str) -> None:
        self._reader.read_execution(report, link_name)

    def _denial(self, link: Link, symbol: str, charge: Charge, now_ns: int) -> str | None:
        if self._halt is not None:
            return self._halt
        if not link.is_up:
            return f"link '{link.name}' is down"
        return self.budget.denial(symbol, charge, now_ns)

    def _deadline_ns(self, link: Link, now_ns: int) -> int | None:
        capabilities = link.profile.capabilities
        if self.policy.deadline_ms is None or capabilities.deadline_max_ns == 0:
            return None
        wait_ns = self.policy.deadline_ms * _MS
        return now_ns + min(max(wait_ns, capabilities.deadline_min_ns), capabilities.deadline_max_ns)

    def _link(self, name: str) -> Link:
        link = self.links.get(name)
        if link is None:
            raise ConfigError(f"there is no link '{name}'; links: {', '.join(self.links)}")
        return link
