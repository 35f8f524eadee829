"""The search for a Python: what is taken, what is passed over and why, where it looks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / ".make" / "find-python"

# A fake interpreter is a shell script that runs this one, changed in one respect. It is called as
# `fake -E -s -c CODE`, so CODE is its fourth argument.
GOOD = 'exec "{python}" "$@"'
CHANGED = """exec "{python}" -E -s -c 'import sys
{change}
exec(sys.argv[1])' "$4\""""


def changed(change: str) -> str:
    """The body of a Python in which ``change`` was executed first."""
    return CHANGED.replace("{change}", change)


TOO_OLD = changed('sys.version_info = (3, 11, 9, "final", 0)')
TOO_NEW = changed('sys.version_info = (3, 15, 0, "final", 0)')
OTHER_KIND = changed('sys.implementation.name = "pypy"')
FREE_THREADED = changed('import sysconfig; sysconfig.get_config_var = {{"Py_GIL_DISABLED": 1}}.get')
NO_VENV = changed('sys.modules["venv"] = None')
NO_ENSUREPIP = changed('sys.modules["ensurepip"] = None')
BROKEN_SHIM = 'echo "pyenv: $0: command not found" >&2; exit 127'
NO_PYTHON = "echo 'Welcome!'"


def put(path: Path, body: str) -> Path:
    """An executable at ``path`` with that body."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body.format(python=sys.executable)}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def find(machine: Path, *asked: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the search on a machine of its own: nothing is found but what was put under ``machine``."""
    shell = shutil.which("sh")
    assert shell is not None
    return subprocess.run(
        [shell, str(SCRIPT), *asked],
        env={
            "HOME": str(machine / "home"),
            "PATH": f"{machine / 'bin'}{os.pathsep}{machine / 'bin2'}",
            "FIND_PYTHON_ROOT": str(machine),
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def found(result: subprocess.CompletedProcess[str]) -> Path:
    """The path that the search printed; it must have succeeded."""
    assert result.returncode == 0, result.stderr
    return Path(result.stdout.removesuffix("\n"))


def test_a_good_python_on_path_is_taken(tmp_path: Path) -> None:
    good = put(tmp_path / "bin/python3", GOOD)
    assert found(find(tmp_path)) == good


def test_nothing_is_said_beside_the_path_when_the_first_candidate_is_good(tmp_path: Path) -> None:
    put(tmp_path / "bin/python3.12", GOOD)
    assert find(tmp_path).stderr == ""


@pytest.mark.parametrize("name", ["python3.12", "python3.13", "python3.14", "python3", "python"])
def test_every_usual_name_is_looked_for(tmp_path: Path, name: str) -> None:
    good = put(tmp_path / "bin" / name, GOOD)
    assert found(find(tmp_path)) == good


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(TOO_OLD, "it is Python 3.11.9, and 3.12 or newer is needed", id="too old"),
        pytest.param(TOO_NEW, "it is Python 3.15.0, and NautilusTrader has no build for it yet", id="too new"),
        pytest.param(OTHER_KIND, "it is pypy, and NautilusTrader has builds for CPython only", id="other kind"),
        pytest.param(FREE_THREADED, "it is a free-threaded build", id="free-threaded"),
        pytest.param(NO_VENV, "lacks venv or ensurepip", id="no venv"),
        pytest.param(NO_ENSUREPIP, "lacks venv or ensurepip", id="no ensurepip"),
        pytest.param(BROKEN_SHIM, "it does not run", id="broken shim"),
        pytest.param(NO_PYTHON, "it does not answer as a Python does", id="no python"),
    ],
)
class TestACandidateThatWillNotDo:
    def test_it_is_passed_over_for_a_good_one_later(self, tmp_path: Path, body: str, reason: str) -> None:
        put(tmp_path / "bin/python3.12", body)
        good = put(tmp_path / "bin/python3.13", GOOD)
        assert found(find(tmp_path)) == good

    def test_it_is_named_with_the_reason_when_there_is_no_other(self, tmp_path: Path, body: str, reason: str) -> None:
        bad = put(tmp_path / "bin/python3.12", body)
        result = find(tmp_path)
        assert (result.returncode, result.stdout) == (1, "")
        assert f"\nLooked at:\n  {bad}: " in result.stderr
        assert reason in result.stderr
        assert "What to do: install Python 3.12, 3.13 or 3.14" in result.stderr

    def test_it_is_refused_when_it_was_asked_for_although_a_good_one_is_there(
        self, tmp_path: Path, body: str, reason: str
    ) -> None:
        bad = put(tmp_path / "elsewhere/python", body)
        put(tmp_path / "bin/python3.12", GOOD)
        result = find(tmp_path, str(bad))
        assert (result.returncode, result.stdout) == (1, "")
        assert f"PYTHON={bad} was asked for, and it cannot be used." in result.stderr
        assert reason in result.stderr


def test_a_good_python_behind_a_broken_shim_of_the_same_name_is_taken(tmp_path: Path) -> None:
    put(tmp_path / "bin/python3.12", BROKEN_SHIM)
    good = put(tmp_path / "bin2/python3.12", GOOD)
    assert found(find(tmp_path)) == good


