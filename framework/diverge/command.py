"""The command ``tidegate diverge``: its options, and what it prints and writes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from framework.commands import CommandEntry
from framework.progress_line import ProgressLine

__all__ = ["DIVERGE"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="RUN", help="folder of a run: paper, live, or a backtest")
    parser.add_argument(
        "--from",
        choices=("backtest", "ideal"),
        default="backtest",
        dest="start",
        help="what the run is held against: its backtest, with all that its configuration assumes (default), or an "
        "ideal one, without latency, fees, limits and losses",
    )
    parser.add_argument(
        "--strategy", type=Path, default=None, metavar="FILE", help="the strategy's file, if it is not where it was"
    )


def _run(options: argparse.Namespace) -> int:
    import json

    import msgspec

    from framework.backtest.placing import writing
    from framework.diverge.ladder import diverge
    from framework.diverge.recorded import RecordedRun
    from framework.diverge.text import divergence_text, reading
    from framework.report import write_report

    run = RecordedRun(options.folder, strategy=options.strategy)
    line = ProgressLine(sys.stderr)
    try:
        found = diverge(run, is_ideal=options.start == "ideal", tell=lambda what: line.show(f"replaying: {what}"))
    finally:
        line.end()
    inputs = run.folder.inputs
    title = f"{inputs.strategy} on {', '.join(inputs.specs)}, {inputs.road_title}"
    print(divergence_text(found, title, inputs.specs))
    file = options.folder / "divergence.json"
    with writing(options.folder):
        values = msgspec.to_builtins(found) | {"reading": reading(found)}
        file.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        page = write_report(options.folder)
    print(f"\n{found.replay_count} replays; it is in {file}, to look at: {page}")
    return 0


DIVERGE = CommandEntry(
    summary="replay a run through the backtest, and say why it came out otherwise",
    description="Play what a paper or live run has recorded through the backtest, and attribute the difference in P&L "
    "and fills to causes: feed, command and response latency, ordering, fees, limits, unknown outcomes, queue.",
    add_arguments=_add_arguments,
    run=_run,
)
