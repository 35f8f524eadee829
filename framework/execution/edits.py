"""Edits: the venue cancels an order and makes a changed one in its stead, under a new id and without the client's.

News of both can come before the answer that joins them: the end of the old order is then held, for it is not the end of
ours, and reports of an id that nobody knows are kept until an answer claims them. Both wait for as long as an edit is
in flight (reports of ids that no answer claims are kept again, and go when there are too many). If the answer is
lost, a snapshot that shows an order without client id, in just the terms asked for, takes its place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from framework.execution.ledger import Ledger
from framework.execution.orders import InFlight, OrderRecord, RequestKind
from framework.messages import EditOrder, ExecutionReport, OrderState, OrderStatus

__all__ = ["Edits"]

# Reports of unknown ids that are kept while an edit is in flight; the oldest go first. An edit's answer is overdue
# after seconds, and one order has a handful of reports in that time.
_KEPT_MAX = 1_000


class Edits:
    """Joins what an edit replaces to what it made.

    in_flight: the requests in flight. read_again: reads a report that had been kept, by the link that it had come by.
    look_back: has the next poll go back to a time of sending, for a poll may have shown the new order to nobody.
    on_moved: hears of an order that is another link's now, by whose name.
    """

    def __init__(
        self,
        ledger: Ledger,
        in_flight: Mapping[int, InFlight],
        read_again: Callable[[ExecutionReport, str], None],
        look_back: Callable[[int], None],
    ) -> None:
        self._ledger = ledger
        self._in_flight = in_flight
        self._read_again = read_again
        self._look_back = look_back
        self.on_moved: Callable[[OrderRecord, str], None] = lambda _, __: None
        self._kept: deque[tuple[ExecutionReport, str]] = deque(maxlen=_KEPT_MAX)

    def keep(self, report: ExecutionReport, link_name: str) -> None:
        """News of an order that nobody knows: it may be what an edit made."""
        if any(flight.kind is RequestKind.EDIT for flight in self._in_flight.values()):
            self._kept.append((report, link_name))

    def holds_end(self, record: OrderRecord, state: OrderState, reason: str, ts_venue_ns: int, cum_lots: int) -> bool:
        """Whether the end of a venue order waits for the answer to an edit, which may have caused it."""
        if record.edit is None:
            return False
        if record.held_end is None:
            record.held_end = (state, reason, ts_venue_ns, cum_lots)
            record.venue_cum_lots = max(record.venue_cum_lots, record.prior_lots + cum_lots)
        return True

    def accepted(self, record: OrderRecord, flight: InFlight, order_id: str | None, ts_venue_ns: int) -> None:
        """The edit was carried out, under this new venue id."""
        command = flight.command
        assert isinstance(command, EditOrder)
        held = _settled(record)
        if not record.is_live:
            return
        if order_id is None or order_id == record.order_id:
            if held is not None:
                self._ledger.end(record, *held)
            return
        qty_lots = record.qty_lots if command.qty_lots is None else command.qty_lots + record.prior_lots
        self._ledger.rename(record, order_id, qty_lots, (command.limit_ticks, command.trigger_ticks), ts_venue_ns)
        self.on_moved(record, flight.link)  # what an edit makes is an order of the session that edits
        self._look_back(flight.ts_sent_ns)
        kept, self._kept = self._kept, deque(maxlen=_KEPT_MAX)
        for report, link_name in kept:
            self._read_again(report, link_name)

    def refused(self, record: OrderRecord, error: str, ts_venue_ns: int) -> None:
        """The edit was not carried out; an end that was held was the order's own."""
        held = _settled(record)
        if not record.is_live:
            return
        if held is not None:
            self._ledger.end(record, *held)
        else:
            self._ledger.listener.amend_rejected(record, error, ts_venue_ns)

    def ask_again(self, flight: InFlight) -> None:
        """The end of the old order was told before, by news or an earlier poll: only a poll that shows it once more
        tells whether anything came in its stead.
        """
        self._look_back(flight.ts_sent_ns)

    def successor(self, record: OrderRecord, strangers: Iterable[OrderStatus]) -> OrderStatus | None:
        """Of orders that nobody knows the one that is what the edit in flight asked for; None if there is not just
        one.
        """
        assert record.edit is not None
        command = record.edit.command
        assert isinstance(command, EditOrder)
        limit_ticks = record.limit_ticks if command.limit_ticks is None else command.limit_ticks
        trigger_ticks = record.trigger_ticks if command.trigger_ticks is None else command.trigger_ticks
        qty_lots = record.qty_lots - record.prior_lots if command.qty_lots is None else command.qty_lots
        held_lots = 0 if record.held_end is None else record.held_end[3]
        alike = [
            status
            for status in strangers
            if not status.cl_ord_id
            and status.symbol == record.symbol
            and status.side == record.side
            and status.order_type == record.order_type
            and status.limit_ticks == limit_ticks
            and status.trigger_ticks == trigger_ticks
            and status.qty_lots == qty_lots - held_lots
        ]
        return alike[0] if len(alike) == 1 else None


def _settled(record: OrderRecord) -> tuple[OrderState, str, int, int] | None:
    """No edit is in flight any more; returns the end that was held for it."""
    held, record.held_end, record.edit = record.held_end, None, None
    return held
