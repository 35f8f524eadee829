"""What a long run lets go of: nothing keeps an order or a position that has closed long ago."""

from __future__ import annotations

from decimal import Decimal

import pytest

from framework.backtest.config import FaultSection
from tests.editing import EDITING
from tests.simulation.stage import ASK, BID, BTC, Script, fixed_latency, run

FAST = fixed_latency(EDITING, 1.0)


def _quote(script: Script) -> None:
    script.orders[str(len(script.orders))] = script.buy(script.btc, BTC // 100, BID - 10)


@pytest.mark.parametrize("is_line_down", [False, True], ids=["canceled", "denied"])
def test_orders_that_closed_before_a_time_are_let_go_of(is_line_down: bool) -> None:
    drop = FaultSection(kind="drop", link="ws2", at_s=4.0, for_s=3.0)
    script = Script([(5.0, _quote), (5.5, _quote), (10.0, lambda s: [s.cancel_order(o) for o in s.orders.values()])])
    backtest = run(script, profile=FAST, faults=[drop] if is_line_down else [])
    trader, cache = backtest.trader, script.cache
    assert [order.status_string() for order in cache.orders()] == ["DENIED" if is_line_down else "CANCELED"] * 2
    closed_ns = max(order.ts_last for order in cache.orders())
    trader.forget(closed_ns - 10**9 if is_line_down else closed_ns - 1)
    assert len(cache.orders()) == 2
    trader.forget(closed_ns + 10**9)
    assert cache.orders() == []


def test_positions_that_closed_before_a_time_are_let_go_of_and_what_they_earned_is_not() -> None:
    lots = BTC // 100
    script = Script(
        [
            (5.0, lambda s: s.buy(s.btc, lots, ASK)),
            (6.0, lambda s: s.sell(s.btc, lots, BID)),
            (7.0, lambda s: s.buy(s.btc, lots, ASK)),
        ]
    )
    trader = run(script, profile=FAST).trader
    (closed,) = script.cache.position_snapshots()
    earned = script.portfolio.realized_pnl(script.btc)
    trader.forget(closed.ts_closed)
    assert len(script.cache.position_snapshots()) == 1
    trader.forget(closed.ts_closed + 1)
    assert script.cache.position_snapshots() == []
    assert script.portfolio.realized_pnl(script.btc) == earned
    assert earned.as_decimal() < Decimal(0)
