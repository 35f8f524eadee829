"""The control API in virtual time: what it shows, what it does, and what it says to what makes no sense."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from framework.protocol import BUY, SELL, TimeInForce, VenueMode
from tests.adapters.kraken.server.control_rig import TOKEN, Control
from tests.framework.venue.served.served_rig import SECOND, START, TRADING, Client, host, order

HOSTILE = '<script>alert("x")</script>'


# ----------------------------------------------------------------------------- who may ask


@pytest.mark.parametrize("token", [None, "", "wrong", "token-of-the-tes", "tøken"])
def test_without_the_token_nothing_is_told_and_nothing_done(token: str | None) -> None:
    control = Control()
    for method, path in (("GET", "/v1/state"), ("POST", "/v1/time/pause"), ("GET", "/v1/none")):
        answer = control.ask(method, path, token=token)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert set(msgspec.json.decode(answer.body)) == {"error"}
    assert not control.get("/time")["is_paused"]


def test_the_page_needs_no_token_and_holds_none() -> None:
    answer = Control().ask("GET", "/", token=None)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert TOKEN.encode() not in answer.body
    assert b"{{" not in answer.body


def test_the_list_of_requests_names_what_each_takes() -> None:
    index = Control().get("")
    assert index["POST /v1/time/step"]["takes"] == {"ms": "a whole number from 0 to 86400000"}
    assert set(index["POST /v1/faults"]["takes"]) >= {"kind", "link", "for_s"}
    for request in index:
        method, path = request.split()
        assert Control().ask(method, path).status in (200, 400)


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/v1/moon", 404, "there is no /v1/moon; GET /v1 lists what there is"),
        ("GET", "/0/public/Time", 404, "there is no /0/public/Time"),
        ("GET", "/v1/time/step", 405, "not by GET; by POST"),
        ("DELETE", "/v1/mode", 405, "not by DELETE; by GET or POST"),
    ],
)
def test_a_request_that_there_is_not_is_told_what_there_is(method: str, path: str, status: int, said: str) -> None:
    answer = Control().ask(method, path)
    assert answer.status == status
    assert msgspec.json.decode(answer.body)["error"].startswith(said)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "the body is not JSON"),
        (b"\xff", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"[1]", "the body is no JSON object"),
        (b'{"minutes": 1}', 'there is no field "minutes"; it has ms'),
        (b"{}", "ms is missing; it must be a whole number from 0 to 86400000"),
        (b'{"ms": null}', "ms is missing"),
        (b'{"ms": -1}', "ms = -1: it must be a whole number"),
        (b'{"ms": 1.5}', "ms = 1.5: it must be a whole number"),
        (b'{"ms": true}', "ms = true: it must be a whole number"),
        (b'{"ms": 99999999999}', "ms = 99999999999: it must be a whole number"),
        (b'{"ms": "%s"}' % (b"9" * 5_000), "ms = "),
        (b'{"ms": {"a": 1}}', 'ms = {"a":1}: it must be'),
    ],
)
def test_a_body_that_makes_no_sense_is_told_why_and_changes_nothing(body: bytes, said: str) -> None:
    control = Control()
    answer = control.ask("POST", "/v1/time/step", body)
    assert answer.status == 400
    assert msgspec.json.decode(answer.body)["error"].startswith(said)
    assert len(answer.body) < 400
    assert control.host.now_ns == START


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/mode", {"mode": "siesta"}, 'mode = "siesta": it must be one of online, cancel_only'),
        ("/mode", {"mode": "online", "pair": "DOGE/USD"}, 'pair = "DOGE/USD": it must be one of BTC/USD'),
        ("/time/speed", {"speed": 0}, "speed = 0: it must be a number above 0"),
        ("/time/speed", {"speed": "1/0"}, 'speed = "1/0": it must be a number above 0'),
        ("/time/pause", {"for": 1}, 'there is no field "for"; it takes nothing'),
        ("/sessions/drop", {}, "nothing given; name what to drop by one of number, kind, account, sender_comp_id, all"),
        ("/sessions/drop", {"kind": "ws_v2", "all": True}, "kind and all given; name"),
        ("/sessions/drop", {"number": 7}, "number = 7: there is no such session; there is none"),
        ("/sessions/drop", {"all": False}, "all = false: it must be true, or left out"),
        ("/sessions/drop", {"all": True, "how": "hard"}, 'how = "hard": it must be one of close, abort, half_open'),
        ("/sessions/drop", {"account": "a9"}, 'account = "a9": it must be one of a0, a1'),
        ("/faults", {}, "[[faults]] kind is missing"),
        ("/faults", {"kind": "flood"}, '[[faults]] kind = "flood"; it must be "drop" or "mode"'),
        ("/faults", {"kind": "drop", "link": "fax"}, '[[faults]] link = "fax"; it must be all, rest'),
        ("/faults", {"kind": "drop", "at_s": "soon"}, '[[faults]] at_s = "soon": it must be a number'),
        ("/faults", {"kind": "drop", "for_s": -1}, "[[faults]] for_s = -1.0: it must be 0 or more"),
        ("/faults", {"kind": "drop", "how": 1}, "[[faults]] has no key how; it has kind, at_s, for_s"),
    ],
)
def test_what_is_wrong_with_an_argument_is_said_with_what_is_allowed(path: str, body: Any, said: str) -> None:
    control = Control()
    assert control.error(path, **body).startswith(said)
    assert control.host.scheduler.next_ns() > START + 10_000 * SECOND


# ----------------------------------------------------------------------------- time


def test_while_time_is_paused_the_venue_stands_still_and_then_goes_on_where_it_was() -> None:
    control = Control()
    control.wait(1)
    assert control.post("/time/pause")["is_paused"]
    control.wait(100)
    assert control.host.now_ns == START + SECOND
    assert not control.post("/time/resume")["is_paused"]
    control.wait(2)
    assert control.get("/time")["time_ns"] == START + 3 * SECOND


def test_a_step_makes_what_is_due_in_it_happen() -> None:
    control = Control()
    control.post("/time/pause")
    client = Client(control.host)
    expire_ns = START + 60 * SECOND
    control.host.submit(
        client.line_id, order(control.host, BUY, 990, 5, time_in_force=TimeInForce.GTD, expire_ns=expire_ns)
    )
    assert control.post("/time/step", ms=59_999)["time_ns"] == expire_ns - 1_000_000
    assert control.get("/orders")["count"] == 1
    control.post("/time/step", ms=1)
    assert control.get("/orders")["count"] == 0
    assert [row["state"] for row in control.get("/orders?state=ended")["orders"]] == ["expired"]


def test_speed_changes_how_fast_time_runs_from_then_on() -> None:
    control = Control()
    control.wait(1)
    assert control.post("/time/speed", speed=2.5)["speed"] == "5/2"
    control.wait(2)
    assert control.get("/time")["time_ns"] == START + 6 * SECOND


# ----------------------------------------------------------------------------- modes, faults


def test_the_mode_of_the_venue_and_of_a_pair_is_set_and_shown() -> None:
    control = Control()
    control.post("/mode", mode="post_only", pair="XBTUSD")
    assert control.get("/mode")["pair_modes"] == {"BTC/USD": "post_only"}
    shown = control.post("/mode", mode="cancel_only")
    assert (shown["mode"], shown["pair_modes"]) == ("cancel_only", {"BTC/USD": "cancel_only"})
    assert control.host.mode is VenueMode.CANCEL_ONLY


def test_a_mode_by_fault_ends_by_itself_and_earlier_by_hand() -> None:
    control = Control()
    assert control.post("/faults", kind="mode", mode="maintenance", for_s=10)["state"] == "lasts"
    control.post("/faults", kind="mode", mode="post_only", at_s=2, for_s=2)
    control.wait(1)
    assert control.get("/mode")["mode"] == "maintenance"
    control.wait(2)
    assert control.get("/mode")["mode"] == "post_only"
    control.post("/mode", mode="online")
    control.wait(3)
    assert control.get("/mode")["mode"] == "online"
    assert [fault["state"] for fault in control.get("/faults")] == ["lasts", "over"]


def test_a_fault_of_a_venue_that_was_in_a_mode_at_its_start_ends_in_that_mode() -> None:
    served = host()
    served.set_mode(VenueMode.CANCEL_ONLY, "BTC/USD")
    control = Control(served=served)
    control.post("/faults", kind="mode", mode="maintenance", symbol="BTC/USD", for_s=1)
    control.wait(2)
    assert control.get("/mode")["pair_modes"] == {"BTC/USD": "cancel_only"}


def test_a_fault_from_now_happens_even_while_time_stands_still() -> None:
    control = Control()
    control.post("/time/pause")
    control.post("/faults", kind="mode", mode="limit_only")
    assert control.get("/mode")["mode"] == "limit_only"


def test_a_drop_silences_a_protocols_lines_cuts_them_when_it_is_seen_and_refuses_new_ones() -> None:
    control = Control()
    _, socket, connection = control.connect()
    other, other_socket, _ = control.connect("fix_trading", control.fix.connect)
    control.post("/faults", kind="drop", link="ws2", at_s=1, for_s=5, detect_ms=500)
    control.wait(1)
    written = len(socket.written)
    connection.receive(b'{"method":"ping"}')
    assert (len(socket.written), socket.is_reading, socket.state) == (written, False, "open")
    assert control.peers.refuses("ws_v2")
    control.wait(0.5)
    assert socket.state == "aborted"
    assert (other_socket.state, other.is_open, control.peers.refuses("fix_trading")) == ("open", True, False)
    control.wait(4.4)
    assert control.peers.refuses("ws_v2")
    control.wait(0.1)
    assert not control.peers.refuses("ws_v2")


def test_a_drop_of_rest_ends_the_requests_that_are_under_way() -> None:
    control = Control()
    control.post("/faults", kind="drop", link="rest", for_s=5)
    assert control.requests_cut == 1
    assert control.peers.is_shut("rest")


def test_lines_are_back_when_the_last_of_two_drops_is_over() -> None:
    control = Control()
    control.post("/faults", kind="drop", link="all", for_s=4)
    control.post("/faults", kind="drop", link="ws2", at_s=2, for_s=6)
    control.wait(5)
    assert (control.peers.is_shut("ws_v2"), control.peers.is_shut("fix_trading")) == (True, False)
    control.wait(3)
    assert not control.peers.is_shut("ws_v2")


# ----------------------------------------------------------------------------- sessions


def test_a_connection_is_shown_with_its_account_and_its_counts() -> None:
    control = Control()
    peer, _, connection = control.connect()
    control.wait(3)
    control.log_in(connection, account=1)
    (shown,) = control.get("/sessions")["connections"]
    assert shown == {
        "number": 1,
        "kind": "ws_v2",
        "protocol": "ws2",
        "address": "127.0.0.1:50001",
        "accounts": ["a1"],
        "opened": "2027-01-15T08:00:00.000000000Z",
        "received": 0,
        "sent": peer.sent,
        "is_half_open": False,
        "fix": None,
    }
    assert peer.sent == 3


def test_fix_sessions_are_shown_with_their_numbers_before_anybody_has_logged_on() -> None:
    assert Control().get("/sessions")["fix_sessions"] == [
        {
            "sender_comp_id": "A0",
            "target_comp_id": "KRAKEN-TRD",
            "account": "a0",
            "is_logged_on": False,
            "next_seq_num_venue": 1,
            "next_seq_num_client": 1,
        }
    ]


@pytest.mark.parametrize(
    ("wanted", "dropped"),
    [
        ({"number": 2}, [2]),
        ({"kind": "ws_v2"}, [1, 2]),
        ({"kind": "fix_trading"}, [3]),
        ({"account": "a1"}, [2]),
        ({"all": True}, [1, 2, 3]),
    ],
)
def test_connections_are_dropped_by_number_kind_account_or_all(wanted: Any, dropped: list[int]) -> None:
    control = Control()
    sockets = []
    for account in (0, 1):
        _, socket, connection = control.connect()
        control.log_in(connection, account)
        sockets.append(socket)
    sockets.append(control.connect("fix_trading", control.fix.connect)[1])
    assert control.post("/sessions/drop", **wanted) == {"dropped": dropped, "how": "close"}
    assert [number for number, socket in enumerate(sockets, 1) if socket.state == "closed"] == dropped


def test_an_aborted_connection_is_cut_and_a_half_open_one_is_left_without_an_answer() -> None:
    control = Control()
    (_, first, _), (_, second, connection) = control.connect(), control.connect()
    control.post("/sessions/drop", number=1, how="abort")
    control.post("/sessions/drop", number=2, how="half_open")
    written = len(second.written)
    connection.receive(b'{"method":"ping"}')
    assert (first.state, second.state, second.is_reading) == ("aborted", "open", False)
    assert len(second.written) == written
    assert [shown["is_half_open"] for shown in control.get("/sessions")["connections"]] == [False, True]


def test_a_half_open_connection_that_is_closed_is_cut_for_it_will_not_answer_a_close() -> None:
    control = Control()
    _, socket, _ = control.connect()
    control.post("/sessions/drop", number=1, how="half_open")
    control.post("/sessions/drop", number=1)
    assert socket.state == "aborted"


# ----------------------------------------------------------------------------- orders, books, money


def test_orders_are_shown_newest_first_with_exact_digits_and_their_text_as_it_is() -> None:
    control = Control()
    client, other = Client(control.host), Client(control.host, account="a1")
    control.host.submit(client.line_id, order(control.host, BUY, 990, 5, HOSTILE))
    control.host.submit(other.line_id, order(control.host, SELL, 1010, 7))
    shown = control.get("/orders")
    assert shown["count"] == 2
    first, second = shown["orders"]
    assert (first["account"], first["side"], first["limit_price"]) == ("a1", "sell", "101.0")
    assert (first["quantity"], first["cl_ord_id"], first["state"]) == ("0.00070000", None, "open")
    assert second["cl_ord_id"] == HOSTILE
    assert [row["account"] for row in control.get("/orders?account=a0&pair=XBTUSD")["orders"]] == ["a0"]
    assert [row["account"] for row in control.get("/orders?limit=1")["orders"]] == ["a1"]


def test_fills_balances_and_the_book_are_shown_with_what_open_orders_hold() -> None:
    control = Control()
    client = Client(control.host)
    control.host.submit(client.line_id, order(control.host, BUY, 1002, 40))
    control.host.submit(client.line_id, order(control.host, SELL, 1010, 10_000))
    (fill,) = control.get("/fills")
    assert (fill["price"], fill["quantity"], fill["cost"], fill["liquidity"]) == (
        "100.2", "0.00400000", "0.40080", "taker",
    )  # fmt: skip
    money = control.get("/balances?account=a0")["a0"]
    assert Decimal(money["BTC"]["held"]) == 1
    assert Decimal(money["BTC"]["total"]) == Decimal("100.004")
    (book,) = control.get("/book?pair=BTC/USD")
    assert book["bids"] == [["100.0", "0.01000000"]]
    assert book["asks"] == [["100.2", "0.00600000"], ["101.0", "1.00000000"]]
    assert control.get("/fills?account=a1") == []


def test_positions_on_margin_are_shown_with_the_level_of_their_account() -> None:
    control = Control()
    client = Client(control.host)
    assert control.get("/margin?account=a0")["a0"] == {
        "valued_in": "USD", "level_percent": None, "equity": "110010.0000", "used_margin": "0.0000",
        "free_margin": "110010.0000", "called": None, "positions": {},
    }  # fmt: skip
    control.host.submit(client.line_id, order(control.host, BUY, 1002, 100, leverage=5))
    shown = control.get("/margin")
    assert (shown["a0"]["used_margin"], shown["a1"]["positions"]) == ("0.2004", {})
    (position,) = shown["a0"]["positions"].values()
    assert (position["type"], position["vol"], position["margin"]) == ("buy", "0.01000000", "0.20040")
    assert Decimal(shown["a0"]["level_percent"]) > 1_000


def test_counters_are_shown_as_they_have_fallen_by_now() -> None:
    control = Control()
    client = Client(control.host)
    control.host.submit(client.line_id, order(control.host, BUY, 990, 5))
    before = control.get("/counters")["a0"]["engine"]["BTC/USD"]
    assert before == {"points": "1", "limit": "180", "decay_per_s": "3.75"}
    control.wait(0.1)
    assert control.get("/counters?account=a0")["a0"]["engine"]["BTC/USD"]["points"] == "0.625"


def test_the_state_is_all_of_it() -> None:
    control = Control(TRADING)
    control.wait(5)
    state = control.get("/state")
    for name in ("orders", "fills", "counters", "balances", "sessions", "faults"):
        assert name in state
    assert (state["mode"], state["is_paused"], state["books"][0]["pair"]) == ("online", False, "BTC/USD")


@pytest.mark.parametrize("is_read", [True, False])
def test_reading_changes_nothing_of_what_clients_hear(is_read: bool) -> None:
    def play(looks: int) -> list[Any]:
        control = Control(TRADING)
        client, other = Client(control.host), Client(control.host, account="a1")
        for step in range(40):
            control.wait(0.1)
            for _ in range(looks):
                for path in ("/state", "/orders?state=all", "/fills", "/book?depth=1000", "/counters", "/sessions"):
                    control.get(path)
            side, price = (BUY, 1000 - step % 3) if step % 2 else (SELL, 1002 + step % 3)
            sender = client if step % 4 < 2 else other
            control.host.submit(sender.line_id, order(control.host, side, price, 3 + step, str(step)))
        return client.heard + other.heard

    heard = play(2 if is_read else 0)
    assert len(heard) > 80
    assert heard == play(0)


# ----------------------------------------------------------------------------- rollover


def test_a_rollover_tells_until_when_logons_are_refused() -> None:
    control = Control()
    assert control.post("/rollover") == {"fix": {"logon_refused_until": "2027-01-15T08:00:30.000000000Z"}}
