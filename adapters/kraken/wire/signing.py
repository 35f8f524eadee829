"""The signature of private REST requests. Source: guides/spot-rest-auth; vectors in the tests."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

__all__ = ["Secret", "api_sign", "is_signed"]


class Secret:
    """An API secret, as Kraken gives it (base64). It shows itself to nobody who does not ask for it by name.

    Raises ValueError, which does not repeat it, for a text that is no base64.
    """

    __slots__ = ("_key", "_text")

    def __init__(self, text: str) -> None:
        try:
            self._key = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("an API secret is base64 text, as Kraken shows it; copy all of it") from None
        self._text = text

    @property
    def key(self) -> bytes:
        """What signatures are made with."""
        return self._key

    def reveal(self) -> str:
        """The secret itself, for the files and prompts that hand it to its owner."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not pickled")


def api_sign(secret: Secret, path: str, nonce: str, body: bytes) -> str:
    """The header API-Sign: over the path, and over the nonce and the body as they are sent.

    path: from ``/0/private/`` on, without a query. body: the exact bytes.
    """
    digest = hashlib.sha256(nonce.encode() + body).digest()
    return base64.b64encode(hmac.digest(secret.key, path.encode() + digest, "sha512")).decode()


def is_signed(secret: Secret, path: str, nonce: str, body: bytes, signature: str) -> bool:
    """Whether a signature is right; takes the same time for every wrong one."""
    return hmac.compare_digest(api_sign(secret, path, nonce, body).encode(), signature.encode())
