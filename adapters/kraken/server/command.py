"""The command ``tidegate venue``: its options. What it does is in ``shell.serve``, loaded when it is run."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

from framework.commands import CommandEntry, balance, speed

__all__ = ["COMMAND"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument(
        "--port", type=int, default=0, metavar="P", help="port of REST and WebSocket (default: a free one)"
    )
    parser.add_argument(
        "--fix-port", type=int, default=0, metavar="P", help="port of FIX trading (default: a free one)"
    )
    parser.add_argument(
        "--fix-md-port", type=int, default=0, metavar="P", help="port of FIX market data (default: a free one)"
    )
    parser.add_argument(
        "--control-port",
        type=int,
        default=0,
        metavar="P",
        help="port of the control API, on this machine only (default: a free one)",
    )
    parser.add_argument(
        "--faults",
        type=Path,
        default=None,
        metavar="FILE",
        help="what goes wrong and when, as the [[faults]] of a backtest, from the venue's start",
    )
    parser.add_argument(
        "--market", default="synthetic", metavar="SOURCE", help="synthetic, or the folder of a store, played in a loop"
    )
    parser.add_argument("--speed", type=speed, default=Fraction(1), help="how fast the venue's time runs (default 1)")
    parser.add_argument(
        "--latency", default="zero", metavar="TIER", help="zero (default), or a latency tier of `tidegate protocols`"
    )
    parser.add_argument("--reorder", action="store_true", help="let messages overtake each other as they do at Kraken")
    parser.add_argument("--seed", type=int, default=1, help="of the made market and of latencies (default 1)")
    parser.add_argument(
        "--balances", type=balance, nargs="+", default=[], metavar="ASSET=AMOUNT", help="what each account starts with"
    )
    parser.add_argument("--accounts", type=int, default=2, metavar="N", help="accounts with a key each (default 2)")
    parser.add_argument("--keys", type=Path, default=None, metavar="FILE", help="keys and accounts of your own, TOML")
    parser.add_argument("--tier", default="pro", help="tier of the accounts: starter, intermediate, pro (default)")
    parser.add_argument(
        "--public-calls",
        type=int,
        default=0,
        metavar="N",
        help="public REST calls that an address has at once, and one more each second (default 0: any number, for all "
        "clients of a machine have one address; Kraken allows about 20)",
    )
    parser.add_argument(
        "--socket-connects",
        type=int,
        default=None,
        metavar="N",
        help="WebSocket connections that an address may make in 10 minutes before it is banned for 10, 0 for any "
        "number (default: 150, as at Kraken, but any number from this machine)",
    )
    parser.add_argument("--tls", action="store_true", help="serve over TLS, by a local authority; not the control API")
    parser.add_argument("--state", type=Path, default=None, metavar="DIR", help="folder of the local authority")
    parser.add_argument(
        "--journal",
        type=Path,
        default=None,
        metavar="PATH",
        help="write all that changes the venue there, a new file or venue.journal in a folder; it holds the keys",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the venue of --journal, with its market, accounts and keys, as if it had never stopped",
    )
    parser.add_argument(
        "--fsync", action="store_true", help="force the journal to the disk at each record: it survives a loss of power"
    )
    parser.add_argument(
        "--ready-file", type=Path, default=None, metavar="PATH", help="write addresses and keys there once it is open"
    )


def _run(options: argparse.Namespace) -> int:
    import asyncio

    import uvloop

    from adapters.kraken.profile import PROFILE
    from adapters.kraken.server.shell.serve import ServeOptions, serve
    from framework.errors import ConfigError

    if options.accounts < 1:
        raise ConfigError(f"--accounts {options.accounts}: there is one at least")
    if options.tier not in [tier.name for tier in PROFILE.tiers]:
        raise ConfigError(f"--tier {options.tier}: it must be {', '.join(tier.name for tier in PROFILE.tiers)}")
    for option, port in (
        ("--port", options.port),
        ("--fix-port", options.fix_port),
        ("--fix-md-port", options.fix_md_port),
        ("--control-port", options.control_port),
    ):
        if not 0 <= port < 65_536:
            raise ConfigError(f"{option} {port}: it must be from 0 to 65535")
    if options.public_calls < 0:
        raise ConfigError(f"--public-calls {options.public_calls}: it must be 0 or more")
    if options.socket_connects is not None and options.socket_connects < 0:
        raise ConfigError(f"--socket-connects {options.socket_connects}: it must be 0 or more")
    if options.seed < 0:
        raise ConfigError(f"--seed {options.seed}: it must be 0 or more")
    chosen = ServeOptions(
        host=options.host,
        port=options.port,
        fix_port=options.fix_port,
        fix_md_port=options.fix_md_port,
        control_port=options.control_port,
        faults=options.faults,
        market=options.market,
        speed=options.speed,
        latency=options.latency,
        is_reordered=options.reorder,
        seed=options.seed,
        balances=dict(options.balances),
        account_count=options.accounts,
        keys=options.keys,
        tier=options.tier,
        public_calls=options.public_calls,
        socket_connects=options.socket_connects,
        is_tls=options.tls,
        state=options.state,
        journal=options.journal,
        is_resumed=options.resume,
        is_journal_forced=options.fsync,
        ready_file=options.ready_file,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(chosen))


COMMAND = CommandEntry(
    summary="serve the simulated venue on this machine, for any client of Kraken",
    description=(
        "Serve the simulated venue on this machine, with simulated money: Kraken's REST, WebSocket v1 and v2, and FIX. "
        "Prints the addresses, an API key for each account and a page that shows the venue, and serves until Ctrl-C."
    ),
    add_arguments=_add_arguments,
    run=_run,
)
