"""The FIX gateway of trading: sessions by SenderCompID, from Logon to execution reports.

Of a session whose line is down the reports go on being numbered and stored, so that a client that comes back without a
reset asks for them and gets them with their numbers. A second Logon of a SenderCompID takes over (observed); the
daily rollover ends all sessions and begins their numbers anew.

Sources: fix-api/logon-fix, logout-fix; guides/fix-intro, guides/general/api-comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from adapters.fix.acceptor import Acceptor, AcceptorLine
from adapters.fix.codec import Message
from adapters.fix.session import Session, SessionState
from adapters.fix.settings import LogonRefusedError, QuietHandler, SessionSettings
from adapters.fix.store import FileStore, MemoryStore, MessageStore
from adapters.kraken.errors import reject_reason
from adapters.kraken.server.context import Clock, ServerContext
from adapters.kraken.server.facts import ConnectionFacts, FixFacts
from adapters.kraken.server.fix.reports import business_reject, execution_fields
from adapters.kraken.server.fix.requests import ClOrdIds, FixRequests
from adapters.kraken.server.keys import ApiKey
from adapters.kraken.server.refusal import Refusal
from adapters.kraken.wire.fix_dialect import KRAKEN_FIX, is_password
from framework.messages import (
    CancelOrder,
    Command,
    CommandRejected,
    ExecutionReport,
    Logon,
    Logout,
    Report,
    SessionClosed,
)

__all__ = ["TARGET_COMP_ID", "FixConnection", "FixGateway"]

TARGET_COMP_ID = "KRAKEN-TRD"
_NONCE_TOLERANCE_MS = 5_000
_NEVER = 2**62
_REFUSED = "authentication failure"


class FixGateway:
    """All trading sessions.

    comp_ids: SenderCompIDs, each with the account that it may log on for. folder: where sessions keep what they sent;
    None for memory.
    """

    def __init__(self, context: ServerContext, comp_ids: dict[str, str], folder: Path | None = None) -> None:
        self._traders: dict[str, _Trader] = {}
        for comp_id, account in comp_ids.items():
            store = MemoryStore() if folder is None else FileStore(folder / f"{comp_id}.fix")
            self._traders[comp_id] = _Trader(context, comp_id, account, store)
        self._host = context.host
        self._clock = context.clock
        self._acceptor = Acceptor(self._find)
        self._host.venue.keep_unheard(self._on_unheard)

    def connect(self, peer: str, send: Callable[[bytes], object], close: Callable[[], None]) -> FixConnection:
        """A client has connected."""
        return FixConnection(self._acceptor.connect(self._clock.now_ns), self._clock, send, close, self)

    def flush(self) -> None:
        """Write what sessions have made outside of their own connections' calls, such as fills."""
        for trader in self._traders.values():
            trader.flush()
            while trader.left:
                trader.left.pop().flush()

    def sessions(self) -> list[FixFacts]:
        """All sessions, whether they are logged on or not."""
        return [trader.facts() for trader in self._traders.values()]

    def facts_of(self, session: Session) -> FixFacts | None:
        """One session; None for one that is not of this gateway."""
        return next((trader.facts() for trader in self._traders.values() if trader.session is session), None)

    def _find(self, message: Message) -> Session | None:
        trader = self._traders.get(message.text(49))
        return trader.session if trader is not None and message.text(56) == TARGET_COMP_ID else None

    def bind(self, session: Session | None, connection: FixConnection) -> None:
        """A session writes to this connection from now on."""
        for trader in self._traders.values():
            if trader.session is session:
                trader.connection = connection

    def _on_unheard(self, account: str, comp_id: str, report: Report) -> None:
        trader = self._traders.get(comp_id)
        if trader is not None and trader.account == account:
            trader.on_report(report, is_response=False)


