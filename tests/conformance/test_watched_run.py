"""A paper run and a live run against a served venue, watched from outside: by Prometheus, by ``tidegate top``, by their
log. What is told is held against the run's own journal and its run folder.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from framework.backtest.run_folder import RunFolder, of_kind
from framework.live.health.log_file import log_files
from framework.live.health.log_writer import STATUS_NAME
from framework.live.health.status import Status, decode_status
from framework.live.journal import read_records
from framework.live.records import Answered, Denied, Ended, Filled, Intended, Noted
from framework.messages import AddOrder, CancelBatch, CancelOrder
from framework.protocol import BUY
from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control

ROOT = Path(__file__).parents[2]
WAIT_S = 60.0
# Rests an order, cancels it, and again, one at a time; takes now and then, on both sides; asks for too little once,
# which the venue refuses.
TRADER = """
from framework import Strategy


class Trader(Strategy):
    def on_start(self):
        self.pair = self.instrument_ids[0]
        self.subscribe_book(self.pair, on="change")
        self.count = 0
        self.order = None

    def on_book(self, book):
        if not book.bid_ticks or not book.ask_ticks:
            return
        self.count += 1
        if self.count == 5:
            self.buy(self.pair, 1, book.bid_ticks - 40_000)
        if self.count % 15 == 0:
            if self.order is None or self.order.is_closed:
                self.order = self.buy(self.pair, 1_000_000, book.bid_ticks - 40_000)
            elif self.order.is_open and not self.order.is_pending_cancel:
                self.cancel_order(self.order)
        if self.count % 25 == 0:
            (self.buy if self.count % 50 else self.sell)(self.pair, 2_000_000)
"""

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("venue")


@pytest.fixture(scope="module")
def ready(folder: Path) -> Iterator[dict[str, Any]]:
    with served_venue(folder, "--socket-connects", "0") as opened:
        yield opened


class Run:
    """A run in a process of its own, with an endpoint at a port that is free."""

    def __init__(self, out: Path, *arguments: object) -> None:
        self.out = out
        self.said: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "framework.cli", *map(str, arguments), "--out", str(out), "--metrics-port", "0"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.url = self.until_said("figures for Prometheus: ").split()[-1].removesuffix("/metrics")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def until_said(self, text: str) -> str:
        until_s = time.monotonic() + WAIT_S
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, until_s - time.monotonic()))
            except queue.Empty:
                raise AssertionError("\n".join(["it did not say so:", *self.said])) from None
            self.said.append(line)
            if text in line:
                return line

    def scrape(self) -> Samples:
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=WAIT_S) as answer:
            text = answer.read().decode()
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def until(self, holds: Callable[[Samples], bool]) -> Samples:
        until_s = time.monotonic() + WAIT_S
        while not holds(samples := self.scrape()):
            assert time.monotonic() < until_s, samples
            time.sleep(0.2)
        return samples

    def top(self, target: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "framework.cli", "top", str(target), "--once"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )

    def end(self) -> str:
        """End it in good order; what it came to."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(WAIT_S)
        self.until_said("everything is in ")
        assert code == 0, "\n".join(self.said)
        return "\n".join(self.said)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def of(samples: Samples, name: str, /, **labels: str) -> float:
    """The sum over all samples with these labels, and maybe others."""
    wanted = labels.items()
    return sum(value for (found, others), value in samples.items() if found == name and wanted <= dict(others).items())


def assert_counters_grew(before: Samples, after: Samples) -> None:
    for (name, labels), value in before.items():
        if name.endswith(("_total", "_count", "_bucket")):
            assert after[name, labels] >= value, (name, labels)


