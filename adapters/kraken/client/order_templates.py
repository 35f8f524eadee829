"""Ordinary orders as they stand on the wire, with what differs from one to the next filled in.

Orders of a strategy are alike but for their id, price, quantity and times. Each kind is written once by the protocol's
general way, with marks in these places; from then on only the places are filled.
"""

from __future__ import annotations

from collections.abc import Callable

from framework.messages import AddOrder
from framework.protocol import OrderType, StpMode, TriggerReference

__all__ = ["OrderKind", "OrderTemplates", "order_kind"]

type OrderKind = tuple[str, int, int, bool, bool, bool]
_KINDS_MAX = 1_024
_LIMIT, _NEWEST, _LAST = OrderType.LIMIT, StpMode.CANCEL_NEWEST, TriggerReference.LAST


def order_kind(order: AddOrder) -> OrderKind | None:
    """What ordinary orders that are alike have in common: limit orders with nothing but a quantity, a price, a time in
    force and perhaps a deadline. None for one that says more.
    """
    if (
        order.order_type is not _LIMIT
        or order.limit_ticks is None
        or order.stp_mode is not _NEWEST
        or order.quote_qty is not None
        or order.display_lots is not None
        or order.expire_ns is not None
        or order.start_ns is not None
        or order.trigger_ticks is not None
        or order.limit_offset_ticks is not None
        or order.limit_offset_ppm is not None
        or order.trail_offset_ticks is not None
        or order.trail_offset_ppm is not None
        or order.trigger_reference is not _LAST
        or order.secondary is not None
        or order.is_validate_only
        or order.leverage
    ):
        return None
    return (
        order.symbol,
        order.side,
        order.time_in_force,
        order.is_post_only,
        order.is_reduce_only,
        order.deadline_ns is not None,
    )


class OrderTemplates:
    """What orders of each kind look like, for ``%`` to fill in.

    marks: what stands in the places to fill in, in the order in which a protocol has them.
    """

    def __init__(self, marks: tuple[str, ...]) -> None:
        self._marks = marks
        self._made: dict[OrderKind, str] = {}

    def of(self, kind: OrderKind, write: Callable[[], str]) -> str:
        """What orders of a kind look like. write: gives one with its marks; asked once for each kind."""
        known = self._made.get(kind)
        if known is None:
            if len(self._made) >= _KINDS_MAX:
                self._made.clear()
            known = write().replace("%", "%%")
            for mark in self._marks:
                known = known.replace(mark, "%s", 1)
            self._made[kind] = known
        return known

    def forget(self) -> None:
        """What all of them have in common has changed."""
        self._made.clear()
