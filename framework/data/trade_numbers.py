"""Numbers of trades that count up by one: which of them are missing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from framework.data.moments import moment_text

__all__ = ["missing_trades"]

_GAPS_TOLD = 5


def missing_trades(ids: npt.NDArray[np.int64], times: npt.NDArray[np.int64], why: str) -> tuple[int, list[str]]:
    """How many numbers are missing among those of trades, and where, in words.

    ids: sorted, each once. times: of these trades, in nanoseconds. why: ends each sentence.
    """
    holes = np.diff(ids) - 1
    places = np.flatnonzero(holes)
    told = []
    for place in places[:_GAPS_TOLD].tolist():
        low, high = int(ids[place]) + 1, int(ids[place + 1]) - 1
        which = f"trade {low} is" if low == high else f"trades {low} to {high} are"
        when = f"{moment_text(int(times[place]))} and {moment_text(int(times[place + 1]))}"
        told.append(f"gap: {which} missing, between {when}: {why}")
    if len(places) > _GAPS_TOLD:
        told.append(f"gap: trades are missing in {len(places) - _GAPS_TOLD:,} more places")
    return int(holes.sum()), told
