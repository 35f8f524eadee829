"""New orders, one or several in a request.

The order of the checks: what the protocol offers, the pair, the rate counter (charged on receipt, whatever follows),
the mode, the order itself, its client id, the number of open orders, the money. A request that only wants validation
passes the same checks, is charged nothing (assumption: it does not reach the engine) and leaves no trace. An order for
a pair that does not exist is charged to no counter. The limit on scheduled orders has no published figure and is not
modelled; they count as open orders.

Sources: rest-api/add-order, rest-api/add-order-batch, websocket-v2/batch_add, guides/spot-ratelimits,
guides/spot-clordid.
"""

from __future__ import annotations

from framework.messages import AddBatch, AddOrder
from framework.protocol import NewOrders, OrderType, PostOnlyViolation, RejectReason
from framework.venue.account import Account
from framework.venue.book import Pair
from framework.venue.orders import Order
from framework.venue.parts import Parts
from framework.venue.rates import add_charge, batch_add_charge
from framework.venue.secondaries import secondary_add
from framework.venue.sessions import Line
from framework.venue.validation import mode_refusal, order_refusal, secondary_refusal, support_refusal

__all__ = ["Adds"]

_SETTLE_POSITION = OrderType.SETTLE_POSITION


class Adds:
    """Handles AddOrder and AddBatch."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._add_charge = add_charge(parts.profile.rates)

    def add(self, line: Line, command: AddOrder, now_ns: int) -> RejectReason | None:
        """Take in one order; the reason if it is refused, else it has been answered."""
        parts = self._parts
        pair = parts.pairs.get(command.symbol)
        if pair is None:
            return RejectReason.UNKNOWN_SYMBOL
        refusal = support_refusal(command, line.profile.capabilities)
        if refusal is not None:
            return refusal
        if not command.is_validate_only:
            refusal = parts.charge(line.account, pair, self._add_charge, now_ns)
            if refusal is not None:
                return refusal
        refusal = self.mode_refusal(command, pair) or self.order_refusal(command, pair, now_ns)
        if refusal is not None:
            return refusal
        order = self.admit(line, command, pair, command.request_id, now_ns)
        if not isinstance(order, Order):
            return order
        if command.is_validate_only:
            parts.reporter.accept(line, command.request_id, now_ns, is_told_by_reports=False)
            return None
        entry = parts.entry
        entry.accept(order, now_ns)
        parts.reporter.accept(line, command.request_id, now_ns, (order.order_id,))
        entry.begin(order, now_ns)
        return None

    def add_batch(self, line: Line, command: AddBatch, now_ns: int) -> RejectReason | None:
        """Take in several orders of one pair. One that is malformed refuses them all; one that the engine refuses, for
        its client id, the open orders limit or the money, fails alone.
        """
        parts = self._parts
        capabilities = line.profile.capabilities
        orders = command.orders
        if not capabilities.batch_add_max or (command.is_validate_only and not capabilities.has_validate_only):
            return RejectReason.NOT_SUPPORTED
        if not capabilities.batch_add_min <= len(orders) <= capabilities.batch_add_max:
            return RejectReason.INVALID_ARGUMENTS
        if any(order.symbol != orders[0].symbol for order in orders):
            return RejectReason.INVALID_ARGUMENTS
        pair = parts.pairs.get(orders[0].symbol)
        if pair is None:
            return RejectReason.UNKNOWN_SYMBOL
        if not command.is_validate_only:
            charge = batch_add_charge(parts.profile.rates, len(orders))
            refusal = parts.charge(line.account, pair, charge, now_ns)
            if refusal is not None:
                return refusal
        for order in orders:
            refusal = (
                support_refusal(order, capabilities)
                or self.mode_refusal(order, pair)
                or self.order_refusal(order, pair, now_ns)
            )
            if refusal is not None:
                return refusal
        self._admit_batch(line, command, pair, now_ns)
        return None

    def _admit_batch(self, line: Line, command: AddBatch, pair: Pair, now_ns: int) -> None:
        parts = self._parts
        accepted: list[Order] = []
        errors: list[str | None] = []
        for item in command.orders:
            order = self.admit(line, item, pair, command.request_id, now_ns)
            if isinstance(order, Order):
                errors.append(None)
                if not (command.is_validate_only or item.is_validate_only):
                    parts.entry.accept(order, now_ns)
                    accepted.append(order)
            else:
                errors.append(parts.reporter.text(order))
        is_all_told = bool(accepted) and len(accepted) == len(errors)
        parts.reporter.accept(
            line,
            command.request_id,
            now_ns,
            tuple(order.order_id for order in accepted),
            tuple(errors),
            is_told_by_reports=is_all_told,
        )
        for order in accepted:
            parts.entry.begin(order, now_ns)

    # ------------------------------------------------------------------------------------------------- checks

    def mode_refusal(self, command: AddOrder, pair: Pair) -> RejectReason | None:
        """Whether the venue's and the pair's mode let a new order in."""
        for rule in (self._parts.rule, pair.rule):
            if rule.new_orders is not NewOrders.ALL:
                reduces = command.is_reduce_only or command.order_type is _SETTLE_POSITION
                refusal = mode_refusal(command.order_type, command.is_post_only, reduces, rule)
                if refusal is not None:
                    return refusal
        return None

    def order_refusal(self, command: AddOrder, pair: Pair, now_ns: int) -> RejectReason | None:
        """Whether a new order is well formed; a market order's cost is estimated at the opposite best price."""
        if command.leverage or command.order_type is _SETTLE_POSITION:
            checks = self._parts.entry.margin
            refusal = RejectReason.INVALID_LEVERAGE if checks is None else checks.leverage_refusal(command)
            if refusal is not None:
                return refusal
        best = None
        if command.limit_ticks is None:
            best = self._parts.kernel.best(pair.index, 1 - command.side)
        best_ticks = None if best is None else best[0]
        template = command.secondary
        if template is not None:
            fill_ticks = command.limit_ticks or best_ticks or 1
            refusal = secondary_refusal(secondary_add(template, command.symbol, command.side, 1, fill_ticks))
            if refusal is not None:
                return refusal
        return order_refusal(command, pair, self._parts.profile.limits, best_ticks, now_ns)

    def admit(
        self,
        line: Line,
        command: AddOrder,
        pair: Pair,
        request_id: int,
        now_ns: int,
        replaced: Order | None = None,
    ) -> Order | RejectReason:
        """The engine's checks: the order, prepared and not yet accepted, or why it is refused.

        replaced: an order whose place and money the new one takes over.
        """
        account = line.account
        if command.cl_ord_id and _is_used(account, command.cl_ord_id):
            return RejectReason.DUPLICATE_CL_ORD_ID
        if replaced is None and account.open_counts[pair.index] >= account.tier.open_orders_max:
            return RejectReason.ORDERS_LIMIT
        session = line.session
        assert session is not None, f"line {line.session_id} takes orders without a session"
        parts = self._parts
        order = parts.entry.prepare(command, account, pair, session, request_id, now_ns)
        if order.is_trailing and order.trigger_ticks is None:
            return RejectReason.INVALID_PRICE
        refusal = parts.entry.funds_refusal(order, replaced)
        if refusal is not None:
            return refusal
        if (
            command.is_post_only
            and line.profile.post_only_violation is PostOnlyViolation.REJECT
            and order.is_triggered
            and command.start_ns is None
            and command.limit_ticks is not None
            and parts.matching.would_cross(order, command.limit_ticks)
        ):
            return RejectReason.POST_ONLY
        return order


def _is_used(account: Account, cl_ord_id: str) -> bool:
    """Whether an open order of the account has this client id (guides/spot-clordid)."""
    order = account.order_by_cl_ord_id.get(cl_ord_id)
    return order is not None and order.is_open
