"""The ``tidegate`` command.

Everything that a user can do wrong ends in one line on standard error that says what and how to mend it, and exit code
2; an exchange is reached only through its adapter's entry point. Heavy modules are imported by the command that needs
them, so that ``tidegate --help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from framework.errors import ConfigError, TidegateError

if TYPE_CHECKING:
    from framework.data.imports import ImportFormat

__all__ = ["main"]

_EXIT_USER_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0, 2 for a user's mistake, 130 for Ctrl-C."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help()
        return _EXIT_USER_ERROR
    try:
        code: int = options.run(options)
    except TidegateError as e:
        print(f"tidegate: {e}", file=sys.stderr)
        return _EXIT_USER_ERROR
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep the interpreter from complaining when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as e:
        print(f"tidegate: {e.filename or ''}: {e.strerror or e}", file=sys.stderr)
        return _EXIT_USER_ERROR
    except KeyboardInterrupt:
        print("tidegate: interrupted", file=sys.stderr)
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tidegate",
        description="Backtests in which the road of an order (REST, WebSocket, FIX) is part of the model.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    backtest = commands.add_parser("backtest", help="run one configuration")
    backtest.add_argument("config", type=Path, metavar="CONFIG.toml")
    backtest.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the run")
    backtest.set_defaults(run=_backtest)

    compare = commands.add_parser("compare", help="run one configuration over several roads and seeds, side by side")
    compare.add_argument("config", type=Path, metavar="CONFIG.toml")
    compare.add_argument("--roads", default=None, help="comma-separated names of roads; all of the venue's if left out")
    compare.add_argument("--seeds", type=_positive, default=5, metavar="N", help="seeds for each road (default 5)")
    compare.add_argument("--workers", type=_positive, default=None, metavar="N", help="processes (default: processors)")
    compare.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the runs and the report")
    compare.set_defaults(run=_compare)

    report = commands.add_parser("report", help="write report.html of a run or a comparison anew")
    report.add_argument("folder", type=Path, metavar="DIR")
    report.set_defaults(run=_report)

    data = commands.add_parser("data", help="import recorded markets, and look at them")
    data_commands = data.add_subparsers(title="commands", metavar="COMMAND", required=True)
    imports = data_commands.add_parser("import", help="import a recording into a store")
    imports.add_argument("format", metavar="FORMAT", help="see `tidegate data formats`")
    imports.add_argument("source", type=Path, metavar="SOURCE", help="file or folder of the recording")
    imports.add_argument("--out", type=Path, required=True, metavar="STORE", help="folder of the store")
    imports.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="an option of the format; may be repeated"
    )
    imports.add_argument("--replace", action="store_true", help="replace a store that is there")
    imports.set_defaults(run=_data_import)
    exports = data_commands.add_parser("export", help="write a store in another tool's format")
    exports.add_argument("format", choices=("nautilus", "hftbacktest"))
    exports.add_argument("store", type=Path, metavar="STORE")
    exports.add_argument("--out", type=Path, required=True, metavar="PATH")
    exports.add_argument("--symbol", default=None, help="one instrument of the store; all if left out")
    exports.set_defaults(run=_data_export)
    info = data_commands.add_parser("info", help="what is in a store: span, gaps, spread, depth, trades")
    info.add_argument("store", type=Path, metavar="STORE")
    info.set_defaults(run=_data_info)
    formats = data_commands.add_parser("formats", help="the formats that can be imported, with their options")
    formats.set_defaults(run=lambda _: _data_formats())

    protocols = commands.add_parser("protocols", help="what a venue's protocols can do, with the source of each value")
    protocols.add_argument("--venue", default=None, help="name of the adapter; needed where several state a venue")
    protocols.set_defaults(run=_protocols)
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


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
    roads = options.roads.split(",") if options.roads else known
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
    imported = formats[options.format].read(options.source, given)
    write_store(options.out, imported, is_replacing=options.replace)
    for market in imported:
        print(format_info(describe(market.market, market.statistics, market.notes)))
    print(f"\n{len(imported)} instrument(s) imported into {options.out}")
    return 0


def _data_export(options: argparse.Namespace) -> int:
    from framework.data.hftbacktest_npz import export_hftbacktest
    from framework.data.nautilus_export import export_catalog
    from framework.data.store import Store

    store = Store.open(options.store)
    for symbol in [options.symbol] if options.symbol else store.symbols:
        market = store.market(symbol)
        if options.format == "nautilus":
            export_catalog(market, options.out)
            print(f"{symbol}: {len(market.columns)} rows into the catalog {options.out}")
        else:
            path = options.out / f"{symbol.replace('/', '-')}.npz"
            options.out.mkdir(parents=True, exist_ok=True)
            export_hftbacktest(market, path)
            print(f"{symbol}: {len(market.columns)} rows into {path}")
    return 0


def _data_info(options: argparse.Namespace) -> int:
    from framework.data.info import describe
    from framework.data.info_text import format_info
    from framework.data.store import Store

    store = Store.open(options.store)
    for symbol in store.symbols:
        entry = store.entry(symbol)
        print(format_info(describe(store.market(symbol), entry.statistics, entry.notes)))
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
    from framework.backtest.loading import load_profile
    from framework.protocol_table import format_protocols

    print(format_protocols(load_profile(options.venue, {})))
    return 0


if __name__ == "__main__":
    sys.exit(main())
