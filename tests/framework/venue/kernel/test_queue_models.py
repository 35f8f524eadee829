"""Queue places: exact, risk-averse and by probability, with values worked out from the formulas."""

from __future__ import annotations

import math

import pytest

from framework.data.columns import EXECUTED, LAST
from framework.protocol import BUY, SELL
from framework.venue.kernel import UNKNOWN_AHEAD, KernelOptions, QueueModel
from tests.framework.venue.kernel.tape import all_fills, best, kernel_of, level, trade

# Ahead of us 60 of 100 lots of 0.01: front 0.6, back 0.4; then the level loses 50 lots without a trade.
ROWS = [
    level(1, BUY, 100, 60),
    level(1, SELL, 105, 10),
    level(2, BUY, 100, 100),
    level(3, BUY, 100, 50),
]
LOG_P = math.log(1.4) / (math.log(1.4) + math.log(1.6))
LOG_TOTAL_P = math.log(1.4) / math.log(2.0)


@pytest.mark.parametrize(
    ("model", "n", "share_behind"),
    [
        (QueueModel.POWER, 1.0, 0.4),
        (QueueModel.POWER, 2.0, 0.16 / 0.52),
        (QueueModel.POWER_TOTAL, 2.0, 0.16),
        (QueueModel.POWER_RATIO, 2.0, 1 - 0.36),
        (QueueModel.LOG, 1.0, LOG_P),
        (QueueModel.LOG_TOTAL, 1.0, LOG_TOTAL_P),
    ],
)
def test_a_probability_model_splits_a_reduction(model: QueueModel, n: float, share_behind: float) -> None:
    kernel = kernel_of(ROWS, model=model, options=KernelOptions(queue_parameter=n))
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    kernel.advance(2)
    assert kernel.ahead(slot) == 60  # what joins stands behind
    kernel.advance(3)
    front_lost = (1 - share_behind) * 50
    back_short = min(40 - share_behind * 50, 0)
    assert kernel.ahead(slot) == pytest.approx(60 - front_lost + back_short, abs=1e-9)


def test_risk_averse_reductions_happen_behind_as_long_as_there_is_room() -> None:
    kernel = kernel_of([*ROWS[:3], level(3, BUY, 100, 60), level(4, BUY, 100, 25)])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    kernel.advance(3)
    assert kernel.ahead(slot) == 60
    kernel.advance(4)
    assert kernel.ahead(slot) == 25


def test_a_probability_model_sets_a_trade_off_against_the_next_change_of_the_level() -> None:
    # The level loses 20; 20 were traded, so nothing was canceled.
    rows = [*ROWS[:3], trade(3, SELL, 100, 20, flags=0), level(3, BUY, 100, 80, LAST | EXECUTED)]
    kernel = kernel_of(rows, model=QueueModel.POWER)
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    kernel.advance(3)
    assert kernel.ahead(slot) == 40


def test_a_probability_model_counts_a_reduction_without_trade_as_cancellations() -> None:
    kernel = kernel_of([*ROWS[:3], level(3, BUY, 100, 80)], model=QueueModel.POWER)
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 5)
    kernel.advance(3)
    assert kernel.ahead(slot) == pytest.approx(60 - 0.6 * 20)


def test_a_trade_is_rounded_to_lots_against_a_fraction_ahead() -> None:
    # 60 - 0.6 * 21 = 47.4 ahead; a trade of 50 leaves 2.6, so 3 lots.
    kernel = kernel_of([*ROWS[:3], level(3, BUY, 100, 79), trade(5, SELL, 100, 50)], model=QueueModel.POWER)
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 9)
    assert all_fills(kernel) == [(slot, 100, 3, 5)]


def test_an_order_at_the_best_price_of_an_l1_book_has_its_quantity_ahead() -> None:
    kernel = kernel_of([best(1, BUY, 100, 7), best(1, SELL, 105, 5), trade(5, SELL, 100, 9)], "L1")
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 9)
    assert kernel.ahead(slot) == 7
    assert all_fills(kernel) == [(slot, 100, 2, 5)]


def test_an_order_behind_the_best_price_of_an_l1_book_waits_until_the_price_comes() -> None:
    rows = [best(1, BUY, 100, 7), best(1, SELL, 105, 5), trade(3, SELL, 98, 9), best(5, BUY, 98, 6)]
    kernel = kernel_of(rows, "L1")
    kernel.advance(1)
    slot = kernel.place(0, BUY, 98, 9)
    assert kernel.ahead(slot) == UNKNOWN_AHEAD
    assert all_fills(kernel) == []
    assert kernel.ahead(slot) == 6


def test_an_order_that_the_best_price_of_an_l1_book_left_behind_is_alone() -> None:
    kernel = kernel_of([best(1, BUY, 100, 7), best(1, SELL, 105, 5), best(5, BUY, 99, 6)], "L1")
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 9)
    kernel.advance(5)
    assert kernel.ahead(slot) == 0


def test_an_order_that_the_best_price_of_an_l1_book_passed_keeps_what_was_known() -> None:
    kernel = kernel_of([best(1, BUY, 100, 7), best(1, SELL, 105, 5), best(5, BUY, 101, 6), best(6, BUY, 100, 9)], "L1")
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 9)
    kernel.advance(6)
    assert kernel.ahead(slot) == 7


def test_reducing_an_order_keeps_its_place_and_placing_it_anew_does_not() -> None:
    kernel = kernel_of(ROWS[:3])
    kernel.advance(1)
    slot = kernel.place(0, BUY, 100, 9)
    kernel.advance(2)
    kernel.reduce(slot, 4)
    assert (kernel.leaves(slot), kernel.ahead(slot)) == (4, 60)
    kernel.remove(slot)
    assert kernel.ahead(kernel.place(0, BUY, 100, 4)) == 100
