"""Instruments of the live venue: their grids and names, and numbers of the wire to whole ticks and lots.

Source: rest-api/get-tradable-asset-pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from adapters.kraken.asset_pairs import asset_pair_specs
from adapters.kraken.errors import SymbolError
from adapters.kraken.symbols import PairNames, SymbolTable
from adapters.kraken.wire.digits import digits
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.number import Number, is_number
from framework.protocol import InstrumentSpec

__all__ = ["Instrument", "Instruments"]


class Instrument:
    """One pair: ``spec`` is its grid, ``names`` what each protocol calls it.

    tick_grid, lot_grid: the decimals of a price or a quantity, and how many units of the last one are a tick or a lot.
    """

    __slots__ = ("lot_grid", "names", "spec", "tick_grid")

    def __init__(self, spec: InstrumentSpec, names: PairNames) -> None:
        self.spec = spec
        self.names = names
        self.tick_grid, self.lot_grid = _grid(spec.tick_size), _grid(spec.lot_size)

    def price_text(self, price_ticks: int) -> str:
        """A price, or a distance of prices, as the wire has it."""
        decimals, units = self.tick_grid
        return digits(price_ticks * units, decimals)

    def qty_text(self, qty_lots: int) -> str:
        """A quantity as the wire has it."""
        decimals, units = self.lot_grid
        return digits(qty_lots * units, decimals)

    def printed_price(self, text: str) -> tuple[int, str]:
        """A price of the wire in ticks, and what it adds to a checksum: its digits without point and leading zeros.

        Raises WireError for one off the grid.
        """
        return self.ticks(text), _printed_digits(text)

    def printed_qty(self, text: str) -> tuple[int, str]:
        """A quantity of the wire in lots, and what it adds to a checksum; raises WireError for one off the grid."""
        return self.lots(text), _printed_digits(text)

    def ticks(self, price: Number | str) -> int:
        """A price of the wire in ticks; raises WireError for one off the grid."""
        return _steps(price, self.tick_grid, "price", self.spec.symbol)

    def lots(self, qty: Number | str) -> int:
        """A quantity of the wire in lots; raises WireError for one off the grid."""
        return _steps(qty, self.lot_grid, "quantity", self.spec.symbol)


class Instruments(Mapping[str, Instrument]):
    """All instruments by canonical symbol; ``named`` finds one by any of its names."""

    def __init__(self, specs: Iterable[InstrumentSpec], names: SymbolTable) -> None:
        """Raises SymbolError for an instrument that the table does not have."""
        self._names = names
        self._by_symbol = {spec.symbol: Instrument(spec, names.names(spec.symbol)) for spec in specs}

    @classmethod
    def from_asset_pairs(cls, result: Mapping[str, Mapping[str, Any]]) -> Instruments:
        """The instruments of an AssetPairs answer, without dark pools.

        result: the ``result`` of the answer, by REST id. Raises DataError and SymbolError for rows that are no pairs.
        """
        lit = {key: row for key, row in result.items() if not key.endswith(".d")}
        return cls(asset_pair_specs(lit).values(), SymbolTable.from_asset_pairs(lit))

    def named(self, name: str) -> Instrument:
        """The instrument with this name on any protocol; raises SymbolError for a name that none has."""
        instrument = self._by_symbol.get(name)
        return self._by_symbol[self._names.names(name).symbol] if instrument is None else instrument

    def __getitem__(self, symbol: str) -> Instrument:
        try:
            return self._by_symbol[symbol]
        except KeyError:
            raise SymbolError(f"{symbol} is no pair of this venue; check the name, BTC/USD for example") from None

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._by_symbol

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_symbol)

    def __len__(self) -> int:
        return len(self._by_symbol)


def _grid(step: str) -> tuple[int, int]:
    """The decimals of a step, and the step in units of the last of them: 0.05 is (2, 5)."""
    sign, figures, exponent = Decimal(step).normalize().as_tuple()
    assert not sign
    assert isinstance(exponent, int)
    units = int("".join(map(str, figures)))
    return (-exponent, units) if exponent < 0 else (0, units * 10**exponent)


def _printed_digits(text: str) -> str:
    digits = text.replace(".", "")
    if not digits.isdecimal():  # an exponent, or a sign
        raise WireError(f"{text} is not printed as books print their numbers")
    return digits.lstrip("0") or "0"


def _steps(value: Number | str, grid: tuple[int, int], what: str, symbol: str) -> int:
    decimals, step = grid
    if isinstance(value, str):
        if not is_number(value):
            raise WireError(f"a {what} of {symbol} is not a number")
        value = Number(value)
    try:
        count, rest = divmod(value.units(decimals), step)
    except WireError:
        rest = 1
    if rest:
        raise WireError(f"{what} {value} is not on the grid of {symbol}; load newer instruments")
    return count
