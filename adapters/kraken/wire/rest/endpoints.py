"""All endpoints of Spot REST: what each is asked with and what it answers. Source: rest-api, a page for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from adapters.kraken.wire.rest import account, earn, exports, funding, history, public, trading
from adapters.kraken.wire.rest.envelope import Endpoint, PrivateRequest

__all__ = [
    "ACCOUNT_TRANSFER",
    "ADD_EXPORT",
    "ADD_ORDER",
    "ADD_ORDER_BATCH",
    "AMEND_ORDER",
    "ASSETS",
    "ASSET_PAIRS",
    "BALANCE",
    "BALANCE_EX",
    "CANCEL_ALL",
    "CANCEL_ALL_ORDERS_AFTER",
    "CANCEL_ORDER",
    "CANCEL_ORDER_BATCH",
    "CLOSED_ORDERS",
    "CREATE_SUBACCOUNT",
    "CREDIT_LINES",
    "DEPOSIT_ADDRESSES",
    "DEPOSIT_METHODS",
    "DEPOSIT_STATUS",
    "DEPTH",
    "EARN_ALLOCATE",
    "EARN_ALLOCATE_STATUS",
    "EARN_ALLOCATIONS",
    "EARN_DEALLOCATE",
    "EARN_DEALLOCATE_STATUS",
    "EARN_STRATEGIES",
    "EDIT_ORDER",
    "ENDPOINTS",
    "EXPORT_STATUS",
    "GET_API_KEY_INFO",
    "GET_WEBSOCKETS_TOKEN",
    "GROUPED_BOOK",
    "LEDGERS",
    "LEVEL3",
    "OHLC",
    "OPEN_ORDERS",
    "OPEN_POSITIONS",
    "ORDER_AMENDS",
    "POST_TRADE",
    "PRE_TRADE",
    "QUERY_LEDGERS",
    "QUERY_ORDERS",
    "QUERY_TRADES",
    "REMOVE_EXPORT",
    "RETRIEVE_EXPORT",
    "SPREAD",
    "SYSTEM_STATUS",
    "TICKER",
    "TIME",
    "TRADES",
    "TRADES_HISTORY",
    "TRADE_BALANCE",
    "TRADE_VOLUME",
    "WALLET_TRANSFER",
    "WITHDRAW",
    "WITHDRAW_ADDRESSES",
    "WITHDRAW_CANCEL",
    "WITHDRAW_INFO",
    "WITHDRAW_METHODS",
    "WITHDRAW_STATUS",
]

# Of candles, trades and spreads: the pair's name to its rows, and "last" to where to go on.
_Candles = dict[str, list[public.Candle] | int]
_Trades = dict[str, list[public.Trade] | str | int]
_Spreads = dict[str, list[public.Spread] | int]
# A map by position id; a list where positions are consolidated.
_Positions = dict[str, account.Position] | list[account.Position]
# A list; a page where pages were asked for.
_Movements = list[funding.Movement] | funding.MovementPage

TIME: Final = Endpoint("/public/Time", public.NoParams, public.ServerTime)
SYSTEM_STATUS: Final = Endpoint("/public/SystemStatus", public.NoParams, public.SystemStatus)
ASSETS: Final = Endpoint("/public/Assets", public.AssetsRequest, dict[str, public.Asset])
ASSET_PAIRS: Final = Endpoint("/public/AssetPairs", public.AssetPairsRequest, dict[str, public.AssetPair])
TICKER: Final = Endpoint("/public/Ticker", public.TickerRequest, dict[str, public.Ticker])
OHLC: Final = Endpoint("/public/OHLC", public.OhlcRequest, _Candles)
DEPTH: Final = Endpoint("/public/Depth", public.DepthRequest, dict[str, public.Depth])
GROUPED_BOOK: Final = Endpoint("/public/GroupedBook", public.GroupedBookRequest, public.GroupedBook)
TRADES: Final = Endpoint("/public/Trades", public.TradesRequest, _Trades)
SPREAD: Final = Endpoint("/public/Spread", public.SpreadRequest, _Spreads)
PRE_TRADE: Final = Endpoint("/public/PreTrade", public.PreTradeRequest, public.PreTrade)
POST_TRADE: Final = Endpoint("/public/PostTrade", public.PostTradeRequest, public.PostTrade)

BALANCE: Final = Endpoint("/private/Balance", account.BalanceRequest, dict[str, str])
BALANCE_EX: Final = Endpoint("/private/BalanceEx", account.BalanceRequest, dict[str, account.ExtendedBalance])
CREDIT_LINES: Final = Endpoint("/private/CreditLines", account.BalanceRequest, account.CreditLines)
TRADE_BALANCE: Final = Endpoint("/private/TradeBalance", account.TradeBalanceRequest, account.TradeBalance)
OPEN_POSITIONS: Final = Endpoint[account.OpenPositionsRequest, _Positions](
    "/private/OpenPositions", account.OpenPositionsRequest, cast(Any, _Positions)
)
TRADE_VOLUME: Final = Endpoint("/private/TradeVolume", account.TradeVolumeRequest, account.TradeVolume)
GET_API_KEY_INFO: Final = Endpoint("/private/GetApiKeyInfo", PrivateRequest, account.ApiKeyInfo)
GET_WEBSOCKETS_TOKEN: Final = Endpoint("/private/GetWebSocketsToken", PrivateRequest, account.WebSocketsToken)
LEVEL3: Final = Endpoint("/private/Level3", account.Level3Request, account.Level3Book)

OPEN_ORDERS: Final = Endpoint("/private/OpenOrders", history.OpenOrdersRequest, history.OpenOrders)
CLOSED_ORDERS: Final = Endpoint("/private/ClosedOrders", history.ClosedOrdersRequest, history.ClosedOrders)
QUERY_ORDERS: Final = Endpoint("/private/QueryOrders", history.QueryOrdersRequest, dict[str, history.Order])
ORDER_AMENDS: Final = Endpoint("/private/OrderAmends", history.OrderAmendsRequest, history.OrderAmends)
TRADES_HISTORY: Final = Endpoint("/private/TradesHistory", history.TradesHistoryRequest, history.TradesHistory)
QUERY_TRADES: Final = Endpoint("/private/QueryTrades", history.QueryTradesRequest, dict[str, history.Trade])
LEDGERS: Final = Endpoint("/private/Ledgers", history.LedgersRequest, history.Ledgers)
QUERY_LEDGERS: Final = Endpoint("/private/QueryLedgers", history.QueryLedgersRequest, dict[str, history.LedgerEntry])

ADD_ORDER: Final = Endpoint("/private/AddOrder", trading.AddOrder, trading.AddOrderResult)
ADD_ORDER_BATCH: Final = Endpoint("/private/AddOrderBatch", trading.AddOrderBatch, trading.AddOrderBatchResult)
AMEND_ORDER: Final = Endpoint("/private/AmendOrder", trading.AmendOrder, trading.AmendOrderResult)
EDIT_ORDER: Final = Endpoint("/private/EditOrder", trading.EditOrder, trading.EditOrderResult)
CANCEL_ORDER: Final = Endpoint("/private/CancelOrder", trading.CancelOrder, trading.CancelResult)
CANCEL_ORDER_BATCH: Final = Endpoint("/private/CancelOrderBatch", trading.CancelOrderBatch, trading.CancelResult)
CANCEL_ALL: Final = Endpoint("/private/CancelAll", PrivateRequest, trading.CancelResult)
CANCEL_ALL_ORDERS_AFTER: Final = Endpoint(
    "/private/CancelAllOrdersAfter", trading.CancelAllOrdersAfter, trading.CancelAllOrdersAfterResult
)

DEPOSIT_METHODS: Final = Endpoint("/private/DepositMethods", funding.DepositMethodsRequest, list[funding.DepositMethod])
DEPOSIT_ADDRESSES: Final = Endpoint(
    "/private/DepositAddresses", funding.DepositAddressesRequest, list[funding.DepositAddress]
)
DEPOSIT_STATUS: Final = Endpoint[funding.MovementsRequest, _Movements](
    "/private/DepositStatus", funding.MovementsRequest, cast(Any, _Movements)
)
WITHDRAW_METHODS: Final = Endpoint(
    "/private/WithdrawMethods", funding.WithdrawalMethodsRequest, list[funding.WithdrawalMethod]
)
WITHDRAW_ADDRESSES: Final = Endpoint(
    "/private/WithdrawAddresses", funding.WithdrawalAddressesRequest, list[funding.WithdrawalAddress]
)
WITHDRAW_INFO: Final = Endpoint("/private/WithdrawInfo", funding.WithdrawInfoRequest, funding.WithdrawInfo)
WITHDRAW: Final = Endpoint("/private/Withdraw", funding.WithdrawRequest, funding.RefId)
WITHDRAW_STATUS: Final = Endpoint[funding.MovementsRequest, _Movements](
    "/private/WithdrawStatus", funding.MovementsRequest, cast(Any, _Movements)
)
WITHDRAW_CANCEL: Final = Endpoint("/private/WithdrawCancel", funding.WithdrawCancelRequest, bool)
WALLET_TRANSFER: Final = Endpoint("/private/WalletTransfer", funding.WalletTransferRequest, funding.RefId)
CREATE_SUBACCOUNT: Final = Endpoint("/private/CreateSubaccount", funding.CreateSubaccountRequest, bool)
ACCOUNT_TRANSFER: Final = Endpoint(
    "/private/AccountTransfer", funding.AccountTransferRequest, funding.AccountTransferResult
)

EARN_STRATEGIES: Final = Endpoint("/private/Earn/Strategies", earn.StrategiesRequest, earn.Strategies)
EARN_ALLOCATIONS: Final = Endpoint("/private/Earn/Allocations", earn.AllocationsRequest, earn.Allocations)
EARN_ALLOCATE: Final = Endpoint("/private/Earn/Allocate", earn.AllocateRequest, bool)
EARN_DEALLOCATE: Final = Endpoint("/private/Earn/Deallocate", earn.AllocateRequest, bool)
EARN_ALLOCATE_STATUS: Final = Endpoint("/private/Earn/AllocateStatus", earn.StatusRequest, earn.AllocationStatus)
EARN_DEALLOCATE_STATUS: Final = Endpoint("/private/Earn/DeallocateStatus", earn.StatusRequest, earn.AllocationStatus)

ADD_EXPORT: Final = Endpoint("/private/AddExport", exports.AddExportRequest, exports.ExportId)
EXPORT_STATUS: Final = Endpoint("/private/ExportStatus", exports.ExportStatusRequest, list[exports.ExportReport])
RETRIEVE_EXPORT: Final = Endpoint("/private/RetrieveExport", exports.RetrieveExportRequest, exports.ExportId)
REMOVE_EXPORT: Final = Endpoint("/private/RemoveExport", exports.RemoveExportRequest, exports.RemoveExportResult)

ENDPOINTS: Mapping[str, Endpoint[Any, Any]] = {
    each.path: each for each in list(globals().values()) if isinstance(each, Endpoint)
}
"""All endpoints by path."""
