"""A market that is told by several channels is put into the order in which it happened; nothing is made of a gap."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from framework.data.columns import CLEAR, EXECUTED, LAST, LEVEL, SNAPSHOT, TRADE
from framework.data.live_rows import MarketRow
from framework.live.sequence import MarketSequence, Turn
from framework.protocol import BUY, SELL

T = 1_700_000_000_000_000_000
MS = 1_000_000
FAR = T + 10**15


def snapshot(at_ms: float) -> list[MarketRow]:
    ts = T + round(at_ms * MS)
    return [
        MarketRow(ts, ts, CLEAR, 0, 0, 0, SNAPSHOT),
        MarketRow(ts, ts, LEVEL, BUY, 10, 5, SNAPSHOT),
        MarketRow(ts, ts, LEVEL, SELL, 12, 5, SNAPSHOT | LAST),
    ]


def level(at_ms: float, side: int = SELL, price: int = 12, qty: int = 4) -> list[MarketRow]:
    ts = T + round(at_ms * MS)
    return [MarketRow(ts, ts, LEVEL, side, price, qty, LAST)]


def trade(at_ms: float, side: int = BUY, price: int = 12, qty: int = 1) -> list[MarketRow]:
    ts = T + round(at_ms * MS)
    return [MarketRow(ts, ts, TRADE, side, price, qty, 0, 7)]


def begun() -> MarketSequence:
    sequence = MarketSequence()
    sequence.add_book(snapshot(0))
    assert [row.kind for row in sequence.begin(T)] == [CLEAR, LEVEL, LEVEL]
    return sequence


def seen(rows: list[MarketRow]) -> list[tuple[int, float]]:
    return [(row.kind, (row.ts_event_ns - T) / MS) for row in rows]


def test_a_trade_that_is_told_after_its_change_comes_before_it_and_the_change_is_its_own() -> None:
    sequence = begun()
    sequence.add_book(level(5))
    sequence.add_book(level(6, BUY, 10, 9))
    sequence.add_trades(trade(5))
    rows = sequence.release(FAR).rows
    assert seen(rows) == [(TRADE, 5), (LEVEL, 5), (LEVEL, 6)]
    assert [bool(row.flags & EXECUTED) for row in rows] == [False, True, False]
    assert all(row.flags & LAST for row in rows)


def test_a_change_at_another_price_or_on_the_other_side_is_nobodys() -> None:
    sequence = begun()
    sequence.add_trades(trade(5))
    sequence.add_book(level(5, SELL, 13))
    sequence.add_book(level(5, BUY, 12))
    assert not any(row.flags & EXECUTED for row in sequence.release(FAR).rows)


def test_only_what_is_past_is_given_on_and_each_row_once() -> None:
    sequence = begun()
    sequence.add_book(level(5))
    sequence.add_book(level(7))
    sequence.add_trades(trade(6))
    assert seen(sequence.release(T + 6 * MS - 1).rows) == [(LEVEL, 5)]
    assert seen(sequence.release(T + 6 * MS).rows) == [(TRADE, 6)]
    assert seen(sequence.release(FAR).rows) == [(LEVEL, 7)]


def test_what_is_told_too_late_is_dated_by_when_it_came_and_a_trade_is_left_out() -> None:
    sequence = begun()
    sequence.release(T + 20 * MS)
    sequence.add_book(level(5))
    sequence.add_trades(trade(5))
    (row,) = sequence.release(FAR).rows
    assert (row.kind, row.ts_event_ns) == (LEVEL, T + 20 * MS + 1)
    assert (sequence.late_rows, sequence.late_trades) == (1, 1)


def test_a_loss_empties_the_book_and_nothing_that_was_traded_until_the_snapshot_is_given_on() -> None:
    sequence = begun()
    sequence.add_book(level(5))
    sequence.add_trades(trade(9))  # heard before the loss, but made after its beginning
    sequence.lose("gone", T + 8 * MS, T + 8 * MS)
    sequence.add_trades(trade(7))
    sequence.add_book(level(9))
    sequence.add_book(snapshot(20))
    sequence.add_trades(trade(19))
    sequence.add_trades(trade(21))
    released = sequence.release(FAR)
    assert seen(released.rows) == [(LEVEL, 5), (CLEAR, 8), (CLEAR, 20), (LEVEL, 20), (LEVEL, 20), (TRADE, 21)]
    assert released.turns == [Turn(T + 8 * MS, False, "gone"), Turn(T + 20 * MS, True)]
    assert sequence.unheard_trades == 3


def test_a_loss_of_what_is_lost_changes_nothing() -> None:
    sequence = begun()
    sequence.lose("gone", T + 8 * MS, 0)
    sequence.lose("gone too", T + 9 * MS, 0)
    assert len(sequence.release(FAR).turns) == 1


def test_a_market_begins_with_its_book_as_it_is_then_and_without_older_trades() -> None:
    sequence = MarketSequence()
    sequence.add_trades(trade(-50))
    sequence.add_book(snapshot(0))
    sequence.add_book(level(5))
    sequence.add_trades(trade(4))
    sequence.add_book(level(9))
    rows = sequence.begin(T + 6 * MS)
    assert seen(rows) == [(CLEAR, 6), (LEVEL, 6), (LEVEL, 6), (LEVEL, 6)]
    released = sequence.release(FAR)
    assert seen(released.rows) == [(LEVEL, 9)]
    assert released.turns == []


_said = st.lists(
    st.tuples(st.sampled_from(("book", "book", "trade", "trade", "snapshot", "lose", "release")), st.integers(0, 40)),
    max_size=60,
)


@settings(deadline=None)
@given(said=_said)
def test_time_never_goes_back_and_nothing_is_lost_whatever_is_told(said: list[tuple[str, int]]) -> None:
    sequence = begun()
    rows, booked, traded = [], 0, 0
    until = T
    for what, ms in said:
        if what == "book":
            booked += sequence.is_known
            sequence.add_book(level(ms))
        elif what == "snapshot":
            booked += 3
            sequence.add_book(snapshot(ms))
        elif what == "trade":
            traded += 1
            sequence.add_trades(trade(ms))
        elif what == "lose":
            booked += sequence.is_known
            sequence.lose("gone", T + ms * MS, 0)
        else:
            until = max(until, T + ms * MS)
            given_on = sequence.release(until).rows
            assert all(row.ts_event_ns <= until for row in given_on)
            rows += given_on
    rows += sequence.release(FAR).rows
    times = [row.ts_event_ns for row in rows]
    assert times == sorted(times)
    assert sum(row.kind != TRADE for row in rows) == booked
    assert sum(row.kind == TRADE for row in rows) + sequence.late_trades + sequence.unheard_trades == traded
    is_known = True
    for row in rows:
        if row.kind == CLEAR:
            is_known = not row.flags & LAST
        assert is_known or row.kind == CLEAR
