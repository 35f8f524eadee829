"""The feed's view: what it shows, when, and which deliveries stop the advance."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from framework.data.columns import LAST, Market
from framework.protocol import BUY, SELL
from framework.venue.kernel import FeedMode, MatchingKernel, StopReason
from framework.venue.latency import CompiledLatency, constant, lognormal
from tests.framework.venue.kernel.row_streams import Row, market
from tests.framework.venue.kernel.tape import add, delete, level, modify, trade

ROWS = [
    level(1000, BUY, 100, 10, 0),
    level(1000, SELL, 105, 10),
    level(2000, BUY, 99, 4),
    trade(2500, SELL, 100, 3, flags=0),
    level(2500, BUY, 100, 7),
    level(4000, SELL, 104, 2),
]


def delayed(rows: list[Row], us: float = 0.5, depth: str = "L2") -> MatchingKernel:
    return MatchingKernel([market(rows, depth)], feed_latency=constant(us).compile())


def stops(kernel: MatchingKernel, mode: FeedMode, interval_ns: int = 0) -> list[int]:
    kernel.subscribe_feed(0, mode, interval_ns)
    times = []
    while kernel.advance(10**6) is StopReason.FEED:
        times.append(kernel.now_ns)
    return times


def test_the_view_shows_a_message_after_its_delay_and_not_before() -> None:
    kernel = delayed(ROWS)
    book = kernel.books[0]
    kernel.advance(1499)
    assert kernel.best(0, BUY) == (100, 10)
    assert book.best_bid() is None
    kernel.advance(1500)
    assert (book.best_bid(), book.best_ask(), book.ts_event_ns) == ((100, 10), (105, 10), 1000)


def test_the_engine_is_ahead_of_the_view() -> None:
    kernel = delayed(ROWS)
    kernel.advance(2900)
    assert (kernel.best(0, BUY), kernel.books[0].best_bid()) == ((100, 7), (100, 10))
    assert (kernel.last_trade(0), kernel.books[0].last_trade()) == ((100, 3, SELL, 2500), None)
    kernel.advance(3000)
    assert kernel.books[0].touch() == (100, 7, 105, 10)
    assert kernel.books[0].last_trade() == (100, 3, SELL, 2500)


def test_without_delay_the_engine_acts_before_the_message_of_the_same_time_is_delivered() -> None:
    kernel = MatchingKernel([market(ROWS, "L2")])
    kernel.subscribe_feed(0, FeedMode.EVERY)
    assert kernel.advance(10**6) is StopReason.FEED
    assert (kernel.now_ns, kernel.engine_row(0)) == (1000, 2)


def test_the_feed_may_tell_other_quantities_than_the_engine_holds() -> None:
    played = market(ROWS, "L2")
    told = played.columns.qty_lots.copy()
    told[[0, 4]] += 5
    kernel = MatchingKernel([played], feed_latency=constant(0.5).compile(), told_lots=[told])
    kernel.advance(10**6)
    assert kernel.best(0, BUY) == (100, 7)
    assert kernel.books[0].best_bid() == (100, 12)
    assert kernel.books[0].columns.qty_lots.tolist() == told.tolist()


@pytest.mark.parametrize(
    ("told", "depth", "complaint"),
    [
        (np.zeros(2, np.int64), "L2", "a 64-bit quantity for each row of a market by levels"),
        (np.zeros(len(ROWS), np.int32), "L2", "a 64-bit quantity for each row of a market by levels"),
        (np.full(len(ROWS), -1), "L2", "without negative quantities"),
        (np.zeros(2 * len(ROWS), np.int64)[::2], "L2", "a contiguous array"),
    ],
)
def test_quantities_that_do_not_fit_the_rows_are_an_error(
    told: npt.NDArray[np.int64], depth: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        MatchingKernel([market(ROWS, depth)], told_lots=[told])


def test_a_message_never_overtakes_the_one_before_it() -> None:
    # Delays of 1.0 us or 0.2 us: some messages 100 ns apart would overtake.
    rows = [level(1000 + 100 * i, BUY, 100, 1 + i) for i in range(200)]
    latency = lognormal(0.5, 1.0).compile()
    kernel = MatchingKernel([market(rows, "L2")], feed_latency=latency, feed_key=5)
    seen = []
    kernel.subscribe_feed(0, FeedMode.EVERY)
    while kernel.advance(10**9) is StopReason.FEED:
        seen.append((kernel.now_ns, kernel.books[0].touch()[1]))
    drawn = [1000 + 100 * i + latency.draw_ns(kernel.feed_keys[0], i, 1000 + 100 * i) for i in range(200)]
    assert any(b < a for a, b in pairwise(drawn))
    assert seen == [(max(drawn[: i + 1]), 1 + i) for i in range(200)]


def test_without_a_model_messages_arrive_when_they_were_recorded_but_not_before_they_happened() -> None:
    recorded = market(ROWS, "L2")
    received = recorded.columns.ts_event_ns + np.array([0, 70, 30, 0, -400, 10])
    columns = msgspec.structs.replace(recorded.columns, ts_recv_ns=received)
    kernel = MatchingKernel([msgspec.structs.replace(recorded, columns=columns)])
    assert stops(kernel, FeedMode.EVERY) == [1070, 2030, 2500, 4010]


def test_every_message_stops_once() -> None:
    assert stops(delayed(ROWS), FeedMode.EVERY) == [1500, 2500, 3000, 4500]


def test_changes_of_the_touch_stop_and_others_do_not() -> None:
    assert stops(delayed(ROWS), FeedMode.TOUCH) == [1500, 3000, 4500]


def test_changes_of_the_price_of_the_touch_stop_and_of_its_quantity_do_not() -> None:
    assert stops(delayed(ROWS), FeedMode.TOUCH_PRICE) == [1500, 4500]


def test_messages_with_trades_stop() -> None:
    kernel = delayed(ROWS)
    assert stops(kernel, FeedMode.TRADES) == [3000]


def test_intervals_stop_at_their_end_if_something_came() -> None:
    # Deliveries at 1500, 2500, 3000 and 4500; the interval that ends at 3000 includes the message of 3000.
    assert stops(delayed(ROWS), FeedMode.INTERVAL, 1000) == [2000, 3000, 5000]


def test_nothing_stops_without_a_subscription() -> None:
    kernel = delayed(ROWS)
    assert kernel.advance(10**6) is StopReason.END
    assert (kernel.now_ns, kernel.books[0].touch()) == (4500, (100, 7, 104, 2))


def test_rows_of_a_stop_are_those_delivered_since_the_stop_before() -> None:
    kernel = delayed(ROWS)
    kernel.subscribe_feed(0, FeedMode.TOUCH)
    book = kernel.books[0]
    kernel.advance(10**6)
    assert book.rows() == (0, 2)
    kernel.advance(10**6)
    assert book.rows() == (2, 5)
    assert book.trade_rows().tolist() == [3]
    assert kernel.feed_stop == (0, FeedMode.TOUCH)


def test_levels_are_listed_from_the_best() -> None:
    kernel = delayed(ROWS)
    kernel.advance(10**6)
    prices, lots = kernel.books[0].levels(BUY)
    assert (prices.tolist(), lots.tolist()) == ([100, 99], [7, 4])
    prices, lots = kernel.books[0].levels(SELL, 1)
    assert (prices.tolist(), lots.tolist()) == ([104], [2])


def test_orders_of_an_l3_feed_add_up_to_levels() -> None:
    rows = [add(1, 1, BUY, 100, 4), add(2, 2, BUY, 100, 6), modify(3, 1, BUY, 99, 4), delete(4, 2, BUY, 100, 6)]
    kernel = MatchingKernel([market(rows, "L3")])
    kernel.advance(2)
    assert kernel.books[0].best_bid() == (100, 10)
    kernel.advance(3)
    assert kernel.books[0].best_bid() == (100, 6)
    kernel.advance(4)
    assert kernel.books[0].best_bid() == (99, 4)


def test_own_orders_and_what_we_took_are_not_in_the_view() -> None:
    kernel = delayed(ROWS)
    kernel.advance(1500)
    kernel.place(0, BUY, 103, 5)
    kernel.take(0, BUY, 10)
    kernel.advance(2200)
    assert kernel.books[0].touch() == (100, 10, 105, 10)


def test_instruments_are_walked_in_one_time() -> None:
    first = market([level(10, BUY, 100, 1), level(30, BUY, 101, 1)], "L2")
    second = market([level(20, BUY, 7, 1), level(30, BUY, 8, 1)], "L2")
    slow, fast = constant(0.015).compile(), constant(0.001).compile()
    kernel = MatchingKernel([first, second], feed_latency=[slow, fast])
    for index in (0, 1):
        kernel.subscribe_feed(index, FeedMode.EVERY)
    seen = []
    while kernel.advance(10**6) is StopReason.FEED:
        seen.append((kernel.now_ns, kernel.feed_stop[0], kernel.engine_row(0), kernel.engine_row(1)))
    assert seen == [(21, 1, 1, 1), (25, 0, 1, 1), (31, 1, 2, 2), (45, 0, 2, 2)]


def test_a_message_without_last_flag_ends_with_the_data() -> None:
    assert stops(delayed([*ROWS, level(5000, BUY, 98, 1, 0), level(5000, BUY, 97, 1, 0)]), FeedMode.EVERY)[-1] == 5500


def test_a_feed_latency_for_each_market_is_asked_for() -> None:
    one: list[CompiledLatency | None] = [constant(1).compile()]
    two: list[Market] = [market(ROWS, "L2"), market(ROWS, "L2")]
    with pytest.raises(ValueError, match="1 feed latencies for 2 markets"):
        MatchingKernel(two, feed_latency=one)


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="interval_ns 0"):
        delayed(ROWS).subscribe_feed(0, FeedMode.INTERVAL)


def test_flags_of_the_last_row_of_a_message_decide_when_it_is_sent() -> None:
    kernel = delayed([level(1000, BUY, 100, 1, 0), level(1700, BUY, 101, 1, LAST)])
    assert stops(kernel, FeedMode.EVERY) == [2200]
