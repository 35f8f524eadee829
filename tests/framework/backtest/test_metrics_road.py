"""Latencies, refusals, use of the rate counter, queue places; and the summary of a run folder."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from framework.backtest.metrics import metrics_of, read_metrics, run_metrics, write_summary
from framework.backtest.run_folder import RunFolder
from framework.errors import DataError
from framework.protocol import POINT
from tests.framework.backtest.build_run import write_run
from tests.framework.backtest.event_log import BUY, EventLog, S, inputs_of, queue_of, touch_of

US = 1_000


def metrics(log: EventLog, queue: object = None, **inputs: object):
    return run_metrics(log.table(), touch_of((0, 999, 1001)), queue or queue_of(), inputs_of(**inputs))


# ------------------------------------------------------------------------------------------------- latencies


def test_latencies_are_by_link_and_command() -> None:
    log = EventLog()
    for took_us in (100, 200, 300):
        log.cancel("a", 0, took_us * US, (took_us + 50) * US, link="fix")
    log.cancel("a", 0, 7 * US, None, link="rest")
    log.cancel("a", 0, None, None, link="rest")
    fix, rest = metrics(log).latencies
    assert (fix.link, fix.command, fix.count) == ("fix", "CancelOrder", 3)
    assert (fix.sent_arrived_p50_us, fix.arrived_learned_p50_us) == (200.0, 50.0)
    assert fix.sent_arrived_p99_us == pytest.approx(298.0)
    assert (rest.count, rest.sent_arrived_p50_us, rest.arrived_learned_p50_us) == (2, 7.0, None)


def test_the_latency_of_fills_is_from_the_engine_to_the_strategy() -> None:
    log = EventLog()
    log.fill("a", BUY, 1, 1000, 10 * US, learned=40 * US, link="rest")
    log.fill("a", BUY, 1, 1000, 10 * US, learned=None, link=None)
    (fills,) = metrics(log).latencies
    assert (fills.link, fills.command, fills.count) == ("rest", "TRADE", 1)
    assert (fills.sent_arrived_p50_us, fills.arrived_learned_p50_us) == (None, 30.0)


# ------------------------------------------------------------------------------------------------- refusals


def test_refusals_are_counted_by_reason_and_rate_limits_apart() -> None:
    log = EventLog()
    log.cancel("a", 0, 1, 2, reject_reason="rate_limit")
    log.cancel("a", 0, 1, None, reject_reason="call_limit")
    log.cancel("a", 0, 1, 2, reject_reason="unknown_order")
    log.cancel("a", 0, 1, 2)
    found = metrics(log).refusals
    assert (found.rate_limit, found.other, found.unlearned) == (2, 1, 1)
    assert found.by_reason == {"call_limit": 1, "rate_limit": 1, "unknown_order": 1}


# ------------------------------------------------------------------------------------------------- counter


def charge(log: EventLog, order: str, ts_ns: int, points: int) -> None:
    log.cancel(order, ts_ns, ts_ns, ts_ns, counter=points * POINT, counter_threshold=100 * POINT)


def test_the_counters_time_above_four_fifths_follows_its_decay() -> None:
    log = EventLog()
    log.add("a", BUY, 1, 0, 0, 0)
    charge(log, "a", 10 * S, 90)  # at 1 point a second above 80 for 10 s, but the next charge comes after 4 s
    charge(log, "a", 14 * S, 87)  # above for 7 s
    charge(log, "a", 30 * S, 80)  # not above
    use = metrics(log, decay_per_ns=100).counter
    assert (use.share_max, use.share_p50, use.above_80_s) == (0.9, 0.87, 11.0)


def test_charges_of_another_symbol_do_not_cut_the_time_short() -> None:
    log = EventLog()
    log.add("a", BUY, 1, 0, 0, 0)
    log.add("b", BUY, 1, 0, 0, 0, symbol="ETH/USD")
    charge(log, "a", 10 * S, 90)
    charge(log, "b", 14 * S, 5)
    found = metrics(log, decay_per_ns=100, symbols=("BTC/USD", "ETH/USD")).counter
    assert found.above_80_s == 10.0


def test_the_time_above_ends_with_the_run() -> None:
    log = EventLog()
    log.add("a", BUY, 1, 0, 0, 0)
    charge(log, "a", 98 * S, 95)
    assert metrics(log, decay_per_ns=100).counter.above_80_s == 2.0


def test_without_a_known_decay_or_any_charge_the_time_is_not_known() -> None:
    log = EventLog()
    log.add("a", BUY, 1, 0, 0, 0)
    assert metrics(log).counter.share_max is None
    charge(log, "a", 10 * S, 90)
    use = metrics(log, decay_per_ns=None).counter
    assert (use.share_max, use.above_80_s) == (0.9, None)


# ------------------------------------------------------------------------------------------------- queue


def test_queue_places_at_placement_and_at_the_first_maker_fill() -> None:
    log = EventLog()
    for order in ("a", "b", "c"):
        log.add(order, BUY, 10, 0, 1, 2)
    log.fill("a", BUY, 1, 1000, 2 * S, maker=False, leaves=9)
    log.fill("a", BUY, 1, 1000, 5 * S, leaves=8)
    log.fill("a", BUY, 1, 1000, 8 * S, leaves=7)
    log.fill("c", BUY, 1, 1000, 1, leaves=9)
    queue = queue_of(
        (1 * S, "a", 50.0, 10, 100),
        (1 * S, "b", 30.0, 10, 60),
        (3 * S, "a", 20.0, 10, 80),
        (3 * S, "c", 10.0, 9, 0),
        (5 * S, "a", 4.0, 9, 40),
        (6 * S, "a", 0.0, 8, 30),
    )
    found = metrics(log, queue)
    placed, filled = found.queue_at_placement, found.queue_at_fill
    # First samples: 50, 30, 10 lots of 0.001; the level of "c" was empty.
    assert (placed.orders, placed.ahead_mean, placed.share_p50) == (3, pytest.approx(0.03), 0.5)
    # Last sample not after the first maker fill: 4 of 40; "c" filled before it was sampled.
    assert (filled.orders, filled.ahead_mean, filled.share_p50) == (1, pytest.approx(0.004), 0.1)


def test_without_samples_there_are_no_queue_places() -> None:
    found = metrics(EventLog())
    assert (found.queue_at_placement.orders, found.queue_at_placement.ahead_p50) == (0, None)


# ------------------------------------------------------------------------------------------------- run folder


def test_the_summary_holds_the_figures_and_the_logs_hash(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", seed=1, minutes=3)
    written = write_summary(folder, "ab" * 32)
    values = json.loads((folder / "summary.json").read_text())
    assert values["event_log_sha256"] == "ab" * 32
    assert Decimal(values["pnl"]["net"]) == written.pnl.net
    assert read_metrics(folder) == written == metrics_of(RunFolder.open(folder))


def test_the_equity_curve_ends_at_the_net(tmp_path: Path) -> None:
    found = metrics_of(RunFolder.open(write_run(tmp_path / "run", seed=2, minutes=10)))
    assert len(found.equity.ts_ns) == len(found.equity.equity) == 240
    assert found.pnl.fills > 10
    assert found.equity.equity[-1] == found.pnl.net == found.pnl.spread_at_fill + found.pnl.inventory - found.pnl.fees
    assert list(found.equity.ts_ns) == sorted(found.equity.ts_ns)


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no run folder \(run.toml and events.parquet are not both there\)"):
        RunFolder.open(tmp_path)


def test_a_summary_without_figures_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", seed=1, minutes=1)
    (folder / "summary.json").write_text('{"event_log_sha256": "00"}')
    with pytest.raises(DataError, match=r"summary.json: .*it has no figures of this version, run it again"):
        read_metrics(folder)


def test_a_table_without_a_column_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", seed=1, minutes=1)
    pq.write_table(RunFolder.open(folder).touch.drop_columns(["ask_ticks"]), folder / "touch.parquet")
    with pytest.raises(DataError, match=r"touch.parquet: no column ask_ticks; it was written by another version"):
        _ = RunFolder.open(folder).touch


def test_a_broken_table_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", seed=1, minutes=1)
    (folder / "queue.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"queue.parquet: .*run it again"):
        _ = RunFolder.open(folder).queue
