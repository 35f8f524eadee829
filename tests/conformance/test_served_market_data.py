"""Level 3 and FIX market data of the served venue over real sockets, plain and with TLS.

Pages: websocket-v2/level3, guides/spot-ws-l3-v2, rest-api/get-level-3-order-book; fix-api/mdr-fix,
guides/fix-checksums.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

import aiohttp
import pytest

from adapters.fix.codec import Message
from adapters.fix.session import Session
from adapters.fix.settings import QuietHandler, SessionSettings
from adapters.fix.store import MemoryStore
from adapters.kraken.wire.fix_market_dialect import KRAKEN_FIX_MARKET
from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_sockets import WAIT_S, private, trusting

pytestmark = pytest.mark.slow

UPDATES = 200


def checksum(asks: list[tuple[str, str]], bids: list[tuple[str, str]]) -> int:
    """Of all entries at the ten best prices of each side; prices have 1 decimal, quantities 8."""

    def digits(text: str, decimals: int) -> str:
        return f"{Decimal(text):.{decimals}f}".replace(".", "").lstrip("0")

    text = ""
    for side in (asks, bids):
        best = list(dict.fromkeys(price for price, _ in side))[:10]
        text += "".join(digits(price, 1) + digits(qty, 8) for price, qty in side if price in best)
    return crc32(text.encode())


class Book:
    """Entries by id, in the order in which they came, of each side; the depth is kept by dropping the worst prices."""

    def __init__(self) -> None:
        self.sides: tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]] = ({}, {})

    def rows(self, side: int) -> list[tuple[str, str]]:
        """Price and quantity, best price first, then as they came."""
        return sorted(self.sides[side].values(), key=lambda row: Decimal(row[0]), reverse=side == 0)

    def cut(self, depth: int) -> None:
        """Drop what is behind so many prices."""
        for side, entries in enumerate(self.sides):
            kept = set(list(dict.fromkeys(price for price, _ in self.rows(side)))[:depth])
            for entry_id in [entry_id for entry_id, row in entries.items() if row[0] not in kept]:
                del entries[entry_id]


@pytest.mark.parametrize("options", [[], ["--tls"]], ids=["plain", "tls"])
def test_orders_are_kept_from_the_level_3_address_and_every_checksum_is_right(
    tmp_path: Path, options: list[str]
) -> None:
    with served_venue(tmp_path, *options, "--state", str(tmp_path / "state")) as ready:
        token = private(ready, "GetWebSocketsToken")["token"]
        book = Book()

        def apply(data: Any) -> None:
            for side, name in enumerate(("bids", "asks")):
                for row in data[name]:
                    entries = book.sides[side]
                    if row.get("event") == "delete":
                        del entries[row["order_id"]]
                    else:
                        entries[row["order_id"]] = (row["limit_price"], row["order_qty"])
            book.cut(10)
            assert data["checksum"] == checksum(book.rows(1), book.rows(0))

        async def watch() -> None:
            context = trusting(ready)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(ready["ws_l3"], ssl=True if context is None else context) as line,
            ):
                params = {"channel": "level3", "symbol": ["BTC/USD"], "token": token}
                await line.send_json({"method": "subscribe", "params": params})
                seen = 0
                while seen < UPDATES:
                    message = json.loads(await line.receive_str(timeout=WAIT_S), parse_float=str)
                    if message.get("channel") == "level3":
                        apply(message["data"][0])
                        seen += 1

        asyncio.run(watch())
        rows = private(ready, "Level3", pair="BTC/USD", depth="10")
        assert len({row["price"] for row in rows["bids"]}) == 10


class MarketClient(QuietHandler):
    """A FIX client of market data on a blocking socket."""

    def __init__(self, ready: dict[str, Any]) -> None:
        fix = ready["accounts"][0]["fix"]
        self.messages: list[Message] = []
        settings = SessionSettings(
            sender_comp_id=fix["sender_comp_ids"][0], target_comp_id=fix["market_data_target_comp_id"]
        )
        self.session = Session(settings, KRAKEN_FIX_MARKET, MemoryStore(), self)
        host, port = ready["fix_market_data"].rsplit(":", 1)
        plain = socket.create_connection((host, int(port)), timeout=WAIT_S)
        context = trusting(ready)
        self._socket = plain if context is None else context.wrap_socket(plain, server_hostname=host)
        self.session.connect(time.time_ns())
        self.run(lambda: self.session.is_open)

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        self.messages.append(message)

    def run(self, condition: Any) -> None:
        """Write and read until something holds."""
        end_s = time.monotonic() + WAIT_S
        while True:
            data = self.session.data_to_send()
            if data:
                self._socket.sendall(data)
            if condition():
                return
            assert time.monotonic() < end_s, "the venue did not answer in time"
            received = self._socket.recv(65_536)
            assert received, "the venue closed the line"
            self.session.receive(received, time.time_ns())


@pytest.mark.parametrize("options", [[], ["--tls"]], ids=["plain", "tls"])
@pytest.mark.parametrize("aggregated", [b"Y", b"N"], ids=["level 2", "level 3"])
def test_a_fix_client_keeps_the_book_and_every_checksum_is_right(
    tmp_path: Path, options: list[str], aggregated: bytes
) -> None:
    with served_venue(tmp_path, *options, "--state", str(tmp_path / "state")) as ready:
        client = MarketClient(ready)
        client.session.send(
            b"V",
            ((146, b"1"), (55, b"BTC/USD"), (262, b"1"), (263, b"1"), (264, b"25"), (266, aggregated), (267, b"2"),
             (269, b"0"), (269, b"1")),
            time.time_ns(),
        )  # fmt: skip
        client.run(lambda: len(client.messages) > UPDATES)
        book = Book()
        assert client.messages[0].msg_type == b"W"
        for message in client.messages:
            for entry in message.group(268, 279 if message.msg_type == b"X" else 269):
                entries, entry_id = book.sides[int(entry[269])], entry[278].decode()
                if entry.get(279) == b"2":
                    del entries[entry_id]
                else:
                    entries[entry_id] = (entry[270].decode(), entry[271].decode())
            if message.msg_type == b"X":
                assert message.text(5041) == str(checksum(book.rows(1), book.rows(0)))
