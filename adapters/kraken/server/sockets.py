"""What the connections of both WebSocket versions have in common: heartbeats, tokens, and their ways to the engine.

A connection without a subscription is closed after about a minute without a request; one with a subscription lives.
Assumption: a ping of the WebSocket protocol itself is no request.

Sources: websocket-v1/heartbeat, websocket-v2/heartbeat; guides/spot-ws-auth (tokens); guides/spot-ws-intro (idle).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import ClassVar

from adapters.kraken.server.channels import Send
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.facts import ConnectionFacts
from adapters.kraken.server.keys import ApiKey
from adapters.kraken.server.refusal import Refusal
from framework.messages import Report

__all__ = ["Connections", "SocketConnection"]

_SECOND_NS = 10**9
_NORMAL_CLOSURE = 1000


class _AccountLine:
    """A connection's way to the engine for one account."""

    def __init__(self, connection: SocketConnection, account: str) -> None:
        self.label = connection.label
        self.line_id = f"{self.label} {connection.number} {account}"
        self.account = account
        self.comp_id: str | None = None
        self._connection = connection

    def on_report(self, report: Report, is_response: bool) -> None:
        self._connection.on_report(self.account, report)


class SocketConnection(ABC):
    """One connection.

    label: of the protocol in the profile. heartbeat: the frame of one. number: of the connection at the venue.
    """

    label: ClassVar[str]
    heartbeat: ClassVar[bytes]

    def __init__(self, context: ServerContext, send: Send, close: Callable[[int, str], None] | None = None) -> None:
        """close: ends the connection, with a code and a reason; None where it lives without requests too."""
        context.connection_count += 1
        self.number = context.connection_count
        self._context = context
        self._host = context.host
        self._raw_send = send
        self._close = close
        profiles = self._host.profile.protocols.items()
        self._idle_ns = next(profile.idle_close_ns for label, profile in profiles if label == self.label)
        self._last_sent_ns = self._last_heard_ns = self._host.now_ns
        self._tokens: dict[str, ApiKey] = {}
        self._lines: dict[str, _AccountLine] = {}

    @property
    @abstractmethod
    def is_subscribed(self) -> bool:
        """Whether there is a subscription, so that silence is worth a heartbeat."""

    @abstractmethod
    def tell_status(self) -> None:
        """Send the engine's mode."""

    @abstractmethod
    def tell_pair(self, symbol: str) -> None:
        """Send what a pair is open to now, where the protocol has a channel for that and the client wants it."""

    @abstractmethod
    def on_report(self, account: str, report: Report) -> None:
        """A report has arrived for an account of this connection."""

    def facts(self) -> ConnectionFacts:
        """What this connection says of itself: whose tokens it has used."""
        return ConnectionFacts(accounts=tuple(sorted({key.account for key in self._tokens.values()})))

    def send(self, frame: bytes) -> None:
        """Send, and remember that the line was not idle."""
        self._last_sent_ns = self._host.now_ns
        self._raw_send(frame)

    def beat(self, now_ns: int) -> None:
        """A second has passed: a heartbeat, if there is a subscription and nothing was sent in it; the end, if there is
        none and nothing was asked for a minute.
        """
        if self.is_subscribed:
            if now_ns - self._last_sent_ns >= _SECOND_NS:
                self.send(self.heartbeat)
        elif self._idle_ns is not None and now_ns - self._last_heard_ns >= self._idle_ns and self._close is not None:
            close, self._close = self._close, None
            close(_NORMAL_CLOSURE, "no request for too long")

    def key_of(self, token: str) -> ApiKey:
        """The key of a token, which lives as long as the connection once it was used; raises Refusal for a bad one."""
        key = self._tokens.get(token) or self._context.keys.key_of_token(token, self._host.now_ns)
        if key is None:
            raise Refusal("ESession:Invalid session")
        self._tokens[token] = key
        return key

    def line_of(self, account: str) -> str:
        """The id of the connection's way to the engine for an account, opened when it is first needed."""
        line = self._lines.get(account)
        if line is None:
            line = self._lines[account] = _AccountLine(self, account)
            self._host.open_line(line)
        return line.line_id

    def drop_lines(self) -> None:
        """The client is gone."""
        for line in self._lines.values():
            self._host.drop_line(line.line_id)
        self._lines.clear()


class Connections[C: SocketConnection]:
    """The open connections of one protocol, the beat of their hearts, and the engine's mode, told to all.

    label: of the protocol in the profile, on whose feed path the mode leaves.
    """

    def __init__(self, context: ServerContext, label: str) -> None:
        self._host = context.host
        self._label = label
        self._open: dict[int, C] = {}
        self._is_beating = False
        self._host.listen_mode(self._on_mode)

    def __iter__(self) -> Iterator[C]:
        return iter(tuple(self._open.values()))

    def add(self, connection: C) -> None:
        """A client has connected; it is told the mode at once."""
        self._open[connection.number] = connection
        connection.tell_status()
        if not self._is_beating:
            self._is_beating = True
            self._host.call_at(self._host.now_ns + _SECOND_NS, self._beat)

    def forget(self, connection: C) -> None:
        """A client is gone."""
        self._open.pop(connection.number, None)

    def _on_mode(self, symbol: str | None) -> None:
        self._host.deliver_feed(self._label, lambda: self._tell_mode(symbol))

    def _tell_mode(self, symbol: str | None) -> None:
        for connection in self:
            if symbol is None:
                connection.tell_status()
            else:
                connection.tell_pair(symbol)

    def _beat(self) -> None:
        host = self._host
        for connection in self:
            connection.beat(host.now_ns)
        if self._open:
            host.call_at(host.now_ns + _SECOND_NS, self._beat)
        else:
            self._is_beating = False
