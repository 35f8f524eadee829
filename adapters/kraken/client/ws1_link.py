"""The link over WebSocket v1: orders and their answers on one connection, and news of all orders of the account.

It subscribes to ``ownTrades`` and ``openOrders``, whose snapshot makes the session up. A frame of news that is missing
ends it, so that the desk asks for what it may have missed. Answers have no time of the venue's: they are dated by when
their request was sent, before which nothing was done about it. Sources: websocket-v1, a page for each event.
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
from adapters.kraken.client.ws1_news import SequenceError, Ws1News
from adapters.kraken.client.ws1_requests import Ws1Requests
from adapters.kraken.client.ws_link import WsLink
from adapters.kraken.wire.credentials import Token
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
    Report,
)
from framework.protocol import ProtocolProfile

__all__ = ["Ws1Link"]


class _Flight:
    """A request without its answer: what the venue's clock showed at least when it was sent, how many answers are left,
    how many were good, and the first error.
    """

    __slots__ = ("command", "done_count", "error", "known", "left", "sent_ns")

    def __init__(self, command: Command, known: KnownOrder | None, count: int, sent_ns: int) -> None:
        self.command = command
        self.sent_ns = sent_ns
        self.known = known
        self.left = count
        self.done_count = 0
        self.error: str | None = None


class Ws1Link(WsLink):
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
        """See ``WsLink``."""
        super().__init__(name, profile, parts, backoff, connect, tokens)
        self._requests = Ws1Requests(parts)
        self._news = Ws1News(parts)
        self._flights: dict[int, _Flight] = {}
        self._subscribed_ns = 0

    def _subscribe(self) -> None:
        """Trades first, so that a fill is told before the end that it brings."""
        assert self._token is not None
        self._news.reset()
        self._subscribed_ns = self._parts.time.at_least_ns(self._clock.now_ns)
        trades = wire.Subscription("ownTrades", snapshot=False, consolidate_taker=False, token=self._token)
        self._write(wire.Subscribe(trades))
        self._write(wire.Subscribe(wire.Subscription("openOrders", ratecounter=True, token=self._token)))

    def _forget(self) -> None:
        self._flights.clear()
        self._news.reset()

    def _bytes(self, request: wire.Request) -> bytes:
        return encode(request)

    def _request(self, command: Command, token: Token) -> bytes:
        return encode(self._requests.make(command, token))

    def _ping(self) -> wire.Request:
        return wire.Ping()

    def _overdue(self) -> Sequence[Report]:
        return self._news.release()

    def _take(self, data: bytes) -> None:
        answer = decode_answer(data)
        handler = _HANDLERS.get(type(answer))
        if handler is not None:
            try:
                handler(self, answer)
            except SequenceError as error:
                self._end(f"news was missed: {error}")

    def _sent(self, command: Command) -> None:
        known = None
        if isinstance(command, AddOrder) and not command.is_validate_only:
            known = self._parts.memory.sent(command, self._until_ns(command))
        count = len(command.order_ids) + len(command.cl_ord_ids) if isinstance(command, CancelBatch) else 1
        sent_ns = self._parts.time.at_least_ns(self._clock.now_ns)
        self._flights[command.request_id] = _Flight(command, known, count, sent_ns)

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
            self._renew_if_stale(error)
        else:
            flight.done_count += 1
        flight.error = flight.error or error
        flight.left -= 1
        if flight.left:
            return
        del self._flights[flight.command.request_id]
        if flight.done_count:
            self._tell(_accepted(flight, answer))
            known = flight.known
            if known is not None:
                self._parts.memory.find(answer.txid if answer.txid is not UNSET else None, known.cl_ord_id)
            return
        if flight.known is not None:
            self._parts.memory.end(flight.known)
        assert flight.error is not None
        self._refused(flight.command.request_id, flight.error, flight.sent_ns)

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
        if not self._news.is_first(frame):
            for report in self._news.orders(frame, self._clock.now_ns):
                self._tell(report)
            return
        ts_venue_ns = self._subscribed_ns
        orders = self._news.snapshot(frame, ts_venue_ns)
        self._begin_session(ts_venue_ns)
        self._tell(OrdersSnapshot(ts_venue_ns=ts_venue_ns, request_id=None, orders=orders))

    def _on_status(self, answer: events.SystemStatus) -> None:
        self._tell_mode(MODES.get(answer.status))


def _accepted(flight: _Flight, answer: Any) -> CommandAccepted:
    request_id, ts_ns = flight.command.request_id, flight.sent_ns
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
