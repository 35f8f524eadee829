"""Moments as users write them."""

from __future__ import annotations

import pytest

from framework.data.moments import moment_ns, moment_text

DAY = 1_704_067_200 * 10**9


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01",
        "20240101",
        "2024-01-01T00:00",
        "2024-01-01 00:00:00",
        "2024-01-01T00:00:00Z",
        "2024-01-01T05:30+05:30",
        "1704067200",
    ],
)
def test_a_day_a_time_and_seconds_are_moments_in_utc(text: str) -> None:
    assert moment_ns(text) == DAY


def test_a_fraction_of_a_second_is_exact() -> None:
    assert moment_ns("2024-01-01T00:00:00.123457") == DAY + 123_457_000


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "-5", "1969-12-31"])
def test_what_is_no_moment_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time|is before 1970"):
        moment_ns(text)


def test_a_moment_is_read_in_utc() -> None:
    assert moment_text(DAY + 999_999_999) == "2024-01-01 00:00:00"
