"""One measurement in a process of its own: ``python -m tests.benchmarks.measure ENGINE STORE [REPEATS [FORM]]`` prints
JSON. FORM is "interval" or "touch", see the sides of the engines.

Times are of the wall clock and, as ``*_cpu_s``, of this process on the processor. What is made before a run, the rows
as an engine's own data, is measured apart from the run.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["main"]

LATENCY_MS = 5


@contextmanager
def _timed(result: dict[str, Any], name: str) -> Iterator[None]:
    began, began_cpu = time.perf_counter(), time.process_time()
    yield
    result[f"{name}_s"] = time.perf_counter() - began
    result[f"{name}_cpu_s"] = time.process_time() - began_cpu


def _resident_mb(field: str) -> float:
    """VmRSS, RssAnon or VmHWM of this process; where the system has no /proc, the high-water mark for both."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 2**20)


def _forget_peak() -> None:
    """Let the high-water mark begin anew, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _tidegate(store: Path, repeats: int, form: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    with _timed(result, "import"):
        from adapters.kraken.profile import PROFILE
        from framework.data.columns import COLUMN_TYPES
        from framework.data.store import Store
        from framework.protocol import LatencySpec
        from framework.venue.streams import draw_u64
        from tests.benchmarks.quoting import Rules
        from tests.benchmarks.tidegate_side import Maker, backtest, profile_with
    profile = profile_with(PROFILE, LatencySpec(kind="lognormal", median_us=LATENCY_MS * 1_000, sigma=0.5))
    _forget_peak()
    base_mb, base_anonymous_mb = _resident_mb("VmRSS"), _resident_mb("RssAnon")
    draw_u64(1, 1)  # the first compiled call of a process brings LLVM up
    result["llvm_mb"] = _resident_mb("VmRSS") - base_mb
    with _timed(result, "prepare"):
        opened = Store.open(store)
        market = opened.market(opened.symbols[0])
    runs = []
    for number in range(repeats):
        run: dict[str, Any] = {}
        with _timed(run, "build"):
            maker = Maker(Rules(), form)
            whole = backtest(market, maker, profile)
        with _timed(run, "run"):
            whole.run()
        if number == 0:
            result["columns_mb"] = sum(getattr(market.columns, name).nbytes for name in COLUMN_TYPES) / 2**20
            result["peak_mb_above_imports"] = _resident_mb("VmHWM") - base_mb
            # Mapped rows are pages of the file: shared, and the system's to take back.
            result["anonymous_mb_above_imports"] = _resident_mb("RssAnon") - base_anonymous_mb
        runs.append(run | _counts(maker))
    return result | {"runs": runs}


def _nautilus(store: Path, repeats: int, form: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    with _timed(result, "import"):
        from framework.data.store import Store
        from tests.benchmarks.nautilus_side import Maker
        from tests.benchmarks.quoting import Rules
        from tests.conformance.nautilus_rows import nautilus_data, nautilus_engine
    _forget_peak()
    base_mb = _resident_mb("VmRSS")
    opened = Store.open(store)
    market = opened.market(opened.symbols[0])
    with _timed(result, "prepare"):
        data = nautilus_data(market)
    runs = []
    for _ in range(repeats):
        run: dict[str, Any] = {}
        with _timed(run, "build"):
            engine = nautilus_engine(market, data, latency_ms=LATENCY_MS)
            maker = Maker(market, Rules(), form)
            engine.add_strategy(maker)
        with _timed(run, "run"):
            engine.run()
        runs.append(run | _counts(maker))
        engine.dispose()
    result["peak_mb_above_imports"] = _resident_mb("VmHWM") - base_mb
    return result | {"runs": runs}


def _hftbacktest(store: Path, repeats: int, form: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    with _timed(result, "import"):
        from hftbacktest import HashMapMarketDepthBacktest

        from framework.data.hftbacktest_npz import hftbacktest_events
        from framework.data.store import Store
        from tests.benchmarks.hftbacktest_side import asset, make_markets
        from tests.benchmarks.quoting import Rules
    _forget_peak()
    base_mb = _resident_mb("VmRSS")
    opened = Store.open(store)
    market = opened.market(opened.symbols[0])
    with _timed(result, "prepare"):
        events = hftbacktest_events(market)
        events["local_ts"] += LATENCY_MS * 1_000_000
    runs = []
    for _ in range(repeats):
        run: dict[str, Any] = {}
        with _timed(run, "build"):
            backtest = HashMapMarketDepthBacktest([asset(market, events, LATENCY_MS)])
        with _timed(run, "run"):
            counts = make_markets(backtest, market, Rules(), form)
        backtest.close()
        runs.append(run | counts)
    result["peak_mb_above_imports"] = _resident_mb("VmHWM") - base_mb
    return result | {"runs": runs}


def _counts(maker: Any) -> dict[str, int]:
    return {"submits": maker.submits, "cancels": maker.cancels, "fills": maker.fills, "wakes": maker.wakes}


ENGINES: dict[str, Callable[[Path, int, str], dict[str, Any]]] = {
    "tidegate": _tidegate,
    "nautilus": _nautilus,
    "hftbacktest": _hftbacktest,
}


def main(engine: str, store: str, repeats: str = "1", form: str = "interval") -> None:
    """Measure and print."""
    import warnings

    warnings.simplefilter("ignore")
    began = time.perf_counter()
    result = ENGINES[engine](Path(store), int(repeats), form)
    result["all_s"] = time.perf_counter() - began
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
