"""The engine's books: recorded quantities, and what own orders took of them.

Quantities ahead of own orders (``queue``) are told of every change.
"""

from __future__ import annotations

from framework.data.columns import LEVEL, SNAPSHOT
from framework.venue.compiled import Pointer, inlined, keep_apart, p8, p32, p64
from framework.venue.kernel.ladder import best_place, bits_of, find_place, lowest_from, mark, next_place, price_at
from framework.venue.kernel.layout import (
    BITMAP,
    DEPTH,
    DEPTH_L2,
    DEPTH_L3,
    IS_UNCERTAIN,
    KIND,
    LEVEL_HEAD,
    LEVEL_TAIL,
    LEVELS,
    ORDER_NEXT,
    ORDER_PLACE,
    ORDER_PREV,
    ORDER_QTY,
    ORDER_SEQ,
    ORDER_TAKEN,
    OWN_BITS,
    PAGE_MASK,
    PAGE_TABLE,
    PAGES,
    PRICE,
    ROW,
    SIDE,
    TOLD,
    TOLD_COUNT,
    TOLD_MAX,
    TRADE_AFTER_BOOK_NS,
    TS_EVENT,
)
from framework.venue.kernel.queue import best_moved, level_changed, order_changed, queues_emptied, queues_known

# ------------------------------------------------------------------------------------------------- quantities


@inlined
def available_at(block: Pointer, side: int, place: int) -> int:
    """Recorded quantity of a place less what was taken of it."""
    levels = p64(block[LEVELS])
    at = 2 * (side * (block[PAGES] << 6) + place)
    left = levels[at] - levels[at + 1]
    return left if left > 0 else 0


@inlined
def best_available(block: Pointer, side: int) -> int:
    """The best place of a side with something left, -1 if none."""
    keep_apart()
    place = best_place(block, BITMAP, side)
    while place >= 0 and available_at(block, side, place) == 0:
        place = next_place(block, BITMAP, side, place)
    return place


@inlined
def has_own(block: Pointer, side: int, place: int) -> bool:
    """Whether own orders rest at a place."""
    return (p64(block[OWN_BITS])[side * block[PAGES] + (place >> 6)] >> (place & 63)) & 1 != 0


@inlined
def set_level(
    header: Pointer, block: Pointer, levels: Pointer, prices: int, side: int, place: int, qty: int, flags: int, ts: int
) -> None:
    """L2: the recorded quantity of a place is now qty. What was taken of it stays taken, up to qty.

    levels, prices: ``block[LEVELS]``, and the places of a side, which the loop over rows keeps at hand.
    """
    at = 2 * (side * prices + place)
    if block[TOLD_COUNT] != 0:
        _told_by_book(block, levels, at)
    old = levels[at]
    taken = levels[at + 1]
    left = old
    levels[at] = qty
    if taken != 0:
        left = old - taken if old > taken else 0
        # The level had gone: what comes now is new. A snapshot restates what a CLEAR took away, so it is not.
        if old == 0 and flags & SNAPSHOT == 0:
            taken = 0
        elif taken > qty:
            taken = qty
        levels[at + 1] = taken
    mark(block, bits_of(block, BITMAP, side), place, int(qty > 0))
    if has_own(block, side, place):
        level_changed(header, block, side, place, left, qty - taken, flags, ts)


@inlined
def _give_back(block: Pointer, levels: Pointer, number: int) -> None:
    """What the number-th told trade executed is not held against its level any more."""
    at = block[TOLD + 2 * number]
    lots = block[TOLD + 2 * number + 1]
    taken = levels[at + 1]
    levels[at + 1] = taken - lots if taken > lots else 0
    block[TOLD_COUNT] -= 1
    for later in range(number, block[TOLD_COUNT]):
        block[TOLD + 2 * later] = block[TOLD + 2 * later + 2]
        block[TOLD + 2 * later + 1] = block[TOLD + 2 * later + 3]


@inlined
def _told_by_book(block: Pointer, levels: Pointer, at: int) -> None:
    """A row tells a level: it shows now what trades had told of it."""
    keep_apart()
    for number in range(block[TOLD_COUNT]):
        if block[TOLD + 2 * number] == at:
            _give_back(block, levels, number)
            return


