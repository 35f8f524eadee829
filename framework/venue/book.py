"""One pair at the venue: its scales, its mode, and own resting orders beside the market's.

The market's book lives in the kernel. Own orders rest there too, as slots with a queue place; here they are listed by
price and time once more, so that an incoming own order can see which of them it would meet: those of its own account
are a matter of self-trade prevention, those of others are liquidity.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from decimal import Decimal

from framework.protocol import BUY, InstrumentSpec, ModeRule
from framework.venue.account import Assets
from framework.venue.fees import FeeMeter
from framework.venue.orders import Order

__all__ = ["Pair"]


class Pair:
    """One pair.

    index: its number in the kernel. base, quote: asset indices. quote_asset: name of the quote asset; quote_decimals:
        decimals of its unit.
    lot_units: base units of one lot. cost_units: quote units of one lot at one tick. fee_quantum: quote units of the
        last decimal that fees keep. volume_scale: fee volume (1e-18 of its currency) of one quote unit.
    resting: for each side own orders in the book as ``(key, seq, order)``, best price first, oldest first within a
        price.
    rule: of the pair's own mode; parked: orders that wait for matching to go on.
    """

    __slots__ = (
        "base",
        "cost_units",
        "fee_quantum",
        "index",
        "is_matching",
        "lot_units",
        "min_cost_units",
        "min_qty_lots",
        "parked",
        "quote",
        "quote_asset",
        "quote_decimals",
        "resting",
        "rule",
        "spec",
        "symbol",
        "volume_scale",
    )

    def __init__(self, index: int, spec: InstrumentSpec, assets: Assets, volume_rate: Decimal, rule: ModeRule) -> None:
        self.index = index
        self.spec = spec
        self.symbol = spec.symbol
        self.base = assets.index[spec.base]
        self.quote = assets.index[spec.quote]
        self.quote_asset = spec.quote
        self.quote_decimals = assets.decimals[self.quote]
        self.lot_units = assets.units(self.base, Decimal(spec.lot_size))
        self.cost_units = assets.units(self.quote, Decimal(spec.tick_size) * Decimal(spec.lot_size))
        self.fee_quantum = 10 ** (assets.decimals[self.quote] - spec.cost_decimals)
        self.min_cost_units = assets.units(self.quote, Decimal(spec.min_cost))
        self.min_qty_lots = spec.min_qty_lots
        self.volume_scale = int(FeeMeter.SCALE * volume_rate / 10 ** assets.decimals[self.quote])
        self.resting: tuple[list[tuple[int, int, Order]], list[tuple[int, int, Order]]] = ([], [])
        self.rule = rule
        self.is_matching = True
        self.parked: list[Order] = []

    def cost(self, price_ticks: int, qty_lots: int) -> int:
        """Price times quantity in quote units, exact."""
        return price_ticks * qty_lots * self.cost_units

    def list_resting(self, order: Order, priority: int) -> None:
        """List an order that rests in the book; priority: its place in time among own orders of its price."""
        limit = order.limit_ticks
        assert limit is not None
        order.book_key = priority
        insort(self.resting[order.side], (-limit if order.side == BUY else limit, priority, order))

    def unlist_resting(self, order: Order) -> None:
        """Take an order off the list; its price and priority are still those that it was listed with."""
        limit = order.limit_ticks
        assert limit is not None
        listed = self.resting[order.side]
        position = bisect_left(listed, (-limit if order.side == BUY else limit, order.book_key))
        assert listed[position][2] is order, f"{order} is not where it was listed"
        del listed[position]

    def first_crossed(self, side: int, limit_ticks: int | None) -> Order | None:
        """The first own resting order, of any account, that an order of this side would meet; None for no limit price
        means a market order.
        """
        opposite = self.resting[1 - side]
        if not opposite:
            return None
        order = opposite[0][2]
        if limit_ticks is None:
            return order
        resting_ticks = order.limit_ticks
        assert resting_ticks is not None
        is_crossed = resting_ticks <= limit_ticks if side == BUY else resting_ticks >= limit_ticks
        return order if is_crossed else None
