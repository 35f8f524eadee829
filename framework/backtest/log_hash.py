"""The hash of an event log: equal for equal runs, in any process and on any machine."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

__all__ = ["event_log_sha256"]


def event_log_sha256(events: pa.Table) -> str:
    """SHA-256 over every value of an event log, column by column: the column's name, where it is null, its values.

    Whole numbers and booleans are taken as 64-bit little-endian integers, text as its length and its UTF-8 bytes.
    """
    digest = hashlib.sha256()
    for name in events.column_names:
        column = events.column(name).combine_chunks()
        is_valid = np.asarray(column.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
        digest.update(f"{name}:{len(column)}:".encode())
        digest.update(np.packbits(is_valid).tobytes())
        if pa.types.is_string(column.type):
            values = [value.encode() for value in column.drop_null().to_pylist()]
            digest.update(np.fromiter(map(len, values), dtype="<i8", count=len(values)).tobytes())
            digest.update(b"".join(values))
        else:
            digest.update(column.drop_null().cast(pa.int64()).to_numpy().astype("<i8").tobytes())
    return digest.hexdigest()
