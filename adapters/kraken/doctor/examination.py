"""All checks, one after another; what an earlier one has found wrong is not asked for again by a later one."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from adapters.kraken.asset_pairs import asset_pair_specs
from adapters.kraken.client.credentials import Credentials
from adapters.kraken.client.fix_link import FixNames
from adapters.kraken.client.shell import tls_context
from adapters.kraken.doctor.judging import (
    ClockReading,
    judge_book,
    judge_certificate,
    judge_clock,
    judge_pair,
    judge_status,
)
from adapters.kraken.doctor.key_judging import judge_fees, judge_key, judge_refusal
from adapters.kraken.doctor.needs import Needs
from adapters.kraken.doctor.probes import Place, ask_socket, log_on_and_out, look_at
from adapters.kraken.profile import PROFILE
from adapters.kraken.rest_session import RestSession
from adapters.kraken.symbols import pair_names
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.rest import account, endpoints, public
from adapters.kraken.wire.rest.calls import private_call, public_call
from adapters.kraken.wire.rest.envelope import Endpoint, PrivateRequest
from adapters.kraken.wire.ws2 import market, requests, responses
from adapters.kraken.wire.ws2.messages import Answer
from framework.errors import TidegateError, VenueError
from framework.findings import Finding, Level, failed, fine, skipped

__all__ = ["Addresses", "Examination"]

_NS = 10**9
_CLOCK_READINGS = 4
_BETWEEN_READINGS_S = 0.27
_BOOK_DEPTH = 10


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where the venue is. rest, ws, ws_auth: with their schemes. fix: where FIX trading listens; fix_names: ours and
    the venue's there, None where FIX is not looked at.
    """

    rest: str
    ws: str
    ws_auth: str
    fix: Place
    fix_names: FixNames | None = None


