"""Tables that are kept packed come back as they were."""

from __future__ import annotations

import errno
import tempfile
from typing import Any

import pyarrow as pa
import pytest

from framework.backtest.packed_tables import PackedTables

SCHEMA = pa.schema([("name", pa.string()), ("count", pa.int64())])
TABLES = [pa.table({"name": ["a", None], "count": [number, None]}, schema=SCHEMA) for number in range(3)]


@pytest.mark.parametrize("is_on_disk", [False, True])
def test_tables_come_back_in_order_and_as_they_were(is_on_disk: bool) -> None:
    packed = PackedTables(SCHEMA, is_on_disk=is_on_disk)
    for table in TABLES:
        packed.add(table)
        assert packed[0] == TABLES[0]
    assert packed.tables() == TABLES
    assert packed[1] == TABLES[1]
    assert len(packed) == 3


def test_those_on_disk_are_not_in_memory() -> None:
    packed = PackedTables(SCHEMA, is_on_disk=True)
    packed.add(TABLES[0])
    assert not any(isinstance(part, bytes) for part in packed._parts)


class FullFile:
    """There is room for so many writes; the next one is cut, those after it fail."""

    def __init__(self, file: Any, room: int) -> None:
        self._file = file
        self._room = room

    def write(self, data: bytes) -> int:
        self._room -= 1
        if self._room < -1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(self._file.write(data[:10] if self._room == -1 else data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("room", [0, 1, 2])
def test_what_finds_no_room_on_the_disk_stays_in_memory(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    make = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda buffering: FullFile(make(buffering=buffering), room))
    packed = PackedTables(SCHEMA, is_on_disk=True)
    for table in TABLES:
        packed.add(table)
    assert packed.tables() == TABLES


def test_without_a_folder_for_temporary_files_they_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(buffering: int) -> Any:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", none)
    packed = PackedTables(SCHEMA, is_on_disk=True)
    packed.add(TABLES[0])
    assert packed.tables() == TABLES[:1]
