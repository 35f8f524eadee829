"""Cancels: by the first road that reaches, in batches, of all orders, and by the venue's dead man's switch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.errors import ConfigError
from framework.execution.budget import RateBudget
from framework.execution.events import CancelRerouted, RequestRejected
from framework.execution.ledger import Ledger
from framework.execution.link import Clock, Link
from framework.execution.orders import OrderRecord, RequestKind
from framework.execution.reach import CancelRoute, CancelStep, cancels_account, reaches
from framework.execution.requests import Requests
from framework.messages import (
    CancelAll,
    CancelAllAfter,
    CancelBatch,
    CancelOrder,
    Command,
    MassCancel,
    MassCancelScope,
)
from framework.venue.rates import batch_cancel_charge, cancel_all_charge, cancel_charge

__all__ = ["Cancels"]


class Cancels:
    """Sends cancels. What it does is described at the desk, whose commands these are."""

    def __init__(
        self,
        links: Mapping[str, Link],
        route: CancelRoute,
        clock: Clock,
        ledger: Ledger,
        requests: Requests,
        budget: RateBudget,
    ) -> None:
        self._links = links
        self._route = route
        self._clock = clock
        self._ledger = ledger
        self._requests = requests
        self._budget = budget
        self._all_charge = cancel_all_charge(budget.schedule)

    def cancel(self, record: OrderRecord, via: str | None) -> None:
        """Cancel one order."""
        if not record.is_live:
            return
        now_ns = self._clock.now_ns
        step = self._route.step_for(record) if via is None else self._route.step(via)
        if step is None:
            self._ledger.listener.cancel_rejected(record, "no link of the cancel route is up", now_ns)
            return
        link = step.link
        if not link.is_up:
            self._ledger.listener.cancel_rejected(record, f"link '{link.name}' is down", now_ns)
            return
        if via is None and step.name != self._route.steps[0].name:
            self._tell_rerouted(record, step, now_ns)
        if step.is_mass:
            self._send_cancel_all(link, (record,), now_ns)
            return
        charge = cancel_charge(self._budget.schedule, record.age_ns(now_ns))
        self._budget.spend(record.symbol, charge, now_ns)
        request_id = self._requests.next_id()
        command = (
            CancelOrder(request_id=request_id, order_id=record.order_id)
            if record.has_only_order_id
            else CancelOrder(request_id=request_id, cl_ord_id=record.cl_ord_id)
        )
        self._requests.send(RequestKind.CANCEL, link, command, (record,), now_ns)

    def has_batches(self, via: str | None) -> bool:
        """Whether several orders can be canceled in one request."""
        step = self._route.steps[0] if via is None else self._route.step(via)
        return not step.is_mass and step.link.profile.capabilities.batch_cancel_max > 1

    def cancel_batch(self, wanted: Sequence[OrderRecord], via: str | None) -> None:
        """Cancel several orders."""
        step = self._route.steps[0] if via is None else self._route.step(via)
        link = step.link
        records = tuple(record for record in wanted if record.is_live)
        most = 1 if step.is_mass else max(1, link.profile.capabilities.batch_cancel_max)
        if not all(reaches(link, record) for record in records):
            most = 1
        for first in range(0, len(records), most):
            batch = records[first : first + most]
            if len(batch) == 1:
                self.cancel(batch[0], via)
            else:
                self._send_batch(link, batch, self._clock.now_ns)

    def _send_batch(self, link: Link, records: tuple[OrderRecord, ...], now_ns: int) -> None:
        for record in records:
            charge = batch_cancel_charge(self._budget.schedule, (record.age_ns(now_ns),))
            self._budget.spend(record.symbol, charge, now_ns)
        command = CancelBatch(
            request_id=self._requests.next_id(),
            cl_ord_ids=tuple(record.cl_ord_id for record in records if not record.has_only_order_id),
            order_ids=tuple(record.order_id for record in records if record.has_only_order_id and record.order_id),
        )
        self._requests.send(RequestKind.CANCEL, link, command, records, now_ns)

    def cancel_all(self, via: str | None) -> None:
        """Cancel every open order of the account."""
        step = self._route.step_for_all() if via is None else self._route.step(via)
        now_ns = self._clock.now_ns
        records = tuple(record for record in self._ledger.open_orders.values() if record.is_live)
        if step is not None and step.link.is_up and cancels_account(step.link):
            self._send_cancel_all(step.link, records, now_ns)
            return
        name = ", ".join(step.name for step in self._route.steps) if step is None else step.name
        reason = f"'{name}' is down or cannot cancel all orders of the account"
        for record in records:
            self._ledger.listener.cancel_rejected(record, reason, now_ns)
        if not records:
            self._tell_refused("CancelAll", name, reason)

    def cancel_all_after(self, timeout_s: int, via: str | None) -> None:
        """Arm the account's dead man's switch."""
        link = self._switch_link() if via is None else self._route.step(via).link
        if not link.is_up:
            self._tell_refused("CancelAllAfter", link.name, f"link '{link.name}' is down")
            return
        command = CancelAllAfter(request_id=self._requests.next_id(), timeout_s=timeout_s)
        self._requests.send(RequestKind.CANCEL_AFTER, link, command, (), self._clock.now_ns)

    # ------------------------------------------------------------------------------------------------- within

    def _send_cancel_all(self, link: Link, records: tuple[OrderRecord, ...], now_ns: int) -> None:
        """The venue's own request, by either of its two names; other orders of the account go with these."""
        if self._all_charge.cost:
            for symbol in dict.fromkeys(record.symbol for record in self._ledger.open_orders.values()):
                self._budget.spend(symbol, self._all_charge, now_ns)
        request_id = self._requests.next_id()
        command: Command = (
            CancelAll(request_id=request_id)
            if link.profile.capabilities.has_cancel_all
            else MassCancel(request_id=request_id, scope=MassCancelScope.ACCOUNT)
        )
        self._requests.send(RequestKind.MASS_CANCEL, link, command, records, now_ns)

    def _switch_link(self) -> Link:
        """The first link that has a dead man's switch, one that is up if there is."""
        links = [link for link in self._links.values() if link.profile.capabilities.has_cancel_all_after]
        if not links:
            raise ConfigError("no link of this desk has a dead man's switch; add one that does to the road")
        return next((link for link in links if link.is_up), links[0])

    def _tell_rerouted(self, record: OrderRecord, step: CancelStep, now_ns: int) -> None:
        asked = self._route.steps[0]
        why = "does not reach it" if asked.link.is_up else "is down"
        self._ledger.tell(
            CancelRerouted(
                ts_ns=now_ns,
                cl_ord_id=record.cl_ord_id,
                asked=asked.name,
                used=step.name,
                reason=f"'{asked.name}' {why}",
            )
        )

    def _tell_refused(self, command: str, link_name: str, reason: str) -> None:
        self._ledger.tell(RequestRejected(ts_ns=self._clock.now_ns, command=command, link=link_name, reason=reason))
