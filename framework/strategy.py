"""The strategy that users subclass.

It is a NautilusTrader ``Strategy``: all of its order events, subscriptions, indicators, timers and cache are there and
work as documented there. What is added:

- ``subscribe_book`` and ``on_book``: a compiled view of the book, conflated as asked;
- ``on_session_*``, ``on_order_reach_changed``, ``on_cancel_rerouted``, ``on_outcome_*`` and the other events of the
  road;
- ``reach``, ``rate_budget_used`` and ``arm_cancel_all_after``: who can cancel an order now, what is left of a pair's
  rate counter, and the venue's dead man's switch;
- ``buy``, ``sell``, ``move`` and ``cancel_order``: orders in ticks and lots, which is what books are in; ``validate``
  has the venue check an order without making it.

A road can be named with each command: ``self.submit_order(order, params={"via": "rest"})``, likewise for
``modify_order`` (``{"edit": True}`` for cancel-and-new) and ``cancel_order``.

The same class runs in a backtest, on paper and live; it never asks in which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.identifiers import ClientId, ClientOrderId, InstrumentId, PositionId, StrategyId
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.config import StrategyConfig as NautilusStrategyConfig
from nautilus_trader.trading.strategy import Strategy as NautilusStrategy

from framework.book import BookView
from framework.errors import ConfigError, SimulationError
from framework.execution import events
from framework.execution.instruments import InstrumentBridge
from framework.execution.nautilus_orders import PLAIN_TIMES_IN_FORCE
from framework.messages import AddOrder
from framework.protocol import BUY, SELL, OrderType
from framework.protocol import TimeInForce as OrderTime

__all__ = ["OrderPath", "Strategy", "StrategyConfig", "StrategyPort"]

# A venue takes free client order ids of 18 characters at most; NautilusTrader's own are longer. The count has room for
# a hundred million orders.
_ID_LENGTH_MAX = 18
# Digits of a strategy's tag in an id that is a number.
_TAG_DIGITS = 3
_COUNT_DIGITS_MIN = 8
# Options of ``buy`` and ``sell`` for which NautilusTrader's order and ours are made side by side.
_PLAIN_OPTIONS = frozenset(("post_only", "time_in_force"))


class StrategyConfig(NautilusStrategyConfig, frozen=True, kw_only=True):
    """Configuration of a strategy; subclass it with the strategy's own parameters.

    instruments: symbols that the strategy trades ("BTC/USD"); () for all of the run's.
    """

    instruments: tuple[str, ...] = ()
    log_events: bool = False
    log_commands: bool = False


class StrategyPort(Protocol):
    """What a runner gives to a strategy beside NautilusTrader's own services."""

    def bridge(self, instrument_id: InstrumentId) -> InstrumentBridge: ...
    def bridges(self) -> Sequence[InstrumentBridge]: ...
    def book(self, instrument_id: InstrumentId) -> BookView: ...
    def subscribe_book(self, strategy: Strategy, instrument_id: InstrumentId, on: str, interval_ms: int) -> None: ...
    def reach(self, cl_ord_id: str) -> tuple[str, ...]: ...
    def rate_budget_used(self, symbol: str) -> float: ...
    def watch_rate_budget(self, share: float) -> None: ...
    def arm_cancel_all_after(self, timeout_s: int, via: str | None) -> None: ...
    def validate(self, order: AddOrder, via: str | None) -> None: ...


class OrderPath(Protocol):
    """A way of a strategy's orders to the desk, in place of NautilusTrader's own."""

    def takes(self, order: Order) -> bool: ...
    def submit(self, order: Order, params: Mapping[str, Any] | None) -> None: ...
    def place(
        self,
        strategy_id: StrategyId,
        command: AddOrder,
        bridge: InstrumentBridge,
        time_in_force: TimeInForce,
        params: Mapping[str, Any] | None,
    ) -> Order: ...
    def make(self, order: Order) -> None: ...
    def cancel(self, order: Order, params: Mapping[str, Any] | None) -> bool: ...


