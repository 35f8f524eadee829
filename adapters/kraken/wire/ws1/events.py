"""What the venue answers and tells of itself: events. Their members are in alphabetical order, as it sends them.

Sources: websocket-v1/addorder, amendorder, editorder, cancelorder, cancelall, cancelallordersafter, ping, heartbeat,
systemstatus, subscriptionstatus; the event ``error`` is observed.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.credentials import Token
from adapters.kraken.wire.ws1.requests import ReqId

__all__ = [
    "AddOrderStatus",
    "AmendOrderStatus",
    "CancelAllOrdersAfterStatus",
    "CancelAllStatus",
    "CancelOrderStatus",
    "EditOrderStatus",
    "ErrorEvent",
    "Event",
    "Heartbeat",
    "Pong",
    "SubscribedTo",
    "SubscriptionStatus",
    "SystemStatus",
]


class AddOrderStatus(Message, frozen=True, kw_only=True):
    """Answer to ``AddOrder``. status: ok, error."""

    cl_ord_id: Maybe[str] = UNSET
    descr: Maybe[str] = UNSET
    errorMessage: Maybe[str] = UNSET  # noqa: N815  the wire's name
    event: Literal["addOrderStatus"] = "addOrderStatus"
    reqid: Maybe[ReqId] = UNSET
    status: str
    txid: Maybe[str] = UNSET
    userref: Maybe[int | str] = UNSET


class AmendOrderStatus(Message, frozen=True, kw_only=True):
    """Answer to ``AmendOrder``, with the name that the request had for the order."""

    amend_id: Maybe[str] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    errorMessage: Maybe[str] = UNSET  # noqa: N815
    event: Literal["amendOrderStatus"] = "amendOrderStatus"
    reqid: Maybe[ReqId] = UNSET
    status: str
    txid: Maybe[str] = UNSET


class EditOrderStatus(Message, frozen=True, kw_only=True):
    """Answer to ``EditOrder``: ``txid`` is the new order."""

    descr: Maybe[str] = UNSET
    errorMessage: Maybe[str] = UNSET  # noqa: N815
    event: Literal["editOrderStatus"] = "editOrderStatus"
    originaltxid: Maybe[str] = UNSET
    reqid: Maybe[ReqId] = UNSET
    status: str
    txid: Maybe[str] = UNSET


class CancelOrderStatus(Message, frozen=True, kw_only=True):
    """Answer to one name of a ``CancelOrder``; it does not say which."""

    errorMessage: Maybe[str] = UNSET  # noqa: N815
    event: Literal["cancelOrderStatus"] = "cancelOrderStatus"
    reqid: Maybe[ReqId] = UNSET
    status: str


class CancelAllStatus(Message, frozen=True, kw_only=True):
    """Answer to ``CancelAll``. The page has ``count`` as text, its example as a number."""

    count: Maybe[int | str] = UNSET
    errorMessage: Maybe[str] = UNSET  # noqa: N815
    event: Literal["cancelAllStatus"] = "cancelAllStatus"
    reqid: Maybe[ReqId] = UNSET
    status: str


class CancelAllOrdersAfterStatus(Message, frozen=True, kw_only=True):
    """Answer to ``CancelAllOrdersAfter``: RFC 3339 in whole seconds; ``triggerTime`` is "0" when disarmed."""

    currentTime: Maybe[str] = UNSET  # noqa: N815
    errorMessage: Maybe[str] = UNSET  # noqa: N815
    event: Literal["cancelAllOrdersAfterStatus"] = "cancelAllOrdersAfterStatus"
    reqid: Maybe[ReqId] = UNSET
    status: str
    triggerTime: Maybe[str] = UNSET  # noqa: N815


class SubscribedTo(Message, frozen=True):
    """The options in force. ``maxratecount``: the account's limit of the rate counter, of openOrders."""

    consolidate_taker: Maybe[bool] = UNSET
    depth: Maybe[int] = UNSET
    interval: Maybe[int] = UNSET
    maxratecount: Maybe[int] = UNSET
    name: Maybe[str] = UNSET
    ratecounter: Maybe[bool] = UNSET
    snapshot: Maybe[bool] = UNSET
    token: Maybe[Token] = UNSET


class SubscriptionStatus(Message, frozen=True, kw_only=True):
    """Answer to one pair of a subscription, and news of its end. status: subscribed, unsubscribed, ok, error."""

    channelID: Maybe[int] = UNSET  # noqa: N815
    channelName: Maybe[str] = UNSET  # noqa: N815
    errorMessage: Maybe[str] = UNSET  # noqa: N815
    event: Literal["subscriptionStatus"] = "subscriptionStatus"
    pair: Maybe[str] = UNSET
    reqid: Maybe[ReqId] = UNSET
    status: str
    subscription: Maybe[SubscribedTo] = UNSET


class SystemStatus(Message, frozen=True, kw_only=True):
    """The engine. status: online, cancel_only, maintenance, post_only; the connection's id does not fit in 53 bits."""

    connectionID: Maybe[int] = UNSET  # noqa: N815
    event: Literal["systemStatus"] = "systemStatus"
    status: str
    version: Maybe[str] = UNSET


class Pong(Message, frozen=True, kw_only=True):
    """Answer to ``Ping``."""

    event: Literal["pong"] = "pong"
    reqid: Maybe[ReqId] = UNSET


class Heartbeat(Message, frozen=True, kw_only=True):
    """Nothing else has been sent for a second."""

    event: Literal["heartbeat"] = "heartbeat"


class ErrorEvent(Message, frozen=True, kw_only=True):
    """Answer to what the venue could not read as a request."""

    errorMessage: str  # noqa: N815
    event: Literal["error"] = "error"
    reqid: Maybe[ReqId] = UNSET


type Event = (
    AddOrderStatus
    | AmendOrderStatus
    | EditOrderStatus
    | CancelOrderStatus
    | CancelAllStatus
    | CancelAllOrdersAfterStatus
    | SubscriptionStatus
    | SystemStatus
    | Pong
    | Heartbeat
    | ErrorEvent
)
