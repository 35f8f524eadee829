"""The served venue is killed under load, and goes on from its journal: whatever a client was told is still so, once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import aiohttp

from adapters.fix.codec import Fields, Message
from adapters.fix.session import Session
from adapters.fix.settings import QuietHandler, SessionSettings
from adapters.fix.store import MemoryStore
from adapters.fix.times import utc_timestamp
from adapters.kraken.wire.fix_dialect import KRAKEN_FIX, logon_password
from adapters.kraken.wire.signing import Secret, api_sign
from tests.conformance.served_venue import CHECKOUT, START_S_MAX

KILLS = 3
START_MONEY = Decimal(1_000_000)
LOST = (ConnectionError, aiohttp.ClientError, asyncio.IncompleteReadError, TypeError)


@contextmanager
def venue(folder: Path, *, is_resumed: bool, file_bytes_max: int = 0) -> Iterator[tuple[Any, subprocess.Popen[bytes]]]:
    """What the ready file says, and the process; it is killed at the end if it is still there."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.conformance.unlimited_venue", str(ready), str(folder / "journal")]

    def limit() -> None:
        if file_bytes_max:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))

    with (
        (folder / "log").open("ab") as log,
        subprocess.Popen(
            [*command, *(["resume"] if is_resumed else [])],
            cwd=CHECKOUT,
            stdout=log,
            stderr=log,
            preexec_fn=limit,  # noqa: PLW1509 - before any thread of ours
        ) as process,
    ):
        try:
            until_s = time.monotonic() + START_S_MAX
            while not ready.exists():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < until_s
                time.sleep(0.02)
            yield json.loads(ready.read_text()), process
        finally:
            process.kill()


class Notes:
    """What clients of one account were told, over all lives of the venue."""

    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.acknowledged: dict[str, str] = {}
        self.canceled: set[str] = set()
        self.trade_ids: set[str] = set()


