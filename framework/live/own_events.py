"""Own orders and fills as a venue tells them, for a recording: by the link that pushes news, with what it missed asked
for after each gap by a link that can be asked. Nothing is ever ordered by them.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from framework.adapter import LiveLink
from framework.data.recorder import Recorder
from framework.execution.link import Clock
from framework.messages import (
    CommandRejected,
    ExecType,
    ExecutionReport,
    OrdersSnapshot,
    QueryOrders,
    Report,
    SessionOpened,
)

__all__ = ["OwnEvents"]

_REOPEN_NS = 1_000_000_000
_ASK_AGAIN_NS = 5_000_000_000
# The venue's clock may be behind ours by so much.
_MARGIN_NS = 5_000_000_000


class OwnEvents:
    """Writes down what two links tell of the account.

    Events are reports (``framework.messages``) as plain data, each with its ``type`` and ``link``; and ``NewsLost``:
    what happened to own orders is not known from ``from_ns`` on, until the answer to a question that follows has come
    (an OrdersSnapshot with a request_id, and the fills before it).
    count: events so far. gap_count: times that news was lost.
    """

    def __init__(
        self, recorder: Recorder, news: LiveLink, query: LiveLink, clock: Clock, tell: Callable[[str], None]
    ) -> None:
        """tell: hears in words of what is lost."""
        self.count = self.gap_count = 0
        self._recorder = recorder
        self._news = news
        self._query = query
        self._clock = clock
        self._tell = tell
        self._request_id = 0
        # Up to when a venue's answer has told all; it is asked for what came after it.
        self._told_ns = recorder.stopped_ns or clock.now_ns
        self._is_asked_for = self._is_heard = False
        self._seen: set[str] = set()
        self._is_closed = False
        for link in {news.name: news, query.name: query}.values():
            link.attach(self._on_report, self._on_closed)

    def close(self) -> None:
        """Hear no more; the links are somebody else's to close."""
        self._is_closed = True

    def open(self) -> None:
        """Begin to hear, and hear again whenever a link is lost."""
        for link in {self._news.name: self._news, self._query.name: self._query}.values():
            link.open(is_reset=True)

    # ------------------------------------------------------------------------------------------------- heard

    def _on_report(self, name: str, report: Report) -> None:
        if isinstance(report, SessionOpened):
            if name == self._news.name:
                self._is_asked_for = self._is_heard = True
                self._add(name, report)
            self._ask()
        elif isinstance(report, ExecutionReport):
            self._add(name, report)
        elif isinstance(report, OrdersSnapshot):
            for trade in report.trades:
                self._add(name, trade)
            self._add(name, msgspec.structs.replace(report, trades=()))
            if report.request_id is not None:
                self._is_asked_for = False
                self._told_ns = report.ts_venue_ns
        elif isinstance(report, CommandRejected):
            self._clock.call_at(self._clock.now_ns + _ASK_AGAIN_NS, self._ask)

    def _on_closed(self, name: str, reason: str) -> None:
        if self._is_closed:
            return
        link = self._news if name == self._news.name else self._query
        if link is self._news and self._is_heard:
            self._is_heard = False
            self.gap_count += 1
            self._tell(f"own orders: {reason}")
            now_ns = self._clock.now_ns
            self._recorder.add_event(now_ns, {"type": "NewsLost", "link": name, "from_ns": now_ns, "reason": reason})
            self.count += 1
        self._clock.call_at(self._clock.now_ns + _REOPEN_NS, lambda: self._reopen(link))

    def _reopen(self, link: LiveLink) -> None:
        if not self._is_closed:
            link.open(is_reset=True)

    def _ask(self) -> None:
        """Have orders and fills told that news has missed, once both links are up."""
        if self._is_asked_for and self._news.is_up and self._query.is_up:
            self._request_id += 1
            self._query.send(QueryOrders(request_id=self._request_id, since_ns=self._told_ns - _MARGIN_NS))

    def _add(self, name: str, report: Report) -> None:
        """A fill is written once, whichever link tells it."""
        if isinstance(report, ExecutionReport) and report.exec_type is ExecType.TRADE:
            assert report.exec_id is not None
            if report.exec_id in self._seen:
                return
            self._seen.add(report.exec_id)
        self._recorder.add_event(self._clock.now_ns, {**msgspec.to_builtins(report), "link": name})
        self.count += 1
