"""The clock of a run: the next timer is known without looking for it, whatever was set, repeated or canceled."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from framework.trader.clock import RunClock, run_due
from framework.venue.scheduler import NEVER_NS


def test_nothing_is_due_before_a_timer_is_set() -> None:
    assert RunClock().due_ns == NEVER_NS


def test_the_earliest_of_several_alerts_is_due_first() -> None:
    clock = RunClock()
    for name, time_ns in (("b", 300), ("a", 100), ("c", 200)):
        clock.set_time_alert_ns(name, time_ns, print)
    assert clock.due_ns == 100


def test_an_alert_set_by_time_of_day_counts_like_one_in_nanoseconds() -> None:
    clock = RunClock()
    clock.set_time_alert("a", pd.Timestamp(5_000, tz="UTC"), print)
    assert clock.due_ns == 5_000


def test_a_timer_is_due_again_after_each_of_its_intervals() -> None:
    clock, calls = RunClock(), []
    clock.set_timer("t", pd.Timedelta(10, "ns"), callback=lambda event: calls.append(event.ts_event))
    for time_ns in (10, 20, 30):
        assert clock.due_ns == time_ns
        run_due([clock], time_ns)
    assert calls == [10, 20, 30]


def test_a_canceled_timer_calls_nobody_when_its_time_comes() -> None:
    clock, calls = RunClock(), []
    clock.set_time_alert_ns("a", 100, calls.append)
    clock.cancel_timer("a")
    run_due([clock], 100)
    assert calls == []
    assert clock.due_ns == NEVER_NS


def test_handlers_of_several_clocks_are_called_in_order_of_time_and_then_of_the_clocks() -> None:
    first, second, calls = RunClock(), RunClock(), []
    first.set_time_alert_ns("late", 100, lambda _: calls.append("first late"))
    second.set_time_alert_ns("late", 100, lambda _: calls.append("second late"))
    second.set_time_alert_ns("early", 50, lambda _: calls.append("second early"))
    run_due([first, second], 100)
    assert calls == ["second early", "first late", "second late"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 1_000), st.booleans()), max_size=30))
def test_whatever_is_set_and_canceled_the_alerts_left_are_called_at_their_times(steps: list[Any]) -> None:
    clock, calls, left = RunClock(), [], {}
    for name, time_ns, is_canceled in steps:
        if name in left:
            if is_canceled:
                clock.cancel_timer(name)
                del left[name]
        else:
            clock.set_time_alert_ns(name, time_ns, lambda event: calls.append((event.ts_event, event.name)))
            left[name] = time_ns
    while clock.due_ns != NEVER_NS:
        run_due([clock], clock.due_ns)
    assert sorted(calls) == sorted((time_ns, name) for name, time_ns in left.items())
    assert [time_ns for time_ns, _ in calls] == sorted(left.values())
