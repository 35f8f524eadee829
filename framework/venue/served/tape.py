"""The public trades of one pair, and the candles and daily figures that follow from them.

What is printed: the market's own trades; what clients took; and where the market's quantity ran into a resting client
order without a trade of its own being told, that execution. A trade between two clients is printed once.

At the start the tape holds the market's pass before, so that pages of history exist; both tape and candles are bounded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable

import msgspec
import numpy as np

from framework.data.columns import SNAPSHOT, TRADE, UNKNOWN_SIDE, Market
from framework.protocol import BUY

__all__ = ["CANDLE_MINUTES", "Candle", "DayFigures", "TapeTrade", "TradeTape"]

CANDLE_MINUTES = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
_MINUTE_NS = 60 * 10**9
_DAY_MINUTES = 1440
_CANDLES_MAX = 720
_TRADES_MAX = 50_000


class TapeTrade(msgspec.Struct, frozen=True, gc=False):
    """A public trade. side: the taker's. is_market: the taker's order was a market order, as far as it is known."""

    trade_id: int
    ts_ns: int
    price_ticks: int
    qty_lots: int
    side: int
    is_market: bool


class Candle(msgspec.Struct, gc=False):
    """One interval; ``cost`` is the sum of price times quantity, in ticks times lots. ts_end_ns: of its last trade."""

    ts_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    cost: int
    volume_lots: int
    count: int


class DayFigures(msgspec.Struct, frozen=True):
    """Figures over a time; prices are None where nothing was traded."""

    open_ticks: int | None
    high_ticks: int | None
    low_ticks: int | None
    volume_lots: int
    cost: int
    count: int


class TradeTape:
    """The trades of one pair, newest last."""

    def __init__(self) -> None:
        self.trades: deque[TapeTrade] = deque(maxlen=_TRADES_MAX)
        self._candles: dict[int, deque[Candle]] = {minutes: deque(maxlen=_CANDLES_MAX) for minutes in CANDLE_MINUTES}
        self._minutes: deque[Candle] = deque(maxlen=_DAY_MINUTES + 1)
        self._count = 0
        self._listeners: list[Callable[[TapeTrade], None]] = []

    def listen(self, callback: Callable[[TapeTrade], None]) -> None:
        """Have each new trade told."""
        self._listeners.append(callback)

    def unlisten(self, callback: Callable[[TapeTrade], None]) -> None:
        """Have no more told."""
        self._listeners.remove(callback)

    def fill_from(self, market: Market, shift_ns: int) -> None:
        """Take a market's trades as the past, with their times moved; before anything else is added."""
        columns = market.columns
        rows = np.flatnonzero((columns.kind == TRADE) & ((columns.flags & SNAPSHOT) == 0))
        times = columns.ts_event_ns[rows] + shift_ns
        for ts_ns, price, lots, side in zip(
            times.tolist(),
            columns.price_ticks[rows].tolist(),
            columns.qty_lots[rows].tolist(),
            columns.side[rows].tolist(),
            strict=True,
        ):
            self.add(ts_ns, price, lots, side)

    def add(self, ts_ns: int, price_ticks: int, qty_lots: int, side: int, *, is_market: bool = False) -> None:
        """A trade happened. side: the taker's; taken as a buy where the source does not tell."""
        self._count += 1
        side = BUY if side == UNKNOWN_SIDE else side
        trade = TapeTrade(self._count, ts_ns, price_ticks, qty_lots, side, is_market)
        self.trades.append(trade)
        for minutes, candles in self._candles.items():
            _extend(candles, ts_ns - ts_ns % (minutes * _MINUTE_NS), price_ticks, qty_lots)
        _extend(self._minutes, ts_ns - ts_ns % _MINUTE_NS, price_ticks, qty_lots)
        for callback in tuple(self._listeners):
            callback(trade)

    @property
    def last(self) -> TapeTrade | None:
        """The newest trade; None before the first."""
        return self.trades[-1] if self.trades else None

    def since(self, ts_ns: int, most: int) -> list[TapeTrade]:
        """Up to so many trades after a time, oldest first."""
        trades = self.trades
        start = bisect_right(trades, ts_ns, key=lambda trade: trade.ts_ns)
        return [trades[index] for index in range(start, min(len(trades), start + most))]

    def newest(self, most: int) -> list[TapeTrade]:
        """The newest trades, oldest of them first."""
        count = len(self.trades)
        return [self.trades[index] for index in range(max(0, count - most), count)]

    def candles(self, minutes: int, now_ns: int) -> list[Candle]:
        """Candles of an interval up to now, oldest first, 720 at most; intervals without trades are flat.

        Raises KeyError for an interval that is none of ``CANDLE_MINUTES``.
        """
        step_ns = minutes * _MINUTE_NS
        filled: list[Candle] = []
        for candle in self._candles[minutes]:
            if filled:
                _flat_until(filled, candle.ts_ns, step_ns)
            filled.append(candle)
        if filled:
            _flat_until(filled, now_ns - now_ns % step_ns + step_ns, step_ns)
        return filled[-_CANDLES_MAX:]

    def newest_candle(self, minutes: int) -> Candle:
        """The candle of the newest trade; raises IndexError before the first."""
        return self._candles[minutes][-1]

    def figures(self, since_ns: int) -> DayFigures:
        """Figures of the minutes that began at or after a time, a day back at most."""
        minutes = [candle for candle in self._minutes if candle.ts_ns >= since_ns]
        return DayFigures(
            open_ticks=minutes[0].open_ticks if minutes else None,
            high_ticks=max((candle.high_ticks for candle in minutes), default=None),
            low_ticks=min((candle.low_ticks for candle in minutes), default=None),
            volume_lots=sum(candle.volume_lots for candle in minutes),
            cost=sum(candle.cost for candle in minutes),
            count=sum(candle.count for candle in minutes),
        )


def _extend(candles: deque[Candle], start_ns: int, price: int, lots: int) -> None:
    if candles and candles[-1].ts_ns >= start_ns:
        candle = candles[-1]
        candle.high_ticks = max(candle.high_ticks, price)
        candle.low_ticks = min(candle.low_ticks, price)
        candle.close_ticks = price
        candle.cost += price * lots
        candle.volume_lots += lots
        candle.count += 1
    else:
        candles.append(Candle(start_ns, price, price, price, price, price * lots, lots, 1))


def _flat_until(filled: list[Candle], until_ns: int, step_ns: int) -> None:
    """Add flat candles at the last close, up to but not including a time."""
    close = filled[-1].close_ticks
    start_ns = max(filled[-1].ts_ns + step_ns, until_ns - _CANDLES_MAX * step_ns)
    filled += [Candle(ts_ns, close, close, close, close, 0, 0, 0) for ts_ns in range(start_ns, until_ns, step_ns)]
