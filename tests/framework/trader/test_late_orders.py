"""An order that is made late answers, at every moment, what the order answers that is made at once."""

from __future__ import annotations

from inspect import getattr_static
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.core.fsm import InvalidStateTrigger
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import LiquiditySide, OrderSide, OrderType, TimeInForce
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderPendingCancel,
    OrderRejected,
    OrderSubmitted,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    PositionId,
    StrategyId,
    TradeId,
    TraderId,
    VenueOrderId,
)
from nautilus_trader.model.orders import LimitOrder, MarketOrder, Order

from framework.execution.instruments import InstrumentBridge
from framework.messages import AddOrder
from framework.protocol import BUY
from framework.protocol import OrderType as OurType
from framework.trader.late_orders import LateOrder, PlacedOrder, Placing
from tests.simulation.stage import SPEC

BRIDGE = InstrumentBridge(SPEC, "KRAKEN")
TRADER, STRATEGY, ACCOUNT = TraderId("T-1"), StrategyId("S-1"), AccountId("KRAKEN-1")
QTY_LOTS, PRICE_TICKS = 5, 400_000
COMMAND = AddOrder(
    request_id=0,
    cl_ord_id="100000000000000001",
    symbol="BTC/USD",
    side=BUY,
    order_type=OurType.LIMIT,
    qty_lots=QTY_LOTS,
    limit_ticks=PRICE_TICKS,
    is_post_only=True,
)
ASKED = (
    "client_order_id",
    "trader_id",
    "strategy_id",
    "instrument_id",
    "venue_order_id",
    "side",
    "order_type",
    "time_in_force",
    "is_post_only",
    "is_reduce_only",
    "has_price",
    "price",
    "quantity",
    "leaves_qty",
    "filled_qty",
    "status",
    "is_closed",
    "is_open",
    "is_inflight",
    "is_canceled",
    "is_pending_cancel",
    "is_pending_update",
    "is_active_local",
)
NOTED = (OrderSubmitted, OrderAccepted, OrderPendingCancel, OrderCanceled, OrderExpired)


def _late(made: list[PlacedOrder] | None = None) -> LateOrder:
    placing = Placing(
        TRADER, STRATEGY, ACCOUNT, "events.order.S-1", lambda order: None if made is None else made.append(order)
    )
    return LateOrder(placing, COMMAND, BRIDGE, OrderSide.BUY, TimeInForce.GTC, 1)


def _at_once() -> LimitOrder:
    terms = (OrderSide.BUY, BRIDGE.qty(QTY_LOTS), BRIDGE.price(PRICE_TICKS), UUID4(), 1, TimeInForce.GTC, 0, True)
    return LimitOrder(TRADER, STRATEGY, BRIDGE.instrument_id, ClientOrderId(COMMAND.cl_ord_id), *terms)


def _event(order: Order, kind: type, number: int, lots: int, venue_id: str) -> Any:
    """What happens to an order, as the desk's client would tell it."""
    ids = (TRADER, STRATEGY, BRIDGE.instrument_id, order.client_order_id)
    venue, times = VenueOrderId(venue_id), (UUID4(), 10 + number, 20 + number)
    if kind is OrderDenied:
        return kind(*ids, "no", UUID4(), 10 + number)
    if kind is OrderSubmitted:
        return kind(*ids, ACCOUNT, *times)
    if kind is OrderRejected:
        return kind(*ids, ACCOUNT, "no", *times)
    if kind is OrderPendingCancel:
        return kind(*ids, order.venue_order_id, order.account_id, *times)
    if kind is OrderCancelRejected:
        return kind(*ids, venue, ACCOUNT, "no", *times)
    if kind is OrderUpdated:
        return kind(*ids, venue, ACCOUNT, BRIDGE.qty(QTY_LOTS + 1), BRIDGE.price(PRICE_TICKS + 1), None, *times)
    if kind is OrderFilled:
        position, trade = PositionId("P-1"), TradeId(str(number))
        sold = (BRIDGE.qty(lots), BRIDGE.price(PRICE_TICKS), BRIDGE.quote, BRIDGE.money(1, BRIDGE.quote_asset))
        return kind(
            *ids, venue, ACCOUNT, trade, position, order.side, OrderType.LIMIT, *sold, LiquiditySide.MAKER, *times
        )
    return kind(*ids, venue, ACCOUNT, *times)


