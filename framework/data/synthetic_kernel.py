"""The events of the synthetic market, one after the other, compiled. What is modelled and why: ``synthetic.py``.

The kernel can stop between any two events and go on later: everything that it knows is in the book, the streams and
the state array. Prices are indices into the book's window until they are written to a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from framework.data.columns import ADD, CLEAR, COLUMN_TYPES, DELETE, EXECUTED, LAST, MODIFY, SNAPSHOT, TRADE
from framework.data.synthetic_book import WINDOW, Book, join, leave, renumber, reschedule, resting, resting_on
from framework.data.synthetic_compiled import constant, inner, outer
from framework.data.synthetic_random import ONE_EXP, Streams, below, decayed, exponential, from_quantiles
from framework.protocol import BUY, SELL

__all__ = [
    "NEVER",
    "ROW_TYPE",
    "STATE_COUNT",
    "STREAM_COUNT",
    "Model",
    "Rows",
    "advance",
    "open_market",
    "restate",
]

# The state: what the kernel knows beside the book, as an int64 array with these elements.
State = npt.NDArray[np.int64]
ORIGIN, NOW, FAIR, HEAT, HEAT_TS, REGIME, REGIME_TS, JUMP_TS, JUMP, LEAD_TS, SNIPE_TS, SNIPE_SIDE = range(12)
TAKER_SIDE, LAST_ID, ROW = 12, 13, 14
STATE_COUNT = 15

# Streams of chance, one for each use.
_ARRIVAL, _REGIME, _JUMP, _LEAD, _SNIPE, _SIDE, _DISTANCE, _SIZE, _LIFE, _SETTER, _TAKER, _REACTION, _TRIM = (
    constant(stream) for stream in range(13)
)
STREAM_COUNT = 13

# Distance bands of limit orders: at the touch, 1 to 100 ticks behind it, 101 to 400, 401 to 800, deeper.
TOUCH, NEAR, MIDDLE, FAR, DEEP = (constant(band) for band in range(5))

_ZERO, _TWO, _NINE = constant(0), constant(2), constant(9)
_ADD, _CLEAR, _DELETE, _MODIFY, _TRADE = (constant(kind) for kind in (ADD, CLEAR, DELETE, MODIFY, TRADE))
_EXECUTED, _LAST, _SNAPSHOT = (constant(flag) for flag in (EXECUTED, LAST, SNAPSHOT))
_BUY, _SELL = constant(BUY), constant(SELL)
NEVER = 2**62
_HEAT_MAX_MHZ = 1 << 30
_FILLS_MAX_PER_TAKER = 400
ROWS_MAX_PER_EVENT = 2 * _FILLS_MAX_PER_TAKER
# A side is never emptied below this many orders, by takers or withdrawals.
_ORDERS_MIN_PER_SIDE = 5
# The fair price is turned back this far from the ends of the window.
_MARGIN_TICKS = 40_000
_PER_MILLE = constant(1000)
# A wide spread makes setters at most this many times as frequent as a narrow one.
_PULL_MAX = constant(8)


# One record of ``synthetic_parameters.MODEL_TYPE``.
Model = Any


# One row as the kernel writes it; split into columns afterwards.
ROW_TYPE = np.dtype([(name, COLUMN_TYPES[name]) for name in COLUMN_TYPES if name != "ts_recv_ns"], align=True)
Rows = npt.NDArray[np.void]


@outer
def open_market(b: Book, m: Model, random: Streams, s: State, rows: Rows, orders_per_side: int) -> None:
    """Places the deep orders that the market starts from around the fair price, and starts the clocks."""
    for number in range(2 * orders_per_side):
        _place_limit(b, m, random, s, rows, number & 1, DEEP, _ZERO)
    s[REGIME_TS] = s[NOW] + _scaled(random, _REGIME, m.regime_hold_ns[s[REGIME]])
    _plan_jump(m, random, s)
    s[SNIPE_TS] = NEVER


@outer
def restate(b: Book, s: State, rows: Rows) -> None:
    """Writes CLEAR and the whole book as a snapshot, orders numbered 1, 2, 3, ... bids first, best price first."""
    _write(s, rows, _CLEAR, _ZERO, _ZERO, _ZERO, _ZERO, _SNAPSHOT)
    rows[0].price_ticks = 0
    s[LAST_ID] = 0
    for side in (_BUY, _SELL):
        price = b.tops[side]
        step = -1 if side == BUY else 1
        while 0 <= price < WINDOW:
            slot = b.ends[side, price, 0]
            while slot >= 0:
                s[LAST_ID] += 1
                b.orders[slot].order_id = s[LAST_ID]
                _write(s, rows, _ADD, side, price, b.orders[slot].qty, s[LAST_ID], _SNAPSHOT)
                slot = b.orders[slot].after
            price += step
    rows[s[ROW] - 1].flags |= LAST
    renumber(b)


@outer
def advance(b: Book, m: Model, random: Streams, s: State, rows: Rows, until_ns: int, rows_wanted: int) -> bool:
    """Makes events until ``until_ns`` (excluded) or ``rows_wanted`` rows; returns whether ``until_ns`` was reached.

    Stops early, with False, when the arrays might not hold another event.
    """
    capacity = len(rows) - ROWS_MAX_PER_EVENT
    while s[ROW] < min(rows_wanted, capacity):
        due_ns = min(s[REGIME_TS], s[JUMP_TS], s[LEAD_TS], s[SNIPE_TS], b.orders[b.orders[0].heap].due_ns)
        speed = m.regime_speed_per_mille[s[REGIME]]
        rate_mhz = _rate_mhz(b, m, s, speed)
        arrival_ns = s[NOW] + ((exponential(random, _ARRIVAL) * 10**9 // rate_mhz) * 1000 // ONE_EXP)
        if min(arrival_ns, due_ns) >= until_ns:
            s[NOW] = until_ns
            _cool(m, s)
            return True
        if arrival_ns < due_ns:
            s[NOW] = arrival_ns
            _cool(m, s)
            _arrive(b, m, random, s, rows, speed, below(random, _ARRIVAL, rate_mhz))
            continue
        s[NOW] = due_ns
        _cool(m, s)
        if due_ns == s[JUMP_TS]:
            _jump(b, m, random, s)
        elif due_ns == s[SNIPE_TS]:
            s[SNIPE_TS] = NEVER
            limit = s[FAIR] if s[SNIPE_SIDE] == BUY else s[FAIR] + 1
            _take(b, m, s, rows, s[SNIPE_SIDE], from_quantiles(random, _SNIPE, m.informed_size_lots), limit)
        elif due_ns == s[LEAD_TS]:
            s[LEAD_TS] = NEVER
            side = _BUY if s[JUMP] > 0 else _SELL
            limit = s[FAIR] + s[JUMP] + side
            _take(b, m, s, rows, side, from_quantiles(random, _LEAD, m.informed_size_lots), limit)
        elif due_ns == s[REGIME_TS]:
            _change_regime(m, random, s)
        else:
            _withdraw(b, m, random, s, rows, b.orders[0].heap)
    return False


@inner
def _rate_mhz(b: Book, m: Model, s: State, speed: int) -> int:
    rate_mhz = m.limit_rate_mhz + m.taker_rate_mhz + m.trim_rate_mhz
    rate_mhz += _setter_rate_mhz(b, m, s, _BUY) + _setter_rate_mhz(b, m, s, _SELL)
    return int(rate_mhz * speed // _PER_MILLE + s[HEAT])


@inner
def _room_ticks(b: Book, s: State, side: int) -> int:
    """How much better the best price of a side could be without crossing the other side or the fair price."""
    if side == BUY:
        return int(min(s[FAIR], b.tops[SELL] - 1) - b.tops[BUY])
    return int(b.tops[SELL] - max(s[FAIR] + 1, b.tops[BUY] + 1))


@inner
def _setter_rate_mhz(b: Book, m: Model, s: State, side: int) -> int:
    """The more room there is for a better price, the sooner somebody sets one."""
    room = _room_ticks(b, s, side)
    if room <= 0:
        return 0
    pull_ticks = min(m.setter_pull_ticks + room, _PULL_MAX * m.setter_pull_ticks)
    return int(m.setter_rate_mhz * pull_ticks // m.setter_pull_ticks)


@inner
def _cool(m: Model, s: State) -> None:
    s[HEAT] = decayed(s[HEAT], s[NOW] - s[HEAT_TS], m.excite_half_life_ns)
    s[HEAT_TS] = s[NOW]


@inner
def _heat(s: State, more_mhz: int) -> None:
    s[HEAT] = min(s[HEAT] + more_mhz, _HEAT_MAX_MHZ)


@inner
def _scaled(random: Streams, stream: int, mean: int) -> int:
    return (exponential(random, stream) * (mean >> 8) // ONE_EXP) << 8


@inner
def _arrive(b: Book, m: Model, random: Streams, s: State, rows: Rows, speed: int, mark: int) -> None:
    """An arrival of the self-exciting stream; ``mark`` is uniform below the rate before it cooled, and thins it."""
    if mark < m.taker_rate_mhz * speed // _PER_MILLE:
        if below(random, _SIDE, _PER_MILLE) >= m.taker_same_side_per_mille:
            s[TAKER_SIDE] = BUY + SELL - s[TAKER_SIDE]
        side = s[TAKER_SIDE]
        limit = b.tops[SELL] + m.taker_slip_ticks if side == BUY else b.tops[BUY] - m.taker_slip_ticks
        _take(b, m, s, rows, side, from_quantiles(random, _TAKER, m.taker_size_lots), limit)
        return
    mark -= m.taker_rate_mhz * speed // _PER_MILLE
    if mark < m.trim_rate_mhz * speed // _PER_MILLE:
        _trim(b, m, random, s, rows)
        return
    mark -= m.trim_rate_mhz * speed // _PER_MILLE
    for side in (_BUY, _SELL):
        rate_mhz = _setter_rate_mhz(b, m, s, side) * speed // _PER_MILLE
        if mark < rate_mhz:
            _set_touch(b, m, random, s, rows, side)
            return
        mark -= rate_mhz
    if mark < m.limit_rate_mhz * speed // _PER_MILLE + s[HEAT]:
        weight = below(random, _DISTANCE, m.band_weight_cumulative[DEEP])
        band = TOUCH
        while weight >= m.band_weight_cumulative[band]:
            band += 1
        _place_limit(b, m, random, s, rows, below(random, _SIDE, _TWO), band, _ZERO)
        _heat(s, m.excite_limit_mhz)


@inner
def _set_touch(b: Book, m: Model, random: Streams, s: State, rows: Rows, side: int) -> None:
    """A better price inside the spread: as good as the setter's own edge allows, or anywhere up to that."""
    inside = _room_ticks(b, s, side) - from_quantiles(random, _SETTER, m.setter_edge_ticks)
    if inside <= 0:
        return
    is_full = below(random, _SETTER, _PER_MILLE) < m.setter_full_share_per_mille
    step = inside if is_full else 1 + below(random, _SETTER, inside)
    price = b.tops[BUY] + step if side == BUY else b.tops[SELL] - step
    _rest(b, m, random, s, rows, side, price, _size(m, random, TOUCH), TOUCH)


