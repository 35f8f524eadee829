"""The NautilusTrader execution client: a thin shell between a strategy's commands and the desk.

Commands are translated to ours and given to the desk; what the desk concludes is told to NautilusTrader as its own
order events, in the order in which it was learned. Prices and quantities are converted exactly. Events of the road go
to ``on_road_event``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Protocol

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import Clock as NautilusClock
from nautilus_trader.common.component import MessageBus
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.client import ExecutionClient
from nautilus_trader.execution.messages import (
    BatchCancelOrders,
    CancelAllOrders,
    CancelOrder,
    ModifyOrder,
    QueryAccount,
    QueryOrder,
    SubmitOrder,
    SubmitOrderList,
)
from nautilus_trader.model.enums import AccountType, LiquiditySide, OmsType, OrderSide, OrderStatus
from nautilus_trader.model.events import OrderAccepted, OrderCanceled, OrderEvent, OrderExpired, OrderSubmitted
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientId,
    ClientOrderId,
    PositionId,
    TradeId,
    Venue,
    VenueOrderId,
)
from nautilus_trader.model.objects import AccountBalance, Money
from nautilus_trader.model.orders import Order

from framework.errors import SimulationError
from framework.execution.desk import ExecutionDesk
from framework.execution.events import RoadEvent
from framework.execution.instruments import InstrumentBridge, currency
from framework.execution.nautilus_orders import TRIGGERABLE_TYPES, add_order
from framework.execution.orders import Knowledge, OrderRecord
from framework.messages import AddOrder
from framework.protocol import BUY

__all__ = ["DeskExecutionClient", "EventPath"]

# Free client order ids have at most so many characters at a venue; longer ones must be UUIDs. Those that stand for
# longer ones begin with an x, and have no hyphen as those of a strategy have.
_ID_LENGTH_MAX = 18
_SHORT = "x"


class EventPath(Protocol):
    """A way of order events to those who hear them, in place of NautilusTrader's own."""

    def on_event(self, event: OrderEvent) -> None:
        """Apply an event to its order and tell of it."""
        ...

    def note(self, order: Order, kind: type[OrderEvent], venue_id: str | None, ts_event_ns: int) -> bool:
        """What would be told with an event; False, and nothing done, where one is to be made."""
        ...

    def position_id(self, order: Order) -> PositionId:
        """The position that fills of an order belong to."""
        ...


