"""Commands as requests of WebSocket v2; ``req_id`` is the number of the command.

Sources: websocket-v2/add_order, amend_order, edit_order, cancel_order, cancel_all, cancel_after, batch_add,
batch_cancel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from adapters.kraken.client.instruments import Instrument
from adapters.kraken.client.link_base import AccountParts, UnsendableError
from adapters.kraken.client.order_templates import OrderKind, OrderTemplates, order_kind
from adapters.kraken.wire.codec import Maybe, encode
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.digits import digits, rfc3339_ms, rfc3339_us
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.ws2 import requests as wire
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
from framework.protocol import OrderType, RejectReason, StpMode, TriggerReference

__all__ = ["Ws2Requests"]

_TRAILING = (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)
_UNKNOWN = RejectReason.UNKNOWN_ORDER
# What stands for quantity, price, id, deadline and number of the request, which differ from order to order.
_QTY, _PRICE, _ID, _DEADLINE, _REQUEST = _MARKS = ("<qty>", "<price>", "<cl_ord_id>", "<deadline>", "<req_id>")


class Ws2Requests:
    """Makes requests; each raises UnsendableError for what the protocol cannot say."""

    def __init__(self, parts: AccountParts) -> None:
        self._parts = parts
        self._makers: dict[type[Command], Callable[[Any, Token], wire.Request]] = {
            AddOrder: self._add,
            AddBatch: self._add_batch,
            AmendOrder: self._amend,
            EditOrder: self._edit,
            CancelOrder: self._cancel,
            CancelBatch: self._cancel_batch,
            CancelAll: _cancel_all,
            CancelAllAfter: _cancel_all_after,
        }
        self._templates = OrderTemplates(_MARKS)
        self._token: Token | None = None

    def write(self, command: Command, token: Token) -> bytes:
        """The request of a command as it stands on the wire."""
        if type(command) is AddOrder:
            kind = order_kind(command)
            if kind is not None:
                data = self._ordinary(command, kind, token)
                if data is not None:
                    return data
        return encode(self.make(command, token))

    def make(self, command: Command, token: Token) -> wire.Request:
        """The request of a command."""
        maker = self._makers.get(type(command))
        if maker is None:
            raise UnsendableError(f"WebSocket v2 has no {type(command).__name__}", RejectReason.NOT_SUPPORTED)
        return maker(command, token)

    # ------------------------------------------------------------------------------------------------- adds

    def _add(self, command: AddOrder, token: Token) -> wire.Request:
        params = wire.AddOrderParams(
            **self._order(command, self._parts.instruments[command.symbol]),
            symbol=command.symbol,
            deadline=_deadline(command),
            validate=command.is_validate_only or UNSET,
            token=token,
        )
        return wire.AddOrder(params, command.request_id)

    def _ordinary(self, order: AddOrder, kind: OrderKind, token: Token) -> bytes | None:
        """What ``make`` gives for an ordinary order; None for one whose id JSON writes as something else."""
        if token is not self._token:
            self._templates.forget()
            self._token = token
        cl_ord_id = self._on_wire(order.cl_ord_id)
        if not (cl_ord_id.isascii() and cl_ord_id.replace("-", "").isalnum()):
            return None
        instrument = self._parts.instruments[order.symbol]
        assert order.limit_ticks is not None
        qty, price = instrument.qty_text(order.qty_lots), instrument.price_text(order.limit_ticks)
        template = self._templates.of(kind, lambda: self._marked(order, token))
        deadline = _deadline(order)
        if deadline is UNSET:
            return (template % (qty, price, cl_ord_id, order.request_id)).encode()
        return (template % (qty, price, cl_ord_id, deadline, order.request_id)).encode()

    def _marked(self, order: AddOrder, token: Token) -> str:
        """An ordinary order with marks for what differs."""
        request = self._add(order, token)
        assert isinstance(request, wire.AddOrder)
        deadline = request.params.deadline
        params = replace(
            request.params,
            order_qty=Number(_QTY),
            limit_price=Number(_PRICE),
            cl_ord_id=_ID,
            deadline=deadline if deadline is UNSET else _DEADLINE,
        )
        return encode(wire.AddOrder(params, 0)).decode().removesuffix("0}") + _REQUEST + "}"

    def _add_batch(self, command: AddBatch, token: Token) -> wire.Request:
        symbol = command.orders[0].symbol
        instrument = self._parts.instruments[symbol]
        params = wire.BatchAddParams(
            orders=[wire.BatchOrder(**self._order(order, instrument)) for order in command.orders],
            symbol=symbol,
            deadline=_deadline(command),
            validate=command.is_validate_only or UNSET,
            token=token,
        )
        return wire.BatchAdd(params, command.request_id)

    def _order(self, order: AddOrder, instrument: Instrument) -> dict[str, Any]:
        if order.secondary is not None:
            raise UnsendableError("an order with a client id takes no conditional close; submit the close by itself")
        has_stp = order.stp_mode is not StpMode.CANCEL_NEWEST
        limit, limit_type = _limit(order, instrument)
        is_quote = order.quote_qty is not None
        return {
            "order_type": TYPE_WORDS[order.order_type],
            "side": SIDE_WORDS[order.side],
            "order_qty": UNSET if is_quote else _qty(order.qty_lots, instrument),
            "cash_order_qty": Number.of(order.quote_qty) if order.quote_qty is not None else UNSET,
            "limit_price": limit,
            "limit_price_type": limit_type,
            "triggers": _triggers(order, instrument),
            "time_in_force": TIME_WORDS[order.time_in_force],
            "post_only": order.is_post_only or UNSET,
            "reduce_only": order.is_reduce_only or UNSET,
            "effective_time": _moment(order.start_ns),
            "expire_time": _moment(order.expire_ns),
            "cl_ord_id": self._on_wire(order.cl_ord_id),
            "display_qty": _qty(order.display_lots, instrument),
            "stp_type": STP_WORDS[order.stp_mode].replace("-", "_") if has_stp else UNSET,
        }

    # ------------------------------------------------------------------------------------------------- changes

    def _amend(self, command: AmendOrder, token: Token) -> wire.Request:
        instrument = self._instrument(command.order_id, command.cl_ord_id)
        limit, limit_type = _limit(command, instrument)
        named = self._named(command.order_id, command.cl_ord_id)
        params = wire.AmendOrderParams(
            **named,
            limit_price=limit,
            limit_price_type=limit_type,
            order_qty=_qty(command.qty_lots, instrument),
            display_qty=_qty(command.display_lots, instrument),
            trigger_price=_price(command.trigger_ticks, instrument),
            post_only=command.is_post_only or UNSET,
            deadline=_deadline(command),
            token=token,
        )
        return wire.AmendOrder(params, command.request_id)

    def _edit(self, command: EditOrder, token: Token) -> wire.Request:
        instrument = self._instrument(command.order_id, None)
        trigger = _price(command.trigger_ticks, instrument)
        params = wire.EditOrderParams(
            order_id=command.order_id,
            symbol=instrument.spec.symbol,
            order_qty=_qty(command.qty_lots, instrument),
            limit_price=_price(command.limit_ticks, instrument),
            display_qty=_qty(command.display_lots, instrument),
            triggers=UNSET if trigger is UNSET else wire.Triggers(price=trigger),
            post_only=command.is_post_only or UNSET,
            deadline=_deadline(command),
            validate=command.is_validate_only or UNSET,
            token=token,
        )
        return wire.EditOrder(params, command.request_id)

    def _instrument(self, order_id: str | None, cl_ord_id: str | None) -> Instrument:
        known = self._parts.memory.find(order_id, cl_ord_id)
        if known is None:
            raise UnsendableError("no link has seen this order; ask for the open orders first", _UNKNOWN)
        return self._parts.instruments[known.symbol]

    # ------------------------------------------------------------------------------------------------- cancels

    def _cancel(self, command: CancelOrder, token: Token) -> wire.Request:
        named = {name: [value] for name, value in self._named(command.order_id, command.cl_ord_id).items()}
        return wire.CancelOrder(wire.CancelOrderParams(**named, token=token), command.request_id)

    def _cancel_batch(self, command: CancelBatch, token: Token) -> wire.Request:
        names = [self._on_wire(cl_ord_id) for cl_ord_id in command.cl_ord_ids]
        params = wire.BatchCancelParams(
            orders=list(command.order_ids) or UNSET, cl_ord_id=list(names) or UNSET, token=token
        )
        return wire.BatchCancel(params, command.request_id)

    def _named(self, order_id: str | None, cl_ord_id: str | None) -> dict[str, Any]:
        if order_id is not None:
            return {"order_id": order_id}
        if cl_ord_id is None:
            raise UnsendableError("the order is not named", _UNKNOWN)
        return {"cl_ord_id": self._on_wire(cl_ord_id)}

    def _on_wire(self, cl_ord_id: str) -> str:
        return self._parts.ids.on_wire(cl_ord_id, self._parts.clock.now_ns)


def _cancel_all(command: CancelAll, token: Token) -> wire.Request:
    return wire.CancelAll(wire.CancelAllParams(token), command.request_id)


def _cancel_all_after(command: CancelAllAfter, token: Token) -> wire.Request:
    return wire.CancelAllOrdersAfter(wire.CancelAllOrdersAfterParams(command.timeout_s, token), command.request_id)


def _limit(order: AddOrder | AmendOrder, instrument: Instrument) -> tuple[Maybe[Number], Maybe[str]]:
    """A limit and its unit; only a trailing order's can be a distance, and states its unit in any case."""
    if order.limit_offset_ppm is not None:
        return Number(digits(order.limit_offset_ppm, 4)), "pct"
    if order.limit_offset_ticks is not None:
        return Number(instrument.price_text(order.limit_offset_ticks)), "quote"
    is_trailing = isinstance(order, AddOrder) and order.order_type is OrderType.TRAILING_STOP_LIMIT
    return _price(order.limit_ticks, instrument), "static" if is_trailing else UNSET


def _triggers(order: AddOrder, instrument: Instrument) -> Maybe[wire.Triggers]:
    reference = "index" if order.trigger_reference is TriggerReference.INDEX else "last"
    if order.order_type in _TRAILING:
        if order.trail_offset_ppm is not None:
            return wire.Triggers(reference, Number(digits(order.trail_offset_ppm, 4)), "pct")
        return wire.Triggers(reference, _price(order.trail_offset_ticks, instrument), "quote")
    if order.trigger_ticks is None:
        return UNSET
    return wire.Triggers(reference, _price(order.trigger_ticks, instrument))


def _price(ticks: int | None, instrument: Instrument) -> Maybe[Number]:
    return UNSET if ticks is None else Number(instrument.price_text(ticks))


def _qty(lots: int | None, instrument: Instrument) -> Maybe[Number]:
    return UNSET if lots is None else Number(instrument.qty_text(lots))


def _moment(ts_ns: int | None) -> Maybe[str]:
    return UNSET if ts_ns is None else rfc3339_us(ts_ns)


def _deadline(command: Command) -> Maybe[str]:
    """With milliseconds, as the page has it; never later than asked."""
    return UNSET if command.deadline_ns is None else rfc3339_ms(command.deadline_ns)
