"""The link over FIX: one session, its orders, and what is told of them.

The session outlives its connections. When it resumes, what was missed is replayed first: it is told when all of it is
there, after ``SessionOpened`` with how much it is. What we had sent and the venue had not received is never sent again;
gap fills stand for it, so that the desk can tell that it never arrived. At the daily rollover all numbers begin anew; a
session is not opened while that lasts, and is a new one after it.
Sources: fix-api/logon-fix, logout-fix, session-fix; guides/fix-intro, guides/fix-auth.
"""

from __future__ import annotations

import msgspec

from adapters.fix.codec import Fields, Message
from adapters.fix.errors import EncodeError, StoreError
from adapters.fix.session import Session, SessionState
from adapters.fix.settings import QuietHandler, SessionSettings
from adapters.fix.store import MessageStore
from adapters.fix.times import parse_utc_timestamp
from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.credentials import Credentials
from adapters.kraken.client.fix_days import FixDays
from adapters.kraken.client.fix_reports import FixReports
from adapters.kraken.client.fix_requests import FixRequests
from adapters.kraken.client.link_base import AccountParts, UnsendableError, WireLink
from adapters.kraken.client.nonces import NonceSource
from adapters.kraken.client.streams import Connect, Stream
from adapters.kraken.errors import SymbolError
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.fix import orders
from adapters.kraken.wire.fix import session as wire
from adapters.kraken.wire.fix.messages import read_message
from adapters.kraken.wire.fix_dialect import KRAKEN_FIX, logon_password
from framework.messages import Command, QueryOrders, Report, SessionOpened
from framework.protocol import ProtocolProfile, RejectReason

__all__ = ["FixLink", "FixNames"]

_SECOND_NS = 10**9
# So many times in a row the venue may refuse to resume a session; then it begins anew.
_REFUSALS_MAX = 2
_REFUSED = ("logout", "the logon was refused")
# A replay that takes longer than this has got stuck.
_REPLAY_MAX_NS = 60 * _SECOND_NS


class FixNames(msgspec.Struct, frozen=True, kw_only=True):
    """The names of a session, and how it is kept alive. sender_comp_id: as Kraken has given it out."""

    sender_comp_id: str
    target_comp_id: str = "KRAKEN-TRD"
    heartbeat_s: int = 30


