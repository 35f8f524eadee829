"""Connections of the links: bytes leave within the call that writes them, over plain TCP and TLS, in either loop."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from adapters.kraken.client.shell import Sockets, tls_context
from adapters.kraken.server.authority import Certified, certify

WAIT_S = 10.0
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Ears:
    """What a connection tells."""

    def __init__(self, on_opened: Callable[[], None] = lambda: None) -> None:
        self.data = bytearray()
        self.ends: list[str] = []
        self.opens = 0
        self._on_opened = on_opened

    def opened(self) -> None:
        self.opens += 1
        self._on_opened()

    def received(self, data: bytes) -> None:
        self.data += data

    def closed(self, reason: str) -> None:
        self.ends.append(reason)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.002)


class Host:
    """One listening socket with blocking calls, in a thread where it has to answer on its own."""

    def __init__(self, certified: Certified | None) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(WAIT_S)
        self._certified = certified
        self.port: int = self._listening.getsockname()[1]
        self.tls = None if certified is None else tls_context(certified.ca)
        self._accepted: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        try:
            line, _ = self._listening.accept()
            line.settimeout(WAIT_S)
            if self._certified is not None:
                line = self._certified.context().wrap_socket(line, server_side=True)
        except OSError:
            return  # nobody comes, or who comes does not trust it
        self._accepted.append(line)

    @property
    def line(self) -> socket.socket:
        self._thread.join(WAIT_S)
        return self._accepted[0]

    def close(self) -> None:
        self._listening.close()
        for line in self._accepted:
            line.close()


@pytest.fixture(params=["plain", "tls"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    made = Host(certify(tmp_path, dt.datetime.now(dt.UTC)) if request.param == "tls" else None)
    yield made
    made.close()


@pytest.fixture(params=list(LOOPS))
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as made:
        yield made


def test_an_idle_line_whose_other_end_is_gone_is_noticed_by_the_system(host: Host, runner: asyncio.Runner) -> None:
    """Half a minute at most: ten seconds of silence, and three questions without an answer."""

    async def act() -> None:
        sockets, ears = Sockets(asyncio.get_running_loop()), Ears()
        stream: Any = sockets.to("127.0.0.1", host.port, host.tls)(ears)
        await ears.until(lambda: ears.opens)
        line: socket.socket = stream._line
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            idle, interval, count = (line.getsockopt(socket.IPPROTO_TCP, option) for option in options)
            assert idle + interval * count <= 30
        await sockets.close()

    runner.run(act())


def test_bytes_have_left_when_write_returns(host: Host, runner: asyncio.Runner) -> None:
    """The loop stands still while the other end waits for them, so nothing but the call can have sent them."""

    async def act() -> None:
        sockets, ears = Sockets(asyncio.get_running_loop()), Ears()
        stream = sockets.to("127.0.0.1", host.port, host.tls)(ears)
        await ears.until(lambda: ears.opens)
        peer = host.line
        for data in (b"one", b"two"):
            stream.write(data)
            assert peer.recv(100) == data
        await sockets.close()

    runner.run(act())


def test_bytes_have_left_when_the_handler_that_is_told_of_the_opening_wrote_them(
    host: Host, runner: asyncio.Runner
) -> None:
    async def act() -> None:
        sockets = Sockets(asyncio.get_running_loop())
        ears = Ears(lambda: stream.write(b"hello"))
        stream = sockets.to("127.0.0.1", host.port, host.tls)(ears)
        await ears.until(lambda: ears.opens)
        assert host.line.recv(100) == b"hello"
        await sockets.close()

    runner.run(act())


def test_what_comes_is_told_whole_and_in_order(host: Host, runner: asyncio.Runner) -> None:
    sent = b"".join(b"%07d" % number for number in range(100_000))

    async def act() -> None:
        sockets, ears = Sockets(asyncio.get_running_loop()), Ears()
        sockets.to("127.0.0.1", host.port, host.tls)(ears)
        await ears.until(lambda: ears.opens)
        threading.Thread(target=host.line.sendall, args=(sent,)).start()
        await ears.until(lambda: len(ears.data) == len(sent))
        assert bytes(ears.data) == sent
        await sockets.close()

    runner.run(act())


def test_what_the_other_end_does_not_take_at_once_follows(host: Host, runner: asyncio.Runner) -> None:
    sent = bytes(3_000_000)

    async def act() -> None:
        sockets, ears = Sockets(asyncio.get_running_loop()), Ears()
        stream = sockets.to("127.0.0.1", host.port, host.tls)(ears)
        await ears.until(lambda: ears.opens)
        stream.write(sent)
        stream.write(b"the end")
        got = bytearray()

        def read() -> None:
            while len(got) < len(sent) + 7:
                got.extend(host.line.recv(65_536))

        await asyncio.to_thread(read)
        assert got == sent + b"the end"
        assert ears.ends == []
        await sockets.close()

    runner.run(act())


def test_a_peer_that_does_not_read_is_given_up_and_not_from_within_the_write(
    host: Host, runner: asyncio.Runner
) -> None:
    async def act() -> None:
        sockets, ears = Sockets(asyncio.get_running_loop()), Ears()
        stream = sockets.to("127.0.0.1", host.port, host.tls)(ears)
        await ears.until(lambda: ears.opens)
        stream.write(bytes(20_000_000))
        assert ears.ends == []
        await ears.until(lambda: ears.ends)
        assert ears.ends == ["line dropped: the other end does not read"]
        stream.write(b"nothing happens any more")

    runner.run(act())


@pytest.mark.parametrize("is_reset", [False, True])
def test_a_line_that_the_other_end_drops_is_told_once(host: Host, runner: asyncio.Runner, *, is_reset: bool) -> None:
    async def act() -> None:
        sockets, ears = Sockets(asyncio.get_running_loop()), Ears()
        sockets.to("127.0.0.1", host.port, host.tls)(ears)
        await ears.until(lambda: ears.opens)
        if is_reset:
            host.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        host.line.close()
        await ears.until(lambda: ears.ends)
        await asyncio.sleep(0.02)
        (reason,) = ears.ends
        assert reason.startswith("line dropped")

    runner.run(act())


def test_a_line_that_is_closed_here_is_told_to_the_other_end_alone(host: Host, runner: asyncio.Runner) -> None:
    async def act() -> None:
        sockets, ears = Sockets(asyncio.get_running_loop()), Ears()
        stream = sockets.to("127.0.0.1", host.port, host.tls)(ears)
        await ears.until(lambda: ears.opens)
        stream.write(b"goodbye")
        stream.close()
        peer = host.line
        assert peer.recv(100) == b"goodbye"
        assert peer.recv(100) == b""
        await asyncio.sleep(0.02)
        assert ears.ends == []

    runner.run(act())


def test_a_handler_that_fails_ends_its_line_and_the_loop_is_told(host: Host, runner: asyncio.Runner) -> None:
    async def act() -> None:
        loop = asyncio.get_running_loop()
        told: list[Any] = []
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        sockets, ears = Sockets(loop), Ears()
        ears.received = lambda data: 1 / 0  # type: ignore[method-assign,assignment]
        sockets.to("127.0.0.1", host.port, host.tls)(ears)
        await ears.until(lambda: ears.opens)
        host.line.sendall(b"x")
        await ears.until(lambda: ears.ends)
        await ears.until(lambda: told)
        assert ears.ends == ["line dropped: what came could not be dealt with"]
        assert isinstance(told[0], ZeroDivisionError)

    runner.run(act())


def test_a_host_that_nobody_trusts_is_not_connected_to(tmp_path: Path, runner: asyncio.Runner) -> None:
    host = Host(certify(tmp_path / "one", dt.datetime.now(dt.UTC)))
    other = certify(tmp_path / "other", dt.datetime.now(dt.UTC))

    async def act() -> None:
        sockets, ears = Sockets(asyncio.get_running_loop()), Ears()
        sockets.to("127.0.0.1", host.port, tls_context(other.ca))(ears)
        await ears.until(lambda: ears.ends)
        assert ears.opens == 0
        assert "certificate verify failed" in ears.ends[0].lower()

    runner.run(act())
    host.close()


def test_a_port_where_nobody_listens_is_told(runner: asyncio.Runner) -> None:
    async def act() -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        sockets, ears = Sockets(asyncio.get_running_loop()), Ears()
        sockets.to("127.0.0.1", port, None)(ears)
        await ears.until(lambda: ears.ends)
        assert ears.ends[0].startswith(f"no connection to 127.0.0.1:{port}")

    runner.run(act())


def test_a_host_with_several_addresses_is_reached_at_one_that_answers(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(None)

    async def act() -> None:
        loop = asyncio.get_running_loop()
        sockets, ears = Sockets(loop), Ears()
        dead = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))
        alive = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", host.port))

        class Loop:
            async def getaddrinfo(self, *_: Any, **__: Any) -> list[Any]:
                return [dead, alive]

            def __getattr__(self, name: str) -> Any:
                return getattr(loop, name)

        monkeypatch.setattr(sockets, "_loop", Loop())
        sockets.to("two.example", host.port, None)(ears)
        await ears.until(lambda: ears.opens)
        await sockets.close()

    runner.run(act())
    host.close()


def test_an_attempt_that_is_given_up_says_nothing(runner: asyncio.Runner) -> None:
    host = Host(None)

    async def act() -> None:
        sockets, ears = Sockets(asyncio.get_running_loop()), Ears()
        sockets.to("127.0.0.1", host.port, None)(ears).close()
        await asyncio.sleep(0.05)
        await sockets.close()
        assert (ears.opens, ears.ends) == (0, [])

    runner.run(act())
    host.close()
