"""What a client sends: orders and subscriptions.

Sources: websocket-v2/add_order, amend_order, edit_order, cancel_order, cancel_all, cancel_after, batch_add,
batch_cancel, ping, and the subscribe and unsubscribe of each channel.
"""

from __future__ import annotations

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.number import Number

__all__ = [
    "AddOrder",
    "AddOrderParams",
    "AmendOrder",
    "AmendOrderParams",
    "BatchAdd",
    "BatchAddParams",
    "BatchCancel",
    "BatchCancelParams",
    "BatchOrder",
    "CancelAll",
    "CancelAllOrdersAfter",
    "CancelAllOrdersAfterParams",
    "CancelAllParams",
    "CancelOrder",
    "CancelOrderParams",
    "Conditional",
    "EditOrder",
    "EditOrderParams",
    "Ping",
    "Request",
    "Subscribe",
    "Subscription",
    "Triggers",
    "Unsubscribe",
]


# ------------------------------------------------------------------------------------------------------ parts of orders


class Triggers(Message, frozen=True):
    """When an order starts: reference is last or index; price_type static, pct or quote."""

    reference: Maybe[str] = UNSET
    price: Maybe[Number] = UNSET
    price_type: Maybe[str] = UNSET


class Conditional(Message, frozen=True):
    """The order that each fill of its parent makes. ``stop_price`` is the old name of ``trigger_price``."""

    order_type: Maybe[str] = UNSET
    trigger_price: Maybe[Number] = UNSET
    trigger_price_type: Maybe[str] = UNSET
    limit_price: Maybe[Number] = UNSET
    limit_price_type: Maybe[str] = UNSET
    stop_price: Maybe[Number] = UNSET


class BatchOrder(Message, frozen=True):
    """An order of a batch, which all have one symbol.

    Quantities are in the base asset, ``cash_order_qty`` is in the quote asset.
    order_type: limit, market, iceberg, stop-loss, stop-loss-limit, take-profit, take-profit-limit, trailing-stop,
    trailing-stop-limit, settle-position. time_in_force: gtc, gtd, ioc, fok. stp_type: cancel_newest, cancel_oldest,
    cancel_both. fee_preference: base, quote. Times are RFC 3339. ``stop_price``, ``trigger`` and ``no_mpp`` are
    deprecated.
    """

    order_type: str
    side: str
    order_qty: Maybe[Number] = UNSET
    cash_order_qty: Maybe[Number] = UNSET
    limit_price: Maybe[Number] = UNSET
    limit_price_type: Maybe[str] = UNSET
    triggers: Maybe[Triggers] = UNSET
    time_in_force: Maybe[str] = UNSET
    margin: Maybe[bool] = UNSET
    post_only: Maybe[bool] = UNSET
    reduce_only: Maybe[bool] = UNSET
    effective_time: Maybe[str] = UNSET
    expire_time: Maybe[str] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    order_userref: Maybe[int] = UNSET
    conditional: Maybe[Conditional] = UNSET
    display_qty: Maybe[Number] = UNSET
    fee_preference: Maybe[str] = UNSET
    no_mpp: Maybe[bool] = UNSET
    stp_type: Maybe[str] = UNSET
    sender_sub_id: Maybe[str] = UNSET
    stop_price: Maybe[Number] = UNSET
    trigger: Maybe[str] = UNSET


class AddOrderParams(BatchOrder, frozen=True):
    """An order by itself. ``deadline``: RFC 3339 with milliseconds, 0.5 to 60 s from now."""

    symbol: Maybe[str] = UNSET
    deadline: Maybe[str] = UNSET
    validate: Maybe[bool] = UNSET
    token: Maybe[Token] = UNSET


class AmendOrderParams(Message, frozen=True):
    """What changes in an order that keeps its id; it is named by ``order_id`` or by ``cl_ord_id``."""

    order_id: Maybe[str] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    limit_price: Maybe[Number] = UNSET
    limit_price_type: Maybe[str] = UNSET
    order_qty: Maybe[Number] = UNSET
    display_qty: Maybe[Number] = UNSET
    trigger_price: Maybe[Number] = UNSET
    trigger_price_type: Maybe[str] = UNSET
    deadline: Maybe[str] = UNSET
    post_only: Maybe[bool] = UNSET
    symbol: Maybe[str] = UNSET
    token: Maybe[Token] = UNSET


class EditOrderParams(Message, frozen=True):
    """The order that takes another's place. ``price``, ``trigger`` and ``stop_price`` are deprecated."""

    order_id: Maybe[str] = UNSET
    order_qty: Maybe[Number] = UNSET
    symbol: Maybe[str] = UNSET
    limit_price: Maybe[Number] = UNSET
    display_qty: Maybe[Number] = UNSET
    triggers: Maybe[Triggers] = UNSET
    post_only: Maybe[bool] = UNSET
    reduce_only: Maybe[bool] = UNSET
    fee_preference: Maybe[str] = UNSET
    order_userref: Maybe[int] = UNSET
    deadline: Maybe[str] = UNSET
    validate: Maybe[bool] = UNSET
    no_mpp: Maybe[bool] = UNSET
    price: Maybe[Number] = UNSET
    trigger: Maybe[str] = UNSET
    stop_price: Maybe[Number] = UNSET
    token: Maybe[Token] = UNSET


