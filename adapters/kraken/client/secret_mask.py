"""Takes secrets out of texts: a venue may repeat what it was sent, in whatever it says of an error."""

from __future__ import annotations

import json
import re
from collections import deque
from urllib.parse import quote, quote_plus

__all__ = ["SecretMask"]

_MASK = "***"
# Signatures, and secrets of keys: 64 bytes in base64, as they are or as a form has them.
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{86}==|(?:[A-Za-z0-9]|%2[BbFf]){86}(?:%3[Dd]){2}")
# A token is of no use any more when so many others have come after it.
_PASSING_MAX = 32


class SecretMask:
    """Knows the secrets of one account; shows none of them."""

    def __init__(self, *lasting: str) -> None:
        """lasting: secrets that hold for the whole run."""
        self._lasting = tuple(form for secret in lasting for form in _forms(secret))
        self._passing: deque[tuple[str, ...]] = deque(maxlen=_PASSING_MAX)
        self._all = self._lasting

    def add(self, secret: str) -> None:
        """One that has been given out, and holds for a while."""
        self._passing.append(_forms(secret))
        # A new value for whoever reads in another thread.
        self._all = (*self._lasting, *(form for forms in self._passing for form in forms))

    def __call__(self, text: str) -> str:
        """The text without them."""
        for form in self._all:
            if form in text:
                text = text.replace(form, _MASK)
        return _SIGNATURE.sub(_MASK, text)

    def __repr__(self) -> str:
        return "SecretMask(...)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("secrets are not pickled")


def _forms(secret: str) -> tuple[str, ...]:
    """A secret as it may stand in a text: as it is, in a form, in JSON; the longest first."""
    if not secret:
        return ()
    forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))
