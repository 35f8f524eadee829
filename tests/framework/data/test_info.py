from __future__ import annotations

import math

import pytest

from framework.data.columns import ADD, CLEAR, DELETE, EXECUTED, LAST, LEVEL, MODIFY, SNAPSHOT, TRADE, UNKNOWN_SIDE
from framework.data.info import DEPTH_BANDS, Gap, describe, format_info
from framework.protocol import BUY, SELL
from tests.framework.data.markets import START_NS, make_market

S = 1_000_000_000


def test_rows_messages_span_and_longest_pauses_are_told() -> None:
    rows = [
        (LEVEL, BUY, 100, 5, 0, 0, 0),
        (LEVEL, SELL, 102, 5, 0, 0),
        (LEVEL, BUY, 99, 5, 0, 4 * S),
        (LEVEL, BUY, 98, 5, 0, 5 * S),
    ]
    info = describe(make_market(rows))
    assert (info.rows, info.messages, info.span_s) == (4, 3, 5.0)
    assert info.rows_by_kind == {"LEVEL": 4}
    assert info.gaps == (
        Gap(row=2, from_ts_ns=START_NS, length_ns=4 * S),
        Gap(row=3, from_ts_ns=START_NS + 4 * S, length_ns=S),
    )


def test_the_spread_is_weighed_by_the_time_it_stood() -> None:
    # Spread 2 for 9 s, then 4 for 1 s; the last state has no length.
    rows = [
        (LEVEL, BUY, 100, 5, 0, 0, 0),
        (LEVEL, SELL, 102, 7, 0, 0),
        (LEVEL, BUY, 98, 3, 0, 9 * S, 0),
        (LEVEL, BUY, 100, 0, 0, 9 * S),
        (LEVEL, SELL, 103, 1, 0, 10 * S),
    ]
    book = describe(make_market(rows)).book
    assert book is not None
    assert book.spread_ticks is not None
    assert (book.spread_ticks.p50, book.spread_ticks.p95, book.spread_ticks.mean) == (2, 4, 2.2)
    assert book.touch_lots is not None
    assert (book.touch_lots.p50, book.touch_lots.p99) == (12, 10 + 2)
    assert book.two_sided_s == 10.0
    assert book.touch_changes_per_s == 0.1


def test_a_change_of_quantity_at_the_touch_is_an_update_and_no_price_change() -> None:
    rows = [(LEVEL, BUY, 100, 5), (LEVEL, SELL, 102, 7), (LEVEL, BUY, 100, 6), (LEVEL, BUY, 90, 6, 0, 2 * S)]
    book = describe(make_market(rows)).book
    assert book is not None
    assert book.touch_changes_per_s == 0
    assert book.touch_updates_per_s == pytest.approx(1 / book.two_sided_s)


def test_crossed_and_locked_books_are_counted_with_the_first_row() -> None:
    rows = [
        (LEVEL, BUY, 100, 5),
        (LEVEL, SELL, 101, 5),
        (LEVEL, BUY, 101, 5),
        (LEVEL, BUY, 102, 5),
        (LEVEL, SELL, 101, 0),
    ]
    info = describe(make_market(rows))
    assert info.book is not None
    assert (info.book.crossed, info.book.locked, info.book.first_bad_row) == (1, 1, 2)
    assert "1 crossed, 1 locked, the first after row 2" in format_info(info)


def test_a_book_crossed_inside_a_message_only_is_not_counted() -> None:
    rows = [
        (LEVEL, BUY, 100, 5),
        (LEVEL, SELL, 101, 5),
        (LEVEL, BUY, 102, 5, 0, 3000, 0),
        (LEVEL, SELL, 101, 0, 0, 3000),
    ]
    info = describe(make_market(rows))
    assert info.book is not None
    assert (info.book.crossed, info.book.locked, info.book.first_bad_row) == (0, 0, None)
    assert "crossed or locked books  none" in format_info(info)


def test_depth_counts_what_lies_within_each_distance_of_its_best_price() -> None:
    rows = [
        (LEVEL, BUY, 2000, 1),
        (LEVEL, BUY, 1990, 2),
        (LEVEL, BUY, 1989, 4),
        (LEVEL, BUY, 900, 8),
        (LEVEL, SELL, 2001, 16),
    ]
    book = describe(make_market(rows)).book
    assert book is not None
    assert DEPTH_BANDS == (0, 10, 100, 1000)
    # Medians over the five messages of 1, 1+2, 1+2+4 bids (then unchanged) and of asks that come with the last one.
    assert book.depth_lots == ((1, 0), (3, 0), (7, 0), (7, 0))


def test_arrivals_are_told_by_distance_from_the_touch_before_them() -> None:
    rows = [
        (ADD, BUY, 1000, 1, 1, 0, SNAPSHOT),
        (ADD, SELL, 1010, 1, 2, 0, SNAPSHOT | LAST),
        (ADD, BUY, 1002, 1, 3, S),  # inside
        (ADD, BUY, 1002, 1, 4, 2 * S),  # at the touch
        (ADD, BUY, 992, 1, 5, 3 * S),  # 10 behind
        (ADD, SELL, 1011, 1, 6, 4 * S),  # 1 behind
    ]
    book = describe(make_market(rows, "L3")).book
    assert book is not None
    assert book.arrivals_per_s == (0.25, 0.25, 0.25, 0, 0.25, 0, 0, 0, 0, 0)


