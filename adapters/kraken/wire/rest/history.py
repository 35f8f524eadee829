"""An account's orders, trades and ledger, page by page. Amounts are text; times are seconds since 1970.

Sources: rest-api/get-open-orders, get-closed-orders, get-orders-info, get-order-amends, get-trade-history,
get-trades-info, get-ledgers, get-ledgers-info. Observed beside them: ``aclass`` of orders and trades, ``time_in_force``
and ``amended`` of orders, ``tradeordertype`` of trades.
"""

from __future__ import annotations

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.rest.envelope import Flag, PrivateRequest, Whole

__all__ = [
    "Amend",
    "ClosedOrders",
    "ClosedOrdersRequest",
    "LedgerEntry",
    "Ledgers",
    "LedgersRequest",
    "OpenOrders",
    "OpenOrdersRequest",
    "Order",
    "OrderAmends",
    "OrderAmendsRequest",
    "OrderDescription",
    "QueryLedgersRequest",
    "QueryOrdersRequest",
    "QueryTradesRequest",
    "Trade",
    "TradesHistory",
    "TradesHistoryRequest",
]


# ------------------------------------------------------------------------------------------------------------- requests


class OpenOrdersRequest(PrivateRequest, frozen=True, kw_only=True):
    """``trades``: name each order's trades."""

    trades: Maybe[Flag] = UNSET
    userref: Maybe[Whole] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class ClosedOrdersRequest(PrivateRequest, frozen=True, kw_only=True):
    """After ``start`` up to ``end``, seconds or order ids, of ``closetime``: open, close, both; 50 from ``ofs`` on."""

    trades: Maybe[Flag] = UNSET
    userref: Maybe[Whole] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    start: Maybe[Whole] = UNSET
    end: Maybe[Whole] = UNSET
    ofs: Maybe[Whole] = UNSET
    closetime: Maybe[str] = UNSET
    consolidate_taker: Maybe[Flag] = UNSET
    without_count: Maybe[Flag] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class QueryOrdersRequest(PrivateRequest, frozen=True, kw_only=True):
    """``txid``: up to 50 order ids with commas between them."""

    txid: str
    trades: Maybe[Flag] = UNSET
    userref: Maybe[Whole] = UNSET
    consolidate_taker: Maybe[Flag] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class OrderAmendsRequest(PrivateRequest, frozen=True, kw_only=True):
    """The order whose terms are asked for."""

    order_id: str
    rebase_multiplier: Maybe[str | None] = UNSET


class TradesHistoryRequest(PrivateRequest, frozen=True, kw_only=True):
    """type: all, any position, closed position, closing position, no position. Else as of closed orders."""

    type: Maybe[str] = UNSET
    trades: Maybe[Flag] = UNSET
    start: Maybe[Whole] = UNSET
    end: Maybe[Whole] = UNSET
    ofs: Maybe[Whole] = UNSET
    without_count: Maybe[Flag] = UNSET
    consolidate_taker: Maybe[Flag] = UNSET
    ledgers: Maybe[Flag] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class QueryTradesRequest(PrivateRequest, frozen=True, kw_only=True):
    """``txid``: up to 20 trade ids with commas between them."""

    txid: str
    trades: Maybe[Flag] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class LedgersRequest(PrivateRequest, frozen=True, kw_only=True):
    """``asset``: names with commas between them. Else as of closed orders, with ledger ids."""

    asset: Maybe[str] = UNSET
    aclass: Maybe[str] = UNSET
    type: Maybe[str] = UNSET
    start: Maybe[Whole] = UNSET
    end: Maybe[Whole] = UNSET
    ofs: Maybe[Whole] = UNSET
    without_count: Maybe[Flag] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class QueryLedgersRequest(PrivateRequest, frozen=True, kw_only=True):
    """``id``: up to 20 ledger ids with commas between them. The page's example writes ``trade`` for ``trades``."""

    id: str
    trades: Maybe[Flag] = UNSET
    trade: Maybe[Flag] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


# -------------------------------------------------------------------------------------------------------------- results


class OrderDescription(Message, frozen=True):
    """An order by its parts and in words."""

    pair: Maybe[str] = UNSET
    aclass: Maybe[str] = UNSET
    type: Maybe[str] = UNSET
    ordertype: Maybe[str] = UNSET
    price: Maybe[str] = UNSET
    price2: Maybe[str] = UNSET
    leverage: Maybe[str] = UNSET
    order: Maybe[str] = UNSET
    close: Maybe[str] = UNSET


