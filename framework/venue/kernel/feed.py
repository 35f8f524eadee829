"""The feed: each message reaches the view after its delay, in order, and tells the book as it was recorded."""

from __future__ import annotations

from framework.data.columns import ADD, BEST, CLEAR, DELETE, LAST, LEVEL, MODIFY, TRADE
from framework.venue.compiled import Pointer, inlined, keep_apart, p8, p64
from framework.venue.kernel.ladder import (
    best_place,
    bits_of,
    find_place,
    lowest_from,
    mark,
    next_place,
    place_of,
    price_at,
)
from framework.venue.kernel.layout import (
    FAR_NS,
    FEED_BEST_BUY,
    FEED_BEST_SELL,
    FEED_BITMAP,
    FEED_COUNT,
    FEED_DUE,
    FEED_END,
    FEED_EPOCH,
    FEED_INTERVAL,
    FEED_KEY,
    FEED_LEVELS,
    FEED_MODE,
    FEED_NEXT,
    FEED_ORDER_PLACE,
    FEED_ORDER_QTY,
    FEED_PREVIOUS,
    FEED_QTY,
    FEED_REPORTED,
    FEED_ROW,
    FEED_STOP,
    FEED_STOP_END,
    FEED_STOP_FIRST,
    FEED_STOP_MODE,
    FEED_TABLE,
    FLAGS,
    INDEX,
    KIND,
    NOW,
    ORDER_ID,
    PAGE_MASK,
    PAGE_TABLE,
    PAGES,
    PRICE,
    ROWS,
    SIDE,
    TS_EVENT,
    TS_RECV,
    VIEW_ASK,
    VIEW_ASK_QTY,
    VIEW_BID,
    VIEW_BID_QTY,
    VIEW_LAST_PRICE,
    VIEW_LAST_QTY,
    VIEW_LAST_SIDE,
    VIEW_LAST_TS,
    VIEW_TS,
    FeedMode,
)
from framework.venue.latency import latency_at

EVERY = int(FeedMode.EVERY)
TOUCH = int(FeedMode.TOUCH)
TOUCH_PRICE = int(FeedMode.TOUCH_PRICE)
TRADES = int(FeedMode.TRADES)
INTERVAL = int(FeedMode.INTERVAL)
# Orders' places carry the number of the last CLEAR above these bits, so that it need not visit them.
EPOCH_SHIFT = 40


@inlined
def schedule(block: Pointer) -> None:
    """Find the next message and draw when it arrives: not before the one before it."""
    keep_apart()
    row = block[FEED_ROW]
    rows = block[ROWS]
    if row >= rows:
        block[FEED_NEXT] = FAR_NS
        return
    flags = p8(block[FLAGS])
    last = row
    while last + 1 < rows and flags[last] & LAST == 0:
        last += 1
    block[FEED_END] = last + 1
    ts = p64(block[TS_EVENT])[last]
    if block[FEED_TABLE] == 0:
        arrival = p64(block[TS_RECV])[last]
        if arrival < ts:
            arrival = ts
    else:
        arrival = ts + latency_at(block[FEED_KEY], block[FEED_COUNT], ts, block[FEED_TABLE])
    block[FEED_NEXT] = arrival if arrival > block[FEED_PREVIOUS] else block[FEED_PREVIOUS]


@inlined
def _set(block: Pointer, levels: Pointer, prices: int, side: int, place: int, qty: int) -> None:
    """The quantity of a place is now qty."""
    levels[side * prices + place] = qty
    mark(block, bits_of(block, FEED_BITMAP, side), place, int(qty > 0))
    best = block[FEED_BEST_BUY + side]
    if qty > 0:
        if best < 0 or (place - best) * (1 - 2 * side) > 0:
            block[FEED_BEST_BUY + side] = place
    elif place == best:
        block[FEED_BEST_BUY + side] = next_place(block, FEED_BITMAP, side, place)


@inlined
def _change(block: Pointer, side: int, place: int, qty: int) -> None:
    """The quantity of a place grows or shrinks by qty."""
    keep_apart()
    levels = p64(block[FEED_LEVELS])
    prices = block[PAGES] << 6
    _set(block, levels, prices, side, place, levels[side * prices + place] + qty)


@inlined
def _leave(block: Pointer, order: int) -> None:
    places = p64(block[FEED_ORDER_PLACE])
    at = places[order] - (block[FEED_EPOCH] << EPOCH_SHIFT)
    if at >= 0:
        prices = block[PAGES] << 6
        side = int(at >= prices)
        _change(block, side, at - side * prices, -p64(block[FEED_ORDER_QTY])[order])
        places[order] = -1


