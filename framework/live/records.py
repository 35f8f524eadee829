"""What the journal of a live run consists of: one record for each thing that was meant, told or concluded.

A record is written before what it tells of has any effect: an intent before its bytes leave, a conclusion before the
strategy hears of it.
"""

from __future__ import annotations

import msgspec

from framework.messages import (
    AddBatch,
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelBatch,
    CancelOrder,
    EditOrder,
    MassCancel,
    QueryOrders,
)

__all__ = [
    "Answered",
    "AnyCommand",
    "AnyRecord",
    "Began",
    "Changed",
    "Denied",
    "Ended",
    "Filled",
    "Held",
    "Intended",
    "Known",
    "Noted",
    "Record",
    "Resolved",
]

type AnyCommand = (
    AddOrder
    | AddBatch
    | AmendOrder
    | EditOrder
    | CancelOrder
    | CancelBatch
    | CancelAll
    | MassCancel
    | CancelAllAfter
    | QueryOrders
)


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something that happened. ts_ns: the run's time."""

    ts_ns: int


class Began(Record, frozen=True, array_like=True, tag=1):
    """A run began to write. strategy: in words. process_id: of its process."""

    version: str
    strategy: str
    process_id: int


class Intended(Record, frozen=True, array_like=True, tag=2):
    """A command is about to leave by a link, in a session of it."""

    link: str
    session_id: str
    command: AnyCommand


class Answered(Record, frozen=True, array_like=True, tag=3):
    """A command was answered (outcome: accepted, rejected), or its answer is lost; text: why."""

    request_id: int
    outcome: str
    text: str | None


class Resolved(Record, frozen=True, array_like=True, tag=4):
    """The fate of a lost command was proved otherwise."""

    request_id: int
    resolution: str


class Known(Record, frozen=True, array_like=True, tag=5):
    """The venue knows an order, by this id."""

    cl_ord_id: str
    order_id: str | None


class Changed(Record, frozen=True, array_like=True, tag=6):
    """The terms of an order are these now."""

    cl_ord_id: str
    order_id: str | None
    qty_lots: int
    limit_ticks: int | None
    trigger_ticks: int | None


class Filled(Record, frozen=True, array_like=True, tag=7):
    """A part of an order was filled. ts_venue_ns: when. fee: an exact decimal."""

    cl_ord_id: str
    exec_id: str
    symbol: str
    side: int
    lots: int
    price_ticks: int
    is_maker: bool
    fee: str
    fee_asset: str
    ts_venue_ns: int


class Ended(Record, frozen=True, array_like=True, tag=8):
    """An order has ended (state: rejected, canceled, expired), its fills told before."""

    cl_ord_id: str
    state: str
    reason: str


class Denied(Record, frozen=True, array_like=True, tag=9):
    """An order was refused before it was sent."""

    cl_ord_id: str
    reason: str


class Noted(Record, frozen=True, array_like=True, tag=10):
    """Something of the road: a session, an unknown outcome, the kill switch. name: of the event; text: its fields."""

    name: str
    link: str | None
    session_id: str | None
    text: str


class Held(Record, frozen=True, array_like=True, tag=11):
    """The venue has said what the account has, all fills written down so far included: exact decimals by asset."""

    balances: dict[str, str]


type AnyRecord = Began | Intended | Answered | Resolved | Known | Changed | Filled | Ended | Denied | Noted | Held
