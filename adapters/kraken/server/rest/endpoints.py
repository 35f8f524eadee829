"""Every REST endpoint, as data: what it costs, who may use it, and how far the simulated venue carries it out.

Permissions: rest-api, "API Key Permissions Required" of each page; of each tuple one is enough, and all tuples are
needed. Costs: guides/spot-rest-ratelimits.
"""

from __future__ import annotations

import enum

import msgspec

__all__ = ["ENDPOINTS", "Endpoint", "Fidelity", "Kind", "endpoint_table"]


class Kind(enum.StrEnum):
    """What an endpoint is about."""

    PUBLIC = "public"
    ACCOUNT = "account"
    TRADING = "trading"
    FUNDING = "funding"
    EARN = "earn"
    SUBACCOUNT = "subaccount"
    EXPORT = "export"


class Fidelity(enum.StrEnum):
    """How far it is carried out."""

    FULL = "as documented"
    PARTLY = "in part"
    SIMULATED = "in shape, on simulated balances"
    REFUSED = "refused"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint below ``/0/public/`` or ``/0/private/``.

    cost: the name of its cost on the call counter; "" where the engine counts it, or the address. note: what the venue
    does instead, where it is not all that is documented.
    """

    name: str
    kind: Kind
    cost: str = ""
    permissions: tuple[tuple[str, ...], ...] = ()
    fidelity: Fidelity = Fidelity.FULL
    note: str = ""


_FUNDS = (("query-funds",),)
_OPEN = (("query-open-trades",),)
_CLOSED = (("query-closed-trades",),)
_OPEN_OR_CLOSED = (("query-open-trades", "query-closed-trades"),)
_LEDGER = (("query-ledger",),)
_MODIFY = (("modify-trades",),)
_MODIFY_AND_CLOSE = (("modify-trades",), ("close-trades",))
_MODIFY_OR_CLOSE = (("modify-trades", "close-trades"),)
_DEPOSIT = (("query-funds",), ("add-funds",))
_WITHDRAW = (("withdraw-funds",),)
_QUERY_WITHDRAW = (("query-funds",), ("withdraw-funds",))
_EARN = (("earn-funds",),)
_EARN_OR_FUNDS = (("earn-funds", "query-funds"),)
_EXPORT = (("export-data",),)

_BY_LEVEL = "each level of a market that is played by levels is one order"
_NO_STRATEGY = "there is no strategy: EGeneral:Invalid arguments:Invalid strategy ID"


def _public(*names: str) -> list[Endpoint]:
    return [Endpoint(name=name, kind=Kind.PUBLIC) for name in names]


def _account(name: str, permissions: tuple[tuple[str, ...], ...], cost: str = "other", note: str = "") -> Endpoint:
    return Endpoint(name=name, kind=Kind.ACCOUNT, cost=cost, permissions=permissions, note=note)


def _trading(name: str, permissions: tuple[tuple[str, ...], ...], note: str = "") -> Endpoint:
    fidelity = Fidelity.PARTLY if note else Fidelity.FULL
    return Endpoint(name=name, kind=Kind.TRADING, permissions=permissions, fidelity=fidelity, note=note)


def _simulated(kind: Kind, name: str, permissions: tuple[tuple[str, ...], ...], note: str) -> Endpoint:
    return Endpoint(name=name, kind=kind, cost="other", permissions=permissions, fidelity=Fidelity.SIMULATED, note=note)


def _refused(kind: Kind, name: str, permissions: tuple[tuple[str, ...], ...], note: str) -> Endpoint:
    return Endpoint(name=name, kind=kind, cost="other", permissions=permissions, fidelity=Fidelity.REFUSED, note=note)


_ALL = [
    *_public("Time", "SystemStatus", "Assets", "AssetPairs", "Ticker", "OHLC", "Depth", "GroupedBook", "Trades"),
    *_public("Spread", "PostTrade"),
    Endpoint(name="PreTrade", kind=Kind.PUBLIC, note=_BY_LEVEL),
    _account("Balance", _FUNDS),
    _account("BalanceEx", _FUNDS),
    _account("CreditLines", _FUNDS, note="no account has credit: null"),
    _account("TradeBalance", _OPEN, note="assets without a pair of their own are compared over others"),
    _account("OpenOrders", _OPEN, "open_orders"),
    _account("ClosedOrders", _CLOSED, "history"),
    _account("QueryOrders", _OPEN_OR_CLOSED, "orders"),
    _account("OrderAmends", _OPEN_OR_CLOSED, "orders"),
    _account("TradesHistory", _CLOSED, "history"),
    _account("QueryTrades", _CLOSED, "history"),
    _account("OpenPositions", _OPEN, note="each fill that opens is a position"),
    _account("Ledgers", _LEDGER, "history"),
    _account("QueryLedgers", _LEDGER, "history"),
    _account("TradeVolume", _FUNDS, note="without `schedules`: no page says what stands in it"),
    _account("GetApiKeyInfo", ()),
    _account("GetWebSocketsToken", (("create-ws-token",),)),
    _account("Level3", _OPEN, note=_BY_LEVEL),
    _trading("AddOrder", _MODIFY),
    _trading("AddOrderBatch", _MODIFY_AND_CLOSE),
    _trading("AmendOrder", _MODIFY_OR_CLOSE),
    _trading("EditOrder", _MODIFY_AND_CLOSE),
    _trading("CancelOrder", _MODIFY_OR_CLOSE),
    _trading("CancelOrderBatch", _MODIFY_OR_CLOSE),
    _trading("CancelAll", _MODIFY_OR_CLOSE),
    _trading("CancelAllOrdersAfter", _MODIFY_OR_CLOSE),
    _simulated(Kind.FUNDING, "DepositMethods", _DEPOSIT, "one method for each asset"),
    _simulated(Kind.FUNDING, "DepositAddresses", _FUNDS, "made-up addresses, which receive nothing"),
    _simulated(Kind.FUNDING, "DepositStatus", _FUNDS, "deposits in the ledger"),
    _simulated(Kind.FUNDING, "WithdrawMethods", _QUERY_WITHDRAW, "one method for each asset"),
    _simulated(Kind.FUNDING, "WithdrawAddresses", _QUERY_WITHDRAW, "one for each asset, under the key `simulated`"),
    _simulated(Kind.FUNDING, "WithdrawInfo", _QUERY_WITHDRAW, "no fee"),
    _simulated(Kind.FUNDING, "Withdraw", _WITHDRAW, "to the key `simulated`; the balance falls at once"),
    _simulated(
        Kind.FUNDING, "WithdrawStatus", (("withdraw-funds", "query-ledger"),), "pending for a minute, then success"
    ),
    _simulated(Kind.FUNDING, "WithdrawCancel", _WITHDRAW, "while it is pending; the money comes back"),
    _simulated(Kind.FUNDING, "WalletTransfer", _FUNDS, "leaves the balance; nothing is on the other side"),
    _simulated(Kind.EARN, "Earn/Strategies", (), "an empty list"),
    _simulated(Kind.EARN, "Earn/Allocations", _FUNDS, "an empty list"),
    _refused(Kind.EARN, "Earn/Allocate", _EARN, _NO_STRATEGY),
    _refused(Kind.EARN, "Earn/Deallocate", _EARN, _NO_STRATEGY),
    _refused(Kind.EARN, "Earn/AllocateStatus", _EARN_OR_FUNDS, _NO_STRATEGY),
    _refused(Kind.EARN, "Earn/DeallocateStatus", _EARN_OR_FUNDS, _NO_STRATEGY),
    _refused(
        Kind.SUBACCOUNT, "CreateSubaccount", _WITHDRAW, "accounts are made at the start: EGeneral:Permission denied"
    ),
    _simulated(
        Kind.SUBACCOUNT, "AccountTransfer", _WITHDRAW, "from the account of the key to another one, both by their names"
    ),
    _simulated(Kind.EXPORT, "AddExport", _EXPORT, "of what the venue still remembers; ready at once"),
    _simulated(Kind.EXPORT, "ExportStatus", _EXPORT, "the newest reports"),
    _simulated(Kind.EXPORT, "RetrieveExport", _EXPORT, "a zip archive with one CSV or TSV file"),
    _simulated(Kind.EXPORT, "RemoveExport", _EXPORT, "deletes; there is never anything to cancel"),
]

ENDPOINTS: dict[str, Endpoint] = {endpoint.name: endpoint for endpoint in _ALL}
"""All endpoints by name, public ones first."""


def endpoint_table() -> str:
    """What is not wholly as documented, in Markdown; endpoints of which the same is to be said share a row."""
    rows: dict[tuple[Kind, Fidelity, str], list[str]] = {}
    for each in ENDPOINTS.values():
        if each.note:
            rows.setdefault((each.kind, each.fidelity, each.note), []).append(each.name)
    lines = ["| kind | endpoints | carried out | what the venue does |", "|---|---|---|---|"]
    lines += [
        f"| {kind} | {', '.join(names)} | {fidelity} | {note} |" for (kind, fidelity, note), names in rows.items()
    ]
    return "\n".join(lines) + "\n"
