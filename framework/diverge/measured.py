"""What a run has measured of road and venue: each message's time on the way, what was refused, lost, charged.

Times of the venue are put right by as much as proves that its clock and the trader's disagree: a message cannot arrive
before it was sent. One in twenty is not listened to there, since a clock may hang for a moment; it took no time, then.
"""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np
import pyarrow as pa

from framework.backtest.run_folder import ints, of_kind, texts
from framework.data.columns import LAST
from framework.diverge.legs import Legs, Sent, read_sent, read_told
from framework.diverge.own_orders import without_own
from framework.diverge.recorded import RecordedRun
from framework.venue.faults import FaultSection

__all__ = ["Measured"]

_NS = 1_000_000_000
_SESSION = re.compile(r"\bsession_id=(?P<id>[^;]+)")


class Measured:
    """What a run has measured.

    markets: those of the run, without its own orders.
    venue_ahead_ns: how far the venue's clock is at least ahead of the trader's (below 0: behind).
    legs: how long its messages took. by_request, by_order, by_arrival: its commands, by number, by name and client
    order id, by arrival. learned: of reports that told something new, by client order id and name, the venue's time and
    when it was learned, in the venue's order. connected: when the venue heard of a line, by its name. opened: when the
    trader's side heard of a session, by link and name. alike: latencies that cannot be told from those of the backtest,
    as ``Legs.alike`` has them; see ``compare``.
    """

    def __init__(self, run: RecordedRun) -> None:
        events = run.folder.events
        self.run = run
        self._events = events
        self.venue_ahead_ns = ahead_ns = self._disagreement()
        # The markets without the run's own orders; the same ones where those are not in them.
        self.markets = [without_own(market, events) if self._is_told_by_venue() else market for market in run.markets]
        self.sent = list(read_sent(events, ahead_ns))
        told = list(read_told(events, run.profile, ahead_ns))
        self.legs = Legs(self.sent, told)
        self.by_request: dict[int, list[Sent]] = {}
        self.by_order: dict[tuple[str, str], list[Sent]] = {}
        self.by_arrival: dict[int, list[Sent]] = {}
        for each in self.sent:
            self.by_request.setdefault(each.request_id, []).append(each)
            if each.cl_ord_id is not None:
                self.by_order.setdefault((each.name, each.cl_ord_id), []).append(each)
            if each.ts_arrived_ns is not None:
                self.by_arrival.setdefault(each.ts_arrived_ns, []).append(each)
        self.learned: dict[tuple[str | None, str], list[tuple[int, int]]] = {}
        for report in sorted(told, key=lambda each: (each.ts_venue_ns, each.ts_learned_ns)):
            times = report.ts_venue_ns, report.ts_learned_ns
            self.learned.setdefault((report.cl_ord_id, report.name), []).append(times)
        self.connected, self.opened = self._openings(ahead_ns)
        self.alike: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_own_seen(self) -> bool:
        """Whether the run's own orders stand in the books that it was told."""
        return any(one is not other for one, other in zip(self.markets, self.run.markets, strict=True))

    def _is_told_by_venue(self) -> bool:
        session = self.run.session
        return self.run.is_taped and session is not None and session.kind == "live"

    def compare(self, backtest: pa.Table) -> None:
        """Find out which latencies are those of the backtest, as far as one can tell; they stay as assumed."""
        legs = Legs(read_sent(backtest), read_told(backtest, self.run.profile))
        self.alike = self.legs.alike(legs)

    def _openings(self, ahead_ns: int) -> tuple[dict[str, int], dict[tuple[str, str], list[int]]]:
        table = of_kind(self._events, "venue")
        rows = zip(texts(table, "name"), texts(table, "link"), ints(table, "ts_venue_ns").tolist(), strict=True)
        connected = {link: ts_ns - ahead_ns for name, link, ts_ns in rows if name == "connected" and link is not None}
        opened: dict[tuple[str, str], list[int]] = {}
        table = of_kind(self._events, "session")
        times = ints(table, "ts_learned_ns").tolist()
        for at, (link, text) in enumerate(zip(texts(table, "link"), texts(table, "text"), strict=True)):
            named = _SESSION.search(text or "")
            if link is not None and named:
                opened.setdefault((link, named["id"]), []).append(times[at])
        return connected, opened

    def _disagreement(self) -> int:
        """How far the venue's clock must be ahead (below 0: behind) for no message to arrive before it was sent."""
        back = [_low([told.ts_learned_ns - told.ts_venue_ns for told in read_told(self._events, self.run.profile)])]
        there = _low([s.ts_arrived_ns - s.ts_sent_ns for s in read_sent(self._events) if s.ts_arrived_ns is not None])
        if self.run.is_taped:
            for market in self.run.markets:
                is_last = (market.columns.flags & LAST) != 0
                late = (market.columns.ts_recv_ns - market.columns.ts_event_ns)[is_last]
                back.append(_low(late.tolist()))
        return -min(back) if min(back) < 0 else there

    # ------------------------------------------------------------------------------------------------- what was seen

    @cached_property
    def feed_ns(self) -> list[int]:
        """How long each message of the market took, where that was recorded."""
        late: list[int] = []
        for market in self.run.markets if self.run.is_taped else ():
            is_last = (market.columns.flags & LAST) != 0
            took = market.columns.ts_recv_ns - market.columns.ts_event_ns + self.venue_ahead_ns
            late += np.maximum(took[is_last], 0).tolist()
        return late

    @cached_property
    def refused(self) -> list[Sent]:
        """The commands that a limit refused."""
        return [each for each in self.sent if each.is_refused_by_limit]

    @cached_property
    def lost(self) -> list[Sent]:
        """The commands whose outcome was unknown for a while, or for good."""
        return [each for each in self.sent if each.is_lost]

    @cached_property
    def drops(self) -> list[tuple[str, int, int | None]]:
        """The times for which a link was down: link, from when, until when (None for the end of the run)."""
        table = of_kind(self._events, "session")
        since: dict[str, int] = {}
        found: list[tuple[str, int, int | None]] = []
        session = self.run.session
        closing_ns = None if session is None else session.closing_ns
        rows = zip(texts(table, "name"), texts(table, "link"), ints(table, "ts_learned_ns").tolist(), strict=True)
        for name, link, ts_ns in rows:
            if link is None or (closing_ns is not None and ts_ns >= closing_ns):
                continue
            if name == "SessionClosed":
                since.setdefault(link, ts_ns)
            elif link in since:
                found.append((link, since.pop(link), ts_ns))
        found += [(link, ts_ns, None) for link, ts_ns in since.items()]
        return sorted(found, key=lambda drop: drop[1])

    def faults(self, first_ns: int, ready_ns: int) -> tuple[FaultSection, ...]:
        """The faults of the replay: those of the run's configuration, or the drops that were seen where it has none.

        first_ns: the market's first time. ready_ns: how long the desk takes to have a line again that can be had.
        """
        if self.run.config.faults:
            return self.run.config.faults
        last_ns = self.run.folder.inputs.span_ns[1]
        sections = []
        for link, from_ns, until_ns in self.drops:
            end_ns = last_ns if until_ns is None else max(from_ns, until_ns - ready_ns)
            at_s, for_s = max(0, from_ns - first_ns) / _NS, (end_ns - from_ns) / _NS
            sections.append(FaultSection(kind="drop", link=link, at_s=at_s, for_s=for_s))
        return tuple(sections)


def _low(latencies_ns: list[int]) -> int:
    """What one in twenty of them lies below, if that is below 0; else 0."""
    return min(0, sorted(latencies_ns)[len(latencies_ns) // 20]) if latencies_ns else 0
