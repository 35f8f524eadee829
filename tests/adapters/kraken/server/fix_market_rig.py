"""A FIX gateway of market data in front of a venue in virtual time, and a client: the same engine as initiator."""

from __future__ import annotations

from typing import Any

from adapters.fix.codec import Fields, Message
from adapters.fix.fix44 import FIX44
from adapters.fix.session import Session
from adapters.fix.settings import QuietHandler, SessionSettings
from adapters.fix.store import MemoryStore
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.fix.sessions import FixConnection
from adapters.kraken.server.fix_market.gateway import FixMarketGateway
from adapters.kraken.server.keys import KeyRing, generate_keys
from adapters.kraken.wire.fix.messages import read_message, write
from adapters.kraken.wire.fix_market_dialect import KRAKEN_FIX_MARKET
from tests.framework.venue.served.served_rig import Client, host

__all__ = ["FixMarket", "Watcher"]


class FixMarket:
    """A venue with SenderCompIDs ``A0`` and ``B0`` (account a0), ``A1`` (account a1), and a trader of a0 and a1."""

    def __init__(self, rows: Any = None, **options: Any) -> None:
        self.host = options.pop("served", None) or host(rows, **options)
        keys = generate_keys(list(self.host.venue.accounts), 5)
        self.context = ServerContext(self.host, KeyRing(keys, seed=5))
        self.gateway = FixMarketGateway(self.context, {"A0": "a0", "B0": "a0", "A1": "a1"})
        self.trader = Client(self.host, label="rest")
        self.other = Client(self.host, label="rest", account="a1")

    def watcher(self, comp_id: str = "A0") -> Watcher:
        """A client that is logged on."""
        return Watcher(self, comp_id).open()


class Watcher(QuietHandler):
    """One client. messages: application messages in order, until they are taken.

    Each is one that the trader's end reads, and would write in the same way.
    """

    def __init__(self, market: FixMarket, comp_id: str = "A0", target_comp_id: str = "KRAKEN-MD") -> None:
        self.market = market
        self.messages: list[Message] = []
        self.rejects: list[Message] = []
        self.closed: list[str] = []
        settings = SessionSettings(sender_comp_id=comp_id, target_comp_id=target_comp_id)
        self.session = Session(settings, KRAKEN_FIX_MARKET, MemoryStore(), self)
        self._line: FixConnection | None = None

    # -- the session's handler

    def on_message(self, session: Session, message: Message, now_ns: int) -> None:
        self.messages.append(message)
        if message.msg_type != b"j":
            read = read_message(message)
            assert read is not None
            body = [field for field in message.fields if field[0] not in FIX44.header.tags]
            assert list(write(read)) == body

    def on_reject(self, session: Session, message: Message, now_ns: int) -> None:
        self.rejects.append(message)

    def on_closed(self, session: Session, reason: str, now_ns: int) -> None:
        self.closed.append(reason)

    # -- the line

    def open(self, *, is_reset: bool = False) -> Watcher:
        """Connect and log on."""
        self._line = self.market.gateway.connect("127.0.0.1:1", self._receive, self.cut)
        self.session.connect(self.market.host.now_ns, is_reset=is_reset)
        return self.flush()

    def flush(self) -> Watcher:
        """Carry what either end has written, until there is no more."""
        self.market.gateway.flush()
        while self._line is not None:
            data = self.session.data_to_send()
            if not data:
                break
            self._line.receive(data)
        if self.session.wants_close and self._line is not None:
            self.cut()
        return self

    def cut(self) -> None:
        """The line is gone, without a word."""
        line, self._line = self._line, None
        if line is not None:
            line.closed()
        self.session.disconnected(self.market.host.now_ns)

    def _receive(self, data: bytes) -> None:
        if self._line is not None and self.session.state.value != "closed":
            self.session.receive(data, self.market.host.now_ns)
            self.flush()

    # -- requests

    def send(self, msg_type: bytes, fields: Fields) -> list[Message]:
        """Send a message; gives all that has come since, and takes it."""
        self.session.send(msg_type, fields, self.market.host.now_ns)
        self.flush()
        return self.taken()

    def ask(
        self,
        req_id: str = "1",
        kind: str = "1",
        depth: str = "10",
        types: str = "01",
        symbols: tuple[str, ...] = ("BTC/USD",),
        **more: str,
    ) -> list[Message]:
        """A MarketDataRequest; more: fields by tag, as ``t266="N"``. Gives what comes."""
        fields = [(146, b"%d" % len(symbols)), *((55, symbol.encode()) for symbol in symbols)]
        fields += [(262, req_id.encode()), (263, kind.encode()), (264, depth.encode())]
        fields += [(int(tag[1:]), value.encode()) for tag, value in more.items()]
        fields += [(267, b"%d" % len(types)), *((269, each.encode()) for each in types)]
        return self.send(b"V", fields)

    def taken(self) -> list[Message]:
        """What has come, taken."""
        self.flush()
        messages, self.messages = self.messages, []
        return messages
