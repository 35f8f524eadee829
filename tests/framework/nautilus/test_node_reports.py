"""NautilusTrader's reports of what a venue tells, and NautilusTrader's own orders made of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import (
    LiquiditySide,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
    TrailingOffsetType,
)
from nautilus_trader.model.identifiers import AccountId

from framework import messages
from framework.execution.instruments import InstrumentBridge
from framework.messages import ExecType, ExecutionReport, OrderState, OrderTerms
from framework.nautilus.reports import balance_report, fill_report, order_report
from framework.protocol import BUY, SELL, InstrumentSpec
from framework.protocol import OrderType as OurType
from framework.protocol import TimeInForce as OurTime

SPEC = InstrumentSpec(symbol="BTC/USD", venue="kraken", tick_size="0.1", lot_size="0.00000001")
BRIDGE = InstrumentBridge(SPEC, "KRAKEN")
ACCOUNT = AccountId("KRAKEN-001")
BTC = 10**8


def terms(**fields: Any) -> OrderTerms:
    given = {"time_in_force": OurTime.GTC, "is_post_only": False, "avg_price": None, "ts_opened_ns": 10}
    return OrderTerms(**{**given, "ts_ended_ns": None, **fields})


def status(**fields: Any) -> messages.OrderStatus:
    given: dict[str, Any] = {
        "state": OrderState.NEW,
        "order_id": "OABCDE-FGHIJ-KLMNOP",
        "cl_ord_id": "mine",
        "symbol": "BTC/USD",
        "side": BUY,
        "order_type": OurType.LIMIT,
        "qty_lots": 2 * BTC,
        "cum_lots": 0,
        "limit_ticks": 1_000,
        "terms": terms(),
    }
    return messages.OrderStatus(**{**given, **fields})


def report(told: messages.OrderStatus, ts_last_ns: int = 0) -> Any:
    return order_report(told, BRIDGE, ACCOUNT, ts_last_ns, 99)


def test_an_open_order_is_reported_exactly() -> None:
    made = report(status(terms=terms(is_post_only=True)))
    assert (made.order_status, made.order_side, made.order_type) == (
        OrderStatus.ACCEPTED,
        OrderSide.BUY,
        OrderType.LIMIT,
    )
    assert (made.quantity.as_decimal(), made.price.as_decimal()) == (Decimal(2), Decimal("100.0"))
    assert (made.client_order_id.value, made.venue_order_id.value) == ("mine", "OABCDE-FGHIJ-KLMNOP")
    assert (made.post_only, made.ts_accepted, made.ts_last, made.is_open) == (True, 10, 10, True)


def test_an_order_that_nobody_named_has_the_venues_id() -> None:
    assert report(status(cl_ord_id="")).client_order_id.value == "OABCDE-FGHIJ-KLMNOP"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (OrderState.PARTIALLY_FILLED, OrderStatus.PARTIALLY_FILLED),
        (OrderState.FILLED, OrderStatus.FILLED),
        (OrderState.CANCELED, OrderStatus.CANCELED),
        (OrderState.EXPIRED, OrderStatus.EXPIRED),
    ],
)
def test_each_state_has_its_word(state: OrderState, told: OrderStatus) -> None:
    ended = terms(avg_price=Decimal("100.05"), ts_ended_ns=30, time_in_force=OurTime.IOC)
    made = report(status(state=state, cum_lots=BTC, terms=ended), ts_last_ns=20)
    assert (made.order_status, made.filled_qty.as_decimal(), made.avg_px) == (told, Decimal(1), Decimal("100.05"))
    assert (made.ts_last, made.time_in_force) == (30, TimeInForce.IOC)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (OurType.STOP_LOSS, OrderType.STOP_MARKET),
        (OurType.TAKE_PROFIT, OrderType.MARKET_IF_TOUCHED),
        (OurType.STOP_LOSS_LIMIT, OrderType.STOP_LIMIT),
        (OurType.TAKE_PROFIT_LIMIT, OrderType.LIMIT_IF_TOUCHED),
    ],
)
def test_stops_have_their_triggers(ours: OurType, theirs: OrderType) -> None:
    made = report(status(order_type=ours, trigger_ticks=990))
    assert (made.order_type, made.trigger_price.as_decimal()) == (theirs, Decimal("99.0"))
    assert (made.price is not None) == (theirs in (OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED))


def test_an_iceberg_is_a_limit_order_that_shows_a_part() -> None:
    made = report(status(order_type=OurType.ICEBERG, display_lots=BTC // 5))
    assert (made.order_type, made.display_qty.as_decimal()) == (OrderType.LIMIT, Decimal("0.2"))


def test_trailing_orders_have_their_distances() -> None:
    by_ticks = report(
        status(
            order_type=OurType.TRAILING_STOP_LIMIT,
            side=SELL,
            trigger_ticks=990,
            terms=terms(trail_offset_ticks=25, limit_offset_ticks=-5),
        )
    )
    assert (by_ticks.trailing_offset, by_ticks.trailing_offset_type) == (Decimal(25), TrailingOffsetType.TICKS)
    assert by_ticks.limit_offset == Decimal(5)
    by_share = report(status(order_type=OurType.TRAILING_STOP, terms=terms(trail_offset_ppm=50_000)))
    assert (by_share.trailing_offset, by_share.trailing_offset_type) == (
        Decimal(500),
        TrailingOffsetType.BASIS_POINTS,
    )


@pytest.mark.parametrize(
    "told",
    [status(qty_lots=0), status(order_type=OurType.TRAILING_STOP)],
)
def test_what_nautilus_has_no_word_for_is_an_error(told: messages.OrderStatus) -> None:
    with pytest.raises(ValueError, match="not known"):
        report(told)


def test_a_fill_is_reported_with_its_fee() -> None:
    trade = ExecutionReport(
        ts_venue_ns=20,
        exec_type=ExecType.TRADE,
        state=OrderState.FILLED,
        order_id="O1",
        cl_ord_id="mine",
        symbol="BTC/USD",
        side=SELL,
        order_type=OurType.LIMIT,
        qty_lots=BTC,
        leaves_lots=0,
        cum_lots=BTC,
        last_lots=BTC,
        last_ticks=1_001,
        exec_id="T1",
        is_maker=True,
        fee=Decimal("0.02503"),
        fee_asset="USD",
    )
    made = fill_report(trade, BRIDGE, ACCOUNT, 99)
    assert (made.trade_id.value, made.last_px.as_decimal(), made.order_side) == ("T1", Decimal("100.1"), OrderSide.SELL)
    assert made.commission.as_decimal() == Decimal("0.02503")
    assert (made.liquidity_side, made.ts_event) == (LiquiditySide.MAKER, 20)


@pytest.mark.parametrize(
    ("amount", "side", "qty"),
    [("1.5", PositionSide.LONG, "1.5"), ("0.0000000099", PositionSide.FLAT, "0"), ("-1", PositionSide.FLAT, "0")],
)
def test_a_balance_is_a_position_of_whole_lots(amount: str, side: PositionSide, qty: str) -> None:
    made = balance_report(BRIDGE, {"BTC": Decimal(amount)}, ACCOUNT, 5)
    assert (made.position_side, made.quantity.as_decimal()) == (side, Decimal(qty))
