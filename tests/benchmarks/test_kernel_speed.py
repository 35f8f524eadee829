"""The kernel alone: rows per second with resting orders tracked and both cursors running, growth, memory, compiling."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from framework.data.columns import Market
from framework.protocol import BUY, SELL
from framework.venue.kernel import MatchingKernel, QueueModel, StopReason
from framework.venue.latency import constant
from tests.benchmarks.kernel_rows import l2_market, l3_market

pytestmark = pytest.mark.benchmark

ROWS = 2_000_000
REPEATS = 7
FEED = constant(5000).compile()


def walk(market: Market, orders: int, model: QueueModel = QueueModel.RISK_AVERSE, refreshes: int = 3000) -> int:
    """All rows and messages, with this many resting orders about the touch, placed anew now and then; counts fills."""
    kernel = MatchingKernel([market], feed_latency=FEED, queue_model=model)
    first, last = int(market.columns.ts_event_ns[0]), int(market.columns.ts_event_ns[-1])
    step_ns = (last - first) // refreshes
    due_ns = first + step_ns
    slots: list[int] = []
    fills = 0
    while (reason := kernel.advance(due_ns)) is not StopReason.END:
        if reason is StopReason.FILL:
            fills += len(kernel.fills())
            continue
        for slot in slots:
            if kernel.leaves(slot):
                kernel.remove(slot)
        slots.clear()
        due_ns += step_ns
        bid, ask = kernel.best(0, BUY), kernel.best(0, SELL)
        if bid is None or ask is None or bid >= ask:
            continue
        for i in range(orders // 2):
            slots.append(kernel.place(0, BUY, bid[0] - i, 10_000_000))
            slots.append(kernel.place(0, SELL, ask[0] + i, 10_000_000))
    return fills


def seconds(market: Market, orders: int, model: QueueModel = QueueModel.RISK_AVERSE, refreshes: int = 3000) -> float:
    start = time.process_time()
    walk(market, orders, model, refreshes)
    return time.process_time() - start


def test_rows_per_second() -> None:
    cases = {
        "L2, no orders": (l2_market(ROWS), 0, QueueModel.RISK_AVERSE),
        "L2, 10 orders": (l2_market(ROWS), 10, QueueModel.RISK_AVERSE),
        "L2, 10 orders, power model": (l2_market(ROWS), 10, QueueModel.POWER),
        "L3, no orders": (l3_market(ROWS), 0, QueueModel.RISK_AVERSE),
        "L3, 10 orders": (l3_market(ROWS), 10, QueueModel.RISK_AVERSE),
    }
    taken: dict[str, list[float]] = {name: [] for name in cases}
    walk(l2_market(1000), 2)
    for _ in range(REPEATS):
        for name, (market, orders, model) in cases.items():
            taken[name].append(seconds(market, orders, model))
    rates = {name: ROWS / statistics.median(times) / 1e6 for name, times in taken.items()}
    for name, rate in rates.items():
        best = ROWS / min(taken[name]) / 1e6
        print(f"\n{name}: median {rate:.1f} M rows/s, best {best:.1f}", end="")
    print("\n(targets with 10 orders: L2 20, L3 10 M rows/s)")


def test_cost_grows_linearly_with_rows_and_with_orders() -> None:
    walk(l2_market(1000), 2)
    by_rows = {factor: l2_market(250_000 * factor) for factor in (1, 2, 4, 8)}
    rows_cost: dict[int, list[float]] = {factor: [] for factor in by_rows}
    orders_cost: dict[int, list[float]] = {factor: [] for factor in (1, 2, 4, 8)}
    for _ in range(REPEATS):
        for factor, market in by_rows.items():
            rows_cost[factor].append(seconds(market, 10, refreshes=300 * factor) / factor)
        for factor, times in orders_cost.items():
            # So many times the orders over the run, the same number at a time.
            base = seconds(by_rows[1], 10, refreshes=1)
            times.append((seconds(by_rows[1], 10, refreshes=4000 * factor) - base) / factor)
    for name, costs in (("rows", rows_cost), ("orders", orders_cost)):
        median = {factor: statistics.median(times) for factor, times in costs.items()}
        print(f"\n{name}: " + ", ".join(f"x{factor} {cost / median[1]:.2f}" for factor, cost in median.items()))
    print("(target: at most 1.15)")


def test_memory_beside_the_columns() -> None:
    for name, make in (("L2", l2_market), ("L3", l3_market)):
        walk(make(1000), 10)
        market = make(ROWS)
        columns = sum(getattr(market.columns, column).nbytes for column in market.columns.__struct_fields__) / 2**20
        tracemalloc.start()  # numpy tells it of its arrays
        walk(market, 10)
        more = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        print(f"\n{name}: columns {columns:.0f} MB, kernel {more:.1f} MB more at its peak", end="")
        assert columns + more < 150
    print()


COMPILING = """
import time
from framework.data.columns import Columns
from framework.venue.kernel import QueueModel
from tests.benchmarks.kernel_rows import l2_market
from tests.benchmarks.test_kernel_speed import walk
market = l2_market(5000)
start = time.process_time()
walk(market, 10)
print(time.process_time() - start)
"""


def test_compiling_and_loading_what_was_compiled(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    taken = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", COMPILING], env=environment, capture_output=True, text=True, check=True
        )
        taken.append(float(done.stdout))
    print(f"\nfirst compile {taken[0]:.1f} s, from the cache {taken[1]:.2f} s (targets 8 and 0.5)")
