"""Importers of Kraken's markets in CSV: its trade history, and recorded top-of-book snapshots and level 3 ticks.

**Trade history** is Kraken's own download: ``time,price,volume`` without header, one file for a pair, named by its
altname (``XBTUSD.csv``). It tells no side.

**Top-ten books**: ``timestamp,ap0,av0,bp0,bv0,ap1,...`` after every update, one file for a pair
(``L2_BTC_USD_orderbook.csv``). A level that is pushed out of the ten looks like one that was cancelled, and the
quantity behind the ten is not known. A level that changes at the price and microsecond of a trade, on the side that it
took from, is flagged EXECUTED.

**Level 3 ticks**: ``side,ts_event,ts_recv,price,size,action,order_id,symbol`` in order of arrival. No snapshot was
recorded, so the book holds the orders that came while the recorder ran, and no others: it is partial. Changes and
deletions of orders that it does not hold are counted and left out. The feed does not tell when an order leaves the
subscribed depth, and is silent on its end from then on; such an order shows when a newer one on the other side would
lock or cross it, and is then deleted and counted. ``ts_event`` is the time of the order, which is old
where an order re-enters the feed's depth, so a row is dated by the newest time so far. ``ts_recv`` is the recorder's
wall clock, in a zone that must be told; it can lie before ``ts_event``, because two clocks differ.

**Trades** beside the last two: ``ts_event,symbol,price,qty,side,ord_type,trade_id`` in ``*.trades.csv``; those before
the first and after the last row of the book are left out and counted.

Source: Kraken support, "Downloadable historical market data (time and sales)"; Kraken WebSocket v2, "level3", "book".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from adapters.kraken.asset_pairs import VENUE, read_asset_pairs
from adapters.kraken.symbols import canonical_asset
from framework.data.book_snapshots import changes_between
from framework.data.columns import ADD, DELETE, LAST, MODIFY, TRADE, Columns, Market
from framework.data.executed import flag_executed
from framework.data.grid import Grid, column_decimals, step_of_decimals
from framework.data.imports import ImportedMarket, ImportOption, RowBuilder, concatenate
from framework.data.trade_csv import TradeCsvLayout, read_trades
from framework.errors import ConfigError, DataError
from framework.protocol import BUY, SELL, InstrumentSpec

__all__ = [
    "L2_OPTIONS",
    "L3_OPTIONS",
    "TRADES_OPTIONS",
    "import_level3_ticks",
    "import_top_books",
    "import_trade_history",
]

_PAIRS_OPTION = ImportOption("asset_pairs", "", "file of an AssetPairs answer; grids are inferred without it")

TRADES_OPTIONS = (
    ImportOption("symbol", "", "canonical name of the pair; from the file's name if not given"),
    _PAIRS_OPTION,
)
L2_OPTIONS = (_PAIRS_OPTION,)
L3_OPTIONS = (
    _PAIRS_OPTION,
    ImportOption(
        "recorder_utc_offset_h", "0", "hours that the recorder's clock (ts_recv) is ahead of UTC; -7 for UTC-7"
    ),
)

# Longest first: USDT before USD.
_QUOTES = ("USDT", "USDC", "PYUSD", "EURT", "XBT", "ETH", "DAI", "EUR", "USD", "GBP", "CHF", "CAD", "JPY", "AUD", "DOT")

_NS_PER_HOUR = 3_600_000_000_000
_LEVELS = 10


def import_trade_history(source: Path, options: Mapping[str, str]) -> list[ImportedMarket]:
    """Reads one file of Kraken's trade history, or a folder of them; options: ``TRADES_OPTIONS``.

    Raises DataError naming file, line and remedy.
    """
    files = sorted(source.glob("*.csv")) if source.is_dir() else [source]
    if not files:
        raise DataError(f"{source}: no .csv file; give a file or folder of Kraken's trade history")
    if options["symbol"] and len(files) > 1:
        raise ConfigError(f"symbol is given for {len(files)} files; give one file, or let the files name their pairs")
    specs = _specs(options)
    imports = []
    for file in files:
        symbol = options["symbol"] or _symbol_of_altname(file)
        spec = specs.get(symbol)
        steps = {"tick_size": spec.tick_size, "lot_size": spec.lot_size} if spec else {}
        trades = read_trades(file, TradeCsvLayout(header="no", time_unit="s", **steps))
        spec = spec or _inferred(symbol, trades.tick_size, trades.lot_size)
        market = Market(spec=spec, columns=trades.columns, depth="trades", has_trades=True)
        counts = {"trades": len(trades.columns), "trades_of_unknown_side": len(trades.columns)}
        imports.append(ImportedMarket(market=market, source=str(file), statistics=counts))
    return imports


def import_top_books(source: Path, options: Mapping[str, str]) -> list[ImportedMarket]:
    """Reads the ``L2_*_orderbook.csv`` of a folder with the trades beside them; options: ``L2_OPTIONS``.

    Raises DataError naming file, line and remedy.
    """
    files = sorted(source.glob("L2_*_orderbook.csv"))
    if not files:
        raise DataError(f"{source}: no L2_BASE_QUOTE_orderbook.csv; give the folder of the recording")
    specs, trades = _specs(options), list(_trades(source))
    return [_top_book(file, specs, trades) for file in files]


def import_level3_ticks(source: Path, options: Mapping[str, str]) -> list[ImportedMarket]:
    """Reads one ``*.L3_ticks.csv`` with the trades recorded with it; options: ``L3_OPTIONS``.

    Raises DataError naming file, line and remedy; a folder with several recordings is an error, because between two
    recordings the book is unknown.
    """
    files = sorted(source.glob("*.L3_ticks.csv")) if source.is_dir() else [source]
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "none"
        raise DataError(f"{source}: one .L3_ticks.csv is imported at a time, found {names}; give the file")
    try:
        offset_ns = int(float(options["recorder_utc_offset_h"]) * _NS_PER_HOUR)
    except ValueError:
        raise ConfigError(
            f"recorder_utc_offset_h is {options['recorder_utc_offset_h']!r}; give hours, like -7"
        ) from None
    file = files[0]
    trades = list(_trades(file.parent, file.name.replace(".L3_ticks.csv", ".trades.csv")))
    specs = _specs(options)
    table = _table(file)
    symbols = pc.unique(_column(table, "symbol", file)).to_pylist()
    imports = []
    for symbol in symbols:
        of_symbol = pc.equal(table.column("symbol"), symbol)
        lines = np.flatnonzero(np.asarray(of_symbol)) + 2
        imports.append(_ticks(file, symbol, table.filter(of_symbol), lines.tolist(), specs, trades, offset_ns))
    return imports


class _Trades(msgspec.Struct, frozen=True):
    """The trades of one symbol: times, prices and quantities as text, and whether the aggressor bought."""

    symbol: str
    file: Path
    ts_event_ns: npt.NDArray[np.int64]
    prices: pa.Array
    qtys: pa.Array
    is_buy: npt.NDArray[np.bool_]


def _trades(folder: Path, pattern: str = "*.trades.csv") -> Iterator[_Trades]:
    for file in sorted(folder.glob(pattern)):
        table = _table(file)
        for symbol in pc.unique(_column(table, "symbol", file)).to_pylist():
            found = table.filter(pc.equal(table.column("symbol"), symbol))
            yield _Trades(
                symbol,
                file,
                _iso_ns(_column(found, "ts_event", file), file),
                _column(found, "price", file),
                _column(found, "qty", file),
                np.asarray(pc.equal(_column(found, "side", file), "buy")),
            )


def _trade_columns(trades: Sequence[_Trades], spec: InstrumentSpec, first_ns: int, last_ns: int) -> tuple[Columns, int]:
    """The trades of the spec's symbol from first to last time, and how many were outside."""
    rows = RowBuilder()
    outside = 0
    for each in trades:
        if each.symbol != spec.symbol:
            continue
        prices, lots = _on_grid(each.prices, spec.tick_size, each.file), _on_grid(each.qtys, spec.lot_size, each.file)
        for i in np.argsort(each.ts_event_ns, kind="stable").tolist():
            ts = int(each.ts_event_ns[i])
            if not first_ns <= ts <= last_ns:
                outside += 1
                continue
            rows.add(ts, ts, TRADE, BUY if each.is_buy[i] else SELL, int(prices[i]), int(lots[i]), 0, LAST)
    return rows.columns(), outside


