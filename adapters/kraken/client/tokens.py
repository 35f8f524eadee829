"""Tokens of the private WebSocket, asked for over REST. Source: rest-api/get-websockets-token; guides/spot-ws-auth.

A token must be used within 15 minutes and lives on with the subscription that it was used for, so each connection asks
for one of its own, just before it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from adapters.kraken.client.http_pool import Loss
from adapters.kraken.client.rest_calls import PrivateCalls
from adapters.kraken.client.secret_mask import SecretMask
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.rest import endpoints
from adapters.kraken.wire.rest.account import WebSocketsToken
from adapters.kraken.wire.rest.envelope import PrivateRequest

__all__ = ["RestTokens", "Tokens"]


class Tokens(Protocol):
    """Where tokens come from."""

    def ask(self, on_token: Callable[[Token], None], on_failed: Callable[[str], None]) -> None:
        """Get a fresh token; on_failed: why there is none."""
        ...


class RestTokens:
    """Asks the venue. mask: learns of each token, so that no text repeats it."""

    def __init__(self, calls: PrivateCalls, timeout_s: float = 10.0, mask: SecretMask | None = None) -> None:
        self._calls = calls
        self._mask = mask
        self._timeout_s = timeout_s

    def ask(self, on_token: Callable[[Token], None], on_failed: Callable[[str], None]) -> None:
        def answered(result: WebSocketsToken) -> None:
            if self._mask is not None:
                self._mask.add(result.token.reveal())
            on_token(result.token)

        def lost(_: Loss, reason: str) -> None:
            on_failed(f"no token for the WebSocket: {reason}")

        self._calls.call(
            endpoints.GET_WEBSOCKETS_TOKEN,
            lambda nonce: PrivateRequest(nonce=str(nonce)),
            answered,
            lambda text: on_failed(f"no token for the WebSocket: {text}"),
            lost,
            self._timeout_s,
        )
