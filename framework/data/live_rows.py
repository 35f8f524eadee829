"""Rows of a market as they come in live: those of ``columns``, one object each, for whoever listens."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import msgspec

__all__ = ["Candle", "MarketRow", "Quote"]


class MarketRow(NamedTuple):
    """One row; what its parts mean in each kind stands in ``columns``.

    trade_id: of a TRADE, the venue's number. order_id: of an order's row, any number that only this order has.
    """

    ts_event_ns: int
    ts_recv_ns: int
    kind: int
    side: int
    price_ticks: int
    qty_lots: int
    flags: int
    trade_id: int = 0
    order_id: int = 0


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """Best prices and quantities, the last trade's price, and the last 24 hours of a pair.

    Prices in ticks, quantities in lots; None where there is none. vwap: average price, exact.
    """

    ts_event_ns: int
    ts_recv_ns: int
    bid_ticks: int | None
    bid_lots: int
    ask_ticks: int | None
    ask_lots: int
    last_ticks: int | None
    high_ticks: int | None
    low_ticks: int | None
    volume_lots: int
    vwap: Decimal


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """The trades of an interval, from ``begin_ns`` up to before ``end_ns``, in ticks and lots."""

    begin_ns: int
    end_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    trade_count: int
