"""Limits that every new order and every change must keep before it is sent, whatever the strategy wants.

Each limit is one pure check: it takes what it looks at and gives None, or the reason of a refusal that names the limit,
its value and the value that was asked for. Amounts are exact; what cannot be judged, for want of a price, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from framework.config_text import check_amount, check_range
from framework.protocol import BUY, InstrumentSpec

__all__ = [
    "LIMIT_NAMES",
    "LimitsSection",
    "SymbolLimits",
    "check_book_age",
    "check_daily_loss",
    "check_open_orders",
    "check_order_notional",
    "check_order_qty",
    "check_orders_per_second",
    "check_position",
    "check_price_band",
]

_PPM = 1_000_000
_MS = 1_000_000


class SymbolLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one instrument; None for no limit.

    price_band_ppm: how far a limit or trigger price may be from the market, in millionths of the middle of the book (of
        the last trade where a side is empty).
    order_qty_max: of one order, in units of the base asset. order_notional_max: of one order, in the quote asset.
    position_max: either way, in units of the base asset, were all open orders of that side filled.
    book_age_max_ms: no order on a book that has not changed for so long.
    """

    price_band_ppm: int | None = None
    order_qty_max: str | None = None
    order_notional_max: str | None = None
    position_max: str | None = None
    book_age_max_ms: int | None = None

    def __post_init__(self) -> None:
        for name in ("order_qty_max", "order_notional_max", "position_max"):
            amount = getattr(self, name)
            if amount is not None:
                check_amount(f"[limits] {name}", amount)
        for name in ("price_band_ppm", "book_age_max_ms"):
            value = getattr(self, name)
            if value is not None:
                check_range(f"[limits] {name}", value, 1)


class LimitsSection(SymbolLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table ``[limits]`` of a run: for each instrument that has no table of its own, and for all together.

    symbols: tables of their own, ``[limits.symbols."BTC/USD"]``; what one leaves out has no limit there.
    open_orders_max: orders that may be open at once. orders_per_second_max: new orders and changes sent in any second.
    daily_loss_max: by quote asset, what may be lost since midnight UTC, fees and open positions included; beyond it new
        orders are refused and the kill switch is pulled.
    """

    symbols: dict[str, SymbolLimits] = {}
    open_orders_max: int | None = None
    orders_per_second_max: int | None = None
    daily_loss_max: dict[str, str] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("open_orders_max", "orders_per_second_max"):
            value = getattr(self, name)
            if value is not None:
                check_range(f"[limits] {name}", value, 0)
        for asset, amount in self.daily_loss_max.items():
            check_amount(f"[limits.daily_loss_max] {asset}", amount)

    def of(self, symbol: str) -> SymbolLimits:
        """The limits of an instrument."""
        return self.symbols.get(symbol, self)

    @property
    def is_any(self) -> bool:
        """Whether there is any limit at all."""
        return self != LimitsSection()


LIMIT_NAMES: Mapping[str, str] = {
    "price_band_ppm": "distance of a price from the market",
    "order_qty_max": "quantity of an order",
    "order_notional_max": "worth of an order",
    "position_max": "position, open orders included",
    "book_age_max_ms": "age of the book",
    "open_orders_max": "open orders",
    "orders_per_second_max": "orders and changes in a second",
    "daily_loss_max": "loss of a day",
}


def check_price_band(what: str, price_ticks: int, middle_half_ticks: int | None, band_ppm: int) -> str | None:
    """Whether a price is near enough to the market.

    what: name of the price. middle_half_ticks: twice the market's middle in ticks, so that it is whole; None if none is
    known.
    """
    if middle_half_ticks is None:
        return f"price_band_ppm = {band_ppm}: the market has no price to compare the {what} with"
    distance = abs(2 * price_ticks - middle_half_ticks)
    if distance * _PPM <= band_ppm * middle_half_ticks:
        return None
    return f"price_band_ppm = {band_ppm}: the {what} is {distance * _PPM // middle_half_ticks} ppm from the market"


def check_order_qty(spec: InstrumentSpec, qty_lots: int, qty_max: Decimal) -> str | None:
    """Whether an order is small enough."""
    qty = spec.qty(qty_lots)
    return None if qty <= qty_max else f"order_qty_max = {qty_max}: the order is of {qty} {spec.base}"


def check_order_notional(spec: InstrumentSpec, notional: Decimal | None, notional_max: Decimal) -> str | None:
    """Whether an order is worth little enough. notional: quantity times price; None if no price is known."""
    if notional is None:
        return f"order_notional_max = {notional_max}: the market has no price to tell what the order is worth"
    if notional <= notional_max:
        return None
    return f"order_notional_max = {notional_max}: the order is worth {notional.normalize():f} {spec.quote}"


def check_position(
    spec: InstrumentSpec, side: int, qty_lots: int, position_lots: int, open_lots: int, position_max: Decimal
) -> str | None:
    """Whether the position could become too large. open_lots: what open orders of that side have left to fill."""
    signed = position_lots + (open_lots + qty_lots if side == BUY else -open_lots - qty_lots)
    if spec.qty(abs(signed)) <= position_max or abs(signed) <= abs(position_lots):
        return None
    return (
        f"position_max = {position_max}: the position could become {spec.qty(signed)} {spec.base} "
        f"(now {spec.qty(position_lots)}, {spec.qty(open_lots)} open on that side)"
    )


def check_book_age(age_ns: int | None, age_max_ms: int) -> str | None:
    """Whether the market is fresh. age_ns: since its last message; None if there was none."""
    if age_ns is not None and age_ns <= age_max_ms * _MS:
        return None
    said = "no message of the market has come" if age_ns is None else f"the market is {age_ns // _MS} ms old"
    return f"book_age_max_ms = {age_max_ms}: {said}"


def check_open_orders(open_count: int, open_max: int) -> str | None:
    """Whether another order may be open. open_count: without it."""
    return None if open_count < open_max else f"open_orders_max = {open_max}: {open_count} are open"


def check_orders_per_second(count: int, count_max: int) -> str | None:
    """Whether another one may be sent now. count: sent within the last second, without it."""
    return None if count < count_max else f"orders_per_second_max = {count_max}: {count} were sent within a second"


def check_daily_loss(asset: str, loss: Decimal, loss_max: Decimal) -> str | None:
    """Whether the loss of the day is small enough. loss: below 0 for a profit."""
    if loss <= loss_max:
        return None
    return f"daily_loss_max = {loss_max}: {loss.normalize():f} {asset} are lost since midnight UTC"
