"""What Prometheus is told is in its text format, by its own parser, and says what the run's status says.

Source: Prometheus, "Exposition formats" (text format 0.0.4) and "Metric and label naming".
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from framework.live.health.exposition import exposition
from framework.live.health.histogram import BOUNDS_NS
from framework.live.health.status import LogStatus, Status
from tests.framework.live.health.statuses import budget, instrument, latency, road, status

US = 1_000


def told(standing: Status) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample, by name and labels, as Prometheus' own parser reads it; none may be there twice."""
    samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in text_string_to_metric_families(exposition(standing)):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples, key
            samples[key] = sample.value
    return samples


def value(standing: Status, name: str, /, **labels: str) -> float:
    return told(standing)[name, frozenset(labels.items())]


def full() -> Status:
    ack = (latency(900 * US, 1_100 * US, command="add"), latency(800 * US, command="cancel"))
    return status(
        roads=(
            road("ws2", sent={"add": 7, "cancel": 2}, rejected={"add": 1}, lost={"cancel": 1}, orders=7, fills=2,
                 opened=1, resumed=2, closed=2, gaps=1, missed=4, acknowledged=ack, fill_learned=latency(3_000 * US)),
            road("rest", is_up=False, session_id=""),
        ),
        instruments=(instrument(), instrument("ETH/USD", unrealised=None, feed_age_s=None, realised=Decimal("-1E-9"))),
        budgets=(budget(published=48.2), budget(kind="calls", name="rest", used=1.0, limit=20.0)),
        stages={"decode": latency(20 * US), "tick_to_order": latency(100 * US, 200 * US)},
    )  # fmt: skip


def test_the_page_is_read_by_prometheus_and_every_metric_says_what_it_is() -> None:
    families = list(text_string_to_metric_families(exposition(full())))
    assert len(families) > 30
    for family in families:
        assert family.name.startswith("tidegate_"), family.name
        assert family.documentation, family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name


def test_each_line_is_as_the_format_has_it() -> None:
    text = exposition(full())
    assert text.endswith("\n")
    assert "\n\n" not in text
    sample = re.compile(r'[a-z_]+(\{[a-z]+="(\\.|[^"\\\n])*"(,[a-z]+="(\\.|[^"\\\n])*")*\})? (-?\d+(\.\d+)?(e-\d+)?)')
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or sample.fullmatch(line), line


def test_help_and_type_come_once_and_before_all_samples_of_their_metric() -> None:
    seen: list[str] = []
    for line in exposition(full()).splitlines():
        if line.startswith("# TYPE "):
            seen.append(line.split()[2])
        elif not line.startswith("#"):
            name = re.split(r"[{ ]", line)[0]
            assert name.removeprefix(seen[-1]) in ("", "_bucket", "_sum", "_count"), line
    assert len(seen) == len(set(seen))


def test_counters_end_in_total_and_gauges_do_not() -> None:
    for line in exposition(full()).splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name.endswith("_total") is (kind == "counter"), name


def test_a_histogram_counts_upwards_to_all_and_has_its_sum_in_seconds() -> None:
    text = exposition(status(stages={"tick_to_order": latency(1_400, 1_500, 90_000_000_000)}))
    name = 'tidegate_stage_latency_seconds_bucket{stage="tick_to_order",le='
    assert f'{name}"0.000001"}} 0\n' in text
    assert f'{name}"0.0000015"}} 2\n' in text
    assert f'{name}"0.000002"}} 2\n' in text
    assert f'{name}"60"}} 2\n' in text
    assert f'{name}"+Inf"}} 3\n' in text
    assert 'tidegate_stage_latency_seconds_sum{stage="tick_to_order"} 90.0000029\n' in text
    assert 'tidegate_stage_latency_seconds_count{stage="tick_to_order"} 3\n' in text
    assert text.count(name) == len(BOUNDS_NS) + 1


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("tidegate_road_up", {"road": "ws2", "protocol": "ws2"}, 1),
        ("tidegate_road_up", {"road": "rest", "protocol": "rest"}, 0),
        ("tidegate_orders_total", {"road": "ws2"}, 7),
        ("tidegate_fills_total", {"road": "ws2"}, 2),
        ("tidegate_commands_total", {"road": "ws2", "command": "cancel"}, 2),
        ("tidegate_commands_rejected_total", {"road": "ws2", "command": "add"}, 1),
        ("tidegate_commands_lost_total", {"road": "ws2", "command": "cancel"}, 1),
        ("tidegate_reconnects_total", {"road": "ws2"}, 2),
        ("tidegate_reconnects_total", {"road": "rest"}, 0),
        ("tidegate_gaps_total", {"road": "ws2"}, 1),
        ("tidegate_messages_missed_total", {"road": "ws2"}, 4),
        ("tidegate_acknowledge_latency_seconds_count", {"road": "ws2", "command": "add"}, 2),
        ("tidegate_fill_learned_latency_seconds_sum", {"road": "ws2"}, 0.003),
        ("tidegate_rate_counter_points", {"counter": "orders", "name": "BTC/USD"}, 47.1),
        ("tidegate_rate_limit_points", {"counter": "calls", "name": "rest"}, 20),
        ("tidegate_rate_counter_published_points", {"counter": "orders", "name": "BTC/USD"}, 48.2),
        ("tidegate_pnl_realised", {"symbol": "ETH/USD", "asset": "USD"}, -1e-9),
        ("tidegate_pnl_unrealised", {"symbol": "BTC/USD", "asset": "USD"}, -0.25),
        ("tidegate_position", {"symbol": "BTC/USD", "asset": "BTC"}, 0.01),
        ("tidegate_fees_total", {"asset": "USD"}, 0.75),
        ("tidegate_feed_age_seconds", {"symbol": "BTC/USD"}, 0.25),
        ("tidegate_journal_size_bytes", {}, 5_370),
        ("tidegate_start_time_seconds", {}, 1_767_614_400),
    ],
)
def test_it_says_what_the_status_says(name: str, labels: dict[str, str], expected: float) -> None:
    assert value(full(), name, **labels) == pytest.approx(expected)


def test_what_is_not_known_is_left_out() -> None:
    samples = told(full())
    assert ("tidegate_pnl_unrealised", frozenset({("symbol", "ETH/USD"), ("asset", "USD")})) not in samples
    assert ("tidegate_feed_age_seconds", frozenset({("symbol", "ETH/USD")})) not in samples
    calls = frozenset({("counter", "calls"), ("name", "rest")})
    assert ("tidegate_rate_counter_published_points", calls) not in samples


def test_amounts_are_exact_to_the_last_digit() -> None:
    amount = Decimal("12345678901234567890.000000001")
    text = exposition(status(instruments=(instrument(realised=amount),)))
    assert f'tidegate_pnl_realised{{symbol="BTC/USD",asset="USD"}} {amount}\n' in text


def test_labels_are_escaped() -> None:
    name = 'Ma"k\\er\n'
    samples = told(status(strategy=name))
    (labels,) = [labels for sample, labels in samples if sample == "tidegate_run_info"]
    assert dict(labels)["strategy"] == name


def test_a_run_without_anything_yet_is_told_too() -> None:
    empty: dict[str, Any] = {"roads": (), "instruments": (), "budgets": (), "fees": {}, "journal_bytes": None}
    assert value(status(**empty), "tidegate_open_orders") == 0


def test_a_log_that_fails_is_told() -> None:
    standing = status(log=LogStatus(lost=3, failure="No space left on device"))
    assert value(standing, "tidegate_log_lines_lost_total") == 3
    assert value(standing, "tidegate_log_failing") == 1
