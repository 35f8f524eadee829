"""The journal of a served venue: all that was done to it from outside, in order, with the venue's time.

A venue is a function of its market, its seed and what is done to it, so a venue that is made alike and has the same
done to it at the same times is the same venue: its orders, fills, ledgers and ids too.

The file is a line that names the format, then frames. A frame is written by one call, whole or (where the process was
killed within the call) torn; a torn one is at the end of the file and is cut off when the journal is opened again. Each
frame has its length, a checksum of the length and a checksum of its content, so that damage before the end is found
and is an error. The first frame is the header, all others are lists of records.

The header may hold secrets: the file is for its owner only, and no text of this module repeats what is in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from framework.errors import ConfigError, JournalError
from framework.frame_file import FrameReader, JournalFile, force_name, frame, lock, owner_only, write_whole
from framework.messages import (
    AddBatch,
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelBatch,
    CancelOrder,
    EditOrder,
    Logon,
    Logout,
    MassCancel,
    QueryOrders,
)
from framework.protocol import VenueMode

__all__ = [
    "AnyCommand",
    "AnyRecord",
    "Charged",
    "Commanded",
    "Dropped",
    "Journal",
    "JournalFile",
    "JournalHeader",
    "Kept",
    "ModeSet",
    "Moved",
    "Opened",
    "Passed",
    "Record",
    "RolledOver",
    "Stirred",
    "Subscribed",
]

type AnyCommand = (
    AddOrder
    | AddBatch
    | AmendOrder
    | EditOrder
    | CancelOrder
    | CancelBatch
    | CancelAll
    | MassCancel
    | CancelAllAfter
    | QueryOrders
    | Logon
    | Logout
)


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something that was done to the venue, or happened in it. ts_ns: the venue's time."""

    ts_ns: int


class Opened(Record, frozen=True, array_like=True, tag=1):
    """A line was opened."""

    line_id: str
    account: str
    label: str
    comp_id: str | None
    is_news_subscribed: bool


class Dropped(Record, frozen=True, array_like=True, tag=2):
    """A line was dropped."""

    line_id: str


class Subscribed(Record, frozen=True, array_like=True, tag=3):
    """A line asked for the news of its account."""

    line_id: str


class Commanded(Record, frozen=True, array_like=True, tag=4):
    """A command arrived at the engine. check: what the venue had done so far, see ``JournaledHost``."""

    check: int
    line_id: str
    command: AnyCommand


class Charged(Record, frozen=True, array_like=True, tag=5):
    """A call was charged to a line's call counter, or refused by it."""

    line_id: str
    call: str


class Moved(Record, frozen=True, array_like=True, tag=6):
    """Money came or went. amount: a decimal. request_count: request ids given out so far."""

    account: str
    asset: str
    amount: str
    kind: str
    ref_id: str
    request_count: int


class ModeSet(Record, frozen=True, array_like=True, tag=7):
    """The engine's mode was set."""

    mode: VenueMode
    symbol: str | None


class Passed(Record, frozen=True, array_like=True, tag=8):
    """The venue got as far as this time. check: as of ``Commanded``. request_count: request ids given out so far.
    wall_ns: the machine's time then.
    """

    check: int
    request_count: int
    wall_ns: int


class Stirred(Record, frozen=True, array_like=True, tag=9):
    """The venue got as far as this time, and is about to do something of its own accord: a fill, a timer."""


class Kept(Record, frozen=True, array_like=True, tag=10):
    """What somebody other than the engine must not forget. owner: who it is given back to."""

    owner: str
    data: bytes


class RolledOver(Record, frozen=True, array_like=True, tag=11):
    """A protocol's daily rollover was asked for, beside the one that is due."""

    label: str


type AnyRecord = (
    Opened | Dropped | Subscribed | Commanded | Charged | Moved | ModeSet | Passed | Stirred | Kept | RolledOver
)


class JournalHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue was made of.

    version: of this program. start_ns: the venue's time when it began. market_digest: of its markets, see
    ``market_digest``. settings: what else it was made with, for whoever makes it again; may hold secrets.
    """

    version: str
    start_ns: int
    market_digest: int
    settings: bytes

    def __repr__(self) -> str:
        return f"JournalHeader(version={self.version!r}, start_ns={self.start_ns})"


_MAGIC = b"tidegate-journal-1\n"
_HEADER_DECODER = msgspec.msgpack.Decoder(JournalHeader)
_DECODER: msgspec.msgpack.Decoder[list[AnyRecord]] = msgspec.msgpack.Decoder(list[AnyRecord])
_ENCODE = msgspec.msgpack.Encoder().encode


class Journal:
    """One journal, open for writing; nobody else has it.

    header: see ``JournalHeader``. torn_bytes: how much of a torn frame ``records`` cut off.
    """

    def __init__(self, file: JournalFile, path: Path, header: JournalHeader, end: int, *, is_forced: bool) -> None:
        """Take a file that has been begun; ``begin`` and ``reopen`` make one. end: where the header's frame ends."""
        self.header = header
        self.path = path
        self.torn_bytes = 0
        self._file = file
        self._end = end
        self._is_forced = is_forced
        self._pending: list[Record] = []
        self._failure: JournalError | None = None

    @classmethod
    def begin(cls, path: Path, header: JournalHeader, *, is_forced: bool = False) -> Journal:
        """A new journal. is_forced: each frame is forced to the disk, so that it survives a loss of power too.

        Raises ConfigError for a path that is taken, and JournalError where it cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{path.parent}: {error.strerror}; name another place for the journal") from None
        try:
            file = open(path, "x+b", buffering=0, opener=owner_only)  # noqa: SIM115 - it stays open
        except FileExistsError:
            raise ConfigError(
                f"{path}: there is a journal already; go on with it by --resume, or name another"
            ) from None
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; name another place for the journal") from None
        lock(file.fileno(), path, "another venue")
        journal = cls.begin_in(file, path, header, is_forced=is_forced)
        if is_forced:
            force_name(path)
        return journal

    @classmethod
    def begin_in(cls, file: JournalFile, path: Path, header: JournalHeader, *, is_forced: bool = False) -> Journal:
        """A new journal in an empty file; raises JournalError where it cannot be written."""
        journal = cls(file, path, header, 0, is_forced=is_forced)
        journal._write(_MAGIC + frame(_ENCODE(header)))
        return journal

    @classmethod
    def reopen(cls, path: Path, *, is_forced: bool = False) -> Journal:
        """A journal that is there. ``records`` is to be read to its end before anything is added.

        Raises ConfigError where there is none or it is in use, and JournalError for one that cannot be read.
        """
        try:
            file = path.open("r+b", buffering=0)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; a journal is begun without --resume") from None
        lock(file.fileno(), path, "another venue")
        return cls.read(file, path, is_forced=is_forced)

    @classmethod
    def read(cls, file: JournalFile, path: Path, *, is_forced: bool = False) -> Journal:
        """The journal of an open file; raises JournalError for one that is none."""
        reader = FrameReader(file, path)
        if reader.take(len(_MAGIC)) != _MAGIC:
            raise JournalError(f"{path} is not a journal of this version; name another file, or begin a new one")
        payload = reader.frame()
        if payload is None:
            raise JournalError(f"{path} ends within its header: the venue never opened; remove the file and begin anew")
        try:
            header = _HEADER_DECODER.decode(payload)
        except msgspec.MsgspecError:
            raise JournalError(f"{path}: its header is not one of this version; begin a new journal") from None
        return cls(file, path, header, reader.at, is_forced=is_forced)

    def records(self) -> Iterator[tuple[int, AnyRecord]]:
        """All records in order, each with the place of its frame in the file; then what is torn is cut off.

        Raises JournalError for what cannot be read.
        """
        reader = FrameReader(self._file, self.path, self._end)
        while True:
            at = reader.at
            payload = reader.frame()
            if payload is None:
                break
            try:
                records = _DECODER.decode(payload)
            except msgspec.MsgspecError as error:
                raise JournalError(
                    f"{self.path}: the frame at byte {at} is of another version of this program ({error}); "
                    "go on with the version that wrote it, or begin a new journal"
                ) from None
            for record in records:
                yield at, record
        self._end = reader.at
        self.torn_bytes = reader.rest()
        self._file.truncate(self._end)
        self._file.seek(self._end)

    # ------------------------------------------------------------------------------------------------- writing

    def add(self, record: Record) -> None:
        """Have a record written with the next ``commit``."""
        self._pending.append(record)

    def commit(self) -> None:
        """Write what was added, in one frame: after a crash all of it is there, or nothing.

        Raises JournalError where it cannot be written, and from then on always: nothing may be acknowledged any more.
        """
        if self._pending:
            records, self._pending = self._pending, []
            self.check()
            self._write(frame(_ENCODE(records)))

    @property
    def has_failed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._failure is not None

    def check(self) -> None:
        """Raise the JournalError that ended the journal, if one did."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Write what was added, where that can be, and let go of the file."""
        try:
            if not self.has_failed:
                self.commit()
        finally:
            self._file.close()

    def _write(self, data: bytes) -> None:
        try:
            write_whole(self._file, data)
            if self._is_forced:
                os.fsync(self._file.fileno())
        except OSError as error:
            self._failure = JournalError(
                f"{self.path}: the journal cannot be written ({error.strerror}), so the venue stops; what it has "
                "acknowledged is in it: make room and start it again with --resume"
            )
            self._cut_back()
            raise self._failure from None
        self._end += len(data)

    def _cut_back(self) -> None:
        """Take away what was begun of a frame; what stays of it is found torn when the journal is opened again."""
        try:
            self._file.truncate(self._end)
        except OSError:
            return
