"""The served venue over real sockets, plain and with TLS: REST, WebSocket v2 and FIX, and how it starts and ends."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import ssl
import stat
import struct
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.fix.codec import Fields, Message
from adapters.fix.session import Session
from adapters.fix.settings import QuietHandler, SessionSettings
from adapters.fix.store import MemoryStore
from adapters.fix.times import utc_timestamp
from adapters.kraken.wire.fix_dialect import KRAKEN_FIX, logon_password
from adapters.kraken.wire.signing import Secret, api_sign
from framework.cli import main
from tests.conformance.served_venue import CHECKOUT, served_venue

pytestmark = pytest.mark.slow

WAIT_S = 20


def trusting(ready: dict[str, Any]) -> ssl.SSLContext | None:
    """What a client needs to trust the venue; None where it is served plainly."""
    ca = ready["ca_certificate"]
    return None if ca is None else ssl.create_default_context(cafile=ca)


def private(ready: dict[str, Any], name: str, account: int = 0, *, nonce: str = "", **params: str) -> Any:
    """The result of a private REST request, by Python's own HTTP client; nonce: the time, if it is left out."""
    key = ready["accounts"][account]
    nonce = nonce or str(time.time_ns())
    body = urllib.parse.urlencode({"nonce": nonce, **params}).encode()
    path = f"/0/private/{name}"
    headers = {"API-Key": key["api_key"], "API-Sign": api_sign(Secret(key["api_secret"]), path, nonce, body)}
    request = urllib.request.Request(ready["rest"] + path, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=WAIT_S, context=trusting(ready)) as answer:
        envelope = json.load(answer)
    assert envelope["error"] == [], envelope
    return envelope["result"]


class FixClient(QuietHandler):
    """A FIX client on a blocking socket."""

    def __init__(self, ready: dict[str, Any], account: int = 0, number: int = 0) -> None:
        self.key = ready["accounts"][account]
        self.comp_id = self.key["fix"]["sender_comp_ids"][number]
        self.reports: list[Message] = []
        self.closed: list[str] = []
        self.is_opened = False
        settings = SessionSettings(sender_comp_id=self.comp_id, target_comp_id=self.key["fix"]["target_comp_id"])
        self.session = Session(settings, KRAKEN_FIX, MemoryStore(), self)
        self._ready = ready
        self._socket: socket.socket | None = None

    def logon_fields(self, session: Session, now_ns: int) -> Fields:
        nonce = str(time.time_ns() // 1_000_000)
        secret, key = Secret(self.key["api_secret"]), self.key["api_key"]
        password = logon_password(secret, key, session.next_sender, self.comp_id, "KRAKEN-TRD", nonce)
        return ((553, key.encode()), (554, password.encode()), (5025, nonce.encode()))

    def on_opened(self, session: Session, message: Message, now_ns: int) -> None:
        self.is_opened = True

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        self.reports.append(message)

    def on_closed(self, session: Session, reason: str, now_ns: int) -> None:
        self.closed.append(reason)

    def open(self) -> FixClient:
        """Connect and log on."""
        host, port = self._ready["fix_trading"].rsplit(":", 1)
        plain = socket.create_connection((host, int(port)), timeout=WAIT_S)
        context = trusting(self._ready)
        self._socket = plain if context is None else context.wrap_socket(plain, server_hostname=host)
        self.session.connect(time.time_ns())
        self.run(lambda: self.is_opened)
        return self

    def run(self, condition: Any) -> None:
        """Write and read until something holds."""
        assert self._socket is not None
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

    def add(self, side: str, price: str, qty: str) -> Message:
        """Add a limit order; the last report of it."""
        now = utc_timestamp(time.time_ns())
        name = str(time.time_ns() // 1000).encode()
        fields = ((11, name), (38, qty.encode()), (40, b"2"), (44, price.encode()), (54, side.encode()),
                  (55, b"BTC/USD"), (59, b"1"), (60, now))  # fmt: skip
        count = len(self.reports)
        self.session.send(b"D", fields, time.time_ns())
        self.run(lambda: len(self.reports) > count)
        return self.reports[-1]

    def drop(self) -> None:
        """Close the socket without a word."""
        assert self._socket is not None
        self._socket.close()
        self.session.disconnected(time.time_ns())


@pytest.mark.parametrize("options", [[], ["--tls"]], ids=["plain", "tls"])
def test_one_account_is_the_same_over_rest_websocket_and_fix(tmp_path: Path, options: list[str]) -> None:
    given = [*options, "--state", str(tmp_path / "state")]
    with served_venue(tmp_path, *given) as ready:
        fix = FixClient(ready).open()
        report = fix.add("1", "50000.0", "0.01")
        order_id = report.text(37)
        assert order_id in private(ready, "OpenOrders")["open"]

        async def websocket() -> None:
            token = private(ready, "GetWebSocketsToken")["token"]
            context = trusting(ready)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(ready["ws_v2"], ssl=True if context is None else context) as line,
            ):
                subscribe = {"method": "subscribe", "params": {"channel": "executions", "token": token}}
                await line.send_json(subscribe)
                while (message := await line.receive_json(timeout=WAIT_S)).get("type") != "snapshot":
                    continue
                assert [row["order_id"] for row in message["data"]] == [order_id]
                cancel = {"method": "cancel_order", "params": {"order_id": [order_id], "token": token}}
                await line.send_json(cancel)
                while (message := await line.receive_json(timeout=WAIT_S)).get("channel") != "executions":
                    continue
                assert message["data"][0]["exec_type"] == "canceled"

        asyncio.run(websocket())
        fix.run(lambda: fix.reports[-1].text(150) == "4")
        assert private(ready, "OpenOrders")["open"] == {}


def test_a_line_that_drops_cancels_the_fix_sessions_orders_and_no_others(tmp_path: Path) -> None:
    with served_venue(tmp_path) as ready:
        fix = FixClient(ready).open()
        fix.add("1", "50000.0", "0.01")
        rest = private(ready, "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="50000", volume="0.01")
        assert len(private(ready, "OpenOrders")["open"]) == 2
        fix.drop()
        end_s = time.monotonic() + WAIT_S
        while list(private(ready, "OpenOrders")["open"]) != rest["txid"]:
            assert time.monotonic() < end_s
            time.sleep(1.1)
        again = FixClient(ready)
        again.session = fix.session
        again.session._handler = again
        again.open()
        again.run(lambda: again.reports)
        assert (again.reports[0].text(150), again.reports[0].text(43)) == ("4", "Y")


def test_the_ready_file_is_for_its_owner_only_and_the_log_holds_addresses(tmp_path: Path) -> None:
    with served_venue(tmp_path, "--accounts", "3") as ready:
        assert stat.S_IMODE((tmp_path / "ready.json").stat().st_mode) == 0o600
        assert len(ready["accounts"]) == 3
        assert all(len(account["fix"]["sender_comp_ids"]) == 2 for account in ready["accounts"])
        assert ready["rest"] in (tmp_path / "venue.log").read_text()


def command(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "framework.cli", "venue", *options],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


def refused(*options: str) -> subprocess.CompletedProcess[str]:
    """As ``command``, of what ends before a venue is made, in this process: one of its own takes seconds to begin."""
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        code = main(["venue", *options])
    return subprocess.CompletedProcess(options, code, output.getvalue(), errors.getvalue())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--market", "nowhere"], "--market nowhere"),
        (["--latency", "warp"], "--latency"),
        (["--reorder"], "--reorder needs a latency"),
        (["--tier", "gold"], "--tier gold"),
        (["--balances", "DOGE=5"], "--balances DOGE"),
        (["--keys", "missing.toml"], "missing.toml"),
        (["--accounts", "0"], "--accounts 0"),
        (["--port", "70000"], "--port 70000"),
        (["--resume"], "--resume needs the journal that is to be resumed; give --journal"),
        (["--socket-connects", "-1"], "--socket-connects -1: it must be 0 or more"),
    ],
)
def test_a_mistake_ends_in_one_line_that_names_it(options: list[str], text: str) -> None:
    done = refused(*options)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert text in done.stderr


