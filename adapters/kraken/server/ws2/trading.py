"""Trading methods of WebSocket v2: parameters to commands.

Commands are made when a request has reached the engine, so that it is the orders, the last trade and the time there
that count; a deadline is counted from the time at which the request was sent. Numbers must be JSON numbers. A request
without a deadline has one of five seconds. Sources: websocket-v2/add_order,
amend_order, edit_order, cancel_order, cancel_all, cancel_after, batch_add, batch_cancel.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.orders import (
    add_order,
    amend_id,
    attachment_of,
    edited_attachment,
    encode_attachment,
    leverage_of_flag,
)
from adapters.kraken.server.pairs import ServedPair
from adapters.kraken.server.refusal import Refusal, invalid
from adapters.kraken.server.targets import Targets
from adapters.kraken.server.ws2 import arguments
from adapters.kraken.words import ORDER_TYPES
from framework.messages import (
    AddBatch,
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelBatch,
    CancelOrder,
    Command,
    CommandAccepted,
    EditOrder,
)
from framework.protocol import RejectReason
from framework.venue.orders import TRAILING_TYPES, TRIGGER_TYPES

__all__ = ["Request", "Ws2Trading"]

_NS = 10**9
_ITEM = """
order_type side order_qty limit_price limit_price_type triggers time_in_force margin post_only reduce_only
effective_time expire_time cl_ord_id order_userref conditional display_qty fee_preference stp_type cash_order_qty
sender_sub_id no_mpp stop_price trigger
"""
_ITEM_FIELDS = frozenset(_ITEM.split())
_FIELDS = {
    method: frozenset(names.split())
    for method, names in {
        "add_order": f"{_ITEM} symbol deadline validate token",
        "amend_order": """order_id cl_ord_id order_qty display_qty limit_price limit_price_type post_only trigger_price
            trigger_price_type deadline symbol token""",
        "edit_order": """order_id symbol order_qty limit_price display_qty triggers post_only reduce_only fee_preference
            order_userref deadline validate no_mpp token price trigger stop_price""",
        "cancel_order": "order_id cl_ord_id order_userref token",
        "cancel_all": "token",
        "cancel_all_orders_after": "timeout token",
        "batch_add": "symbol orders deadline validate token",
        "batch_cancel": "orders cl_ord_id token",
    }.items()
}

# The words are those of the one such warning that is known, of the channel of instruments.
_DEPRECATED = {
    "stop_price": "stop_price is deprecated, use triggers",
    "trigger": "trigger is deprecated, use triggers",
    "no_mpp": "no_mpp is deprecated",
}
_CLOSE_FIELDS = frozenset(
    ("order_type", "limit_price", "limit_price_type", "trigger_price", "trigger_price_type", "stop_price")
)

type Result = Callable[[CommandAccepted], Any]


class Request:
    """A command of a request, how its acceptance is told, and what else its answer names."""

    __slots__ = ("command", "named", "result")

    def __init__(self, command: Command, result: Result, named: Mapping[str, Any] | None = None) -> None:
        self.command = command
        self.result = result
        self.named = dict(named or {})


class Ws2Trading:
    """Makes requests of parameters; raises Refusal for what makes no sense before the venue has seen it."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._host = context.host
        self._pairs = context.pairs
        self._targets = Targets(context)
        self.methods: Mapping[str, Callable[[str, Mapping[str, Any], int], list[Request]]] = {
            "add_order": self._add,
            "amend_order": self._amend,
            "edit_order": self._edit,
            "cancel_order": self._cancel,
            "cancel_all": self._cancel_all,
            "cancel_all_orders_after": self._cancel_all_after,
            "batch_add": self._batch_add,
            "batch_cancel": self._batch_cancel,
        }

    def requests(self, method: str, account: str, params: Mapping[str, Any], sent_ns: int) -> list[Request]:
        """The requests that a message makes: one, or one for each order that it cancels. sent_ns: when it was sent."""
        for name in params:
            if name not in _FIELDS[method]:
                raise Refusal(f"Unsupported field: '{name}' for the given msg type: {method.replace('_', ' ')}")
        return self.methods[method](account, params, sent_ns)

    # ------------------------------------------------------------------------------------------------- adds

    def _add(self, account: str, params: Mapping[str, Any], sent_ns: int) -> list[Request]:
        pair = self._pair(params)
        is_validate_only = arguments.flag(params, "validate")
        command = self._order(params, pair, arguments.deadline_ns(params, sent_ns), is_validate_only=is_validate_only)

        def result(report: CommandAccepted) -> Any:
            return {"order_id": report.order_ids[0] if report.order_ids else "", **_echo(params)}

        return [Request(command, result)]

    def _batch_add(self, account: str, params: Mapping[str, Any], sent_ns: int) -> list[Request]:
        pair = self._pair(params)
        items = params.get("orders")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise invalid("orders")
        for item in items:
            for name in item:
                if name not in _ITEM_FIELDS:
                    raise Refusal(f"Unsupported field: '{name}' for the given msg type: batch add")
        is_validate_only = arguments.flag(params, "validate")
        orders = tuple(self._order(item, pair, None, is_validate_only=is_validate_only) for item in items)
        command = AddBatch(
            request_id=self._host.next_request_id(),
            deadline_ns=arguments.deadline_ns(params, sent_ns),
            orders=orders,
            is_validate_only=is_validate_only,
        )

        def result(report: CommandAccepted) -> Any:
            ids = iter(report.order_ids)
            errors = report.errors or (None,) * len(items)
            return [
                {"order_id": "" if is_validate_only else next(ids), **_echo(item)}
                if error is None
                else {"error": error, **_echo(item)}
                for item, error in zip(items, errors, strict=True)
            ]

        return [Request(command, result)]

    def _order(
        self, params: Mapping[str, Any], pair: ServedPair, deadline_ns: int | None, *, is_validate_only: bool
    ) -> AddOrder:
        return add_order(
            self._rest_fields(params, pair),
            pair,
            self._host.next_request_id(),
            self._host.now_ns,
            self._context.last_ticks(pair.spec.symbol),
            deadline_ns,
            is_validate_only=is_validate_only,
            has_static_limits=True,
        )

    def _rest_fields(self, params: Mapping[str, Any], pair: ServedPair) -> dict[str, str]:
        """An order by the names that REST has for the same things."""
        kind = arguments.text(params, "order_type")
        fields = {"type": arguments.text(params, "side"), "ordertype": kind}
        flags = []
        if "cash_order_qty" in params:
            fields["volume"] = arguments.number(params, "cash_order_qty")
            flags.append("viqc")
        elif "order_qty" in params:
            fields["volume"] = arguments.number(params, "order_qty")
        else:
            raise Refusal("Order_qty(s) not found")
        limit = arguments.limit_price(params, ORDER_TYPES.get(kind))
        triggers = arguments.triggers(params)
        if triggers:
            if ORDER_TYPES.get(kind) not in TRIGGER_TYPES:
                raise invalid("triggers")
            # A trailing order's trigger is a distance: without a unit, in the quote currency.
            fields["price"] = arguments.price(
                triggers, "price", "price_type", "quote" if kind.startswith("trailing") else None
            )
            fields["trigger"] = str(triggers.get("reference", "last"))
            if limit:
                fields["price2"] = limit
        elif limit:
            fields["price"] = limit
        elif kind in ("limit", "iceberg"):
            raise Refusal("Limit_price(s) not found")
        for name, rest_name in (("cl_ord_id", "cl_ord_id"), ("time_in_force", "timeinforce")):
            if name in params:
                fields[rest_name] = arguments.text(params, name)
        if "order_userref" in params:
            fields["userref"] = str(arguments.whole(params, "order_userref"))
        if "display_qty" in params:
            fields["displayvol"] = arguments.number(params, "display_qty")
        if "stp_type" in params:
            fields["stptype"] = arguments.text(params, "stp_type").replace("_", "-")
        for name, rest_name in (("expire_time", "expiretm"), ("effective_time", "starttm")):
            if name in params:
                fields[rest_name] = str(arguments.moment_ns(params[name], name) // _NS)
        if arguments.flag(params, "post_only"):
            flags.append("post")
        if fee := _fee_flag(params):
            flags.append(fee)
        if arguments.flag(params, "reduce_only"):
            fields["reduce_only"] = "true"
        if arguments.flag(params, "margin"):
            fields["leverage"] = str(leverage_of_flag(self._context, pair, fields["type"], "margin"))
        if "conditional" in params:
            fields |= _close_fields(params["conditional"])
        fields["oflags"] = ",".join(flags)
        return fields

    # ------------------------------------------------------------------------------------------------- changes

    def _amend(self, account: str, params: Mapping[str, Any], sent_ns: int) -> list[Request]:
        order_id, cl_ord_id = params.get("order_id"), params.get("cl_ord_id")
        if (order_id is None) == (cl_ord_id is None):
            raise invalid("order_id")
        targets = self._targets
        order = targets.to_amend(account, arguments.optional_text(order_id), arguments.optional_text(cl_ord_id))
        is_distance = order.is_trailing and not order.is_triggered
        trigger = arguments.price(params, "trigger_price", unit="quote" if is_distance else None)
        command = AmendOrder(
            request_id=self._host.next_request_id(),
            deadline_ns=arguments.deadline_ns(params, sent_ns),
            order_id=order.order_id,
            qty_lots=targets.qty(order, "order_qty", arguments.number(params, "order_qty", "")),
            display_lots=targets.qty(order, "display_qty", arguments.number(params, "display_qty", "")),
            is_post_only=arguments.flag(params, "post_only"),
            **targets.trigger(order, "trigger_price", trigger),
            **targets.limit(order, "limit_price", arguments.limit_price(params, order.order_type)),
        )
        named = {"order_id": order_id} if order_id is not None else {"cl_ord_id": cl_ord_id}
        return [Request(command, lambda report: {"amend_id": amend_id(report.request_id), **named})]

    def _edit(self, account: str, params: Mapping[str, Any], sent_ns: int) -> list[Request]:
        pair = self._pair(params)
        order_id = arguments.text(params, "order_id")
        targets = self._targets
        order = targets.to_edit(account, order_id, pair)
        is_reduce_only = arguments.flag(params, "reduce_only")
        if is_reduce_only and not order.leverage:
            raise Refusal(self._host.refusal_text(RejectReason.REDUCE_ONLY_NO_POSITION))
        unit = "quote" if order.is_trailing else None
        trigger = arguments.price(arguments.triggers(params), "price", "price_type", unit)
        limit, qty = arguments.limit_price(params, order.order_type), arguments.number(params, "order_qty", "")
        is_post_only = arguments.flag(params, "post_only")
        has_trigger = order.order_type in TRIGGER_TYPES
        fee = _fee_flag(params)
        if trigger and not has_trigger:
            raise invalid("triggers")
        price, price2 = (trigger, limit) if has_trigger else (limit, "")
        note = edited_attachment(
            attachment_of(order),
            userref=arguments.whole(params, "order_userref") if "order_userref" in params else 0,
            price=price,
            price2=price2,
            volume=qty,
            is_post_only=is_post_only,
            fee=fee,
        )
        command = EditOrder(
            request_id=self._host.next_request_id(),
            deadline_ns=arguments.deadline_ns(params, sent_ns),
            order_id=order.order_id,
            qty_lots=targets.qty(order, "order_qty", qty),
            display_lots=targets.qty(order, "display_qty", arguments.number(params, "display_qty", "")),
            is_post_only=is_post_only,
            is_validate_only=arguments.flag(params, "validate"),
            is_fee_in_base=fee == "fcib" if fee else None,
            is_reduce_only=is_reduce_only,
            attachment=encode_attachment(note),
            **targets.edited(order, "price" if has_trigger else "limit_price", price, "limit_price", price2),
        )

        def result(report: CommandAccepted) -> Any:
            warnings = _echo(params).get("warnings")
            told = {"order_id": report.order_ids[0] if report.order_ids else "", "original_order_id": order_id}
            return {**told, "warnings": warnings} if warnings else told

        return [Request(command, result)]

    # ------------------------------------------------------------------------------------------------- cancels

    def _cancel(self, account: str, params: Mapping[str, Any], sent_ns: int) -> list[Request]:
        requests = []
        for name in ("order_id", "cl_ord_id"):
            for reference in arguments.list_of(params, name):
                if not isinstance(reference, str):
                    raise invalid(name)
                command = CancelOrder(
                    request_id=self._host.next_request_id(),
                    order_id=reference if name == "order_id" else None,
                    cl_ord_id=reference if name == "cl_ord_id" else None,
                )
                requests.append(_cancel_request(command, {name: reference}))
        for userref in arguments.list_of(params, "order_userref"):
            if isinstance(userref, bool) or not isinstance(userref, int):
                raise invalid("order_userref")
            # What no open order has is an id that none has: the engine says so.
            for order_id in self._targets.ids_of_userref(account, userref) or [str(userref)]:
                command = CancelOrder(request_id=self._host.next_request_id(), order_id=order_id)
                requests.append(_cancel_request(command, {"order_userref": userref}))
        if not requests:
            raise invalid("order_id")
        return requests

    def _cancel_all(self, account: str, params: Mapping[str, Any], sent_ns: int) -> list[Request]:
        return [Request(CancelAll(request_id=self._host.next_request_id()), _count)]

    def _cancel_all_after(self, account: str, params: Mapping[str, Any], sent_ns: int) -> list[Request]:
        timeout_s = arguments.whole(params, "timeout")
        if timeout_s < 0:
            raise invalid("timeout")
        command = CancelAllAfter(request_id=self._host.next_request_id(), timeout_s=timeout_s)

        def result(report: CommandAccepted) -> Any:
            trigger_ns = report.trigger_ns
            return {
                "currentTime": _second(report.ts_venue_ns),
                "triggerTime": "0" if trigger_ns is None else _second(trigger_ns),
            }

        return [Request(command, result)]

    def _batch_cancel(self, account: str, params: Mapping[str, Any], sent_ns: int) -> list[Request]:
        order_ids: list[str] = []
        for reference in arguments.list_of(params, "orders"):
            order_ids += self._targets.ids(account, str(reference))
        command = CancelBatch(
            request_id=self._host.next_request_id(),
            order_ids=tuple(dict.fromkeys(order_ids)),
            cl_ord_ids=tuple(dict.fromkeys(str(each) for each in arguments.list_of(params, "cl_ord_id"))),
        )
        return [Request(command, _count)]

    # ------------------------------------------------------------------------------------------------- arguments

    def _pair(self, params: Mapping[str, Any]) -> ServedPair:
        symbol = params.get("symbol")
        if symbol is None:
            raise Refusal("Symbol(s) not found")
        pair = self._pairs.by_symbol.get(symbol) if isinstance(symbol, str) else None
        if pair is None:
            raise Refusal(f"Currency pair not supported {symbol}")
        return pair


def _fee_flag(params: Mapping[str, Any]) -> str:
    """The currency of fees as REST's flag for it, "" where it is not said."""
    if "fee_preference" not in params:
        return ""
    flag = {"base": "fcib", "quote": "fciq"}.get(arguments.text(params, "fee_preference"))
    if flag is None:
        raise invalid("fee_preference")
    return flag


def _close_fields(conditional: Any) -> dict[str, str]:
    """A conditional close by the names that REST has for the same things."""
    if not isinstance(conditional, dict):
        raise invalid("conditional")
    for name in conditional:
        if name not in _CLOSE_FIELDS:
            raise Refusal(f"Unsupported field: '{name}' for the given msg type: add order")
    word = arguments.text(conditional, "order_type")
    kind = ORDER_TYPES.get(word)
    limit = arguments.limit_price(conditional, kind)
    name = "trigger_price" if "trigger_price" in conditional else "stop_price"
    unit = "quote" if kind in TRAILING_TYPES else None
    trigger = arguments.price(conditional, name, "trigger_price_type", unit)
    first, second = (trigger, limit) if kind in TRIGGER_TYPES else (limit, "")
    return {"close[ordertype]": word, "close[price]": first, "close[price2]": second}


def _cancel_request(command: CancelOrder, named: dict[str, Any]) -> Request:
    return Request(command, lambda _: dict(named), named)


def _count(report: CommandAccepted) -> Any:
    return {"count": report.count or 0}


def _echo(params: Mapping[str, Any]) -> dict[str, Any]:
    warnings = [text for name, text in _DEPRECATED.items() if name in params]
    named = {name: params[name] for name in ("cl_ord_id", "order_userref") if name in params}
    return {**named, **({"warnings": warnings} if warnings else {})}


def _second(ts_ns: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(-(-ts_ns // _NS)))
