"""Orders over REST: a request becomes a command to the venue, its report becomes the ``result``.

Commands are made when a request has reached the engine, so that it is the orders, the last trade and the time there
that count.

Sources: rest-api/add-order, add-order-batch, amend-order, edit-order, cancel-order, cancel-order-batch,
cancel-all-orders, cancel-all-orders-after.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from typing import Any

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.orders import (
    OrderWords,
    add_order,
    amend_id,
    attachment_of,
    close_line,
    edited_attachment,
    encode_attachment,
)
from adapters.kraken.server.pairs import ServedPair
from adapters.kraken.server.refusal import Refusal, invalid
from adapters.kraken.server.rest.params import Params
from adapters.kraken.server.targets import Targets
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
from framework.protocol import Protocol
from framework.venue.amends import edited_order

__all__ = ["Pending", "Trading"]

_NS = 10**9
_CANCELS_MAX = 50


class Pending:
    """A command on its way, and how its acceptance is told.

    result: from the venue's acceptance to the ``result`` of the answer.
    """

    __slots__ = ("command", "result")

    def __init__(self, command: Command, result: Callable[[CommandAccepted], Any]) -> None:
        self.command = command
        self.result = result


class Trading:
    """Makes commands of requests; each method raises Refusal for what makes no sense before the venue has seen it.

    protocol: that the requests come by, which says what may be asked for. methods: by their names on REST, from
    account, parameters and the time at which the request was sent, from which its deadline is counted.
    """

    def __init__(self, context: ServerContext, protocol: Protocol = Protocol.REST) -> None:
        self._can = context.host.profile.protocols[protocol].capabilities
        self._context = context
        self._host = context.host
        self._pairs = context.pairs
        self._targets = Targets(context)
        self.methods: Mapping[str, Callable[[str, Params, int], Pending]] = {
            "AddOrder": self._add,
            "AddOrderBatch": self._add_batch,
            "AmendOrder": self._amend,
            "EditOrder": self._edit,
            "CancelOrder": self._cancel,
            "CancelOrderBatch": self._cancel_batch,
            "CancelAll": self._cancel_all,
            "CancelAllOrdersAfter": self._cancel_all_after,
        }

    # ------------------------------------------------------------------------------------------------- adds

    def _add(self, account: str, params: Params, sent_ns: int) -> Pending:
        pair = self._pairs.wanted(params.required("pair"))
        is_validate_only = params.flag("validate")
        command = self._order(params.text, pair, self._deadline_ns(params, sent_ns), is_validate_only=is_validate_only)

        def result(report: CommandAccepted) -> Any:
            described = {"descr": _description(command, pair)}
            return described if is_validate_only else {**described, "txid": list(report.order_ids)}

        return Pending(command, result)

    def _add_batch(self, account: str, params: Params, sent_ns: int) -> Pending:
        pair = self._pairs.wanted(params.required("pair"))
        items = params.objects("orders")
        is_validate_only = params.flag("validate")
        deadline_ns = self._deadline_ns(params, sent_ns)
        orders = tuple(self._order(item, pair, None, is_validate_only=is_validate_only) for item in items)
        command = AddBatch(
            request_id=self._host.next_request_id(),
            deadline_ns=deadline_ns,
            orders=orders,
            is_validate_only=is_validate_only,
        )

        def result(report: CommandAccepted) -> Any:
            ids = iter(report.order_ids)
            errors = report.errors or (None,) * len(orders)
            shown: list[dict[str, Any]] = []
            for order, error in zip(orders, errors, strict=True):
                if error is not None:
                    shown.append({"error": error})
                    continue
                described: dict[str, Any] = {"descr": _description(order, pair)}
                if not is_validate_only:
                    described = {"txid": next(ids), **described}
                shown.append(described)
            return {"orders": shown}

        return Pending(command, result)

    def _order(
        self, fields: Mapping[str, str], pair: ServedPair, deadline_ns: int | None, *, is_validate_only: bool
    ) -> AddOrder:
        last_ticks = self._context.last_ticks(pair.spec.symbol)
        request_id = self._host.next_request_id()
        command = add_order(
            fields, pair, request_id, self._host.now_ns, last_ticks, deadline_ns, is_validate_only=is_validate_only
        )
        if command.order_type not in self._can.order_types:
            raise invalid("ordertype")
        if command.time_in_force not in self._can.times_in_force:
            raise invalid("timeinforce")
        return command

    # ------------------------------------------------------------------------------------------------- changes

    def _amend(self, account: str, params: Params, sent_ns: int) -> Pending:
        order_id, cl_ord_id = params.get("txid"), params.get("cl_ord_id")
        if bool(order_id) == bool(cl_ord_id):
            raise invalid("txid")
        targets = self._targets
        order = targets.to_amend(account, order_id, cl_ord_id)
        command = AmendOrder(
            request_id=self._host.next_request_id(),
            deadline_ns=self._deadline_ns(params, sent_ns),
            order_id=order.order_id,
            qty_lots=targets.qty(order, "order_qty", params.get("order_qty")),
            display_lots=targets.qty(order, "display_qty", params.get("display_qty")),
            is_post_only=params.flag("post_only"),
            **targets.trigger(order, "trigger_price", params.get("trigger_price")),
            **targets.limit(order, "limit_price", params.get("limit_price")),
        )
        return Pending(command, lambda report: {"amend_id": amend_id(report.request_id)})

    def _edit(self, account: str, params: Params, sent_ns: int) -> Pending:
        pair = self._pairs.wanted(params.required("pair"))
        targets = self._targets
        order = targets.to_edit(account, params.required("txid"), pair)
        is_post_only = params.get("oflags") == "post"
        if params.get("oflags") not in ("", "post"):
            raise invalid("oflags")
        is_validate_only = params.flag("validate")
        params.flag("cancel_response")  # the new order is there at once, so there is nothing to tell of before it
        old = attachment_of(order)
        note = edited_attachment(
            old,
            userref=params.whole("userref", 0, -(2**31), 2**31 - 1),
            price=params.get("price"),
            price2=params.get("price2"),
            volume=params.get("volume"),
            is_post_only=is_post_only,
        )
        command = EditOrder(
            request_id=self._host.next_request_id(),
            deadline_ns=self._deadline_ns(params, sent_ns),
            order_id=order.order_id,
            qty_lots=targets.qty(order, "volume", params.get("volume")),
            display_lots=targets.qty(order, "displayvol", params.get("displayvol")),
            is_post_only=is_post_only,
            is_validate_only=is_validate_only,
            attachment=encode_attachment(note),
            **targets.edited(order, "price", params.get("price"), "price2", params.get("price2")),
        )
        wanted = edited_order(order, command)

        def result(report: CommandAccepted) -> Any:
            price, price2 = OrderWords.shown_prices(wanted, pair)
            volume = pair.qty(wanted.qty_lots)
            shown: dict[str, Any] = {
                "status": "ok",
                "originaltxid": order.order_id,
                "volume": volume,
                "price": price,
                "price2": price2,
                "orders_cancelled": 0 if is_validate_only else 1,
                "descr": {"order": OrderWords.line(wanted, pair, volume, price, price2, leverage=wanted.leverage)},
                "newuserref": str(note.userref) if note.userref else "",
                "olduserref": str(old.userref) if old.userref else "",
                "error_message": "",
            }
            return shown if is_validate_only else {"txid": report.order_ids[0], **shown}

        return Pending(command, result)

    # ------------------------------------------------------------------------------------------------- cancels

    def _cancel(self, account: str, params: Params, sent_ns: int) -> Pending:
        cl_ord_id, reference = params.get("cl_ord_id"), params.get("txid")
        if bool(cl_ord_id) == bool(reference):
            raise invalid("txid")
        request_id = self._host.next_request_id()
        if cl_ord_id:
            return Pending(CancelOrder(request_id=request_id, cl_ord_id=cl_ord_id), _count)
        ids = self._targets.ids(account, reference)
        if not ids:
            raise Refusal("EOrder:Unknown order")
        if len(ids) == 1:
            return Pending(CancelOrder(request_id=request_id, order_id=ids[0]), _count)
        return Pending(CancelBatch(request_id=request_id, order_ids=tuple(ids)), _count)

    def _cancel_batch(self, account: str, params: Params, sent_ns: int) -> Pending:
        order_ids: list[str] = []
        references = _references(params, "orders", "txid")
        cl_ord_ids = _references(params, "cl_ord_ids", "cl_ord_id")
        if not 0 < len(set(references)) + len(set(cl_ord_ids)) <= _CANCELS_MAX:
            raise invalid("orders")
        for reference in references:
            # A reference that no order has is passed over, as an unknown id is: only the count is told.
            order_ids += self._targets.ids(account, reference)
        command = CancelBatch(
            request_id=self._host.next_request_id(),
            order_ids=tuple(dict.fromkeys(order_ids)),
            cl_ord_ids=tuple(dict.fromkeys(cl_ord_ids)),
        )
        return Pending(command, lambda report: {"count": report.count or 0})

    def _cancel_all(self, account: str, params: Params, sent_ns: int) -> Pending:
        return Pending(CancelAll(request_id=self._host.next_request_id()), lambda report: {"count": report.count or 0})

    def _cancel_all_after(self, account: str, params: Params, sent_ns: int) -> Pending:
        params.required("timeout")
        timeout_s = params.whole("timeout", 0, 0, 2**31)
        command = CancelAllAfter(request_id=self._host.next_request_id(), timeout_s=timeout_s)

        def result(report: CommandAccepted) -> Any:
            trigger_ns = report.trigger_ns
            return {
                "currentTime": _second(report.ts_venue_ns),
                "triggerTime": "0" if trigger_ns is None else _second(trigger_ns),
            }

        return Pending(command, result)

    # ------------------------------------------------------------------------------------------------- arguments

    def _deadline_ns(self, params: Params, sent_ns: int) -> int | None:
        text = params.get("deadline")
        can = self._can
        if not text:
            return None if can.deadline_default_ns is None else sent_ns + can.deadline_default_ns
        deadline_ns = _moment_ns(text)
        ahead_ns = deadline_ns - sent_ns
        if ahead_ns > can.deadline_max_ns or 0 < ahead_ns < can.deadline_min_ns:
            raise invalid("deadline")
        return deadline_ns


def _description(command: AddOrder, pair: ServedPair) -> dict[str, str]:
    close = close_line(command.secondary, pair)
    return {"order": _line(command, pair), **({"close": close} if close else {})}


def _line(command: AddOrder, pair: ServedPair) -> str:
    note = attachment_of(command)
    price, price2 = OrderWords.shown_prices(command, pair)
    volume = OrderWords.volume(command, pair, note)
    return OrderWords.line(command, pair, volume, price, price2, leverage=command.leverage)


def _references(params: Params, name: str, inner: str) -> list[str]:
    raw = params.raw.get(name)
    if isinstance(raw, list) and raw and all(isinstance(each, dict) for each in raw):
        return [each.get(inner, "") for each in params.objects(name)]
    return params.items(name)


def _count(report: CommandAccepted) -> Any:
    return {"count": 1 if report.count is None else report.count}


def _second(ts_ns: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(-(-ts_ns // _NS)))


def _moment_ns(text: str) -> int:
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        seconds = int(moment.replace(microsecond=0).timestamp())
    except (ValueError, OverflowError):
        raise invalid("deadline") from None
    return seconds * _NS + moment.microsecond * 1000
