"""A venue served by ``tidegate venue`` in a process of its own, for clients by others."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conformance.forking import forked

__all__ = ["FreshAccounts", "served_venue"]

CHECKOUT = Path(__file__).resolve().parents[2]
START_S_MAX = 60


@contextmanager
def served_venue(folder: Path, *options: str, prefix: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """What the ready file says of a venue that is open; it is interrupted at the end and must end well.

    prefix: a command that runs the venue's.
    """
    ready = folder / "ready.json"
    log = folder / "venue.log"
    arguments = ["venue", "--ready-file", str(ready), *options]
    process = (
        _begun([*prefix, sys.executable, "-m", "framework.cli", *arguments], log) if prefix else forked(arguments, log)
    )
    try:
        until_s = time.monotonic() + START_S_MAX
        while not ready.exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until_s, "the venue did not open"
            time.sleep(0.02)
        yield json.loads(ready.read_text())
    finally:
        process.terminate()
        assert process.wait(20) == 0, log.read_text()
    assert not ready.exists()


def _begun(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("w") as output:
        return subprocess.Popen(command, cwd=CHECKOUT, stdout=output, stderr=output)


class FreshAccounts:
    """Two accounts of its own for each test on one venue: an account's limits of calls are spent by all who use it.

    opened: the venue's ready file; it must have accounts enough (``--accounts``).
    """

    def __init__(self, opened: dict[str, Any]) -> None:
        self._opened = opened
        self._taken = 0

    def ready(self, folder: Path) -> dict[str, Any]:
        """A ready file with the next accounts only, in this folder, and what it says."""
        accounts = self._opened["accounts"][self._taken : self._taken + 2]
        assert len(accounts) == 2, "the venue has no more accounts; give it more"
        self._taken += 2
        ready = {**self._opened, "accounts": accounts}
        (folder / "ready.json").write_text(json.dumps(ready))
        return ready
