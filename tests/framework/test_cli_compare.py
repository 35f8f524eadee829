"""``tidegate compare``: the runs that it leaves, and what it says of every mistake."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from framework.backtest.run_folder import RunFolder
from tests.framework.command import Capture, read_error, round_trip, tidegate, write_config

pytestmark = pytest.mark.slow


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_comparison_runs_roads_and_seeds_and_says_what_it_found(here: Path, capsys: Capture) -> None:
    command = ["compare", write_config(here), "--roads", "ws2, fix", "--seeds", "2", "--workers", "1", "--out", "both"]
    said = tidegate(capsys, *command)
    assert said.code == 0, said.err
    assert "\nmarket_maker over 2 roads, 2 seeds. " in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 160
    assert re.search(r"^ +ws2 +fix$", said.out, re.MULTILINE), said.out
    both = here / "both"
    assert sorted(path.name for path in both.iterdir()) == [
        "comparison.json", "comparison.txt", "fix", "report.html", "ws2",
    ]  # fmt: skip
    runs = {(run.parent.name, run.name): RunFolder.open(run).inputs for road in ("ws2", "fix")
            for run in (both / road).iterdir()}  # fmt: skip
    assert sorted(runs) == [("fix", "1"), ("fix", "2"), ("ws2", "1"), ("ws2", "2")]
    assert all(inputs.road == road and inputs.seed == int(seed) for (road, seed), inputs in runs.items())
    assert runs["ws2", "1"].span_ns == runs["fix", "1"].span_ns
    assert runs["ws2", "1"].span_ns != runs["ws2", "2"].span_ns
    assert (both / "comparison.txt").read_text(encoding="utf-8") in said.out


def test_a_comparison_is_the_same_over_several_processes(here: Path, capsys: Capture) -> None:
    config = write_config(here)
    for workers in (1, 2):
        out = f"workers-{workers}"
        roads = ["--roads", "rest,ws2", "--seeds", "1"]
        said = tidegate(capsys, "compare", config, *roads, "--workers", workers, "--out", out)
        assert said.code == 0, said.err
    one, two = (json.loads((here / f"workers-{n}" / "comparison.json").read_text(encoding="utf-8")) for n in (1, 2))
    assert one == two


def test_a_second_comparison_replaces_the_runs_of_the_first(here: Path, capsys: Capture) -> None:
    config = round_trip(here)
    assert tidegate(capsys, "compare", config, "--roads", "ws2,fix", "--seeds", "1", "--workers", "1", "--out", "c").code == 0  # fmt: skip # noqa: E501
    (here / "c" / "notes.txt").write_text("mine", encoding="utf-8")
    assert tidegate(capsys, "compare", config, "--roads", "rest", "--seeds", "1", "--workers", "1", "--out", "c").code == 0  # fmt: skip # noqa: E501
    assert sorted(path.name for path in (here / "c").iterdir()) == [
        "comparison.json", "comparison.txt", "notes.txt", "report.html", "rest",
    ]  # fmt: skip


def test_a_comparison_is_not_written_over_a_run_or_other_things(here: Path, capsys: Capture) -> None:
    config = round_trip(here)
    tidegate(capsys, "backtest", config, "--out", "run")
    (here / "mine").mkdir()
    (here / "mine" / "a.txt").write_text("", encoding="utf-8")
    for folder, said in (
        ("run", "run: holds one run, not a comparison; name a new folder"),
        ("mine", "mine: holds other things than a comparison (a.txt); name a new folder"),
    ):
        assert read_error(tidegate(capsys, "compare", config, "--seeds", "1", "--out", folder)) == said


def test_a_run_is_not_written_over_a_comparison(here: Path, capsys: Capture) -> None:
    config = round_trip(here)
    tidegate(capsys, "compare", config, "--roads", "fix", "--seeds", "1", "--workers", "1", "--out", "c")
    error = read_error(tidegate(capsys, "backtest", config, "--out", "c"))
    assert error.startswith("c: holds other things than a run (comparison.json, comparison.txt, fix")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--roads", "carrier"],
            "--roads carrier: there is no road 'carrier'; there is rest, rest+ws, ws1, ws2, fix, fix-colo",
        ),
        (["--roads", "ws2,"], "--roads ws2,: there is no road ''; there is rest, rest+ws, ws1, ws2, fix, fix-colo"),
        (["--roads", "ws2,ws2"], "a road is named twice (ws2, ws2); name each once"),
    ],
)
def test_a_road_that_cannot_be_compared_is_one_line(
    here: Path, capsys: Capture, arguments: list[str], said: str
) -> None:
    assert read_error(tidegate(capsys, "compare", write_config(here), *arguments, "--out", "out")) == said
    assert not (here / "out").exists()


@pytest.mark.parametrize("seeds", ["0", "-1", "some", "1.5"])
def test_a_number_of_seeds_that_is_none_is_an_error(here: Path, capsys: Capture, seeds: str) -> None:
    said = tidegate(capsys, "compare", write_config(here), f"--seeds={seeds}", "--out", "out")
    assert said.code == 2
    assert f"argument --seeds: '{seeds}' is not a whole number above 0" in said.err


RAISES_OVER_FIX = """
from framework.strategy import Strategy


class Raising(Strategy):
    def on_start(self):
        self.subscribe_book(self.instrument_ids[0], on="change")

    def on_book(self, book):
        self.buy(self.instrument_ids[0], 100_000)

    def on_order_filled(self, event):
        if list(self._port.links) != ["ws2", "rest"]:
            raise LookupError("this road is closed")
        self.stop()
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_one_run_of_a_comparison_leaves_no_comparison(here: Path, capsys: Capture, workers: int) -> None:
    (here / "raising.py").write_text(RAISES_OVER_FIX, encoding="utf-8")
    config = write_config(here, strategy='path = "raising.py"')
    said = tidegate(capsys, "compare", config, "--roads", "ws2,fix", "--seeds", "1", "--workers", workers, "--out", "c")
    assert said.code == 1
    assert "Traceback" in said.err
    assert said.err.splitlines()[-1].startswith("tidegate: strategy Raising raised LookupError: this road is closed (")
    left = sorted(str(path.relative_to(here / "c")) for path in (here / "c").rglob("*") if path.is_file()) if (here / "c").exists() else []  # fmt: skip # noqa: E501
    assert not [
        name for name in left if name in ("comparison.json", "report.html") or "partial" in name or "fix" in name
    ]
    if workers == 1:  # the first road was done by then
        assert said.err.rstrip().endswith("; 1 of 2 runs were done and are in c; no comparison")
        assert "comparison.unfinished" in left
        assert RunFolder.open(here / "c" / "ws2" / "1").inputs.road == "ws2"


def test_an_unfinished_comparison_can_be_run_again(here: Path, capsys: Capture) -> None:
    (here / "raising.py").write_text(RAISES_OVER_FIX, encoding="utf-8")
    config = write_config(here, strategy='path = "raising.py"')
    tidegate(capsys, "compare", config, "--roads", "ws2,fix", "--seeds", "1", "--workers", "1", "--out", "c")
    said = tidegate(capsys, "compare", config, "--roads", "ws2", "--seeds", "1", "--workers", "1", "--out", "c")
    assert said.code == 0, said.err
    assert not (here / "c" / "comparison.unfinished").exists()


def test_a_report_of_an_unfinished_comparison_is_an_error(here: Path, capsys: Capture) -> None:
    (here / "c").mkdir()
    (here / "c" / "comparison.unfinished").write_text("", encoding="utf-8")
    error = read_error(tidegate(capsys, "report", "c"))
    assert error == "c: neither a run nor a comparison; give the --out of either"
