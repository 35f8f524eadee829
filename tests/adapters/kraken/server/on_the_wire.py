"""Whether what the venue sends is a message of its protocol: each member, each digit, nothing more and nothing less.

A member that no struct of ``adapters.kraken.wire`` has fails here: it belongs there before the venue may send it.
"""

from __future__ import annotations

from typing import Any

from adapters.fix.codec import Message
from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.wire.codec import encode
from adapters.kraken.wire.fix.fields import write
from adapters.kraken.wire.fix.messages import read_message
from adapters.kraken.wire.rest.endpoints import ENDPOINTS
from adapters.kraken.wire.rest.envelope import Reply
from adapters.kraken.wire.ws1 import messages as ws1
from adapters.kraken.wire.ws2 import messages as ws2
from tests.adapters.kraken.wire.documented import tokens

__all__ = ["as_fix", "as_rest", "as_ws1", "as_ws2"]

_HEADER = frozenset({34, 43, 49, 52, 56, 122})
# Frames that come most often: the order of their members is held too (websocket-v2/book, trade, ticker, instrument).
_ORDERED = tuple(f'{{"channel":"{name}","type"'.encode() for name in ("book", "trade", "ticker", "instrument"))


def as_ws2(frame: bytes) -> Any:
    """A frame of WebSocket v2 as the message that it is."""
    message = ws2.decode_answer(frame)
    assert not isinstance(message, ws2.UnknownMessage), frame
    again = ws2.encode(message)
    assert tokens(again) == tokens(frame)
    assert not frame.startswith(_ORDERED) or again == frame
    return message


def as_ws1(frame: bytes) -> Any:
    """A frame of WebSocket v1 as the message that it is, byte for byte."""
    message = ws1.decode_answer(frame)
    assert not isinstance(message, ws1.UnknownMessage), frame
    assert ws1.encode(message) == frame
    return message


def as_rest(request: HttpRequest, answer: HttpResponse) -> Reply[Any] | None:
    """An answer of REST as the message that it is; None for a file, and where there is no such endpoint."""
    endpoint = ENDPOINTS.get(request.path.removeprefix("/0"))
    if endpoint is None or answer.status != 200 or answer.headers.get("Content-Type") == "application/octet-stream":
        return None
    reply = endpoint.decode_reply(answer.body)
    assert tokens(encode(reply)) == tokens(answer.body), request.path
    return reply


def as_fix(message: Message) -> Any:
    """An application message of FIX as the message that it is, field for field."""
    typed = read_message(message)
    assert typed is not None, message.msg_type
    assert list(write(typed)) == [field for field in message.fields if field[0] not in _HEADER]
    return typed
