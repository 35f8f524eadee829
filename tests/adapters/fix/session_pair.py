"""Two ends of a FIX session, joined by a line in memory that can be cut, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapters.fix.acceptor import Acceptor, AcceptorLine
from adapters.fix.codec import Fields, Message
from adapters.fix.fix44 import FIX44
from adapters.fix.session import Session
from adapters.fix.settings import LogonRefusedError, QuietHandler, SessionSettings
from adapters.fix.store import MemoryStore, MessageStore

__all__ = ["SECOND", "Ear", "Pair", "order"]

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def order(number: int) -> Fields:
    """The body of a NewOrderSingle."""
    now = b"20231114-22:13:20"
    return ((11, b"%d" % number), (40, b"2"), (44, b"1.5"), (54, b"1"), (55, b"X"), (60, now))


@dataclass
class Ear(QuietHandler):
    """Writes down what a session tells."""

    orders: list[int] = field(default_factory=list)
    rejects: list[str] = field(default_factory=list)
    opened: int = 0
    closed: list[str] = field(default_factory=list)
    refusal: LogonRefusedError | None = None
    stale: set[int] = field(default_factory=set)
    extra: Fields = ()

    def check_logon(self, session: Session, message: Message, now_ns: int) -> None:
        if self.refusal is not None:
            raise self.refusal

    def logon_fields(self, session: Session, now_ns: int) -> Fields:
        return self.extra

    def on_opened(self, session: Session, message: Message, now_ns: int) -> None:
        self.opened += 1

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        self.orders.append(message.number(11) or -1)

    def on_reject(self, session: Session, message: Message, now_ns: int) -> None:
        self.rejects.append(message.text(58))

    def is_replayed(self, session: Session, seq_num: int, message: bytes, now_ns: int) -> bool:
        return seq_num not in self.stale

    def on_closed(self, session: Session, reason: str, now_ns: int) -> None:
        self.closed.append(reason)


class Pair:
    """An initiator (``client``) and an acceptor (``server``).

    sent: bytes on the line, by direction, since the last look. Options by the name of a field of ``SessionSettings``,
    for both ends; those that begin with ``server_`` for the acceptor only, ``client_`` likewise.
    """

    def __init__(
        self, client_store: MessageStore | None = None, server_store: MessageStore | None = None, **options: Any
    ) -> None:
        both = {name: value for name, value in options.items() if not name.startswith(("server_", "client_"))}

        def settings(end: str, sender: str, target: str) -> SessionSettings:
            own = {name.removeprefix(end): value for name, value in options.items() if name.startswith(end)}
            return SessionSettings(sender_comp_id=sender, target_comp_id=target, **both, **own)

        self.now_ns = START
        self.client_ear, self.server_ear = Ear(), Ear()
        self.client = Session(settings("client_", "US", "THEM"), FIX44, client_store or MemoryStore(), self.client_ear)
        self.server = Session(settings("server_", "THEM", "US"), FIX44, server_store or MemoryStore(), self.server_ear)
        self.acceptor = Acceptor(lambda message: self.server if message.get(49) == b"US" else None)
        self.line: AcceptorLine | None = None
        self.sent: list[tuple[str, bytes]] = []

    def open(self, *, is_reset: bool = False) -> Pair:
        """Connect and log on."""
        self.line = self.acceptor.connect(self.now_ns)
        self.client.connect(self.now_ns, is_reset=is_reset)
        return self.run()

    def run(self) -> Pair:
        """Carry bytes until both ends are quiet."""
        while self.line is not None:
            out = self.client.data_to_send()
            back = self.line.data_to_send()
            if out:
                self.sent.append(("client", out))
                self.line.receive(out, self.now_ns)
            if back:
                self.sent.append(("server", back))
                self.client.receive(back, self.now_ns)
            if not out and not back:
                if self.client.wants_close or self.line.wants_close:
                    self.cut()
                return self
        return self

    def lose(self) -> None:
        """What either end has written is lost on the way."""
        assert self.line is not None
        self.client.data_to_send()
        self.line.data_to_send()

    def cut(self) -> None:
        """The line is gone."""
        assert self.line is not None
        line, self.line = self.line, None
        line.closed(self.now_ns)
        self.client.disconnected(self.now_ns)

    def wait(self, seconds: float, *, is_server_running: bool = True) -> None:
        """Time goes by, timers included, in steps of a tenth of a second."""
        for _ in range(round(seconds * 10)):
            if self.line is None:
                return
            self.now_ns += SECOND // 10
            self.client.on_timer(self.now_ns)
            if is_server_running:
                self.line.on_timer(self.now_ns)
                self.run()
            else:
                self.client.data_to_send()
                if self.client.wants_close:
                    self.cut()

    def types(self, end: str) -> list[str]:
        """MsgTypes that an end has sent since the last look."""
        frames = b"".join(data for who, data in self.sent if who == end).split(b"\x0135=")[1:]
        self.sent = [each for each in self.sent if each[0] != end]
        return [frame.split(b"\x01", 1)[0].decode() for frame in frames]
