"""A FIX session: numbers, gaps, heartbeats, logon and logout, for either end (FIX 4.4, volume 2).

Bytes and times go in (``receive``, ``receive_frame``, ``on_timer``, ``disconnected``), bytes come out
(``data_to_send``), and a handler hears what happens. There is no socket and no clock here. The session outlives its
lines: numbers and sent messages are in its store, and what is sent while no line is up waits there for the peer to ask.

What the standard leaves open is in ``SessionSettings``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from adapters.fix.codec import Fields, Framer, Message, decode, frame_fault
from adapters.fix.dictionary import Dictionary
from adapters.fix.errors import InvalidMessageError, UnsupportedMessageError
from adapters.fix.header_checks import BadNamesError, BadTimeError, check_duplicate, check_sending_time
from adapters.fix.heartbeat import Due, Heartbeat
from adapters.fix.outbound import Outbound, reverse_route
from adapters.fix.recovery import Gap
from adapters.fix.settings import Handler, LogonRefusedError, SessionSettings
from adapters.fix.store import MessageStore
from adapters.fix.validation import validator_of

__all__ = ["Session", "SessionState"]

_NS = 1_000_000_000
_NO_END = 0
_LOGON, _LOGOUT, _SEQUENCE_RESET = b"A", b"5", b"4"
_SENDING_TIME_PROBLEM = (10, "SendingTime accuracy problem")
_COMP_ID_PROBLEM = (9, "CompID problem")
_OUT_OF_RANGE = (5, "Value is incorrect (out of range) for this tag")


class SessionState(enum.Enum):
    """CLOSED: no line. LOGGING_ON: a line, and our Logon waits for an answer. OPEN: both have logged on. LOGGING_OUT:
    our Logout waits for an answer.
    """

    CLOSED = "closed"
    LOGGING_ON = "logging on"
    OPEN = "open"
    LOGGING_OUT = "logging out"


class Session:
    """One session, of which this is either end.

    wants_close: the line is to be closed once ``data_to_send`` has been written. state: see ``SessionState``.
    """

    def __init__(
        self, settings: SessionSettings, dictionary: Dictionary, store: MessageStore, handler: Handler
    ) -> None:
        self.settings = settings
        self.state = SessionState.CLOSED
        self.wants_close = False
        self._handler = handler
        self._validator = validator_of(dictionary)
        self._store = store
        self._outbound = Outbound(settings, dictionary, store)
        self._begin_string = settings.begin_string.encode()
        self._sender = settings.sender_comp_id.encode()
        self._target = settings.target_comp_id.encode()
        self._framer = Framer()
        self._tolerance_ns = settings.sending_time_tolerance_s * _NS
        self._heartbeat = Heartbeat(settings.test_after, settings.drop_after)
        self._deadline_ns = 0
        self._gap = Gap(settings.resend_chunk, settings.held_max)
        self._close_reason = ""
        self._types: dict[bytes, Callable[[Message, int], None]] = {
            b"0": self._on_heartbeat,
            b"1": self._on_test_request,
            b"2": self._on_resend_request,
            b"3": self._on_session_reject,
            _SEQUENCE_RESET: self._on_sequence_reset,
            _LOGOUT: self._on_logout,
            _LOGON: self._on_second_logon,
        }

    # ------------------------------------------------------------------------------------------------- what is known

    @property
    def next_sender(self) -> int:
        """Number of the next message that we send."""
        return self._store.next_sender

    @property
    def next_target(self) -> int:
        """Number expected next from the peer."""
        return self._store.next_target

    @property
    def is_open(self) -> bool:
        """Whether both ends have logged on and neither has logged out."""
        return self.state is SessionState.OPEN

    @property
    def has_gap(self) -> bool:
        """Whether messages of the peer are missing and have been asked for."""
        return self._gap.end is not None

    # ------------------------------------------------------------------------------------------------- line

    def connect(self, now_ns: int, *, is_reset: bool = False) -> None:
        """Initiator: a line is up; log on. is_reset: begin both numbers anew (141=Y)."""
        self._begin_line(now_ns)
        is_reset = is_reset or self.settings.is_reset_on_logon
        if is_reset:
            self._store.reset()
        self._heartbeat.interval_ns = self.settings.heartbeat_s * _NS
        self.state = SessionState.LOGGING_ON
        self._deadline_ns = now_ns + self.settings.logon_timeout_s * _NS
        self._send_logon(self.settings.heartbeat_s, now_ns, is_reset=is_reset)

    def accept(self, message: Message, now_ns: int) -> None:
        """Acceptor: a line has brought a Logon with this session's names. Nothing is answered to one that is refused,
        but what the handler wants said; ``wants_close`` is set then.
        """
        settings = self.settings
        self._begin_line(now_ns)
        interval_s = 0
        try:
            self._validator.check(message)
            check_sending_time(message, now_ns, self._tolerance_ns)
            interval_s = message.number(108) or 0
            if not settings.heartbeat_s_min <= interval_s <= settings.heartbeat_s_max:
                raise InvalidMessageError(*_OUT_OF_RANGE, 108)
            self._handler.check_logon(self, message, now_ns)
        except (InvalidMessageError, BadTimeError) as fault:
            self._close(f"logon refused: {fault}")
            return
        except LogonRefusedError as refusal:
            self._refuse_logon(refusal, now_ns)
            return
        self._heartbeat.interval_ns = interval_s * _NS
        is_asked = message.is_set(141)
        if is_asked or settings.is_reset_on_logon:
            self._store.reset()
            self._gap.forget()
        seq_num = message.seq_num
        assert seq_num is not None
        expected = self.next_target
        if seq_num < expected and not message.is_set(43):
            self.state = SessionState.OPEN
            self._say_too_low(seq_num, now_ns)
            return
        self.state = SessionState.OPEN
        self._send_logon(interval_s, now_ns, is_reset=is_asked)
        self._opened(message, seq_num, now_ns)

    def _refuse_logon(self, refusal: LogonRefusedError, now_ns: int) -> None:
        if refusal.text is not None:
            self.state = SessionState.OPEN
            self._send(_LOGOUT, ((58, refusal.text.encode()),), now_ns)
        self._close(str(refusal))

    def _opened(self, message: Message, seq_num: int, now_ns: int) -> None:
        """Both ends have logged on: take the number of the peer's Logon, and see what either has missed."""
        self._handler.on_opened(self, message, now_ns)
        wanted = message.number(789) if self.settings.is_next_expected_used else None
        if wanted is not None and wanted < self.next_sender - 1:
            self._replay(wanted, self.next_sender - 2, now_ns)
        if seq_num > self.next_target:
            self._hold(seq_num, message, now_ns)
        elif seq_num == self.next_target:
            self._expect(seq_num + 1)

    def _begin_line(self, now_ns: int) -> None:
        self._framer = Framer()
        self._outbound.drop()
        self.wants_close = False
        self._close_reason = ""
        self._gap.forget()
        self._heartbeat.heard(now_ns)
        self._outbound.last_sent_ns = now_ns

    def disconnected(self, now_ns: int, reason: str = "line dropped") -> None:
        """The line is gone, whoever closed it."""
        if self.state is not SessionState.CLOSED or self.wants_close:
            self.state = SessionState.CLOSED
            self.wants_close = False
            self._outbound.drop()
            self._handler.on_closed(self, self._close_reason or reason, now_ns)

    def logout(self, now_ns: int, text: str = "") -> None:
        """Log out in good order; the line is closed when the peer has answered, or has not for too long."""
        if self.state is SessionState.OPEN:
            self._send(_LOGOUT, ((58, text.encode()),) if text else (), now_ns)
            self.state = SessionState.LOGGING_OUT
            self._deadline_ns = now_ns + self.settings.logout_timeout_s * _NS

    def reset(self) -> None:
        """Begin both numbers and the store anew, as at the end of a trading day; only while no line is up."""
        assert self.state is SessionState.CLOSED
        self._store.reset()
        self._gap.forget()

    def _close(self, reason: str) -> None:
        self.wants_close = True
        self._close_reason = self._close_reason or reason

    # ------------------------------------------------------------------------------------------------- sending

    @property
    def has_data_to_send(self) -> bool:
        """Whether something is to be written to the line."""
        return self._outbound.has_more

    def data_to_send(self) -> bytes:
        """What is to be written to the line now."""
        return self._outbound.take()

    def send(self, msg_type: bytes, body: Fields, now_ns: int, header: Fields = (), tail: bytes = b"") -> int:
        """Send an application message; returns its number.

        body: fields in the order in which they are written. tail: more of them (``codec.encode``). While no line is up
        the message is numbered and kept, and the peer asks for it when it is back. Raises EncodeError and StoreError;
        the number is not used then.
        """
        return self._outbound.send(msg_type, body, now_ns, header, tail, is_line_up=self.state is SessionState.OPEN)

    def _send(self, msg_type: bytes, body: Fields, now_ns: int, header: Fields = ()) -> None:
        self._outbound.send(msg_type, body, now_ns, header, is_line_up=True)

    def _send_logon(self, interval_s: int, now_ns: int, *, is_reset: bool) -> None:
        fields: list[tuple[int, bytes]] = [(98, b"0"), (108, b"%d" % interval_s)]
        if is_reset:
            fields.append((141, b"Y"))
        fields += self._handler.logon_fields(self, now_ns)
        if self.settings.is_next_expected_used:
            fields.append((789, b"%d" % (self.next_target + (self.state is SessionState.OPEN))))
        self._send(_LOGON, fields, now_ns)

    def _replay(self, first: int, last: int, now_ns: int) -> None:
        handler = self._handler
        self._outbound.replay(
            first, last, now_ns, lambda seq_num, message: handler.is_replayed(self, seq_num, message, now_ns)
        )

    # ------------------------------------------------------------------------------------------------- time

    def next_timer_ns(self) -> int | None:
        """When ``on_timer`` next has something to do; None if never."""
        state = self.state
        if state is SessionState.CLOSED or self.wants_close:
            return None
        if state is SessionState.LOGGING_ON:
            return self._deadline_ns
        due_ns = self._heartbeat.next_ns(self._outbound.last_sent_ns)
        if state is SessionState.LOGGING_OUT:
            return self._deadline_ns if due_ns is None else min(due_ns, self._deadline_ns)
        return due_ns

    def on_timer(self, now_ns: int) -> None:
        """Do what is due: a heartbeat, a test request, an answer that did not come."""
        due_ns = self.next_timer_ns()
        if due_ns is None or now_ns < due_ns:
            return
        if self.state is SessionState.LOGGING_ON:
            self._close("no answer to the logon")
            return
        if self.state is SessionState.LOGGING_OUT and now_ns >= self._deadline_ns:
            self._close("no answer to the logout")
            return
        due = self._heartbeat.due(self._outbound.last_sent_ns, now_ns)
        if due is Due.DROP:
            self._close("the peer is silent")
        elif due is Due.TEST:
            self._heartbeat.asked()
            self._send(b"1", ((112, self.settings.test_request_id.encode()),), now_ns)
        elif due is Due.BEAT:
            self._send(b"0", (), now_ns)
        if self.has_gap and now_ns - self._gap.asked_ns >= self._heartbeat.interval_ns:
            self._ask_for_gap(now_ns)

    # ------------------------------------------------------------------------------------------------- receiving

    def receive(self, data: bytes, now_ns: int) -> None:
        """Bytes have come on the line."""
        for frame in self._framer.feed(data):
            if self.wants_close or self.state is SessionState.CLOSED:
                return
            self.receive_frame(frame, now_ns)

    def receive_frame(self, frame: bytes, now_ns: int) -> None:
        """A frame has come on the line; one that is garbled is ignored, and its number is not used."""
        if frame_fault(frame) is not None:
            if self.state is SessionState.LOGGING_ON:
                self._close("the answer to the logon is garbled")
            return
        message = decode(frame)
        if self.state is SessionState.LOGGING_ON:
            self._on_logon_answer(message, now_ns)
            return
        self._heartbeat.heard(now_ns)
        self._process(message, now_ns)
        self._process_held(now_ns)

    def _on_logon_answer(self, message: Message, now_ns: int) -> None:
        """Initiator: the first message of the peer must be its Logon."""
        self._heartbeat.heard(now_ns)
        seq_num = message.seq_num
        if message.msg_type != _LOGON or seq_num is None or not self._has_our_names(message):
            self._close(f"the logon was refused: {message.text(58) or 'without a reason'}")
            return
        if message.is_set(141) and self._store.next_target != 1:
            self._store.set_next_target(1)
        if seq_num < self.next_target and not message.is_set(43):
            self.state = SessionState.OPEN
            self._say_too_low(seq_num, now_ns)
            return
        interval_s = message.number(108)
        if interval_s is not None:
            self._heartbeat.interval_ns = interval_s * _NS
        self.state = SessionState.OPEN
        self._opened(message, seq_num, now_ns)
        self._process_held(now_ns)

    def _process(self, message: Message, now_ns: int) -> None:
        try:
            if message.begin_string != self._begin_string:
                self.logout(now_ns, "Incorrect BeginString")
                return
            self._validator.check(message)
            self._types.get(message.msg_type, self._on_application)(message, now_ns)
        except InvalidMessageError as fault:
            self._reject(message, fault, now_ns)
        except BadTimeError:
            self._reject(message, InvalidMessageError(*_SENDING_TIME_PROBLEM), now_ns)
            self.logout(now_ns)
        except BadNamesError:
            self._reject(message, InvalidMessageError(*_COMP_ID_PROBLEM), now_ns)
            self.logout(now_ns)

    def _process_held(self, now_ns: int) -> None:
        """Deal with messages that came too early, now that what was before them is there."""
        gap = self._gap
        while not self.wants_close and self.next_target in gap.held:
            message = gap.held.pop(self.next_target)
            if message.msg_type in (_LOGON, b"2"):  # dealt with when they came
                self._expect(self.next_target + 1)
            else:
                self._process(message, now_ns)
        if gap.held:
            gap.drop_before(self.next_target)
            if gap.held and gap.end is None and not self.wants_close:
                self._ask_for_gap(now_ns)

    # ------------------------------------------------------------------------------------------------- checks

    def _has_our_names(self, message: Message) -> bool:
        return message.get(49) == self._target and message.get(56) == self._sender

    def _is_next(self, message: Message, now_ns: int, *, is_high_held: bool = True, is_low_seen: bool = True) -> bool:
        """Whether a message is to be dealt with now.

        is_high_held: one that came after a gap is held back. is_low_seen: one with a number that was used is a
        duplicate, or the end of the session.
        """
        check_sending_time(message, now_ns, self._tolerance_ns)
        if not self._has_our_names(message):
            raise BadNamesError("the names are not of this session")
        seq_num = message.seq_num
        assert seq_num is not None
        if is_high_held and seq_num > self.next_target:
            self._hold(seq_num, message, now_ns)
            return False
        if is_low_seen and seq_num < self.next_target:
            if message.is_set(43):
                check_duplicate(message)
            else:
                self._say_too_low(seq_num, now_ns)
            return False
        return True

    def _say_too_low(self, seq_num: int, now_ns: int) -> None:
        text = f"MsgSeqNum too low, expecting {self.next_target} but received {seq_num}"
        self._send(_LOGOUT, ((58, text.encode()),), now_ns)
        self._close(text)

    def _hold(self, seq_num: int, message: Message, now_ns: int) -> None:
        """Keep a message that came too early, and ask for what is missing before it, once."""
        gap = self._gap
        if gap.is_full:
            self._send(_LOGOUT, ((58, b"Too many messages after a gap"),), now_ns)
            self._close("too many messages after a gap")
            return
        gap.held[seq_num] = message
        if gap.end is None:
            self._ask_for_gap(now_ns)

    def _ask_for_gap(self, now_ns: int) -> None:
        first, last = self._gap.ask(self.next_target, now_ns)
        self._send(b"2", ((7, b"%d" % first), (16, b"%d" % last)), now_ns)

    def _expect(self, seq_num: int) -> None:
        """All messages before a number have been dealt with."""
        self._store.set_next_target(seq_num)
        self._gap.expect(seq_num)

    def _reject(self, message: Message, fault: InvalidMessageError, now_ns: int) -> None:
        """Answer a fault; the number of the message is used up if it was the expected one."""
        seq_num = message.seq_num
        if seq_num is None:
            text = "Required tag missing: MsgSeqNum (34)"
            self._send(_LOGOUT, ((58, text.encode()),), now_ns)
            self._close(text)
            return
        fields = [(45, b"%d" % seq_num), (58, fault.text.encode())]
        if fault.ref_tag is not None:
            fields.append((371, b"%d" % fault.ref_tag))
        if message.msg_type:
            fields.append((372, message.msg_type))
        fields.append((373, b"%d" % fault.reason))
        self._send(b"3", fields, now_ns, reverse_route(message))
        if seq_num == self.next_target and message.msg_type not in (_LOGON, _SEQUENCE_RESET):
            self._expect(seq_num + 1)

    # ------------------------------------------------------------------------------------------------- by type

    def _on_heartbeat(self, message: Message, now_ns: int) -> None:
        if self._is_next(message, now_ns):
            self._expect(self.next_target + 1)

    def _on_test_request(self, message: Message, now_ns: int) -> None:
        if self._is_next(message, now_ns):
            self._send(b"0", ((112, message.get(112) or b""),), now_ns)
            self._expect(self.next_target + 1)

    def _on_session_reject(self, message: Message, now_ns: int) -> None:
        if self._is_next(message, now_ns):
            self._handler.on_reject(self, message, now_ns)
            self._expect(self.next_target + 1)

    def _on_resend_request(self, message: Message, now_ns: int) -> None:
        """Answered whatever its number, so that two ends that miss messages do not wait for each other."""
        self._is_next(message, now_ns, is_high_held=False, is_low_seen=False)
        first, last = message.number(7) or 1, message.number(16) or 0
        self._replay(first, self.next_sender - 1 if last == _NO_END else last, now_ns)
        seq_num = message.seq_num
        assert seq_num is not None
        if seq_num == self.next_target:
            self._expect(seq_num + 1)
        elif seq_num > self.next_target and not self.has_gap:
            self._hold(seq_num, message, now_ns)

    def _on_sequence_reset(self, message: Message, now_ns: int) -> None:
        is_gap_fill = message.is_set(123)
        if not self._is_next(message, now_ns, is_high_held=is_gap_fill, is_low_seen=is_gap_fill):
            return
        following = message.number(36) or 0
        if following > self.next_target:
            self._expect(following)
        elif following < self.next_target:
            raise InvalidMessageError(*_OUT_OF_RANGE)

    def _on_logout(self, message: Message, now_ns: int) -> None:
        """Taken whatever its number."""
        self._is_next(message, now_ns, is_high_held=False, is_low_seen=False)
        if self.state is not SessionState.LOGGING_OUT:
            self._send(_LOGOUT, (), now_ns)
        if message.seq_num == self.next_target:
            self._expect(self.next_target + 1)
        self._close(f"logout: {message.text(58)}" if message.get(58) else "logout")

    def _on_second_logon(self, message: Message, now_ns: int) -> None:
        """A Logon on an open session: with 141=Y it begins the numbers anew, else it is out of place."""
        if not message.is_set(141):
            if self._is_next(message, now_ns):
                self._send(_LOGOUT, ((58, b"Already logged on"),), now_ns)
                self._close("a second logon on an open session")
            return
        check_sending_time(message, now_ns, self._tolerance_ns)
        if not self._has_our_names(message):
            raise BadNamesError("the names are not of this session")
        self._store.reset()
        self._gap.forget()
        self._send_logon(self._heartbeat.interval_ns // _NS, now_ns, is_reset=True)
        if message.seq_num == self.next_target:
            self._expect(self.next_target + 1)

    def _on_application(self, message: Message, now_ns: int) -> None:
        if not self._is_next(message, now_ns):
            return
        seq_num = self.next_target
        try:
            self._handler.on_message(self, message, now_ns)
        except UnsupportedMessageError as fault:
            fields = [(45, b"%d" % seq_num), (58, fault.text.encode()), (372, message.msg_type)]
            if fault.ref_id is not None:
                fields.append((379, fault.ref_id.encode()))
            fields.append((380, b"%d" % fault.reason))
            self._send(b"j", fields, now_ns, reverse_route(message))
        self._expect(seq_num + 1)
