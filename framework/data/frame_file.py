"""An append-only file that a crash leaves whole up to a place: what a download or a recording is gathered in.

The file is a line that names what it holds, then frames. A frame is written by one call, whole or (where the process
was killed within the call) torn; a torn one is at the end of the file, and is cut off when the file is opened again.
Each frame has its length, a checksum of the length and a checksum of its content, so that damage before the end is
found and is an error. The first frame is the header; what the others mean is for whoever wrote them to say.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from framework.errors import ConfigError, DataError, OutputError

__all__ = ["FrameFile", "FrameReader", "HeadlessFileError", "RawFile"]

_HEAD = struct.Struct(">III")
_LENGTH = struct.Struct(">I")
_READ_SIZE = 2**20


class HeadlessFileError(DataError):
    """A file that ends within its header: nothing was ever put into it."""


class RawFile(Protocol):
    """An unbuffered file, as ``io.FileIO``."""

    def write(self, data: bytes, /) -> int | None: ...

    def read(self, size: int, /) -> bytes | None: ...

    def seek(self, offset: int, /) -> int: ...

    def truncate(self, size: int, /) -> int: ...

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class FrameFile:
    """One file of frames, open for writing; nobody else has it.

    header: what its first frame says. size: of all that is whole, in bytes. torn_bytes: how much was cut off when it
    was opened.
    """

    def __init__(self, file: RawFile, path: Path, header: bytes, size: int) -> None:
        """Take a file whose frames end at ``size``; ``begin`` and ``reopen`` make one."""
        self.header = header
        self.path = path
        self.size = size
        self.torn_bytes = 0
        self._file = file

    @classmethod
    def begin(cls, path: Path, magic: bytes, header: bytes) -> FrameFile:
        """A new file. magic: a line that says what it is, with its version.

        Raises ConfigError for a path that is taken or cannot be made, and OutputError where it cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("x+b", buffering=0)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; name another place") from None
        _lock(file.fileno(), path)
        try:
            return cls.begin_in(file, path, magic, header)
        except OutputError:
            path.unlink(missing_ok=True)
            raise

    @classmethod
    def begin_in(cls, file: RawFile, path: Path, magic: bytes, header: bytes) -> FrameFile:
        """As ``begin``, in an empty file that is open."""
        frames = cls(file, path, header, 0)
        frames._write(magic + _frame(header))
        return frames

    @classmethod
    def reopen(cls, path: Path, magic: bytes, take: Callable[[bytes], None]) -> FrameFile:
        """A file that is there; what is torn of it is cut off. take: gets each frame after the header.

        Raises ConfigError where it cannot be opened or is in use, and DataError for one that cannot be read.
        """
        try:
            file = path.open("r+b", buffering=0)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from None
        _lock(file.fileno(), path)
        reader = FrameReader(file, path, magic)
        for payload in reader:
            take(payload)
        frames = cls(file, path, reader.header, reader.at)
        frames.torn_bytes = reader.torn_bytes
        file.truncate(frames.size)
        file.seek(frames.size)
        return frames

    def append(self, payload: bytes) -> None:
        """Write a frame: after a crash of this process all of it is there, or nothing.

        Raises OutputError where it cannot be written; the file is as it was, and the same can be tried again.
        """
        self._write(_frame(payload))

    def force(self) -> None:
        """Force what was written to the disk, so that it survives a loss of power; raises OutputError."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(f"{self.path}: {error.strerror}; free the disk") from None

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        try:
            written = self._file.write(data) or 0
            while written < len(data):  # the next one says why it did not fit
                written += self._file.write(data[written:]) or 0
        except OSError as error:
            self._cut_back()
            raise OutputError(
                f"{self.path}: {error.strerror}; what was written before is in it: make room, then go on"
            ) from None
        self.size += len(data)

    def _cut_back(self) -> None:
        """Take away what was begun of a frame; what stays of it is found torn when the file is opened again."""
        try:
            self._file.truncate(self.size)
            self._file.seek(self.size)
        except OSError:
            return


class FrameReader:
    """The frames of a file after its header, up to where it is whole; nothing is changed.

    header: what its first frame says. at: place of what is read next. torn_bytes: what is torn at the end, once all
    frames have been read.
    """

    def __init__(self, file: RawFile, path: Path, magic: bytes) -> None:
        """Raises DataError for a file of another kind, or one that has no header."""
        self.at = 0
        self.torn_bytes = 0
        self._path = path
        self._file = file
        self._buffer = b""
        self._start = 0  # of what has not been taken yet, in the buffer
        self._fill(len(magic))
        if self._buffer[: len(magic)] != magic:
            if magic.startswith(self._buffer):
                raise self._headless()
            raise DataError(f"{path} is not a file of this kind and version; name another place, or remove it")
        self._start = self.at = len(magic)
        header = self._frame()
        if header is None:
            raise self._headless()
        self.header = header

    def __iter__(self) -> Iterator[bytes]:
        """The contents of the frames; raises DataError where the file is damaged before its end."""
        while (payload := self._frame()) is not None:
            yield payload
        self.torn_bytes = len(self._buffer) - self._start
        while data := self._file.read(_READ_SIZE):
            self.torn_bytes += len(data)

    def _frame(self) -> bytes | None:
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

    def _headless(self) -> HeadlessFileError:
        return HeadlessFileError(f"{self._path} ends within its header: nothing was gathered; remove it and begin anew")

    def _damage(self) -> DataError:
        return DataError(
            f"{self._path}: damaged at byte {self.at}, before its end; put back a copy of it, or cut it to {self.at} "
            "bytes to go on without all that came later"
        )


def _frame(payload: bytes) -> bytes:
    length = _LENGTH.pack(len(payload))
    return b"%b%b%b%b" % (length, _LENGTH.pack(zlib.crc32(length)), _LENGTH.pack(zlib.crc32(payload)), payload)


def _lock(file: int, path: Path) -> None:
    """Keep the file to ourselves, where the system knows such locks."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ConfigError(f"{path}: another process is writing it; wait for its end, or name another place") from None
