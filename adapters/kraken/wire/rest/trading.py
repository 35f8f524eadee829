"""Orders: adding, changing, canceling. Prices and volumes are text; prices can be relative.

Sources: rest-api/add-order, add-order-batch, amend-order, edit-order, cancel-order, cancel-order-batch,
cancel-all-orders, cancel-all-orders-after.
"""

from __future__ import annotations

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.rest.envelope import Flag, PrivateRequest, Whole
from adapters.kraken.wire.rest.history import OrderDescription

__all__ = [
    "AddOrder",
    "AddOrderBatch",
    "AddOrderBatchResult",
    "AddOrderResult",
    "AmendOrder",
    "AmendOrderResult",
    "BatchOrder",
    "BatchOrderResult",
    "CancelAllOrdersAfter",
    "CancelAllOrdersAfterResult",
    "CancelOrder",
    "CancelOrderBatch",
    "CancelResult",
    "ClOrdIdReference",
    "Close",
    "EditOrder",
    "EditOrderResult",
    "TxidReference",
]


# ------------------------------------------------------------------------------------------------------------- requests


class Close(Message, frozen=True):
    """The order that each fill makes; in a form its members stand in brackets, as in ``close[price]``."""

    ordertype: Maybe[str] = UNSET
    price: Maybe[str] = UNSET
    price2: Maybe[str] = UNSET


class BatchOrder(Message, frozen=True, kw_only=True):
    """An order of a batch, which all have one pair. ``volume`` is in the base asset, with flag viqc in the quote.

    price: limit or trigger; price2: limit of triggered types. timeinforce: GTC, IOC, GTD, FOK. stptype: cancel-newest,
    cancel-oldest, cancel-both. oflags: post, fcib, fciq, nompp, viqc with commas between them. Times are ``0``,
    ``+seconds`` or seconds since 1970.
    """

    ordertype: str
    type: str
    volume: Maybe[str] = UNSET
    displayvol: Maybe[str] = UNSET
    price: Maybe[str] = UNSET
    price2: Maybe[str] = UNSET
    trigger: Maybe[str] = UNSET
    leverage: Maybe[Whole] = UNSET
    reduce_only: Maybe[Flag] = UNSET
    stptype: Maybe[str] = UNSET
    oflags: Maybe[str] = UNSET
    timeinforce: Maybe[str] = UNSET
    starttm: Maybe[Whole] = UNSET
    expiretm: Maybe[Whole] = UNSET
    close: Maybe[Close] = UNSET
    userref: Maybe[Whole] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    sender_sub_id: Maybe[str] = UNSET


class AddOrder(PrivateRequest, frozen=True, kw_only=True):
    """An order by itself; its members are those of ``BatchOrder``. ``deadline``: RFC 3339, 2 to 60 s from now."""

    pair: str
    ordertype: str
    type: str
    volume: Maybe[str] = UNSET
    displayvol: Maybe[str] = UNSET
    price: Maybe[str] = UNSET
    price2: Maybe[str] = UNSET
    trigger: Maybe[str] = UNSET
    leverage: Maybe[Whole] = UNSET
    reduce_only: Maybe[Flag] = UNSET
    stptype: Maybe[str] = UNSET
    oflags: Maybe[str] = UNSET
    timeinforce: Maybe[str] = UNSET
    starttm: Maybe[Whole] = UNSET
    expiretm: Maybe[Whole] = UNSET
    close: Maybe[Close] = UNSET
    userref: Maybe[Whole] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    sender_sub_id: Maybe[str] = UNSET
    asset_class: Maybe[str] = UNSET
    deadline: Maybe[str] = UNSET
    validate: Maybe[Flag] = UNSET
    broker: Maybe[str | None] = UNSET


class AddOrderBatch(PrivateRequest, frozen=True, kw_only=True):
    """Two to fifteen orders of one pair; only JSON carries them."""

    pair: str
    orders: list[BatchOrder]
    asset_class: Maybe[str] = UNSET
    deadline: Maybe[str] = UNSET
    validate: Maybe[Flag] = UNSET
    broker: Maybe[str | None] = UNSET


