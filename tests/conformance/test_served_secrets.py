"""No secret of an account is in anything that a venue says: answers, frames, FIX messages, its control API and page,
and what it writes on the console after it has opened, where it names them once for their owner.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from adapters.fix.codec import encode
from adapters.fix.times import utc_timestamp
from adapters.kraken.wire.fix_dialect import logon_password
from adapters.kraken.wire.signing import Secret, api_sign
from tests.conformance.served_venue import served_venue
from tests.conformance.test_served_control import control
from tests.conformance.test_served_sockets import WAIT_S, private, refused

ORDER = {"order_type": "limit", "side": "buy", "limit_price": 50000, "order_qty": 0.01, "symbol": "BTC/USD"}


class Overheard:
    """All that a venue was heard to say to anybody."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.ready = ready
        self.said: list[bytes] = []
        self.secrets = [account["api_secret"] for account in ready["accounts"]]

    def rest(self, path: str, body: bytes = b"", **headers: str) -> None:
        """Send a request as it is, with any headers."""
        host, port = self.ready["rest"].removeprefix("http://").rsplit(":", 1)
        line = http.client.HTTPConnection(host, int(port), timeout=WAIT_S)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        line.request("POST", path, body, form | {name.replace("_", "-"): value for name, value in headers.items()})
        answer = line.getresponse()
        self.said += [str(answer.getheaders()).encode(), answer.read()]
        line.close()

    def signed(self, name: str, body: bytes, secret: str) -> None:
        """Send a private request that is signed with something."""
        path = f"/0/private/{name}"
        nonce = str(time.time_ns())
        whole = urlencode({"nonce": nonce}).encode() + b"&" + body
        sign = api_sign(Secret(secret), path, nonce, whole)
        self.rest(path, whole, API_Key=self.ready["accounts"][0]["api_key"], API_Sign=sign)

    def websocket(self, address: str, messages: list[str]) -> None:
        """Send messages, and hear what comes in half a second."""

        async def run() -> None:
            async with aiohttp.ClientSession() as session, session.ws_connect(self.ready[address]) as line:
                for message in messages:
                    await line.send_str(message)
                while True:
                    try:
                        heard = await line.receive(timeout=0.5)
                    except TimeoutError:
                        return
                    if heard.type is not aiohttp.WSMsgType.TEXT:
                        return
                    self.said.append(heard.data.encode())

        asyncio.run(run())

    def fix(self, frames: list[bytes]) -> None:
        """Send frames on one connection, and hear what comes."""
        host, port = self.ready["fix_trading"].rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=1) as line:
            try:
                for frame in frames:
                    line.sendall(frame)
                    self.said.append(line.recv(65_536))
            except OSError:
                return

    def look(self, address: str) -> None:
        """Hear what an address of the control API says, errors too."""
        headers = {"Authorization": f"Bearer {self.ready['control_token']}"}
        try:
            with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=WAIT_S) as answer:
                self.said.append(answer.read())
        except urllib.error.HTTPError as error:
            self.said.append(error.read())


def hear_errors(heard: Overheard, token: str) -> None:
    """Make every kind of mistake, some with a secret at a wrong place."""
    mine, other = heard.ready["accounts"][0], heard.ready["accounts"][1]
    secret = mine["api_secret"]
    # REST: another's signature, a secret as key or as signature, and in a parameter's place.
    heard.signed("Balance", b"", other["api_secret"])
    heard.rest("/0/private/Balance", b"nonce=1", API_Key=secret, API_Sign=secret)
    heard.rest("/0/private/Balance", b"nonce=5", API_Key=mine["api_key"], API_Sign="none")
    for body in (b"pair=NOPE", b"pair=XBTUSD&volume=x", b"otp=123456&type=buy", b"%%%", b"pair=XBTUSD&price=1e400"):
        heard.signed("AddOrder", body, secret)
    heard.signed("NoSuchMethod", b"", secret)
    heard.rest("/0/private/AddOrder", b'{"nonce":', API_Key=mine["api_key"], Content_Type="application/json")
    # WebSockets: tokens that are none, messages that are none, orders that are refused.
    order = json.dumps({"method": "add_order", "params": ORDER | {"order_qty": 10_000, "token": token}})
    heard.websocket(
        "ws_v2",
        [
            json.dumps({"method": "subscribe", "params": {"channel": "executions", "token": token}}),
            json.dumps({"method": "subscribe", "params": {"channel": "executions", "token": "none"}}),
            json.dumps({"method": {"token": token}}),
            json.dumps({"method": "no_such_method", "params": {"token": token}}),
            json.dumps({"method": "cancel_order", "params": {"order_id": ["O"], "token": token}}),
            order,
            order[:-3],
        ],
    )
    heard.websocket(
        "ws_v1",
        [
            json.dumps({"event": "subscribe", "subscription": {"name": "ownTrades", "token": token}}),
            json.dumps({"event": "subscribe", "subscription": {"name": "nothing", "token": token}}),
            json.dumps({"event": "addOrder", "pair": "XBT/USD", "token": token}),
            json.dumps({"event": "no_such_event", "token": token}),
            json.dumps({"event": {"token": token}}),
            json.dumps({"event": "cancelOrder", "txid": ["O"], "token": token})[:-3],
        ],
    )


