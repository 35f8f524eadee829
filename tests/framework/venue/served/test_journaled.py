"""A venue that is made again from its journal is the same venue, wherever the journal ends."""

from __future__ import annotations

import inspect
import random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.errors import JournalError
from framework.messages import CancelAllAfter, CancelOrder, Logon, OrderState
from framework.protocol import BUY, SELL
from framework.venue.served.host import VenueHost
from framework.venue.served.journal import AnyCommand, Passed
from framework.venue.served.journaled import JournaledHost
from tests.framework.venue.served.journal_rig import SECOND, SYMBOL, Life, MemoryFile, begin, new_host, reopen, state
from tests.framework.venue.served.served_rig import Client, order

seeds = st.integers(0, 10**6)


def recorded(
    seed: int, steps: int, *, has_latency: bool = False, history_max: int = 50_000
) -> tuple[MemoryFile, list[tuple[int, dict[str, Any]]], Life]:
    """A journal of so many steps, with the venue's state at each length that the journal had after a step."""
    file = MemoryFile()
    served = new_host(seed % 3, has_latency=has_latency, history_max=history_max)
    served.record(begin(file))
    life = Life(served, seed)
    told = [(len(file.data), state(served))]
    for _ in range(steps):
        life.step()
        told.append((len(file.data), state(served)))
    return file, told, life


def replayed(data: bytes, seed: int, **options: Any) -> JournaledHost:
    again = new_host(seed % 3, **options)
    again.replay(reopen(data))
    return again


@given(seed=seeds, has_latency=st.booleans())
@settings(max_examples=12, deadline=None)
def test_a_venue_from_its_journal_is_the_one_that_wrote_it_wherever_it_was_cut(seed: int, has_latency: bool) -> None:
    file, told, _ = recorded(seed, 200, has_latency=has_latency)
    for end, then in [told[-1], *random.Random(seed).sample(told, 6)]:
        again = replayed(bytes(file.data[:end]), seed, has_latency=has_latency)
        again.run_until(then["now_ns"])
        again.venue.check_invariants()
        now = state(again)
        if has_latency:  # numbers of commands that had not arrived are given out again
            assert now["request_count"] <= then["request_count"]
            now["request_count"] = then["request_count"]
        assert now == then


def test_lives_have_positions_on_margin_opened_closed_and_settled() -> None:
    """What the tests of lives show of margin trading, they show of something."""
    _, _, life = recorded(3, 400)
    kinds = {entry.kind for name in ("a0", "a1", "a2") for entry in life.host.records.ledger(name)}
    assert {"margin", "settled"} <= kinds
    margins = [account.margin for account in life.host.venue.accounts.values()]
    assert any(margin is not None and margin.positions for margin in margins)


@given(seed=seeds)
@settings(max_examples=6, deadline=None)
def test_a_venue_from_its_journal_goes_on_as_if_nothing_had_happened(seed: int) -> None:
    file, _, life = recorded(seed, 120)
    again = replayed(bytes(file.data), seed)
    again.run_until(life.host.now_ns)
    other = life.with_host(again)
    for _ in range(120):
        life.step()
        other.step()
    assert state(again) == state(life.host)


@given(seed=seeds)
@settings(max_examples=4, deadline=None)
def test_a_second_end_is_survived_like_the_first(seed: int) -> None:
    file, _, life = recorded(seed, 80)
    cut = MemoryFile(bytes(file.data))
    again = new_host(seed % 3)
    again.replay(reopen(cut))
    again.run_until(life.host.now_ns)
    other = life.with_host(again)
    for _ in range(80):
        other.step()
    assert len(cut.data) > len(file.data)
    third = replayed(bytes(cut.data), seed)
    third.run_until(again.now_ns)
    assert state(third) == state(again)


@given(seed=seeds)
@settings(max_examples=6, deadline=None)
def test_what_is_forgotten_is_forgotten_again(seed: int) -> None:
    file, told, _ = recorded(seed, 150, history_max=5)
    again = replayed(bytes(file.data), seed, history_max=5)
    again.run_until(told[-1][1]["now_ns"])
    assert state(again) == told[-1][1]


