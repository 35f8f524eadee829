"""Recordings told in a few words: each event 10 ms after the one before."""

from __future__ import annotations

from adapters.bitstamp.events import BookSeen, Changed, Created, Deleted, Event, Traded

__all__ = ["MS", "START_NS", "Story"]

MS = 1_000_000
START_NS = 1_430_438_400_000 * MS


class Story:
    """Collects events; prices in ticks, quantities in lots, sides 0 for bids and 1 for asks."""

    def __init__(self, gap_ms: int = 10) -> None:
        self.events: list[Event] = []
        self._gap_ns = gap_ms * MS

    def _next(self) -> tuple[int, int]:
        line = len(self.events) + 1
        return line, START_NS + (line - 1) * self._gap_ns

    def created(self, order: int, side: int, price: int, qty: int) -> Story:
        line, ts = self._next()
        self.events.append(Created(line=line, ts_recv_ns=ts, order=order, side=side, price_ticks=price, qty_lots=qty))
        return self

    def changed(self, order: int, side: int, price: int, qty: int) -> Story:
        line, ts = self._next()
        self.events.append(Changed(line=line, ts_recv_ns=ts, order=order, side=side, price_ticks=price, qty_lots=qty))
        return self

    def deleted(self, order: int, side: int, price: int, qty: int) -> Story:
        line, ts = self._next()
        self.events.append(Deleted(line=line, ts_recv_ns=ts, order=order, side=side, price_ticks=price, qty_lots=qty))
        return self

    def traded(self, price: int, qty: int) -> Story:
        line, ts = self._next()
        self.events.append(Traded(line=line, ts_recv_ns=ts, price_ticks=price, qty_lots=qty))
        return self

    def book(self, bids: dict[int, int], asks: dict[int, int]) -> Story:
        line, ts = self._next()
        best_bids = tuple(sorted(bids.items(), reverse=True))
        best_asks = tuple(sorted(asks.items()))
        self.events.append(BookSeen(line=line, ts_recv_ns=ts, bids=best_bids, asks=best_asks))
        return self
