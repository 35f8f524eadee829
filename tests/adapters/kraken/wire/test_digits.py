"""Decimals on the wire and the checksum of a book (guides/spot-ws-book-v2)."""

from __future__ import annotations

from decimal import Decimal
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kraken.wire.digits import book_checksum, digits, rfc3339_us


@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [(640001, 1, "64000.1"), (0, 8, "0.00000000"), (5, 3, "0.005"), (7, 0, "7"), (-15, 1, "-1.5"), (100, 2, "1.00")],
)
def test_units_are_printed_with_all_their_decimals(units: int, decimals: int, text: str) -> None:
    assert digits(units, decimals) == text


@given(st.integers(-(10**20), 10**20), st.integers(0, 12))
def test_what_is_printed_is_the_number(units: int, decimals: int) -> None:
    text = digits(units, decimals)
    assert Decimal(text) == Decimal(units).scaleb(-decimals)
    assert len(text.partition(".")[2]) == decimals


LEVELS = st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 10**12)), max_size=10)


@given(LEVELS, LEVELS)
def test_the_checksum_is_that_of_the_printed_digits_without_points_and_leading_zeros(
    asks: list[tuple[int, int]], bids: list[tuple[int, int]]
) -> None:
    def cleaned(units: int, decimals: int) -> str:
        return digits(units, decimals).replace(".", "").lstrip("0")

    text = "".join(cleaned(price, 1) + cleaned(qty, 8) for side in (asks, bids) for price, qty in side)
    assert book_checksum(asks, bids) == crc32(text.encode())


def test_the_documented_book_has_the_documented_checksum() -> None:
    # guides/spot-ws-book-v2, the example of the ten best levels of BTC/USD.
    asks = [("45285.2", "0.00100000"), ("45286.4", "1.54571953"), ("45286.6", "1.54571109"), ("45289.6", "1.54560911"),
            ("45290.2", "0.15890660"), ("45291.8", "1.54553491"), ("45294.7", "0.04454749"), ("45296.1", "0.35380000"),
            ("45297.5", "0.09945542"), ("45299.5", "0.18772827")]  # fmt: skip
    bids = [("45283.5", "0.10000000"), ("45283.4", "1.54582015"), ("45282.1", "0.10000000"), ("45281.0", "0.10000000"),
            ("45280.3", "1.54592586"), ("45279.0", "0.07990000"), ("45277.6", "0.03310103"), ("45277.5", "0.30000000"),
            ("45277.3", "1.54602737"), ("45276.6", "0.15445238")]  # fmt: skip

    def units(side: list[tuple[str, str]]) -> list[tuple[int, int]]:
        return [(int(price.replace(".", "")), int(qty.replace(".", ""))) for price, qty in side]

    assert book_checksum(units(asks), units(bids)) == 3310070434


def test_times_have_microseconds() -> None:
    assert rfc3339_us(1_785_585_600_123_456_789) == "2026-08-01T12:00:00.123456Z"
