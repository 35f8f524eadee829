"""Lines coming and going: connect, logon, resume, logout, drop, rollover.

What a dropped line does to orders, whether a session can be resumed and what a session is are read from the protocol's
profile. Where the documents are silent: a second logon of the same comp id takes over and the older line is closed; the
daily rollover ends a session in good order, so it cancels orders only where a logout would.

Sources: fix-api/logon-fix, fix-api/logout-fix, guides/fix-intro, guides/general/api-comparison.
"""

from __future__ import annotations

from framework.errors import ConfigError
from framework.messages import Logon, Logout, SessionClosed, SessionOpened
from framework.protocol import News, OnDisconnect, Protocol, RejectReason, SessionScope
from framework.venue.account import Account
from framework.venue.cancels import Cancels
from framework.venue.parts import Parts
from framework.venue.sessions import Line, Outbound, Session, Stream
from framework.venue.timers import TimerKind

__all__ = ["Gateway"]

_SECOND_NS = 1_000_000_000
_DAY_NS = 86_400 * _SECOND_NS


class Gateway:
    """The lines and sessions of the venue.

    lines: by their name; a name can be used again once its line is down.
    """

    def __init__(self, parts: Parts, cancels: Cancels) -> None:
        self.lines: dict[str, Line] = {}
        self._parts = parts
        self._cancels = cancels
        self._sessions: dict[tuple[str, Protocol, str], Session] = {}
        self._session_count = 0
        self._rollover_end_ns: dict[Protocol, int] = {}

    # ------------------------------------------------------------------------------------------------- lines

    def connect(self, session_id: str, account: Account, label: str, comp_id: str | None, now_ns: int) -> Line:
        """A new line; raises ConfigError if one of this name is up or the venue has no such protocol."""
        profiles = self._parts.profile.protocols
        if label not in profiles:
            raise ConfigError(
                f"venue {self._parts.profile.name!r} has no protocol {label!r}; it has {', '.join(profiles)}"
            )
        profile = profiles[Protocol(label)]
        old = self.lines.get(session_id)
        if old is not None and old.is_up:
            raise ConfigError(f"line {session_id!r} is up already; drop it first")
        line = Line(session_id, session_id if comp_id is None else comp_id, account, profile)
        if not profile.has_session:
            line.session = self._new_session(line)
        self.lines[session_id] = line
        self._arm_rollover(profile.label, now_ns)
        self._tell("connected", line, now_ns)
        return line

    def subscribe(self, line: Line) -> None:
        """Have a line hear news of all orders of its account; raises ConfigError where the protocol has no such
        news.
        """
        if line.profile.news is not News.PUSHED_ACCOUNT:
            raise ConfigError(f"line {line.session_id!r} ({line.profile.title}) has no news of a whole account")
        if not line.is_subscribed:
            line.is_subscribed = True
            line.account.news_lines.append(line)

    def drop(self, line: Line, now_ns: int) -> None:
        """The line is gone, without logout."""
        self._take_down(line)
        session = line.session
        self._tell("dropped", line, now_ns)
        if session is not None and session.is_cancel_on_disconnect:
            self._cancels.end_orders(list(session.orders.values()), RejectReason.CANCEL_ON_DISCONNECT, now_ns)

    def _take_down(self, line: Line) -> None:
        line.is_up = False
        if line.is_subscribed:
            line.is_subscribed = False
            line.account.news_lines.remove(line)
        session = line.session
        if session is not None and session.line is line:
            session.line = None
            if session.stream is not None:
                session.stream.line = None
                session.stream.delivered_count = session.stream.count

    # ------------------------------------------------------------------------------------------------- sessions

    def logon(self, line: Line, command: Logon, now_ns: int) -> RejectReason | None:
        """Open a session on a line, anew or resuming the one before."""
        profile = line.profile
        if now_ns < self._rollover_end_ns.get(profile.label, now_ns):
            return RejectReason.MODE_MAINTENANCE
        if not profile.has_session:
            session = line.session
            assert session is not None
            self._open(line, session, command, now_ns, is_resumed=False)
            return None
        if line.session is not None:
            return RejectReason.INVALID_ARGUMENTS
        key = (line.account.name, profile.label, line.comp_key)
        before = self._sessions.get(key)
        if before is not None and before.line is not None:
            self._close(before.line, "replaced by a new logon", "replaced", now_ns)
        is_resumed = before is not None and before.stream is not None and not command.is_reset
        if is_resumed:
            assert before is not None
            session = self._resumed(line, before)
        else:
            if before is not None:
                self._supersede(before)
            session = self._new_session(line)
            session.stream = Stream() if profile.is_resumable else None
        self._sessions[key] = session
        session.line = line
        if session.stream is not None:
            session.stream.line = line
        line.session = session
        default = profile.on_disconnect is OnDisconnect.CANCEL_SESSION_ORDERS
        chosen = command.is_cancel_on_disconnect if profile.is_on_disconnect_chosen_at_logon else None
        session.is_cancel_on_disconnect = default if chosen is None else chosen
        self._open(line, session, command, now_ns, is_resumed=is_resumed)
        return None

    def _resumed(self, line: Line, before: Session) -> Session:
        if line.profile.session_scope is SessionScope.UNTIL_RESET:
            return before
        session = self._new_session(line)
        session.stream = before.stream
        return session

    def _open(self, line: Line, session: Session, command: Logon, now_ns: int, *, is_resumed: bool) -> None:
        stream = session.stream
        missed = stream.missed(command.next_expected_seq) if is_resumed and stream is not None else []
        opened = SessionOpened(
            ts_venue_ns=now_ns,
            request_id=command.request_id,
            session_id=session.session_id,
            is_resumed=is_resumed,
            replayed_count=len(missed),
        )
        outbox = self._parts.reporter.outbox
        outbox.append(Outbound(line.session_id, opened, True))
        outbox.extend(Outbound(line.session_id, report, False, seq_num) for seq_num, report in missed)
        self._tell("resumed" if is_resumed else "opened", line, now_ns)

    def logout(self, line: Line, command: Logout, now_ns: int) -> RejectReason | None:
        """End a session in good order."""
        if line.session is None:
            return RejectReason.NO_SESSION
        self._close(line, "logout", "logged_out", now_ns)
        return None

    def _close(self, line: Line, reason: str, change: str, now_ns: int) -> None:
        """End a line's session from the venue's end, or with its consent."""
        session = line.session
        assert session is not None
        closed = SessionClosed(ts_venue_ns=now_ns, session_id=session.session_id, reason=reason)
        self._parts.reporter.outbox.append(Outbound(line.session_id, closed, False))
        self._take_down(line)
        self._tell(change, line, now_ns)
        if (
            session.is_cancel_on_disconnect
            and line.profile.on_logout is OnDisconnect.CANCEL_SESSION_ORDERS
            and change != "replaced"
        ):
            self._cancels.end_orders(list(session.orders.values()), RejectReason.CANCEL_ON_DISCONNECT, now_ns)

    def _new_session(self, line: Line) -> Session:
        self._session_count += 1
        session = Session(f"{line.session_id}#{self._session_count}", line.comp_key, line.account, line.profile)
        session.line = line
        return session

    def _supersede(self, session: Session) -> None:
        """The numbers start anew: nobody hears of the old session's orders by its stream any more."""
        if session.stream is not None:
            session.stream.line = None
            session.stream.is_current = False
            session.stream.reports.clear()

    # ------------------------------------------------------------------------------------------------- rollover

    def _arm_rollover(self, label: Protocol, now_ns: int) -> None:
        profile = self._parts.profile.protocols[label]
        if profile.rollover_utc_s is None or label in self._rollover_end_ns:
            return
        self._rollover_end_ns[label] = 0
        due_ns = now_ns - now_ns % _DAY_NS + profile.rollover_utc_s * _SECOND_NS
        self._parts.timers.arm(due_ns if due_ns > now_ns else due_ns + _DAY_NS, TimerKind.ROLLOVER, label)

    def roll_over_daily(self, label: Protocol, due_ns: int) -> None:
        """A rollover that is due, and the one of the next day."""
        self._parts.timers.arm(due_ns + _DAY_NS, TimerKind.ROLLOVER, label)
        self.roll_over(label, due_ns)

    def roll_over(self, label: Protocol, due_ns: int) -> int:
        """The rollover of a protocol: its sessions end, its numbers start anew, and nobody can log on until the time
        that is returned.
        """
        self._arm_rollover(label, due_ns)
        profile = self._parts.profile.protocols[label]
        end_ns = max(due_ns + profile.rollover_ns, self._rollover_end_ns.get(label, 0))
        self._rollover_end_ns[label] = end_ns
        closed = []
        for line in list(self.lines.values()):
            if line.is_up and line.profile.label is label:
                if line.session is not None:
                    closed.append(line.session)
                    self._close(line, "rollover", "rollover", due_ns)
                else:
                    self._take_down(line)
        for key, session in list(self._sessions.items()):
            if key[1] is label:
                if session not in closed:
                    self._parts.reporter.close_unheard(session, "rollover", due_ns)
                self._supersede(session)
                del self._sessions[key]
        return end_ns

    def _tell(self, change: str, line: Line, now_ns: int) -> None:
        observer = self._parts.lifecycle.observer
        if observer is not None:
            observer.on_session(line.session_id, change, now_ns)
