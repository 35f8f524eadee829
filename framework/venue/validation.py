"""Whether a request makes sense, before anything is done: what the protocol offers, what the pair and the mode allow.

Pure checks: each returns the reason for refusal, or None. Prices and quantities come as whole ticks and lots, so a
price off the grid is refused where text becomes ticks (``InstrumentSpec.ticks``), not here.

Rules: rest-api/add-order, rest-api/amend-order, guides/spot-amends (iceberg display), rest-api/get-system-status.
"""

from __future__ import annotations

import msgspec

from framework.messages import AddOrder
from framework.protocol import (
    BUY,
    Capabilities,
    ModeRule,
    NewOrders,
    OrderType,
    RejectReason,
    TimeInForce,
    TriggerReference,
    VenueLimits,
)
from framework.venue.book import Pair
from framework.venue.fees import PPM
from framework.venue.orders import MARKET_TYPES, TRAILING_TYPES, TRIGGER_TYPES

__all__ = [
    "display_refusal",
    "is_limit_offset",
    "is_price",
    "is_qty",
    "is_trail_offset",
    "mode_refusal",
    "order_refusal",
    "secondary_refusal",
    "support_refusal",
]

# What the matching kernel can hold; no market comes near, so whoever names more has made a mistake.
_PRICE_TICKS_MAX = 2**40
_LIMIT_OFFSET_TICKS_MAX = 2**38
_TRAIL_OFFSET_PPM_MAX = 10_000_000
_LIMIT_OFFSET_PPM_MIN = -PPM
_QTY_LOTS_MAX = 2**60 - 1
_LIMIT = OrderType.LIMIT
_GTC = TimeInForce.GTC
_PLAIN_TYPES = frozenset({OrderType.LIMIT, OrderType.ICEBERG})


def support_refusal(order: AddOrder, capabilities: Capabilities) -> RejectReason | None:
    """Whether the protocol offers what a new order asks for."""
    is_offered = (
        order.order_type in capabilities.order_types
        and order.time_in_force in capabilities.times_in_force
        and order.stp_mode in capabilities.stp_modes
        and (order.order_type not in TRIGGER_TYPES or order.trigger_reference in capabilities.trigger_references)
        and (capabilities.has_quote_qty or order.quote_qty is None)
        and (capabilities.has_post_only or not order.is_post_only)
        and (capabilities.has_reduce_only or not order.is_reduce_only)
        and (capabilities.has_start_time or order.start_ns is None)
        and (capabilities.has_validate_only or not order.is_validate_only)
        and (capabilities.has_secondary_orders or order.secondary is None)
    )
    return None if is_offered else RejectReason.NOT_SUPPORTED


def mode_refusal(
    order_type: OrderType, is_post_only: bool, is_reduce_only: bool, rule: ModeRule
) -> RejectReason | None:
    """Whether a mode lets a new order in."""
    admitted = rule.new_orders
    if admitted is NewOrders.ALL:
        return None
    if admitted is NewOrders.POST_ONLY:
        is_in = is_post_only and order_type in _PLAIN_TYPES
    elif admitted is NewOrders.LIMIT_ONLY:
        is_in = order_type in _PLAIN_TYPES
    else:
        is_in = admitted is NewOrders.REDUCE_ONLY and is_reduce_only
    return None if is_in else rule.reason or RejectReason.INTERNAL


def order_refusal(
    order: AddOrder, pair: Pair, limits: VenueLimits, market_ticks: int | None, now_ns: int
) -> RejectReason | None:
    """Whether a new order is one that the pair and the venue know.

    market_ticks: the price that the cost of an order without limit price is estimated at; None if there is no market.
    """
    if order.order_type is _LIMIT and order.time_in_force is _GTC and _is_bare(order):
        return _limit_refusal(order, pair)
    if order.order_type is OrderType.SETTLE_POSITION:
        return _settlement_refusal(order)
    return (
        _type_refusal(order)
        or _time_refusal(order, limits, now_ns)
        or _quantity_refusal(order, pair, limits, market_ticks)
    )


def secondary_refusal(order: AddOrder) -> RejectReason | None:
    """Whether an order that fills would make is one that the venue knows, whatever its quantity; an iceberg has nothing
    that would say what it shows.
    """
    if order.order_type in (OrderType.MARKET, OrderType.ICEBERG):
        return RejectReason.INVALID_ARGUMENTS
    return _type_refusal(order)


def _is_bare(order: AddOrder) -> bool:
    return (
        order.quote_qty is None
        and order.display_lots is None
        and order.trigger_ticks is None
        and order.trail_offset_ticks is None
        and order.trail_offset_ppm is None
        and order.limit_offset_ticks is None
        and order.limit_offset_ppm is None
        and order.expire_ns is None
        and not order.leverage
        and not order.is_reduce_only
    )


def _limit_refusal(order: AddOrder, pair: Pair) -> RejectReason | None:
    limit_ticks = order.limit_ticks
    if limit_ticks is None or not 0 < limit_ticks <= _PRICE_TICKS_MAX:
        return RejectReason.INVALID_PRICE
    if order.qty_lots < pair.min_qty_lots:
        return RejectReason.ORDER_MINIMUM
    if not is_qty(order.qty_lots):
        return RejectReason.INVALID_ARGUMENTS
    if limit_ticks * order.qty_lots * pair.cost_units < pair.min_cost_units:
        return RejectReason.COST_MINIMUM
    return None


