"""Orders that fills of other orders bring: one-triggers-other.

An order may carry a template (``SecondaryOrder``). Each fill of it then makes an order of its own, of the filled
quantity and on the opposite side, after whatever brought the fill is done. It is an order like any other from then on,
and knows which one it came from.

Assumptions where the pages are silent: a price that is relative to the last trade is relative to the fill, which is
that trade; the new order belongs to the session of the one that was filled and has its self-trade prevention, and is on
margin if that was; it is charged to no counter and held to no minimum and no number of open orders, for nobody asked
for it and a fill must not stay without it; where the money or the market for it is missing, it is made and ends at
once.

Sources: rest-api/add-order (close), websocket-v2/add_order (conditional).
"""

from __future__ import annotations

from framework.messages import AddOrder, OrderState, SecondaryOrder
from framework.protocol import OrderType, RejectReason, StpMode
from framework.venue.entry import Entry
from framework.venue.lifecycle import Lifecycle, offset_price
from framework.venue.orders import TRAILING_TYPES, Order
from framework.venue.reports import Reporter

__all__ = ["Secondaries", "secondary_add"]


def secondary_add(
    template: SecondaryOrder,
    symbol: str,
    side: int,
    qty_lots: int,
    fill_ticks: int,
    stp_mode: StpMode = StpMode.CANCEL_NEWEST,
    leverage: int = 0,
) -> AddOrder:
    """The order that a fill makes. side, stp_mode, leverage: of the order that was filled. fill_ticks: the price of the
    fill.
    """
    order_type = template.order_type
    limit_ticks, limit_offset_ticks, limit_offset_ppm = (
        template.limit_ticks,
        template.limit_offset_ticks,
        template.limit_offset_ppm,
    )
    if order_type is not OrderType.TRAILING_STOP_LIMIT:
        limit_ticks = _price(limit_ticks, limit_offset_ticks, limit_offset_ppm, fill_ticks)
        limit_offset_ticks = limit_offset_ppm = None
    trigger_ticks = _price(
        template.trigger_ticks, template.trigger_offset_ticks, template.trigger_offset_ppm, fill_ticks
    )
    return AddOrder(
        request_id=0,
        cl_ord_id="",
        symbol=symbol,
        side=1 - side,
        order_type=order_type,
        qty_lots=qty_lots,
        limit_ticks=limit_ticks,
        trigger_ticks=trigger_ticks,
        trail_offset_ticks=template.trail_offset_ticks,
        trail_offset_ppm=template.trail_offset_ppm,
        limit_offset_ticks=limit_offset_ticks,
        limit_offset_ppm=limit_offset_ppm,
        stp_mode=stp_mode,
        attachment=template.attachment,
        leverage=leverage,
    )


def _price(ticks: int | None, offset_ticks: int | None, offset_ppm: int | None, fill_ticks: int) -> int | None:
    if offset_ticks is None and offset_ppm is None:
        return ticks
    return offset_price(fill_ticks, offset_ticks, offset_ppm)


class Secondaries:
    """Makes the orders for the fills that ``Lifecycle.fills_with_secondary`` lists."""

    def __init__(self, entry: Entry, lifecycle: Lifecycle, reporter: Reporter) -> None:
        self._entry = entry
        self._lifecycle = lifecycle
        self._reporter = reporter

    def make(self, now_ns: int) -> None:
        """Make all that are due, in the order of the fills."""
        fills = self._lifecycle.fills_with_secondary
        while fills:
            self._make(*fills.popleft(), now_ns)

    def _make(self, primary: Order, fill_ticks: int, fill_lots: int, now_ns: int) -> None:
        template = primary.secondary
        assert template is not None
        command = secondary_add(
            template, primary.pair.symbol, primary.side, fill_lots, fill_ticks, primary.stp_mode, primary.leverage
        )
        entry = self._entry
        order = entry.prepare(command, primary.account, primary.pair, primary.session, None, now_ns)
        order.primary_id = primary.order_id
        refusal = entry.funds_refusal(order)
        if order.order_type in TRAILING_TYPES and order.trigger_ticks is None:
            refusal = RejectReason.INVALID_PRICE
        entry.accept(order, now_ns, is_held=refusal is None)
        if refusal is None:
            entry.begin(order, now_ns)
        else:
            self._reporter.order_pending(order, now_ns)
            self._lifecycle.end(order, OrderState.CANCELED, refusal, now_ns)
