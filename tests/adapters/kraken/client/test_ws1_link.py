"""The WebSocket v1 link when something is out of order: news in sequence, tokens, silence, what cannot be read or said.

Pages: websocket-v1/openorders, owntrades (sequence), addorder, cancelorder, cancelallordersafter, heartbeat;
guides/spot-ws-auth (tokens).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from framework.execution.events import SessionClosed
from framework.execution.policy import DeskPolicy
from framework.messages import (
    CancelAllAfter,
    CancelBatch,
    CommandAccepted,
    CommandRejected,
    ExecType,
    ExecutionReport,
    OrdersSnapshot,
    OrderState,
    QueryOrders,
    RateCount,
    SessionOpened,
)
from framework.protocol import POINT, SELL, RejectReason
from tests.adapters.kraken.client.stage import BTC, WireDesk
from tests.adapters.kraken.client.test_ws2_link import heard_by

WS1 = DeskPolicy(submit="ws1", amend="ws1", cancel=("ws1", "rest"), news="ws1", query="rest")


def losing(desk: WireDesk, what: bytes) -> None:
    """The next message that holds these bytes is lost."""
    is_lost = [False]

    def lose(data: bytes) -> bytes | None:
        if what in data and not is_lost[0]:
            is_lost[0] = True
            return None
        return data

    desk.old_sockets.tamper = lose


def written(desk: WireDesk) -> list[dict[str, Any]]:
    """What the link writes from now on."""
    sent: list[dict[str, Any]] = []
    write = desk.old_sockets.current.write

    def note(data: bytes) -> None:
        sent.append(msgspec.json.decode(data))
        write(data)

    desk.old_sockets.current.write = note  # type: ignore[method-assign]
    return sent


# ------------------------------------------------------------------------------------------------- news


def test_a_session_begins_with_the_open_orders_and_what_is_filled_of_them() -> None:
    desk = WireDesk(WS1)
    desk.add("1", 10, 1_000)
    desk.trade_against(SELL, 1_000, 8)
    reports = heard_by(desk, "ws1")
    desk.cut("ws1")
    desk.run(4_000)
    opened, snapshot = [each for each in reports if isinstance(each, (SessionOpened, OrdersSnapshot))]
    assert isinstance(opened, SessionOpened)
    (status,) = snapshot.orders
    assert (status.cl_ord_id, status.state, status.qty_lots, status.cum_lots, status.limit_ticks) == (
        "1",
        OrderState.PARTIALLY_FILLED,
        10 * BTC,
        3 * BTC,  # the market's five were before it
        1_000,
    )


def test_a_fill_is_told_with_its_number_price_fee_and_what_is_filled_in_all_but_not_whether_as_maker() -> None:
    desk = WireDesk(WS1)
    reports = heard_by(desk, "ws1")
    desk.add("1", 7, 1_002)  # takes five at 1001 and two at 1002
    first, second = [each for each in reports if isinstance(each, ExecutionReport) and each.exec_type is ExecType.TRADE]
    assert (first.last_lots, first.last_ticks, first.cum_lots, first.state) == (
        5 * BTC,
        1_001,
        5 * BTC,
        OrderState.PARTIALLY_FILLED,
    )
    assert (second.last_lots, second.cum_lots, second.state) == (2 * BTC, 7 * BTC, OrderState.FILLED)
    assert first.exec_id != second.exec_id
    assert first.fee is not None
    assert first.fee > 0
    assert (first.fee_asset, first.is_maker) == ("USD", None)


def test_that_an_order_is_filled_is_told_beside_its_last_fill() -> None:
    """websocket-v1/openorders, status closed."""
    desk = WireDesk(WS1)
    desk.add("1", 10, 1_000)
    desk.clear()
    reports = heard_by(desk, "ws1")
    desk.trade_against(SELL, 1_000, 15)
    news = [each for each in reports if isinstance(each, ExecutionReport)]
    assert [(each.exec_type, each.state, each.cum_lots) for each in news if each.exec_type is not ExecType.TRADE] == [
        (ExecType.FILLED, OrderState.FILLED, 10 * BTC)
    ]
    assert [each[:2] for each in desk.heard] == [("filled", "1")]


def test_an_order_whose_quantity_the_desk_has_wrong_ends_when_it_is_filled() -> None:
    desk = WireDesk(WS1)
    desk.add("1", 10, 1_000)
    desk.clear()
    record = desk.desk.orders["1"]
    record.qty_lots, record.ts_state_ns = 20 * BTC, desk.host.now_ns + 10**9
    known = desk.parts.memory.find(record.order_id, "1")
    assert known is not None
    known.qty_lots = 20 * BTC
    desk.trade_against(SELL, 1_000, 15)
    assert not record.is_open
    assert [each[:2] for each in desk.heard] == [("filled", "1"), ("canceled", "1")]


def test_where_the_traders_clock_is_ahead_an_order_amended_to_more_is_not_filled_with_what_it_was_before() -> None:
    """websocket-v1/openorders: a new order has no ``lastupdated``, and the trader's clock is not to date its terms."""
    desk = WireDesk(WS1)
    desk.links["ws1"]._clock = _Ahead(desk.clock)
    desk.add("1", 10, 1_000)
    desk.desk.amend("1", qty_lots=20 * BTC)
    desk.run(100)
    desk.trade_against(SELL, 1_000, 15)  # the market's five are before it
    record = desk.desk.orders["1"]
    assert (record.qty_lots, record.cum_lots, record.is_open) == (20 * BTC, 10 * BTC, True)


