"""An incoming order takes liquidity: the market's, and that of other accounts of this venue, by price and time.

The conditions of a taking fill, in order:

1. The best price first, of the market and of own resting orders together.
2. At one price, an own resting order is reached after the market quantity that the kernel says is ahead of its slot;
   on books by level that is an estimate, rounded down.
3. An own resting order of another account trades in full before what rests behind it. Simplification: the hidden part
   of an iceberg trades at the place of its visible part.
4. An own resting order of the same account is never traded with: when it is next, the incoming order's self-trade
   prevention mode decides (rest-api/add-order, ``stptype``). What the incoming order could trade
   before that point has been traded.
5. A buy without limit price takes only what the available money pays for, fee included, and what it may spend in all if
   it was entered in quote quantity. The amount is without the fee; the order is for no lots at first, and for what it
   has bought afterwards. What is left and pays for no lot at the next price is canceled.

The market does not react: what was taken stays taken until the market's data replaces it (the kernel's rule). There is
no market price protection: the documented one has no published figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from framework.messages import OrderState
from framework.protocol import BUY, RejectReason, StpMode
from framework.venue.fees import PPM, fee_bound
from framework.venue.kernel import NO_LIMIT
from framework.venue.lifecycle import Lifecycle
from framework.venue.orders import Order

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel
    from framework.venue.margin.lending import Lending

__all__ = ["Matching"]


class Matching:
    """Takes liquidity for incoming orders. lending: where positions on margin are known; None where there are none."""

    def __init__(self, kernel: MatchingKernel, lifecycle: Lifecycle) -> None:
        self._kernel = kernel
        self._lifecycle = lifecycle
        self.lending: Lending | None = None

    def would_cross(self, order: Order, limit_ticks: int) -> bool:
        """Whether an order at this limit would trade at once, with anyone, or meet an order of its own account."""
        pair = order.pair
        best = self._kernel.best(pair.index, 1 - order.side)
        if best is not None and (best[0] <= limit_ticks if order.side == BUY else best[0] >= limit_ticks):
            return True
        return pair.first_crossed(order.side, limit_ticks) is not None

    def available(self, order: Order) -> int:
        """Lots that an order could trade at once at its limit or better, its own account's orders left out."""
        pair = order.pair
        limit_ticks = _bound(order)
        lots = self._kernel.available(pair.index, order.side, limit_ticks)
        for _, _, resting in pair.resting[1 - order.side]:
            assert resting.limit_ticks is not None
            if resting.limit_ticks > limit_ticks if order.side == BUY else resting.limit_ticks < limit_ticks:
                break
            if resting.account is not order.account:
                lots += resting.qty_lots - resting.cum_lots
        return lots

    def take(self, order: Order, now_ns: int) -> RejectReason | None:
        """Trade an incoming order as far as it goes.

        Returns None if it was filled or found nothing more to trade with, otherwise why it must not go on: what is left
        has to be canceled for that reason.
        """
        pair = order.pair
        limit_ticks = order.limit_ticks if not order.is_market else None
        head = pair.first_crossed(order.side, limit_ticks)
        while head is not None:
            if not self._take_before(order, head, now_ns):
                return RejectReason.INSUFFICIENT_FUNDS
            if not order.is_open:
                return None
            if order.is_reduce_only and not self._leaves(order):
                return RejectReason.REDUCE_ONLY_CLOSED
            if head.account is order.account:
                if order.stp_mode is not StpMode.CANCEL_NEWEST:
                    self._lifecycle.end(head, OrderState.CANCELED, RejectReason.SELF_TRADE, now_ns)
                if order.stp_mode is not StpMode.CANCEL_OLDEST:
                    return RejectReason.SELF_TRADE
            elif not self._trade_with(order, head, now_ns):
                return RejectReason.INSUFFICIENT_FUNDS
            elif not order.is_open:
                return None
            head = pair.first_crossed(order.side, limit_ticks)
        if not self._take_market(order, _bound(order), None, now_ns):
            return RejectReason.INSUFFICIENT_FUNDS
        if order.is_reduce_only and order.is_open and not self._leaves(order):
            return RejectReason.REDUCE_ONLY_CLOSED
        return None

    def _leaves(self, order: Order) -> int:
        """Lots of an order that may still trade: of one that may only reduce, no more than there is to reduce."""
        leaves_lots: int = order.qty_lots - order.cum_lots
        if order.is_reduce_only and self.lending is not None:
            return min(leaves_lots, self.lending.closable_lots(order))
        return leaves_lots

    # ------------------------------------------------------------------------------------------------- pieces

    def _take_before(self, order: Order, head: Order, now_ns: int) -> bool:
        """Take the market's liquidity that comes before an own resting order; False if the money ran out."""
        price_ticks = head.limit_ticks
        assert price_ticks is not None
        better_ticks = price_ticks - 1 if order.side == BUY else price_ticks + 1
        if not self._take_market(order, better_ticks, None, now_ns):
            return False
        if not order.is_open:
            return True
        ahead_lots = int(self._kernel.ahead(head.slot))
        return ahead_lots == 0 or self._take_market(order, price_ticks, ahead_lots, now_ns)

    def _take_market(self, order: Order, limit_ticks: int, most_lots: int | None, now_ns: int) -> bool:
        """Take up to a price and a quantity from the market; False if the money ran out."""
        if order.is_market and order.side == BUY and not order.leverage:
            return self._take_by_level(order, limit_ticks, most_lots, now_ns)
        qty_lots = self._leaves(order)
        if most_lots is not None and most_lots < qty_lots:
            qty_lots = most_lots
        if qty_lots == 0:
            return True
        fill = self._lifecycle.fill
        for price_ticks, lots in self._kernel.take(order.pair.index, order.side, qty_lots, limit_ticks):
            fill(order, price_ticks, lots, False, now_ns)
        return True

    def _take_by_level(self, order: Order, limit_ticks: int, most_lots: int | None, now_ns: int) -> bool:
        pair = order.pair
        kernel = self._kernel
        left_lots = NO_LIMIT if most_lots is None else most_lots
        while order.is_open and left_lots > 0:
            best = kernel.best(pair.index, 1 - order.side)
            if best is None or best[0] > limit_ticks:
                return True
            price_ticks = best[0]
            wanted_lots = min(left_lots, _wanted(order, price_ticks))
            lots = _affordable(order, price_ticks, wanted_lots)
            took = kernel.take(pair.index, order.side, lots, price_ticks) if lots else []
            for price_ticks, qty_lots in took:
                self._lifecycle.fill(order, price_ticks, qty_lots, False, now_ns)
                left_lots -= qty_lots
            if not order.is_open:
                return True
            if lots == 0:
                return wanted_lots == 0
            if not took:
                return True
        return True

    def _trade_with(self, order: Order, head: Order, now_ns: int) -> bool:
        """Trade with a resting order of another account at its price; False if the money ran out."""
        price_ticks = head.limit_ticks
        assert price_ticks is not None
        head_lots = self._leaves(head)
        if head_lots == 0:
            self._lifecycle.end(head, OrderState.CANCELED, RejectReason.REDUCE_ONLY_CLOSED, now_ns)
            return True
        wanted_lots = self._leaves(order) if order.leverage else _wanted(order, price_ticks)
        lots = min(wanted_lots, head_lots)
        if order.is_market and order.side == BUY and not order.leverage:
            affordable = _affordable(order, price_ticks, lots)
            if affordable < lots:
                if affordable:
                    self._exchange(order, head, price_ticks, affordable, now_ns)
                return False
        self._exchange(order, head, price_ticks, lots, now_ns)
        return True

    def _exchange(self, order: Order, head: Order, price_ticks: int, lots: int, now_ns: int) -> None:
        leaves_lots = head.qty_lots - head.cum_lots - lots
        if leaves_lots == 0:
            self._lifecycle.unrest(head)
        else:
            self._kernel.reduce(head.slot, leaves_lots)
        self._lifecycle.fill(head, price_ticks, lots, True, now_ns)
        self._lifecycle.fill(order, price_ticks, lots, False, now_ns)


def _bound(order: Order) -> int:
    if not order.is_market:
        assert order.limit_ticks is not None
        return order.limit_ticks
    return NO_LIMIT


def _wanted(order: Order, price_ticks: int) -> int:
    """Lots that the order still asks for at a price."""
    if order.quote_units >= 0:
        return order.quote_units // (price_ticks * order.pair.cost_units)
    return order.qty_lots - order.cum_lots


def _affordable(order: Order, price_ticks: int, wanted_lots: int) -> int:
    """Lots, at most those wanted, that the account's available money pays for at a price, taker fee included.

    Where it does not pay for all, up to one fee quantum more than needed may be left over.
    """
    pair = order.pair
    account = order.account
    money = account.available(pair.quote)
    lot_cost = price_ticks * pair.cost_units
    ppm = 0 if order.is_fee_in_base else account.fees.taker_ppm
    cost = wanted_lots * lot_cost
    if cost + fee_bound(cost, ppm, pair.fee_quantum) <= money:
        return wanted_lots
    lots: int = max(0, money - pair.fee_quantum) * PPM // (lot_cost * (PPM + ppm))
    return lots
