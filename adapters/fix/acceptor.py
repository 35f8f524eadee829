"""The accepting side of many sessions: which session a new connection belongs to.

The first message of a connection must be a whole and valid Logon whose names are those of a session; anything else is
closed without a word, so that a stranger learns nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from adapters.fix.codec import Framer, Message, decode, frame_fault
from adapters.fix.session import Session

__all__ = ["Acceptor", "AcceptorLine"]


class Acceptor:
    """Takes connections for sessions.

    find: the session for a Logon (its 49 is the peer's name, its 56 ours), or None.
    logon_timeout_ns: a connection that has not logged on by then is closed.
    """

    def __init__(self, find: Callable[[Message], Session | None], logon_timeout_ns: int = 10_000_000_000) -> None:
        self._find = find
        self._logon_timeout_ns = logon_timeout_ns
        self._lines: dict[int, AcceptorLine] = {}

    def connect(self, now_ns: int) -> AcceptorLine:
        """A client has connected."""
        return AcceptorLine(self, now_ns + self._logon_timeout_ns)

    def session_of(self, message: Message) -> Session | None:
        """The session that a first message logs on to; None if it does not."""
        return self._find(message) if message.msg_type == b"A" else None

    def take(self, session: Session, line: AcceptorLine, now_ns: int) -> bool:
        """Give a session to a line; False where it has one that keeps it. A line that loses it is to be closed."""
        holder = self._lines.get(id(session))
        if holder is not None:
            if not session.settings.is_new_logon_winning:
                return False
            holder.evict(now_ns)
        self._lines[id(session)] = line
        return True

    def release(self, session: Session) -> None:
        """A line has ended."""
        self._lines.pop(id(session), None)


class AcceptorLine:
    """One connection: bytes in, bytes out.

    session: whose it is, once it has logged on. wants_close: close it once ``data_to_send`` has been written.
    """

    def __init__(self, acceptor: Acceptor, deadline_ns: int) -> None:
        self.session: Session | None = None
        self._acceptor = acceptor
        self._framer = Framer()
        self._deadline_ns = deadline_ns
        self._is_refused = False
        self._last_words = b""

    @property
    def wants_close(self) -> bool:
        return self._is_refused or (self.session is not None and self.session.wants_close)

    @property
    def has_more(self) -> bool:
        """Whether there is something to write, or the connection is to be closed."""
        session = self.session
        if session is not None:
            return session.has_data_to_send or session.wants_close
        return bool(self._last_words) or self._is_refused

    def data_to_send(self) -> bytes:
        """What is to be written to the line now."""
        if self.session is not None:
            return self.session.data_to_send()
        words, self._last_words = self._last_words, b""
        return words

    def receive(self, data: bytes, now_ns: int) -> None:
        """Bytes have come."""
        for frame in self._framer.feed(data):
            if self.wants_close:
                return
            if self.session is None:
                self._log_on(frame, now_ns)
            else:
                self.session.receive_frame(frame, now_ns)

    def _log_on(self, frame: bytes, now_ns: int) -> None:
        if frame_fault(frame) is not None:
            self._is_refused = True
            return
        message = decode(frame)
        session = self._acceptor.session_of(message)
        if session is None or message.begin_string != session.settings.begin_string.encode():
            self._is_refused = True
            return
        if not self._acceptor.take(session, self, now_ns):
            self._is_refused = True
            return
        self.session = session
        session.accept(message, now_ns)

    def evict(self, now_ns: int) -> None:
        """Another line takes the session over."""
        session = self.session
        if session is not None:
            self._last_words = session.data_to_send()
            self.session = None
            session.disconnected(now_ns, "replaced by a new logon")
        self._is_refused = True

    def closed(self, now_ns: int) -> None:
        """The connection is gone."""
        session = self.session
        if session is not None:
            self.session = None
            self._acceptor.release(session)
            session.disconnected(now_ns)

    def next_timer_ns(self) -> int | None:
        """When ``on_timer`` next has something to do; None if never."""
        if self.session is not None:
            return self.session.next_timer_ns()
        return None if self._is_refused else self._deadline_ns

    def on_timer(self, now_ns: int) -> None:
        """Do what is due."""
        if self.session is not None:
            self.session.on_timer(now_ns)
        elif now_ns >= self._deadline_ns:
            self._is_refused = True
