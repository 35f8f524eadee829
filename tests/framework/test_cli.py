"""The command: what it prints, what it leaves behind, and what it says of every mistake."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.framework.command import Capture, read_error, round_trip, tidegate, write_config

pytestmark = pytest.mark.slow


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---------------------------------------------------------------------------------------------------------- the command


def test_the_version_is_the_distributions(capsys: Capture) -> None:
    assert tidegate(capsys, "--version").out == f"tidegate {version('tidegate')}\n"


def test_without_a_command_the_help_goes_to_standard_error(capsys: Capture) -> None:
    said = tidegate(capsys)
    assert said.code == 2
    assert said.out == ""
    assert "backtest" in said.err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([], ["backtest", "compare", "report", "data", "protocols", "--version"]),
        (["backtest"], ["CONFIG.toml", "--out DIR", "A run that it holds is replaced"]),
        (["compare"], ["--roads A,B,...", "--seeds N", "--workers N", "After Ctrl-C"]),
        (["report"], ["DIR", "the --out of backtest or compare"]),
        (["data"], ["import", "export", "info", "formats"]),
        (["data", "import"], ["FORMAT", "SOURCE", "--out STORE", "--option NAME=VALUE", "--replace"]),
        (["data", "export"], ["nautilus or hftbacktest", "--symbol"]),
        (["data", "info"], ["STORE"]),
        (["protocols"], ["--venue NAME"]),
    ],
)
def test_the_help_of_a_command_names_what_it_takes(capsys: Capture, command: list[str], words: list[str]) -> None:
    said = tidegate(capsys, *command, "--help")
    assert said.code == 0
    text = " ".join(said.out.split())
    assert [word for word in words if word not in text] == []


def test_a_word_that_is_no_command_is_an_error(capsys: Capture) -> None:
    said = tidegate(capsys, "trade")
    assert said.code == 2
    assert "invalid choice: 'trade'" in said.err


def test_help_needs_no_heavy_module() -> None:
    code = "import sys; from framework.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print(sorted({'numba', 'pyarrow', 'nautilus_trader', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_bug_of_ours_shows_its_traceback(here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise AssertionError("two facts disagree")

    monkeypatch.setattr("framework.backtest.config.load_config", broken)
    with pytest.raises(AssertionError, match="two facts disagree"):
        tidegate(capsys, "backtest", "run.toml", "--out", "run")


def test_an_interrupt_ends_in_one_line_and_130(here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("framework.backtest.runner.Backtest.run", interrupted)
    said = tidegate(capsys, "backtest", write_config(here), "--out", "run")
    assert (said.code, said.err) == (130, "tidegate: interrupted\n")
    assert [path.name for path in here.iterdir()] == ["run.toml"]


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = [sys.executable, "-m", "framework.cli", "protocols"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_standard_output_that_is_full_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "framework.cli", "protocols"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == f"tidegate: standard output: {os.strerror(errno.ENOSPC)}"
    assert "Traceback" not in done.stderr


# --------------------------------------------------------------------------------------------------------------- report


def test_a_report_is_written_anew(here: Path, capsys: Capture) -> None:
    tidegate(capsys, "backtest", round_trip(here), "--out", "run")
    page = here / "run" / "report.html"
    first = page.read_text(encoding="utf-8")
    page.unlink()
    said = tidegate(capsys, "report", "run")
    assert (said.code, said.out) == (0, "run/report.html\n")
    assert page.read_text(encoding="utf-8") == first


@pytest.mark.parametrize("folder", ["gone", "."])
def test_a_report_of_a_folder_without_results_is_one_line(here: Path, capsys: Capture, folder: str) -> None:
    error = read_error(tidegate(capsys, "report", folder))
    assert error == f"{folder}: neither a run nor a comparison; give the --out of either"


# ------------------------------------------------------------------------------------------------------------ protocols


def test_the_protocols_are_those_of_the_profile(capsys: Capture) -> None:
    said = tidegate(capsys, "protocols")
    assert said.code == 0
    assert [word for word in ("REST", "WebSocket v2", "FIX", "co-located") if word not in said.out] == []
    assert tidegate(capsys, "protocols", "--venue", "kraken").out == said.out


def test_a_venue_that_is_not_there_is_one_line(capsys: Capture) -> None:
    assert (
        read_error(tidegate(capsys, "protocols", "--venue", "nowhere"))
        == "there is no venue 'nowhere'; there is kraken"
    )
