"""From JSON to the structs of this package and back: no digit, no absent member and no null is made up or lost.

What a struct does not name is passed over in reading, so that a newer venue does not stop an older client. Members are
written in the order of their struct; that order has no meaning in JSON, and the documentation's own examples vary it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UnsetType

from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number, QuotedNumber, is_number

__all__ = ["Maybe", "Message", "decoder", "encode", "from_text", "text_decoder"]

# A member that can be absent; absent is UNSET, which is not null.
type Maybe[T] = T | UnsetType


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message or a part of one: an object of the wire. Its names are Kraken's; what may be absent is ``Maybe``."""


def decoder[T](kind: type[T]) -> Callable[[bytes | str], T]:
    """What reads JSON of one kind; it raises WireError, which names the member and repeats nothing of the message."""
    return _raising(msgspec.json.Decoder(kind, float_hook=Number, dec_hook=_from_json).decode)


def text_decoder[T](kind: type[T]) -> Callable[[bytes | str], T]:
    """As ``decoder``, for kinds whose members of type Any are numbers: they become the text that was printed."""
    return _raising(msgspec.json.Decoder(kind, float_hook=str).decode)


def _raising[T](read: Callable[[bytes | str], T]) -> Callable[[bytes | str], T]:
    def decode(data: bytes | str) -> T:
        try:
            return read(data)
        except msgspec.ValidationError as error:
            raise WireError(f"not a message of this kind: {error}") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise WireError(f"not JSON: {error}") from None

    return decode


def encode(message: Any) -> bytes:
    """A message as compact JSON. Raises WireError for what JSON cannot say."""
    try:
        return _ENCODER.encode(message)
    except (msgspec.MsgspecError, RecursionError, NotImplementedError, TypeError, UnicodeEncodeError) as error:
        raise WireError(f"cannot be written as JSON: {type(error).__name__}") from None


def from_text[T](kind: type[T], members: Mapping[str, Any]) -> T:
    """A message of members that are all text, as a form has them. Raises WireError as reading JSON does."""
    try:
        return msgspec.convert(members, kind, strict=False, dec_hook=_from_json)
    except msgspec.ValidationError as error:
        raise WireError(f"not a message of this kind: {error}") from None


def _from_json(kind: type, value: Any) -> Any:
    if kind is Number:
        if type(value) is Number:
            return value
        if type(value) is int:
            return Number(str(value))
        if type(value) is str and is_number(value):
            return QuotedNumber(value)
        raise ValueError("Expected a number")
    if kind is Token and type(value) is str:
        return Token(value)
    raise ValueError(f"Expected a {kind.__name__}")


def _to_json(value: Any) -> Any:
    if isinstance(value, Number):
        return msgspec.Raw(value.json.encode())
    if type(value) is Token:
        return value.reveal()
    raise NotImplementedError


_ENCODER = msgspec.json.Encoder(enc_hook=_to_json, decimal_format="number")
