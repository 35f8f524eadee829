"""A network in virtual time: connections that delay, cut into pieces, stall, drop, and are refused.

Bytes are first in, first out in each direction of a connection, as TCP has it. How long they take, where they are cut
and what is glued together is drawn from a named stream of chance. A line that drops tells each end after a time of its
own, or never (half-open).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from adapters.kraken.client.streams import StreamHandler

__all__ = ["MS", "SECOND", "Connection", "Machine", "Network", "Peer", "Service", "Weather"]

MS = 1_000_000
SECOND = 1_000 * MS
_CONNECT_TIMEOUT_NS = 10 * SECOND
# What is written by one end and due so close together arrives as one piece.
_GRAIN_NS = 200_000

type Later = Callable[[int, Callable[[], None]], None]


class Machine(Protocol):
    """The process at the trader's end: it does one thing at a time."""

    @property
    def now_ns(self) -> int: ...

    def enter(self, callback: Callable[[], None]) -> None: ...


class Peer(Protocol):
    """The venue's end of a connection."""

    def receive(self, data: bytes) -> None: ...

    def closed(self) -> None: ...


class Weather:
    """How messages of one service fare. fastest_ns, slowest_ns: of one way. is_fragmented: streams are cut anywhere.

    is_refused: nobody listens. is_black_hole: attempts to connect are not even refused.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.fastest_ns = chance.choice([100_000, MS, 5 * MS])
        self.slowest_ns = self.fastest_ns * chance.choice([1, 2, 20])
        self.is_fragmented = chance.random() < 0.5
        self.is_refused = False
        self.is_black_hole = False

    def delay_ns(self) -> int:
        """Of the next piece."""
        delay_ns = self.chance.randint(self.fastest_ns, self.slowest_ns)
        return -(-delay_ns // _GRAIN_NS) * _GRAIN_NS


class Pipe:
    """One direction. Entries are pieces of data, or calls that keep their place among them."""

    def __init__(
        self,
        weather: Weather,
        now: Callable[[], int],
        later: Later,
        deliver: Callable[[bytes], None],
        count: Callable[[str], None],
    ) -> None:
        self._count = count
        self.is_dead = False
        self.is_stream = True
        self.stalled_until_ns = 0
        self._weather = weather
        self._now = now
        self._later = later
        self._deliver = deliver
        self._queue: deque[tuple[int, bytes | Callable[[], None]]] = deque()
        self._last_ns = 0

    def put(self, entry: bytes | Callable[[], None]) -> None:
        """Something leaves."""
        if self.is_dead:
            return
        due_ns = self._last_ns = max(self._last_ns, self._now() + self._weather.delay_ns())
        self._queue.append((due_ns, entry))
        self._later(due_ns, self._arrive)

    def cut(self) -> None:
        """What is on its way is lost, and all that follows."""
        self.is_dead = True
        self._queue.clear()

    def _arrive(self) -> None:
        now_ns = self._now()
        if now_ns < self.stalled_until_ns:
            self._count("arrival stalled")
            self._later(self.stalled_until_ns, self._arrive)
            return
        data = bytearray()
        while self._queue and self._queue[0][0] <= now_ns:
            _, entry = self._queue[0]
            if not isinstance(entry, bytes):
                if data:
                    break
                self._queue.popleft()
                entry()
                continue
            if data and not self.is_stream:
                break
            self._queue.popleft()
            data += entry
        piece = bytes(data)
        chance = self._weather.chance
        if self.is_stream and self._weather.is_fragmented and len(piece) > 1 and chance.random() < 0.4:
            size = chance.randrange(1, len(piece))
            piece, rest = piece[:size], piece[size:]
            self._queue.appendleft((now_ns + self._weather.fastest_ns, rest))
            self._last_ns = max(self._last_ns, now_ns + self._weather.fastest_ns)
        if self._queue:
            self._later(max(now_ns + 1, self._queue[0][0]), self._arrive)
        if piece:
            self._deliver(piece)


class Service:
    """Where connections of one kind go.

    accept: makes the venue's end of a connection. is_stream: bytes, else whole messages.
    """

    def __init__(self, name: str, weather: Weather, accept: Callable[[Connection], Peer], *, is_stream: bool) -> None:
        self.name = name
        self.weather = weather
        self.accept = accept
        self.is_stream = is_stream
        self.connections: list[Connection] = []


class Connection:
    """One connection, from the attempt on; the trader's end is a ``Stream``."""

    def __init__(
        self, network: Network, service: Service, handler: StreamHandler, number: int, machine: Machine
    ) -> None:
        self.name = f"{service.name}/{number}"
        self.service = service
        self.machine = machine
        self._network = network
        self._handler = handler
        self._peer: Peer | None = None
        self.is_trader_there = True
        self.is_venue_there = False
        self._is_opened = False
        self.is_half_open = False
        self.is_next_lost = False
        weather = service.weather
        self.up = Pipe(weather, lambda: machine.now_ns, network.later, self._at_venue, network.count)
        self.down = Pipe(weather, network.now, network.later, self._at_trader, network.count)
        self.up.is_stream = self.down.is_stream = service.is_stream
        self.up.put(self._reach_venue)

    # ------------------------------------------------------------------------------------------------- trader's end

    def write(self, data: bytes) -> None:
        self._network.reach("before a send")
        self._network.wrote(self, "up", data)
        if self.is_trader_there:
            self.up.put(data)
        self._network.reach("after a send")

    def close(self) -> None:
        self.is_trader_there = False
        self.down.cut()
        self.up.put(self._tell_venue)

    # ------------------------------------------------------------------------------------------------- venue's end

    def send(self, data: bytes) -> bool:
        """The venue writes."""
        if self.is_next_lost and b'"channel":"executions"' in data:
            self.is_next_lost = False
            self._network.note(f"{self.name} loses a frame")
            self._network.count("frame lost")
            return True
        self._network.wrote(self, "down", data)
        self.down.put(data)
        return True

    def hang_up(self, *_: Any) -> None:
        """The venue closes; what it wrote before arrives before."""
        self.down.put(lambda: self._tell_trader("closed by the venue"))
        self._network.later(self._network.now(), self._tell_venue)

    # ------------------------------------------------------------------------------------------------- faults

    def drop(self, reason: str, trader_after_ns: int | None = 0, venue_after_ns: int | None = 0) -> None:
        """Nothing passes any more; each end sees it after a time, or never."""
        self.up.cut()
        self.down.cut()
        self.is_half_open = trader_after_ns is None or venue_after_ns is None
        if self.is_trader_there and self.is_venue_there:
            self._network.count("line half open" if self.is_half_open else "line dropped")
        now_ns, later = self._network.now(), self._network.later
        if trader_after_ns is None and not self._is_opened:
            trader_after_ns, reason = _CONNECT_TIMEOUT_NS, "no connection in time"
        if trader_after_ns is not None:
            later(now_ns + trader_after_ns, lambda: self._tell_trader(reason))
        if venue_after_ns is not None:
            later(now_ns + venue_after_ns, self._tell_venue)

    def stall(self, until_ns: int, *, is_up: bool, is_down: bool) -> None:
        """Nothing arrives for a while; then all of it at once."""
        for pipe, is_wanted in ((self.up, is_up), (self.down, is_down)):
            if is_wanted:
                pipe.stalled_until_ns = max(pipe.stalled_until_ns, until_ns)

    # ------------------------------------------------------------------------------------------------- within

    def _reach_venue(self) -> None:
        weather = self.service.weather
        if weather.is_black_hole or weather.is_refused:
            self._network.count("connection not answered" if weather.is_black_hole else "connection refused")
        if weather.is_black_hole:
            timeout_ns = self._network.now() + _CONNECT_TIMEOUT_NS
            self._network.later(timeout_ns, lambda: self._tell_trader("no connection in time"))
        elif weather.is_refused:
            self.down.put(lambda: self._tell_trader("connection refused"))
        else:
            self.is_venue_there = True
            self.down.put(self._handler_opened)
            self._peer = self.service.accept(self)

    def _handler_opened(self) -> None:
        self.machine.enter(self._open)

    def _open(self) -> None:
        if self.is_trader_there:
            self._is_opened = True
            self._handler.opened()

    def _at_venue(self, data: bytes) -> None:
        if self.is_venue_there and self._peer is not None:
            self._network.note(f"{self.name} venue hears {len(data)}")
            self._peer.receive(data)

    def _at_trader(self, data: bytes) -> None:
        self.machine.enter(lambda: self._hear(data))

    def _hear(self, data: bytes) -> None:
        if self.is_trader_there:
            self._network.note(f"{self.name} trader hears {len(data)}")
            self._handler.received(data)

    def _tell_trader(self, reason: str) -> None:
        self.machine.enter(lambda: self._close(reason))

    def _close(self, reason: str) -> None:
        if self.is_trader_there:
            self.is_trader_there = False
            self._network.note(f"{self.name} trader is told: {reason}")
            self._handler.closed(reason)

    def _tell_venue(self) -> None:
        if self.is_venue_there:
            self.is_venue_there = False
            self.up.cut()
            self._network.note(f"{self.name} venue is told")
            assert self._peer is not None
            self._peer.closed()


class Network:
    """All connections. wrote: hears all that either end writes (connection, "up" or "down", data). reach: is told
    before and after each write of the trader, at which its process may end. count: hears what befell connections.
    """

    def __init__(
        self,
        now: Callable[[], int],
        later: Later,
        note: Callable[[str], None],
        wrote: Callable[[Connection, str, bytes], None],
        reach: Callable[[str], None],
        count: Callable[[str], None],
    ) -> None:
        self.reach = reach
        self.count = count
        self.now = now
        self.later = later
        self.note = note
        self.wrote = wrote
        self._count = 0

    def to(self, service: Service, machine: Machine) -> Callable[[StreamHandler], Connection]:
        """Connects a process to a service."""

        def connect(handler: StreamHandler) -> Connection:
            self._count += 1
            made = Connection(self, service, handler, self._count, machine)
            service.connections.append(made)
            return made

        return connect
