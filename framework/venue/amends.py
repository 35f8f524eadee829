"""Amend in place, and edit by cancel-and-new.

Amend (guides/spot-amends, rest-api/edit-order): one order, same ids, fills kept. Its queue place is kept where every
field that changes keeps it by the profile's ``AmendPriority``; otherwise it goes to the back of its price, and trades
if its new price meets somebody. A new quantity that is already filled sets the quantity to what was filled, cancels the
rest and costs a cancel's penalty. Post-only on an amend is a condition on that change only; an order that was entered
post-only and is amended without it may trade. An order that makes others by its fills is neither amended nor edited
(guides/spot-amends, "Caveats").

Counting (guides/spot-ratelimits): a request that fails pays its fixed count; one that names no open order within reach
pays nothing, for no pair is known that it could be counted for.

Edit (rest-api/edit-order): the order is canceled and a new one, with a new id and no client id, takes its place at the
back of the queue. Assumption where the page is silent: the quantity given is the total, so the new order is for what
the old one had not filled of it; that is what makes "executed more than the new volume" a refusal.
"""

from __future__ import annotations

from copy import copy

import msgspec

from framework.messages import AddOrder, AmendOrder, EditOrder, ExecType, OrderState
from framework.protocol import BUY, AmendPriority, CancelReach, NewOrders, OrderType, RejectReason, TimeInForce
from framework.venue.adds import Adds
from framework.venue.lifecycle import hold_needed, offset_price
from framework.venue.orders import NO_SLOT, TRIGGER_TYPES, Order
from framework.venue.parts import Parts
from framework.venue.rates import amend_charge, edit_charge
from framework.venue.reach import is_reached
from framework.venue.sessions import Line
from framework.venue.validation import display_refusal, is_limit_offset, is_price, is_qty, is_trail_offset

__all__ = ["Amends", "edited_order"]


_NO_LIMIT = (None, None, None)


class _Change(msgspec.Struct):
    """The values that an order will have, and what differs from those it has; distances are those of a trailing one."""

    qty_lots: int
    limit_ticks: int | None
    trigger_ticks: int | None
    display_lots: int | None
    is_qty_down: bool
    is_qty_up: bool
    is_limit: bool
    is_trigger: bool
    is_display: bool
    is_trail: bool = False
    trail_offset_ticks: int | None = None
    trail_offset_ppm: int | None = None
    limit_offset_ticks: int | None = None
    limit_offset_ppm: int | None = None

    @property
    def is_empty(self) -> bool:
        return not (
            self.is_qty_down or self.is_qty_up or self.is_limit or self.is_trigger or self.is_display or self.is_trail
        )

    def keeps_place(self, priority: AmendPriority) -> bool:
        """Whether every field that changes keeps the queue place."""
        return (
            (priority.qty_down or not self.is_qty_down)
            and (priority.qty_up or not self.is_qty_up)
            and (priority.limit_price or not self.is_limit)
            and (priority.trigger_price or not self.is_trigger)
            and (priority.display_qty or not self.is_display)
        )


def _change(order: Order, command: AmendOrder) -> _Change:
    qty_lots = order.qty_lots if command.qty_lots is None else max(command.qty_lots, order.cum_lots)
    limit_ticks = order.limit_ticks if command.limit_ticks is None else command.limit_ticks
    trigger_ticks = order.trigger_ticks if command.trigger_ticks is None else command.trigger_ticks
    display_lots = order.display_lots if command.display_lots is None else command.display_lots
    change = _Change(
        qty_lots,
        limit_ticks,
        trigger_ticks,
        display_lots,
        qty_lots < order.qty_lots,
        qty_lots > order.qty_lots,
        limit_ticks != order.limit_ticks,
        trigger_ticks != order.trigger_ticks,
        display_lots != order.display_lots,
    )
    if order.is_trailing:
        _change_distances(order, command, change)
    return change


def _change_distances(order: Order, command: AmendOrder, change: _Change) -> None:
    """What a trailing order has beside: its distances. One way to state a limit, or a distance, replaces the other."""
    before = (order.limit_ticks, order.limit_offset_ticks, order.limit_offset_ppm)
    given = (command.limit_ticks, command.limit_offset_ticks, command.limit_offset_ppm)
    limit = before if given == _NO_LIMIT else given
    change.limit_ticks, change.limit_offset_ticks, change.limit_offset_ppm = limit
    change.is_limit = limit != before
    trail_before = (order.trail_offset_ticks, order.trail_offset_ppm)
    trail_given = (command.trail_offset_ticks, command.trail_offset_ppm)
    trail = trail_before if trail_given == (None, None) else trail_given
    change.trail_offset_ticks, change.trail_offset_ppm = trail
    change.is_trail = trail != trail_before


