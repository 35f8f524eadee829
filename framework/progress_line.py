"""How far a command is, for whoever watches it."""

from __future__ import annotations

import time
from typing import TextIO

__all__ = ["ProgressLine"]

_LINE_EVERY_S = 10.0


class ProgressLine:
    """One line that is written over on a terminal; in a file, a line now and then."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._width = 0
        self._next_s = 0.0

    def show(self, text: str) -> None:
        """How far it is."""
        if self._is_terminal:
            self._out.write(f"\r{text:<{self._width}}")
            self._width = len(text)
        elif time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + _LINE_EVERY_S
            self._out.write(f"{text}\n")
        self._out.flush()

    def say(self, text: str) -> None:
        """Something that stays to be read."""
        self.end()
        self._out.write(f"{text}\n")
        self._out.flush()

    def end(self) -> None:
        """Leave the line as it is."""
        if self._width:
            self._out.write("\n")
            self._width = 0
