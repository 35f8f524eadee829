"""What a run before has left: its orders as the desk's own again, and none of its numbers used twice."""

from __future__ import annotations

from collections.abc import Callable

from framework.execution.desk import ExecutionDesk
from framework.execution.orders import OrderRecord
from framework.live.recovery import Recovery

__all__ = ["take_over"]


def take_over(desk: ExecutionDesk, recovery: Recovery, say: Callable[[str], None]) -> list[OrderRecord]:
    """Have a desk that has not started know what the journal tells; returns its orders that had not ended.

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
        for fill in known.fills:
            record.note_exec(fill.exec_id)
        if known.is_known:
            desk.know(record, known.order_id, known.add.request_id)
        records.append(record)
    for link, count in strange.items():
        say(f"{count} orders of a run before were sent by {link}, which is not in this run")
    return records
