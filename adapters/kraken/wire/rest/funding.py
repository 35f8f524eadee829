"""Money in and out: deposits, withdrawals, transfers between wallets and accounts. Amounts are text.

Sources: rest-api/get-deposit-methods, get-deposit-addresses, get-status-recent-deposits, get-withdrawal-methods,
get-withdrawal-addresses, get-withdrawal-information, withdraw-funds, get-status-recent-withdrawals, cancel-withdrawal,
wallet-transfer, create-subaccount, account-transfer.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from adapters.kraken.wire.codec import Maybe, Message
from adapters.kraken.wire.rest.envelope import Flag, PrivateRequest, Whole

__all__ = [
    "AccountTransferRequest",
    "AccountTransferResult",
    "CreateSubaccountRequest",
    "DepositAddress",
    "DepositAddressesRequest",
    "DepositMethod",
    "DepositMethodsRequest",
    "Movement",
    "MovementPage",
    "MovementsRequest",
    "RefId",
    "WalletTransferRequest",
    "WithdrawCancelRequest",
    "WithdrawInfo",
    "WithdrawInfoRequest",
    "WithdrawRequest",
    "WithdrawalAddress",
    "WithdrawalAddressesRequest",
    "WithdrawalMethod",
    "WithdrawalMethodsRequest",
]


# ------------------------------------------------------------------------------------------------------------- requests


class DepositMethodsRequest(PrivateRequest, frozen=True, kw_only=True):
    """How an asset can be paid in."""

    asset: str
    aclass: Maybe[str] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class DepositAddressesRequest(PrivateRequest, frozen=True, kw_only=True):
    """Where an asset can be paid in; ``new`` makes another address; ``amount`` for Lightning only."""

    asset: str
    method: str
    aclass: Maybe[str] = UNSET
    new: Maybe[Flag] = UNSET
    amount: Maybe[Whole] = UNSET


class MovementsRequest(PrivateRequest, frozen=True, kw_only=True):
    """Deposits or withdrawals, newest first. ``cursor``: whether there are pages, or where the next one begins."""

    asset: Maybe[str] = UNSET
    aclass: Maybe[str] = UNSET
    method: Maybe[str] = UNSET
    start: Maybe[Whole] = UNSET
    end: Maybe[Whole] = UNSET
    cursor: Maybe[Flag] = UNSET
    limit: Maybe[Whole] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class WithdrawalMethodsRequest(PrivateRequest, frozen=True, kw_only=True):
    """How assets can be paid out."""

    asset: Maybe[str] = UNSET
    aclass: Maybe[str] = UNSET
    network: Maybe[str] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class WithdrawalAddressesRequest(PrivateRequest, frozen=True, kw_only=True):
    """Where assets can be paid out; ``key``: the name that an address has in the account."""

    asset: Maybe[str] = UNSET
    aclass: Maybe[str] = UNSET
    method: Maybe[str] = UNSET
    key: Maybe[str] = UNSET
    verified: Maybe[Flag] = UNSET


class WithdrawInfoRequest(PrivateRequest, frozen=True, kw_only=True):
    """What a withdrawal would cost."""

    asset: str
    key: str
    amount: str


class WithdrawRequest(PrivateRequest, frozen=True, kw_only=True):
    """A withdrawal to an address of the account; ``address`` confirms it, ``max_fee`` limits what it costs."""

    asset: str
    key: str
    amount: str
    aclass: Maybe[str] = UNSET
    address: Maybe[str] = UNSET
    max_fee: Maybe[str] = UNSET
    rebase_multiplier: Maybe[str | None] = UNSET


class WithdrawCancelRequest(PrivateRequest, frozen=True, kw_only=True):
    """The withdrawal to call back."""

    asset: str
    refid: str


class WalletTransferRequest(PrivateRequest, frozen=True, kw_only=True):
    """From the Spot Wallet to the Futures Wallet."""

    asset: str
    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")
    amount: str


class CreateSubaccountRequest(PrivateRequest, frozen=True, kw_only=True):
    """A new account below the key's."""

    username: str
    email: str


class AccountTransferRequest(PrivateRequest, frozen=True, kw_only=True):
    """From one account to another."""

    asset: str
    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")
    amount: str
    asset_class: Maybe[str] = UNSET


# -------------------------------------------------------------------------------------------------------------- results


class DepositMethod(Message, frozen=True):
    """A way to pay in. ``limit`` is false where there is none."""

    method: str
    limit: Maybe[bool | str] = UNSET
    fee: Maybe[str] = UNSET
    address_setup_fee: Maybe[str] = msgspec.field(default=UNSET, name="address-setup-fee")
    gen_address: Maybe[bool] = msgspec.field(default=UNSET, name="gen-address")
    minimum: Maybe[str] = UNSET


class DepositAddress(Message, frozen=True):
    """A place to pay in; ``tag`` where its chain needs one; ``expiretm`` is "0" for never."""

    address: str
    expiretm: Maybe[str] = UNSET
    new: Maybe[bool] = UNSET
    tag: Maybe[str] = UNSET


class Movement(Message, frozen=True):
    """A deposit or a withdrawal. status: Initial, Pending, EarlyConfirmed, Settled, Success, Failure.

    status_prop: return, onhold, cancel-pending, canceled, cancel-denied. ``network`` and ``key``: withdrawals only;
    ``originators``: deposits only.
    """

    method: Maybe[str] = UNSET
    aclass: Maybe[str] = UNSET
    asset: Maybe[str] = UNSET
    refid: Maybe[str] = UNSET
    txid: Maybe[str | None] = UNSET
    info: Maybe[str] = UNSET
    amount: Maybe[str] = UNSET
    fee: Maybe[str | None] = UNSET
    time: Maybe[int] = UNSET
    status: Maybe[str] = UNSET
    network: Maybe[str] = UNSET
    key: Maybe[str] = UNSET
    status_prop: Maybe[str] = msgspec.field(default=UNSET, name="status-prop")
    originators: Maybe[list[str]] = UNSET


class MovementPage(Message, frozen=True):
    """A page of deposits or withdrawals, where pages were asked for; ``next_cursor`` begins the next one."""

    deposit: Maybe[list[Movement]] = UNSET
    withdrawals: Maybe[list[Movement]] = UNSET
    next_cursor: Maybe[str | None] = UNSET


class WithdrawalMethod(Message, frozen=True):
    """A way to pay out."""

    asset: str
    method: str
    network: Maybe[str] = UNSET
    minimum: Maybe[str] = UNSET


class WithdrawalAddress(Message, frozen=True):
    """A place to pay out."""

    address: str
    asset: str
    method: str
    key: str
    tag: Maybe[str] = UNSET
    verified: Maybe[bool] = UNSET


class WithdrawInfo(Message, frozen=True):
    """What a withdrawal would cost, and how much could be withdrawn."""

    method: str
    limit: str
    amount: str
    fee: str


class RefId(Message, frozen=True):
    """What a movement is called from now on."""

    refid: str


class AccountTransferResult(Message, frozen=True):
    """status: pending, complete."""

    transfer_id: str
    status: str
