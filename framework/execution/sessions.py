"""Sessions of the links as they come and go: who owns which order, who reaches it, what is replayed, when to
reconnect.
"""

from __future__ import annotations

from collections.abc import Mapping

from framework.execution.events import (
    OrderReachChanged,
    ReplayCompleted,
    SequenceGap,
    SessionClosed,
    SessionOpened,
    SessionResumed,
)
from framework.execution.evidence import Evidence
from framework.execution.ledger import Ledger
from framework.execution.link import Clock, Link
from framework.execution.orders import OrderRecord
from framework.execution.policy import DeskPolicy
from framework.execution.polls import Polls
from framework.execution.reach import links_that_reach
from framework.execution.requests import Requests
from framework.messages import SessionOpened as SessionOpenedReport

__all__ = ["Sessions"]

_MS = 1_000_000


class Sessions:
    """Follows the sessions and tells the strategy what they mean for its orders.

    replaying: for a link whose session has resumed, how many reports of its replay are still to come, of how many.
    """

    def __init__(
        self,
        links: Mapping[str, Link],
        policy: DeskPolicy,
        clock: Clock,
        ledger: Ledger,
        requests: Requests,
        polls: Polls,
        evidence: Evidence,
    ) -> None:
        self.replaying: dict[str, tuple[int, int]] = {}
        self._links = links
        self._policy = policy
        self._clock = clock
        self._ledger = ledger
        self._requests = requests
        self._polls = polls
        self._evidence = evidence
        self._opened: set[str] = set()
        self._reopening: set[str] = set()
        # Reach depends on the owner of an order and on the sessions as they are, so it is the same for many orders.
        self._reach: dict[tuple[str, str], tuple[str, ...]] = {}
        self._is_running = False

    def start(self, *, is_resumed: bool) -> None:
        """Open all links. is_resumed: with the sessions of a run before, where a protocol can."""
        self._is_running = True
        for link in self._links.values():
            link.open(is_reset=not (is_resumed and self._can_resume(link)))

    def stop(self) -> None:
        """Reconnect no more."""
        self._is_running = False

    def reach(self, record: OrderRecord) -> tuple[str, ...]:
        """The links whose single cancel reaches an order now."""
        owner = (record.owner_link, record.owner_session)
        reach = self._reach.get(owner)
        if reach is None:
            reach = self._reach[owner] = links_that_reach(self._links, record)
        return reach

    # ------------------------------------------------------------------------------------------------- coming

    def opened(self, link: Link, report: SessionOpenedReport) -> None:
        """A link's session is up."""
        name, session_id, now_ns = link.name, report.session_id, self._clock.now_ns
        self._opened.add(name)
        if report.is_resumed:
            own = self._owned(session_id)
            self._ledger.tell(SessionResumed(ts_ns=now_ns, link=name, session_id=session_id, cl_ord_ids=own))
        else:
            self._requests.session_ended(name)
            lost = tuple(
                record.cl_ord_id
                for record in self._ledger.open_orders.values()
                if record.owner_link == name and record.owner_session != session_id
            )
            self._ledger.tell(SessionOpened(ts_ns=now_ns, link=name, session_id=session_id, cl_ord_ids=lost))
        self._refresh_reach(f"session of '{name}' " + ("resumed" if report.is_resumed else "is new"))
        if report.is_resumed:
            self._replay_begins(name, report.replayed_count)
        if self._ledger.open_orders:
            self._polls.missed()

    def _replay_begins(self, name: str, count: int) -> None:
        """What was missed follows, in order and before anything newer."""
        if count:
            self.replaying[name] = (count, count)
            self._ledger.tell(SequenceGap(ts_ns=self._clock.now_ns, link=name, missed_count=count))
        else:
            self._evidence.judge_replay(name)

    def count_replayed(self, name: str) -> None:
        """A report has been read on a link; the replay is complete with its last."""
        left = self.replaying.get(name)
        if left is None:
            return
        left_count, count = left
        if left_count > 1:
            self.replaying[name] = (left_count - 1, count)
            return
        del self.replaying[name]
        self._ledger.tell(ReplayCompleted(ts_ns=self._clock.now_ns, link=name, replayed_count=count))
        self._evidence.judge_replay(name)

    # ------------------------------------------------------------------------------------------------- going

    def closed(self, link: Link, reason: str) -> None:
        """A link's session dropped or ended, or could not be opened."""
        name = link.name
        self.replaying.pop(name, None)
        if name in self._opened:
            self._opened.remove(name)
            self._ledger.tell(
                SessionClosed(
                    ts_ns=self._clock.now_ns,
                    link=name,
                    session_id=link.session_id,
                    reason=reason,
                    cl_ord_ids=self._owned(link.session_id),
                )
            )
            self._requests.line_dropped(name, reason)
            self._refresh_reach(f"session of '{name}' closed: {reason}")
            self._polls.ensure()
        delay_ms = self._policy.reconnect_delay_ms
        if self._is_running and delay_ms is not None and name not in self._reopening:
            self._reopening.add(name)
            self._clock.call_at(self._clock.now_ns + delay_ms * _MS, lambda: self._reopen(link))

    def _reopen(self, link: Link) -> None:
        self._reopening.discard(link.name)
        if self._is_running and not link.is_up:
            link.open(is_reset=not self._can_resume(link))

    def _can_resume(self, link: Link) -> bool:
        return link.profile.is_resumable and self._policy.is_resumed_on_reconnect

    # ------------------------------------------------------------------------------------------------- owners

    def _owned(self, session_id: str) -> tuple[str, ...]:
        orders = self._ledger.open_orders.values()
        return tuple(record.cl_ord_id for record in orders if record.owner_session == session_id)

    def moved(self, record: OrderRecord, name: str) -> None:
        """What stands for an order at the venue was entered by this link now."""
        if record.owner_link != name:
            record.owner_link, record.owner_session = name, self._links[name].session_id
            self._refresh_reach(f"entered by '{name}' now")

    def _refresh_reach(self, reason: str) -> None:
        self._reach.clear()
        for record in list(self._ledger.open_orders.values()):
            reach = self.reach(record)
            if reach != record.reach:
                previous, record.reach = record.reach, reach
                self._ledger.tell(
                    OrderReachChanged(
                        ts_ns=self._clock.now_ns,
                        cl_ord_id=record.cl_ord_id,
                        reach=reach,
                        previous=previous,
                        reason=reason,
                    )
                )
