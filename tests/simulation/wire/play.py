"""Play seeds, from the command line or from a test.

``python -m tests.simulation.wire.play --seeds 100 --first-seed 1``: plays them on all cores, tells how far it is, and
at the end which seeds fail and how to play each again; of one seed alone it tells the last events.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable

import msgspec

from framework.errors import SimulationError
from tests.simulation.wire.broken import BrokenError
from tests.simulation.wire.faults import Faults
from tests.simulation.wire.network import SECOND
from tests.simulation.wire.sweep import Progress, Told, sweep
from tests.simulation.wire.trader import Trader
from tests.simulation.wire.watch import Watch
from tests.simulation.wire.world import ACT_S, PATIENCE_S, POLICIES, REST_S, Setting, World

__all__ = ["FailedError", "Outcome", "play"]

# Progress is told so often.
_SPEAK_S = 10.0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A run that held. counts: what was met in it. log_hash: of all that happened."""

    seed: int
    log_hash: str
    events: int
    counts: dict[str, int]


class FailedError(AssertionError):
    """A seed that does not hold. broken: name of what does not."""

    def __init__(self, seed: int, broken: str, text: str, tail: list[str]) -> None:
        events = "\n".join(tail)
        super().__init__(
            f"seed {seed}: {text}\n{events}\nseed {seed}: {text}\n"
            f"play it again: make simulate SEEDS=1 FIRST_SEED={seed}"
        )
        self.seed = seed
        self.broken = broken


def play(seed: int, prepare: Callable[[World], None] | None = None, tail_max: int | None = 80) -> Outcome:
    """Play one seed; raises FailedError at the first thing that does not hold.

    prepare: is given the world before anything happens in it. tail_max: so many of the last events are told of a
    failure; None for all.
    """
    world = World(seed, Setting.drawn(World.stream(seed, "setting")))
    world.tail = deque(maxlen=tail_max)
    try:
        if prepare is not None:
            prepare(world)
        watch = Watch(world)
        faults = Faults(world)
        trader = Trader(world, watch)
        world.note(str(world.setting))
        world.machine.enter(world.end.begin)
        world.later(world.host.now_ns + ACT_S * SECOND, faults.calm)
        world.run(ACT_S + REST_S)
        while (world.is_desk_curious or world.has_link_down) and world.now_s < ACT_S + PATIENCE_S:
            world.run(REST_S)
        watch.check_rest()  # the desk has asked for what it needed, of its own accord
        world.desk.query()
        world.run(REST_S)
        watch.check_rest()
        watch.check_trading()
        watch.check_rest()
    except BrokenError as error:
        raise FailedError(seed, error.name, str(error), list(world.tail)) from error
    except SimulationError as error:
        raise FailedError(seed, "the venue adds up", str(error), list(world.tail)) from error
    except AssertionError as error:
        raise FailedError(seed, "the venue keeps its rules", str(error), list(world.tail)) from error
    except Exception as error:
        raise FailedError(seed, "nothing is raised", f"{type(error).__name__}: {error}", list(world.tail)) from error
    counts = watch.counts + world.counts + Counter({f"do {name}": count for name, count in trader.done.items()})
    return Outcome(seed=seed, log_hash=world.log_hash, events=world.event_count, counts=dict(counts))


def told(seed: int, tail_max: int | None = 80) -> Told:
    """What came of a seed, as ``sweep`` has it."""
    try:
        outcome = play(seed, tail_max=tail_max)
    except FailedError as error:
        return Told(seed=seed, failure=(error.broken, str(error)))
    return Told(seed=seed, events=outcome.events, counts=outcome.counts)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes; as many as there are cores")
    parser.add_argument("--all-events", action="store_true", help="tell all events of a failure, not only the last")
    options = parser.parse_args()
    if options.seeds == 1:
        return _play_one(options.first_seed, None if options.all_events else 80)
    return _play_many(range(options.first_seed, options.first_seed + options.seeds), max(1, options.jobs))


def _play_one(seed: int, tail_max: int | None) -> int:
    try:
        outcome = play(seed, tail_max=tail_max)
    except FailedError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"seed {seed}: log {outcome.log_hash}")
    _sum_up(outcome.events, Counter(outcome.counts))
    return 0


def _play_many(seeds: range, jobs: int) -> int:
    World(0, Setting(policy=POLICIES["ws2"])).run(1.0)  # compiled code is loaded once, and not by each process
    progress = Progress(len(seeds))
    failures: list[Told] = []
    counts: Counter[str] = Counter()
    events = 0
    spoken_s = time.monotonic()
    for each in sweep(seeds, told, jobs):
        progress.add(each)
        events += each.events
        counts.update(each.counts)
        if each.failure is not None:
            failures.append(each)
            print(_first_line(each), flush=True)
        if time.monotonic() - spoken_s >= _SPEAK_S:
            spoken_s = time.monotonic()
            print(progress, flush=True)
    print(progress)
    _sum_up(events, counts)
    for name, count in Counter(each.failure[0] for each in failures if each.failure is not None).most_common():
        print(f"{count} x {name}")
    for each in sorted(failures, key=lambda each: each.seed):
        print(f"{_first_line(each)}\n    make simulate SEEDS=1 FIRST_SEED={each.seed}")
    return 1 if failures else 0


def _sum_up(events: int, counts: Counter[str]) -> None:
    print(f"{events:,} events: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))


def _first_line(failed: Told) -> str:
    assert failed.failure is not None
    return failed.failure[1].partition("\n")[0][:300]


if __name__ == "__main__":
    sys.exit(main())
