"""Rows that are appended while the kernel walks them: a market that is heard as it happens.

Rows keep their numbers for ever. Those that are walked are let go of: compiled code has the address at which row 0
would lie. A price in a page that no row had so far gives all ladders a page more, with some around it: prices move on.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from framework.data.columns import CLEAR, COLUMN_TYPES, LAST, TRADE, Columns, Market
from framework.errors import DataError
from framework.venue.kernel import layout
from framework.venue.kernel.feed_book import FeedBook
from framework.venue.kernel.loading import Arrays, check_rows, page_table

__all__ = ["GrowingRows"]

# Pages that are made on both sides of one that is new.
_PAGES_AROUND = 32
_CAPACITY_MIN = 4096


class GrowingRows:
    """The rows of one instrument of level 2, and its ladders.

    market: as it was at the start. block: of the instrument. arrays: what the block points to, replaced in place.
    """

    def __init__(self, market: Market, block: npt.NDArray[np.int64], arrays: Arrays, book: FeedBook) -> None:
        """Raises DataError for a market that is not of level 2, or ends within a message."""
        columns = market.columns
        if market.depth != "L2":
            raise DataError(f"{market.spec.symbol}: a market of {market.depth} cannot grow; only one of L2 can")
        if len(columns) and not columns.flags[-1] & LAST:
            raise DataError(f"{market.spec.symbol}: its last row ends no message")
        self._market = market
        self._block = block
        self._arrays = arrays
        self._book = book
        self._count = len(columns)
        self._names = [name for name in COLUMN_TYPES if name != "order_id"]
        self._buffers: dict[str, npt.NDArray[Any]] = {name: getattr(columns, name) for name in self._names}

    def append(self, columns: Columns, slots: npt.NDArray[np.int64], look_back_ns: int) -> None:
        """Take complete messages behind all rows.

        slots: own orders of the kernel. look_back_ns: rows so much older than those that are walked are still looked
        at. Raises DataError, and takes nothing, for rows that are not what they should be.
        """
        if not len(columns):
            return
        symbol = self._market.spec.symbol
        check_rows(msgspec.structs.replace(self._market, columns=columns))
        used, block = self._count - self._book.first_row, self._block
        if used and columns.ts_event_ns[0] < self._buffers["ts_event_ns"][used - 1]:
            raise DataError(f"{symbol}: row {self._count} is before the row before it")
        if not columns.flags[-1] & LAST:
            raise DataError(f"{symbol}: the last of these rows ends no message")
        self._make_pages(columns, slots)
        if used + len(columns) > len(self._buffers["ts_event_ns"]):
            used = self._make_room(used, len(columns), look_back_ns)
        for name in self._names:
            self._buffers[name][used : used + len(columns)] = getattr(columns, name)
        self._count += len(columns)
        block[layout.ROWS] = self._count
        self._book.columns = self._view(used + len(columns))
        if (columns.kind == TRADE).any():
            block[layout.HAS_TRADES] = 1

    # ------------------------------------------------------------------------------------------------- rows

    def _make_room(self, used: int, more: int, look_back_ns: int) -> int:
        """Let go of rows that are walked, and of the array if it is too small; returns how many rows are kept."""
        block, first = self._block, self._book.first_row
        row, reported = int(block[layout.ROW]), int(block[layout.FEED_REPORTED])
        if block[layout.FEED_MODE] == 0:
            block[layout.FEED_REPORTED] = reported = int(block[layout.FEED_ROW])
        times = self._buffers["ts_event_ns"][:used]
        seen = row
        if row > first:  # what lies before the look back ends it, so one such row stays
            oldest = int(np.searchsorted(times, times[row - 1 - first] - look_back_ns, side="left"))
            seen = first + max(oldest - 1, 0)
        gone = max(0, min(seen, reported) - first)
        kept = used - gone
        capacity = max(_CAPACITY_MIN, 2 * (kept + more))
        for place, name in enumerate(COLUMN_TYPES):
            if name == "order_id":
                continue
            buffer = np.zeros(capacity, COLUMN_TYPES[name])
            buffer[:kept] = self._buffers[name][gone:used]
            self._buffers[name] = self._arrays[place] = buffer
            block[place] = buffer.ctypes.data - (first + gone) * buffer.itemsize
        block[layout.FEED_QTY] = block[layout.QTY]
        self._book.first_row = first + gone
        return kept

    def _view(self, used: int) -> Columns:
        rows = {name: self._buffers[name][:used] for name in self._names}
        return Columns(order_id=self._market.columns.order_id[:0], **rows)

    # ------------------------------------------------------------------------------------------------- pages

    def _make_pages(self, columns: Columns, slots: npt.NDArray[np.int64]) -> None:
        """Have a page for each price; places that are kept anywhere are told anew."""
        block = self._block
        numbers = self._arrays_of(layout.PAGE_NUMBERS)
        wanted = np.unique(columns.price_ticks[columns.kind != CLEAR] >> 6)
        new = np.setdiff1d(wanted, numbers)
        if not len(new):
            return
        around = np.arange(-_PAGES_AROUND, _PAGES_AROUND + 1)
        pages = np.union1d(numbers, (new[:, None] + around[None, :]).ravel())
        ranks = np.searchsorted(pages, numbers)
        old, count = len(numbers), len(pages)
        counts = (count, (count + 63) // 64, (count + 4095) // 4096)
        block[layout.PAGES : layout.PAGES + 3] = counts
        table = page_table(pages)
        self._keep(layout.PAGE_TABLE, table)
        block[layout.PAGE_MASK] = len(table) - 1
        self._keep(layout.PAGE_NUMBERS, pages)
        for field, shape in ((layout.LEVELS, (64, 2)), (layout.FEED_LEVELS, (64,)), (layout.OWN_BITS, ())):
            before = self._arrays_of(field).reshape(2, old, *shape)
            after = np.zeros((2, count, *shape), np.int64)
            after[:, ranks] = before
            self._keep(field, after)
        for field in (layout.BITMAP, layout.FEED_BITMAP):
            self._keep(field, _bitmap(self._arrays_of(field)[:, :old], ranks, counts))
        self._move_places(slots, ranks, old, count)

    def _move_places(self, slots: npt.NDArray[np.int64], ranks: npt.NDArray[np.int64], old: int, count: int) -> None:
        block = self._block

        def moved(place: int) -> int:
            return int(ranks[place >> 6]) << 6 | place & 63

        for field in (layout.FEED_BEST_BUY, layout.FEED_BEST_SELL):
            if block[field] >= 0:
                block[field] = moved(int(block[field]))
        for number in range(int(block[layout.TOLD_COUNT])):
            side, place = divmod(int(block[layout.TOLD + 2 * number]) // 2, old << 6)
            block[layout.TOLD + 2 * number] = 2 * (side * (count << 6) + moved(place))
        own_bits = self._arrays_of(layout.OWN_BITS)
        pages = self._arrays_of(layout.PAGE_NUMBERS)
        is_here = (slots[:, layout.S_ACTIVE] != 0) & (slots[:, layout.S_INSTRUMENT] == block[layout.INDEX])
        for slot in np.flatnonzero(is_here).tolist():
            place, price = int(slots[slot, layout.S_PLACE]), int(slots[slot, layout.S_PRICE])
            if place >= 0:
                slots[slot, layout.S_PLACE] = moved(place)
                continue
            rank = int(np.searchsorted(pages, price >> 6))
            if rank < count and pages[rank] == price >> 6:  # it stood where no row had a price near so far
                slots[slot, layout.S_PLACE] = rank << 6 | price & 63
                own_bits[slots[slot, layout.S_SIDE], rank] |= np.int64(_signed(1 << (price & 63)))

    def _arrays_of(self, field: int) -> npt.NDArray[np.int64]:
        address = self._block[field]
        found: Any = next(array for array in self._arrays if array.ctypes.data == address)
        return np.asarray(found)

    def _keep(self, field: int, array: npt.NDArray[np.int64]) -> None:
        address = self._block[field]
        place = next(place for place, each in enumerate(self._arrays) if each.ctypes.data == address)
        self._arrays[place] = array
        self._block[field] = array.ctypes.data


def _bitmap(
    words: npt.NDArray[np.int64], ranks: npt.NDArray[np.int64], counts: tuple[int, int, int]
) -> npt.NDArray[np.int64]:
    """The three rows of a bitmap of both sides, from the words of its pages before."""
    count, count_1, _ = counts
    bits = np.zeros((2, sum(counts)), np.int64)
    bits[:, ranks] = words
    for side in range(2):
        for page in np.flatnonzero(bits[side, :count]).tolist():
            bits[side, count + (page >> 6)] |= np.int64(_signed(1 << (page & 63)))
            bits[side, count + count_1 + (page >> 12)] |= np.int64(_signed(1 << ((page >> 6) & 63)))
    return bits


def _signed(word: int) -> int:
    return word - 2**64 if word >= 2**63 else word
