"""Trading events of WebSocket v1: they become the requests of REST, whose names and answers are all but the same.

A pair is known by its ``wsname`` alone. What an event asks for beyond the fields of its page is passed over, as on
REST. The text that describes an edit names what was changed of price and volume: one example is all that is known.

Sources: websocket-v1/addorder, editorder, amendorder, cancelorder, cancelall, cancelallordersafter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.orders import leverage_of_flag
from adapters.kraken.server.pairs import fixed
from adapters.kraken.server.refusal import Refusal, invalid
from adapters.kraken.server.rest.endpoints import ENDPOINTS
from adapters.kraken.server.rest.params import Params, json_params
from adapters.kraken.server.rest.trading import Pending, Trading
from adapters.kraken.server.targets import Targets
from adapters.kraken.server.ws1.subscriptions import pair_named
from framework.messages import CancelOrder, CommandAccepted
from framework.protocol import Protocol

__all__ = ["TRADING_EVENTS", "TradingEvent", "Ws1Trading"]

_EDIT_DECIMALS = 8


class TradingEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of event. method: the request on REST. names: of its parameters there, by those of the event."""

    method: str
    names: Mapping[str, str]

    @property
    def permissions(self) -> tuple[tuple[str, ...], ...]:
        """What the key must be allowed: one of each group."""
        return ENDPOINTS[self.method].permissions


def _same(names: str, **others: str) -> dict[str, str]:
    return {**{name: name for name in names.split()}, **others}


TRADING_EVENTS: Mapping[str, TradingEvent] = {
    "addOrder": TradingEvent(
        method="AddOrder",
        names=_same(
            """ordertype type pair price price2 volume leverage reduce_only oflags starttm expiretm deadline cl_ord_id
            userref validate timeinforce close close[ordertype] close[price] close[price2]""",
            stp_type="stptype",
            display_volume="displayvol",
        ),
    ),
    "editOrder": TradingEvent(
        method="EditOrder",
        names=_same("pair price price2 volume oflags validate", orderid="txid", newuserref="userref"),
    ),
    "amendOrder": TradingEvent(
        method="AmendOrder",
        names=_same(
            "txid cl_ord_id limit_price trigger_price post_only deadline",
            volume="order_qty",
            display_volume="display_qty",
        ),
    ),
    "cancelOrder": TradingEvent(method="CancelOrder", names=_same("txid cl_ord_id")),
    "cancelAll": TradingEvent(method="CancelAll", names={}),
    "cancelAllOrdersAfter": TradingEvent(method="CancelAllOrdersAfter", names=_same("timeout")),
}
"""The events by name."""


class Ws1Trading:
    """Makes commands of events, when they have reached the engine."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._host = context.host
        self._pairs = context.pairs
        self._targets = Targets(context)
        self._can = context.host.profile.protocols[Protocol.WS1].capabilities
        self._methods = Trading(context, Protocol.WS1).methods
        self._answers: Mapping[str, Callable[[Params, Any], dict[str, Any]]] = {
            "addOrder": _added,
            "editOrder": _edited,
            "amendOrder": _amended,
            "cancelAll": lambda _, result: dict(result),
            "cancelAllOrdersAfter": lambda _, result: dict(result),
        }

    def requests(self, event: str, account: str, message: Mapping[str, Any], sent_ns: int) -> Sequence[Pending]:
        """The commands of an event: one, or one for each order that it cancels. Their results are the fields of the
        event's status. sent_ns: when it was sent.

        Raises Refusal for what makes no sense.
        """
        names = TRADING_EVENTS[event].names
        try:
            return self._requests(event, account, message, sent_ns)
        except Refusal as refusal:
            head, colon, name = refusal.text.rpartition(":")
            mine = {rest: own for own, rest in names.items()}
            raise Refusal(f"{head}{colon}{mine.get(name, name)}") from None

    def _requests(self, event: str, account: str, message: Mapping[str, Any], sent_ns: int) -> list[Pending]:
        kind = TRADING_EVENTS[event]
        params = json_params({rest: message[name] for name, rest in kind.names.items() if name in message})
        if event == "cancelOrder":
            return self._cancels(account, params)
        if "pair" in params.text:
            params = params.with_text(pair=pair_named(params.text["pair"], self._pairs).names.rest)
        if event == "addOrder":
            params = params.with_text(stptype=params.get("stptype").replace("_", "-"))
            if message.get("margin") in (True, "true") and not params.get("leverage"):
                pair = self._pairs.wanted(params.required("pair"))
                leverage = leverage_of_flag(self._context, pair, params.get("type"), "margin")
                params = params.with_text(leverage=str(leverage))
        pending = self._methods[kind.method](account, params, sent_ns)
        answer, result = self._answers[event], pending.result
        return [Pending(pending.command, lambda report: answer(params, result(report)))]

    def _cancels(self, account: str, params: Params) -> list[Pending]:
        """A command for each order. What no open order has is an id that none has: the engine says so."""
        references, cl_ord_ids = params.items("txid"), params.items("cl_ord_id")
        if not 0 < len(references) + len(cl_ord_ids) <= self._can.batch_cancel_max:
            raise invalid("txid")
        ids = self._targets.ids
        order_ids = [order_id for each in references for order_id in ids(account, each) or [each]]
        number = self._host.next_request_id
        commands = [CancelOrder(request_id=number(), order_id=each) for each in order_ids]
        commands += [CancelOrder(request_id=number(), cl_ord_id=each) for each in cl_ord_ids]
        return [Pending(command, _nothing) for command in commands]


def _nothing(_: CommandAccepted) -> dict[str, Any]:
    return {}


def _added(params: Params, result: Any) -> dict[str, Any]:
    order_ids = result.get("txid")
    return {
        "descr": result["descr"]["order"],
        "txid": order_ids[0] if order_ids else None,
        "cl_ord_id": params.get("cl_ord_id") or None,
    }


def _edited(params: Params, result: Any) -> dict[str, Any]:
    changes = [f"{name} = {_shown(result[name])}" for name in ("price", "price2", "volume") if params.get(name)]
    return {
        "descr": f"order edited {', '.join(changes)}".rstrip(),
        "originaltxid": result["originaltxid"],
        "txid": result.get("txid"),
    }


def _shown(text: str) -> str:
    """A number with eight decimals; a distance stays as it was given."""
    return text if text[:1] in ("+", "-") else fixed(Decimal(text), _EDIT_DECIMALS)


def _amended(params: Params, result: Any) -> dict[str, Any]:
    named = {name: params.get(name) or None for name in ("txid", "cl_ord_id")}
    return {"amend_id": result["amend_id"], **named}
