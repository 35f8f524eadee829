"""A screen that frames are drawn on, one over the other; in a pipe, or on a terminal that cannot, one by one."""

from __future__ import annotations

import os
import select
import shutil
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, TextIO

from framework.live.health.top_frame import Line

__all__ = ["PlainScreen", "Screen", "TerminalScreen", "choose_screen"]

_LOOK_S = 0.1
_PLAIN_WIDTH = 200
_COLOURS = {"title": "\x1b[1m", "alarm": "\x1b[31m", "plain": ""}


class Screen(Protocol):
    """width, height: of a frame; height is None where there is room for any."""

    width: int
    height: int | None

    def __enter__(self) -> Screen: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def draw(self, lines: Sequence[Line]) -> None:
        """Show a frame in place of the one before."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait for the next frame, or until the screen has another size; False where the user wants no more."""
        ...


def choose_screen(out: TextIO) -> Screen:
    """What can be drawn on."""
    if out.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return TerminalScreen(out)
    return PlainScreen(out)


class PlainScreen:
    """Frames one after the other, an empty line between them, as wide as they are."""

    def __init__(self, out: TextIO) -> None:
        self.width = _PLAIN_WIDTH
        self.height: int | None = None
        self._out = out
        self._is_first = True

    def __enter__(self) -> PlainScreen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def draw(self, lines: Sequence[Line]) -> None:
        if not self._is_first:
            self._out.write("\n")
        self._is_first = False
        self._out.write("\n".join(line.text.rstrip() for line in lines) + "\n")
        self._out.flush()

    def wait(self, seconds: float) -> bool:
        time.sleep(seconds)
        return True


class TerminalScreen:
    """The whole terminal, which is as it was afterwards. NO_COLOR leaves colours out."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._has_colour = not os.environ.get("NO_COLOR")
        self._keys: tuple[int, Any] | None = None
        self._measure()

    def _measure(self) -> bool:
        """Take the terminal's size; whether it is another one."""
        try:
            size = os.get_terminal_size(self._out.fileno())
        except OSError:
            size = shutil.get_terminal_size()
        if not (size.columns and size.lines):  # a terminal that does not know
            size = shutil.get_terminal_size()
        is_new = (size.columns, size.lines) != (getattr(self, "width", 0), getattr(self, "height", 0))
        self.width = size.columns
        self.height: int | None = size.lines
        return is_new

    def __enter__(self) -> TerminalScreen:
        if sys.stdin.isatty():
            import termios
            import tty

            descriptor = sys.stdin.fileno()
            self._keys = (descriptor, termios.tcgetattr(descriptor))
            tty.setcbreak(descriptor)
        self._out.write("\x1b[?1049h\x1b[?25l")
        self._out.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out.write("\x1b[?25h\x1b[?1049l")
        self._out.flush()
        if self._keys is not None:
            import termios

            termios.tcsetattr(self._keys[0], termios.TCSADRAIN, self._keys[1])

    def draw(self, lines: Sequence[Line]) -> None:
        parts = ["\x1b[H"]
        for number, line in enumerate(lines[: self.height]):
            colour = _COLOURS[line.style] if self._has_colour else ""
            parts.append(f"{'\n' if number else ''}{colour}{line.text}{'\x1b[0m' if colour else ''}\x1b[K")
        parts.append("\x1b[J")
        self._out.write("".join(parts))
        self._out.flush()

    def wait(self, seconds: float) -> bool:
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            if self._keys is None:
                time.sleep(min(left_s, _LOOK_S))
            elif select.select([self._keys[0]], [], [], min(left_s, _LOOK_S))[0]:
                if os.read(self._keys[0], 64).lower() in (b"q", b""):
                    return False
            if self._measure():
                return True
        return True
