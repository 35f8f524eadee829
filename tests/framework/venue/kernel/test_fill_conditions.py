"""Each condition of a fill in the kernel's docstring, by hand, beside a case in which it does not hold."""

from __future__ import annotations

from framework.data.columns import EXECUTED, LAST, SNAPSHOT, UNKNOWN_SIDE
from framework.protocol import BUY, SELL
from framework.venue.kernel import KernelOptions
from tests.framework.venue.kernel.tape import add, all_fills, clear, delete, kernel_of, level, modify, trade

# 10 lots at 100 bid, 10 lots at 105 offered.
BOOK = [level(1, BUY, 100, 10), level(1, SELL, 105, 10)]
QUEUE = [add(1, 1, BUY, 100, 4), add(1, 2, BUY, 100, 6), add(1, 3, SELL, 105, 10)]


# ------------------------------------------------------------------------------------------------- trades


def test_an_order_inside_the_spread_is_hit_before_the_touch_behind_it() -> None:
    kernel = kernel_of([*BOOK, trade(5, SELL, 100, 3)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 102, 5)
    assert all_fills(kernel) == [(slot, 102, 3, 5)]
    assert kernel.leaves(slot) == 2


def test_a_trade_at_a_better_price_than_ours_does_not_reach_us() -> None:
    kernel = kernel_of([*BOOK, trade(5, SELL, 100, 30)])
    kernel.advance(1)
    kernel.place(0, BUY, 99, 5)
    assert all_fills(kernel) == []


def test_a_trade_through_our_price_fills_us_in_full_whatever_was_ahead() -> None:
    kernel = kernel_of([*BOOK, trade(5, SELL, 99, 7)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    assert kernel.ahead(slot) == 10
    assert all_fills(kernel) == [(slot, 100, 5, 5)]


def test_a_trade_of_the_other_side_does_not_go_through_us() -> None:
    kernel = kernel_of([*BOOK, trade(5, BUY, 99, 7)])
    kernel.advance(1)
    kernel.place(0, BUY, 100, 5)
    assert all_fills(kernel) == []


def test_a_trade_at_our_price_fills_what_exceeds_the_quantity_ahead() -> None:
    kernel = kernel_of([*BOOK, trade(5, SELL, 100, 13)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    assert all_fills(kernel) == [(slot, 100, 3, 5)]


def test_a_trade_at_our_price_that_ends_in_the_queue_ahead_fills_nothing_but_shortens_it() -> None:
    kernel = kernel_of([*BOOK, trade(5, SELL, 100, 10)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    assert all_fills(kernel) == []
    assert kernel.ahead(slot) == 0


def test_one_trade_fills_own_orders_by_price_then_time_and_no_more_than_its_quantity() -> None:
    kernel = kernel_of([*BOOK, trade(5, SELL, 100, 9)])
    kernel.advance(1)
    later, first, second = kernel.place(0, BUY, 101, 9), kernel.place(0, BUY, 102, 4), kernel.place(0, BUY, 102, 3)
    assert all_fills(kernel) == [(first, 102, 4, 5), (second, 102, 3, 5), (later, 101, 2, 5)]


def test_own_orders_at_the_price_of_a_trade_share_what_passes_the_queue() -> None:
    kernel = kernel_of([*BOOK, trade(5, SELL, 100, 14)])
    kernel.advance(1)
    first, second = kernel.place(0, BUY, 100, 3), kernel.place(0, BUY, 100, 3)
    assert all_fills(kernel) == [(first, 100, 3, 5), (second, 100, 1, 5)]


def test_a_trade_with_an_order_behind_us_has_passed_us() -> None:
    kernel = kernel_of([*QUEUE, add(3, 4, BUY, 100, 8), trade(5, SELL, 100, 2, order=4)], "L3")
    kernel.advance(2)
    slot = kernel.place(0, BUY, 100, 5)
    assert kernel.ahead(slot) == 10
    assert all_fills(kernel) == [(slot, 100, 2, 5)]


def test_a_trade_with_an_order_ahead_of_us_has_not_passed_us() -> None:
    kernel = kernel_of([*QUEUE, add(3, 4, BUY, 100, 8), trade(5, SELL, 100, 2, order=1)], "L3")
    kernel.advance(2)
    slot = kernel.place(0, BUY, 100, 5)
    assert all_fills(kernel) == []
    assert kernel.ahead(slot) == 8


def test_a_trade_of_unknown_side_near_the_bid_was_hit_on_the_bid() -> None:
    kernel = kernel_of([level(1, BUY, 100, 10), level(1, SELL, 105, 10), trade(5, UNKNOWN_SIDE, 102, 2)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 102, 5)
    assert all_fills(kernel) == [(slot, 102, 2, 5)]


def test_a_trade_of_unknown_side_near_the_ask_did_not_hit_a_bid_at_its_price() -> None:
    kernel = kernel_of([level(1, BUY, 100, 10), level(1, SELL, 105, 10), trade(5, UNKNOWN_SIDE, 103, 2)])
    kernel.advance(1)
    kernel.place(0, BUY, 103, 5)
    assert all_fills(kernel) == []


def test_a_trade_of_unknown_side_in_the_middle_hit_nobody_at_its_price() -> None:
    kernel = kernel_of([level(1, BUY, 100, 10), level(1, SELL, 104, 10), trade(5, UNKNOWN_SIDE, 102, 2)])
    kernel.advance(1)
    kernel.place(0, BUY, 102, 5)
    assert all_fills(kernel) == []


def test_a_trade_of_unknown_side_through_our_price_fills_us() -> None:
    kernel = kernel_of([*BOOK, trade(5, UNKNOWN_SIDE, 106, 2)])
    kernel.advance(1)
    slot = kernel.place(0, SELL, 105, 5)
    assert all_fills(kernel) == [(slot, 105, 2, 5)]


def test_what_a_trade_executed_ahead_of_us_is_not_counted_again_as_its_rows_come() -> None:
    rows = [
        *QUEUE,
        trade(5, SELL, 100, 4, order=1, flags=0),
        delete(5, 1, BUY, 100, 4, LAST | EXECUTED),
        trade(6, SELL, 100, 7, flags=LAST),
    ]
    kernel = kernel_of(rows, "L3")
    kernel.advance(2)
    slot = kernel.place(0, BUY, 100, 5)
    assert kernel.ahead(slot) == 10
    kernel.advance(5)
    assert kernel.ahead(slot) == 6
    assert all_fills(kernel) == [(slot, 100, 1, 6)]


def test_an_order_ahead_that_is_canceled_shortens_the_queue() -> None:
    kernel = kernel_of([*QUEUE, delete(5, 1, BUY, 100, 4), trade(6, SELL, 100, 7)], "L3")
    kernel.advance(2)
    slot = kernel.place(0, BUY, 100, 5)
    assert all_fills(kernel) == [(slot, 100, 1, 6)]


def test_an_order_behind_us_that_is_canceled_changes_nothing() -> None:
    kernel = kernel_of([*QUEUE, add(3, 4, BUY, 100, 8), delete(5, 4, BUY, 100, 8), trade(6, SELL, 100, 10)], "L3")
    kernel.advance(2)
    slot = kernel.place(0, BUY, 100, 5)
    assert all_fills(kernel) == []
    assert kernel.ahead(slot) == 0


def test_a_trade_told_after_the_book_in_the_same_instant_is_not_counted_twice() -> None:
    # All 10 lots are ahead; the book drops to 6, then the trade of 4 that did it is told.
    kernel = kernel_of([*BOOK, level(5, BUY, 100, 6, 0), trade(5, SELL, 100, 4)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    assert all_fills(kernel) == []
    assert kernel.ahead(slot) == 6


def test_a_trade_later_than_the_book_counts_on_its_own() -> None:
    kernel = kernel_of([*BOOK, level(5, BUY, 100, 6), trade(6, SELL, 100, 4)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    all_fills(kernel)
    assert kernel.ahead(slot) == 2


def test_a_trade_told_within_the_configured_time_after_the_book_is_not_counted_twice() -> None:
    rows = [*BOOK, level(5, BUY, 100, 6), trade(8, SELL, 100, 5)]
    kernel = kernel_of(rows, options=KernelOptions(trade_after_book_ns=3))
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    all_fills(kernel)
    assert kernel.ahead(slot) == 5


# ------------------------------------------------------------------------------------------------- crossing


def test_a_level_that_crosses_us_fills_us_at_our_price_and_what_traded_does_not_rest() -> None:
    kernel = kernel_of([*BOOK, level(5, SELL, 101, 4)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 102, 3)
    assert all_fills(kernel) == [(slot, 102, 3, 5)]
    assert kernel.best(0, SELL) == (101, 1)


def test_a_level_that_comes_short_of_us_fills_nothing() -> None:
    kernel = kernel_of([*BOOK, level(5, SELL, 103, 4)])
    kernel.advance(1)
    kernel.place(0, BUY, 102, 3)
    assert all_fills(kernel) == []


def test_an_added_order_that_crosses_us_fills_us_up_to_its_quantity() -> None:
    kernel = kernel_of([*QUEUE, add(5, 4, SELL, 101, 2)], "L3")
    kernel.advance(1)
    slot = kernel.place(0, BUY, 102, 3)
    assert all_fills(kernel) == [(slot, 102, 2, 5)]
    assert kernel.level(0, SELL, 101) == 0


def test_a_level_that_grows_across_our_price_fills_us_with_the_growth_only() -> None:
    kernel = kernel_of([*BOOK, level(5, SELL, 101, 4), level(6, SELL, 101, 6)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 102, 9)
    assert all_fills(kernel) == [(slot, 102, 4, 5), (slot, 102, 2, 6)]


def test_a_level_that_shrinks_across_our_price_fills_nothing_more() -> None:
    kernel = kernel_of([*BOOK, level(5, SELL, 101, 4), level(6, SELL, 101, 3)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 102, 9)
    assert all_fills(kernel) == [(slot, 102, 4, 5)]


def test_an_order_that_moves_across_our_price_fills_us() -> None:
    kernel = kernel_of([*QUEUE, modify(5, 3, SELL, 102, 10)], "L3")
    kernel.advance(1)
    slot = kernel.place(0, BUY, 102, 3)
    assert all_fills(kernel) == [(slot, 102, 3, 5)]
    assert kernel.best(0, SELL) == (102, 7)


def test_an_aggressor_that_crosses_recorded_orders_fills_us_by_its_trades_and_once() -> None:
    # An order to sell 10 at 99 is seen before its trades: 4 at 100 against order 1, then it is done by a cancel of 6.
    rows = [
        add(1, 1, BUY, 100, 4),
        add(1, 2, SELL, 105, 10),
        add(5, 3, SELL, 99, 10, 0),
        trade(5, SELL, 100, 4, order=1, flags=0),
        delete(5, 3, SELL, 99, 6, 0),
        delete(5, 1, BUY, 100, 4, LAST | EXECUTED),
    ]
    kernel = kernel_of(rows, "L3")
    kernel.advance(1)
    slot = kernel.place(0, BUY, 101, 9)
    assert all_fills(kernel) == [(slot, 101, 4, 5)]


def test_what_is_left_of_an_aggressor_across_our_price_fills_us_once_the_book_is_not_crossed() -> None:
    rows = [
        add(1, 1, BUY, 100, 4),
        add(1, 2, SELL, 105, 10),
        add(5, 3, SELL, 99, 10, 0),
        trade(5, SELL, 100, 4, order=1, flags=0),
        modify(5, 3, SELL, 99, 6, EXECUTED),
        delete(6, 1, BUY, 100, 4, LAST | EXECUTED),
    ]
    kernel = kernel_of(rows, "L3")
    kernel.advance(1)
    slot = kernel.place(0, BUY, 101, 9)
    assert all_fills(kernel) == [(slot, 101, 4, 5), (slot, 101, 5, 6)]
    assert kernel.best(0, SELL) == (99, 1)


def test_without_trades_an_aggressor_fills_us_as_it_comes() -> None:
    kernel = kernel_of([*BOOK, level(5, SELL, 99, 7, 0), level(5, BUY, 100, 0)], has_trades=False)
    kernel.advance(1)
    slot = kernel.place(0, BUY, 101, 9)
    assert all_fills(kernel) == [(slot, 101, 7, 5)]


def test_a_level_that_goes_away_fills_nobody() -> None:
    kernel = kernel_of([*BOOK, level(5, BUY, 100, 0), level(6, SELL, 105, 0)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    assert all_fills(kernel) == []
    assert kernel.ahead(slot) == 0


# ------------------------------------------------------------------------------------------------- snapshots


def test_a_snapshot_across_our_price_fills_nobody_until_the_next_row_that_comes_across_it() -> None:
    snapshot = LAST | SNAPSHOT
    rows = [*BOOK, clear(5), level(5, BUY, 98, 5, snapshot), level(5, SELL, 99, 5, snapshot), level(9, SELL, 100, 1)]
    kernel = kernel_of(rows)
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 8)
    assert all_fills(kernel, 8) == []
    assert all_fills(kernel) == [(slot, 100, 6, 9)]


def test_a_crossed_book_that_is_cleared_is_not_settled_by_rows_elsewhere() -> None:
    snapshot = LAST | SNAPSHOT
    rows = [
        *BOOK,
        level(4, SELL, 100, 3),  # crosses the recorded bid: its trades would be told
        clear(5),
        level(5, BUY, 98, 5, snapshot),
        level(5, SELL, 99, 5, snapshot),
        level(9, SELL, 110, 1),
    ]
    kernel = kernel_of(rows)
    kernel.advance(1)
    kernel.place(0, BUY, 101, 8)
    assert all_fills(kernel) == []


def test_trades_in_a_snapshot_fill_nobody() -> None:
    kernel = kernel_of([*BOOK, trade(5, SELL, 90, 9, flags=LAST | SNAPSHOT)])
    kernel.advance(1)
    kernel.place(0, BUY, 100, 8)
    assert all_fills(kernel) == []
    assert kernel.last_trade(0) == (90, 9, SELL, 5)


def test_a_snapshot_puts_no_more_ahead_of_us_than_was_there() -> None:
    snapshot = LAST | SNAPSHOT
    kernel = kernel_of([*BOOK, clear(5), level(5, BUY, 100, 30, snapshot), level(5, SELL, 105, 9, snapshot)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 8)
    all_fills(kernel)
    assert kernel.ahead(slot) == 10


def test_an_order_placed_into_an_unknown_book_has_the_whole_snapshot_ahead() -> None:
    snapshot = LAST | SNAPSHOT
    kernel = kernel_of([*BOOK, clear(5), level(7, BUY, 100, 30, snapshot), level(7, SELL, 105, 9, snapshot)])
    kernel.advance(5)
    slot = kernel.place(0, BUY, 100, 8)
    all_fills(kernel)
    assert kernel.ahead(slot) == 30


def test_an_order_restated_at_its_place_stays_ahead_and_a_new_one_of_a_snapshot_counts_as_ahead() -> None:
    snapshot = LAST | SNAPSHOT
    rows = [
        *QUEUE,
        add(3, 4, BUY, 100, 8),
        clear(5),
        add(5, 1, BUY, 100, 4, snapshot),  # was ahead
        add(5, 4, BUY, 100, 8, snapshot),  # was behind
        add(5, 5, BUY, 100, 2, snapshot),  # unknown
    ]
    kernel = kernel_of(rows, "L3")
    kernel.advance(2)
    slot = kernel.place(0, BUY, 100, 5)
    all_fills(kernel)
    assert kernel.ahead(slot) == 6


# ------------------------------------------------------------------------------------------------- icebergs


def test_an_iceberg_shows_a_slice_and_the_next_one_goes_to_the_back_of_the_queue() -> None:
    kernel = kernel_of([*BOOK, level(3, BUY, 100, 16), trade(5, SELL, 100, 13)])
    kernel.advance(2)
    slot = kernel.place(0, BUY, 100, 9, 2)
    assert kernel.visible(slot) == 2
    assert all_fills(kernel) == [(slot, 100, 2, 5)]
    assert (kernel.visible(slot), kernel.ahead(slot)) == (
        2,
        5,
    )  # 16 at the level, of which the trade's last 11 are gone


def test_a_trade_through_an_iceberg_fills_what_it_hides_too() -> None:
    kernel = kernel_of([*BOOK, trade(5, SELL, 99, 7)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 9, 2)
    assert all_fills(kernel) == [(slot, 100, 7, 5)]
    assert kernel.visible(slot) == 1


# ------------------------------------------------------------------------------------------------- trades only


def test_in_a_market_of_trades_a_trade_through_our_price_fills_us_whoever_was_the_aggressor() -> None:
    kernel = kernel_of([trade(1, SELL, 100, 5), trade(5, BUY, 99, 4)], "trades")
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 9)
    assert all_fills(kernel) == [(slot, 100, 4, 5)]


def test_in_a_market_of_trades_a_trade_at_our_price_fills_nothing_by_default() -> None:
    kernel = kernel_of([trade(1, SELL, 100, 5), trade(5, SELL, 100, 4)], "trades")
    kernel.advance(1)
    kernel.place(0, BUY, 100, 9)
    assert all_fills(kernel) == []


def test_in_a_market_of_trades_own_orders_get_the_configured_share_with_parts_of_lots_carried() -> None:
    rows = [trade(1, SELL, 100, 5), trade(5, SELL, 100, 5), trade(6, SELL, 100, 5), trade(7, BUY, 100, 8)]
    kernel = kernel_of(rows, "trades", options=KernelOptions(trades_share_ppm=300_000))
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 9)
    # 1.5 lots each: 1, then 0.5 + 1.5 = 2; the last trade hit the other side.
    assert all_fills(kernel) == [(slot, 100, 1, 5), (slot, 100, 2, 6)]


def test_in_a_market_of_trades_the_touch_is_the_last_trade_and_a_spread_away() -> None:
    rows = [trade(1, BUY, 100, 5), trade(5, SELL, 98, 3), trade(6, UNKNOWN_SIDE, 97, 2)]
    kernel = kernel_of(rows, "trades", options=KernelOptions(trades_spread_ticks=2))
    kernel.advance(1)
    assert (kernel.best(0, BUY), kernel.best(0, SELL)) == ((98, 5), (100, 5))
    kernel.advance(5)
    assert (kernel.best(0, BUY), kernel.best(0, SELL)) == ((98, 3), (100, 3))
    kernel.advance(6)  # lower than the trade before it: the tick rule says that it hit the bid
    assert (kernel.best(0, BUY), kernel.best(0, SELL)) == ((97, 2), (99, 2))


# ------------------------------------------------------------------------------------------------- no foresight


def test_a_row_after_the_placed_order_fills_it_and_one_before_does_not() -> None:
    kernel = kernel_of([*BOOK, trade(5, SELL, 99, 7), trade(6, SELL, 99, 2)])
    kernel.advance(5)
    slot = kernel.place(0, BUY, 100, 5)
    assert all_fills(kernel) == [(slot, 100, 2, 6)]


def test_a_removed_order_is_not_filled() -> None:
    kernel = kernel_of([*BOOK, trade(5, SELL, 99, 7)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    assert kernel.remove(slot) == 5
    assert all_fills(kernel) == []
