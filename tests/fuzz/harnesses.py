"""What hostile bytes are fed to: FIX, the gateways of REST and of both WebSockets, and the codecs.

A harness takes any bytes. It raises nothing for what is refused as documented; whatever comes out of it is a fault, and
so is a secret in what the venue sends. Bytes are read as a small script, so that a mutation of one reaches deep: see
each harness. Scripts to start from stand in ``seeds``, a folder for each harness.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from adapters.fix.codec import Framer, decode, frame_fault
from adapters.fix.codec import encode as encode_fix
from adapters.fix.errors import EncodeError
from adapters.fix.times import utc_timestamp
from adapters.kraken.server.fix_market.gateway import FixMarketGateway
from adapters.kraken.server.http import HttpRequest
from adapters.kraken.server.rest.endpoints import ENDPOINTS, Kind
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.fix.messages import read_message, write
from adapters.kraken.wire.fix_dialect import logon_password
from adapters.kraken.wire.rest.endpoints import ENDPOINTS as CALLS
from adapters.kraken.wire.ws1 import messages as ws1_messages
from adapters.kraken.wire.ws2 import messages as ws2_messages
from tests.adapters.kraken.server.fix_rig import Fix
from tests.adapters.kraken.server.rest_rig import Rest
from tests.adapters.kraken.server.ws1.rig import Ws1
from tests.adapters.kraken.server.ws2_rig import Ws2

__all__ = ["HARNESSES", "SEEDS", "Harness"]

SEEDS = Path(__file__).with_name("seeds")
_STEP_NS = 20_000_000
_LINES_MAX = 24
# A venue serves so many inputs before it is made anew: what one input leaves behind, the next ones find.
_INPUTS_OF_A_VENUE = 50
_PEER = "127.0.0.1:1"


class Harness(Protocol):
    """One of them."""

    def run(self, data: bytes) -> None:
        """Feed an input. Whatever is raised is a fault."""


class _Venue[R]:
    """A venue that is made anew now and then, and a way to let its time pass."""

    def __init__(self, make: Callable[[], R]) -> None:
        self._make = make
        self._left = 0
        self.rig: Any = None

    def next_input(self) -> Any:
        """The venue for another input; the one before must be whole."""
        if self._left == 0:
            if self.rig is not None:
                self.rig.host.venue.check_invariants()
            self.rig, self._left = self._make(), _INPUTS_OF_A_VENUE
        self._left -= 1
        return self.rig

    def step(self) -> None:
        host = self.rig.host
        host.run_until(host.now_ns + _STEP_NS)


def _no_secret(sent: bytes, secrets: Sequence[str]) -> None:
    for secret in secrets:
        if secret.encode() in sent:
            raise AssertionError("a secret was sent")


# ------------------------------------------------------------------------------------------------------------ WebSocket


class _WebSocket:
    """Lines are messages of one connection; TOKEN as their member ``token`` is the token of an account, which must not
    come back. An odd first byte has them come as text, where they are any.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._venue = _Venue(make)

    def run(self, data: bytes) -> None:
        rig = self._venue.next_input()
        token = rig.token()
        secrets = [token, *(key.secret.reveal() for key in rig.keys)]
        sent: list[bytes] = []
        connection = rig.gateway.connect(_PEER, sent.append, lambda code, reason: None)
        for line in data[1:].split(b"\n")[:_LINES_MAX]:
            written = line.replace(b'"token":"TOKEN"', b'"token":"%b"' % token.encode())
            message: bytes | str = written
            if data[0] % 2:
                with contextlib.suppress(UnicodeDecodeError):
                    message = written.decode()
            connection.receive(message)
            self._venue.step()
        connection.facts()
        connection.closed()
        for frame in sent:
            msgspec.json.decode(frame)
            _no_secret(frame, secrets)


# ----------------------------------------------------------------------------------------------------------------- REST


