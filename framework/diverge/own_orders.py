"""The market of a run without the run's own orders, which stand in the books that a venue tells.

A replay puts its own orders into the book. Those of the run would stand before them, and would be filled in their
stead. Trades stay: what hit the run's order hits that of the replay, where it has one.

Own orders are known by the venue's word: from when it made them, through their fills and amends, to their end.
"""

from __future__ import annotations

from bisect import bisect_right

import msgspec
import numpy as np
import pyarrow as pa

from framework.backtest.run_folder import MISSING, ints, of_kind, texts
from framework.data.columns import LEVEL, Columns, Market

__all__ = ["without_own"]

# A book's message and an order's report tell one moment by times that are cut off at a microsecond, or a little apart.
_SOONER_NS = 1_000_000

type _Change = tuple[int, int, int, int]


def without_own(market: Market, events: pa.Table) -> Market:
    """A market by levels without the orders of a run. events: of the run, by the venue's clock.

    The same market is returned where they are not in it: where most rows tell less than stands there of them.
    """
    standing = _standing(events, market.spec.symbol)
    columns = market.columns
    if not standing or market.depth != "L2":
        return market
    qty_lots = columns.qty_lots.copy()
    row_count = seen_count = 0
    for (side, price_ticks), (times, lots) in standing.items():
        is_here = (columns.kind == LEVEL) & (columns.side == side) & (columns.price_ticks == price_ticks)
        for row in np.flatnonzero(is_here & (columns.ts_event_ns >= times[0])).tolist():
            at = bisect_right(times, int(columns.ts_event_ns[row]))
            told_lots, own_lots = int(qty_lots[row]), lots[at - 1]
            row_count += own_lots > 0
            seen_count += 0 < own_lots <= told_lots
            qty_lots[row] = max(0, told_lots - own_lots)
    if 2 * seen_count <= row_count:
        return market
    values = {name: getattr(columns, name) for name in columns.__struct_fields__}
    return msgspec.structs.replace(market, columns=Columns(**(values | {"qty_lots": qty_lots})))


def _standing(events: pa.Table, symbol: str) -> dict[tuple[int, int], tuple[list[int], list[int]]]:
    """By side and price: times, and how many own lots stand there from each of them on."""
    changes: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for ts_ns, side, price_ticks, lots in _changes(events, symbol):
        changes.setdefault((side, price_ticks), []).append((ts_ns - (_SOONER_NS if lots > 0 else 1_000), lots))
    standing = {}
    for place, steps in changes.items():
        steps.sort()
        totals = np.maximum(np.cumsum([lots for _, lots in steps]), 0)
        standing[place] = [ts_ns for ts_ns, _ in steps], totals.tolist()
    return standing


def _changes(events: pa.Table, symbol: str) -> list[_Change]:
    """What own orders did to the book: time, side, price, lots."""
    found: list[_Change] = []
    # By order: side, price, lots that are open.
    open_orders: dict[str, tuple[int, int, int]] = {}
    for ts_ns, name, key, side, price_ticks, lots in _happenings(events, symbol):
        known = open_orders.get(key)
        if name == "AddOrder":
            if known is None and price_ticks != MISSING:
                open_orders[key] = side, price_ticks, lots
                found.append((ts_ns, side, price_ticks, lots))
            continue
        if known is None:
            continue
        side, at_ticks, left = known
        if name == "TRADE":
            gone = min(left, lots)
            found.append((ts_ns, side, at_ticks, -gone))
            open_orders[key] = side, at_ticks, left - gone
        else:
            found.append((ts_ns, side, at_ticks, -left))
            del open_orders[key]
            if name == "AMENDED" and price_ticks != MISSING:
                open_orders[key] = side, price_ticks, lots
                found.append((ts_ns, side, price_ticks, lots))
    return found


def _happenings(events: pa.Table, symbol: str) -> list[tuple[int, str, str, int, int, int]]:
    """Beginnings, fills, amends and ends of own orders, by the venue's time."""
    found = []
    order = {"AddOrder": 0, "AMENDED": 1, "TRADE": 2}
    for kind, moment, lots_name, names in (
        ("command", "ts_arrived_ns", "qty_lots", ("AddOrder",)),
        ("report", "ts_venue_ns", "leaves_lots", ("AMENDED", "CANCELED", "EXPIRED")),
        ("fill", "ts_venue_ns", "qty_lots", ("TRADE",)),
    ):
        table = of_kind(events, kind)
        times, sides, prices, lots = (ints(table, name).tolist() for name in (moment, "side", "price_ticks", lots_name))
        rows = zip(texts(table, "name"), texts(table, "cl_ord_id"), texts(table, "symbol"), strict=True)
        reasons = texts(table, "reject_reason")
        if kind == "command":
            # Those that the venue has not dated arrived half way between their sending and their answer.
            ends = zip(times, ints(table, "ts_sent_ns").tolist(), ints(table, "ts_learned_ns").tolist(), strict=True)
            times = [
                (sent + learned) // 2 if here == MISSING and learned != MISSING else here
                for here, sent, learned in ends
            ]
        for at, (name, key, traded) in enumerate(rows):
            is_refused = kind == "command" and reasons[at] is not None
            if name in names and key is not None and traded == symbol and times[at] != MISSING and not is_refused:
                found.append((times[at], name or "", key, sides[at], prices[at], lots[at]))
    return sorted(found, key=lambda each: (each[0], order.get(each[1], 3)))
