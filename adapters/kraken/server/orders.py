"""Kraken's order parameters to the venue's commands, and the venue's orders to Kraken's words.

Parameters come as text by their REST names, whatever protocol they came on.

Sources: rest-api/add-order, rest-api/get-open-orders, guides/spot-clordid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.pairs import ServedPair, fixed
from adapters.kraken.server.prices import PRICED as _PRICED
from adapters.kraken.server.prices import WITH_LIMIT as _WITH_LIMIT
from adapters.kraken.server.prices import close_terms, number, price_terms, qty_lots, whole
from adapters.kraken.server.refusal import invalid
from adapters.kraken.wire.digits import digits
from adapters.kraken.words import ORDER_TYPES, SIDE_WORDS, SIDES, TYPE_WORDS
from framework.messages import AddOrder, ExecutionReport, OrderState, SecondaryOrder
from framework.protocol import BUY, SELL, OrderType, StpMode, TimeInForce, TriggerReference
from framework.venue.orders import TRAILING_TYPES as _TRAILING
from framework.venue.orders import Order

__all__ = [
    "Attachment",
    "OrderWords",
    "TermWords",
    "Terms",
    "add_order",
    "amend_id",
    "attachment_of",
    "close_line",
    "distance",
    "edited_attachment",
    "encode_attachment",
    "fee_flag",
    "flags_of",
    "leverage_of_flag",
    "order_of",
    "term_words",
    "time_ns",
]

_STP = {
    "cancel-newest": StpMode.CANCEL_NEWEST,
    "cancel-oldest": StpMode.CANCEL_OLDEST,
    "cancel-both": StpMode.CANCEL_BOTH,
}
_TIMES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "GTD": TimeInForce.GTD}
_FLAGS = frozenset({"post", "fcib", "fciq", "nompp", "viqc"})
# guides/spot-clordid: a UUID with or without hyphens, or up to 18 characters of text.
_CL_ORD_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}|[ -~]{1,18}")
_NS = 10**9
_TIME_MAX_S = 2**63 // _NS
_NO_LEVERAGE = frozenset({"none", "", "0", "1"})
_LEVERAGE_MAX = 1_000
_UNPRICED = frozenset({OrderType.MARKET, OrderType.SETTLE_POSITION})
_STATES = {
    OrderState.PENDING_NEW: "pending",
    OrderState.NEW: "open",
    OrderState.PARTIALLY_FILLED: "open",
    OrderState.FILLED: "closed",
    OrderState.CANCELED: "canceled",
    OrderState.EXPIRED: "expired",
}


# A type in the one line that tells of an order, which has the limit of one that has both after an arrow.
_LINE_WORDS = {
    kind: "limit" if kind is OrderType.ICEBERG else word.removesuffix("-limit").replace("-", " ")
    for kind, word in TYPE_WORDS.items()
}


type Terms = AddOrder | Order | ExecutionReport
"""What an order is for: as it was asked for, as it is, or as it was when something happened to it."""


class Attachment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What of a request the venue does not need and its owner wants back.

    oflags: comma list, as given. exec_inst: FIX's ExecInst, as given.
    """

    userref: int = 0
    oflags: str = ""
    price: str = "0"
    price2: str = "0"
    volume: str = ""
    exec_inst: str = ""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Attachment)

encode_attachment: Callable[[Attachment], bytes] = _ENCODER.encode
"""An attachment as the venue keeps it."""


def attachment_of(order: AddOrder | Order) -> Attachment:
    """What came with an order; one that came by another way has the defaults."""
    return _DECODER.decode(order.attachment) if order.attachment else Attachment()


def edited_attachment(
    old: Attachment, *, userref: int, price: str, price2: str, volume: str, is_post_only: bool, fee: str = ""
) -> Attachment:
    """What goes with the new order of an edit: the old flags but post, which is said anew, and no old userref.

    fee: another ``fcib`` or ``fciq`` than the old one.
    """
    dropped = ("post", "fcib", "fciq") if fee else ("post",)
    flags = [flag for flag in old.oflags.split(",") if flag and flag not in dropped] + ([fee] if fee else [])
    return Attachment(
        userref=userref,
        oflags=",".join(["post", *flags] if is_post_only else flags),
        price=price or old.price,
        price2=price2 or old.price2,
        volume=volume or old.volume,
    )


def flags_of(order: Order) -> str:
    """The flags of an order as they are told: those given, or the one for the currency of its fees."""
    return attachment_of(order).oflags or fee_flag(order)


def fee_flag(order: Order) -> str:
    """``fcib`` or ``fciq``, by the currency that an order's fees are charged in."""
    return "fcib" if order.is_fee_in_base else "fciq"


def amend_id(request_id: int) -> str:
    """The id of an amend, made of the number of its request."""
    return f"TA{request_id // 10**9:04d}-{request_id // 10**6 % 1000:05d}-{request_id % 10**6:06d}"


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


