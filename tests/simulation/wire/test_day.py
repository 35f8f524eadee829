"""A paper run on the served venue under a schedule of faults ends flat, and of one mind with the venue.

An hour in virtual time; ``make day`` plays a whole one, ``make day HOURS=168`` a week.
"""

from __future__ import annotations

import pytest

from tests.simulation.wire.day import Day


@pytest.mark.parametrize(("road", "seed"), [("fix", 1), pytest.param("ws2", 2, marks=pytest.mark.slow), ("rest+ws", 3)])
def test_an_hour_of_market_making_under_faults_ends_flat_and_reconciled(road: str, seed: int) -> None:
    day = Day(seed, hours=1.0, road=road, faults_per_hour=20)
    day.act(day.act_s)
    day.finish()
    counts = day.world.counts
    assert day.end.node.recorder.fills
    assert counts["line dropped"] + counts["line half open"] >= 3
