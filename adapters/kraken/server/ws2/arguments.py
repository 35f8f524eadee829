"""Arguments of WebSocket v2's trading methods: JSON values to what they mean; Refusal for those that mean nothing.

Numbers must be JSON numbers; they are read with their digits. Sources: websocket-v2/add_order, amend_order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.kraken.server.refusal import Refusal, invalid
from framework.protocol import OrderType

__all__ = [
    "deadline_ns",
    "flag",
    "limit_price",
    "list_of",
    "moment_ns",
    "number",
    "optional_text",
    "price",
    "text",
    "triggers",
    "whole",
]

_NS = 10**9
_DEADLINE_MIN_NS, _DEADLINE_NS, _DEADLINE_MAX_NS = _NS // 2, 5 * _NS, 60 * _NS


def deadline_ns(params: Mapping[str, Any], sent_ns: int) -> int:
    """When a request that was sent at a time is too late: five seconds after it, or as it says."""
    if "deadline" not in params:
        return sent_ns + _DEADLINE_NS
    late_ns = moment_ns(params["deadline"], "deadline")
    ahead_ns = late_ns - sent_ns
    if ahead_ns > _DEADLINE_MAX_NS or 0 < ahead_ns < _DEADLINE_MIN_NS:
        raise invalid("deadline")
    return late_ns


def moment_ns(value: Any, name: str) -> int:
    """A time in RFC 3339; raises Refusal for anything else."""
    try:
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        seconds = int(moment.replace(microsecond=0).timestamp())
    except (TypeError, ValueError, OverflowError):
        raise invalid(name) from None
    return seconds * _NS + moment.microsecond * 1000


def flag(params: Mapping[str, Any], name: str) -> bool:
    """A JSON truth value, false where there is none."""
    value = params.get(name, False)
    if not isinstance(value, bool):
        raise invalid(name)
    return value


def text(params: Mapping[str, Any], name: str) -> str:
    """A text that there must be."""
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(name)
    return value


def optional_text(value: Any) -> str:
    """The id of an order, "" for none."""
    if value is not None and not isinstance(value, str):
        raise invalid("order_id")
    return value or ""


def whole(params: Mapping[str, Any], name: str) -> int:
    """A whole number that there must be."""
    value = params.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(name)
    return value


def number(params: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A JSON number as text, with its digits, without an exponent; default: where it is not given, if it need not."""
    if default is not None and name not in params:
        return default
    value = params.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise Refusal(f"{name.capitalize()} field must be a number_float")
    if isinstance(value, Decimal) and abs(value.adjusted()) > 30:
        raise invalid(name)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def price(params: Mapping[str, Any], name: str, type_name: str = "", unit: str | None = None) -> str:
    """A price as REST writes it, "" where there is none: relative with a sign, a share with ``%``.

    type_name: of its unit, ``<name>_type`` if empty. unit: taken for ``static``, which is the default.
    """
    if name not in params:
        return ""
    value = number(params, name)
    type_name = type_name or f"{name}_type"
    kind = params.get(type_name, "static")
    if kind == "static" and unit is not None:
        kind = unit
    if kind == "static":
        if value.startswith("-"):
            raise invalid(name)
        return value
    if kind not in ("pct", "quote"):
        raise invalid(type_name)
    return f"{'' if value.startswith('-') else '+'}{value}{'%' if kind == 'pct' else ''}"


def triggers(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """What triggers an order; empty for nothing. The fields that ``triggers`` has replaced mean the same."""
    value = params.get("triggers")
    if value is None:
        if "stop_price" not in params:
            return {}
        return {"price": params["stop_price"], "reference": params.get("trigger", "last")}
    if not isinstance(value, dict):
        raise invalid("triggers")
    return value


def limit_price(params: Mapping[str, Any], kind: OrderType | None) -> str:
    """A limit price as REST writes it; only a trailing order's has a unit, ``quote`` where it is not given."""
    if "limit_price_type" in params and kind is not OrderType.TRAILING_STOP_LIMIT:
        if params["limit_price_type"] != "static":
            raise invalid("limit_price_type")
    elif kind is OrderType.TRAILING_STOP_LIMIT and "limit_price_type" not in params:
        return price({**params, "limit_price_type": "quote"}, "limit_price")
    return price(params, "limit_price")


def list_of(params: Mapping[str, Any], name: str) -> list[Any]:
    """The values of a list, or the one value that stands in its place."""
    value = params.get(name, [])
    return value if isinstance(value, list) else [value]