class FixConnection:
    """One connection: bytes in, bytes out."""

    def __init__(
        self,
        line: AcceptorLine,
        clock: Clock,
        send: Callable[[bytes], object],
        close: Callable[[], None],
        gateway: FixGateway,
    ) -> None:
        self._line = line
        self._clock = clock
        self._send = send
        self._close = close
        self._gateway = gateway
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
            self._gateway.bind(self._line.session, self)
        self._gateway.flush()
        self.flush()

    def closed(self) -> None:
        """The client is gone."""
        self._is_closed = True
        self._line.closed(self._clock.now_ns)
        self._gateway.flush()

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
        fix = None if session is None else self._gateway.facts_of(session)
        return ConnectionFacts(accounts=() if fix is None else (fix.account,), fix=fix)

    def flush(self) -> None:
        """Write what there is, and close if that is wanted; not while bytes are read, whose answers go out together."""
        if self._is_closed or self._is_receiving:
            return
        data = self._line.data_to_send()
        if data:
            self._send(data)
        if self._line.wants_close:
            self._is_closed = True
            self._close()


class _Trader(QuietHandler):
    """One SenderCompID: its FIX session, and its line to the engine while it is logged on."""

    def __init__(self, context: ServerContext, comp_id: str, account: str, store: MessageStore) -> None:
        settings = SessionSettings(sender_comp_id=TARGET_COMP_ID, target_comp_id=comp_id, is_new_logon_winning=True)
        self.session = Session(settings, KRAKEN_FIX, store, self)
        self.connection: FixConnection | None = None
        # Connections that the session has left, which may have last words to write.
        self.left: list[FixConnection] = []
        self.line_id = ""
        self.account = account
        self.label = "fix"
        self.comp_id: str | None = comp_id
        self._context = context
        self._host = context.host
        self._clock = context.clock
        self._requests = FixRequests(context)
        self._ids = ClOrdIds()
        self._key: ApiKey | None = None
        self._line_count = 0
        self._is_rolled_over = False
        # Requests on their way: type, own id and the id before it.
        self._waiting: dict[int, tuple[bytes, str, str | None]] = {}
        # The id that each order has now, by the venue's id.
        self._names: dict[str, str] = {}
        self._handlers = {
            b"D": self._add,
            b"F": self._cancel,
            b"G": self._amend,
            b"H": self._status,
            b"q": self._mass_cancel,
        }

    def facts(self) -> FixFacts:
        """What the session says of itself."""
        session = self.session
        return FixFacts(
            comp_id=self.comp_id or "",
            account=self.account,
            is_logged_on=session.state is SessionState.OPEN,
            next_sender=session.next_sender,
            next_target=session.next_target,
        )

    def flush(self) -> None:
        """Write what the session has made."""
        if self.connection is not None:
            self.connection.flush()

    # ------------------------------------------------------------------------------------------------- session

    def check_logon(self, session: Session, message: Message, now_ns: int) -> None:
        """Key, nonce and password; what is wrong is not told."""
        key = self._context.keys.find(message.text(553))
        nonce = message.text(5025)
        if key is None or key.account != self.account or not nonce.isdigit():
            raise LogonRefusedError(_REFUSED)
        is_fresh = abs(int(nonce) - now_ns // 1_000_000) <= _NONCE_TOLERANCE_MS
        seq_num = message.seq_num or 0
        is_right = is_password(
            key.secret, key.key, seq_num, message.text(49), message.text(56), nonce, message.text(554)
        )
        if not is_right or not is_fresh or not key.accept_fix_nonce(int(nonce)):
            raise LogonRefusedError(_REFUSED)
        self._key = key

    def on_opened(self, session: Session, message: Message, now_ns: int) -> None:
        if message.is_set(5030):
            self._ids.reset()
        self._line_count += 1
        self.line_id = f"fix {self.comp_id} {self._line_count}"
        self._host.open_line(self)
        self._submit(
            Logon(
                request_id=self._host.next_request_id(),
                is_reset=message.is_set(141),
                is_cancel_on_disconnect=message.text(8674) != "1",
                next_expected_seq=_NEVER,
            ),
            b"A",
            "",
            None,
        )

    def on_closed(self, session: Session, reason: str, now_ns: int) -> None:
        if reason.startswith("logout") and not self._is_rolled_over:
            self._host.submit(self.line_id, Logout(request_id=self._host.next_request_id()))
        self._host.drop_line(self.line_id)
        if self.connection is not None:
            self.left.append(self.connection)
            self.connection = None
        self._waiting.clear()
        if self._is_rolled_over:
            self._is_rolled_over = False
            session.reset()

    # ------------------------------------------------------------------------------------------------- requests

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        handler = self._handlers.get(message.msg_type)
        cl_ord_id = message.text(11)
        try:
            if handler is None:
                raise Refusal("EGeneral:Unknown method")
            self._ids.take(cl_ord_id)
            self._need("modify-trades" if message.msg_type == b"D" else "close-trades")
            handler(message)
        except Refusal as refusal:
            self._reject(message.msg_type, cl_ord_id, refusal.text)

    def _add(self, message: Message) -> None:
        command = self._requests.add(message)
        self._submit(command, b"D", message.text(11), None)

    def _cancel(self, message: Message) -> None:
        order_id, orig = message.text(37), message.text(41)
        if not order_id and not orig:
            raise Refusal("EGeneral:Invalid arguments:OrigClOrdID")
        request_id = self._host.next_request_id()
        if order_id:
            command = CancelOrder(request_id=request_id, order_id=order_id)
        else:
            command = CancelOrder(request_id=request_id, cl_ord_id=self._ids.root(orig))
        self._submit(command, b"F", message.text(11), orig or self._names.get(order_id))

    def _amend(self, message: Message) -> None:
        orig = message.text(41)
        command = self._requests.amend(message, self._ids.root(orig))
        self._submit(command, b"G", message.text(11), orig)

    def _mass_cancel(self, message: Message) -> None:
        self._submit(self._requests.mass_cancel(message), b"q", message.text(11), None)

    def _status(self, message: Message) -> None:
        order = self._host.records.order(self.account, message.text(37))
        if order is None:
            raise Refusal("EOrder:Unknown order")
        fields = execution_fields(self._context, order, None, message.text(11), None, self._exec_id(order.order_id))
        self.session.send(b"8", fields, self._clock.now_ns)

    def _need(self, permission: str) -> None:
        if self._key is None or permission not in self._key.permissions:
            raise Refusal("EGeneral:Permission denied")

    def _submit(self, command: Command, msg_type: bytes, cl_ord_id: str, orig: str | None) -> None:
        self._waiting[command.request_id] = (msg_type, cl_ord_id, orig)
        self._host.submit(self.line_id, command)

    # ------------------------------------------------------------------------------------------------- reports

    def on_report(self, report: Report, is_response: bool) -> None:
        if isinstance(report, ExecutionReport):
            self._execution(report)
        elif isinstance(report, CommandRejected):
            waiting = self._waiting.pop(report.request_id, None)
            if waiting is None:
                return
            msg_type, cl_ord_id, _ = waiting
            if msg_type == b"A":
                self.session.logout(self._clock.now_ns, report.error)
            else:
                self._reject(msg_type, cl_ord_id, report.error)
        elif isinstance(report, SessionClosed) and report.reason == "rollover":
            self._is_rolled_over = True
            self.session.logout(self._clock.now_ns, "End of trading day")
        self.flush()

    def _execution(self, report: ExecutionReport) -> None:
        order = self._host.records.order(self.account, report.order_id)
        if order is None:
            return
        waiting = None if report.request_id is None else self._waiting.get(report.request_id)
        name = self._names.get(report.order_id, report.cl_ord_id)
        orig = None
        if waiting is not None:
            msg_type, cl_ord_id, _ = waiting
            if msg_type == b"G":
                self._ids.rename(name, cl_ord_id)
            if msg_type in (b"F", b"G", b"q"):
                orig, name = name, cl_ord_id
            if msg_type != b"q":
                self._waiting.pop(report.request_id or 0, None)
            if msg_type != b"F":
                self._names[report.order_id] = name if msg_type != b"q" else orig or name
        fields = execution_fields(self._context, order, report, name, orig, self._exec_id(report.order_id))
        self.session.send(b"8", fields, self._clock.now_ns)
        if not order.is_open:
            self._names.pop(report.order_id, None)

    def _reject(self, msg_type: bytes, cl_ord_id: str, text: str) -> None:
        self.session.send(b"j", business_reject(msg_type, cl_ord_id, text, reject_reason(text)), self._clock.now_ns)

    def _exec_id(self, order_id: str) -> str:
        """Two parts, unique on the session: the order, and the number of the message."""
        return f"{order_id}:{self.session.next_sender}"
