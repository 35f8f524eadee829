"""The account's history over REST, against the venue's gateway in virtual time.

Pages: rest-api/get-open-orders, get-closed-orders, get-trade-history; guides/spot-rest-ratelimits.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from adapters.kraken.client.account_history import AccountHistory
from adapters.kraken.client.credentials import Credentials
from adapters.kraken.errors import KrakenError
from framework.execution.policy import DeskPolicy
from framework.messages import OrdersSnapshot, OrderState
from framework.protocol import BUY, SELL, OrderType, TimeInForce
from tests.adapters.kraken.client.stage import WireDesk
from tests.simulation.stage import BTC

REST = DeskPolicy(submit="rest", amend="rest", cancel=("rest",), news="rest")
SECOND_NS = 10**9


def history_of(desk: WireDesk, since_ns: int = 0) -> OrdersSnapshot:
    async def read() -> OrdersSnapshot:
        history = AccountHistory(desk.calls, desk.parts)
        task = asyncio.ensure_future(history.read(since_ns))
        while not task.done():
            desk.run(100)
            await asyncio.sleep(0)
        return await task

    return asyncio.run(read())


def test_open_and_ended_orders_are_told_with_their_terms() -> None:
    desk = WireDesk(REST)
    opened_ns = desk.host.now_ns
    desk.add("resting", limit_ticks=990, is_post_only=True)
    desk.add("taking", qty=2, limit_ticks=None)
    desk.add("passing", limit_ticks=980, time_in_force=TimeInForce.IOC)
    desk.add("dated", limit_ticks=985, time_in_force=TimeInForce.GTD, expire_ns=opened_ns + 3_600 * SECOND_NS)
    orders = {status.cl_ord_id: status for status in history_of(desk).orders}
    resting, taking, passing, dated = (orders[name] for name in ("resting", "taking", "passing", "dated"))
    assert (resting.state, resting.qty_lots, resting.limit_ticks) == (OrderState.NEW, BTC, 990)
    assert resting.terms is not None
    assert (resting.terms.is_post_only, resting.terms.avg_price) == (True, None)
    assert opened_ns <= resting.terms.ts_opened_ns < opened_ns + SECOND_NS
    assert resting.terms.ts_ended_ns is None
    assert (taking.state, taking.cum_lots) == (OrderState.FILLED, 2 * BTC)
    assert taking.terms is not None
    assert (taking.terms.avg_price, taking.terms.is_post_only) == (Decimal("100.1"), False)
    assert taking.terms.ts_ended_ns is not None
    assert passing.state is OrderState.CANCELED
    assert passing.terms is not None
    assert passing.terms.time_in_force is TimeInForce.IOC
    assert dated.terms is not None
    assert dated.terms.time_in_force is TimeInForce.GTD
    assert dated.terms.expire_ns == (opened_ns + 3_600 * SECOND_NS) // SECOND_NS * SECOND_NS


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"trail_offset_ticks": 25}, {"trail_offset_ticks": 25}),
        ({"trail_offset_ppm": 50_000}, {"trail_offset_ppm": 50_000}),
    ],
)
def test_a_trailing_order_is_told_with_its_distance(given: dict[str, int], told: dict[str, int]) -> None:
    desk = WireDesk(REST)
    desk.trade_against(SELL, 1_000, 1)  # a last price
    desk.add("trailing", limit_ticks=None, side=SELL, order_type=OrderType.TRAILING_STOP, **given)
    (status,) = [each for each in history_of(desk).orders if each.cl_ord_id == "trailing"]
    assert status.terms is not None
    assert {name: getattr(status.terms, name) for name in told} == told


def test_trades_are_told_each_with_its_fee_and_its_order() -> None:
    desk = WireDesk(REST)
    desk.add("taking", qty=7, limit_ticks=None)  # two levels
    history = history_of(desk)
    (order,) = history.orders
    first, second = history.trades
    assert [(trade.last_lots, trade.last_ticks) for trade in (first, second)] == [(5 * BTC, 1_001), (2 * BTC, 1_002)]
    assert {trade.order_id for trade in history.trades} == {order.order_id}
    assert first.exec_id != second.exec_id
    assert (first.side, first.fee_asset, first.is_maker) == (BUY, "USD", False)
    assert first.fee is not None
    assert first.fee > 0


def test_what_ended_before_is_not_told_but_what_is_open_is() -> None:
    desk = WireDesk(REST)
    desk.add("old", limit_ticks=None)
    desk.add("resting", limit_ticks=990)
    desk.run(10_000)
    since_ns = desk.host.now_ns
    desk.run(2_000)
    desk.add("new", limit_ticks=None)
    history = history_of(desk, since_ns)
    assert {status.cl_ord_id for status in history.orders} == {"resting", "new"}
    assert len(history.trades) == 1


def test_it_takes_nothing_from_what_the_desk_is_still_to_be_told() -> None:
    """A fill that the history has shown is news for the desk's own poll, and told by it."""
    desk = WireDesk(REST)
    desk.add("resting", qty=1, limit_ticks=1_000)
    desk.trade_against(SELL, 1_000, 20)
    assert history_of(desk).trades
    desk.run(5_000)
    assert [each[:2] for each in desk.heard].count(("filled", "resting")) == 1


def test_the_limit_of_calls_does_not_end_it() -> None:
    desk = WireDesk(REST)
    desk.add("taking", limit_ticks=None)
    begun_ns = desk.host.now_ns
    for _ in range(10):  # each costs four points, and the counter holds twenty
        assert [status.cl_ord_id for status in history_of(desk).orders] == ["taking"]
    assert desk.host.now_ns - begun_ns > 9 * SECOND_NS  # it had to wait


def test_a_refusal_is_an_error_in_the_venues_words() -> None:
    desk = WireDesk(REST)
    desk.calls._credentials = Credentials("wrong", desk.credentials.secret.reveal())
    with pytest.raises(KrakenError, match="the account's history: EAPI:Invalid key"):
        history_of(desk)
