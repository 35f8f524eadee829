"""Numbers, quantities and prices as text, to whole lots and ticks, exactly.

Prices may be relative to the last trade: ``+`` adds, ``-`` subtracts, ``#`` does what suits the side and type, ``%``
makes it a share (rest-api/add-order). Where that falls between two ticks the nearest one is taken, half away from the
last trade; distances of trailing orders are kept as they are given, and one finer than a millionth of the price is
refused. Both are assumptions: the page does not say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import TypedDict, cast

from adapters.kraken.server.pairs import LOT_DECIMALS, ServedPair
from adapters.kraken.server.refusal import Refusal, invalid
from framework.protocol import BUY, OrderType
from framework.venue.orders import TRAILING_TYPES

__all__ = [
    "PRICED",
    "WITH_LIMIT",
    "CloseTerms",
    "LimitTerms",
    "PriceTerms",
    "TriggerTerms",
    "close_terms",
    "number",
    "price_terms",
    "price_ticks",
    "qty_lots",
    "trailing_distance",
    "trailing_limit",
    "whole",
    "whole_ticks",
]

_STOPS = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT})
PRICED = frozenset({OrderType.LIMIT, OrderType.ICEBERG})
WITH_LIMIT = frozenset({OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT, OrderType.TRAILING_STOP_LIMIT})
# No price or quantity has more digits; longer text is not worth the time that its arithmetic takes.
_NUMBER = re.compile(r"(?=.{1,48}$)([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_EXACT = Context(prec=120)
_NOT_WHOLE = -1
_SIGNS = ("+", "-", "#")


def number(text: str, name: str) -> Decimal:
    """A plain decimal above or at 0; Refusal names the argument otherwise."""
    if _NUMBER.fullmatch(text) is None:
        raise invalid(name)
    return Decimal(text)


def whole(text: str, name: str, least: int, most: int) -> int:
    """A whole number within limits; Refusal names the argument otherwise."""
    bare = text.removeprefix("-")
    if not (bare.isascii() and bare.isdigit()) or len(bare) > 19 or not least <= int(text) <= most:
        raise invalid(name)
    return int(text)


def qty_lots(text: str, pair: ServedPair, name: str) -> int:
    """A quantity in lots; what is finer than a lot is refused."""
    lots = _steps(text, LOT_DECIMALS, pair.qty_units, name)
    if lots == _NOT_WHOLE:
        raise invalid(name)
    return lots


def price_ticks(text: str, pair: ServedPair, name: str, last_ticks: int | None, side: int, kind: OrderType) -> int:
    """A price in ticks, absolute or relative to the last trade.

    A price off the grid is refused where it is absolute, and rounded to the nearest tick where it is relative.
    """
    sign = text[0] if text[:1] in _SIGNS else ""
    if not sign:
        return whole_ticks(text, pair, name)
    is_share = text.endswith("%")
    value = number(text[1:].removesuffix("%"), name)
    if last_ticks is None:
        raise Refusal("EOrder:Invalid price")
    exact = _EXACT.multiply(value, last_ticks).scaleb(-2, _EXACT) if is_share else _EXACT.divide(value, pair.tick)
    offset = int(exact.to_integral_value(ROUND_HALF_UP, _EXACT))
    if sign == "#":
        sign = "+" if _is_up(side, kind) else "-"
    return last_ticks + offset if sign == "+" else last_ticks - offset


def price_terms(
    price: str,
    price2: str,
    pair: ServedPair,
    side: int,
    kind: OrderType,
    last_ticks: int | None,
    *,
    has_static_limits: bool,
) -> PriceTerms:
    """The prices of a new order, as arguments of its command, from ``price`` and ``price2``; "" for none.

    has_static_limits: as in ``add_order``.
    """
    if kind in (OrderType.MARKET, OrderType.SETTLE_POSITION):
        return {}
    if kind in TRAILING_TYPES:
        return _trailing_terms(price, price2, pair, kind, has_static_limits=has_static_limits)
    first = price_ticks(_given(price, "price"), pair, "price", last_ticks, side, kind)
    if kind in PRICED:
        return {"limit_ticks": first}
    if kind not in WITH_LIMIT:
        return {"trigger_ticks": first}
    second = price_ticks(_given(price2, "price2"), pair, "price2", last_ticks, side, kind)
    return {"trigger_ticks": first, "limit_ticks": second}


def close_terms(
    fields: Mapping[str, str], pair: ServedPair, side: int, kind: OrderType, *, has_static_limits: bool
) -> CloseTerms:
    """The prices of a conditional close, as arguments of its template, from ``close[price]`` and ``close[price2]``.

    side: of the close. What is relative to the last trade stays so: it is relative to each fill then.
    """
    name, name2 = "close[price]", "close[price2]"
    price, price2 = fields.get(name, ""), fields.get(name2, "")
    if kind in TRAILING_TYPES:
        trailing = _trailing_terms(price, price2, pair, kind, (name, name2), has_static_limits=has_static_limits)
        return cast("CloseTerms", trailing)
    what = "limit" if kind in PRICED else "trigger"
    terms = _close_term(_given(price, name), pair, name, what, side, kind)
    if kind in WITH_LIMIT:
        terms |= _close_term(_given(price2, name2), pair, name2, "limit", side, kind)
    return cast("CloseTerms", terms)


def _close_term(text: str, pair: ServedPair, name: str, what: str, side: int, kind: OrderType) -> dict[str, int]:
    if text.startswith("#"):
        text = ("+" if _is_up(side, kind) else "-") + text[1:]
    if text[:1] in ("+", "-"):
        return _distance(text, pair, name, f"{what}_offset")
    return {f"{what}_ticks": whole_ticks(text, pair, name)}


def _trailing_terms(
    price: str,
    price2: str,
    pair: ServedPair,
    kind: OrderType,
    names: tuple[str, str] = ("price", "price2"),
    *,
    has_static_limits: bool,
) -> PriceTerms:
    terms = cast("dict[str, int]", trailing_distance(price, pair, names[0]))
    if kind is OrderType.TRAILING_STOP_LIMIT:
        if price2[:1] not in ("+", "-") and not (has_static_limits and price2):
            raise invalid(names[1])
        terms |= cast("dict[str, int]", trailing_limit(price2, pair, names[1]))
    return cast("PriceTerms", terms)


def _given(text: str, name: str) -> str:
    if not text:
        raise invalid(name)
    return text


def _is_up(side: int, kind: OrderType) -> bool:
    """Which way ``#`` goes: a stop-loss lies where the price hurts, everything else where it is better than now."""
    return (side == BUY) == (kind in _STOPS)


