from __future__ import annotations

import re
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.data.grid import Grid, column_decimals, column_units, finest_step, step_of_decimals

DECIMALS = st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=8)


@pytest.mark.parametrize(
    ("step", "text", "steps"),
    [
        ("0.1", "56218.30000", 562183),
        ("0.05", "1.25", 25),
        ("0.00000001", "577288.45906328", 57728845906328),
        ("1", "17", 17),
        ("100", "1700", 17),
        ("0.5", "-1.5", -3),
        ("0.00000001", "1e-8", 1),
        ("0.01", ".5", 50),
        ("0.000000001", "1618678147.026880", 1618678147026880000),
    ],
)
def test_a_text_on_the_grid_is_its_number_of_steps(step: str, text: str, steps: int) -> None:
    assert Grid(step).count(text) == steps
    assert Grid(step).column(pa.array([text])).tolist() == [steps]


@pytest.mark.parametrize(
    ("step", "text", "message"),
    [
        ("0.1", "0.15", "0.15 is not a multiple of 0.1"),
        ("0.05", "1.23", "1.23 is not a multiple of 0.05"),
        ("100", "150", "150 is not a multiple of 100"),
        ("0.1", "ten", "'ten' is not a number"),
        ("0.1", "", "'' is not a number"),
        ("0.1", "nan", "'nan' is not a number"),
        ("0.1", "1.2.3", "'1.2.3' is not a number"),
    ],
)
def test_a_text_off_the_grid_is_an_error_and_is_not_rounded(step: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Grid(step).count(text)


@pytest.mark.parametrize("step", ["0", "-1", "NaN"])
def test_a_grid_needs_a_positive_step(step: str) -> None:
    with pytest.raises(ValueError, match="positive decimal"):
        Grid(step)


@given(st.lists(DECIMALS, min_size=1, max_size=20))
def test_a_column_counts_as_its_values_do_one_by_one(values: list[Decimal]) -> None:
    grid = Grid("0.00000001")
    texts = [f"{value:f}" for value in values]
    assert grid.column(pa.array(texts)).tolist() == [int(value * 10**8) for value in values]
    assert [grid.count(text) for text in texts] == [int(value * 10**8) for value in values]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["1.0", "x"], "row 1: 'x' is not a number of at most 1 decimals"),
        (["1.0", None], "row 1: the value is missing"),
        (["99999999999999999999"], "row 0: 99999999999999999999 is too large"),
        (["1.0", "1.05", "1.25"], "row 1: 1.05 is not a multiple of 0.1"),
    ],
)
def test_a_bad_value_of_a_column_is_named_by_its_row(texts: list[str | None], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Grid("0.1").column(pa.array(texts, pa.string()))


@pytest.mark.parametrize(
    ("texts", "decimals"),
    [(["1", "2"], 0), (["1.50", "2.25"], 2), (["90.070000", "90.1"], 2), (["1e-5", "2"], 5), (["100.000"], 0)],
)
def test_zeros_at_the_end_do_not_count_as_decimals(texts: list[str], decimals: int) -> None:
    assert column_decimals(pa.array(texts)) == decimals
    if "1e-5" not in texts:
        assert finest_step(texts) == step_of_decimals(decimals)


def test_a_slice_of_a_column_is_read_from_its_own_start() -> None:
    assert column_units(pa.array(["1", "2", "3", "4"])[2:], 1).tolist() == [30, 40]


def test_steps_of_decimals_are_exact_text() -> None:
    assert [step_of_decimals(n) for n in (0, 1, 8)] == ["1", "0.1", "0.00000001"]
