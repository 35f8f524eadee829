"""Triggers on the last trade price."""

from __future__ import annotations

import pytest

from framework.data.columns import LAST, SNAPSHOT
from framework.protocol import BUY
from framework.venue.kernel import MatchingKernel, StopReason, TriggerKind
from tests.framework.venue.kernel.tape import kernel_of, level, trade

PRICES = (100, 103, 102, 101, 99, 104)


def prices(values: tuple[int, ...] = PRICES) -> MatchingKernel:
    return kernel_of([trade(10 + i, BUY, price, 1) for i, price in enumerate(values)])


def fires_at(kernel: MatchingKernel) -> int | None:
    """The price at which the only trigger fires."""
    if kernel.advance(10**6) is StopReason.END:
        return None
    assert len(kernel.fired()) == 1
    last = kernel.last_trade(0)
    assert last is not None
    return last[0]


@pytest.mark.parametrize(
    ("kind", "trigger", "offset", "price"),
    [
        (TriggerKind.AT_OR_ABOVE, 103, 0, 103),
        (TriggerKind.AT_OR_ABOVE, 104, 0, 104),
        (TriggerKind.AT_OR_ABOVE, 105, 0, None),
        (TriggerKind.AT_OR_BELOW, 99, 0, 99),
        (TriggerKind.AT_OR_BELOW, 98, 0, None),
        (TriggerKind.TRAIL_FALL_TICKS, 100, 2, 101),  # from 103
        (TriggerKind.TRAIL_FALL_TICKS, 100, 4, 99),
        (TriggerKind.TRAIL_FALL_TICKS, 100, 5, None),
        (TriggerKind.TRAIL_RISE_TICKS, 102, 2, 103),  # from 100
        (TriggerKind.TRAIL_RISE_TICKS, 102, 5, 104),  # from 99
        (TriggerKind.TRAIL_RISE_TICKS, 102, 6, None),
        (TriggerKind.TRAIL_FALL_PPM, 100, 19_417, 101),  # 103 less 1.9417 % is 101.00005
        (TriggerKind.TRAIL_FALL_PPM, 100, 19_418, 99),  # 100.99995
        (TriggerKind.TRAIL_RISE_PPM, 102, 30_000, 103),
        (TriggerKind.TRAIL_RISE_PPM, 102, 30_001, 104),
    ],
)
def test_a_trigger_fires_at_the_first_price_that_reaches_it(
    kind: TriggerKind, trigger: int, offset: int, price: int | None
) -> None:
    kernel = prices()
    kernel.watch(0, kind, trigger, offset)
    assert fires_at(kernel) == price


def test_the_advance_stops_right_after_the_row_that_fired() -> None:
    kernel = prices()
    number = kernel.watch(0, TriggerKind.AT_OR_ABOVE, 103)
    assert kernel.advance(1000) is StopReason.TRIGGER
    assert (kernel.fired(), kernel.now_ns, kernel.engine_row(0)) == ([number], 11, 2)


def test_a_trigger_fires_once() -> None:
    kernel = prices()
    kernel.watch(0, TriggerKind.AT_OR_ABOVE, 100)
    assert kernel.advance(1000) is StopReason.TRIGGER
    assert kernel.advance(1000) is StopReason.END
    assert kernel.fired() == []


def test_several_triggers_of_one_trade_fire_together_in_order_of_their_numbers() -> None:
    kernel = prices()
    first, second = kernel.watch(0, TriggerKind.AT_OR_ABOVE, 103), kernel.watch(0, TriggerKind.AT_OR_ABOVE, 102)
    kernel.advance(1000)
    assert kernel.fired() == sorted([first, second])


def test_a_trigger_that_is_unwatched_does_not_fire() -> None:
    kernel = prices()
    kernel.unwatch(kernel.watch(0, TriggerKind.AT_OR_ABOVE, 100))
    assert kernel.advance(1000) is StopReason.END


def test_a_number_is_used_again_after_unwatch_and_not_before() -> None:
    kernel = prices()
    first = kernel.watch(0, TriggerKind.AT_OR_ABOVE, 100)
    assert kernel.watch(0, TriggerKind.AT_OR_ABOVE, 100) != first
    kernel.unwatch(first)
    assert kernel.watch(0, TriggerKind.AT_OR_ABOVE, 100) == first
    with pytest.raises(ValueError, match="no trigger 15"):
        kernel.unwatch(15)


def test_trades_of_a_snapshot_fire_nothing() -> None:
    kernel = kernel_of([trade(10, BUY, 100, 1, flags=LAST | SNAPSHOT), trade(11, BUY, 90, 1)])
    kernel.watch(0, TriggerKind.AT_OR_ABOVE, 100)
    assert kernel.advance(1000) is StopReason.END


def test_a_trade_before_the_trigger_was_set_does_not_fire_it() -> None:
    kernel = prices((105, 100))
    kernel.advance(10)
    kernel.watch(0, TriggerKind.AT_OR_ABOVE, 105)
    assert kernel.advance(1000) is StopReason.END


def test_a_trailing_trigger_without_a_price_trails_from_the_last_trade() -> None:
    kernel = prices()
    kernel.advance(11)
    number = kernel.watch(0, TriggerKind.TRAIL_FALL_TICKS, None, 2)
    assert kernel.trigger_ticks(number) == 101
    assert fires_at(kernel) == 101


def test_a_trailing_trigger_without_any_trade_trails_from_the_next() -> None:
    kernel = prices()
    kernel.watch(0, TriggerKind.TRAIL_RISE_TICKS, None, 5)
    assert fires_at(kernel) == 104


def test_the_trigger_price_follows_the_market() -> None:
    kernel = prices((100, 110, 105))
    fall, rise = (
        kernel.watch(0, TriggerKind.TRAIL_FALL_PPM, 100, 70_000),
        kernel.watch(0, TriggerKind.TRAIL_RISE_PPM, 100, 999_999),
    )
    kernel.advance(11)
    assert kernel.trigger_ticks(fall) == 102  # 110 * 0.93 = 102.3: 102 is the first whole tick that reaches it
    assert kernel.trigger_ticks(rise) == 200  # 199.9999


def test_more_triggers_than_the_first_memory_holds_all_fire() -> None:
    kernel = prices()
    numbers = [kernel.watch(0, TriggerKind.AT_OR_ABOVE, 104) for _ in range(100)]
    kernel.advance(1000)
    assert kernel.fired() == sorted(numbers)


def test_a_row_can_fill_and_fire() -> None:
    kernel = kernel_of([level(1, BUY, 90, 5), trade(5, 1, 90, 9)])
    kernel.advance(1)
    kernel.place(0, BUY, 91, 5)
    number = kernel.watch(0, TriggerKind.AT_OR_BELOW, 90)
    assert kernel.advance(1000) is StopReason.FILL
    assert kernel.fired() == [number]
