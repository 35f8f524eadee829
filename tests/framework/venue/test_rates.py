"""Rate counters: Kraken's worked examples, the edges of its table, and agreement with the obvious version."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.protocol import POINT, CallCosts, RateCheck, RateSchedule, Tier
from framework.venue import rates
from framework.venue.rates import Charge, RateCounter
from tests.framework.venue.obvious_rates import AMEND, CANCEL, EDIT, ObviousCounter, aged_points

SECOND_NS = 1_000_000_000


def steps(table: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    return tuple((below_s * SECOND_NS, points * POINT) for below_s, points in table)


SCHEDULE = RateSchedule(
    add_fixed=POINT,
    amend_fixed=POINT,
    edit_fixed=POINT,
    cancel_fixed=0,
    batch_add_per_order=POINT // 2,
    amend_steps=steps(AMEND),
    edit_steps=steps(EDIT),
    cancel_steps=steps(CANCEL),
    cancel_all_per_symbol=0,
    check=RateCheck.BEFORE,
    is_refused_charged=True,
    is_cancel_refused=True,
    is_batch_cancel_refused=False,
)
STARTER = Tier(
    name="starter",
    threshold=60 * POINT,
    decay_per_ns=100,
    open_orders_max=60,
    call_max=15 * POINT,
    call_decay_per_ns=33,
)
INTERMEDIATE = Tier(
    name="intermediate",
    threshold=125 * POINT,
    decay_per_ns=234,
    open_orders_max=80,
    call_max=20 * POINT,
    call_decay_per_ns=50,
)
PRO = Tier(
    name="pro",
    threshold=180 * POINT,
    decay_per_ns=375,
    open_orders_max=225,
    call_max=20 * POINT,
    call_decay_per_ns=100,
)
CALLS = CallCosts(
    trading=0,
    trading_other=0,
    open_orders=POINT,
    orders=POINT,
    history=2 * POINT,
    other=POINT,
    check=RateCheck.AFTER,
    is_refused_charged=True,
)


# ------------------------------------------------------------------------------------------- Kraken's worked examples


def test_an_order_amended_after_7_s_and_cancelled_36_s_later_costs_8_points_in_all() -> None:
    """guides/spot-ratelimits, "rate counter increase over short order lifetime": totals 1, 2, 4, 8."""
    counter = RateCounter(180 * POINT, 0, RateCheck.BEFORE)  # the example leaves the decay out

    assert counter.admit(0, rates.add_charge(SCHEDULE))
    assert counter.value == 1 * POINT

    amend = rates.amend_charge(SCHEDULE, 7 * SECOND_NS)
    assert (amend.fixed, amend.aged) == (1 * POINT, 2 * POINT)
    assert counter.admit(7 * SECOND_NS, amend)
    assert counter.value == 4 * POINT

    assert counter.admit(43 * SECOND_NS, rates.cancel_charge(SCHEDULE, 36 * SECOND_NS))
    assert counter.value == 8 * POINT


def test_a_burst_of_50_orders_has_decayed_to_26_point_6_after_10_s_at_the_intermediate_tier() -> None:
    """guides/spot-ratelimits, "rate counter decrease over 10 seconds": 50 - 10 * 2.34 = 26.6."""
    counter = rates.engine_counter(INTERMEDIATE, SCHEDULE)
    for _ in range(50):
        assert counter.admit(0, rates.add_charge(SCHEDULE))

    assert counter.value_at(10 * SECOND_NS) == 2_660_000_000_000  # 26.6 points of 1e11 units


# ---------------------------------------------------------------------------------------------------------- thresholds


@pytest.mark.parametrize(("tier", "orders"), [(STARTER, 60), (INTERMEDIATE, 125), (PRO, 180)])
def test_a_burst_of_orders_passes_up_to_the_threshold_of_the_tier_and_no_further(tier: Tier, orders: int) -> None:
    counter = rates.engine_counter(tier, SCHEDULE)
    for _ in range(orders):
        assert counter.admit(0, rates.add_charge(SCHEDULE))
    assert not counter.admit(0, rates.add_charge(SCHEDULE))


def test_a_counter_at_its_threshold_refuses_and_a_nanosecond_later_lets_in() -> None:
    counter = RateCounter(60 * POINT, 100, RateCheck.BEFORE, value=60 * POINT)
    assert not counter.would_admit(0, rates.add_charge(SCHEDULE))
    assert counter.would_admit(1, rates.add_charge(SCHEDULE))


def test_checked_before_a_cancel_may_carry_the_counter_over_the_threshold() -> None:
    counter = RateCounter(60 * POINT, 0, RateCheck.BEFORE, value=60 * POINT - 1)
    assert counter.admit(0, rates.cancel_charge(SCHEDULE, 0))
    assert counter.value == 68 * POINT - 1


def test_checked_after_a_cancel_may_not_carry_the_counter_over_the_threshold() -> None:
    counter = RateCounter(60 * POINT, 0, RateCheck.AFTER, value=52 * POINT + 1)
    assert not counter.admit(0, rates.cancel_charge(SCHEDULE, 0))
    assert counter.value == 52 * POINT + 1


def test_checked_after_a_request_may_fill_the_counter_to_the_threshold() -> None:
    counter = RateCounter(60 * POINT, 0, RateCheck.AFTER, value=52 * POINT)
    assert counter.admit(0, rates.cancel_charge(SCHEDULE, 0))


def test_a_refused_order_pays_its_fixed_point() -> None:
    counter = RateCounter(60 * POINT, 0, RateCheck.BEFORE, value=60 * POINT)
    assert not counter.admit(0, rates.add_charge(SCHEDULE))
    assert counter.value == 61 * POINT


def test_a_refused_amend_does_not_pay_for_the_age_of_the_order() -> None:
    counter = RateCounter(60 * POINT, 0, RateCheck.BEFORE, value=60 * POINT)
    assert not counter.admit(0, rates.amend_charge(SCHEDULE, 0))
    assert counter.value == 61 * POINT


def test_a_refused_order_pays_nothing_where_refusals_are_free() -> None:
    counter = RateCounter(60 * POINT, 0, RateCheck.BEFORE, value=60 * POINT)
    assert not counter.admit(0, Charge(POINT, is_refused_charged=False))
    assert counter.value == 60 * POINT


def test_a_single_cancel_over_the_threshold_is_refused_and_costs_nothing() -> None:
    counter = RateCounter(60 * POINT, 0, RateCheck.BEFORE, value=60 * POINT)
    assert not counter.admit(0, rates.cancel_charge(SCHEDULE, 0))
    assert counter.value == 60 * POINT


def test_a_batch_of_cancels_over_the_threshold_is_accepted_and_charged() -> None:
    """guides/spot-ratelimits: over the maximum the requests of a batch of cancels are still accepted."""
    counter = RateCounter(60 * POINT, 0, RateCheck.BEFORE, value=60 * POINT)
    assert counter.admit(0, rates.batch_cancel_charge(SCHEDULE, [0, 0]))
    assert counter.value == 76 * POINT


# --------------------------------------------------------------------------------------------------------------- costs


@pytest.mark.parametrize(
    ("age_ns", "cancel", "amend", "edit"),
    [
        (0, 8, 4, 7),
        (5 * SECOND_NS - 1, 8, 4, 7),
        (5 * SECOND_NS, 6, 3, 6),
        (10 * SECOND_NS - 1, 6, 3, 6),
        (10 * SECOND_NS, 5, 2, 5),
        (15 * SECOND_NS, 4, 1, 3),
        (45 * SECOND_NS, 2, 1, 2),
        (90 * SECOND_NS, 1, 1, 1),
        (300 * SECOND_NS - 1, 1, 1, 1),
        (300 * SECOND_NS, 0, 1, 1),
    ],
)
def test_costs_step_down_exactly_at_the_ages_of_the_table(age_ns: int, cancel: int, amend: int, edit: int) -> None:
    assert rates.cancel_charge(SCHEDULE, age_ns).cost == cancel * POINT
    assert rates.amend_charge(SCHEDULE, age_ns).cost == amend * POINT
    assert rates.edit_charge(SCHEDULE, age_ns).cost == edit * POINT


def test_a_negative_age_is_an_error() -> None:
    with pytest.raises(ValueError, match="negative"):
        rates.cancel_charge(SCHEDULE, -1)


def test_an_amend_that_ends_the_order_pays_a_cancels_penalty() -> None:
    """guides/spot-amends: an order cancelled by an amend has the standard cancel penalty."""
    assert rates.amend_charge(SCHEDULE, 7 * SECOND_NS, ends_order=True).cost == (1 + 6) * POINT


def test_an_odd_batch_of_orders_costs_exactly_half_a_point_each() -> None:
    assert rates.batch_add_charge(SCHEDULE, 3).cost == 150_000_000_000  # 1.5 points


def test_a_batch_of_cancels_charges_each_order_by_its_own_age() -> None:
    ages_ns = [0, 7 * SECOND_NS, 400 * SECOND_NS]
    assert rates.batch_cancel_charge(SCHEDULE, ages_ns).cost == (8 + 6 + 0) * POINT


def test_cancel_all_is_never_refused() -> None:
    counter = RateCounter(60 * POINT, 0, RateCheck.BEFORE, value=100 * POINT)
    assert counter.admit(0, rates.cancel_all_charge(SCHEDULE))


# ------------------------------------------------------------------------------------------------------- call counter


def test_a_key_of_the_intermediate_tier_makes_20_calls_at_once_and_the_21st_is_refused() -> None:
    counter = rates.call_counter(INTERMEDIATE, CALLS)
    for _ in range(20):
        assert counter.admit(0, rates.call_charge(CALLS, "open_orders"))
    assert not counter.admit(0, rates.call_charge(CALLS, "open_orders"))


def test_orders_cost_nothing_on_the_call_counter() -> None:
    counter = rates.call_counter(INTERMEDIATE, CALLS)
    for _ in range(1_000):
        assert counter.admit(0, rates.call_charge(CALLS, "trading"))
    assert counter.value == 0


def test_a_starter_key_regains_a_third_of_a_call_a_second() -> None:
    counter = rates.call_counter(STARTER, CALLS)
    for _ in range(15):
        assert counter.admit(0, rates.call_charge(CALLS, "open_orders"))
    assert counter.value_at(10 * SECOND_NS) == 1_170_000_000_000  # 15 - 10 * 0.33 = 11.7 points


# ---------------------------------------------------------------------------------------------------------------- time


def test_a_counter_never_falls_below_zero() -> None:
    assert rates.decay(POINT, 2 * SECOND_NS, 100) == 0


def test_a_counter_that_falls_to_zero_in_the_very_nanosecond_is_zero() -> None:
    assert rates.decay(POINT, SECOND_NS, 100) == 0
    assert rates.decay(POINT, SECOND_NS - 1, 100) == 100


def test_what_is_left_in_the_last_nanosecond_before_zero_is_exact() -> None:
    """266,666,666 ns at 375 units each take 99,999,999,750 of a point's 1e11 units."""
    assert rates.decay(POINT, 266_666_666, 375) == 250
    assert rates.decay(POINT, 266_666_667, 375) == 0


