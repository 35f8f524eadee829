"""The log of a run: events as lines of JSON, written by a thread that holds nothing up and raises nothing."""

from __future__ import annotations

import errno
import io
import json
import os
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from framework.execution.events import OutcomeUnknown, SessionClosed
from framework.live.health.log import EventLog, Level
from framework.live.health.log_file import LineFile, log_files
from framework.live.health.log_lines import human_line, json_line, snake
from framework.live.health.log_writer import LogWriter, Terminal

START_NS = 1_767_614_400_123_456_789  # 2026-01-05 12:00:00.123456789 UTC
WAIT_S = 10.0


def made(level: Level = Level.INFO, waiting_max: int = 20_000) -> EventLog:
    log = EventLog(level, waiting_max)
    log.now_ns = lambda: START_NS
    return log


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in log_files(folder) for line in path.read_text().splitlines()]


def written(log: EventLog, folder: Path, terminal: io.StringIO | None = None, **options: Any) -> LogWriter:
    """A writer that has written what was put down, and is closed."""
    writer = LogWriter(log, None if terminal is None else Terminal(terminal), str, **options)
    writer.begin(folder, LineFile(folder, 10**6, 3))
    writer.close()
    return writer


def until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.005)


# ------------------------------------------------------------------------------------------------- lines


def test_an_event_is_one_line_of_json_with_time_level_name_and_fields(tmp_path: Path) -> None:
    log = made()
    log.put(Level.INFO, "order_filled", {"price": Decimal("89657.80"), "qty": Decimal("1E-8"), "is_maker": True})
    written(log, tmp_path)
    assert (tmp_path / "log.jsonl").read_text() == (
        '{"ts":"2026-01-05T12:00:00.123456789Z","level":"info","event":"order_filled",'
        '"price":"89657.80","qty":"1E-8","is_maker":true}\n'
    )


def test_an_event_of_the_road_has_its_own_fields() -> None:
    log = made()
    event = SessionClosed(ts_ns=START_NS, link="ws2", session_id="ws2#1", reason="line dropped", cl_ord_ids=("7", "8"))
    log.put(Level.WARNING, snake("SessionClosed"), event)
    assert json.loads(json_line(log.waiting[0], str)) == {
        "ts": "2026-01-05T12:00:00.123456789Z",
        "level": "warning",
        "event": "session_closed",
        "link": "ws2",
        "session_id": "ws2#1",
        "reason": "line dropped",
        "cl_ord_ids": ["7", "8"],
    }


def test_what_a_field_says_cannot_make_a_line_of_its_own(tmp_path: Path) -> None:
    log = made()
    log.put(Level.WARNING, "order_rejected", {"why": 'no\n{"level":"info","event":"all is well"}', "level": "mine"})
    written(log, tmp_path)
    (line,) = lines_of(tmp_path)
    assert line["event"] == "order_rejected"
    assert line["level"] == "warning"
    assert line["level_"] == "mine"
    assert "\n" not in human_line(made_event(why="a\nb\rc"), str)


def made_event(**fields: Any) -> Any:
    log = made()
    log.put(Level.INFO, "event", fields)
    return log.waiting[0]


def test_a_long_text_is_cut() -> None:
    assert len(json_line(made_event(why="x" * 100_000), str)) < 5_000


def test_what_json_cannot_say_is_left_out_and_the_log_goes_on(tmp_path: Path) -> None:
    log, out, value = made(), io.StringIO(), "half a character: \ud800"
    log.put(Level.WARNING, "strange", {"why": value}, f"strange: {value}")
    log.say("after")
    written(log, tmp_path, out)
    strange, after = lines_of(tmp_path)
    assert (strange["event"], strange["level"]) == ("strange", "warning")
    assert "unsaid" in strange
    assert after["text"] == "after"
    assert len(out.getvalue().splitlines()) == 2


def test_a_terminal_that_has_not_all_characters_is_shown_their_numbers(tmp_path: Path) -> None:
    log, bytes_out = made(), io.BytesIO()
    out = io.TextIOWrapper(bytes_out, encoding="ascii")
    log.say("an order of 5 €")
    writer = LogWriter(log, Terminal(out), str)
    writer.begin(tmp_path, LineFile(tmp_path, 10**6, 3))
    writer.close()
    assert bytes_out.getvalue() == b"  an order of 5 \\u20ac\n"


