"""The answer to "what of my orders?", and the snapshot that a news subscription starts with.

A poll is several calls at the venue, each charged to the call counter: one for what is open, and more only if something
ended or was filled since the poll before (``ProtocolProfile.poll_calls``, ``poll_calls_on_change``). If one of them is
refused, the whole poll is: a half answer would look like a whole one. Calls made before the refused one stay charged.
Asked for part by part, each part is charged when it arrives.

Sources: rest-api/get-open-orders, get-orders-info, get-trade-history; guides/spot-rest-ratelimits.
"""

from __future__ import annotations

from framework.messages import OrdersSnapshot, OrderStatus, PollPart, QueryOrders
from framework.protocol import CallCosts, ProtocolProfile, RejectReason
from framework.venue.account import Account
from framework.venue.orders import Order
from framework.venue.parts import Parts
from framework.venue.rates import call_charge
from framework.venue.reports import order_status
from framework.venue.sessions import Line

__all__ = ["Queries"]


class Queries:
    """Handles QueryOrders."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def query(self, line: Line, command: QueryOrders, now_ns: int) -> RejectReason | None:
        """Answer with the open orders, what ended and was filled since a time (that time included), and the ended ones
        of those asked for by their ids, with their trades.
        """
        if not line.profile.capabilities.has_order_query:
            return RejectReason.NOT_SUPPORTED
        account = line.account
        ended = account.ended_since(command.since_ns)
        trades = account.trades_since(command.since_ns)
        named = _ended_before(account, command)
        if named:
            ended = [*named.values(), *ended]
            trades = [*(trade for trade in account.trades if trade.order_id in named), *trades]
        costs = line.profile.call_costs
        if costs is not None:
            for call in _calls(line.profile, command.part, has_changes=bool(ended or trades)):
                if not self.charge_call(account, line, costs, call, now_ns):
                    return RejectReason.CALL_LIMIT
        is_present = command.part in (PollPart.WHOLE, PollPart.OPEN)
        shown = [*(account.open_orders.values() if is_present else ()), *ended]
        orders = tuple(self._status(order) for order in shown) if command.part is not PollPart.TRADES else ()
        report = OrdersSnapshot(ts_venue_ns=now_ns, request_id=command.request_id, orders=orders, trades=tuple(trades))
        self._parts.reporter.send(line, report, True)
        return None

    def charge_call(self, account: Account, line: Line, costs: CallCosts, call: str, now_ns: int) -> bool:
        """Charge one call to the key's call counter; False if it is refused."""
        return account.call_counters[line.profile.label].admit(now_ns, call_charge(costs, call))

    def snapshot(self, line: Line, now_ns: int) -> None:
        """Send the open orders of the account, as a news subscription starts with them."""
        orders = tuple(self._status(order) for order in line.account.open_orders.values())
        self._parts.reporter.send(line, OrdersSnapshot(ts_venue_ns=now_ns, request_id=None, orders=orders), False)

    def _status(self, order: Order) -> OrderStatus:
        reason = order.end_reason
        return order_status(order, None if reason is None else self._parts.reporter.text(reason))


def _ended_before(account: Account, command: QueryOrders) -> dict[str, Order]:
    """The orders that a poll asks for by their ids and that ended before its span."""
    orders = (account.order_by_id.get(order_id) for order_id in command.order_ids)
    return {
        order.order_id: order
        for order in orders
        if order is not None and not order.is_open and order.ended_ns < command.since_ns
    }


def _calls(profile: ProtocolProfile, part: PollPart, *, has_changes: bool) -> tuple[str, ...]:
    """The calls that a part of a poll is."""
    always, on_change = profile.poll_calls, profile.poll_calls_on_change
    match part:
        case PollPart.WHOLE:
            return always + on_change if has_changes else always
        case PollPart.OPEN:
            return always
        case PollPart.ENDED:
            return on_change[:1]
        case PollPart.TRADES:
            return on_change[1:]
