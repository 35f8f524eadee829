"""What the venue answers: one answer to each request, and one for each symbol or order that a request names.

Sources: websocket-v2/add_order, amend_order, edit_order, cancel_order, cancel_all, cancel_after, batch_add,
batch_cancel, ping, and the acknowledgements of each channel. Members that no page has and the live service sends:
``symbol`` and ``status`` beside an error, ``orders_cancelled`` in place of a count, ``error`` in a row of a batch.
"""

from __future__ import annotations

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message

__all__ = [
    "AddOrderResponse",
    "AddOrderResult",
    "AmendOrderResponse",
    "AmendOrderResult",
    "BatchAddResponse",
    "BatchCancelResponse",
    "CancelAllOrdersAfterResponse",
    "CancelAllOrdersAfterResult",
    "CancelAllResponse",
    "CancelOrderResponse",
    "CancelOrderResult",
    "CountResult",
    "EditOrderResponse",
    "EditOrderResult",
    "ErrorResponse",
    "Pong",
    "Response",
    "SubscribeResponse",
    "SubscriptionResult",
    "UnsubscribeResponse",
]


# -------------------------------------------------------------------------------------------------------------- results


class AddOrderResult(Message, frozen=True):
    """An order that was taken; in a batch also one that was refused, which has an ``error`` and no id."""

    order_id: Maybe[str] = UNSET
    order_userref: Maybe[int] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    error: Maybe[str] = UNSET
    warnings: Maybe[list[str]] = UNSET


class AmendOrderResult(Message, frozen=True):
    """An amend that was taken; of the order's names the one that the request had."""

    amend_id: str
    order_id: Maybe[str] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    warnings: Maybe[list[str]] = UNSET


class EditOrderResult(Message, frozen=True):
    """The new order and the one that it took the place of."""

    order_id: str
    original_order_id: str
    warnings: Maybe[list[str]] = UNSET


class CancelOrderResult(Message, frozen=True):
    """One canceled order, by the name that the request had for it."""

    order_id: Maybe[str] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    order_userref: Maybe[int] = UNSET
    warnings: Maybe[list[str]] = UNSET


class CountResult(Message, frozen=True):
    """How many orders were canceled."""

    count: int
    warnings: Maybe[list[str]] = UNSET


class CancelAllOrdersAfterResult(Message, frozen=True):
    """The engine's time and when it will cancel, RFC 3339; ``triggerTime`` is "0" or absent when disarmed."""

    currentTime: str  # noqa: N815  the wire's name
    triggerTime: Maybe[str] = UNSET  # noqa: N815
    warnings: Maybe[list[str]] = UNSET


class SubscriptionResult(Message, frozen=True):
    """What was subscribed, with the options in force. ``maxratecount``: the account's limit of the rate counter."""

    channel: str
    depth: Maybe[int] = UNSET
    interval: Maybe[int] = UNSET
    event_trigger: Maybe[str] = UNSET
    maxratecount: Maybe[int] = UNSET
    snap_orders: Maybe[bool] = UNSET
    snap_trades: Maybe[bool] = UNSET
    snapshot: Maybe[bool] = UNSET
    symbol: Maybe[str] = UNSET
    warnings: Maybe[list[str]] = UNSET


class PongResult(Message, frozen=True):
    """Nothing but warnings."""

    warnings: Maybe[list[str]] = UNSET


# -------------------------------------------------------------------------------------------------------------- answers


class _Response(Message, frozen=True, tag_field="method"):
    """An answer: a result if ``success``, else an ``error``. Times are the venue's, RFC 3339 with microseconds."""


class AddOrderResponse(_Response, frozen=True, tag="add_order"):
    """Answer to ``AddOrder``."""

    req_id: Maybe[int] = UNSET
    result: Maybe[AddOrderResult] = UNSET
    error: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


class AmendOrderResponse(_Response, frozen=True, tag="amend_order"):
    """Answer to ``AmendOrder``."""

    req_id: Maybe[int] = UNSET
    result: Maybe[AmendOrderResult] = UNSET
    error: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


class EditOrderResponse(_Response, frozen=True, tag="edit_order"):
    """Answer to ``EditOrder``."""

    req_id: Maybe[int] = UNSET
    result: Maybe[EditOrderResult] = UNSET
    error: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


class CancelOrderResponse(_Response, frozen=True, tag="cancel_order"):
    """Answer to one name of a ``CancelOrder``; a refusal can say which beside its error."""

    req_id: Maybe[int] = UNSET
    result: Maybe[CancelOrderResult] = UNSET
    error: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    order_id: Maybe[str] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    order_userref: Maybe[int] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


class CancelAllResponse(_Response, frozen=True, tag="cancel_all"):
    """Answer to ``CancelAll``."""

    req_id: Maybe[int] = UNSET
    result: Maybe[CountResult] = UNSET
    error: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


class CancelAllOrdersAfterResponse(_Response, frozen=True, tag="cancel_all_orders_after"):
    """Answer to ``CancelAllOrdersAfter``."""

    req_id: Maybe[int] = UNSET
    result: Maybe[CancelAllOrdersAfterResult] = UNSET
    error: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


class BatchAddResponse(_Response, frozen=True, tag="batch_add"):
    """Answer to ``BatchAdd``, a row for each order in its order; null where the whole batch was refused."""

    req_id: Maybe[int] = UNSET
    result: Maybe[list[AddOrderResult] | None] = UNSET
    error: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


class BatchCancelResponse(_Response, frozen=True, tag="batch_cancel"):
    """Answer to ``BatchCancel``."""

    req_id: Maybe[int] = UNSET
    result: Maybe[CountResult] = UNSET
    orders_cancelled: Maybe[int] = UNSET
    error: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


class SubscribeResponse(_Response, frozen=True, tag="subscribe"):
    """Answer to one symbol of a ``Subscribe``, or to a channel without symbols."""

    req_id: Maybe[int] = UNSET
    result: Maybe[SubscriptionResult] = UNSET
    error: Maybe[str] = UNSET
    status: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    symbol: Maybe[str] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


class UnsubscribeResponse(_Response, frozen=True, tag="unsubscribe"):
    """Answer to one symbol of an ``Unsubscribe``, or to a channel without symbols."""

    req_id: Maybe[int] = UNSET
    result: Maybe[SubscriptionResult] = UNSET
    error: Maybe[str] = UNSET
    status: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    symbol: Maybe[str] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


class Pong(_Response, frozen=True, tag="pong"):
    """Answer to ``Ping``."""

    req_id: Maybe[int] = UNSET
    result: Maybe[PongResult] = UNSET
    error: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


class ErrorResponse(Message, frozen=True):
    """Answer to what the venue could not read as a request: its method is no method, or is not there."""

    error: str
    method: Maybe[str] = UNSET
    req_id: Maybe[int] = UNSET
    status: Maybe[str] = UNSET
    success: Maybe[bool] = UNSET
    time_in: Maybe[str] = UNSET
    time_out: Maybe[str] = UNSET


type Response = (
    AddOrderResponse
    | AmendOrderResponse
    | EditOrderResponse
    | CancelOrderResponse
    | CancelAllResponse
    | CancelAllOrdersAfterResponse
    | BatchAddResponse
    | BatchCancelResponse
    | SubscribeResponse
    | UnsubscribeResponse
    | Pong
    | ErrorResponse
)
