"""Cores are kept awake by a file of the system, which is held as long as the run lives."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from adapters.kraken.adapter import ADAPTER
from framework.backtest.config import StrategySection
from framework.errors import ConfigError
from framework.live import running
from framework.live.awake import cores_awake
from framework.live.config import LiveConfig, LiveSection
from framework.live.journal import Forcing, IntentJournal


def holders(place: Path) -> int:
    """How many descriptors of this process are open on a file."""
    found = [os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()]
    return found.count(str(place.resolve()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are told by /proc")
def test_a_latency_of_nothing_is_asked_for_and_held_until_the_end(tmp_path: Path) -> None:
    place = tmp_path / "cpu_dma_latency"
    with cores_awake(place):
        assert place.read_bytes() == (0).to_bytes(4, "little")
        assert holders(place) == 1
    assert holders(place) == 0


def test_where_the_machine_does_not_let_us_it_is_said_what_to_do(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match=r"keep_awake = true: .* cannot be held .* leave keep_awake out"),
        cores_awake(tmp_path / "none" / "cpu_dma_latency"),
    ):
        pass


def test_a_run_that_asks_for_it_holds_it_before_anything_is_connected_or_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> AbstractContextManager[None]:
        return cores_awake(tmp_path / "none" / "cpu_dma_latency")

    monkeypatch.setattr(running, "cores_awake", refused)
    config = LiveConfig(
        strategy=StrategySection(path="quoter.py"),
        live=LiveSection(symbols=("BTC/USD",), keep_awake=True, options={"ready_file": str(tmp_path / "none.json")}),
    )
    journal = tmp_path / "run.intents"
    with pytest.raises(ConfigError, match="keep_awake = true"):
        running.run_live(config, ADAPTER, tmp_path / "out", journal)
    IntentJournal.open(journal, Forcing.OFF, lambda _: None).close()  # it is free again
