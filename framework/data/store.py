"""The market store: a folder with one memory-mapped file of columns for each instrument.

``store.json`` lists the instruments; each has one uncompressed Arrow IPC file with one record batch, so that a loaded
column is a view of the mapped file and no object is made per row. A store is written beside its place and renamed into
it: it is there in full or not at all. It is never changed afterwards.

Every load checks length and CRC-32 of the file against ``store.json``, the schema, and the shape of the rows
(``checks.check_shape``); what is slower was checked at import and is covered by the CRC-32.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from framework.data.checks import check_market, check_shape
from framework.data.columns import COLUMN_TYPES, Columns, Market
from framework.data.imports import ImportedMarket, Statistic
from framework.data.pages import note_mapped
from framework.errors import DataError
from framework.protocol import InstrumentSpec

__all__ = ["FORMAT_VERSION", "MANIFEST", "OWN_EVENTS", "Store", "StoreEntry", "StoreInfo", "write_store"]

FORMAT_VERSION = 1
MANIFEST = "store.json"
OWN_EVENTS = "own-events.jsonl"

_PART = 1 << 20  # bytes that the checksum takes at once


class StoreEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument of a store, as its manifest tells.

    file: name of the file in the store's folder; file_bytes, file_crc32: its length and CRC-32.
    first_ts_event_ns, last_ts_event_ns: time of the first and of the last row.
    source, statistics, notes: what the importer said, see ``ImportedMarket``.
    """

    spec: InstrumentSpec
    depth: str
    has_trades: bool
    rows: int
    first_ts_event_ns: int
    last_ts_event_ns: int
    file: str
    file_bytes: int
    file_crc32: int
    source: str
    statistics: Mapping[str, Statistic]
    notes: tuple[str, ...]


class StoreInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest of a store. own_events: how many events of one's own lie beside the markets."""

    format_version: int
    instruments: tuple[StoreEntry, ...]
    own_events: int = 0


class Store:
    """A store on disk, opened for reading."""

    def __init__(self, path: Path, info: StoreInfo) -> None:
        self._path = path
        self._info = info
        self._entries = {entry.spec.symbol: entry for entry in info.instruments}

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """Opens the store in the folder ``path`` and reads its manifest.

        Raises DataError if there is no store, if it was written by a newer version, or if a file is missing or has
        another length than the manifest states.
        """
        folder = Path(path)
        manifest = folder / MANIFEST
        try:
            raw = manifest.read_bytes()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DataError(
                f"{manifest}: {reason}; {folder} is not a store, make one with `tidegate data import`"
            ) from None
        try:
            version = msgspec.json.decode(raw, type=_Version).format_version
            if version != FORMAT_VERSION:
                raise DataError(
                    f"{manifest}: format version {version}, this program reads {FORMAT_VERSION}; import again"
                )
            info = msgspec.json.decode(raw, type=StoreInfo)
        except msgspec.MsgspecError as error:
            raise DataError(f"{manifest}: {error}; the manifest is damaged, import again") from None
        for entry in info.instruments:
            _check_length(folder / entry.file, entry.file_bytes)
        return cls(folder, info)

    @property
    def path(self) -> Path:
        """The store's folder."""
        return self._path

    @property
    def info(self) -> StoreInfo:
        """The manifest."""
        return self._info

    @property
    def symbols(self) -> tuple[str, ...]:
        """The instruments' symbols, in the order of the import."""
        return tuple(self._entries)

    def entry(self, symbol: str) -> StoreEntry:
        """The manifest's entry of ``symbol``; raises DataError for a symbol that is not in the store."""
        try:
            return self._entries[symbol]
        except KeyError:
            known = ", ".join(self._entries)
            raise DataError(f"{self._path}: no instrument {symbol!r}; the store has {known}") from None

    def own_events(self) -> Iterator[tuple[int, Any]]:
        """Events of one's own, in order: time in nanoseconds since the epoch, and the event as plain data.

        Raises DataError for a file that is not what was stored.
        """
        if not self._info.own_events:
            return
        file = self._path / OWN_EVENTS
        try:
            with file.open("rb") as lines:
                for line in lines:
                    ts_ns, event = msgspec.json.decode(line, type=tuple[int, Any])
                    yield ts_ns, event
        except OSError as error:
            raise DataError(f"{file}: {error.strerror}; {MANIFEST} names this file, import again") from None
        except msgspec.MsgspecError as error:
            raise DataError(f"{file}: {error}; the file is damaged, import again") from None

    def market(self, symbol: str) -> Market:
        """Loads one instrument; its columns are read-only views of the mapped file.

        Raises DataError for an unknown symbol and for a file that is truncated, changed or not of the store's schema.
        """
        entry = self.entry(symbol)
        file = self._path / entry.file
        _check_length(file, entry.file_bytes)
        columns = _read_columns(file)
        market = Market(spec=entry.spec, columns=columns, depth=entry.depth, has_trades=entry.has_trades)
        check_shape(market, str(file))
        if len(columns) != entry.rows:
            raise DataError(f"{file}: {len(columns)} rows, {MANIFEST} says {entry.rows}; import again")
        if _crc32(file) != entry.file_crc32:
            check_market(market, str(file))
            raise DataError(f"{file}: the contents differ from those that were imported (CRC-32); import again")
        return market


class _Version(msgspec.Struct):
    format_version: int


