"""One market as it is told, put into the order in which it happened.

A book and its trades come by channels of their own: a trade is told a little before or after the changes that it made.
What is told is held back until nothing earlier can come any more, and then given on as an import of a recording would
have it (``framework.data.recording``): book rows in the order in which they came, trades by their own times, before
book rows of the same time, and the changes that a trade made flagged EXECUTED.

While the book is not known, from a loss to the next snapshot, nothing that was traded is given on: nobody can say what
it would have met.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import NamedTuple

from framework.data.columns import CLEAR, EXECUTED, LAST, LEVEL, SNAPSHOT
from framework.data.live_rows import MarketRow

__all__ = ["MarketSequence", "Released", "Turn"]

# Channels tell one moment of the engine with different decimals: a trade with six, its changes with nine.
UNIT_NS = 1_000


class Turn(NamedTuple):
    """From a time on, the book is known, or it is not. reason: why it is not."""

    ts_ns: int
    is_known: bool
    reason: str = ""


class Released(NamedTuple):
    """Rows in complete messages, in the order of their times; and the turns among them."""

    rows: list[MarketRow]
    turns: list[Turn]


class MarketSequence:
    """One instrument.

    is_known: a snapshot has come, and nothing was lost since. last_ns: the time of the newest book row.
    late_rows: book rows that were told after their time had been given on; they are dated by when they came.
    late_trades: trades that were; they are left out. unheard_trades: those of a time in which the book was not known.
    """

    def __init__(self) -> None:
        self.is_known = False
        self.last_ns = 0
        self.late_rows = self.late_trades = self.unheard_trades = 0
        self._released_ns = 0
        self._known_ns = 0
        self._book: deque[list[MarketRow]] = deque()
        self._trades: list[tuple[int, int, MarketRow]] = []
        self._trade_count = 0
        self._turns: deque[Turn] = deque()

    def add_book(self, rows: list[MarketRow]) -> None:
        """A message of the book; a snapshot begins with CLEAR."""
        is_snapshot = rows[0].kind == CLEAR
        if not (self.is_known or is_snapshot):
            return
        if rows[0].ts_event_ns <= self._released_ns:
            self.late_rows += len(rows)
        ts_ns = self._append(rows[0].ts_event_ns, rows)
        if not self.is_known:
            self.is_known = True
            self._known_ns = ts_ns
            self._turns.append(Turn(ts_ns, True))

    def add_trades(self, rows: list[MarketRow]) -> None:
        """Trades, each a message of its own from here on."""
        for row in rows:
            if not self.is_known or row.ts_event_ns <= self._known_ns:
                self.unheard_trades += 1
            elif row.ts_event_ns <= self._released_ns:
                self.late_trades += 1
            else:
                self._trade_count += 1
                told = row._replace(flags=row.flags | LAST)
                heapq.heappush(self._trades, (row.ts_event_ns, self._trade_count, told))

    def lose(self, reason: str, ts_ns: int, recv_ns: int) -> None:
        """What is told has a gap from a time on: the book is empty then. Nothing changes where it is not known."""
        if not self.is_known:
            return
        self.is_known = False
        clear = MarketRow(ts_ns, recv_ns, CLEAR, 0, 0, 0, SNAPSHOT | LAST)
        lost_ns = self._append(ts_ns, [clear])
        self._turns.append(Turn(lost_ns, False, reason))
        kept = [each for each in self._trades if each[0] < lost_ns]
        self.unheard_trades += len(self._trades) - len(kept)
        self._trades = kept
        heapq.heapify(self._trades)

    def begin(self, ts_ns: int) -> list[MarketRow]:
        """Have all that was told of the book until a time happen at that time; trades before it are none of it.

        Returns what the market begins with.
        """
        rows = [row._replace(ts_event_ns=ts_ns) for rows in self._book_until(ts_ns) for row in rows]
        while self._trades and self._trades[0][0] <= ts_ns:
            heapq.heappop(self._trades)
        while self._turns and self._turns[0].ts_ns <= ts_ns:
            self._turns.popleft()
        self._released_ns = ts_ns
        self.last_ns = max(self.last_ns, ts_ns)
        self._known_ns = max(self._known_ns, ts_ns)
        self.unheard_trades = 0
        return rows

    def release(self, until_ns: int) -> Released:
        """All up to a time, that time included; nothing of it is changed by what comes later.

        until_ns: the last nanosecond of a microsecond, so that a trade and its changes come together.
        """
        book = self._book_until(until_ns)
        trades = []
        while self._trades and self._trades[0][0] <= until_ns:
            trades.append(heapq.heappop(self._trades)[2])
        self._released_ns = max(self._released_ns, until_ns)
        turns = []
        while self._turns and self._turns[0].ts_ns <= until_ns:
            turns.append(self._turns.popleft())
        return Released(_merged(book, trades), turns)

    def _append(self, ts_ns: int, rows: list[MarketRow]) -> int:
        """A message of the book, not before the one before it, nor before what has been given on; returns its time."""
        ts_ns = max(ts_ns, self.last_ns, self._released_ns + 1)
        self.last_ns = ts_ns
        self._book.append([row._replace(ts_event_ns=ts_ns) for row in rows])
        return ts_ns

    def _book_until(self, ts_ns: int) -> list[list[MarketRow]]:
        book = []
        while self._book and self._book[0][0].ts_event_ns <= ts_ns:
            book.append(self._book.popleft())
        return book


def _merged(book: list[list[MarketRow]], trades: list[MarketRow]) -> list[MarketRow]:
    executed = {(trade.ts_event_ns // UNIT_NS, trade.price_ticks, 1 - trade.side) for trade in trades}
    rows: list[MarketRow] = []
    waiting = deque(trades)
    for message in book:
        ts_ns = message[0].ts_event_ns
        while waiting and waiting[0].ts_event_ns <= ts_ns:
            rows.append(waiting.popleft())
        for row in message:
            is_change = row.kind == LEVEL and not row.flags & SNAPSHOT
            if is_change and (ts_ns // UNIT_NS, row.price_ticks, row.side) in executed:
                row = row._replace(flags=row.flags | EXECUTED)
            rows.append(row)
    rows.extend(waiting)
    return rows
