"""Lets the venue's time pass with the machine's clock.

The venue is moved on before anything from a client is handed to it, at each of its own due times, and at a steady beat
in between, so that the market is published while nobody speaks. This is the only place that reads a clock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from framework.venue.served.clock import VenueClock
from framework.venue.served.host import VenueHost
from framework.venue.served.pace import BEAT_S, Pace

__all__ = ["MachineClock", "Pump"]

_NS = 1_000_000_000
# While nobody is connected there is nobody to publish to, and a venue that waits shall cost a laptop nothing.
_ALONE_BEAT_S = 0.02


class MachineClock:
    """The machine's clock, by which clients go, as it was when the venue was last moved on; nanoseconds since the
    epoch. It goes on while the venue's time is paused, and does not jump with it.
    """

    __slots__ = ("now_ns",)

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns


class Pump:
    """Runs a host in real time.

    on_beat: called after each beat with the machine's time, for whoever has timers of its own (FIX sessions).
    is_alone: whether nobody is connected, so that the beat may be slow.
    machine: the clock that clients go by.
    """

    def __init__(
        self,
        host: VenueHost,
        clock: VenueClock,
        wall_ns: Callable[[], int] = time.monotonic_ns,
        epoch_ns: int | None = None,
    ) -> None:
        """epoch_ns: the machine's time when ``wall_ns`` is 0; if None, both clocks now show the same."""
        self.host = host
        self.clock = clock
        self.on_beat: list[Callable[[int], None]] = []
        self.is_alone: Callable[[], bool] = lambda: False
        self._wall_ns = wall_ns
        self._pace = Pace(host, clock, wall_ns)
        self._epoch_ns = host.now_ns - wall_ns() if epoch_ns is None else epoch_ns
        self.machine = MachineClock(self._epoch_ns + wall_ns())
        self._timer: asyncio.Handle | None = None
        self._is_slow = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_running = False
        self._failure: asyncio.Future[None] | None = None

    def now(self) -> int:
        """Move the venue on to the present, or as far as one go may take; returns the venue's time in nanoseconds.

        A venue that is too slow for the speed that it was given runs at the speed that it has, and serves its clients.
        """
        if self._is_slow:
            self._hasten()
        wall_ns = self._wall_ns()
        self.machine.now_ns = self._epoch_ns + wall_ns
        return self._pace.run(wall_ns)

    def change(self, change: Callable[[VenueClock, int], None]) -> int:
        """Change how the venue's time runs from the present on, and move the venue on to where it is then; returns
        the venue's time. change: is given the clock and the machine's time.
        """
        self.now()
        wall_ns = self._wall_ns()
        change(self.clock, wall_ns)
        self.host.run_until(max(self.host.now_ns, self.clock.venue_ns(wall_ns)))
        return self.now()

    def start(self) -> asyncio.Future[None]:
        """Begin; the future ends with the error that stopped the venue, or is cancelled by ``stop``."""
        self._loop = asyncio.get_running_loop()
        self._failure = self._loop.create_future()
        self._is_running = True
        self._beat()
        return self._failure

    def stop(self) -> None:
        """Time stands still from here on."""
        self._is_running = self._is_slow = False
        if self._timer is not None:
            self._timer.cancel()
        if self._failure is not None and not self._failure.done():
            self._failure.cancel()

    def _beat(self) -> None:
        if not self._is_running:
            return
        assert self._loop is not None
        assert self._failure is not None
        self._is_slow = False
        try:
            now_ns = self.now()
            for callback in self.on_beat:
                callback(self.machine.now_ns)
        except Exception as error:  # noqa: BLE001 - whatever it is, a venue that failed must not look alive
            self._is_running = False
            if not self._failure.done():
                self._failure.set_exception(error)
            return
        self._timer = self._loop.call_later(self._wait_s(now_ns), self._beat)

    def _hasten(self) -> None:
        """Somebody speaks, a request of REST without a connection that is kept perhaps: what is due for it comes before
        the end of a slow beat.
        """
        assert self._loop is not None
        assert self._timer is not None
        self._is_slow = False
        self._timer.cancel()
        self._timer = self._loop.call_soon(self._beat)

    def _wait_s(self, now_ns: int) -> float:
        """Until the venue's next due time if that is before the next beat."""
        is_behind = now_ns < self.clock.venue_ns(self.machine.now_ns - self._epoch_ns)
        self._is_slow = self.is_alone() and not is_behind
        beat_s, speed = _ALONE_BEAT_S if self._is_slow else BEAT_S, self.clock.speed
        if not speed:
            return beat_s
        ahead_s = (self.host.next_due_ns() - now_ns) / _NS / float(speed)
        return max(0.0, min(beat_s, ahead_s))
