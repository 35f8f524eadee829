"""Fills on this framework's whole stack against NautilusTrader's backtest engine, on the same level 2 rows and orders.

No latency, one protocol; on NautilusTrader's side queue positions and liquidity consumption are on. Where the two have
no reason to differ, random scripts fill equally to the last lot and nanosecond. Each reason to differ has a name, a
smallest example with both results, and a word on who is right. The rules of the two: ``framework.venue.kernel``, and
NautilusTrader's documentation, "Backtesting" ("Order book immutability", "Queue position tracking").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest

from adapters.bitstamp.captures import FORMATS as BITSTAMP
from adapters.bitstamp.captures import import_events
from adapters.kraken.captures_ws1 import WS1_OPTIONS, import_ws1
from framework.data.columns import UNKNOWN_SIDE, Market
from framework.data.synthetic import synthetic_l2
from framework.protocol import BUY, SELL
from tests.captures import require_capture
from tests.conformance.captured import as_at_the_venue, quotes, takers
from tests.conformance.markets import LOTS, START_NS, STEP_NS, Row, books, flow, hand_market, level, trade
from tests.conformance.scripts import (
    Action,
    Done,
    cancel,
    limit,
    market_order,
    play_here,
    play_on_nautilus,
    reduce,
)

pytestmark = pytest.mark.filterwarnings("ignore:Timestamp.utcnow")  # of NautilusTrader, with pandas 3

# The beginning of every example: five units at each of two prices a side, then a row that concerns nobody.
_BOOK = [level(BUY, 998, 5), level(BUY, 999, 5), level(SELL, 1001, 5), level(SELL, 1002, 5)]
_TICK = [level(BUY, 900, 1)]

type Brief = tuple[int, float, int, float]
"""Order, seconds after the start, price in ticks, units."""


def _at(seconds: float) -> int:
    return START_NS + round(seconds * STEP_NS)


def _brief(fills: Sequence[Done]) -> list[Brief]:
    return [(f.key, (f.at_ns - START_NS) / STEP_NS, f.price_ticks, f.qty_lots / LOTS) for f in fills]


class Difference(NamedTuple):
    """messages: one a second, from second 0. here, there: the fills of this framework and of NautilusTrader."""

    name: str
    messages: list[list[Row]]
    script: list[Action]
    here: list[Brief]
    there: list[Brief]
    has_trades: bool = True


DIFFERENCES = [
    # A trade of 7 finds 5 ahead, so it reaches own orders with 2. NautilusTrader takes the 5 off the queue of each own
    # order with the whole trade, and fills 4: more than was traded. Ours is right.
    Difference(
        "a trade counts once for all own orders at a price",
        [_BOOK, _TICK, [trade(SELL, 999, 7), level(BUY, 999, 0)]],
        [limit(_at(1.1), 1, BUY, 999, 2 * LOTS), limit(_at(1.2), 2, BUY, 999, 2 * LOTS)],
        here=[(1, 2.0, 999, 2.0)],
        there=[(1, 2.0, 999, 2.0), (2, 2.0, 999, 2.0)],
    ),
    # The same between prices: what the trade gave the order inside the spread did not pass the queue behind it.
    Difference(
        "a trade counts once for own orders at several prices",
        [_BOOK, _TICK, [trade(SELL, 999, 6), level(BUY, 999, 0)]],
        [limit(_at(1.1), 1, BUY, 1000, 2 * LOTS), limit(_at(1.2), 2, BUY, 999, 2 * LOTS)],
        here=[(1, 2.0, 1000, 2.0)],
        there=[(1, 2.0, 1000, 2.0), (2, 2.0, 999, 1.0)],
    ),
    # The level shrinks from 5 to 1 without a trade: at most 1 can still be ahead. NautilusTrader's queue ignores
    # updates of a level. Ours is right: the least that the book proves.
    Difference(
        "a level that shrinks caps the queue",
        [_BOOK, _TICK, [level(BUY, 999, 1)], [trade(SELL, 999, 3)], _TICK],
        [limit(_at(1.1), 1, BUY, 999, 2 * LOTS)],
        here=[(1, 3.0, 999, 2.0)],
        there=[],
    ),
    # A sale at 998 passed the bid at 999. NautilusTrader fills nobody who has a queue ahead, whatever the price. Ours
    # is right: price goes before time.
    Difference(
        "a trade through an order fills it whatever was ahead",
        [_BOOK, _TICK, [trade(SELL, 998, 3)], _TICK],
        [limit(_at(1.1), 1, BUY, 999, 2 * LOTS)],
        here=[(1, 2.0, 999, 2.0)],
        there=[],
    ),
    # Sellers come to rest at 998, below our bid, in a market that tells no trades. NautilusTrader again waits for the
    # queue. Ours is right: they would have met us first or what was ahead, and either is gone.
    Difference(
        "quantity that crosses an order fills it whatever was ahead",
        [_BOOK, _TICK, [level(SELL, 998, 3)], _TICK],
        [limit(_at(1.1), 1, BUY, 999, 2 * LOTS)],
        here=[(1, 2.0, 999, 2.0)],
        there=[],
        has_trades=False,
    ),
    # We took 3 of 5; then the level is told as 6, one more than it was. That shows one more unit, not six: the market's
    # data does not know of our trade. NautilusTrader forgets what was taken at any change of the level. A matter of
    # assumption; ours is the careful one.
    Difference(
        "what was taken of a level stays taken when the level grows",
        [_BOOK, _TICK, [level(SELL, 1001, 6)], _TICK],
        [market_order(_at(1.1), 1, BUY, 3 * LOTS), market_order(_at(2.1), 2, BUY, 6 * LOTS)],
        here=[(1, 1.1, 1001, 3.0), (2, 2.1, 1001, 3.0), (2, 2.1, 1002, 3.0)],
        there=[(1, 1.1, 1001, 3.0), (2, 2.1, 1001, 6.0)],
    ),
    # We took all 5 at the bid and then join it: nobody is ahead of us. NautilusTrader's queue counts what it knows to
    # be consumed. Ours is right.
    Difference(
        "what was taken of a level is not ahead in its queue",
        [_BOOK, _TICK, _TICK, [trade(SELL, 999, 3)], _TICK],
        [market_order(_at(1.1), 1, SELL, 5 * LOTS), limit(_at(1.2), 2, BUY, 999, 2 * LOTS)],
        here=[(1, 1.1, 999, 5.0), (2, 3.0, 999, 2.0)],
        there=[(1, 1.1, 999, 5.0)],
    ),
    # Our market buy would go on into our own sell at 1001: the venue's self-trade prevention cancels what is left of
    # it. NautilusTrader's venue has none, and does not see that own order.
    Difference(
        "an order that meets one of its own account stops",
        [_BOOK, _TICK, _TICK, _TICK],
        [limit(_at(1.1), 1, SELL, 1001, 2 * LOTS), market_order(_at(2.1), 2, BUY, 7 * LOTS)],
        here=[(2, 2.1, 1001, 5.0)],
        there=[(2, 2.1, 1001, 5.0), (2, 2.1, 1002, 2.0)],
    ),
    # Three come to our price and are gone within one message. For us each row happened; NautilusTrader looks at the
    # book once the message is through. A matter of assumption.
    Difference(
        "each row of a message happens",
        [_BOOK, _TICK, [level(SELL, 1000, 3), level(SELL, 1000, 0)], _TICK],
        [limit(_at(1.1), 1, BUY, 1000, 2 * LOTS)],
        here=[(1, 2.0, 1000, 2.0)],
        there=[],
    ),
    # A trade in the very middle whose aggressor is not told: for us it hit neither side, for NautilusTrader both.
    Difference(
        "a trade of unknown aggressor in the middle hits nobody",
        [_BOOK, _TICK, [trade(UNKNOWN_SIDE, 1000, 4)], _TICK],
        [limit(_at(1.1), 1, BUY, 1000, 2 * LOTS)],
        here=[],
        there=[(1, 2.0, 1000, 2.0)],
    ),
    # Amended from 3 to 2, an order keeps its place before the 4 that joined after it, where the venue says so.
    # NautilusTrader puts every amended order at the back.
    Difference(
        "an order amended down keeps its place",
        [_BOOK, _TICK, [level(BUY, 999, 9)], _TICK, [trade(SELL, 999, 7)], _TICK],
        [limit(_at(1.1), 1, BUY, 999, 3 * LOTS), reduce(_at(2.1), 1, 2 * LOTS)],
        here=[(1, 4.0, 999, 2.0)],
        there=[],
    ),
]


@pytest.mark.parametrize("case", DIFFERENCES, ids=lambda case: case.name)
def test_each_named_difference_to_nautilus_is_what_it_is_said_to_be(case: Difference) -> None:
    market = hand_market(case.messages, has_trades=case.has_trades)
    assert _brief(play_here(market, case.script)) == case.here
    assert _brief(play_on_nautilus(market, case.script)) == case.there
    assert case.here != case.there


AGREED: list[tuple[str, list[list[Row]], list[Action], list[Brief]]] = [
    (
        "a market order walks the levels and what finds nothing is canceled",
        [_BOOK, _TICK, _TICK],
        [market_order(_at(1.1), 1, BUY, 12 * LOTS)],
        [(1, 1.1, 1001, 5.0), (1, 1.1, 1002, 5.0)],
    ),
    (
        "a marketable limit order takes up to its price and rests",
        [_BOOK, _TICK, [level(SELL, 1002, 5), level(SELL, 1001, 0)], [level(SELL, 1001, 4)], _TICK],
        [limit(_at(1.1), 1, BUY, 1001, 8 * LOTS)],
        [(1, 1.1, 1001, 5.0), (1, 3.0, 1001, 3.0)],
    ),
    (
        "a trade at an order's price fills it with what is left behind the queue",
        [_BOOK, _TICK, [trade(SELL, 999, 4)], [trade(SELL, 999, 2)], [trade(SELL, 999, 2)]],
        [limit(_at(1.1), 1, BUY, 999, 2 * LOTS)],
        [(1, 3.0, 999, 1.0), (1, 4.0, 999, 1.0)],
    ),
    (
        "an order inside the spread is filled by a trade behind it, at its own price",
        [_BOOK, _TICK, [trade(SELL, 998, 3)], _TICK],
        [limit(_at(1.1), 1, BUY, 1000, 5 * LOTS)],
        [(1, 2.0, 1000, 3.0)],
    ),
    (
        "a level that goes away leaves nothing ahead",
        [_BOOK, _TICK, [level(BUY, 999, 0)], [trade(SELL, 999, 1)]],
        [limit(_at(1.1), 1, BUY, 999, 2 * LOTS)],
        [(1, 3.0, 999, 1.0)],
    ),
    (
        "a post-only order that would take is refused",
        [_BOOK, _TICK, [trade(SELL, 1000, 9)], _TICK],
        [limit(_at(1.1), 1, BUY, 1001, 2 * LOTS, is_post_only=True)],
        [],
    ),
    (
        "an order is filled no more after its cancel",
        [_BOOK, _TICK, [trade(SELL, 999, 6)], [trade(SELL, 999, 9)]],
        [limit(_at(1.1), 1, BUY, 999, 2 * LOTS), cancel(_at(2.1), 1)],
        [(1, 2.0, 999, 1.0)],
    ),
    (
        "what a trade executed is not there any more, though its level's row comes later",
        [_BOOK, _TICK, [trade(BUY, 1001, 4)], [level(SELL, 1001, 1)], _TICK],
        [limit(_at(1.1), 1, BUY, 990, 2 * LOTS), market_order(_at(2.1), 2, BUY, 3 * LOTS)],
        [(2, 2.1, 1001, 1.0), (2, 2.1, 1002, 2.0)],
    ),
    (
        "two takers do not get the same quantity",
        [_BOOK, _TICK, _TICK],
        [market_order(_at(1.1), 1, SELL, 3 * LOTS), market_order(_at(1.2), 2, SELL, 3 * LOTS)],
        [(1, 1.1, 999, 3.0), (2, 1.2, 999, 2.0), (2, 1.2, 998, 1.0)],
    ),
]


@pytest.mark.parametrize(("name", "messages", "script", "fills"), AGREED, ids=[case[0] for case in AGREED])
def test_both_fill_by_hand_worked_examples(
    name: str, messages: list[list[Row]], script: list[Action], fills: list[Brief]
) -> None:
    market = hand_market(messages)
    assert _brief(play_here(market, script)) == fills
    assert _brief(play_on_nautilus(market, script)) == fills


# ----------------------------------------------------------------------------------------------------- random scripts

_BOOKS, _MESSAGES = 20, 400


def _takers(seed: int) -> list[Action]:
    """One to four orders that take from each book: market orders, and limits that take what they get."""
    rng = np.random.default_rng([seed, 1])
    script: list[Action] = []
    for book in range(_BOOKS):
        for _ in range(int(rng.integers(1, 5))):
            key = len(script) + 1
            at = START_NS + book * 10 * STEP_NS + int(rng.integers(1, 9 * STEP_NS))
            side, qty = int(rng.integers(0, 2)), int(rng.integers(5_000, 9 * LOTS))
            kind = rng.random()
            if kind < 0.4:
                script.append(market_order(at, key, side, qty))
                continue
            script.append(limit(at, key, side, int(rng.integers(1_000, 1_030)), qty, is_ioc=bool(kind < 0.7)))
            if kind >= 0.7:
                script.append(cancel(at + 1, key))
    return sorted(script, key=lambda action: action.at_ns)


def _makers(seed: int) -> list[Action]:
    """Resting orders, one at a time on each side: a trade that two of them share is one of the named differences."""
    rng = np.random.default_rng([seed, 2])
    script: list[Action] = []
    for side in (BUY, SELL):
        at = START_NS + STEP_NS
        while at < START_NS + (_MESSAGES - 60) * STEP_NS:
            key = 2 * len(script) + side
            price = int(rng.integers(992, 1_000) if side == BUY else rng.integers(1_001, 1_009))
            at += int(rng.integers(1, 5 * STEP_NS))
            qty = int(rng.integers(5_000, 8 * LOTS))
            script.append(limit(at, key, side, price, qty, is_post_only=bool(rng.random() < 0.7)))
            at += int(rng.integers(1, 50 * STEP_NS))
            script.append(cancel(at, key))
    return sorted(script, key=lambda action: action.at_ns)


def _compare(market: Market, script: list[Action]) -> list[Done]:
    here = play_here(market, script)
    assert here == play_on_nautilus(market, script)
    return here


@pytest.mark.parametrize("seed", range(30))
def test_random_takers_fill_as_on_nautilus(seed: int) -> None:
    fills = _compare(books(seed, _BOOKS), _takers(seed))
    assert len(fills) > 20
    # Some orders walked several levels.
    assert len({(fill.key, fill.at_ns) for fill in fills}) < len(fills)


@pytest.mark.parametrize("seed", range(30))
def test_random_makers_fill_as_on_nautilus(seed: int) -> None:
    fills = _compare(flow(seed, _MESSAGES), _makers(seed))
    assert any(fill.is_maker for fill in fills)


# ------------------------------------------------------------------------------------------------- recorded markets


def test_market_orders_fill_as_on_nautilus_in_recorded_kraken_books() -> None:
    source = require_capture("kraken-spot-ws1-2021-04")
    imported = import_ws1(source, {option.name: option.default for option in WS1_OPTIONS})
    levels = []
    for each in imported:
        market = as_at_the_venue(each.market)
        levels += [len(_compare(market, [order])) for order in takers(market, 1, 4)]
    assert len(imported) == 7
    assert min(levels) >= 1
    assert max(levels) >= 3


# An order of ours that was crossed took part of a level, and a later one of ours joined that level: "what was taken of
# a level is not ahead in its queue". So the later one is hit by what NautilusTrader takes to be the last of the queue.
_JOINED_WHAT_WAS_TAKEN = {1: {969}, 2: {540}}


@pytest.mark.parametrize("seed", [1, 2])
def test_small_quotes_fill_as_on_nautilus_in_a_recorded_market_with_trades(seed: int) -> None:
    source = require_capture("bitstamp-l3-2015-05-01")
    (imported,) = import_events(source, {option.name: option.default for option in BITSTAMP["bitstamp-l3"].options})
    market = as_at_the_venue(synthetic_l2(imported.market))
    script = quotes(market, seed, 10_000, 60, 400)
    here, there = play_here(market, script), play_on_nautilus(market, script)
    assert len(here) > 40
    assert {fill.key for fill in set(here) ^ set(there)} == _JOINED_WHAT_WAS_TAKEN[seed]
