"""The served venue under load on loopback: orders acknowledged, the time to it, and how fast it opens.

The venue has a process and a core of its own, the client the other cores; the market runs. Nothing fails for being
slow.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from framework.data.imports import ImportedMarket
from framework.data.store import write_store
from framework.data.synthetic import DEFAULT, SyntheticParameters, synthetic_market

pytestmark = pytest.mark.benchmark

ROOT = Path(__file__).resolve().parents[2]
COUNT = 12_000
ROUNDS = 5
# How long an idle core is watched, and what is more than a breath of it.
WATCH_S, GAP_S = 3.0, 0.0002
BASES = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "LINK", "AVAX", "DOGE")
SUBSCRIBERS = 20
MUST_PER_S = {"fix": 10_000, "ws2": 8_000, "rest": 3_000}
# Where processes can be bound to cores: left to itself, the system moves a server to the core of the client that wakes
# it, where one waits for the other.
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@contextmanager
def venue(folder: Path, *market: str) -> Iterator[tuple[Path, float]]:
    """The ready file of a venue, and how long it took from the start of the process. market: its source and speed."""
    with served("served_process", folder, *market) as opened:
        yield opened


@contextmanager
def served(module: str, folder: Path, *arguments: str) -> Iterator[tuple[Path, float]]:
    """The ready file of a server of its own process, and how long it took from the start of the process."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", f"tests.benchmarks.{module}", str(ready), *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    ) as process:
        _bind(process, CORES[-1:])
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.005)
        try:
            yield ready, time.perf_counter() - began
        finally:
            process.terminate()


def client(module: str, *arguments: str) -> dict[str, Any]:
    """What a client in a process of its own has measured."""
    with subprocess.Popen(
        [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _bind(process, CORES[:-1])
        told, errors = process.communicate(timeout=7_200)
    assert process.returncode == 0, errors
    result: dict[str, Any] = json.loads(told)
    return result


def _bind(process: subprocess.Popen[Any], cores: list[int]) -> None:
    """Have a process run on these cores, where there is more than one."""
    if len(CORES) > 1:
        os.sched_setaffinity(process.pid, cores)


@pytest.mark.parametrize("protocol", list(MUST_PER_S))
def test_orders_acknowledged_and_the_time_to_it(protocol: str, tmp_path: Path) -> None:
    must = MUST_PER_S[protocol]
    full: list[dict[str, Any]] = []
    half: list[dict[str, Any]] = []
    opened: list[float] = []
    for _ in range(ROUNDS):
        with venue(tmp_path) as (ready, opened_s):
            full.append(client("served_load", str(ready), protocol, str(COUNT), "0"))
            opened.append(opened_s)
        with venue(tmp_path) as (ready, opened_s):
            half.append(client("served_load", str(ready), protocol, str(COUNT), str(must / 2)))
            opened.append(opened_s)
    with served("echo_process", tmp_path) as (ready, _):
        bare_full = client("served_load", str(ready), "echo", str(COUNT), "0")
        bare = client("served_load", str(ready), "echo", str(COUNT), str(must / 2))
    held_up = _held_up()
    print(
        f"\n{protocol}, medians of {ROUNDS} (from to): {_spread(full, 'per_s', ',.0f')} orders/s acknowledged "
        f"(must {must:,}); at {_spread(half, 'per_s', ',.0f')}/s p50 {_spread(half, 'p50_ms', '.2f')} ms, "
        f"p99 {_spread(half, 'p99_ms', '.2f')} ms (must 2); open after {max(opened):.1f} s at most (must 3)\n"
        f"the machine itself takes {held_up:.1%} of an idle core away, in pieces of up to some ms; "
        f"bare echo: {bare_full['per_s']:,.0f}/s; at {bare['per_s']:,.0f}/s "
        f"p50 {bare['p50_ms']:.2f} ms, p99 {bare['p99_ms']:.2f} ms"
    )


def _held_up() -> float:
    """The share of a core that this machine takes away while nothing else runs: a hundredth of all orders at least is
    held up where it is more than that, whatever the venue does.
    """
    known = os.sched_getaffinity(0) if CORES else set()
    if CORES:
        os.sched_setaffinity(0, CORES[-1:])
    began = last = time.perf_counter()
    lost = 0.0
    while last < began + WATCH_S:
        now = time.perf_counter()
        if now - last > GAP_S:
            lost += now - last
        last = now
    if CORES:
        os.sched_setaffinity(0, known)
    return lost / WATCH_S


def _spread(results: list[dict[str, Any]], name: str, form: str) -> str:
    values = [result[name] for result in results]
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def test_books_of_ten_symbols_to_twenty_subscribers(tmp_path: Path) -> None:
    symbols = [f"{base}/USD" for base in BASES]
    write_store(
        tmp_path / "store",
        [
            ImportedMarket(market=synthetic_market(seed, 120, _named(symbol)), source="made")
            for seed, symbol in enumerate(symbols, 1)
        ],
    )
    # So fast that the market is more than the venue can tell: it goes as fast as it can then.
    with venue(tmp_path, str(tmp_path / "store"), "100") as (ready, _):
        told = client("served_subscribers", str(ready), str(SUBSCRIBERS), "5", *symbols)
    print(
        f"\n{told['per_s']:,.0f} book updates/s to {SUBSCRIBERS} subscribers (must 100,000); checksums: "
        f"{told['right']:,} right, {told['wrong']:,} wrong"
    )
    assert told["right"] > 0
    assert told["wrong"] == 0


def _named(symbol: str) -> SyntheticParameters:
    return replace(DEFAULT, spec=replace(DEFAULT.spec, symbol=symbol))
