"""What the fills of a run and of its replays came to, exactly, at the same last prices for all of them.

A fill's value is its quantity at the last price, minus what was paid for it, minus its fee; the net P&L of
``framework.backtest.fill_accounts`` is the sum of them. Fees in the base asset are taken at the fill's price, and fees
in a third asset as nothing, as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, localcontext

import msgspec
import pyarrow as pa

from framework.backtest.fill_accounts import market_mids
from framework.backtest.run_folder import MISSING, RunFolder, ints, of_kind, texts
from framework.protocol import SELL, InstrumentSpec

__all__ = ["Book", "OrderFills", "Prices"]

# Wide enough for every sum of products of prices, quantities and fees to be exact.
_EXACT = Context(prec=200)


class Prices:
    """The prices at which all are held. currency: the first instrument's quote currency; others are left out."""

    def __init__(self, run: RunFolder) -> None:
        self.specs: Mapping[str, InstrumentSpec] = run.inputs.specs
        self.currency = next(iter(self.specs.values())).quote
        fills = of_kind(run.events, "fill")
        last = dict(zip(texts(fills, "symbol"), ints(fills, "price_ticks").tolist(), strict=True))
        # Doubled, so that half a tick is whole.
        self.last2: dict[str, int] = {}
        for symbol in self.specs:
            _, mids2 = market_mids(run.touch, symbol)
            self.last2[symbol] = int(mids2[-1]) if len(mids2) else 2 * last.get(symbol, 0)


class OrderFills(msgspec.Struct, kw_only=True):
    """An order and what was filled of it. sent_ns: None for one that was not sent in the run (its link adopted it)."""

    cl_ord_id: str
    symbol: str
    side: int | None
    order_type: str | None = None
    price_ticks: int | None = None
    qty_lots: int = 0
    sent_ns: int | None = None
    filled_lots: int = 0
    fill_count: int = 0
    first_fill_ns: int | None = None
    fill_ticks: int | None = None
    value: Decimal = Decimal(0)
    turnover: Decimal = Decimal(0)


class Book:
    """One run or replay. net, turnover: exact, in the currency of ``Prices``. fills: how many, of all instruments."""

    def __init__(self, events: pa.Table, prices: Prices) -> None:
        self.events = events
        self.orders: dict[str, OrderFills] = {}
        self.fills = 0
        self.net = Decimal(0)
        self.turnover = Decimal(0)
        with localcontext(_EXACT):
            self._read_orders()
            self._read_fills(prices)

    def _read_orders(self) -> None:
        table = of_kind(self.events, "command")
        names, keys, symbols, types = (texts(table, name) for name in ("name", "cl_ord_id", "symbol", "order_type"))
        sides, ticks, lots, sent = (
            ints(table, name).tolist() for name in ("side", "price_ticks", "qty_lots", "ts_sent_ns")
        )
        for at, name in enumerate(names):
            key = keys[at]
            if name == "AddOrder" and key is not None and key not in self.orders:
                self.orders[key] = OrderFills(
                    cl_ord_id=key,
                    symbol=symbols[at] or "",
                    side=sides[at],
                    order_type=types[at],
                    price_ticks=None if ticks[at] == MISSING else ticks[at],
                    qty_lots=0 if lots[at] == MISSING else lots[at],
                    sent_ns=sent[at],
                )

    def _read_fills(self, prices: Prices) -> None:
        table = of_kind(self.events, "fill")
        symbols, fees, assets = (texts(table, name) for name in ("symbol", "fee", "fee_asset"))
        keys, order_ids = texts(table, "cl_ord_id"), texts(table, "order_id")
        sides, ticks, lots, times = (
            ints(table, name).tolist() for name in ("side", "price_ticks", "qty_lots", "ts_venue_ns")
        )
        for at, symbol in enumerate(symbols):
            self.fills += 1
            key = keys[at] or order_ids[at] or ""
            order = self.orders.setdefault(key, OrderFills(cl_ord_id=key, symbol=symbol or "", side=sides[at]))
            order.filled_lots += lots[at]
            order.fill_count += 1
            if order.first_fill_ns is None:
                order.first_fill_ns, order.fill_ticks = times[at], ticks[at]
            spec = prices.specs.get(symbol or "")
            if spec is None or spec.quote != prices.currency:
                continue
            qty = spec.qty(lots[at])
            fee = Decimal(fees[at] or "0")
            asset = assets[at] or spec.quote
            if asset == spec.base:
                fee *= spec.price(ticks[at])
            elif asset != spec.quote:
                fee = Decimal(0)
            gain2 = spec.price(prices.last2[spec.symbol] - 2 * ticks[at]) * (-qty if sides[at] == SELL else qty)
            value = gain2 / 2 - fee
            order.value += value
            self.net += value
            order.turnover += qty * spec.price(ticks[at])
            self.turnover += qty * spec.price(ticks[at])