def test_a_python_that_lacks_ensurepip_is_explained_even_though_another_is_taken(tmp_path: Path) -> None:
    bad = put(tmp_path / "bin/python3.12", NO_ENSUREPIP)
    put(tmp_path / "bin/python3.13", GOOD)
    result = find(tmp_path)
    assert result.returncode == 0
    assert f"Not taken: {bad}: " in result.stderr
    assert f"apt install python{sys.version_info.major}.{sys.version_info.minor}-venv" in result.stderr


@pytest.mark.parametrize(
    "place",
    [
        "home/.pyenv/versions/3.12.9/bin/python3.12",
        "home/.local/share/uv/python/cpython-3.13.1-linux-x86_64-gnu/bin/python3.13",
        "home/.local/share/mise/installs/python/3.12/bin/python3",
        "home/.asdf/installs/python/3.12.1/bin/python3",
        "home/miniconda3/bin/python",
        "home/miniforge3/envs/trading/bin/python3.12",
        "usr/local/bin/python3.12",
        "usr/bin/python3.14",
        "opt/homebrew/bin/python3.13",
        "opt/homebrew/opt/python@3.12/bin/python3.12",
        "opt/python/bin/python3",
        "opt/python/cp312-cp312/bin/python3.12",
        "opt/conda/bin/python3.12",
        "Library/Frameworks/Python.framework/Versions/3.13/bin/python3.13",
    ],
)
def test_a_python_outside_path_is_found_where_installers_put_it(tmp_path: Path, place: str) -> None:
    good = put(tmp_path / place, GOOD)
    assert found(find(tmp_path)) == good


@pytest.mark.parametrize(
    ("variable", "value", "place"),
    [
        ("PYENV_ROOT", "mine", "mine/versions/3.12.9/bin/python3.12"),
        ("UV_PYTHON_INSTALL_DIR", "mine", "mine/cpython-3.12/bin/python3.12"),
        ("CONDA_PREFIX", "mine", "mine/bin/python3.12"),
    ],
)
def test_a_version_manager_that_was_moved_is_followed(tmp_path: Path, variable: str, value: str, place: str) -> None:
    good = put(tmp_path / place, GOOD)
    assert find(tmp_path).returncode == 1
    assert found(find(tmp_path, **{variable: str(tmp_path / value)})) == good


def test_a_python_on_path_goes_before_one_outside(tmp_path: Path) -> None:
    put(tmp_path / "home/.pyenv/versions/3.12.9/bin/python3.12", GOOD)
    good = put(tmp_path / "bin/python3", GOOD)
    assert found(find(tmp_path)) == good


def test_a_path_with_spaces_is_kept_whole(tmp_path: Path) -> None:
    good = put(tmp_path / "home of ann/.pyenv/versions/3.12.9/bin/python3.12", GOOD)
    assert found(find(tmp_path, HOME=str(tmp_path / "home of ann"))) == good


def test_a_file_that_is_not_executable_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path / "bin/python3.12", GOOD).chmod(0o644)
    good = put(tmp_path / "bin/python3", GOOD)
    assert found(find(tmp_path)) == good


def test_the_python_that_was_asked_for_goes_before_all_others(tmp_path: Path) -> None:
    put(tmp_path / "bin/python3.12", GOOD)
    good = put(tmp_path / "elsewhere/python", GOOD)
    assert found(find(tmp_path, str(good))) == good


def test_a_name_that_was_asked_for_is_looked_for_outside_path_too(tmp_path: Path) -> None:
    put(tmp_path / "bin/python3.12", GOOD)
    put(tmp_path / "bin/python3.13", BROKEN_SHIM)
    good = put(tmp_path / "home/.pyenv/versions/3.13.0/bin/python3.13", GOOD)
    assert found(find(tmp_path, "python3.13")) == good


def test_a_name_that_was_asked_for_is_not_replaced_by_another_one(tmp_path: Path) -> None:
    put(tmp_path / "bin/python3.12", GOOD)
    result = find(tmp_path, "python3.13")
    assert (result.returncode, result.stdout) == (1, "")
    assert "PYTHON=python3.13 was asked for, and none by that name can be used." in result.stderr


def test_a_path_that_was_asked_for_and_does_not_exist_is_said_so(tmp_path: Path) -> None:
    put(tmp_path / "bin/python3.12", GOOD)
    result = find(tmp_path, str(tmp_path / "no/python"))
    assert result.returncode == 1
    assert "and there is no such program." in result.stderr


def test_an_empty_wish_is_none(tmp_path: Path) -> None:
    good = put(tmp_path / "bin/python3", GOOD)
    assert found(find(tmp_path, "")) == good


def test_a_machine_without_any_python_is_told_what_to_do(tmp_path: Path) -> None:
    result = find(tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("No Python that the project can be set up with was found.\nWhat to do:")
    assert "make setup PYTHON=" in result.stderr