def test_what_is_secret_is_taken_out_of_every_text() -> None:
    def mask(text: str) -> str:
        return text.replace("hunter2", "***")

    log = made()
    unknown = OutcomeUnknown(ts_ns=0, cl_ord_id="1", command="AddOrder", link="ws2", evidence="hunter2")
    log.put(Level.WARNING, "outcome_unknown", unknown, "unknown: hunter2")
    log.put(Level.INFO, "nested", {"all": ("hunter2", ["hunter2"])})
    for event in log.waiting:
        assert b"hunter2" not in json_line(event, mask)
        assert "hunter2" not in human_line(event, mask)


def test_what_matters_less_than_the_level_is_left_out(tmp_path: Path) -> None:
    log = made(Level.WARNING)
    for level in Level:
        log.put(level, level.word, {})
    written(log, tmp_path)
    assert [line["event"] for line in lines_of(tmp_path)] == ["warning", "error"]


def test_what_has_words_is_shown_whatever_the_level_of_the_file(tmp_path: Path) -> None:
    log, out = made(Level.ERROR), io.StringIO()
    log.say("the strategy has started")
    log.put(Level.ERROR, "run_failed", {})
    written(log, tmp_path, out)
    assert out.getvalue() == "  the strategy has started\n"
    assert [line["event"] for line in lines_of(tmp_path)] == ["run_failed"]


# ------------------------------------------------------------------------------------------------- the terminal


def test_the_terminal_is_shown_what_has_words(tmp_path: Path) -> None:
    log, out = made(), io.StringIO()
    log.say("the strategy has started")
    log.put(Level.INFO, "order_filled", {"qty": Decimal(1)})
    log.put(Level.WARNING, "outcome_unknown", {}, "unknown: AddOrder 7 by ws2: no answer")
    written(log, tmp_path, out)
    assert out.getvalue() == "  the strategy has started\n  warning: unknown: AddOrder 7 by ws2: no answer\n"


def test_it_is_shown_all_when_asked_to(tmp_path: Path) -> None:
    log, out = made(), io.StringIO()
    log.put(Level.INFO, "order_filled", {"qty": Decimal("0.5"), "fee_asset": None})
    written(log, tmp_path, out, is_verbose=True)
    assert out.getvalue() == "  order_filled qty=0.5\n"


def test_a_flood_of_words_is_summed_up(tmp_path: Path) -> None:
    log, out = made(), io.StringIO()
    for number in range(100):
        log.say(f"line {number}")
    written(log, tmp_path, out)
    shown = out.getvalue().splitlines()
    assert shown[19:] == ["  line 19", "  and 80 more, which are in the log"]
    assert len(lines_of(tmp_path)) == 100


