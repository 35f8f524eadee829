"""Orders of a run that are made when somebody looks at them.

A NautilusTrader order with its events costs several times what the venue takes to match it, and a strategy that quotes
by the book asks little more of its orders than whether they are closed. So an order that ``buy`` or ``sell`` returns
begins as a note of what was asked for and of what happened since. It answers the common questions from that; at any
other, and before NautilusTrader's cache or portfolio is asked anything, it becomes the order that it would have been
all along, with the same events, times and state.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import getattr_static
from typing import Any, NamedTuple

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import OrderSide, OrderStatus, OrderType, TimeInForce
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderPendingCancel,
    OrderRejected,
    OrderSubmitted,
)
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, StrategyId, TraderId, VenueOrderId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.orders import LimitOrder

from framework.execution.instruments import InstrumentBridge
from framework.messages import AddOrder

__all__ = ["LateOrder", "PlacedOrder", "Placing"]

_INITIALIZED, _DENIED = int(OrderStatus.INITIALIZED), int(OrderStatus.DENIED)
_SUBMITTED, _REJECTED = int(OrderStatus.SUBMITTED), int(OrderStatus.REJECTED)
_ACCEPTED, _PENDING_CANCEL = int(OrderStatus.ACCEPTED), int(OrderStatus.PENDING_CANCEL)
_PARTIALLY_FILLED, _FILLED = int(OrderStatus.PARTIALLY_FILLED), int(OrderStatus.FILLED)
_CANCELED, _EXPIRED = int(OrderStatus.CANCELED), int(OrderStatus.EXPIRED)
_STATUSES = {int(status): status for status in OrderStatus}

_CLOSED = frozenset((_DENIED, _REJECTED, _CANCELED, _EXPIRED, _FILLED))
_OPEN = frozenset((_ACCEPTED, _PENDING_CANCEL, _PARTIALLY_FILLED))
_IN_FLIGHT = frozenset((_SUBMITTED, _PENDING_CANCEL))

# What an order becomes, from what, as NautilusTrader has it: the part of its table that ordinary orders go through.
_RESTING = (_SUBMITTED, _ACCEPTED, _PENDING_CANCEL, _PARTIALLY_FILLED)
_NEXT: dict[type[OrderEvent], dict[int, int]] = {
    OrderDenied: {_INITIALIZED: _DENIED},
    OrderSubmitted: {_INITIALIZED: _SUBMITTED},
    OrderRejected: {_SUBMITTED: _REJECTED},
    OrderAccepted: {_SUBMITTED: _ACCEPTED, _PENDING_CANCEL: _ACCEPTED},
    OrderPendingCancel: dict.fromkeys((_SUBMITTED, _ACCEPTED, _PARTIALLY_FILLED), _PENDING_CANCEL),
    OrderCanceled: dict.fromkeys(_RESTING, _CANCELED),
    OrderExpired: dict.fromkeys((_ACCEPTED, _PENDING_CANCEL, _PARTIALLY_FILLED), _EXPIRED),
}


# What gives an order the venue's id.
_NAMING = frozenset((OrderAccepted, OrderFilled))

# What happened, with what id of the venue, when, and when it was learned.
_Note = tuple[type[OrderEvent], str | None, int, int]


class Placing(NamedTuple):
    """What all orders of a strategy have in common: ids, where events are told, and who hears that one is made."""

    trader_id: TraderId
    strategy_id: StrategyId
    account_id: AccountId
    topic: str
    on_made: Callable[[LateOrder], None]


class PlacedOrder(LimitOrder):
    """A limit order of a run, as NautilusTrader makes it."""

    __slots__ = (
        "_bridge",
        "_command",
        "_id",
        "_leaves_lots",
        "_notes",
        "_placing",
        "_side",
        "_status",
        "_time_in_force",
        "_ts_init_ns",
        "_venue_id",
    )


class LateOrder(PlacedOrder):
    """A limit order that has not been made yet; ``make`` turns it into the ``PlacedOrder`` that it stands for.

    Good for its own attributes only: code that reads an order's memory, as NautilusTrader's does, needs it made before.
    """

    __slots__ = ()

    def __init__(
        self,
        placing: Placing,
        command: AddOrder,
        bridge: InstrumentBridge,
        side: OrderSide,
        time_in_force: TimeInForce,
        now_ns: int,
    ) -> None:
        self._placing = placing
        self._command = command
        self._bridge = bridge
        self._side = side
        self._time_in_force = time_in_force
        self._ts_init_ns = now_ns
        self._status = _INITIALIZED
        self._leaves_lots = command.qty_lots
        self._id: ClientOrderId | None = None
        self._venue_id: str | None = None
        self._notes: list[OrderEvent | _Note] = []

    # ------------------------------------------------------------------------------------------------- what happens

    def note(self, kind: type[OrderEvent], venue_id: str | None, ts_event_ns: int, now_ns: int) -> bool:
        """Something that nobody hears of has happened to it: submitted, accepted, pending cancel, canceled, expired.

        venue_id: the venue's id of the order that goes with it; None for none. Returns False, with the order made and
        nothing noted, where what happens is out of the ordinary.
        """
        status = _NEXT[kind].get(self._status)
        if status is None or not self._is_known_as(venue_id, kind):
            self.make()
            return False
        self._status = status
        self._notes.append((kind, venue_id, ts_event_ns, now_ns))
        return True

    def take(self, event: OrderEvent) -> bool:
        """The same for an event that somebody hears of, or that is a fill."""
        kind = type(event)
        if kind is OrderFilled:
            lots = self._bridge.lots(event.last_qty)
            is_usual = self._status in _RESTING and lots <= self._leaves_lots
            status: int | None = _FILLED if lots == self._leaves_lots else _PARTIALLY_FILLED
        else:
            lots = 0
            status = _NEXT[kind].get(self._status) if kind in _NEXT else None
            is_usual = status is not None
        venue_order_id = event.venue_order_id
        if not is_usual or not self._is_known_as(None if venue_order_id is None else venue_order_id.value, kind):
            self.make()
            return False
        assert status is not None
        self._status = status
        self._leaves_lots -= lots
        self._notes.append(event)
        return True

    def make(self) -> None:
        """Become the order, with all that has happened to it."""
        notes, placing, command, bridge = self._notes, self._placing, self._command, self._bridge
        client_order_id, qty, price = self.client_order_id, self.quantity, self.price
        self.__class__ = PlacedOrder
        LimitOrder.__init__(
            self,
            placing.trader_id,
            placing.strategy_id,
            bridge.instrument_id,
            client_order_id,
            self._side,
            qty,
            price,
            UUID4(),
            self._ts_init_ns,
            self._time_in_force,
            0,
            command.is_post_only,
        )
        for note in notes:
            self.apply(_event(self, note) if isinstance(note, tuple) else note)
        self._notes = []
        placing.on_made(self)

    def _is_known_as(self, venue_id: str | None, kind: type[OrderEvent]) -> bool:
        """Whether an event names it as it is known; it is known by what accepts it or fills it first."""
        if venue_id is None or venue_id == self._venue_id:
            return True
        if self._venue_id is not None:
            return False
        if kind in _NAMING:
            self._venue_id = venue_id
        return True

    # ------------------------------------------------------------------------------------------------- what is asked

    @property
    def topic(self) -> str:
        """Where its events are told."""
        return self._placing.topic

    @property
    def cl_ord_id(self) -> str:
        """The client order id as it is on the wire."""
        return self._command.cl_ord_id

    @property
    def client_order_id(self) -> ClientOrderId:
        """As all below: what NautilusTrader's order answers."""
        if self._id is None:
            self._id = ClientOrderId(self._command.cl_ord_id)
        return self._id

    @property
    def venue_order_id(self) -> VenueOrderId | None:
        return None if self._venue_id is None else VenueOrderId(self._venue_id)

    @property
    def trader_id(self) -> TraderId:
        return self._placing.trader_id

    @property
    def strategy_id(self) -> StrategyId:
        return self._placing.strategy_id

    @property
    def instrument_id(self) -> Any:
        return self._bridge.instrument_id

    @property
    def side(self) -> OrderSide:
        return self._side

    @property
    def order_type(self) -> OrderType:
        return OrderType.LIMIT

    @property
    def time_in_force(self) -> TimeInForce:
        return self._time_in_force

    @property
    def is_post_only(self) -> bool:
        return self._command.is_post_only

    @property
    def is_reduce_only(self) -> bool:
        return False

    @property
    def has_price(self) -> bool:
        return True

    @property
    def price(self) -> Price:
        limit_ticks = self._command.limit_ticks
        assert limit_ticks is not None
        return self._bridge.price(limit_ticks)

    @property
    def quantity(self) -> Quantity:
        return self._bridge.qty(self._command.qty_lots)

    @property
    def leaves_qty(self) -> Quantity:
        return self._bridge.qty(self._leaves_lots)

    @property
    def filled_qty(self) -> Quantity:
        return self._bridge.qty(self._command.qty_lots - self._leaves_lots)

    @property
    def status(self) -> OrderStatus:
        return _STATUSES[self._status]

    @property
    def is_closed(self) -> bool:
        return self._status in _CLOSED

    @property
    def is_open(self) -> bool:
        return self._status in _OPEN

    @property
    def is_inflight(self) -> bool:
        return self._status in _IN_FLIGHT

    @property
    def is_canceled(self) -> bool:
        return self._status == _CANCELED

    @property
    def is_pending_cancel(self) -> bool:
        return self._status == _PENDING_CANCEL

    @property
    def is_pending_update(self) -> bool:
        return False

    @property
    def is_active_local(self) -> bool:
        return self._status == _INITIALIZED

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, LimitOrder) and self.client_order_id == other.client_order_id)

    def __hash__(self) -> int:
        return hash(self.client_order_id)

    def __repr__(self) -> str:
        self.make()
        return repr(self)


def _event(order: PlacedOrder, note: _Note) -> Any:
    """The event of which only was noted that it happened."""
    kind, venue_id, ts_event_ns, ts_init_ns = note
    placing = order._placing
    ids = (placing.trader_id, placing.strategy_id, order.instrument_id, order.client_order_id)
    times = (UUID4(), ts_event_ns, ts_init_ns)
    if kind is OrderSubmitted:
        return kind(*ids, placing.account_id, *times)
    if kind is OrderPendingCancel:
        return kind(*ids, order.venue_order_id, order.account_id, *times)
    return kind(*ids, VenueOrderId(venue_id), placing.account_id, *times)


def _made_first(name: str) -> property:
    """Of an attribute that only the made order has."""

    def ask(order: LateOrder) -> Any:
        order.make()
        return getattr(order, name)

    return property(ask, doc=f"Of the made order: see NautilusTrader's ``LimitOrder.{name}``.")


for _name in dir(LimitOrder):
    if not _name.startswith("_") and not isinstance(getattr_static(LimitOrder, _name), staticmethod):
        if _name not in vars(LateOrder):
            setattr(LateOrder, _name, _made_first(_name))
