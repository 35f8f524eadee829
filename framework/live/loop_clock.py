"""The clock of the day in an event loop, as it is set: for what lasts days, and is told beside the times of others.

A run of a strategy has ``clock.LiveClock``, which nobody can set while it lives.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

__all__ = ["LoopClock"]


class LoopClock:
    """The time of this machine, and calls by the running event loop; a ``framework.execution.link.Clock``."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    @property
    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns()

    def call_at(self, ts_ns: int, callback: Callable[[], None]) -> None:
        """Call back at a time, or soon if it has passed."""
        delay_ns = ts_ns - time.time_ns()
        if delay_ns <= 0:
            self._loop.call_soon(callback)
        else:
            self._loop.call_later(delay_ns / 1e9, callback)
