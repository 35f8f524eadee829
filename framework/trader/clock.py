"""The clock that a run's components and strategies get: NautilusTrader's own test clock, with its timers in a heap.

NautilusTrader's clock answers when one timer is due, by name, and has to be asked for each; here the earliest is known
at any time, so that a run with hundreds of pending alerts steps as fast as one with none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any

from nautilus_trader.common.component import TestClock

from framework.venue.scheduler import NEVER_NS

__all__ = ["RunClock", "run_due"]


class RunClock(TestClock):
    """A test clock that knows when its next timer is due.

    due_ns: that time; ``NEVER_NS`` for no timer. Of a timer that was canceled the time may still stand here: then
    nothing is due when it comes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.due_ns = NEVER_NS
        self._times: list[int] = []

    def set_time_alert_ns(
        self,
        name: str,
        alert_time_ns: int,
        callback: Callable[[Any], None] | None = None,
        allow_past: bool = True,
    ) -> None:
        super().set_time_alert_ns(name, alert_time_ns, callback, allow_past)
        self._note(name)

    def set_timer_ns(
        self,
        name: str,
        interval_ns: int,
        start_time_ns: int,
        stop_time_ns: int,
        callback: Callable[[Any], None] | None = None,
        allow_past: bool = True,
        fire_immediately: bool = False,
    ) -> None:
        super().set_timer_ns(name, interval_ns, start_time_ns, stop_time_ns, callback, allow_past, fire_immediately)
        self._note(name)

    def take_due(self, now_ns: int) -> list[Any]:
        """Go on to a time; the handlers of the timers that are due by then, in order of time."""
        handlers: list[Any] = self.advance_time(now_ns, True)
        times = self._times
        while times and times[0] <= now_ns:
            heappop(times)
        self.due_ns = times[0] if times else NEVER_NS
        for name in dict.fromkeys(handler.event.name for handler in handlers):
            self._note(name)  # one that repeats
        return handlers

    def _note(self, name: str) -> None:
        time_ns: int = self.next_time_ns(name)
        if time_ns:
            heappush(self._times, time_ns)
            self.due_ns = self._times[0]


def run_due(clocks: Sequence[RunClock], now_ns: int) -> None:
    """Call the handlers of all timers that are due by a time, in order of time and then of the clocks."""
    handlers = [handler for clock in clocks for handler in clock.take_due(now_ns)]
    for handler in sorted(handlers, key=lambda handler: handler.event.ts_event):
        handler.handle()
