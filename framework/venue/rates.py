"""Rate counters: how they fall, what a transaction costs, when it is refused.

The simulated venue charges with these functions and the trader's rate budget plans with them, so both agree to the last
unit. All is integer arithmetic: counters in POINT units (1e-11 point), decays in POINT units per nanosecond, so that a
decay of 2.34 points per second is exactly 234 and a counter's value at any instant is exact.

``decay``, ``age_points`` and ``is_refused`` can be called from Python and from compiled code alike.

Simplification: counters fall continuously. A venue that takes its decay off once a second, or every few seconds, stands
higher in between, by less than one such step.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from numba.extending import register_jitable

from framework.protocol import CallCosts, RateCheck, RateSchedule, Tier

__all__ = [
    "Charge",
    "RateCounter",
    "add_charge",
    "age_points",
    "amend_charge",
    "batch_add_charge",
    "batch_cancel_charge",
    "call_charge",
    "call_counter",
    "cancel_all_charge",
    "cancel_charge",
    "decay",
    "edit_charge",
    "engine_counter",
    "is_refused",
    "wait_ns",
]

# Compiled code compares with these; RateCheck has the meaning.
_BEFORE = int(RateCheck.BEFORE)


def decay(value: int, dt_ns: int, decay_per_ns: int) -> int:
    """What is left of a counter after a time; never below zero.

    value: counter in POINT units; dt_ns: time since it had that value, not negative; decay_per_ns: POINT units per
    nanosecond. Divides before it multiplies, so that it cannot overflow 64 bits however long the time.
    """
    if decay_per_ns > 0 and dt_ns > value // decay_per_ns:
        return 0
    return value - dt_ns * decay_per_ns


def age_points(age_ns: int, steps: tuple[tuple[int, int], ...]) -> int:
    """Points in POINT units that an order of an age costs: those of the first step whose limit the age is below.

    age_ns: time since the order was entered or last amended; an age equal to a limit belongs to the next step.
    steps: ``(age_below_ns, points)``, youngest first; zero beyond the last.
    Raises ValueError for a negative age.
    """
    if age_ns < 0:
        raise ValueError("the age of an order cannot be negative")
    for age_below_ns, points in steps:
        if age_ns < age_below_ns:
            return points
    return 0


def is_refused(value: int, cost: int, threshold: int, check: int) -> bool:
    """Whether a request of this cost is refused at this counter value; ``check`` is a ``RateCheck``."""
    if check == _BEFORE:
        return value >= threshold
    return value + cost > threshold


def wait_ns(value: int, cost: int, threshold: int, decay_per_ns: int, check: int) -> int:
    """Nanoseconds until a request of this cost would pass; 0 if it passes now, -1 if it never will."""
    ceiling = threshold - 1 if check == _BEFORE else threshold - cost
    if value <= ceiling:
        return 0
    if ceiling < 0 or decay_per_ns <= 0:
        return -1
    return -((ceiling - value) // decay_per_ns)


register_jitable(decay)
register_jitable(age_points)
register_jitable(is_refused)
register_jitable(wait_ns)


class Charge(msgspec.Struct, frozen=True):
    """What one request costs, in POINT units.

    fixed: charged on receipt, even if the request then fails; aged: charged in addition when it is carried out.
    is_refusable: the request is refused over the limit. is_refused_charged: and then still pays ``fixed``.
    """

    fixed: int
    aged: int = 0
    is_refusable: bool = True
    is_refused_charged: bool = True

    @property
    def cost(self) -> int:
        """All that the request costs when it is carried out."""
        return self.fixed + self.aged


class RateCounter(msgspec.Struct):
    """One counter: of an account and symbol at the engine, or of a key at the REST front.

    threshold, decay_per_ns, check: its rule. value: what it stood at ``ts_ns``, in POINT units.
    """

    threshold: int
    decay_per_ns: int
    check: RateCheck
    value: int = 0
    ts_ns: int = 0

    def value_at(self, ts_ns: int) -> int:
        """The counter at an instant, in POINT units; raises ValueError for one before the last charge."""
        if ts_ns < self.ts_ns:
            raise ValueError(f"counter asked for {ts_ns}, but it was charged at {self.ts_ns}")
        return decay(self.value, ts_ns - self.ts_ns, self.decay_per_ns)

    def admit(self, ts_ns: int, charge: Charge) -> bool:
        """Charge a request that arrives at an instant; returns False if it is refused over the limit."""
        value = self.value_at(ts_ns)
        passes = not (charge.is_refusable and is_refused(value, charge.cost, self.threshold, self.check))
        if passes:
            value += charge.cost
        elif charge.is_refused_charged:
            value += charge.fixed
        self.value = value
        self.ts_ns = ts_ns
        return passes

    def would_admit(self, ts_ns: int, charge: Charge) -> bool:
        """Whether ``admit`` would let the request in; charges nothing."""
        return not (charge.is_refusable and is_refused(self.value_at(ts_ns), charge.cost, self.threshold, self.check))

    def wait_ns(self, ts_ns: int, charge: Charge) -> int:
        """Nanoseconds from an instant until the request would be let in; 0 for now, -1 for never."""
        if not charge.is_refusable:
            return 0
        return wait_ns(self.value_at(ts_ns), charge.cost, self.threshold, self.decay_per_ns, self.check)


def engine_counter(tier: Tier, schedule: RateSchedule) -> RateCounter:
    """A fresh counter of an account and symbol."""
    return RateCounter(tier.threshold, tier.decay_per_ns, schedule.check)


def call_counter(tier: Tier, costs: CallCosts) -> RateCounter:
    """A fresh call counter of a key."""
    return RateCounter(tier.call_max, tier.call_decay_per_ns, costs.check)


def add_charge(schedule: RateSchedule) -> Charge:
    """The cost of a new order."""
    return Charge(schedule.add_fixed, 0, True, schedule.is_refused_charged)


def amend_charge(schedule: RateSchedule, age_ns: int, *, ends_order: bool = False) -> Charge:
    """The cost of an amend of an order of this age.

    ends_order: the new quantity is already filled, so that the amend cancels what is left and pays a cancel's penalty
        in place of an amend's.
    """
    steps = schedule.cancel_steps if ends_order else schedule.amend_steps
    return Charge(schedule.amend_fixed, age_points(age_ns, steps), True, schedule.is_refused_charged)


def edit_charge(schedule: RateSchedule, age_ns: int) -> Charge:
    """The cost of an edit of an order of this age."""
    return Charge(schedule.edit_fixed, age_points(age_ns, schedule.edit_steps), True, schedule.is_refused_charged)


def cancel_charge(schedule: RateSchedule, age_ns: int) -> Charge:
    """The cost of a single cancel of an order of this age."""
    points = age_points(age_ns, schedule.cancel_steps)
    return Charge(schedule.cancel_fixed, points, schedule.is_cancel_refused, schedule.is_refused_charged)


def batch_add_charge(schedule: RateSchedule, order_count: int) -> Charge:
    """The cost of a batch of new orders."""
    return Charge(order_count * schedule.batch_add_per_order, 0, True, schedule.is_refused_charged)


def batch_cancel_charge(schedule: RateSchedule, ages_ns: Iterable[int]) -> Charge:
    """The cost of a batch of cancels: each order by its own age."""
    points = sum(age_points(age_ns, schedule.cancel_steps) for age_ns in ages_ns)
    return Charge(0, points, schedule.is_batch_cancel_refused, schedule.is_refused_charged)


def cancel_all_charge(schedule: RateSchedule) -> Charge:
    """What CancelAll, MassCancel and an expired CancelAllAfter cost for a symbol that lost orders; never refused."""
    return Charge(schedule.cancel_all_per_symbol, 0, False, schedule.is_refused_charged)


def call_charge(costs: CallCosts, call: str) -> Charge:
    """What a request costs on the call counter; ``call`` is the name of a cost of ``costs``."""
    return Charge(getattr(costs, call), 0, True, costs.is_refused_charged)
