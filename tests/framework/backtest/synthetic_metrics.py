"""Figures of runs as a test wants them, without a run."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from framework.backtest.figures import RunMetrics
from framework.backtest.metrics import run_metrics
from framework.backtest.road_figures import Latency
from tests.framework.backtest.event_log import EventLog, inputs_of, queue_of, touch_of

TITLES = {"rest": "REST only", "ws2": "WebSocket v2", "fix": "FIX from the cloud"}


def figures_of(road: str, seed: int, **changes: Any) -> RunMetrics:
    """A run's figures: nothing happened, but for ``changes``, such as ``pnl__net=5`` or ``orders=3``.

    A name with two underscores is a field of a part. Amounts and quantities may be numbers.
    """
    metrics = run_metrics(EventLog().table(), touch_of((0, 999, 1001)), queue_of(), inputs_of(road=road, seed=seed))
    metrics = msgspec.structs.replace(metrics, road_title=TITLES.get(road, road))
    for path, value in changes.items():
        metrics = _changed(metrics, path.split("__"), value)
    return metrics


def learned_after(milliseconds: float, link: str = "x") -> tuple[Latency, ...]:
    """Latencies of a run whose fills were learned this long after they were made."""
    return (
        Latency(
            link=link,
            command="TRADE",
            count=1,
            sent_arrived_p50_us=None,
            sent_arrived_p99_us=None,
            arrived_learned_p50_us=milliseconds * 1_000,
            arrived_learned_p99_us=milliseconds * 1_000,
        ),
    )


def _changed(value: Any, path: list[str], leaf: Any) -> Any:
    if not path:
        return Decimal(str(leaf)) if isinstance(value, Decimal) else leaf
    return msgspec.structs.replace(value, **{path[0]: _changed(getattr(value, path[0]), path[1:], leaf)})
