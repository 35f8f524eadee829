"""Which orders a request on a line can name: the reach of cancels and amends (fix-api/ocr-fix, fix-api/omcr-fix)."""

from __future__ import annotations

from framework.protocol import CancelReach
from framework.venue.orders import Order
from framework.venue.sessions import Line

__all__ = ["is_reached"]


def is_reached(line: Line, order: Order, reach: CancelReach) -> bool:
    """Whether an order lies within a reach, seen from a line of the order's account or another."""
    if order.account is not line.account:
        return False
    if reach is CancelReach.ACCOUNT:
        return True
    if reach is CancelReach.SESSION:
        return order.session is line.session
    if reach is CancelReach.COMP_ID:
        return order.session.profile is line.profile and order.session.comp_key == line.comp_key
    return False
