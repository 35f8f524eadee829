"""Fees by 30-day volume, and their rounding.

The rate of a fill is the tier that the account's volume has reached when the fill happens; the fill itself counts
towards the next one. A fee is charged in the quote currency, on both sides.

Rounding: the fee of an order is the exact sum over its fills, rounded half up to the pair's ``cost_decimals``; each
fill is charged what that sum grew by. So an order that is filled in many pieces pays what it would pay in one, and
never more than was held for it.

Simplifications. Volume given at the start does not age out during a run, and neither does volume traded in it: a run of
more than 30 days overstates the volume. Pairs in another quote currency than the profile's ``fee_volume_currency``
count at a fixed rate (``VenueOptions.volume_rates``, 1 if not given).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from framework.protocol import FeeTier

__all__ = ["PPM", "FeeMeter", "charge", "fee_bound"]

PPM = 1_000_000


def charge(fee_exact: int, quantum: int) -> int:
    """An exact fee rounded half up to the quantum.

    fee_exact: money units times a million; quantum: money units of the last decimal kept. Returns money units.
    """
    step = PPM * quantum
    return (2 * fee_exact + step) // (2 * step) * quantum


def fee_bound(cost_units: int, ppm: int, quantum: int) -> int:
    """The most that can still be charged for a cost, in money units: the exact fee rounded up to the quantum.

    It bounds any further charges of an order, because rounding half up never adds more than rounding the rest up.
    """
    step = PPM * quantum
    return -(-cost_units * ppm // step) * quantum


class FeeMeter:
    """The 30-day volume of one account, and the fee rates that it has reached.

    Volume is kept in 1e-18 of the fee volume currency, so that no fill is lost to rounding.
    """

    __slots__ = ("_index", "_next", "_tiers", "maker_ppm", "taker_ppm", "volume")

    SCALE = 10**18

    def __init__(self, tiers: Sequence[FeeTier], volume_30d: Decimal) -> None:
        """Raises ValueError for a volume below the lowest tier."""
        self._tiers = tuple(tiers)
        self._index = -1
        self._next = self._tiers[0].volume_30d * self.SCALE
        self.maker_ppm = 0
        self.taker_ppm = 0
        self.volume = 0
        self.add(int(volume_30d * self.SCALE))
        if self._index < 0:
            raise ValueError(f"30-day volume {volume_30d} is below the lowest fee tier {self._tiers[0].volume_30d}")

    def add(self, volume: int) -> None:
        """Count traded volume, in 1e-18 of the currency."""
        self.volume += volume
        while self.volume >= self._next:
            self._index += 1
            tier = self._tiers[self._index]
            self.maker_ppm = tier.maker_ppm
            self.taker_ppm = tier.taker_ppm
            following = self._index + 1
            if following == len(self._tiers):
                self._next = 1 << 256
                return
            self._next = self._tiers[following].volume_30d * self.SCALE
