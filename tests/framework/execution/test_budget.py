"""One budget: what may be spent on a pair's counter, what is kept for cancels, when the strategy is told.

Kraken's Intermediate tier: threshold 125 points, decay 2.34 points a second (guides/spot-ratelimits). An add costs 1
point; a cancel 8 within 5 s of the order's birth, 6 within 10 s, and so on.
"""

from __future__ import annotations

from adapters.kraken.profile import PROFILE
from framework.execution.budget import RateBudget
from framework.execution.events import RateBudgetChanged
from framework.messages import RateCount
from framework.protocol import POINT, Protocol
from framework.venue.rates import Charge, cancel_charge
from tests.framework.execution.desk_rig import REST_POLLED, Rig, add_order

SECOND = 1_000_000_000


def _budget(reserve_points: int = 25, heard: list[RateBudgetChanged] | None = None) -> RateBudget:
    heard = [] if heard is None else heard
    return RateBudget(PROFILE.rates, PROFILE.tier("intermediate"), reserve_points, heard.append)


def test_what_leaves_the_reserve_untouched_may_be_spent() -> None:
    budget = _budget()
    budget.spend("BTC/USD", Charge(99 * POINT), 0)
    assert budget.denial("BTC/USD", Charge(POINT), 0) is None


def test_what_would_touch_the_reserve_is_denied_with_the_figures() -> None:
    budget = _budget()
    budget.spend("BTC/USD", Charge(100 * POINT), 0)
    denial = budget.denial("BTC/USD", Charge(POINT), 0)
    assert denial is not None
    assert "counter 100.0 plus 1.0 would pass 100 (threshold 125 less the cancels' reserve 25)" in denial


def test_a_counter_decays() -> None:
    budget = _budget()
    budget.spend("BTC/USD", Charge(100 * POINT), 0)
    assert budget.used_share("BTC/USD", 0) == 0.8
    assert budget.used_share("BTC/USD", 10 * SECOND) == 0.6128  # 76.6 of 125
    assert budget.denial("BTC/USD", Charge(POINT), SECOND) is None


def test_each_pair_has_its_own_counter() -> None:
    budget = _budget()
    budget.spend("BTC/USD", Charge(100 * POINT), 0)
    assert budget.denial("ETH/USD", Charge(POINT), 0) is None


def test_a_passed_share_is_told_once_upwards_and_once_downwards() -> None:
    heard: list[RateBudgetChanged] = []
    budget = _budget(heard=heard)
    budget.watch(0.5)
    budget.spend("BTC/USD", Charge(62 * POINT), 0)
    assert heard == []
    budget.spend("BTC/USD", Charge(POINT), 0)
    budget.spend("BTC/USD", Charge(POINT), 0)
    assert [(event.is_above, event.used_share) for event in heard] == [(True, 63 / 125)]
    budget.spend("BTC/USD", Charge(POINT), 10 * SECOND)
    assert [event.is_above for event in heard] == [True, False]


# ------------------------------------------------------------------------------------------------- at the desk


def test_an_order_that_would_touch_the_cancels_reserve_is_denied_and_not_sent() -> None:
    rig = Rig()
    rig.budget.spend("BTC/USD", Charge(115 * POINT), rig.clock.now_ns)
    rig.desk.submit(add_order())
    assert rig.heard[0][:2] == ("denied", "a")
    assert rig.sent("ws2") == []


def test_a_cancel_may_spend_the_reserve() -> None:
    rig = Rig()
    rig.open_order()
    rig.budget.spend("BTC/USD", Charge(120 * POINT), rig.clock.now_ns)
    rig.desk.cancel("a")
    assert rig.sent("ws2")[-1] == "CancelOrder"


def test_an_amend_that_would_touch_the_reserve_is_refused_and_not_sent() -> None:
    rig = Rig()
    rig.open_order()
    rig.budget.spend("BTC/USD", Charge(113 * POINT), rig.clock.now_ns)
    rig.desk.amend("a", limit_ticks=1_001)
    assert rig.heard[0][:2] == ("amend rejected", "a")
    assert rig.sent("ws2") == ["AddOrder"]


def test_a_cancel_is_charged_by_the_age_of_the_order() -> None:
    rig = Rig()
    rig.open_order()
    rig.run(6_001)
    before = rig.budget.used_share("BTC/USD", rig.clock.now_ns)
    rig.desk.cancel("a")
    assert round((rig.budget.used_share("BTC/USD", rig.clock.now_ns) - before) * 125, 6) == 6.0


def test_an_order_without_an_answer_counts_as_new_however_long_it_waits() -> None:
    rig = Rig(REST_POLLED)
    rig.desk.submit(add_order())
    rig.run(6_001)
    before = rig.budget.used_share("BTC/USD", rig.clock.now_ns)
    rig.desk.cancel("a")
    assert round((rig.budget.used_share("BTC/USD", rig.clock.now_ns) - before) * 125, 6) == 8.0


def test_orders_over_every_link_are_charged_to_one_counter() -> None:
    rig = Rig()
    rig.desk.submit(add_order("a"))
    rig.desk.submit(add_order("b"), via="rest")
    assert rig.budget.used_share("BTC/USD", rig.clock.now_ns) == 2 / 125


def test_all_counters_that_were_charged_are_told_as_they_stand() -> None:
    budget, rest = _budget(), PROFILE.protocols[Protocol.REST]
    budget.spend("BTC/USD", Charge(100 * POINT), 0)
    assert budget.admit_poll(rest, 0)
    calls, limit = sum(getattr(rest.call_costs, call) for call in rest.poll_calls), budget.tier.call_max
    assert budget.uses(0) == [
        ("orders", "BTC/USD", 100 * POINT, 125 * POINT, None),
        ("calls", "rest", calls, limit, None),
    ]
    assert budget.uses(10 * SECOND)[0].used == 100 * POINT - 234 * 10 * SECOND


def test_what_the_venue_has_published_is_told_beside_our_own_count_as_it_has_fallen_since() -> None:
    budget = _budget()
    budget.spend("BTC/USD", Charge(100 * POINT), 0)
    budget.note_venue(RateCount(ts_venue_ns=0, symbol="BTC/USD", points=80 * POINT), SECOND)
    (use,) = budget.uses(10 * SECOND)
    assert (use.used, use.published) == ((100 * POINT - 2_340 * SECOND), 80 * POINT - 2_340 * SECOND)


def test_room_to_cancel_is_looked_for_though_time_was_read_before_the_last_charge() -> None:
    """A live clock goes on between two cancels of one round."""
    budget = _budget()
    budget.spend("BTC/USD", cancel_charge(budget.schedule, 0), 5 * SECOND)
    assert budget.has_room_to_cancel("BTC/USD", 0, 5 * SECOND - 1)
    while budget.has_room_to_cancel("BTC/USD", 0, 5 * SECOND):
        budget.spend("BTC/USD", cancel_charge(budget.schedule, 0), 5 * SECOND)
    assert budget.used_share("BTC/USD", 5 * SECOND) >= 1
