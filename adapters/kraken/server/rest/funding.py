"""Money in and out, Earn and transfers between accounts: in Kraken's shape, on the simulated balances.

There is one method and one address for each asset, and one withdrawal key, ``simulated``. What was paid in and out is
in the ledger, and the lists of deposits and withdrawals are read from it; nothing else is kept. A withdrawal can be
canceled for a minute. Texts of refusals that no page has are those that clients know (``EFunding:...``).

Sources: rest-api, sections Funding, Earn and Subaccounts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.keys import ApiKey
from adapters.kraken.server.pairs import fixed
from adapters.kraken.server.prices import number
from adapters.kraken.server.refusal import Refusal, invalid
from adapters.kraken.server.rest.pages import seconds_ns
from adapters.kraken.server.rest.params import Params
from adapters.kraken.symbols import rest_asset
from framework.venue.served.records import LedgerEntry

__all__ = ["WITHDRAWAL_KEY", "Funding"]

WITHDRAWAL_KEY = "simulated"
_NS = 10**9
_PENDING_NS = 60 * _NS
_ROWS_MAX = 500
_CLASSES = ("currency", "tokenized_asset")


class Funding:
    """Answers; each method gives the ``result``, or raises Refusal."""

    def __init__(self, context: ServerContext) -> None:
        self._host = context.host
        self._records = context.host.records
        self._pairs = context.pairs
        self.methods: Mapping[str, Callable[[ApiKey, Params], Any]] = {
            "DepositMethods": self._deposit_methods,
            "DepositAddresses": self._deposit_addresses,
            "DepositStatus": self._deposit_status,
            "WithdrawMethods": self._withdraw_methods,
            "WithdrawAddresses": self._withdraw_addresses,
            "WithdrawInfo": self._withdraw_info,
            "Withdraw": self._withdraw,
            "WithdrawStatus": self._withdraw_status,
            "WithdrawCancel": self._withdraw_cancel,
            "WalletTransfer": self._wallet_transfer,
            "CreateSubaccount": self._create_subaccount,
            "AccountTransfer": self._account_transfer,
            "Earn/Strategies": self._earn_strategies,
            "Earn/Allocations": self._earn_allocations,
            "Earn/Allocate": self._earn_strategy,
            "Earn/Deallocate": self._earn_strategy,
            "Earn/AllocateStatus": self._earn_strategy,
            "Earn/DeallocateStatus": self._earn_strategy,
        }

    # ------------------------------------------------------------------------------------------------- deposits

    def _deposit_methods(self, key: ApiKey, params: Params) -> Any:
        asset = self._asset(params.required("asset"))
        zero = self._amount(asset, Decimal(0))
        return [
            {
                "method": _method(asset),
                "limit": False,
                "fee": zero,
                "gen-address": True,
                "minimum": self._amount(asset, self._unit(asset)),
            }
        ]

    def _deposit_addresses(self, key: ApiKey, params: Params) -> Any:
        asset = self._asset(params.required("asset"))
        if params.required("method") != _method(asset):
            raise Refusal("EFunding:Unknown funding method")
        params.flag("new")
        return [{"address": _address(key.account, asset, "deposit"), "expiretm": "0", "new": True}]

    def _deposit_status(self, key: ApiKey, params: Params) -> Any:
        return [self._movement(entry) for entry in self._movements(key, params, "deposit")]

    # ------------------------------------------------------------------------------------------------- withdrawals

    def _withdraw_methods(self, key: ApiKey, params: Params) -> Any:
        return [
            {
                "asset": rest_asset(asset),
                "method": _method(asset),
                "network": _network(asset),
                "minimum": self._amount(asset, self._unit(asset)),
            }
            for asset in self._assets(params)
            if params.get("network", _network(asset)) == _network(asset)
        ]

    def _withdraw_addresses(self, key: ApiKey, params: Params) -> Any:
        is_ours = params.get("key", WITHDRAWAL_KEY) == WITHDRAWAL_KEY and params.flag("verified", default=True)
        return [
            {
                "address": _address(key.account, asset, "withdrawal"),
                "asset": rest_asset(asset),
                "method": _method(asset),
                "key": WITHDRAWAL_KEY,
                "verified": True,
            }
            for asset in self._assets(params)
            if is_ours and params.get("method", _method(asset)) == _method(asset)
        ]

    def _withdraw_info(self, key: ApiKey, params: Params) -> Any:
        asset, amount = self._withdrawal(params)
        return {
            "method": _method(asset),
            "limit": self._amount(asset, self._available(key.account, asset)),
            "amount": self._amount(asset, amount),
            "fee": self._amount(asset, Decimal(0)),
        }

    def _withdraw(self, key: ApiKey, params: Params) -> Any:
        asset, amount = self._withdrawal(params)
        address = params.get("address")
        if address and address != _address(key.account, asset, "withdrawal"):
            raise Refusal("EFunding:Invalid withdrawal address")
        if params.get("max_fee"):
            number(params.get("max_fee"), "max_fee")  # there is no fee that could be higher
        return {"refid": self._move(key.account, asset, -amount, "withdrawal")}

    def _withdraw_status(self, key: ApiKey, params: Params) -> Any:
        canceled = {
            entry.ref_id
            for entry in self._records.ledger(key.account)
            if entry.kind == "withdrawal" and entry.amount > 0
        }
        rows = []
        for entry in self._movements(key, params, "withdrawal"):
            if entry.amount > 0:
                continue
            row = {**self._movement(entry), "network": _network(entry.asset), "key": WITHDRAWAL_KEY}
            if entry.ref_id in canceled:
                row |= {"status": "Failure", "status-prop": "canceled"}
            elif self._is_pending(entry):
                row["status"] = "Pending"
            rows.append(row)
        return rows

    def _withdraw_cancel(self, key: ApiKey, params: Params) -> Any:
        asset, ref_id = self._asset(params.required("asset")), params.required("refid")
        entries = [entry for entry in self._records.ledger(key.account) if entry.ref_id == ref_id]
        if not entries or entries[0].kind != "withdrawal" or entries[0].asset != asset:
            raise Refusal("EFunding:Unknown reference id")
        if len(entries) > 1 or not self._is_pending(entries[0]):
            return False
        self._move(key.account, asset, -entries[0].amount, "withdrawal", ref_id)
        return True

    def _withdrawal(self, params: Params) -> tuple[str, Decimal]:
        asset = self._asset(params.required("asset"))
        if params.required("key") != WITHDRAWAL_KEY:
            raise Refusal("EFunding:Unknown withdraw key")
        return asset, self._given_amount(asset, params)

    # ------------------------------------------------------------------------------------------------- transfers

    def _wallet_transfer(self, key: ApiKey, params: Params) -> Any:
        asset = self._asset(params.required("asset"))
        if params.required("from") != "Spot Wallet":
            raise invalid("from")
        if params.required("to") != "Futures Wallet":
            raise invalid("to")
        return {"refid": self._move(key.account, asset, -self._given_amount(asset, params), "transfer")}

    def _create_subaccount(self, key: ApiKey, params: Params) -> Any:
        """Accounts are made when the venue starts, and no other."""
        raise Refusal("EGeneral:Permission denied")

    def _account_transfer(self, key: ApiKey, params: Params) -> Any:
        asset = self._asset(params.required("asset"))
        source, target = params.required("from"), params.required("to")
        if source != key.account:
            raise Refusal("EGeneral:Permission denied")  # a key never reaches the money of another account
        if target not in self._host.venue.accounts or target == source:
            raise invalid("to")
        amount = self._given_amount(asset, params)
        ref_id = self._move(source, asset, -amount, "transfer")
        self._move(target, asset, amount, "transfer", ref_id)
        return {"transfer_id": ref_id, "status": "complete"}

    # ------------------------------------------------------------------------------------------------- Earn

    def _earn_strategies(self, key: ApiKey, params: Params) -> Any:
        """There is none: balances of a simulated venue earn nothing."""
        return {"items": [], "next_cursor": None}

    def _earn_allocations(self, key: ApiKey, params: Params) -> Any:
        name = params.get("converted_asset")
        asset = self._asset(name) if name else "USD"
        zero = self._amount(asset, Decimal(0))
        return {"converted_asset": asset, "total_allocated": zero, "total_rewarded": zero, "items": []}

    def _earn_strategy(self, key: ApiKey, params: Params) -> Any:
        raise Refusal("EGeneral:Invalid arguments:Invalid strategy ID")

    # ------------------------------------------------------------------------------------------------- pieces

    def _asset(self, name: str) -> str:
        asset = self._pairs.asset(name)
        if asset is None:
            raise Refusal("EFunding:Unknown asset")
        return asset

    def _assets(self, params: Params) -> list[str]:
        if params.get("aclass", "currency") not in _CLASSES:
            raise invalid("aclass")
        name = params.get("asset")
        return [self._asset(name)] if name else self._pairs.assets

    def _amount(self, asset: str, amount: Decimal) -> str:
        return fixed(amount, self._pairs.asset_decimals(asset))

    def _unit(self, asset: str) -> Decimal:
        assets = self._host.venue.assets
        return assets.amount(assets.index[asset], 1)

    def _available(self, account: str, asset: str) -> Decimal:
        total, hold = self._records.balances(account)[asset]
        return total - hold

    def _given_amount(self, asset: str, params: Params) -> Decimal:
        amount = number(params.required("amount"), "amount")
        if amount <= 0 or amount % self._unit(asset):
            raise Refusal("EFunding:Invalid amount")
        return amount

    def _move(self, account: str, asset: str, amount: Decimal, kind: str, ref_id: str = "") -> str:
        if -amount > self._available(account, asset):
            raise Refusal("EFunding:Insufficient funds")
        ref_id = ref_id or _ref_id(account, self._host.next_request_id())
        self._host.adjust_balance(account, asset, amount, kind, ref_id)
        return ref_id

    def _movements(self, key: ApiKey, params: Params, kind: str) -> list[LedgerEntry]:
        """Ledger entries of a kind that a request asks for, newest first."""
        assets = self._assets(params)
        method = params.get("method")
        start_ns, end_ns = (_moment_ns(params, name) for name in ("start", "end"))
        limit = params.whole("limit", _ROWS_MAX, 1, _ROWS_MAX)
        found = [
            entry
            for entry in self._records.ledger(key.account)
            if entry.kind == kind
            and entry.asset in assets
            and (not method or method == _method(entry.asset))
            and (start_ns is None or entry.ts_ns >= start_ns)
            and (end_ns is None or entry.ts_ns <= end_ns)
        ]
        return found[: -limit - 1 : -1]

    def _movement(self, entry: LedgerEntry) -> dict[str, Any]:
        return {
            "method": _method(entry.asset),
            "aclass": "currency",
            "asset": rest_asset(entry.asset),
            "refid": entry.ref_id,
            "txid": _address(entry.ref_id, entry.asset, "transaction"),
            "info": _address(entry.ref_id, entry.asset, "place"),
            "amount": self._amount(entry.asset, abs(entry.amount)),
            "fee": self._amount(entry.asset, Decimal(0)),
            "time": entry.ts_ns // _NS,
            "status": "Success",
        }

    def _is_pending(self, entry: LedgerEntry) -> bool:
        return self._host.now_ns - entry.ts_ns < _PENDING_NS


def _method(asset: str) -> str:
    return f"Simulated {asset}"


def _network(asset: str) -> str:
    return f"Simulated {asset} network"


def _address(owner: str, asset: str, what: str) -> str:
    """A made-up address, which nobody can take for a real one."""
    return f"simulated-{hashlib.sha256(f'{owner}/{asset}/{what}'.encode()).hexdigest()[:32]}"


def _ref_id(account: str, request_id: int) -> str:
    return f"FT{hashlib.sha256(f'{account}/{request_id}'.encode()).hexdigest()[:26]}"


def _moment_ns(params: Params, name: str) -> int | None:
    text = params.get(name)
    if not text:
        return None
    at_ns = seconds_ns(text)
    if at_ns is None:
        raise invalid(name)
    return at_ns
