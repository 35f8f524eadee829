"""The money of margin trading: what fills, settlements, rollovers and conversions do to positions and balances.

A fill closes positions of the other side first, oldest first; what is left opens one (support/202966956). Profit and
loss are in the quote currency. The trade's fee is charged on opening and closing alike, in the quote currency; the fee
of a loan on what is lent, in the currency that is lent where the balance has so much of it, else in the quote currency
(support/206161568; assumption: the second half). A settlement pays back what was lent from the balance and keeps what
was got for it, without a fee (support/218741078).

After every movement: an account's total of an asset is what was brought, what its cash trades made of it, and what is
``paid`` here.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from fractions import Fraction

import msgspec

from framework.protocol import BUY, MarginRules
from framework.venue.account import Account
from framework.venue.book import Pair
from framework.venue.fees import PPM, charge
from framework.venue.margin.positions import Closing, MarginAccount, MarginFill, Position
from framework.venue.margin.prices import Prices
from framework.venue.observer import VenueObserver
from framework.venue.orders import Order
from framework.venue.timers import TimerKind, Timers

__all__ = ["Due", "Lending", "Movement", "MovementKind"]


class MovementKind(enum.Enum):
    """Why a balance moved."""

    TRADE = "trade"
    ROLLOVER = "rollover"
    SETTLEMENT = "settlement"
    CONVERSION = "conversion"


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one balance: ``amount_units`` come, or go, and ``fee_units`` go.

    ref_id: of the trade or position that it belongs to.
    """

    account: str
    kind: MovementKind
    ref_id: str
    ts_ns: int
    asset: int
    amount_units: int
    fee_units: int


class Due(msgspec.Struct):
    """An account that something happened to, which is looked at when it is over. pair, ref_id: what it was last."""

    account: Account
    pair: Pair
    ref_id: str


