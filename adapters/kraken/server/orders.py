"""Kraken's order parameters to the venue's commands, and the venue's orders to Kraken's words.

Parameters come as text by their REST names, whatever protocol they came on. Prices may be relative to the last trade:
``+`` adds, ``-`` subtracts, ``#`` does what suits the side and type, ``%`` makes it a share (rest-api/add-order). Where
that falls between two ticks the nearest one is taken, half away from the last trade; distances of trailing orders are
kept as they are given, and one finer than a millionth of the price is refused. Both are assumptions: the page does not
say.

Sources: rest-api/add-order, rest-api/get-open-orders, guides/spot-clordid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TypedDict, cast

import msgspec

from adapters.kraken.server.pairs import LOT_DECIMALS, ServedPair, fixed
from adapters.kraken.server.refusal import Refusal, invalid
from adapters.kraken.wire.digits import digits
from framework.messages import AddOrder, ExecutionReport, OrderState
from framework.protocol import BUY, SELL, OrderType, StpMode, TimeInForce, TriggerReference
from framework.venue.orders import Order

__all__ = [
    "Attachment",
    "LimitTerms",
    "OrderWords",
    "Terms",
    "add_order",
    "amend_id",
    "attachment_of",
    "distance",
    "edited_attachment",
    "encode_attachment",
    "number",
    "price_ticks",
    "qty_lots",
    "time_ns",
    "trailing_limit",
    "whole",
]

ORDER_TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "iceberg": OrderType.ICEBERG,
    "stop-loss": OrderType.STOP_LOSS,
    "stop-loss-limit": OrderType.STOP_LOSS_LIMIT,
    "take-profit": OrderType.TAKE_PROFIT,
    "take-profit-limit": OrderType.TAKE_PROFIT_LIMIT,
    "trailing-stop": OrderType.TRAILING_STOP,
    "trailing-stop-limit": OrderType.TRAILING_STOP_LIMIT,
}
TYPE_WORDS = {kind: word for word, kind in ORDER_TYPES.items()}
SIDES = {"buy": BUY, "sell": SELL}
SIDE_WORDS = {BUY: "buy", SELL: "sell"}
_STP = {
    "cancel-newest": StpMode.CANCEL_NEWEST,
    "cancel-oldest": StpMode.CANCEL_OLDEST,
    "cancel-both": StpMode.CANCEL_BOTH,
}
_TIMES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "GTD": TimeInForce.GTD}
_FLAGS = frozenset({"post", "fcib", "fciq", "nompp", "viqc"})
_PRICED = frozenset({OrderType.LIMIT, OrderType.ICEBERG})
_STOPS = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT})
_TRAILING = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})
_WITH_LIMIT = frozenset({OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT, OrderType.TRAILING_STOP_LIMIT})
# No price or quantity has more digits; longer text is not worth the time that its arithmetic takes.
_NUMBER = re.compile(r"(?=.{1,48}$)([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_EXACT = Context(prec=120)
_NOT_WHOLE = -1
# guides/spot-clordid: a UUID with or without hyphens, or up to 18 characters of text.
_CL_ORD_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}|[ -~]{1,18}")
_SIGNS = ("+", "-", "#")
_CLOSE = ("close", "close[ordertype]", "close[price]", "close[price2]")
_NS = 10**9
_TIME_MAX_S = 2**63 // _NS
_STATES = {
    OrderState.PENDING_NEW: "pending",
    OrderState.NEW: "open",
    OrderState.PARTIALLY_FILLED: "open",
    OrderState.FILLED: "closed",
    OrderState.CANCELED: "canceled",
    OrderState.EXPIRED: "expired",
}


type Terms = AddOrder | Order | ExecutionReport
"""What an order is for: as it was asked for, as it is, or as it was when something happened to it."""


class Attachment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What of a request the venue does not need and its owner wants back. oflags: comma list, as given."""

    userref: int = 0
    oflags: str = ""
    price: str = "0"
    price2: str = "0"
    volume: str = ""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Attachment)

