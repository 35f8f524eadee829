"""Open orders that the desk did not send, made the desk's when NautilusTrader takes them in.

They are those of a node before, and of other traders of the account. What NautilusTrader does not take in, as its
configuration says, is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import MessageBus
from nautilus_trader.execution.reports import ExecutionMassStatus, OrderStatusReport

from framework.execution.desk import ExecutionDesk
from framework.execution.instruments import InstrumentBridge
from framework.messages import AddOrder, OrdersSnapshot, OrderState, OrderStatus

__all__ = ["ForeignOrders"]


class ForeignOrders:
    """Hears which reports NautilusTrader has dealt with, and has the desk adopt the open orders among them.

    instruments: by symbol.
    """

    def __init__(
        self,
        desk: ExecutionDesk,
        cache: Cache,
        msgbus: MessageBus,
        venue: str,
        instruments: Mapping[str, InstrumentBridge],
    ) -> None:
        self._desk = desk
        self._cache = cache
        self._msgbus = msgbus
        self._instruments = instruments
        # Open orders as a history has shown them, by the venue's id: when it was read, and the fills that it told.
        self._seen: dict[str, tuple[OrderStatus, int, tuple[str, ...]]] = {}
        self._topic = f"reports.execution.{venue}*"
        msgbus.subscribe(topic=self._topic, handler=self._on_report)

    def stop(self) -> None:
        """Hear no more."""
        self._msgbus.unsubscribe(topic=self._topic, handler=self._on_report)

    def saw(self, history: OrdersSnapshot) -> None:
        """A history is about to be reported."""
        exec_ids: dict[str, list[str]] = {}
        for trade in history.trades:
            if trade.exec_id is not None:
                exec_ids.setdefault(trade.order_id, []).append(trade.exec_id)
        self._seen = {
            status.order_id: (status, history.ts_venue_ns, tuple(exec_ids.get(status.order_id, ())))
            for status in history.orders
            if status.state <= OrderState.PARTIALLY_FILLED and not self._desk.knows(status)
        }

    def _on_report(self, report: object) -> None:
        """NautilusTrader has dealt with a report."""
        reports: Iterable[object] = (report,)
        if isinstance(report, ExecutionMassStatus):
            reports = report.order_reports.values()
        is_any = False
        for each in reports:
            if isinstance(each, OrderStatusReport) and each.is_open:
                is_any |= self._adopt(each)
        if is_any:
            self._desk.query()  # what happened since the history was read

    def _adopt(self, report: OrderStatusReport) -> bool:
        """Whether an order has become the desk's."""
        seen = self._seen.pop(report.venue_order_id.value, None)
        if seen is None or report.client_order_id is None:
            return False
        cl_ord_id = report.client_order_id.value
        if cl_ord_id in self._desk.orders or self._cache.order(report.client_order_id) is None:
            return False
        status, ts_seen_ns, exec_ids = seen
        desk = self._desk
        add = AddOrder(
            request_id=0,
            cl_ord_id=cl_ord_id,
            symbol=status.symbol,
            side=status.side,
            order_type=status.order_type,
            qty_lots=status.qty_lots,
            limit_ticks=status.limit_ticks,
            trigger_ticks=status.trigger_ticks,
            display_lots=status.display_lots,
        )
        record = desk.adopt(add, "", "", ts_seen_ns)
        desk.know(record, status.order_id, add.request_id)
        record.has_only_order_id = True  # whatever its client id is on the wire
        record.cum_lots = record.venue_cum_lots = status.cum_lots
        record.exec_ids = exec_ids
        record.ts_state_ns = ts_seen_ns
        return True
