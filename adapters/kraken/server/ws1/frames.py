"""Frames of WebSocket v1 as bytes: events are objects with their names in alphabetical order, channel data are arrays.

Decimals and times are quoted strings. Sources: websocket-v1 pages of each event and channel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from adapters.kraken.server.pairs import LOT_DECIMALS, ServedPair
from adapters.kraken.wire.digits import book_checksum, digits, epoch_us
from framework.protocol import BUY
from framework.venue.served.book import Level
from framework.venue.served.tape import Candle, TapeTrade

__all__ = [
    "HEARTBEAT",
    "BookLevel",
    "ReqId",
    "book_checksum_of",
    "book_snapshot",
    "book_update",
    "candle_payload",
    "error",
    "event",
    "private_frame",
    "public_frame",
    "subscription_status",
    "trade_payload",
]

HEARTBEAT = b'{"event":"heartbeat"}'
_CHECKED_LEVELS = 10
_ENCODE = msgspec.json.Encoder(order="sorted").encode

type ReqId = int | str | None
"""A request's own number, echoed; the pages say both integer and string."""

type BookLevel = tuple[int, int, int, bool]
"""Price in ticks, quantity in lots, time of its last change in nanoseconds, whether it is only told again."""


# ------------------------------------------------------------------------------------------------------------- events


def event(name: str, reqid: ReqId, **fields: Any) -> bytes:
    """An event; fields that are None are left out."""
    given = {field: value for field, value in fields.items() if value is not None}
    return _ENCODE({"event": name, **({} if reqid is None else {"reqid": reqid}), **given})


def error(text: str, reqid: ReqId) -> bytes:
    """What cannot be answered in its own way."""
    return event("error", reqid, errorMessage=text)


def subscription_status(status: str, reqid: ReqId, **fields: Any) -> bytes:
    """What has become of a subscription; status: subscribed, unsubscribed or error."""
    return event("subscriptionStatus", reqid, status=status, **fields)


# ------------------------------------------------------------------------------------------------------------ channels


def public_frame(channel_id: int, payload: Any, channel_name: str, pair_name: str) -> bytes:
    """Data of a public channel; the names of an object keep their order."""
    return msgspec.json.encode([channel_id, payload, channel_name, pair_name])


def private_frame(rows: Sequence[dict[str, Any]], channel_name: str, sequence: int) -> bytes:
    """Data of a private channel; rows: an object each, by the id that it is about."""
    return _ENCODE([rows, channel_name, {"sequence": sequence}])


def trade_payload(trade: TapeTrade, pair: ServedPair) -> list[list[str]]:
    """One public trade; websocket-v1/trade lets several share a frame, here each has its own."""
    return [
        [
            pair.price(trade.price_ticks, pair.ws1_decimals),
            pair.qty(trade.qty_lots),
            epoch_us(trade.ts_ns),
            "b" if trade.side == BUY else "s",
            "m" if trade.is_market else "l",
            "",
        ]
    ]


def candle_payload(candle: Candle, minutes: int, last_ns: int, pair: ServedPair) -> list[Any]:
    """A candle; last_ns: time of the last trade in it."""
    decimals = pair.ws1_decimals
    prices = (candle.open_ticks, candle.high_ticks, candle.low_ticks, candle.close_ticks)
    return [
        epoch_us(last_ns),
        epoch_us(candle.ts_ns + minutes * 60 * 10**9),
        *(pair.price(ticks, decimals) for ticks in prices),
        pair.average(candle.cost, candle.volume_lots, decimals),
        pair.qty(candle.volume_lots),
        candle.count,
    ]


# ---------------------------------------------------------------------------------------------------------------- book


def book_checksum_of(pair: ServedPair, bids: Sequence[Level], asks: Sequence[Level]) -> int:
    """The checksum of a book by the digits that WebSocket v1 prints; best levels first."""
    price_units, qty_units = _price_units(pair), pair.qty_units

    def units(side: Sequence[Level]) -> list[tuple[int, int]]:
        return [(ticks * price_units, lots * qty_units) for ticks, lots in side[:_CHECKED_LEVELS]]

    return book_checksum(units(asks), units(bids))


def book_snapshot(
    channel_id: int, channel_name: str, pair: ServedPair, bids: Iterable[BookLevel], asks: Iterable[BookLevel]
) -> bytes:
    """The whole book, best levels first; it has no checksum."""
    payload = f'{{"as":[{_levels(asks, pair)}],"bs":[{_levels(bids, pair)}]}}'
    return f'[{channel_id},{payload},"{channel_name}","{pair.names.ws1}"]'.encode()


def book_update(
    channel_id: int,
    channel_name: str,
    pair: ServedPair,
    bids: Sequence[BookLevel],
    asks: Sequence[BookLevel],
    checksum: int,
) -> bytes:
    """Changed levels of one side or both. checksum: of the book after them; it stands in the last object only."""
    sides = [f'"{name}":[{_levels(levels, pair)}]' for name, levels in (("a", asks), ("b", bids)) if levels]
    sides[-1] += f',"c":"{checksum}"'
    payloads = ",".join([f"{{{side}}}" for side in sides])
    return f'[{channel_id},{payloads},"{channel_name}","{pair.names.ws1}"]'.encode()


def _levels(levels: Iterable[BookLevel], pair: ServedPair) -> str:
    price_units, qty_units, decimals = _price_units(pair), pair.qty_units, pair.ws1_decimals
    return ",".join(
        [
            f'["{digits(ticks * price_units, decimals)}","{digits(lots * qty_units, LOT_DECIMALS)}","{epoch_us(ts_ns)}"'
            + (',"r"]' if is_republished else "]")
            for ticks, lots, ts_ns, is_republished in levels
        ]
    )


def _price_units(pair: ServedPair) -> int:
    """One tick in units of the last decimal that is printed."""
    return int(pair.price_units * 10 ** (pair.ws1_decimals - pair.pair_decimals))
