"""The venue watched from inside: money and orders add up after each event, and each command does what it may and costs
what the page says.
"""

from __future__ import annotations

from fractions import Fraction

from framework.messages import (
    AddBatch,
    AddOrder,
    AmendOrder,
    CancelBatch,
    CancelOrder,
    Command,
    EditOrder,
    OrderState,
)
from framework.protocol import POINT, CancelReach, RejectReason
from framework.venue.exchange import Venue
from framework.venue.observer import VenueObserver
from framework.venue.orders import Order
from tests.framework.venue.obvious_rates import AMEND, CANCEL, EDIT, ObviousCounter, aged_points

__all__ = ["VenueWatch"]

# The whole record is read after so many events, and at rest: what does not add up in it stays so. What is open is
# looked at after each.
_WHOLE_EVERY = 10

_NOT_CHARGED = {
    RejectReason.DEADLINE,
    RejectReason.INVALID_DEADLINE,
    RejectReason.NO_SESSION,
    RejectReason.CALL_LIMIT,
    RejectReason.NOT_SUPPORTED,
    RejectReason.UNKNOWN_ORDER,
    RejectReason.ORDER_NOT_OPEN,
}


class VenueWatch:
    """Audits the venue after each of its events, and holds what each command of one account did to the rules of reach
    and rate. The venue has one pair.
    """

    def __init__(self, venue: Venue, account: str, observer: VenueObserver) -> None:
        self.venue = venue
        self.account = venue.accounts[account]
        self.refused: RejectReason | None = None
        tier = self.account.tier
        self.obvious = ObviousCounter(tier.threshold // POINT, Fraction(tier.decay_per_ns * 10**9, POINT))
        self.events = 0
        self.ended: dict[str, OrderState] = {}
        self._wrap(observer)

    def _wrap(self, observer: VenueObserver) -> None:
        venue = self.venue
        handle, on_kernel_stop, on_timer, on_refused = (
            venue.handle,
            venue.on_kernel_stop,
            venue.on_timer,
            observer.on_refused,
        )

        def watched_handle(line_id: str, command: Command, now_ns: int) -> None:
            self.refused = None
            before = self._before(line_id, command)
            handle(line_id, command, now_ns)
            self._audit()
            if before is not None:
                self._after(line_id, command, now_ns, before)

        def watched_stop(now_ns: int) -> None:
            on_kernel_stop(now_ns)
            self._audit()

        def watched_timer(now_ns: int) -> None:
            on_timer(now_ns)
            self._audit()

        def watched_refused(session_id: str, command: Command, now_ns: int, reason: RejectReason) -> None:
            self.refused = reason
            on_refused(session_id, command, now_ns, reason)

        venue.handle, venue.on_kernel_stop, venue.on_timer = (  # type: ignore[method-assign]
            watched_handle,
            watched_stop,
            watched_timer,
        )
        observer.on_refused = watched_refused  # type: ignore[method-assign]

    def check_all(self) -> None:
        """All that the venue has on record adds up, and what has ended stays ended."""
        self.venue.check_invariants()
        for order_id, state in self.ended.items():
            assert self.account.order_by_id[order_id].state is state, f"{order_id} has been revived"

    def _audit(self) -> None:
        self.events += 1
        for order in self.account.ended[len(self.ended) :]:
            self.ended[order.order_id] = order.state
        if self.events % _WHOLE_EVERY:
            self.venue.check_invariants(is_whole=False)
        else:
            self.check_all()

    def _named(self, command: Command) -> list[Order]:
        find = self.account.find
        if isinstance(command, CancelOrder | AmendOrder):
            found = [find(command.order_id, command.cl_ord_id)]
        elif isinstance(command, EditOrder):
            found = [find(command.order_id, None)]
        elif isinstance(command, CancelBatch):
            found = [find(order_id, None) for order_id in command.order_ids]
            found += [find(None, cl_ord_id) for cl_ord_id in command.cl_ord_ids]
        else:
            found = []
        return [order for order in found if order is not None and order.is_open]

    def _before(self, line_id: str, command: Command) -> tuple[list[Order], list[tuple[int, int]]] | None:
        """Open orders, and age and filled quantity of the orders that the command names; None if it will be lost, or is
        of another account.
        """
        line = self.venue._gateway.lines[line_id]
        if line.account is not self.account or (not line.is_up and line.profile.has_session):
            return None
        return list(self.account.open_orders.values()), [(o.aged_ns, o.cum_lots) for o in self._named(command)]

    def _after(
        self, line_id: str, command: Command, now_ns: int, before: tuple[list[Order], list[tuple[int, int]]]
    ) -> None:
        open_before, named = before
        line = self.venue._gateway.lines[line_id]
        if isinstance(command, CancelOrder | AmendOrder | EditOrder):
            gone = [order for order in open_before if not order.is_open]
            reach = line.profile.single_cancel_reach
            if reach is CancelReach.SESSION:
                assert all(order.session is line.session for order in gone), (
                    f"{command} reached another session's order"
                )
            if isinstance(command, CancelOrder):
                assert len(gone) == (0 if self.refused else 1)
        self._charge(command, now_ns, named)
        (counter,) = self.account.counters
        self.obvious.wait_until(Fraction(now_ns, 10**9))
        assert Fraction(counter.value_at(now_ns), POINT) == self.obvious.points, f"counter after {command}"

    def _charge(self, command: Command, now_ns: int, named: list[tuple[int, int]]) -> None:
        """Charge the obvious counter what the page says that the command costs, and hold its refusal to it."""
        if self.refused in _NOT_CHARGED or getattr(command, "is_validate_only", False):
            return
        now_s = Fraction(now_ns, 10**9)
        ages_s = [Fraction(now_ns - aged_ns, 10**9) for aged_ns, _ in named]
        is_done = self.refused is None
        fixed, aged, is_refusable = Fraction(0), 0, True
        if isinstance(command, AddOrder):
            fixed = Fraction(1)
        elif isinstance(command, AddBatch):
            fixed = Fraction(len(command.orders), 2)
        elif isinstance(command, AmendOrder):
            is_end = command.qty_lots is not None and 0 < command.qty_lots <= named[0][1]
            fixed = Fraction(1)
            aged = aged_points(CANCEL if is_end else AMEND, ages_s[0]) if is_done else 0
        elif isinstance(command, EditOrder):
            fixed = Fraction(1)
            aged = aged_points(EDIT, ages_s[0]) if is_done else 0
        elif isinstance(command, CancelOrder):
            if self.refused not in (None, RejectReason.RATE_LIMIT):
                return  # cancels that the mode refuses
            aged = aged_points(CANCEL, ages_s[0])
        elif isinstance(command, CancelBatch):
            is_refusable = False
            aged = sum(aged_points(CANCEL, age_s) for age_s in ages_s) if is_done else 0
        else:
            return
        passed = self.obvious.request(now_s, fixed, aged, can_be_refused=is_refusable)
        assert passed == (self.refused is not RejectReason.RATE_LIMIT), f"{command}: {self.refused}"
