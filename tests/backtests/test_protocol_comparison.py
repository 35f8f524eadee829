"""The study of protocols runs from start to end, and says what it is asked for."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from framework.backtest.comparison import read_comparison
from framework.backtest.run_folder import RunFolder

pytestmark = pytest.mark.slow

STUDY = runpy.run_path(str(Path(__file__).resolve().parents[2] / "backtests" / "protocol_comparison.py"))
ROADS = ["rest", "rest+ws", "ws2", "fix", "fix-colo"]


def study(*arguments: object) -> int:
    return int(STUDY["main"]([str(each) for each in arguments]))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of both strategies, one seed, 90 s of market."""
    out = tmp_path_factory.mktemp("study") / "out"
    assert study("--seeds", 1, "--duration", 90, "--workers", 1, "--out", out) == 0
    return out


def test_both_strategies_are_run_over_five_roads(done: Path) -> None:
    for name in ("market_maker", "momentum"):
        comparison = read_comparison(done / name)
        assert comparison.roads == ROADS
        assert comparison.seeds == (1,)
        assert [RunFolder.open(done / name / road / "1").inputs.road for road in ROADS] == ROADS


def test_the_roads_stand_side_by_side_with_a_finding_below(done: Path) -> None:
    text = (done / "market_maker" / "comparison.txt").read_text(encoding="utf-8")
    assert re.search(r"^ +rest +rest\+ws +ws2 +fix +fix-colo$", text, re.MULTILINE)
    figures = [
        "net P&L, USD", "spread earned at fill, USD", "markout 1 s, USD", "markout 10 s, USD", "markout 60 s, USD",
        "inventory, USD", "fees, USD", "filled of ordered quantity, %", "fills after the cancel was sent",
        "inverted at the engine", "double exposure after inversion, s", "refused by a rate limit",
        "amends that kept queue place", "amends that lost queue place", "time without reach, all orders, s",
    ]  # fmt: skip
    assert [figure for figure in figures if f"\n  {figure}  " not in text] == []
    assert "\nmarket_maker over 5 roads, one seed. " in text


def test_there_is_a_report_of_each_strategy_and_one_of_all(done: Path) -> None:
    for folder in (done, done / "market_maker", done / "momentum"):
        assert (folder / "report.html").stat().st_size > 10_000


def test_all_lines_of_every_run_drop_once(done: Path) -> None:
    for road in ROADS:
        events = RunFolder.open(done / "market_maker" / road / "1").events
        dropped = [
            link
            for name, link in zip(events.column("name").to_pylist(), events.column("link").to_pylist(), strict=True)
            if name == "LineDropped"
        ]
        assert sorted(dropped) == sorted(set(dropped))
        assert {"rest": "rest", "rest+ws": "ws2", "ws2": "ws2", "fix": "fix", "fix-colo": "fix"}[road] in dropped


def test_the_study_prints_its_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--seeds", 1, "--duration", 20, "--workers", 1, "--strategies", "momentum", "--out", tmp_path / "out"]
    assert study(*arguments) == 0
    out = capsys.readouterr().out
    assert out.startswith("momentum: 5 roads, 1 seed, 20 s of market each\n")
    assert (tmp_path / "out" / "momentum" / "comparison.txt").read_text(encoding="utf-8") in out
    assert f"to look at: {tmp_path}/out/momentum/report.html" in out
    assert "market_maker" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--strategies", "arbitrage"], "there is no arbitrage; there is market_maker, market_maker_amend, momentum"),
        (["--seeds", "0"], "argument --seeds: '0' is not a whole number above 0"),
        (["--duration", "long"], "argument --duration: 'long' is not a whole number above 0"),
    ],
)
def test_a_mistake_is_told(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        study(*arguments)
    assert said in capsys.readouterr().err


def test_a_folder_with_other_things_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "market_maker").mkdir()
    (tmp_path / "market_maker" / "a.txt").write_text("", encoding="utf-8")
    assert study("--out", tmp_path) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        f"protocol_comparison: {tmp_path}/market_maker: holds other things than a comparison (a.txt);"
    )
