"""What an account may ask of itself. Sources: rest-api/get-account-balance and its neighbours under Account Data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from adapters.kraken.server.context import ServerContext
from adapters.kraken.server.keys import ApiKey
from adapters.kraken.server.orders import SIDE_WORDS, TYPE_WORDS, OrderWords, attachment_of
from adapters.kraken.server.pairs import ServedPair, fixed
from adapters.kraken.server.refusal import Refusal, invalid
from adapters.kraken.server.rest.params import Params
from adapters.kraken.symbols import rest_asset
from framework.protocol import BUY, TimeInForce
from framework.venue.fees import FeeMeter
from framework.venue.orders import Order
from framework.venue.served.records import LedgerEntry, TradeRecord

__all__ = ["AccountRequests"]

T = TypeVar("T")

_NS = 10**9
_PAGE = 50
_IDS_MAX = {"orders": 50, "rows": 20}
_NO_POSITION = "TKH2SE-M7IF5-CFI7LT"


class AccountRequests:
    """Answers requests about an account; each method gives the ``result``, or raises Refusal."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._host = context.host
        self._records = context.host.records
        self._pairs = context.pairs
        self.methods: Mapping[str, Callable[[ApiKey, Params], Any]] = {
            "Balance": self._balance,
            "BalanceEx": self._balance_ex,
            "CreditLines": self._credit_lines,
            "TradeBalance": self._trade_balance,
            "OpenOrders": self._open_orders,
            "ClosedOrders": self._closed_orders,
            "QueryOrders": self._query_orders,
            "TradesHistory": self._trades_history,
            "QueryTrades": self._query_trades,
            "OpenPositions": self._open_positions,
            "Ledgers": self._ledgers,
            "QueryLedgers": self._query_ledgers,
            "TradeVolume": self._trade_volume,
            "GetApiKeyInfo": self._key_info,
            "GetWebSocketsToken": self._token,
            "Level3": self._level3,
        }

    # ------------------------------------------------------------------------------------------------- money

    def _amounts(self, key: ApiKey) -> Iterable[tuple[str, str, Decimal, Decimal]]:
        """Canonical name, REST name, total and hold of each asset that the account has something of."""
        for asset, (total, hold) in self._records.balances(key.account).items():
            if total or hold:
                yield asset, rest_asset(asset), total, hold

    def _balance(self, key: ApiKey, params: Params) -> Any:
        return {name: self._amount(asset, total) for asset, name, total, _ in self._amounts(key)}

    def _balance_ex(self, key: ApiKey, params: Params) -> Any:
        return {
            name: {"balance": self._amount(asset, total), "hold_trade": self._amount(asset, hold)}
            for asset, name, total, hold in self._amounts(key)
        }

    def _amount(self, asset: str, amount: Decimal) -> str:
        return fixed(amount, self._pairs.asset_decimals(asset))

    def _trade_balance(self, key: ApiKey, params: Params) -> Any:
        asset = self._pairs.asset(params.get("asset", "ZUSD"))
        if asset is None:
            raise Refusal("EQuery:Unknown asset")
        worth = held = Decimal(0)
        for name, _, total, hold in self._amounts(key):
            rate = self._rate(name, asset)
            worth += total * rate
            held += hold * rate
        total_text = fixed(worth, 4)
        zero = fixed(Decimal(0), 4)
        return {
            "eb": total_text,
            "tb": total_text,
            "m": zero,
            "uv": zero,
            "n": zero,
            "c": zero,
            "v": zero,
            "e": total_text,
            "mf": total_text,
            "mfo": fixed(worth - held, 4),
        }

    def _rate(self, asset: str, into: str) -> Decimal:
        """What one unit of an asset is worth in another, by the last trade; 0 where no pair tells."""
        if asset == into:
            return Decimal(1)
        for pair in self._pairs.all:
            last = self._context.last_ticks(pair.spec.symbol)
            if last is not None and {pair.spec.base, pair.spec.quote} == {asset, into}:
                price = pair.tick * last
                return price if pair.spec.base == asset else 1 / price
        return Decimal(0)

    def _credit_lines(self, key: ApiKey, params: Params) -> Any:
        """No account of a simulated venue has credit."""
        return None

    def _open_positions(self, key: ApiKey, params: Params) -> Any:
        """Nothing is traded on margin, so there are no positions."""
        return {}

    # ------------------------------------------------------------------------------------------------- orders

    def order_object(self, key: ApiKey, order: Order, *, has_trades: bool) -> dict[str, Any]:
        """An order as all account endpoints show it."""
        pair = self._pairs.by_symbol[order.pair.symbol]
        note = attachment_of(order)
        trades = self._records.trades_of(key.account, order.order_id)
        cost, fee = self._records.cost_of(key.account, order.order_id)
        price, price2 = OrderWords.shown_prices(order, pair, note)
        volume = OrderWords.volume(order, pair, note)
        average = cost / (pair.lot * order.cum_lots) if order.cum_lots else Decimal(0)
        shown: dict[str, Any] = {
            "refid": None,
            "userref": note.userref,
            "cl_ord_id": order.cl_ord_id or None,
            "status": OrderWords.status(order),
            "opentm": order.opened_ns / _NS,
            "starttm": (order.start_ns or 0) // _NS,
            "expiretm": (order.expire_ns or 0) // _NS,
            "descr": {
                "pair": pair.names.rest,
                "aclass": "forex",
                "type": SIDE_WORDS[order.side],
                "ordertype": TYPE_WORDS[order.order_type],
                "price": price,
                "price2": price2,
                "leverage": "none",
                "order": OrderWords.line(order, pair, volume, price, price2),
                "close": "",
            },
            "vol": volume,
            "vol_exec": pair.qty(order.cum_lots),
            "cost": fixed(cost, pair.cost_decimals),
            "fee": fixed(fee, pair.cost_decimals),
            "price": fixed(average, pair.pair_decimals),
            "stopprice": "0.00000" if order.trigger_ticks is None else pair.price(order.trigger_ticks, 5),
            "limitprice": "0.00000",
            "trigger": "last",
            "margin": False,
            "misc": _misc(order),
            "oflags": note.oflags or ("fciq" if order.side == BUY else "fcib"),
            "time_in_force": TimeInForce(order.time_in_force).name.lower(),
            "sender_sub_id": None,
        }
        if not order.is_open:
            shown["closetm"] = order.ended_ns / _NS
            shown["reason"] = None if order.end_reason is None else self._host.refusal_text(order.end_reason) or None
        if has_trades and trades:
            shown["trades"] = [trade.trade_id for trade in trades]
        return shown

    def _open_orders(self, key: ApiKey, params: Params) -> Any:
        orders = self._matching(params, self._records.orders_open(key.account))
        has_trades = params.flag("trades")
        return {
            "open": {order.order_id: self.order_object(key, order, has_trades=has_trades) for order in reversed(orders)}
        }

    def _closed_orders(self, key: ApiKey, params: Params) -> Any:
        which = params.get("closetime", "both")
        if which not in ("open", "close", "both"):
            raise invalid("closetime")
        has_trades = params.flag("trades")

        def moments(order: Order) -> tuple[int, ...]:
            times = {"open": (order.opened_ns,), "close": (order.ended_ns,)}
            return times.get(which, (order.opened_ns, order.ended_ns))

        def moment_of_id(text: str) -> int | None:
            order = self._records.order(key.account, text)
            return None if order is None else order.opened_ns

        orders = self._matching(params, self._records.orders_ended(key.account))
        found, count = self._page(params, orders, moments, moment_of_id)
        closed = {order.order_id: self.order_object(key, order, has_trades=has_trades) for order in found}
        return {"closed": closed} if params.flag("without_count") else {"closed": closed, "count": count}

    def _query_orders(self, key: ApiKey, params: Params) -> Any:
        has_trades = params.flag("trades")
        shown = {}
        for order_id in self._ids(params, "txid", "orders"):
            order = self._records.order(key.account, order_id)
            if order is None:
                raise Refusal("EOrder:Invalid order")
            shown[order_id] = self.order_object(key, order, has_trades=has_trades)
        return shown

    def _matching(self, params: Params, orders: Sequence[Order]) -> list[Order]:
        userref = params.whole("userref", 0, -(2**31), 2**31 - 1) if params.get("userref") else None
        cl_ord_id = params.get("cl_ord_id")
        return [
            order
            for order in orders
            if (userref is None or attachment_of(order).userref == userref)
            and (not cl_ord_id or order.cl_ord_id == cl_ord_id)
        ]

    # ------------------------------------------------------------------------------------------------- trades, ledger

    def _trades_history(self, key: ApiKey, params: Params) -> Any:
        kind = params.get("type", "all")
        if kind not in ("all", "any position", "closed position", "closing position", "no position"):
            raise invalid("type")
        trades = self._records.trades(key.account) if kind in ("all", "no position") else []
        has_ledgers = params.flag("ledgers")

        def moment_of_id(text: str) -> int | None:
            trade = self._records.trade(key.account, text)
            return None if trade is None else trade.ts_ns

        found, count = self._page(params, trades, lambda trade: (trade.ts_ns,), moment_of_id)
        shown = {trade.trade_id: self._trade_object(trade, has_ledgers=has_ledgers) for trade in found}
        return {"trades": shown} if params.flag("without_count") else {"trades": shown, "count": count}

    def _query_trades(self, key: ApiKey, params: Params) -> Any:
        shown = {}
        for trade_id in self._ids(params, "txid", "rows"):
            trade = self._records.trade(key.account, trade_id)
            if trade is None:
                raise Refusal("EQuery:Unknown trade")
            shown[trade_id] = self._trade_object(trade, has_ledgers=False)
        return shown

    def _trade_object(self, trade: TradeRecord, *, has_ledgers: bool) -> dict[str, Any]:
        order = trade.order
        pair = self._pairs.by_symbol[order.pair.symbol]
        shown: dict[str, Any] = {
            "ordertxid": order.order_id,
            "postxid": _NO_POSITION,
            "pair": pair.names.rest_id,
            "aclass": "forex",
            "time": trade.ts_ns / _NS,
            "type": SIDE_WORDS[order.side],
            "ordertype": TYPE_WORDS[order.order_type],
            "price": pair.price(trade.price_ticks, 5),
            "cost": fixed(trade.cost, pair.cost_decimals),
            "fee": fixed(trade.fee, pair.cost_decimals),
            "vol": pair.qty(trade.qty_lots),
            "margin": "0.00000",
            "leverage": "0",
            "misc": "",
            "trade_id": trade.number,
            "maker": trade.is_maker,
        }
        if has_ledgers:
            shown["ledgers"] = list(trade.ledger_ids)
        return shown

    def _ledgers(self, key: ApiKey, params: Params) -> Any:
        kind = params.get("type", "all")
        wanted = set()
        for name in params.items("asset"):
            asset = self._pairs.asset(name)
            if asset is None and name != "all":
                raise Refusal("EQuery:Unknown asset")
            if asset is not None:
                wanted.add(asset)
        entries = [
            entry
            for entry in self._records.ledger(key.account)
            if (kind in ("all", entry.kind)) and (not wanted or entry.asset in wanted)
        ]

        def moment_of_id(text: str) -> int | None:
            entry = self._records.entry(key.account, text)
            return None if entry is None else entry.ts_ns

        found, count = self._page(params, entries, lambda entry: (entry.ts_ns,), moment_of_id)
        shown = {entry.ledger_id: self._entry_object(entry) for entry in found}
        return {"ledger": shown} if params.flag("without_count") else {"ledger": shown, "count": count}

    def _query_ledgers(self, key: ApiKey, params: Params) -> Any:
        shown = {}
        for ledger_id in self._ids(params, "id", "rows"):
            entry = self._records.entry(key.account, ledger_id)
            if entry is None:
                raise Refusal("EQuery:Unknown ledger")
            shown[ledger_id] = self._entry_object(entry)
        return shown

    def _entry_object(self, entry: LedgerEntry) -> dict[str, Any]:
        return {
            "refid": entry.ref_id,
            "time": entry.ts_ns / _NS,
            "type": entry.kind,
            "subtype": "",
            "aclass": "currency",
            "asset": rest_asset(entry.asset),
            "amount": self._amount(entry.asset, entry.amount),
            "fee": self._amount(entry.asset, entry.fee),
            "balance": self._amount(entry.asset, entry.balance),
        }

    # ------------------------------------------------------------------------------------------------- key, fees, L3

    def _trade_volume(self, key: ApiKey, params: Params) -> Any:
        volume = Decimal(self._host.venue.accounts[key.account].fees.volume) / FeeMeter.SCALE
        shown: dict[str, Any] = {
            "currency": rest_asset(self._host.profile.fee_volume_currency),
            "volume": fixed(volume, 4),
        }
        names = params.items("pair")
        if not names:
            return shown
        tiers = self._host.profile.fees
        at = max(index for index, tier in enumerate(tiers) if tier.volume_30d <= volume)
        following = tiers[at + 1] if at + 1 < len(tiers) else None
        rows: dict[str, dict[str, Any]] = {"fees": {}, "fees_maker": {}}
        for name in names:
            pair = self._pair(name)
            for kind, rates in (
                ("fees", [tier.taker_ppm for tier in tiers]),
                ("fees_maker", [tier.maker_ppm for tier in tiers]),
            ):
                rows[kind][pair.names.rest_id] = {
                    "fee": _percent(rates[at]),
                    "min_fee": _percent(min(rates)),
                    "max_fee": _percent(max(rates)),
                    "next_fee": _percent(rates[at + 1]) if following is not None else None,
                    "next_volume": None if following is None else f"{following.volume_30d}.0000",
                    "tier_volume": f"{tiers[at].volume_30d}.0000",
                }
        return {**shown, **rows}

    def _key_info(self, key: ApiKey, params: Params) -> Any:
        return {
            "apiKeyName": key.name,
            "apiKey": key.key,
            "nonce": str(key.last_nonce),
            "nonceWindow": key.nonce_window,
            "permissions": sorted(key.permissions),
            "iban": "",
            "validUntil": "0",
            "queryFrom": "0",
            "queryTo": "0",
            "createdTime": "0",
            "modifiedTime": "0",
            "ipAllowlist": [],
            "lastUsed": None,
        }

    def _token(self, key: ApiKey, params: Params) -> Any:
        return {"token": self._context.keys.make_token(key, self._host.now_ns), "expires": 900}

    def _level3(self, key: ApiKey, params: Params) -> Any:
        raise Refusal("EService:Unavailable")

    # ------------------------------------------------------------------------------------------------- pages

    def _pair(self, name: str) -> ServedPair:
        pair = self._pairs.find(name)
        if pair is None:
            raise Refusal("EQuery:Unknown asset pair")
        return pair

    def _ids(self, params: Params, name: str, kind: str) -> list[str]:
        ids = params.items(name)
        if not ids or len(ids) > _IDS_MAX[kind]:
            raise invalid(name)
        return ids

    def _page(
        self,
        params: Params,
        rows: Sequence[T],
        moments: Callable[[T], tuple[int, ...]],
        moment_of_id: Callable[[str], int | None],
    ) -> tuple[list[T], int]:
        """A page of rows, newest first, and how many there are: ``start`` is exclusive, ``end`` inclusive."""
        start_ns = self._moment(params, "start", moment_of_id)
        end_ns = self._moment(params, "end", moment_of_id)
        found = [
            row
            for row in rows
            if any(
                (start_ns is None or at_ns > start_ns) and (end_ns is None or at_ns <= end_ns) for at_ns in moments(row)
            )
        ]
        found.reverse()
        offset = params.whole("ofs", 0, 0, 2**31)
        return found[offset : offset + _PAGE], len(found)

    def _moment(self, params: Params, name: str, moment_of_id: Callable[[str], int | None]) -> int | None:
        text = params.get(name)
        if not text:
            return None
        whole, _, fraction = text.partition(".")
        if whole.isdigit() and (not fraction or fraction.isdigit()) and len(whole) <= 12:
            seconds = int(whole) * _NS + int(fraction[:9].ljust(9, "0"))
            return None if seconds == 0 else seconds
        found = moment_of_id(text)
        if found is None:
            raise invalid(name)
        return found


def _misc(order: Order) -> str:
    words = []
    if order.opened_ns != order.aged_ns:
        words.append("amended")
    if not order.is_open and 0 < order.cum_lots < order.qty_lots:
        words.append("partial")
    return ",".join(words)


def _percent(ppm: int) -> str:
    return fixed(Decimal(ppm) / 10_000, 4)