class Amends:
    """Handles AmendOrder and EditOrder."""

    def __init__(self, parts: Parts, adds: Adds) -> None:
        self._parts = parts
        self._adds = adds

    def amend(self, line: Line, command: AmendOrder, now_ns: int) -> RejectReason | None:
        """Change an order in place; the reason if it is refused, and then the order is untouched."""
        parts = self._parts
        if not line.profile.capabilities.has_amend:
            return RejectReason.NOT_SUPPORTED
        order = line.account.find(command.order_id, command.cl_ord_id)
        refusal = _target_refusal(line, order, line.profile.amend_reach)
        if refusal is not None:
            return refusal
        assert order is not None
        change = _change(order, command)
        if change.is_trail:
            change.trigger_ticks = parts.triggers.trailing_ticks(
                order, change.trail_offset_ticks, change.trail_offset_ppm
            )
        is_end = change.qty_lots <= order.cum_lots and command.qty_lots is not None and order.cum_lots > 0
        rates = parts.profile.rates
        charge = amend_charge(rates, now_ns - order.aged_ns, ends_order=is_end)
        if parts.would_refuse(line.account, order.pair, charge, now_ns):
            return parts.charge(line.account, order.pair, charge, now_ns)
        refusal = self._mode_refusal(order, command.is_post_only)
        if refusal is None:
            refusal = self._refusal(order, command, change, is_end)
        if refusal is not None:
            parts.charge_failed(line.account, order.pair, rates.amend_fixed, now_ns)
            return refusal
        parts.charge(line.account, order.pair, charge, now_ns)
        parts.reporter.accept(line, command.request_id, now_ns, (order.order_id,))
        if is_end:
            self._cut_to_filled(order, command, line, now_ns)
        else:
            self._apply(order, change, command, line, now_ns)
        return None

    def _mode_refusal(self, order: Order, is_post_only: bool) -> RejectReason | None:
        """Whether the modes let an order be changed: assumption, as they would let it in anew; post-only if the amend
        or the order is.
        """
        for rule in (self._parts.rule, order.pair.rule):
            if rule.new_orders is NewOrders.NONE:
                return rule.reason
            if rule.new_orders is NewOrders.POST_ONLY and not (is_post_only or order.is_post_only):
                return rule.reason
        return None

    def _refusal(self, order: Order, command: AmendOrder, change: _Change, is_end: bool) -> RejectReason | None:
        if (
            order.secondary is not None
            or not _are_distances_amendable(order, command)
            or (command.limit_ticks is not None and not _has_limit(order))
            or (
                command.trigger_ticks is not None
                and (order.is_triggered or order.is_trailing or order.trigger_ticks is None)
            )
            or (command.display_lots is not None and order.order_type is not OrderType.ICEBERG)
        ):
            return RejectReason.INVALID_ARGUMENTS
        if change.is_empty:
            return RejectReason.NO_AMENDABLE
        if is_end:
            return None
        return self._value_refusal(order, change) or self._book_refusal(order, command, change)

    def _value_refusal(self, order: Order, change: _Change) -> RejectReason | None:
        pair = order.pair
        if not is_price(change.limit_ticks) or not is_price(change.trigger_ticks):
            return RejectReason.INVALID_PRICE
        if order.is_trailing and not (
            is_limit_offset(change.limit_offset_ticks, change.limit_offset_ppm)
            and is_trail_offset(change.trail_offset_ticks, change.trail_offset_ppm)
        ):
            return RejectReason.INVALID_PRICE
        if change.qty_lots < pair.min_qty_lots:
            return RejectReason.ORDER_MINIMUM
        if not is_qty(change.qty_lots):
            return RejectReason.INVALID_ARGUMENTS
        price_ticks = change.limit_ticks or change.trigger_ticks
        if price_ticks is not None and pair.cost(price_ticks, change.qty_lots) < pair.min_cost_units:
            return RejectReason.COST_MINIMUM
        if change.display_lots is not None:
            remaining_lots = change.qty_lots - order.cum_lots
            return display_refusal(change.display_lots, remaining_lots, self._parts.profile.limits)
        return None

    def _book_refusal(self, order: Order, command: AmendOrder, change: _Change) -> RejectReason | None:
        parts = self._parts
        if change.is_trigger or change.is_trail:
            if change.trigger_ticks is None:
                return RejectReason.INVALID_PRICE
            if order.is_live and parts.triggers.is_met_at(order, change.trigger_ticks):
                return RejectReason.WOULD_TRIGGER
        if (
            command.is_post_only
            and change.is_limit
            and change.limit_ticks is not None
            and order.is_live
            and order.is_triggered
            and parts.matching.would_cross(order, change.limit_ticks)
        ):
            return RejectReason.POST_ONLY
        return self._money_refusal(order, change)

    def _money_refusal(self, order: Order, change: _Change) -> RejectReason | None:
        account, checks = order.account, self._parts.entry.margin
        if order.is_margin and checks is not None:
            changed = copy(order)
            changed.seq = 0
            changed.qty_lots, changed.limit_ticks = change.qty_lots, change.limit_ticks
            changed.trigger_ticks = change.trigger_ticks
            return checks.order_refusal(changed, order)
        more_units = _new_hold(order, change) - order.hold_units
        if more_units > account.available(order.hold_asset):
            return RejectReason.INSUFFICIENT_FUNDS
        if more_units > 0 and account.margin is not None and account.margin.is_in_use and checks is not None:
            return checks.cash_refusal(account, order.hold_asset, more_units)
        return None

    # ------------------------------------------------------------------------------------------------- carrying out

    def _cut_to_filled(self, order: Order, command: AmendOrder, line: Line, now_ns: int) -> None:
        parts = self._parts
        parts.lifecycle.unrest(order)
        order.qty_lots = order.cum_lots
        parts.reporter.order_changed(order, ExecType.AMENDED, now_ns, command.request_id, None, line)
        parts.lifecycle.end(
            order, OrderState.CANCELED, RejectReason.AMENDED_TO_FILLED, now_ns, command.request_id, line
        )

    def _apply(self, order: Order, change: _Change, command: AmendOrder, line: Line, now_ns: int) -> None:
        parts = self._parts
        is_resting = order.slot != NO_SLOT
        is_kept = is_resting and change.keeps_place(parts.profile.amend_priority)
        if is_resting and not is_kept:
            parts.lifecycle.unrest(order)
        order.account.hold(order, _new_hold(order, change))
        order.qty_lots = change.qty_lots
        order.limit_ticks = change.limit_ticks
        if order.is_trailing:
            order.trail_offset_ticks, order.trail_offset_ppm = change.trail_offset_ticks, change.trail_offset_ppm
            order.limit_offset_ticks, order.limit_offset_ppm = change.limit_offset_ticks, change.limit_offset_ppm
        order.trigger_ticks = change.trigger_ticks
        order.display_lots = change.display_lots
        order.aged_ns = now_ns
        if is_kept:
            if change.is_qty_down:
                parts.kernel.reduce(order.slot, order.qty_lots - order.cum_lots)
            if change.is_display and change.display_lots is not None:
                parts.kernel.set_display(order.slot, change.display_lots)
        if order.is_reduce_only and parts.entry.margin is not None:
            parts.entry.margin.note(order)
        parts.reporter.order_changed(order, ExecType.AMENDED, now_ns, command.request_id, None, line)
        observer = parts.lifecycle.observer
        if observer is not None and is_resting:
            observer.on_amend(order.cl_ord_id, order.order_id, is_kept, now_ns)
        if is_resting and not is_kept:
            parts.entry.enter(order, now_ns, is_cross_allowed=True)
        elif (change.is_trigger or change.is_trail) and order.watch != NO_SLOT:
            parts.triggers.rewatch(order)

    # ------------------------------------------------------------------------------------------------- edit

    def edit(self, line: Line, command: EditOrder, now_ns: int) -> RejectReason | None:
        """Replace an order by a new one; the reason if it is refused, and then the old one is untouched."""
        parts = self._parts
        capabilities = line.profile.capabilities
        if not capabilities.has_edit or (command.is_validate_only and not capabilities.has_validate_only):
            return RejectReason.NOT_SUPPORTED
        old = line.account.find(command.order_id, None)
        refusal = _target_refusal(line, old, line.profile.amend_reach)
        if refusal is not None:
            return refusal
        assert old is not None
        pair = old.pair
        rates = parts.profile.rates
        charge = edit_charge(rates, now_ns - old.aged_ns)
        if not command.is_validate_only and parts.would_refuse(line.account, pair, charge, now_ns):
            return parts.charge(line.account, pair, charge, now_ns)
        new = self._edited(line, old, command, now_ns)
        if not isinstance(new, Order):
            if not command.is_validate_only:
                parts.charge_failed(line.account, pair, rates.edit_fixed, now_ns)
            return new
        if command.is_validate_only:
            parts.reporter.accept(line, command.request_id, now_ns, is_told_by_reports=False)
            return None
        parts.charge(line.account, pair, charge, now_ns)
        parts.lifecycle.end(old, OrderState.CANCELED, RejectReason.EDITED, now_ns, command.request_id, line)
        parts.entry.accept(new, now_ns)
        parts.reporter.accept(line, command.request_id, now_ns, (new.order_id,))
        parts.entry.begin(new, now_ns)
        return None

    def _edited(self, line: Line, old: Order, command: EditOrder, now_ns: int) -> Order | RejectReason:
        """The order that an edit asks for, prepared, or why it is refused."""
        if old.secondary is not None or (old.order_type in TRIGGER_TYPES and old.is_triggered):
            return RejectReason.NOT_EDITABLE
        if old.cl_ord_id and not line.profile.capabilities.edits_cl_ord_ids:
            return RejectReason.NOT_EDITABLE
        total_lots = old.qty_lots if command.qty_lots is None else command.qty_lots
        if total_lots <= old.cum_lots:
            return RejectReason.NOT_EDITABLE
        if old.is_trailing and command.trigger_ticks is not None:
            return RejectReason.INVALID_ARGUMENTS
        is_gtd = old.time_in_force is TimeInForce.GTD
        wanted = edited_order(old, command)
        adds = self._adds
        refusal = adds.mode_refusal(wanted, old.pair)
        if refusal is None:
            # An end that was far enough ahead when the order was entered need not be so again.
            checked = (
                msgspec.structs.replace(wanted, time_in_force=TimeInForce.GTC, expire_ns=None) if is_gtd else wanted
            )
            refusal = adds.order_refusal(checked, old.pair, now_ns)
        if refusal is not None:
            return refusal
        return adds.admit(line, wanted, old.pair, command.request_id, now_ns, replaced=old)