class _OrderFactory(OrderFactory):
    """NautilusTrader's factory with client order ids that a venue takes."""

    def generate_client_order_id(self) -> ClientOrderId:
        return ClientOrderId(self.next_id())

    next_id: Any


class Strategy(NautilusStrategy):
    """Base of all strategies. Override the ``on_...`` methods that matter; all do nothing here."""

    def __init__(self, config: StrategyConfig | None = None) -> None:
        super().__init__(config or StrategyConfig())
        self._port: StrategyPort | None = None
        self._path: OrderPath | None = None
        self._factory: _OrderFactory | None = None
        self._id_count = 0
        self._id_prefix = ""

    # ------------------------------------------------------------------------------------------------- services

    @property
    def order_factory(self) -> OrderFactory:
        """NautilusTrader's order factory, with client order ids that the venue takes."""
        if self._factory is None:
            self._factory = _OrderFactory(self.trader_id, self.id, self.clock, self.cache)
            self._factory.next_id = self._next_cl_ord_id
        return self._factory

    @property
    def instrument_ids(self) -> list[InstrumentId]:
        """The instruments to trade: those of the configuration, else all of the run's.

        Raises ConfigError for a symbol that the run does not have.
        """
        bridges = self._attached().bridges()
        wanted, known = self.config.instruments, [b.spec.symbol for b in bridges]
        for symbol in wanted:
            if symbol not in known:
                raise ConfigError(f"instruments: {symbol!r} is not in the run; it has {', '.join(known)}")
        return [b.instrument_id for b in bridges if not wanted or b.spec.symbol in wanted]

    def bridge(self, instrument_id: InstrumentId) -> InstrumentBridge:
        """Converts between ticks and lots and NautilusTrader's prices and quantities; has the instrument's ``spec``."""
        return self._attached().bridge(instrument_id)

    def lots(self, instrument_id: InstrumentId, qty: str) -> int:
        """A quantity in units of the base asset, as a configuration gives it, in lots.

        Raises ConfigError for a text that is no decimal, for one below 0, and for a quantity between two lots.
        """
        try:
            lots = self.bridge(instrument_id).spec.lots(Decimal(qty))
        except InvalidOperation:
            lots = -1
        except ValueError as e:
            raise ConfigError(str(e)) from None
        if lots < 0:
            raise ConfigError(f'quantity "{qty}": it must be a decimal of 0 or more in units of the base asset')
        return lots

    def book(self, instrument_id: InstrumentId) -> BookView:
        """The book as delivered so far; subscribe to it first."""
        return self._attached().book(instrument_id)

    def subscribe_book(self, instrument_id: InstrumentId, on: str = "touch", interval_ms: int = 0) -> None:
        """Have ``on_book`` called.

        on: "touch" when a best price or the quantity at it changed, "change" on every message, "interval" at most once
            in ``interval_ms`` of the market's time, "trade" on each trade.
        Raises ConfigError for another value.
        """
        self._attached().subscribe_book(self, instrument_id, on, interval_ms)

    def reach(self, order: Order) -> tuple[str, ...]:
        """Names of the links whose single cancel reaches the order now; () when none does.

        All of the road's links, also one that the cancel route leaves out: a cancel goes by that one if it is named
        with ``params={"via": ...}``.
        """
        return self._attached().reach(order.client_order_id.value)

    def rate_budget_used(self, instrument_id: InstrumentId) -> float:
        """Share of the pair's rate counter that is used now, 0 to 1 and above."""
        return self._attached().rate_budget_used(self.bridge(instrument_id).spec.symbol)

    def watch_rate_budget(self, share: float) -> None:
        """Have ``on_rate_budget_changed`` called when a pair's counter passes this share of its threshold."""
        self._attached().watch_rate_budget(share)

    def arm_cancel_all_after(self, timeout_s: int, via: str | None = None) -> None:
        """Arm or refresh the account's dead man's switch; 0 disarms it."""
        self._attached().arm_cancel_all_after(timeout_s, via)

    # ------------------------------------------------------------------------------------------------- orders

    def submit_order(
        self,
        order: Order,
        position_id: PositionId | None = None,
        client_id: ClientId | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:
        """Submit an order; see NautilusTrader's ``Strategy``. ``params={"via": "rest"}`` names its road."""
        path = self._path
        if path is None or position_id is not None or client_id is not None:
            self._make(order)
            super().submit_order(order, position_id, client_id, params)
        elif self.is_exiting() or not path.takes(order):
            super().submit_order(order, None, None, params)
        else:
            path.submit(order, params)

    def cancel_order(
        self, order: Order, client_id: ClientId | None = None, params: dict[str, Any] | None = None
    ) -> None:
        """Cancel an order; see NautilusTrader's ``Strategy``. ``params={"via": "rest"}`` names the road."""
        path = self._path
        if path is None or client_id is not None or not path.cancel(order, params):
            self._make(order)
            super().cancel_order(order, client_id, params)

    def cancel_orders(self, orders: list[Order], *terms: Any, **named: Any) -> None:
        """Cancel several orders of one instrument in one request; see NautilusTrader's ``Strategy``."""
        self._make(*orders)
        super().cancel_orders(orders, *terms, **named)

    def modify_order(self, order: Order, *terms: Any, **named: Any) -> None:
        """Amend an order; see NautilusTrader's ``Strategy``. ``params={"via": "rest"}`` names the road."""
        self._make(order)
        super().modify_order(order, *terms, **named)

    def query_order(self, order: Order, *terms: Any, **named: Any) -> None:
        """Ask the venue for an order; see NautilusTrader's ``Strategy``."""
        self._make(order)
        super().query_order(order, *terms, **named)

    def cancel_gtd_expiry(self, order: Order) -> None:
        """Let an order not expire by the strategy's timer; see NautilusTrader's ``Strategy``."""
        self._make(order)
        super().cancel_gtd_expiry(order)

    def _make(self, *orders: Order) -> None:
        """NautilusTrader's own code reads the memory of orders."""
        if self._path is not None:
            for order in orders:
                self._path.make(order)

    def buy(
        self,
        instrument_id: InstrumentId,
        qty_lots: int,
        price_ticks: int | None = None,
        **options: Any,
    ) -> Order:
        """Submit a buy and return it; see ``order``."""
        return self._submit(instrument_id, OrderSide.BUY, qty_lots, price_ticks, options)

    def sell(
        self,
        instrument_id: InstrumentId,
        qty_lots: int,
        price_ticks: int | None = None,
        **options: Any,
    ) -> Order:
        """Submit a sell and return it; see ``order``."""
        return self._submit(instrument_id, OrderSide.SELL, qty_lots, price_ticks, options)

    def move(
        self,
        order: Order,
        price_ticks: int | None = None,
        qty_lots: int | None = None,
        **params: Any,
    ) -> None:
        """Amend an order in place; ``edit=True`` replaces it by cancel-and-new where the venue edits such orders."""
        bridge = self.bridge(order.instrument_id)
        self.modify_order(
            order,
            quantity=None if qty_lots is None else bridge.qty(qty_lots),
            price=None if price_ticks is None else bridge.price(price_ticks),
            params=params,
        )

    def validate(
        self,
        instrument_id: InstrumentId,
        side: OrderSide,
        qty_lots: int,
        price_ticks: int | None = None,
        *,
        post_only: bool = False,
        time_in_force: TimeInForce = TimeInForce.GTC,
        via: str | None = None,
    ) -> str:
        """Have the venue check an order without making it; returns the id that ``on_order_validated`` names it by.

        A limit order at a price, a market order without one. Raises ConfigError for a time in force that needs another
        term (GTD).
        """
        when = PLAIN_TIMES_IN_FORCE.get(time_in_force)
        if when is None:
            raise ConfigError(f"validate: time_in_force {time_in_force!r}; it must be GTC, IOC or FOK")
        cl_ord_id = self._next_cl_ord_id()
        is_market = price_ticks is None
        order = AddOrder(
            request_id=0,
            cl_ord_id=cl_ord_id,
            symbol=self.bridge(instrument_id).spec.symbol,
            side=BUY if side == OrderSide.BUY else SELL,
            order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
            qty_lots=qty_lots,
            limit_ticks=price_ticks,
            time_in_force=when,
            is_post_only=post_only,
        )
        self._attached().validate(order, via)
        return cl_ord_id

    def _submit(
        self,
        instrument_id: InstrumentId,
        side: OrderSide,
        qty_lots: int,
        price_ticks: int | None,
        options: dict[str, Any],
    ) -> Order:
        """A limit order at a price, a market order without one.

        Options: ``post_only``, ``time_in_force`` (NautilusTrader's), ``via``, ``position_id``.
        """
        bridge = self.bridge(instrument_id)
        via = options.pop("via", None)
        params = None if via is None else {"via": via}
        if price_ticks is not None:
            options.setdefault("time_in_force", TimeInForce.GTC)
            if self._path is not None and _PLAIN_OPTIONS.issuperset(options) and not self.is_exiting():
                time_in_force = PLAIN_TIMES_IN_FORCE.get(options["time_in_force"])
                if time_in_force is not None:
                    return self._submit_plain(bridge, side, qty_lots, price_ticks, time_in_force, options, params)
        qty = bridge.qty(qty_lots)
        order = (
            self.order_factory.market(instrument_id, side, qty, **options)
            if price_ticks is None
            else self.order_factory.limit(instrument_id, side, qty, bridge.price(price_ticks), **options)
        )
        self.submit_order(order, params=params)
        return order

    def _submit_plain(
        self,
        bridge: InstrumentBridge,
        side: OrderSide,
        qty_lots: int,
        price_ticks: int,
        time_in_force: OrderTime,
        options: Mapping[str, Any],
        params: dict[str, Any] | None,
    ) -> Order:
        """The limit order that NautilusTrader's factory would make."""
        assert self._path is not None
        command = AddOrder(
            request_id=0,
            cl_ord_id=self._next_cl_ord_id(),
            symbol=bridge.spec.symbol,
            side=BUY if side == OrderSide.BUY else SELL,
            order_type=OrderType.LIMIT,
            qty_lots=qty_lots,
            limit_ticks=price_ticks,
            time_in_force=time_in_force,
            is_post_only=options.get("post_only", False),
        )
        return self._path.place(self.id, command, bridge, options["time_in_force"], params)

    # ------------------------------------------------------------------------------------------------- handlers

    def on_book(self, book: BookView) -> None:
        """The book changed as subscribed for."""

    def on_session_opened(self, event: events.SessionOpened) -> None:
        """A link has a new session; ``event.cl_ord_ids`` are open orders that its old session owned."""

    def on_session_resumed(self, event: events.SessionResumed) -> None:
        """A link's session goes on, with what was missed replayed."""

    def on_session_closed(self, event: events.SessionClosed) -> None:
        """A link's session dropped or ended; ``event.cl_ord_ids`` are the open orders that it owned."""

    def on_order_reach_changed(self, event: events.OrderReachChanged) -> None:
        """Who can cancel an order has changed; ``event.reach`` is empty when nobody can."""

    def on_cancel_rerouted(self, event: events.CancelRerouted) -> None:
        """A cancel went by another road than the first of the route."""

    def on_outcome_unknown(self, event: events.OutcomeUnknown) -> None:
        """Nothing is known of a command's effect."""

    def on_outcome_resolved(self, event: events.OutcomeResolved) -> None:
        """The fate of a command is known again, and how."""

    def on_order_validated(self, event: events.OrderValidated) -> None:
        """The venue has checked an order for ``validate``; ``event.error`` is None if it would be accepted."""

    def on_request_rejected(self, event: events.RequestRejected) -> None:
        """A request that concerns no single order was refused, such as one to arm the dead man's switch."""

    def on_rate_budget_changed(self, event: events.RateBudgetChanged) -> None:
        """A pair's rate counter passed a share that ``watch_rate_budget`` set."""

    def on_sequence_gap(self, event: events.SequenceGap) -> None:
        """A session missed messages."""

    def on_replay_completed(self, event: events.ReplayCompleted) -> None:
        """What a session had missed has been received."""

    def on_venue_status_changed(self, event: events.VenueStatusChanged) -> None:
        """The venue changed its mode."""

    def on_kill_switch_pulled(self, event: events.KillSwitchPulled) -> None:
        """Everything is being canceled, and new orders are denied until the switch is released."""

    def on_kill_switch_proved(self, event: events.KillSwitchProved) -> None:
        """The venue has said, since the switch was pulled, that nothing is open."""

    def on_kill_switch_released(self, event: events.KillSwitchReleased) -> None:
        """New orders are sent again."""

    # ------------------------------------------------------------------------------------------------- system

    def attach(self, port: StrategyPort, path: OrderPath | None = None) -> None:
        """Give the strategy its runner's services; a runner calls this, once, before the start.

        path: takes ordinary orders and cancels; None for NautilusTrader's engines.
        """
        self._port = port
        self._path = None if self.config.manage_gtd_expiry else path

    def count_ids_on(self, cl_ord_id: str) -> None:
        """Have ids of new orders come after one of a run before; nothing happens for one that is not its own."""
        prefix = self._id_prefix = self._id_prefix or _id_prefix(self.order_id_tag)
        count = cl_ord_id.removeprefix(prefix)
        if count != cl_ord_id and count.isdecimal():
            self._id_count = max(self._id_count, int(count))

    def handle_road_event(self, event: events.RoadEvent) -> None:
        """Hand an event of the road to its method; a runner calls this."""
        if self.is_running:
            getattr(self, _HANDLERS[type(event)])(event)

    def handle_book(self, book: BookView) -> None:
        """Hand the book to ``on_book``; a runner calls this."""
        if self.is_running:
            self.on_book(book)

    def _attached(self) -> StrategyPort:
        if self._port is None:
            raise SimulationError(f"{type(self).__name__} is not attached to a runner yet; use this from on_start on")
        return self._port

    def _next_cl_ord_id(self) -> str:
        """The tag and a count with leading zeros: unique in the run, and ever increasing, as text too.

        A number where the tag is one, which is what FIX sessions of some venues insist on.
        """
        if not self._id_prefix:
            self._id_prefix = _id_prefix(self.order_id_tag)
        self._id_count += 1
        return self._id_prefix + str(self._id_count).zfill(_ID_LENGTH_MAX - len(self._id_prefix))


def _id_prefix(tag: str) -> str:
    """What the ids of a strategy begin with; raises ConfigError for a tag that leaves too little room for a count.

    A tag of up to three digits gives a number that does not begin with 0; tags that are the same number are one tag.
    """
    if tag.isdecimal() and len(tag) <= _TAG_DIGITS:
        return f"1{int(tag):0{_TAG_DIGITS}d}"
    tag_length_max = _ID_LENGTH_MAX - _COUNT_DIGITS_MIN - 1
    if len(tag) > tag_length_max:
        raise ConfigError(
            f"order_id_tag '{tag}' is too long for client order ids of {_ID_LENGTH_MAX} characters; "
            f"it may have {tag_length_max}"
        )
    return f"{tag}-"


_HANDLERS: dict[type[events.RoadEvent], str] = {
    events.SessionOpened: "on_session_opened",
    events.SessionResumed: "on_session_resumed",
    events.SessionClosed: "on_session_closed",
    events.OrderReachChanged: "on_order_reach_changed",
    events.CancelRerouted: "on_cancel_rerouted",
    events.OutcomeUnknown: "on_outcome_unknown",
    events.OutcomeResolved: "on_outcome_resolved",
    events.OrderValidated: "on_order_validated",
    events.RequestRejected: "on_request_rejected",
    events.RateBudgetChanged: "on_rate_budget_changed",
    events.SequenceGap: "on_sequence_gap",
    events.ReplayCompleted: "on_replay_completed",
    events.VenueStatusChanged: "on_venue_status_changed",
    events.KillSwitchPulled: "on_kill_switch_pulled",
    events.KillSwitchProved: "on_kill_switch_proved",
    events.KillSwitchReleased: "on_kill_switch_released",
}
