"""What authenticates a message and stands inside it: it is shown to nobody who does not ask for it by name."""

from __future__ import annotations

import hmac

__all__ = ["Token"]


class Token:
    """A token of the private WebSockets, or a one-time password of REST."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The token itself, for the wire."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Token(...)"

    __str__ = __repr__

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a token is not pickled")
