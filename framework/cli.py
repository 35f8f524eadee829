"""The ``tidegate`` command.

Everything that a user can do wrong ends in one line on standard error that says what, with which value, and how to mend
it, and in exit code 2. Where a strategy's own code raises, its traceback comes before that line, and the code is 1.
Anything else that is raised is a bug of ours and shows its traceback.

An exchange is reached only through its adapter's entry point. Heavy modules are imported by the command that needs
them, so that ``tidegate --help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from framework.commands import load_commands
from framework.data_download import add_download_arguments
from framework.diverge.command import DIVERGE
from framework.errors import ConfigError, OutputError, StrategyError, TidegateError
from framework.live.command import PAPER
from framework.live.health.top_command import TOP
from framework.live.kill_command import KILL
from framework.live.live_command import LIVE
from framework.live.reconcile_command import RECONCILE
from framework.live.record_command import RECORD

if TYPE_CHECKING:
    from framework.data.imports import ImportFormat

__all__ = ["command_parser", "main", "positive", "run_guarded"]

_EXIT_STRATEGY = 1
_EXIT_USER_ERROR = 2
_EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0, 1 where the strategy raised, 2 for a mistake, 130 after Ctrl-C."""
    parser = command_parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help(sys.stderr)
        return _EXIT_USER_ERROR
    return run_guarded("tidegate", lambda: int(options.run(options)))


def run_guarded(name: str, work: Callable[[], int]) -> int:
    """Do a command's work; what a user can do wrong ends in one line on standard error. Returns the exit code.

    name: of the command, at the start of that line.
    """
    try:
        code = work()
        sys.stdout.flush()
    except StrategyError as e:
        if e.__cause__ is not None:
            traceback.print_exception(e.__cause__)
        return _tell(name, e, str(e), _EXIT_STRATEGY)
    except TidegateError as e:
        return _tell(name, e, str(e), _EXIT_USER_ERROR)
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep the interpreter from complaining when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as e:
        # What has no file name comes from printing; Arrow's errors have a text only.
        text = f"{e.filename or 'standard output'}: {e.strerror}" if e.strerror else str(e)
        return _tell(name, e, text, _EXIT_USER_ERROR)
    except KeyboardInterrupt as e:
        return _tell(name, e, "interrupted", _EXIT_INTERRUPTED)
    return code


def _tell(name: str, error: BaseException, text: str, code: int) -> int:
    """Say what ended the command in one line, with what was noted on the way; returns the exit code."""
    print(f"{name}: {'; '.join([text, *getattr(error, '__notes__', ())])}", file=sys.stderr)
    return code


# ------------------------------------------------------------------------------------------------------ arguments

_RUN_FOLDER = """
DIR is made if it is not there. A run that it holds is replaced: that run's own files and no others. A folder that holds
other things is refused.
"""
_COMPARISON_FOLDER = """
DIR gets one folder for each road and seed, the table, the finding and report.html. A comparison that it holds is
replaced, with its runs. A folder that holds other things is refused. After Ctrl-C, runs that were done stay, and DIR
says that it is unfinished. All roads of a seed play the same market; results do not depend on --workers.
"""


