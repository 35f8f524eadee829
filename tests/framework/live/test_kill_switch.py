"""The kill switch of a run: pulled by hand, by a file or by a loss, it leaves nothing open and lets nothing through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from framework.backtest.config import FaultSection, load_config
from framework.backtest.runner import Backtest
from framework.errors import ConfigError
from framework.execution.limits import LimitsSection
from framework.live.kill_file import KillFile
from framework.live.paper import PaperNode
from framework.protocol import BUY, SELL
from tests.framework.command import STRATEGIES, read_error, tidegate, write_config
from tests.framework.live.test_paper import CONFIG, FAST, LOTS, START_NS, S, events_of, live, stage
from tests.simulation.stage import ASK, BID, BTC, Script, level, still_market

ROOT = Path(__file__).parents[3]


def _quote(script: Script) -> None:
    script.buy(script.btc, LOTS, BID - 10)
    script.sell(script.btc, LOTS, ASK + 10)


def test_pulled_it_cancels_everything_and_the_venue_says_so_and_the_strategy_is_told() -> None:
    script = Script([(5.0, _quote)])
    node = stage(script)
    live(node, 10.0)
    node.simulation.trader.kill_switch.pull("by hand")
    live(node, 11.0)
    assert list(node.simulation.venue.resting_orders()) == []
    assert node.simulation.trader.kill_switch.proof is not None
    assert script.names("KillSwitchPulled", "OrderCanceled", "KillSwitchProved") == [
        "KillSwitchPulled",
        "OrderCanceled",
        "OrderCanceled",
        "KillSwitchProved",
    ]
    assert [row["name"] for row in events_of(node) if row["name"].startswith("KillSwitch")] == [
        "KillSwitchPulled",
        "KillSwitchProved",
    ]


def test_orders_are_denied_while_it_is_pulled_and_sent_again_once_it_is_released() -> None:
    script = Script([(5.0, _quote), (12.0, _quote), (15.0, _quote)])
    node = stage(script)
    switch = node.simulation.trader.kill_switch
    live(node, 10.0)
    switch.pull("by hand")
    live(node, 14.0)
    denied = [event.reason for _, event in script.events("OrderDenied")]
    assert denied == ["kill switch: by hand"] * 2
    switch.release()
    live(node, 16.0)
    assert len(list(node.simulation.venue.resting_orders())) == 2


def test_it_keeps_trying_while_no_line_is_up_and_ends_when_one_is_again() -> None:
    fault = FaultSection(kind="drop", link="all", at_s=8.0, for_s=30.0, detect_ms=10)
    node = PaperNode(
        replace(CONFIG, faults=(fault,)),
        markets=[still_market()],
        strategy=Script([(5.0, _quote)]),
        is_looped=False,
        profile=FAST,
    )
    node.begin()
    live(node, 10.0)
    told: list[tuple[float, bool]] = []
    switch = node.simulation.trader.kill_switch
    switch.on_change = lambda: told.append((round((node.now_ns - START_NS) / S), switch.proof is not None))
    switch.pull("by hand")
    live(node, 30.0)
    assert told == [(10, False), (15, False), (20, False), (25, False), (30, False)]
    live(node, 45.0)
    assert told[-1][1]
    assert list(node.simulation.venue.resting_orders()) == []


def test_an_order_that_a_cancel_does_not_find_yet_is_canceled_all_the_same() -> None:
    """The order is on its way when the switch is pulled, and arrives after the first cancel of everything."""
    node = stage(Script([(9.9995, _quote)]))
    live(node, 10.0, step_ms=1.0)
    node.simulation.trader.kill_switch.pull("by hand")
    live(node, 15.0)
    assert list(node.simulation.venue.resting_orders()) == []
    assert node.simulation.trader.kill_switch.proof is not None


# ------------------------------------------------------------------------------------------------- loss


def _lossy(**limits: Any) -> tuple[PaperNode, Script]:
    """Buys at 100.1; then the bid falls from 100.0 to 99.0."""
    script = Script([(5.0, lambda s: s.buy(s.btc, BTC)), (6.0, _quote)])
    rows = [level(20.0, BUY, BID, 0), level(20.0, BUY, BID - 1, 0), level(20.0, BUY, BID - 10, BTC)]
    rows += [level(20.0, SELL, ASK, 0), level(20.0, SELL, ASK + 1, 0), level(20.0, SELL, BID - 8, BTC)]
    node = PaperNode(
        replace(CONFIG, limits=LimitsSection(**limits)),
        markets=[still_market(rows)],
        strategy=script,
        is_looped=False,
        profile=FAST,
    )
    node.begin()
    return node, script


def test_a_loss_pulls_it_within_a_second_though_nobody_trades() -> None:
    node, script = _lossy(daily_loss_max={"USD": "0.9"})
    live(node, 19.0)
    assert node.simulation.trader.kill_switch.reason is None
    live(node, 22.0)
    reason = node.simulation.trader.kill_switch.reason
    assert reason is not None
    assert reason.startswith("limit daily_loss_max = 0.9: ")
    assert list(node.simulation.venue.resting_orders()) == []
    assert script.names("KillSwitchPulled") == ["KillSwitchPulled"]


def test_a_backtest_keeps_the_same_limits(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path, '[limits]\norder_qty_max = "0.001"\n'))
    backtest = Backtest(config)
    backtest.run()
    names = backtest.events().column("name").to_pylist()
    assert "AddOrder" not in names
    assert "OrderDenied" in names


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            '[limits.symbols."ETH/USD"]\norder_qty_max = "1"',
            '[limits.symbols."ETH/USD"]: it is not in the run, which has',
        ),
        ('[limits.daily_loss_max]\nEUR = "1"', "[limits.daily_loss_max] EUR: losses of this run are in USD"),
    ],
)
def test_a_limit_of_what_is_not_in_the_run_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Backtest(load_config(write_config(tmp_path, text)))
    assert complaint in str(caught.value)


# ------------------------------------------------------------------------------------------------- file


def _with_file(path: Path) -> tuple[PaperNode, KillFile, list[str]]:
    node = stage(Script([(5.0, _quote)]))
    said: list[str] = []
    return node, KillFile(path, node.simulation.trader.kill_switch, said.append), said


def test_who_makes_the_file_pulls_the_switch_and_who_removes_it_releases_it(tmp_path: Path) -> None:
    path = tmp_path / "run.kill"
    node, file, said = _with_file(path)
    live(node, 10.0)
    file.look()
    assert said == []
    path.touch()
    file.look()
    live(node, 12.0)
    assert said[0] == "kill switch: pulled: file run.kill"
    assert said[1].startswith("kill switch: nothing is open: the venue said so at ")
    assert path.read_text().splitlines() == [line.removeprefix("kill switch: ") for line in said]
    path.unlink()
    file.look()
    assert said[2:] == ["kill switch: released"]
    assert node.simulation.desk.halted is None


def test_a_switch_that_was_pulled_otherwise_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.kill"
    node, file, _ = _with_file(path)
    live(node, 10.0)
    node.simulation.trader.kill_switch.pull("a loss")
    assert path.read_text() == "pulled: a loss\n"
    file.look()
    assert node.simulation.trader.kill_switch.reason == "a loss"


def test_a_file_that_cannot_be_written_releases_nothing(tmp_path: Path) -> None:
    node, file, said = _with_file(tmp_path / "gone" / "run.kill")
    live(node, 10.0)
    node.simulation.trader.kill_switch.pull("a loss")
    file.look()
    assert "cannot be written" in said[1]
    assert node.simulation.trader.kill_switch.reason == "a loss"


def test_no_run_begins_where_the_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.kill").write_text("pulled: a loss\n")
    said = tidegate(capsys, "paper", STRATEGIES / "market_maker.py", "--out", tmp_path / "run")
    assert "run.kill: the kill switch is pulled" in read_error(said)


# ------------------------------------------------------------------------------------------------- command


@pytest.mark.parametrize("way", ["command", "signal"])
def test_a_living_run_is_killed_from_outside(tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str) -> None:
    out = tmp_path / "run"
    run = subprocess.Popen(
        [sys.executable, "-m", "framework.cli", "paper", str(STRATEGIES / "market_maker.py"), "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert run.stdout is not None
        assert "Ctrl-C ends it." in run.stdout.readline()
        time.sleep(1.0)
        if way == "signal":
            run.send_signal(signal.SIGUSR1)
        else:
            said = tidegate(capsys, "kill", out, "--wait", "30")
            assert (said.code, said.out[:15]) == (0, "nothing is open")
        line = run.stdout.readline()
        assert "kill switch: pulled: " in line
        assert "kill switch: nothing is open" in run.stdout.readline()
        assert tidegate(capsys, "kill", out, "--release").code == 0
        assert "kill switch: released" in run.stdout.readline()
        run.send_signal(signal.SIGTERM)
        _, error = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 0, error


def test_a_kill_that_nobody_answers_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = tidegate(capsys, "kill", tmp_path / "run", "--wait", "0.2")
    assert said.code == 1
    assert said.out.startswith("not proved that nothing is open: no run has answered")
    assert (tmp_path / "run.kill").exists()