@inlined
def told_by_trade(header: Pointer, block: Pointer, side: int, price: int, lots: int, ts: int) -> None:
    """L2: a trade has executed lots of a level whose row has not come yet; until then they are not available."""
    keep_apart()
    place = find_place(p64(block[PAGE_TABLE]), block[PAGE_MASK], price)
    if place < 0:
        return
    row = block[ROW] - 1
    times = p64(block[TS_EVENT])
    while row >= 0 and ts - times[row] <= header[TRADE_AFTER_BOOK_NS]:
        if p64(block[PRICE])[row] == price and p8(block[KIND])[row] == LEVEL and p8(block[SIDE])[row] == side:
            return  # the book was first
        row -= 1
    levels = p64(block[LEVELS])
    at = 2 * (side * (block[PAGES] << 6) + place)
    left = levels[at] - levels[at + 1]
    part = lots if lots < left else left
    if part <= 0:
        return
    levels[at + 1] += part
    for number in range(block[TOLD_COUNT]):
        if block[TOLD + 2 * number] == at:
            block[TOLD + 2 * number + 1] += part
            return
    if block[TOLD_COUNT] == TOLD_MAX:
        _give_back(block, levels, 0)
    block[TOLD + 2 * block[TOLD_COUNT]] = at
    block[TOLD + 2 * block[TOLD_COUNT] + 1] = part
    block[TOLD_COUNT] += 1


@inlined
def set_best(header: Pointer, block: Pointer, side: int, place: int, qty: int, flags: int, ts: int) -> None:
    """L1: a side's best price is now this place (any place if qty is 0, which empties the side)."""
    keep_apart()
    old = best_place(block, BITMAP, side)
    if old == place and qty > 0:
        set_level(header, block, p64(block[LEVELS]), block[PAGES] << 6, side, place, qty, flags, ts)
        return
    levels = p64(block[LEVELS])
    prices = block[PAGES] << 6
    if old >= 0:
        at = 2 * (side * prices + old)
        levels[at] = 0
        levels[at + 1] = 0
        mark(block, bits_of(block, BITMAP, side), old, 0)
    if qty > 0:
        at = 2 * (side * prices + place)
        levels[at] = qty
        taken = levels[at + 1] if flags & SNAPSHOT != 0 else 0
        levels[at + 1] = taken if taken < qty else qty
        mark(block, bits_of(block, BITMAP, side), place, 1)
        best_moved(header, block, side, price_at(block, place), qty - levels[at + 1])
    else:
        queues_emptied(header, block, side)


@inlined
def clear_book(header: Pointer, block: Pointer) -> None:
    """Both sides are empty until a snapshot restates them; what was taken is remembered for it."""
    keep_apart()
    levels = p64(block[LEVELS])
    prices = block[PAGES] << 6
    while block[TOLD_COUNT] != 0:
        _give_back(block, levels, 0)
    is_l3 = block[DEPTH] == DEPTH_L3
    for side in range(2):
        address = bits_of(block, BITMAP, side)
        place = lowest_from(block, address, 0)
        while place >= 0:
            at = side * prices + place
            levels[2 * at] = 0
            mark(block, address, place, 0)
            if is_l3:
                levels[2 * at + 1] = 0
                _forget_orders(header, block, side, place)
            place = lowest_from(block, address, place + 1)
    block[IS_UNCERTAIN] = 1


@inlined
def _forget_orders(header: Pointer, block: Pointer, side: int, place: int) -> None:
    keep_apart()
    at = side * (block[PAGES] << 6) + place
    places = p32(block[ORDER_PLACE])
    following = p32(block[ORDER_NEXT])
    qty = p64(block[ORDER_QTY])
    taken = p64(block[ORDER_TAKEN])
    order = p32(block[LEVEL_HEAD])[at]
    is_own = has_own(block, side, place)
    while order != 0:
        places[order] = -2 - at
        if is_own:
            order_changed(
                header, block, side, place, p32(block[ORDER_SEQ])[order], taken[order] - qty[order], SNAPSHOT, 0
            )
        qty[order] = 0
        order = following[order]
    p32(block[LEVEL_HEAD])[at] = 0
    p32(block[LEVEL_TAIL])[at] = 0


@inlined
def book_is_certain(header: Pointer, block: Pointer) -> None:
    """The first row after a snapshot: nothing more is restated, so levels that were not are empty."""
    block[IS_UNCERTAIN] = 0
    if block[DEPTH] == DEPTH_L2:
        queues_known(header, block)


# ------------------------------------------------------------------------------------------------- orders of L3


@inlined
def _join(block: Pointer, order: int, at: int) -> None:
    tails = p32(block[LEVEL_TAIL])
    tail = tails[at]
    p32(block[ORDER_PREV])[order] = tail
    p32(block[ORDER_NEXT])[order] = 0
    if tail != 0:
        p32(block[ORDER_NEXT])[tail] = order
    else:
        p32(block[LEVEL_HEAD])[at] = order
    tails[at] = order


@inlined
def _leave(block: Pointer, order: int, at: int) -> None:
    following = p32(block[ORDER_NEXT])
    previous = p32(block[ORDER_PREV])
    after = following[order]
    before = previous[order]
    if before != 0:
        following[before] = after
    else:
        p32(block[LEVEL_HEAD])[at] = after
    if after != 0:
        previous[after] = before
    else:
        p32(block[LEVEL_TAIL])[at] = before


