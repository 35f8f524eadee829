"""The command ``tidegate live``: what it will do is shown, and confirmed once, before anything is sent."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from framework.commands import CommandEntry

if TYPE_CHECKING:
    from framework.live.config import LiveConfig

__all__ = ["LIVE"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG.toml", help="strategy, venue, road, limits, [live]")
    parser.add_argument("--yes", action="store_true", help="begin without asking")
    parser.add_argument(
        "--out", type=Path, default=None, metavar="DIR", help="folder for the run (default: runs/live-DATE-TIME)"
    )


def _run(options: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from framework.live.config import load_live_config
    from framework.live.running import check_live, run_live

    config = load_live_config(options.config)
    out = options.out or Path("runs") / f"live-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    adapter = check_live(config, out)
    for line in _summary(config, adapter.name, out):
        print(line)
    if not options.yes and not _is_confirmed():
        print("nothing was sent")
        return 2
    journal = Path(config.live.state) / "run.intents"
    return run_live(config, adapter, out, journal)


def _is_confirmed() -> bool:
    """Ask once; where nobody can answer, the answer is no."""
    try:
        return input("Type LIVE to begin: ").strip() == "LIVE"
    except EOFError:
        print("nobody is there to confirm it; give --yes", file=sys.stderr)
        return False


def _summary(config: LiveConfig, adapter: str, out: Path) -> list[str]:
    """What will be done, line by line."""
    import msgspec

    from framework.backtest.loading import load_profile, resolve_road
    from framework.execution.limits import LIMIT_NAMES
    from framework.live.kill_command import kill_path

    live = config.live
    _, policy = resolve_road(load_profile(config.venue.profile, config.venue.switches), config.road)
    hosts = ", ".join(f"{name} {url}" for name, url in live.hosts.items()) or "the venue's own"
    limits = msgspec.to_builtins(config.limits)
    set_limits = [f"{LIMIT_NAMES[name]} ({name}) {limits[name]}" for name in LIMIT_NAMES if limits.get(name)]
    set_limits += [f"{symbol}: {table}" for symbol, table in limits["symbols"].items()]
    dead_man = f"all orders of the account are canceled after {live.dead_man_s} s without word of this run"
    return [
        f"Live on {adapter}, with the account of the key below:",
        f"  strategy     {config.strategy.path}",
        f"  instruments  {', '.join(live.symbols)}",
        f"  key          {live.credentials or 'of the environment, or of the options'}",
        "  permissions  `tidegate doctor` tells what the key may do",
        f"  hosts        {hosts}",
        *(f"  option       {name} = {value}" for name, value in live.options.items()),
        f"  orders by    {policy.submit}; amends by {policy.amend}; news by {policy.news}",
        f"  cancels by   {', then '.join(policy.cancel)}",
        *(f"  limit        {line}" for line in set_limits or ["none"]),
        f"  kill switch  `tidegate kill {out}`, the file {kill_path(out)}, or the signal USR1",
        f"  dead man     {dead_man if live.dead_man_s else 'none'}",
        f"  journal      {Path(live.state) / 'run.intents'}, forced to the disk: {live.fsync}",
        f"  at the end   {live.at_end}",
    ]


LIVE = CommandEntry(
    summary="run a strategy live, with the account's own money",
    description="Show what a live configuration will do, ask once, and run it until Ctrl-C; then write a run folder.",
    add_arguments=_add_arguments,
    run=_run,
)
