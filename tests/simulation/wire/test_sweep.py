"""Many seeds on several processes: each is told once, whatever becomes of the processes."""

from __future__ import annotations

import os
import time

import pytest

from tests.simulation.wire.sweep import Progress, Told, sweep

# Threads of libraries, which wait; a process that they stop all the same is told as one that never ends.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def swept(seeds: range, play: object) -> dict[int, Told]:
    told = list(sweep(seeds, play, 2, batch=5, patience_s=2.0))  # type: ignore[arg-type]
    by_seed = {each.seed: each for each in told}
    assert len(by_seed) == len(told)
    return by_seed


def test_each_seed_is_played_once_in_processes_of_their_own() -> None:
    told = swept(range(1, 18), lambda seed: Told(seed=seed, events=os.getpid(), counts={"seed": seed}))
    assert told.keys() == set(range(1, 18))
    assert all(each.counts == {"seed": each.seed} for each in told.values())
    assert len({each.events for each in told.values()} - {os.getpid()}) == 4  # 17 seeds by five


def test_a_seed_that_fails_is_told_and_the_others_are_played() -> None:
    told = swept(range(1, 13), lambda seed: Told(seed=seed, failure=("name", "text") if seed == 3 else None))
    assert told.keys() == set(range(1, 13))
    assert [each.seed for each in told.values() if each.failure == ("name", "text")] == [3]


def test_a_seed_that_ends_its_process_is_told_and_the_others_are_played() -> None:
    def play(seed: int) -> Told:
        if seed == 3:
            os._exit(7)
        return Told(seed=seed)

    told = swept(range(1, 13), play)
    assert told.keys() == set(range(1, 13))
    assert [each.failure for each in told.values() if each.failure] == [
        ("the process lives", "seed 3: its process has ended with 7")
    ]


def test_a_seed_that_never_ends_is_told_and_the_others_are_played() -> None:
    def play(seed: int) -> Told:
        if seed == 3:
            time.sleep(600)
        return Told(seed=seed)

    told = swept(range(1, 13), play)
    assert told.keys() == set(range(1, 13))
    assert [each.failure for each in told.values() if each.failure] == [
        ("a run comes to its end", "seed 3 is not over after 2 s")
    ]


def test_progress_tells_how_far_it_is_and_how_long_it_takes() -> None:
    now_s = 100.0
    progress = Progress(1_500, lambda: now_s)
    for seed in range(300):
        progress.add(Told(seed=seed, failure=("name", "text") if seed == 7 else None))
    now_s = 120.0
    assert str(progress) == "300 of 1,500 seeds, 1 violation, 15.0 seeds a second, 1 min 20 s left"