def test_an_instant_before_the_last_charge_is_an_error() -> None:
    counter = RateCounter(60 * POINT, 100, RateCheck.BEFORE, ts_ns=5)
    with pytest.raises(ValueError, match="charged at 5"):
        counter.value_at(4)


@pytest.mark.parametrize("check", list(RateCheck))
@given(value=st.integers(0, 300 * POINT), cost=st.integers(1, 70 * POINT), decay_per_ns=st.integers(1, 400))
def test_the_wait_ends_in_the_first_nanosecond_that_lets_the_request_in(
    check: RateCheck, value: int, cost: int, decay_per_ns: int
) -> None:
    threshold = 60 * POINT
    wait_ns = rates.wait_ns(value, cost, threshold, decay_per_ns, check)
    if wait_ns == -1:
        assert rates.is_refused(0, cost, threshold, check)
        return
    assert not rates.is_refused(rates.decay(value, wait_ns, decay_per_ns), cost, threshold, check)
    if wait_ns > 0:
        assert rates.is_refused(rates.decay(value, wait_ns - 1, decay_per_ns), cost, threshold, check)


# ------------------------------------------------------------------------------------------ against the obvious version

KINDS = st.sampled_from(["add", "amend", "edit", "cancel", "batch add", "batch cancel"])
REQUESTS = st.lists(
    st.tuples(st.integers(0, 20 * SECOND_NS), KINDS, st.integers(0, 400 * SECOND_NS), st.integers(2, 15)), max_size=80
)


