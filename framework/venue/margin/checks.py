"""Whether an account may have an order on margin, or give away what its positions rest on.

The order of the checks is an assumption: what the order asks for, what it would close, the tier, the size of the
position, what is lent already, the margin. For the margin an order's fees count too, so that the margin level is not
below 100 % once it is filled (support/203053156: no such position can be opened).

Sources: guides/spot-errors, support/209238787 (allowances), rest-api/add-order-batch (volume of 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from framework.messages import AddOrder
from framework.protocol import BUY, MarginRules, OrderType, RejectReason
from framework.venue.account import Account
from framework.venue.fees import PPM
from framework.venue.lifecycle import hold_price
from framework.venue.margin.lending import Lending
from framework.venue.margin.standing import Standings
from framework.venue.orders import Order

if TYPE_CHECKING:
    from framework.venue.kernel import MatchingKernel

__all__ = ["MarginChecks"]


class MarginChecks:
    """Checks orders; ``valued_in`` is the index of the asset that margins are compared in."""

    def __init__(
        self,
        rules: MarginRules,
        kernel: MatchingKernel,
        lending: Lending,
        standings: Standings,
        asset_names: Sequence[str],
        asset_decimals: Sequence[int],
        valued_in: int,
    ) -> None:
        self.valued_in = valued_in
        self._rules = rules
        self._kernel = kernel
        self._lending = lending
        self._standings = standings
        self._names = asset_names
        self._decimals = asset_decimals

    def closable_lots(self, order: Order) -> int:
        """Lots of open positions that an order would close."""
        return self._lending.closable_lots(order)

    def settle(self, order: Order, now_ns: int) -> None:
        """Carry out an order that settles a position."""
        self._lending.settle(order, now_ns)

    def note(self, order: Order) -> None:
        """Have the account of an order looked at once what is being done is done."""
        self._lending.note(order)

    def leverage_refusal(self, command: AddOrder) -> RejectReason | None:
        """Whether a pair is traded with the leverage that an order asks for."""
        if command.order_type is OrderType.SETTLE_POSITION:
            return None if self._rules.pairs.get(command.symbol) else RejectReason.UNKNOWN_POSITION
        offered = self._rules.leverages(command.symbol, command.side)
        return None if command.leverage in offered else RejectReason.INVALID_LEVERAGE

    def order_refusal(self, order: Order, replaced: Order | None = None) -> RejectReason | None:
        """Whether the account may have a prepared order on margin, now. replaced: an order whose place it takes."""
        closable_lots = self._lending.closable_lots(order)
        if order.is_settlement:
            return self._settlement_refusal(order, closable_lots)
        if order.qty_lots == 0:
            return RejectReason.UNKNOWN_POSITION
        if order.is_reduce_only:
            is_waiting = not (order.is_live and order.is_triggered)
            return None if closable_lots or is_waiting else RejectReason.REDUCE_ONLY_NO_POSITION
        without = order if order.seq else replaced
        opening_lots = self._standings.opening_lots(order, without)
        if opening_lots == 0:
            return None
        refusal = self._size_refusal(order, opening_lots, is_opposing=closable_lots > 0)
        return refusal or self._margin_refusal(order, opening_lots, without)

    def cash_refusal(self, account: Account, asset: int, more_units: int) -> RejectReason | None:
        """Whether an account may give away, or have held, so much more of an asset: what positions and orders on margin
        rest on stays (support/204585998).
        """
        into = self.valued_in
        given = self._standings.collateral_value(asset, more_units, into)
        if given <= 0:
            return None
        is_free = self._standings.standing(account, into).free_after_orders >= given
        return None if is_free else RejectReason.INSUFFICIENT_FUNDS

    # ------------------------------------------------------------------------------------------------- pieces

    def _settlement_refusal(self, order: Order, closable_lots: int) -> RejectReason | None:
        if closable_lots == 0 or order.qty_lots > closable_lots:
            return RejectReason.UNKNOWN_POSITION
        asset, units = self._lending.settlement_need(order)
        return RejectReason.INSUFFICIENT_FUNDS if units > order.account.available(asset) else None

    def _size_refusal(self, order: Order, opening_lots: int, *, is_opposing: bool) -> RejectReason | None:
        rules, account, pair = self._rules, order.account, order.pair
        if account.tier.name not in rules.tiers:
            return RejectReason.CANNOT_OPEN_OPPOSING if is_opposing else RejectReason.CANNOT_OPEN_POSITION
        margin = account.margin
        assert margin is not None
        terms = rules.pairs[pair.symbol]
        lots = opening_lots + margin.open_lots(pair, order.side)
        most = terms.long_max if order.side == BUY else terms.short_max
        if lots * pair.lot_units > most * 10 ** self._decimals[pair.base]:
            return RejectReason.POSITION_SIZE
        lent = pair.quote if order.side == BUY else pair.base
        asset = rules.assets.get(self._names[lent])
        if asset is None:
            return RejectReason.INSUFFICIENT_MARGIN
        if asset.allowance is not None:
            needed = self._cost(order, opening_lots) if order.side == BUY else Fraction(opening_lots * pair.lot_units)
            if margin.borrowed(lent) + needed > asset.allowance * 10 ** self._decimals[lent]:
                return RejectReason.MARGIN_ALLOWANCE
        return None

    def _margin_refusal(self, order: Order, opening_lots: int, without: Order | None) -> RejectReason | None:
        account, pair = order.account, order.pair
        standing = self._standings.standing(account, self.valued_in, without)
        level = standing.level_percent
        if level is not None and level < 100:
            return RejectReason.MARGIN_LEVEL
        lent = self._rules.assets[self._names[pair.quote if order.side == BUY else pair.base]]
        share = Fraction(1, order.leverage) + Fraction(account.fees.taker_ppm + lent.opening_ppm, PPM)
        needed = self._standings.prices.value(pair.quote, self._cost(order, opening_lots) * share, self.valued_in)
        free = standing.free_after_orders + self._freed(order, order.qty_lots - order.cum_lots - opening_lots)
        return self._rules.shortfall if needed > free else None

    def _freed(self, order: Order, closing_lots: int) -> Fraction:
        """The margin that an order frees by what it closes."""
        margin = order.account.margin
        assert margin is not None
        freed, left = Fraction(0), closing_lots
        for position in margin.of_pair(order.pair):
            lots = min(left, position.open_lots)
            left -= lots
            freed += self._standings.used_margin(position) * lots / position.open_lots
        return self._standings.prices.value(order.pair.quote, freed, self.valued_in)

    def _cost(self, order: Order, lots: int) -> Fraction:
        """What lots of an order may cost: at its limit, or for a sale at the best price if that is better, or where it
        will trade.
        """
        pair = order.pair
        price: int | Fraction | None = hold_price(order)
        best = self._kernel.best(pair.index, 1 - order.side)
        if price is None or (order.side != BUY and best is not None and order.is_triggered):
            price = max(price or 0, best[0]) if best is not None else price or self._standings.prices.price_ticks(pair)
        return Fraction(0) if price is None else Fraction(price * lots * pair.cost_units)
