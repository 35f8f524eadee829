"""Kraken's words for the framework's terms, the same at both ends: order types, sides, times in force, modes.

Sources: rest-api/add-order, websocket-v2/add_order, fix-api/nos-fix, rest-api/get-system-status.
"""

from __future__ import annotations

from collections.abc import Mapping

from framework.protocol import BUY, SELL, OrderType, StpMode, TimeInForce, VenueMode

__all__ = [
    "FIX_STP_WORDS",
    "FIX_TIMES",
    "FIX_TIME_WORDS",
    "FIX_TYPES",
    "FIX_TYPE_WORDS",
    "MODES",
    "ORDER_TYPES",
    "SIDES",
    "SIDE_WORDS",
    "STP_WORDS",
    "TIMES",
    "TIME_WORDS",
    "TYPE_WORDS",
]

ORDER_TYPES: Mapping[str, OrderType] = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "iceberg": OrderType.ICEBERG,
    "stop-loss": OrderType.STOP_LOSS,
    "stop-loss-limit": OrderType.STOP_LOSS_LIMIT,
    "take-profit": OrderType.TAKE_PROFIT,
    "take-profit-limit": OrderType.TAKE_PROFIT_LIMIT,
    "trailing-stop": OrderType.TRAILING_STOP,
    "trailing-stop-limit": OrderType.TRAILING_STOP_LIMIT,
    "settle-position": OrderType.SETTLE_POSITION,
}
TYPE_WORDS = {kind: word for word, kind in ORDER_TYPES.items()}

SIDES: Mapping[str, int] = {"buy": BUY, "sell": SELL}
SIDE_WORDS = {BUY: "buy", SELL: "sell"}

TIMES: Mapping[str, TimeInForce] = {
    "gtc": TimeInForce.GTC,
    "gtd": TimeInForce.GTD,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
}
TIME_WORDS = {time: word for word, time in TIMES.items()}

# As REST writes them; WebSocket v2 has an underscore for the hyphen.
STP_WORDS = {
    StpMode.CANCEL_NEWEST: "cancel-newest",
    StpMode.CANCEL_OLDEST: "cancel-oldest",
    StpMode.CANCEL_BOTH: "cancel-both",
}

# An iceberg is a limit order with a displayed quantity.
FIX_TYPES: Mapping[str, OrderType] = {
    "1": OrderType.MARKET,
    "2": OrderType.LIMIT,
    "3": OrderType.STOP_LOSS,
    "4": OrderType.STOP_LOSS_LIMIT,
    "R": OrderType.TAKE_PROFIT,
    "T": OrderType.TAKE_PROFIT_LIMIT,
    "U": OrderType.TRAILING_STOP,
    "V": OrderType.TRAILING_STOP_LIMIT,
}
FIX_TYPE_WORDS = {kind: word for word, kind in FIX_TYPES.items()} | {OrderType.ICEBERG: "2"}
FIX_TIMES: Mapping[str, TimeInForce] = {
    "1": TimeInForce.GTC,
    "3": TimeInForce.IOC,
    "4": TimeInForce.FOK,
    "6": TimeInForce.GTD,
}
FIX_TIME_WORDS = {time: word for word, time in FIX_TIMES.items()}
FIX_STP_WORDS = {StpMode.CANCEL_BOTH: 0, StpMode.CANCEL_NEWEST: 1, StpMode.CANCEL_OLDEST: 2}

MODES: Mapping[str, VenueMode] = {mode.name.lower(): mode for mode in VenueMode}
