"""Decimals as the wire prints them, from whole units: every digit is there, none is made up."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from zlib import crc32

__all__ = ["book_checksum", "digits", "epoch_us", "rfc3339_ms", "rfc3339_ns", "rfc3339_us"]

_NS = 10**9


# Sizes and prices come again and again: a market maker's are few, and a book's are those around the touch.
@lru_cache(maxsize=16_384)
def digits(units: int, decimals: int) -> str:
    """A number of units of the last decimal: 640001 with 1 is ``64000.1``; with 0 decimals there is no point."""
    if not decimals:
        return str(units)
    sign, units = ("-", -units) if units < 0 else ("", units)
    text = f"{units:0{decimals + 1}d}"
    return f"{sign}{text[:-decimals]}.{text[-decimals:]}"


def book_checksum(asks: Iterable[tuple[int, int]], bids: Iterable[tuple[int, int]]) -> int:
    """The checksum of the ten best levels of each side: asks from the lowest price, then bids from the highest.

    asks, bids: price and quantity in units of their last decimals. Of each number the point and leading zeros are left
    out, which is what whole units print. Source: guides/spot-ws-book-v1, guides/spot-ws-book-v2.
    """
    return crc32("".join([f"{price}{qty}" for side in (asks, bids) for price, qty in side]).encode())


def rfc3339_us(ts_ns: int) -> str:
    """A time with microseconds, as WebSocket v2 prints it."""
    seconds, rest_ns = divmod(ts_ns, _NS)
    return f"{_second(seconds)}.{rest_ns // 1000:06d}Z"


def rfc3339_ms(ts_ns: int) -> str:
    """A time with milliseconds, as deadlines of WebSocket v2 have it; what is finer is cut off."""
    seconds, rest_ns = divmod(ts_ns, _NS)
    return f"{_second(seconds)}.{rest_ns // 1_000_000:03d}Z"


# A second's messages have all but the decimals in common.
@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    year, month, day, hour, minute, second, _, _, _ = time.gmtime(seconds)
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}"


def rfc3339_ns(ts_ns: int) -> str:
    """A time with nanoseconds."""
    return f"{rfc3339_us(ts_ns)[:-1]}{ts_ns % 1000:03d}Z"


def epoch_us(ts_ns: int) -> str:
    """A time in seconds since the epoch with microseconds, as WebSocket v1 prints it."""
    seconds, rest_ns = divmod(ts_ns, _NS)
    return f"{seconds}.{rest_ns // 1000:06d}"
