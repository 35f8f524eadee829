"""The gateway of WebSocket v2: connections, subscriptions, and requests to their answers.

Sources: websocket-v2/subscribe pages of each channel, ping, heartbeat, status; guides/spot-ws-intro.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from adapters.kraken.server.channels import Channel, Channels, Member, Send
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.json_input import json_object
from adapters.kraken.server.keys import ApiKey
from adapters.kraken.server.refusal import Refusal
from adapters.kraken.server.sockets import Connections, SocketConnection
from adapters.kraken.server.ws2.executions import Balances, Executions, ExecutionsOptions
from adapters.kraken.server.ws2.frames import HEARTBEAT, acknowledged, refused, stream_frame
from adapters.kraken.server.ws2.level3 import LEVEL3_DEPTHS, Level3Channel, Level3Limits
from adapters.kraken.server.ws2.market import (
    BookChannel,
    OhlcChannel,
    TickerChannel,
    TradeChannel,
    instruments,
)
from adapters.kraken.server.ws2.trading import Request, Ws2Trading
from framework.messages import Command, CommandAccepted, CommandRejected, ExecutionReport, Report
from framework.venue.served.tape import CANDLE_MINUTES

__all__ = ["Ws2Gateway"]

_DEPTHS = (10, 25, 100, 500, 1000)
_VERSION = "2.0.10"
# Options of each channel with symbols, beside ``channel``, ``symbol`` and ``snapshot``.
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "book": ("depth",),
    "level3": ("depth",),
    "trade": (),
    "ticker": ("event_trigger",),
    "ohlc": ("interval",),
}
_TRADING_PERMISSIONS = {
    "add_order": (("modify-trades",),),
    "amend_order": (("modify-trades", "close-trades"),),
    "edit_order": (("modify-trades",), ("close-trades",)),
    "batch_add": (("modify-trades",), ("close-trades",)),
    "cancel_order": (("modify-trades", "close-trades"),),
    "cancel_all": (("modify-trades", "close-trades"),),
    "cancel_all_orders_after": (("modify-trades", "close-trades"),),
    "batch_cancel": (("modify-trades", "close-trades"),),
}


class Ws2Gateway:
    """All connections of WebSocket v2."""

    def __init__(self, context: ServerContext) -> None:
        self.context = context
        self.trading = Ws2Trading(context)
        self.channels: Channels[tuple[Any, ...]] = Channels(self._make)
        self.level3_limits = Level3Limits(context)
        self.connections: Connections[Ws2Connection] = Connections(context, Ws2Connection.label)

    def connect(self, peer: str, send: Send, close: Callable[[int, str], None]) -> Ws2Connection:
        """A client has connected; it is told the status at once."""
        connection = Ws2Connection(self, send, close)
        self.connections.add(connection)
        return connection

    def _make(self, key: tuple[Any, ...]) -> Channel:
        """A channel; key: its name, the pair's symbol, its option if it has one."""
        context, pair = self.context, self.context.pairs.by_symbol[key[1]]
        makers: dict[str, Callable[[], Channel]] = {
            "book": lambda: BookChannel(context, pair, key[2]),
            "level3": lambda: Level3Channel(context, pair, key[2]),
            "trade": lambda: TradeChannel(context, pair),
            "ticker": lambda: TickerChannel(context, pair, key[2]),
            "ohlc": lambda: OhlcChannel(context, pair, key[2]),
        }
        return makers[key[0]]()


