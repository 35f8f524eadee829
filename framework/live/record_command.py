"""The command ``tidegate record``: its options, and what it shows while it records."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from framework.commands import CommandEntry, named_values
from framework.errors import ConfigError
from framework.progress_line import ProgressLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from framework.adapter import Adapter, ConnectLive, LiveSettings
    from framework.data.recorder import Recorder

__all__ = ["RECORD"]


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("symbols", nargs="+", metavar="SYMBOL", help="pairs, BASE/QUOTE, like BTC/USD")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the recording; it goes on there"
    )
    parser.add_argument(
        "--depth", type=int, default=100, metavar="N", help="prices of each side of a book (default 100)"
    )
    parser.add_argument(
        "--orders", action="store_true", help="books order by order (level 3), for which an API key is needed"
    )
    parser.add_argument(
        "--own",
        action="store_true",
        help="own orders and fills too, as they are told, for which an API key is needed that may query them",
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        default=None,
        metavar="FILE",
        help="of the API key, which only its owner may read, or another place that the adapter knows, as keyring:NAME "
        "(default: the environment)",
    )
    parser.add_argument("--for", type=_seconds, default=None, dest="for_s", metavar="SECONDS", help="end after so long")
    parser.add_argument(
        "--store", type=Path, default=None, metavar="STORE", help="make a store of the whole recording at the end"
    )
    parser.add_argument("--fsync", action="store_true", help="force all to the disk: it survives a loss of power too")
    parser.add_argument("--venue", default=None, metavar="NAME", help="adapter; needed where several can be heard live")
    parser.add_argument(
        "--host", action="append", default=[], metavar="NAME=URL", help="an address in place of the exchange's own"
    )
    parser.add_argument("--ca", type=Path, default=None, metavar="FILE", help="authority to trust, in PEM")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="a setting of the adapter; may be repeated"
    )


def _run(options: argparse.Namespace) -> int:
    import asyncio

    from framework.adapter import LiveSettings, choose_adapter
    from framework.data.info import describe
    from framework.data.info_text import format_info
    from framework.data.recording import finish_recording

    if options.store is not None and options.store.exists():
        raise ConfigError(f"{options.store}: already exists; choose another folder or remove it first")
    adapter = choose_adapter(options.venue, lambda each: each.connect_live is not None, "markets are heard")
    connect = adapter.connect_live
    assert connect is not None
    own = _own_links(adapter) if options.own else ()
    settings = LiveSettings(
        links={name: name for name in own},
        hosts=named_values("--host", options.host),
        ca_file=options.ca,
        credentials=options.key_file,
        has_orders=options.orders,
        options=named_values("--option", options.option),
    )
    line = ProgressLine(sys.stderr)
    try:
        recorder, gap_count = asyncio.run(_record(options, settings, connect, line, own))
    finally:
        line.end()
    gaps = f"{gap_count:,} gap{'s' * (gap_count != 1)}"
    print(f"{recorder.row_count:,} rows, {gaps}; the recording is in {options.out}")
    if options.store is not None:
        for imported in finish_recording(options.out, options.store):
            print(format_info(describe(imported.market, imported.statistics, imported.notes)))
    return 0


def _own_links(adapter: Adapter) -> tuple[str, str]:
    """The links that tell of own orders on the usual road: the one that pushes news, and the one that is asked."""
    from framework.backtest.config import RoadSection
    from framework.backtest.loading import load_profile, resolve_road

    _, policy = resolve_road(load_profile(adapter.name, {}), RoadSection())
    assert policy.query is not None
    return policy.news, policy.query


async def _record(
    options: argparse.Namespace,
    settings: LiveSettings,
    connect: ConnectLive,
    line: ProgressLine,
    own: Sequence[str],
) -> tuple[Recorder, int]:
    import asyncio
    import signal

    from framework.data.recorder import RecordedInstrument, Recorder
    from framework.live.clock import LiveClock
    from framework.live.own_events import OwnEvents
    from framework.live.recording import record_markets

    loop = asyncio.get_running_loop()
    clock = LiveClock(loop)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    venue = await connect(settings, clock)
    try:
        symbols = list(dict.fromkeys(options.symbols))
        for symbol in symbols:
            if symbol not in venue.instruments:
                raise ConfigError(f"there is no pair {symbol}; write it as BASE/QUOTE, like BTC/USD")
        if options.orders and venue.orders is None:
            raise ConfigError("--orders: this venue tells no books order by order")
        told = "L3" if options.orders else "L2"
        instruments = [RecordedInstrument(spec=venue.instruments[symbol], depth=told) for symbol in symbols]
        recorder = Recorder(options.out, instruments, clock.now_ns, is_forced=options.fsync)
        if recorder.torn_bytes:
            line.say(f"{recorder.torn_bytes} bytes that were half written are left out")
        if options.for_s is not None:
            loop.call_later(options.for_s, stopped.set)

        events = None
        if own:
            news, query = (venue.links[name] for name in own)
            events = OwnEvents(recorder, news, query, clock, line.say)

        def show(gap_count: int) -> None:
            told = "" if events is None else f"{events.count:,} own events, "
            line.show(f"{recorder.row_count:,} rows, {told}{gap_count:,} gap{'s' * (gap_count != 1)}")

        if events is not None:
            events.open()
        listener = await record_markets(
            venue, recorder, symbols, options.depth, clock, stopped, line.say, show, has_orders=options.orders
        )
        if events is not None:
            events.close()
            line.say(f"{events.count:,} own events, {events.gap_count:,} times not heard")
        return recorder, listener.gap_count
    finally:
        await venue.close()


RECORD = CommandEntry(
    summary="record books and trades of a live venue",
    description=(
        "Record the books (with every checksum checked) and trades of some pairs until Ctrl-C. What is heard is on the "
        "disk within a second and stays whole, whatever ends this program; the same command goes on with a recording. "
        "What was not heard is written down as a gap. `tidegate data import recording DIR` makes a store of it."
    ),
    add_arguments=_add_arguments,
    run=_run,
)
