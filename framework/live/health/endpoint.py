"""The endpoint of a run, in its own event loop: ``/metrics`` for Prometheus, ``/status`` for programs.

It can be read and nothing else. It is on this machine only unless it is told otherwise; then whoever reaches it sees
positions and orders. A page of the web that is open on this machine cannot read it, for it names another host. However
often it is asked, it looks at the run ten times a second at most.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable

from aiohttp import web

from framework.errors import ConfigError
from framework.live.health.exposition import CONTENT_TYPE, exposition
from framework.live.health.status import Status, encode_status

__all__ = ["Endpoint"]

_FRESH_S = 0.1
# So long a question that is being answered is waited for at the end.
_PATIENCE_S = 1.0


class Endpoint:
    """One run's. url: where it is, once it is open."""

    def __init__(self, status: Callable[[], Status | None]) -> None:
        """status: how the run stands; None while it has not begun."""
        self.url = ""
        self._status = status
        self._runner: web.AppRunner | None = None
        self._is_loopback = True
        self._read_s = -1.0
        self._last: Status | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen. port: 0 for any that is free. Raises ConfigError where that cannot be."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/status", self._json)
        app.router.add_get("/", self._index)
        self._is_loopback = _is_loopback(host)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_PATIENCE_S)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigError(
                f"metrics at {host}:{port}: {error.strerror}; give another port, or 0 for any that is free"
            ) from None
        self._runner = runner
        bound = runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.url = f"http://{shown}:{bound[1]}"

    async def close(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _now(self) -> Status:
        now_s = time.monotonic()
        if self._last is None or now_s - self._read_s > _FRESH_S:
            self._read_s = now_s
            self._last = self._status()
        if self._last is None:
            raise web.HTTPServiceUnavailable(text="the run has not begun yet\n")
        return self._last

    def _check(self, request: web.Request) -> None:
        """On this machine only: a page that has its name point here is not answered."""
        name = request.url.host or ""
        if self._is_loopback and not _is_loopback(name):
            raise web.HTTPForbidden(text="ask for it by 127.0.0.1 or localhost\n")

    async def _metrics(self, request: web.Request) -> web.Response:
        self._check(request)
        text = exposition(self._now())
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    async def _json(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.Response(body=encode_status(self._now()), content_type="application/json")

    async def _index(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.Response(text="/metrics for Prometheus, /status as JSON; `tidegate top` shows it\n")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
