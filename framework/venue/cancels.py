"""Cancels: one order, several, all, by scope, and the dead man's switch.

How far each reaches is the profile's; an order out of reach is answered like one that does not exist, and stays as it
is. A cancel refused over the rate limit leaves the order alive (guides/spot-ratelimits). A batch skips ids that name no
open order within reach and says how many it canceled (rest-api/cancel-order-batch is silent on them).

Sources: rest-api/cancel-order, cancel-order-batch, cancel-all-orders, cancel-all-orders-after; fix-api/ocr-fix,
omcr-fix; guides/spot-ratelimits.
"""

from __future__ import annotations

from collections.abc import Iterable

from framework.messages import CancelAll, CancelAllAfter, CancelBatch, CancelOrder, MassCancel, OrderState
from framework.protocol import CancelReach, MassCancelScope, RejectReason
from framework.venue.account import Account
from framework.venue.orders import Order
from framework.venue.parts import Parts
from framework.venue.rates import batch_cancel_charge, cancel_all_charge, cancel_charge
from framework.venue.reach import is_reached
from framework.venue.sessions import Line
from framework.venue.timers import TimerKind

__all__ = ["Cancels"]

_SECOND_NS = 1_000_000_000
_CANCELED = OrderState.CANCELED
_USER_REQUESTED = RejectReason.USER_REQUESTED


