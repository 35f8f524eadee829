"""A link in virtual time: the trader's end, the road, and the venue's gateway at its other end.

A command leaves the trader, travels by the path of commands, and is handled when it arrives; what the venue makes
travels back by the path of responses or of news. Whatever is on the road when the line drops is lost, in both
directions. This is the only place where the two ends of a simulation touch, so neither can know what has not reached
it.

Simplification: bytes that had left the trader before its line dropped do not reach the venue afterwards. On a real line
those in the last milliseconds may.
"""

from __future__ import annotations

from collections.abc import Callable

from framework.backtest.scheduler import Scheduler
from framework.messages import Command, Logon, Logout, Report, SessionClosed, SessionOpened
from framework.protocol import News, ProtocolProfile
from framework.venue.exchange import Venue
from framework.venue.path import Path

__all__ = ["Gateway", "SimLink"]


class SimLink:
    """One simulated protocol connection of one account.

    command, response, news: the paths of the three kinds of messages; the same object twice where the protocol has one
    ordered stream for both.
    is_news_subscribed: news of own orders is wanted on this link, where its protocol pushes it to subscribers.
    is_cancel_on_disconnect: what logon asks for; None leaves the protocol's default.
    """

    def __init__(
        self,
        name: str,
        profile: ProtocolProfile,
        account: str,
        scheduler: Scheduler,
        venue: Venue,
        gateway: Gateway,
        command: Path,
        response: Path,
        news: Path,
        is_news_subscribed: bool,
        is_cancel_on_disconnect: bool | None = None,
    ) -> None:
        self.name = name
        self.profile = profile
        self.is_up = False
        self.session_id = ""
        self._account = account
        self._scheduler = scheduler
        self._venue = venue
        self._gateway = gateway
        self._command = command
        self._response = response
        self._news = news
        self._is_news_subscribed = is_news_subscribed
        self._is_cancel_on_disconnect = is_cancel_on_disconnect
        # Counts lines: what belongs to an earlier line is lost when it comes due. A venue names each line anew.
        self._line = 0
        self._is_blocked = False
        self._on_report: Callable[[str, Report], None] = _ignore_report
        self._on_closed: Callable[[str, str], None] = _ignore_closed

    def attach(self, on_report: Callable[[str, Report], None], on_closed: Callable[[str, str], None]) -> None:
        """Say who hears reports (link name, report) and the end of a session (link name, reason)."""
        self._on_report = on_report
        self._on_closed = on_closed

    @property
    def line_id(self) -> str:
        """The venue's name for the current line."""
        return f"{self.name}#{self._line}"

    def send(self, command: Command) -> None:
        """Put a command on the road."""
        arrival_ns = self._command.send(self._scheduler.now_ns)
        self._scheduler.at(arrival_ns, self._arrive, self._line, command)

    def open(self, is_reset: bool) -> None:
        """Connect, and log on where the protocol has sessions; up when the venue's answer has come back."""
        self._line += 1
        for path in (self._command, self._response, self._news):
            path.reconnect()
        arrival_ns = self._command.send(self._scheduler.now_ns)
        self._scheduler.at(arrival_ns, self._connect, self._line, is_reset)

    def close(self) -> None:
        """End the session in good order."""
        self.send(Logout(request_id=0))

    def cut(self, detect_ns: int) -> None:
        """The line drops now; each end sees it after ``detect_ns``."""
        if not self._is_blocked:
            self._is_blocked = True
            line_id, was_up = self.line_id, self.is_up
            self._line += 1
            self._scheduler.at(self._scheduler.now_ns + detect_ns, self._venue_sees_drop, line_id)
            if was_up:
                self._scheduler.at(self._scheduler.now_ns + detect_ns, self._trader_sees_drop, "line dropped")

    def restore(self) -> None:
        """The line can be used again; whoever wants it opens it."""
        self._is_blocked = False

    # ------------------------------------------------------------------------------------------------- the road

    def _arrive(self, line: int, command: Command) -> None:
        if line == self._line and not self._is_blocked:
            self._venue.handle(self.line_id, command, self._scheduler.now_ns)
            self._gateway.flush()

    def _connect(self, line: int, is_reset: bool) -> None:
        now_ns = self._scheduler.now_ns
        if line != self._line:
            return
        if self._is_blocked:
            self._scheduler.at(now_ns, self._trader_sees_drop, "no connection")
            return
        self._gateway.register(self.line_id, self)
        is_subscribed = self._is_news_subscribed and self.profile.news is News.PUSHED_ACCOUNT
        self._venue.connect(
            self.line_id, self._account, self.profile.label, now_ns, self.name, is_news_subscribed=is_subscribed
        )
        if self.profile.has_session:
            logon = Logon(request_id=0, is_reset=is_reset, is_cancel_on_disconnect=self._is_cancel_on_disconnect)
            self._venue.handle(self.line_id, logon, now_ns)
        else:
            opened = SessionOpened(ts_venue_ns=now_ns, request_id=None, session_id=self.line_id, is_resumed=False)
            self.carry_back(opened, is_response=True)
        self._gateway.flush()

    def carry_back(self, report: Report, is_response: bool) -> None:
        """Put a report on the road to the trader."""
        path = self._response if is_response else self._news
        self._scheduler.at(path.send(self._scheduler.now_ns), self._deliver, self._line, report)

    def _deliver(self, line: int, report: Report) -> None:
        if line != self._line or self._is_blocked:
            return
        if isinstance(report, SessionOpened):
            self.is_up = True
            self.session_id = report.session_id
        elif isinstance(report, SessionClosed):
            self._line += 1
            self._trader_sees_drop(report.reason)
            return
        self._on_report(self.name, report)

    def _venue_sees_drop(self, line_id: str) -> None:
        self._venue.drop_line(line_id, self._scheduler.now_ns)
        self._gateway.flush()

    def _trader_sees_drop(self, reason: str) -> None:
        self.is_up = False
        self._on_closed(self.name, reason)


class Gateway:
    """Empties the venue's outbox onto the roads of the links."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._links: dict[str, SimLink] = {}

    def register(self, line_id: str, link: SimLink) -> None:
        """A line is up; what the venue sends on it goes by this link."""
        self._links[line_id] = link

    def flush(self) -> None:
        """Send what the venue has made, in its order."""
        outbox = self._venue.outbox
        if not outbox:
            return
        for outbound in outbox:
            link = self._links[outbound.session_id]
            if link.line_id == outbound.session_id:
                link.carry_back(outbound.report, outbound.is_response)
        outbox.clear()


def _ignore_report(name: str, report: Report) -> None:
    """Nobody listens yet."""


def _ignore_closed(name: str, reason: str) -> None:
    """Nobody listens yet."""
