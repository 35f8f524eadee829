"""The hash of an event log sees every value, every null, and where one text ends and the next begins."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from framework.backtest.log_hash import event_log_sha256


def _log(**columns: list[Any]) -> pa.Table:
    return pa.table({name: pa.array(values) for name, values in columns.items()})


BASE = {"row": [1, 2, 3], "text": ["ab", None, "c"], "flag": [True, False, None]}


def test_equal_logs_have_equal_hashes_however_their_chunks_lie() -> None:
    whole = _log(**BASE)
    parts = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    assert event_log_sha256(parts) == event_log_sha256(whole)


@pytest.mark.parametrize(
    "change",
    [
        {"row": [1, 2, 4]},
        {"row": [1, None, 3]},
        {"text": ["a", None, "bc"]},
        {"text": ["ab", "", "c"]},
        {"text": ["ab", "c", None]},
        {"flag": [True, True, None]},
        {"flag": [True, None, False]},
    ],
)
def test_a_changed_value_changes_the_hash(change: dict[str, list[Any]]) -> None:
    assert event_log_sha256(_log(**(BASE | change))) != event_log_sha256(_log(**BASE))


def test_a_column_of_another_name_changes_the_hash() -> None:
    assert event_log_sha256(_log(a=[1])) != event_log_sha256(_log(b=[1]))


def test_a_log_without_rows_has_a_hash() -> None:
    empty = pa.table({"row": pa.array([], pa.int64()), "text": pa.array([], pa.string())})
    assert len(event_log_sha256(empty)) == 64


def test_the_hash_of_a_small_log_is_what_it_was() -> None:
    # Worked out by hand: b"row:2:" + bits 11000000 + 1 and 2 as 64-bit little-endian integers.
    import hashlib

    raw = b"row:2:" + bytes([0b11000000]) + (1).to_bytes(8, "little") + (2).to_bytes(8, "little")
    assert event_log_sha256(_log(row=[1, 2])) == hashlib.sha256(raw).hexdigest()