def _is_applied(order: Order, event: Any) -> bool:
    """False where NautilusTrader objects."""
    try:
        order.apply(event)
    except (InvalidStateTrigger, ValueError, KeyError):
        return False
    return True


STEPS = st.lists(
    st.tuples(
        st.sampled_from((*NOTED, OrderDenied, OrderRejected, OrderCancelRejected, OrderUpdated, *[OrderFilled] * 3)),
        st.integers(1, 3),
        st.sampled_from(("O-1", "O-1", "O-1", "O-2")),
        st.booleans(),
    ),
    max_size=9,
)


@given(STEPS)
def test_it_answers_the_same_after_every_event_and_is_the_same_order_when_made(steps: list[Any]) -> None:
    usual, order = _at_once(), _late()
    for number, (kind, lots, venue_id, is_heard) in enumerate(steps):
        event = _event(usual, kind, number, lots, venue_id)
        is_fit = _is_applied(usual, event)
        if type(order) is LateOrder and kind in NOTED and not is_heard:
            known_as = None if event.venue_order_id is None else event.venue_order_id.value
            is_taken = order.note(kind, known_as, event.ts_event, event.ts_init)
        else:
            is_taken = type(order) is LateOrder and order.take(event)
        assert is_taken or _is_applied(order, event) == is_fit
        assert {name: getattr(order, name) for name in ASKED} == {name: getattr(usual, name) for name in ASKED}
    ours, theirs = order.to_dict(), usual.to_dict()
    del ours["init_id"], theirs["init_id"]
    assert ours == theirs
    assert [_told(event) for event in order.events] == [_told(event) for event in usual.events]


def _told(event: Any) -> dict[str, Any]:
    fields = {name: value for name, value in type(event).to_dict(event).items() if name not in ("event_id", "options")}
    return fields | {"kind": type(event)}


def test_the_usual_life_of_a_quote_makes_nothing() -> None:
    order = _late()
    assert order.note(OrderSubmitted, None, 2, 2)
    assert order.note(OrderAccepted, "O-1", 3, 3)
    assert order.take(_event(order, OrderFilled, 1, 2, "O-1")) if type(order) is LateOrder else False
    assert order.note(OrderPendingCancel, None, 4, 4)
    assert order.note(OrderCanceled, "O-1", 5, 5)
    assert order.is_closed
    assert type(order) is LateOrder


def _is_asked_of_orders(name: str) -> bool:
    return not name.startswith("_") and not isinstance(getattr_static(LimitOrder, name), staticmethod)


@pytest.mark.parametrize("name", sorted(set(filter(_is_asked_of_orders, dir(LimitOrder))) - set(ASKED)))
def test_any_other_question_makes_it_and_is_answered_by_the_made_order(name: str) -> None:
    made: list[PlacedOrder] = []
    order, usual = _late(made), _at_once()
    answer = getattr(order, name)
    if name not in ("init_event", "last_event", "events", "init_id") and not callable(answer):
        assert answer == getattr(usual, name)
    assert made == [order]
    assert type(order) is PlacedOrder


def test_it_equals_and_hashes_as_the_made_order_does() -> None:
    late, made = _late(), _at_once()
    market = MarketOrder(
        TRADER, STRATEGY, BRIDGE.instrument_id, ClientOrderId("2"), OrderSide.BUY, BRIDGE.qty(1), UUID4(), 0
    )
    assert late == made
    assert made == late
    assert late in [made]
    assert made in [late]
    assert {made: 1}[late] == 1
    assert late != market
    assert market != late
    assert type(late) is LateOrder
    assert repr(late).endswith(repr(made).removeprefix("LimitOrder"))
