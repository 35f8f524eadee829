"""The command ``tidegate top``: shows how a run stands, again and again, until it is left."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from typing import TYPE_CHECKING

from framework.commands import CommandEntry
from framework.errors import TidegateError

if TYPE_CHECKING:
    from framework.live.health.status import Status
    from framework.live.health.top_screen import Screen
    from framework.live.health.top_source import Source

__all__ = ["TOP"]

# Latencies are those of so long.
_WINDOW_S = 60.0


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 3_600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 3600")
    return value


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        nargs="?",
        default=None,
        metavar="RUN",
        help="the --out of the run, or the host:port of its figures (default: the newest run in runs)",
    )
    parser.add_argument("--once", action="store_true", help="show one frame; the exit code is 0 where the run lives")
    parser.add_argument("--every", type=_seconds, default=1.0, metavar="SECONDS", help="between two frames (default 1)")


def _run(options: argparse.Namespace) -> int:
    from framework.live.health.top_frame import frame
    from framework.live.health.top_screen import PlainScreen, choose_screen
    from framework.live.health.top_source import choose_source

    source = choose_source(options.target)
    first = source.read()  # before the screen is touched: what is wrong is said in a line
    if options.once:
        screen = PlainScreen(sys.stdout)
        screen.draw(frame(first.status, width=screen.width, height=None, trouble=first.trouble))
        return 0 if first.trouble is None else 1
    with choose_screen(sys.stdout) as chosen, contextlib.suppress(KeyboardInterrupt):
        return _watch(source, chosen, options.every)
    return 0


def _watch(source: Source, screen: Screen, every_s: float) -> int:
    """Show frames until the user, or in a pipe the run, has ended."""
    from framework.live.health.top_frame import frame

    kept: list[tuple[float, Status]] = []
    while True:
        try:
            status, trouble = source.read()
        except TidegateError as error:
            if not kept:
                raise
            status, trouble = kept[-1][1], str(error)
        now_s = time.monotonic()
        kept = [each for each in kept if each[0] > now_s - _WINDOW_S and each[1].began_ns == status.began_ns]
        before = kept[0][1] if kept else None
        screen.draw(frame(status, width=screen.width, height=screen.height, before=before, trouble=trouble))
        kept.append((now_s, status))
        if screen.height is None and trouble is not None:
            return 1
        if not screen.wait(every_s):
            return 0


TOP = CommandEntry(
    summary="show how a run stands: roads, latencies, orders, budgets, P&L",
    description="Show how a paper or live run stands, over and over, until q or Ctrl-C. Latencies are those of the "
    "last minute; with --once, of the whole run.",
    add_arguments=_add_arguments,
    run=_run,
)
