"""The venue's clock as far as its own messages prove it.

A message that carries the venue's time was made before it was received, so the venue's clock was at least there then.
Reports whose time matters and is not told are dated by that: never later than it was at the venue, even where the
clocks disagree.
"""

from __future__ import annotations

__all__ = ["VenueTime"]

# Clocks drift and are set: what was seen longer ago than one to two of these does not count.
_PERIOD_NS = 300 * 10**9


class VenueTime:
    """How far the venue's clock is at least ahead of the trader's; behind is negative."""

    def __init__(self) -> None:
        self._period = 0
        self._newest_ns: int | None = None
        self._before_ns: int | None = None

    def note(self, ts_venue_ns: int, ts_recv_ns: int) -> None:
        """A message that the venue dated was received."""
        period = ts_recv_ns // _PERIOD_NS
        if period != self._period:
            self._before_ns = self._newest_ns if period == self._period + 1 else None
            self._period, self._newest_ns = period, None
        ahead_ns = ts_venue_ns - ts_recv_ns
        self._newest_ns = ahead_ns if self._newest_ns is None else max(self._newest_ns, ahead_ns)

    def at_least_ns(self, ts_ns: int) -> int:
        """What the venue's clock showed at least at a time of the trader's; that time where nothing is known."""
        proved_ns = self.proved_ns(ts_ns)
        return ts_ns if proved_ns is None else proved_ns

    def proved_ns(self, ts_ns: int) -> int | None:
        """What the venue's clock showed at least at a time of the trader's; None where nothing is known."""
        known = [each for each in (self._newest_ns, self._before_ns) if each is not None]
        return ts_ns + max(known) if known else None
