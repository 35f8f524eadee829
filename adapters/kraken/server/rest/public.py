"""Market data and status: what anybody may ask. Sources: rest-api/get-server-time and the pages beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.pairs import LOT_DECIMALS, ServedPair, fixed
from adapters.kraken.server.refusal import Refusal, invalid
from adapters.kraken.server.rest.pages import seconds_ns
from adapters.kraken.server.rest.params import Params
from adapters.kraken.server.rest.transparency import Transparency
from adapters.kraken.server.ws2.frames import number
from adapters.kraken.symbols import rest_asset
from framework.protocol import BUY, SELL, VenueMode
from framework.venue.served.tape import CANDLE_MINUTES, TapeTrade, TradeTape

__all__ = ["Public"]

_NS = 10**9
_DAY_NS = 86_400 * _NS
_PRICE_DECIMALS = 5
_MODES = {
    VenueMode.ONLINE: "online",
    VenueMode.CANCEL_ONLY: "cancel_only",
    VenueMode.POST_ONLY: "post_only",
    VenueMode.LIMIT_ONLY: "limit_only",
    VenueMode.REDUCE_ONLY: "reduce_only",
    VenueMode.MAINTENANCE: "maintenance",
}
_CLASSES = ("currency", "forex", "tokenized_asset")
_INFOS = ("info", "leverage", "fees", "margin")
_VENUES = ("international", "bitnomial_exchange")
_GROUPINGS = (1, 5, 10, 25, 50, 100, 250, 500, 1000)
_GROUPED_DEPTHS = (10, 25, 100, 250, 1000)


class Public:
    """Answers public requests; each method gives the ``result``, or raises Refusal."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._host = context.host
        self._pairs = context.pairs
        self.methods: Mapping[str, Callable[[Params], Any]] = {
            "Time": self._time,
            "SystemStatus": self._status,
            "Assets": self._assets,
            "AssetPairs": self._asset_pairs,
            "Ticker": self._ticker,
            "OHLC": self._ohlc,
            "Depth": self._depth,
            "GroupedBook": self._grouped,
            "Trades": self._trades,
            "Spread": self._spread,
            **Transparency(context).methods,
        }

    # ------------------------------------------------------------------------------------------------- names

    def _wanted(self, params: Params, class_name: str = "asset_class") -> list[ServedPair]:
        """The pairs that a request names, all if it names none; there are no tokenized assets."""
        is_served = _one_of(params, class_name, _CLASSES) != "tokenized_asset"
        names = params.items("pair")
        if names and not is_served:
            raise Refusal("EQuery:Unknown asset pair")
        return [self._pairs.wanted(name) for name in names] if names else self._pairs.all if is_served else []

    def _one(self, params: Params) -> ServedPair:
        """The one pair that a request names."""
        name = params.required("pair")
        if _one_of(params, "asset_class", _CLASSES) == "tokenized_asset":
            raise Refusal("EQuery:Unknown asset pair")
        return self._pairs.wanted(name)

    # ------------------------------------------------------------------------------------------------- status

    def _time(self, params: Params) -> Any:
        seconds = self._host.now_ns // _NS
        return {"unixtime": seconds, "rfc1123": time.strftime("%a, %d %b %y %H:%M:%S +0000", time.gmtime(seconds))}

    def _status(self, params: Params) -> Any:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._host.now_ns // _NS))
        return {"status": _MODES[self._host.mode], "timestamp": moment}

    def _assets(self, params: Params) -> Any:
        is_served = _one_of(params, "aclass", _CLASSES) != "tokenized_asset"
        names = []
        for name in params.items("asset"):
            asset = self._pairs.asset(name)
            if asset is None or not is_served:
                raise Refusal("EQuery:Unknown asset")
            names.append(asset)
        return {
            rest_asset(asset): {
                "aclass": "currency",
                "altname": rest_asset(asset)[-3:] if rest_asset(asset) != asset else asset,
                "decimals": self._pairs.asset_decimals(asset),
                "display_decimals": self._pairs.display_decimals(asset),
                "status": "enabled",
                **self._collateral(asset),
            }
            for asset in (names or (self._pairs.assets if is_served else []))
        }

    def _collateral(self, asset: str) -> dict[str, msgspec.Raw]:
        """What counts of an asset as collateral; nothing where none of it does."""
        margin = self._host.profile.margin
        terms = None if margin is None else margin.assets.get(asset)
        if terms is None or not terms.collateral_ppm:
            return {}
        return {"collateral_value": number(fixed(Decimal(terms.collateral_ppm) / 1_000_000, 2))}

    def _asset_pairs(self, params: Params) -> Any:
        info = _one_of(params, "info", _INFOS)
        venues = params.items("execution_venue") or [_VENUES[0]]
        if not set(_VENUES).issuperset(venues):
            raise invalid("execution_venue")
        country = params.get("country_code")
        if country and not (country.isascii() and country.isalpha() and len(country) == 2):
            raise invalid("country_code")
        wanted = self._wanted(params, "aclass_base") if _VENUES[0] in venues else []
        # Assumption: a pair that is asked for as BTC/USD comes under that name; a client by others looks for it there.
        asked = params.items("pair") or []

        def name(pair: ServedPair) -> str:
            return pair.spec.symbol if pair.spec.symbol in asked else pair.names.rest_id

        return {name(pair): _subset(self._describe(pair), info) for pair in wanted}

    def _describe(self, pair: ServedPair) -> dict[str, Any]:
        fees = self._host.profile.fees
        return {
            "altname": pair.names.rest,
            "wsname": pair.names.ws1,
            "aclass_base": "currency",
            "base": pair.base_id,
            "aclass_quote": "currency",
            "quote": pair.quote_id,
            "execution_venue": _VENUES[0],
            "lot": "unit",
            "cost_decimals": pair.cost_decimals,
            "pair_decimals": pair.pair_decimals,
            "lot_decimals": LOT_DECIMALS,
            "lot_multiplier": 1,
            "leverage_buy": list(self._leverages(pair, BUY)),
            "leverage_sell": list(self._leverages(pair, SELL)),
            "fees": [[tier.volume_30d, _percent(tier.taker_ppm)] for tier in fees],
            "fees_maker": [[tier.volume_30d, _percent(tier.maker_ppm)] for tier in fees],
            "fee_volume_currency": rest_asset(self._host.profile.fee_volume_currency),
            **self._margin_levels(),
            "ordermin": _plain(pair.lot * pair.spec.min_qty_lots),
            "costmin": pair.spec.min_cost,
            "tick_size": pair.spec.tick_size,
            "status": _MODES[self._host.mode_of(pair.spec.symbol)],
            **self._position_limits(pair),
        }

    def _leverages(self, pair: ServedPair, side: int) -> tuple[int, ...]:
        margin = self._host.profile.margin
        return () if margin is None else margin.leverages(pair.spec.symbol, side)

    def _margin_levels(self) -> dict[str, int]:
        margin = self._host.profile.margin
        return {} if margin is None else {"margin_call": margin.call_percent, "margin_stop": margin.stop_percent}

    def _position_limits(self, pair: ServedPair) -> dict[str, int]:
        margin = self._host.profile.margin
        terms = None if margin is None else margin.pairs.get(pair.spec.symbol)
        return {} if terms is None else {"long_position_limit": terms.long_max, "short_position_limit": terms.short_max}

    # ------------------------------------------------------------------------------------------------- prices

    def _ticker(self, params: Params) -> Any:
        return {pair.names.rest_id: self._ticker_of(pair) for pair in self._wanted(params)}

    def _ticker_of(self, pair: ServedPair) -> dict[str, Any]:
        symbol = pair.spec.symbol
        book, tape = self._host.books[symbol], self._host.tapes[symbol]
        now_ns = self._host.now_ns
        today, day = tape.figures(now_ns - now_ns % _DAY_NS), tape.figures(now_ns - _DAY_NS)
        last = tape.last

        def level(side: int) -> list[str]:
            best = book.best(side)
            if best is None:
                return [fixed(Decimal(0), _PRICE_DECIMALS), "0", "0.000"]
            lots = pair.lot * best[1]
            return [pair.price(best[0], _PRICE_DECIMALS), str(int(lots)), fixed(lots, 3)]

        def price(ticks: int | None) -> str:
            return pair.price(ticks or 0, _PRICE_DECIMALS)

        return {
            "a": level(SELL),
            "b": level(BUY),
            "c": [price(last.price_ticks if last else None), pair.qty(last.qty_lots if last else 0)],
            "v": [pair.qty(today.volume_lots), pair.qty(day.volume_lots)],
            "p": [pair.average(each.cost, each.volume_lots, _PRICE_DECIMALS) for each in (today, day)],
            "t": [today.count, day.count],
            "l": [price(today.low_ticks), price(day.low_ticks)],
            "h": [price(today.high_ticks), price(day.high_ticks)],
            "o": price(today.open_ticks),
        }

    def _ohlc(self, params: Params) -> Any:
        pair = self._one(params)
        minutes = params.whole("interval", 1, 1, 21_600)
        if minutes not in CANDLE_MINUTES:
            raise invalid("interval")
        since_s = params.whole("since", 0, 0, 2**62)
        tape = self._host.tapes[pair.spec.symbol]
        candles = tape.candles(minutes, self._host.now_ns)
        rows: list[list[Any]] = [
            [
                candle.ts_ns // _NS,
                pair.price(candle.open_ticks),
                pair.price(candle.high_ticks),
                pair.price(candle.low_ticks),
                pair.price(candle.close_ticks),
                pair.average(candle.cost, candle.volume_lots) if candle.count else "0.0",
                pair.qty(candle.volume_lots),
                candle.count,
            ]
            for candle in candles
        ]
        last_s = rows[-2][0] if len(rows) > 1 else (rows[-1][0] if rows else 0)
        shown = [row for row in rows[:-1] if row[0] > since_s] + rows[-1:]
        return {pair.names.rest_id: shown, "last": last_s}

    def _depth(self, params: Params) -> Any:
        pair = self._one(params)
        count = params.whole("count", 100, 1, 500)
        book = self._host.books[pair.spec.symbol]
        now_s = self._host.now_ns // _NS

        def rows(side: int) -> list[list[Any]]:
            return [
                [pair.price(ticks, _PRICE_DECIMALS), pair.qty(lots, 3), now_s]
                for ticks, lots in book.levels(side, count)
            ]

        return {pair.names.rest_id: {"asks": rows(SELL), "bids": rows(BUY)}}

    def _grouped(self, params: Params) -> Any:
        pair = self._one(params)
        depth, grouping = params.whole("depth", 10, 1, 1000), params.whole("grouping", 1, 1, 1000)
        if depth not in _GROUPED_DEPTHS:
            raise invalid("depth")
        if grouping not in _GROUPINGS:
            raise invalid("grouping")
        book = self._host.books[pair.spec.symbol]

        def rows(side: int) -> list[dict[str, str]]:
            groups: dict[int, int] = {}
            for ticks, lots in book.levels(side, depth * grouping):
                low = ticks - ticks % grouping
                at = low if side == BUY or low == ticks else low + grouping
                groups[at] = groups.get(at, 0) + lots
            return [
                {"price": pair.price(ticks, _PRICE_DECIMALS), "qty": pair.qty(lots)}
                for ticks, lots in list(groups.items())[:depth]
            ]

        return {"pair": pair.spec.symbol, "grouping": grouping, "bids": rows(BUY), "asks": rows(SELL)}

    def _trades(self, params: Params) -> Any:
        pair = self._one(params)
        count = params.whole("count", 1000, 1, 1000)
        since = params.get("since")
        tape = self._host.tapes[pair.spec.symbol]
        trades = tape.newest(count) if not since else _page(tape, _moment_ns(since), count)
        last_ns = trades[-1].ts_ns if trades else (_moment_ns(since) if since else self._host.now_ns)
        return {pair.names.rest_id: [_trade_row(trade, pair) for trade in trades], "last": str(last_ns)}

    def _spread(self, params: Params) -> Any:
        pair = self._one(params)
        since_s = params.whole("since", 0, 0, 2**62)
        spreads = self._host.books[pair.spec.symbol].spreads
        rows = [
            [ts_ns // _NS, pair.price(bid_ticks, _PRICE_DECIMALS), pair.price(ask_ticks, _PRICE_DECIMALS)]
            for ts_ns, bid_ticks, ask_ticks in spreads
            if ts_ns // _NS >= since_s
        ]
        return {pair.names.rest_id: rows, "last": rows[-1][0] if rows else since_s}


def _page(tape: TradeTape, since_ns: int, count: int) -> list[TapeTrade]:
    """Trades after a time. Those of one instant are not torn apart, if they fit: who asks on from the last one's time
    would miss the rest.
    """
    trades = tape.since(since_ns, count + 1)
    if len(trades) <= count:
        return trades
    cut_ns = trades[count].ts_ns
    whole = [trade for trade in trades if trade.ts_ns < cut_ns]
    return whole or trades[:count]


def _one_of(params: Params, name: str, values: tuple[str, ...]) -> str:
    """A parameter that has one of some values, the first of them by default."""
    value = params.get(name, values[0])
    if value not in values:
        raise invalid(name)
    return value


def _subset(row: dict[str, Any], info: str) -> dict[str, Any]:
    names = {
        "leverage": ("leverage_buy", "leverage_sell"),
        "fees": ("fees", "fees_maker", "fee_volume_currency"),
        "margin": ("margin_call", "margin_stop"),
    }
    return row if info == "info" else {name: row[name] for name in names[info]}


def _percent(ppm: int) -> int | float:
    """Parts per million as the number of percent that the list shows: 2600 is 0.26. A number on the wire, not money."""
    return ppm // 10_000 if ppm % 10_000 == 0 else ppm / 10_000


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _moment_ns(text: str) -> int:
    """``since``: seconds with or without a fraction, or nanoseconds, which have so many digits that they tell."""
    if text.isascii() and text.isdigit() and len(text) <= 19:
        return int(text) if len(text) > 12 else int(text) * _NS
    at_ns = seconds_ns(text)
    if at_ns is None:
        raise invalid("since")
    return at_ns


def _trade_row(trade: TapeTrade, pair: ServedPair) -> list[Any]:
    return [
        pair.price(trade.price_ticks, _PRICE_DECIMALS),
        pair.qty(trade.qty_lots),
        trade.ts_ns / _NS,
        "b" if trade.side == BUY else "s",
        "m" if trade.is_market else "l",
        "",
        trade.trade_id,
    ]
