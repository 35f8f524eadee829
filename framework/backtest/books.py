"""What a strategy sees of a market: ``framework.book.BookView`` over what the kernel has delivered."""

from __future__ import annotations

from decimal import Decimal

from framework.protocol import BUY, SELL, InstrumentSpec
from framework.venue.kernel import FeedBook

__all__ = ["KernelBook", "TradesBook"]


class KernelBook:
    """The delivered book of one instrument."""

    __slots__ = ("_ask_at", "_bid_at", "_memory", "_view", "spec")

    def __init__(self, view: FeedBook, spec: InstrumentSpec) -> None:
        self.spec = spec
        self._view = view
        self._memory = view.memory
        self._bid_at, self._ask_at = view.view_at, view.view_at + 2

    def touch(self) -> tuple[int, int, int, int]:
        """Bid price, bid quantity, ask price, ask quantity in ticks and lots; quantity 0 means an empty side."""
        return self._view.touch()

    @property
    def bid_ticks(self) -> int | None:
        """Best bid in ticks; None while there is none."""
        at = self._bid_at
        return self._memory[at] if self._memory[at + 1] else None

    @property
    def ask_ticks(self) -> int | None:
        """Best ask in ticks; None while there is none."""
        at = self._ask_at
        return self._memory[at] if self._memory[at + 1] else None

    @property
    def bid_lots(self) -> int:
        """Quantity at the best bid."""
        return self.touch()[1]

    @property
    def ask_lots(self) -> int:
        """Quantity at the best ask."""
        return self.touch()[3]

    @property
    def last_ticks(self) -> int | None:
        """Price of the last trade delivered; None before the first."""
        trade = self._view.last_trade()
        return None if trade is None else trade[0]

    @property
    def last_lots(self) -> int:
        """Quantity of the last trade delivered."""
        trade = self._view.last_trade()
        return 0 if trade is None else trade[1]

    @property
    def last_side(self) -> int | None:
        """Aggressor of the last trade delivered; None where the source does not tell."""
        trade = self._view.last_trade()
        return None if trade is None or trade[2] not in (BUY, SELL) else trade[2]

    @property
    def ts_event_ns(self) -> int:
        """The engine's time of the newest message delivered."""
        return self._view.ts_event_ns

    def levels(self, side: int, count: int) -> list[tuple[int, int]]:
        """The best ``count`` levels of a side as (price_ticks, qty_lots), best first."""
        ticks, lots = self._view.levels(side, count)
        return list(zip(ticks.tolist(), lots.tolist(), strict=True))

    def price(self, price_ticks: int) -> Decimal:
        """The exact price of a number of ticks."""
        return self.spec.price(price_ticks)

    def qty(self, qty_lots: int) -> Decimal:
        """The exact quantity of a number of lots."""
        return self.spec.qty(qty_lots)


class TradesBook(KernelBook):
    """A market of trades only, which tells no book: one is assumed around the last trade delivered.

    The side that the last trade hit stands at its price, the other ``trades_spread_ticks`` away; both stand that far
    away where the aggressor is not told. Each side offers the last trade's quantity. So a strategy that reads a book
    can run; what it then sees is no more than the last trade.
    """

    __slots__ = ("_spread_ticks",)

    def __init__(self, view: FeedBook, spec: InstrumentSpec, trades_spread_ticks: int) -> None:
        super().__init__(view, spec)
        self._spread_ticks = trades_spread_ticks

    @property
    def bid_ticks(self) -> int | None:
        """The assumed best bid; None before the first trade."""
        ticks, lots, _, _ = self.touch()
        return ticks if lots else None

    @property
    def ask_ticks(self) -> int | None:
        """The assumed best ask; None before the first trade."""
        _, _, ticks, lots = self.touch()
        return ticks if lots else None

    def touch(self) -> tuple[int, int, int, int]:
        """The assumed best prices and quantities; quantity 0 before the first trade."""
        trade = self._view.last_trade()
        if trade is None:
            return 0, 0, 0, 0
        ticks, lots, side, _ = trade
        bid_ticks = ticks if side == SELL else ticks - self._spread_ticks
        ask_ticks = ticks if side == BUY else ticks + self._spread_ticks
        return bid_ticks, lots, ask_ticks, lots

    def levels(self, side: int, count: int) -> list[tuple[int, int]]:
        """The one assumed level of a side."""
        bid_ticks, bid_lots, ask_ticks, ask_lots = self.touch()
        ticks, lots = (bid_ticks, bid_lots) if side == BUY else (ask_ticks, ask_lots)
        return [(ticks, lots)][:count] if lots else []
