"""Orders: requests and execution reports. Prices and quantities are text.

Sources: fix-api/nos-fix, ocr-fix, ocrr-fix, omcr-fix, osr-fix, er-fix. OrderCancelReject is not sent by Spot, whose
refusals are business rejects; other venues of Kraken send it.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe
from adapters.kraken.wire.fix.fields import Entry, FixMessage

__all__ = [
    "Alloc",
    "ExecutionReport",
    "MiscFee",
    "NewOrderSingle",
    "OrderCancelReject",
    "OrderCancelReplaceRequest",
    "OrderCancelRequest",
    "OrderMassCancelRequest",
    "OrderStatusRequest",
]


class Alloc(Entry, frozen=True):
    """A sub-account of a broker."""

    alloc_account: str


class MiscFee(Entry, frozen=True):
    """A fee. misc_fee_type: 4 exchange fees; misc_fee_basis: 2 percentage."""

    misc_fee_amt: Maybe[str] = UNSET
    misc_fee_curr: Maybe[str] = UNSET
    misc_fee_type: Maybe[int] = UNSET
    misc_fee_basis: Maybe[str] = UNSET


class NewOrderSingle(FixMessage, frozen=True, kw_only=True):
    """Adds an order; ``order_qty`` is in the base asset.

    ord_type: 1 market, 2 limit, 3 stop-loss, 4 stop-loss-limit, R take-profit, T take-profit-limit, U trailing-stop,
    V trailing-stop-limit. side: 1 buy, 2 sell. time_in_force: 1 GTC, 3 IOC, 4 FOK, 6 GTD. exec_inst, with spaces
    between them: P post only, E reduce only, v quantity in quote, f fees in base, q fees in quote, s fees of each
    trade. discretion_inst: 1 index, 5 last. self_trade_prevention: 0 cancel both, 1 newest, 2 oldest. Times are UTC, as
    in 20260101-00:00:00.000.
    """

    msg_type: ClassVar[str] = "D"

    cl_ord_id: str
    exec_inst: Maybe[str] = UNSET
    order_qty: str
    ord_type: str
    price: Maybe[str] = UNSET
    side: str
    symbol: str
    time_in_force: str
    transact_time: str
    valid_until_time: Maybe[str] = UNSET
    no_allocs: Maybe[list[Alloc]] = UNSET
    stop_px: Maybe[str] = UNSET
    expire_time: Maybe[str] = UNSET
    effective_time: Maybe[str] = UNSET
    discretion_inst: Maybe[str] = UNSET
    display_qty: Maybe[str] = UNSET
    leverage: Maybe[int] = UNSET
    self_trade_prevention: Maybe[int] = UNSET


class OrderCancelRequest(FixMessage, frozen=True, kw_only=True):
    """Cancels an order of this session, by ``order_id``, or by the last id that its owner used for it."""

    msg_type: ClassVar[str] = "F"

    cl_ord_id: str
    order_id: Maybe[str] = UNSET
    orig_cl_ord_id: Maybe[str] = UNSET
    side: str
    symbol: str
    transact_time: str


class OrderCancelReplaceRequest(FixMessage, frozen=True, kw_only=True):
    """Amends an order in place; ``order_qty`` is the new total. exec_inst: P only."""

    msg_type: ClassVar[str] = "G"

    cl_ord_id: str
    exec_inst: Maybe[str] = UNSET
    order_id: str
    order_qty: str
    ord_type: str
    orig_cl_ord_id: str
    price: Maybe[str] = UNSET
    side: str
    symbol: str
    time_in_force: str
    transact_time: str
    valid_until_time: Maybe[str] = UNSET
    stop_px: Maybe[str] = UNSET
    display_qty: Maybe[str] = UNSET


class OrderStatusRequest(FixMessage, frozen=True, kw_only=True):
    """Asks for a report of an order as it is. Side and time are in the sample, not in the table."""

    msg_type: ClassVar[str] = "H"

    cl_ord_id: str
    order_id: str
    side: Maybe[str] = UNSET
    symbol: str
    transact_time: Maybe[str] = UNSET


class OrderMassCancelRequest(FixMessage, frozen=True, kw_only=True):
    """Cancels many orders; each has its own report.

    mass_cancel_request_type: 1 those of a symbol, 6 those of this session, 7 all of the sender.
    """

    msg_type: ClassVar[str] = "q"

    cl_ord_id: str
    symbol: Maybe[str] = UNSET
    transact_time: str
    mass_cancel_request_type: str


class ExecutionReport(FixMessage, frozen=True, kw_only=True):
    """What has happened to an order; ``cl_ord_id`` is of the request that made it happen.

    exec_type: 0 new, 4 canceled, 5 replaced, A pending new, C expired, D restated, F trade, I status.
    ord_status: 0 new, 1 partially filled, 2 filled, 4 canceled, 5 replaced, A pending new, C expired, E replacing.
    last_px, last_qty, net_money, secondary_exec_id, trade_id and liquidity_ind (0 maker, 1 taker) are of this trade;
    avg_px, cum_qty, gross_trade_amt and the fees of the order so far, unless it asked for the fees of each trade.
    """

    msg_type: ClassVar[str] = "8"

    avg_px: Maybe[str] = UNSET
    cl_ord_id: str
    cum_qty: str
    exec_id: str
    exec_inst: Maybe[str] = UNSET
    last_px: Maybe[str] = UNSET
    last_qty: Maybe[str] = UNSET
    order_id: str
    order_qty: str
    ord_status: str
    ord_type: str
    orig_cl_ord_id: Maybe[str] = UNSET
    price: Maybe[str] = UNSET
    side: str
    symbol: str
    text: Maybe[str] = UNSET
    time_in_force: Maybe[str] = UNSET
    transact_time: Maybe[str] = UNSET
    no_allocs: Maybe[list[Alloc]] = UNSET
    stop_px: Maybe[str] = UNSET
    net_money: Maybe[str] = UNSET
    no_misc_fees: Maybe[list[MiscFee]] = UNSET
    exec_type: str
    leaves_qty: str
    exec_restatement_reason: Maybe[str] = UNSET
    gross_trade_amt: Maybe[str] = UNSET
    secondary_exec_id: Maybe[str] = UNSET
    trade_id: Maybe[str] = UNSET
    trigger_price: Maybe[str] = UNSET
    display_qty: Maybe[str] = UNSET
    liquidity_ind: Maybe[str] = UNSET


class OrderCancelReject(FixMessage, frozen=True, kw_only=True):
    """A cancel or an amend that was refused. cxl_rej_response_to: 1 cancel, 2 amend."""

    msg_type: ClassVar[str] = "9"

    cl_ord_id: str
    order_id: str
    ord_status: str
    orig_cl_ord_id: Maybe[str] = UNSET
    text: Maybe[str] = UNSET
    transact_time: Maybe[str] = UNSET
    cxl_rej_reason: Maybe[int] = UNSET
    cxl_rej_response_to: str