def command_parser() -> argparse.ArgumentParser:
    """The parser of the command: every word and option that it knows."""
    parser = argparse.ArgumentParser(
        prog="tidegate",
        description="Backtests in which the road of an order (REST, WebSocket, FIX) is part of the model.",
        epilog="tidegate COMMAND --help tells more of each.",
    )
    parser.add_argument("--version", action="version", version=f"tidegate {version('tidegate')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_run_commands(commands)
    _add_data_commands(commands)
    protocols = commands.add_parser(
        "protocols",
        help="what a venue's protocols can do, with the source of each value",
        description="Print what a venue's protocols can do, and the page or assumption that each value comes from.",
    )
    protocols.add_argument("--venue", default=None, metavar="NAME", help="adapter; needed where several state a venue")
    protocols.set_defaults(run=_protocols)
    own = {
        "paper": PAPER,
        "live": LIVE,
        "kill": KILL,
        "reconcile": RECONCILE,
        "record": RECORD,
        "diverge": DIVERGE,
        "top": TOP,
    }
    for word, entry in (own | load_commands()).items():
        added = commands.add_parser(word, help=entry.summary, description=entry.description)
        entry.add_arguments(added)
        added.set_defaults(run=entry.run)
    return parser


def _add_run_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backtest = commands.add_parser(
        "backtest",
        help="run one configuration",
        description="Run one configuration; print its figures and write a run folder with report.html.",
        epilog=_RUN_FOLDER,
    )
    backtest.add_argument(
        "config", type=Path, metavar="CONFIG.toml", help="market, strategy, venue and road of the run"
    )
    backtest.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the run")
    backtest.set_defaults(run=_backtest)

    compare = commands.add_parser(
        "compare",
        help="run one configuration over several roads and seeds, side by side",
        description="Run one configuration over several roads and seeds; print the figures side by side and a finding.",
        epilog=_COMPARISON_FOLDER,
    )
    compare.add_argument(
        "config", type=Path, metavar="CONFIG.toml", help="as for backtest; its road and seed are varied"
    )
    compare.add_argument("--roads", metavar="A,B,...", help="names of roads; all of the venue's if left out")
    compare.add_argument(
        "--seeds", type=positive, default=5, metavar="N", help="seeds 1 to N for each road (default 5)"
    )
    compare.add_argument("--workers", type=positive, default=None, metavar="N", help="processes (default: processors)")
    compare.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the runs and the report")
    compare.set_defaults(run=_compare)

    report = commands.add_parser(
        "report",
        help="write report.html of a run or a comparison anew",
        description="Write report.html anew from what is in a folder, and print its path.",
    )
    report.add_argument("folder", type=Path, metavar="DIR", help="the --out of backtest or compare")
    report.set_defaults(run=_report)


def _add_data_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    data = commands.add_parser(
        "data",
        help="import recorded markets, and look at them",
        description="Import recorded markets into a store, look at it, and export it.",
    )
    data_commands = data.add_subparsers(title="commands", metavar="COMMAND", required=True)
    imports = data_commands.add_parser(
        "import",
        help="import a recording into a store",
        description="Import a recording into a store, in full or not at all, and print what is in it.",
    )
    imports.add_argument("format", metavar="FORMAT", help="one of `tidegate data formats`")
    imports.add_argument("source", type=Path, metavar="SOURCE", help="file or folder of the recording")
    imports.add_argument("--out", type=Path, required=True, metavar="STORE", help="folder of the store")
    imports.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="an option of the format; may be repeated"
    )
    imports.add_argument("--replace", action="store_true", help="replace a store that is there")
    imports.set_defaults(run=_data_import)
    exports = data_commands.add_parser(
        "export",
        help="write a store in another tool's format",
        description="Write a store as NautilusTrader's Parquet catalog, or as hftbacktest's .npz, one for each symbol.",
    )
    exports.add_argument(
        "format", choices=("nautilus", "hftbacktest"), metavar="FORMAT", help="nautilus or hftbacktest"
    )
    exports.add_argument("store", type=Path, metavar="STORE", help="folder of the store")
    exports.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    exports.add_argument("--symbol", default=None, help="one instrument of the store; all if left out")
    exports.set_defaults(run=_data_export)
    download = data_commands.add_parser(
        "download",
        help="download a venue's public trades into a store",
        description="Download the public trades of a pair into a store, in full or not at all. What was had of a "
        "download that was stopped is kept beside the store; the same command goes on from there.",
    )
    add_download_arguments(download)
    info = data_commands.add_parser(
        "info",
        help="what is in a store: span, gaps, spread, depth, trades",
        description="Print what is in a store: span, pauses, crossed books, checksums, spread, depth, trades, orders.",
    )
    info.add_argument("store", type=Path, metavar="STORE", help="folder of the store")
    info.set_defaults(run=_data_info)
    formats = data_commands.add_parser(
        "formats",
        help="the formats that can be imported, with their options",
        description="Print the formats that can be imported, with the options of each.",
    )
    formats.set_defaults(run=lambda _: _data_formats())


