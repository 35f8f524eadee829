"""The link over WebSocket v2: orders and their answers on one connection, and news of all orders of the account.

A connection begins with a token, over REST, and the subscription to ``executions``; the session is up when its snapshot
has come. A frame of news that is missing makes the subscription begin anew, on the same connection, and that is told as
a new session, so that the desk asks for what it may have missed. Silence is answered by a ping, and by giving the line
up. Sources: websocket-v2, a page for each request; guides/spot-ws-auth, websocket-v2/heartbeat.
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
from adapters.kraken.client.ws2_executions import SequenceError, Ws2Executions
from adapters.kraken.client.ws2_requests import Ws2Requests
from adapters.kraken.errors import SymbolError
from adapters.kraken.wire.codec import Maybe, encode
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.ws2 import requests as wire
from adapters.kraken.wire.ws2 import responses
from adapters.kraken.wire.ws2.account import ExecutionsFrame
from adapters.kraken.wire.ws2.market import StatusFrame
from adapters.kraken.wire.ws2.messages import decode_answer
from adapters.kraken.words import MODES
from framework.messages import (
    AddBatch,
    AddOrder,
    Command,
    CommandAccepted,
    OrdersSnapshot,
    SessionOpened,
    VenueStatus,
)
from framework.protocol import ProtocolProfile, VenueMode

__all__ = ["Ws2Link"]

_SECOND_NS = 10**9
# Nothing has come for so long: ask for a pong; then give the line up. The venue's heart beats once a second.
_PING_AFTER_NS = 4 * _SECOND_NS
_DROP_AFTER_NS = 10 * _SECOND_NS
_OPEN_TIMEOUT_NS = 15 * _SECOND_NS
_STALE_TOKEN = ("ESession:Invalid session", "EAPI:Invalid token")


class Ws2Link(WireLink):
    """One connection of WebSocket v2, for orders and for news."""

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
        self._requests = Ws2Requests(parts)
        self._executions = Ws2Executions(parts)
        self._stream: Stream | None = None
        self._token: Token | None = None
        self._session_count = 0
        self._mode = VenueMode.ONLINE
        self._heard_ns = 0
        self._is_token_asked = False
        # When the subscription's acknowledgement says that the venue took it: what its snapshot shows is not older.
        self._subscribed_ns = 0
        self._flights: dict[int, tuple[Command, list[KnownOrder]]] = {}

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
        self._executions.reset()

    def _subscribe(self) -> None:
        assert self._token is not None
        self._executions.reset()
        self._write(
            wire.Subscribe(
                wire.Subscription(
                    "executions", token=self._token, snap_orders=True, snap_trades=False, ratecounter=True
                )
            )
        )

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
        except SequenceError:
            self._resubscribe()
        except (WireError, SymbolError, KeyError) as error:
            # What cannot be read may have told of an order: begin anew, so that nothing is missed for good.
            self._end(f"a message of the venue cannot be read: {error}")

    def _watch(self, attempt: int) -> None:
        """Once a second: is the line alive."""
        if attempt != self._attempt or self._stream is None:
            return
        for report in self._executions.release():
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
            data = self._requests.write(command, self._token)
        except UnsendableError as error:
            self._refuse_later(command, error)
            return
        except (SymbolError, WireError, OSError) as error:
            self._refuse_later(command, UnsendableError(str(error)))
            return
        self._stream.write(data)
        self._flights[command.request_id] = (command, self._remember(command))

    def _remember(self, command: Command) -> list[KnownOrder]:
        memory, default_ns = self._parts.memory, self.profile.capabilities.deadline_default_ns
        until_ns = command.deadline_ns
        if until_ns is None and default_ns is not None:
            until_ns = self._clock.now_ns + default_ns
        sent_ns = self._parts.time.proved_ns(self._clock.now_ns)
        if isinstance(command, AddOrder) and not command.is_validate_only:
            return [memory.sent(command, until_ns, sent_ns)]
        if isinstance(command, AddBatch) and not command.is_validate_only:
            return [memory.sent(order, until_ns, sent_ns) for order in command.orders]
        return []

    # ------------------------------------------------------------------------------------------------- answers

    def _on_answer(self, answer: Any) -> None:
        flight = self._flights.pop(answer.req_id, None) if answer.req_id is not UNSET else None
        if flight is None:
            return
        command, orders = flight
        if answer.time_out is not UNSET:
            self._parts.time.note(moment_ns(answer.time_out), self._heard_ns)
        ts_venue_ns = self._time_of(answer.time_in)
        if answer.success is True:
            report = _ACCEPTED[type(answer)](command.request_id, answer.result, ts_venue_ns)
            self._note_ids(orders, report)
            self._tell(report)
            return
        for known in orders:
            self._parts.memory.end(known)
        error = answer.error if answer.error is not UNSET else "refused without a reason"
        if error.startswith(_STALE_TOKEN):
            self._renew_token()
        self._refused(command.request_id, error, ts_venue_ns)

    def _note_ids(self, orders: list[KnownOrder], report: CommandAccepted) -> None:
        ids = iter(report.order_ids)
        for known, error in zip(orders, report.errors or (None,) * len(orders), strict=True):
            if error is not None:
                self._parts.memory.end(known)
            else:
                self._parts.memory.find(next(ids, None), known.cl_ord_id)

    def _time_of(self, text: Maybe[str]) -> int:
        """When the venue took a request; it has done nothing about it before."""
        return self._clock.now_ns if text is UNSET else moment_ns(text)

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

    def _on_subscribed(self, answer: responses.SubscribeResponse) -> None:
        if answer.success is not True:
            error = answer.error if answer.error is not UNSET else "without a reason"
            self._end(f"the subscription to executions was refused: {error}")
            return
        self._subscribed_ns = self._time_of(answer.time_in)

    def _on_executions(self, frame: ExecutionsFrame) -> None:
        if frame.type != "snapshot":
            for report in self._executions.update(frame):
                self._tell(report)
            for count in self._executions.counts(frame, self._clock.now_ns):
                self._tell(count)
            return
        orders = self._executions.snapshot(frame)
        ts_venue_ns = self._subscribed_ns or self._clock.now_ns
        if self.is_up:
            opened = SessionOpened(
                ts_venue_ns=ts_venue_ns, request_id=None, session_id=self.session_id, is_resumed=False
            )
            self._tell(opened)
        else:
            self._session_count += 1
            self._opened(f"{self.name}#{self._session_count}", ts_venue_ns)
        self._tell(OrdersSnapshot(ts_venue_ns=ts_venue_ns, request_id=None, orders=orders))

    def _resubscribe(self) -> None:
        """News is missing: leave the channel, and join it again when that is acknowledged."""
        assert self._token is not None
        self._executions.reset()
        self._write(wire.Unsubscribe(wire.Subscription("executions", token=self._token)))

    def _on_unsubscribed(self, answer: responses.UnsubscribeResponse) -> None:
        if answer.success is True:
            self._subscribe()
        else:
            self._end("news was missed, and the subscription cannot begin anew")

    def _on_status(self, frame: StatusFrame) -> None:
        for row in frame.data:
            mode = None if row.system is UNSET else MODES.get(row.system)
            if mode is not None and mode is not self._mode:
                self._mode = mode
                self._tell(VenueStatus(ts_venue_ns=self._clock.now_ns, mode=mode))


def _added(request_id: int, result: responses.AddOrderResult, ts_ns: int) -> CommandAccepted:
    order_ids = () if result.order_id is UNSET or not result.order_id else (result.order_id,)
    return CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id, order_ids=order_ids)


def _batch_added(request_id: int, result: list[responses.AddOrderResult], ts_ns: int) -> CommandAccepted:
    errors = tuple(None if row.error is UNSET else row.error for row in result)
    return CommandAccepted(
        ts_venue_ns=ts_ns,
        request_id=request_id,
        order_ids=tuple(row.order_id for row in result if row.order_id is not UNSET and row.order_id),
        errors=errors if any(errors) else (),
    )


def _switched(request_id: int, result: responses.CancelAllOrdersAfterResult, ts_ns: int) -> CommandAccepted:
    word = result.triggerTime
    trigger_ns = None if word is UNSET or word in ("0", "") else moment_ns(word)
    return CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id, trigger_ns=trigger_ns)


def _counted(request_id: int, result: Any, ts_ns: int) -> CommandAccepted:
    return CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id, count=getattr(result, "count", None))


_ACCEPTED: dict[type, Callable[[int, Any, int], CommandAccepted]] = {
    responses.AddOrderResponse: _added,
    responses.BatchAddResponse: _batch_added,
    responses.AmendOrderResponse: lambda request_id, _, ts_ns: CommandAccepted(
        ts_venue_ns=ts_ns, request_id=request_id
    ),
    responses.EditOrderResponse: lambda request_id, result, ts_ns: CommandAccepted(
        ts_venue_ns=ts_ns, request_id=request_id, order_ids=(result.order_id,) if result.order_id else ()
    ),
    responses.CancelOrderResponse: lambda request_id, _, ts_ns: CommandAccepted(
        ts_venue_ns=ts_ns, request_id=request_id, count=1
    ),
    responses.BatchCancelResponse: _counted,
    responses.CancelAllResponse: _counted,
    responses.CancelAllOrdersAfterResponse: _switched,
}

_HANDLERS: dict[type, Callable[[Ws2Link, Any], None]] = {
    **dict.fromkeys(_ACCEPTED, Ws2Link._on_answer),
    responses.ErrorResponse: Ws2Link._on_answer,
    responses.SubscribeResponse: Ws2Link._on_subscribed,
    responses.UnsubscribeResponse: Ws2Link._on_unsubscribed,
    ExecutionsFrame: Ws2Link._on_executions,
    StatusFrame: Ws2Link._on_status,
}
