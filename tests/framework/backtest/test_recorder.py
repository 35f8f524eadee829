"""What a run writes down: every command with its three times, batches order by order, fills as the venue made them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from framework.backtest.config import FaultSection, RoadSection
from framework.backtest.results import EVENT_SCHEMA
from framework.protocol import SELL
from tests.editing import EDITING
from tests.simulation.stage import BID, BTC, START_NS, Script, fixed_latency, rows, run, still_market, trade

FAST = fixed_latency(EDITING, 1.0)


def _s(ts_ns: int | None) -> float | None:
    return None if ts_ns is None else (ts_ns - START_NS) / 1e9


def _times(row: dict[str, Any]) -> tuple[float | None, ...]:
    return tuple(_s(row[name]) for name in ("ts_sent_ns", "ts_arrived_ns", "ts_learned_ns"))


def _place(script: Script) -> None:
    script.orders["a"] = script.buy(script.btc, BTC // 100, BID - 10)


def test_a_command_has_the_times_at_which_it_was_sent_arrived_and_was_known_to_be_answered() -> None:
    backtest = run(Script([(5.0, _place)]), profile=FAST)
    (add,) = rows(backtest, kind="command", name="AddOrder")
    assert _times(add) == (5.0, 5.001, 5.002)
    assert (add["link"], add["outcome"], add["side"], add["price_ticks"], add["qty_lots"]) == (
        "ws2",
        "accepted",
        0,
        990,
        10**6,
    )


def test_a_command_that_was_lost_on_its_way_never_arrived() -> None:
    drop = FaultSection(kind="drop", link="ws2", at_s=10.0, for_s=1.0)
    backtest = run(Script([(9.9995, _place)]), profile=FAST, faults=[drop])
    (add,) = rows(backtest, kind="command", name="AddOrder")
    assert _times(add) == (9.9995, None, None)
    assert add["outcome"] == "lost"


def test_a_command_whose_answer_was_lost_arrived_and_its_answer_is_never_learned() -> None:
    drop = FaultSection(kind="drop", link="ws2", at_s=10.0, for_s=1.0)
    backtest = run(Script([(9.9985, _place)]), profile=FAST, faults=[drop])
    (add,) = rows(backtest, kind="command", name="AddOrder")
    assert _times(add) == (9.9985, 9.9995, None)
    assert add["outcome"] == "lost"


def test_a_refused_command_has_the_neutral_reason_and_the_venues_text() -> None:
    script = Script([(5.0, lambda s: s.buy(s.btc, 4_999, BID))])
    (add,) = rows(run(script, profile=FAST), kind="command", name="AddOrder")
    assert (add["outcome"], add["reject_reason"], add["text"]) == (
        "rejected",
        "order_minimum",
        "EOrder:Order minimum not met",
    )


def test_a_denied_order_is_no_command() -> None:
    drop = FaultSection(kind="drop", link="ws2", at_s=10.0, for_s=3.0)
    backtest = run(Script([(11.0, _place)]), profile=FAST, faults=[drop])
    assert rows(backtest, kind="command", name="AddOrder") == []
    (denied,) = rows(backtest, name="OrderDenied")
    assert denied["kind"] == "desk"


def test_a_fill_is_the_venues_with_the_time_at_which_it_was_learned() -> None:
    market = still_market([trade(10.0, SELL, BID - 20, BTC)])
    backtest = run(Script([(5.0, _place)]), profile=FAST, market=market)
    (fill,) = rows(backtest, kind="fill")
    assert (_s(fill["ts_venue_ns"]), _s(fill["ts_learned_ns"])) == (10.0, 10.001)
    assert (fill["price_ticks"], fill["qty_lots"], fill["is_maker"]) == (990, 10**6, True)
    # 0.99 USD at 0.25 %, to five decimals.
    assert (Decimal(fill["fee"]), fill["fee_asset"]) == (Decimal("0.00248"), "USD")


def test_a_fill_that_nobody_learned_of_is_written_down_all_the_same() -> None:
    market = still_market([trade(20.0, SELL, BID - 20, BTC)])
    drop = FaultSection(kind="drop", link="all", at_s=10.0, for_s=100.0)
    script = Script([(5.0, _place)])
    backtest = run(script, profile=FAST, market=market, faults=[drop])
    (fill,) = rows(backtest, kind="fill")
    assert fill["ts_learned_ns"] is None
    assert script.events("OrderFilled") == []


def _batch(*lots: int) -> Any:
    def submit(script: Script) -> None:
        factory, bridge = script.order_factory, script.bridge(script.btc)
        side = 1
        orders = [factory.limit(script.btc, side, bridge.qty(n), bridge.price(BID - 5 - i)) for i, n in enumerate(lots)]
        script.orders.update({str(i): order for i, order in enumerate(orders)})
        script.submit_order_list(factory.create_list(orders))

    return submit


def test_a_batch_has_a_row_for_each_of_its_orders() -> None:
    backtest = run(Script([(5.0, _batch(10**6, 2 * 10**6))]), profile=FAST)
    adds = rows(backtest, kind="command", name="AddOrder")
    assert [(add["price_ticks"], add["qty_lots"], add["outcome"]) for add in adds] == [
        (995, 10**6, "accepted"),
        (994, 2 * 10**6, "accepted"),
    ]
    assert len({add["request_id"] for add in adds}) == 1


def test_an_order_of_a_batch_that_is_refused_alone_is_written_down_as_refused() -> None:
    """The second would cost more than the account has."""
    script = Script([(5.0, _batch(10**6, 10**9 * BTC, 10**6))])
    backtest = run(script, profile=FAST)
    adds = rows(backtest, kind="command", name="AddOrder")
    assert [(add["outcome"], add["text"]) for add in adds] == [
        ("accepted", None),
        ("rejected", "EOrder:Insufficient funds"),
        ("accepted", None),
    ]
    assert [script.orders[n].status_string() for n in "012"] == ["ACCEPTED", "REJECTED", "ACCEPTED"]


def test_a_batch_of_cancels_has_a_row_for_each_order_edited_ones_included() -> None:
    steps = [
        (5.0, _batch(10**6, 10**6)),
        (6.0, lambda s: s.move(s.orders["0"], price_ticks=BID - 9, edit=True)),
        (8.0, lambda s: s.cancel_orders([s.orders["0"], s.orders["1"]])),
    ]
    script = Script(steps)
    backtest = run(script, profile=FAST)
    cancels = rows(backtest, kind="command", name="CancelOrder")
    assert len(cancels) == 2
    assert {row["outcome"] for row in cancels} == {"accepted"}
    assert [bool(row["cl_ord_id"]) for row in cancels] == [True, False]
    assert [script.orders[n].status_string() for n in "01"] == ["CANCELED", "CANCELED"]


def test_rows_are_numbered_in_the_order_of_writing_and_have_the_schema() -> None:
    market = still_market([trade(10.0, SELL, BID - 20, BTC)])
    table = run(Script([(5.0, _place)]), profile=FAST, market=market, road=RoadSection(name="fix")).events()
    assert table.schema.equals(EVENT_SCHEMA)
    numbers = table.column("row").to_pylist()
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == len(numbers)


def test_an_amend_tells_whether_its_own_order_kept_its_place_and_no_other_command_does() -> None:
    steps = [(5.0, _place), (6.0, lambda s: s.move(s.orders["a"], qty_lots=6 * 10**5)), (7.0, _place)]
    backtest = run(Script(steps), profile=FAST)
    kept = [(row["name"], row["is_queue_kept"]) for row in rows(backtest, kind="command")]
    assert kept == [("AddOrder", None), ("AmendOrder", True), ("AddOrder", None)]