class Cancels:
    """Handles all requests that end orders."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._all_charge = cancel_all_charge(parts.profile.rates)

    def cancel(self, line: Line, command: CancelOrder, now_ns: int) -> RejectReason | None:
        """Cancel one order; the reason if it is refused, and then the order is untouched."""
        parts = self._parts
        capabilities = line.profile.capabilities
        if (command.order_id is not None and not capabilities.cancels_by_order_id) or (
            command.order_id is None and not capabilities.cancels_by_cl_ord_id
        ):
            return RejectReason.NOT_SUPPORTED
        if command.order_id is None and command.cl_ord_id is None:
            return RejectReason.INVALID_ARGUMENTS
        order = line.account.find(command.order_id, command.cl_ord_id)
        if order is None or not is_reached(line, order, line.profile.single_cancel_reach):
            return RejectReason.UNKNOWN_ORDER
        if not order.is_open:
            return RejectReason.ORDER_NOT_OPEN
        refusal = self._mode_refusal([order])
        if refusal is not None:
            return refusal
        charge = cancel_charge(parts.profile.rates, now_ns - order.aged_ns)
        refusal = parts.charge(line.account, order.pair, charge, now_ns)
        if refusal is not None:
            return refusal
        parts.reporter.accept(line, command.request_id, now_ns, (order.order_id,), count=1)
        parts.lifecycle.end(order, _CANCELED, _USER_REQUESTED, now_ns, command.request_id, line)
        return None

    def cancel_batch(self, line: Line, command: CancelBatch, now_ns: int) -> RejectReason | None:
        """Cancel several orders; each is charged by its own age."""
        most = line.profile.capabilities.batch_cancel_max
        if not most:
            return RejectReason.NOT_SUPPORTED
        if not 0 < len(command.order_ids) + len(command.cl_ord_ids) <= most:
            return RejectReason.INVALID_ARGUMENTS
        account = line.account
        named = [account.find(order_id, None) for order_id in command.order_ids]
        named += [account.find(None, cl_ord_id) for cl_ord_id in command.cl_ord_ids]
        reach = line.profile.single_cancel_reach
        orders = _distinct(
            order for order in named if order is not None and order.is_open and is_reached(line, order, reach)
        )
        refusal = self._mode_refusal(orders) or self._charge_batch(account, orders, now_ns)
        if refusal is not None:
            return refusal
        self._end_all(orders, line, command.request_id, now_ns, _USER_REQUESTED)
        return None

    def _charge_batch(self, account: Account, orders: list[Order], now_ns: int) -> RejectReason | None:
        parts = self._parts
        charges = [
            (
                pair,
                batch_cancel_charge(
                    parts.profile.rates, [now_ns - order.aged_ns for order in orders if order.pair is pair]
                ),
            )
            for pair in parts.pairs.values()
            if any(order.pair is pair for order in orders)
        ]
        refusal = None
        if any(parts.would_refuse(account, pair, charge, now_ns) for pair, charge in charges):
            refusal = RejectReason.RATE_LIMIT
        else:
            for pair, charge in charges:
                parts.charge(account, pair, charge, now_ns)
        return refusal

    def cancel_all(self, line: Line, command: CancelAll, now_ns: int) -> RejectReason | None:
        """Cancel every open order that CancelAll reaches, untriggered and scheduled ones included."""
        if not line.profile.capabilities.has_cancel_all:
            return RejectReason.NOT_SUPPORTED
        return self._cancel_scope(line, line.profile.cancel_all_reach, None, command.request_id, now_ns)

    def mass_cancel(self, line: Line, command: MassCancel, now_ns: int) -> RejectReason | None:
        """Cancel by scope, as far as the profile lets that scope reach."""
        if command.scope not in line.profile.capabilities.mass_cancel_scopes:
            return RejectReason.NOT_SUPPORTED
        symbol = None
        if command.scope is MassCancelScope.SYMBOL:
            symbol = command.symbol
            if symbol is None:
                return RejectReason.INVALID_ARGUMENTS
            if symbol not in self._parts.pairs:
                return RejectReason.UNKNOWN_SYMBOL
        reach = line.profile.mass_cancel_reach[command.scope]
        return self._cancel_scope(line, reach, symbol, command.request_id, now_ns)

    def _cancel_scope(
        self, line: Line, reach: CancelReach, symbol: str | None, request_id: int, now_ns: int
    ) -> RejectReason | None:
        orders = [
            order
            for order in line.account.open_orders.values()
            if is_reached(line, order, reach) and (symbol is None or order.pair.symbol == symbol)
        ]
        refusal = self._mode_refusal(orders)
        if refusal is not None:
            return refusal
        self._charge_all(line.account, orders, now_ns)
        self._end_all(orders, line, request_id, now_ns, _USER_REQUESTED)
        return None

    def cancel_all_after(self, line: Line, command: CancelAllAfter, now_ns: int) -> RejectReason | None:
        """Arm, refresh or (timeout 0) disarm the account's one timer."""
        parts = self._parts
        if not line.profile.capabilities.has_cancel_all_after:
            return RejectReason.NOT_SUPPORTED
        if command.timeout_s > parts.profile.limits.cancel_all_after_max_s:
            return RejectReason.TIMEOUT_ABOVE_MAX
        if command.timeout_s < 0:
            return RejectReason.INVALID_ARGUMENTS
        account = line.account
        account.cancel_after_ns = now_ns + command.timeout_s * _SECOND_NS if command.timeout_s else None
        if account.cancel_after_ns is not None:
            parts.timers.arm(account.cancel_after_ns, TimerKind.CANCEL_AFTER, account)
        parts.reporter.accept(
            line, command.request_id, now_ns, trigger_ns=account.cancel_after_ns, is_told_by_reports=False
        )
        return None

    def cancel_after_expired(self, account: Account, now_ns: int) -> None:
        """The dead man's switch fires: every open order of the account ends, and the switch is off."""
        account.cancel_after_ns = None
        orders = list(account.open_orders.values())
        self._charge_all(account, orders, now_ns)
        self.end_orders(orders, RejectReason.CANCEL_AFTER_EXPIRED, now_ns)

    def end_orders(self, orders: Iterable[Order], reason: RejectReason, now_ns: int) -> None:
        """End orders that no request named, oldest first."""
        for order in orders:
            self._parts.lifecycle.end(order, _CANCELED, reason, now_ns)

    # ------------------------------------------------------------------------------------------------- pieces

    def _end_all(self, orders: list[Order], line: Line, request_id: int, now_ns: int, reason: RejectReason) -> None:
        parts = self._parts
        parts.reporter.accept(line, request_id, now_ns, count=len(orders), is_told_by_reports=bool(orders))
        for order in orders:
            parts.lifecycle.end(order, _CANCELED, reason, now_ns, request_id, line)

    def _charge_all(self, account: Account, orders: list[Order], now_ns: int) -> None:
        if self._all_charge.cost == 0:
            return
        for pair in self._parts.pairs.values():
            if any(order.pair is pair for order in orders):
                self._parts.charge(account, pair, self._all_charge, now_ns)

    def _mode_refusal(self, orders: list[Order]) -> RejectReason | None:
        rule = self._parts.rule
        if not rule.is_cancel_accepted:
            return rule.reason
        for order in orders:
            rule = order.pair.rule
            if not rule.is_cancel_accepted:
                return rule.reason
        return None


def _distinct(orders: Iterable[Order]) -> list[Order]:
    return list({order.seq: order for order in orders}.values())