class Lending:
    """Opens and closes positions.

    due: accounts to look at once what is being done is done, by name; see ``framework.venue.margin.upkeep``.
    """

    def __init__(
        self, rules: MarginRules, prices: Prices, asset_names: Sequence[str], timers: Timers, quanta: Sequence[int]
    ) -> None:
        """quanta: units of the last decimal that fees keep, by asset index."""
        self.due: dict[str, Due] = {}
        self.observer: VenueObserver | None = None
        self._rules = rules
        self._prices = prices
        self._names = asset_names
        self._timers = timers
        self._quanta = quanta

    # ------------------------------------------------------------------------------------------------- asking

    def closable_lots(self, order: Order) -> int:
        """Lots of open positions that an order would close."""
        return _margin(order.account).open_lots(order.pair, 1 - order.side)

    def note(self, order: Order) -> None:
        """Have the account of an order looked at once what is being done is done."""
        self.due.setdefault(order.account.name, Due(order.account, order.pair, order.order_id))

    # ------------------------------------------------------------------------------------------------- fills

    def fill(self, order: Order, price_ticks: int, lots: int, fee_units: int, trade_id: str, ts_ns: int) -> int:
        """A fill of an order on margin: close, open, move the money. fee_units: of the trade, in quote units.

        Returns what was charged in quote units, the fee of a loan included if that was.
        """
        account, pair = order.account, order.pair
        margin = _margin(account)
        profit, closings = self._close(margin, order, price_ticks, lots, fee_units, trade_id)
        opening_lots = lots - sum(closing.lots for closing in closings)
        opened = None
        charged = lent_fee_units = 0
        if opening_lots:
            opened = self._open(margin, order, price_ticks, opening_lots, trade_id, ts_ns)
            charged, lent_fee_units = self._lend(account, opened, trade_id, ts_ns)
            # An order that turns a position around pays for what it opens; what it closed has its share already.
            opened.fee_units = fee_units - _share(fee_units, lots - opening_lots, lots) + lent_fee_units
        self._move(account, MovementKind.TRADE, trade_id, ts_ns, pair.quote, profit, fee_units + charged)
        self.due[account.name] = Due(account, pair, trade_id)
        if self.observer is not None:
            self.observer.on_margin_fill(trade_id, MarginFill(opened, tuple(closings), fee_units + lent_fee_units))
        return fee_units + charged

    def _close(
        self, margin: MarginAccount, order: Order, price_ticks: int, lots: int, fee_units: int, trade_id: str
    ) -> tuple[int, list[Closing]]:
        pair = order.pair
        closings: list[Closing] = []
        left, profit = lots, 0
        for position in margin.of_pair(pair):
            if position.side == order.side or not left:
                break
            closed = min(left, position.open_lots)
            gained = position.profit(closed, price_ticks)
            before = lots - left
            left -= closed
            profit += gained
            position.closed_lots += closed
            position.closed_cost += price_ticks * closed * pair.cost_units
            position.closed_fee += _share(fee_units, before + closed, lots) - _share(fee_units, before, lots)
            position.net_units += gained
            position.closings.append(trade_id)
            closings.append(Closing(position, closed))
            if not position.is_open:
                del margin.positions[position.position_id]
        margin.profits[pair.index] += profit
        return profit, closings

    def _open(
        self, margin: MarginAccount, order: Order, price_ticks: int, lots: int, trade_id: str, ts_ns: int
    ) -> Position:
        rules = self._rules
        lent = rules.assets.get(self._names[order.pair.quote if order.side == BUY else order.pair.base])
        rollover_ppm = 0 if lent is None else lent.rollover_ppm
        due_ns = ts_ns + rules.rollover_ns
        position = Position(trade_id, order, lots, price_ticks, ts_ns, rollover_ppm, due_ns)
        margin.positions[trade_id] = position
        if margin.rollover_ns is None:  # else one that comes first is looked at first
            self._arm_rollover(order.account, due_ns)
        if margin.check_ns is None:
            self.arm_check(order.account, ts_ns)
        return position

    def _arm_rollover(self, account: Account, due_ns: int) -> None:
        _margin(account).rollover_ns = due_ns
        self._timers.arm(due_ns, TimerKind.MARGIN_ROLLOVER, account)

    def arm_check(self, account: Account, now_ns: int) -> None:
        """Have the account's margin level looked at later."""
        margin = _margin(account)
        margin.check_ns = now_ns + self._rules.check_ns
        self._timers.arm(margin.check_ns, TimerKind.MARGIN_CHECK, account)

    def _lend(self, account: Account, position: Position, trade_id: str, ts_ns: int) -> tuple[int, int]:
        """Charge for a loan; returns what of it is left to be charged in quote units, and all of it in quote units."""
        asset, borrowed = position.borrowed()
        lent = self._rules.assets.get(self._names[asset])
        ppm = 0 if lent is None else lent.opening_ppm
        quote_fee = charge(position.cost(position.lots) * ppm, position.pair.fee_quantum)
        fee = charge(borrowed * ppm, self._quanta[asset])
        if asset == position.pair.quote or fee > account.available(asset):
            return quote_fee, quote_fee
        self._move(account, MovementKind.TRADE, trade_id, ts_ns, asset, 0, fee)
        return 0, quote_fee

    # ------------------------------------------------------------------------------------------------- later

    def roll_over(self, account: Account, now_ns: int) -> None:
        """Charge for the loans of an account that have lasted, and have it done again."""
        margin = _margin(account)
        for position in list(margin.positions.values()):
            if position.rollover_ns <= now_ns:
                self._roll_over(account, position, now_ns)
        margin.rollover_ns = None
        if margin.positions:
            self._arm_rollover(account, min(position.rollover_ns for position in margin.positions.values()))

    def _roll_over(self, account: Account, position: Position, now_ns: int) -> None:
        pair = position.pair
        asset, borrowed = position.borrowed()
        fee = charge(borrowed * position.rollover_ppm, self._quanta[asset])
        if asset != pair.quote and fee > account.available(asset):
            price = self._prices.price_ticks(pair) or Fraction(position.price_ticks)
            owed = price * position.open_lots * pair.cost_units * position.rollover_ppm
            asset, fee = pair.quote, charge(int(owed), pair.fee_quantum)
        if fee:
            self._move(account, MovementKind.ROLLOVER, position.position_id, now_ns, asset, 0, fee)
        position.rollover_ns += self._rules.rollover_ns
        self.due[account.name] = Due(account, pair, position.position_id)

    def settlement_need(self, order: Order) -> tuple[int, int]:
        """What an order to settle needs of the balance: asset and units."""
        pair = order.pair
        parts = self._settled(order)
        if order.side == BUY:
            return pair.base, sum(lots for _, lots in parts) * pair.lot_units
        return pair.quote, sum(position.cost(lots) for position, lots in parts)

    def settle(self, order: Order, now_ns: int) -> None:
        """Pay back what was lent for as much as an order says, oldest position first, and keep what was got for it."""
        account, pair = order.account, order.pair
        margin = _margin(account)
        sign = 1 if order.side == BUY else -1  # a sale settles a purchase
        for position, lots in self._settled(order):
            cost = position.cost(lots)
            position.closed_lots += lots
            position.settled_lots += lots
            margin.settled_costs[pair.index] -= sign * cost
            name = position.position_id
            moves = ((pair.quote, sign * cost), (pair.base, -sign * lots * pair.lot_units))
            for asset, amount in moves:
                self._move(account, MovementKind.SETTLEMENT, name, now_ns, asset, amount, 0)
            if not position.is_open:
                del margin.positions[name]
            self.due[account.name] = Due(account, pair, name)

    def _settled(self, order: Order) -> list[Closing]:
        left = order.qty_lots
        parts = []
        for position in _margin(order.account).of_pair(order.pair):
            if left and position.side != order.side:
                lots = min(left, position.open_lots)
                left -= lots
                parts.append(Closing(position, lots))
        return parts

    # ------------------------------------------------------------------------------------------------- conversion

    def convert(self, due: Due, source: int, target: int, wanted_units: int, now_ns: int) -> int:
        """Turn what is available of one asset into another, as much as is wanted of that; returns how much came."""
        account = due.account
        rate = self._prices.rate(source, target)
        available = account.available(source)
        if not rate or available <= 0:
            return 0
        ppm = self._conversion_ppm(source, target)
        given = min(-int(-wanted_units // rate), available * PPM // (PPM + ppm))
        fee = min(charge(given * ppm, self._quanta[source]), available - given)
        got = min(wanted_units, int(given * rate))
        if got <= 0:
            return 0
        self._move(account, MovementKind.CONVERSION, due.ref_id, now_ns, source, -given, fee)
        self._move(account, MovementKind.CONVERSION, due.ref_id, now_ns, target, got, 0)
        return got

    def _conversion_ppm(self, source: int, target: int) -> int:
        rules = self._rules
        names = {self._names[source], self._names[target]}
        cash = {name for name in names if name in rules.assets and rules.assets[name].is_cash}
        if cash == names:
            return rules.conversion_cash_ppm
        if cash and names - cash <= set(rules.major_assets):
            return rules.conversion_major_ppm
        return rules.conversion_ppm

    def _move(
        self, account: Account, kind: MovementKind, ref_id: str, ts_ns: int, asset: int, amount: int, fee: int
    ) -> None:
        account.totals[asset] += amount - fee
        _margin(account).paid[asset] += amount - fee
        if self.observer is not None:
            self.observer.on_movement(
                Movement(
                    account=account.name,
                    kind=kind,
                    ref_id=ref_id,
                    ts_ns=ts_ns,
                    asset=asset,
                    amount_units=amount,
                    fee_units=fee,
                )
            )


def _margin(account: Account) -> MarginAccount:
    margin = account.margin
    assert margin is not None, f"account {account.name} has no margin"
    return margin


def _share(units: int, part: int, whole: int) -> int:
    """The part of an amount that falls to a part of a whole, rounded down."""
    return units * part // whole
