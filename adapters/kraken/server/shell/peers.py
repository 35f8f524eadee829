"""What is kept of each open connection, for limits, the control API and the status page; and how a line is cut."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Callable, Mapping

from adapters.kraken.server.facts import ConnectionFacts

__all__ = ["BUFFER_MAX", "PROTOCOLS", "Peer", "Peers"]

# The protocol, as the profile labels it, that each kind of connection belongs to. Requests of REST are no connections.
PROTOCOLS: Mapping[str, str] = {
    "rest": "rest",
    "ws_v1": "ws1",
    "ws_v2": "ws2",
    "ws_l3": "ws2",
    "fix_trading": "fix",
    "fix_market_data": "fix",
}

# A reader that is this many bytes behind is disconnected: what it has not read would be worth nothing by then, and no
# client may make the venue hold memory without end. Kraken publishes no figure: assumption.
BUFFER_MAX = 8 * 1024 * 1024


class Peer:
    """One connection.

    kind: of the port ("ws_v2", "fix_trading", ...). address: the peer's, "127.0.0.1:53012". sent, received: messages.
    is_open: what is written is sent. is_silent: it was made to stop reading and answering. facts: what it says of
    itself.
    """

    __slots__ = (
        "address",
        "close",
        "facts",
        "is_open",
        "is_silent",
        "kind",
        "number",
        "opened_ns",
        "received",
        "sent",
        "transport",
    )

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
        self.is_silent = False
        self.facts: Callable[[], ConnectionFacts] = ConnectionFacts

    def write(self, data: bytes) -> bool:
        """Send, unless the peer is too far behind: then its connection is cut, and False comes back."""
        if not self.is_open:
            return False
        transport = self.transport
        if transport.is_closing():  # gone, which its reader has not been told yet
            self.is_open = False
            return False
        if transport.get_write_buffer_size() > BUFFER_MAX:
            self.abort()
            return False
        transport.write(data)
        self.sent += 1
        return True

    def abort(self) -> None:
        """Cut the line, without a word and with all that was still to be sent."""
        self.is_open = False
        plain = self.transport.get_extra_info("socket")
        if plain is not None:
            # Else the system would go on trying to send what a peer that does not read has no room for.
            with contextlib.suppress(OSError):
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def fall_silent(self) -> None:
        """Read and answer no more, and leave the line as it is, as a host does that has lost its power. What is sent to
        the peer from now on is lost, so all that can follow is the end of the line.
        """
        self.is_open = False
        self.is_silent = True
        # Of a connection over TCP the transport can always pause; one that is closing already has no need to.
        with contextlib.suppress(RuntimeError):
            self.transport.pause_reading()  # type: ignore[attr-defined]


class Peers:
    """The open connections by number, and the protocols that take none now."""

    def __init__(self, connections_max: int) -> None:
        """connections_max: more than these are refused."""
        self.connections_max = connections_max
        self.by_number: dict[int, Peer] = {}
        self._count = 0
        self._shut: Counter[str] = Counter()

    def refuses(self, kind: str) -> bool:
        """Whether another connection of a kind must be refused."""
        return len(self.by_number) >= self.connections_max or self.is_shut(kind)

    def is_shut(self, kind: str) -> bool:
        """Whether the protocol of a kind is out of reach now; raises KeyError for a kind that none is known of."""
        return self._shut[PROTOCOLS[kind]] > 0

    def shut(self, protocol: str) -> None:
        """New connections and requests of a protocol are cut off until ``reopen``; each needs its own."""
        self._shut[protocol] += 1

    def reopen(self, protocol: str) -> None:
        """One ``shut`` is over."""
        self._shut[protocol] -= 1
        self._shut += Counter()  # forgets what has come to zero

    def of(self, protocol: str) -> list[Peer]:
        """The connections of a protocol."""
        return [peer for peer in self.by_number.values() if PROTOCOLS[peer.kind] == protocol]

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
