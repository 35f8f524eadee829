"""The account's orders and trades from a time on, whoever made them, with all that the venue tells of each.

It is a poll that knows nothing before, so that the desk's own polls have still to tell what they have to tell. The
limit of calls does not end it: what has been read stays, and it goes on when there is room again.
Sources: rest-api/get-open-orders, get-closed-orders, get-trade-history; guides/spot-rest-ratelimits.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec
from msgspec import UNSET

from adapters.kraken.client.instruments import Instrument
from adapters.kraken.client.link_base import AccountParts
from adapters.kraken.client.order_memory import OrderMemory
from adapters.kraken.client.rest_calls import PrivateCalls
from adapters.kraken.client.rest_past import Past
from adapters.kraken.client.rest_polls import RestPoll
from adapters.kraken.client.times import epoch_ns
from adapters.kraken.errors import KrakenError, reject_reason
from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.rest import history
from adapters.kraken.words import ORDER_TYPES, TIMES
from framework.messages import OrdersSnapshot, OrderStatus, OrderTerms
from framework.protocol import OrderType, RejectReason, TimeInForce

__all__ = ["AccountHistory"]

_SECOND_NS = 10**9
_TIMEOUT_S = 15.0
# A Starter key gets a third of a point back each second; a first page of each kind costs four.
_PAUSE_NS = 10 * _SECOND_NS
_PAUSES_MAX = 30
_PPM_PER_PERCENT = 10_000
_TRAILING = (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)


class AccountHistory:
    """Reads of one account's history, one at a time."""

    def __init__(self, calls: PrivateCalls, parts: AccountParts) -> None:
        self._calls = calls
        self._parts = parts
        self._lock = asyncio.Lock()

    async def read(self, since_ns: int) -> OrdersSnapshot:
        """What is open, and what ended or was traded since; its orders have their terms.

        Raises KrakenError where the venue refuses, or does not answer.
        """
        past = Past(max(0, since_ns // _SECOND_NS - 1))
        async with self._lock:
            for _ in range(_PAUSES_MAX):
                snapshot = await self._try(past)
                if snapshot is not None:
                    return snapshot
                await self._pause()
        raise KrakenError("the account's history: the limit of calls leaves no room for it; look back less far")

    async def _pause(self) -> None:
        over, clock = asyncio.Event(), self._parts.clock
        clock.call_at(clock.now_ns + _PAUSE_NS, over.set)
        await over.wait()

    async def _try(self, past: Past) -> OrdersSnapshot | None:
        """None where the limit of calls has ended it."""
        answer: asyncio.Future[OrdersSnapshot | None] = asyncio.get_running_loop().create_future()

        def read(snapshot: OrdersSnapshot) -> None:
            if not answer.done():
                answer.set_result(snapshot)

        def refused(text: str) -> None:
            if answer.done():
                return
            if reject_reason(text) is RejectReason.CALL_LIMIT:
                answer.set_result(None)
            else:
                failed(text)

        def failed(reason: str) -> None:
            if not answer.done():
                answer.set_exception(KrakenError(f"the account's history: {reason}"))

        parts = msgspec.structs.replace(self._parts, memory=OrderMemory())
        _HistoryPoll(
            self._calls,
            parts,
            0,
            past,
            read,
            refused,
            lambda _, reason: failed(reason),
            is_past_wanted=True,
            timeout_s=_TIMEOUT_S,
        ).start()
        return await answer


class _HistoryPoll(RestPoll):
    """A poll whose orders have their terms."""

    def _status(self, order_id: str, row: history.Order) -> OrderStatus:
        status = super()._status(order_id, row)
        return msgspec.structs.replace(status, terms=_terms(row, self._parts.instruments[status.symbol]))


def _terms(row: history.Order, instrument: Instrument) -> OrderTerms:
    flags = row.oflags.split(",") if isinstance(row.oflags, str) else ()
    expire_ns = _time_ns(row.expiretm)
    time_in_force = TIMES[row.time_in_force.lower()] if isinstance(row.time_in_force, str) else TimeInForce.GTC
    if expire_ns is not None and time_in_force is TimeInForce.GTC:
        time_in_force = TimeInForce.GTD
    price = Decimal(row.price) if isinstance(row.price, str) else Decimal(0)
    descr = row.descr
    trail: dict[str, int] = {}
    if descr is not UNSET and ORDER_TYPES.get(str(descr.ordertype)) in _TRAILING:
        trail = _distance("trail", descr.price, instrument) | _distance("limit", descr.price2, instrument)
    return OrderTerms(
        time_in_force=time_in_force,
        is_post_only="post" in flags,
        avg_price=price or None,
        ts_opened_ns=_time_ns(row.opentm) or 0,
        ts_ended_ns=_time_ns(row.closetm),
        expire_ns=expire_ns if time_in_force is TimeInForce.GTD else None,
        **trail,
    )


def _distance(what: str, text: Maybe[str], instrument: Instrument) -> dict[str, int]:
    """The distance of a trailing order or of its limit, "+5.0%" or "-120.0", by name; {} where there is none."""
    if not isinstance(text, str) or not text.strip("+-#0.%"):
        return {}
    sign = -1 if text.startswith("-") and what == "limit" else 1
    bare = text.lstrip("+-#")
    if bare.endswith("%"):
        return {f"{what}_offset_ppm": sign * int(Decimal(bare[:-1]) * _PPM_PER_PERCENT)}
    return {f"{what}_offset_ticks": sign * instrument.ticks(bare)}


def _time_ns(value: Maybe[Number]) -> int | None:
    """A time; None for none, which is 0 on the wire."""
    return epoch_ns(value) or None if isinstance(value, Number) else None
