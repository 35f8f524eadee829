"""What proves the fate of a request whose answer did not come.

A time-out, a dropped line and a missing row prove nothing. These do:

- a session that resumed and has replayed all that was missed: what it does not answer of that session never arrived;
- a poll that was asked for after the request had become unknown, in which its order has ended, or has the terms that
  were asked for, or is open as it was: then the request was carried out, or is not going to be;
- for a request with a deadline, a poll made after it, at the venue's own clock: what it does not show was never carried
  out and cannot be any more.

A cancel has no deadline, so "open as it was" says that it has had no effect, not that it never will: if it arrives
after all, the order ends and that is told.
"""

from __future__ import annotations

from framework.execution.edits import Edits
from framework.execution.ledger import Ledger
from framework.execution.link import Clock
from framework.execution.orders import InFlight, Knowledge, OrderRecord, RequestKind
from framework.execution.requests import Requests
from framework.messages import AmendOrder, OrdersSnapshot, OrderStatus

__all__ = ["Evidence"]

_CARRIED_OUT, _NEVER_ARRIVED, _ORDER_ENDED = "carried_out", "never_arrived", "order_ended"


class Evidence:
    """Judges requests of unknown fate."""

    def __init__(self, clock: Clock, ledger: Ledger, requests: Requests, edits: Edits) -> None:
        self._clock = clock
        self._ledger = ledger
        self._requests = requests
        self._edits = edits

    def judge_replay(self, link_name: str) -> None:
        """A resumed session of a link has replayed all that it had to."""
        for flight in self._requests.unknown():
            if flight.link == link_name and flight.is_replayable:
                self._prove_lost(flight, "the session resumed, and its replay does not answer the request")

    def judge_poll(self, report: OrdersSnapshot, seen: set[str], strangers: list[OrderStatus]) -> None:
        """A poll has been read. seen: client ids of own orders in it. strangers: its orders that are not known as
        own.
        """
        assert report.request_id is not None
        for flight in self._requests.unknown():
            if flight.kind is RequestKind.ADD:
                self._judge_add(flight, report, seen)
                continue
            live = [record for record in flight.records if record.is_live]
            if not live:
                self._requests.resolve(flight, "a poll shows that the order has ended", _ORDER_ENDED)
            elif report.request_id > flight.lost_request_id:
                if flight.kind is RequestKind.EDIT:
                    self._judge_edit(flight, live[0], report, seen, strangers)
                elif all(record.cl_ord_id in seen for record in live):
                    self._judge_change(flight, live, report)

    def _judge_add(self, flight: InFlight, report: OrdersSnapshot, seen: set[str]) -> None:
        deadline_ns = flight.command.deadline_ns
        if deadline_ns is not None and report.ts_venue_ns > deadline_ns:
            for record in flight.records:
                if record.knowledge is Knowledge.UNKNOWN and record.cl_ord_id not in seen:
                    error = "never arrived: its deadline has passed, and the venue does not show it"
                    self._ledger.reject(record, error, report.ts_venue_ns)
        if all(record.knowledge is not Knowledge.UNKNOWN for record in flight.records):
            is_known = any(record.order_id is not None for record in flight.records)
            self._requests.resolve(flight, "a poll shows it", _CARRIED_OUT if is_known else _NEVER_ARRIVED)

    def _judge_change(self, flight: InFlight, live: list[OrderRecord], report: OrdersSnapshot) -> None:
        command = flight.command
        if isinstance(command, AmendOrder) and _has_terms(live[0], command):
            self._requests.resolve(flight, "a poll shows the change", _CARRIED_OUT)
        elif command.deadline_ns is None or report.ts_venue_ns > command.deadline_ns:
            self._prove_lost(flight, "a poll shows the order open as it was")

    def _judge_edit(
        self,
        flight: InFlight,
        record: OrderRecord,
        report: OrdersSnapshot,
        seen: set[str],
        strangers: list[OrderStatus],
    ) -> None:
        successor = self._edits.successor(record, strangers)
        if successor is not None:
            self._requests.resolve(flight, "a poll shows the order that the edit made", _CARRIED_OUT)
            self._edits.accepted(record, flight, successor.order_id, report.ts_venue_ns)
        elif record.cl_ord_id in seen:
            deadline_ns = flight.command.deadline_ns
            if record.held_end is not None or deadline_ns is None or report.ts_venue_ns > deadline_ns:
                self._prove_lost(flight, "a poll does not show the order that the edit would have made")
        elif record.held_end is not None:
            self._edits.ask_again(flight)

    def _prove_lost(self, flight: InFlight, evidence: str) -> None:
        self._requests.resolve(flight, evidence, _NEVER_ARRIVED)
        now_ns = self._clock.now_ns
        text = f"never arrived: {evidence}"
        for record in flight.records:
            if flight.kind is RequestKind.ADD:
                self._ledger.reject(record, text, now_ns)
            elif not record.is_live:
                continue
            elif flight.kind is RequestKind.EDIT:
                self._edits.refused(record, text, now_ns)
            elif flight.kind is RequestKind.AMEND:
                self._ledger.listener.amend_rejected(record, text, now_ns)
            else:
                self._ledger.listener.cancel_rejected(record, text, now_ns)


def _has_terms(record: OrderRecord, command: AmendOrder) -> bool:
    """Whether an order is as an amend asked for."""
    return (
        (command.qty_lots is None or record.qty_lots == record.prior_lots + command.qty_lots)
        and command.limit_ticks in (None, record.limit_ticks)
        and command.trigger_ticks in (None, record.trigger_ticks)
        and command.display_lots in (None, record.display_lots)
    )
