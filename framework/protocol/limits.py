"""What is counted and charged: rate counters, account tiers, fees, limits on single requests."""

from __future__ import annotations

import msgspec

from framework.protocol.semantics import RateCheck

__all__ = [
    "POINT",
    "CallCosts",
    "FeeTier",
    "RateSchedule",
    "Tier",
    "VenueLimits",
]

# Rate counters are integers in units of 1e-11 point: a decay of 2.34 points per second is then exactly 234 units per
# nanosecond, so that a counter's value at any instant is exact.
POINT = 10**11


class CallCosts(msgspec.Struct, frozen=True, kw_only=True):
    """What requests cost on the call counter of a key, in POINT units; apart from the engine's counter.

    trading: adds and cancels; trading_other: amends, edits, batches, cancel-all, cancel-all-after.
    open_orders: the account's open orders; orders: orders by id, open or ended; history: ended orders, trades by time.
    other: any other private request.
    check: when the counter is held against its maximum.
    is_refused_charged: a request refused over the maximum is charged all the same.
    """

    trading: int
    trading_other: int
    open_orders: int
    orders: int
    history: int
    other: int
    check: RateCheck
    is_refused_charged: bool


class RateSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """What transactions cost on the engine's counter of an account and symbol, in POINT units.

    *_fixed: charged on receipt, even if the request then fails.
    *_steps: charged in addition by the order's age, ``(age_below_ns, points)``, youngest first; beyond the last
        nothing. Age counts from when the order was entered or last amended.
    batch_add_per_order: cost of each order of an AddBatch, in place of ``add_fixed``.
    batch_cancel: each order is charged by its own age from ``cancel_steps``.
    cancel_all_per_symbol: cost of CancelAll, MassCancel and an expired CancelAllAfter for each symbol that lost orders.
    is_refused_charged: a request refused over the limit still pays its fixed cost.
    is_cancel_refused: single cancels are refused over the limit; is_batch_cancel_refused: batches of them are.
    """

    add_fixed: int
    amend_fixed: int
    edit_fixed: int
    cancel_fixed: int
    batch_add_per_order: int
    amend_steps: tuple[tuple[int, int], ...]
    edit_steps: tuple[tuple[int, int], ...]
    cancel_steps: tuple[tuple[int, int], ...]
    cancel_all_per_symbol: int
    check: RateCheck
    is_refused_charged: bool
    is_cancel_refused: bool
    is_batch_cancel_refused: bool


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of an account tier. Counters are in POINT units, decays in POINT units per nanosecond (234 is 2.34 per s).

    threshold, decay_per_ns: the engine's counter of an account and symbol; open_orders_max: open orders per symbol.
    call_max, call_decay_per_ns: the call counter of a key.
    """

    name: str
    threshold: int
    decay_per_ns: int
    open_orders_max: int
    call_max: int
    call_decay_per_ns: int


class FeeTier(msgspec.Struct, frozen=True, kw_only=True):
    """Fees from a 30-day volume upwards, in parts per million of the cost.

    volume_30d: in whole units of the profile's ``fee_volume_currency``.
    """

    volume_30d: int
    maker_ppm: int
    taker_ppm: int


class VenueLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on single requests.

    iceberg_slices_max: an iceberg's display quantity is at least its quantity divided by this.
    expire_min_ns, expire_max_ns: how far ahead the end of a GTD order may lie.
    cancel_all_after_max_s: longest time of the dead man's switch.
    """

    iceberg_slices_max: int
    expire_min_ns: int
    expire_max_ns: int
    cancel_all_after_max_s: int
