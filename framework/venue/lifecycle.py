"""What a fill and an end do to an order: money, holds, indices, news.

Holds. A buy holds its open quantity at its limit price plus the taker fee at the rate that the account had when the
order was accepted, rounded up; before its trigger, an order without a limit price holds at its trigger price. A sell
holds its open quantity of the base asset. A market order at work holds nothing: it is filled or gone in the same
instant. That open orders are held is documented (rest-api/get-extended-balance, ``hold_trade``); at which price and
with which fee is
not: assumption. Fees fall as volume grows, so the hold always suffices.

An order on margin holds nothing (rest-api/get-extended-balance); whether it may be is for ``framework.venue.margin``.

Where an order has its fees in the base currency, a sell holds them beside its quantity, and a buy, which pays them of
what it gets, holds none. Such fees keep as many decimals as a lot (assumption). It is documented that an order may
prefer it (rest-api/add-order, ``oflags``); that one which cannot pay so is refused is an assumption.

After every fill and end: totals change by exactly price times quantity and the fee; the account's holds equal the sum
over its open orders.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from framework.errors import SimulationError
from framework.messages import ExecType, OrderState
from framework.protocol import BUY, RejectReason
from framework.venue.account import Assets
from framework.venue.fees import PPM, charge, fee_bound
from framework.venue.observer import VenueObserver
from framework.venue.orders import NO_SLOT, Order
from framework.venue.reports import Reporter
from framework.venue.sessions import Line

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel
    from framework.venue.margin.lending import Lending

__all__ = ["Lifecycle", "hold_needed", "hold_price", "offset_price", "paid_units", "sold_units"]

_OPEN_LAST = OrderState.PARTIALLY_FILLED


def hold_price(order: Order) -> int | None:
    """The price at which a buy is held now; None where nothing is held, as for a market order at work."""
    if order.is_market:
        return None if order.is_working else order.trigger_ticks
    if order.limit_ticks is not None or order.trigger_ticks is None:
        return order.limit_ticks
    return offset_price(order.trigger_ticks, order.limit_offset_ticks, order.limit_offset_ppm)


def offset_price(price_ticks: int, offset_ticks: int | None, offset_ppm: int | None) -> int:
    """The price that lies so far from another, at least 1; a share is rounded to the nearest tick, half up (assumption:
    rest-api/add-order, ``price2``, is silent).
    """
    if offset_ppm is not None:
        return max(1, (2 * price_ticks * (PPM + offset_ppm) + PPM) // (2 * PPM))
    return max(1, price_ticks + (offset_ticks or 0))


def hold_needed(order: Order, price_ticks: int | None, leaves_lots: int) -> int:
    """Units of ``order.hold_asset`` to hold for an open quantity at a price (``hold_price``; not read for a sell)."""
    if order.is_margin:
        return 0
    pair = order.pair
    if order.side != BUY:
        return 0 if order.is_working else sold_units(order, leaves_lots)
    if price_ticks is None:
        return 0
    return paid_units(order, price_ticks * leaves_lots * pair.cost_units)


def sold_units(order: Order, lots: int) -> int:
    """Base units that a sell of so many lots takes at most, its fee included where that is in base."""
    units = lots * order.pair.lot_units
    return units + fee_bound(units, order.hold_ppm, 1) if order.is_fee_in_base else units


def paid_units(order: Order, cost: int) -> int:
    """Quote units that a buy for a cost takes at most, its fee included where that is in quote."""
    return cost if order.is_fee_in_base else cost + fee_bound(cost, order.hold_ppm, order.pair.fee_quantum)


class Lifecycle:
    """Fills and ends orders.

    by_slot, by_watch: orders in the kernel's book, and orders whose trigger the kernel watches.
    fills_with_secondary: order, price and lots of each fill that an order is yet to be made for.
    lending: whom fills on margin go to; None where there is none.
    """

    def __init__(self, kernel: MatchingKernel, assets: Assets, reporter: Reporter) -> None:
        self.by_slot: dict[int, Order] = {}
        self.by_watch: dict[int, Order] = {}
        self.fills_with_secondary: deque[tuple[Order, int, int]] = deque()
        self.observer: VenueObserver | None = None
        self.lending: Lending | None = None
        self._kernel = kernel
        self._assets = assets
        self._reporter = reporter
        self._exec_count = 0

    # ------------------------------------------------------------------------------------------------- places

    def rest(self, order: Order, priority: int, now_ns: int) -> None:
        """Put an order's open quantity into the book, behind what rests at its price."""
        limit_ticks = order.limit_ticks
        assert limit_ticks is not None
        leaves_lots = order.qty_lots - order.cum_lots
        display_lots = order.display_lots
        slot = self._kernel.place(
            order.pair.index,
            order.side,
            limit_ticks,
            leaves_lots,
            0 if display_lots is None else min(display_lots, leaves_lots),
        )
        order.slot = slot
        order.queued_ns = now_ns
        self.by_slot[slot] = order
        order.pair.list_resting(order, priority)
        if self.observer is not None:
            self.observer.on_order_rest(order.cl_ord_id, order.order_id, slot, now_ns)

    def unrest(self, order: Order) -> None:
        """Take an order out of the book and out of the kernel; nothing happens if it is in neither."""
        slot = order.slot
        if slot != NO_SLOT:
            del self.by_slot[slot]
            self._kernel.remove(slot)
            order.slot = NO_SLOT
            order.pair.unlist_resting(order)
        elif order.watch != NO_SLOT:
            del self.by_watch[order.watch]
            self._kernel.unwatch(order.watch)
            order.watch = NO_SLOT

    def kernel_leaves(self, order: Order) -> int:
        """Lots of a resting order that the kernel has left."""
        return self._kernel.leaves(order.slot)

    # ------------------------------------------------------------------------------------------------- fills

    def fill(self, order: Order, price_ticks: int, qty_lots: int, is_maker: bool, ts_ns: int) -> None:
        """Trade: move the money, tell of it, and end the order if nothing is left.

        Raises SimulationError if the order has ended or less of it is open.
        """
        if order.state > _OPEN_LAST:
            raise SimulationError(f"{order} has ended, but {qty_lots} lots of it were filled at {price_ticks}")
        pair = order.pair
        account = order.account
        cost = price_ticks * qty_lots * pair.cost_units
        ppm = account.fees.maker_ppm if is_maker else account.fees.taker_ppm
        if order.is_fee_in_base:
            order.fee_exact += qty_lots * pair.lot_units * ppm
            fee_total, fee_asset = charge(order.fee_exact, 1), pair.base
        else:
            order.fee_exact += cost * ppm
            fee_total, fee_asset = charge(order.fee_exact, pair.fee_quantum), pair.quote
        fee = fee_total - order.fee_units
        order.fee_units = fee_total
        self._exec_count = count = self._exec_count + 1
        exec_id = f"T{count // 10**11:05d}-{count // 10**6 % 10**5:05d}-{count % 10**6:06d}"
        totals = account.totals
        if order.leverage:
            assert self.lending is not None
            fee = self.lending.fill(order, price_ticks, qty_lots, fee, exec_id, ts_ns)
        elif order.side == BUY:
            totals[pair.base] += qty_lots * pair.lot_units
            totals[pair.quote] -= cost
            totals[fee_asset] -= fee
        else:
            totals[pair.base] -= qty_lots * pair.lot_units
            totals[pair.quote] += cost
            totals[fee_asset] -= fee
        account.fees.add(cost * pair.volume_scale)
        order.cum_lots = cum_lots = order.cum_lots + qty_lots
        if order.quote_units >= 0:
            order.quote_units -= cost
            order.qty_lots = cum_lots
            is_done = order.quote_units < price_ticks * pair.cost_units
        else:
            is_done = cum_lots == order.qty_lots
            if cum_lots > order.qty_lots:
                raise SimulationError(f"{order} was filled for {cum_lots} lots, more than it was for")
        order.state = OrderState.FILLED if is_done else OrderState.PARTIALLY_FILLED
        if order.hold_units:
            needed = 0 if is_done else hold_needed(order, hold_price(order), order.qty_lots - cum_lots)
            account.hold(order, needed)
        report = self._reporter.order_filled(
            order, price_ticks, qty_lots, exec_id, is_maker, self._assets.amount(fee_asset, fee), ts_ns
        )
        account.trades.append(report)
        if self.observer is not None:
            self.observer.on_fill(report)
        if order.secondary is not None:
            self.fills_with_secondary.append((order, price_ticks, qty_lots))
        if is_done:
            self._close(order, None, ts_ns)

    # ------------------------------------------------------------------------------------------------- ends

    def end(
        self,
        order: Order,
        state: OrderState,
        reason: RejectReason,
        now_ns: int,
        request_id: int | None = None,
        requester: Line | None = None,
    ) -> None:
        """End an order that was not filled, wherever it is, and tell of it."""
        if order.state > _OPEN_LAST:
            raise SimulationError(f"{order} has ended already and cannot end as {state.name}")
        self.unrest(order)
        order.state = state
        self._close(order, reason, now_ns)
        exec_type = ExecType.EXPIRED if state is OrderState.EXPIRED else ExecType.CANCELED
        self._reporter.order_changed(order, exec_type, now_ns, request_id, reason, requester)

    def settled(self, order: Order, now_ns: int) -> None:
        """An order that settles a position has done it."""
        order.cum_lots = order.qty_lots
        order.state = OrderState.FILLED
        self._close(order, None, now_ns)
        self._reporter.order_changed(order, ExecType.FILLED, now_ns)

    def forget_slot(self, order: Order) -> None:
        """The kernel has taken a filled order out of its book itself."""
        del self.by_slot[order.slot]
        order.slot = NO_SLOT
        order.pair.unlist_resting(order)

    def _close(self, order: Order, reason: RejectReason | None, now_ns: int) -> None:
        account = order.account
        if order.hold_units:
            account.hold(order, 0)
        if order.is_margin and account.margin is not None:
            account.margin.order_count -= 1
        order.end_reason = reason
        order.ended_ns = now_ns
        del account.open_orders[order.seq]
        account.open_counts[order.pair.index] -= 1
        del order.session.orders[order.seq]
        account.ended.append(order)
        if self.observer is not None:
            self.observer.on_order_end(order.cl_ord_id, order.order_id, reason, now_ns)
