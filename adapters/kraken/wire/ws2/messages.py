"""From bytes to messages and back, at either end.

A client encodes a ``Request`` and decodes an ``Answer``; a server the other way round. What is being said is decided by
``method`` in requests and responses, and by ``channel`` in frames of a channel; with balances, by ``type`` too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message, decoder, encode
from adapters.kraken.wire.ws2.account import BalancesSnapshot, BalancesUpdate, ExecutionsFrame
from adapters.kraken.wire.ws2.book import PrintedBookFrame, read_book
from adapters.kraken.wire.ws2.market import (
    BookFrame,
    Heartbeat,
    InstrumentFrame,
    Level3Frame,
    OhlcFrame,
    StatusFrame,
    TickerFrame,
    TradeFrame,
)
from adapters.kraken.wire.ws2.requests import Request
from adapters.kraken.wire.ws2.responses import (
    AddOrderResponse,
    AmendOrderResponse,
    BatchAddResponse,
    BatchCancelResponse,
    CancelAllOrdersAfterResponse,
    CancelAllResponse,
    CancelOrderResponse,
    EditOrderResponse,
    ErrorResponse,
    Pong,
    Response,
    SubscribeResponse,
    UnsubscribeResponse,
)

__all__ = ["Answer", "Frame", "UnknownMessage", "decode_answer", "decode_market", "decode_request", "encode"]

type Frame = (
    BookFrame
    | TradeFrame
    | TickerFrame
    | OhlcFrame
    | InstrumentFrame
    | Level3Frame
    | StatusFrame
    | Heartbeat
    | ExecutionsFrame
    | BalancesSnapshot
    | BalancesUpdate
)


class UnknownMessage(msgspec.Struct, frozen=True):
    """A message of a channel or a method that these pages do not have; its text is kept as it came."""

    data: bytes
    channel: str | None = None
    method: str | None = None


type Answer = Response | Frame | UnknownMessage


class _Head(Message, frozen=True):
    channel: Maybe[str] = UNSET
    method: Maybe[str] = UNSET
    type: Maybe[str] = UNSET
    error: Maybe[str] = UNSET


_head = decoder(_Head)
_request: Callable[[bytes | str], Request] = decoder(Request)  # type: ignore[arg-type]

_FRAMES: Mapping[str, Callable[[bytes | str], Any]] = {
    "book": decoder(BookFrame),
    "trade": decoder(TradeFrame),
    "ticker": decoder(TickerFrame),
    "ohlc": decoder(OhlcFrame),
    "instrument": decoder(InstrumentFrame),
    "level3": decoder(Level3Frame),
    "status": decoder(StatusFrame),
    "heartbeat": decoder(Heartbeat),
    "executions": decoder(ExecutionsFrame),
}
_BALANCES: Mapping[str, Callable[[bytes | str], Any]] = {
    "snapshot": decoder(BalancesSnapshot),
    "update": decoder(BalancesUpdate),
}
_RESPONSES: Mapping[str, Callable[[bytes | str], Any]] = {
    "add_order": decoder(AddOrderResponse),
    "amend_order": decoder(AmendOrderResponse),
    "edit_order": decoder(EditOrderResponse),
    "cancel_order": decoder(CancelOrderResponse),
    "cancel_all": decoder(CancelAllResponse),
    "cancel_all_orders_after": decoder(CancelAllOrdersAfterResponse),
    "batch_add": decoder(BatchAddResponse),
    "batch_cancel": decoder(BatchCancelResponse),
    "subscribe": decoder(SubscribeResponse),
    "unsubscribe": decoder(UnsubscribeResponse),
    "pong": decoder(Pong),
}
_error_response = decoder(ErrorResponse)
# How Kraken prints a frame of a book; one that is printed otherwise is found by its head.
_BOOK = b'{"channel":"book",'


def decode_request(data: bytes | str) -> Request:
    """What a client has sent. Raises WireError for what is no request."""
    return _request(data)


def decode_answer(data: bytes | str) -> Answer:
    """What the venue has sent. Raises WireError for what is no message, or not what its channel or method has.

    A channel or method that is not known is no error but an ``UnknownMessage``: a newer venue has more of them.
    """
    return _answer(data, _head(data))


def decode_market(data: bytes | str) -> Answer | PrintedBookFrame:
    """As ``decode_answer``, but a frame of a book is read as printed, for who keeps the book."""
    if data[: len(_BOOK)] == _BOOK:
        return read_book(data)
    head = _head(data)
    return read_book(data) if head.channel == "book" else _answer(data, head)


def _answer(data: bytes | str, head: _Head) -> Answer:
    if head.channel is not UNSET:
        read = _FRAMES.get(head.channel)
        if read is None and head.channel == "balances" and head.type is not UNSET:
            read = _BALANCES.get(head.type)
    elif head.method is not UNSET and head.method in _RESPONSES:
        read = _RESPONSES[head.method]
    else:
        read = None if head.error is UNSET else _error_response
    if read is None:
        raw = data.encode() if isinstance(data, str) else bytes(data)
        return UnknownMessage(raw, _text(head.channel), _text(head.method))
    answer: Answer = read(data)
    return answer


def _text(value: Maybe[str]) -> str | None:
    return value if isinstance(value, str) else None
