"""Virtual time: what happens next, and in which order.

Everything that will happen is a callback at a time. Callbacks run in the order of (time, order of scheduling), so a
run is the same however often it is run. Time never goes back: what is scheduled for the past runs at once, now.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

__all__ = ["NEVER_NS", "Scheduler"]

# Later than any time that a run can reach, and still within 64 bits.
NEVER_NS = 2**62


class Scheduler:
    """A queue of callbacks in virtual time.

    now_ns: the current time, nanoseconds since the epoch.
    queue: what is scheduled, as a heap of (time, number, callback, arguments): the first is next. For reading.
    """

    __slots__ = ("_sequence", "now_ns", "queue")

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = 0

    def at(self, ts_ns: int, callback: Callable[..., None], *args: Any) -> None:
        """Call back with arguments at a time."""
        self._sequence = number = self._sequence + 1
        if ts_ns < self.now_ns:
            ts_ns = self.now_ns
        heapq.heappush(self.queue, (ts_ns, number, callback, args))

    def call_at(self, ts_ns: int, callback: Callable[[], None]) -> None:
        """Call back at a time."""
        self.at(ts_ns, callback)

    def next_ns(self) -> int:
        """Time of the next callback; ``NEVER_NS`` if there is none."""
        return self.queue[0][0] if self.queue else NEVER_NS

    def run_next(self) -> None:
        """Move to the next callback's time and run it; raises IndexError if there is none."""
        ts_ns, _, callback, args = heapq.heappop(self.queue)
        self.now_ns = ts_ns
        callback(*args)
