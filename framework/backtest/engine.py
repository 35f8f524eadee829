"""The loop of virtual time: the market, the venue, the roads and the strategy, in the one order in which things happen.

At one instant the order is: rows of the market that are due, then what the venue has scheduled, then messages in the
order in which they were sent, then timers of the strategy. What is scheduled for an instant that the market has already
reached comes before the market's next row. So a command that arrives at a time meets a market in which everything up to
that time has happened, and nothing later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from framework.backtest.feeds import Feeds
from framework.backtest.sim_link import Gateway
from framework.venue.exchange import Venue
from framework.venue.kernel import MatchingKernel, StopReason
from framework.venue.scheduler import NEVER_NS, Scheduler

__all__ = ["Engine"]


class Engine:
    """Runs one simulation.

    clocks: NautilusTrader's test clocks, the kernel's and one for each strategy; they are set to the current time
    before anything is called that can read them, and their timers are called when due.
    """

    def __init__(
        self,
        kernel: MatchingKernel,
        venue: Venue,
        gateway: Gateway,
        scheduler: Scheduler,
        feeds: Feeds,
        clocks: Sequence[Any],
    ) -> None:
        self._kernel = kernel
        self._venue = venue
        self._gateway = gateway
        self._scheduler = scheduler
        self._feeds = feeds
        self._clocks = list(clocks)
        self._clock_ns = -1

    def run(self, end_ns: int) -> None:
        """Let time pass until ``end_ns``, that instant included."""
        kernel, venue, scheduler = self._kernel, self._venue, self._scheduler
        advance, fed = kernel.advance, self._feeds.deliver
        while True:
            timer_ns = self._next_timer_ns()
            venue_ns = venue.next_timer_ns()
            if venue_ns is None:
                venue_ns = NEVER_NS
            due_ns = min(scheduler.next_ns(), venue_ns, timer_ns)
            until_ns = min(due_ns, end_ns)
            if until_ns > kernel.now_ns:
                reason = advance(until_ns)
                if reason is StopReason.FEED:
                    self._set_time(kernel.now_ns)
                    fed()
                    continue
                if reason in (StopReason.FILL, StopReason.TRIGGER):
                    self._set_time(kernel.now_ns)
                    venue.on_kernel_stop(kernel.now_ns)
                    self._gateway.flush()
                    continue
            if due_ns > end_ns:
                break
            self._set_time(due_ns)
            if venue_ns == due_ns:
                venue.on_timer(due_ns)
                self._gateway.flush()
            elif scheduler.next_ns() == due_ns:
                scheduler.run_next()
            else:
                self._run_timers(due_ns)
        self._set_time(end_ns)

    def _set_time(self, now_ns: int) -> None:
        if now_ns > self._clock_ns:
            self._clock_ns = now_ns
            self._scheduler.now_ns = now_ns
            for clock in self._clocks:
                clock.set_time(now_ns)

    def _next_timer_ns(self) -> int:
        next_ns = NEVER_NS
        for clock in self._clocks:
            if clock.timer_count:
                for name in clock.timer_names:
                    next_ns = min(next_ns, clock.next_time_ns(name))
        return next_ns

    def _run_timers(self, now_ns: int) -> None:
        handlers = [handler for clock in self._clocks for handler in clock.advance_time(now_ns, True)]
        for handler in sorted(handlers, key=lambda handler: handler.event.ts_event):
            handler.handle()
