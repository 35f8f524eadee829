"""The kernel's interface: time, slots, growth, errors and the hash of its state."""

from __future__ import annotations

import subprocess
import sys

import pytest
from numba import njit

from framework.errors import SimulationError
from framework.protocol import BUY, SELL
from framework.venue.kernel import Fill, KernelOptions, MatchingKernel, StopReason, operations
from framework.venue.kernel.advance import advance
from tests.framework.venue.kernel.row_streams import market
from tests.framework.venue.kernel.tape import kernel_of, level, trade

ROWS = [
    level(10, BUY, 100, 10, 0),
    level(10, SELL, 105, 10),
    trade(20, SELL, 98, 30, flags=0),
    trade(20, BUY, 110, 30),
    level(30, BUY, 97, 5),
]


def test_advance_tells_why_and_when_it_stopped_and_goes_on_from_there() -> None:
    kernel = kernel_of(ROWS)
    assert (kernel.advance(15), kernel.now_ns) == (StopReason.REACHED, 15)
    bid, ask = kernel.place(0, BUY, 100, 5), kernel.place(0, SELL, 105, 7)
    assert (kernel.advance(99), kernel.now_ns, kernel.engine_row(0)) == (StopReason.FILL, 20, 3)
    assert kernel.fills() == [Fill(bid, 100, 5, 20, 2)]
    assert (kernel.advance(99), kernel.now_ns, kernel.engine_row(0)) == (StopReason.FILL, 20, 4)
    assert kernel.fills() == [Fill(ask, 105, 7, 20, 3)]
    assert (kernel.advance(25), kernel.now_ns) == (StopReason.REACHED, 25)
    assert (kernel.advance(99), kernel.now_ns) == (StopReason.END, 30)
    assert kernel.fills() == []


def test_time_does_not_go_back() -> None:
    kernel = kernel_of(ROWS)
    kernel.advance(15)
    with pytest.raises(ValueError, match="14 is before 15"):
        kernel.advance(14)


def test_a_filled_order_frees_its_slot() -> None:
    kernel = kernel_of(ROWS)
    kernel.advance(15)
    slot = kernel.place(0, BUY, 100, 5)
    kernel.advance(99)
    assert kernel.leaves(slot) == 0
    with pytest.raises(SimulationError, match=f"slot {slot}"):
        kernel.remove(slot)
    assert kernel.place(0, BUY, 100, 5) == slot


def test_a_partly_filled_order_keeps_its_slot() -> None:
    kernel = kernel_of(ROWS)
    kernel.advance(15)
    slot = kernel.place(0, BUY, 100, 35)
    kernel.advance(20)
    assert kernel.leaves(slot) == 5
    assert kernel.place(0, BUY, 100, 5) != slot


def test_a_thousand_orders_outgrow_the_first_memory_and_all_fill() -> None:
    kernel = kernel_of([*ROWS[:2], trade(20, SELL, 98, 1000)])
    kernel.advance(15)
    slots = [kernel.place(0, BUY, 100, 1) for _ in range(1000)]
    assert len(set(slots)) == 1000
    kernel.advance(99)
    assert [fill.slot for fill in kernel.fills()] == slots


@pytest.mark.parametrize("leaves", [0, 6, -1])
def test_an_order_is_only_reduced_within_what_is_left(leaves: int) -> None:
    kernel = kernel_of(ROWS)
    slot = kernel.place(0, BUY, 100, 5)
    with pytest.raises(ValueError, match="5 lots left"):
        kernel.reduce(slot, leaves)


def test_a_smaller_display_applies_at_once_and_a_larger_one_from_the_next_slice() -> None:
    kernel = kernel_of(ROWS)
    slot = kernel.place(0, BUY, 100, 50, 10)
    kernel.set_display(slot, 20)
    assert kernel.visible(slot) == 10
    kernel.set_display(slot, 4)
    assert kernel.visible(slot) == 4
    kernel.set_display(slot, 0)
    assert kernel.visible(slot) == 50


def test_values_that_compiled_code_would_trust_are_refused() -> None:
    kernel = kernel_of(ROWS)
    with pytest.raises(ValueError, match="no instrument 1"):
        kernel.place(1, BUY, 100, 5)
    with pytest.raises(ValueError, match="no side 2"):
        kernel.place(0, 2, 100, 5)
    with pytest.raises(ValueError, match="cannot place 0 lots"):
        kernel.place(0, BUY, 100, 0)
    with pytest.raises(SimulationError, match="slot 99999"):
        kernel.remove(99_999)
    with pytest.raises(ValueError, match="at least one market"):
        MatchingKernel([])
    with pytest.raises(ValueError, match="trades_share_ppm"):
        kernel_of(ROWS, options=KernelOptions(trades_share_ppm=1_000_001))


def played(until: int) -> str:
    kernel = kernel_of(ROWS)
    kernel.advance(15)
    kernel.place(0, BUY, 100, 35)
    kernel.take(0, BUY, 3)
    kernel.advance(until)
    return kernel.state_hash()


def test_equal_histories_have_equal_states_and_others_have_not() -> None:
    assert played(20) == played(20)
    assert played(15) != played(20)


def test_the_state_is_equal_in_another_process_with_another_hash_seed() -> None:
    code = "from tests.framework.venue.kernel.test_engine import played; print(played(20))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": "77"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == played(20)


@njit
def drive(state: int, slot: int) -> int:
    """Places an order, and counts the lots that are left of it when the market has ended."""
    operations.place(state, 0, slot, 0, 100, 35, 0)
    while advance(state, 99) != 4:
        pass
    return operations.remove(state, slot)


def test_compiled_code_can_drive_the_kernel() -> None:
    kernel = kernel_of(ROWS)
    kernel.advance(15)
    assert drive(kernel.address, 7) == 5


def test_two_kernels_over_the_same_columns_do_not_disturb_each_other() -> None:
    shared = market(ROWS, "L2")
    one, two = MatchingKernel([shared]), MatchingKernel([shared])
    one.advance(15)
    one.take(0, BUY, 10)
    two.advance(15)
    assert (one.best(0, SELL), two.best(0, SELL)) == (None, (105, 10))
