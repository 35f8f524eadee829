"""Runs a live node from its configuration to its run folder: connects, lets it live, ends it in good order."""

from __future__ import annotations

import asyncio
import gc
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Literal

import uvloop

from framework.adapter import AccountState, Adapter, LiveSettings, LiveVenue, load_adapters
from framework.backtest.comparison import compare, comparison_table
from framework.backtest.loading import load_profile, resolve_road
from framework.backtest.metrics import read_metrics
from framework.backtest.placing import check_run_place
from framework.errors import ConfigError, TidegateError
from framework.execution.policy import DeskPolicy
from framework.execution.routes import route_links
from framework.live.awake import cores_awake
from framework.live.busy_poll import busy_poll
from framework.live.clock import LiveClock
from framework.live.closing import AtEnd
from framework.live.config import LiveConfig, LiveSection
from framework.live.health.run_health import RunHealth
from framework.live.journal import IntentJournal
from framework.live.kill_command import kill_path
from framework.live.kill_file import KillFile
from framework.live.node import LiveNode
from framework.live.recovery import Recovery
from framework.live.summary import check_account, start_summary
from framework.live.tape import tape_path
from framework.protocol import VenueProfile
from framework.report import write_report

__all__ = ["check_live", "connect", "live_adapter", "run_live"]

_BEAT_S = 0.02
_STATUS_S = 30.0


def check_live(config: LiveConfig, out: Path) -> Adapter:
    """What can be known before anything is connected; returns the adapter.

    Raises ConfigError for what is not there, or cannot be had together, and OutputError if ``out`` cannot be written.
    """
    check_run_place(out)
    adapter = live_adapter(config)
    _, policy = resolve_road(load_profile(adapter.name, config.venue.switches), config.road)
    ended = _ended_orders(config, adapter, policy)
    if ended is not None and config.live.at_end is AtEnd.LEAVE:
        raise ConfigError(f'[live] at_end = "leave": {ended}')
    if kill_path(out).exists():
        raise ConfigError(f"{kill_path(out)}: the kill switch is pulled; see why in it, then `tidegate kill --release`")
    return adapter


def live_adapter(config: LiveConfig) -> Adapter:
    """The adapter that a live configuration trades by. Raises ConfigError where there is no such one."""
    adapters = {each.name: each for each in load_adapters().values() if each.connect_live is not None}
    name = config.venue.profile
    if name is None and len(adapters) == 1:
        name = next(iter(adapters))
    if name not in adapters:
        raise ConfigError(f"[venue] profile = {name!r}: live there is {', '.join(adapters) or 'none'}; name it")
    return adapters[name]


def run_live(
    config: LiveConfig,
    adapter: Adapter,
    out: Path,
    journal: Path,
    *,
    for_s: float | None = None,
    confirm: Callable[[list[str]], bool] = lambda _: True,
    kind: Literal["paper", "live"] = "live",
) -> int | None:
    """Run until it is ended; returns the exit code, None where it was not confirmed and so nothing was sent.

    for_s: how long; None for without end. confirm: is shown what will be done, with the account as the venue tells it.
    kind: what the run says of itself.
    Raises TidegateError where the venue cannot be reached or the key cannot trade, and what the strategy's own code
    raised.
    """
    recovery = Recovery()
    intents = IntentJournal.open(journal, config.live.fsync, recovery.read)
    profile = load_profile(adapter.name, config.venue.switches)
    try:
        awake = cores_awake() if config.live.keep_awake else nullcontext()
        with awake, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            clock = LiveClock(runner.get_loop())
            venue = runner.run(connect(config, adapter, clock))
            health = RunHealth(
                config.health, kind, is_timed=True, journal_bytes=lambda: intents.size_bytes, mask=venue.masked
            )
            try:
                account = runner.run(venue.account())
                check_account(account)
                _, policy = resolve_road(profile, config.road)
                # Not within the loop, which has a Ctrl-C of its own.
                lines = start_summary(
                    config, adapter.name, policy, out, account, recovery, _ended_orders(config, adapter, policy)
                )
                if not confirm(lines):
                    return None
                node = runner.run(_live(config, profile, venue, clock, out, intents, recovery, account, for_s, health))
            finally:
                runner.run(_close(venue, health))
    finally:
        intents.close()
    folder = node.write(out)
    print(comparison_table(compare([read_metrics(folder)])))
    page = write_report(folder)
    print(f"\n{node.closing.said()}\neverything is in {folder}, to look at: {page}", flush=True)
    node.raise_failure(f"its orders were dealt with; the run is in {folder}")
    return 1 if node.closing.has_failed else 0


