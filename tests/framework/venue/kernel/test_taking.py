"""What own orders take, and how long it stays taken."""

from __future__ import annotations

from framework.data.columns import EXECUTED, LAST, SNAPSHOT
from framework.protocol import BUY, SELL
from framework.venue.kernel import NO_LIMIT, KernelOptions
from tests.framework.venue.kernel.tape import add, all_fills, best, clear, kernel_of, level, modify, trade

ASKS = [level(1, BUY, 100, 10, 0), level(1, SELL, 105, 4, 0), level(1, SELL, 106, 5, 0), level(1, SELL, 109, 6)]


def test_a_sweep_walks_levels_from_the_best_price_to_its_limit() -> None:
    kernel = kernel_of(ASKS)
    kernel.advance(1)
    assert kernel.take(0, BUY, 20, 108) == [(105, 4), (106, 5)]
    assert kernel.best(0, SELL) == (109, 6)


def test_a_sweep_without_limit_takes_all_there_is_and_no_more() -> None:
    kernel = kernel_of(ASKS)
    kernel.advance(1)
    assert kernel.take(0, BUY, 20, NO_LIMIT) == [(105, 4), (106, 5), (109, 6)]
    assert kernel.best(0, SELL) is None
    assert kernel.take(0, SELL, 99) == [(100, 10)]


def test_a_sweep_of_hundreds_of_levels_is_complete() -> None:
    kernel = kernel_of([level(1, SELL, 1000 + i, 1 + i % 3) for i in range(600)])
    kernel.advance(1)
    assert kernel.take(0, BUY, 10**6) == [(1000 + i, 1 + i % 3) for i in range(600)]


def test_all_or_none_takes_nothing_if_one_lot_is_missing() -> None:
    kernel = kernel_of(ASKS)
    kernel.advance(1)
    assert kernel.take(0, BUY, 10, 106, is_all_or_none=True) == []
    assert kernel.available(0, BUY, 106) == 9
    assert kernel.take(0, BUY, 9, 106, is_all_or_none=True) == [(105, 4), (106, 5)]


def test_what_was_taken_of_a_level_stays_taken_while_it_shrinks_and_shows_its_growth() -> None:
    kernel = kernel_of([*ASKS, level(5, SELL, 106, 5), level(6, SELL, 106, 7), level(7, SELL, 106, 3)])
    kernel.advance(1)
    kernel.take(0, BUY, 8, 106)
    assert kernel.level(0, SELL, 106) == 1
    kernel.advance(5)
    assert kernel.level(0, SELL, 106) == 1
    kernel.advance(6)
    assert kernel.level(0, SELL, 106) == 3
    kernel.advance(7)
    assert kernel.level(0, SELL, 106) == 0


def test_a_level_that_went_away_comes_back_whole() -> None:
    kernel = kernel_of([*ASKS, level(5, SELL, 105, 0), level(6, SELL, 105, 4)])
    kernel.advance(1)
    kernel.take(0, BUY, 4, 105)
    kernel.advance(6)
    assert kernel.best(0, SELL) == (105, 4)


def test_what_was_taken_stays_taken_through_a_snapshot() -> None:
    snapshot = LAST | SNAPSHOT
    kernel = kernel_of([*ASKS, clear(5), level(5, SELL, 105, 6, snapshot), level(5, SELL, 106, 5, snapshot)])
    kernel.advance(1)
    kernel.take(0, BUY, 4, 105)
    kernel.advance(5)
    assert kernel.levels(0, SELL, 9) == [(105, 2), (106, 5)]


def test_what_was_taken_of_the_best_price_of_an_l1_book_stays_taken_until_the_price_moves() -> None:
    rows = [best(1, SELL, 105, 4), best(5, SELL, 105, 6), best(6, SELL, 106, 6), best(7, SELL, 105, 6)]
    kernel = kernel_of(rows, "L1")
    kernel.advance(1)
    kernel.take(0, BUY, 3)
    kernel.advance(5)
    assert kernel.best(0, SELL) == (105, 3)
    kernel.advance(6)
    assert kernel.best(0, SELL) == (106, 6)
    kernel.advance(7)
    assert kernel.best(0, SELL) == (105, 6)


def test_on_l3_the_oldest_orders_are_taken_first_and_an_order_that_moves_comes_back_whole() -> None:
    rows = [
        add(1, 1, SELL, 105, 4),
        add(1, 2, SELL, 105, 3),
        modify(5, 2, SELL, 105, 1),  # 1 of order 2 was taken: nothing is left of it
        modify(6, 1, SELL, 107, 4),
    ]
    kernel = kernel_of(rows, "L3")
    kernel.advance(1)
    assert kernel.take(0, BUY, 5) == [(105, 5)]
    kernel.advance(5)
    assert kernel.best(0, SELL) is None
    kernel.advance(6)
    assert kernel.best(0, SELL) == (107, 4)


def test_what_we_took_is_not_ahead_of_our_order() -> None:
    kernel = kernel_of([*ASKS, trade(5, BUY, 105, 2)])
    kernel.advance(1)
    slot = kernel.place(0, SELL, 105, 5)
    kernel.take(0, BUY, 3, 105)
    assert kernel.ahead(slot) == 1
    assert all_fills(kernel) == [(slot, 105, 1, 5)]


