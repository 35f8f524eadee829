"""One connection of market data over WebSocket v2: its subscriptions, and what happens when it is lost.

What is told of a channel is for whoever extends this (``market_data``, ``order_data``). Subscriptions outlive their
connection, which is made again after a pause; one whose messages do not add up is left and joined anew.
Sources: websocket-v2/heartbeat, ping, and the subscribe and unsubscribe of each channel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.instruments import Instruments
from adapters.kraken.client.streams import Connect, Stream
from adapters.kraken.client.ws_link import OPEN_TIMEOUT_NS
from adapters.kraken.wire.codec import encode
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.ws2 import requests as wire
from adapters.kraken.wire.ws2.messages import decode_answer
from adapters.kraken.wire.ws2.responses import SubscribeResponse, UnsubscribeResponse
from framework.adapter import MarketListener
from framework.execution.link import Clock

__all__ = ["Feed", "FeedSubscription"]

_SECOND_NS = 10**9
_PING_AFTER_NS = 4 * _SECOND_NS
_DROP_AFTER_NS = 10 * _SECOND_NS


class FeedSubscription:
    """One channel of one pair.

    is_known: its snapshot has come. is_leaving: it is to begin anew. asked_ns: when it was last asked to join or to
    leave; None once that has been refused or has ended it. last_trade_id: 0 before the first.
    """

    def __init__(self, symbol: str, channel: str, depth: int, seed: int) -> None:
        self.symbol = symbol
        self.channel = channel
        self.depth = depth
        self.is_known = False
        self.is_leaving = False
        self.asked_ns: int | None = None
        self.last_trade_id = 0
        self.backoff = BackOff(seed, steady_ns=60 * _SECOND_NS)

    @property
    def is_book(self) -> bool:
        """Whether what it tells is a state, which is unknown until a snapshot comes."""
        return self.channel in ("book", "level3")

    def is_overdue(self, now_ns: int) -> bool:
        """Whether the venue has owed an answer for long: the end of a subscription, or the snapshot of a book."""
        is_owed = self.is_leaving or (self.is_book and not self.is_known)
        return is_owed and self.asked_ns is not None and now_ns - self.asked_ns >= OPEN_TIMEOUT_NS

    def params(self) -> wire.Subscription:
        """What joins it, without a token."""
        return wire.Subscription(
            self.channel,
            symbol=[self.symbol],
            depth=self.depth if self.is_book else UNSET,
            event_trigger="bbo" if self.channel == "ticker" else UNSET,
        )


class Feed(ABC):
    """One connection of market data."""

    def __init__(self, instruments: Instruments, clock: Clock, connect: Connect, backoff: BackOff) -> None:
        """connect: to the host of the channels; its streams carry whole messages."""
        self._instruments = instruments
        self._clock = clock
        self._connect = connect
        self._backoff = backoff
        self._listener: MarketListener | None = None
        self._wanted: dict[tuple[str, str], FeedSubscription] = {}
        self._stream: Stream | None = None
        self._is_open = False
        self._is_wanted = False
        self._attempt = 0
        self._heard_ns = 0
        self._handlers: Mapping[type, Callable[[Any], None]] = {
            SubscribeResponse: self._on_subscribed,
            UnsubscribeResponse: self._on_unsubscribed,
            **self._channel_handlers(),
        }

    @property
    def heard_ns(self) -> int:
        """When anything was heard last: heartbeats come where nothing else does."""
        return self._heard_ns

    def attach(self, listener: MarketListener) -> None:
        """Say who hears."""
        self._listener = listener

    # ------------------------------------------------------------------------------------------------- the channels'

    def _read(self, data: bytes) -> object:
        """What a message says. Raises WireError."""
        return decode_answer(data)

    @abstractmethod
    def _channel_handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """What hears the frames of each channel."""

    def _join(self, wanted: FeedSubscription) -> None:
        """Subscribe a channel on the connection that stands."""
        self._write(wire.Subscribe(wanted.params()))

    def _part(self, wanted: FeedSubscription) -> None:
        """Unsubscribe a channel."""
        self._write(wire.Unsubscribe(wanted.params()))

    @abstractmethod
    def _forget(self, wanted: FeedSubscription) -> None:
        """What a book has told is not known any more."""

    def _want(self, symbol: str, channel: str, depth: int) -> None:
        """Have a channel of a pair told; nothing changes where it is."""
        key = (channel, symbol)
        if key in self._wanted:
            return
        wanted = self._wanted[key] = FeedSubscription(symbol, channel, depth, len(self._wanted))
        if self._is_open:
            self._ask(wanted)

    def _ask(self, wanted: FeedSubscription) -> None:
        wanted.asked_ns = self._clock.now_ns
        self._join(wanted)

    # ------------------------------------------------------------------------------------------------- connection

    def open(self) -> None:
        """Connect, and connect again whenever the connection is lost."""
        self._is_wanted = True
        self._begin()

    def close(self) -> None:
        """Give the connection up."""
        self._is_wanted = False
        self._attempt += 1
        self._hang_up()

    def _begin(self) -> None:
        self._attempt += 1
        attempt, now_ns = self._attempt, self._clock.now_ns

        def start() -> None:
            if attempt == self._attempt and self._is_wanted:
                self._heard_ns = self._clock.now_ns
                self._stream = self._connect(self)
                self._clock.call_at(self._clock.now_ns + OPEN_TIMEOUT_NS, check)

        def check() -> None:
            if attempt == self._attempt and not self._is_open:
                self._lost("the connection did not open in time")

        self._clock.call_at(now_ns + self._backoff.pause_ns(), start)

    def _hang_up(self) -> None:
        stream, self._stream = self._stream, None
        self._is_open = False
        if stream is not None:
            stream.close()

    def _lost(self, reason: str) -> None:
        """The connection is gone: all books with it."""
        self._hang_up()
        self._backoff.ended(self._clock.now_ns)
        for wanted in self._wanted.values():
            wanted.is_leaving = False
            if wanted.is_known and wanted.is_book:
                self._tell_lost(wanted, reason)
            wanted.is_known = False
        if self._is_wanted:
            self._begin()

    def opened(self) -> None:
        self._is_open = True
        self._heard_ns = self._clock.now_ns
        self._backoff.opened(self._heard_ns)
        for wanted in self._wanted.values():
            self._ask(wanted)
        self._watch(self._attempt)

    def closed(self, reason: str) -> None:
        self._stream = None
        self._lost(reason)

    def received(self, data: bytes) -> None:
        self._heard_ns = self._clock.now_ns
        try:
            answer = self._read(data)
        except WireError as error:
            self._lost(f"a message of the venue cannot be read: {error}")
            return
        handler = self._handlers.get(type(answer))
        if handler is not None:
            handler(answer)

    def _watch(self, attempt: int) -> None:
        """Once a second: is the line alive, and has all that was asked for been answered in time."""
        if attempt != self._attempt or not self._is_open:
            return
        silent_ns = self._clock.now_ns - self._heard_ns
        if silent_ns >= _DROP_AFTER_NS:
            self._lost(f"nothing was heard for {silent_ns // _SECOND_NS} s")
            return
        for wanted in self._wanted.values():
            if wanted.is_overdue(self._clock.now_ns):
                what = "did not end" if wanted.is_leaving else "did not begin"
                self._lost(f"the subscription of {wanted.channel} for {wanted.symbol} {what} in time")
                return
        if silent_ns >= _PING_AFTER_NS or not self._wanted:
            self._write(wire.Ping())
        self._clock.call_at(self._clock.now_ns + _SECOND_NS, lambda: self._watch(attempt))

    def _write(self, request: wire.Request) -> None:
        if self._stream is not None:
            self._stream.write(encode(request))

    # ------------------------------------------------------------------------------------------------- answers

    def _on_subscribed(self, answer: SubscribeResponse) -> None:
        if answer.success is True:
            return
        error = answer.error if answer.error is not UNSET else "without a reason"
        symbol = answer.symbol if answer.symbol is not UNSET else ""
        if error == "Already subscribed":
            return
        for wanted in self._wanted.values():
            if not wanted.is_known and symbol in ("", wanted.symbol):
                wanted.asked_ns = None
        self._tell_reason(symbol, f"the subscription was refused: {error}")

    def _on_unsubscribed(self, answer: UnsubscribeResponse) -> None:
        """One that has begun to leave joins again; what cannot be left is left with its connection."""
        result = answer.result
        if answer.success is False and any(each.is_leaving for each in self._wanted.values()):
            self._lost("a subscription could not be ended")
            return
        if result is UNSET or result.symbol is UNSET:
            return
        wanted = self._wanted.get((result.channel, result.symbol))
        if wanted is not None and wanted.is_leaving:
            wanted.is_leaving = False
            wanted.asked_ns = None
            attempt = self._attempt

            def join() -> None:
                if attempt == self._attempt and self._wanted.get((wanted.channel, wanted.symbol)) is wanted:
                    self._ask(wanted)

            self._clock.call_at(self._clock.now_ns + wanted.backoff.pause_ns(), join)

    def _leave(self, wanted: FeedSubscription, reason: str) -> None:
        """What is told does not add up: it is lost, and asked for anew."""
        wanted.is_known = False
        wanted.is_leaving = True
        wanted.backoff.ended(self._clock.now_ns)
        self._tell_lost(wanted, reason)
        wanted.asked_ns = self._clock.now_ns
        self._part(wanted)

    def _tell_lost(self, wanted: FeedSubscription, reason: str) -> None:
        if wanted.is_book:
            self._forget(wanted)
        self._tell_reason(wanted.symbol, reason)

    def _tell_reason(self, symbol: str, reason: str) -> None:
        if self._listener is not None:
            self._listener.market_lost(symbol, reason, self._heard_ns)