class Ws2Connection(SocketConnection):
    """One connection."""

    label = "ws2"
    heartbeat = HEARTBEAT

    def __init__(self, gateway: Ws2Gateway, send: Send, close: Callable[[int, str], None]) -> None:
        super().__init__(gateway.context, send, close)
        self._gateway = gateway
        self._members: dict[tuple[Any, ...], Member] = {}
        self._has_instruments = False
        self._executions: dict[str, Executions] = {}
        self._balances: dict[str, Balances] = {}
        self._waiting: dict[int, tuple[str, Request, int | None, int]] = {}

    @property
    def is_subscribed(self) -> bool:
        """Whether there is a subscription."""
        return bool(self._members or self._executions or self._balances or self._has_instruments)

    def tell_status(self) -> None:
        """The engine's mode."""
        row = {
            "version": _VERSION,
            "system": self._host.mode.name.lower(),
            "api_version": "v2",
            "connection_id": 13_000_000_000_000_000_000 + self.number,
        }
        self.send(stream_frame("status", "update", [row]))

    def tell_pair(self, symbol: str) -> None:
        """A pair's state, on the channel of instruments."""
        if self._has_instruments:
            self.send(instruments(self._context, self._context.pairs.wanted(symbol)))

    # ------------------------------------------------------------------------------------------------- receiving

    def receive(self, data: bytes | str) -> None:
        """A message has come."""
        in_ns = self._last_heard_ns = self._host.now_ns
        message = json_object(data)
        if message is None:
            self.send(refused("", "Malformed request", None, in_ns, in_ns))
            return
        method = message.get("method")
        req_id = message.get("req_id")
        if isinstance(req_id, bool) or not isinstance(req_id, int):
            req_id = None
        params = message.get("params", {})
        if not isinstance(method, str) or not isinstance(params, dict):
            named = method if isinstance(method, str) else ""
            self.send(refused(named, "Unsupported event", req_id, in_ns, in_ns))
            return
        try:
            self._dispatch(method, params, req_id, in_ns)
        except Refusal as refusal:
            self.send(refused(method, refusal.text, req_id, in_ns, self._host.now_ns))

    def _dispatch(self, method: str, params: dict[str, Any], req_id: int | None, in_ns: int) -> None:
        if method == "ping":
            self._pong(req_id, in_ns)
        elif method in ("subscribe", "unsubscribe"):
            self._subscription(method, params, req_id, in_ns)
        elif method in _TRADING_PERMISSIONS:
            self._trade(method, params, req_id, in_ns)
        else:
            raise Refusal("Unsupported event")

    def _pong(self, req_id: int | None, in_ns: int) -> None:
        frame = msgspec.json.decode(acknowledged("pong", {}, req_id, in_ns, self._host.now_ns))
        del frame["result"], frame["success"]
        self.send(msgspec.json.encode(frame))

    def closed(self) -> None:
        """The client is gone."""
        for key, member in self._members.items():
            self._gateway.channels.leave(key, member)
        self._members.clear()
        for balances in self._balances.values():
            balances.end()
        self._balances.clear()
        self.drop_lines()
        self._gateway.connections.forget(self)

    # ------------------------------------------------------------------------------------------------- subscriptions

    def _subscription(self, method: str, params: dict[str, Any], req_id: int | None, in_ns: int) -> None:
        channel = params.get("channel")
        if channel == "instrument":
            self._instruments(method, params, req_id, in_ns)
        elif channel in ("executions", "balances"):
            self._private(method, channel, params, req_id, in_ns)
        elif isinstance(channel, str) and channel in _OPTIONS:
            self._by_symbol(method, channel, params, req_id, in_ns)
        else:
            raise Refusal("Subscription name invalid")

    def _by_symbol(self, method: str, channel: str, params: dict[str, Any], req_id: int | None, in_ns: int) -> None:
        symbols = params.get("symbol")
        if not isinstance(symbols, list) or not symbols or len(symbols) > 1_000:
            raise Refusal("Symbol(s) not found")
        for name in params:
            if name not in ("channel", "symbol", "snapshot", "token", *_OPTIONS[channel]):
                raise Refusal(f"Unsupported field: '{name}'")
        option = _option(channel, params)
        account = self._key(params).account if channel == "level3" else ""
        has_snapshot = params.get("snapshot", channel != "trade")
        for symbol in symbols:
            if not isinstance(symbol, str) or symbol not in self._context.pairs.by_symbol:
                error = f"Currency pair not supported {symbol}"
                self.send(refused(method, error, req_id, in_ns, self._host.now_ns, symbol=symbol))
                continue
            key = (channel, symbol, *option.values())
            if method == "subscribe":
                self._subscribe(key, option, account, bool(has_snapshot), req_id, in_ns)
            else:
                self._unsubscribe(key, option, req_id, in_ns)

    def _subscribe(
        self,
        key: tuple[Any, ...],
        option: dict[str, Any],
        account: str,
        has_snapshot: bool,
        req_id: int | None,
        in_ns: int,
    ) -> None:
        channel, symbol = key[0], key[1]
        error = "Already subscribed" if key in self._members else None
        if channel == "level3" and error is None:
            error = self._level3_refusal(key, account)
        if error is not None:
            self.send(refused("subscribe", error, req_id, in_ns, self._host.now_ns, symbol=symbol))
            return
        result = {"channel": channel, "symbol": symbol, "snapshot": has_snapshot, **option}
        if channel == "ohlc":
            result["warnings"] = ["timestamp is deprecated, use interval_begin"]
        self.send(acknowledged("subscribe", result, req_id, in_ns, self._host.now_ns))
        self._members[key] = self._gateway.channels.join(key, self.send, has_snapshot=has_snapshot)

    def _level3_refusal(self, key: tuple[Any, ...], account: str) -> str | None:
        """Orders are told at one depth of each symbol, and of so many symbols only (websocket-v2/level3)."""
        symbols = [other[1] for other in self._members if other[0] == "level3"]
        if key[1] in symbols:
            return "Already subscribed"
        return self._gateway.level3_limits.refusal(account, key[2], len(symbols))

    def _unsubscribe(self, key: tuple[Any, ...], option: dict[str, Any], req_id: int | None, in_ns: int) -> None:
        if key not in self._members:
            self.send(refused("unsubscribe", "Subscription Not Found", req_id, in_ns, self._host.now_ns, symbol=key[1]))
            return
        self._gateway.channels.leave(key, self._members.pop(key))
        result = {"channel": key[0], "symbol": key[1], **option}
        self.send(acknowledged("unsubscribe", result, req_id, in_ns, self._host.now_ns))

    def _instruments(self, method: str, params: dict[str, Any], req_id: int | None, in_ns: int) -> None:
        self._has_instruments = method == "subscribe"
        has_snapshot = bool(params.get("snapshot", True))
        result: dict[str, Any] = {"channel": "instrument"}
        if self._has_instruments:
            result |= {"snapshot": has_snapshot, "warnings": ["tick_size is deprecated, use price_increment"]}
        self.send(acknowledged(method, result, req_id, in_ns, self._host.now_ns))
        if self._has_instruments and has_snapshot:
            self.send(instruments(self._context))

    def _private(self, method: str, channel: str, params: dict[str, Any], req_id: int | None, in_ns: int) -> None:
        key = self._key(params)
        needed = "query-open-trades" if channel == "executions" else "query-funds"
        if needed not in key.permissions:
            raise Refusal("EGeneral:Permission denied")
        account = key.account
        known: Mapping[str, object] = self._executions if channel == "executions" else self._balances
        if method == "unsubscribe":
            if account not in known:
                raise Refusal("Subscription Not Found")
            if channel == "executions":
                del self._executions[account]
            else:
                self._balances.pop(account).end()
            self.send(acknowledged(method, {"channel": channel}, req_id, in_ns, self._host.now_ns))
            return
        if account in known:
            raise Refusal("Already subscribed")
        if channel == "balances":
            has_snapshot = bool(params.get("snapshot", True))
            result: dict[str, Any] = {"channel": channel, "snapshot": has_snapshot}
            self.send(acknowledged(method, result, req_id, in_ns, self._host.now_ns))
            balances = self._balances[account] = Balances(self._context, account, self.send)
            balances.begin(has_snapshot=has_snapshot)
            return
        names = ("snap_orders", "snap_trades", "order_status", "ratecounter")
        options = ExecutionsOptions(**{name: bool(params[name]) for name in names if name in params})
        result = {
            "channel": channel,
            "maxratecount": self._context.rate_count_max(account),
            "snapshot": options.snap_orders,
            "snap_orders": options.snap_orders,
            "snap_trades": options.snap_trades,
        }
        self.send(acknowledged(method, result, req_id, in_ns, self._host.now_ns))
        self._host.subscribe_news(self.line_of(account))
        self._executions[account] = Executions(self._context, account, options, self.send)
        self._executions[account].begin()

    # ------------------------------------------------------------------------------------------------- trading

    def _trade(self, method: str, params: dict[str, Any], req_id: int | None, in_ns: int) -> None:
        key = self._key(params)
        if not all(key.permissions.intersection(group) for group in _TRADING_PERMISSIONS[method]):
            raise Refusal("EGeneral:Permission denied")
        line_id = self.line_of(key.account)
        trading = self._gateway.trading

        def make() -> tuple[Command, ...] | Refusal:
            try:
                requests = trading.requests(method, key.account, params, in_ns)
            except Refusal as refusal:
                return refusal
            for request in requests:
                self._waiting[request.command.request_id] = (method, request, req_id, in_ns)
            return tuple(request.command for request in requests)

        def refuse(refusal: Refusal) -> None:
            self.send(refused(method, refusal.text, req_id, in_ns, self._host.now_ns))

        self._host.submit_made(line_id, make, refuse)

    def on_report(self, account: str, report: Report) -> None:
        """A report has arrived for an account of this connection."""
        now_ns = self._host.now_ns
        if isinstance(report, ExecutionReport):
            executions = self._executions.get(account)
            if executions is not None:
                executions.on_report(report)
        elif isinstance(report, CommandAccepted):
            waiting = self._waiting.pop(report.request_id, None)
            if waiting is not None:
                method, request, req_id, in_ns = waiting
                self.send(acknowledged(method, request.result(report), req_id, in_ns, now_ns))
        elif isinstance(report, CommandRejected):
            waiting = self._waiting.pop(report.request_id, None)
            if waiting is not None:
                method, request, req_id, in_ns = waiting
                self.send(refused(method, report.error, req_id, in_ns, now_ns, **request.named))

    # ------------------------------------------------------------------------------------------------- who

    def _key(self, params: dict[str, Any]) -> ApiKey:
        token = params.get("token")
        if not isinstance(token, str):
            raise Refusal("Token(s) not found")
        return self.key_of(token)


def _option(channel: str, params: dict[str, Any]) -> dict[str, Any]:
    """The channel's own option with its default; raises Refusal for a value that there is not."""
    if channel in ("book", "level3"):
        depth = params.get("depth", 10)
        if depth not in (_DEPTHS if channel == "book" else LEVEL3_DEPTHS) or isinstance(depth, bool):
            raise Refusal("Subscription depth not supported")
        return {"depth": int(depth)}
    if channel == "ohlc":
        interval = params.get("interval", 1)
        if interval not in CANDLE_MINUTES or isinstance(interval, bool):
            raise Refusal("Subscription ohlc interval not supported")
        return {"interval": int(interval)}
    if channel == "ticker":
        trigger = params.get("event_trigger", "trades")
        if trigger not in ("bbo", "trades"):
            raise Refusal("Event trigger not supported")
        return {"event_trigger": trigger}
    return {}
