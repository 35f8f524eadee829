"""Kraken Spot as data.

``PROFILE`` states everything that the simulated venue and the desk need to know of the exchange;
``PROFILE.source(path)`` names the page of each value. How pages are named: ``adapters/kraken/protocols.py``.
"""

from __future__ import annotations

from adapters.kraken.errors import ERROR_SOURCES, ERROR_TEXTS
from adapters.kraken.margin import MARGIN, MARGIN_SOURCES
from adapters.kraken.protocols import PROTOCOL_SOURCES, PROTOCOLS
from adapters.kraken.roads import LATENCY_TIERS, ROAD_SOURCES, ROADS
from adapters.kraken.switches import SWITCHES
from framework.protocol import (
    POINT,
    AmendPriority,
    FeeTier,
    ModeRule,
    NewOrders,
    RateCheck,
    RateSchedule,
    RejectReason,
    Tier,
    VenueLimits,
    VenueMode,
    VenueProfile,
)

__all__ = ["PROFILE"]

_SECOND_NS = 1_000_000_000

# One point per second in POINT units per nanosecond.
_PER_SECOND = POINT // _SECOND_NS

_RATES = RateSchedule(
    add_fixed=POINT,
    amend_fixed=POINT,
    edit_fixed=POINT,
    cancel_fixed=0,
    batch_add_per_order=POINT // 2,
    amend_steps=(
        (5 * _SECOND_NS, 3 * POINT),
        (10 * _SECOND_NS, 2 * POINT),
        (15 * _SECOND_NS, 1 * POINT),
    ),
    edit_steps=(
        (5 * _SECOND_NS, 6 * POINT),
        (10 * _SECOND_NS, 5 * POINT),
        (15 * _SECOND_NS, 4 * POINT),
        (45 * _SECOND_NS, 2 * POINT),
        (90 * _SECOND_NS, 1 * POINT),
    ),
    cancel_steps=(
        (5 * _SECOND_NS, 8 * POINT),
        (10 * _SECOND_NS, 6 * POINT),
        (15 * _SECOND_NS, 5 * POINT),
        (45 * _SECOND_NS, 4 * POINT),
        (90 * _SECOND_NS, 2 * POINT),
        (300 * _SECOND_NS, 1 * POINT),
    ),
    cancel_all_per_symbol=0,
    check=RateCheck.BEFORE,
    is_refused_charged=True,
    is_cancel_refused=True,
    is_batch_cancel_refused=False,
)

_TIERS = (
    Tier(
        name="starter",
        threshold=60 * POINT,
        decay_per_ns=_PER_SECOND,
        open_orders_max=60,
        call_max=15 * POINT,
        call_decay_per_ns=33 * _PER_SECOND // 100,
    ),
    Tier(
        name="intermediate",
        threshold=125 * POINT,
        decay_per_ns=234 * _PER_SECOND // 100,
        open_orders_max=80,
        call_max=20 * POINT,
        call_decay_per_ns=_PER_SECOND // 2,
    ),
    Tier(
        name="pro",
        threshold=180 * POINT,
        decay_per_ns=375 * _PER_SECOND // 100,
        open_orders_max=225,
        call_max=20 * POINT,
        call_decay_per_ns=_PER_SECOND,
    ),
)

# 30-day volume in USD, maker and taker in parts per million.
_FEES = (
    FeeTier(volume_30d=0, maker_ppm=2500, taker_ppm=4000),
    FeeTier(volume_30d=10_000, maker_ppm=2000, taker_ppm=3500),
    FeeTier(volume_30d=50_000, maker_ppm=1400, taker_ppm=2400),
    FeeTier(volume_30d=100_000, maker_ppm=1200, taker_ppm=2200),
    FeeTier(volume_30d=250_000, maker_ppm=1000, taker_ppm=2000),
    FeeTier(volume_30d=500_000, maker_ppm=800, taker_ppm=1800),
    FeeTier(volume_30d=1_000_000, maker_ppm=600, taker_ppm=1600),
    FeeTier(volume_30d=2_500_000, maker_ppm=400, taker_ppm=1400),
    FeeTier(volume_30d=5_000_000, maker_ppm=200, taker_ppm=1200),
    FeeTier(volume_30d=10_000_000, maker_ppm=0, taker_ppm=1000),
)


