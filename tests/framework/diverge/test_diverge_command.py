"""``tidegate diverge``: what it prints and writes, and what it says of folders that it can do nothing with."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from framework.backtest.config import MarketSection
from framework.data.recorder import RecordedInstrument, Recorder
from framework.diverge.text import divergence_text
from framework.protocol import InstrumentSpec, LatencySpec, Protocol
from tests.framework.command import read_error, tidegate
from tests.framework.diverge.injected import CONFIG, diverged, simulated, with_latency
from tests.framework.report.test_page import data_of

SLOW = LatencySpec(kind="constant", median_us=200_000)
SHORT = replace(CONFIG, market=MarketSection(duration_s=60))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulated(tmp_path_factory.mktemp("runs") / "slow", SHORT, profile=with_latency(Protocol.WS2, command=SLOW))


@pytest.fixture
def run(kept: Path, tmp_path: Path) -> Path:
    """The folder of a run whose commands took 200 ms, which its configuration does not know of."""
    return Path(shutil.copytree(kept, tmp_path / "run"))


def rewrite(run: Path, before: str, after: str) -> None:
    file = run / "run.toml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


# ---------------------------------------------------------------------------------------------------- what it says


def test_it_prints_a_row_for_each_cause_and_what_was_filled_otherwise(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = tidegate(capsys, "diverge", run)
    assert said.code == 0, said
    lines = said.out.splitlines()
    assert lines[0] == "market_maker on BTC/USD, WebSocket v2: the run against its backtest"
    first_words = [line[:20].strip() for line in lines[3:15]]
    assert first_words == [
        "the backtest says",
        "feed latency",
        "own orders seen",
        "command latency",
        "response latency",
        "ordering",
        "fees",
        "limits",
        "unknown outcomes",
        "queue",
        "not explained",
        "the run has",
    ]
    assert "200 / 200 ms" in lines[6]
    assert "likely cause" in said.out
    assert "With all that was measured, the replay does what the run did" in said.out


def test_the_rows_that_are_printed_add_up_to_the_last_digit(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = tidegate(capsys, "diverge", run).out.splitlines()
    place = lines[2].index("net P&L") + len("net P&L, USD")
    amounts = [Decimal(line[:place].split()[-1].replace(",", "")) for line in lines[3:15]]
    assert sum(amounts[:-1]) == amounts[-1]


def test_it_writes_the_divergence_and_a_page_that_shows_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tidegate(capsys, "diverge", run)
    found = json.loads((run / "divergence.json").read_text(encoding="utf-8"))
    shown = data_of((run / "report.html").read_text(encoding="utf-8"))["runs"][0]["divergence"]
    assert [step["cause"] for step in shown["steps"]] == [step["cause"] for step in found["steps"]]
    assert shown["label"] == "the backtest says"
    assert len(shown["orders"]) == len(found["differences"])
    assert shown["words"] == [*found["reading"], *found["notes"]]


def test_it_writes_the_same_bytes_twice(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tidegate(capsys, "diverge", run)
    files = [(run / name).read_bytes() for name in ("divergence.json", "report.html")]
    tidegate(capsys, "diverge", run)
    assert [(run / name).read_bytes() for name in ("divergence.json", "report.html")] == files


def test_a_run_that_its_backtest_explains_is_said_to_be_the_replay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = tidegate(capsys, "diverge", simulated(tmp_path / "run", SHORT))
    assert "The replay is the run: nothing differs." in said.out


def test_from_ideal_begins_without_any_cause(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = tidegate(capsys, "diverge", run, "--from", "ideal")
    assert "without latency, fees, limits" in said.out
    assert data_of((run / "report.html").read_text(encoding="utf-8"))["runs"][0]["divergence"]["label"] == (
        "without latency, fees, limits"
    )


def test_a_page_without_a_divergence_has_no_room_for_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tidegate(capsys, "report", run)
    assert data_of((run / "report.html").read_text(encoding="utf-8"))["runs"][0]["divergence"] is None


def test_a_divergence_does_not_survive_the_run_that_it_is_of(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tidegate(capsys, "diverge", run)
    simulated(run, SHORT)
    assert not (run / "divergence.json").exists()


def test_notes_are_printed(run: Path) -> None:
    found = replace(diverged(run), notes=("a part of the market was not heard",))
    specs = {
        "BTC/USD": InstrumentSpec(symbol="BTC/USD", venue="kraken", tick_size="0.1", lot_size="1e-8", cost_decimals=5)
    }
    assert divergence_text(found, "Maker", specs).endswith("Note: a part of the market was not heard.")


# ---------------------------------------------------------------------------------------------------- what it refuses


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no run folder" in read_error(tidegate(capsys, "diverge", tmp_path / "nothing"))


def test_a_live_run_without_its_market_is_refused_with_the_reason(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(run, 'source = "synthetic"', 'source = "live"')
    assert "the market of this live run is not in it (market/)" in read_error(tidegate(capsys, "diverge", run))


def test_a_market_that_was_recorded_of_another_pair_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = InstrumentSpec(symbol="ETH/USD", venue="kraken", tick_size="0.01", lot_size="0.00000001", cost_decimals=5)
    recorder = Recorder(run / "market", [RecordedInstrument(spec=spec, depth="L2")], 1)
    recorder.add_gap("ETH/USD", 1, "nothing came")
    recorder.close(2)
    assert "nothing was recorded" in read_error(tidegate(capsys, "diverge", run))


def test_a_strategy_that_is_gone_is_asked_for(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(run, "market_maker.py", "gone.py")
    error = read_error(tidegate(capsys, "diverge", run))
    assert "gone.py is not there" in error
    assert "--strategy" in error


def test_a_strategy_that_has_changed_is_replayed_only_if_it_is_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "changed.py"
    changed.write_bytes(Path(CONFIG.strategy.path).read_bytes() + b"\n# a word more\n")
    rewrite(run, CONFIG.strategy.path, str(changed))
    assert "has changed since" in read_error(tidegate(capsys, "diverge", run))
    said = tidegate(capsys, "diverge", run, "--strategy", changed)
    assert said.code == 0
    assert "which is not the file that was run" in " ".join(said.out.split())


def test_a_market_that_has_changed_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(run, "duration_s = 60", "duration_s = 61")
    assert "is not what its configuration names now" in read_error(tidegate(capsys, "diverge", run))


def test_a_configuration_of_another_version_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(run, "duration_s = 60", 'duration_s = 60\ncolour = "red"')
    error = read_error(tidegate(capsys, "diverge", run))
    assert "run.toml: [market] has no key colour" in error


def test_a_log_that_is_torn_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "events.parquet").write_bytes(b"PAR1")
    assert "events.parquet" in read_error(tidegate(capsys, "diverge", run))


def test_a_divergence_that_is_torn_does_not_pass_for_one(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "divergence.json").write_text("{}", encoding="utf-8")
    assert "ask for the divergence again" in read_error(tidegate(capsys, "report", run))
