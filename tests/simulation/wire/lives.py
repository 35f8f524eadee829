"""A live run of two lives: one process trades and is killed, another begins, on the same disk and the same venue.

In virtual time, on the served venue's wire, over a network without faults.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from adapters.kraken.profile import PROFILE
from framework.backtest.loading import resolve_road
from framework.live.config import LeftOpen
from framework.protocol import BUY, SELL
from framework.strategy import Strategy, StrategyConfig
from tests.simulation.stage import BID, BTC, Row, level
from tests.simulation.wire.node_end import NodeEnd, live_config
from tests.simulation.wire.world import Setting, World

__all__ = ["FIRST_S", "Leaver", "Lives"]

# The first process lives so long; then there is none for a while.
FIRST_S = 8
_AWAY_MS = 300
_LOOKS = [level(i / 2, BUY, BID, (4 + i % 2) * BTC) for i in range(1, 60)]


class _Away(random.Random):
    def choice(self, seq: Any) -> Any:
        return _AWAY_MS


class Leaver(Strategy):
    """Does one thing, and leaves it."""

    def __init__(self, act: Callable[[Any], None]) -> None:
        super().__init__(StrategyConfig())
        self.act = act

    def on_start(self) -> None:
        self.pair = self.instrument_ids[0]
        self.clock.set_time_alert_ns("act", self.clock.timestamp_ns() + 10**9, lambda event: self.act(self))


class Lives:
    """One strategy after another, the second after a kill.

    between: done to the world while there is no process, which is for 300 ms. second_s: how long the second one lives.
    setting: changes of the world's. left, left_ids: open orders at the venue when the first one ended. most: open
    orders at the venue at once, by side, from then on.
    """

    def __init__(
        self,
        first: Strategy,
        second: Strategy,
        rows: list[Row] | None = None,
        road: str = "ws2",
        *,
        between: Callable[[World], None] = lambda world: None,
        second_s: float = 20.0,
        **setting: Any,
    ) -> None:
        first_name, second_name = type(first).__name__, type(second).__name__
        if first_name != second_name:  # orders are adopted by a strategy of the same name only
            first.__class__ = type(second_name, (type(first),), {})
        self.strategies = [first, second]
        config = live_config(road, dead_man_s=0, balances_s=0, orders_s=0, left_open=LeftOpen.ADOPT)
        _, policy = resolve_road(PROFILE, config.road)
        given = {"tier": "pro", "pool_count": 8, "is_cancel_on_disconnect": False} | setting
        self.world = World(
            3, Setting(policy=policy, **given), [*_LOOKS, *(rows or [])],
            make_end=lambda world, number: NodeEnd(world, number, config, lambda: self.strategies[number]),
        )  # fmt: skip
        self.world.http_faults.share = self.world.http_faults.last_share = 0.0
        self.most = {BUY: 0, SELL: 0}
        self.world.machine.enter(self.world.end.begin)
        self.world.run(FIRST_S)
        self.left = dict(self.open)
        self.left_ids = [order.order_id for order in self.left.values()]
        self.world._crash_chance = _Away()
        self.world.crash("by the test")
        self.world.run(_AWAY_MS / 2_000)
        between(self.world)
        self.world.checks.append(self._count)
        self.world.run(second_s)
        assert isinstance(self.world.end, NodeEnd)
        assert self.world.end.node.failure is None
        assert self.strategies[1].is_running

    @property
    def open(self) -> dict[str, Any]:
        """The account's open orders at the venue."""
        return self.world.host.venue.accounts["a0"].open_orders

    @property
    def prices(self) -> list[tuple[int, int]]:
        """Their sides and prices."""
        return sorted((order.side, order.limit_ticks) for order in self.open.values())

    @property
    def bought_lots(self) -> int:
        """What the venue has bought for the account, less what it has sold."""
        trades = self.world.host.venue.accounts["a0"].trades
        return sum(trade.last_lots if trade.side == BUY else -trade.last_lots for trade in trades)

    def _count(self) -> None:
        for side in self.most:
            self.most[side] = max(self.most[side], sum(order.side == side for order in self.open.values()))