class _Stuck(io.StringIO):
    """A terminal that has stopped (Ctrl-S), until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def write(self, text: str) -> int:
        self.go.wait(WAIT_S)
        return super().write(text)


def test_a_terminal_that_stands_still_holds_up_neither_the_run_nor_the_file(tmp_path: Path) -> None:
    log, out = made(), _Stuck()
    writer = LogWriter(log, Terminal(out), str)
    writer.begin(tmp_path, LineFile(tmp_path, 10**6, 3))
    for number in range(3_000):
        log.say(f"line {number}")
    until(lambda: not log.waiting and len(lines_of(tmp_path)) == 3_000)
    out.go.set()
    writer.close()


# ------------------------------------------------------------------------------------------------- the disk


def test_files_are_put_aside_when_they_are_full_and_the_oldest_makes_room(tmp_path: Path) -> None:
    file = LineFile(tmp_path, bytes_max=100, count=3)
    for number in range(12):
        file.write(b"%039d\n" % number)
    file.close()
    # Two lines of 40 bytes to a file: the last three files hold the last six.
    assert [path.name for path in log_files(tmp_path)] == ["log.2.jsonl", "log.1.jsonl", "log.jsonl"]
    assert [int(line) for path in log_files(tmp_path) for line in path.read_text().splitlines()] == list(range(6, 12))


def test_a_log_is_for_its_owner_only(tmp_path: Path) -> None:
    LineFile(tmp_path, 100, 1).write(b"{}\n")
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_log_goes_on_where_it_was_without_the_half_line_of_a_run_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(b'{"n":1}\n{"n":')
    file = LineFile(tmp_path, 10_000, 2)
    file.write(b'{"n":2}\n')
    file.close()
    assert lines_of(tmp_path) == [{"n": 1}, {"n": 2}]


def test_a_line_that_a_full_disk_takes_in_part_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = LineFile(tmp_path, 10_000, 2)
    file.write(b'{"n":1}\n')
    write = os.write
    rooms = iter([3])

    def short(fd: int, data: bytes) -> int:
        room = next(rooms, None)
        if room is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data[:room])

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(OSError, match="No space left"):
        file.write(b'{"n":2}\n')
    monkeypatch.setattr(os, "write", write)
    file.write(b'{"n":3}\n')
    assert lines_of(tmp_path) == [{"n": 1}, {"n": 3}]


class _Disk(LineFile):
    """A disk that is full, or that takes its time, for as long as a test says."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, 10**6, 2)
        self.is_full = False
        self.go = threading.Event()
        self.go.set()

    def write(self, lines: bytes) -> None:
        self.go.wait(WAIT_S)
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(lines)


def test_a_full_disk_costs_lines_which_are_counted_and_told_once_there_is_room(tmp_path: Path) -> None:
    log, disk, out = made(), _Disk(tmp_path), io.StringIO()
    writer = LogWriter(log, Terminal(out), str)
    disk.is_full = True
    writer.begin(tmp_path, disk)
    for number in range(7):
        log.put(Level.INFO, f"event_{number}", {})
    until(lambda: writer.lost == 7)
    assert writer.failure == "No space left on device"
    disk.is_full = False
    log.put(Level.INFO, "after", {})
    until(lambda: len(lines_of(tmp_path)) == 2)
    writer.close()
    assert [line["event"] for line in lines_of(tmp_path)] == ["after", "log_lines_lost"]
    assert lines_of(tmp_path)[1]["count"] == 7
    assert writer.failure is None
    assert out.getvalue().splitlines() == [
        "  warning: the log cannot be written (No space left on device); the run goes on",
        "  warning: 7 lines of the log are lost",
    ]


def test_a_slow_disk_never_makes_the_run_wait_and_what_finds_no_room_is_told_of(tmp_path: Path) -> None:
    log, disk = made(waiting_max=100), _Disk(tmp_path)
    writer = LogWriter(log, None, str)
    disk.go.clear()
    writer.begin(tmp_path, disk)
    log.put(Level.INFO, "first", {})
    until(lambda: not log.waiting)  # the thread has it, and waits for the disk
    for _ in range(1_000):
        log.put(Level.INFO, "more", {})
    assert len(log.waiting) == 100
    assert log.dropped == 900
    disk.go.set()
    until(lambda: len(lines_of(tmp_path)) == 102)
    writer.close()
    (lost,) = [line for line in lines_of(tmp_path) if line["event"] == "log_lines_lost"]
    assert lost["count"] == 900


def test_a_disk_that_never_answers_does_not_keep_a_run_from_ending(tmp_path: Path) -> None:
    log, disk = made(), _Disk(tmp_path)
    writer = LogWriter(log, None, str)
    disk.go.clear()
    writer.begin(tmp_path, disk)
    log.put(Level.INFO, "first", {})
    began_s = time.monotonic()
    writer.close(patience_s=0.2)
    assert time.monotonic() - began_s < WAIT_S / 2
    disk.go.set()


def test_how_the_run_stands_is_replaced_as_a_whole_and_kept_where_there_is_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = made()
    writer = LogWriter(log, None, str)
    writer.begin(tmp_path, _Disk(tmp_path))
    status = tmp_path / "status.json"
    writer.put_status(b'{"n":1}')
    until(lambda: status.exists())

    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    writer.put_status(b'{"n":2}')
    writer.close()
    assert status.read_bytes() == b'{"n":1}'
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]
