"""UTCTimestamp (FIX 4.4, volume 1, "Field data types")."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.times import parse_utc_timestamp, utc_timestamp

MS = 1_000_000


@given(st.integers(0, 4_000_000_000_000))
def test_milliseconds_go_out_and_come_back(time_ms: int) -> None:
    assert parse_utc_timestamp(utc_timestamp(time_ms * MS)) == time_ms * MS


@given(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2100, 1, 1)))  # noqa: DTZ001
def test_the_text_is_that_of_the_calendar(moment: dt.datetime) -> None:
    ns = int(moment.replace(tzinfo=dt.UTC).timestamp()) * 1_000_000_000
    assert utc_timestamp(ns) == moment.strftime("%Y%m%d-%H:%M:%S.000").encode()


@pytest.mark.parametrize("digits", range(1, 10))
def test_up_to_nine_decimals_are_read(digits: int) -> None:
    assert parse_utc_timestamp(b"19700101-00:00:00." + b"123456789"[:digits]) == int("123456789"[:digits].ljust(9, "0"))


@pytest.mark.parametrize(
    "text",
    ["", "19700101", "19700101-00:00", "19700132-00:00:00", "19700229-00:00:00", "19701301-00:00:00",
     "19700101-24:00:00", "19700101-00:60:00", "19700101-00:00:61", "19700101-00:00:00.",
     "19700101-00:00:00.1234567890", "19700101 00:00:00", "19700101-00:00:00Z"],
)  # fmt: skip
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_utc_timestamp(text.encode()) is None
