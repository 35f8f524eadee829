"""Tables that a run writes down and does not look at before its end, kept small."""

from __future__ import annotations

import io
import tempfile
from typing import BinaryIO

import pyarrow as pa

__all__ = ["PackedTables"]

_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


class PackedTables:
    """Tables of one schema, compressed, in the order in which they came.

    is_on_disk: they lie in a file without a name in the folder for temporary files (``TMPDIR``), which is gone with the
    process, so that memory does not grow with a run of weeks; those that find no room there stay in memory.
    """

    def __init__(self, schema: pa.Schema, *, is_on_disk: bool = False) -> None:
        self.schema = schema
        self._is_on_disk = is_on_disk
        self._file: BinaryIO | None = None
        # Where each lies: its bytes, or the place of its first and how many.
        self._parts: list[bytes | tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, table: pa.Table) -> None:
        """Keep one more."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema, options=_OPTIONS) as writer:
            writer.write_table(table)
        data = sink.getvalue().to_pybytes()
        self._parts.append(self._written(data) if self._is_on_disk else data)

    def __getitem__(self, number: int) -> pa.Table:
        part = self._parts[number]
        if isinstance(part, tuple):
            assert self._file is not None
            self._file.seek(part[0])
            part = self._file.read(part[1])
        with pa.ipc.open_stream(part) as reader:
            return reader.read_all()

    def tables(self) -> list[pa.Table]:
        """All of them."""
        return [self[number] for number in range(len(self))]

    def _written(self, data: bytes) -> bytes | tuple[int, int]:
        """Where a table lies now: in the file, or in memory where that cannot be written."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
            at = self._file.seek(0, io.SEEK_END)
            written = self._file.write(data)
        except OSError:
            return data
        # Of a part that was cut, for want of room, the next begins behind it.
        return (at, len(data)) if written == len(data) else data
