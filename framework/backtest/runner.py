"""Running one configuration in virtual time: from the market's first row to its last, and the run folder written."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from framework.backtest.config import RunConfig
from framework.backtest.faults import check_faults
from framework.backtest.placing import check_run_place
from framework.backtest.simulation import Simulation
from framework.backtest.strategy_file import raise_as_strategy_error
from framework.errors import TidegateError

__all__ = ["Backtest", "run_backtest"]

# So many objects, of those that Python's collector follows, are made before it looks for cycles among them.
_COLLECT_AFTER = 500_000


class Backtest(Simulation):
    """One simulation, built from its configuration; ``run`` lets it happen, ``write`` leaves the run folder."""

    def run(self) -> None:
        """Let the simulation happen, to the market's end."""
        self.begin()
        with _rare_collection():
            self.run_until(self.span_ns[1] + 1)
        self.end()


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Let Python look for reference cycles rarely, and only among what the run makes: a run keeps what it makes, and
    looking through all of it again and again costs a fifth of its time.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 1_000)
    try:
        yield
    finally:
        gc.freeze()  # and back: what the run made is old now, and not looked through at once
        gc.unfreeze()
        gc.set_threshold(*thresholds)


def run_backtest(config: RunConfig, out: Path, **given: Any) -> Path:
    """Run a configuration and write its folder, metrics included; returns the folder.

    Raises ConfigError for a configuration that makes no sense, DataError for a bad store, StrategyError if the
    strategy's own code raises, and OutputError, before the run where it can be known, if ``out`` cannot be written.
    """
    check_run_place(out)
    backtest = Backtest(config, **given)
    check_faults(config.faults, *backtest.span_ns)
    try:
        backtest.run()
    except TidegateError:
        raise
    except Exception as e:
        raise_as_strategy_error(e, backtest.strategy, backtest.scheduler.now_ns)
        raise
    backtest.write(out)
    del backtest
    gc.collect()  # a run is full of reference cycles; the next one of this process shall not pay for its memory
    return out