def _top_book(file: Path, specs: Mapping[str, InstrumentSpec], trades: Sequence[_Trades]) -> ImportedMarket:
    symbol = "/".join(canonical_asset(asset) for asset in file.name.split("_")[1:3])
    table = _table(file)
    texts = {name: _column(table, name, file) for name in table.column_names}
    names = {side: [(f"{side}p{i}", f"{side}v{i}") for i in range(_LEVELS)] for side in "ab"}
    missing = [name for pairs in names.values() for pair in pairs for name in pair if name not in texts]
    if missing:
        raise DataError(f"{file}: column {missing[0]} is missing; the file must hold ten levels a side, ap0 to bv9")
    prices = [p for pairs in names.values() for p, _ in pairs]
    qtys = [v for pairs in names.values() for _, v in pairs]
    more = [each for each in trades if each.symbol == symbol]
    spec = specs.get(symbol) or _inferred(
        symbol,
        step_of_decimals(
            max(column_decimals(each) for each in (*(texts[n] for n in prices), *(t.prices for t in more)))
        ),
        step_of_decimals(max(column_decimals(each) for each in (*(texts[n] for n in qtys), *(t.qtys for t in more)))),
    )
    ts = _iso_ns(texts["timestamp"], file)
    sides = {
        side: (
            np.stack([_on_grid(texts[p], spec.tick_size, file) for p, _ in pairs], axis=1),
            np.stack([_on_grid(texts[v], spec.lot_size, file) for _, v in pairs], axis=1),
        )
        for side, pairs in names.items()
    }
    book = changes_between(ts, ts, sides["b"], sides["a"])
    traded, outside = _trade_columns(trades, spec, int(ts[0]), int(ts[-1]))
    executed = flag_executed(book, traded)
    columns = concatenate([traded, book])
    market = Market(spec=spec, columns=columns, depth="L2", has_trades=len(traded) > 0)
    counts = {
        "snapshots": len(ts),
        "trades": len(traded),
        "trades_outside_book": outside,
        "executed_levels": executed,
    }
    note = "Ten levels a side were recorded; a level that left them may still have been in the book."
    return ImportedMarket(market=market, source=str(file), statistics=counts, notes=(note,))


