"""What a host hears of from inside its venue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framework.messages import ExecutionReport
from framework.protocol import RejectReason
from framework.venue.margin.lending import Movement
from framework.venue.margin.positions import MarginFill
from framework.venue.observer import VenueObserver

if TYPE_CHECKING:
    from framework.venue.served.host import VenueHost

__all__ = ["Watch"]


class Watch(VenueObserver):
    """Hears from inside the venue what changes the public book and the accounts' past."""

    def __init__(self, host: VenueHost) -> None:
        self._host = host

    def on_fill(self, report: ExecutionReport) -> None:
        self._host.filled(report)

    def on_margin_fill(self, exec_id: str, fill: MarginFill) -> None:
        self._host.records.on_margin_fill(fill)

    def on_movement(self, movement: Movement) -> None:
        self._host.moved(movement)

    def on_order_rest(self, cl_ord_id: str, order_id: str, slot: int, now_ns: int) -> None:
        self._host.order_changed(order_id)

    def on_amend(self, cl_ord_id: str, order_id: str, is_queue_kept: bool, now_ns: int) -> None:
        self._host.order_changed(order_id)

    def on_order_end(self, cl_ord_id: str, order_id: str, reason: RejectReason | None, now_ns: int) -> None:
        self._host.order_changed(order_id)