def positive(text: str) -> int:
    """The type of an argument that is a whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


# ------------------------------------------------------------------------------------------------------------ runs


def _backtest(options: argparse.Namespace) -> int:
    from framework.backtest.comparison import compare, comparison_table
    from framework.backtest.config import load_config
    from framework.backtest.metrics import read_metrics
    from framework.backtest.runner import run_backtest
    from framework.report import write_report

    config = load_config(options.config)
    started_s = time.perf_counter()
    folder = run_backtest(config, options.out)
    took_s = time.perf_counter() - started_s
    print(comparison_table(compare([read_metrics(folder)])))
    page = write_report(folder)
    print(f"\nrun in {took_s:.1f} s; everything is in {folder}, to look at: {page}")
    return 0


def _compare(options: argparse.Namespace) -> int:
    from framework.backtest.comparing import compare_roads
    from framework.backtest.config import load_config
    from framework.backtest.loading import load_profile
    from framework.report import write_report

    config = load_config(options.config)
    profile = load_profile(config.venue.profile, config.venue.switches)
    known = [road.name for road in profile.roads]
    roads = known if options.roads is None else [road.strip() for road in options.roads.split(",")]
    for road in roads:
        if road not in known:
            raise ConfigError(f"--roads {options.roads}: there is no road {road!r}; there is {', '.join(known)}")
    compare_roads(config, roads, range(1, options.seeds + 1), options.out, workers=options.workers)
    print(f"everything is in {options.out}, to look at: {write_report(options.out)}")
    return 0


def _report(options: argparse.Namespace) -> int:
    from framework.report import write_report

    print(write_report(options.folder))
    return 0


# ------------------------------------------------------------------------------------------------------------ data


def _formats() -> dict[str, ImportFormat]:
    from framework.adapter import load_adapters
    from framework.data.formats import FORMATS

    formats = dict(FORMATS)
    for adapter in load_adapters().values():
        formats.update(adapter.formats)
    return formats


def _data_import(options: argparse.Namespace) -> int:
    from framework.data.info import describe
    from framework.data.info_text import format_info
    from framework.data.store import write_store

    formats = _formats()
    if options.format not in formats:
        raise ConfigError(f"there is no format {options.format!r}; there is {', '.join(sorted(formats))}")
    given = {}
    for item in options.option:
        name, separator, value = item.partition("=")
        if not separator:
            raise ConfigError(f"--option {item}: it must be NAME=VALUE")
        given[name] = value
    chosen = formats[options.format]
    imported = chosen.read(options.source, given)
    own_events = () if chosen.own_events is None else chosen.own_events(options.source)
    write_store(options.out, imported, is_replacing=options.replace, own_events=own_events)
    for market in imported:
        print(format_info(describe(market.market, market.statistics, market.notes)))
    print(f"{_count(len(imported), 'instrument')} imported into {options.out}")
    return 0


def _data_export(options: argparse.Namespace) -> int:
    from framework.data.hftbacktest_npz import export_hftbacktest
    from framework.data.nautilus_export import export_catalog
    from framework.data.store import Store

    store = Store.open(options.store)
    if options.out.exists() and not options.out.is_dir():
        raise OutputError(f"{options.out}: is a file; name a folder for the export")
    for symbol in [options.symbol] if options.symbol else store.symbols:
        market = store.market(symbol)
        if options.format == "nautilus":
            export_catalog(market, options.out)
            print(f"{symbol}: {_count(len(market.columns), 'row')} into the catalog {options.out}")
        else:
            path = options.out / f"{symbol.replace('/', '-')}.npz"
            if path.exists():
                raise OutputError(f"{path}: already exists; export to another folder or remove it first")
            options.out.mkdir(parents=True, exist_ok=True)
            export_hftbacktest(market, path)
            print(f"{symbol}: {_count(len(market.columns), 'row')} into {path}")
    return 0


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _data_info(options: argparse.Namespace) -> int:
    from framework.data.info import describe
    from framework.data.info_text import format_info
    from framework.data.store import OWN_EVENTS, Store

    store = Store.open(options.store)
    for symbol in store.symbols:
        entry = store.entry(symbol)
        print(format_info(describe(store.market(symbol), entry.statistics, entry.notes)))
    if store.info.own_events:
        print(f"{_count(store.info.own_events, 'event')} of one's own: {store.path / OWN_EVENTS}")
    return 0


def _data_formats() -> int:
    for name, each in sorted(_formats().items()):
        print(f"{name}\n    {each.description}")
        for option in each.options:
            default = f' (default "{option.default}")' if option.default else ""
            print(f"    --option {option.name}=...  {option.description}{default}")
    return 0


# ------------------------------------------------------------------------------------------------------------ venue


def _protocols(options: argparse.Namespace) -> int:
    from framework.adapter import load_adapters
    from framework.protocol_table import format_protocols

    profiles = {adapter.name: adapter.profile for adapter in load_adapters().values() if adapter.profile is not None}
    if options.venue is None and len(profiles) != 1:
        raise ConfigError(
            f"--venue must name one of {', '.join(profiles) or 'the adapters, of which none is installed'}"
        )
    name = options.venue or next(iter(profiles))
    if name not in profiles:
        raise ConfigError(f"there is no venue {name!r}; there is {', '.join(profiles)}")
    print(format_protocols(profiles[name]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
