"""Moments as users write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["moment_ns", "moment_text"]

_NS = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def moment_ns(text: str) -> int:
    """Nanoseconds since 1970 of a date or time in ISO 8601, in UTC where it names no zone; or of seconds since 1970.

    Raises ValueError for a text that is none, or is a time before 1970.

    >>> moment_ns("2024-01-01") == moment_ns("2024-01-01T01:00+01:00") == moment_ns("1704067200")
    True
    """
    if text.isascii() and text.isdigit() and len(text) != 8:  # 20240101 is a day
        return int(text) * _NS
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write 2024-01-31, 2024-01-31T12:00 (UTC), or seconds") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment < _EPOCH:
        raise ValueError(f"{text} is before 1970")
    return (moment - _EPOCH) // _MICROSECOND * 1000


def moment_text(ts_ns: int) -> str:
    """A moment in UTC, to the second."""
    return f"{datetime.fromtimestamp(ts_ns // _NS, tz=UTC):%Y-%m-%d %H:%M:%S}"
