"""The time of a live run: the machine's steady clock, tied to the epoch once, and calls by the event loop.

A wall clock that is set while the run lives moves nothing. Where the system has a steady clock that counts the time
that the machine sleeps, it is that one: after a night asleep, nonces and deadlines are of the morning.
Before anything of ours is called, whoever keeps clocks of its own is told the present; what is raised goes to one
place, so that no call's error is lost in the loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

__all__ = ["LiveClock"]

_NS = 1_000_000_000
# Linux's; None for time.monotonic_ns.
_BOOT_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class LiveClock:
    """One run's.

    on_enter: called with the present before each call. on_leave: called after it. on_error: given what a call raised.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, epoch_ns: int | None = None) -> None:
        """epoch_ns: the present; None for what the machine's clock of the day says now."""
        self._loop = loop
        self._epoch_ns = (time.time_ns() if epoch_ns is None else epoch_ns) - _steady_ns()
        self._is_stopped = False
        self.on_enter: Callable[[int], None] = _ignore
        self.on_leave: Callable[[], None] = _ignore
        self.on_error: Callable[[Exception], None] = _raise

    @property
    def now_ns(self) -> int:
        """Nanoseconds since the epoch; never goes back."""
        return self._epoch_ns + _steady_ns()

    def at(self, ts_ns: int, callback: Callable[..., None], *args: Any) -> asyncio.TimerHandle | asyncio.Handle:
        """Call back with arguments at a time, or soon if it has passed; the handle can cancel it."""
        delay_ns = ts_ns - self.now_ns
        if delay_ns <= 0:
            return self._loop.call_soon(self.enter, callback, *args)
        return self._loop.call_later(delay_ns / _NS, self.enter, callback, *args)

    def call_at(self, ts_ns: int, callback: Callable[[], None]) -> None:
        """Call back at a time."""
        self.at(ts_ns, callback)

    def stop(self) -> None:
        """Call nothing any more."""
        self._is_stopped = True

    def enter(self, callback: Callable[..., None], *args: Any) -> None:
        """Call something of ours now."""
        if self._is_stopped:
            return
        try:
            self.on_enter(self.now_ns)
            callback(*args)
            self.on_leave()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end in the loop's log
            self.on_error(error)


def _steady_ns() -> int:
    return time.monotonic_ns() if _BOOT_CLOCK is None else time.clock_gettime_ns(_BOOT_CLOCK)


def _ignore(*_: object) -> None:
    """Nobody needs to know."""


def _raise(error: Exception) -> None:
    raise error
