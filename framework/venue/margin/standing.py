"""How an account stands: collateral, used and free margin, margin level.

Equity is the collateral and the profit or loss of what is open; the free margin is equity without the margin that open
positions use; the margin level is equity over used margin (rest-api/get-trade-balance). What open orders hold or would
use is not free for others: assumption, from the ``mfo`` of live answers. An order on margin uses none for what it would
close, orders taken in the order of their entry: assumption.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import msgspec

from framework.protocol import BUY, SELL, MarginRules
from framework.venue.account import Account
from framework.venue.book import Pair
from framework.venue.lifecycle import hold_price
from framework.venue.margin.positions import Position
from framework.venue.margin.prices import Prices
from framework.venue.orders import Order

__all__ = ["Standing", "Standings"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An account's sums, in units of one asset.

    worth: of all balances. collateral: of what of them counts as collateral. used_margin, cost, valuation, profit: of
    open positions. unexecuted: what open orders would cost. reserved: of the collateral, what open orders hold or would
    use.
    """

    worth: Fraction
    collateral: Fraction
    used_margin: Fraction
    cost: Fraction
    valuation: Fraction
    profit: Fraction
    unexecuted: Fraction
    reserved: Fraction

    @property
    def equity(self) -> Fraction:
        """Collateral with the profit or loss of what is open."""
        return self.collateral + self.profit

    @property
    def free_margin(self) -> Fraction:
        """What of the equity no position uses."""
        return self.equity - self.used_margin

    @property
    def free_after_orders(self) -> Fraction:
        """What of the equity neither a position nor an open order uses."""
        return self.free_margin - self.reserved

    @property
    def level_percent(self) -> Fraction | None:
        """The margin level in percent; None while no margin is used."""
        return self.equity * 100 / self.used_margin if self.used_margin else None


class Standings:
    """Works out how accounts stand."""

    def __init__(self, rules: MarginRules, prices: Prices, asset_names: Sequence[str]) -> None:
        self._rules = rules
        self.prices = prices
        named = [rules.assets.get(name) for name in asset_names]
        self._collateral = [Fraction(0 if asset is None else asset.collateral_ppm, 1_000_000) for asset in named]

    def standing(self, account: Account, into: int, without: Order | None = None) -> Standing:
        """How an account stands now; into: index of the asset that sums are in. without: an open order that is left out
        of what is reserved.
        """
        value = self.prices.value
        worth = collateral = reserved = Fraction(0)
        for asset, total in enumerate(account.totals):
            hold = account.holds[asset]
            if without is not None and asset == without.hold_asset:
                hold -= without.hold_units
            if total or hold:
                rate = self.prices.rate(asset, into) or Fraction(0)
                worth += total * rate
                collateral += total * rate * self._collateral[asset]
                reserved += hold * rate * self._collateral[asset]
        margin = account.margin
        used = cost = valuation = profit = unexecuted = Fraction(0)
        if margin is not None:
            for position in margin.positions.values():
                quote, lots = position.pair.quote, position.open_lots
                opened = position.cost(lots)
                now = self._valuation(position)
                used += value(quote, self.used_margin(position), into)
                cost += value(quote, opened, into)
                valuation += value(quote, now, into)
                profit += value(quote, now - opened if position.side == BUY else opened - now, into)
            if margin.order_count:
                for order, lots in self._openings(account, without):
                    reserved += value(order.pair.quote, self.order_cost(order, lots) / order.leverage, into)
        for order in account.open_orders.values():
            unexecuted += value(order.pair.quote, self.order_cost(order, order.qty_lots - order.cum_lots), into)
        return Standing(
            worth=worth,
            collateral=collateral,
            used_margin=used,
            cost=cost,
            valuation=valuation,
            profit=profit,
            unexecuted=unexecuted,
            reserved=reserved,
        )

    def used_margin(self, position: Position) -> Fraction:
        """The margin that an open position uses, in units of its quote asset."""
        if self._rules.is_short_margin_marked and position.side == SELL:
            return self._valuation(position) / position.leverage
        return position.margin(position.open_lots)

    def collateral_value(self, asset: int, units: int, into: int) -> Fraction:
        """What units of an asset count as collateral."""
        return self.prices.value(asset, units, into) * self._collateral[asset]

    def is_collateral(self, asset: int) -> bool:
        """Whether an asset counts as collateral at all."""
        return self._collateral[asset] > 0

    def _valuation(self, position: Position) -> Fraction:
        price = self.prices.price_ticks(position.pair)
        lots = position.open_lots
        return Fraction(position.cost(lots)) if price is None else price * lots * position.pair.cost_units

    def opening_lots(self, order: Order, without: Order | None = None) -> int:
        """Lots of a new order on margin that would open a position, once all that is open has been filled."""
        if order.is_reduce_only:
            return 0
        return next(lots for each, lots in self._openings(order.account, without, order) if each is order)

    def order_cost(self, order: Order, lots: int) -> Fraction:
        """What lots of an open order may cost, in units of its quote asset."""
        price_ticks: int | Fraction | None = order.limit_ticks
        if price_ticks is None:
            price_ticks = hold_price(order) or self.prices.price_ticks(order.pair)
        return Fraction(0) if price_ticks is None else Fraction(price_ticks * lots * order.pair.cost_units)

    def _openings(
        self, account: Account, without: Order | None, new: Order | None = None
    ) -> Iterator[tuple[Order, int]]:
        """The account's orders on margin, each with how many lots of it would open a position. new: not open yet."""
        margin = account.margin
        assert margin is not None
        closable: dict[tuple[Pair, int], int] = {}
        orders = [order for order in account.open_orders.values() if order.leverage and order is not without]
        if new is not None and not (new.seq and new.is_open and new is not without):
            orders.append(new)
        for order in orders:
            if order.is_reduce_only:
                continue
            key = (order.pair, order.side)
            if key not in closable:
                closable[key] = margin.open_lots(order.pair, 1 - order.side)
            lots = order.qty_lots - order.cum_lots
            closing = min(lots, closable[key])
            closable[key] -= closing
            yield order, lots - closing
