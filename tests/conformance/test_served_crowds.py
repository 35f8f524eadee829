"""More clients, bytes or silence than a venue is glad of: nobody else is hurt, and it all ends when they go."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import resource
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_sockets import FixClient, private

CONNECTIONS = 10_000
SIZE_MAX = 1 << 20
WAIT_S = 60


def address_of(url: str) -> tuple[str, int]:
    host, port = url.partition("://")[2].partition("/")[0].rsplit(":", 1) if "://" in url else url.rsplit(":", 1)
    return host, int(port)


def resident_mb(ready: dict[str, Any]) -> int:
    status = Path(f"/proc/{ready['process_id']}/status")
    if not status.exists():
        pytest.skip("memory of another process is read from /proc")
    return int(status.read_text().partition("VmRSS:")[2].split()[0]) // 1024


def upgrade(path: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


async def crowd(ready: dict[str, Any], count: int, act: Callable[[], None]) -> int:
    """Open many connections of all kinds at once, act among them, leave; returns how many the venue answered."""
    web, trading = address_of(ready["rest"]), address_of(ready["fix_trading"])
    kinds = [
        (web, upgrade("/v2")),
        (web, upgrade("/")),
        (web, b"GET /0/public/Time HTTP/1.1\r\nHost: venue\r\n\r\n"),
        (trading, b""),
    ]
    gate = asyncio.Semaphore(200)
    writers: list[asyncio.StreamWriter] = []

    async def connect(number: int) -> int:
        (host, port), hello = kinds[number % len(kinds)]
        async with gate:
            reader, writer = await asyncio.open_connection(host, port)
            writers.append(writer)
            if not hello:
                return 1
            writer.write(hello)
            return int(bool(await asyncio.wait_for(reader.read(100), WAIT_S)))

    answered = await asyncio.gather(*[connect(number) for number in range(count)])
    await asyncio.to_thread(act)
    for writer in writers:
        writer.close()
    await asyncio.gather(*[writer.wait_closed() for writer in writers], return_exceptions=True)
    return sum(answered)


@pytest.mark.slow
def test_ten_thousand_connections_at_once_leave_the_others_served_and_no_memory_behind(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(CONNECTIONS, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with served_venue(tmp_path) as ready:
        trader = FixClient(ready).open()
        took_s: list[float] = []

        def trade() -> None:
            for _ in range(20):
                began = time.perf_counter()
                assert trader.add("1", "50000.0", "0.01").text(150) == "0"
                took_s.append(time.perf_counter() - began)

        resident: list[int] = []
        for size in (count, count // 2, count // 2):
            assert asyncio.run(crowd(ready, size, trade)) == size
            time.sleep(1)
            resident.append(resident_mb(ready))
        assert len(private(ready, "OpenOrders")["open"]) == 60
    print(f"{count} connections; MB after each crowd: {resident}")
    assert max(took_s) < 5
    assert resident[2] - resident[1] < 20


def test_a_venue_that_may_open_few_files_refuses_some_and_serves_again_when_they_go(tmp_path: Path) -> None:
    with served_venue(tmp_path, prefix=("prlimit", "--nofile=200:200")) as ready:
        lines = []
        for _ in range(400):
            line = socket.create_connection(address_of(ready["rest"]), timeout=5)
            line.sendall(b"GET /0/public/Time HTTP/1.1\r\nHost: venue\r\n\r\n")
            lines.append(line)
        time.sleep(0.5)
        for line in lines:
            line.close()
        time.sleep(0.5)
        assert private(ready, "Balance")


def test_who_never_reads_is_cut_off_at_a_bound_and_the_others_go_on(tmp_path: Path) -> None:
    async def whole(ready: dict[str, Any]) -> None:
        host, port = address_of(ready["rest"])
        idle = socket.create_connection((host, port))
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        idle.sendall(upgrade("/v2"))
        wanted = {"channel": "book", "symbol": ["BTC/USD", "ETH/USD", "BTC/EUR"], "depth": 1000}
        asked = 0
        async with aiohttp.ClientSession() as session, session.ws_connect(ready["ws_v2"]) as line:
            await line.send_json({"method": "subscribe", "params": {"channel": "ticker", "symbol": ["BTC/USD"]}})
            until = time.monotonic() + WAIT_S
            while not _is_cut(idle):
                with suppress(ConnectionError):  # each time there are whole books for it
                    for method in ("subscribe", "unsubscribe"):
                        idle.sendall(_masked(json.dumps({"method": method, "params": wanted}).encode()))
                asked += 1
                await line.receive(WAIT_S)
                assert time.monotonic() < until, f"who does not read was not cut off after {asked} times three books"

    with served_venue(tmp_path, "--speed", "10") as ready:
        before = resident_mb(ready)
        asyncio.run(whole(ready))
        assert resident_mb(ready) - before < 60


def _masked(payload: bytes) -> bytes:
    """A text frame of a client; the mask is zero, which leaves the payload as it is."""
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload


def _is_cut(line: socket.socket) -> bool:
    """Whether the peer has reset the connection, without reading from it."""
    return line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def test_a_message_that_is_too_large_ends_its_own_connection_only(tmp_path: Path) -> None:
    async def whole(ready: dict[str, Any]) -> None:
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(ready["ws_v2"]) as line:
                await line.send_str("x" * (2 << 20))
                while not line.closed:
                    await line.receive(5)
                assert line.close_code == 1009
            async with session.post(ready["rest"] + "/0/public/Time", data=b"x" * (2 << 20)) as answer:
                assert answer.status == 413

    with served_venue(tmp_path) as ready:
        asyncio.run(whole(ready))
        with socket.create_connection(address_of(ready["rest"]), timeout=WAIT_S) as line:
            line.sendall(upgrade("/v2"))
            while b'"channel":"status"' not in line.recv(65_536):
                pass
            line.sendall(b"\x81\xff" + (SIZE_MAX + 1).to_bytes(8, "big") + bytes(4) + b"x" * (SIZE_MAX + 1))
            assert line.recv(100) == b"\x88\x02" + (1009).to_bytes(2, "big")  # all of it was read: the code arrives
        with socket.create_connection(address_of(ready["fix_trading"]), timeout=5) as line:
            line.sendall(b"8=FIX.4.4\x019=99999999\x0135=A\x01" + b"x" * (2 << 20))
        assert FixClient(ready).open().add("1", "50000.0", "0.01").text(150) == "0"
