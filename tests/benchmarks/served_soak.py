"""A client that adds and cancels orders on the served venue without end, in a process of its own.

``python -m tests.benchmarks.served_soak READY.json PROTOCOL COUNT STEPS RATE`` prints JSON: the resident memory of the
venue in MB after each of STEPS equal parts of COUNT orders, and commands answered per second. RATE: orders a second, 0
for as many as are answered.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from adapters.fix.codec import Framer, encode
from adapters.fix.times import utc_timestamp
from tests.benchmarks.served_load import fix_logon, private_request

BATCH = 50

type Act = Callable[[int, int], Awaitable[None]]
"""Adds and cancels the orders of a range of numbers, and waits for the answers."""


async def ws2(ready: dict[str, Any], act: Callable[[Act], Awaitable[None]]) -> None:
    async with aiohttp.ClientSession() as session:
        path, headers, body = private_request(ready, "GetWebSocketsToken", {})
        async with session.post(ready["rest"] + path, data=body, headers=headers) as answer:
            token = (await answer.json())["result"]["token"]
        async with session.ws_connect(ready["ws_v2"]) as line:

            async def some(first: int, last: int) -> None:
                for number in range(first, last):
                    await line.send_str(
                        f'{{"method":"add_order","params":{{"order_type":"limit","side":"buy","order_qty":0.001,'
                        f'"symbol":"BTC/USD","limit_price":50000.0,"cl_ord_id":"{number}","token":"{token}"}}}}'
                    )
                    await line.send_str(
                        f'{{"method":"cancel_order","params":{{"cl_ord_id":["{number}"],"token":"{token}"}}}}'
                    )
                missing = 2 * (last - first)
                while missing:
                    data = (await line.receive()).data
                    if '"method"' in data:
                        assert '"success":true' in data, data
                        missing -= 1

            await act(some)


async def fix(ready: dict[str, Any], act: Callable[[Act], Awaitable[None]]) -> None:
    host, port, sender, logon = fix_logon(ready)
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(logon)
    await reader.read(4096)
    framer = Framer()
    seq_num = 1

    def message(msg_type: bytes, *body: tuple[int, bytes]) -> bytes:
        nonlocal seq_num
        seq_num += 1
        now = utc_timestamp(time.time_ns())
        header = ((34, b"%d" % seq_num), (49, sender.encode()), (52, now), (56, b"KRAKEN-TRD"))
        return encode(b"FIX.4.4", msg_type, (*header, *body, (60, now)))

    terms = ((38, b"0.001"), (40, b"2"), (44, b"50000.0"), (54, b"1"), (55, b"BTC/USD"), (59, b"1"))

    async def some(first: int, last: int) -> None:
        for number in range(first, last):
            old, new = b"%d" % (2 * number + 1), b"%d" % (2 * number + 2)
            writer.write(message(b"D", (11, old), *terms))
            writer.write(message(b"F", (11, new), (41, old), (54, b"1"), (55, b"BTC/USD")))
        missing = 2 * (last - first)
        while missing:
            for frame in framer.feed(await reader.read(1 << 18)):
                assert b"\x0135=8\x01" in frame or b"\x0135=0\x01" in frame, frame
                missing -= b"\x0135=8\x01" in frame

    await act(some)


async def main(path: str, protocol: str, count: str, steps: str, rate: str) -> None:
    ready = json.loads(Path(path).read_text())
    resident_mb: list[int] = []
    each = int(count) // int(steps)
    began = time.perf_counter()

    async def act(some: Act) -> None:
        for step in range(int(steps)):
            for first in range(step * each, (step + 1) * each, BATCH):
                if float(rate):
                    await asyncio.sleep(max(0.0, began + first / float(rate) - time.perf_counter()))
                await some(first, first + BATCH)
            status = Path(f"/proc/{ready['process_id']}/status").read_text()
            resident_mb.append(int(status.partition("VmRSS:")[2].split()[0]) // 1024)

    await {"fix": fix, "ws2": ws2}[protocol](ready, act)
    per_s = 2 * each * int(steps) / (time.perf_counter() - began)
    print(json.dumps({"resident_mb": resident_mb, "per_s": per_s}))


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
