"""What the desk needs of a link, and what a link and a desk tell others.

A link is one protocol connection to a venue. It takes commands, gives back reports, and knows its session and whether
it is up; simulated, wire-level and live links look the same from here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from framework.execution.events import RoadEvent
from framework.execution.orders import OrderRecord
from framework.messages import Command, Report
from framework.protocol import ProtocolProfile

__all__ = ["Clock", "DeskListener", "DeskTee", "Journal", "Link"]


class Clock(Protocol):
    """Time, and being called at a time; virtual in a backtest."""

    @property
    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        ...

    def call_at(self, ts_ns: int, callback: Callable[[], None]) -> None:
        """Call back at a time, or at once after the current event if that time has passed."""
        ...


class Link(Protocol):
    """One protocol connection.

    name: its configured name, which routing and events use.
    is_up: whether commands can be sent now.
    session_id: the venue's session that it is in, or was in last.
    """

    name: str
    profile: ProtocolProfile
    is_up: bool
    session_id: str

    def send(self, command: Command) -> None:
        """Put a command on the road; it may never arrive."""
        ...

    def open(self, is_reset: bool) -> None:
        """Start a session, anew or resuming the one before."""
        ...

    def close(self) -> None:
        """End the session in good order."""
        ...


class Journal(Protocol):
    """Where the desk writes down what it sent, learned and concluded."""

    def sent(self, link: str, command: Command, ts_sent_ns: int) -> None:
        """A command was put on a link."""
        ...

    def answered(
        self,
        request_id: int,
        ts_learned_ns: int,
        outcome: str,
        reason: str | None,
        text: str | None,
    ) -> None:
        """The first answer to a command was learned; outcome: accepted, rejected or lost."""
        ...

    def resolved(self, request_id: int, resolution: str) -> None:
        """The fate of a lost command was proved without its answer: carried_out, never_arrived or order_ended."""
        ...

    def item_refused(self, request_id: int, cl_ord_id: str, text: str) -> None:
        """The answer to a batch of new orders, just learned, refuses this one of them."""
        ...

    def learned(self, link: str, report: Report, ts_learned_ns: int) -> None:
        """A report told something new."""
        ...

    def concluded(self, event: RoadEvent) -> None:
        """The desk concluded or did something on its own."""
        ...

    def denied(self, record: OrderRecord, ts_ns: int, reason: str) -> None:
        """The desk refused an order before it was sent."""
        ...


class DeskListener(Protocol):
    """Who hears of orders: the strategy's side of the desk. Times are the venue's, in nanoseconds."""

    def order_submitted(self, record: OrderRecord) -> None: ...
    def order_denied(self, record: OrderRecord, reason: str) -> None: ...
    def order_accepted(self, record: OrderRecord, ts_venue_ns: int) -> None: ...
    def order_rejected(self, record: OrderRecord, reason: str, is_post_only: bool, ts_venue_ns: int) -> None: ...
    def order_updated(self, record: OrderRecord, ts_venue_ns: int) -> None: ...
    def order_triggered(self, record: OrderRecord, ts_venue_ns: int) -> None: ...
    def order_canceled(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None: ...
    def order_expired(self, record: OrderRecord, ts_venue_ns: int) -> None: ...
    def order_filled(
        self,
        record: OrderRecord,
        exec_id: str,
        last_lots: int,
        last_ticks: int,
        is_maker: bool,
        fee: Decimal,
        fee_asset: str,
        ts_venue_ns: int,
    ) -> None: ...
    def cancel_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None: ...
    def amend_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None: ...
    def road_event(self, event: RoadEvent) -> None: ...


class DeskTee(Journal, Protocol):
    """A desk's journal that also hears what the desk tells of orders, before who is to hear it."""

    def listen(self, listener: DeskListener) -> DeskListener:
        """Hand on to a listener; returns the one that the desk is to have."""
        ...
