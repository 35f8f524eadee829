"""Commands as REST requests.

Sources: rest-api/add-order, add-order-batch, amend-order, edit-order, cancel-order, cancel-order-batch,
cancel-all-orders, cancel-all-orders-after.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from adapters.kraken.client.instruments import Instrument
from adapters.kraken.client.link_base import AccountParts, UnsendableError
from adapters.kraken.client.order_memory import KnownOrder
from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.digits import digits, rfc3339_us
from adapters.kraken.wire.rest import endpoints, trading
from adapters.kraken.wire.rest.envelope import Endpoint, PrivateRequest
from adapters.kraken.words import SIDE_WORDS, STP_WORDS, TIME_WORDS, TYPE_WORDS
from framework.messages import (
    AddBatch,
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

__all__ = ["RestRequests", "distance", "order_prices"]

_SECOND_NS = 10**9
_TRAILING = (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)
_PRICED = (OrderType.LIMIT, OrderType.ICEBERG)

type Signed = tuple[Endpoint[Any, Any], Callable[[int], Message]]
"""An endpoint, and the request to it once its nonce is there."""


class RestRequests:
    """Makes requests; each raises UnsendableError for what REST cannot say."""

    def __init__(self, parts: AccountParts) -> None:
        self._parts = parts
        self._makers: dict[type[Command], Callable[[Any], Signed]] = {
            AddOrder: self._add,
            AddBatch: self._add_batch,
            AmendOrder: self._amend,
            EditOrder: self._edit,
            CancelOrder: self._cancel,
            CancelBatch: self._cancel_batch,
            CancelAll: lambda _: (endpoints.CANCEL_ALL, lambda nonce: PrivateRequest(nonce=str(nonce))),
            CancelAllAfter: self._cancel_all_after,
        }

    def make(self, command: Command) -> Signed:
        """The request of a command."""
        maker = self._makers.get(type(command))
        if maker is None:
            raise UnsendableError(f"REST has no {type(command).__name__}", RejectReason.NOT_SUPPORTED)
        return maker(command)

    # ------------------------------------------------------------------------------------------------- adds

    def _add(self, command: AddOrder) -> Signed:
        instrument = self._parts.instruments[command.symbol]
        fields = self._order(command, instrument)
        fields |= {
            "pair": instrument.names.rest,
            "deadline": _deadline(command),
            "validate": True if command.is_validate_only else UNSET,
        }
        return endpoints.ADD_ORDER, lambda nonce: trading.AddOrder(nonce=str(nonce), **fields)

    def _add_batch(self, command: AddBatch) -> Signed:
        instrument = self._parts.instruments[command.orders[0].symbol]
        orders = [trading.BatchOrder(**self._order(order, instrument)) for order in command.orders]
        return endpoints.ADD_ORDER_BATCH, lambda nonce: trading.AddOrderBatch(
            nonce=str(nonce),
            pair=instrument.names.rest,
            orders=orders,
            deadline=_deadline(command),
            validate=True if command.is_validate_only else UNSET,
        )

    def _order(self, order: AddOrder, instrument: Instrument) -> dict[str, Any]:
        if order.secondary is not None:
            raise UnsendableError("an order with a client id takes no conditional close; submit the close by itself")
        flags = [flag for flag, is_set in (("post", order.is_post_only), ("viqc", order.quote_qty)) if is_set]
        has_stp, has_time = order.stp_mode is not StpMode.CANCEL_NEWEST, order.time_in_force is not TimeInForce.GTC
        is_index = order.trigger_reference is TriggerReference.INDEX
        price, price2 = order_prices(order, instrument)
        return {
            "ordertype": TYPE_WORDS[order.order_type],
            "type": SIDE_WORDS[order.side],
            "volume": instrument.qty_text(order.qty_lots) if order.quote_qty is None else f"{order.quote_qty:f}",
            "displayvol": _or_unset(order.display_lots, instrument.qty_text),
            "price": price,
            "price2": price2,
            "trigger": "index" if is_index else UNSET,
            "reduce_only": True if order.is_reduce_only else UNSET,
            "stptype": STP_WORDS[order.stp_mode] if has_stp else UNSET,
            "oflags": ",".join(flags) or UNSET,
            "timeinforce": TIME_WORDS[order.time_in_force].upper() if has_time else UNSET,
            "starttm": _or_unset(order.start_ns, _seconds),
            "expiretm": _or_unset(order.expire_ns, _seconds),
            "cl_ord_id": self._parts.ids.on_wire(order.cl_ord_id, self._parts.clock.now_ns),
        }

    # ------------------------------------------------------------------------------------------------- changes

    def _amend(self, command: AmendOrder) -> Signed:
        known = self._known(command.order_id, command.cl_ord_id)
        instrument = self._parts.instruments[known.symbol]
        limit = _or_unset(command.limit_ticks, instrument.price_text)
        if command.limit_offset_ticks is not None or command.limit_offset_ppm is not None:
            limit = distance(command.limit_offset_ticks, command.limit_offset_ppm, instrument)
        fields = {
            **self._named(command.order_id, command.cl_ord_id),
            "order_qty": _or_unset(command.qty_lots, instrument.qty_text),
            "display_qty": _or_unset(command.display_lots, instrument.qty_text),
            "limit_price": limit,
            "trigger_price": _or_unset(command.trigger_ticks, instrument.price_text),
            "post_only": True if command.is_post_only else UNSET,
            "deadline": _deadline(command),
        }
        return endpoints.AMEND_ORDER, lambda nonce: trading.AmendOrder(nonce=str(nonce), **fields)

    def _edit(self, command: EditOrder) -> Signed:
        known = self._known(command.order_id, None)
        instrument = self._parts.instruments[known.symbol]
        limit = _or_unset(command.limit_ticks, instrument.price_text)
        trigger = _or_unset(command.trigger_ticks, instrument.price_text)
        price, price2 = (limit, UNSET) if known.order_type in _PRICED else (trigger, limit)
        fields: dict[str, Any] = {
            "pair": instrument.names.rest,
            "txid": command.order_id,
            "volume": _or_unset(command.qty_lots, instrument.qty_text),
            "displayvol": _or_unset(command.display_lots, instrument.qty_text),
            "price": price,
            "price2": price2,
            "oflags": "post" if command.is_post_only else UNSET,
            "deadline": _deadline(command),
            "validate": True if command.is_validate_only else UNSET,
        }
        return endpoints.EDIT_ORDER, lambda nonce: trading.EditOrder(nonce=str(nonce), **fields)

    def _known(self, order_id: str | None, cl_ord_id: str | None) -> KnownOrder:
        known = self._parts.memory.find(order_id, cl_ord_id)
        if known is None:
            raise UnsendableError("no link has seen this order; ask for the open orders first", _UNKNOWN)
        return known

    # ------------------------------------------------------------------------------------------------- cancels

    def _cancel(self, command: CancelOrder) -> Signed:
        fields = self._named(command.order_id, command.cl_ord_id)
        return endpoints.CANCEL_ORDER, lambda nonce: trading.CancelOrder(nonce=str(nonce), **fields)

    def _cancel_batch(self, command: CancelBatch) -> Signed:
        ids, now_ns = self._parts.ids, self._parts.clock.now_ns
        names = [ids.on_wire(cl_ord_id, now_ns) for cl_ord_id in command.cl_ord_ids]
        return endpoints.CANCEL_ORDER_BATCH, lambda nonce: trading.CancelOrderBatch(
            nonce=str(nonce), orders=list(command.order_ids) or UNSET, cl_ord_ids=list(names) or UNSET
        )

    def _cancel_all_after(self, command: CancelAllAfter) -> Signed:
        timeout_s = command.timeout_s
        return endpoints.CANCEL_ALL_ORDERS_AFTER, lambda nonce: trading.CancelAllOrdersAfter(
            nonce=str(nonce), timeout=timeout_s
        )

    def _named(self, order_id: str | None, cl_ord_id: str | None) -> dict[str, Any]:
        if order_id is not None:
            return {"txid": order_id}
        if cl_ord_id is None:
            raise UnsendableError("the order is not named", _UNKNOWN)
        return {"cl_ord_id": self._parts.ids.on_wire(cl_ord_id, self._parts.clock.now_ns)}


_UNKNOWN = RejectReason.UNKNOWN_ORDER


def order_prices(order: AddOrder, instrument: Instrument) -> tuple[Maybe[str], Maybe[str]]:
    """``price`` and ``price2``: what they are depends on the order type (rest-api/add-order)."""
    kind = order.order_type
    limit: Maybe[str] = _or_unset(order.limit_ticks, instrument.price_text)
    if kind is OrderType.MARKET:
        return UNSET, UNSET
    if kind in _PRICED:
        return limit, UNSET
    if kind not in _TRAILING:
        return _or_unset(order.trigger_ticks, instrument.price_text), limit
    if order.limit_offset_ticks is not None or order.limit_offset_ppm is not None:
        limit = distance(order.limit_offset_ticks, order.limit_offset_ppm, instrument)
    return distance(order.trail_offset_ticks, order.trail_offset_ppm, instrument), limit


def distance(ticks: int | None, ppm: int | None, instrument: Instrument) -> str:
    """A distance from a price with its sign: ``+150.0``, ``-1.5000%``."""
    text = instrument.price_text(ticks or 0) if ppm is None else f"{digits(ppm, 4)}%"
    return text if text.startswith("-") else f"+{text}"


def _or_unset[T](value: T | None, text: Callable[[T], str]) -> Maybe[str]:
    return UNSET if value is None else text(value)


def _seconds(ts_ns: int) -> str:
    return str(-(-ts_ns // _SECOND_NS))


def _deadline(command: Command) -> Maybe[str]:
    return _or_unset(command.deadline_ns, rfc3339_us)
