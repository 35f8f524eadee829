"""Book messages of WebSocket v2 as the venue sends them: a snapshot of ten levels, and updates of three of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from adapters.kraken.wire.checksum import printed_checksum

__all__ = ["SYMBOL", "book_messages"]

SYMBOL = "BTC/USD"
_DEPTH = 10


def book_messages(count: int, seed: int = 1) -> Iterator[bytes]:
    """A snapshot, then so many updates; each changes a bid, removes or brings back another, and changes an ask."""
    draw = random.Random(seed)
    bids = {ticks: _qty(draw) for ticks in range(640_000, 640_000 - _DEPTH, -1)}
    asks = {ticks: _qty(draw) for ticks in range(640_001, 640_001 + _DEPTH)}
    yield _message("snapshot", _levels(bids, sorted(bids, reverse=True)), _levels(asks, sorted(asks)), bids, asks)
    for _ in range(count):
        changed, other = draw.sample(range(640_000 - _DEPTH + 1, 640_001), 2)
        told = {changed: _qty(draw), other: "0.00000000" if other in bids and changed in bids else _qty(draw)}
        for ticks, qty in told.items():
            bids[ticks] = qty
            if qty == "0.00000000":
                del bids[ticks]
        ask = draw.choice(list(asks))
        asks[ask] = _qty(draw)
        yield _message("update", _levels(told, list(told)), _levels(asks, [ask]), bids, asks)


def _qty(draw: random.Random) -> str:
    return f"{draw.randrange(1, 500_000_000) / 1e8:.8f}"


def _price(ticks: int) -> str:
    return f"{ticks // 10}.{ticks % 10}"


def _levels(side: dict[int, str], prices: list[int]) -> str:
    return ",".join(f'{{"price":{_price(ticks)},"qty":{side[ticks]}}}' for ticks in prices)


def _message(kind: str, bids_text: str, asks_text: str, bids: dict[int, str], asks: dict[int, str]) -> bytes:
    checksum = printed_checksum(
        [(_price(ticks), asks[ticks]) for ticks in sorted(asks)],
        [(_price(ticks), bids[ticks]) for ticks in sorted(bids, reverse=True)],
    )
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{SYMBOL}","bids":[{bids_text}],"asks":[{asks_text}],'
        f'"checksum":{checksum},"timestamp":"2026-08-01T12:00:00.123456Z"}}]}}'
    ).encode()
