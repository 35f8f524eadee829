"""Public market data. Prices, quantities and volumes are text; times are seconds since 1970.

Sources: rest-api/get-server-time, get-system-status, get-asset-info, get-tradable-asset-pairs, get-ticker-information,
get-ohlc-data, get-order-book, get-grouped-order-book, get-recent-trades, get-recent-spreads, get-pre-trade,
get-post-trade.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.rest.envelope import Whole

__all__ = [
    "Asset",
    "AssetPair",
    "AssetPairsRequest",
    "AssetsRequest",
    "Candle",
    "Depth",
    "DepthLevel",
    "DepthRequest",
    "GroupedBook",
    "GroupedBookRequest",
    "GroupedLevel",
    "NoParams",
    "OhlcRequest",
    "PostTrade",
    "PostTradeRequest",
    "PreTrade",
    "PreTradeLevel",
    "PreTradeRequest",
    "PublishedTrade",
    "ServerTime",
    "Spread",
    "SpreadRequest",
    "SystemStatus",
    "Ticker",
    "TickerRequest",
    "Trade",
    "TradesRequest",
]


# ------------------------------------------------------------------------------------------------------------- requests


class NoParams(Message, frozen=True):
    """A request without parameters."""


class AssetsRequest(Message, frozen=True):
    """``asset``: names with commas between them; all without. aclass: currency, tokenized_asset."""

    asset: Maybe[str] = UNSET
    aclass: Maybe[str] = UNSET


class AssetPairsRequest(Message, frozen=True):
    """``pair``: names with commas between them; all without. info: info, leverage, fees, margin."""

    pair: Maybe[str] = UNSET
    aclass_base: Maybe[str] = UNSET
    info: Maybe[str] = UNSET
    country_code: Maybe[str] = UNSET
    execution_venue: Maybe[str] = UNSET


class TickerRequest(Message, frozen=True):
    """``pair``: names with commas between them; all without."""

    pair: Maybe[str] = UNSET
    asset_class: Maybe[str] = UNSET


class OhlcRequest(Message, frozen=True):
    """``interval`` in minutes; rows after ``since``, in seconds."""

    pair: str
    interval: Maybe[Whole] = UNSET
    since: Maybe[Whole] = UNSET
    asset_class: Maybe[str] = UNSET


class DepthRequest(Message, frozen=True):
    """``count``: levels of each side, 1 to 500."""

    pair: str
    count: Maybe[Whole] = UNSET
    asset_class: Maybe[str] = UNSET


class GroupedBookRequest(Message, frozen=True):
    """``grouping``: ticks to a level. The page sends JSON with GET."""

    pair: str
    depth: Maybe[Whole] = UNSET
    grouping: Maybe[Whole] = UNSET


class TradesRequest(Message, frozen=True):
    """Trades after ``since``: seconds, or the ``last`` of the answer before."""

    pair: str
    since: Maybe[Whole] = UNSET
    count: Maybe[Whole] = UNSET
    asset_class: Maybe[str] = UNSET


class SpreadRequest(Message, frozen=True):
    """Spreads from ``since`` on, in seconds."""

    pair: str
    since: Maybe[Whole] = UNSET
    asset_class: Maybe[str] = UNSET


class PreTradeRequest(Message, frozen=True):
    """``symbol`` as in BTC/USD."""

    symbol: str


class PostTradeRequest(Message, frozen=True):
    """Trades after ``from_ts`` up to ``to_ts``, both RFC 3339."""

    symbol: Maybe[str] = UNSET
    from_ts: Maybe[str] = UNSET
    to_ts: Maybe[str] = UNSET
    count: Maybe[Whole] = UNSET


# -------------------------------------------------------------------------------------------------------------- results


class ServerTime(Message, frozen=True):
    """The venue's clock; ``rfc1123`` has two digits of the year."""

    unixtime: int
    rfc1123: str


class SystemStatus(Message, frozen=True):
    """status: online, maintenance, cancel_only, post_only; ``timestamp`` in whole seconds, RFC 3339."""

    status: str
    timestamp: str


class Asset(Message, frozen=True):
    """An asset, in a map by its name. ``decimals`` are the ledger's; no ``collateral_value``: it is no collateral."""

    aclass: str
    altname: str
    decimals: int
    display_decimals: int
    collateral_value: Maybe[Number] = UNSET
    status: Maybe[str] = UNSET
    margin_rate: Maybe[Number] = UNSET


