"""A run to be replayed: its inputs, the market that it was played on, and when it was started and ended."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from framework.backtest.config import RunConfig, StrategySection
from framework.backtest.loading import load_markets, load_profile
from framework.backtest.results import MARKET_FOLDER
from framework.backtest.run_folder import RunFolder
from framework.config_text import key_error
from framework.data.columns import Columns, Market
from framework.data.recorder import part_paths
from framework.data.recording import import_recording
from framework.errors import ConfigError, DataError
from framework.live.closing import AtEnd
from framework.protocol import VenueProfile

__all__ = ["RecordedRun", "Session"]

_LIVE = "live"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """When a run in real time was started and ended; see ``framework.backtest.run_writer.session_table``."""

    kind: str
    at_end: AtEnd
    ended_ns: int
    is_looped: bool = False
    started_ns: int | None = None
    closing_ns: int | None = None


class RecordedRun:
    """One run folder.

    config: its inputs, those of a live run that a backtest has too. session: of a run in real time; None for a
    backtest. markets: those that it was played on. is_taped: its market was recorded as it was told, with the time at
    which each message was received. notes: what a reader of the divergence has to know.
    """

    def __init__(self, path: Path, *, strategy: Path | None = None, profile: VenueProfile | None = None) -> None:
        """strategy: the strategy's file, if it is not where it was. profile: in place of the one that is installed.

        Raises DataError for a folder that is no run or lacks what a replay needs, ConfigError for inputs that make no
        sense here, such as a strategy's file that is not there or is not the one that was run.
        """
        self.folder = RunFolder.open(path)
        self.path = path
        self.notes: list[str] = []
        values = self.folder.inputs.values
        self.config = self._placed(_read(path, values, "config", RunConfig), strategy)
        self.session = _read(path, values, "session", Session) if "session" in values else None
        self.given_profile = profile
        self.profile = load_profile(self.config.venue.profile, self.config.venue.switches, profile)
        self.is_taped = bool(part_paths(path / MARKET_FOLDER))
        if self.config.market.source == _LIVE and not self.is_taped:
            raise DataError(
                f"{path}: the market of this live run is not in it ({MARKET_FOLDER}/), so it cannot be replayed; it is "
                "written down from the start of a run, as long as the disk has room"
            )
        self.markets = self._played()

    def _played(self) -> list[Market]:
        """The markets that it was played on."""
        if self.is_taped:
            return self._taped()
        markets = load_markets(self.config.market)
        for market, identity in zip(markets, self.folder.inputs.values["markets"], strict=False):
            first_ns = int(market.columns.ts_event_ns[0])
            is_whole = self.session is None
            if (
                market.spec.symbol != identity["symbol"]
                or first_ns != identity["first_ts_ns"]
                or (is_whole and len(market.columns) != identity["rows"])
            ):
                raise DataError(
                    f"{self.path}: the market of the run ({identity['symbol']}, {identity['rows']:,} rows) is not what "
                    f"its configuration names now ({market.spec.symbol}, {len(market.columns):,} rows); put it back"
                )
        return markets

    def start_s(self, first_ns: int) -> float:
        """When the strategy starts, in seconds after the market's first row. first_ns: the time of that."""
        if not self.is_taped or self.session is None or self.session.started_ns is None:
            return self.config.market.start_s
        return max(0, self.session.started_ns - first_ns) / 1e9

    # ------------------------------------------------------------------------------------------------- within

    def _taped(self) -> list[Market]:
        by_symbol = {}
        for imported in import_recording(self.path / MARKET_FOLDER, {}):
            by_symbol[imported.market.spec.symbol] = imported.market
            self.notes += [f"{imported.market.spec.symbol}: {note}" for note in imported.notes]
        symbols = list(self.folder.inputs.specs)
        missing = [symbol for symbol in symbols if symbol not in by_symbol]
        if missing:
            raise DataError(f"{self.path / MARKET_FOLDER}: nothing was recorded of {', '.join(missing)}")
        return [by_symbol[symbol] for symbol in symbols]

    def _placed(self, config: RunConfig, given: Path | None) -> RunConfig:
        """The configuration with its strategy's file, which must be the one that was run."""
        file = Path(config.strategy.path) if given is None else given
        if not file.is_file():
            raise ConfigError(
                f"{self.path}: its strategy {file} is not there; go to where the run was started, or give --strategy"
            )
        known = self.folder.inputs.values.get("strategy", {}).get("sha256")
        if known is not None and hashlib.sha256(file.read_bytes()).hexdigest() != known:
            if given is None:
                raise ConfigError(
                    f"{self.path}: its strategy {file} has changed since; give --strategy with the file as it was, or "
                    "with this one to replay it all the same"
                )
            self.notes.append(f"the strategy is replayed by {file}, which is not the file that was run")
        section: StrategySection = msgspec.structs.replace(config.strategy, path=str(file))
        return msgspec.structs.replace(config, strategy=section)


def shifted(market: Market, by_ns: int) -> Market:
    """A market whose venue's clock is put right by so much; times never go back."""
    if not by_ns:
        return market
    columns = {name: getattr(market.columns, name) for name in market.columns.__struct_fields__}
    columns["ts_event_ns"] = np.ascontiguousarray(columns["ts_event_ns"] + by_ns)
    return msgspec.structs.replace(market, columns=Columns(**columns))


def _read[T: msgspec.Struct](path: Path, values: dict[str, Any], key: str, kind: type[T]) -> T:
    try:
        return msgspec.convert(values.get(key), kind)
    except msgspec.ValidationError as error:
        text = key_error(str(error), values[key], kind, "")
        raise DataError(f"{path / 'run.toml'}: {text}; it is of another version, run it again") from None
