"""Latencies as counts by size: noting one costs a search in a few bounds and two additions, and no memory.

Bounds are round numbers from a microsecond to a minute, six in each power of ten, so a quantile is right to within a
third of itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

__all__ = ["BOUNDS_NS", "Histogram", "quantile_ns"]

_US = 1_000
_STEPS = (10, 15, 20, 30, 50, 70)
# Upper bounds of the buckets, inclusive, in nanoseconds; one more bucket holds what is above the last.
BOUNDS_NS: tuple[int, ...] = (
    *(step * _US * 10**power // 10 for power in range(7) for step in _STEPS),
    *(seconds * 1_000_000_000 for seconds in (10, 15, 20, 30, 60)),
)


class Histogram:
    """One distribution. counts: by bucket of ``BOUNDS_NS``, one more for what is above; sum_ns: of all noted."""

    __slots__ = ("counts", "sum_ns")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_NS) + 1)
        self.sum_ns = 0

    def note(self, latency_ns: int) -> None:
        """Count a latency; one below 0, which two clocks can show, counts as 0."""
        if latency_ns < 0:
            latency_ns = 0
        self.counts[bisect_left(BOUNDS_NS, latency_ns)] += 1
        self.sum_ns += latency_ns


def quantile_ns(counts: Sequence[int], share: float) -> int | None:
    """The latency below which a share of all lies, within its bucket as if they were spread evenly.

    counts: as ``Histogram.counts``. share: from 0 to 1. None where nothing was counted; the last bound for what is
    above it. Raises ValueError for a share that is none.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a share is from 0 to 1, not {share}")
    total = sum(counts)
    if not total:
        return None
    wanted = share * total
    for bucket, reached in enumerate(accumulate(counts)):
        if counts[bucket] and reached >= wanted:
            break
    if bucket >= len(BOUNDS_NS):
        return BOUNDS_NS[-1]
    low = BOUNDS_NS[bucket - 1] if bucket else 0
    part = (wanted - (reached - counts[bucket])) / counts[bucket]
    return low + round(max(0.0, part) * (BOUNDS_NS[bucket] - low))
