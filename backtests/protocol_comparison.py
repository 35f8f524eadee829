"""What does a strategy earn, and what does it risk, over REST, over WebSocket and over FIX?

The same market maker (by cancel and new, and by amend) and the same momentum taker trade the same markets over five
roads: REST with own orders polled, REST with news by WebSocket, WebSocket v2, FIX from the cloud and FIX co-located.
Each road is run with several seeds; a seed is a market of its own (synthetic, measured from recordings) and the same
for every road. Once in each run every line of the trader drops for a while.

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
from collections.abc import Sequence
from pathlib import Path

from framework.backtest.comparing import compare_roads
from framework.backtest.config import FaultSection, MarketSection, RunConfig, StrategySection, VenueSection
from framework.cli import positive, run_guarded
from framework.report import write_report

HERE = Path(__file__).resolve().parent

# The line drop: seconds after the market's start, how long, and how long both ends take to see it.
DROP_AT_S, DROP_FOR_S, DROP_DETECT_MS = 600.0, 20.0, 1_000

# Where the protocols differ. WebSocket v1 takes the same way as v2 and can do less.
ROADS = ("rest", "rest+ws", "ws2", "fix", "fix-colo")
# What is studied: the strategy's file, and what differs from its defaults. The market maker twice: by cancel and new in
# one instant, where new can overtake cancel, and by amend in place.
STRATEGIES: dict[str, tuple[str, dict[str, str]]] = {
    "market_maker": ("strategies/market_maker.py", {}),
    "market_maker_amend": ("strategies/market_maker.py", {"requote": "amend"}),
    "momentum": ("strategies/momentum.py", {}),
}


def study_config(strategy: str, duration_s: int) -> RunConfig:
    """The configuration that the study runs over every road and seed."""
    drop = FaultSection(
        kind="drop", link="all", at_s=min(DROP_AT_S, duration_s / 2), for_s=DROP_FOR_S, detect_ms=DROP_DETECT_MS
    )
    file, parameters = STRATEGIES[strategy]
    return RunConfig(
        strategy=StrategySection(path=str(HERE.parent / file), parameters=parameters),
        market=MarketSection(duration_s=duration_s),
        venue=VenueSection(tier="pro", volume_30d_usd="10000000"),
        faults=(drop,),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code, as ``tidegate`` has them."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="A study that is in DIR is replaced. After Ctrl-C, runs that were done stay and DIR says so.",
    )
    out = Path("runs/protocol_comparison")
    parser.add_argument("--out", type=Path, default=out, metavar="DIR", help=f"folder for all results (default {out})")
    parser.add_argument("--seeds", type=positive, default=5, metavar="N", help="seeds for each road (default 5)")
    parser.add_argument(
        "--duration", type=positive, default=1_800, metavar="S", help="seconds of market for each seed (default 1800)"
    )
    parser.add_argument(
        "--strategies", default=",".join(STRATEGIES), metavar="A,B", help=f"of {', '.join(STRATEGIES)} (default: all)"
    )
    parser.add_argument("--workers", type=positive, default=None, metavar="N", help="processes (default: processors)")
    options = parser.parse_args(arguments)
    chosen = options.strategies.split(",")
    if unknown := [name for name in chosen if name not in STRATEGIES]:
        parser.error(f"--strategies: there is no {', '.join(unknown)}; there is {', '.join(STRATEGIES)}")
    return run_guarded("protocol_comparison", lambda: _study(chosen, options))


def _study(strategies: Sequence[str], options: argparse.Namespace) -> int:
    started_s = time.perf_counter()
    seeds = range(1, options.seeds + 1)
    for name in strategies:
        count = f"{len(ROADS)} roads, {options.seeds} seed{'s' * (options.seeds > 1)}"
        print(f"{name.replace('_', ' ')}: {count}, {options.duration:,} s of market each\n", flush=True)
        folder = options.out / name
        compare_roads(study_config(name, options.duration), ROADS, seeds, folder, workers=options.workers)
        print(f"to look at: {write_report(folder)}\n", flush=True)
    if len(strategies) > 1:
        print(f"all of it on one page: {write_report(options.out)}")
    print(f"in {time.perf_counter() - started_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
