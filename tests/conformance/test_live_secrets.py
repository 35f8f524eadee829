"""A live run among hostile errors: whatever a venue repeats of what it was sent, no secret is written down or shown.

Between the run and a served venue stands one that answers each order with all that it knows: the key, its secret, the
tokens that were given out, the signature and the body of the request, as they are and as a form has them; and ends
connections for reasons that repeat them too.
"""

from __future__ import annotations

import asyncio
import io
import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import pyarrow.parquet as pq
import pytest
from aiohttp import web

from adapters.kraken.adapter import ADAPTER
from adapters.kraken.profile import PROFILE
from framework.adapter import LiveSettings
from framework.backtest.loading import resolve_road
from framework.live.clock import LiveClock
from framework.live.health.run_health import RunHealth
from framework.live.health.section import HealthSection
from framework.live.journal import Forcing, IntentJournal
from framework.live.node import LiveNode
from framework.live.recovery import Recovery
from framework.report import write_report
from tests.conformance.served_venue import served_venue
from tests.conformance.test_live_node import WAIT_S, Steps, config_of, rest_order, take

_ORDERS = ("AddOrder", "AmendOrder", "CancelOrder", "CancelAllOrdersAfter")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("venue")


@pytest.fixture(scope="module")
def ready(folder: Path) -> Iterator[dict[str, Any]]:
    with served_venue(folder, "--socket-connects", "0") as opened:
        yield opened


class Hostile:
    """Hands all on to a venue, but for orders. known: the secrets that have been seen. refused: orders, so far."""

    def __init__(self, ready: dict[str, Any]) -> None:
        account = ready["accounts"][0]
        self.known = {account["api_key"], account["api_secret"]}
        self.refused = 0
        self._ready = ready
        self._session: aiohttp.ClientSession | None = None

    def echo(self, secret: str, body: str) -> str:
        """An error that tells everything."""
        self.known.add(secret)
        told = [*self.known, *(quote_plus(each) for each in self.known), body]
        return f"EOrder:Invalid order ({' '.join(told)}); {json.dumps(told)}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        app = web.Application()
        app.router.add_get("/v2", self._websocket)
        app.router.add_route("*", "/{path:.*}", self._rest)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with aiohttp.ClientSession() as session:
            self._session = session
            yield runner.addresses[0][1]
        await runner.cleanup()

    async def _rest(self, request: web.Request) -> web.Response:
        assert self._session is not None
        body = await request.read()
        if request.path.rpartition("/")[2] in _ORDERS:
            self.refused += 1
            error = self.echo(request.headers["API-Sign"], body.decode())
            return web.json_response({"error": [error]})
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")}
        url = f"{self._ready['rest']}{request.raw_path}"
        async with self._session.request(request.method, url, data=body or None, headers=headers) as answer:
            data = await answer.read()
            if request.path.endswith("GetWebSocketsToken"):
                self.known.add(json.loads(data)["result"]["token"])
            return web.Response(body=data, status=answer.status, content_type=answer.content_type)

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        assert self._session is not None
        trader = web.WebSocketResponse()
        await trader.prepare(request)
        async with self._session.ws_connect(self._ready["ws_v2"]) as venue:

            async def up() -> None:
                async for message in trader:
                    told = json.loads(message.data)
                    if told.get("method") == "add_order":
                        self.refused += 1
                        error = self.echo(told["params"]["token"], message.data)
                        times = dict.fromkeys(("time_in", "time_out"), "2026-01-05T12:00:00.000000Z")
                        answer = {"method": "add_order", "req_id": told["req_id"], "success": False, "error": error}
                        await trader.send_str(json.dumps(answer | times))
                        if self.refused % 2 == 0:
                            token = told["params"]["token"]
                            await trader.close(code=1008, message=f"bad token {token}".encode()[:120])
                    else:
                        await venue.send_str(message.data)

            async def down() -> None:
                async for message in venue:
                    await trader.send_str(message.data)

            tasks = [asyncio.create_task(up()), asyncio.create_task(down())]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return trader


