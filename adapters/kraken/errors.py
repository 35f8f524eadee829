"""Errors of the Kraken adapter, and Kraken's own words for refusals.

::

    TidegateError          (framework)
    └── KrakenError
        └── SymbolError    a pair or asset name that is not Kraken's, or is not one of the known pairs

A refusal by Kraken is not an exception but a report; ``ERROR_TEXTS`` has the text for each reason and
``reject_reason`` reads one back.
"""

from __future__ import annotations

from functools import lru_cache

from framework.errors import TidegateError
from framework.protocol import RejectReason

__all__ = ["ERROR_SOURCES", "ERROR_TEXTS", "KrakenError", "SymbolError", "reject_reason"]


class KrakenError(TidegateError):
    """Root of all errors that the adapter raises on purpose."""


class SymbolError(KrakenError):
    """A pair or asset name that is not Kraken's, or is not one of the known pairs; the text names it and the remedy."""


_R = RejectReason

ERROR_TEXTS: dict[RejectReason, str] = {
    _R.UNKNOWN_ORDER: "EOrder:Unknown order",
    _R.ORDER_NOT_OPEN: "EOrder:Invalid order",
    _R.UNKNOWN_SYMBOL: "EQuery:Unknown asset pair",
    _R.NOT_SUPPORTED: "EGeneral:Unknown method",
    _R.INVALID_ARGUMENTS: "EGeneral:Invalid arguments",
    _R.NO_AMENDABLE: "EOrder:No amendable parameters specified",
    _R.NOT_EDITABLE: "EGeneral:Invalid arguments:edit",
    _R.DUPLICATE_CL_ORD_ID: "EGeneral:Invalid arguments:cl_ord_id",
    _R.ORDER_MINIMUM: "EOrder:Order minimum not met",
    _R.COST_MINIMUM: "EOrder:Cost minimum not met",
    _R.TICK_SIZE: "EOrder:Tick size check failed",
    _R.INVALID_PRICE: "EOrder:Invalid price",
    _R.INVALID_DISPLAY_QTY: "EGeneral:Invalid arguments:displayvol",
    _R.INDEX_UNAVAILABLE: "EGeneral:Invalid arguments:Index unavailable",
    _R.INSUFFICIENT_FUNDS: "EOrder:Insufficient funds",
    _R.INSUFFICIENT_MARGIN: "EOrder:Insufficient margin",
    _R.INSUFFICIENT_INITIAL_MARGIN: "EOrder:Insufficient initial margin",
    _R.MARGIN_LEVEL: "EOrder:Margin level too low",
    _R.MARGIN_ALLOWANCE: "EOrder:Margin allowance exceeded",
    _R.POSITION_SIZE: "EOrder:Margin position size exceeded",
    _R.CANNOT_OPEN_POSITION: "EOrder:Cannot open position",
    _R.CANNOT_OPEN_OPPOSING: "EOrder:Cannot open opposing position",
    _R.UNKNOWN_POSITION: "EOrder:Unknown position",
    _R.INVALID_LEVERAGE: "EGeneral:Invalid arguments:leverage",
    _R.PERMISSION_DENIED: "EGeneral:Permission denied",
    _R.REDUCE_ONLY_NO_POSITION: "EOrder:Reduce only:No position exists",
    _R.REDUCE_ONLY_CLOSED: "EOrder:Reduce only:Position is closed",
    _R.RATE_LIMIT: "EOrder:Rate limit exceeded",
    _R.CALL_LIMIT: "EAPI:Rate limit exceeded",
    _R.ORDERS_LIMIT: "EOrder:Orders limit exceeded",
    _R.SCHEDULED_ORDERS_LIMIT: "EOrder:Scheduled orders limit exceeded",
    _R.TIMEOUT_ABOVE_MAX: "EGeneral:Invalid timeout argument:above max",
    _R.DEADLINE: "EService:Deadline elapsed",
    _R.INVALID_DEADLINE: "EGeneral:Invalid arguments:deadline",
    _R.MODE_CANCEL_ONLY: "EService:Market in cancel_only mode",
    _R.MODE_POST_ONLY: "EService:Market in post_only mode",
    _R.MODE_LIMIT_ONLY: "EService:Market in limit_only mode",
    _R.MODE_REDUCE_ONLY: "EService:Market in reduce_only mode",
    _R.MODE_MAINTENANCE: "EService:Unavailable",
    _R.NO_SESSION: "ESession:Invalid session",
    _R.INTERNAL: "EGeneral:Internal error",
    _R.USER_REQUESTED: "User requested",
    _R.POST_ONLY: "EOrder:Post only order",
    _R.SELF_TRADE: "Cannot trade with self",
    _R.WOULD_TRIGGER: "Order would trigger immediately",
    _R.IOC_REMAINDER: "Immediate or cancel: remainder canceled",
    _R.FOK_UNFILLED: "Fill or kill: not fillable in full",
    _R.MARKET_REMAINDER: "Market order: no more liquidity",
    _R.AMENDED_TO_FILLED: "User requested",
    _R.EDITED: "User requested",
    _R.CANCEL_ON_DISCONNECT: "Cancel on disconnect",
    _R.CANCEL_AFTER_EXPIRED: "User requested",
    _R.EXPIRED: "",
    _R.LIQUIDATED: "Liquidated",
}

