"""From the bytes of a book update to the bytes of the order that answers it: ours, NautilusTrader's own Kraken adapter,
and ccxt.pro, in turn (fifty orders each, again and again), on one machine and against one venue.

Between each client and the venue stands a relay (``wire_tap``), which sends the update and sees the order: that time is
wall time, sockets and event loops included. Ours tell besides how long it took within their process, from the event
loop's call to the return of the system call with the order's bytes; and the same with one update after another, where
neither a pause nor another program has emptied the processor's caches. Last come our clients with an event loop that
never sleeps, each alone. Nothing fails for being slow.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from framework.data.columns import LEVEL
from framework.data.imports import ImportedMarket
from framework.data.store import write_store
from framework.protocol import BUY, SELL
from tests.benchmarks.test_served_venue import venue
from tests.benchmarks.wire_tap import Lane, WireTap
from tests.conformance.markets import hand_market

pytestmark = pytest.mark.benchmark

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ("tidegate-ws2", "tidegate-fix", "nautilus", "ccxt")
# The same with ``busy_poll``.
BUSY = ("tidegate-ws2-busy", "tidegate-fix-busy")
WARM_UP, ROUNDS, BLOCK, PAUSE_S = 100, 1_000, 50, 0.002
START_S, END_S = 120, 30


@contextmanager
def client(name: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    with (
        (folder / "errors.txt").open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.tick_clients", name, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def write_still_market(folder: Path) -> None:
    """Ten levels a side that stand still for an hour."""
    book = [(LEVEL, BUY, 640_000 - at, 100.0 + at, 0) for at in range(10)]
    book += [(LEVEL, SELL, 640_001 + at, 100.0 + at, 0) for at in range(10)]
    far = [(LEVEL, BUY, 500_000, 1.0, 0)]
    market = hand_market([book, far])
    market.columns.ts_event_ns[-1] += 3_600 * 10**9
    market.columns.ts_recv_ns[-1] += 3_600 * 10**9
    write_store(folder, [ImportedMarket(market=market, source="made")])


def told(times_ns: list[int]) -> str:
    ordered = sorted(times_ns)
    return f"p50 {ordered[len(ordered) // 2] / 1e3:7.1f} us, p99 {ordered[len(ordered) * 99 // 100] / 1e3:7.1f} us"


def median(times_ns: list[int]) -> float:
    return sorted(times_ns)[len(times_ns) // 2] / 1e3


def answers(tap: WireTap, lane: Lane, count: int) -> list[int]:
    """Nanoseconds from update to order, so many times with pauses."""
    times_ns = []
    for _ in range(count):
        times_ns.append(tap.poke(lane))
        tap.rest(PAUSE_S)
    return times_ns


def ended(tap: WireTap, name: str, process: subprocess.Popen[str]) -> dict[str, list[int]]:
    """What a client of ours has measured itself; it ends."""
    assert process.stdin is not None
    process.stdin.close()
    assert tap.run(lambda: process.poll() is not None, END_S), name
    assert process.stdout is not None
    measured: dict[str, list[int]] = json.loads(process.stdout.read()) if name.startswith("tidegate") else {}
    return measured


def test_tick_to_order(tmp_path: Path) -> None:
    write_still_market(tmp_path / "store")
    wire: dict[str, list[int]] = {name: [] for name in (*CLIENTS, *BUSY)}
    within: dict[str, dict[str, list[int]]] = {}
    with venue(tmp_path, str(tmp_path / "store"), "1") as (ready, _), ExitStack() as stack:
        tap = WireTap(ready)
        stack.callback(tap.close)

        def begun(account: int, name: str) -> tuple[Lane, subprocess.Popen[str]]:
            folder = tmp_path / name
            folder.mkdir()
            lane = tap.lane(name, folder, account)
            process = stack.enter_context(client(name, folder))
            assert tap.wake(lane, START_S), (folder / "errors.txt").read_text()
            return lane, process

        running = {name: begun(account, name) for account, name in enumerate(CLIENTS)}
        for block in range(0, WARM_UP + ROUNDS, BLOCK):
            for name, (lane, _) in running.items():
                times_ns = answers(tap, lane, BLOCK)
                if block >= WARM_UP:
                    wire[name] += times_ns
        for name, (_, process) in running.items():
            within[name] = ended(tap, name, process)
        for account, name in enumerate(BUSY, start=len(CLIENTS)):  # alone: each takes a core
            lane, process = begun(account, name)
            wire[name] = answers(tap, lane, WARM_UP + ROUNDS)[WARM_UP:]
            within[name] = ended(tap, name, process)
    print("\nbytes of a book update of three levels in, bytes of an order out:")
    for name, times in wire.items():
        print(f"  {name:17} from the venue's end: {told(times)}")
    for name, times_of in within.items():
        if times_of:
            print(f"  {name:17} within the process:   {told(times_of['answered'][-ROUNDS:])}")
            print(f"  {name:17} the same, no pauses:  {told(times_of['back_to_back'])} (must 120, aim 60)")
    for name in [name for name in wire if name.startswith("tidegate")]:
        nautilus, ccxt = (median(wire[other]) / median(wire[name]) for other in ("nautilus", "ccxt"))
        print(f"  {name}: NautilusTrader's takes {nautilus:.1f} times as long (must 2), ccxt.pro {ccxt:.1f} (must 4)")
