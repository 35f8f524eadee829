"""A port of FIX: bytes from a TCP connection to a gateway's connection, and back."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Protocol, cast

from adapters.kraken.server.facts import ConnectionFacts
from adapters.kraken.server.shell.peers import Peer, Peers
from adapters.kraken.server.shell.pump import Pump
from framework.errors import JournalError

__all__ = ["FixEndpoint", "FixPort"]

_BACKLOG = 4096


class _Connection(Protocol):
    def receive(self, data: bytes) -> None: ...

    def closed(self) -> None: ...

    def on_timer(self, now_ns: int) -> None: ...

    def next_timer_ns(self) -> int | None: ...

    def facts(self) -> ConnectionFacts: ...


class FixEndpoint(Protocol):
    """A FIX gateway."""

    def connect(self, peer: str, send: Callable[[bytes], object], close: Callable[[], None]) -> _Connection:
        """A client has connected; what comes from it goes to what is returned."""

    def flush(self) -> None:
        """Write what has been made since, such as fills."""


class FixPort:
    """One listening port; kind: that its connections are shown as."""

    def __init__(self, pump: Pump, peers: Peers, kind: str, endpoint: FixEndpoint) -> None:
        self._pump = pump
        self._peers = peers
        self._kind = kind
        self._endpoint = endpoint
        self._server: asyncio.Server | None = None
        self._open: dict[Peer, _Connection] = {}
        pump.on_beat.append(self._on_beat)

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen; returns the port, which the system chooses for 0. Raises OSError where it cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Socket(self), host, port, ssl=tls, backlog=_BACKLOG)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and what is connected to it."""
        if self._server is not None:
            self._server.close()
            for peer in list(self._open):
                peer.transport.close()
            await self._server.wait_closed()
            self._server = None

    def _on_beat(self, now_ns: int) -> None:
        for connection in list(self._open.values()):
            due_ns = connection.next_timer_ns()
            if due_ns is not None and due_ns <= now_ns:
                connection.on_timer(now_ns)
        self._endpoint.flush()

    def connected(self, transport: asyncio.Transport) -> tuple[Peer, _Connection] | None:
        """A client has connected; None where it is cut off at once."""
        if self._peers.refuses(self._kind):
            transport.abort()
            return None
        peer = self._peers.add(self._kind, transport, self._pump.now(), lambda _: transport.close())
        connection = self._endpoint.connect(peer.address, peer.write, transport.close)
        peer.facts = connection.facts
        self._open[peer] = connection
        return peer, connection

    def received(self, peer: Peer, connection: _Connection, data: bytes) -> None:
        """Bytes have come."""
        try:
            self._pump.now()
            if peer.is_open:  # else it was on its way when the line was cut
                peer.received += 1
                connection.receive(data)
        except JournalError:
            peer.transport.abort()  # nothing is acknowledged any more; the venue says why where it ends

    def lost(self, peer: Peer, connection: _Connection) -> None:
        """The client is gone."""
        del self._open[peer]
        self._peers.remove(peer)
        with contextlib.suppress(JournalError):
            self._pump.now()
            connection.closed()


class _Socket(asyncio.Protocol):
    def __init__(self, port: FixPort) -> None:
        self._port = port
        self._both: tuple[Peer, _Connection] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by inheritance.
        self._both = self._port.connected(cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        if self._both is not None:
            self._port.received(*self._both, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._both is not None:
            self._port.lost(*self._both)
            self._both = None
