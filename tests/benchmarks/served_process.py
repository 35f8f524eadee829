"""A served venue whose counters refuse nothing, in a process of its own.

``python -m tests.benchmarks.served_process READY.json [MARKET SPEED]`` writes the ready file once it is open.
"""

from __future__ import annotations

import asyncio
import sys
from fractions import Fraction
from pathlib import Path

import uvloop
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from adapters.kraken.server.shell.serve import ServeOptions, serve


def main(ready: str, market: str = "synthetic", speed: str = "1") -> None:
    tiers = tuple(
        replace(tier, threshold=tier.threshold * 10**6, call_max=tier.call_max * 10**6, open_orders_max=10**7)
        for tier in PROFILE.tiers
    )
    options = ServeOptions(ready_file=Path(ready), market=market, speed=Fraction(speed), account_count=6)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(options, replace(PROFILE, tiers=tiers)))


if __name__ == "__main__":
    main(*sys.argv[1:])
