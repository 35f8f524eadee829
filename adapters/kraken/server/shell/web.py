"""The port of REST and WebSocket: HTTP by aiohttp, frames of the WebSocket written as they come.

aiohttp does the handshake, reads, answers pings and closes. What the venue sends is written to the transport as frames
of our own: the same bytes go to all subscribers of a channel, and nothing is awaited between the venue and the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping
from typing import Protocol

from aiohttp import WSMsgType, web

from adapters.kraken.server.connects import ConnectLimits
from adapters.kraken.server.facts import ConnectionFacts
from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.server.shell.frames import Framer
from adapters.kraken.server.shell.peers import Peer, Peers
from adapters.kraken.server.shell.pump import Pump
from framework.errors import JournalError

__all__ = ["SocketEndpoint", "WebPort"]

# Larger bodies and messages are refused; the largest documented request, a batch of orders, is a hundredth of that.
_MESSAGE_MAX = 1024 * 1024
_BACKLOG = 4096
_REST = "rest"


class _Connection(Protocol):
    def receive(self, data: bytes | str) -> None: ...

    def closed(self) -> None: ...

    def facts(self) -> ConnectionFacts: ...


class SocketEndpoint(Protocol):
    """A WebSocket gateway at one path."""

    def connect(self, peer: str, send: Callable[[bytes], object], close: Callable[[int, str], None]) -> _Connection:
        """A client has connected; what comes from it goes to what is returned."""


class _Rest(Protocol):
    def handle(self, request: HttpRequest, respond: Callable[[HttpResponse], None]) -> None: ...


class WebPort:
    """One listening port.

    rest: answers requests; None where this port has none. sockets: WebSocket gateways by path, with the kind that
    their connections are shown as. connects: how often an address may connect to them.
    """

    def __init__(
        self,
        pump: Pump,
        peers: Peers,
        rest: _Rest | None,
        sockets: Mapping[str, tuple[str, SocketEndpoint]],
        connects: ConnectLimits | None = None,
    ) -> None:
        self._pump = pump
        self._connects = connects or ConnectLimits()
        self._peers = peers
        self._rest = rest
        self._sockets = dict(sockets)
        self._framer = Framer()
        self._server: web.Server | None = None
        self._runner: web.ServerRunner | None = None
        self._closing: set[asyncio.Task[bool]] = set()

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen; returns the port, which the system chooses for 0. Raises OSError where it cannot be had."""
        server = web.Server(self._serve, access_log=None, handler_cancellation=True, max_line_size=16_384)
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, host, port, ssl_context=tls, backlog=_BACKLOG)
        try:
            await site.start()
        except BaseException:
            await runner.cleanup()
            raise
        self._server, self._runner = server, runner
        listening = runner.addresses[0]
        return int(listening[1])

    async def stop(self) -> None:
        """Close the port and what is connected to it."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def cut_requests(self) -> None:
        """Cut the lines of all requests that are under way, and of those that wait for another one."""
        sockets = {peer.transport for peer in self._peers.by_number.values()}
        for handler in () if self._server is None else self._server.connections:
            transport = handler.transport
            if transport is not None and transport not in sockets:
                transport.abort()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            endpoint = self._sockets.get(request.path)
            if endpoint is None:
                return web.Response(status=404, text="no WebSocket here\n")
            served = self._socket(request, *endpoint)
        elif self._rest is None:
            return web.Response(status=404, text="nothing here\n")
        else:
            served = self._request(request, self._rest)
        try:
            return await served
        except JournalError:
            return _cut(request)  # nothing is acknowledged any more; the venue says why where it ends

    # ------------------------------------------------------------------------------------------------- REST

    async def _request(self, request: web.BaseRequest, rest: _Rest) -> web.StreamResponse:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text="the request is too large\n")
        answers: list[HttpResponse] = []
        waiting: asyncio.Future[None] | None = None

        def respond(response: HttpResponse) -> None:
            answers.append(response)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

        self._pump.now()
        if self._peers.is_shut(_REST):
            return _cut(request)
        rest.handle(
            HttpRequest(
                method=request.method,
                path=request.rel_url.raw_path,
                query=request.rel_url.raw_query_string,
                headers=request.headers,
                body=body,
                peer=_address(request),
            ),
            respond,
        )
        if not answers:
            waiting = asyncio.get_running_loop().create_future()
            await waiting
            if self._peers.is_shut(_REST):
                return _cut(request)
        answer = answers[0]
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    # ------------------------------------------------------------------------------------------------- WebSocket

    async def _socket(self, request: web.BaseRequest, kind: str, endpoint: SocketEndpoint) -> web.StreamResponse:
        peers = self._peers
        now_ns = self._pump.now()
        if peers.refuses(kind):
            return _cut(request) if peers.is_shut(kind) else web.Response(status=503, text="too many connections\n")
        if not self._connects.admits(_address(request), now_ns):
            return web.Response(status=429, text="too many connections from this address in 10 minutes\n")
        socket = web.WebSocketResponse(autoclose=True, autoping=True, compress=False, max_msg_size=_MESSAGE_MAX)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket
        loop = asyncio.get_running_loop()

        def hang_up(code: int, reason: str) -> None:
            task = loop.create_task(socket.close(code=code, message=reason.encode()[:123]))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        peer = peers.add(kind, transport, self._pump.now(), lambda reason: hang_up(1001, reason))
        framer = self._framer

        def send(payload: bytes) -> bool:
            return peer.write(framer.frame(payload))

        connection = endpoint.connect(peer.address, send, hang_up)
        peer.facts = connection.facts
        try:
            await self._read(socket, peer, connection)
        finally:
            peers.remove(peer)
            self._pump.now()
            connection.closed()
        return socket

    async def _read(self, socket: web.WebSocketResponse, peer: Peer, connection: _Connection) -> None:
        now = self._pump.now
        with contextlib.suppress(ConnectionError):
            async for message in socket:
                kind = message.type
                if kind is WSMsgType.TEXT or kind is WSMsgType.BINARY:
                    now()
                    if not peer.is_open:
                        continue  # it was on its way when the line was cut
                    peer.received += 1
                    connection.receive(message.data)
                elif kind is WSMsgType.ERROR:
                    return


def _address(request: web.BaseRequest) -> str:
    name = None if request.transport is None else request.transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) else "local"


def _cut(request: web.BaseRequest) -> web.Response:
    """End a request without an answer; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