@inlined
def _order(block: Pointer, order: int, side: int, place: int, qty: int) -> None:
    """An order is now here; one change of the level if it stays at its price."""
    at = (block[FEED_EPOCH] << EPOCH_SHIFT) + side * (block[PAGES] << 6) + place
    places = p64(block[FEED_ORDER_PLACE])
    quantities = p64(block[FEED_ORDER_QTY])
    change = qty
    if places[order] == at:
        change -= quantities[order]
    else:
        _leave(block, order)
    places[order] = at if qty > 0 else -1
    quantities[order] = qty
    _change(block, side, place, change)


@inlined
def _clear(block: Pointer) -> None:
    keep_apart()
    levels = p64(block[FEED_LEVELS])
    for side in range(2):
        address = bits_of(block, FEED_BITMAP, side)
        place = lowest_from(block, address, 0)
        while place >= 0:
            levels[side * (block[PAGES] << 6) + place] = 0
            mark(block, address, place, 0)
            place = lowest_from(block, address, place + 1)
        block[FEED_BEST_BUY + side] = -1
    block[FEED_EPOCH] += 1


@inlined
def deliver(block: Pointer) -> int:
    """Apply the next message to the view; returns the FeedMode bits that ask for a stop."""
    kinds = p8(block[KIND])
    sides = p8(block[SIDE])
    prices = p64(block[PRICE])
    quantities = p64(block[FEED_QTY])
    levels = p64(block[FEED_LEVELS])
    places = block[PAGES] << 6
    table = p64(block[PAGE_TABLE])
    mask = block[PAGE_MASK]
    bid = block[FEED_BEST_BUY]
    ask = block[FEED_BEST_SELL]
    bid_qty = block[VIEW_BID_QTY]
    ask_qty = block[VIEW_ASK_QTY]
    has_trade = False
    end = block[FEED_END]
    for row in range(block[FEED_ROW], end):
        kind = kinds[row]
        if kind == TRADE:
            has_trade = True
            block[VIEW_LAST_PRICE] = prices[row]
            block[VIEW_LAST_QTY] = quantities[row]
            block[VIEW_LAST_SIDE] = sides[row]
            block[VIEW_LAST_TS] = p64(block[TS_EVENT])[row]
        elif kind == LEVEL:
            place = find_place(table, mask, prices[row])
            _set(block, levels, places, int(sides[row]), place, quantities[row])
        elif kind == ADD or kind == MODIFY:
            order = p64(block[ORDER_ID])[row]
            _order(block, order, int(sides[row]), place_of(block, prices[row]), quantities[row])
        elif kind == DELETE:
            _leave(block, p64(block[ORDER_ID])[row])
        elif kind == BEST:
            side = int(sides[row])
            place = place_of(block, prices[row])
            old = best_place(block, FEED_BITMAP, side)
            if old >= 0 and (old != place or quantities[row] == 0):
                _change(block, side, old, -levels[side * places + old])
            if quantities[row] > 0:
                _change(block, side, place, quantities[row] - levels[side * places + place])
        elif kind == CLEAR:
            _clear(block)
    block[VIEW_TS] = p64(block[TS_EVENT])[end - 1]
    block[FEED_ROW] = end
    block[FEED_COUNT] += 1
    block[FEED_PREVIOUS] = block[FEED_NEXT]
    show(block)
    mode = block[FEED_MODE]
    if mode == 0:
        return 0
    wanted = mode & EVERY
    if bid != block[FEED_BEST_BUY] or ask != block[FEED_BEST_SELL]:
        wanted |= mode & (TOUCH | TOUCH_PRICE)
    elif bid_qty != block[VIEW_BID_QTY] or ask_qty != block[VIEW_ASK_QTY]:
        wanted |= mode & TOUCH
    if has_trade:
        wanted |= mode & TRADES
    if mode & INTERVAL != 0 and block[FEED_DUE] == FAR_NS:
        interval = block[FEED_INTERVAL]
        # The end of the interval comes after all messages of its own instant.
        block[FEED_DUE] = -(-block[FEED_NEXT] // interval) * interval
    return wanted


@inlined
def show(block: Pointer) -> None:
    """Write the touch where views read it; quantity 0 means that the side is empty."""
    prices = block[PAGES] << 6
    levels = p64(block[FEED_LEVELS])
    place = block[FEED_BEST_BUY]
    block[VIEW_BID] = price_at(block, place) if place >= 0 else 0
    block[VIEW_BID_QTY] = levels[place] if place >= 0 else 0
    place = block[FEED_BEST_SELL]
    block[VIEW_ASK] = price_at(block, place) if place >= 0 else 0
    block[VIEW_ASK_QTY] = levels[prices + place] if place >= 0 else 0


@inlined
def stop_feed(header: Pointer, block: Pointer, mode: int, ts: int) -> None:
    """Note who asked for the stop; the interval's clock starts again."""
    header[FEED_STOP] = block[INDEX]
    header[FEED_STOP_MODE] = mode
    header[NOW] = ts
    block[FEED_DUE] = FAR_NS
    block[FEED_STOP_FIRST] = block[FEED_REPORTED]
    block[FEED_STOP_END] = block[FEED_REPORTED] = block[FEED_ROW]
