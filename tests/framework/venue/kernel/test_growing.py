"""A market whose rows come while the kernel walks them is the market that had them from the beginning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.data.columns import COLUMN_TYPES, LAST, LEVEL, SNAPSHOT, TRADE, Columns, Market
from framework.errors import DataError
from framework.protocol import BUY, SELL
from framework.venue.kernel import FeedMode, KernelOptions, MatchingKernel, QueueModel, StopReason
from framework.venue.latency import lognormal
from tests.framework.venue.kernel.row_streams import Draw, Row, Step, calmed, market, patient, rows_from
from tests.framework.venue.kernel.test_twins import draws, steps

FEED = lognormal(0.004, 1.0).compile()
FAR = 2**62


def messages(whole: Market) -> list[Columns]:
    """The messages of a market, the last one ended where it was not."""
    whole.columns.flags[-1] |= LAST
    ends = np.flatnonzero(whole.columns.flags & LAST) + 1
    return [_cut(whole.columns, first, end) for first, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)]


def _cut(columns: Columns, first: int, end: int) -> Columns:
    parts = {name: np.ascontiguousarray(getattr(columns, name)[first:end]) for name in COLUMN_TYPES}
    return Columns(**(parts | {"order_id": np.zeros(0, np.int64)}))


class Grown:
    """A kernel that is given a message when its time has come."""

    def __init__(self, whole: Market, **options: Any) -> None:
        self._left = messages(whole)
        first = Market(spec=whole.spec, columns=self._left.pop(0), depth="L2", has_trades=whole.has_trades)
        self.kernel = MatchingKernel([first], **options)

    def advance(self, until: int) -> StopReason:
        while self._left and self._left[0].ts_event_ns[0] <= until:
            self.kernel.extend(0, self._left.pop(0))
        return self.kernel.advance(until)


class Whole:
    """A kernel that has all rows from the beginning."""

    def __init__(self, whole: Market, **options: Any) -> None:
        messages(whole)
        self.kernel = MatchingKernel([whole], **options)

    def advance(self, until: int) -> StopReason:
        return self.kernel.advance(until)


def played(run: Grown | Whole, drawn: list[Step], last_ns: int, mode: FeedMode) -> list[object]:
    """Everything that can be seen while orders rest and take, at the same times."""
    kernel, seen, own = run.kernel, [], []
    now = 1000
    kernel.subscribe_feed(0, mode, 3)
    for what, side, price, qty, number in [*drawn, (0, 0, 0, 0, last_ns)]:
        if what <= 4 and what != 2:
            now += number
            while (reason := run.advance(now)) not in (StopReason.REACHED, StopReason.END):
                seen.append((reason, kernel.now_ns, [tuple(fill) for fill in kernel.fills()], kernel.books[0].touch()))
                if reason is StopReason.FEED:
                    book = kernel.books[0]
                    seen.append(book.columns.price_ticks[book.trade_rows()].tolist())
        elif what == 2:
            own.append(kernel.place(0, side, price, qty + 1, number % 4))
        elif what == 5:
            seen.append(kernel.take(0, side, qty, price))
        elif own:
            slot = own[number % len(own)]
            if kernel.leaves(slot):
                kernel.remove(slot)
                own.remove(slot)
        for book_side in (BUY, SELL):
            prices, lots = kernel.books[0].levels(book_side)
            seen.append((kernel.levels(0, book_side, 100), prices.tolist(), lots.tolist()))
        seen.append([(kernel.leaves(slot), kernel.ahead(slot) if kernel.leaves(slot) else None) for slot in own])
    return seen


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    draws=draws,
    steps=steps,
    scale=st.sampled_from((1, 50, 5_000)),
    model=st.sampled_from(list(QueueModel)),
    look_back_ns=st.sampled_from((0, 2)),
    mode=st.sampled_from((FeedMode.NONE, FeedMode.EVERY, FeedMode.TOUCH, FeedMode.TRADES, FeedMode.INTERVAL)),
    is_calm=st.booleans(),
)
def test_fills_queues_books_and_the_feed_are_those_of_the_whole_market(
    draws: list[Draw],
    steps: list[Step],
    scale: int,
    model: QueueModel,
    look_back_ns: int,
    mode: FeedMode,
    is_calm: bool,
) -> None:
    """Prices far apart (scale) make pages while orders rest where no row had a price yet."""
    if is_calm:
        draws, steps = calmed(draws), patient(steps)

    def far(price: int) -> int:
        return 100_000 + (price - 100) * scale

    rows: list[Row] = [(ts, *more, far(price), qty, n, f) for ts, *more, price, qty, n, f in rows_from(draws, "L2")]  # type: ignore[misc]
    steps = [(what, side, far(price), qty, number) for what, side, price, qty, number in steps]
    options: dict[str, Any] = {
        "queue_model": model,
        "options": KernelOptions(trade_after_book_ns=look_back_ns),
        "feed_latency": FEED if len(steps) % 2 else None,
    }
    whole = market(rows, "L2")
    last_ns = FAR - 10**6
    expected = played(Whole(whole, **options), steps, last_ns, mode)
    assert played(Grown(whole, **options), steps, last_ns, mode) == expected


def _long_day(count: int) -> Market:
    """A bid that walks up a tick with each row, for long."""
    rows: list[Row] = []
    for number in range(count):
        rows.append((1000 + 10 * number, LEVEL, BUY, 100 + number, 5, 0, LAST))
        rows.append((1000 + 10 * number, LEVEL, BUY, 99 + number, 0, 0, LAST))
    return market(rows, "L2")


def test_memory_does_not_grow_with_the_rows_that_were_walked() -> None:
    whole = _long_day(20_000)
    grown = Grown(whole)
    size = 0
    for number in range(20_000):
        grown.advance(1000 + 10 * number)
        size = max(size, len(grown.kernel.books[0].columns))
    assert size < 10_000
    assert grown.kernel.best(0, BUY) == (100 + 19_999, 5)
    assert grown.kernel.engine_row(0) == 40_000


def test_an_order_where_no_row_had_a_price_so_far_is_hit_by_the_first_one_that_has() -> None:
    grown = Grown(market([(1000, LEVEL, BUY, 100, 5, 0, LAST), (2000, TRADE, SELL, -9_000, 3, 0, LAST)], "L2"))
    grown.advance(1500)
    slot = grown.kernel.place(0, BUY, -8_999, 2)
    assert grown.advance(2000) is StopReason.FILL
    assert grown.kernel.leaves(slot) == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((900, LEVEL, BUY, 100, 5, 0, LAST), "is before"),
        ((2000, LEVEL, BUY, 100, 5, 0, 0), "ends no message"),
        ((2000, LEVEL, 2, 100, 5, 0, LAST), "neither BUY nor SELL"),
    ],
)
def test_rows_that_are_not_what_they_should_be_are_refused_and_nothing_is_taken(row: Row, message: str) -> None:
    kernel = MatchingKernel([market([(1000, LEVEL, BUY, 100, 5, 0, LAST | SNAPSHOT)], "L2")])
    kernel.advance(1000)
    more = market([row], "L2").columns
    with pytest.raises(DataError, match=message):
        kernel.extend(0, _cut(more, 0, 1))
    assert kernel.advance(5000) is StopReason.END


def test_only_a_market_by_levels_can_grow() -> None:
    kernel = MatchingKernel([market([(1000, TRADE, BUY, 100, 5, 0, LAST)], "trades")])
    with pytest.raises(DataError, match="only one of L2"):
        kernel.extend(0, kernel.markets[0].columns)


def test_two_markets_grow_beside_each_other_and_meet_in_the_order_of_time() -> None:
    rows: list[list[Row]] = [
        [(1000 + 10 * n, LEVEL, BUY, (100 if which == 0 else 90_000) + n % 7, 5, 0, LAST) for n in range(200)]
        + [(3_500 + which, TRADE, SELL, 50 if which == 0 else 80_000, 9, 0, LAST)]
        for which in range(2)
    ]
    wholes = [market(each, "L2") for each in rows]
    for whole in wholes:
        whole.columns.flags[-1] |= LAST

    def seen(kernel: MatchingKernel, until: list[int]) -> list[object]:
        slots = [kernel.place(0, BUY, 60, 3), kernel.place(1, BUY, 85_000, 4)]
        found: list[object] = []
        for ns in until:
            give(kernel, ns)
            while (reason := kernel.advance(ns)) is StopReason.FILL:
                found += [(kernel.now_ns, tuple(fill)[:4]) for fill in kernel.fills()]
            assert reason in (StopReason.REACHED, StopReason.END)
        return [*found, [kernel.leaves(slot) for slot in slots], kernel.levels(0, BUY, 9), kernel.levels(1, BUY, 9)]

    left = [messages(whole) for whole in wholes]
    firsts = [
        Market(spec=whole.spec, columns=left[n].pop(0), depth="L2", has_trades=True) for n, whole in enumerate(wholes)
    ]

    def give(kernel: MatchingKernel, ns: int) -> None:
        if kernel is not grown:
            return
        for number, waiting in enumerate(left):
            while waiting and waiting[0].ts_event_ns[0] <= ns:
                kernel.extend(number, waiting.pop(0))

    grown = MatchingKernel(firsts)
    times = [1000, 1001, 1500, 3000, 3500, 3501, 4000]
    assert seen(grown, times) == seen(MatchingKernel(wholes), times)
