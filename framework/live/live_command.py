"""The command ``tidegate live``: what it will do is shown, and confirmed once, before any order is sent."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from framework.commands import CommandEntry
from framework.live.health.section import add_health_arguments

__all__ = ["LIVE"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG.toml", help="strategy, venue, road, limits, [live]")
    parser.add_argument("--yes", action="store_true", help="begin without asking")
    parser.add_argument(
        "--out", type=Path, default=None, metavar="DIR", help="folder for the run (default: runs/live-DATE-TIME)"
    )
    add_health_arguments(parser)


def _run(options: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    import msgspec

    from framework.live.config import load_live_config
    from framework.live.health.section import health_from
    from framework.live.running import check_live, run_live

    config = load_live_config(options.config)
    config = msgspec.structs.replace(config, health=health_from(options, config.health))
    out = options.out or Path("runs") / f"live-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    adapter = check_live(config, out)
    journal = Path(config.live.state) / "run.intents"
    code = run_live(config, adapter, out, journal, confirm=lambda lines: _confirm(lines, is_sure=options.yes))
    if code is None:
        print("nothing was sent")
        return 2
    return code


def _confirm(lines: list[str], *, is_sure: bool) -> bool:
    print("\n".join(lines), flush=True)
    return is_sure or _is_confirmed()


def _is_confirmed() -> bool:
    """Ask once; where nobody can answer, the answer is no."""
    try:
        return input("Type LIVE to begin: ").strip() == "LIVE"
    except EOFError:
        print("nobody is there to confirm it; give --yes", file=sys.stderr)
        return False


LIVE = CommandEntry(
    summary="run a strategy live, with the account's own money",
    description="Show what a live configuration will do, ask once, and run it until Ctrl-C; then write a run folder.",
    add_arguments=_add_arguments,
    run=_run,
)
