"""The quantity ahead of own orders: exact on L3, by model on L1 and L2. The rules stand in the package's docstring."""

from __future__ import annotations

import math

from framework.data.columns import EXECUTED, SNAPSHOT
from framework.protocol import BUY
from framework.venue.compiled import Pointer, inlined, keep_apart, p64, pf64
from framework.venue.kernel.layout import (
    DEPTH,
    DEPTH_L3,
    FLOATS,
    INDEX,
    LEVELS,
    OWN_HEAD,
    PAGES,
    QUEUE_MODEL,
    S_AHEAD,
    S_CREDIT,
    S_NEXT,
    S_PLACE,
    S_PREPAID,
    S_PREPAID_TS,
    S_PRICE,
    S_SEQ,
    SLOT,
    SLOT_FLOATS,
    SLOTS,
    TRADE_AFTER_BOOK_NS,
    UNKNOWN_AHEAD,
    QueueModel,
)

RISK_AVERSE = int(QueueModel.RISK_AVERSE)
POWER = int(QueueModel.POWER)
POWER_TOTAL = int(QueueModel.POWER_TOTAL)
POWER_RATIO = int(QueueModel.POWER_RATIO)
LOG = int(QueueModel.LOG)


@inlined
def share_behind(model: int, n: float, front: float, back: float) -> float:
    """The probability that a reduction happens behind us; quantities in base units, front + back above 0."""
    if model == POWER:
        behind = math.pow(back, n)
        return behind / (behind + math.pow(front, n))
    if model == POWER_TOTAL:
        return math.pow(back, n) / math.pow(back + front, n)
    if model == POWER_RATIO:
        return 1.0 - math.pow(front / (front + back), n)
    behind = math.log(1.0 + back)
    if model == LOG:
        return behind / (behind + math.log(1.0 + front))
    return behind / math.log(1.0 + back + front)


@inlined
def _prepay(header: Pointer, slots: Pointer, at: int, dropped: int, flags: int, ts: int) -> None:
    """Remember what the book took off the queue without naming a trade: the trade may be told right after."""
    if dropped <= 0 or flags & (EXECUTED | SNAPSHOT) != 0:
        return
    if ts - slots[at + S_PREPAID_TS] > header[TRADE_AFTER_BOOK_NS]:
        slots[at + S_PREPAID] = 0
    slots[at + S_PREPAID] += dropped
    slots[at + S_PREPAID_TS] = ts


@inlined
def cut_ahead(header: Pointer, slot: int, lots: int) -> int:
    """L1, L2: at most this much is ahead of the order. Returns by how many lots that shortened a known estimate."""
    keep_apart()
    if header[QUEUE_MODEL] != RISK_AVERSE:
        floats = pf64(header[SLOT_FLOATS])
        front = floats[2 * slot]
        if front <= lots:
            return 0
        floats[2 * slot] = float(lots)
        return int(math.floor(front - lots + 0.5)) if front < UNKNOWN_AHEAD else 0
    slots = p64(header[SLOTS])
    front_lots = slots[slot * SLOT + S_AHEAD]
    if front_lots <= lots:
        return 0
    slots[slot * SLOT + S_AHEAD] = lots
    return front_lots - lots if front_lots < UNKNOWN_AHEAD else 0


@inlined
def _model_change(header: Pointer, block: Pointer, slot: int, before: int, now: int) -> int:
    """A probability model sees a level change; hftbacktest's rule. Returns by how many lots the estimate shrank."""
    keep_apart()
    floats = pf64(header[SLOT_FLOATS])
    front = floats[2 * slot]
    reduction = before - now - floats[2 * slot + 1]
    floats[2 * slot + 1] = 0.0
    after = front
    if reduction >= 0.0 and before > 0 and front <= before:
        parameters = pf64(header[FLOATS])
        unit = parameters[1 + block[INDEX]]
        back = before - front
        behind = share_behind(header[QUEUE_MODEL], parameters[0], front * unit, back * unit)
        rest = back - behind * reduction
        after = front - (1.0 - behind) * reduction + (rest if rest < 0.0 else 0.0)
        if after < 0.0:
            after = 0.0
    if after > now:
        after = float(now)
    floats[2 * slot] = after
    return int(math.floor(front - after + 0.5)) if front < UNKNOWN_AHEAD else 0


@inlined
def level_changed(
    header: Pointer, block: Pointer, side: int, place: int, before: int, now: int, flags: int, ts: int
) -> None:
    """L1, L2: the available quantity of a place with own orders went from before to now."""
    keep_apart()
    slots = p64(header[SLOTS])
    is_found = False
    slot = block[OWN_HEAD + side]
    while slot >= 0:
        at = slot * SLOT
        if slots[at + S_PLACE] == place:
            if header[QUEUE_MODEL] == RISK_AVERSE or flags & SNAPSHOT != 0:
                dropped = cut_ahead(header, slot, now)
            else:
                dropped = _model_change(header, block, slot, before, now)
            _prepay(header, slots, at, dropped, flags, ts)
            is_found = True
        elif is_found:
            return
        slot = slots[at + S_NEXT]


