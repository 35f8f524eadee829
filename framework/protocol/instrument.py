"""Instruments and orders: what is traded, and how an order may be worded."""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

__all__ = [
    "BUY",
    "SELL",
    "InstrumentSpec",
    "OrderType",
    "StpMode",
    "TimeInForce",
    "TriggerReference",
]

# Sides are small integers so that the compiled kernel indexes arrays with them. A bid is BUY, an ask is SELL.
BUY = 0
SELL = 1


class OrderType(enum.IntEnum):
    """Order types of the venue model; FIX names in ``adapters``."""

    LIMIT = 0
    MARKET = 1
    STOP_LOSS = 2
    STOP_LOSS_LIMIT = 3
    TAKE_PROFIT = 4
    TAKE_PROFIT_LIMIT = 5
    TRAILING_STOP = 6
    TRAILING_STOP_LIMIT = 7
    ICEBERG = 8
    # No order for the book: it pays back what was lent for a position, from the account's balances.
    SETTLE_POSITION = 9


class TimeInForce(enum.IntEnum):
    """How long an order works."""

    GTC = 0
    GTD = 1
    IOC = 2
    FOK = 3


class StpMode(enum.IntEnum):
    """Which order self-trade prevention cancels; the mode of the incoming order decides."""

    CANCEL_NEWEST = 0
    CANCEL_OLDEST = 1
    CANCEL_BOTH = 2


class TriggerReference(enum.IntEnum):
    """The price that a trigger watches."""

    LAST = 0
    INDEX = 1


class InstrumentSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What one tradable pair is: its grid, its minimums.

    symbol: the pair's canonical name, base and quote separated by a slash ("BTC/USD").
    venue: the exchange that the market was recorded on, lower case ("synthetic" for a made one).
    tick_size, lot_size: the price and quantity of one tick and one lot, exact decimals as text ("0.1", "0.00000001").
    min_qty_lots: smallest order quantity, in lots.
    min_cost: smallest order cost in quote currency, exact decimal as text ("0.5"); "0" if none.
    cost_decimals: decimals to which costs and fees are kept in the quote currency.
    """

    symbol: str
    venue: str
    tick_size: str
    lot_size: str
    min_qty_lots: int = 1
    min_cost: str = "0"
    cost_decimals: int = 5

    @property
    def base(self) -> str:
        """The asset that is bought and sold."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The asset that prices are in."""
        return self.symbol.partition("/")[2]

    def price(self, price_ticks: int) -> Decimal:
        """The exact price of a number of ticks."""
        return Decimal(self.tick_size) * price_ticks

    def qty(self, qty_lots: int) -> Decimal:
        """The exact quantity of a number of lots."""
        return Decimal(self.lot_size) * qty_lots

    def ticks(self, price: Decimal | str) -> int:
        """The number of ticks of a price; raises ValueError for a price off the grid."""
        return _on_grid(Decimal(price), Decimal(self.tick_size), "price", self.symbol)

    def lots(self, qty: Decimal | str) -> int:
        """The number of lots of a quantity; raises ValueError for a quantity off the grid."""
        return _on_grid(Decimal(qty), Decimal(self.lot_size), "quantity", self.symbol)


def _on_grid(value: Decimal, step: Decimal, what: str, symbol: str) -> int:
    count, rest = divmod(value, step)
    if rest:
        raise ValueError(f"{what} {value:f} is not a multiple of {step:f} of {symbol}; round it to the grid first")
    return int(count)
