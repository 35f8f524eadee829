"""What hits own orders: trades and crossing quantities, row by row. The conditions stand in the package's docstring."""

from __future__ import annotations

from framework.data.columns import SNAPSHOT, UNKNOWN_SIDE
from framework.protocol import BUY, SELL
from framework.venue.compiled import Pointer, inlined, keep_apart, p32, p64
from framework.venue.kernel.books import available_at, best_available, consume, told_by_trade
from framework.venue.kernel.ladder import best_place, bits_of, mark, place_of, price_at
from framework.venue.kernel.layout import (
    BITMAP,
    DEPTH,
    DEPTH_L2,
    DEPTH_L3,
    DEPTH_TRADES,
    HAS_TRADES,
    IS_CROSSING,
    LAST_PRICE,
    LAST_QTY,
    LAST_SIDE,
    LAST_TS,
    LEVELS,
    ORDER_SEQ,
    OWN_HEAD,
    PAGES,
    S_ACTIVE,
    S_LEAVES,
    S_NEXT,
    S_PREPAID,
    S_PREPAID_TS,
    S_PRICE,
    S_SEQ,
    S_SHARE,
    S_VISIBLE,
    SLOT,
    SLOTS,
    TICK_SIDE,
    TRADE_AFTER_BOOK_NS,
    TRADES_DEPTH_LOTS,
    TRADES_SHARE_PPM,
    TRADES_SPREAD_TICKS,
)
from framework.venue.kernel.queue import nothing_ahead, trade_ahead
from framework.venue.kernel.slots import hit

PPM = 1_000_000


@inlined
def is_better(side: int, price: int, other: int) -> bool:
    """Whether a price comes before another on a side."""
    return (price - other) * (1 - 2 * side) > 0


# ------------------------------------------------------------------------------------------------- crossing


@inlined
def match_crossed(header: Pointer, block: Pointer, side: int, ts: int) -> None:
    """Market quantity of a side that crosses own orders of the other trades with them, best against best."""
    keep_apart()
    slots = p64(header[SLOTS])
    own = 1 - side
    slot = block[OWN_HEAD + own]
    while slot >= 0:
        place = best_available(block, side)
        if place < 0:
            return
        if is_better(side, slots[slot * SLOT + S_PRICE], price_at(block, place)):
            return
        leaves = slots[slot * SLOT + S_LEAVES]
        lots = available_at(block, side, place)
        if lots > leaves:
            lots = leaves
        consume(header, block, side, place, lots)
        hit(header, block, slot, lots, ts)
        if slots[slot * SLOT + S_ACTIVE] != 0:
            nothing_ahead(header, block, slot)
        slot = block[OWN_HEAD + own]


@inlined
def cross(header: Pointer, block: Pointer, side: int, price: int, ts: int) -> None:
    """A book row left quantity on a side at a price that crosses own orders."""
    keep_apart()
    if block[HAS_TRADES] != 0:
        other = best_place(block, BITMAP, 1 - side)
        if other >= 0 and not is_better(side, price_at(block, other), price):
            # It crosses recorded quantity too, so it is an aggressor whose trades are told by TRADE rows.
            block[IS_CROSSING] = 1
            return
    match_crossed(header, block, side, ts)


@inlined
def settle(header: Pointer, block: Pointer, ts: int) -> None:
    """After a row in a crossed book: once it is crossed no more, what is left of the aggressor meets own orders."""
    keep_apart()
    bid = best_place(block, BITMAP, BUY)
    ask = best_place(block, BITMAP, SELL)
    if bid >= 0 and ask >= 0 and bid >= ask:
        return
    block[IS_CROSSING] = 0
    match_crossed(header, block, BUY, ts)
    match_crossed(header, block, SELL, ts)


# ------------------------------------------------------------------------------------------------- trades


@inlined
def _resting_side(block: Pointer, price: int, aggressor: int) -> int:
    """The side whose orders a trade executed, -1 if that cannot be told."""
    keep_apart()
    if aggressor != UNKNOWN_SIDE:
        return 1 - aggressor
    if block[DEPTH] == DEPTH_TRADES:
        if block[LAST_QTY] > 0:
            if price > block[LAST_PRICE]:
                return SELL
            if price < block[LAST_PRICE]:
                return BUY
            if block[TICK_SIDE] != UNKNOWN_SIDE:
                return 1 - block[TICK_SIDE]
        return -1
    bid = best_place(block, BITMAP, BUY)
    ask = best_place(block, BITMAP, SELL)
    if bid >= 0 and ask >= 0:
        twice_mid = price_at(block, bid) + price_at(block, ask)
        if 2 * price == twice_mid:
            return -1
        return BUY if 2 * price < twice_mid else SELL
    if bid >= 0 and price <= price_at(block, bid):
        return BUY
    if ask >= 0 and price >= price_at(block, ask):
        return SELL
    return -1


