"""The book as a strategy sees it.

A view of compiled state, not a copy: it shows the market as it had been delivered to the strategy when its handler was
called, behind the engine by the feed's latency. Prices are ticks and quantities lots; ``price`` and ``qty`` give exact
decimals. Own orders and what own orders took are not in it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from framework.protocol import InstrumentSpec

__all__ = ["BookView"]


class BookView(Protocol):
    """One instrument's book, last trade included, as delivered.

    bid_ticks, ask_ticks: best prices; None while the side is empty. bid_lots, ask_lots: quantities at them, else 0.
    last_ticks: price of the last trade delivered; None before the first. last_side: its aggressor.
    ts_event_ns: the engine's time of the newest message delivered.
    """

    spec: InstrumentSpec

    @property
    def bid_ticks(self) -> int | None: ...
    @property
    def ask_ticks(self) -> int | None: ...
    @property
    def bid_lots(self) -> int: ...
    @property
    def ask_lots(self) -> int: ...
    @property
    def last_ticks(self) -> int | None: ...
    @property
    def last_lots(self) -> int: ...
    @property
    def last_side(self) -> int | None: ...
    @property
    def ts_event_ns(self) -> int: ...

    def touch(self) -> tuple[int, int, int, int]:
        """Bid price, bid quantity, ask price, ask quantity in ticks and lots, at one go; quantity 0: an empty side."""
        ...

    def levels(self, side: int, count: int) -> list[tuple[int, int]]:
        """The best ``count`` levels of a side as (price_ticks, qty_lots), best first."""
        ...

    def price(self, price_ticks: int) -> Decimal:
        """The exact price of a number of ticks."""
        ...

    def qty(self, qty_lots: int) -> Decimal:
        """The exact quantity of a number of lots."""
        ...
