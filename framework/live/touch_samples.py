"""The best prices of one instrument as a live run has seen them, sampled; older ones are packed."""

from __future__ import annotations

from array import array
from bisect import bisect_right

import pyarrow as pa

from framework.backtest.packed_tables import PackedTables
from framework.backtest.results import TOUCH_SCHEMA
from framework.book import BookView

__all__ = ["TouchSamples"]

_NAMES = ("ts_ns", "bid_ticks", "bid_lots", "ask_ticks", "ask_lots", "last_ticks")
_SCHEMA = pa.schema([(name, pa.int64()) for name in _NAMES])
# So many are packed at once.
_PACKED_ROWS = 3_600
# In place of a price that there was not.
_NONE = -(2**63)


class TouchSamples:
    """Samples in the order of their times."""

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._columns = {name: array("q") for name in _NAMES}
        self._packed = PackedTables(_SCHEMA, is_on_disk=True)
        self._packed_from_ns: list[int] = []
        self._unpacked: tuple[int, pa.Table] | None = None

    def add(self, ts_ns: int, book: BookView) -> None:
        """Write down the best prices as they are now."""
        bid, bid_lots, ask, ask_lots = book.touch()
        last = book.last_ticks
        row = (
            ts_ns,
            bid if bid_lots else _NONE,
            bid_lots or _NONE,
            ask if ask_lots else _NONE,
            ask_lots or _NONE,
            _NONE if last is None else last,
        )
        for column, value in zip(self._columns.values(), row, strict=True):
            column.append(value)
        if len(self._columns["ts_ns"]) >= _PACKED_ROWS:
            self._packed_from_ns.append(self._columns["ts_ns"][0])
            self._packed.add(self._newest())
            for column in self._columns.values():
                del column[:]

    def at(self, ts_ns: int) -> tuple[int | None, int | None]:
        """Best bid and ask as of the last sample by a time; None, None before the first."""
        times = self._columns["ts_ns"]
        if times and times[0] <= ts_ns:
            at = bisect_right(times, ts_ns) - 1
            bid, ask = self._columns["bid_ticks"][at], self._columns["ask_ticks"][at]
            return None if bid == _NONE else bid, None if ask == _NONE else ask
        number = bisect_right(self._packed_from_ns, ts_ns) - 1
        if number < 0:
            return None, None
        if self._unpacked is None or self._unpacked[0] != number:
            self._unpacked = number, self._packed[number]
        table = self._unpacked[1]
        at = bisect_right(table.column("ts_ns").to_numpy(), ts_ns) - 1
        return table.column("bid_ticks")[at].as_py(), table.column("ask_ticks")[at].as_py()

    def table(self) -> pa.Table:
        """All of them, as ``TOUCH_SCHEMA``."""
        table = pa.concat_tables([*self._packed.tables(), self._newest()]).combine_chunks()
        symbols = pa.array([self._symbol] * len(table), pa.string())
        columns = [symbols if field.name == "symbol" else table.column(field.name) for field in TOUCH_SCHEMA]
        return pa.table(columns, schema=TOUCH_SCHEMA)

    def _newest(self) -> pa.Table:
        columns = [[None if value == _NONE else value for value in column] for column in self._columns.values()]
        return pa.table([pa.array(column, pa.int64()) for column in columns], schema=_SCHEMA)
