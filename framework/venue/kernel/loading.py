"""From a market's columns to a block of the kernel's memory.

Compiled code checks no index, so every row is checked here, once: an error names the row.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from framework.data.columns import ADD, BEST, CLEAR, COLUMN_TYPES, DELETE, LEVEL, MODIFY, TRADE, Columns, Market
from framework.errors import DataError
from framework.venue.compiled import entry, p8, p64
from framework.venue.kernel import layout
from framework.venue.kernel.ladder import HASH

__all__ = ["Arrays", "check_rows", "load", "page_table", "told_rows"]

type Arrays = list[npt.NDArray[np.generic]]
"""Arrays whose addresses the state holds: they must live as long as it does."""

KINDS = {
    "trades": (CLEAR, TRADE),
    "L1": (CLEAR, BEST, TRADE),
    "L2": (CLEAR, LEVEL, TRADE),
    "L3": (CLEAR, ADD, MODIFY, DELETE, TRADE),
}
_PRICE_MAX = 2**40
_QTY_MAX = 2**60

# What is wrong with a row.
_TIME, _KIND, _SIDE, _PRICE, _QTY, _ORDER = range(1, 7)
_WRONG = {
    _TIME: "its ts_event_ns is before the row before it; sort the rows by time",
    _KIND: "its kind does not belong into a market of this depth",
    _SIDE: "its side is neither BUY nor SELL (UNKNOWN_SIDE is for trades only)",
    _PRICE: "its price is not within -2**40 and 2**40 ticks",
    _QTY: "its quantity is negative or above 2**60 lots",
    _ORDER: "its order_id is not a dense number (1, 2, 3, ... by first appearance)",
}


@entry
def _check(
    times: int,
    kinds: int,
    sides: int,
    prices: int,
    quantities: int,
    orders: int,
    rows: int,
    allowed: int,
    order_max: int,
) -> int:
    """0, or row * 8 + what is wrong with the first row that is wrong."""
    ts = p64(times)
    last = ts[0]
    for row in range(rows):
        now = ts[row]
        kind = int(p8(kinds)[row])
        if now < last:
            return row * 8 + _TIME
        last = now
        if kind > TRADE or (allowed >> kind) & 1 == 0:
            return row * 8 + _KIND
        if kind == CLEAR:
            continue
        if p8(sides)[row] > (2 if kind == TRADE else 1):
            return row * 8 + _SIDE
        if p64(prices)[row] > _PRICE_MAX or p64(prices)[row] < -_PRICE_MAX:
            return row * 8 + _PRICE
        if p64(quantities)[row] < 0 or p64(quantities)[row] > _QTY_MAX:
            return row * 8 + _QTY
        if orders != 0:
            order = p64(orders)[row]
            if order < 0 or order > order_max or (order == 0 and kind != TRADE):
                return row * 8 + _ORDER
    return 0


@entry
def _collect_pages(kinds: int, prices: int, rows: int, spread: int, table_address: int, mask: int) -> int:
    """Put the pages of all book prices (spread < 0), or of all trade prices +- spread, into a hash set.

    Returns their number, or -1 if the set is more than half full.
    """
    table = p64(table_address)
    count = 0
    previous = -(2**62)
    for row in range(rows):
        kind = int(p8(kinds)[row])
        if kind == CLEAR or (kind == TRADE and spread < 0):
            continue
        price = p64(prices)[row]
        low = price - spread if spread > 0 else price
        high = price + spread if spread > 0 else price
        for near in (low, price, high):
            page = near >> 6
            if page == previous:
                continue
            previous = page
            at = ((page * HASH) >> 32) & mask
            while table[2 * at + 1] >= 0 and table[2 * at] != page:
                at = (at + 1) & mask
            if table[2 * at + 1] < 0:
                table[2 * at] = page
                table[2 * at + 1] = 0
                count += 1
                if 2 * count > mask:
                    return -1
    return count


@entry
def _rank_pages(numbers: int, count: int, table_address: int, mask: int) -> int:
    """Fill an empty hash table with the ranks of ascending page numbers."""
    table = p64(table_address)
    for rank in range(count):
        page = p64(numbers)[rank]
        at = ((page * HASH) >> 32) & mask
        while table[2 * at + 1] >= 0:
            at = (at + 1) & mask
        table[2 * at] = page
        table[2 * at + 1] = rank
    return 0


def _columns(market: Market) -> Columns:
    columns = market.columns
    rows = len(columns)
    if market.depth not in KINDS:
        raise DataError(f"{market.spec.symbol}: depth {market.depth!r} is none of L1, L2, L3, trades")
    if rows >= 2**31:
        raise DataError(f"{market.spec.symbol}: {rows} rows are more than 2**31 - 1; split the market by time")
    for name, dtype in COLUMN_TYPES.items():
        column = getattr(columns, name)
        if column.dtype != dtype or column.ndim != 1 or not column.flags.c_contiguous or not column.flags.aligned:
            raise DataError(f"{market.spec.symbol}: column {name} is not a contiguous array of {np.dtype(dtype)}")
        if len(column) != rows and not (name == "order_id" and len(column) == 0 and market.depth != "L3"):
            raise DataError(f"{market.spec.symbol}: column {name} has {len(column)} rows, ts_event_ns has {rows}")
    return columns


def _pages(columns: Columns, spread: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Page numbers, ascending, and the table of their ranks."""
    size = 256
    kinds, prices = columns.kind.ctypes.data, columns.price_ticks.ctypes.data
    while True:
        table = np.full((size, 2), -1, np.int64)
        if _collect_pages(kinds, prices, len(columns), spread, table.ctypes.data, size - 1) >= 0:
            break
        size *= 2
    numbers = np.sort(table[table[:, 1] >= 0, 0])
    if len(numbers) == 0:
        numbers = np.zeros(1, np.int64)
    return numbers, page_table(numbers, size)


