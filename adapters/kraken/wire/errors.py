"""The error of everything that reads or writes Kraken's messages."""

from __future__ import annotations

__all__ = ["WireError"]


class WireError(ValueError):
    """A message that is not what its protocol says, or a value that it cannot carry; the text has no content of it."""