encode_attachment: Callable[[Attachment], bytes] = _ENCODER.encode
"""An attachment as the venue keeps it."""


def attachment_of(order: AddOrder | Order) -> Attachment:
    """What came with an order; one that came by another way has the defaults."""
    return _DECODER.decode(order.attachment) if order.attachment else Attachment()


def edited_attachment(
    old: Attachment, *, userref: int, price: str, price2: str, volume: str, is_post_only: bool
) -> Attachment:
    """What goes with the new order of an edit: the old flags but post, which is said anew, and no old userref."""
    flags = [flag for flag in old.oflags.split(",") if flag and flag != "post"]
    return Attachment(
        userref=userref,
        oflags=",".join(["post", *flags] if is_post_only else flags),
        price=price or old.price,
        price2=price2 or old.price2,
        volume=volume or old.volume,
    )


def amend_id(request_id: int) -> str:
    """The id of an amend, made of the number of its request."""
    return f"TA{request_id // 10**9:04d}-{request_id // 10**6 % 1000:05d}-{request_id % 10**6:06d}"


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


def price_ticks(text: str, pair: ServedPair, name: str, last_ticks: int | None, side: int, kind: OrderType) -> int:
    """A price in ticks, absolute or relative to the last trade.

    A price off the grid is refused where it is absolute, and rounded to the nearest tick where it is relative.
    """
    sign = text[0] if text[:1] in _SIGNS else ""
    if not sign:
        return _whole_ticks(text, pair, name)
    is_share = text.endswith("%")
    value = number(text[1:].removesuffix("%"), name)
    if last_ticks is None:
        raise Refusal("EOrder:Invalid price")
    exact = _EXACT.multiply(value, last_ticks).scaleb(-2, _EXACT) if is_share else _EXACT.divide(value, pair.tick)
    offset = int(exact.to_integral_value(ROUND_HALF_UP, _EXACT))
    if sign == "#":
        is_up = (side == BUY) == (kind in _STOPS)
        sign = "+" if is_up else "-"
    return last_ticks + offset if sign == "+" else last_ticks - offset


def time_ns(text: str, name: str, now_ns: int) -> int | None:
    """``starttm`` and ``expiretm``: 0 for none, seconds since the epoch, or ``+n`` seconds from now."""
    if text in ("", "0"):
        return None
    bare = text.removeprefix("+")
    if not (bare.isascii() and bare.isdigit()) or len(bare) > 12:
        raise invalid(name)
    if int(bare) >= _TIME_MAX_S:
        raise invalid(name)
    return int(bare) * _NS + (now_ns if text.startswith("+") else 0)


