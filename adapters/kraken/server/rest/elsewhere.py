"""Requests that a simulated venue does not carry out: they move money in and out, or concern other services.

Each is refused with one of Kraken's own errors, after key, signature, nonce and permission were checked. Sources:
rest-api, sections Funding, Subaccounts, Earn, and exports under Account Data.
"""

from __future__ import annotations

import msgspec

__all__ = ["ELSEWHERE", "Elsewhere"]


class Elsewhere(msgspec.Struct, frozen=True):
    """What such a request needs, and how it is refused."""

    permissions: tuple[str, ...]
    error: str


_QUERY = Elsewhere(("query-funds",), "EFunding:No funding method")
_DEPOSIT = Elsewhere(("add-funds",), "EFunding:No funding method")
_WITHDRAW = Elsewhere(("withdraw-funds",), "EFunding:No funding method")
_EARN = Elsewhere(("earn-funds",), "EService:Unavailable")
_EXPORT = Elsewhere(("export-data",), "EService:Unavailable")
_SUBACCOUNT = Elsewhere(("withdraw-funds",), "EGeneral:Permission denied")

ELSEWHERE: dict[str, Elsewhere] = {
    "DepositMethods": _DEPOSIT,
    "DepositAddresses": _DEPOSIT,
    "DepositStatus": _QUERY,
    "WithdrawMethods": _WITHDRAW,
    "WithdrawAddresses": _WITHDRAW,
    "WithdrawInfo": _WITHDRAW,
    "Withdraw": _WITHDRAW,
    "WithdrawStatus": _QUERY,
    "WithdrawCancel": _WITHDRAW,
    "WalletTransfer": _WITHDRAW,
    "Earn/Allocate": _EARN,
    "Earn/Deallocate": _EARN,
    "Earn/AllocateStatus": _EARN,
    "Earn/DeallocateStatus": _EARN,
    "Earn/Strategies": _EARN,
    "Earn/Allocations": _EARN,
    "CreateSubaccount": _SUBACCOUNT,
    "AccountTransfer": _SUBACCOUNT,
    "AddExport": _EXPORT,
    "ExportStatus": _EXPORT,
    "RetrieveExport": _EXPORT,
    "RemoveExport": _EXPORT,
    "OrderAmends": Elsewhere(("query-open-trades", "query-closed-trades"), "EService:Unavailable"),
}
