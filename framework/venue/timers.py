"""What the venue has to do at a later time, in order of time and then of arming.

An entry is not taken back when its cause goes away; it is skipped when its turn comes, because then its owner says that
it no longer applies. ``next_ns`` looks past such entries, so that a run does not wake for nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

__all__ = ["TimerKind", "Timers"]


class TimerKind(enum.IntEnum):
    """What is due."""

    EXPIRE = 0
    START = 1
    CANCEL_AFTER = 2
    ROLLOVER = 3
    MARGIN_ROLLOVER = 4
    MARGIN_CHECK = 5


class Timers:
    """A heap of ``(due_ns, seq, kind, subject)``.

    is_live: tells for an entry whether it still applies.
    queue: the heap, for looking at its first entry; that may not apply any more.
    """

    def __init__(self, is_live: Callable[[int, TimerKind, Any], bool]) -> None:
        self.queue: list[tuple[int, int, TimerKind, Any]] = []
        self._seq = 0
        self._is_live = is_live

    def arm(self, due_ns: int, kind: TimerKind, subject: Any) -> None:
        """Have something done at a time."""
        self._seq += 1
        heappush(self.queue, (due_ns, self._seq, kind, subject))

    def next_ns(self) -> int | None:
        """When the next entry that still applies is due; None if there is none."""
        heap = self.queue
        while heap:
            due_ns, _, kind, subject = heap[0]
            if self._is_live(due_ns, kind, subject):
                return due_ns
            heappop(heap)
        return None

    def pop_due(self, now_ns: int) -> tuple[int, TimerKind, Any] | None:
        """The earliest entry that applies and is due by now; None if there is none."""
        due_ns = self.next_ns()
        if due_ns is None or due_ns > now_ns:
            return None
        _, _, kind, subject = heappop(self.queue)
        return due_ns, kind, subject
