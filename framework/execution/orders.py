"""What the desk knows of one order, and of one request that is on its way.

The venue's truth is elsewhere; this is the strategy's side of it, so "unknown" is a state like the others.
"""

from __future__ import annotations

import enum

from framework.messages import AddOrder, Command, OrderState
from framework.protocol import OrderType

__all__ = ["InFlight", "Knowledge", "OrderRecord", "RequestKind"]

# Up to so many fills of an order are kept in a tuple, which is smaller than a set.
_FEW_FILLS = 8


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
    VALIDATE = 7


class OrderRecord:
    """One own order as the strategy's side knows it.

    owner_link, owner_session: by which session it was entered; single cancels of some protocols reach only those.
    reach: the links whose single cancel reaches it now.
    qty_lots, cum_lots: over the whole life of the order, edits included. qty_lots is 0 for an order in quote currency
        until its first fill, and from then on one lot more than is filled, until the venue says that it is done.
    prior_lots: filled under venue ids that edits have replaced; the venue's own quantities leave them out.
        prior_told_lots: those of them whose fills are known.
    venue_cum_lots: the most that the venue has said to be filled; fills are missing while it is above ``cum_lots``.
    ended: (state, reason, venue time) once the venue has said that it ended; it closes when its fills are complete.
    ts_state_ns: venue time of the newest terms known (quantity and prices); what is older does not change them.
    ts_aged_ns: when the venue created or last amended it, as far as known: the age that rate penalties look at.
    edit: the edit that is in flight for it. held_end: news that its venue order ended, kept until that edit is
    answered.
    has_only_order_id: the venue does not know it by its client id any more, since an edit.
    missed_cancel_id: number of the last request when a cancel was carried out that the order, of which nothing had been
        heard by then, may have missed; None for none.
    doubt_request_id: number of the last request when the venue said that it does not find the order; None for no doubt.
    """

    __slots__ = (
        "cl_ord_id",
        "cum_lots",
        "display_lots",
        "doubt_request_id",
        "edit",
        "ended",
        "exec_ids",
        "has_only_order_id",
        "held_end",
        "is_quote_qty",
        "is_triggered",
        "knowledge",
        "limit_ticks",
        "missed_cancel_id",
        "order_id",
        "order_type",
        "owner_link",
        "owner_session",
        "prior_lots",
        "prior_told_lots",
        "qty_lots",
        "reach",
        "side",
        "symbol",
        "trigger_ticks",
        "ts_aged_ns",
        "ts_sent_ns",
        "ts_state_ns",
        "venue_cum_lots",
    )

    def __init__(self, command: AddOrder, owner_link: str, owner_session: str, now_ns: int) -> None:
        self.cl_ord_id = command.cl_ord_id
        self.symbol = command.symbol
        self.side = command.side
        self.order_type: OrderType = command.order_type
        self.qty_lots = command.qty_lots
        self.is_quote_qty = command.quote_qty is not None
        self.limit_ticks = command.limit_ticks
        self.trigger_ticks = command.trigger_ticks
        self.display_lots = command.display_lots
        self.cum_lots = 0
        self.prior_lots = 0
        self.prior_told_lots = 0
        self.venue_cum_lots = 0
        self.order_id: str | None = None
        self.has_only_order_id = False
        self.knowledge = Knowledge.SENT
        self.owner_link = owner_link
        self.owner_session = owner_session
        self.reach: tuple[str, ...] = ()
        self.exec_ids: tuple[str, ...] | set[str] = ()
        self.is_triggered = False
        self.ended: tuple[OrderState, str, int] | None = None
        self.edit: InFlight | None = None
        self.held_end: tuple[OrderState, str, int, int] | None = None
        self.doubt_request_id: int | None = None
        self.missed_cancel_id: int | None = None
        self.ts_sent_ns = now_ns
        self.ts_aged_ns = now_ns
        self.ts_state_ns = 0

    @property
    def leaves_lots(self) -> int:
        """Quantity not known to be filled."""
        return self.qty_lots - self.cum_lots

    @property
    def is_open(self) -> bool:
        """Whether it may still be alive at the venue, or fills of it are still to be told."""
        return self.knowledge is not Knowledge.CLOSED

    @property
    def is_live(self) -> bool:
        """Whether it may still be alive at the venue, as far as known."""
        return self.knowledge is not Knowledge.CLOSED and self.ended is None

    @property
    def has_missing_fills(self) -> bool:
        """Whether the venue has told of more being filled than of fills."""
        return self.venue_cum_lots > self.cum_lots

    def age_ns(self, now_ns: int) -> int:
        """Age as rate penalties count it, never too old: an order without an answer counts as new."""
        return 0 if self.knowledge is Knowledge.SENT else max(0, now_ns - self.ts_aged_ns)

    def note_exec(self, exec_id: str) -> bool:
        """Remember a fill; False if it was known already (it came by two roads, or was replayed)."""
        known = self.exec_ids
        if exec_id in known:
            return False
        if isinstance(known, set):
            known.add(exec_id)
        else:
            self.exec_ids = (*known, exec_id) if len(known) < _FEW_FILLS else {*known, exec_id}
        return True


class InFlight:
    """One request that has had no answer yet.

    records: the orders that it concerns.
    is_unknown: the answer is overdue, or its line dropped under it.
    lost_request_id: number of the last request when it became unknown; what was asked later has evidence of it.
    is_replayable: its session can still be resumed, so that a replay would tell its answer.
    """

    __slots__ = ("command", "is_replayable", "is_unknown", "kind", "link", "lost_request_id", "records", "ts_sent_ns")

    def __init__(
        self, kind: RequestKind, command: Command, link: str, records: tuple[OrderRecord, ...], ts_sent_ns: int
    ) -> None:
        self.kind = kind
        self.command = command
        self.link = link
        self.records = records
        self.ts_sent_ns = ts_sent_ns
        self.is_unknown = False
        self.lost_request_id = 0
        self.is_replayable = True
