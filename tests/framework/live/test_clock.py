"""The time of a live run goes on as the machine's monotonic clock does; what is called is told the present first."""

from __future__ import annotations

import asyncio
import time

import pytest

from framework.live.clock import LiveClock

S = 1_000_000_000
MS = 1_000_000
NOW_NS = 1_800_000_000 * S


def in_loop(work: object) -> None:
    asyncio.run(work())  # type: ignore[operator]


def test_a_clock_of_the_day_that_is_set_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        clock = LiveClock(asyncio.get_running_loop())
        before_ns = clock.now_ns
        monkeypatch.setattr(time, "time_ns", lambda: 0)
        monkeypatch.setattr(time, "time", lambda: 0.0)
        assert 0 <= clock.now_ns - before_ns < S
        called: list[int] = []
        clock.at(clock.now_ns + 20 * MS, lambda: called.append(clock.now_ns))
        await asyncio.sleep(0.2)
        assert len(called) == 1

    in_loop(work)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="the system has no clock that counts sleep")
def test_a_night_asleep_has_passed_in_the_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a logon's nonce and every deadline would be of the evening."""

    async def work() -> None:
        clock = LiveClock(asyncio.get_running_loop())
        before_ns, read = clock.now_ns, time.clock_gettime_ns
        monkeypatch.setattr(time, "clock_gettime_ns", lambda which: read(which) + 8 * 3_600 * S)
        assert 0 <= clock.now_ns - before_ns - 8 * 3_600 * S < S

    in_loop(work)


def test_calls_come_in_the_order_of_their_times_and_not_before_them() -> None:
    async def work() -> None:
        clock = LiveClock(asyncio.get_running_loop(), epoch_ns=NOW_NS)
        began_ns = clock.now_ns
        assert NOW_NS <= began_ns < NOW_NS + S
        called: list[tuple[str, int]] = []
        for name, ms in (("late", 40), ("soon", 10), ("past", -5)):
            clock.at(began_ns + ms * MS, lambda name=name: called.append((name, clock.now_ns - began_ns)))
        assert called == []
        await asyncio.sleep(0.2)
        assert [name for name, _ in called] == ["past", "soon", "late"]
        assert called[1][1] >= 9 * MS
        assert called[2][1] >= 39 * MS

    in_loop(work)


def test_a_call_can_be_canceled() -> None:
    async def work() -> None:
        clock = LiveClock(asyncio.get_running_loop())
        called: list[int] = []
        clock.at(clock.now_ns + 5 * MS, called.append, 1).cancel()
        await asyncio.sleep(0.05)
        assert called == []

    in_loop(work)


def test_whoever_keeps_clocks_is_told_the_present_before_a_call_and_of_its_end() -> None:
    async def work() -> None:
        clock = LiveClock(asyncio.get_running_loop())
        said: list[str] = []
        clock.on_enter = lambda now_ns: said.append("enter" if abs(now_ns - clock.now_ns) < S else "wrong")
        clock.on_leave = lambda: said.append("leave")
        clock.enter(said.append, "call")
        assert said == ["enter", "call", "leave"]

    in_loop(work)


def test_what_a_call_raises_goes_to_one_place() -> None:
    async def work() -> None:
        clock = LiveClock(asyncio.get_running_loop())
        errors: list[Exception] = []
        clock.on_error = errors.append

        def fail() -> None:
            raise ValueError("broken")

        clock.at(0, fail)
        await asyncio.sleep(0.02)
        assert [str(error) for error in errors] == ["broken"]

    in_loop(work)


def test_nothing_is_called_once_it_is_stopped() -> None:
    async def work() -> None:
        clock = LiveClock(asyncio.get_running_loop())
        called: list[int] = []
        clock.at(clock.now_ns + MS, called.append, 1)
        clock.stop()
        await asyncio.sleep(0.02)
        assert called == []

    in_loop(work)
