"""The command ``tidegate data download``: its options, and what it shows while it works."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from framework.errors import ConfigError
from framework.progress_line import ProgressLine

if TYPE_CHECKING:
    from framework.data.downloads import DownloadSettings, TradeDownload

__all__ = ["add_download_arguments"]

_NS = 10**9


def add_download_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command, and what runs it."""
    parser.add_argument("symbol", metavar="SYMBOL", help="the pair, BASE/QUOTE, like BTC/USD")
    parser.add_argument(
        "--from", dest="from_ns", type=_moment, required=True, metavar="TIME", help="2024-01-31, 2024-01-31T12:00 (UTC)"
    )
    parser.add_argument(
        "--to", dest="to_ns", type=_moment, default=None, metavar="TIME", help="up to but not including it (now)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="STORE", help="folder of the store")
    parser.add_argument("--venue", default=None, metavar="NAME", help="adapter; needed where several have trades")
    parser.add_argument("--host", default=None, metavar="URL", help="address in place of the exchange's own")
    parser.add_argument("--ca", type=Path, default=None, metavar="FILE", help="authority to trust, in PEM")
    parser.add_argument(
        "--pause", type=_seconds, default=None, metavar="S", help="seconds between calls (what the exchange allows)"
    )
    parser.set_defaults(run=_run)


def _moment(text: str) -> int:
    from framework.data.moments import moment_ns

    try:
        return moment_ns(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
    return seconds


def _run(options: argparse.Namespace) -> int:
    import asyncio

    from framework.data.downloads import DownloadSettings
    from framework.data.info import describe
    from framework.data.info_text import format_info

    now_ns = time.time_ns()
    to_ns = now_ns if options.to_ns is None else options.to_ns
    if to_ns > now_ns:
        raise ConfigError("--to lies in the future; leave it out for all trades up to now")
    if options.from_ns >= to_ns:
        raise ConfigError("--from is not before --to; give a time that begins before it ends")
    line = ProgressLine(sys.stderr)
    settings = DownloadSettings(host=options.host, ca_file=options.ca, pause_s=options.pause, tell=line.say)
    try:
        download = asyncio.run(_download(options, to_ns, settings, line))
    finally:
        line.end()
    imported = download.finish()
    print(format_info(describe(imported.market, imported.statistics, imported.notes)))
    print(f"{len(imported.market.columns):,} trades downloaded into {options.out}")
    return 0


async def _download(
    options: argparse.Namespace, to_ns: int, settings: DownloadSettings, line: ProgressLine
) -> TradeDownload:
    from framework.adapter import choose_adapter
    from framework.data.downloads import TradeDownload, partial_path

    open_trades = choose_adapter(
        options.venue, lambda each: each.open_trades is not None, "trades are downloaded"
    ).open_trades
    assert open_trades is not None
    if options.out.exists():
        raise ConfigError(f"{options.out}: already exists; choose another folder or remove it first")
    async with open_trades(options.symbol, settings) as source:
        download = TradeDownload(options.out, source.spec, source.origin, options.from_ns, to_ns)
        try:
            if download.torn_bytes:
                line.say(f"{download.torn_bytes} bytes that were half written are left out and asked for again")
            if download.trade_count:
                line.say(f"going on with {download.trade_count:,} trades of {partial_path(options.out)}")
            while not download.is_done:
                download.take(await source.page(download.after_ns))
                line.show(_progress(download, options.from_ns, to_ns))
        finally:
            download.close()
    return download


def _progress(download: TradeDownload, from_ns: int, to_ns: int) -> str:
    from framework.data.moments import moment_text

    done = min(1.0, max(0.0, (download.last_ns - from_ns) / (to_ns - from_ns)))
    return f"{download.trade_count:,} trades up to {moment_text(download.last_ns)}, {done:.0%}"
