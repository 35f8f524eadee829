"""The command ``tidegate paper``: its options, and the run that they ask for."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from framework.commands import CommandEntry, balance, speed
from framework.live.health.section import add_health_arguments
from framework.live.market_command import add_market_arguments, run_on_market

if TYPE_CHECKING:
    from framework.backtest.config import RunConfig
    from framework.live.health.run_health import RunHealth
    from framework.live.kill_file import KillFile
    from framework.live.paper import PaperNode

__all__ = ["PAPER"]

_NS = 1_000_000_000
_STATUS_S = 30
_LOOK_MS = 50


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "strategy",
        type=Path,
        metavar="STRATEGY",
        help="file of the strategy, or the configuration of a backtest (.toml), which the options here change",
    )
    parser.add_argument(
        "--market",
        default=None,
        metavar="SOURCE",
        help="synthetic (default), or the folder of a store, played from now on in a loop; or live: an exchange's "
        "public feed, matched against in process, without a key; or served: that of --ready-file, over its own wire",
    )
    parser.add_argument(
        "--ready-file",
        type=Path,
        default=None,
        metavar="PATH",
        help="of `tidegate venue`: for --market served, and for --market live to hear that venue's market",
    )
    add_market_arguments(parser)
    parser.add_argument(
        "--once", action="store_true", help="end with the market's last row instead of playing it again"
    )
    parser.add_argument("--road", default=None, metavar="NAME", help="road of the orders (default ws2)")
    parser.add_argument(
        "--latency", default=None, metavar="TIER", help="latency tier of `tidegate protocols` (default: the road's)"
    )
    parser.add_argument("--tier", default=None, metavar="NAME", help="tier of the account (default intermediate)")
    parser.add_argument(
        "--balances",
        type=balance,
        nargs="+",
        default=[],
        metavar="ASSET=AMOUNT",
        help="what the account starts with (default: plenty)",
    )
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="of the made market and of latencies")
    parser.add_argument("--speed", type=speed, default=Fraction(1), metavar="X", help="how fast time runs (default 1)")
    parser.add_argument(
        "--for",
        type=_seconds,
        default=None,
        dest="for_s",
        metavar="SECONDS",
        help="end after so much of the market's time",
    )
    parser.add_argument(
        "--at-end",
        choices=("cancel", "leave", "flatten"),
        default="cancel",
        help="at the end: cancel own orders (default), leave all as it is, or cancel and close positions at the market",
    )
    parser.add_argument(
        "--journal", type=Path, default=None, metavar="PATH", help="write commands there before they leave, a new file"
    )
    parser.add_argument(
        "--fsync",
        choices=("off", "intents", "all"),
        default="off",
        help="what of the journal is forced to the disk at once, to survive a loss of power (default off)",
    )
    parser.add_argument(
        "--out", type=Path, default=None, metavar="DIR", help="folder for the run (default: runs/paper-DATE-TIME)"
    )
    add_health_arguments(parser)


def _config(options: argparse.Namespace, first_ns: int) -> RunConfig:
    """The configuration that the options make of a file; raises ConfigError for what makes no sense."""
    import msgspec

    from framework.backtest.config import AccountSection, RunConfig, StrategySection, load_config
    from framework.errors import ConfigError

    file: Path = options.strategy
    if file.suffix == ".toml":
        config = load_config(file)
    else:
        config = RunConfig(strategy=StrategySection(path=str(file)))
    changed = msgspec.structs.replace
    market = changed(config.market, first_ns=first_ns)
    if options.market == "synthetic":
        market = changed(market, source="synthetic", path=None)
    elif options.market not in (None, "served", "live"):
        market = changed(market, source="store", path=options.market, symbols=())
    run, venue, road, account = config.run, config.venue, config.road, config.account
    if options.seed is not None:
        if options.seed < 0:
            raise ConfigError(f"--seed {options.seed}: it must be 0 or more")
        run, market = changed(run, seed=options.seed), changed(market, seed=options.seed)
    if options.tier is not None:
        venue = changed(venue, tier=options.tier)
    if options.road is not None:
        road = changed(road, name=options.road)
    if options.latency is not None:
        road = changed(road, latency_tier=options.latency)
    if options.balances:
        account = AccountSection(balances={asset: str(amount) for asset, amount in options.balances})
    return changed(config, market=market, run=run, venue=venue, road=road, account=account)


def _run(options: argparse.Namespace) -> int:
    import asyncio
    import time
    from datetime import UTC, datetime

    from framework.backtest.comparison import compare, comparison_table
    from framework.backtest.metrics import read_metrics
    from framework.backtest.placing import check_run_place
    from framework.errors import ConfigError
    from framework.live.closing import AtEnd
    from framework.live.health.run_health import RunHealth
    from framework.live.health.section import HealthSection, health_from
    from framework.live.journal import Forcing, IntentJournal
    from framework.live.kill_command import kill_path
    from framework.live.kill_file import KillFile
    from framework.live.paper import PaperNode
    from framework.report import write_report

    if options.market == "served":
        return _run_served(options)
    if options.market == "live":
        return run_on_market(options, _config(options, 0))
    now_ns = time.time_ns()
    out = options.out or Path("runs") / f"paper-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    check_run_place(out)
    config = _config(options, now_ns)
    if options.journal is not None and options.journal.exists():
        raise ConfigError(f"--journal {options.journal}: there is a file already; a paper run begins a new one")
    intents = None
    if options.journal is not None:
        intents = IntentJournal.open(options.journal, Forcing(options.fsync), lambda _: None)
    health = RunHealth(
        health_from(options, HealthSection()),
        "paper",
        is_timed=False,
        journal_bytes=None if intents is None else lambda: intents.size_bytes,
    )
    node = PaperNode(
        config,
        is_looped=not options.once,
        at_end=AtEnd(options.at_end),
        for_s=options.for_s,
        intents=intents,
        observer=health.observer,
    )
    kill_file = KillFile(kill_path(out), node.simulation.trader.kill_switch, health.say)
    asyncio.run(_live(node, options.speed, kill_file, health, out))
    node.finish()
    folder = node.write(out)
    print(comparison_table(compare([read_metrics(folder)])))
    page = write_report(folder)
    print(f"\n{node.closing.said()}\neverything is in {folder}, to look at: {page}", flush=True)
    node.raise_failure(f"its orders were dealt with; the run is in {folder}")
    return 1 if node.closing.has_failed else 0


def _run_served(options: argparse.Namespace) -> int:
    """Paper on a served venue, by the links of a live run; the key is that of the venue's ready file, and no other."""
    import tempfile
    from datetime import UTC, datetime

    from framework.errors import ConfigError
    from framework.live.closing import AtEnd
    from framework.live.config import LiveConfig, LiveSection
    from framework.live.health.section import HealthSection, health_from
    from framework.live.journal import Forcing
    from framework.live.running import check_live, run_live

    if options.ready_file is None:
        raise ConfigError("--market served needs --ready-file, which `tidegate venue --ready-file` writes")
    for option in ("once", "seed", "latency", "balances"):
        if getattr(options, option):
            raise ConfigError(f"--{option} is the served venue's to choose; give it to `tidegate venue`")
    if options.speed != 1:
        raise ConfigError("--speed is the served venue's to choose; give it to `tidegate venue`")
    run = _config(options, 0)
    out = options.out or Path("runs") / f"paper-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    with tempfile.TemporaryDirectory() as state:
        config = LiveConfig(
            strategy=run.strategy,
            venue=run.venue,
            road=run.road,
            limits=run.limits,
            health=health_from(options, HealthSection()),
            live=LiveSection(
                symbols=run.market.symbols or ("BTC/USD",),
                options={"ready_file": str(options.ready_file)},
                state=state,
                fsync=Forcing(options.fsync),
                at_end=AtEnd(options.at_end),
            ),
        )
        adapter = check_live(config, out)
        journal = options.journal or Path(state) / "run.intents"
        return run_live(config, adapter, out, journal, for_s=options.for_s, kind="paper") or 0


