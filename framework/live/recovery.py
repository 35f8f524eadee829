"""What a run knew when its process ended, made again from its journal: nothing that was written down is forgotten, and
nothing is concluded that was not.

An order whose answer had not come is unknown, and so is every command without an answer: its bytes may have left.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from framework.live.records import (
    Answered,
    AnyRecord,
    Began,
    Changed,
    Denied,
    Ended,
    Filled,
    Held,
    Intended,
    Known,
    Noted,
    Resolved,
)
from framework.messages import AddBatch, AddOrder, EditOrder, QueryOrders
from framework.protocol import BUY

__all__ = ["KnownOrder", "Recovery"]

# Client ids with so many first characters in common are counted on by the same strategy.
_BEGINNING = 4


class KnownOrder:
    """One order that had not ended as far as was known.

    add: the command that asked for it. link, session_id: by which it was sent. order_id: None while the venue has not
    told it. cum_lots: filled so far; fills: by these. is_known: the venue has said that it exists, at known_ns.
    prior_lots: of that what was filled before the last edit, whose order has no client's id; None without one.
    """

    __slots__ = (
        "add",
        "cum_lots",
        "fills",
        "is_known",
        "known_ns",
        "limit_ticks",
        "link",
        "order_id",
        "prior_lots",
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
        self.fills: list[Filled] = []
        self.known_ns = 0
        self.prior_lots: int | None = None

    @property
    def exec_ids(self) -> tuple[str, ...]:
        """The venue's ids of its fills."""
        return tuple(fill.exec_id for fill in self.fills)


class Recovery:
    """Reads records one by one.

    open_orders: by client id, oldest first. unknown: commands that no answer and no proof is known of, by number.
    positions_lots: by symbol, over all runs of the journal. fill_count: of all. last_request_id, last_ns: greatest.
    sessions: the last session of each link. last_ids: the greatest client id of those with a beginning in common, so
    that no run uses one again. run_count: runs that have written. strategy: of the last one.
    entry_ticks: by symbol, the average price at which what is held was bought or sold.
    balances: what the account had by the venue's last word, given at balances_ns; None where there is none. traded,
    fees: since then, by symbol lots bought less lots sold, and the same times their price in ticks; by asset.
    traded_count: fills since then.
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
        self.entry_ticks: dict[str, Decimal] = {}
        self.strategy = ""
        self.balances: dict[str, Decimal] | None = None
        self.balances_ns = 0
        self.traded: dict[str, list[int]] = {}
        self.traded_count = 0
        self.fees: dict[str, Decimal] = {}
        # Who asked for the last edit of an order, by the venue's id that it had then.
        self._edits: dict[str, tuple[str, str]] = {}
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
            Held: self._held,
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
        self.strategy = record.strategy

    def _intended(self, record: Intended) -> None:
        command = record.command
        self.last_request_id = max(self.last_request_id, command.request_id)
        if isinstance(command, QueryOrders):
            return
        self.unknown[command.request_id] = record
        if isinstance(command, EditOrder):
            self._edits[command.order_id] = (record.link, record.session_id)
        elif isinstance(command, AddOrder):
            if not command.is_validate_only:
                self._add(command, record)
        elif isinstance(command, AddBatch):
            for order in command.orders:
                self._add(msgspec.structs.replace(order, deadline_ns=command.deadline_ns), record)

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
            order.order_id, order.known_ns = record.order_id, record.ts_ns

    def _changed(self, record: Changed) -> None:
        order = self.open_orders.get(record.cl_ord_id)
        if order is not None:
            if record.order_id not in (None, order.order_id) and order.order_id in self._edits:
                # What an edit made is an order of the session that edited.
                order.link, order.session_id = self._edits.pop(order.order_id)
                order.prior_lots = order.cum_lots
            order.order_id = record.order_id or order.order_id
            order.qty_lots = record.qty_lots
            order.limit_ticks, order.trigger_ticks = record.limit_ticks, record.trigger_ticks

    def _filled(self, record: Filled) -> None:
        self.fill_count += 1
        lots = record.lots if record.side == BUY else -record.lots
        self._hold(record.symbol, lots, record.price_ticks)
        traded = self.traded.setdefault(record.symbol, [0, 0])
        traded[0] += lots
        traded[1] += lots * record.price_ticks
        self.traded_count += 1
        if record.fee_asset:
            self.fees[record.fee_asset] = self.fees.get(record.fee_asset, Decimal(0)) + Decimal(record.fee)
        order = self.open_orders.get(record.cl_ord_id)
        if order is not None:
            order.cum_lots += record.lots
            order.fills.append(record)
            if order.qty_lots and order.cum_lots >= order.qty_lots:
                del self.open_orders[record.cl_ord_id]

    def _hold(self, symbol: str, lots: int, price_ticks: int) -> None:
        held = self.positions_lots.get(symbol, 0)
        after = self.positions_lots[symbol] = held + lots
        if not after:
            self.entry_ticks.pop(symbol, None)
        elif not held or (held > 0) != (after > 0):
            self.entry_ticks[symbol] = Decimal(price_ticks)
        elif abs(after) > abs(held):
            self.entry_ticks[symbol] = (self.entry_ticks[symbol] * held + price_ticks * lots) / after

    def _ended(self, record: Ended) -> None:
        self.open_orders.pop(record.cl_ord_id, None)

    def _denied(self, record: Denied) -> None:
        self.open_orders.pop(record.cl_ord_id, None)

    def _noted(self, record: Noted) -> None:
        if record.link is not None and record.session_id is not None:
            self.sessions[record.link] = record.session_id

    def _held(self, record: Held) -> None:
        self.balances = {asset: Decimal(amount) for asset, amount in record.balances.items()}
        self.balances_ns = record.ts_ns
        self.traded.clear()
        self.traded_count = 0
        self.fees.clear()
