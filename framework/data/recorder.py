"""Writes down markets as they are heard: rows, gaps and own events, in the order in which they came.

A recording is a folder of parts, files of frames that are only ever appended to (``append_file``). What is on the disk
after a crash is a prefix of what was added: a frame that was half written is cut off when the recording goes on, and
that is told. A part ends when it is large or old enough; each says by itself what its rows are of. ``recording`` reads
them, and makes a market store of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from framework.data.append_file import AppendFile, HeadlessFileError
from framework.data.columns import COLUMN_TYPES, Columns
from framework.data.live_rows import MarketRow
from framework.errors import ConfigError, DataError, OutputError
from framework.protocol import InstrumentSpec

__all__ = [
    "PART_MAGIC",
    "ROW_DTYPE",
    "EventEntry",
    "GapEntry",
    "PartHeader",
    "RecordedInstrument",
    "Recorder",
    "RowsEntry",
    "decode_entries",
    "decode_header",
    "part_paths",
]

PART_MAGIC = b"tidegate-recording-1\n"
# trade_id: the venue's number of a trade, 0 where there is none.
ROW_DTYPE = np.dtype([*COLUMN_TYPES.items(), ("trade_id", np.int64)])
_NS = 10**9
_PATTERN = "part-*.rec"


class RecordedInstrument(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded of one pair. depth: of its book, "L1", "L2" or "L3", or "trades" where no book is heard."""

    spec: InstrumentSpec
    depth: str


class PartHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a part is of. began_ns: the recorder's time then. instruments: entries name them by their place here."""

    began_ns: int
    instruments: tuple[RecordedInstrument, ...]


