"""Faults of a served venue: lines that are cut and cannot be had again for a while, and modes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from adapters.kraken.server.shell.peers import Peer, Peers
from framework.protocol import VenueMode
from framework.venue.faults import FaultSchedule, FaultSection
from framework.venue.served.host import VenueHost

__all__ = ["ServedFault", "ServedFaults"]

_NS = 1_000_000_000
_KEPT_MAX = 1_000


class ServedFault(msgspec.Struct, frozen=True):
    """A fault that was put on the schedule. number: from 1. end_ns: None for a mode without an end."""

    number: int
    fault: FaultSection
    start_ns: int
    end_ns: int | None

    def state(self, now_ns: int) -> str:
        """Whether it is still to come, lasts, or is over."""
        if now_ns < self.start_ns:
            return "to come"
        return "lasts" if self.end_ns is None or now_ns < self.end_ns else "over"


class ServedFaults:
    """Puts faults on the host's schedule, and is what happens to its lines then.

    A line that is cut falls silent at once and is aborted once its end is to be seen (``detect_ms``); connections and
    requests of its protocol are cut off until the fault is over.

    schedule: sets modes by hand, too. known: the newest faults, oldest first.
    """

    def __init__(self, host: VenueHost, peers: Peers, cut_requests: Mapping[str, Callable[[], None]]) -> None:
        """cut_requests: for protocols of requests, what ends those that are under way."""
        self._host = host
        self._peers = peers
        self._cut_requests = cut_requests
        labels = [str(label) for label in host.profile.protocols]
        self.schedule = FaultSchedule(host.scheduler, self, labels, labels, host.specs, host.modes)
        self.known: list[ServedFault] = []
        self._count = 0

    def add(self, fault: FaultSection) -> ServedFault:
        """A fault, its times counted from the present. Raises ConfigError as ``FaultSchedule.add`` does."""
        now_ns = self._host.now_ns
        self.schedule.add(fault, now_ns)
        start_ns = now_ns + round(fault.at_s * _NS)
        end_ns = None if fault.kind == "mode" and not fault.for_s else start_ns + round(fault.for_s * _NS)
        self._count += 1
        added = ServedFault(self._count, fault, start_ns, end_ns)
        self.known.append(added)
        del self.known[:-_KEPT_MAX]
        return added

    # ------------------------------------------------------------------------------------------------- as a target

    def cut(self, link: str, detect_ns: int) -> None:
        self._peers.shut(link)
        lost = self._peers.of(link)
        for peer in lost:
            peer.fall_silent()
        self._host.call_at(self._host.now_ns + detect_ns, self._see, link, lost)

    def _see(self, link: str, lost: list[Peer]) -> None:
        for peer in lost:
            peer.abort()
        if link in self._cut_requests:
            self._cut_requests[link]()

    def restore(self, link: str) -> None:
        self._peers.reopen(link)

    def set_mode(self, mode: VenueMode, symbol: str | None) -> None:
        self._host.set_mode(mode, symbol)
