"""The link over REST: each command a signed request, each answer a report; news comes by polls only.

A session is up once the venue has said what mode it is in. It ends when a connection is lost under a request, whose
outcome nobody knows then; answers that still come on other connections are told all the same. An answer that is overdue
is told of by nothing: the desk's own patience makes it unknown. No request is made twice.

Times of the venue are not in its answers. A report is dated by what the venue's clock showed at least when the request
was written; the venue is asked for its mode and its time now and then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.http_pool import Loss
from adapters.kraken.client.link_base import AccountParts, UnsendableError, WireLink
from adapters.kraken.client.order_memory import KnownOrder
from adapters.kraken.client.rest_calls import PrivateCalls, PublicCalls
from adapters.kraken.client.rest_past import Past
from adapters.kraken.client.rest_polls import RestPoll
from adapters.kraken.client.rest_requests import RestRequests
from adapters.kraken.client.times import moment_ns
from adapters.kraken.errors import SymbolError
from adapters.kraken.wire.codec import Message
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.rest import endpoints, public, trading
from adapters.kraken.words import MODES
from framework.messages import (
    AddBatch,
    AddOrder,
    Command,
    CommandAccepted,
    EditOrder,
    OrdersSnapshot,
    QueryOrders,
    VenueStatus,
)
from framework.protocol import ProtocolProfile, VenueMode

__all__ = ["RestLink", "RestTimeouts"]

_SECOND_NS = 10**9
_STATUS_NS = 30 * _SECOND_NS


class RestTimeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Patience with answers, in seconds: of trading requests, and of questions."""

    trading_s: float = 10.0
    query_s: float = 15.0


class RestLink(WireLink):
    """One account over REST."""

    def __init__(
        self,
        name: str,
        profile: ProtocolProfile,
        parts: AccountParts,
        backoff: BackOff,
        calls: PrivateCalls,
        reads: PublicCalls,
        timeouts: RestTimeouts | None = None,
    ) -> None:
        super().__init__(name, profile, parts, backoff)
        self._calls = calls
        self._reads = reads
        self._requests = RestRequests(parts)
        self._timeouts = RestTimeouts() if timeouts is None else timeouts
        self._session_count = 0
        self._mode = VenueMode.ONLINE
        # From when until when the past has been told without a gap.
        self._told_from_ns = 0
        self._told_until_ns: int | None = None
        self._past = Past(None)
        self._poll_id = 0

    # ------------------------------------------------------------------------------------------------- session

    def open(self, is_reset: bool) -> None:
        """Ask the venue for its mode; up when it answers."""
        self._begin_attempt(self._ask_mode)

    def close(self) -> None:
        """Nothing stands that could be ended; commands are not sent any more."""
        self._ended("logout")

    def _ask_mode(self) -> None:
        attempt = self._attempt

        def answered(status: public.SystemStatus) -> None:
            if attempt != self._attempt:
                return
            now_ns = self._clock.now_ns
            try:
                self._parts.time.note(moment_ns(status.timestamp), now_ns)
            except WireError as error:
                self._ended(f"the venue's time cannot be read: {error}")
                return
            if not self.is_up:
                self._session_count += 1
                self._opened(f"{self.name}#{self._session_count}", now_ns)
            self._note_mode(status.status)
            self._clock.call_at(now_ns + _STATUS_NS, again)

        def failed(reason: str) -> None:
            if attempt != self._attempt:
                return
            if self.is_up:
                self._clock.call_at(self._clock.now_ns + _STATUS_NS, again)
            else:
                self._ended(reason)

        def again() -> None:
            if attempt == self._attempt:
                self._ask_mode()

        self._reads.call(endpoints.SYSTEM_STATUS, public.NoParams(), answered, failed)

    def _note_mode(self, word: str) -> None:
        mode = MODES.get(word)
        if mode is not None and mode is not self._mode:
            self._mode = mode
            self._tell(VenueStatus(ts_venue_ns=self._clock.now_ns, mode=mode))

    # ------------------------------------------------------------------------------------------------- commands

    def send(self, command: Command) -> None:
        """Write a command's request; it may never arrive."""
        if not self.is_up:
            return
        if isinstance(command, QueryOrders):
            self._poll(command)
            return
        try:
            endpoint, make = self._requests.make(command)
        except UnsendableError as error:
            self._refuse_later(command, error)
            return
        except (SymbolError, WireError, OSError) as error:
            self._refuse_later(command, UnsendableError(str(error)))
            return
        request_id, orders = command.request_id, self._remember(command)
        time, clock = self._parts.time, self._clock
        sent_ns = time.at_least_ns(clock.now_ns)

        def signed(nonce: int) -> Message:
            nonlocal sent_ns
            sent_ns = time.at_least_ns(clock.now_ns)
            return make(nonce)

        def accepted(result: Any) -> None:
            try:
                report = _ACCEPTED[type(result)](request_id, result, sent_ns)
            except WireError as error:
                self._lost(request_id, orders, Loss.DROPPED, str(error))
                return
            self._note_ids(orders, report)
            if isinstance(command, EditOrder) and report.order_ids:
                self._parts.memory.replaced(command.order_id, report.order_ids[0])
            self._tell(report)

        def refused(text: str) -> None:
            self._forget(orders)
            self._refused(request_id, text, sent_ns)

        self._calls.call(
            endpoint,
            signed,
            accepted,
            refused,
            lambda loss, reason: self._lost(request_id, orders, loss, reason),
            self._timeouts.trading_s,
            is_urgent=True,
        )

    def _lost(self, request_id: int, orders: list[KnownOrder], loss: Loss, reason: str) -> None:
        if loss is Loss.UNSENT:
            self._forget(orders)
            self._refused(request_id, f"not sent: {reason}", self._clock.now_ns)
        elif loss is Loss.DROPPED:
            self._ended(reason)

    def _poll(self, command: QueryOrders) -> None:
        request_id, since_ns = command.request_id, command.since_ns
        self._poll_id = request_id  # one that waits for a connection still has no use beside this one
        told_ns = self._told_until_ns
        is_past_wanted = since_ns > 0 and (told_ns is None or since_ns < told_ns)
        is_back = told_ns is not None and 0 < since_ns < told_ns
        since_s = self._past_since_s(since_ns or self._clock.now_ns - _DAY_NS, is_back=is_back)
        if since_s is None:
            is_past_wanted = False
        if self._past.since_s != since_s:
            is_by_id = self._past.is_by_id
            self._past = Past(since_s)
            self._past.is_by_id = is_by_id

        from_ns = self._told_from_ns
        if since_s is not None and (told_ns is None or since_s * _SECOND_NS > told_ns):
            from_ns = since_s * _SECOND_NS

        def read(snapshot: OrdersSnapshot) -> None:
            self._told_from_ns = snapshot.ts_venue_ns if since_s is None else from_ns
            self._told_until_ns = snapshot.ts_venue_ns
            self._past = Past(None)
            self._tell(snapshot)

        RestPoll(
            self._calls,
            self._parts,
            request_id,
            self._past,
            read,
            lambda text: self._refused(request_id, text, self._clock.now_ns),
            lambda loss, reason: self._lost(request_id, [], loss, reason),
            is_past_wanted=is_past_wanted,
            told_from_ns=from_ns,
            is_wanted=lambda: self._poll_id == request_id,
            order_ids=command.order_ids,
            timeout_s=self._timeouts.query_s,
        ).start()

    def _past_since_s(self, since_ns: int, *, is_back: bool) -> int | None:
        """From which second on the past has to be read; None for not at all.

        A long past has too many pages: then it is read for orders of which only a name is known, from when they were
        sent, and the others are asked for by id. is_back: what has been told is asked for once more, of orders that
        have ended too, which only the pages tell.
        """
        now_ns = self._parts.time.at_least_ns(self._clock.now_ns)
        if now_ns - since_ns > _SHORT_NS and self._past.is_by_id and not is_back:
            sent = [known.sent_venue_ns for known in self._parts.memory.live() if known.order_id is None]
            proved = [each for each in sent if each is not None]
            if not proved:
                return None
            since_ns = max(since_ns, min(proved))
        return max(0, since_ns // _SECOND_NS - 1)

    # ------------------------------------------------------------------------------------------------- memory

    def _remember(self, command: Command) -> list[KnownOrder]:
        memory, sent_ns = self._parts.memory, self._parts.time.proved_ns(self._clock.now_ns)
        if isinstance(command, AddOrder) and not command.is_validate_only:
            return [memory.sent(command, command.deadline_ns, sent_ns)]
        if isinstance(command, AddBatch) and not command.is_validate_only:
            return [memory.sent(order, command.deadline_ns, sent_ns) for order in command.orders]
        return []

    def _forget(self, orders: list[KnownOrder]) -> None:
        for known in orders:
            self._parts.memory.end(known)

    def _note_ids(self, orders: list[KnownOrder], report: CommandAccepted) -> None:
        ids = iter(report.order_ids)
        for known, error in zip(orders, report.errors or (None,) * len(orders), strict=True):
            if error is not None:
                self._parts.memory.end(known)
            else:
                self._parts.memory.find(next(ids, None), known.cl_ord_id)


_DAY_NS = 86_400 * _SECOND_NS
# A past of so long is read page by page.
_SHORT_NS = 60 * _SECOND_NS


def _added(request_id: int, result: trading.AddOrderResult, ts_ns: int) -> CommandAccepted:
    order_ids = () if result.txid is UNSET else tuple(result.txid)
    return CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id, order_ids=order_ids)


