"""Cancel, then new, sent in one instant over a real socket: which of the two the engine meets first.

Source: guides/spot-amends, "Chaining of Unacknowledged Requests": in order on FIX; load balanced on WebSocket. Two
messages on different ones of k equal paths are inverted every other time, on the same one never: (1 - 1/k) / 2.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from adapters.fix.times import utc_timestamp
from adapters.kraken.profile import PROFILE
from framework.protocol import Protocol
from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_sockets import FixClient, private

WAIT_S = 30
ACCOUNTS, PAIRS, EACH = 20, ("BTC/USD", "ETH/USD", "BTC/EUR"), 12
OPTIONS = ("--latency", "internet", "--reorder", "--accounts", str(ACCOUNTS), "--tier", "pro")


class Owner:
    """An account on a WebSocket of its own. engine: when each order became new and was canceled, by its client id."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse, token: str) -> None:
        self._line = line
        self._token = token
        self.engine: dict[tuple[str, str], str] = {}

    async def send(self, *messages: tuple[str, dict[str, Any]]) -> None:
        for method, params in messages:
            await self._line.send_str(json.dumps({"method": method, "params": {**params, "token": self._token}}))

    def add(self, name: str, symbol: str) -> tuple[str, dict[str, Any]]:
        price = 1000.0 if "BTC" in symbol else 100.0
        order = {"order_type": "limit", "side": "buy", "order_qty": 0.1, "limit_price": price}
        return "add_order", {**order, "symbol": symbol, "cl_ord_id": name}

    def cancel(self, name: str) -> tuple[str, dict[str, Any]]:
        return "cancel_order", {"cl_ord_id": [name]}

    async def hear(self, is_enough: Callable[[], bool]) -> None:
        while not is_enough():
            message = json.loads((await self._line.receive(WAIT_S)).data)
            assert message.get("success", True), message
            if message.get("channel") == "executions" and message["type"] == "update":
                for row in message["data"]:
                    if row["exec_type"] in ("new", "canceled"):
                        self.engine[row["cl_ord_id"], row["exec_type"]] = row["timestamp"]


async def count_inversions(session: aiohttp.ClientSession, ready: dict[str, Any], account: int) -> int:
    token = private(ready, "GetWebSocketsToken", account)["token"]
    async with session.ws_connect(ready["ws_v2"]) as line:
        owner = Owner(line, token)
        await owner.send(("subscribe", {"channel": "executions", "snap_orders": False, "snap_trades": False}))
        names = [(f"{symbol[:3]}{symbol[4:]}{number}", symbol) for symbol in PAIRS for number in range(EACH)]
        await owner.send(*[owner.add(f"old{name}", symbol) for name, symbol in names])
        await owner.hear(lambda: len(owner.engine) == len(names))
        for name, symbol in names:
            await owner.send(owner.cancel(f"old{name}"), owner.add(f"new{name}", symbol))
        await owner.hear(lambda: len(owner.engine) == 3 * len(names))
        return sum(owner.engine[f"new{name}", "new"] < owner.engine[f"old{name}", "canceled"] for name, _ in names)


def test_a_new_order_overtakes_the_cancel_before_it_on_websocket_as_often_as_balanced_paths_say(tmp_path: Path) -> None:
    async def whole(ready: dict[str, Any]) -> int:
        async with aiohttp.ClientSession() as session:
            counts = await asyncio.gather(*[count_inversions(session, ready, number) for number in range(ACCOUNTS)])
        return sum(counts)

    with served_venue(tmp_path, *OPTIONS) as ready:
        inverted = asyncio.run(whole(ready))
    paths = PROFILE.protocols[Protocol.WS2].balanced_paths
    rate, count = (1 - 1 / paths) / 2, ACCOUNTS * len(PAIRS) * EACH
    print(f"{inverted} of {count} inverted, {rate * count:.0f} expected")
    assert abs(inverted - rate * count) <= 3 * math.sqrt(count * rate * (1 - rate))


def test_a_new_order_never_overtakes_the_cancel_before_it_on_fix(tmp_path: Path) -> None:
    with served_venue(tmp_path, *OPTIONS) as ready:
        client = FixClient(ready).open()
        names = iter(str(number) for number in range(time.time_ns() // 1000, 2**62))

        def send(msg_type: bytes, name: str, *more: tuple[int, bytes]) -> None:
            now_ns = time.time_ns()
            fields = {11: name.encode(), 54: b"1", 55: b"BTC/USD", 60: utc_timestamp(now_ns), **dict(more)}
            client.session.send(msg_type, sorted(fields.items()), now_ns)

        terms = ((38, b"0.1"), (40, b"2"), (44, b"1000.0"), (59, b"1"))
        old = [next(names) for _ in range(EACH)]
        for name in old:
            send(b"D", name, *terms)
        client.run(lambda: sum(report.text(150) == "0" for report in client.reports) == EACH)
        count = len(client.reports)
        for name in old:
            send(b"F", next(names), (41, name.encode()))
            send(b"D", next(names), *terms)
        client.run(lambda: sum(report.text(150) in ("0", "4") for report in client.reports[count:]) == 2 * EACH)
    told = [report.text(150) for report in client.reports[count:] if report.text(150) in ("0", "4")]
    assert told == ["4", "0"] * EACH
