"""Between clients and a served venue: relays all bytes, tells clients of books that move, and sees their orders leave.

Each client has a lane: ports of its own for REST, WebSocket v2 and FIX. A poke sends it a book update of three levels,
with the checksum that its book has then, and takes the time until the bytes of an order come. Orders go on to the
venue, and its answers back. One thread; nothing else happens while the time is taken.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.kraken.client.websocket import TEXT, FrameReader
from adapters.kraken.wire.checksum import printed_checksum
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.ws2.market import Book, BookFrame
from adapters.kraken.wire.ws2.messages import decode_answer

__all__ = ["Lane", "WireTap"]

_QTYS = ("1.00000000", "2.00000000")


class Lane:
    """One client's. ready: the venue's ready file as this client is to have it. ordered_ns: when its order was seen."""

    def __init__(self, name: str, ready: dict[str, Any]) -> None:
        self.name = name
        self.ready = ready
        self.ordered_ns = 0
        self.order_count = 0
        self._bids: dict[str, str] = {}
        self._asks: dict[str, str] = {}
        self._client: socket.socket | None = None
        self._pokes = 0

    @property
    def is_told(self) -> bool:
        """Whether its book's snapshot has passed."""
        return self._client is not None

    def saw_frame(self, client: socket.socket, message: bytes) -> None:
        """The venue has told it something."""
        frame = decode_answer(message)
        if not isinstance(frame, BookFrame):
            return
        for told in frame.data:
            if frame.type == "snapshot":
                self._client = client
                self._bids, self._asks = {}, {}
            self._apply(told)

    def _apply(self, told: Book) -> None:
        for side, levels in ((self._bids, told.bids), (self._asks, told.asks)):
            for level in levels:
                side[level.price.text] = level.qty.text

    def poke(self) -> None:
        """Tell it that its best bid, the bid below and the best ask have other quantities."""
        assert self._client is not None
        frame = self.next_frame()
        self.ordered_ns = 0
        self.poked_ns = time.perf_counter_ns()
        self._client.sendall(frame)

    def show(self, bids: dict[str, str], asks: dict[str, str]) -> None:
        """Its book is this one: quantities by price, as printed."""
        self._bids, self._asks = bids, asks

    def next_frame(self) -> bytes:
        """What a poke tells, as a frame of WebSocket."""
        self._pokes += 1
        bids, asks = _sorted(self._bids, is_bid=True), _sorted(self._asks, is_bid=False)
        qty = _QTYS[self._pokes % 2]
        changed = ([(bids[0][0], qty), (bids[1][0], qty)], [(asks[0][0], qty)])
        self._bids.update(changed[0])
        self._asks.update(changed[1])
        checksum = printed_checksum(_sorted(self._asks, is_bid=False), _sorted(self._bids, is_bid=True))
        texts = [",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in levels) for levels in changed]
        payload = (
            f'{{"channel":"book","type":"update","data":[{{"symbol":"BTC/USD","bids":[{texts[0]}],"asks":[{texts[1]}],'
            f'"checksum":{checksum},"timestamp":"{time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())}.000000Z"}}]}}'
        ).encode()
        return bytes((0x81, 126)) + len(payload).to_bytes(2, "big") + payload


def _sorted(side: dict[str, str], *, is_bid: bool) -> list[tuple[str, str]]:
    return sorted(side.items(), key=lambda level: Number(level[0]).decimal, reverse=is_bid)


class _Line:
    """One connection of a client, and the one to the venue that it is relayed to."""

    def __init__(self, lane: Lane, kind: str, client: socket.socket, venue: socket.socket) -> None:
        self.lane = lane
        self.client = client
        self.venue = venue
        self._frames = FrameReader() if kind == "ws_v2" else None
        self._is_shaken = False
        self._head = b""

    def from_client(self, data: bytes, now_ns: int) -> None:
        if self.is_order(data):
            self.lane.order_count += 1
            if not self.lane.ordered_ns:
                self.lane.ordered_ns = now_ns
        self.venue.sendall(data)

    def from_venue(self, data: bytes) -> None:
        if self._frames is not None:
            if not self._is_shaken:
                self._head += data
                _, end, rest = self._head.partition(b"\r\n\r\n")
                self._is_shaken = bool(end)
                for opcode, message in self._frames.feed(rest):
                    if opcode == TEXT:
                        self.lane.saw_frame(self.client, message)
            else:
                for opcode, message in self._frames.feed(data):
                    if opcode == TEXT:
                        self.lane.saw_frame(self.client, message)
        self.client.sendall(data)

    def is_order(self, data: bytes) -> bool:
        if self._frames is None or not self._is_shaken:
            return b"/0/private/AddOrder " in data or b"\x0135=D\x01" in data
        return b'"add_order"' in _unmasked(data)


def _unmasked(data: bytes) -> bytes:
    """The payload of a client's frame."""
    size, at = data[1] & 0x7F, 2
    if size == 126:
        size, at = int.from_bytes(data[2:4], "big"), 4
    mask, body = data[at : at + 4], data[at + 4 : at + 4 + size]
    return bytes(byte ^ mask[number % 4] for number, byte in enumerate(body))


class WireTap:
    """Relays for one venue. ready: its ready file."""

    def __init__(self, ready: Path) -> None:
        self._ready: dict[str, Any] = json.loads(ready.read_text())
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []

    def lane(self, name: str, folder: Path, account: int = 0) -> Lane:
        """A lane whose client finds its ready file in a folder, as the ready file of a venue."""
        ready = dict(self._ready)
        ready["accounts"] = [self._ready["accounts"][account]]
        lane = Lane(name, ready)
        for kind in ("rest", "ws_v2", "fix_trading"):
            address = self._ready[kind]
            parts = urlsplit(address if "://" in address else f"tcp://{address}")
            port = self._listen(lane, kind, (parts.hostname or "", parts.port or 0))
            ready[kind] = address.replace(f":{parts.port}", f":{port}", 1)
        (folder / "ready.json").write_text(json.dumps(ready))
        return lane

    def run(self, until: Callable[[], object], patience_s: float) -> bool:
        """Relay until something holds; whether it does."""
        until_s = time.monotonic() + patience_s
        while not until():
            if time.monotonic() > until_s:
                return False
            self._relay(0.05)
        return True

    def wake(self, lane: Lane, patience_s: float) -> bool:
        """Tell a client of a book that moves until it has sent its first order; whether it has."""
        until_s = time.monotonic() + patience_s
        while not lane.order_count and time.monotonic() < until_s:
            if lane.is_told:
                lane.poke()
            self.rest(0.2)
        self.rest(1.0)
        return lane.order_count > 0

    def poke(self, lane: Lane, tries: int = 20) -> int:
        """Nanoseconds from a book update sent to the bytes of an order received.

        A client that waits for an answer hears of no update (ccxt.pro): it is told of another one then.
        """
        for _ in range(tries):
            lane.poke()
            if self.run(lambda: lane.ordered_ns, 0.25):
                return lane.ordered_ns - lane.poked_ns
        raise AssertionError(f"{lane.name} sent no order")

    def rest(self, seconds: float) -> None:
        """Relay for a while."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            self._relay(left_s)

    def close(self) -> None:
        """Give everything up."""
        for each in self._sockets:
            each.close()
        self._selector.close()

    def _listen(self, lane: Lane, kind: str, venue: tuple[str, int]) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        self._sockets.append(listening)
        self._selector.register(listening, selectors.EVENT_READ, lambda: self._accept(listening, lane, kind, venue))
        port: int = listening.getsockname()[1]
        return port

    def _accept(self, listening: socket.socket, lane: Lane, kind: str, venue: tuple[str, int]) -> None:
        client, _ = listening.accept()
        onward = socket.create_connection(venue)
        for each in (client, onward):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.append(each)
        line = _Line(lane, kind, client, onward)
        self._selector.register(client, selectors.EVENT_READ, lambda: self._pass(line, client))
        self._selector.register(onward, selectors.EVENT_READ, lambda: self._pass(line, onward))

    def _pass(self, line: _Line, source: socket.socket) -> None:
        try:
            data = source.recv(1 << 20)
            now_ns = time.perf_counter_ns()
            if data and source is line.client:
                line.from_client(data, now_ns)
            elif data:
                line.from_venue(data)
        except OSError:
            data = b""
        if not data:
            for each in (line.client, line.venue):
                if each.fileno() >= 0:
                    self._selector.unregister(each)
                    each.close()

    def _relay(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj.fileno() >= 0:  # type: ignore[union-attr]
                key.data()
