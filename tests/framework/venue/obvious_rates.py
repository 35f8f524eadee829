"""The rate counter in fractions of a point and whole seconds, as the page tells it: the fast one's specification."""

from __future__ import annotations

from fractions import Fraction

# guides/spot-ratelimits, "Incrementing the rate counter": age below so many seconds, points.
CANCEL = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
AMEND = ((5, 3), (10, 2), (15, 1))
EDIT = ((5, 6), (10, 5), (15, 4), (45, 2), (90, 1))


def aged_points(table: tuple[tuple[int, int], ...], age_s: Fraction) -> int:
    """The entry of the first column whose heading the age is below."""
    fitting = [points for below_s, points in table if age_s < below_s]
    return fitting[0] if fitting else 0


class ObviousCounter:
    """A counter that falls by ``decay`` points a second and never below zero; refuses from ``threshold`` on."""

    def __init__(self, threshold: int, decay: Fraction) -> None:
        self.threshold = threshold
        self.decay = decay
        self.points = Fraction(0)
        self.time_s = Fraction(0)

    def wait_until(self, time_s: Fraction) -> None:
        self.points = max(Fraction(0), self.points - self.decay * (time_s - self.time_s))
        self.time_s = time_s

    def request(self, time_s: Fraction, fixed: Fraction, aged: int, *, can_be_refused: bool) -> bool:
        self.wait_until(time_s)
        self.points += fixed
        if can_be_refused and self.points - fixed >= self.threshold:
            return False
        self.points += aged
        return True
