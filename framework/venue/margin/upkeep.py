"""What follows from fills, rollovers and prices once they are done: orders that may only reduce, debts, margin levels.

Reduce-only orders in the book are for no more than there is to reduce: what is beyond is taken off the least aggressive
ones, or cancels them (support/203053246; rest-api/add-order, reduce_only). A balance that a loss or a fee has taken
below what its open orders hold is filled up from others, in the order of support/9148088075028; where that is not
enough the orders that hold money are canceled, newest first, and then it is below zero: a debt (assumption).

At the margin call level an account is called; at the liquidation level its positions are closed by market orders of the
venue, oldest first whatever the pair (support/203325763). Such an order cancels own orders that it meets, is charged to
no counter and belongs to the session that opened the position (assumption). Where the book has nothing for it, it is
tried again at the next look.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from framework.messages import AddOrder, ExecType, OrderState
from framework.protocol import BUY, MarginRules, OrderType, RejectReason, StpMode
from framework.venue.account import Account
from framework.venue.book import Pair
from framework.venue.entry import Entry
from framework.venue.lifecycle import Lifecycle
from framework.venue.margin.lending import Due, Lending
from framework.venue.margin.positions import Position
from framework.venue.margin.standing import Standings
from framework.venue.orders import NO_SLOT, Order
from framework.venue.reports import Reporter

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel

__all__ = ["MarginUpkeep"]

_CANCELED = OrderState.CANCELED


class MarginUpkeep:
    """Looks at accounts: at those in ``Lending.due``, and at each whose check is due."""

    def __init__(
        self,
        rules: MarginRules,
        kernel: MatchingKernel,
        lending: Lending,
        standings: Standings,
        lifecycle: Lifecycle,
        entry: Entry,
        reporter: Reporter,
        loss_assets: tuple[int, ...],
        valued_in: int,
    ) -> None:
        """loss_assets: indices of the assets that losses are taken from, in their order. valued_in: what sums are
        compared in.
        """
        self._rules = rules
        self._kernel = kernel
        self._lending = lending
        self._standings = standings
        self._lifecycle = lifecycle
        self._entry = entry
        self._reporter = reporter
        self._loss_assets = loss_assets
        self._valued_in = valued_in

    def look(self, now_ns: int) -> None:
        """Look at all accounts that something happened to, until nothing more happens."""
        waiting = self._lending.due
        while waiting:
            due = waiting.pop(next(iter(waiting)))
            self._cover(due, now_ns)
            for side in (0, 1):
                self._trim_reduce_only(due.account, due.pair, side, now_ns)
            self._look_at_level(due.account, now_ns)

    def check(self, account: Account, now_ns: int) -> None:
        """A check of an account's margin level is due."""
        margin = account.margin
        assert margin is not None
        if not margin.positions:
            margin.check_ns = margin.called_ns = None
            return
        self._lending.arm_check(account, now_ns)
        self._look_at_level(account, now_ns)
        self.look(now_ns)

    # ------------------------------------------------------------------------------------------------- orders

    def _trim_reduce_only(self, account: Account, pair: Pair, side: int, now_ns: int) -> None:
        orders = [
            order
            for order in account.open_orders.values()
            if order.is_reduce_only and order.pair is pair and order.side == side and order.slot != NO_SLOT
        ]
        if not orders:
            return
        margin = account.margin
        assert margin is not None
        excess = sum(order.qty_lots - order.cum_lots for order in orders) - margin.open_lots(pair, 1 - side)
        sign = 1 if side == BUY else -1
        orders.sort(key=lambda order: (sign * (order.limit_ticks or 0), -order.seq))
        for order in orders:
            if excess <= 0:
                return
            leaves = order.qty_lots - order.cum_lots
            if leaves <= excess:
                self._lifecycle.end(order, _CANCELED, RejectReason.REDUCE_ONLY_CLOSED, now_ns)
            else:
                order.qty_lots -= excess
                self._kernel.reduce(order.slot, leaves - excess)
                self._reporter.order_changed(order, ExecType.RESTATED, now_ns, None, RejectReason.REDUCE_ONLY_CLOSED)
                observer = self._lifecycle.observer
                if observer is not None:
                    observer.on_amend(order.cl_ord_id, order.order_id, True, now_ns)
            excess -= leaves

    # ------------------------------------------------------------------------------------------------- debts

    def _cover(self, due: Due, now_ns: int) -> None:
        account = due.account
        for asset, total in enumerate(account.totals):
            if total >= account.holds[asset]:
                continue
            self._fill_up(due, asset, now_ns)
            self._free(account, account.totals[asset], now_ns, asset)
            if account.totals[asset] < 0:
                self._free(account, 0, now_ns)
                self._fill_up(due, asset, now_ns)

    def _fill_up(self, due: Due, asset: int, now_ns: int) -> None:
        account = due.account
        for source in self._sources(due.pair):
            short = account.holds[asset] - account.totals[asset]
            if short <= 0:
                return
            if source != asset:
                self._lending.convert(due, source, asset, short, now_ns)

    def _sources(self, pair: Pair) -> list[int]:
        """Assets from which a loss of a pair is taken, the first one first."""
        own = [pair.quote, pair.base]
        collateral = [asset for asset in own if self._standings.is_collateral(asset)]
        return list(dict.fromkeys([*collateral, *self._loss_assets, *own]))

    def _free(self, account: Account, most_units: int, now_ns: int, asset: int | None = None) -> None:
        """Cancel orders that hold an asset, or anything, newest first, until no more than so much is held."""
        for order in reversed(list(account.open_orders.values())):
            if asset is not None and account.holds[asset] <= max(most_units, 0):
                return
            if order.is_open and order.hold_units and asset in (None, order.hold_asset):
                self._lifecycle.end(order, _CANCELED, RejectReason.LIQUIDATED, now_ns)

    # ------------------------------------------------------------------------------------------------- levels

    def _look_at_level(self, account: Account, now_ns: int) -> None:
        margin = account.margin
        assert margin is not None
        level = self._level(account)
        rules = self._rules
        if level is None or level > rules.call_percent:
            margin.called_ns = None
            return
        if margin.called_ns is None:
            margin.called_ns = now_ns
            if self._lifecycle.observer is not None:
                self._lifecycle.observer.on_margin_call(account.name, now_ns)
        if level <= rules.stop_percent:
            self._liquidate(account, now_ns, is_total=rules.is_stop_total)
        elif rules.is_call_enforced:
            self._liquidate(account, now_ns, is_total=False)

    def _level(self, account: Account) -> Fraction | None:
        return self._standings.standing(account, self._valued_in).level_percent

    def _liquidate(self, account: Account, now_ns: int, *, is_total: bool) -> None:
        margin = account.margin
        assert margin is not None
        for position in list(margin.positions.values()):
            if not is_total:
                level = self._level(account)
                if level is None or level > 100:
                    return
            if position.is_open and position.pair.is_matching:
                self._take_back(account, position, now_ns)

    def _take_back(self, account: Account, position: Position, now_ns: int) -> None:
        pair, side = position.pair, 1 - position.side
        if self._kernel.best(pair.index, 1 - side) is None and pair.first_crossed(side, None) is None:
            return
        command = AddOrder(
            request_id=0,
            cl_ord_id="",
            symbol=pair.symbol,
            side=side,
            order_type=OrderType.MARKET,
            qty_lots=position.open_lots,
            stp_mode=StpMode.CANCEL_OLDEST,
            is_reduce_only=True,
            leverage=position.leverage,
        )
        order: Order = self._entry.prepare(command, account, pair, position.order.session, None, now_ns)
        order.is_liquidation = True
        self._entry.accept(order, now_ns, is_held=False)
        self._entry.begin(order, now_ns)
