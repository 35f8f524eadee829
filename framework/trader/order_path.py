"""The short way of orders and their events through NautilusTrader's components.

NautilusTrader sends a command from strategy to risk engine to execution engine to client, and an event back from client
to execution engine to portfolio and bus. In a run the risk engine lets everything pass, there is one client, and
accounts are told their balances; so most stations only hand on. Here what they do to orders, cache, positions and
portfolio is done in the same order, and each event goes to those who hear it. What is out of the ordinary (emulated
orders, execution algorithms, anything that NautilusTrader objects to) goes its usual way.

What nobody hears of and nobody has asked for yet waits until somebody does: orders are made late (``late_orders.py``),
and fills change positions when the cache or the portfolio is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nautilus_trader.core.fsm import InvalidStateTrigger
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.engine import ExecutionEngine
from nautilus_trader.model.enums import OmsType, OrderSide, PositionSide, TimeInForce, TriggerType
from nautilus_trader.model.events import (
    OrderCanceled,
    OrderEvent,
    OrderFilled,
    OrderInitialized,
    OrderPendingCancel,
    PositionChanged,
    PositionClosed,
    PositionEvent,
    PositionOpened,
)
from nautilus_trader.model.identifiers import InstrumentId, PositionId, StrategyId
from nautilus_trader.model.objects import Money, Quantity
from nautilus_trader.model.orders import Order
from nautilus_trader.model.position import Position

from framework.execution.instruments import InstrumentBridge
from framework.execution.nautilus_client import DeskExecutionClient
from framework.messages import AddOrder
from framework.protocol import BUY
from framework.trader.clock import RunClock
from framework.trader.late_orders import LateOrder, PlacedOrder, Placing
from framework.trader.positions import PositionCache, RunPortfolio
from framework.trader.run_bus import RunBus

__all__ = ["OrderPath"]

# What NautilusTrader's orders raise for an event that does not fit them.
_OBJECTIONS = (InvalidStateTrigger, ValueError, KeyError)
_POSITION_EVENTS = (PositionOpened, PositionChanged, PositionClosed)


class OrderPath:
    """Takes a strategy's orders to the desk's client, and order events to the strategy."""

    def __init__(
        self,
        bus: RunBus,
        cache: PositionCache,
        clock: RunClock,
        portfolio: RunPortfolio,
        engine: ExecutionEngine,
        client: DeskExecutionClient,
    ) -> None:
        self._tell = bus.tell
        self._is_heard = bus.is_heard
        self._cache = cache
        self._now_ns = clock.timestamp_ns
        self._portfolio = portfolio
        self._engine = engine
        self._client = client
        self._order_topics: dict[StrategyId, str] = {}
        self._position_topics: dict[StrategyId, str] = {}
        self._instrument_topics: dict[InstrumentId, tuple[str, str]] = {}
        self._position_ids: dict[tuple[InstrumentId, StrategyId], PositionId] = {}
        # Orders that are not made yet, by client order id, and fills that have not changed a position yet.
        self._late: dict[str, LateOrder] = {}
        self._unsettled: list[OrderFilled] = []
        self._placings: dict[StrategyId, Placing] = {}
        cache.catch_up = self.catch_up

    # ------------------------------------------------------------------------------------------------- commands

    def takes(self, order: Order) -> bool:
        """Whether a new order can go this way."""
        return (
            order.emulation_trigger == TriggerType.NO_TRIGGER
            and order.exec_algorithm_id is None
            and order.is_active_local
            and not self._cache.order_exists(order.client_order_id)
        )

    def submit(self, order: Order, params: Mapping[str, Any] | None) -> None:
        """Submit a new order."""
        self._introduce(order)
        self._client.submit(order, params)

    def place(
        self,
        strategy_id: StrategyId,
        command: AddOrder,
        bridge: InstrumentBridge,
        time_in_force: TimeInForce,
        params: Mapping[str, Any] | None,
    ) -> Order:
        """Submit a new limit order of which is known what it says to the venue, and return it.

        time_in_force: NautilusTrader's name for that of the command.
        """
        side = OrderSide.BUY if command.side == BUY else OrderSide.SELL
        order = LateOrder(self._placing(strategy_id), command, bridge, side, time_in_force, self._now_ns())
        self._client.send(command, lambda: self._introduce_late(order), params)
        return order

    def _placing(self, strategy_id: StrategyId) -> Placing:
        placing = self._placings.get(strategy_id)
        if placing is None:
            client = self._client
            topic = self._order_topic(strategy_id)
            placing = Placing(client.trader_id, strategy_id, client.account_id, topic, self._on_made)
            self._placings[strategy_id] = placing
        return placing

    def _introduce(self, order: Order) -> Order:
        self._tell(self._order_topic(order.strategy_id), order.init_event)
        self._cache.add_order(order, None, None, True)  # True: nothing to look for, the id is known to be new
        return order

    def _introduce_late(self, order: LateOrder) -> Order:
        self._late[order.cl_ord_id] = order
        topic = order.topic
        if self._is_heard(topic, OrderInitialized):
            order.make()
            self._tell(topic, order.init_event)
        return order

    def _on_made(self, order: PlacedOrder) -> None:
        if self._late.pop(order.client_order_id.value, None) is not None:
            self._cache.add_order(order, None, None, True)
            if order.event_count > 1:
                self._cache.update_order(order)

    def make(self, order: Order) -> None:
        """Have an order be what NautilusTrader's own code takes for one."""
        if isinstance(order, LateOrder):
            order.make()

    def catch_up(self) -> None:
        """Make all orders, and let all fills change positions."""
        if self._late:
            for order in list(self._late.values()):
                order.make()
        if self._unsettled:
            fills, self._unsettled = self._unsettled, []
            for fill in fills:
                self._settle(fill)

    def cancel(self, order: Order, params: Mapping[str, Any] | None) -> bool:
        """Cancel an order; False, and nothing done, for one that NautilusTrader has more to say about."""
        if order.is_closed or order.is_pending_cancel or order.is_active_local:
            return False
        now_ns = self._now_ns()
        cl_ord_id = order.cl_ord_id if type(order) is LateOrder else order.client_order_id.value
        if not self.note(order, OrderPendingCancel, None, now_ns):
            event = OrderPendingCancel(
                order.trader_id,
                order.strategy_id,
                order.instrument_id,
                order.client_order_id,
                order.venue_order_id,
                order.account_id,
                UUID4(),
                now_ns,
                now_ns,
            )
            try:
                order.apply(event)
            except _OBJECTIONS:
                return False
            self._cache.update_order(order)
            self._tell(self._order_topic(order.strategy_id), event)
        self._client.cancel(cl_ord_id, params)
        return True

    # ------------------------------------------------------------------------------------------------- events

    def note(self, order: Order, kind: type[OrderEvent], venue_id: str | None, ts_event_ns: int) -> bool:
        """What would be told with an event; False, and nothing done, where one is to be made."""
        if type(order) is not LateOrder or self._is_heard(order.topic, kind):
            return False
        if kind is OrderCanceled and self._is_heard(self._topics_of(order.instrument_id)[1], kind):
            return False
        return order.note(kind, venue_id, ts_event_ns, self._now_ns())

    def on_event(self, event: OrderEvent) -> None:
        """Apply an order event to its order, and what follows from it, and tell of it."""
        late = self._late.get(event.client_order_id.value)
        is_taken = late is not None and late.take(event)
        order = self._cache.known_order(event.client_order_id) if late is None else late
        assert order is not None
        if type(event) is OrderFilled:
            self._filled(order, event, is_taken)
            return
        if not is_taken:
            try:
                order.apply(event)
            except _OBJECTIONS:
                self._engine.process(event)
                return
            self._cache.update_order(order)
        self._tell(self._order_topic(event.strategy_id), event)
        if type(event) is OrderCanceled:
            self._tell(self._topics_of(event.instrument_id)[1], event)

    def position_id(self, order: Order) -> PositionId:
        """The position that fills of an order belong to: one for an instrument and strategy."""
        if type(order) is not LateOrder:
            assigned = self._cache.known_position_id(order.client_order_id)
            if assigned is not None:
                return assigned
        key = (order.instrument_id, order.strategy_id)
        known = self._position_ids.get(key)
        if known is None:
            known = self._position_ids[key] = PositionId(f"{order.instrument_id}-{order.strategy_id}")
        return known

    def carry(self, fill: OrderFilled) -> None:
        """Open the position that a run before has left, by a fill that stands for all that made it; told to nobody."""
        position = Position(self._cache.instrument(fill.instrument_id), fill)
        self._cache.add_position(position, OmsType.NETTING)
        self._portfolio.note(position, fill)

    def _filled(self, order: Order, fill: OrderFilled, is_taken: bool) -> None:
        """is_taken: the order has it already."""
        if not is_taken:
            if not self._is_ordinary(order, fill):
                self.catch_up()
                self._engine.process(fill)
                return
            self._cache.update_order(order)
        tell, strategy_id = self._tell, fill.strategy_id
        topic = self._position_topic(strategy_id)
        changes: tuple[PositionEvent | None, ...] = ()
        self._unsettled.append(fill)
        if any(self._is_heard(topic, kind) for kind in _POSITION_EVENTS):
            *before, _ = self._unsettled
            self._unsettled = []
            for earlier in before:
                self._settle(earlier)
            changes = self._settle(fill)
        tell(self._topics_of(fill.instrument_id)[0], fill)
        tell(self._order_topic(strategy_id), fill)
        for change in changes:
            if change is not None:
                tell(topic, change)

    def _is_ordinary(self, order: Order, fill: OrderFilled) -> bool:
        """Apply a fill to its order, unless NautilusTrader has more to say about it."""
        if order.is_reduce_only:
            self.catch_up()
            position = self._cache.known_position(fill.position_id)
            if position is None or position.side == PositionSide.FLAT:
                return False
        if fill.last_qty > order.leaves_qty:
            return False
        try:
            order.apply(fill)
        except _OBJECTIONS:
            return False
        return True

    def _settle(self, fill: OrderFilled) -> tuple[PositionEvent | None, ...]:
        """Let a fill change its position; what that is told with."""
        position = self._cache.known_position(fill.position_id)
        if position is None or position.side == PositionSide.FLAT:
            if position is not None:
                self._cache.snapshot_position(position)
            return (self._open(fill),)
        if _flips(position, fill):
            return self._flip(position, fill)
        return (self._change(position, fill),)

    def _open(self, fill: OrderFilled) -> PositionEvent | None:
        position = Position(self._cache.instrument(fill.instrument_id), fill)
        self._cache.add_position(position, OmsType.NETTING)
        return self._changed(PositionOpened, position, fill)

    def _change(self, position: Position, fill: OrderFilled) -> PositionEvent | None:
        position.apply(fill)
        self._cache.update_position(position)
        kind = PositionClosed if position.side == PositionSide.FLAT else PositionChanged
        return self._changed(kind, position, fill)

    def _flip(self, position: Position, fill: OrderFilled) -> tuple[PositionEvent | None, ...]:
        """A fill that closes a position and opens the opposite one; its commission is shared between the two."""
        commission, closed_qty = fill.commission, position.quantity
        share = Money(commission * (closed_qty / fill.last_qty), commission.currency)
        closing = _part(fill, closed_qty, share, fill.id)
        opening = _part(fill, fill.last_qty - closed_qty, commission - share, UUID4())
        closed = self._change(position, closing)
        self._cache.snapshot_position(position)
        return closed, self._open(opening)

    def _changed(self, kind: type[PositionEvent], position: Position, fill: OrderFilled) -> PositionEvent | None:
        """What a change of a position is told with; None if nobody hears of it."""
        self._portfolio.note(position, fill)
        if not self._is_heard(self._position_topic(fill.strategy_id), kind):
            return None
        return kind.create(position, fill, UUID4(), self._now_ns())

    def _position_topic(self, strategy_id: StrategyId) -> str:
        topic = self._position_topics.get(strategy_id)
        if topic is None:
            topic = self._position_topics[strategy_id] = f"events.position.{strategy_id}"
        return topic

    def _order_topic(self, strategy_id: StrategyId) -> str:
        topic = self._order_topics.get(strategy_id)
        if topic is None:
            topic = self._order_topics[strategy_id] = f"events.order.{strategy_id}"
        return topic

    def _topics_of(self, instrument_id: InstrumentId) -> tuple[str, str]:
        """Where fills and where cancels of an instrument are told."""
        topics = self._instrument_topics.get(instrument_id)
        if topics is None:
            topics = (f"events.fills.{instrument_id}", f"events.cancels.{instrument_id}")
            self._instrument_topics[instrument_id] = topics
        return topics


def _flips(position: Position, fill: OrderFilled) -> bool:
    """Whether a fill closes more than there is."""
    is_opposite = (position.side == PositionSide.LONG) == (fill.order_side == OrderSide.SELL)
    return bool(is_opposite and fill.last_qty > position.quantity)


def _part(fill: OrderFilled, qty: Quantity, commission: Money, event_id: UUID4) -> OrderFilled:
    """A part of a fill."""
    return OrderFilled(
        trader_id=fill.trader_id,
        strategy_id=fill.strategy_id,
        instrument_id=fill.instrument_id,
        client_order_id=fill.client_order_id,
        venue_order_id=fill.venue_order_id,
        account_id=fill.account_id,
        trade_id=fill.trade_id,
        position_id=fill.position_id,
        order_side=fill.order_side,
        order_type=fill.order_type,
        last_qty=qty,
        last_px=fill.last_px,
        currency=fill.currency,
        commission=commission,
        liquidity_side=fill.liquidity_side,
        event_id=event_id,
        ts_event=fill.ts_event,
        ts_init=fill.ts_init,
    )
