"""The same scenario by simulated links and by links over the wire: the desk says the same, word for word.

Venue order ids, trade ids, quantities, prices and reasons are compared; times and names of sessions are not. Pages:
rest-api/add-order and beside it, websocket-v2/executions, fix-api/er-fix; guides/general/api-comparison.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from framework.execution.policy import DeskPolicy
from framework.protocol import BUY, SELL, OrderType, TimeInForce
from tests.adapters.kraken.client.stage import BTC, Desk, SimDesk, WireDesk

REST = DeskPolicy(submit="rest", amend="rest", cancel=("rest",), news="rest")
WS2 = DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2", "rest"), news="ws2", query="rest")
FIX = DeskPolicy(submit="fix", amend="fix", cancel=("fix", "rest"), news="fix", query="rest")
ROADS = {"rest": REST, "ws2": WS2, "fix": FIX}
POLL_MS = 4_500

Scenario = Callable[[Desk], None]


def add_and_cancel(desk: Desk) -> None:
    desk.add("1")
    desk.desk.cancel("1")
    desk.run(POLL_MS)


def add_and_fill(desk: Desk) -> None:
    desk.add("1", 0.5, 1_000)
    desk.trade_against(SELL, 1_000, 30)
    desk.run(POLL_MS)


def fill_in_parts(desk: Desk) -> None:
    desk.add("1", 10, 1_000, SELL)
    desk.run(POLL_MS)
    desk.add("2", 3, None, BUY)
    desk.run(POLL_MS)


def take_two_levels(desk: Desk) -> None:
    desk.add("1", 7, 1_002)
    desk.run(POLL_MS)


def market_order_in_quote_currency(desk: Desk) -> None:
    from decimal import Decimal

    desk.add("1", 0, None, quote_qty=Decimal("250.5"))
    desk.run(POLL_MS)


def amend(desk: Desk) -> None:
    desk.add("1")
    desk.desk.amend("1", qty_lots=2 * BTC, limit_ticks=991)
    desk.run(POLL_MS)
    desk.desk.amend("1", limit_ticks=985)
    desk.run(POLL_MS)


def amend_below_what_is_filled(desk: Desk) -> None:
    desk.add("1", 8, 1_001)
    desk.desk.amend("1", qty_lots=3 * BTC)
    desk.run(POLL_MS)


def reject(desk: Desk) -> None:
    desk.add("1", 100_000, 1_000)
    desk.add("2", 0.00001)
    desk.run(POLL_MS)


def post_only(desk: Desk) -> None:
    desk.add("1", 1, 1_005, is_post_only=True)
    desk.run(POLL_MS)


def immediate_or_cancel(desk: Desk) -> None:
    desk.add("1", 7, 1_001, time_in_force=TimeInForce.IOC)
    desk.run(POLL_MS)


def good_till_date(desk: Desk) -> None:
    desk.add("1", time_in_force=TimeInForce.GTD, expire_ns=desk.host.now_ns // 10**9 * 10**9 + 8 * 10**9)
    desk.run(12_000)


def stop_that_waits(desk: Desk) -> None:
    desk.add("1", 1, None, SELL, order_type=OrderType.STOP_LOSS, trigger_ticks=900)
    desk.desk.cancel("1")
    desk.run(POLL_MS)


def cancel_twice(desk: Desk) -> None:
    desk.add("1")
    desk.desk.cancel("1")
    desk.desk.cancel("1")
    desk.run(POLL_MS)


def several_orders(desk: Desk) -> None:
    for number in range(1, 5):
        desk.add(str(number), 1, 990 - number)
    desk.desk.cancel_batch(["1", "2"])
    desk.run(POLL_MS)
    desk.desk.cancel_all()
    desk.run(POLL_MS)


def line_drops(desk: Desk) -> None:
    desk.add("1")
    desk.cut(desk.policy.submit)
    desk.run(POLL_MS)


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        add_and_cancel,
        add_and_fill,
        fill_in_parts,
        take_two_levels,
        market_order_in_quote_currency,
        amend,
        amend_below_what_is_filled,
        reject,
        post_only,
        immediate_or_cancel,
        good_till_date,
        stop_that_waits,
        cancel_twice,
        several_orders,
        line_drops,
    )
}


def said(desk: Desk, scenario: Scenario) -> tuple[list[object], list[object]]:
    scenario(desk)
    desk.host.venue.check_invariants()
    return list(desk.heard), list(desk.road)


@pytest.mark.parametrize("name", list(SCENARIOS))
@pytest.mark.parametrize("road", list(ROADS))
def test_the_desk_says_the_same_by_either_kind_of_link(road: str, name: str) -> None:
    simulated = said(SimDesk(ROADS[road]), SCENARIOS[name])
    over_the_wire = said(WireDesk(ROADS[road]), SCENARIOS[name])
    assert over_the_wire == simulated
    assert simulated[0], "a scenario in which nothing happens shows nothing"
