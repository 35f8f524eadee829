"""The venue's clock over the machine's."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.venue.served.clock import VenueClock


def test_it_runs_with_the_machine() -> None:
    assert VenueClock(100, 5_000).venue_ns(130) == 5_030


def test_it_runs_at_its_speed_from_the_moment_that_it_is_set() -> None:
    clock = VenueClock(0, 0)
    clock.set_speed(100, 10)
    assert clock.venue_ns(150) == 100 + 500
    clock.set_speed(150, Fraction(1, 2))
    assert clock.venue_ns(250) == 600 + 50


def test_it_stands_still_while_paused_and_goes_on_from_there_at_its_speed() -> None:
    clock = VenueClock(0, 0, 3)
    clock.pause(100)
    assert (clock.venue_ns(900), clock.speed) == (300, 0)
    clock.resume(900)
    assert clock.venue_ns(910) == 330


def test_a_step_jumps_ahead_also_while_paused() -> None:
    clock = VenueClock(0, 0)
    clock.pause(0)
    clock.step(10, 500)
    assert clock.venue_ns(20) == 500


def test_a_machine_clock_that_jumps_back_does_not_take_the_venue_back() -> None:
    clock = VenueClock(1_000, 0)
    clock.set_speed(2_000, 2)
    assert clock.venue_ns(500) == 1_000


@pytest.mark.parametrize("act", [lambda clock: clock.step(0, -1), lambda clock: clock.set_speed(0, -1)])
def test_it_cannot_be_turned_back(act) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"not go back|not below 0"):
        act(VenueClock(0, 0))


@given(st.lists(st.tuples(st.sampled_from(["pause", "resume", "speed", "step"]), st.integers(0, 50)), max_size=30))
def test_it_never_goes_back(acts: list[tuple[str, int]]) -> None:
    clock, wall_ns, last_ns = VenueClock(0, 0), 0, 0
    for act, value in acts:
        wall_ns += value
        if act == "pause":
            clock.pause(wall_ns)
        elif act == "resume":
            clock.resume(wall_ns)
        elif act == "speed":
            clock.set_speed(wall_ns, Fraction(value, 7))
        else:
            clock.step(wall_ns, value)
        now_ns = clock.venue_ns(wall_ns)
        assert now_ns >= last_ns
        last_ns = now_ns
