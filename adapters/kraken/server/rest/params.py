"""The parameters of a request, from a query, a form or JSON, as text by name (rest-api introduction, "Encoding")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus

from adapters.kraken.server.http import HttpRequest
from adapters.kraken.server.json_input import json_object
from adapters.kraken.server.prices import whole
from adapters.kraken.server.refusal import Refusal, invalid

__all__ = ["Params", "json_params", "read_params"]

_FIELDS_MAX = 2_000
# An entry of a list in a form: ``orders[0][price]`` or ``orders[0]``.
_ENTRY = re.compile(r"(\w+)\[([0-9]{1,3})\](?:\[([\w\[\]]+)\])?")


class Params:
    """Parameters by name. raw: values of a JSON body that are no text, such as the orders of a batch."""

    def __init__(self, text: Mapping[str, str], raw: Mapping[str, Any]) -> None:
        self.text = text
        self.raw = raw

    def with_text(self, **text: str) -> Params:
        """The same with other texts."""
        return Params({**self.text, **text}, self.raw)

    def get(self, name: str, default: str = "") -> str:
        """A parameter as text; empty text counts as not given."""
        return self.text.get(name) or default

    def required(self, name: str) -> str:
        """A parameter that must be there."""
        value = self.text.get(name)
        if not value:
            raise invalid(name)
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean, as JSON or as text."""
        value = self.text.get(name, "").lower()
        if value not in ("", "true", "false", "1", "0"):
            raise invalid(name)
        return default if value == "" else value in ("true", "1")

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number within limits."""
        value = self.text.get(name)
        if not value:
            return default
        return whole(value, name, least, most)

    def objects(self, name: str) -> list[dict[str, str]]:
        """A list of objects, the values of each as text by name."""
        raw = self.raw.get(name)
        if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
            raise invalid(name)
        return [_flat(each)[0] for each in raw]

    def items(self, name: str) -> list[str]:
        """A comma list, or a JSON list of texts and numbers."""
        raw = self.raw.get(name)
        if isinstance(raw, list):
            return [_text(each, name) for each in raw]
        return [item.strip() for item in self.get(name).split(",") if item.strip()]


def read_params(request: HttpRequest) -> Params:
    """The parameters of a request: of its body if it has one, else of its query.

    Raises Refusal for a body that cannot be read.
    """
    body = request.body
    if not body:
        return _form(request.query)
    if request.headers.get("Content-Type", "").lower().startswith("application/json"):
        decoded = json_object(body)
        if decoded is None:
            raise Refusal("EAPI:Bad request")
        return json_params(decoded)
    try:
        form = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("EAPI:Bad request") from None
    return _form(form)


def json_params(decoded: dict[str, Any]) -> Params:
    """The parameters of a JSON object; raises Refusal for what is neither text, number, list nor a flat object."""
    return Params(*_flat(decoded))


def _form(text: str) -> Params:
    parts = text.split("&")
    if len(parts) > _FIELDS_MAX:
        raise Refusal("EAPI:Bad request")
    is_escaped = "%" in text or "+" in text
    fields: dict[str, str] = {}
    has_entries = False
    for part in parts:
        name, _, value = part.partition("=")
        if is_escaped:
            name, value = unquote_plus(name), unquote_plus(value)
        if "[" in name:
            has_entries = True
        if name:
            fields[name] = value
    return Params(fields, _entries(fields) if has_entries else {})


def _entries(fields: Mapping[str, str]) -> dict[str, Any]:
    """The lists of a form, by name; what is left out of their numbers is closed up."""
    lists: dict[str, dict[int, Any]] = {}
    for name, value in fields.items():
        entry = _ENTRY.fullmatch(name)
        if entry is not None:
            number, inner = int(entry[2]), entry[3]
            entries = lists.setdefault(entry[1], {})
            if inner is None:
                entries[number] = value
            else:
                known = entries.setdefault(number, {})
                if isinstance(known, dict):
                    known[inner] = value
    return {name: [entries[each] for each in sorted(entries)] for name, entries in lists.items()}


def _flat(decoded: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Values as text; those of an object inside as ``name[inner]``, as a form writes them."""
    text: dict[str, str] = {}
    raw: dict[str, Any] = {}
    for name, value in decoded.items():
        if isinstance(value, dict):
            text.update({f"{name}[{inner}]": _text(each, name) for inner, each in value.items()})
        elif isinstance(value, list):
            raw[name] = value
        elif value is not None:
            text[name] = _text(value, name)
    return text, raw


def _text(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, Decimal)):
        return str(value)
    raise invalid(name)
