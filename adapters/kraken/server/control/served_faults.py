"""Faults of a served venue: lines that are cut and cannot be had again for a while, and modes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from adapters.kraken.server.shell.peers import Peer, Peers
from framework.protocol import VenueMode
from framework.venue.faults import FaultSchedule, FaultSection
from framework.venue.scheduler import Scheduler
from framework.venue.served.host import VenueHost
from framework.venue.served.journaled import JournaledHost

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


class _Added(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A fault was put on the schedule."""

    fault: FaultSection


class _ModeSet(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """A mode was set by hand."""

    mode: VenueMode
    symbol: str | None


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODER: msgspec.msgpack.Decoder[_Added | _ModeSet] = msgspec.msgpack.Decoder(_Added | _ModeSet)


class ServedFaults:
    """Puts faults on a schedule of its own, which the host's time drives, and is what happens to its lines then.

    A line that is cut falls silent at once and is aborted once its end is to be seen (``detect_ms``); connections and
    requests of its protocol are cut off until the fault is over.

    What is asked of it is kept in the host's journal, if it has one. A venue that is made again ``recall``s it: what is
    over by then has had its effect, which the journal has beside; what lasts or is to come goes on (``recalled``).

    known: the newest faults, oldest first.
    """

    owner = "faults"

    def __init__(self, host: VenueHost, peers: Peers, cut_requests: Mapping[str, Callable[[], None]]) -> None:
        """cut_requests: for protocols of requests, what ends those that are under way."""
        self._host = host
        self._peers = peers
        self._cut_requests = cut_requests
        self._scheduler = Scheduler(host.now_ns)
        labels = [str(label) for label in host.profile.protocols]
        self._schedule = FaultSchedule(self._scheduler, self, labels, labels, host.specs, host.modes)
        self._is_recalling = False
        self.known: list[ServedFault] = []
        self._count = 0

    def add(self, fault: FaultSection) -> ServedFault:
        """A fault, its times counted from the present. Raises ConfigError as ``FaultSchedule.add`` does."""
        added = self._add(fault, self._host.now_ns)
        self._keep(_Added(fault))
        self._call_back()
        return added

    def set_mode_by_hand(self, mode: VenueMode, symbol: str | None) -> None:
        """Set a mode from now on; those that faults have set for it are over."""
        self._keep(_ModeSet(mode, symbol))
        self._schedule.set_mode(mode, symbol)

    def recall(self, data: bytes, ts_ns: int) -> None:
        """Something that was asked of it in the time of a journal."""
        self._is_recalling = True
        self._run_until(ts_ns)
        match _DECODER.decode(data):
            case _Added(fault):
                self._add(fault, ts_ns)
            case _ModeSet(mode, symbol):
                self._schedule.set_mode(mode, symbol)

    def recalled(self) -> None:
        """All of a journal has been recalled: go on from the present."""
        self._run_until(self._host.now_ns - 1)
        self._is_recalling = False  # what is due at this very instant may not be in the journal; twice does no harm
        self._call_back()

    def _add(self, fault: FaultSection, now_ns: int) -> ServedFault:
        self._schedule.add(fault, now_ns)
        start_ns = now_ns + round(fault.at_s * _NS)
        end_ns = None if fault.kind == "mode" and not fault.for_s else start_ns + round(fault.for_s * _NS)
        self._count += 1
        added = ServedFault(self._count, fault, start_ns, end_ns)
        self.known.append(added)
        del self.known[:-_KEPT_MAX]
        return added

    def _keep(self, asked: _Added | _ModeSet) -> None:
        if isinstance(self._host, JournaledHost):
            self._host.keep(self.owner, _ENCODE(asked))
            self._host.commit()

    def _call_back(self) -> None:
        for ts_ns in sorted({entry[0] for entry in self._scheduler.queue}):
            self._host.call_at(ts_ns, self._run)

    def _run(self) -> None:
        self._run_until(self._host.now_ns)

    def _run_until(self, now_ns: int) -> None:
        while self._scheduler.next_ns() <= now_ns:
            self._scheduler.run_next()
        self._scheduler.now_ns = max(self._scheduler.now_ns, now_ns)

    # ------------------------------------------------------------------------------------------------- as a target

    def cut(self, link: str, detect_ns: int) -> None:
        self._peers.shut(link)
        if self._is_recalling:
            return  # there are no connections yet
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
        if not self._is_recalling:  # else the journal has it
            self._host.set_mode(mode, symbol)
