"""What an importer is and what it hands over.

An importer turns a recording of somebody else's format into markets: a function from a path and options to a list of
``ImportedMarket``. Formats that any exchange's data may come in are listed in ``framework.data.formats``; recordings of
one exchange are listed by its adapter. Nothing registers itself: whoever needs formats passes the mappings on.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from framework.data.columns import COLUMN_TYPES, LAST, Columns, Market
from framework.errors import ConfigError

__all__ = ["ImportFormat", "ImportOption", "ImportedMarket", "RowBuilder", "Statistic", "concatenate", "read_options"]

Statistic = int | str


class ImportedMarket(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument as an importer read it.

    source: the file or folder that it was read from, as error messages name it.
    statistics: what was counted while reading (checksums verified, rows skipped, ...), by name.
    notes: what the reader of a result must know about this data, one sentence each.
    """

    market: Market
    source: str
    statistics: Mapping[str, Statistic] = msgspec.field(default_factory=dict)
    notes: tuple[str, ...] = ()


class ImportOption(msgspec.Struct, frozen=True):
    """An option of an import format: ``default`` is used where it is not given; values are text."""

    name: str
    default: str
    description: str


class ImportFormat(msgspec.Struct, frozen=True, kw_only=True):
    """A format that can be imported.

    function: takes the source and the options (every option of ``options`` is present); raises DataError for a source
        that is not what it should be and ConfigError for an option value that makes no sense.
    own_events: the events of one's own in a source, with their times; None for a format that has none.
    """

    name: str
    description: str
    function: Callable[[Path, Mapping[str, str]], list[ImportedMarket]]
    options: tuple[ImportOption, ...] = ()
    own_events: Callable[[Path], Iterator[tuple[int, object]]] | None = None

    def read(self, source: Path, options: Mapping[str, str] | None = None) -> list[ImportedMarket]:
        """Imports ``source``; options that are not given have their defaults.

        Raises ConfigError for an option that this format does not have.
        """
        return self.function(source, read_options(self, options or {}))


def read_options(import_format: ImportFormat, given: Mapping[str, str]) -> dict[str, str]:
    """The given options over the defaults; raises ConfigError for a name that the format does not have."""
    options = {option.name: option.default for option in import_format.options}
    for name, value in given.items():
        if name not in options:
            known = ", ".join(sorted(options)) or "none"
            raise ConfigError(f"format {import_format.name} has no option {name!r}; its options are: {known}")
        options[name] = value
    return options


class RowBuilder:
    """Collects rows one by one into columns; for importers whose source has to be read line by line."""

    def __init__(self) -> None:
        self._ints = {name: array("q") for name, dtype in COLUMN_TYPES.items() if dtype is np.int64}
        self._bytes = {name: array("B") for name, dtype in COLUMN_TYPES.items() if dtype is np.uint8}
        self._columns = tuple(self._ints.get(name, self._bytes.get(name)) for name in COLUMN_TYPES)

    def __len__(self) -> int:
        return len(self._bytes["kind"])

    @property
    def last_ts_event_ns(self) -> int:
        """The time of the row added last; 0 before the first."""
        times = self._ints["ts_event_ns"]
        return times[-1] if times else 0

    def add(
        self,
        ts_event_ns: int,
        ts_recv_ns: int,
        kind: int,
        side: int,
        price_ticks: int,
        qty_lots: int,
        order_id: int = 0,
        flags: int = 0,
    ) -> None:
        """Adds one row; the meaning of each column is that of ``framework.data.columns``."""
        self._ints["ts_event_ns"].append(ts_event_ns)
        self._ints["ts_recv_ns"].append(ts_recv_ns)
        self._bytes["kind"].append(kind)
        self._bytes["side"].append(side)
        self._ints["price_ticks"].append(price_ticks)
        self._ints["qty_lots"].append(qty_lots)
        self._ints["order_id"].append(order_id)
        self._bytes["flags"].append(flags)

    def end_message(self) -> None:
        """Flags the row added last as the end of its message."""
        if self._bytes["flags"]:
            self._bytes["flags"][-1] |= LAST

    def columns(self) -> Columns:
        """All rows as arrays; ``order_id`` is of length 0 where no row has one."""
        ints: dict[str, Any] = {name: np.array(values, dtype=np.int64) for name, values in self._ints.items()}
        if not ints["order_id"].any():
            ints["order_id"] = np.empty(0, dtype=np.int64)
        arrays: dict[str, Any] = {name: np.array(values, dtype=np.uint8) for name, values in self._bytes.items()}
        return Columns(**arrays, **ints)


def concatenate(parts: Sequence[Columns]) -> Columns:
    """Columns one after the other, stably sorted by ``ts_event_ns``; at equal times earlier parts come first."""
    order = np.argsort(np.concatenate([part.ts_event_ns for part in parts]), kind="stable")
    has_ids = any(len(part.order_id) for part in parts)
    arrays = {}
    for name, dtype in COLUMN_TYPES.items():
        if name == "order_id":
            if not has_ids:
                arrays[name] = np.empty(0, dtype=dtype)
                continue
            pieces = [part.order_id if len(part.order_id) else np.zeros(len(part), dtype=dtype) for part in parts]
        else:
            pieces = [getattr(part, name) for part in parts]
        arrays[name] = np.concatenate(pieces)[order]
    return Columns(**arrays)
