"""Cores are kept awake by a file of the system, which is held as long as the run lives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from framework.errors import ConfigError
from framework.live.awake import cores_awake


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
