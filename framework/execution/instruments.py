"""Instruments between the two vocabularies: ours in ticks and lots, NautilusTrader's in ``Price`` and ``Quantity``.

Both are exact integers inside, so every conversion is exact; a price or quantity off the grid is an error.
"""

from __future__ import annotations

from decimal import Decimal

from nautilus_trader.model.enums import CurrencyType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import (
    FIXED_PRECISION,
    Currency,
    Money,
    Price,
    Quantity,
)

from framework.protocol import InstrumentSpec

__all__ = ["InstrumentBridge", "currency"]

_FIAT = frozenset({"USD", "EUR", "GBP", "CHF", "CAD", "AUD", "JPY"})

# Venues keep balances and fees to more digits than cash has; eight hold every amount that the venues state.
_MONEY_DECIMALS = 8


def currency(asset: str) -> Currency:
    """NautilusTrader's currency of an asset, with enough decimals for fees to stay exact.

    It takes the place of NautilusTrader's own in its table of currencies, which is one for the process: USD has two
    decimals there, and every sum of money looks its currency up in it, so that fees of 0.0123 USD would add up as 0.01.
    """
    known = Currency.from_internal_map(asset)
    if known is not None and known.precision >= _MONEY_DECIMALS:
        return known
    kind = CurrencyType.FIAT if asset in _FIAT else CurrencyType.CRYPTO
    exact = Currency(asset, _MONEY_DECIMALS, 0, asset, kind)
    Currency.register(exact, overwrite=True)
    return exact


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


class InstrumentBridge:
    """One instrument in both vocabularies.

    spec: ours; base_asset, quote_asset: its two assets.
    venue: name under which NautilusTrader knows the trading venue, upper case by its custom.
    """

    def __init__(self, spec: InstrumentSpec, venue: str) -> None:
        self.spec = spec
        self.instrument_id = InstrumentId(Symbol(spec.symbol), Venue(venue))
        self.base_asset, self.quote_asset = spec.base, spec.quote
        self.base = currency(self.base_asset)
        self.quote = currency(self.quote_asset)
        tick, lot = Decimal(spec.tick_size), Decimal(spec.lot_size)
        self._price_decimals, self._qty_decimals = _decimals(tick), _decimals(lot)
        scale = 10**FIXED_PRECISION
        self._tick_raw, self._lot_raw = int(tick * scale), int(lot * scale)
        self.instrument = CurrencyPair(
            instrument_id=self.instrument_id,
            raw_symbol=Symbol(spec.symbol),
            base_currency=self.base,
            quote_currency=self.quote,
            price_precision=self._price_decimals,
            size_precision=self._qty_decimals,
            price_increment=self.price(1),
            size_increment=self.qty(1),
            ts_event=0,
            ts_init=0,
            min_quantity=self.qty(spec.min_qty_lots),
        )

    def price(self, price_ticks: int) -> Price:
        """NautilusTrader's price of a number of ticks."""
        return Price.from_raw(price_ticks * self._tick_raw, self._price_decimals)

    def qty(self, qty_lots: int) -> Quantity:
        """NautilusTrader's quantity of a number of lots."""
        return Quantity.from_raw(qty_lots * self._lot_raw, self._qty_decimals)

    def ticks(self, price: Price) -> int:
        """The ticks of a price; raises ValueError for one off the grid."""
        count, rest = divmod(price.raw, self._tick_raw)
        if rest:
            raise ValueError(f"price {price} is not a multiple of {self.spec.tick_size} of {self.spec.symbol}")
        return int(count)

    def lots(self, qty: Quantity) -> int:
        """The lots of a quantity; raises ValueError for one off the grid."""
        count, rest = divmod(qty.raw, self._lot_raw)
        if rest:
            raise ValueError(f"quantity {qty} is not a multiple of {self.spec.lot_size} of {self.spec.symbol}")
        return int(count)

    def money(self, amount: Decimal, asset: str) -> Money:
        """An amount of an asset of this instrument, or of another."""
        known = self.quote if asset == self.quote_asset else self.base if asset == self.base_asset else currency(asset)
        return Money(amount, known)