@inlined
def _resize(header: Pointer, block: Pointer, order: int, at: int, qty: int, flags: int, ts: int) -> None:
    """An order keeps its place with a smaller (or restated) quantity; 0 takes it out."""
    keep_apart()
    prices = block[PAGES] << 6
    side = 1 if at >= prices else 0
    place = at - side * prices
    levels = p64(block[LEVELS])
    old = p64(block[ORDER_QTY])[order]
    taken = p64(block[ORDER_TAKEN])[order]
    kept = taken if taken < qty else qty
    p64(block[ORDER_QTY])[order] = qty
    p64(block[ORDER_TAKEN])[order] = kept
    total = levels[2 * at] + qty - old
    levels[2 * at] = total
    levels[2 * at + 1] += kept - taken
    if qty == 0:
        _leave(block, order, at)
        p32(block[ORDER_PLACE])[order] = -1
    if total == 0:
        mark(block, bits_of(block, BITMAP, side), place, 0)
    if has_own(block, side, place):
        change = (qty - kept) - (old - taken)
        order_changed(header, block, side, place, p32(block[ORDER_SEQ])[order], change, flags, ts)


@inlined
def add_order(
    header: Pointer, block: Pointer, order: int, side: int, place: int, qty: int, flags: int, ts: int, row: int
) -> None:
    """L3: an order joins the back of its queue; see the package's docstring for orders that a snapshot restates."""
    keep_apart()
    prices = block[PAGES] << 6
    at = side * prices + place
    if qty == 0:
        return
    before = p32(block[ORDER_PLACE])[order]
    seq = row + 1
    taken = 0
    if flags & SNAPSHOT != 0:
        if before == -2 - at:
            seq = p32(block[ORDER_SEQ])[order]
            taken = p64(block[ORDER_TAKEN])[order]
            taken = taken if taken < qty else qty
        else:
            seq = 0
    p32(block[ORDER_PLACE])[order] = at
    p32(block[ORDER_SEQ])[order] = seq
    p64(block[ORDER_QTY])[order] = qty
    p64(block[ORDER_TAKEN])[order] = taken
    _join(block, order, at)
    levels = p64(block[LEVELS])
    total = levels[2 * at]
    levels[2 * at] = total + qty
    levels[2 * at + 1] += taken
    if total == 0:
        mark(block, bits_of(block, BITMAP, side), place, 1)
    if flags & SNAPSHOT != 0 and has_own(block, side, place):
        order_changed(header, block, side, place, seq, qty - taken, flags, ts)


@inlined
def modify_order(
    header: Pointer, block: Pointer, order: int, side: int, place: int, qty: int, flags: int, ts: int, row: int
) -> bool:
    """L3: an order has now qty at a place. Returns whether it joined a queue anew (moved, grew, or was not known)."""
    at = side * (block[PAGES] << 6) + place
    before = p32(block[ORDER_PLACE])[order]
    if before == at and qty <= p64(block[ORDER_QTY])[order]:
        _resize(header, block, order, at, qty, flags, ts)
        return False
    if before >= 0:
        _resize(header, block, order, before, 0, flags, ts)
    add_order(header, block, order, side, place, qty, flags, ts, row)
    return True


@inlined
def delete_order(header: Pointer, block: Pointer, order: int, flags: int, ts: int) -> None:
    """L3: an order is gone; one that is not in the book is ignored."""
    before = p32(block[ORDER_PLACE])[order]
    if before >= 0:
        _resize(header, block, order, before, 0, flags, ts)
    elif before != -1:
        p32(block[ORDER_PLACE])[order] = -1


# ------------------------------------------------------------------------------------------------- taking


@inlined
def consume(header: Pointer, block: Pointer, side: int, place: int, qty: int) -> None:
    """Take qty (at most what is available) from a place, oldest orders first; it stays taken."""
    keep_apart()
    levels = p64(block[LEVELS])
    at = side * (block[PAGES] << 6) + place
    left = levels[2 * at] - levels[2 * at + 1]
    levels[2 * at + 1] += qty
    is_own = has_own(block, side, place)
    if block[DEPTH] == DEPTH_L3:
        order = p32(block[LEVEL_HEAD])[at]
        rest = qty
        while rest > 0:
            open_lots = p64(block[ORDER_QTY])[order] - p64(block[ORDER_TAKEN])[order]
            part = open_lots if open_lots < rest else rest
            if part > 0:
                p64(block[ORDER_TAKEN])[order] += part
                rest -= part
                if is_own:
                    order_changed(header, block, side, place, p32(block[ORDER_SEQ])[order], -part, SNAPSHOT, 0)
            order = p32(block[ORDER_NEXT])[order]
    elif is_own:
        level_changed(header, block, side, place, left, left - qty, SNAPSHOT, 0)
