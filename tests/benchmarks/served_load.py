"""A client that loads the served venue with orders over one protocol, in a process of its own.

``python -m tests.benchmarks.served_load READY.json PROTOCOL COUNT RATE`` prints JSON: acknowledgements per second, and
the median and 99th percentile of the time to one, in milliseconds. RATE 0 sends as fast as a pipeline of 64 allows.

One connection; what is sent is made beforehand, so that the figure is the venue's and not the client's.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from adapters.fix.codec import Framer, encode
from adapters.fix.times import utc_timestamp
from adapters.kraken.wire.fix_dialect import logon_password
from adapters.kraken.wire.signing import Secret, api_sign

PIPELINE = 64
TICK_S = 0.0005
# Who looks this late was held up himself: he goes on at his rate, for what he sent all at one time would wait in the
# venue for itself.
HELD_UP_S = 0.001

type Reader = Callable[[bytes], Iterator[int]]
"""Takes what has come; gives the number of each order that it acknowledges."""


class Load(asyncio.Protocol):
    """Sends requests, no more than the pipeline at a time and none before its time, and notes when each is answered."""

    def __init__(self, hello: bytes, is_welcome: Callable[[bytes], bool], read: Reader) -> None:
        self._hello = hello
        self._is_welcome = is_welcome
        self._read = read
        self._begun = asyncio.get_running_loop().create_future()
        self._done = asyncio.get_running_loop().create_future()
        self._requests: list[bytes] = []
        self._sent: list[float] = []
        self._rate = 0.0
        self._began = 0.0
        self.took: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        if not self._begun.done():
            if self._is_welcome(data):
                self._begun.set_result(None)
            return
        now = time.perf_counter()
        for number in self._read(data):
            self.took.append(now - self._sent[number])
        if len(self.took) == len(self._requests):
            self._done.set_result(None)
        elif not self._rate:
            self._send(len(self._requests))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the venue has closed the connection"))

    def _send(self, most: int) -> None:
        first = len(self._sent)
        last = min(len(self.took) + PIPELINE, most, len(self._requests))
        if last > first:
            now = time.perf_counter()
            self._sent += [now] * (last - first)
            self._transport.write(b"".join(self._requests[first:last]))

    async def run(self, requests: list[bytes], rate: float) -> float:
        """Send them all; returns the seconds until the last was answered."""
        await self._begun
        # A collection of ours would hold requests back, and then send them all at one time.
        gc.disable()
        self._requests, self._rate = requests, rate
        began = self._began = time.perf_counter()
        if not rate:
            self._send(len(requests))
        looked = self._began
        while rate and not self._done.done():
            now = time.perf_counter()
            if now - looked > HELD_UP_S:
                self._began += now - looked
            looked = now
            self._send(int((now - self._began) * rate) + 1)
            await asyncio.sleep(TICK_S)
        await self._done
        return time.perf_counter() - began


# ----------------------------------------------------------------------------------------------------- FIX


def _message(sender: str, number: int, msg_type: bytes, *body: tuple[int, bytes]) -> bytes:
    header = ((34, b"%d" % number), (49, sender.encode()), (52, utc_timestamp(time.time_ns())), (56, b"KRAKEN-TRD"))
    return encode(b"FIX.4.4", msg_type, (*header, *body))


def fix_logon(ready: dict[str, Any]) -> tuple[str, int, str, bytes]:
    """Host, port, SenderCompID and Logon of the first account."""
    key = ready["accounts"][0]
    sender = key["fix"]["sender_comp_ids"][0]
    host, port = ready["fix_trading"].rsplit(":", 1)
    nonce = str(time.time_ns() // 1_000_000)
    password = logon_password(Secret(key["api_secret"]), key["api_key"], 1, sender, "KRAKEN-TRD", nonce)
    logon = _message(
        sender, 1, b"A", (98, b"0"), (108, b"60"), (141, b"Y"), (553, key["api_key"].encode()),
        (554, password.encode()), (5025, nonce.encode()),
    )  # fmt: skip
    return host, int(port), sender, logon


async def fix(ready: dict[str, Any], count: int) -> tuple[Load, list[bytes]]:
    host, port, sender, logon = fix_logon(ready)
    framer = Framer()

    def read(data: bytes) -> Iterator[int]:
        for frame in framer.feed(data):
            assert b"\x0135=8\x01" in frame, frame
            at = frame.index(b"\x0111=") + 4
            yield int(frame[at : frame.index(b"\x01", at)]) - 10**9

    load = await _connect(host, port, logon, lambda data: b"\x0135=A\x01" in data, read)
    return load, [
        _message(
            sender, order + 2, b"D", (11, b"%d" % (order + 10**9)), (38, b"0.001"), (40, b"2"), (44, b"50000.0"),
            (54, b"1"), (55, b"BTC/USD"), (59, b"1"), (60, utc_timestamp(time.time_ns())),
        )
        for order in range(count)
    ]  # fmt: skip


# ----------------------------------------------------------------------------------------------------- WebSocket v2


async def ws2(ready: dict[str, Any], count: int) -> tuple[Load, list[bytes]]:
    path, headers, body = private_request(ready, "GetWebSocketsToken", {})
    with urlopen(Request(ready["rest"] + path, body, headers), timeout=10) as answer:
        token = json.load(answer)["result"]["token"]
    address = urlsplit(ready["ws_v2"])
    hello = (
        f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    buffer = bytearray()

    def read(data: bytes) -> Iterator[int]:
        buffer.extend(data)
        at = 0
        while len(buffer) >= at + 2:
            size, start = buffer[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            if len(buffer) < start + size:
                break
            payload = bytes(buffer[start : start + size])
            at = start + size
            if b'"method":"add_order"' in payload:
                assert b'"success":true' in payload, payload
                yield int(payload[payload.index(b'"req_id":') + 9 :].partition(b",")[0].rstrip(b"}"))
        del buffer[:at]

    load = await _connect(str(address.hostname), int(address.port or 0), hello.encode(), _has_upgraded, read)
    return load, [
        _masked(
            f'{{"method":"add_order","params":{{"order_type":"limit","side":"buy","order_qty":0.001,'
            f'"symbol":"BTC/USD","limit_price":50000.0,"token":"{token}"}},"req_id":{order}}}'.encode()
        )
        for order in range(count)
    ]


def _has_upgraded(data: bytes) -> bool:
    return b'"channel":"status"' in data


def _masked(payload: bytes) -> bytes:
    """A text frame of a client; the mask is zero, which leaves the payload as it is."""
    assert 126 <= len(payload) < 65_536
    return b"\x81\xfe" + len(payload).to_bytes(2, "big") + bytes(4) + payload


# ----------------------------------------------------------------------------------------------------- REST


def private_request(ready: dict[str, Any], name: str, params: dict[str, str]) -> tuple[str, dict[str, str], bytes]:
    """Path, headers and body of a private request of the first account."""
    key = ready["accounts"][0]
    nonce = str(time.time_ns())
    body = urlencode({"nonce": nonce, **params}).encode()
    path = f"/0/private/{name}"
    headers = {
        "API-Key": key["api_key"],
        "API-Sign": api_sign(Secret(key["api_secret"]), path, nonce, body),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return path, headers, body


async def rest(ready: dict[str, Any], count: int) -> tuple[Load, list[bytes]]:
    address = urlsplit(ready["rest"])
    params = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "50000.0", "volume": "0.001"}

    def request(name: str, params: dict[str, str]) -> bytes:
        path, headers, body = private_request(ready, name, params)
        lines = [f"POST {path} HTTP/1.1", f"Host: {address.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body

    buffer = bytearray()
    answered = 0

    def read(data: bytes) -> Iterator[int]:
        nonlocal answered
        buffer.extend(data)
        at = 0
        while (end := buffer.find(b"\r\n\r\n", at)) >= 0:
            head = bytes(buffer[at:end]).lower()
            size = int(head[head.index(b"content-length:") + 15 :].partition(b"\r")[0])
            if len(buffer) < end + 4 + size:
                break
            body = bytes(buffer[end + 4 : end + 4 + size])
            assert body.startswith(b'{"error":[],'), body
            at = end + 4 + size
            yield answered
            answered += 1
        del buffer[:at]

    hello = request("Balance", {})
    load = await _connect(str(address.hostname), int(address.port or 0), hello, lambda data: True, read)
    return load, [request("AddOrder", params) for _ in range(count)]


# ----------------------------------------------------------------------------------------------------- echo


async def echo(ready: dict[str, Any], count: int) -> tuple[Load, list[bytes]]:
    """Messages of the size of an order to a server that sends them back."""
    host, port = ready["echo"].rsplit(":", 1)
    size = 192
    buffer = bytearray()

    def read(data: bytes) -> Iterator[int]:
        buffer.extend(data)
        whole = len(buffer) // size * size
        for at in range(0, whole, size):
            yield int(buffer[at : at + 12])
        del buffer[:whole]

    load = await _connect(host, int(port), b"hello", lambda data: data == b"hello", read)
    return load, [(b"%012d" % order).ljust(size, b".") for order in range(count)]


async def _connect(host: str, port: int, hello: bytes, is_welcome: Callable[[bytes], bool], read: Reader) -> Load:
    loop = asyncio.get_running_loop()
    _, load = await loop.create_connection(lambda: Load(hello, is_welcome, read), host, port)
    return load


async def main(path: str, protocol: str, count: str, rate: str) -> None:
    ready = json.loads(Path(path).read_text())
    load, requests = await {"fix": fix, "ws2": ws2, "rest": rest, "echo": echo}[protocol](ready, int(count))
    seconds = await load.run(requests, float(rate))
    took = sorted(load.took)
    print(
        json.dumps(
            {
                "per_s": len(took) / seconds,
                "p50_ms": 1e3 * statistics.median(took),
                "p99_ms": 1e3 * took[int(0.99 * len(took))],
            }
        )
    )


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
