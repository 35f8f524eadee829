"""What a recorder may see of the venue's inside: the truth of the simulation, which no strategy hears of.

Every hook does nothing here; a recorder overrides what it needs. Hooks must not call the venue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from framework.messages import Command, ExecutionReport
from framework.protocol import RejectReason

if TYPE_CHECKING:
    from framework.venue.margin.lending import Movement
    from framework.venue.margin.positions import MarginFill

__all__ = ["VenueObserver"]


class VenueObserver:
    """Hooks called by the venue, in the order in which things happen. Times are nanoseconds since the epoch."""

    def on_command(
        self, session_id: str, command: Command, now_ns: int, counter: int | None, threshold: int | None
    ) -> None:
        """A command was handled. counter, threshold: of the engine's counter that it was charged to, after the charge,
        in POINT units; None where the command was charged to no single counter.
        """

    def on_refused(self, session_id: str, command: Command, now_ns: int, reason: RejectReason) -> None:
        """A command was refused."""

    def on_amend(self, cl_ord_id: str, order_id: str, is_queue_kept: bool, now_ns: int) -> None:
        """An amend of a resting order was carried out, with or without its queue place kept."""

    def on_order_rest(self, cl_ord_id: str, order_id: str, slot: int, now_ns: int) -> None:
        """An order has taken its place in the book; slot: its number in the kernel."""

    def on_fill(self, report: ExecutionReport) -> None:
        """An order was filled, in whole or in part; the report is the one that the venue sends."""

    def on_margin_fill(self, exec_id: str, fill: MarginFill) -> None:
        """An order on margin was filled; ``on_fill`` comes next."""

    def on_movement(self, movement: Movement) -> None:
        """Margin trading has moved a balance; called right after the money moved."""

    def on_margin_call(self, account: str, now_ns: int) -> None:
        """An account's margin level has come down to the call."""

    def on_order_end(self, cl_ord_id: str, order_id: str, reason: RejectReason | None, now_ns: int) -> None:
        """An order has ended; reason is None when it was filled."""

    def on_session(self, session_id: str, change: str, now_ns: int) -> None:
        """A line or session changed: connected, opened, resumed, logged_out, dropped, rollover, replaced."""

    def on_mode(self, symbol: str | None, mode: str, now_ns: int) -> None:
        """A mode changed, of one pair or (None) of the whole venue."""