class Order(Message, frozen=True):
    """An order, in a map by its id. status: pending, open, closed, canceled, expired.

    ``price`` is the average of its fills. ``closetm`` and ``reason`` when it is no longer open; ``trades`` where asked
    for and there are any.
    """

    refid: Maybe[str | None] = UNSET
    userref: Maybe[int | None] = UNSET
    cl_ord_id: Maybe[str | None] = UNSET
    status: Maybe[str] = UNSET
    opentm: Maybe[Number] = UNSET
    starttm: Maybe[Number] = UNSET
    expiretm: Maybe[Number] = UNSET
    descr: Maybe[OrderDescription] = UNSET
    vol: Maybe[str] = UNSET
    vol_exec: Maybe[str] = UNSET
    cost: Maybe[str] = UNSET
    fee: Maybe[str] = UNSET
    price: Maybe[str] = UNSET
    stopprice: Maybe[str] = UNSET
    limitprice: Maybe[str] = UNSET
    trigger: Maybe[str] = UNSET
    margin: Maybe[bool] = UNSET
    misc: Maybe[str] = UNSET
    oflags: Maybe[str] = UNSET
    time_in_force: Maybe[str] = UNSET
    amended: Maybe[bool] = UNSET
    sender_sub_id: Maybe[str | None] = UNSET
    closetm: Maybe[Number] = UNSET
    reason: Maybe[str | None] = UNSET
    trades: Maybe[list[str]] = UNSET


class OpenOrders(Message, frozen=True):
    """Open orders by their ids."""

    open: dict[str, Order]


class ClosedOrders(Message, frozen=True):
    """A page of orders that have ended; ``count`` is of all pages."""

    closed: dict[str, Order]
    count: Maybe[int] = UNSET


class Amend(Message, frozen=True):
    """An order's terms from a time on, in nanoseconds. amend_type: original, user, restated."""

    amend_id: Maybe[str] = UNSET
    amend_type: Maybe[str] = UNSET
    order_qty: Maybe[str] = UNSET
    remaining_qty: Maybe[str] = UNSET
    display_qty: Maybe[str] = UNSET
    limit_price: Maybe[str] = UNSET
    trigger_price: Maybe[str] = UNSET
    reason: Maybe[str] = UNSET
    post_only: Maybe[bool] = UNSET
    timestamp: Maybe[int] = UNSET


class OrderAmends(Message, frozen=True):
    """An order's terms, oldest first; the first are its original ones, and count."""

    count: int
    amends: list[Amend]


class Trade(Message, frozen=True):
    """An own trade, in a map by its id; the last eight members if it has opened a position."""

    ordertxid: Maybe[str] = UNSET
    postxid: Maybe[str] = UNSET
    pair: Maybe[str] = UNSET
    aclass: Maybe[str] = UNSET
    time: Maybe[Number] = UNSET
    type: Maybe[str] = UNSET
    ordertype: Maybe[str] = UNSET
    price: Maybe[str] = UNSET
    cost: Maybe[str] = UNSET
    fee: Maybe[str] = UNSET
    vol: Maybe[str] = UNSET
    margin: Maybe[str] = UNSET
    leverage: Maybe[str] = UNSET
    misc: Maybe[str] = UNSET
    trade_id: Maybe[int] = UNSET
    maker: Maybe[bool] = UNSET
    tradeordertype: Maybe[str] = UNSET
    ledgers: Maybe[list[str]] = UNSET
    posstatus: Maybe[str] = UNSET
    cprice: Maybe[Number] = UNSET
    ccost: Maybe[Number] = UNSET
    cfee: Maybe[Number] = UNSET
    cvol: Maybe[Number] = UNSET
    cmargin: Maybe[Number] = UNSET
    net: Maybe[Number] = UNSET
    trades: Maybe[list[str]] = UNSET


class TradesHistory(Message, frozen=True):
    """A page of trades; ``count`` is of all pages."""

    trades: dict[str, Trade]
    count: Maybe[int] = UNSET


class LedgerEntry(Message, frozen=True):
    """One movement of an asset, in a map by its id; ``balance`` is after it."""

    refid: Maybe[str] = UNSET
    time: Maybe[Number] = UNSET
    type: Maybe[str] = UNSET
    subtype: Maybe[str] = UNSET
    aclass: Maybe[str] = UNSET
    asset: Maybe[str] = UNSET
    amount: Maybe[str] = UNSET
    fee: Maybe[str] = UNSET
    balance: Maybe[str] = UNSET


class Ledgers(Message, frozen=True):
    """A page of the ledger; ``count`` is of all pages."""

    ledger: dict[str, LedgerEntry]
    count: Maybe[int] = UNSET
