"""What the desk knows of one order, and of one request that is on its way.

The venue's truth is elsewhere; this is the strategy's side of it, so "unknown" is a state like the others.
"""

from __future__ import annotations

import enum

from framework.messages import AddOrder, Command
from framework.protocol import OrderType

__all__ = ["InFlight", "Knowledge", "OrderRecord", "RequestKind"]


class Knowledge(enum.IntEnum):
    """What is known of an order."""

    SENT = 0  # on its way, no answer yet
    OPEN = 1  # accepted, not known to have ended
    UNKNOWN = 2  # nothing proves that it exists, nothing that it does not
    CLOSED = 3  # known to have ended, fills included


class RequestKind(enum.IntEnum):
    """What a request asked for."""

    ADD = 0
    AMEND = 1
    EDIT = 2
    CANCEL = 3
    MASS_CANCEL = 4
    CANCEL_AFTER = 5
    QUERY = 6


class OrderRecord:
    """One own order as the strategy's side knows it.

    owner_link, owner_session: by which session it was entered; single cancels of some protocols reach only those.
    reach: the links whose single cancel reaches it now.
    cancels_in_flight: cancels sent for it that have had no answer.
    closing_reason: an answer says that it ended, but its fills are not known to be complete yet; None otherwise.
    """

    __slots__ = (
        "amends_in_flight",
        "cancels_in_flight",
        "cl_ord_id",
        "closing_reason",
        "cum_lots",
        "display_lots",
        "exec_ids",
        "knowledge",
        "limit_ticks",
        "order_id",
        "order_type",
        "owner_link",
        "owner_session",
        "qty_lots",
        "reach",
        "side",
        "symbol",
        "trigger_ticks",
        "ts_aged_ns",
        "ts_sent_ns",
    )

    def __init__(
        self, command: AddOrder, owner_link: str, owner_session: str, now_ns: int
    ) -> None:
        self.cl_ord_id = command.cl_ord_id
        self.symbol = command.symbol
        self.side = command.side
        self.order_type: OrderType = command.order_type
        self.qty_lots = command.qty_lots
        self.limit_ticks = command.limit_ticks
        self.trigger_ticks = command.trigger_ticks
        self.display_lots = command.display_lots
        self.cum_lots = 0
        self.order_id: str | None = None
        self.knowledge = Knowledge.SENT
        self.owner_link = owner_link
        self.owner_session = owner_session
        self.reach: tuple[str, ...] = ()
        self.exec_ids: set[str] | None = None
        self.cancels_in_flight = 0
        self.amends_in_flight = 0
        self.closing_reason: str | None = None
        self.ts_sent_ns = now_ns
        # When the venue created or last amended it, as far as known: the age that rate penalties look at.
        self.ts_aged_ns = now_ns

    @property
    def leaves_lots(self) -> int:
        """Quantity not known to be filled."""
        return self.qty_lots - self.cum_lots

    @property
    def is_open(self) -> bool:
        """Whether it may still be alive at the venue."""
        return self.knowledge is not Knowledge.CLOSED

    def note_exec(self, exec_id: str) -> bool:
        """Remember a fill; False if it was known already (it came by two roads, or was replayed)."""
        if self.exec_ids is None:
            self.exec_ids = {exec_id}
            return True
        if exec_id in self.exec_ids:
            return False
        self.exec_ids.add(exec_id)
        return True


class InFlight:
    """One request that has had no answer yet.

    records: the orders that it concerns.
    is_unknown: the answer is overdue, or its line dropped under it.
    """

    __slots__ = ("command", "is_unknown", "kind", "link", "records", "ts_expiry_ns")

    def __init__(
        self,
        kind: RequestKind,
        command: Command,
        link: str,
        records: tuple[OrderRecord, ...],
        ts_expiry_ns: int,
    ) -> None:
        self.kind = kind
        self.command = command
        self.link = link
        self.records = records
        self.ts_expiry_ns = ts_expiry_ns
        self.is_unknown = False
