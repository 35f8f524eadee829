"""From the bytes of a book update to the bytes of the order that answers it: ours, NautilusTrader's own Kraken adapter,
ccxt.pro and a bare echo, in turn (fifty orders each, again and again), on one machine and against one venue.

Between each client and the venue stands a relay (``wire_tap``), which sends the update and sees the order: that time is
wall time, sockets and event loops included. All of it twice: with the machine as it is, whose cores halt whenever
nothing runs, and with cores that are kept awake (``cores``), as those of a machine for trading are. The echo does
nothing but answer: what it takes is the machine's share. The kernel alone answers as the echo does, after it has had
NautilusTrader make an order and carry it from a strategy to a client that does nothing: what a must that is told in
times of others leaves for all else.

Ours and ccxt tell besides how long the same answers took within their process, from the bytes that they are handed to
those that they hand back; ours also with the system calls, and how long one takes after another, from the frame's bytes
to the return of the system call with the order's. NautilusTrader's adapter reads and writes its sockets in threads of
its own, which tell nothing. Last come our clients with an event loop that never sleeps, each alone.
Nothing fails for being slow.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from framework.data.columns import LEVEL
from framework.data.imports import ImportedMarket
from framework.data.store import write_store
from framework.protocol import BUY, SELL
from tests.benchmarks.cores import Cores
from tests.benchmarks.test_served_venue import venue
from tests.benchmarks.wire_tap import Lane, WireTap
from tests.conformance.markets import hand_market

pytestmark = pytest.mark.benchmark

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ("tidegate-ws2", "tidegate-fix", "nautilus", "ccxt", "kernel", "echo")
CONDITIONS = ("as they are", "kept awake")
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
    """What a client has measured itself; it ends."""
    assert process.stdin is not None
    process.stdin.close()
    assert tap.run(lambda: process.poll() is not None, END_S), name
    assert process.stdout is not None
    measured: dict[str, list[int]] = json.loads(process.stdout.read() or "{}") if name != "nautilus" else {}
    return measured


def test_tick_to_order(tmp_path: Path) -> None:
    write_still_market(tmp_path / "store")
    wire: dict[tuple[str, str], list[int]] = {(kept, name): [] for name in (*CLIENTS, *BUSY) for kept in CONDITIONS}
    within: dict[str, dict[str, list[int]]] = {}
    with venue(tmp_path, str(tmp_path / "store"), "1") as (ready, _), ExitStack() as stack:
        tap = WireTap(ready)
        stack.callback(tap.close)
        cores = stack.enter_context(Cores())

        accounts = (name for name in (*CLIENTS, *BUSY) if name not in ("kernel", "echo"))
        account_of = {name: account for account, name in enumerate(accounts)}

        def begun(name: str) -> tuple[Lane, subprocess.Popen[str]]:
            folder = tmp_path / name
            folder.mkdir()
            lane = tap.lane(name, folder, account_of.get(name, 0))
            process = stack.enter_context(client(name, folder))
            assert tap.wake(lane, START_S), (folder / "errors.txt").read_text()
            return lane, process

        def measure(lanes: Mapping[str, Lane]) -> None:
            """In turn: a block of answers of each client, under each condition."""
            for block in range(0, WARM_UP + ROUNDS, BLOCK):
                for kept in CONDITIONS:
                    with cores.kept(kept):
                        for name, lane in lanes.items():
                            times_ns = answers(tap, lane, BLOCK)
                            if block >= WARM_UP:
                                wire[kept, name] += times_ns

        running = {name: begun(name) for name in CLIENTS}
        measure({name: lane for name, (lane, _) in running.items()})
        for name, (_, process) in running.items():
            within[name] = ended(tap, name, process)
        for name in BUSY:  # alone: each takes a core
            lane, process = begun(name)
            measure({name: lane})
            within[name] = ended(tap, name, process)
    tell(wire, within)


def tell(wire: Mapping[tuple[str, str], list[int]], within: Mapping[str, Mapping[str, list[int]]]) -> None:
    """Print what was measured. wire: by condition and client. within: by client of ours, as it has measured itself."""
    for kept in CONDITIONS:
        print(f"\nbytes of a book update of three levels in, bytes of an order out, cores {kept}:")
        ccxt, nautilus = median(wire[kept, "ccxt"]), median(wire[kept, "nautilus"])
        for name in (*CLIENTS, *BUSY):
            times_ns = wire[kept, name]
            compared = (
                f"; NautilusTrader's takes {nautilus / median(times_ns):.1f} times as long (must 2), "
                f"ccxt.pro {ccxt / median(times_ns):.1f} (must 4)"
                if name.startswith(("tidegate", "kernel"))
                else ""
            )
            print(f"  {name:17} {told(times_ns)}{compared}")
    handed = {name: times_of["handed"][2 * WARM_UP :] for name, times_of in within.items() if times_of}
    print("\nthe same answers within the process, bytes handed in to bytes handed out:")
    for name, times_ns in handed.items():
        ratio = median(handed["ccxt"]) / median(times_ns)
        compared = f"; ccxt.pro takes {ratio:.1f} times as long (must 4)" if name != "ccxt" else ""
        print(f"  {name:17} {told(times_ns)}{compared}")
    print("\nwith the two system calls (must 120, aim 60):")
    for name, times_of in within.items():
        if "answered" in times_of:
            print(f"  {name:17} {told(times_of['answered'][2 * WARM_UP :])}")
    print("\nwithin the process, one update after another, no pause:")
    for name, times_of in within.items():
        if "back_to_back" in times_of:
            print(f"  {name:17} {told(times_of['back_to_back'])}")
