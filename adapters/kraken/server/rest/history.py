"""What an account may ask of its orders, trades and ledger.

Where the pages are silent on ids that nobody has, the request is refused (assumption).

Sources: rest-api/get-open-orders, get-closed-orders, get-orders-info, get-order-amends, get-trade-history,
get-trades-info, get-ledgers, get-ledgers-info.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.keys import ApiKey
from adapters.kraken.server.orders import attachment_of
from adapters.kraken.server.refusal import Refusal, invalid
from adapters.kraken.server.rest.order_rows import OrderRows, executions
from adapters.kraken.server.rest.pages import Place, page_of
from adapters.kraken.server.rest.params import Params
from framework.venue.orders import Order
from framework.venue.served.records import TradeRecord

__all__ = ["History"]

_ORDERS_MAX, _ROWS_MAX = 50, 20
_INT32 = (-(2**31), 2**31 - 1)
_TRADE_TYPES = ("all", "any position", "closed position", "closing position", "no position")
_LEDGER_TYPES = frozenset(
    {
        "all",
        "trade",
        "deposit",
        "withdrawal",
        "transfer",
        "margin",
        "adjustment",
        "rollover",
        "credit",
        "settled",
        "staking",
        "dividend",
        "sale",
        "nft_rebate",
    }
)
_CLOSE_TIMES = ("open", "close", "both")


class History:
    """Answers; each method gives the ``result``, or raises Refusal."""

    def __init__(self, context: ServerContext) -> None:
        self._records = context.host.records
        self._pairs = context.pairs
        self._rows = OrderRows(context)
        self.methods: Mapping[str, Callable[[ApiKey, Params], Any]] = {
            "OpenOrders": self._open_orders,
            "ClosedOrders": self._closed_orders,
            "QueryOrders": self._query_orders,
            "OrderAmends": self._order_amends,
            "TradesHistory": self._trades_history,
            "QueryTrades": self._query_trades,
            "Ledgers": self._ledgers,
            "QueryLedgers": self._query_ledgers,
        }

    # ------------------------------------------------------------------------------------------------- orders

    def _open_orders(self, key: ApiKey, params: Params) -> Any:
        orders = _matching(params, self._records.orders_open(key.account))
        has_trades = params.flag("trades")
        return {"open": {order.order_id: self._rows.order(order, has_trades=has_trades) for order in reversed(orders)}}

    def _closed_orders(self, key: ApiKey, params: Params) -> Any:
        which = params.get("closetime", "both")
        if which not in _CLOSE_TIMES:
            raise invalid("closetime")
        has_trades, is_consolidated = params.flag("trades"), params.flag("consolidate_taker", default=True)

        def places(order: Order) -> tuple[Place, ...]:
            opened, ended = (order.opened_ns, 0), (order.ended_ns, 0)
            return (opened,) if which == "open" else (ended,) if which == "close" else (opened, ended)

        def place_of_id(text: str) -> Place | None:
            order = self._records.order(key.account, text)
            return None if order is None else (order.opened_ns, 0)

        orders = _matching(params, self._records.orders_ended(key.account))
        found, count = page_of(params, orders, places, place_of_id)
        closed = {
            order.order_id: self._rows.order(order, has_trades=has_trades, is_consolidated=is_consolidated)
            for order in found
        }
        return _counted(params, {"closed": closed}, count)

    def _query_orders(self, key: ApiKey, params: Params) -> Any:
        has_trades, is_consolidated = params.flag("trades"), params.flag("consolidate_taker", default=True)
        orders = [self._order(key, order_id) for order_id in _ids(params, "txid", _ORDERS_MAX)]
        return {
            order.order_id: self._rows.order(order, has_trades=has_trades, is_consolidated=is_consolidated)
            for order in _matching(params, orders)
        }

    def _order_amends(self, key: ApiKey, params: Params) -> Any:
        order = self._order(key, params.required("order_id"))
        amends = [self._rows.amend(order, each) for each in self._records.amendments.of(order)]
        return {"count": len(amends), "amends": amends}

    def _order(self, key: ApiKey, order_id: str) -> Order:
        order = self._records.order(key.account, order_id)
        if order is None:
            raise Refusal("EOrder:Invalid order")
        if ("query-open-trades" if order.is_open else "query-closed-trades") not in key.permissions:
            raise Refusal("EGeneral:Permission denied")
        return order

    # ------------------------------------------------------------------------------------------------- trades

    def _trades_history(self, key: ApiKey, params: Params) -> Any:
        kind = params.get("type", "all")
        if kind not in _TRADE_TYPES:
            raise invalid("type")
        has_closings = params.flag("trades")
        has_ledgers, is_consolidated = params.flag("ledgers"), params.flag("consolidate_taker", default=True)
        trades = [trade for trade in self._records.trades(key.account) if _is_of_kind(trade, kind)]

        def place_of_id(text: str) -> Place | None:
            trade = self._records.trade(key.account, text)
            return None if trade is None else (trade.ts_ns, trade.number)

        found, count = page_of(
            params,
            executions(trades, is_consolidated=is_consolidated),
            lambda each: ((each.first.ts_ns, each.first.number),),
            place_of_id,
        )
        shown = {
            each.first.trade_id: self._rows.trade(each, has_ledgers=has_ledgers, has_closings=has_closings)
            for each in found
        }
        return _counted(params, {"trades": shown}, count)

    def _query_trades(self, key: ApiKey, params: Params) -> Any:
        shown = {}
        has_closings = params.flag("trades")
        for trade_id in _ids(params, "txid", _ROWS_MAX):
            trade = self._records.trade(key.account, trade_id)
            if trade is None:
                raise Refusal("EQuery:Unknown trade")
            (execution,) = executions([trade], is_consolidated=False)
            shown[trade_id] = self._rows.trade(execution, has_closings=has_closings)
        return shown

    # ------------------------------------------------------------------------------------------------- ledger

    def _ledgers(self, key: ApiKey, params: Params) -> Any:
        kind = params.get("type", "all")
        if kind not in _LEDGER_TYPES:
            raise invalid("type")
        wanted = self._assets(params)
        entries = [
            entry
            for entry in self._records.ledger(key.account)
            if kind in ("all", entry.kind) and (wanted is None or entry.asset in wanted)
        ]

        def place_of_id(text: str) -> Place | None:
            entry = self._records.entry(key.account, text)
            return None if entry is None else (entry.ts_ns, entry.ledger_id)

        found, count = page_of(params, entries, lambda entry: ((entry.ts_ns, entry.ledger_id),), place_of_id)
        return _counted(params, {"ledger": {entry.ledger_id: self._rows.entry(entry) for entry in found}}, count)

    def _query_ledgers(self, key: ApiKey, params: Params) -> Any:
        shown = {}
        for ledger_id in _ids(params, "id", _ROWS_MAX):
            entry = self._records.entry(key.account, ledger_id)
            if entry is None:
                raise Refusal("EQuery:Unknown ledger")
            shown[ledger_id] = self._rows.entry(entry)
        return shown

    def _assets(self, params: Params) -> set[str] | None:
        """The assets that a request is limited to; None for all."""
        names = params.items("asset")
        if not names or names == ["all"]:
            return None
        assets = {name: self._pairs.asset(name) for name in names}
        found = {asset for asset in assets.values() if asset is not None}
        if None in assets.values():
            raise Refusal("EQuery:Unknown asset")
        return found


def _is_of_kind(trade: TradeRecord, kind: str) -> bool:
    """Whether a trade is of a kind of rest-api/get-trade-history, ``type``; a closed position is told by what opened it
    (assumption).
    """
    margin = trade.margin
    match kind:
        case "all":
            return True
        case "no position":
            return margin is None
        case "any position":
            return margin is not None
        case "closing position":
            return margin is not None and bool(margin.closings)
        case _:
            return margin is not None and margin.opened is not None and not margin.opened.is_open


def _matching(params: Params, orders: Sequence[Order]) -> Sequence[Order]:
    """Those with the client's reference or id, if the request names one."""
    userref = params.whole("userref", 0, *_INT32) if params.get("userref") else None
    cl_ord_id = params.get("cl_ord_id")
    if userref is None and not cl_ord_id:
        return orders
    return [
        order
        for order in orders
        if (userref is None or attachment_of(order).userref == userref)
        and (not cl_ord_id or order.cl_ord_id == cl_ord_id)
    ]


def _counted(params: Params, shown: dict[str, Any], count: int) -> dict[str, Any]:
    return shown if params.flag("without_count") else {**shown, "count": count}


def _ids(params: Params, name: str, most: int) -> list[str]:
    ids = params.items(name)
    if not 0 < len(ids) <= most:
        raise invalid(name)
    return ids
