"""The end of a run that lives in real time: the strategy stops, and its orders and positions are dealt with as asked.

Whatever the way, what is said of it at the end is what the venue has said.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable
from decimal import Decimal

from framework.execution.standstill import Proof, Scope, Standstill
from framework.trader.trader import Trader

__all__ = ["AtEnd", "Closing"]

_MS = 1_000_000
_NS = 1_000_000_000
# A position is closed in so many attempts at most (a market order may fill in part, or be refused), and each of them
# has so long.
_FLATTEN_MAX = 3
_FLATTEN_WAIT_MS = 3_000
_LOOK_MS = 20
_NAMED_MAX = 5


class AtEnd(enum.StrEnum):
    """What becomes of open orders and positions.

    CANCEL: own orders are canceled, positions stay. LEAVE: all stays as it is. FLATTEN: own orders are canceled, then
    positions closed at the market.
    """

    CANCEL = "cancel"
    LEAVE = "leave"
    FLATTEN = "flatten"


class Closing:
    """One end. ``begin`` starts it; it is over when ``is_done``.

    patience_s: after so long it is over, whatever is left; 0 for never.
    proof: the venue's word that nothing is open; None without one. left: what is still there, in words.
    """

    def __init__(self, trader: Trader, at_end: AtEnd, patience_s: float = 15.0) -> None:
        self.at_end = at_end
        self.is_done = False
        self.proof: Proof | None = None
        self.left: list[str] = []
        self._trader = trader
        self._patience_ns = round(patience_s * _NS)
        self._standstill: Standstill | None = None
        self._step: Callable[[], None] = self._finish
        self._flatten_count = 0

    def begin(self, reason: str) -> None:
        """Stop the strategy and go on as asked. reason: why, in words; new orders are denied with it."""
        trader, scheduler = self._trader, self._trader.scheduler
        trader.stop_strategy()
        if self.at_end is AtEnd.LEAVE:
            trader.desk.halt(reason)
            self._finish()
            return
        if self._patience_ns:
            scheduler.at(scheduler.now_ns + self._patience_ns, self._give_up)
        self._stand_still(reason, self._flatten if self.at_end is AtEnd.FLATTEN else self._finish)

    @property
    def has_failed(self) -> bool:
        """Whether it did not come to what was asked for."""
        return self.at_end is not AtEnd.LEAVE and (self.proof is None or bool(self.left))

    def said(self) -> str:
        """What it came to, in words."""
        left = f"; left: {', '.join(self.left[:_NAMED_MAX])}" if self.left else ""
        if len(self.left) > _NAMED_MAX:
            left += f" and {len(self.left) - _NAMED_MAX} more"
        if self.at_end is AtEnd.LEAVE:
            return f"all was left as it was{left or '; no order was open, as far as known'}"
        if self.proof is None:
            return f"not proved that nothing is open{left}"
        at = dt.datetime.fromtimestamp(self.proof.ts_venue_ns // _NS, dt.UTC)
        held = ", ".join(f"{symbol} {qty}" for symbol, qty in self.positions().items())
        return f"no order is open: the venue said so at {at:%Y-%m-%d %H:%M:%S} UTC; position: {held or 'none'}{left}"

    def give_up(self) -> None:
        """Be over now."""
        self._give_up()

    def positions(self) -> dict[str, Decimal]:
        """What the strategy holds by its own fills, by symbol, in units of the base asset; short is below 0."""
        held = {}
        for bridge in self._trader.bridges():
            net = self._trader.nautilus.portfolio.net_position(bridge.instrument_id)
            if net:
                held[bridge.spec.symbol] = Decimal(net)
        return held

    # ------------------------------------------------------------------------------------------------- within

    def _stand_still(self, reason: str, then: Callable[[], None]) -> None:
        self._step = then
        self._standstill = Standstill(self._trader.desk, self._trader.scheduler, Scope.OWN, self._on_proved)
        self._standstill.begin(reason)

    def _on_proved(self, proof: Proof) -> None:
        self.proof = proof
        # Not from within the report that has proved it.
        self._trader.scheduler.call_at(self._trader.scheduler.now_ns, self._step)

    def _flatten(self) -> None:
        """Close what is held by market orders, and look again when they have ended."""
        if self.is_done:
            return
        trader = self._trader
        is_sent = False
        if self._flatten_count < _FLATTEN_MAX:
            self._flatten_count += 1
            with trader.desk.unlimited():
                for bridge in trader.bridges():
                    net = Decimal(trader.nautilus.portfolio.net_position(bridge.instrument_id))
                    lots = bridge.spec.lots(abs(net))
                    if lots >= max(1, bridge.spec.min_qty_lots):
                        send = trader.strategy.sell if net > 0 else trader.strategy.buy
                        is_sent |= not send(bridge.instrument_id, lots).is_closed
        if is_sent:
            self._await_ends(trader.scheduler.now_ns + _FLATTEN_WAIT_MS * _MS)
        else:
            self._finish()

    def _await_ends(self, until_ns: int) -> None:
        """Give market orders the time to be filled; a cancel that follows at once might overtake them."""
        scheduler = self._trader.scheduler
        if self._trader.desk.open_orders and scheduler.now_ns < until_ns:
            scheduler.at(scheduler.now_ns + _LOOK_MS * _MS, self._await_ends, until_ns)
        elif not self.is_done:
            self._stand_still(self._trader.desk.halted or "the run is ending", self._flatten)

    def _give_up(self) -> None:
        if self.is_done:
            return
        if self._standstill is not None:
            self._standstill.stop()
        self.proof = None
        self._finish()

    def _finish(self) -> None:
        if self.is_done:
            return
        self.is_done = True
        if self.proof is None and self._standstill is not None:
            self.left = self._standstill.left()
        if self.at_end is AtEnd.LEAVE:
            self.left = [f"order {each}" for each in self._trader.desk.open_orders]
        if self.at_end is AtEnd.FLATTEN:
            self.left += [f"position {symbol} {qty}" for symbol, qty in self.positions().items()]
