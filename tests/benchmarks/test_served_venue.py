"""The served venue under load on loopback: orders acknowledged, the time to it, and how fast it opens.

The venue has a process of its own, the client another; the market runs. Nothing fails for being slow.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.benchmark

ROOT = Path(__file__).resolve().parents[2]
COUNT = 6_000
MUST_PER_S = {"fix": 10_000, "ws2": 8_000, "rest": 3_000}


@contextmanager
def venue(folder: Path) -> Iterator[tuple[Path, float]]:
    """The ready file of a venue, and how long it took from the start of the process."""
    ready = folder / "ready.json"
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.served_process", str(ready)], cwd=ROOT, stdout=subprocess.DEVNULL
    ) as process:
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.005)
        yield ready, time.perf_counter() - began
        process.terminate()


def load(ready: Path, protocol: str, count: int, rate: float) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.served_load", str(ready), protocol, str(count), str(rate)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("protocol", list(MUST_PER_S))
def test_orders_acknowledged_and_the_time_to_it(protocol: str, tmp_path: Path) -> None:
    with venue(tmp_path) as (ready, _):
        full = load(ready, protocol, COUNT, 0)
    must = MUST_PER_S[protocol]
    with venue(tmp_path) as (ready, opened_s):
        half = load(ready, protocol, COUNT // 2, must / 2)
    print(
        f"\n{protocol}: {full['per_s']:,.0f} orders/s acknowledged (must {must:,}); at {half['per_s']:,.0f}/s "
        f"p50 {half['p50_ms']:.2f} ms, p99 {half['p99_ms']:.2f} ms (must 2); open after {opened_s:.1f} s (must 3)"
    )
