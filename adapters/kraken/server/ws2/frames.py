"""Frames of WebSocket v2 as bytes: acknowledgements, errors, and the rows of market data, with every digit.

Sources: websocket-v2/book, trade, ticker, ohlc, instrument, status; observed shapes of errors.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from adapters.kraken.server.pairs import LOT_DECIMALS, ServedPair
from adapters.kraken.wire.digits import book_checksum, digits, rfc3339_ns, rfc3339_us
from framework.protocol import BUY
from framework.venue.served.tape import Candle, TapeTrade

__all__ = [
    "HEARTBEAT",
    "Frame",
    "acknowledged",
    "book_frame",
    "candle_row",
    "number",
    "refused",
    "stream_frame",
    "trade_row",
]

type Frame = bytes

HEARTBEAT: Frame = b'{"channel":"heartbeat"}'
_CHECKED_LEVELS = 10


def number(text: str) -> msgspec.Raw:
    """A decimal text as a JSON number with just these digits."""
    return msgspec.Raw(text.encode())


def acknowledged(method: str, result: Any, req_id: int | None, in_ns: int, out_ns: int, **more: Any) -> Frame:
    """A request was carried out."""
    return _response({"method": method, **_req_id(req_id), "result": result, "success": True, **more}, in_ns, out_ns)


def refused(method: str, error: str, req_id: int | None, in_ns: int, out_ns: int, **more: Any) -> Frame:
    """A request was refused; ``more`` names what it was about, where that is told."""
    return _response({"error": error, "method": method, **_req_id(req_id), "success": False, **more}, in_ns, out_ns)


def _req_id(req_id: int | None) -> dict[str, int]:
    return {} if req_id is None else {"req_id": req_id}


def _response(body: dict[str, Any], in_ns: int, out_ns: int) -> Frame:
    return msgspec.json.encode({**body, "time_in": rfc3339_us(in_ns), "time_out": rfc3339_us(out_ns)})


def stream_frame(channel: str, kind: str, data: Any, **more: Any) -> Frame:
    """A frame of a channel; kind: snapshot or update."""
    return msgspec.json.encode({"channel": channel, "type": kind, "data": data, **more})


# -------------------------------------------------------------------------------------------------------- market data


def book_frame(
    kind: str,
    pair: ServedPair,
    bids: Iterable[tuple[int, int]],
    asks: Iterable[tuple[int, int]],
    best_bids: list[tuple[int, int]],
    best_asks: list[tuple[int, int]],
    ts_ns: int,
) -> Frame:
    """A frame of the book. bids, asks: levels to tell; best_*: the book after them, from which the checksum is made.

    Levels are price in ticks and quantity in lots.
    """
    price_units, qty_units = pair.price_units, pair.qty_units

    def levels(side: Iterable[tuple[int, int]]) -> str:
        return ",".join(
            [
                f'{{"price":{digits(ticks * price_units, pair.pair_decimals)},'
                f'"qty":{digits(lots * qty_units, LOT_DECIMALS)}}}'
                for ticks, lots in side
            ]
        )

    def units(side: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return [(ticks * price_units, lots * qty_units) for ticks, lots in side[:_CHECKED_LEVELS]]

    checksum = book_checksum(units(best_asks), units(best_bids))
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{pair.spec.symbol}","bids":[{levels(bids)}],'
        f'"asks":[{levels(asks)}],"checksum":{checksum},"timestamp":"{rfc3339_us(ts_ns)}"}}]}}'
    ).encode()


def trade_row(trade: TapeTrade, pair: ServedPair) -> dict[str, Any]:
    """A trade of the channel of trades."""
    return {
        "symbol": pair.spec.symbol,
        "side": "buy" if trade.side == BUY else "sell",
        "price": number(pair.price(trade.price_ticks)),
        "qty": number(pair.qty(trade.qty_lots)),
        "ord_type": "market" if trade.is_market else "limit",
        "trade_id": trade.trade_id,
        "timestamp": rfc3339_us(trade.ts_ns),
    }


def candle_row(candle: Candle, minutes: int, pair: ServedPair) -> dict[str, Any]:
    """A candle of the channel of candles."""
    end_ns = candle.ts_ns + minutes * 60 * 10**9
    return {
        "symbol": pair.spec.symbol,
        "open": number(pair.price(candle.open_ticks)),
        "high": number(pair.price(candle.high_ticks)),
        "low": number(pair.price(candle.low_ticks)),
        "close": number(pair.price(candle.close_ticks)),
        "trades": candle.count,
        "volume": number(pair.qty(candle.volume_lots)),
        "vwap": number(pair.average(candle.cost, candle.volume_lots)),
        "interval_begin": rfc3339_ns(candle.ts_ns),
        "interval": minutes,
        "timestamp": rfc3339_ns(end_ns),
    }
