"""Prices and quantities beyond what the kernel can hold are refused, and leave nothing behind."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapters.kraken.errors import ERROR_TEXTS
from framework.messages import EditOrder
from framework.protocol import BUY, SELL, OrderType, RejectReason
from tests.framework.venue.venue_rig import Rig, touch

HUGE = 10**30


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"limit_ticks": HUGE}, RejectReason.INVALID_PRICE),
        ({"limit_ticks": 2**40 + 1}, RejectReason.INVALID_PRICE),
        ({"qty_lots": HUGE, "limit_ticks": 1000}, RejectReason.INVALID_ARGUMENTS),
        ({"order_type": OrderType.STOP_LOSS, "trigger_ticks": HUGE}, RejectReason.INVALID_PRICE),
        ({"order_type": OrderType.TRAILING_STOP, "trail_offset_ticks": HUGE}, RejectReason.INVALID_PRICE),
        ({"order_type": OrderType.TRAILING_STOP, "trail_offset_ppm": HUGE}, RejectReason.INVALID_PRICE),
        (
            {"order_type": OrderType.TRAILING_STOP_LIMIT, "trail_offset_ticks": 5, "limit_offset_ticks": -HUGE},
            RejectReason.INVALID_PRICE,
        ),
        (
            {"order_type": OrderType.ICEBERG, "limit_ticks": 1000, "display_lots": HUGE},
            RejectReason.INVALID_DISPLAY_QTY,
        ),
        (
            {"order_type": OrderType.MARKET, "side": BUY, "qty_lots": 0, "quote_qty": Decimal(HUGE)},
            RejectReason.INVALID_ARGUMENTS,
        ),
    ],
)
def test_an_order_beyond_all_markets_is_refused(fields: dict[str, Any], reason: RejectReason) -> None:
    rig = Rig(touch())
    assert rig.refused_add(**{"side": SELL, **fields}) == ERROR_TEXTS[reason]
    rig.venue.check_invariants()


@pytest.mark.parametrize("change", [{"limit_ticks": HUGE}, {"qty_lots": HUGE}])
def test_a_change_beyond_all_markets_is_refused(change: dict[str, int]) -> None:
    rig = Rig(touch())
    order = rig.add(side=SELL, limit_ticks=1005)
    rig.refused_amend(order, **change)
    rig.refused("rest", EditOrder(request_id=rig.next_id(), order_id=order.order_id, **change))
    assert (order.limit_ticks, order.is_open) == (1005, True)
    rig.venue.check_invariants()
