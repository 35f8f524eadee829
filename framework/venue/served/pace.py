"""How far one go takes what lives in time: up to the present, in pieces, and no longer than others can wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from framework.venue.served.clock import VenueClock

__all__ = ["BEAT_S", "Living", "Pace"]

# What lives is moved on at least so often.
BEAT_S = 0.002
# So much of the machine's time one go may take before others are looked after again, and so far behind its clock what
# lives may be before the clock waits for it.
_WORK_MAX_NS = 10_000_000
_LAG_MAX_NS = 1_000_000_000
_BEAT_NS = int(BEAT_S * 1_000_000_000)


class Living(Protocol):
    """Something whose time is moved on by who runs it."""

    @property
    def now_ns(self) -> int:
        """Its present, nanoseconds since the epoch."""
        ...

    def run_until(self, now_ns: int) -> None:
        """Let time pass up to an instant, that instant included."""
        ...


class Pace:
    """Moves something on as its clock says."""

    def __init__(self, living: Living, clock: VenueClock, wall_ns: Callable[[], int]) -> None:
        """wall_ns: the machine's time, which never goes back; in nanoseconds from anywhere."""
        self._living = living
        self._clock = clock
        self._wall_ns = wall_ns

    def run(self, wall_ns: int) -> int:
        """Move on to a time of the machine, or as far as one go may take; returns the time that it then has.

        What is too slow for the speed that it was given, above the machine's own, runs at the speed that it has. At the
        machine's speed what was held up catches up, for clients go by the time of day.
        """
        living, clock = self._living, self._clock
        now_ns = clock.venue_ns(wall_ns)
        if now_ns > living.now_ns:
            self._move(now_ns, wall_ns)
        return living.now_ns

    def _move(self, now_ns: int, wall_ns: int) -> None:
        living, speed = self._living, self._clock.speed
        # In whole numbers: this is asked for with all that comes from a client.
        step_ns = _BEAT_NS * speed.numerator // speed.denominator
        if not step_ns or now_ns - living.now_ns <= step_ns:
            living.run_until(now_ns)
            return
        reached_ns = -1
        # What does not go on any more has ended.
        while reached_ns < living.now_ns < now_ns and self._wall_ns() - wall_ns < _WORK_MAX_NS:
            reached_ns = living.now_ns
            living.run_until(min(now_ns, reached_ns + step_ns))
        most_ns = int(_LAG_MAX_NS * speed)
        if speed > 1 and now_ns - living.now_ns > most_ns:
            self._clock.hold(wall_ns, living.now_ns + most_ns)
