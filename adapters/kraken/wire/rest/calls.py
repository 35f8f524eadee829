"""Requests as HTTP carries them: a query for public endpoints, a signed body for private ones.

Sources: guides/spot-rest-intro, guides/spot-rest-auth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.kraken.wire.codec import Message, encode
from adapters.kraken.wire.rest.envelope import Endpoint, PrivateRequest, encode_form
from adapters.kraken.wire.signing import Secret, api_sign

__all__ = ["HttpCall", "private_call", "public_call"]

_ROOT = "/0"
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


class HttpCall(msgspec.Struct, frozen=True, kw_only=True):
    """A request without its host. ``query`` without its question mark."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def __repr__(self) -> str:
        # Headers and body stay out: they are what a key allows.
        return f"HttpCall({self.method} {self.path})"


def public_call[Q: Message](endpoint: Endpoint[Q, Any], request: Q) -> HttpCall:
    """A request to a public endpoint."""
    return HttpCall(method="GET", path=_ROOT + endpoint.path, query=encode_form(request))


def private_call[Q: PrivateRequest](
    endpoint: Endpoint[Q, Any], request: Q, key: str, secret: Secret, *, is_json: bool = False
) -> HttpCall:
    """A request to a private endpoint, signed over the very bytes of its body.

    is_json: as JSON and not as a form, which carries no lists. Raises WireError for a list in a form.
    """
    body = encode(request) if is_json else encode_form(request).encode()
    path = _ROOT + endpoint.path
    headers = {
        "API-Key": key,
        "API-Sign": api_sign(secret, path, str(request.nonce), body),
        "Content-Type": _JSON if is_json else _FORM,
    }
    return HttpCall(method="POST", path=path, headers=headers, body=body)
