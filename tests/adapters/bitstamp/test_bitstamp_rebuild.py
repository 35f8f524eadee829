from __future__ import annotations

import pytest

from adapters.bitstamp.rebuild import Rebuilt, rebuild
from framework.data.columns import ADD, CLEAR, DELETE, EXECUTED, LAST, MODIFY, SNAPSHOT, TRADE
from framework.errors import DataError
from framework.protocol import BUY, SELL
from tests.adapters.bitstamp.stories import MS, START_NS, Story


def rows_of(rebuilt: Rebuilt) -> list[tuple[int, ...]]:
    c = rebuilt.columns
    arrays = (c.kind, c.side, c.price_ticks, c.qty_lots, c.order_id, c.flags)
    return list(zip(*(each.tolist() for each in arrays), strict=True))


def changes_of(rebuilt: Rebuilt) -> list[tuple[int, ...]]:
    """Rows after the first book."""
    return [row for row in rows_of(rebuilt) if not row[5] & SNAPSHOT]


def test_the_market_starts_with_the_book_at_the_first_snapshot() -> None:
    story = Story().created(7, BUY, 90, 5).created(8, BUY, 91, 5).deleted(8, BUY, 91, 5).book({90: 5}, {})
    story.created(9, SELL, 95, 4)
    assert rows_of(rebuild(story.events, "x")) == [
        (CLEAR, BUY, 0, 0, 0, SNAPSHOT),
        (ADD, BUY, 90, 5, 1, SNAPSHOT | LAST),
        (ADD, SELL, 95, 4, 2, LAST),
    ]


def test_an_order_older_than_the_recording_that_is_named_later_is_in_the_first_book() -> None:
    story = Story().created(7, BUY, 90, 5).book({90: 8}, {}).deleted(3, BUY, 90, 3)
    rebuilt = rebuild(story.events, "x")
    assert rows_of(rebuilt)[1:] == [
        # It is older, so it stands in front.
        (ADD, BUY, 90, 3, 1, SNAPSHOT),
        (ADD, BUY, 90, 5, 2, SNAPSHOT | LAST),
        (DELETE, BUY, 90, 3, 1, LAST),
    ]
    assert rebuilt.counts["older_orders_named"] == 1


def test_a_level_that_snapshots_steadily_show_beyond_all_known_orders_is_in_the_first_book_in_front() -> None:
    story = Story().created(7, BUY, 90, 5).book({90: 5}, {})
    for _ in range(4):
        story.book({90: 11}, {})
    rebuilt = rebuild(story.events, "x")
    assert rows_of(rebuilt)[1:] == [
        (ADD, BUY, 90, 6, 1, SNAPSHOT),
        (ADD, BUY, 90, 5, 2, SNAPSHOT | LAST),
    ]
    assert rebuilt.counts["older_levels_silent"] == 1


def test_a_surplus_that_does_not_stay_is_not_believed() -> None:
    story = Story().created(7, BUY, 90, 5).book({90: 5}, {})
    for qty in (11, 12, 13, 5, 5):
        story.book({90: qty}, {})
    assert rebuild(story.events, "x").counts["older_levels_silent"] == 0


def test_a_surplus_that_most_snapshots_contradict_is_not_believed() -> None:
    story = Story().created(7, BUY, 90, 5).book({90: 5}, {})
    # Six more in three of eight.
    for qty in (11, 11, 11, 12, 13, 14, 5, 5):
        story.book({90: qty}, {})
    assert rebuild(story.events, "x").counts["older_levels_silent"] == 0


def test_a_trade_stands_before_the_reduction_of_the_order_that_it_hit() -> None:
    story = Story().created(1, SELL, 100, 50).book({}, {100: 50})
    story.created(2, BUY, 100, 30).deleted(2, BUY, 100, 0).changed(1, SELL, 100, 20).traded(100, 30)
    rebuilt = rebuild(story.events, "x")
    assert changes_of(rebuilt) == [
        (TRADE, BUY, 100, 30, 1, 0),
        (MODIFY, SELL, 100, 20, 1, LAST | EXECUTED),
    ]
    # Both at the time of the reduction; the trade's own message came 10 ms later.
    assert rebuilt.columns.ts_event_ns[-2:].tolist() == [START_NS + 40 * MS] * 2
    assert rebuilt.columns.ts_recv_ns[-2:].tolist() == [START_NS + 50 * MS, START_NS + 40 * MS]
    assert (rebuilt.counts["trades"], rebuilt.counts["trades_joined"]) == (1, 1)


