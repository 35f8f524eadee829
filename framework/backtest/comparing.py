"""A comparison from start to end: runs with a progress bar, table and finding on standard output, files in a folder."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import msgspec
from tqdm import tqdm

from framework.backtest.comparison import Comparison, comparison_table, write_comparison
from framework.backtest.config import RunConfig
from framework.backtest.finding import finding
from framework.backtest.placing import replacing_comparison, writing
from framework.backtest.study import StudyRun, run_study
from framework.errors import ConfigError

__all__ = ["Compared", "compare_roads"]

_WIDTH = 120  # of the finding's lines


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison found: the figures, and the finding in words."""

    comparison: Comparison
    finding: str


def compare_roads(
    config: RunConfig, roads: Sequence[str], seeds: Sequence[int], out: Path, *, workers: int | None = None
) -> Compared:
    """Run a strategy over roads and seeds into ``out``, print the table and the finding, and write both there.

    A former comparison in ``out`` is replaced. If a run fails or the study is interrupted, the runs that were done
    stay, the folder says that it is unfinished, and the error is raised. The progress bar goes to standard error, and
    is left out where that is no terminal.

    Raises ConfigError for roads or seeds that are missing or named twice, OutputError where ``out`` cannot be written.
    """
    _check(roads, seeds)
    done = 0
    with replacing_comparison(out):
        with tqdm(total=len(roads) * len(seeds), unit="run", file=sys.stderr, disable=None, leave=False) as bar:

            def on_done(run: StudyRun) -> None:
                nonlocal done
                done += 1
                bar.set_postfix_str(f"{run.road} seed {run.seed}")
                bar.update()

            try:
                runs = run_study(config, roads, seeds, out, workers=workers, on_done=on_done)
            except BaseException as e:
                if done:
                    e.add_note(f"{done} of {len(roads) * len(seeds)} runs were done and are in {out}; no comparison")
                raise
        with writing(out):
            comparison = write_comparison(out, [run.folder for run in runs])
            words = finding(comparison)
            text = f"{comparison_table(comparison)}\n{textwrap.fill(words, _WIDTH)}\n"
            (out / "comparison.txt").write_text(text, encoding="utf-8")
    print(text)
    return Compared(comparison=comparison, finding=words)


def _check(roads: Sequence[str], seeds: Sequence[int]) -> None:
    for what, values in (("road", roads), ("seed", seeds)):
        if not values:
            raise ConfigError(f"there is no {what} to compare; name one at least")
        if len(set(values)) < len(values):
            raise ConfigError(f"a {what} is named twice ({', '.join(map(str, values))}); name each once")
