"""A JSON number with the digits that it was printed with.

WebSocket v2 takes checksums over the digits of its numbers: 0.10000000 and 0.1 are one value and two messages. Neither
a float nor a Decimal keeps them (a Decimal prints 0.00000000 as 0E-8), so a number of the wire is its text until
somebody asks what it is worth. Source: guides/spot-ws-book-v2.
"""

from __future__ import annotations

import re
from decimal import Decimal

from adapters.kraken.wire.errors import WireError

__all__ = ["Number", "QuotedNumber", "is_number"]

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
# What an exponent may make of a number: more digits than any price or quantity has, fewer than would fill a memory.
_EXPONENT_MAX = 64
_LENGTH_MAX = 128


class Number:
    """One number; two are equal if they are printed alike. Compare ``decimal`` or ``units``, which are values."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        """text: a JSON number, which is not checked here; ``Number.of`` makes one of anything."""
        self.text = text

    @classmethod
    def of(cls, value: Decimal | int | str) -> Number:
        """The number that prints all digits of a value, without an exponent; of a text, that text.

        Raises WireError for what is no finite number.
        """
        if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _EXPONENT_MAX:
            return cls(f"{value:f}")
        text = str(value)
        if isinstance(value, bool) or not is_number(text):
            raise WireError(f"{value!r} is no number that JSON has; give a finite decimal")
        return cls(text)

    @property
    def decimal(self) -> Decimal:
        """Its value, exactly. Raises WireError for an exponent that no Decimal has."""
        try:
            return Decimal(self.text)
        except ArithmeticError:
            raise self._out_of_range() from None

    def units(self, decimals: int) -> int:
        """Its value in units of the last of so many decimals: 64000.1 with 5 is 6400010000.

        Raises WireError if it is finer than that, or longer than any price or quantity.
        """
        text = self.text
        if len(text) > _LENGTH_MAX:
            raise self._out_of_range()
        whole, point, fraction = text.partition(".")
        if len(fraction) <= decimals and (fraction if point else whole.lstrip("-")).isdigit():
            return int(f"{whole}{fraction}{'0' * (decimals - len(fraction))}")
        value = self.decimal
        if abs(value.adjusted()) > _EXPONENT_MAX:
            raise self._out_of_range()
        sign, figures, exponent = value.as_tuple()
        assert isinstance(exponent, int)
        count, more = int("".join(map(str, figures))), exponent + decimals
        step: int = 10 ** abs(more)
        if more < 0 and count % step:
            raise WireError(f"{text} has more than {decimals} decimals; give the decimals of its pair or asset")
        count = count * step if more >= 0 else count // step
        return -count if sign else count

    def _out_of_range(self) -> WireError:
        shown = self.text if len(self.text) <= _LENGTH_MAX else f"{self.text[:_LENGTH_MAX]}..."
        return WireError(f"{shown} is out of range; prices and quantities have fewer than {_EXPONENT_MAX} digits")

    @property
    def json(self) -> str:
        """As it stands on the wire."""
        return self.text

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"


class QuotedNumber(Number):
    """A number that stood in quotes where others do not: some frames of the ticker and of older books have it so."""

    __slots__ = ()

    def _out_of_range(self) -> WireError:
        shown = self.text if len(self.text) <= _LENGTH_MAX else f"{self.text[:_LENGTH_MAX]}..."
        return WireError(f"{shown} is out of range; prices and quantities have fewer than {_EXPONENT_MAX} digits")

    @property
    def json(self) -> str:
        return f'"{self.text}"'


def is_number(text: str) -> bool:
    """Whether a text is a number as JSON prints it."""
    return _NUMBER.fullmatch(text) is not None
