"""A session between two ends of this engine: what the acceptor scenarios of others do not cover."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.fix.codec import encode
from adapters.fix.session import SessionState
from adapters.fix.settings import LogonRefusedError
from adapters.fix.store import FileStore, MemoryStore
from adapters.fix.times import utc_timestamp
from tests.adapters.fix.session_pair import SECOND, Pair, order


def test_both_ends_open_with_one_logon_each() -> None:
    pair = Pair().open()
    assert (pair.client.state, pair.server.state) == (SessionState.OPEN, SessionState.OPEN)
    assert (pair.types("client"), pair.types("server")) == (["A"], ["A"])
    assert (pair.client_ear.opened, pair.server_ear.opened) == (1, 1)


def test_messages_arrive_once_and_in_order_both_ways() -> None:
    pair = Pair().open()
    for number in range(1, 4):
        pair.client.send(b"D", order(number), pair.now_ns)
        pair.server.send(b"D", order(10 * number), pair.now_ns)
    pair.run()
    assert pair.server_ear.orders == [1, 2, 3]
    assert pair.client_ear.orders == [10, 20, 30]


def test_what_was_sent_while_the_line_was_down_is_replayed_with_its_numbers() -> None:
    pair = Pair().open()
    pair.cut()
    numbers = [pair.server.send(b"D", order(number), pair.now_ns) for number in (1, 2)]
    assert numbers == [2, 3]
    pair.open()
    assert pair.client_ear.orders == [1, 2]
    assert pair.types("client") == ["A", "A", "2"]
    assert pair.client.next_target == pair.server.next_sender


def test_what_was_lost_on_the_way_is_replayed_after_reconnecting() -> None:
    pair = Pair().open()
    pair.server.send(b"D", order(1), pair.now_ns)
    pair.lose()
    pair.cut()
    pair.open()
    assert pair.client_ear.orders == [1]


def test_a_replay_says_that_it_is_one_and_when_it_was_first_sent() -> None:
    pair = Pair().open()
    pair.cut()
    pair.server.send(b"D", order(1), pair.now_ns)
    pair.now_ns += 5 * SECOND
    pair.sent.clear()
    pair.open()
    replay = b"".join(data for who, data in pair.sent if who == "server").split(b"8=FIX")[2]
    assert b"\x0134=2\x0143=Y\x01" in replay
    assert b"\x0152=20231114-22:13:25.000\x01" in replay
    assert b"\x01122=20231114-22:13:20.000\x01" in replay


def test_a_message_that_its_sender_holds_for_stale_is_replaced_by_a_gap_fill() -> None:
    pair = Pair().open()
    pair.cut()
    for number in (1, 2, 3):
        pair.server.send(b"D", order(number), pair.now_ns)
    pair.server_ear.stale = {3}
    pair.open()
    assert pair.client_ear.orders == [1, 3]
    assert pair.types("server") == ["A", "A", "D", "4", "D", "4"]


def test_a_reset_forgets_what_was_missed() -> None:
    pair = Pair().open()
    pair.cut()
    pair.server.send(b"D", order(1), pair.now_ns)
    pair.open(is_reset=True)
    assert pair.client_ear.orders == []
    assert (pair.client.next_sender, pair.client.next_target) == (2, 2)
    assert (pair.server.next_sender, pair.server.next_target) == (2, 2)


def test_next_expected_number_in_the_logon_brings_what_was_missed_without_being_asked() -> None:
    pair = Pair(is_next_expected_used=True).open()
    pair.cut()
    pair.server.send(b"D", order(1), pair.now_ns)
    pair.client.send(b"D", order(2), pair.now_ns)
    pair.sent.clear()
    pair.open()
    assert pair.client_ear.orders == [1]
    assert pair.server_ear.orders == [2]


@pytest.mark.parametrize("chunk", [1, 2, 3, 50])
def test_a_gap_is_asked_for_in_chunks_where_that_is_set(chunk: int) -> None:
    pair = Pair(client_resend_chunk=chunk).open()
    for number in range(1, 8):
        pair.server.send(b"D", order(number), pair.now_ns)
    pair.lose()
    pair.server.send(b"D", order(8), pair.now_ns)
    pair.run()
    assert pair.client_ear.orders == list(range(1, 9))
    assert pair.types("client").count("2") == -(-7 // chunk)


@given(st.lists(st.sampled_from(["client", "server", "lose", "cut"]), max_size=40))
@settings(max_examples=150, deadline=None)
def test_whatever_is_lost_everything_arrives_once_and_in_order_in_the_end(steps: list[str]) -> None:
    pair = Pair().open()
    sent: dict[str, list[int]] = {"client": [], "server": []}
    for number, step in enumerate(steps, 1):
        if step in sent:
            end = pair.client if step == "client" else pair.server
            end.send(b"D", order(number), pair.now_ns)
            sent[step].append(number)
        elif step == "lose":
            pair.lose()
        else:
            pair.cut()
            pair.open()
    pair.cut()
    pair.open()
    assert pair.server_ear.orders == sent["client"]
    assert pair.client_ear.orders == sent["server"]
    assert not pair.client.has_gap
    assert not pair.server.has_gap


def test_every_interleaving_of_arrival_and_loss_of_five_messages_heals() -> None:
    for lost in itertools.product([False, True], repeat=5):
        pair = Pair().open()
        for number, is_lost in enumerate(lost, 1):
            pair.server.send(b"D", order(number), pair.now_ns)
            if is_lost:
                pair.lose()
            else:
                pair.run()
        pair.server.send(b"D", order(6), pair.now_ns)
        pair.run()
        assert pair.client_ear.orders == [1, 2, 3, 4, 5, 6], lost


def test_a_number_that_goes_back_ends_the_session() -> None:
    store = MemoryStore()
    pair = Pair(server_store=store).open()
    store.set_next_sender(1)
    pair.server.send(b"D", order(1), pair.now_ns)
    pair.run()
    assert pair.client_ear.orders == []
    assert pair.client_ear.closed == ["MsgSeqNum too low, expecting 2 but received 1"]


def test_a_logon_with_a_number_that_was_used_is_refused_with_the_numbers() -> None:
    pair = Pair().open()
    pair.client.send(b"D", order(1), pair.now_ns)
    pair.run()
    pair.cut()
    pair.client.reset()
    pair.open()
    assert pair.server_ear.closed[-1] == "MsgSeqNum too low, expecting 3 but received 1"
    assert pair.client_ear.closed[-1].endswith("MsgSeqNum too low, expecting 3 but received 1")


def test_a_peer_that_never_fills_a_gap_is_asked_again_each_interval() -> None:
    pair = Pair(heartbeat_s=10).open()
    pair.server.send(b"D", order(1), pair.now_ns)
    pair.lose()
    pair.server.send(b"D", order(2), pair.now_ns)
    pair.client.receive(pair.server.data_to_send(), pair.now_ns)
    assert b"\x0135=2\x01" in pair.client.data_to_send()  # which is lost as well
    pair.wait(11)
    assert pair.client_ear.orders == [1, 2]


def test_more_messages_after_a_gap_than_are_held_end_the_session() -> None:
    pair = Pair(client_held_max=2).open()
    pair.server.send(b"D", order(0), pair.now_ns)
    pair.lose()
    for number in range(1, 4):
        pair.server.send(b"D", order(number), pair.now_ns)
    pair.client.receive(pair.server.data_to_send(), pair.now_ns)
    assert pair.client.wants_close
    assert b"Too many messages after a gap" in pair.client.data_to_send()


# ------------------------------------------------------------------------------------------------------ heartbeats


def test_heartbeats_keep_a_quiet_line_open() -> None:
    pair = Pair(heartbeat_s=5).open()
    pair.sent.clear()
    pair.wait(26)
    assert pair.client.is_open
    assert pair.types("client") == ["0"] * 5
    assert pair.types("server") == ["0"] * 5


def test_a_silent_peer_is_asked_and_then_given_up() -> None:
    pair = Pair(heartbeat_s=10).open()
    pair.wait(11.9, is_server_running=False)
    assert pair.client.state is SessionState.OPEN
    pair.wait(13, is_server_running=False)
    assert pair.client_ear.closed == ["the peer is silent"]


def test_no_heartbeats_where_the_interval_is_nought() -> None:
    pair = Pair(heartbeat_s=0).open()
    pair.sent.clear()
    pair.wait(200)
    assert pair.client.is_open
    assert pair.types("client") == pair.types("server") == []


def test_an_interval_that_is_not_taken_is_refused_without_a_word() -> None:
    pair = Pair(client_heartbeat_s=1, server_heartbeat_s_min=5).open()
    assert pair.types("server") == []
    assert pair.client.state is SessionState.CLOSED


# ---------------------------------------------------------------------------------------------------- logon, logout


def test_a_refused_logon_is_told_why_and_changes_nothing() -> None:
    pair = Pair()
    pair.server_ear.refusal = LogonRefusedError("Invalid password")
    pair.open()
    assert pair.client_ear.closed == ["the logon was refused: Invalid password"]
    assert pair.server.next_target == 1
    assert pair.server_ear.opened == 0


def test_a_refused_logon_without_a_text_is_closed_without_a_word() -> None:
    pair = Pair()
    pair.server_ear.refusal = LogonRefusedError()
    pair.open()
    assert pair.types("server") == []


def test_a_logon_may_carry_fields_of_its_own() -> None:
    pair = Pair()
    pair.client_ear.extra = ((553, b"name"), (554, b"word"))
    pair.open()
    assert pair.client.is_open
    assert b"\x01553=name\x01554=word\x01" in pair.sent[0][1]


def test_logout_is_answered_and_both_ends_close() -> None:
    pair = Pair().open()
    pair.client.logout(pair.now_ns, "done")
    pair.run()
    assert pair.server_ear.closed == ["logout: done"]
    assert pair.client_ear.closed == ["logout"]
    assert pair.line is None


def test_a_logout_without_an_answer_closes_after_its_time() -> None:
    pair = Pair().open()
    pair.client.logout(pair.now_ns)
    pair.wait(2.1, is_server_running=False)
    assert pair.client_ear.closed == ["no answer to the logout"]


def test_a_logon_without_an_answer_closes_after_its_time() -> None:
    pair = Pair()
    pair.line = pair.acceptor.connect(pair.now_ns)
    pair.client.connect(pair.now_ns)
    pair.wait(10.1, is_server_running=False)
    assert pair.client_ear.closed == ["no answer to the logon"]


def test_a_connection_that_never_logs_on_is_closed() -> None:
    pair = Pair()
    line = pair.acceptor.connect(pair.now_ns)
    due_ns = line.next_timer_ns()
    assert due_ns == pair.now_ns + 10 * SECOND
    line.on_timer(due_ns)
    assert line.wants_close


def test_a_second_logon_takes_the_session_over_where_that_is_the_rule() -> None:
    pair = Pair(server_is_new_logon_winning=True).open()
    first = pair.line
    assert first is not None
    pair.client.disconnected(pair.now_ns)
    pair.open()
    assert first.wants_close
    assert pair.client.is_open
    assert pair.server_ear.closed == ["replaced by a new logon"]
    first.closed(pair.now_ns)
    assert pair.server.is_open
    pair.client.send(b"D", order(1), pair.now_ns)
    pair.run()
    assert pair.server_ear.orders == [1]


def test_of_a_long_session_the_newest_messages_are_replayed_and_older_ones_are_gap_filled() -> None:
    pair = Pair(server_store=MemoryStore(messages_max=4)).open()
    pair.cut()
    for number in range(1, 6):
        pair.server.send(b"D", order(number), pair.now_ns)
    pair.open()
    assert pair.client_ear.orders == [3, 4, 5]
    assert pair.client.next_target == pair.server.next_sender


# ---------------------------------------------------------------------------------------------------------- crashes


def test_a_session_goes_on_from_its_file_after_both_ends_have_crashed(tmp_path: Path) -> None:
    stores = [FileStore(tmp_path / "client"), FileStore(tmp_path / "server")]
    pair = Pair(*stores).open()
    pair.client.send(b"D", order(1), pair.now_ns)
    pair.run()
    pair.server.send(b"D", order(2), pair.now_ns)
    pair.client.send(b"D", order(3), pair.now_ns)  # neither leaves its process
    for store in stores:
        store.close()
    again = Pair(FileStore(tmp_path / "client"), FileStore(tmp_path / "server")).open()
    assert again.server_ear.orders == [3]
    assert again.client_ear.orders == [2]


def test_a_message_whose_type_is_empty_is_rejected_and_its_number_used() -> None:
    """Volume 2, "Session reject": a RefMsgType that is empty cannot be sent, so it is left out."""
    pair = Pair().open()
    names = (pair.client.settings.sender_comp_id.encode(), pair.client.settings.target_comp_id.encode())
    header = ((34, b"2"), (49, names[0]), (52, utc_timestamp(pair.now_ns)), (56, names[1]))
    pair.server.receive_frame(encode(b"FIX.4.4", b"", header), pair.now_ns)
    pair.run()
    assert pair.client_ear.rejects == ["Invalid MsgType"]
    assert pair.server.next_target == 3
