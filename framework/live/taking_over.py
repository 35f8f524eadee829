"""What a run before has left: its orders as the desk's own again, and none of its numbers used twice."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from msgspec.structs import replace

from framework.adapter import LiveVenue
from framework.execution.desk import ExecutionDesk
from framework.execution.orders import Knowledge, OrderRecord
from framework.live.clock import LiveClock
from framework.live.recovery import Recovery
from framework.messages import OrdersSnapshot

__all__ = ["Inquiry", "take_over"]

_NS = 1_000_000_000
_ASK_NS = 250_000_000


def take_over(
    desk: ExecutionDesk, venue: LiveVenue, recovery: Recovery, say: Callable[[str], None]
) -> list[OrderRecord]:
    """Have a desk that has not started, and its links, know what the journal tells; returns its orders that had not
    ended.

    What is not known of them is asked for by the desk, as after any lost answer. say: hears what is out of the
    ordinary.
    """
    desk.count_on(recovery.last_request_id)
    strange: dict[str, int] = {}
    records = []
    for known in recovery.open_orders.values():
        if known.link not in desk.links:
            strange[known.link] = strange.get(known.link, 0) + 1
        record = desk.adopt(known.add, known.link, known.session_id, known.ts_sent_ns)
        record.qty_lots, record.limit_ticks = known.qty_lots, known.limit_ticks
        record.trigger_ticks = known.trigger_ticks
        record.cum_lots = record.venue_cum_lots = known.cum_lots
        prior_lots = known.prior_lots or 0
        record.prior_lots = record.prior_told_lots = prior_lots
        record.has_only_order_id = known.prior_lots is not None
        for fill in known.fills:
            record.note_exec(fill.exec_id)
        if known.is_known:
            desk.know(record, known.order_id, known.add.request_id)
        now = replace(
            known.add,
            qty_lots=known.qty_lots - prior_lots,
            limit_ticks=known.limit_ticks,
            trigger_ticks=known.trigger_ticks,
        )
        fees = sum((Decimal(fill.fee) for fill in known.fills), Decimal(0))
        venue.remember(now, known.order_id, known.cum_lots - prior_lots, fees)
        records.append(record)
    for link, count in strange.items():
        say(f"{count} orders of a run before were sent by {link}, which is not in this run")
    return records


class Inquiry:
    """Asks the venue until the fate of a desk's orders is known, or patience ends.

    then: called once, soon after. snapshot: the newest answer; None while there is none. patience_s: from ``begin`` on.
    """

    def __init__(self, desk: ExecutionDesk, clock: LiveClock, patience_s: float, then: Callable[[], None]) -> None:
        self.snapshot: OrdersSnapshot | None = None
        self._desk = desk
        self._clock = clock
        self._patience_ns = round(patience_s * _NS)
        self._then = then
        self._until_ns = 0

    def begin(self) -> None:
        """Set out."""
        self._until_ns = self._clock.now_ns + self._patience_ns
        self._desk.listen_snapshots(self._on_snapshot)
        self._look()

    def open_questions(self) -> list[OrderRecord]:
        """Orders that not all is known of."""
        return [
            record
            for record in self._desk.open_orders.values()
            if record.knowledge is not Knowledge.OPEN
            or record.has_missing_fills
            or record.ended is not None
            or record.doubt_request_id is not None
        ]

    def _look(self) -> None:
        now_ns = self._clock.now_ns
        if (self.snapshot is not None and not self.open_questions()) or now_ns >= self._until_ns:
            self._desk.unlisten_snapshots(self._on_snapshot)
            self._then()
            return
        if self.snapshot is None:
            self._desk.query()  # which does nothing while an answer is awaited
        self._clock.at(now_ns + _ASK_NS, self._look)

    def _on_snapshot(self, report: OrdersSnapshot) -> None:
        if report.request_id is not None:
            self.snapshot = report
