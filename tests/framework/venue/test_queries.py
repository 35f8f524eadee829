"""Polls: what they tell and what they are charged. Pages: rest-api/get-open-orders, rest-api/get-orders-info,
guides/spot-rest-ratelimits, guides/rest/ratelimits (a starter's counter: 15, falling by 0.33 a second)."""

from __future__ import annotations

from decimal import Decimal

from framework.messages import ExecType, OrdersSnapshot, OrderState, QueryOrders
from framework.protocol import SELL, Protocol
from tests.framework.venue.venue_rig import SECOND, START_NS, Rig, touch


def _poll(rig: Rig, since_s: float = 0, line: str = "rest") -> OrdersSnapshot:
    rig.send(line, QueryOrders(request_id=rig.next_id(), since_ns=START_NS + round(since_s * SECOND)))
    (snapshot,) = rig.reports(line)
    assert isinstance(snapshot, OrdersSnapshot)
    return snapshot


def _calls(rig: Rig) -> Decimal:
    return Decimal(rig.venue.accounts["a"].call_counters[Protocol.REST].value_at(rig.now_ns)) / 10**11


def test_a_poll_tells_of_open_orders() -> None:
    rig = Rig(touch())
    order = rig.add()
    (status,) = _poll(rig).orders
    assert (status.order_id, status.cl_ord_id, status.state, status.cum_lots) == (
        order.order_id,
        order.cl_ord_id,
        OrderState.NEW,
        0,
    )


def test_a_poll_tells_of_a_fill_and_of_the_order_that_it_ended() -> None:
    rig = Rig(touch())
    order = rig.add()
    rig.at(5).hit(SELL, 100, 1000)
    snapshot = _poll(rig.at(6), since_s=1)
    (trade,) = snapshot.trades
    assert (trade.exec_type, trade.order_id, trade.last_lots) == (ExecType.TRADE, order.order_id, 100)
    assert [status.state for status in snapshot.orders] == [OrderState.FILLED]


def test_a_poll_tells_why_an_order_was_canceled() -> None:
    rig = Rig(touch())
    rig.add("ws2", limit_ticks=1001, is_post_only=True)
    (status,) = _poll(rig).orders
    assert (status.state, status.reason) == (OrderState.CANCELED, "EOrder:Post only order")


def test_a_poll_leaves_out_what_happened_before_its_time() -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=1001)
    snapshot = _poll(rig.at(10), since_s=5)
    assert (snapshot.orders, snapshot.trades) == ((), ())


def test_what_happened_at_its_time_is_told() -> None:
    rig = Rig(touch())
    rig.at(5).add(limit_ticks=1001)
    assert len(_poll(rig.at(10), since_s=5).trades) == 1


def test_a_poll_tells_nothing_of_another_account() -> None:
    rig = Rig(touch())
    rig.venue.connect("other", "b", "rest", rig.now_ns)
    rig.send("other", rig.order())
    assert _poll(rig).orders == ()


def test_a_poll_without_changes_is_charged_one_call() -> None:
    rig = Rig(touch())
    rig.add()
    _poll(rig)
    assert _calls(rig) == 1


def test_a_poll_that_has_to_ask_for_changes_too_is_charged_for_orders_and_trades() -> None:
    rig = Rig(touch())
    rig.add(limit_ticks=1001)
    _poll(rig)
    # Open orders 1, orders by id 1, trades 2.
    assert _calls(rig) == 4


def test_trades_cost_four_under_the_other_reading() -> None:
    rig = Rig(touch(), switches={"history_call_cost": "4"})
    rig.add(limit_ticks=1001)
    _poll(rig)
    assert _calls(rig) == 6


def test_trading_is_not_charged_to_the_call_counter() -> None:
    rig = Rig(touch())
    rig.cancel(rig.add())
    assert _calls(rig) == 0


def test_a_poll_over_the_call_limit_is_refused_and_tells_nothing() -> None:
    rig = Rig(touch(), tier="starter")
    for _ in range(15):
        _poll(rig)
    command = QueryOrders(request_id=rig.next_id())
    assert rig.refused("rest", command) == "EAPI:Rate limit exceeded"


def test_the_call_counter_falls_with_time() -> None:
    rig = Rig(touch(), tier="starter")
    for _ in range(15):
        _poll(rig)
    rig.at(3)
    # 15 less 3 times 0.33 is 14.01: one more call would be 15.01.
    assert rig.refused("rest", QueryOrders(request_id=rig.next_id())) == "EAPI:Rate limit exceeded"


def test_two_rest_lines_of_an_account_share_the_call_counter() -> None:
    rig = Rig(touch(), tier="starter")
    rig.venue.connect("rest2", "a", "rest", rig.now_ns)
    for _ in range(15):
        _poll(rig)
    assert rig.refused("rest2", QueryOrders(request_id=rig.next_id())) == "EAPI:Rate limit exceeded"


def test_websocket_has_no_poll() -> None:
    rig = Rig(touch())
    assert rig.refused("ws2", QueryOrders(request_id=rig.next_id())) == "EGeneral:Unknown method"


def test_a_poll_tells_of_an_ended_order_that_it_names_with_its_fills_however_long_ago_it_ended() -> None:
    """rest-api/get-orders-info."""
    rig = Rig(touch())
    order, other = rig.add(), rig.add()
    rig.at(5).hit(SELL, 200, 1000)
    rig.at(20)
    query = QueryOrders(request_id=rig.next_id(), since_ns=rig.now_ns, order_ids=(order.order_id, "O-NOBODYS"))
    rig.send("rest", query)
    (snapshot,) = rig.reports("rest")
    assert isinstance(snapshot, OrdersSnapshot)
    assert [(each.order_id, each.state) for each in snapshot.orders] == [(order.order_id, OrderState.FILLED)]
    assert [(each.order_id, each.last_lots) for each in snapshot.trades] == [(order.order_id, 100)]
    assert not other.is_open
