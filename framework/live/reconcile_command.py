"""The command ``tidegate reconcile``: what a run has left, by its journal and by the venue. Nothing is traded."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from framework.commands import CommandEntry

if TYPE_CHECKING:
    from framework.adapter import Adapter
    from framework.findings import Finding
    from framework.live.config import LiveConfig
    from framework.live.journal import IntentJournal
    from framework.live.recovery import Recovery

__all__ = ["RECONCILE"]

_BEAT_S = 0.02


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG.toml", help="of the run, which must have ended")
    parser.add_argument(
        "--journal", type=Path, default=None, metavar="FILE", help="of the run (default: run.intents in [live] state)"
    )
    parser.add_argument(
        "--patience", type=float, default=30.0, metavar="SECONDS", help="how long to wait for proofs (default 30)"
    )


def _run(options: argparse.Namespace) -> int:
    import asyncio

    from framework.errors import ConfigError
    from framework.findings import Level
    from framework.live.config import load_live_config
    from framework.live.journal import IntentJournal
    from framework.live.recovery import Recovery
    from framework.live.running import live_adapter

    config = load_live_config(options.config)
    adapter = live_adapter(config)
    path = options.journal or Path(config.live.state) / "run.intents"
    if not path.exists():
        raise ConfigError(f"{path}: there is no journal; name that of the run with --journal")
    recovery = Recovery()
    file = IntentJournal.open(path, config.live.fsync, recovery.read)
    try:
        findings = asyncio.run(_reconcile(config, adapter, file, recovery, options.patience))
    finally:
        file.close()
    for finding in findings:
        print(finding.line())
    count = {level: sum(finding.level is level for finding in findings) for level in Level}
    if file.torn_bytes:
        print(f"the journal ended in {file.torn_bytes} bytes of a record that was being written; they are cut off")
    is_good = not count[Level.FAIL]
    said = "all is reconciled" if is_good else f"{count[Level.FAIL]} are not reconciled"
    print(f"{said}: {count[Level.OK]} agree or are settled, {count[Level.WARN]} to look at")
    return 0 if is_good else 1


async def _reconcile(
    config: LiveConfig, adapter: Adapter, file: IntentJournal, recovery: Recovery, patience_s: float
) -> list[Finding]:
    import asyncio

    from framework.backtest.loading import load_profile, resolve_road
    from framework.live.clock import LiveClock
    from framework.live.reconcile import Reconciliation, asking_policy
    from framework.live.running import connect

    profile = load_profile(adapter.name, config.venue.switches)
    policy = asking_policy(resolve_road(profile, config.road)[1], profile)
    clock = LiveClock(asyncio.get_running_loop())
    venue = await connect(config, adapter, clock, policy.link_names())
    try:
        work = Reconciliation(venue, profile, policy, config.venue.tier, clock, file, recovery, patience_s)
        work.begin()
        while not work.is_done:
            await asyncio.sleep(_BEAT_S)
        account = await venue.account()
        findings = list(work.findings(account))
        work.stop()
        return findings
    finally:
        clock.stop()
        await venue.close()


RECONCILE = CommandEntry(
    summary="hold what a live run has left against the venue",
    description="Make again what a live run knew, from its journal, and hold it against the venue: orders, fills and "
    "balances, by every road of it that tells of the account. One line for each, with what to do; what was learned is "
    "written to the journal. Nothing is sent but questions. Exit code 0, or 1 where something is not reconciled.",
    add_arguments=_add_arguments,
    run=_run,
)
