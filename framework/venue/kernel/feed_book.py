"""What the strategy's side of the feed sees of one instrument."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from framework.data.columns import TRADE, Columns
from framework.venue.kernel import layout
from framework.venue.kernel.operations import levels

__all__ = ["FeedBook"]

_VIEW = layout.VIEW
_LEVELS_MAX = 2**31


class FeedBook:
    """A view of one instrument's market as the feed has delivered it: always current, nothing is copied.

    columns: the instrument's rows, for those of the last stop. first_row: the number of the first of them, above 0
    where walked rows of a growing market have been let go of. memory, view_at: where the view's numbers stand, for who
    reads them often.
    """

    __slots__ = ("_address", "_base", "columns", "first_row", "instrument", "memory", "view_at")

    def __init__(
        self,
        instrument: int,
        columns: Columns,
        state: npt.NDArray[np.int64],
    ) -> None:
        self.instrument = instrument
        self.columns = columns
        self.first_row = 0
        self._base = layout.HEADER + instrument * layout.BLOCK
        self.memory = memoryview(state)
        self.view_at = self._base + _VIEW
        self._address = state.ctypes.data

    def best_bid(self) -> tuple[int, int] | None:
        """Price in ticks and quantity in lots; None if the side is empty."""
        at = self._base + layout.VIEW_BID
        qty = self.memory[at + 1]
        return (self.memory[at], qty) if qty else None

    def best_ask(self) -> tuple[int, int] | None:
        """Price in ticks and quantity in lots; None if the side is empty."""
        at = self._base + layout.VIEW_ASK
        qty = self.memory[at + 1]
        return (self.memory[at], qty) if qty else None

    def touch(self) -> tuple[int, int, int, int]:
        """Bid price, bid quantity, ask price, ask quantity in ticks and lots; quantity 0 means an empty side."""
        at = self.view_at
        memory = self.memory
        return memory[at], memory[at + 1], memory[at + 2], memory[at + 3]

    def last_trade(self) -> tuple[int, int, int, int] | None:
        """Price in ticks, quantity in lots, the aggressor's side, ts_event_ns; None before the first trade."""
        at = self._base + layout.VIEW_LAST_PRICE
        memory = self.memory
        return (memory[at], memory[at + 1], memory[at + 2], memory[at + 3]) if memory[at + 1] else None

    @property
    def ts_event_ns(self) -> int:
        """When the engine did the last thing that this view knows of; 0 before the first message."""
        return self.memory[self._base + layout.VIEW_TS]

    @property
    def next_delivery_ns(self) -> int:
        """When the next message arrives (for schedulers, not for strategies); 2**63 - 1 if none is left."""
        return self.memory[self._base + layout.FEED_NEXT]

    def levels(self, side: int, most: int | None = None) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Prices in ticks, best first, and quantities in lots of up to ``most`` levels, or of all."""
        size = 64 if most is None else most
        while True:
            pairs = np.empty((size, 2), np.int64)
            count = levels(self._address, self.instrument, side, 1, size, pairs.ctypes.data)
            if most is not None or count < size:
                return pairs[:count, 0], pairs[:count, 1]
            size *= 4

    def rows(self) -> tuple[int, int]:
        """First row, and row after the last, of all that was delivered between the last two feed stops of this
        instrument: slice ``columns`` with them.
        """
        memory, base, first = self.memory, self._base, self.first_row
        return memory[base + layout.FEED_STOP_FIRST] - first, memory[base + layout.FEED_STOP_END] - first

    def trade_rows(self) -> npt.NDArray[np.int64]:
        """Where the TRADE rows among ``rows()`` stand in ``columns``."""
        first, end = self.rows()
        return np.flatnonzero(self.columns.kind[first:end] == TRADE) + first
