"""What fills have made of one instrument: position, realised and unrealised result, in exact ticks times lots.

The cost of what is held is its average cost. Where a part of a position is closed, its share of the cost is rounded
down to a whole tick times lot; what that moves between the two results, less than one tick of one lot a fill, leaves
their sum exact.
"""

from __future__ import annotations

__all__ = ["Profit"]


class Profit:
    """One instrument's. position_lots: short is below 0. cost_tick_lots: of the position, of its sign."""

    __slots__ = ("cost_tick_lots", "position_lots", "realised_tick_lots")

    def __init__(self) -> None:
        self.position_lots = 0
        self.cost_tick_lots = 0
        self.realised_tick_lots = 0

    def fill(self, lots: int, price_ticks: int) -> None:
        """A fill. lots: above 0 for what was bought, below for what was sold."""
        held = self.position_lots
        if held and (held > 0) is not (lots > 0):
            sign = 1 if held > 0 else -1
            closed_lots = min(abs(lots), abs(held))
            released = self.cost_tick_lots * closed_lots // abs(held)
            self.realised_tick_lots += sign * closed_lots * price_ticks - released
            self.cost_tick_lots -= released
            self.position_lots -= sign * closed_lots
            lots += sign * closed_lots
        self.position_lots += lots
        self.cost_tick_lots += lots * price_ticks

    def unrealised_half_tick_lots(self, middle_half_ticks: int) -> int:
        """What the position would make at the market's middle, in halves of a tick times a lot.

        middle_half_ticks: twice the middle, so that it is whole.
        """
        return self.position_lots * middle_half_ticks - 2 * self.cost_tick_lots