class FixLink(QuietHandler, WireLink):
    """One FIX session of trading."""

    def __init__(
        self,
        name: str,
        profile: ProtocolProfile,
        parts: AccountParts,
        backoff: BackOff,
        connect: Connect,
        credentials: Credentials,
        names: FixNames,
        store: MessageStore,
        nonces: NonceSource,
        days: FixDays | None = None,
        *,
        is_cancel_on_disconnect: bool | None = None,
    ) -> None:
        """store: numbers and messages of the session. days: kept with the store. is_cancel_on_disconnect: what logons
        ask for; None leaves it to the protocol.
        """
        # Single orders can be asked for over FIX, the account's orders cannot: a poll needs another link.
        capabilities = msgspec.structs.replace(profile.capabilities, has_order_query=False)
        super().__init__(name, msgspec.structs.replace(profile, capabilities=capabilities), parts, backoff)
        assert profile.rollover_utc_s is not None
        self._days = FixDays(None, profile.rollover_utc_s, profile.rollover_ns) if days is None else days
        self._connect = connect
        self._credentials = credentials
        self._names = names
        self._nonces = nonces
        self._is_cancel_on_disconnect = is_cancel_on_disconnect
        self._requests = FixRequests(parts)
        self._reports = FixReports(parts)
        settings = SessionSettings(
            sender_comp_id=names.sender_comp_id,
            target_comp_id=names.target_comp_id,
            heartbeat_s=names.heartbeat_s,
        )
        self._session = Session(settings, KRAKEN_FIX, store, self)
        self._stream: Stream | None = None
        self._is_reset_wanted = False
        self._must_reset = False
        self._refusal_count = 0
        self._is_logged_on = False
        self._logon_ns = 0
        # What a resumed session replays, until all of it is there; and how many of it are told again.
        self._replay: list[Report] = []
        self._replayed_count = 0
        self._timer_ns: int | None = None

    # ------------------------------------------------------------------------------------------------- session

    def open(self, is_reset: bool) -> None:
        """Connect and log on, anew or resuming the session; after a rollover it is new in any case."""
        self._hang_up()
        now_ns = self._clock.now_ns
        self._is_reset_wanted = is_reset
        self._begin_attempt(self._start, self._days.gate_end_ns(now_ns))

    def close(self) -> None:
        """Log out; the session can be resumed."""
        self._session.logout(self._clock.now_ns)
        self._flush()

    def _start(self) -> None:
        self._stream = self._connect(self._Line(self, self._attempt))

    def _hang_up(self) -> None:
        """Give the connection up without a word to anybody."""
        stream, self._stream = self._stream, None
        self._is_end_told = True
        if stream is not None:
            stream.close()
        self._session.disconnected(self._clock.now_ns)
        self._replay.clear()
        self._is_logged_on = False

    class _Line:
        """The connection of one attempt."""

        def __init__(self, link: FixLink, attempt: int) -> None:
            self._link = link
            self._attempt = attempt

        def opened(self) -> None:
            if self._link._attempt == self._attempt:
                self._link._line_opened()

        def received(self, data: bytes) -> None:
            if self._link._attempt == self._attempt:
                self._link._line_received(data)

        def closed(self, reason: str) -> None:
            if self._link._attempt == self._attempt:
                self._link._line_closed(reason)

    def _line_opened(self) -> None:
        now_ns = self._clock.now_ns
        # The store has begun anew and the venue never answered in these numbers: it may not know of them, as where the
        # logon could not be stored, or the process ended before it was sent.
        is_unheard = self._session.next_target == 1
        is_reset = self._is_reset_wanted or self._must_reset or is_unheard or self._days.has_rolled(now_ns)
        self._is_reset_wanted = is_reset
        try:
            self._session.connect(now_ns, is_reset=is_reset)
        except (StoreError, OSError) as error:
            self._give_up(str(error))
            return
        self._settle()

    def _line_received(self, data: bytes) -> None:
        try:
            self._session.receive(data, self._clock.now_ns)
        except (StoreError, WireError, SymbolError) as error:
            self._give_up(f"a message of the venue cannot be dealt with: {error}")
            return
        self._settle()

    def _line_closed(self, reason: str) -> None:
        self._stream = None
        self._over(reason)

    def _settle(self) -> None:
        """After something has happened: tell what has become complete, write, close, set the timer."""
        self._flush()
        if self._is_logged_on and not self.is_up and not self._session.has_gap:
            self._up()
        if self._session.wants_close:
            stream, self._stream = self._stream, None
            if stream is not None:
                stream.close()
            self._over("closed")
        self._set_timer()

    def _over(self, reason: str) -> None:
        """The connection is gone: the session says why, where it had begun."""
        if self._session.state is SessionState.CLOSED and not self._session.wants_close:
            self._ended(reason)
        else:
            self._session.disconnected(self._clock.now_ns, reason)

    def _give_up(self, reason: str) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self._session.disconnected(self._clock.now_ns, reason)
        self._ended(reason)

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if data and self._stream is not None:
            self._stream.write(data)

    def _up(self) -> None:
        """Logged on, and nothing is missing."""
        now_ns = self._clock.now_ns
        is_resumed = not self._is_reset_wanted
        if not is_resumed:
            try:
                self._days.begin(now_ns)
            except OSError as error:
                self._must_reset = True
                self._give_up(f"which session it is cannot be written down: {error.strerror}")
                return
            self._reports.forget()
        self._must_reset = False
        self._refusal_count = 0
        replay, self._replay = self._replay, []
        count, self._replayed_count = self._replayed_count, 0
        session_id = f"{self.name}#{self._days.session_count}"
        self._opened(session_id, now_ns, is_resumed=is_resumed, replayed_count=count)
        for report in replay:
            self._tell(report)

    # ------------------------------------------------------------------------------------------------- the session's

    def logon_fields(self, session: Session, now_ns: int) -> Fields:
        names, key = self._names, self._credentials.api_key
        nonce = str(self._nonces.next())
        password = logon_password(
            self._credentials.secret, key, session.next_sender, names.sender_comp_id, names.target_comp_id, nonce
        )
        fields = [(553, key.encode()), (554, password.encode()), (5025, nonce.encode())]
        if self._is_cancel_on_disconnect is not None:
            fields.append((8674, b"0" if self._is_cancel_on_disconnect else b"1"))
        return fields

    def on_opened(self, session: Session, message: Message, now_ns: int) -> None:
        self._is_logged_on = True
        self._logon_ns = now_ns
        self._replay.clear()
        self._replayed_count = 0
        if message.is_set(141):
            self._is_reset_wanted = True

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        is_poss_dup = message.is_set(43)
        sent_ns = parse_utc_timestamp(message.get(52) or b"")
        if sent_ns is not None:
            self._parts.time.note(sent_ns, now_ns)
        report: Report | None = None
        try:
            typed = read_message(message)
            if isinstance(typed, orders.ExecutionReport):
                report = self._reports.execution(typed, is_poss_dup=is_poss_dup)
            elif isinstance(typed, wire.BusinessMessageReject):
                report = self._reports.refusal(typed, now_ns)
        except (WireError, SymbolError):
            self._note_unreadable(now_ns)
        if report is None:
            return
        if self.is_up:
            self._tell(report)
            return
        self._replay.append(report)
        self._replayed_count += is_poss_dup

    def _note_unreadable(self, now_ns: int) -> None:
        """Something of an order cannot be read. Told as a session that begins, so that the desk asks for its orders."""
        if self.is_up:
            opened = SessionOpened(ts_venue_ns=now_ns, request_id=None, session_id=self.session_id, is_resumed=False)
            self._tell(opened)

    def on_reject(self, session: Session, message: Message, now_ns: int) -> None:
        report = self._reports.fault(message.number(45), message.text(58), now_ns)
        if report is not None:
            self._tell(report)

    def is_replayed(self, session: Session, seq_num: int, message: bytes, now_ns: int) -> bool:
        """Nothing is sent twice: an order that comes late is not the order that was wanted."""
        return False

    def on_closed(self, session: Session, reason: str, now_ns: int) -> None:
        if not self._is_logged_on and not self._is_reset_wanted and reason.startswith(_REFUSED):
            self._refusal_count += 1
        self._is_logged_on = False
        if "MsgSeqNum too low" in reason or self._refusal_count >= _REFUSALS_MAX:
            self._must_reset = True  # one end has begun anew, or has lost its numbers
        self._ended(reason)

    # ------------------------------------------------------------------------------------------------- time

    def _set_timer(self) -> None:
        due_ns = self._session.next_timer_ns()
        if due_ns is not None and (self._timer_ns is None or due_ns < self._timer_ns):
            self._timer_ns = due_ns
            self._clock.call_at(due_ns, lambda: self._on_timer(due_ns))

    def _on_timer(self, due_ns: int) -> None:
        if self._timer_ns != due_ns:
            return  # an earlier one was set since, and has set the next
        self._timer_ns = None
        now_ns = self._clock.now_ns
        if self._is_logged_on and not self.is_up and now_ns - self._logon_ns > _REPLAY_MAX_NS:
            self._must_reset = True
            self._give_up("the replay did not end in time")
            return
        try:
            self._session.on_timer(now_ns)
        except StoreError as error:
            self._give_up(str(error))
            return
        self._settle()

    # ------------------------------------------------------------------------------------------------- commands

    def send(self, command: Command) -> None:
        """Write a command's message to the socket; it may never arrive."""
        if not self.is_up:
            return
        now_ns = self._clock.now_ns
        try:
            if isinstance(command, QueryOrders):
                raise UnsendableError(
                    "FIX cannot list the orders of an account; name a REST link in 'query'", RejectReason.NOT_SUPPORTED
                )
            request = self._requests.make(command)
            seq_num = self._session.send(request.msg_type, (), now_ns, tail=request.body)
        except UnsendableError as error:
            self._refuse_later(command, error)
        except (SymbolError, WireError, EncodeError, StoreError, OSError) as error:
            self._refuse_later(command, UnsendableError(str(error)))
        else:
            self._flush()
            self._requests.left(request, now_ns)
            self._reports.sent(request, seq_num)
