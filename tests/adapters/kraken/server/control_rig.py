"""The control API in front of a served venue in virtual time, with connections whose sockets are made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from multidict import CIMultiDict

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.control.gateway import ControlGateway
from adapters.kraken.server.control.served_faults import ServedFaults
from adapters.kraken.server.fix.gateway import FixGateway
from adapters.kraken.server.http import HttpRequest, HttpResponse
from adapters.kraken.server.keys import KeyRing, generate_keys
from adapters.kraken.server.shell.peers import Peer, Peers
from adapters.kraken.server.shell.pump import Pump
from adapters.kraken.server.ws2.gateway import Ws2Gateway
from framework.venue.served.clock import VenueClock
from tests.framework.venue.served.served_rig import SECOND, START, host

__all__ = ["TOKEN", "Control", "Socket"]

TOKEN = "token-of-the-test"


class Socket:
    """A transport that goes nowhere. state: open, closed or aborted; is_reading: until it is made to pause."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.written: list[bytes] = []
        self.state = "open"
        self.is_reading = True

    def get_extra_info(self, name: str) -> Any:
        return self.address if name == "peername" else None

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.state != "open"

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def abort(self) -> None:
        self.state = "aborted"

    def close(self) -> None:
        self.state = "closed"

    def pause_reading(self) -> None:
        self.is_reading = False


class Control:
    """Two accounts, a0 and a1, with a key each, and SenderCompID A0. wall_ns: the machine's clock."""

    def __init__(self, rows: Any = None, **options: Any) -> None:
        self.host = options.pop("served", None) or host(rows, **options)
        accounts = list(self.host.venue.accounts)
        self.context = ServerContext(self.host, KeyRing(generate_keys(accounts, seed=5), seed=5))
        self.wall_ns = 0
        self.pump = Pump(self.host, VenueClock(0, START), lambda: self.wall_ns)
        self.peers = Peers(1_000)
        self.requests_cut = 0
        self.ws2 = Ws2Gateway(self.context)
        self.fix = FixGateway(self.context, {"A0": "a0"})
        self.faults = ServedFaults(self.host, self.peers, {"rest": self._cut_requests})
        self.gateway = ControlGateway(self.context, self.pump, self.peers, self.faults, self.fix.sessions, TOKEN)
        self._port_count = 50_000

    def _cut_requests(self) -> None:
        self.requests_cut += 1

    def wait(self, seconds: float) -> None:
        """Let the machine's time pass."""
        self.wall_ns += round(seconds * SECOND)
        self.pump.now()

    # -- connections

    def connect(self, kind: str = "ws_v2", connect: Callable[..., Any] | None = None) -> tuple[Peer, Socket, Any]:
        """A connection: what is kept of it, its socket, and the gateway's end; of WebSocket v2, if none is given."""
        self._port_count += 1
        socket = Socket(("127.0.0.1", self._port_count))
        peer = self.peers.add(kind, socket, self.host.now_ns, lambda _: socket.close())  # type: ignore[arg-type]
        connection = (connect or self.ws2.connect)(peer.address, peer.write, lambda *_: None)
        peer.facts = connection.facts
        return peer, socket, connection

    def log_in(self, connection: Any, account: int = 0) -> None:
        """Have a connection of WebSocket v2 use an account's token."""
        key = self.context.keys.find(generate_keys(list(self.host.venue.accounts), seed=5)[account].key)
        assert key is not None
        params = {"channel": "executions", "token": self.context.keys.make_token(key, self.host.now_ns)}
        connection.receive(msgspec.json.encode({"method": "subscribe", "params": params}))

    # -- requests

    def ask(self, method: str, path: str, body: bytes = b"", token: str | None = TOKEN) -> HttpResponse:
        """Send a request; gives the answer."""
        answers: list[HttpResponse] = []
        path, _, query = path.partition("?")
        headers: CIMultiDict[str] = CIMultiDict()
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        request = HttpRequest(method=method, path=path, query=query, headers=headers, body=body, peer="127.0.0.1")
        self.gateway.handle(request, answers.append)
        (answer,) = answers
        return answer

    def get(self, path: str) -> Any:
        """What is to be seen."""
        return self._done(self.ask("GET", f"/v1{path}"))

    def post(self, path: str, **body: Any) -> Any:
        """Do something that succeeds."""
        return self._done(self.ask("POST", f"/v1{path}", msgspec.json.encode(body)))

    def error(self, path: str, **body: Any) -> str:
        """Do something that is refused as a bad request; gives why."""
        answer = self.ask("POST", f"/v1{path}", msgspec.json.encode(body))
        assert answer.status == 400, answer.body
        return str(msgspec.json.decode(answer.body)["error"])

    @staticmethod
    def _done(answer: HttpResponse) -> Any:
        assert answer.status == 200, answer.body
        return msgspec.json.decode(answer.body)