class _RestGateway:
    """Lines are requests: ``Method`` and a form or JSON after a blank, signed where it is private; or ``!`` and method,
    path, query, headers and body as they come, divided by blanks.
    """

    def __init__(self) -> None:
        self._venue = _Venue(Rest)

    def run(self, data: bytes) -> None:
        rig = self._venue.next_input()
        secrets = [key.secret.reveal() for key in rig.keys]
        for line in data.split(b"\n")[:_LINES_MAX]:
            request = self._request(rig, line)
            answers: list[Any] = []
            rig.gateway.handle(request, answers.append)
            self._venue.step()
            if len(answers) != 1:
                raise AssertionError(f"{len(answers)} answers to one request")
            _no_secret(answers[0].body, secrets)
            if answers[0].headers["Content-Type"].startswith("application/json"):
                envelope = msgspec.json.decode(answers[0].body)
                if not isinstance(envelope["error"], list):
                    raise AssertionError("no envelope")

    @staticmethod
    def _request(rig: Any, line: bytes) -> HttpRequest:
        if line.startswith(b"!"):
            method, path, query, key, sign, body = [*line[1:].split(b" ", 5), *[b""] * 6][:6]
            headers = {"API-Key": key.decode("latin-1"), "API-Sign": sign.decode("latin-1")}
            names = [part.decode("latin-1") for part in (method, path, query)]
            return HttpRequest(method=names[0], path=names[1], query=names[2], headers=headers, body=body, peer=_PEER)
        name, _, body = line.partition(b" ")
        text = name.decode("latin-1")
        endpoint = ENDPOINTS.get(text)
        if endpoint is not None and endpoint.kind is Kind.PUBLIC:
            query = body.decode("latin-1")
            return HttpRequest(method="GET", path=f"/0/public/{text}", query=query, headers={}, body=b"", peer=_PEER)
        return _signed(rig, text, body)


def _signed(rig: Any, name: str, body: bytes) -> HttpRequest:
    """A private request with a nonce put before the rest of its body."""
    signed: HttpRequest = rig.request(name, {}, is_json=body.startswith(b"{"))
    if body.startswith(b"{"):
        whole = b'{"nonce":"%d",' % rig.nonce + body[1:]
    else:
        whole = b"nonce=%d&" % rig.nonce + body
    from adapters.kraken.wire.signing import api_sign

    path = f"/0/private/{name}"
    sign = api_sign(rig.keys[0].secret, path, str(rig.nonce), whole)
    return msgspec.structs.replace(signed, body=whole, headers={**signed.headers, "API-Sign": sign})


# ------------------------------------------------------------------------------------------------------------------ FIX


