"""The trader's end: the links and the desk as they trade live, with their journal, in one process of one machine.

A process that starts takes over what its journal says of the ones before, as ``framework.live.node`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from framework.protocol import Protocol
from tests.framework.execution.desk_rig import Listener, Notes
from tests.simulation.wire.machine import JournalFile, Machine, TraderClock

if TYPE_CHECKING:
    from tests.simulation.wire.world import World

__all__ = ["COMP_ID", "LABELS", "TraderEnd"]

COMP_ID = "DESK1"
LABELS = {"rest": Protocol.REST, "ws2": Protocol.WS2, "fix": Protocol.FIX}
_PATH = Path("virtual.journal")
_MAGIC = journal_module._MAGIC


class TraderEnd:
    """One process. recovery: what its journal said when it started. adopted: client ids of the orders taken over."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.machine = Machine(world)
        self.clock = TraderClock(world, self.machine, world.wall_skew_ns)
        self._make_links(number)
        self.listener, self.notes = Listener(), Notes()
        self.recovery = Recovery()
        journaled = JournaledDesk(
            self._open_journal(),
            self.notes,
            lambda: self.clock.now_ns,
            lambda name: self.links[name].session_id,
        )
        setting = world.setting
        profile = world.host.profile
        budget = RateBudget(
            profile.rates,
            profile.tier(setting.tier),
            setting.policy.cancel_reserve_points,
            self.listener.road_event,
        )
        listener = journaled.listen(self.listener)
        self.desk = ExecutionDesk(self.links, setting.policy, self.clock, listener, journaled, budget)
        for link in self.links.values():
            link.attach(self.desk.on_report, self.desk.on_session_closed)
        take_over(self.desk, self.recovery, world.note)

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
        self.journal = IntentJournal(file, _PATH, reader.at, Forcing.OFF)
        return self.journal

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
