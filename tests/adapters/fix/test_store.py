"""Message stores: what was sent and the two numbers, in memory and in a file, across crashes and full disks."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.fix.errors import StoreError
from adapters.fix.store import Durability, FileStore, MemoryStore, MessageStore

CHECKOUT = Path(__file__).resolve().parents[3]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.binary(max_size=40)),
        st.tuples(st.just("sender"), st.integers(1, 50)),
        st.tuples(st.just("target"), st.integers(1, 50)),
        st.tuples(st.just("reset"), st.just(b"")),
    ),
    max_size=40,
)


def apply(store: MessageStore, steps: list[tuple[str, bytes | int]]) -> None:
    for kind, value in steps:
        if isinstance(value, bytes) and kind == "append":
            store.append(store.next_sender, value)
        elif kind == "sender" and isinstance(value, int):
            store.set_next_sender(max(value, store.next_sender))
        elif kind == "target" and isinstance(value, int):
            store.set_next_target(value)
        elif kind == "reset":
            store.reset()


def content(store: MessageStore) -> tuple[int, int, list[tuple[int, bytes]]]:
    return store.next_sender, store.next_target, list(store.messages(1, 10_000))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session.store"


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_a_file_keeps_what_memory_keeps_also_when_it_is_opened_again(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bytes | int]]
) -> None:
    path = tmp_path_factory.mktemp("store") / "store"
    memory = MemoryStore()
    apply(memory, steps)
    file = FileStore(path)
    apply(file, steps)
    assert content(file) == content(memory)
    file.close()
    again = FileStore(path)
    assert content(again) == content(memory)
    again.close()


@pytest.mark.parametrize("make", [lambda path: MemoryStore(), FileStore], ids=["memory", "file"])
def test_messages_are_found_by_number_and_numbers_without_one_are_left_out(
    make: Callable[[Path], MessageStore], path: Path
) -> None:
    store = make(path)
    store.append(1, b"one")
    store.set_next_sender(5)
    store.append(5, b"five")
    assert list(store.messages(2, 9)) == [(5, b"five")]
    assert list(store.messages(1, 1)) == [(1, b"one")]
    assert list(store.messages(3, 2)) == []


def test_a_memory_with_a_limit_keeps_the_newest_messages_and_all_numbers() -> None:
    store = MemoryStore(messages_max=2)
    for number in (1, 2, 3):
        store.append(number, b"%d" % number)
    assert content(store) == (4, 1, [(2, b"2"), (3, b"3")])
    none = MemoryStore(messages_max=0)
    none.append(1, b"one")
    assert content(none) == (2, 1, [])


def test_a_record_that_was_torn_anywhere_is_cut_off_and_nothing_else(path: Path, tmp_path: Path) -> None:
    store = FileStore(path)
    store.append(1, b"first")
    store.set_next_target(7)
    whole = path.stat().st_size
    store.append(2, b"second")
    store.close()
    data = path.read_bytes()
    for size in range(whole, len(data)):
        torn = tmp_path / f"torn{size}"
        torn.write_bytes(data[:size])
        again = FileStore(torn)
        assert content(again) == (2, 7, [(1, b"first")])
        again.append(2, b"anew")
        again.close()
        last = FileStore(torn)
        assert content(last) == (3, 7, [(1, b"first"), (2, b"anew")])
        last.close()


def test_a_flipped_bit_ends_what_is_read(path: Path) -> None:
    store = FileStore(path)
    for number in range(1, 4):
        store.append(number, b"message %d" % number)
    store.close()
    data = bytearray(path.read_bytes())
    data[data.index(b"message 2")] ^= 1
    path.write_bytes(data)
    again = FileStore(path)
    assert content(again) == (2, 1, [(1, b"message 1")])
    again.close()


def test_a_message_that_was_changed_while_the_file_was_open_is_not_replayed(path: Path) -> None:
    store = FileStore(path)
    store.append(1, b"message 1")
    store.append(2, b"message 2")
    data = bytearray(path.read_bytes())
    data[data.index(b"message 2")] ^= 1
    path.write_bytes(data)
    replayed = store.messages(1, 2)
    assert next(replayed) == (1, b"message 1")
    with pytest.raises(StoreError, match="message 2 cannot be read back"):
        next(replayed)
    store.close()


def test_a_file_of_something_else_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"somebody's letters, not a store")
    with pytest.raises(StoreError, match="is not a message store"):
        FileStore(path)
    assert path.read_bytes() == b"somebody's letters, not a store"


def test_two_stores_do_not_share_a_file(path: Path) -> None:
    store = FileStore(path)
    with pytest.raises(StoreError, match="in use by another session"):
        FileStore(path)
    store.close()


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    FileStore(path).close()
    assert path.stat().st_mode & 0o077 == 0


def test_a_full_disk_uses_no_number_and_the_next_message_takes_the_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(path)
    store.append(1, b"one")
    with monkeypatch.context() as patch:
        real = os.pwrite
        patch.setattr(os, "pwrite", lambda file, data, at: real(file, data[:9], at))
        with pytest.raises(StoreError, match="no space left"):
            store.append(2, b"two")
    assert content(store) == (2, 1, [(1, b"one")])
    store.append(2, b"other")
    store.close()
    again = FileStore(path)
    assert content(again) == (3, 1, [(1, b"one"), (2, b"other")])
    again.close()


def test_a_message_is_on_the_disk_before_append_returns_where_that_is_asked_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    store = FileStore(path, Durability.MACHINE)
    store.append(1, b"one")
    assert len(synced) == 1
    store.close()


WRITER = """
import sys
from pathlib import Path
from adapters.fix.store import FileStore
store = FileStore(Path(sys.argv[1]))
while True:
    number = store.next_sender
    store.append(number, b"message %d" % number)
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    store.set_next_target(number + 1)
    if number % 50 == 0:
        store.reset()
        sys.stdout.write("reset\\n")
        sys.stdout.flush()
"""


def test_after_kill_at_any_moment_no_number_was_lost_and_none_is_used_twice(path: Path) -> None:
    chance = random.Random(5)
    for _ in range(12):
        path.unlink(missing_ok=True)
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            seen = [writer.stdout.readline() for _ in range(chance.randrange(1, 400))]
            writer.send_signal(signal.SIGKILL)
            seen += writer.stdout.readlines()
        said = [line.strip() for line in seen if line.endswith("\n")]
        store = FileStore(path)
        sent = content(store)[2]
        store.close()
        # What it said it had sent since the last reset that it told of is there, in order and without a hole; at most
        # the step after what it said has happened too.
        last = max((at for at, line in enumerate(said) if line == "reset"), default=-1)
        told = [int(line) for line in said[last + 1 :]]
        numbers = [number for number, _ in sent]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) in (len(told), len(told) + 1) or (len(told) == 50 and numbers == [])
        assert all(message == b"message %d" % number for number, message in sent)
