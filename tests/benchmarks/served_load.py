"""A client that loads the served venue with orders over one protocol, in a process of its own.

``python -m tests.benchmarks.served_load READY.json PROTOCOL COUNT RATE`` prints JSON: acknowledgements per second, and
the median and 99th percentile of the time to one, in milliseconds. RATE 0 sends as fast as the pipeline of 64 allows.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec

from adapters.fix.codec import Framer, encode
from adapters.fix.times import utc_timestamp
from adapters.kraken.wire.fix_dialect import logon_password
from adapters.kraken.wire.signing import Secret, api_sign

PIPELINE = 64


class Gate:
    """Lets a request go when fewer than the pipeline are on their way, and not before its time."""

    def __init__(self, rate: float) -> None:
        self.sent: dict[int, float] = {}
        self.took: list[float] = []
        self._rate = rate
        self._began = time.perf_counter()
        self._room = asyncio.Semaphore(PIPELINE)

    async def go(self, number: int) -> None:
        await self._room.acquire()
        if self._rate:
            wait = self._began + number / self._rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
        self.sent[number] = time.perf_counter()

    def done(self, number: int) -> None:
        self.took.append(time.perf_counter() - self.sent.pop(number))
        self._room.release()


async def fix(ready: dict[str, Any], count: int, gate: Gate) -> None:
    key = ready["accounts"][0]
    sender = key["fix"]["sender_comp_ids"][0]
    host, port = ready["fix_trading"].rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    number = 0

    def message(msg_type: bytes, *body: tuple[int, bytes]) -> bytes:
        nonlocal number
        number += 1
        header = ((34, b"%d" % number), (49, sender.encode()), (52, utc_timestamp(time.time_ns())), (56, b"KRAKEN-TRD"))
        return encode(b"FIX.4.4", msg_type, (*header, *body))

    nonce = str(time.time_ns() // 1_000_000)
    password = logon_password(Secret(key["api_secret"]), key["api_key"], 1, sender, "KRAKEN-TRD", nonce)
    writer.write(
        message(
            b"A", (98, b"0"), (108, b"60"), (141, b"Y"), (553, key["api_key"].encode()), (554, password.encode()),
            (5025, nonce.encode()),
        )
    )  # fmt: skip
    await reader.read(4096)

    async def read() -> None:
        framer = Framer()
        while len(gate.took) < count:
            for frame in framer.feed(await reader.read(1 << 18)):
                at = frame.find(b"\x0111=")
                assert at > 0, frame
                gate.done(int(frame[at + 4 : frame.index(b"\x01", at + 4)]) - 10**9)

    reading = asyncio.create_task(read())
    for order in range(count):
        await gate.go(order)
        writer.write(
            message(
                b"D", (11, b"%d" % (order + 10**9)), (38, b"0.001"), (40, b"2"), (44, b"50000.0"), (54, b"1"),
                (55, b"BTC/USD"), (59, b"1"), (60, utc_timestamp(time.time_ns())),
            )
        )  # fmt: skip
    await reading
    writer.close()


async def ws2(ready: dict[str, Any], count: int, gate: Gate) -> None:
    async with aiohttp.ClientSession() as session:
        token = (await private(session, ready, "GetWebSocketsToken", {}))["result"]["token"]
        async with session.ws_connect(ready["ws_v2"]) as line:
            await line.receive()

            async def read() -> None:
                while len(gate.took) < count:
                    answer = msgspec.json.decode((await line.receive()).data)
                    if answer.get("method") == "add_order":
                        assert answer["success"], answer
                        gate.done(answer["req_id"])

            reading = asyncio.create_task(read())
            for order in range(count):
                await gate.go(order)
                await line.send_str(
                    f'{{"method":"add_order","params":{{"order_type":"limit","side":"buy","order_qty":0.001,'
                    f'"symbol":"BTC/USD","limit_price":50000.0,"token":"{token}"}},"req_id":{order}}}'
                )
            await reading


async def private(session: aiohttp.ClientSession, ready: dict[str, Any], name: str, params: dict[str, str]) -> Any:
    key = ready["accounts"][0]
    nonce = str(time.time_ns())
    body = urlencode({"nonce": nonce, **params})
    path = f"/0/private/{name}"
    headers = {
        "API-Key": key["api_key"],
        "API-Sign": api_sign(Secret(key["api_secret"]), path, nonce, body.encode()),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with session.post(ready["rest"] + path, data=body, headers=headers) as answer:
        return msgspec.json.decode(await answer.read())


async def rest(ready: dict[str, Any], count: int, gate: Gate) -> None:
    params = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "50000.0", "volume": "0.001"}
    # One connection keeps the order of nonces.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        for order in range(count):
            await gate.go(order)
            answer = await private(session, ready, "AddOrder", params)
            assert not answer["error"], answer
            gate.done(order)


async def main(path: str, protocol: str, count: str, rate: str) -> None:
    ready = json.loads(Path(path).read_text())
    gate = Gate(float(rate))
    began = time.perf_counter()
    await {"fix": fix, "ws2": ws2, "rest": rest}[protocol](ready, int(count), gate)
    took = sorted(gate.took)
    print(
        json.dumps(
            {
                "per_s": len(took) / (time.perf_counter() - began),
                "p50_ms": 1e3 * statistics.median(took),
                "p99_ms": 1e3 * took[int(0.99 * len(took))],
            }
        )
    )


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
