"""Writes a market as a NautilusTrader Parquet catalog, readable by its ``ParquetDataCatalog``.

Book rows become order book deltas (level 1: quotes), trades become trade ticks, and the instrument a ``CurrencyPair``
without fees. What has no counterpart and is lost: the flag EXECUTED, the order that a trade hit, and whether a trade of
the same event time stood between two book rows. NautilusTrader orders its data by ``ts_init``, so receive times are
raised to their running maximum where they go back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

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
    Market,
)
from framework.data.grid import Grid
from framework.data.touch import walk_touch
from framework.errors import DataError
from framework.protocol import BUY, SELL, InstrumentSpec

__all__ = ["export_catalog"]

_ADD, _UPDATE, _DELETE, _CLEAR = 1, 2, 3, 4
_F_LAST, _F_SNAPSHOT = 128, 32
_NS_PER_S = 1_000_000_000
_FIXED_DECIMALS = 16
_ROW_GROUP = 5_000  # rows per group, as the catalog itself writes


def export_catalog(market: Market, folder: Path) -> None:
    """Adds the market to the catalog in ``folder``, which is made if it does not exist.

    Raises DataError if the catalog already holds this instrument, or if a step has more than 16 decimals.
    """
    spec = market.spec
    identifier = f"{spec.symbol}.{spec.venue.upper()}"
    name = identifier.replace("/", "")
    if any(folder.glob(f"data/*/{name}")):
        raise DataError(f"{folder}: already holds {identifier}; export to another folder")
    for step in (spec.tick_size, spec.lot_size):
        if Grid(step).decimals > _FIXED_DECIMALS:
            raise DataError(
                f"{spec.symbol}: step {step} has more than {_FIXED_DECIMALS} decimals; a catalog cannot hold it"
            )
    metadata = {
        "instrument_id": identifier,
        "price_precision": str(Grid(spec.tick_size).decimals),
        "size_precision": str(Grid(spec.lot_size).decimals),
    }
    _write_instrument(spec, identifier, folder)
    if market.depth == "L1":
        _write(folder, "quote_tick", name, _quotes(market), metadata)
    elif market.depth in ("L2", "L3"):
        _write(folder, "order_book_deltas", name, _deltas(market), metadata)
    if market.has_trades:
        _write(folder, "trade_tick", name, _trades(market), metadata)


def _write_instrument(spec: InstrumentSpec, identifier: str, folder: Path) -> None:
    from nautilus_trader.model.identifiers import InstrumentId, Symbol
    from nautilus_trader.model.instruments import CurrencyPair
    from nautilus_trader.model.objects import Currency, Money, Price, Quantity
    from nautilus_trader.persistence.catalog import ParquetDataCatalog

    quote = Currency.from_str(spec.quote)
    instrument = CurrencyPair(
        instrument_id=InstrumentId.from_str(identifier),
        raw_symbol=Symbol(spec.symbol),
        base_currency=Currency.from_str(spec.base),
        quote_currency=quote,
        price_precision=Grid(spec.tick_size).decimals,
        size_precision=Grid(spec.lot_size).decimals,
        price_increment=Price.from_str(spec.tick_size),
        size_increment=Quantity.from_str(spec.lot_size),
        min_quantity=Quantity.from_str(str(spec.qty(spec.min_qty_lots))),
        min_notional=Money(spec.min_cost, quote) if spec.min_cost != "0" else None,
        ts_event=0,
        ts_init=0,
    )
    ParquetDataCatalog(str(folder)).write_data([instrument])


def _fixed(steps: npt.NDArray[np.int64], step: str) -> pa.Array:
    """Whole steps as 128-bit fixed-point binaries of 16 decimals."""
    grid = Grid(step)
    units = steps * grid.units_per_step
    words = np.stack([units, units >> 63], axis=1)
    exact = pa.Array.from_buffers(pa.decimal128(38, grid.decimals), len(steps), [None, pa.py_buffer(words.tobytes())])
    widened = pc.cast(exact, pa.decimal128(38, _FIXED_DECIMALS))
    return pa.Array.from_buffers(pa.binary(16), len(steps), [None, widened.buffers()[1]])


def _times(market: Market, rows: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.uint64]]:
    received = np.maximum.accumulate(market.columns.ts_recv_ns[rows])
    return {
        "ts_event": market.columns.ts_event_ns[rows].astype(np.uint64),
        "ts_init": received.astype(np.uint64),
    }


def _sides(side: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    numbers = np.zeros(UNKNOWN_SIDE + 1, dtype=np.uint8)
    numbers[[BUY, SELL]] = [1, 2]
    return numbers[side]


def _deltas(market: Market) -> dict[str, Any]:
    columns = market.columns
    rows = np.flatnonzero(columns.kind != TRADE)
    kind, qty = columns.kind[rows], columns.qty_lots[rows]
    action = np.zeros(TRADE + 1, dtype=np.uint8)
    action[[CLEAR, LEVEL, ADD, MODIFY, DELETE]] = [_CLEAR, _UPDATE, _ADD, _UPDATE, _DELETE]
    is_removal = (kind == LEVEL) & (qty == 0)
    side = np.where(kind == CLEAR, 0, _sides(columns.side[rows])).astype(np.uint8)
    flags = columns.flags[rows]
    is_last = (flags & LAST != 0) * _F_LAST
    is_snapshot = (flags & SNAPSHOT != 0) * _F_SNAPSHOT
    ids = columns.order_id[rows] if len(columns.order_id) else np.zeros(len(rows), dtype=np.int64)
    return {
        "action": np.where(is_removal, _DELETE, action[kind]).astype(np.uint8),
        "side": side,
        "price": _fixed(columns.price_ticks[rows], market.spec.tick_size),
        "size": _fixed(qty, market.spec.lot_size),
        "order_id": ids.astype(np.uint64),
        "flags": (is_last | is_snapshot).astype(np.uint8),
        "sequence": rows.astype(np.uint64),
        **_times(market, rows),
    }


def _quotes(market: Market) -> dict[str, Any]:
    """A quote at each end of a message of book rows where both sides are there."""
    columns = market.columns
    path = walk_touch(columns)
    is_quote = (columns.kind == BEST) & (columns.flags & LAST != 0) & (path.bid_ticks > 0) & (path.ask_ticks > 0)
    rows = np.flatnonzero(is_quote)
    return {
        "bid_price": _fixed(path.bid_ticks[rows], market.spec.tick_size),
        "ask_price": _fixed(path.ask_ticks[rows], market.spec.tick_size),
        "bid_size": _fixed(path.bid_lots[rows], market.spec.lot_size),
        "ask_size": _fixed(path.ask_lots[rows], market.spec.lot_size),
        **_times(market, rows),
    }


def _trades(market: Market) -> dict[str, Any]:
    columns = market.columns
    rows = np.flatnonzero(columns.kind == TRADE)
    return {
        "price": _fixed(columns.price_ticks[rows], market.spec.tick_size),
        "size": _fixed(columns.qty_lots[rows], market.spec.lot_size),
        "aggressor_side": _sides(columns.side[rows]),
        # The row number: unique in the market, and it stays what it is.
        "trade_id": rows.astype(str),
        **_times(market, rows),
    }


def _write(folder: Path, kind: str, name: str, columns: dict[str, Any], metadata: dict[str, str]) -> None:
    if not len(columns["ts_init"]):
        return
    table = pa.table(columns)
    # The catalog's reader refuses columns that may be null.
    fields = [pa.field(field.name, field.type, nullable=False) for field in table.schema]
    table = table.cast(pa.schema(fields, metadata=metadata))
    file_name = f"{_file_time(int(columns['ts_init'][0]))}_{_file_time(int(columns['ts_init'][-1]))}.parquet"
    place = folder / "data" / kind / name
    place.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, place / file_name, row_group_size=_ROW_GROUP)


def _file_time(ts_ns: int) -> str:
    seconds, nanoseconds = divmod(ts_ns, _NS_PER_S)
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return f"{moment:%Y-%m-%dT%H-%M-%S}-{nanoseconds:09d}Z"
