"""Real sockets and real time under the links: what the event loop and the operating system do, and nothing else.

Bytes are given to the operating system within the call that writes them, whatever the event loop. Loops' own transports
do not all do so: uvloop's write when the loop comes round.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

from adapters.kraken.client.streams import Connect, Stream, StreamHandler
from framework.errors import ConfigError
from framework.live.clock import LiveClock

__all__ = ["LiveClock", "Sockets", "tls_context"]

# Seconds of silence before the other end is asked whether it is there, and between such questions; how many may stay
# without an answer; and milliseconds that what was written may.
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 15_000}
_CONNECT_TIMEOUT_S = 10.0
# A host with several addresses is given so long at each but the last.
_ADDRESS_TIMEOUT_S = 3.0
# With so much unwritten the other end does not read any more.
_BUFFER_MAX = 4 * 1024 * 1024
_READ_SIZE = 256 * 1024
_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS that trusts an authority: of a file, or those of the system. Raises ConfigError for a file that is none."""
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{ca_file}: not a certificate ({error}); give that of the authority") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _notice_silence(line: socket.socket) -> None:
    """Have the system find out within some twenty seconds that the other end is gone, on a line that is idle too: a
    half-open connection is then lost before the next request needs it, and not by it.
    """
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        option = getattr(socket, name, None)  # not every system has each of them
        if option is not None:
            line.setsockopt(socket.IPPROTO_TCP, option, value)


class Sockets:
    """Makes connections, and gives all of them up at the end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[_Socket] = set()

    def to(self, host: str, port: int, tls: ssl.SSLContext | None) -> Connect:
        """Connects to a host; its name is resolved for each connection anew."""

        def connect(handler: StreamHandler) -> Stream:
            made = _Socket(self._loop, handler, self._open)
            task = self._loop.create_task(self._connect(made, host, port, tls))
            made.task = task
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return made

        return connect

    async def close(self) -> None:
        """Give all connections up."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for made in list(self._open):
            made.close()
        await asyncio.sleep(0)

    async def _connect(self, made: _Socket, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                line = await self._reach(host, port)
                if tls is not None:
                    line = await self._shake_hands(tls, line, host)
        except TimeoutError:
            made.failed(f"no connection to {host}:{port} within {_CONNECT_TIMEOUT_S:.0f} s")
        except OSError as error:  # those of TLS are such, too
            made.failed(f"no connection to {host}:{port}: {error}")
        else:
            self._loop.call_soon(made.stands, line)

    async def _reach(self, host: str, port: int) -> socket.socket:
        """A connection to the first address of a host that takes it."""
        addresses = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for number, (family, kind, protocol, _, address) in enumerate(addresses, start=1):
            line = socket.socket(family, kind, protocol)
            try:
                line.setblocking(False)
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _notice_silence(line)
                async with asyncio.timeout(None if number == len(addresses) else _ADDRESS_TIMEOUT_S):
                    await self._loop.sock_connect(line, address)
            except OSError:  # a time-out is one, too
                line.close()
                if number == len(addresses):
                    raise
            except BaseException:
                line.close()
                raise
            else:
                return line
        raise OSError(f"{host} has no address")

    async def _shake_hands(self, tls: ssl.SSLContext, line: socket.socket, host: str) -> ssl.SSLSocket:
        try:
            safe = tls.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
        except BaseException:
            line.close()
            raise
        try:
            while True:
                try:
                    safe.do_handshake()
                    return safe
                except ssl.SSLWantReadError:
                    await self._ready(safe, is_to_read=True)
                except ssl.SSLWantWriteError:
                    await self._ready(safe, is_to_read=False)
        except BaseException:
            safe.close()
            raise

    async def _ready(self, line: socket.socket, *, is_to_read: bool) -> None:
        """Wait until a socket can be read or written."""
        ready = asyncio.Event()
        add, remove = (
            (self._loop.add_reader, self._loop.remove_reader)
            if is_to_read
            else (self._loop.add_writer, self._loop.remove_writer)
        )
        add(line, ready.set)
        try:
            await ready.wait()
        finally:
            remove(line)


class _Socket:
    """One connection, from the attempt to make it on."""

    def __init__(self, loop: asyncio.AbstractEventLoop, handler: StreamHandler, opened: set[_Socket]) -> None:
        self.task: asyncio.Task[None] | None = None
        self._loop = loop
        self._handler: StreamHandler | None = handler
        self._all = opened
        self._line: socket.socket | None = None
        # Where what comes is put first: memory for the most that may come is not asked for each time.
        self._room = memoryview(bytearray(_READ_SIZE))
        # What the operating system has not taken yet.
        self._unsent = bytearray()

    # ------------------------------------------------------------------------------------------------- the link's

    def write(self, data: bytes) -> None:
        line = self._line
        if line is None:
            return
        sent = 0
        if not self._unsent:
            try:
                sent = line.send(data)
            except _NOT_NOW:
                pass
            except OSError as error:
                self._end_soon(f"line dropped: {error}")
                return
            if sent == len(data):
                return
            self._loop.add_writer(line, self._writable)
        self._unsent += data[sent:]
        if len(self._unsent) > _BUFFER_MAX:
            self._end_soon("line dropped: the other end does not read")

    def close(self) -> None:
        self._handler = None
        if self._line is not None:
            self._hang_up()
        elif self.task is not None:
            self.task.cancel()

    # ------------------------------------------------------------------------------------------------- the loop's

    def stands(self, line: socket.socket) -> None:
        """The connection is made."""
        self._line = line
        self._all.add(self)
        if self._handler is None:
            self._hang_up()
            return
        self._loop.add_reader(line, self._readable)
        self._handler.opened()

    def _readable(self) -> None:
        line = self._line
        while line is not None and self._handler is not None:
            try:
                size = line.recv_into(self._room)
            except _NOT_NOW:
                return
            except OSError as error:
                self._end(f"line dropped: {error}")
                return
            if not size:
                self._end("line dropped")
                return
            try:
                self._handler.received(self._room[:size].tobytes())
            except Exception:
                self._end("line dropped: what came could not be dealt with")
                raise
            # TLS may hold more that has come already, of which the operating system says nothing.
            if not isinstance(line, ssl.SSLSocket) or line is not self._line or not line.pending():
                return

    def _writable(self) -> None:
        line = self._line
        if line is None:
            return
        try:
            sent = line.send(self._unsent)
        except _NOT_NOW:
            return
        except OSError as error:
            self._end(f"line dropped: {error}")
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(line)

    def failed(self, reason: str) -> None:
        """It is gone, or was never made."""
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.closed(reason)

    # ------------------------------------------------------------------------------------------------- within

    def _end_soon(self, reason: str) -> None:
        """End it, but not from within a call of the link's."""
        self._hang_up()
        self._loop.call_soon(self.failed, reason)

    def _end(self, reason: str) -> None:
        self._hang_up()
        self.failed(reason)

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        self._all.discard(self)
        if line is None:
            return
        self._loop.remove_reader(line)
        self._loop.remove_writer(line)
        # What was written last may be of use to the other end; it is not waited for.
        with contextlib.suppress(OSError, ValueError):
            if self._unsent:
                line.send(self._unsent)
            if isinstance(line, ssl.SSLSocket):
                line.unwrap()
        self._unsent.clear()
        line.close()
