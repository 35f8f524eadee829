"""A recorder: whatever happens to it, what is on the disk is the beginning of what it was told, and nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.data import append_file
from framework.data.columns import LAST, TRADE
from framework.data.live_rows import MarketRow
from framework.data.recorder import RecordedInstrument, Recorder, part_paths
from framework.data.recording import import_recording, recorded_events
from framework.errors import ConfigError, OutputError
from framework.protocol import BUY
from tests.framework.data.markets import START_NS, make_columns, make_spec

TREE = Path(__file__).resolve().parents[3]
BITCOIN = RecordedInstrument(spec=make_spec("BTC/USD"), depth="trades")
ETHER = RecordedInstrument(spec=make_spec("ETH/USD"), depth="trades")
NS = 10**9


def trade(number: int) -> MarketRow:
    """A trade of so many lots."""
    return MarketRow(START_NS + number, START_NS + number, TRADE, BUY, 1000, number, LAST, number)


def recorder(folder: Path, *instruments: RecordedInstrument, now_ns: int = START_NS, **options: int) -> Recorder:
    return Recorder(folder / "recording", instruments or (BITCOIN,), now_ns, **options)  # type: ignore[arg-type]


def recorded(folder: Path, symbol: str = "BTC/USD") -> list[int]:
    """The lots of the trades that are on the disk."""
    for imported in import_recording(folder / "recording", {}):
        if imported.market.spec.symbol == symbol:
            return imported.market.columns.qty_lots.tolist()
    return []


def test_rows_of_several_pairs_are_read_back_pair_by_pair(tmp_path: Path) -> None:
    writer = recorder(tmp_path, BITCOIN, ETHER)
    for number in range(1, 7):
        writer.add_rows("BTC/USD" if number % 2 else "ETH/USD", [trade(number)])
    writer.close(START_NS)
    assert (recorded(tmp_path), recorded(tmp_path, "ETH/USD")) == ([1, 3, 5], [2, 4, 6])


def test_columns_are_taken_as_rows_are(tmp_path: Path) -> None:
    writer = recorder(tmp_path)
    writer.add_rows("BTC/USD", make_columns([(TRADE, BUY, 10, 7), (TRADE, BUY, 11, 8)]))
    writer.close(START_NS)
    assert recorded(tmp_path) == [7, 8]


def test_what_was_not_flushed_is_not_on_the_disk_and_what_was_is(tmp_path: Path) -> None:
    writer = recorder(tmp_path)
    writer.add_rows("BTC/USD", [trade(1)])
    writer.flush(START_NS)
    writer.add_rows("BTC/USD", [trade(2)])
    assert recorded(tmp_path) == [1]
    assert (writer.row_count, writer.pending_bytes > 0) == (1, True)
    writer.close(START_NS)
    assert recorded(tmp_path) == [1, 2]


def test_own_events_are_kept_in_order_beside_the_market(tmp_path: Path) -> None:
    writer = recorder(tmp_path)
    writer.add_event(5, {"fill": "0.01"})
    writer.add_rows("BTC/USD", [trade(1)])
    writer.add_event(7, {"fill": "0.02"})
    writer.close(START_NS)
    assert list(recorded_events(tmp_path / "recording")) == [(5, {"fill": "0.01"}), (7, {"fill": "0.02"})]


@pytest.mark.parametrize("options", [{"part_bytes_max": 350}, {"part_s_max": 2}])
def test_parts_end_by_size_or_by_time_and_are_read_as_one(tmp_path: Path, options: dict[str, int]) -> None:
    writer = recorder(tmp_path, **options)
    for number in range(1, 11):
        writer.add_rows("BTC/USD", [trade(number)])
        writer.flush(START_NS + number * NS)
    writer.close(START_NS)
    assert 3 <= len(part_paths(tmp_path / "recording")) <= 6
    assert recorded(tmp_path) == list(range(1, 11))


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=8), cut=st.integers(0, 100_000))
def test_a_recording_that_was_cut_anywhere_is_a_prefix_and_goes_on(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("r")
    writer = recorder(folder, part_bytes_max=400)
    number = 0
    for size in sizes:
        writer.add_rows("BTC/USD", [trade(number + each + 1) for each in range(size)])
        writer.flush(START_NS)
        number += size
    writer.close(START_NS)
    last = part_paths(folder / "recording")[-1]
    data = last.read_bytes()
    last.write_bytes(data[: cut % (len(data) + 1)])
    again = recorder(folder)
    again.add_rows("BTC/USD", [trade(number + 1)])
    again.close(START_NS)
    found = recorded(folder)
    assert found[:-1] == list(range(1, len(found)))
    assert found[-1] == number + 1


def test_going_on_cuts_off_what_is_torn_tells_it_and_marks_the_time_between_as_a_gap(tmp_path: Path) -> None:
    writer = recorder(tmp_path)
    writer.add_rows("BTC/USD", [trade(1)])
    writer.close(START_NS)
    with part_paths(tmp_path / "recording")[-1].open("ab") as file:
        file.write(b"\0\0\0")
    again = recorder(tmp_path, now_ns=START_NS + 60 * NS)
    assert again.torn_bytes == 3
    again.add_rows("BTC/USD", [trade(60 * NS)])
    again.close(START_NS)
    (imported,) = import_recording(tmp_path / "recording", {})
    assert imported.notes[0] == "gap from 2023-11-14 22:13:20 to 2023-11-14 22:14:20: nothing was recorded"


WRITER = """
import sys
from pathlib import Path
from framework.data.recorder import Recorder
from tests.framework.data.test_recorder import BITCOIN, START_NS, trade