def add_order(
    fields: Mapping[str, str],
    pair: ServedPair,
    request_id: int,
    now_ns: int,
    last_ticks: int | None,
    deadline_ns: int | None,
    *,
    is_validate_only: bool,
    has_static_limits: bool = False,
) -> AddOrder:
    """A new order from its parameters; raises Refusal for what makes no sense before the venue has seen it.

    has_static_limits: the limit of a trailing order may be a price, and not only its distance from the trigger.
    """
    side = SIDES.get(fields.get("type", ""))
    kind = ORDER_TYPES.get(fields.get("ordertype", ""))
    if side is None:
        raise invalid("type")
    if kind is None:
        raise invalid("ordertype")
    flags = [flag for flag in fields.get("oflags", "").split(",") if flag]
    if not _FLAGS.issuperset(flags):
        raise invalid("oflags")
    if fields.get("leverage", "none") not in ("none", "", "0", "1"):
        raise Refusal("EOrder:Insufficient margin")
    if any(name in fields for name in _CLOSE):
        raise invalid("close")
    cl_ord_id, userref = fields.get("cl_ord_id", ""), fields.get("userref", "")
    if cl_ord_id and userref:
        raise invalid("userref")
    if cl_ord_id and _CL_ORD_ID.fullmatch(cl_ord_id) is None:
        raise invalid("cl_ord_id")
    stp, tif = fields.get("stptype") or "cancel-newest", (fields.get("timeinforce") or "GTC").upper()
    if stp not in _STP:
        raise invalid("stptype")
    if tif not in _TIMES:
        raise invalid("timeinforce")
    expire_ns = time_ns(fields.get("expiretm", ""), "expiretm", now_ns)
    time_in_force = TimeInForce.GTD if expire_ns is not None and tif == "GTC" else _TIMES[tif]
    trigger = fields.get("trigger") or "last"
    if trigger not in ("last", "index"):
        raise invalid("trigger")
    volume = fields.get("volume", "")
    is_quote = "viqc" in flags
    prices = _prices(fields, pair, side, kind, last_ticks, has_static_limits=has_static_limits)
    display = fields.get("displayvol")
    return AddOrder(
        request_id=request_id,
        deadline_ns=deadline_ns,
        cl_ord_id=cl_ord_id,
        symbol=pair.spec.symbol,
        side=side,
        order_type=kind,
        qty_lots=0 if is_quote else qty_lots(volume, pair, "volume"),
        quote_qty=number(volume, "volume") if is_quote else None,
        display_lots=qty_lots(display, pair, "displayvol") if display else None,
        trigger_reference=TriggerReference.INDEX if trigger == "index" else TriggerReference.LAST,
        time_in_force=time_in_force,
        expire_ns=expire_ns,
        start_ns=time_ns(fields.get("starttm", ""), "starttm", now_ns),
        stp_mode=_STP[stp],
        is_post_only="post" in flags,
        is_reduce_only=fields.get("reduce_only", "false").lower() == "true",
        is_validate_only=is_validate_only,
        attachment=encode_attachment(
            Attachment(
                userref=_userref(userref),
                oflags=",".join(flags),
                price=fields.get("price") or "0",
                price2=fields.get("price2") or "0",
                volume=volume,
            )
        ),
        **prices,
    )


def _userref(text: str) -> int:
    if not text:
        return 0
    return whole(text, "userref", -(2**31), 2**31 - 1)


def _prices(
    fields: Mapping[str, str],
    pair: ServedPair,
    side: int,
    kind: OrderType,
    last_ticks: int | None,
    *,
    has_static_limits: bool,
) -> dict[str, int]:
    price, price2 = fields.get("price", ""), fields.get("price2", "")
    prices: dict[str, int] = {}
    if kind in _TRAILING:
        if not price.startswith("+"):
            raise invalid("price")
        prices |= _distance(price, pair, "price", "trail_offset")
        if kind is OrderType.TRAILING_STOP_LIMIT:
            if price2[:1] not in ("+", "-") and not (has_static_limits and price2):
                raise invalid("price2")
            prices |= cast("dict[str, int]", trailing_limit(price2, pair, "price2"))
        return prices
    if kind is OrderType.MARKET:
        return prices
    if not price:
        raise invalid("price")
    first = price_ticks(price, pair, "price", last_ticks, side, kind)
    prices["limit_ticks" if kind in _PRICED else "trigger_ticks"] = first
    if kind in _WITH_LIMIT:
        if not price2:
            raise invalid("price2")
        prices["limit_ticks"] = price_ticks(price2, pair, "price2", last_ticks, side, kind)
    return prices


class LimitTerms(TypedDict, total=False):
    """A limit, as an argument of a command: one of them, or none."""

    limit_ticks: int
    limit_offset_ticks: int
    limit_offset_ppm: int


def trailing_limit(text: str, pair: ServedPair, name: str) -> LimitTerms:
    """The limit of a trailing order, as an argument of its command: a distance from the trigger where it has a sign,
    in quote currency or (``%``) as a share, else a price.
    """
    if text[:1] in ("+", "-"):
        return cast("LimitTerms", _distance(text, pair, name, "limit_offset"))
    return {"limit_ticks": _whole_ticks(text, pair, name)}