class DeskExecutionClient(ExecutionClient):
    """Shell around one desk.

    order_path: takes the order events; None for NautilusTrader's execution engine.
    instruments: bridges by symbol. balances: what the account starts with, by asset.
    on_road_event: called with each event of the road. schedule_balance: called when balances have changed; the caller
    calls ``send_balances`` soon after, once for many fills. name: of the client; None for the venue's.
    live: what one of NautilusTrader's live clients takes, where this is mixed with one.
    """

    def __init__(
        self,
        venue: str,
        instruments: Mapping[str, InstrumentBridge],
        balances: Mapping[str, Decimal],
        msgbus: MessageBus,
        cache: Cache,
        clock: NautilusClock,
        on_road_event: Callable[[RoadEvent], None],
        schedule_balance: Callable[[], None],
        name: str | None = None,
        **live: Any,
    ) -> None:
        super().__init__(
            client_id=ClientId(name or venue),
            venue=Venue(venue),
            oms_type=OmsType.NETTING,
            account_type=AccountType.CASH,
            base_currency=None,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            **live,
        )
        self._set_account_id(AccountId(f"{name or venue}-001"))
        self.desk: ExecutionDesk | None = None
        self.order_path: EventPath | None = None
        self._instruments = dict(instruments)
        self._by_id = {bridge.instrument_id: bridge for bridge in instruments.values()}
        self._balances = dict(balances)
        # By symbol, lots bought less lots sold since the balances were told, and the same times their price in ticks.
        self._traded: dict[str, list[int]] = {}
        # What NautilusTrader was told last of each asset.
        self._told: dict[str, tuple[Decimal, AccountBalance]] = {}
        self._on_road_event = on_road_event
        self._schedule_balance = schedule_balance
        self._nautilus: dict[str, Order] = {}
        self._denied: deque[tuple[int, ClientOrderId]] = deque()
        # What gives orders that are being sent.
        self._unmade: dict[str, Callable[[], Order]] = {}
        # Ids that NautilusTrader made itself (closing positions, exits) are too long for a venue; these stand for them.
        self._short_ids: dict[str, str] = {}
        self._short_count = 0
        # Refused cancels and amends of orders without an answer yet. NautilusTrader has no way back from "pending" to
        # "submitted": told at once, they would leave the order pending, and it would refuse the next cancel.
        self._held: dict[str, list[Callable[[], None]]] = {}

    # ------------------------------------------------------------------------------------------------- commands

    def submit_order(self, command: SubmitOrder) -> None:
        self.submit(command.order, command.params)

    def submit(self, order: Order, params: Mapping[str, Any] | None) -> None:
        """Send a new order."""
        add = self._translate(order)
        if add is not None:
            self._desk().submit(add, via=_via(params))

    def send(self, add: AddOrder, make: Callable[[], Order], params: Mapping[str, Any] | None) -> None:
        """Send a new order as the desk takes it; make: gives the same order, once it has been sent or denied."""
        self._unmade[add.cl_ord_id] = make
        try:
            self._desk().submit(add, via=_via(params))
        finally:
            self._unmade.pop(add.cl_ord_id, None)

    def _make(self, cl_ord_id: str) -> Order:
        """The order of which the desk speaks for the first time."""
        make = self._unmade.pop(cl_ord_id, None)
        if make is not None:
            self._nautilus[cl_ord_id] = make()
        return self._nautilus[cl_ord_id]

    def adopt(self, order: Order) -> None:
        """An order of a run before, which the desk has adopted."""
        self._nautilus[order.client_order_id.value] = order

    def submit_order_list(self, command: SubmitOrderList) -> None:
        adds = [add for order in command.order_list.orders if (add := self._translate(order)) is not None]
        self._desk().submit_batch(adds, via=_via(command.params))

    def modify_order(self, command: ModifyOrder) -> None:
        bridge = self._by_id[command.instrument_id]
        params = command.params or {}
        cl_ord_id = self._cl_ord_id(command.client_order_id)
        try:
            qty_lots = None if command.quantity is None else bridge.lots(command.quantity)
            limit_ticks = None if command.price is None else bridge.ticks(command.price)
            trigger_ticks = None if command.trigger_price is None else bridge.ticks(command.trigger_price)
        except ValueError as e:
            self.amend_rejected(self._desk().orders[cl_ord_id], str(e), self._clock.timestamp_ns())
            return
        self._desk().amend(
            cl_ord_id,
            qty_lots=qty_lots,
            limit_ticks=limit_ticks,
            trigger_ticks=trigger_ticks,
            is_post_only=bool(params.get("post_only", False)),
            is_edit=bool(params.get("edit", False)),
            via=_via(params),
        )

    def cancel_order(self, command: CancelOrder) -> None:
        self._desk().cancel(self._cl_ord_id(command.client_order_id), via=_via(command.params))

    def cancel(self, client_order_id: str, params: Mapping[str, Any] | None) -> None:
        """Cancel an order by NautilusTrader's id of it."""
        self._desk().cancel(self._known_as(client_order_id), via=_via(params))

    def cancel_all_orders(self, command: CancelAllOrders) -> None:
        """Cancel this strategy's open orders of the instrument, and no others (side if given)."""
        params = command.params or {}
        if params.get("account"):
            self._desk().cancel_all(via=_via(params))
            return
        orders = self._cache.orders_open(instrument_id=command.instrument_id, strategy_id=command.strategy_id)
        orders += self._cache.orders_inflight(instrument_id=command.instrument_id, strategy_id=command.strategy_id)
        ids = [
            self._cl_ord_id(order.client_order_id)
            for order in orders
            if command.order_side in (OrderSide.NO_ORDER_SIDE, order.side)
        ]
        self._desk().cancel_batch(list(dict.fromkeys(ids)), via=_via(params))

    def batch_cancel_orders(self, command: BatchCancelOrders) -> None:
        ids = [self._cl_ord_id(cancel.client_order_id) for cancel in command.cancels]
        self._desk().cancel_batch(ids, via=_via(command.params))

    def forget(self, cl_ord_id: str) -> Order | None:
        """Let go of an order that has closed; NautilusTrader's order of it, if it was made."""
        self._held.pop(cl_ord_id, None)
        order = self._nautilus.pop(cl_ord_id, None)
        if order is not None and cl_ord_id.startswith(_SHORT):
            self._short_ids.pop(order.client_order_id.value, None)
        return order

    def forget_denied(self, before_ns: int) -> Iterator[ClientOrderId]:
        """Let go of the orders that were denied before a time, of which the desk knows nothing."""
        while self._denied and self._denied[0][0] < before_ns:
            yield self._denied.popleft()[1]

    def query_order(self, command: QueryOrder) -> None:
        self._desk().query()

    def query_account(self, command: QueryAccount) -> None:
        self.send_balances()

    def send_balances(self) -> None:
        """Tell NautilusTrader the balances that follow from the fills learned so far."""
        self._settle()
        told = self._told
        for asset, amount in self._balances.items():
            known = told.get(asset)
            if known is None or known[0] != amount:
                total = Money(amount, currency(asset))
                told[asset] = (amount, AccountBalance(total, Money(0, currency(asset)), total))
        states = [balance for _, balance in told.values()]
        self.generate_account_state(states, [], True, self._clock.timestamp_ns())

    def set_balances(self, balances: Mapping[str, Decimal]) -> None:
        """Take what the venue says is there, all fills learned so far included, and tell NautilusTrader."""
        self._traded.clear()
        self._balances = dict.fromkeys(self._balances, Decimal(0)) | dict(balances)
        self.send_balances()

    @property
    def balances(self) -> Mapping[str, Decimal]:
        """What is there by the venue's last word and the fills learned since, by asset."""
        self._settle()
        return self._balances

    def _settle(self) -> None:
        """Add what was traded since the last time to the balances."""
        balances = self._balances
        for symbol, (lots, tick_lots) in self._traded.items():
            bridge = self._instruments[symbol]
            spec = bridge.spec
            base, quote = bridge.base_asset, bridge.quote_asset
            balances[base] = balances.get(base, Decimal(0)) + spec.qty(lots)
            balances[quote] = balances.get(quote, Decimal(0)) - spec.price(1) * spec.qty(1) * tick_lots
        self._traded.clear()

    # ------------------------------------------------------------------------------------------------- desk listener

    def order_submitted(self, record: OrderRecord) -> None:
        order = self._make(record.cl_ord_id)
        now_ns = self._clock.timestamp_ns()
        if not self._is_noted(order, OrderSubmitted, None, now_ns):
            self.generate_order_submitted(order.strategy_id, order.instrument_id, order.client_order_id, now_ns)

    def order_denied(self, record: OrderRecord, reason: str) -> None:
        self._deny(record.cl_ord_id, self._make(record.cl_ord_id), reason)

    def order_accepted(self, record: OrderRecord, ts_venue_ns: int) -> None:
        order = self._nautilus[record.cl_ord_id]
        if not self._is_noted(order, OrderAccepted, record.order_id or record.cl_ord_id, ts_venue_ns):
            ids = (order.strategy_id, order.instrument_id, order.client_order_id)
            self.generate_order_accepted(*ids, _venue_id(record, order), ts_venue_ns)
        for tell in self._held.pop(record.cl_ord_id, ()):
            tell()

    def order_rejected(self, record: OrderRecord, reason: str, is_post_only: bool, ts_venue_ns: int) -> None:
        order = self._nautilus[record.cl_ord_id]
        self._held.pop(record.cl_ord_id, None)  # what was refused of it matters no more
        self.generate_order_rejected(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            reason,
            ts_venue_ns,
            is_post_only,
        )

    def order_updated(self, record: OrderRecord, ts_venue_ns: int) -> None:
        order = self._nautilus[record.cl_ord_id]
        bridge = self._instruments[record.symbol]
        self.generate_order_updated(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            _venue_id(record, order),
            bridge.qty(record.qty_lots),
            None if record.limit_ticks is None else bridge.price(record.limit_ticks),
            None if record.trigger_ticks is None else bridge.price(record.trigger_ticks),
            ts_venue_ns,
            venue_order_id_modified=True,
            is_quote_quantity=False if record.is_quote_qty and record.qty_lots else None,
        )

    def order_triggered(self, record: OrderRecord, ts_venue_ns: int) -> None:
        if record.order_type not in TRIGGERABLE_TYPES:
            return
        order = self._nautilus[record.cl_ord_id]
        self.generate_order_triggered(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            _venue_id(record, order),
            ts_venue_ns,
        )

    def order_canceled(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        order = self._nautilus[record.cl_ord_id]
        if not self._is_noted(order, OrderCanceled, record.order_id or record.cl_ord_id, ts_venue_ns):
            ids = (order.strategy_id, order.instrument_id, order.client_order_id)
            self.generate_order_canceled(*ids, _venue_id(record, order), ts_venue_ns)

    def order_expired(self, record: OrderRecord, ts_venue_ns: int) -> None:
        order = self._nautilus[record.cl_ord_id]
        if not self._is_noted(order, OrderExpired, record.order_id or record.cl_ord_id, ts_venue_ns):
            ids = (order.strategy_id, order.instrument_id, order.client_order_id)
            self.generate_order_expired(*ids, _venue_id(record, order), ts_venue_ns)

    def order_filled(
        self,
        record: OrderRecord,
        exec_id: str,
        last_lots: int,
        last_ticks: int,
        is_maker: bool,
        fee: Decimal,
        fee_asset: str,
        ts_venue_ns: int,
    ) -> None:
        order = self._nautilus[record.cl_ord_id]
        bridge = self._instruments[record.symbol]
        lots = last_lots if record.side == BUY else -last_lots
        traded = self._traded.setdefault(record.symbol, [0, 0])
        traded[0] += lots
        traded[1] += lots * last_ticks
        if fee:
            self._balances[fee_asset] = self._balances.get(fee_asset, Decimal(0)) - fee
        self._schedule_balance()
        self.generate_order_filled(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            _venue_id(record, order),
            None if self.order_path is None else self.order_path.position_id(order),
            TradeId(exec_id),
            order.side,
            order.order_type,
            bridge.qty(last_lots),
            bridge.price(last_ticks),
            bridge.quote,
            bridge.money(fee, fee_asset or bridge.quote_asset),
            LiquiditySide.MAKER if is_maker else LiquiditySide.TAKER,
            ts_venue_ns,
        )

    def cancel_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        if self._is_unanswered(record):
            self._hold(record, lambda: self.cancel_rejected(record, reason, ts_venue_ns))
            return
        order = self._nautilus[record.cl_ord_id]
        if order.status == OrderStatus.PENDING_CANCEL and record.is_triggered and not record.cum_lots:
            self._make_accepted(order)
        self.generate_order_cancel_rejected(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            _venue_id(record, order),
            reason,
            ts_venue_ns,
        )

    def amend_rejected(self, record: OrderRecord, reason: str, ts_venue_ns: int) -> None:
        if self._is_unanswered(record):
            self._hold(record, lambda: self.amend_rejected(record, reason, ts_venue_ns))
            return
        order = self._nautilus[record.cl_ord_id]
        self.generate_order_modify_rejected(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            _venue_id(record, order),
            reason,
            ts_venue_ns,
        )

    def _is_noted(self, order: Order, kind: type[OrderEvent], venue_id: str | None, ts_event_ns: int) -> bool:
        return self.order_path is not None and self.order_path.note(order, kind, venue_id, ts_event_ns)

    def _send_order_event(self, event: OrderEvent) -> None:
        if self.order_path is None:
            super()._send_order_event(event)
        else:
            self.order_path.on_event(event)

    def _is_unanswered(self, record: OrderRecord) -> bool:
        return record.knowledge is Knowledge.SENT or record.knowledge is Knowledge.UNKNOWN

    def _hold(self, record: OrderRecord, tell: Callable[[], None]) -> None:
        self._held.setdefault(record.cl_ord_id, []).append(tell)

    def _make_accepted(self, order: Order) -> None:
        """Take a triggered order from pending to accepted, for NautilusTrader has no way back to triggered."""
        order.apply(
            OrderAccepted(
                trader_id=order.trader_id,
                strategy_id=order.strategy_id,
                instrument_id=order.instrument_id,
                client_order_id=order.client_order_id,
                venue_order_id=order.venue_order_id,
                account_id=order.account_id,
                event_id=UUID4(),
                ts_event=order.ts_accepted,
                ts_init=self._clock.timestamp_ns(),
            )
        )

    def road_event(self, event: RoadEvent) -> None:
        self._on_road_event(event)

    # ------------------------------------------------------------------------------------------------- translation

    def _cl_ord_id(self, client_order_id: ClientOrderId) -> str:
        """The id on the wire: NautilusTrader's where a venue takes it, else a number that stands for it."""
        return self._known_as(client_order_id.value)

    def _known_as(self, value: str) -> str:
        if len(value) <= _ID_LENGTH_MAX:
            return value
        short = self._short_ids.get(value)
        if short is None:
            self._short_count += 1
            short = self._short_ids[value] = f"{_SHORT}{self._short_count:0{_ID_LENGTH_MAX - 1}d}"
        return short

    def count_ids_on(self, cl_ord_id: str) -> None:
        """Have ids that stand for longer ones come after one of a run before; nothing happens for other ids."""
        count = cl_ord_id.removeprefix(_SHORT)
        if count != cl_ord_id and count.isdecimal():
            self._short_count = max(self._short_count, int(count))

    def _desk(self) -> ExecutionDesk:
        if self.desk is None:
            raise SimulationError("an order was sent before the desk was attached to its client")
        return self.desk

    def _translate(self, order: Order) -> AddOrder | None:
        """A NautilusTrader order as ours; denied, and None, if the venue model does not have it."""
        cl_ord_id = self._cl_ord_id(order.client_order_id)
        self._nautilus[cl_ord_id] = order
        bridge = self._by_id.get(order.instrument_id)
        try:
            if bridge is None:
                raise ValueError(f"{order.instrument_id} is not an instrument of this run")
            return add_order(order, cl_ord_id, bridge)
        except ValueError as e:
            self._deny(cl_ord_id, order, str(e))
            return None

    def _deny(self, cl_ord_id: str, order: Order, reason: str) -> None:
        del self._nautilus[cl_ord_id]
        now_ns = self._clock.timestamp_ns()
        self._denied.append((now_ns, order.client_order_id))
        self.generate_order_denied(order.strategy_id, order.instrument_id, order.client_order_id, reason, now_ns)


def _venue_id(record: OrderRecord, order: Order) -> VenueOrderId:
    value = record.order_id or record.cl_ord_id
    known = order.venue_order_id
    return known if known is not None and known.value == value else VenueOrderId(value)


def _via(params: Mapping[str, Any] | None) -> str | None:
    return params.get("via") if params else None
