"""What the venue asks of the kernel between two stops, as compiled functions over the state's address."""

from __future__ import annotations

from framework.protocol import BUY
from framework.venue.compiled import Pointer, entry, inlined, p32, p64
from framework.venue.kernel.books import available_at, best_available, consume
from framework.venue.kernel.feed import schedule, show
from framework.venue.kernel.ladder import best_place, next_place, place_of, price_at
from framework.venue.kernel.layout import (
    BITMAP,
    BLOCK,
    DEPTH,
    DEPTH_L3,
    FEED_BITMAP,
    FEED_LEVELS,
    HEADER,
    IS_CROSSING,
    LEVEL_HEAD,
    ORDER_NEXT,
    ORDER_PLACE,
    ORDER_QTY,
    ORDER_SEQ,
    ORDER_TAKEN,
    OWN_HEAD,
    PAGES,
    S_ACTIVE,
    S_DISPLAY,
    S_INSTRUMENT,
    S_LEAVES,
    S_NEXT,
    S_PRICE,
    S_SEQ,
    S_VISIBLE,
    SLOT,
    SLOTS,
    TAKES,
    TAKES_CAPACITY,
)
from framework.venue.kernel.queue import ahead_lots
from framework.venue.kernel.slots import place_order, unlink


@entry
def start(state: int, instrument: int) -> int:
    """Schedule the first message of a feed."""
    block = p64(state + 8 * (HEADER + instrument * BLOCK))
    schedule(block)
    show(block)
    return 0


@entry
def place(state: int, instrument: int, slot: int, side: int, price: int, qty: int, display: int) -> int:
    """An own order rests in a free slot."""
    header = p64(state)
    block = p64(state + 8 * (HEADER + instrument * BLOCK))
    place_order(header, block, slot, side, price, qty, display)
    other = best_available(block, 1 - side)
    if other >= 0:
        touch = price_at(block, other)
        if (price >= touch) if side == BUY else (price <= touch):
            # It crosses what it could have taken; the next row of the book matches it.
            block[IS_CROSSING] = 1
    return 0


@entry
def remove(state: int, slot: int) -> int:
    """Take an own order out of the book; returns what was left of it."""
    header = p64(state)
    slots = p64(header[SLOTS])
    at = slot * SLOT
    if slots[at + S_ACTIVE] == 0:
        return 0
    block = p64(state + 8 * (HEADER + slots[at + S_INSTRUMENT] * BLOCK))
    unlink(header, block, slot)
    leaves = slots[at + S_LEAVES]
    slots[at + S_LEAVES] = 0
    slots[at + S_VISIBLE] = 0
    slots[at + S_ACTIVE] = 0
    return leaves


@entry
def resize(state: int, slot: int, leaves: int, display: int) -> int:
    """An own order keeps its place with less left, or another display quantity (0: all of it)."""
    slots = p64(p64(state)[SLOTS])
    at = slot * SLOT
    slots[at + S_LEAVES] = leaves
    slots[at + S_DISPLAY] = display
    visible = slots[at + S_VISIBLE]
    most = display if 0 < display < leaves else leaves
    slots[at + S_VISIBLE] = most if display == 0 or visible > most else visible
    return 0


@entry
def ahead(state: int, slot: int) -> float:
    """The market quantity ahead of an own order, in lots."""
    header = p64(state)
    instrument = p64(header[SLOTS])[slot * SLOT + S_INSTRUMENT]
    return ahead_lots(header, p64(state + 8 * (HEADER + instrument * BLOCK)), slot)


@entry
def available(state: int, instrument: int, side: int, limit: int, enough: int) -> int:
    """What an order of this side could take from the market up to its limit; stops counting at enough."""
    block = p64(state + 8 * (HEADER + instrument * BLOCK))
    total = 0
    found = best_available(block, 1 - side)
    while found >= 0 and total < enough:
        price = price_at(block, found)
        if price > limit if side == BUY else price < limit:
            break
        total += available_at(block, 1 - side, found)
        found = next_place(block, BITMAP, 1 - side, found)
    return total


@entry
def take(state: int, instrument: int, side: int, qty: int, limit: int) -> int:
    """Take up to qty from the market up to the limit; writes (price, lots) pairs, at most TAKES_CAPACITY."""
    header = p64(state)
    block = p64(state + 8 * (HEADER + instrument * BLOCK))
    takes = p64(header[TAKES])
    count = 0
    left = qty
    while left > 0 and count < TAKES_CAPACITY:
        found = best_available(block, 1 - side)
        if found < 0:
            break
        price = price_at(block, found)
        if price > limit if side == BUY else price < limit:
            break
        lots = available_at(block, 1 - side, found)
        if lots > left:
            lots = left
        consume(header, block, 1 - side, found, lots)
        takes[2 * count] = price
        takes[2 * count + 1] = lots
        count += 1
        left -= lots
    return count


