"""Public frames: status, heartbeat, ticker, book, single orders (level 3), trades, candles, instruments.

Sources: websocket-v2/status, heartbeat, ticker, book, level3, trade, ohlc, instrument; guides/spot-ws-book-v2,
guides/spot-ws-l3-v2.
"""

from __future__ import annotations

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.number import Number

__all__ = [
    "Asset",
    "Book",
    "BookFrame",
    "Candle",
    "Heartbeat",
    "InstrumentFrame",
    "Instruments",
    "Level",
    "Level3",
    "Level3Frame",
    "Level3Order",
    "OhlcFrame",
    "Pair",
    "Status",
    "StatusFrame",
    "Ticker",
    "TickerFrame",
    "Trade",
    "TradeFrame",
]


class _Frame(Message, frozen=True, tag_field="channel"):
    """A frame of a channel. ``type``: snapshot or update. Times are RFC 3339."""


class Heartbeat(_Frame, frozen=True, tag="heartbeat"):
    """Nothing else has been sent for a second."""


class Status(Message, frozen=True):
    """The engine. system: online, cancel_only, maintenance, post_only; ``connection_id`` does not fit in 53 bits."""

    version: Maybe[str] = UNSET
    system: Maybe[str] = UNSET
    api_version: Maybe[str] = UNSET
    connection_id: Maybe[int] = UNSET


class StatusFrame(_Frame, frozen=True, tag="status"):
    """Sent after connecting and at each change of the engine's mode."""

    type: str
    data: list[Status]


class Ticker(Message, frozen=True):
    """Best prices and the last 24 hours of a pair: quantities in the base asset, ``change_pct`` in percent."""

    symbol: str
    bid: Number
    bid_qty: Number
    ask: Number
    ask_qty: Number
    last: Number
    volume: Number
    vwap: Number
    low: Number
    high: Number
    change: Number
    change_pct: Number
    timestamp: Maybe[str] = UNSET


class TickerFrame(_Frame, frozen=True, tag="ticker"):
    """One ticker; a snapshot and an update hold the same."""

    type: str
    data: list[Ticker]


class Level(Message, frozen=True):
    """A price and all that rests at it; a quantity of 0 removes the level."""

    price: Number
    qty: Number


class Book(Message, frozen=True):
    """A snapshot's levels from the best on, or an update's in the order in which they are to be applied.

    checksum: of the ten best levels of each side after them, see ``wire.checksum``.
    """

    symbol: str
    bids: list[Level]
    asks: list[Level]
    checksum: int
    timestamp: Maybe[str] = UNSET


class BookFrame(_Frame, frozen=True, tag="book"):
    """One book."""

    type: str
    data: list[Book]


class Level3Order(Message, frozen=True):
    """An order at rest, or what happened to one. event, in updates only: add, modify, delete.

    timestamp: since when it has its place in the queue; of a deletion, when that was.
    """

    order_id: str
    limit_price: Number
    order_qty: Number
    timestamp: str
    event: Maybe[str] = UNSET


class Level3(Message, frozen=True):
    """The orders of a book; the checksum is over all orders of the ten best prices of each side."""

    symbol: str
    checksum: int
    bids: list[Level3Order]
    asks: list[Level3Order]
    timestamp: Maybe[str] = UNSET


class Level3Frame(_Frame, frozen=True, tag="level3"):
    """One book, order by order."""

    type: str
    data: list[Level3]


class Trade(Message, frozen=True):
    """One match. side and ord_type (limit, market) are the taker's; ``trade_id`` counts up by one in each book."""

    symbol: str
    side: str
    price: Number
    qty: Number
    ord_type: str
    trade_id: int
    timestamp: str


class TradeFrame(_Frame, frozen=True, tag="trade"):
    """Trades of one pair, of one taker or of several."""

    type: str
    data: list[Trade]


class Candle(Message, frozen=True):
    """A candle of ``interval`` minutes. ``timestamp``, its end, is deprecated."""

    symbol: str
    open: Number
    high: Number
    low: Number
    close: Number
    trades: Number
    volume: Number
    vwap: Number
    interval_begin: str
    interval: int
    timestamp: Maybe[str] = UNSET


class OhlcFrame(_Frame, frozen=True, tag="ohlc"):
    """Candles of one pair; the last one is still open."""

    type: str
    data: list[Candle]
    timestamp: Maybe[str] = UNSET


class Asset(Message, frozen=True):
    """status: depositonly, disabled, enabled, fundingtemporarilydisabled, withdrawalonly, workinprogress."""

    id: str
    status: str
    precision: int
    precision_display: int
    borrowable: Maybe[bool] = UNSET
    collateral_value: Maybe[Number] = UNSET
    margin_rate: Maybe[Number] = UNSET
    multiplier: Maybe[Number] = UNSET


class Pair(Message, frozen=True, kw_only=True):
    """status: cancel_only, delisted, limit_only, maintenance, online, post_only, reduce_only, work_in_progress.

    Increments and minimums are in units of the asset that they limit; ``tick_size`` is the old ``price_increment``. The
    three members about positions come for pairs with margin only.
    """

    symbol: str
    base: str
    quote: str
    status: str
    qty_precision: int
    qty_increment: Number
    price_precision: int
    cost_precision: int
    marginable: bool
    has_index: bool
    cost_min: Number
    margin_initial: Maybe[Number] = UNSET
    position_limit_long: Maybe[int] = UNSET
    position_limit_short: Maybe[int] = UNSET
    tick_size: Maybe[Number] = UNSET
    price_increment: Number
    qty_min: Number


class Instruments(Message, frozen=True):
    """All assets and pairs in a snapshot, the changed ones in an update."""

    assets: list[Asset]
    pairs: list[Pair]


class InstrumentFrame(_Frame, frozen=True, tag="instrument"):
    """Reference data; unlike in other channels ``data`` is one object."""

    type: str
    data: Instruments
