"""An append-only file that a crash leaves whole up to a place: what a download or a recording is gathered in.

The file is a line that names what it holds, then frames (``framework.frame_file``): the first is the header; what the
others mean is for whoever wrote them to say. What is torn at the end is cut off when the file is opened again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from framework.errors import ConfigError, DataError, OutputError
from framework.frame_file import FrameReader, JournalFile, frame, lock, write_whole

__all__ = ["AppendFile", "AppendReader", "HeadlessFileError"]


class HeadlessFileError(DataError):
    """A file that ends within its header: nothing was ever put into it."""


class AppendFile:
    """One file of frames, open for writing; nobody else has it.

    header: what its first frame says. size: of all that is whole, in bytes. torn_bytes: how much was cut off when it
    was opened.
    """

    def __init__(self, file: JournalFile, path: Path, header: bytes, size: int) -> None:
        """Take a file whose frames end at ``size``; ``begin`` and ``reopen`` make one."""
        self.header = header
        self.path = path
        self.size = size
        self.torn_bytes = 0
        self._file = file

    @classmethod
    def begin(cls, path: Path, magic: bytes, header: bytes) -> AppendFile:
        """A new file. magic: a line that says what it is, with its version.

        Raises ConfigError for a path that is taken or cannot be made, and OutputError where it cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("x+b", buffering=0)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; name another place") from None
        lock(file.fileno(), path, "another process", "file")
        try:
            return cls.begin_in(file, path, magic, header)
        except OutputError:
            path.unlink(missing_ok=True)
            raise

    @classmethod
    def begin_in(cls, file: JournalFile, path: Path, magic: bytes, header: bytes) -> AppendFile:
        """As ``begin``, in an empty file that is open."""
        frames = cls(file, path, header, 0)
        frames._write(magic + frame(header))
        return frames

    @classmethod
    def reopen(cls, path: Path, magic: bytes, take: Callable[[bytes], None]) -> AppendFile:
        """A file that is there; what is torn of it is cut off. take: gets each frame after the header.

        Raises ConfigError where it cannot be opened or is in use, and DataError for one that cannot be read.
        """
        try:
            file = path.open("r+b", buffering=0)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from None
        lock(file.fileno(), path, "another process", "file")
        reader = AppendReader(file, path, magic)
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
        self._write(frame(payload))

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
            write_whole(self._file, data)
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


class AppendReader:
    """The frames of a file after its header, up to where it is whole; nothing is changed.

    header: what its first frame says. torn_bytes: what is torn at the end, once all frames have been read.
    """

    def __init__(self, file: JournalFile, path: Path, magic: bytes) -> None:
        """Raises DataError for a file of another kind, HeadlessFileError for one that has no header."""
        self.torn_bytes = 0
        self._reader = FrameReader(file, path, what="the file", error=DataError)
        found = self._reader.take(len(magic))
        if found != magic and not magic.startswith(found):
            raise DataError(f"{path} is not a file of this kind and version; name another place, or remove it")
        header = self._reader.frame() if found == magic else None
        if header is None:
            raise HeadlessFileError(f"{path} ends within its header: nothing was gathered; remove it and begin anew")
        self.header = header

    @property
    def at(self) -> int:
        """Place of what is read next."""
        return self._reader.at

    def __iter__(self) -> Iterator[bytes]:
        """The contents of the frames; raises DataError where the file is damaged before its end."""
        while (payload := self._reader.frame()) is not None:
            yield payload
        self.torn_bytes = self._reader.rest()
