"""A served venue with a journal, whose counters refuse nothing, in a process of its own: READY JOURNAL [resume]."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from adapters.kraken.server.shell.serve import ServeOptions, serve
from framework.cli import run_guarded


def main(ready: str, journal: str, resume: str = "") -> int:
    """Serve until interrupted or killed; returns the exit code."""
    tiers = tuple(
        replace(tier, threshold=tier.threshold * 10**6, call_max=tier.call_max * 10**6, open_orders_max=10**7)
        for tier in PROFILE.tiers
    )
    options = ServeOptions(ready_file=Path(ready), journal=Path(journal), is_resumed=bool(resume))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return run_guarded("tidegate", lambda: runner.run(serve(options, replace(PROFILE, tiers=tiers))))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
