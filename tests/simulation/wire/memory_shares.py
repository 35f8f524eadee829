"""Whose the memory of one process is that holds a live run, the served venue and what carries bytes between them."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from pathlib import Path

__all__ = ["begin", "shares_mb"]

_ROOT = str(Path(__file__).resolve().parents[3])
# What libraries ask for, in lines of their own, is nobody's: to look further up takes several times as long.
_FRAMES = 1
# An object belongs to the one of these that asked for it.
_LIVE = ("framework/live", "framework/execution", "framework/trader", "framework/strategy", "framework/backtest")
_LIVE += ("adapters/kraken/client", "strategies")
_VENUE = ("framework/venue", "adapters/kraken/server", "framework/data")


def begin() -> None:
    """Note from now on who asks for memory."""
    tracemalloc.start(_FRAMES)


def shares_mb() -> dict[str, float]:
    """Megabytes of Python's objects by whose they are: the run's, the venue's and the simulation's; what was made when
    modules were loaded is nobody's.
    """
    gc.collect()
    found: Counter[str] = Counter()
    for statistic in tracemalloc.take_snapshot().statistics("traceback"):
        for frame in reversed(statistic.traceback):
            owner = _owner(frame.filename)
            if owner is not None:
                found[owner] += statistic.size
                break
    return {owner: found[owner] / 2**20 for owner in ("run", "venue", "simulation")}


def _owner(path: str) -> str | None:
    place = path.removeprefix(_ROOT).lstrip("/")
    if place == path:
        return None
    if place.startswith("tests"):
        return "simulation"
    if place.startswith(_LIVE):
        return "run"
    return "venue" if place.startswith(_VENUE) else None
