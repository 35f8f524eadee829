"""Import and export of NautilusTrader's Parquet catalog: deltas, quotes, ten-level depths and trades.

The catalog's files are read and written by the column, with the layout of NautilusTrader 1.231; no object is made per
row and NautilusTrader itself is loaded only to write the instrument. Prices and sizes are fixed-point integers there
(128 bits with 16 decimals, or 64 bits with 9), so the conversion is exact both ways.

Trades stand in files of their own; they are merged by event time, before book rows of the same time. The way back is
``framework.data.nautilus_export``.

Source: NautilusTrader documentation, "Data" and "Data catalog".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from framework.data.book_snapshots import changes_between
from framework.data.columns import (
    ADD,
    BEST,
    CLEAR,
    DELETE,
    LAST,
    LEVEL,
    MODIFY,
    SNAPSHOT,
    TRADE,
    UNKNOWN_SIDE,
    Columns,
    Market,
)
from framework.data.dense_ids import number_orders
from framework.data.grid import Grid, step_of_decimals
from framework.data.imports import ImportedMarket, ImportOption, concatenate
from framework.errors import ConfigError, DataError
from framework.protocol import BUY, SELL, InstrumentSpec

__all__ = ["CATALOG_OPTIONS", "import_catalog"]

CATALOG_OPTIONS = (
    ImportOption("book", "auto", "deltas, depths, quotes or none; auto takes the first of these that the catalog has"),
    ImportOption("depth", "auto", "L2 or L3: what deltas mean; auto is L3 where additions carry order ids"),
    ImportOption("instrument", "", "identifier of the one instrument to import; all if not given"),
    ImportOption("cost_decimals", "5", "decimals of costs and fees in the quote currency"),
)

DELTAS, DEPTHS, QUOTES, TRADES = "order_book_deltas", "order_book_depths", "quote_tick", "trade_tick"
_BOOKS = {"deltas": DELTAS, "depths": DEPTHS, "quotes": QUOTES}

# Actions, sides and flags of NautilusTrader.
_ADD, _UPDATE, _DELETE, _CLEAR = 1, 2, 3, 4
_F_LAST, _F_SNAPSHOT = 128, 32
_SIDES = np.array([UNKNOWN_SIDE, BUY, SELL], dtype=np.uint8)

_DECIMALS_OF_WIDTH = {16: 16, 8: 9}
_DEPTH_LEVELS = 10


def import_catalog(source: Path, options: Mapping[str, str]) -> list[ImportedMarket]:
    """Reads the catalog in the folder ``source``; options: ``CATALOG_OPTIONS``.

    Raises DataError naming file and remedy; ConfigError for an option that makes no sense.
    """
    if options["book"] not in ("auto", "none", *_BOOKS):
        raise ConfigError(f"book is {options['book']!r}; use auto, none, {', '.join(_BOOKS)}")
    if options["depth"] not in ("auto", "L2", "L3"):
        raise ConfigError(f"depth is {options['depth']!r}; use auto, L2 or L3")
    data = source / "data" if (source / "data").is_dir() else source
    names = sorted({folder.name for kind in (*_BOOKS.values(), TRADES) for folder in data.glob(f"{kind}/*")})
    imports = []
    for name in names:
        tables = {kind: _read(data / kind / name) for kind in (*_BOOKS.values(), TRADES)}
        first = next((table for table in tables.values() if table is not None and table.num_rows), None)
        if first is None:
            continue
        spec = _spec(data, name, first, options)
        identifier = _metadata(first, "instrument_id", str(data / name))
        if options["instrument"] in ("", identifier, name):
            imports.append(_import(data / name, spec, tables, options))
    if not imports:
        raise DataError(
            f"{source}: no book or trade of {options['instrument'] or 'any instrument'}; give a catalog's folder"
        )
    return imports


def _import(
    place: Path, spec: InstrumentSpec, tables: Mapping[str, pa.Table | None], options: Mapping[str, str]
) -> ImportedMarket:
    wanted = _BOOKS if options["book"] == "auto" else {options["book"]: _BOOKS.get(options["book"], "")}
    kind = next((each for each in wanted.values() if tables.get(each) is not None), None)
    table = tables[kind] if kind else None
    depth, parts = "trades", []
    trades = tables[TRADES]
    if trades is not None:
        parts.append(_trades(trades, spec, place))
    if table is not None and kind == DELTAS:
        depth, columns = _deltas(table, spec, options["depth"], place)
        parts.append(columns)
    elif table is not None and kind == DEPTHS:
        depth = "L2"
        parts.append(_depths(table, spec, place))
    elif table is not None:
        depth = "L1"
        parts.append(_quotes(table, spec, place))
    if not parts:
        raise DataError(f"{place}: no {options['book']} and no trades; choose another book")
    market = Market(spec=spec, columns=concatenate(parts), depth=depth, has_trades=trades is not None)
    statistics = {name: found.num_rows for name, found in tables.items() if found is not None}
    return ImportedMarket(market=market, source=str(place), statistics=statistics)


def _read(folder: Path) -> pa.Table | None:
    files = sorted(folder.glob("*.parquet"))
    try:
        tables = [pq.read_table(file) for file in files]
        if not tables:
            return None
        return pa.concat_tables(tables).replace_schema_metadata(tables[0].schema.metadata).combine_chunks()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{folder}: not Parquet of a catalog ({str(error).splitlines()[0]}); write it again") from None


def _metadata(table: pa.Table, key: str, place: str) -> str:
    value = (table.schema.metadata or {}).get(key.encode())
    if value is None:
        raise DataError(f"{place}: the schema says no {key}; write the catalog with NautilusTrader 1.200 or newer")
    return bytes(value).decode()


def _spec(data: Path, name: str, table: pa.Table, options: Mapping[str, str]) -> InstrumentSpec:
    """The spec from the catalog's instrument, or from the precisions of the data where it has none."""
    identifier = _metadata(table, "instrument_id", str(data / name))
    symbol, _, venue = identifier.rpartition(".")
    try:
        cost_decimals = int(options["cost_decimals"])
    except ValueError:
        raise ConfigError(f"cost_decimals is {options['cost_decimals']!r}; give a whole number") from None
    row = _instrument_row(data, name)
    if row is None:
        return InstrumentSpec(
            symbol=symbol,
            venue=venue.lower(),
            tick_size=step_of_decimals(int(_metadata(table, "price_precision", name))),
            lot_size=step_of_decimals(int(_metadata(table, "size_precision", name))),
            cost_decimals=cost_decimals,
        )
    lot_size = str(row["size_increment"])
    min_qty = row.get("min_quantity")
    return InstrumentSpec(
        symbol=symbol if "/" in symbol else f"{row.get('base_currency') or symbol}/{row['quote_currency']}",
        venue=venue.lower(),
        tick_size=str(row["price_increment"]),
        lot_size=lot_size,
        min_qty_lots=max(1, Grid(lot_size).count(str(min_qty))) if min_qty else 1,
        min_cost=_plain(str(row.get("min_notional") or "0").split(" ")[0]),
        cost_decimals=cost_decimals,
    )


