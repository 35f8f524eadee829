"""The private channels of WebSocket v1: an account's trades and its open orders, each counting its own frames from 1.

A subscription is taken at the engine: its snapshot is made there and leaves on the way of the news, so that the news
before it are not told and those after it are. Sources: websocket-v1/owntrades, websocket-v1/openorders.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from adapters.kraken.server.channels import Send
from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.pairs import fixed
from adapters.kraken.server.rest.order_rows import is_one_taking
from adapters.kraken.server.ws1.frames import private_frame
from adapters.kraken.server.ws1.rows import Row, Ws1Rows, references
from framework.messages import ExecType, ExecutionReport, OrderState
from framework.venue.orders import Order
from framework.venue.served.records import TradeRecord

__all__ = ["PRIVATE_CHANNELS", "OpenOrders", "OwnTrades", "PrivateChannel"]

_SNAPSHOT_TRADES = 50


class PrivateChannel(ABC):
    """One subscription of one connection; made when it reaches the engine.

    name: of the channel. defaults: what a client may choose, with what is chosen for it. permission: that the key must
    have.
    """

    name: ClassVar[str]
    defaults: ClassVar[Mapping[str, bool]]
    permission: ClassVar[str]

    def __init__(self, context: ServerContext, account: str, chosen: Mapping[str, bool], send: Send) -> None:
        self._context = context
        self._records = context.host.records
        self._account = account
        self._chosen = chosen
        self._send = send
        self._rows = Ws1Rows(context)
        self._sequence = 0
        self._snapshot = self._standing()
        self._has_begun = False

    @abstractmethod
    def _standing(self) -> list[Row] | None:
        """The rows of the snapshot; None for no snapshot."""

    @abstractmethod
    def _tell_of(self, report: ExecutionReport) -> None:
        """Something happened to an order of the account."""

    @property
    def shown(self) -> dict[str, Any]:
        """As the status of the subscription shows it."""
        return {"name": self.name}

    def begin(self) -> None:
        """What was on its way before the subscription has come; so has its snapshot."""
        if self._has_begun:
            return
        self._has_begun = True
        if self._snapshot is not None:
            self._tell(self._snapshot)
        self._snapshot = None

    def on_report(self, report: ExecutionReport) -> None:
        """News of the account have come."""
        if self._has_begun:
            self._tell_of(report)

    def _tell(self, rows: list[Row]) -> None:
        self._sequence += 1
        self._send(private_frame(rows, self.name, self._sequence))


class OwnTrades(PrivateChannel):
    """Trades. What an order takes at one instant is one trade, unless ``consolidate_taker`` is off."""

    name = "ownTrades"
    defaults: ClassVar[Mapping[str, bool]] = {"snapshot": True, "consolidate_taker": True, "rebased": True}
    permission = "query-closed-trades"

    def __init__(self, context: ServerContext, account: str, chosen: Mapping[str, bool], send: Send) -> None:
        super().__init__(context, account, chosen, send)
        self._told_within: set[str] = set()

    def _standing(self) -> list[Row] | None:
        if not self._chosen["snapshot"]:
            return None
        trades = self._records.trades(self._account)
        groups: list[Sequence[TradeRecord]] = []
        end = len(trades)
        while end and len(groups) < _SNAPSHOT_TRADES:
            start = end - 1
            while start and self._is_within(trades[start - 1], trades[start]):
                start -= 1
            groups.append(trades[start:end])
            end = start
        return [{group[0].trade_id: self._rows.trade(group)} for group in reversed(groups)]

    def _is_within(self, earlier: TradeRecord, later: TradeRecord) -> bool:
        return self._chosen["consolidate_taker"] and is_one_taking(earlier, later)

    def _tell_of(self, report: ExecutionReport) -> None:
        if report.exec_type is not ExecType.TRADE or report.exec_id is None:
            return
        if report.exec_id in self._told_within:
            self._told_within.discard(report.exec_id)
            return
        trade = self._records.trade(self._account, report.exec_id)
        if trade is None:  # forgotten since
            return
        group = self._group_from(trade)
        self._told_within.update(fill.trade_id for fill in group[1:])
        row = {**self._rows.trade(group), **references(trade.order), "margin_borrow": trade.margin is not None}
        self._tell([{trade.trade_id: row}])

    def _group_from(self, trade: TradeRecord) -> Sequence[TradeRecord]:
        """The fills that are told with a fill: all of one taking are in the records when the first of them is told."""
        fills = self._records.trades_of(self._account, trade.order.order_id)
        start = bisect_left(fills, trade.number, key=lambda fill: fill.number)
        if start == len(fills) or fills[start] is not trade:  # the others are forgotten
            return [trade]
        stop = start + 1
        while stop < len(fills) and self._is_within(fills[stop - 1], fills[stop]):
            stop += 1
        return fills[start:stop]


class OpenOrders(PrivateChannel):
    """Orders: first all that are open, then what becomes of them, the end included."""

    name = "openOrders"
    defaults: ClassVar[Mapping[str, bool]] = {"ratecounter": False, "rebased": True}
    permission = "query-open-trades"

    @property
    def shown(self) -> dict[str, Any]:
        """As the status of the subscription shows it."""
        return {"name": self.name, "maxratecount": self._context.rate_count_max(self._account)}

    def _standing(self) -> list[Row]:
        orders = self._records.orders_open(self._account)
        return [{order.order_id: self._rows.standing(order)} for order in orders]

    def _tell_of(self, report: ExecutionReport) -> None:
        order = self._records.order(self._account, report.order_id)
        if order is None:  # forgotten since
            return
        for row in self._changes(order, report):
            if self._chosen["ratecounter"]:
                row["ratecount"] = fixed(self._context.rate_count(order), 2)
            self._tell([{order.order_id: row}])

    def _changes(self, order: Order, report: ExecutionReport) -> list[Row]:
        """What a report says of an order; the fill that ends one is told before its end."""
        rows = self._rows
        match report.exec_type:
            case ExecType.PENDING_NEW:
                return [rows.entered(order, report)]
            case ExecType.NEW:
                return [rows.live(order)]
            case ExecType.TRADE:
                row = rows.filled(order, report)
                return [row, rows.ended(order, report)] if report.state is OrderState.FILLED else [row]
            case ExecType.CANCELED | ExecType.EXPIRED | ExecType.FILLED:
                return [rows.ended(order, report)]
            case ExecType.TRIGGERED:
                return [rows.triggered(order, report)]
            case _:
                return [rows.amended(order, report)]


PRIVATE_CHANNELS: Mapping[str, type[PrivateChannel]] = {channel.name: channel for channel in (OwnTrades, OpenOrders)}
"""The private channels by name."""
