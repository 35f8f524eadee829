"""Many seeds, on all cores: each batch in a process of its own, so that nothing of one is left over in another.

A batch's process is forked from one that has all code loaded. What does not hold, a process that dies and one that
hangs are told as failures of their seed, and the seeds after it are played all the same.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import NamedTuple

import msgspec

__all__ = ["Progress", "Told", "sweep"]

_BATCH = 50


class Told(msgspec.Struct, frozen=True):
    """What came of a seed. failure: the name of what does not hold and all that is told of it; None if all holds."""

    seed: int
    events: int = 0
    counts: dict[str, int] = {}
    failure: tuple[str, str] | None = None


class Progress:
    """How far a sweep is, in words."""

    def __init__(self, count: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.done = self.failed = 0
        self._count = count
        self._clock = clock
        self._began_s = clock()

    def add(self, told: Told) -> None:
        """One more seed has been played."""
        self.done += 1
        self.failed += told.failure is not None

    @property
    def per_second(self) -> float:
        """Seeds a second, on all cores together."""
        return self.done / max(self._clock() - self._began_s, 1e-9)

    def __str__(self) -> str:
        rate = self.per_second
        left_s = round((self._count - self.done) / rate) if rate else 0
        violations = "1 violation" if self.failed == 1 else f"{self.failed} violations"
        return (
            f"{self.done:,} of {self._count:,} seeds, {violations}, {rate:.1f} seeds a second, "
            f"{left_s // 60} min {left_s % 60:02} s left"
        )


class _Batch(NamedTuple):
    process: BaseProcess
    seeds: deque[int]  # those that nothing has been told of yet; the first is being played
    heard_s: float


def sweep(
    seeds: range, play: Callable[[int], Told], jobs: int, *, batch: int = _BATCH, patience_s: float = 300.0
) -> Iterator[Told]:
    """Play seeds on so many processes; what came of each, as it is told.

    batch: so many in one process. patience_s: a seed that takes longer is a failure.
    """
    context = multiprocessing.get_context("fork")
    gc.collect()
    gc.freeze()  # what is loaded is shared by all processes, and looked through in none
    waiting = deque(deque(seeds[first : first + batch]) for first in range(0, len(seeds), batch))
    batches: dict[Connection, _Batch] = {}
    try:
        while waiting or batches:
            while waiting and len(batches) < jobs:
                mine = waiting.popleft()
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_play_all, args=(tuple(mine), play, theirs), daemon=True)
                process.start()
                theirs.close()
                batches[ours] = _Batch(process, mine, time.monotonic())
            for pipe in connection.wait(list(batches), timeout=1.0):
                assert isinstance(pipe, Connection)
                yield from _heard(pipe, batches, waiting)
            for pipe, held in list(batches.items()):
                if time.monotonic() - held.heard_s > patience_s:
                    held.process.kill()
                    reason = f"seed {held.seeds[0]} is not over after {patience_s:.0f} s"
                    yield _lost(pipe, batches, waiting, "a run comes to its end", reason)
    finally:
        for held in batches.values():
            held.process.kill()
        gc.unfreeze()


def _heard(pipe: Connection, batches: dict[Connection, _Batch], waiting: deque[deque[int]]) -> Iterator[Told]:
    held = batches[pipe]
    try:
        told: Told = msgspec.msgpack.decode(pipe.recv_bytes(), type=Told)
    except EOFError:
        held.process.join()
        if held.seeds:
            reason = f"seed {held.seeds[0]}: its process has ended with {held.process.exitcode}"
            yield _lost(pipe, batches, waiting, "the process lives", reason)
        else:
            del batches[pipe]
            pipe.close()
        return
    held.seeds.popleft()
    batches[pipe] = held._replace(heard_s=time.monotonic())
    yield told


def _lost(
    pipe: Connection, batches: dict[Connection, _Batch], waiting: deque[deque[int]], name: str, reason: str
) -> Told:
    """A process has not come through its seed: the others of its batch are played by another one."""
    held = batches.pop(pipe)
    held.process.join()
    pipe.close()
    seed = held.seeds.popleft()
    if held.seeds:
        waiting.appendleft(held.seeds)
    return Told(seed=seed, failure=(name, reason))


def _play_all(seeds: tuple[int, ...], play: Callable[[int], Told], pipe: Connection) -> None:
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        for seed in seeds:
            pipe.send_bytes(msgspec.msgpack.encode(play(seed)))
