"""``tidegate paper``: what its options make of a file, and a run in a process of its own that is ended by hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from framework.backtest.run_folder import RunFolder
from tests.framework.command import STRATEGIES, read_error, tidegate, write_config

ROOT = Path(__file__).parents[3]
MAKER = STRATEGIES / "market_maker.py"


def test_a_strategy_file_runs_on_paper_and_leaves_a_run_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    said = tidegate(
        capsys, "paper", MAKER, "--speed", "200", "--for", "30", "--road", "fix", "--tier", "pro", "--out", out
    )
    assert said.code == 0, said
    assert "Paper, with simulated money: MarketMaker on BTC/USD by fix, 200 times as fast." in said.out
    assert "no order is open: the venue said so at " in said.out
    inputs = tomllib.loads((out / "run.toml").read_text())
    (market,) = inputs["markets"]
    assert abs(market["first_ts_ns"] - time.time_ns()) < 600 * 10**9
    assert inputs["config"]["market"]["first_ns"] == market["first_ts_ns"]
    assert 30 * 10**9 < market["last_ts_ns"] - market["first_ts_ns"] < 60 * 10**9
    assert {path.name for path in out.iterdir()} >= {"events.parquet", "summary.json", "report.html"}
    assert RunFolder.open(out).events.num_rows > 10


def test_a_configuration_runs_on_paper_and_options_change_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, strategy=f'path = "{MAKER}"\n[strategy.parameters]\nqty = "0.002"')
    out = tmp_path / "run"
    said = tidegate(
        capsys,
        "paper",
        config,
        "--once",
        "--speed",
        "500",
        "--seed",
        "9",
        "--balances",
        "USD=1000",
        "BTC=1",
        "--out",
        out,
    )
    assert said.code == 0, said
    inputs = tomllib.loads((out / "run.toml").read_text())["config"]
    assert inputs["strategy"]["parameters"] == {"qty": "0.002"}
    assert inputs["run"]["seed"] == inputs["market"]["seed"] == 9
    assert inputs["account"]["balances"] == {"USD": "1000", "BTC": "1"}


def test_ctrl_c_ends_it_in_good_order(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run = subprocess.Popen(
        [sys.executable, "-m", "framework.cli", "paper", str(MAKER), "--speed", "5", "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert run.stdout is not None
        assert "Ctrl-C ends it." in run.stdout.readline()
        time.sleep(1.5)
        run.send_signal(signal.SIGINT)
        said, error = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 0, error
    assert "no order is open: the venue said so at " in said
    assert RunFolder.open(out).summary["event_log_sha256"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["gone.py"], "strategy file gone.py does not exist"),
        (["gone.toml"], "gone.toml: there is no such file"),
        ([MAKER, "--road", "pigeon"], "[road] "),
        ([MAKER, "--latency", "warp"], "[road] latency_tier: "),
        ([MAKER, "--market", "nowhere"], "nowhere"),
        ([MAKER, "--tier", "gold"], "[venue] tier: "),
        ([MAKER, "--seed", "-1"], "--seed -1: it must be 0 or more"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert complaint in read_error(tidegate(capsys, "paper", *arguments, "--out", "run"))
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_other_things_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    said = tidegate(capsys, "paper", MAKER, "--out", tmp_path)
    assert "holds other things than a run" in read_error(said)


def test_a_strategy_that_raises_ends_the_run_with_its_error_and_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(
        "from framework import Strategy\n\n\nclass Broken(Strategy):\n"
        "    def on_start(self):\n        self.subscribe_book(self.instrument_ids[0])\n\n"
        "    def on_book(self, book):\n        raise ValueError('out of ideas')\n"
    )
    out = tmp_path / "run"
    said = tidegate(capsys, "paper", file, "--speed", "100", "--out", out)
    assert said.code == 1
    assert f"raised ValueError: out of ideas ({file}, line 9, in on_book)" in said.err
    assert f"the run is in {out}" in said.err
    assert RunFolder.open(out).events.num_rows


def test_a_folder_in_which_a_run_has_left_its_log_only_may_be_used_again_and_the_log_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was killed before it had written anything else."""
    out = tmp_path / "run"
    out.mkdir()
    (out / "log.jsonl").write_text('{"event":"run_began"}\n{"eve')
    (out / "log.1.jsonl").write_text('{"event":"before"}\n')
    (out / "status.json").write_text("{}")
    said = tidegate(capsys, "paper", MAKER, "--speed", "200", "--for", "5", "--out", out)
    assert said.code == 0, said
    events = [json.loads(line)["event"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert (events[0], events[1], events[-1]) == ("run_began", "run_began", "run_ended")
    assert (out / "log.1.jsonl").read_text() == '{"event":"before"}\n'
    assert json.loads((out / "status.json").read_text())["state"] == "over"
    assert RunFolder.open(out).summary["event_log_sha256"]


def test_a_strategy_that_raises_is_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.py"
    file.write_text(
        "from framework import Strategy\n\n\nclass Broken(Strategy):\n"
        "    def on_start(self):\n        raise ValueError('out of ideas')\n"
    )
    out = tmp_path / "run"
    assert tidegate(capsys, "paper", file, "--speed", "100", "--out", out).code == 1
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    (failed,) = [line for line in lines if line["event"] == "run_failed"]
    assert (failed["level"], failed["error"], failed["why"]) == ("error", "ValueError", "out of ideas")


def test_a_log_that_cannot_be_written_holds_up_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    (out / "log.jsonl").mkdir(parents=True)
    said = tidegate(capsys, "paper", MAKER, "--speed", "200", "--for", "30", "--tier", "pro", "--out", out)
    assert said.code == 0, said
    assert said.out.count("warning: the log cannot be written (Is a directory); the run goes on") == 1
    status = json.loads((out / "status.json").read_text())
    assert status["log"]["failure"] == "Is a directory"
    assert status["log"]["lost"] > 0
    assert sum(road["orders"] for road in status["roads"]) > 5
    assert RunFolder.open(out).events.num_rows > 10