def _ticks(
    file: Path,
    symbol: str,
    table: pa.Table,
    lines: list[int],
    specs: Mapping[str, InstrumentSpec],
    trades: Sequence[_Trades],
    offset_ns: int,
) -> ImportedMarket:
    price_texts, qty_texts = _column(table, "price", file), _column(table, "size", file)
    more = [each for each in trades if each.symbol == symbol]
    spec = specs.get(symbol) or _inferred(
        symbol,
        step_of_decimals(max(column_decimals(each) for each in (price_texts, *(t.prices for t in more)))),
        step_of_decimals(max(column_decimals(each) for each in (qty_texts, *(t.qtys for t in more)))),
    )
    prices, lots = _on_grid(price_texts, spec.tick_size, file), _on_grid(qty_texts, spec.lot_size, file)
    ts_event = np.maximum.accumulate(_iso_ns(_column(table, "ts_event", file), file))
    ts_recv = _iso_ns(_column(table, "ts_recv", file), file) - offset_ns
    sides, actions, orders = (_column(table, name, file).to_pylist() for name in ("side", "action", "order_id"))
    rows = RowBuilder()
    ids: dict[str, int] = {}
    book_of = _OrderBook()
    counts = {
        "ticks": len(actions),
        "changes_of_unknown_orders": 0,
        "deletions_of_unknown_orders": 0,
        "stale_orders_removed": 0,
    }
    for i, (side_text, action, order) in enumerate(zip(sides, actions, orders, strict=True)):
        if side_text not in ("a", "b") or action not in ("add", "modify", "delete"):
            raise DataError(
                f"{file}, line {lines[i]}: side {side_text!r}, action {action!r}; "
                "sides are a and b, actions add, modify and delete"
            )
        side, price, qty = BUY if side_text == "b" else SELL, int(prices[i]), int(lots[i])
        known = book_of.orders.get(order)
        stale = book_of.crossed_by(side, price) if action != "delete" else []
        kind = MODIFY if action == "add" and known else {"add": ADD, "modify": MODIFY, "delete": DELETE}[action]
        if kind != ADD and known is None:
            counts["changes_of_unknown_orders" if kind == MODIFY else "deletions_of_unknown_orders"] += 1
            continue
        for gone in stale:
            gone_side, gone_price, gone_qty = book_of.remove(gone)
            rows.add(int(ts_event[i]), int(ts_recv[i]), DELETE, gone_side, gone_price, gone_qty, ids[gone])
            counts["stale_orders_removed"] += 1
        if known is not None:
            left = book_of.remove(order)
            if kind == DELETE:
                side, price, qty = left
        if kind != DELETE:
            book_of.put(order, side, price, qty)
        number = ids.setdefault(order, len(ids) + 1)
        rows.add(int(ts_event[i]), int(ts_recv[i]), kind, side, price, qty, number, LAST)
    book = rows.columns()
    if not len(book):
        raise DataError(f"{file}: no order of {symbol} was added while it was recorded; there is no book to import")
    traded, outside = _trade_columns(trades, spec, int(book.ts_event_ns[0]), int(book.ts_event_ns[-1]))
    counts |= {"trades": len(traded), "trades_outside_book": outside, "orders_at_the_end": len(book_of.orders)}
    market = Market(spec=spec, columns=concatenate([traded, book]), depth="L3", has_trades=len(traded) > 0)
    note = "The book is partial: no snapshot was recorded, so orders older than the recording are missing."
    return ImportedMarket(market=market, source=str(file), statistics=counts, notes=(note,))