class TermWords(NamedTuple):
    """What the words of an order's parameters mean, which most orders of a client have in common."""

    side: int
    kind: OrderType
    flags: frozenset[str]
    oflags: str
    stp_mode: StpMode
    time_in_force: TimeInForce
    trigger: TriggerReference
    is_reduce_only: bool
    is_fee_in_base: bool | None


@lru_cache(maxsize=1024)
def term_words(
    side: str, kind: str, oflags: str = "", stp: str = "", tif: str = "", trigger: str = "", reduce_only: str = ""
) -> TermWords:
    """The words of ``type``, ``ordertype``, ``oflags``, ``stptype``, ``timeinforce``, ``trigger`` and ``reduce_only``;
    "" for one that is not given. Raises Refusal for those that are none of Kraken's.
    """
    if side not in SIDES:
        raise invalid("type")
    if kind not in ORDER_TYPES:
        raise invalid("ordertype")
    flags = [flag for flag in oflags.split(",") if flag]
    if not _FLAGS.issuperset(flags) or ("fcib" in flags and "fciq" in flags):
        raise invalid("oflags")
    if (stp or "cancel-newest") not in _STP:
        raise invalid("stptype")
    if (tif or "GTC").upper() not in _TIMES:
        raise invalid("timeinforce")
    if trigger not in ("", "last", "index"):
        raise invalid("trigger")
    return TermWords(
        SIDES[side],
        ORDER_TYPES[kind],
        frozenset(flags),
        ",".join(flags),
        _STP[stp or "cancel-newest"],
        _TIMES[(tif or "GTC").upper()],
        TriggerReference.INDEX if trigger == "index" else TriggerReference.LAST,
        reduce_only.lower() == "true",
        True if "fcib" in flags else False if "fciq" in flags else None,
    )


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
    get = fields.get
    words = term_words(
        get("type", ""),
        get("ordertype", ""),
        get("oflags", ""),
        get("stptype", ""),
        get("timeinforce", ""),
        get("trigger", ""),
        get("reduce_only", ""),
    )
    leverage_text = get("leverage", "none")
    leverage = 0 if leverage_text in _NO_LEVERAGE else whole(leverage_text, "leverage", 2, _LEVERAGE_MAX)
    cl_ord_id, userref = get("cl_ord_id", ""), get("userref", "")
    secondary = _close(fields, pair, words.side, has_static_limits=has_static_limits)
    if cl_ord_id and secondary is not None:
        raise invalid("close")
    if cl_ord_id and userref:
        raise invalid("userref")
    if cl_ord_id and _CL_ORD_ID.fullmatch(cl_ord_id) is None:
        raise invalid("cl_ord_id")
    return order_of(
        words,
        pair,
        request_id,
        last_ticks,
        volume=get("volume", ""),
        price=get("price", ""),
        price2=get("price2", ""),
        displayed=get("displayvol", ""),
        cl_ord_id=cl_ord_id,
        userref=_userref(userref),
        deadline_ns=deadline_ns,
        expire_ns=time_ns(get("expiretm", ""), "expiretm", now_ns),
        start_ns=time_ns(get("starttm", ""), "starttm", now_ns),
        secondary=secondary,
        is_validate_only=is_validate_only,
        has_static_limits=has_static_limits,
        leverage=leverage,
    )


def order_of(
    words: TermWords,
    pair: ServedPair,
    request_id: int,
    last_ticks: int | None,
    *,
    volume: str,
    price: str,
    price2: str,
    displayed: str,
    cl_ord_id: str,
    deadline_ns: int | None,
    expire_ns: int | None,
    start_ns: int | None,
    userref: int = 0,
    exec_inst: str = "",
    secondary: SecondaryOrder | None = None,
    is_validate_only: bool = False,
    has_static_limits: bool = False,
    leverage: int = 0,
) -> AddOrder:
    """A new order of words that are known and numbers as text, "" for one that is not given; raises Refusal."""
    is_quote = "viqc" in words.flags
    time_in_force = words.time_in_force
    if expire_ns is not None and time_in_force is TimeInForce.GTC:
        time_in_force = TimeInForce.GTD
    return AddOrder(
        request_id=request_id,
        deadline_ns=deadline_ns,
        cl_ord_id=cl_ord_id,
        symbol=pair.spec.symbol,
        side=words.side,
        order_type=words.kind,
        qty_lots=0 if is_quote else qty_lots(volume, pair, "volume"),
        quote_qty=number(volume, "volume") if is_quote else None,
        display_lots=qty_lots(displayed, pair, "displayvol") if displayed else None,
        trigger_reference=words.trigger,
        time_in_force=time_in_force,
        expire_ns=expire_ns,
        start_ns=start_ns,
        stp_mode=words.stp_mode,
        is_post_only="post" in words.flags,
        is_reduce_only=words.is_reduce_only,
        is_validate_only=is_validate_only,
        is_fee_in_base=words.is_fee_in_base,
        attachment=encode_attachment(Attachment(userref, words.oflags, price or "0", price2 or "0", volume, exec_inst)),
        secondary=secondary,
        leverage=leverage,
        **price_terms(price, price2, pair, words.side, words.kind, last_ticks, has_static_limits=has_static_limits),
    )


