"""Tables that a run writes down and does not look at before its end, kept small."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["PackedTables"]

_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


class PackedTables:
    """Tables of one schema, compressed in memory, in the order in which they came."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._parts: list[bytes] = []

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, table: pa.Table) -> None:
        """Keep one more."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema, options=_OPTIONS) as writer:
            writer.write_table(table)
        self._parts.append(sink.getvalue().to_pybytes())

    def __getitem__(self, number: int) -> pa.Table:
        with pa.ipc.open_stream(self._parts[number]) as reader:
            return reader.read_all()

    def tables(self) -> list[pa.Table]:
        """All of them."""
        return [self[number] for number in range(len(self))]
