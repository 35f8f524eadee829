"""The command ``tidegate doctor``: its options. What it does is in ``examination``, loaded when it is run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from framework.commands import CommandEntry

if TYPE_CHECKING:
    from adapters.kraken.client.credentials import Credentials
    from adapters.kraken.client.settings import KrakenSettings
    from adapters.kraken.doctor.examination import Addresses, Examination
    from framework.live.config import LiveSection

__all__ = ["COMMAND"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "config",
        type=Path,
        nargs="?",
        default=None,
        metavar="CONFIG.toml",
        help="a configuration, live or of a backtest: its pairs, road and fees are compared with the venue's; a live "
        "one says where the venue is and which key is used",
    )
    parser.add_argument(
        "--host",
        default=None,
        metavar="URL",
        help="of REST, in place of Kraken's; WebSocket v2 is taken to be at /v2 of it",
    )
    parser.add_argument("--ws", default=None, metavar="URL", help="of WebSocket v2, public and private")
    parser.add_argument(
        "--fix", default=None, metavar="HOST:PORT", help="of FIX trading; with TLS, unless --host is without"
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
        help="TOML with api_key and api_secret, which only its owner may read, or keyring:NAME of the system's keyring "
        "(default: KRAKEN_API_KEY and KRAKEN_API_SECRET of the environment)",
    )
    parser.add_argument("--ca", type=Path, default=None, metavar="FILE", help="authority to trust, in PEM")
    parser.add_argument(
        "--ready-file",
        default=None,
        metavar="FILE",
        help="of a venue that is served on this machine: where it is, a key",
    )


def _run(options: argparse.Namespace) -> int:
    import asyncio

    from adapters.kraken.doctor.examination import Examination
    from adapters.kraken.doctor.needs import needs_of

    needs = needs_of(options.config)
    settings = _settings(options, needs.live)
    credentials, why_none = _credentials(settings)
    examination = Examination(_addresses(options, settings), needs, credentials, why_none, settings.ca_file)
    return asyncio.run(_examine(examination))


async def _examine(examination: Examination) -> int:
    from framework.findings import Level

    count = dict.fromkeys(Level, 0)
    async for finding in examination.findings():
        count[finding.level] += 1
        print(finding.line(), flush=True)
    print(f"{count[Level.FAIL]} failed, {count[Level.WARN]} to look at, {count[Level.OK]} well")
    return 1 if count[Level.FAIL] else 0


def _settings(options: argparse.Namespace, live: LiveSection | None) -> KrakenSettings:
    """Where the venue is and as whom: as the configuration says, in place of which the options say otherwise."""
    from adapters.kraken.client.settings import read_settings
    from adapters.kraken.rest_session import rest_address
    from framework.adapter import LiveSettings

    hosts = {} if live is None else dict(live.hosts)
    given = {} if live is None else dict(live.options)
    ca_file = None if live is None or live.ca_file is None else Path(live.ca_file)
    key_file = None if live is None or live.credentials is None else Path(live.credentials)
    if options.host is not None:
        rest = rest_address(options.host)
        socket = f"ws{rest.removeprefix('http')}/v2"
        hosts |= {"rest": rest, "ws_public": socket, "ws_private": socket}
    if options.ws is not None:
        hosts |= {"ws_public": options.ws, "ws_private": options.ws}
    if options.fix is not None:
        is_plain = hosts.get("rest", "").startswith("http://")
        hosts["fix"] = f"{'tcp' if is_plain else 'tls'}://{options.fix}"
    if options.ready_file is not None:
        given["ready_file"] = options.ready_file
    return read_settings(
        LiveSettings(
            links={},
            hosts=hosts,
            ca_file=options.ca or ca_file,
            credentials=options.key_file or key_file,
            options=given,
        )
    )


def _credentials(settings: KrakenSettings) -> tuple[Credentials | None, str]:
    import os

    from adapters.kraken.client.credentials import Credentials

    if settings.credentials is not None:
        return settings.credentials, ""
    if not os.environ.get("KRAKEN_API_KEY") and not os.environ.get("KRAKEN_API_SECRET"):
        return None, "no key: give --key-file, or set KRAKEN_API_KEY and KRAKEN_API_SECRET"
    return Credentials.from_environment(), ""


def _addresses(options: argparse.Namespace, settings: KrakenSettings) -> Addresses:
    from adapters.kraken.client.fix_link import FixNames
    from adapters.kraken.doctor.examination import Addresses
    from adapters.kraken.doctor.probes import Place

    fix = settings.hosts["fix"]
    names = None
    if options.fix_sender is not None:
        names = FixNames(sender_comp_id=options.fix_sender, target_comp_id=settings.fix_target_comp_id)
    return Addresses(
        rest=settings.hosts["rest"].url("http").removesuffix("/"),
        ws=settings.hosts["ws_public"].url("ws"),
        ws_auth=settings.hosts["ws_private"].url("ws"),
        fix=Place(fix.host, fix.port, fix.is_tls),
        fix_names=names,
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
