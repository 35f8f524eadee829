"""What the links of all protocols have in common: their listeners, their state, their attempts to connect."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import msgspec

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.client_ids import ClientIds
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.order_memory import OrderMemory
from adapters.kraken.client.venue_time import VenueTime
from adapters.kraken.errors import reject_reason
from framework.execution.link import Clock
from framework.messages import Command, CommandAccepted, CommandRejected, ExecutionReport, Report, SessionOpened
from framework.protocol import ProtocolProfile, RejectReason

__all__ = ["AccountParts", "UnsendableError", "WireLink"]


# So long a command may be on its way and still have the least deadline left when it arrives.
_TRAVEL_NS = 500_000_000


class UnsendableError(Exception):
    """A command cannot be said in a protocol, or not yet; the text is the refusal that the desk is told."""

    def __init__(self, text: str, reason: RejectReason = RejectReason.INVALID_ARGUMENTS) -> None:
        super().__init__(text)
        self.reason = reason


class AccountParts(msgspec.Struct, frozen=True, kw_only=True):
    """What all links of an account share. mask: takes the account's secrets out of what a venue says."""

    clock: Clock
    instruments: Instruments
    memory: OrderMemory
    ids: ClientIds
    time: VenueTime
    mask: Callable[[str], str] = str


class WireLink(ABC):
    """A link over the wire, as ``framework.execution.link.Link`` has it.

    Reports are those that the simulated link gives in the same situation. A command that the protocol cannot say is
    refused here, as the venue would refuse it, but after ``send`` has returned.
    """

    def __init__(self, name: str, profile: ProtocolProfile, parts: AccountParts, backoff: BackOff) -> None:
        self.name = name
        self.profile = _with_travel(profile)
        self.is_up = False
        self.session_id = ""
        self._parts = parts
        self._clock = parts.clock
        self._backoff = backoff
        # Counts attempts to open: what belongs to an earlier one is of no interest any more.
        self._attempt = 0
        self._is_end_told = True
        self._on_report: Callable[[str, Report], None] = _ignore_report
        self._on_closed: Callable[[str, str], None] = _ignore_closed

    def attach(self, on_report: Callable[[str, Report], None], on_closed: Callable[[str, str], None]) -> None:
        """Say who hears reports (link name, report) and the end of a session (link name, reason)."""
        self._on_report = on_report
        self._on_closed = on_closed

    @abstractmethod
    def open(self, is_reset: bool) -> None:
        """Start a session, anew or resuming the one before."""

    @abstractmethod
    def close(self) -> None:
        """End the session in good order."""

    @abstractmethod
    def send(self, command: Command) -> None:
        """Write a command to the socket now; it may never arrive."""

    # ------------------------------------------------------------------------------------------------- for protocols

    def _begin_attempt(self, start: Callable[[], None], not_before_ns: int = 0) -> None:
        """Start an attempt to open, after the pause that earlier failures ask for."""
        self._attempt += 1
        attempt, now_ns = self._attempt, self._clock.now_ns
        self.is_up = False
        self._is_end_told = False
        start_ns = max(now_ns + self._backoff.pause_ns(), not_before_ns)

        def begin() -> None:
            if attempt == self._attempt and not self._is_end_told:
                start()

        self._clock.call_at(start_ns, begin)

    def _opened(self, session_id: str, ts_venue_ns: int, *, is_resumed: bool = False, replayed_count: int = 0) -> None:
        self._backoff.opened(self._clock.now_ns)
        self.is_up = True
        self.session_id = session_id
        self._tell(
            SessionOpened(
                ts_venue_ns=ts_venue_ns,
                request_id=None,
                session_id=session_id,
                is_resumed=is_resumed,
                replayed_count=replayed_count,
            )
        )

    def _ended(self, reason: str) -> None:
        """The session is over, or could not be opened; told once."""
        if not self._is_end_told:
            self._is_end_told = True
            self._attempt += 1
            self.is_up = False
            self._backoff.ended(self._clock.now_ns)
            self._on_closed(self.name, self._parts.mask(reason))

    def _tell(self, report: Report) -> None:
        if isinstance(report, ExecutionReport):
            if report.reason:
                report = msgspec.structs.replace(report, reason=self._parts.mask(report.reason))
        elif isinstance(report, CommandAccepted) and report.errors:
            errors = tuple(error and self._parts.mask(error) for error in report.errors)
            report = msgspec.structs.replace(report, errors=errors)
        self._on_report(self.name, report)

    def _refused(self, request_id: int, error: str, ts_venue_ns: int, reason: RejectReason | None = None) -> None:
        """The venue has refused a request, in its own words."""
        reason = reason or reject_reason(error)
        text = self._parts.mask(error)
        self._tell(CommandRejected(ts_venue_ns=ts_venue_ns, request_id=request_id, error=text, reason=reason))

    def _refuse_later(self, command: Command, error: UnsendableError) -> None:
        """Refuse a command that has not been sent, once the caller is done sending it."""
        now_ns = self._clock.now_ns
        request_id, text, reason = command.request_id, str(error), error.reason
        self._clock.call_at(now_ns, lambda: self._refused(request_id, f"not sent: {text}", now_ns, reason))


def _with_travel(profile: ProtocolProfile) -> ProtocolProfile:
    """A protocol whose least deadline is what the venue asks for when a command arrives, and its way there."""
    can = profile.capabilities
    if not can.deadline_min_ns:
        return profile
    least_ns = can.deadline_min_ns + _TRAVEL_NS
    return msgspec.structs.replace(profile, capabilities=msgspec.structs.replace(can, deadline_min_ns=least_ns))


def _ignore_report(name: str, report: Report) -> None:
    """Nobody listens yet."""


def _ignore_closed(name: str, reason: str) -> None:
    """Nobody listens yet."""
