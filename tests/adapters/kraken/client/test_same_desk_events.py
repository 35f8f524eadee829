"""The same scenario by simulated links and by links over the wire: the desk says the same, word for word.

Venue order ids, trade ids, quantities, prices and reasons are compared; times and names of sessions are not. Pages:
rest-api/add-order and beside it, websocket-v2/executions, fix-api/er-fix; guides/general/api-comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from framework.execution.policy import DeskPolicy
from framework.protocol import BUY, SELL, OrderType, StpMode, TimeInForce, VenueMode
from tests.adapters.kraken.client.stage import BTC, Desk, SimDesk, WireDesk
from tests.framework.execution.desk_rig import add_order
from tests.simulation.stage import trade

REST = DeskPolicy(submit="rest", amend="rest", cancel=("rest",), news="rest")
WS2 = DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2", "rest"), news="ws2", query="rest")
FIX = DeskPolicy(submit="fix", amend="fix", cancel=("fix", "rest"), news="fix", query="rest")
WS1 = DeskPolicy(submit="ws1", amend="ws1", cancel=("ws1", "rest"), news="ws1", query="rest")
ROADS = {"rest": REST, "ws1": WS1, "ws2": WS2, "fix": FIX}
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


def batch_of_which_one_is_refused(desk: Desk) -> None:
    orders = [add_order(name, lots, 990) for name, lots in (("1", BTC), ("2", 1), ("3", 2 * BTC))]
    desk.desk.submit_batch(orders)
    desk.run(POLL_MS)


def batch(desk: Desk) -> None:
    desk.desk.submit_batch([add_order(name, BTC, 990) for name in ("1", "2", "3")])
    desk.run(POLL_MS)


def validate(desk: Desk) -> None:
    desk.desk.validate(add_order("1", BTC, 990))
    desk.desk.validate(add_order("2", 1, 990))
    desk.run(POLL_MS)
    desk.add("1")


def dead_mans_switch(desk: Desk) -> None:
    desk.add("1")
    if "rest" in desk.links:
        desk.desk.cancel_all_after(10, via=None if desk.policy.submit != "fix" else "rest")
    desk.run(15_000)


def iceberg(desk: Desk) -> None:
    desk.add("1", 8, 1_000, SELL, order_type=OrderType.ICEBERG, display_lots=BTC)
    desk.run(POLL_MS)
    desk.desk.amend("1", display_lots=2 * BTC)
    desk.run(POLL_MS)


def stop_that_fires(desk: Desk) -> None:
    desk.add("1", 1, None, SELL, order_type=OrderType.STOP_LOSS, trigger_ticks=995)
    desk.add("2", 1, 985, SELL, order_type=OrderType.STOP_LOSS_LIMIT, trigger_ticks=995)
    desk.run(POLL_MS)
    desk.run(4_000)


def take_profit_that_fires_and_waits(desk: Desk) -> None:
    desk.add("1", 1, 1_010, SELL, order_type=OrderType.TAKE_PROFIT_LIMIT, trigger_ticks=1_003)
    desk.run(POLL_MS)
    desk.run(4_000)


def trailing_stop(desk: Desk) -> None:
    desk.add("1", 1, None, SELL, order_type=OrderType.TRAILING_STOP, trail_offset_ticks=4)
    desk.run(POLL_MS)
    desk.run(4_000)


def trailing_stop_limit(desk: Desk) -> None:
    trail: dict[str, Any] = {"trail_offset_ticks": 4, "limit_offset_ticks": -3}
    desk.add("1", 1, None, SELL, order_type=OrderType.TRAILING_STOP_LIMIT, **trail)
    desk.run(POLL_MS)
    desk.run(4_000)


def fill_or_kill(desk: Desk) -> None:
    desk.add("1", 50, 1_001, time_in_force=TimeInForce.FOK)
    desk.add("2", 2, 1_001, time_in_force=TimeInForce.FOK)
    desk.run(POLL_MS)


def own_orders_that_would_trade(desk: Desk) -> None:
    desk.add("1", 1, 1_000, SELL)
    desk.add("2", 1, 1_000, stp_mode=StpMode.CANCEL_OLDEST)
    desk.run(POLL_MS)


def order_that_begins_later(desk: Desk) -> None:
    desk.add("1", start_ns=desk.host.now_ns // 10**9 * 10**9 + 3 * 10**9)
    desk.run(6_000)


def venue_that_takes_cancels_only(desk: Desk) -> None:
    desk.add("1")
    desk.host.set_mode(VenueMode.CANCEL_ONLY, None)
    desk.run(100)
    desk.add("2")
    desk.desk.cancel("1")
    desk.run(31_000)  # a venue that is only asked says so by then


# What happens in the market while a scenario runs, in seconds after its start.
TRIGGERS = (trade(6.2, BUY, 1_003, BTC), trade(7.0, SELL, 995, BTC), trade(7.5, SELL, 990, BTC))
MARKETS: dict[str, tuple[Any, ...]] = {
    "stop_that_fires": TRIGGERS,
    "take_profit_that_fires_and_waits": TRIGGERS,
    "trailing_stop": TRIGGERS,
    "trailing_stop_limit": TRIGGERS,
}
# What a protocol does not have, or does not tell: WebSocket v2 says nothing of the limit that a trigger has set.
# WebSocket v1 has no icebergs and no fill-or-kill orders.
NOT_BY = {
    "rest": (),
    "ws1": ("iceberg", "fill_or_kill", "trailing_stop_limit"),
    "ws2": ("trailing_stop_limit",),
    "fix": ("validate",),
}

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
        batch,
        batch_of_which_one_is_refused,
        validate,
        dead_mans_switch,
        iceberg,
        stop_that_fires,
        take_profit_that_fires_and_waits,
        trailing_stop,
        trailing_stop_limit,
        fill_or_kill,
        own_orders_that_would_trade,
        order_that_begins_later,
        venue_that_takes_cancels_only,
    )
}


def said(desk: Desk, scenario: Scenario) -> tuple[list[object], list[object]]:
    scenario(desk)
    desk.host.venue.check_invariants()
    return list(desk.heard), list(desk.road)


@pytest.mark.parametrize("name", list(SCENARIOS))
@pytest.mark.parametrize("road", list(ROADS))
def test_the_desk_says_the_same_by_either_kind_of_link(road: str, name: str) -> None:
    if name in NOT_BY[road]:
        pytest.skip("the protocol does not have it, or does not tell it")
    rows = MARKETS.get(name, ())
    simulated = said(SimDesk(ROADS[road], rows), SCENARIOS[name])
    over_the_wire = said(WireDesk(ROADS[road], rows), SCENARIOS[name])
    assert over_the_wire == simulated
    assert simulated[0], "a scenario in which nothing happens shows nothing"


@pytest.mark.parametrize("road", ["rest", "ws1", "ws2"])
def test_an_order_with_a_client_id_is_amended_where_an_edit_was_asked_for(road: str) -> None:
    """rest-api/edit-order, websocket-v1/editorder, websocket-v2/edit_order: such orders are not edited."""
    desk = WireDesk(ROADS[road])
    desk.add("1")
    desk.desk.amend("1", limit_ticks=991, is_edit=True)
    desk.run(POLL_MS)
    assert desk.heard[-1] == ("updated", "1", desk.desk.orders["1"].qty_lots, 991)
