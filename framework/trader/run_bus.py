"""The message bus of a run: NautilusTrader's own, which also says who would hear a message.

NautilusTrader's order events go to everyone who subscribed to them, and most of those have nothing to do with most of
them. Here it is known in advance who has, so that nobody else is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nautilus_trader.common.component import MessageBus, is_matching_py
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderInitialized,
    OrderModifyRejected,
    OrderPendingCancel,
    OrderPendingUpdate,
    OrderRejected,
    OrderSubmitted,
    OrderTriggered,
    OrderUpdated,
    PositionChanged,
    PositionClosed,
    PositionOpened,
)
from nautilus_trader.trading.strategy import Strategy

__all__ = ["RunBus"]

Handler = Callable[[Any], None]

# The method of a strategy that is called with an event, beside those for all of its kind.
_METHODS: dict[type, tuple[str, str]] = {
    OrderInitialized: ("on_order_initialized", "on_order_event"),
    OrderSubmitted: ("on_order_submitted", "on_order_event"),
    OrderAccepted: ("on_order_accepted", "on_order_event"),
    OrderPendingCancel: ("on_order_pending_cancel", "on_order_event"),
    OrderPendingUpdate: ("on_order_pending_update", "on_order_event"),
    OrderUpdated: ("on_order_updated", "on_order_event"),
    OrderTriggered: ("on_order_triggered", "on_order_event"),
    OrderCanceled: ("on_order_canceled", "on_order_event"),
    OrderExpired: ("on_order_expired", "on_order_event"),
    OrderFilled: ("on_order_filled", "on_order_event"),
    PositionOpened: ("on_position_opened", "on_position_event"),
    PositionChanged: ("on_position_changed", "on_position_event"),
    PositionClosed: ("on_position_closed", "on_position_event"),
}
# NautilusTrader's strategies write a warning of these to the log, so they are told in any case.
_ALWAYS_TOLD = (OrderDenied, OrderRejected, OrderCancelRejected, OrderModifyRejected)


class RunBus(MessageBus):
    """A message bus that tells events by the shortest way.

    passes_on: handlers that do nothing but publish on another topic; they are called if anyone listens there.
    """

    def __init__(self, *args: Any, **keywords: Any) -> None:
        self.passes_on: Mapping[Handler, str] = {}
        self._hearers: dict[tuple[str, type], tuple[Handler, ...]] = {}
        super().__init__(*args, **keywords)

    def subscribe(self, topic: str, handler: Handler, priority: int = 0) -> None:
        self._hearers.clear()
        super().subscribe(topic, handler, priority)

    def unsubscribe(self, topic: str, handler: Handler) -> None:
        self._hearers.clear()
        super().unsubscribe(topic, handler)

    def tell(self, topic: str, event: Any) -> None:
        """Publish an order or position event to those who have something to do with it, highest priority first."""
        kind = type(event)
        hearers = self._hearers.get((topic, kind))
        if hearers is None:
            hearers = self._find_hearers(topic, kind)
        for handler in hearers:
            handler(event)

    def is_heard(self, topic: str, kind: type) -> bool:
        """Whether anyone has something to do with an event of a kind."""
        hearers = self._hearers.get((topic, kind))
        return bool(self._find_hearers(topic, kind) if hearers is None else hearers)

    def _find_hearers(self, topic: str, kind: type) -> tuple[Handler, ...]:
        matching = [sub for sub in self.subscriptions() if is_matching_py(topic, sub.topic)]
        matching.sort(key=lambda sub: -sub.priority)
        hearers = tuple(sub.handler for sub in matching if self._is_hearer(sub.handler, kind))
        self._hearers[topic, kind] = hearers
        return hearers

    def _is_hearer(self, handler: Handler, kind: type) -> bool:
        onward = self.passes_on.get(handler)
        if onward is not None:
            return any(is_matching_py(onward, sub.topic) for sub in self.subscriptions())
        subject = getattr(handler, "__self__", None)
        if isinstance(subject, Strategy) and handler == subject.handle_event:
            return _is_interested(subject, kind)
        return True


def _is_interested(strategy: Strategy, kind: type) -> bool:
    """Whether a strategy does anything with an event of a kind."""
    config = strategy.config
    names = _METHODS.get(kind)
    if names is None or kind in _ALWAYS_TOLD or config.log_events:
        return True
    if config.manage_gtd_expiry or config.manage_contingent_orders:
        return True
    return any(_is_overridden(strategy, name) for name in (*names, "on_event"))


def _is_overridden(strategy: Strategy, name: str) -> bool:
    return name in vars(strategy) or getattr(type(strategy), name) is not getattr(Strategy, name)
