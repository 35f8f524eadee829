"""``tidegate paper --market live``: a strategy on an exchange's public feed, its orders on simulated money."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from framework.adapter import LiveSettings
    from framework.backtest.config import RunConfig
    from framework.live.health.run_health import RunHealth
    from framework.live.heard_markets import HeardMarkets
    from framework.live.journal import IntentJournal
    from framework.live.market_paper import MarketPaper

__all__ = ["add_market_arguments", "run_on_market"]

_MS = 1_000_000
_STATUS_S = 30
_LOOK_S = 0.05
_KNOWN_S = 30.0


def add_market_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a live market."""
    live = parser.add_argument_group("with --market live")
    live.add_argument("--symbols", nargs="+", default=None, metavar="SYMBOL", help="pairs (default BTC/USD)")
    live.add_argument("--depth", type=int, default=100, metavar="N", help="prices of each side of a book (default 100)")
    live.add_argument(
        "--hold-ms",
        type=int,
        default=1_000,
        metavar="N",
        help="so far the run stays behind the market, for what is told late to take its place (default 1000)",
    )
    live.add_argument(
        "--host", action="append", default=[], metavar="NAME=URL", help="an address in place of the exchange's own"
    )
    live.add_argument("--ca", type=Path, default=None, metavar="FILE", help="authority to trust, in PEM")


def run_on_market(options: argparse.Namespace, config: RunConfig) -> int:
    """Run until it is ended; returns the exit code. Raises TidegateError where the market cannot be heard, and what
    the strategy's own code raised.
    """
    import asyncio
    from datetime import UTC, datetime

    from framework.backtest.comparison import compare, comparison_table
    from framework.backtest.metrics import read_metrics
    from framework.backtest.placing import check_run_place
    from framework.errors import ConfigError
    from framework.live.health.run_health import RunHealth
    from framework.live.health.section import HealthSection, health_from
    from framework.live.journal import Forcing, IntentJournal
    from framework.report import write_report

    for option, value in (("once", options.once), ("speed", options.speed != 1)):
        if value:
            raise ConfigError(f"--{option} makes no sense with a live market")
    if config.market.start_s or config.market.end_s is not None:
        raise ConfigError("[market] start_s and end_s make no sense with a live market")
    if not 1 <= options.hold_ms <= 60_000:
        raise ConfigError(f"--hold-ms {options.hold_ms}: give a number from 1 to 60000")
    out = options.out or Path("runs") / f"paper-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    recording, store = out.with_name(f"{out.name}.recording"), out.with_name(f"{out.name}.market")
    check_run_place(out)
    for path in (recording, store):
        if path.exists():
            raise ConfigError(f"{path}: is there already; name another --out, or remove it first")
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
    try:
        paper = asyncio.run(_live(options, config, out, recording, intents, health))
    finally:
        if intents is not None:
            intents.close()
    folder = paper.write(out, store)
    print(comparison_table(compare([read_metrics(folder)])))
    page = write_report(folder)
    node = paper.node
    print(f"\n{node.closing.said()}\n{paper.said()}", flush=True)
    print(f"everything is in {folder}, to look at: {page}; the market as it was heard is in {store}", flush=True)
    node.raise_failure(f"its orders were dealt with; the run is in {folder}")
    return 1 if node.closing.has_failed else 0


async def _live(
    options: argparse.Namespace,
    config: RunConfig,
    out: Path,
    recording: Path,
    intents: IntentJournal | None,
    health: RunHealth,
) -> MarketPaper:
    import asyncio

    from framework.adapter import choose_adapter
    from framework.errors import ConfigError
    from framework.live.clock import LiveClock
    from framework.live.closing import AtEnd
    from framework.live.market_paper import MarketPaper, hear

    adapter = choose_adapter(config.venue.profile, lambda each: each.connect_live is not None, "markets are heard")
    assert adapter.connect_live is not None
    loop = asyncio.get_running_loop()
    clock = LiveClock(loop)
    venue = await adapter.connect_live(_settings(options), clock)
    try:
        symbols = options.symbols or list(config.market.symbols) or ["BTC/USD"]
        for symbol in symbols:
            if symbol not in venue.instruments:
                raise ConfigError(f"there is no pair {symbol}; write it as BASE/QUOTE, like BTC/USD")
        heard = hear(venue.market, symbols, options.depth, lambda: clock.now_ns, options.hold_ms * _MS, health.say)
        venue.market.attach(health.observer.market(heard))
        await health.open(out)
        await _until_ready(heard, symbols)
        paper = MarketPaper(
            config,
            heard,
            [venue.instruments[symbol] for symbol in symbols],
            recording,
            health.say,
            at_end=AtEnd(options.at_end),
            for_s=options.for_s,
            intents=intents,
            observer=health.observer,
        )
        behind_ms = (clock.now_ns - heard.horizon_ns()) // _MS
        await _drive(paper, symbols, out, health, behind_ms)
        return paper
    finally:
        await health.close()
        venue.market.close()
        await venue.close()


