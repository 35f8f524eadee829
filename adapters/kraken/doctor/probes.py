"""The sockets of the checks: a line of each kind is opened, asked one thing, and closed."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp
import msgspec

from adapters.fix.codec import Fields, Message
from adapters.fix.session import Session
from adapters.fix.settings import QuietHandler, SessionSettings
from adapters.fix.store import MemoryStore
from adapters.kraken.client.credentials import Credentials
from adapters.kraken.client.fix_link import FixNames
from adapters.kraken.rest_session import UnreachableError
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.fix_dialect import KRAKEN_FIX, logon_password
from adapters.kraken.wire.ws2.messages import Answer, decode_answer, encode
from adapters.kraken.wire.ws2.requests import Request

__all__ = ["FixOutcome", "Place", "Shown", "ask_socket", "log_on_and_out", "look_at"]

_TIMEOUT_S = 10.0


class Place(msgspec.Struct, frozen=True):
    """Where something listens."""

    host: str
    port: int
    is_tls: bool

    @classmethod
    def of(cls, url: str) -> Place:
        """The place of an address with a scheme, which is known to be good."""
        parts = urlsplit(url)
        is_tls = parts.scheme in ("https", "wss")
        return cls(parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Shown(msgspec.Struct, frozen=True):
    """What a place shows of itself. der: its certificate, None without TLS. refusal: why that is not trusted."""

    addresses: list[str]
    took_ms: float
    der: bytes | None = None
    refusal: str | None = None


async def look_at(place: Place, context: ssl.SSLContext) -> Shown:
    """Resolve a place, connect, and look at its certificate. Raises UnreachableError."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnreachableError(f"the name {place.host} does not resolve ({error.strerror})") from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    began_s = time.monotonic()
    try:
        await _certificate(place, None)
        took_ms = (time.monotonic() - began_s) * 1000
        if not place.is_tls:
            return Shown(addresses, took_ms)
        try:
            return Shown(addresses, took_ms, await _certificate(place, context))
        except ssl.SSLCertVerificationError as error:
            blind = ssl.create_default_context()
            blind.check_hostname = False
            blind.verify_mode = ssl.CERT_NONE  # nothing is said on this line: it shows whom one would talk to
            return Shown(addresses, took_ms, await _certificate(place, blind), error.verify_message)
    except ssl.SSLError as error:
        raise UnreachableError(f"{place} does not speak TLS ({error.reason})") from None
    except TimeoutError:
        raise UnreachableError(f"{place} does not answer within {_TIMEOUT_S:.0f} s") from None
    except OSError as error:
        raise UnreachableError(f"{place} cannot be connected to ({error.strerror or type(error).__name__})") from None


async def _certificate(place: Place, context: ssl.SSLContext | None) -> bytes | None:
    """Connect, and close again; returns the certificate of TLS."""
    async with asyncio.timeout(_TIMEOUT_S):
        _, writer = await asyncio.open_connection(place.host, place.port, ssl=context)
    tls = writer.get_extra_info("ssl_object")
    der: bytes | None = None if tls is None else tls.getpeercert(binary_form=True)
    writer.close()
    return der


async def ask_socket[T](url: str, context: ssl.SSLContext, request: Request, read: Callable[[Answer], T | None]) -> T:
    """Connect to a WebSocket v2, send one request, and read until an answer is the one that is wanted.

    read: gives something for the answer that is wanted, None for others. Raises UnreachableError, and WireError for a
    message that is none.
    """
    try:
        async with (
            asyncio.timeout(_TIMEOUT_S),
            aiohttp.ClientSession() as session,
            session.ws_connect(url, ssl=context, headers={"User-Agent": "tidegate"}) as line,
        ):
            await line.send_str(encode(request).decode())
            async for message in line:
                if message.type is aiohttp.WSMsgType.TEXT:
                    found = read(decode_answer(message.data))
                    if found is not None:
                        return found
        raise UnreachableError(f"{url} closed the line")
    except TimeoutError:
        raise UnreachableError(f"{url}: no answer within {_TIMEOUT_S:.0f} s") from None
    except (aiohttp.ClientError, OSError) as error:
        raise UnreachableError(f"{url}: {error}") from None


class FixOutcome(msgspec.Struct, frozen=True):
    """How a logon went. reason: why it was refused, or why the line ended."""

    is_logged_on: bool
    reason: str


class _Probe(QuietHandler):
    def __init__(self, names: FixNames, credentials: Credentials, nonce_ms: int) -> None:
        self._names = names
        self._credentials = credentials
        self._nonce = str(nonce_ms)
        self.was_open = False
        self.reason = ""

    def logon_fields(self, session: Session, now_ns: int) -> Fields:
        key = self._credentials.api_key
        password = logon_password(
            self._credentials.secret,
            key,
            session.next_sender,
            self._names.sender_comp_id,
            self._names.target_comp_id,
            self._nonce,
        )
        # Orders of a session that is under way stay when this line ends.
        return [(553, key.encode()), (554, password.encode()), (5025, self._nonce.encode()), (8674, b"1")]

    def on_opened(self, session: Session, message: Message, now_ns: int) -> None:
        self.was_open = True

    def on_closed(self, session: Session, reason: str, now_ns: int) -> None:
        self.reason = self.reason or reason


async def log_on_and_out(
    place: Place, context: ssl.SSLContext, names: FixNames, credentials: Credentials, nonce_ms: int
) -> FixOutcome:
    """Log on over FIX with the first number and without a reset, and log out. Raises UnreachableError."""
    probe = _Probe(names, credentials, nonce_ms)
    settings = SessionSettings(
        sender_comp_id=names.sender_comp_id, target_comp_id=names.target_comp_id, heartbeat_s=names.heartbeat_s
    )
    session = Session(settings, KRAKEN_FIX, MemoryStore(), probe)
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(
                place.host, place.port, ssl=context if place.is_tls else None
            )
            session.connect(time.time_ns())
            is_leaving = False
            while not session.wants_close:
                if data := session.data_to_send():
                    writer.write(data)
                received = await reader.read(65_536)
                if not received:
                    break
                session.receive(received, time.time_ns())
                if session.is_open and not is_leaving:
                    is_leaving = True
                    session.logout(time.time_ns())
            if data := session.data_to_send():
                writer.write(data)
            writer.close()
    except TimeoutError:
        raise UnreachableError(f"{place} does not answer a Logon within {_TIMEOUT_S:.0f} s") from None
    except (OSError, WireError) as error:
        raise UnreachableError(f"{place}: {error}") from None
    session.disconnected(time.time_ns(), "the line was closed without a word")
    return FixOutcome(probe.was_open, probe.reason)
