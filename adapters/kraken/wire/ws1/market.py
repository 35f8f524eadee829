"""What stands in the frames of the public channels. Decimals and times (seconds since 1970) are text.

Sources: websocket-v1/book, ticker, trade, ohlc, spread. Where a page's schema and its example differ, the example
holds: the live service sends that.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message

__all__ = ["BookPart", "Candle", "Level", "Spread", "Ticker", "Trade"]

# price, volume, time of its last change; "r" behind them where the level has not changed but come back into the depth.
# A volume of 0 removes the level.
type Level = tuple[str, ...]


class BookPart(Message, frozen=True):
    """A snapshot (``asks_all``, ``bids_all``, best first), or levels to apply in their order (``asks``, ``bids``).

    An update of both sides is two parts. ``checksum``, in the last part of an update, is of the book after it: see
    ``wire.checksum``.
    """

    asks_all: Maybe[list[Level]] = msgspec.field(default=UNSET, name="as")
    bids_all: Maybe[list[Level]] = msgspec.field(default=UNSET, name="bs")
    asks: Maybe[list[Level]] = msgspec.field(default=UNSET, name="a")
    bids: Maybe[list[Level]] = msgspec.field(default=UNSET, name="b")
    checksum: Maybe[str] = msgspec.field(default=UNSET, name="c")


class Ticker(Message, frozen=True):
    """Best prices: price, volume in whole lots, volume. Last trade: price, volume. All else: today, last 24 hours."""

    ask: tuple[str, int, str] = msgspec.field(name="a")
    bid: tuple[str, int, str] = msgspec.field(name="b")
    close: tuple[str, str] = msgspec.field(name="c")
    volume: tuple[str, str] = msgspec.field(name="v")
    vwap: tuple[str, str] = msgspec.field(name="p")
    trades: tuple[int, int] = msgspec.field(name="t")
    low: tuple[str, str] = msgspec.field(name="l")
    high: tuple[str, str] = msgspec.field(name="h")
    open: tuple[str, str] = msgspec.field(name="o")


class Trade(Message, frozen=True, array_like=True):
    """One match. side: b, s, and order_type: m, l, are the taker's."""

    price: str
    volume: str
    time: str
    side: str
    order_type: str
    misc: str


class Candle(Message, frozen=True, array_like=True):
    """A candle: its times are of its last change and of its end."""

    time: str
    end_time: str
    open: str
    high: str
    low: str
    close: str
    vwap: str
    volume: str
    count: int | str


class Spread(Message, frozen=True, array_like=True):
    """The best prices and what rests at them."""

    bid: str
    ask: str
    time: str
    bid_volume: str
    ask_volume: str
