"""Arguments of the control API: what each takes, and the words for one that it does not take."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

import msgspec

__all__ = ["ControlError", "Field", "choice", "fraction", "take", "text", "truth", "whole"]

_SHOWN_MAX = 80


class ControlError(Exception):
    """A request that is not carried out. status: of HTTP; the text says what was wrong and what is allowed."""

    def __init__(self, status: int, told: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(told)
        self.status = status
        self.headers = dict(headers or {})


class Field(msgspec.Struct, frozen=True):
    """One argument.

    wanted: what it takes, in words. read: gives its value, or raises ValueError.
    """

    name: str
    wanted: str
    read: Callable[[Any], Any]
    is_required: bool = False


def take(given: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    """The arguments by name, those that are given; raises ControlError for what is wrong with them."""
    known = {field.name: field for field in fields}
    for name in given:
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it takes nothing"
            raise ControlError(400, f"there is no field {_shown(name)}; {has}")
    taken = {}
    for field in fields:
        if given.get(field.name) is None:
            if field.is_required:
                raise ControlError(400, f"{field.name} is missing; it must be {field.wanted}")
            continue
        try:
            taken[field.name] = field.read(given[field.name])
        except ValueError:
            raise ControlError(400, f"{field.name} = {_shown(given[field.name])}: it must be {field.wanted}") from None
    return taken


def whole(name: str, low: int, high: int, *, is_required: bool = False) -> Field:
    """A whole number, as such or as text."""

    def read(value: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return Field(name, f"a whole number from {low} to {high}", read, is_required)


def fraction(name: str, high: int, *, is_required: bool = False) -> Field:
    """A number above 0, as such or as text; exact."""

    def read(value: Any) -> Fraction:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)) or len(str(value)) > 40:
            raise ValueError
        try:
            number = Fraction(str(value))
        except ZeroDivisionError:
            raise ValueError from None
        if not 0 < number <= high:
            raise ValueError
        return number

    return Field(name, f"a number above 0, at most {high}", read, is_required)


def choice(name: str, values: Collection[str], *, is_required: bool = False) -> Field:
    """One of some words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise ValueError
        return value

    return Field(name, f"one of {', '.join(values)}", read, is_required)


def text(name: str, wanted: str, read: Callable[[str], Any], *, is_required: bool = False) -> Field:
    """A text that ``read`` understands; it raises ValueError for another one."""

    def checked(value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueError
        return read(value)

    return Field(name, wanted, checked, is_required)


def truth(name: str) -> Field:
    """True, or left out."""

    def read(value: Any) -> bool:
        if value is not True:
            raise ValueError
        return True

    return Field(name, "true, or left out", read)


def _shown(value: Any) -> str:
    """A value as it was given, not at any length."""
    shown = msgspec.json.encode(value).decode() if not isinstance(value, str) else f'"{value}"'
    return shown if len(shown) <= _SHOWN_MAX else f"{shown[:_SHOWN_MAX]}..."