def _mode(
    new_orders: NewOrders, reason: RejectReason | None, *, cancels: bool = True, matches: bool = True
) -> ModeRule:
    return ModeRule(new_orders=new_orders, is_cancel_accepted=cancels, is_matching=matches, reason=reason)


_MODES = {
    VenueMode.ONLINE: _mode(NewOrders.ALL, None),
    VenueMode.CANCEL_ONLY: _mode(NewOrders.NONE, RejectReason.MODE_CANCEL_ONLY, matches=False),
    VenueMode.POST_ONLY: _mode(NewOrders.POST_ONLY, RejectReason.MODE_POST_ONLY, matches=False),
    VenueMode.LIMIT_ONLY: _mode(NewOrders.LIMIT_ONLY, RejectReason.MODE_LIMIT_ONLY),
    VenueMode.REDUCE_ONLY: _mode(NewOrders.REDUCE_ONLY, RejectReason.MODE_REDUCE_ONLY),
    VenueMode.MAINTENANCE: _mode(NewOrders.NONE, RejectReason.MODE_MAINTENANCE, cancels=False, matches=False),
}

_SOURCES = {
    "rates": "guides/spot-ratelimits, Incrementing the rate counter",
    "rates.cancel_all_per_symbol": "assumption: see switch cancel_all_cost",
    "rates.check": "guides/spot-ratelimits, Exceeding rate counter threshold; see switch rate_check",
    "rates.is_refused_charged": "guides/spot-ratelimits, Fixed count; see switch refused_transactions",
    "rates.is_cancel_refused": "guides/spot-ratelimits, Exceeding rate counter threshold; see switch cancel_over_limit",
    "rates.is_batch_cancel_refused": "guides/spot-ratelimits, note on batch orders",
    "tiers": "guides/spot-ratelimits",
    "tiers.starter.call_max": "guides/rest/ratelimits",
    "tiers.starter.call_decay_per_ns": "guides/rest/ratelimits",
    "tiers.intermediate.call_max": "guides/spot-rest-ratelimits",
    "tiers.intermediate.call_decay_per_ns": "guides/spot-rest-ratelimits",
    "tiers.pro.call_max": "guides/spot-rest-ratelimits",
    "tiers.pro.call_decay_per_ns": "guides/spot-rest-ratelimits",
    "fees": "rest-api/get-tradable-asset-pairs, fees and fees_maker of XBT/USDT in a reply recorded in 2025",
    "fee_volume_currency": "rest-api/get-trade-volume",
    "is_sell_fee_in_base": "websocket-v2/executions, example of a sell; see switch sell_fee_currency",
    "modes": "rest-api/get-system-status, rest-api/get-tradable-asset-pairs, guides/general/order-lifecycle",
    "amend_priority": "guides/spot-amends, Queue Priority",
    "limits.iceberg_slices_max": "guides/spot-amends, Iceberg Order Types",
    "limits.expire_min_ns": "rest-api/add-order, expiretm",
    "limits.expire_max_ns": "fix-api/nos-fix, tag 126: one month; taken as 31 days",
    "limits.cancel_all_after_max_s": "websocket-v2/cancel_after: less than 86400",
}

PROFILE = VenueProfile(
    name="kraken",
    title="Kraken Spot",
    protocols=PROTOCOLS,
    rates=_RATES,
    tiers=_TIERS,
    fees=_FEES,
    fee_volume_currency="USD",
    is_sell_fee_in_base=False,
    errors=ERROR_TEXTS,
    modes=_MODES,
    amend_priority=AmendPriority(qty_down=True, qty_up=False, display_qty=True, limit_price=False, trigger_price=True),
    limits=VenueLimits(
        iceberg_slices_max=15,
        expire_min_ns=5 * _SECOND_NS,
        expire_max_ns=31 * 86_400 * _SECOND_NS,
        cancel_all_after_max_s=86_399,
    ),
    latency_tiers=LATENCY_TIERS,
    roads=ROADS,
    switches=SWITCHES,
    sources={**_SOURCES, **PROTOCOL_SOURCES, **ERROR_SOURCES, **ROAD_SOURCES, **MARGIN_SOURCES},
    margin=MARGIN,
)
