"""The lock pins, with hashes, what pyproject.toml asks for, once for each Python that the project runs on."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.lock import read_lock

TREE = Path(__file__).resolve().parents[1]
PYTHONS = ["3.12", "3.13", "3.14"]


@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_of_the_project_is_pinned_to_one_version_that_meets_it(python: str) -> None:
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = {pin.name: pin.version for pin in read_lock(TREE / "requirements.lock") if pin.is_for(python)}
    wanted = [Requirement(line) for line in (*project["dependencies"], *project["optional-dependencies"]["dev"])]
    unmet = [
        str(requirement)
        for requirement in wanted
        if (requirement.marker is None or requirement.marker.evaluate({"python_version": python}))
        and not requirement.specifier.contains(pins[canonicalize_name(requirement.name)])
    ]
    assert unmet == []


@pytest.mark.parametrize("extra", ["conformance", "conformance-build", "fuzz"])
@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_of_an_extra_is_pinned_in_its_own_lock_or_the_projects(extra: str, python: str) -> None:
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locks = (TREE / "requirements.lock", TREE / ".make" / f"{extra}.lock")
    pins = {pin.name: pin.version for lock in locks for pin in read_lock(lock) if pin.is_for(python)}
    for requirement in map(Requirement, project["optional-dependencies"][extra]):
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("python", PYTHONS)
def test_no_package_is_pinned_twice_for_one_python(python: str) -> None:
    names = [pin.name for pin in read_lock(TREE / "requirements.lock") if pin.is_for(python)]
    assert sorted(names) == sorted(set(names))


def test_every_pin_carries_sha256_hashes() -> None:
    for pin in read_lock(TREE / "requirements.lock"):
        assert pin.hashes, pin.name
        assert all(value.startswith("sha256:") and len(value) == 7 + 64 for value in pin.hashes), pin.name


def test_packages_with_builds_of_their_own_for_each_machine_carry_the_hashes_of_all_of_them() -> None:
    # NautilusTrader 1.231.0: three Pythons on four platforms, and the source. A lock made from what one machine has
    # downloaded would hold one of these.
    counts = {pin.name: len(pin.hashes) for pin in read_lock(TREE / "requirements.lock")}
    assert counts["nautilus-trader"] == 13
    assert min(counts[name] for name in ("aiohttp", "llvmlite", "msgspec", "numba", "pandas", "pyarrow")) >= 12


@pytest.mark.parametrize(
    "line", ["numpy>=2.0", "-r other.txt", "./local.whl", "numpy @ file:local.whl", "--no-binary :all:"]
)
def test_a_line_that_is_no_pin_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements.lock").write_text(f"simplefix==1.0.17\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="not a pinned package"):
        read_lock(tmp_path / "requirements.lock")


def test_a_pin_without_a_hash_is_read_as_one_without(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text(
        "a==1 ; python_full_version < '3.14' \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n    # via b\nb==2\n",
        encoding="utf-8",
    )
    first, second = read_lock(tmp_path / "requirements.lock")
    assert (first.name, first.hashes, first.is_for("3.13"), first.is_for("3.14")) == (
        "a",
        ("sha256:00", "sha256:11"),
        True,
        False,
    )
    assert (second.name, second.hashes, second.is_for("3.14")) == ("b", (), True)
