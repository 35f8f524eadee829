"""The kill switch from outside: a file beside the run's folder, and the command ``tidegate kill`` that makes it.

Whoever makes the file pulls the switch, whoever removes it releases it. A switch that was pulled otherwise makes the
file too, and what it comes to is written there, a line each; so the file says at any time how it stands. It outlives
the run: no run begins where one is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from framework.errors import ConfigError
from framework.execution.kill_switch import KillSwitch
from framework.live.kill_command import PROVED

__all__ = ["KillFile"]

_NS = 1_000_000_000


class KillFile:
    """The file of one run, and its switch. tell: is given each line that is written."""

    def __init__(self, path: Path, switch: KillSwitch, tell: Callable[[str], None]) -> None:
        """Raises ConfigError where there is a file already."""
        if path.exists():
            raise ConfigError(
                f"{path}: the kill switch is pulled; see why in it, and remove it, or `tidegate kill --release` it"
            )
        self.path = path
        self._switch = switch
        self._tell = tell
        self._is_there = False
        self._said = ""
        switch.on_change = self._on_change

    def look(self) -> None:
        """Pull or release the switch as the file says."""
        is_there = self.path.exists()
        if is_there and self._switch.reason is None:
            self._is_there = True
            self._switch.pull(f"file {self.path.name}")
        elif not is_there and self._is_there:
            self._is_there = False
            self._switch.release()

    def _on_change(self) -> None:
        switch = self._switch
        if switch.reason is None:
            line = "released"
        elif switch.proof is not None:
            line = f"{PROVED}: the venue said so at {_time(switch.proof.ts_venue_ns)}"
        elif not self._said:
            line = f"pulled: {switch.reason}"
        else:
            line = f"still trying; left: {', '.join(switch.left()[:5])}"
        self._said = "" if switch.reason is None else line
        self._tell(f"kill switch: {line}")
        if switch.reason is not None:
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(f"{line}\n")
                self._is_there = True
            except OSError as error:  # it holds without the file, until the run's end
                self._tell(f"kill switch: {self.path} cannot be written ({error.strerror})")


def _time(ts_ns: int) -> str:
    return f"{dt.datetime.fromtimestamp(ts_ns // _NS, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