def obvious_cost(kind: str, age_ns: int, count: int) -> tuple[Fraction, int]:
    age_s = Fraction(age_ns, SECOND_NS)
    match kind:
        case "add":
            return Fraction(1), 0
        case "amend":
            return Fraction(1), aged_points(AMEND, age_s)
        case "edit":
            return Fraction(1), aged_points(EDIT, age_s)
        case "cancel":
            return Fraction(0), aged_points(CANCEL, age_s)
        case "batch add":
            return Fraction(count, 2), 0
        case _:
            return Fraction(0), count * aged_points(CANCEL, age_s)


def fast_charge(kind: str, age_ns: int, count: int) -> Charge:
    match kind:
        case "add":
            return rates.add_charge(SCHEDULE)
        case "amend":
            return rates.amend_charge(SCHEDULE, age_ns)
        case "edit":
            return rates.edit_charge(SCHEDULE, age_ns)
        case "cancel":
            return rates.cancel_charge(SCHEDULE, age_ns)
        case "batch add":
            return rates.batch_add_charge(SCHEDULE, count)
        case _:
            return rates.batch_cancel_charge(SCHEDULE, [age_ns] * count)


@given(requests=REQUESTS)
def test_counter_agrees_with_the_obvious_version_after_every_request(
    requests: list[tuple[int, str, int, int]],
) -> None:
    fast = rates.engine_counter(INTERMEDIATE, SCHEDULE)
    obvious = ObviousCounter(125, Fraction(234, 100))
    ts_ns = 0
    for dt_ns, kind, age_ns, count in requests:
        ts_ns += dt_ns
        fixed, aged = obvious_cost(kind, age_ns, count)
        time_s = Fraction(ts_ns, SECOND_NS)
        passes = obvious.request(time_s, fixed, aged, can_be_refused=kind != "batch cancel")
        assert fast.admit(ts_ns, fast_charge(kind, age_ns, count)) == passes
        assert Fraction(fast.value, POINT) == obvious.points


