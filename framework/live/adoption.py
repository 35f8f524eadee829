"""Orders and positions of runs before, given to the strategy of this one.

Before the links open, each order that had not ended is NautilusTrader's again as the journal knew it, and what is held
is a position. What the venue tells of the gap is applied as it comes. Once the strategy has started it hears all of it
in order: each order's events from the first on, then the positions as they are.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import LiquiditySide, OrderSide, OrderType
from nautilus_trader.model.events import OrderAccepted, OrderFilled, OrderSubmitted, OrderUpdated, PositionOpened
from nautilus_trader.model.identifiers import ClientOrderId, PositionId, TradeId, VenueOrderId
from nautilus_trader.model.orders import Order

from framework.errors import ConfigError
from framework.execution.events import OutcomeUnknown
from framework.execution.instruments import InstrumentBridge
from framework.execution.nautilus_orders import nautilus_order
from framework.execution.orders import Knowledge
from framework.live.records import Filled
from framework.live.recovery import KnownOrder, Recovery
from framework.trader.trader import Trader

__all__ = ["Adoption"]


class Adoption:
    """What one strategy takes over. Raises ConfigError for what it cannot."""

    def __init__(self, trader: Trader, recovery: Recovery) -> None:
        self._trader = trader
        self._recovery = recovery
        self._orders: list[Order] = []
        self._by_symbol = {bridge.spec.symbol: bridge for bridge in trader.bridges()}
        name = type(trader.strategy).__name__
        if recovery.open_orders and recovery.strategy not in ("", name):
            raise ConfigError(
                f'[live] left_open = "adopt": the orders are of {recovery.strategy}, not of {name}; run that, or '
                'cancel them with left_open = "cancel"'
            )
        for known in recovery.open_orders.values():
            if known.add.symbol not in self._by_symbol:
                raise ConfigError(
                    f'[live] left_open = "adopt": a run before has an order of {known.add.symbol}; add that to '
                    'symbols, or cancel it with left_open = "cancel"'
                )

    def prepare(self) -> None:
        """Make orders and positions; before the links open."""
        for bridge in self._trader.bridges():
            lots = self._recovery.positions_lots.get(bridge.spec.symbol, 0)
            if lots:
                self._hold(bridge, lots)
        for known in self._recovery.open_orders.values():
            self._adopt(known)

    def tell(self) -> None:
        """Have the strategy, which has started, hear of them."""
        trader, strategy = self._trader, self._trader.strategy
        for order in self._orders:
            for event in order.events:
                strategy.handle_event(event)
            record = trader.desk.orders[order.client_order_id.value]
            if record.knowledge is Knowledge.UNKNOWN:
                strategy.handle_road_event(
                    OutcomeUnknown(
                        ts_ns=trader.scheduler.now_ns,
                        cl_ord_id=record.cl_ord_id,
                        command="AddOrder",
                        link=record.owner_link,
                        evidence="the run that sent it ended before an answer came",
                    )
                )
        now_ns = trader.scheduler.now_ns
        for position in trader.nautilus.cache.positions_open(strategy_id=strategy.id):
            strategy.handle_event(PositionOpened.create(position, position.last_event, UUID4(), now_ns))

    # ------------------------------------------------------------------------------------------------- within

    def _adopt(self, known: KnownOrder) -> None:
        trader = self._trader
        cache, bridge = trader.nautilus.cache, self._by_symbol[known.add.symbol]
        order = nautilus_order(trader.strategy.order_factory, known.add, bridge)
        cache.add_order(order, None, None, True)
        trader.client.adopt(order)
        self._orders.append(order)
        now_ns = trader.scheduler.now_ns
        common: dict[str, Any] = {
            "trader_id": order.trader_id,
            "strategy_id": order.strategy_id,
            "instrument_id": order.instrument_id,
            "client_order_id": order.client_order_id,
            "account_id": trader.client.account_id,
            "ts_init": now_ns,
        }
        order.apply(OrderSubmitted(**common, event_id=UUID4(), ts_event=known.ts_sent_ns))
        if known.is_known:
            common |= {"venue_order_id": VenueOrderId(known.order_id or known.add.cl_ord_id), "reconciliation": True}
            order.apply(OrderAccepted(**common, event_id=UUID4(), ts_event=known.known_ns))
            add = known.add
            terms = (known.qty_lots, known.limit_ticks, known.trigger_ticks)
            if terms != (add.qty_lots, add.limit_ticks, add.trigger_ticks):
                qty_lots, limit_ticks, trigger_ticks = terms
                order.apply(
                    OrderUpdated(
                        **common,
                        quantity=bridge.qty(qty_lots),
                        price=None if limit_ticks is None else bridge.price(limit_ticks),
                        trigger_price=None if trigger_ticks is None else bridge.price(trigger_ticks),
                        event_id=UUID4(),
                        ts_event=now_ns,
                    )
                )
            for fill in known.fills:
                order.apply(self._fill(order, fill, bridge, common))
        cache.update_order(order)

    def _fill(self, order: Order, fill: Filled, bridge: InstrumentBridge, common: dict[str, Any]) -> OrderFilled:
        return OrderFilled(
            **common,
            trade_id=TradeId(fill.exec_id),
            position_id=self._position_id(bridge),
            order_side=order.side,
            order_type=order.order_type,
            last_qty=bridge.qty(fill.lots),
            last_px=bridge.price(fill.price_ticks),
            currency=bridge.quote,
            commission=bridge.money(Decimal(fill.fee), fill.fee_asset or bridge.quote_asset),
            liquidity_side=LiquiditySide.MAKER if fill.is_maker else LiquiditySide.TAKER,
            event_id=UUID4(),
            ts_event=fill.ts_venue_ns,
        )

    def _hold(self, bridge: InstrumentBridge, lots: int) -> None:
        """A position of so many lots, bought or sold at the average price of what is held."""
        trader = self._trader
        now_ns = trader.scheduler.now_ns
        price_ticks = round(self._recovery.entry_ticks[bridge.spec.symbol])
        name = f"carried-{bridge.spec.symbol}"
        trader.carry_position(
            OrderFilled(
                trader_id=trader.strategy.trader_id,
                strategy_id=trader.strategy.id,
                instrument_id=bridge.instrument_id,
                client_order_id=ClientOrderId(name),
                venue_order_id=VenueOrderId(name),
                account_id=trader.client.account_id,
                trade_id=TradeId(name),
                position_id=self._position_id(bridge),
                order_side=OrderSide.BUY if lots > 0 else OrderSide.SELL,
                order_type=OrderType.MARKET,
                last_qty=bridge.qty(abs(lots)),
                last_px=bridge.price(price_ticks),
                currency=bridge.quote,
                commission=bridge.money(Decimal(0), bridge.quote_asset),
                liquidity_side=LiquiditySide.TAKER,
                event_id=UUID4(),
                ts_event=now_ns,
                ts_init=now_ns,
                reconciliation=True,
            )
        )

    def _position_id(self, bridge: InstrumentBridge) -> PositionId:
        return PositionId(f"{bridge.instrument_id}-{self._trader.strategy.id}")
