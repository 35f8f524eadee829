"""From bytes to messages and back, at either end.

A client encodes a ``Request`` and decodes an ``Answer``; a server the other way round. Events are objects. Frames of
channels are arrays: an id that is deprecated, one payload or, of the book, two, the channel's name, the pair; private
ones a list, the channel's name, a sequence. Source: websocket-v1, all pages; observed where they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from adapters.kraken.wire import codec
from adapters.kraken.wire.codec import Maybe, Message, decoder
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.ws1 import events
from adapters.kraken.wire.ws1.account import OpenOrder, OwnTrade, Sequence
from adapters.kraken.wire.ws1.market import BookPart, Candle, Spread, Ticker, Trade
from adapters.kraken.wire.ws1.requests import Request

__all__ = [
    "Answer",
    "BookFrame",
    "Frame",
    "OhlcFrame",
    "OpenOrdersFrame",
    "OwnTradesFrame",
    "SpreadFrame",
    "TickerFrame",
    "TradeFrame",
    "UnknownMessage",
    "decode_answer",
    "decode_request",
    "encode",
]


class _PairFrame[T](msgspec.Struct, frozen=True):
    """A frame of a public channel. ``channel``: its name with its option, as in ``book-10``."""

    channel_id: int
    payload: T
    channel: str
    pair: str

    def parts(self) -> list[Any]:
        """What stands in the array."""
        return [self.channel_id, self.payload, self.channel, self.pair]


class BookFrame(_PairFrame[tuple[BookPart, ...]], frozen=True):
    """A book or its changes; ``payload`` is one part, or two where both sides changed."""

    def parts(self) -> list[Any]:
        """What stands in the array: the parts side by side."""
        return [self.channel_id, *self.payload, self.channel, self.pair]


class TickerFrame(_PairFrame[Ticker], frozen=True):
    """Best prices and the day."""


class TradeFrame(_PairFrame[list[Trade]], frozen=True):
    """Trades."""


class OhlcFrame(_PairFrame[Candle], frozen=True):
    """A candle."""


class SpreadFrame(_PairFrame[Spread], frozen=True):
    """The best prices."""


class _AccountFrame[T](msgspec.Struct, frozen=True):
    """A frame of a private channel: a list of objects whose only member is named by an id."""

    payload: list[dict[str, T]]
    channel: str
    sequence: int

    def parts(self) -> list[Any]:
        """What stands in the array."""
        return [self.payload, self.channel, Sequence(self.sequence)]


class OwnTradesFrame(_AccountFrame[OwnTrade], frozen=True):
    """Fills by their ids."""


class OpenOrdersFrame(_AccountFrame[OpenOrder], frozen=True):
    """Orders, or changes of them, by their ids."""


class UnknownMessage(msgspec.Struct, frozen=True):
    """An event or a channel that these pages do not have; its text is kept as it came."""

    data: bytes
    name: str | None = None


type Frame = BookFrame | TickerFrame | TradeFrame | OhlcFrame | SpreadFrame | OwnTradesFrame | OpenOrdersFrame
type Answer = events.Event | Frame | UnknownMessage


class _Head(Message, frozen=True):
    event: Maybe[str] = UNSET


_head = decoder(_Head)
_array = decoder(list[Raw])
_text = decoder(str)
_whole = decoder(int)
_sequence = decoder(Sequence)
_book_part = decoder(BookPart)
_request: Callable[[bytes | str], Request] = decoder(Request)  # type: ignore[arg-type]

_EVENTS: Mapping[str, Callable[[bytes | str], Any]] = {
    "addOrderStatus": decoder(events.AddOrderStatus),
    "amendOrderStatus": decoder(events.AmendOrderStatus),
    "editOrderStatus": decoder(events.EditOrderStatus),
    "cancelOrderStatus": decoder(events.CancelOrderStatus),
    "cancelAllStatus": decoder(events.CancelAllStatus),
    "cancelAllOrdersAfterStatus": decoder(events.CancelAllOrdersAfterStatus),
    "subscriptionStatus": decoder(events.SubscriptionStatus),
    "systemStatus": decoder(events.SystemStatus),
    "pong": decoder(events.Pong),
    "heartbeat": decoder(events.Heartbeat),
    "error": decoder(events.ErrorEvent),
}
_ONE_PART: Mapping[str, tuple[type[Any], Callable[[bytes | str], Any]]] = {
    "ticker": (TickerFrame, decoder(Ticker)),
    "trade": (TradeFrame, decoder(list[Trade])),
    "ohlc": (OhlcFrame, decoder(Candle)),
    "spread": (SpreadFrame, decoder(Spread)),
}
_PRIVATE: Mapping[str, tuple[type[Any], Callable[[bytes | str], Any]]] = {
    "ownTrades": (OwnTradesFrame, decoder(list[dict[str, OwnTrade]])),
    "openOrders": (OpenOrdersFrame, decoder(list[dict[str, OpenOrder]])),
}


def encode(message: Request | events.Event | Frame) -> bytes:
    """A message as compact JSON."""
    if isinstance(message, (_PairFrame, _AccountFrame)):
        return codec.encode(message.parts())
    return codec.encode(message)


def decode_request(data: bytes | str) -> Request:
    """What a client has sent. Raises WireError for what is no request."""
    return _request(data)


def decode_answer(data: bytes | str) -> Answer:
    """What the venue has sent. Raises WireError for what is no message, or not what its event or channel has.

    An event or a channel that is not known is no error but an ``UnknownMessage``.
    """
    data = data.strip()
    if data[:1] in (b"[", "["):
        return _frame(data)
    head = _head(data)
    read = None if head.event is UNSET else _EVENTS.get(head.event)
    if read is None:
        return UnknownMessage(_kept(data), None if head.event is UNSET else head.event)
    answer: Answer = read(data)
    return answer


def _frame(data: bytes | str) -> Answer:
    parts = _array(data)
    if len(parts) < 3:
        raise WireError(f"not a frame: an array of {len(parts)}, and the shortest frame has three parts")
    if bytes(parts[-1]).startswith(b"{"):
        name = _text(parts[1])
        if name not in _PRIVATE or len(parts) != 3:
            return UnknownMessage(_kept(data), name)
        kind, read = _PRIVATE[name]
        frame: Answer = kind(read(parts[0]), name, _sequence(parts[2]).sequence)
        return frame
    name = _text(parts[-2])
    channel = name.partition("-")[0]
    if channel == "book":
        return BookFrame(_whole(parts[0]), tuple([_book_part(part) for part in parts[1:-2]]), name, _text(parts[-1]))
    if channel not in _ONE_PART or len(parts) != 4:
        return UnknownMessage(_kept(data), name)
    kind, read = _ONE_PART[channel]
    frame = kind(_whole(parts[0]), read(parts[1]), name, _text(parts[-1]))
    return frame


def _kept(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data)