def assert_is_the_journals(status: Status, journal: Path, road: str) -> None:
    """The counters at the end, against what the run wrote down before it happened."""
    records = list(read_records(journal))
    adds = Counter(each.link for each in records if isinstance(each, Intended) and isinstance(each.command, AddOrder))
    cancels: Counter[str] = Counter()
    for each in records:
        if isinstance(each, Intended) and isinstance(each.command, CancelOrder):
            cancels[each.link] += 1
        elif isinstance(each, Intended) and isinstance(each.command, CancelBatch):
            cancels[each.link] += len(each.command.cl_ord_ids) + len(each.command.order_ids)
    sent = Counter(each.link for each in records if isinstance(each, Intended))
    roads = {each.name: each for each in status.roads}
    assert {name: each.orders for name, each in roads.items()} == {name: adds[name] for name in roads}
    assert {name: each.cancels for name, each in roads.items()} == {name: cancels[name] for name in roads}
    assert {name: sum(each.sent.values()) for name, each in roads.items()} == {name: sent[name] for name in roads}
    assert adds[road] > 3
    assert cancels[road] >= 1
    answers = Counter(each.outcome for each in records if isinstance(each, Answered))
    assert sum(sum(each.rejected.values()) for each in status.roads) == answers["rejected"]
    assert sum(sum(each.lost.values()) for each in status.roads) == answers["lost"]
    acknowledged = sum(sum(each.counts) for road in status.roads for each in road.acknowledged)
    assert acknowledged == answers["accepted"] + answers["rejected"]
    ended = Counter(each.state for each in records if isinstance(each, Ended))
    assert sum(each.order_rejects for each in status.roads) == ended["rejected"] >= 1
    assert status.denied == sum(isinstance(each, Denied) for each in records)
    fills = [each for each in records if isinstance(each, Filled)]
    (instrument,) = status.instruments
    assert instrument.fills == sum(each.fills for each in status.roads) == len(fills) >= 2
    noted = Counter(each.name for each in records if isinstance(each, Noted))
    assert sum(each.opened + each.resyncs for each in status.roads) == noted["SessionOpened"]
    assert sum(each.closed for each in status.roads) == noted["SessionClosed"]
    assert status.unknown_total == noted["OutcomeUnknown"]

    lots = sum(each.lots if each.side == BUY else -each.lots for each in fills)
    assert instrument.position == Decimal(lots) / 10**8
    assert status.fees == {"USD": sum(Decimal(each.fee) for each in fills)}
    assert status.journal_bytes == journal.stat().st_size


def assert_log_has_the_fills(out: Path, journal: Path) -> None:
    lines = [json.loads(line) for path in log_files(out) for line in path.read_text().splitlines()]
    told = [line["exec_id"] for line in lines if line["event"] == "order_filled"]
    assert told == [each.exec_id for each in read_records(journal) if isinstance(each, Filled)]
    events = [line["event"] for line in lines]
    assert events.index("run_began") < events.index("session_opened") < events.index("order_filled")
    assert "run_ended" in events
    assert not {"run_failed", "log_lines_lost"} & set(events)


def final(out: Path) -> Status:
    status = decode_status((out / STATUS_NAME).read_bytes(), "status")
    assert status.state == "over"
    return status


# ------------------------------------------------------------------------------------------------- the runs


def test_a_paper_run_is_watched_and_all_that_is_told_is_what_its_journal_has(
    ready: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "trader.py").write_text(TRADER)
    out, journal = tmp_path / "run", tmp_path / "run.intents"
    options = ("--market", "served", "--ready-file", folder / "ready.json", "--tier", "pro", "--journal", journal)
    run = Run(out, "paper", tmp_path / "trader.py", *options)
    try:
        first = run.until(lambda samples: of(samples, "tidegate_fills_total") >= 1)
        assert of(first, "tidegate_run_info", kind="paper", strategy="Trader") == 1
        assert of(first, "tidegate_strategy_running") == 1
        assert of(first, "tidegate_road_up", road="ws2") == of(first, "tidegate_road_up", road="rest") == 1
        assert of(first, "tidegate_rate_counter_points", counter="orders", name="BTC/USD") > 0
        assert of(first, "tidegate_market_messages_total", symbol="BTC/USD") > 25
        assert 0 <= of(first, "tidegate_feed_age_seconds", symbol="BTC/USD") < 10
        # Orders are answers to the market: every stage is timed, and the whole way is longer than its longest part.
        stages = {
            stage: of(first, "tidegate_stage_latency_seconds_sum", stage=stage)
            for stage in ("decode", "strategy", "journal", "write", "tick_to_order")
        }
        assert all(total > 0 for total in stages.values()), stages
        assert of(first, "tidegate_stage_latency_seconds_count", stage="tick_to_order") >= 3
        assert stages["tick_to_order"] > stages["strategy"]
        for target in (out, run.url):
            shown = run.top(target)
            until_s = time.monotonic() + WAIT_S
            while "RUNNING" not in shown.stdout and time.monotonic() < until_s:  # the folder's is of the last second
                shown = run.top(target)
            assert shown.returncode == 0, shown.stderr
            for text in ("tidegate paper  Trader  RUNNING", "ws2   up", "BTC/USD", "BYTES IN TO OUT", "OPEN ORDERS"):
                assert text in shown.stdout
        second = run.until(lambda samples: of(samples, "tidegate_fills_total") >= 3)
        assert_counters_grew(first, second)
        run.end()
    finally:
        run.kill()
    status = final(out)
    assert_is_the_journals(status, journal, "ws2")
    assert_log_has_the_fills(out, journal)
    events = RunFolder.open(out).events
    assert status.instruments[0].fills == of_kind(events, "fill").num_rows
    shown = run.top(out)
    assert shown.returncode == 1
    assert "THE RUN IS OVER" in shown.stdout


