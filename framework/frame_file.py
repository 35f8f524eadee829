"""Files that are only ever added to: frames with checksums, each written by one call.

A frame is written whole or (where the process was killed within the call) torn; a torn one is at the end of the file.
Each has its length, a checksum of the length and a checksum of its content, so that damage before the end is found and
is an error.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Protocol

from framework.errors import ConfigError, JournalError, TidegateError

__all__ = ["FrameReader", "JournalFile", "force_name", "frame", "lock", "owner_only", "write_whole"]

_HEAD = struct.Struct(">III")
_LENGTH = struct.Struct(">I")
_READ_SIZE = 2**20


class JournalFile(Protocol):
    """An unbuffered file, as ``io.FileIO``."""

    def write(self, data: bytes, /) -> int | None: ...

    def read(self, size: int, /) -> bytes | None: ...

    def seek(self, offset: int, /) -> int: ...

    def truncate(self, size: int, /) -> int: ...

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class FrameReader:
    """Reads a file from front to back. at: place of what is read next."""

    def __init__(
        self,
        file: JournalFile,
        path: Path,
        at: int = 0,
        *,
        what: str = "the journal",
        error: type[TidegateError] = JournalError,
    ) -> None:
        """what, error: what is said, and raised, of a file that is damaged."""
        self.at = at
        self._what = what
        self._error = error
        self._path = path
        self._file = file
        self._buffer = b""
        self._start = 0  # of what has not been taken yet, in the buffer
        file.seek(at)

    def take(self, size: int) -> bytes:
        """The next bytes, fewer at the end of the file."""
        self._fill(size)
        data = self._buffer[self._start : self._start + size]
        self._start += len(data)
        self.at += len(data)
        return data

    def frame(self) -> bytes | None:
        """The content of the next frame; None at the end of the file, or of what is whole of it."""
        if self._fill(_HEAD.size) < _HEAD.size:
            return None
        size, size_sum, content_sum = _HEAD.unpack_from(self._buffer, self._start)
        if size_sum != zlib.crc32(_LENGTH.pack(size)):
            if self._is_blank():
                return None
            raise self._damage()
        if self._fill(_HEAD.size + size) < _HEAD.size + size:
            return None
        first = self._start + _HEAD.size
        payload = self._buffer[first : first + size]
        if zlib.crc32(payload) != content_sum:
            raise self._damage()
        self._start += _HEAD.size + size
        self.at += _HEAD.size + size
        return payload

    def rest(self) -> int:
        """How many bytes are left."""
        count = len(self._buffer) - self._start
        while data := self._file.read(_READ_SIZE):
            count += len(data)
        return count

    def _fill(self, size: int) -> int:
        """Have so many bytes in the buffer; returns how many there are, fewer at the end of the file."""
        if len(self._buffer) - self._start < size:
            parts = [self._buffer[self._start :]]
            count = len(parts[0])
            while count < size and (data := self._file.read(max(_READ_SIZE, size - count))):
                parts.append(data)
                count += len(data)
            self._buffer, self._start = b"".join(parts), 0
        return len(self._buffer) - self._start

    def _is_blank(self) -> bool:
        """Whether nothing but zeros follows: a file may have grown before a machine lost its power."""
        is_blank = not any(self._buffer[self._start :])
        while is_blank and (data := self._file.read(_READ_SIZE)):
            is_blank = not any(data)
        self._file.seek(self.at + len(self._buffer) - self._start)
        return is_blank

    def _damage(self) -> TidegateError:
        return self._error(
            f"{self._path}: {self._what} is damaged at byte {self.at}, before its end; put back a copy of it, or "
            f"cut it to {self.at} bytes to go on without all that came later"
        )


def frame(payload: bytes) -> bytes:
    """Content as a frame."""
    length = _LENGTH.pack(len(payload))
    return b"%b%b%b%b" % (length, _LENGTH.pack(zlib.crc32(length)), _LENGTH.pack(zlib.crc32(payload)), payload)


def owner_only(path: str, flags: int) -> int:
    """An opener of files that are for their owner only."""
    return os.open(path, flags, 0o600)


def force_name(path: Path) -> None:
    """Force to the disk that there is such a file."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def lock(file: int, path: Path, other: str, what: str = "journal") -> None:
    """Keep the file to ourselves, where the system knows such locks. Raises ConfigError where somebody else has it.

    other: who that is, in words: "another venue". what: the file is.
    """
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ConfigError(f"{path}: {other} is writing this {what}; stop it, or name another") from None


def write_whole(file: JournalFile, data: bytes) -> None:
    """Write all of it; raises OSError where it cannot be."""
    written = file.write(data) or 0
    while written < len(data):  # the next one says why it did not fit
        written += file.write(data[written:]) or 0
