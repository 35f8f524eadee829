"""Files that grow by whole lines and are put aside when they are full; a line that a disk takes in part is taken back.

``log.jsonl`` is the newest; of those before, ``log.1.jsonl`` is the youngest, and the oldest makes room.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from framework.frame_file import owner_only

__all__ = ["LOG_NAME", "LineFile", "log_files"]

LOG_NAME = "log.jsonl"
# No line is longer.
_LINE_BYTES_MAX = 1 << 16


def log_files(folder: Path) -> list[Path]:
    """The log files of a folder, oldest first."""
    older = [path for path in folder.glob("log.*.jsonl") if path.name.split(".")[1].isdecimal()]
    newest = folder / LOG_NAME
    found = sorted(older, key=lambda path: -int(path.name.split(".")[1]))
    return [*found, newest] if newest.exists() else found


class LineFile:
    """The log of one folder. Everything may raise OSError, and may be tried again after it; no line is there in part.

    bytes_max: when a file is full. count: of files at most, the one that is written to included; 1 for one that is
    emptied when it is full.
    """

    def __init__(self, folder: Path, bytes_max: int, count: int) -> None:
        self._path = folder / LOG_NAME
        self._folder = folder
        self._bytes_max = bytes_max
        self._count = count
        self._fd: int | None = None
        self._end = 0

    def write(self, lines: bytes) -> None:
        """Add whole lines, each with its end."""
        if self._fd is None:
            self._open()
        elif self._end and self._end + len(lines) > self._bytes_max:
            self._rotate()
        assert self._fd is not None
        try:
            written = os.write(self._fd, lines)
            while written < len(lines):
                written += os.write(self._fd, lines[written:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._end)
            raise
        self._end += len(lines)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        fd = owner_only(str(self._path), os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
        try:
            self._end = _whole_lines(fd)
            os.ftruncate(fd, self._end)
        except OSError:
            os.close(fd)
            raise
        self._fd = fd

    def _rotate(self) -> None:
        self.close()
        for number in range(self._count - 1, 0, -1):
            older = self._folder / f"log.{number}.jsonl"
            newer = self._folder / f"log.{number - 1}.jsonl" if number > 1 else self._path
            if newer.exists():
                newer.replace(older)
        if self._count == 1:
            self._path.unlink(missing_ok=True)
        self._open()


def _whole_lines(fd: int) -> int:
    """Where the last whole line of a file ends: a run that was killed may have left a part of one."""
    size = os.fstat(fd).st_size
    begin = max(0, size - _LINE_BYTES_MAX)
    last = os.pread(fd, size - begin, begin).rfind(b"\n")
    return begin + last + 1 if last >= 0 else begin