def _instrument_row(data: Path, name: str) -> dict[str, Any] | None:
    for folder in sorted(data.glob(f"*/{name}")):
        if folder.parent.name in (*_BOOKS.values(), TRADES):
            continue
        table = _read(folder)
        if table is not None and "price_increment" in table.column_names:
            rows: list[dict[str, Any]] = table.to_pylist()
            return rows[-1]
    return None


def _steps(table: pa.Table, column: str, step: str, place: Path) -> npt.NDArray[np.int64]:
    """A column of fixed-point binaries as whole steps; raises DataError for a value off the grid."""
    values = table.column(column).combine_chunks()
    grid = Grid(step)
    width = values.type.byte_width if pa.types.is_fixed_size_binary(values.type) else 0
    if width not in _DECIMALS_OF_WIDTH:
        raise DataError(f"{place}: column {column} is {values.type}, not fixed-point; write the catalog again")
    raw = np.frombuffer(values.buffers()[1], dtype=np.int64)[values.offset * width // 8 :][: len(values) * width // 8]
    if width == 8:
        raw = np.stack([raw, raw >> 63], axis=1).reshape(-1)
    decimals = _DECIMALS_OF_WIDTH[width]
    exact = pa.Array.from_buffers(pa.decimal128(38, decimals), len(values), [None, pa.py_buffer(raw.tobytes())])
    kept = grid.decimals
    try:
        scaled = pc.cast(exact, pa.decimal128(38, kept))
    except pa.ArrowInvalid:
        raise DataError(
            f"{place}: {column} has more decimals than {step}; give the instrument's own increment"
        ) from None
    units = np.frombuffer(scaled.buffers()[1], dtype=np.int64)[::2][: len(values)]
    steps, rest = np.divmod(units, grid.units_per_step)
    if rest.any():
        row = int(rest.astype(np.bool_).argmax())
        raise DataError(f"{place}, row {row}: {column} {exact[row]} is not a multiple of {step}; check the instrument")
    return steps


def _ints(table: pa.Table, column: str, dtype: type[np.generic]) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = table.column(column).to_numpy()
    return values.astype(dtype)


def _trades(table: pa.Table, spec: InstrumentSpec, place: Path) -> Columns:
    rows = table.num_rows
    return Columns(
        ts_event_ns=_ints(table, "ts_event", np.int64),
        ts_recv_ns=_ints(table, "ts_init", np.int64),
        kind=np.full(rows, TRADE, dtype=np.uint8),
        side=_SIDES[_ints(table, "aggressor_side", np.uint8)],
        price_ticks=_steps(table, "price", spec.tick_size, place),
        qty_lots=_steps(table, "size", spec.lot_size, place),
        order_id=np.empty(0, dtype=np.int64),
        flags=np.full(rows, LAST, dtype=np.uint8),
    )


def _deltas(table: pa.Table, spec: InstrumentSpec, depth: str, place: Path) -> tuple[str, Columns]:
    action = _ints(table, "action", np.uint8)
    source_id = _ints(table, "order_id", np.int64)
    if depth == "auto":
        depth = "L3" if (source_id[action == _ADD] > 0).any() else "L2"
    price, qty = _steps(table, "price", spec.tick_size, place), _steps(table, "size", spec.lot_size, place)
    kinds = [CLEAR, ADD, MODIFY, DELETE, CLEAR] if depth == "L3" else [CLEAR, LEVEL, LEVEL, LEVEL, CLEAR]
    kind = np.array(kinds, dtype=np.uint8)[action]
    side = _SIDES[_ints(table, "side", np.uint8)]
    side[kind == CLEAR] = BUY
    price, qty = np.where(kind == CLEAR, 0, price), np.where((kind == CLEAR) | (action == _DELETE), 0, qty)
    order_id: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
    if depth == "L3":
        source_id[kind == CLEAR] = 0
        numbered = number_orders(kind, source_id, price, qty)
        order_id, price, qty = numbered.order_id, numbered.price_ticks, numbered.qty_lots
    flags = _ints(table, "flags", np.uint8)
    is_last = flags & _F_LAST != 0
    if not is_last.any():
        # The source does not mark the ends of its messages: rows of one event time are taken as one.
        ts = _ints(table, "ts_event", np.int64)
        is_last = np.append(ts[1:] != ts[:-1], np.True_)
    return depth, Columns(
        ts_event_ns=_ints(table, "ts_event", np.int64),
        ts_recv_ns=_ints(table, "ts_init", np.int64),
        kind=kind,
        side=side,
        price_ticks=price,
        qty_lots=qty,
        order_id=order_id,
        flags=(np.where(is_last, LAST, 0) | np.where(flags & _F_SNAPSHOT != 0, SNAPSHOT, 0)).astype(np.uint8),
    )


def _quotes(table: pa.Table, spec: InstrumentSpec, place: Path) -> Columns:
    """Two rows for each quote, bid then ask; the ask ends the message."""
    sides = [
        (_steps(table, f"{name}_price", spec.tick_size, place), _steps(table, f"{name}_size", spec.lot_size, place))
        for name in ("bid", "ask")
    ]
    rows = table.num_rows
    return Columns(
        ts_event_ns=np.repeat(_ints(table, "ts_event", np.int64), 2),
        ts_recv_ns=np.repeat(_ints(table, "ts_init", np.int64), 2),
        kind=np.full(2 * rows, BEST, dtype=np.uint8),
        side=np.tile(np.array([BUY, SELL], dtype=np.uint8), rows),
        price_ticks=np.stack([price for price, _ in sides], axis=1).reshape(-1),
        qty_lots=np.stack([qty for _, qty in sides], axis=1).reshape(-1),
        order_id=np.empty(0, dtype=np.int64),
        flags=np.tile(np.array([0, LAST], dtype=np.uint8), rows),
    )


def _depths(table: pa.Table, spec: InstrumentSpec, place: Path) -> Columns:
    bids, asks = (
        tuple(
            np.stack([_steps(table, f"{side}_{what}_{i}", step, place) for i in range(_DEPTH_LEVELS)], axis=1)
            for what, step in (("price", spec.tick_size), ("size", spec.lot_size))
        )
        for side in ("bid", "ask")
    )
    ts_event, ts_init = _ints(table, "ts_event", np.int64), _ints(table, "ts_init", np.int64)
    return changes_between(ts_event, ts_init, (bids[0], bids[1]), (asks[0], asks[1]))


def _plain(amount: str) -> str:
    """An amount without trailing zeros: how many NautilusTrader prints depends on its table of currencies."""
    return f"{Decimal(amount).normalize():f}"
