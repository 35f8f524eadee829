"""The end of a live run over REST whose rate counter is used up: few requests, own orders only.

guides/spot-ratelimits: a batch of cancels is let in over the limit, single cancels are refused.
"""

from __future__ import annotations

from collections import Counter

import pytest

from adapters.kraken.profile import PROFILE
from framework.backtest.loading import resolve_road
from framework.messages import AddOrder, CancelBatch, CancelOrder
from framework.protocol import BUY, OrderType
from framework.strategy import Strategy, StrategyConfig
from tests.simulation.stage import BTC
from tests.simulation.wire.network import Connection
from tests.simulation.wire.node_end import NodeEnd, live_config
from tests.simulation.wire.world import Setting, World

COUNT = 20


class Restless(Strategy):
    """Places orders far from the market and moves them until its budget is used up."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig())

    def on_start(self) -> None:
        pair = self.instrument_ids[0]
        orders = [self.buy(pair, BTC // 100, 800 + number) for number in range(COUNT)]
        for step in range(1, 4):
            self.clock.set_time_alert_ns(
                f"step {step}",
                self.clock.timestamp_ns() + step * 10**9,
                lambda _, step=step: [self.move(order, price_ticks=700 + step) for order in orders],
            )


class _Other:
    """A program of the same account's owner, with an order of its own."""

    line_id = "by hand"
    account = "a0"
    label = "rest"
    comp_id: str | None = None

    def on_report(self, report: object, is_response: bool) -> None:
        """It does not listen."""


@pytest.mark.parametrize("road", ["rest", "rest+ws"])
def test_own_orders_are_canceled_at_once_by_few_requests_and_others_stay(road: str) -> None:
    config = live_config(road, dead_man_s=0, balances_s=0, orders_s=0)
    _, policy = resolve_road(PROFILE, config.road)
    setting = Setting(policy=policy, tier="intermediate", pool_count=8)
    world = World(5, setting, [], make_end=lambda world, number: NodeEnd(world, number, config, Restless))
    world.http_faults.share = world.http_faults.last_share = 0.0
    paths: Counter[str] = Counter()

    def listen(connection: Connection, way: str, data: bytes) -> None:
        if way == "up" and data.startswith(b"POST "):
            paths[data.split(b" ", 2)[1].rpartition(b"/")[2].decode()] += 1

    world.on_wire.append(listen)
    world.host.open_line(_Other())
    foreign = AddOrder(
        request_id=world.host.next_request_id(), cl_ord_id="", symbol="BTC/USD", side=BUY,
        order_type=OrderType.LIMIT, qty_lots=BTC, limit_ticks=500,
    )  # fmt: skip
    world.host.submit("by hand", foreign)
    end = world.end
    assert isinstance(end, NodeEnd)
    world.machine.enter(end.begin)
    world.run(8)
    account = world.host.venue.accounts["a0"]
    assert len(account.open_orders) == COUNT + 1
    assert end.node.trader.desk.budget.used_share("BTC/USD", world.clock.now_ns) > 0.8

    paths.clear()
    began_s = world.now_s
    world.machine.enter(lambda: end.node.close("the test is over"))
    while not end.node.closing.is_done and world.now_s < began_s + 100:
        world.run(0.1)
    assert end.node.closing.proof is not None, end.node.closing.left
    assert [order.limit_ticks for order in account.open_orders.values()] == [500]
    assert world.now_s - began_s < 8
    assert paths["CancelOrderBatch"] >= 1
    assert paths["CancelOrder"] + paths["CancelOrderBatch"] <= 6
    assert paths["CancelAll"] == 0
    sent = [command for _, command, _ in world.notes.commands]
    assert sum(isinstance(command, CancelOrder | CancelBatch) for command in sent) <= 6
