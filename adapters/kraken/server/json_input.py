"""What clients send as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

__all__ = ["json_object"]

_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)


def json_object(data: bytes | str) -> dict[str, Any] | None:
    """The object that a message is, its decimals exact; None for what is no object or cannot be read."""
    try:
        message = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ArithmeticError):
        return None
    return message if isinstance(message, dict) else None
