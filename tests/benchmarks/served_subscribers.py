"""Subscribers of the served books, in a process of their own.

``python -m tests.benchmarks.served_subscribers READY.json COUNT SECONDS SYMBOL...`` has COUNT connections subscribe to
the books of all symbols at depth 10, and prints JSON: messages received per second by all of them, and how many
checksums the first of them found right and wrong.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from zlib import crc32

DEPTH = 10


class Subscriber(asyncio.Protocol):
    """Counts messages; one that verifies also keeps the books and compares checksums."""

    def __init__(self, host: str, symbols: list[str], is_verifying: bool) -> None:
        self._host = host
        self._symbols = symbols
        self._is_verifying = is_verifying
        self._buffer = bytearray()
        self._is_open = False
        self.count = 0
        self.right = self.wrong = 0
        self._books: dict[str, tuple[dict[str, str], dict[str, str]]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        hello = (
            f"GET /v2 HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n"
        )
        self._transport.write(hello.encode())

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._is_open:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            del buffer[: end + 4]
            self._is_open = True
            wanted = {"method": "subscribe", "params": {"channel": "book", "symbol": self._symbols, "depth": DEPTH}}
            payload = json.dumps(wanted).encode()
            assert 126 <= len(payload) < 65_536
            self._transport.write(b"\x81\xfe" + len(payload).to_bytes(2, "big") + bytes(4) + payload)
        at, size = 0, len(buffer)
        while size >= at + 4:
            length, start = buffer[at + 1], at + 2
            if length == 126:
                length, start = (buffer[at + 2] << 8) + buffer[at + 3], at + 4
            if size < start + length:
                break
            at = start + length
            self.count += 1
            if self._is_verifying:
                self._verify(bytes(buffer[start:at]))
        del buffer[:at]

    def _verify(self, payload: bytes) -> None:
        message = json.loads(payload, parse_float=str, parse_int=str)
        if message.get("channel") != "book":
            return
        (row,) = message["data"]
        book = self._books.setdefault(row["symbol"], ({}, {}))
        for side, levels, sign in ((0, row["bids"], -1), (1, row["asks"], 1)):
            kept = book[side]
            for level in levels:
                if float(level["qty"]):
                    kept[level["price"]] = level["qty"]
                else:
                    kept.pop(level["price"], None)
            for price in sorted(kept, key=lambda text: sign * float(text))[DEPTH:]:
                del kept[price]
        text = "".join(_digits(price) + _digits(qty) for price, qty in self._best(book[1], 1) + self._best(book[0], -1))
        if crc32(text.encode()) == int(row["checksum"]):
            self.right += 1
        else:
            self.wrong += 1

    @staticmethod
    def _best(side: dict[str, str], sign: int) -> list[tuple[str, str]]:
        return sorted(side.items(), key=lambda level: sign * float(level[0]))[:10]


def _digits(text: str) -> str:
    return text.replace(".", "").lstrip("0")


async def main(path: str, count: str, seconds: str, *symbols: str) -> None:
    ready: dict[str, Any] = json.loads(Path(path).read_text())
    address = urlsplit(ready["ws_v2"])
    loop = asyncio.get_running_loop()
    subscribers = []
    for number in range(int(count)):
        _, subscriber = await loop.create_connection(
            lambda is_verifying=(number == 0): Subscriber(address.netloc, list(symbols), is_verifying),
            address.hostname,
            address.port,
        )
        subscribers.append(subscriber)
    await asyncio.sleep(1.0)
    before, began = sum(each.count for each in subscribers), time.perf_counter()
    await asyncio.sleep(float(seconds))
    received = sum(each.count for each in subscribers) - before
    took = time.perf_counter() - began
    print(json.dumps({"per_s": received / took, "right": subscribers[0].right, "wrong": subscribers[0].wrong}))


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
