"""Requests that are on their way: numbered, sent, answered, overdue.

A request whose answer is overdue, or whose line dropped under it, is kept as unknown until something proves its fate
(``evidence.py``) or its answer comes late. There is one of them for each request that was lost, and none that nothing
could prove is kept: so the table holds what is in flight, plus as many as the evidence is still awaited for.
"""

from __future__ import annotations

from collections.abc import Callable

from framework.execution.budget import RateBudget
from framework.execution.events import OutcomeResolved, OutcomeUnknown
from framework.execution.ledger import Ledger
from framework.execution.link import Clock, Link
from framework.execution.orders import InFlight, Knowledge, OrderRecord, RequestKind
from framework.messages import Command

__all__ = ["Requests"]


class Requests:
    """The table of requests in flight.

    in_flight: by request number, oldest first. unknown_count: how many of them are of unknown fate.
    timeout_ns: patience with an answer, the same for all, so that one timer serves them all.
    on_left: each is called with a link, a command and the time at which it was asked for, once it is on its link.
    on_lost: called once after some requests have become unknown.
    """

    def __init__(
        self, clock: Clock, ledger: Ledger, budget: RateBudget, timeout_ns: int, on_lost: Callable[[], None]
    ) -> None:
        self.in_flight: dict[int, InFlight] = {}
        self.last_id = 0
        self.unknown_count = 0
        self.on_left: list[Callable[[Link, Command, int], None]] = []
        self._clock = clock
        self._ledger = ledger
        self._budget = budget
        self._timeout_ns = timeout_ns
        self._on_lost = on_lost
        self._is_check_scheduled = False

    def next_id(self) -> int:
        """A number for the next request."""
        self.last_id += 1
        return self.last_id

    def send(
        self, kind: RequestKind, link: Link, command: Command, records: tuple[OrderRecord, ...], now_ns: int
    ) -> InFlight:
        """Put a command on a link that is up and await its answer."""
        if link.profile.call_costs is not None and kind is not RequestKind.QUERY:  # polls pay for themselves
            self._budget.spend_call(link.profile, command, now_ns)
        flight = InFlight(kind, command, link.name, records, now_ns)
        self.in_flight[command.request_id] = flight
        if not self._is_check_scheduled:
            self._is_check_scheduled = True
            self._clock.call_at(now_ns + self._timeout_ns, self._check_timeouts)
        self._ledger.journal.sent(link.name, command, now_ns)
        link.send(command)
        for hear in self.on_left:
            hear(link, command, now_ns)
        return flight

    def adopt(self, command: Command, link_name: str, record: OrderRecord, ts_sent_ns: int) -> None:
        """A new order of a run before, whose answer is not known: its fate waits for evidence as any other's. Those
        that were sent by one request share its number.
        """
        flight = self.in_flight.get(command.request_id)
        if flight is not None:
            flight.records = (*flight.records, record)
            return
        flight = InFlight(RequestKind.ADD, command, link_name, (record,), ts_sent_ns)
        flight.is_unknown, flight.is_replayable = True, False
        flight.lost_request_id = self.last_id
        self.in_flight[command.request_id] = flight
        self.unknown_count += 1

    def forget(self, record: OrderRecord, request_id: int) -> None:
        """The fate of an adopted order's request is known after all."""
        flight = self.in_flight.get(request_id)
        if flight is not None:
            flight.records = tuple(each for each in flight.records if each is not record)
            if not flight.records:
                self._drop(flight)

    def take(self, request_id: int, outcome: str, reason: str | None, text: str | None) -> InFlight | None:
        """The answer to a request has come; None if none is awaited."""
        flight = self.in_flight.get(request_id)
        if flight is None:
            return None
        self._ledger.journal.answered(request_id, self._clock.now_ns, outcome, reason, text)
        if flight.is_unknown:
            self.resolve(flight, "its answer came late", None)
        else:
            del self.in_flight[request_id]
        return flight

    def resolve(self, flight: InFlight, evidence: str, resolution: str | None) -> None:
        """The fate of an unknown request is known; new orders are told of one by one, where theirs is concluded.

        resolution: what is proved, as ``Journal.resolved`` has it; None where the answer itself has come.
        """
        self._drop(flight)
        if resolution is not None:
            self._ledger.journal.resolved(flight.command.request_id, resolution)
        if flight.kind is not RequestKind.ADD:
            for record in flight.records:
                self._ledger.tell(
                    OutcomeResolved(
                        ts_ns=self._clock.now_ns,
                        cl_ord_id=record.cl_ord_id,
                        command=type(flight.command).__name__,
                        link=flight.link,
                        evidence=evidence,
                    )
                )

    def load(self, link_name: str) -> int:
        """How many requests on a link have no answer yet."""
        return sum(flight.link == link_name and not flight.is_unknown for flight in self.in_flight.values())

    def unknown(self) -> list[InFlight]:
        """The requests of unknown fate, oldest first."""
        return [flight for flight in self.in_flight.values() if flight.is_unknown] if self.unknown_count else []

    def line_dropped(self, link_name: str, reason: str) -> None:
        """What was in flight on a link is unknown now."""
        flights = [flight for flight in self.in_flight.values() if flight.link == link_name and not flight.is_unknown]
        for flight in flights:
            self._lose(flight, f"the line dropped before an answer came ({reason})")
        if flights:
            self._on_lost()

    def session_ended(self, link_name: str) -> None:
        """A link's session will not be resumed, so no replay will answer what was sent in it."""
        for flight in self.unknown():
            if flight.link == link_name:
                flight.is_replayable = False

    # ------------------------------------------------------------------------------------------------- within

    def _check_timeouts(self) -> None:
        sent_before_ns = self._clock.now_ns - self._timeout_ns
        self._is_check_scheduled = False
        overdue = []
        for flight in self.in_flight.values():
            if flight.is_unknown:
                continue
            if flight.ts_sent_ns > sent_before_ns:
                self._is_check_scheduled = True
                self._clock.call_at(flight.ts_sent_ns + self._timeout_ns, self._check_timeouts)
                break
            overdue.append(flight)
        for flight in overdue:
            self._lose(flight, f"no answer within {self._timeout_ns // 1_000_000} ms")
        if overdue:
            self._on_lost()

    def _lose(self, flight: InFlight, evidence: str) -> None:
        """No answer will come, as far as one can tell. Kept as unknown where an order's fate hangs on it."""
        request_id = flight.command.request_id
        self._ledger.journal.answered(request_id, self._clock.now_ns, "lost", None, evidence)
        kind = flight.kind
        if kind is RequestKind.ADD:
            concerned = [record for record in flight.records if record.knowledge is Knowledge.SENT]
        else:
            concerned = [record for record in flight.records if record.is_live]
        if not concerned:
            del self.in_flight[request_id]
            # Nothing can prove whether the switch is armed, or whether an order would be good; it can be asked again.
            if kind is RequestKind.CANCEL_AFTER or kind is RequestKind.VALIDATE:
                self._tell_unknown(flight, "", evidence)
            return
        flight.is_unknown = True
        flight.lost_request_id = self.last_id
        self.unknown_count += 1
        for record in concerned:
            if kind is RequestKind.ADD:
                record.knowledge = Knowledge.UNKNOWN
            self._tell_unknown(flight, record.cl_ord_id, evidence)

    def _tell_unknown(self, flight: InFlight, cl_ord_id: str, evidence: str) -> None:
        self._ledger.tell(
            OutcomeUnknown(
                ts_ns=self._clock.now_ns,
                cl_ord_id=cl_ord_id,
                command=type(flight.command).__name__,
                link=flight.link,
                evidence=evidence,
            )
        )

    def _drop(self, flight: InFlight) -> None:
        if self.in_flight.pop(flight.command.request_id, None) is not None and flight.is_unknown:
            self.unknown_count -= 1
