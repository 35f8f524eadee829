"""The configurations to start from load and run."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from framework.backtest.config import load_config
from framework.backtest.run_folder import RunFolder
from framework.backtest.runner import run_backtest

FOLDER = Path(__file__).resolve().parents[2] / "backtests"


def test_there_is_a_configuration_for_each_strategy() -> None:
    assert sorted(file.stem for file in FOLDER.glob("*.toml")) == ["market_maker", "momentum"]


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_a_configuration_runs(file: Path, tmp_path: Path) -> None:
    config = load_config(file)
    replace = msgspec.structs.replace
    # As it stands, but for its length; the line drop comes when half of it is over.
    shorter = replace(
        config,
        market=replace(config.market, duration_s=120),
        faults=tuple(replace(fault, at_s=60.0) for fault in config.faults),
    )
    run = RunFolder.open(run_backtest(shorter, tmp_path / "run"))
    names = run.events.column("name").to_pylist()
    assert "AddOrder" in names
    assert names.count("LineDropped") == names.count("LineRestored") > 0
    assert run.inputs.strategy == file.stem


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_the_commands_at_the_top_of_a_configuration_name_it(file: Path) -> None:
    head = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("# tidegate")]
    assert [line.split()[1:4:2] for line in head] == [["tidegate", f"backtests/{file.name}"]] * 2
