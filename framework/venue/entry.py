"""A new order's way in: acceptance, start, trigger, matching, rest.

An order that is accepted gets its id, its hold and its place in the account's index at once. Then, as far as it
applies: it waits for its start time; it waits for its trigger; it takes; what is left rests, or ends by its time in
force. While the pair does not match it is parked at the step it was about to take, and taken up again there.

Sources: guides/general/order-lifecycle, fix-api/er-fix (168 EffectiveTime), rest-api/add-order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from framework.messages import AddOrder, ExecType, OrderState
from framework.protocol import BUY, RejectReason, TimeInForce
from framework.venue.account import Account, Assets
from framework.venue.book import Pair
from framework.venue.lifecycle import Lifecycle, hold_needed, hold_price, offset_price, paid_units, sold_units
from framework.venue.matching import Matching
from framework.venue.orders import NO_SLOT, Order, order_id_of
from framework.venue.reports import Reporter
from framework.venue.sessions import Session
from framework.venue.timers import TimerKind, Timers
from framework.venue.triggers import Triggers

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel
    from framework.venue.margin.checks import MarginChecks

__all__ = ["Entry"]

_CANCELED = OrderState.CANCELED


class Entry:
    """Takes orders in. margin: checks of orders on margin; None where there is none."""

    def __init__(
        self,
        kernel: MatchingKernel,
        assets: Assets,
        lifecycle: Lifecycle,
        matching: Matching,
        triggers: Triggers,
        reporter: Reporter,
        timers: Timers,
        *,
        is_sell_fee_in_base: bool,
    ) -> None:
        """is_sell_fee_in_base: of the profile."""
        self._kernel = kernel
        self._assets = assets
        self._lifecycle = lifecycle
        self._matching = matching
        self._triggers = triggers
        self._reporter = reporter
        self._timers = timers
        self._is_sell_fee_in_base = is_sell_fee_in_base
        self._order_count = 0
        self._priority = 0
        self.margin: MarginChecks | None = None

    # ------------------------------------------------------------------------------------------------- acceptance

    def prepare(
        self, command: AddOrder, account: Account, pair: Pair, session: Session, request_id: int | None, now_ns: int
    ) -> Order:
        """The order that a command asks for, not accepted yet: no id, not indexed, nothing held."""
        order = Order(command, account, pair, session, "", 0, request_id, now_ns)
        order.hold_asset = pair.quote if command.side == BUY else pair.base
        order.hold_ppm = account.fees.taker_ppm
        if self._is_sell_fee_in_base and command.is_fee_in_base is None and command.side != BUY:
            order.is_fee_in_base = True
        if command.quote_qty is not None:
            order.quote_units = self._assets.units(pair.quote, command.quote_qty)
        if order.is_trailing:
            order.trigger_ticks = self._triggers.first_trailing_ticks(order)
        if order.is_margin and self.margin is not None:
            order.is_fee_in_base = False
            if order.qty_lots == 0:
                order.qty_lots = self.margin.closable_lots(order)
        return order

    def funds_refusal(self, order: Order, replaced: Order | None = None) -> RejectReason | None:
        """Whether the account can pay for a prepared order. replaced: an order that gives back first what it holds."""
        if order.is_margin:
            return RejectReason.INVALID_LEVERAGE if self.margin is None else self.margin.order_refusal(order, replaced)
        freed_units = 0
        if replaced is not None and replaced.hold_asset == order.hold_asset:
            freed_units = replaced.hold_units
        needed = hold_needed(order, hold_price(order), order.qty_lots)
        if needed == 0:
            needed = self._market_need(order)
        account = order.account
        if needed > account.available(order.hold_asset) + freed_units:
            return RejectReason.INSUFFICIENT_FUNDS
        margin = account.margin
        if margin is not None and (margin.order_count or margin.positions) and self.margin is not None:
            return self.margin.cash_refusal(account, order.hold_asset, needed - freed_units)
        return None

    def _market_need(self, order: Order) -> int:
        """What a market order needs at least, at the best price; the rest shows when it is matched."""
        pair = order.pair
        if order.side != BUY:
            return sold_units(order, order.qty_lots)
        if order.quote_units >= 0:
            cost = order.quote_units
        else:
            best = self._kernel.best(pair.index, 1 - order.side)
            if best is None:
                return 0
            cost = best[0] * order.qty_lots * pair.cost_units
        return paid_units(order, cost)

    def accept(self, order: Order, now_ns: int, *, is_held: bool = True) -> None:
        """Give a prepared order its id and index, and hold its money; not ``is_held`` for one that ends at once."""
        self._order_count = count = self._order_count + 1
        order.seq = count
        order.order_id = order_id_of(count)
        account = order.account
        account.open_orders[count] = order
        account.open_counts[order.pair.index] += 1
        account.order_by_id[order.order_id] = order
        if order.cl_ord_id:
            account.order_by_cl_ord_id[order.cl_ord_id] = order
        order.session.orders[count] = order
        if order.is_margin and account.margin is not None:
            account.margin.order_count += 1
        units = hold_needed(order, hold_price(order), order.qty_lots) if is_held else 0
        if units:
            account.hold(order, units)

    def begin(self, order: Order, now_ns: int) -> None:
        """Tell of an accepted order and let it start, now or at its start time."""
        if order.expire_ns is not None:
            self._timers.arm(order.expire_ns, TimerKind.EXPIRE, order)
        start_ns = order.start_ns
        if start_ns is not None and start_ns > now_ns:
            order.is_live = False
            order.state = OrderState.PENDING_NEW
            self._reporter.order_changed(order, ExecType.PENDING_NEW, now_ns, order.request_id)
            self._timers.arm(start_ns, TimerKind.START, order)
            return
        self._reporter.order_pending(order, now_ns)
        self._go_live(order, now_ns, order.request_id)

    # ------------------------------------------------------------------------------------------------- steps

    def resume(self, order: Order, now_ns: int) -> None:
        """Take up an order again at the step that it was parked at."""
        if not order.is_open:
            return
        if not order.is_live:
            self.start(order, now_ns)
        elif not order.is_triggered:
            self.trigger(order, now_ns)
        else:
            self.enter(order, now_ns)

    def start(self, order: Order, now_ns: int) -> None:
        """Make a scheduled order live."""
        if not order.pair.is_matching and order.is_market:
            order.pair.parked.append(order)
            return
        self._go_live(order, now_ns, None)

    def _go_live(self, order: Order, now_ns: int, request_id: int | None) -> None:
        order.is_live = True
        order.state = OrderState.NEW
        self._reporter.order_changed(order, ExecType.NEW, now_ns, request_id)
        if order.is_triggered:
            self.enter(order, now_ns)
        elif self._triggers.is_met(order):
            self._lifecycle.end(order, _CANCELED, RejectReason.WOULD_TRIGGER, now_ns)
        else:
            self._triggers.watch(order)

    def fire(self, order: Order, trigger_ticks: int, now_ns: int) -> None:
        """The kernel says that a waiting order's trigger fired, at this price; a trailing order's hold follows it."""
        if order.is_trailing:
            order.trigger_ticks = trigger_ticks
            needed = hold_needed(order, hold_price(order), order.qty_lots)
            if needed - order.hold_units > order.account.available(order.hold_asset):
                self._lifecycle.end(order, _CANCELED, RejectReason.INSUFFICIENT_FUNDS, now_ns)
                return
            order.account.hold(order, needed)
        self.trigger(order, now_ns)

    def trigger(self, order: Order, now_ns: int) -> None:
        """A waiting order's trigger has fired: it goes on as a market or limit order."""
        pair = order.pair
        if not pair.is_matching:
            pair.parked.append(order)
            return
        order.is_triggered = True
        if order.limit_ticks is None and not order.is_market:
            assert order.trigger_ticks is not None
            order.limit_ticks = offset_price(order.trigger_ticks, order.limit_offset_ticks, order.limit_offset_ppm)
        self._reporter.order_changed(order, ExecType.TRIGGERED, now_ns)
        self.enter(order, now_ns)

    def enter(self, order: Order, now_ns: int, *, is_cross_allowed: bool = False) -> None:
        """Let a live order take what it can, then rest or end.

        is_cross_allowed: a post-only order may trade, because it is amended without asking for post-only again.
        """
        pair = order.pair
        lifecycle = self._lifecycle
        if order.is_margin and self._is_margin_done(order, now_ns):
            return
        is_passive = order.is_post_only and not is_cross_allowed
        if is_passive:
            assert order.limit_ticks is not None
            if self._matching.would_cross(order, order.limit_ticks):
                lifecycle.end(order, _CANCELED, RejectReason.POST_ONLY, now_ns)
                return
        if not pair.is_matching:
            pair.parked.append(order)
            return
        if order.is_market:
            order.is_working = True
            if order.hold_units:
                order.account.hold(order, 0)
        elif order.time_in_force is TimeInForce.FOK and self._matching.available(order) < order.leaves_lots:
            lifecycle.end(order, _CANCELED, RejectReason.FOK_UNFILLED, now_ns)
            return
        refusal = None
        if not is_passive:
            refusal = self._matching.take(order, now_ns)
            if not order.is_open:
                return
        if refusal is None:
            refusal = _remainder_refusal(order)
        if refusal is not None:
            lifecycle.end(order, _CANCELED, refusal, now_ns)
            return
        if order.slot == NO_SLOT:
            self._priority += 1
            lifecycle.rest(order, self._priority, now_ns)
            if order.is_reduce_only and self.margin is not None:
                self.margin.note(order)

    def _is_margin_done(self, order: Order, now_ns: int) -> bool:
        """Whether an order on margin that goes to the book is over: it settles a position, or may not be any more."""
        checks = self.margin
        assert checks is not None
        if order.is_settlement:
            checks.settle(order, now_ns)
            self._lifecycle.settled(order, now_ns)
            return True
        refusal = checks.order_refusal(order)
        if refusal is None and order.is_reduce_only and order.time_in_force is TimeInForce.FOK:
            refusal = RejectReason.FOK_UNFILLED if order.leaves_lots > checks.closable_lots(order) else None
        if refusal is not None:
            self._lifecycle.end(order, _CANCELED, refusal, now_ns)
        return refusal is not None


def _remainder_refusal(order: Order) -> RejectReason | None:
    """Why what was not filled at once must not rest."""
    if order.is_market:
        return RejectReason.MARKET_REMAINDER
    if order.time_in_force is TimeInForce.IOC:
        return RejectReason.IOC_REMAINDER
    if order.time_in_force is TimeInForce.FOK:
        return RejectReason.FOK_UNFILLED
    return None
