"""What all requests and answers of REST have in common: nonce, form and JSON bodies, and the envelope of errors.

Sources: guides/spot-rest-intro, guides/spot-rest-auth.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message, decoder, encode, from_text
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number

__all__ = ["Endpoint", "Flag", "PrivateRequest", "Reply", "Whole", "decode_form", "encode", "encode_form"]

# In a form everything is text; clients write integers and flags as text in JSON too, and the venue takes both.
type Whole = int | str
type Flag = bool | str


class PrivateRequest(Message, frozen=True, kw_only=True):
    """A request for an account. ``nonce``: above that of the key's last request; ``otp``: where the key asks for it."""

    nonce: Whole
    otp: Maybe[Token] = UNSET


class Reply[T](Message, frozen=True):
    """An answer: its result, or why there is none. ``error`` is empty on success; ``result`` is absent on failure."""

    error: list[str]
    result: Maybe[T | None] = UNSET


class Endpoint[Q: Message, R]:
    """One endpoint: where it is, what it is asked with and what it answers.

    path: below ``/0``, as in ``/private/AddOrder``. Public ones are read with GET and a query, private ones with POST.
    """

    def __init__(self, path: str, request: type[Q], result: type[R]) -> None:
        self.path = path
        self.request = request
        self.result = result

    @property
    def is_private(self) -> bool:
        """Whether requests are signed."""
        return self.path.startswith("/private/")

    @cached_property
    def decode_reply(self) -> Callable[[bytes | str], Reply[R]]:
        """Reads the venue's answer; raises WireError for what is none."""
        return decoder(Reply[self.result])  # type: ignore[name-defined]

    @cached_property
    def decode_request(self) -> Callable[[bytes | str], Q]:
        """Reads a request's body in JSON; raises WireError for what is none."""
        return decoder(self.request)

    def decode_form(self, text: str) -> Q:
        """Reads a request's body or query as a form; raises WireError for what is none."""
        return decode_form(self.request, text)

    def __repr__(self) -> str:
        return f"Endpoint({self.path})"


def encode_form(request: Message) -> str:
    """A request as a form, for a query or a body. Raises WireError for a list, which only JSON can carry."""
    return urlencode(_pairs(request))


def decode_form[Q: Message](kind: type[Q], text: str) -> Q:
    """A request from a form. Raises WireError for what is no form of this kind, or names a parameter twice."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=200, errors="strict")
    except ValueError:
        raise WireError("not a form: give name=value, joined by &, in UTF-8 and percent codes") from None
    given: dict[str, Any] = {}
    for name, value in pairs:
        outer, bracket, inner = name.partition("[")
        if bracket and inner.endswith("]"):
            members = given.setdefault(outer, {})
            name = inner[:-1]
        else:
            members = given
        if not isinstance(members, dict) or name in members:
            raise WireError(f"not a form of this kind: {name} is given twice")
        members[name] = value
    return from_text(kind, given)


def _pairs(request: Message) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for attribute, wire_name in _names(type(request)):
        value = getattr(request, attribute)
        if value is UNSET or value is None:
            continue
        if isinstance(value, Message):
            pairs += [(f"{wire_name}[{name}]", text) for name, text in _pairs(value)]
        else:
            pairs.append((wire_name, _text(wire_name, value)))
    return pairs


@cache
def _names(kind: type[Message]) -> tuple[tuple[str, str], ...]:
    """The attributes of a kind of request, and what they are called on the wire; slow to find out."""
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(kind))


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, Number)):
        return str(value)
    if isinstance(value, Token):
        return value.reveal()
    raise WireError(f"{name} is a list, which no form carries; send the request as JSON")
