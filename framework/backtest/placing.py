"""Where results go: written beside their place and moved there, so that nothing half-written is taken for a result.

A run's folder is that run's own, and so is a comparison's; a folder with anything else in it is never written into.
What a result replaces is its former files only: what a user has put beside them stays.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from framework.backtest.results import LIVING_FILES, MARKET_FOLDER, RUN_FILES
from framework.backtest.run_folder import is_run_folder
from framework.errors import OutputError

__all__ = [
    "check_comparison_place",
    "check_run_place",
    "discard_partial",
    "replacing_comparison",
    "replacing_run",
    "writing",
]

_FINISHED = "comparison.json"
# Says of a folder that a comparison's runs are in it and that they are not all.
_UNFINISHED = "comparison.unfinished"
_COMPARISON_FILES = (_FINISHED, "comparison.txt", "report.html")


def check_run_place(out: Path) -> None:
    """Raise OutputError unless a run can be written to ``out``: nothing there, an empty folder, or a former run."""
    names = _names(out)
    if names and not is_run_folder(out) and not names <= {*RUN_FILES, *LIVING_FILES, MARKET_FOLDER}:
        raise OutputError(f"{out}: holds other things than a run ({_some(names)}); name a new folder")
    with writing(out):
        discard_partial(out)
        _partial(out).mkdir(parents=True)
        _partial(out).rmdir()


def check_comparison_place(out: Path) -> None:
    """Raise OutputError unless a comparison may be written to ``out``: nothing there, an empty folder, or a former
    comparison, finished or not.
    """
    names = _names(out)
    if is_run_folder(out):
        raise OutputError(f"{out}: holds one run, not a comparison; name a new folder")
    if names and not names & {_FINISHED, _UNFINISHED}:
        raise OutputError(f"{out}: holds other things than a comparison ({_some(names)}); name a new folder")


@contextmanager
def replacing_comparison(out: Path) -> Iterator[None]:
    """Removes a former comparison from ``out``, and marks the folder as unfinished until the block ends without error.

    Raises OutputError where ``out`` may not be written.
    """
    check_comparison_place(out)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        (out / _UNFINISHED).write_text("Not all runs of this comparison are here. Compare again.\n", encoding="utf-8")
        for name in _COMPARISON_FILES:
            (out / name).unlink(missing_ok=True)
        for road in sorted(out.iterdir()):
            if _is_road(road):
                shutil.rmtree(road)
    try:
        yield
    except BaseException:
        _tidy_unfinished(out)
        raise
    with writing(out):
        (out / _UNFINISHED).unlink()


@contextmanager
def replacing_run(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to write a run's files into; they take their places when the block ends without error.

    Raises OutputError where ``out`` may not be written, or if a file cannot be; ``out`` then is as it was.
    """
    check_run_place(out)
    partial = _partial(out)
    with writing(out):
        partial.mkdir()
        try:
            yield partial
            _move(partial, out)
        finally:
            discard_partial(out)


def discard_partial(out: Path) -> None:
    """Remove what a run that was ended from outside has left beside ``out``."""
    shutil.rmtree(_partial(out), ignore_errors=True)


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Raise OutputError in place of the system's errors."""
    try:
        yield
    except OSError as e:
        # Arrow's errors of the system have a text and no strerror.
        reason = e.strerror or str(e).partition(". Detail:")[0]
        raise OutputError(
            f"{e.filename or out}: {reason}; no result is in {out}, see to the disk or name another folder"
        ) from e


def _move(partial: Path, out: Path) -> None:
    if not out.exists():
        partial.rename(out)
        return
    # The inputs go first and come last: a folder without them is no run.
    for name in RUN_FILES:
        (out / name).unlink(missing_ok=True)
    shutil.rmtree(out / MARKET_FOLDER, ignore_errors=True)
    for name in (MARKET_FOLDER, *reversed(RUN_FILES)):
        if (partial / name).exists():
            (partial / name).replace(out / name)


def _partial(out: Path) -> Path:
    place = out.resolve()
    return place.with_name(f".{place.name}.partial")


def _tidy_unfinished(out: Path) -> None:
    """Leave what is done of a comparison, and no empty folder."""
    for road in out.iterdir():
        if _is_road(road):
            for run in road.iterdir():
                if run.name.endswith(".partial"):
                    shutil.rmtree(run, ignore_errors=True)
            _remove_if_empty(road)
    if [path.name for path in out.iterdir()] == [_UNFINISHED]:
        (out / _UNFINISHED).unlink()
        out.rmdir()


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _names(out: Path) -> set[str]:
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file; name a folder for the results")
    with writing(out):
        return {path.name for path in out.iterdir()} if out.is_dir() else set()


def _is_road(path: Path) -> bool:
    """Whether a folder is what a comparison makes for one road: runs in folders named by seed, and nothing else."""
    return path.is_dir() and all(
        run.is_dir()
        and run.name.removeprefix(".").removesuffix(".partial").removeprefix("-").isdecimal()
        and {each.name for each in run.iterdir()} <= set(RUN_FILES)
        for run in path.iterdir()
    )


def _some(names: set[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:3]) + (", ..." if len(listed) > 3 else "")
