"""Paper on a live market: the simulated venue in process, its rows those that are heard, money simulated.

The rows that the venue matches against are recorded as they are given to it. A backtest of that recording, with what
the run's inputs say of times in which the market was not known, is the same run, event for event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from framework.adapter import LiveMarket
from framework.backtest.config import FaultSection, MarketSection, RunConfig
from framework.data.columns import COLUMN_TYPES, Columns, Market
from framework.data.live_rows import MarketRow
from framework.data.recorder import RecordedInstrument, Recorder
from framework.data.recording import import_recording
from framework.data.store import Store, write_store
from framework.errors import OutputError
from framework.live.closing import AtEnd
from framework.live.heard_markets import HeardMarkets
from framework.live.journal import IntentJournal
from framework.live.observer import Observer
from framework.live.paper import PaperNode
from framework.live.sequence import Turn
from framework.protocol import InstrumentSpec, VenueProfile
from framework.strategy import Strategy

__all__ = ["MarketPaper", "hear"]

_NS = 1_000_000_000
_FLUSH_NS = _NS // 4
# With so much waiting for a disk that has no room, the run ends rather than the machine.
_PENDING_BYTES_MAX = 1 << 29


def hear(
    market: LiveMarket,
    symbols: Sequence[str],
    depth: int,
    now_ns: Callable[[], int],
    hold_ns: int,
    tell: Callable[[str], None],
) -> HeardMarkets:
    """Begin to hear books (of this depth) and trades. Raises ConfigError for a depth that there is not."""
    heard = HeardMarkets(symbols, now_ns, lambda: market.heard_ns, hold_ns, tell)
    market.attach(heard)
    for symbol in symbols:
        market.subscribe(symbol, "trade")
        market.subscribe(symbol, "book", depth)
    market.open()
    return heard


class MarketPaper:
    """One paper run on live markets; ``drive`` lets it live.

    node: the run itself. It begins with the books as they are known now.
    """

    def __init__(
        self,
        config: RunConfig,
        heard: HeardMarkets,
        specs: Sequence[InstrumentSpec],
        recording: Path,
        tell: Callable[[str], None],
        *,
        at_end: AtEnd = AtEnd.CANCEL,
        for_s: float | None = None,
        strategy: Strategy | None = None,
        profile: VenueProfile | None = None,
        intents: IntentJournal | None = None,
        observer: Observer | None = None,
    ) -> None:
        """specs: of the markets that are heard, in that order. recording: folder of what is heard, a new one.

        Raises ConfigError for a folder that holds other things, and OutputError where it cannot be written.
        """
        self._heard = heard
        self._tell = tell
        self._folder = recording
        self._symbols = tuple(spec.symbol for spec in specs)
        self._config = config
        self._gaps: dict[str, Turn] = {}
        self._faults: list[FaultSection] = []
        newest_ns = max(heard.sequences[symbol].last_ns for symbol in self._symbols)
        self.first_ns = max(heard.horizon_ns(), newest_ns)
        begun = {symbol: heard.sequences[symbol].begin(self.first_ns) for symbol in self._symbols}
        self._recorder = Recorder(
            recording, [RecordedInstrument(spec=spec, depth="L2") for spec in specs], self.first_ns
        )
        self._flushed_ns = self.first_ns
        self._is_full = False
        for symbol, rows in begun.items():
            self._recorder.add_rows(symbol, rows)
        markets = [
            Market(spec=spec, columns=_columns(begun[spec.symbol]), depth="L2", has_trades=True) for spec in specs
        ]
        self.node = PaperNode(
            config,
            is_looped=False,
            is_growing=True,
            at_end=at_end,
            for_s=for_s,
            markets=markets,
            strategy=strategy,
            profile=profile,
            intents=intents,
            observer=observer,
        )

    # ------------------------------------------------------------------------------------------------- life

    @property
    def now_ns(self) -> int:
        """The present of the run, nanoseconds since the epoch."""
        return self.node.now_ns

    @property
    def is_done(self) -> bool:
        """Whether the run is over."""
        return self.node.is_done

    def begin(self) -> None:
        """Start it."""
        self.node.begin()

    def run_until(self, now_ns: int) -> None:
        """Let time pass up to an instant, but no further than the market has been heard."""
        until_ns = min(now_ns, self._heard.horizon_ns())
        if until_ns <= self.node.now_ns:
            return
        simulation = self.node.simulation
        for index, symbol in enumerate(self._symbols):
            released = self._heard.sequences[symbol].release(until_ns)
            for turn in released.turns:
                if not turn.is_known:
                    self._recorder.add_gap(symbol, turn.ts_ns, turn.reason)
                simulation.scheduler.at(turn.ts_ns, self._turn, symbol, turn)
            if released.rows:
                simulation.kernel.extend(index, _columns(released.rows))
                self._recorder.add_rows(symbol, released.rows)
        self.node.run_until(until_ns)
        if until_ns - self._flushed_ns >= _FLUSH_NS:
            self._flushed_ns = until_ns
            self._flush()

    def status(self) -> str:
        """How it stands, in words."""
        unknown = [symbol for symbol in self._symbols if not self._heard.sequences[symbol].is_known]
        return self.node.status() + (f"; not known: {', '.join(unknown)}" if unknown else "")

    def said(self) -> str:
        """What of the market was not heard, in words."""
        sequences = self._heard.sequences.values()
        parts = [f"{len(self._faults) + len(self._gaps):,} times a book was not known"]
        for count, what in (
            (self._heard.missed_trades, "trades were not told"),
            (sum(each.unheard_trades for each in sequences), "trades were made while their book was not known"),
            (sum(each.late_trades for each in sequences), "trades were told too late"),
            (sum(each.late_rows for each in sequences), "changes were told late and dated by when they came"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        return f"of the market: {'; '.join(parts)}"

    def finish(self) -> None:
        """Let go of everything; nothing happens any more. Raises OutputError where the recording cannot be ended."""
        self.node.finish()
        self._recorder.close(self.node.now_ns)

    def write(self, out: Path, store: Path) -> Path:
        """Write the run folder, and a store of what was heard, which replaces the recording; returns the run folder.

        Raises OutputError or DataError where one of them cannot be written; the recording is left then.
        """
        write_store(store, import_recording(self._folder, {}))
        simulation = self.node.simulation
        stored = Store.open(store)  # whose rows are mapped from its files, and need no memory
        simulation.markets = [stored.market(symbol) for symbol in self._symbols]
        played = self._config.market
        faults = [*self._config.faults, *self._faults]
        faults += [self._fault(symbol, turn.ts_ns, None) for symbol, turn in self._gaps.items()]
        simulation.config = msgspec.structs.replace(
            simulation.config,
            market=MarketSection(
                source="store",
                path=str(store),
                symbols=self._symbols,
                queue_model=played.queue_model,
                queue_parameter=played.queue_parameter,
            ),
            faults=tuple(faults),
        )
        folder = self.node.write(out)
        for part in sorted(self._folder.iterdir()):
            part.unlink()
        self._folder.rmdir()
        return folder

    # ------------------------------------------------------------------------------------------------- within

    def _turn(self, symbol: str, turn: Turn) -> None:
        """A book is lost, or known again: while it is not, the venue takes cancels only."""
        simulation = self.node.simulation
        if turn.is_known:
            begun = self._gaps.pop(symbol, None)
            if begun is not None:
                self._faults.append(self._fault(symbol, begun.ts_ns, turn.ts_ns))
        else:
            self._gaps[symbol] = turn
        simulation.venue.set_unheard(symbol, not turn.is_known, simulation.scheduler.now_ns)
        simulation.gateway.flush()

    def _fault(self, symbol: str, from_ns: int, to_ns: int | None) -> FaultSection:
        """The same as the schedule of a backtest; one without end lasts for ever."""
        return FaultSection(
            kind="unheard",
            symbol=symbol,
            at_s=(from_ns - self.first_ns) / _NS,
            for_s=0.0 if to_ns is None else (to_ns - from_ns) / _NS,
        )

    def _flush(self) -> None:
        try:
            self._recorder.flush(self.node.now_ns)
        except OutputError as error:
            if self._recorder.pending_bytes > _PENDING_BYTES_MAX:
                raise
            if not self._is_full:
                self._tell("; ".join([str(error), *getattr(error, "__notes__", ())]))
            self._is_full = True
            return
        if self._is_full:
            self._tell("there is room again; all that waited is written")
        self._is_full = False


def _columns(rows: list[MarketRow]) -> Columns:
    arrays = {
        name: np.array([getattr(row, name) for row in rows], dtype)
        for name, dtype in COLUMN_TYPES.items()
        if name != "order_id"
    }
    return Columns(order_id=np.zeros(0, np.int64), **arrays)