def leverage_of_flag(context: ServerContext, pair: ServedPair, side: str, name: str) -> int:
    """The leverage of an order that only says that it is on margin; raises Refusal where it cannot be.

    side: buy or sell. name: of the flag. Source: websocket-v2/add_order, margin.
    """
    rules = context.host.profile.margin
    leverage = 0 if rules is None else rules.leverage_of_flag(pair.spec.symbol, SIDES.get(side, BUY))
    if not leverage:
        raise invalid(name)
    return leverage


def _close(fields: Mapping[str, str], pair: ServedPair, side: int, *, has_static_limits: bool) -> SecondaryOrder | None:
    """What each fill makes an order of; its owner finds it by the userref of the order that was filled (assumption)."""
    word = fields.get("close[ordertype]", "")
    if not word:
        if any(name == "close" or name.startswith("close[") for name in fields):
            raise invalid("close[ordertype]")
        return None
    kind = ORDER_TYPES.get(word)
    # An iceberg is on the list of types, but nothing says how much of it would be shown.
    if kind is None or kind in (*_UNPRICED, OrderType.ICEBERG):
        raise invalid("close[ordertype]")
    terms = close_terms(fields, pair, SELL if side == BUY else BUY, kind, has_static_limits=has_static_limits)
    note = encode_attachment(Attachment(userref=_userref(fields.get("userref", ""))))
    return SecondaryOrder(order_type=kind, attachment=note, **terms)


def _userref(text: str) -> int:
    if not text:
        return 0
    return whole(text, "userref", -(2**31), 2**31 - 1)


def distance(ticks: int | None, ppm: int | None, pair: ServedPair, decimals: int | None = None) -> str:
    """A distance with its sign: ``+150.0``, ``-1.5000%``; ``0`` for none. decimals: of prices, if not the pair's."""
    if ticks is None and ppm is None:
        return "0"
    text = pair.price(ticks or 0, decimals) if ppm is None else f"{digits(ppm, 4)}%"
    return text if text.startswith("-") else f"+{text}"


def close_line(template: SecondaryOrder | None, pair: ServedPair) -> str:
    """A conditional close in one line: ``close position @ stop loss 22000.0 -> limit 21000.0``; "" for none."""
    if template is None:
        return ""

    def shown(ticks: int | None, offset_ticks: int | None, offset_ppm: int | None) -> str:
        return distance(offset_ticks, offset_ppm, pair) if ticks is None else pair.price(ticks)

    kind = template.order_type
    limit = shown(template.limit_ticks, template.limit_offset_ticks, template.limit_offset_ppm)
    if kind in _PRICED:
        return f"close position @ {TYPE_WORDS[kind]} {limit}"
    trigger = shown(
        template.trigger_ticks,
        template.trail_offset_ticks if kind in _TRAILING else template.trigger_offset_ticks,
        template.trail_offset_ppm if kind in _TRAILING else template.trigger_offset_ppm,
    )
    words = TYPE_WORDS[kind].removesuffix("-limit").replace("-", " ")
    return f"close position @ {words} {trigger}" + (f" -> limit {limit}" if kind in _WITH_LIMIT else "")


class OrderWords:
    """How Kraken tells of an order, by the order's own pair."""

    @staticmethod
    def status(order: Order) -> str:
        """pending, open, closed, canceled or expired."""
        return _STATES[order.state]

    @staticmethod
    def line(
        terms: Terms,
        pair: ServedPair,
        volume: str,
        price: str,
        price2: str,
        name: str | None = None,
        *,
        leverage: int = 0,
    ) -> str:
        """The order in one line: ``buy 0.50000000 XBTUSD @ limit 64000.1``. name: of the pair, on REST if None."""
        kind = terms.order_type
        text = f"{SIDE_WORDS[terms.side]} {volume} {name or pair.names.rest} @ {_LINE_WORDS[kind]}"
        if kind not in _UNPRICED:
            text = f"{text} {price} -> limit {price2}" if kind in _WITH_LIMIT else f"{text} {price}"
        return f"{text} with {leverage}:1 leverage" if leverage else text

    @staticmethod
    def shown_prices(
        order: AddOrder | Order, pair: ServedPair, at: Terms | None = None, decimals: int | None = None
    ) -> tuple[str, str]:
        """``price`` and ``price2`` of a description; of a trailing order its distances.

        at: the order at the time that is told of, as it is now if None. decimals: of prices, as REST has them if None.
        """
        none = "0" if decimals is None else fixed(Decimal(0), decimals)
        kind, terms = order.order_type, at or order
        if kind is OrderType.LIMIT and terms.limit_ticks is not None:  # nearly all
            return pair.price(terms.limit_ticks, decimals), none

        def shown(ticks: int | None) -> str:
            return none if ticks is None else pair.price(ticks, decimals)

        if kind in _UNPRICED:
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
