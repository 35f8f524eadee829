"""The gateway of WebSocket v1: connections, subscriptions, and events to their answers.

Kraken serves public and private channels at two addresses; here one has both. Sources: guides/spot-ws-intro,
websocket-v1/systemstatus, ping, heartbeat, subscriptionstatus, unsubscribe.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from adapters.kraken.server.channels import Channel, Channels, Member, Send
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.json_input import json_object
from adapters.kraken.server.keys import ApiKey
from adapters.kraken.server.refusal import Refusal
from adapters.kraken.server.rest.trading import Pending
from adapters.kraken.server.sockets import Connections, SocketConnection
from adapters.kraken.server.ws1.frames import HEARTBEAT, ReqId, error, event, subscription_status
from adapters.kraken.server.ws1.market import (
    LABEL,
    BookChannel,
    OhlcChannel,
    SpreadChannel,
    TickerChannel,
    TradeChannel,
)
from adapters.kraken.server.ws1.private import PRIVATE_CHANNELS, PrivateChannel
from adapters.kraken.server.ws1.subscriptions import (
    ALL_CHANNELS,
    PUBLIC_CHANNELS,
    PublicChannel,
    chosen_flags,
    echoed,
    pair_named,
    pair_names,
    public_channel,
)
from adapters.kraken.server.ws1.trading import TRADING_EVENTS, Ws1Trading
from framework.messages import Command, CommandAccepted, CommandRejected, ExecutionReport, OrdersSnapshot, Report

__all__ = ["Ws1Connection", "Ws1Gateway"]

_VERSION = "1.9.1"
_FIRST_CONNECTION = 9_000_000_000_000_000_000
_REQID_TEXT_MAX = 64
_REQID_MIN, _REQID_MAX = -(2**63), 2**63 - 1

type _Key = tuple[PublicChannel, str]
"""A public channel, and the symbol of its pair."""


class Ws1Gateway:
    """All connections of WebSocket v1."""

    def __init__(self, context: ServerContext) -> None:
        self.context = context
        self.trading = Ws1Trading(context)
        self.channels: Channels[_Key] = Channels(self._make)
        self.connections: Connections[Ws1Connection] = Connections(context, LABEL)
        pairs = {pair.spec.symbol: number for number, pair in enumerate(context.pairs.all)}
        channels = {channel: number for number, channel in enumerate(PUBLIC_CHANNELS)}
        self.channel_ids: Mapping[_Key, int] = {
            (channel, symbol): 32 * (1 + pair) + number
            for symbol, pair in pairs.items()
            for channel, number in channels.items()
        }

    def connect(self, peer: str, send: Send, close: Callable[[int, str], None]) -> Ws1Connection:
        """A client has connected; it is told the status at once."""
        connection = Ws1Connection(self, send, close)
        self.connections.add(connection)
        return connection

    def _make(self, key: _Key) -> Channel:
        channel, symbol = key
        context, pair = self.context, self.context.pairs.by_symbol[symbol]
        said = (self.channel_ids[key], channel.channel_name)
        match channel.name:
            case "book":
                return BookChannel(context, pair, *said, channel.option)
            case "ohlc":
                return OhlcChannel(context, pair, *said, channel.option)
            case "trade":
                return TradeChannel(context, pair, *said)
            case "spread":
                return SpreadChannel(context, pair, *said)
            case _:
                return TickerChannel(context, pair, *said)


class Ws1Connection(SocketConnection):
    """One connection."""

    label = LABEL
    heartbeat = HEARTBEAT

    def __init__(self, gateway: Ws1Gateway, send: Send, close: Callable[[int, str], None] | None = None) -> None:
        super().__init__(gateway.context, send, close)
        self._gateway = gateway
        self._members: dict[_Key, Member] = {}
        self._private: dict[tuple[str, str], PrivateChannel] = {}
        self._awaited: dict[str, deque[PrivateChannel]] = {}
        self._waiting: dict[int, tuple[str, Pending, ReqId]] = {}

    @property
    def is_subscribed(self) -> bool:
        """Whether there is a subscription."""
        return bool(self._members or self._private)

    def tell_status(self) -> None:
        """The engine's mode."""
        number, status = _FIRST_CONNECTION + self.number, self._host.mode.name.lower()
        self.send(event("systemStatus", None, connectionID=number, status=status, version=_VERSION))

    def tell_pair(self, symbol: str) -> None:
        """WebSocket v1 has no channel for it."""

    # ------------------------------------------------------------------------------------------------- receiving

    def receive(self, data: bytes | str) -> None:
        """A message has come."""
        self._last_heard_ns = self._host.now_ns
        message = json_object(data)
        if message is None:
            self.send(error("Malformed request", None))
            return
        name, reqid = message.get("event"), _reqid(message)
        if name == "ping":
            self.send(event("pong", reqid))
        elif name in ("subscribe", "unsubscribe"):
            self._subscription(name == "subscribe", message, reqid)
        elif isinstance(name, str) and name in TRADING_EVENTS:
            self._trade(name, message, reqid)
        else:
            self.send(error("Event(s) not found", reqid))

    def closed(self) -> None:
        """The client is gone."""
        for key, member in self._members.items():
            self._gateway.channels.leave(key, member)
        self._members.clear()
        self._private.clear()
        self._awaited.clear()
        self.drop_lines()
        self._gateway.connections.forget(self)

    # ------------------------------------------------------------------------------------------------- subscriptions

    def _subscription(self, is_wanted: bool, message: dict[str, Any], reqid: ReqId) -> None:
        subscription = message.get("subscription")
        try:
            if not is_wanted and "channelID" in message:
                self._unsubscribe_id(message["channelID"], reqid)
            elif not isinstance(subscription, dict):
                raise Refusal("Subscription field must be an object")
            elif isinstance(name := subscription.get("name"), str) and name in PRIVATE_CHANNELS:
                self._private_channel(is_wanted, name, message, subscription, reqid)
            else:
                self._public_channels(is_wanted, message, subscription, reqid)
        except Refusal as refusal:
            shown = echoed(subscription) if isinstance(subscription, dict) else None
            self.send(subscription_status("error", reqid, errorMessage=refusal.text, subscription=shown))

    def _public_channels(
        self, is_wanted: bool, message: dict[str, Any], subscription: dict[str, Any], reqid: ReqId
    ) -> None:
        """Each pair is answered by itself."""
        names = pair_names(message)
        is_all = not is_wanted and subscription.get("name") == ALL_CHANNELS
        for name in names:
            try:
                channel = None if is_all else public_channel(subscription)
                symbol = pair_named(name, self._context.pairs).spec.symbol
                if channel is None:
                    self._unsubscribe_all(symbol, reqid)
                elif is_wanted:
                    self._subscribe((channel, symbol), reqid)
                else:
                    self._unsubscribe((channel, symbol), reqid)
            except Refusal as refusal:
                text, shown = refusal.text, echoed(subscription)
                self.send(subscription_status("error", reqid, errorMessage=text, pair=name, subscription=shown))

    def _subscribe(self, key: _Key, reqid: ReqId) -> None:
        if key in self._members:
            raise Refusal("Already subscribed")
        self._tell("subscribed", key, reqid)
        self._members[key] = self._gateway.channels.join(key, self.send, has_snapshot=True)

    def _unsubscribe(self, key: _Key, reqid: ReqId) -> None:
        member = self._members.pop(key, None)
        if member is None:
            raise Refusal("Subscription Not Found")
        self._gateway.channels.leave(key, member)
        self._tell("unsubscribed", key, reqid)

    def _unsubscribe_all(self, symbol: str, reqid: ReqId) -> None:
        keys = [key for key in self._members if key[1] == symbol]
        if not keys:
            raise Refusal("Subscription Not Found")
        for key in keys:
            self._unsubscribe(key, reqid)

    def _unsubscribe_id(self, channel_id: object, reqid: ReqId) -> None:
        ids = self._gateway.channel_ids
        keys = [key for key in self._members if ids[key] == channel_id]
        if not keys or isinstance(channel_id, bool):
            raise Refusal("Subscription Not Found")
        self._unsubscribe(keys[0], reqid)

    def _tell(self, status: str, key: _Key, reqid: ReqId) -> None:
        channel, symbol = key
        self.send(
            subscription_status(
                status,
                reqid,
                channelID=self._gateway.channel_ids[key],
                channelName=channel.channel_name,
                pair=self._context.pairs.by_symbol[symbol].names.ws1,
                subscription=channel.shown,
            )
        )

    def _private_channel(
        self, is_wanted: bool, name: str, message: dict[str, Any], subscription: dict[str, Any], reqid: ReqId
    ) -> None:
        if "pair" in message:
            raise Refusal("Pair field unsupported for this subscription type")
        kind = PRIVATE_CHANNELS[name]
        chosen = chosen_flags(kind.defaults, subscription)
        key = self._key(subscription)
        if kind.permission not in key.permissions:
            raise Refusal("EGeneral:Permission denied")
        account = key.account
        if not is_wanted:
            if self._private.pop((name, account), None) is None:
                raise Refusal("Subscription Not Found")
            self.send(subscription_status("unsubscribed", reqid, channelName=name, subscription={"name": name}))
            return
        if (name, account) in self._private:
            raise Refusal("Already subscribed")
        line_id = self.line_of(account)
        channel = self._private[name, account] = kind(self._context, account, chosen, self.send)
        self.send(subscription_status("subscribed", reqid, channelName=name, subscription=channel.shown))
        self._awaited.setdefault(account, deque()).append(channel)
        self._host.subscribe_news(line_id)

    # ------------------------------------------------------------------------------------------------- trading

    def _trade(self, name: str, message: dict[str, Any], reqid: ReqId) -> None:
        """Have the engine make the commands of an event when it arrives there."""
        sent_ns = self._host.now_ns
        try:
            key = self._key(message)
            if not all(key.permissions.intersection(group) for group in TRADING_EVENTS[name].permissions):
                raise Refusal("EGeneral:Permission denied")
        except Refusal as refusal:
            self.send(_refused(name, reqid, refusal.text))
            return

        def make() -> tuple[Command, ...] | bytes:
            try:
                requests = self._gateway.trading.requests(name, key.account, message, sent_ns)
            except Refusal as refusal:
                return _refused(name, reqid, refusal.text)
            for request in requests:
                self._waiting[request.command.request_id] = (name, request, reqid)
            return tuple(request.command for request in requests)

        self._host.submit_made(self.line_of(key.account), make, self.send)

    def on_report(self, account: str, report: Report) -> None:
        """A report has arrived for an account of this connection."""
        if isinstance(report, ExecutionReport):
            for (_, owner), channel in tuple(self._private.items()):
                if owner == account:
                    channel.on_report(report)
        elif isinstance(report, CommandAccepted):
            waiting = self._waiting.pop(report.request_id, None)
            if waiting is not None:
                name, request, reqid = waiting
                self.send(event(f"{name}Status", reqid, status="ok", **request.result(report)))
        elif isinstance(report, CommandRejected):
            waiting = self._waiting.pop(report.request_id, None)
            if waiting is not None:
                self.send(_refused(waiting[0], waiting[2], report.error))
        elif isinstance(report, OrdersSnapshot):
            self._begin(account)

    def _begin(self, account: str) -> None:
        """What the engine says to a subscription has come: the one that is awaited longest begins, if it still is."""
        awaited = self._awaited.get(account)
        if awaited:
            channel = awaited.popleft()
            if self._private.get((channel.name, account)) is channel:
                channel.begin()

    # ------------------------------------------------------------------------------------------------- who

    def _key(self, holder: Mapping[str, Any]) -> ApiKey:
        token = holder.get("token")
        return self.key_of(token if isinstance(token, str) else "")


def _refused(name: str, reqid: ReqId, text: str) -> bytes:
    return event(f"{name}Status", reqid, status="error", errorMessage=text)


def _reqid(message: Mapping[str, Any]) -> ReqId:
    """The number of a request, which the pages show both as integer and as text; anything else is not echoed."""
    value = message.get("reqid")
    if isinstance(value, str):
        return value[:_REQID_TEXT_MAX]
    if isinstance(value, int) and not isinstance(value, bool) and _REQID_MIN <= value <= _REQID_MAX:
        return value
    return None
