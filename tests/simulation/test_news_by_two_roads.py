"""News of one fact that comes by several roads is told once.

Roads of a fill: pushed news, the replay of a resumed session, a poll that reaches back. Sources:
websocket-v2/executions, fix-api/session-fix (PossDupFlag), rest-api/get-trade-history.
"""

from __future__ import annotations

from typing import Any

import pytest

from adapters.kraken.profile import PROFILE
from framework.backtest.config import FaultSection, RoadSection
from framework.messages import OrdersSnapshot
from framework.protocol import SELL
from tests.simulation.stage import BID, BTC, Script, fixed_latency, rows, run, still_market, trade

FAST = fixed_latency(PROFILE, 1.0)
QTY = BTC // 100


def _place(script: Script) -> None:
    script.orders["a"] = script.buy(script.btc, QTY, BID - 10)


def _query(script: Script) -> None:
    script.query_order(script.orders["a"])


def _fills(script: Script) -> list[tuple[float, float]]:
    return [(at_s, float(event.last_qty)) for at_s, event in script.events("OrderFilled")]


class Listener:
    """Counts what a link delivers, beside the desk."""

    def __init__(self) -> None:
        self.trades: list[tuple[str, str]] = []

    def wrap(self, script: Script) -> None:
        for link in script._port.desk.links.values():
            heard = link._on_report

            def hear(name: str, report: Any, heard: Any = heard) -> None:
                reports = report.trades if isinstance(report, OrdersSnapshot) else (report,)
                self.trades += [(name, r.exec_id) for r in reports if getattr(r, "exec_id", None)]
                heard(name, report)

            link._on_report = hear


@pytest.mark.parametrize("road", ["ws2", "rest+ws"])
def test_a_fill_pushed_and_polled_is_told_once(road: str) -> None:
    """Two fills of half the order; the polls sent at each trade and after both bring them again."""
    ears = Listener()
    steps = [(1.0, ears.wrap), (5.0, _place), (10.0, _query), (10.5, _query), (12.0, _query)]
    market = still_market([trade(10.0005, SELL, BID - 20, QTY // 2), trade(10.5005, SELL, BID - 20, QTY // 2)])
    script = Script(steps)
    backtest = run(script, profile=FAST, road=road, market=market)
    assert len(ears.trades) > len(set(ears.trades)) or len({name for name, _ in ears.trades}) == 2
    assert _fills(script) == [(10.0015, 0.005), (10.5015, 0.005)]
    assert len(rows(backtest, kind="fill")) == 2
    assert script.orders["a"].status_string() == "FILLED"


def test_a_fill_that_a_poll_tells_first_is_not_told_again_by_the_replay() -> None:
    """The fill at 11 s falls into a drop of the FIX line; a poll by REST tells of it, the replay at 20 s repeats it."""
    ears = Listener()
    script = Script([(1.0, ears.wrap), (5.0, _place), (12.0, _query)])
    market = still_market([trade(11.0, SELL, BID - 20, QTY)])
    road = RoadSection(
        name="fix", query="rest", is_resumed_on_reconnect=True, is_cancel_on_disconnect=False, reconnect_delay_ms=100
    )
    drop = FaultSection(kind="drop", link="fix", at_s=10.0, for_s=10.0)
    run(script, profile=FAST, road=road, market=market, faults=[drop])
    assert [name for name, _ in ears.trades][-1] == "fix"
    assert {name for name, _ in ears.trades} == {"rest", "fix"}
    assert len(_fills(script)) == 1


def test_a_fill_in_flight_when_the_line_drops_is_replayed_and_told_once() -> None:
    """With 200 ms of road the report of the fill at 9.9 s is lost at 10.0 s; the resumed session asks for it again."""
    ears = Listener()
    script = Script([(2.0, ears.wrap), (5.0, _place)])
    market = still_market([trade(9.9, SELL, BID - 20, QTY)])
    road = RoadSection(
        name="fix",
        query="fix",
        cancel=("fix",),
        is_resumed_on_reconnect=True,
        is_cancel_on_disconnect=False,
        reconnect_delay_ms=100,
    )
    drop = FaultSection(kind="drop", link="fix", at_s=10.0, for_s=1.0)
    run(script, profile=fixed_latency(PROFILE, 200.0), road=road, market=market, faults=[drop])
    ((at_s, qty),) = _fills(script)
    assert qty == 0.01
    assert 11.0 < at_s < 12.0
    assert script.names("SessionResumed", "SequenceGap", "OrderFilled", "ReplayCompleted")[-4:] == [
        "SessionResumed",
        "SequenceGap",
        "OrderFilled",
        "ReplayCompleted",
    ]


def test_a_resumed_session_is_not_sent_again_what_it_had_received() -> None:
    script = Script([(5.0, _place)])
    market = still_market([trade(9.0, SELL, BID - 20, QTY // 2)])
    road = RoadSection(name="fix", is_resumed_on_reconnect=True, is_cancel_on_disconnect=False, reconnect_delay_ms=100)
    drop = FaultSection(kind="drop", link="fix", at_s=10.0, for_s=1.0)
    run(script, profile=FAST, road=road, market=market, faults=[drop])
    assert len(script.events("SessionResumed")) == 1
    assert script.events("SequenceGap") == []
    assert len(_fills(script)) == 1


def test_a_new_session_replays_nothing_and_the_fill_is_found_by_a_poll() -> None:
    script = Script([(5.0, _place)])
    market = still_market([trade(11.0, SELL, BID - 20, QTY)])
    road = RoadSection(
        name="fix", query="rest", is_resumed_on_reconnect=False, is_cancel_on_disconnect=False, reconnect_delay_ms=100
    )
    drop = FaultSection(kind="drop", link="fix", at_s=10.0, for_s=2.0)
    backtest = run(script, profile=FAST, road=road, market=market, faults=[drop])
    assert script.events("ReplayCompleted") == []
    assert len(_fills(script)) == 1
    (fill,) = rows(backtest, kind="fill")
    assert fill["link"] == "rest"


def test_an_order_that_ended_is_not_brought_back_by_news_that_is_older() -> None:
    """The poll that left the venue before the cancel arrives after it: REST responses take their own paths."""
    script = Script([(5.0, _place), (10.0, _query), (10.0, lambda s: s.cancel_order(s.orders["a"]))])
    run(script, profile=FAST, road="rest+ws")
    assert script.names("OrderAccepted", "OrderCanceled", "OrderUpdated") == ["OrderAccepted", "OrderCanceled"]
    assert script.orders["a"].status_string() == "CANCELED"
