"""Commands as requests of WebSocket v1; ``reqid`` is the number of the command.

Sources: websocket-v1/addorder, amendorder, editorder, cancelorder, cancelall, cancelallordersafter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from adapters.kraken.client.instruments import Instrument
from adapters.kraken.client.link_base import AccountParts, UnsendableError
from adapters.kraken.client.order_memory import KnownOrder
from adapters.kraken.client.rest_requests import distance, order_prices
from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.digits import rfc3339_us
from adapters.kraken.wire.ws1 import requests as wire
from adapters.kraken.words import SIDE_WORDS, STP_WORDS, TIME_WORDS, TYPE_WORDS
from framework.messages import (
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelBatch,
    CancelOrder,
    Command,
    EditOrder,
)
from framework.protocol import OrderType, RejectReason, StpMode, TimeInForce, TriggerReference

__all__ = ["Ws1Requests"]

_SECOND_NS = 10**9
_UNKNOWN = RejectReason.UNKNOWN_ORDER
_PRICED = (OrderType.LIMIT, OrderType.ICEBERG)


class Ws1Requests:
    """Makes requests; each raises UnsendableError for what the protocol cannot say."""

    def __init__(self, parts: AccountParts) -> None:
        self._parts = parts
        self._makers: dict[type[Command], Callable[[Any, Token], wire.Request]] = {
            AddOrder: self._add,
            AmendOrder: self._amend,
            EditOrder: self._edit,
            CancelOrder: self._cancel,
            CancelBatch: self._cancel_batch,
            CancelAll: lambda command, token: wire.CancelAll(command.request_id, token),
            CancelAllAfter: lambda command, token: wire.CancelAllOrdersAfter(
                command.timeout_s, command.request_id, token
            ),
        }

    def make(self, command: Command, token: Token) -> wire.Request:
        """The request of a command."""
        maker = self._makers.get(type(command))
        if maker is None:
            raise UnsendableError(f"WebSocket v1 has no {type(command).__name__}", RejectReason.NOT_SUPPORTED)
        return maker(command, token)

    # ------------------------------------------------------------------------------------------------- adds

    def _add(self, order: AddOrder, token: Token) -> wire.Request:
        if order.secondary is not None:
            raise UnsendableError("an order with a client id takes no conditional close; submit the close by itself")
        if order.trigger_reference is TriggerReference.INDEX:
            raise UnsendableError("WebSocket v1 has no trigger by the index", RejectReason.NOT_SUPPORTED)
        instrument = self._parts.instruments[order.symbol]
        flags = [flag for flag, is_set in (("post", order.is_post_only), ("viqc", order.quote_qty)) if is_set]
        has_stp, has_time = order.stp_mode is not StpMode.CANCEL_NEWEST, order.time_in_force is not TimeInForce.GTC
        price, price2 = order_prices(order, instrument)
        return wire.AddOrder(
            ordertype=TYPE_WORDS[order.order_type],
            pair=instrument.names.ws1,
            type=SIDE_WORDS[order.side],
            volume=instrument.qty_text(order.qty_lots) if order.quote_qty is None else f"{order.quote_qty:f}",
            display_volume=_or_unset(order.display_lots, instrument.qty_text),
            price=price,
            price2=price2,
            reduce_only=order.is_reduce_only or UNSET,
            stp_type=STP_WORDS[order.stp_mode].replace("-", "_") if has_stp else UNSET,
            oflags=",".join(flags) or UNSET,
            timeinforce=TIME_WORDS[order.time_in_force].upper() if has_time else UNSET,
            starttm=_or_unset(order.start_ns, _seconds),
            expiretm=_or_unset(order.expire_ns, _seconds),
            deadline=_deadline(order),
            validate=order.is_validate_only or UNSET,
            cl_ord_id=self._on_wire(order.cl_ord_id),
            reqid=order.request_id,
            token=token,
        )

    # ------------------------------------------------------------------------------------------------- changes

    def _amend(self, command: AmendOrder, token: Token) -> wire.Request:
        instrument = self._parts.instruments[self._known(command.order_id, command.cl_ord_id).symbol]
        limit = _or_unset(command.limit_ticks, instrument.price_text)
        if command.limit_offset_ticks is not None or command.limit_offset_ppm is not None:
            limit = distance(command.limit_offset_ticks, command.limit_offset_ppm, instrument)
        return wire.AmendOrder(
            **self._named(command.order_id, command.cl_ord_id),
            volume=_or_unset(command.qty_lots, instrument.qty_text),
            display_volume=_or_unset(command.display_lots, instrument.qty_text),
            limit_price=limit,
            trigger_price=_or_unset(command.trigger_ticks, instrument.price_text),
            post_only=command.is_post_only or UNSET,
            deadline=_deadline(command),
            reqid=command.request_id,
            token=token,
        )

    def _edit(self, command: EditOrder, token: Token) -> wire.Request:
        known = self._known(command.order_id, None)
        instrument = self._parts.instruments[known.symbol]
        if command.display_lots is not None:
            raise UnsendableError("an edit over WebSocket v1 takes no display quantity", RejectReason.NOT_SUPPORTED)
        return wire.EditOrder(
            orderid=command.order_id,
            pair=instrument.names.ws1,
            # The page wants a volume in any case.
            volume=instrument.qty_text(known.qty_lots if command.qty_lots is None else command.qty_lots),
            **_edited_prices(command, known, instrument),
            oflags="post" if command.is_post_only else UNSET,
            validate=command.is_validate_only or UNSET,
            reqid=command.request_id,
            token=token,
        )

    def _known(self, order_id: str | None, cl_ord_id: str | None) -> KnownOrder:
        known = self._parts.memory.find(order_id, cl_ord_id)
        if known is None:
            raise UnsendableError("no link has seen this order; ask for the open orders first", _UNKNOWN)
        return known

    # ------------------------------------------------------------------------------------------------- cancels

    def _cancel(self, command: CancelOrder, token: Token) -> wire.Request:
        named = {name: [value] for name, value in self._named(command.order_id, command.cl_ord_id).items()}
        return wire.CancelOrder(**named, reqid=command.request_id, token=token)

    def _cancel_batch(self, command: CancelBatch, token: Token) -> wire.Request:
        names = [self._on_wire(cl_ord_id) for cl_ord_id in command.cl_ord_ids]
        return wire.CancelOrder(list(command.order_ids) or UNSET, names or UNSET, command.request_id, token)

    def _named(self, order_id: str | None, cl_ord_id: str | None) -> dict[str, Any]:
        if order_id is not None:
            return {"txid": order_id}
        if cl_ord_id is None:
            raise UnsendableError("the order is not named", _UNKNOWN)
        return {"cl_ord_id": self._on_wire(cl_ord_id)}

    def _on_wire(self, cl_ord_id: str) -> str:
        return self._parts.ids.on_wire(cl_ord_id, self._parts.clock.now_ns)


def _edited_prices(command: EditOrder, known: KnownOrder, instrument: Instrument) -> dict[str, Maybe[str]]:
    limit = _or_unset(command.limit_ticks, instrument.price_text)
    trigger = _or_unset(command.trigger_ticks, instrument.price_text)
    price, price2 = (limit, UNSET) if known.order_type in _PRICED else (trigger, limit)
    return {"price": price, "price2": price2}


def _or_unset[T](value: T | None, text: Callable[[T], str]) -> Maybe[str]:
    return UNSET if value is None else text(value)


def _seconds(ts_ns: int) -> str:
    return str(-(-ts_ns // _SECOND_NS))


def _deadline(command: Command) -> Maybe[str]:
    return _or_unset(command.deadline_ns, rfc3339_us)
