"""A synthetic market, order by order: what a fresh clone trades on where no recording is at hand.

Zero intelligence with stated extensions. Limit orders, their sizes, their lives and market orders arrive at random,
with rates and distributions measured from recordings (``synthetic_parameters.py`` names the source of each number).
On top:

- a fair price moves by symmetric jumps at random times. Nobody sees it, but makers of quotes that a jump has made stale
  withdraw them after a reaction time, some re-quote, some quotes follow the price, and the touch is set anew around it;
- some takers are informed: one may trade against the stale quotes before they are all gone, one may have traded before
  the jump. So a resting order is filled more often when the price is about to go through it: adverse selection comes
  from the mechanism, and is the larger the longer an owner takes to withdraw;
- the other takers know nothing, but tend to stay on one side (split orders);
- arrivals excite arrivals (a Hawkes process with one exponential kernel), and everything has quiet, busy and burst
  times, so that events cluster from milliseconds to a minute and volatility clusters with them.

The fair price has no drift and independent jumps. What can be foreseen of the mid price is what a book that takes part
of a second to follow a jump shows in that time, much less than the cost of taking.

Simplifications: takers leave no rest in the book; no hidden or iceberg orders; nobody reacts to what a strategy does;
the venue's clock is exact (``ts_recv_ns`` equals ``ts_event_ns``); orders give up size in place but never move or grow
in place (makers withdraw and place anew, which is how the recorded ones mostly do it). An executed DELETE has quantity
0, a withdrawal what was left. A jump that would take the fair price 91,000 ticks (10 %) from its start
goes the other way; a day's movement is 2.5 %.
"""

from __future__ import annotations

import numpy as np

from framework.data.columns import COLUMN_TYPES, LAST, Columns, Market
from framework.data.synthetic_book import WINDOW, book
from framework.data.synthetic_kernel import (
    FAIR,
    LEAD_TS,
    NEVER,
    NOW,
    ORIGIN,
    REGIME,
    ROW,
    ROW_TYPE,
    SNIPE_TS,
    STATE_COUNT,
    STREAM_COUNT,
    Rows,
    advance,
    open_market,
    restate,
)
from framework.data.synthetic_levels import level_market
from framework.data.synthetic_parameters import DEFAULT, SyntheticParameters, model
from framework.data.synthetic_random import streams

__all__ = ["DEFAULT", "SyntheticParameters", "synthetic_l2", "synthetic_l2_rows", "synthetic_market"]

# Longest market: one day is 22 million rows and 1.1 GB.
_DURATION_S_MAX = 86_400
_ROWS_MAX = 25_000_000
_CHUNK_ROWS = 1 << 18
_UNLIMITED = 2**62


def synthetic_market(seed: int, duration_s: int, parameters: SyntheticParameters = DEFAULT) -> Market:
    """A level 3 market with trades: a snapshot, then ``duration_s`` seconds of events, about 250 rows a second.

    seed: any whole number from 0 up; it determines every bit, on every machine.
    duration_s: 1 to 86,400. The market starts at ``parameters.start_ts_ns`` and ends before that plus this.
    Raises ValueError for a seed or a duration out of range.
    """
    if not 1 <= duration_s <= _DURATION_S_MAX:
        raise ValueError(f"a synthetic market lasts from 1 to {_DURATION_S_MAX} s, not {duration_s}")
    return _generate(seed, parameters.start_ts_ns + duration_s * 10**9, _UNLIMITED, parameters)


def synthetic_l2(market: Market) -> Market:
    """The same market told in LEVEL rows, without order ids; see ``level_market``."""
    return level_market(market)


def synthetic_l2_rows(seed: int, rows: int, parameters: SyntheticParameters = DEFAULT) -> Market:
    """A level 2 market with trades of at most ``rows`` rows, cut at the end of a message (so seldom a few less).

    rows: 10,000 to 25,000,000. Raises ValueError out of that range.
    """
    if not 10_000 <= rows <= _ROWS_MAX:
        raise ValueError(f"a synthetic market has from 10,000 to {_ROWS_MAX:,} rows, not {rows}")
    return synthetic_l2(_generate(seed, _UNLIMITED, rows, parameters))


def _generate(seed: int, until_ns: int, rows_wanted: int, p: SyntheticParameters) -> Market:
    record = model(p)
    random = streams(seed, STREAM_COUNT)
    b = book()
    state = np.zeros(STATE_COUNT, dtype=np.int64)
    state[ORIGIN] = p.start_price_ticks - WINDOW // 2
    state[FAIR] = WINDOW // 2
    state[REGIME] = 1
    state[NOW] = p.start_ts_ns - p.warm_up_s * 10**9
    state[SNIPE_TS] = state[LEAD_TS] = NEVER
    rows: Rows = np.zeros(_CHUNK_ROWS, dtype=ROW_TYPE)
    open_market(b, record, random, state, rows, p.deep_orders_per_side)
    state[ROW] = 0
    while not advance(b, record, random, state, rows, p.start_ts_ns, _UNLIMITED):
        state[ROW] = 0
    state[ROW] = 0
    restate(b, state, rows)
    parts: list[Rows] = []
    made = 0
    is_done = False
    while not is_done:
        is_done = advance(b, record, random, state, rows, until_ns, rows_wanted - made)
        parts.append(rows[: state[ROW]].copy())
        made += int(state[ROW])
        state[ROW] = 0
        is_done = is_done or made >= rows_wanted
    count = made
    if made > rows_wanted:
        ends = np.flatnonzero(parts[-1]["flags"] & LAST) + 1 + made - len(parts[-1])
        count = int(ends[ends <= rows_wanted].max(initial=0))
    whole = {name: np.concatenate([part[name] for part in parts])[:count] for name in ROW_TYPE.names or ()}
    columns = Columns(ts_recv_ns=whole["ts_event_ns"], **whole)
    assert {name: getattr(columns, name).dtype.type for name in COLUMN_TYPES} == COLUMN_TYPES
    return Market(spec=p.spec, columns=columns, depth="L3", has_trades=True)
