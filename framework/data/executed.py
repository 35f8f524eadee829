"""Which changes of a book a trade caused, where the source does not tell."""

from __future__ import annotations

import numpy as np

from framework.data.columns import DELETE, EXECUTED, LEVEL, MODIFY, SNAPSHOT, Columns

__all__ = ["flag_executed"]


def flag_executed(book: Columns, traded: Columns, unit_ns: int = 1) -> int:
    """Flags, in place, changes at the time and price of a trade on the side that it took from; returns how many.

    book, traded: book rows and trades of one pair. unit_ns: to which times of both are compared.
    """
    trade_times, book_times = traded.ts_event_ns // unit_ns, book.ts_event_ns // unit_ns
    keys = set(zip(trade_times.tolist(), traded.price_ticks.tolist(), (1 - traded.side).tolist(), strict=True))
    is_change = np.isin(book.kind, (LEVEL, MODIFY, DELETE)) & (book.flags & SNAPSHOT == 0)
    executed = 0
    for row in np.flatnonzero(np.isin(book_times, trade_times) & is_change).tolist():
        if (int(book_times[row]), int(book.price_ticks[row]), int(book.side[row])) in keys:
            book.flags[row] |= EXECUTED
            executed += 1
    return executed
