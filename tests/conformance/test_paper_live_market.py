"""`tidegate paper --market live` on the served venue's public feed, over real sockets: lines that drop, and the replay.

Pages: guides/spot-ws-book-v2, websocket-v2/book, trade.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from framework.backtest.config import RunConfig
from framework.backtest.run_folder import RunFolder, of_kind
from framework.backtest.runner import Backtest
from framework.data.store import Store
from tests.conformance.served_venue import CHECKOUT, served_venue
from tests.conformance.test_record import control
from tests.framework.command import read_error, tidegate

pytestmark = pytest.mark.slow

WAIT_S = 60

# Takes a little each second, so that there are fills before and after each gap.
TAKER = """
from datetime import timedelta

from framework import Strategy


class Taker(Strategy):
    def on_start(self) -> None:
        self.turns = 0
        self.clock.set_timer("turn", timedelta(milliseconds=700), callback=lambda _: self.turn())

    def turn(self) -> None:
        self.turns += 1
        (self.buy if self.turns % 2 else self.sell)(self.instrument_ids[0], 1_000_000)
"""


def lines_until(process: subprocess.Popen[str], wanted: str, lines: list[str]) -> None:
    """Read what it says until a line has some words."""
    assert process.stdout is not None
    until_s = time.monotonic() + WAIT_S
    for line in process.stdout:
        lines.append(line.rstrip())
        if wanted in line:
            return
        assert time.monotonic() < until_s, lines
    raise AssertionError((lines, process.stderr.read() if process.stderr else ""))


def test_it_trades_through_dropped_lines_and_its_run_is_the_backtest_of_what_it_heard(tmp_path: Path) -> None:
    strategy = tmp_path / "taker.py"
    strategy.write_text(TAKER)
    out = tmp_path / "run"
    words = ["paper", str(strategy), "--market", "live", "--out", str(out), "--hold-ms", "300"]
    # What would be an error if anybody read it.
    environment = {**os.environ, "KRAKEN_API_KEY": "key", "KRAKEN_API_SECRET": "no base64!", "PYTHONUNBUFFERED": "1"}
    with served_venue(tmp_path) as venue:
        hosts = ["--host", f"rest={venue['rest']}", "--host", f"ws_public={venue['ws_v2']}"]
        command = [sys.executable, "-m", "framework.cli", *words, *hosts]
        lines: list[str] = []
        with subprocess.Popen(
            command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            try:
                lines_until(process, "Paper, with simulated money", lines)
                time.sleep(4)
                control(venue, "sessions/drop", kind="ws_v2", how="abort")
                lines_until(process, "until its book is known again", lines)
                lines_until(process, "the book is known", lines)
                time.sleep(4)
                control(venue, "sessions/drop", kind="ws_v2", how="close")
                lines_until(process, "until its book is known again", lines)
                lines_until(process, "the book is known", lines)
                time.sleep(4)
            finally:
                process.send_signal(signal.SIGINT)
            said, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0, (said, err)
    assert "of the market: 2 times a book was not known" in said
    assert not (tmp_path / "run.recording").exists()
    assert Store.open(tmp_path / "run.market").entry("BTC/USD").statistics["gaps"] == 2

    inputs = tomllib.loads((out / "run.toml").read_text())
    assert [fault["kind"] for fault in inputs["config"]["faults"]] == ["unheard", "unheard"]
    backtest = Backtest(msgspec.convert(inputs["config"], RunConfig))
    backtest.run()
    live = _fills(of_kind(RunFolder.open(out).events, "fill").to_pylist())
    again = _fills([row for row in backtest.events().to_pylist() if row["kind"] == "fill"])
    assert len(live) > 8
    assert again[: len(live)] == live


def _fills(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["ts_venue_ns"], row["cl_ord_id"], row["price_ticks"], row["qty_lots"]) for row in rows]


def test_what_makes_no_sense_is_refused_before_anything_is_connected(tmp_path: Path, capsys: Any) -> None:
    strategy = tmp_path / "taker.py"
    strategy.write_text(TAKER)
    (tmp_path / "old.market").mkdir()
    for words, wanted in (
        (["--speed", "2"], "--speed makes no sense with a live market"),
        (["--once"], "--once makes no sense with a live market"),
        (["--hold-ms", "0"], "--hold-ms 0: give a number from 1 to 60000"),
        (["--out", str(tmp_path / "old")], "is there already"),
        (["--host", "rest"], "--host rest: it must be NAME=VALUE"),
    ):
        out = [] if "--out" in words else ["--out", str(tmp_path / "new")]
        assert wanted in read_error(tidegate(capsys, "paper", strategy, "--market", "live", *out, *words))


def test_a_market_that_cannot_be_reached_is_told_in_a_line(tmp_path: Path, capsys: Any) -> None:
    strategy = tmp_path / "taker.py"
    strategy.write_text(TAKER)
    hosts = ["--host", "rest=http://127.0.0.1:9", "--host", "ws_public=ws://127.0.0.1:9/v2"]
    said = tidegate(capsys, "paper", strategy, "--market", "live", "--out", tmp_path / "run", *hosts)
    assert "127.0.0.1" in read_error(said)
