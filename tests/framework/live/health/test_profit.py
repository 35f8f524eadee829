"""What fills make of a position: exact, whatever their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from framework.live.health.profit import Profit


def after(*fills: tuple[int, int]) -> Profit:
    profit = Profit()
    for lots, ticks in fills:
        profit.fill(lots, ticks)
    return profit


def test_a_position_is_held_at_its_average_cost() -> None:
    profit = after((2, 100), (2, 110))
    assert (profit.position_lots, profit.cost_tick_lots, profit.realised_tick_lots) == (4, 420, 0)
    assert profit.unrealised_half_tick_lots(2 * 120) == 2 * (4 * 120 - 420)


def test_a_part_that_is_sold_realises_its_share_of_the_cost() -> None:
    profit = after((4, 100), (-1, 130))
    assert (profit.position_lots, profit.cost_tick_lots, profit.realised_tick_lots) == (3, 300, 30)


def test_a_short_position_gains_when_it_is_bought_back_lower() -> None:
    profit = after((-4, 100), (1, 90))
    assert (profit.position_lots, profit.realised_tick_lots) == (-3, 10)
    assert profit.unrealised_half_tick_lots(2 * 90) == 2 * 3 * 10


def test_a_fill_that_turns_a_position_closes_it_and_opens_the_other_way() -> None:
    profit = after((2, 100), (-5, 120))
    assert (profit.position_lots, profit.cost_tick_lots, profit.realised_tick_lots) == (-3, -360, 40)


@given(st.lists(st.tuples(st.integers(-9, 9).filter(bool), st.integers(1, 10**7)), max_size=60), st.integers(2, 10**7))
def test_realised_and_unrealised_together_are_the_cash_and_what_the_position_is_worth(
    fills: list[tuple[int, int]], middle_half_ticks: int
) -> None:
    profit = after(*fills)
    cash = -sum(lots * ticks for lots, ticks in fills)
    position = sum(lots for lots, _ in fills)
    assert profit.position_lots == position
    total_half = 2 * profit.realised_tick_lots + profit.unrealised_half_tick_lots(middle_half_ticks)
    assert total_half == 2 * cash + position * middle_half_ticks
    if not position:
        assert profit.cost_tick_lots == 0
