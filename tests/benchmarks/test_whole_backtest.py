"""A whole backtest of a market maker over 2,000,000 level 2 rows: against NautilusTrader and hftbacktest, and alone.

Every measurement is in a process of its own; those that are compared take turns, and their medians are told. Nothing
fails for being slow: times depend on the machine and on what else runs on it. What is checked is that the three did
comparable work.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from adapters.kraken.profile import PROFILE
from framework.data.columns import COLUMN_TYPES, LAST, Columns, Market
from framework.data.imports import ImportedMarket
from framework.data.store import write_store
from framework.data.synthetic import synthetic_l2_rows
from framework.protocol import LatencySpec
from tests.benchmarks.quoting import Rules
from tests.benchmarks.tidegate_side import Maker, Refresher, backtest, profile_with

pytestmark = pytest.mark.benchmark

ROWS = 2_000_000
ROUNDS = 3
ROOT = Path(__file__).resolve().parents[2]
HAS_HFTBACKTEST = importlib.util.find_spec("hftbacktest") is not None


@pytest.fixture(scope="module")
def market() -> Market:
    return synthetic_l2_rows(1, ROWS)


@pytest.fixture(scope="module")
def store(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "store"
    write_store(path, [ImportedMarket(market=market, source="synthetic")])
    return path


def _measure(
    engine: str, store: Path, repeats: int = 1, cache: Path | None = None, form: str = "interval"
) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = str(cache)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.measure", engine, str(store), str(repeats), form],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    result["process_s"] = time.perf_counter() - began
    return result


def _median(results: list[dict[str, Any]], run: int, field: str) -> float:
    return statistics.median(result["runs"][run][field] for result in results)


FORMS = {
    "interval": "the strategy looks every 100 ms: nothing of it runs between two looks",
    "touch": "the strategy is woken at each change of the touch; hftbacktest, which has no such wait, at each message",
}


@pytest.mark.parametrize("form", FORMS)
def test_against_nautilus_and_hftbacktest(store: Path, form: str) -> None:
    engines = {"tidegate": 2, "nautilus": 1} | ({"hftbacktest": 2} if HAS_HFTBACKTEST else {})
    results: dict[str, list[dict[str, Any]]] = {engine: [] for engine in engines}
    for _ in range(ROUNDS):
        for engine, repeats in engines.items():
            results[engine].append(_measure(engine, store, repeats, form=form))
    print(f"\nwhole backtest, {ROWS:,} level 2 rows, medians of {ROUNDS} processes in turns; {FORMS[form]}")
    print("                     run s    cpu s   rows/s   first s    data s  process s    MB  submits cancels  fills")
    for engine, measured in results.items():
        steady = _median(measured, -1, "run_s")
        print(
            f"  {engine:<16}{steady:>9.2f}{_median(measured, -1, 'run_cpu_s'):>9.2f}{ROWS / steady:>10,.0f}"
            f"{_median(measured, 0, 'run_s'):>9.2f}{statistics.median(m['prepare_s'] for m in measured):>10.2f}"
            f"{statistics.median(m['process_s'] for m in measured):>11.2f}"
            f"{statistics.median(m['peak_mb_above_imports'] for m in measured):>7.0f}"
            f"{measured[0]['runs'][-1]['submits']:>9}{measured[0]['runs'][-1]['cancels']:>8}"
            f"{measured[0]['runs'][-1]['fills']:>7}"
        )
    ours = results["tidegate"]
    for engine in list(engines)[1:]:
        times = ", ".join(
            f"{_median(results[engine], run, field) / _median(ours, run, field):.2f} ({name})"
            for name, run, field in (
                ("warm, wall clock", -1, "run_s"),
                ("warm, processor", -1, "run_cpu_s"),
                ("first run in the process, wall clock", 0, "run_s"),
                ("first run in the process, processor", 0, "run_cpu_s"),
            )
        )
        print(f"  {engine} takes so many times as long: {times}")
    # The work is comparable: the same decisions, in markets that differ by latency of the feed and rules of fills.
    base = ours[0]["runs"][-1]
    for measured in results.values():
        run = measured[0]["runs"][-1]
        assert abs(run["submits"] - base["submits"]) < 0.1 * base["submits"]
        assert abs(run["cancels"] - base["cancels"]) < 0.15 * base["cancels"]
        assert 0.6 * base["fills"] < run["fills"] < 1.4 * base["fills"]
        assert abs(run["wakes"] - base["wakes"]) < 0.02 * base["wakes"]


def test_first_run_in_a_new_process_with_and_without_compiled_code(store: Path, tmp_path: Path) -> None:
    cold = _measure("tidegate", store, 2, tmp_path)
    warm = [_measure("tidegate", store, 2, tmp_path) for _ in range(ROUNDS)]
    print("\nnew process, from start to end of the first run:")
    for name, measured in (("nothing compiled", [cold]), ("compiled code from the cache", warm)):
        whole = statistics.median(m["process_s"] - m["runs"][1]["build_s"] - m["runs"][1]["run_s"] for m in measured)
        first = statistics.median(m["runs"][0]["build_s"] + m["runs"][0]["run_s"] for m in measured)
        later = statistics.median(m["runs"][1]["build_s"] + m["runs"][1]["run_s"] for m in measured)
        load = statistics.median(m["prepare_s"] for m in measured)
        imports = statistics.median(m["import_s"] for m in measured)
        print(
            f"  {name}: {whole:.2f} s in all (imports {imports:.2f}, load {load:.3f}, run {first:.2f}, "
            f"a second run {later:.2f}, so {first - later:.2f} for compiled code)"
        )


def test_peak_memory_above_the_imports(store: Path) -> None:
    measured = [_measure("tidegate", store) for _ in range(ROUNDS)]
    names = ("peak_mb_above_imports", "columns_mb", "llvm_mb", "anonymous_mb_above_imports")
    peak, columns, llvm, anonymous = (statistics.median(m[name] for m in measured) for name in names)
    print(
        f"\npeak memory of a run above the imports: {peak:.0f} MB, of that {columns:.0f} MB mapped columns, "
        f"{llvm:.0f} MB that LLVM takes at the first compiled call of a process, and {peak - columns - llvm:.0f} MB of "
        f"the run; {anonymous:.0f} MB at its end are not pages of files"
    )


def _tiled(market: Market, rows: int, times: int) -> Market:
    """The market's first rows, up to the end of a message, again and again: each time it begins with its snapshot."""
    ends = np.flatnonzero(market.columns.flags & LAST) + 1
    count = int(ends[ends <= rows].max())
    columns = {name: np.tile(getattr(market.columns, name)[:count], times) for name in COLUMN_TYPES}
    span = int(market.columns.ts_event_ns[count]) - int(market.columns.ts_event_ns[0])
    for name in ("ts_event_ns", "ts_recv_ns"):
        columns[name] += np.repeat(np.arange(times) * span, count)
    return replace(market, columns=Columns(**columns))


