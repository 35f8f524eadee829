"""Where whoever watches a run stands: between the desk and its journal, before the market's listener, at the bytes.

A node asks its observer who is to stand there. One that watches nothing lets all be as it is.
"""

from __future__ import annotations

from collections.abc import Callable

from framework.adapter import MarketListener
from framework.execution.link import DeskTee
from framework.trader.trader import Trader

__all__ = ["Observer"]


class Observer:
    """Watches nothing."""

    def desk(self, journal: DeskTee) -> DeskTee:
        """Who is to hear a desk in place of its journal, and hands on to it."""
        return journal

    def market(self, listener: MarketListener) -> MarketListener:
        """Who is to hear of the market in place of a listener, and hands on to it."""
        return listener

    def attend(self, trader: Trader, now_ns: Callable[[], int]) -> None:
        """A trader is connected, and has not started. now_ns: the run's time."""

    def carry(self, symbol: str, lots: int, entry_ticks: int | None) -> None:
        """A run before has left a position.

        entry_ticks: its average price where the strategy goes on with it; None where it begins without it.
        """
