"""Fuzz the venue: ``make fuzz``, or ``python -m tests.fuzz [--seconds 30] [--save DIR] [harness ...]``.

Each harness runs in a process of its own for so many seconds, by atheris, which follows what the code does with an
input; where atheris is not installed, by mutations of the seeds that hypothesis draws. An input that makes a harness
fail is kept in the folder; ``--again FILE`` feeds it once more.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from tests.fuzz.harnesses import HARNESSES


def main() -> int:
    """Run them; returns how many found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the venue.")
    parser.add_argument("harness", nargs="*", help=f"of {', '.join(HARNESSES)}; all, if none is named")
    parser.add_argument("--seconds", type=int, default=30, help="of each harness (default 30)")
    parser.add_argument("--save", type=Path, default=Path("runs/fuzz"), help="where inputs that fail are kept")
    parser.add_argument("--again", type=Path, help="feed this file to the one harness that is named")
    given = parser.parse_args()
    names = given.harness or list(HARNESSES)
    unknown = sorted(set(names) - set(HARNESSES))
    if unknown:
        parser.error(f"no harness {', '.join(unknown)}; there are {', '.join(HARNESSES)}")
    if given.again is not None:
        if len(names) != 1:
            parser.error("--again needs the one harness that the file is for")
        return again(names[0], given.again)
    given.save.mkdir(parents=True, exist_ok=True)
    has_atheris = importlib.util.find_spec("atheris") is not None
    print(f"by {'atheris' if has_atheris else 'hypothesis, for atheris is not installed'}", flush=True)
    driver = "tests.fuzz.under_atheris" if has_atheris else "tests.fuzz.under_hypothesis"
    return sum(run(driver, name, given.seconds, given.save) for name in names)


def run(driver: str, name: str, seconds: int, save: Path) -> int:
    """Run one in a process of its own; 1 if it found something."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        command = [sys.executable, "-m", driver, name, str(seconds), str(save)]
        status = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
        output.seek(0)
        lines = output.read().splitlines()
    if status == 0:
        told = [line for line in lines if "number_of_executed_units" in line or line.endswith(" inputs")]
        print(f"{name}: nothing found in {seconds} s; {''.join(told)}", flush=True)
        return 0
    print(f"{name}: FAILED", *lines[-60:], sep="\n    ", flush=True)
    return 1


def again(name: str, file: Path) -> int:
    """Feed one input; 1 if it fails."""
    try:
        HARNESSES[name]().run(file.read_bytes())
    except Exception:  # noqa: BLE001 - whatever comes out of a harness is shown
        traceback.print_exc()
        return 1
    print(f"{name}: nothing found in {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