def test_an_address_that_connects_too_often_is_banned_from_sockets_and_not_from_rest(tmp_path: Path) -> None:
    """guides/spot-ws-intro: attempts of an address are limited; more of them get it banned."""

    async def connect(ready: dict[str, Any]) -> list[int]:
        codes = []
        async with aiohttp.ClientSession() as session:
            for _ in range(3):
                try:
                    async with session.ws_connect(ready["ws_v2"]) as ws:
                        codes.append(101 if (await ws.receive(WAIT_S)).type is aiohttp.WSMsgType.TEXT else 0)
                except aiohttp.WSServerHandshakeError as error:
                    codes.append(error.status)
        return codes

    with served_venue(tmp_path, "--socket-connects", "2") as ready:
        assert asyncio.run(connect(ready)) == [101, 101, 429]
        assert private(ready, "Balance")


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = command("--port", port)
    assert (done.returncode, f"--port {port}" in done.stderr) == (2, True)


def test_subscribers_that_vanish_without_a_word_hurt_nobody(tmp_path: Path) -> None:
    async def subscribe_and_vanish(ready: dict[str, Any]) -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(20):
                line = await session.ws_connect(ready["ws_v2"])
                await line.send_str(
                    '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD","ETH/USD"],"depth":1000}}'
                )
                await line.receive()
                transport = line._response.connection.transport  # type: ignore[union-attr]
                assert transport is not None
                # Not closed but reset: what the venue writes next finds nobody.
                linger = struct.pack("ii", 1, 0)
                transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                transport.abort()

    with served_venue(tmp_path, "--speed", "20") as ready:
        asyncio.run(subscribe_and_vanish(ready))
        time.sleep(0.5)
        assert private(ready, "Balance")


def test_bytes_that_are_no_protocol_hurt_nobody(tmp_path: Path) -> None:
    with served_venue(tmp_path) as ready:
        for address in (ready["rest"].removeprefix("http://"), ready["fix_trading"], ready["fix_market_data"]):
            host, port = address.rsplit(":", 1)
            for data in (
                b"\x00" * 1000,
                b"GET / HTTP/1.1\r\n\r\n",
                b"8=FIX.4.4\x019=5\x0135=A\x01" * 50,
                b"\xff" * 100_000,
            ):
                with socket.create_connection((host, int(port)), timeout=WAIT_S) as line:
                    line.sendall(data)
            half_open = [socket.create_connection((host, int(port))) for _ in range(50)]
            for line in half_open:
                line.close()
        assert FixClient(ready).open().add("1", "50000.0", "0.01").text(150) == "0"
        assert len(private(ready, "OpenOrders")["open"]) == 1