async def lived(
    ready: dict[str, Any], folder: Path, tmp_path: Path, road: str, strategy: Steps
) -> tuple[Hostile, LiveNode, list[str]]:
    """A run against it until some of its orders were refused; what was shown of it, one after the other."""
    hostile = Hostile(ready)
    config = config_of(folder, tmp_path / "state", road, dead_man_s=0)
    out, terminal = tmp_path / "run", io.StringIO()
    shown: list[str] = []
    async with hostile.serving() as port:
        clock = LiveClock(asyncio.get_running_loop())
        _, policy = resolve_road(PROFILE, config.road)
        assert ADAPTER.connect_live is not None
        settings = LiveSettings(
            links={name: name for name in policy.link_names()},
            hosts={"rest": f"http://127.0.0.1:{port}", "ws_private": f"ws://127.0.0.1:{port}/v2"},
            options=config.live.options,
            state=tmp_path / "state",
        )
        venue = await ADAPTER.connect_live(settings, clock)
        journal = IntentJournal.open(tmp_path / "state" / "run.intents", Forcing.OFF, Recovery().read)
        section = HealthSection(log_level="debug", is_verbose=True, metrics_port=0)
        health = RunHealth(section, "live", is_timed=True, mask=venue.masked, out=terminal)
        balances = (await venue.account()).balances
        node = LiveNode(
            config, PROFILE, venue, clock, journal, Recovery(), balances, health.say, strategy=strategy,
            observer=health.observer,
        )  # fmt: skip
        await health.open(out)
        health.began(road=road)
        node.begin()
        try:
            async with asyncio.timeout(WAIT_S):
                while strategy.heard.count("OrderRejected") < 3 and node.failure is None:
                    health.beat()
                    await asyncio.sleep(0.05)
                shown = [await asyncio.to_thread(_read, health.url + path) for path in ("/metrics", "/status")]
                node.close("test")
                await node.done.wait()
            health.ended(node.closing.said(), node.failure)
            node.finish()
        finally:
            await venue.close()
            await health.close()
            journal.close()
    shown += [terminal.getvalue(), *(repr(event) for event in strategy.events)]
    return hostile, node, shown


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=WAIT_S) as answer:
        return str(answer.read().decode())


class Orders(Steps):
    """Sends orders, and keeps each event that it hears."""

    def __init__(self, count: int) -> None:
        super().__init__(*[rest_order, take] * count)
        self.events: list[Any] = []

    def on_event(self, event: Any) -> None:
        self.events.append(event)
        super().on_event(event)


def found(secret: str, texts: dict[str, str]) -> list[str]:
    forms = {secret, quote_plus(secret), json.dumps(secret)[1:-1]}
    return [name for name, text in texts.items() if any(form in text for form in forms)]


@pytest.mark.slow
@pytest.mark.parametrize("road", ["ws2", "rest"])
def test_no_secret_that_a_venue_repeats_is_written_down_or_shown(
    ready: dict[str, Any], folder: Path, tmp_path: Path, road: str
) -> None:
    strategy = Orders(6)
    hostile, node, shown = asyncio.run(lived(ready, folder, tmp_path, road, strategy))
    assert node.failure is None
    write_report(node.write(tmp_path / "run"))
    texts = {f"shown {number}": text for number, text in enumerate(shown)}
    for path in (each for each in tmp_path.rglob("*") if each.is_file()):
        is_table = path.suffix == ".parquet"  # packed, so that nothing could be found in its bytes
        text = (
            str(pq.read_table(path).to_pylist()) if is_table else path.read_bytes().decode("utf-8", "surrogateescape")
        )
        texts[str(path.relative_to(tmp_path))] = text
    # That it was told, and that what is looked at is where it would stand.
    assert hostile.refused >= 3
    assert len(hostile.known) >= (3 if road == "ws2" else 5)
    assert {"run/log.jsonl", "run/status.json", "run/report.html", "state/run.intents"} <= set(texts)
    for name in ("run/log.jsonl", "run/events.parquet", "state/run.intents", "shown 2"):
        assert "EOrder:Invalid order (***" in texts[name], name
    for secret in hostile.known:
        assert found(secret, texts) == []