class LimitTerms(TypedDict, total=False):
    """A limit, as an argument of a command: one of them, or none."""

    limit_ticks: int
    limit_offset_ticks: int
    limit_offset_ppm: int


class TrailTerms(TypedDict, total=False):
    """The distance of a trailing order, as an argument of a command."""

    trail_offset_ticks: int
    trail_offset_ppm: int


class TriggerTerms(TrailTerms, total=False):
    """A trigger, as an argument of a command: one of them, or none."""

    trigger_ticks: int


class PriceTerms(LimitTerms, TriggerTerms, total=False):
    """The prices of an order, as arguments of its command."""


class CloseTerms(PriceTerms, total=False):
    """The prices of a conditional close, as arguments of its template."""

    trigger_offset_ticks: int
    trigger_offset_ppm: int


def trailing_distance(text: str, pair: ServedPair, name: str) -> TrailTerms:
    """The distance of a trailing order from its best price, as an argument of its command; it has a ``+``."""
    if not text.startswith("+"):
        raise invalid(name)
    return cast("TrailTerms", _distance(text, pair, name, "trail_offset"))


def trailing_limit(text: str, pair: ServedPair, name: str) -> LimitTerms:
    """The limit of a trailing order, as an argument of its command: a distance from the trigger where it has a sign,
    in quote currency or (``%``) as a share, else a price.
    """
    if text[:1] in ("+", "-"):
        return cast("LimitTerms", _distance(text, pair, name, "limit_offset"))
    return {"limit_ticks": whole_ticks(text, pair, name)}


def _distance(text: str, pair: ServedPair, name: str, argument: str) -> dict[str, int]:
    """A signed distance, exact: ``+1.5%`` in millionths as ``<argument>_ppm``, ``+150`` as ``<argument>_ticks``."""
    sign = -1 if text.startswith("-") else 1
    if not text.endswith("%"):
        return {f"{argument}_ticks": sign * whole_ticks(text[1:], pair, name)}
    ppm = _EXACT.multiply(number(text[1:-1], name), 10_000)
    if ppm != int(ppm):
        raise invalid(name)
    return {f"{argument}_ppm": sign * int(ppm)}


def whole_ticks(text: str, pair: ServedPair, name: str) -> int:
    """A price or a distance in ticks; what lies between two is refused."""
    ticks = _steps(text, pair.pair_decimals, pair.price_units, name)
    if ticks == _NOT_WHOLE:
        raise Refusal("EOrder:Tick size check failed")
    return ticks


# Sizes come again and again, and so do prices around the touch.
@lru_cache(maxsize=4_096)
def _steps(text: str, decimals: int, units: int, name: str) -> int:
    """A plain decimal in steps of so many units of the last decimal; ``_NOT_WHOLE`` for what lies between two."""
    if _NUMBER.fullmatch(text) is None:
        raise invalid(name)
    head, _, tail = text.partition(".")
    if len(tail) > decimals:
        tail = tail.rstrip("0")
        if len(tail) > decimals:
            return _NOT_WHOLE
    steps, rest = divmod(int(head + tail.ljust(decimals, "0")), units)
    return _NOT_WHOLE if rest else steps