def edited_order(old: Order, command: EditOrder) -> AddOrder:
    """The new order that an edit of an order asks for: what it does not say is as it was."""
    limit = (command.limit_ticks, command.limit_offset_ticks, command.limit_offset_ppm)
    if limit == _NO_LIMIT:
        limit = (old.limit_ticks, old.limit_offset_ticks, old.limit_offset_ppm)
    trail = (command.trail_offset_ticks, command.trail_offset_ppm)
    if trail == (None, None):
        trail = (old.trail_offset_ticks, old.trail_offset_ppm)
    return AddOrder(
        request_id=command.request_id,
        cl_ord_id="",
        symbol=old.pair.symbol,
        side=old.side,
        order_type=old.order_type,
        qty_lots=(old.qty_lots if command.qty_lots is None else command.qty_lots) - old.cum_lots,
        limit_ticks=limit[0],
        trigger_ticks=None if old.is_trailing else _either(command.trigger_ticks, old.trigger_ticks),
        trail_offset_ticks=trail[0],
        trail_offset_ppm=trail[1],
        limit_offset_ticks=limit[1],
        limit_offset_ppm=limit[2],
        display_lots=_either(command.display_lots, old.display_lots),
        time_in_force=old.time_in_force,
        expire_ns=old.expire_ns,
        start_ns=None if old.is_live else old.start_ns,
        stp_mode=old.stp_mode,
        is_post_only=command.is_post_only,
        is_fee_in_base=old.is_fee_in_base if command.is_fee_in_base is None else command.is_fee_in_base,
        is_reduce_only=old.is_reduce_only or command.is_reduce_only,
        leverage=old.leverage,
        attachment=command.attachment,
    )