@given(seed=seeds, has_latency=st.booleans())
@settings(max_examples=12, deadline=None)
def test_it_makes_no_difference_in_which_pieces_time_passes(seed: int, has_latency: bool) -> None:
    """Whoever runs a host calls ``run_until`` when he happens to: what comes out is the same."""
    one, other = new_host(seed % 3, has_latency=has_latency), new_host(seed % 3, has_latency=has_latency)
    lives = (Life(one, seed), Life(other, seed, piece_count=7))
    for _ in range(200):
        for life in lives:
            life.step()
        assert one.now_ns == other.now_ns
    assert state(one) == state(other)


def test_a_command_is_in_the_journal_before_the_engine_sees_it() -> None:
    file = MemoryFile()
    served = new_host()
    served.record(begin(file))
    client = Client(served)
    lengths: list[int] = []
    client.on_report = lambda report, is_response: lengths.append(len(file.data))  # type: ignore[method-assign]
    before = len(file.data)
    served.submit(client.line_id, order(served, BUY, 800_000, 10**6))
    assert lengths
    assert min(lengths) > before
    assert len(file.data) == min(lengths)


def test_time_is_in_the_journal_before_the_market_fills_an_order() -> None:
    """Else a line that drops at the end of the journal could cancel an order of whose fill its client was told."""
    file = MemoryFile()
    served = new_host()
    served.record(begin(file))
    client = Client(served, label="fix", line_id="f")
    client.comp_id = "F"
    served.submit("f", Logon(request_id=served.next_request_id(), is_cancel_on_disconnect=True))
    best = served.books[SYMBOL].best(BUY)
    assert best is not None
    add = order(served, BUY, best[0], 10**5)
    served.submit("f", add)
    account = served.venue.accounts["a0"]
    while not account.trades:
        served.run_until(served.now_ns + SECOND // 100)
    fill = account.trades[0]
    again = replayed(bytes(file.data), 1)
    again.drop_lines()
    assert again.venue.accounts["a0"].trades == [fill]
    assert not again.venue.accounts["a0"].open_orders


def test_lines_that_were_up_drop_as_lines_do() -> None:
    file = MemoryFile()
    served = new_host()
    served.record(begin(file))
    for name, is_canceled in (("f", True), ("g", False)):
        line = Client(served, label="fix", line_id=name)
        line.comp_id = name
        served.submit(name, Logon(request_id=served.next_request_id(), is_cancel_on_disconnect=is_canceled))
        served.submit(name, order(served, BUY, 800_000, 10**6, name))
    Client(served, label="ws2", account="a1")
    served.submit("a1 ws2", order(served, BUY, 800_000, 10**6, "w"))
    again = replayed(bytes(file.data), 1)
    again.drop_lines()
    assert again.lines() == []
    first, second = again.venue.accounts["a0"].order_by_id.values()
    assert (first.cl_ord_id, first.state) == ("f", OrderState.CANCELED)
    assert (second.cl_ord_id, second.state) == ("g", OrderState.NEW)
    assert [each.cl_ord_id for each in again.records.orders_open("a1")] == ["w"]


def test_the_dead_mans_switch_fires_while_the_venue_was_down() -> None:
    file = MemoryFile()
    served = new_host()
    served.record(begin(file))
    client = Client(served)
    served.submit(client.line_id, order(served, SELL, 990_000, 10**6))
    served.submit(client.line_id, CancelAllAfter(request_id=served.next_request_id(), timeout_s=5))
    again = replayed(bytes(file.data), 1)
    again.drop_lines()
    again.run_until(again.now_ns + 10 * SECOND)
    (ended,) = again.records.orders_ended("a0")
    assert ended.ended_ns == served.now_ns + 5 * SECOND


def test_the_journal_tells_both_times_each_second() -> None:
    file = MemoryFile()
    clock = iter(range(100, 1000))
    served = new_host(wall_ns=lambda: next(clock))
    served.record(begin(file))
    for _ in range(250):
        served.run_until(served.now_ns + SECOND // 50)
    marks = [record for _, record in reopen(bytes(file.data)).records() if isinstance(record, Passed)]
    assert [mark.wall_ns for mark in marks] == [100, 101, 102, 103, 104, 105]
    again = new_host()
    found = again.replay(reopen(bytes(file.data)))
    assert (found.mark_ns, found.mark_wall_ns) == (served.now_ns, 105)


def test_a_journal_that_this_venue_does_not_follow_is_an_error() -> None:
    file, _, _ = recorded(7, 150)
    with pytest.raises(JournalError, match=r"not the one of the journal any more, at byte \d+"):
        new_host(8 % 3).replay(reopen(bytes(file.data)))


def test_a_full_disk_stops_the_venue_before_anything_is_acknowledged() -> None:
    file = MemoryFile()
    served = new_host()
    served.record(begin(file))
    client = Client(served)
    served.submit(client.line_id, order(served, BUY, 800_000, 10**6))
    heard = len(client.heard)
    file.room = len(file.data) + 50
    with pytest.raises(JournalError, match=r"cannot be written \(No space left on device\), so the venue stops"):
        served.submit(client.line_id, order(served, BUY, 800_000, 10**6))
    assert len(client.heard) == heard
    assert len(served.records.orders_open("a0")) == 1
    file.room = 2**40  # too late: nobody may believe that the venue knows what it is missing
    for act in (
        lambda: served.run_until(served.now_ns + 1),
        lambda: served.submit(client.line_id, CancelOrder(request_id=9, order_id="x")),
    ):
        with pytest.raises(JournalError, match="so the venue stops"):
            act()
    again = replayed(bytes(file.data), 1)
    assert [each.order_id for each in again.records.orders_open("a0")] == [
        each.order_id for each in served.records.orders_open("a0")
    ]


def test_what_others_keep_is_given_back_in_its_place() -> None:
    file = MemoryFile()
    served = new_host()
    served.record(begin(file))
    client = Client(served)
    served.keep("someone", b"one")
    served.submit(client.line_id, order(served, BUY, 800_000, 10**6))
    served.keep("someone", b"two")
    served.commit()
    served.keep("someone", b"never written")
    again = new_host()
    given: list[tuple[bytes, int]] = []
    again.kept_by["someone"] = lambda data, ts_ns: given.append((data, len(again.records.orders_open("a0"))))
    again.replay(reopen(bytes(file.data)))
    assert given == [(b"one", 0), (b"two", 1)]


# What a host offers, and whether it changes what the venue does: then its journal must tell of it.
JOURNALED = {
    "adjust_balance",
    "charge_call",
    "drop_line",
    "filled",
    "open_line",
    "order_changed",
    "roll_over",
    "run_until",
    "set_mode",
    "subscribe_news",
}
UNJOURNALED = {
    "ask",  # a question changes nothing
    "call_at",  # for callbacks of gateways, which journal what they do
    "deliver_feed",
    "keep_unheard",
    "listen_mode",
    "listen_rollover",
    "lines",
    "mode_of",
    "modes",
    "moved",  # what margin trading does by itself, which follows from time and commands
    "next_due_ns",
    "next_request_id",  # counted with the commands
    "now_ns",
    "refusal_text",
    "settle",
    "submit",  # journaled when it arrives
    "submit_made",
}


def test_each_method_that_changes_the_venue_is_journaled() -> None:
    public = {name for name, _ in inspect.getmembers(VenueHost) if not name.startswith("_")}
    assert public - JOURNALED - UNJOURNALED == set(), "say here whether the new method's effect must be journaled"
    assert all(name in vars(JournaledHost) for name in JOURNALED)


def test_the_journal_knows_each_command_that_a_venue_takes() -> None:
    assert set(new_host().venue._handlers) == set(get_args(AnyCommand.__value__))
