"""A link in virtual time: the trader's end, the road, and the venue's gateway at its other end.

A command leaves the trader, travels by the path of commands, and is handled when it arrives; what the venue makes
travels back by the path of responses or of news. Whatever is on the road when the line drops is lost, in both
directions. This is the only place where the two ends of a simulation touch, so neither can know what has not reached
it.

Each ``open`` makes a new line, and a line that was lost never carries anything again, so what is sent before a drop has
been seen, or before the new line is up, is lost even where the road is usable again.

Simplification: bytes that had left the trader before its line dropped do not reach the venue afterwards. On a real line
those in the last milliseconds may.
"""

from __future__ import annotations

from collections.abc import Callable

from framework.backtest.sim_poll import SimPolls
from framework.messages import (
    Command,
    CommandAccepted,
    CommandRejected,
    ExecutionReport,
    Logon,
    Logout,
    OrdersSnapshot,
    PollPart,
    QueryOrders,
    Report,
    SessionClosed,
    SessionOpened,
)
from framework.protocol import News, ProtocolProfile
from framework.venue.exchange import Venue
from framework.venue.path import Path
from framework.venue.scheduler import Scheduler

__all__ = ["Gateway", "SimLink"]

# Requests of the link itself; those of a desk are numbered from 1.
_OWN_REQUEST = 0
# Reports that say nothing of the link itself.
_ORDINARY = (ExecutionReport, CommandAccepted)


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
        # Counts lines: what belongs to an earlier line is lost when it comes due. A venue names each line anew:
        # ``line_id`` is its name for the current one.
        self._line = 0
        self.line_id = f"{name}#0"
        # Of the current line: whether it still carries anything, whether the venue's end has taken it, and whether the
        # trader's end has been told that it is gone.
        self._is_whole = False
        self._is_connected = False
        self._is_end_told = True
        # So many drops hold the road closed now, whatever line is tried.
        self._block_count = 0
        # Number of the next message of the session's stream; a resumed session is sent what comes from there on.
        self._next_seq = 1
        # Where a poll is several questions.
        self._polls = SimPolls() if profile.poll_calls_on_change else None
        self._on_report: Callable[[str, Report], None] = _ignore_report
        self._on_closed: Callable[[str, str], None] = _ignore_closed

    def attach(self, on_report: Callable[[str, Report], None], on_closed: Callable[[str, str], None]) -> None:
        """Say who hears reports (link name, report) and the end of a session (link name, reason)."""
        self._on_report = on_report
        self._on_closed = on_closed

    def send(self, command: Command) -> None:
        """Put a command on the road."""
        polls = self._polls
        if polls is not None:
            polls.note_sent(command)
            if isinstance(command, QueryOrders) and command.part is PollPart.WHOLE:
                command = polls.begin(command)
        arrival_ns = self.command_arrival_ns(command)
        if arrival_ns is not None:
            self._scheduler.at(arrival_ns, self._arrive, self._line, command)

    def connect_arrival_ns(self) -> int:
        """When the venue hears of a line that is opened now."""
        return self._command.send(self._scheduler.now_ns)

    def command_arrival_ns(self, command: Command) -> int | None:
        """When a command that is sent now arrives; None if it is lost on the way."""
        return self._command.send(self._scheduler.now_ns)

    def report_arrival_ns(self, report: Report, is_response: bool) -> int | None:
        """When a report that is sent now arrives; None if it is lost on the way."""
        return (self._response if is_response else self._news).send(self._scheduler.now_ns)

    def told_ns(self, snapshot: OrdersSnapshot) -> int | None:
        """When the whole answer to a poll, which has come, is told; None if it never is."""
        return self._scheduler.now_ns

    def open(self, is_reset: bool) -> None:
        """Connect, and log on where the protocol has sessions; up when the venue's answer has come back.

        If that fails (the line drops, the road is blocked, the venue refuses the logon), its end is told.
        """
        self._hang_up()
        if self._polls is not None:
            self._polls.forget()
        self._line += 1
        self.line_id = f"{self.name}#{self._line}"
        self._is_whole = not self._block_count
        self._is_end_told = False
        for path in (self._command, self._response, self._news):
            path.reconnect()
        self._scheduler.at(self.connect_arrival_ns(), self._connect, self._line, is_reset)

    def close(self) -> None:
        """End the session in good order."""
        self.send(Logout(request_id=_OWN_REQUEST))

    def cut(self, detect_ns: int) -> None:
        """The line drops now, and no other can be had until ``restore``; each end sees it after ``detect_ns``.

        Drops may overlap: each needs its own ``restore``.
        """
        self._block_count += 1
        if not self._is_whole:
            return
        self._is_whole = False
        if self._is_connected:  # else the attempt to connect fails when it would have arrived
            self._is_connected = False
            seen_ns = self._scheduler.now_ns + detect_ns
            self._scheduler.at(seen_ns, self._venue_sees_drop, self.line_id)
            self._scheduler.at(seen_ns, self._trader_sees_end, self._line, "line dropped")

    def restore(self) -> None:
        """A drop is over; when all are, the road can be used again, and whoever wants a line opens it."""
        self._block_count -= 1

    # ------------------------------------------------------------------------------------------------- the road

    def _arrive(self, line: int, command: Command) -> None:
        if line == self._line and self._is_connected:
            self._venue.handle(self.line_id, command, self._scheduler.now_ns)
            self._gateway.flush()

    def _connect(self, line: int, is_reset: bool) -> None:
        now_ns = self._scheduler.now_ns
        if line != self._line:
            return
        if not self._is_whole:
            self._trader_sees_end(line, "no connection")
            return
        self._is_connected = True
        self._gateway.register(self.line_id, self)
        is_subscribed = self._is_news_subscribed and self.profile.news is News.PUSHED_ACCOUNT
        self._venue.connect(
            self.line_id, self._account, self.profile.label, now_ns, self.name, is_news_subscribed=is_subscribed
        )
        if self.profile.has_session:
            logon = Logon(
                request_id=_OWN_REQUEST,
                is_reset=is_reset,
                is_cancel_on_disconnect=self._is_cancel_on_disconnect,
                next_expected_seq=None if is_reset else self._next_seq,
            )
            self._venue.handle(self.line_id, logon, now_ns)
        else:
            opened = SessionOpened(ts_venue_ns=now_ns, request_id=None, session_id=self.line_id, is_resumed=False)
            self.carry_back(opened, is_response=True, seq_num=0)
        self._gateway.flush()

    def carry_back(self, report: Report, is_response: bool, seq_num: int) -> None:
        """Put a report on the road to the trader; lost if the line is.

        seq_num: its number in the session's stream, 0 for none.
        """
        if self._is_whole:
            arrival_ns = self.report_arrival_ns(report, is_response)
            if arrival_ns is not None:
                self._scheduler.at(arrival_ns, self._deliver, self._line, report, seq_num)

    def _deliver(self, line: int, report: Report, seq_num: int) -> None:
        if line != self._line or not self._is_whole:
            return
        if seq_num:
            self._next_seq = seq_num + 1
        if self._polls is not None:
            if isinstance(report, OrdersSnapshot):
                self._poll_answered(self._polls.answer(report))
                return
            self._polls.note_heard(report)
        if type(report) in _ORDINARY:
            self._on_report(self.name, report)
            return
        if isinstance(report, SessionClosed):
            self._is_whole = self._is_connected = False
            self._trader_sees_end(line, report.reason)
            return
        if isinstance(report, CommandRejected) and report.request_id == _OWN_REQUEST and not self.is_up:
            self._hang_up()
            self._trader_sees_end(line, report.error)
            return
        if isinstance(report, SessionOpened):
            self.is_up = True
            self.session_id = report.session_id
            if not report.is_resumed:
                self._next_seq = 1
        self._on_report(self.name, report)

    def _poll_answered(self, found: QueryOrders | OrdersSnapshot) -> None:
        """A poll goes on with its next question, or is told."""
        if isinstance(found, QueryOrders):
            self.send(found)
            return
        told_ns = self.told_ns(found)
        if told_ns == self._scheduler.now_ns:
            self._on_report(self.name, found)
        elif told_ns is not None:
            self._scheduler.at(told_ns, self._tell, self._line, found)

    def _tell(self, line: int, report: Report) -> None:
        if line == self._line and self._is_whole:
            self._on_report(self.name, report)

    def _hang_up(self) -> None:
        """The trader's end gives a line up. Simplification: the venue's end sees it at once."""
        if self._is_connected:
            self._venue_sees_drop(self.line_id)
        self._is_whole = self._is_connected = False
        self.is_up = False

    def _venue_sees_drop(self, line_id: str) -> None:
        self._venue.drop_line(line_id, self._scheduler.now_ns)
        self._gateway.flush()

    def _trader_sees_end(self, line: int, reason: str) -> None:
        if line == self._line and not self._is_end_told:
            self._is_end_told = True
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
                link.carry_back(outbound.report, outbound.is_response, outbound.seq_num)
        outbox.clear()


def _ignore_report(name: str, report: Report) -> None:
    """Nobody listens yet."""


def _ignore_closed(name: str, reason: str) -> None:
    """Nobody listens yet."""