def test_paper_in_process_is_watched_too(tmp_path: Path) -> None:
    out, journal = tmp_path / "run", tmp_path / "run.intents"
    maker = ROOT / "strategies" / "market_maker.py"
    run = Run(out, "paper", maker, "--speed", "30", "--tier", "pro", "--road", "fix", "--journal", journal)
    try:
        first = run.until(lambda samples: of(samples, "tidegate_fills_total", road="fix") >= 1)
        assert of(first, "tidegate_run_info", kind="paper", strategy="MarketMaker") == 1
        assert of(first, "tidegate_acknowledge_latency_seconds_count", road="fix", command="add") >= 1
        assert not [name for name, _ in first if "stage" in name]
        assert run.top(out).returncode == 0
        run.end()
    finally:
        run.kill()
    status, records = final(out), list(read_records(journal))
    adds = [each for each in records if isinstance(each, Intended) and isinstance(each.command, AddOrder)]
    fills = [each for each in records if isinstance(each, Filled)]
    assert sum(each.orders for each in status.roads) == len(adds)
    assert status.instruments[0].fills == of_kind(RunFolder.open(out).events, "fill").num_rows == len(fills)
    assert_log_has_the_fills(out, journal)


@pytest.mark.slow
@pytest.mark.parametrize("road", ["rest", "fix"])
def test_a_live_run_is_watched_over_each_road_and_through_a_lost_line(
    ready: dict[str, Any], folder: Path, tmp_path: Path, road: str
) -> None:
    (tmp_path / "trader.py").write_text(TRADER)
    config = tmp_path / "live.toml"
    config.write_text(
        f'[strategy]\npath = "trader.py"\n[venue]\ntier = "pro"\n[road]\nname = "{road}"\n'
        f'[live]\nsymbols = ["BTC/USD"]\ndead_man_s = 0\n[live.options]\nready_file = "{folder / "ready.json"}"\n'
        '[health]\nlog_level = "debug"\n'
    )
    out, journal = tmp_path / "run", tmp_path / "state" / "run.intents"
    run = Run(out, "live", config, "--yes")
    try:
        first = run.until(lambda samples: of(samples, "tidegate_fills_total", road=road) >= 1)
        if road == "fix":
            control(ready, "/sessions/drop", kind="fix_trading", how="abort")
            dropped = run.until(lambda samples: of(samples, "tidegate_sessions_closed_total", road="fix") == 1)
            assert_counters_grew(first, dropped)
            first = run.until(lambda samples: of(samples, "tidegate_reconnects_total", road="fix") == 1)
        fills = of(first, "tidegate_fills_total")
        run.until(lambda samples: of(samples, "tidegate_fills_total") > fills)
        assert run.top(out).returncode == 0
        run.end()
    finally:
        run.kill()
    status = final(out)
    assert status.kind == "live"
    assert_is_the_journals(status, journal, road)
    assert_log_has_the_fills(out, journal)
    lines = [json.loads(line) for path in log_files(out) for line in path.read_text().splitlines()]
    sent = [line for line in lines if line["event"] == "command_sent"]
    assert len(sent) == sum(sum(each.sent.values()) for each in status.roads)


def test_a_port_that_is_in_use_is_said_before_anything_is_sent(
    ready: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    import socket

    (tmp_path / "trader.py").write_text(TRADER)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = subprocess.run(
            [sys.executable, "-m", "framework.cli", "paper", str(tmp_path / "trader.py"), "--market", "served",
             "--ready-file", str(folder / "ready.json"), "--out", str(tmp_path / "run"),
             "--journal", str(tmp_path / "run.intents"), "--metrics-port", str(port)],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=WAIT_S,
            check=False,
        )  # fmt: skip
    assert said.returncode == 2
    assert f"metrics at 127.0.0.1:{port}: " in said.stderr
    assert not [each for each in read_records(tmp_path / "run.intents") if isinstance(each, Intended)]
