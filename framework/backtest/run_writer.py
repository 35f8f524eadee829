"""Writing the folder of a run: its inputs, its tables and its summary."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from framework.backtest.config import RunConfig
from framework.backtest.log_hash import event_log_sha256
from framework.backtest.metrics import write_summary
from framework.backtest.placing import replacing_run
from framework.backtest.results import MARKET_FOLDER, QUEUE_SCHEMA
from framework.protocol import Road, VenueProfile

__all__ = ["QueueRow", "RunTables", "run_inputs", "session_table", "write_run"]

# A row of ``QUEUE_SCHEMA``.
type QueueRow = tuple[int, str, float, int, int]


class RunTables(NamedTuple):
    """What a run has left. events: ``EVENT_SCHEMA``. touch: ``TOUCH_SCHEMA``. queue: rows of ``QUEUE_SCHEMA``."""

    events: pa.Table
    touch: pa.Table
    queue: Sequence[QueueRow]


def write_run(out: Path, inputs: dict[str, Any], tables: RunTables, *, market: Path | None = None) -> Path:
    """Write the run folder; returns it. It is there in full or not at all; a former run there is replaced.

    market: folder of the recording of its market, which is moved into it. Raises OutputError for a folder that holds
    other things, and if a file cannot be written.
    """
    with replacing_run(out) as partial:
        pq.write_table(tables.events, partial / "events.parquet")
        pq.write_table(tables.touch, partial / "touch.parquet")
        columns = [
            pa.array([row[index] for row in tables.queue], field.type) for index, field in enumerate(QUEUE_SCHEMA)
        ]
        pq.write_table(pa.Table.from_arrays(columns, schema=QUEUE_SCHEMA), partial / "queue.parquet")
        (partial / "run.toml").write_bytes(msgspec.toml.encode(inputs))
        write_summary(partial, event_log_sha256(tables.events))
        if market is not None:
            shutil.move(market, partial / MARKET_FOLDER)
    return out


def run_inputs(
    config: RunConfig, profile: VenueProfile, road: Road, markets: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """All inputs of a run, with versions. markets: identities, see ``MarketHistory.identity``."""
    tier = profile.tier(config.venue.tier)
    return {
        "config": msgspec.to_builtins(_without_none(config)),
        "road": {"name": road.name, "title": road.title, "latency_tier": road.latency_tier},
        "tier": {"name": tier.name, "threshold": tier.threshold, "decay_per_ns": tier.decay_per_ns},
        "markets": list(markets),
        "strategy": _strategy_identity(config),
        "versions": {name: version(name) for name in ("tidegate", "nautilus_trader", "numpy", "numba", "pyarrow")},
    }


def session_table(
    kind: str, at_end: str, started_ns: int | None, closing_ns: int | None, ended_ns: int, *, is_looped: bool = False
) -> dict[str, Any]:
    """What ``run.toml`` says of a run in real time, beside its inputs: when it was ended, and how.

    kind: "paper" for one in virtual time that a clock moves on, "live" for one on live links. started_ns: when the
    strategy started; closing_ns: when the end was asked for; None for never. is_looped: its market was played again
    when its rows were over.
    """
    known = {"started_ns": started_ns, "closing_ns": closing_ns}
    table: dict[str, Any] = {"kind": kind, "at_end": str(at_end), "is_looped": is_looped, "ended_ns": ended_ns}
    return table | {name: value for name, value in known.items() if value is not None}


def _strategy_identity(config: RunConfig) -> dict[str, str]:
    """The strategy's file as it was, so that a replay can tell whether it is the same."""
    file = Path(config.strategy.path)
    return {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()} if file.is_file() else {}


def _without_none(value: Any) -> Any:
    """A configuration as plain data without the keys that are not given, since TOML has no null."""
    plain = msgspec.to_builtins(value)
    if isinstance(plain, dict):
        return {key: _without_none(item) for key, item in plain.items() if item is not None}
    if isinstance(plain, (list, tuple)):
        return [_without_none(item) for item in plain]
    return plain
