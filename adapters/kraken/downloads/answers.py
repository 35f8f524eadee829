"""Answers of public REST requests, as a download reads them: a page, to be tried again, or the end.

Sources: rest-api/get-recent-trades (``since`` exclusive, 1000 a page; trade ids count up by one in a pair),
rest-api/get-tradable-asset-pairs, guides/spot-errors, guides/spot-rest-ratelimits.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from adapters.kraken.asset_pairs import asset_pair_specs
from adapters.kraken.symbols import pair_names
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.rest import endpoints
from adapters.kraken.wire.rest.calls import HttpCall, public_call
from adapters.kraken.wire.rest.envelope import Endpoint
from adapters.kraken.wire.rest.public import AssetPairsRequest, TradesRequest
from framework.data.downloads import TradePage
from framework.errors import VenueError
from framework.protocol import BUY, SELL, InstrumentSpec

__all__ = ["TryAgain", "pair_call", "read_pair", "read_trades", "trades_call"]

_PAGE_ROWS = 1000
# A time of fewer digits is taken as seconds.
_NANOSECONDS_FROM = 10**12
_PASSING = (
    "EAPI:Rate limit exceeded",
    "EGeneral:Too many requests",
    "EGeneral:Internal error",
    "EService:Busy",
    "EService:Unavailable",
)
_THROTTLED = re.compile(r"EService: ?Throttled: ?(\d+)")


class TryAgain(msgspec.Struct, frozen=True):
    """The request may succeed later. until_s: not before this time, in seconds since 1970; 0 if that is not told."""

    reason: str
    until_s: int = 0


def pair_call(symbol: str) -> HttpCall:
    """The request for the rules of a pair; raises SymbolError for what is no name of one."""
    return public_call(endpoints.ASSET_PAIRS, AssetPairsRequest(pair=pair_names(symbol).rest))


def read_pair(status: int, body: bytes, symbol: str) -> InstrumentSpec | TryAgain:
    """The answer to ``pair_call``. Raises VenueError for a refusal, or what is no answer."""
    result = _result(endpoints.ASSET_PAIRS, status, body)
    if isinstance(result, TryAgain):
        return result
    rows = msgspec.to_builtins(result, enc_hook=str)
    for spec in asset_pair_specs(rows).values():
        if spec.symbol == symbol:
            return spec
    raise VenueError(f"the venue has no pair {symbol}; write it as BASE/QUOTE, like BTC/USD")


def trades_call(symbol: str, after_ns: int) -> HttpCall:
    """The request for the oldest trades after a time."""
    since = str(after_ns) if after_ns >= _NANOSECONDS_FROM else "0"
    return public_call(endpoints.TRADES, TradesRequest(pair=pair_names(symbol).rest, since=since, count=_PAGE_ROWS))


def read_trades(status: int, body: bytes) -> TradePage | TryAgain:
    """The answer to ``trades_call``. Raises VenueError for a refusal, or what is no answer."""
    result = _result(endpoints.TRADES, status, body)
    if isinstance(result, TryAgain):
        return result
    rows = [row for value in result.values() if isinstance(value, list) for row in value]
    try:
        return TradePage(
            trade_ids=[row.trade_id for row in rows],
            ts_event_ns=[row.time.units(9) for row in rows],
            prices=[row.price for row in rows],
            qtys=[row.volume for row in rows],
            sides=[_SIDES[row.side] for row in rows],
            last_ns=int(str(result["last"])),
            is_full=len(rows) >= _PAGE_ROWS,
        )
    except (KeyError, ValueError) as error:
        raise VenueError(f"a page of trades makes no sense ({error}); ask again later") from None


_SIDES = {"b": BUY, "s": SELL}


def _result[R](endpoint: Endpoint[Any, R], status: int, body: bytes) -> R | TryAgain:
    if status == 429 or status >= 500:
        return TryAgain(f"HTTP {status}")
    try:
        reply = endpoint.decode_reply(body)
    except WireError as error:
        raise VenueError(f"HTTP {status}, and what came is no answer of Kraken's ({error}); check the host") from None
    for text in reply.error:
        throttled = _THROTTLED.match(text)
        if throttled is not None:
            return TryAgain(text, int(throttled[1]))
        if text.startswith(_PASSING):
            return TryAgain(text)
    if reply.error:
        raise VenueError(f"the venue refuses: {', '.join(reply.error)}; check the pair and the time")
    if not isinstance(reply.result, dict):
        raise VenueError(f"HTTP {status}, and an answer without a result; check the host")
    return reply.result
