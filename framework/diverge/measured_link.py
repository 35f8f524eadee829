"""A simulated link whose messages take what they took in a run, are lost where they were, and are refused where they
were.

A message of a replay takes what the same message of the run took (the same request at the same time, the same report of
the same moment), as long as the replay does what the run did. After that it takes a quantile of what messages about
that time took, so that a slow minute stays a slow minute; which quantile is decided by the chance that decides it in
the backtest. Latencies that cannot be told from those of the backtest are drawn as there: they change nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from framework.backtest.sim_link import SimLink
from framework.diverge.legs import Sent, Series
from framework.diverge.measured import Measured
from framework.diverge.world import Cause, Taken, World
from framework.messages import (
    AddBatch,
    AddOrder,
    CancelBatch,
    Command,
    CommandAccepted,
    CommandRejected,
    ExecutionReport,
    OrdersSnapshot,
    Report,
    SessionOpened,
)
from framework.protocol import RejectReason
from framework.venue.path import Path

__all__ = ["MeasuredLink", "Twins"]

# A command of the replay has the fate of one of the run if they are of one kind and so near each other.
_NEAR_NS = 1_000_000_000
_MEASURED = (ExecutionReport, CommandAccepted, CommandRejected, OrdersSnapshot)


class _Latency(NamedTuple):
    """is_holding: what is sent after it does not arrive before it, where messages keep their order."""

    ns: int
    is_holding: bool = True


class Twins:
    """The messages of a run, for those of one replay; each fate is had once.

    refusals: by request, what the venue is to refuse it for.
    """

    def __init__(self, measured: Measured) -> None:
        self.measured = measured
        self.refusals: dict[int, RejectReason] = {}
        self._fates: dict[tuple[str, str], list[Sent]] = {}
        for each in measured.sent:
            if each.is_refused_by_limit or each.is_lost:
                self._fates.setdefault((each.link, each.name), []).append(each)
        self._read: dict[tuple[str | None, str, int], int] = {}

    def fate(self, link: str, command: Command, ts_ns: int) -> Sent | None:
        """The command of the run whose refusal or loss this one shares; None for none."""
        waiting = self._fates.get((link, _name(command)), [])
        same = self._same(link, command, ts_ns)
        if same is not None:
            found = same if same in waiting else None
        else:
            near = [each for each in waiting if abs(each.ts_sent_ns - ts_ns) <= _NEAR_NS]
            found = min(near, key=lambda each: abs(each.ts_sent_ns - ts_ns), default=None)
        if found is not None:
            waiting.remove(found)
        return found

    def command(self, link: str, command: Command, ts_ns: int, draw: int) -> _Latency | None:
        """How long a command takes; None for as assumed. draw: see ``Series.drawn_ns``."""
        same = self._same(link, command, ts_ns)
        if same is not None and same.ts_arrived_ns is not None:
            return _Latency(max(0, same.ts_arrived_ns - same.ts_sent_ns))
        return self._drawn("commands", link, ts_ns, draw)

    def report(self, link: str, report: Report, ts_ns: int, draw: int, is_response: bool) -> _Latency | None:
        """How long a report takes; None for as assumed."""
        if isinstance(report, SessionOpened):
            told = self.measured.opened.get((link, report.session_id), ())
            return next((_Latency(learned_ns - ts_ns) for learned_ns in told if learned_ns >= ts_ns), None)
        if not isinstance(report, _MEASURED):
            return None
        same = self._execution(report, ts_ns) if isinstance(report, ExecutionReport) else self._answer(report, ts_ns)
        if same is not None:
            return same
        kinds = ("answers", "news") if is_response else ("news", "answers")
        legs = self.measured.legs
        kind = next((each for each in kinds if link in getattr(legs, each)), None)
        return None if kind is None else self._drawn(kind, link, ts_ns, draw)

    # ------------------------------------------------------------------------------------------------- within

    def _same(self, link: str, command: Command, ts_ns: int) -> Sent | None:
        """The same command of the run; None once the replay has gone another way."""
        for each in self.measured.by_request.get(command.request_id, ()):
            if each.ts_sent_ns == ts_ns and each.link == link and each.name == _name(command):
                return each
        return None

    def _execution(self, report: ExecutionReport, ts_ns: int) -> _Latency | None:
        key = (report.cl_ord_id, report.exec_type.name, ts_ns)
        known = self.measured.learned.get(key)
        if known is not None:
            at = self._read.get(key, 0)
            self._read[key] = at + 1
            return _Latency(max(0, known[min(at, len(known) - 1)] - ts_ns))
        for each in self.measured.by_arrival.get(ts_ns, ()):
            if each.cl_ord_id == report.cl_ord_id and each.ts_learned_ns is not None:
                # It told nothing new, so the answer had come before it; when it came itself is not known.
                return _Latency(max(0, each.ts_learned_ns - ts_ns), is_holding=False)
        return None

    def _answer(self, report: Report, ts_ns: int) -> _Latency | None:
        for each in self.measured.by_request.get(getattr(report, "request_id", None) or 0, ()):
            if each.ts_arrived_ns == ts_ns and each.ts_learned_ns is not None:
                return _Latency(max(0, each.ts_learned_ns - ts_ns))
        return None

    def _drawn(self, kind: str, link: str, ts_ns: int, draw: int) -> _Latency | None:
        series: Series | None = getattr(self.measured.legs, kind).get(link)
        if not series or (kind, link) in self.measured.alike:
            return None
        return _Latency(series.drawn_ns(ts_ns, draw))


class MeasuredLink(SimLink):
    """One link of a replay; ``measure`` says of what."""

    _world: World
    _twins: Twins

    def measure(self, world: World, twins: Twins) -> None:
        """Take what a world takes as measured from the twins of a run."""
        self._world = world
        self._twins = twins
        legs, name = twins.measured.legs, self.name
        self._is_overtaking = {
            Cause.COMMAND: _is_inverted(legs.commands.get(name)),
            Cause.RESPONSE: _is_inverted(legs.news.get(name)) or _is_inverted(legs.answers.get(name)),
        }
        self._last_ns: dict[int, int] = {}
        self._silenced: set[int] = set()

    def open(self, is_reset: bool) -> None:
        """Connect; nothing waits behind messages of the line before."""
        self._last_ns.clear()
        super().open(is_reset)

    def connect_arrival_ns(self) -> int:
        """See ``SimLink``; as assumed for a line that the run has not told of."""
        assumed_ns = super().connect_arrival_ns()
        if self._world[Cause.COMMAND] is not Taken.MEASURED:
            return assumed_ns
        known_ns = self._twins.measured.connected.get(self.line_id)
        return assumed_ns if known_ns is None or known_ns < self._scheduler.now_ns else known_ns

    def command_arrival_ns(self, command: Command) -> int | None:
        """See ``SimLink``."""
        now_ns, world, twins = self._scheduler.now_ns, self._world, self._twins
        latency = None
        if world[Cause.COMMAND] is Taken.MEASURED:
            latency = twins.command(self.name, command, now_ns, self._command.draw)
        arrival_ns = self._arrival_ns(self._command, now_ns, latency, Cause.COMMAND)
        is_limited = world[Cause.LIMITS] is Taken.MEASURED
        is_lossy = world[Cause.UNKNOWN] is Taken.MEASURED
        fate = twins.fate(self.name, command, now_ns) if is_limited or is_lossy else None
        if fate is None:
            return arrival_ns
        if fate.refusal is not None and fate.is_refused_by_limit and is_limited:
            twins.refusals[command.request_id] = fate.refusal
        if fate.is_lost and is_lossy:
            if fate.ts_arrived_ns is None:
                return None
            if fate.ts_learned_ns is None:
                self._silenced.add(command.request_id)
        return arrival_ns

    def report_arrival_ns(self, report: Report, is_response: bool) -> int | None:
        """See ``SimLink``."""
        now_ns = self._scheduler.now_ns
        path = self._response if is_response else self._news
        latency = None
        if self._world[Cause.RESPONSE] is Taken.MEASURED:
            latency = self._twins.report(self.name, report, now_ns, path.draw, is_response)
        arrival_ns = self._arrival_ns(path, now_ns, latency, Cause.RESPONSE)
        if is_response and getattr(report, "request_id", None) in self._silenced:
            return None
        return arrival_ns

    def _arrival_ns(self, path: Path, now_ns: int, measured: _Latency | None, cause: Cause) -> int:
        """When a message arrives; measured: how long it takes, None for as the world has it besides."""
        if measured is not None:
            latency_ns, is_holding = measured
        else:
            latency_ns, is_holding = 0 if self._world[cause] is Taken.NONE else path.latency_ns(now_ns), True
        assumed_ns = path.send_with(now_ns, latency_ns, is_holding=is_holding)
        ordering = self._world[Cause.ORDERING]
        if ordering is Taken.ASSUMED:
            return assumed_ns
        arrival_ns = now_ns + latency_ns
        if ordering is Taken.NONE or not self._is_overtaking[cause]:
            arrival_ns = max(arrival_ns, self._last_ns.get(id(path), 0))
            if is_holding:
                self._last_ns[id(path)] = arrival_ns
        return arrival_ns


def _is_inverted(series: Series | None) -> bool:
    return series is not None and series.inverted_count > 0


def _name(command: Command) -> str:
    """As the log of a run names a command; a batch has a row for each of its orders."""
    if isinstance(command, AddBatch):
        return "AddOrder"
    if isinstance(command, CancelBatch):
        return "CancelOrder"
    if isinstance(command, AddOrder) and command.is_validate_only:
        return "ValidateOrder"
    return type(command).__name__