def page_table(numbers: npt.NDArray[np.int64], size: int = 256) -> npt.NDArray[np.int64]:
    """The hash table of the ranks of ascending page numbers, at least half of it empty. size: the least."""
    while 2 * len(numbers) > size:
        size *= 2
    table = np.full((size, 2), -1, np.int64)
    _rank_pages(numbers.ctypes.data, len(numbers), table.ctypes.data, size - 1)
    return table


def check_rows(market: Market) -> None:
    """Raises DataError naming the first row of a market that is not what it should be."""
    columns = _columns(market)
    rows = len(columns)
    is_l3 = market.depth == "L3"
    order_max = int(columns.order_id.max()) if is_l3 and rows else 0
    if not rows:
        return
    wrong = _check(
        columns.ts_event_ns.ctypes.data,
        columns.kind.ctypes.data,
        columns.side.ctypes.data,
        columns.price_ticks.ctypes.data,
        columns.qty_lots.ctypes.data,
        columns.order_id.ctypes.data if is_l3 else 0,
        rows,
        sum(1 << kind for kind in KINDS[market.depth]),
        min(order_max, rows),
    )
    if wrong:
        raise DataError(
            f"{market.spec.symbol}: row {wrong >> 3} (kind {columns.kind[wrong >> 3]}): {_WRONG[wrong & 7]}"
        )


