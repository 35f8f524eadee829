"""Joins each trade of a recording to the two order reductions that it caused.

A trade is announced after the change or deletion of the order that rested (maker) and of the order that came in
(taker), without naming them. The join takes, on each side, the reduction by the traded quantity within ``WINDOW_NS``
whose price is the trade's, else one whose price is better for the other side, and of equals the nearest in time; the
newer order (higher id) is the taker. Three cases need more than equality:

- An order older than the recording has an unknown quantity before its first event: it fits any trade at its price.
- One change may stand for several trades, or (market buys) for a little more than was traded: it then fits as long as
  enough of it is left.
- A reduction that no trade explains stays what it is: a change or deletion that was not executed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapters.bitstamp.events import Changed, Created, Deleted, Event, Traded
from framework.protocol import BUY, SELL

__all__ = ["WINDOW_NS", "Match", "Reduction", "join_trades", "reductions"]

WINDOW_NS = 1_000_000_000


class Reduction(msgspec.Struct, kw_only=True):
    """An order event that may be an execution.

    qty_lots: by how much the order shrank; None for an order that was never seen before.
    unexplained_lots: what of it no trade has explained yet.
    """

    event: Changed | Deleted
    qty_lots: int | None
    unexplained_lots: int


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A trade with the events of its maker and taker, None where none was found."""

    trade: Traded
    maker: Changed | Deleted | None
    taker: Changed | Deleted | None


def reductions(events: Sequence[Event]) -> list[Reduction]:
    """Every event by which an order shrank, in order.

    A cancellation is none, except of a market order: its last fill is announced as one when its funds are used up.
    """
    walking = _walking_orders(events)
    left: dict[int, int] = {}
    found: list[Reduction] = []
    for event in events:
        if isinstance(event, Created):
            left[event.order] = event.qty_lots
        elif isinstance(event, Changed | Deleted):
            before = left.get(event.order)
            if before is None:
                if isinstance(event, Changed) or event.qty_lots == 0:
                    found.append(Reduction(event=event, qty_lots=None, unexplained_lots=1 << 62))
            elif isinstance(event, Deleted) and event.order in walking and event.qty_lots == before:
                found.append(Reduction(event=event, qty_lots=before, unexplained_lots=before))
            elif before > event.qty_lots:
                shrunk = before - event.qty_lots
                found.append(Reduction(event=event, qty_lots=shrunk, unexplained_lots=shrunk))
            left[event.order] = event.qty_lots
    return found


def _walking_orders(events: Sequence[Event]) -> set[int]:
    """Market orders: their price is changed as they walk the book."""
    prices: dict[int, int] = {}
    walking: set[int] = set()
    for event in events:
        if isinstance(event, Created):
            prices[event.order] = event.price_ticks
        elif isinstance(event, Changed) and prices.get(event.order, event.price_ticks) != event.price_ticks:
            walking.add(event.order)
    return walking


def join_trades(events: Sequence[Event]) -> list[Match]:
    """One match for each trade, in the order of the trades."""
    shrunk = reductions(events)
    sides = [[each for each in shrunk if each.event.side == side] for side in (BUY, SELL)]
    starts = [0, 0]
    matches: list[Match] = []
    for trade in (event for event in events if isinstance(event, Traded)):
        found: list[Changed | Deleted] = []
        oldest_ns = trade.ts_recv_ns - WINDOW_NS
        for side in (BUY, SELL):
            candidates = sides[side]
            while starts[side] < len(candidates) and candidates[starts[side]].event.ts_recv_ns < oldest_ns:
                starts[side] += 1
            best = _nearest(trade, candidates, starts[side])
            if best is not None:
                best.unexplained_lots -= trade.qty_lots
                found.append(best.event)
        matches.append(_match(trade, found))
    return matches


def _nearest(trade: Traded, candidates: Sequence[Reduction], start: int) -> Reduction | None:
    best: Reduction | None = None
    best_rank = (5, 0)
    for index in range(start, len(candidates)):
        each = candidates[index]
        lag_ns = trade.ts_recv_ns - each.event.ts_recv_ns
        if lag_ns < -WINDOW_NS:
            break
        if each.unexplained_lots < trade.qty_lots:
            continue
        fit = _fit(trade, each)
        if fit is None:
            continue
        rank = (fit, abs(lag_ns))
        if rank < best_rank:
            best, best_rank = each, rank
    return best


def _fit(trade: Traded, reduction: Reduction) -> int | None:
    """How well a reduction fits a trade, 0 best; None if it cannot have been caused by it."""
    is_at_price = reduction.event.price_ticks == trade.price_ticks
    is_through = (reduction.event.price_ticks > trade.price_ticks) == (reduction.event.side == BUY)
    if not is_at_price and (not is_through or reduction.qty_lots is None):
        return None
    if reduction.qty_lots is None:
        return 2
    if reduction.unexplained_lots == trade.qty_lots:
        return 0 if is_at_price else 1
    return 3 if is_at_price else 4


def _match(trade: Traded, found: Sequence[Changed | Deleted]) -> Match:
    if len(found) == 2:
        maker, taker = sorted(found, key=lambda event: event.order)
        return Match(trade=trade, maker=maker, taker=taker)
    # One side only: a resting order is hit at its own price.
    if found and found[0].price_ticks == trade.price_ticks:
        return Match(trade=trade, maker=found[0], taker=None)
    return Match(trade=trade, maker=None, taker=found[0] if found else None)
