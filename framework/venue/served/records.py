"""What accounts may ask of their past: orders, trades, ledger. Kept as the venue makes it, bounded.

A fill is a trade and two ledger entries with one reference: what came and what went; the fee is on the entry of the
currency that it is charged in. A fill on margin has an entry for its profit or loss and its fees, and one more for each
other balance that it moved. Amounts are exact decimals.

Of each account so many ended orders, trades and ledger entries are kept as ``history_max`` says; what is older is
forgotten, by the venue's own indexes too, so that a venue may run without end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from framework.messages import ExecutionReport
from framework.protocol import BUY
from framework.venue.account import Account
from framework.venue.exchange import Venue
from framework.venue.margin.lending import Movement, MovementKind
from framework.venue.margin.positions import MarginFill
from framework.venue.orders import Order
from framework.venue.served.amendments import Amendments

__all__ = ["LedgerEntry", "Records", "TradeRecord"]

# Forgetting is done for many at once: lists are shortened when they are longer than the limit by this share.
_SLACK = 8
# Type and category of the ledger entries of margin trading (rest-api/get-ledgers, websocket-v2/balances).
_MARGIN_KINDS = {
    MovementKind.TRADE: ("margin", "margin-trade"),
    MovementKind.ROLLOVER: ("rollover", "marginrollover"),
    MovementKind.SETTLEMENT: ("settled", "margin-settle"),
    MovementKind.CONVERSION: ("margin", "margin-conversion"),
}


class TradeRecord(msgspec.Struct, frozen=True, gc=False):
    """One fill of one account's order.

    number: of the fill at the venue, increasing. fee: in quote currency; charged: what was taken for it, in fee_asset.
    margin: what it did to positions; None for a cash trade.
    """

    trade_id: str
    number: int
    order: Order
    ts_ns: int
    price_ticks: int
    qty_lots: int
    cost: Decimal
    fee: Decimal
    is_maker: bool
    ledger_ids: tuple[str, ...]
    charged: Decimal
    fee_asset: str
    margin: MarginFill | None = None


class LedgerEntry(msgspec.Struct, frozen=True, gc=False):
    """One movement of one asset. balance: after it.

    kind: "trade", "deposit", "withdrawal", "transfer"; of margin trading "margin", "rollover", "settled". category:
    what of that kind it is.
    """

    ledger_id: str
    ref_id: str
    ts_ns: int
    asset: str
    kind: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    category: str


class _Past:
    def __init__(self) -> None:
        self.trades: list[TradeRecord] = []
        self.trade_by_id: dict[str, TradeRecord] = {}
        self.trades_of: dict[str, list[TradeRecord]] = {}
        self.ledger: list[LedgerEntry] = []
        self.entry_by_id: dict[str, LedgerEntry] = {}
        self.listeners: list[Callable[[LedgerEntry], None]] = []


class Records:
    """The past of all accounts of a venue. amendments: of their orders."""

    def __init__(self, venue: Venue, history_max: int = 50_000) -> None:
        self._venue = venue
        self._history_max = history_max
        self._past = {name: _Past() for name in venue.accounts}
        self.amendments = Amendments()
        self._ledger_count = 0
        self._trade_count = 0
        # Of the fill on margin that is about to be told: what it did, and its ledger entries.
        self._margin_fill: MarginFill | None = None
        self._margin_entries: list[str] = []

    # ------------------------------------------------------------------------------------------------- taking down

    def on_fill(self, report: ExecutionReport) -> None:
        """A fill, as the venue reports it; called right after the money moved."""
        venue = self._venue
        order = self.find(report.order_id)
        account, pair = order.account, order.pair
        past = self._past[account.name]
        assets = venue.assets
        cost = assets.amount(pair.quote, pair.cost(report.last_ticks, report.last_lots))
        qty = assets.amount(pair.base, report.last_lots * pair.lot_units)
        charged = report.fee or Decimal(0)
        is_in_base = report.fee_asset == pair.spec.base
        fee = charged * Decimal(pair.spec.tick_size) * report.last_ticks if is_in_base else charged
        sign = 1 if report.side == BUY else -1
        assert report.exec_id is not None
        margin, self._margin_fill = self._margin_fill, None
        if margin is not None:
            ids, self._margin_entries = tuple(self._margin_entries), []
            fee = assets.amount(pair.quote, margin.fee_units)
        else:
            ids = tuple(
                self._enter(past, report.exec_id, report.ts_venue_ns, asset, "trade", amount, charged, account)
                for asset, amount, charged in (
                    (pair.base, sign * qty, charged if is_in_base else Decimal(0)),
                    (pair.quote, -sign * cost, Decimal(0) if is_in_base else charged),
                )
            )
        self._trade_count += 1
        trade = TradeRecord(
            report.exec_id,
            self._trade_count,
            order,
            report.ts_venue_ns,
            report.last_ticks,
            report.last_lots,
            cost,
            fee,
            bool(report.is_maker),
            ids,
            charged,
            pair.spec.base if is_in_base else pair.spec.quote,
            margin,
        )
        past.trades.append(trade)
        past.trade_by_id[trade.trade_id] = trade
        past.trades_of.setdefault(report.order_id, []).append(trade)
        self._forget(account, past)

    def on_margin_fill(self, fill: MarginFill) -> None:
        """A fill on margin, which ``on_fill`` will tell next; its movements have been told."""
        self._margin_fill = fill

    def on_movement(self, movement: Movement) -> None:
        """Margin trading has moved a balance; called right after the money moved."""
        assets, asset = self._venue.assets, movement.asset
        account = self._venue.accounts[movement.account]
        kind, category = _MARGIN_KINDS[movement.kind]
        ledger_id = self._enter(
            self._past[account.name],
            movement.ref_id,
            movement.ts_ns,
            asset,
            kind,
            assets.amount(asset, movement.amount_units),
            assets.amount(asset, movement.fee_units),
            account,
            category,
        )
        if movement.kind is MovementKind.TRADE:
            self._margin_entries.append(ledger_id)

    def move(self, account: str, asset: str, amount: Decimal, kind: str, ref_id: str, now_ns: int) -> LedgerEntry:
        """Money comes or goes from outside; raises ValueError for more than is available and for odd decimals."""
        venue = self._venue
        holder = venue.accounts[account]
        index = venue.assets.index[asset]
        units = venue.assets.units(index, amount)
        if holder.available(index) + units < 0 or not self._is_free(holder, index, -units):
            raise ValueError(f"{-amount} {asset} is more than is available")
        holder.bring(index, units)
        past = self._past[account]
        ledger_id = self._enter(past, ref_id, now_ns, index, kind, amount, Decimal(0), holder)
        return past.entry_by_id[ledger_id]

    def _is_free(self, holder: Account, asset: int, units: int) -> bool:
        """Whether what may leave an account is not what its positions on margin rest on."""
        margin = self._venue.margin
        if margin is None or holder.margin is None or not holder.margin.is_in_use or units <= 0:
            return True
        return margin.checks.cash_refusal(holder, asset, units) is None

    def _enter(
        self,
        past: _Past,
        ref_id: str,
        ts_ns: int,
        asset: int,
        kind: str,
        amount: Decimal,
        fee: Decimal,
        account: Account,
        category: str = "",
    ) -> str:
        self._ledger_count += 1
        count = self._ledger_count
        ledger_id = f"L{count // 10**11:05d}-{count // 10**6 % 10**5:05d}-{count % 10**6:06d}"
        assets = self._venue.assets
        balance = assets.amount(asset, account.totals[asset])
        entry = LedgerEntry(ledger_id, ref_id, ts_ns, assets.names[asset], kind, amount, fee, balance, category or kind)
        past.ledger.append(entry)
        past.entry_by_id[ledger_id] = entry
        for callback in tuple(past.listeners):
            callback(entry)
        return ledger_id

    def listen(self, account: str, callback: Callable[[LedgerEntry], None]) -> None:
        """Have each new ledger entry of an account told."""
        self._past[account].listeners.append(callback)

    def unlisten(self, account: str, callback: Callable[[LedgerEntry], None]) -> None:
        """Have no more told."""
        self._past[account].listeners.remove(callback)

    def _forget(self, account: Account, past: _Past) -> None:
        most = self._history_max
        most_now = most + most // _SLACK
        if len(past.trades) > most_now:
            for trade in past.trades[:-most]:
                del past.trade_by_id[trade.trade_id]
                past.trades_of.pop(trade.order.order_id, None)
            del past.trades[:-most]
            del account.trades[:-most]
        if len(past.ledger) > 2 * most_now:
            for entry in past.ledger[: -2 * most]:
                del past.entry_by_id[entry.ledger_id]
            del past.ledger[: -2 * most]

    def forget_orders(self) -> None:
        """Forget what ended too long ago; called now and then, between commands."""
        most = self._history_max
        for account in self._venue.accounts.values():
            if len(account.ended) <= most + most // _SLACK:
                continue
            for order in account.ended[:-most]:
                del account.order_by_id[order.order_id]
                self.amendments.forget(order.order_id)
                if account.order_by_cl_ord_id.get(order.cl_ord_id) is order:
                    del account.order_by_cl_ord_id[order.cl_ord_id]
            del account.ended[:-most]

    # ------------------------------------------------------------------------------------------------- asking

    def orders_open(self, account: str) -> Sequence[Order]:
        """Open orders, oldest first."""
        return list(self._venue.accounts[account].open_orders.values())

    def orders_ended(self, account: str) -> Sequence[Order]:
        """Ended orders, the one that ended first first."""
        return self._venue.accounts[account].ended

    def find(self, order_id: str) -> Order:
        """An order of any account; raises KeyError for an id that none has."""
        for account in self._venue.accounts.values():
            order = account.order_by_id.get(order_id)
            if order is not None:
                return order
        raise KeyError(order_id)

    def order(self, account: str, order_id: str) -> Order | None:
        """An order by the venue's id; None if the account has none of it, or it is forgotten."""
        return self._venue.accounts[account].order_by_id.get(order_id)

    def trades_of(self, account: str, order_id: str) -> Sequence[TradeRecord]:
        """Fills of an order, oldest first."""
        return self._past[account].trades_of.get(order_id, ())

    def trades(self, account: str) -> Sequence[TradeRecord]:
        """Fills of an account, oldest first."""
        return self._past[account].trades

    def trade(self, account: str, trade_id: str) -> TradeRecord | None:
        """A fill by its id."""
        return self._past[account].trade_by_id.get(trade_id)

    def ledger(self, account: str) -> Sequence[LedgerEntry]:
        """Ledger entries of an account, oldest first."""
        return self._past[account].ledger

    def entry(self, account: str, ledger_id: str) -> LedgerEntry | None:
        """A ledger entry by its id."""
        return self._past[account].entry_by_id.get(ledger_id)

    def balances(self, account: str) -> dict[str, tuple[Decimal, Decimal]]:
        """Total and what of it open orders hold, by asset."""
        holder = self._venue.accounts[account]
        assets = self._venue.assets
        return {
            name: (assets.amount(index, holder.totals[index]), assets.amount(index, holder.holds[index]))
            for name, index in assets.index.items()
        }

    def cost_of(self, account: str, order_id: str) -> tuple[Decimal, Decimal]:
        """What an order has cost so far, and the fees of it, both in quote currency."""
        trades = self.trades_of(account, order_id)
        return sum((trade.cost for trade in trades), Decimal(0)), sum((trade.fee for trade in trades), Decimal(0))
