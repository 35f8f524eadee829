"""What a run knew when its process ended, made again from its journal: nothing that was written down is forgotten, and
nothing is concluded that was not.

An order whose answer had not come is unknown, and so is every command without an answer: its bytes may have left.
"""

from __future__ import annotations

from collections.abc import Callable

from framework.live.records import (
    Answered,
    AnyRecord,
    Began,
    Changed,
    Denied,
    Ended,
    Filled,
    Intended,
    Known,
    Noted,
    Resolved,
)
from framework.messages import AddBatch, AddOrder, QueryOrders
from framework.protocol import BUY

__all__ = ["KnownOrder", "Recovery"]

# Client ids with so many first characters in common are counted on by the same strategy.
_BEGINNING = 4


class KnownOrder:
    """One order that had not ended as far as was known.

    add: the command that asked for it. link, session_id: by which it was sent. order_id: None while the venue has not
    told it. cum_lots: filled so far; exec_ids: by these fills. is_known: the venue has said that it exists.
    """

    __slots__ = (
        "add",
        "cum_lots",
        "exec_ids",
        "is_known",
        "limit_ticks",
        "link",
        "order_id",
        "qty_lots",
        "session_id",
        "trigger_ticks",
        "ts_sent_ns",
    )

    def __init__(self, add: AddOrder, link: str, session_id: str, ts_sent_ns: int) -> None:
        self.add = add
        self.link = link
        self.session_id = session_id
        self.ts_sent_ns = ts_sent_ns
        self.order_id: str | None = None
        self.is_known = False
        self.qty_lots = add.qty_lots
        self.limit_ticks = add.limit_ticks
        self.trigger_ticks = add.trigger_ticks
        self.cum_lots = 0
        self.exec_ids: tuple[str, ...] = ()


class Recovery:
    """Reads records one by one.

    open_orders: by client id, oldest first. unknown: commands that no answer and no proof is known of, by number.
    positions_lots: by symbol, over all runs of the journal. fill_count: of all. last_request_id, last_ns: greatest.
    sessions: the last session of each link. last_ids: the greatest client id of those with a beginning in common, so
    that no run uses one again. run_count: runs that have written.
    """

    def __init__(self) -> None:
        self.open_orders: dict[str, KnownOrder] = {}
        self.unknown: dict[int, Intended] = {}
        self.positions_lots: dict[str, int] = {}
        self.fill_count = 0
        self.record_count = 0
        self.run_count = 0
        self.last_request_id = 0
        self.last_ns = 0
        self.sessions: dict[str, str] = {}
        self.last_ids: dict[str, str] = {}
        self._readers: dict[type, Callable[..., None]] = {
            Began: self._began,
            Intended: self._intended,
            Answered: self._answered,
            Resolved: self._resolved,
            Known: self._known,
            Changed: self._changed,
            Filled: self._filled,
            Ended: self._ended,
            Denied: self._denied,
            Noted: self._noted,
        }

    def read(self, record: AnyRecord) -> None:
        """Take the next record."""
        self.record_count += 1
        if record.ts_ns > self.last_ns:
            self.last_ns = record.ts_ns
        self._readers[type(record)](record)

    def unknown_orders(self) -> list[str]:
        """Client ids of orders that the venue is not known to know."""
        return [cl_ord_id for cl_ord_id, order in self.open_orders.items() if not order.is_known]

    # ------------------------------------------------------------------------------------------------- within

    def _began(self, record: Began) -> None:
        self.run_count += 1

    def _intended(self, record: Intended) -> None:
        command = record.command
        self.last_request_id = max(self.last_request_id, command.request_id)
        if isinstance(command, QueryOrders):
            return
        self.unknown[command.request_id] = record
        if isinstance(command, AddOrder):
            if not command.is_validate_only:
                self._add(command, record)
        elif isinstance(command, AddBatch):
            for order in command.orders:
                self._add(order, record)

    def _add(self, order: AddOrder, record: Intended) -> None:
        cl_ord_id = order.cl_ord_id
        self.open_orders[cl_ord_id] = KnownOrder(order, record.link, record.session_id, record.ts_ns)
        beginning = cl_ord_id[:_BEGINNING]
        self.last_ids[beginning] = max(cl_ord_id, self.last_ids.get(beginning, ""))

    def _answered(self, record: Answered) -> None:
        if record.outcome != "lost":
            self.unknown.pop(record.request_id, None)

    def _resolved(self, record: Resolved) -> None:
        self.unknown.pop(record.request_id, None)

    def _known(self, record: Known) -> None:
        order = self.open_orders.get(record.cl_ord_id)
        if order is not None:
            order.is_known = True
            order.order_id = record.order_id

    def _changed(self, record: Changed) -> None:
        order = self.open_orders.get(record.cl_ord_id)
        if order is not None:
            order.order_id = record.order_id or order.order_id
            order.qty_lots = record.qty_lots
            order.limit_ticks, order.trigger_ticks = record.limit_ticks, record.trigger_ticks

    def _filled(self, record: Filled) -> None:
        self.fill_count += 1
        lots = record.lots if record.side == BUY else -record.lots
        self.positions_lots[record.symbol] = self.positions_lots.get(record.symbol, 0) + lots
        order = self.open_orders.get(record.cl_ord_id)
        if order is not None:
            order.cum_lots += record.lots
            order.exec_ids = (*order.exec_ids, record.exec_id)
            if order.qty_lots and order.cum_lots >= order.qty_lots:
                del self.open_orders[record.cl_ord_id]

    def _ended(self, record: Ended) -> None:
        self.open_orders.pop(record.cl_ord_id, None)

    def _denied(self, record: Denied) -> None:
        self.open_orders.pop(record.cl_ord_id, None)

    def _noted(self, record: Noted) -> None:
        if record.link is not None and record.session_id is not None:
            self.sessions[record.link] = record.session_id