def _settings(options: argparse.Namespace) -> LiveSettings:
    """Public market data, and nothing else: no key is read."""
    from framework.adapter import LiveSettings
    from framework.commands import named_values

    given = {} if options.ready_file is None else {"ready_file": str(options.ready_file)}
    return LiveSettings(
        links={},
        hosts=named_values("--host", options.host),
        ca_file=options.ca,
        is_public=True,
        options=given,
    )


async def _until_ready(heard: HeardMarkets, symbols: Sequence[str]) -> None:
    """Wait for books and for the first change of one, which tells how long news takes."""
    import asyncio

    from framework.errors import VenueError

    loop = asyncio.get_running_loop()
    until_s = loop.time() + _KNOWN_S
    while not heard.is_ready:
        if loop.time() > until_s:
            unknown = [symbol for symbol in symbols if not heard.sequences[symbol].is_known]
            what = f"no book of {', '.join(unknown)}" if unknown else "no change of any book"
            why = f": {heard.refusals[-1]}" if heard.refusals else ""
            raise VenueError(f"{what} was heard within {_KNOWN_S:.0f} s{why}; see whether the host is reached")
        await asyncio.sleep(_LOOK_S)


async def _drive(paper: MarketPaper, symbols: Sequence[str], out: Path, health: RunHealth, behind_ms: int) -> None:
    """Let a run live until it is over."""
    import asyncio
    import time

    from framework.live.drive import drive
    from framework.live.kill_command import kill_path
    from framework.live.kill_file import KillFile
    from framework.venue.served.clock import VenueClock

    simulation = paper.node.simulation
    kill_file = KillFile(kill_path(out), simulation.trader.kill_switch, health.say)
    _hear_signals(asyncio.get_running_loop(), paper, health.say)
    print(
        f"Paper, with simulated money: {type(simulation.strategy).__name__} on {', '.join(symbols)} as heard live, by "
        f"{simulation.road.name}, {behind_ms:,} ms behind. Ctrl-C ends it.",
        flush=True,
    )
    status_s = look_s = time.monotonic()

    def on_beat() -> None:
        nonlocal status_s, look_s
        now_s = time.monotonic()
        if now_s >= look_s:
            look_s = now_s + _LOOK_S
            kill_file.look()
        if now_s >= status_s + _STATUS_S:
            status_s = now_s
            health.say(paper.status())
        health.beat()

    health.began(strategy=simulation.config.strategy.path, road=simulation.road.name, symbols=list(symbols))
    paper.begin()
    await drive(paper, VenueClock(time.monotonic_ns(), paper.now_ns), on_beat=on_beat)
    paper.finish()
    health.ended(paper.node.closing.said(), paper.node.failure)


def _hear_signals(loop: asyncio.AbstractEventLoop, paper: MarketPaper, say: Callable[[str], None]) -> None:
    """Ctrl-C ends the run, and a second one does not wait for its end; USR1 pulls the kill switch."""
    import signal

    is_asked = False
    node = paper.node

    def stop() -> None:
        nonlocal is_asked
        if is_asked:
            node.closing.give_up()
            return
        is_asked = True
        say("ending; Ctrl-C again does not wait for it")
        node.close("the run was ended by hand")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGUSR1, node.simulation.trader.kill_switch.pull, "signal SIGUSR1")