@inner
def _place_limit(b: Book, m: Model, random: Streams, s: State, rows: Rows, side: int, band: int, qty: int) -> None:
    """A limit order behind its touch (or behind the fair price, if the touch is stale); never crosses."""
    distance = from_quantiles(random, _DISTANCE, m.band_distance_ticks[band])
    if side == BUY:
        anchor = s[FAIR] if b.tops[BUY] < 0 else min(b.tops[BUY], s[FAIR])
        price = min(anchor - distance, b.tops[SELL] - 1)
    else:
        anchor = s[FAIR] + 1 if b.tops[SELL] >= WINDOW else max(b.tops[SELL], s[FAIR] + 1)
        price = max(anchor + distance, b.tops[BUY] + 1)
    _rest(b, m, random, s, rows, side, price, qty if qty > 0 else _size(m, random, band), band)


@inner
def _rest(
    b: Book,
    m: Model,
    random: Streams,
    s: State,
    rows: Rows,
    side: int,
    price: int,
    qty: int,
    band: int,
) -> None:
    due_ns = s[NOW] + from_quantiles(random, _LIFE, m.band_life_ns[band])
    if join(b, s[LAST_ID] + 1, side, price, qty, due_ns) >= 0:
        s[LAST_ID] += 1
        _write(s, rows, _ADD, side, price, qty, s[LAST_ID], _LAST)