def _type_refusal(order: AddOrder) -> RejectReason | None:
    order_type = order.order_type
    is_market = order_type in MARKET_TYPES
    if order.is_reduce_only and not order.leverage:
        return RejectReason.REDUCE_ONLY_NO_POSITION
    if order.leverage and order.quote_qty is not None:
        return RejectReason.INVALID_ARGUMENTS
    if order.quote_qty is not None and (
        order_type is not OrderType.MARKET or order.side != BUY or order.qty_lots != 0 or order.quote_qty <= 0
    ):
        return RejectReason.INVALID_ARGUMENTS
    if order.is_post_only and (is_market or order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)):
        return RejectReason.INVALID_ARGUMENTS
    if order.time_in_force is TimeInForce.FOK and is_market:
        return RejectReason.INVALID_ARGUMENTS
    if (order.display_lots is not None) != (order_type is OrderType.ICEBERG):
        return RejectReason.INVALID_ARGUMENTS
    return _price_refusal(order, is_market)


def _settlement_refusal(order: AddOrder) -> RejectReason | None:
    """Whether an order to settle a position has nothing but a side and a quantity, of which 0 is all that is open."""
    is_plain = (
        _is_bare(msgspec.structs.replace(order, leverage=0))
        and order.limit_ticks is None
        and order.time_in_force is _GTC
        and order.start_ns is None
        and order.secondary is None
        and not order.is_post_only
    )
    return None if is_plain and is_qty(order.qty_lots) else RejectReason.INVALID_ARGUMENTS


def _price_refusal(order: AddOrder, is_market: bool) -> RejectReason | None:
    order_type = order.order_type
    is_trailing = order_type in TRAILING_TYPES
    has_trigger = order_type in TRIGGER_TYPES and not is_trailing
    limits = (order.limit_ticks, order.limit_offset_ticks, order.limit_offset_ppm)
    limit_count = sum(limit is not None for limit in limits)
    has_offset = limits[1] is not None or limits[2] is not None
    if limit_count != int(not is_market) or (has_offset and order_type is not OrderType.TRAILING_STOP_LIMIT):
        return RejectReason.INVALID_PRICE
    if (order.trigger_ticks is not None) != has_trigger:
        return RejectReason.INVALID_PRICE
    if not is_price(order.limit_ticks) or not is_price(order.trigger_ticks):
        return RejectReason.INVALID_PRICE
    trail = (order.trail_offset_ticks, order.trail_offset_ppm)
    if not is_trail_offset(*trail) if is_trailing else trail != (None, None):
        return RejectReason.INVALID_PRICE
    if not is_limit_offset(order.limit_offset_ticks, order.limit_offset_ppm):
        return RejectReason.INVALID_PRICE
    if order.trigger_reference is TriggerReference.INDEX and order_type in TRIGGER_TYPES:
        return RejectReason.INDEX_UNAVAILABLE
    return None


def _time_refusal(order: AddOrder, limits: VenueLimits, now_ns: int) -> RejectReason | None:
    expire_ns = order.expire_ns
    if (expire_ns is not None) != (order.time_in_force is TimeInForce.GTD):
        return RejectReason.INVALID_ARGUMENTS
    if expire_ns is not None and not limits.expire_min_ns <= expire_ns - now_ns <= limits.expire_max_ns:
        return RejectReason.INVALID_ARGUMENTS
    if expire_ns is not None and order.start_ns is not None and expire_ns <= order.start_ns:
        return RejectReason.INVALID_ARGUMENTS
    return None


def _quantity_refusal(
    order: AddOrder, pair: Pair, limits: VenueLimits, market_ticks: int | None
) -> RejectReason | None:
    if order.leverage and order.qty_lots == 0:
        return None  # all that it closes
    price_ticks = order.limit_ticks or order.trigger_ticks or market_ticks
    if order.quote_qty is not None:
        cost = int(order.quote_qty.scaleb(pair.quote_decimals))
        lots = pair.min_qty_lots if price_ticks is None else cost // (price_ticks * pair.cost_units)
    else:
        lots = order.qty_lots
        cost = pair.min_cost_units if price_ticks is None else price_ticks * lots * pair.cost_units
    if lots < pair.min_qty_lots:
        return RejectReason.ORDER_MINIMUM
    if not is_qty(lots):
        return RejectReason.INVALID_ARGUMENTS
    if cost < pair.min_cost_units:
        return RejectReason.COST_MINIMUM
    if order.display_lots is not None:
        return display_refusal(order.display_lots, lots, limits)
    return None


def display_refusal(display_lots: int, remaining_lots: int, limits: VenueLimits) -> RejectReason | None:
    """Whether an iceberg may show so little of what remains (guides/spot-amends, "Iceberg Order Types")."""
    if display_lots <= 0 or not is_qty(display_lots) or display_lots * limits.iceberg_slices_max < remaining_lots:
        return RejectReason.INVALID_DISPLAY_QTY
    return None


def is_limit_offset(ticks: int | None, ppm: int | None) -> bool:
    """Whether a limit's distance from a trigger, if one is given, leaves a price."""
    if ppm is not None:
        return _LIMIT_OFFSET_PPM_MIN < ppm <= _TRAIL_OFFSET_PPM_MAX
    return ticks is None or abs(ticks) <= _LIMIT_OFFSET_TICKS_MAX


def is_trail_offset(ticks: int | None, ppm: int | None) -> bool:
    """Whether a trailing order's one distance is above zero and within bounds."""
    if (ticks is None) == (ppm is None):
        return False
    return 0 < ppm <= _TRAIL_OFFSET_PPM_MAX if ppm is not None else 0 < (ticks or 0) <= _PRICE_TICKS_MAX


def is_price(price_ticks: int | None) -> bool:
    """Whether a price, if one is given, is above zero and within what the kernel can hold."""
    return price_ticks is None or 0 < price_ticks <= _PRICE_TICKS_MAX


def is_qty(qty_lots: int) -> bool:
    """Whether a quantity is within what the kernel can hold."""
    return qty_lots <= _QTY_LOTS_MAX
