"""The shell of the acceptor: TCP connections to ``AcceptorLine``, and the clock. Decides nothing.

``tidegate fix-acceptor`` runs it with the echo application, so that any FIX session suite can be pointed at the engine.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from collections.abc import Callable
from typing import cast

from adapters.fix.acceptor import Acceptor, AcceptorLine
from adapters.fix.codec import Message
from adapters.fix.echo import EchoHandler
from adapters.fix.fix44 import FIX44
from adapters.fix.session import Session
from adapters.fix.settings import SessionSettings
from adapters.fix.store import MemoryStore

__all__ = ["AcceptorPort", "echo_acceptor", "run"]

_BEAT_S = 0.05
# A peer that does not read is cut off when so many bytes wait for it.
_BUFFER_MAX = 8 * 1024 * 1024


class AcceptorPort:
    """A listening port. now_ns: the clock, nanoseconds since the epoch."""

    def __init__(self, acceptor: Acceptor, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._acceptor = acceptor
        self._now_ns = now_ns
        self._sockets: set[_Socket] = set()
        self._server: asyncio.Server | None = None
        self._beat: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses for 0. Raises OSError where it cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Socket(self), host, port)
        self._beat = loop.create_task(self._keep_time())
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and its connections."""
        if self._beat is not None:
            self._beat.cancel()
        if self._server is not None:
            self._server.close()
            for each in list(self._sockets):
                each.abort()
            await self._server.wait_closed()

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_S)
            for each in list(self._sockets):
                each.on_timer(self._now_ns())

    def opened(self, connection: _Socket) -> AcceptorLine:
        """A client has connected."""
        self._sockets.add(connection)
        return self._acceptor.connect(self._now_ns())

    def gone(self, connection: _Socket, line: AcceptorLine) -> None:
        """A client is gone."""
        self._sockets.discard(connection)
        line.closed(self._now_ns())

    def received(self, line: AcceptorLine, data: bytes) -> None:
        """Bytes have come."""
        line.receive(data, self._now_ns())


class _Socket(asyncio.Protocol):
    def __init__(self, port: AcceptorPort) -> None:
        self._port = port
        self._line: AcceptorLine | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Those of other event loops are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        self._line = self._port.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._line is not None:
            self._port.received(self._line, data)
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._line is not None:
            self._port.gone(self, self._line)
            self._line = None

    def on_timer(self, now_ns: int) -> None:
        if self._line is not None:
            self._line.on_timer(now_ns)
            self._flush()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        line, transport = self._line, self._transport
        if line is None or transport is None or transport.is_closing():
            return
        data = line.data_to_send()
        if data:
            transport.write(data)
        if line.wants_close:
            transport.close()
        elif transport.get_write_buffer_size() > _BUFFER_MAX:
            transport.abort()


def echo_acceptor(sender: str, target: str) -> Acceptor:
    """An acceptor of one session that echoes; numbers begin anew at every logon."""
    settings = SessionSettings(sender_comp_id=sender, target_comp_id=target, is_reset_on_logon=True)
    session = Session(settings, FIX44, MemoryStore(), EchoHandler(FIX44))

    def find(message: Message) -> Session | None:
        return session if (message.text(49), message.text(56)) == (target, sender) else None

    return Acceptor(find)


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    return asyncio.run(_serve(options))


async def _serve(options: argparse.Namespace) -> int:
    port = AcceptorPort(echo_acceptor(options.sender, options.target))
    listening = await port.start(options.host, options.port)
    print(f"FIX 4.4 acceptor {options.sender} for {options.target} on {options.host}:{listening}", flush=True)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    await port.stop()
    return 0
