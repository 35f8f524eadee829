"""What a client sends: events. Decimals are text, and so are some integers, as the pages have them.

Sources: websocket-v1/addorder, amendorder, editorder, cancelorder, cancelall, cancelallordersafter, ping, unsubscribe,
and the subscription of each channel.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.credentials import Token

__all__ = [
    "AddOrder",
    "AmendOrder",
    "CancelAll",
    "CancelAllOrdersAfter",
    "CancelOrder",
    "EditOrder",
    "Ping",
    "ReqId",
    "Request",
    "Subscribe",
    "Subscription",
    "Unsubscribe",
]

# The pages of orders have an integer, those of channels a text; examples have integers.
type ReqId = int | str


class _Event(Message, frozen=True, tag_field="event"):
    """A request; its answer repeats ``reqid``."""


class AddOrder(_Event, frozen=True, tag="addOrder"):
    """Adds an order; the names are those of REST. ``volume`` is in the base asset, in the quote with flag viqc.

    price: limit or trigger; price2: limit of triggered types. Both can be relative: ``+``, ``-`` or ``#`` before, ``%``
    behind. Times are ``0``, ``+seconds`` or seconds since 1970; ``deadline`` is RFC 3339.
    """

    ordertype: str
    pair: str
    type: str
    volume: Maybe[str] = UNSET
    price: Maybe[str] = UNSET
    price2: Maybe[str] = UNSET
    display_volume: Maybe[str] = UNSET
    leverage: Maybe[str] = UNSET
    margin: Maybe[bool | str] = UNSET
    reduce_only: Maybe[bool | str] = UNSET
    oflags: Maybe[str] = UNSET
    starttm: Maybe[str] = UNSET
    expiretm: Maybe[str] = UNSET
    deadline: Maybe[str] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    userref: Maybe[str | int] = UNSET
    sender_sub_id: Maybe[str] = UNSET
    stp_type: Maybe[str] = UNSET
    validate: Maybe[bool | str] = UNSET
    timeinforce: Maybe[str] = UNSET
    close_ordertype: Maybe[str] = msgspec.field(default=UNSET, name="close[ordertype]")
    close_price: Maybe[str] = msgspec.field(default=UNSET, name="close[price]")
    close_price2: Maybe[str] = msgspec.field(default=UNSET, name="close[price2]")
    reqid: Maybe[ReqId] = UNSET
    token: Maybe[Token] = UNSET


class AmendOrder(_Event, frozen=True, tag="amendOrder"):
    """Changes an order in place; it is named by ``txid`` or by ``cl_ord_id``. Prices can be relative."""

    txid: Maybe[str] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    volume: Maybe[str] = UNSET
    display_volume: Maybe[str] = UNSET
    limit_price: Maybe[str] = UNSET
    trigger_price: Maybe[str] = UNSET
    post_only: Maybe[bool | str] = UNSET
    pair: Maybe[str] = UNSET
    deadline: Maybe[str] = UNSET
    reqid: Maybe[ReqId] = UNSET
    token: Maybe[Token] = UNSET


class EditOrder(_Event, frozen=True, tag="editOrder"):
    """Cancels an order, named by its id or its user reference, and adds another in its place."""

    orderid: Maybe[str] = UNSET
    pair: Maybe[str] = UNSET
    price: Maybe[str] = UNSET
    price2: Maybe[str] = UNSET
    volume: Maybe[str] = UNSET
    oflags: Maybe[str] = UNSET
    newuserref: Maybe[str | int] = UNSET
    validate: Maybe[bool | str] = UNSET
    reqid: Maybe[ReqId] = UNSET
    token: Maybe[Token] = UNSET


class CancelOrder(_Event, frozen=True, tag="cancelOrder"):
    """Cancels orders by id, user reference (as text, in ``txid``) or client order id; each is answered by itself."""

    txid: Maybe[list[str]] = UNSET
    cl_ord_id: Maybe[list[str]] = UNSET
    reqid: Maybe[ReqId] = UNSET
    token: Maybe[Token] = UNSET


class CancelAll(_Event, frozen=True, tag="cancelAll"):
    """Cancels all orders of the account."""

    reqid: Maybe[ReqId] = UNSET
    token: Maybe[Token] = UNSET


class CancelAllOrdersAfter(_Event, frozen=True, tag="cancelAllOrdersAfter"):
    """Cancels all orders of the account in so many seconds, unless it is set anew; 0 disarms."""

    timeout: int | str
    reqid: Maybe[ReqId] = UNSET
    token: Maybe[Token] = UNSET


class Subscription(Message, frozen=True):
    """A channel and its options; in unsubscribing ``*`` is every channel.

    name: book, ohlc, openOrders, ownTrades, spread, ticker, trade. depth: book. interval: ohlc, in minutes. snapshot,
    consolidate_taker: ownTrades. ratecounter: openOrders; the page's example has it as text.
    """

    name: str
    depth: Maybe[int] = UNSET
    interval: Maybe[int] = UNSET
    ratecounter: Maybe[bool | str] = UNSET
    snapshot: Maybe[bool | str] = UNSET
    consolidate_taker: Maybe[bool | str] = UNSET
    rebased: Maybe[bool | str] = UNSET
    token: Maybe[Token] = UNSET


class Subscribe(_Event, frozen=True, tag="subscribe"):
    """Joins a channel of each pair, or a private one, which has none."""

    subscription: Subscription
    pair: Maybe[list[str]] = UNSET
    reqid: Maybe[ReqId] = UNSET


class Unsubscribe(_Event, frozen=True, tag="unsubscribe"):
    """Leaves a channel, by its id or by pairs and options."""

    subscription: Maybe[Subscription] = UNSET
    pair: Maybe[list[str]] = UNSET
    channel_id: Maybe[int] = msgspec.field(default=UNSET, name="channelID")
    reqid: Maybe[ReqId] = UNSET


class Ping(_Event, frozen=True, tag="ping"):
    """Asks for a pong."""

    reqid: Maybe[ReqId] = UNSET


type Request = (
    AddOrder | AmendOrder | EditOrder | CancelOrder | CancelAll | CancelAllOrdersAfter | Subscribe | Unsubscribe | Ping
)