class AssetPair(Message, frozen=True):
    """A pair, in a map by its name; a request for one kind of info gets the members of that kind only.

    fees, fees_maker: rows of a volume of 30 days and the percent from it on. ``ordermin`` in the base asset,
    ``costmin`` and ``tick_size`` in the quote asset; position limits in the base asset.
    """

    altname: Maybe[str] = UNSET
    wsname: Maybe[str] = UNSET
    aclass_base: Maybe[str] = UNSET
    base: Maybe[str] = UNSET
    aclass_quote: Maybe[str] = UNSET
    quote: Maybe[str] = UNSET
    execution_venue: Maybe[str] = UNSET
    lot: Maybe[str] = UNSET
    cost_decimals: Maybe[int] = UNSET
    pair_decimals: Maybe[int] = UNSET
    lot_decimals: Maybe[int] = UNSET
    lot_multiplier: Maybe[int] = UNSET
    leverage_buy: Maybe[list[int]] = UNSET
    leverage_sell: Maybe[list[int]] = UNSET
    fees: Maybe[list[tuple[Number, Number]]] = UNSET
    fees_maker: Maybe[list[tuple[Number, Number]]] = UNSET
    fee_volume_currency: Maybe[str] = UNSET
    margin_call: Maybe[int] = UNSET
    margin_stop: Maybe[int] = UNSET
    margin_level: Maybe[int] = UNSET
    ordermin: Maybe[str] = UNSET
    costmin: Maybe[str] = UNSET
    tick_size: Maybe[str] = UNSET
    status: Maybe[str] = UNSET
    long_position_limit: Maybe[int] = UNSET
    short_position_limit: Maybe[int] = UNSET


class Ticker(Message, frozen=True):
    """A pair's day, in a map by its name: best prices (price, volume in whole lots, volume), the last trade (price,
    volume), and all else of today and of the last 24 hours; ``open`` is today's.
    """

    ask: tuple[str, str, str] = msgspec.field(name="a")
    bid: tuple[str, str, str] = msgspec.field(name="b")
    close: tuple[str, str] = msgspec.field(name="c")
    volume: tuple[str, str] = msgspec.field(name="v")
    vwap: tuple[str, str] = msgspec.field(name="p")
    trades: tuple[int, int] = msgspec.field(name="t")
    low: tuple[str, str] = msgspec.field(name="l")
    high: tuple[str, str] = msgspec.field(name="h")
    open: str = msgspec.field(name="o")


class Candle(Message, frozen=True, array_like=True):
    """A candle from ``time`` on. The result is a map: the pair's name to its candles, ``last`` to where to go on."""

    time: int
    open: str
    high: str
    low: str
    close: str
    vwap: str
    volume: str
    count: int


class DepthLevel(Message, frozen=True, array_like=True):
    """A level, and when it changed last."""

    price: str
    volume: str
    time: Number


class Depth(Message, frozen=True):
    """A book, best levels first, in a map by the pair's name."""

    asks: list[DepthLevel]
    bids: list[DepthLevel]


class GroupedLevel(Message, frozen=True):
    """Several levels as one."""

    price: str
    qty: str


class GroupedBook(Message, frozen=True):
    """A book whose levels are ``grouping`` ticks wide: asks are rounded up, bids down."""

    pair: str
    grouping: int
    bids: list[GroupedLevel]
    asks: list[GroupedLevel]


class Trade(Message, frozen=True, array_like=True):
    """A match. side: b, s, and order_type: m, l, are the taker's. The result is a map as of candles."""

    price: str
    volume: str
    time: Number
    side: str
    order_type: str
    misc: str
    trade_id: int


class Spread(Message, frozen=True, array_like=True):
    """Best prices from ``time`` on. The result is a map as of candles."""

    time: int
    bid: str
    ask: str


class PreTradeLevel(Message, frozen=True):
    """A level and how many orders it has. side: BUY, SELL."""

    side: str
    price: str
    qty: str
    count: int
    publication_ts: str


class PreTrade(Message, frozen=True):
    """The ten best levels of each side, as market transparency rules want them told."""

    symbol: str
    description: str
    base_asset: str
    quote_asset: str
    base_notation: str
    quote_notation: str
    venue: str
    system: str
    bids: list[PreTradeLevel]
    asks: list[PreTradeLevel]


class PublishedTrade(Message, frozen=True):
    """A trade, as market transparency rules want it told."""

    trade_id: str
    price: str
    quantity: str
    symbol: str
    description: str
    base_asset: str
    quote_asset: str
    base_notation: str
    quote_notation: str
    trade_venue: str
    trade_ts: str
    publication_venue: str
    publication_ts: str


class PostTrade(Message, frozen=True):
    """Trades, oldest first; ``last_ts`` is where to go on."""

    last_ts: str
    count: int
    trades: list[PublishedTrade]
