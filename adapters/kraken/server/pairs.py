"""The pairs of a served venue as Kraken describes them: names, decimals, minimums.

Sources: rest-api/get-tradable-asset-pairs, rest-api/get-asset-info.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from adapters.kraken.server.refusal import Refusal
from adapters.kraken.symbols import PairNames, canonical_asset, pair_names, rest_asset
from adapters.kraken.wire.digits import digits
from framework.protocol import InstrumentSpec

__all__ = ["LOT_DECIMALS", "ServedPair", "ServedPairs", "fixed", "ws1_decimals"]

LOT_DECIMALS = 8
_FIAT = frozenset({"AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "USD"})
_COINS_QUOTED = frozenset({"BTC", "ETH"})


def fixed(value: Decimal, decimals: int) -> str:
    """A value with so many decimals; more of them are cut off, none is invented."""
    quantum = Decimal(1).scaleb(-decimals)
    return f"{value.quantize(quantum, rounding='ROUND_DOWN'):f}"


def ws1_decimals(pair_decimals: int, quote: str) -> int:
    """Decimals of prices on WebSocket v1, which prints more of them than the pair's grid has.

    No page gives the rule. This one holds for all seven pairs of a recording of 2021; for others it is an assumption.
    """
    if quote in _COINS_QUOTED:
        return pair_decimals + 2
    return 5 if pair_decimals < 4 else max(6, pair_decimals)


class ServedPair:
    """One pair.

    pair_decimals: of prices; ws1_decimals: of prices on WebSocket v1. tick, lot: exact sizes of the grid. price_units,
    qty_units: of one tick and one lot, in the last decimal of a price (``pair_decimals``) and of a quantity
    (``LOT_DECIMALS``).
    """

    def __init__(self, spec: InstrumentSpec) -> None:
        self.spec = spec
        self.names: PairNames = pair_names(spec.symbol)
        self.tick = Decimal(spec.tick_size)
        self.lot = Decimal(spec.lot_size)
        self.pair_decimals = _decimals(self.tick)
        self.ws1_decimals = ws1_decimals(self.pair_decimals, spec.quote)
        self.cost_decimals = spec.cost_decimals
        self.price_units = int(self.tick.scaleb(self.pair_decimals))
        self.qty_units = int(self.lot.scaleb(LOT_DECIMALS))
        self.base_id = rest_asset(spec.base)
        self.quote_id = rest_asset(spec.quote)

    def price(self, ticks: int, decimals: int | None = None) -> str:
        """A price as text, with the pair's decimals or so many."""
        if decimals is None:
            return digits(ticks * self.price_units, self.pair_decimals)
        if decimals >= self.pair_decimals:
            return digits(ticks * self.price_units * 10 ** (decimals - self.pair_decimals), decimals)
        return fixed(self.tick * ticks, decimals)

    def average(self, cost: int, lots: int, decimals: int | None = None) -> str:
        """The average price of trades as text, as ``price``; 0 of none. cost: sum of price times quantity, in ticks
        times lots.
        """
        average = self.tick * cost / lots if lots else Decimal(0)
        return fixed(average, self.pair_decimals if decimals is None else decimals)

    def qty(self, lots: int, decimals: int = LOT_DECIMALS) -> str:
        """A quantity as text."""
        if decimals == LOT_DECIMALS:
            return digits(lots * self.qty_units, LOT_DECIMALS)
        return fixed(self.lot * lots, decimals)


class ServedPairs:
    """All pairs, found by any of their names."""

    def __init__(self, specs: Iterable[InstrumentSpec]) -> None:
        self.all = [ServedPair(spec) for spec in specs]
        self.by_symbol = {pair.spec.symbol: pair for pair in self.all}
        self._by_name: dict[str, ServedPair] = {}
        for pair in self.all:
            for name in (pair.names.symbol, pair.names.ws1, pair.names.rest, pair.names.rest_id):
                self._by_name[name] = pair
            self._by_name[pair.names.symbol.replace("/", "")] = pair
        assets = dict.fromkeys(asset for pair in self.all for asset in (pair.spec.base, pair.spec.quote))
        self.assets = list(assets)

    def find(self, name: str) -> ServedPair | None:
        """The pair with this name on REST or WebSocket; None if there is none."""
        return self._by_name.get(name)

    def wanted(self, name: str) -> ServedPair:
        """As ``find``; raises Refusal where there is none."""
        pair = self._by_name.get(name)
        if pair is None:
            raise Refusal("EQuery:Unknown asset pair")
        return pair

    def asset(self, name: str) -> str | None:
        """The canonical name of an asset that the venue has."""
        asset = canonical_asset(name)
        return asset if asset in self.assets else None

    def asset_decimals(self, asset: str) -> int:
        """Decimals of an asset in ledgers and balances: 4 of fiat, 10 of coins, 8 of those that came later."""
        if asset in _FIAT:
            return 4
        return 10 if rest_asset(asset) != asset else 8

    def display_decimals(self, asset: str) -> int:
        """Decimals of an asset as a person is shown it."""
        return 2 if asset in _FIAT else 5


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)
