"""A FIX gateway in front of a served venue in virtual time, and a client: the same engine as initiator."""

from __future__ import annotations

from typing import Any

from adapters.fix.codec import Fields, Message
from adapters.fix.session import Session
from adapters.fix.settings import QuietHandler, SessionSettings
from adapters.fix.store import MemoryStore
from adapters.fix.times import utc_timestamp
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.fix.gateway import FixGateway
from adapters.kraken.server.fix.sessions import FixConnection
from adapters.kraken.server.keys import PERMISSIONS, ApiKey, KeyRing, generate_keys
from adapters.kraken.wire.fix_dialect import KRAKEN_FIX, logon_password
from framework.venue.served.host import VenueHost
from tests.framework.venue.served.served_rig import host

__all__ = ["Desk", "Fix"]


class Fix:
    """Two accounts with a key each and SenderCompIDs ``A0`` and ``B0`` (account a0), ``A1`` (account a1)."""

    def __init__(
        self,
        rows: Any = None,
        permissions: tuple[str, ...] = PERMISSIONS,
        served: VenueHost | None = None,
        **options: Any,
    ) -> None:
        """served: the host; one of a hand-made market, with these options, if it is left out."""
        self.host = host(rows, **options) if served is None else served
        self.keys = [ApiKey(key.key, key.secret, key.account, permissions) for key in generate_keys(["a0", "a1"], 5)]
        self.context = ServerContext(self.host, KeyRing(self.keys, seed=5))
        self.logon_count = 0
        self.gateway = FixGateway(self.context, {"A0": "a0", "B0": "a0", "A1": "a1"})

    def desk(self, comp_id: str = "A0", **options: Any) -> Desk:
        """A client that has not connected yet."""
        return Desk(self, comp_id, **options)


class Desk(QuietHandler):
    """One client. reports: application messages in order; each is taken by looking at it (``taken``)."""

    def __init__(self, fix: Fix, comp_id: str, password: str | None = None, nonce_ms: int = 0) -> None:
        self.fix = fix
        self.comp_id = comp_id
        self.key = fix.keys[1 if comp_id == "A1" else 0]
        self.reports: list[Message] = []
        self.closed: list[str] = []
        self.more: Fields = ()
        self.number = 1_000
        self._password = password
        self._nonce_ms = nonce_ms
        settings = SessionSettings(sender_comp_id=comp_id, target_comp_id="KRAKEN-TRD")
        self.session = Session(settings, KRAKEN_FIX, MemoryStore(), self)
        self._line: FixConnection | None = None
        self._is_flushing = False

    # -- the session's handler

    def logon_fields(self, session: Session, now_ns: int) -> Fields:
        nonce = str(now_ns // 1_000_000 + self._nonce_ms + self.fix.logon_count)
        self.fix.logon_count += 1
        right = logon_password(self.key.secret, self.key.key, session.next_sender, self.comp_id, "KRAKEN-TRD", nonce)
        return (
            (553, self.key.key.encode()),
            (554, (self._password or right).encode()),
            (5025, nonce.encode()),
            *self.more,
        )

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        self.reports.append(message)

    def on_closed(self, session: Session, reason: str, now_ns: int) -> None:
        self.closed.append(reason)

    # -- the line

    def open(self, *, is_reset: bool = False, **more: int) -> Desk:
        """Connect and log on; more: fields of the Logon by tag, as ``t8674=1``."""
        self.more = tuple((int(name[1:]), b"%d" % value) for name, value in more.items())
        self._line = self.fix.gateway.connect("127.0.0.1:1", self._receive, self._hang_up)
        self.session.connect(self.fix.host.now_ns, is_reset=is_reset)
        return self.flush()

    def flush(self) -> Desk:
        """Carry what the client has written, until there is no more."""
        while self._line is not None:
            data = self.session.data_to_send()
            if not data:
                break
            self._line.receive(data)
        if self.session.wants_close and self._line is not None:
            self.cut()
        return self

    def cut(self) -> None:
        """The line is gone, without a word."""
        line, self._line = self._line, None
        if line is not None:
            line.closed()
        self.session.disconnected(self.fix.host.now_ns)

    def lose(self) -> None:
        """The line is gone, and only the venue does not know it yet: what it sends is lost."""
        self.session.disconnected(self.fix.host.now_ns)

    def _receive(self, data: bytes) -> None:
        if self._line is not None and self.session.state.value != "closed":
            self.session.receive(data, self.fix.host.now_ns)
            self.flush()

    def _hang_up(self) -> None:
        self.cut()

    # -- requests

    def send(self, msg_type: bytes, cl_ord_id: str | None = None, **fields: str) -> str:
        """Send a request with fields by tag (``t38="1"``); gives its ClOrdID."""
        self.number += 1
        name = cl_ord_id or str(self.number)
        now = utc_timestamp(self.fix.host.now_ns).decode()
        body = {11: name, 60: now} | {int(tag[1:]): value for tag, value in fields.items()}
        self.session.send(msg_type, [(tag, body[tag].encode()) for tag in sorted(body)], self.fix.host.now_ns)
        self.flush()
        return name

    def add(self, side: str = "1", price: str = "100.1", qty: str = "1", **more: str) -> str:
        """A limit order; gives its ClOrdID."""
        fields = {"t38": qty, "t40": "2", "t44": price, "t54": side, "t55": "BTC/USD", "t59": "1"}
        return self.send(b"D", **{**fields, **more})

    def cancel(self, orig: str) -> str:
        """A cancel of an order; gives its own ClOrdID."""
        return self.send(b"F", t41=orig, t54="1", t55="BTC/USD")

    def taken(self) -> list[tuple[str, ...]]:
        """What has come, as (type or ExecType, OrdStatus, ClOrdID, OrigClOrdID or text), taken."""
        reports, self.reports = self.reports, []
        return [
            (report.text(150), report.text(39), report.text(11), report.text(41))
            if report.msg_type == b"8"
            else (report.msg_type.decode(), report.text(380), report.text(379), report.text(58))
            for report in reports
        ]