@given(
    charges=st.lists(st.tuples(st.integers(0, 10 * SECOND_NS), st.integers(0, 15 * POINT)), min_size=1, max_size=50),
    decay_per_ns=st.integers(1, 400),
)
def test_counter_equals_its_closed_form(charges: list[tuple[int, int]], decay_per_ns: int) -> None:
    """The value after the last charge is the largest of: the charges since some charge, less the decay since then.

    It is the reflected walk's closed form: counting from the last time the counter was empty gives the value, counting
    from any other charge gives less.
    """
    counter = RateCounter(10**9 * POINT, decay_per_ns, RateCheck.BEFORE)
    times, ts_ns = [], 0
    for dt_ns, cost in charges:
        ts_ns += dt_ns
        times.append(ts_ns)
        assert counter.admit(ts_ns, Charge(cost))
    costs = [cost for _, cost in charges]
    closed = max(sum(costs[first:]) - decay_per_ns * (ts_ns - times[first]) for first in range(len(costs)))
    assert counter.value == closed


def test_compiled_code_gets_the_same_answers() -> None:
    cancel_steps = SCHEDULE.cancel_steps

    def both(value: int, dt_ns: int, age_ns: int, table: tuple[tuple[int, int], ...]) -> tuple[int, int, bool, int]:
        left = rates.decay(value, dt_ns, 234)
        points = rates.age_points(age_ns, table)
        return left, points, rates.is_refused(left, points, 6, 1), rates.wait_ns(left, points, 0, 234, 0)

    compiled: Any = numba.njit(both)
    for dt_ns in (0, 1, 10 * SECOND_NS, 9 * 10**18):
        left = rates.decay(50 * POINT, dt_ns, 234)
        assert compiled(50 * POINT, dt_ns, 5 * SECOND_NS, cancel_steps) == (
            left,
            6 * POINT,
            True,
            rates.wait_ns(left, 6 * POINT, 0, 234, 0),
        )
