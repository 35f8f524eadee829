"""What a market must be before it is stored or run; every failure names the place, the row and a remedy.

Two strengths: ``check_shape`` is cheap (whole-array comparisons) and runs at every load; ``check_market`` also walks
the book and runs at import, so that a crossed book or a change of an unknown order never enters a store.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt

from framework.data.columns import (
    ADD,
    BEST,
    CLEAR,
    COLUMN_TYPES,
    DELETE,
    EXECUTED,
    LAST,
    LEVEL,
    MODIFY,
    SNAPSHOT,
    TRADE,
    UNKNOWN_SIDE,
    Market,
)
from framework.data.touch import ADDED_TWICE, CHANGED_UNKNOWN, ID_NOT_DENSE, OTHER_SIDE, walk_touch
from framework.errors import DataError
from framework.protocol import SELL, InstrumentSpec

__all__ = ["KINDS_OF_DEPTH", "KIND_NAMES", "check_market", "check_shape", "check_spec"]

KIND_NAMES = ("CLEAR", "BEST", "LEVEL", "ADD", "MODIFY", "DELETE", "TRADE")

# Which book rows may stand in a market of each depth, besides TRADE.
KINDS_OF_DEPTH: dict[str, tuple[int, ...]] = {
    "L1": (CLEAR, BEST),
    "L2": (CLEAR, LEVEL),
    "L3": (CLEAR, ADD, MODIFY, DELETE),
    "trades": (),
}

_WALK_ERRORS = {
    ADDED_TWICE: "order {order_id} is added while it is in the book; delete it first or give the new order its own id",
    CHANGED_UNKNOWN: "{kind} of order {order_id}, which is not in the book; drop the row or add the order first",
    OTHER_SIDE: "{kind} of order {order_id} on the other side of the book; a change must repeat the order's side",
    ID_NOT_DENSE: "order id {order_id} is not dense; number orders 1, 2, 3, ... in order of first appearance",
}


def check_spec(spec: InstrumentSpec, where: str) -> None:
    """Raises DataError for an instrument without a usable symbol or grid; ``where`` begins the message."""
    if not spec.base or not spec.quote:
        raise DataError(f"{where}: symbol {spec.symbol!r} has no base and quote; write it as BASE/QUOTE")
    for name, text in (("tick_size", spec.tick_size), ("lot_size", spec.lot_size)):
        try:
            step = Decimal(text)
        except InvalidOperation:
            step = Decimal(0)
        if not step.is_finite() or step <= 0:
            raise DataError(
                f"{where}: {name} {text!r} of {spec.symbol} is not a positive decimal; give the grid's step"
            )


def check_shape(market: Market, where: str) -> None:
    """Checks lengths, dtypes, kinds, sides, signs and the order of times.

    where: file or source that error messages begin with.
    Raises DataError.
    """
    check_spec(market.spec, where)
    columns = market.columns
    if market.depth not in KINDS_OF_DEPTH:
        known = ", ".join(KINDS_OF_DEPTH)
        raise DataError(f"{where}: depth {market.depth!r} is not one of {known}; name what the book rows tell")
    rows = len(columns)
    for name, dtype in COLUMN_TYPES.items():
        column = getattr(columns, name)
        if column.dtype != dtype:
            expected = np.dtype(dtype).name
            raise DataError(f"{where}: column {name} is {column.dtype}, not {expected}; convert it before importing")
        if len(column) != rows and not (name == "order_id" and len(column) == 0):
            raise DataError(
                f"{where}: column {name} has {len(column)} rows, ts_event_ns has {rows}; columns must match"
            )
    if rows == 0:
        raise DataError(f"{where}: there is no row; check that the source covers this instrument")
    _check_rows(market, where)


def _check_rows(market: Market, where: str) -> None:
    columns = market.columns
    ts, kind, side = columns.ts_event_ns, columns.kind, columns.side
    row = _first(ts[1:] < ts[:-1])
    if row is not None:
        raise DataError(
            f"{where}, row {row + 1}: ts_event_ns goes back from {ts[row]} to {ts[row + 1]}; "
            "sort the source by event time, keeping the order of equal times"
        )
    if ts[0] <= 0:
        raise DataError(
            f"{where}, row 0: ts_event_ns is {ts[0]}; times are nanoseconds since 1970, check the time unit"
        )
    allowed = np.zeros(256, dtype=np.bool_)
    allowed[[*KINDS_OF_DEPTH[market.depth], *([TRADE] if market.has_trades else [])]] = True
    row = _first(~allowed[kind])
    if row is not None:
        code = int(kind[row])
        name = KIND_NAMES[code] if code < len(KIND_NAMES) else str(code)
        trades = "with" if market.has_trades else "without"
        raise DataError(
            f"{where}, row {row}: kind {name} does not belong in a market of depth {market.depth} {trades} trades; "
            "state depth and trades as the rows have them, or drop the row"
        )
    row = _first((side > SELL) & ~((kind == TRADE) & (side == UNKNOWN_SIDE)))
    if row is not None:
        raise DataError(
            f"{where}, row {row}: side is {side[row]}; use 0 for buy, 1 for sell (2, unknown, in trades only)"
        )
    row = _first(columns.flags > (LAST | SNAPSHOT | EXECUTED))
    if row is not None:
        raise DataError(f"{where}, row {row}: flags are {columns.flags[row]}; only bits 1, 2 and 4 have a meaning")
    _check_amounts(market, where)


def _check_amounts(market: Market, where: str) -> None:
    columns = market.columns
    kind, price, qty = columns.kind, columns.price_ticks, columns.qty_lots
    may_be_empty = np.zeros(256, dtype=np.bool_)
    may_be_empty[[CLEAR, BEST, LEVEL, DELETE]] = True
    row = _first(qty <= 0)
    if row is not None:
        row = _first((qty < 0) | ((qty == 0) & ~may_be_empty[kind]))
    if row is not None:
        name = KIND_NAMES[kind[row]]
        raise DataError(
            f"{where}, row {row}: {name} has qty_lots {qty[row]}; a quantity must be positive, drop the row"
        )
    row = _first(price <= 0)
    if row is not None:
        row = _first((price <= 0) & (kind != CLEAR) & ~((kind == BEST) & (qty == 0)))
    if row is not None:
        name = KIND_NAMES[kind[row]]
        raise DataError(
            f"{where}, row {row}: {name} has price_ticks {price[row]}; a price must be positive, drop the row"
        )
    if market.depth == "L3" and not len(columns.order_id):
        raise DataError(f"{where}: a market of depth L3 has no order_id column; import it as L2 or give order ids")


def check_market(market: Market, where: str) -> None:
    """All of ``check_shape``, and that the book can be followed and is never locked or crossed between messages.

    Raises DataError.
    """
    check_shape(market, where)
    columns = market.columns
    ids = columns.order_id
    if len(ids):
        adds = int(np.count_nonzero(columns.kind == ADD))
        row = _first((ids < 0) | (ids > adds)) if market.depth == "L3" else None
        if row is not None:
            kind = KIND_NAMES[columns.kind[row]]
            code = ID_NOT_DENSE if columns.kind[row] == ADD or ids[row] < 0 else CHANGED_UNKNOWN
            raise DataError(f"{where}, row {row}: " + _WALK_ERRORS[code].format(kind=kind, order_id=ids[row]))
    if market.depth == "trades":
        return
    path = walk_touch(columns)
    if path.error:
        row = path.error_row
        text = _WALK_ERRORS[path.error].format(kind=KIND_NAMES[columns.kind[row]], order_id=ids[row])
        raise DataError(f"{where}, row {row}: {text}")
    row = _first((columns.flags & LAST != 0) & (path.bid_ticks >= path.ask_ticks) & (path.ask_ticks > 0))
    if row is not None:
        bid, ask = int(path.bid_ticks[row]), int(path.ask_ticks[row])
        how = "locked" if bid == ask else "crossed"
        raise DataError(
            f"{where}, row {row}: the book is {how}, bid {market.spec.price(bid)} against ask "
            f"{market.spec.price(ask)}; a row before it is missing or out of order, "
            "repair the source or cut it before this row"
        )


def _first(mask: npt.NDArray[np.bool_]) -> int | None:
    """The first row where ``mask`` holds, or None."""
    row = int(mask.argmax()) if len(mask) else 0
    return row if len(mask) and mask[row] else None
