"""What lives in time is moved on by the machine's monotonic clock, and ends when it is done."""

from __future__ import annotations

import asyncio
import time

import pytest

from framework.live.drive import drive
from framework.venue.served.clock import VenueClock

S = 1_000_000_000
MS = 1_000_000
START_NS = 1_800_000_000 * S


class Life:
    """Something that is done after a time of its own."""

    def __init__(self, length_ns: int) -> None:
        self.now_ns = START_NS
        self._end_ns = START_NS + length_ns
        self.steps: list[int] = []

    @property
    def is_done(self) -> bool:
        return self.now_ns >= self._end_ns

    def run_until(self, now_ns: int) -> None:
        self.now_ns = min(now_ns, self._end_ns)
        self.steps.append(self.now_ns)


def test_it_lives_as_long_as_the_machines_clock_says() -> None:
    life = Life(60 * MS)
    began_s = time.monotonic()
    asyncio.run(drive(life, VenueClock(time.monotonic_ns(), START_NS)))
    assert 0.06 <= time.monotonic() - began_s < 2.0
    assert life.is_done


def test_it_lives_faster_at_a_greater_speed() -> None:
    life = Life(50 * S)
    began_s = time.monotonic()
    asyncio.run(drive(life, VenueClock(time.monotonic_ns(), START_NS, 1_000)))
    assert time.monotonic() - began_s < 5.0


def test_a_wall_clock_that_is_set_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the day jumps by an hour in either direction while it lives."""
    day_ns = iter([0, 3_600 * S, -3_600 * S] * 100)
    monkeypatch.setattr(time, "time_ns", lambda: START_NS + next(day_ns))
    monkeypatch.setattr(time, "time", lambda: (START_NS + next(day_ns)) / S)
    life = Life(40 * MS)
    asyncio.run(drive(life, VenueClock(time.monotonic_ns(), START_NS)))
    assert life.steps == sorted(life.steps)
    assert max(b - a for a, b in zip(life.steps, life.steps[1:], strict=False)) < S


def test_others_have_their_turn_while_it_lives() -> None:
    turns: list[int] = []

    async def both() -> None:
        async def other() -> None:
            while True:
                turns.append(1)
                await asyncio.sleep(0.001)

        task = asyncio.create_task(other())
        await drive(Life(50 * MS), VenueClock(time.monotonic_ns(), START_NS))
        task.cancel()

    asyncio.run(both())
    assert len(turns) > 5


def test_what_it_raises_is_raised() -> None:
    class Broken(Life):
        def run_until(self, now_ns: int) -> None:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(drive(Broken(S), VenueClock(time.monotonic_ns(), START_NS)))
