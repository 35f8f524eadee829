"""Exact conversion of decimal text to whole steps of a grid (ticks, lots, nanoseconds), one by one or by the column.

Nothing here goes through binary floating point, and nothing is rounded: a value off the grid is an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Grid", "column_decimals", "column_units", "finest_step", "step_of_decimals"]

_DIGITS = 38  # of the 128-bit decimals that columns go through


class Grid:
    """A step size, and the count of steps in decimal text.

    step: the size as text; it is ``units_per_step`` times ten to the power of minus ``decimals``.

    >>> Grid("0.05").count("1.25")
    25
    """

    def __init__(self, step: str) -> None:
        try:
            value = Decimal(step)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or value <= 0:
            raise ValueError(f"a grid's step must be a positive decimal, not {step!r}")
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)
        self.step = step
        self.decimals = max(0, -exponent)
        self.units_per_step = int(value.scaleb(self.decimals))

    def count(self, text: str) -> int:
        """Whole steps in ``text``; raises ValueError for what is no number or not a multiple of the step."""
        whole, _, fraction = text.partition(".")
        decimals = self.decimals
        if len(fraction) > decimals:
            if fraction[decimals:].strip("0"):
                return self._count_unusual(text)
            fraction = fraction[:decimals]
        digits = whole + fraction
        if not digits.isdecimal():
            return self._count_unusual(text)
        return self._whole(int(digits) * 10 ** (decimals - len(fraction)), text)

    def _count_unusual(self, text: str) -> int:
        # Signs, exponents, blanks: rare enough to take the slow road.
        try:
            units = Decimal(text).scaleb(self.decimals)
            whole = int(units)
        except (InvalidOperation, ValueError, OverflowError):
            raise ValueError(f"{text!r} is not a number") from None
        if whole != units:
            raise ValueError(f"{text} is not a multiple of {self.step}")
        return self._whole(whole, text)

    def _whole(self, units: int, text: str) -> int:
        steps, rest = divmod(units, self.units_per_step)
        if rest:
            raise ValueError(f"{text} is not a multiple of {self.step}")
        return steps

    def column(self, texts: pa.Array) -> npt.NDArray[np.int64]:
        """Whole steps of every value of a string column; raises ValueError like ``count``, naming the first bad row."""
        decimals = max(self.decimals, column_decimals(texts))
        units = column_units(texts, decimals)
        step = self.units_per_step * 10 ** (decimals - self.decimals)
        steps, rest = np.divmod(units, step)
        if rest.any():
            row = int(rest.astype(np.bool_).argmax())
            raise ValueError(f"row {row}: {texts[row].as_py()} is not a multiple of {self.step}")
        return steps


def step_of_decimals(decimals: int) -> str:
    """The grid's step of so many decimals as text: 0 gives "1", 2 gives "0.01"."""
    return "1" if decimals == 0 else "0." + "0" * (decimals - 1) + "1"


def finest_step(texts: Iterable[str]) -> str:
    """The coarsest power of ten of which all of ``texts`` are multiples, at most 1.

    It is what the values show, so it can be coarser than the exchange's own step, never finer than they need.
    """
    most = 0
    for text in texts:
        fraction = text.partition(".")[2].rstrip("0")
        most = max(most, len(fraction))
    return step_of_decimals(most)


def column_decimals(texts: pa.Array) -> int:
    """Most decimals of any value of a string column, zeros at the end not counted."""
    is_scientific = pc.match_substring_regex(texts, r"^[+-]?[0-9.]+[eE][+-]?[0-9]+$")
    exponents = (Decimal(text).normalize().as_tuple().exponent for text in texts.filter(is_scientific).to_pylist())
    most = max((-exponent for exponent in exponents if isinstance(exponent, int)), default=0)
    # What is no number at all is left to the conversion to name.
    fractions = texts.filter(pc.match_substring_regex(texts, r"^[+-]?[0-9]*\.[0-9]*$"))
    if not len(fractions):
        return max(0, most)
    kept = pc.utf8_rtrim(fractions, "0")
    decimals = pc.subtract(pc.subtract(pc.utf8_length(kept), pc.find_substring(kept, ".")), 1)
    return max(0, most, int(pc.max(decimals).as_py()))


def column_units(texts: pa.Array, decimals: int) -> npt.NDArray[np.int64]:
    """Every value of a string column times 10**decimals, exactly.

    Raises ValueError naming the first row that is no number, has more decimals or does not fit 64 bits.
    """
    try:
        values = pc.cast(texts, pa.decimal128(_DIGITS, decimals))
    except pa.ArrowInvalid:
        raise ValueError(_first_bad_text(texts, decimals)) from None
    if values.null_count:
        row = int(np.asarray(values.is_null()).argmax())
        raise ValueError(f"row {row}: the value is missing")
    low, high = np.frombuffer(values.buffers()[1], dtype=np.int64).reshape(-1, 2)[values.offset :][: len(values)].T
    fits = high == low >> 63
    if not fits.all():
        row = int((~fits).argmax())
        raise ValueError(f"row {row}: {texts[row].as_py()} is too large")
    return np.ascontiguousarray(low)


def _first_bad_text(texts: pa.Array, decimals: int) -> str:
    for row, text in enumerate(texts.to_pylist()):
        try:
            value = Decimal(text)
            if value.is_finite() and value == value.quantize(Decimal(1).scaleb(-decimals)):
                continue
        except InvalidOperation:
            pass
        return f"row {row}: {text!r} is not a number of at most {decimals} decimals"
    return f"a value is not a number of at most {decimals} decimals"
