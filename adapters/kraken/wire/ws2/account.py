"""Private frames: what happens to an account's orders (executions) and to its money (balances).

Sources: websocket-v2/executions, websocket-v2/balances. ``ratecount`` is on no page; it has the name that
websocket-v1/openorders gives it.
"""

from __future__ import annotations

from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.number import Number
from adapters.kraken.wire.ws2.requests import Conditional

__all__ = [
    "AssetBalance",
    "BalancesSnapshot",
    "BalancesUpdate",
    "Execution",
    "ExecutionsFrame",
    "Fee",
    "LedgerEntry",
    "OrderTriggers",
    "Wallet",
]


class Fee(Message, frozen=True):
    """What a fill cost, in an asset."""

    asset: str
    qty: Number


class OrderTriggers(Message, frozen=True):
    """How an order's trigger stands. status: triggered, untriggered; ``last_price`` and ``timestamp`` once it fired."""

    reference: Maybe[str] = UNSET
    price: Maybe[Number] = UNSET
    price_type: Maybe[str] = UNSET
    actual_price: Maybe[Number] = UNSET
    peak_price: Maybe[Number] = UNSET
    last_price: Maybe[Number] = UNSET
    status: Maybe[str] = UNSET
    timestamp: Maybe[str] = UNSET


class Execution(Message, frozen=True):
    """One event of an order; ``exec_type`` decides which members there are.

    exec_type: pending_new, new, trade, filled, iceberg_refill, canceled, expired, amended, restated, status.
    order_status: pending_new, new, partially_filled, filled, canceled, expired. time_in_force: GTC, GTD, IOC, FOK.
    ``cum_qty``, ``cum_cost`` and ``avg_price`` are of the order so far; ``last_qty``, ``last_price``, ``cost``,
    ``fees`` and ``exec_id`` of this fill. ``cancel_reason``, ``stop_price``, ``trigger`` and ``triggered_price`` are
    deprecated.
    """

    order_id: str
    order_userref: Maybe[int] = UNSET
    cl_ord_id: Maybe[str] = UNSET
    exec_id: Maybe[str] = UNSET
    exec_type: Maybe[str] = UNSET
    trade_id: Maybe[int] = UNSET
    symbol: Maybe[str] = UNSET
    side: Maybe[str] = UNSET
    order_qty: Maybe[Number] = UNSET
    cash_order_qty: Maybe[Number] = UNSET
    last_qty: Maybe[Number] = UNSET
    last_price: Maybe[Number] = UNSET
    liquidity_ind: Maybe[str] = UNSET
    cost: Maybe[Number] = UNSET
    order_type: Maybe[str] = UNSET
    time_in_force: Maybe[str] = UNSET
    limit_price_type: Maybe[str] = UNSET
    limit_price: Maybe[Number] = UNSET
    display_qty: Maybe[Number] = UNSET
    display_qty_remain: Maybe[Number] = UNSET
    stop_price: Maybe[Number] = UNSET
    trigger: Maybe[str] = UNSET
    triggered_price: Maybe[Number] = UNSET
    triggers: Maybe[OrderTriggers] = UNSET
    contingent: Maybe[Conditional] = UNSET
    post_only: Maybe[bool] = UNSET
    reduce_only: Maybe[bool] = UNSET
    margin: Maybe[bool] = UNSET
    margin_borrow: Maybe[bool] = UNSET
    no_mpp: Maybe[bool] = UNSET
    liquidated: Maybe[bool] = UNSET
    position_status: Maybe[str] = UNSET
    effective_time: Maybe[str] = UNSET
    expire_time: Maybe[str] = UNSET
    order_status: Maybe[str] = UNSET
    cum_qty: Maybe[Number] = UNSET
    cum_cost: Maybe[Number] = UNSET
    avg_price: Maybe[Number] = UNSET
    fee_usd_equiv: Maybe[Number] = UNSET
    fee_ccy_pref: Maybe[str] = UNSET
    fees: Maybe[list[Fee]] = UNSET
    amended: Maybe[bool] = UNSET
    reason: Maybe[str] = UNSET
    cancel_reason: Maybe[str] = UNSET
    ord_ref_id: Maybe[str] = UNSET
    ext_ord_id: Maybe[str] = UNSET
    ext_exec_id: Maybe[str] = UNSET
    sender_sub_id: Maybe[str] = UNSET
    user: Maybe[str] = UNSET
    ratecount: Maybe[Number] = UNSET
    timestamp: Maybe[str] = UNSET


class ExecutionsFrame(Message, frozen=True, tag_field="channel", tag="executions"):
    """Events in order; ``sequence`` is 1 in the snapshot and counts up by one, frame by frame."""

    type: str
    data: list[Execution]
    sequence: Maybe[int] = UNSET


class Wallet(Message, frozen=True):
    """A part of a balance. type: spot, earn; id: main, flex, bonded, flexible, liquid, locked, closed."""

    type: str
    id: str
    balance: Number


class AssetBalance(Message, frozen=True, kw_only=True):
    """How much of an asset there is, and in which wallets."""

    asset: str
    asset_class: Maybe[str] = UNSET
    balance: Number
    wallets: Maybe[list[Wallet]] = UNSET


class BalancesSnapshot(Message, frozen=True, tag_field="channel", tag="balances"):
    """All balances; ``sequence`` is 1. Its ``type`` is "snapshot"."""

    type: str
    data: list[AssetBalance]
    sequence: Maybe[int] = UNSET


class LedgerEntry(Message, frozen=True, kw_only=True):
    """One movement: ``amount`` with its sign, ``balance`` after it.

    type: deposit, withdrawal, trade, margin, adjustment, rollover, credit, transfer, settled, staking, sale, reserve,
    conversion, dividend, reward, creator_fee. ref_id: the trade's for a trade, where two entries share it.
    """

    ledger_id: str
    ref_id: Maybe[str] = UNSET
    timestamp: Maybe[str] = UNSET
    type: Maybe[str] = UNSET
    subtype: Maybe[str] = UNSET
    asset: str
    asset_class: Maybe[str] = UNSET
    category: Maybe[str] = UNSET
    wallet_type: Maybe[str] = UNSET
    wallet_id: Maybe[str] = UNSET
    amount: Number
    fee: Maybe[Number] = UNSET
    balance: Number
    user: Maybe[str] = UNSET


class BalancesUpdate(Message, frozen=True, tag_field="channel", tag="balances"):
    """Movements of money. Its ``type`` is "update"."""

    type: str
    data: list[LedgerEntry]
    sequence: Maybe[int] = UNSET
