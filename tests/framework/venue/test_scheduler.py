"""Virtual time: callbacks by time, then by the order in which they were scheduled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.venue.scheduler import NEVER_NS, Scheduler


def drain(scheduler: Scheduler) -> None:
    while scheduler.next_ns() != NEVER_NS:
        scheduler.run_next()


def test_earlier_times_come_first_whatever_the_order_of_scheduling() -> None:
    scheduler, seen = Scheduler(0), []
    for ts_ns in (30, 10, 20):
        scheduler.at(ts_ns, seen.append, ts_ns)
    drain(scheduler)
    assert seen == [10, 20, 30]


def test_at_one_time_the_order_of_scheduling_decides() -> None:
    scheduler, seen = Scheduler(0), []
    for name in "abc":
        scheduler.at(10, seen.append, name)
    drain(scheduler)
    assert seen == ["a", "b", "c"]


def test_what_is_scheduled_for_now_by_a_callback_comes_after_all_that_was_scheduled_for_now() -> None:
    scheduler, seen = Scheduler(0), []
    scheduler.at(10, lambda: scheduler.at(10, seen.append, "again"))
    scheduler.at(10, seen.append, "first")
    drain(scheduler)
    assert seen == ["first", "again"]


def test_what_is_scheduled_for_the_past_runs_now_and_time_does_not_go_back() -> None:
    scheduler, seen = Scheduler(100), []
    scheduler.at(50, lambda: seen.append(scheduler.now_ns))
    scheduler.run_next()
    assert seen == [100]


def test_the_time_is_that_of_the_callback_while_it_runs() -> None:
    scheduler, seen = Scheduler(5), []
    scheduler.call_at(40, lambda: seen.append(scheduler.now_ns))
    assert (scheduler.now_ns, scheduler.next_ns()) == (5, 40)
    scheduler.run_next()
    assert seen == [40]


def test_arguments_that_cannot_be_compared_are_no_hindrance_at_equal_times() -> None:
    scheduler, seen = Scheduler(0), []
    for value in ({"a": 1}, {"b": 2}):
        scheduler.at(10, seen.append, value)
    drain(scheduler)
    assert seen == [{"a": 1}, {"b": 2}]


def test_an_empty_schedule_is_never_due_and_runs_nothing() -> None:
    scheduler = Scheduler(0)
    assert scheduler.next_ns() == NEVER_NS
    with pytest.raises(IndexError):
        scheduler.run_next()


@given(st.lists(st.integers(0, 20), max_size=50))
def test_the_order_is_that_of_a_stable_sort_by_time(times: list[int]) -> None:
    scheduler = Scheduler(0)
    seen: list[tuple[int, int]] = []
    for number, ts_ns in enumerate(times):
        scheduler.at(ts_ns, seen.append, (ts_ns, number))
    drain(scheduler)
    assert seen == sorted(((ts_ns, number) for number, ts_ns in enumerate(times)), key=lambda pair: pair[0])
