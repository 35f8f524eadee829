"""The loop of virtual time: the market, the venue, the roads and the strategy, in the one order in which things happen.

At one instant the order is: rows of the market that are due, then what the venue has scheduled, then messages in the
order in which they were sent, then timers of the strategy. What is scheduled for an instant that the market has already
reached comes before the market's next row. So a command that arrives at a time meets a market in which everything up to
that time has happened, and nothing later.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop

from framework.backtest.feeds import Feeds
from framework.backtest.sim_link import Gateway
from framework.trader.clock import RunClock, run_due
from framework.venue.exchange import Venue
from framework.venue.kernel import MatchingKernel, StopReason
from framework.venue.scheduler import NEVER_NS, Scheduler

__all__ = ["Engine"]

_FEED = StopReason.FEED
_END = StopReason.END
_REACHED = StopReason.REACHED


class Engine:
    """Runs one simulation.

    clocks: the run's clocks, the kernel's and one for each strategy; they are set to the current time before anything
    is called that can read them, and their timers are called when due.
    """

    def __init__(
        self,
        kernel: MatchingKernel,
        venue: Venue,
        gateway: Gateway,
        scheduler: Scheduler,
        feeds: Feeds,
        clocks: Sequence[RunClock],
    ) -> None:
        self._kernel = kernel
        self._venue = venue
        self._gateway = gateway
        self._scheduler = scheduler
        self._feeds = feeds
        self._clocks = tuple(clocks)
        self._clock_ns = -1

    def run(self, end_ns: int) -> None:
        """Let time pass until ``end_ns``, that instant included."""
        kernel, venue, scheduler, clocks = self._kernel, self._venue, self._scheduler, self._clocks
        advance, deliver, set_time = kernel.advance, self._feeds.deliver, self._set_time
        messages, venue_timers = scheduler.queue, venue.timer_queue
        while True:
            due_ns = messages[0][0] if messages else NEVER_NS
            is_venue = is_timer = False
            if venue_timers and venue_timers[0][0] <= due_ns:  # the first of them may not apply any more
                venue_ns = venue.next_timer_ns()
                if venue_ns is not None and venue_ns <= due_ns:
                    due_ns = venue_ns
                    is_venue = True
            for clock in clocks:
                if clock.due_ns < due_ns:
                    due_ns = clock.due_ns
                    is_timer = True
            until_ns = due_ns if due_ns < end_ns else end_ns
            if until_ns > kernel.now_ns:
                reason = advance(until_ns)
                if reason is _FEED:
                    set_time(kernel.now_ns)
                    deliver()
                    continue
                if reason is not _REACHED and reason is not _END:
                    set_time(kernel.now_ns)
                    venue.on_kernel_stop(kernel.now_ns)
                    self._gateway.flush()
                    continue
            if due_ns > end_ns:
                break
            set_time(due_ns)
            if is_timer:
                run_due(clocks, self._clock_ns)
            elif is_venue:
                venue.on_timer(due_ns)
                self._gateway.flush()
            else:
                _, _, callback, arguments = heappop(messages)
                callback(*arguments)
        set_time(end_ns)

    def _set_time(self, now_ns: int) -> None:
        if now_ns > self._clock_ns:
            self._clock_ns = now_ns
            self._scheduler.now_ns = now_ns
            for clock in self._clocks:
                clock.set_time(now_ns)
