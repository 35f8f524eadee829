from __future__ import annotations

from adapters.bitstamp.matches import join_trades
from framework.protocol import BUY, SELL
from tests.adapters.bitstamp.stories import Story


def joined(story: Story) -> list[tuple[int | None, int | None]]:
    """The orders of maker and taker of each trade."""
    return [
        (match.maker.order if match.maker else None, match.taker.order if match.taker else None)
        for match in join_trades(story.events)
    ]


def test_a_trade_is_joined_to_the_two_orders_that_shrank_by_its_quantity() -> None:
    story = Story().created(1, SELL, 100, 50).created(2, BUY, 100, 30)
    story.changed(1, SELL, 100, 20).deleted(2, BUY, 100, 0).traded(100, 30)
    assert joined(story) == [(1, 2)]


def test_the_newer_order_is_the_taker_on_either_side() -> None:
    story = Story().created(1, BUY, 100, 50).created(2, SELL, 100, 30)
    story.deleted(2, SELL, 100, 0).changed(1, BUY, 100, 20).traded(100, 30)
    assert joined(story) == [(1, 2)]


def test_of_equal_reductions_the_nearest_in_time_is_taken_and_none_twice() -> None:
    story = Story().created(1, SELL, 100, 10).created(2, SELL, 100, 10).created(3, BUY, 100, 20)
    story.changed(3, BUY, 100, 10).deleted(1, SELL, 100, 0).traded(100, 10)
    story.deleted(3, BUY, 100, 0).deleted(2, SELL, 100, 0).traded(100, 10)
    assert joined(story) == [(1, 3), (2, 3)]


def test_a_reduction_at_the_price_of_the_trade_goes_before_a_nearer_one_of_a_better_limit() -> None:
    story = Story().created(1, SELL, 100, 10).created(2, BUY, 99, 10).created(3, BUY, 100, 10).created(4, SELL, 98, 10)
    story.deleted(1, SELL, 100, 0).deleted(3, BUY, 100, 0).deleted(4, SELL, 98, 0).deleted(2, BUY, 99, 0)
    story.traded(100, 10).traded(99, 10)
    assert joined(story) == [(1, 3), (2, 4)]


def test_a_cancellation_is_no_execution() -> None:
    story = Story().created(1, SELL, 100, 30).created(2, BUY, 99, 30)
    story.deleted(1, SELL, 100, 30).deleted(2, BUY, 99, 30).traded(100, 30)
    assert joined(story) == [(None, None)]


def test_a_reduction_outside_the_window_is_not_joined() -> None:
    story = Story(gap_ms=600).created(1, SELL, 100, 30).deleted(1, SELL, 100, 0).created(2, BUY, 1, 1).traded(100, 30)
    assert joined(story) == [(None, None)]


def test_an_order_older_than_the_recording_fits_a_trade_at_its_price_only() -> None:
    story = Story().created(9, BUY, 100, 30).deleted(1, SELL, 100, 0).deleted(9, BUY, 100, 0).traded(100, 30)
    assert joined(story) == [(1, 9)]
    other = Story().created(9, BUY, 100, 30).deleted(1, SELL, 101, 0).deleted(9, BUY, 100, 0).traded(100, 30)
    assert joined(other) == [(9, None)]


def test_one_change_can_stand_for_several_trades() -> None:
    story = Story().created(1, SELL, 100, 10).created(2, SELL, 101, 10).created(3, BUY, 105, 20)
    story.deleted(1, SELL, 100, 0).deleted(3, BUY, 105, 0).deleted(2, SELL, 101, 0).traded(100, 10).traded(101, 10)
    assert joined(story) == [(1, 3), (2, 3)]


def test_a_limit_worse_than_the_trade_is_not_joined_by_a_part_of_its_quantity() -> None:
    # The buy's limit is 99: it cannot have traded at 100.
    story = Story().created(1, SELL, 100, 10).created(3, BUY, 99, 20)
    story.deleted(1, SELL, 100, 0).deleted(3, BUY, 99, 0).traded(100, 10)
    assert joined(story) == [(1, None)]


def test_the_last_fill_of_a_market_order_may_be_announced_as_its_cancellation() -> None:
    story = Story().created(1, SELL, 100, 10).created(2, SELL, 101, 50).created(3, BUY, 100, 25)
    story.deleted(1, SELL, 100, 0).changed(3, BUY, 100, 15).traded(100, 10)
    # It walks on to 101 and its funds end there, a little before its quantity does.
    story.changed(3, BUY, 101, 15).changed(2, SELL, 101, 36).deleted(3, BUY, 101, 15).traded(101, 14)
    assert joined(story) == [(1, 3), (2, 3)]
