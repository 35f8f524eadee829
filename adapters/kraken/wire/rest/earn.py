"""Earn: strategies, what is allocated to them, and allocating. Amounts are text; periods are seconds.

Sources: rest-api/list-strategies, list-allocations, allocate-strategy, deallocate-strategy,
get-allocate-strategy-status, get-deallocate-strategy-status.
"""

from __future__ import annotations

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.rest.envelope import Flag, PrivateRequest, Whole

__all__ = [
    "AllocateRequest",
    "Allocated",
    "Allocation",
    "AllocationState",
    "AllocationStatus",
    "Allocations",
    "AllocationsRequest",
    "Amount",
    "AprEstimate",
    "AutoCompound",
    "LockType",
    "Payout",
    "StateAllocation",
    "StatusRequest",
    "Strategies",
    "StrategiesRequest",
    "Strategy",
    "YieldSource",
]


# ------------------------------------------------------------------------------------------------------------- requests


class StrategiesRequest(PrivateRequest, frozen=True, kw_only=True):
    """lock_type: flex, bonded, timed, instant."""

    ascending: Maybe[Flag | None] = UNSET
    asset: Maybe[str | None] = UNSET
    cursor: Maybe[str | None] = UNSET
    limit: Maybe[Whole | None] = UNSET
    lock_type: Maybe[list[str] | None] = UNSET


class AllocationsRequest(PrivateRequest, frozen=True, kw_only=True):
    """``converted_asset``: in what the sums are told."""

    ascending: Maybe[Flag | None] = UNSET
    converted_asset: Maybe[str | None] = UNSET
    hide_zero_allocations: Maybe[Flag | None] = UNSET


class AllocateRequest(PrivateRequest, frozen=True, kw_only=True):
    """How much goes to a strategy, or comes back from it."""

    amount: str
    strategy_id: str


class StatusRequest(PrivateRequest, frozen=True, kw_only=True):
    """The strategy whose last request is asked for."""

    strategy_id: str


# -------------------------------------------------------------------------------------------------------------- results


class AprEstimate(Message, frozen=True):
    """Percent in a year."""

    high: str
    low: str


class AutoCompound(Message, frozen=True):
    """type: disabled, enabled, optional; ``default`` of the last."""

    type: str
    default: Maybe[bool] = UNSET


class LockType(Message, frozen=True):
    """type: flex, bonded, timed, instant; how long money stays, of bonded ones."""

    type: str
    bonding_period: Maybe[int | None] = UNSET
    bonding_period_variable: Maybe[bool | None] = UNSET
    bonding_rewards: Maybe[bool | None] = UNSET
    exit_queue_period: Maybe[int | None] = UNSET
    payout_frequency: Maybe[int | None] = UNSET
    unbonding_period: Maybe[int | None] = UNSET
    unbonding_period_variable: Maybe[bool | None] = UNSET
    unbonding_rewards: Maybe[bool | None] = UNSET


class YieldSource(Message, frozen=True):
    """type: staking, off_chain."""

    type: str


class Strategy(Message, frozen=True):
    """A strategy; ``user_min_allocation`` and ``user_cap`` are null or absent where there is none."""

    id: str
    asset: str
    allocation_fee: Maybe[Number] = UNSET
    deallocation_fee: Maybe[Number] = UNSET
    allocation_restriction_info: Maybe[list[str]] = UNSET
    apr_estimate: Maybe[AprEstimate | None] = UNSET
    auto_compound: Maybe[AutoCompound] = UNSET
    can_allocate: Maybe[bool] = UNSET
    can_deallocate: Maybe[bool] = UNSET
    lock_type: Maybe[LockType] = UNSET
    user_cap: Maybe[str | None] = UNSET
    user_min_allocation: Maybe[str | None] = UNSET
    yield_source: Maybe[YieldSource] = UNSET


class Strategies(Message, frozen=True):
    """A page of strategies."""

    items: list[Strategy]
    next_cursor: Maybe[str | None] = UNSET


class Amount(Message, frozen=True):
    """An amount in its asset, and in the one that the request names."""

    native: str
    converted: str


class StateAllocation(Message, frozen=True):
    """One allocation that is on its way into another state; times are RFC 3339."""

    native: str
    converted: str
    created_at: Maybe[str] = UNSET
    expires: Maybe[str] = UNSET


class AllocationState(Message, frozen=True):
    """All allocations on their way into another state."""

    native: str
    converted: str
    allocation_count: Maybe[int] = UNSET
    allocations: Maybe[list[StateAllocation]] = UNSET


class Allocated(Message, frozen=True):
    """What a strategy has, by the states that it is in; ``pending`` is negative for what comes back."""

    total: Amount
    bonding: Maybe[AllocationState | None] = UNSET
    exit_queue: Maybe[AllocationState | None] = UNSET
    pending: Maybe[Amount | None] = UNSET
    unbonding: Maybe[AllocationState | None] = UNSET


class Payout(Message, frozen=True):
    """The period that is running; times are RFC 3339."""

    accumulated_reward: Amount
    estimated_reward: Amount
    period_end: str
    period_start: str


class Allocation(Message, frozen=True):
    """What is allocated to one strategy."""

    strategy_id: str
    native_asset: str
    amount_allocated: Allocated
    total_rewarded: Amount
    payout: Maybe[Payout | None] = UNSET


class Allocations(Message, frozen=True):
    """All allocations, with sums in one asset."""

    converted_asset: str
    total_allocated: str
    total_rewarded: str
    items: list[Allocation]
    next_cursor: Maybe[str | None] = UNSET


class AllocationStatus(Message, frozen=True):
    """Whether the last request of a strategy is still being carried out."""

    pending: bool
