"""The best bid and ask after every row of a market, by one compiled walk over its book.

The same walk finds rows that cannot be applied (an order added twice, a change of an order that is not there), so that
the checks of an import and the statistics of ``data info`` read one book and not two.

A book is two arrays of quantities indexed by price. Where prices span a range that is much wider than the number of
rows, they are first replaced by their rank, so that memory is bounded by the rows and not by a far-away price.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from numba import njit

from framework.data.columns import ADD, BEST, CLEAR, DELETE, LEVEL, MODIFY, TRADE, Columns
from framework.protocol import BUY

__all__ = [
    "ADDED_TWICE",
    "CHANGED_UNKNOWN",
    "ID_NOT_DENSE",
    "OTHER_SIDE",
    "TouchPath",
    "walk_touch",
]

Ints = npt.NDArray[np.int64]

# Why a row cannot be applied.
ADDED_TWICE = 1
CHANGED_UNKNOWN = 2
OTHER_SIDE = 3
ID_NOT_DENSE = 4

# A price array may be this much longer than the rows before ranks are used instead.
_SPARE_LEVELS = 4_000_000


class TouchPath(msgspec.Struct, frozen=True, kw_only=True):
    """The touch after each row (arrays as long as the market), and sampled depth.

    bid_ticks, ask_ticks: best prices; 0 where a side is empty. bid_lots, ask_lots: quantities at them.
    depth_lots: shape (samples, bands, 2): quantity on each side within ``bands`` ticks of that side's best price,
        sampled at every ``sample_every``-th end of a message.
    error: 0, or why the row ``error_row`` cannot be applied (the walk goes on without it); the first such row.
    """

    bid_ticks: Ints
    bid_lots: Ints
    ask_ticks: Ints
    ask_lots: Ints
    depth_lots: Ints
    error: int
    error_row: int


@njit(cache=True)
def _walk(  # type: ignore[no-untyped-def]  # pragma: no cover
    kind,
    side,
    level,
    qty,
    order_id,
    flags,
    prices,
    base,
    level_count,
    order_count,
    bands,
    sample_every,
    sample_count,
):
    rows = len(kind)
    bid_ticks = np.zeros(rows, np.int64)
    ask_ticks = np.zeros(rows, np.int64)
    bid_lots = np.zeros(rows, np.int64)
    ask_lots = np.zeros(rows, np.int64)
    depth = np.zeros((sample_count, len(bands), 2), np.int64)
    book = np.zeros((2, level_count), np.int64)
    occupied = np.zeros(2, np.int64)
    best = np.array([-1, level_count], np.int64)
    order_side = np.full(order_count, -1, np.int8)
    order_level = np.zeros(order_count, np.int64)
    order_qty = np.zeros(order_count, np.int64)
    seen = 0
    error = 0
    error_row = -1
    messages = 0
    samples = 0
    for row in range(rows):
        what = kind[row]
        s = np.int64(side[row])
        failed = 0
        # A row is at most two changes of levels: "from" loses, "to" is set to a new total.
        at = np.int64(-1)
        total = np.int64(0)
        from_at = np.int64(-1)
        from_total = np.int64(0)
        if what == LEVEL:
            at = level[row]
            total = qty[row]
        elif what == ADD:
            o = order_id[row]
            if o > seen + 1 or o < 1:
                failed = ID_NOT_DENSE
            elif order_side[o] >= 0:
                failed = ADDED_TWICE
            else:
                seen = max(seen, o)
                order_side[o] = s
                order_level[o] = level[row]
                order_qty[o] = qty[row]
                at = level[row]
                total = book[s, at] + qty[row]
        elif what in (MODIFY, DELETE):
            o = order_id[row]
            if o < 1 or o > seen or order_side[o] < 0:
                failed = CHANGED_UNKNOWN
            elif order_side[o] != s:
                failed = OTHER_SIDE
            else:
                from_at = order_level[o]
                from_total = book[s, from_at] - order_qty[o]
                if what == DELETE:
                    order_side[o] = -1
                elif level[row] == from_at:
                    from_total += qty[row]
                    order_qty[o] = qty[row]
                else:
                    at = level[row]
                    total = book[s, at] + qty[row]
                    order_level[o] = at
                    order_qty[o] = qty[row]
        elif what == BEST:
            if best[s] >= 0 and best[s] < level_count:
                book[s, best[s]] = 0
            occupied[s] = 0
            best[s] = -1 if s == BUY else level_count
            if qty[row] > 0:
                at = level[row]
                total = qty[row]
        elif what == CLEAR:
            for c in range(2):
                i = best[c]
                while occupied[c] > 0:
                    if book[c, i] > 0:
                        book[c, i] = 0
                        occupied[c] -= 1
                    i += -1 if c == BUY else 1
            best[0] = -1
            best[1] = level_count
            if seen > 0:
                order_side[: seen + 1] = -1
        elif what == TRADE and len(order_id) > 0 and order_id[row] > seen:
            failed = CHANGED_UNKNOWN
        if failed != 0 and error == 0:
            error = failed
            error_row = row
        # Raise the best price first, lower it last: scanning for the next level then starts from the right place.
        if at >= 0:
            before = book[s, at]
            book[s, at] = total
            if before == 0 and total > 0:
                occupied[s] += 1
                if (s == BUY and at > best[s]) or (s != BUY and at < best[s]):
                    best[s] = at
            elif before > 0 and total <= 0:
                occupied[s] -= 1
        if from_at >= 0:
            before = book[s, from_at]
            book[s, from_at] = from_total
            if before > 0 and from_total <= 0:
                occupied[s] -= 1
            elif before == 0 and from_total > 0:
                occupied[s] += 1
        if occupied[s] == 0:
            best[s] = -1 if s == BUY else level_count
        elif s == BUY:
            while book[0, best[0]] <= 0:
                best[0] -= 1
        else:
            while book[1, best[1]] <= 0:
                best[1] += 1
        if occupied[0] > 0:
            bid_ticks[row] = prices[best[0]] if len(prices) else best[0] + base
            bid_lots[row] = book[0, best[0]]
        if occupied[1] > 0:
            ask_ticks[row] = prices[best[1]] if len(prices) else best[1] + base
            ask_lots[row] = book[1, best[1]]
        if flags[row] & 1:
            messages += 1
            if sample_every > 0 and messages % sample_every == 0 and samples < sample_count:
                for c in range(2):
                    if occupied[c] == 0:
                        continue
                    step = -1 if c == 0 else 1
                    i = best[c]
                    touch = prices[i] if len(prices) else i + base
                    band = 0
                    while band < len(bands) and 0 <= i < level_count:
                        distance = abs((prices[i] if len(prices) else i + base) - touch)
                        if distance > bands[band]:
                            band += 1
                            if band < len(bands):
                                depth[samples, band, c] = depth[samples, band - 1, c]
                            continue
                        depth[samples, band, c] += book[c, i]
                        i += step
                    for rest in range(band + 1, len(bands)):
                        depth[samples, rest, c] = depth[samples, rest - 1, c]
                samples += 1
    return bid_ticks, bid_lots, ask_ticks, ask_lots, depth[:samples], error, error_row


def walk_touch(columns: Columns, bands: tuple[int, ...] = (), sample_every: int = 0) -> TouchPath:
    """Walks the book of ``columns`` and returns the touch after every row.

    bands: distances in ticks, rising, for which depth is sampled; needs ``sample_every`` > 0.
    Rows must have passed the shape checks of ``framework.data.checks`` (kinds, sides, no negative quantity).
    """
    price = columns.price_ticks
    is_book = (columns.kind != CLEAR) & (columns.kind != TRADE)
    book_prices = price[is_book]
    base = int(book_prices.min()) if len(book_prices) else 0
    spread = int(book_prices.max()) - base + 1 if len(book_prices) else 1
    if spread <= 2 * len(price) + _SPARE_LEVELS:
        ranks, level, level_count = np.empty(0, np.int64), price - base, spread
    else:
        ranks = np.unique(book_prices)
        level, level_count = np.searchsorted(ranks, price), len(ranks)
    order_id = columns.order_id
    messages = int(np.count_nonzero(columns.flags & 1)) if sample_every else 0
    # Mapped columns are read-only and made ones are not. For the compiler these are two types: both become the first.
    walked = _walk(
        _read_only(columns.kind),
        _read_only(columns.side),
        _read_only(level),
        _read_only(columns.qty_lots),
        _read_only(order_id),
        _read_only(columns.flags),
        ranks,
        base,
        level_count,
        int(order_id.max()) + 2 if len(order_id) else 2,
        np.array(bands, dtype=np.int64),
        sample_every,
        messages // sample_every if sample_every else 0,
    )
    bid_ticks, bid_lots, ask_ticks, ask_lots, depth, error, error_row = walked
    return TouchPath(
        bid_ticks=bid_ticks,
        bid_lots=bid_lots,
        ask_ticks=ask_ticks,
        ask_lots=ask_lots,
        depth_lots=depth,
        error=int(error),
        error_row=int(error_row),
    )


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
