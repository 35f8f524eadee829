"""Requests and answers of HTTP as bytes: as much of HTTP/1.1 as one API asks of a client.

Source: RFC 9112. An answer ends by its length, its chunks, or the end of the connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from adapters.kraken.errors import KrakenError

__all__ = ["Answer", "AnswerReader", "HttpError", "Request"]

_HEAD_MAX = 64 * 1024
_BODY_MAX = 64 * 1024 * 1024
_NO_BODY = (204, 304)


class HttpError(KrakenError):
    """What came is not an answer of HTTP; the connection is of no use any more."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; ``target``: path and query."""

    method: str
    target: str
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def encode(self, host: str) -> bytes:
        """As it stands on the wire."""
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {host}", "User-Agent: tidegate"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body or self.method == "POST":
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + self.body

    def __repr__(self) -> str:
        return f"Request({self.method} {self.target.partition('?')[0]})"


class Answer(msgspec.Struct, frozen=True):
    """One answer. is_last: the connection ends with it."""

    status: int
    body: bytes
    is_last: bool


class AnswerReader:
    """Reads answers from a connection, one after another."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._head: tuple[int, dict[str, str]] | None = None
        self._body = bytearray()

    def feed(self, data: bytes) -> Iterator[Answer]:
        """Bytes have come; the answers that are whole now. Raises HttpError."""
        self._data += data
        while (answer := self._next()) is not None:
            yield answer

    def end(self) -> Answer | None:
        """The connection has ended: the answer that ends by that, if there is one."""
        if self._head is None:
            return None
        status, headers = self._head
        if "content-length" in headers or "chunked" in headers.get("transfer-encoding", ""):
            return None
        return Answer(status, bytes(self._data), True)

    def _next(self) -> Answer | None:
        if self._head is None:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                if len(self._data) > _HEAD_MAX:
                    raise HttpError("the head of an answer has no end")
                return None
            self._head = _head(bytes(self._data[:end]))
            del self._data[: end + 4]
            if 100 <= self._head[0] < 200:
                self._head = None
                return self._next()
        status, headers = self._head
        body = self._take_body(status, headers)
        if body is None:
            return None
        self._head = None
        return Answer(status, body, headers.get("connection", "").lower() == "close")

    def _take_body(self, status: int, headers: Mapping[str, str]) -> bytes | None:
        if status in _NO_BODY:
            return b""
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._take_chunks()
        length = headers.get("content-length")
        if length is None:
            return None  # it ends with the connection
        if not length.isdigit() or int(length) > _BODY_MAX:
            raise HttpError("the length of an answer makes no sense")
        size = int(length)
        if len(self._data) < size:
            return None
        body = bytes(self._data[:size])
        del self._data[:size]
        return body

    def _take_chunks(self) -> bytes | None:
        while True:
            end = self._data.find(b"\r\n")
            if end < 0:
                return None
            try:
                size = int(bytes(self._data[:end]).partition(b";")[0], 16)
            except ValueError:
                raise HttpError("a chunk of an answer has no size") from None
            if size < 0 or len(self._body) + size > _BODY_MAX:
                raise HttpError("an answer is too large")
            if size == 0:
                trailer = self._data.find(b"\r\n\r\n", end)
                if trailer < 0:
                    return None
                del self._data[: trailer + 4]
                body, self._body = bytes(self._body), bytearray()
                return body
            if len(self._data) < end + 2 + size + 2:
                return None
            self._body += self._data[end + 2 : end + 2 + size]
            del self._data[: end + 2 + size + 2]


def _head(data: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = data.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise HttpError("the first line of an answer is not one of HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise HttpError("a header of an answer has no name")
        headers[name.strip().lower()] = value.strip()
    return int(words[1]), headers
