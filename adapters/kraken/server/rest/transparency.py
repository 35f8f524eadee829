"""The book and the trades as the rules of transparency have them published (rest-api/get-pre-trade, get-post-trade).

Of a market that is known by levels only, the market's part of a level counts as one order.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.pairs import ServedPair
from adapters.kraken.server.refusal import invalid
from adapters.kraken.server.rest.params import Params
from adapters.kraken.wire.digits import rfc3339_ns
from framework.protocol import BUY, SELL
from framework.venue.served.tape import TapeTrade

__all__ = ["Transparency"]

_NS = 10**9
_ISO_8601 = re.compile(r"([0-9-]{10}[T ][0-9:]{5,8})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:?[0-9]{2})?")


class Transparency:
    """Answers; each method gives the ``result``, or raises Refusal."""

    def __init__(self, context: ServerContext) -> None:
        self._host = context.host
        self._pairs = context.pairs
        self.methods: Mapping[str, Callable[[Params], Any]] = {
            "PreTrade": self._pre_trade,
            "PostTrade": self._post_trade,
        }

    def _pre_trade(self, params: Params) -> Any:
        pair = self._pairs.wanted(params.required("symbol"))
        moment = rfc3339_ns(self._host.now_ns)
        orders = self._host.books[pair.spec.symbol].orders

        def rows(side: int, word: str) -> list[dict[str, Any]]:
            return [
                {
                    "side": word,
                    "price": pair.price(ticks),
                    "qty": pair.qty(lots),
                    "count": count,
                    "publication_ts": moment,
                }
                for ticks, lots, count in orders.counts(side, 10)
            ]

        return {
            **_described(pair),
            "base_notation": "NOML",
            "quote_notation": "MONE",
            "venue": "PGSL",
            "system": "CLOB",
            "bids": rows(BUY, "BUY"),
            "asks": rows(SELL, "SELL"),
        }

    def _post_trade(self, params: Params) -> Any:
        count = params.whole("count", 1000, 1, 1000)
        name = params.get("symbol")
        pairs = [self._pairs.wanted(name)] if name else self._pairs.all
        from_ns, to_ns = _moment_of(params, "from_ts"), _moment_of(params, "to_ts")
        found: list[tuple[TapeTrade, ServedPair]] = []
        for pair in pairs:
            tape = self._host.tapes[pair.spec.symbol]
            trades = list(tape.trades) if from_ns is None else tape.since(from_ns, len(tape.trades))
            found += [(trade, pair) for trade in trades if to_ns is None or trade.ts_ns <= to_ns]
        found.sort(key=lambda each: (each[0].ts_ns, each[0].trade_id))
        chosen = found[-count:] if from_ns is None else found[:count]
        rows = [_published(trade, pair) for trade, pair in chosen]
        last = rows[-1]["trade_ts"] if rows else rfc3339_ns(self._host.now_ns)
        return {"last_ts": last, "count": len(rows), "trades": rows}


def _published(trade: TapeTrade, pair: ServedPair) -> dict[str, str]:
    moment = rfc3339_ns(trade.ts_ns)
    return {
        "trade_id": str(trade.trade_id),
        "price": pair.price(trade.price_ticks),
        "quantity": pair.qty(trade.qty_lots),
        **_described(pair),
        "base_notation": "UNIT",
        "quote_notation": "MONE",
        "trade_venue": "PGSL",
        "trade_ts": moment,
        "publication_venue": "PGSL",
        "publication_ts": moment,
    }


def _moment_of(params: Params, name: str) -> int | None:
    """A time in ISO 8601, with up to nine digits of a fraction."""
    text = params.get(name)
    if not text:
        return None
    found = _ISO_8601.fullmatch(text)
    if found is None:
        raise invalid(name)
    try:
        moment = dt.datetime.fromisoformat(f"{found[1]}{found[3] or '+00:00'}")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        seconds = int(moment.timestamp())
    except (ValueError, OverflowError):
        raise invalid(name) from None
    return seconds * _NS + int((found[2] or "").ljust(9, "0")[:9])


def _described(pair: ServedPair) -> dict[str, str]:
    return {
        "symbol": pair.spec.symbol,
        "description": f"{pair.spec.base} / {pair.spec.quote}",
        "base_asset": pair.spec.base,
        "quote_asset": pair.spec.quote,
    }
