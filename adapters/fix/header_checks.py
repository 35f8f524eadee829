"""Checks of a message's header that end a session where they fail (FIX 4.4, volume 2, "Session reject")."""

from __future__ import annotations

from adapters.fix.codec import Message
from adapters.fix.errors import FixError, InvalidMessageError
from adapters.fix.times import parse_utc_timestamp
from adapters.fix.validation import MISSING

__all__ = ["BadNamesError", "BadTimeError", "check_duplicate", "check_sending_time"]

_SEQUENCE_RESET = b"4"


class BadTimeError(FixError):
    """SendingTime is too far from now, or before the time at which a duplicate was first sent."""


class BadNamesError(FixError):
    """SenderCompID or TargetCompID are not the session's."""


def check_sending_time(message: Message, now_ns: int, tolerance_ns: int) -> None:
    """SendingTime (52) must be a time, and not further from now than the tolerance, if that is not 0."""
    sent = message.get(52)
    sent_ns = None if sent is None else parse_utc_timestamp(sent)
    if sent_ns is None or (tolerance_ns and abs(now_ns - sent_ns) > tolerance_ns):
        raise BadTimeError("the sending time is no time, or too far from now")


def check_duplicate(message: Message) -> None:
    """A possible duplicate (43=Y) must say when it was first sent (122), which is not after it was sent now."""
    if message.msg_type == _SEQUENCE_RESET:
        return
    first = message.get(122)
    if first is None:
        raise InvalidMessageError(*MISSING, 122)
    first_ns, sent_ns = parse_utc_timestamp(first), parse_utc_timestamp(message.get(52) or b"")
    if first_ns is not None and sent_ns is not None and first_ns > sent_ns:
        raise BadTimeError("the time of first sending is after that of sending")
