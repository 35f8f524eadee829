"""Errors of the FIX engine.

- ``FixError``: the root
    - ``EncodeError``: a message of ours cannot be written as asked: a mistake of the caller
    - ``StoreError``: what was sent cannot be kept, or what was kept cannot be read: nothing may be sent then
    - ``DictionaryError``: a data dictionary contradicts itself: a mistake in the data

What a peer does wrong is no exception outside: it has a defined answer on the wire. ``InvalidMessageError`` carries
such a fault from the checks to the session, which answers it.
"""

from __future__ import annotations

__all__ = ["DictionaryError", "EncodeError", "FixError", "InvalidMessageError", "StoreError", "UnsupportedMessageError"]


class FixError(Exception):
    """Root of the engine's errors."""


class EncodeError(FixError):
    """A message of ours cannot be written as asked."""


class StoreError(FixError):
    """A message store cannot be written or read."""


class DictionaryError(FixError):
    """A data dictionary contradicts itself."""


class InvalidMessageError(FixError):
    """A peer's message breaks the rules of FIX, in a way that a session reject answers.

    reason: SessionRejectReason (373). text: its words (58). ref_tag: the tag at fault (371), None where none is named.
    """

    def __init__(self, reason: int, text: str, ref_tag: int | None = None) -> None:
        super().__init__(text if ref_tag is None else f"{text}: tag {ref_tag}")
        self.reason = reason
        self.text = text
        self.ref_tag = ref_tag


class UnsupportedMessageError(FixError):
    """An application does not take messages of this type; a business reject answers it.

    reason: BusinessRejectReason (380). text: its words (58). ref_id: BusinessRejectRefID (379), None where there is
    none.
    """

    def __init__(self, reason: int = 3, text: str = "Unsupported Message Type", ref_id: str | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.ref_id = ref_id