def _distance(text: str, pair: ServedPair, name: str, argument: str) -> dict[str, int]:
    """A signed distance, exact: ``+1.5%`` in millionths as ``<argument>_ppm``, ``+150`` as ``<argument>_ticks``."""
    sign = -1 if text.startswith("-") else 1
    if not text.endswith("%"):
        return {f"{argument}_ticks": sign * _whole_ticks(text[1:], pair, name)}
    ppm = _EXACT.multiply(number(text[1:-1], name), 10_000)
    if ppm != int(ppm):
        raise invalid(name)
    return {f"{argument}_ppm": sign * int(ppm)}


def _whole_ticks(text: str, pair: ServedPair, name: str) -> int:
    ticks = _steps(text, pair.pair_decimals, pair.price_units, name)
    if ticks == _NOT_WHOLE:
        raise Refusal("EOrder:Tick size check failed")
    return ticks


def distance(ticks: int | None, ppm: int | None, pair: ServedPair, decimals: int | None = None) -> str:
    """A distance with its sign: ``+150.0``, ``-1.5000%``; ``0`` for none. decimals: of prices, if not the pair's."""
    if ticks is None and ppm is None:
        return "0"
    text = pair.price(ticks or 0, decimals) if ppm is None else f"{digits(ppm, 4)}%"
    return text if text.startswith("-") else f"+{text}"


class OrderWords:
    """How Kraken tells of an order, by the order's own pair."""

    @staticmethod
    def status(order: Order) -> str:
        """pending, open, closed, canceled or expired."""
        return _STATES[order.state]

    @staticmethod
    def line(terms: Terms, pair: ServedPair, volume: str, price: str, price2: str, name: str | None = None) -> str:
        """The order in one line: ``buy 0.50000000 XBTUSD @ limit 64000.1``. name: of the pair, on REST if None."""
        kind = terms.order_type
        text = f"{SIDE_WORDS[terms.side]} {volume} {name or pair.names.rest} @ {TYPE_WORDS[kind].replace('-', ' ')}"
        if kind is OrderType.MARKET:
            return text
        text = text.replace("stop loss limit", "stop loss").replace("take profit limit", "take profit")
        text = text.replace("trailing stop limit", "trailing stop").replace("iceberg", "limit")
        text += f" {price}"
        return f"{text} -> limit {price2}" if kind in _WITH_LIMIT else text

    @staticmethod
    def shown_prices(
        order: AddOrder | Order, pair: ServedPair, at: Terms | None = None, decimals: int | None = None
    ) -> tuple[str, str]:
        """``price`` and ``price2`` of a description; of a trailing order its distances.

        at: the order at the time that is told of, as it is now if None. decimals: of prices, as REST has them if None.
        """
        none = "0" if decimals is None else fixed(Decimal(0), decimals)

        def shown(ticks: int | None) -> str:
            return none if ticks is None else pair.price(ticks, decimals)

        kind, terms = order.order_type, at or order
        if kind is OrderType.MARKET:
            return none, none
        limit = shown(terms.limit_ticks)
        if kind in _TRAILING:
            if terms.limit_ticks is None:
                limit = distance(order.limit_offset_ticks, order.limit_offset_ppm, pair, decimals)
            return distance(order.trail_offset_ticks, order.trail_offset_ppm, pair, decimals), limit
        if kind in _PRICED:
            return limit, none
        return shown(terms.trigger_ticks), limit if kind in _WITH_LIMIT else none

    @staticmethod
    def volume(terms: Terms, pair: ServedPair, note: Attachment) -> str:
        """The volume of a description: in quote currency where it was given so."""
        if "viqc" in note.oflags.split(","):
            return fixed(Decimal(note.volume), 8)
        return pair.qty(terms.qty_lots)
