"""Reads a recording, and makes markets of it: rows in the order of their times, with an empty book in each gap.

What a recorder heard comes in the order in which it arrived. Book rows stay in that order: one whose time lies before
that of an earlier one is dated by the earlier one. Trades are told on a channel of their own, a little before or after
the changes that they made; they are put in order by their times, before book rows of the same time. After a gap the
book is empty until the snapshot that follows it. Trades that were told twice (a venue repeats the newest ones to who
joins) are had once, by their numbers. A change at the price and microsecond of a trade, on the side that it took from,
is flagged EXECUTED.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from framework.data.append_file import AppendReader, HeadlessFileError
from framework.data.columns import CLEAR, COLUMN_TYPES, LAST, SNAPSHOT, TRADE, Columns, Market
from framework.data.dense_ids import number_orders
from framework.data.executed import flag_executed
from framework.data.imports import ImportedMarket
from framework.data.moments import moment_text
from framework.data.recorder import (
    PART_MAGIC,
    ROW_DTYPE,
    EventEntry,
    GapEntry,
    RecordedInstrument,
    RowsEntry,
    decode_entries,
    decode_header,
    part_paths,
)
from framework.data.store import write_store
from framework.data.trade_numbers import missing_trades
from framework.errors import DataError

__all__ = ["finish_recording", "import_recording", "recorded_events"]

_NAMES: tuple[str, ...] = tuple(ROW_DTYPE.names or ())
_GAPS_TOLD = 20
# Channels tell one moment of the engine with different decimals: a trade with six, its changes with nine.
_TRADE_TIME_NS = 1_000

type _Table = dict[str, npt.NDArray[Any]]
"""Rows as columns, those of ``ROW_DTYPE``. A long recording is large: each column is changed and given up by itself."""


class _Heard(msgspec.Struct):
    """What was heard of one instrument. columns: bytes of each column of ``ROW_DTYPE``. gaps: each with the number of
    rows before it.
    """

    instrument: RecordedInstrument
    columns: dict[str, bytearray] = msgspec.field(default_factory=lambda: {name: bytearray() for name in _NAMES})
    row_count: int = 0
    gaps: list[tuple[int, GapEntry]] = []

    def add(self, data: bytes) -> None:
        """More rows, as they were recorded."""
        rows = np.frombuffer(data, ROW_DTYPE)
        for name, column in self.columns.items():
            column += rows[name].tobytes()
        self.row_count += len(rows)

    def take(self) -> _Table:
        """All rows, which are given up here."""
        table = {name: np.frombuffer(column, ROW_DTYPE[name]) for name, column in self.columns.items()}
        self.columns = {}
        return table


def finish_recording(folder: Path, store: Path) -> list[ImportedMarket]:
    """Make a store of a recording; the recording stays. Returns what is in the store. Raises DataError."""
    imported = import_recording(folder, {})
    write_store(store, imported, own_events=recorded_events(folder))
    return imported


def import_recording(source: Path, options: Mapping[str, str]) -> list[ImportedMarket]:
    """The markets of the recording in a folder; it may be one that is still written.

    Raises DataError for a folder without a recording, a part that cannot be read, and one that does not fit the others.
    """
    del options  # it has none
    heard: dict[str, _Heard] = {}
    torn_bytes = 0
    for path in _parts(source):
        reader, instruments = _opened(path)
        of_place = []
        for instrument in instruments:
            known = heard.setdefault(instrument.spec.symbol, _Heard(instrument))
            if known.instrument != instrument:
                raise DataError(
                    f"{path}: {instrument.spec.symbol} has other rules here; import the parts by themselves"
                )
            of_place.append(known)
        for payload in reader:
            for entry in decode_entries(payload, path):
                if isinstance(entry, RowsEntry):
                    of_place[entry.instrument].add(entry.data)
                elif isinstance(entry, GapEntry):
                    place = of_place[entry.instrument]
                    place.gaps.append((place.row_count, entry))
        torn_bytes += reader.torn_bytes
    found = [_imported(each, str(source), torn_bytes) for each in heard.values() if each.row_count]
    if not found:
        raise DataError(f"{source}: nothing was recorded; record for longer, or another pair")
    return found


def recorded_events(folder: Path) -> Iterator[tuple[int, object]]:
    """Own events of a recording, in order: time, and what JSON says. A fill that was told by several roads, or again
    after a crash, is had once, by its ``exec_id``. Raises DataError as ``import_recording``.
    """
    seen: set[str] = set()
    for path in _parts(folder):
        reader, _ = _opened(path)
        for payload in reader:
            for entry in decode_entries(payload, path):
                if not isinstance(entry, EventEntry):
                    continue
                event = msgspec.json.decode(entry.data)
                exec_id = event.get("exec_id") if isinstance(event, dict) else None
                if exec_id is None or exec_id not in seen:
                    yield entry.ts_ns, event
                if exec_id is not None:
                    seen.add(exec_id)


def _parts(folder: Path) -> list[Path]:
    parts = part_paths(folder)
    if not parts:
        raise DataError(f"{folder}: there is no recording; name the folder that `tidegate record` wrote")
    return parts


class _Part:
    """One part, read from front to back; its file is closed at the end of the frames."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        try:
            self._reader: AppendReader | None = AppendReader(self._file, path, PART_MAGIC)
        except HeadlessFileError:
            self._reader = None
            self._file.close()
        except DataError:
            self._file.close()
            raise

    @property
    def header(self) -> bytes | None:
        return None if self._reader is None else self._reader.header

    @property
    def torn_bytes(self) -> int:
        return 0 if self._reader is None else self._reader.torn_bytes

    def __iter__(self) -> Iterator[bytes]:
        if self._reader is not None:
            with self._file:
                yield from self._reader