class _Ahead:
    """A clock that is a minute ahead."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock

    @property
    def now_ns(self) -> int:
        return int(self._clock.now_ns) + 60 * 10**9

    def call_at(self, ts_ns: int, callback: Any) -> None:
        self._clock.call_at(ts_ns - 60 * 10**9, callback)


def test_fills_of_an_order_that_was_open_before_the_session_are_counted_on() -> None:
    desk = WireDesk(WS1)
    desk.add("1", 10, 1_000)
    desk.trade_against(SELL, 1_000, 8)
    desk.cut("ws1")
    desk.run(4_000)
    reports = heard_by(desk, "ws1")
    desk.trade_against(SELL, 1_000, 2)
    trades = [each for each in reports if isinstance(each, ExecutionReport) and each.exec_type is ExecType.TRADE]
    assert [(each.last_lots, each.cum_lots) for each in trades] == [(2 * BTC, 5 * BTC)]


@pytest.mark.parametrize("what", [b'"ownTrades",{"sequence"', b'"openOrders",{"sequence"'])
def test_a_frame_of_news_that_is_missing_ends_the_session_and_the_desk_learns_all_the_same(what: bytes) -> None:
    desk = WireDesk(WS1)
    desk.add("1", 10, 1_000)
    desk.add("2", 1, 985)
    losing(desk, what)
    desk.trade_against(SELL, 1_000, 8)
    desk.trade_against(SELL, 1_000, 8)
    desk.desk.cancel("2")  # whose news shows the gap
    desk.run(10_000)
    ends = [event for event in desk.listener.road if isinstance(event, SessionClosed)]
    assert len(ends) == 1
    assert "news was missed" in ends[0].reason
    assert desk.links["ws1"].is_up
    assert sum(each[3] for each in desk.heard if each[0] == "filled") == 10 * BTC
    assert ("canceled", "2") in [each[:2] for each in desk.heard]
    assert not desk.desk.open_orders


def test_the_counter_that_it_publishes_is_told() -> None:
    desk = WireDesk(WS1)
    reports = heard_by(desk, "ws1")
    desk.add("1")
    counts = [each for each in reports if isinstance(each, RateCount)]
    assert counts
    assert counts[-1].symbol == "BTC/USD"
    assert 0.9 * POINT < counts[-1].points <= POINT


def test_an_order_of_somebody_else_of_the_account_is_known_by_its_terms() -> None:
    desk = WireDesk(WS1)
    reports = heard_by(desk, "ws1")

    class _Elsewhere:
        line_id, account, label, comp_id = "elsewhere", "a0", "rest", None

        def on_report(self, report: object, is_response: bool) -> None:
            """Nobody listens."""

    desk.host.open_line(_Elsewhere())  # type: ignore[arg-type]
    from tests.framework.execution.desk_rig import add_order

    foreign = msgspec.structs.replace(add_order("theirs", BTC, 950), request_id=desk.host.next_request_id())
    desk.host.submit("elsewhere", foreign)
    desk.run(5)
    news = [each for each in reports if isinstance(each, ExecutionReport)]
    assert [each.exec_type for each in news] == [ExecType.PENDING_NEW, ExecType.NEW]
    assert (news[1].symbol, news[1].qty_lots, news[1].limit_ticks) == ("BTC/USD", BTC, 950)
    assert desk.heard == []


# ------------------------------------------------------------------------------------------------- answers


def test_a_cancel_of_several_is_answered_when_each_of_them_has_been() -> None:
    desk = WireDesk(WS1)
    desk.add("1")
    desk.add("2", 1, 985)
    reports = heard_by(desk, "ws1")
    desk.links["ws1"].send(CancelBatch(request_id=901, cl_ord_ids=("1", "2", "9")))
    desk.run(50)
    (answer,) = [each for each in reports if isinstance(each, (CommandAccepted, CommandRejected))]
    assert isinstance(answer, CommandAccepted)
    assert (answer.request_id, answer.count) == (901, 2)


def test_a_cancel_of_none_that_is_open_is_refused_in_the_venues_words() -> None:
    desk = WireDesk(WS1)
    reports = heard_by(desk, "ws1")
    desk.links["ws1"].send(CancelBatch(request_id=901, cl_ord_ids=("8", "9")))
    desk.run(50)
    (answer,) = [each for each in reports if isinstance(each, (CommandAccepted, CommandRejected))]
    assert isinstance(answer, CommandRejected)
    assert (answer.error, answer.reason) == ("EOrder:Unknown order", RejectReason.UNKNOWN_ORDER)


def test_the_dead_mans_switch_is_armed_and_disarmed_and_says_when_it_fires() -> None:
    desk = WireDesk(WS1)
    reports = heard_by(desk, "ws1")
    for number, seconds in enumerate((60, 0)):
        desk.links["ws1"].send(CancelAllAfter(request_id=901 + number, timeout_s=seconds))
    desk.run(50)
    armed, disarmed = [each for each in reports if isinstance(each, CommandAccepted)]
    assert armed.trigger_ns is not None
    assert 59 < (armed.trigger_ns - desk.host.now_ns) / 1e9 <= 61
    assert disarmed.trigger_ns is None


def test_what_it_writes_are_events_with_text_for_decimals_and_the_number_of_the_command() -> None:
    desk = WireDesk(WS1)
    sent = written(desk)
    desk.add("1", 0.5, 990, is_post_only=True)
    (add,) = sent
    assert add.pop("token")
    assert add.pop("deadline").endswith("Z")
    assert isinstance(add.pop("reqid"), int)
    assert len(add.pop("cl_ord_id")) > 0
    assert add == {
        "event": "addOrder",
        "ordertype": "limit",
        "type": "buy",
        "pair": "XBT/USD",
        "volume": "0.50000000",
        "price": "99.0",
        "oflags": "post",
    }


def test_a_market_order_in_quote_currency_is_filled_with_its_last_trade() -> None:
    desk = WireDesk(WS1)
    desk.add("1", 0, None, quote_qty=Decimal("250.5"))
    desk.run(2_000)
    assert [each[0] for each in desk.heard][-1] == "filled"
    assert not desk.desk.open_orders


@pytest.mark.parametrize("command", [QueryOrders(request_id=901)])
def test_what_the_protocol_cannot_say_is_refused_after_the_call_that_sends_it(command: Any) -> None:
    desk = WireDesk(WS1)
    reports = heard_by(desk, "ws1")
    desk.links["ws1"].send(command)
    assert reports == []
    desk.run(1)
    (report,) = reports
    assert (report.request_id, report.reason) == (901, RejectReason.NOT_SUPPORTED)
    assert report.error.startswith("not sent: ")


# ------------------------------------------------------------------------------------------------- the connection


def test_a_token_that_is_not_valid_any_more_is_replaced_and_the_refused_order_is_not_sent_again() -> None:
    desk = WireDesk(WS1)
    desk.links["ws1"]._token = type(desk.links["ws1"]._token)("stale")
    desk.add("1")
    assert desk.heard[-1][:2] == ("rejected", "1")
    desk.add("2")
    assert desk.heard[-1][:2] == ("accepted", "2")


def test_a_connection_that_falls_silent_is_given_up_after_a_ping() -> None:
    desk = WireDesk(WS1)
    sent = written(desk)
    desk.lose_answers("ws1", is_lost=True)
    desk.run(10_900)
    assert {"event": "ping"} in sent
    assert not desk.links["ws1"].is_up
    desk.lose_answers("ws1", is_lost=False)
    desk.run(5_000)
    assert desk.links["ws1"].is_up


def test_a_quiet_connection_lives_by_its_heartbeats() -> None:
    desk = WireDesk(WS1)
    desk.run(120_000)
    assert len(desk.old_sockets.streams) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b'[[{"O1":{"status":"dancing"}}],"openOrders",{"sequence":2}]',
        b'[[{"T1":{"vol":"1"}}],"ownTrades",{"sequence":1}]',
        b'[[{"O1":{"descr":{"pair":"XBT/USD"},"vol":"x"}}],"openOrders",{"sequence":2}]',
    ],
)
def test_a_message_that_cannot_be_read_ends_the_session_and_a_new_one_begins(data: bytes) -> None:
    desk = WireDesk(WS1)
    desk.add("1")
    desk.old_sockets.current._handler.received(data)
    assert not desk.links["ws1"].is_up
    desk.run(4_000)
    assert desk.links["ws1"].is_up


def test_events_that_are_not_known_are_passed_over() -> None:
    desk = WireDesk(WS1)
    desk.old_sockets.current._handler.received(b'{"event":"dance","status":"ok"}')
    desk.old_sockets.current._handler.received(b'{"event":"addOrderStatus","status":"ok","reqid":"text"}')
    assert desk.links["ws1"].is_up


def test_a_subscription_that_is_refused_is_tried_again_and_no_secret_is_told() -> None:
    desk = WireDesk(WS1)
    token = desk.links["ws1"]._token.reveal()
    desk.old_sockets.current._handler.received(
        b'{"event":"subscriptionStatus","status":"error","errorMessage":"ESession:Invalid session"}'
    )
    (end,) = [event for event in desk.listener.road if isinstance(event, SessionClosed)]
    assert end.reason == "a subscription to own orders was refused: ESession:Invalid session"
    assert token not in repr(desk.links["ws1"].__dict__)
    desk.run(4_000)
    assert desk.links["ws1"].is_up