class CancelOrderParams(Message, frozen=True):
    """The orders to cancel, by any of their names; each is answered by itself."""

    order_id: Maybe[list[str]] = UNSET
    cl_ord_id: Maybe[list[str]] = UNSET
    order_userref: Maybe[list[int]] = UNSET
    token: Maybe[Token] = UNSET


class CancelAllParams(Message, frozen=True):
    """All orders of the token's account."""

    token: Maybe[Token] = UNSET


class CancelAllOrdersAfterParams(Message, frozen=True):
    """``timeout`` in seconds, below 86400; 0 disarms."""

    timeout: int
    token: Maybe[Token] = UNSET


class BatchAddParams(Message, frozen=True):
    """Two to fifteen orders of one pair."""

    orders: list[BatchOrder]
    symbol: Maybe[str] = UNSET
    deadline: Maybe[str] = UNSET
    validate: Maybe[bool] = UNSET
    token: Maybe[Token] = UNSET


class BatchCancelParams(Message, frozen=True):
    """Two to fifty orders, by order id or user reference (as text), and by client order id."""

    orders: Maybe[list[str]] = UNSET
    cl_ord_id: Maybe[list[str]] = UNSET
    token: Maybe[Token] = UNSET


class Subscription(Message, frozen=True):
    """A channel and its options; each channel has its own of them.

    depth: book, level3. interval: ohlc, in minutes. event_trigger: ticker (bbo, trades). snap_orders to
    snapshot_trades: executions. include_tokenized_assets, execution_venue: instrument. rebased, users: executions,
    balances.
    """

    channel: str
    symbol: Maybe[list[str]] = UNSET
    depth: Maybe[int] = UNSET
    interval: Maybe[int] = UNSET
    event_trigger: Maybe[str] = UNSET
    snapshot: Maybe[bool] = UNSET
    token: Maybe[Token] = UNSET
    snap_orders: Maybe[bool] = UNSET
    snap_trades: Maybe[bool] = UNSET
    order_status: Maybe[bool] = UNSET
    ratecounter: Maybe[bool] = UNSET
    snapshot_trades: Maybe[bool] = UNSET
    rebased: Maybe[bool] = UNSET
    users: Maybe[str] = UNSET
    include_tokenized_assets: Maybe[bool] = UNSET
    execution_venue: Maybe[str] = UNSET


# ------------------------------------------------------------------------------------------------------------- requests


class _Request(Message, frozen=True, tag_field="method"):
    """A request; its answer repeats ``req_id``."""


class AddOrder(_Request, frozen=True, tag="add_order"):
    """Adds an order."""

    params: AddOrderParams
    req_id: Maybe[int] = UNSET


class AmendOrder(_Request, frozen=True, tag="amend_order"):
    """Changes an order in place."""

    params: AmendOrderParams
    req_id: Maybe[int] = UNSET


class EditOrder(_Request, frozen=True, tag="edit_order"):
    """Cancels an order and adds another in its place."""

    params: EditOrderParams
    req_id: Maybe[int] = UNSET


class CancelOrder(_Request, frozen=True, tag="cancel_order"):
    """Cancels orders by name."""

    params: CancelOrderParams
    req_id: Maybe[int] = UNSET


class CancelAll(_Request, frozen=True, tag="cancel_all"):
    """Cancels all orders of the account."""

    params: CancelAllParams
    req_id: Maybe[int] = UNSET


class CancelAllOrdersAfter(_Request, frozen=True, tag="cancel_all_orders_after"):
    """Cancels all orders of the account when the time is over, unless it is set anew."""

    params: CancelAllOrdersAfterParams
    req_id: Maybe[int] = UNSET


class BatchAdd(_Request, frozen=True, tag="batch_add"):
    """Adds several orders of one pair."""

    params: BatchAddParams
    req_id: Maybe[int] = UNSET


class BatchCancel(_Request, frozen=True, tag="batch_cancel"):
    """Cancels several orders in one transaction."""

    params: BatchCancelParams
    req_id: Maybe[int] = UNSET


class Subscribe(_Request, frozen=True, tag="subscribe"):
    """Joins a channel. websocket-v2/balances writes ``rebased`` and ``users`` beside params, executions inside."""

    params: Subscription
    req_id: Maybe[int] = UNSET
    rebased: Maybe[bool] = UNSET
    users: Maybe[str] = UNSET


class Unsubscribe(_Request, frozen=True, tag="unsubscribe"):
    """Leaves a channel; depth, interval and event trigger are those that were subscribed."""

    params: Subscription
    req_id: Maybe[int] = UNSET


class Ping(_Request, frozen=True, tag="ping"):
    """Asks for a pong."""

    req_id: Maybe[int] = UNSET


type Request = (
    AddOrder
    | AmendOrder
    | EditOrder
    | CancelOrder
    | CancelAll
    | CancelAllOrdersAfter
    | BatchAdd
    | BatchCancel
    | Subscribe
    | Unsubscribe
    | Ping
)
