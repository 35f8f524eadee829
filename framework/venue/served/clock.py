"""The venue's time against the machine's: at another speed, standing still or stepped ahead; it never goes back."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["VenueClock"]


_STILL = Fraction(0)


class VenueClock:
    """A clock of its own over another one.

    speed: nanoseconds of the venue for one of the machine; 0 while paused.
    """

    def __init__(self, wall_ns: int, venue_ns: int, speed: Fraction | int = 1) -> None:
        """wall_ns, venue_ns: one moment on both clocks. Raises ValueError for a speed below 0."""
        self._wall_ns = wall_ns
        self._venue_ns = venue_ns
        self._speed = _checked(speed)
        self._is_paused = False

    @property
    def speed(self) -> Fraction:
        """How fast the venue's time runs now; 0 while paused."""
        return _STILL if self._is_paused else self._speed

    @property
    def is_paused(self) -> bool:
        """Whether the venue's time stands still."""
        return self._is_paused

    @property
    def running_speed(self) -> Fraction:
        """How fast the venue's time runs, or would if it were not paused."""
        return self._speed

    def venue_ns(self, wall_ns: int) -> int:
        """The venue's time at a time of the machine; that of the last change if the machine's clock was before it."""
        if self._is_paused:
            return self._venue_ns
        passed_ns = max(0, wall_ns - self._wall_ns)
        speed = self._speed
        return self._venue_ns + passed_ns * speed.numerator // speed.denominator

    def pause(self, wall_ns: int) -> None:
        """The venue's time stands still from now on."""
        self._mark(wall_ns)
        self._is_paused = True

    def resume(self, wall_ns: int) -> None:
        """It goes on, at the speed it had."""
        self._mark(wall_ns)
        self._is_paused = False

    def set_speed(self, wall_ns: int, speed: Fraction | int) -> None:
        """It runs at another speed from now on. Raises ValueError for one below 0."""
        checked = _checked(speed)
        self._mark(wall_ns)
        self._speed = checked

    def step(self, wall_ns: int, by_ns: int) -> None:
        """It jumps ahead. Raises ValueError for a step back."""
        if by_ns < 0:
            raise ValueError(f"the venue's time does not go back: {by_ns} ns")
        self._mark(wall_ns)
        self._venue_ns += by_ns

    def hold(self, wall_ns: int, venue_ns: int) -> None:
        """The venue has not come as far as it should: it is given this time now, which is behind."""
        self._venue_ns = min(venue_ns, self.venue_ns(wall_ns))
        self._wall_ns = max(self._wall_ns, wall_ns)

    def _mark(self, wall_ns: int) -> None:
        self._venue_ns = self.venue_ns(wall_ns)
        self._wall_ns = max(self._wall_ns, wall_ns)


def _checked(speed: Fraction | int) -> Fraction:
    if speed < 0:
        raise ValueError(f"a speed is not below 0: {speed}")
    return Fraction(speed)
