"""``tidegate live`` as a process, killed by SIGKILL at drawn moments and begun again, against a served venue.

``python -m tests.conformance.killed_runs --kills 200 --seed 1`` (``make kills``) plays so many and prints what it saw.
Each run trades by one of the roads, with one of the policies for what was left open, all drawn from the seed. What the
venue has is gathered after each kill; at the end no order may be lost, none doubled, and positions must be right: the
journal and the venue must tell the same orders, fills and positions, and nothing may be open or unknown.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from framework.live.journal import read_records
from framework.live.records import Denied, Ended, Filled, Intended
from framework.live.recovery import Recovery
from framework.messages import AddBatch, AddOrder
from tests.conformance.test_served_control import control
from tests.conformance.test_served_crash import venue

__all__ = ["Seen", "play"]

ROOT = Path(__file__).parents[2]
ROADS = ("ws2", "rest", "fix", "rest+ws")
POLICIES = ("cancel", "adopt")
# A run is killed within so long of its first line, which is when its links open; some before that.
ALIVE_S = 3.0
EARLY_S = 4.0
EARLY_SHARE = 0.15
PATIENCE_S = 120.0

BUSY = '''
import random

from framework import Strategy, StrategyConfig


class BusyConfig(StrategyConfig, frozen=True, kw_only=True):
    seed: int = 0


class Busy(Strategy):
    """Sends, moves and cancels orders near the market and far from it, and takes; goes on with what it is given."""

    def __init__(self, config: BusyConfig) -> None:
        super().__init__(config)
        self.draw = random.Random(config.seed)

    def on_start(self):
        self.pair = self.instrument_ids[0]
        self.subscribe_book(self.pair)
        if self.config.seed:
            self.clock.set_timer_ns("act", 25_000_000, 0, 0, self.act)

    def act(self, event):
        book, draw = self.book(self.pair), self.draw
        if not book.bid_ticks or not book.ask_ticks:
            return
        orders = [order for order in self.cache.orders_open(strategy_id=self.id) if not order.is_pending_cancel]
        what = draw.random()
        qty = 10_000 * draw.randrange(1, 20)
        if what < 0.2 and orders:
            self.cancel_order(draw.choice(orders))
        elif what < 0.35 and orders:
            order = draw.choice(orders)
            near = book.bid_ticks - draw.randrange(1_000, 9_000) if order.is_buy else book.ask_ticks + 9_000
            self.move(order, price_ticks=near)
        elif what < 0.5:
            (self.buy if draw.random() < 0.5 else self.sell)(self.pair, qty)
        elif len(orders) < 12:
            away = draw.choice((0, 1, 5, 400, 30_000))
            if draw.random() < 0.5:
                self.buy(self.pair, qty, book.bid_ticks - away)
            else:
                self.sell(self.pair, qty, book.ask_ticks + away)
'''


class Seen:
    """What was seen. failures: what must not be, in words."""

    def __init__(self) -> None:
        self.kills = 0
        self.ends: Counter[str] = Counter()
        self.orders = 0
        self.fills = 0
        self.never_arrived = 0
        self.failures: list[str] = []

    def text(self) -> str:
        """In words."""
        what = ", ".join(f"{count} {name}" for name, count in sorted(self.ends.items()))
        return (
            f"{self.kills} kills ({what}): {self.orders} orders at the venue, {self.fills} fills, "
            f"{self.never_arrived} orders that never arrived; "
            + ("no order lost, none doubled, positions right" if not self.failures else "; ".join(self.failures))
        )


class Run:
    """One process of ``tidegate live``; lines: what it says, as it says it."""

    def __init__(self, folder: Path, number: int, road: str, policy: str, seed: int) -> None:
        config = folder / f"run-{number}.toml"
        config.write_text(
            f'[strategy]\npath = "busy.py"\n[strategy.parameters]\nseed = {seed}\n[venue]\ntier = "pro"\n'
            f'[road]\nname = "{road}"\nanswer_timeout_ms = 3000\ndeadline_ms = 3000\n'
            f'[live]\nsymbols = ["BTC/USD"]\nleft_open = "{policy}"\nbalances_s = 2\n'
            '[live.options]\nready_file = "ready.json"\n'
        )
        self.config = config
        self.text: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "framework.cli", "live", config.name, "--yes", "--out", f"out-{number}"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text.append(line.rstrip())
            self._lines.put(line.strip())
        self._lines.put(None)

    def until(self, beginning: str, for_s: float) -> bool:
        """Wait for a line; whether it came."""
        until_s = time.monotonic() + for_s
        while (left_s := until_s - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left_s)
            except queue.Empty:
                return False
            if line is None:
                return False
            if line.startswith(beginning):
                return True
        return False

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=30)


def play(folder: Path, kills: int, seed: int, tell: Any = lambda _: None) -> Seen:
    """Kill so many runs, let one more end in good order, and judge. tell: hears of each kill."""
    draw = random.Random(seed)
    seen = Seen()
    (folder / "busy.py").write_text(BUSY)
    at_venue: dict[str, dict[str, Any]] = {}
    fills: dict[str, dict[str, Any]] = {}
    with venue(folder, is_resumed=False) as (ready, _):
        account = ready["accounts"][0]["account"]
        first = _balances(ready, account)

        def gather() -> None:
            for order in control(ready, f"/orders?account={account}&state=all&limit=5000")["orders"]:
                at_venue[order["order_id"]] = order
            for fill in control(ready, f"/fills?account={account}&limit=5000"):
                fills[fill["trade_id"]] = fill

        for number in range(1, kills + 1):
            road, policy = draw.choice(ROADS), draw.choice(POLICIES)
            is_early, wait_s = draw.random() < EARLY_SHARE, draw.random()
            run = Run(folder, number, road, policy, draw.randrange(1, 2**31))
            if is_early:
                time.sleep(wait_s * EARLY_S)
            elif not run.until("Live:", PATIENCE_S):
                seen.failures.append(f"run {number} ({road}, {policy}) did not begin: {run.text[-3:]}")
                run.kill()
                break
            else:
                time.sleep(wait_s * ALIVE_S)
            if run.process.poll() is not None:
                seen.failures.append(f"run {number} ({road}, {policy}) ended by itself: {run.text[-3:]}")
                break
            run.kill()
            seen.kills += 1
            stage = "while trading" if "  the strategy has started" in run.text else "before its strategy had started"
            seen.ends[stage] += 1
            gather()
            tell(f"{number}: {road}, {policy}, {stage}; {len(at_venue)} orders, {len(fills)} fills")
        if not seen.failures:
            _end(folder, seen, kills + 1)
        gather()
        last = _balances(ready, account)
    _judge(folder, seen, at_venue, fills, last["BTC"] - first["BTC"])
    return seen


def _end(folder: Path, seen: Seen, number: int) -> None:
    """One more run, whose strategy does nothing, ends in good order; then all must be reconciled."""
    run = Run(folder, number, "ws2", "cancel", 0)
    if not run.until("the strategy has started", PATIENCE_S):
        seen.failures.append(f"the last run did not start its strategy: {run.text[-5:]}")
    run.process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.process.wait(timeout=PATIENCE_S)
    if run.process.returncode != 0:
        seen.failures.append(f"the last run ended with {run.process.returncode}: {run.text[-5:]}")
        run.kill()
    said = subprocess.run(
        [sys.executable, "-m", "framework.cli", "reconcile", run.config.name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if said.returncode:
        seen.failures.append(f"reconcile: {said.stdout[-800:]}{said.stderr[-400:]}")


def _judge(
    folder: Path, seen: Seen, at_venue: dict[str, dict[str, Any]], fills: dict[str, dict[str, Any]], btc: Decimal
) -> None:
    recovery = Recovery()
    intended: set[str] = set()
    denied: set[str] = set()
    ended: dict[str, Ended] = {}
    told: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    for record in read_records(folder / "state" / "run.intents"):
        recovery.read(record)
        if isinstance(record, Intended):
            command = record.command
            orders = command.orders if isinstance(command, AddBatch) else [command]
            for order in orders:
                if isinstance(order, AddOrder):
                    if order.cl_ord_id in intended:
                        seen.failures.append(f"{order.cl_ord_id} was sent twice")
                    intended.add(order.cl_ord_id)
        elif isinstance(record, Denied):
            denied.add(record.cl_ord_id)
        elif isinstance(record, Ended):
            ended[record.cl_ord_id] = record
        elif isinstance(record, Filled):
            told[record.exec_id] += 1
            filled[record.cl_ord_id] += record.lots
    names = _desk_names(folder / "state" / "client-ids.jsonl")
    by_name: dict[str, list[dict[str, Any]]] = {}
    for order in at_venue.values():
        by_name.setdefault(names.get(order["cl_ord_id"], order["cl_ord_id"]), []).append(order)
    seen.orders, seen.fills = len(at_venue), len(fills)
    add = seen.failures.append
    for name, orders in by_name.items():
        if len(orders) > 1:
            add(f"{name} is doubled: {[order['order_id'] for order in orders]}")
        if name not in intended:
            add(f"the venue has {name}, which the journal does not know")
        lots = sum(int(Decimal(order["filled"]) * 10**8) for order in orders)
        if lots != filled[name]:
            add(f"{name}: {lots} lots filled at the venue, {filled[name]} in the journal")
        if name in ended and ended[name].state == "rejected" and "never arrived" in ended[name].reason:
            add(f"{name} was said to have never arrived, and it had")
    for name in intended - by_name.keys():
        if name in ended and ended[name].state == "rejected":
            seen.never_arrived += "never arrived" in ended[name].reason
        else:
            add(f"{name} is lost: the venue does not have it, and nothing proves that it never came")
    if recovery.open_orders:
        add(f"open or unknown in the journal: {list(recovery.open_orders)[:5]}")
    for order in at_venue.values():
        if order["state"] in ("open", "pending"):
            add(f"{order['order_id']} is still open")
    if set(told) != set(fills):
        add(f"fills differ: {list(set(fills) - set(told))[:5]} missing, {list(set(told) - set(fills))[:5]} made up")
    add_twice = [exec_id for exec_id, count in told.items() if count > 1]
    if add_twice:
        add(f"fills counted twice: {add_twice[:5]}")
    held = sum(int(Decimal(fill["quantity"]) * 10**8) * (1 if fill["side"] == "buy" else -1) for fill in fills.values())
    known = recovery.positions_lots.get("BTC/USD", 0)
    if not held == known == int(btc * 10**8):
        add(f"position: {held} lots by the venue's fills, {known} by the journal, {btc} by the balance")


def _balances(ready: dict[str, Any], account: str) -> dict[str, Decimal]:
    rows = control(ready, f"/balances?account={account}")[account]
    return {asset: Decimal(row["total"]) for asset, row in rows.items()}


def _desk_names(path: Path) -> dict[str, str]:
    """The desk's ids of orders by their ids on the wire, where they differ."""
    if not path.exists():
        return {}
    lines = path.read_bytes()
    names = [json.loads(line) for line in lines[: lines.rfind(b"\n") + 1].splitlines()]
    return {wire: cl_ord_id for cl_ord_id, wire, *_ in names}


def main() -> int:
    """The command; its exit code says whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = play(Path(folder), options.kills, options.seed, lambda line: print(line, flush=True))
    print(seen.text())
    return 1 if seen.failures else 0


if __name__ == "__main__":
    sys.exit(main())
