"""Times of the wire in nanoseconds since 1970."""

from __future__ import annotations

import calendar
import re
from functools import lru_cache

from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number

__all__ = ["epoch_ns", "moment_ns"]

_NS = 10**9
# Nanoseconds of one in the last of so many decimals.
_DECIMALS: tuple[int, ...] = tuple(10 ** (9 - decimals) for decimals in range(10))
_SECOND = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", re.ASCII)


def moment_ns(text: str) -> int:
    """A time of RFC 3339 in UTC, with up to nine decimals. Raises WireError for anything else."""
    fraction = text[20:-1]
    if text[19:20] == "." and text[-1] == "Z" and fraction.isdecimal() and len(fraction) <= 9:
        return _second_ns(text[:19]) + int(fraction) * _DECIMALS[len(fraction)]
    if text[19:] != "Z":
        raise WireError("a time is not one of RFC 3339 in UTC")
    return _second_ns(text[:19])


def epoch_ns(number: Number | str) -> int:
    """A time in seconds since 1970, with decimals; what is finer than a nanosecond is cut off."""
    text = str(number)
    whole, _, fraction = text.partition(".")
    if not whole.isdigit() or (fraction and not fraction.isdigit()):
        raise WireError("a time is not a number of seconds")
    return int(whole) * _NS + int(fraction[:9].ljust(9, "0"))


# What comes within a second has all but the fraction in common.
@lru_cache(maxsize=64)
def _second_ns(text: str) -> int:
    match = _SECOND.fullmatch(text)
    if match is None:
        raise WireError("a time is not one of RFC 3339 in UTC")
    return calendar.timegm(tuple(int(part) for part in match.groups())) * _NS
