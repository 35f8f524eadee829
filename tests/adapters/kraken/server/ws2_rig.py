"""A gateway of WebSocket v2 in front of a served venue in virtual time, and clients that keep what they are sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.keys import PERMISSIONS, ApiKey, KeyRing, generate_keys
from adapters.kraken.server.ws2.gateway import Ws2Gateway
from tests.framework.venue.served.served_rig import host

__all__ = ["Socket", "Ws2"]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_JSON: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)


class Ws2:
    """Two accounts with a key each; options are those of the host."""

    def __init__(self, rows: Any = None, permissions: tuple[str, ...] = PERMISSIONS, **options: Any) -> None:
        self.host = options.pop("served", None) or host(rows, **options)
        accounts = list(self.host.venue.accounts)
        self.keys = [ApiKey(key.key, key.secret, key.account, permissions) for key in generate_keys(accounts, seed=5)]
        self.context = ServerContext(self.host, KeyRing(self.keys, seed=5))
        self.gateway = Ws2Gateway(self.context)

    def token(self, account: int = 0) -> str:
        """A token of an account's key."""
        return self.context.keys.make_token(self.keys[account], self.host.now_ns)

    def socket(self) -> Socket:
        """A new connection, its greeting read."""
        made = Socket(self)
        made.frames.clear()
        return made


class Socket:
    """One client; ``frames`` are the messages that it was sent and has not taken; ``closed``, with what code."""

    def __init__(self, ws2: Ws2) -> None:
        self.ws2 = ws2
        self.frames: list[Any] = []
        self.raw: list[bytes] = []
        self.closed: list[int] = []
        self.connection = ws2.gateway.connect("127.0.0.1:1", self._take, lambda code, _: self.closed.append(code))

    def _take(self, frame: bytes) -> None:
        self.raw.append(frame)
        self.frames.append(_JSON.decode(frame))

    def send(self, method: str, **params: Any) -> list[Any]:
        """Send a request; gives all that has come since, and takes it."""
        message: dict[str, Any] = {"method": method, "req_id": 7}
        if params:
            message["params"] = params
        return self.tell(_ENCODER.encode(message))

    def tell(self, data: bytes) -> list[Any]:
        """Send anything; gives all that has come since, and takes it."""
        self.connection.receive(data)
        return self.taken()

    def taken(self) -> list[Any]:
        """What has come, taken."""
        frames, self.frames = self.frames, []
        return frames

    def result(self, method: str, account: int = 0, **params: Any) -> Any:
        """The result of a trading request that succeeds; other frames stay."""
        token = self.ws2.token(account)
        frames = self.send(method, token=token, **params)
        (answer,) = [frame for frame in frames if frame.get("method") == method]
        self.frames = [frame for frame in frames if frame is not answer]
        assert answer["success"], answer
        assert answer["req_id"] == 7
        return answer["result"]

    def error(self, method: str, account: int = 0, **params: Any) -> str:
        """The error of a trading request that fails."""
        (answer,) = [frame for frame in self.send(method, token=self.ws2.token(account), **params) if "method" in frame]
        assert answer["success"] is False, answer
        return str(answer["error"])

    def add(self, side: str = "buy", price: str | None = "100.1", qty: str = "1", **more: Any) -> str:
        """Add an order, and give its id."""
        kind: dict[str, Any] = {"order_type": "market"}
        if price is not None:
            kind = {"order_type": "limit", "limit_price": Decimal(price)}
        return str(
            self.result("add_order", symbol="BTC/USD", side=side, order_qty=Decimal(qty), **{**kind, **more})[
                "order_id"
            ]
        )