def logon(ready: dict[str, Any], password: str, nonce: str, number: int) -> bytes:
    """A Logon with a password."""
    fix, key = ready["accounts"][0]["fix"], ready["accounts"][0]["api_key"]
    fields = ((34, b"%d" % number), (49, fix["sender_comp_ids"][0].encode()), (52, utc_timestamp(time.time_ns())),
              (56, b"KRAKEN-TRD"), (98, b"0"), (108, b"30"), (141, b"Y"), (553, key.encode()),
              (554, password.encode()), (5025, nonce.encode()))  # fmt: skip
    return encode(b"FIX.4.4", b"A", fields)


def hear_fix(heard: Overheard) -> None:
    """Log on wrongly and rightly, and send what is none."""
    mine = heard.ready["accounts"][0]
    nonce = str(time.time_ns() // 1_000_000)
    names = (mine["fix"]["sender_comp_ids"][0], "KRAKEN-TRD")
    right = logon_password(Secret(mine["api_secret"]), mine["api_key"], 1, *names, nonce)
    wrong = "wrong-password-of-the-test"
    heard.secrets += [right, wrong]
    heard.fix([logon(heard.ready, wrong, nonce, 1)])
    heard.fix([logon(heard.ready, mine["api_secret"], nonce, 1)])
    again = logon(heard.ready, right, nonce, 1)
    odd = encode(b"FIX.4.4", b"D", ((34, b"2"), (49, names[0].encode()), (52, b"x"), (56, b"KRAKEN-TRD"), (554, b"y")))
    heard.fix([again, again, odd, b"8=FIX.4.4\x01" + again[:60]])


def test_a_run_of_errors_tells_no_secret_anywhere(tmp_path: Path) -> None:
    with served_venue(tmp_path) as ready:
        heard = Overheard(ready)
        token = str(private(ready, "GetWebSocketsToken")["token"])
        heard.secrets.append(token)
        hear_errors(heard, token)
        hear_fix(heard)
        for address in control(ready, ""):
            method, path = address.split()
            if method == "GET":
                heard.look(ready["control"] + path)
        heard.look(ready["control"] + "/")
        heard.look(ready["control"] + "/v1/nothing")
        heard.look(ready["control"] + "/v1/orders?account=nobody")
        assert private(ready, "Balance")
    _, opened, after = (tmp_path / "venue.log").read_text().partition("Ctrl-C ends it.")
    assert opened
    told = b"\n".join([*heard.said, after.encode()])
    assert len(heard.said) > 50
    assert b"EAPI:Invalid signature" in told
    assert b"ESession:Invalid session" in told
    assert b"EOrder:Insufficient funds" in told
    assert b"\x0135=5\x01" in told
    assert [secret[:4] for secret in heard.secrets if secret.encode() in told] == []
    assert ready["control_token"].encode() not in told
    assert b"Traceback" not in told


@pytest.mark.parametrize(
    "text",
    [
        "[[keys]]\naccount = 'a'\napi_key = 'k'\napi_secret = 'no base 64: SECRETSECRET'\n",
        "[[keys]]\naccount = 'a'\napi_key = 'k'\napi_secret = ['SECRETSECRET']\n",
        "[[keys]]\naccount = 'a'\napi_key = 'k'\napi_secret = 'SECRETSECRET\n",
        "[[keys]]\naccount = 'a'\napi_key = 'k'\napi_secrets = 'SECRETSECRET'\n",
        "[[keys]]\naccount = 'a'\napi_secret = 'SECRETSECRET'\n",
        "[[keys]]\naccount = 'a'\napi_key = 'k'\napi_secret = 'SECRETSECRET'\npermissions = ['fly']\n",
    ],
)
def test_a_mistake_in_a_file_of_keys_is_told_without_them(tmp_path: Path, text: str) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(text)
    done = refused("--keys", str(keys))
    assert (done.returncode, str(keys) in done.stderr) == (2, True)
    assert "SECRETSECRET" not in done.stderr + done.stdout