def _batch_added(request_id: int, result: trading.AddOrderBatchResult, ts_ns: int) -> CommandAccepted:
    errors = tuple(None if row.error is UNSET else row.error for row in result.orders)
    return CommandAccepted(
        ts_venue_ns=ts_ns,
        request_id=request_id,
        order_ids=tuple(row.txid for row in result.orders if row.txid is not UNSET and row.error is UNSET),
        errors=errors if any(errors) else (),
    )


def _edited(request_id: int, result: trading.EditOrderResult, ts_ns: int) -> CommandAccepted:
    if result.status != "ok":
        raise WireError("an edit is neither refused nor carried out")
    order_ids = () if result.txid is UNSET else (result.txid,)
    return CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id, order_ids=order_ids)


def _switched(request_id: int, result: trading.CancelAllOrdersAfterResult, ts_ns: int) -> CommandAccepted:
    word = result.triggerTime
    trigger_ns = None if word is UNSET or word in ("0", "") else moment_ns(word)
    return CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id, trigger_ns=trigger_ns)


_ACCEPTED: dict[type, Callable[[int, Any, int], CommandAccepted]] = {
    trading.AddOrderResult: _added,
    trading.AddOrderBatchResult: _batch_added,
    trading.AmendOrderResult: lambda request_id, _, ts_ns: CommandAccepted(ts_venue_ns=ts_ns, request_id=request_id),
    trading.EditOrderResult: _edited,
    trading.CancelResult: lambda request_id, result, ts_ns: CommandAccepted(
        ts_venue_ns=ts_ns, request_id=request_id, count=result.count
    ),
    trading.CancelAllOrdersAfterResult: _switched,
}
