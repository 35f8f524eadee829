"""UTC timestamps of FIX (field type UTCTimestamp): ``YYYYMMDD-HH:MM:SS`` with up to nine decimals."""

from __future__ import annotations

import calendar
import re
import time
from functools import lru_cache

__all__ = ["parse_utc_timestamp", "utc_timestamp"]

_NS = 1_000_000_000
_TIMESTAMP = re.compile(rb"(\d{4})(\d\d)(\d\d)-(\d\d):(\d\d):(\d\d)")
# Nanoseconds of one in the last of so many decimals.
_DECIMALS = tuple(10 ** (9 - decimals) for decimals in range(10))
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def utc_timestamp(now_ns: int) -> bytes:
    """A time in nanoseconds since the epoch, with milliseconds."""
    seconds, rest_ns = divmod(now_ns, _NS)
    return b"%b%03d" % (_second(seconds), rest_ns // 1_000_000)


# A second's messages have all but the milliseconds in common.
@lru_cache(maxsize=64)
def _second(seconds: int) -> bytes:
    year, month, day, hour, minute, second, _, _, _ = time.gmtime(seconds)
    return b"%04d%02d%02d-%02d:%02d:%02d." % (year, month, day, hour, minute, second)


# A message's time of sending is looked at more than once, and is often that of the transaction too.
@lru_cache(maxsize=64)
def parse_utc_timestamp(value: bytes) -> int | None:
    """Nanoseconds since the epoch; None for what is no timestamp, a day or an hour that does not exist included.

    Second 60, a leap second, is taken as the first of the next minute.
    """
    fraction = value[18:]
    if len(fraction) > 9:
        return None
    if value[17:18] != b"." or not fraction.isdigit():
        return _parse(value)
    second_ns = _parse(value[:17])
    return None if second_ns is None else second_ns + int(fraction) * _DECIMALS[len(fraction)]


@lru_cache(maxsize=64)
def _parse(value: bytes) -> int | None:
    match = _TIMESTAMP.fullmatch(value)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups())
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1] or hour > 23 or minute > 59 or second > 60:
        return None
    if month == 2 and day == 29 and not calendar.isleap(year):
        return None
    return calendar.timegm((year, month, day, hour, minute, second)) * _NS
