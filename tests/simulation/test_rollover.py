"""The daily end of FIX sessions at 22:00 UTC, through the whole stack.

Source: guides/fix-intro, "Hours of Operation": sessions end at 22:00 UTC, sequence numbers start anew, logons are
possible again after about 30 s.

The market starts at 21:59:30, so that the rollover is at 30 s and logons pass from 60 s on. Latency is 1 ms each way.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from adapters.kraken.profile import PROFILE
from framework.backtest.config import RoadSection
from framework.protocol import SELL
from tests.simulation.stage import BID, BTC, Script, fixed_latency, rows, run, still_market, trade

FAST = fixed_latency(PROFILE, 1.0)
START_NS = int(dt.datetime(2023, 11, 14, 21, 59, 30, tzinfo=dt.UTC).timestamp()) * 1_000_000_000


def _place(script: Script) -> None:
    script.orders["a"] = script.buy(script.btc, BTC // 100, BID - 10)


def _cancel(script: Script) -> None:
    script.cancel_order(script.orders["a"])


def _run(*steps: tuple[float, Any], trades: Any = (), **changes: Any) -> tuple[Script, Any]:
    given: dict[str, Any] = {
        "name": "fix",
        "cancel": ("fix",),
        "query": "rest",
        "is_resumed_on_reconnect": True,
        "is_cancel_on_disconnect": True,
        "reconnect_delay_ms": 1_000,
    }
    script = Script([(5.0, _place), *steps], start_ns=START_NS)
    market = still_market(trades, duration_s=100.0, start_ns=START_NS)
    backtest = run(script, market=market, profile=FAST, road=RoadSection(**(given | changes)))
    return script, backtest


def test_the_strategy_is_told_that_its_session_ended_with_the_rollover_and_which_orders_it_owned() -> None:
    script, _ = _run()
    at_s, closed = next(event for event in script.events("SessionClosed") if event[1].link == "fix")
    assert (at_s, closed.reason) == (30.001, "rollover")
    assert closed.cl_ord_ids == (script.orders["a"].client_order_id.value,)


def test_logons_are_refused_for_30_seconds_and_then_a_new_session_opens_even_if_resumption_was_asked_for() -> None:
    script, backtest = _run()
    opened = [event for event in script.events("SessionOpened") if event[1].link == "fix" and event[0] > 1]
    ((at_s, session),) = opened
    assert 60.0 < at_s < 62.0
    assert session.cl_ord_ids == (script.orders["a"].client_order_id.value,)
    assert script.events("SessionResumed") == []
    changes = [row["name"] for row in rows(backtest, kind="venue") if (row["link"] or "").startswith("fix")]
    assert changes.count("connected") == 31
    assert (changes.count("opened"), changes.count("resumed"), changes.count("rollover")) == (2, 0, 1)


def test_the_strategy_is_told_of_one_end_however_many_logons_are_refused() -> None:
    script, _ = _run()
    assert [at_s for at_s, event in script.events("SessionClosed")] == [30.001]


def test_the_rollover_is_no_disconnect_and_leaves_the_orders_alive() -> None:
    script, backtest = _run()
    assert rows(backtest, name="OrderEnded") == []
    assert script.orders["a"].is_open


def test_a_single_cancel_on_the_new_session_does_not_reach_the_old_order() -> None:
    script, _ = _run((70.0, _cancel))
    ((at_s, rejected),) = script.events("OrderCancelRejected")
    assert at_s == 70.002
    assert "Unknown order" in rejected.reason
    assert script.orders["a"].is_open


def test_a_mass_cancel_on_the_new_session_reaches_the_old_order() -> None:
    script, backtest = _run((70.0, _cancel), cancel=("fix", "fix:mass"))
    ((_, rerouted),) = script.events("CancelRerouted")
    assert rerouted.used == "fix:mass"
    (ended,) = rows(backtest, name="OrderEnded")
    assert (ended["ts_venue_ns"] - START_NS) / 1e9 == 70.001


def test_a_cancel_by_rest_reaches_the_order_while_no_fix_session_can_be_had() -> None:
    _script, backtest = _run((40.0, _cancel), cancel=("fix", "rest"))
    (ended,) = rows(backtest, name="OrderEnded")
    assert (ended["ts_venue_ns"] - START_NS) / 1e9 == 40.001


def test_without_a_road_the_cancel_is_refused_at_the_strategys_side_and_the_order_can_fill() -> None:
    script, backtest = _run((40.0, _cancel), trades=[trade(50.0, SELL, BID - 20, BTC)])
    ((at_s, _),) = script.events("OrderCancelRejected")
    assert at_s == 40.0
    (fill,) = rows(backtest, kind="fill")
    assert (fill["ts_venue_ns"] - START_NS) / 1e9 == 50.0


def test_an_order_of_the_new_session_is_in_reach() -> None:
    def place_again(script: Script) -> None:
        script.orders["b"] = script.buy(script.btc, BTC // 100, BID - 11)

    script, _ = _run((70.0, place_again), (75.0, lambda script: script.cancel_order(script.orders["b"])))
    assert script.orders["b"].status_string() == "CANCELED"


def test_a_websocket_knows_no_rollover() -> None:
    script = Script([(5.0, _place), (40.0, _cancel)], start_ns=START_NS)
    market = still_market(duration_s=100.0, start_ns=START_NS)
    run(script, market=market, profile=FAST, road="ws2")
    assert script.events("SessionClosed") == []
    assert script.orders["a"].status_string() == "CANCELED"
