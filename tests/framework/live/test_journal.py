"""The journal of a live run: written before it counts, whole after a kill, and what was known is made again from it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from framework.backtest.config import FaultSection, RoadSection, RunSection, load_config
from framework.errors import ConfigError, JournalError
from framework.execution.desk import ExecutionDesk
from framework.execution.orders import Knowledge
from framework.live.closing import AtEnd
from framework.live.journal import Forcing, IntentJournal, JournaledDesk, read_records
from framework.live.paper import PaperNode
from framework.live.records import Answered, AnyRecord, Changed, Ended, Filled, Intended, Known
from framework.live.recovery import Recovery
from framework.live.taking_over import take_over
from framework.messages import AddBatch, CancelOrder, EditOrder, ExecType
from framework.protocol import BUY
from tests.framework.command import STRATEGIES, write_config
from tests.framework.execution.desk_rig import Rig, add_order, execution, trade

ROOT = Path(__file__).parents[3]


def opened(path: Path, on_record: Callable[[AnyRecord], None] = lambda _: None) -> IntentJournal:
    return IntentJournal.open(path, Forcing.OFF, on_record)


def intent(number: int) -> Intended:
    return Intended(number, "ws2", "ws2#1", replace(add_order(f"o{number}"), request_id=number))


def written(path: Path, count: int) -> list[Any]:
    """A journal of so many intents, closed; returns them."""
    records: list[Any] = [intent(number) for number in range(1, count + 1)]
    journal = opened(path)
    for record in records:
        journal.add(record)
    journal.close()
    return records


class Journaled(Rig):
    """A rig whose desk is journaled. ``on_send`` is called when the bytes of a command would leave."""

    def __init__(self, file: IntentJournal, on_send: Callable[[], None] = lambda: None) -> None:
        super().__init__(is_started=False)
        self.tee = tee = JournaledDesk(
            file, self.notes, lambda: self.clock.now_ns, lambda name: self.links[name].session_id
        )
        listener = tee.listen(self.listener)
        self.desk = ExecutionDesk(self.links, self.desk.policy, self.clock, listener, tee, self.budget)
        self.desk.start()
        for name, link in self.links.items():
            self.up(name)
            send = link.send

            def watched(command: Any, send: Callable[[Any], None] = send) -> None:
                on_send()
                send(command)

            link.send = watched  # type: ignore[method-assign]
        self.listener.road.clear()


# ------------------------------------------------------------------------------------------------- the file


def test_what_was_written_is_read_in_order_by_the_next_run_which_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    first = written(path, 3)
    seen: list[AnyRecord] = []
    journal = opened(path, seen.append)
    assert seen == first
    journal.add(intent(4))
    journal.close()
    assert list(read_records(path)) == [*first, intent(4)]


def test_it_says_how_much_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    journal = opened(path)
    for number in range(3):
        journal.add(intent(number))
        assert journal.size_bytes == path.stat().st_size
    journal.close()
    again = opened(path)
    assert again.size_bytes == path.stat().st_size
    again.close()


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    written(path, 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_torn_end_is_cut_off_wherever_the_process_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    written(path, 2)
    two = path.read_bytes()
    written_records = list(read_records(path))
    path.unlink()
    written(path, 1)
    one = path.read_bytes()
    for size in range(len(one), len(two)):
        path.write_bytes(two[:size])
        seen: list[AnyRecord] = []
        journal = opened(path, seen.append)
        assert seen == written_records[:1]
        assert journal.torn_bytes == size - len(one)
        journal.add(intent(9))
        journal.close()
        assert list(read_records(path)) == [written_records[0], intent(9)]


def test_a_journal_that_was_only_begun_has_nothing_in_it_and_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    written(path, 0)
    begun = path.read_bytes()
    for size in range(len(begun)):
        path.write_bytes(begun[:size])
        assert list(read_records(path)) == []
        seen: list[AnyRecord] = []
        journal = opened(path, seen.append)
        assert seen == []
        journal.add(intent(1))
        journal.close()
        assert list(read_records(path)) == [intent(1)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_before_the_end_is_an_error_and_never_read_as_something_else(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "run.intents"
    path.unlink(missing_ok=True)
    records = written(path, 4)
    whole = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    seen: list[AnyRecord] = []
    try:
        for record in read_records(path):
            seen.append(record)  # noqa: PERF402
    except JournalError:
        assert seen == records[: len(seen)]
        return
    # A length at the end that reaches beyond it cannot be told from a torn frame.
    assert seen == records[: len(seen)]
    assert len(seen) < 4


def test_two_runs_do_not_write_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    first = opened(path)
    with pytest.raises(ConfigError, match="another run is writing this journal"):
        opened(path)
    first.close()
    opened(path).close()


def test_a_file_that_is_no_journal_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("buy low\n")
    with pytest.raises(JournalError, match="is not the journal of a live run"):
        opened(path)
    assert path.read_text() == "buy low\n"


@pytest.mark.parametrize(
    ("forcing", "forced"), [(Forcing.OFF, [0, 0]), (Forcing.INTENTS, [1, 1]), (Forcing.ALL, [1, 2])]
)
def test_what_is_forced_to_the_disk_is_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forcing: Forcing, forced: list[int]
) -> None:
    journal = IntentJournal.open(tmp_path / "run.intents", forcing, lambda _: None)
    syncs: list[int] = []
    monkeypatch.setattr(os, "fdatasync", syncs.append)
    counts = []
    journal.add(intent(1), is_intent=True)
    counts.append(len(syncs))
    journal.add(Answered(2, 1, "accepted", None))
    counts.append(len(syncs))
    assert counts == forced
    journal.close()


# ------------------------------------------------------------------------------------------------- before it counts


def test_an_intent_is_in_the_file_before_its_bytes_leave(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    at_send: list[list[str]] = []
    rig = Journaled(
        opened(path),
        lambda: at_send.append([type(r.command).__name__ for r in read_records(path) if isinstance(r, Intended)]),
    )
    rig.desk.submit(add_order("a"))
    rig.desk.cancel("a")
    assert at_send == [["AddOrder"], ["AddOrder", "CancelOrder"]]


def test_who_writes_down_afterwards_is_told_of_a_command_once_its_bytes_have_left_where_that_is_asked_for(
    tmp_path: Path,
) -> None:
    """And before the strategy hears of the order, and in the order of the commands."""
    at_send: list[int] = []
    rig = Journaled(opened(tmp_path / "run.intents"), lambda: at_send.append(len(rig.notes.commands)))
    rig.desk.submit(add_order("a"))
    assert at_send == [1]
    rig.tee.attend(rig.desk)
    rig.desk.submit(add_order("b"))
    rig.desk.cancel("b")
    assert at_send == [1, 1, 2]
    assert [(link, type(command).__name__) for link, command, _ in rig.notes.commands] == [
        ("ws2", "AddOrder"),
        ("ws2", "AddOrder"),
        ("ws2", "CancelOrder"),
    ]


def test_a_conclusion_is_in_the_file_before_the_strategy_hears_of_it(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    rig = Journaled(opened(path))
    at_hearing: list[bool] = []
    rig.listener.order_filled = lambda *_: at_hearing.append(  # type: ignore[method-assign]
        any(isinstance(record, Filled) for record in read_records(path))
    )
    record = rig.desk.submit(add_order("a"))
    rig.tell("ws2", execution(ExecType.NEW, 1, like=record), trade(2, "T1", 3, 3))
    assert at_hearing == [True]


def test_where_the_journal_cannot_be_written_no_order_is_sent_and_cancels_are() -> None:
    class Full:
        """A file on a disk that becomes full."""

        is_full = False

        def write(self, data: bytes) -> int:
            if self.is_full:
                raise OSError(28, "No space left on device")
            return len(data)

        def truncate(self, size: int) -> int:
            return size

    file: Any = Full()
    rig = Journaled(IntentJournal(file, Path("run.intents"), 0, Forcing.OFF))
    record = rig.desk.submit(add_order("a"))
    file.is_full = True
    with pytest.raises(JournalError, match="No space left on device"):
        rig.desk.submit(add_order("b"))
    file.is_full = False
    with pytest.raises(JournalError, match="No space left on device"):
        rig.desk.submit(add_order("c"))
    assert rig.sent("ws2") == ["AddOrder"]
    rig.tell("ws2", execution(ExecType.NEW, 1, like=record))
    rig.desk.cancel("a")
    assert rig.sent("ws2") == ["AddOrder", "CancelOrder"]
    assert isinstance(rig.last("ws2"), CancelOrder)


# ------------------------------------------------------------------------------------------------- made again


def recovered(path: Path) -> Recovery:
    recovery = Recovery()
    for record in read_records(path):
        recovery.read(record)
    return recovery


def test_an_order_without_an_answer_is_unknown_and_so_is_its_command(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    rig = Journaled(opened(path))
    rig.desk.submit(add_order("a"))
    known = recovered(path)
    assert known.unknown_orders() == ["a"]
    assert list(known.unknown) == [1]
    assert known.open_orders["a"].link == "ws2"
    assert known.open_orders["a"].session_id == "ws2#1"


def test_orders_of_a_batch_have_the_deadline_of_their_request(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    journal = opened(path)
    orders = tuple(add_order(name, request_id=7) for name in "ab")
    journal.add(Intended(1, "ws2", "ws2#1", AddBatch(request_id=7, deadline_ns=5_000, orders=orders)))
    journal.close()
    known = recovered(path)
    assert [(order.add.cl_ord_id, order.add.deadline_ns) for order in known.open_orders.values()] == [
        ("a", 5_000),
        ("b", 5_000),
    ]


def test_what_ended_is_not_open_and_fills_are_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    rig = Journaled(opened(path))
    for name in "abc":
        record = rig.desk.submit(add_order(name))
        rig.tell("ws2", execution(ExecType.NEW, 1, cl_ord_id=name, order_id=f"O{name}", like=record))
    fill = trade(2, "T1", 4, 4, cl_ord_id="a", order_id="Oa")
    rig.tell("ws2", fill, fill)
    rig.tell("ws2", trade(3, "T2", 10, 10, cl_ord_id="b", order_id="Ob"))
    rig.tell("ws2", execution(ExecType.CANCELED, 4, cl_ord_id="c", order_id="Oc"))
    known = recovered(path)
    assert list(known.open_orders) == ["a"]
    assert (known.open_orders["a"].order_id, known.open_orders["a"].cum_lots) == ("Oa", 4)
    assert known.positions_lots == {"BTC/USD": 14}


def _same(known: Recovery, node: PaperNode) -> None:
    """What the journal tells is what the desk knows."""
    desk = node.simulation.desk
    assert list(known.open_orders) == list(desk.open_orders)
    for cl_ord_id, order in known.open_orders.items():
        record = desk.open_orders[cl_ord_id]
        assert (order.order_id, order.cum_lots, set(order.exec_ids)) == (
            record.order_id,
            record.cum_lots,
            set(record.exec_ids),
        )
        assert (order.qty_lots, order.limit_ticks) == (record.qty_lots, record.limit_ticks)
        assert order.is_known == (record.knowledge is Knowledge.OPEN)
        assert order.session_id == record.owner_session
    in_flight = {number for number, flight in desk.in_flight.items() if type(flight.command).__name__ != "QueryOrders"}
    assert in_flight <= set(known.unknown)
    positions = {symbol: lots for symbol, lots in known.positions_lots.items() if lots}
    bridges = {bridge.spec.symbol: bridge.spec for bridge in node.simulation.trader.bridges()}
    held = {symbol: bridges[symbol].lots(qty) for symbol, qty in node.closing.positions().items()}
    assert positions == held


@pytest.mark.parametrize("road", ["rest", "ws2", "fix"])
def test_at_any_moment_of_a_run_with_drops_it_tells_what_the_desk_knows(tmp_path: Path, road: str) -> None:
    path = tmp_path / "run.intents"
    config = load_config(write_config(tmp_path, market="duration_s = 60"))
    config = replace(
        config,
        run=RunSection(seed=5),
        road=RoadSection(name=road),
        faults=(
            FaultSection(kind="drop", link="all", at_s=10.0, for_s=3.0, detect_ms=50),
            FaultSection(kind="drop", link="all", at_s=30.0, for_s=6.0, detect_ms=500),
        ),
    )
    node = PaperNode(config, is_looped=False, at_end=AtEnd.LEAVE, intents=opened(path))
    node.begin()
    looks = 0
    while not node.is_done:
        node.run_until(node.now_ns + 777_777_777)
        _same(recovered(path), node)
        looks += 1
    assert looks > 70
    kinds = {type(record) for record in read_records(path)}
    assert {Intended, Answered, Known, Ended} <= kinds


def test_a_run_that_was_killed_leaves_a_journal_that_is_whole_and_tells_what_was_open(tmp_path: Path) -> None:
    path = tmp_path / "run.intents"
    run = subprocess.Popen(
        [
            *(sys.executable, "-m", "framework.cli", "paper", str(STRATEGIES / "market_maker.py")),
            *("--speed", "30", "--tier", "pro", "--journal", str(path), "--out", str(tmp_path / "run")),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    try:
        until_s = time.monotonic() + 60
        while time.monotonic() < until_s and not (path.exists() and path.stat().st_size > 4_000):
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.wait(timeout=30)
    finally:
        run.kill()
    seen: list[AnyRecord] = []
    journal = opened(path, seen.append)
    known = Recovery()
    for record in seen:
        known.read(record)
    assert known.run_count == 1
    intents = sum(isinstance(record, Intended) for record in seen)
    assert intents > 3
    assert known.last_request_id >= intents
    assert len(known.open_orders) <= intents
    journal.close()


def test_ten_thousand_open_orders_among_a_hundred_thousand_records_are_made_again_in_time(tmp_path: Path) -> None:
    """Within the five seconds that a restart may take, by a wide margin on a slow machine."""
    path = tmp_path / "run.intents"
    journal = opened(path)
    for number in range(1, 30_001):
        journal.add(intent(number), is_intent=True)
        journal.add(Answered(number, number, "accepted", None))
        journal.add(Known(number, f"o{number}", f"O{number}"))
        if number % 3:
            journal.add(Ended(number, f"o{number}", "canceled", ""))
    journal.close()
    known = Recovery()
    began_s = time.process_time()
    opened(path, known.read).close()
    assert time.process_time() - began_s < 5.0
    assert (known.record_count, len(known.open_orders), len(known.unknown)) == (110_000, 10_000, 0)


def test_what_an_edit_made_is_an_order_of_who_edited_with_what_was_filled_before_put_aside() -> None:
    recovery = Recovery()
    for record in (
        Intended(1, "fix", "fix#1", add_order("a")),
        Known(2, "a", "O1"),
        Filled(3, "a", "T1", "BTC/USD", BUY, 4, 1_000, True, "0", "USD", 3),
        Intended(4, "rest", "rest#1", EditOrder(request_id=2, order_id="O1", limit_ticks=1_005)),
        Changed(5, "a", "O2", 10, 1_005, None),
    ):
        recovery.read(record)
    (order,) = recovery.open_orders.values()
    assert (order.link, order.session_id, order.order_id) == ("rest", "rest#1", "O2")
    assert (order.prior_lots, order.cum_lots, order.qty_lots) == (4, 4, 10)


def test_of_an_edited_order_a_new_run_counts_what_was_filled_before_the_edit_apart() -> None:
    recovery = Recovery()
    for record in (
        Intended(1, "rest", "rest#1", add_order("a")),
        Known(2, "a", "O1"),
        Filled(3, "a", "T1", "BTC/USD", BUY, 4, 1_000, True, "0.1", "USD", 3),
        Intended(4, "rest", "rest#1", EditOrder(request_id=2, order_id="O1", limit_ticks=1_005)),
        Changed(5, "a", "O2", 10, 1_005, None),
    ):
        recovery.read(record)
    told: list[tuple[Any, ...]] = []
    venue: Any = SimpleNamespace(remember=lambda *each: told.append(each))
    rig = Rig(is_started=False)
    (order,) = take_over(rig.desk, venue, recovery, lambda _: None)
    assert (order.cum_lots, order.prior_lots, order.prior_told_lots) == (4, 4, 4)
    assert order.has_only_order_id
    ((now, order_id, cum_lots, _),) = told
    assert (now.qty_lots, order_id, cum_lots) == (6, "O2", 0)  # of the new order, as links know it
