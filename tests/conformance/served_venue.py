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

__all__ = ["served_venue"]

CHECKOUT = Path(__file__).resolve().parents[2]
START_S_MAX = 60


@contextmanager
def served_venue(folder: Path, *options: str, prefix: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """What the ready file says of a venue that is open; it is interrupted at the end and must end well.

    prefix: a command that runs the venue's.
    """
    ready = folder / "ready.json"
    log = folder / "venue.log"
    command = [*prefix, sys.executable, "-m", "framework.cli", "venue", "--ready-file", str(ready), *options]
    with log.open("w") as output, subprocess.Popen(command, cwd=CHECKOUT, stdout=output, stderr=output) as process:
        try:
            until_s = time.monotonic() + START_S_MAX
            while not ready.exists():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until_s, "the venue did not open"
                time.sleep(0.05)
            yield json.loads(ready.read_text())
        finally:
            process.terminate()
            assert process.wait(20) == 0, log.read_text()
    assert not ready.exists()