def _opened(path: Path) -> tuple[_Part, tuple[RecordedInstrument, ...]]:
    """A part and its instruments; one that ends within its header has none."""
    try:
        part = _Part(path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    return part, () if part.header is None else decode_header(part.header, path).instruments


# ------------------------------------------------------------------------------------------------------ markets


def _imported(heard: _Heard, source: str, torn_bytes: int) -> ImportedMarket:
    depth, spec = heard.instrument.depth, heard.instrument.spec
    table = heard.take()
    gap_notes = tuple(_gap_notes(heard.gaps, table))
    _empty_in_gaps(heard.gaps, table)
    repeated = _repeated(table["trade_id"])
    if len(repeated):
        for name in table:
            table[name] = np.delete(table[name], repeated)
    executed = _flag_executed(table)
    _put_in_order(table)
    missing, missing_notes = _missing(table.pop("trade_id"), table["ts_event_ns"])
    if depth == "L3":
        numbered = number_orders(table["kind"], table["order_id"], table["price_ticks"], table["qty_lots"])
        table |= {name: getattr(numbered, name) for name in ("order_id", "price_ticks", "qty_lots")}
    elif not table["order_id"].any():
        table["order_id"] = np.empty(0, dtype=np.int64)
    columns = Columns(**table)
    statistics = {
        "recorded_rows": heard.row_count,
        "gaps": len(heard.gaps),
        "executed_changes": executed,
        "trades_repeated": len(repeated),
        "trades_missing": missing,
    }
    if torn_bytes:
        statistics["torn_bytes_left_out"] = torn_bytes
    return ImportedMarket(
        market=Market(spec=spec, columns=columns, depth=depth, has_trades=bool((columns.kind == TRADE).any())),
        source=source,
        statistics=statistics,
        notes=(*gap_notes, *missing_notes),
    )


def _empty_in_gaps(gaps: Sequence[tuple[int, GapEntry]], table: _Table) -> None:
    """A row that empties the book at each gap that lost it, but where who knew of that has it there already."""
    book = np.flatnonzero(table["kind"] != TRADE)
    places: list[int] = []
    clears: dict[str, list[int]] = {name: [] for name in table}
    for place, gap in gaps:
        before = int(np.searchsorted(book, place))
        if before < len(book):
            following = book[before]
            if table["kind"][following] == CLEAR and table["flags"][following] & LAST:
                continue
        if gap.is_book_lost and before:
            last = book[before - 1]
            table["flags"][last] |= LAST
            # Dated by the last change that was heard of: what was not heard lies after it.
            clear = {"ts_event_ns": int(table["ts_event_ns"][last]), "ts_recv_ns": gap.from_ns}
            clear |= {"kind": CLEAR, "flags": SNAPSHOT | LAST}
            places.append(place)
            for name, values in clears.items():
                values.append(clear.get(name, 0))
    if places:
        for name, values in clears.items():
            table[name] = np.insert(table[name], places, np.array(values, table[name].dtype))


def _repeated(trade_id: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """The trades whose number stands at an earlier row too."""
    numbered = np.flatnonzero(trade_id)
    _, first = np.unique(trade_id[numbered], return_index=True)
    return np.delete(numbered, first)


def _flag_executed(table: _Table) -> int:
    """Flags, in place, what trades took; see ``flag_executed``. Only rows of the times of trades are looked at."""
    is_trade = table["kind"] == TRADE
    moments = np.unique(table["ts_event_ns"][is_trade] // _TRADE_TIME_NS)
    if not len(moments):
        return 0
    own = table["ts_event_ns"] // _TRADE_TIME_NS
    nearest = np.minimum(np.searchsorted(moments, own), len(moments) - 1)
    near = np.flatnonzero((moments[nearest] == own) & ~is_trade)
    book, traded = (
        Columns(**{name: table[name][chosen] for name in COLUMN_TYPES}) for chosen in (near, np.flatnonzero(is_trade))
    )
    executed = flag_executed(book, traded, _TRADE_TIME_NS)
    table["flags"][near] = book.flags
    return executed


def _missing(trade_id: npt.NDArray[np.int64], ts_event_ns: npt.NDArray[np.int64]) -> tuple[int, list[str]]:
    numbered = np.flatnonzero(trade_id > 0)
    numbered = numbered[np.argsort(trade_id[numbered], kind="stable")]
    return missing_trades(trade_id[numbered], ts_event_ns[numbered], "they were not heard")


def _put_in_order(table: _Table) -> None:
    """Rows by time: book rows as they came, trades by their own times, before book rows of the same time."""
    key = table.pop("ts_event_ns").copy()
    is_book = table["kind"] != TRADE
    book = np.flatnonzero(is_book)
    if len(book):
        ends = np.flatnonzero(table["flags"][book] & LAST)
        starts = np.unique(np.append(0, ends[ends < len(book) - 1] + 1))
        newest = np.maximum.accumulate(np.maximum.reduceat(key[book], starts))
        key[book] = np.repeat(newest, np.diff(np.append(starts, len(book))))
    del book
    # One number of both: times have a bit to spare.
    key *= 2
    key += is_book
    order = np.argsort(key, kind="stable")
    for name in tuple(table):
        table[name] = table[name][order]
    table["ts_event_ns"] = key[order] >> 1
    # Each trade is a message of its own; a book's message is not torn apart, for all of its rows have one time.
    table["flags"][table["kind"] == TRADE] |= LAST


def _gap_notes(gaps: Sequence[tuple[int, GapEntry]], table: _Table) -> Iterator[str]:
    """What is said of gaps. table: as it was heard."""
    book = np.flatnonzero(table["kind"] != TRADE)
    ts_recv_ns = table["ts_recv_ns"]
    for place, gap in gaps[:_GAPS_TOLD]:
        if gap.is_book_lost and len(book):
            following = book[np.searchsorted(book, place) :][:1]
        else:
            following = np.arange(place, len(ts_recv_ns))[:1]
        until = moment_text(int(ts_recv_ns[following[0]])) if len(following) else "the end"
        what = "" if gap.is_book_lost else " of trades"
        yield f"gap{what} from {moment_text(gap.from_ns)} to {until}: {gap.reason}"
    if len(gaps) > _GAPS_TOLD:
        yield f"gap: {len(gaps) - _GAPS_TOLD:,} more of them"
