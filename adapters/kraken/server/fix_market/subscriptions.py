"""Requests for market data of one session, and what they have subscribed to.

What the pages leave open, assumptions: a request that cannot be met in full is refused in full; the end of a
subscription names its request and those of its symbols that end, and is not answered; one that names what is not
subscribed is refused as an unsupported SubscriptionRequestType; a request for trades alone begins with an empty
snapshot. Level 2 and level 3 are both had on this port (Kraken has a port for each, both with this TargetCompID).

Source: fix-api/mdr-fix, mdrr-fix.
"""

from __future__ import annotations

from collections.abc import Callable

from adapters.fix.codec import Fields, Message
from adapters.kraken.server.channels import Channel, Channels, Member, Send
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.fix_market.channels import LevelChannel, OrderChannel, TradeChannel

__all__ = ["MarketChannels", "Subscriptions"]

_DEPTHS = ("0", "1", "10", "25", "100", "500", "1000")
_BID, _OFFER, _TRADE = b"0", b"1", b"2"
_UNKNOWN_SYMBOL, _DUPLICATE = b"0", b"1"
_BAD_REQUEST_TYPE, _BAD_DEPTH, _BAD_UPDATE_TYPE, _BAD_ENTRY_TYPE, _NO_TRADES = b"4", b"5", b"6", b"8", b"C"

type _Key = tuple[str, str, int]
"""Kind of channel, symbol, depth (0 for trades)."""
type _Members = dict[str, list[tuple[_Key, Member]]]


class MarketChannels(Channels[_Key]):
    """The channels of all sessions."""

    def __init__(self, context: ServerContext) -> None:
        super().__init__(self._open)
        self._context = context

    def _open(self, key: _Key) -> Channel:
        kind, symbol, depth = key
        pair = self._context.pairs.by_symbol[symbol]
        if kind == "trades":
            return TradeChannel(self._context, pair)
        return (LevelChannel if kind == "levels" else OrderChannel)(self._context, pair, depth)


class _RefusedError(Exception):
    """A request is refused; reason: MDReqRejReason."""

    def __init__(self, reason: bytes, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


class Subscriptions:
    """Of one session, by request and symbol."""

    def __init__(
        self, context: ServerContext, channels: MarketChannels, send: Callable[[bytes, Fields, bytes], object]
    ) -> None:
        """send: sends a message of the session: its type, its first fields, and the rest of them as bytes."""
        self._pairs = context.pairs
        self._channels = channels
        self._send = send
        self._requests: dict[str, _Members] = {}

    def request(self, message: Message) -> None:
        """MarketDataRequest."""
        req_id = message.text(262)
        try:
            if message.text(263) == "1":
                self._subscribe(req_id, message)
            elif message.text(263) == "2":
                self._unsubscribe(req_id, message)
            else:
                text = f"unsupported SubscriptionRequestType: {message.text(263)}"
                raise _RefusedError(_BAD_REQUEST_TYPE, f"MarketData request failed due to {text}")
        except _RefusedError as refused:
            self._send(b"Y", ((58, refused.text.encode()), (262, req_id.encode()), (281, refused.reason)), b"")

    def end(self) -> None:
        """The line is down: nothing is subscribed any more."""
        for members in self._requests.values():
            for symbol in tuple(members):
                self._leave(members, symbol)
        self._requests.clear()

    def _subscribe(self, req_id: str, message: Message) -> None:
        if req_id in self._requests:
            raise _failed(_DUPLICATE, f"duplicate MDReqID: {req_id}")
        kinds, depth = _wanted(message)
        symbols = self._symbols(message)
        members = self._requests[req_id] = {symbol: [] for symbol in symbols}
        for symbol in symbols:
            send = self._sender(req_id, symbol)
            for number, kind in enumerate(kinds):
                key = (kind, symbol, 0 if kind == "trades" else depth)
                # One snapshot begins all that is wanted of a symbol.
                members[symbol].append((key, self._channels.join(key, send, has_snapshot=number == 0)))

    def _unsubscribe(self, req_id: str, message: Message) -> None:
        members = self._requests.get(req_id)
        symbols = self._symbols(message)
        if members is None or any(symbol not in members for symbol in symbols):
            text = f"nothing being subscribed by MDReqID: {req_id}"
            raise _RefusedError(_BAD_REQUEST_TYPE, f"MarketData unsubscription failed due to {text}")
        for symbol in symbols:
            self._leave(members, symbol)
        if not members:
            del self._requests[req_id]

    def _leave(self, members: _Members, symbol: str) -> None:
        for key, member in members.pop(symbol):
            self._channels.leave(key, member)

    def _symbols(self, message: Message) -> list[str]:
        symbols = list(dict.fromkeys(entry[55].decode("utf-8", "replace") for entry in message.group(146, 55)))
        for symbol in symbols:
            if symbol not in self._pairs.by_symbol:
                raise _failed(_UNKNOWN_SYMBOL, f"unsupported symbol: {symbol}")
        if not symbols:
            raise _failed(_UNKNOWN_SYMBOL, "no symbol being given")
        return symbols

    def _sender(self, req_id: str, symbol: str) -> Send:
        head = ((55, symbol.encode()), (262, req_id.encode()))
        send = self._send
        return lambda frame: send(frame[:1], head, frame[1:])


def _failed(reason: bytes, text: str) -> _RefusedError:
    return _RefusedError(reason, f"MarketData subscription failed due to {text}")


def _wanted(message: Message) -> tuple[tuple[str, ...], int]:
    """The kinds of channels that a request asks for, the one with the snapshot first, and the depth."""
    depth, update_type = message.text(264), message.text(265)
    if depth not in _DEPTHS:
        raise _failed(_BAD_DEPTH, f"unsupported MarketDepth: {depth}")
    if update_type not in ("", "1"):
        raise _failed(_BAD_UPDATE_TYPE, f"unsupported MDUpdateType: {update_type}")
    types = {entry[269] for entry in message.group(267, 269)}
    if not types or types - {_BID, _OFFER, _TRADE} or (_BID in types) != (_OFFER in types):
        shown = ",".join(sorted(each.decode("ascii", "replace") for each in types))
        raise _failed(_BAD_ENTRY_TYPE, f"unsupported MDEntryType: {shown}")
    is_by_order = message.text(266) == "N"
    if is_by_order and _TRADE in types:
        raise _failed(_NO_TRADES, "trades not being available with Level 3")
    book = ("orders" if is_by_order else "levels",) if _BID in types else ()
    return (*book, *(("trades",) if _TRADE in types else ())), int(depth)
