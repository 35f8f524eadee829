"""The reports that NautilusTrader reconciles with, made of the venue's own history of the account.

Orders that the desk knows are reported as NautilusTrader has them: what the venue knows besides, the desk finds out and
tells by events, each once. A fill told by a report and by an event would be counted twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from nautilus_trader.cache.cache import Cache
from nautilus_trader.core.datetime import dt_to_unix_nanos
from nautilus_trader.execution.messages import (
    GenerateFillReports,
    GenerateOrderStatusReport,
    GenerateOrderStatusReports,
    GeneratePositionStatusReports,
)
from nautilus_trader.execution.reports import FillReport, OrderStatusReport, PositionStatusReport
from nautilus_trader.model.enums import OrderStatus as NautilusStatus
from nautilus_trader.model.identifiers import AccountId, InstrumentId

from framework.adapter import LiveVenue
from framework.errors import VenueError
from framework.execution.desk import ExecutionDesk
from framework.execution.instruments import InstrumentBridge
from framework.messages import ExecutionReport, OrdersSnapshot, OrderState, OrderStatus
from framework.nautilus.foreign_orders import ForeignOrders
from framework.nautilus.reports import balance_report, fill_report, order_report, report_id

__all__ = ["HistoryReports"]

_HOUR_NS = 3_600 * 10**9
# Whatever is asked for, so much of the past is read: orders are adopted by it, and clocks may differ.
_LEAST_NS = 60 * 10**9
_STATES = {
    NautilusStatus.PARTIALLY_FILLED: OrderState.PARTIALLY_FILLED,
    NautilusStatus.FILLED: OrderState.FILLED,
    NautilusStatus.CANCELED: OrderState.CANCELED,
    NautilusStatus.EXPIRED: OrderState.EXPIRED,
}


class HistoryReports:
    """Reports of one account.

    instruments: by symbol; orders of others are left out. history_h: how far back to look where the command does not
    say. position_quote: see ``exec_client``. say: is given what is left out, and why.
    """

    def __init__(
        self,
        venue: LiveVenue,
        desk: ExecutionDesk,
        foreign: ForeignOrders,
        cache: Cache,
        account_id: AccountId,
        instruments: Mapping[str, InstrumentBridge],
        now_ns: Callable[[], int],
        history_h: float,
        position_quote: str | None,
        say: Callable[[str], None],
    ) -> None:
        self._venue = venue
        self._desk = desk
        self._foreign = foreign
        self._cache = cache
        self._account_id = account_id
        self._instruments = instruments
        self._now_ns = now_ns
        self._history_ns = round(history_h * _HOUR_NS)
        self._position_quote = position_quote
        self._say = say

    async def history(self, start: Any) -> OrdersSnapshot:
        """The account since a time; None for as far back as is looked. Raises TidegateError as the venue does."""
        now_ns = self._now_ns()
        since_ns = now_ns - self._history_ns if start is None else min(dt_to_unix_nanos(start), now_ns - _LEAST_NS)
        history = await self._venue.history(since_ns)
        self._foreign.saw(history)
        self._desk.note_read()
        if self._desk.open_orders:
            self._desk.query()
        return history

    async def order(self, command: GenerateOrderStatusReport) -> OrderStatusReport | None:
        """One order by one of its ids; None if the venue does not show it."""
        history = await self.history(None)
        for report in self._orders(history, command.instrument_id):
            if command.venue_order_id is not None and report.venue_order_id == command.venue_order_id:
                return report
            if command.client_order_id is not None and report.client_order_id == command.client_order_id:
                return report
        return None

    async def orders(self, command: GenerateOrderStatusReports) -> list[OrderStatusReport]:
        """Orders that are open, and unless only those are asked for, those that ended since the start."""
        history = await self.history(command.start)
        return self.orders_of(history, command.instrument_id, is_open_only=command.open_only)

    def orders_of(
        self, history: OrdersSnapshot, instrument_id: InstrumentId | None = None, *, is_open_only: bool = False
    ) -> list[OrderStatusReport]:
        """The orders of a history."""
        reports = self._orders(history, instrument_id)
        return [report for report in reports if report.is_open or not is_open_only]

    async def fills(self, command: GenerateFillReports) -> list[FillReport]:
        """The fills since the start, oldest first."""
        history = await self.history(command.start)
        order_id = None if command.venue_order_id is None else command.venue_order_id.value
        return [
            report
            for report in self.fills_of(history, command.instrument_id)
            if order_id in (None, report.venue_order_id.value)
        ]

    def fills_of(self, history: OrdersSnapshot, instrument_id: InstrumentId | None = None) -> list[FillReport]:
        """The fills of a history, oldest first."""
        now_ns = self._now_ns()
        return [
            fill_report(trade, bridge, self._account_id, now_ns)
            for trade in history.trades
            if (bridge := self._bridge(trade.symbol, instrument_id)) is not None and self._may_tell(trade)
        ]

    async def positions(self, command: GeneratePositionStatusReports) -> list[PositionStatusReport]:
        """What is there of base assets, as positions of the pairs in the quote asset that the configuration names."""
        if self._position_quote is None:
            return []
        balances = await self._balances()
        now_ns = self._now_ns()
        return [
            balance_report(bridge, balances, self._account_id, now_ns)
            for bridge in self._instruments.values()
            if bridge.quote_asset == self._position_quote
            and self._bridge(bridge.spec.symbol, command.instrument_id) is not None
        ]

    # ------------------------------------------------------------------------------------------------- within

    async def _balances(self) -> Mapping[str, Decimal]:
        answer: asyncio.Future[Mapping[str, Decimal]] = asyncio.get_running_loop().create_future()

        def failed(reason: str) -> None:
            if not answer.done():
                answer.set_exception(VenueError(f"the balances: {reason}"))

        def read(balances: Mapping[str, Decimal]) -> None:
            if not answer.done():
                answer.set_result(balances)

        self._venue.ask_balances(read, failed)
        return await answer

    def _orders(self, history: OrdersSnapshot, instrument_id: InstrumentId | None) -> Iterator[OrderStatusReport]:
        now_ns = self._now_ns()
        ts_fills_ns: dict[str, int] = {}
        for trade in history.trades:
            ts_fills_ns[trade.order_id] = max(trade.ts_venue_ns, ts_fills_ns.get(trade.order_id, 0))
        for status in history.orders:
            bridge = self._bridge(status.symbol, instrument_id)
            if bridge is None:
                continue
            ts_last_ns = ts_fills_ns.get(status.order_id, 0)
            try:
                yield order_report(self._as_told(status, bridge), bridge, self._account_id, ts_last_ns, now_ns)
            except ValueError as error:
                self._say(f"order {status.order_id} of {status.symbol} is left out of the reports: {error}")

    def _bridge(self, symbol: str, instrument_id: InstrumentId | None) -> InstrumentBridge | None:
        bridge = self._instruments.get(symbol)
        return bridge if bridge is not None and instrument_id in (None, bridge.instrument_id) else None

    def _as_told(self, status: OrderStatus, bridge: InstrumentBridge) -> OrderStatus:
        """An order as NautilusTrader has it, if the desk knows it."""
        if not self._desk.knows(status):
            return status
        order = self._cache.order(report_id(status.cl_ord_id, status.order_id))
        if order is None:
            return status
        return replace(
            status,
            state=_STATES.get(order.status, OrderState.NEW),
            qty_lots=bridge.lots(order.quantity),
            cum_lots=bridge.lots(order.filled_qty),
            limit_ticks=bridge.ticks(order.price) if order.has_price else None,
            trigger_ticks=bridge.ticks(order.trigger_price) if order.has_trigger_price else None,
        )

    def _may_tell(self, trade: ExecutionReport) -> bool:
        """Whether a report may tell of a fill: no event will, or one has, and NautilusTrader has dealt with it."""
        record = self._desk.find(trade.cl_ord_id, trade.order_id)
        if record is None:
            return True
        order = self._cache.order(report_id(record.cl_ord_id, trade.order_id))
        return order is None or any(trade_id.value == trade.exec_id for trade_id in order.trade_ids)
