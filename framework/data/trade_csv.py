"""Importer of trades in CSV: any columns, any separator, plain or compressed.

Values go from text to integers exactly, by the column. Where the grid is not given, tick and lot are the coarsest
powers of ten that the values need. The whole file is read at once, as text; it needs about twice its size in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from framework.data.columns import LAST, TRADE, UNKNOWN_SIDE, Columns, Market
from framework.data.grid import Grid, column_decimals, column_units, step_of_decimals
from framework.data.imports import ImportedMarket, ImportOption
from framework.errors import ConfigError, DataError
from framework.protocol import BUY, SELL, InstrumentSpec

__all__ = ["TRADE_CSV_OPTIONS", "TradeCsvLayout", "import_trade_csv", "read_trades"]

# Decimals of a nanosecond in each unit.
_DECIMALS_OF_UNIT = {"s": 9, "ms": 6, "us": 3, "ns": 0}

TRADE_CSV_OPTIONS = (
    ImportOption("symbol", "", "canonical name of the pair, BASE/QUOTE; must be given"),
    ImportOption("venue", "unknown", "exchange that the trades are from, lower case"),
    ImportOption("time", "1", "column of the time: its name in the header or its number from 1"),
    ImportOption("price", "2", "column of the price"),
    ImportOption("qty", "3", "column of the quantity"),
    ImportOption("side", "", "column of the aggressor's side; without it the side is unknown"),
    ImportOption("buy", "buy", "text that stands for a buy in the side column, case ignored; all else is a sell"),
    ImportOption("header", "auto", "yes or no: whether the first line names the columns; auto looks at it"),
    ImportOption("delimiter", ",", "character between columns"),
    ImportOption("time_unit", "auto", "s, ms, us, ns or iso; auto goes by the size of the first time"),
    ImportOption("tick_size", "", "price of one tick; inferred from the prices if not given"),
    ImportOption("lot_size", "", "quantity of one lot; inferred from the quantities if not given"),
    ImportOption("min_qty", "", "smallest order quantity; one lot if not given"),
    ImportOption("min_cost", "0", "smallest order cost in quote currency"),
    ImportOption("cost_decimals", "5", "decimals of costs and fees in the quote currency"),
    ImportOption("sort", "no", "yes sorts rows by time; no makes a time that goes back an error"),
)


class TradeCsvLayout(msgspec.Struct, frozen=True, kw_only=True):
    """Where things stand in a file of trades; fields as in ``TRADE_CSV_OPTIONS``."""

    time: str = "1"
    price: str = "2"
    qty: str = "3"
    side: str = ""
    buy: str = "buy"
    header: str = "auto"
    delimiter: str = ","
    time_unit: str = "auto"
    tick_size: str = ""
    lot_size: str = ""
    sort: str = "no"


class Trades(msgspec.Struct, frozen=True, kw_only=True):
    """Trades of a file and the grid that they were read on."""

    columns: Columns
    tick_size: str
    lot_size: str


def import_trade_csv(source: Path, options: Mapping[str, str]) -> list[ImportedMarket]:
    """Reads one file of trades; options: ``TRADE_CSV_OPTIONS``.

    Raises DataError naming file, line and remedy; ConfigError for an option that makes no sense.
    """
    if not options["symbol"]:
        raise ConfigError(
            "trade CSV: symbol is not given; a file of trades does not name its pair, give symbol=BASE/QUOTE"
        )
    layout = TradeCsvLayout(**{name: options[name] for name in TradeCsvLayout.__struct_fields__})
    trades = read_trades(source, layout)
    try:
        min_qty_lots = Grid(trades.lot_size).count(options["min_qty"] or trades.lot_size)
        cost_decimals = int(options["cost_decimals"])
        Decimal(options["min_cost"])
    except (ValueError, InvalidOperation) as error:
        raise ConfigError(f"trade CSV: min_qty, min_cost or cost_decimals: {error}; give plain numbers") from None
    spec = InstrumentSpec(
        symbol=options["symbol"],
        venue=options["venue"],
        tick_size=trades.tick_size,
        lot_size=trades.lot_size,
        min_qty_lots=min_qty_lots,
        min_cost=options["min_cost"],
        cost_decimals=cost_decimals,
    )
    market = Market(spec=spec, columns=trades.columns, depth="trades", has_trades=True)
    unknown = int(np.count_nonzero(trades.columns.side == UNKNOWN_SIDE))
    statistics = {"trades": len(trades.columns), "trades_of_unknown_side": unknown}
    return [ImportedMarket(market=market, source=str(source), statistics=statistics)]


def read_trades(file: Path, layout: TradeCsvLayout) -> Trades:
    """The trades of one file. Raises DataError naming file, line and remedy; ConfigError for a wrong layout."""
    if layout.time_unit not in (*_DECIMALS_OF_UNIT, "auto", "iso"):
        raise ConfigError(f"trade CSV: time_unit is {layout.time_unit!r}; use s, ms, us, ns, iso or auto")
    for name, value, allowed in (
        ("header", layout.header, ("yes", "no", "auto")),
        ("sort", layout.sort, ("yes", "no")),
    ):
        if value not in allowed:
            raise ConfigError(f"trade CSV: {name} is {value!r}; use {' or '.join(allowed)}")
    table, first_line = _read_table(file, layout)
    if not table.num_rows:
        raise DataError(f"{file}: there is no row of trades; check the file")
    time, price, qty = (_text_column(table, getattr(layout, name), name, file) for name in ("time", "price", "qty"))
    ts = _times(time, layout.time_unit, file, first_line)
    price_ticks, tick_size = _steps(price, layout.tick_size, "price", file, first_line)
    qty_lots, lot_size = _steps(qty, layout.lot_size, "quantity", file, first_line)
    side: npt.NDArray[np.uint8] = np.full(len(ts), UNKNOWN_SIDE, dtype=np.uint8)
    if layout.side:
        texts = pc.utf8_lower(_text_column(table, layout.side, "side", file))
        is_buy = pc.fill_null(pc.equal(texts, layout.buy.lower()), False)
        side = np.where(np.asarray(is_buy), BUY, SELL).astype(np.uint8)
    order = np.argsort(ts, kind="stable") if layout.sort == "yes" else np.arange(len(ts))
    back = ts[1:] < ts[:-1]
    if layout.sort == "no" and back.any():
        row = int(back.argmax()) + 1
        raise DataError(
            f"{file}, line {first_line + row}: the time goes back from {time[row - 1].as_py()} to {time[row].as_py()}; "
            "sort the file or import with sort=yes"
        )
    columns = Columns(
        ts_event_ns=ts[order],
        ts_recv_ns=ts[order],
        kind=np.full(len(ts), TRADE, dtype=np.uint8),
        side=side[order],
        price_ticks=price_ticks[order],
        qty_lots=qty_lots[order],
        order_id=np.empty(0, dtype=np.int64),
        flags=np.full(len(ts), LAST, dtype=np.uint8),
    )
    return Trades(columns=columns, tick_size=tick_size, lot_size=lot_size)


def _read_table(file: Path, layout: TradeCsvLayout) -> tuple[pa.Table, int]:
    """All columns as text, and the number of the line that the first row stands on."""
    try:
        with pa.input_stream(str(file), compression="detect") as source:
            head = source.read(1 << 16).split(b"\n", 1)[0].decode("utf-8-sig").rstrip("\r")
        names = head.split(layout.delimiter)
        has_header = layout.header == "yes" or (layout.header == "auto" and not _is_time(names, layout.time))
        names = [name.strip().strip('"') for name in names] if has_header else [str(i + 1) for i in range(len(names))]
        with pa.input_stream(str(file), compression="detect") as source:
            table = csv.read_csv(
                source,
                read_options=csv.ReadOptions(column_names=names, skip_rows=int(has_header)),
                parse_options=csv.ParseOptions(delimiter=layout.delimiter),
                convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
            )
    except (pa.ArrowException, UnicodeDecodeError) as error:
        text = str(error).splitlines()[0]
        raise DataError(
            f"{file}: not CSV ({text}); check the delimiter, and that every line has the same columns"
        ) from None
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise DataError(f"{file}: {reason}; give a readable file of trades") from None
    return table.combine_chunks(), 2 if has_header else 1


def _is_time(fields: list[str], column: str) -> bool:
    """Whether a first line holds data: its time column (by number) starts with a digit."""
    if not column.isdecimal() or not 0 < int(column) <= len(fields):
        return False
    return fields[int(column) - 1].strip().strip('"')[:1].isdecimal()


def _text_column(table: pa.Table, column: str, what: str, file: Path) -> pa.Array:
    names = table.column_names
    if column in names:
        chunked = table.column(names.index(column))
    elif column.isdecimal() and 0 < int(column) <= len(names):
        chunked = table.column(int(column) - 1)
    else:
        raise ConfigError(f"trade CSV: {file} has no column {column!r} for the {what}; it has {', '.join(names)}")
    return chunked.combine_chunks() if isinstance(chunked, pa.ChunkedArray) else chunked


def _times(texts: pa.Array, unit: str, file: Path, first_line: int) -> npt.NDArray[np.int64]:
    try:
        if unit == "iso" or (unit == "auto" and "-" in (texts[0].as_py() or "")):
            stamps = pc.cast(texts, pa.timestamp("ns", "UTC"))
            return np.asarray(stamps.cast(pa.int64()), dtype=np.int64)
        decimals = _DECIMALS_OF_UNIT[_unit_of(texts[0].as_py()) if unit == "auto" else unit]
        return column_units(texts, decimals)
    except (ValueError, pa.ArrowException, InvalidOperation) as error:
        text = _at_line(str(error).splitlines()[0], first_line)
        raise DataError(f"{file}{text}; check the time column and its unit (time_unit={unit})") from None


def _unit_of(text: str) -> str:
    """The unit in which a time lies in this century and the last part of the one before."""
    whole = int(Decimal(text))
    return next((unit for unit, limit in (("s", 10**11), ("ms", 10**14), ("us", 10**17)) if whole < limit), "ns")


def _steps(texts: pa.Array, step: str, what: str, file: Path, first_line: int) -> tuple[npt.NDArray[np.int64], str]:
    try:
        if step:
            grid = Grid(step)
            return grid.column(texts), step
        decimals = column_decimals(texts)
        return column_units(texts, decimals), step_of_decimals(decimals)
    except (ValueError, InvalidOperation) as error:
        text = _at_line(str(error), first_line)
        raise DataError(f"{file}{text}; check the {what} column and its step") from None


def _at_line(error: str, first_line: int) -> str:
    """Names the line instead of the row: ``row 3: wrong`` is ``, line 5: wrong`` if rows begin at line 2."""
    row, colon, text = error.partition(": ")
    if row.startswith("row ") and colon and row[4:].isdecimal():
        return f", line {int(row[4:]) + first_line}: {text}"
    return f": {error}"
