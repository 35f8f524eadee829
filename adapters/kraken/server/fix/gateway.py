"""The FIX gateway of trading: sessions by SenderCompID, from Logon to execution reports.

Of a session whose line is down the reports go on being numbered and stored, so that a client that comes back without a
reset asks for them and gets them with their numbers. The daily rollover ends all sessions, whose numbers begin anew.

Sources: fix-api/logon-fix, logout-fix; guides/fix-intro, guides/general/api-comparison.
"""

from __future__ import annotations

import contextlib

from adapters.fix.codec import Message
from adapters.fix.session import Session, SessionState
from adapters.fix.settings import LogonRefusedError
from adapters.kraken.errors import reject_reason
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.fix.memory import Answered, Asked, Closed, LoggedOn, Note, Received, Reset, SessionMemory
from adapters.kraken.server.fix.reports import business_reject, execution_body, with_exec_id
from adapters.kraken.server.fix.requests import ClOrdIds, FixRequests
from adapters.kraken.server.fix.sessions import CompSession, CompSessions
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
from framework.venue.served.host import HostLine
from framework.venue.served.journal import Opened
from framework.venue.served.journaled import JournaledHost, MuteLine

__all__ = ["TARGET_COMP_ID", "FixGateway"]

TARGET_COMP_ID = "KRAKEN-TRD"
_NONCE_TOLERANCE_MS = 5_000
_NEVER = 2**62
# An order has an id of its own, and each change and cancel of it another.
_IDS_PER_ORDER = 4
_LABEL = "fix"
_REFUSED = "authentication failure"


class FixGateway(CompSessions["_Trader"]):
    """All trading sessions.

    comp_ids: SenderCompIDs, each with the account that it may log on for.
    """

    def __init__(self, context: ServerContext, comp_ids: dict[str, str]) -> None:
        traders = [_Trader(context, comp_id, account) for comp_id, account in comp_ids.items()]
        super().__init__(context, TARGET_COMP_ID, traders)
        host = context.host
        host.keep_unheard(self._on_unheard)
        if isinstance(host, JournaledHost):
            host.line_makers[_LABEL] = self._line_of

    def recalled(self) -> None:
        """The venue was made again from its journal: what was not said is said, and sessions can be resumed."""
        for trader in self.members.values():
            trader.recalled()

    def _line_of(self, opened: Opened) -> HostLine:
        """Who hears of a line of the time before."""
        trader = self.members.get(opened.comp_id or "")
        if trader is None:
            return MuteLine(opened)
        trader.recall_line(opened.line_id)
        return trader

    def _on_unheard(self, account: str, comp_id: str, report: Report) -> None:
        trader = self.members.get(comp_id)
        if trader is not None and trader.account == account:
            trader.on_report(report, is_response=False)


class _Trader(CompSession):
    """One SenderCompID: its FIX session, and its line to the engine while it is logged on."""

    def __init__(self, context: ServerContext, comp_id: str, account: str) -> None:
        self._memory = SessionMemory(context.host, comp_id, self._recall)
        super().__init__(TARGET_COMP_ID, comp_id, account, KRAKEN_FIX, self._memory.store)
        self.line_id = ""
        self.label = _LABEL
        self._context = context
        self._host = context.host
        self._clock = context.clock
        self._requests = FixRequests(context)
        self._ids = ClOrdIds(_IDS_PER_ORDER * context.host.history_max)
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
        self._memory.note(LoggedOn(message.is_set(5030)))
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
        self.leave()
        self._waiting.clear()
        self._memory.note(Closed())
        self._begin_anew()

    # ------------------------------------------------------------------------------------------------- recall

    def recall_line(self, line_id: str) -> None:
        """A line of the time before was opened."""
        self.line_id = line_id
        self._line_count += 1

    def _recall(self, note: Note) -> None:
        """Something of the time before."""
        if isinstance(note, Received):
            with contextlib.suppress(Refusal):  # the client was told then
                self._ids.take(note.cl_ord_id)
        elif isinstance(note, Asked):
            self._waiting[note.request_id] = (note.msg_type, note.cl_ord_id, note.orig)
        elif isinstance(note, Closed):
            self._waiting.clear()
        elif isinstance(note, Reset):
            self._is_rolled_over = False
        elif isinstance(note, LoggedOn) and note.is_id_reset:
            self._ids.reset()

    def recalled(self) -> None:
        """The time before is over. Requests that had not reached the engine then are refused."""
        self._memory.say_rest(self.session, self._clock.now_ns)
        for asked in self._memory.take_unanswered():
            if asked.msg_type != b"A":
                self._reject(asked.msg_type, asked.cl_ord_id, "EService:Unavailable")
        self._waiting.clear()
        self._begin_anew()

    def _begin_anew(self) -> None:
        """The rollover has ended the session, whose line is down: its numbers begin anew."""
        if self._is_rolled_over:
            self._is_rolled_over = False
            self.session.reset()

    # ------------------------------------------------------------------------------------------------- requests

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        handler = self._handlers.get(message.msg_type)
        cl_ord_id = message.text(11)
        if self._memory.is_kept:
            self._memory.note(Received(message.seq_num or 0, cl_ord_id))
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
        """The order as it is when the request reaches the engine."""
        order_id, cl_ord_id = message.text(37), message.text(11)
        request_id = self._host.next_request_id()
        self._memory.note(Asked(request_id, b"H", cl_ord_id, None))

        def look() -> bytes | None:
            order = self._host.records.order(self.account, order_id)
            return None if order is None else execution_body(self._context, order, None, cl_ord_id, None, "")

        def tell(found: bytes | None) -> None:
            self._memory.note(Answered(request_id))
            if found is None:
                self._reject(b"H", cl_ord_id, "EOrder:Unknown order")
            else:
                body = with_exec_id(found, self._exec_id(order_id))
                self._memory.say(self.session, b"8", (), body, None, self._clock.now_ns)
            self.flush()

        self._host.ask(self.line_id, look, tell)

    def _need(self, permission: str) -> None:
        if self._key is None or permission not in self._key.permissions:
            raise Refusal("EGeneral:Permission denied")

    def _submit(self, command: Command, msg_type: bytes, cl_ord_id: str, orig: str | None) -> None:
        self._waiting[command.request_id] = (msg_type, cl_ord_id, orig)
        if self._memory.is_kept:
            self._memory.note(Asked(command.request_id, msg_type, cl_ord_id, orig))
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
                self._reject(msg_type, cl_ord_id, report.error, report)
        elif isinstance(report, SessionClosed) and report.reason == "rollover":
            self._is_rolled_over = True
            self.session.logout(self._clock.now_ns, "End of trading day")
            if self.session.state is SessionState.CLOSED and not self._memory.is_recalling:
                self._begin_anew()
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
        body = execution_body(self._context, order, report, name, orig, self._exec_id(report.order_id))
        self._memory.say(self.session, b"8", (), body, report, self._clock.now_ns)
        if not order.is_open:
            self._names.pop(report.order_id, None)

    def _reject(self, msg_type: bytes, cl_ord_id: str, text: str, report: Report | None = None) -> None:
        fields = business_reject(msg_type, cl_ord_id, text, reject_reason(text))
        self._memory.say(self.session, b"j", fields, b"", report, self._clock.now_ns)

    def _exec_id(self, order_id: str) -> str:
        """Two parts, unique on the session: the order, and the number of the message."""
        return f"{order_id}:{self.session.next_sender}"
