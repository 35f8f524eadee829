"""What a session has sent, and which numbers come next: in memory, or in a file that survives a crash.

The order that keeps numbers honest: a message is stored, then sent, so a number that a peer has seen is never used
again, and one that it has not seen can be replayed. The number that is expected next is stored after the message with
the number before it has been dealt with, so nothing received is taken as seen before it was.

The file is a log of records, each with its length and checksum. A record that a crash has torn is at the end of the
file; opening cuts it off. Writes go to the operating system at once (a killed process loses nothing); ``Durability``
says whether they are forced to the disk too (a lost machine).
"""

from __future__ import annotations

import enum
import os
import struct
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from adapters.fix.errors import StoreError

__all__ = ["Durability", "FileStore", "MemoryStore", "MessageStore"]


class MessageStore(Protocol):
    """What a session keeps.

    next_sender: number of the next message that we send. next_target: number expected next from the peer.
    """

    @property
    def next_sender(self) -> int: ...

    @property
    def next_target(self) -> int: ...

    def append(self, seq_num: int, message: bytes) -> None:
        """Keep a message before it is sent; its number is ``next_sender``, which goes on by one."""

    def set_next_sender(self, seq_num: int) -> None: ...

    def set_next_target(self, seq_num: int) -> None: ...

    def messages(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """The kept messages with numbers from first to last, in order; numbers that carry none are left out."""

    def reset(self) -> None:
        """Forget everything; both numbers are 1."""


class MemoryStore:
    """Keeps messages as long as the process lives."""

    def __init__(self, messages_max: int | None = None) -> None:
        """messages_max: only the newest so many are kept, and gap fills stand for those before; None for all."""
        self._messages_max = messages_max
        self._next_sender = 1
        self._next_target = 1
        self._messages: dict[int, bytes] = {}

    @property
    def next_sender(self) -> int:
        return self._next_sender

    @property
    def next_target(self) -> int:
        return self._next_target

    def append(self, seq_num: int, message: bytes) -> None:
        self._messages[seq_num] = message
        if self._messages_max is not None:
            self._messages.pop(seq_num - self._messages_max, None)
        self._next_sender = seq_num + 1

    def set_next_sender(self, seq_num: int) -> None:
        self._next_sender = seq_num

    def set_next_target(self, seq_num: int) -> None:
        self._next_target = seq_num

    def messages(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        kept = self._messages
        for seq_num in range(first, min(last, self._next_sender - 1) + 1):
            message = kept.get(seq_num)
            if message is not None:
                yield seq_num, message

    def reset(self) -> None:
        self._messages.clear()
        self._next_sender = self._next_target = 1


class Durability(enum.Enum):
    """When a record is forced to the disk.

    PROCESS: never by us; it survives the end of the process, not that of the machine. MACHINE: before ``append``
    returns.
    """

    PROCESS = "process"
    MACHINE = "machine"


_MAGIC = b"tidegate-fix-store-1\n"
# kind, number, length of the payload; then the checksum of these and of the payload.
_HEAD = struct.Struct(">BQI")
_SUM = struct.Struct(">I")
_SENT, _SENDER, _TARGET = 1, 2, 3


class _Places:
    """Where the records of kept messages begin, by their numbers; 16 bytes for each, for a session is long."""

    def __init__(self) -> None:
        self._numbers = array("Q")
        self._starts = array("Q")

    def add(self, seq_num: int, start: int) -> None:
        """A message, the newest: those that had its number, or a later one, before, are none any more."""
        numbers = self._numbers
        if numbers and numbers[-1] >= seq_num:
            at = bisect_left(numbers, seq_num)
            del numbers[at:], self._starts[at:]
        numbers.append(seq_num)
        self._starts.append(start)

    def between(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Numbers from first to last, those that there are, with their places."""
        for at in range(bisect_left(self._numbers, first), len(self._numbers)):
            if self._numbers[at] > last:
                return
            yield self._numbers[at], self._starts[at]


class FileStore:
    """Keeps messages in a file.

    path: made if it is not there. Raises StoreError where the file is of something else, cannot be read, or is in use
    by another store, and from any method that writes if it cannot be written: then nothing was added to the file.
    """

    def __init__(self, path: Path, durability: Durability = Durability.PROCESS) -> None:
        self._path = path
        self._is_forced = durability is Durability.MACHINE
        self._next_sender = 1
        self._next_target = 1
        self._places = _Places()
        self._end = 0
        self._file = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            _lock(self._file, path)
            self._read()
        except OSError as error:
            self.close()
            raise StoreError(f"{path}: {error.strerror or error}; free the place or name another folder") from error
        except StoreError:
            self.close()
            raise

    @property
    def next_sender(self) -> int:
        return self._next_sender

    @property
    def next_target(self) -> int:
        return self._next_target

    def append(self, seq_num: int, message: bytes) -> None:
        start = self._end
        self._write(_SENT, seq_num, message)
        self._places.add(seq_num, start)
        self._next_sender = seq_num + 1

    def set_next_sender(self, seq_num: int) -> None:
        self._write(_SENDER, seq_num, b"")
        self._next_sender = seq_num

    def set_next_target(self, seq_num: int) -> None:
        self._write(_TARGET, seq_num, b"")
        self._next_target = seq_num

    def messages(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        for seq_num, start in self._places.between(first, min(last, self._next_sender - 1)):
            yield seq_num, self._message(seq_num, start)

    def reset(self) -> None:
        """Begin a new file in the place of the old one, in one step."""
        draft = self._path.with_name(self._path.name + ".draft")
        try:
            file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                _lock(file, draft)
                os.write(file, _MAGIC)
                if self._is_forced:
                    os.fsync(file)
                draft.replace(self._path)
            except BaseException:
                os.close(file)
                raise
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be begun anew: {error.strerror or error}") from error
        os.close(self._file)
        self._file = file
        self._places = _Places()
        self._next_sender = self._next_target = 1
        self._end = len(_MAGIC)

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, kind: int, seq_num: int, payload: bytes) -> None:
        head = _HEAD.pack(kind, seq_num, len(payload))
        record = b"%b%b%b" % (head, payload, _SUM.pack(zlib.crc32(payload, zlib.crc32(head))))
        try:
            written = os.pwrite(self._file, record, self._end)
            if written != len(record):
                raise OSError(28, "no space left on the device")
            if self._is_forced:
                os.fdatasync(self._file)
        except OSError as error:
            # What was begun lies behind the end that we know of: the next record, or opening, overwrites it.
            raise StoreError(f"{self._path}: a message cannot be kept: {error.strerror or error}") from error
        self._end += len(record)

    def _message(self, seq_num: int, start: int) -> bytes:
        head = os.pread(self._file, _HEAD.size, start)
        if len(head) == _HEAD.size:
            kind, number, size = _HEAD.unpack(head)
            if kind == _SENT and number == seq_num:
                message = os.pread(self._file, size + _SUM.size, start + _HEAD.size)
                if message[size:] == _SUM.pack(zlib.crc32(message[:size], zlib.crc32(head))):
                    return message[:size]
        raise StoreError(f"{self._path}: message {seq_num} cannot be read back; the file was changed")

    def _read(self) -> None:
        data = _read_all(self._file)
        if not data.startswith(_MAGIC):
            if not _MAGIC.startswith(data):
                raise StoreError(f"{self._path} is not a message store; name another file")
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, _MAGIC, 0)
            self._end = len(_MAGIC)
            return
        at = len(_MAGIC)
        while (end := self._read_record(data, at)) is not None:
            at = end
        os.ftruncate(self._file, at)
        self._end = at

    def _read_record(self, data: bytes, at: int) -> int | None:
        """Take one record; returns where it ends, or None for a torn one."""
        start = at + _HEAD.size
        if start > len(data):
            return None
        kind, seq_num, size = _HEAD.unpack_from(data, at)
        end: int = start + size + _SUM.size
        if end > len(data) or zlib.crc32(data[at : start + size]) != _SUM.unpack_from(data, start + size)[0]:
            return None
        if kind == _SENT:
            self._places.add(seq_num, at)
            self._next_sender = seq_num + 1
        elif kind == _SENDER:
            self._next_sender = seq_num
        elif kind == _TARGET:
            self._next_target = seq_num
        else:
            raise StoreError(f"{self._path}: a record of kind {kind} is from a newer version; update this program")
        return end


def _read_all(file: int) -> bytes:
    size = os.fstat(file).st_size
    parts = []
    at = 0
    while at < size:
        part = os.pread(file, min(size - at, 2**26), at)
        if not part:
            break
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _lock(file: int, path: Path) -> None:
    """Keep the file to ourselves, where the system knows such locks."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StoreError(f"{path} is in use by another session; end it, or give this one a store of its own") from error
