"""A paper run on the served venue, over its own wire, is replayed and its divergence attributed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from framework.backtest.metrics import read_metrics
from framework.backtest.run_folder import MISSING, RunFolder, ints, of_kind
from framework.data.recording import import_recording
from framework.diverge.recorded import RecordedRun
from tests.conformance.served_venue import served_venue
from tests.framework.command import STRATEGIES, Said, tidegate

pytestmark = pytest.mark.slow

PARAMETERS = "edge_ppm = 5\nskew_ppm = 5\nrequote_ppm = 10\norder_age_min_ms = 300"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("venue")


@pytest.fixture(scope="module")
def ready(folder: Path) -> Iterator[dict[str, Any]]:
    with served_venue(folder, "--socket-connects", "0", "--latency", "cloud") as opened:
        yield opened


def maker(tmp_path: Path) -> Path:
    """A configuration of a maker that quotes close to the middle."""
    config = tmp_path / "maker.toml"
    strategy = STRATEGIES / "market_maker.py"
    config.write_text(
        f'[strategy]\npath = "{strategy}"\n[strategy.parameters]\n{PARAMETERS}\n[venue]\ntier = "pro"\n',
        encoding="utf-8",
    )
    return config


def lived(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of a run of some seconds."""
    config = maker(tmp_path)
    options = ("--market", "served", "--ready-file", folder / "ready.json", "--for", "12")
    said = tidegate(capsys, "paper", config, *options, "--out", tmp_path / "run")
    assert said.code == 0, said
    return tmp_path / "run"


def test_a_paper_run_on_the_market_as_it_is_heard_diverges_by_nothing(
    ready: dict[str, Any], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = maker(tmp_path)
    options = ("--market", "live", "--ready-file", folder / "ready.json", "--for", "10", "--out", tmp_path / "run")
    said = tidegate(capsys, "paper", config, *options)
    assert said.code == 0, said
    said = tidegate(capsys, "diverge", tmp_path / "run")
    assert said.code == 0, said
    assert "The replay is the run: nothing differs." in said.out, said.out
    assert json.loads((tmp_path / "run" / "divergence.json").read_text(encoding="utf-8"))["run_orders"] > 0


def test_a_run_on_the_wire_is_recorded_and_its_divergence_adds_up(
    ready: dict[str, Any], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = lived(folder, tmp_path, capsys)

    # What was recorded: the market with both times, when commands arrived, when the strategy started and was ended.
    (imported,) = import_recording(run / "market", {})
    columns = imported.market.columns
    assert len(columns) > 100
    assert ((columns.ts_recv_ns - columns.ts_event_ns) > 0).all(), "one clock: nothing comes before it happened"
    commands = of_kind(RunFolder.open(run).events, "command")
    sent, arrived = ints(commands, "ts_sent_ns"), ints(commands, "ts_arrived_ns")
    known = arrived != MISSING
    assert known.sum() >= len(known) - 2
    assert ((arrived - sent)[known] >= 0).all()
    session = RecordedRun(run).session
    assert session is not None
    assert session.kind == "live"
    assert session.started_ns is not None
    assert session.closing_ns is not None
    assert session.started_ns < session.closing_ns <= session.ended_ns

    # What is made of it.
    said: Said = tidegate(capsys, "diverge", run)
    assert said.code == 0, said
    found = json.loads((run / "divergence.json").read_text(encoding="utf-8"))
    assert Decimal(found["run_net"]) == read_metrics(run).pnl.net
    steps = {step["cause"]: step for step in found["steps"]}
    assert sum(Decimal(step["net"]) for step in found["steps"]) == Decimal(found["run_net"]) - Decimal(
        found["backtest_net"]
    )
    assert steps["feed latency"]["measured"].endswith(" ms")
    assert steps["own orders seen"]["measured"] == "in the book"
    assert steps["command latency"]["measured"].endswith(" ms")
    assert steps["response latency"]["measured"].endswith(" ms")
    assert found["run_orders"] > 0
