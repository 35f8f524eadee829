"""Files of frames: whatever a crash leaves of one is a prefix of what was appended."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.data.append_file import AppendFile, AppendReader
from framework.errors import ConfigError, DataError, OutputError

MAGIC = b"testing-1\n"


def written(path: Path, *payloads: bytes) -> Path:
    frames = AppendFile.begin(path, MAGIC, b"header")
    for payload in payloads:
        frames.append(payload)
    frames.close()
    return path


def reopened(path: Path) -> tuple[AppendFile, list[bytes]]:
    payloads: list[bytes] = []
    return AppendFile.reopen(path, MAGIC, payloads.append), payloads


def test_what_was_appended_is_read_back_with_the_header(tmp_path: Path) -> None:
    frames, payloads = reopened(written(tmp_path / "f", b"one", b"", b"three" * 1000))
    assert (frames.header, payloads, frames.torn_bytes) == (b"header", [b"one", b"", b"three" * 1000], 0)
    frames.close()


def test_a_file_goes_on_after_it_was_opened_again(tmp_path: Path) -> None:
    path = written(tmp_path / "f", b"one")
    frames, _ = reopened(path)
    frames.append(b"two")
    frames.close()
    frames, payloads = reopened(path)
    assert payloads == [b"one", b"two"]
    frames.close()


@given(payloads=st.lists(st.binary(max_size=40), max_size=5), cut=st.integers(0, 10_000))
def test_a_file_that_was_cut_anywhere_is_a_prefix_and_goes_on(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], cut: int
) -> None:
    path = written(tmp_path_factory.mktemp("f") / "f", *payloads)
    whole = path.read_bytes()
    start = len(MAGIC) + 12 + len(b"header")
    kept = whole[: start + cut % (len(whole) - start + 1)]
    path.write_bytes(kept)
    frames, found = reopened(path)
    assert found == payloads[: len(found)]
    assert frames.size + frames.torn_bytes == len(kept)
    assert path.stat().st_size == frames.size
    frames.append(b"more")
    frames.close()
    frames, again = reopened(path)
    assert again == [*found, b"more"]
    frames.close()


@pytest.mark.parametrize("size", [0, 4, len(MAGIC), len(MAGIC) + 12])
def test_a_file_that_ends_within_its_header_is_an_error(tmp_path: Path, size: int) -> None:
    path = written(tmp_path / "f")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match="ends within its header"):
        reopened(path)


def test_a_file_of_another_kind_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"something else altogether")
    with pytest.raises(DataError, match="not a file of this kind"):
        reopened(tmp_path / "f")


@pytest.mark.parametrize("from_end", [-1, -20])
def test_damage_before_the_end_is_an_error_that_names_the_place(tmp_path: Path, from_end: int) -> None:
    path = written(tmp_path / "f", b"x" * 10, b"last")
    data = bytearray(path.read_bytes())
    data[len(data) - len(b"last") - 12 + from_end] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=rf"the file is damaged at byte {len(MAGIC) + 18}, before its end"):
        reopened(path)


def test_zeros_at_the_end_are_cut_off(tmp_path: Path) -> None:
    path = written(tmp_path / "f", b"one")
    with path.open("ab") as file:
        file.write(bytes(5000))
    frames, payloads = reopened(path)
    assert (payloads, frames.torn_bytes) == ([b"one"], 5000)
    frames.close()


def test_nobody_else_may_write_it(tmp_path: Path) -> None:
    frames = AppendFile.begin(tmp_path / "f", MAGIC, b"")
    with pytest.raises(ConfigError, match="another process is writing this file"):
        reopened(tmp_path / "f")
    frames.close()


def test_a_path_that_is_taken_is_an_error(tmp_path: Path) -> None:
    written(tmp_path / "f")
    with pytest.raises(ConfigError, match="name another place"):
        AppendFile.begin(tmp_path / "f", MAGIC, b"")


class FullDisk:
    """A file in memory on a disk with so much room; it writes what fits, as a system does."""

    def __init__(self, room: int) -> None:
        self.data = b""
        self.room = room

    def write(self, data: bytes, /) -> int:
        fits = data[: self.room - len(self.data)]
        if not fits:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.data += fits
        return len(fits)

    def read(self, size: int, /) -> bytes:
        raise AssertionError

    def seek(self, offset: int, /) -> int:
        assert offset == len(self.data)
        return offset

    def truncate(self, size: int, /) -> int:
        self.data = self.data[:size]
        return size

    def fileno(self) -> int:
        raise AssertionError

    def close(self) -> None:
        return


def test_a_full_disk_is_an_error_and_leaves_what_was_written(tmp_path: Path) -> None:
    disk = FullDisk(100)
    frames = AppendFile.begin_in(disk, Path("f"), MAGIC, b"header")
    frames.append(b"fits")
    before = disk.data
    with pytest.raises(OutputError, match="No space left on device; what was written before is in it"):
        frames.append(b"x" * 100)
    assert disk.data == before
    disk.room = 1000
    frames.append(b"x" * 100)
    (tmp_path / "f").write_bytes(disk.data)
    with (tmp_path / "f").open("rb", buffering=0) as file:
        assert list(AppendReader(file, tmp_path / "f", MAGIC)) == [b"fits", b"x" * 100]
