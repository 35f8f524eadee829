"""The venue's end of an HTTP connection: bytes to the REST gateway and back, with all that can befall a request.

A request can be lost before the engine, or its answer after it; both can be slow; a proxy can answer with 502 in either
case; the connection can be reset or go silent.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.server.rest.gateway import RestGateway
from tests.simulation.wire.network import MS, SECOND, Connection

__all__ = ["HttpEnd", "HttpFaults"]

_BAD_GATEWAY = HttpResponse(status=502, headers={"Content-Type": "text/html"}, body=b"<h1>502 Bad Gateway</h1>")
_BEFORE = ("lost", "reset", "502")
_AFTER = ("silent", "reset", "502")


class HttpFaults:
    """What befalls requests. share: of them that have a fault; 0 in fair weather."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.share = chance.choice([0.0, 0.03, 0.15])
        self.is_chunked = chance.random() < 0.5
        self.last_share = chance.choice([0.0, 0.05])

    def draw(self) -> tuple[str, int, str, int]:
        """What happens before the engine, after how long it gets there, what after it, and how slow the answer is."""
        chance = self.chance
        if chance.random() >= self.share:
            return "", 0, "", 0
        kind = chance.choice(["before", "after", "slow", "slow answer"])
        return (
            chance.choice(_BEFORE) if kind == "before" else "",
            chance.randint(100, 9_000) * MS if kind == "slow" else 0,
            chance.choice(_AFTER) if kind == "after" else "",
            chance.randint(100, 9_000) * MS if kind == "slow answer" else 0,
        )


class HttpEnd:
    """One connection."""

    def __init__(
        self,
        connection: Connection,
        gateway: RestGateway,
        faults: HttpFaults,
        now: Callable[[], int],
        later: Callable[[int, Callable[[], None]], None],
        note: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._gateway = gateway
        self._faults = faults
        self._now = now
        self._later = later
        self._note = note
        self._data = bytearray()
        self._is_open = True

    def receive(self, data: bytes) -> None:
        self._data += data
        request = self._take()
        if request is None:
            return
        before, wait_ns, after, answer_wait_ns = self._faults.draw()
        name = f"{self._connection.name} {request.path.rpartition('/')[2]}"
        if before or after or wait_ns or answer_wait_ns:
            self._note(f"{name}: {before or '-'} {wait_ns // MS} ms, {after or '-'} {answer_wait_ns // MS} ms")
        if before:
            self._end(before)
            return

        def respond(answer: HttpResponse) -> None:
            if after:
                self._later(self._now(), lambda: self._end(after))
            else:
                self._later(self._now() + answer_wait_ns, lambda: self._answer(answer))

        def handle() -> None:
            self._gateway.handle(request, respond)

        if wait_ns:
            self._later(self._now() + wait_ns, handle)
        else:
            handle()

    def closed(self) -> None:
        self._is_open = False

    # ------------------------------------------------------------------------------------------------- within

    def _end(self, how: str) -> None:
        if how == "reset":
            self._connection.drop("connection reset by peer", self._faults.chance.choice([0, 20 * MS]), 0)
        elif how == "502":
            self._answer(_BAD_GATEWAY)
        else:
            self._connection.drop("nothing", None, self._faults.chance.choice([None, SECOND]))

    def _answer(self, answer: HttpResponse) -> None:
        if not self._is_open:
            return
        is_last = self._faults.chance.random() < self._faults.last_share
        lines = [f"HTTP/1.1 {answer.status} {'OK' if answer.status == 200 else 'Bad Gateway'}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        if is_last:
            lines.append("Connection: close")
        body = answer.body
        if self._faults.is_chunked and body:
            lines.append("Transfer-Encoding: chunked")
            half = len(body) // 2
            pieces = [piece for piece in (body[:half], body[half:]) if piece]
            body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        else:
            lines.append(f"Content-Length: {len(body)}")
        self._connection.send("\r\n".join([*lines, "", ""]).encode() + body)
        if is_last:
            self._connection.hang_up()

    def _take(self) -> HttpRequest | None:
        """The next request, once it is whole."""
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = bytes(self._data[:end]).decode("ascii").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        size = int(headers.get("content-length", "0"))
        if len(self._data) < end + 4 + size:
            return None
        body = bytes(self._data[end + 4 : end + 4 + size])
        del self._data[: end + 4 + size]
        method, target, _ = first.split(" ")
        path, _, query = target.partition("?")
        return HttpRequest(
            method=method, path=path, query=query, headers=_Headers(headers), body=body, peer="127.0.0.1"
        )


class _Headers(dict[str, str]):
    """Looked up in any case."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        return super().get(name.lower(), default)