@inlined
def order_changed(
    header: Pointer, block: Pointer, side: int, place: int, seq: int, change: int, flags: int, ts: int
) -> None:
    """L3: the available quantity of a recorded order changed; it counts where the order is ahead of ours."""
    keep_apart()
    slots = p64(header[SLOTS])
    is_found = False
    slot = block[OWN_HEAD + side]
    while slot >= 0:
        at = slot * SLOT
        if slots[at + S_PLACE] == place:
            is_found = True
            if seq <= slots[at + S_SEQ]:
                slots[at + S_AHEAD] += change
                if change < 0:
                    credit = slots[at + S_CREDIT]
                    used = credit if credit < -change else -change
                    slots[at + S_CREDIT] = credit - used
                    _prepay(header, slots, at, -change - used, flags, ts)
        elif is_found:
            return
        slot = slots[at + S_NEXT]


@inlined
def best_moved(header: Pointer, block: Pointer, side: int, price: int, qty: int) -> None:
    """L1: the best price is a new one, so nothing is ahead at better prices, and at most qty at it."""
    keep_apart()
    slots = p64(header[SLOTS])
    slot = block[OWN_HEAD + side]
    while slot >= 0:
        own = slots[slot * SLOT + S_PRICE]
        if own == price:
            cut_ahead(header, slot, qty)
        elif (own > price) == (side == BUY):
            cut_ahead(header, slot, 0)
        slot = slots[slot * SLOT + S_NEXT]


@inlined
def queues_emptied(header: Pointer, block: Pointer, side: int) -> None:
    """L1: the side is empty, so nothing is ahead of anybody."""
    keep_apart()
    slots = p64(header[SLOTS])
    slot = block[OWN_HEAD + side]
    while slot >= 0:
        cut_ahead(header, slot, 0)
        slot = slots[slot * SLOT + S_NEXT]


@inlined
def queues_known(header: Pointer, block: Pointer) -> None:
    """L2: the whole book is known, so at most a price's quantity is ahead at it."""
    keep_apart()
    slots = p64(header[SLOTS])
    levels = p64(block[LEVELS])
    for side in range(2):
        slot = block[OWN_HEAD + side]
        while slot >= 0:
            place = slots[slot * SLOT + S_PLACE]
            lots = 0
            if place >= 0:
                at = 2 * (side * (block[PAGES] << 6) + place)
                lots = levels[at] - levels[at + 1]
            cut_ahead(header, slot, lots if lots > 0 else 0)
            slot = slots[slot * SLOT + S_NEXT]


@inlined
def ahead_lots(header: Pointer, block: Pointer, slot: int) -> float:
    """What is ahead of an order now, as the fill conditions see it."""
    slots = p64(header[SLOTS])
    at = slot * SLOT
    if block[DEPTH] == DEPTH_L3:
        return float(slots[at + S_AHEAD] - slots[at + S_CREDIT])
    if header[QUEUE_MODEL] == RISK_AVERSE:
        return float(slots[at + S_AHEAD])
    return pf64(header[SLOT_FLOATS])[2 * slot]


@inlined
def trade_ahead(header: Pointer, block: Pointer, slot: int, lots: int) -> int:
    """A trade at the order's price brings lots: they pass what is ahead first. Returns how many reach the order."""
    keep_apart()
    slots = p64(header[SLOTS])
    at = slot * SLOT
    if block[DEPTH] == DEPTH_L3:
        front = slots[at + S_AHEAD] - slots[at + S_CREDIT]
        passed = front if front < lots else lots
        slots[at + S_CREDIT] += passed
        return lots - passed
    if header[QUEUE_MODEL] == RISK_AVERSE:
        front = slots[at + S_AHEAD]
        if front >= UNKNOWN_AHEAD:
            return 0
        passed = front if front < lots else lots
        slots[at + S_AHEAD] = front - passed
        return lots - passed
    floats = pf64(header[SLOT_FLOATS])
    ahead = floats[2 * slot]
    if ahead >= UNKNOWN_AHEAD:
        return 0
    floats[2 * slot + 1] += lots
    floats[2 * slot] = ahead - lots if ahead > lots else 0.0
    return int(math.floor(lots - ahead + 0.5)) if ahead < lots else 0


@inlined
def nothing_ahead(header: Pointer, block: Pointer, slot: int) -> None:
    """The market has passed the order's price: whatever was ahead is executed or gone."""
    keep_apart()
    slots = p64(header[SLOTS])
    at = slot * SLOT
    if block[DEPTH] == DEPTH_L3:
        slots[at + S_CREDIT] = slots[at + S_AHEAD]
    else:
        cut_ahead(header, slot, 0)