class Examination:
    """The checks of one venue, key and configuration; ``findings`` makes them."""

    def __init__(
        self, addresses: Addresses, needs: Needs, credentials: Credentials | None, why_none: str, ca_file: Path | None
    ) -> None:
        """credentials: None where there is no key, for the reason ``why_none``. Raises ConfigError for a bad file."""
        self._addresses = addresses
        self._needs = needs
        self._credentials = credentials
        self._why_none = why_none
        self._ca_file = ca_file
        self._context = tls_context(ca_file)
        self._last_nonce = 0
        # Hosts that cannot be talked to, or to which a key must not be shown.
        self._bad_hosts: set[str] = set()

    async def findings(self) -> AsyncIterator[Finding]:
        """The findings, each as soon as it is there."""
        if self._needs.ended is not None:
            yield failed("leave", self._needs.ended, 'or ask for another end than at_end = "leave"')
        async for finding in self._hosts():
            yield finding
        if "REST" in self._bad_hosts:
            yield skipped("all else", "the venue cannot be talked to")
            return
        async with RestSession(self._addresses.rest, self._ca_file, timeout_s=15) as session:
            for part in (self._public(session), self._private(session), self._sockets(session), self._fix()):
                async for finding in part:
                    yield finding

    # ------------------------------------------------------------------------------------------------- hosts

    async def _hosts(self) -> AsyncIterator[Finding]:
        addresses = self._addresses
        places = {"REST": Place.of(addresses.rest), "WebSocket": Place.of(addresses.ws)}
        if self._credentials is not None and addresses.ws_auth != addresses.ws:
            places["WebSocket, private"] = Place.of(addresses.ws_auth)
        if addresses.fix_names is not None:
            places["FIX"] = addresses.fix
        for name, place in places.items():
            try:
                shown = await look_at(place, self._context)
            except VenueError as error:
                self._bad_hosts.add(name)
                yield failed(name, str(error), "check the address, this machine's network and its firewall")
                continue
            addresses_shown = ", ".join(shown.addresses[:2])
            yield fine(name, f"{place} answers from {addresses_shown} in {shown.took_ms:.1f} ms")
            finding = _certificate(f"{name} line", place, shown.der, shown.refusal)
            if finding.level is Level.FAIL:
                self._bad_hosts.add(name)
            yield finding

    # ------------------------------------------------------------------------------------------------- public

    async def _public(self, session: RestSession) -> AsyncIterator[Finding]:
        try:
            status = await _ask(session, endpoints.SYSTEM_STATUS, public.NoParams())
            yield judge_status(status.status)
            yield judge_clock(await self._readings(session), has_fix="fix" in self._needs.links)
        except VenueError as error:
            yield failed("engine", str(error), "check that the host is one of Kraken's API")
            return
        for symbol, assumed in self._needs.pairs.items():
            try:
                rows = await _ask(
                    session, endpoints.ASSET_PAIRS, public.AssetPairsRequest(pair=pair_names(symbol).rest)
                )
                specs = asset_pair_specs(msgspec.to_builtins(rows, enc_hook=str))
                for finding in judge_pair(specs[symbol], next(iter(rows.values())), assumed):
                    yield finding
            except (TidegateError, KeyError) as error:
                yield failed(f"pair {symbol}", str(error), "check its name, BASE/QUOTE")

    async def _readings(self, session: RestSession) -> list[ClockReading]:
        """Whole seconds, asked for at several parts of a second, so that they tell less than one."""
        readings = []
        for _ in range(_CLOCK_READINGS):
            sent_ns = time.time_ns()
            told = await _ask(session, endpoints.TIME, public.NoParams())
            readings.append(ClockReading(sent_ns, time.time_ns(), told.unixtime))
            await asyncio.sleep(_BETWEEN_READINGS_S)
        return readings

    # ------------------------------------------------------------------------------------------------- private

    async def _private(self, session: RestSession) -> AsyncIterator[Finding]:
        if self._credentials is None:
            yield skipped("key", self._why_none)
            return
        try:
            info = await self._ask_as(session, endpoints.GET_API_KEY_INFO, PrivateRequest(nonce=self._nonce()))
        except _RefusedError as error:
            # One refusal is enough: a key that is refused again and again is locked out.
            self._credentials = None
            self._why_none = "the key was refused"
            yield judge_refusal("key", error.errors)
            return
        except VenueError as error:
            yield failed("key", str(error), "ask again later")
            return
        for finding in judge_key(info, self._needs, time.time_ns() // _NS):
            yield finding
        pairs = ",".join(pair_names(symbol).rest for symbol in self._needs.pairs)
        try:
            volume = await self._ask_as(
                session, endpoints.TRADE_VOLUME, account.TradeVolumeRequest(nonce=self._nonce(), pair=pairs)
            )
            yield judge_fees(volume, PROFILE.fees, self._needs)
        except _RefusedError as error:
            yield judge_refusal("fees", error.errors)
        except VenueError as error:
            yield failed("fees", str(error), "ask again later")

    def _nonce(self) -> int:
        self._last_nonce = max(time.time_ns(), self._last_nonce + 1)
        return self._last_nonce

    async def _ask_as[R](self, session: RestSession, endpoint: Endpoint[Any, R], request: PrivateRequest) -> R:
        assert self._credentials is not None
        call = private_call(endpoint, request, self._credentials.api_key, self._credentials.secret)
        answer = await session.send(call)
        return _result(endpoint, answer.status, answer.body)

    # ------------------------------------------------------------------------------------------------- sockets

    async def _sockets(self, session: RestSession) -> AsyncIterator[Finding]:
        if "WebSocket" in self._bad_hosts:
            yield skipped("books", "its host cannot be talked to")
            return
        for symbol in self._needs.pairs:
            request = requests.Subscribe(
                params=requests.Subscription(channel="book", symbol=[symbol], depth=_BOOK_DEPTH)
            )
            try:
                book: market.Book | str = await ask_socket(self._addresses.ws, self._context, request, _first_book)
            except (VenueError, WireError) as error:
                yield failed(f"book {symbol}", str(error), "check that WebSockets pass your proxy or firewall")
                continue
            if isinstance(book, str):
                yield failed(f"book {symbol}", book, "check its name, BASE/QUOTE")
            else:
                yield judge_book(symbol, book)
        if self._credentials is None:
            yield skipped("news of own orders", self._why_none)
            return
        if "WebSocket, private" in self._bad_hosts:
            yield skipped("news of own orders", "its host cannot be talked to")
            return
        try:
            token = await self._ask_as(session, endpoints.GET_WEBSOCKETS_TOKEN, PrivateRequest(nonce=self._nonce()))
            params = requests.Subscription(channel="executions", token=Token(token.token.reveal()), snap_orders=False)
            said = await ask_socket(
                self._addresses.ws_auth, self._context, requests.Subscribe(params=params), _subscribed
            )
        except _RefusedError as error:
            yield judge_refusal("news of own orders", error.errors)
        except (VenueError, WireError) as error:
            yield failed("news of own orders", str(error), "check that WebSockets pass your proxy or firewall")
        else:
            if said:
                yield judge_refusal("news of own orders", [said])
            else:
                yield fine("news of own orders", f"subscribed; a token is good for {token.expires // 60} minutes")

    # ------------------------------------------------------------------------------------------------- FIX

    async def _fix(self) -> AsyncIterator[Finding]:
        names, place = self._addresses.fix_names, self._addresses.fix
        if names is None:
            yield skipped("FIX logon", "give --fix-sender to log on and out")
            return
        if self._credentials is None:
            yield skipped("FIX logon", self._why_none)
            return
        if "FIX" in self._bad_hosts:
            yield skipped("FIX logon", "its host cannot be talked to")
            return
        try:
            outcome = await log_on_and_out(place, self._context, names, self._credentials, time.time_ns() // 1_000_000)
        except VenueError as error:
            yield failed("FIX logon", str(error), "check that this machine's address is allowed at the gateway")
            return
        if outcome.is_logged_on:
            yield fine("FIX logon", f"{names.sender_comp_id} logged on and out; nothing was reset")
        elif "MsgSeqNum too low" in outcome.reason:
            yield fine("FIX logon", f"{names.sender_comp_id} is known and its session is under way; it was left alone")
        else:
            remedy = "check the SenderCompID, that the key is one for FIX, and the clock"
            yield failed("FIX logon", f"refused: {outcome.reason}", remedy)


class _RefusedError(VenueError):
    """The venue says why not."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


def _certificate(name: str, place: Place, der: bytes | None, refusal: str | None) -> Finding:
    if der is not None:
        return judge_certificate(name, der, place.host, datetime.now(UTC), refusal)
    if _is_loopback(place.host):
        return fine(name, "without TLS, on this machine")
    return failed(name, "without TLS: keys and orders can be read and changed on the way", "use an address with TLS")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _ask[R](session: RestSession, endpoint: Endpoint[Any, R], request: Any) -> R:
    answer = await session.send(public_call(endpoint, request))
    return _result(endpoint, answer.status, answer.body)


def _result[R](endpoint: Endpoint[Any, R], status: int, body: bytes) -> R:
    """What was answered. Raises _RefusedError, and VenueError for what is no answer."""
    try:
        reply = endpoint.decode_reply(body)
    except WireError as error:
        raise VenueError(f"HTTP {status}, and no answer of Kraken's to {endpoint.path} ({error})") from None
    if reply.error:
        raise _RefusedError(reply.error)
    if reply.result is UNSET or reply.result is None:
        raise VenueError(f"HTTP {status}, and nothing in the answer to {endpoint.path}")
    return reply.result


def _first_book(answer: Answer) -> market.Book | str | None:
    """The snapshot of a book, or why there is none."""
    if isinstance(answer, market.BookFrame) and answer.type == "snapshot":
        return answer.data[0]
    return _refusal(answer)


def _subscribed(answer: Answer) -> str | None:
    """Empty once a channel is subscribed; why not if it is not."""
    if isinstance(answer, responses.SubscribeResponse) and answer.success is True:
        return ""
    return _refusal(answer)


def _refusal(answer: Answer) -> str | None:
    error = getattr(answer, "error", UNSET)
    return error if isinstance(error, str) else None
