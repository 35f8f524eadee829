"""What must hold, whatever happens: looked at after every event, and once more when all has come to rest.

Each complaint begins with the name of what does not hold, so that it can be counted.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from framework.execution.events import OrderReachChanged, RoadEvent
from framework.execution.events import SessionOpened as SessionBegun
from framework.execution.link import DeskListener
from framework.execution.orders import Knowledge, OrderRecord, RequestKind
from framework.execution.policy import MASS_SUFFIX
from framework.live.records import Filled
from framework.messages import (
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelBatch,
    CancelOrder,
    Command,
    CommandRejected,
    EditOrder,
    MassCancel,
    QueryOrders,
    Report,
)
from framework.protocol import BUY, POINT, CancelReach
from tests.framework.execution.desk_rig import add_order
from tests.simulation.stage import BID, BTC
from tests.simulation.venue_watch import VenueWatch
from tests.simulation.wire.broken import BrokenError
from tests.simulation.wire.wire_watch import WireWatch
from tests.simulation.wire.world import World

__all__ = ["Watch"]

_CANCELS = (CancelOrder, CancelBatch, CancelAll, MassCancel)


class Watch:
    """Watches one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.account = world.host.venue.accounts["a0"]
        self.venue = VenueWatch(world.host.venue, "a0", world.host.venue.observer)  # type: ignore[arg-type]
        self.fills: dict[str, tuple[str, int, int]] = {}
        self.filled: Counter[str] = Counter()
        self.ended: dict[str, str] = {}
        self.fees = Decimal(0)
        self.has_all_fees = True
        self.counts: Counter[str] = Counter()
        self._epochs: Counter[str] = Counter()
        self._owners: dict[str, tuple[str, int]] = {}
        self._order_ids: dict[str, str] = {}
        self._announced: dict[str, tuple[str, ...]] = {}
        self._cancels_asked: set[str] = set()
        self._changes_sent: set[tuple[str, str]] = set()
        self._ticks: dict[str, set[int | None]] = {}
        self._refused: list[str] = []
        self._sent_over_fix: list[tuple[str, str]] = []
        self._arrived_over_fix = 0
        self._asked_for: dict[str, int] = {}
        self._newest_arrived = 0
        self._watch_engine()
        self._wire = WireWatch(world)
        self._watch_process()
        world.on_start.append(self._begin_anew)
        world.checks.append(self.check)

    def _watch_process(self) -> None:
        self._journal = self.world.end.journal
        self._watch_listener()
        self._watch_journal()
        self._watch_links()
        self._wire.watch_process()

    def _begin_anew(self) -> None:
        """The trader's process has ended and another one has taken over what the journal says."""
        self._count_written()
        self._cancels_asked.clear()
        self._announced.clear()
        for cl_ord_id, record in self.world.desk.open_orders.items():
            if record.cum_lots != self.filled[cl_ord_id]:
                raise BrokenError("nothing that is written down is forgotten", f"{cl_ord_id}: {record.cum_lots} lots")
            self._owners.setdefault(cl_ord_id, (record.owner_link, self._epochs[record.owner_link]))
            self._announced[cl_ord_id] = record.reach
        self._watch_process()

    def _count_written(self) -> None:
        """What the strategy has heard is in the journal, as long as that could be written, and counts as heard."""
        fills = [record for record in self.world.end.records() if isinstance(record, Filled)]
        written = {fill.exec_id: (fill.cl_ord_id, fill.lots, fill.price_ticks) for fill in fills}
        if len(written) != len(fills):
            raise BrokenError("each fill is counted once", "there is one twice in the journal")
        again = self.ended.keys() & self.world.desk.open_orders.keys()
        if self._journal._failure is None and (again or self.fills.keys() - written.keys()):
            raise BrokenError("what is heard is written down", f"{again}, {self.fills.keys() - written.keys()}")
        for cl_ord_id in again:
            del self.ended[cl_ord_id]
        self.fills = written
        self.filled = Counter()
        for fill in fills:
            self.filled[fill.cl_ord_id] += fill.lots
        self.fees = sum((Decimal(fill.fee) for fill in fills), Decimal(0))
        self.has_all_fees = all(fill.fee_asset for fill in fills)

    # ------------------------------------------------------------------------------------------------- the desk says

    def _watch_listener(self) -> None:
        listener = self.world.listener
        heard = getattr(listener, "heard", [])
        names = [name for name in vars(DeskListener) if name.startswith("order_") or name.endswith("_rejected")]
        for name in names:
            tell = getattr(listener, name)
            conclude = getattr(self, f"_on_{name}", None)

            def told(record: Any, *args: Any, name: str = name, tell: Any = tell, conclude: Any = conclude) -> None:
                self.world.note(f"desk: {name} {record.cl_ord_id} {' '.join(map(str, args))}")
                self.counts[name] += 1
                if name == "cancel_rejected":
                    self._cancels_asked.discard(record.cl_ord_id)
                    self._refused.append(record.cl_ord_id)
                if record.cl_ord_id in self.ended and name not in ("cancel_rejected", "amend_rejected"):
                    raise BrokenError("ended orders stay ended", f"{name} of {record.cl_ord_id}: {self.ended}")
                tell(record, *args)
                heard.clear()
                if conclude is not None:
                    conclude(record, *args)

            setattr(listener, name, told)
        road_event = listener.road_event

        def road(event: RoadEvent) -> None:
            self.world.note(f"desk: {event}")
            self.counts[type(event).__name__] += 1
            if isinstance(event, SessionBegun):
                self._epochs[event.link] += 1
            elif isinstance(event, OrderReachChanged):
                before = self._announced.get(event.cl_ord_id)
                if before != event.previous:
                    raise BrokenError("reach is announced", f"{event}, but {before} had been told")
                self._announced[event.cl_ord_id] = event.reach
            road_event(event)
            getattr(listener, "road", []).clear()

        listener.road_event = road  # type: ignore[method-assign]

    def _on_order_submitted(self, record: OrderRecord) -> None:
        self._owners[record.cl_ord_id] = (record.owner_link, self._epochs[record.owner_link])
        self._asked_for[record.cl_ord_id] = len(self._asked_for) + 1
        self._announced[record.cl_ord_id] = record.reach

    def _on_order_denied(self, record: OrderRecord, reason: str) -> None:
        self.ended[record.cl_ord_id] = "denied"

    def _on_order_accepted(self, record: OrderRecord, ts_venue_ns: int) -> None:
        if record.order_id is not None:
            self._order_ids[record.cl_ord_id] = record.order_id
            self._is_own(record)

    def _on_order_updated(self, record: OrderRecord, ts_venue_ns: int) -> None:
        if record.order_id is not None:
            self._is_own(record)
        order = self.account.order_by_id.get(record.order_id or "")
        former_id = self._order_ids.get(record.cl_ord_id)
        # A run that went on after a crash may not know the id again yet.
        if record.order_id is not None and former_id not in (None, record.order_id):
            # An edit has replaced it: it is an order of who edited.
            edits = [name for name, command, _ in self.world.notes.commands if _is_edit_of(command, former_id)]
            self._owners[record.cl_ord_id] = (edits[-1], self._epochs[edits[-1]])
        if record.order_id is not None:
            self._order_ids[record.cl_ord_id] = record.order_id
        ticks = self._ticks.get(record.order_id or "") if order is not None and order.is_open else None
        if ticks and record.limit_ticks is not None and record.limit_ticks not in ticks:
            raise BrokenError(
                "terms are those of the order", f"{record.cl_ord_id}: {record.limit_ticks}, never {ticks}"
            )

    def _name(self, cl_ord_id: str) -> str:
        """An order's id on the wire."""
        return self.world.parts.ids._wire.get(cl_ord_id, cl_ord_id)

    def _is_own(self, record: OrderRecord) -> None:
        order = self.account.order_by_id.get(record.order_id or "")
        if order is None:
            raise BrokenError("orders are taken for what they are", f"{record.order_id} is no order of the account")
        wire = self._name(record.cl_ord_id)
        if not record.has_only_order_id and order.cl_ord_id not in (wire, record.cl_ord_id):
            raise BrokenError(
                "orders are taken for what they are", f"{record.cl_ord_id} is not {order}, but {order.cl_ord_id}"
            )

    def _on_order_rejected(self, record: OrderRecord, reason: str, is_post_only: bool, ts_venue_ns: int) -> None:
        self.ended[record.cl_ord_id] = "rejected"
        wire = self._name(record.cl_ord_id)
        order = self.account.find(None, wire)
        if order is not None:
            raise BrokenError("what is concluded is so", f"{record.cl_ord_id} is rejected, but there is {order}")

    def _on_order_canceled(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        self._has_ended(record, "canceled")

    def _on_order_expired(self, record: OrderRecord, ts_venue_ns: int) -> None:
        self._has_ended(record, "expired")

    def _has_ended(self, record: OrderRecord, word: str) -> None:
        self.ended[record.cl_ord_id] = word
        order = self.account.order_by_id.get(record.order_id or "")
        if order is not None and order.is_open:
            raise BrokenError("what is concluded is so", f"{record.cl_ord_id} is {word}, but {order} is open")

    def _on_order_filled(
        self,
        record: OrderRecord,
        exec_id: str,
        last_lots: int,
        last_ticks: int,
        is_maker: bool,
        fee: Decimal,
        fee_asset: str,
        ts_venue_ns: int,
    ) -> None:
        if exec_id in self.fills:
            raise BrokenError("each fill is counted once", f"{exec_id} again, now for {record.cl_ord_id}")
        self.fills[exec_id] = (record.cl_ord_id, last_lots, last_ticks)
        self.filled[record.cl_ord_id] += last_lots
        self.fees += fee
        self.has_all_fees &= bool(fee_asset)
        if self.filled[record.cl_ord_id] != record.cum_lots:
            raise BrokenError("each fill is counted once", f"{record.cl_ord_id}: {record.cum_lots} lots")
        if record.cum_lots > record.qty_lots:
            raise BrokenError("filled is never above ordered", f"{record.cl_ord_id}: {record.cum_lots} lots")
        if record.knowledge is Knowledge.CLOSED:
            self.ended[record.cl_ord_id] = "filled"

    # ------------------------------------------------------------------------------------------------- the desk sends

    def _watch_journal(self) -> None:
        notes, sent = self.world.notes, self.world.notes.sent

        def watched(link: str, command: Command, ts_sent_ns: int) -> None:
            self.world.note(f"desk: sends {type(command).__name__} {command.request_id} by {link}")
            self.counts[type(command).__name__] += 1
            if not self.world.links[link].is_up:
                raise BrokenError("nothing is sent on a link that is down", f"{command} on {link}")
            sent(link, command, ts_sent_ns)

            if isinstance(command, CancelOrder | AmendOrder | EditOrder):
                (record,) = self.world.desk.in_flight[command.request_id].records
                self._changes_sent.add((type(command).__name__, record.cl_ord_id))

        notes.sent = watched  # type: ignore[method-assign]

    def _watch_links(self) -> None:
        """A command that a link takes is on the wire when the call is over, waits for a connection, or is refused."""
        for name, link in self.world.links.items():
            send, refuse_later = link.send, link._refuse_later
            moved: list[object] = []

            def refused(
                command: Command, error: Exception, refuse_later: Any = refuse_later, moved: Any = moved
            ) -> None:
                moved.append(error)
                refuse_later(command, error)

            def watched(command: Command, name: str = name, send: Any = send, moved: Any = moved) -> None:
                moved.clear()
                written = self._wire.written[name]
                try:
                    send(command)
                finally:
                    if name == "fix" and not moved:
                        self._sent_over_fix.append(_key(command, self._name))
                waits = self.world.pool._waiting or self.world.pool._urgent
                is_written = self._wire.written[name] != written
                if not (moved or is_written or (name == "rest" and (waits or self.world.disk.is_full))):
                    raise BrokenError("no command is dropped", f"{name} has not written {command}")

            link.send, link._refuse_later = watched, refused
            hear = link._on_report
            link.attach(lambda name, report, hear=hear: self._on_report(name, report, hear), link._on_closed)

    def _on_report(self, name: str, report: Report, hear: Callable[[str, Report], None]) -> None:
        """That a cancel of an order that lives was refused is told."""
        desk = self.world.desk
        flight = None
        if isinstance(report, CommandRejected):
            flight = desk.in_flight.get(report.request_id)
        is_cancel = flight is not None and flight.kind is RequestKind.CANCEL
        live = [record.cl_ord_id for record in flight.records if record.is_live] if flight and is_cancel else []
        self._refused.clear()
        hear(name, report)
        if set(live) - set(self._refused):
            raise BrokenError("each cancel has an end", f"{report} for {live}")

    def _watch_engine(self) -> None:
        """A sticky path does not reorder: what FIX has sent reaches the engine in that order."""
        venue = self.world.host.venue
        handle = venue.handle

        def watched(line_id: str, command: Command, now_ns: int) -> None:
            self.world.note(f"venue: {line_id} {type(command).__name__}")
            if line_id.startswith("fix") and isinstance(command, AddOrder):
                key = ("AddOrder", command.cl_ord_id)
                rest = self._sent_over_fix[self._arrived_over_fix :]
                if key not in rest:
                    raise BrokenError("a sticky path never reorders", f"{command} was overtaken, or never sent")
                self._arrived_over_fix += rest.index(key) + 1
            if line_id.startswith("ws2") and isinstance(command, AddOrder):
                self._note_order(command)
            if isinstance(command, CancelOrder | AmendOrder | EditOrder):
                self._is_asked(command)
            orders = self.account.order_by_id
            touched, count = list(self.account.open_orders.values()), len(orders)
            handle(line_id, command, now_ns)
            touched += itertools.islice(reversed(orders.values()), len(orders) - count)
            for order in touched:
                self._ticks.setdefault(order.order_id, set()).add(order.limit_ticks)
            if isinstance(command, AddOrder) and self.account.find(None, command.cl_ord_id) is not None:
                cl_ord_id = self.world.parts.ids.on_desk(command.cl_ord_id)
                if self.ended.get(cl_ord_id) == "rejected":
                    raise BrokenError(
                        "what is concluded is so", f"{cl_ord_id} was told to be rejected, and is made now"
                    )

        venue.handle = watched  # type: ignore[method-assign]

    def _note_order(self, command: AddOrder) -> None:
        """Where one that was sent later has arrived before, it was overtaken."""
        number = self._asked_for.get(self.world.parts.ids.on_desk(command.cl_ord_id), 0)
        if 0 < number < self._newest_arrived:
            self.world.count("order overtaken")
        self._newest_arrived = max(self._newest_arrived, number)

    def _is_asked(self, command: CancelOrder | AmendOrder | EditOrder) -> None:
        """A change that reaches the engine is one that the desk has sent for that order."""
        name = getattr(command, "cl_ord_id", None)
        order = self.account.find(command.order_id, name)
        if order is None:
            return
        record = self.world.desk._ledger.find(self.world.parts.ids.on_desk(order.cl_ord_id), order.order_id)
        if record is not None and (type(command).__name__, record.cl_ord_id) not in self._changes_sent:
            raise BrokenError("changes arrive as they were sent", f"{command} for {record.cl_ord_id}")

    # ------------------------------------------------------------------------------------------------- reach

    def _reach(self, cl_ord_id: str) -> tuple[str, ...]:
        """Which links can cancel an order now, by what has happened and no table of the desk's."""
        owner_link, epoch = self._owners[cl_ord_id]
        reach = []
        for name, link in self.world.links.items():
            by_session = link.profile.single_cancel_reach is CancelReach.SESSION
            if link.is_up and (not by_session or (owner_link == name and epoch == self._epochs[name])):
                reach.append(name)
        return tuple(reach)

    def cancel(self, record: OrderRecord, via: str | None) -> None:
        """Have the desk cancel an order: if a road of its route reaches the order, a cancel is sent by it."""
        desk, notes = self.world.desk, self.world.notes
        if not record.is_live:
            desk.cancel(record.cl_ord_id, via)
            return
        reach = self._reach(record.cl_ord_id)
        count = len(notes.commands)
        self._cancels_asked.add(record.cl_ord_id)
        desk.cancel(record.cl_ord_id, via)
        sent = [(name, command) for name, command, _ in notes.commands[count:] if isinstance(command, _CANCELS)]
        if via is not None:
            return
        reaching = [
            step.removesuffix(MASS_SUFFIX)
            for step in desk.policy.cancel
            if step in reach or (step.endswith(MASS_SUFFIX) and self.world.links[step.removesuffix(MASS_SUFFIX)].is_up)
        ]
        if reaching and [name for name, _ in sent] != reaching[:1]:
            raise BrokenError("a cancel that reaches is sent", f"{record.cl_ord_id} by {reaching}, was: {sent}")
        for _, command in sent:
            if isinstance(command, CancelOrder) and record.cl_ord_id != command.cl_ord_id:
                if command.order_id is None or command.order_id != record.order_id:
                    raise BrokenError("a cancel that reaches is sent", f"{command} for {record.cl_ord_id}")

    def check(self) -> None:
        """After each event."""
        if not self.world.machine.is_alive:
            return
        announced = self._announced
        reaches: dict[tuple[str, int], tuple[str, ...]] = {}  # of the orders of one owner: the same
        for cl_ord_id, record in self.world.desk.open_orders.items():
            owner = self._owners[cl_ord_id]
            reach = reaches.get(owner)
            if reach is None:
                reach = reaches[owner] = self._reach(cl_ord_id)
            if announced[cl_ord_id] != reach:
                raise BrokenError("reach is announced", f"{cl_ord_id}: {reach}, told: {announced[cl_ord_id]}")
            if record.cum_lots > record.qty_lots:
                raise BrokenError("filled is never above ordered", f"{cl_ord_id}: {record.cum_lots} lots")

    # ------------------------------------------------------------------------------------------------- at rest

    def check_rest(self) -> None:
        """Faults are over and time has passed: the desk knows what the venue knows."""
        self.venue.check_all()
        desk, account = self.world.desk, self.account
        down = [name for name, link in self.world.links.items() if not link.is_up]
        if down:
            raise BrokenError("links come back", f"{', '.join(down)} is down")
        unknown = [flight.command for flight in desk.in_flight.values() if not isinstance(flight.command, QueryOrders)]
        if unknown:
            raise BrokenError("nothing stays unknown", f"{unknown}")
        open_ids = set()
        for order in account.open_orders.values():
            record = desk._ledger.find(order.cl_ord_id, order.order_id) or desk._ledger.find(
                self.world.parts.ids.on_desk(order.cl_ord_id), order.order_id
            )
            if record is None or not record.is_live:
                raise BrokenError("open orders agree", f"the venue has {order}, the desk {record and record.knowledge}")
            open_ids.add(record.cl_ord_id)
            terms = (record.limit_ticks, record.qty_lots - record.prior_lots, record.cum_lots - record.prior_lots)
            if terms != (order.limit_ticks, order.qty_lots, order.cum_lots):
                raise BrokenError("open orders agree", f"{order}, the desk: {terms}")
        for record in desk.orders.values():
            if record.is_open != (record.cl_ord_id in open_ids):
                raise BrokenError("open orders agree", f"{record.cl_ord_id} is {record.knowledge.name} for the desk")
            if record.knowledge in (Knowledge.SENT, Knowledge.UNKNOWN):
                raise BrokenError("nothing stays unknown", record.cl_ord_id)
        unheard = self._cancels_asked - self.ended.keys()
        if unheard:
            raise BrokenError("each cancel has an end", ", ".join(sorted(unheard)))
        self._check_fills()
        if self.has_all_fees and self.fees != sum((trade.fee or Decimal(0) for trade in account.trades), Decimal(0)):
            raise BrokenError("balances agree", f"fees of {self.fees}")

    def check_trading(self) -> None:
        """The desk trades again: all that is open can be canceled, and each link takes an order and its cancel."""
        desk, world = self.world.desk, self.world
        refused = -1
        for _ in range(20):  # as below
            if (
                refused != self.counts["cancel_rejected"]
            ):  # for the first time, or since an ended token took the one before
                refused = self.counts["cancel_rejected"]
                desk.cancel_all()
            world.run(30)
            if not self.account.open_orders and not desk.open_orders:
                break
        if self.account.open_orders or desk.open_orders:
            left = [*self.account.open_orders.values(), *desk.open_orders]
            raise BrokenError("the desk trades again", f"not canceled: {left}")
        for name in world.links:
            for number in range(3):
                self._await_budget()
                order = add_order(f"{name}-{number}", BTC, BID - 60, is_post_only=True)
                record = desk.submit(order, via=name)
                world.run(20)
                if record.knowledge is Knowledge.OPEN:
                    break
            else:
                raise BrokenError("the desk trades again", f"no order by {name}: {self.ended[record.cl_ord_id]}")
            for _ in range(80):  # a poll may have to wait for room in the limit of calls
                if record.is_live and record.cl_ord_id not in self._cancels_asked:
                    self.cancel(record, name)  # for the first time, or since a dead connection took the one before
                if record.is_open:
                    world.run(15)
            if record.is_open:
                raise BrokenError("the desk trades again", f"{name} has not canceled {record.cl_ord_id}")

    def _await_budget(self) -> None:
        """Cancels that the desk sent and the venue never had are on the desk's counter too; that falls with time."""
        desk, world = self.world.desk, self.world
        reserve = desk.policy.cancel_reserve_points * POINT
        for _ in range(60):
            used = desk.budget.used_share("BTC/USD", world.clock.now_ns) * desk.budget.tier.threshold
            if used + reserve + POINT <= desk.budget.tier.threshold:
                break
            world.run(10)

    def _check_fills(self) -> None:
        trades = {trade.exec_id: trade for trade in self.account.trades}
        if trades.keys() != self.fills.keys():
            raise BrokenError("fills agree", f"{trades.keys() ^ self.fills.keys()}")
        base_lots = quote = 0
        for exec_id, (_, lots, ticks) in self.fills.items():
            trade = trades[exec_id]
            if (trade.last_lots, trade.last_ticks) != (lots, ticks):
                raise BrokenError("fills agree", f"{trade}: {lots} lots at {ticks}")
            sign = 1 if trade.side == BUY else -1
            base_lots += sign * lots
            quote -= sign * lots * ticks
        venue = self.world.host.venue
        pair = venue.pairs["BTC/USD"]
        gained = [total - brought for total, brought in zip(self.account.totals, self.account.brought, strict=True)]
        fees = sum((trade.fee or Decimal(0) for trade in trades.values()), Decimal(0))
        if gained[pair.base] != base_lots * pair.lot_units or gained[pair.quote] != (
            quote * pair.cost_units - venue.assets.units(pair.quote, fees)
        ):
            raise BrokenError("balances agree", f"{gained}, the desk: {base_lots} lots")


def _key(command: Command, on_wire: Any) -> tuple[str, str]:
    if isinstance(command, AddOrder):
        return ("AddOrder", on_wire(command.cl_ord_id))
    return (type(command).__name__, "")


def _is_edit_of(command: Command, order_id: str | None) -> bool:
    return isinstance(command, EditOrder) and command.order_id == order_id
