"""Open positions of an account, and what of them has been closed."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from framework.protocol import BUY

if TYPE_CHECKING:
    from framework.venue.book import Pair
    from framework.venue.orders import Order

__all__ = ["Closing", "MarginAccount", "MarginFill", "Position"]


class Position:
    """What one fill has opened. Money is in units of the pair's quote asset.

    position_id: the id of the fill's trade. order: that was filled; its side and leverage are the position's.
    lots, price_ticks: of the opening. closed_lots: of them closed or settled.
    fee_units: of the opening, the trade's and that of the loan, whatever currency was charged; in quote currency.
    rollover_ppm: of the loan, at each rollover, as it was at the opening; rollover_ns: when the next one is due.
    closed_cost, closed_fee, net_units: of what was closed by trades: its price times quantity, its fees, its profit or
        loss without them. closings: the trades that closed some of it, oldest first.
    """

    __slots__ = (
        "closed_cost",
        "closed_fee",
        "closed_lots",
        "closings",
        "fee_units",
        "leverage",
        "lots",
        "net_units",
        "opened_ns",
        "order",
        "pair",
        "position_id",
        "price_ticks",
        "rollover_ns",
        "rollover_ppm",
        "settled_lots",
        "side",
    )

    def __init__(
        self,
        position_id: str,
        order: Order,
        lots: int,
        price_ticks: int,
        opened_ns: int,
        rollover_ppm: int,
        rollover_ns: int,
    ) -> None:
        self.position_id = position_id
        self.order = order
        self.pair: Pair = order.pair
        self.side = order.side
        self.leverage = order.leverage
        self.lots = lots
        self.price_ticks = price_ticks
        self.opened_ns = opened_ns
        self.rollover_ppm = rollover_ppm
        self.rollover_ns = rollover_ns
        self.fee_units = 0
        self.closed_lots = 0
        self.settled_lots = 0
        self.closed_cost = 0
        self.closed_fee = 0
        self.net_units = 0
        self.closings: list[str] = []

    @property
    def open_lots(self) -> int:
        """Lots that are neither closed nor settled."""
        return self.lots - self.closed_lots

    @property
    def is_open(self) -> bool:
        """Whether anything is left of it."""
        return self.closed_lots < self.lots

    def cost(self, lots: int) -> int:
        """What so many of its lots cost at the opening."""
        return self.price_ticks * lots * self.pair.cost_units

    def margin(self, lots: int) -> Fraction:
        """The margin that so many of its lots used at the opening."""
        return Fraction(self.cost(lots), self.leverage)

    def borrowed(self) -> tuple[int, int]:
        """What is still lent for it: asset and units."""
        if self.side == BUY:
            return self.pair.quote, self.cost(self.open_lots)
        return self.pair.base, self.open_lots * self.pair.lot_units

    def profit(self, lots: int, price_ticks: int) -> int:
        """Profit, or loss below zero, of so many of its lots at a price, without fees."""
        gained_ticks = price_ticks - self.price_ticks if self.side == BUY else self.price_ticks - price_ticks
        return gained_ticks * lots * self.pair.cost_units


class Closing(NamedTuple):
    """So many lots of a position were closed."""

    position: Position
    lots: int


class MarginFill(NamedTuple):
    """What a fill on margin did.

    opened: the position that it opened; None for none. closings: what it closed, oldest position first.
    fee_units: of the trade and of the loan, in units of the quote asset, in whatever the latter was charged.
    """

    opened: Position | None
    closings: tuple[Closing, ...]
    fee_units: int


class MarginAccount:
    """The margin side of an account.

    positions: open ones by id, oldest first; of one pair they are all on one side.
    order_count: open orders on margin.
    profits: profit and loss of closed positions by pair index; settled_costs: what settled positions had cost, by pair
        index, purchases above zero and sales below; both in quote units.
    paid: by asset index, what margin trading has brought to the balance in all, fees included; units.
    rollover_ns: when rollovers are looked at next, check_ns: when the margin level is; None while nothing is open.
    called_ns: when the level came to the call; None while it is above.
    """

    __slots__ = (
        "called_ns",
        "check_ns",
        "order_count",
        "paid",
        "positions",
        "profits",
        "rollover_ns",
        "settled_costs",
    )

    def __init__(self, asset_count: int, pair_count: int) -> None:
        self.positions: dict[str, Position] = {}
        self.order_count = 0
        self.profits = [0] * pair_count
        self.settled_costs = [0] * pair_count
        self.paid = [0] * asset_count
        self.rollover_ns: int | None = None
        self.check_ns: int | None = None
        self.called_ns: int | None = None

    @property
    def is_in_use(self) -> bool:
        """Whether anything is open on margin: positions or orders."""
        return bool(self.positions) or self.order_count > 0

    def of_pair(self, pair: Pair) -> list[Position]:
        """Open positions of a pair, oldest first."""
        return [position for position in self.positions.values() if position.pair is pair]

    def open_lots(self, pair: Pair, side: int) -> int:
        """Lots of a pair's open positions on a side."""
        return sum(
            position.open_lots
            for position in self.positions.values()
            if position.pair is pair and position.side == side
        )

    def borrowed(self, asset: int) -> int:
        """Units of an asset that are lent for open positions."""
        loans = (position.borrowed() for position in self.positions.values())
        return sum(units for lent, units in loans if lent == asset)
