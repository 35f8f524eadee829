"""The file of a journal: what survives a crash, what is an error."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.errors import ConfigError, JournalError
from framework.messages import CancelAll
from framework.venue.served.journal import Commanded, Dropped, Journal, JournalHeader, Kept, Stirred
from tests.framework.venue.served.journal_rig import PATH, MemoryFile, begin, reopen

HEADER = JournalHeader(version="1.2", start_ns=7, market_digest=9, settings=b"a secret")
RECORDS = [Dropped(1, "line"), Stirred(2), Commanded(3, 4, "line", CancelAll(request_id=5)), Kept(6, "who", b"what")]


def written() -> tuple[bytes, list[int]]:
    """A journal of the records, each in a frame, and where each frame ends; the header's is first."""
    file = MemoryFile()
    journal = begin(file)
    ends = [len(file.data)]
    for record in RECORDS:
        journal.add(record)
        journal.commit()
        ends.append(len(file.data))
    return bytes(file.data), ends


def read(data: bytes) -> list[object]:
    return [record for _, record in reopen(data).records()]


def test_records_come_back_in_order_with_their_places() -> None:
    data, ends = written()
    assert list(reopen(data).records()) == list(zip(ends, RECORDS, strict=False))


def test_what_is_committed_together_is_one_write() -> None:
    file = MemoryFile()
    journal = begin(file)
    for record in RECORDS:
        journal.add(record)
    assert file.write_count == 1  # the header
    journal.commit()
    journal.commit()
    assert file.write_count == 2
    assert read(bytes(file.data)) == RECORDS


def test_a_torn_end_is_cut_off_and_told_of() -> None:
    data, ends = written()
    for size in range(ends[0], len(data)):
        file = MemoryFile(data[:size])
        journal = reopen(file)
        whole = sum(end <= size for end in ends[1:])
        assert [record for _, record in journal.records()] == RECORDS[:whole]
        assert journal.torn_bytes == size - ends[whole]
        assert len(file.data) == ends[whole]


def test_what_is_written_after_a_torn_end_follows_what_was_whole() -> None:
    data, _ = written()
    file = MemoryFile(data[:-3])
    journal = reopen(file)
    list(journal.records())
    journal.add(Stirred(10))
    journal.commit()
    assert read(bytes(file.data)) == [*RECORDS[:-1], Stirred(10)]


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damage_before_the_end_is_an_error_that_names_file_and_place(data: st.DataObject) -> None:
    good, ends = written()
    at = data.draw(st.integers(ends[0], len(good) - 1))
    flip = data.draw(st.integers(1, 255))
    bad = bytearray(good)
    bad[at] ^= flip
    frame = max(end for end in ends if end <= at)
    with pytest.raises(JournalError, match=rf"^{PATH}: the journal is damaged at byte {frame}, before its end"):
        read(bytes(bad))


def test_zeros_at_the_end_are_what_a_loss_of_power_leaves() -> None:
    data, ends = written()
    file = MemoryFile(data + bytes(5000))
    journal = reopen(file)
    assert [record for _, record in journal.records()] == RECORDS
    assert (journal.torn_bytes, len(file.data)) == (5000, ends[-1])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is not a journal of this version"),
        (b"something else altogether\n", "is not a journal of this version"),
        (b"tidegate-journal-1\n", "ends within its header"),
        (written()[0][:30], "ends within its header"),
    ],
)
def test_what_is_no_journal_is_an_error(data: bytes, problem: str) -> None:
    with pytest.raises(JournalError, match=problem):
        reopen(data)


def test_a_frame_of_another_version_is_an_error_that_says_so() -> None:
    from framework.frame_file import frame
    from framework.venue.served.journal import _ENCODE

    data, ends = written()
    with pytest.raises(JournalError, match=f"the frame at byte {ends[-1]} is of another version"):
        read(data + frame(_ENCODE([[99, 1, 2]])))


def test_a_write_that_does_not_fit_leaves_what_was_whole() -> None:
    data, ends = written()
    file = MemoryFile(data, room=len(data) + 5)
    journal = reopen(file)
    list(journal.records())
    journal.add(Stirred(10))
    with pytest.raises(JournalError, match=r"No space left on device.*make room and start it again with --resume"):
        journal.commit()
    assert len(file.data) == ends[-1]
    file.room = 2**40
    journal.add(Stirred(11))
    with pytest.raises(JournalError, match="the venue stops"):
        journal.commit()
    assert read(bytes(file.data)) == RECORDS


# ----------------------------------------------------------------------------------------------------------- on disk


def test_the_file_is_for_its_owner_only_and_a_header_tells_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "new" / "venue.journal"
    Journal.begin(path, HEADER).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Journal.reopen(path).header == HEADER
    assert "secret" not in repr(HEADER)


def test_a_journal_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "venue.journal"
    Journal.begin(path, HEADER).close()
    with pytest.raises(ConfigError, match="there is a journal already; go on with it by --resume"):
        Journal.begin(path, HEADER)


def test_a_journal_that_is_not_there_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a journal is begun without --resume"):
        Journal.reopen(tmp_path / "none")


def test_two_venues_do_not_write_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "venue.journal"
    journal = Journal.begin(path, HEADER)
    with pytest.raises(ConfigError, match="another venue is writing this journal"):
        Journal.reopen(path)
    journal.close()
    Journal.reopen(path).close()


def test_records_survive_on_disk_forced_or_not(tmp_path: Path) -> None:
    for is_forced in (False, True):
        path = tmp_path / f"{is_forced}"
        journal = Journal.begin(path, HEADER, is_forced=is_forced)
        for record in RECORDS:
            journal.add(record)
            journal.commit()
        size = path.stat().st_size
        journal.close()
        os.truncate(path, size - 1)
        again = Journal.reopen(path)
        assert [record for _, record in again.records()] == RECORDS[:-1]
        again.add(RECORDS[-1])
        again.close()
        assert [record for _, record in Journal.reopen(path).records()] == RECORDS
