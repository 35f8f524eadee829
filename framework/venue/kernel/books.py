"""Price ladders: pages of 64 prices each, dense by rank, and bitmaps that find the next price with a quantity.

Only pages in which some row has a price exist (``loading`` collects them), so a ladder costs what the market's range
costs, whatever lies between. A "place" is ``rank of the page * 64 + price within it``; places of both sides are
comparable, and order like prices. Quantities ahead of own orders (``queue``) are told of every change.
"""

from __future__ import annotations

from framework.data.columns import SNAPSHOT
from framework.protocol import BUY
from framework.venue.compiled import Pointer, inlined, keep_apart, leading_zeros, p32, p64, trailing_zeros
from framework.venue.kernel.layout import (
    BITMAP,
    DEPTH,
    DEPTH_L2,
    DEPTH_L3,
    IS_UNCERTAIN,
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
    PAGE_NUMBERS,
    PAGE_TABLE,
    PAGES,
    PAGES_1,
    PAGES_2,
)
from framework.venue.kernel.queue import best_moved, level_changed, order_changed, queues_emptied, queues_known

HASH = 0x9E3779B97F4A7C15 - 2**64


@inlined
def find_place(table: Pointer, mask: int, price: int) -> int:
    """The place of a price by the table of pages, -1 if no row has a price in its page."""
    page = price >> 6
    at = ((page * HASH) >> 32) & mask
    while True:
        rank = table[2 * at + 1]
        if rank < 0:
            return -1
        if table[2 * at] == page:
            return (rank << 6) | (price & 63)
        at = (at + 1) & mask


@inlined
def place_of(block: Pointer, price: int) -> int:
    """The place of a price, -1 if no row has a price in its page."""
    return find_place(p64(block[PAGE_TABLE]), block[PAGE_MASK], price)


@inlined
def price_at(block: Pointer, place: int) -> int:
    """The price of a place."""
    return (p64(block[PAGE_NUMBERS])[place >> 6] << 6) | (place & 63)


# ------------------------------------------------------------------------------------------------- bitmaps


@inlined
def bits_of(block: Pointer, which: int, side: int) -> int:
    """The address of one side's bitmap; which: BITMAP or FEED_BITMAP."""
    return block[which] + 8 * side * (block[PAGES] + block[PAGES_1] + block[PAGES_2])


@inlined
def mark(block: Pointer, address: int, place: int, is_there: int) -> None:
    """Mark a place (is_there 1) or unmark it (0). Without a branch on what it was: markets leave none to predict."""
    bits = p64(address)
    page = place >> 6
    before = bits[page]
    after = (before & ~(1 << (place & 63))) | (is_there << (place & 63))
    bits[page] = after
    if (before == 0) != (after == 0):
        _mark_page(block, address, page, is_there)


@inlined
def _mark_page(block: Pointer, address: int, page: int, is_there: int) -> None:
    keep_apart()
    bits = p64(address)
    at = block[PAGES] + (page >> 6)
    before = bits[at]
    after = (before & ~(1 << (page & 63))) | (is_there << (page & 63))
    bits[at] = after
    if (before == 0) != (after == 0):
        top = block[PAGES] + block[PAGES_1] + (page >> 12)
        bits[top] = (bits[top] & ~(1 << ((page >> 6) & 63))) | (is_there << ((page >> 6) & 63))


@inlined
def _lowest_under(block: Pointer, bits: Pointer, at: int, word: int) -> int:
    """The lowest place under a word of the second row of the bitmap."""
    page = (at << 6) + trailing_zeros(word)
    return (page << 6) + trailing_zeros(bits[page])


@inlined
def _highest_under(block: Pointer, bits: Pointer, at: int, word: int) -> int:
    page = (at << 6) + 63 - leading_zeros(word)
    return (page << 6) + 63 - leading_zeros(bits[page])


@inlined
def lowest_from(block: Pointer, address: int, place: int) -> int:
    """The lowest marked place at or above a place, -1 if none."""
    keep_apart()
    bits = p64(address)
    pages = block[PAGES]
    page = place >> 6
    if page >= pages:
        return -1
    word = bits[page] & ~((1 << (place & 63)) - 1)
    if word != 0:
        return (page << 6) + trailing_zeros(word)
    at = page >> 6
    word = bits[pages + at] & ~((2 << (page & 63)) - 1)
    if word != 0:
        return _lowest_under(block, bits, at, word)
    tops = pages + block[PAGES_1]
    top = at >> 6
    word = bits[tops + top] & ~((2 << (at & 63)) - 1)
    while word == 0:
        top += 1
        if top >= block[PAGES_2]:
            return -1
        word = bits[tops + top]
    at = (top << 6) + trailing_zeros(word)
    return _lowest_under(block, bits, at, bits[pages + at])


@inlined
def highest_to(block: Pointer, address: int, place: int) -> int:
    """The highest marked place at or below a place, -1 if none."""
    keep_apart()
    if place < 0:
        return -1
    bits = p64(address)
    pages = block[PAGES]
    page = place >> 6
    word = bits[page] & ((2 << (place & 63)) - 1)
    if word != 0:
        return (page << 6) + 63 - leading_zeros(word)
    at = page >> 6
    word = bits[pages + at] & ((1 << (page & 63)) - 1)
    if word != 0:
        return _highest_under(block, bits, at, word)
    tops = pages + block[PAGES_1]
    top = at >> 6
    word = bits[tops + top] & ((1 << (at & 63)) - 1)
    while word == 0:
        top -= 1
        if top < 0:
            return -1
        word = bits[tops + top]
    at = (top << 6) + 63 - leading_zeros(word)
    return _highest_under(block, bits, at, bits[pages + at])


@inlined
def best_place(block: Pointer, which: int, side: int) -> int:
    """The best recorded place of a side, -1 if the side is empty."""
    if side == BUY:
        return highest_to(block, bits_of(block, which, side), (block[PAGES] << 6) - 1)
    return lowest_from(block, bits_of(block, which, side), 0)


@inlined
def next_place(block: Pointer, which: int, side: int, place: int) -> int:
    """The recorded place behind a place of a side, -1 if none."""
    if side == BUY:
        return highest_to(block, bits_of(block, which, side), place - 1)
    return lowest_from(block, bits_of(block, which, side), place + 1)


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
