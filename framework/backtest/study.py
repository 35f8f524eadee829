"""Running one strategy over several roads and seeds, each in a folder of its own.

All roads of a seed see the same market, so that they can be compared pair by pair; a recorded market is the same for
every seed, and only the roads' chances differ. Runs are independent, so they are spread over processes; what comes out
does not depend on how many.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import msgspec

from framework.backtest.config import RunConfig
from framework.backtest.placing import discard_partial
from framework.backtest.runner import run_backtest
from framework.errors import SimulationError

__all__ = ["StudyRun", "run_study", "study_config"]


class StudyRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a study: the road's name, the seed, and where its folder is."""

    road: str
    seed: int
    folder: Path


def run_study(
    config: RunConfig,
    roads: Sequence[str],
    seeds: Sequence[int],
    out: Path,
    *,
    workers: int | None = None,
    on_done: Callable[[StudyRun], None] | None = None,
) -> list[StudyRun]:
    """Run every road with every seed into ``out/<road>/<seed>``; returns the runs, roads outermost.

    workers: processes; None for one for each processor. on_done: called as each run ends, in any order.
    The first error of a run ends the study and is raised; processes that still run are ended, and what they had not
    finished is not there. Raises SimulationError where the system ends a process.
    """
    runs = [StudyRun(road=road, seed=seed, folder=out / road / str(seed)) for road in roads for seed in seeds]
    count = min(workers or os.cpu_count() or 1, len(runs))
    if count == 1:
        for run in runs:
            _run_one(config, run)
            if on_done is not None:
                on_done(run)
        return runs
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=count, mp_context=context) as pool:
        with _interrupts_ignored():
            futures: dict[Future[None], StudyRun] = {pool.submit(_run_one, config, run): run for run in runs}
        try:
            for future in as_completed(futures):
                future.result()
                if on_done is not None:
                    on_done(futures[future])
        except BaseException as e:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
                process.join()
            for run in runs:
                discard_partial(run.folder)
            if isinstance(e, BrokenProcessPool):
                raise SimulationError(
                    "a process of the study was ended by the system, for lack of memory perhaps; use fewer workers"
                ) from e
            raise
    return runs


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes started inside ignore interrupts, which a terminal sends to all of them: the study ends them instead.

    Only a main thread can say so; started from another, they say of an interrupt what Python says.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def study_config(config: RunConfig, road: str, seed: int) -> RunConfig:
    """The configuration of one run of a study: its road, and its seed for the market and for every stream."""
    replace = msgspec.structs.replace
    return replace(
        config,
        run=replace(config.run, seed=seed),
        market=replace(config.market, seed=seed),
        road=replace(config.road, name=road),
    )


def _run_one(config: RunConfig, run: StudyRun) -> None:
    run_backtest(study_config(config, run.road, run.seed), run.folder)
