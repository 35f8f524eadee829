"""Orders between the two vocabularies: what is adopted says to the venue what was sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.common.component import TestClock
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.model.identifiers import StrategyId, TraderId

from framework.execution.nautilus_orders import add_order, nautilus_order
from framework.messages import AddOrder
from framework.protocol import BUY, SELL, OrderType, TimeInForce
from tests.framework.execution.test_instruments import BTC

FACTORY = OrderFactory(TraderId("TIDEGATE-001"), StrategyId("S-1"), TestClock())
LIMIT, TRIGGER = 500_000, 510_000


@pytest.mark.parametrize(
    ("order_type", "fields"),
    [
        (OrderType.LIMIT, {"limit_ticks": LIMIT}),
        (OrderType.LIMIT, {"limit_ticks": LIMIT, "is_post_only": True, "side": SELL}),
        (OrderType.LIMIT, {"limit_ticks": LIMIT, "time_in_force": TimeInForce.IOC}),
        (OrderType.LIMIT, {"limit_ticks": LIMIT, "time_in_force": TimeInForce.GTD, "expire_ns": 2 * 10**18}),
        (OrderType.LIMIT, {"limit_ticks": LIMIT, "is_reduce_only": True}),
        (OrderType.ICEBERG, {"limit_ticks": LIMIT, "display_lots": 2_000}),
        (OrderType.MARKET, {}),
        (OrderType.MARKET, {"quote_qty": Decimal("100.5"), "qty_lots": 0}),
        (OrderType.STOP_LOSS, {"trigger_ticks": TRIGGER}),
        (OrderType.STOP_LOSS_LIMIT, {"trigger_ticks": TRIGGER, "limit_ticks": LIMIT}),
        (OrderType.TAKE_PROFIT, {"trigger_ticks": TRIGGER}),
        (OrderType.TAKE_PROFIT_LIMIT, {"trigger_ticks": TRIGGER, "limit_ticks": LIMIT}),
        (OrderType.TRAILING_STOP, {"trail_offset_ticks": 100}),
        (OrderType.TRAILING_STOP, {"trail_offset_ppm": 5_000}),
        (OrderType.TRAILING_STOP_LIMIT, {"trail_offset_ticks": 100, "limit_offset_ticks": 7}),
        (OrderType.TRAILING_STOP_LIMIT, {"trail_offset_ticks": 100, "limit_offset_ticks": -7, "side": SELL}),
    ],
    ids=lambda value: value.name if isinstance(value, OrderType) else ",".join(value) or "plain",
)
def test_an_order_that_is_made_again_says_what_it_said(order_type: OrderType, fields: dict[str, Any]) -> None:
    sent = AddOrder(
        **{
            "request_id": 0,
            "cl_ord_id": "100000000000000001",
            "symbol": "BTC/USD",
            "side": BUY,
            "order_type": order_type,
            "qty_lots": 10_000,
            **fields,
        }
    )
    order = nautilus_order(FACTORY, sent, BTC)
    assert add_order(order, order.client_order_id.value, BTC) == sent
