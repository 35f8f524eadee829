"""Machine code on disk: used again while nothing that it was made from has changed, and never afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from framework.machine_code import source_stamp

ROOT = Path(__file__).resolve().parents[2]

_PROGRAM = """
import sys
from numba import njit
from framework.machine_code import kept

def double(n):
    return 2 * n

compiled = kept(njit(double), double, sys.argv[1])
assert compiled(21) == 42
stats = compiled.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def _run(folder: Path, stamp: str, stderr: int = subprocess.PIPE) -> str:
    (folder / "program.py").write_text(_PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, str(folder / "program.py"), stamp]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True, check=True)
    return done.stdout.strip()


def test_machine_code_is_kept_for_the_next_process_under_the_same_stamp_and_made_anew_under_another(
    tmp_path: Path,
) -> None:
    assert _run(tmp_path, "a") == "0 1"
    assert _run(tmp_path, "a") == "1 0"
    assert _run(tmp_path, "b") == "0 1"


def test_who_waits_at_a_terminal_is_told_that_code_is_compiled_and_only_then(tmp_path: Path) -> None:
    reader, terminal = os.openpty()
    assert _run(tmp_path, "a", stderr=terminal) == "0 1"
    assert os.read(reader, 1_000).startswith(b"compiling, once for all later runs")
    os.set_blocking(reader, False)
    assert _run(tmp_path, "a", stderr=terminal) == "1 0"
    with pytest.raises(BlockingIOError):
        os.read(reader, 1_000)
    os.close(terminal)
    os.close(reader)


def test_a_stamp_changes_with_a_file_with_its_name_and_with_the_constants(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("x = 1")
    two.write_text("x = 1")
    stamp = source_stamp([one], [("LEVEL", 1)])
    assert stamp == source_stamp([one], [("LEVEL", 1)])
    assert stamp != source_stamp([two], [("LEVEL", 1)])
    assert stamp != source_stamp([one], [("LEVEL", 2)])
    one.write_text("x = 2")
    assert stamp != source_stamp([one], [("LEVEL", 1)])
