"""Tables that are kept packed come back as they were."""

from __future__ import annotations

import pyarrow as pa

from framework.backtest.packed_tables import PackedTables

SCHEMA = pa.schema([("name", pa.string()), ("count", pa.int64())])


def test_tables_come_back_in_order_and_as_they_were() -> None:
    packed = PackedTables(SCHEMA)
    tables = [pa.table({"name": ["a", None], "count": [number, None]}, schema=SCHEMA) for number in range(3)]
    for table in tables:
        packed.add(table)
    assert packed.tables() == tables
    assert packed[1] == tables[1]
    assert len(packed) == 3