class RowsEntry(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Rows of one instrument, in the layout of ``ROW_DTYPE``."""

    instrument: int
    data: bytes


class GapEntry(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Something was not heard. from_ns: since when, by the recorder's clock. is_book_lost: what the book holds is not
    known from here on, until a snapshot follows.
    """

    instrument: int
    from_ns: int
    reason: str
    is_book_lost: bool


class EventEntry(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """An event of one's own, such as a fill. data: JSON."""

    ts_ns: int
    data: bytes


type _Entry = RowsEntry | GapEntry | EventEntry

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE_HEADER = msgspec.msgpack.Decoder(PartHeader).decode
_DECODE_ENTRIES: msgspec.msgpack.Decoder[list[_Entry]] = msgspec.msgpack.Decoder(
    list[RowsEntry | GapEntry | EventEntry]
)


def decode_header(payload: bytes, path: Path) -> PartHeader:
    """The header of a part; raises DataError for one of another version."""
    try:
        return _DECODE_HEADER(payload)
    except msgspec.MsgspecError:
        raise DataError(f"{path} is of another version of this program; read it with the one that wrote it") from None


def decode_entries(payload: bytes, path: Path) -> list[_Entry]:
    """The entries of a frame; raises DataError for one of another version."""
    try:
        return _DECODE_ENTRIES.decode(payload)
    except msgspec.MsgspecError:
        raise DataError(f"{path} is of another version of this program; read it with the one that wrote it") from None


def part_paths(folder: Path) -> list[Path]:
    """The parts of a recording in their order."""
    return sorted(folder.glob(_PATTERN))


class Recorder:
    """Writes one recording; nobody else writes it.

    torn_bytes: how much of a half-written frame was cut off when a recording was gone on with. stopped_ns: up to when
    that recording goes, by its own clock; None for a new one. row_count: rows that are
    on the disk, of this recorder. pending_bytes: what waits to be written.
    """

    def __init__(
        self,
        folder: Path,
        instruments: Sequence[RecordedInstrument],
        now_ns: int,
        *,
        part_bytes_max: int = 1 << 28,
        part_s_max: int = 3600,
        is_forced: bool = False,
    ) -> None:
        """Begin a recording, or go on with the one of a folder, whose end until now is a gap then.

        part_bytes_max, part_s_max: when a part is ended. is_forced: each flush is forced to the disk, so that it
        survives a loss of power too. Raises ConfigError for a folder that holds other things, is being recorded into,
        or has another grid or depth of the same pair; DataError for a part that cannot be read; OutputError.
        """
        self.torn_bytes = 0
        self.row_count = 0
        self.pending_bytes = 0
        self._folder = folder
        self._instruments = tuple(instruments)
        self._places = {each.spec.symbol: place for place, each in enumerate(instruments)}
        self._part_bytes_max = part_bytes_max
        self._part_ns_max = part_s_max * _NS
        self._is_forced = is_forced
        self._pending: list[_Entry] = []
        self._pending_rows = 0
        self._part: AppendFile | None = None
        self._part_began_ns = now_ns
        self._part_head_size = 0
        parts = part_paths(folder)
        self._next_number = int(parts[-1].stem.rpartition("-")[2]) + 1 if parts else 1
        if not parts:
            self._check_place()
        self.stopped_ns = last_ns = self._go_on(parts)
        self._open_part(now_ns)
        if last_ns is not None:
            for symbol in self._places:
                self.add_gap(symbol, last_ns, "nothing was recorded")

    def add_rows(self, symbol: str, rows: Sequence[MarketRow] | Columns) -> None:
        """Have rows of one pair written with the next flush; the last one of a message is flagged LAST."""
        packed = _packed(rows)
        self._add(RowsEntry(self._places[symbol], packed.tobytes()), packed.nbytes)
        self._pending_rows += len(packed)

    def add_gap(self, symbol: str, from_ns: int, reason: str, *, is_book_lost: bool = True) -> None:
        """Have it written that something was not heard, since a time of the recorder's clock."""
        self._add(GapEntry(self._places[symbol], from_ns, reason, is_book_lost), len(reason))

    def add_event(self, ts_ns: int, event: object) -> None:
        """Have an event of one's own written: anything that JSON can say."""
        data = msgspec.json.encode(event)
        self._add(EventEntry(ts_ns, data), len(data))

    def flush(self, now_ns: int) -> None:
        """Write what was added, in one frame: after a crash all of it is there, or nothing.

        Raises OutputError where it cannot be written: it waits then, and the next flush tries again.
        """
        if not self._pending:
            return
        try:
            if self._part is None or self._is_part_over(now_ns):
                self._close_part()
                self._open_part(now_ns)
            assert self._part is not None
            self._part.append(_ENCODE(self._pending))
        except OutputError as error:
            error.add_note(f"{self._pending_rows:,} rows wait in memory")
            raise
        self.row_count += self._pending_rows
        self._pending, self._pending_rows, self.pending_bytes = [], 0, 0
        if self._is_forced:
            self._part.force()

    def close(self, now_ns: int) -> None:
        """Write what was added, where that can be, and let go of the files."""
        try:
            self.flush(now_ns)
        finally:
            self._close_part()

    # ------------------------------------------------------------------------------------------------- parts

    def _add(self, entry: _Entry, size: int) -> None:
        self._pending.append(entry)
        self.pending_bytes += size

    def _check_place(self) -> None:
        if self._folder.exists() and (not self._folder.is_dir() or any(self._folder.iterdir())):
            raise ConfigError(f"{self._folder}: holds other things than a recording; name another folder")

    def _go_on(self, parts: list[Path]) -> int | None:
        """Cut off what is torn of the last part; returns the time up to which the recording goes, if it has begun."""
        while parts:
            path = parts.pop()
            last_ns = 0

            def take(payload: bytes, path: Path = path) -> None:
                nonlocal last_ns
                for entry in decode_entries(payload, path):
                    if isinstance(entry, RowsEntry):
                        last_ns = int(np.frombuffer(entry.data, ROW_DTYPE)["ts_recv_ns"][-1])

            try:
                part = AppendFile.reopen(path, PART_MAGIC, take)
            except HeadlessFileError:
                path.unlink()  # a crash came before anything was in it
                continue
            part.close()
            header = decode_header(part.header, path)
            self._check(header, path)
            self.torn_bytes = part.torn_bytes
            return last_ns or header.began_ns
        return None

    def _check(self, header: PartHeader, path: Path) -> None:
        for before in header.instruments:
            place = self._places.get(before.spec.symbol)
            if place is not None and self._instruments[place] != before:
                raise ConfigError(
                    f"{path}: {before.spec.symbol} was recorded with another depth, or rules that the venue has "
                    "changed since; record into another folder"
                )

    def _is_part_over(self, now_ns: int) -> bool:
        assert self._part is not None
        return self._part.size >= self._part_bytes_max or now_ns - self._part_began_ns >= self._part_ns_max

    def _open_part(self, now_ns: int) -> None:
        path = self._folder / f"part-{self._next_number:05d}.rec"
        header = PartHeader(began_ns=now_ns, instruments=self._instruments)
        self._part = AppendFile.begin(path, PART_MAGIC, _ENCODE(header))
        self._part_began_ns = now_ns
        self._part_head_size = self._part.size
        self._next_number += 1

    def _close_part(self) -> None:
        part, self._part = self._part, None
        if part is not None:
            part.close()
            if part.size == self._part_head_size:
                part.path.unlink(missing_ok=True)  # nothing was put into it


def _packed(rows: Sequence[MarketRow] | Columns) -> npt.NDArray[np.void]:
    if not isinstance(rows, Columns):
        return np.array(
            [
                (
                    r.ts_event_ns,
                    r.ts_recv_ns,
                    r.kind,
                    r.side,
                    r.price_ticks,
                    r.qty_lots,
                    r.order_id,
                    r.flags,
                    r.trade_id,
                )
                for r in rows
            ],
            dtype=ROW_DTYPE,
        )
    packed = np.zeros(len(rows), dtype=ROW_DTYPE)
    for name in COLUMN_TYPES:
        column = getattr(rows, name)
        if len(column):
            packed[name] = column
    return packed