def load(market: Market, block: npt.NDArray[np.int64], spread: int) -> Arrays:
    """Check a market's rows and fill its block of the state; spread: ``trades_spread_ticks``.

    Returns the arrays that the block points to. Raises DataError naming the first wrong row.
    """
    check_rows(market)
    columns = market.columns
    rows = len(columns)
    is_l3 = market.depth == "L3"
    order_max = int(columns.order_id.max()) if is_l3 and rows else 0
    orders = columns.order_id.ctypes.data if is_l3 else 0
    numbers, table = _pages(columns, spread if market.depth == "trades" else -1)
    pages = len(numbers)
    if pages * 128 >= 2**31:
        raise DataError(f"{market.spec.symbol}: prices lie in {pages} pages of 64 ticks, more than can be kept apart")
    counts = (pages, (pages + 63) // 64, (pages + 4095) // 4096)
    prices = pages * 64
    kept: Arrays = []

    def keep(field: int, array: npt.NDArray[np.generic]) -> None:
        kept.append(array)
        block[field] = array.ctypes.data

    for field, name in enumerate(COLUMN_TYPES):
        keep(field, getattr(columns, name))
    block[layout.ORDER_ID] = orders
    block[layout.FEED_QTY] = block[layout.QTY]
    block[layout.ROWS] = rows
    block[layout.DEPTH] = layout.DEPTHS[market.depth]
    block[layout.HAS_TRADES] = int(market.has_trades)
    block[layout.PAGES : layout.PAGES + 3] = counts
    keep(layout.PAGE_TABLE, table)
    block[layout.PAGE_MASK] = len(table) - 1
    keep(layout.PAGE_NUMBERS, numbers)
    keep(layout.LEVELS, np.zeros((2, prices, 2), np.int64))
    keep(layout.BITMAP, np.zeros((2, sum(counts)), np.int64))
    keep(layout.OWN_BITS, np.zeros((2, pages), np.int64))
    keep(layout.FEED_LEVELS, np.zeros((2, prices), np.int64))
    keep(layout.FEED_BITMAP, np.zeros((2, sum(counts)), np.int64))
    if is_l3:
        keep(layout.LEVEL_HEAD, np.zeros((2, prices), np.int32))
        keep(layout.LEVEL_TAIL, np.zeros((2, prices), np.int32))
    # Order 0 always exists: compiled code looks it up where a trade names no resting order.
    for field in (layout.ORDER_QTY, layout.ORDER_TAKEN, layout.FEED_ORDER_QTY):
        keep(field, np.zeros(order_max + 1, np.int64))
    for field in (layout.ORDER_SEQ, layout.ORDER_NEXT, layout.ORDER_PREV):
        keep(field, np.zeros(order_max + 1, np.int32))
    keep(layout.ORDER_PLACE, np.full(order_max + 1, -1, np.int32))
    keep(layout.FEED_ORDER_PLACE, np.full(order_max + 1, -1, np.int64))
    block[layout.OWN_HEAD : layout.OWN_HEAD + 2] = -1
    block[layout.OWN_TAIL : layout.OWN_TAIL + 2] = -1
    block[layout.IS_UNCERTAIN] = 1
    block[layout.LAST_SIDE] = block[layout.VIEW_LAST_SIDE] = block[layout.TICK_SIDE] = 2
    block[layout.FEED_BEST_BUY] = block[layout.FEED_BEST_SELL] = -1
    block[layout.FEED_DUE] = layout.FAR_NS
    block[layout.FEED_PREVIOUS] = -layout.FAR_NS
    return kept


def told_rows(market: Market, block: npt.NDArray[np.int64], lots: npt.NDArray[np.int64] | None) -> Columns:
    """The rows of a loaded market as its feed tells them, from now on; whoever keeps them keeps them alive for it.

    lots: the quantities that it tells; None for those that the engine holds. Raises ValueError for what does not fit.
    """
    columns = market.columns
    if lots is None:
        return columns
    symbol = market.spec.symbol
    if market.depth != "L2" or lots.shape != columns.qty_lots.shape or lots.dtype != np.int64:
        raise ValueError(f"{symbol}: what the feed tells is a 64-bit quantity for each row of a market by levels")
    if not lots.flags.c_contiguous or (lots.size and int(lots.min()) < 0):
        raise ValueError(f"{symbol}: what the feed tells is a contiguous array without negative quantities")
    block[layout.FEED_QTY] = lots.ctypes.data
    return msgspec.structs.replace(columns, qty_lots=lots)
