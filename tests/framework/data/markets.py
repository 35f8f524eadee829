"""Small markets for tests of the data room, with defaults for all that a test does not care about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from framework.data.columns import LAST, Columns, Market
from framework.data.imports import ImportedMarket, RowBuilder
from framework.protocol import InstrumentSpec

__all__ = ["START_NS", "imported", "make_columns", "make_market", "make_spec"]

START_NS = 1_700_000_000_000_000_000

Row = tuple[int, int, int, int, int, int]


def make_spec(
    symbol: str = "BTC/USD", venue: str = "testing", tick_size: str = "0.1", lot_size: str = "0.00000001"
) -> InstrumentSpec:
    """A spec; a tick is 0.1 and a lot 1e-8 unless told otherwise."""
    return InstrumentSpec(symbol=symbol, venue=venue, tick_size=tick_size, lot_size=lot_size)


def make_columns(rows: Sequence[tuple[int, ...]], flags: int = LAST) -> Columns:
    """Rows of (kind, side, price_ticks, qty_lots[, order_id[, ts_after_start_ns[, flags]]]), a microsecond apart."""
    builder = RowBuilder()
    for i, row in enumerate(rows):
        kind, side, price, qty, *rest = row
        ts = START_NS + (rest[1] if len(rest) > 1 else 1000 * i)
        builder.add(ts, ts, kind, side, price, qty, rest[0] if rest else 0, rest[2] if len(rest) > 2 else flags)
    return builder.columns()


def make_market(
    rows: Sequence[tuple[int, ...]],
    depth: str = "L2",
    has_trades: bool | None = None,
    spec: InstrumentSpec | None = None,
) -> Market:
    """A market of the given rows; it has trades if a row is one, unless told otherwise."""
    columns = make_columns(rows)
    trades = bool((columns.kind == 6).any()) if has_trades is None else has_trades
    if depth == "L3" and not len(columns.order_id):
        columns = _with_ids(columns)
    return Market(spec=spec or make_spec(), columns=columns, depth=depth, has_trades=trades)


def imported(market: Market, source: str = "hand-made") -> ImportedMarket:
    """The market as an importer hands it over."""
    return ImportedMarket(market=market, source=source)


def _with_ids(columns: Columns) -> Columns:
    return Columns(
        **{name: getattr(columns, name) for name in columns.__struct_fields__ if name != "order_id"},
        order_id=np.zeros(len(columns), dtype=np.int64),
    )
