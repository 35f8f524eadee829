"""What does a strategy earn, and what does it risk, over REST, over WebSocket and over FIX?

The same market maker and the same momentum taker trade the same markets over five roads: REST with own orders polled,
REST with news by WebSocket, WebSocket v2, FIX from the cloud and FIX co-located. Each road is run with several seeds; a
seed is a market of its own (synthetic, measured from recordings) and the same for every road. Once in each run every
line of the trader drops for a while.

Run it with ``make backtest``, or see ``python backtests/protocol_comparison.py --help``. Each strategy gets a folder
with its runs, a table, a finding in words and ``report.html``.

What is assumed: latencies as the venue's profile states them (``tidegate protocols``; published round trips, the
gateways are assumptions), fees of the highest volume tier, so that a market maker has a living at all, and no reaction
of the market to the strategy's orders.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from framework.backtest.comparing import compare_roads
from framework.backtest.config import FaultSection, MarketSection, RunConfig, StrategySection, VenueSection
from framework.backtest.loading import load_profile
from framework.errors import TidegateError
from framework.report import write_report

HERE = Path(__file__).resolve().parent

# The line drop: seconds after the market's start, how long, and how long both ends take to see it.
DROP_AT_S, DROP_FOR_S, DROP_DETECT_MS = 600.0, 20.0, 1_000

STRATEGIES = {"market_maker": "strategies/market_maker.py", "momentum": "strategies/momentum.py"}


def study_config(strategy: str, duration_s: int) -> RunConfig:
    """The configuration that the study runs over every road and seed."""
    drop = FaultSection(
        kind="drop", link="all", at_s=min(DROP_AT_S, duration_s / 2), for_s=DROP_FOR_S, detect_ms=DROP_DETECT_MS
    )
    return RunConfig(
        strategy=StrategySection(path=str(HERE.parent / STRATEGIES[strategy])),
        market=MarketSection(duration_s=duration_s),
        venue=VenueSection(tier="pro", volume_30d_usd="10000000"),
        faults=(drop,),
    )


def main() -> int:
    """Run the study; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("runs/protocol_comparison"), help="folder for all results")
    parser.add_argument("--seeds", type=int, default=5, help="seeds for each road (default 5)")
    parser.add_argument("--duration", type=int, default=1_800, metavar="S", help="seconds of market for each seed")
    parser.add_argument("--strategies", default=",".join(STRATEGIES), help=f"of {', '.join(STRATEGIES)}")
    parser.add_argument("--workers", type=int, default=None, help="processes (default: processors)")
    options = parser.parse_args()
    chosen = options.strategies.split(",")
    if unknown := [name for name in chosen if name not in STRATEGIES]:
        parser.error(f"--strategies: there is no {', '.join(unknown)}; there is {', '.join(STRATEGIES)}")
    if options.seeds < 1:
        parser.error(f"--seeds {options.seeds}: at least 1")
    started_s = time.perf_counter()
    try:
        roads = [road.name for road in load_profile("kraken", {}).roads]
        for name in chosen:
            print(f"{name.replace('_', ' ')}: {len(roads)} roads, {options.seeds} seeds, {options.duration} s each\n")
            folder = options.out / name
            config = study_config(name, options.duration)
            compare_roads(config, roads, range(1, options.seeds + 1), folder, workers=options.workers)
            print(f"to look at: {write_report(folder)}\n")
    except TidegateError as e:
        print(f"protocol_comparison: {e}", file=sys.stderr)
        return 2
    print(f"in {time.perf_counter() - started_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
