"""A simulated link whose messages take what they took in a run, are lost where they were, and are refused where they
were.

A message of a replay takes what the same message of the run took, as long as the replay does what the run did: the same
command of the same order at about the same time, the same report of it. After that it takes a quantile of what messages
about that time took, so that a slow minute stays a slow minute; which quantile is decided by the chance that decides it
in the backtest. Latencies that cannot be told from those of the backtest are drawn as there: they change nothing.
"""

from __future__ import annotations

from collections import Counter
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
    PollPart,
    QueryOrders,
    Report,
    SessionOpened,
)
from framework.protocol import RejectReason
from framework.venue.path import Path

__all__ = ["MeasuredLink", "Twins"]

# A command of the replay has the fate of one of the run if they are of one kind and so near each other.
_NEAR_NS = 1_000_000_000
# The same message of run and replay is not further apart: a strategy's own time to think, and what that adds up to.
_SAME_NS = 250_000_000
_MEASURED = (ExecutionReport, CommandAccepted, CommandRejected, OrdersSnapshot)
# What has been asked for where an execution report tells that it was done.
_ASKED = {
    "PENDING_NEW": "AddOrder",
    "NEW": "AddOrder",
    "CANCELED": "CancelOrder",
    "AMENDED": "AmendOrder",
}


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
        # How many commands of an order, and reports of one, there have been, by name.
        self._sent: Counter[tuple[str, str]] = Counter()
        self._told: Counter[tuple[str | None, str]] = Counter()
        # Of the commands of the replay that were sent in the run too, by number.
        self._same: dict[int, Sent] = {}

    def same(self, link: str, command: Command, ts_ns: int) -> Sent | None:
        """The same command of the run; None once the replay has gone another way. Asked for once a command."""
        name, cl_ord_id = _name(command), _order_of(command)
        if cl_ord_id is None:
            known = self.measured.by_request.get(command.request_id, [])
            found = next((each for each in known if each.name == name and each.ts_sent_ns == ts_ns), None)
        else:
            at = self._sent[name, cl_ord_id]
            self._sent[name, cl_ord_id] += 1
            known = self.measured.by_order.get((name, cl_ord_id), [])
            found = known[at] if at < len(known) and abs(known[at].ts_sent_ns - ts_ns) <= _SAME_NS else None
        if found is None or found.link != link:
            return None
        self._same[command.request_id] = found
        return found

    def fate(self, link: str, command: Command, same: Sent | None, ts_ns: int) -> Sent | None:
        """The command of the run whose refusal or loss this one shares; None for none."""
        waiting = self._fates.get((link, _name(command)), [])
        if same is not None:
            found = same if same in waiting else None
        else:
            near = [each for each in waiting if abs(each.ts_sent_ns - ts_ns) <= _NEAR_NS]
            found = min(near, key=lambda each: abs(each.ts_sent_ns - ts_ns), default=None)
        if found is not None:
            waiting.remove(found)
        return found

    def command(self, link: str, command: Command, same: Sent | None, ts_ns: int, draw: int) -> _Latency | None:
        """How long a command takes; None for as assumed. draw: see ``Series.drawn_ns``."""
        if same is not None and same.ts_arrived_ns is not None:
            # One of another number was drawn otherwise in the backtest, too.
            is_exact = same.ts_sent_ns == ts_ns and same.request_id == command.request_id
            if self._counts("commands", link, is_exact):
                return _Latency(max(0, same.ts_arrived_ns - same.ts_sent_ns))
        return self._drawn("commands", link, ts_ns, draw)

    def report(self, link: str, report: Report, ts_ns: int, draw: int, is_response: bool) -> _Latency | None:
        """How long a report takes; None for as assumed."""
        if isinstance(report, SessionOpened):
            told = self.measured.opened.get((link, report.session_id), ())
            return next((_Latency(learned_ns - ts_ns) for learned_ns in told if learned_ns >= ts_ns), None)
        if not isinstance(report, _MEASURED):
            return None
        kinds = ("answers", "news") if is_response else ("news", "answers")
        legs = self.measured.legs
        kind = next((each for each in kinds if link in getattr(legs, each)), None)
        same = self._execution(report, ts_ns) if isinstance(report, ExecutionReport) else self._answer(report)
        if kind is None:
            return None if same is None else same[1]
        if same is not None and self._counts(kind, link, same[0] == ts_ns):
            return same[1]
        return self._drawn(kind, link, ts_ns, draw)

    # ------------------------------------------------------------------------------------------------- within

    def _counts(self, kind: str, link: str, is_exact: bool) -> bool:
        """Whether what is known of a message holds for the same one of the replay.

        is_exact: it was sent at the same time there. Where latencies are as assumed, it holds for such a one only, so
        that all others stay as assumed.
        """
        return is_exact or (kind, link) not in self.measured.alike

    def _execution(self, report: ExecutionReport, ts_ns: int) -> tuple[int, _Latency] | None:
        """When the same report of the run was made, and how long it took."""
        name = report.exec_type.name
        key = report.cl_ord_id, name
        at = self._told[key]
        self._told[key] += 1
        known = self.measured.learned.get(key, [])
        if at < len(known) and abs(known[at][0] - ts_ns) <= _SAME_NS:
            venue_ns, learned_ns = known[at]
            return venue_ns, _Latency(max(0, learned_ns - venue_ns))
        # It told nothing new, so the answer had come before it; when it came itself is not known.
        answered = self.measured.by_arrival.get(ts_ns, [])
        asked = self.measured.by_order.get((_ASKED.get(name, ""), report.cl_ord_id), [])
        for each in [*(each for each in answered if each.cl_ord_id == report.cl_ord_id), *asked]:
            if each.ts_arrived_ns is None or each.ts_learned_ns is None:
                continue
            if abs(each.ts_arrived_ns - ts_ns) <= _SAME_NS:
                latency = _Latency(max(0, each.ts_learned_ns - each.ts_arrived_ns), is_holding=False)
                return each.ts_arrived_ns, latency
        return None

    def _answer(self, report: Report) -> tuple[int, _Latency] | None:
        same = self._same.get(getattr(report, "request_id", None) or 0)
        if same is None or same.ts_arrived_ns is None or same.ts_learned_ns is None:
            return None
        return same.ts_arrived_ns, _Latency(max(0, same.ts_learned_ns - same.ts_arrived_ns))

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
        if isinstance(command, QueryOrders) and command.part > PollPart.OPEN:  # within what was measured of the poll
            return self._arrival_ns(self._command, now_ns, None, Cause.COMMAND)
        same = twins.same(self.name, command, now_ns)
        latency = None
        if world[Cause.COMMAND] is Taken.MEASURED:
            latency = twins.command(self.name, command, same, now_ns, self._command.draw)
        arrival_ns = self._arrival_ns(self._command, now_ns, latency, Cause.COMMAND)
        is_limited = world[Cause.LIMITS] is Taken.MEASURED
        is_lossy = world[Cause.UNKNOWN] is Taken.MEASURED
        fate = twins.fate(self.name, command, same, now_ns) if is_limited or is_lossy else None
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
        if isinstance(report, OrdersSnapshot) and self._polls is not None:  # ``told_ns`` is what was measured
            return self._arrival_ns(path, now_ns, None, Cause.RESPONSE)
        latency = None
        if self._world[Cause.RESPONSE] is Taken.MEASURED:
            latency = self._twins.report(self.name, report, now_ns, path.draw, is_response)
        arrival_ns = self._arrival_ns(path, now_ns, latency, Cause.RESPONSE)
        if is_response and getattr(report, "request_id", None) in self._silenced:
            return None
        return arrival_ns

    def told_ns(self, snapshot: OrdersSnapshot) -> int | None:
        """See ``SimLink``; what was measured of a poll is the time until all of its answer was there."""
        now_ns, made_ns = self._scheduler.now_ns, snapshot.ts_venue_ns
        if snapshot.request_id in self._silenced:
            return None
        if self._world[Cause.RESPONSE] is not Taken.MEASURED:
            return now_ns
        latency = self._twins.report(self.name, snapshot, made_ns, self._response.draw, is_response=True)
        return now_ns if latency is None else max(now_ns, made_ns + latency[0])

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


def _order_of(command: Command) -> str | None:
    """The order that a command is about; of a batch the first."""
    if isinstance(command, AddBatch):
        return command.orders[0].cl_ord_id
    if isinstance(command, CancelBatch):
        return command.cl_ord_ids[0] if command.cl_ord_ids else None
    return getattr(command, "cl_ord_id", None)


def _name(command: Command) -> str:
    """As the log of a run names a command; a batch has a row for each of its orders."""
    if isinstance(command, AddBatch):
        return "AddOrder"
    if isinstance(command, CancelBatch):
        return "CancelOrder"
    if isinstance(command, AddOrder) and command.is_validate_only:
        return "ValidateOrder"
    return type(command).__name__