async def _live(node: PaperNode, speed: Fraction, kill_file: KillFile, health: RunHealth, out: Path) -> None:
    """Let a run live until it is over; Ctrl-C ends it, and a second one does not wait for its end."""
    import asyncio
    import signal
    import time

    from framework.live.drive import drive
    from framework.venue.served.clock import VenueClock

    simulation = node.simulation
    loop = asyncio.get_running_loop()
    is_asked = False

    def stop() -> None:
        nonlocal is_asked
        if is_asked:
            node.closing.give_up()
            return
        is_asked = True
        health.say("ending; Ctrl-C again does not wait for it")
        node.close("the run was ended by hand")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGUSR1, simulation.trader.kill_switch.pull, "signal SIGUSR1")
    pairs = ", ".join(market.spec.symbol for market in simulation.markets)
    print(
        f"Paper, with simulated money: {type(simulation.strategy).__name__} on {pairs} by {simulation.road.name}"
        f"{f', {float(speed):g} times as fast' if speed != 1 else ''}. Ctrl-C ends it.",
        flush=True,
    )
    next_ns = time.monotonic_ns() + _STATUS_S * _NS

    look_ns = 0

    def on_beat() -> None:
        nonlocal next_ns, look_ns
        now_ns = time.monotonic_ns()
        if now_ns >= look_ns:
            look_ns = now_ns + _LOOK_MS * 1_000_000
            kill_file.look()
        if now_ns >= next_ns:
            next_ns += _STATUS_S * _NS
            health.say(node.status())
        health.beat()

    # The clocks of the machine and of the run show the same now, and never again.
    await health.open(out)
    health.began(
        strategy=node.simulation.config.strategy.path,
        road=simulation.road.name,
        symbols=[market.spec.symbol for market in simulation.markets],
    )
    node.begin()
    try:
        await drive(node, VenueClock(time.monotonic_ns(), node.now_ns, speed), on_beat=on_beat)
        health.ended(node.closing.said(), node.failure)
    finally:
        await health.close()


PAPER = CommandEntry(
    summary="run a strategy on paper, in real time",
    description="Run a strategy in real time against the simulated venue, with simulated money, until Ctrl-C; then "
    "write a run folder with report.html.",
    add_arguments=_add_arguments,
    run=_run,
)
