"""The link over WebSocket v1: orders and their answers on one connection, and news of all orders of the account.

A connection begins with a token, over REST, and the subscriptions to ``ownTrades`` and ``openOrders``, whose snapshot
makes the session up. A frame of news that is missing ends it, so that the desk asks for what it may have missed.
Silence is answered by a ping, and by giving the line up.
Sources: websocket-v1, a page for each event; guides/spot-ws-auth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.link_base import AccountParts, UnsendableError, WireLink
from adapters.kraken.client.order_memory import KnownOrder
from adapters.kraken.client.streams import Connect, Stream
from adapters.kraken.client.times import moment_ns
from adapters.kraken.client.tokens import Tokens
from adapters.kraken.client.ws1_news import SequenceError, Ws1News
from adapters.kraken.client.ws1_requests import Ws1Requests
from adapters.kraken.errors import SymbolError
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.ws1 import events
from adapters.kraken.wire.ws1 import requests as wire
from adapters.kraken.wire.ws1.messages import OpenOrdersFrame, OwnTradesFrame, decode_answer, encode
from adapters.kraken.words import MODES
from framework.messages import (
    AddOrder,
    CancelBatch,
    Command,
    CommandAccepted,
    OrdersSnapshot,
    VenueStatus,
)
from framework.protocol import ProtocolProfile, VenueMode

__all__ = ["Ws1Link"]

_SECOND_NS = 10**9
# Nothing has come for so long: ask for a pong; then give the line up. The venue's heart beats once a second.
_PING_AFTER_NS = 4 * _SECOND_NS
_DROP_AFTER_NS = 10 * _SECOND_NS
_OPEN_TIMEOUT_NS = 15 * _SECOND_NS
_STALE_TOKEN = ("ESession:Invalid session", "EAPI:Invalid token")


class _Flight:
    """A request without its answer: how many answers are left, how many were good, and the first error."""

    __slots__ = ("command", "done_count", "error", "known", "left")

    def __init__(self, command: Command, known: KnownOrder | None, count: int) -> None:
        self.command = command
        self.known = known
        self.left = count
        self.done_count = 0
        self.error: str | None = None


class Ws1Link(WireLink):
    """One connection of WebSocket v1, for orders and for news."""

    def __init__(
        self,
        name: str,
        profile: ProtocolProfile,
        parts: AccountParts,
        backoff: BackOff,
        connect: Connect,
        tokens: Tokens,
    ) -> None:
        """connect: to the host of private messages; its streams carry whole messages."""
        super().__init__(name, profile, parts, backoff)
        self._connect = connect
        self._tokens = tokens
        self._requests = Ws1Requests(parts)
        self._news = Ws1News(parts)
        self._stream: Stream | None = None
        self._token: Token | None = None
        self._session_count = 0
        self._mode = VenueMode.ONLINE
        self._heard_ns = 0
        self._is_token_asked = False
        self._flights: dict[int, _Flight] = {}

    # ------------------------------------------------------------------------------------------------- session

    def open(self, is_reset: bool) -> None:
        """Connect and subscribe; nothing can be resumed, whatever is asked."""
        self._hang_up()
        self._begin_attempt(self._start)

    def close(self) -> None:
        """Close the connection."""
        self._end("logout")

    def _start(self) -> None:
        attempt = self._attempt

        def got(token: Token) -> None:
            if attempt == self._attempt:
                self._token = token
                self._heard_ns = self._clock.now_ns
                self._stream = self._connect(self)

        def failed(reason: str) -> None:
            if attempt == self._attempt:
                self._end(reason)

        def check() -> None:
            if attempt == self._attempt and not self.is_up:
                self._end("the session did not open in time")

        self._clock.call_at(self._clock.now_ns + _OPEN_TIMEOUT_NS, check)
        self._tokens.ask(got, failed)

    def _end(self, reason: str) -> None:
        self._hang_up()
        self._ended(reason)

    def _hang_up(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self._flights.clear()
        self._news.reset()

    def _subscribe(self) -> None:
        """Trades first, so that a fill is told before the end that it brings."""
        assert self._token is not None
        self._news.reset()
        trades = wire.Subscription("ownTrades", snapshot=False, consolidate_taker=False, token=self._token)
        self._write(wire.Subscribe(trades))
        self._write(wire.Subscribe(wire.Subscription("openOrders", ratecounter=True, token=self._token)))

    def _write(self, request: wire.Request) -> None:
        if self._stream is not None:
            self._stream.write(encode(request))

    # ------------------------------------------------------------------------------------------------- the stream's

    def opened(self) -> None:
        self._heard_ns = self._clock.now_ns
        self._subscribe()
        self._watch(self._attempt)

    def closed(self, reason: str) -> None:
        self._stream = None
        self._end(reason)

    def received(self, data: bytes) -> None:
        self._heard_ns = self._clock.now_ns
        try:
            answer = decode_answer(data)
            handler = _HANDLERS.get(type(answer))
            if handler is not None:
                handler(self, answer)
        except SequenceError as error:
            self._end(f"news was missed: {error}")
        except (WireError, SymbolError, KeyError, ArithmeticError) as error:
            # What cannot be read may have told of an order: begin anew, so that nothing is missed for good.
            self._end(f"a message of the venue cannot be read: {error}")

    def _watch(self, attempt: int) -> None:
        """Once a second: is the line alive."""
        if attempt != self._attempt or self._stream is None:
            return
        for report in self._news.release():
            self._tell(report)
        silent_ns = self._clock.now_ns - self._heard_ns
        if silent_ns >= _DROP_AFTER_NS:
            self._end(f"nothing was heard for {silent_ns // _SECOND_NS} s")
            return
        if silent_ns >= _PING_AFTER_NS:
            self._write(wire.Ping())
        self._clock.call_at(self._clock.now_ns + _SECOND_NS, lambda: self._watch(attempt))

    # ------------------------------------------------------------------------------------------------- commands

    def send(self, command: Command) -> None:
        """Write a command's request to the socket; it may never arrive."""
        if not self.is_up or self._stream is None or self._token is None:
            return
        try:
            data = encode(self._requests.make(command, self._token))
        except UnsendableError as error:
            self._refuse_later(command, error)
            return
        except (SymbolError, WireError, OSError) as error:
            self._refuse_later(command, UnsendableError(str(error)))
            return
        self._stream.write(data)
        count = len(command.order_ids) + len(command.cl_ord_ids) if isinstance(command, CancelBatch) else 1
        self._flights[command.request_id] = _Flight(command, self._remember(command), count)

    def _remember(self, command: Command) -> KnownOrder | None:
        if not isinstance(command, AddOrder) or command.is_validate_only:
            return None
        until_ns, default_ns = command.deadline_ns, self.profile.capabilities.deadline_default_ns
        if until_ns is None and default_ns is not None:
            until_ns = self._clock.now_ns + default_ns
        return self._parts.memory.sent(command, until_ns)

    # ------------------------------------------------------------------------------------------------- answers

    def _on_answer(self, answer: Any) -> None:
        """The answer to an event; a cancel of several is answered order by order, and told when all have been."""
        request_id = answer.reqid
        flight = self._flights.get(request_id) if isinstance(request_id, int) else None
        if flight is None:
            return
        error = None
        if answer.status != "ok":
            error = answer.errorMessage if answer.errorMessage is not UNSET else "refused without a reason"
            if error.startswith(_STALE_TOKEN):
                self._renew_token()
        else:
            flight.done_count += 1
        flight.error = flight.error or error
        flight.left -= 1
        if flight.left:
            return
        del self._flights[flight.command.request_id]
        now_ns = self._clock.now_ns
        if flight.done_count:
            self._tell(_accepted(flight, answer, now_ns))
            known = flight.known
            if known is not None:
                self._parts.memory.find(answer.txid if answer.txid is not UNSET else None, known.cl_ord_id)
            return
        if flight.known is not None:
            self._parts.memory.end(flight.known)
        assert flight.error is not None
        self._refused(flight.command.request_id, flight.error, now_ns)

    def _renew_token(self) -> None:
        """The token is not valid any more; what was sent with it has been refused and is not sent again."""
        if self._is_token_asked:
            return
        self._is_token_asked = True
        attempt = self._attempt

        def got(token: Token) -> None:
            self._is_token_asked = False
            if attempt == self._attempt:
                self._token = token

        def failed(reason: str) -> None:
            self._is_token_asked = False
            if attempt == self._attempt:
                self._end(reason)

        self._tokens.ask(got, failed)

    # ------------------------------------------------------------------------------------------------- news

    def _on_subscription(self, answer: events.SubscriptionStatus) -> None:
        if answer.status == "error":
            error = answer.errorMessage if answer.errorMessage is not UNSET else "without a reason"
            self._end(f"a subscription to own orders was refused: {error}")

    def _on_trades(self, frame: OwnTradesFrame) -> None:
        self._news.is_first(frame)
        for report in self._news.trades(frame):
            self._tell(report)

    def _on_orders(self, frame: OpenOrdersFrame) -> None:
        now_ns = self._clock.now_ns
        if not self._news.is_first(frame):
            for report in self._news.orders(frame, now_ns):
                self._tell(report)
            return
        orders = self._news.snapshot(frame, now_ns)
        self._session_count += 1
        self._opened(f"{self.name}#{self._session_count}", now_ns)
        self._tell(OrdersSnapshot(ts_venue_ns=now_ns, request_id=None, orders=orders))

    def _on_status(self, answer: events.SystemStatus) -> None:
        mode = MODES.get(answer.status)
        if mode is not None and mode is not self._mode:
            self._mode = mode
            self._tell(VenueStatus(ts_venue_ns=self._clock.now_ns, mode=mode))