@inlined
def _trade_at_price(header: Pointer, block: Pointer, own: int, lots: int, order: int, price: int, ts: int) -> None:
    """The part of a trade that did not go through: it reaches own orders at its price behind what is ahead of them."""
    keep_apart()
    slots = p64(header[SLOTS])
    slot = block[OWN_HEAD + own]
    left = lots
    while slot >= 0 and slots[slot * SLOT + S_PRICE] == price and left > 0:
        at = slot * SLOT
        reach = left
        is_prepaid = ts - slots[at + S_PREPAID_TS] <= header[TRADE_AFTER_BOOK_NS]
        if is_prepaid:
            used = slots[at + S_PREPAID] if slots[at + S_PREPAID] < reach else reach
            slots[at + S_PREPAID] -= used
            reach -= used
        if block[DEPTH] == DEPTH_L3 and p32(block[ORDER_SEQ])[order] > slots[at + S_SEQ]:
            nothing_ahead(header, block, slot)
            reach = left
        if reach > 0:
            reach = trade_ahead(header, block, slot, reach)
        visible = slots[at + S_VISIBLE]
        part = visible if visible < reach else reach
        following = slots[at + S_NEXT]
        if part > 0:
            hit(header, block, slot, part, ts)
            left -= part
            if part == visible and slots[at + S_ACTIVE] != 0:
                # A new slice stands at the back; this trade may still reach it, behind all that it joined.
                if following < 0 or slots[following * SLOT + S_PRICE] != price:
                    following = slot
                if is_prepaid:
                    # But the book already shows what this trade executed: what is ahead now was not ahead of it.
                    slots[at + S_PREPAID] = left
                    slots[at + S_PREPAID_TS] = ts
        slot = following


@inlined
def _trade_share(header: Pointer, block: Pointer, own: int, lots: int, price: int, ts: int) -> None:
    """Trades-only: own orders at a trade's price get the configured share of it."""
    keep_apart()
    slots = p64(header[SLOTS])
    slot = block[OWN_HEAD + own]
    if slot < 0 or slots[slot * SLOT + S_PRICE] != price:
        return
    share = slots[slot * SLOT + S_SHARE] + lots * header[TRADES_SHARE_PPM]
    left = share // PPM
    slots[slot * SLOT + S_SHARE] = share - left * PPM
    while left > 0 and slot >= 0 and slots[slot * SLOT + S_PRICE] == price:
        leaves = slots[slot * SLOT + S_LEAVES]
        part = leaves if leaves < left else left
        hit(header, block, slot, part, ts)
        left -= part
        slot = block[OWN_HEAD + own]


@inlined
def _show_touch(block: Pointer, side: int, price: int, qty: int) -> None:
    """Trades-only: the assumed best price of a side, fresh."""
    keep_apart()
    levels = p64(block[LEVELS])
    old = best_place(block, BITMAP, side)
    if old >= 0:
        at = 2 * (side * (block[PAGES] << 6) + old)
        levels[at] = 0
        levels[at + 1] = 0
        mark(block, bits_of(block, BITMAP, side), old, 0)
    place = place_of(block, price)
    at = 2 * (side * (block[PAGES] << 6) + place)
    levels[at] = qty
    levels[at + 1] = 0
    mark(block, bits_of(block, BITMAP, side), place, 1)


@inlined
def trade(
    header: Pointer, block: Pointer, price: int, lots: int, aggressor: int, order: int, flags: int, ts: int
) -> None:
    """A TRADE row."""
    if flags & SNAPSHOT == 0:
        left = lots
        is_trades_only = block[DEPTH] == DEPTH_TRADES
        resting = -1
        is_by_level = block[DEPTH] == DEPTH_L2
        has_own = block[OWN_HEAD] >= 0 or block[OWN_HEAD + 1] >= 0
        if is_trades_only or is_by_level or has_own:
            resting = _resting_side(block, price, aggressor)
        if is_trades_only or has_own:
            slots = p64(header[SLOTS])
            for own in range(2):
                if own != resting and aggressor != UNKNOWN_SIDE and not is_trades_only:
                    continue
                slot = block[OWN_HEAD + own]
                while slot >= 0 and left > 0 and is_better(own, slots[slot * SLOT + S_PRICE], price):
                    leaves = slots[slot * SLOT + S_LEAVES]
                    part = leaves if leaves < left else left
                    hit(header, block, slot, part, ts)
                    left -= part
                    if slots[slot * SLOT + S_ACTIVE] != 0:
                        nothing_ahead(header, block, slot)
                    slot = block[OWN_HEAD + own]
            if resting >= 0 and left > 0:
                if is_trades_only:
                    _trade_share(header, block, resting, left, price, ts)
                else:
                    _trade_at_price(header, block, resting, left, order, price, ts)
        if is_by_level and resting >= 0:
            told_by_trade(header, block, resting, price, lots, ts)
        if is_trades_only:
            spread = header[TRADES_SPREAD_TICKS]
            depth = header[TRADES_DEPTH_LOTS] if header[TRADES_DEPTH_LOTS] > 0 else lots
            _show_touch(block, BUY, price if resting == BUY else price - spread, depth)
            _show_touch(block, SELL, price if resting == SELL else price + spread, depth)
            block[TICK_SIDE] = 1 - resting if resting >= 0 else UNKNOWN_SIDE
    block[LAST_PRICE] = price
    block[LAST_QTY] = lots
    block[LAST_SIDE] = aggressor
    block[LAST_TS] = ts