class _OrderBook:
    """The orders that are known, and which of them a new price would lock or cross."""

    def __init__(self) -> None:
        self.orders: dict[str, tuple[int, int, int]] = {}
        # By side: a heap of the prices, best first, cleaned when looked at; and the orders at each price.
        self._heaps: tuple[list[int], list[int]] = ([], [])
        self._levels: tuple[dict[int, dict[str, None]], dict[int, dict[str, None]]] = ({}, {})

    def put(self, order: str, side: int, price: int, qty: int) -> None:
        self.orders[order] = (side, price, qty)
        if price not in self._levels[side]:
            self._levels[side][price] = {}
            heappush(self._heaps[side], -price if side == BUY else price)
        self._levels[side][price][order] = None

    def remove(self, order: str) -> tuple[int, int, int]:
        side, price, qty = self.orders.pop(order)
        del self._levels[side][price][order]
        return side, price, qty

    def crossed_by(self, side: int, price: int) -> list[str]:
        """Orders on the other side that a price on ``side`` would lock or cross, best first."""
        other = 1 - side
        heap, levels = self._heaps[other], self._levels[other]
        while heap and not levels[abs(heap[0])]:
            del levels[abs(heappop(heap))]
        if not heap or (abs(heap[0]) > price if side == BUY else abs(heap[0]) < price):
            return []
        crossed = [each for each in levels if (each <= price if side == BUY else each >= price)]
        return [order for each in sorted(crossed, reverse=other == BUY) for order in levels[each]]


def _specs(options: Mapping[str, str]) -> dict[str, InstrumentSpec]:
    return read_asset_pairs(Path(options["asset_pairs"])) if options["asset_pairs"] else {}


def _inferred(symbol: str, tick_size: str, lot_size: str) -> InstrumentSpec:
    return InstrumentSpec(symbol=symbol, venue=VENUE, tick_size=tick_size, lot_size=lot_size)


def _symbol_of_altname(file: Path) -> str:
    altname = file.name.split(".")[0].split("_")[0].upper()
    for quote in _QUOTES:
        if altname.endswith(quote) and len(altname) > len(quote):
            return f"{canonical_asset(altname.removesuffix(quote))}/{canonical_asset(quote)}"
    raise DataError(
        f"{file}: the name does not tell a pair; rename the file to the pair's altname or give symbol=BASE/QUOTE"
    )


def _table(file: Path) -> pa.Table:
    """A CSV file with header, all columns as text."""
    try:
        with file.open("rb") as source:
            names = source.readline().decode().strip().split(",")
        convert = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
        table = csv.read_csv(str(file), convert_options=convert).combine_chunks()
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not CSV with a header ({str(error).splitlines()[0]}); check the file") from None
    except OSError as error:
        raise DataError(f"{file}: {error.strerror or error}; give the folder or file of the recording") from None
    if not table.num_rows:
        raise DataError(f"{file}: there is no row; check the file")
    return table


def _column(table: pa.Table, name: str, file: Path) -> pa.Array:
    if name not in table.column_names:
        raise DataError(f"{file}: column {name} is missing; it has {', '.join(table.column_names[:8])}")
    return table.column(name).combine_chunks()


def _on_grid(texts: pa.Array, step: str, file: Path) -> npt.NDArray[np.int64]:
    try:
        return Grid(step).column(texts)
    except ValueError as error:
        raise DataError(f"{file}: {error}; check the file, and that its AssetPairs is of the same time") from None


def _iso_ns(texts: pa.Array, file: Path) -> npt.NDArray[np.int64]:
    try:
        plain = pc.replace_substring_regex(texts, "Z$", "")
        return np.array(pc.cast(plain, pa.timestamp("ns")).cast(pa.int64()), dtype=np.int64)
    except pa.ArrowException as error:
        raise DataError(f"{file}: a time is not ISO 8601 ({str(error).splitlines()[0]}); check the file") from None
