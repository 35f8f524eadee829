"""WebSocket at the client's end: handshake and frames, byte for byte (RFC 6455, sections 1.3, 5.2 and 5.7)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kraken.client.websocket import PING, TEXT, FrameReader, WebSocketError, masked_frame, websocket

HANDSHAKE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


class Wire:
    """The stream of bytes and the handler of messages, both played by a test."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_closed = False
        self.messages: list[bytes] = []
        self.opens = 0
        self.ends: list[str] = []
        self.bytes_handler: Any = None
        self.socket = websocket(self.connect, "ws.example", "/v2", lambda size: bytes(range(size)))(self)

    def connect(self, handler: Any) -> Any:
        self.bytes_handler = handler
        return self

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.is_closed = True

    def opened(self) -> None:
        self.opens += 1

    def received(self, data: bytes) -> None:
        self.messages.append(data)

    def closed(self, reason: str) -> None:
        self.ends.append(reason)

    def shake(self, more: bytes = b"") -> Wire:
        self.bytes_handler.opened()
        key = next(
            line.partition(b": ")[2] for line in self.written[0].split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key")
        )
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        self.bytes_handler.received(HANDSHAKE + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + more)
        self.written.clear()
        return self


def test_the_frame_of_the_standard_is_written() -> None:
    assert masked_frame(TEXT, b"Hello", bytes.fromhex("37fa213d")) == bytes.fromhex("818537fa213d7f9f4d5158")


def test_the_frames_of_the_standard_are_read() -> None:
    read = FrameReader().feed
    assert list(read(bytes.fromhex("810548656c6c6f"))) == [(TEXT, b"Hello")]
    reader = FrameReader()
    assert list(reader.feed(bytes.fromhex("010348656c"))) == []
    assert list(reader.feed(bytes.fromhex("890548656c6c6f"))) == [(PING, b"Hello")]
    assert list(reader.feed(bytes.fromhex("80026c6f"))) == [(TEXT, b"Hello")]
    assert list(FrameReader().feed(bytes.fromhex("827e0100") + bytes(256))) == [(2, bytes(256))]
    assert list(FrameReader().feed(bytes.fromhex("827f0000000000010000") + bytes(65_536))) == [(2, bytes(65_536))]


@given(st.lists(st.binary(max_size=70_000), max_size=4), st.integers(min_value=1, max_value=97))
def test_messages_are_read_however_their_bytes_come(messages: list[bytes], size: int) -> None:
    data = b"".join(
        bytes((0x81, len(each))) + each
        if len(each) < 126
        else bytes((0x81, 126)) + len(each).to_bytes(2, "big") + each
        if len(each) < 65_536
        else bytes((0x81, 127)) + len(each).to_bytes(8, "big") + each
        for each in messages
    )
    reader, read = FrameReader(), []
    step = max(1, len(data) * size // 1_000)
    for at in range(0, len(data), step):
        read += list(reader.feed(data[at : at + step]))
    assert read == [(TEXT, each) for each in messages]


@given(st.binary(max_size=70_000))
def test_a_message_that_comes_by_itself_is_read_at_once_or_left_to_be_fed(message: bytes) -> None:
    data = (
        bytes((0x81, len(message)))
        if len(message) < 126
        else bytes((0x81, 126)) + len(message).to_bytes(2, "big")
        if len(message) < 65_536
        else bytes((0x81, 127)) + len(message).to_bytes(8, "big")
    ) + message
    reader = FrameReader()
    assert reader.whole(data) in (message, None)
    assert (reader.whole(data) is None) == (len(message) >= 65_536 or len(data) < 4)
    assert reader.whole(data[:-1]) is None
    assert reader.whole(data + data) is None
    assert list(reader.feed(data)) == [(TEXT, message)]


def test_what_is_no_message_by_itself_is_never_read_at_once() -> None:
    whole = bytes.fromhex("810548656c6c6f")
    for begun in ("0103", "010348656c"):  # the beginning of a frame, and of a message
        reader = FrameReader()
        list(reader.feed(bytes.fromhex(begun)))
        assert reader.whole(whole) is None
    for other in ("010548656c6c6f", "820548656c6c6f", "890548656c6c6f", "c10548656c6c6f", "818537fa213d7f9f4d5158"):
        assert FrameReader().whole(bytes.fromhex(other)) is None  # a part, binary, a ping, an extension, a client's


@given(st.binary(max_size=70_000), st.binary(min_size=4, max_size=4))
def test_what_is_masked_is_unmasked_by_the_same_bytes(payload: bytes, mask: bytes) -> None:
    frame = masked_frame(TEXT, payload, mask)
    body = frame[len(frame) - len(payload) :]
    assert bytes(each ^ mask[at % 4] for at, each in enumerate(body)) == payload


@pytest.mark.parametrize("data", ["c10548656c6c6f", "818537fa213d7f9f4d5158", "8305", "80026c6f", "09020000"])
def test_what_is_no_frame_of_a_server_is_refused(data: str) -> None:
    with pytest.raises(WebSocketError):
        list(FrameReader().feed(bytes.fromhex(data)))


def test_messages_before_the_handshake_is_answered_are_not_lost_with_it() -> None:
    wire = Wire().shake(bytes.fromhex("810548656c6c6f"))
    assert (wire.opens, wire.messages) == (1, [b"Hello"])


def test_a_message_is_written_in_the_call_that_sends_it() -> None:
    wire = Wire().shake()
    wire.socket.write(b"Hello")
    assert wire.written == [masked_frame(TEXT, b"Hello", bytes(range(4)))]


def test_a_ping_is_answered_with_what_it_said() -> None:
    wire = Wire().shake()
    wire.bytes_handler.received(bytes.fromhex("890548656c6c6f"))
    assert wire.written == [masked_frame(0xA, b"Hello", bytes(range(4)))]


def test_a_close_is_answered_and_told_with_its_code() -> None:
    wire = Wire().shake()
    wire.bytes_handler.received(b"\x88\x07" + (1001).to_bytes(2, "big") + b"later")
    assert wire.ends == ["closed by the venue with code 1001: later"]
    assert wire.is_closed


def test_a_handshake_that_is_refused_or_not_one_of_websocket_ends_the_connection() -> None:
    for answer in (b"HTTP/1.1 429 Too Many Requests\r\n\r\n", HANDSHAKE + b"Sec-WebSocket-Accept: wrong\r\n\r\n"):
        wire = Wire()
        wire.bytes_handler.opened()
        wire.bytes_handler.received(answer)
        assert len(wire.ends) == 1
        assert wire.is_closed
        assert wire.opens == 0


def test_nothing_is_heard_of_a_socket_that_was_closed() -> None:
    wire = Wire().shake()
    wire.socket.close()
    wire.bytes_handler.closed("line dropped")
    assert wire.ends == []
