"""What carries a link's bytes, as the link sees it: real sockets, or the memory of a test.

A stream carries bytes (TCP, TLS) or whole messages (WebSocket); which of them is its maker's to say. Calls of the
handler come one at a time and never from within ``connect``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Connect", "Stream", "StreamHandler"]


class Stream(Protocol):
    """One connection, from the attempt to make it on."""

    def write(self, data: bytes) -> None:
        """Hand bytes or a message to the socket now; nothing happens once the connection is gone."""
        ...

    def close(self) -> None:
        """Give the connection up; its handler hears no more of it."""
        ...


class StreamHandler(Protocol):
    """Who hears of a connection."""

    def opened(self) -> None:
        """It stands, and can be written to."""
        ...

    def received(self, data: bytes) -> None:
        """Bytes or a message have come."""
        ...

    def closed(self, reason: str) -> None:
        """It could not be made, or is gone; nothing is heard of it after this. reason: in words."""
        ...


type Connect = Callable[[StreamHandler], Stream]
"""Begins to connect."""
