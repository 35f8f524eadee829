"""The loop: rows of the engine and messages of the feed of all instruments, in the order of global time."""

from __future__ import annotations

from framework.data.columns import BEST, CLEAR, DELETE, LEVEL, SNAPSHOT, TRADE
from framework.venue.compiled import Pointer, entry, inlined, keep_apart, p8, p64
from framework.venue.kernel.books import book_is_certain, clear_book, delete_order, modify_order, set_best, set_level
from framework.venue.kernel.feed import deliver, schedule, stop_feed
from framework.venue.kernel.ladder import find_place
from framework.venue.kernel.layout import (
    BLOCK,
    FAR_NS,
    FEED_DUE,
    FEED_NEXT,
    FEED_PREVIOUS,
    FILL_COUNT,
    FIRED_COUNT,
    FLAGS,
    HEADER,
    INSTRUMENTS,
    IS_CROSSING,
    IS_UNCERTAIN,
    KIND,
    LEVELS,
    NOW,
    ORDER_ID,
    OWN_HEAD,
    PAGE_MASK,
    PAGE_TABLE,
    PAGES,
    PRICE,
    QTY,
    ROW,
    ROWS,
    S_PRICE,
    SIDE,
    SLOT,
    SLOTS,
    TRIGGERS_ACTIVE,
    TS_EVENT,
    FeedMode,
    StopReason,
)
from framework.venue.kernel.matching import cross, is_better, settle, trade
from framework.venue.kernel.triggers import check_triggers

REACHED = int(StopReason.REACHED)
FILL = int(StopReason.FILL)
TRIGGER = int(StopReason.TRIGGER)
FEED = int(StopReason.FEED)
END = int(StopReason.END)
INTERVAL = int(FeedMode.INTERVAL)

# What can happen next, in the order in which it happens at the same time.
ENGINE_ROW, FEED_MESSAGE, FEED_INTERVAL_END = range(3)


@inlined
def _run_engine(header: Pointer, block: Pointer, until: int) -> int:
    """Apply rows up to a time; stops right after a row that filled own orders or fired triggers."""
    keep_apart()
    times = p64(block[TS_EVENT])
    kinds = p8(block[KIND])
    sides = p8(block[SIDE])
    prices = p64(block[PRICE])
    quantities = p64(block[QTY])
    flags_of = p8(block[FLAGS])
    slots = p64(header[SLOTS])
    levels = p64(block[LEVELS])
    places = block[PAGES] << 6
    table = p64(block[PAGE_TABLE])
    mask = block[PAGE_MASK]
    rows = block[ROWS]
    row = block[ROW]
    while row < rows:
        ts = times[row]
        if ts > until:
            break
        kind = kinds[row]
        flags = int(flags_of[row])
        side = int(sides[row])
        price = prices[row]
        qty = quantities[row]
        if kind == TRADE:
            order = p64(block[ORDER_ID])[row] if block[ORDER_ID] != 0 else 0
            trade(header, block, price, qty, side, order, flags, ts)
            if block[TRIGGERS_ACTIVE] > 0 and flags & SNAPSHOT == 0:
                check_triggers(header, block, price)
        elif kind == CLEAR:
            clear_book(header, block)
            block[IS_CROSSING] = 0
        else:
            if flags & SNAPSHOT == 0 and block[IS_UNCERTAIN] != 0:
                book_is_certain(header, block)
            place = find_place(table, mask, price)
            has_come = qty > 0
            if kind == LEVEL:
                set_level(header, block, levels, places, side, place, qty, flags, ts)
            elif kind == DELETE:
                delete_order(header, block, p64(block[ORDER_ID])[row], flags, ts)
                has_come = False
            elif kind == BEST:
                set_best(header, block, side, place, qty, flags, ts)
            else:
                order = p64(block[ORDER_ID])[row]
                has_come = modify_order(header, block, order, side, place, qty, flags, ts, row)
            if flags & SNAPSHOT == 0:
                own = block[OWN_HEAD + 1 - side]
                if own >= 0 and not is_better(side, slots[own * SLOT + S_PRICE], price) and has_come:
                    cross(header, block, side, price, ts)
                if block[IS_CROSSING] != 0:
                    settle(header, block, ts)
        row += 1
        block[ROW] = row
        if header[FILL_COUNT] != 0 or header[FIRED_COUNT] != 0:
            header[NOW] = ts
            return FILL if header[FILL_COUNT] != 0 else TRIGGER
    return REACHED


@inlined
def _run_feed(header: Pointer, block: Pointer, until: int) -> int:
    """Deliver messages up to a time; stops right after one that a subscriber wants."""
    keep_apart()
    while block[FEED_NEXT] <= until:
        ts = block[FEED_NEXT]
        wanted = deliver(block)
        schedule(block)
        if wanted != 0:
            stop_feed(header, block, wanted, ts)
            return FEED
        if block[FEED_DUE] <= until:
            # The interval may end before the next message.
            return REACHED
    return REACHED


@inlined
def _next_of(block: Pointer, what: int) -> int:
    if what == ENGINE_ROW:
        row = block[ROW]
        return p64(block[TS_EVENT])[row] if row < block[ROWS] else FAR_NS
    if what == FEED_MESSAGE:
        return block[FEED_NEXT]
    return block[FEED_DUE]


@inlined
def _last_ns(state: int, now: int, instruments: int) -> int:
    for instrument in range(instruments):
        block = p64(state + 8 * (HEADER + instrument * BLOCK))
        if block[ROWS] > 0:
            now = max(now, p64(block[TS_EVENT])[block[ROWS] - 1], block[FEED_PREVIOUS])
    return now


@entry
def advance(state: int, until: int) -> int:
    """Go on to the next stop or to a time; returns a StopReason."""
    header = p64(state)
    header[FILL_COUNT] = 0
    header[FIRED_COUNT] = 0
    instruments = header[INSTRUMENTS]
    while True:
        # The earliest of all that can happen, and how long it is alone: until the earliest of the others.
        first_ns = FAR_NS
        first_what = -1
        first_instrument = -1
        alone_until = until
        for what in range(3):
            for instrument in range(instruments):
                ts = _next_of(p64(state + 8 * (HEADER + instrument * BLOCK)), what)
                if ts < first_ns:
                    # What led so far comes later, or at the same time if this one's turn is before.
                    if first_ns - 1 < alone_until:
                        alone_until = first_ns - 1
                    first_ns = ts
                    first_what = what
                    first_instrument = instrument
                elif ts != FAR_NS and ts < alone_until:
                    alone_until = ts
        if first_what < 0:
            header[NOW] = _last_ns(state, header[NOW], instruments)
            return END
        if first_ns > until:
            header[NOW] = until
            return REACHED
        block = p64(state + 8 * (HEADER + first_instrument * BLOCK))
        if first_what == ENGINE_ROW:
            reason = _run_engine(header, block, alone_until)
        elif first_what == FEED_MESSAGE:
            reason = _run_feed(header, block, alone_until)
        else:
            stop_feed(header, block, INTERVAL, first_ns)
            return FEED
        if reason != REACHED:
            return reason
