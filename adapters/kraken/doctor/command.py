"""The command ``tidegate doctor``: its options. What it does is in ``examination``, loaded when it is run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from framework.commands import CommandEntry

if TYPE_CHECKING:
    from adapters.kraken.client.credentials import Credentials
    from adapters.kraken.doctor.examination import Addresses, Examination

__all__ = ["COMMAND"]

_REST = "https://api.kraken.com"
_FIX = "colo-london.vip-fix.kraken.com:4001"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "config",
        type=Path,
        nargs="?",
        default=None,
        metavar="CONFIG.toml",
        help="a configuration: its pairs, road and fees are compared with the venue's",
    )
    parser.add_argument("--host", default=_REST, metavar="URL", help=f"of REST (default {_REST})")
    parser.add_argument(
        "--ws", default=None, metavar="URL", help="of WebSocket v2 (default: Kraken's, or /v2 at another --host)"
    )
    parser.add_argument(
        "--fix", default=None, metavar="HOST:PORT", help=f"of FIX trading, with TLS if --host has it (default {_FIX})"
    )
    parser.add_argument(
        "--fix-sender",
        default=None,
        metavar="NAME",
        help="log on over FIX by this SenderCompID, and out: it takes two numbers of a session that has not begun, and "
        "leaves one that is under way alone; not while a program trades by that name, which the venue may cut off",
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        default=None,
        metavar="FILE",
        help="TOML with api_key and api_secret, which only its owner may read "
        "(default: KRAKEN_API_KEY and KRAKEN_API_SECRET of the environment)",
    )
    parser.add_argument("--ca", type=Path, default=None, metavar="FILE", help="authority to trust, in PEM")


def _run(options: argparse.Namespace) -> int:
    import asyncio

    from adapters.kraken.doctor.examination import Examination
    from adapters.kraken.doctor.needs import needs_of

    credentials, why_none = _credentials(options.key_file)
    examination = Examination(_addresses(options), needs_of(options.config), credentials, why_none, options.ca)
    return asyncio.run(_examine(examination))


async def _examine(examination: Examination) -> int:
    from adapters.kraken.doctor.findings import Level

    count = dict.fromkeys(Level, 0)
    async for finding in examination.findings():
        count[finding.level] += 1
        print(finding.line(), flush=True)
    print(f"{count[Level.FAIL]} failed, {count[Level.WARN]} to look at, {count[Level.OK]} well")
    return 1 if count[Level.FAIL] else 0


def _credentials(key_file: Path | None) -> tuple[Credentials | None, str]:
    import os

    from adapters.kraken.client.credentials import Credentials

    if key_file is not None:
        return Credentials.from_file(key_file), ""
    if not os.environ.get("KRAKEN_API_KEY") and not os.environ.get("KRAKEN_API_SECRET"):
        return None, "no key: give --key-file, or set KRAKEN_API_KEY and KRAKEN_API_SECRET"
    return Credentials.from_environment(), ""


def _addresses(options: argparse.Namespace) -> Addresses:
    from adapters.kraken.client.fix_link import FixNames
    from adapters.kraken.doctor.examination import Addresses
    from adapters.kraken.doctor.probes import Place
    from adapters.kraken.rest_session import PRODUCTION, rest_address
    from framework.errors import ConfigError

    rest = rest_address(options.host)
    if options.ws is not None:
        scheme, separator, _ = options.ws.partition("://")
        if scheme not in ("ws", "wss") or not separator:
            raise ConfigError(f"--ws {options.ws}: it must begin with wss:// or ws://")
        ws = ws_auth = options.ws
    elif rest == PRODUCTION:
        ws, ws_auth = "wss://ws.kraken.com/v2", "wss://ws-auth.kraken.com/v2"
    else:
        ws = ws_auth = f"ws{rest.removeprefix('http')}/v2"
    host, separator, port = (options.fix or _FIX).rpartition(":")
    if not separator or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ConfigError(f"--fix {options.fix}: it must be HOST:PORT")
    return Addresses(
        rest=rest,
        ws=ws,
        ws_auth=ws_auth,
        fix=Place(host, int(port), rest.startswith("https")),
        fix_names=None if options.fix_sender is None else FixNames(sender_comp_id=options.fix_sender),
    )


COMMAND = CommandEntry(
    summary="check hosts, clock, key, pairs, fees and lines before trading on Kraken",
    description=(
        "Check whether this machine, the API key and a configuration are fit to trade on Kraken: one line for each "
        "check, with what to do where one fails. Nothing is traded. Exit code 0, or 1 where a check has failed."
    ),
    add_arguments=_add_arguments,
    run=_run,
)
