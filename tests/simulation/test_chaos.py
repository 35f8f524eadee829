"""Everything at random over every road, lines dropping, modes changing: what must hold holds at every event.

Checked in each run (``tests.simulation.chaos``): money, holds, order states and the book add up after every event of
the venue; no ended order changes again; a single cancel, amend or edit of a session-bound protocol ends no other
session's order; the rate counter is what the page's table gives, to the last fraction; what is first in, first out by
the profile is delivered so; NautilusTrader takes every event that it is told; an ended order stays ended and each fill
is told once; after all has come to rest the strategy's orders are the venue's.

Road and seed that fail are in the test's name and play the same again, on their own:
``pytest "tests/simulation/test_chaos.py::test_whatever_is_done_everything_adds_up[fix-7]"``. More seeds, by any name of
the range below: ``pytest tests/simulation/test_chaos.py -m slow``.
"""

from __future__ import annotations

import functools
from collections import Counter

import pytest

from tests.simulation.chaos import ROADS, play


@functools.cache
def _counts(road: str, seed: int) -> Counter[str]:
    """Play, and count rows of the event log: commands by name and by outcome, all else by name."""
    counts: Counter[str] = Counter()
    for row in play(road, seed).backtest.events().select(["name", "outcome"]).to_pylist():
        counts[row["name"]] += 1
        counts[str(row["outcome"])] += 1
    return counts


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("road", ROADS)
def test_whatever_is_done_everything_adds_up(road: str, seed: int) -> None:
    assert _counts(road, seed)["AddOrder"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1_000, 1_010))
@pytest.mark.parametrize("road", ROADS)
def test_whatever_is_done_everything_adds_up_over_many_seeds(road: str, seed: int) -> None:
    play(road, seed)


@pytest.mark.parametrize("road", ROADS)
def test_these_runs_meet_all_that_they_are_meant_to_meet(road: str) -> None:
    """Fills, refusals, lost commands, unknown outcomes, drops, modes, and every kind of command, over the seeds."""
    counts: Counter[str] = Counter()
    for seed in range(12):
        counts += _counts(road, seed)
    wanted = {"accepted", "rejected", "lost", "OutcomeUnknown", "OutcomeResolved", "LineDropped", "ModeChanged"}
    wanted |= {"AddOrder", "AmendOrder", "CancelOrder", "QueryOrders", "CancelAllAfter", "OrderReachChanged"}
    wanted |= {"MassCancel"} if road.startswith("fix") else {"EditOrder", "CancelAll"}
    assert wanted - set(counts) == set()
    assert counts["TRADE"] > 100
