"""The public channels.

Sources: websocket-v2/book, trade, ticker, ohlc, instrument.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.kraken.server.channels import PairChannel
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.pairs import LOT_DECIMALS, ServedPair, fixed
from adapters.kraken.server.ws2.frames import Frame, book_frame, candle_row, number, stream_frame, trade_row
from adapters.kraken.wire.digits import rfc3339_us
from framework.protocol import BUY, SELL, MarginPair
from framework.venue.served.book import DepthStream, DepthUpdate
from framework.venue.served.tape import TapeTrade

__all__ = ["BookChannel", "OhlcChannel", "TickerChannel", "TradeChannel", "instruments"]

_LABEL = "ws2"
_DAY_NS = 86_400 * 10**9
_SNAPSHOT_TRADES = 50


class _Channel(PairChannel):
    def __init__(self, context: ServerContext, pair: ServedPair) -> None:
        super().__init__(_LABEL, context, pair)


class BookChannel(_Channel):
    """The book of a pair at a depth."""

    def __init__(self, context: ServerContext, pair: ServedPair, depth: int) -> None:
        super().__init__(context, pair)
        self._depth = depth
        self._stream: DepthStream = self._book.listen(depth, self._on_update)

    def snapshot(self) -> Frame:
        bids, asks = self._stream.bids, self._stream.asks
        return book_frame("snapshot", self._pair, bids, asks, bids, asks, self._host.now_ns)

    def close(self) -> None:
        self._book.unlisten(self._depth, self._on_update)

    def _on_update(self, update: DepthUpdate) -> None:
        stream = self._stream
        self._publish(
            book_frame("update", self._pair, update.bids, update.asks, stream.bids, stream.asks, update.ts_ns)
        )


class TradeChannel(_Channel):
    """The trades of a pair."""

    def __init__(self, context: ServerContext, pair: ServedPair) -> None:
        super().__init__(context, pair)
        self._tape = self._host.tapes[self._symbol]
        self._tape.listen(self._on_trade)

    def snapshot(self) -> Frame:
        return stream_frame(
            "trade", "snapshot", [trade_row(trade, self._pair) for trade in self._tape.newest(_SNAPSHOT_TRADES)]
        )

    def close(self) -> None:
        self._tape.unlisten(self._on_trade)

    def _on_trade(self, trade: TapeTrade) -> None:
        self._publish(stream_frame("trade", "update", [trade_row(trade, self._pair)]))


class TickerChannel(_Channel):
    """Best prices and the day of a pair, at each trade or at each change of a best price or its quantity."""

    def __init__(self, context: ServerContext, pair: ServedPair, event_trigger: str) -> None:
        super().__init__(context, pair)
        self._tape = self._host.tapes[self._symbol]
        self._is_by_book = event_trigger == "bbo"
        if self._is_by_book:
            self._book.listen(1, self._on_book)
        else:
            self._tape.listen(self._on_trade)

    def snapshot(self) -> Frame:
        return stream_frame("ticker", "snapshot", [self._row()])

    def close(self) -> None:
        if self._is_by_book:
            self._book.unlisten(1, self._on_book)
        else:
            self._tape.unlisten(self._on_trade)

    def _on_book(self, update: DepthUpdate) -> None:
        self._publish(stream_frame("ticker", "update", [self._row()]))

    def _on_trade(self, trade: TapeTrade) -> None:
        self._publish(stream_frame("ticker", "update", [self._row()]))

    def _row(self) -> dict[str, Any]:
        pair, book = self._pair, self._book
        now_ns = self._host.now_ns
        day = self._tape.figures(now_ns - _DAY_NS)
        last = self._tape.last
        bid, ask = book.best(BUY) or (0, 0), book.best(SELL) or (0, 0)
        last_ticks = 0 if last is None else last.price_ticks
        change = last_ticks - (day.open_ticks or last_ticks)
        share = Decimal(100) * change / day.open_ticks if day.open_ticks else Decimal(0)
        return {
            "symbol": self._symbol,
            "bid": number(pair.price(bid[0])),
            "bid_qty": number(pair.qty(bid[1])),
            "ask": number(pair.price(ask[0])),
            "ask_qty": number(pair.qty(ask[1])),
            "last": number(pair.price(last_ticks)),
            "volume": number(pair.qty(day.volume_lots)),
            "vwap": number(pair.average(day.cost, day.volume_lots)),
            "low": number(pair.price(day.low_ticks or 0)),
            "high": number(pair.price(day.high_ticks or 0)),
            "change": number(pair.price(change)),
            "change_pct": number(fixed(share, 2)),
            "timestamp": rfc3339_us(now_ns),
        }


class OhlcChannel(_Channel):
    """The candles of a pair at an interval."""

    def __init__(self, context: ServerContext, pair: ServedPair, minutes: int) -> None:
        super().__init__(context, pair)
        self._minutes = minutes
        self._tape = self._host.tapes[self._symbol]
        self._tape.listen(self._on_trade)

    def snapshot(self) -> Frame:
        candles = [each for each in self._tape.candles(self._minutes, self._host.now_ns) if each.count]
        return self._frame("snapshot", [candle_row(candle, self._minutes, self._pair) for candle in candles])

    def close(self) -> None:
        self._tape.unlisten(self._on_trade)

    def _on_trade(self, trade: TapeTrade) -> None:
        candle = self._tape.newest_candle(self._minutes)
        self._publish(self._frame("update", [candle_row(candle, self._minutes, self._pair)]))

    def _frame(self, kind: str, rows: list[dict[str, Any]]) -> Frame:
        return stream_frame("ohlc", kind, rows, timestamp=rfc3339_us(self._host.now_ns))


def instruments(context: ServerContext, changed: ServedPair | None = None) -> Frame:
    """All assets and pairs; an update, if only one pair has changed."""
    pairs = context.pairs
    margin = context.host.profile.margin
    margin_pairs = {} if margin is None else margin.pairs
    return stream_frame(
        "instrument",
        "snapshot" if changed is None else "update",
        {
            "assets": [
                {
                    "id": asset,
                    "status": "enabled",
                    "precision": pairs.asset_decimals(asset),
                    "precision_display": pairs.display_decimals(asset),
                    **_loan(context, asset),
                }
                for asset in (pairs.assets if changed is None else ())
            ],
            "pairs": [
                {
                    "symbol": pair.spec.symbol,
                    "base": pair.spec.base,
                    "quote": pair.spec.quote,
                    "status": context.host.mode_of(pair.spec.symbol).name.lower(),
                    "qty_precision": LOT_DECIMALS,
                    "qty_increment": number(fixed(pair.lot, LOT_DECIMALS)),
                    "price_precision": pair.pair_decimals,
                    "cost_precision": pair.cost_decimals,
                    "marginable": pair.spec.symbol in margin_pairs,
                    "has_index": False,
                    "cost_min": number(pair.spec.min_cost),
                    **_margin_terms(margin_pairs.get(pair.spec.symbol)),
                    "tick_size": number(pair.spec.tick_size),
                    "price_increment": number(pair.spec.tick_size),
                    "qty_min": number(pair.qty(pair.spec.min_qty_lots)),
                }
                for pair in (pairs.all if changed is None else (changed,))
            ],
        },
    )


def _loan(context: ServerContext, asset: str) -> dict[str, Any]:
    """An asset as collateral and as what is lent; the rate is in percent."""
    margin = context.host.profile.margin
    terms = None if margin is None else margin.assets.get(asset)
    collateral_ppm, rate_ppm = (0, 0) if terms is None else (terms.collateral_ppm, terms.rollover_ppm)
    return {
        "borrowable": terms is not None,
        "collateral_value": number(fixed(Decimal(collateral_ppm) / 1_000_000, 2)),
        "margin_rate": number(fixed(Decimal(rate_ppm) / 10_000, 6)),
    }


def _margin_terms(terms: MarginPair | None) -> dict[str, Any]:
    """A pair on margin, if it is; its initial margin is that of the highest leverage (websocket-v2/instrument)."""
    if terms is None:
        return {}
    return {
        "margin_initial": number(fixed(Decimal(1) / max(terms.leverage_buy), 2)),
        "position_limit_long": terms.long_max,
        "position_limit_short": terms.short_max,
    }
