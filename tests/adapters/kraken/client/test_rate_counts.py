"""The trading counter as the venue publishes it: what others spend of the account's counter is known to the desk.

Pages: websocket-v2/executions (``ratecounter``), guides/spot-rest-ratelimits.
"""

from __future__ import annotations

import pytest

from framework.execution.policy import DeskPolicy
from framework.messages import AddOrder, OrderType
from framework.protocol import BUY, POINT
from tests.adapters.kraken.client.stage import BTC, WireDesk

WS2 = DeskPolicy(submit="ws2", amend="ws2", cancel=("ws2", "rest"), news="ws2", query="rest")


class _Elsewhere:
    """Another program with the same account."""

    line_id = "elsewhere"
    account = "a0"
    label = "rest"
    comp_id: str | None = None

    def on_report(self, report: object, is_response: bool) -> None:
        """Nobody listens."""


def test_orders_of_another_program_of_the_account_raise_the_desks_counter() -> None:
    desk = WireDesk(WS2)
    desk.host.open_line(_Elsewhere())
    for number in range(40):
        order = AddOrder(
            request_id=desk.host.next_request_id(),
            cl_ord_id=f"x{number}",
            symbol="BTC/USD",
            side=BUY,
            order_type=OrderType.LIMIT,
            qty_lots=BTC,
            limit_ticks=900,
        )
        desk.host.submit("elsewhere", order)
    desk.run(5)
    account = desk.host.venue.accounts["a0"]
    theirs = account.counters[0].value_at(desk.host.now_ns) / POINT
    ours = desk.desk.budget.used_share("BTC/USD", desk.host.now_ns) * 180
    assert theirs > 35
    assert ours == pytest.approx(theirs, abs=0.1)
