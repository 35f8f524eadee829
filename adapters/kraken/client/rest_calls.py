"""Calls of REST: private ones are signed and made once, public reads are made again if they fail.

Sources: guides/spot-rest-auth, guides/spot-rest-intro.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.credentials import Credentials
from adapters.kraken.client.http import Request
from adapters.kraken.client.http_pool import Call, HttpPort, Loss
from adapters.kraken.client.nonces import NonceSource
from adapters.kraken.wire.codec import Message
from adapters.kraken.wire.errors import WireError
from adapters.kraken.wire.rest.envelope import Endpoint, encode, encode_form
from adapters.kraken.wire.signing import api_sign
from framework.execution.link import Clock

__all__ = ["PrivateCalls", "PublicCalls"]

_SECOND_NS = 10**9
_PREFIX = "/0"
_JSON_ONLY = ("/private/AddOrderBatch", "/private/CancelOrderBatch")


class PrivateCalls:
    """Signed requests of one key."""

    def __init__(self, port: HttpPort, credentials: Credentials, nonces: NonceSource) -> None:
        self._port = port
        self._credentials = credentials
        self._nonces = nonces

    def call[R](
        self,
        endpoint: Endpoint[Any, R],
        make: Callable[[int], Message],
        on_result: Callable[[R], None],
        on_refused: Callable[[str], None],
        on_lost: Callable[[Loss, str], None],
        timeout_s: float,
        *,
        is_urgent: bool = False,
        is_wanted: Callable[[], bool] | None = None,
    ) -> None:
        """Ask once.

        make: the request of a nonce. on_refused: hears the venue's own words. on_lost: no answer, or none that can be
        read; the request may have had its effect unless it was not sent. is_wanted: see ``Call``.
        """

        def answered(status: int, body: bytes) -> None:
            _read(endpoint, status, body, on_result, on_refused, lambda reason: on_lost(Loss.DROPPED, reason))

        self._port.call(
            Call(
                lambda: self._signed(endpoint, make),
                round(timeout_s * _SECOND_NS),
                answered,
                on_lost,
                is_urgent=is_urgent,
                is_wanted=is_wanted,
            )
        )

    def _signed(self, endpoint: Endpoint[Any, Any], make: Callable[[int], Message]) -> Request:
        nonce = self._nonces.next()
        message = make(nonce)
        is_json = endpoint.path in _JSON_ONLY
        body = encode(message) if is_json else encode_form(message).encode("ascii")
        path = _PREFIX + endpoint.path
        headers = {
            "API-Key": self._credentials.api_key,
            "API-Sign": api_sign(self._credentials.secret, path, str(nonce), body),
            "Content-Type": "application/json" if is_json else "application/x-www-form-urlencoded",
        }
        return Request(method="POST", target=path, headers=headers, body=body)


class PublicCalls:
    """Public reads, tried again after a pause if they fail."""

    def __init__(self, port: HttpPort, clock: Clock, *, tries: int = 4, timeout_s: float = 10.0, seed: int = 0) -> None:
        self._port = port
        self._clock = clock
        self._tries = tries
        self._timeout_ns = round(timeout_s * _SECOND_NS)
        self._seed = seed

    def call[R](
        self,
        endpoint: Endpoint[Any, R],
        params: Message,
        on_result: Callable[[R], None],
        on_failed: Callable[[str], None],
    ) -> None:
        """Ask, and ask again; on_failed: why the last try failed, in words."""
        backoff = BackOff(self._seed, first_ns=_SECOND_NS // 2)
        query = encode_form(params)
        request = Request(method="GET", target=_PREFIX + endpoint.path + (f"?{query}" if query else ""))

        def ask(tries_left: int) -> None:
            def failed(reason: str) -> None:
                if tries_left <= 1:
                    on_failed(reason)
                    return
                backoff.ended(self._clock.now_ns)
                self._clock.call_at(self._clock.now_ns + backoff.pause_ns(), lambda: ask(tries_left - 1))

            def answered(status: int, body: bytes) -> None:
                _read(endpoint, status, body, on_result, failed, failed)

            self._port.call(
                Call(lambda: request, self._timeout_ns, answered, lambda _, reason: failed(reason), is_ordered=False)
            )

        ask(self._tries)


def _read[R](
    endpoint: Endpoint[Any, R],
    status: int,
    body: bytes,
    on_result: Callable[[R], None],
    on_refused: Callable[[str], None],
    on_failed: Callable[[str], None],
) -> None:
    """Tell one of the three: a result, a refusal in the venue's words, or what cannot be read."""
    if status != 200:
        on_failed(f"{endpoint.path}: answered with HTTP status {status}")
        return
    try:
        reply = endpoint.decode_reply(body)
    except WireError as error:
        on_failed(f"{endpoint.path}: {error}")
        return
    errors = [text for text in reply.error if not text.startswith("W")]
    if errors:
        on_refused(errors[0])
    elif reply.result is UNSET or reply.result is None:
        on_failed(f"{endpoint.path}: an answer without result and error")
    else:
        on_result(reply.result)
