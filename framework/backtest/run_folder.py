"""Reading a run folder: its tables, its inputs and its figures.

The files are named in ``framework.backtest.results``. Tables are read when first asked for, so that a comparison of
many runs, which needs their summaries only, stays cheap.
"""

from __future__ import annotations

import json
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from framework.backtest.results import EVENT_SCHEMA, QUEUE_SCHEMA, TOUCH_SCHEMA
from framework.errors import DataError
from framework.protocol import InstrumentSpec

__all__ = ["MISSING", "RunFolder", "RunInputs", "ints", "is_run_folder", "of_kind", "texts"]

# Stands for null in integer arrays: a value that no time, price or quantity has.
MISSING = int(np.iinfo(np.int64).min)


def ints(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    """An integer or boolean column as 64-bit integers, ``MISSING`` for null; exact, where a float would round times."""
    column = table.column(name).cast(pa.int64()).fill_null(MISSING)
    return np.asarray(column.to_numpy(), dtype=np.int64)


def texts(table: pa.Table, name: str) -> list[str | None]:
    """A text column as a list."""
    return list(table.column(name).to_pylist())


def of_kind(events: pa.Table, kind: str) -> pa.Table:
    """The rows of one kind, in their order."""
    return events.filter(pc.equal(events.column("kind"), kind))


class RunInputs:
    """What ``run.toml`` says of a run, by name. values: the whole file as plain data."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    @cached_property
    def specs(self) -> dict[str, InstrumentSpec]:
        """The instruments by symbol, in the file's order; raises DataError if there is none."""
        known = set(InstrumentSpec.__struct_fields__)
        markets = [{k: v for k, v in market.items() if k in known} for market in self.values.get("markets", ())]
        if not markets:
            raise DataError("run.toml has no [[markets]]; it is not the inputs of a run, run it again")
        return {market["symbol"]: InstrumentSpec(**market) for market in markets}

    @property
    def road(self) -> str:
        """Name of the road."""
        return str(self.values.get("road", {}).get("name", ""))

    @property
    def road_title(self) -> str:
        """The road in words."""
        return str(self.values.get("road", {}).get("title", "") or self.road)

    @property
    def seed(self) -> int:
        """Root seed of the run."""
        return int(self.values.get("config", {}).get("run", {}).get("seed", 0))

    @property
    def strategy(self) -> str:
        """The strategy's class, or its file where no class is named."""
        section = self.values.get("config", {}).get("strategy", {})
        return str(section.get("name") or Path(str(section.get("path", ""))).stem)

    @property
    def span_ns(self) -> tuple[int, int]:
        """First and last time of the markets."""
        markets = self.values.get("markets", ())
        return min(int(m["first_ts_ns"]) for m in markets), max(int(m["last_ts_ns"]) for m in markets)

    @property
    def counter_decay_per_ns(self) -> int | None:
        """How fast the rate counter falls, in POINT units per nanosecond; None if the file does not say."""
        value = self.values.get("tier", {}).get("decay_per_ns")
        return None if value is None else int(value)


class RunFolder:
    """One run's folder. Raises DataError, naming file and remedy, for what is missing or of another shape."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, path: Path | str) -> RunFolder:
        """The run folder at a path; raises DataError if it is none."""
        folder = cls(Path(path))
        if not is_run_folder(folder.path):
            raise DataError(f"{folder.path}: no run folder (run.toml and events.parquet are not both there)")
        return folder

    @cached_property
    def inputs(self) -> RunInputs:
        """``run.toml``."""
        file = self.path / "run.toml"
        try:
            return RunInputs(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, tomllib.TOMLDecodeError) as e:
            raise DataError(f"{file}: {e}; run it again") from e

    @cached_property
    def events(self) -> pa.Table:
        """``events.parquet``, columns of ``EVENT_SCHEMA``."""
        return self._table("events.parquet", EVENT_SCHEMA)

    @cached_property
    def touch(self) -> pa.Table:
        """``touch.parquet``, columns of ``TOUCH_SCHEMA``."""
        return self._table("touch.parquet", TOUCH_SCHEMA)

    @cached_property
    def queue(self) -> pa.Table:
        """``queue.parquet``, columns of ``QUEUE_SCHEMA``; empty if queue places were not written down."""
        return self._table("queue.parquet", QUEUE_SCHEMA)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """``summary.json`` as plain data."""
        file = self.path / "summary.json"
        try:
            return dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as e:
            raise DataError(f"{file}: {e}; run it again") from e

    @cached_property
    def divergence(self) -> dict[str, Any] | None:
        """``divergence.json`` as plain data; None where it was not asked for."""
        file = self.path / "divergence.json"
        try:
            return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None
        except (OSError, ValueError) as e:
            raise DataError(f"{file}: {e}; ask for the divergence again") from e

    def _table(self, name: str, schema: pa.Schema) -> pa.Table:
        file = self.path / name
        try:
            table = pq.read_table(file)
        except (OSError, pa.ArrowException) as e:
            raise DataError(f"{file}: {e}; run it again") from e
        missing = [field for field in schema.names if field not in table.column_names]
        if missing:
            raise DataError(f"{file}: no column {', '.join(missing)}; it was written by another version, run it again")
        return table.select(schema.names).cast(schema)


def is_run_folder(path: Path) -> bool:
    """Whether a folder holds a run."""
    return (path / "run.toml").is_file() and (path / "events.parquet").is_file()
