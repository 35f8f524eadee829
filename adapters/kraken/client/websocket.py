"""WebSocket, the client's end: handshake and frames on a stream of bytes (RFC 6455).

Messages are written as frames in the call that sends them. Nothing is compressed. Pings are answered here.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterator

from adapters.kraken.client.streams import Connect, Stream, StreamHandler
from adapters.kraken.errors import KrakenError

__all__ = ["FrameReader", "WebSocketError", "masked_frame", "websocket"]

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_CONTINUATION = 0x0
# The first byte of a frame that is a whole message of text.
_WHOLE_TEXT = 0x80 | TEXT
_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MESSAGE_MAX = 64 * 1024 * 1024
_HEAD_MAX = 64 * 1024
_RANDOM_SIZE = 4_096
_NORMAL = (1000).to_bytes(2, "big")


class WebSocketError(KrakenError):
    """What came is not WebSocket; the connection is of no use any more."""


def masked_frame(opcode: int, payload: bytes, mask: bytes) -> bytes:
    """One whole message as a frame of a client. mask: four bytes that nobody can foresee."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65_536:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    key = (mask * (size // 4 + 1))[:size]
    body = int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")
    return head + mask + body.to_bytes(size, "little")


class FrameReader:
    """Reads a server's frames; gives whole messages as (opcode, payload)."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._opcode = 0
        self._parts = bytearray()

    def whole(self, data: bytes) -> bytes | None:
        """The message of bytes that are one message of text in one frame, as nearly all are that come; None, and
        nothing taken, for all else, which is for ``feed``.
        """
        if self._data or self._opcode or len(data) < 4 or data[0] != _WHOLE_TEXT:
            return None
        size, at = data[1], 2
        if size == 126:
            size, at = data[2] << 8 | data[3], 4
        elif size > 126:
            return None
        return data[at:] if len(data) == at + size else None

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Bytes have come; the messages that are whole now. Raises WebSocketError."""
        self._data += data
        while (frame := self._next()) is not None:
            opcode, payload, is_last = frame
            if opcode >= CLOSE:
                if not is_last or len(payload) > 125:
                    raise WebSocketError("a control frame is in parts or too long")
                yield opcode, payload
                continue
            if (opcode == _CONTINUATION) != bool(self._opcode):
                raise WebSocketError("a part of a message came out of order")
            if is_last and not self._opcode:
                yield opcode, payload
                continue
            self._opcode = self._opcode or opcode
            self._parts += payload
            if len(self._parts) > _MESSAGE_MAX:
                raise WebSocketError("a message is too large")
            if is_last:
                whole, self._parts = bytes(self._parts), bytearray()
                opcode, self._opcode = self._opcode, 0
                yield opcode, whole

    def _next(self) -> tuple[int, bytes, bool] | None:
        data = self._data
        if len(data) < 2:
            return None
        first, second = data[0], data[1]
        if first & 0x70 or second & 0x80:
            raise WebSocketError("a frame is masked, or of an extension that was not asked for")
        opcode = first & 0x0F
        if opcode not in (_CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise WebSocketError(f"a frame has opcode {opcode}")
        size, at = second, 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(data[2:10], "big"), 10
        if size > _MESSAGE_MAX:
            raise WebSocketError("a message is too large")
        if len(data) < at + size:
            return None
        payload = bytes(data[at : at + size])
        del data[: at + size]
        return opcode, payload, bool(first & 0x80)


class _SystemRandom:
    """The system's random bytes, asked for many at a time: each is given out once."""

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0

    def __call__(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._bytes):
            self._bytes, self._at, end = os.urandom(max(_RANDOM_SIZE, count)), 0, count
        drawn = self._bytes[self._at : end]
        self._at = end
        return drawn


_system_random = _SystemRandom()


def websocket(
    connect: Connect, host: str, target: str, random_bytes: Callable[[int], bytes] = _system_random
) -> Connect:
    """Connects to a WebSocket over streams of bytes; the streams that it gives carry messages.

    host: as the handshake names it. target: path and query. random_bytes: what keys and masks are drawn with.
    """
    return lambda handler: _Socket(connect, host, target, random_bytes, handler)


class _Socket:
    """One connection: a stream of messages to its handler, and the handler of a stream of bytes."""

    def __init__(
        self,
        connect: Connect,
        host: str,
        target: str,
        random_bytes: Callable[[int], bytes],
        handler: StreamHandler,
    ) -> None:
        self._host = host
        self._target = target
        self._random_bytes = random_bytes
        self._handler: StreamHandler | None = handler
        self._reader = FrameReader()
        self._head: bytearray | None = bytearray()
        self._key = base64.b64encode(random_bytes(16))
        self._stream: Stream | None = connect(self)

    # ------------------------------------------------------------------------------------------------- messages

    def write(self, data: bytes) -> None:
        self._send(TEXT, data)

    def close(self) -> None:
        self._handler = None
        self._hang_up(_NORMAL)

    # ------------------------------------------------------------------------------------------------- bytes

    def opened(self) -> None:
        lines = (
            f"GET {self._target} HTTP/1.1",
            f"Host: {self._host}",
            "User-Agent: tidegate",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {self._key.decode()}",
            "Sec-WebSocket-Version: 13",
        )
        if self._stream is not None:
            self._stream.write("\r\n".join([*lines, "", ""]).encode("ascii"))

    def received(self, data: bytes) -> None:
        try:
            if self._head is not None:
                self._head += data
                rest = self._shake()
                if rest is None:
                    return
                data = rest
            elif (message := self._reader.whole(data)) is not None:
                if self._handler is not None:
                    self._handler.received(message)
                return
            for opcode, payload in self._reader.feed(data):
                self._on_message(opcode, payload)
        except WebSocketError as error:
            self._fail(str(error))

    def closed(self, reason: str) -> None:
        self._stream = None
        self._fail(reason)

    # ------------------------------------------------------------------------------------------------- within

    def _shake(self) -> bytes | None:
        """The answer to the handshake; what came after it, or None if it is not whole yet."""
        assert self._head is not None
        head, end, rest = bytes(self._head).partition(b"\r\n\r\n")
        if not end:
            if len(head) > _HEAD_MAX:
                raise WebSocketError("the handshake has no end")
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) < 2 or words[1] != "101":
            raise WebSocketError(f"the handshake was refused: {first}")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        accept = base64.b64encode(hashlib.sha1(self._key + _ACCEPT, usedforsecurity=False).digest()).decode()
        if headers.get("sec-websocket-accept") != accept or headers.get("upgrade", "").lower() != "websocket":
            raise WebSocketError("the handshake was answered by something that is no WebSocket")
        self._head = None
        if self._handler is not None:
            self._handler.opened()
        return rest

    def _on_message(self, opcode: int, payload: bytes) -> None:
        if opcode in (TEXT, BINARY):
            if self._handler is not None:
                self._handler.received(payload)
        elif opcode == PING:
            self._send(PONG, payload)
        elif opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            text = payload[2:].decode("utf-8", "replace")
            self._hang_up(payload[:2] or _NORMAL)
            self._fail(f"closed by the venue with code {code}{': ' if text else ''}{text}")

    def _send(self, opcode: int, payload: bytes) -> None:
        if self._stream is not None and self._head is None:
            self._stream.write(masked_frame(opcode, payload, self._random_bytes(4)))

    def _hang_up(self, code: bytes) -> None:
        self._send(CLOSE, code)
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _fail(self, reason: str) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.closed(reason)
