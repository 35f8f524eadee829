"""Prices of an order as REST and WebSocket v1 show it: ``price`` and ``price2`` mean something else for each type.

Sources: rest-api/get-open-orders, websocket-v1/openorders.
"""

from __future__ import annotations

from adapters.kraken.client.instruments import Instrument
from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.rest import history
from adapters.kraken.wire.ws1.account import OpenOrder, OrderDescription
from framework.protocol import OrderType

__all__ = ["shown_prices"]

_PRICED = (OrderType.LIMIT, OrderType.ICEBERG)
_TRIGGERED = (OrderType.STOP_LOSS, OrderType.TAKE_PROFIT)
_TRIGGERED_LIMIT = (OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT)


def shown_prices(
    row: history.Order | OpenOrder,
    descr: history.OrderDescription | OrderDescription,
    kind: OrderType,
    instrument: Instrument,
) -> tuple[int | None, int | None]:
    """Limit and trigger of an order; of a trailing one they are where they stand, in members of their own."""
    price, price2 = _text(descr.price), _text(descr.price2)
    if kind in _PRICED:
        return _ticks(price, instrument), None
    if kind in _TRIGGERED:
        return None, _ticks(price, instrument)
    if kind in _TRIGGERED_LIMIT:
        return _ticks(price2, instrument), _ticks(price, instrument)
    if kind is OrderType.MARKET:
        return None, None
    return _ticks(_text(row.limitprice), instrument), _ticks(_text(row.stopprice), instrument)


def _ticks(text: str, instrument: Instrument) -> int | None:
    if text[:1] in "+-#" or text.endswith("%"):
        return None
    return instrument.ticks(text) or None


def _text(value: Maybe[str | None]) -> str:
    return value if isinstance(value, str) else "0"
