"""The trader's end: the links and the desk as they trade live, with their journal, in one process of one machine.

A process that starts takes over what its journal says of the ones before, as ``framework.live.node`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.fix_link import FixLink, FixNames
from adapters.kraken.client.http_pool import HttpPool
from adapters.kraken.client.link_base import AccountParts, WireLink
from adapters.kraken.client.order_memory import OrderMemory
from adapters.kraken.client.rest_calls import PrivateCalls, PublicCalls
from adapters.kraken.client.rest_link import RestLink
from adapters.kraken.client.tokens import RestTokens
from adapters.kraken.client.venue_time import VenueTime
from adapters.kraken.client.ws2_link import Ws2Link
from adapters.kraken.profile import PROFILE
from framework.execution.budget import RateBudget
from framework.execution.desk import ExecutionDesk
from framework.frame_file import FrameReader
from framework.live import journal as journal_module
from framework.live.journal import Forcing, IntentJournal, JournaledDesk
from framework.live.records import AnyRecord
from framework.live.recovery import Recovery
from framework.live.taking_over import take_over
from framework.messages import AddOrder
from framework.protocol import Protocol
from tests.framework.execution.desk_rig import Listener, Notes
from tests.simulation.wire.machine import JournalFile, Machine, TraderClock

if TYPE_CHECKING:
    from tests.simulation.wire.world import World

__all__ = ["COMP_ID", "LABELS", "Process", "TraderEnd"]

COMP_ID = "DESK1"
LABELS = {"rest": Protocol.REST, "ws2": Protocol.WS2, "fix": Protocol.FIX}
_PATH = Path("virtual.journal")
_MAGIC = journal_module._MAGIC


class Process:
    """One process. recovery: what its journal said when it started. notes: what its desk sends. clock: its own."""

    clock: TraderClock
    desk: ExecutionDesk
    listener: Any

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.machine = Machine(world)
        self.clock = self._make_clock()
        self._make_links(number)
        self.notes = Notes()
        self.recovery = Recovery()
        self.journal = self._open_journal()

    def begin(self) -> None:
        """Start what trades."""
        raise NotImplementedError

    def remember(self, order: AddOrder, order_id: str | None, cum_lots: int, fees: Decimal) -> None:
        """As ``LiveVenue.remember``."""
        self.parts.memory.adopted(order, order_id, cum_lots, fees)

    def _make_clock(self) -> TraderClock:
        return TraderClock(self.world, self.machine, self.world.wall_skew_ns)

    def records(self) -> Iterator[AnyRecord]:
        """What the journal holds now."""
        return journal_module._records(FrameReader(JournalFile(self.world.disk, len), _PATH), _PATH)

    # ------------------------------------------------------------------------------------------------- the journal

    def _open_journal(self) -> IntentJournal:
        disk = self.world.disk
        file = JournalFile(disk, self.world.draw_part)
        if not disk.journal:
            disk.journal += _MAGIC
        reader = FrameReader(file, _PATH)
        for record in journal_module._records(reader, _PATH):
            self.recovery.read(record)
        if len(disk.journal) > reader.at:
            self.world.count("torn write")
        file.truncate(reader.at)
        return IntentJournal(file, _PATH, reader.at, Forcing.OFF)

    # ------------------------------------------------------------------------------------------------- links

    def _make_links(self, number: int) -> None:
        world, setting, disk = self.world, self.world.setting, self.world.disk
        names = setting.policy.link_names()
        self.parts = AccountParts(
            clock=self.clock,
            instruments=world.instruments,
            memory=OrderMemory(),
            ids=disk.ids,
            time=VenueTime(),
        )
        self.parts.ids.is_needed = self.parts.memory.is_live
        to = {name: world.network.to(service, self.machine) for name, service in world.services.items()}
        seed = world.seed + 1_000 * number
        self.pool = HttpPool(to["rest"], "api.kraken.com", self.clock, count=setting.pool_count, seed=seed)
        self.calls = PrivateCalls(self.pool, world.credentials, disk.rest_nonces)
        reads = PublicCalls(self.pool, self.clock)
        profile = {name: PROFILE.protocols[label] for name, label in LABELS.items()}
        makers: dict[str, Callable[[BackOff], WireLink]] = {
            "rest": lambda pause: RestLink("rest", profile["rest"], self.parts, pause, self.calls, reads),
            "ws2": lambda pause: Ws2Link("ws2", profile["ws2"], self.parts, pause, to["ws2"], RestTokens(self.calls)),
            "fix": lambda pause: FixLink(
                "fix",
                profile["fix"],
                self.parts,
                pause,
                to["fix"],
                world.credentials,
                FixNames(sender_comp_id=COMP_ID, heartbeat_s=setting.heartbeat_s),
                disk.store,
                disk.fix_nonces,
                disk.days,
                is_cancel_on_disconnect=setting.is_cancel_on_disconnect,
            ),
        }
        self.links: dict[str, Any] = {name: makers[name](BackOff(seed)) for name in names}


class TraderEnd(Process):
    """A desk that somebody trades by directly."""

    def __init__(self, world: World, number: int) -> None:
        super().__init__(world, number)
        self.listener = Listener()
        journaled = JournaledDesk(
            self.journal, self.notes, lambda: self.clock.now_ns, lambda name: self.links[name].session_id
        )
        setting, profile = world.setting, world.host.profile
        budget = RateBudget(
            profile.rates, profile.tier(setting.tier), setting.policy.cancel_reserve_points, self.listener.road_event
        )
        listener = journaled.listen(self.listener)
        self.desk = ExecutionDesk(self.links, setting.policy, self.clock, listener, journaled, budget)
        for link in self.links.values():
            link.attach(self.desk.on_report, self.desk.on_session_closed)
        take_over(self.desk, self, self.recovery, world.note)  # type: ignore[arg-type]

    def begin(self) -> None:
        self.desk.start(is_resumed=self.recovery.record_count > 0)
