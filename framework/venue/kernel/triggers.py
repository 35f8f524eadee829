"""Triggers: what waits for the last trade price."""

from __future__ import annotations

from framework.venue.compiled import Pointer, inlined, keep_apart, p64
from framework.venue.kernel.layout import (
    FIRED,
    FIRED_COUNT,
    INDEX,
    T_ACTIVE,
    T_INSTRUMENT,
    T_KIND,
    T_OFFSET,
    T_PRICE,
    TRIGGER,
    TRIGGER_COUNT,
    TRIGGERS,
    TRIGGERS_ACTIVE,
    TriggerKind,
)

AT_OR_ABOVE = int(TriggerKind.AT_OR_ABOVE)
AT_OR_BELOW = int(TriggerKind.AT_OR_BELOW)
TRAIL_FALL_TICKS = int(TriggerKind.TRAIL_FALL_TICKS)
TRAIL_FALL_PPM = int(TriggerKind.TRAIL_FALL_PPM)
TRAIL_RISE_TICKS = int(TriggerKind.TRAIL_RISE_TICKS)
PPM = 1_000_000


@inlined
def _is_reached(kind: int, price: int, watched: int, offset: int) -> bool:
    """watched: the trigger price, or for a trailing trigger the highest or lowest price so far."""
    if kind == AT_OR_ABOVE:
        return price >= watched
    if kind == AT_OR_BELOW:
        return price <= watched
    if kind == TRAIL_FALL_TICKS:
        return price <= watched - offset
    if kind == TRAIL_FALL_PPM:
        return price * PPM <= watched * (PPM - offset)
    if kind == TRAIL_RISE_TICKS:
        return price >= watched + offset
    return price * PPM >= watched * (PPM + offset)


@inlined
def check_triggers(header: Pointer, block: Pointer, price: int) -> None:
    """A trade at this price: move trailing triggers along, then disarm and list those that are reached, by number."""
    keep_apart()
    triggers = p64(header[TRIGGERS])
    fired = p64(header[FIRED])
    for number in range(header[TRIGGER_COUNT]):
        at = number * TRIGGER
        if triggers[at + T_ACTIVE] == 0 or triggers[at + T_INSTRUMENT] != block[INDEX]:
            continue
        kind = triggers[at + T_KIND]
        watched = triggers[at + T_PRICE]
        if kind == TRAIL_FALL_TICKS or kind == TRAIL_FALL_PPM:
            if price > watched:
                watched = price
        elif kind != AT_OR_ABOVE and kind != AT_OR_BELOW and price < watched:
            watched = price
        triggers[at + T_PRICE] = watched
        if _is_reached(kind, price, watched, triggers[at + T_OFFSET]):
            triggers[at + T_ACTIVE] = 0
            block[TRIGGERS_ACTIVE] -= 1
            fired[header[FIRED_COUNT]] = number
            header[FIRED_COUNT] += 1