def _accepted(flight: _Flight, answer: Any, ts_ns: int) -> CommandAccepted:
    request_id = flight.command.request_id
    if isinstance(answer, (events.AddOrderStatus, events.EditOrderStatus)):
        order_ids = (answer.txid,) if answer.txid is not UNSET and answer.txid else ()
        return CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id, order_ids=order_ids)
    if isinstance(answer, events.CancelOrderStatus):
        return CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id, count=flight.done_count)
    if isinstance(answer, events.CancelAllStatus):
        count = None if answer.count is UNSET else int(answer.count)
        return CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id, count=count)
    if isinstance(answer, events.CancelAllOrdersAfterStatus):
        word = answer.triggerTime
        trigger_ns = None if word is UNSET or word in ("0", "") else moment_ns(word)
        return CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id, trigger_ns=trigger_ns)
    return CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id)


_HANDLERS: dict[type, Callable[[Ws1Link, Any], None]] = {
    **dict.fromkeys(
        (
            events.AddOrderStatus,
            events.AmendOrderStatus,
            events.EditOrderStatus,
            events.CancelOrderStatus,
            events.CancelAllStatus,
            events.CancelAllOrdersAfterStatus,
        ),
        Ws1Link._on_answer,
    ),
    events.SubscriptionStatus: Ws1Link._on_subscription,
    events.SystemStatus: Ws1Link._on_status,
    OpenOrdersFrame: Ws1Link._on_orders,
    OwnTradesFrame: Ws1Link._on_trades,
}