def _has_limit(order: Order) -> bool:
    """Whether an order has a limit price, or a trailing one that waits will have one."""
    return not order.is_market and (order.limit_ticks is not None or (order.is_trailing and not order.is_triggered))


def _are_distances_amendable(order: Order, command: AmendOrder) -> bool:
    """Whether the distances that an amend gives, if any, are those of an order that waits, each stated once."""
    trails = (command.trail_offset_ticks, command.trail_offset_ppm)
    limits = (command.limit_offset_ticks, command.limit_offset_ppm)
    if trails == limits == (None, None):
        return True
    if not order.is_trailing or order.is_triggered or None not in trails:
        return False
    is_limited = limits != (None, None)
    return not is_limited or (not order.is_market and command.limit_ticks is None and None in limits)


def _either(first: int | None, second: int | None) -> int | None:
    return second if first is None else first


def _target_refusal(line: Line, order: Order | None, reach: CancelReach) -> RejectReason | None:
    """Why an order cannot be named on this line."""
    if order is None or not is_reached(line, order, reach):
        return RejectReason.UNKNOWN_ORDER
    return None if order.is_open else RejectReason.ORDER_NOT_OPEN


def _new_hold(order: Order, change: _Change) -> int:
    if order.is_market:
        price_ticks = None if order.is_working else change.trigger_ticks
    elif change.limit_ticks is not None or change.trigger_ticks is None:
        price_ticks = change.limit_ticks
    else:
        price_ticks = offset_price(change.trigger_ticks, change.limit_offset_ticks, change.limit_offset_ppm)
    if order.side == BUY and price_ticks is None:
        return order.hold_units
    return hold_needed(order, price_ticks, change.qty_lots - order.cum_lots)
