"""What the links over WebSocket v1 and v2 have in common: a connection with a token, watched, for orders and for news.

It begins with a token, over REST, and what ``_subscribe`` joins; the session is up when its snapshot has come.
Silence is answered by a ping, and by giving the line up. Sources: guides/spot-ws-auth, websocket-v2/heartbeat.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from adapters.kraken.client.backoff import BackOff
from adapters.kraken.client.link_base import AccountParts, UnsendableError, WireLink
from adapters.kraken.client.streams import Connect, Stream
from adapters.kraken.client.tokens import Tokens
from adapters.kraken.errors import SymbolError
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.errors import WireError
from framework.messages import Command, Report, VenueStatus
from framework.protocol import ProtocolProfile, VenueMode

__all__ = ["OPEN_TIMEOUT_NS", "WsLink"]

_SECOND_NS = 10**9
# Nothing has come for so long: ask for a pong; then give the line up. The venue's heart beats once a second.
_PING_AFTER_NS = 4 * _SECOND_NS
_DROP_AFTER_NS = 10 * _SECOND_NS
OPEN_TIMEOUT_NS = 15 * _SECOND_NS
_STALE_TOKEN = ("ESession:Invalid session", "EAPI:Invalid token")


class WsLink(WireLink):
    """One connection of WebSocket, for orders and for news."""

    def __init__(
        self,
        name: str,
        profile: ProtocolProfile,
        parts: AccountParts,
        backoff: BackOff,
        connect: Connect,
        tokens: Tokens,
    ) -> None:
        """connect: to the host of private messages; its streams carry whole messages."""
        super().__init__(name, profile, parts, backoff)
        self._connect = connect
        self._tokens = tokens
        self._stream: Stream | None = None
        self._token: Token | None = None
        self._heard_ns = 0
        self._session_count = 0
        self._mode = VenueMode.ONLINE
        self._is_token_asked = False

    # ------------------------------------------------------------------------------------------------- the protocol's

    @abstractmethod
    def _subscribe(self) -> None:
        """Join the news of own orders; what was heard of an earlier session is forgotten."""

    @abstractmethod
    def _forget(self) -> None:
        """The session is over: requests without an answer, and news that waited for others, are of no interest."""

    @abstractmethod
    def _bytes(self, request: Any) -> bytes:
        """A message of the protocol, as it is written."""

    @abstractmethod
    def _request(self, command: Command, token: Token) -> bytes:
        """What asks for a command. Raises UnsendableError, SymbolError, WireError, and OSError where an id of it cannot
        be kept.
        """

    @abstractmethod
    def _sent(self, command: Command) -> None:
        """A command's request is on its way."""

    @abstractmethod
    def _ping(self) -> Any:
        """The message that asks for a pong."""

    @abstractmethod
    def _take(self, data: bytes) -> None:
        """Hear a message. Raises WireError, SymbolError, KeyError or ArithmeticError for one that cannot be read."""

    @abstractmethod
    def _overdue(self) -> Sequence[Report]:
        """News that has waited for other news for too long."""

    # ------------------------------------------------------------------------------------------------- session

    def open(self, is_reset: bool) -> None:
        """Connect and subscribe; nothing can be resumed, whatever is asked."""
        self._hang_up()
        self._begin_attempt(self._start)

    def close(self) -> None:
        """Close the connection."""
        self._end("logout")

    def _start(self) -> None:
        attempt = self._attempt

        def got(token: Token) -> None:
            if attempt == self._attempt:
                self._token = token
                self._heard_ns = self._clock.now_ns
                self._stream = self._connect(self)

        def failed(reason: str) -> None:
            if attempt == self._attempt:
                self._end(reason)

        def check() -> None:
            if attempt == self._attempt and not self.is_up:
                self._end("the session did not open in time")

        self._clock.call_at(self._clock.now_ns + OPEN_TIMEOUT_NS, check)
        self._tokens.ask(got, failed)

    def _begin_session(self, ts_venue_ns: int) -> None:
        """Everything is subscribed, and there."""
        self._session_count += 1
        self._opened(f"{self.name}#{self._session_count}", ts_venue_ns)

    def _end(self, reason: str) -> None:
        self._hang_up()
        self._ended(reason)

    def _hang_up(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self._forget()

    def _write(self, request: Any) -> None:
        if self._stream is not None:
            self._stream.write(self._bytes(request))

    def _renew_if_stale(self, error: str) -> None:
        """A request was refused; where its token is not valid any more, have a new one. Nothing is sent again."""
        if self._is_token_asked or not error.startswith(_STALE_TOKEN):
            return
        self._is_token_asked = True
        attempt = self._attempt

        def got(token: Token) -> None:
            self._is_token_asked = False
            if attempt == self._attempt:
                self._token = token

        def failed(reason: str) -> None:
            self._is_token_asked = False
            if attempt == self._attempt:
                self._end(reason)

        self._tokens.ask(got, failed)

    def _tell_mode(self, mode: VenueMode | None) -> None:
        """The venue has said how it stands; None for a word that is none of its modes."""
        if mode is not None and mode is not self._mode:
            self._mode = mode
            self._tell(VenueStatus(ts_venue_ns=self._clock.now_ns, mode=mode))

    # ------------------------------------------------------------------------------------------------- the stream's

    def opened(self) -> None:
        self._heard_ns = self._clock.now_ns
        self._subscribe()
        self._watch(self._attempt)

    def closed(self, reason: str) -> None:
        self._stream = None
        self._end(reason)

    def received(self, data: bytes) -> None:
        self._heard_ns = self._clock.now_ns
        try:
            self._take(data)
        except (WireError, SymbolError, KeyError, ArithmeticError) as error:
            # What cannot be read may have told of an order: begin anew, so that nothing is missed for good.
            self._end(f"a message of the venue cannot be read: {error}")

    def _watch(self, attempt: int) -> None:
        """Once a second: is the line alive."""
        if attempt != self._attempt or self._stream is None:
            return
        for report in self._overdue():
            self._tell(report)
        silent_ns = self._clock.now_ns - self._heard_ns
        if silent_ns >= _DROP_AFTER_NS:
            self._end(f"nothing was heard for {silent_ns // _SECOND_NS} s")
            return
        if silent_ns >= _PING_AFTER_NS:
            self._write(self._ping())
        self._clock.call_at(self._clock.now_ns + _SECOND_NS, lambda: self._watch(attempt))

    # ------------------------------------------------------------------------------------------------- commands

    def send(self, command: Command) -> None:
        """Write a command's request to the socket; it may never arrive."""
        if not self.is_up or self._stream is None or self._token is None:
            return
        try:
            data = self._request(command, self._token)
        except UnsendableError as error:
            self._refuse_later(command, error)
            return
        except (SymbolError, WireError, OSError) as error:
            self._refuse_later(command, UnsendableError(str(error)))
            return
        self._stream.write(data)
        self._sent(command)

    def _until_ns(self, command: Command) -> int | None:
        """After which the venue does not take a new order any more; None for never."""
        default_ns = self.profile.capabilities.deadline_default_ns
        if command.deadline_ns is None and default_ns is not None:
            return self._clock.now_ns + default_ns
        return command.deadline_ns
