"""The FIX sessions of one port by SenderCompID, and the connections that they write to.

A second Logon of a SenderCompID takes over (observed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from adapters.fix.acceptor import Acceptor, AcceptorLine
from adapters.fix.codec import Message
from adapters.fix.dictionary import Dictionary
from adapters.fix.session import Session, SessionState
from adapters.fix.settings import QuietHandler, SessionSettings
from adapters.fix.store import MessageStore
from adapters.kraken.server.context import Clock, ServerContext
from adapters.kraken.server.facts import ConnectionFacts, FixFacts

__all__ = ["CompSession", "CompSessions", "FixConnection"]


class CompSession(QuietHandler):
    """One SenderCompID: its session, and the connection that it writes to while its line is up."""

    def __init__(
        self, target_comp_id: str, comp_id: str, account: str, dictionary: Dictionary, store: MessageStore
    ) -> None:
        """target_comp_id: the venue's name on this port. account: that the SenderCompID belongs to."""
        settings = SessionSettings(sender_comp_id=target_comp_id, target_comp_id=comp_id, is_new_logon_winning=True)
        self.session = Session(settings, dictionary, store, self)
        self.comp_id: str | None = comp_id
        self.account = account
        self.connection: FixConnection | None = None
        # Connections that the session has left, which may have last words to write.
        self.left: list[FixConnection] = []

    def facts(self) -> FixFacts:
        """What the session says of itself."""
        session = self.session
        return FixFacts(
            comp_id=session.settings.target_comp_id,
            target_comp_id=session.settings.sender_comp_id,
            account=self.account,
            is_logged_on=session.state is SessionState.OPEN,
            next_sender=session.next_sender,
            next_target=session.next_target,
        )

    def flush(self) -> None:
        """Write what the session has made."""
        connection = self.connection
        if connection is not None and connection.has_more:
            connection.flush()
        while self.left:
            self.left.pop().flush()

    def leave(self) -> None:
        """The line is down."""
        if self.connection is not None:
            self.left.append(self.connection)
            self.connection = None


class CompSessions[M: CompSession]:
    """All sessions of a port.

    members: those that may log on. target_comp_id: the venue's name on this port. commit: has what sessions must not
    forget written, before anything leaves.
    """

    def __init__(self, context: ServerContext, target_comp_id: str, members: Iterable[M]) -> None:
        self.members: dict[str, M] = {member.session.settings.target_comp_id: member for member in members}
        self._target_comp_id = target_comp_id
        self._clock = context.clock
        self._acceptor = Acceptor(self._find)
        self.commit: Callable[[], None] = context.commit
        # Those that have, or have just left, a connection: all others have nobody to write to.
        self._connected: dict[M, None] = {}

    def connect(self, peer: str, send: Callable[[bytes], object], close: Callable[[], None]) -> FixConnection:
        """A client has connected."""
        return FixConnection(self._acceptor.connect(self._clock.now_ns), self._clock, send, close, self)

    def flush(self) -> None:
        """Write what sessions have made outside of their own connections' calls, such as fills."""
        for member in tuple(self._connected):
            member.flush()
            if member.connection is None:
                self._connected.pop(member, None)

    def sessions(self) -> list[FixFacts]:
        """All sessions, whether they are logged on or not."""
        return [member.facts() for member in self.members.values()]

    def joined(self, session: Session, connection: FixConnection) -> None:
        """A session has logged on."""
        member = self.member_of(session)
        member.connection = connection
        self._connected[member] = None

    def member_of(self, session: Session) -> M:
        """Whose session it is; raises KeyError for one that is not of this port."""
        member = self.members[session.settings.target_comp_id]
        if member.session is not session:
            raise KeyError(session.settings.target_comp_id)
        return member

    def _find(self, message: Message) -> Session | None:
        member = self.members.get(message.text(49))
        return member.session if member is not None and message.text(56) == self._target_comp_id else None


class FixConnection:
    """One connection: bytes in, bytes out."""

    def __init__(
        self,
        line: AcceptorLine,
        clock: Clock,
        send: Callable[[bytes], object],
        close: Callable[[], None],
        sessions: CompSessions[Any],
    ) -> None:
        self._line = line
        self._clock = clock
        self._send = send
        self._close = close
        self._sessions = sessions
        self._is_closed = False
        self._is_receiving = False

    def receive(self, data: bytes) -> None:
        """Bytes have come."""
        had_session = self._line.session is not None
        self._is_receiving = True
        try:
            self._line.receive(data, self._clock.now_ns)
        finally:
            self._is_receiving = False
        if not had_session and self._line.session is not None:
            self._sessions.joined(self._line.session, self)
        self._sessions.flush()
        self.flush()

    def closed(self) -> None:
        """The client is gone."""
        self._is_closed = True
        self._line.closed(self._clock.now_ns)
        self._sessions.flush()

    def on_timer(self, now_ns: int) -> None:
        """Do what is due."""
        self._line.on_timer(now_ns)
        self.flush()

    def next_timer_ns(self) -> int | None:
        """When ``on_timer`` next has something to do; None if never."""
        return None if self._is_closed else self._line.next_timer_ns()

    def facts(self) -> ConnectionFacts:
        """What this connection says of itself: whose session it carries."""
        session = self._line.session
        if session is None:
            return ConnectionFacts()
        fix: FixFacts = self._sessions.member_of(session).facts()
        return ConnectionFacts(accounts=(fix.account,), fix=fix)

    @property
    def has_more(self) -> bool:
        """Whether there may be something to write, or the connection is to be closed."""
        return self._line.has_more

    def flush(self) -> None:
        """Write what there is, and close if that is wanted; not while bytes are read, whose answers go out together."""
        if self._is_closed or self._is_receiving:
            return
        self._sessions.commit()
        data = self._line.data_to_send()
        if data:
            self._send(data)
        if self._line.wants_close:
            self._is_closed = True
            self._close()
