"""Live markets as a simulated venue can play them: in order, and no further than they have been heard.

Time in such a venue is behind the machine's by how long news of the market takes to come, and by a fixed hold that lets
what is told late stand in its place. It passes only as far as the market has been heard: while nothing is heard for
longer than the hold, it stands still, until something comes or the connection is given up as lost. From a loss to the
next snapshot the book is empty, and time passes with the clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from framework.data.columns import SNAPSHOT
from framework.data.live_rows import MarketRow, Quote
from framework.live.sequence import UNIT_NS, MarketSequence

__all__ = ["HeardMarkets"]

# The newest so many book messages say how long news takes.
_LAGS = 256


class HeardMarkets:
    """Hears markets; a ``framework.adapter.MarketListener``.

    sequences: by symbol. missed_trades: trades that were made and never told. refusals: why subscriptions were refused.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        now_ns: Callable[[], int],
        heard_ns: Callable[[], int],
        hold_ns: int,
        tell: Callable[[str], None],
    ) -> None:
        """now_ns: the clock that messages are stamped with. heard_ns: when anything was heard last, by it.

        tell: hears in words of what is lost.
        """
        self.sequences = {symbol: MarketSequence() for symbol in symbols}
        self.missed_trades = 0
        self.refusals: list[str] = []
        self._now_ns = now_ns
        self._heard_ns = heard_ns
        self._hold_ns = hold_ns
        self._tell = tell
        self._lags: deque[int] = deque(maxlen=_LAGS)

    @property
    def is_known(self) -> bool:
        """Whether every book is known."""
        return all(sequence.is_known for sequence in self.sequences.values())

    @property
    def is_ready(self) -> bool:
        """Whether it can be played: every book is known, and so is how long news takes."""
        return self.is_known and bool(self._lags)

    @property
    def lag_ns(self) -> int:
        """How long news of the market takes to be heard, clocks' difference included: the longest of the newest."""
        return max(self._lags, default=0)

    def horizon_ns(self) -> int:
        """The time of the market up to which all has been told that will be; the last nanosecond of a microsecond."""
        now_ns = self._now_ns()
        if any(sequence.is_known for sequence in self.sequences.values()):
            heard_ns = self._heard_ns()
            now_ns = heard_ns + min(max(now_ns - heard_ns, 0), self._hold_ns)
        return (now_ns - self.lag_ns - self._hold_ns) // UNIT_NS * UNIT_NS - 1

    # ------------------------------------------------------------------------------------------------- heard

    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        sequence = self.sequences.get(symbol)
        if sequence is None:
            return
        if not rows[0].flags & SNAPSHOT:
            self._lags.append(rows[0].ts_recv_ns - rows[0].ts_event_ns)
        elif not sequence.is_known:
            self._tell(f"{symbol}: the book is known")
        sequence.add_book(rows)

    def traded(self, symbol: str, rows: list[MarketRow]) -> None:
        sequence = self.sequences.get(symbol)
        if sequence is not None:
            sequence.add_trades(rows)

    def quoted(self, symbol: str, quote: Quote) -> None:
        return

    def trades_missed(self, symbol: str, count: int, ts_recv_ns: int) -> None:
        self.missed_trades += count
        self._tell(f"{symbol}: {count:,} trade{'s' * (count != 1)} not told; nothing is filled by them")

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        sequence = self.sequences.get(symbol)
        if sequence is None:
            self.refusals.append(reason)
            self._tell(reason)
            return
        self._tell(f"{symbol}: {reason}; until its book is known again orders are refused and nothing is filled")
        self.refusals.append(f"{symbol}: {reason}")
        sequence.lose(reason, ts_recv_ns - self.lag_ns, ts_recv_ns)
