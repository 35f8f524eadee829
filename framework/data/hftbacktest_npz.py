"""Import and export of hftbacktest's event arrays (version 2, ``.npz`` with one structured array).

An event has flags ``ev`` (what, whose view, side), ``exch_ts``, ``local_ts``, ``px``, ``qty``, ``order_id`` and two
spare fields. Prices and quantities are binary floats there; they are taken to the nearest step of the grid, and a value
further from it than a millionth of a step is an error. The grid is not in the file, so it must be given.

What has no counterpart: an unknown aggressor (exported as a trade without side), the flags LAST, SNAPSHOT and EXECUTED
(all but SNAPSHOT of level 2 are lost; on import, book events of the same two times are one message), and the quantity
of a deleted order, which is taken from the order. A clear of one side, up to a price, becomes the removals of the
levels that it clears.

Source: hftbacktest documentation, "Data"; ``hftbacktest.types``.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from framework.data.columns import (
    ADD,
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
from framework.data.grid import Grid
from framework.data.imports import ImportedMarket, ImportOption
from framework.errors import ConfigError, DataError
from framework.protocol import BUY, SELL, InstrumentSpec

__all__ = ["EVENT_DTYPE", "HFTBACKTEST_OPTIONS", "export_hftbacktest", "hftbacktest_events", "import_hftbacktest"]

EVENT_DTYPE = np.dtype(
    [
        ("ev", "u8"),
        ("exch_ts", "i8"),
        ("local_ts", "i8"),
        ("px", "f8"),
        ("qty", "f8"),
        ("order_id", "u8"),
        ("ival", "i8"),
        ("fval", "f8"),
    ],
    align=True,
)

_EXCH, _LOCAL, _BUY, _SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28
_DEPTH, _TRADE, _CLEAR, _SNAPSHOT = 1, 2, 3, 4
_ADD, _CANCEL, _MODIFY, _FILL = 10, 11, 12, 13

_KIND_OF_EVENT = {
    _DEPTH: LEVEL,
    _SNAPSHOT: LEVEL,
    _TRADE: TRADE,
    _CLEAR: CLEAR,
    _ADD: ADD,
    _CANCEL: DELETE,
    _MODIFY: MODIFY,
}
_EVENT_OF_KIND = {LEVEL: _DEPTH, TRADE: _TRADE, CLEAR: _CLEAR, ADD: _ADD, DELETE: _CANCEL, MODIFY: _MODIFY}

HFTBACKTEST_OPTIONS = (
    ImportOption("symbol", "", "canonical name of the pair, BASE/QUOTE; must be given"),
    ImportOption("venue", "unknown", "exchange that the events are from, lower case"),
    ImportOption("tick_size", "", "price of one tick; must be given"),
    ImportOption("lot_size", "", "quantity of one lot; must be given"),
    ImportOption("min_qty_lots", "1", "smallest order quantity in lots"),
    ImportOption("min_cost", "0", "smallest order cost in quote currency"),
    ImportOption("cost_decimals", "5", "decimals of costs and fees in the quote currency"),
)

_OFF_GRID = 1e-6


def import_hftbacktest(source: Path, options: Mapping[str, str]) -> list[ImportedMarket]:
    """Reads one ``.npz`` file; options: ``HFTBACKTEST_OPTIONS``. The exchange's view of the events is taken.

    Fills of resting orders (L3) are left out: the reductions that follow them say the same.
    Raises DataError naming file, row and remedy; ConfigError for an option that makes no sense.
    """
    for name in ("symbol", "tick_size", "lot_size"):
        if not options[name]:
            raise ConfigError(f"hftbacktest: {name} is not given; the file does not hold it, give {name}=...")
    try:
        spec = InstrumentSpec(
            symbol=options["symbol"],
            venue=options["venue"],
            tick_size=options["tick_size"],
            lot_size=options["lot_size"],
            min_qty_lots=int(options["min_qty_lots"]),
            min_cost=options["min_cost"],
            cost_decimals=int(options["cost_decimals"]),
        )
    except ValueError as error:
        raise ConfigError(f"hftbacktest: min_qty_lots or cost_decimals: {error}; give whole numbers") from None
    events = _read(source)
    at_exchange = events["ev"] & _EXCH != 0
    what = events["ev"] & 0xFF
    is_known = np.isin(what, list(_KIND_OF_EVENT))
    if not (is_known | (what == _FILL) | ~at_exchange).all():
        row = int((~is_known & (what != _FILL) & at_exchange).argmax())
        raise DataError(
            f"{source}, row {row}: event {int(what[row])} has no meaning in a market; remove it before importing"
        )
    kept = np.flatnonzero(at_exchange & is_known)
    events_kept, kept = _without_one_sided_clears(events[kept], kept)
    market = _market(spec, events_kept, kept, str(source))
    statistics = {
        "events": len(events),
        "events_of_local_view_only": int(np.count_nonzero(~at_exchange)),
        "fills_left_out": int(np.count_nonzero(at_exchange & (what == _FILL))),
    }
    return [ImportedMarket(market=market, source=str(source), statistics=statistics)]


def _read(file: Path) -> npt.NDArray[np.void]:
    try:
        with np.load(file) as arrays:
            if "data" not in arrays:
                raise DataError(
                    f"{file}: no array named data, only {', '.join(arrays) or 'none'}; save it as data=events"
                )
            events: npt.NDArray[np.void] = arrays["data"]
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise DataError(
            f"{file}: not an .npz file of events ({error}); give a file made by hftbacktest's tools"
        ) from None
    if events.dtype != EVENT_DTYPE:
        raise DataError(f"{file}: events are {events.dtype}, not hftbacktest's version 2; convert the file first")
    return events


def _without_one_sided_clears(
    events: npt.NDArray[np.void], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.int64]]:
    """Replaces clears of one side, down or up to a price, by the removals of the levels that they clear."""
    is_one_sided = (events["ev"] & 0xFF == _CLEAR) & (events["ev"] & (_BUY | _SELL) != 0)
    if not is_one_sided.any():
        return events, rows
    levels: dict[int, set[float]] = {_BUY: set(), _SELL: set()}
    parts: list[npt.NDArray[np.void]] = []
    part_rows: list[int] = []
    for i in range(len(events)):
        ev = int(events["ev"][i])
        what, px, side = ev & 0xFF, float(events["px"][i]), ev & (_BUY | _SELL)
        if is_one_sided[i]:
            sign = 1 if side == _BUY else -1
            cleared = sorted(p for p in levels[side] if not np.isfinite(px) or sign * p >= sign * px)
            removals = np.repeat(events[i : i + 1], len(cleared))
            removals["ev"] = (ev & ~0xFF) | _SNAPSHOT
            removals["px"], removals["qty"] = cleared, 0.0
            levels[side].difference_update(cleared)
            parts.append(removals)
            part_rows.extend([int(rows[i])] * len(cleared))
            continue
        if what == _CLEAR:
            levels = {_BUY: set(), _SELL: set()}
        elif what in (_DEPTH, _SNAPSHOT) and side in levels:
            (levels[side].add if events["qty"][i] > 0 else levels[side].discard)(px)
        parts.append(events[i : i + 1])
        part_rows.append(int(rows[i]))
    return np.concatenate(parts), np.array(part_rows, dtype=np.int64)


def _market(spec: InstrumentSpec, events: npt.NDArray[np.void], rows: npt.NDArray[np.int64], where: str) -> Market:
    what = (events["ev"] & 0xFF).astype(np.int64)
    table = np.zeros(_FILL + 1, dtype=np.uint8)
    table[list(_KIND_OF_EVENT)] = list(_KIND_OF_EVENT.values())
    kind = table[what]
    is_clear = kind == CLEAR
    side = np.where(events["ev"] & _BUY != 0, BUY, np.where(events["ev"] & _SELL != 0, SELL, UNKNOWN_SIDE)).astype(
        np.uint8
    )
    side[is_clear] = BUY
    has_orders = bool(((kind == ADD) | (kind == MODIFY) | (kind == DELETE)).any())
    has_levels = bool((kind == LEVEL).any())
    if has_orders and has_levels:
        row = int(rows[int((kind == LEVEL).argmax())])
        raise DataError(f"{where}, row {row}: depth events among order events; import the two into two stores")
    is_snapshot = what == _SNAPSHOT
    is_restated = is_snapshot | (is_clear & np.append(is_snapshot[1:], np.False_))
    # Book events of the same two times came in one message; so did all events of one snapshot.
    is_book = kind != TRADE
    goes_on = is_book[:-1] & is_book[1:] & (is_restated[:-1] == is_restated[1:])
    for name in ("exch_ts", "local_ts"):
        goes_on &= events[name][1:] == events[name][:-1]
    ends = np.append(~(goes_on | (is_restated[:-1] & is_restated[1:])), np.True_)
    prices = np.where(
        is_clear | (kind == DELETE), 0, _on_grid(events["px"], spec.tick_size, "price", rows, ~is_clear, where)
    )
    lots = np.where(is_clear, 0, _on_grid(events["qty"], spec.lot_size, "quantity", rows, ~is_clear, where))
    order_id: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
    if has_orders:
        numbered = number_orders(kind, events["order_id"].astype(np.int64), prices, lots)
        order_id, prices, lots = numbered.order_id, numbered.price_ticks, numbered.qty_lots
    columns = Columns(
        ts_event_ns=np.ascontiguousarray(events["exch_ts"]),
        ts_recv_ns=np.ascontiguousarray(events["local_ts"]),
        kind=kind,
        side=side,
        price_ticks=prices,
        qty_lots=lots,
        order_id=order_id,
        flags=(np.where(ends, LAST, 0) | np.where(is_restated, SNAPSHOT, 0)).astype(np.uint8),
    )
    depth = "L3" if has_orders else "L2" if has_levels else "trades"
    return Market(spec=spec, columns=columns, depth=depth, has_trades=bool((kind == TRADE).any()))


def _on_grid(
    values: npt.NDArray[np.float64],
    step: str,
    what: str,
    rows: npt.NDArray[np.int64],
    is_checked: npt.NDArray[np.bool_],
    where: str,
) -> npt.NDArray[np.int64]:
    with np.errstate(invalid="ignore"):
        steps = values / float(Decimal(step))
        nearest = np.rint(steps)
        off = is_checked & ~(np.abs(steps - nearest) <= _OFF_GRID * np.maximum(1.0, np.abs(steps) * 1e-9))
    if off.any():
        row = int(off.argmax())
        raise DataError(
            f"{where}, row {rows[row]}: {what} {values[row]} is not a multiple of {step}; give the right step"
        )
    return np.nan_to_num(nearest).astype(np.int64)


def export_hftbacktest(market: Market, file: Path) -> None:
    """Writes a market as ``.npz`` for hftbacktest; see ``hftbacktest_events``."""
    np.savez_compressed(file, data=hftbacktest_events(market))


def hftbacktest_events(market: Market) -> npt.NDArray[np.void]:
    """A market as hftbacktest's array (``EVENT_DTYPE``): every row is an event of both views, at its two times.

    Receive times that go back are raised to the one before, because hftbacktest reads one order.
    Raises DataError for L1 rows and for a receive time before the event time.
    """
    columns = market.columns
    if market.depth == "L1":
        raise DataError(f"{market.spec.symbol}: hftbacktest has no rows of level 1; export a level 2 or 3 market")
    early = columns.ts_recv_ns < columns.ts_event_ns
    if early.any():
        row = int(early.argmax())
        raise DataError(
            f"{market.spec.symbol}, row {row}: received {int(columns.ts_event_ns[row] - columns.ts_recv_ns[row])} ns "
            "before it happened; hftbacktest wants a feed that takes time, correct the recorder's clock first"
        )
    table = np.zeros(TRADE + 1, dtype=np.uint64)
    table[list(_EVENT_OF_KIND)] = list(_EVENT_OF_KIND.values())
    what = table[columns.kind]
    what[(columns.kind == LEVEL) & (columns.flags & SNAPSHOT != 0)] = _SNAPSHOT
    events = np.zeros(len(columns), dtype=EVENT_DTYPE)
    side = np.where(columns.side == BUY, _BUY, np.where(columns.side == SELL, _SELL, 0)).astype(np.uint64)
    # A clear names both sides by naming none.
    side[columns.kind == CLEAR] = 0
    events["ev"] = what | side | np.uint64(_EXCH | _LOCAL)
    events["exch_ts"] = columns.ts_event_ns
    events["local_ts"] = np.maximum.accumulate(columns.ts_recv_ns)
    events["px"] = _values(columns.price_ticks, market.spec.tick_size)
    events["qty"] = _values(columns.qty_lots, market.spec.lot_size)
    if len(columns.order_id):
        events["order_id"] = columns.order_id.astype(np.uint64)
    return events


def _values(steps: npt.NDArray[np.int64], step: str) -> npt.NDArray[np.float64]:
    """Steps as the binary floats nearest to their exact decimal values."""
    grid = Grid(step)
    # Both are whole and below 2**53 in all but absurd cases, so one correctly rounded division is exact enough.
    return steps * grid.units_per_step / 10.0**grid.decimals
