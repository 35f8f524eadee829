"""Own resting orders: for each instrument and side one list of slots by price and time."""

from __future__ import annotations

from framework.protocol import BUY
from framework.venue.compiled import Pointer, inlined, keep_apart, p64, pf64
from framework.venue.kernel.books import available_at
from framework.venue.kernel.ladder import best_place, place_of, price_at
from framework.venue.kernel.layout import (
    BITMAP,
    DEPTH,
    DEPTH_L1,
    DEPTH_L2,
    DEPTH_TRADES,
    FILL,
    FILL_COUNT,
    FILLS,
    INDEX,
    IS_UNCERTAIN,
    OWN_BITS,
    OWN_HEAD,
    OWN_TAIL,
    PAGES,
    ROW,
    S_ACTIVE,
    S_AHEAD,
    S_CREDIT,
    S_DISPLAY,
    S_INSTRUMENT,
    S_LEAVES,
    S_NEXT,
    S_PLACE,
    S_PREPAID,
    S_PREPAID_TS,
    S_PREV,
    S_PRICE,
    S_SEQ,
    S_SHARE,
    S_SIDE,
    S_VISIBLE,
    SLOT,
    SLOT_FLOATS,
    SLOTS,
    UNKNOWN_AHEAD,
)

LONG_AGO = -(2**62)


@inlined
def _link(header: Pointer, block: Pointer, slot: int) -> None:
    """Into the list, behind every slot with the same price; found from the back, where most orders go."""
    keep_apart()
    slots = p64(header[SLOTS])
    at = slot * SLOT
    side = slots[at + S_SIDE]
    price = slots[at + S_PRICE]
    before = block[OWN_TAIL + side]
    after = -1
    while before >= 0:
        other = slots[before * SLOT + S_PRICE]
        if other == price or (price < other) == (side == BUY):
            break
        after = before
        before = slots[before * SLOT + S_PREV]
    slots[at + S_PREV] = before
    slots[at + S_NEXT] = after
    if before >= 0:
        slots[before * SLOT + S_NEXT] = slot
    else:
        block[OWN_HEAD + side] = slot
    if after >= 0:
        slots[after * SLOT + S_PREV] = slot
    else:
        block[OWN_TAIL + side] = slot
    place = slots[at + S_PLACE]
    if place >= 0:
        p64(block[OWN_BITS])[side * block[PAGES] + (place >> 6)] |= 1 << (place & 63)


@inlined
def unlink(header: Pointer, block: Pointer, slot: int) -> None:
    """Out of the list."""
    keep_apart()
    slots = p64(header[SLOTS])
    at = slot * SLOT
    side = slots[at + S_SIDE]
    price = slots[at + S_PRICE]
    before = slots[at + S_PREV]
    after = slots[at + S_NEXT]
    is_alone = True
    if before >= 0:
        slots[before * SLOT + S_NEXT] = after
        is_alone = slots[before * SLOT + S_PRICE] != price
    else:
        block[OWN_HEAD + side] = after
    if after >= 0:
        slots[after * SLOT + S_PREV] = before
        is_alone = is_alone and slots[after * SLOT + S_PRICE] != price
    else:
        block[OWN_TAIL + side] = before
    place = slots[at + S_PLACE]
    if is_alone and place >= 0:
        p64(block[OWN_BITS])[side * block[PAGES] + (place >> 6)] &= ~(1 << (place & 63))


@inlined
def _quantity_ahead(block: Pointer, side: int, price: int, place: int) -> int:
    depth = block[DEPTH]
    if depth == DEPTH_TRADES:
        return 0
    if depth == DEPTH_L1:
        best = best_place(block, BITMAP, side)
        if best < 0:
            return UNKNOWN_AHEAD if block[IS_UNCERTAIN] != 0 else 0
        if best == place:
            return available_at(block, side, place)
        return 0 if (price > price_at(block, best)) == (side == BUY) else UNKNOWN_AHEAD
    if depth == DEPTH_L2 and block[IS_UNCERTAIN] != 0:
        return UNKNOWN_AHEAD
    return available_at(block, side, place) if place >= 0 else 0


@inlined
def join_back(header: Pointer, block: Pointer, slot: int, seq: int) -> None:
    """To the back of the queue of its price: of the market's orders that joined up to seq, and of own ones."""
    keep_apart()
    slots = p64(header[SLOTS])
    at = slot * SLOT
    ahead = _quantity_ahead(block, slots[at + S_SIDE], slots[at + S_PRICE], slots[at + S_PLACE])
    slots[at + S_AHEAD] = ahead
    slots[at + S_CREDIT] = 0
    slots[at + S_SEQ] = seq
    slots[at + S_PREPAID] = 0
    slots[at + S_PREPAID_TS] = LONG_AGO
    slots[at + S_SHARE] = 0
    floats = pf64(header[SLOT_FLOATS])
    floats[2 * slot] = float(ahead)
    floats[2 * slot + 1] = 0.0
    _link(header, block, slot)


@inlined
def place_order(header: Pointer, block: Pointer, slot: int, side: int, price: int, qty: int, display: int) -> None:
    """An own order rests in a free slot."""
    slots = p64(header[SLOTS])
    at = slot * SLOT
    slots[at + S_INSTRUMENT] = block[INDEX]
    slots[at + S_SIDE] = side
    slots[at + S_PRICE] = price
    slots[at + S_LEAVES] = qty
    slots[at + S_DISPLAY] = display
    slots[at + S_VISIBLE] = display if 0 < display < qty else qty
    slots[at + S_PLACE] = place_of(block, price)
    slots[at + S_ACTIVE] = 1
    join_back(header, block, slot, block[ROW])


@inlined
def hit(header: Pointer, block: Pointer, slot: int, lots: int, ts: int) -> None:
    """Fill lots of an own order at its price: from its visible part, then slice by slice from the hidden part.

    An order whose visible part is used up shows the next slice at the back of its queue.
    """
    keep_apart()
    slots = p64(header[SLOTS])
    at = slot * SLOT
    fills = p64(header[FILLS])
    count = header[FILL_COUNT]
    known = 0
    while known < count and fills[known * FILL] != slot:
        known += 1
    if known == count:
        header[FILL_COUNT] = count + 1
        fills[known * FILL] = slot
        fills[known * FILL + 1] = slots[at + S_PRICE]
        fills[known * FILL + 2] = 0
        fills[known * FILL + 3] = ts
        fills[known * FILL + 4] = block[ROW]
    fills[known * FILL + 2] += lots
    leaves = slots[at + S_LEAVES] - lots
    slots[at + S_LEAVES] = leaves
    visible = slots[at + S_VISIBLE] - lots
    if leaves == 0:
        slots[at + S_VISIBLE] = 0
        slots[at + S_ACTIVE] = 0
        unlink(header, block, slot)
    elif visible > 0:
        slots[at + S_VISIBLE] = visible
    else:
        display = slots[at + S_DISPLAY]
        visible = display - (-visible) % display
        slots[at + S_VISIBLE] = visible if visible < leaves else leaves
        unlink(header, block, slot)
        join_back(header, block, slot, block[ROW] + 1)
