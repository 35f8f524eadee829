"""A recorded market without end: played from now on, and again when its rows are over.

Each pass begins with the market's snapshot, a second after the last row of the pass before; what the price does between
the two is a jump. Client orders that rest stay through it (``MatchingKernel.rewind``).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from framework.data.columns import Market
from framework.errors import DataError
from framework.venue.kernel import MatchingKernel

__all__ = ["EndlessMarket", "market_from", "pass_ns"]

_SEAM_NS = 1_000_000_000


def market_from(market: Market, first_ns: int) -> Market:
    """The market with its first row at a time, and time columns of its own, which a rewind may move.

    Raises DataError for a market without rows.
    """
    columns = market.columns
    if len(columns) == 0:
        raise DataError(f"{market.spec.symbol}: a market without rows cannot be served")
    shift_ns = first_ns - int(columns.ts_event_ns[0])
    ts_event_ns = np.ascontiguousarray(columns.ts_event_ns + shift_ns)
    is_one = columns.ts_recv_ns is columns.ts_event_ns
    ts_recv_ns = ts_event_ns if is_one else np.ascontiguousarray(columns.ts_recv_ns + shift_ns)
    moved = msgspec.structs.replace(columns, ts_event_ns=ts_event_ns, ts_recv_ns=ts_recv_ns)
    return msgspec.structs.replace(market, columns=moved)


def pass_ns(market: Market) -> int:
    """From the beginning of one pass of a market to that of the next."""
    times = market.columns.ts_event_ns
    return int(times[-1]) - int(times[0]) + _SEAM_NS


class EndlessMarket:
    """The seams of the markets of a kernel, whose columns come from ``market_from``."""

    def __init__(self, kernel: MatchingKernel, markets: Sequence[Market]) -> None:
        self._kernel = kernel
        self._markets = tuple(markets)
        self.pass_counts = [1] * len(markets)
        self._seams_ns = [self._seam_ns(index) for index in range(len(markets))]
        self._next_ns = min(self._seams_ns)

    def next_seam_ns(self) -> int:
        """When the next market is over and begins again."""
        return self._next_ns

    def pass_seams(self, now_ns: int) -> list[int]:
        """Begin again those that are over by now; returns their numbers."""
        begun: list[int] = []
        if now_ns < self._next_ns:
            return begun
        for index, seam_ns in enumerate(self._seams_ns):
            if seam_ns <= now_ns:
                self._kernel.rewind(index, seam_ns)
                self.pass_counts[index] += 1
                self._seams_ns[index] = self._seam_ns(index)
                begun.append(index)
        self._next_ns = min(self._seams_ns)
        return begun

    def _seam_ns(self, index: int) -> int:
        return int(self._markets[index].columns.ts_event_ns[-1]) + _SEAM_NS
