"""A recording of Bitstamp's live order, trade and order book channels, as values.

One line is ``receive_time_ms event json``; events are order_created, order_changed, order_deleted, trade, order_book.
Order amounts are what is left. Bitstamp printed trade amounts as binary floats (0.29999999999999999), so they are taken
to the nearest lot; order amounts and prices are exact text.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from framework.data.grid import Grid
from framework.errors import DataError
from framework.protocol import BUY, SELL

__all__ = ["LOT_SIZE", "TICK_SIZE", "BookSeen", "Changed", "Created", "Deleted", "Event", "Traded", "read_events"]

TICK_SIZE = "0.01"
LOT_SIZE = "0.00000001"

_NS_PER_MS = 1_000_000
_TICKS = Grid(TICK_SIZE)
_LOTS = Grid(LOT_SIZE)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the recording: its number from 1, and when it was received."""

    line: int
    ts_recv_ns: int


class _OrderEvent(Event, frozen=True, kw_only=True):
    order: int
    side: int
    price_ticks: int
    qty_lots: int


class Created(_OrderEvent, frozen=True, kw_only=True):
    """An order has entered; if it is marketable, its fills follow as changes and deletions."""


class Changed(_OrderEvent, frozen=True, kw_only=True):
    """An order has ``qty_lots`` left (fills), or another price (market orders as they walk the book)."""


class Deleted(_OrderEvent, frozen=True, kw_only=True):
    """An order is gone: filled if ``qty_lots`` is 0, else cancelled with so much left."""


class Traded(Event, frozen=True, kw_only=True):
    """A trade; this channel tells neither side nor orders."""

    price_ticks: int
    qty_lots: int


class BookSeen(Event, frozen=True, kw_only=True):
    """The best levels a side, (price_ticks, qty_lots), best first."""

    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]


_ORDER_EVENTS: dict[str, type[_OrderEvent]] = {
    "order_created": Created,
    "order_changed": Changed,
    "order_deleted": Deleted,
}


def read_events(file: Path) -> Iterator[Event]:
    """The events of a recording (plain text or xz); raises DataError naming file, line and remedy."""
    try:
        with lzma.open(file, "rt", encoding="utf-8") if file.suffix == ".xz" else file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield _event(number, line)
                except (ValueError, KeyError, IndexError, TypeError, AttributeError, InvalidOperation) as error:
                    raise DataError(
                        f"{file}, line {number}: not `receive_time_ms event json` ({error}); "
                        "the line is damaged, cut the file before it"
                    ) from None
    except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: damaged or truncated ({error}); get the file again") from None
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; give the file of an order by order recording") from None


def _event(number: int, line: str) -> Event:
    received_ms, name, text = line.split(" ", 2)
    ts_recv_ns = int(received_ms) * _NS_PER_MS
    fields: dict[str, Any] = json.loads(text, parse_float=str)
    if kind := _ORDER_EVENTS.get(name):
        return kind(
            line=number,
            ts_recv_ns=ts_recv_ns,
            order=int(fields["id"]),
            side=(BUY, SELL)[int(fields["order_type"])],
            price_ticks=_TICKS.count(str(fields["price"])),
            qty_lots=_LOTS.count(str(fields["amount"])),
        )
    if name == "trade":
        price_ticks = _nearest_step(fields["price"], TICK_SIZE)
        qty_lots = _nearest_step(fields["amount"], LOT_SIZE)
        return Traded(line=number, ts_recv_ns=ts_recv_ns, price_ticks=price_ticks, qty_lots=qty_lots)
    if name == "order_book":
        bids, asks = (tuple((_TICKS.count(p), _LOTS.count(q)) for p, q in fields[side]) for side in ("bids", "asks"))
        return BookSeen(line=number, ts_recv_ns=ts_recv_ns, bids=bids, asks=asks)
    raise ValueError(f"event {name!r} is not known")


def _nearest_step(text: object, step: str) -> int:
    """Steps nearest to a binary float that was printed with all its digits."""
    return int((Decimal(str(text)) / Decimal(step)).to_integral_value())
