"""Bringing an account to where nothing is open, and proving it.

Orders are canceled by every road that reaches, again and again, until the desk knows of none and nothing that could
make one is on its way. Then the venue is asked, and only an answer to a question that was put after that proves it: no
answer, and an order without news of its end, prove nothing. New orders are denied from the first cancel on.

Cancels go in batches where a road has them: few requests, which a venue may let in over the rate limit, too. Single
ones keep to the pace at which the counter falls; what it has no room for would only be refused.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec

from framework.execution.desk import ExecutionDesk
from framework.execution.link import Clock
from framework.execution.orders import OrderRecord, RequestKind
from framework.execution.reach import cancels_account
from framework.messages import OrdersSnapshot, OrderState

__all__ = ["Proof", "Scope", "Standstill"]

_MS = 1_000_000
# How often it is looked whether nothing is left, and the time between two questions to the venue.
_LOOK_MS = 20
_ASK_MS = 250
# Every so many rounds orders are canceled one by one, should one of a batch be why all of it is refused.
_SINGLES_EVERY = 3
_MAKERS = (RequestKind.ADD, RequestKind.AMEND, RequestKind.EDIT)
_ENDERS = (RequestKind.CANCEL, RequestKind.MASS_CANCEL)


class Scope(enum.StrEnum):
    """Whose orders: the desk's own, or all of the account."""

    OWN = "own"
    ACCOUNT = "account"


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The venue has said that nothing is open. ts_venue_ns: its time. round_count: rounds of cancels that it took."""

    ts_venue_ns: int
    round_count: int


class Standstill:
    """One way to there; ``begin`` sets out, and nobody needs to push it.

    scope: whose orders are canceled, and must not be open. again_ms: time between two rounds of cancels.
    on_proved: called once with the proof. proof: None until there is one. strangers: ids of orders that are not the
    desk's and were open when the venue was asked last.
    """

    def __init__(
        self,
        desk: ExecutionDesk,
        clock: Clock,
        scope: Scope,
        on_proved: Callable[[Proof], None],
        again_ms: int = 1_000,
    ) -> None:
        self.proof: Proof | None = None
        self.strangers: tuple[str, ...] = ()
        self.round_count = 0
        self._desk = desk
        self._clock = clock
        self._scope = scope
        self._on_proved = on_proved
        self._again_ns = again_ms * _MS
        self._is_running = False
        self._single_count = 0
        self._ts_round_ns = 0
        self._ts_asked_ns = 0
        # Questions with a greater number were put when nothing was left; None while something is.
        self._quiet_request_id: int | None = None

    def begin(self, reason: str) -> None:
        """Set out. reason: what new orders are denied with."""
        self._desk.halt(reason)
        self._desk.listen_snapshots(self._on_snapshot)
        self._is_running = True
        self._cancel()
        self._look()

    def stop(self) -> None:
        """Give up; new orders stay denied."""
        if self._is_running:
            self._is_running = False
            self._desk.unlisten_snapshots(self._on_snapshot)

    def left(self) -> list[str]:
        """What is in the way of a proof, in words."""
        desk = self._desk
        words = [
            f"order {record.cl_ord_id} ({record.symbol}, {_state(record)})" for record in desk.open_orders.values()
        ]
        words += [f"order {order_id}, which is not this desk's" for order_id in self.strangers]
        if not words and self._quiet_request_id is None:
            words.append("a request without an answer, which may make an order")
        if not words:
            words.append("no answer of the venue to the question for open orders")
        return words

    # ------------------------------------------------------------------------------------------------- within

    def _cancel(self) -> None:
        """One round. The first is by the venue's own cancel of everything where that is wanted and a link has it, else
        by the route of cancels; what is still there after a while is canceled by each road that reaches it.
        """
        self.round_count += 1
        self._ts_round_ns = self._clock.now_ns
        desk = self._desk
        on_their_way = {
            record.cl_ord_id
            for flight in desk.in_flight.values()
            if flight.kind in _ENDERS and not flight.is_unknown
            for record in flight.records
        }
        is_mass_sent = False
        if self._scope is Scope.ACCOUNT:
            for name, link in desk.links.items():
                if link.is_up and cancels_account(link):
                    desk.cancel_all(via=name)
                    is_mass_sent = True
        by_road: dict[str | None, list[OrderRecord]] = {}
        for record in desk.open_orders.values():
            if self.round_count > 1 and record.reach:
                for name in record.reach:
                    by_road.setdefault(name, []).append(record)
            elif not is_mass_sent and record.cl_ord_id not in on_their_way:
                by_road.setdefault(None, []).append(record)
        for road, records in by_road.items():
            self._cancel_by(road, records)

    def _cancel_by(self, road: str | None, records: list[OrderRecord]) -> None:
        """Cancel orders by a road, or (None) by the route of cancels."""
        desk = self._desk
        is_batch = self.round_count % _SINGLES_EVERY and desk.has_batch_cancels(road)
        if is_batch and len(records) > 1:
            desk.cancel_batch([record.cl_ord_id for record in records], via=road)
            return
        budget, now_ns = desk.budget, self._clock.now_ns
        first = self._single_count % len(records)  # they take turns
        for number, record in enumerate([*records[first:], *records[:first]]):
            if number == 0 or budget.has_room_to_cancel(record.symbol, record.age_ns(now_ns), now_ns):
                desk.cancel(record.cl_ord_id, via=road)
                self._single_count += 1

    def _look(self) -> None:
        if not self._is_running:
            return
        desk, now_ns = self._desk, self._clock.now_ns
        is_quiet = not desk.open_orders and not any(flight.kind in _MAKERS for flight in desk.in_flight.values())
        if not is_quiet:
            self._quiet_request_id = None
        elif self._quiet_request_id is None:
            self._quiet_request_id = desk.last_request_id
        if now_ns - self._ts_round_ns >= self._again_ns and (self.strangers or not is_quiet):
            self._cancel()
        if is_quiet and now_ns - self._ts_asked_ns >= _ASK_MS * _MS:
            self._ts_asked_ns = now_ns
            desk.query()  # which does nothing while an answer is awaited
        self._clock.call_at(now_ns + _LOOK_MS * _MS, self._look)

    def _on_snapshot(self, report: OrdersSnapshot) -> None:
        if not self._is_running or report.request_id is None:
            return
        is_own_only = self._scope is Scope.OWN
        self.strangers = tuple(
            status.order_id
            for status in report.orders
            if status.state <= OrderState.PARTIALLY_FILLED and not is_own_only and not self._desk.knows(status)
        )
        quiet_id = self._quiet_request_id
        is_own_open = any(
            status.state <= OrderState.PARTIALLY_FILLED and self._desk.knows(status) for status in report.orders
        )
        if quiet_id is None or report.request_id <= quiet_id or is_own_open or self.strangers:
            return
        self.stop()
        self.proof = Proof(ts_venue_ns=report.ts_venue_ns, round_count=self.round_count)
        self._on_proved(self.proof)


def _state(record: OrderRecord) -> str:
    return "end known, fills missing" if record.ended is not None else record.knowledge.name.lower()
