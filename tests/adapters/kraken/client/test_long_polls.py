"""Polls of a past that is longer than the limit of calls: each goes on where the one before was ended.

Pages: rest-api/get-closed-orders, get-trade-history (50 to a page); guides/spot-rest-ratelimits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from adapters.kraken.client.http_pool import Call
from adapters.kraken.client.rest_past import Past
from adapters.kraken.client.rest_polls import RestPoll
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.rest import endpoints, history
from framework.execution.policy import DeskPolicy
from framework.messages import OrdersSnapshot, OrderState
from framework.protocol import BUY, SELL, OrderType
from tests.adapters.kraken.client.stage import BTC, WireDesk
from tests.framework.execution.desk_rig import add_order

PAGE = 50
_ENDED = history.Order(
    status="canceled",
    descr=history.OrderDescription(pair="XBTUSD", type="buy", ordertype="limit", price="99.0"),
    vol="1.00000000",
    vol_exec="0.00000000",
)


class LimitedCalls:
    """A venue with so many ended orders and trades that answers so many calls of a poll. asked: offsets, in order.
    named: how often orders were asked for by their ids.
    """

    def __init__(self, count: int, calls_max: int) -> None:
        self.named = 0
        self.ids = [f"O{number}" for number in range(count, 0, -1)]
        self.calls_max = calls_max
        self.left = 0
        self.asked: list[int] = []
        self.by_name: list[str] = []
        self.open: dict[str, history.Order] = {}
        self.order = _ENDED
        self.trades: dict[str, history.Trade] = {}
        self.page: dict[str, history.Trade] = {}

    def call(
        self,
        endpoint: Any,
        make: Callable[[int], Any],
        on_result: Callable[[Any], None],
        on_refused: Callable[[str], None],
        on_lost: Any,
        timeout_s: float,
        is_wanted: Callable[[], bool] | None = None,
    ) -> None:
        message = make(1)
        if not self.left:
            on_refused("EAPI:Rate limit exceeded")
            return
        self.left -= 1
        if endpoint is endpoints.OPEN_ORDERS:
            on_result(history.OpenOrders(open=self.open))
            return
        if endpoint is endpoints.QUERY_ORDERS:
            self.named += 1
            on_result(dict.fromkeys(message.txid.split(","), self.order))
            return
        if endpoint is endpoints.QUERY_TRADES:
            on_result({trade_id: self.trades[trade_id] for trade_id in message.txid.split(",")})
            return
        if getattr(message, "cl_ord_id", UNSET) is not UNSET:
            self.by_name.append(message.cl_ord_id)
            on_result(history.ClosedOrders(closed={}, count=0))
            return
        offset = int(message.ofs)
        ids = self.ids[offset : offset + PAGE]
        if endpoint is endpoints.CLOSED_ORDERS:
            self.asked.append(offset)
            row = history.Order(descr=history.OrderDescription(pair="NONE"))
            on_result(history.ClosedOrders(closed=dict.fromkeys(ids, row), count=len(self.ids)))
        else:
            on_result(history.TradesHistory(trades=self.page, count=len(self.page)))


def _trade(order_id: str) -> history.Trade:
    return history.Trade(
        ordertxid=order_id,
        pair="XBTUSD",
        time=Number("1767614400.5"),
        type="buy",
        ordertype="limit",
        price="99.0",
        fee="0.1",
        vol="1.00000000",
        trade_id=1,
        maker=True,
    )


def _desk() -> WireDesk:
    return WireDesk(DeskPolicy(submit="rest", amend="rest", cancel=("rest",), news="rest"))


def _poll(
    calls: LimitedCalls, past: Past, desk: WireDesk | None = None, order_ids: Sequence[str] = ()
) -> OrdersSnapshot | None:
    """One poll; None if it was refused on its way."""
    told: list[OrdersSnapshot] = []
    calls.left = calls.calls_max
    desk = desk or _desk()
    poll = RestPoll(
        calls,  # type: ignore[arg-type]
        desk.parts,
        1,
        past,
        told.append,
        lambda text: None,
        lambda loss, reason: None,
        is_past_wanted=True,
        timeout_s=1.0,
        order_ids=order_ids,
    )
    poll.start()
    return told[0] if told else None


def _lost_orders(count: int) -> WireDesk:
    """A desk that has sent so many orders into a FIX line that was dead already, and has lost it."""
    policy = DeskPolicy(
        submit="fix",
        amend="fix",
        cancel=("fix", "rest"),
        news="fix",
        query="rest",
        answer_timeout_ms=500,
        is_resumed_on_reconnect=False,
    )
    desk = WireDesk(policy)
    desk.lines.current.is_whole = False
    for number in range(count):
        desk.desk.submit(add_order(str(number), limit_ticks=990))
    desk.lines.current.is_whole = True
    desk.cut("fix")
    return desk


def test_a_past_of_many_pages_is_read_in_several_polls_where_the_limit_of_calls_ends_each() -> None:
    calls, past = LimitedCalls(count=600, calls_max=6), Past(0)
    answers = [_poll(calls, past) for _ in range(3)]
    assert [answer is not None for answer in answers] == [False, False, True]
    assert list(past.closed) == calls.ids


def test_orders_that_end_between_two_such_polls_are_read_too() -> None:
    calls, past = LimitedCalls(count=300, calls_max=4), Past(0)
    assert _poll(calls, past) is None
    calls.ids[:0] = [f"N{number}" for number in range(30)]
    while _poll(calls, past) is None:
        assert len(calls.asked) < 20
    assert list(past.closed) == calls.ids


def test_where_more_has_ended_than_a_page_tells_the_reading_begins_anew() -> None:
    calls, past = LimitedCalls(count=100, calls_max=2), Past(0)
    assert _poll(calls, past) is None
    calls.ids[:0] = [f"N{number}" for number in range(60)]
    calls.calls_max = 10
    assert _poll(calls, past) is not None
    assert list(past.closed) == calls.ids


def test_ended_orders_that_were_asked_for_by_id_are_not_asked_for_again_by_the_next_poll() -> None:
    """Else a poll whose last question is over the limit of calls asks in vain for ever."""
    calls, past, desk = LimitedCalls(count=0, calls_max=4), Past(0), _desk()
    desk.parts.memory.found("OLD", "old", "BTC/USD", BUY, OrderType.LIMIT)  # ended before the span of the past
    lost = desk.parts.memory.sent(add_order("lost"), 0)  # neither its id nor its fate is known
    assert _poll(calls, past, desk) is None
    assert calls.named == 1
    assert _poll(calls, past, desk) is not None
    assert calls.named == 1
    assert lost.is_ended


def test_more_lost_orders_than_the_limit_of_calls_lets_ask_for_at_once_are_resolved_one_after_another() -> None:
    """Each may have to be asked for by name, at two calls each, of which an account may make some twenty in a row."""
    desk = _lost_orders(20)
    desk.run(300_000)
    assert {row[1] for row in desk.heard if row[0] == "rejected"} == {str(number) for number in range(20)}
    assert desk.desk.in_flight == {}


def test_lost_orders_are_resolved_together_by_the_span_that_they_were_sent_in() -> None:
    """What ended after they were sent is told page by page: none is asked for by its name."""
    desk = _lost_orders(40)
    desk.run(12_000)
    assert {row[1] for row in desk.heard if row[0] == "rejected"} == {str(number) for number in range(40)}
    assert desk.desk.in_flight == {}
    assert sum(path.endswith("/ClosedOrders") for path in desk.http.requests) < 8


def test_an_order_whose_sending_the_venues_clock_does_not_date_is_asked_for_by_name() -> None:
    calls, desk = LimitedCalls(count=0, calls_max=10), _desk()
    dated = desk.parts.memory.sent(add_order("dated"), 0, sent_venue_ns=5 * 10**9)
    undated = desk.parts.memory.sent(add_order("undated"), 0)
    early = desk.parts.memory.sent(add_order("early"), 0, sent_venue_ns=2 * 10**9)
    assert _poll(calls, Past(3), desk) is not None
    assert calls.by_name == ["undated", "early"]
    assert dated.is_ended
    assert undated.is_ended
    assert early.is_ended


def test_a_long_past_is_not_read_where_all_ids_are_known() -> None:
    calls, desk = LimitedCalls(count=5_000, calls_max=10), _desk()
    for number in range(120):
        desk.parts.memory.found(f"A{number}", f"a{number}", "BTC/USD", BUY, OrderType.LIMIT)
    told = _poll(calls, Past(None), desk)
    assert told is not None
    assert {status.order_id for status in told.orders} == {f"A{number}" for number in range(120)}
    assert calls.named == 3
    assert calls.asked == []


def test_after_an_hour_without_a_poll_ended_orders_are_asked_for_by_id() -> None:
    desk = WireDesk(DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2",), news="ws2", query="rest"))
    desk.add("a", limit_ticks=900)
    desk.add("b", limit_ticks=1_000)
    desk.run(3_600_000)
    desk.http.requests.clear()
    desk.sockets.is_refused = True
    desk.cut("ws2")
    desk.trade_against(SELL, 1_000, 30)
    desk.run(30_000)
    assert ("filled", "b") in [row[:2] for row in desk.heard]
    paths = [path.rsplit("/", 1)[1] for path in desk.http.requests]
    assert "QueryOrders" in paths
    assert "ClosedOrders" not in paths


def test_fills_of_orders_that_an_ended_poll_was_told_of_by_id_are_asked_for_by_the_next() -> None:
    calls, past, desk = LimitedCalls(count=0, calls_max=2), Past(None), _desk()
    known = desk.parts.memory.found("A1", "a", "BTC/USD", BUY, OrderType.LIMIT)
    calls.order = replace(_ENDED, status="closed", vol_exec="1.00000000", trades=["T1"])
    calls.trades = {"T1": _trade("A1")}
    assert _poll(calls, past, desk) is None
    assert not known.is_ended
    told = _poll(calls, past, desk)
    assert told is not None
    assert [(trade.exec_id, trade.order_id, trade.last_lots) for trade in told.trades] == [("T1", "A1", BTC)]
    assert known.is_ended


def test_fills_from_before_the_span_of_open_orders_are_asked_for_by_id() -> None:
    """The span begins when the order was sent, by a clock that may have been wrong then."""
    calls, desk = LimitedCalls(count=0, calls_max=10), _desk()
    desk.parts.memory.found("A1", "a", "BTC/USD", BUY, OrderType.LIMIT)
    calls.open = {"A1": replace(_ENDED, status="open", vol="3.00000000", vol_exec="1.00000000")}
    calls.order = replace(_ENDED, status="open", vol="3.00000000", vol_exec="1.00000000", trades=["T1"])
    calls.trades = {"T1": _trade("A1")}
    told = _poll(calls, Past(1_767_614_448), desk)
    assert told is not None
    assert [(trade.exec_id, trade.order_id, trade.last_lots) for trade in told.trades] == [("T1", "A1", BTC)]


def test_where_ids_are_refused_the_long_past_is_read_after_all() -> None:
    """One of them may be none that the venue still has; nothing is concluded of the others by that."""
    desk = WireDesk(DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2",), news="ws2", query="rest"))
    desk.add("a", limit_ticks=900)
    desk.parts.memory.found("OGONEX-AAAAA-AAAAAA", "gone", "BTC/USD", BUY, OrderType.LIMIT)
    desk.run(3_600_000)
    desk.http.requests.clear()
    desk.desk.query()
    desk.run(10_000)
    desk.desk.query()
    desk.run(30_000)
    paths = [path.rsplit("/", 1)[1] for path in desk.http.requests if "private" in path]
    assert paths[:2] == ["OpenOrders", "QueryOrders"]
    assert "ClosedOrders" in paths
    assert desk.desk.in_flight == {}


def test_of_polls_that_wait_for_a_connection_the_newest_is_written_only() -> None:
    policy = DeskPolicy(
        submit="rest", amend="rest", cancel=("rest",), news="rest", answer_timeout_ms=300, poll_interval_ms=500
    )
    desk = WireDesk(policy)
    held: list[Call] = []
    desk.http.call = held.append  # type: ignore[method-assign]
    desk.run(5_000)
    assert len(held) > 2
    assert [call.is_wanted is not None and call.is_wanted() for call in held] == [False] * (len(held) - 1) + [True]


def test_an_order_that_is_doubted_is_asked_for_by_its_id_though_it_has_ended_for_the_links() -> None:
    calls, desk = LimitedCalls(count=0, calls_max=10), _desk()
    known = desk.parts.memory.found("A1", "a", "BTC/USD", BUY, OrderType.LIMIT)
    desk.parts.memory.end(known)
    told = _poll(calls, Past(None), desk, order_ids=["A1"])
    assert told is not None
    assert [(status.order_id, status.state) for status in told.orders] == [("A1", OrderState.CANCELED)]


def test_an_order_that_was_filled_after_it_was_seen_open_is_asked_for_by_its_id_with_its_new_terms() -> None:
    """It was amended to more in between: that is not its last fill, as it would be of what had been seen."""
    calls, desk = LimitedCalls(count=0, calls_max=10), _desk()
    desk.parts.memory.found("A1", "a", "BTC/USD", BUY, OrderType.LIMIT)
    calls.open = {"A1": replace(_ENDED, status="open", vol="1.00000000")}
    calls.order = replace(_ENDED, status="open", vol="3.00000000", vol_exec="1.00000000", trades=["T1"])
    calls.trades = calls.page = {"T1": replace(_trade("A1"), time=Number(f"{desk.host.now_ns // 10**9}.9"))}
    told = _poll(calls, Past(1_767_614_399), desk)
    assert told is not None
    (status,), (trade,) = told.orders, told.trades
    assert (status.state, status.qty_lots, status.cum_lots) == (OrderState.PARTIALLY_FILLED, 3 * BTC, BTC)
    assert (trade.state, trade.qty_lots, trade.cum_lots) == (OrderState.PARTIALLY_FILLED, 3 * BTC, BTC)


def test_an_open_order_that_was_filled_before_it_was_seen_is_not_asked_for_again() -> None:
    calls, desk = LimitedCalls(count=0, calls_max=10), _desk()
    desk.parts.memory.found("A1", "a", "BTC/USD", BUY, OrderType.LIMIT)
    calls.open = {"A1": replace(_ENDED, status="open", vol="3.00000000", vol_exec="1.00000000")}
    calls.page = {"T1": _trade("A1")}
    told = _poll(calls, Past(1_767_614_399), desk)
    assert told is not None
    assert [trade.exec_id for trade in told.trades] == ["T1"]
    assert calls.named == 0