class AmendOrder(PrivateRequest, frozen=True, kw_only=True):
    """What changes in an order that keeps its id; it is named by ``txid`` or by ``cl_ord_id``."""

    txid: Maybe[str] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    order_qty: Maybe[str] = UNSET
    display_qty: Maybe[str] = UNSET
    limit_price: Maybe[str] = UNSET
    trigger_price: Maybe[str] = UNSET
    pair: Maybe[str] = UNSET
    post_only: Maybe[Flag] = UNSET
    deadline: Maybe[str] = UNSET


class EditOrder(PrivateRequest, frozen=True, kw_only=True):
    """The order that takes another's place; that one is named by its id or its user reference."""

    pair: str
    txid: Whole
    volume: Maybe[str] = UNSET
    displayvol: Maybe[str] = UNSET
    price: Maybe[str] = UNSET
    price2: Maybe[str] = UNSET
    oflags: Maybe[str] = UNSET
    userref: Maybe[Whole] = UNSET
    asset_class: Maybe[str] = UNSET
    deadline: Maybe[str] = UNSET
    cancel_response: Maybe[Flag] = UNSET
    validate: Maybe[Flag] = UNSET


class CancelOrder(PrivateRequest, frozen=True, kw_only=True):
    """An order by id, user reference (all that have it) or client order id. ``pair`` is in the example only."""

    pair: Maybe[str] = UNSET
    txid: Maybe[Whole] = UNSET
    cl_ord_id: Maybe[str] = UNSET


class TxidReference(Message, frozen=True):
    """An order by id or user reference, in the form that the schema has and the example has not."""

    txid: Whole


class ClOrdIdReference(Message, frozen=True):
    """An order by client order id, in the form that the schema has."""

    cl_ord_id: str


class CancelOrderBatch(PrivateRequest, frozen=True, kw_only=True):
    """Up to fifty orders; only JSON carries them."""

    orders: Maybe[list[Whole | TxidReference]] = UNSET
    cl_ord_ids: Maybe[list[str | ClOrdIdReference]] = UNSET


class CancelAllOrdersAfter(PrivateRequest, frozen=True, kw_only=True):
    """``timeout`` in seconds, below 86400; 0 disarms."""

    timeout: Whole


# -------------------------------------------------------------------------------------------------------------- results


class AddOrderResult(Message, frozen=True):
    """The order in words, and its id; none where it was only validated."""

    descr: OrderDescription
    txid: Maybe[list[str]] = UNSET


class BatchOrderResult(Message, frozen=True):
    """One order of a batch: its id, or an error."""

    txid: Maybe[str] = UNSET
    descr: Maybe[OrderDescription] = UNSET
    close: Maybe[str] = UNSET
    error: Maybe[str] = UNSET


class AddOrderBatchResult(Message, frozen=True):
    """The orders of a batch in their order."""

    orders: list[BatchOrderResult]


class AmendOrderResult(Message, frozen=True):
    """An amend that was taken."""

    amend_id: str


class EditOrderResult(Message, frozen=True):
    """The new order and the one that it took the place of. status: ok, err."""

    status: str
    txid: Maybe[str] = UNSET
    originaltxid: Maybe[str] = UNSET
    newuserref: Maybe[Whole] = UNSET
    olduserref: Maybe[Whole] = UNSET
    volume: Maybe[str] = UNSET
    price: Maybe[str] = UNSET
    price2: Maybe[str] = UNSET
    orders_cancelled: Maybe[int] = UNSET
    descr: Maybe[OrderDescription] = UNSET
    error_message: Maybe[str] = UNSET


class CancelResult(Message, frozen=True):
    """How many orders were canceled; ``pending``: they will be."""

    count: int
    pending: Maybe[bool] = UNSET


class CancelAllOrdersAfterResult(Message, frozen=True):
    """The engine's time and when it will cancel, RFC 3339; ``triggerTime`` is "0" when disarmed."""

    currentTime: str  # noqa: N815  the wire's name
    triggerTime: Maybe[str] = UNSET  # noqa: N815
