"""Bars of NautilusTrader from candles of a venue: each is told once, when it cannot change any more.

A candle is over when a later one begins, or a second after its end by the clock: trades of its last instant may be on
their way. An interval without a trade has no candle, and so no bar.
"""

from __future__ import annotations

from collections.abc import Sequence

from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import BarAggregation, PriceType

from framework.data.live_rows import Candle
from framework.errors import ConfigError
from framework.execution.instruments import InstrumentBridge

__all__ = ["GRACE_NS", "CandleCloser", "bar", "interval_min"]

GRACE_NS = 10**9
_MINUTES = {
    BarAggregation.MINUTE: 1,
    BarAggregation.HOUR: 60,
    BarAggregation.DAY: 1_440,
    BarAggregation.WEEK: 10_080,
}


def interval_min(bar_type: BarType) -> int:
    """The minutes of bars that a venue makes. Raises ConfigError for those that only NautilusTrader makes."""
    spec = bar_type.spec
    minutes = _MINUTES.get(spec.aggregation)
    if minutes is None or spec.price_type != PriceType.LAST:
        raise ConfigError(
            f"{bar_type}: a venue has bars of trades by minutes, hours, days and weeks; ask for INTERNAL ones"
        )
    return minutes * int(spec.step)


def bar(bar_type: BarType, candle: Candle, bridge: InstrumentBridge, ts_init_ns: int) -> Bar:
    """A candle as a bar, whose time is its end."""
    prices = (candle.open_ticks, candle.high_ticks, candle.low_ticks, candle.close_ticks)
    return Bar(
        bar_type, *(bridge.price(ticks) for ticks in prices), bridge.qty(candle.volume_lots), candle.end_ns, ts_init_ns
    )


class CandleCloser:
    """Finds the candles of one pair and interval that are over, each once, oldest first.

    What was over when the first snapshot came is past, and not told.
    """

    def __init__(self) -> None:
        self._told_ns: int | None = None
        self._open: Candle | None = None

    def add(self, candles: Sequence[Candle], now_ns: int, *, is_snapshot: bool) -> list[Candle]:
        """Candles as they are now, oldest first; those that have become over."""
        if is_snapshot and self._told_ns is None:
            is_last_over = bool(candles) and now_ns >= candles[-1].end_ns + GRACE_NS
            past = candles if is_last_over else candles[:-1]
            self._told_ns = past[-1].begin_ns if past else -1
        over = []
        for candle in candles:
            if self._told_ns is not None and candle.begin_ns <= self._told_ns:
                continue
            if self._open is None or candle.begin_ns == self._open.begin_ns:
                self._open = candle
            elif candle.begin_ns > self._open.begin_ns:
                over.append(self._open)
                self._open = candle
        return self._told(over) + self.due(now_ns)

    def due(self, now_ns: int) -> list[Candle]:
        """Those that time has made over."""
        if self._open is None or now_ns < self._open.end_ns + GRACE_NS:
            return []
        over, self._open = [self._open], None
        return self._told(over)

    @property
    def due_ns(self) -> int | None:
        """When time makes the next one over; None where none is open."""
        return None if self._open is None else self._open.end_ns + GRACE_NS

    def _told(self, over: list[Candle]) -> list[Candle]:
        if over:
            self._told_ns = over[-1].begin_ns
        return over
