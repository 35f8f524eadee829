"""What became of orders that were amended: their terms at entry and after each amend.

Terms are taken down only once an order is amended, so orders that never are cost nothing. What an order was entered
with is known until then, because nothing but an amend changes the terms of an order.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from framework.venue.orders import Order

__all__ = ["Amendment", "Amendments"]


class Amendment(msgspec.Struct, frozen=True, gc=False):
    """The terms of an order from a time on.

    request_id: of the amend; None for the terms at entry. remaining_lots: what was not filled then. is_post_only:
    whether the order, or the amend, was not to take.
    """

    request_id: int | None
    ts_ns: int
    qty_lots: int
    remaining_lots: int
    limit_ticks: int | None
    trigger_ticks: int | None
    display_lots: int | None
    is_post_only: bool
    limit_offset_ticks: int | None = None
    limit_offset_ppm: int | None = None
    trail_offset_ticks: int | None = None
    trail_offset_ppm: int | None = None

    @property
    def terms(self) -> tuple[int | None, ...]:
        """What an amend changes."""
        return (
            self.qty_lots,
            self.limit_ticks,
            self.trigger_ticks,
            self.display_lots,
            self.limit_offset_ticks,
            self.limit_offset_ppm,
            self.trail_offset_ticks,
            self.trail_offset_ppm,
        )


class Amendments:
    """The amendments of orders, by order id."""

    def __init__(self) -> None:
        self._of: dict[str, list[Amendment]] = {}

    def before(self, order: Order) -> list[Amendment]:
        """An amend of an order is about to be tried; its terms so far, to be handed to ``after``."""
        known = self._of.get(order.order_id)
        return [entry_terms(order)] if known is None else known

    def after(self, order: Order, so_far: list[Amendment], request_id: int, now_ns: int, *, is_post_only: bool) -> None:
        """It was tried; if it changed the order, that is taken down."""
        now = _terms(order, request_id, now_ns, order.qty_lots - order.cum_lots, is_post_only)
        if now.terms != so_far[-1].terms:
            so_far.append(now)
            self._of[order.order_id] = so_far

    def of(self, order: Order) -> Sequence[Amendment]:
        """The terms of an order, those at entry first."""
        return self._of.get(order.order_id) or [entry_terms(order)]

    def forget(self, order_id: str) -> None:
        """The order is forgotten."""
        self._of.pop(order_id, None)


def entry_terms(order: Order) -> Amendment:
    """The terms of an order that was never amended."""
    return _terms(order, None, order.opened_ns, order.qty_lots, order.is_post_only)


def _terms(order: Order, request_id: int | None, ts_ns: int, remaining_lots: int, is_post_only: bool) -> Amendment:
    return Amendment(
        request_id,
        ts_ns,
        order.qty_lots,
        remaining_lots,
        order.limit_ticks,
        order.trigger_ticks,
        order.display_lots,
        is_post_only,
        order.limit_offset_ticks,
        order.limit_offset_ppm,
        order.trail_offset_ticks,
        order.trail_offset_ppm,
    )
