"""The market of a live run, written down as it was told: what a replay of the run is played on.

Who trades hears of a message before it is kept, and it is packed and written when the run has nothing better to do.
Where it cannot be written, trading goes on without it, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from framework.adapter import MarketListener
from framework.data.live_rows import MarketRow, Quote
from framework.data.recorder import RecordedInstrument, Recorder
from framework.errors import OutputError

__all__ = ["MarketTape", "tape_path"]


def tape_path(out: Path) -> Path:
    """Where the market of a run lies until its folder is written; then it is moved there."""
    place = out.resolve()
    return place.with_name(f".{place.name}.market")


class MarketTape:
    """A ``framework.adapter.MarketListener`` between a market and who trades on it.

    folder: of the recording (``framework.data.recorder``). is_whole: nothing of it is missing for want of room.
    """

    def __init__(
        self,
        folder: Path,
        instruments: Sequence[RecordedInstrument],
        listener: MarketListener,
        now_ns: int,
        say: Callable[[str], None],
    ) -> None:
        """say: hears in words that it cannot be written. Raises OutputError, and ConfigError for a folder in use."""
        self.folder = folder
        self.is_whole = True
        self._listener = listener
        self._say = say
        self._symbols = frozenset(each.spec.symbol for each in instruments)
        self._heard: list[tuple[str, list[MarketRow]]] = []
        self._recorder = Recorder(folder, instruments, now_ns)

    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        self._listener.book_changed(symbol, rows)
        self._heard.append((symbol, rows))

    def traded(self, symbol: str, rows: list[MarketRow]) -> None:
        self._listener.traded(symbol, rows)
        self._heard.append((symbol, rows))

    def quoted(self, symbol: str, quote: Quote) -> None:
        self._listener.quoted(symbol, quote)

    def trades_missed(self, symbol: str, count: int, ts_recv_ns: int) -> None:
        self._listener.trades_missed(symbol, count, ts_recv_ns)
        self._gap(symbol, ts_recv_ns, f"{count:,} trade{'s' * (count != 1)} not told", is_book_lost=False)

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        self._listener.market_lost(symbol, reason, ts_recv_ns)
        self._gap(symbol, ts_recv_ns, reason, is_book_lost=True)

    def flush(self, now_ns: int) -> None:
        """Write what was heard."""
        if not self.is_whole:
            return
        try:
            self._pack()
            self._recorder.flush(now_ns)
        except OutputError as error:
            self._end(error)

    def close(self, now_ns: int) -> None:
        """Write what was heard, and let go of the files."""
        if not self.is_whole:
            return
        try:
            self._pack()
            self._recorder.close(now_ns)
        except OutputError as error:
            self._end(error)

    # ------------------------------------------------------------------------------------------------- within

    def _gap(self, symbol: str, ts_recv_ns: int, reason: str, *, is_book_lost: bool) -> None:
        if self.is_whole and symbol in self._symbols:
            self._pack()
            self._recorder.add_gap(symbol, ts_recv_ns, reason, is_book_lost=is_book_lost)

    def _pack(self) -> None:
        heard, self._heard = self._heard, []
        if self.is_whole:
            for symbol, rows in heard:
                if rows:
                    self._recorder.add_rows(symbol, rows)

    def _end(self, error: OutputError) -> None:
        self.is_whole = False
        self._heard.clear()
        self._say(f"the market is not written down any more, the run cannot be replayed: {error}")
