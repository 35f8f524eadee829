"""Reads a recording, and makes markets of it: rows in the order of their times, with an empty book in each gap.

What a recorder heard comes in the order in which it arrived. Book rows stay in that order: one whose time lies before
that of an earlier one is dated by the earlier one. Trades are told on a channel of their own, a little before or after
the changes that they made; they are put in order by their times, before book rows of the same time. After a gap the
book is empty until the snapshot that follows it. Trades that were told twice (a venue repeats the newest ones to who
joins) are had once, by their numbers. A change at the price and microsecond of a trade, on the side that it took from,
is flagged EXECUTED.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

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

_GAPS_TOLD = 20
# Channels tell one moment of the engine with different decimals: a trade with six, its changes with nine.
_TRADE_TIME_NS = 1_000

type _Rows = npt.NDArray[np.void]


class _Heard(msgspec.Struct):
    """What was heard of one instrument. gaps: each with the number of rows before it."""

    instrument: RecordedInstrument
    rows: list[_Rows] = []
    row_count: int = 0
    gaps: list[tuple[int, GapEntry]] = []


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
                    rows = np.frombuffer(entry.data, ROW_DTYPE)
                    of_place[entry.instrument].rows.append(rows)
                    of_place[entry.instrument].row_count += len(rows)
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
    rows = _with_gaps(heard)
    repeated = _repeated(rows)
    rows = np.delete(rows, repeated)
    executed = _flag_executed(rows)
    rows = _in_order(rows)
    missing, missing_notes = _missing(rows)
    arrays = {name: np.ascontiguousarray(rows[name]) for name in COLUMN_TYPES}
    if depth == "L3":
        numbered = number_orders(arrays["kind"], arrays["order_id"], arrays["price_ticks"], arrays["qty_lots"])
        arrays |= {name: getattr(numbered, name) for name in ("order_id", "price_ticks", "qty_lots")}
    elif not arrays["order_id"].any():
        arrays["order_id"] = np.empty(0, dtype=np.int64)
    columns = Columns(**arrays)
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
        notes=(*_gap_notes(heard), *missing_notes),
    )


def _with_gaps(heard: _Heard) -> _Rows:
    """All rows in the order in which they came, with a row that empties the book at each gap that lost it."""
    whole = np.concatenate(heard.rows)
    book = np.flatnonzero(whole["kind"] != TRADE)
    places, clears = [], []
    for place, gap in heard.gaps:
        before = int(np.searchsorted(book, place))
        following = whole[book[before]] if before < len(book) else None
        if following is not None and following["kind"] == CLEAR and following["flags"] & LAST:
            continue  # the row is there already, by who knows when the book was lost
        if gap.is_book_lost and before:
            last = book[before - 1]
            whole["flags"][last] |= LAST
            # Dated by the last change that was heard of: what was not heard lies after it.
            clear = np.zeros(1, dtype=ROW_DTYPE)
            clear["ts_event_ns"], clear["ts_recv_ns"] = whole["ts_event_ns"][last], gap.from_ns
            clear["kind"], clear["flags"] = CLEAR, SNAPSHOT | LAST
            places.append(place)
            clears.append(clear)
    return np.insert(whole, places, np.concatenate(clears)) if clears else whole


def _repeated(rows: _Rows) -> npt.NDArray[np.intp]:
    """The trades whose number stands at an earlier row too."""
    numbered = np.flatnonzero(rows["trade_id"])
    _, first = np.unique(rows["trade_id"][numbered], return_index=True)
    return np.delete(numbered, first)


def _flag_executed(rows: _Rows) -> int:
    """Flags, in place, what trades took; see ``flag_executed``."""
    is_trade = rows["kind"] == TRADE
    book, traded = (
        Columns(**{name: np.ascontiguousarray(part[name]) for name in COLUMN_TYPES})
        for part in (rows[~is_trade], rows[is_trade])
    )
    executed = flag_executed(book, traded, _TRADE_TIME_NS)
    rows["flags"][~is_trade] = book.flags
    return executed


def _missing(rows: _Rows) -> tuple[int, list[str]]:
    numbered = rows[np.argsort(rows["trade_id"], kind="stable")]
    numbered = numbered[numbered["trade_id"] > 0]
    return missing_trades(numbered["trade_id"], numbered["ts_event_ns"], "they were not heard")


def _in_order(rows: _Rows) -> _Rows:
    """Rows by time: book rows as they came, trades by their own times, before book rows of the same time."""
    ts = rows["ts_event_ns"].copy()
    is_trade = rows["kind"] == TRADE
    book = np.flatnonzero(~is_trade)
    if len(book):
        ends = np.flatnonzero(rows["flags"][book] & LAST)
        starts = np.unique(np.append(0, ends[ends < len(book) - 1] + 1))
        newest = np.maximum.accumulate(np.maximum.reduceat(ts[book], starts))
        ts[book] = np.repeat(newest, np.diff(np.append(starts, len(book))))
    order = np.lexsort((np.arange(len(rows)), ~is_trade, ts))
    sorted_rows: _Rows = rows[order]
    sorted_rows["ts_event_ns"] = ts[order]
    # Each trade is a message of its own; a book's message is not torn apart, for all of its rows have one time.
    sorted_rows["flags"][sorted_rows["kind"] == TRADE] |= LAST
    return sorted_rows


def _gap_notes(heard: _Heard) -> Iterator[str]:
    whole = np.concatenate(heard.rows)
    book = np.flatnonzero(whole["kind"] != TRADE)
    for place, gap in heard.gaps[:_GAPS_TOLD]:
        if gap.is_book_lost and len(book):
            following = book[np.searchsorted(book, place) :][:1]
        else:
            following = np.arange(place, len(whole))[:1]
        until = moment_text(int(whole["ts_recv_ns"][following[0]])) if len(following) else "the end"
        what = "" if gap.is_book_lost else " of trades"
        yield f"gap{what} from {moment_text(gap.from_ns)} to {until}: {gap.reason}"
    if len(heard.gaps) > _GAPS_TOLD:
        yield f"gap: {len(heard.gaps) - _GAPS_TOLD:,} more of them"
