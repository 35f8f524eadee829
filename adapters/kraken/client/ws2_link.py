"""The link over WebSocket v2: orders and their answers on one connection, and news of all orders of the account.

It subscribes to ``executions``. A frame of news that is missing makes the subscription begin anew, on the same
connection, and that is told as a new session, so that the desk asks for what it may have missed.
Sources: websocket-v2, a page for each request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import UNSET

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.link_base import AccountParts
from adapters.kraken.client.order_memory import KnownOrder
from adapters.kraken.client.streams import Connect
from adapters.kraken.client.times import moment_ns
from adapters.kraken.client.tokens import Tokens
from adapters.kraken.client.ws2_executions import SequenceError, Ws2Executions
from adapters.kraken.client.ws2_requests import Ws2Requests
from adapters.kraken.client.ws_link import OPEN_TIMEOUT_NS, WsLink
from adapters.kraken.wire.codec import Maybe, encode
from adapters.kraken.wire.credentials import Token
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
    Report,
    SessionOpened,
)
from framework.protocol import ProtocolProfile

__all__ = ["Ws2Link"]


class Ws2Link(WsLink):
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
        """See ``WsLink``."""
        super().__init__(name, profile, parts, backoff, connect, tokens)
        self._requests = Ws2Requests(parts)
        self._executions = Ws2Executions(parts)
        # When the subscription's acknowledgement says that the venue took it: what its snapshot shows is not older.
        self._subscribed_ns = 0
        self._flights: dict[int, tuple[Command, list[KnownOrder]]] = {}
        self._rejoin_count = 0

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

    def _forget(self) -> None:
        self._flights.clear()
        self._executions.reset()

    def _bytes(self, request: wire.Request) -> bytes:
        return encode(request)

    def _request(self, command: Command, token: Token) -> bytes:
        return self._requests.write(command, token)

    def _ping(self) -> wire.Request:
        return wire.Ping()

    def _overdue(self) -> Sequence[Report]:
        return self._executions.release()

    def _take(self, data: bytes) -> None:
        answer = decode_answer(data)
        handler = _HANDLERS.get(type(answer))
        if handler is not None:
            try:
                handler(self, answer)
            except SequenceError:
                self._resubscribe()

    def _sent(self, command: Command) -> None:
        self._flights[command.request_id] = (command, self._remember(command))

    def _remember(self, command: Command) -> list[KnownOrder]:
        memory, until_ns = self._parts.memory, self._until_ns(command)
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
        self._renew_if_stale(error)
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
            self._begin_session(ts_venue_ns)
        self._tell(OrdersSnapshot(ts_venue_ns=ts_venue_ns, request_id=None, orders=orders))

    def _resubscribe(self) -> None:
        """News is missing: leave the channel, and join it again when that is acknowledged. What comes of it is waited
        for as at the opening: a line that tells nothing of own orders must not look alive.
        """
        assert self._token is not None
        self._executions.reset()
        self._rejoin_count += 1
        attempt, rejoin = self._attempt, self._rejoin_count

        def check() -> None:
            if (attempt, rejoin) == (self._attempt, self._rejoin_count) and not self._executions.is_begun:
                self._end("news was missed, and the subscription did not begin anew in time")

        self._clock.call_at(self._clock.now_ns + OPEN_TIMEOUT_NS, check)
        self._write(wire.Unsubscribe(wire.Subscription("executions", token=self._token)))

    def _on_unsubscribed(self, answer: responses.UnsubscribeResponse) -> None:
        if answer.success is True:
            self._subscribe()
        else:
            self._end("news was missed, and the subscription cannot begin anew")

    def _on_status(self, frame: StatusFrame) -> None:
        for row in frame.data:
            self._tell_mode(None if row.system is UNSET else MODES.get(row.system))


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
