"""WebSocket frames from a server: unmasked, whole, made once for however many receivers (RFC 6455, section 5.2)."""

from __future__ import annotations

__all__ = ["Framer", "text_frame"]

_TEXT = 0x81  # FIN and opcode 1


def text_frame(payload: bytes) -> bytes:
    """A text message as one frame; payload: UTF-8."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 65_536:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big") + payload


class Framer:
    """Frames messages, the same object in a row only once: a channel hands one message to all its subscribers."""

    __slots__ = ("_frame", "_payload")

    def __init__(self) -> None:
        self._payload = b""
        self._frame = text_frame(b"")

    def frame(self, payload: bytes) -> bytes:
        """The frame of a message."""
        if payload is not self._payload:
            self._payload = payload
            self._frame = text_frame(payload)
        return self._frame
