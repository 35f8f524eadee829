"""What the road adds to a strategy's life: events that no order event tells.

Every event has ``ts_ns``, the time at which the strategy's side learned it, and names links by their configured name.
"""

from __future__ import annotations

import msgspec

from framework.messages import VenueMode

__all__ = [
    "CancelRerouted",
    "KillSwitchProved",
    "KillSwitchPulled",
    "KillSwitchReleased",
    "OrderReachChanged",
    "OrderValidated",
    "OutcomeResolved",
    "OutcomeUnknown",
    "RateBudgetChanged",
    "ReplayCompleted",
    "RequestRejected",
    "RoadEvent",
    "SequenceGap",
    "SessionClosed",
    "SessionOpened",
    "SessionResumed",
    "VenueStatusChanged",
]


class RoadEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the events that come from the road, not from an order."""

    ts_ns: int


class SessionOpened(RoadEvent, frozen=True, kw_only=True):
    """A link's session is new: it owns no order of any session before. cl_ord_ids: own open orders, owned elsewhere."""

    link: str
    session_id: str
    cl_ord_ids: tuple[str, ...]


class SessionResumed(RoadEvent, frozen=True, kw_only=True):
    """A link's session goes on where it was. cl_ord_ids: the open orders that it owns."""

    link: str
    session_id: str
    cl_ord_ids: tuple[str, ...]


class SessionClosed(RoadEvent, frozen=True, kw_only=True):
    """A link's session dropped or ended. cl_ord_ids: the open orders that it owned."""

    link: str
    session_id: str
    reason: str
    cl_ord_ids: tuple[str, ...]


class OrderReachChanged(RoadEvent, frozen=True, kw_only=True):
    """Who can cancel an order now. reach: the links whose single cancel reaches it, () for none."""

    cl_ord_id: str
    reach: tuple[str, ...]
    previous: tuple[str, ...]
    reason: str


class CancelRerouted(RoadEvent, frozen=True, kw_only=True):
    """A cancel went by another road than asked."""

    cl_ord_id: str
    asked: str
    used: str
    reason: str


class OutcomeUnknown(RoadEvent, frozen=True, kw_only=True):
    """Nothing is known of a command's effect. evidence: why, in words. cl_ord_id is "" where it concerns no order."""

    cl_ord_id: str
    command: str
    link: str
    evidence: str


class OutcomeResolved(RoadEvent, frozen=True, kw_only=True):
    """What had been unknown is known again. evidence: what proved it."""

    cl_ord_id: str
    command: str
    link: str
    evidence: str


class RequestRejected(RoadEvent, frozen=True, kw_only=True):
    """A request that concerns no single order was refused by the venue, or could not be sent. reason: why, in words."""

    command: str
    link: str
    reason: str


class OrderValidated(RoadEvent, frozen=True, kw_only=True):
    """The answer to a validate-only request: what the venue would say to that order now; nothing has come of it.

    error: the venue's text, or the desk's where it was not sent; None if the order would be accepted.
    """

    cl_ord_id: str
    link: str
    error: str | None


class RateBudgetChanged(RoadEvent, frozen=True, kw_only=True):
    """A pair's rate counter passed a share of its threshold that the strategy set, upwards or downwards."""

    symbol: str
    share: float
    used_share: float
    is_above: bool


class SequenceGap(RoadEvent, frozen=True, kw_only=True):
    """Messages of a session were missed and have been asked for again."""

    link: str
    missed_count: int


class ReplayCompleted(RoadEvent, frozen=True, kw_only=True):
    """The messages that were missed have been received."""

    link: str
    replayed_count: int


class VenueStatusChanged(RoadEvent, frozen=True, kw_only=True):
    """The venue's mode changed; symbol is None for the whole venue."""

    mode: VenueMode
    symbol: str | None


class KillSwitchPulled(RoadEvent, frozen=True, kw_only=True):
    """Everything is being canceled and nothing new is sent, until the switch is released. reason: why, in words."""

    reason: str


class KillSwitchProved(RoadEvent, frozen=True, kw_only=True):
    """Since the switch was pulled, the venue has said that nothing is open; ``ts_venue_ns`` is its time."""

    ts_venue_ns: int


class KillSwitchReleased(RoadEvent, frozen=True, kw_only=True):
    """New orders are sent again."""
