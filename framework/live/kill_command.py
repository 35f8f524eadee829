"""The command ``tidegate kill``: makes or removes the file that a living run looks at."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from framework.commands import CommandEntry
from framework.errors import OutputError

__all__ = ["KILL", "PROVED", "kill_path"]

# How the line begins that says what the venue has said.
PROVED = "nothing is open"
_LOOK_S = 0.05


def kill_path(out: Path) -> Path:
    """The file of a run, by its folder."""
    return out.with_name(f"{out.name}.kill")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the --out of the run")
    parser.add_argument("--release", action="store_true", help="let the run send orders again")
    parser.add_argument(
        "--wait", type=float, default=15.0, metavar="SECONDS", help="how long to wait for the venue's word (default 15)"
    )


def _run(options: argparse.Namespace) -> int:
    path = kill_path(options.folder)
    try:
        if options.release:
            path.unlink(missing_ok=True)
            print(f"{path} is removed: the switch is released")
            return 0
        with path.open("a", encoding="utf-8"):
            pass
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; name the --out of the run, or kill -USR1 it") from None
    until_s = time.monotonic() + options.wait
    while time.monotonic() < until_s:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if lines and lines[-1].startswith(PROVED):
            print(lines[-1])
            return 0
        time.sleep(_LOOK_S)
    last = lines[-1] if lines else "no run has answered: there may be none with this --out"
    print(f"not proved that nothing is open: {last}")
    return 1


KILL = CommandEntry(
    summary="pull the kill switch of a run that lives",
    description="Cancel everything that the account of a living run has open, by every road that reaches, and let the "
    "run send nothing until the switch is released; wait for the venue's word that nothing is open.",
    add_arguments=_add_arguments,
    run=_run,
)
