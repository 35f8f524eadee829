"""The venue's time against the machine's: how far one go takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any, cast

import pytest

from adapters.kraken.server.shell.pump import Pump
from framework.venue.served.clock import VenueClock
from framework.venue.served.host import VenueHost

MS = 1_000_000
SECOND = 1_000 * MS


class SlowHost:
    """A host that needs the machine's time to let its own pass."""

    def __init__(self, machine: Machine, cost: float) -> None:
        self.now_ns = 0
        self._machine = machine
        self._cost = cost

    def run_until(self, now_ns: int) -> None:
        self._machine.now_ns += int((now_ns - self.now_ns) * self._cost)
        self.now_ns = now_ns

    def next_due_ns(self) -> int:
        return self.now_ns + SECOND


class Machine:
    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


def pump(speed: int, cost: float) -> tuple[Pump, Machine]:
    machine = Machine()
    host = SlowHost(machine, cost)
    return Pump(cast("VenueHost", host), VenueClock(0, 0, speed), machine, epoch_ns=0), machine


def test_a_venue_that_is_fast_enough_is_where_its_clock_is() -> None:
    served, machine = pump(speed=10, cost=0.01)
    machine.now_ns = 50 * MS
    assert served.now() == 500 * MS


def test_one_go_ends_after_ten_milliseconds_and_the_next_goes_on() -> None:
    served, machine = pump(speed=1, cost=0.5)
    machine.now_ns = 100 * MS
    assert served.now() == 20 * MS
    assert machine.now_ns == 110 * MS
    assert served.now() == 40 * MS


def test_a_venue_that_is_too_slow_for_its_speed_falls_no_further_behind_than_a_second() -> None:
    served, machine = pump(speed=100, cost=0.1)
    for _ in range(1000):
        began_ns = machine.now_ns
        served.now()
        assert machine.now_ns - began_ns <= 20 * MS
        machine.now_ns += MS
    assert served.clock.venue_ns(machine.now_ns) - served.host.now_ns <= 104 * SECOND
    served.clock.set_speed(machine.now_ns, 1)
    machine.now_ns += 30 * SECOND
    for _ in range(2000):
        served.now()
        machine.now_ns += MS
    assert served.clock.venue_ns(machine.now_ns) - served.host.now_ns <= 2 * MS


def test_at_the_machines_speed_a_venue_that_was_held_up_catches_up() -> None:
    served, machine = pump(speed=1, cost=0.1)
    machine.now_ns = 3600 * SECOND
    while served.now() < machine.now_ns - 2 * MS:
        machine.now_ns += MS
    assert served.clock.venue_ns(machine.now_ns) == machine.now_ns


def test_a_step_is_made_whole_however_long_it_takes() -> None:
    served, _ = pump(speed=1, cost=1)
    assert served.change(lambda clock, wall_ns: clock.step(wall_ns, 5 * SECOND)) >= 5 * SECOND


class NotedLoop(asyncio.SelectorEventLoop):
    """Notes how long is waited for the next beat, which never comes by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_s: list[float] = []

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self.waited_s.append(delay)
        return super().call_later(3600, callback, *args, context=context)


@pytest.mark.parametrize(
    ("is_alone", "cost", "most_ms"),
    [(False, 0.0, 2), (True, 0.0, 20), (True, 0.9, 2)],
    ids=["heard", "alone", "behind"],
)
def test_the_beat_is_slow_while_nobody_is_connected_unless_there_is_time_to_make_up(
    is_alone: bool, cost: float, most_ms: int
) -> None:
    async def run() -> None:
        served, machine = pump(speed=1, cost=cost)
        served.is_alone = lambda: is_alone
        machine.now_ns = 100 * MS
        served.start()
        served.stop()

    loop = NotedLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(run())
    assert loop.waited_s == [most_ms / 1_000]


def test_what_is_due_for_a_request_comes_in_time_though_nobody_is_connected() -> None:
    """A request of REST keeps no connection; its answer is due before the slow beat is over."""

    async def run() -> None:
        served, machine = pump(speed=1, cost=0.0)
        served.is_alone = lambda: True
        served.start()
        machine.now_ns = 5 * MS
        served.now()
        served.host.next_due_ns = lambda: 8 * MS  # type: ignore[method-assign]
        await asyncio.sleep(0)
        served.stop()

    loop = NotedLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(run())
    assert loop.waited_s == [0.02, pytest.approx(0.003)]
