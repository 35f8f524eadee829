"""A live run that is killed at any moment loses no order, doubles none, and has its positions right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.killed_runs import play

KILLS = 6


@pytest.mark.slow
def test_no_order_is_lost_and_none_doubled_whenever_a_run_is_killed(tmp_path: Path) -> None:
    """A few here; ``make kills`` plays two hundred."""
    seen = play(tmp_path, KILLS, seed=7)
    assert not seen.failures, seen.text()
    assert seen.kills == KILLS
    # How much a run does before its moment depends on the machine; something must have been there to lose.
    assert seen.orders > 5
    assert seen.fills > 0
