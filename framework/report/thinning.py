"""Making series shorter for a plot, and numbers shorter for a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Budget", "envelope", "evenly", "milliseconds", "rounded"]


class Budget:
    """How many points of each kind a run's part of a page may have.

    scale: 1 for a page about one run; smaller where several runs share a page.
    """

    def __init__(self, scale: float) -> None:
        self.points = max(200, int(4_000 * scale))
        self.fills = max(100, int(5_000 * scale))
        self.orders = max(50, int(1_500 * scale))
        self.events = max(60, int(600 * scale))
        self.queue = max(20, int(80 * min(1.0, 2 * scale)))


def envelope(values: npt.NDArray[Any], count: int) -> npt.NDArray[np.int64]:
    """Indices of at most ``count`` points that keep a series' outline: of each stretch of it, the first, lowest,
    highest and last point, in order. All indices where there are not more.
    """
    size = len(values)
    if size <= count:
        return np.arange(size)
    numbers = values.astype(np.float64)
    edges = np.linspace(0, size, max(1, count // 4) + 1).astype(np.int64)
    kept = set()
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = numbers[start:end]
        kept |= {start, start + int(part.argmin()), start + int(part.argmax()), end - 1}
    return np.asarray(sorted(kept), dtype=np.int64)


def evenly(items: Sequence[Any], count: int) -> list[Any]:
    """At most ``count`` items, evenly spaced, first and last among them if there are two or more."""
    if len(items) <= count:
        return list(items)
    if count < 2:
        return list(items[:count])
    return [items[i * (len(items) - 1) // (count - 1)] for i in range(count)]


def milliseconds(ts_ns: int, first_ns: int) -> float:
    """A time as milliseconds after ``first_ns``, to the microsecond."""
    return round((ts_ns - first_ns) / 1_000) / 1_000


def rounded(value: float) -> float:
    """A number for a plot: seven significant digits."""
    return float(f"{value:.7g}")