def test_a_trade_is_never_received_before_it_happened() -> None:
    story = Story().created(1, SELL, 100, 50).book({}, {100: 50}).created(2, BUY, 100, 30).deleted(2, BUY, 100, 0)
    story.traded(100, 30).changed(1, SELL, 100, 20)
    columns = rebuild(story.events, "x").columns
    assert columns.ts_event_ns[-2:].tolist() == [START_NS + 50 * MS] * 2
    assert columns.ts_recv_ns[-2:].tolist() == [START_NS + 50 * MS] * 2


def test_a_resting_order_that_is_filled_is_deleted_with_what_it_had() -> None:
    story = Story().created(1, SELL, 100, 30).book({}, {100: 30})
    story.created(2, BUY, 100, 30).deleted(2, BUY, 100, 0).deleted(1, SELL, 100, 0).traded(100, 30)
    assert changes_of(rebuild(story.events, "x"))[-1] == (DELETE, SELL, 100, 30, 1, LAST | EXECUTED)


def test_a_marketable_order_joins_the_book_with_what_is_left_after_its_last_fill() -> None:
    story = Story().created(1, SELL, 100, 30).created(2, SELL, 101, 10).book({}, {100: 30, 101: 10})
    story.created(3, BUY, 101, 50).changed(3, BUY, 101, 20).deleted(1, SELL, 100, 0).traded(100, 30)
    story.changed(3, BUY, 101, 10).deleted(2, SELL, 101, 0).traded(101, 10)
    rebuilt = rebuild(story.events, "x")
    assert changes_of(rebuilt) == [
        (TRADE, BUY, 100, 30, 1, 0),
        (DELETE, SELL, 100, 30, 1, LAST | EXECUTED),
        (TRADE, BUY, 101, 10, 2, 0),
        (DELETE, SELL, 101, 10, 2, LAST | EXECUTED),
        (ADD, BUY, 101, 10, 3, LAST),
    ]
    assert rebuilt.counts["orders_that_would_cross"] == 0


def test_a_marketable_order_that_is_filled_never_joins_the_book() -> None:
    story = Story().created(1, SELL, 100, 50).book({}, {100: 50})
    story.created(2, BUY, 105, 30).changed(1, SELL, 100, 20).deleted(2, BUY, 105, 0).traded(100, 30)
    assert ADD not in [row[0] for row in changes_of(rebuild(story.events, "x"))]


def test_an_order_that_would_cross_without_a_trade_waits_outside_until_it_no_longer_would() -> None:
    story = Story().created(1, SELL, 100, 50).book({}, {100: 50})
    story.created(2, BUY, 100, 30).created(3, BUY, 90, 1).deleted(1, SELL, 100, 50)
    rebuilt = rebuild(story.events, "x")
    assert changes_of(rebuilt) == [
        (ADD, BUY, 90, 1, 2, LAST),
        (DELETE, SELL, 100, 50, 1, LAST),
        (ADD, BUY, 100, 30, 3, LAST),
    ]
    assert rebuilt.counts["orders_that_would_cross"] == 1
    assert rebuilt.counts["orders_never_resting"] == 0


def test_an_order_that_would_cross_and_is_cancelled_never_rests() -> None:
    story = Story().created(1, SELL, 100, 50).book({}, {100: 50}).created(2, BUY, 100, 30).deleted(2, BUY, 100, 30)
    rebuilt = rebuild(story.events, "x")
    assert changes_of(rebuilt) == []
    assert rebuilt.counts["orders_never_resting"] == 1


def test_an_order_whose_deletion_came_before_its_creation_never_rests() -> None:
    story = Story().created(1, SELL, 100, 50).book({}, {100: 50}).deleted(5, BUY, 90, 3).created(5, BUY, 90, 3)
    rebuilt = rebuild(story.events, "x")
    assert changes_of(rebuilt) == []
    assert rebuilt.counts["deletions_before_creation"] == 1
    assert rebuilt.counts["older_orders_named"] == 0


def test_a_trade_that_no_order_explains_has_no_order_and_ends_its_message() -> None:
    story = Story().created(1, SELL, 100, 50).book({}, {100: 50}).traded(100, 7)
    (row,) = changes_of(rebuild(story.events, "x"))
    assert row == (TRADE, 2, 100, 7, 0, LAST)


def test_a_recording_without_snapshot_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        rebuild(Story().created(1, SELL, 100, 50).events, "events.log")
    assert str(caught.value) == (
        "events.log: no order_book event; the book at the start is unknown, record that channel too"
    )