class _FixPort:
    """Lines are messages of one connection: ``D|11=1|55=BTC/USD``, to which header and trailer are added; or ``!`` and
    bytes as they come, with SOH for ``|``. An even first byte logs on first.
    """

    def __init__(self, make: Callable[[], Any], target: str) -> None:
        self._venue = _Venue(make)
        self._target = target
        self._nonce = 0

    def run(self, data: bytes) -> None:
        rig = self._venue.next_input()
        secrets = [key.secret.reveal() for key in rig.keys]
        sent: list[bytes] = []
        connection = rig.fuzzed.connect(_PEER, sent.append, lambda: None)
        number = 1
        if data[0] % 2 == 0:
            connection.receive(self._message(rig, b"A", self._logon(rig), 1))
            number = 2
        for line in data[1:].split(b"\n")[:_LINES_MAX]:
            if line.startswith(b"!"):
                connection.receive(line[1:].replace(b"|", b"\x01"))
            else:
                kind, *parts = line.split(b"|")
                fields = [_tag_and_value(part) for part in parts]
                connection.receive(self._message(rig, kind, fields, number))
                number += 1
            self._venue.step()
            timer_ns = connection.next_timer_ns()
            if timer_ns is not None and timer_ns <= rig.host.now_ns:
                connection.on_timer(rig.host.now_ns)
        connection.facts()
        connection.closed()
        self._venue.step()
        for written in sent:
            _no_secret(written, secrets)
        for frame in Framer().feed(b"".join(sent)):
            if frame_fault(frame) is not None:
                raise AssertionError("the venue sent a frame that is none")

    def _logon(self, rig: Any) -> list[tuple[int, bytes]]:
        self._nonce += 1
        nonce = str(rig.host.now_ns // 1_000_000 + self._nonce % 1_000)
        key = rig.keys[0]
        password = logon_password(key.secret, key.key, 1, "A0", self._target, nonce)
        return [(98, b"0"), (108, b"60"), (141, b"Y"), (553, key.key.encode()), (554, password.encode()),
                (5025, nonce.encode())]  # fmt: skip

    def _message(self, rig: Any, kind: bytes, fields: list[tuple[int, bytes]], number: int) -> bytes:
        header = [(34, b"%d" % number), (49, b"A0"), (52, utc_timestamp(rig.host.now_ns)), (56, self._target.encode())]
        try:
            return encode_fix(b"FIX.4.4", kind, [*header, *fields])
        except EncodeError:
            return b""


def _tag_and_value(part: bytes) -> tuple[int, bytes]:
    tag, _, value = part.partition(b"=")
    return int(tag) if tag.isdigit() and len(tag) < 9 else 58, value


def _trading() -> Any:
    rig: Any = Fix()
    rig.fuzzed = rig.gateway
    return rig


def _market_data() -> Any:
    rig: Any = Fix()
    rig.fuzzed = FixMarketGateway(rig.context, {"A0": "a0", "B0": "a0", "A1": "a1"})
    return rig


class _Framing:
    """The framer takes the bytes in pieces, cut at each ``~``: the pieces must not matter; what is whole is read."""

    def run(self, data: bytes) -> None:
        pieces = data.replace(b"|", b"\x01").split(b"~")
        framer = Framer()
        frames = [frame for piece in pieces for frame in framer.feed(piece)]
        if frames != Framer().feed(b"".join(pieces)):
            raise AssertionError("the pieces matter")
        for frame in frames:
            if frame_fault(frame) is None:
                message = decode(frame)
                repr(message)
                with contextlib.suppress(WireError):
                    read_message(message)


# --------------------------------------------------------------------------------------------------------------- codecs


class _Codecs:
    """The first byte, as a number, chooses what reads the rest; what is read is written, and read again is the same."""

    def __init__(self) -> None:
        self._calls = list(CALLS.values())
        self._readers: list[Callable[[bytes], None]] = [
            lambda body: self._again(ws1_messages.decode_request, ws1_messages.encode, body),
            lambda body: self._again(ws1_messages.decode_answer, ws1_messages.encode, body),
            lambda body: self._again(ws2_messages.decode_request, ws2_messages.encode, body),
            lambda body: self._again(ws2_messages.decode_answer, ws2_messages.encode, body),
            self._fix,
            self._rest,
        ]

    def run(self, data: bytes) -> None:
        with contextlib.suppress(WireError):
            self._readers[data[0] % len(self._readers)](data[1:])

    @staticmethod
    def _again(read: Callable[[bytes], Any], written: Callable[[Any], bytes], body: bytes) -> None:
        message = read(body)
        if isinstance(message, ws1_messages.UnknownMessage | ws2_messages.UnknownMessage):
            return
        if read(written(message)) != message:
            raise AssertionError("written and read again it is another message")

    def _rest(self, body: bytes) -> None:
        call = self._calls[sum(body[:8]) % len(self._calls)]
        for read in (lambda: call.decode_form(body.decode("latin-1")), lambda: call.decode_request(body)):
            with contextlib.suppress(WireError):
                read()
        call.decode_reply(body)

    @staticmethod
    def _fix(body: bytes) -> None:
        kind, *parts = body.split(b"|")
        try:
            frame = encode_fix(b"FIX.4.4", kind, [_tag_and_value(part) for part in parts])
        except EncodeError:
            return
        if frame_fault(frame) is None:
            message = read_message(decode(frame))
            if message is not None:
                write(message)


HARNESSES: Mapping[str, Callable[[], Harness]] = {
    "framing": _Framing,
    "codecs": _Codecs,
    "rest": _RestGateway,
    "ws1": lambda: _WebSocket(Ws1),
    "ws2": lambda: _WebSocket(Ws2),
    "fix": lambda: _FixPort(_trading, "KRAKEN-TRD"),
    "fix-market": lambda: _FixPort(_market_data, "KRAKEN-MD"),
}
"""What makes each harness, by name."""
