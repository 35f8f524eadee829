"""The feed: each message reaches the view after its delay, in order, and tells the book as it was recorded."""

from __future__ import annotations

from framework.data.columns import ADD, BEST, CLEAR, DELETE, LAST, LEVEL, MODIFY, TRADE
from framework.protocol import BUY
from framework.venue.compiled import Pointer, inlined, p8, p32, p64
from framework.venue.kernel.books import best_place, bits_of, clear_bit, lowest_from, next_place, place_of, price_at, set_bit
from framework.venue.kernel.layout import (
    FAR_NS,
    FEED_BEST_BUY,
    FEED_BEST_SELL,
    FEED_BITMAP,
    FEED_COUNT,
    FEED_DUE,
    FEED_END,
    FEED_INTERVAL,
    FEED_KEY,
    FEED_LEVELS,
    FEED_MODE,
    FEED_NEXT,
    FEED_ORDER_PLACE,
    FEED_ORDER_QTY,
    FEED_PREVIOUS,
    FEED_ROW,
    FEED_STOP,
    FEED_STOP_MODE,
    FEED_TABLE,
    FLAGS,
    INDEX,
    KIND,
    NOW,
    ORDER_ID,
    PAGES,
    PRICE,
    QTY,
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


@inlined
def schedule(block: Pointer) -> None:
    """Find the next message and draw when it arrives: not before the one before it."""
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
def _set(block: Pointer, side: int, place: int, qty: int) -> None:
    levels = p64(block[FEED_LEVELS])
    at = side * (block[PAGES] << 6) + place
    old = levels[at]
    levels[at] = qty
    best = block[FEED_BEST_BUY + side]
    if qty > 0:
        if old == 0:
            set_bit(block, bits_of(block, FEED_BITMAP, side), place)
            if best < 0 or (place > best) == (side == BUY):
                block[FEED_BEST_BUY + side] = place
    elif old != 0:
        clear_bit(block, bits_of(block, FEED_BITMAP, side), place)
        if place == best:
            block[FEED_BEST_BUY + side] = next_place(block, FEED_BITMAP, side, place)


@inlined
def _leave(block: Pointer, order: int) -> None:
    places = p32(block[FEED_ORDER_PLACE])
    at = places[order]
    if at >= 0:
        prices = block[PAGES] << 6
        side = 1 if at >= prices else 0
        _set(block, side, at - side * prices, p64(block[FEED_LEVELS])[at] - p64(block[FEED_ORDER_QTY])[order])
        places[order] = -1


@inlined
def _join(block: Pointer, order: int, side: int, place: int, qty: int) -> None:
    at = side * (block[PAGES] << 6) + place
    p32(block[FEED_ORDER_PLACE])[order] = at if qty > 0 else -1
    p64(block[FEED_ORDER_QTY])[order] = qty
    _set(block, side, place, p64(block[FEED_LEVELS])[at] + qty)


@inlined
def _clear(block: Pointer) -> None:
    levels = p64(block[FEED_LEVELS])
    for side in range(2):
        address = bits_of(block, FEED_BITMAP, side)
        place = lowest_from(block, address, 0)
        while place >= 0:
            levels[side * (block[PAGES] << 6) + place] = 0
            clear_bit(block, address, place)
            place = lowest_from(block, address, place + 1)
        block[FEED_BEST_BUY + side] = -1


@inlined
def deliver(header: Pointer, block: Pointer) -> int:
    """Apply the next message to the view; returns the FeedMode bits that ask for a stop."""
    kinds = p8(block[KIND])
    sides = p8(block[SIDE])
    prices = p64(block[PRICE])
    quantities = p64(block[QTY])
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
            _set(block, int(sides[row]), place_of(block, prices[row]), quantities[row])
        elif kind == ADD or kind == MODIFY:
            order = p64(block[ORDER_ID])[row]
            _leave_for(block, order, int(sides[row]), place_of(block, prices[row]), quantities[row])
        elif kind == DELETE:
            _leave(block, p64(block[ORDER_ID])[row])
        elif kind == BEST:
            side = int(sides[row])
            place = place_of(block, prices[row])
            old = best_place(block, FEED_BITMAP, side)
            if old >= 0 and (old != place or quantities[row] == 0):
                _set(block, side, old, 0)
            if quantities[row] > 0:
                _set(block, side, place, quantities[row])
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
def _leave_for(block: Pointer, order: int, side: int, place: int, qty: int) -> None:
    """An order is now here: one change of the level if it stays at its price."""
    at = side * (block[PAGES] << 6) + place
    if p32(block[FEED_ORDER_PLACE])[order] == at:
        change = qty - p64(block[FEED_ORDER_QTY])[order]
        p64(block[FEED_ORDER_QTY])[order] = qty
        if qty == 0:
            p32(block[FEED_ORDER_PLACE])[order] = -1
        _set(block, side, place, p64(block[FEED_LEVELS])[at] + change)
    else:
        _leave(block, order)
        _join(block, order, side, place, qty)


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


