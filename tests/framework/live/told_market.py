"""A market told as a venue tells it: book and trades by channels of their own, each message after its delay; in virtual
time, to who hears live markets."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from framework.adapter import MarketListener
from framework.data.columns import CLEAR, EXECUTED, LAST, SNAPSHOT, TRADE, Market
from framework.data.live_rows import MarketRow
from framework.data.synthetic import synthetic_l2, synthetic_market

MS = 1_000_000
S = 1_000_000_000
HEARTBEAT_NS = S


class Told(NamedTuple):
    """One message. recv_ns: when it is heard."""

    recv_ns: int
    symbol: str
    rows: list[MarketRow]


def told(
    market: Market, *, seed: int = 1, delay_ms: float = 20.0, jitter_ms: float = 30.0, trade_ms: float = 60.0
) -> list[Told]:
    """A market's messages in the order in which they are heard: nothing overtakes on one connection.

    trade_ms: so much later than the book, at most, trades leave the venue.
    """
    chance = random.Random(seed)
    columns = market.columns
    ends = (np.flatnonzero(columns.flags & LAST) + 1).tolist()
    sent: list[tuple[int, int, list[MarketRow]]] = []
    number = 0
    for first, end in zip([0, *ends[:-1]], ends, strict=True):
        rows = [
            MarketRow(
                int(columns.ts_event_ns[row]),
                0,
                int(columns.kind[row]),
                int(columns.side[row]),
                int(columns.price_ticks[row]),
                int(columns.qty_lots[row]),
                int(columns.flags[row]) & SNAPSHOT,
            )
            for row in range(first, end)
        ]
        book = [row for row in rows if row.kind != TRADE]
        trades = [row for row in rows if row.kind == TRADE]
        if first == 0 and book[0].kind != CLEAR:
            ts_ns = book[0].ts_event_ns
            book = [row._replace(flags=SNAPSHOT) for row in book]
            book.insert(0, MarketRow(ts_ns, 0, CLEAR, 0, 0, 0, SNAPSHOT))
        for row in trades:
            number += 1
            after_ns = round(chance.random() * trade_ms * MS)
            sent.append((row.ts_event_ns + after_ns, len(sent), [row._replace(trade_id=number)]))
        if book:
            sent.append((book[0].ts_event_ns, len(sent), book))
    heard: list[Told] = []
    recv_ns = 0
    for sent_ns, _, rows in sorted(sent, key=lambda each: each[:2]):
        recv_ns = max(recv_ns + 1, sent_ns + round((delay_ms + chance.random() * jitter_ms) * MS))
        rows = [row._replace(ts_recv_ns=recv_ns) for row in rows]
        rows[-1] = rows[-1]._replace(flags=rows[-1].flags | LAST)
        heard.append(Told(recv_ns, market.spec.symbol, rows))
    return heard


def busy_market(duration_s: int = 20, seed: int = 5) -> Market:
    """A synthetic market by levels, whose source tells nothing of what a trade changed."""
    market = synthetic_l2(synthetic_market(seed, duration_s))
    market.columns.flags[:] &= ~np.uint8(EXECUTED)
    return market


class Telling:
    """Tells messages as a clock comes to them.

    now_ns, heard_ns: of the clock, and of the last message or heartbeat. silences: from and to: nothing is heard, and
    what was said then comes all at once.
    """

    def __init__(self, messages: Sequence[Told], silences: Sequence[tuple[int, int]] = ()) -> None:
        self.now_ns = messages[0].recv_ns - 1
        self.heard_ns = 0
        self._left = sorted(
            (self._heard_at(each.recv_ns, silences), number, each) for number, each in enumerate(messages)
        )
        self._silences = silences
        self._beat_ns = self.now_ns
        self.plans: list[tuple[int, Callable[[], None]]] = []

    @staticmethod
    def _heard_at(recv_ns: int, silences: Sequence[tuple[int, int]]) -> int:
        return next((to_ns for from_ns, to_ns in silences if from_ns <= recv_ns < to_ns), recv_ns)

    @property
    def next_ns(self) -> int:
        """When the next message is heard."""
        return self._left[0][0]

    def pass_to(self, now_ns: int, listener: MarketListener) -> None:
        """Tell all that is heard until a time."""
        while True:
            due = [(self._left[0][0], 0)] if self._left else []
            due += [(self.plans[0][0], 1)] if self.plans else []
            if not due or min(due)[0] > now_ns:
                break
            at_ns, what = min(due)
            self.now_ns = max(self.now_ns, at_ns)
            if what:
                self.plans.pop(0)[1]()
                continue
            _, _, told_now = self._left.pop(0)
            self.heard_ns = self.now_ns
            rows = [row._replace(ts_recv_ns=self.now_ns) for row in told_now.rows]
            if rows[0].kind == TRADE:
                listener.traded(told_now.symbol, rows)
            else:
                listener.book_changed(told_now.symbol, rows)
        self.now_ns = max(self.now_ns, now_ns)
        while self._beat_ns + HEARTBEAT_NS <= self.now_ns:
            self._beat_ns += HEARTBEAT_NS
            if self._heard_at(self._beat_ns, self._silences) == self._beat_ns:
                self.heard_ns = max(self.heard_ns, self._beat_ns)