class Trader:
    """Sends orders of one account over REST and WebSocket v2 until its venue is gone."""

    def __init__(self, ready: Any, account: int, notes: Notes, draw: random.Random) -> None:
        self.ready = ready
        self.key = ready["accounts"][account]
        self.notes = notes
        self.draw = draw
        self.one_at_a_time = asyncio.Lock()

    async def private(self, http: aiohttp.ClientSession, name: str, **params: str) -> Any:
        """The result of a request; an error is an AssertionError. One after another, so that nonces arrive in order."""
        async with self.one_at_a_time:
            return await self._private(http, name, **params)

    async def _private(self, http: aiohttp.ClientSession, name: str, **params: str) -> Any:
        nonce, path = str(time.time_ns()), f"/0/private/{name}"
        body = urlencode({"nonce": nonce, **params}).encode()
        sign = api_sign(Secret(self.key["api_secret"]), path, nonce, body)
        headers = {"API-Key": self.key["api_key"], "API-Sign": sign}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        async with http.post(self.ready["rest"] + path, data=body, headers=headers | form) as response:
            if response.status != 200:
                raise ConnectionError(response.status)
            envelope = await response.json()
        assert envelope["error"] == [], envelope
        return envelope["result"]

    def order(self, prefix: str) -> dict[str, Any]:
        """Price and so on of an order near the market, or far from it."""
        name = f"{prefix}{time.time_ns() // 1000}"
        self.notes.sent.add(name)
        side = self.draw.choice(("buy", "sell"))
        away = Decimal(self.draw.choice((-30, -5, 0, 5, 3000)))
        price = Decimal("89700.0") + (-away if side == "buy" else away)
        return {"cl_ord_id": name, "side": side, "price": price, "qty": Decimal("0.001") * self.draw.randrange(1, 9)}

    async def rest(self) -> None:
        """Orders one after another, and a cancel now and then."""
        async with aiohttp.ClientSession() as http:
            while True:
                made = self.order("r")
                answer = await self.private(
                    http,
                    "AddOrder",
                    pair="XBTUSD",
                    type=made["side"],
                    ordertype="limit",
                    price=str(made["price"]),
                    volume=str(made["qty"]),
                    cl_ord_id=made["cl_ord_id"],
                )
                (order_id,) = answer["txid"]
                self.notes.acknowledged[order_id] = made["cl_ord_id"]
                if self.draw.random() < 0.2:
                    with contextlib.suppress(AssertionError):  # it may be filled by now
                        await self.private(http, "CancelOrder", txid=order_id)
                        self.notes.canceled.add(order_id)
                await asyncio.sleep(0.005)

    async def websocket(self) -> None:
        """Orders without waiting for their answers; what is told is noted."""
        async with aiohttp.ClientSession() as http:
            token = (await self.private(http, "GetWebSocketsToken"))["token"]
            async with http.ws_connect(self.ready["ws_v2"]) as line:
                await line.send_json({"method": "subscribe", "params": {"channel": "executions", "token": token}})
                reader = asyncio.create_task(self._read(line))
                try:
                    while not reader.done():
                        made = self.order("w")
                        params = {
                            "order_type": "limit",
                            "side": made["side"],
                            "symbol": "BTC/USD",
                            "limit_price": float(made["price"]),
                            "order_qty": float(made["qty"]),
                            "cl_ord_id": made["cl_ord_id"],
                            "token": token,
                        }
                        await line.send_json({"method": "add_order", "params": params})
                        await asyncio.sleep(0.005)
                finally:
                    reader.cancel()

    async def _read(self, line: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            message = await line.receive_json()
            if message.get("method") == "add_order" and message["success"]:
                self.notes.acknowledged[message["result"]["order_id"]] = message["result"]["cl_ord_id"]
            for row in message.get("data", ()) if message.get("channel") == "executions" else ():
                if row["exec_type"] == "trade":
                    self.notes.trade_ids.add(row["exec_id"])

    async def pages(self, name: str, rows: str, **params: str) -> dict[str, Any]:
        """All rows of a paged request."""
        found: dict[str, Any] = {}
        async with aiohttp.ClientSession() as http:
            while True:
                answer = await self.private(http, name, ofs=str(len(found)), **params)
                found |= answer[rows]
                if len(found) >= answer["count"]:
                    return found

    async def asked(self, name: str) -> Any:
        """The result of one request without arguments."""
        async with aiohttp.ClientSession() as http:
            return await self.private(http, name)


class FixTrader(QuietHandler):
    """A FIX client whose session outlives the venue."""

    def __init__(self, ready: Any, draw: random.Random) -> None:
        self.key = ready["accounts"][0]
        self.comp_id = self.key["fix"]["sender_comp_ids"][0]
        settings = SessionSettings(sender_comp_id=self.comp_id, target_comp_id="KRAKEN-TRD")
        self.session = Session(settings, KRAKEN_FIX, MemoryStore(), self)
        self.reports: list[Message] = []
        self.sent: list[str] = []
        self._heard_s = 0.0
        self._draw = draw

    def logon_fields(self, session: Session, now_ns: int) -> Fields:
        nonce = str(time.time_ns() // 1_000_000)
        secret, key = Secret(self.key["api_secret"]), self.key["api_key"]
        password = logon_password(secret, key, session.next_sender, self.comp_id, "KRAKEN-TRD", nonce)
        return ((553, key.encode()), (554, password.encode()), (5025, nonce.encode()), (8674, b"1"))

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        self.reports.append(message)

    def _add(self) -> None:
        name = str(time.time_ns() // 1000)
        self.sent.append(name)
        side = self._draw.choice((b"1", b"2"))
        price = b"%d.0" % (89_700 + self._draw.choice((-20, 0, 20)))
        now = utc_timestamp(time.time_ns())
        fields = ((11, name.encode()), (38, b"0.002"), (40, b"2"), (44, price), (54, side), (55, b"BTC/USD"),
                  (59, b"1"), (60, now))  # fmt: skip
        self.session.send(b"D", fields, time.time_ns())

    async def run(self, ready: Any, is_over: Callable[[], bool], *, is_sending: bool) -> None:
        """Log on, and send orders until it is over or the venue is gone."""
        host, port = ready["fix_trading"].rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        self.session.connect(time.time_ns())
        self._heard_s = time.monotonic()

        async def listen() -> None:
            while data := await reader.read(65_536):
                self._heard_s = time.monotonic()
                self.session.receive(data, time.time_ns())
                writer.write(self.session.data_to_send())

        listening = asyncio.create_task(listen())
        try:
            while not is_over() and not listening.done():
                if is_sending and self.session.is_open:
                    self._add()
                writer.write(self.session.data_to_send())
                await asyncio.sleep(0.005)
        finally:
            listening.cancel()
            writer.close()
            self.session.disconnected(time.time_ns())

    @property
    def has_heard_all(self) -> bool:
        """Whether each request was answered, and nothing has come on this line for a while."""
        is_quiet = self.session.is_open and time.monotonic() > self._heard_s + 1.0
        return is_quiet and set(self.answers()) == set(self.sent)

    def answers(self) -> Counter[str]:
        """How often each request was answered."""
        names = [
            report.text(379) if report.msg_type == b"j" else report.text(11)
            for report in self.reports
            if report.msg_type == b"j" or report.text(150) == "0"
        ]
        return Counter(names)

    def told_lots(self) -> dict[str, Decimal]:
        """What was filled of each order, as told by its fills."""
        told: dict[str, Decimal] = {}
        for report in self.reports:
            if report.text(150) == "F":
                told[report.text(37)] = told.get(report.text(37), Decimal(0)) + Decimal(report.text(32))
        return told


async def trade_until_killed(
    ready: Any, notes: list[Notes], fix: FixTrader, draw: random.Random, kill: Callable[[], None]
) -> None:
    """Load the venue from all sides, and kill it in the middle of that."""
    traders = [Trader(ready, account, notes[account], draw) for account in range(2)]
    over = asyncio.Event()
    work = [asyncio.create_task(way()) for trader in traders for way in (trader.rest, trader.websocket)]
    work.append(asyncio.create_task(fix.run(ready, over.is_set, is_sending=True)))
    await asyncio.sleep(draw.uniform(0.5, 1.3))
    kill()
    over.set()
    for task in work:
        with contextlib.suppress(*LOST):
            await asyncio.wait_for(task, 5)


def test_no_acknowledged_order_or_fill_is_lost_and_none_doubled_by_kills_under_load(tmp_path: Path) -> None:
    draw = random.Random(3)
    notes = [Notes(), Notes()]
    fix: FixTrader | None = None
    for life in range(KILLS):
        with venue(tmp_path, is_resumed=life > 0) as (ready, process):
            fix = fix or FixTrader(ready, draw)
            asyncio.run(trade_until_killed(ready, notes, fix, draw, lambda: process.send_signal(signal.SIGKILL)))
            assert process.wait(10) == -signal.SIGKILL
    assert fix is not None
    with venue(tmp_path, is_resumed=True) as (ready, _):
        asyncio.run(prove(ready, notes, fix))


async def prove(ready: Any, notes: list[Notes], fix: FixTrader) -> None:
    """What the venue says now is what its clients were told; its market stands still, so that nothing is filled on."""
    await asyncio.to_thread(pause, ready)
    until_s = time.monotonic() + 15
    await fix.run(ready, lambda: fix.has_heard_all or time.monotonic() > until_s, is_sending=False)
    assert fix.answers() == Counter(fix.sent)
    for account in range(2):
        told = notes[account]
        trader = Trader(ready, account, Notes(), random.Random(0))
        orders = (await trader.asked("OpenOrders"))["open"] | await trader.pages("ClosedOrders", "closed")
        trades = await trader.pages("TradesHistory", "trades", consolidate_taker="false")
        assert len(told.acknowledged) > 50
        assert len(told.trade_ids) > 10
        assert {order_id: orders[order_id]["cl_ord_id"] for order_id in told.acknowledged} == told.acknowledged
        assert all(orders[order_id]["status"] == "canceled" for order_id in told.canceled)
        assert told.trade_ids <= set(trades)
        made = Counter(row["cl_ord_id"] for row in orders.values())
        assert max(made.values()) == 1
        assert set(made) <= told.sent | set(fix.sent)
        base = sum((sign(row) * Decimal(row["vol"]) for row in trades.values()), START_MONEY)
        quote = sum((-sign(row) * Decimal(row["cost"]) - Decimal(row["fee"]) for row in trades.values()), START_MONEY)
        balance = await trader.asked("Balance")
        assert (Decimal(balance["XXBT"]), abs(Decimal(balance["ZUSD"]) - quote) < 1) == (base, True)
        if account == 0:
            filled = {order_id: Decimal(row["vol_exec"]) for order_id, row in orders.items()}
            mine = {order_id for order_id, row in orders.items() if row["cl_ord_id"] in set(fix.sent)}
            assert fix.told_lots() == {order_id: filled[order_id] for order_id in mine if filled[order_id]}


def pause(ready: Any) -> None:
    """Let the venue's time stand still."""
    headers = {"Authorization": f"Bearer {ready['control_token']}"}
    with urlopen(Request(f"{ready['control']}/v1/time/pause", b"{}", headers), timeout=10) as answer:
        assert answer.status == 200


def sign(row: Any) -> int:
    return 1 if row["type"] == "buy" else -1


def test_a_venue_that_cannot_write_its_journal_stops_and_has_all_that_it_acknowledged(tmp_path: Path) -> None:
    notes = [Notes(), Notes()]

    async def trade(ready: Any) -> None:
        trader, fix = Trader(ready, 0, notes[0], random.Random(1)), FixTrader(ready, random.Random(2))
        ways = (trader.rest(), trader.websocket(), fix.run(ready, lambda: False, is_sending=True))
        await asyncio.wait_for(asyncio.gather(*ways, return_exceptions=True), 20)

    with venue(tmp_path, is_resumed=False, file_bytes_max=40_000) as (ready, process):
        asyncio.run(trade(ready))
        assert process.wait(10) == 2
    log = (tmp_path / "log").read_text()
    assert "the journal cannot be written (File too large), so the venue stops" in log.splitlines()[-1]
    assert "Traceback" not in log
    with venue(tmp_path, is_resumed=True) as (ready, _):
        # In this order, for the market goes on: what is open and ends in between is among the ended ones.
        opened = asyncio.run(Trader(ready, 0, Notes(), random.Random(0)).asked("OpenOrders"))["open"]
        orders = asyncio.run(Trader(ready, 0, Notes(), random.Random(0)).pages("ClosedOrders", "closed"))
    assert notes[0].acknowledged
    assert set(notes[0].acknowledged) <= set(orders | opened)
