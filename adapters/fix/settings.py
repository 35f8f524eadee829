"""What a session is told: its names, its rules, and who hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from adapters.fix.codec import Fields, Message

if TYPE_CHECKING:
    from adapters.fix.session import Session

__all__ = ["Handler", "LogonRefusedError", "QuietHandler", "SessionSettings"]


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one session.

    sender_comp_id, target_comp_id: ours and the peer's.
    is_reset_on_logon: every logon begins both numbers and the store anew.
    heartbeat_s: interval that an initiator asks for (108); an acceptor takes what it is asked for, from
        ``heartbeat_s_min`` to ``heartbeat_s_max``, and refuses a logon that asks for another; 0 is no heartbeats.
    test_after, drop_after: without a message for so many intervals, the peer is asked for one; then the line is given
    up. sending_time_tolerance_s: a message whose SendingTime is further away from now ends the session; 0: not looked
    at. logon_timeout_s, logout_timeout_s: how long an answer is waited for.
    is_new_logon_winning: a second logon of a session that is up takes over; else it is the one that is closed.
    resend_chunk: so many messages are asked for at most in one ResendRequest; 0: all that is missing, open-ended.
    is_next_expected_used: logons carry NextExpectedMsgSeqNum (789), and what it shows missing is replayed at once.
    held_max: so many messages that came after a gap are held back until it is filled; with more, the session ends.
    """

    sender_comp_id: str
    target_comp_id: str
    begin_string: str = "FIX.4.4"
    is_reset_on_logon: bool = False
    heartbeat_s: int = 30
    heartbeat_s_min: int = 0
    heartbeat_s_max: int = 86_400
    test_after: float = 1.2
    drop_after: float = 2.4
    test_request_id: str = "TEST"
    sending_time_tolerance_s: int = 120
    logon_timeout_s: int = 10
    logout_timeout_s: int = 2
    is_new_logon_winning: bool = False
    resend_chunk: int = 0
    is_next_expected_used: bool = False
    held_max: int = 100_000


class LogonRefusedError(Exception):
    """Raised by a handler for a logon that it does not take.

    text: what the peer is told in a Logout; None closes the line without a word.
    """

    def __init__(self, text: str | None = None) -> None:
        super().__init__(text or "the logon was refused")
        self.text = text


class Handler(Protocol):
    """Who hears of a session. Calls come in the order in which things happen, from within the session's own methods."""

    def check_logon(self, session: Session, message: Message, now_ns: int) -> None:
        """Acceptor: take a logon, or raise LogonRefusedError. Nothing of the session has changed yet."""

    def logon_fields(self, session: Session, now_ns: int) -> Fields:
        """Fields that our own Logon has beside 98, 108, 141 and 789; the number of it is ``session.next_sender``."""

    def on_opened(self, session: Session, message: Message, now_ns: int) -> None:
        """Both ends have logged on; message: the peer's Logon."""

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        """An application message, in order, once. Raise UnsupportedMessageError or InvalidMessageError to have it
        rejected.
        """

    def on_reject(self, session: Session, message: Message, now_ns: int) -> None:
        """The peer rejected a message of ours (35=3)."""

    def is_replayed(self, session: Session, seq_num: int, message: bytes, now_ns: int) -> bool:
        """Whether an application message is sent again when asked for; else a gap fill stands for it."""

    def on_closed(self, session: Session, reason: str, now_ns: int) -> None:
        """The line is gone; reason: in words."""


class QuietHandler:
    """Takes every logon, replays everything, and otherwise does nothing; a base for handlers."""

    def check_logon(self, session: Session, message: Message, now_ns: int) -> None:
        return

    def logon_fields(self, session: Session, now_ns: int) -> Fields:
        return ()

    def on_opened(self, session: Session, message: Message, now_ns: int) -> None:
        return

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        return

    def on_reject(self, session: Session, message: Message, now_ns: int) -> None:
        return

    def is_replayed(self, session: Session, seq_num: int, message: bytes, now_ns: int) -> bool:
        return True

    def on_closed(self, session: Session, reason: str, now_ns: int) -> None:
        return