def test_cost_as_rows_and_orders_grow(market: Market) -> None:
    profile = profile_with(PROFILE, LatencySpec(kind="lognormal", median_us=5_000.0, sigma=0.5))

    def cost(strategy: Maker | Refresher, rows: Market) -> tuple[float, int]:
        run = backtest(rows, strategy, profile)
        gc.collect()
        began = time.process_time()
        run.run()
        return time.process_time() - began, strategy.submits + strategy.cancels

    def repeated(make: Callable[[], Maker | Refresher], rows: Market, times: int) -> tuple[float, int]:
        """The same several times, so that what is small is measured as long as what is large."""
        each = [cost(make(), rows) for _ in range(times)]
        return sum(seconds for seconds, _ in each) / times, each[0][1]

    factors = (1, 2, 4, 8)
    markets = {factor: _tiled(market, ROWS // 8, factor) for factor in factors}
    cost(Maker(Rules()), markets[1])
    by_rows: dict[int, list[float]] = {factor: [] for factor in factors}
    by_orders: dict[int, list[float]] = {factor: [] for factor in factors}
    counts: dict[int, int] = {}
    for _ in range(ROUNDS):
        for factor in factors:
            seconds, _ = repeated(lambda: Maker(Rules()), markets[factor], 8 // factor)
            by_rows[factor].append(seconds / len(markets[factor].columns))
        base, _ = repeated(lambda: Refresher(10**9), markets[1], 8)
        for factor in factors:
            seconds, counts[factor] = repeated(lambda looks=16 // factor: Refresher(looks), markets[1], 8 // factor)
            by_orders[factor].append((seconds - base) / counts[factor])
    print("\ncost as things grow, by processor time:")
    for name, costs in (("row", by_rows), ("order action", by_orders)):
        for kind, pick in (("median", statistics.median), ("least", min)):
            times = {factor: 1e6 * pick(values) for factor, values in costs.items()}
            each = ", ".join(f"x{factor} {time_us:.2f}" for factor, time_us in times.items())
            deviation = max(time_us / times[1] - 1 for time_us in times.values())
            print(f"  us for each {name}, {kind}: {each}; {100 * deviation:+.0f} % at most")
    print(f"  order actions: {', '.join(str(counts[factor]) for factor in factors)}")
