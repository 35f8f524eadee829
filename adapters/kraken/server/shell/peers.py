"""What is kept of each open connection, for limits, the control API and the status page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["BUFFER_MAX", "Peer", "Peers"]

# A reader that is this many bytes behind is disconnected: what it has not read would be worth nothing by then, and no
# client may make the venue hold memory without end. Kraken publishes no figure: assumption.
BUFFER_MAX = 8 * 1024 * 1024


class Peer:
    """One connection.

    kind: of the port ("ws_v2", "fix_trading", ...). address: the peer's, "127.0.0.1:53012". sent, received: messages.
    """

    __slots__ = ("address", "close", "is_open", "kind", "number", "opened_ns", "received", "sent", "transport")

    def __init__(
        self, number: int, kind: str, transport: asyncio.WriteTransport, opened_ns: int, close: Callable[[str], None]
    ) -> None:
        self.number = number
        self.kind = kind
        self.transport = transport
        self.opened_ns = opened_ns
        self.close = close
        name = transport.get_extra_info("peername")
        self.address = f"{name[0]}:{name[1]}" if isinstance(name, tuple) else "local"
        self.sent = 0
        self.received = 0
        self.is_open = True

    def write(self, data: bytes) -> bool:
        """Send, unless the peer is too far behind: then its connection is cut, and False comes back."""
        if not self.is_open:
            return False
        transport = self.transport
        if transport.get_write_buffer_size() > BUFFER_MAX:
            self.is_open = False
            transport.abort()
            return False
        transport.write(data)
        self.sent += 1
        return True


class Peers:
    """The open connections by number."""

    def __init__(self, connections_max: int) -> None:
        """connections_max: more than these are refused."""
        self.connections_max = connections_max
        self.by_number: dict[int, Peer] = {}
        self._count = 0

    @property
    def is_full(self) -> bool:
        """Whether another connection must be refused."""
        return len(self.by_number) >= self.connections_max

    def add(self, kind: str, transport: asyncio.WriteTransport, now_ns: int, close: Callable[[str], None]) -> Peer:
        """A connection was made. close: ends it, with a reason in words."""
        self._count += 1
        peer = Peer(self._count, kind, transport, now_ns, close)
        self.by_number[peer.number] = peer
        return peer

    def remove(self, peer: Peer) -> None:
        """A connection has ended."""
        peer.is_open = False
        self.by_number.pop(peer.number, None)
