"""Play seeds, from the command line or from a test.

``python -m tests.simulation.wire.play --seeds 100 --first-seed 1``: plays them, tells how many a second, and for the
first that fails its last events and how to play it again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, deque
from collections.abc import Callable

import msgspec

from framework.errors import SimulationError
from tests.simulation.wire.broken import BrokenError
from tests.simulation.wire.faults import Faults
from tests.simulation.wire.network import SECOND
from tests.simulation.wire.trader import Trader
from tests.simulation.wire.watch import Watch
from tests.simulation.wire.world import ACT_S, PATIENCE_S, REST_S, Setting, World

__all__ = ["FailedError", "Outcome", "play"]


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
        while world.is_desk_curious and world.now_s < ACT_S + PATIENCE_S:
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


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--go-on", action="store_true", help="play all, and tell the failures by name at the end")
    parser.add_argument("--all-events", action="store_true", help="tell all events of a failure, not only the last")
    options = parser.parse_args()
    tail_max = None if options.all_events else 80
    began_s = time.monotonic()
    failures: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    events = played = 0
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        played += 1
        try:
            outcome = play(seed, tail_max=tail_max)
        except FailedError as error:
            if not options.go_on:
                print(error, file=sys.stderr)
                return 1
            first_line = str(error).partition("\n")[0]
            print(first_line[:300], file=sys.stderr)
            failures[error.broken] += 1
            continue
        events += outcome.events
        counts.update(outcome.counts)
        if options.seeds == 1:
            print(f"seed {seed}: log {outcome.log_hash}")
    took_s = time.monotonic() - began_s
    print(f"{played} seeds, {events} events, {played / took_s:.1f} seeds a second")
    print(", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    for name, count in failures.most_common():
        print(f"{count} x {name}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
