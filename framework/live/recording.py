"""Records markets as they are told, for as long as it is asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from framework.adapter import LiveVenue
from framework.data.live_rows import MarketRow, Quote
from framework.data.recorder import Recorder
from framework.errors import OutputError
from framework.execution.link import Clock

__all__ = ["MarketRecording", "record_markets"]

_FLUSH_S = 0.25
_RETRY_S = 1.0
# With so much waiting for a disk that has no room, the recording ends rather than the machine.
_PENDING_BYTES_MAX = 1 << 29


class MarketRecording:
    """Hears of markets and has them written; a ``framework.adapter.MarketListener``.

    gap_count: times that something was not heard.
    """

    def __init__(self, recorder: Recorder, symbols: Sequence[str], tell: Callable[[str], None]) -> None:
        """tell: hears in words of what is lost."""
        self.gap_count = 0
        self._recorder = recorder
        self._symbols = frozenset(symbols)
        self._tell = tell

    def book_changed(self, symbol: str, rows: list[MarketRow]) -> None:
        self._recorder.add_rows(symbol, rows)

    def traded(self, symbol: str, rows: list[MarketRow]) -> None:
        self._recorder.add_rows(symbol, rows)

    def quoted(self, symbol: str, quote: Quote) -> None:
        return

    def trades_missed(self, symbol: str, count: int, ts_recv_ns: int) -> None:
        self.gap_count += 1
        reason = f"{count:,} trade{'s' * (count != 1)} not told"
        self._tell(f"{symbol}: {reason}")
        self._recorder.add_gap(symbol, ts_recv_ns, reason, is_book_lost=False)

    def market_lost(self, symbol: str, reason: str, ts_recv_ns: int) -> None:
        self.gap_count += 1
        self._tell(f"{symbol}: {reason}")
        if symbol in self._symbols:
            self._recorder.add_gap(symbol, ts_recv_ns, reason)


async def record_markets(
    venue: LiveVenue,
    recorder: Recorder,
    symbols: Sequence[str],
    depth: int,
    clock: Clock,
    stopped: asyncio.Event,
    tell: Callable[[str], None],
    show: Callable[[int], None],
    *,
    has_orders: bool = False,
) -> MarketRecording:
    """Have books and trades of some pairs written until ``stopped`` is set; then all that was heard is on the disk.

    depth: prices of each side of a book. has_orders: books are recorded order by order. tell: hears in words of what is
    lost, and of a disk without room; show: hears how many gaps there are, after each flush. Raises ConfigError for a
    depth that there is not, SymbolError for a pair, and OutputError where nothing could be written for too long.
    """
    listener = MarketRecording(recorder, symbols, tell)
    market, orders = venue.market, venue.orders if has_orders else None
    market.attach(listener)
    for symbol in symbols:
        market.subscribe(symbol, "trade")
        if orders is None:
            market.subscribe(symbol, "book", depth)
        else:
            orders.subscribe(symbol, depth)
    market.open()
    if orders is not None:
        orders.attach(listener)
        orders.open()
    try:
        is_stuck = False
        while not stopped.is_set():
            try:
                recorder.flush(clock.now_ns)
                if is_stuck:
                    tell("there is room again; all that waited is written")
                is_stuck = False
            except OutputError as error:
                if recorder.pending_bytes > _PENDING_BYTES_MAX:
                    raise
                if not is_stuck:
                    tell("; ".join([str(error), *getattr(error, "__notes__", ())]))
                is_stuck = True
            show(listener.gap_count)
            try:
                await asyncio.wait_for(stopped.wait(), _RETRY_S if is_stuck else _FLUSH_S)
            except TimeoutError:
                continue
    finally:
        market.close()
        if orders is not None:
            orders.close()
        recorder.close(clock.now_ns)
    return listener
