"""What a strategy knows of a command whose answer does not come, and what tells it.

The rule: a dropped line, a time-out and a missing row prove nothing, so no order gets an end that the venue did not
give it. Sources: fix-api/session-fix (resend), rest-api/get-open-orders and get-orders-info (what a poll shows),
rest-api/add-order (deadline).

Latency is 1 ms each way, so a command sent at 9.9995 arrives at 10.0005, and one sent at 9.9985 at 9.9995. The line
drops at 10 s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.kraken.profile import PROFILE
from framework.backtest.config import FaultSection, RoadSection
from framework.backtest.runner import Backtest
from framework.protocol import SELL
from tests.simulation.stage import BID, BTC, Script, fixed_latency, rows, run, still_market, trade

FAST = fixed_latency(PROFILE, 1.0)
TOO_LATE_S, JUST_ARRIVED_S = 9.9995, 9.9985
TERMINAL = {"CANCELED", "REJECTED", "EXPIRED", "FILLED", "DENIED"}


def _place(script: Script) -> None:
    script.orders["a"] = script.buy(script.btc, BTC // 100, BID - 10)


def _cancel(script: Script) -> None:
    script.cancel_order(script.orders["a"])


def _note(name: str) -> Any:
    return lambda script: script.orders.update({name: script.orders["a"].status_string()})


def _road(name: str, **changes: Any) -> RoadSection:
    given = {"name": name, "reconnect_delay_ms": 100, "is_cancel_on_disconnect": False}
    return RoadSection(**(given | changes))


def _drop(link: str, for_s: float = 3.0) -> FaultSection:
    return FaultSection(kind="drop", link=link, at_s=10.0, for_s=for_s)


def _outcomes(script: Script) -> list[tuple[str, str]]:
    kinds = ("OutcomeUnknown", "OutcomeResolved")
    return [(type(e).__name__, e.command) for _, e in script.heard if type(e).__name__ in kinds]


# ------------------------------------------------------------------------------------------------- new orders


@pytest.mark.parametrize(("road", "link"), [("fix", "fix"), ("ws2", "ws2"), ("rest+ws", "rest")])
def test_an_order_that_never_arrived_is_unknown_at_the_drop_and_rejected_only_with_proof(road: str, link: str) -> None:
    script = Script([(TOO_LATE_S, _place), (12.0, _note("meanwhile"))])
    run(script, profile=FAST, road=_road(road, deadline_ms=2_000), faults=[_drop(link)])
    assert _outcomes(script) == [("OutcomeUnknown", "AddOrder"), ("OutcomeResolved", "AddOrder")]
    ((unknown_s, unknown),) = script.events("OutcomeUnknown")
    assert unknown_s == 10.0
    assert "line dropped" in unknown.evidence
    assert script.orders["meanwhile"] == "SUBMITTED"
    ((rejected_s, rejected),) = script.events("OrderRejected")
    assert rejected_s > 11.9995
    assert "never arrived" in rejected.reason
    ((_, resolved),) = script.events("OutcomeResolved")
    assert resolved.evidence


@pytest.mark.parametrize(("road", "link"), [("fix", "fix"), ("ws2", "ws2"), ("rest+ws", "rest")])
def test_an_order_that_arrived_without_its_answer_is_unknown_and_then_found_alive(road: str, link: str) -> None:
    script = Script([(JUST_ARRIVED_S, _place)])
    run(script, profile=FAST, road=_road(road), faults=[_drop(link)])
    if script.events("OutcomeUnknown"):  # pushed news on another line may tell first
        assert _outcomes(script) == [("OutcomeUnknown", "AddOrder"), ("OutcomeResolved", "AddOrder")]
    else:
        assert road == "rest+ws"
    assert script.orders["a"].status_string() == "ACCEPTED"
    assert script.events("OrderRejected") == []


def test_an_order_without_a_deadline_that_nobody_can_find_stays_unknown_and_is_never_rejected() -> None:
    script = Script([(TOO_LATE_S, _place)])
    road = RoadSection(name="rest+ws", submit="fix", news="ws2", cancel=("rest",), deadline_ms=0)
    run(script, profile=FAST, road=road, faults=[_drop("fix", for_s=100.0)])
    assert _outcomes(script) == [("OutcomeUnknown", "AddOrder")]
    assert script.orders["a"].status_string() == "SUBMITTED"


def test_an_order_that_filled_while_nobody_could_tell_is_filled_once_and_not_rejected() -> None:
    script = Script([(JUST_ARRIVED_S, _place)])
    market = still_market([trade(11.0, SELL, BID - 20, BTC)])
    backtest = run(script, profile=FAST, road=_road("fix"), faults=[_drop("fix")], market=market)
    assert [e.client_order_id for _, e in script.events("OrderFilled")] == [script.orders["a"].client_order_id]
    assert len(rows(backtest, kind="fill")) == 1
    assert script.names("OrderAccepted", "OrderFilled", "OrderRejected") == ["OrderAccepted", "OrderFilled"]


def test_a_resumed_session_whose_replay_does_not_answer_proves_that_the_order_never_arrived() -> None:
    """No poll can: the road has no link that queries but the session itself."""
    script = Script([(TOO_LATE_S, _place)])
    road = _road("fix", cancel=("fix",), query="fix", is_resumed_on_reconnect=True, deadline_ms=60_000)
    run(script, profile=FAST, road=road, faults=[_drop("fix")])
    ((at_s, resolved),) = script.events("OutcomeResolved")
    assert 13.0 < at_s < 14.0
    assert "replay" in resolved.evidence
    assert script.orders["a"].status_string() == "REJECTED"


# ------------------------------------------------------------------------------------------------- cancels


@pytest.mark.parametrize(("road", "link"), [("fix", "fix"), ("ws2", "ws2")])
def test_a_cancel_that_never_arrived_leaves_the_order_alive_and_the_strategy_is_told(road: str, link: str) -> None:
    script = Script([(5.0, _place), (TOO_LATE_S, _cancel)])
    run(script, profile=FAST, road=_road(road, cancel=(link,)), faults=[_drop(link)])
    assert _outcomes(script) == [("OutcomeUnknown", "CancelOrder"), ("OutcomeResolved", "CancelOrder")]
    assert script.events("OrderCanceled") == []
    ((_, rejected),) = script.events("OrderCancelRejected")
    assert "never arrived" in rejected.reason
    assert script.orders["a"].status_string() == "ACCEPTED"


@pytest.mark.parametrize(("road", "link"), [("fix", "fix"), ("ws2", "ws2")])
def test_a_cancel_that_arrived_without_its_answer_ends_the_order_when_the_venue_says_so(road: str, link: str) -> None:
    script = Script([(5.0, _place), (JUST_ARRIVED_S, _cancel), (10.001, _note("meanwhile"))])
    backtest = run(script, profile=FAST, road=_road(road, cancel=(link,)), faults=[_drop(link)])
    (ended,) = rows(backtest, name="OrderEnded")
    assert (ended["ts_venue_ns"] - backtest._first_ns) / 1e9 == 9.9995
    assert script.orders["meanwhile"] == "PENDING_CANCEL"
    assert script.orders["a"].status_string() == "CANCELED"
    assert script.events("OrderCancelRejected") == []


@pytest.mark.parametrize(("road", "link"), [("fix", "fix"), ("ws2", "ws2")])
def test_a_fill_that_the_lost_cancel_came_too_late_for_is_told_and_no_cancel_is_invented(road: str, link: str) -> None:
    script = Script([(5.0, _place), (TOO_LATE_S, _cancel)])
    market = still_market([trade(11.0, SELL, BID - 20, BTC)])
    run(script, profile=FAST, road=_road(road, cancel=(link,)), faults=[_drop(link)], market=market)
    assert script.names("OrderFilled", "OrderCanceled") == ["OrderFilled"]
    assert script.orders["a"].status_string() == "FILLED"


# ------------------------------------------------------------------------------------------------- the log


@pytest.mark.parametrize(
    ("act", "sent_s", "name", "resolution"),
    [
        (_place, JUST_ARRIVED_S, "AddOrder", "carried_out"),
        (_place, TOO_LATE_S, "AddOrder", "never_arrived"),
        (_cancel, JUST_ARRIVED_S, "CancelOrder", "order_ended"),
        (_cancel, TOO_LATE_S, "CancelOrder", "never_arrived"),
    ],
)
def test_the_log_says_of_a_lost_command_what_was_proved_of_it_later(
    act: Callable[[Script], None], sent_s: float, name: str, resolution: str
) -> None:
    steps = [(sent_s, act)] if act is _place else [(5.0, _place), (sent_s, act)]
    road = _road("ws2", deadline_ms=2_000, cancel=("ws2",))
    backtest = run(Script(steps), profile=FAST, road=road, faults=[_drop("ws2")])
    (row,) = rows(backtest, kind="command", name=name)
    assert (row["outcome"], row["resolution"]) == ("lost", resolution)


def test_the_log_says_nothing_more_of_a_command_that_was_answered() -> None:
    backtest = run(Script([(5.0, _place)]), profile=FAST, road=_road("ws2"))
    (row,) = rows(backtest, kind="command", name="AddOrder")
    assert (row["outcome"], row["resolution"]) == ("accepted", None)


# ------------------------------------------------------------------------------------------------- amends


@pytest.mark.parametrize(("road", "link"), [("fix", "fix"), ("ws2", "ws2")])
@pytest.mark.parametrize(("sent_s", "price"), [(TOO_LATE_S, 99.0), (JUST_ARRIVED_S, 98.5)])
def test_an_amend_over_the_drop_ends_with_the_price_that_the_venue_has(
    road: str, link: str, sent_s: float, price: float
) -> None:
    def amend(script: Script) -> None:
        script.move(script.orders["a"], price_ticks=BID - 15)

    script = Script([(5.0, _place), (sent_s, amend)])
    backtest = run(script, profile=FAST, road=_road(road, deadline_ms=2_000), faults=[_drop(link)])
    (order,) = backtest.venue.resting_orders()
    assert order.limit_ticks == round(price * 10)
    assert float(script.orders["a"].price) == price
    assert script.orders["a"].status_string() == "ACCEPTED"
    assert len(script.events("OrderModifyRejected")) == (1 if sent_s == TOO_LATE_S else 0)


# ------------------------------------------------------------------------------------------------- time-outs, deadlines


def test_a_command_without_answer_is_unknown_after_the_patience_and_its_late_answer_resolves_it() -> None:
    """8 s each way with 10 s of patience: nothing at 15 s, the answer at 21 s. A deadline would refuse the order."""
    slow = fixed_latency(PROFILE, 8_000.0)
    script = Script([(20.0, _place)])
    road = RoadSection(name="rest+ws", submit="fix", news="fix", query="rest", deadline_ms=60_000)
    market = still_market(duration_s=100.0)
    run(script, profile=slow, road=road, market=market)
    assert [(at_s, type(e).__name__) for at_s, e in script.heard if "Outcome" in type(e).__name__] == [
        (30.0, "OutcomeUnknown"),
        (36.0, "OutcomeResolved"),
    ]
    assert script.orders["a"].status_string() == "ACCEPTED"


def test_an_order_that_arrives_after_its_deadline_is_refused_by_the_engine_in_documented_words() -> None:
    """Over WebSocket deadlines are at least half a second: 600 ms of road are too long, 400 ms are not."""
    for latency_ms, state in ((600.0, "REJECTED"), (400.0, "ACCEPTED")):
        script = Script([(20.0, _place)])
        road = RoadSection(name="ws2", deadline_ms=500)
        backtest = run(script, profile=fixed_latency(PROFILE, latency_ms), road=road)
        assert script.orders["a"].status_string() == state
        (add,) = rows(backtest, kind="command", name="AddOrder")
        if state == "REJECTED":
            assert add["reject_reason"] == "deadline"
            ((_, rejected),) = script.events("OrderRejected")
            assert "EService:Deadline elapsed" in rejected.reason


def test_a_drop_that_is_seen_late_loses_what_is_sent_meanwhile_and_the_strategy_learns_it() -> None:
    """The line is gone at 10 s and back at 10.2 s, the trader sees the drop at 10.5 s; the order goes out at 10.3 s."""
    script = Script([(10.3, _place)])
    drop = FaultSection(kind="drop", link="fix", at_s=10.0, for_s=0.2, detect_ms=500)
    backtest = run(script, profile=FAST, road=_road("fix", deadline_ms=2_000), faults=[drop])
    assert [at_s for at_s, _ in script.events("OutcomeUnknown")] == [10.5]
    assert rows(backtest, name="OrderRested") == []
    assert script.orders["a"].status_string() == "REJECTED"


# ------------------------------------------------------------------------------------------------- nothing invented


def _ends_at_the_venue(backtest: Backtest) -> set[str]:
    return {row["cl_ord_id"] for row in rows(backtest, name="OrderEnded")}


@pytest.mark.parametrize("road", ["rest", "rest+ws", "ws2", "fix", "fix-colo"])
@pytest.mark.parametrize("offset_us", [-2_100, -1_900, -1_100, -900, -100, 100])
def test_around_the_drop_of_every_line_no_order_gets_an_end_that_the_venue_did_not_give_it(
    road: str, offset_us: int
) -> None:
    """Orders and cancels so long before the drop that answers, commands or nothing are on the road."""
    at_s = 10.0 + offset_us / 1e6
    script = Script([(5.0, _place), (at_s, _cancel), (at_s, _place)])
    first: list[Any] = []
    script._steps.insert(1, (6.0, lambda s: first.append(s.orders["a"])))
    section = RoadSection(name=road, is_cancel_on_disconnect=False, deadline_ms=2_000)
    backtest = run(script, profile=FAST, road=section, faults=[_drop("all")])
    ended = _ends_at_the_venue(backtest)
    for order in (*first, script.orders["a"]):
        entered = {row["cl_ord_id"] for row in rows(backtest, name="OrderRested")}
        if order.client_order_id.value in ended:
            assert order.status_string() == "CANCELED"
        elif order.client_order_id.value in entered:
            assert order.status_string() == "ACCEPTED"
        else:
            assert order.status_string() in ("REJECTED", "DENIED")