@inner
def _size(m: Model, random: Streams, band: int) -> int:
    """A size that recurs in the capture, or a draw from its distribution, rounded for a share of the orders."""
    mark = below(random, _SIZE, _PER_MILLE)
    for atom in range(len(m.atom_lots)):
        if mark < m.atom_share_cumulative_per_mille[atom]:
            return int(m.atom_lots[atom])
    qty = from_quantiles(random, _SIZE, m.band_size_lots[band])
    mark = below(random, _SIZE, _PER_MILLE)
    for step in range(len(m.round_step_lots)):
        if mark < m.round_share_cumulative_per_mille[step]:
            lots = m.round_step_lots[step]
            qty = max(lots, qty // lots * lots)
            break
    return int(max(qty, m.size_min_lots))


@inner
def _take(b: Book, m: Model, s: State, rows: Rows, side: int, qty: int, limit: int) -> None:
    """An order that takes what rests at ``limit`` or better, first in queue first, and leaves nothing behind."""
    passive = BUY + SELL - side
    first_row = s[ROW]
    fills = 0
    while qty > 0 and fills < _FILLS_MAX_PER_TAKER and resting_on(b, passive) > _ORDERS_MIN_PER_SIDE:
        price = b.tops[passive]
        if (side == BUY and price > limit) or (side == SELL and price < limit):
            break
        slot = b.ends[passive, price, 0]
        traded = min(qty, b.orders[slot].qty)
        qty -= traded
        b.orders[slot].qty -= traded
        _write(s, rows, _TRADE, side, price, traded, b.orders[slot].order_id, _ZERO)
        kind = _MODIFY if b.orders[slot].qty > 0 else _DELETE
        _write(s, rows, kind, passive, price, b.orders[slot].qty, b.orders[slot].order_id, _EXECUTED)
        if b.orders[slot].qty == 0:
            leave(b, slot)
        fills += 1
    if s[ROW] > first_row:
        rows[s[ROW] - 1].flags |= LAST
        _heat(s, m.excite_taker_mhz)


@inner
def _withdraw(b: Book, m: Model, random: Streams, s: State, rows: Rows, slot: int) -> None:
    side, qty, replaces = b.orders[slot].side, b.orders[slot].qty, b.orders[slot].replaces
    if resting_on(b, side) <= _ORDERS_MIN_PER_SIDE:
        reschedule(b, slot, s[NOW] + 10**9)
        return
    leave(b, slot)
    _write(s, rows, _DELETE, side, b.orders[slot].price, qty, b.orders[slot].order_id, _LAST)
    if replaces:
        weight = below(random, _DISTANCE, m.band_weight_cumulative[FAR])
        band = TOUCH
        while weight >= m.band_weight_cumulative[band]:
            band += 1
        _place_limit(b, m, random, s, rows, side, band, qty)


@inner
def _trim(b: Book, m: Model, random: Streams, s: State, rows: Rows) -> None:
    """One resting order gives up one to nine tenths of its size and keeps its place."""
    slot = b.orders[below(random, _TRIM, resting(b))].heap
    qty = b.orders[slot].qty * (1 + below(random, _TRIM, _NINE)) // 10
    if qty >= m.size_min_lots:
        b.orders[slot].qty = qty
        _write(s, rows, _MODIFY, b.orders[slot].side, b.orders[slot].price, qty, b.orders[slot].order_id, _LAST)


@inner
def _plan_jump(m: Model, random: Streams, s: State) -> None:
    """Draws the next move of the fair price, and whether somebody trades on it before."""
    speed = m.regime_speed_per_mille[s[REGIME]]
    gap_ns = (exponential(random, _JUMP) * 10**9 // (m.jump_rate_mhz * speed // _PER_MILLE)) * 1000 // ONE_EXP
    size = exponential(random, _JUMP) * m.jump_mean_ticks // ONE_EXP
    s[JUMP] = size if below(random, _JUMP, _TWO) else -size
    s[JUMP_TS] = s[NOW] + gap_ns
    s[LEAD_TS] = NEVER
    if below(random, _LEAD, _PER_MILLE) < m.lead_share_per_mille:
        s[LEAD_TS] = max(s[NOW] + 1, s[JUMP_TS] - 1 - _scaled(random, _LEAD, m.lead_mean_ns))
        if s[LEAD_TS] >= s[JUMP_TS]:
            s[LEAD_TS] = NEVER


@inner
def _jump(b: Book, m: Model, random: Streams, s: State) -> None:
    """The fair price moves; makers of stale quotes race a taker who saw it, and some quotes follow the price."""
    size = s[JUMP]
    if not _MARGIN_TICKS < s[FAIR] + size < WINDOW - _MARGIN_TICKS:
        size = -size
    s[FAIR] += size
    for side in (_BUY, _SELL):
        step = -1 if side == BUY else 1
        price = b.tops[side]
        seen = 0
        while 0 <= price < WINDOW:
            is_stale = price > s[FAIR] if side == BUY else price <= s[FAIR]
            if not is_stale and seen >= m.follow_orders:
                break
            slot = b.ends[side, price, 0]
            while slot >= 0:
                seen += 1
                if is_stale or below(random, _REACTION, _PER_MILLE) < m.follow_share_per_mille:
                    due_ns = s[NOW] + from_quantiles(random, _REACTION, m.reaction_ns)
                    if due_ns < b.orders[slot].due_ns:
                        is_replaced = not is_stale or below(random, _REACTION, _PER_MILLE) < m.replace_share_per_mille
                        b.orders[slot].replaces = 1 if is_replaced else 0
                        reschedule(b, slot, due_ns)
                slot = b.orders[slot].after
            price += step
    if below(random, _SNIPE, _PER_MILLE) < m.snipe_share_per_mille:
        s[SNIPE_SIDE] = BUY if size > 0 else SELL
        s[SNIPE_TS] = s[NOW] + from_quantiles(random, _SNIPE, m.snipe_ns)
    _heat(s, m.excite_jump_mhz)
    _plan_jump(m, random, s)


@inner
def _change_regime(m: Model, random: Streams, s: State) -> None:
    """Quiet and burst are followed by busy; busy by burst for the stated share, else by quiet."""
    if s[REGIME] != 1:
        s[REGIME] = 1
    else:
        s[REGIME] = 2 if below(random, _REGIME, _PER_MILLE) < m.burst_share_per_mille else 0
    s[REGIME_TS] = s[NOW] + 1 + _scaled(random, _REGIME, m.regime_hold_ns[s[REGIME]])


@inner
def _write(s: State, rows: Rows, kind: int, side: int, price: int, qty: int, order_id: int, flags: int) -> None:
    row = s[ROW]
    rows[row].ts_event_ns = s[NOW]
    rows[row].kind = kind
    rows[row].side = side
    rows[row].price_ticks = price + s[ORIGIN]
    rows[row].qty_lots = qty
    rows[row].order_id = order_id
    rows[row].flags = flags
    s[ROW] += 1
