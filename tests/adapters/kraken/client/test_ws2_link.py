"""The WebSocket v2 link when something is out of order: news in sequence, tokens, silence, what cannot be read.

Pages: websocket-v2/executions (sequence), websocket-v2/heartbeat, guides/spot-ws-auth (tokens).
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from adapters.kraken.client.ws2_executions import Ws2Executions
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.ws2.account import Execution, ExecutionsFrame
from framework.execution.events import SessionClosed
from framework.execution.policy import DeskPolicy
from framework.messages import (
    CancelBatch,
    CommandRejected,
    ExecType,
    ExecutionReport,
    OrdersSnapshot,
    OrderState,
    QueryOrders,
    SessionOpened,
)
from framework.protocol import SELL, RejectReason
from tests.adapters.kraken.client.stage import BTC, WireDesk

WS2 = DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2", "rest"), news="ws2", query="rest")


def heard_by(desk: WireDesk, name: str = "ws2") -> list[Any]:
    """All reports of a link from now on, which the desk hears too."""
    reports: list[Any] = []
    on_report = desk.desk.on_report

    def hear(link: str, report: Any) -> None:
        reports.append(report)
        on_report(link, report)

    desk.links[name].attach(hear, desk.desk.on_session_closed)
    return reports


def losing(desk: WireDesk, what: bytes) -> None:
    """The next message that holds these bytes is lost."""
    is_lost = [False]

    def lose(data: bytes) -> bytes | None:
        if what in data and not is_lost[0]:
            is_lost[0] = True
            return None
        return data

    desk.sockets.tamper = lose


def test_a_frame_of_news_that_is_missing_makes_the_subscription_begin_anew_and_the_desk_ask() -> None:
    desk = WireDesk(WS2)
    desk.add("1", 10, 1_000)
    desk.add("2", 1, 985)
    reports = heard_by(desk)
    losing(desk, b'"exec_type":"trade"')
    desk.trade_against(SELL, 1_000, 8)
    desk.desk.cancel("2")  # whose news shows the gap
    desk.run(6_000)
    assert [type(each) for each in reports if isinstance(each, (SessionOpened, OrdersSnapshot))] == [
        SessionOpened,
        OrdersSnapshot,
    ]
    assert desk.links["ws2"].is_up
    assert len(desk.sockets.streams) == 1
    assert ("filled", "1") in [each[:2] for each in desk.heard]


@pytest.mark.parametrize("lost", [b'"method":"unsubscribe"', b'"type":"snapshot"'], ids=["answer", "snapshot"])
def test_a_subscription_that_does_not_begin_anew_in_time_ends_the_line_and_the_next_one_tells_all(lost: bytes) -> None:
    desk = WireDesk(WS2)
    desk.add("1")
    desk.add("2", 1, 985)
    are_lost = [b'"exec_type":"canceled"', lost]

    def lose(data: bytes) -> bytes | None:
        if are_lost and are_lost[0] in data:
            del are_lost[0]
            return None
        return data

    desk.sockets.tamper = lose
    desk.desk.cancel("1")
    desk.run(50)
    desk.desk.cancel("2")  # whose news shows the gap
    desk.run(14_000)
    assert (are_lost, len(desk.sockets.streams)) == ([], 1)
    desk.run(6_000)
    assert len(desk.sockets.streams) == 2
    assert desk.links["ws2"].is_up
    desk.add("3", 1, 980)
    desk.desk.cancel("3")
    desk.run(1_000)
    assert ("canceled", "3") in [each[:2] for each in desk.heard]


def test_what_ended_in_a_frame_that_is_missing_is_learned_all_the_same() -> None:
    desk = WireDesk(WS2)
    desk.add("1")
    desk.add("2", 1, 985)
    losing(desk, b'"exec_type":"canceled"')
    desk.desk.cancel("1")
    desk.run(50)
    desk.desk.cancel("2")
    desk.run(8_000)
    assert {each[:2] for each in desk.heard if each[0] == "canceled"} == {("canceled", "1"), ("canceled", "2")}
    assert not desk.desk.open_orders


def test_a_token_that_is_not_valid_any_more_is_replaced_and_the_refused_order_is_not_sent_again() -> None:
    desk = WireDesk(WS2)
    desk.links["ws2"]._token = type(desk.links["ws2"]._token)("stale")
    desk.add("1")
    assert desk.heard[-1][:2] == ("rejected", "1")
    desk.add("2")
    assert desk.heard[-1][:2] == ("accepted", "2")


def test_each_connection_has_a_token_of_its_own() -> None:
    desk = WireDesk(WS2)
    first = desk.links["ws2"]._token
    desk.cut("ws2")
    desk.run(4_000)
    assert desk.links["ws2"].is_up
    assert desk.links["ws2"]._token != first


def test_a_connection_that_falls_silent_is_given_up_after_a_ping() -> None:
    desk = WireDesk(WS2)
    sent: list[bytes] = []
    write = desk.sockets.current.write
    desk.sockets.current.write = lambda data: (sent.append(data), write(data))[1]  # type: ignore[method-assign]
    desk.lose_answers("ws2", is_lost=True)
    desk.run(10_900)
    assert b'{"method":"ping"}' in sent
    assert not desk.links["ws2"].is_up
    assert "nothing was heard" in desk.listener.road[0].reason  # type: ignore[attr-defined]
    desk.lose_answers("ws2", is_lost=False)
    desk.run(5_000)
    assert desk.links["ws2"].is_up


def test_a_quiet_connection_lives_by_its_heartbeats() -> None:
    desk = WireDesk(WS2)
    desk.run(120_000)
    assert len(desk.sockets.streams) == 1
    assert desk.links["ws2"].is_up


def test_a_connection_that_is_refused_is_tried_after_longer_and_longer_pauses_that_no_other_link_has() -> None:
    def attempts(seed: int) -> list[int]:
        desk = WireDesk(WS2)
        desk.links["ws2"]._backoff._draw.seed(seed)
        desk.sockets.is_refused = True
        desk.cut("ws2")
        times = []
        for _ in range(60_000 // 50):
            before = len(desk.sockets.streams)
            desk.run(50)
            if len(desk.sockets.streams) > before:
                times.append(desk.host.now_ns)
        return times

    times = attempts(1)
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses[-1] > 5 * pauses[0]
    assert len(times) < 20
    assert attempts(2) != times
    assert attempts(1) == times


@pytest.mark.parametrize("data", [b"{", b'{"channel":"executions","type":"update","data":[{"x":1}],"sequence":2}'])
def test_a_message_that_cannot_be_read_ends_the_session_and_a_new_one_begins(data: bytes) -> None:
    desk = WireDesk(WS2)
    desk.sockets.current._handler.received(data)
    assert not desk.links["ws2"].is_up
    desk.run(4_000)
    assert desk.links["ws2"].is_up


def test_messages_of_channels_and_methods_that_are_not_known_are_passed_over() -> None:
    desk = WireDesk(WS2)
    desk.sockets.current._handler.received(b'{"channel":"news of tomorrow","data":[]}')
    desk.sockets.current._handler.received(b'{"method":"dance","success":true}')
    assert desk.links["ws2"].is_up


def test_what_the_protocol_cannot_say_is_refused_after_the_call_that_sends_it() -> None:
    desk = WireDesk(WS2)
    reports = heard_by(desk)
    desk.links["ws2"].send(QueryOrders(request_id=901))
    assert reports == []
    desk.run(1)
    (report,) = reports
    assert isinstance(report, CommandRejected)
    assert (report.request_id, report.reason) == (901, RejectReason.NOT_SUPPORTED)
    assert report.error.startswith("not sent: ")


def test_what_is_sent_while_the_link_is_down_is_lost_without_a_word() -> None:
    desk = WireDesk(WS2)
    reports = heard_by(desk)
    desk.sockets.is_refused = True
    desk.cut("ws2")
    desk.links["ws2"].send(CancelBatch(request_id=901, cl_ord_ids=("1", "2")))
    desk.run(500)
    assert reports == []


def test_closing_a_link_ends_its_session() -> None:
    desk = WireDesk(WS2)
    desk.desk.stop()
    for link in desk.links.values():
        link.close()
    desk.run(5_000)
    ends = [event for event in desk.listener.road if isinstance(event, SessionClosed)]
    assert [(event.link, event.reason) for event in ends] == [("ws2", "logout"), ("rest", "logout")]


# ------------------------------------------------------------------------------------------------- ends


def test_that_an_order_is_filled_is_told_after_its_last_fill_which_does_not_say_so() -> None:
    desk = WireDesk(WS2)
    desk.add("1", 10, 1_000)
    desk.clear()
    reports = heard_by(desk)
    desk.trade_against(SELL, 1_000, 15)  # the market's five are before it
    news = [each for each in reports if isinstance(each, ExecutionReport)]
    assert [(each.exec_type, each.state, each.cum_lots) for each in news] == [
        (ExecType.TRADE, OrderState.PARTIALLY_FILLED, 10 * BTC),
        (ExecType.FILLED, OrderState.FILLED, 10 * BTC),
    ]
    assert desk.heard == [("filled", "1", news[0].exec_id, 10 * BTC)]


@pytest.mark.parametrize("exec_type", ["filled", "status", "amended"])
def test_a_row_that_shows_an_order_filled_is_news_of_its_end_whatever_it_tells_besides(exec_type: str) -> None:
    desk = WireDesk(WS2)
    desk.add("1", 10, 990)
    record = desk.desk.orders["1"]
    assert record.order_id is not None
    news = Ws2Executions(desk.parts)
    news.snapshot(ExecutionsFrame(type="snapshot", data=[], sequence=1))
    row = Execution(
        order_id=record.order_id,
        exec_type=exec_type,
        order_status="filled",
        cum_qty=Number("4.0"),
        timestamp="2026-01-05T12:00:01.000000Z",
    )
    (report,) = news.update(ExecutionsFrame(type="update", data=[row], sequence=2))
    assert (report.exec_type, report.state, report.cum_lots) == (ExecType.FILLED, OrderState.FILLED, 4 * BTC)


def test_an_order_whose_quantity_the_desk_has_wrong_ends_when_it_is_filled() -> None:
    desk = WireDesk(WS2)
    desk.add("1", 10, 1_000)
    desk.clear()
    record = desk.desk.orders["1"]
    record.qty_lots, record.ts_state_ns = 20 * BTC, desk.host.now_ns + 10**9
    desk.trade_against(SELL, 1_000, 15)  # the market's five are before it
    assert not record.is_open
    assert [each[:2] for each in desk.heard] == [("filled", "1"), ("canceled", "1")]


def test_an_order_whose_end_the_links_have_told_and_the_desk_has_not_heard_is_asked_for_by_its_id() -> None:
    desk = WireDesk(WS2)
    desk.add("1", 10, 990)
    desk.clear()
    record = desk.desk.orders["1"]
    on_report = desk.desk.on_report

    def hear(link: str, report: Any) -> None:
        if getattr(report, "exec_type", None) is not ExecType.CANCELED:
            on_report(link, report)

    desk.links["ws2"].attach(hear, desk.desk.on_session_closed)
    desk.desk.cancel("1")
    desk.run(2_000)
    assert record.is_open
    desk.desk.query()
    desk.run(5_000)
    assert not record.is_open
    assert [each[:2] for each in desk.heard] == [("canceled", "1")]