_ERRORS_PAGE = "guides/spot-errors"
_BY_ANALOGY = "rest-api/get-tradable-asset-pairs names the mode; text by analogy with guides/spot-errors"
_NO_TEXT = "assumption: no page publishes a text for this case; the wording is ours"
_AS_CANCEL = "assumption: seen on the private feeds like a user's cancel; no page enumerates the reasons"

ERROR_SOURCES: dict[str, str] = {
    "errors": _ERRORS_PAGE,
    "errors.unknown_order": "websocket-v1/cancelorder",
    "errors.order_not_open": "observed from the live service for orders already ended; see switch unknown_order_text",
    "errors.unknown_symbol": "rest-api/add-order; observed text",
    "errors.not_supported": "observed from the live service for an unknown method",
    "errors.insufficient_initial_margin": "observed from the live service",
    "errors.invalid_leverage": "rest-api/add-order states the rule; assumption: the text is not published",
    "errors.liquidated": _NO_TEXT,
    "errors.no_amendable": "observed from the live service; rest-api/amend-order names no text",
    "errors.not_editable": _NO_TEXT,
    "errors.duplicate_cl_ord_id": "guides/spot-clordid states the rule; assumption: the text is not published",
    "errors.invalid_display_qty": "guides/spot-amends states the rule; assumption: the text is not published",
    "errors.call_limit": "guides/spot-rest-ratelimits",
    "errors.rate_limit": "guides/spot-ratelimits",
    "errors.orders_limit": "guides/spot-ratelimits",
    "errors.timeout_above_max": "observed from the live service; websocket-v2/cancel_after states the maximum",
    "errors.invalid_deadline": "websocket-v2/add_order states the range; assumption: the text is not published",
    "errors.mode_limit_only": _BY_ANALOGY,
    "errors.mode_reduce_only": _BY_ANALOGY,
    "errors.no_session": "observed from the live service for a stale WebSocket token",
    "errors.user_requested": "rest-api/get-closed-orders",
    "errors.post_only": "observed from the live service; rest-api/add-order states the rule",
    "errors.self_trade": "observed from the live service; rest-api/add-order states the rule",
    "errors.would_trigger": "observed from the live service",
    "errors.ioc_remainder": _NO_TEXT,
    "errors.fok_unfilled": _NO_TEXT,
    "errors.market_remainder": _NO_TEXT,
    "errors.amended_to_filled": "guides/spot-amends states the rule; assumption: text as for a user's cancel",
    "errors.edited": _AS_CANCEL,
    "errors.cancel_on_disconnect": _NO_TEXT,
    "errors.cancel_after_expired": _AS_CANCEL,
    "errors.expired": "observed from the live service: expired orders carry no reason",
}

# Longer texts first, so that "EGeneral:Invalid arguments:deadline" is not read as "EGeneral:Invalid arguments". Where
# several reasons share a text the first of the enumeration is meant.
_BY_TEXT: tuple[tuple[str, RejectReason], ...] = tuple(
    sorted(
        {text: reason for reason, text in reversed(ERROR_TEXTS.items()) if text}.items(),
        key=lambda item: (-len(item[0]), item[0]),
    )
)


# A venue says the same few texts again and again.
@lru_cache(maxsize=1_024)
def reject_reason(text: str) -> RejectReason | None:
    """What a text of Kraken's means; None if it is not known.

    Details after the known text are ignored (``EOrder:Invalid price:Invalid price argument.``), and so is a client
    order id before it, which FIX put there once (``1767225600000001 : EOrder:Insufficient funds``).
    Where several reasons share one text the most general is returned ("User requested": USER_REQUESTED).
    """
    for known, reason in _BY_TEXT:
        if text == known or text.startswith(known + ":") or text.endswith(f" : {known}"):
            return reason
    return None
