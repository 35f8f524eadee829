"""Orders over several roads at once, the whole stack in virtual time: fallback, shared load, merged news, one counter.

Pages: guides/spot-rest-ratelimits (one counter for a pair, whatever the road), fix-api/order-cancel-request.
"""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kraken.profile import PROFILE
from framework.backtest.config import FaultSection, RoadSection
from framework.execution.routes import Spread
from framework.protocol import SELL
from tests.simulation.stage import BID, BTC, Script, fixed_latency, rows, run, still_market, trade

FAST = fixed_latency(PROFILE, 1.0)
QTY = BTC // 100


def road(**changes: Any) -> RoadSection:
    """WebSocket and FIX for orders and news, a cancel by the road that reaches."""
    given: dict[str, Any] = {
        "submit": "ws2 + fix, then rest",
        "amend": "ws2 + fix, then rest",
        "cancel": ("fix", "ws2", "rest"),
        "news": "ws2 + fix",
        "query": "rest",
        "spread": Spread.ROUND_ROBIN,
        "is_cancel_on_disconnect": False,
    }
    return RoadSection(name="ws2", **(given | changes))


def place(name: str, price_ticks: int = BID - 10) -> Any:
    return lambda script: script.orders.update({name: script.buy(script.btc, QTY, price_ticks)})


def links_of(backtest: Any, name: str) -> list[str]:
    return [row["link"] for row in rows(backtest, kind="command", name=name)]


def test_orders_take_turns_and_each_is_canceled_by_a_road_that_reaches_it() -> None:
    steps = [(5.0 + number / 10, place(str(number), BID - 10 - number)) for number in range(4)]
    steps.append((8.0, lambda s: [s.cancel_order(s.orders[name]) for name in "0123"]))
    script = Script(steps)
    backtest = run(script, profile=FAST, road=road())
    assert links_of(backtest, "AddOrder") == ["ws2", "fix", "ws2", "fix"]
    assert links_of(backtest, "CancelOrder") == ["ws2", "fix", "ws2", "fix"]
    assert [order.status.name for order in script.orders.values()] == ["CANCELED"] * 4
    assert script.names("CancelRerouted") == ["CancelRerouted"] * 2


def test_a_fill_is_told_once_by_two_roads_of_news() -> None:
    """FIX tells its session's own orders, WebSocket all of the account: two roads tell of the second order."""
    steps = [(5.0, place("ws2")), (5.1, place("fix", BID - 11))]
    script = Script(steps)
    market = still_market([trade(10.0, SELL, BID - 20, BTC)])
    backtest = run(script, profile=FAST, road=road(), market=market)
    assert [float(event.last_qty) for _, event in script.events("OrderFilled")] == [0.01, 0.01]
    assert len(rows(backtest, kind="fill")) == 2
    assert all(order.status.name == "FILLED" for order in script.orders.values())


def test_news_goes_on_by_the_other_road_while_one_is_down() -> None:
    """The line of WebSocket is down from 8 s to 20 s: FIX tells of its own order's fill at once."""
    script = Script([(5.0, place("a"))])
    market = still_market([trade(10.0, SELL, BID - 20, BTC)])
    fault = FaultSection(kind="drop", link="ws2", at_s=8.0, for_s=12.0, detect_ms=5)
    run(script, profile=FAST, road=road(submit="fix"), market=market, faults=[fault])
    assert [at_s for at_s, _ in script.events("OrderFilled")] == [10.001]


@pytest.mark.parametrize("down", ["fix", "ws2"])
def test_the_fallback_carries_what_the_primary_cannot_and_nothing_is_sent_twice(down: str) -> None:
    primary, fallback = (down, "ws2" if down == "fix" else "fix")
    steps = [(at_s, place(str(at_s), BID - 10 - number)) for number, at_s in enumerate((5.0, 10.0, 25.0))]
    script = Script(steps)
    fault = FaultSection(kind="drop", link=down, at_s=8.0, for_s=10.0, detect_ms=5)
    backtest = run(script, profile=FAST, road=road(submit=f"{primary}, then {fallback}"), faults=[fault])
    assert links_of(backtest, "AddOrder") == [primary, fallback, primary]
    assert len(backtest.venue.resting_orders()) == 3


def test_an_order_in_flight_on_a_line_that_drops_is_looked_for_and_not_sent_again_by_the_fallback() -> None:
    """Sent in the moment in which its line is cut: it never arrives, and the desk learns that before it says so."""
    script = Script([(8.0005, place("lost")), (12.0, place("other", BID - 12))])
    fault = FaultSection(kind="drop", link="fix", at_s=8.0, for_s=30.0, detect_ms=100)
    backtest = run(script, profile=FAST, road=road(submit="fix, then ws2"), faults=[fault])
    assert links_of(backtest, "AddOrder") == ["fix", "ws2"]
    assert script.names("OutcomeUnknown", "OutcomeResolved") == ["OutcomeUnknown", "OutcomeResolved"]
    assert script.orders["lost"].status.name == "REJECTED"
    assert len(backtest.venue.resting_orders()) == 1


def test_all_roads_are_charged_to_one_counter() -> None:
    used: list[float] = []
    steps: list[Any] = [(5.0 + number / 1_000, place(str(number), BID - 10 - number)) for number in range(20)]
    steps.append((5.1, lambda s: used.append(s._port.desk.budget.used_share("BTC/USD", s.clock.timestamp_ns()))))
    script = Script(steps)
    backtest = run(script, profile=FAST, road=road())
    assert set(links_of(backtest, "AddOrder")) == {"ws2", "fix"}
    assert used[0] == pytest.approx((20 - 2.34 * 0.1) / 125, abs=0.005)
