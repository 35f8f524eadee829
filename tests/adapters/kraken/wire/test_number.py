"""Numbers of the wire: their digits, and what they are worth (guides/spot-ws-book-v2)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number, QuotedNumber


@pytest.mark.parametrize(
    ("text", "decimals", "units"),
    [("64000.1", 5, 6_400_010_000), ("5", 2, 500), ("-0.5", 1, -5), ("1e-08", 8, 1), ("1.50", 1, 15), ("0.0", 0, 0),
     ("1.5E3", 0, 1500), ("-1.20000000000000000000", 1, -12)],
)  # fmt: skip
def test_units_are_whole_numbers_of_the_last_decimal(text: str, decimals: int, units: int) -> None:
    assert Number(text).units(decimals) == units


@pytest.mark.parametrize(("text", "decimals"), [("0.15", 1), ("1e-9", 8), ("1e999999999", 2), ("1e-999999999", 2)])
def test_units_are_never_rounded(text: str, decimals: int) -> None:
    with pytest.raises(WireError):
        Number(text).units(decimals)


@pytest.mark.parametrize("text", [f"1e{'9' * 400}", f"1.{'1' * 5_000}", "1" * 5_000])
def test_a_number_of_any_length_is_an_error_of_the_wire_and_no_other(text: str) -> None:
    with pytest.raises(WireError, match="out of range"):
        Number(text).units(8)


def test_an_exponent_that_no_decimal_has_is_an_error_of_the_wire() -> None:
    with pytest.raises(WireError, match="out of range"):
        _ = Number(f"1e{'9' * 400}").decimal


@given(st.integers(-(10**40), 10**40), st.integers(0, 20), st.integers(0, 20))
def test_units_of_any_number_are_exact(units: int, decimals: int, zeros: int) -> None:
    sign, figures = ("-", -units) if units < 0 else ("", units)
    text = f"{sign}{figures // 10**decimals}.{figures % 10**decimals:0{decimals}d}{'0' * (zeros + 1)}"
    assert Number(text).units(decimals) == units
    assert Number(f"{units}e-{decimals}").units(decimals + zeros) == units * 10**zeros


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_value_becomes_a_number_of_the_same_worth(value: Decimal) -> None:
    assert Number.of(value).decimal == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(Decimal("0E-8"), "0.00000000"), (Decimal("1E-8"), "0.00000001"), (Decimal("1E+3"), "1000"), (7, "7"),
     ("1e-08", "1e-08"), (Decimal("1.10"), "1.10")],
)  # fmt: skip
def test_a_value_is_printed_with_all_its_digits_and_without_an_exponent(value: Decimal | int | str, text: str) -> None:
    assert Number.of(value).text == text


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("Infinity"), "", "1.", ".5", "01", "+1", "1,0", "\u0661", True]
)
def test_what_json_cannot_print_is_refused(value: Decimal | str) -> None:
    with pytest.raises(WireError):
        Number.of(value)


def test_numbers_are_equal_if_they_are_printed_alike() -> None:
    assert Number("1.0") == Number("1.0")
    assert Number("1.0") != Number("1.00")
    assert Number("1.0") != QuotedNumber("1.0")
    assert len({Number("1.0"), Number("1.0"), Number("1.00")}) == 2
    assert (repr(Number("1.0")), str(QuotedNumber("1.0"))) == ("Number('1.0')", "1.0")
