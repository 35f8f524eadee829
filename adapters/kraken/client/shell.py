"""Real sockets and real time under the links: what asyncio does, and nothing else."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any, cast

from adapters.kraken.client.streams import Connect, Stream, StreamHandler
from framework.errors import ConfigError
from framework.live.loop_clock import LoopClock

__all__ = ["LoopClock", "Sockets", "tls_context"]

_CONNECT_TIMEOUT_S = 10.0
# With so much unwritten the other end does not read any more.
_BUFFER_MAX = 4 * 1024 * 1024


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS that trusts an authority: of a file, or those of the system. Raises ConfigError for a file that is none."""
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{ca_file}: not a certificate ({error}); give that of the authority") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Sockets:
    """Makes connections, and gives all of them up at the end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        # asyncio's own loop tries addresses side by side; others, as uvloop, do not know the option.
        is_own = isinstance(loop, asyncio.BaseEventLoop)
        self._options: dict[str, Any] = {"happy_eyeballs_delay": 0.25} if is_own else {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[_Socket] = set()

    def to(self, host: str, port: int, tls: ssl.SSLContext | None) -> Connect:
        """Connects to a host; its name is resolved for each connection anew."""

        def connect(handler: StreamHandler) -> Stream:
            made = _Socket(handler, self._open)
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
                await self._loop.create_connection(lambda: made, host, port, ssl=tls, **self._options)
        except TimeoutError:
            made.failed(f"no connection to {host}:{port} within {_CONNECT_TIMEOUT_S:.0f} s")
        except (OSError, ssl.SSLError) as error:
            made.failed(f"no connection to {host}:{port}: {error}")


class _Socket(asyncio.Protocol):
    """One connection, as asyncio sees it and as a link does."""

    def __init__(self, handler: StreamHandler, opened: set[_Socket]) -> None:
        self.task: asyncio.Task[None] | None = None
        self._handler: StreamHandler | None = handler
        self._all = opened
        self._transport: asyncio.Transport | None = None

    # ------------------------------------------------------------------------------------------------- the link's

    def write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > _BUFFER_MAX:
            transport.abort()

    def close(self) -> None:
        self._handler = None
        if self._transport is not None:
            self._transport.close()
        elif self.task is not None:
            self.task.cancel()

    # ------------------------------------------------------------------------------------------------- asyncio's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = made = cast("asyncio.Transport", transport)
        self._all.add(self)
        if self._handler is None:
            made.close()
        else:
            self._handler.opened()

    def data_received(self, data: bytes) -> None:
        if self._handler is not None:
            self._handler.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.discard(self)
        self._transport = None
        self.failed("line dropped" if exc is None else f"line dropped: {exc}")

    def failed(self, reason: str) -> None:
        """It is gone, or was never made."""
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.closed(reason)