def test_taking_what_a_trade_already_passed_is_not_counted_twice() -> None:
    # 4 of the 10 ahead were executed, their rows have not come; we take 8 of what the book still shows.
    kernel = kernel_of([add(1, 1, SELL, 105, 10), trade(5, BUY, 105, 4)], "L3")
    kernel.advance(1)
    slot = kernel.place(0, SELL, 105, 5)
    kernel.advance(5)
    assert kernel.ahead(slot) == 6
    kernel.take(0, BUY, 8, 105)
    assert kernel.ahead(slot) == 2


def test_taking_behind_our_order_changes_nothing_ahead_of_it() -> None:
    rows = [add(1, 1, SELL, 105, 4), add(3, 2, SELL, 105, 6)]
    kernel = kernel_of(rows, "L3")
    kernel.advance(1)
    slot = kernel.place(0, SELL, 105, 5)
    kernel.advance(3)
    kernel.take(0, BUY, 7, 105)
    assert kernel.ahead(slot) == 0
    kernel.take(0, BUY, 3, 105)
    assert kernel.ahead(slot) == 0


def test_a_recorded_trade_against_what_we_took_reaches_us_so_much_earlier() -> None:
    rows = [
        add(1, 1, SELL, 105, 4),
        add(1, 2, SELL, 106, 4),
        trade(5, BUY, 105, 4, order=1, flags=0),
        modify(5, 1, SELL, 105, 0, LAST | EXECUTED),
    ]
    kernel = kernel_of(rows, "L3")
    kernel.advance(1)
    kernel.take(0, BUY, 4)
    slot = kernel.place(0, SELL, 105, 5)
    assert all_fills(kernel) == [(slot, 105, 4, 5)]


def test_own_orders_are_never_taken() -> None:
    kernel = kernel_of(ASKS)
    kernel.advance(1)
    kernel.place(0, SELL, 104, 50)
    assert kernel.take(0, BUY, 5) == [(105, 4), (106, 1)]


def test_an_order_left_across_the_market_trades_at_the_next_row_of_the_book() -> None:
    kernel = kernel_of([*ASKS, level(5, BUY, 99, 1)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 105, 6)
    assert all_fills(kernel) == [(slot, 105, 4, 5)]
    assert kernel.best(0, SELL) == (106, 5)


# ------------------------------------------------------------------------------------------------- 12a: trades told


def test_what_a_trade_executed_is_not_there_for_us_until_its_level_is_told() -> None:
    kernel = kernel_of([*ASKS, trade(5, BUY, 105, 3), level(9, SELL, 105, 1)])
    kernel.advance(5)
    assert kernel.take(0, BUY, 3, 106) == [(105, 1), (106, 2)]


def test_the_level_counts_as_its_row_tells_it_afterwards() -> None:
    kernel = kernel_of([*ASKS, trade(5, BUY, 105, 3), level(9, SELL, 105, 2)])
    kernel.advance(9)
    assert kernel.level(0, SELL, 105) == 2


def test_a_row_of_another_level_gives_nothing_back() -> None:
    kernel = kernel_of([*ASKS, trade(5, BUY, 105, 3), level(6, SELL, 106, 9), level(7, BUY, 100, 8)])
    kernel.advance(7)
    assert kernel.level(0, SELL, 105) == 1


def test_several_trades_of_a_level_add_up_to_no_more_than_it_has() -> None:
    rows = [*ASKS, trade(5, BUY, 105, 2), trade(6, BUY, 105, 1), trade(7, BUY, 105, 9), level(9, SELL, 105, 4)]
    kernel = kernel_of(rows)
    for at, left in ((5, 2), (6, 1), (7, 0), (9, 4)):
        kernel.advance(at)
        assert kernel.level(0, SELL, 105) == left


def test_a_trade_told_after_its_level_takes_nothing_from_it() -> None:
    kernel = kernel_of([*ASKS, level(5, SELL, 105, 1, 0), trade(5, BUY, 105, 3)])
    kernel.advance(5)
    assert kernel.level(0, SELL, 105) == 1


def test_how_long_before_a_trade_the_book_may_have_told_it_is_an_option() -> None:
    rows = [*ASKS, level(5, SELL, 105, 1), trade(8, BUY, 105, 1)]
    for within, left in ((2, 0), (3, 1)):
        kernel = kernel_of(rows, options=KernelOptions(trade_after_book_ns=within))
        kernel.advance(8)
        assert kernel.level(0, SELL, 105) == left


def test_what_we_took_between_a_trade_and_its_row_stays_taken() -> None:
    """Of 4 the trade has 2 and we have 1; the row says that 2 are left, of which one is ours."""
    kernel = kernel_of([*ASKS, trade(5, BUY, 105, 2), level(9, SELL, 105, 2)])
    kernel.advance(5)
    assert kernel.take(0, BUY, 1, 105) == [(105, 1)]
    kernel.advance(9)
    assert kernel.level(0, SELL, 105) == 1


def test_a_cleared_book_forgets_what_trades_had_told() -> None:
    rows = [*ASKS, trade(5, BUY, 105, 3), clear(6), level(6, SELL, 105, 4, SNAPSHOT | LAST)]
    kernel = kernel_of(rows)
    kernel.advance(6)
    assert kernel.level(0, SELL, 105) == 4


def test_of_more_than_eight_levels_in_wait_the_oldest_is_let_go_of() -> None:
    levels = [level(1, SELL, 105 + i, 4, 0) for i in range(9)]
    trades = [trade(5 + i, BUY, 105 + i, 4) for i in range(9)]
    kernel = kernel_of([level(1, BUY, 100, 10, 0), *levels, *trades])
    kernel.advance(12)
    assert kernel.best(0, SELL) == (113, 4)
    kernel.advance(13)
    assert kernel.best(0, SELL) == (105, 4)
