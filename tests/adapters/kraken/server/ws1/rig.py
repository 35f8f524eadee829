"""A gateway of WebSocket v1 in front of a served venue in virtual time, and clients that keep what they are sent."""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.keys import PERMISSIONS, ApiKey, KeyRing, generate_keys
from adapters.kraken.server.ws1.gateway import Ws1Gateway
from adapters.kraken.wire.ws1.messages import UnknownMessage, decode_answer, encode
from tests.framework.venue.served.served_rig import host

__all__ = ["BookClient", "Socket", "Ws1", "events", "private_rows"]


class Ws1:
    """Two accounts with a key each; options are those of the host."""

    def __init__(self, rows: Any = None, permissions: tuple[str, ...] = PERMISSIONS, **options: Any) -> None:
        self.host = options.pop("served", None) or host(rows, **options)
        accounts = list(self.host.venue.accounts)
        self.keys = [ApiKey(key.key, key.secret, key.account, permissions) for key in generate_keys(accounts, seed=5)]
        self.context = ServerContext(self.host, KeyRing(self.keys, seed=5))
        self.gateway = Ws1Gateway(self.context)

    def token(self, account: int = 0) -> str:
        """A token of an account's key."""
        return self.context.keys.make_token(self.keys[account], self.host.now_ns)

    def socket(self) -> Socket:
        """A new connection, its greeting read."""
        made = Socket(self)
        made.frames.clear()
        return made


class Socket:
    """One client; ``frames`` are the messages that it was sent and has not taken."""

    def __init__(self, ws1: Ws1) -> None:
        self.ws1 = ws1
        self.frames: list[Any] = []
        self.raw: list[bytes] = []
        self.connection = ws1.gateway.connect("127.0.0.1:1", self._take, lambda code, reason: None)

    def _take(self, frame: bytes) -> None:
        told, message = json.loads(frame), decode_answer(frame)
        assert not isinstance(message, UnknownMessage)
        assert json.loads(encode(message)) == told  # the trader's end knows all that stands in it
        self.raw.append(frame)
        self.frames.append(told)

    def send(self, event: str, **fields: Any) -> list[Any]:
        """Send an event; gives all that has come since, and takes it."""
        return self.tell(json.dumps({"event": event, "reqid": 7, **fields}).encode())

    def tell(self, data: bytes) -> list[Any]:
        """Send anything; gives all that has come since, and takes it."""
        self.connection.receive(data)
        return self.taken()

    def taken(self) -> list[Any]:
        """What has come, taken."""
        frames, self.frames = self.frames, []
        return frames

    def subscribe(self, name: str, *pairs: str, **more: Any) -> list[Any]:
        """Subscribe to a public channel; gives what has come since."""
        return self.send("subscribe", pair=list(pairs or ("XBT/USD",)), subscription={"name": name, **more})

    def subscribe_private(self, name: str, account: int = 0, **more: Any) -> list[Any]:
        """Subscribe to a private channel; gives what has come since."""
        return self.send("subscribe", subscription={"name": name, "token": self.ws1.token(account), **more})

    def answers(self, event: str, account: int = 0, **fields: Any) -> list[Any]:
        """The answers to a trading event; other frames stay."""
        frames = self.send(event, token=self.ws1.token(account), **fields)
        answers = [frame for frame in frames if isinstance(frame, dict) and frame["event"] == f"{event}Status"]
        self.frames = [frame for frame in frames if frame not in answers]
        assert all(answer["reqid"] == 7 for answer in answers)
        return answers

    def answer(self, event: str, account: int = 0, **fields: Any) -> dict[str, Any]:
        """The one answer to a trading event that is carried out."""
        (answer,) = self.answers(event, account, **fields)
        assert answer["status"] == "ok", answer
        return dict(answer)

    def error(self, event: str, account: int = 0, **fields: Any) -> str:
        """Why a trading event is refused."""
        (answer,) = self.answers(event, account, **fields)
        assert answer["status"] == "error", answer
        return str(answer["errorMessage"])

    def add(self, type: str = "buy", price: str | None = "100.1", volume: str = "1", **more: Any) -> str:  # noqa: A002
        """Add an order of the first account unless ``account`` says another, and give its id."""
        kind = {"ordertype": "market"} if price is None else {"ordertype": "limit", "price": price}
        fields = {"pair": "XBT/USD", "type": type, "volume": volume, **kind, **more}
        return str(self.answer("addOrder", **fields).get("txid"))


def events(frames: list[Any], name: str) -> list[Any]:
    """The events of a name among frames."""
    return [frame for frame in frames if isinstance(frame, dict) and frame["event"] == name]


def private_rows(frames: list[Any], channel: str) -> list[tuple[str, Any]]:
    """Ids and rows of a private channel's frames."""
    found = [frame[0] for frame in frames if isinstance(frame, list) and frame[-2] == channel]
    return [item for rows in found for row in rows for item in row.items()]


class BookClient:
    """Keeps a book as Kraken's guide says, from the digits on the wire alone, and checks each checksum.

    is_eager: it drops what is too many at each level, not at the end of a frame. times: of each level, by side and
    price.
    """

    def __init__(self, depth: int, *, is_eager: bool = False) -> None:
        self.depth = depth
        self._is_eager = is_eager
        self.sides: dict[str, dict[str, str]] = {"a": {}, "b": {}}
        self.times: dict[tuple[str, str], str] = {}
        self.snapshots = self.checked = self.republished = 0

    def apply(self, frame: Any) -> None:
        """A frame of the book."""
        assert frame[-2] == f"book-{self.depth}"
        parts = frame[1:-2]
        if "as" in parts[0]:
            assert len(parts) == 1
            assert "c" not in parts[0]
            self.snapshots += 1
            self.sides = {"a": {}, "b": {}}
            for name in ("a", "b"):
                self._set(name, parts[0][f"{name}s"])
                assert list(self.sides[name]) == self._sorted(name)
            return
        assert [sorted(part) for part in parts] in ([["a", "c"]], [["b", "c"]], [["a"], ["b", "c"]])
        for part in parts:
            for name in self.sides.keys() & part.keys():
                self._set(name, part[name])
        for name in self.sides:
            self._truncate(name)
        text = "".join(
            price.replace(".", "").lstrip("0") + volume.replace(".", "").lstrip("0")
            for name in ("a", "b")
            for price, volume in list(self.sides[name].items())[:10]
        )
        assert str(crc32(text.encode())) == parts[-1]["c"]
        self.checked += 1

    def _truncate(self, name: str) -> None:
        self.sides[name] = {price: self.sides[name][price] for price in self._sorted(name)[: self.depth]}

    def _sorted(self, name: str) -> list[str]:
        return sorted(self.sides[name], key=float, reverse=name == "b")

    def _set(self, name: str, levels: list[list[str]]) -> None:
        for price, volume, time, *kind in levels:
            assert kind in ([], ["r"])
            if kind:
                assert price not in self.sides[name]
                self.republished += 1
            if volume == "0.00000000":
                del self.sides[name][price]
            else:
                self.sides[name][price] = volume
                self.times[name, price] = time
                if self._is_eager:
                    self._truncate(name)
