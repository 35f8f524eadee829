"""What stands in the frames of the private channels: own trades and open orders. Decimals and times are text.

Sources: websocket-v1/owntrades, websocket-v1/openorders; null where nothing is set is observed.
"""

from __future__ import annotations

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message

__all__ = ["Contingent", "OpenOrder", "OrderDescription", "OwnTrade", "Sequence"]


class Sequence(Message, frozen=True):
    """Ends a private frame; each channel counts up by one from 1, frame by frame."""

    sequence: int


class OwnTrade(Message, frozen=True):
    """One fill. ``vol`` is in the base asset, ``cost``, ``fee`` and ``margin`` in the quote asset."""

    cl_ord_id: Maybe[str] = UNSET
    cost: Maybe[str] = UNSET
    ext_exec_id: Maybe[str] = UNSET
    fee: Maybe[str] = UNSET
    margin: Maybe[str] = UNSET
    margin_borrow: Maybe[bool] = UNSET
    ordertxid: Maybe[str] = UNSET
    ordertype: Maybe[str] = UNSET
    pair: Maybe[str] = UNSET
    postxid: Maybe[str | int] = UNSET
    price: Maybe[str] = UNSET
    time: Maybe[str] = UNSET
    type: Maybe[str] = UNSET
    userref: Maybe[int | None] = UNSET
    vol: Maybe[str] = UNSET


class OrderDescription(Message, frozen=True):
    """An order in words and by its parts."""

    close: Maybe[str | None] = UNSET
    leverage: Maybe[str | None] = UNSET
    margin: Maybe[bool] = UNSET
    order: Maybe[str] = UNSET
    ordertype: Maybe[str] = UNSET
    pair: Maybe[str] = UNSET
    position: Maybe[str | None] = UNSET
    price: Maybe[str] = UNSET
    price2: Maybe[str] = UNSET
    type: Maybe[str] = UNSET


class Contingent(Message, frozen=True):
    """The order that each fill makes."""

    ordertype: Maybe[str] = UNSET
    price: Maybe[str | None] = UNSET
    price2: Maybe[str | None] = UNSET
    oflags: Maybe[str] = UNSET


class OpenOrder(Message, frozen=True):
    """An order, or what has changed in one: then all else is absent. status: pending, open, closed, canceled, expired.

    ``ratecount`` comes for who asked for it. ``vol_exec``, ``cost``, ``fee`` and ``avg_price`` are of the order so far.
    """

    amend_reason: Maybe[str] = UNSET
    amended: Maybe[bool] = UNSET
    avg_price: Maybe[str] = UNSET
    cancel_reason: Maybe[str] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    contingent: Maybe[Contingent | None] = UNSET
    cost: Maybe[str] = UNSET
    descr: Maybe[OrderDescription] = UNSET
    display_volume: Maybe[str] = UNSET
    display_volume_remain: Maybe[str] = UNSET
    expiretm: Maybe[str | None] = UNSET
    ext_ord_id: Maybe[str] = UNSET
    fee: Maybe[str] = UNSET
    lastupdated: Maybe[str] = UNSET
    limitprice: Maybe[str] = UNSET
    margin: Maybe[bool] = UNSET
    misc: Maybe[str] = UNSET
    oflags: Maybe[str] = UNSET
    opentm: Maybe[str] = UNSET
    ratecount: Maybe[str | int] = UNSET
    refid: Maybe[str | None] = UNSET
    sender_sub_id: Maybe[str] = UNSET
    starttm: Maybe[str | None] = UNSET
    status: Maybe[str] = UNSET
    stopprice: Maybe[str] = UNSET
    timeinforce: Maybe[str] = UNSET
    userref: Maybe[int | None] = UNSET
    vol: Maybe[str] = UNSET
    vol_exec: Maybe[str] = UNSET
