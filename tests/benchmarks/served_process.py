"""A served venue whose counters refuse nothing, in a process of its own; it writes the ready file that it is given."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from adapters.kraken.server.shell.serve import ServeOptions, serve

if __name__ == "__main__":
    tiers = tuple(
        replace(tier, threshold=tier.threshold * 10**6, call_max=tier.call_max * 10**6, open_orders_max=10**7)
        for tier in PROFILE.tiers
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(ServeOptions(ready_file=Path(sys.argv[1])), replace(PROFILE, tiers=tiers)))