def _ended_orders(config: LiveConfig, adapter: Adapter, policy: DeskPolicy) -> str | None:
    """Why the venue would end orders of this run when the run ends, or its line; None where it would not."""
    if adapter.ends_orders is None:
        return None
    return adapter.ends_orders(_settings(config.live, route_links("submit", policy.submit)))


def _settings(live: LiveSection, links: Sequence[str]) -> LiveSettings:
    return LiveSettings(
        links={name: name for name in links},
        hosts=live.hosts,
        ca_file=None if live.ca_file is None else Path(live.ca_file),
        credentials=None if live.credentials is None else Path(live.credentials),
        state=Path(live.state),
        options=live.options,
    )


async def connect(
    config: LiveConfig, adapter: Adapter, clock: LiveClock, links: Sequence[str] | None = None
) -> LiveVenue:
    """The venue of a live configuration, with the links of its road or those named, which are not open yet.

    Raises ConfigError for settings that make no sense, and TidegateError where the venue cannot be reached.
    """
    assert adapter.connect_live is not None
    _, policy = resolve_road(load_profile(adapter.name, config.venue.switches), config.road)
    settings = _settings(config.live, policy.link_names() if links is None else links)
    return await adapter.connect_live(settings, clock)


async def _live(
    config: LiveConfig,
    profile: VenueProfile,
    venue: LiveVenue,
    clock: LiveClock,
    out: Path,
    intents: IntentJournal,
    recovery: Recovery,
    account: AccountState,
    for_s: float | None,
    health: RunHealth,
) -> LiveNode:
    tape = tape_path(out)
    shutil.rmtree(tape, ignore_errors=True)  # of a run that was killed and has no folder
    node = LiveNode(
        config,
        profile,
        venue,
        clock,
        intents,
        recovery,
        account.balances,
        health.say,
        tape=tape,
        observer=health.observer,
    )
    kill_file = KillFile(kill_path(out), node.trader.kill_switch, health.say)
    _hear_signals(asyncio.get_running_loop(), node, health.say)
    pairs = ", ".join(config.live.symbols)
    print(f"Live: {type(node.strategy).__name__} on {pairs}. Ctrl-C ends it.", flush=True)
    await health.open(out)
    health.began(strategy=config.strategy.path, road=config.road.name, symbols=config.live.symbols)
    # What has been made by now stays to the end: looking through it again and again would hold orders up.
    gc.collect()
    gc.freeze()
    if config.live.busy_poll:
        busy_poll(asyncio.get_running_loop(), node.done.is_set)
    node.begin()
    until_s = None if for_s is None else time.monotonic() + for_s
    status_s = time.monotonic() + _STATUS_S
    while not node.done.is_set():
        clock.enter(kill_file.look)
        now_s = time.monotonic()
        if until_s is not None and now_s >= until_s:
            until_s = None
            node.close(f"{for_s:g} s are over")
        if now_s >= status_s:
            status_s += _STATUS_S
            health.say(node.status())
        health.beat()
        await asyncio.sleep(_BEAT_S)
    health.ended(node.closing.said(), node.failure)
    node.finish()
    return node


async def _close(venue: LiveVenue, health: RunHealth) -> None:
    try:
        await venue.close()
    except (OSError, TidegateError) as error:
        health.say(f"while closing: {error}")
    await health.close()


def _hear_signals(loop: asyncio.AbstractEventLoop, node: LiveNode, say: Callable[[str], None]) -> None:
    """Ctrl-C ends the run, and a second one does not wait for its end; USR1 pulls the kill switch."""
    is_asked = False

    def stop() -> None:
        nonlocal is_asked
        if is_asked:
            node.give_up()
            return
        is_asked = True
        say("ending; Ctrl-C again does not wait for it")
        node.close("the run was ended by hand")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGUSR1, node.pull, "signal SIGUSR1")
