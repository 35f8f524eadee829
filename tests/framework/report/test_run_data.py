"""What a run's page is given, over logs that fit on one hand. Tick 0.1 USD, lot 0.001 BTC, start at 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from framework.backtest.comparison import compare
from framework.backtest.run_folder import RunFolder
from framework.protocol import POINT
from framework.report.comparison_data import comparison_data
from framework.report.order_data import FLAGS
from framework.report.run_data import run_data
from framework.report.thinning import Budget
from tests.framework.backtest.event_log import BUY, MS, SELL, EventLog, S, inputs_of, queue_of, touch_of
from tests.framework.backtest.synthetic_metrics import figures_of


def data(tmp_path: Path, log: EventLog, queue: Any = None, touch: Any = None, **inputs: Any) -> dict[str, Any]:
    pq.write_table(log.table(), tmp_path / "events.parquet")
    pq.write_table(touch or touch_of((0, 999, 1001), (100 * S, 999, 1001)), tmp_path / "touch.parquet")
    pq.write_table(queue or queue_of(), tmp_path / "queue.parquet")
    (tmp_path / "run.toml").write_bytes(msgspec.toml.encode(inputs_of(**inputs).values))
    return run_data(RunFolder.open(tmp_path), Budget(1.0))


def race() -> EventLog:
    """Buy order "a" is canceled at 10 ms and replaced by "b", which overtakes; "a" fills in between."""
    log = EventLog()
    log.add("a", BUY, 10, 0, 1 * MS, 2 * MS)
    log.cancel("a", 10 * MS, 20 * MS, 30 * MS, reject_reason="order_not_open", text="EOrder:Unknown order")
    log.add("b", BUY, 5, 10 * MS, 14 * MS, 40 * MS, price_ticks=1002)
    log.fill("a", BUY, 10, 1000, 15 * MS, learned=25 * MS, leaves=0)
    log.end("a", 15 * MS, "filled")
    return log


def test_an_order_has_its_commands_fills_and_the_order_that_replaced_it(tmp_path: Path) -> None:
    old, new = data(tmp_path, race())["orders"]["rows"]
    assert (old["id"], old["s"], old["q"], old["a"], old["e"]) == ("a", 0, 0.01, 1.0, 15.0)
    assert old["c"][1] == ["CancelOrder", "ws2", 10.0, 20.0, 30.0, "rejected", "EOrder:Unknown order", None]
    assert old["f"] == [[15.0, 0.01, 100.0, 25.0, 1]]
    assert (old["w"], new["w"]) == (1, -1)
    assert new["c"][0][7] == 100.2
    assert (new["a"], new["e"]) == (14.0, None)


def test_orders_are_marked_with_what_happened_to_them(tmp_path: Path) -> None:
    orders = data(tmp_path, race())["orders"]
    old, new = orders["rows"]
    assert old["g"] == FLAGS["late"] | FLAGS["inverted"] | FLAGS["refused"] | FLAGS["filled"]
    assert new["g"] == FLAGS["inverted"]
    assert orders["counts"] == {
        "late": 1, "inverted": 2, "orphan": 0, "refused": 1, "lost": 0, "amended": 0, "filled": 1
    }  # fmt: skip


def test_an_order_that_nothing_happened_to_is_not_marked(tmp_path: Path) -> None:
    log = EventLog()
    log.add("a", SELL, 10, 0, 1 * MS, 2 * MS)
    assert data(tmp_path, log)["orders"]["rows"][0]["g"] == 0


def test_reach_and_queue_places_belong_to_their_order(tmp_path: Path) -> None:
    log = EventLog()
    log.add("a", BUY, 10, 0, 1 * MS, 2 * MS)
    log.reach("a", 5 * S, "")
    log.reach("a", 9 * S, "rest")
    found = data(tmp_path, log, queue_of((1 * S, "a", 50.0, 10, 80)))
    (order,) = found["orders"]["rows"]
    assert order["r"] == [[5000.0, ""], [9000.0, "rest"]]
    assert order["k"] == [[1000.0, 0.05, 0.08]]
    assert found["shades"] == [[5000.0, 9000.0, "orphan"]]


def test_fills_are_marked_and_point_to_their_order(tmp_path: Path) -> None:
    log = race()
    log.reach("b", 50 * MS, "")
    log.fill("b", SELL, 5, 1003, 60 * MS, maker=False, leaves=0)
    log.fill("x", SELL, 5, 1003, 70 * MS, maker=None)
    fills = data(tmp_path, log)["markets"][0]["fills"]
    assert fills == [
        [15.0, 100.0, 0.01, 0, 1, 1, 0],
        [60.0, 100.3, 0.005, 1, 0, 2, 1],
        [70.0, 100.3, 0.005, 1, None, 0, -1],
    ]


def test_the_counter_falls_between_charges_to_nothing(tmp_path: Path) -> None:
    log = EventLog()
    log.add("a", BUY, 1, 0, 0, 0)
    log.cancel("a", 10 * S, 10 * S, 10 * S, counter=50 * POINT, counter_threshold=100 * POINT)
    log.cancel("a", 20 * S, 20 * S, 20 * S, counter=45 * POINT, counter_threshold=100 * POINT)
    log.cancel(
        "a", 30 * S, 30 * S, 30 * S, counter=99 * POINT, counter_threshold=100 * POINT, reject_reason="rate_limit"
    )
    (counter,) = data(tmp_path, log, decay_per_ns=200)["counter"]
    # 2 points a second.
    assert counter["t"] == [10e3, 20e3, 20e3, 30e3, 30e3, 79.5e3, 100e3]
    assert counter["v"] == [50, 30, 45, 25, 99, 0, 0]
    assert counter["refused"] == [30e3]


def test_a_link_is_down_from_its_sessions_end_to_the_next_or_to_the_end(tmp_path: Path) -> None:
    log = EventLog()
    log.row("session", "SessionOpened", link="ws2", ts_learned_ns=1 * S)
    log.row("session", "SessionClosed", link="ws2", ts_learned_ns=5 * S)
    log.row("session", "SessionOpened", link="rest", ts_learned_ns=6 * S)
    log.row("session", "SessionResumed", link="ws2", ts_learned_ns=9 * S)
    log.row("session", "SessionClosed", link="rest", ts_learned_ns=70 * S)
    assert data(tmp_path, log)["shades"] == [[5e3, 9e3, "down"], [70e3, 100e3, "down"]]


def test_events_are_in_the_order_of_time_without_the_lives_of_orders(tmp_path: Path) -> None:
    log = EventLog()
    log.end("a", 1 * S)
    log.row("desk", "CancelRerouted", link="rest", cl_ord_id="a", ts_learned_ns=5 * S, text="asked=fix")
    log.row("venue", "LineDropped", link="fix", ts_venue_ns=4 * S)
    log.row("session", "SessionClosed", link="fix", ts_learned_ns=4 * S, text="reason=x", cl_ord_ids="a,b")
    events = data(tmp_path, log)["events"]
    assert events["total"] == 3
    assert events["rows"] == [
        [4000.0, "session", "SessionClosed", "fix", None, "reason=x; 2 open orders"],
        [4000.0, "venue", "LineDropped", "fix", None, ""],
        [5000.0, "desk", "CancelRerouted", "rest", "a", "asked=fix"],
    ]


def test_latencies_are_histograms_of_their_logarithm(tmp_path: Path) -> None:
    log = EventLog()
    for took_ms in (1, 1, 10):
        log.cancel("a", 0, took_ms * MS, None)
    log.fill("a", BUY, 1, 1000, 0, learned=100 * MS)
    cancels, fills = data(tmp_path, log)["latencies"]
    (leg,) = cancels["legs"]
    assert (cancels["name"], leg["leg"], leg["n"], leg["lo"], leg["hi"]) == ("CancelOrder", "out", 3, 3.0, 4.0)
    assert (leg["bins"][0], leg["bins"][-1], sum(leg["bins"])) == (2, 1, 3)
    assert leg["p50"] == 1000.0
    assert (fills["name"], fills["legs"][0]["leg"]) == ("fill", "back")


def test_prices_are_written_with_the_decimals_of_their_tick(tmp_path: Path) -> None:
    assert data(tmp_path, EventLog(), tick="0.10")["markets"][0]["decimals"] == 1
    assert data(tmp_path, EventLog(), tick="5")["markets"][0]["decimals"] == 0


def test_an_empty_side_of_the_book_is_a_gap(tmp_path: Path) -> None:
    touch = touch_of((0, 999, 1001), (1 * S, None, 1001), (2 * S, 999, None))
    assert data(tmp_path, EventLog(), touch=touch)["markets"][0]["touch"] == {
        "t": [0.0, 1000.0, 2000.0],
        "bid": [99.9, None, 99.9],
        "ask": [100.1, 100.1, None],
    }


def test_orders_with_something_to_see_come_first_where_there_are_too_many(tmp_path: Path) -> None:
    log = EventLog()
    for number in range(400):
        log.add(f"o{number}", BUY, 10, number * S // 8, number * S // 8 + MS, number * S // 8 + 2 * MS)
    log.cancel("o333", 45 * S, 46 * S, 47 * S, reject_reason="rate_limit")
    log.fill("o111", BUY, 10, 1000, 46 * S, leaves=0)
    log.cancel("o111", 45 * S, 47 * S, 48 * S)
    pq.write_table(log.table(), tmp_path / "events.parquet")
    data(tmp_path, log)
    orders = run_data(RunFolder.open(tmp_path), Budget(0.01))["orders"]
    ids = [order["id"] for order in orders["rows"]]
    assert orders["total"] == 400
    assert len(ids) <= 62
    assert {"o333", "o111", "o0", "o399"} <= set(ids)
    assert ids == sorted(ids, key=lambda name: int(name[1:]))


# ------------------------------------------------------------------------------------------------- comparison


def compared(**nets: list[float]) -> dict[str, Any]:
    runs = [figures_of(road, s, pnl__net=v, orders=3) for road, row in nets.items() for s, v in enumerate(row, 1)]
    return comparison_data(compare(runs), Path("nowhere"))


def test_the_road_that_is_clearly_better_than_each_other_is_marked() -> None:
    net = compared(rest=[1, 2, 3], fix=[11, 12, 13.5], ws2=[2, 1, 4])["figures"][0]
    assert (net["key"], net["best"]) == ("net", 1)


def test_no_road_is_marked_where_the_best_is_not_clear_of_one() -> None:
    assert compared(rest=[1, 2, 3], fix=[11, 12, 13.5], ws2=[20, 1, 15])["figures"][0]["best"] is None


def test_differences_stand_with_the_higher_road_first_and_greatest_first() -> None:
    pairs = compared(rest=[1, 2], fix=[11, 14], ws2=[2, 2])["pairs"]
    assert [(pair["a"], pair["b"], pair["mean"], pair["values"]) for pair in pairs] == [
        (1, 0, 11.0, [10.0, 12.0]),
        (1, 2, 10.5, [9.0, 12.0]),
        (2, 0, 0.5, [1.0, 0.0]),
    ]


@pytest.mark.parametrize("key", ["net", "late_fills"])
def test_a_figure_carries_its_values_by_seed(key: str) -> None:
    figures = {row["key"]: row for row in compared(rest=[1, 2])["figures"]}
    assert figures[key]["rows"][0]["values"] == ([1.0, 2.0] if key == "net" else [0.0, 0.0])
