"""Each harness of the fuzzer takes its seeds, and what hypothesis makes of them, without a fault; faults are found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import __main__ as command
from tests.fuzz import under_hypothesis
from tests.fuzz.harnesses import HARNESSES, SEEDS

EXAMPLES = 120


def seed_files() -> list[Path]:
    return sorted(file for folder in SEEDS.iterdir() for file in folder.iterdir())


def test_each_harness_has_seeds() -> None:
    assert {folder.name for folder in SEEDS.iterdir()} == set(HARNESSES)


@pytest.mark.parametrize("file", seed_files(), ids=lambda file: f"{file.parent.name} {file.stem}")
def test_a_seed_does_no_harm(file: Path) -> None:
    HARNESSES[file.parent.name]().run(file.read_bytes())


@pytest.mark.parametrize("name", HARNESSES)
def test_what_is_made_of_the_seeds_does_no_harm(name: str) -> None:
    harness = HARNESSES[name]()

    @given(under_hypothesis.mutations(name))
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    def draw(data: bytes) -> None:
        harness.run(data)

    draw()


class Faulty:
    """A harness that fails for some inputs."""

    def run(self, data: bytes) -> None:
        if b"8=" in data:
            raise KeyError("broken")


def test_a_fault_is_found_kept_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HARNESSES, "framing", Faulty)  # type: ignore[arg-type]
    assert under_hypothesis.main("framing", 60, tmp_path) == 1
    kept = sorted(tmp_path.iterdir())
    assert kept
    assert command.again("framing", kept[0]) == 1
    (tmp_path / "good").write_bytes(b"x")
    assert command.again("framing", tmp_path / "good") == 0


def test_mutations_are_never_empty_and_reach_beyond_the_seeds() -> None:
    seeds = {file.read_bytes() for file in (SEEDS / "ws2").iterdir()}
    seen: set[bytes] = set()

    @given(under_hypothesis.mutations("ws2"), st.none())
    @settings(max_examples=50)
    def draw(data: bytes, _: None) -> None:
        assert data
        seen.add(data)

    draw()
    assert seen - seeds