def test_trades_tell_volume_sides_and_bursts() -> None:
    rows = [
        (TRADE, BUY, 100, 5, 0, 0),
        (TRADE, BUY, 100, 1, 0, 1000),
        (TRADE, SELL, 99, 3, 0, S),
        (TRADE, UNKNOWN_SIDE, 99, 1, 0, 2 * S),
    ]
    trades = describe(make_market(rows, "trades")).trades
    assert trades is not None
    assert (trades.count, trades.volume_lots, trades.unknown_side, trades.trades_per_s) == (4, 10, 1, 2)
    assert trades.buy_share == pytest.approx(2 / 3)
    assert (trades.qty_lots.p50, trades.qty_lots.p99, trades.qty_lots.mean) == (1, 5, 2.5)
    # One of four trades follows another within 10 ms.
    assert trades.burst_share == 0.25


def test_evenly_spaced_trades_have_no_variation_and_lone_ones_none() -> None:
    even = describe(make_market([(TRADE, BUY, 100, 1, 0, i * S) for i in range(5)], "trades")).trades
    assert even is not None
    assert even.gap_variation == 0
    lone = describe(make_market([(TRADE, BUY, 100, 1)], "trades")).trades
    assert lone is not None
    assert lone.gap_variation is None


def test_orders_tell_lifetimes_and_how_they_ended() -> None:
    rows = [
        (ADD, BUY, 100, 5, 1, 0, SNAPSHOT | LAST),  # of a snapshot: not counted
        (ADD, SELL, 105, 5, 2, 0),
        (ADD, BUY, 99, 3, 3, 0),
        (TRADE, BUY, 105, 5, 2, 2 * S),
        (DELETE, SELL, 105, 5, 2, 2 * S, LAST | EXECUTED),
        (DELETE, BUY, 99, 3, 3, 4 * S),
        (ADD, BUY, 98, 1, 4, 4 * S),
        (MODIFY, BUY, 98, 1, 4, 8 * S),
    ]
    orders = describe(make_market(rows, "L3")).orders
    assert orders is not None
    assert (orders.added, orders.ended, orders.executed) == (3, 2, 1)
    assert orders.lifetime_s is not None
    assert (orders.lifetime_s.p5, orders.lifetime_s.p95, orders.lifetime_s.mean) == (2, 4, 3)
    # One cancel in 2 + 4 + 4 seconds of orders in the book.
    assert orders.cancels_per_order_s == pytest.approx(0.1)


def test_an_emptied_book_ends_the_time_of_its_orders() -> None:
    rows = [
        (ADD, BUY, 100, 5, 1, 0),
        (CLEAR, BUY, 0, 0, 0, 2 * S),
        (ADD, BUY, 100, 5, 2, 2 * S),
        (DELETE, BUY, 100, 5, 2, 10 * S),
    ]
    orders = describe(make_market(rows, "L3")).orders
    assert orders is not None
    assert orders.cancels_per_order_s == pytest.approx(1 / (2 + 8))


def test_a_market_of_trades_only_has_no_book_and_no_orders() -> None:
    info = describe(make_market([(TRADE, UNKNOWN_SIDE, 100, 5)], "trades"))
    assert (info.book, info.orders) == (None, None)
    assert info.trades is not None
    assert info.trades.buy_share is None
    assert "aggressors               not known" in format_info(info)


def test_an_info_is_written_with_units_checksums_and_notes() -> None:
    rows = [
        (LEVEL, BUY, 100, 5),
        (LEVEL, SELL, 102, 5),
        (TRADE, BUY, 102, 150_000_000),
        (LEVEL, SELL, 103, 1, 0, 2 * S),
    ]
    info = describe(
        make_market(rows), {"checksums_verified": 2928, "checksums_failed": 0, "snapshots": 1}, ("partial",)
    )
    text = format_info(info)
    assert text.startswith("BTC/USD on testing, L2\n")
    for line in (
        "  grid                     tick 0.1 USD, lot 0.00000001 BTC",
        "  span                     2023-11-14 22:13:20.000 to 2023-11-14 22:13:22.000 (2.000 s)",
        "  spread, ticks            5% 2, median 2, 95% 2, 99% 2, mean 2",
        "  trades                   1, volume 1.5 BTC, 0.5 per second",
        "  checksums                2928 verified, 0 failed",
        "  import                   snapshots 1",
        "  note                     partial",
    ):
        assert line in text.splitlines()


def test_a_single_row_is_no_reason_to_divide_by_zero() -> None:
    info = describe(make_market([(LEVEL, BUY, 100, 5)]))
    assert info.book is not None
    assert info.book.spread_ticks is None
    assert info.gaps == ()
    assert all(math.isfinite(rate) for rate in info.book.arrivals_per_s)
    assert format_info(info).count("\n") > 5
