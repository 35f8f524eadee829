"""Price ladders: pages of 64 prices each, dense by rank, and bitmaps that find the next price with a quantity.

Only pages in which some row has a price exist (``loading`` collects them), so a ladder costs what the market's range
costs, whatever lies between. A "place" is ``rank of the page * 64 + price within it``; places of both sides are
comparable, and order like prices.
"""

from __future__ import annotations

from framework.protocol import BUY
from framework.venue.compiled import Pointer, inlined, keep_apart, leading_zeros, p64, trailing_zeros
from framework.venue.kernel.layout import PAGE_MASK, PAGE_NUMBERS, PAGE_TABLE, PAGES, PAGES_1, PAGES_2

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
def _lowest_under(bits: Pointer, at: int, word: int) -> int:
    """The lowest place under a word of the second row of the bitmap."""
    page = (at << 6) + trailing_zeros(word)
    return (page << 6) + trailing_zeros(bits[page])


@inlined
def _highest_under(bits: Pointer, at: int, word: int) -> int:
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
        return _lowest_under(bits, at, word)
    tops = pages + block[PAGES_1]
    top = at >> 6
    word = bits[tops + top] & ~((2 << (at & 63)) - 1)
    while word == 0:
        top += 1
        if top >= block[PAGES_2]:
            return -1
        word = bits[tops + top]
    at = (top << 6) + trailing_zeros(word)
    return _lowest_under(bits, at, bits[pages + at])


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
        return _highest_under(bits, at, word)
    tops = pages + block[PAGES_1]
    top = at >> 6
    word = bits[tops + top] & ((1 << (at & 63)) - 1)
    while word == 0:
        top -= 1
        if top < 0:
            return -1
        word = bits[tops + top]
    at = (top << 6) + 63 - leading_zeros(word)
    return _highest_under(bits, at, bits[pages + at])


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