writer = Recorder(Path(sys.argv[1]), (BITCOIN,), START_NS, part_bytes_max=20_000)
number = 0
while True:
    writer.add_rows("BTC/USD", [trade(number + each) for each in range(1, 4)])
    number += 3
    writer.flush(START_NS)
    print(number, flush=True)
"""


def test_after_a_kill_all_that_was_flushed_is_there_once_and_in_order(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "recording")]
    with subprocess.Popen(command, cwd=TREE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
        said = [int(line) for line in process.stdout if line.endswith("\n")]
    found = recorded(tmp_path)
    assert len(part_paths(tmp_path / "recording")) > 2
    assert found == list(range(1, len(found) + 1))
    assert said[-1] <= len(found) <= said[-1] + 3


SMALL = """
import resource
import sys
from pathlib import Path
from framework.data.recorder import Recorder
from framework.errors import OutputError
from tests.framework.data.test_recorder import BITCOIN, START_NS, trade

writer = Recorder(Path(sys.argv[1]), (BITCOIN,), START_NS)
number = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
while True:
    writer.add_rows("BTC/USD", [trade(number + each) for each in range(1, 4)])
    try:
        writer.flush(START_NS)
    except OutputError as error:
        print(error)
        break
    number += 3
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(sum(path.stat().st_size for path in Path(sys.argv[1]).iterdir()))
writer.close(START_NS)
print(number + 3)
"""


def test_a_file_that_the_system_lets_grow_no_more_stays_whole_and_goes_on_when_it_may(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SMALL, str(tmp_path / "recording")]
    done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, timeout=60, check=True)
    error, size, count = done.stdout.splitlines()
    assert "File too large; what was written before is in it" in error
    assert int(size) < 10_000
    assert recorded(tmp_path) == list(range(1, int(count) + 1))


def test_a_full_disk_is_a_clear_error_and_the_rows_wait_for_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = recorder(tmp_path)
    writer.add_rows("BTC/USD", [trade(1)])
    writer.flush(START_NS)
    real = append_file.AppendFile.append

    def full(self: append_file.AppendFile, payload: bytes) -> None:
        raise OutputError(f"{self.path}: No space left on device")

    monkeypatch.setattr(append_file.AppendFile, "append", full)
    writer.add_rows("BTC/USD", [trade(2), trade(3)])
    for _ in range(2):
        with pytest.raises(OutputError, match="No space left on device") as caught:
            writer.flush(START_NS)
        assert caught.value.__notes__ == ["2 rows wait in memory"]
    writer.add_rows("BTC/USD", [trade(4)])
    monkeypatch.setattr(append_file.AppendFile, "append", real)
    writer.close(START_NS)
    assert recorded(tmp_path) == [1, 2, 3, 4]


def test_one_recorder_at_a_time(tmp_path: Path) -> None:
    writer = recorder(tmp_path)
    with pytest.raises(ConfigError, match="another process is writing this file"):
        recorder(tmp_path)
    writer.close(START_NS)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "recording").mkdir()
    (tmp_path / "recording" / "letter.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds other things"):
        recorder(tmp_path)


def test_a_recorder_that_was_told_nothing_leaves_no_part(tmp_path: Path) -> None:
    recorder(tmp_path).close(START_NS)
    assert part_paths(tmp_path / "recording") == []
    writer = recorder(tmp_path)
    writer.add_rows("BTC/USD", [trade(1)])
    writer.close(START_NS)
    assert recorded(tmp_path) == [1]


def test_a_pair_whose_rules_have_changed_is_not_mixed_with_what_was_recorded(tmp_path: Path) -> None:
    first = recorder(tmp_path)
    first.add_rows("BTC/USD", [trade(1)])
    first.close(START_NS)
    changed = RecordedInstrument(spec=make_spec("BTC/USD", tick_size="0.5"), depth="trades")
    with pytest.raises(ConfigError, match="record into another folder"):
        recorder(tmp_path, changed)


def test_another_pair_may_be_added_to_a_recording(tmp_path: Path) -> None:
    first = recorder(tmp_path)
    first.add_rows("BTC/USD", [trade(1)])
    first.close(START_NS)
    second = recorder(tmp_path, ETHER, BITCOIN)
    second.add_rows("BTC/USD", [trade(2)])
    second.add_rows("ETH/USD", [trade(9)])
    second.close(START_NS)
    assert (recorded(tmp_path), recorded(tmp_path, "ETH/USD")) == ([1, 2], [9])


def test_an_hour_of_a_busy_book_takes_little_room(tmp_path: Path) -> None:
    writer = recorder(tmp_path)
    rows = make_columns([(TRADE, BUY, 10, 7)] * 1000)
    writer.add_rows("BTC/USD", rows)
    writer.close(START_NS)
    size = part_paths(tmp_path / "recording")[0].stat().st_size
    assert size < 1000 * 55
    assert np.all(recorded(tmp_path) == np.full(1000, 7))


def test_a_fill_that_was_told_twice_is_had_once_and_other_events_as_often_as_they_were_told(tmp_path: Path) -> None:
    writer = recorder(tmp_path)
    for ts_ns, event in (
        (1, {"exec_id": "T1"}),
        (2, {"exec_id": None}),
        (3, {"exec_id": None}),
        (4, {"exec_id": "T1"}),
    ):
        writer.add_event(ts_ns, event)
    writer.close(START_NS)
    assert [ts_ns for ts_ns, _ in recorded_events(tmp_path / "recording")] == [1, 2, 3]


def test_a_recorder_that_goes_on_says_up_to_when_it_had_been_recorded(tmp_path: Path) -> None:
    first = recorder(tmp_path)
    assert first.stopped_ns is None
    first.add_rows("BTC/USD", [trade(5)])
    first.close(START_NS)
    assert recorder(tmp_path, now_ns=START_NS + NS).stopped_ns == START_NS + 5
