"""What is wrong with a configuration file, in the file's own words: table, key and value."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from framework.errors import ConfigError

__all__ = ["check_amount", "check_range", "key_error", "read_toml"]

_AT = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
_INDEX = re.compile(r"\[[^]]*\]")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<key>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<key>[^`]*)`$")
_TYPE = re.compile(r"^Expected `(?P<wanted>[^`]*)`(?:, got `(?P<found>[^`]*)`)?$")
_WORDS = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}


def read_toml[T: msgspec.Struct](path: Path, root: type[T], remedy: str) -> T:
    """Read a configuration file as a type; raises ConfigError naming file, key and remedy.

    remedy: what to do where there is no such file: "name a run configuration in TOML".
    """
    try:
        raw = path.read_bytes()
        return msgspec.toml.decode(raw, type=root)
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; {remedy}") from None
    except OSError as e:
        raise ConfigError(f"{path}: {e.strerror}; {remedy}") from None
    except msgspec.ValidationError as e:
        raise ConfigError(f"{path}: {key_error(str(e), tomllib.loads(raw.decode()), root)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path}: this is not TOML: {e}") from None
    except ConfigError as e:
        raise ConfigError(f"{path}: {e}") from None


def key_error(text: str, given: Mapping[str, Any], root: type[msgspec.Struct] | None, table: str = "") -> str:
    """The text of a validation error as one line that names table, key, value and remedy.

    given: the whole file as plain data. root: the type that it was to be; None where its fields are not to be listed.
    table: dotted name of the table that the error's path starts in.
    """
    at = _AT.search(text)
    reason = text[: at.start()] if at else text
    path = [part for part in (table, at["path"] if at else "") if part]
    keys = _INDEX.sub("", ".".join(path)).split(".") if path else []
    if unknown := _UNKNOWN.match(reason):
        return f"{_name(keys)} has no key {unknown['key']}; it has {', '.join(_fields(root, keys))}"
    if missing := _MISSING.match(reason):
        is_table = not keys
        what = f"[{missing['key']}]" if is_table else f"{_name(keys)} {missing['key']}"
        return f"{what} is missing; it must be given"
    place = f"{_name(keys[:-1])} {keys[-1]}" if len(keys) > 1 else _name(keys)
    if typed := _TYPE.match(reason):
        wanted = " or ".join(_WORDS.get(each, each) for each in typed["wanted"].split(" | ") if each != "null")
        value = _value(given, keys)
        shown = "" if value is None or isinstance(value, (dict, list)) else f" = {_toml(value)}"
        return f"{place}{shown}: it must be {wanted}"
    return f"{place}: {reason}"


def check_range(name: str, value: float, low: float, high: float = math.inf, *, is_open: bool = False) -> None:
    """Raise ConfigError unless a value is finite and from ``low`` (above it, if ``is_open``) to ``high``."""
    if math.isfinite(value) and (low < value or (low == value and not is_open)) and value <= high:
        return
    wanted = f"from {low:g} to {high:,.0f}" if high < math.inf else f"{'above ' if is_open else ''}{low:g}"
    raise ConfigError(f"{name} = {value}: it must be {wanted}{'' if high < math.inf or is_open else ' or more'}")


def check_amount(name: str, amount: str) -> None:
    """Raise ConfigError unless a text is an exact decimal of 0 or more."""
    try:
        value = Decimal(amount)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0:
        raise ConfigError(f'{name} = "{amount}": it must be a decimal of 0 or more, in quotes')


def _name(keys: list[str]) -> str:
    if not keys:
        return "the file"
    brackets = "[[{}]]" if keys[0] == "faults" else "[{}]"
    return brackets.format(".".join(keys))


def _fields(root: type[Any] | None, keys: list[str]) -> list[str]:
    """The fields of the table at a path."""
    current: Any = root
    for key in keys:
        hint = get_type_hints(current)[key]
        current = next(each for each in (hint, *get_args(hint)) if hasattr(each, "__struct_fields__"))
    return list(current.__struct_fields__) if current is not None else []


def _value(given: Any, keys: list[str]) -> Any:
    """The value at a path; None where the path leads through a list, which has several."""
    for key in keys:
        if not isinstance(given, Mapping) or key not in given:
            return None
        given = given[key]
    return given


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