@entry
def best(state: int, instrument: int, side: int) -> int:
    """Writes the best available price and quantity of a side; returns 0 if the side is empty, else 1."""
    header = p64(state)
    block = p64(state + 8 * (HEADER + instrument * BLOCK))
    found = best_available(block, side)
    if found < 0:
        return 0
    takes = p64(header[TAKES])
    takes[0] = price_at(block, found)
    takes[1] = available_at(block, side, found)
    return 1


@entry
def level(state: int, instrument: int, side: int, price: int) -> int:
    """What is available at a price."""
    block = p64(state + 8 * (HEADER + instrument * BLOCK))
    found = place_of(block, price)
    return available_at(block, side, found) if found >= 0 else 0


@entry
def levels(state: int, instrument: int, side: int, is_feed: int, most: int, out: int) -> int:
    """Write (price, quantity) of the best levels of the feed's view, or of the engine's book; returns their number."""
    block = p64(state + 8 * (HEADER + instrument * BLOCK))
    pairs = p64(out)
    which = FEED_BITMAP if is_feed != 0 else BITMAP
    count = 0
    found = best_place(block, which, side)
    while found >= 0 and count < most:
        if is_feed != 0:
            qty = p64(block[FEED_LEVELS])[side * (block[PAGES] << 6) + found]
        else:
            qty = available_at(block, side, found)
        if qty > 0:
            pairs[2 * count] = price_at(block, found)
            pairs[2 * count + 1] = qty
            count += 1
        found = next_place(block, which, side, found)
    return count


@inlined
def _write_order(out: int, count: int, room: int, price: int, qty: int, order: int, since: int) -> None:
    if count < room:
        rows = p64(out)
        rows[4 * count] = price
        rows[4 * count + 1] = qty
        rows[4 * count + 2] = order
        rows[4 * count + 3] = since


@inlined
def _write_market_order(block: Pointer, out: int, count: int, room: int, price: int, order: int) -> int:
    """Write a recorded order with what is left of it, if anything is; returns the number of rows then."""
    qty = p64(block[ORDER_QTY])[order] - p64(block[ORDER_TAKEN])[order]
    if qty <= 0:
        return count
    _write_order(out, count, room, price, qty, order, p32(block[ORDER_SEQ])[order])
    return count + 1


@inlined
def _better_price(side: int, is_market: bool, market: int, is_own: bool, own: int) -> int:
    if not is_own or (is_market and (market >= own if side == BUY else market <= own)):
        return market
    return own


@inlined
def _available_place(block: Pointer, side: int, place: int) -> int:
    """The place, or the next one behind it with something left."""
    while place >= 0 and available_at(block, side, place) == 0:
        place = next_place(block, BITMAP, side, place)
    return place


@entry
def recorded(state: int, instrument: int, order: int) -> int:
    """What rests of a recorded order, what own orders took of it included; 0 for one that is not in the book."""
    block = p64(state + 8 * (HEADER + instrument * BLOCK))
    return p64(block[ORDER_QTY])[order] if p32(block[ORDER_PLACE])[order] >= 0 else 0


@entry
def orders(state: int, instrument: int, side: int, most: int, out: int, room: int) -> int:
    """Write (price, quantity, order, since) of all that rests in the best levels of the engine's book, by price and
    queue; returns the number, of which at most room are written.

    order: of the market, its number; 0 for all that the market has at a price where it is not known by orders; of an
    own one, -1 - slot. since: its place in the market's time, as S_SEQ and ORDER_SEQ tell it; 0 for a level.
    """
    header = p64(state)
    block = p64(state + 8 * (HEADER + instrument * BLOCK))
    slots = p64(header[SLOTS])
    is_l3 = block[DEPTH] == DEPTH_L3
    count = 0
    levels_left = most
    found = _available_place(block, side, best_place(block, BITMAP, side))
    slot = block[OWN_HEAD + side]
    while levels_left > 0 and (found >= 0 or slot >= 0):
        market = price_at(block, found) if found >= 0 else 0
        price = _better_price(side, found >= 0, market, slot >= 0, slots[slot * SLOT + S_PRICE] if slot >= 0 else 0)
        order = 0
        if found >= 0 and market == price:
            if is_l3:
                order = p32(block[LEVEL_HEAD])[side * (block[PAGES] << 6) + found]
            else:
                _write_order(out, count, room, price, available_at(block, side, found), 0, 0)
                count += 1
            found = _available_place(block, side, next_place(block, BITMAP, side, found))
        while slot >= 0 and slots[slot * SLOT + S_PRICE] == price:
            since = slots[slot * SLOT + S_SEQ]
            while order != 0 and p32(block[ORDER_SEQ])[order] <= since:
                count = _write_market_order(block, out, count, room, price, order)
                order = p32(block[ORDER_NEXT])[order]
            _write_order(out, count, room, price, slots[slot * SLOT + S_VISIBLE], -1 - slot, since)
            count += 1
            slot = slots[slot * SLOT + S_NEXT]
        while order != 0:
            count = _write_market_order(block, out, count, room, price, order)
            order = p32(block[ORDER_NEXT])[order]
        levels_left -= 1
    return count
