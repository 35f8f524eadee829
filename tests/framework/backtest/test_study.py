"""Studies: which runs there are, where they are, what each is configured with. What they leave: test_determinism."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.backtest.config import MarketSection, RoadSection, RunConfig, RunSection, StrategySection
from framework.backtest.study import StudyRun, run_study, study_config
from framework.errors import ConfigError

IDLE = """
from framework.strategy import Strategy


class Idle(Strategy):
    \"\"\"Does nothing.\"\"\"
"""


def _config(folder: Path) -> RunConfig:
    (folder / "idle.py").write_text(IDLE)
    return RunConfig(strategy=StrategySection(path=str(folder / "idle.py")), market=MarketSection(duration_s=1))


def test_a_runs_configuration_has_its_road_and_its_seed_everywhere_and_keeps_the_rest() -> None:
    base = RunConfig(
        strategy=StrategySection(path="x.py"),
        run=RunSection(seed=9, queue_sample_ms=77),
        market=MarketSection(seed=8, duration_s=5),
        road=RoadSection(name="ws2", deadline_ms=1_234),
    )
    config = study_config(base, "fix", 3)
    assert (config.run.seed, config.market.seed, config.road.name) == (3, 3, "fix")
    assert (config.run.queue_sample_ms, config.market.duration_s, config.road.deadline_ms) == (77, 5, 1_234)


def test_every_road_meets_every_seed_in_a_folder_of_its_own(tmp_path: Path) -> None:
    told: list[StudyRun] = []
    runs = run_study(_config(tmp_path), ["rest", "fix"], [4, 2], tmp_path / "out", workers=1, on_done=told.append)
    assert [(run.road, run.seed) for run in runs] == [("rest", 4), ("rest", 2), ("fix", 4), ("fix", 2)]
    assert [run.folder for run in runs] == [tmp_path / "out" / road / seed for road in ("rest", "fix") for seed in "42"]
    assert all((run.folder / "events.parquet").is_file() for run in runs)
    assert told == runs


def test_the_first_error_ends_the_study(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pigeon"):
        run_study(_config(tmp_path), ["rest", "pigeon", "fix"], [1], tmp_path / "out", workers=1)
    assert (tmp_path / "out" / "rest" / "1").is_dir()
    assert not (tmp_path / "out" / "fix").exists()
