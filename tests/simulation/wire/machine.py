"""The machine of the trader: one process that does one thing at a time, its clock, and the disk that outlives it.

Whatever the process does waits for its disk, and while it waits nothing else of it happens and its clock goes on. It
can end anywhere between two effects on the world: before, within or after a write to the disk, before or after a write
to a socket. Then what it knew is gone, and what it had written stays.
"""

from __future__ import annotations

import contextlib
import errno
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from adapters.fix.errors import StoreError
from adapters.fix.store import MemoryStore
from adapters.kraken.client.client_ids import ClientIds
from adapters.kraken.client.fix_days import FixDays
from adapters.kraken.client.nonces import NonceSource, fix_nonces, rest_nonces
from adapters.kraken.profile import PROFILE
from framework.protocol import Protocol

if TYPE_CHECKING:
    from tests.simulation.wire.world import World

__all__ = ["CRASH_POINTS", "CrashError", "Disk", "Machine", "TraderClock"]

CRASH_POINTS = ("before a write", "within a write", "after a write", "before a send", "after a send")


class CrashError(BaseException):
    """The process ends here."""


class Machine:
    """One process. is_alive: it has not ended. busy_until_ns: it waits for its disk so long, by the venue's time."""

    def __init__(self, world: World) -> None:
        self.is_alive = True
        self.busy_until_ns = 0
        self._world = world
        self._waiting: deque[Callable[[], None]] = deque()

    @property
    def now_ns(self) -> int:
        """The present of the process, by the venue's clock."""
        return max(self._world.host.now_ns, self.busy_until_ns)

    def enter(self, callback: Callable[[], None]) -> None:
        """Have the process do something now, or as soon as it has done what came before."""
        if not self.is_alive:
            return
        if self._waiting or self._is_busy:
            self._waiting.append(callback)
            if len(self._waiting) == 1:
                self._world.later(self.busy_until_ns, self._go_on)
        else:
            self._do(callback)

    def wait(self, wait_ns: int) -> None:
        """What is being done takes so much longer."""
        self.busy_until_ns = self.now_ns + wait_ns

    def end(self) -> None:
        """The process is gone."""
        self.is_alive = False
        self._waiting.clear()

    @property
    def _is_busy(self) -> bool:
        return self._world.host.now_ns < self.busy_until_ns

    def _go_on(self) -> None:
        while self._waiting and not self._is_busy:
            self._do(self._waiting.popleft())
        if self._waiting:
            self._world.later(self.busy_until_ns, self._go_on)

    def _do(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except CrashError as crash:
            self._world.crash(str(crash))


class TraderClock:
    """The clock of one process: tied to the time of day once, as it starts; timers go by the time that passes."""

    def __init__(self, world: World, machine: Machine, skew_ns: int) -> None:
        self._world = world
        self._machine = machine
        self.skew_ns = skew_ns

    @property
    def now_ns(self) -> int:
        return self._machine.now_ns + self.skew_ns

    def call_at(self, ts_ns: int, callback: Callable[[], None]) -> None:
        self._world.later(ts_ns - self.skew_ns, lambda: self._machine.enter(callback))


class Disk:
    """What is kept: the journal, the numbers of keys and sessions, the names of orders. It can be slow, and full.

    plan: where the process is to end, and after how many such points; None for nowhere. slow_ns: a write takes so long.
    """

    def __init__(self, world: World, *, is_time_based: bool) -> None:
        self.journal = bytearray()
        self.is_full = False
        self.slow_ns = 0
        self.plan: tuple[str, int] | None = None
        self._world = world
        profile = PROFILE.protocols[Protocol.FIX]
        assert profile.rollover_utc_s is not None
        self.store = _Store(self)
        self.days = _Days(self, profile.rollover_utc_s, profile.rollover_ns)
        self.ids = _Ids(self, is_time_based=is_time_based, chance=world.chance("ids"))
        self.rest_nonces, self.fix_nonces = (
            _Nonces(self, lambda: world.clock.now_ns, make(None, lambda: 0)) for make in (rest_nonces, fix_nonces)
        )

    def reach(self, point: str) -> None:
        """The process is at a point at which it can end; it does if that is planned."""
        if self.plan is not None and self.plan[0] == point:
            left = self.plan[1] - 1
            self.plan = (point, left)
            if left <= 0:
                self.plan = None
                raise CrashError(point)

    def take(self) -> None:
        """Something is to be written. Raises OSError where there is no room."""
        self.reach("before a write")
        if self.slow_ns:
            self._world.count("write to a slow disk")
            self._world.machine.wait(self.slow_ns)
        if self.is_full:
            self._world.count("write to a full disk")
            raise OSError(errno.ENOSPC, "No space left on device")


class JournalFile:
    """The journal as a file, ``framework.frame_file.JournalFile``."""

    def __init__(self, disk: Disk, chance_part: Callable[[int], int]) -> None:
        self._disk = disk
        self._part = chance_part
        self._at = 0

    def write(self, data: bytes, /) -> int | None:
        disk = self._disk
        try:
            disk.take()
        except OSError:
            part = self._part(len(data))
            if not part:
                raise
            disk.journal += data[:part]
            return part
        try:
            disk.reach("within a write")
        except CrashError:
            disk.journal += data[: self._part(len(data))]
            raise
        disk.journal += data
        disk.reach("after a write")
        return len(data)

    def read(self, size: int, /) -> bytes | None:
        data = bytes(self._disk.journal[self._at : self._at + size])
        self._at += len(data)
        return data

    def seek(self, offset: int, /) -> int:
        self._at = offset
        return offset

    def truncate(self, size: int, /) -> int:
        del self._disk.journal[size:]
        return size

    def fileno(self) -> int:
        raise NotImplementedError("nothing is forced to this disk")

    def close(self) -> None:
        """Nothing to let go of."""


class _Store(MemoryStore):
    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self._disk = disk

    def append(self, seq_num: int, message: bytes) -> None:
        try:
            self._disk.take()
        except OSError as error:
            raise StoreError(f"the store cannot be written: {error.strerror}") from None
        super().append(seq_num, message)


class _Days(FixDays):
    def __init__(self, disk: Disk, rollover_utc_s: int, rollover_ns: int) -> None:
        super().__init__(None, rollover_utc_s, rollover_ns)
        self._disk = disk

    def begin(self, now_ns: int) -> int:
        self._disk.take()
        return super().begin(now_ns)


class _Ids(ClientIds):
    def __init__(self, disk: Disk, *, is_time_based: bool, chance: object) -> None:
        super().__init__(None, is_time_based=is_time_based, draw=chance)  # type: ignore[arg-type]
        self._disk = disk

    def _keep(self, cl_ord_id: str, wire: str) -> None:
        self._disk.take()
        super()._keep(cl_ord_id, wire)


class _Nonces(NonceSource):
    """Numbers that are written ahead, as those of a file."""

    def __init__(self, disk: Disk, clock: Callable[[], int], like: NonceSource) -> None:
        super().__init__(None, clock, unit_ns=like._unit_ns, ahead=like._ahead)
        self._disk = disk
        self._taken = 0

    def next(self) -> int:
        nonce = super().next()
        if nonce >= self._taken:
            with contextlib.suppress(OSError):
                self._disk.take()
                self._taken = nonce + self._ahead
        return nonce