def write_store(
    path: str | Path,
    imports: Sequence[ImportedMarket],
    *,
    is_replacing: bool = False,
    own_events: Iterable[tuple[int, object]] = (),
) -> None:
    """Checks the imports and writes them as a store in the folder ``path``, in full or not at all.

    is_replacing: an existing store at ``path`` is replaced; anything else that exists there is never touched.
    own_events: times and events of one's own, which JSON can say, to lie beside the markets.
    Raises DataError naming source, row and remedy for a market that is not what it should be, for two markets of one
    symbol, for an existing ``path``, and if the disk is full or not writable.
    """
    target = Path(path)
    if not imports:
        raise DataError(f"{target}: nothing to store; the source holds no instrument")
    if target.exists() and not (is_replacing and (target / MANIFEST).is_file()):
        raise DataError(f"{target}: already exists; choose another folder or remove it first")
    names: dict[str, str] = {}
    for imported in imports:
        symbol = imported.market.spec.symbol
        if symbol in names:
            raise DataError(f"{imported.source}: {symbol} was read twice; import the two sources into two stores")
        names[symbol] = _file_name(symbol, imported.source)
        check_market(imported.market, f"{imported.source} ({symbol})")
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        entries = [_write_market(partial / names[imported.market.spec.symbol], imported) for imported in imports]
        count = _write_events(partial / OWN_EVENTS, own_events)
        manifest = StoreInfo(format_version=FORMAT_VERSION, instruments=tuple(entries), own_events=count)
        _write_synced(partial / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        _move_into_place(partial, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"{error.filename or partial}: {reason}; nothing was stored, free the disk and import again"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _move_into_place(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.rename(target)
        return
    former = target.with_name(f".{target.name}.former")
    shutil.rmtree(former, ignore_errors=True)
    target.rename(former)
    try:
        partial.rename(target)
    except OSError:
        former.rename(target)
        raise
    shutil.rmtree(former, ignore_errors=True)


def _file_name(symbol: str, source: str) -> str:
    name = symbol.replace("/", "-")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise DataError(f"{source}: symbol {symbol!r} cannot name a file; use letters, digits, '.', '-' and one '/'")
    return f"{name}.arrow"


def _write_market(file: Path, imported: ImportedMarket) -> StoreEntry:
    columns = imported.market.columns
    names = [name for name in COLUMN_TYPES if name != "order_id" or len(columns.order_id)]
    arrays = [pa.array(np.ascontiguousarray(getattr(columns, name))) for name in names]
    batch = pa.RecordBatch.from_arrays(arrays, names=names)
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    with file.open("rb+") as written:
        os.fsync(written.fileno())
    return StoreEntry(
        spec=imported.market.spec,
        depth=imported.market.depth,
        has_trades=imported.market.has_trades,
        rows=len(columns),
        first_ts_event_ns=int(columns.ts_event_ns[0]),
        last_ts_event_ns=int(columns.ts_event_ns[-1]),
        file=file.name,
        file_bytes=file.stat().st_size,
        file_crc32=_crc32(file),
        source=imported.source,
        statistics=imported.statistics,
        notes=imported.notes,
    )


def _write_events(file: Path, events: Iterable[tuple[int, object]]) -> int:
    """Write events, one a line; returns how many. There is no file where there are none."""
    remaining = iter(events)
    first = next(remaining, None)
    if first is None:
        return 0
    count = 0
    with file.open("wb") as sink:
        for event in itertools.chain([first], remaining):
            sink.write(msgspec.json.encode(event) + b"\n")
            count += 1
        sink.flush()
        os.fsync(sink.fileno())
    return count


def _write_synced(file: Path, content: bytes) -> None:
    with file.open("wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())


def _crc32(file: Path) -> int:
    # Read and not mapped: what is mapped counts as memory of this process as long as it is.
    crc, part = 0, bytearray(_PART)
    view = memoryview(part)
    with file.open("rb", buffering=0) as source:
        while size := source.readinto(part):
            crc = zlib.crc32(view[:size], crc)
    return crc


def _check_length(file: Path, expected_bytes: int) -> None:
    try:
        length = file.stat().st_size
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; {MANIFEST} names this file, import again") from None
    if length != expected_bytes:
        how = "truncated" if length < expected_bytes else "too long"
        raise DataError(f"{file}: {how}, {length} bytes where {MANIFEST} says {expected_bytes}; import again")


def _read_columns(file: Path) -> Columns:
    try:
        with pa.memory_map(str(file)) as source:
            reader = pa.ipc.open_file(source)
            batch = reader.get_batch(0) if reader.num_record_batches == 1 else None
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file}: not an Arrow file of a store ({str(error).splitlines()[0]}); import again") from None
    if batch is None:
        raise DataError(f"{file}: a store's file has one record batch, this one has another number; import again")
    arrays: dict[str, Any] = {"order_id": np.empty(0, dtype=np.int64)}
    for name, dtype in COLUMN_TYPES.items():
        index = batch.schema.get_field_index(name)
        if index < 0:
            if name == "order_id":
                continue
            raise DataError(f"{file}: column {name} is missing; import again")
        column = batch.column(index)
        if column.type != pa.from_numpy_dtype(np.dtype(dtype)) or column.null_count:
            found = f"{column.type}{' with nulls' if column.null_count else ''}"
            raise DataError(f"{file}: column {name} is {found}, not {np.dtype(dtype).name}; import again")
        arrays[name] = column.to_numpy(zero_copy_only=True)
        note_mapped(arrays[name])
    return Columns(**arrays)
