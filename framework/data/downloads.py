"""A download of public trades, page by page, into a market store.

What came is kept in a file beside the store (``STORE.download``) until all of it is there: a download that was stopped,
by whatever, goes on where it was, and a store is there in full or not at all. Pages overlap by one instant, so that
trades of one nanosecond that a page tore apart are had in full; what came twice is dropped by its number. Numbers that
are missing at the end are told.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from framework.data.append_file import AppendFile, AppendReader
from framework.data.columns import LAST, TRADE, Columns, Market
from framework.data.grid import Grid, column_decimals, step_of_decimals
from framework.data.imports import ImportedMarket
from framework.data.moments import moment_text
from framework.data.store import write_store
from framework.data.trade_numbers import missing_trades
from framework.errors import ConfigError, DataError
from framework.protocol import InstrumentSpec

__all__ = ["DownloadSettings", "OpenTrades", "TradeDownload", "TradePage", "TradeSource", "partial_path"]

_MAGIC = b"tidegate-download-1\n"
_REMEMBERED = 5_000  # numbers of the newest trades, several pages of them
_ENCODE = msgspec.msgpack.Encoder().encode


class TradePage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Some trades of one pair as a venue tells them, oldest first, in equally long lists.

    trade_ids: the venue's numbers, which count up by one. prices, qtys: decimals as the venue wrote them. sides: the
    taker's. last_ns: the time of the last one, after which the next page begins. is_full: whether these are as many as
    the venue gives at once, so that there may be more.
    """

    trade_ids: list[int]
    ts_event_ns: list[int]
    prices: list[str]
    qtys: list[str]
    sides: list[int]
    last_ns: int
    is_full: bool


class TradeSource(Protocol):
    """Where pages of public trades come from. spec: the pair's; origin: what errors and the store call the source."""

    spec: InstrumentSpec
    origin: str

    async def page(self, after_ns: int) -> TradePage:
        """The oldest trades after a time.

        Waits as the venue's limits ask for, and tries again what may pass. Raises VenueError for what does not.
        """
        ...


class DownloadSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where to download from, and how fast.

    host: address in place of the exchange's own. ca_file: certificate of an authority to trust in place of the
    system's. pause_s: from one call to the next, None for what the exchange's limits ask for. tell: hears in words of
    what went wrong and is tried again.
    """

    host: str | None = None
    ca_file: Path | None = None
    pause_s: float | None = None
    tell: Callable[[str], None] = print


type OpenTrades = Callable[[str, DownloadSettings], AbstractAsyncContextManager[TradeSource]]
"""Opens the trades of a pair, by its canonical symbol. Raises ConfigError for settings that make no sense, and
TidegateError where the exchange cannot be reached or has no such pair.
"""


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    symbol: str
    origin: str
    from_ns: int


_DECODE_HEADER = msgspec.msgpack.Decoder(_Header).decode
_DECODE_PAGE = msgspec.msgpack.Decoder(TradePage).decode


def partial_path(store: Path) -> Path:
    """Where a download into a store is gathered."""
    return store.with_name(f"{store.name}.download")


class TradeDownload:
    """One download of the trades from a time on, up to but not including another.

    trade_count: trades that are in the file. after_ns: where the next page begins. last_ns: how far the trades go.
    is_done: whether all are there. torn_bytes: of a page that was half written, and is asked for again.
    """

    def __init__(self, store: Path, spec: InstrumentSpec, origin: str, from_ns: int, to_ns: int) -> None:
        """Begin, or go on with what is there.

        Raises ConfigError for a store that is there, a partial file of another download and one that is in use,
        DataError for one that is damaged.
        """
        if store.exists():
            raise ConfigError(f"{store}: already exists; choose another folder or remove it first")
        self.store = store
        self.trade_count = 0
        self.is_done = False
        self.after_ns = max(0, from_ns - 1)
        self.last_ns = from_ns
        self._spec = spec
        self._origin = origin
        self._from_ns, self._to_ns = from_ns, to_ns
        self._newest: deque[int] = deque(maxlen=_REMEMBERED)
        self._path = partial_path(store)
        header = _Header(symbol=spec.symbol, origin=origin, from_ns=from_ns)
        if self._path.exists() and self._path.stat().st_size:
            self._frames = AppendFile.reopen(self._path, _MAGIC, self._recall)
            self._check(header)
        else:
            self._path.unlink(missing_ok=True)
            self._frames = AppendFile.begin(self._path, _MAGIC, _ENCODE(header))
        self.torn_bytes = self._frames.torn_bytes

    def take(self, page: TradePage) -> None:
        """The page after ``after_ns`` has come; its new trades are written. Raises OutputError where they cannot be."""
        known = set(self._newest)
        rows = [row for row, trade_id in enumerate(page.trade_ids) if trade_id not in known]
        if rows:
            fresh = page if len(rows) == len(page.trade_ids) else _some(page, rows)
            self._frames.append(_ENCODE(fresh))
            self._note(fresh)
        elif page.is_full and self.after_ns < page.last_ns:
            # A whole page of one instant: what more there is of it cannot be asked for, and shows as a gap.
            self.after_ns = page.last_ns
        else:
            self.is_done = True

    def finish(self) -> ImportedMarket:
        """Make the store of all trades, and remove the partial file. Returns what is in the store.

        Raises DataError where there is no trade in that time, or the store cannot be written; nothing is lost then.
        """
        imported = self._imported()
        write_store(self.store, [imported])
        self._path.unlink()
        return imported

    def close(self) -> None:
        """Let go of the partial file, which stays."""
        self._frames.close()

    # ------------------------------------------------------------------------------------------------- the file

    def _recall(self, payload: bytes) -> None:
        self._note(self._decoded(payload))

    def _decoded(self, payload: bytes) -> TradePage:
        try:
            return _DECODE_PAGE(payload)
        except msgspec.MsgspecError:
            raise DataError(f"{self._path} is of another version of this program; remove it and begin anew") from None

    def _note(self, page: TradePage) -> None:
        self.trade_count += len(page.trade_ids)
        self._newest.extend(page.trade_ids)
        self.last_ns = page.last_ns
        self.after_ns = page.last_ns - 1
        self.is_done = page.ts_event_ns[-1] >= self._to_ns

    def _check(self, wanted: _Header) -> None:
        try:
            found = _DECODE_HEADER(self._frames.header)
        except msgspec.MsgspecError:
            raise DataError(f"{self._path} is of another version of this program; remove it and begin anew") from None
        if found != wanted:
            self.close()
            raise ConfigError(
                f"{self._path} is the beginning of another download: {found.symbol} from {moment_text(found.from_ns)} "
                f"on, of {found.origin}; finish that one, name another store, or remove the file"
            )

    # ------------------------------------------------------------------------------------------------- the store

    def _imported(self) -> ImportedMarket:
        with self._path.open("rb", buffering=0) as file:
            reader = AppendReader(file, self._path, _MAGIC)
            ids, times, sides, prices, qtys = _arrays(self._decoded(payload) for payload in reader)
        wanted = np.flatnonzero((times >= self._from_ns) & (times < self._to_ns))
        # By number, and of one number the first; then by time, in which a venue's clock may have gone back.
        ids, first = np.unique(ids[wanted], return_index=True)
        by_number = wanted[first]
        rows = by_number[np.argsort(times[by_number], kind="stable")]
        if not len(rows):
            self._path.unlink()
            span = f"from {moment_text(self._from_ns)} to {moment_text(self._to_ns)}"
            raise DataError(f"{self._origin}: no trade of {self._spec.symbol} {span}; ask for another time")
        notes: list[str] = []
        price_ticks, tick_size = _steps(prices.take(rows), self._spec.tick_size, "price", notes)
        qty_lots, lot_size = _steps(qtys.take(rows), self._spec.lot_size, "quantity", notes)
        missing, told = missing_trades(ids, times[by_number], "the venue did not give them")
        min_qty = self._spec.qty(self._spec.min_qty_lots)
        spec = msgspec.structs.replace(
            self._spec, tick_size=tick_size, lot_size=lot_size, min_qty_lots=int(min_qty / Decimal(lot_size))
        )
        columns = Columns(
            ts_event_ns=times[rows],
            ts_recv_ns=times[rows],
            kind=np.full(len(rows), TRADE, dtype=np.uint8),
            side=sides[rows],
            price_ticks=price_ticks,
            qty_lots=qty_lots,
            order_id=np.empty(0, dtype=np.int64),
            flags=np.full(len(rows), LAST, dtype=np.uint8),
        )
        return ImportedMarket(
            market=Market(spec=spec, columns=columns, depth="trades", has_trades=True),
            source=self._origin,
            statistics={
                "trades": len(rows),
                "trades_missing": missing,
                "first_trade_id": int(ids[0]),
                "last_trade_id": int(ids[-1]),
            },
            notes=(*notes, *told),
        )


def _some(page: TradePage, rows: list[int]) -> TradePage:
    return TradePage(
        trade_ids=[page.trade_ids[row] for row in rows],
        ts_event_ns=[page.ts_event_ns[row] for row in rows],
        prices=[page.prices[row] for row in rows],
        qtys=[page.qtys[row] for row in rows],
        sides=[page.sides[row] for row in rows],
        last_ns=page.last_ns,
        is_full=page.is_full,
    )


type _Arrays = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint8], pa.Array, pa.Array]


def _arrays(pages: Iterable[TradePage]) -> _Arrays:
    """Numbers, times, sides, prices and quantities of all pages, one after the other."""
    ids, times, sides = array("q"), array("q"), array("B")
    prices, qtys = [pa.array([], pa.string())], [pa.array([], pa.string())]
    for page in pages:
        ids.extend(page.trade_ids)
        times.extend(page.ts_event_ns)
        sides.extend(page.sides)
        prices.append(pa.array(page.prices, pa.string()))
        qtys.append(pa.array(page.qtys, pa.string()))
    return (
        np.array(ids, dtype=np.int64),
        np.array(times, dtype=np.int64),
        np.array(sides, dtype=np.uint8),
        pa.concat_arrays(prices),
        pa.concat_arrays(qtys),
    )


def _steps(texts: pa.Array, step: str, what: str, notes: list[str]) -> tuple[npt.NDArray[np.int64], str]:
    """Values in whole steps, and the step: a finer one where old values are off the grid of today."""
    try:
        return Grid(step).column(texts), step
    except ValueError:
        finer = step_of_decimals(max(column_decimals(texts), Grid(step).decimals))
    notes.append(f"a {what} is off today's grid of {step}: the step is {finer} here, which old trades need")
    try:
        return Grid(finer).column(texts), finer
    except ValueError as error:
        raise DataError(f"a {what} of a trade: {error}; download the time before and after it") from None
